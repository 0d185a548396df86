-- Rule 8: business days, of dates and from instants
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(94);

-- ---------------------------------------------------------------------------
-- Which dates count. December 25, 2026 is a Friday
SELECT is(sla.is_business_day(hours::sla.business_hours, d), expected, format('%s: %s', d, hours))
FROM (VALUES
	('UTC Mo-Fr 09:00-17:00', date '2026-06-05', true),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06', false),
	('UTC Mo-Fr 09:00-17:00; 2026-12-25 off', '2026-12-25', false),
	('UTC Mo-Fr 09:00-17:00; 2026-12-26 09:00-10:00', '2026-12-26', true),
	('UTC Mo-Fr 22:00-06:00', '2026-06-05', true),
	('UTC Mo-Fr 22:00-06:00', '2026-06-06', false),		-- only a tail
	-- clock changes aside: the gap takes the window, not the day
	('Europe/Amsterdam Su 02:10-02:40', '2026-03-29', true),
	('Pacific/Apia Mo-Fr 09:00-17:00', '2011-12-30', true),
	('24/7', '2026-06-06', true),
	('UTC Mo-Su off', '2026-06-05', false)
) v(hours, d, expected);

SELECT is(sla.business_days_add(d, n, hours::sla.business_hours), expected, format('%s plus %s: %s', d, n, hours))
FROM (VALUES
	('UTC Mo-Fr 09:00-17:00', date '2026-06-01', 1, date '2026-06-02'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05', 1, '2026-06-08'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06', 1, '2026-06-08'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06', 0, '2026-06-06'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-07', -1, '2026-06-05'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-08', -1, '2026-06-05'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01', 260, '2027-05-31'),
	('UTC Mo-Fr 09:00-17:00', '2027-05-31', -260, '2026-06-01'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-25 off; 2026-12-26 09:00-10:00', '2026-12-24', 1, '2026-12-26'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-25 off; 2026-12-26 09:00-10:00', '2026-12-24', 2, '2026-12-28'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-25 off; 2026-12-26 09:00-10:00', '2026-12-28', -2, '2026-12-24'),
	('24/7', '2026-02-27', 3, '2026-03-02'),
	('Pacific/Apia Mo-Fr 09:00-17:00', '2011-12-29', 1, '2011-12-30')
) v(hours, d, n, expected);

SELECT is(sla.business_days_between(a, b, hours::sla.business_hours), expected, format('%s to %s: %s', a, b, hours))
FROM (VALUES
	('UTC Mo-Fr 09:00-17:00', date '2026-06-01', date '2026-06-02', 1),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01', '2026-06-01', 0),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05', '2026-06-08', 1),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06', '2026-06-08', 0),
	('UTC Mo-Fr 09:00-17:00', '2026-06-08', '2026-06-05', -1),
	('UTC Mo-Fr 09:00-17:00', '2026-01-01', '2027-01-01', 261),
	('UTC Mo-Fr 09:00-17:00', '2027-01-01', '2026-01-01', -261),
	('UTC Mo-Fr 09:00-17:00; 2026-12-29,2026-12-30,2026-12-31 off', '2026-01-01', '2027-01-01', 258),
	('UTC Mo-Su off', '2026-01-01', '2027-01-01', 0),
	('24/7', '2026-01-01', '2027-01-01', 365)
) v(hours, a, b, expected);

-- ---------------------------------------------------------------------------
-- From instants, forward
SELECT is(sla.business_add(t, amount::sla.business_interval, hours::sla.business_hours), expected,
		  format('%s plus %s: %s', t, amount, hours))
FROM (VALUES
	-- the same wall clock, days later
	('UTC Mo-Fr 09:00-17:00', timestamptz '2026-06-01 10:30:15.5+00', '1bd', timestamptz '2026-06-02 10:30:15.5+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05 10:30+00', '1bd', '2026-06-08 10:30+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 09:00+00', '1bd', '2026-06-02 09:00+00'),
	('UTC Mo-Fr 09:00-17:00; 2026-06-02 off', '2026-06-01 10:30+00', '1bd', '2026-06-03 10:30+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 10:30+00', '260bd', '2027-05-31 10:30+00'),
	('Europe/Amsterdam Mo-Fr 09:00-17:00', '2026-03-27 09:00+00', '1bd', '2026-03-30 08:00+00'),
	('24/7', '2026-06-06 13:00+00', '1bd', '2026-06-07 13:00+00'),
	-- from outside: the next opening first
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '1bd', '2026-06-09 09:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 07:00+00', '1bd', '2026-06-02 09:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 17:00+00', '1bd', '2026-06-03 09:00+00'),
	('UTC Mo-Fr 09:00-12:30,13:30-17:30', '2026-06-01 13:00+00', '1bd', '2026-06-02 13:30+00'),
	-- no days: nothing is added and nothing moves
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '0bd', '2026-06-06 12:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '0bd 1h', '2026-06-08 10:00+00'),
	-- from a tail: the window's own date counts
	('UTC Mo-Fr 22:00-06:00', '2026-06-06 02:00+00', '1bd', '2026-06-09 02:00+00'),
	('UTC Mo-Fr 22:00-06:00', '2026-06-05 23:00+00', '1bd', '2026-06-08 23:00+00'),
	('UTC Mo-Fr 22:00-06:00', '2026-06-06 02:00+00', '2bd', '2026-06-10 02:00+00'),
	('UTC Mo-Fr 22:00-06:00', '2026-06-06 06:00+00', '1bd', '2026-06-09 22:00+00'),
	('UTC Mo-Fr 22:00-06:00; 2026-06-08 off', '2026-06-06 02:00+00', '1bd', '2026-06-10 02:00+00'),
	-- covered by yesterday's tail and today's window: today
	('UTC Mo 20:00-10:00; Tu,Th 08:00-17:00', '2026-06-02 09:00+00', '1bd', '2026-06-04 09:00+00'),
	('UTC Mo 20:00-10:00; Tu-We 08:00-17:00', '2026-06-02 07:00+00', '1bd', '2026-06-02 17:00+00'),
	-- into a shorter day: back to its last close before, or forward to its first opening
	('UTC Mo-Th 09:00-17:00; Fr 09:00-13:00', '2026-06-04 16:00+00', '1bd', '2026-06-05 13:00+00'),
	('UTC Mo-Th 09:00-17:00; Fr 09:00-13:00', '2026-06-04 13:00+00', '1bd', '2026-06-05 13:00+00'),
	('UTC Mo-Th 09:00-17:00; Fr 12:00-17:00', '2026-06-04 10:00+00', '1bd', '2026-06-05 12:00+00'),
	('UTC Mo-Th 09:00-17:00; Fr 09:00-12:00,14:00-17:00', '2026-06-04 13:00+00', '1bd', '2026-06-05 12:00+00'),
	('UTC Mo-Th 09:00-17:00; Fr 09:00-12:00,14:00-17:00', '2026-06-04 12:00+00', '1bd', '2026-06-05 12:00+00'),
	('UTC Mo-Fr 09:00-17:00; 2026-06-06 10:00-12:00', '2026-06-05 11:00+00', '1bd', '2026-06-06 11:00+00'),
	('UTC Mo-Fr 09:00-17:00; 2026-06-06 10:00-12:00', '2026-06-05 16:00+00', '1bd', '2026-06-06 12:00+00'),
	('UTC Mo-Fr 09:00-17:00; 2026-06-06 10:00-12:00', '2026-06-05 09:30+00', '1bd', '2026-06-06 10:00+00'),
	-- closed time is closed for all: a tail of the day before is open
	('UTC Mo-Th 22:00-06:00; Fr 09:00-17:00; Su 03:00-05:00', '2026-06-07 04:00+00', '5bd', '2026-06-12 04:00+00'),
	-- the wall clock in a gap, in an overlap, in a day without its windows
	('Europe/Amsterdam Mo-Su 00:00-06:00', '2026-03-28 01:30+00', '1bd', '2026-03-29 01:00+00'),
	('Europe/Amsterdam Mo-Su 00:00-06:00', '2026-03-28 01:30:00.5+00', '1bd', '2026-03-29 01:00+00'),
	('Europe/Amsterdam Mo-Su 00:00-06:00', '2026-10-24 00:30+00', '1bd', '2026-10-25 00:30+00'),
	('Europe/Amsterdam Sa-Su 02:10-02:40', '2026-03-28 01:20+00', '1bd', '2026-04-04 00:10+00'),
	-- the clock went back over midnight: Sunday's window, though it is Saturday 23:30 again
	('America/St_Johns Su-Tu 00:00-06:00', '2010-11-07 03:00+00', '1bd', '2010-11-08 03:30+00'),
	('Pacific/Apia Mo-Fr 09:00-17:00', '2011-12-29 20:00+00', '1bd', '2012-01-01 19:00+00'),
	('Pacific/Apia Mo-Fr 09:00-17:00', '2011-12-29 20:00+00', '2bd', '2012-01-01 20:00+00'),
	-- days first, then the time, each in its own direction
	('UTC Mo-Fr 09:00-17:00', '2026-06-04 16:00+00', '1bd 2h', '2026-06-08 10:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-04 10:00+00', '1bd -2h', '2026-06-04 16:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-04 16:00+00', '-1bd 2h', '2026-06-04 10:00+00'),
	('UTC Mo-Th 09:00-17:00; Fr 09:00-13:00', '2026-06-04 16:00+00', '1bd 1h', '2026-06-08 10:00+00')
) v(hours, t, amount, expected);

-- ---------------------------------------------------------------------------
-- The mirror image
SELECT is(sla.business_sub(t, amount::sla.business_interval, hours::sla.business_hours), expected,
		  format('%s minus %s: %s', t, amount, hours))
FROM (VALUES
	('UTC Mo-Fr 09:00-17:00', timestamptz '2026-06-08 10:30+00', '1bd', timestamptz '2026-06-05 10:30+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05 17:00+00', '1bd', '2026-06-04 17:00+00'),
	('UTC Mo-Fr 09:00-17:00; 2026-06-04 off', '2026-06-05 10:30+00', '1bd', '2026-06-03 10:30+00'),
	-- from outside: the previous close first; an opening is outside
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '1bd', '2026-06-04 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-08 09:00+00', '1bd', '2026-06-04 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '0bd', '2026-06-06 12:00+00'),
	-- from a tail
	('UTC Mo-Fr 22:00-06:00', '2026-06-09 02:00+00', '1bd', '2026-06-06 02:00+00'),
	('UTC Mo-Fr 22:00-06:00', '2026-06-09 06:00+00', '1bd', '2026-06-06 06:00+00'),
	('UTC Mo-Fr 00:00-24:00', '2026-06-06 00:00+00', '1bd', '2026-06-05 00:00+00'),
	-- into a shorter day: forward to its first opening after, or back to its last close
	('UTC Mo,We-Fr 09:00-17:00; Tu 12:00-17:00', '2026-06-03 10:00+00', '1bd', '2026-06-02 12:00+00'),
	('UTC Mo,We-Fr 09:00-17:00; Tu 09:00-13:00', '2026-06-03 16:00+00', '1bd', '2026-06-02 13:00+00'),
	('UTC Mo,We-Fr 09:00-17:00; Tu 09:00-12:00,14:00-17:00', '2026-06-03 13:00+00', '1bd', '2026-06-02 14:00+00'),
	('UTC Mo,We-Fr 09:00-17:00; Tu 09:00-12:00,14:00-17:00', '2026-06-03 14:00+00', '1bd', '2026-06-02 14:00+00'),
	-- the day's windows lost in a gap: the previous close
	('Europe/Amsterdam Su-Mo 02:10-02:40', '2026-03-30 00:20+00', '1bd', '2026-03-23 01:40+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-09 10:00+00', '1bd 2h', '2026-06-05 16:00+00')
) v(hours, t, amount, expected);

-- ---------------------------------------------------------------------------
-- Strict, and without surprises for the day of nothing
SELECT is(sla.business_days_add(NULL, 1, '24/7'), NULL, 'no date');
SELECT is(sla.business_days_add('2026-06-01', NULL, '24/7'), NULL, 'no number');
SELECT is(sla.business_days_between('2026-06-01', NULL, '24/7'), NULL, 'no end');
SELECT is(sla.is_business_day(NULL, '2026-06-01'), NULL, 'no calendar');
SELECT is(sla.business_sub('2026-06-08 10:00+00', '1bd', 'UTC Mo-Fr 09:00-17:00'),
		  sla.business_add('2026-06-08 10:00+00', '-1bd', 'UTC Mo-Fr 09:00-17:00'), 'minus a day is plus a negative one');
SELECT is(sla.business_sub('2026-06-08 10:00+00', '-1bd', 'UTC Mo-Fr 09:00-17:00'),
		  sla.business_add('2026-06-08 10:00+00', '1bd', 'UTC Mo-Fr 09:00-17:00'), 'minus a negative day is plus one');

SELECT * FROM finish();
ROLLBACK;
