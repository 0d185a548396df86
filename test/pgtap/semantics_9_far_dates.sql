-- Rule 9: any date is accepted, and costs what a near one costs
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(34);

-- A far answer that is walked to would not be there in time.
SET LOCAL statement_timeout = '20s';

SELECT is(sla.next_open('UTC Mo-Fr 09:00-17:00', t), expected, 'opening after ' || t)
FROM (VALUES
	(timestamptz '4714-11-24 12:00+00 BC', timestamptz '4714-11-25 09:00+00 BC'),	-- a Monday
	('4713-01-01 12:00+00 BC', '4713-01-02 09:00+00 BC'),		-- a Thursday
	('4713-01-02 12:00+00 BC', '4713-01-05 09:00+00 BC'),
	('0001-12-31 12:00+00 BC', '0001-01-01 09:00+00'),			-- Sunday, Monday
	('1900-01-01 00:00+00', '1900-01-01 09:00+00'),				-- a Monday
	('9999-12-31 12:00+00', '10000-01-03 09:00+00'),			-- a Friday
	('294276-12-28 12:00+00', '294276-12-29 09:00+00')			-- a Thursday
) v(t, expected);
SELECT is(sla.next_open('UTC Mo-Fr 09:00-17:00', '294276-12-29 12:00+00'), NULL, 'none after the last');
SELECT is(sla.prev_close('UTC Mo-Fr 09:00-17:00', '4714-11-24 08:00+00 BC'), NULL, 'none before the first');

SELECT is(sla.business_add(t, amount::sla.business_interval, 'UTC Mo-Fr 09:00-17:00'), expected,
		  format('%s plus %s', t, amount))
FROM (VALUES
	(timestamptz '4713-01-01 09:00+00 BC', '40h', timestamptz '4713-01-07 17:00+00 BC'),
	('9999-12-31 16:00+00', '2h', '10000-01-03 10:00+00'),
	-- 400 years are 20871 weeks
	('2026-06-01 09:00+00', '834840h', '2426-05-29 17:00+00'),
	('2026-06-01 10:00+00', '104355bd', '2426-06-01 10:00+00'),
	('2026-06-01 09:00+00', '-834840h', '1626-06-01 09:00+00'),
	('2026-06-01 10:00+00', '26088750bd', '102026-06-01 10:00+00')
) v(t, amount, expected);

SELECT is(sla.business_between('1626-06-01 09:00+00', '2426-06-01 09:00+00', 'UTC Mo-Fr 09:00-17:00'),
		  make_interval(hours => 2 * 834840), '800 years');
SELECT is(sla.business_between('1900-01-01 00:00+00', '9999-12-31 00:00+00', 'UTC Mo-Fr 09:00-17:00'),
		  make_interval(hours => 16905512), '1900 to 9999');
SELECT is(sla.business_days_between('1626-06-01', '2426-06-01', 'UTC Mo-Fr 09:00-17:00'), 2 * 104355, '800 years of days');
SELECT is(sla.business_days_add('2026-06-01', 26088750, 'UTC Mo-Fr 09:00-17:00'), date '102026-06-01', '100000 years of days');
SELECT is(sla.business_days_add('2026-06-01', -104355, 'UTC Mo-Fr 09:00-17:00'), date '1626-06-01', '400 years back');
SELECT is(sla.business_days_add('2026-06-01', 2147483647, 'UTC Mo-Fr 09:00-17:00'), date 'infinity', 'later than the last date');
SELECT is(sla.business_days_add('2026-06-01', -2147483647, 'UTC Mo-Fr 09:00-17:00'), date '-infinity', 'earlier than the first date');

-- Zones have rules for ever: noon in New York is 16:00 UTC in a far summer
SELECT is(sla.next_open('America/New_York Mo-Su 12:00-13:00', t), expected, 'noon in New York after ' || t)
FROM (VALUES
	(timestamptz '9998-07-01 00:00+00', timestamptz '9998-07-01 16:00+00'),
	('9998-01-15 00:00+00', '9998-01-15 17:00+00'),
	('200000-07-01 00:00+00', '200000-07-01 16:00+00'),
	('200000-01-15 00:00+00', '200000-01-15 17:00+00'),
	('1800-07-01 00:00+00', '1800-07-01 16:56:02+00')			-- local mean time
) v(t, expected);
SELECT is(sla.business_add('2026-06-01 00:00+00', '1000000h', 'Europe/Amsterdam Mo-Su 00:00-24:00'),
		  timestamptz '2026-06-01 00:00+00' + interval '1000000 hours', 'a million hours of Amsterdam');

-- Nowhere on the way there does a summer or a winter get lost. (Noon is never
-- skipped or repeated, so core's own conversion is right.)
SELECT is_empty(format($$
	SELECT zone, noon
	FROM (SELECT %L AS zone, make_timestamp(y, m, 1, 12, 0, 0) AS noon
		  FROM generate_series(1850, 4500) y, unnest(ARRAY[1, 7]) m) x
	WHERE sla.next_open((zone || ' Mo-Su 12:00-13:00')::sla.business_hours, noon AT TIME ZONE zone - interval '3 hours')
		  IS DISTINCT FROM noon AT TIME ZONE zone
	$$, zone), 'every January and July in ' || zone)
FROM unnest(ARRAY['America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Europe/Dublin']) zone;

-- Questions all over time do not make the backend grow. The first round may
-- keep what it compiled; nothing may be added by the others.
CREATE FUNCTION pg_temp.roam() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sla.business_add(t, '1000h', h), sla.business_sub(t, '1000h', h),
			sla.business_between(t, '2026-06-01 00:00+00', h), sla.next_open(h, t),
			sla.prev_close(h, t), sla.business_add(t, '100bd', h), sla.is_open(h, t)
	FROM (SELECT make_timestamptz((i - 470) * 10 + 5, 6, 1, 12, 0, 0) AS t
		  FROM generate_series(0, 20000, 9) i) x,
		 (VALUES ('Europe/Amsterdam Mo-Fr 09:00-17:00; 2026-12-25 off'::sla.business_hours),
				 ('Australia/Lord_Howe Mo-Su 01:45-02:15')) y(h);
	RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts);
END
$$;
SELECT pg_temp.roam() AS once, pg_temp.roam() AS twice \gset
SELECT cmp_ok(pg_temp.roam() - :twice, '<', 262144::bigint, 'memory is bounded');
SELECT cmp_ok(:twice::bigint - :once, '<', 1048576::bigint, 'and settles early');

SELECT * FROM finish();
ROLLBACK;
