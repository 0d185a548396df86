-- The views, with figures counted by hand.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(22);

-- Reports in a zone two hours ahead of UTC all year round.
SELECT sla.load_policy('{"policy": "acme", "time_zone": "Africa/Maputo",
	"calendars": {"always": {"hours": "24/7"}, "day": {"hours": "UTC Mo-Su 09:00-17:00"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "day"},
		{"severity": "S2", "metric": "resolution", "goal": "8h", "calendar": "day"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz, replied timestamptz, done timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done', response_due => NULL, resolution_due => NULL);
CREATE FUNCTION pg_temp.status(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', v.metric, v.severity, v.status, v.worked, v.remaining, coalesce('late ' || v.late_by, ''), v.exempt), '; ' ORDER BY v.metric)
	FROM sla.clock_status v WHERE v.key = $1::text AND v.ticket_table = 'tickets'::regclass $$;

-- Running, late, met, broken, cancelled, uncovered
INSERT INTO tickets VALUES (1, 'S1', now() - interval '20 min');
SELECT is(pg_temp.status(1), 'response S1 running 00:20:00 00:40:00 ', 'a third of the time is gone');
INSERT INTO tickets VALUES (2, 'S1', now() - interval '90 min');
SELECT is(pg_temp.status(2), 'response S1 breached 01:30:00 00:00:00 late 00:30:00', 'half an hour late, flagged or not');
INSERT INTO tickets VALUES (3, 'S1', now() - interval '1 h');
SELECT is(pg_temp.status(3), 'response S1 running 01:00:00 00:00:00 ', 'at due it is not late');
INSERT INTO tickets VALUES (4, 'S1', now() - interval '3 h', now() - interval '130 min');
SELECT is(pg_temp.status(4), 'response S1 met 00:50:00 ', 'met has no time left');
INSERT INTO tickets VALUES (5, 'S1', now() - interval '3 h', now() - interval '90 min');
SELECT is(pg_temp.status(5), 'response S1 breached 01:30:00 late 00:30:00', 'answered late');
INSERT INTO tickets VALUES (6, 'S1', now() + interval '1 h');
SELECT is(pg_temp.status(6), 'response S1 running 00:00:00 01:00:00 ', 'received tomorrow: all of its time is left');
DELETE FROM tickets WHERE id = 6;
SELECT is(pg_temp.status(6), 'response S1 cancelled 00:00:00 ', 'and gone');
INSERT INTO tickets VALUES (7, 'x', now());
SELECT is(pg_temp.status(7), 'uncovered  error: s "x" maps to no severity', 'nothing is promised, and why');
INSERT INTO tickets VALUES (8, 'S3', now());
SELECT is(pg_temp.status(8), NULL, 'a severity without promises is no clock');
INSERT INTO tickets VALUES (9, 'S2', '2026-03-02 16:00', '2026-03-03 10:30', '2026-03-05 18:00');
SELECT is(pg_temp.status(9), 'resolution S2 breached 25:00:00 late 17:00:00; response S2 met 02:30:00 ', 'working time only');

-- sla.breach
SELECT is((SELECT string_agg(concat_ws(' ', key, metric, late_by, flagged_at), ', ' ORDER BY key) FROM sla.breach), '2 response 00:30:00, 5 response 00:30:00, 9 resolution 17:00:00', 'what is broken');
SELECT is(sla.flag_due(now()), 3::bigint, 'each is flagged');
SELECT is((SELECT count(*) FROM sla.breach WHERE flagged_at = now()), 3::bigint, 'and known to be');
UPDATE tickets SET replied = now() - interval '125 min' WHERE id = 5;
SELECT is((SELECT string_agg(key, ',' ORDER BY key) FROM sla.breach), '2,9', 'a correction takes it out');
SELECT is((SELECT string_agg(kind, ',' ORDER BY a.id) FROM sla.alert a JOIN sla.ticket t ON t.id = ticket_id WHERE key = '5'), 'breach,withdrawal', 'and withdraws the alert');
UPDATE tickets SET replied = now() - interval '90 min' WHERE id = 5;
SELECT is((SELECT flagged_at FROM sla.breach WHERE key = '5'), NULL, 'broken again, to be flagged again');
SELECT is(sla.flag_due(now() + interval '1 s'), 1::bigint + 1, 'which it is, with what has fallen due meanwhile');

-- sla.compliance_by_month. Received in the last hours of October, UTC: that is
-- November where reports are made.
DELETE FROM tickets;
DELETE FROM sla.event; DELETE FROM sla.clock; DELETE FROM sla.ticket; DELETE FROM sla.alert;
INSERT INTO tickets VALUES
	(1, 'S1', '2025-10-31 21:59', '2025-10-31 22:09', NULL),	-- 10 min, in October
	(2, 'S1', '2025-10-31 22:00', '2025-10-31 22:20', NULL),	-- 20 min
	(3, 'S1', '2025-11-05 12:00', '2025-11-05 12:30', NULL),	-- 30 min
	(4, 'S1', '2025-11-05 12:00', '2025-11-05 13:00', NULL),	-- 60 min: met
	(5, 'S1', '2025-11-05 12:00', '2025-11-05 14:00', NULL),	-- 120 min: late
	(6, 'S1', '2025-11-05 12:00', NULL, NULL),					-- late, open
	(7, 'x', '2025-11-05 12:00', NULL, NULL),
	(8, 'S1', NULL, NULL, NULL),
	(9, 'S2', '2025-11-05 12:00', '2025-11-05 13:00', '2025-11-05 14:00'),
	(10, 'S1', now() + interval '1 d', NULL, NULL);
SELECT is((SELECT string_agg(concat_ws(' ', month, severity, metric, promises, met, breached, open, cancelled, uncovered, met_percent, worked_median, worked_p90), E'\n' ORDER BY month, severity, metric) FROM sla.compliance_by_month WHERE month < '2026-01-01'), '2025-10-01 S1 response 1 1 0 0 0 0 100.00 00:10:00 00:10:00
2025-11-01 S1 response 5 3 2 0 0 0 60.00 00:45:00 01:42:00
2025-11-01 S2 resolution 1 1 0 0 0 0 100.00 02:00:00 02:00:00
2025-11-01 S2 response 1 1 0 0 0 0 100.00 01:00:00 01:00:00
2025-11-01 1 0 0 0 0 1', 'months of the reports'' own zone');
SELECT is((SELECT string_agg(concat_ws(' ', month, severity, promises, uncovered), ';') FROM sla.compliance_by_month WHERE month IS NULL), 'S1 1 1', 'without time of receipt there is no month');
SELECT is((SELECT concat_ws(' ', promises, open, met_percent) FROM sla.compliance_by_month WHERE month > '2026-01-01'), '1 1', 'nothing decided, no percentage');
SELECT is((SELECT sum(promises) FROM sla.compliance_by_month), (SELECT sum(met + breached + open + cancelled + uncovered) FROM sla.compliance_by_month), 'every promise is counted in one column');
SELECT is((SELECT sum(promises) FROM sla.compliance_by_month), 11::numeric, 'and once');

SELECT * FROM finish();
ROLLBACK;
