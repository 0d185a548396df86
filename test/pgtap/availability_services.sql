-- Services, outages and exclusions: what the tables accept, protect and hide
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(64);

SELECT lives_ok($$ INSERT INTO sla.service (name, kind, package, account, life, time_zone, measurement_points)
	VALUES ('t shop', 'hosting', 'gold', 'Acme', '[2026-01-01,)', 'europe/BERLIN', '{https://acme.example/health,dns}') $$, 'a service');
SELECT is(time_zone, 'Europe/Berlin', 'its zone as this server spells it') FROM sla.service WHERE name = 't shop';
INSERT INTO sla.service (name) VALUES ('t plain');
SELECT throws_ok(format('INSERT INTO sla.service (name, %s) VALUES (''t other'', %L)', c, v), code, NULL, format('%s %s', c, v))
FROM (VALUES ('kind', '', '23514'), ('package', ' x', '23514'), ('account', '', '23514'), ('life', 'empty', '23514'), ('life', NULL, '23502'), ('time_zone', 'CEST', '22023'),
	('policy', 'none', '23503'), ('measurement_points', '{NULL}', '23514'), ('measurement_points', '{""}', '23514'), ('measurement_points', '{" a"}', '23514')) x(c, v, code);
SELECT throws_ok($$ INSERT INTO sla.service (name) VALUES ('t shop') $$, '23505', NULL, 'one service of a name');

-- Outages
SELECT lives_ok(format('INSERT INTO sla.outage (service, during, kind) VALUES (''t plain'', %L, ''down'')', during), during)
FROM unnest('{"[2026-03-05 10:00, 2026-03-05 11:00)","[2026-03-05 10:00,)","[2026-03-05 10:00,infinity)","(2026-03-05 10:00, 2026-03-05 11:00]"}'::text[]) AS during;
SELECT throws_ok(format('INSERT INTO sla.%s (service, during, kind) VALUES (''t plain'', %L, ''down'')', t, during), code, NULL, format('%s in %s', t, during))
FROM unnest('{outage,exclusion}'::text[]) t, (VALUES ('empty', '23514'), ('(,2026-03-05)', '23514'), ('[-infinity,2026-03-05)', '23514'), ('(,)', '23514'), ('[infinity,)', '23514'),
	('[2026-03-05 11:00, 2026-03-05 10:00)', '22000'), (NULL, '23502')) v(during, code);
SELECT throws_ok($$ INSERT INTO sla.outage (service, during, kind) VALUES ('t plain', '[2026-03-05,)', 'degraded') $$, '23514', NULL, 'kinds of outages are two');
SELECT throws_ok($$ INSERT INTO sla.outage (service, during) VALUES ('t none', '[2026-03-05,)') $$, '23503', 'insert of sla.outage refers to service "t none", which does not exist', 'of a service that exists');
SELECT throws_ok($$ INSERT INTO sla.outage (service, during) VALUES (NULL, '[2026-03-05,)') $$, '23502', NULL, 'of a service');
SELECT throws_ok($$ UPDATE sla.outage SET service = 't none' $$, '23503', NULL, 'also later');
SELECT lives_ok($$ INSERT INTO sla.outage (service, during, measurement_point) VALUES ('t plain', '[2026-03-05,)', 'anywhere') $$, 'without agreed points any will do');
SELECT lives_ok($$ INSERT INTO sla.outage (service, during, measurement_point) VALUES ('t shop', '[2026-03-05,)', 'dns') $$, 'else an agreed one');
SELECT throws_ok($$ INSERT INTO sla.outage (id, service, during, measurement_point) VALUES (1000, 't shop', '[2026-03-05,)', 'ping') $$, '23514',
	'outage 1000 was seen at "ping", which is not a measurement point of service "t shop"', 'and no other');
SELECT throws_ok($$ INSERT INTO sla.outage (id, service, during) VALUES (1000, 't shop', '[2026-03-05,)') $$, '23514', 'outage 1000 does not say at which measurement point it was seen', 'nor none');
SELECT lives_ok($$ UPDATE sla.service SET measurement_points = '{ping}' WHERE name = 't shop' $$, 'what is agreed later does not change what was seen before');

-- Exclusions
SELECT lives_ok($$ INSERT INTO sla.exclusion (service, during, kind, announced_at, evidence) VALUES ('t shop', '[2026-03-05,2026-03-06)', 'planned_maintenance', '2026-03-01', '{"mail": 7}'),
	(NULL, '[2026-03-05,)', 'force_majeure', NULL, NULL), ('t shop', '[2026-03-05,2026-03-06)', 'planned_maintenance', NULL, NULL) $$, 'of a service or of all, announced or not');
SELECT throws_ok($$ INSERT INTO sla.exclusion (service, during, kind) VALUES ('t none', '[2026-03-05,)', 'abuse') $$, '23503', NULL, 'of a service that exists');
SELECT throws_ok(format('INSERT INTO sla.exclusion (during, kind) VALUES (''[2026-03-05,)'', %L)', kind), code, NULL, format('kind %s', kind)) FROM (VALUES ('', '23514'), ('x ', '23514'), (NULL, '23502')) v(kind, code);

-- Names and references stay
SELECT throws_ok($$ UPDATE sla.service SET name = 't renamed' WHERE name = 't shop' $$, '55000', NULL, 'a name stays');
SELECT throws_ok($$ DELETE FROM sla.service WHERE name = 't shop' $$, '23503', 'service "t shop" still has outages or exclusions', 'a service with outages stays');
SELECT throws_ok($$ TRUNCATE sla.service $$, '23503', NULL, 'and so do all');
DELETE FROM sla.outage;
SELECT throws_ok($$ DELETE FROM sla.service WHERE name = 't shop' $$, '23503', NULL, 'nor one with exclusions');
DELETE FROM sla.exclusion WHERE service IS NOT NULL;
SELECT lives_ok($$ DELETE FROM sla.service WHERE name = 't shop' $$, 'without either it goes');

-- Who sees what
CREATE ROLE sla_test_reporter;
CREATE FUNCTION pg_temp.as_reporter(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE sla_test_reporter;
	EXECUTE command;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN insufficient_privilege THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.as_reporter('SELECT FROM sla.' || t), '42501', 'not everybody reads sla.' || t) FROM unnest('{service,outage,exclusion,service_terms,availability_by_month}'::text[]) t;
SELECT is(pg_temp.as_reporter('SELECT FROM sla.availability_rule'), 'done', 'but what is promised');
SELECT is(pg_temp.as_reporter('SELECT ' || f), '42501', f || ' asks for rights on the tables')
FROM unnest(ARRAY['sla.service_availability(''t plain'', ''2026-03-01'')', 'sla.service_credit(''t plain'', ''2026-03-01'')', 'sla.error_budget(''t plain'', ''2026-03-01'')',
	'sla.explain_availability(''t plain'', ''2026-03-01'')']) f;
GRANT SELECT ON sla.availability_by_month TO sla_test_reporter;
INSERT INTO sla.outage (service, during) VALUES ('t plain', '[2026-03-05 10:00, 2026-03-05 11:00)');
SELECT is(pg_temp.as_reporter('SELECT * FROM sla.availability_by_month'), 'done', 'the view alone is enough for reports');
SELECT is(pg_temp.as_reporter('SELECT FROM sla.outage'), '42501', 'and shows nothing else');

-- Who may only record outages cannot say that he restores a dump
CREATE ROLE slapolicy_monitoring;
GRANT USAGE ON SCHEMA sla TO slapolicy_monitoring;
GRANT SELECT ON sla.service TO slapolicy_monitoring;
GRANT UPDATE (name) ON sla.service TO slapolicy_monitoring;
GRANT INSERT ON sla.outage TO slapolicy_monitoring;
SET LOCAL ROLE slapolicy_monitoring;
SET LOCAL check_function_bodies = off;
SELECT throws_ok($$ INSERT INTO sla.outage (service, during) VALUES ('t none', '[2026-03-05,)') $$, '23503', NULL, 'who records outages cannot restore dumps');
RESET ROLE;
SELECT lives_ok($$ INSERT INTO sla.outage (service, during) VALUES ('t later', '[2026-03-05,)') $$, 'who owns the tables can');
RESET check_function_bodies;

SELECT * FROM finish();
ROLLBACK;
