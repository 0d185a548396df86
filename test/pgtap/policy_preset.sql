-- sla.preset: the policies that ship
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(18);

SELECT throws_ok($$ SELECT sla.preset('nobody') $$, '22023', 'there is no preset "nobody"', 'an unknown preset');
CREATE FUNCTION pg_temp.hint() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	PERFORM sla.preset('nobody');
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT is(pg_temp.hint(), 'There are: laioutr.', 'the hint lists those there are');
SELECT is_empty($$ SELECT * FROM sla.policy_problems(sla.preset('laioutr')) $$, 'laioutr is a sound document');

-- Loaded under a name of its own, so that a policy of the same name does not matter
SELECT sla.load_policy(sla.preset('laioutr') || '{"policy": "t laioutr"}') AS id \gset
SELECT is(sla.policy_document('t laioutr') - 'policy', sla.preset('laioutr') - 'policy', 'it comes back as it was');

-- The table of response times: 60 and 180 minutes around the clock, 12 and 48
-- support hours, support hours being Monday to Friday without holidays
SELECT results_eq(format($$
	SELECT t.severity::text, t.metric, t.goal::text, c.hours::text = '24/7'
	FROM sla.target t JOIN sla.calendar c ON c.name = t.calendar
	WHERE t.policy_version_id = %s ORDER BY t.severity $$, :id),
	$$ VALUES ('S1', 'response', '1h', true), ('S2', 'response', '3h', true),
			  ('S3', 'response', '12h', false), ('S4', 'response', '48h', false) $$,
	'four promises');
SELECT is(sla.deadline('2026-03-27 16:40 Europe/Berlin', f.goal, f.hours), due, 'received Friday afternoon before a clock change: ' || severity)
FROM (VALUES ('S1', timestamptz '2026-03-27 17:40 Europe/Berlin'), ('S2', '2026-03-27 19:40 Europe/Berlin'),
			 ('S3', '2026-03-30 04:40 Europe/Berlin'), ('S4', '2026-03-31 16:40 Europe/Berlin')) AS v(severity, due),
	 sla.policy_target_in_force('t laioutr', '2026-03-27 16:40 Europe/Berlin', severity::sla.severity, 'response') AS f;
SELECT is(sla.deadline('2026-04-02 20:00 Europe/Berlin', f.goal, f.hours), '2026-04-07 08:00 Europe/Berlin', 'over Good Friday and Easter Monday: S3')
FROM sla.policy_target_in_force('t laioutr', '2026-04-02 20:00 Europe/Berlin', 'S3', 'response') AS f;

-- The holidays: nine a year, the moving ones hanging from Easter
CREATE FUNCTION pg_temp.easter(year int) RETURNS date LANGUAGE sql AS $$
	-- Gauss's rule for 1900 to 2099
	SELECT make_date(year, 3, 22) + CASE WHEN d = 29 OR d = 28 AND e = 6 AND a > 10 THEN d + e - 7 ELSE d + e END
	FROM (SELECT a, d, (2 * (year % 4) + 4 * (year % 7) + 6 * d + 5) % 7 AS e
		  FROM (SELECT year % 19 AS a, (19 * (year % 19) + 24) % 30 AS d) AS x) AS y $$;
SELECT set_eq(
	format($$ SELECT day::date FROM jsonb_array_elements_text(sla.preset('laioutr') #> '{calendars,support,holidays}') AS day
			  WHERE day LIKE '%s-%%' $$, year),
	format($$ VALUES (make_date(%1$s, 1, 1)), (make_date(%1$s, 5, 1)), (make_date(%1$s, 10, 3)), (make_date(%1$s, 12, 25)),
					 (make_date(%1$s, 12, 26)), (pg_temp.easter(%1$s) - 2), (pg_temp.easter(%1$s) + 1),
					 (pg_temp.easter(%1$s) + 39), (pg_temp.easter(%1$s) + 50) $$, year),
	'public holidays of all of Germany in ' || year)
FROM generate_series(2025, 2030) AS year;
SELECT is(jsonb_array_length(sla.preset('laioutr') #> '{calendars,support,holidays}'), 54, 'and no other year');
SELECT is((SELECT count(*) FROM jsonb_array_elements_text(sla.preset('laioutr') -> 'notes') AS note WHERE note LIKE 'Assumption:%'), 2::bigint,
		  'what the published text leaves open is said to be assumed');

SELECT * FROM finish();
ROLLBACK;
