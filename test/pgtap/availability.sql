-- sla.availability: what counts, what does not, and what comes out at the edges
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(84);

-- measured, up, down, unknown, excluded, percent of a day
CREATE FUNCTION pg_temp.day(down text, excluded text DEFAULT '{}', unknown text DEFAULT '{}', hours text DEFAULT '24/7',
		unknown_counts text DEFAULT 'ignore', alive text DEFAULT '(,)', young text DEFAULT 'period', period text DEFAULT '[2026-03-02, 2026-03-03)')
	RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', to_char(a.measured, 'FMHH24:MI:SS'), to_char(a.up, 'FMHH24:MI:SS'), to_char(a.down, 'FMHH24:MI:SS'),
		to_char(a.unknown, 'FMHH24:MI:SS'), to_char(a.excluded, 'FMHH24:MI:SS'), coalesce(a.percent::text, '-'))
	FROM sla.availability(period::tstzrange, down::tstzmultirange, excluded::tstzmultirange, unknown::tstzmultirange, hours::sla.business_hours,
		unknown_counts, alive::tstzrange, young) AS a $$;

-- What a moment is
SELECT is(pg_temp.day('{}'), '24:00:00 24:00:00 0:00:00 0:00:00 0:00:00 100.000000', 'nothing reported is up');
SELECT is(pg_temp.day('{[2026-03-02 06:00, 2026-03-02 12:00)}'), '24:00:00 18:00:00 6:00:00 0:00:00 0:00:00 75.000000', 'down');
SELECT is(pg_temp.day('{[2026-03-01, 2026-03-02 06:00), [2026-03-02 18:00,)}'), '24:00:00 12:00:00 12:00:00 0:00:00 0:00:00 50.000000', 'only what lies in the period');
SELECT is(pg_temp.day('{[2026-03-02 06:00, 2026-03-02 12:00)}', '{[2026-03-02 09:00, 2026-03-02 18:00)}'),
	'15:00:00 12:00:00 3:00:00 0:00:00 9:00:00 80.000000', 'excluded time does not count, down or not');
SELECT is(pg_temp.day('{}', '{[2026-03-02 09:00, 2026-03-02 15:00)}', '{[2026-03-02 12:00, 2026-03-02 18:00)}'),
	'15:00:00 15:00:00 0:00:00 3:00:00 6:00:00 100.000000', 'nor does it count as unknown');
SELECT is(pg_temp.day('{[2026-03-02 06:00, 2026-03-02 12:00)}', '{}', '{[2026-03-02 09:00, 2026-03-02 18:00)}'),
	'18:00:00 12:00:00 6:00:00 6:00:00 0:00:00 66.666666', 'what is known to be down is not unknown');
SELECT is(pg_temp.day('{[2026-03-02 06:00, 2026-03-02 12:00)}', '{[2026-03-02 06:00, 2026-03-02 12:00)}', '{[2026-03-02 06:00, 2026-03-02 12:00)}'),
	'18:00:00 18:00:00 0:00:00 0:00:00 6:00:00 100.000000', 'all at once: excluded');
SELECT is(a.up + a.down + a.unknown + a.excluded, interval '24 h', 'nothing is lost or counted twice')
FROM sla.availability('[2026-03-02, 2026-03-03)', '{[2026-03-02 01:00, 2026-03-02 05:00)}', '{[2026-03-02 02:00, 2026-03-02 03:00)}', '{[2026-03-02 04:00, 2026-03-02 09:00)}') AS a;

-- Bounds, to the microsecond
SELECT is((a).down, d::interval, bounds) FROM (VALUES ('[2026-03-02 06:00, 2026-03-02 07:00)', '01:00:00'), ('[2026-03-02 06:00, 2026-03-02 07:00]', '01:00:00.000001'),
	('(2026-03-02 06:00, 2026-03-02 07:00)', '00:59:59.999999'), ('(2026-03-02 06:00, 2026-03-02 07:00]', '01:00:00'),
	('[2026-03-02 06:00, 2026-03-02 06:00]', '00:00:00.000001'), ('(2026-03-02 06:00, 2026-03-02 06:00:00.000001)', '00:00:00')) v(bounds, d),
	LATERAL (SELECT sla.availability('[2026-03-02, 2026-03-03)', tstzmultirange(bounds::tstzrange)) AS a) x;
SELECT is(pg_temp.day('{}', period => '(2026-03-02, 2026-03-03]'), '24:00:00 24:00:00 0:00:00 0:00:00 0:00:00 100.000000', 'bounds of the period');
SELECT is((sla.availability('[2026-03-02, 2026-03-02]', '{}')).measured, interval '00:00:00.000001', 'a period of one microsecond');

-- Percent: cut off, never rounded up
SELECT is((sla.availability('[2026-01-01, 2027-01-01)', '{[2026-06-01, 2026-06-01]}')).percent, 99.999999, 'a microsecond in a year is not 100');
SELECT is((sla.availability('[2026-04-01, 2026-05-01)', '{[2026-04-10 00:00, 2026-04-10 00:43:12)}')).percent, 99.9, 'exactly at a goal');
SELECT is((sla.availability('[2026-04-01, 2026-05-01)', '{[2026-04-10 00:00, 2026-04-10 00:43:12]}')).percent, 99.899999, 'a microsecond more is below it');
SELECT is((sla.availability('[2026-04-01, 2026-05-01)', '{[2026-04-01, 2026-04-30 23:59:59.999999)}')).percent, 0.000000, 'and next to nothing is 0');
SELECT is((sla.availability('[2026-04-01, 2026-05-01)', '{(,)}')).percent::text, '0.000000', 'as is nothing');
SELECT is((sla.availability('[4700-01-01 BC, 284276-12-31)', '{[1000-01-01, 2000-01-01)}')).percent, 99.653950, 'a span of 289,000 years');

-- Unknown time
SELECT is(pg_temp.day('{[2026-03-02 00:00, 2026-03-02 06:00)}', '{}', '{[2026-03-02 06:00, 2026-03-02 12:00)}', unknown_counts => how), wanted, how)
FROM (VALUES ('ignore', '18:00:00 12:00:00 6:00:00 6:00:00 0:00:00 66.666666'), ('up', '24:00:00 12:00:00 6:00:00 6:00:00 0:00:00 75.000000'),
	('down', '24:00:00 12:00:00 6:00:00 6:00:00 0:00:00 50.000000')) v(how, wanted);

-- Young and old services
SELECT is(pg_temp.day('{[2026-03-02 06:00, 2026-03-02 18:00)}', alive => life, young => young), wanted, format('%s of %s', young, life))
FROM (VALUES ('[2026-03-02 12:00,)', 'period', '24:00:00 18:00:00 6:00:00 0:00:00 0:00:00 75.000000'),
	('[2026-03-02 12:00,)', 'life', '12:00:00 6:00:00 6:00:00 0:00:00 0:00:00 50.000000'),
	('(,2026-03-02 12:00)', 'life', '12:00:00 6:00:00 6:00:00 0:00:00 0:00:00 50.000000'),
	('(2026-03-02 11:59:59.999999,2026-03-02 16:00)', 'life', '4:00:00 0:00:00 4:00:00 0:00:00 0:00:00 0.000000'),
	('[2026-03-05,)', 'period', '24:00:00 24:00:00 0:00:00 0:00:00 0:00:00 100.000000'),
	('[2026-03-05,)', 'life', '0:00:00 0:00:00 0:00:00 0:00:00 0:00:00 -'),
	('empty', 'period', '24:00:00 24:00:00 0:00:00 0:00:00 0:00:00 100.000000'),
	('empty', 'life', '0:00:00 0:00:00 0:00:00 0:00:00 0:00:00 -'),
	('(,)', 'life', '24:00:00 12:00:00 12:00:00 0:00:00 0:00:00 50.000000')) v(life, young, wanted);

-- Hours that count
SELECT is(pg_temp.day('{[2026-03-02 06:00, 2026-03-02 12:00)}', hours => 'UTC Mo-Fr 09:00-17:00'), '8:00:00 5:00:00 3:00:00 0:00:00 0:00:00 62.500000', 'inside the hours');
SELECT is(pg_temp.day('{[2026-03-02 18:00, 2026-03-03)}', hours => 'UTC Mo-Fr 09:00-17:00'), '8:00:00 8:00:00 0:00:00 0:00:00 0:00:00 100.000000', 'a night does not count');
SELECT is(pg_temp.day('{}', hours => 'UTC Sa 09:00-17:00'), '0:00:00 0:00:00 0:00:00 0:00:00 0:00:00 -', 'nor does a day that is closed');
SELECT is((a.measured, a.down)::text, '(23:00:00,04:00:00)', 'the day on which clocks go forward is shorter')
FROM sla.availability('[2026-03-28 23:00, 2026-03-29 22:00)', '{[2026-03-29 00:00, 2026-03-29 04:00)}', hours => 'Europe/Berlin Mo-Su 00:00-24:00') AS a;
SELECT is((a.measured, a.down)::text, '(05:00:00,04:00:00)', 'so that less of it counts')
FROM sla.availability('[2026-03-28 23:00, 2026-03-29 22:00)', '{[2026-03-29 00:00, 2026-03-29 12:00)}', hours => 'Europe/Berlin Su 00:00-06:00') AS a;

-- Where nothing is measured
SELECT is(pg_temp.day('{(,)}', '{(,)}'), '0:00:00 0:00:00 0:00:00 0:00:00 24:00:00 100.000000', 'down throughout and all of it excused: 100');
SELECT is(pg_temp.day('{}', '{}', '{(,)}'), '0:00:00 0:00:00 0:00:00 24:00:00 0:00:00 -', 'nobody knows');
SELECT is(pg_temp.day('{}', '{[2026-03-02 12:00,)}', '{(,)}'), '0:00:00 0:00:00 0:00:00 12:00:00 12:00:00 -', 'nor here');
SELECT is(pg_temp.day('{(,)}', period => 'empty'), '0:00:00 0:00:00 0:00:00 0:00:00 0:00:00 -', 'a period without length');
SELECT is(pg_temp.day('{}', period => '[2026-03-02, 2026-03-02)'), '0:00:00 0:00:00 0:00:00 0:00:00 0:00:00 -', 'however it is written');

-- What cannot be
SELECT throws_ok(format('SELECT sla.availability(%L, ''{}'')', period), code, NULL, period)
FROM (VALUES ('[2026-01-01,)', '22008'), ('(,2026-01-01)', '22008'), ('[2026-01-01,infinity)', '22008'), ('[-infinity,2026-01-01)', '22008'), ('(,)', '22008'),
	('[4713-01-01 BC, 294276-12-31)', '22008'), ('[2026-03-03, 2026-03-02)', '22000')) v(period, code);
SELECT throws_ok($$ SELECT sla.availability('[2026-03-02, 2026-03-03)', '{[2026-03-02 12:00, 2026-03-02 06:00)}') $$, '22000', NULL, 'inverted ranges are none');
SELECT throws_ok($$ SELECT sla.availability('[2026-03-02, 2026-03-03)', '{}', unknown_counts => 'Up') $$, '22023', '"Up" is not a value of unknown_counts', 'unknown word');
SELECT throws_ok($$ SELECT sla.availability('[2026-03-02, 2026-03-03)', '{}', young => '') $$, '22023', NULL, 'no word');
SELECT is(sla.availability(NULL, '{}'), NULL, 'NULL in, NULL out');
SELECT is(sla.availability('[2026-03-02, 2026-03-03)', NULL), NULL, 'also of what was down');
SELECT throws_ok($$ SELECT * FROM sla.availability_stretches('(,)', '{}') $$, '22008', NULL, 'stretches of an unbounded period');

-- Stretches
SELECT results_eq($$ SELECT * FROM sla.availability_stretches('[2026-03-02, 2026-03-03)', '{[2026-03-02 06:00, 2026-03-02 12:00)}',
		'{[2026-03-02 09:00, 2026-03-02 11:00)}', '{[2026-03-02 08:00, 2026-03-02 14:00)}', 'UTC Mo-Fr 09:00-17:00') $$,
	$$ VALUES (tstzrange('2026-03-02 00:00', '2026-03-02 06:00'), 'up', interval '0'), ('[2026-03-02 06:00, 2026-03-02 09:00)', 'down', '0'),
		('[2026-03-02 09:00, 2026-03-02 11:00)', 'excluded', '2 h'), ('[2026-03-02 11:00, 2026-03-02 12:00)', 'down', '1 h'),
		('[2026-03-02 12:00, 2026-03-02 14:00)', 'unknown', '2 h'), ('[2026-03-02 14:00, 2026-03-03)', 'up', '3 h') $$, 'one state after the other');
SELECT is_empty($$ SELECT * FROM sla.availability_stretches('empty', '{(,)}') $$, 'none of an empty period');
SELECT is((SELECT count(*) FROM sla.availability_stretches('[2026-03-02, 2026-03-03)', '{[2026-03-02 06:00, 2026-03-02 07:00)}', '{[2026-03-02 06:00, 2026-03-02 07:00)}',
	alive => '[2026-03-02 06:30,)')), 3::bigint, 'before its life it is up');

-- The aggregate: overlaps, duplicates, order
CREATE TEMPORARY TABLE fact (during tstzrange, kind text);
INSERT INTO fact VALUES ('[2026-03-02 10:00, 2026-03-02 12:00)', 'down'), ('[2026-03-02 06:00, 2026-03-02 08:00)', 'down'), ('[2026-03-02 07:00, 2026-03-02 11:00)', 'down'),
	('[2026-03-02 10:00, 2026-03-02 12:00)', 'down'), ('[2026-03-02 09:00, 2026-03-02 10:00)', 'excluded'), ('[2026-03-02 09:30, 2026-03-02 10:00]', 'excluded'),
	('[2026-03-02 18:00,)', 'unknown'), ('empty', 'down'), (NULL, NULL), ('[2026-03-05, 2026-03-06)', 'down');
SELECT is(sla.availability_of('[2026-03-02, 2026-03-03)', during, kind),
	sla.availability('[2026-03-02, 2026-03-03)', '{[2026-03-02 06:00, 2026-03-02 12:00)}', '{[2026-03-02 09:00, 2026-03-02 10:00]}', '{[2026-03-02 18:00,)}'), 'no moment counts twice')
FROM fact;
SELECT is(sla.availability_of('[2026-03-02, 2026-03-03)', during, kind, 'UTC Mo 09:00-17:00', 'down', '[2026-03-02 10:00,)', 'life'),
	sla.availability('[2026-03-02, 2026-03-03)', '{[2026-03-02 06:00, 2026-03-02 12:00)}', '{[2026-03-02 09:00, 2026-03-02 10:00]}', '{[2026-03-02 18:00,)}',
		'UTC Mo 09:00-17:00', 'down', '[2026-03-02 10:00,)', 'life'), 'the longer form')
FROM fact;
SELECT is(sla.availability_of('[2026-03-02, 2026-03-03)', NULL, NULL), sla.availability('[2026-03-02, 2026-03-03)', '{}'), 'a row of an outer join: up');
SELECT is(sla.availability_of('[2026-03-02, 2026-03-03)', during, kind), NULL, 'no rows: NULL') FROM fact WHERE false;
SELECT is(sla.availability_of(NULL, during, kind), NULL, 'no period: NULL') FROM fact;
SELECT is(sla.availability_of(p, '[2026-03-02 06:00, 2026-03-02 12:00)', 'down'), sla.availability('[2026-03-02, 2026-03-03)', '{[2026-03-02 06:00, 2026-03-02 12:00)}'),
	'two spellings of a period are one') FROM (VALUES ('[2026-03-02, 2026-03-03)'::tstzrange), ('[2026-03-02, 2026-03-02 23:59:59.999999]'), (NULL)) v(p);
SELECT throws_ok($$ SELECT sla.availability_of(p, NULL, NULL) FROM (VALUES ('[2026-03-02, 2026-03-03)'::tstzrange), ('[2026-03-02, 2026-03-04)')) v(p) $$, '22023', NULL, 'two periods');
SELECT throws_ok($$ SELECT sla.availability_of('[2026-03-02, 2026-03-03)', NULL, NULL, h, 'up', '(,)', 'life') FROM unnest('{24/7,UTC Mo 09:00-17:00}'::sla.business_hours[]) h $$,
	'22023', NULL, 'two calendars');
SELECT throws_ok($$ SELECT sla.availability_of('[2026-03-02, 2026-03-03)', NULL, NULL, '24/7', u, '(,)', 'life') FROM unnest('{up,down}'::text[]) u $$, '22023', NULL, 'two conventions');
SELECT throws_ok($$ SELECT sla.availability_of('[2026-03-02, 2026-03-03)', during, 'up') FROM fact $$, '22023', NULL, 'up is not reported');
SELECT throws_ok($$ SELECT sla.availability_of('[2026-03-02, 2026-03-03)', '[2026-03-02, 2026-03-03)', NULL) $$, '22004', NULL, 'during without a kind');
SELECT throws_ok(format('SELECT sla.availability_of(''[2026-03-02, 2026-03-03)'', NULL, NULL, %s)', a), '22004', NULL, 'without ' || what)
FROM (VALUES ('NULL, ''up'', ''(,)'', ''life''', 'hours'), ('''24/7'', NULL, ''(,)'', ''life''', 'a convention'), ('''24/7'', ''up'', NULL, ''life''', 'a life'),
	('''24/7'', ''up'', ''(,)'', NULL', 'a rule for the young')) v(a, what);
SELECT throws_ok($$ SELECT sla.availability_of('(,)', during, kind) FROM fact $$, '22008', NULL, 'an unbounded period');

-- In groups, as a window, and by several processes
CREATE TABLE many AS SELECT n % 7 AS service, tstzrange(t, t + random() * interval '3 h') AS during, (ARRAY['down', 'down', 'excluded', 'unknown'])[1 + n % 4] AS kind
	FROM (SELECT n, timestamptz '2026-03-01' + random() * interval '31 days' AS t FROM generate_series(1, 20000) n) x;
CREATE VIEW by_multirange AS SELECT service, sla.availability('[2026-03-01, 2026-04-01)', range_agg(during) FILTER (WHERE kind = 'down'),
	range_agg(during) FILTER (WHERE kind = 'excluded'), range_agg(during) FILTER (WHERE kind = 'unknown'), 'Europe/Berlin Mo-Fr 09:00-17:00') AS a FROM many GROUP BY 1;
CREATE VIEW by_rows AS SELECT service, sla.availability_of('[2026-03-01, 2026-04-01)', during, kind, 'Europe/Berlin Mo-Fr 09:00-17:00', 'ignore', '(,)', 'period') AS a FROM many GROUP BY 1;
SELECT results_eq('SELECT * FROM by_rows ORDER BY 1', 'SELECT * FROM by_multirange ORDER BY 1', 'groups');
SELECT is(count(DISTINCT a), 7::bigint, 'as a window') FROM (SELECT sla.availability_of('[2026-03-01, 2026-04-01)', during, kind) OVER (PARTITION BY service) AS a FROM many WHERE kind = 'down') x;
SELECT is((SELECT (array_agg((a).down ORDER BY n DESC))[1] FROM (SELECT n, sla.availability_of('[2026-03-02, 2026-03-03)', tstzrange(t, t + interval '30 min'), 'down') OVER (ORDER BY n) AS a
	FROM (SELECT n, timestamptz '2026-03-02 23:00' - n * interval '1 h' AS t FROM generate_series(1, 20) n) x) y), interval '10 h', 'row by row');
SELECT is((sla.availability_of('[2026-03-01, 2026-04-01)', tstzrange(t, t + interval '1 s'), 'down')).down, interval '200000 s', 'many that are apart')
FROM (SELECT timestamptz '2026-03-01' + (n * 7919 % 200000) * interval '2 s' AS t FROM generate_series(1, 200000) n) x;
SELECT is((sla.availability_of('[2026-03-01, 2026-04-01)', tstzrange(t, t + interval '1 h'), 'down')).down, interval '2 h' - interval '1 s', 'and many that are not')
FROM (SELECT timestamptz '2026-03-02' + n % 3600 * interval '1 s' AS t FROM generate_series(1, 200000) n) x;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT isnt_empty($$ SELECT FROM pg_temp.plan('SELECT * FROM by_rows') p WHERE p ~ 'Partial' $$, 'it can be');
SELECT results_eq('SELECT * FROM by_rows ORDER BY 1', 'SELECT * FROM by_multirange ORDER BY 1', 'and gives the same');
SELECT results_eq($$ SELECT sla.availability_of('[2026-03-01, 2026-04-01)', during, kind) FROM many $$,
	$$ SELECT sla.availability('[2026-03-01, 2026-04-01)', range_agg(during) FILTER (WHERE kind = 'down'),
		range_agg(during) FILTER (WHERE kind = 'excluded'), range_agg(during) FILTER (WHERE kind = 'unknown')) FROM many $$, 'the shorter form, too');

SELECT * FROM finish();
ROLLBACK;
