-- A policy document's metrics, alerts and rules: loaded, and given back
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(37);

CREATE FUNCTION pg_temp.document(changes jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{
		"policy": "t rules",
		"time_zone": "UTC",
		"calendars": {"always": {"hours": "24/7"}},
		"targets": [
			{"severity": "S1", "metric": "t triage", "goal": "30min", "calendar": "always"},
			{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always", "alerts": [1, "60 min", 0.750, 0.5, "1:30:00"], "pausable": false},
			{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "always", "alerts": []},
			{"severity": "S3", "metric": "response", "goal": "8h", "calendar": "always", "alerts": [1.0], "pausable": true}],
		"metrics": {"t triage": {"title": "Triage", "starts_on": ["customer_replied", "opened"], "stops_on": ["investigated", "assigned"], "restarts_on": ["reopened"]}},
		"severities": {"P1": {"label": "Critical", "description": "Everything is down."}, "S2": {"label": "High"}},
		"severity_caps": {"api": "sev 2", "*": "S3"},
		"channels": {"email": "investigation", "*": "never", "portal": "receipt"},
		"exemptions": {"known_incident": "On the status page", "other": null},
		"severity_change": "carry",
		"reopening": "restart",
		"entitlement": "contract",
		"restricted_accounts": "uncovered"}'::jsonb || changes $$;

-- Rows
SELECT is_empty('SELECT * FROM sla.policy_problems(pg_temp.document())', 'a sound document has no problems');
SELECT sla.load_policy(pg_temp.document()) AS id \gset
SET LOCAL test.version = :id;
CREATE FUNCTION pg_temp.version() RETURNS int LANGUAGE sql AS $$ SELECT current_setting('test.version')::int $$;
SELECT results_eq('SELECT severity_change, reopening, entitlement, restricted_accounts FROM sla.policy_version WHERE id = pg_temp.version()',
	$$ VALUES ('carry', 'restart', 'contract', 'uncovered') $$, 'what holds for the whole version');
SELECT results_eq($$ SELECT title, starts_on, stops_on, restarts_on, shipped FROM sla.metric WHERE name = 't triage' $$,
	$$ VALUES ('Triage', '{opened,customer_replied}'::text[], '{investigated,assigned}'::text[], '{reopened}'::text[], false) $$, 'a metric that was missing');
SELECT results_eq('SELECT severity::text, metric, alerts, pausable FROM sla.target WHERE policy_version_id = pg_temp.version() ORDER BY severity, metric',
	$$ VALUES ('S1', 'response', '{0.5,0.75,1,1h 30min,1h}'::text[], false), ('S1', 't triage', '{1}', true),
			  ('S2', 'response', '{}', true), ('S3', 'response', '{1}', true) $$, 'alerts in one spelling');
SELECT results_eq('SELECT severity::text, label, description FROM sla.severity_label WHERE policy_version_id = pg_temp.version() ORDER BY severity',
	$$ VALUES ('S1', 'Critical', 'Everything is down.'), ('S2', 'High', NULL) $$, 'names of severities');
SELECT results_eq('SELECT product, severity::text FROM sla.severity_cap WHERE policy_version_id = pg_temp.version() ORDER BY product COLLATE "C"',
	$$ VALUES ('*', 'S3'), ('api', 'S2') $$, 'caps');
SELECT results_eq('SELECT channel, counts_from FROM sla.channel_rule WHERE policy_version_id = pg_temp.version() ORDER BY channel COLLATE "C"',
	$$ VALUES ('*', 'never'), ('email', 'investigation'), ('portal', 'receipt') $$, 'channels');
SELECT results_eq('SELECT reason, title FROM sla.exemption WHERE policy_version_id = pg_temp.version() ORDER BY reason COLLATE "C"',
	$$ VALUES ('known_incident', 'On the status page'), ('other', NULL) $$, 'exemptions');

-- Giving back
SELECT is(sla.policy_document('t rules'), pg_temp.document(), 'the document comes back as it was loaded');
UPDATE sla.policy_version SET document = NULL WHERE id = pg_temp.version();
SELECT is(sla.policy_document('t rules'), '{
		"policy": "t rules",
		"time_zone": "UTC",
		"calendars": {"always": {"hours": "24/7"}},
		"targets": [
			{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always", "alerts": [0.5, 0.75, 1, "1h 30min", "1h"], "pausable": false},
			{"severity": "S1", "metric": "t triage", "goal": "30min", "calendar": "always"},
			{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "always", "alerts": []},
			{"severity": "S3", "metric": "response", "goal": "8h", "calendar": "always"}],
		"metrics": {"t triage": {"title": "Triage", "starts_on": ["opened", "customer_replied"], "stops_on": ["investigated", "assigned"], "restarts_on": ["reopened"]}},
		"severities": {"S1": {"label": "Critical", "description": "Everything is down."}, "S2": {"label": "High"}},
		"severity_caps": {"api": "S2", "*": "S3"},
		"channels": {"email": "investigation", "*": "never", "portal": "receipt"},
		"exemptions": {"known_incident": "On the status page", "other": null},
		"severity_change": "carry",
		"reopening": "restart",
		"entitlement": "contract",
		"restricted_accounts": "uncovered"}', 'or as the tables say it, in one spelling');
SELECT is_empty($$ SELECT * FROM sla.policy_problems(sla.policy_document('t rules')) $$, 'which can be loaded');
SELECT sla.policy_document('t rules') AS written \gset
SELECT lives_ok($$ SELECT sla.load_policy(sla.policy_document('t rules'), '2030-01-01 00:00+00') $$, 'and is');
SELECT is(sla.policy_document('t rules'), :'written'::jsonb, 'and comes back the same');
SELECT is((SELECT count(*) FROM sla.metric WHERE name LIKE 't %'), 1::bigint, 'with the same metric');

-- What is so by default need not be said, and is not
SELECT sla.load_policy(pg_temp.document('{"policy": "t plain", "severity_change": "from_start", "reopening": "continue", "entitlement": "anyone",
	"restricted_accounts": "admit", "severities": {}, "severity_caps": {}, "channels": {}, "exemptions": {}, "metrics": {},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always", "alerts": [1], "pausable": true},
				{"severity": "S1", "metric": "update", "goal": null}]}')) AS plain \gset
SELECT is((SELECT array_agg(key ORDER BY key) FROM jsonb_object_keys(sla.policy_document('t plain')) AS key),
	'{calendars,channels,entitlement,exemptions,metrics,policy,reopening,restricted_accounts,severities,severity_caps,severity_change,targets,time_zone}',
	'the document comes back with all it said');
UPDATE sla.policy_version SET document = NULL WHERE policy = 't plain';
SELECT is(sla.policy_document('t plain'), '{"policy": "t plain", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}, {"severity": "S1", "metric": "update", "goal": null}]}',
	'and written anew it says what is not so by default');

-- Every table shows
SELECT sla.load_policy(pg_temp.document('{"policy": "t changed"}')) AS changed \gset
CREATE FUNCTION pg_temp.shows(command text, path text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	BEGIN
		EXECUTE command;
		answer := sla.policy_document('t changed') #>> path;
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		RETURN answer;
	END;
END $$;
SELECT is(pg_temp.shows(format(command, :changed), path::text[]), expected, command)
FROM (VALUES
	('UPDATE sla.policy_version SET severity_change = ''from_change'' WHERE id = %s', '{severity_change}', 'from_change'),
	('UPDATE sla.policy_version SET severity_change = ''from_start'' WHERE id = %s', '{severity_change}', NULL),
	('UPDATE sla.policy_version SET reopening = ''continue'' WHERE id = %s', '{reopening}', NULL),
	('UPDATE sla.policy_version SET entitlement = ''anyone'' WHERE id = %s', '{entitlement}', NULL),
	('UPDATE sla.policy_version SET restricted_accounts = ''reject'' WHERE id = %s', '{restricted_accounts}', 'reject'),
	('UPDATE sla.severity_label SET label = ''Very high'' WHERE policy_version_id = %s AND label = ''High''', '{severities,S2,label}', 'Very high'),
	('DELETE FROM sla.severity_label WHERE policy_version_id = %s', '{severities}', NULL),
	('UPDATE sla.severity_cap SET severity = ''S3'' WHERE policy_version_id = %s', '{severity_caps,api}', 'S3'),
	('DELETE FROM sla.channel_rule WHERE policy_version_id = %s AND channel = ''*''', '{channels}', '{"email": "investigation", "portal": "receipt"}'),
	('INSERT INTO sla.exemption VALUES (%s, ''more'', ''More'')', '{exemptions,more}', 'More'),
	('UPDATE sla.target SET alerts = ''{0.9}'' WHERE policy_version_id = %s', '{targets,1,alerts}', '[0.9]'),
	('UPDATE sla.target SET pausable = false WHERE policy_version_id = %s', '{targets,3,pausable}', 'false'),
	('UPDATE sla.metric SET stops_on = ''{assigned}'' WHERE name = ''t triage'' AND %s > 0', '{metrics,t triage,stops_on}', '["assigned"]')
) AS v(command, path, expected);

-- Metrics
INSERT INTO sla.metric (name, title, starts_on, stops_on) VALUES ('t mine', 'Mine', '{opened}', '{replied}');
SELECT sla.load_policy(pg_temp.document('{"policy": "t mine", "metrics": {},
	"targets": [{"severity": "S1", "metric": "t mine", "goal": "1h", "calendar": "always"}], "severities": {}, "severity_caps": {}}')) AS mine \gset
SELECT is(sla.policy_document('t mine') -> 'metrics', '{}', 'a metric that is there need not be in the document');
UPDATE sla.policy_version SET document = NULL WHERE policy = 't mine';
SELECT is(sla.policy_document('t mine') -> 'metrics', '{"t mine": {"title": "Mine", "starts_on": ["opened"], "stops_on": ["replied"]}}',
	'written anew the document has what another database needs');
SELECT is_empty(format('SELECT * FROM sla.policy_problems(pg_temp.document(%L))', jsonb_build_object('metrics',
	'{"response": {"title": "First response", "starts_on": ["opened"], "stops_on": ["resolved", "replied"]},
	  "t triage": {"title": "Triage", "starts_on": ["opened", "customer_replied"], "stops_on": ["assigned", "investigated"], "restarts_on": ["reopened"]}}'::jsonb)),
	'a document may say what a metric is that exists');
SELECT is((SELECT path || ': ' || problem FROM sla.policy_problems(pg_temp.document('{"metrics":
	{"t triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["assigned"]}}}'))),
	'$.metrics["t triage"]: exists and says something else: {"title": "Triage", "stops_on": ["investigated", "assigned"], "starts_on": ["opened", "customer_replied"], "restarts_on": ["reopened"]}',
	'but not something else');

-- Nothing is loaded when anything is wrong
SELECT throws_ok($$ SELECT sla.load_policy(pg_temp.document('{"policy": "t wrong", "reopening": "again",
	"metrics": {"t triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["assigned"]}}}')) $$, '22023', 'policy document has 2 problems', 'all problems are counted');
SELECT is_empty($$ SELECT FROM sla.policy WHERE name = 't wrong' UNION ALL SELECT FROM sla.policy_version WHERE policy = 't wrong' $$, 'and nothing is loaded');
SELECT throws_ok($$ SELECT sla.load_policy(pg_temp.document('{"policy": "t wrong", "reopening": "again",
	"metrics": {"t new": {"title": "New", "starts_on": ["opened"], "stops_on": ["assigned"]}},
	"targets": [{"severity": "S1", "metric": "t new", "goal": "1h", "calendar": "always"}]}')) $$, '22023', NULL, 'with a new metric');
SELECT is_empty($$ SELECT FROM sla.metric WHERE name = 't new' $$, 'that is not created either');

SELECT * FROM finish();
ROLLBACK;
