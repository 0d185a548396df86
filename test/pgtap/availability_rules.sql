-- Rules about availability: in documents, in the table, and their credits
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(105);

CREATE FUNCTION pg_temp.document(availability jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"policy": "t acme", "time_zone": "Europe/Berlin", "calendars": {"always": {"hours": "24/7"}, "sundays": {"hours": "Europe/Berlin Su 02:00-05:00"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"},
					{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "sundays"}]}'::jsonb || jsonb_build_object('availability', availability) $$;
CREATE FUNCTION pg_temp.problem(availability jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(p.path || ' ' || p.problem, ' + ') FROM sla.policy_problems(pg_temp.document(availability)) AS p $$;

-- Sound
SELECT is(pg_temp.problem(rules), NULL, rules::text)
FROM unnest(ARRAY['[]', '[{"goal": null}]', '[{"goal": 100}]', '[{"goal": 0.000001}]', '[{"goal": 99.999999, "credits": []}]', '[{"goal": null, "credits": []}]',
	'[{"service": "*", "package": "*", "goal": 99.9}, {"service": "hosting", "goal": 99}, {"package": "gold", "goal": 99}, {"service": "hosting", "package": "gold", "goal": 99}]',
	'[{"goal": 99.9, "time_zone": "america/new_york", "calendar": "always", "unknown": "down", "young": "life", "exclusions": ["planned_maintenance", "rain"],
		"maintenance_notice": "72 hours", "maintenance_window": "sundays"}]',
	'[{"goal": 99.9, "credits": [{"below": 99.9, "percent": 0}, {"below": 99.5, "percent": 10}, {"below": 0.5, "percent": 100}]}]']::jsonb[]) AS rules;

-- Not sound, each with its path
SELECT alike(pg_temp.problem(rules::jsonb), pattern, rules)
FROM (VALUES
	('{}', '$.availability must be an array%'), ('[1]', '$.availability[0] must be an object'), ('[{}]', '$.availability[0].goal is required'),
	('[{"goal": 99.9, "gaol": 1}]', '$.availability[0].gaol unknown member%'),
	('[{"goal": 0}]', '$.availability[0].goal must be a percentage above 0%'), ('[{"goal": 100.1}]', '$.availability[0].goal must be a percentage above 0%'),
	('[{"goal": -1}]', '$.availability[0].goal must be%'), ('[{"goal": 99.9999999}]', '$.availability[0].goal must be%six decimals'),
	('[{"goal": "99.9"}]', '$.availability[0].goal must be a percentage, as in 99.9, or null%'), ('[{"goal": 1e300}]', '$.availability[0].goal must be%'),
	('[{"goal": 1, "service": ""}]', '$.availability[0].service must be a name%'), ('[{"goal": 1, "package": null}]', '$.availability[0].package must be a name%'),
	('[{"goal": 1, "time_zone": "Mars"}]', '$.availability[0].time_zone time zone "Mars" is not%'), ('[{"goal": 1, "time_zone": 1}]', '$.availability[0].time_zone must be a string'),
	('[{"goal": 1, "calendar": "office"}]', '$.availability[0].calendar calendar "office" is not among%'), ('[{"goal": 1, "calendar": null}]', '$.availability[0].calendar must be a string'),
	('[{"goal": 1, "unknown": "maybe"}]', '$.availability[0].unknown must be one of ignore, up, down'), ('[{"goal": 1, "young": null}]', '$.availability[0].young must be one of period, life'),
	('[{"goal": 1, "exclusions": "rain"}]', '$.availability[0].exclusions must be an array%'), ('[{"goal": 1, "exclusions": [1]}]', '$.availability[0].exclusions[0] must be a name%'),
	('[{"goal": 1, "exclusions": ["rain", "rain"]}]', '$.availability[0].exclusions[1] rain is listed twice'), ('[{"goal": 1, "exclusions": [" rain"]}]', '$.availability[0].exclusions[0] must be%'),
	('[{"goal": 1, "exclusions": ["planned_maintenance"], "maintenance_notice": 5}]', '$.availability[0].maintenance_notice must be a string%'),
	('[{"goal": 1, "exclusions": ["planned_maintenance"], "maintenance_notice": "soon"}]', '$.availability[0].maintenance_notice invalid input syntax%'),
	('[{"goal": 1, "exclusions": ["planned_maintenance"], "maintenance_notice": "1 month"}]', '$.availability[0].maintenance_notice must be days and hours%'),
	('[{"goal": 1, "exclusions": ["planned_maintenance"], "maintenance_notice": "-1 day"}]', '$.availability[0].maintenance_notice must be days and hours, not negative, at most a hundred years'),
	('[{"goal": 1, "exclusions": ["planned_maintenance"], "maintenance_notice": "36525 days 00:00:01"}]', '$.availability[0].maintenance_notice must be days and hours, not negative, at most a hundred years'),
	('[{"goal": 1, "maintenance_notice": "1 day"}]', '$.availability[0].maintenance_notice is of no use without%'),
	('[{"goal": 1, "exclusions": ["rain"], "maintenance_window": "sundays"}]', '$.availability[0].maintenance_window is of no use without%'),
	('[{"goal": 1, "exclusions": ["planned_maintenance"], "maintenance_window": "x"}]', '$.availability[0].maintenance_window calendar "x" is not among%'),
	('[{"goal": 1}, {"goal": null, "service": "*", "package": "*"}]', '$.availability[1] is about the same as $.availability[0]'),
	('[{"goal": null, "credits": [{"below": 99, "percent": 10}]}]', '$.availability[0].credits is of no use without a goal%'),
	('[{"goal": 99, "credits": {}}]', '$.availability[0].credits must be an array%'), ('[{"goal": 99, "credits": [1]}]', '$.availability[0].credits[0] must be an object'),
	('[{"goal": 99, "credits": [{"below": 99}]}]', '$.availability[0].credits[0].percent is required'),
	('[{"goal": 99, "credits": [{"below": 99, "percent": 1, "of": 2}]}]', '$.availability[0].credits[0].of unknown member%'),
	('[{"goal": 99, "credits": [{"below": 99, "percent": 101}]}]', '$.availability[0].credits[0].percent must be a percentage%'),
	('[{"goal": 99, "credits": [{"below": "99", "percent": 1}]}]', '$.availability[0].credits[0].below must be a percentage%'),
	('[{"goal": 99, "credits": [{"below": 98, "percent": 1}]}]', '$.availability[0].credits[0].below leaves a hole: between 98 and the goal of 99 nothing is said; begin with {"below": 99, "percent": 0}%'),
	('[{"goal": 99, "credits": [{"below": 99.5, "percent": 1}]}]', '$.availability[0].credits[0].below would credit where the goal of 99 is met'),
	('[{"goal": 99, "credits": [{"below": 99, "percent": 10}, {"below": 99, "percent": 25}]}]', '$.availability[0].credits[1].below must be less than that of the tier before, 99'),
	('[{"goal": 99, "credits": [{"below": 99, "percent": 10}, {"below": 99.5, "percent": 25}]}]', '$.availability[0].credits[1].below must be less than%'),
	('[{"goal": 99, "credits": [{"below": 99, "percent": 10}, {"below": 98, "percent": 10}]}]', '$.availability[0].credits[1].percent must be more than that of the tier before, 10'),
	('[{"goal": 99, "credits": [{"below": 99, "percent": 10}, {"below": 98, "percent": 5}, {"below": 97, "percent": 20}]}]', '$.availability[0].credits[1].percent must be more than%')
) AS v(rules, pattern);
SELECT is((SELECT string_agg(problem, ' ') FROM sla.policy_problems(jsonb_set(pg_temp.document('[]'), '{calendars,nights}', '{"hours": "UTC Mo 00:00-05:00"}'))), 'is used by no target', 'a calendar of no use');
SELECT is((SELECT string_agg(problem, ' ') FROM sla.policy_problems(jsonb_set(pg_temp.document('[{"goal": 1, "calendar": "nights"}]'), '{calendars,nights}', '{"hours": "UTC Mo 00:00-05:00"}'))),
	NULL, 'is of use to availability');
SELECT is((SELECT string_agg(problem, ' ') FROM sla.policy_problems(jsonb_set(pg_temp.document('[{"goal": 1, "exclusions": ["planned_maintenance"], "maintenance_window": "nights"}]'),
	'{calendars,nights}', '{"hours": "UTC Mo 00:00-05:00"}'))), NULL, 'or to maintenance');

-- Loaded, and given back
SELECT sla.load_policy(pg_temp.document('[{"goal": 99.90, "service": "hosting", "package": "gold", "time_zone": "america/new_york", "calendar": "always", "unknown": "down", "young": "life",
	"exclusions": ["rain", "planned_maintenance"], "maintenance_notice": "72:00", "maintenance_window": "sundays", "credits": [{"below": 99.9, "percent": 10}]},
	{"goal": null, "unknown": "ignore", "package": "*", "exclusions": []}]')) AS id \gset
SELECT results_eq(format('SELECT service, package, goal, time_zone, calendar, unknown, young, exclusions, maintenance_notice::text, maintenance_window, credits
	FROM sla.availability_rule WHERE policy_version_id = %s ORDER BY service COLLATE "C"', :id),
	$$ VALUES ('*', '*', NULL::numeric, NULL, NULL, 'ignore', 'period', '{}'::text[], NULL, NULL, '[]'::jsonb),
		('hosting', 'gold', 99.90, 'America/New_York', 't acme/always', 'down', 'life', '{planned_maintenance,rain}', '72:00:00', 't acme/sundays', '[{"below": 99.9, "percent": 10}]') $$, 'rows');
SELECT is(sla.policy_document('t acme'), (SELECT document FROM sla.policy_version WHERE id = :id), 'as it was loaded');
UPDATE sla.policy_version SET document = NULL WHERE id = :id;
SELECT is(sla.policy_document('t acme') -> 'availability', '[{"goal": null}, {"goal": 99.9, "service": "hosting", "package": "gold", "time_zone": "America/New_York", "calendar": "always",
	"unknown": "down", "young": "life", "exclusions": ["planned_maintenance", "rain"], "maintenance_notice": "72:00:00", "maintenance_window": "sundays",
	"credits": [{"below": 99.9, "percent": 10}]}]', 'written anew');
SELECT is((SELECT count(*) FROM sla.policy_problems(sla.policy_document('t acme'))), 0::bigint, 'which is sound');
SET LOCAL intervalstyle = 'sql_standard';
SELECT is(sla.policy_document('t acme') #>> '{availability,1,maintenance_notice}', '72:00:00', 'in whatever style intervals are written');
SET LOCAL intervalstyle = 'postgres';
UPDATE sla.policy_version SET document = sla.policy_document('t acme') WHERE id = :id;
UPDATE sla.availability_rule SET goal = 99.5, credits = '[]' WHERE policy_version_id = :id AND service = 'hosting';
SELECT is(sla.policy_document('t acme') #> '{availability,1,goal}', '99.5', 'the tables win');
SELECT sla.load_policy(pg_temp.document('[]')) AS empty \gset
SELECT is(sla.policy_document('t acme') -> 'availability', '[]', 'no rules');
UPDATE sla.policy_version SET document = NULL WHERE id = :empty;
SELECT is(sla.policy_document('t acme') -> 'availability', NULL, 'are no member');

-- The table by hand
SELECT throws_ok(format('INSERT INTO sla.availability_rule (policy_version_id, package, %s) VALUES (%s, ''t'', %s)', columns, :id, vals), code, NULL, columns || ' ' || vals)
FROM (VALUES ('goal', '0', '23514'), ('goal', '''NaN''', '23514'), ('goal', '101', '23514'), ('goal', '99.9999999', '23514'), ('unknown', '''maybe''', '23514'), ('young', '''old''', '23514'),
	('time_zone', '''Mars''', '22023'), ('exclusions', '''{NULL}''', '23514'), ('exclusions', '''{""}''', '23514'), ('maintenance_notice', '''-1 day''', '23514'), ('maintenance_notice', '''2000000000 days -2000000000 hours''', '23514'), ('maintenance_notice', '''36526 days''', '23514'), ('maintenance_notice', '''1 mon''', '23514'),
	('credits', '''[{"below": 99, "percent": 10}]''', '23514'), ('goal, credits', '99, ''[{"below": 98, "percent": 10}]''', '23514'), ('goal, credits', '99, ''{}''', '23514'),
	('calendar', '''nowhere''', '23503'), ('maintenance_window', '''nowhere''', '23503')) v(columns, vals, code);
SELECT throws_ok($$ INSERT INTO sla.availability_rule (policy_version_id) VALUES (0) $$, '23503', NULL, 'of a version that does not exist');
SELECT throws_ok($$ DELETE FROM sla.calendar WHERE name = 't acme/sundays' $$, '23503', NULL, 'a calendar in use stays');
DELETE FROM sla.target WHERE policy_version_id IN (:id, :empty);
SELECT throws_ok($$ DELETE FROM sla.calendar WHERE name = 't acme/sundays' $$, '23503', 'calendar "t acme/sundays" is still used by a rule about availability', 'also in one as a window only');
INSERT INTO sla.service (name, policy) VALUES ('t shop', 't acme');
SELECT throws_ok($$ DELETE FROM sla.policy WHERE name = 't acme' $$, '23503', 'policy "t acme" is still used by service "t shop"', 'and so does a policy');
DELETE FROM sla.service WHERE name = 't shop';
SELECT lives_ok($$ DELETE FROM sla.policy WHERE name = 't acme' $$, 'until nothing uses it');
SELECT is((SELECT count(*) FROM sla.availability_rule WHERE policy_version_id = :id), 0::bigint, 'with its rules');

-- Credits
SELECT is(sla.credit_at(percent, '[{"below": 99.9, "percent": 10}, {"below": 99, "percent": 25}, {"below": 95, "percent": 100}]'), credit::numeric, format('at %s %%', percent))
FROM (VALUES (100, 0), (99.9, 0), (99.899999, 10), (99, 10), (98.999999, 25), (95, 25), (94.9, 100), (0, 100), (NULL, NULL)) v(percent, credit);
SELECT is(sla.credit_at(0, '[]'), 0::numeric, 'without tiers nothing is credited');
SELECT throws_ok(format('SELECT sla.credit_at(%L, %L)', percent, credits), '22023', NULL, percent || ' in ' || credits)
FROM (VALUES ('NaN', '[]'), ('-0.1', '[]'), ('100.000001', '[]'), ('Infinity', '[]'), ('99', '{}'), ('99', '[{"below": 99, "percent": 10}, {"below": 99.5, "percent": 20}]'),
	('99', '[{"below": 99, "percent": -1}]')) v(percent, credits);

SELECT * FROM finish();
ROLLBACK;
