-- Availability of services by month: which rule holds, what excuses, what is owed
BEGIN;
SET LOCAL timezone = 'Europe/Berlin';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(102);

CREATE FUNCTION pg_temp.document(availability jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT '{"policy": "t acme", "time_zone": "Europe/Berlin", "calendars": {"always": {"hours": "24/7"}, "sundays": {"hours": "Europe/Berlin Su 02:00-05:00"},
			"office": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"}, {"severity": "S2", "metric": "response", "goal": "2h", "calendar": "sundays"},
			{"severity": "S3", "metric": "response", "goal": "2h", "calendar": "office"}]}'::jsonb || jsonb_build_object('availability', availability) $$;
SELECT sla.load_policy(pg_temp.document('[
	{"goal": 90},
	{"package": "gold", "goal": 91},
	{"service": "hosting", "goal": 99.9, "exclusions": ["planned_maintenance", "force_majeure"], "maintenance_notice": "5 days", "maintenance_window": "sundays",
		"credits": [{"below": 99.9, "percent": 10}, {"below": 99, "percent": 25}]},
	{"service": "hosting", "package": "gold", "goal": 99.95, "young": "life", "unknown": "down", "time_zone": "America/New_York", "exclusions": ["planned_maintenance"]},
	{"service": "portal", "goal": null, "calendar": "office"}]')) AS id \gset

-- Which rule holds
INSERT INTO sla.service (name, kind, package, policy) VALUES ('t 1', 'hosting', NULL, 't acme'), ('t 2', 'hosting', 'gold', 't acme'), ('t 3', 'hosting', 'silver', 't acme'),
	('t 4', 'dns', 'gold', 't acme'), ('t 5', 'dns', NULL, 't acme'), ('hosting', NULL, NULL, 't acme'), ('t 6', 'hosting', NULL, NULL);
SELECT is(goal, wanted::numeric, service) FROM sla.service_terms JOIN (VALUES ('t 1', 99.9), ('t 2', 99.95), ('t 3', 99.9), ('t 4', 91), ('t 5', 90), ('hosting', 99.9), ('t 6', NULL)) v(name, wanted) ON name = service
ORDER BY service;
SELECT is((SELECT count(*) FROM sla.service_terms WHERE service LIKE 't _'), 6::bigint, 'one row each');

-- A month
INSERT INTO sla.service (name, kind, account, policy, life, measurement_points) VALUES ('t shop', 'hosting', 'Acme', 't acme', '[2015-02-10,)', '{health,dns}');
INSERT INTO sla.outage (id, service, during, kind, measurement_point, evidence) VALUES
	(1, 't shop', '[2015-03-05 10:00, 2015-03-05 11:00)', 'down', 'health', '{"probe": 7}'), (2, 't shop', '[2015-03-05 10:30, 2015-03-05 10:50)', 'down', 'dns', NULL),
	(3, 't shop', '[2015-03-08 01:00, 2015-03-08 04:00)', 'down', 'dns', NULL), (4, 't shop', '[2015-02-28 10:00, 2015-03-01 11:00)', 'unknown', 'health', NULL),
	(5, 't shop', '[2015-03-31 23:00, 2015-04-01 01:00)', 'down', 'health', NULL);
INSERT INTO sla.exclusion (id, service, during, kind, announced_at, evidence) VALUES
	(1, 't shop', '[2015-03-08 01:30, 2015-03-08 03:00)', 'planned_maintenance', '2015-03-03 01:30', '{"mail": "announcement"}'),
	(2, NULL, '[2015-03-05 10:10, 2015-03-05 10:20)', 'force_majeure', NULL, NULL), (3, 't shop', '[2015-03-05 10:30, 2015-03-05 10:40)', 'abuse', NULL, NULL),
	(4, 't 1', '[2015-03-01, 2015-04-01)', 'force_majeure', NULL, NULL);
ALTER TABLE sla.outage ALTER id RESTART WITH 1000;
ALTER TABLE sla.exclusion ALTER id RESTART WITH 1000;
SELECT is(sla.service_availability('t shop', '2015-03-01')::text, '(730:50:00,727:00:00,03:50:00,11:00:00,01:10:00,99.475484)', 'in the zone of the policy, whose March has an hour less');
SELECT is(sla.service_availability('t shop', '2015-03-17'), sla.service_availability('t shop', '2015-03-01'), 'any of its dates');
SELECT is(sla.service_availability('t shop', period => '[2015-03-01, 2015-04-01)'), sla.service_availability('t shop', '2015-03-01'), 'as a period');
SELECT is(sla.service_availability('t shop', '2015-02-01'), sla.availability('[2015-02-01, 2015-03-01)', '{}', '{}', '{[2015-02-28 10:00, 2015-03-01)}'), 'a month that it did not live through, as a whole');
SELECT is(sla.service_availability('t shop', '2015-03-01', as_of => '2015-03-05 10:15'),
	sla.availability('[2015-03-01, 2015-03-05 10:15)', '{[2015-03-05 10:00, 2015-03-05 10:10)}', '{[2015-03-05 10:10, 2015-03-05 10:20)}', '{[2015-03-01, 2015-03-01 11:00)}'), 'as of a moment');
SELECT is(sla.service_availability('t shop', as_of => '2015-03-05 10:15'), sla.service_availability('t shop', '2015-03-01', as_of => '2015-03-05 10:15'), 'whose month it is by default');
SELECT is((sla.service_availability('t shop', '2015-03-01', as_of => '2015-02-01')).percent, NULL, 'a month to come');
SELECT is((sla.service_availability('t shop', as_of => '2015-02-28 23:30+00')).unknown, interval '30 min', 'by the clock of the zone it is March');
SELECT is((sla.service_availability('t 1', '2015-03-01')).percent::text, '100.000000', 'a month that is excused throughout');
SELECT is((sla.service_availability('t 6', '2015-03-01')).excluded, interval '0', 'without a policy nothing is excused');

-- Credits and budgets
SELECT is(sla.service_credit('t shop', '2015-03-01'), 10::numeric, 'below 99.9');
SELECT is(sla.service_credit('t shop', '2015-02-01'), 0::numeric, 'not below');
SELECT is(sla.service_credit('t shop', '2015-03-01', as_of => '2015-03-01'), NULL, 'nothing measured');
SELECT is(sla.service_credit('t 6', '2015-03-01'), NULL, 'nothing promised');
SELECT is(sla.service_credit('t 5', '2015-03-01'), 0::numeric, 'no credits agreed');
SELECT results_eq($$ SELECT * FROM sla.error_budget('t shop', '2015-03-01', as_of => '2015-03-05 10:15') $$,
	$$ VALUES (99.9, interval '730:50:00', interval '00:43:51', interval '00:10:00', interval '00:33:51') $$, 'what is left of the budget of the whole month');
SELECT results_eq($$ SELECT * FROM sla.error_budget('t shop', '2015-03-01', as_of => 'infinity') $$,
	$$ VALUES (99.9, interval '730:50:00', interval '00:43:51', interval '03:50:00', interval '-03:06:09') $$, 'overspent');
INSERT INTO sla.exclusion (id, service, during, kind, announced_at) VALUES (50, 't shop', '[2015-03-22 02:00, 2015-03-22 05:00)', 'planned_maintenance', '2015-03-10');
SELECT is((SELECT array_agg(measured ORDER BY t) FROM unnest('{2015-03-05 10:15,2015-03-09 23:59,2015-03-10,infinity}'::timestamptz[]) t, sla.error_budget('t shop', '2015-03-01', as_of => t)),
	'{730:50:00,730:50:00,727:50:00,727:50:00}', 'maintenance to come counts from its announcement on');
DELETE FROM sla.exclusion WHERE id = 50;
SELECT results_eq($$ SELECT * FROM sla.error_budget('t 6', '2015-03-01') $$, $$ VALUES (NULL::numeric, interval '744:00:00', NULL::interval, interval '0', NULL::interval) $$, 'no goal, no budget');
SELECT is_empty($$ SELECT d, b.* FROM generate_series(0, 60 * 60, 7) d, LATERAL (
		SELECT floor(extract(epoch FROM a.measured) * 1000000 * (100 - 99.9) / 100) >= extract(epoch FROM a.down) * 1000000 AS kept, a.percent >= 99.9 AS met
		FROM sla.availability('[2015-03-01, 2015-04-01)', tstzmultirange(tstzrange('2015-03-05', '2015-03-05'::timestamptz + d * interval '1 s'))) a) b
	WHERE kept <> met $$, 'a budget is kept exactly where the goal is met');

-- Which maintenance excuses
CREATE FUNCTION pg_temp.maintenance(announced timestamptz, during tstzrange DEFAULT '[2015-03-15 02:00, 2015-03-15 05:00)') RETURNS interval LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM sla.exclusion WHERE id = 100;
	INSERT INTO sla.exclusion (id, service, during, kind, announced_at) VALUES (100, 't shop', during, 'planned_maintenance', announced);
	RETURN (sla.service_availability('t shop', period => tstzrange('2015-03-10', '2015-04-10'))).excluded;
END $$;
SELECT is(pg_temp.maintenance('2015-03-10 02:00'), interval '3 h', 'announced five days before, to the second');
SELECT is(pg_temp.maintenance('2015-03-10 02:00:00.000001'), interval '0', 'not later');
SELECT is(pg_temp.maintenance(NULL), interval '0', 'nor never');
SELECT is(pg_temp.maintenance('2015-03-15 02:00'), interval '0', 'nor when it begins');
SELECT is(pg_temp.maintenance('2015-03-24 03:00', '[2015-03-29 03:00, 2015-03-29 05:00)'), interval '2 h', 'five days by the clock, of which one has 23 hours');
SELECT is(pg_temp.maintenance('2015-03-24 03:00:01', '[2015-03-29 03:00, 2015-03-29 05:00)'), interval '0', 'to the second');
SELECT is(sla.exclusion_refused('planned_maintenance', '[2015-03-30 02:30, 2015-03-30 03:30)', announced, '{planned_maintenance}', notice, 'Europe/Berlin') IS NULL, excuses, notice || ' before, at ' || announced)
FROM (VALUES (interval '72 h', timestamptz '2015-03-27 01:30', true), ('72 h', '2015-03-27 01:30:00.000001', false), ('3 days', '2015-03-27 02:30', true),
	('2 days 24 h', '2015-03-27 02:30', true), ('2 days 24 h', '2015-03-27 02:30:00.000001', false), ('1 day', '2015-03-29 03:00', true), ('1 day', '2015-03-29 03:00:00.000001', false)) v(notice, announced, excuses);
SELECT is(pg_temp.maintenance('2015-03-01', '[2015-03-15 04:00, 2015-03-15 08:00)'), interval '1 h', 'only in the service window');
SELECT is(pg_temp.maintenance('2015-03-01', '[2015-03-16 02:00, 2015-03-16 05:00)'), interval '0', 'not on another day');
SELECT is(pg_temp.maintenance('2015-03-01', '[2015-03-15 02:00,)'), interval '11 h', 'without an end: on each Sunday, one of which has an hour less');
DELETE FROM sla.exclusion WHERE id = 100;
INSERT INTO sla.exclusion (service, during, kind, announced_at) VALUES ('t 2', '[2015-03-16 02:00, 2015-03-16 05:00)', 'planned_maintenance', '2015-03-16 01:59'),
	('t 2', '[2015-03-17 02:00, 2015-03-17 05:00)', 'planned_maintenance', '2015-03-17 02:00');
SELECT is((sla.service_availability('t 2', '2015-03-01')).excluded, interval '3 h', 'a rule without notice and window: announced before it begins');

-- Conventions and zones of a rule
UPDATE sla.service SET life = '[2015-03-10 12:00, 2015-05-02 06:00)' WHERE name = 't 2';
INSERT INTO sla.outage (service, during, kind) VALUES ('t 2', '[2015-03-20 12:00, 2015-03-20 13:00)', 'unknown'), ('t 2', '[2015-03-01, 2015-03-10 13:00)', 'down');
SELECT is(sla.service_availability('t 2', '2015-03-01'), sla.availability('[2015-03-01 06:00, 2015-04-01 06:00)', '{[2015-03-01, 2015-03-10 13:00)}', '{[2015-03-16 02:00, 2015-03-16 05:00)}',
	'{[2015-03-20 12:00, 2015-03-20 13:00)}', unknown_counts => 'down', alive => '[2015-03-10 12:00,)', young => 'life'), 'the zone of the rule, life only, unknown is down');
SELECT is(used, interval '2 h', 'also of the budget') FROM sla.error_budget('t 2', '2015-03-01');
UPDATE sla.service SET time_zone = 'Asia/Tokyo' WHERE name = 't 2';
SELECT is((sla.service_availability('t 2', '2015-04-01', as_of => '2015-03-31 18:00')).measured, interval '1 h', 'the zone of the service goes before it');
UPDATE sla.service SET time_zone = NULL WHERE name = 't 2';
INSERT INTO sla.service (name, kind, policy) VALUES ('t portal', 'portal', 't acme');
SELECT is((sla.service_availability('t portal', '2015-03-01')).measured, interval '176 h', 'hours that count');

-- Versions: those in force when a month begins
SELECT sla.load_policy(pg_temp.document('[{"goal": 99}]'), '2015-03-01 00:00+01') AS march, sla.load_policy(pg_temp.document('[{"goal": 98, "time_zone": "Asia/Tokyo"}]'), '2015-04-01 00:00:01+02') AS april \gset
SELECT is((SELECT goal FROM sla.error_budget('t shop', month)), goal::numeric, month::text)
FROM (VALUES (date '2015-02-01', 99.9), ('2015-03-01', 99), ('2015-04-01', 99), ('2015-05-01', 98)) v(month, goal);
SELECT is((SELECT goal FROM sla.error_budget('t shop', period => period)), goal::numeric, period::text)
FROM (VALUES ('[2015-02-28 23:59:59, 2015-03-02)'::tstzrange, 99.9), ('[2015-03-01, 2015-03-02)', 99), ('[2015-04-01 00:00, 2015-04-02)', 99), ('[2015-04-01 00:00:01, 2015-04-02)', 98)) v(period, goal);
SELECT results_eq($$ SELECT month, goal, time_zone FROM sla.availability_by_month WHERE service = 't shop' AND month < '2015-06-01' ORDER BY month $$,
	$$ VALUES (date '2015-02-01', 99.9, 'Europe/Berlin'), ('2015-03-01', 99, 'Europe/Berlin'), ('2015-04-01', 99, 'Europe/Berlin'), ('2015-05-01', 98, 'Asia/Tokyo') $$, 'every month once, by the clock of its terms');
SELECT sla.load_policy(pg_temp.document('[]') || '{"policy": "t late"}', '2015-03-15') AS late \gset
UPDATE sla.service SET policy = 't late', life = '[2015-03-01 12:00,)' WHERE name = 't 5';
SELECT is((SELECT count(*) FROM sla.availability_by_month WHERE service = 't 5' AND month < '2015-06-01'), 3::bigint, 'also before the first version');
DELETE FROM sla.policy_version WHERE id IN (:march, :april);

-- The view and the function agree
SELECT results_eq($$ SELECT service, month, measured, up, down, unknown, excluded, percent, credit FROM sla.availability_by_month WHERE complete ORDER BY service COLLATE "C", month $$,
	$$ SELECT v.service, v.month, a.measured, a.up, a.down, a.unknown, a.excluded, a.percent, sla.service_credit(v.service, v.month)
	   FROM sla.availability_by_month v, LATERAL sla.service_availability(v.service, v.month) a WHERE complete ORDER BY v.service COLLATE "C", v.month $$, 'the view says what the functions say');
SELECT results_eq($$ SELECT month, met, credit, period, account, kind, policy FROM sla.availability_by_month WHERE service = 't shop' AND month IN ('2015-03-01', '2015-04-01') ORDER BY 1 $$,
	$$ VALUES (date '2015-03-01', false, 10::numeric, tstzrange('2015-03-01', '2015-04-01'), 'Acme', 'hosting', 't acme'), ('2015-04-01', false, 10, '[2015-04-01, 2015-05-01)', 'Acme', 'hosting', 't acme') $$, 'with goal and credit');
SELECT is((SELECT array_agg(month ORDER BY month) FROM sla.availability_by_month WHERE service = 't 2'), '{2015-03-01,2015-04-01,2015-05-01}', 'the months of its life');
SELECT is((SELECT min(month) FROM sla.availability_by_month WHERE service = 't shop'), '2015-02-01', 'from its beginning');
SELECT is((SELECT array_agg(complete) FROM sla.availability_by_month WHERE service = 't 1'), '{f}', 'without one and without outages this month');
INSERT INTO sla.outage (service, during) VALUES ('t 1', '[2014-12-31 23:30, 2015-01-01 00:30)'), ('t 3', tstzrange(now() - interval '3 min', NULL));
SELECT is((SELECT min(month) FROM sla.availability_by_month WHERE service = 't 1'), '2014-12-01', 'else from the first outage');
INSERT INTO sla.outage (id, service, during) VALUES (50, 't 4', tstzrange(now() + interval '40 days', NULL));
SELECT is((SELECT array_agg(complete) FROM sla.availability_by_month WHERE service = 't 4'), '{f}', 'unless that is still to come');
DELETE FROM sla.outage WHERE id = 50;
SELECT is((SELECT sum(down) FROM sla.availability_by_month WHERE service = 't 1' AND month < '2015-02-01'), interval '1 h', 'an outage over the end of a month is in both');
SELECT is((SELECT sum(down) FROM sla.availability_by_month WHERE service = 't 3'), interval '3 min', 'one that lasts, until now');
INSERT INTO sla.service (name, life, time_zone) VALUES ('t future', tstzrange(now() + interval '1 h', NULL), NULL), ('t past', '[2014-01-01, 2014-02-01)', 'Europe/Berlin');
SELECT is_empty($$ SELECT FROM sla.availability_by_month WHERE service = 't future' $$, 'nothing of a service to come');
SELECT is((SELECT array_agg(month) FROM sla.availability_by_month WHERE service = 't past'), '{2014-01-01}', 'and of one that is over what it was');

-- As early and as late as can be
INSERT INTO sla.service (name) VALUES ('t ancient');
INSERT INTO sla.outage (service, during) VALUES ('t ancient', '[4714-11-24 00:00+00 BC, 4714-12-01 01:00+00 BC)');
SELECT is((SELECT min(month) FROM sla.availability_by_month WHERE service = 't ancient'), '4714-12-01 BC', 'from the first month that there is');
UPDATE sla.service SET life = '[4714-11-24 00:00+00 BC, 4713-01-15 00:00+00 BC)', time_zone = 'Pacific/Kiritimati' WHERE name = 't ancient';
SELECT is((SELECT array_agg(month ORDER BY month) FROM sla.availability_by_month WHERE service = 't ancient'), '{4714-12-01 BC,4713-01-01 BC}', 'by any clock');
INSERT INTO sla.service (name, life) VALUES ('t end', '[294276-12-31 23:00+00,)'), ('t never', '[infinity, infinity]'), ('t ended', '(,-infinity]');
SELECT is_empty($$ SELECT FROM sla.availability_by_month WHERE service IN ('t end', 't never', 't ended') $$, 'nothing of services that are yet to come, or never were');
UPDATE sla.service SET life = tstzrange(now(), '294276-12-31 23:59:59.999999+00', '[]'), policy = 't acme' WHERE name = 't end';
INSERT INTO sla.outage (service, during) VALUES ('t end', tstzrange(now(), 'infinity', '[]')), ('t end', '[294276-12-31 23:59+00,)');
INSERT INTO sla.exclusion (id, service, during, kind, announced_at) VALUES (70, 't shop', '[4714-11-24 00:00+00 BC, 4714-11-25 00:00+00 BC)', 'planned_maintenance', '4714-11-24 00:00+00 BC'),
	(71, 't shop', '[4714-11-24 00:01+00 BC, 4714-11-25 00:00+00 BC)', 'planned_maintenance', '4714-11-24 00:00+00 BC'), (72, 't shop', '[294276-12-31 23:00+00, infinity]', 'planned_maintenance', '-infinity');
SAVEPOINT extremes;
SELECT sla.load_policy(pg_temp.document('[{"goal": 97, "time_zone": "America/New_York"}]'), '4714-11-24 00:00+00 BC'), sla.load_policy(pg_temp.document('[{"goal": 96, "time_zone": "Asia/Tokyo"}]'), '294276-12-31 23:59+00') \g /dev/null
SELECT lives_ok('SELECT count(percent) FROM sla.availability_by_month', 'neither facts nor versions at the ends of time break the report');
SELECT is((SELECT array_agg(DISTINCT goal) FROM sla.availability_by_month WHERE service = 't shop'), '{97}', 'a version from the first instant on is in force in all months');
ROLLBACK TO extremes;
DELETE FROM sla.exclusion WHERE id BETWEEN 70 AND 72;

-- Explained
SELECT results_eq($$ SELECT "from", "to", counts_as, counted, why FROM sla.explain_availability('t shop', '2015-03-01') $$, $$ VALUES
	(timestamptz '2015-03-01 00:00', timestamptz '2015-03-01 11:00', 'unknown', interval '11 h', 'outage 4 (unknown) at health'),
	('2015-03-01 11:00', '2015-03-05 10:00', 'up', '95 h', 'nothing reported'),
	('2015-03-05 10:00', '2015-03-05 10:10', 'down', '10 min', 'outage 1 (down) at health'),
	('2015-03-05 10:10', '2015-03-05 10:20', 'excluded', '10 min', 'exclusion 2 (force_majeure); outage 1 (down) at health'),
	('2015-03-05 10:20', '2015-03-05 11:00', 'down', '40 min', 'exclusion 3 (abuse) does not excuse: the rule does not list it; outage 1 (down) at health; outage 2 (down) at dns'),
	('2015-03-05 11:00', '2015-03-08 01:00', 'up', '62 h', 'nothing reported'),
	('2015-03-08 01:00', '2015-03-08 02:00', 'down', '1 h', 'exclusion 1 (planned_maintenance) does not excuse: it lies outside of the service window; outage 3 (down) at dns'),
	('2015-03-08 02:00', '2015-03-08 03:00', 'excluded', '1 h', 'exclusion 1 (planned_maintenance); outage 3 (down) at dns'),
	('2015-03-08 03:00', '2015-03-08 04:00', 'down', '1 h', 'outage 3 (down) at dns'),
	('2015-03-08 04:00', '2015-03-31 23:00', 'up', '570 h', 'nothing reported'),
	('2015-03-31 23:00', '2015-04-01 00:00', 'down', '1 h', 'outage 5 (down) at health') $$, 'each stretch with its reason');
SELECT is(evidence, '[{"exclusion": 2, "kind": "force_majeure"}, {"outage": 1, "kind": "down", "evidence": {"probe": 7}}]', 'and its evidence')
FROM sla.explain_availability('t shop', '2015-03-01') WHERE "from" = '2015-03-05 10:10';
SELECT is((SELECT array_agg(why ORDER BY "from") FROM sla.explain_availability('t shop', '2015-02-01') WHERE counts_as = 'up'), '{nothing reported}', 'a young service');
SELECT is((SELECT array_agg(DISTINCT why) FROM sla.explain_availability('t shop', '2015-01-01')), '{not in service}', 'before its life');
INSERT INTO sla.exclusion (id, service, during, kind) VALUES (60, 't shop', '[2015-03-08 01:00, 2015-03-08 01:59)', 'force_majeure');
SELECT is(why, 'exclusion 1 (planned_maintenance) does not excuse: it lies outside of the service window; exclusion 60 (force_majeure); outage 3 (down) at dns', 'of two exclusions just the one that excuses')
FROM sla.explain_availability('t shop', '2015-03-01') WHERE "from" = '2015-03-08 01:00';
UPDATE sla.exclusion SET during = '[2015-03-08 01:00, 2015-03-08 03:00)' WHERE id = 60;
SELECT is(why, 'exclusion 1 (planned_maintenance); exclusion 60 (force_majeure); outage 3 (down) at dns', 'or both, where the window has a part of it')
FROM sla.explain_availability('t shop', '2015-03-01') WHERE "from" = '2015-03-08 01:00';
DELETE FROM sla.exclusion WHERE id = 60;
UPDATE sla.exclusion SET announced_at = announced_at + interval '1 s' WHERE id = 1;
SELECT alike(why, '%exclusion 1 (planned_maintenance) does not excuse: it was announced too late, at 2015-03-03 01:30:01;%', 'announced too late')
FROM sla.explain_availability('t shop', '2015-03-01') WHERE "from" = '2015-03-08 01:00';
SELECT is((SELECT (sum(counted) FILTER (WHERE counts_as = 'up'), sum(counted) FILTER (WHERE counts_as = 'down'), sum(counted) FILTER (WHERE counts_as = 'excluded'))::text
		FROM sla.explain_availability('t shop', '2015-03-01')),
	(SELECT (up, down, excluded)::text FROM sla.service_availability('t shop', '2015-03-01')), 'what is explained sums up to what counts');
SELECT is_empty($$ SELECT FROM sla.explain_availability('t shop', '2015-03-01', as_of => '2015-02-01') $$, 'nothing of what is to come');

-- of each stretch all that overlaps it, and nothing else
SELECT setseed(0.5) AS seed \gset
INSERT INTO sla.service (name, kind, policy, life) VALUES ('t busy', 'hosting', 't acme', '(2015-03-02 12:00, 2015-03-30 12:00]');
INSERT INTO sla.outage (id, service, during, kind)
	SELECT 2000 + n, 't busy', tstzrange(t, nullif(t + floor(random() ^ 9 * 300) * interval '1 h' + interval '1 us', '2015-03-01'), (array['[)', '(]', '[]'])[1 + n % 3]), (array['down', 'unknown', 'unknown', 'unknown'])[1 + n % 4]
	FROM generate_series(1, 150) n, LATERAL (SELECT timestamptz '2015-02-27' + floor(n * 0 + random() * 33 * 24) * interval '1 h' AS t) x;
INSERT INTO sla.exclusion (id, service, during, kind, announced_at)
	SELECT 2000 + n, nullif('t busy', (array['t busy', 'x', 'x'])[1 + n % 3]), tstzrange(t, CASE WHEN n > 1 THEN t + random() ^ 9 * interval '300 h' + interval '1 us' END),
		(array['force_majeure', 'planned_maintenance', 'abuse'])[1 + n % 3], t - n * interval '8 h'
	FROM generate_series(1, 50) n, LATERAL (SELECT timestamptz '2015-02-27' + floor(n * 0 + random() * 33 * 24) * interval '1 h' AS t) x;
CREATE TEMP TABLE explained AS SELECT * FROM sla.explain_availability('t busy', '2015-03-01');
SELECT cmp_ok((SELECT count(*) FROM explained WHERE jsonb_array_length(evidence) > 1), '>', 20::bigint, 'a busy month');
SELECT is_empty($$
	SELECT e."from", e.evidence, w.wanted
	FROM explained e, LATERAL (
		SELECT array_agg(f.name ORDER BY f.name) AS wanted
		FROM (SELECT 'outage ' || id AS name, during FROM sla.outage WHERE service = 't busy'
			UNION ALL SELECT 'exclusion ' || id, during FROM sla.exclusion WHERE service = 't busy' OR service IS NULL) f
		-- at least a microsecond of it
		WHERE f.during * '(2015-03-02 12:00, 2015-03-30 12:00]' * tstzrange(e."from", e."to" - interval '1 us', '[]') && tstzrange(e."from", e."to" - interval '1 us', '[]')
			AND f.during * '(2015-03-02 12:00, 2015-03-30 12:00]' * tstzrange(e."from", e."to") <> tstzrange(e."from", e."from" + interval '1 us', '()')
	) w
	WHERE w.wanted IS DISTINCT FROM (SELECT array_agg(n ORDER BY n) FROM (SELECT coalesce('outage ' || (x ->> 'outage'), 'exclusion ' || (x ->> 'exclusion')) AS n FROM jsonb_array_elements(e.evidence) x) y)
$$, 'what is told of a stretch is what overlaps it');
SELECT is((SELECT (sum(counted) FILTER (WHERE counts_as = 'up'), sum(counted) FILTER (WHERE counts_as = 'down'), sum(counted) FILTER (WHERE counts_as = 'unknown'), sum(counted) FILTER (WHERE counts_as = 'excluded'))::text FROM explained),
	(SELECT (up, down, unknown, excluded)::text FROM sla.service_availability('t busy', '2015-03-01')), 'and sums up');

-- What cannot be asked
SELECT throws_ok(format('SELECT %s', q), code, NULL, q)
FROM (VALUES ('sla.service_availability(''t none'', ''2015-03-01'')', '42704'), ('sla.service_credit(''t none'', ''2015-03-01'')', '42704'), ('sla.error_budget(''t none'')', '42704'),
	('sla.explain_availability(''t none'')', '42704'), ('sla.service_availability(''t shop'', ''2015-03-01'', ''[2015-03-01, 2015-04-01)'')', '22023'),
	('sla.service_availability(''t shop'', period => ''[2015-03-01,)'')', '22008'), ('sla.service_availability(''t shop'', period => ''[-infinity,2015-03-01)'')', '22008'),
	('sla.error_budget(''t shop'', period => ''(,)'')', '22008'), ('sla.service_availability(''t shop'', ''infinity'')', '22008'), ('sla.service_availability(''t shop'', as_of => ''infinity'')', '22023'),
	('sla.service_credit(''t shop'', as_of => NULL)', '22023'), ('sla.service_availability(NULL, ''2015-03-01'')', '42704')) v(q, code);
SELECT is((sla.service_availability('t shop', period => 'empty')).percent, NULL, 'an empty period');
SELECT is(sla.calendar_month('2015-03-17', 'Europe/Berlin'), '[2015-03-01 00:00+01, 2015-04-01 00:00+02)', 'a month');
SELECT throws_ok($$ SELECT sla.calendar_month('2015-03-17', 'Mars') $$, '22023', NULL, 'in no zone');

SELECT * FROM finish();
ROLLBACK;
