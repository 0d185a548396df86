-- Rule 1: half-open windows, touching ones merge; working time is elapsed time
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(31);

-- half-open: the opening belongs to the window, the close does not
SELECT is(sla.is_open('UTC Mo-Fr 09:00-17:00', t), expected, 'half-open at ' || t)
FROM (VALUES
	(timestamptz '2026-06-01 08:59:59.999999+00', false),
	('2026-06-01 09:00:00+00', true),
	('2026-06-01 12:00:00+00', true),
	('2026-06-01 16:59:59.999999+00', true),
	('2026-06-01 17:00:00+00', false),
	('2026-06-06 12:00:00+00', false)
) v(t, expected);

-- touching and overlapping windows are one
SELECT is(sla.next_close(hours::sla.business_hours, t), expected, 'closes: ' || hours)
FROM (VALUES
	('UTC Mo-Fr 09:00-12:00,12:00-17:00', timestamptz '2026-06-01 10:00+00', timestamptz '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-13:00,12:00-17:00', '2026-06-01 10:00+00', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 12:00-17:00,09:00-12:00', '2026-06-01 10:00+00', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 06:00-14:00,14:00-22:00,22:00-06:00', '2026-06-02 10:00+00', '2026-06-06 06:00+00'),
	('UTC Mo-Fr 00:00-24:00', '2026-06-02 10:00+00', '2026-06-06 00:00+00'),
	('UTC Mo 20:00-06:00; Tu 06:00-08:00', '2026-06-01 21:00+00', '2026-06-02 08:00+00'),
	('UTC Mo 20:00-06:00; Tu 04:00-08:00', '2026-06-01 21:00+00', '2026-06-02 08:00+00'),
	('UTC Mo 20:00-06:00; Tu 04:00-05:00', '2026-06-01 21:00+00', '2026-06-02 06:00+00')
) v(hours, t, expected);
SELECT is(sla.next_open('UTC Mo-Fr 06:00-14:00,14:00-22:00,22:00-06:00', '2026-06-01 06:00+00'),
		  timestamptz '2026-06-08 06:00+00', 'no opening between touching shifts');

-- what is covered twice counts once
SELECT is(sla.business_between('2026-06-01 00:00+00', '2026-06-03 00:00+00', hours::sla.business_hours),
		  expected, 'counts once: ' || hours)
FROM (VALUES
	('UTC Mo 20:00-06:00; Tu 04:00-08:00', interval '12 hours'),
	('UTC Mo 09:00-13:00,12:00-17:00', '8 hours'),
	('UTC Mo-Su 18:00-17:00', '46 hours'),
	('UTC Mo-Su 00:00-24:00', '48 hours'),
	('UTC Mo-Tu 09:00-09:00', '39 hours')
) v(hours, expected);

-- elapsed time, to the microsecond
SELECT is(sla.business_between(a, b, hours::sla.business_hours), expected, what)
FROM (VALUES
	('a microsecond over the opening', 'UTC Mo 09:00-17:00',
	 timestamptz '2026-06-01 08:59:59.999999+00', timestamptz '2026-06-01 09:00:00.000001+00', interval '1 us'),
	('a microsecond over the close', 'UTC Mo 09:00-17:00',
	 '2026-06-01 16:59:59.999999+00', '2026-06-01 17:00:00.000001+00', '1 us'),
	('seconds in the notation', 'UTC Mo 09:00:30-09:00:45',
	 '2026-06-01 00:00+00', '2026-06-02 00:00+00', '15 s'),
	('a Sunday of 23 hours', 'Europe/Amsterdam Su 00:00-24:00',
	 '2026-03-28 12:00+00', '2026-03-30 12:00+00', '23 hours'),
	('a Sunday of 25 hours', 'Europe/Amsterdam Su 00:00-24:00',
	 '2026-10-24 12:00+00', '2026-10-26 12:00+00', '25 hours'),
	('an overnight window of 7 hours', 'Europe/Amsterdam Sa 22:00-06:00',
	 '2026-03-28 12:00+00', '2026-03-30 12:00+00', '7 hours'),
	('an overnight window of 9 hours', 'Europe/Amsterdam Sa 22:00-06:00',
	 '2026-10-24 12:00+00', '2026-10-26 12:00+00', '9 hours'),
	('always', '24/7', '2026-03-28 12:00+00', '2026-03-30 12:00:00.5+00', '48:00:00.5'),
	('always in a zone is always', 'Europe/Amsterdam Mo-Su 00:00-24:00',
	 '2026-01-01 00:00+00', '2027-01-01 00:00+00', '8760 hours')
) v(what, hours, a, b, expected);

-- hours, never days: so that averages and percentiles mean something
SELECT is(sla.business_between('2026-06-01 00:00+00', '2026-06-11 00:00+00', '24/7')::text,
		  '240:00:00', 'hours, never days');
SELECT is(sla.business_between('2026-06-11 00:00+00', '2026-06-01 00:00+00', '24/7')::text,
		  '-240:00:00', 'nor negative days');

SELECT * FROM finish();
ROLLBACK;
