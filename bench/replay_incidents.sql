-- The replay of bench/replay_incidents, with the log as standard input. psql
-- variable: zone.
--
-- What an application would have written is worked out from the log, row by
-- row; these rows go into an attached table in order of time. What the ledger
-- then says is compared with an answer that never looks at it.

SET datestyle = 'ISO, DMY';
SET timezone = 'UTC';
SET search_path = public, sla;		-- sla for the operators

-- ---------------------------------------------------------------------------
-- The log
-- ---------------------------------------------------------------------------

CREATE TABLE incident_log (
	number text, incident_state text, active text, reassignment_count text,
	reopen_count text, sys_mod_count text, made_sla text, caller_id text,
	opened_by text, opened_at text, sys_created_by text, sys_created_at text,
	sys_updated_by text, sys_updated_at text, contact_type text,
	location text, category text, subcategory text, u_symptom text,
	cmdb_ci text, impact text, urgency text, priority text,
	assignment_group text, assigned_to text, knowledge text,
	u_priority_confirmation text, notify text, problem_id text, rfc text,
	vendor text, caused_by text, closed_code text, resolved_by text,
	resolved_at text, closed_at text
);
\copy incident_log FROM pstdin WITH (FORMAT csv, HEADER match)

-- In order of time; the order of the file decides where counters do not. The
-- state says whether the incident is resolved: resolved_at is the last
-- resolution's in all rows of an incident, also in those before it.
CREATE TABLE log AS
SELECT row_number() OVER (ORDER BY updated_at, number, mod_count, line) AS step, *
FROM (
	SELECT number,
		priority,
		incident_state AS state,
		incident_state IN ('Resolved', 'Closed') AS done,
		sys_mod_count::int AS mod_count,
		row_number() OVER (ORDER BY ctid) AS line,
		opened_at::timestamp AT TIME ZONE :'zone' AS opened_at,
		sys_updated_at::timestamp AT TIME ZONE :'zone' AS updated_at,
		nullif(resolved_at, '?')::timestamp AT TIME ZONE :'zone' AS resolved_at
	FROM incident_log) parsed;

-- What the incident's row said at each step. A resolution lasts over
-- consecutive rows; when it happened is what the log says, unless that lay in
-- the future still, as it does for all resolutions but the last.
CREATE TABLE image AS
SELECT step, number, priority, state, opened_at, updated_at,
	min(updated_at) FILTER (WHERE state <> 'New') OVER before AS responded_at,
	CASE
		WHEN NOT done THEN NULL
		WHEN resolved_at <= updated_at THEN resolved_at
		ELSE min(updated_at) FILTER (WHERE done)
			OVER (PARTITION BY number, reopenings ORDER BY step)
	END AS resolved_at,
	step = min(step) OVER (PARTITION BY number) AS first
FROM (
	SELECT *, count(*) FILTER (WHERE NOT done)
		OVER (PARTITION BY number ORDER BY step) AS reopenings
	FROM log) runs
WINDOW before AS (PARTITION BY number ORDER BY step);
ALTER TABLE image ADD PRIMARY KEY (step);

-- ---------------------------------------------------------------------------
-- The promises
-- ---------------------------------------------------------------------------

CREATE TABLE calendar (name text PRIMARY KEY, hours sla.business_hours, holidays date[]);
INSERT INTO calendar VALUES
	('always', '24/7', NULL),
	('extended', 'Europe/Amsterdam Mo-Sa 07:00-20:00', NULL),
	('office', 'Europe/Amsterdam Mo-Fr 08:00-18:00; 2016-12-24 08:00-12:00',
		'{2016-03-25,2016-03-28,2016-04-27,2016-05-05,2016-05-16,2016-12-25,2016-12-26}'),
	('desk', 'Europe/Amsterdam Mo-Th 09:00-12:30,13:30-17:00; Fr 09:00-12:30',
		'{2016-03-25,2016-03-28,2016-04-27,2016-05-05,2016-05-16,2016-12-25,2016-12-26}');

CREATE TABLE promise (priority text, severity sla.severity, metric text, goal sla.business_interval, calendar text);
INSERT INTO promise VALUES
	('1 - Critical', 'S1', 'response', '15min', 'always'),
	('1 - Critical', 'S1', 'resolution', '4h', 'always'),
	('2 - High', 'S2', 'response', '1h', 'extended'),
	('2 - High', 'S2', 'resolution', '13h', 'extended'),
	('3 - Moderate', 'S3', 'response', '4h', 'office'),
	('3 - Moderate', 'S3', 'resolution', '40h', 'office'),
	('4 - Low', 'S4', 'response', '9h 30min', 'desk'),
	('4 - Low', 'S4', 'resolution', '10bd', 'desk');

SELECT sla.load_policy(jsonb_build_object(
	'policy', 'incidents',
	'time_zone', 'Europe/Amsterdam',
	'calendars', (SELECT jsonb_object_agg(name, jsonb_strip_nulls(
		jsonb_build_object('hours', hours::text, 'holidays', holidays))) FROM calendar),
	'targets', (SELECT jsonb_agg(jsonb_build_object('severity', severity::text,
		'metric', metric, 'goal', goal::text, 'calendar', calendar)) FROM promise)))
\g /dev/null

UPDATE calendar SET hours = sla.with_holidays(hours, holidays) WHERE holidays IS NOT NULL;

-- ---------------------------------------------------------------------------
-- The replay
-- ---------------------------------------------------------------------------

CREATE TABLE incident (
	number			text PRIMARY KEY,
	priority		text NOT NULL,
	state			text NOT NULL,
	opened_at		timestamptz NOT NULL,
	updated_at		timestamptz NOT NULL,
	responded_at	timestamptz,
	resolved_at		timestamptz
);
SELECT sla.attach('incident', 'incidents',
	severity => 'priority', received_at => 'opened_at',
	responded_at => 'responded_at', resolved_at => 'resolved_at',
	changed_at => 'updated_at',
	severity_map => (SELECT jsonb_object_agg(priority, severity::text) FROM promise))
\g /dev/null

-- Each row in a transaction of its own, as an application would
CREATE PROCEDURE replay() LANGUAGE plpgsql AS $$
DECLARE
	row image;
BEGIN
	FOR row IN SELECT * FROM image ORDER BY step LOOP
		IF row.first THEN
			INSERT INTO incident (number, priority, state, opened_at, updated_at, responded_at, resolved_at)
			VALUES (row.number, row.priority, row.state, row.opened_at, row.updated_at, row.responded_at, row.resolved_at);
		ELSE
			UPDATE incident SET priority = row.priority, state = row.state, opened_at = row.opened_at,
				updated_at = row.updated_at, responded_at = row.responded_at, resolved_at = row.resolved_at
			WHERE number = row.number;
		END IF;
		COMMIT;
	END LOOP;
END
$$;

SET synchronous_commit = off;
SELECT clock_timestamp() AS began \gset
CALL replay();
SELECT format('replayed %s rows of %s incidents in %s s', count(*), count(DISTINCT number),
	round(extract(epoch FROM clock_timestamp() - :'began')::numeric, 1)) AS line FROM log \gset
\qecho :line

-- ---------------------------------------------------------------------------
-- The answer from the log alone
-- ---------------------------------------------------------------------------

-- What happened, by what the rows said last; at one instant, in the order in
-- which rows came to say so. Some logs have updates from before the incident was
-- opened: its priority cannot have changed by then, and what had been done by
-- then was done from the start.
CREATE TABLE fact AS
WITH change AS (
	SELECT *, resolved_at IS NOT NULL AS done,
		lag(resolved_at) OVER w AS was_resolved_at,
		lag(priority) OVER w AS was_priority
	FROM image
	WINDOW w AS (PARTITION BY number ORDER BY step)
), run AS (
	SELECT *, count(*) FILTER (WHERE NOT done) OVER (PARTITION BY number ORDER BY step) AS run
	FROM change
), resolution AS (
	-- the last word on each resolution
	SELECT DISTINCT ON (number, run) number, run, step, resolved_at
	FROM run
	WHERE done AND resolved_at IS DISTINCT FROM was_resolved_at
	ORDER BY number, run, step DESC
), reopening AS (
	SELECT r.number, r.step, r.run, greatest(r.updated_at, p.resolved_at) AS reopened_at
	FROM run r
		CROSS JOIN LATERAL (
			SELECT resolved_at FROM resolution
			WHERE number = r.number AND run < r.run
			ORDER BY run DESC LIMIT 1) p
	WHERE NOT r.done AND r.was_resolved_at IS NOT NULL
), happened AS (
	SELECT number, step, 1 AS rank, 'opened' AS kind, opened_at AS at, priority
	FROM change WHERE first
	UNION ALL
	SELECT number, step, 2, 'priority', greatest(updated_at, opened_at), priority
	FROM change WHERE priority <> was_priority
	UNION ALL
	SELECT number, min(step), 3, 'responded', responded_at, NULL
	FROM change WHERE responded_at IS NOT NULL GROUP BY number, responded_at
	UNION ALL
	SELECT number, step, 4, 'resolved', resolved_at, NULL FROM resolution
	UNION ALL
	-- an incident said to have been resolved before its reopening was noticed
	-- was reopened no later than that
	SELECT o.number, CASE WHEN n.resolved_at < o.reopened_at THEN n.step ELSE o.step END, 4,
		'reopened', least(o.reopened_at, n.resolved_at), NULL
	FROM reopening o
		LEFT JOIN LATERAL (
			SELECT step, resolved_at FROM resolution
			WHERE number = o.number AND run >= o.run
			ORDER BY run LIMIT 1) n ON true
)
SELECT number, kind, priority, greatest(at, opened) AS at,
	row_number() OVER (PARTITION BY number
		ORDER BY kind <> 'opened', at, step, rank, kind) AS nth
FROM happened
	JOIN (SELECT number, min(opened_at) AS opened FROM log GROUP BY number) o USING (number);
ALTER TABLE fact ADD PRIMARY KEY (number, nth);

CREATE FUNCTION due(metric text, priority text, opened timestamptz, gaps tstzmultirange)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT sla.deadline(opened, p.goal, c.hours, gaps)
	FROM promise p JOIN calendar c ON c.name = p.calendar
	WHERE p.metric = $1 AND p.priority = $2
$$;

-- One step for each fact: priority is the incident's, aimed the one that the
-- due time is for.
CREATE TABLE answer AS
WITH RECURSIVE clock AS (
	SELECT number, metric, nth, at AS opened, priority, priority AS aimed,
		due(metric, priority, at, '{}') AS due, NULL::timestamptz AS stopped,
		false AS responded, '{}'::tstzmultirange AS gaps
	FROM fact, (VALUES ('response'), ('resolution')) m (metric)
	WHERE nth = 1
	UNION ALL
	SELECT c.number, c.metric, f.nth, c.opened, said.priority,
		CASE WHEN aim.anew THEN said.priority ELSE c.aimed END,
		CASE WHEN aim.anew
			THEN greatest(f.at, due(c.metric, said.priority, c.opened, went_on.gaps))
			ELSE went_on.due END,
		CASE WHEN c.stopped IS NOT NULL AND NOT said.resumes THEN c.stopped
			WHEN f.kind = 'resolved' OR said.responded THEN f.at END,
		said.responded, went_on.gaps
	FROM clock c
		JOIN fact f ON f.number = c.number AND f.nth = c.nth + 1
		CROSS JOIN LATERAL (
			SELECT coalesce(f.priority, c.priority) AS priority,
				c.responded OR (f.kind = 'responded' AND c.metric = 'response') AS responded,
				f.kind = 'reopened' AND c.stopped IS NOT NULL AND NOT c.responded AS resumes
		) said
		CROSS JOIN LATERAL (
			SELECT CASE WHEN said.resumes
				THEN c.gaps + tstzmultirange(tstzrange(c.stopped, greatest(c.stopped, f.at)))
				ELSE c.gaps END AS gaps
		) stood_still
		CROSS JOIN LATERAL (
			-- what was late before it stood still stays late
			SELECT stood_still.gaps, CASE WHEN said.resumes AND c.stopped <= c.due
				THEN greatest(c.due, due(c.metric, c.aimed, c.opened, stood_still.gaps))
				ELSE c.due END AS due
		) went_on
		CROSS JOIN LATERAL (
			SELECT said.priority <> c.aimed AND f.kind IN ('priority', 'reopened')
				AND (c.stopped IS NULL OR said.resumes) AND f.at <= went_on.due AS anew
		) aim
)
SELECT DISTINCT ON (c.number, c.metric) c.number, c.metric, p.severity, c.opened,
	c.due, c.stopped, coalesce(c.stopped, now()) > c.due AS breached, c.gaps, p.goal, h.hours
FROM clock c
	JOIN promise p ON p.metric = c.metric AND p.priority = c.aimed
	JOIN calendar h ON h.name = p.calendar
ORDER BY c.number, c.metric, c.nth DESC;

-- The verdict once more from working time alone, where nothing else decides:
-- goals in hours, one priority throughout. Who used exactly the goal may have
-- stopped at the due time or after hours.
CREATE TABLE verdict AS
SELECT number, metric, breached, CASE WHEN breached THEN work < span ELSE work > span END AS contradicted
FROM answer
	CROSS JOIN LATERAL (
		SELECT sla.business_between(opened, coalesce(stopped, now()), hours) - coalesce(
				(SELECT sum(sla.business_between(lower(g), upper(g), hours)) FROM unnest(gaps) g), '0') AS work,
			CASE WHEN goal::text !~ 'bd' THEN goal::interval END AS span
	) used
WHERE span IS NOT NULL
	AND NOT EXISTS (SELECT FROM fact f WHERE f.number = answer.number AND f.kind = 'priority');

-- ---------------------------------------------------------------------------
-- The comparison
-- ---------------------------------------------------------------------------

CREATE TABLE compared AS
WITH ledger AS (
	SELECT key AS number, metric, severity, due_at, stopped_at, status = 'breached' AS breached
	FROM sla.clock_status
	WHERE ticket_table = 'incident'::regclass
), stamped AS (
	SELECT number, metric, due
	FROM incident, LATERAL (VALUES
		('response', sla_response_due), ('resolution', sla_resolution_due)) d (metric, due)
)
SELECT number, metric,
	l.severity AS ledger_severity, a.severity AS log_severity,
	l.due_at AS ledger_due, s.due AS row_due, a.due AS log_due,
	l.stopped_at AS ledger_stopped, a.stopped AS log_stopped,
	l.breached AS ledger_breached, a.breached AS log_breached,
	(l.severity, l.due_at, s.due, l.stopped_at, l.breached)
		IS DISTINCT FROM (a.severity, a.due, a.due, a.stopped, a.breached) AS differs
FROM ledger l
	FULL JOIN answer a USING (number, metric)
	FULL JOIN stamped s USING (number, metric);

SELECT 'recorded: ' || string_agg(kind || ' ' || n, ', ' ORDER BY n DESC, kind) AS line
FROM (SELECT kind, count(*) AS n FROM sla.event GROUP BY kind) e \gset
\qecho :line

\pset footer off
SELECT metric, count(*) AS clocks,
	count(*) FILTER (WHERE ledger_breached) AS "breached: ledger",
	v.breached AS "compliance_by_month",
	count(*) FILTER (WHERE log_breached) AS "log alone",
	count(*) FILTER (WHERE differs) AS "differing clocks"
FROM compared
	LEFT JOIN (SELECT metric, sum(breached) AS breached FROM sla.compliance_by_month
		WHERE policy = 'incidents' GROUP BY metric) v USING (metric)
GROUP BY metric, v.breached
ORDER BY metric DESC;

SELECT count(*) AS "decided by working time alone",
	count(*) FILTER (WHERE breached) AS breached,
	count(*) FILTER (WHERE contradicted) AS contradicted
FROM verdict;

SELECT count(*) FILTER (WHERE differs) > 0 AS any_differs FROM compared \gset
\if :any_differs
\pset expanded on
SELECT * FROM compared WHERE differs ORDER BY number, metric LIMIT 20;
\endif

\pset expanded off
\pset format unaligned
\pset tuples_only on
SELECT CASE WHEN bool_or(differs) OR count(*) = 0
		OR count(*) FILTER (WHERE log_breached) IS DISTINCT FROM
			(SELECT sum(breached) FROM sla.compliance_by_month WHERE policy = 'incidents')
		OR EXISTS (SELECT FROM verdict WHERE contradicted)
	THEN 'differ' ELSE 'agree' END
FROM compared;
