-- The measurements of bench/calendar. psql variable: rounds.
--
-- Everything happens in one session. A function's cost is that of
-- count(function of columns) less that of count(the last column it reads) over
-- the same table.

\ir measure.sql
SET timezone = 'Europe/Amsterdam';
SET datestyle = 'ISO, YMD';

-- Mo-Fr 09:00-17:00 with 100 holidays on working days of twenty years;
-- variants have other holidays
CREATE FUNCTION calendar(variant int) RETURNS sla.business_hours
LANGUAGE sql STABLE AS $$
	SELECT sla.with_holidays('Europe/Amsterdam Mo-Fr 09:00-17:00', array_agg(d))
	FROM (
		SELECT d::date AS d
		FROM generate_series(timestamp '2006-01-01', '2025-12-31', '1 day') d
		WHERE extract(isodow FROM d) < 6
		ORDER BY hashtextextended(d::text, variant)
		LIMIT 100) days
$$;
SELECT calendar(0) AS cal \gset
-- follow the sun: three zones, 300 holidays
SELECT calendar(0) OPERATOR(sla.|)
	sla.with_holidays('America/New_York Mo-Fr 09:00-17:00', array(SELECT day FROM sla.special_dates(calendar(1))))
	OPERATOR(sla.|)
	sla.with_holidays('Australia/Sydney Mo-Fr 09:00-17:00', array(SELECT day FROM sla.special_dates(calendar(2)))) AS sun \gset

-- Random instants of twenty years, spans to a year
CREATE TABLE instant AS
SELECT a, a + random() * interval '365 days' AS b,
	(floor(random() * 2080 * 3600)::int || 's')::sla.business_interval AS amount
FROM (
	SELECT timestamptz '2006-01-01' + random() * interval '7305 days' AS a
	FROM generate_series(1, 500000)) s;

-- The same with one of fifty calendars in each row
CREATE TABLE fifty AS
SELECT n, calendar(-n) AS cal FROM generate_series(1, 50) n;
CREATE TABLE mixed AS
SELECT a, b, amount, cal
FROM (SELECT *, 1 + floor(random() * 50)::int AS n FROM instant LIMIT 200000) i
	JOIN fifty USING (n)
ORDER BY random();

-- Short and long spans from the same instants
CREATE TABLE span AS
SELECT a, a + interval '1 hour' AS hour, a + interval '87660 hours' AS decade
FROM instant;

-- The best plain SQL: a table of openings with running sums, joined LATERAL
CREATE TABLE few AS
SELECT a, b, amount, amount::interval AS span FROM instant LIMIT 20000;

CREATE TABLE opening AS
SELECT opens, closes,
	coalesce(sum(closes - opens) OVER (ORDER BY opens
		ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '0') AS before
FROM (
	SELECT (d + time '09:00') AT TIME ZONE 'Europe/Amsterdam' AS opens,
		(d + time '17:00') AT TIME ZONE 'Europe/Amsterdam' AS closes
	FROM generate_series(timestamp '2005-12-01', '2028-01-31', '1 day') d
	WHERE sla.is_business_day(:'cal', d::date)) s;
CREATE UNIQUE INDEX ON opening (opens) INCLUDE (closes, before);
CREATE UNIQUE INDEX ON opening (before) INCLUDE (opens);

CREATE VIEW table_between AS
SELECT f.*, y.before + (least(f.b, y.closes) - y.opens)
	- (x.before + (least(f.a, x.closes) - x.opens)) AS answer
FROM few f,
	LATERAL (SELECT * FROM opening o WHERE o.opens <= f.a
		ORDER BY o.opens DESC LIMIT 1) x,
	LATERAL (SELECT * FROM opening o WHERE o.opens <= f.b
		ORDER BY o.opens DESC LIMIT 1) y;

CREATE VIEW table_add AS
SELECT f.*, y.opens + (s.until - y.before) AS answer
FROM few f,
	LATERAL (SELECT * FROM opening o WHERE o.opens <= f.a
		ORDER BY o.opens DESC LIMIT 1) x,
	LATERAL (SELECT x.before + (least(f.a, x.closes) - x.opens) + f.span AS until) s,
	LATERAL (SELECT * FROM opening o WHERE o.before < s.until
		ORDER BY o.before DESC LIMIT 1) y;

-- Calendars not met before: a hundred for each round
CREATE TABLE fresh AS
SELECT round, calendar(100 * round + n) AS cal
FROM generate_series(1, :rounds + 1) round, generate_series(1, 100) n;
CREATE TABLE fresh_round (round int);
INSERT INTO fresh_round VALUES (0);

VACUUM ANALYZE;

-- It must give the same answers, or comparing costs means nothing.
SELECT (SELECT count(*) FROM table_between
		WHERE answer IS DISTINCT FROM sla.business_between(a, b, :'cal'))
	+ (SELECT count(*) FROM table_add
		WHERE answer IS DISTINCT FROM sla.business_add(a, amount, :'cal'))
	= 0 AS same \gset
\if :same
\else
	\warn 'the table of openings gives other answers'
	SELECT 1 / 0;
\endif

INSERT INTO probe (name, n, sql) VALUES
	('scan a', 500000, 'SELECT count(a) FROM instant'),
	('builtin', 500000, $$SELECT count(a + interval '1 day') FROM instant$$),
	('scan amount', 500000, 'SELECT count(amount) FROM instant'),
	('add', 500000, format('SELECT count(sla.business_add(a, amount, %L)) FROM instant', :'cal')),
	('scan b', 500000, 'SELECT count(b) FROM instant'),
	('between', 500000, format('SELECT count(sla.business_between(a, b, %L)) FROM instant', :'cal')),
	('union add', 500000, format('SELECT count(sla.business_add(a, amount, %L)) FROM instant', :'sun')),
	('union between', 500000, format('SELECT count(sla.business_between(a, b, %L)) FROM instant', :'sun')),

	('scan mixed a', 200000, 'SELECT count(a) FROM mixed'),
	('mixed builtin', 200000, $$SELECT count(a + interval '1 day') FROM mixed$$),
	('scan mixed cal', 200000, 'SELECT count(cal) FROM mixed'),
	('mixed add', 200000, 'SELECT count(sla.business_add(a, amount, cal)) FROM mixed'),
	('mixed between', 200000, 'SELECT count(sla.business_between(a, b, cal)) FROM mixed'),

	('scan span a', 500000, 'SELECT count(a) FROM span'),
	('add hour', 500000, format('SELECT count(sla.business_add(a, ''1h'', %L)) FROM span', :'cal')),
	('add decade', 500000, format('SELECT count(sla.business_add(a, ''20800h'', %L)) FROM span', :'cal')),
	('scan hour', 500000, 'SELECT count(hour) FROM span'),
	('between hour', 500000, format('SELECT count(sla.business_between(a, hour, %L)) FROM span', :'cal')),
	('scan decade', 500000, 'SELECT count(decade) FROM span'),
	('between decade', 500000, format('SELECT count(sla.business_between(a, decade, %L)) FROM span', :'cal')),

	('scan few', 20000, 'SELECT count(amount) FROM few'),
	('few add', 20000, format('SELECT count(sla.business_add(a, amount, %L)) FROM few', :'cal')),
	('few between', 20000, format('SELECT count(sla.business_between(a, b, %L)) FROM few', :'cal')),
	('table add', 20000, 'SELECT count(answer) FROM table_add'),
	('table between', 20000, 'SELECT count(answer) FROM table_between');

INSERT INTO probe (name, n, sql, setup)
SELECT name, 100, $$SELECT count(sla.is_open(cal, timestamptz '2020-01-01 12:00'))
		FROM fresh WHERE round = (SELECT round FROM fresh_round)$$, setup
FROM (VALUES
	('fresh', 'UPDATE fresh_round SET round = round + 1'),
	('again', NULL)) p (name, setup);

CALL run_probes(:rounds);

\pset footer off
\qecho Medians of :rounds rounds; ns for each row, less the bare scan.
SELECT what, to_char(ours, '999990.0') AS ns,
	against, to_char(theirs, '999990.0') AS "their ns",
	to_char(ours / theirs, '990.00') AS ratio, goal
FROM (VALUES
	('business_add', cost('add', 'scan amount'),
		'ts + interval ''1 day''', cost('builtin', 'scan a'), '<= 0.25'),
	('business_between', cost('between', 'scan b'),
		'the same', cost('builtin', 'scan a'), '<= 0.20'),
	('business_add, 50 calendars', cost('mixed add', 'scan mixed cal'),
		'the same', cost('mixed builtin', 'scan mixed a'), '<= 0.70'),
	('business_between, 50 calendars', cost('mixed between', 'scan mixed cal'),
		'the same', cost('mixed builtin', 'scan mixed a'), '<= 0.45'),
	('business_add, three zones joined', cost('union add', 'scan amount'),
		'one zone', cost('add', 'scan amount'), '<= 1.5'),
	('business_between, three zones joined', cost('union between', 'scan b'),
		'one zone', cost('between', 'scan b'), '<= 1.5'),
	('business_add, 10 years', cost('add decade', 'scan span a'),
		'1 hour', cost('add hour', 'scan span a'), '<= 1.15'),
	('business_between, 10 years', cost('between decade', 'scan decade'),
		'1 hour', cost('between hour', 'scan hour'), '<= 1.15')
) r (what, ours, against, theirs, goal);

SELECT what, to_char(ours, '999990.0') AS ns,
	against, to_char(theirs, '999990.0') AS "their ns",
	to_char(theirs / ours, '99990') AS "times faster", goal
FROM (VALUES
	('business_add', cost('few add', 'scan few'),
		'table of openings, LATERAL', cost('table add', 'scan few'), '>= 100'),
	('business_between', cost('few between', 'scan few'),
		'the same', cost('table between', 'scan few'), '>= 100')
) r (what, ours, against, theirs, goal);

SELECT what, to_char(value, '9990.0') AS value, unit, goal
FROM (
	SELECT 1, 'first call on a new calendar', cost('fresh', 'again') / 1000, 'us', '< 300'
	UNION ALL
	SELECT 2, 'memory of a compiled calendar', min(total_bytes) / 1024.0, 'kB', '<= 40'
	FROM pg_backend_memory_contexts
	WHERE name = 'slapolicy timeline'
	UNION ALL
	SELECT 3, 'the same, three zones joined', max(total_bytes) / 1024.0, 'kB', NULL
	FROM pg_backend_memory_contexts
	WHERE name = 'slapolicy timeline'
	UNION ALL
	SELECT 4, 'size of a calendar value', max(pg_column_size(cal)), 'bytes', NULL
	FROM mixed
) r (n, what, value, unit, goal)
ORDER BY n;
