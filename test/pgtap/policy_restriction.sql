-- What policies say about unsettled bills: loaded, checked, given back
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(27);

\set base '{"policy": "t rule", "time_zone": "UTC", "calendars": {"week": {"hours": "UTC Mo-Fr 09:00-17:00"}}, "targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "week"}]}'
\set full '{"time_zone": "europe/berlin", "thresholds": {"termination": 91, "support": 30.0}, "per": "service", "minimum_amount": 50.00, "grace": "3bd", "calendar": "week", "actions": {"ticket": "support"}, "security_release": ["b", "a", "b"]}'
CREATE FUNCTION pg_temp.problem(base jsonb, rule jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(path || ': ' || problem, '; ') FROM sla.policy_problems(base || jsonb_build_object('restriction', rule)) $$;
SELECT is(pg_temp.problem(:'base', :'full'), NULL, 'a full rule is sound');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 30, "deployments": 30}}'), '$.restriction.thresholds.deployments: must be later than day 30 of support', 'days must ascend');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 90, "termination": 61}}'), '$.restriction.thresholds.termination: must be later than day 90 of support', 'also where one is left out');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 0}}'), '$.restriction.thresholds.support: must be a whole number of days, 1 to 100000', 'from the first day on');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"level": 1}}') LIKE '$.restriction.thresholds%', true, 'of levels that there are');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 1}, "grace": "3 days", "calendar": "week"}'), '$.restriction.grace: must be business days, as in "3 business days", 1 to 999', 'grace is of business days');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 1}, "grace": "3 business days"}'), '$.restriction: must have both grace and calendar, or neither', 'by a calendar');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 1}, "grace": "3 business days", "calendar": "x"}'), '$.restriction.calendar: must be the name of a calendar of the document', 'that is there');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 1}, "time_zone": "Nowhere"}'), '$.restriction.time_zone: must be an IANA name of a time zone that this server knows', 'in a zone that there is');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 1}, "actions": {"ticket": "none"}}'), '$.restriction.actions.ticket: must be one of support, deployments, termination', 'actions are refused from some level on');
SELECT is(pg_temp.problem(:'base', '{"thresholds": {"support": 1}, "minimum_amount": -1}'), '$.restriction.minimum_amount: must be a number, not negative', 'amounts are not negative');

SELECT sla.load_policy(:'base'::jsonb || jsonb_build_object('restriction', :'full'::jsonb)) AS id \gset
SELECT results_eq(format('SELECT time_zone, support, deployments, termination, per, minimum_amount, grace, calendar, actions, security_release FROM sla.restriction_rule WHERE policy_version_id = %s', :id),
	$$ VALUES ('Europe/Berlin', 30, NULL::int, 91, 'service', 50.00, 3, 't rule/week', '{"ticket": "support"}'::jsonb, '{a,b}'::text[]) $$, 'it is a row');
SELECT is(sla.policy_document('t rule') -> 'restriction', :'full'::jsonb, 'given back as it was written');
UPDATE sla.restriction_rule SET termination = 100 WHERE policy_version_id = :id;
SELECT is(sla.policy_document('t rule') -> 'restriction',
	'{"time_zone": "Europe/Berlin", "thresholds": {"support": 30, "termination": 100}, "per": "service", "minimum_amount": 50.00, "grace": "3 business days", "calendar": "week", "actions": {"ticket": "support"}, "security_release": ["a", "b"]}'::jsonb,
	'or anew, when the table says something else');
SELECT is(pg_temp.problem(sla.policy_document('t rule') - 'restriction', sla.policy_document('t rule') -> 'restriction'), NULL, 'which can be loaded');
SELECT lives_ok($$ SELECT sla.load_policy(sla.policy_document('t rule') || '{"policy": "t again"}') $$, 'really');
SELECT is(sla.policy_document('t again') -> 'restriction', sla.policy_document('t rule') -> 'restriction', 'and says the same');
SELECT sla.load_policy(:'base'::jsonb || '{"policy": "t none"}') AS none \gset
SELECT is_empty(format('SELECT FROM sla.restriction_rule WHERE policy_version_id = %s', :none), 'a document that says nothing has no row');
SELECT ok(NOT sla.policy_document('t none') ? 'restriction', 'and gives none back');

-- The table itself
SELECT throws_ok(format('INSERT INTO sla.restriction_rule (policy_version_id, support, deployments) VALUES (%s, 30, 30)', :none), '23514', NULL, 'levels ascend in the table, too');
SELECT throws_ok(format('INSERT INTO sla.restriction_rule (policy_version_id) VALUES (%s)', :none), '23514', NULL, 'there is one');
SELECT throws_ok(format('INSERT INTO sla.restriction_rule (policy_version_id, support, grace) VALUES (%s, 30, 1)', :none), '23514', NULL, 'grace has a calendar');
SELECT throws_ok('INSERT INTO sla.restriction_rule (policy_version_id, support) VALUES (-1, 30)', '23503', NULL, 'of a version that there is');
SELECT throws_ok(format('INSERT INTO sla.restriction_rule (policy_version_id, support, grace, calendar) VALUES (%s, 30, 1, ''x'')', :none), '23503', NULL, 'by a calendar that there is');
SELECT throws_ok($$ DELETE FROM sla.calendar WHERE name = 't rule/week' $$, '23503', NULL, 'which then stays');
DELETE FROM sla.policy WHERE name = 't rule';
SELECT is_empty(format('SELECT FROM sla.restriction_rule WHERE policy_version_id = %s', :id), 'a policy takes its rule along');
SELECT throws_ok($$ SELECT sla.restriction_level(5, '{1,2}') $$, '22023', NULL, 'thresholds by hand are three');

SELECT * FROM finish();
ROLLBACK;
