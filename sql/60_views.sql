-- Views. They tell facts of time by the clock of the reading transaction: no
-- process has to run for them to be exact.

CREATE VIEW sla.clock_status AS
SELECT c.id AS clock_id,
    t.id AS ticket_id,
    a.ticket_table,
    t.key,
    a.policy,
    coalesce(c.severity, t.severity) AS severity,
    c.metric,
    c.cycle,
    CASE
        WHEN c.id IS NULL THEN 'uncovered'
        WHEN c.outcome IS NOT NULL THEN c.outcome
        WHEN c.due_at < now() THEN 'breached'
        ELSE 'running'
    END AS status,
    c.started_at,
    c.due_at,
    c.stopped_at,
    c.goal,
    CASE
        WHEN c.id IS NULL THEN NULL
        WHEN c.stopped_at IS NOT NULL THEN c.worked
        -- a reopening may lie ahead, and what is paused until then with it
        ELSE greatest(sla.business_between(c.started_at, greatest(c.started_at, now()), h.value) - c.paused, '0')
    END AS worked,
    CASE
        WHEN c.outcome IS NULL AND isfinite(c.due_at) THEN sla.business_between(least(greatest(c.started_at, now()), c.due_at), c.due_at, h.value)
    END AS remaining,
    CASE
        WHEN coalesce(c.stopped_at, now()) > c.due_at THEN sla.business_between(c.due_at, coalesce(c.stopped_at, now()), h.value)
    END AS late_by,
    t.exempt
FROM sla.ticket t
    JOIN sla.attachment a ON a.id = t.attachment_id
    LEFT JOIN sla.clock c ON c.ticket_id = t.id
    LEFT JOIN sla.hours h ON h.id = c.hours_id
WHERE c.id IS NOT NULL OR t.exempt IS NOT NULL;
COMMENT ON VIEW sla.clock_status IS 'One row per clock, as it is now, and one per ticket that no promise covers.';
COMMENT ON COLUMN sla.clock_status.clock_id IS 'sla.clock.id; NULL for an uncovered ticket.';
COMMENT ON COLUMN sla.clock_status.ticket_id IS 'sla.ticket.id.';
COMMENT ON COLUMN sla.clock_status.ticket_table IS 'The table the ticket lives in.';
COMMENT ON COLUMN sla.clock_status.key IS 'The ticket''s key in that table, as text.';
COMMENT ON COLUMN sla.clock_status.policy IS 'Name of the policy.';
COMMENT ON COLUMN sla.clock_status.severity IS 'Severity whose goal the clock has; for an uncovered ticket its own, NULL when it could not be told.';
COMMENT ON COLUMN sla.clock_status.metric IS 'What is promised; NULL for an uncovered ticket.';
COMMENT ON COLUMN sla.clock_status.cycle IS 'Counts the clocks of one metric of one ticket, from 1.';
COMMENT ON COLUMN sla.clock_status.status IS 'running; met; breached: stopped late, or running past its due time; cancelled: the promise fell away; uncovered: no promise applies, exempt says why.';
COMMENT ON COLUMN sla.clock_status.started_at IS 'When the promise began to run.';
COMMENT ON COLUMN sla.clock_status.due_at IS 'When the promise ends; exactly at it is met. infinity: never.';
COMMENT ON COLUMN sla.clock_status.stopped_at IS 'When it was fulfilled or fell away; NULL while it runs.';
COMMENT ON COLUMN sla.clock_status.goal IS 'Working time promised.';
COMMENT ON COLUMN sla.clock_status.worked IS 'Working time used up so far, or until it stopped.';
COMMENT ON COLUMN sla.clock_status.remaining IS 'Working time left while it runs, zero when it is late; NULL when it has stopped or is never due.';
COMMENT ON COLUMN sla.clock_status.late_by IS 'Working time past the due time; NULL when it is not late. Zero for a clock that ran out and stopped within one closed stretch.';
COMMENT ON COLUMN sla.clock_status.exempt IS 'Why the ticket has no promises, or has lost them; NULL otherwise.';

CREATE VIEW sla.breach AS
SELECT s.clock_id,
    s.ticket_id,
    s.ticket_table,
    s.key,
    s.policy,
    s.severity,
    s.metric,
    s.cycle,
    s.started_at,
    s.due_at,
    s.stopped_at,
    s.goal,
    s.worked,
    s.late_by,
    f.flagged_at
FROM sla.clock_status s
    LEFT JOIN LATERAL (
        SELECT max(l.flagged_at) AS flagged_at
        FROM sla.alert l
            JOIN sla.clock c ON c.id = l.clock_id AND c.aim = l.aim
        WHERE l.clock_id = s.clock_id AND l.kind = 'breach'
    ) f ON true
WHERE s.status = 'breached';
COMMENT ON VIEW sla.breach IS 'One row per broken promise: clocks stopped late, and running ones past their due time.';
COMMENT ON COLUMN sla.breach.clock_id IS 'sla.clock.id.';
COMMENT ON COLUMN sla.breach.ticket_id IS 'sla.ticket.id.';
COMMENT ON COLUMN sla.breach.ticket_table IS 'The table the ticket lives in.';
COMMENT ON COLUMN sla.breach.key IS 'The ticket''s key in that table, as text.';
COMMENT ON COLUMN sla.breach.policy IS 'Name of the policy.';
COMMENT ON COLUMN sla.breach.severity IS 'Severity whose goal was missed.';
COMMENT ON COLUMN sla.breach.metric IS 'What was promised.';
COMMENT ON COLUMN sla.breach.cycle IS 'Counts the clocks of one metric of one ticket, from 1.';
COMMENT ON COLUMN sla.breach.started_at IS 'When the promise began to run.';
COMMENT ON COLUMN sla.breach.due_at IS 'When the promise ended.';
COMMENT ON COLUMN sla.breach.stopped_at IS 'When it was fulfilled, too late; NULL: not yet.';
COMMENT ON COLUMN sla.breach.goal IS 'Working time promised.';
COMMENT ON COLUMN sla.breach.worked IS 'Working time used up so far, or until it stopped.';
COMMENT ON COLUMN sla.breach.late_by IS 'Working time past the due time.';
COMMENT ON COLUMN sla.breach.flagged_at IS 'When the breach was flagged; NULL: not yet.';

CREATE VIEW sla.compliance_by_month AS
-- One row at the edge of what timestamps can hold must not spoil the report;
-- greatest and least pass over NULL.
SELECT CASE WHEN coalesce(s.started_at, t.received_at) IS NOT NULL
        THEN date_trunc('month', least(greatest(coalesce(s.started_at, t.received_at),
                timestamptz '4713-01-02 00:00+00 BC'), timestamptz '294276-12-30 00:00+00')
            AT TIME ZONE coalesce(v.time_zone, 'UTC'))::date
    END AS month,
    s.policy,
    s.severity,
    s.metric,
    count(*) AS promises,
    count(*) FILTER (WHERE s.status = 'met') AS met,
    count(*) FILTER (WHERE s.status = 'breached') AS breached,
    count(*) FILTER (WHERE s.status = 'running') AS open,
    count(*) FILTER (WHERE s.status = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE s.status = 'uncovered') AS uncovered,
    round(100.0 * count(*) FILTER (WHERE s.status = 'met')
        / nullif(count(*) FILTER (WHERE s.status IN ('met', 'breached')), 0), 2) AS met_percent,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY s.worked)
        FILTER (WHERE s.stopped_at IS NOT NULL AND s.status <> 'cancelled') AS worked_median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY s.worked)
        FILTER (WHERE s.stopped_at IS NOT NULL AND s.status <> 'cancelled') AS worked_p90
FROM sla.clock_status s
    JOIN sla.ticket t ON t.id = s.ticket_id
    LEFT JOIN sla.policy_version v ON v.id = t.policy_version_id
GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW sla.compliance_by_month IS 'Kept and broken promises by the month in which they began to run.';
COMMENT ON COLUMN sla.compliance_by_month.month IS 'First day of the month in the policy version''s time_zone (UTC for a ticket without one); NULL for a ticket without time of receipt.';
COMMENT ON COLUMN sla.compliance_by_month.policy IS 'Name of the policy.';
COMMENT ON COLUMN sla.compliance_by_month.severity IS 'Severity; NULL: could not be told.';
COMMENT ON COLUMN sla.compliance_by_month.metric IS 'What was promised; NULL: nothing, see uncovered.';
COMMENT ON COLUMN sla.compliance_by_month.promises IS 'All clocks and uncovered tickets; the sum of the next five.';
COMMENT ON COLUMN sla.compliance_by_month.met IS 'Stopped in time.';
COMMENT ON COLUMN sla.compliance_by_month.breached IS 'Stopped late, or running past the due time.';
COMMENT ON COLUMN sla.compliance_by_month.open IS 'Running and not late.';
COMMENT ON COLUMN sla.compliance_by_month.cancelled IS 'Fell away before they were decided.';
COMMENT ON COLUMN sla.compliance_by_month.uncovered IS 'Tickets that no promise covers.';
COMMENT ON COLUMN sla.compliance_by_month.met_percent IS 'Share of met among met and breached, 0 to 100; NULL when there are none.';
COMMENT ON COLUMN sla.compliance_by_month.worked_median IS 'Median working time of the clocks that were stopped; NULL when there are none.';
COMMENT ON COLUMN sla.compliance_by_month.worked_p90 IS 'Working time within which nine of ten of them were stopped.';
