-- The preset laioutr, against Laioutr: Customer Support (seed 002)
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(20);

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
SELECT is((SELECT count(*) FROM jsonb_array_elements_text(sla.preset('laioutr') -> 'notes') AS note WHERE note LIKE 'Assumption:%'), 5::bigint,
		  'what the published text leaves open is said to be assumed');

-- The levels, and what they say of products
SELECT results_eq(format('SELECT severity::text, label FROM sla.severity_label WHERE policy_version_id = %s AND description IS NOT NULL ORDER BY severity', :id),
	$$ VALUES ('S1', 'Critical Incident'), ('S2', 'Incident'), ('S3', 'Problem'), ('S4', 'Question, suggestion, or other Support request') $$,
	'four severity levels, each defined');
SELECT results_eq(format('SELECT product, severity::text FROM sla.severity_cap WHERE policy_version_id = %s ORDER BY product COLLATE "C"', :id),
	$$ VALUES ('documentation', 'S4'), ('non_production', 'S3'), ('open_source', 'S3') $$,
	'problems with non-production systems, open source and documentation are never more severe');

-- To what the response time does not apply
SELECT set_eq(format('SELECT reason FROM sla.exemption WHERE policy_version_id = %s', :id), '{known_incident,personal_data,out_of_scope}'::text[],
	'known from the status page, with personal data or secrets, out of scope');
SELECT results_eq(format('SELECT channel, counts_from FROM sla.channel_rule WHERE policy_version_id = %s ORDER BY channel COLLATE "C"', :id),
	$$ VALUES ('email', 'receipt'), ('website', 'receipt') $$, 'time starts with submission');
SELECT results_eq(format('SELECT severity_change, reopening, entitlement, restricted_accounts FROM sla.policy_version WHERE id = %s', :id),
	$$ VALUES ('from_start', 'continue', 'anyone', 'admit') $$, 'of the rest it says nothing');

SELECT * FROM finish();
ROLLBACK;
