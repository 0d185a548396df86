-- What is about to be late.

CREATE VIEW sla.at_risk AS
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
    s.status,
    s.started_at,
    s.due_at,
    s.paused_at,
    s.pinned,
    s.goal,
    s.worked,
    s.remaining,
    s.used,
    s.account,
    s.service,
    s.product,
    s.channel,
    s.team,
    s.assignee,
    s.labels
FROM sla.clock_status s
WHERE s.status IN ('running', 'paused') AND coalesce(s.warned, s.used >= 0.75)
    -- follows from the status, but says it of the clock's own row: of a long
    -- ledger most clocks are over
    AND s.due_at >= now() AND s.stopped_at IS NULL;

COMMENT ON VIEW sla.at_risk IS 'Clocks that run or stand still, are not late, and have reached an alert threshold of their target; where that has none but the breach, those that have used three quarters of their goal.';
COMMENT ON COLUMN sla.at_risk.clock_id IS 'sla.clock.id.';
COMMENT ON COLUMN sla.at_risk.ticket_id IS 'sla.ticket.id.';
COMMENT ON COLUMN sla.at_risk.ticket_table IS 'The table the ticket lives in.';
COMMENT ON COLUMN sla.at_risk.key IS 'The ticket''s key in that table, as text.';
COMMENT ON COLUMN sla.at_risk.policy IS 'Name of the policy.';
COMMENT ON COLUMN sla.at_risk.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.at_risk.severity IS 'Severity whose goal the clock has.';
COMMENT ON COLUMN sla.at_risk.severity_label IS 'What the policy version calls that severity; NULL: it has no name for it.';
COMMENT ON COLUMN sla.at_risk.metric IS 'What is promised.';
COMMENT ON COLUMN sla.at_risk.cycle IS 'Counts the clocks of one metric of one ticket, from 1.';
COMMENT ON COLUMN sla.at_risk.status IS 'running, or paused: stands still, and is not due until it goes on.';
COMMENT ON COLUMN sla.at_risk.started_at IS 'When the promise began to run.';
COMMENT ON COLUMN sla.at_risk.due_at IS 'When the promise ends; infinity: not while it stands still.';
COMMENT ON COLUMN sla.at_risk.paused_at IS 'Since when it stands still; NULL: it does not.';
COMMENT ON COLUMN sla.at_risk.pinned IS 'The due time was set by hand, whatever goal and pauses say.';
COMMENT ON COLUMN sla.at_risk.goal IS 'Working time promised.';
COMMENT ON COLUMN sla.at_risk.worked IS 'Working time used up so far, without pauses.';
COMMENT ON COLUMN sla.at_risk.remaining IS 'Working time left.';
COMMENT ON COLUMN sla.at_risk.used IS 'Share of the goal that is used up, up to 1. See sla.clock_status.used.';
COMMENT ON COLUMN sla.at_risk.account IS 'Account of the customer; NULL when the row does not say, like all that follow.';
COMMENT ON COLUMN sla.at_risk.service IS 'Service the ticket is about.';
COMMENT ON COLUMN sla.at_risk.product IS 'Product the ticket is about.';
COMMENT ON COLUMN sla.at_risk.channel IS 'Channel it came by.';
COMMENT ON COLUMN sla.at_risk.team IS 'Team that works on it.';
COMMENT ON COLUMN sla.at_risk.assignee IS 'Who works on it.';
COMMENT ON COLUMN sla.at_risk.labels IS 'Further columns of the ticket: an object of column name to text.';
