-- Random requests and time slots, compared with slow and obvious oracles:
--
--   1. a lead of days: the first instant, found by walking through the clock
--      changes of core's own conversions, at which the wall clock shows that
--      time or a later one;
--   2. an earliest start within or outside of hours: the first minute that is;
--   3. the earliest start is accepted, and a microsecond earlier is not, unless
--      it lies at the edge of hours;
--   4. what is charged: buckets counted one by one, minutes outside of hours one
--      by one.
--
--	psql -X -f test/property/requests.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error at the first disagreement, and prints it.
--
-- seed and cases (of each kind) come from psql variables:
--
--	psql -X -v seed=5 -v cases=20000 -f test/property/requests.sql

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 2026 \endif
\if :{?cases} \else \set cases 200 \endif

BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
SET LOCAL jit = off;
CREATE EXTENSION IF NOT EXISTS slapolicy;
\echo seed :seed, :cases cases
SELECT setseed(sin(:seed)) \g /dev/null

CREATE FUNCTION pg_temp.any_of(choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;

-- Instants, half of them near a clock change of the zone. Those of our times
-- happen at full minutes, and no zone is ahead of UTC by 15 hours.
CREATE FUNCTION pg_temp.any_instant(zone text) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz := date_trunc('hour', '1978-01-01'::timestamptz + random() * interval '55 years');
	u timestamptz := t;
BEGIN
	IF random() < 0.5 THEN
		FOR i IN 1 .. 9000 LOOP
			EXIT WHEN (u AT TIME ZONE zone) - (u - interval '1 hour') AT TIME ZONE zone <> interval '1 hour';
			u := u + interval '1 hour';
		END LOOP;
		t := u;
	END IF;
	RETURN t + CASE floor(random() * 4)::int WHEN 0 THEN '0' WHEN 1 THEN (random() - 0.5) * interval '3 hours'
		WHEN 2 THEN floor(random() * 200 - 100) * interval '15 min' ELSE (random() - 0.5) * interval '2 us' END;
END $$;

-- 1. The first instant at which the wall clock shows that or more; with no days
-- the instant itself
CREATE FUNCTION pg_temp.slow_add(t timestamptz, days int, zone text) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
	wanted constant timestamp := (t AT TIME ZONE zone) + make_interval(days => days);
	g timestamptz := date_trunc('hour', wanted AT TIME ZONE 'UTC') - interval '15 hours';
	step constant interval := '1 min';
BEGIN
	IF days = 0 THEN
		RETURN t;
	END IF;
	-- within a minute the clock runs on
	WHILE g AT TIME ZONE zone + step <= wanted LOOP
		g := g + step;
	END LOOP;
	RETURN g + greatest(wanted - g AT TIME ZONE zone, '0');
END $$;

CREATE FUNCTION pg_temp.test_leads(cases int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	zones constant text[] := '{UTC,Europe/Berlin,Europe/London,Europe/Dublin,America/New_York,America/St_Johns,America/Sao_Paulo,Australia/Lord_Howe,Pacific/Apia,Pacific/Chatham,Asia/Tehran,Asia/Kathmandu,Africa/Casablanca,Antarctica/Troll,Asia/Gaza,America/Caracas,Pacific/Kwajalein}';
	zone text;
	t timestamptz;
	days int;
	got timestamptz;
	want timestamptz;
BEGIN
	FOR i IN 1 .. cases LOOP
		zone := pg_temp.any_of(zones);
		days := CASE WHEN random() < 0.5 THEN floor(random() * 35)::int ELSE floor(random() * 800 - 400)::int END;
		-- half the answers near a change, instead of the questions
		t := pg_temp.any_instant(zone);
		IF random() < 0.5 THEN
			t := t - make_interval(days => days);
		END IF;
		got := sla.wall_clock_add(t, days, zone);
		want := pg_temp.slow_add(t, days, zone);
		IF got <> want THEN
			RAISE EXCEPTION 'sla.wall_clock_add(%, %, %) is %, not %', quote_literal(t), days, quote_literal(zone), got, want;
		END IF;
	END LOOP;
END $$;

-- 2 and 3
CREATE FUNCTION pg_temp.test_starts(cases int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	zone text;
	hours text;
	kind text;
	lead text;
	t timestamptz;
	got timestamptz;
	lead_end timestamptz;
	want timestamptz;
	wrong text;
BEGIN
	FOR i IN 1 .. greatest(cases / 20, 1) LOOP
		zone := pg_temp.any_of('{UTC,Europe/Berlin,America/New_York,Australia/Lord_Howe}');
		hours := pg_temp.any_of(ARRAY['UTC Mo-Fr 00:00-24:00', 'Europe/Berlin Mo-Fr 09:00-17:00', 'America/New_York Mo-Fr 22:00-06:00', 'Europe/Berlin Mo-Th 09:00-12:30,13:30-17:30; Fr 09:00-16:00']);
		lead := pg_temp.any_of('{1 day,2 weeks,30 days,36 hours,1 day 90 min,15 min}');
		DELETE FROM sla.policy WHERE name = 'property';
		PERFORM sla.load_policy(jsonb_build_object('policy', 'property', 'time_zone', zone, 'calendars', jsonb_build_object('h', jsonb_build_object('hours', hours)),
			'targets', '[{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "h"}]'::jsonb,
			'requests', jsonb_build_object('any', jsonb_build_object('lead', lead), 'inside', jsonb_build_object('lead', lead, 'inside', 'h'), 'outside', jsonb_build_object('lead', lead, 'outside', 'h'))));
		FOR j IN 1 .. 20 LOOP
			kind := pg_temp.any_of('{inside,outside}');
			t := pg_temp.any_instant(zone);
			lead_end := pg_temp.slow_add(t, extract(day FROM lead::interval)::int, zone) + (lead::interval - make_interval(days => extract(day FROM lead::interval)::int));
			IF sla.earliest_start('property', 'any', t) <> lead_end THEN
				RAISE EXCEPTION 'lead % from % in % ends %, not %', lead, t, zone, sla.earliest_start('property', 'any', t), lead_end;
			END IF;
			got := sla.earliest_start('property', kind, t);
			want := lead_end;
			WHILE sla.is_open(hours::sla.business_hours, want) <> (kind = 'inside') LOOP
				want := date_trunc('minute', want) + interval '1 min';
			END LOOP;
			IF got <> want THEN
				RAISE EXCEPTION 'the earliest start % of % after % in % (%) is %, not %', kind, lead, t, zone, hours, got, want;
			END IF;
			SELECT string_agg(p.rule || ' ' || p.problem, '; ') INTO wrong FROM sla.check_request('property', kind, jsonb_build_object('starts_at', got), t) p;
			IF wrong IS NOT NULL THEN
				RAISE EXCEPTION 'the earliest start % of % after % in % (%) is refused: %', kind, lead, t, zone, hours, wrong;
			END IF;
			IF NOT EXISTS (SELECT FROM sla.check_request('property', kind, jsonb_build_object('starts_at', got - interval '1 us'), t)) THEN
				RAISE EXCEPTION 'a microsecond before the earliest start % of % after % in % (%) is accepted', kind, lead, t, zone, hours;
			END IF;
		END LOOP;
	END LOOP;
	DELETE FROM sla.policy WHERE name = 'property';
END $$;

-- 4
CREATE FUNCTION pg_temp.slow_buckets(part tstzrange, bucket interval, outside sla.business_hours) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
	minutes int := 0;
	t timestamptz := lower(part);
	counted interval;
	charged interval := '0';
BEGIN
	WHILE t < upper(part) LOOP
		IF NOT coalesce(sla.is_open(outside, t), false) THEN
			minutes := minutes + 1;
		END IF;
		t := t + interval '1 min';
	END LOOP;
	counted := minutes * interval '1 min';
	WHILE charged < counted LOOP
		charged := charged + bucket;
	END LOOP;
	RETURN charged;
END $$;

CREATE FUNCTION pg_temp.test_charges(cases int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	starts timestamptz;
	slot tstzrange;
	actual_end timestamptz;
	bucket interval;
	outside sla.business_hours;
	got interval;
	want interval;
BEGIN
	FOR i IN 1 .. cases LOOP
		starts := date_trunc('minute', pg_temp.any_instant('Europe/Berlin'));
		slot := tstzrange(starts, starts + (1 + floor(random() * CASE WHEN random() < 0.9 THEN 900 ELSE 8000 END)) * interval '1 min');
		actual_end := CASE WHEN random() < 0.7 THEN upper(slot) + floor(random() * 600 - 100) * interval '1 min' END;
		bucket := (1 + floor(random() * 300)) * interval '1 min';
		outside := CASE WHEN random() < 0.7 THEN pg_temp.any_of(ARRAY['UTC Mo-Fr 00:00-24:00', 'Europe/Berlin Mo-Fr 09:00-17:00', 'America/New_York Mo-Fr 22:00-06:00']) END::sla.business_hours;
		got := sla.billable(slot, actual_end, bucket, outside);
		want := pg_temp.slow_buckets(slot, bucket, outside)
			+ CASE WHEN actual_end > upper(slot) THEN pg_temp.slow_buckets(tstzrange(upper(slot), actual_end), bucket, outside) ELSE '0' END;
		IF got <> want THEN
			RAISE EXCEPTION 'sla.billable(%, %, %, %) is %, not %', quote_literal(slot), quote_nullable(actual_end), quote_literal(bucket), quote_nullable(outside), got, want;
		END IF;
	END LOOP;
END $$;

SELECT pg_temp.test_leads(:cases), pg_temp.test_starts(:cases), pg_temp.test_charges(:cases) \g /dev/null
\echo all agree
ROLLBACK;
