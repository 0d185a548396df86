-- Changes of levels as alerts: each once, with the true times
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(26);

SELECT sla.load_policy('{"policy": "t bills", "time_zone": "Europe/Berlin", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
	"restriction": {"thresholds": {"support": 30, "deployments": 61, "termination": 91}, "actions": {"ticket": "support", "deployment": "deployments"}}}') IS NOT NULL AS loaded \gset
CREATE TABLE bill (id int PRIMARY KEY, who text, service text, due date, paid_at timestamptz, booked_at timestamptz);
SELECT sla.attach_invoices('bill', 't bills', account => 'who', due => 'due', settled_at => 'paid_at', recorded_at => 'booked_at') \g /dev/null
CREATE FUNCTION pg_temp.alerts(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', a.n, a.service, a.level, to_char(a.since, 'YYYY-MM-DD HH24:MI')), '; ' ORDER BY a.id) FROM sla.restriction_alert a WHERE a.account = $1 $$;
INSERT INTO bill VALUES (1, 'A', NULL, '2026-01-10', NULL, '2026-01-01');
SELECT is(next_change_at, '2026-02-08 23:00+00', 'a bill waits for the midnight of its first level, in the zone of the rule') FROM sla.invoice WHERE account = 'A';
SELECT is(sla.flag_restrictions('2026-02-08 22:59:59.999999+00'), 0::bigint, 'nothing before that');
SELECT is(sla.flag_restrictions('2026-02-08 23:00+00'), 1::bigint, 'one alert at that');
SELECT is(pg_temp.alerts('A'), '1 support 2026-02-08 23:00', 'with the instant');
SELECT is(sla.flag_restrictions('2026-02-08 23:00+00'), 0::bigint, 'once');
SELECT is(next_change_at, '2026-03-11 23:00+00', 'then it waits for the next one') FROM sla.invoice WHERE account = 'A';
SELECT is(sla.flag_restrictions('2026-06-01 00:00+00'), 2::bigint, 'a pass that comes late');
SELECT is(pg_temp.alerts('A'), '1 support 2026-02-08 23:00; 2 deployments 2026-03-11 23:00; 3 termination 2026-04-10 22:00', 'writes what it missed, with the true times');
SELECT is(next_change_at, NULL, 'nothing is left to wait for') FROM sla.invoice WHERE account = 'A';
UPDATE bill SET paid_at = '2026-06-02 10:00', booked_at = '2026-06-03 10:00' WHERE id = 1;
SELECT is(sla.flag_restrictions('2026-06-03 10:00+00'), 1::bigint, 'a level that falls is a change');
SELECT is(pg_temp.alerts('A'), '1 support 2026-02-08 23:00; 2 deployments 2026-03-11 23:00; 3 termination 2026-04-10 22:00; 4 none 2026-06-02 10:00', 'as of when it was paid');
UPDATE bill SET paid_at = NULL, booked_at = '2026-06-05' WHERE id = 1;
SELECT is(sla.flag_restrictions('2026-06-05'), 1::bigint, 'and so is one that comes back');
SELECT is((SELECT level::text || ' ' || since::text FROM sla.restriction_alert WHERE account = 'A' ORDER BY n DESC LIMIT 1), 'termination 2026-06-05 00:00:00+00', 'as of the reversal');

-- A second bill of a restricted account makes no alert of its own
INSERT INTO bill VALUES (2, 'A', NULL, '2026-04-01', NULL, '2026-06-06');
SELECT is(sla.flag_restrictions('2026-12-01'), 0::bigint, 'a level that stays is no change');
-- nor one that was paid before anybody looked
INSERT INTO bill VALUES (3, 'B', NULL, '2026-01-01', NULL, '2026-01-01');
UPDATE bill SET paid_at = '2026-01-05', booked_at = '2026-03-01' WHERE id = 3;
SELECT is(sla.flag_restrictions('2026-12-01'), 0::bigint, 'nor what turns out never to have been');
-- many at once, one alert each
INSERT INTO bill SELECT g, 'M' || g % 300, NULL, date '2026-01-01' + g % 7, NULL, '2026-01-01' FROM generate_series(1000, 2999) g;
SELECT is(sla.flag_restrictions('2026-02-20'), 300::bigint, 'many accounts, each once');
SELECT is((SELECT count(DISTINCT account) FROM sla.restriction_alert WHERE account LIKE 'M%'), 300::bigint, 'really');

-- Overrides
SELECT sla.flag_restrictions('2026-12-01') \g /dev/null
SELECT sla.override_restriction('A', NULL, 'none', 'promise', '2026-12-10', 'Ann', '2026-12-02', '2026-12-02') AS o \gset
SELECT is(sla.flag_restrictions('2026-12-02'), 1::bigint, 'an override is a change');
SELECT is(sla.flag_restrictions('2026-12-09'), 0::bigint, 'while it lasts there is none');
SELECT is(sla.flag_restrictions('2026-12-10'), 1::bigint, 'its end is one');
SELECT is((SELECT string_agg(level::text || ' ' || since::date, '; ' ORDER BY n) FROM sla.restriction_alert WHERE account = 'A' AND n > 5), 'none 2026-12-02; termination 2026-12-10', 'with their times');

-- A new version of the rule
INSERT INTO bill VALUES (4, 'C', NULL, '2026-12-01', NULL, '2026-12-01');
SELECT sla.load_policy(jsonb_set(sla.policy_document('t bills'), '{restriction,thresholds}', '{"support": 5}'), '2026-12-20') IS NOT NULL AS loaded \gset
SELECT ok(sla.flag_restrictions('2026-12-20') > 0, 'when a rule changes, all open bills are looked at');
SELECT is(pg_temp.alerts('C'), '1 support 2026-12-20 00:00', 'from when it is in force');

-- By service
SELECT sla.load_policy(jsonb_set(sla.policy_document('t bills') || '{"policy": "t service"}', '{restriction}', '{"thresholds": {"support": 30}, "per": "service"}')) IS NOT NULL AS loaded \gset
CREATE TABLE hosting (LIKE bill INCLUDING ALL);
SELECT sla.attach_invoices('hosting', 't service', account => 'who', due => 'due', service => 'service', settled_at => 'paid_at', recorded_at => 'booked_at') \g /dev/null
INSERT INTO hosting VALUES (1, 'S', 'web', '2026-12-01', NULL, '2026-12-01'), (2, 'S', 'mail', '2026-12-05', NULL, '2026-12-01'), (3, 'S', NULL, '2026-12-25', NULL, '2026-12-01');
SELECT sla.flag_restrictions('2027-01-24 12:00+00') \g /dev/null
SELECT is(pg_temp.alerts('S'), '1 web support 2026-12-30 23:00; 1 mail support 2027-01-03 23:00; 1 support 2027-01-23 23:00', 'services have alerts of their own');
SELECT throws_ok($$ SELECT sla.flag_restrictions('infinity') $$, '22008', NULL, 'time must come to an end');

-- The extension leaves and comes back within one session
SELECT sla.policy_document('t bills') AS document \gset
DROP EXTENSION slapolicy CASCADE;
CREATE EXTENSION slapolicy;
SELECT sla.load_policy(:'document', '2026-01-01') IS NOT NULL AS loaded \gset
DELETE FROM bill WHERE id > 1;
SELECT sla.attach_invoices('bill', 't bills', account => 'who', due => 'due', settled_at => 'paid_at', recorded_at => 'booked_at') \g /dev/null
SELECT lives_ok($$ SELECT sla.flag_restrictions('2026-12-01') $$, 'a new extension has levels of its own');

SELECT * FROM finish();
ROLLBACK;
