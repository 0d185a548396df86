-- SLA & Support of a managed hosting provider (seed 003): uptime, exceptions and
-- credits, clause by clause. Each comment "-- 003: ..." is a row of doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(37);

-- As published
SELECT sla.load_policy(sla.preset('managed-hosting') || '{"policy": "t published"}') AS published \gset
INSERT INTO sla.service (name, policy) VALUES ('t published', 't published');
INSERT INTO sla.outage (service, during) VALUES ('t published', '[2015-03-05 10:00+01, 2015-03-06 10:00+01)');
SELECT is((SELECT concat_ws(' ', percent, coalesce(goal::text, '-'), coalesce(met::text, '-'), coalesce(credit::text, '-')) FROM sla.availability_by_month
	WHERE service = 't published' AND month = '2015-03-01'), '96.769851 - - -', 'no numbers are published: measured, and never missed');

-- As it might be agreed
CREATE FUNCTION pg_temp.agreed() RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_set(sla.preset('managed-hosting') || '{"policy": "t hosting"}', '{calendars,window}', '{"hours": "Europe/Amsterdam Su 02:00-06:00"}')
		|| jsonb_build_object('availability', (
			SELECT jsonb_agg(sla.preset('managed-hosting') #> '{availability,0}' || rule)
			FROM jsonb_array_elements('[
				{"service": "hosting", "package": "gold", "goal": 99.9, "maintenance_notice": "5 days", "maintenance_window": "window",
					"credits": [{"below": 99.9, "percent": 10}, {"below": 99, "percent": 25}]},
				{"service": "hosting", "goal": 99.5, "maintenance_notice": "5 days", "maintenance_window": "window", "credits": [{"below": 99.5, "percent": 5}]},
				{"service": "portal", "goal": 99, "credits": [{"below": 99, "percent": 5}]},
				{"service": "control plane", "goal": 98}]') AS rule)) $$;

-- 003: an addendum has definitions, method of measurement, exceptions and calculation of credits
SELECT is((SELECT count(*) FROM sla.policy_problems(pg_temp.agreed())), 0::bigint, 'the preset with what is agreed');
SELECT sla.load_policy(pg_temp.agreed()) AS id \gset
INSERT INTO sla.service (name, kind, package, account, policy, life, measurement_points) VALUES
	('gold hosting', 'hosting', 'gold', 'Acme', 't hosting', '[2015-01-01 00:00+01,)', '{https://acme.example/health,dns}'),
	('basic hosting', 'hosting', 'basic', 'Zen', 't hosting', '[2015-01-01 00:00+01,)', '{}'),
	('portal', 'portal', NULL, NULL, 't hosting', '[2015-01-01 00:00+01,)', '{}'),
	('control plane', 'control plane', NULL, NULL, 't hosting', '[2015-01-01 00:00+01,)', '{}'),
	('shop', 'shop', NULL, 'Acme', 't hosting', '[2015-01-01 00:00+01,)', '{}');
CREATE FUNCTION pg_temp.month(service text, first date DEFAULT '2015-03-01') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', v.percent, coalesce(v.goal::text, '-'), coalesce(v.met::text, '-'), coalesce(v.credit::text, '-'))
	FROM sla.availability_by_month v WHERE v.service = $1 AND v.month = first $$;

-- 003: credits are described per package and per service, too
INSERT INTO sla.outage (service, during, measurement_point)
SELECT s.name, '[2015-03-05 10:00+01, 2015-03-05 14:00+01)', s.measurement_points[1] FROM sla.service s WHERE s.policy = 't hosting';
SELECT is(pg_temp.month(name), wanted, name) FROM (VALUES ('gold hosting', '99.461641 99.9 false 10'), ('basic hosting', '99.461641 99.5 false 5'), ('portal', '99.461641 99 true 0'),
	('control plane', '99.461641 98 true 0')) v(name, wanted);

-- 003: credits work only if they are tightly defined
SELECT is((SELECT string_agg(path, ' ') FROM sla.policy_problems(jsonb_set(pg_temp.agreed(), '{availability,0,credits}', credits))), path, credits::text)
FROM (VALUES ('[{"below": 99.5, "percent": 10}]'::jsonb, '$.availability[0].credits[0].below'), ('[{"below": 99.9, "percent": 10}, {"below": 99.9, "percent": 25}]', '$.availability[0].credits[1].below'),
	('[{"below": 99.9, "percent": 25}, {"below": 99, "percent": 10}]', '$.availability[0].credits[1].percent'), ('[{"below": 99.9}]', '$.availability[0].credits[0].percent')) v(credits, path);
INSERT INTO sla.outage (service, during, measurement_point) VALUES ('gold hosting', '[2015-04-05 10:00+02, 2015-04-05 10:43:12+02)', 'dns'), ('gold hosting', '[2015-05-05 10:00+02, 2015-05-05 17:26:24+02)', 'dns');
SELECT is(pg_temp.month('gold hosting', '2015-04-01'), '99.900000 99.9 true 0', 'exactly the goal is the goal');
SELECT is(pg_temp.month('gold hosting', '2015-05-01'), '99.000000 99.9 false 10', 'and exactly a bound is not below it');

-- 003: credits apply only to unforeseen downtime within the agreed scope
SELECT is(pg_temp.month('shop'), '99.461641 - - -', 'a service that nothing is promised about');
UPDATE sla.service SET life = '[2015-03-05 12:00+01,)' WHERE name = 'basic hosting';
SELECT is(pg_temp.month('basic hosting'), '99.730820 99.5 true 0', 'what was before it was in service is out of scope');
UPDATE sla.service SET life = '[2015-01-01 00:00+01,)' WHERE name = 'basic hosting';

-- 003: availability is measured at points that are agreed beforehand
-- 003: needed: monitoring and logging at points that are agreed
SELECT throws_ok($$ INSERT INTO sla.outage (service, during, measurement_point) VALUES ('gold hosting', '[2015-03-06,)', 'somebody called') $$, '23514', NULL, 'an outage that was seen elsewhere is none');
SELECT throws_ok($$ INSERT INTO sla.outage (service, during) VALUES ('gold hosting', '[2015-03-06,)') $$, '23514', NULL, 'nor one that was seen nowhere');
INSERT INTO sla.outage (service, during, measurement_point, evidence) VALUES ('gold hosting', '[2015-03-05 13:00+01, 2015-03-05 15:00+01)', 'dns', '{"log": "probe 7: timeout"}');
SELECT is((sla.service_availability('gold hosting', '2015-03-01')).down, interval '5 h', 'down at either point is down, and no moment counts twice');
SELECT ok(evidence @> '[{"evidence": {"log": "probe 7: timeout"}}]', 'with what was logged') FROM sla.explain_availability('gold hosting', '2015-03-01') WHERE counts_as = 'down';
DELETE FROM sla.outage WHERE measurement_point = 'dns' AND lower(during) = '2015-03-05 13:00+01';

CREATE FUNCTION pg_temp.excuse(kind text, announced timestamptz DEFAULT NULL, during tstzrange DEFAULT '[2015-03-05 10:00+01, 2015-03-05 14:00+01)') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM sla.exclusion;
	UPDATE sla.outage o SET during = excuse.during WHERE o.service = 'gold hosting' AND lower(o.during) BETWEEN '2015-03-01' AND '2015-03-31';
	INSERT INTO sla.exclusion (service, during, kind, announced_at) VALUES ('gold hosting', during, kind, announced);
	RETURN pg_temp.month('gold hosting');
END $$;

-- 003: no credits: planned maintenance within an announced window
SELECT is(pg_temp.excuse('planned_maintenance', '2015-03-01', '[2015-03-08 02:00+01, 2015-03-08 06:00+01)'), '100.000000 99.9 true 0', 'announced a week before');
SELECT is(pg_temp.excuse('planned_maintenance', '2015-03-04', '[2015-03-08 02:00+01, 2015-03-08 06:00+01)'), '99.461641 99.9 false 10', 'announced too late');
SELECT is(pg_temp.excuse('planned_maintenance', NULL, '[2015-03-08 02:00+01, 2015-03-08 06:00+01)'), '99.461641 99.9 false 10', 'not announced');
UPDATE sla.exclusion SET announced_at = '2015-03-01', during = '[2015-03-08 02:00+01, 2015-03-08 04:00+01)';
SELECT is(pg_temp.month('gold hosting'), '99.730094 99.9 false 10', 'it took longer than was announced');

-- 003: a service window is when planned maintenance may take place
SELECT is(pg_temp.excuse('planned_maintenance', '2015-03-01', '[2015-03-09 02:00+01, 2015-03-09 06:00+01)'), '99.461641 99.9 false 10', 'announced for a Monday');
SELECT is(pg_temp.excuse('planned_maintenance', '2015-03-01', '[2015-03-08 04:00+01, 2015-03-08 08:00+01)'), '99.730094 99.9 false 10', 'announced for longer than the window');
SELECT is((sla.service_availability('gold hosting', '2015-03-01')).excluded, interval '2 h', 'of which it excuses what lies in the window');

-- 003: no credits: changes by the customer outside the flow of changes
SELECT is(pg_temp.excuse('customer_change'), '100.000000 99.9 true 0', 'a change by the customer');

-- 003: no credits: outages of external parties beyond reasonable influence
SELECT is(pg_temp.excuse('third_party'), '100.000000 99.9 true 0', 'DNS at a third party');

-- 003: no credits: force majeure and large-scale internet issues
SELECT is(pg_temp.excuse('force_majeure'), '100.000000 99.9 true 0', 'force majeure');
UPDATE sla.exclusion SET service = NULL;
SELECT is(pg_temp.month(name), '100.000000 ' || goal || ' true 0', 'large-scale: of all services, ' || name) FROM (VALUES ('gold hosting', 99.9), ('basic hosting', 99.5), ('portal', 99)) v(name, goal);

-- 003: no credits: abuse, DDoS or incidents that are mitigated and still affect availability
SELECT is(pg_temp.excuse('abuse'), '100.000000 99.9 true 0', 'abuse');
SELECT is(pg_temp.excuse('rain'), '99.461641 99.9 false 10', 'anything else is credited');

-- 003: the exceptions are recorded in the addendum
SELECT is((SELECT array_agg(DISTINCT exclusions) FROM sla.availability_rule WHERE policy_version_id IN (:id, :published)),
	ARRAY['{abuse,customer_change,force_majeure,planned_maintenance,third_party}'::text[]], 'all five');
SELECT alike(why, '%the rule does not list it%', 'so that nobody argues afterwards') FROM sla.explain_availability('gold hosting', '2015-03-01') WHERE counts_as = 'down';

-- 003: the SLA addendum says credits and windows of maintenance
SELECT is((SELECT concat_ws(', ', r.credits #>> '{0,percent}', r.maintenance_notice, c.hours) FROM sla.availability_rule r JOIN sla.calendar c ON c.name = r.maintenance_window
	WHERE policy_version_id = :id AND service = 'hosting' AND package = 'gold'), '10, 5 days, Europe/Amsterdam Su 02:00-06:00', 'in rows that everybody may read');
SELECT is(sla.policy_document('t hosting') -> 'availability', pg_temp.agreed() -> 'availability', 'and in the document');

SELECT * FROM finish();
ROLLBACK;
