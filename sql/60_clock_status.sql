-- Views tell facts of time by the clock of the reading transaction: no process
-- has to run for them to be exact. All others are made of this one. What a
-- query does not ask for is not computed, and what is not needed for that is not
-- read: joins that may find nothing are by unique keys.

CREATE VIEW sla.clock_status AS
SELECT c.id AS clock_id,
    t.id AS ticket_id,
    a.ticket_table,
    t.key,
    coalesce(v.policy, e.content ->> 'policy', t.policy, a.policy) AS policy,
    t.policy_version_id,
    coalesce(v.time_zone, 'UTC') AS time_zone,
    coalesce(c.severity, t.severity) AS severity,
    l.label AS severity_label,
    c.metric,
    c.cycle,
    CASE
        WHEN c.due_at IS NULL THEN
            CASE WHEN t.state IN ('cancelled', 'deleted') THEN 'cancelled' ELSE 'uncovered' END
        WHEN c.outcome IS NOT NULL THEN c.outcome
        WHEN c.due_at < now() THEN 'breached'
        WHEN c.due_at = 'infinity' AND c.paused_at IS NOT NULL THEN 'paused'
        ELSE 'running'
    END AS status,
    t.received_at,
    c.started_at,
    c.due_at,
    c.stopped_at,
    c.paused_at,
    c.pinned,
    c.goal,
    CASE
        WHEN c.stopped_at IS NOT NULL THEN c.worked
        -- a reopening may lie ahead, and what is paused until then with it
        WHEN h.value IS NOT NULL THEN coalesce(c.carried, '0')
            + greatest(sla.business_between(b.base, greatest(b.base, least(now(), c.paused_at)), h.value) - c.paused, '0')
    END AS worked,
    CASE WHEN c.outcome IN ('met', 'breached') THEN c.worked END AS took,
    r.remaining,
    CASE
        -- what is left counts from the goal of now, whatever was used of an
        -- earlier one
        WHEN w.whole > '0' AND c.outcome IS DISTINCT FROM 'exempt' AND c.outcome IS DISTINCT FROM 'cancelled' THEN
            trunc(1 - extract(epoch FROM CASE
                    WHEN r.late_by IS NOT NULL THEN - r.late_by
                    WHEN c.stopped_at IS NULL THEN r.remaining
                    WHEN isfinite(c.due_at) THEN sla.business_between(least(c.stopped_at, f.last), least(c.due_at, f.last), h.value)
                    WHEN c.carried IS NULL THEN w.whole - c.worked
                END) / extract(epoch FROM w.whole), 4)
    END AS used,
    r.late_by,
    CASE WHEN c.outcome IS NULL THEN c.warn_at[1] <= now() END AS warned,
    t.exempt,
    t.state AS ticket_state,
    t.account,
    t.service,
    t.product,
    t.channel,
    t.team,
    t.assignee,
    t.labels
FROM sla.ticket t
    JOIN sla.attachment a ON a.id = t.attachment_id
    LEFT JOIN sla.clock c ON c.ticket_id = t.id
    -- in a zone that is not known here nothing can be counted
    LEFT JOIN sla.hours h ON h.id = c.hours_id AND sla.unknown_zone(h.value) IS NULL
    LEFT JOIN sla.policy_version v ON v.id = t.policy_version_id
    LEFT JOIN sla.policy_edition e ON e.policy_version_id = t.policy_version_id AND e.id = t.policy_edition_id
    LEFT JOIN sla.severity_label l ON l.policy_version_id = t.policy_version_id
        AND l.severity OPERATOR(sla.=) coalesce(c.severity, t.severity)
    CROSS JOIN LATERAL (SELECT coalesce(c.counted_from, c.started_at) AS base) b
    -- Later than this is not told apart: one row from end to end of what
    -- timestamps can hold is more than an interval can, and no report must fail
    -- because of one row.
    CROSS JOIN LATERAL (SELECT timestamptz '280000-01-01 00:00:00+00' AS last) f
    CROSS JOIN LATERAL (
        SELECT CASE
                WHEN c.outcome IS NOT NULL THEN NULL
                WHEN isfinite(c.due_at) THEN sla.business_between(least(greatest(b.base, now()), c.due_at), c.due_at, h.value)
                ELSE c.remaining
            END AS remaining,
            CASE
                WHEN coalesce(c.outcome, 'breached') = 'breached' AND coalesce(c.stopped_at, now()) > c.due_at THEN
                    sla.business_between(least(c.due_at, f.last), least(coalesce(c.stopped_at, now()), f.last), h.value)
            END AS late_by
    ) r
    CROSS JOIN LATERAL (
        SELECT CASE WHEN d.due < 'infinity' THEN
                sla.business_between(least(b.base, f.last), least(d.due, f.last), h.value)
            END AS whole
        FROM (SELECT CASE WHEN c.pinned THEN c.due_at ELSE sla.business_add(b.base, c.goal, h.value) END AS due) d
    ) w
WHERE c.id IS NOT NULL OR t.exempt ^@ 'error: ' OR t.exempt ^@ 'uncovered: ';

COMMENT ON VIEW sla.clock_status IS 'One row per clock, as it is now, and one per ticket that no promise covers, because nobody is entitled to one or row or policy lack something. A ticket of a severity to which its policy promises nothing is not here.';
COMMENT ON COLUMN sla.clock_status.clock_id IS 'sla.clock.id; NULL for a ticket that no promise covers.';
COMMENT ON COLUMN sla.clock_status.ticket_id IS 'sla.ticket.id.';
COMMENT ON COLUMN sla.clock_status.ticket_table IS 'The table the ticket lives in.';
COMMENT ON COLUMN sla.clock_status.key IS 'The ticket''s key in that table, as text.';
COMMENT ON COLUMN sla.clock_status.policy IS 'Name of the policy the ticket is under, or was when that was deleted; for a ticket under none, the policy that its row names, or that of its table, NULL if neither names one.';
COMMENT ON COLUMN sla.clock_status.policy_version_id IS 'sla.policy_version.id; NULL for a ticket under no policy.';
COMMENT ON COLUMN sla.clock_status.time_zone IS 'Time zone that reports are made in: the policy version''s, UTC where there is none.';
COMMENT ON COLUMN sla.clock_status.severity IS 'Severity whose goal the clock has; for a ticket that no promise covers its own, NULL when it could not be told.';
COMMENT ON COLUMN sla.clock_status.severity_label IS 'What the policy version calls that severity; NULL: it has no name for it.';
COMMENT ON COLUMN sla.clock_status.metric IS 'What is promised; NULL for a ticket that no promise covers.';
COMMENT ON COLUMN sla.clock_status.cycle IS 'Counts the clocks of one metric of one ticket, from 1.';
COMMENT ON COLUMN sla.clock_status.status IS 'running; paused: stands still, and is not due until it goes on; met: stopped in time; breached: stopped late, or running past its due time; cancelled: the promise fell away; exempt: the ticket is, whatever became of the clock; uncovered: no promise applies, exempt says why. A ticket that no promise covered and that is cancelled or deleted is cancelled.';
COMMENT ON COLUMN sla.clock_status.received_at IS 'When the ticket was received; NULL: its row does not say.';
COMMENT ON COLUMN sla.clock_status.started_at IS 'When the promise began to run.';
COMMENT ON COLUMN sla.clock_status.due_at IS 'When the promise ends; exactly at it is met. infinity: not while it stands still, or never.';
COMMENT ON COLUMN sla.clock_status.stopped_at IS 'When it was fulfilled or fell away; NULL while it runs.';
COMMENT ON COLUMN sla.clock_status.paused_at IS 'Since when it stands still; NULL: it does not. One that was late before, or whose due time is pinned, is not paused by that.';
COMMENT ON COLUMN sla.clock_status.pinned IS 'The due time was set by hand, whatever goal and pauses say.';
COMMENT ON COLUMN sla.clock_status.goal IS 'Working time promised.';
COMMENT ON COLUMN sla.clock_status.worked IS 'Working time used up so far, or until it stopped, without pauses.';
COMMENT ON COLUMN sla.clock_status.took IS 'The same for clocks that have been stopped, in time or late; NULL for all others. What percentiles are made of.';
COMMENT ON COLUMN sla.clock_status.remaining IS 'Working time left until it is due, while it stands still what is left when it goes on; zero when it is late; NULL when it has stopped, is exempt or is never due.';
COMMENT ON COLUMN sla.clock_status.used IS 'Share of the goal that is used up, or was when it stopped: 1 when it is due, more when it is late, cut off after four decimals. After a change of severity, of the goal there is since. Of a pinned clock, the share of the working time until its due time. NULL when it cannot be told, the promise fell away, or the ticket is exempt.';
COMMENT ON COLUMN sla.clock_status.late_by IS 'Working time from the due time until it stopped, or until now, pauses in it included; NULL when it is not late. Zero for a clock that ran out and stopped within one closed stretch.';
COMMENT ON COLUMN sla.clock_status.warned IS 'Whether an alert threshold of its target is reached, the breach aside; NULL: it has none, or has stopped.';
COMMENT ON COLUMN sla.clock_status.exempt IS 'Why the ticket has no promises, or has lost them; NULL otherwise. See sla.ticket.exempt.';
COMMENT ON COLUMN sla.clock_status.ticket_state IS 'open, paused, resolved, cancelled or deleted.';
COMMENT ON COLUMN sla.clock_status.account IS 'Account of the customer; NULL when the row does not say, like all that follow.';
COMMENT ON COLUMN sla.clock_status.service IS 'Service the ticket is about.';
COMMENT ON COLUMN sla.clock_status.product IS 'Product the ticket is about.';
COMMENT ON COLUMN sla.clock_status.channel IS 'Channel it came by.';
COMMENT ON COLUMN sla.clock_status.team IS 'Team that works on it.';
COMMENT ON COLUMN sla.clock_status.assignee IS 'Who works on it.';
COMMENT ON COLUMN sla.clock_status.labels IS 'Further columns of the ticket: an object of column name to text.';
