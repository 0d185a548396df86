-- Somebody takes care of an alert: who, when, and only the first one
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(26);

SELECT sla.load_policy('{
  "policy": "ack", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz);
SELECT sla.attach('helpdesk', 'ack', severity => 'priority', received_at => 'received', responded_at => 'replied') \g /dev/null
INSERT INTO helpdesk SELECT g, 'S1', '2026-03-02 10:00' FROM generate_series(1, 4) g;
SELECT sla.flag_due('2026-03-02 14:00') \g /dev/null
UPDATE helpdesk SET replied = '2026-03-02 11:00' WHERE id = 4;

-- The id of a ticket's alert
CREATE FUNCTION pg_temp.alert(key text, kind text DEFAULT 'breach') RETURNS bigint LANGUAGE sql AS
	$$ SELECT a.id FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id WHERE t.key = $1 AND a.kind = $2 $$;
CREATE VIEW ack AS SELECT t.key COLLATE "default" AS key, k.acknowledged_at AS at, k.acknowledged_by AS by, k.note
	FROM sla.acknowledgement k JOIN sla.alert a ON a.id = k.alert_id JOIN sla.ticket t ON t.id = a.ticket_id;

SELECT is(sla.acknowledge(pg_temp.alert('1'), 'calling them', '2026-03-02 14:05'), true, 'an alert is acknowledged');
SELECT is(sla.acknowledge(pg_temp.alert('1'), 'me, too', '2026-03-02 14:01'), false, 'only once');
SELECT results_eq('SELECT key, at, by, note FROM ack', $$VALUES ('1', timestamptz '2026-03-02 14:05', session_user::text COLLATE "default", 'calling them')$$,
	'who was first is noted');
SELECT is(sla.acknowledge(pg_temp.alert('2')), true, 'note and time can be left out');
SELECT results_eq($$SELECT at, note FROM ack WHERE key = '2'$$, $$VALUES (now(), NULL::text)$$, 'then it is now, without a note');
SELECT is(sla.acknowledge(pg_temp.alert('4')), true, 'an alert that was withdrawn can be, too');

-- Who may, and who it was
CREATE ROLE sla_test_nobody;
CREATE ROLE sla_test_agent;
GRANT EXECUTE ON FUNCTION sla.acknowledge(bigint, text, timestamptz) TO sla_test_agent;
CREATE TEMPORARY TABLE of_three AS SELECT pg_temp.alert('3') AS id;
GRANT SELECT ON of_three TO PUBLIC;
SET LOCAL ROLE sla_test_nobody;
SELECT throws_ok('SELECT sla.acknowledge(id) FROM of_three', '42501', NULL, 'not everybody may');
SELECT throws_ok('SELECT FROM sla.acknowledgement', '42501', NULL, 'nor see who did');
SET LOCAL ROLE sla_test_agent;
SELECT is(sla.acknowledge(id), true, 'who may execute the function may') FROM of_three;
SELECT throws_ok('SELECT FROM sla.alert', '42501', NULL, 'without any right on the ledger');
SELECT throws_ok('SELECT FROM sla.acknowledgement', '42501', NULL, 'or on what it writes');
SELECT throws_ok('DELETE FROM sla.acknowledgement', '42501', NULL, 'which cannot be taken back');
SELECT is(current_user, 'sla_test_agent', 'he stays who he is');
RESET ROLE;
SELECT is(by, 'sla_test_agent', 'and is named') FROM ack WHERE key = '3';
DELETE FROM sla.acknowledgement;
SET LOCAL SESSION AUTHORIZATION sla_test_agent;
SELECT is(sla.acknowledge(id), true, 'likewise when he logged in himself') FROM of_three;
RESET SESSION AUTHORIZATION;
SELECT is(by, 'sla_test_agent', 'he is named') FROM ack WHERE key = '3';

-- Nobody else's operators
CREATE SCHEMA evil;
CREATE FUNCTION evil.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'hijacked as %', current_user; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.equal, LEFTARG = bigint, RIGHTARG = bigint);
CREATE FUNCTION evil.isfinite(timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'hijacked as %', current_user; END $$;
GRANT USAGE ON SCHEMA evil TO sla_test_agent;
SET LOCAL ROLE sla_test_agent;
SET LOCAL search_path = evil, public, pg_catalog;
SELECT is(sla.acknowledge(id), false, 'what the caller''s search_path has is not run') FROM pg_temp.of_three;
SET LOCAL search_path TO DEFAULT;
RESET ROLE;

-- What cannot be
SELECT throws_ok($$SELECT sla.acknowledge(987654321)$$, '02000', 'alert 987654321 does not exist', 'an alert that does not exist');
SELECT throws_ok($$SELECT sla.acknowledge(-1)$$, '02000', NULL, 'nor does that');
SELECT throws_ok($$SELECT sla.acknowledge(pg_temp.alert('4', 'withdrawal'))$$, '22023', NULL, 'a withdrawal');
SELECT throws_ok($$SELECT sla.acknowledge(NULL)$$, '22004', NULL, 'no alert');
SELECT throws_ok($$SELECT sla.acknowledge(1, at => NULL)$$, '22004', NULL, 'no time');
SELECT throws_ok($$SELECT sla.acknowledge(1, at => 'infinity')$$, '22008', NULL, 'a time that never comes');
SELECT throws_ok($$SELECT sla.acknowledge(1, at => '-infinity')$$, '22008', NULL, 'or never was');
SELECT is((SELECT count(*) FROM ack), 1::bigint, 'none of these has left anything');

-- It is kept with the rest of the ledger
SELECT ok('sla.acknowledgement'::regclass = ANY (extconfig), 'acknowledgements are dumped') FROM pg_extension WHERE extname = 'slapolicy';

SELECT * FROM finish();
ROLLBACK;
