-- What would have become of tickets under another policy.

CREATE FUNCTION sla.simulate(
    policy text,
    "from" timestamptz,
    "to" timestamptz,
    OUT ticket_id bigint,
    OUT ticket_table regclass,
    OUT key text,
    OUT metric text,
    OUT cycle int,
    OUT severity sla.severity,
    OUT goal sla.business_interval,
    OUT started_at timestamptz,
    OUT due_at timestamptz,
    OUT stopped_at timestamptz,
    OUT worked interval,
    OUT outcome text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'slapolicy_simulate';
COMMENT ON FUNCTION sla.simulate(text, timestamptz, timestamptz) IS 'TODO';
