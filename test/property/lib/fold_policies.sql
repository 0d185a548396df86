-- Random policies, and random values for the tickets under them.

CREATE TABLE fold.policy (
	name		text PRIMARY KEY,
	document	jsonb NOT NULL
);

-- Around a clock change, a holiday and two weekends; half of them in whole
-- hours, so that ties and exact due times do happen.
CREATE FUNCTION fold.instant() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
	SELECT '2026-03-27 00:00Z'::timestamptz
		+ CASE WHEN random() < 0.5 THEN floor(random() * 240) * interval '1 h'
			   ELSE floor(random() * 240 * 3600) * interval '1 s' END
$$;

CREATE FUNCTION fold.chance(probability float) RETURNS boolean LANGUAGE sql VOLATILE AS $$
	SELECT random() < probability
$$;

CREATE FUNCTION fold.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT choices[1 + floor(random() * cardinality(choices))::int]
$$;

-- Every combination of the two rules comes along after six.
CREATE FUNCTION fold.random_policy(n int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_build_object(
		'policy', 'fold' || n,
		'time_zone', 'Europe/Berlin',
		'severity_change', (ARRAY['from_start', 'from_change', 'carry'])[1 + n % 3],
		'reopening', (ARRAY['continue', 'restart'])[1 + n / 3 % 2],
		'calendars', '{
			"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00", "holidays": ["2026-04-03", "2026-04-06"]},
			"split": {"hours": "Europe/Berlin Mo-Th 09:00-12:00,13:00-17:00; Fr 09:00-16:00"},
			"night": {"hours": "Europe/Berlin Mo-Su 22:00-06:00"},
			"always": {"hours": "24/7"}}'::jsonb,
		'metrics', '{
			"triage": {"title": "Assigned to answered", "starts_on": ["assigned"], "stops_on": ["replied", "resolved"]},
			"hands": {"title": "In one hand", "starts_on": ["assigned"], "stops_on": ["resolved"], "restarts_on": ["assigned"]},
			"touch": {"title": "Received to looked at", "starts_on": ["opened"], "stops_on": ["assigned", "investigated"]},
			"rest": {"title": "Resolved for good", "starts_on": ["resolved"], "stops_on": ["reopened"]},
			"rework": {"title": "Done again", "starts_on": ["reopened"], "stops_on": ["resolved"]}}'::jsonb,
		'targets', (
			SELECT jsonb_agg(jsonb_build_object(
				'severity', 'S' || s, 'metric', m,
				'goal', fold.pick('30min', '1h', '2h', '4h', '8h', '16h', '1bd', '2bd 2h'),
				'calendar', fold.pick('day', 'split', 'night', 'always'),
				'pausable', fold.chance(0.8),
				'alerts', CASE WHEN fold.chance(0.5) THEN '[1]'::jsonb ELSE '[0.5, 1, "15min"]' END))
			FROM generate_series(1, 4) s,
				unnest('{response,reply,update,resolution,triage,hands,touch,rest,rework}'::text[]) WITH ORDINALITY x (m, ord)
			WHERE s = 1 + (n + ord) % 4 OR random() < 0.8),
		'exemptions', '{"known": "Known incident", "test": "Test"}'::jsonb)
	|| CASE WHEN fold.chance(0.5) THEN jsonb_build_object('severity_caps',
			jsonb_build_object('api', fold.pick('S2', 'S3')) || CASE WHEN fold.chance(0.5) THEN '{"*": "S3"}' ELSE '{}'::jsonb END)
		ELSE '{}' END
	|| CASE WHEN fold.chance(0.5) THEN '{"channels": {"email": "investigation", "chat": "never", "*": "receipt"}}'::jsonb ELSE '{}' END
$$;

-- The document without the calendars and metrics that no target uses, which
-- sla.load_policy takes for a mistake.
CREATE FUNCTION fold.in_use(document jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT document || jsonb_build_object(
		'calendars', (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(document -> 'calendars')
			WHERE document -> 'targets' @> jsonb_build_array(jsonb_build_object('calendar', key))),
		'metrics', (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(document -> 'metrics')
			WHERE document -> 'targets' @> jsonb_build_array(jsonb_build_object('metric', key))))
$$;

CREATE FUNCTION fold.load_policies(policies int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fold.policy SELECT 'fold' || n, fold.in_use(fold.random_policy(n)) FROM generate_series(0, policies - 1) n;
	PERFORM sla.load_policy(document) FROM fold.policy ORDER BY name;
END
$$;

-- Chance leaves a calendar unused once in a thousand policies, so force it to.
DO $$
DECLARE
	problems text;
BEGIN
	PERFORM setseed(0);
	SELECT string_agg(format('%s %s', p.path, p.problem), '; ') INTO problems
	FROM fold.random_policy(0) d,
		jsonb_path_query_array(d, '$.targets[*] ? (@.calendar != "night" && @.metric != "hands")') targets,
		sla.policy_problems(fold.in_use(d || jsonb_build_object('targets', targets))) p;
	IF problems IS NOT NULL THEN
		RAISE EXCEPTION 'the generator makes policies with problems: %', problems;
	END IF;
END
$$;
