-- What is wrong with a request, all of it at once
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(102);

SELECT sla.load_policy('{"policy": "t check", "time_zone": "Europe/Berlin",
	"calendars": {"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}, "always": {"hours": "24/7"}, "never": {"hours": "UTC Mo 10:00-11:00 & UTC Tu 10:00-11:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}],
	"requests": {"test": {"lead": "2 weeks", "required": ["vectors", "contact_email", "origins", "bandwidth", "requests_per_second", "targets", "ends_at", "own"]},
		"slot": {"lead": "30 days", "slot_lead": "20 days", "outside": "day"}, "office": {"inside": "day"}, "any": {}, "hopeless": {"lead": "1 day", "slot_lead": "5 business days", "calendar": "never", "outside": "always"}, "fields": {"required": ["own"]}}}');
CREATE FUNCTION pg_temp.check(kind text, request jsonb, at timestamptz DEFAULT '2026-03-20 10:00+01') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', p.rule, p.field, p.problem, '[' || p.accepted || ']'), '; ' ORDER BY p.ordinality)
	FROM sla.check_request('t check', kind, request, at) WITH ORDINALITY p $$;
CREATE FUNCTION pg_temp.full_request(changes jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"vectors": "HTTP", "contact_email": "ann@acme.example", "origins": ["192.0.2.0/24", "2001:db8::1"], "bandwidth": "200 Mbit/s", "requests_per_second": 500,
		"targets": ["www.acme.example"], "own": 7, "starts_at": "2026-04-03 10:00", "ends_at": "2026-04-03 12:00"}'::jsonb || changes $$;

SELECT is(pg_temp.check('test', pg_temp.full_request()), NULL, 'all is there');
SELECT is(pg_temp.check('any', NULL), NULL, 'nothing is asked for');
SELECT is((SELECT string_agg(rule || ' ' || field || ' ' || problem, ', ' ORDER BY ordinality) FROM sla.check_request('t check', 'test', NULL, '2026-03-20') WITH ORDINALITY),
	'fields vectors is missing, fields contact_email is missing, fields origins is missing, fields bandwidth is missing, fields requests_per_second is missing,'
	' fields targets is missing, fields ends_at is missing, fields own is missing, fields starts_at is missing', 'everything is missing');
SELECT is((SELECT accepted FROM sla.check_request('t check', 'test', '{}', '2026-03-20 10:00+01') WHERE field = 'starts_at'), '2026-04-03 10:00:00+02 or later', 'a start that is missing: when it could be');

-- Fields that say nothing
SELECT is(pg_temp.check('fields', jsonb_build_object('own', v)), 'fields own is missing', v::text || ' says nothing')
FROM unnest(ARRAY['null', '""', '"  "', '"\t\n"', '"{}"', '" { } "', '"{\"\",NULL}"', '","', '[]', '[""]', '[null, " "]', '{}', '{"a": null}', '{"a": [""]}', 'false']::jsonb[]) v;
SELECT is(pg_temp.check('fields', jsonb_build_object('own', v)), NULL, v::text || ' says something')
FROM unnest(ARRAY['"x"', '0', 'true', '["", "x"]', '{"a": 0}', '"{x}"', '"NULL"']::jsonb[]) v;

-- Fields of the wrong type, or that are not what they should be
SELECT is(pg_temp.check('test', pg_temp.full_request(jsonb_build_object(field, v))), 'fields ' || field || ' ' || problem, field || ' ' || v::text)
FROM (VALUES
	('vectors', '5'::jsonb, 'must be text, not a JSON number'), ('targets', '{"a": "b"}', 'must be text, not a JSON object'), ('contact_name', 'true', 'must be text, not a JSON boolean'),
	('contact_email', '"ann"', 'must be an address for email'), ('contact_email', '"ann@acme"', 'must be an address for email'), ('contact_email', '["a@b.example"]', 'must be an address for email'),
	('contact_email', '"a b@c.example"', 'must be an address for email'),
	('contact_phone', '"call me"', 'must be a phone number: digits, with or without blanks and "+" in front'), ('contact_phone', '5', 'must be a phone number: digits, with or without blanks and "+" in front'),
	('origins', '"192.0.2.300"', '"192.0.2.300" is neither an address nor a network'), ('origins', '["192.0.2.1", "home"]', '"home" is neither an address nor a network'),
	('origins', '["192.0.2.1", null]', '"" is neither an address nor a network'), ('origins', '"192.0.2.0/33"', '"192.0.2.0/33" is neither an address nor a network'), ('origins', '7', 'must be a list of addresses, not a JSON number'),
	('bandwidth', '0', 'must be a number above 0, with or without a unit, as in "200 Mbit/s"'), ('bandwidth', '-1', 'must be a number above 0, with or without a unit, as in "200 Mbit/s"'),
	('bandwidth', '"much"', 'must be a number above 0, with or without a unit, as in "200 Mbit/s"'), ('bandwidth', '"NaN"', 'must be a number above 0, with or without a unit, as in "200 Mbit/s"'),
	('bandwidth', '"0 Mbit/s"', 'must be a number above 0, with or without a unit, as in "200 Mbit/s"'), ('bandwidth', '[5]', 'must be a number above 0, with or without a unit, as in "200 Mbit/s"'),
	('requests_per_second', '"500 rps"', 'must be a number above 0'), ('requests_per_second', '0.0', 'must be a number above 0'), ('requests_per_second', '"Infinity"', 'must be a number above 0'),
	('ends_at', '"soon"', 'invalid input syntax for type timestamp with time zone: "soon"'), ('ends_at', '"2026-02-30"', 'date/time field value out of range: "2026-02-30"'),
	('ends_at', '"infinity"', 'must be a date and a time, not infinity'), ('ends_at', '"tomorrow"', 'must be a date and a time, not tomorrow'), ('ends_at', '"tomorrow 10:00"', 'must be a date and a time, not tomorrow 10:00'),
	('ends_at', '"Today 09:00"', 'must be a date and a time, not Today 09:00'), ('ends_at', '"yesterday 21:00"', 'must be a date and a time, not yesterday 21:00'), ('ends_at', '1775000000', 'must be a time, not a JSON number')) t(field, v, problem);
SELECT is(pg_temp.check('test', pg_temp.full_request(jsonb_build_object(field, v))), NULL, field || ' ' || v::text)
FROM (VALUES ('origins', '"192.0.2.1"'::jsonb), ('origins', '"192.0.2.1, 198.51.100.0/24; ::1"'), ('origins', '"{192.0.2.1,::1}"'), ('bandwidth', '0.5'), ('bandwidth', '"1.5Gbps"'), ('bandwidth', '"100"'), ('bandwidth', '"10 MB/s"'),
	('requests_per_second', '"12.5"'), ('contact_phone', '"+49 (0)30 / 1234-56"'), ('contact_phone', '""'), ('targets', '"a, b"')) t(field, v);
SELECT is(pg_temp.check('test', v), 'fields the request must be a JSON object, not a JSON ' || jsonb_typeof(v), v::text || ' is no request') FROM unnest(ARRAY['[]', '"x"', 'null', '5', 'true']::jsonb[]) v;

-- The lead, to the microsecond, and the end
SELECT is(pg_temp.check('test', pg_temp.full_request('{"starts_at": "2026-04-03 09:59:59.999999"}')),
	'lead starts_at is 2026-04-03 09:59:59.999999+02: requested at 2026-03-20 10:00:00+01, it may start 14 days later [2026-04-03 10:00:00+02 or later]', 'a microsecond too early');
SELECT is(pg_temp.check('test', pg_temp.full_request('{"starts_at": "2026-04-03T08:00:00Z"}')), NULL, 'times say what zone they are in');
SELECT is(pg_temp.check('test', pg_temp.full_request('{"starts_at": "2026-01-01"}')),
	'lead starts_at is 2026-01-01 00:00:00+01: requested at 2026-03-20 10:00:00+01, it may start 14 days later [2026-04-03 10:00:00+02 or later]', 'long gone');
SELECT is(pg_temp.check('test', pg_temp.full_request('{"ends_at": "2026-04-03 10:00"}')), 'period ends_at must lie after starts_at [later than 2026-04-03 10:00:00+02]', 'no time at all');
SELECT is(pg_temp.check('test', pg_temp.full_request('{"starts_at": "2026-04-01", "ends_at": "2026-03-31", "own": null}')),
	'fields own is missing; period ends_at must lie after starts_at [later than 2026-04-01 00:00:00+02]'
	'; lead starts_at is 2026-04-01 00:00:00+02: requested at 2026-03-20 10:00:00+01, it may start 14 days later [2026-04-03 10:00:00+02 or later]', 'all at once');

-- Slots, agreed in time, and outside of hours. 2026-05-02 is a Saturday.
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-05-02 10:00", "ends_at": "2026-05-02 12:00"}'), NULL, 'not agreed on yet');
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-05-02 10:00", "ends_at": "2026-05-02 12:00", "slot_agreed_at": "2026-04-12 10:00"}'), NULL, 'agreed on twenty days before');
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-05-02 10:00", "ends_at": "2026-05-02 12:00", "slot_agreed_at": "2026-04-12 10:00:00.000001"}'),
	'slot_lead slot_agreed_at is 2026-04-12 10:00:00.000001+02: a time slot is agreed on 20 days before it starts [a slot from 2026-05-02 10:00:00.000001+02 on]', 'a microsecond too late');
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-05-04 08:00", "ends_at": "2026-05-04 09:00"}'), NULL, 'up to the opening');
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-05-04 08:00", "ends_at": "2026-05-04 09:00:00.000001"}'),
	'outside starts_at must lie outside the hours "t check/day" from start to end [from 2026-05-04 08:00:00+02 to 2026-05-04 09:00:00+02]', 'and no further');
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-05-04 12:00"}'),
	'outside starts_at must lie outside the hours "t check/day" from start to end [from 2026-05-04 17:00:00+02 to 2026-05-05 09:00:00+02]', 'not within');
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-03-23 12:00"}', '2026-03-20 12:00+01'),
	'lead starts_at is 2026-03-23 12:00:00+01: requested at 2026-03-20 12:00:00+01, it may start 30 days later [2026-04-19 12:00:00+02 or later]'
	'; outside starts_at must lie outside the hours "t check/day" from start to end [from 2026-04-19 12:00:00+02 to 2026-04-20 09:00:00+02]', 'what is accepted keeps both rules');
SELECT is(pg_temp.check('slot', '{"starts_at": "2026-05-04 12:00", "slot_agreed_at": "2026-05-01 12:00"}'),
	'slot_lead slot_agreed_at is 2026-05-01 12:00:00+02: a time slot is agreed on 20 days before it starts [a slot from 2026-05-21 17:00:00+02 on]'
	'; outside starts_at must lie outside the hours "t check/day" from start to end [from 2026-05-21 17:00:00+02 to 2026-05-22 09:00:00+02]', 'or all three');
SELECT is(pg_temp.check('hopeless', '{"starts_at": "2026-03-20 12:00", "slot_agreed_at": "2026-03-20 11:00"}'),
	'lead starts_at is 2026-03-20 12:00:00+01: requested at 2026-03-20 10:00:00+01, it may start 1 day later; slot_lead slot_agreed_at is 2026-03-20 11:00:00+01: a time slot is agreed on 5bd before it starts'
	'; outside starts_at must lie outside the hours "t check/always" from start to end', 'where nothing is accepted nothing is offered');
SELECT is(pg_temp.check('hopeless', '{}'), 'fields starts_at is missing', 'nor for a start that is missing');
SELECT is(pg_temp.check('office', '{"starts_at": "October 6, 2026 09:00 Europe/Berlin"}'), NULL, 'months and zones are no such words');
SELECT is(pg_temp.check('any', '{"starts_at": "2026-03-20 10:00", "ends_at": "2026-03-20 allballs"}'), 'period ends_at must lie after starts_at [later than 2026-03-20 10:00:00+01]', 'a word that always says the same');
SELECT is(pg_temp.check('any', '{"starts_at": "now"}'), 'fields starts_at must be a date and a time, not now', 'and one that does not');
SELECT is(pg_temp.check('office', '{"starts_at": "2026-05-04 09:00", "ends_at": "2026-05-04 17:00"}'), NULL, 'within: all day long');
SELECT is(pg_temp.check('office', '{"starts_at": "2026-05-04 09:00", "ends_at": "2026-05-05 17:00"}'),
	'inside starts_at must lie within the hours "t check/day" from start to end [from 2026-05-04 09:00:00+02 to 2026-05-04 17:00:00+02]', 'not through the night');
SELECT is(pg_temp.check('office', '{"starts_at": "2026-05-02 09:00"}'),
	'inside starts_at must lie within the hours "t check/day" from start to end [from 2026-05-04 09:00:00+02 to 2026-05-04 17:00:00+02]', 'nor on a weekend');
SELECT is(pg_temp.check('office', '{}'), 'fields starts_at is missing', 'hours need a start');

-- Whoever asks, and however his session is set
SET LOCAL datestyle = 'German';
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL standard_conforming_strings = off;
SELECT is(pg_temp.check('test', pg_temp.full_request('{"starts_at": "2026-04-03 09:59"}'), '2026-03-20 10:00+01'),
	'lead starts_at is 2026-04-03 09:59:00+02: requested at 2026-03-20 10:00:00+01, it may start 14 days later [2026-04-03 10:00:00+02 or later]', 'the answer is the same');
SELECT is(current_setting('timezone') || ' ' || current_setting('datestyle'), 'Asia/Kathmandu German, DMY', 'and so are his settings');
SET LOCAL standard_conforming_strings = on;

-- What is no question
SELECT throws_ok($$SELECT * FROM sla.check_request('nobody', 'test', '{}')$$, '42704', 'policy "nobody" does not exist or has no version', 'an unknown policy');
SELECT throws_ok($$SELECT * FROM sla.check_request('t check', 'tset', '{}')$$, '42704', 'policy "t check" knows no requests of kind "tset"', 'an unknown kind');
SELECT throws_ok($$SELECT * FROM sla.check_request('t check', 'test', '{}', NULL)$$, '22004', 'requested_at must not be null', 'no moment');
SELECT throws_ok($$SELECT * FROM sla.check_request('t check', 'test', '{}', 'infinity')$$, '22023', 'requested_at must not be infinity', 'no real one');
SELECT throws_ok($$SELECT * FROM sla.check_request('t check', NULL, '{}')$$, '42704', NULL, 'no kind');

SELECT * FROM finish();
ROLLBACK;
