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

-- In order of time; the order of the file decides where counters do not. Updates
-- said to be from before the incident was opened are taken to be from then. The
-- state says whether the incident is resolved: resolved_at is the last
-- resolution's in all rows of an incident, also in those before it.
CREATE TABLE log AS
SELECT row_number() OVER (ORDER BY updated_at, number, mod_count, line) AS step, *
FROM (
	SELECT number,
		priority,
		incident_state AS state,
		incident_state IN ('Resolved', 'Closed') AS done,
		incident_state LIKE 'Awaiting%' AS waits,
		sys_mod_count::int AS mod_count,
		row_number() OVER (ORDER BY ctid) AS line,
		opened_at::timestamp AT TIME ZONE :'zone' AS opened_at,
		greatest(sys_updated_at::timestamp, opened_at::timestamp) AT TIME ZONE :'zone' AS updated_at,
		nullif(resolved_at, '?')::timestamp AT TIME ZONE :'zone' AS resolved_at,
		nullif(assigned_to, '?') AS assigned_to,
		nullif(assignment_group, '?') AS assignment_group
	FROM incident_log) parsed;

-- What the incident's row said at each step. The first update in another state
-- than New is the response; one that ends the wait for the caller is the
-- caller's; all others while the incident is worked on are news. When it was
-- resolved is what the log says, unless that lay in the future still, as it does
-- for all resolutions but the last; then the row does not say.
CREATE TABLE image AS
SELECT step, number, priority, state, done, waits, opened_at, updated_at,
	min(updated_at) FILTER (WHERE kind <> 'new') OVER before AS responded_at,
	max(updated_at) FILTER (WHERE kind = 'news') OVER before AS news_at,
	max(updated_at) FILTER (WHERE kind = 'caller') OVER before AS caller_at,
	CASE WHEN done AND resolved_at <= updated_at THEN resolved_at END AS resolved_at,
	assigned_to, assignment_group,
	step = min(step) OVER (PARTITION BY number) AS first,
	step = max(step) OVER (PARTITION BY number) AS last
FROM (
	SELECT *, CASE
		WHEN state = 'New' THEN 'new'
		WHEN done THEN 'done'
		WHEN lag(state) OVER (PARTITION BY number ORDER BY step) = 'Awaiting User Info'
			AND state <> 'Awaiting User Info' THEN 'caller'
		ELSE 'news' END AS kind
	FROM log) told
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
	('1 - Critical', 'S1', 'reply', '15min', 'always'),
	('1 - Critical', 'S1', 'update', '1h', 'always'),
	('1 - Critical', 'S1', 'resolution', '4h', 'always'),
	('2 - High', 'S2', 'response', '1h', 'extended'),
	('2 - High', 'S2', 'reply', '1h', 'extended'),
	('2 - High', 'S2', 'update', '4h', 'extended'),
	('2 - High', 'S2', 'resolution', '13h', 'extended'),
	('3 - Moderate', 'S3', 'response', '4h', 'office'),
	('3 - Moderate', 'S3', 'reply', '4h', 'office'),
	('3 - Moderate', 'S3', 'update', '2bd', 'office'),
	('3 - Moderate', 'S3', 'resolution', '40h', 'office'),
	('4 - Low', 'S4', 'response', '9h 30min', 'desk'),
	('4 - Low', 'S4', 'reply', '1bd', 'desk'),
	('4 - Low', 'S4', 'update', '5bd', 'desk'),
	('4 - Low', 'S4', 'resolution', '10bd', 'desk');

-- The same promises twice: what a reopened incident does differs.
CREATE TABLE rule (reopening text PRIMARY KEY, ticket_table text);
INSERT INTO rule VALUES ('continue', 'incident'), ('restart', 'incident_again');

SELECT sla.load_policy(jsonb_build_object(
	'policy', ticket_table,
	'time_zone', 'Europe/Amsterdam',
	'severity_change', 'from_start',
	'reopening', reopening,
	'calendars', (SELECT jsonb_object_agg(name, jsonb_strip_nulls(
		jsonb_build_object('hours', hours::text, 'holidays', holidays))) FROM calendar),
	'targets', (SELECT jsonb_agg(jsonb_build_object('severity', severity::text,
		'metric', metric, 'goal', goal::text, 'calendar', calendar)) FROM promise)))
FROM rule
\g /dev/null

UPDATE calendar SET hours = sla.with_holidays(hours, holidays) WHERE holidays IS NOT NULL;

-- ---------------------------------------------------------------------------
-- The replay
-- ---------------------------------------------------------------------------

CREATE TABLE incident (
	number				text PRIMARY KEY,
	priority			text NOT NULL,
	state				text NOT NULL,
	opened_at			timestamptz NOT NULL,
	updated_at			timestamptz NOT NULL,
	responded_at		timestamptz,
	news_at				timestamptz,
	caller_at			timestamptz,
	resolved_at			timestamptz,
	assigned_to			text,
	assignment_group	text
);
CREATE TABLE incident_again (LIKE incident INCLUDING ALL);
SELECT sla.attach(ticket_table::regclass, ticket_table,
	severity => 'priority', received_at => 'opened_at',
	responded_at => 'responded_at', last_update_at => 'news_at',
	customer_reply_at => 'caller_at', resolved_at => 'resolved_at',
	changed_at => 'updated_at', status => 'state',
	paused_when => (SELECT array_agg(DISTINCT state) FROM log WHERE waits),
	resolved_when => '{Resolved,Closed}',
	assignee => 'assigned_to', labels => '{assignment_group}',
	severity_map => (SELECT jsonb_object_agg(priority, severity::text) FROM promise))
FROM rule
\g /dev/null

-- Each row in a transaction of its own, as an application would
CREATE PROCEDURE replay() LANGUAGE plpgsql AS $$
DECLARE
	row image;
	ticket_table text;
BEGIN
	FOR row IN SELECT * FROM image ORDER BY step LOOP
		FOR ticket_table IN SELECT r.ticket_table FROM rule r LOOP
			IF row.first THEN
				EXECUTE format('INSERT INTO %I VALUES (($1).number, ($1).priority, ($1).state, ($1).opened_at,'
					' ($1).updated_at, ($1).responded_at, ($1).news_at, ($1).caller_at, ($1).resolved_at,'
					' ($1).assigned_to, ($1).assignment_group)', ticket_table) USING row;
			ELSE
				EXECUTE format('UPDATE %I SET priority = ($1).priority, state = ($1).state,'
					' opened_at = ($1).opened_at, updated_at = ($1).updated_at,'
					' responded_at = ($1).responded_at, news_at = ($1).news_at,'
					' caller_at = ($1).caller_at, resolved_at = ($1).resolved_at,'
					' assigned_to = ($1).assigned_to, assignment_group = ($1).assignment_group'
					' WHERE number = ($1).number', ticket_table) USING row;
			END IF;
		END LOOP;
		COMMIT;
	END LOOP;
END
$$;

SET synchronous_commit = off;
SELECT clock_timestamp() AS began \gset
CALL replay();
SELECT format('replayed %s rows of %s incidents, under %s rules, in %s s', count(*), count(DISTINCT number),
	(SELECT count(*) FROM rule), round(extract(epoch FROM clock_timestamp() - :'began')::numeric, 1)) AS line FROM log \gset
\qecho :line

\ir replay_incidents_answer.sql
\ir replay_incidents_compare.sql
