-- Requests, questionnaires and assistance in policy documents and tables
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(61);

CREATE FUNCTION pg_temp.doc(rules jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"policy": "t planned", "time_zone": "Europe/Berlin",
		"calendars": {"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}, "week": {"hours": "UTC Mo-Fr 00:00-24:00"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}, {"severity": "S2", "metric": "response", "goal": "1h", "calendar": "week"}]}'::jsonb || rules $$;
CREATE FUNCTION pg_temp.problems(rules jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(path || ' ' || problem, ' + ' ORDER BY ordinality) FROM sla.policy_problems(pg_temp.doc(rules)) WITH ORDINALITY $$;

-- Leads
SELECT is(sla.is_lead(lead), true, lead || ' is a lead') FROM unnest(ARRAY['2 weeks', '1w', '14 days', '30d', '36 hours', '36h', '90 min', '1 week 2 days 3h', '2W', '10 business days', '10bd', '2bd 3h', '36525 days']) lead;
SELECT is(sla.is_lead(lead), false, lead || ' is none') FROM unnest(ARRAY['0 days', '0h', '36526 days', '99999999 weeks', '3s', '0bd']) lead;
SELECT throws_ok(format('SELECT sla.is_lead(%L)', lead), '22P02', NULL, lead || ' is none at all') FROM unnest(ARRAY['', '1 month', '2 years', '-2 weeks', 'soon', '1.5 days']) lead;
SELECT is((SELECT string_agg(sla.canonical_lead(lead), ', ' ORDER BY i) FROM unnest(ARRAY['2 weeks', '1 WEEK 1d', '36h', '90 min', '1 day 61min', '10 business days']) WITH ORDINALITY l(lead, i)),
	'14 days, 8 days, 36 hours, 1 hour 30 minutes, 1 day 1 hour 1 minute, 10bd', 'in one spelling');
SELECT is(sla.lead_interval('10bd'), NULL, 'business days are no interval');
SELECT is(sla.lead_interval('2 weeks 36h'), '14 days 36:00:00', 'days stay days, and hours hours');

-- Problems, all at once
SELECT is(pg_temp.problems('{"requests": []}'), '$.requests must be an object of kinds', 'requests');
SELECT is(pg_temp.problems('{"requests": {"a": 1, " b": {}}}'),
	'$.requests.a must be an object + $.requests[" b"] a kind of request must have a name of 1 to 255 bytes without control characters and blanks at the ends', 'kinds');
SELECT is(pg_temp.problems('{"requests": {"a": {"lead": "1 month", "slot_lead": 5, "title": "", "when": "never"}}}'),
	'$.requests.a.when unknown member; known are title, lead, slot_lead, calendar, inside, outside, required + $.requests.a.title must be a string that is not blank'
	' + $.requests.a.lead "1 month" is neither weeks, days and hours, as in "2 weeks" or "36 hours", nor business days, as in "10 business days"'
	' + $.requests.a.slot_lead must be more than nothing and at most a hundred years, as in "2 weeks", "36 hours" or "10 business days"', 'leads');
SELECT is(pg_temp.problems('{"requests": {"a": {"lead": "10bd"}}}'), '$.requests.a.calendar must be the calendar of the business days of lead', 'business days need a calendar');
SELECT is(pg_temp.problems('{"requests": {"a": {"lead": "10 days", "calendar": "day"}}}'), '$.requests.a.calendar is of no use: no lead has business days', 'others have none');
SELECT is(pg_temp.problems('{"requests": {"a": {"inside": "day", "outside": "night"}}}'),
	'$.requests.a.outside calendar "night" is not among the calendars of the document + $.requests.a.outside contradicts inside: name one of them', 'hours');
SELECT is(pg_temp.problems('{"requests": {"a": {"required": ["x", 1, "x", ""]}}}'),
	'$.requests.a.required[1] must be the name of a field: 1 to 255 bytes without control characters and blanks at the ends + $.requests.a.required[2] x is listed twice'
	' + $.requests.a.required[3] must be the name of a field: 1 to 255 bytes without control characters and blanks at the ends', 'fields');
SELECT is(pg_temp.problems('{"questionnaires": {"a": {}, "b": {"at_least": "2 weeks", "billable": "yes"}}}'),
	'$.questionnaires.a.at_least is required + $.questionnaires.b.billable must be true or false', 'questionnaires');
SELECT is(pg_temp.problems('{"assistance": {"bucket": "2 days", "outside": "night"}}'),
	'$.assistance.outside calendar "night" is not among the calendars of the document + $.assistance.bucket must be elapsed time, more than nothing, as in "2 hours"', 'assistance');
SELECT is(pg_temp.problems('{"assistance": {"bucket": "2bd"}}'), '$.assistance.bucket must be elapsed time, more than nothing, as in "2 hours"', 'is charged by time that elapses');

SELECT is((SELECT problem FROM sla.policy_problems(pg_temp.doc('{}') || '{"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}]}') WHERE path = '$.calendars.week'),
	'is used by no target', 'a calendar is used');
SELECT is((SELECT problem FROM sla.policy_problems(pg_temp.doc(rules) || '{"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}]}')), NULL, 'by ' || rules::text)
FROM unnest(ARRAY['{"requests": {"a": {"lead": "2bd", "calendar": "week"}}}', '{"requests": {"a": {"inside": "week"}}}', '{"requests": {"a": {"outside": "week"}}}',
	'{"questionnaires": {"a": {"at_least": "2bd", "calendar": "week"}}}', '{"assistance": {"bucket": "2h", "outside": "week"}}']::jsonb[]) rules;

-- Loaded, and given back
SELECT sla.load_policy(pg_temp.doc('{
	"requests": {"a": {"title": "A", "lead": "2 weeks", "slot_lead": "10 business days", "calendar": "day", "outside": "week", "required": ["x", "starts_at"]}, "b": {"inside": "day"}, "c": {}},
	"questionnaires": {"open": {"title": "Open", "at_least": "4 weeks", "billable": true}, "binary": {"at_least": "5bd", "calendar": "day"}},
	"assistance": {"bucket": "120 min", "outside": "week"}}')) AS id \gset
SELECT results_eq(format('SELECT kind, title, lead, slot_lead, calendar, inside, outside, required FROM sla.notice_rule WHERE policy_version_id = %s ORDER BY kind', :id),
	$$VALUES ('a', 'A', '14 days', '10bd', 't planned/day', NULL, 't planned/week', '{x,starts_at}'::text[]), ('b', NULL, NULL, NULL, NULL, 't planned/day', NULL, '{}'), ('c', NULL, NULL, NULL, NULL, NULL, NULL, '{}')$$, 'rules of notice');
SELECT results_eq(format('SELECT kind, title, at_least, calendar, billable FROM sla.turnaround_rule WHERE policy_version_id = %s ORDER BY kind', :id),
	$$VALUES ('binary', NULL, '5bd', 't planned/day', false), ('open', 'Open', '28 days', NULL, true)$$, 'of turnaround');
SELECT results_eq(format('SELECT bucket, outside FROM sla.assistance_rule WHERE policy_version_id = %s', :id), $$VALUES ('2 hours'::interval, 't planned/week')$$, 'of assistance');
SELECT is(sla.policy_document('t planned') -> 'assistance', '{"bucket": "120 min", "outside": "week"}', 'the document comes back as it was');
UPDATE sla.notice_rule SET title = 'Other', lead = '3 WEEKS' WHERE policy_version_id = :id AND kind = 'a';
SELECT is(sla.policy_document('t planned') - '{policy,time_zone,calendars,targets}'::text[], '{
	"requests": {"a": {"title": "Other", "lead": "21 days", "slot_lead": "10bd", "calendar": "day", "outside": "week", "required": ["x", "starts_at"]}, "b": {"inside": "day"}, "c": {}},
	"questionnaires": {"open": {"title": "Open", "at_least": "28 days", "billable": true}, "binary": {"at_least": "5bd", "calendar": "day"}},
	"assistance": {"bucket": "2 hours", "outside": "week"}}', 'or as the tables say it now');
SELECT lives_ok($$SELECT sla.load_policy(sla.policy_document('t planned') || '{"policy": "t again"}')$$, 'and can be loaded');
SELECT is(sla.policy_document('t again') - 'policy', sla.policy_document('t planned') - 'policy', 'to say the same');

-- Held together
SELECT throws_ok(format($$INSERT INTO sla.notice_rule (policy_version_id, kind, outside) VALUES (%s, 'x', 'nowhere')$$, :id), '23503', NULL, 'a calendar must exist');
SELECT throws_ok($$INSERT INTO sla.assistance_rule VALUES (-1, '2 hours')$$, '23503', NULL, 'and a version');
SELECT throws_ok(format($$UPDATE sla.assistance_rule SET bucket = %L$$, b), '23514', NULL, b || ' is no bucket') FROM unnest('{0,-2 hours,1 day,1 mon,90 s,876601 hours}'::text[]) b;
DELETE FROM sla.target WHERE policy_version_id = :id;
DELETE FROM sla.turnaround_rule WHERE policy_version_id = :id;
SELECT throws_ok($$DELETE FROM sla.calendar WHERE name = 't planned/week'$$, '23503', 'calendar "t planned/week" is still used by a notice rule', 'a calendar in use stays');
DELETE FROM sla.policy WHERE name = 't planned';
SELECT is((SELECT count(*) FROM sla.notice_rule WHERE policy_version_id = :id) + (SELECT count(*) FROM sla.assistance_rule WHERE policy_version_id = :id), 0::bigint, 'rules go with their version');

SELECT * FROM finish();
ROLLBACK;
