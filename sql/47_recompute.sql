-- Changes of policies for tickets that are there.

CREATE FUNCTION sla.recompute(
    INOUT ticket_table regclass DEFAULT NULL,
    INOUT key text DEFAULT NULL,
    policy text DEFAULT NULL,
    received tstzrange DEFAULT NULL,
    settled boolean DEFAULT false,
    dry_run boolean DEFAULT true,
    OUT ticket_id bigint,
    OUT metric text,
    OUT cycle int,
    OUT changed text[],
    OUT old_severity sla.severity,
    OUT new_severity sla.severity,
    OUT old_goal sla.business_interval,
    OUT new_goal sla.business_interval,
    OUT old_hours_id int,
    OUT new_hours_id int,
    OUT old_started_at timestamptz,
    OUT new_started_at timestamptz,
    OUT old_due_at timestamptz,
    OUT new_due_at timestamptz,
    OUT old_stopped_at timestamptz,
    OUT new_stopped_at timestamptz,
    OUT old_outcome text,
    OUT new_outcome text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE COST 100000 ROWS 1000
    AS 'MODULE_PATHNAME', 'slapolicy_recompute';
COMMENT ON FUNCTION sla.recompute(regclass, text, text, tstzrange, boolean, boolean) IS 'Folds tickets anew by what policies, contracts, calendars and holidays say now, and returns a row per clock that changes by that: what changed (columns of sla.clock) with the old and the new values; the old ones are NULL for a new clock, the new ones for one that goes. By default a preview, and nothing is written; with dry_run => false the ledger is, and due times in the rows, as their owner and firing no trigger. A ticket comes under the policy version in force when it was received; pinned due times stay. In scope are the tickets of a table, of a key in it, of a policy (they are under it or would be), received in a range; NULL: of any. Without settled only those that are open or paused, or have a clock running. A ticket whose policy is gone keeps its promises, and a warning says so. Only for the owner of the table, or of the ledger (42501); without ticket_table tables of others are left out. Raises 22023 for an unknown ticket, 42704 for an unknown policy, 55000 for a table that was never attached.';
