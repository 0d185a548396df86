-- What is charged: booked time in buckets, what exceeds it in buckets, time spent
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(80);

-- 2026-03-07 is a Saturday.
CREATE FUNCTION pg_temp.parts(slot tstzrange, actual_end timestamptz DEFAULT NULL, bucket interval DEFAULT '2 hours', outside sla.business_hours DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', part, counted, buckets, charged), ', ' ORDER BY part) FROM sla.explain_billable(slot, actual_end, bucket, outside) $$;

SELECT is(sla.billable(slot), expected, 'a slot of ' || (upper(slot) - lower(slot)))
FROM (VALUES ('[2026-03-07 10:00, 2026-03-07 12:00)'::tstzrange, '2 hours'::interval), ('[2026-03-07 10:00, 2026-03-07 12:00:00.000001)', '4 hours'),
	('[2026-03-07 10:00, 2026-03-07 11:59:59.999999)', '2 hours'), ('[2026-03-07 10:00, 2026-03-07 10:00:00.000001)', '2 hours'), ('[2026-03-07 10:00, 2026-03-07 13:00)', '4 hours'),
	('[2026-03-07 00:00, 2026-03-09 00:00)', '48 hours'), ('[2026-01-01, 2027-01-01)', '8760 hours')) t(slot, expected);
SELECT is(sla.billable('(2026-03-07 10:00, 2026-03-07 12:00]'), '2 hours', 'whatever its bounds include');
SELECT is(sla.billable('[2026-03-07 10:00, 2026-03-07 12:00)', t), '2 hours', 'booked is charged, also when it ended at ' || t) FROM unnest('{2026-03-01,2026-03-07 10:00,2026-03-07 11:00,2026-03-07 12:00}'::timestamptz[]) t;
SELECT is(pg_temp.parts('[2026-03-07 10:00, 2026-03-07 12:00)', '2026-03-07 12:00:00.000001'), 'booked 02:00:00 1 02:00:00, overage 00:00:00.000001 1 02:00:00', 'what exceeds it begins a bucket');
SELECT is(pg_temp.parts('[2026-03-07 10:00, 2026-03-07 12:00)', '2026-03-07 14:00'), 'booked 02:00:00 1 02:00:00, overage 02:00:00 1 02:00:00', 'and fills it');
SELECT is(pg_temp.parts('[2026-03-07 10:00, 2026-03-07 12:00)', '2026-03-07 14:00:00.000001'), 'booked 02:00:00 1 02:00:00, overage 02:00:00.000001 2 04:00:00', 'and the next');
SELECT is(pg_temp.parts('[2026-03-07 10:00, 2026-03-07 13:00)', '2026-03-07 13:30'), 'booked 03:00:00 2 04:00:00, overage 00:30:00 1 02:00:00', 'buckets of its own, counted from the end of the slot');
SELECT is(sla.billable('[2026-03-07 10:00, 2026-03-07 13:00)', '2026-03-07 13:30'), '6 hours', 'summed up');
SELECT is(sla.billable('[2026-03-07 10:00, 2026-03-07 13:00)', NULL, b), e, 'buckets of ' || b)
FROM (VALUES ('1 hour'::interval, '3 hours'::interval), ('90 min', '3 hours'), ('50 min', '200 min'), ('1 us', '3 hours'), ('1000 hours', '1000 hours'), ('0.000007 s', '03:00:00.000001')) t(b, e);

-- Clock changes: time that elapses. Berlin skips an hour on 2026-03-29, and has one twice on 2026-10-25.
SET LOCAL timezone = 'Europe/Berlin';
SELECT is(sla.billable('[2026-03-29 01:00, 2026-03-29 04:00)'), '2 hours', 'three hours on the clock, two that pass');
SELECT is(sla.billable('[2026-10-25 01:00, 2026-10-25 03:00)'), '4 hours', 'two hours on the clock, three that pass');
SELECT is(sla.billable('[2026-03-28 12:00, 2026-03-29 12:00)'), '24 hours', 'a day of 23 hours');
SELECT is(sla.billable('[2026-10-24 12:00, 2026-10-25 12:00)'), '26 hours', 'one of 25');
SET LOCAL timezone = 'UTC';

-- Only what lies outside of hours
SELECT is(pg_temp.parts('[2026-03-06 22:00, 2026-03-07 03:00)', NULL, '2 hours', 'UTC Mo-Fr 00:00-24:00'), 'booked 03:00:00 2 04:00:00', 'of a slot that begins within them');
SELECT is(pg_temp.parts('[2026-03-08 20:00, 2026-03-09 00:00)', '2026-03-09 02:00', '2 hours', 'UTC Mo-Fr 00:00-24:00'), 'booked 04:00:00 2 04:00:00, overage 00:00:00 0 00:00:00', 'what exceeds it within them is not charged');
SELECT is(pg_temp.parts('[2026-03-04 10:00, 2026-03-04 12:00)', NULL, '2 hours', 'UTC Mo-Fr 00:00-24:00'), 'booked 00:00:00 0 00:00:00', 'nor is a slot within them');
SELECT is(pg_temp.parts('[2026-03-06 23:00, 2026-03-15 01:00)', NULL, '2 hours', 'UTC Mo-Fr 00:00-24:00'), 'booked 73:00:00 37 74:00:00', 'parts outside add up before they are rounded');

-- What cannot be reckoned
SELECT is(sla.billable(NULL), NULL, 'no slot');
SELECT is(sla.billable('[2026-03-07 10:00, 2026-03-07 12:00)', NULL, NULL), NULL, 'no bucket');
SELECT throws_ok(format('SELECT sla.billable(%L)', s), '22023', 'a time slot must have a length', s || ' has no length') FROM unnest(ARRAY['empty', '[2026-03-07 10:00,2026-03-07 10:00]', '(2026-03-07 10:00,2026-03-07 10:00)']) s;
SELECT throws_ok(format('SELECT sla.billable(%L)', s), '22008', 'a time slot must have a start and an end', s || ' has no start and end')
FROM unnest(ARRAY['[2026-03-07,)', '(,2026-03-07]', '(,)', '[2026-03-07,infinity)', '[-infinity,2026-03-07)', '[-infinity,infinity]']) s;
SELECT throws_ok($$SELECT sla.billable('[4713-01-01 BC, 245000-01-01)')$$, '22003', NULL, 'more hours than there are numbers for');
SELECT throws_ok(format($$SELECT sla.billable('[2026-03-07 10:00, 2026-03-07 12:00)', %L)$$, s), '22008', NULL, s || ' is no end') FROM unnest('{infinity,-infinity}'::text[]) s;
SELECT throws_ok(format($$SELECT sla.billable('[2026-03-07 10:00, 2026-03-07 12:00)', NULL, %L)$$, b), '22023', 'a bucket must be elapsed time, and more than nothing', b || ' is no bucket')
FROM unnest(ARRAY['0', '-2 hours', '1 month', '1 year', '1 day', '1 day 2 hours', '1 month -30 days 2 hours']) b;
SELECT is(sla.billable('[0001-01-01, 9999-12-31)', NULL, '1 hour') > '80000000 hours', true, 'long slots are slots');

-- Facts, and what is charged by them
SELECT sla.load_policy('{"policy": "t bills", "time_zone": "Europe/Berlin", "calendars": {"week": {"hours": "UTC Mo-Fr 00:00-24:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "week"}],
	"questionnaires": {"open": {"at_least": "4 weeks", "billable": true}, "free": {"at_least": "1 week"}}, "assistance": {"bucket": "2 hours", "outside": "week"}}') AS id \gset
SELECT sla.load_policy(sla.policy_document('t bills') || '{"policy": "t free"}' #- '{assistance}' #- '{questionnaires}');
INSERT INTO sla.booking (account, policy, requested_at, slot, actual_end) VALUES
	('a', 't bills', '2026-01-01', '[2026-02-28 22:59, 2026-02-28 23:59)', NULL),		-- February in Berlin, Saturday in UTC
	('a', 't bills', '2026-01-01', '[2026-02-28 23:30, 2026-03-01 01:30)', '2026-03-01 02:00'),		-- March there
	('a', 't bills', '2026-01-01', '[2026-03-04 10:00, 2026-03-04 12:00)', NULL),		-- a Wednesday
	('b', 't free', '2026-01-01', '[2026-03-07 10:00, 2026-03-07 12:00)', NULL);
INSERT INTO sla.time_entry (account, policy, kind, worked_at, spent) VALUES
	('a', 't bills', 'open', '2026-03-02 10:00', '3:15'), ('a', 't bills', 'open', '2026-03-03 10:00', '0:45'), ('a', 't bills', 'free', '2026-03-03 10:00', '1:00'),
	('a', 't bills', 'unknown', '2026-03-03 10:00', '1:00'), ('b', 't free', 'open', '2026-03-03 10:00', '1:00');
SELECT results_eq($$SELECT account, month, bookings, booked, overage, assistance_charged, entries, spent, questionnaires_charged, charged, without_rule FROM sla.charge_by_month WHERE policy LIKE 't %' ORDER BY 1, 2$$,
	$$VALUES ('a', '2026-02-01'::date, 1::bigint, '01:00'::interval, '0'::interval, '2:00'::interval, 0::bigint, '0'::interval, NULL::interval, '2:00'::interval, 0::bigint),
		('a', '2026-03-01', 2, '2:00', '0:30', '4:00', 4, '6:00', '4:00', '8:00', 1), ('b', '2026-03-01', 1, '0', '0', '0', 1, '1:00', '0', '0', 2)$$, 'by account and month, in the zone of the policy');
SELECT results_eq($$SELECT what, kind, has_rule, booked, overage, spent, charged FROM sla.charge WHERE account = 'a' AND policy = 't bills' ORDER BY what, at, kind$$,
	$$VALUES ('assistance', NULL, true, '1:00'::interval, '0'::interval, '0'::interval, '2:00'::interval), ('assistance', NULL, true, '2:00', '0:30', '0', '4:00'), ('assistance', NULL, true, '0', '0', '0', '0'),
		('questionnaire', 'open', true, '0', '0', '3:15', '3:15'), ('questionnaire', 'free', true, '0', '0', '1:00', '0'), ('questionnaire', 'open', true, '0', '0', '0:45', '0:45'),
		('questionnaire', 'unknown', false, '0', '0', '1:00', '0')$$, 'one by one');
SELECT sla.load_policy(jsonb_set(sla.policy_document('t bills'), '{assistance,bucket}', '"8 hours"'), '2026-02-01');
SELECT is((SELECT sum(charged) FROM sla.charge WHERE account = 'a' AND what = 'assistance'), '6 hours', 'a new version is for what is requested from then on');
UPDATE sla.booking SET requested_at = '2026-02-02' WHERE account = 'a';
SELECT is((SELECT sum(charged) FROM sla.charge WHERE account = 'a' AND what = 'assistance'), '24 hours', 'which then counts');

SELECT throws_ok(format($$INSERT INTO sla.booking (account, policy, slot) VALUES ('a', 't bills', %L)$$, s), '23514', NULL, s || ' cannot be booked')
FROM unnest(ARRAY['empty', '[2026-03-07,)', '(,)', '[2026-03-07,infinity)', '[2026-03-07,2026-03-07]', '[2026-01-01,2027-03-01)']) s;
SELECT throws_ok(format($$INSERT INTO sla.booking (account, policy, slot, actual_end) VALUES ('a', 't bills', '[2026-03-07,2026-03-08)', %L)$$, s), '23514', NULL, s || ' is no end of one') FROM unnest('{infinity,-infinity,2028-01-01}'::text[]) s;
SELECT throws_ok(format($$INSERT INTO sla.time_entry (account, policy, kind, spent) VALUES ('a', 't bills', 'open', %L)$$, s), '23514', NULL, s || ' is no time spent') FROM unnest('{0,-1 hour,1 day,1 month,9000 hours}'::text[]) s;
SELECT throws_ok($$INSERT INTO sla.booking (account, policy, slot) VALUES ('a', 'nobody', '[2026-03-07,2026-03-08)')$$, '23503', NULL, 'a policy that is not there');
SELECT throws_ok($$DELETE FROM sla.policy WHERE name = 't bills'$$, '23503', NULL, 'nor goes while it is charged by');
CREATE ROLE sla_test_reader;
SET LOCAL ROLE sla_test_reader;
SELECT throws_ok('SELECT FROM sla.' || t, '42501', NULL, t || ' is not for everybody') FROM unnest('{booking,time_entry,charge,charge_by_month}'::text[]) t;
SELECT lives_ok('SELECT FROM sla.' || t, t || ' is') FROM unnest('{notice_rule,turnaround_rule,assistance_rule}'::text[]) t;

SELECT * FROM finish();
ROLLBACK;
