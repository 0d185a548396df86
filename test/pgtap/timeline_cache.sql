-- The calendars a session has met: their memory stays within bounds, however
-- many there are, and what makes room for others answers as before
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(18);

-- Calendar i is open daily from 9 to 17 but on date i; every tenth elsewhere.
CREATE FUNCTION pg_temp.closed_on(i int) RETURNS date LANGUAGE sql IMMUTABLE
RETURN date '1986-01-01' + i;
CREATE FUNCTION pg_temp.calendar(i int) RETURNS sla.business_hours LANGUAGE sql STABLE
RETURN format('%s Mo-Su 09:00-17:00; %s off',
			  CASE WHEN i % 10 = 0 THEN 'Asia/Tokyo' ELSE 'UTC' END,
			  pg_temp.closed_on(i))::sla.business_hours;
CREATE FUNCTION pg_temp.local_time(i int, at timestamp) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN at AT TIME ZONE CASE WHEN i % 10 = 0 THEN 'Asia/Tokyo' ELSE 'UTC' END;

-- How many of the calendars say something wrong about their date
CREATE FUNCTION pg_temp.wrong(calendars int[]) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT count(*)
	FROM (SELECT pg_temp.calendar(i) AS hours, pg_temp.closed_on(i) AS d, i
		  FROM unnest(calendars) i OFFSET 0) c,
		 LATERAL (SELECT pg_temp.local_time(i, d) AS midnight OFFSET 0) m
	WHERE sla.is_open(hours, midnight + interval '12 hours')
	   OR NOT sla.is_open(hours, midnight - interval '12 hours')
	   OR sla.business_between(midnight - interval '1 day', midnight + interval '2 days', hours) <> '16 hours'
	   OR sla.business_add(midnight, '1h', hours) <> midnight + interval '34 hours'
	   OR sla.next_close(hours, midnight) <> midnight + interval '41 hours'
	   OR sla.business_days_add(d - 1, 1, hours) <> d + 1
$$;
CREATE FUNCTION pg_temp.some(first int, last int) RETURNS int[] LANGUAGE sql IMMUTABLE
RETURN (SELECT array_agg(i) FROM generate_series(first, last) i);

CREATE TEMP VIEW kept AS
SELECT count(*) FILTER (WHERE name = 'slapolicy timeline') AS timelines,
	   coalesce(sum(total_bytes) FILTER (WHERE name LIKE 'slapolicy timeline%'), 0) AS bytes,
	   sum(total_bytes) AS all_bytes,
	   count(*) AS contexts
FROM pg_backend_memory_contexts;

-- ---------- many values ----------

SELECT is(pg_temp.wrong(pg_temp.some(1, 2000)), 0::bigint, 'two thousand calendars answer');
CREATE TEMP TABLE early AS SELECT * FROM kept;
SELECT is(pg_temp.wrong(pg_temp.some(2001, 20000)), 0::bigint, 'eighteen thousand more do');
CREATE TEMP TABLE late AS SELECT * FROM kept;

SELECT cmp_ok(timelines, '>=', 32::bigint, 'a session keeps calendars') FROM late;
SELECT cmp_ok(timelines, '<=', 256::bigint, 'and not more than 256') FROM late;
SELECT cmp_ok(bytes, '<=', 17 * 1024 * 1024::numeric, 'in some 16 MB') FROM late;
SELECT cmp_ok(late.timelines, '<=', early.timelines, 'no more of them after 20000 than after 2000') FROM early, late;
SELECT cmp_ok(late.bytes, '<=', early.bytes + 1024 * 1024, 'their memory is flat') FROM early, late;
SELECT cmp_ok(late.all_bytes, '<=', early.all_bytes + 2 * 1024 * 1024, 'the whole memory is flat') FROM early, late;
SELECT cmp_ok(late.contexts, '<=', early.contexts + 32, 'nothing is left behind in a context of its own') FROM early, late;

-- those that had to go come back, in any order
SELECT is(pg_temp.wrong(pg_temp.some(1, 600)), 0::bigint, 'the first ones again');
SELECT is(pg_temp.wrong((SELECT array_agg(i ORDER BY hashint4(i)) FROM generate_series(1, 3000) i)), 0::bigint,
		  'in random order');
SELECT is(pg_temp.wrong((SELECT array_agg(1 + n % 257 ORDER BY n) FROM generate_series(1, 1500) n)), 0::bigint,
		  'in turn, one more than fit');
SELECT is(pg_temp.wrong((SELECT array_agg(CASE WHEN n % 2 = 0 THEN 7 ELSE n END ORDER BY n) FROM generate_series(1, 1500) n)),
		  0::bigint, 'one of them between all others');

-- ---------- large ones ----------

-- ten years of single dates, asked far away: megabytes where small ones take
-- kilobytes
DO $$
DECLARE
	hours sla.business_hours;
BEGIN
	FOR n IN 1..60 LOOP
		SELECT ('UTC Mo-Fr 09:00-17:00; ' ||
				string_agg(format('%s %s:%s-20:00', date '2020-01-01' + i, 10 + i % 8, to_char(i * n % 60, 'FM00')), '; '))
			INTO hours
		FROM generate_series(0, 3650, 2) i;
		PERFORM sla.is_open(hours, t) FROM unnest('{1700-01-01, 2300-01-01, 9000-01-01}'::timestamptz[]) t;
	END LOOP;
	PERFORM sla.is_open('UTC Mo 09:00-10:00', '2026-06-01 09:30+00');
END $$;
SELECT cmp_ok(bytes, '<=', 18 * 1024 * 1024::numeric, 'large calendars are kept within the same memory') FROM kept;

-- ---------- call sites whose calendar changes ----------

SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE ask(sla.business_hours, timestamptz) AS SELECT sla.is_open($1, $2);
CREATE TEMP TABLE said (i int, is_open bool, expected bool);

CREATE FUNCTION pg_temp.loop() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	hours sla.business_hours[] := ARRAY(SELECT pg_temp.calendar(i) FROM generate_series(1, 9) i);
	wrong bigint := 0;
	flood bigint;
BEGIN
	FOR n IN 1..900 LOOP
		-- one expression, its calendar and its date go round at different speed
		IF sla.is_open(hours[1 + n % 9], pg_temp.closed_on(1 + n % 8) + time '12:00')
			IS DISTINCT FROM (n % 9 <> n % 8)
		THEN
			wrong := wrong + 1;
		END IF;
		IF n % 300 = 0 THEN
			-- enough others to make each of them go
			SELECT count(*) INTO flood
			FROM generate_series(100 * n, 100 * n + 599) i
			WHERE sla.is_open(pg_temp.calendar(i), '2000-01-01 03:00+00');
		END IF;
	END LOOP;
	RETURN wrong;
END $$;
SELECT is(pg_temp.loop(), 0::bigint, 'an expression in a loop follows its calendar');

CREATE FUNCTION pg_temp.executed() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	answer bool;
	wrong bigint := 0;
BEGIN
	FOR n IN 1..300 LOOP
		EXECUTE format('EXECUTE ask(%L, %L)', pg_temp.calendar(1 + n % 7),
					   pg_temp.closed_on(1 + n % 5) + time '12:00') INTO answer;
		wrong := wrong + (answer IS DISTINCT FROM (n % 7 <> n % 5))::int;
	END LOOP;
	RETURN wrong;
END $$;
SELECT is(pg_temp.executed(), 0::bigint, 'a prepared statement follows its parameter');

-- one call site, another calendar in every row, and a subtransaction lost
-- while one was being made
SELECT is((SELECT count(*) FROM generate_series(1, 2000) n,
				  LATERAL (SELECT pg_temp.calendar(1 + n % 300) AS hours, 1 + n % 299 AS d OFFSET 0) c
		   WHERE sla.is_open(hours, pg_temp.local_time(1 + n % 300, pg_temp.closed_on(d) + time '12:00'))
				 IS DISTINCT FROM (n % 300 <> n % 299)), 0::bigint,
		  'a call site follows its rows');
DO $$
BEGIN
	PERFORM sla.is_open(pg_temp.calendar(i), '2000-01-01 12:00+00') AND 1 / (500 - i) > 0
	FROM generate_series(1, 500) i;
EXCEPTION WHEN division_by_zero THEN
	NULL;
END $$;
SELECT is(pg_temp.wrong(pg_temp.some(400, 700)), 0::bigint, 'what an aborted subtransaction met answers too');

SELECT * FROM finish();
ROLLBACK;
