-- amazee.io: Common Customer Requests (seeds 000 and 001, one text): tests,
-- assistance on weekends and questionnaires. Each comment "-- 000, 001: ..." is
-- a row of doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(81);

-- 2026-03-07 is a Saturday.
SELECT sla.load_policy(sla.preset('amazee') || '{"policy": "t amazee"}') AS id \gset
CREATE FUNCTION pg_temp.announcement(changes jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"vectors": "HTTP floods of the shop", "scope": "the shop, not its payments", "contact_name": "Ann", "contact_email": "ann@client.example", "contact_phone": "+41 44 555 01 23",
		"origins": ["192.0.2.0/24"], "bandwidth": "500 Mbit/s", "requests_per_second": 1000, "targets": ["shop.client.example"],
		"starts_at": "2026-03-16 08:00", "ends_at": "2026-03-16 12:00"}'::jsonb || changes $$;
-- the problems of an announcement, made two weeks before that start
CREATE FUNCTION pg_temp.problems(kind text, changes jsonb, at timestamptz DEFAULT '2026-03-02 08:00') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', p.rule, p.field, p.problem), '; ' ORDER BY p.ordinality)
	FROM sla.check_request('t amazee', kind, pg_temp.announcement(changes), at) WITH ORDINALITY p $$;
CREATE FUNCTION pg_temp.lacking(kind text, field text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.problems(kind, jsonb_build_object(field, null), '2026-02-02 08:00') $$;
SELECT kind INTO TEMPORARY TABLE tests FROM sla.notice_rule WHERE policy_version_id = :id AND kind ~ '_test$';

-- 000, 001: tests are announced at least two weeks ahead
SELECT is(pg_temp.problems(kind, '{}'), NULL, kind || ': two weeks ahead') FROM tests WHERE kind !~ 'broad' ORDER BY kind;
SELECT is(pg_temp.problems(kind, '{}', '2026-03-02 08:00:00.000001'), 'lead starts_at is 2026-03-16 08:00:00+00: requested at 2026-03-02 08:00:00.000001+00, it may start 14 days later',
	kind || ': not a microsecond less') FROM tests WHERE kind !~ 'broad' ORDER BY kind;
SELECT is(sla.earliest_start('t amazee', 'load_test', '2026-03-02 08:00'), '2026-03-16 08:00', 'so it may start');
-- to the second, where clocks change in between
SELECT sla.load_policy(sla.preset('amazee') || '{"policy": "t zurich", "time_zone": "Europe/Zurich"}');
SELECT is(sla.earliest_start('t zurich', 'load_test', '2026-03-20 09:30:15+01'), '2026-04-03 09:30:15+02', 'also where a clock goes forward meanwhile');
SELECT is(sla.earliest_start('t zurich', 'load_test', '2026-10-20 09:30:15+02'), '2026-11-03 09:30:15+01', 'or back');

-- 000, 001: the announcement has the vectors and scope of the test
SELECT is(pg_temp.lacking(kind, f), 'fields ' || f || ' is missing', kind || ': ' || f) FROM tests, unnest('{vectors,scope}'::text[]) f ORDER BY kind, f;
-- 000, 001: the announcement has a point of contact: name, email, phone number if possible
SELECT is(pg_temp.lacking(kind, f), 'fields ' || f || ' is missing', kind || ': ' || f) FROM tests, unnest('{contact_name,contact_email}'::text[]) f ORDER BY kind, f;
SELECT is(pg_temp.lacking(kind, 'contact_phone'), NULL, kind || ': it was not possible') FROM tests ORDER BY kind;
SELECT is(pg_temp.problems('load_test', '{"contact_phone": "later"}'), 'fields contact_phone must be a phone number: digits, with or without blanks and "+" in front', 'what is given is a number');
-- 000, 001: the announcement has the originating addresses
SELECT is(pg_temp.lacking(kind, 'origins'), 'fields origins is missing', kind || ': origins') FROM tests ORDER BY kind;
SELECT is(pg_temp.problems('load_test', '{"origins": ["192.0.2.0/24", "our office"]}'), 'fields origins "our office" is neither an address nor a network', 'addresses or networks');
-- 000, 001: the announcement has the traffic, as bandwidth and as requests per second
SELECT is(pg_temp.lacking(kind, f), 'fields ' || f || ' is missing', kind || ': ' || f) FROM tests, unnest('{bandwidth,requests_per_second}'::text[]) f ORDER BY kind, f;
-- 000, 001: the announcement has the target websites
SELECT is(pg_temp.lacking(kind, 'targets'), 'fields targets is missing', kind || ': targets') FROM tests ORDER BY kind;
-- 000, 001: the announcement has the start and end of the test
SELECT is(pg_temp.lacking(kind, f), 'fields ' || f || ' is missing', kind || ': ' || f) FROM tests, unnest('{starts_at,ends_at}'::text[]) f ORDER BY kind, f;

-- 000, 001: broader tests of load and security are announced at least four weeks ahead
SELECT is(pg_temp.problems(kind, '{"starts_at": "2026-03-30 08:00", "ends_at": "2026-03-30 12:00"}'), NULL, kind || ': four weeks ahead') FROM tests WHERE kind ~ 'broad' ORDER BY kind;
SELECT is(pg_temp.problems(kind, '{"starts_at": "2026-03-30 07:59:59", "ends_at": "2026-03-30 12:00"}'),
	'lead starts_at is 2026-03-30 07:59:59+00: requested at 2026-03-02 08:00:00+00, it may start 28 days later', kind || ': not a second less') FROM tests WHERE kind ~ 'broad' ORDER BY kind;
-- 000, 001: broader is, for instance, a load test of applications on the vendor's infrastructure
SELECT is(sla.earliest_start('t amazee', 'broad_load_test', '2026-03-02 08:00'), '2026-03-30 08:00', 'a load test of applications on the infrastructure');
-- 000, 001: broader is, for instance, a security test of that infrastructure itself
SELECT is(sla.earliest_start('t amazee', 'broad_security_test', '2026-03-02 08:00'), '2026-03-30 08:00', 'a security test of the infrastructure');

-- The client's requests come to a table of ours
CREATE TABLE request (id int PRIMARY KEY, kind text, requested_at timestamptz, starts_at timestamptz, ends_at timestamptz, slot_agreed_at timestamptz);
SELECT sla.guard('request', policy => 't amazee', kind_column => 'kind', requested_at => 'requested_at');

-- 000, 001: assistance is requested at least 30 days ahead
SELECT lives_ok($$INSERT INTO request VALUES (1, 'weekend_assistance', '2026-02-05 10:00', '2026-03-07 10:00', '2026-03-07 14:00')$$, 'thirty days ahead');
SELECT throws_ok($$INSERT INTO request VALUES (2, 'weekend_assistance', '2026-02-05 10:00:01', '2026-03-07 10:00', '2026-03-07 14:00')$$, 'SL002', NULL, 'not a second less');
SELECT is(sla.earliest_start('t amazee', 'weekend_assistance', '2026-02-05 10:00'), '2026-03-07 10:00', 'so it can start');
SELECT is(sla.earliest_start('t amazee', 'weekend_assistance', '2026-02-08 10:00'), '2026-03-14 00:00', 'in the week there are the global business hours: the weekend after it');
SELECT throws_ok($$INSERT INTO request VALUES (2, 'weekend_assistance', '2026-01-05', '2026-03-09 10:00', '2026-03-09 14:00')$$, 'SL002', NULL, 'within these hours nothing needs to be requested');
-- 000, 001: time slots are defined by both parties at least 20 days ahead
SELECT lives_ok($$UPDATE request SET slot_agreed_at = '2026-02-15 10:00' WHERE id = 1$$, 'twenty days ahead');
SELECT throws_ok($$UPDATE request SET slot_agreed_at = '2026-02-15 10:00:01' WHERE id = 1$$, 'SL002', NULL, 'not a second less');
SELECT throws_ok($$UPDATE request SET starts_at = '2026-03-07 09:00' WHERE id = 1$$, 'SL002', NULL, 'nor is the slot moved to where it would be');

-- 000, 001: planned assistance, somebody being online and available, is charged outside these hours
-- 000, 001: a slot is charged in any case, also if it was not used
-- 000, 001: assistance comes in buckets of two hours
-- 000, 001: what exceeds a slot is charged in buckets of two hours, too
INSERT INTO sla.booking (id, account, policy, requested_at, slot, actual_end) VALUES
	(-1, 'used', 't amazee', '2026-02-01', '[2026-03-07 10:00, 2026-03-07 14:00)', '2026-03-07 14:00'), (-2, 'not used', 't amazee', '2026-02-01', '[2026-03-07 10:00, 2026-03-07 14:00)', NULL),
	(-3, 'left early', 't amazee', '2026-02-01', '[2026-03-07 10:00, 2026-03-07 14:00)', '2026-03-07 10:05'), (-4, 'three hours', 't amazee', '2026-02-01', '[2026-03-07 10:00, 2026-03-07 13:00)', NULL),
	(-5, 'in the week', 't amazee', '2026-02-01', '[2026-03-04 10:00, 2026-03-04 14:00)', '2026-03-04 15:00'), (-6, 'from Friday on', 't amazee', '2026-02-01', '[2026-03-06 22:00, 2026-03-07 01:00)', NULL),
	(-7, 'a minute more', 't amazee', '2026-02-01', '[2026-03-07 10:00, 2026-03-07 14:00)', '2026-03-07 14:01'), (-8, 'two hours more', 't amazee', '2026-02-01', '[2026-03-07 10:00, 2026-03-07 14:00)', '2026-03-07 16:00'),
	(-9, 'three hours more', 't amazee', '2026-02-01', '[2026-03-07 10:00, 2026-03-07 14:00)', '2026-03-07 17:00'), (-10, 'into Monday', 't amazee', '2026-02-01', '[2026-03-08 20:00, 2026-03-09 00:00)', '2026-03-09 03:00');
SELECT is((SELECT charged FROM sla.charge WHERE id = t.id AND what = 'assistance'), t.charged, what || ' is charged')
FROM (VALUES (-1, 'a slot', '4 hours'::interval), (-2, 'one that was not used', '4 hours'), (-3, 'one that was left early', '4 hours'), (-4, 'one of three hours', '4 hours'),
	(-5, 'nothing in the week', '0'), (-6, 'what lies on Saturday', '2 hours'), (-7, 'a minute more as a bucket', '6 hours'), (-8, 'two hours more as one', '6 hours'),
	(-9, 'three hours more as two', '8 hours'), (-10, 'nothing from Monday on', '4 hours')) t(id, what, charged);

-- 000, 001: questionnaires of yes or no take at least two weeks
SELECT is(sla.earliest_answer('t amazee', 'binary', '2026-03-02 08:00'), '2026-03-16 08:00', 'two weeks');
-- 000, 001: questionnaires with open questions take at least four weeks
SELECT is(sla.earliest_answer('t amazee', 'open', '2026-03-02 08:00'), '2026-03-30 08:00', 'four weeks');
SELECT is(sla.earliest_answer('t zurich', 'open', '2026-03-02 08:00+01'), '2026-03-30 08:00+02', 'by the clock on the wall');
-- 000, 001: time that employees spend on such answers is billable
INSERT INTO sla.time_entry (account, policy, kind, worked_at, spent) VALUES ('asker', 't amazee', 'open', '2026-03-20 10:00', '5 hours'), ('asker', 't amazee', 'binary', '2026-03-21 10:00', '40 min');
SELECT is((SELECT charged FROM sla.charge_by_month WHERE account = 'asker' AND month = '2026-03-01'), '5 hours 40 min', 'all of it');

SELECT * FROM finish();
ROLLBACK;
