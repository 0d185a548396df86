-- What nobody has taken care of.

CREATE VIEW sla.open_alert AS
SELECT l.id AS alert_id,
    l.kind,
    l.threshold,
    l.due_at,
    l.flagged_at,
    l.clock_id,
    l.ticket_id,
    a.ticket_table,
    t.key,
    c.metric,
    c.severity,
    c.stopped_at,
    t.account,
    t.team,
    t.assignee
FROM sla.alert l
    LEFT JOIN sla.clock c ON c.id = l.clock_id
    LEFT JOIN sla.ticket t ON t.id = l.ticket_id
    LEFT JOIN sla.attachment a ON a.id = t.attachment_id
WHERE l.kind <> 'withdrawal'
    AND NOT EXISTS (
        SELECT FROM sla.alert w
        WHERE w.kind = 'withdrawal' AND w.clock_id = l.clock_id AND w.aim = l.aim AND w.threshold = l.threshold)
    AND NOT EXISTS (SELECT FROM sla.acknowledgement k WHERE k.alert_id = l.id);

COMMENT ON VIEW sla.open_alert IS 'Alerts that were neither withdrawn nor acknowledged, whether their clock still runs or not.';
COMMENT ON COLUMN sla.open_alert.alert_id IS 'sla.alert.id, for sla.acknowledge.';
COMMENT ON COLUMN sla.open_alert.kind IS 'breach or warning.';
COMMENT ON COLUMN sla.open_alert.threshold IS 'Which threshold was reached; 1 is the breach. See sla.alert.threshold.';
COMMENT ON COLUMN sla.open_alert.due_at IS 'When the threshold was reached.';
COMMENT ON COLUMN sla.open_alert.flagged_at IS 'When it was flagged.';
COMMENT ON COLUMN sla.open_alert.clock_id IS 'sla.clock.id.';
COMMENT ON COLUMN sla.open_alert.ticket_id IS 'sla.ticket.id.';
COMMENT ON COLUMN sla.open_alert.ticket_table IS 'The table the ticket lives in.';
COMMENT ON COLUMN sla.open_alert.key IS 'The ticket''s key in that table, as text.';
COMMENT ON COLUMN sla.open_alert.metric IS 'What is promised.';
COMMENT ON COLUMN sla.open_alert.severity IS 'Severity whose goal the clock has now.';
COMMENT ON COLUMN sla.open_alert.stopped_at IS 'When the promise was fulfilled or fell away; NULL: not yet.';
COMMENT ON COLUMN sla.open_alert.account IS 'Account of the customer; NULL when the row does not say, like the next two.';
COMMENT ON COLUMN sla.open_alert.team IS 'Team that works on the ticket.';
COMMENT ON COLUMN sla.open_alert.assignee IS 'Who works on it.';
