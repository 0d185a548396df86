-- What a policy document must not say about metrics, alerts and rules
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(98);

CREATE FUNCTION pg_temp.problem(changes jsonb, path text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(p.problem, ' + ') FROM sla.policy_problems('{
		"policy": "t acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"},
					{"severity": "S3", "metric": "response", "goal": "1bd", "calendar": "always"}]}'::jsonb || changes) AS p
	WHERE p.path = $2 $$;
-- the first target with this member
CREATE FUNCTION pg_temp.target(member text, value jsonb, goal text DEFAULT '2h') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('targets', jsonb_build_array(
		'{"severity": "S1", "metric": "response", "calendar": "always"}'::jsonb || jsonb_build_object('goal', goal, member, value))) $$;
CREATE FUNCTION pg_temp.metric(changes jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object(
		'targets', '[{"severity": "S1", "metric": "t", "goal": "2h", "calendar": "always"}]'::jsonb,
		'metrics', jsonb_build_object('t', '{"title": "T", "starts_on": ["opened"], "stops_on": ["assigned"]}'::jsonb || changes)) $$;

-- Alerts and pauses
SELECT is(pg_temp.problem(pg_temp.target('alerts', alerts::jsonb, goal), '$.targets[0].alerts'), NULL, format('alerts %s of %s', alerts, goal))
FROM (VALUES ('[]', '2h'), ('[0.5, 0.75, 1, "30min"]', '2h'), ('[1e-6, 1.000]', '2h'), ('["119min"]', '2h'), ('["200h"]', '1bd'), ('[0.5, "1h"]', '2h')) AS v(alerts, goal);
SELECT alike(pg_temp.problem(pg_temp.target('alerts', alerts::jsonb), '$.targets[0].alerts' || at), pattern, format('%s in alerts %s', pattern, alerts))
FROM (VALUES
	('null', '', 'must be an array%'), ('1', '', 'must be an array%'), ('{"at": 1}', '', 'must be an array%'),
	('[1, null]', '[1]', 'must be a fraction%'), ('[true]', '[0]', 'must be a fraction%'), ('[[1]]', '[0]', 'must be a fraction%'),
	('[0]', '[0]', 'a fraction of the goal is more than 0%'), ('[-0.5]', '[0]', 'a fraction%'), ('[1.5]', '[0]', 'a fraction%'),
	('[75]', '[0]', 'a fraction%'), ('[0.1234567]', '[0]', 'a fraction%six decimals'),
	('["0.5"]', '[0]', '%invalid input syntax for type sla.business_interval%'), ('["75%"]', '[0]', '%invalid input syntax%'), ('["soon"]', '[0]', '%invalid input syntax%'),
	('["0"]', '[0]', 'must be more than nothing%'), ('["0min"]', '[0]', 'must be more than nothing%'), ('["-30min"]', '[0]', 'must be more than nothing%'),
	('["1bd"]', '[0]', '%without business days'), ('["1bd -1h"]', '[0]', '%without business days'), ('["1 day"]', '[0]', '%1bd for one business day%'),
	('["2h"]', '[0]', 'lies before the start: the goal is 2h'), ('["3h"]', '[0]', 'lies before the start%'),
	('[0.5, 1, 0.50]', '[2]', '0.5 is listed twice'), ('["60min", 1, "1h"]', '[2]', '1h is listed twice')
) AS v(alerts, at, pattern);
SELECT is(pg_temp.problem(pg_temp.target('alerts', '[0.5, "1:00"]', 'soon'), '$.targets[0].alerts[1]'), NULL, 'a wrong goal is the goal''s problem');
SELECT is(pg_temp.problem(pg_temp.target('pausable', value::jsonb), '$.targets[0].pausable'), 'must be true or false', 'pausable ' || value)
FROM unnest('{null,0,"\"false\""}'::text[]) AS value;
SELECT is(pg_temp.problem(pg_temp.target(member, value::jsonb, NULL), '$.targets[0].' || member), 'is of no use without a goal: no clock runs', member || ' without a goal')
FROM (VALUES ('alerts', '[0.5]'), ('pausable', 'false')) AS v(member, value);

-- Metrics
SELECT is(pg_temp.problem(pg_temp.metric(changes::jsonb), '$.metrics.t'), NULL, 'metric ' || changes)
FROM unnest(ARRAY['{}', '{"restarts_on": []}', '{"restarts_on": ["replied"]}', '{"starts_on": ["opened", "reopened"], "restarts_on": ["reopened"]}']) AS changes;
SELECT alike(pg_temp.problem(pg_temp.metric(changes::jsonb), '$.metrics.t' || at), pattern, format('%s in metric %s', pattern, changes))
FROM (VALUES
	('{"title": " "}', '.title', 'must be a string%'), ('{"title": null}', '.title', 'must be a string%'), ('{"pauses_on": []}', '.pauses_on', 'unknown member; known are title, starts_on, stops_on, restarts_on'),
	('{"starts_on": []}', '.starts_on', '%at least one'), ('{"starts_on": "opened"}', '.starts_on', 'must be an array%'), ('{"stops_on": []}', '.stops_on', '%at least one'),
	('{"restarts_on": null}', '.restarts_on', 'must be an array of kinds of events'),
	('{"starts_on": ["created"]}', '.starts_on[0]', 'must be a kind of event; known are opened, replied, updated, customer_replied, investigated, assigned, resolved, reopened'),
	('{"stops_on": ["assigned", "severity"]}', '.stops_on[1]', 'must be a kind%'), ('{"restarts_on": [7]}', '.restarts_on[0]', 'must be a kind%'),
	('{"starts_on": ["opened", "replied", "opened"]}', '.starts_on[2]', 'opened is listed twice'),
	('{"starts_on": ["assigned"]}', '.stops_on[0]', 'assigned cannot both stop and start a clock'),
	('{"restarts_on": ["assigned"]}', '.stops_on[0]', 'assigned cannot both stop and start a clock')
) AS v(changes, at, pattern);
SELECT alike(pg_temp.problem(changes::jsonb, path), pattern, format('%s for %s', pattern, path))
FROM (VALUES
	('{"metrics": []}', '$.metrics', 'must be an object%'), ('{"metrics": null}', '$.metrics', 'must be an object%'),
	('{"metrics": {"t": 1}}', '$.metrics.t', 'is used by no target + must be an object'),
	('{"metrics": {"t": {}}}', '$.metrics.t.starts_on', 'is required'),
	('{"metrics": {"a/b": {"title": "T", "starts_on": ["opened"], "stops_on": ["assigned"]}}}', '$.metrics["a/b"]', 'a metric must have a name% + is used by no target'),
	('{"metrics": {"response": {"title": "First answer", "starts_on": ["opened"], "stops_on": ["replied", "resolved"]}}}', '$.metrics.response', 'exists and says something else%'),
-- Severities
	('{"severities": []}', '$.severities', 'must be an object%'), ('{"severities": null}', '$.severities', 'must be an object%'),
	('{"severities": {"high": {"label": "High"}}}', '$.severities.high', '%"high"%'),
	('{"severities": {"S1": "Critical"}}', '$.severities.S1', 'must be an object with a label'),
	('{"severities": {"S1": {}}}', '$.severities.S1.label', 'is required'),
	('{"severities": {"S1": {"label": ""}}}', '$.severities.S1.label', 'must be a string%'),
	('{"severities": {"S1": {"label": "Critical", "description": null}}}', '$.severities.S1.description', 'must be a string%'),
	('{"severities": {"S1": {"label": "Critical", "colour": "red"}}}', '$.severities.S1.colour', 'unknown member; known are label, description'),
	('{"severities": {"S1": {"label": "Critical"}, "sev 1": {"label": "High"}}}', '$.severities["sev 1"]', 'is the same severity as $.severities.S1'),
	('{"severities": {"S1": {"label": "A"}, "P1": {"label": "B"}}}', '$.severities.S1', 'is the same severity as $.severities.P1'),
-- Caps
	('{"severity_caps": ["S1"]}', '$.severity_caps', 'must be an object%'),
	('{"severity_caps": {"api": 2}}', '$.severity_caps.api', 'must be a string'),
	('{"severity_caps": {"api": "low"}}', '$.severity_caps.api', '%"low"%'),
	('{"severity_caps": {" api": "S3"}}', '$.severity_caps[" api"]', 'a product must have a name%'),
	('{"severity_caps": {"": "S3"}}', '$.severity_caps[""]', 'a product must have a name%'),
	('{"severity_caps": {"*": "S1"}}', '$.severity_caps["*"]', 'caps nothing%'),
	('{"severity_caps": {"api": "P1"}}', '$.severity_caps.api', 'caps nothing%'),
	('{"severity_caps": {"api": "S2"}}', '$.severity_caps.api', 'severity S2 has neither a target nor a label in the document'),
-- Channels
	('{"channels": "email"}', '$.channels', 'must be an object%'),
	('{"channels": {"email": "opened"}}', '$.channels.email', 'must be one of receipt, investigation, never'),
	('{"channels": {"email": null}}', '$.channels.email', 'must be one of%'),
	('{"channels": {"email ": "never"}}', '$.channels["email "]', 'a channel must have a name%'),
-- Exemptions
	('{"exemptions": ["other"]}', '$.exemptions', 'must be an object%'),
	('{"exemptions": {"other": ""}}', '$.exemptions.other', 'must be a string%'),
	('{"exemptions": {"other": {"title": "Other"}}}', '$.exemptions.other', 'must be a string%'),
	('{"exemptions": {"": "Nothing"}}', '$.exemptions[""]', 'a reason must have a name%'),
	('{"exemptions": {"error: other": "Ours"}}', '$.exemptions["error: other"]', 'a reason must not begin with%'),
	('{"exemptions": {"uncovered: other": "Ours"}}', '$.exemptions["uncovered: other"]', 'a reason must not begin with%'),
-- Words
	('{"severity_change": "restart"}', '$.severity_change', 'must be one of from_start, from_change, carry'),
	('{"severity_change": null}', '$.severity_change', 'must be one of%'),
	('{"reopening": ["continue"]}', '$.reopening', 'must be one of continue, restart'),
	('{"entitlement": "Anyone"}', '$.entitlement', 'must be one of anyone, contract'),
	('{"restricted_accounts": true}', '$.restricted_accounts', 'must be one of admit, uncovered, reject'),
	('{"severity_chance": "carry"}', '$.severity_chance', 'unknown member; known are%severity_change%')
) AS v(changes, path, pattern);
SELECT is(pg_temp.problem(changes::jsonb, path), NULL, 'nothing wrong with ' || changes)
FROM (VALUES
	('{"severity_caps": {"api": "S1", "*": "S3"}}', '$.severity_caps.api'),
	('{"severity_caps": {"api": "S2"}, "severities": {"P2": {"label": "High"}}}', '$.severity_caps.api'),
	('{"metrics": {"response": {"title": "First response", "starts_on": ["opened"], "stops_on": ["resolved", "replied"], "restarts_on": []}}}', '$.metrics.response'),
	('{"severities": {"S9": {"label": "Wish"}}}', '$.severities.S9'),
	('{"exemptions": {"errors": null}}', '$.exemptions.errors')
) AS v(changes, path);

SELECT * FROM finish();
ROLLBACK;
