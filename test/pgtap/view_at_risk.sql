-- sla.at_risk: what will be late unless somebody does something.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(21);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}}, "severities": {"S1": {"label": "Critical"}},
	"exemptions": {"known": "Known"}, "targets": [
	{"severity": "S1", "metric": "resolution", "goal": "10h", "calendar": "always", "alerts": [1]},
	{"severity": "S2", "metric": "resolution", "goal": "10h", "calendar": "always", "alerts": [0.5, 0.9, 1]},
	{"severity": "S3", "metric": "resolution", "goal": "10h", "calendar": "always", "alerts": ["30min"]},
	{"severity": "S4", "metric": "resolution", "goal": "10h", "calendar": "always", "alerts": [0.95, "6h"]}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz, done timestamptz, state text DEFAULT 'open', changed timestamptz, waived text, customer text DEFAULT 'Acme', crew text);
SELECT sla.attach('tickets', 'acme', 's', 'at', resolved_at => 'done', changed_at => 'changed', status => 'state', paused_when => '{waiting}', exempt => 'waived',
	account => 'customer', team => 'crew', stamp => false);
CREATE FUNCTION pg_temp.keys() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(key, ',' ORDER BY key::int) FROM sla.at_risk $$;

-- Without a threshold: three quarters of the goal
INSERT INTO tickets (id, s, at) VALUES (1, 'S1', now() - interval '7.5 h' + interval '1 us'), (2, 'S1', now() - interval '7.5 h'),
	(3, 'S1', now() - interval '10 h'), (4, 'S1', now() - interval '10 h' - interval '1 us');
SELECT is(pg_temp.keys(), '2,3', 'from three quarters of the goal until it is due');
SELECT is((SELECT string_agg(used::text, ',' ORDER BY key) FROM sla.clock_status), '0.7499,0.7500,1.0000,1.0000', 'which is what is used, not rounded up');
SELECT is((SELECT bool_or(warned IS NOT NULL) FROM sla.clock_status), false, 'there is no threshold');
SELECT is((SELECT concat_ws(' ', policy, severity, severity_label, metric, cycle, status, due_at = now() + interval '2.5 h', worked, remaining, used, account, team) FROM sla.at_risk WHERE key = '2'),
	'acme S1 Critical resolution 1 running t 07:30:00 02:30:00 0.7500 Acme', 'with what is left');

-- Its first threshold
DELETE FROM tickets;
INSERT INTO tickets (id, s, at) VALUES (11, 'S2', now() - interval '5 h' + interval '1 us'), (12, 'S2', now() - interval '5 h'),
	(13, 'S3', now() - interval '9.5 h' + interval '1 us'), (14, 'S3', now() - interval '9.5 h'),
	(15, 'S4', now() - interval '4 h' + interval '1 us'), (16, 'S4', now() - interval '4 h');
SELECT is(pg_temp.keys(), '12,14,16', 'half of the goal, half an hour before, six hours before');
SELECT is((SELECT string_agg(key || warned, ' ' ORDER BY key) FROM sla.clock_status WHERE status = 'running'), '11false 12true 13false 14true 15false 16true', 'warned says the same');

-- Standing still
DELETE FROM tickets;
INSERT INTO tickets (id, s, at) VALUES (21, 'S1', '2020-03-02 00:00'), (22, 'S1', '2020-03-02 00:00'), (23, 'S2', '2020-03-02 00:00'), (24, 'S2', '2020-03-02 00:00'),
	(25, 'S3', '2020-03-02 00:00'), (26, 'S3', '2020-03-02 00:00');
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 07:29' WHERE id = 21;
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 07:30' WHERE id = 22;
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 04:59' WHERE id = 23;
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 05:00' WHERE id = 24;
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 09:29' WHERE id = 25;
UPDATE tickets SET state = 'waiting', changed = '2020-03-02 09:30' WHERE id = 26;
SELECT is(pg_temp.keys(), '22,24,26', 'a paused clock is at risk if it was before');
SELECT is((SELECT string_agg(status || ' ' || remaining || ' ' || used, ', ' ORDER BY key) FROM sla.at_risk), 'paused 02:30:00 0.7500, paused 05:00:00 0.5000, paused 00:30:00 0.9500', 'with what it has left');
UPDATE tickets SET s = 'S4' WHERE id IN (21, 23);
SELECT is(pg_temp.keys(), '21,22,23,24,26', 'by the thresholds of the severity that it has got meanwhile');

-- What is over, late, exempt or covered by nothing
DELETE FROM tickets;
INSERT INTO tickets (id, s, at, waived) VALUES (31, 'S2', now() - interval '6 h', NULL), (32, 'S2', now() - interval '6 h', 'known'), (33, 'S2', now() - interval '11 h', NULL), (34, 'x', now(), NULL);
SELECT is(pg_temp.keys(), '31', 'late ones, exempt ones and those without a promise are not at risk');
UPDATE tickets SET done = now() - interval '1 min', changed = now() - interval '1 min' WHERE id = 31;
SELECT is(pg_temp.keys(), NULL, 'nor what is done');
UPDATE tickets SET done = NULL, changed = now() WHERE id = 31;
SELECT is(pg_temp.keys(), '31', 'reopened, it is again');
DELETE FROM tickets;
SELECT is(pg_temp.keys(), NULL, 'gone, it is not');

-- Due times set by hand
INSERT INTO tickets (id, s, at) VALUES (41, 'S1', now() - interval '3 h'), (42, 'S2', now() - interval '3 h'), (43, 'S2', now() - interval '8 h');
INSERT INTO sla.event SELECT t.id, 2, 'pinned', now() - interval '1 h', now(), 'resolution', (now() + d)::text, 'api'
	FROM sla.ticket t JOIN (VALUES ('41', interval '1 h'), ('42', '2 h'), ('43', '9 h')) v (key, d) USING (key);
UPDATE tickets SET crew = 'front';
SELECT is(pg_temp.keys(), '41,42', 'shares of the time until the pinned due time');
SELECT is((SELECT string_agg(used || ' ' || coalesce(warned::text, '-'), ', ' ORDER BY key) FROM sla.clock_status WHERE pinned), '0.7500 -, 0.6000 true, 0.4705 false', 'used and warned agree');
UPDATE tickets SET state = 'waiting', changed = now() - interval '10 min';
SELECT is((SELECT string_agg(status || ' ' || remaining || ' ' || used, ', ' ORDER BY key) FROM sla.clock_status WHERE pinned), 'running 01:00:00 0.7500, running 02:00:00 0.6000, running 09:00:00 0.4705',
	'whatever pauses say');
SELECT is(pg_temp.keys(), '41,42', 'also for what is at risk');

-- A change of severity that counts anew
SELECT sla.load_policy(sla.policy_document('acme') || jsonb_build_object('policy', rule, 'severity_change', rule)) FROM unnest('{from_change,carry}'::text[]) rule;
CREATE TABLE changing (id int PRIMARY KEY, s text, at timestamptz, p text, changed timestamptz);
SELECT sla.attach('changing', severity => 's', received_at => 'at', policy_column => 'p', changed_at => 'changed', stamp => false);
INSERT INTO changing VALUES (51, 'S1', now() - interval '10 h', 'from_change'), (52, 'S1', now() - interval '10 h', 'carry');
UPDATE changing SET s = 'S2', changed = now() - interval '4 h';
SELECT is((SELECT string_agg(concat_ws(' ', key, worked, remaining, used, warned), ', ' ORDER BY key) FROM sla.clock_status s WHERE key ~ '^5'), '51 10:00:00 06:00:00 0.4000 f, 52 10:00:00 00:00:00 1.0000 t',
	'counted from the change, or with the share that was used before');
SELECT is(pg_temp.keys(), '41,42,52', 'at risk accordingly');
UPDATE changing SET s = 'S1', changed = now();
SELECT is((SELECT string_agg(concat_ws(' ', key, worked, remaining, used, warned), ', ' ORDER BY key) FROM sla.clock_status s WHERE key ~ '^5'), '51 10:00:00 10:00:00 0.0000, 52 10:00:00 00:00:00 1.0000',
	'changed back: nothing is used of a goal that counts from now');

-- The clocks that are over are left out before anything is joined to them
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT isnt_empty($$ SELECT FROM pg_temp.plan('SELECT count(*) FROM sla.at_risk') p WHERE p ~ 'Filter: \(\(stopped_at IS NULL\) AND \(due_at >= now\(\)\)\)' $$, 'a long ledger is read once');

SELECT * FROM finish();
ROLLBACK;
