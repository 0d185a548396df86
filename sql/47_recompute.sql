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
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'slapolicy_recompute';
COMMENT ON FUNCTION sla.recompute(regclass, text, text, tstzrange, boolean, boolean) IS 'TODO';
