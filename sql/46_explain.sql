-- The life of a ticket, for people.

CREATE FUNCTION sla.explain(
    ticket_table regclass,
    key text,
    OUT step int,
    OUT at timestamptz,
    OUT until timestamptz,
    OUT event text,
    OUT seq int,
    OUT source text,
    OUT recorded_at timestamptz,
    OUT metric text,
    OUT cycle int,
    OUT what text,
    OUT counted interval,
    OUT severity sla.severity,
    OUT goal sla.business_interval,
    OUT due_at timestamptz,
    OUT why text)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 1000 ROWS 50
    AS 'MODULE_PATHNAME', 'slapolicy_explain';
COMMENT ON FUNCTION sla.explain(regclass, text) IS 'The life of a ticket, line by line: how it is covered; each event in order of time, and what it did to which clock; then clock by clock each stretch of time, whether it counted and why. key is that of sla.ticket. event, seq, source and recorded_at are those of sla.event; severity, goal and due_at those of the clock after the step; counted is the working time of a stretch, or of a clock as a whole. Works for deleted tickets, detached tables and policies that are gone. For the owner of the table, and for who may SELECT from sla.ticket and sla.event (42501); raises 22023 for an unknown ticket, 55000 for a table that was never attached.';
