-- Following the alerts: what sla.alerts_after gives while nobody else writes
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(15);

CREATE FUNCTION pg_temp.ids(after bigint, max_rows int DEFAULT 1000) RETURNS bigint[] LANGUAGE sql AS
	$$ SELECT array_agg(id ORDER BY place) FROM sla.alerts_after(after, max_rows) WITH ORDINALITY AS a(id, c, t, i, h, k, d, f, place) $$;
CREATE FUNCTION pg_temp.alert(id bigint, kind text DEFAULT 'breach') RETURNS void LANGUAGE sql AS
	$$ INSERT INTO sla.alert (id, clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
	   VALUES (id, id, id, 1, '1', kind, '2026-03-02 12:00', '2026-03-02 12:01') $$;

SELECT is(pg_temp.ids(0), NULL, 'no alerts');
SELECT pg_temp.alert(g) FROM generate_series(11, 15) g \g /dev/null
SELECT is(pg_temp.ids(0), '{11,12,13,14,15}', 'all of them');
SELECT is(pg_temp.ids(12), '{13,14,15}', 'those after an id');
SELECT is(pg_temp.ids(15), NULL, 'none after the last');
SELECT is(pg_temp.ids(99), NULL, 'nor after one that is not there yet');
SELECT is(pg_temp.ids(NULL), '{11,12,13,14,15}', 'from the first one');
SELECT is(pg_temp.ids(-9223372036854775808), '{11,12,13,14,15}', 'likewise');
SELECT is(pg_temp.ids(11, 2), '{12,13}', 'only so many');
SELECT is(pg_temp.ids(11, NULL), '{12,13,14,15}', 'any number');
SELECT pg_temp.alert(16, 'withdrawal'), pg_temp.alert(23), pg_temp.alert(20) \g /dev/null
SELECT is(pg_temp.ids(14), '{15,16,20,23}', 'withdrawals, too, and over ids that are missing');
SELECT results_eq('SELECT a FROM sla.alerts_after(0) a', 'SELECT a FROM sla.alert a ORDER BY id', 'as they are');
SELECT throws_ok('SELECT sla.alerts_after(0, 0)', '22023', NULL, 'no rows at a time');

CREATE ROLE sla_test_follower;
SET LOCAL ROLE sla_test_follower;
SELECT throws_ok('SELECT sla.alerts_after(0)', '42501', NULL, 'not without the right to read the table');
RESET ROLE;
GRANT SELECT ON sla.alert TO sla_test_follower;
SET LOCAL ROLE sla_test_follower;
SELECT is(pg_temp.ids(16), '{20,23}', 'which is enough');
RESET ROLE;
SELECT lives_ok('SELECT sla.alerts_after()', 'arguments can be left out');

SELECT * FROM finish();
ROLLBACK;
