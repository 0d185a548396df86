-- Flagging: which clocks, in which order, what the alert says, only once
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(31);

CREATE FUNCTION pg_temp.clock(id bigint, next_alert_at timestamptz, aim int DEFAULT 1, stopped_at timestamptz DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO sla.clock (id, ticket_id, metric, cycle, aim, severity, goal, hours_id, started_at, due_at, stopped_at, paused, next_alert_at)
	VALUES (id, 1000 + id, 'resolution', 1, aim, 'S2', '4h', 1, '2026-03-01 08:00', coalesce(next_alert_at, '2026-03-02 12:00'), stopped_at, '0', next_alert_at) $$;
-- Clocks in the order of their alerts
CREATE FUNCTION pg_temp.flagged() RETURNS bigint[] LANGUAGE sql AS $$
	SELECT array_agg(clock_id ORDER BY id) FROM sla.alert $$;
CREATE FUNCTION pg_temp.waiting() RETURNS bigint[] LANGUAGE sql AS $$
	SELECT array_agg(id ORDER BY id) FROM sla.clock WHERE next_alert_at IS NOT NULL $$;

-- Nothing to do
SELECT is(sla.flag_due('2026-03-02 12:00'), 0::bigint, 'no clocks, no alerts');
SELECT is(sla.flag_due(NULL), NULL::bigint, 'no time, no answer');

-- Exactly at due is met
SELECT pg_temp.clock(1, '2026-03-02 12:00');
SELECT is(sla.flag_due('2026-03-02 11:59:59.999999'), 0::bigint, 'not before it is due');
SELECT is(sla.flag_due('2026-03-02 12:00'), 0::bigint, 'not exactly at due');
SELECT is(pg_temp.waiting(), '{1}', 'it waits');
SELECT is(sla.flag_due('2026-03-02 12:00:00.000001'), 1::bigint, 'a microsecond later');
SELECT results_eq(
	'SELECT clock_id, ticket_id, aim, threshold COLLATE "default", kind COLLATE "default", due_at, flagged_at FROM sla.alert',
	$$VALUES (1::bigint, 1001::bigint, 1, '1', 'breach', timestamptz '2026-03-02 12:00', timestamptz '2026-03-02 12:00:00.000001')$$,
	'the alert says what fell due, when, and when it was flagged');
SELECT is(pg_temp.waiting(), NULL, 'nothing is left in the queue');
SELECT is((SELECT due_at FROM sla.clock WHERE id = 1), '2026-03-02 12:00', 'the clock itself is as it was');
SELECT is((SELECT outcome FROM sla.clock WHERE id = 1), NULL, 'and still runs');

-- Only once
SELECT is(sla.flag_due('2026-03-03 00:00'), 0::bigint, 'not again later');
UPDATE sla.clock SET next_alert_at = due_at WHERE id = 1;
SELECT is(sla.flag_due('2026-03-03 00:00'), 0::bigint, 'not again for the same aim');
SELECT is(pg_temp.waiting(), NULL, 'and it leaves the queue');
UPDATE sla.clock SET next_alert_at = '2026-03-02 18:00', due_at = '2026-03-02 18:00', aim = 2 WHERE id = 1;
SELECT is(sla.flag_due('2026-03-03 00:00'), 1::bigint, 'a new aim is flagged anew');
SELECT results_eq('SELECT aim, due_at FROM sla.alert ORDER BY id',
	$$VALUES (1, timestamptz '2026-03-02 12:00'), (2, '2026-03-02 18:00')$$, 'with its own due time');

-- What is in the queue, and in which order
TRUNCATE sla.alert, sla.clock;
SELECT pg_temp.clock(9, '2026-03-02 12:00');
SELECT pg_temp.clock(5, '2026-03-02 12:00');
SELECT pg_temp.clock(7, '2026-03-02 11:00');
SELECT pg_temp.clock(3, '2026-03-02 13:00');
SELECT pg_temp.clock(4, NULL);
SELECT pg_temp.clock(2, 'infinity');
SELECT pg_temp.clock(8, '2026-03-02 10:00', 1, '2026-03-02 10:30');
SELECT pg_temp.clock(-1, '2026-03-02 12:00');
SELECT is(sla.flag_due('2026-03-02 12:30'), 5::bigint, 'what is due by the time given');
SELECT is(pg_temp.flagged(), '{8,7,-1,5,9}', 'earliest first, then by id; a clock that stopped late is not forgotten');
SELECT is(pg_temp.waiting(), '{2,3}', 'the rest waits');
SELECT is(sla.flag_due('9999-12-31'), 1::bigint, 'a clock that is never due is not flagged');
SELECT is(pg_temp.waiting(), '{2}', 'it waits for ever');

-- More than a batch, in due order throughout
TRUNCATE sla.alert, sla.clock;
SELECT count(pg_temp.clock(g, '2026-03-02 12:00'::timestamptz + (g * 7919 % 500) * interval '1 s')) FROM generate_series(1, 11000) AS g;
SELECT is(sla.flag_due('2026-03-03 00:00'), 11000::bigint, 'several batches');
SELECT is(pg_temp.flagged(), (SELECT array_agg(id ORDER BY due_at, id) FROM sla.clock), 'in one order');

-- Nothing of the caller's, or of the tables', gets in the way
TRUNCATE sla.alert, sla.clock;
CREATE SCHEMA evil;
CREATE FUNCTION evil.less(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'hijacked'; END $$;
CREATE OPERATOR evil.< (FUNCTION = evil.less, LEFTARG = timestamptz, RIGHTARG = timestamptz);
CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE 'hijacked'; END $$;
CREATE FUNCTION evil.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
CREATE TRIGGER evil BEFORE UPDATE ON sla.clock FOR EACH ROW EXECUTE FUNCTION evil.fire();
CREATE TRIGGER evil BEFORE INSERT ON sla.alert FOR EACH ROW EXECUTE FUNCTION evil.fire();
CREATE RULE evil AS ON INSERT TO sla.alert DO INSTEAD NOTHING;
SELECT pg_temp.clock(1, '2026-03-02 12:00');
SET LOCAL search_path = evil, public, pg_catalog;
SELECT is(sla.flag_due('2026-03-03 00:00'), 1::bigint, 'other people''s operators, triggers and rules do not run');
SELECT is(current_setting('search_path'), 'evil, public, pg_catalog', 'the caller''s search path is left alone');
SET LOCAL search_path = public;
SELECT is(pg_temp.flagged(), '{1}', 'and the alert is there');
SELECT is(current_setting('session_replication_role'), 'origin', 'settings are given back');

-- Arguments and rights
SELECT throws_ok($$SELECT sla.flag_due('infinity')$$, '22008', NULL, 'infinity is no present');
SELECT throws_ok($$SELECT sla.flag_due('-infinity')$$, '22008', NULL, 'nor is -infinity');
SELECT ok(NOT has_function_privilege('public', 'sla.flag_due(timestamptz)', 'EXECUTE'), 'not everyone may flag');
SELECT ok(NOT has_function_privilege('public', 'sla.wake_worker(timestamptz)', 'EXECUTE'), 'nor wake the worker');
SELECT lives_ok($$SELECT sla.wake_worker()$$, 'waking works with the worker and without');

SELECT * FROM finish();
ROLLBACK;
