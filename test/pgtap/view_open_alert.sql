-- Alerts that nobody has taken care of
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(14);

SELECT sla.load_policy('{
  "policy": "open", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"},
	{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "always"}]
}'::jsonb) \g /dev/null
CREATE SCHEMA desk;
CREATE TABLE desk.tickets (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, customer text, who text, crew text);
SELECT sla.attach('desk.tickets', 'open', severity => 'priority', received_at => 'received', responded_at => 'replied',
	account => 'customer', assignee => 'who', team => 'crew') \g /dev/null
INSERT INTO desk.tickets SELECT g, 'S1', '2026-03-02 10:00', NULL, 'acme', 'ann', 'red' FROM generate_series(1, 3) g;

CREATE FUNCTION pg_temp.open() RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(key || ' ' || metric, ', ' ORDER BY alert_id) FROM sla.open_alert $$;
CREATE FUNCTION pg_temp.alert(key text, due timestamptz) RETURNS bigint LANGUAGE sql AS
	$$ SELECT a.id FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id WHERE t.key = $1 AND a.kind = 'breach' AND a.due_at = $2 $$;

SELECT is(pg_temp.open(), NULL, 'nothing is flagged yet');
SELECT sla.flag_due('2026-03-02 13:00') \g /dev/null
SELECT is(pg_temp.open(), '1 response, 2 response, 3 response', 'what is flagged is open');
SELECT results_eq($$SELECT kind, due_at, flagged_at, ticket_table::text, metric, severity::text, stopped_at, account, team, assignee
		FROM sla.open_alert WHERE key = '1'$$,
	$$VALUES ('breach' COLLATE "C", timestamptz '2026-03-02 12:00', timestamptz '2026-03-02 13:00', 'desk.tickets', 'response' COLLATE "C", 'S1',
		NULL::timestamptz, 'acme', 'red', 'ann')$$, 'with all that tells whom to ask');
SELECT is(threshold::text, '1', 'a breach') FROM sla.open_alert WHERE key = '1';
SELECT is(sla.acknowledge(alert_id), true, 'its id is what is acknowledged') FROM sla.open_alert WHERE key = '1';
SELECT is(pg_temp.open(), '2 response, 3 response', 'then it is not open any more');
UPDATE desk.tickets SET replied = '2026-03-02 11:00' WHERE id = 2;
SELECT is(pg_temp.open(), '3 response', 'nor is one that was withdrawn');
UPDATE desk.tickets SET replied = '2026-03-02 13:30' WHERE id = 3;
SELECT is(pg_temp.open(), '3 response', 'one that was answered late is');
SELECT is(stopped_at, '2026-03-02 13:30', 'and says so') FROM sla.open_alert;

-- Each aim and each clock by itself
UPDATE desk.tickets SET replied = NULL WHERE id = 2;
SELECT sla.flag_due('2026-03-02 13:40') \g /dev/null
SELECT is(pg_temp.open(), '3 response, 2 response', 'what is flagged anew after a withdrawal is open');
SELECT sla.flag_due('2026-03-02 15:00') \g /dev/null
SELECT is(pg_temp.open(), '3 response, 2 response, 1 resolution, 2 resolution, 3 resolution', 'every clock has its own');

-- Nothing is lost that the tables of the ledger lack
DELETE FROM desk.tickets WHERE id = 3;
SELECT is((SELECT count(*) FROM sla.open_alert WHERE key = '3'), 2::bigint, 'a deleted ticket''s alerts stay open');
DELETE FROM sla.clock;
SELECT is((SELECT count(*) FROM sla.open_alert WHERE metric IS NULL), 5::bigint, 'and those without a clock');
SELECT is_empty($$SELECT FROM pg_class WHERE oid = 'sla.open_alert'::regclass AND has_table_privilege('public', oid, 'SELECT')$$, 'not everybody sees them');

SELECT * FROM finish();
ROLLBACK;
