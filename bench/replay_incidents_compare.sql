-- Ledger, stamped columns and reports beside the answer, for
-- bench/replay_incidents.sql. The last line is `agree` or `differ`.

CREATE TABLE compared AS
WITH ledger AS (
	SELECT r.reopening, t.key AS number, c.metric, c.cycle, c.severity, c.started_at, c.due_at, c.stopped_at, c.worked,
		coalesce(c.stopped_at, now()) > c.due_at AS breached
	FROM rule r
		JOIN sla.attachment a ON a.ticket_table::regclass = r.ticket_table::regclass
		JOIN sla.ticket t ON t.attachment_id = a.id
		JOIN sla.clock c ON c.ticket_id = t.id
)
SELECT reopening, number, metric, cycle,
	l.severity AS ledger_severity, a.severity AS log_severity,
	l.started_at AS ledger_started, a.started AS log_started,
	l.due_at AS ledger_due, a.due AS log_due,
	l.stopped_at AS ledger_stopped, a.stopped AS log_stopped,
	l.worked AS ledger_worked, a.worked AS log_worked,
	l.breached AS ledger_breached, a.breached AS log_breached,
	(l.severity, l.started_at, l.due_at, l.stopped_at, l.worked, l.breached)
		IS DISTINCT FROM (a.severity, a.started, a.due, a.stopped, a.worked, a.breached) AS differs
FROM ledger l FULL JOIN answer a USING (reopening, number, metric, cycle);

-- Rows show the due time of each metric's last clock, none while it stands still or if it stopped then.
CREATE TABLE row_compared AS
SELECT reopening, number, metric, d.due AS row_due, a.due AS log_due,
	d.due IS DISTINCT FROM CASE WHEN isfinite(a.due) THEN a.due END AS differs
FROM (SELECT 'continue' AS reopening, * FROM incident UNION ALL SELECT 'restart', * FROM incident_again) i
	CROSS JOIN LATERAL (VALUES ('response', sla_response_due), ('reply', sla_reply_due),
		('update', sla_update_due), ('resolution', sla_resolution_due)) d (metric, due)
	LEFT JOIN (SELECT DISTINCT ON (reopening, number, metric) reopening, number, metric, due, stopped
		FROM answer ORDER BY reopening, number, metric, cycle DESC) a USING (reopening, number, metric);

-- What the ledger carries along
CREATE TABLE label_compared AS
SELECT r.reopening, number,
	(t.assignee, t.labels ->> 'assignment_group', t.state) IS DISTINCT FROM (i.assigned_to, i.assignment_group,
		CASE WHEN done THEN 'resolved' WHEN waits THEN 'paused' ELSE 'open' END) AS differs
FROM rule r
	CROSS JOIN image i
	LEFT JOIN sla.attachment a ON a.ticket_table::regclass = r.ticket_table::regclass
	LEFT JOIN sla.ticket t ON t.attachment_id = a.id AND t.key = i.number
WHERE i.last;

SELECT 'recorded: ' || string_agg(kind || ' ' || n, ', ' ORDER BY n DESC, kind) AS line
FROM (SELECT kind, count(*) AS n FROM sla.event GROUP BY kind) e \gset
\qecho :line

CREATE TABLE summary AS
SELECT reopening, c.metric, count(*) AS clocks,
	count(*) FILTER (WHERE ledger_breached) AS ledger_breached,
	v.breached AS reported,
	count(*) FILTER (WHERE log_breached) AS log_breached,
	count(*) FILTER (WHERE differs) AS differing,
	(SELECT count(*) FILTER (WHERE differs) FROM row_compared r WHERE (r.reopening, r.metric) = (c.reopening, c.metric)) AS differing_rows
FROM compared c
	JOIN rule USING (reopening)
	LEFT JOIN (SELECT policy, metric, sum(breached) AS breached FROM sla.compliance_by_month GROUP BY policy, metric) v
		ON (v.policy, v.metric) = (ticket_table, c.metric)
GROUP BY reopening, c.metric, v.breached;

\pset footer off
SELECT reopening, metric, clocks, ledger_breached AS "breached: ledger", reported AS "compliance_by_month",
	log_breached AS "log alone", differing AS "differing clocks", differing_rows AS "differing rows"
FROM summary
ORDER BY reopening, metric DESC;

SELECT count(*) AS "decided by working time alone",
	count(*) FILTER (WHERE breached) AS breached,
	count(*) FILTER (WHERE contradicted) AS contradicted
FROM verdict;

SELECT count(*) FILTER (WHERE differs) > 0 AS any_differs FROM compared \gset
\if :any_differs
\pset expanded on
SELECT * FROM compared WHERE differs ORDER BY number, reopening, metric, cycle LIMIT 20;
\endif
SELECT count(*) FILTER (WHERE differs) > 0 AS any_differs FROM row_compared \gset
\if :any_differs
\pset expanded on
SELECT * FROM row_compared WHERE differs ORDER BY number, reopening, metric LIMIT 20;
\endif
SELECT count(*) FILTER (WHERE differs) > 0 AS any_differs FROM label_compared \gset
\if :any_differs
\pset expanded on
SELECT 'labels or state differ' AS what, * FROM label_compared WHERE differs ORDER BY number, reopening LIMIT 20;
\endif

\pset expanded off
\pset format unaligned
\pset tuples_only on
SELECT CASE WHEN count(*) = 0
		OR bool_or(differing > 0 OR differing_rows > 0 OR reported IS DISTINCT FROM log_breached)
		OR EXISTS (SELECT FROM label_compared WHERE differs)
		OR EXISTS (SELECT FROM verdict WHERE contradicted)
	THEN 'differ' ELSE 'agree' END
FROM summary;
