-- What others than their rows report of tickets.

CREATE FUNCTION sla.record_event(
    ticket_table regclass,
    key text,
    kind text,
    at timestamptz DEFAULT pg_catalog.statement_timestamp(),
    value text DEFAULT NULL)
    RETURNS int
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_record_event';
COMMENT ON FUNCTION sla.record_event(regclass, text, text, timestamptz, text) IS 'Records something that happened to a ticket at that time, by default when the statement began, and that its row does not tell, and writes the due times that follow into the row, firing no trigger. Returns the event''s seq; NULL, with nothing changed, when the same has been recorded already. Kinds: replied, updated, customer_replied, investigated, resolved and reopened; assigned (value: to whom), paused and resumed (value: the name of the pause), exempted (value: the reason), covered (value: the reason that applies no more, NULL: all), cancelled (value: why, may be NULL), merged (value: the key of the other ticket), retracted (value: the seq of an event recorded this way that was not so). Only for the owner of the table (42501). Raises 55000 when it is not attached, 02000 when it has no such ticket, 22004 and 22023 for wrong arguments.';

CREATE FUNCTION sla.pin_due(
    ticket_table regclass,
    key text,
    metric text,
    due_at timestamptz,
    at timestamptz DEFAULT pg_catalog.statement_timestamp())
    RETURNS int
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_pin_due';
COMMENT ON FUNCTION sla.pin_due(regclass, text, text, timestamptz, timestamptz) IS 'Gives the clock of a metric that runs at that time, by default when the statement began, another due time, whatever pauses, changes of severity and sla.recompute make of it; with due_at NULL the one it would have without. Returns as sla.record_event, with the same errors; 22023 also when no such clock runs.';
