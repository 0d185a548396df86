-- Rule 2: a window belongs to the date on which it opens
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(34);

-- 2026-12-25 is a Friday
SELECT is(sla.is_open(hours::sla.business_hours, t), expected, format('%s at %s', hours, t))
FROM (VALUES
	-- a holiday removes the windows that open on it, not the tail that runs into it
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 off', timestamptz '2026-12-25 03:00+00', true),
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 off', '2026-12-25 05:59:59.999999+00', true),
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 off', '2026-12-25 06:00+00', false),
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 off', '2026-12-25 23:00+00', false),
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 off', '2026-12-26 03:00+00', false),
	-- special hours replace what opens on their date
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 10:00-12:00', '2026-12-25 03:00+00', true),
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 10:00-12:00', '2026-12-25 11:00+00', true),
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 10:00-12:00', '2026-12-25 23:00+00', false),
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 10:00-12:00', '2026-12-26 03:00+00', false),
	-- an overnight special date has a tail of its own, holiday or not
	('UTC 2026-12-25 22:00-06:00; 2026-12-26 off', '2026-12-26 03:00+00', true),
	('UTC 2026-12-25 22:00-06:00; 2026-12-26 off', '2026-12-26 22:30+00', false),
	-- normally closed weekdays
	('UTC Mo-Fr 09:00-17:00; 2026-12-26 09:00-13:00', '2026-12-26 12:00+00', true),
	('UTC Mo-Fr 09:00-17:00; 2026-12-26 09:00-13:00', '2026-12-26 13:00+00', false),
	-- a bare date is the whole of it
	('UTC Mo-Fr 09:00-17:00; 2026-12-26', '2026-12-26 00:00+00', true),
	('UTC Mo-Fr 09:00-17:00; 2026-12-26', '2026-12-26 23:59:59+00', true),
	('UTC Mo-Fr 09:00-17:00; 2026-12-26', '2026-12-27 00:00+00', false),
	-- dates beat weekdays whatever the order; among dates the last one speaks
	('UTC 2026-12-25 off; Mo-Fr 09:00-17:00', '2026-12-25 12:00+00', false),
	('UTC Mo-Fr 09:00-17:00; 2026-12-25 off; 2026-12-25 10:00-12:00', '2026-12-25 11:00+00', true),
	('UTC Mo-Fr 09:00-17:00; 2026-12-25 10:00-12:00; 2026-12-25 off', '2026-12-25 11:00+00', false),
	('UTC Mo-Fr 09:00-17:00; 2026-12-29,2026-12-30,2026-12-31 off', '2026-12-31 12:00+00', false),
	('UTC Mo-Fr 09:00-17:00; 2026-12-29,2026-12-30,2026-12-31 off; 2026-12-30 09:00-12:00', '2026-12-30 11:00+00', true),
	-- over the end of the week and of the year
	('UTC Sa 22:00-06:00', '2026-06-07 03:00+00', true),
	('UTC Su 22:00-06:00', '2026-06-08 03:00+00', true),
	('UTC Su 22:00-06:00; 2026-06-08 off', '2026-06-08 03:00+00', true),
	('UTC Su 22:00-06:00; 2026-06-07 off', '2026-06-08 03:00+00', false),
	('UTC Th 22:00-06:00', '2027-01-01 03:00+00', true)
) v(hours, t, expected);

-- the date is the zone's, not UTC's
SELECT is(sla.is_open('Asia/Tokyo Mo-Fr 08:00-17:00; 2026-06-03 off', '2026-06-02 23:30+00'),
		  false, 'June 3 in Tokyo begins on June 2 in UTC');
SELECT is(sla.is_open('Asia/Tokyo Mo-Fr 08:00-17:00; 2026-06-03 off', '2026-06-03 23:30+00'),
		  true, 'and is over on June 3 in UTC');

-- working time around them
SELECT is(sla.business_between(a, b, hours::sla.business_hours), expected, hours)
FROM (VALUES
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 off',
	 timestamptz '2026-12-24 12:00+00', timestamptz '2026-12-28 12:00+00', interval '8 hours'),
	-- special hours over the tail: their union
	('UTC Mo-Fr 22:00-06:00; 2026-12-25 04:00-08:00',
	 '2026-12-24 12:00+00', '2026-12-28 12:00+00', '10 hours'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-29,2026-12-30,2026-12-31 off',
	 '2026-12-14 00:00+00', '2027-01-02 00:00+00', '96 hours'),
	('UTC Sa 22:00-06:00; 2026-06-07 10:00-12:00',
	 '2026-06-06 00:00+00', '2026-06-08 00:00+00', '10 hours')
) v(hours, a, b, expected);

SELECT is(sla.next_close('UTC Mo-Fr 22:00-06:00; 2026-12-25 off', '2026-12-24 23:00+00'),
		  timestamptz '2026-12-25 06:00+00', 'the tail ends where it always does');
SELECT is(sla.next_open('UTC Mo-Fr 22:00-06:00; 2026-12-25 off', '2026-12-24 23:00+00'),
		  timestamptz '2026-12-28 22:00+00', 'the next opening is after the holiday');

SELECT * FROM finish();
ROLLBACK;
