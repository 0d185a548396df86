-- sla.load_policy, sla.policy_problems, sla.policy_document
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(87);

CREATE FUNCTION pg_temp.document(changes jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{
		"policy": "t acme",
		"title": "Acme",
		"source": "https://acme.example/support",
		"time_zone": "europe/amsterdam",
		"notes": ["one", "two"],
		"calendars": {
			"support": {"hours": "Europe/Amsterdam Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00",
						"holidays": ["2026-12-25", "2026-12-24"]},
			"always": {"hours": "24/7"}
		},
		"targets": [
			{"severity": "sev 2", "metric": "response", "goal": "1:30", "calendar": "support"},
			{"severity": "S1", "metric": "resolution", "goal": null},
			{"severity": "S1", "metric": "response", "goal": "30 min", "calendar": "always"}
		]}'::jsonb || changes $$;

-- A sound document becomes rows
SELECT is_empty('SELECT * FROM sla.policy_problems(pg_temp.document())', 'a sound document has no problems');
SELECT sla.load_policy(pg_temp.document()) AS first \gset
SELECT row_eq($$ SELECT name, title, source FROM sla.policy WHERE name = 't acme' $$,
			  ROW('t acme', 'Acme', 'https://acme.example/support')::sla.policy, 'the policy');
SELECT results_eq(
	format('SELECT effective_from, time_zone, document FROM sla.policy_version WHERE id = %s', :first),
	$$ VALUES ('-infinity'::timestamptz, 'Europe/Amsterdam', pg_temp.document()) $$,
	'a first version was always in force; the zone is spelled as the server does');
SELECT results_eq(
	$$ SELECT name, hours::text, document_key FROM sla.calendar WHERE policy = 't acme' ORDER BY name $$,
	$$ VALUES ('t acme/always', '24/7', 'always'),
			  ('t acme/support', 'Europe/Amsterdam Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25 off', 'support') $$,
	'calendars carry the policy''s name; hours given for a date win over a holiday');
SELECT results_eq(
	format('SELECT severity::text, metric, goal::text, calendar FROM sla.target WHERE policy_version_id = %s ORDER BY severity, metric', :first),
	$$ VALUES ('S1', 'resolution', NULL, NULL), ('S1', 'response', '30min', 't acme/always'),
			  ('S2', 'response', '1h 30min', 't acme/support') $$,
	'one target per promise');

-- When a version comes into force
SELECT sla.load_policy(pg_temp.document()) AS second \gset
SELECT is((SELECT effective_from FROM sla.policy_version WHERE id = :second), now(), 'a later version: now');
SELECT throws_ok('SELECT sla.load_policy(pg_temp.document())', '23505', NULL, 'not twice at one instant');
SELECT sla.load_policy(pg_temp.document(), '2020-01-01 00:00+00') AS third \gset
SELECT is((SELECT effective_from FROM sla.policy_version WHERE id = :third), '2020-01-01 00:00+00', 'or as given');
SELECT throws_ok($$ SELECT sla.load_policy(pg_temp.document(), 'infinity') $$, '22023', NULL, 'but not never');
SELECT lives_ok($$ SELECT sla.load_policy(pg_temp.document('{"policy": "t late"}'), '2020-01-01 00:00+00') $$, 'also the first version');
SELECT is((SELECT min(effective_from) FROM sla.policy_version WHERE policy = 't late'), '2020-01-01 00:00+00', 'is effective as given');

-- Calendars: shared while they say the same, never changed under an earlier version
SELECT is((SELECT count(*) FROM sla.calendar WHERE policy = 't acme'), 2::bigint, 'versions that say the same share calendars');
SELECT sla.load_policy(jsonb_set(pg_temp.document(), '{calendars,support,holidays}', '["2026-12-25", "2026-12-28"]'), '2030-01-01 00:00+00') AS fourth \gset
SELECT is((SELECT hours::text FROM sla.calendar WHERE name = 't acme/support'),
		  'Europe/Amsterdam Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25 off', 'an earlier version keeps its calendar');
SELECT is((SELECT hours::text FROM sla.calendar WHERE name = 't acme/support@' || :fourth),
		  'Europe/Amsterdam Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2026-12-28 off', 'the new one gets one of its own');
SELECT is((SELECT calendar FROM sla.target WHERE policy_version_id = :fourth AND severity::text = 'S2'), 't acme/support@' || :fourth, 'and refers to it');
SELECT is((SELECT calendar FROM sla.target WHERE policy_version_id = :fourth AND severity::text = 'S1' AND metric = 'response'), 't acme/always', 'and shares the other');
SELECT sla.load_policy(jsonb_set(pg_temp.document(), '{calendars,support,holidays}', '["2026-12-28", "2026-12-25"]'), '2031-01-01 00:00+00') AS fifth \gset
SELECT is((SELECT calendar FROM sla.target WHERE policy_version_id = :fifth AND severity::text = 'S2'), 't acme/support@' || :fourth, 'which the next version shares in turn');
SELECT sla.load_policy(pg_temp.document(), '2032-01-01 00:00+00') AS sixth \gset
SELECT is((SELECT calendar FROM sla.target WHERE policy_version_id = :sixth AND severity::text = 'S2'), 't acme/support', 'going back shares the first');

-- Title and source are those of the last version
SELECT sla.load_policy(pg_temp.document('{"title": "Old Acme"}'), '2010-01-01 00:00+00') AS old \gset
SELECT is((SELECT title FROM sla.policy WHERE name = 't acme'), 'Acme', 'a version before the last leaves the title');
SELECT sla.load_policy(pg_temp.document() - 'title' - 'source', '2040-01-01 00:00+00') AS last \gset
SELECT is((SELECT title || source FROM sla.policy WHERE name = 't acme'), NULL, 'a new last version sets or removes it');

-- Giving back
SELECT is(sla.policy_document('t late'), pg_temp.document('{"policy": "t late"}'), 'the document comes back as it was loaded');
SELECT is(sla.policy_document('t acme'), pg_temp.document() - 'title' - 'source', 'by default that of the last version');
SELECT is(sla.policy_document('t acme', '2031-06-01 00:00+00') #> '{calendars,support}',
		  '{"hours": "Europe/Amsterdam Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2026-12-28 off"}',
		  'or that in force at an instant, written anew because the title has changed since');
SELECT throws_ok($$ SELECT sla.policy_document('t late', '2019-12-31 00:00+00') $$, '42704', NULL, 'before the first version there is none');
SELECT throws_ok($$ SELECT sla.policy_document('t nobody') $$, '42704', NULL, 'nor for an unknown policy');

UPDATE sla.calendar SET hours = sla.with_holidays(hours, '{2027-01-01}') WHERE name = 't late/support';
SELECT is(sla.policy_document('t late') #>> '{calendars,support,hours}',
		  'Europe/Amsterdam Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2027-01-01 off', 'a changed calendar shows');
UPDATE sla.target SET goal = '2h' WHERE calendar = 't late/always';
SELECT is(sla.policy_document('t late') -> 'targets',
	'[{"severity": "S1", "metric": "resolution", "goal": null},
	  {"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"},
	  {"severity": "S2", "metric": "response", "goal": "1h 30min", "calendar": "support"}]', 'so does a changed goal');
SELECT is(sla.policy_document('t late') -> 'notes', '["one", "two"]', 'notes are kept');
SELECT is_empty($$ SELECT * FROM sla.policy_problems(sla.policy_document('t late')) $$, 'what comes back can be loaded');
SELECT sla.policy_document('t late') AS written \gset
SELECT sla.load_policy(sla.policy_document('t late'), '2050-01-01 00:00+00') AS again \gset
SELECT is(sla.policy_document('t late'), :'written'::jsonb, 'and comes back the same');
SELECT is((SELECT count(*) FROM sla.calendar WHERE policy = 't late'), 2::bigint, 'with the same calendars');

-- Rows written by hand, under calendars whose names no document allows
INSERT INTO sla.policy (name) VALUES ('t hand');
INSERT INTO sla.calendar (name, hours, document_key) VALUES ('t/x', 'UTC Mo 09:00-10:00', 'x'), ('t/y', 'UTC Tu 09:00-10:00', 'x');
INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t hand', '-infinity', 'UTC') RETURNING id \gset hand
INSERT INTO sla.target VALUES (:handid, 'S1', 'response', '1h', 't/x'), (:handid, 'S2', 'response', '2h', 't/y');
SELECT is((SELECT array_agg(hours #>> '{hours}' ORDER BY hours #>> '{hours}') FROM jsonb_each(sla.policy_document('t hand') -> 'calendars') AS e(key, hours)),
		  '{UTC Mo 09:00-10:00,UTC Tu 09:00-10:00}', 'calendars that share a name stay apart');
SELECT is_empty($$ SELECT * FROM sla.policy_problems(sla.policy_document('t hand')) $$, 'a policy written by hand has a document too');

-- Every problem at once, with its path; nothing is loaded
CREATE FUNCTION pg_temp.problem(changes jsonb, path text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(p.problem, ' + ') FROM sla.policy_problems(pg_temp.document(changes)) AS p WHERE p.path = $2 $$;
SELECT alike(pg_temp.problem(changes::jsonb, path), pattern, path || ' ' || pattern)
FROM (VALUES
	('{"titel": 1}', '$.titel', 'unknown member%title%'),
	('{"a b": 1}', '$["a b"]', 'unknown member%'),
	('{"policy": "a/b"}', '$.policy', 'must be a name%'),
	('{"policy": 7}', '$.policy', 'must be a name%'),
	('{"title": " "}', '$.title', 'must be a string%'),
	('{"source": null}', '$.source', 'must be a string%'),
	('{"time_zone": "CEST"}', '$.time_zone', '%"CEST" is not an IANA name%'),
	('{"time_zone": null}', '$.time_zone', 'must be a string'),
	('{"notes": "one"}', '$.notes', 'must be an array%'),
	('{"notes": ["one", 2]}', '$.notes[1]', 'must be a string'),
	('{"calendars": {}}', '$.calendars', '%at least one%'),
	('{"calendars": []}', '$.calendars', 'must be an object%'),
	('{"calendars": {"a/b": {"hours": "24/7"}}}', '$.calendars["a/b"]', 'a calendar must be a name% + is used by no target'),
	('{"calendars": {"support": 1}}', '$.calendars.support', 'must be an object'),
	('{"calendars": {"support": {}}}', '$.calendars.support.hours', 'is required'),
	('{"calendars": {"support": {"hours": 24}}}', '$.calendars.support.hours', 'must be a string'),
	('{"calendars": {"support": {"hours": "Mo-Fr 09:00-17:00"}}}', '$.calendars.support.hours', '%need a time zone%'),
	('{"calendars": {"support": {"hours": "Mars/Olympus 24/7"}}}', '$.calendars.support.hours', '%Mars/Olympus%'),
	('{"calendars": {"support": {"hours": "UTC Mo 09:00-17:00", "off": []}}}', '$.calendars.support.off', 'unknown member%'),
	('{"calendars": {"support": {"hours": "24/7", "holidays": ["2026-12-25"]}}}', '$.calendars.support.holidays', '%no time zone%'),
	('{"calendars": {"support": {"hours": "24/7", "holidays": "2026-12-25"}}}', '$.calendars.support.holidays', 'must be an array%'),
	('{"calendars": {"support": {"hours": "24/7", "holidays": ["25.12.2026"]}}}', '$.calendars.support.holidays[0]', 'must be a date%'),
	('{"calendars": {"support": {"hours": "24/7", "holidays": ["2026-12-25", "2026-02-29"]}}}', '$.calendars.support.holidays[1]', '%2026-02-29%'),
	('{"calendars": {"support": {"hours": "24/7", "holidays": ["2026-12-25", "2026-12-25"]}}}', '$.calendars.support.holidays[1]', '%listed twice'),
	('{"calendars": {"support": {"hours": "UTC Mo 09:00-17:00", "regions": "DE"}}}', '$.calendars.support.regions', 'must be an array of regions'),
	('{"calendars": {"support": {"hours": "UTC Mo 09:00-17:00", "regions": null}}}', '$.calendars.support.regions', 'must be an array of regions'),
	('{"calendars": {"support": {"hours": "UTC Mo 09:00-17:00", "regions": ["DE", "de-by"]}}}', '$.calendars.support.regions[1]', 'must be a region%'),
	('{"calendars": {"support": {"hours": "UTC Mo 09:00-17:00", "regions": ["DE", 49]}}}', '$.calendars.support.regions[1]', 'must be a region%'),
	('{"calendars": {"support": {"hours": "UTC Mo 09:00-17:00", "regions": [null]}}}', '$.calendars.support.regions[0]', 'must be a region%'),
	('{"calendars": {"support": {"hours": "UTC Mo 09:00-17:00", "regions": ["DE", "AT", "DE"]}}}', '$.calendars.support.regions[2]', 'DE is listed twice'),
	('{"calendars": {"support": {"hours": "24/7", "regions": ["DE"]}}}', '$.calendars.support.regions', '%no time zone%'),
	('{"targets": []}', '$.targets', '%at least one%'),
	('{"targets": ["S1"]}', '$.targets[0]', 'must be an object'),
	('{"targets": [{}]}', '$.targets[0].severity', 'is required'),
	('{"targets": [{}]}', '$.targets[0].goal', 'is required'),
	('{"targets": [{"severity": "high"}]}', '$.targets[0].severity', '%"high"%'),
	('{"targets": [{"severity": 1}]}', '$.targets[0].severity', 'must be a string'),
	('{"targets": [{"metric": "respond"}]}', '$.targets[0].metric', '%"respond" does not exist; known are reply, resolution, response, update%'),
	('{"targets": [{"goal": "12 hourz"}]}', '$.targets[0].goal', '%"hourz"%'),
	('{"targets": [{"goal": "0"}]}', '$.targets[0].goal', '%more than nothing%'),
	('{"targets": [{"goal": 12}]}', '$.targets[0].goal', '%string, or null%'),
	('{"targets": [{"goal": "1h"}]}', '$.targets[0].calendar', 'is required with a goal'),
	('{"targets": [{"goal": "1h", "calendar": "nowhere"}]}', '$.targets[0].calendar', '%"nowhere" is not among%'),
	('{"targets": [{"goal": "1h", "calender": "always"}]}', '$.targets[0].calender', 'unknown member%'),
	('{"targets": [{"severity": "S1", "metric": "response"}, {"severity": "P1", "metric": "response"}]}', '$.targets[1]', 'promises the same as $.targets[0]')
) AS v(changes, path, pattern);
SELECT is((SELECT path FROM sla.policy_problems(document)), '$', format('%L is no document', document))
FROM unnest('{null,[],"1"}'::jsonb[]) AS document;
SELECT is((SELECT path FROM sla.policy_problems(NULL)), '$', 'nor is NULL');

CREATE FUNCTION pg_temp.load_error(document jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM sla.load_policy(document);
	RETURN NULL;
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLERRM || E'\n' || detail;
END $$;
SELECT is(pg_temp.load_error(pg_temp.document('{"policy": "t wrong", "notes": 1, "targets": [{"severity": "S1", "metric": "response", "goal": null}]}')),
		  E'policy document has 3 problems\n$.notes: must be an array of strings\n$.calendars.always: is used by no target\n$.calendars.support: is used by no target',
		  'one error lists all problems');
SELECT is((SELECT count(*) FROM sla.policy WHERE name = 't wrong'), 0::bigint, 'and nothing is loaded');

-- Who may
SELECT ok(NOT has_function_privilege('pg_monitor', 'sla.load_policy(jsonb, timestamptz)', 'EXECUTE'), 'not everyone loads policies');
SELECT ok(has_function_privilege('pg_monitor', 'sla.policy_document(text, timestamptz)', 'EXECUTE')
		  AND has_function_privilege('pg_monitor', 'sla.policy_problems(jsonb)', 'EXECUTE')
		  AND has_function_privilege('pg_monitor', 'sla.preset(text)', 'EXECUTE'), 'everyone reads and checks documents');
SET LOCAL ROLE pg_monitor;
SELECT is(sla.policy_document('t late') ->> 'policy', 't late', 'and does');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
