-- What is left of a clock that stands still is what it has when it goes on, to
-- the microsecond, whatever has happened to it before.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(29);

SELECT sla.load_policy(jsonb_build_object('policy', rule, 'time_zone', 'UTC', 'severity_change', rule, 'calendars', '{
		"always": {"hours": "24/7"}, "office": {"hours": "Europe/Berlin Mo-Fr 09:00-12:30,13:30-17:00; Mar 12 off"},
		"night": {"hours": "America/New_York Mo-Fr 22:00-06:00"}}'::jsonb, 'targets', '[
		{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "always", "alerts": [0.5, 1]},
		{"severity": "S2", "metric": "resolution", "goal": "16h", "calendar": "office", "alerts": [0.5, 1]},
		{"severity": "S3", "metric": "resolution", "goal": "3bd", "calendar": "office", "alerts": [0.5, 1]},
		{"severity": "S4", "metric": "resolution", "goal": "2bd 7h", "calendar": "night", "alerts": [0.5, 1]}]'::jsonb))
	FROM unnest('{from_start,from_change,carry}'::text[]) rule;
CREATE TABLE tickets (id int PRIMARY KEY, p text, s text, at timestamptz, state text DEFAULT 'open', changed timestamptz);
SELECT sla.attach('tickets', NULL, 's', 'at', changed_at => 'changed', policy_column => 'p', status => 'state', stamp => false,
	paused_when => '{waiting}', resolved_when => '{done}');
CREATE TEMPORARY VIEW v AS
	SELECT s.*, c.counted_from, c.carried, c.warn_at, h.value AS hours FROM sla.clock_status s JOIN sla.clock c ON c.id = clock_id JOIN sla.hours h ON h.id = hours_id
	WHERE s.ticket_table = 'tickets'::regclass;
CREATE FUNCTION pg_temp.status(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, worked, remaining, used, warned) FROM v WHERE key = $1::text $$;

-- By hand: Monday 2020-03-02, office hours from 08:00 UTC
INSERT INTO tickets VALUES (1, 'from_start', 'S2', '2020-03-02 08:00');
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 10:00' WHERE id = 1;
SELECT is(pg_temp.status(1), 'paused 02:00:00 14:00:00 0.1250 f', 'two of sixteen hours are used');
SELECT is((SELECT (due_at, paused_at)::text FROM v WHERE key = '1'), '(infinity,"2020-03-02 10:00:00+00")', 'not due, and since when');
UPDATE tickets SET state = 'open', changed = '2020-03-03 09:00' WHERE id = 1;
SELECT is((SELECT sla.business_between('2020-03-03 09:00', due_at, hours) FROM v WHERE key = '1'), '14:00', 'all of which it has when it goes on');
UPDATE tickets SET state = 'waiting', changed = '2020-03-04 07:00' WHERE id = 1;
SELECT is(pg_temp.status(1), 'paused 08:00:00 08:00:00 0.5000 t', 'paused again, in closed time: half is used, which is a threshold');
UPDATE tickets SET s = 'S1', changed = '2020-03-05 09:00' WHERE id = 1;
SELECT is(pg_temp.status(1), 'paused 24:00:00 00:00:00 1.0000 t', 'more severe meanwhile: hours of another calendar, and no time left');
UPDATE tickets SET state = 'open', changed = '2020-03-06 09:00' WHERE id = 1;
SELECT is((SELECT due_at FROM v WHERE key = '1'), '2020-03-06 09:00', 'it is due when it goes on');
INSERT INTO tickets VALUES (2, 'carry', 'S2', '2020-03-02 08:00');
UPDATE tickets SET s = 'S1', changed = '2020-03-02 12:30' WHERE id = 2;
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 13:00' WHERE id = 2;
SELECT is((SELECT goal || ' ' || carried FROM v WHERE key = '2'), '4h 03:30:00', 'three and a half of sixteen hours were used of another goal');
SELECT is(pg_temp.status(2), 'paused 04:00:00 02:37:30 0.3437 f', '12.5/16 of four hours, less half an hour');
UPDATE tickets SET state = 'open', changed = '2020-03-02 14:00' WHERE id = 2;
SELECT is((SELECT due_at FROM v WHERE key = '2'), '2020-03-02 16:37:30', 'due that much later');
SELECT is((SELECT warn_at FROM v WHERE key = '2'), '{2020-03-02 14:37:30+00}', 'half of the goal is left two hours before it is due');
INSERT INTO tickets VALUES (3, 'from_change', 'S2', '2020-03-02 08:00');
UPDATE tickets SET s = 'S1', changed = '2020-03-02 12:30' WHERE id = 3;
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 13:00' WHERE id = 3;
SELECT is(pg_temp.status(3), 'paused 04:00:00 03:30:00 0.1250 f', 'half an hour of four, counted anew');

-- Late before the pause, at its start, never due, and a pause that lies ahead
INSERT INTO tickets VALUES (4, 'from_start', 'S1', '2020-03-02 08:00'), (5, 'from_start', 'S1', '2020-03-02 08:00'), (6, 'from_start', 'S1', now() - interval '1 h');
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 13:00' WHERE id = 4;
SELECT is((SELECT (status, due_at, worked, remaining, used > 1)::text FROM v WHERE key = '4'), '(breached,"2020-03-02 12:00:00+00",05:00:00,00:00:00,t)', 'one that was late stays late');
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 12:00' WHERE id = 5;
SELECT is((SELECT (status, due_at, worked, remaining)::text FROM v WHERE key = '5'), '(breached,"2020-03-02 12:00:00+00",04:00:00,00:00:00)', 'and one whose time was up just then');
UPDATE tickets SET state = 'waiting', changed = now() + interval '1 h' WHERE id = 6;
SELECT is((SELECT (status, due_at, worked, remaining, used)::text FROM v WHERE key = '6'), '(paused,infinity,01:00:00,02:00:00,0.5000)', 'one that will be paused is not due now either');

-- Where nothing is left to tell: no opening ever, or what is not pausable
SELECT sla.load_policy('{"policy": "odd", "time_zone": "UTC", "calendars": {"past": {"hours": "UTC 2020-03-02 10:00-12:00"}, "always": {"hours": "24/7"}}, "targets": [
	{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "past"},
	{"severity": "S2", "metric": "resolution", "goal": "4h", "calendar": "always", "pausable": false}]}');
INSERT INTO tickets VALUES (7, 'odd', 'S1', '2020-03-02 08:00'), (8, 'odd', 'S2', now() - interval '1 h');
SELECT is(pg_temp.status(7), 'running 02:00:00', 'never due: nothing to be left');
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 11:00' WHERE id = 7;
SELECT is(pg_temp.status(7), 'paused 01:00:00', 'nor paused');
UPDATE tickets SET state = 'waiting', changed = now() - interval '30 min' WHERE id = 8;
SELECT is((SELECT (status, due_at = now() + interval '3 h', worked, remaining, paused_at)::text FROM v WHERE key = '8'), '(running,t,01:00:00,03:00:00,)', 'a target that knows no pauses runs on');

-- Stopped while it stands still: the due time that it never had tells nothing
INSERT INTO tickets VALUES (9, 'from_start', 'S3', '2020-03-02 08:00'), (10, 'carry', 'S2', '2020-03-02 08:00');
UPDATE tickets SET s = 'S1', changed = '2020-03-02 09:00' WHERE id = 10;
SELECT sla.record_event('tickets', k, 'paused', '2020-03-02 10:00', 'waits for the vendor') FROM unnest('{9,10}'::text[]) k;
UPDATE tickets SET state = 'done', changed = '2020-03-03 10:00' WHERE id IN (9, 10);
SELECT is((SELECT string_agg(due_at::text, ',') FROM v WHERE key IN ('9', '10')), 'infinity,infinity', 'resolved in a pause');
SELECT is(pg_temp.status(9), 'met 02:00:00 0.0952', 'two hours of three business days');
SELECT is(pg_temp.status(10), 'met 02:00:00', 'of a share that was carried over nobody can tell any more');

-- At random: severities, pauses, resolutions and reopenings, then a pause
DELETE FROM tickets;
SELECT setseed(0.7);
INSERT INTO tickets
	SELECT n, (ARRAY['from_start', 'from_change', 'carry'])[1 + n % 3], 'S' || 1 + floor(random() * 4)::int, timestamptz '2020-03-02' + random() * interval '7 days'
	FROM generate_series(101, 400) n;
UPDATE tickets SET changed = at;
CREATE FUNCTION pg_temp.some_time() RETURNS interval LANGUAGE sql VOLATILE AS $$ SELECT power(random(), 3) * interval '2 days' + interval '1 us' $$;
DO $$
BEGIN
	FOR step IN 1..5 LOOP
		UPDATE tickets SET s = 'S' || 1 + floor(random() * 4)::int, changed = changed + pg_temp.some_time() WHERE random() < 0.4;
		UPDATE tickets SET state = (ARRAY['open', 'waiting', 'waiting', 'done'])[1 + floor(random() * 4)::int], changed = changed + pg_temp.some_time() WHERE random() < 0.7;
	END LOOP;
	UPDATE tickets SET state = 'waiting', changed = changed + pg_temp.some_time();
	UPDATE tickets SET s = 'S' || 1 + floor(random() * 4)::int, changed = changed + pg_temp.some_time() WHERE random() < 0.2;
END $$;
CREATE TEMPORARY TABLE standing AS SELECT * FROM v WHERE ticket_state = 'paused';
UPDATE tickets SET state = 'open', changed = changed + pg_temp.some_time();
CREATE TEMPORARY VIEW both_ways AS
	SELECT b.key, b.policy, t.changed AS resumed, b.remaining, b.worked, b.status, b.due_at AS was_due, a.due_at, b.warned, a.warn_at, b.paused_at, b.used, b.counted_from, b.goal,
		sla.business_between(t.changed, a.due_at, a.hours) AS has
	FROM standing b JOIN v a USING (key) JOIN tickets t ON t.id::text = b.key;
SELECT cmp_ok((SELECT count(*) FROM both_ways WHERE status = 'paused' AND remaining > '0'), '>', 50::bigint, 'many were paused with time left');
SELECT cmp_ok((SELECT count(*) FROM both_ways WHERE status = 'paused' AND remaining > '0' AND policy = 'carry' AND counted_from IS NOT NULL), '>', 10::bigint, 'some of them after a share was carried over');
SELECT cmp_ok((SELECT count(*) FROM both_ways WHERE status = 'paused' AND remaining > '0' AND goal::text ~ 'bd'), '>', 10::bigint, 'some with goals of business days');
SELECT cmp_ok((SELECT count(*) FROM both_ways WHERE status = 'breached'), '>', 10::bigint, 'and others late before');
SELECT is_empty($$ SELECT * FROM both_ways WHERE status = 'paused' AND remaining IS DISTINCT FROM has $$, 'what was left is what it has');
SELECT is_empty($$ SELECT * FROM both_ways WHERE status = 'breached' AND (due_at <> was_due OR remaining <> '0') $$, 'what was late is');
SELECT is_empty($$ SELECT * FROM both_ways WHERE status = 'paused' AND warned <> (warn_at[1] <= paused_at) $$, 'a threshold is reached while it stands still if it was before');
SELECT is_empty($$ SELECT * FROM both_ways WHERE status = 'paused' AND warned <> (used >= 0.5) $$, 'which is a share of the goal');
UPDATE tickets SET state = 'done';
SELECT is_empty($$ SELECT key, b.worked, a.worked FROM standing b JOIN v a USING (key) WHERE a.worked <> b.worked $$, 'what it has worked by then is what it worked');

SELECT * FROM finish();
ROLLBACK;
