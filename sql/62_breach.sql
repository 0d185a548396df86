-- What is late, or was.

CREATE VIEW sla.breach AS
SELECT s.clock_id,
    s.ticket_id,
    s.ticket_table,
    s.key,
    s.policy,
    s.policy_version_id,
    s.severity,
    s.severity_label,
    s.metric,
    s.cycle,
    s.started_at,
    s.due_at,
    s.stopped_at,
    s.goal,
    s.worked,
    s.used,
    s.late_by,
    f.flagged_at,
    s.ticket_state,
    s.account,
    s.service,
    s.product,
    s.channel,
    s.team,
    s.assignee,
    s.labels
FROM sla.clock_status s
    LEFT JOIN LATERAL (
        SELECT max(l.flagged_at) AS flagged_at
        FROM sla.alert l
        WHERE l.clock_id = s.clock_id AND l.kind = 'breach' AND l.due_at = s.due_at
            AND NOT EXISTS (SELECT FROM sla.alert w
                WHERE w.clock_id = l.clock_id AND w.aim = l.aim AND w.threshold = l.threshold AND w.kind = 'withdrawal')
    ) f ON true
WHERE s.status = 'breached'
    -- follows from the status, but says it of the clock's own row
    AND s.due_at < coalesce(s.stopped_at, now());

COMMENT ON VIEW sla.breach IS 'One row per broken promise: clocks stopped late, and running ones past their due time.';
COMMENT ON COLUMN sla.breach.clock_id IS 'sla.clock.id.';
COMMENT ON COLUMN sla.breach.ticket_id IS 'sla.ticket.id.';
COMMENT ON COLUMN sla.breach.ticket_table IS 'The table the ticket lives in.';
COMMENT ON COLUMN sla.breach.key IS 'The ticket''s key in that table, as text.';
COMMENT ON COLUMN sla.breach.policy IS 'Name of the policy.';
COMMENT ON COLUMN sla.breach.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.breach.severity IS 'Severity whose goal was missed.';
COMMENT ON COLUMN sla.breach.severity_label IS 'What the policy version calls that severity; NULL: it has no name for it.';
COMMENT ON COLUMN sla.breach.metric IS 'What was promised.';
COMMENT ON COLUMN sla.breach.cycle IS 'Counts the clocks of one metric of one ticket, from 1.';
COMMENT ON COLUMN sla.breach.started_at IS 'When the promise began to run.';
COMMENT ON COLUMN sla.breach.due_at IS 'When the promise ended.';
COMMENT ON COLUMN sla.breach.stopped_at IS 'When it was fulfilled, too late; NULL: not yet.';
COMMENT ON COLUMN sla.breach.goal IS 'Working time promised.';
COMMENT ON COLUMN sla.breach.worked IS 'Working time used up so far, or until it stopped, without pauses.';
COMMENT ON COLUMN sla.breach.used IS 'Share of the goal that is used up, or was when it stopped: above 1. See sla.clock_status.used.';
COMMENT ON COLUMN sla.breach.late_by IS 'Working time from the due time until it stopped, or until now, pauses in it included.';
COMMENT ON COLUMN sla.breach.flagged_at IS 'When the breach was flagged; NULL: not yet.';
COMMENT ON COLUMN sla.breach.ticket_state IS 'open, paused, resolved, cancelled or deleted.';
COMMENT ON COLUMN sla.breach.account IS 'Account of the customer; NULL when the row does not say, like all that follow.';
COMMENT ON COLUMN sla.breach.service IS 'Service the ticket is about.';
COMMENT ON COLUMN sla.breach.product IS 'Product the ticket is about.';
COMMENT ON COLUMN sla.breach.channel IS 'Channel it came by.';
COMMENT ON COLUMN sla.breach.team IS 'Team that works on it.';
COMMENT ON COLUMN sla.breach.assignee IS 'Who works on it.';
COMMENT ON COLUMN sla.breach.labels IS 'Further columns of the ticket: an object of column name to text.';
