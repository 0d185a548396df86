-- What the extension does, shown in an empty database of a server that has
-- slapolicy among its shared_preload_libraries:
--
--   psql -X -q -v ON_ERROR_STOP=1 -f script/demo.sql
--
-- Every figure is checked; the script fails when one is wrong.

\set ON_ERROR_STOP on
\pset footer off
\pset null '-'
SET timezone = 'Europe/Berlin';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';

-- Nothing below but the checks uses these.
CREATE FUNCTION pg_temp.expect(what text, ok boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF ok IS NOT TRUE THEN
		RAISE EXCEPTION 'demo: not as expected: %', what;
	END IF;
END $$;
CREATE PROCEDURE pg_temp.wait_for(what text, query text, bound interval) LANGUAGE plpgsql AS $$
DECLARE
	give_up constant timestamptz := clock_timestamp() + bound;
	done boolean;
BEGIN
	LOOP
		EXECUTE query INTO done;
		EXIT WHEN done;
		IF clock_timestamp() > give_up THEN
			RAISE EXCEPTION 'demo: waited % in vain for: %', bound, what;
		END IF;
		COMMIT;
		PERFORM pg_sleep(0.005);
	END LOOP;
END $$;


\echo '== A helpdesk: 90 days of tickets in a plain table'
\echo

CREATE TABLE ticket (
	id				bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	subject			text NOT NULL,
	priority		text NOT NULL CHECK (priority IN ('urgent', 'high', 'normal', 'low')),
	created_at		timestamptz NOT NULL DEFAULT now(),
	first_reply_at	timestamptz,
	closed_at		timestamptz
);

-- Hashes, not random(): the same tickets on every machine and version.
CREATE FUNCTION pg_temp.chance(n int, topic text) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
	SELECT ('x' || left(md5(topic || n), 8))::bit(32)::bigint / 4294967296.0::double precision
$$;

WITH arrived AS (
	SELECT n, timestamptz '2026-01-01 00:00' + trunc(90 * 86400 * pg_temp.chance(n, 'arrival')) * interval '1 second' AS at,
		   pg_temp.chance(n, 'priority') AS p
	FROM generate_series(1, 1200) AS n
), replied AS (
	SELECT *, CASE WHEN pg_temp.chance(n, 'silence') > 0.01 THEN
		at + (pg_temp.chance(n, 'reply') ^ 2) * CASE
			WHEN p < 0.05 THEN interval '70 minutes'
			WHEN p < 0.20 THEN interval '200 minutes'
			WHEN p < 0.70 THEN interval '16 hours'
			ELSE interval '60 hours' END
		END AS reply
	FROM arrived
)
INSERT INTO ticket (subject, priority, created_at, first_reply_at, closed_at)
SELECT 'Request ' || row_number() OVER (ORDER BY at),
	   CASE WHEN p < 0.05 THEN 'urgent' WHEN p < 0.20 THEN 'high' WHEN p < 0.70 THEN 'normal' ELSE 'low' END,
	   at, reply,
	   reply + pg_temp.chance(n, 'closing') * interval '5 days'
FROM replied
ORDER BY at;

SELECT priority, count(*) AS tickets, count(first_reply_at) AS answered,
	   min(created_at)::date AS first, max(created_at)::date AS last
FROM ticket
GROUP BY priority
ORDER BY array_position('{urgent,high,normal,low}', priority);


\echo '== Put it under a support policy: the shipped preset "laioutr"'
\echo

CREATE EXTENSION slapolicy;
SET search_path = public, sla;		-- for the operators of its types
SELECT 'version ' || sla.load_policy(sla.preset('laioutr')) AS "sla.load_policy";

SELECT t.severity, t.metric, t.goal, left(c.hours::text, 31) AS "counted in"
FROM sla.target t
	JOIN sla.calendar c ON c.name = t.calendar
ORDER BY t.severity;

SELECT sla.attach('ticket', policy => 'laioutr',
	severity => 'priority', severity_map => '{"urgent": "S1", "high": "S2", "normal": "S3", "low": "S4"}',
	received_at => 'created_at', responded_at => 'first_reply_at', resolved_at => 'closed_at')
	AS "tickets recorded";


\echo '== Received on Friday 2026-03-27 at 16:40 in Berlin, the last hours before a weekend'
\echo '   in which the clocks go forward: until when is a first response due?'
\echo

INSERT INTO ticket (subject, priority, created_at)
VALUES ('Shop is down', 'urgent', '2026-03-27 16:40'),
	   ('Checkout is slow', 'high', '2026-03-27 16:40'),
	   ('Wrong colour', 'normal', '2026-03-27 16:40'),
	   ('Please add a font', 'low', '2026-03-27 16:40');

SELECT c.severity, t.subject, c.goal, to_char(t.sla_response_due, 'Dy YYYY-MM-DD HH24:MI') AS "response due"
FROM ticket t
	JOIN sla.clock_status c ON c.ticket_table = 'ticket'::regclass AND c.key = t.id::text
WHERE t.created_at = '2026-03-27 16:40'
ORDER BY c.severity;

SELECT pg_temp.expect('the four deadlines', array_agg(sla_response_due ORDER BY sla_response_due) =
	'{2026-03-27 17:40+01, 2026-03-27 19:40+01, 2026-03-30 04:40+02, 2026-03-31 16:40+02}')
FROM ticket WHERE created_at = '2026-03-27 16:40' \g /dev/null


\echo '== Why is the third one due on Monday at 04:40?'
\echo

CREATE TEMPORARY VIEW explained AS
SELECT e.*
FROM ticket t
	JOIN sla.target g ON g.severity = 'S3' AND g.metric = 'response'
	JOIN sla.calendar c ON c.name = g.calendar
	CROSS JOIN LATERAL sla.explain_deadline(t.created_at, g.goal, c.hours) e
WHERE t.subject = 'Wrong colour';

SELECT to_char("from", 'Dy HH24:MI') AS "from", to_char("to", 'Dy HH24:MI') AS "to", counted, elapsed, why
FROM explained
ORDER BY explained."from";

SELECT pg_temp.expect('the stretches add up to the goal', sum(counted) = '12 hours' AND max("to") = '2026-03-30 04:40+02'
	AND sum(elapsed) = '59 hours' AND bool_or(why = 'weekend, clock change +01:00'))
FROM explained \g /dev/null


\echo '== Promises broken in the past: the worker has been flagging them meanwhile'
\echo

CALL pg_temp.wait_for('the worker to flag the broken promises of the past',
	$$SELECT NOT EXISTS (SELECT FROM sla.breach WHERE flagged_at IS NULL AND due_at < now())$$, '60 seconds');

SELECT severity, count(*) AS broken, count(flagged_at) AS flagged, count(*) FILTER (WHERE stopped_at IS NULL) AS "still open"
FROM sla.breach
GROUP BY severity
ORDER BY severity;


\echo '== And now: an urgent ticket that nobody answers and that is due in two seconds'
\echo

-- What psql prints goes to a file until \o, for the notification is in it.
\set heard `mktemp`
LISTEN sla_alert;
INSERT INTO ticket (subject, priority, created_at)
VALUES ('Nobody looks at this', 'urgent', clock_timestamp() - interval '60 minutes' + interval '2 seconds')
RETURNING id AS live \gset
\o :heard
CALL pg_temp.wait_for('the worker to flag the ticket', format(
	$$SELECT EXISTS (SELECT FROM sla.breach WHERE ticket_table = 'ticket'::regclass AND key = %L AND flagged_at IS NOT NULL)$$, :live),
	'30 seconds');
-- It notifies after the flag is committed, and then sleeps.
CALL pg_temp.wait_for('the worker to come to rest',
	$$SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'slapolicy worker'
		AND datname = current_database() AND wait_event_type IS DISTINCT FROM 'Extension')$$, '30 seconds');
SELECT clock_timestamp() AS notified_at \gset
\o
UNLISTEN sla_alert;
\set notification `grep -o '"sla_alert" with payload "[0-9]*"' :'heard'; rm -f :'heard'`

SELECT t.subject, to_char(a.due_at, 'HH24:MI:SS.MS') AS due, to_char(a.flagged_at, 'HH24:MI:SS.MS') AS flagged,
	   round(1000 * extract(epoch FROM a.flagged_at - a.due_at), 1) || ' ms' AS "late by",
	   :'notification' AS "psql heard",
	   round(1000 * extract(epoch FROM :'notified_at' - a.due_at), 1) || ' ms' AS "at most after"
FROM ticket t
	JOIN sla.breach b ON b.ticket_table = 'ticket'::regclass AND b.key = t.id::text
	JOIN sla.alert a ON a.clock_id = b.clock_id
WHERE t.id = :live;

SELECT pg_temp.expect('one flag for the live ticket, within a second of its due time', count(*) = 1
	AND min(a.due_at) = min(t.sla_response_due)
	AND bool_and(a.flagged_at > a.due_at AND a.flagged_at < a.due_at + interval '1 second')),
	   pg_temp.expect('a notification with the number of the alert', bool_and(:'notification' = '"sla_alert" with payload "' || a.id || '"'))
FROM ticket t
	JOIN sla.breach b ON b.ticket_table = 'ticket'::regclass AND b.key = t.id::text
	JOIN sla.alert a ON a.clock_id = b.clock_id
WHERE t.id = :live \g /dev/null


\echo '== Compliance by month'
\echo

SELECT to_char(month, 'YYYY-MM') AS month, severity, metric, promises, met, breached, open, met_percent AS "met %",
	   date_trunc('second', worked_median) AS "median", date_trunc('second', worked_p90) AS "nine of ten"
FROM sla.compliance_by_month
ORDER BY month, severity, metric;

-- The same figures, straight from the tickets.
CREATE TEMPORARY VIEW counted AS
SELECT date_trunc('month', t.created_at)::date AS month, m.severity,
	   count(*) AS promises,
	   count(*) FILTER (WHERE sla.business_between(t.created_at, coalesce(t.first_reply_at, now()), c.hours) > g.goal::interval) AS breached
FROM ticket t
	JOIN (VALUES ('urgent', 'S1'::sla.severity), ('high', 'S2'), ('normal', 'S3'), ('low', 'S4')) AS m (priority, severity) USING (priority)
	JOIN sla.target g ON g.severity = m.severity AND g.metric = 'response'
	JOIN sla.calendar c ON c.name = g.calendar
GROUP BY 1, 2;

SELECT pg_temp.expect('compliance as counted by hand', count(*) = 0)
FROM (SELECT month, severity, promises, breached FROM sla.compliance_by_month) AS view
	FULL JOIN counted USING (month, severity, promises, breached)
WHERE view IS NULL OR counted IS NULL \g /dev/null

\echo 'All figures were checked.'
