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
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 100000
    AS 'MODULE_PATHNAME', 'slapolicy_simulate';
COMMENT ON FUNCTION sla.simulate(text, timestamptz, timestamptz) IS 'What the tickets received from an instant on, before another, would have been promised under the last version of a policy, as its tables have it now, and what would have become of it: a row per clock. NULL: no limit. due_at, stopped_at, worked and outcome mean what they mean in sla.clock. Who is entitled to the policy does not matter; hours that a contract puts in place of all others, and pinned due times, do. Nothing is written. For the owner of the ledger, and who may SELECT from sla.ticket and sla.event (42501); raises 42704 for an unknown policy, 22004 and 22023 for wrong arguments.';
