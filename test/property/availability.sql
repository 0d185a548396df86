-- Randomised comparison of availability with a slow and obvious oracle.
--
--	psql -X -f test/property/availability.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error at the first case that disagrees, printed as SQL to paste.
--
-- The oracle cuts the period at every instant at which anything begins or
-- ends, asks about each piece what is said of its first moment, and adds up.
-- Hours are days and times of day, laid out with AT TIME ZONE. The aggregate
-- gets the ranges as they were made; the function what range_agg makes of them.
--
-- seed (any number) and cases (how many) come from psql variables or from the
-- environment; the default is what a test run can wait for, and a night is
-- for 50,000:
--
--	AVAILABILITY_SEED=$(date +%Y%m%d) AVAILABILITY_CASES=50000 psql -X -f test/property/availability.sql

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \getenv seed AVAILABILITY_SEED \endif
\if :{?seed} \else \set seed 2026 \endif
\if :{?cases} \else \getenv cases AVAILABILITY_CASES \endif
\if :{?cases} \else \set cases 6000 \endif

BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE EXTENSION IF NOT EXISTS slapolicy;
CREATE SCHEMA av;

CREATE FUNCTION av.any_of(words text[]) RETURNS text LANGUAGE sql VOLATILE AS
	$$ SELECT words[1 + floor(random() * cardinality(words))::int] $$;

-- An instant around a base: often on a full hour, so that edges meet, and
-- sometimes a microsecond beside it
CREATE FUNCTION av.an_instant(base timestamptz, spread interval) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	t timestamptz := base + random() * spread;
BEGIN
	IF random() < 0.6 THEN
		t := date_trunc('hour', t);
	END IF;
	IF random() < 0.1 THEN
		t := t + (floor(random() * 3) - 1) * interval '1 microsecond';
	END IF;
	RETURN t;
END $$;

CREATE FUNCTION av.a_range(base timestamptz, spread interval) RETURNS tstzrange LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	a timestamptz := av.an_instant(base, spread);
	b timestamptz := CASE WHEN random() < 0.7 THEN a + random() * spread / 8 ELSE av.an_instant(base, spread) END;
BEGIN
	IF random() < 0.3 THEN
		b := date_trunc('hour', b);
	END IF;
	IF random() < 0.04 THEN
		a := CASE WHEN random() < 0.5 THEN '-infinity' END;
	END IF;
	IF random() < 0.04 THEN
		b := CASE WHEN random() < 0.5 THEN 'infinity' END;
	END IF;
	RETURN tstzrange(least(a, b), CASE WHEN a IS NULL OR b IS NULL THEN b ELSE greatest(a, b) END,
		av.any_of('{[),[),[),[],(],()}'));
END $$;

CREATE FUNCTION av.some_ranges(base timestamptz, spread interval, most int) RETURNS tstzrange[] LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(array_agg(av.a_range(base, spread)), '{}') FROM generate_series(1, floor(random() * (most + 1))::int)
$$;

-- The moments of a range as a half-open pair
CREATE FUNCTION av.first_of(r tstzrange) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN lower_inf(r) THEN '-infinity' WHEN lower_inc(r) OR NOT isfinite(lower(r)) THEN lower(r) ELSE lower(r) + interval '1 microsecond' END
$$;
CREATE FUNCTION av.end_of(r tstzrange) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN upper_inf(r) THEN 'infinity' WHEN upper_inc(r) AND isfinite(upper(r)) THEN upper(r) + interval '1 microsecond' ELSE upper(r) END
$$;

-- Hours: a zone, days of the week and times of day, which may go past midnight
CREATE FUNCTION av.open_windows(zone text, days int[], opens interval, closes interval, period tstzrange) RETURNS SETOF tstzrange LANGUAGE sql STABLE AS $$
	SELECT tstzrange((d + opens) AT TIME ZONE zone, (d + closes) AT TIME ZONE zone)
	FROM generate_series(date_trunc('day', lower(period)::timestamp) - interval '2 days', upper(period)::timestamp + interval '2 days', interval '1 day') AS d
	WHERE extract(isodow FROM d)::int = ANY (days)
$$;

CREATE FUNCTION av.expected(period tstzrange, down tstzrange[], excluded tstzrange[], unknown tstzrange[], hours tstzrange[],
		unknown_counts text, alive tstzrange, young text) RETURNS sla.availability LANGUAGE plpgsql STABLE AS $$
DECLARE
	result sla.availability;
	first_moment timestamptz;
	piece record;
	states numeric[] := '{0,0,0,0}';        -- up, down, unknown, excluded
	state int;
	good numeric;
	measured numeric;
	-- the same in half-open pairs
	alive_from constant timestamptz := av.first_of(alive);
	alive_to constant timestamptz := av.end_of(alive);
BEGIN
	FOR piece IN
		WITH said AS (
			SELECT kind, av.first_of(r) AS a, av.end_of(r) AS b
			FROM (SELECT 1 AS kind, unnest(down) AS r UNION ALL SELECT 2, unnest(unknown) UNION ALL SELECT 3, unnest(excluded)
				  UNION ALL SELECT 0, unnest(hours) UNION ALL SELECT 4, alive UNION ALL SELECT 5, period) x
			WHERE NOT isempty(r)
		), cut AS (
			SELECT t, lead(t) OVER (ORDER BY t) AS next
			FROM (SELECT a AS t FROM said UNION SELECT b FROM said) c
			WHERE t BETWEEN av.first_of(period) AND av.end_of(period)
		)
		SELECT c.t, extract(epoch FROM c.next - c.t) * 1000000 AS length,
			bool_or(s.kind = 0) IS TRUE OR hours IS NULL AS open, bool_or(s.kind = 1) AS down, bool_or(s.kind = 2) AS unknown,
			bool_or(s.kind = 3) AS excluded, bool_or(s.kind = 4) IS TRUE AS alive
		FROM cut c LEFT JOIN said s ON s.a <= c.t AND c.t < s.b
		WHERE c.next IS NOT NULL
		GROUP BY 1, 2
	LOOP
		CONTINUE WHEN NOT piece.open OR young = 'life' AND NOT piece.alive;
		state := CASE WHEN NOT piece.alive THEN 1 WHEN piece.excluded THEN 4 WHEN piece.down THEN 2 WHEN piece.unknown THEN 3 ELSE 1 END;
		states[state] := states[state] + piece.length;
	END LOOP;
	measured := states[1] + states[2] + CASE WHEN unknown_counts = 'ignore' THEN 0 ELSE states[3] END;
	good := states[1] + CASE WHEN unknown_counts = 'up' THEN states[3] ELSE 0 END;
	result.measured := measured::float8 * interval '1 microsecond';
	result.up := states[1]::float8 * interval '1 microsecond';
	result.down := states[2]::float8 * interval '1 microsecond';
	result.unknown := states[3]::float8 * interval '1 microsecond';
	result.excluded := states[4]::float8 * interval '1 microsecond';
	result.percent := CASE WHEN measured > 0 THEN div(good * 100000000, measured) / 1000000
		WHEN states[4] > 0 AND states[3] = 0 THEN 100 END;
	RETURN result;
END $$;

CREATE FUNCTION av.disagree(called text, got text, wanted text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION E'\nSELECT %;\n-- is       %\n-- and not  %', called, wanted, got;
END $$;

CREATE FUNCTION av.one_case(n int) RETURNS sla.availability LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	-- around the clock changes of the zones, and anywhere
	base constant timestamptz := (av.any_of('{2026-03-06,2026-03-26,2026-10-02,2026-10-22,2026-10-29,2024-02-20}'))::timestamptz + random() * interval '5 days';
	spread constant interval := (av.any_of('{6 hours,3 days,20 days,40 days}'))::interval;
	period_from constant timestamptz := av.an_instant(base, spread / 4);
	period constant tstzrange := CASE WHEN random() < 0.02 THEN 'empty' ELSE
		tstzrange(period_from, period_from + spread / 4 + random() * spread, av.any_of('{[),[),[),[],(],()}')) END;
	down constant tstzrange[] := av.some_ranges(base, spread, 12);
	excluded constant tstzrange[] := av.some_ranges(base, spread, 5);
	unknown constant tstzrange[] := av.some_ranges(base, spread, 5);
	alive constant tstzrange := CASE WHEN random() < 0.5 THEN '(,)' WHEN random() < 0.05 THEN 'empty' ELSE av.a_range(base, spread) END;
	unknown_counts constant text := av.any_of('{ignore,up,down}');
	young constant text := av.any_of('{period,life}');
	zone constant text := av.any_of('{Europe/Berlin,America/New_York,Australia/Sydney,Asia/Kolkata,UTC}');
	-- no edge in the hours in which clocks change
	times constant text[] := string_to_array(av.any_of('{00:00-04:30,00:00-24:00,08:30-13:00,09:00-17:00,18:00-06:00,22:00-08:00,22:00-22:00}'), '-');
	days int[];
	hours sla.business_hours := '24/7';
	windows tstzrange[];
	wanted sla.availability;
	got sla.availability;
	called text;
	arguments text;
BEGIN
	IF random() < 0.6 THEN
		SELECT array_agg(d ORDER BY d) INTO days FROM generate_series(1, 7) d WHERE random() < 0.6;
		days := coalesce(days, '{7}');
		hours := format('%s %s %s-%s', zone, (SELECT string_agg(('{Mo,Tu,We,Th,Fr,Sa,Su}'::text[])[d], ',') FROM unnest(days) d),
			times[1], times[2])::sla.business_hours;
		windows := CASE WHEN isempty(period) THEN '{}' ELSE ARRAY(SELECT av.open_windows(zone, days, times[1]::interval,
			times[2]::interval + CASE WHEN times[2] <= times[1] THEN interval '24 hours' ELSE '0' END, period)) END;
	END IF;
	arguments := format('%L, %L, %L, %L)', hours, unknown_counts, alive, young);
	wanted := av.expected(period, down, excluded, unknown, windows, unknown_counts, alive, young);

	got := sla.availability(period, coalesce((SELECT range_agg(r) FROM unnest(down) r), '{}'),
		coalesce((SELECT range_agg(r) FROM unnest(excluded) r), '{}'), coalesce((SELECT range_agg(r) FROM unnest(unknown) r), '{}'),
		hours, unknown_counts, alive, young);
	called := format('sla.availability(%L, (SELECT range_agg(r) FROM unnest(%L::tstzrange[]) r), (SELECT range_agg(r) FROM unnest(%L::tstzrange[]) r), '
		'(SELECT range_agg(r) FROM unnest(%L::tstzrange[]) r), ', period, down, excluded, unknown) || arguments;
	IF got IS DISTINCT FROM wanted THEN
		PERFORM av.disagree(called, got::text, wanted::text);
	END IF;

	SELECT (a.a).* INTO got
	FROM (SELECT sla.availability_of(period, f.r, f.kind, hours, unknown_counts, alive, young) AS a
		FROM (SELECT r, kind FROM (SELECT unnest(down) AS r, 'down' AS kind UNION ALL SELECT unnest(excluded), 'excluded'
		UNION ALL SELECT unnest(unknown), 'unknown' UNION ALL SELECT NULL, NULL) x ORDER BY random()) f) a;
	IF got IS DISTINCT FROM wanted THEN
		PERFORM av.disagree('as aggregate: ' || called, got::text, wanted::text);
	END IF;

	-- stretches leave no gap, and add up
	IF EXISTS (
		SELECT FROM (
			SELECT coalesce(sum(s.counted) FILTER (WHERE s.state = 'up'), '0') AS up, coalesce(sum(s.counted) FILTER (WHERE s.state = 'down'), '0') AS down,
				coalesce(sum(s.counted) FILTER (WHERE s.state = 'unknown'), '0') AS unknown,
				coalesce(sum(s.counted) FILTER (WHERE s.state = 'excluded'), '0') AS excluded,
				coalesce(bool_and(lower(s.during) = s.before) FILTER (WHERE s.before IS NOT NULL), true) AS gapless,
				coalesce(bool_and(s.state <> s.state_before) FILTER (WHERE s.before IS NOT NULL), true) AS distinct_states,
				range_agg(s.during) AS together
			FROM (SELECT s.*, lag(upper(s.during)) OVER w AS before, lag(s.state) OVER w AS state_before
				  FROM sla.availability_stretches(period, coalesce((SELECT range_agg(r) FROM unnest(down) r), '{}'),
					  coalesce((SELECT range_agg(r) FROM unnest(excluded) r), '{}'), coalesce((SELECT range_agg(r) FROM unnest(unknown) r), '{}'),
					  hours, alive, young) s WINDOW w AS (ORDER BY s.during)) s) s
		WHERE (s.up, s.down, s.unknown, s.excluded) IS DISTINCT FROM (wanted.up, wanted.down, wanted.unknown, wanted.excluded)
			OR NOT s.gapless OR NOT s.distinct_states
			OR young = 'period' AND coalesce(s.together, '{}') <> CASE WHEN isempty(period) THEN '{}'
				ELSE tstzmultirange(tstzrange(av.first_of(period), av.end_of(period))) END)
	THEN
		PERFORM av.disagree('stretches of ' || called, NULL, wanted::text);
	END IF;
	RETURN wanted;
END $$;

\echo seed :seed, :cases cases
SELECT setseed(sin(:seed)) \g /dev/null
SELECT count(*) AS cases, count(*) FILTER (WHERE down > '0') AS down, count(*) FILTER (WHERE excluded > '0') AS excluded,
	count(*) FILTER (WHERE unknown > '0') AS unknown, count(*) FILTER (WHERE percent IS NULL) AS "nothing measured",
	count(*) FILTER (WHERE percent = 100) AS "100 %"
FROM (SELECT c.* FROM generate_series(1, :cases) n CROSS JOIN LATERAL av.one_case(n) c) c;
ROLLBACK;
