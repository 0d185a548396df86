-- Rule 4: business_add is the earliest r with between(t, r) = d, business_sub
-- the latest r with between(r, t) = d
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(56);

-- June 1, 2026 is a Monday
SELECT is(sla.business_add(t, amount::sla.business_interval, hours::sla.business_hours), expected,
		  format('%s plus %s: %s', t, amount, hours))
FROM (VALUES
	-- within a window, to its close, over it
	('UTC Mo-Fr 09:00-17:00', timestamptz '2026-06-01 10:00+00', '2h', timestamptz '2026-06-01 12:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 16:00+00', '1h', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 16:00+00', '1:00:00.000001', '2026-06-02 09:00:00.000001+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 16:00+00', '9h', '2026-06-02 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 16:00+00', '9h 1min', '2026-06-03 09:01+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05 16:00+00', '1h', '2026-06-05 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05 16:00+00', '61min', '2026-06-08 09:01+00'),
	-- from closed time
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 17:00+00', '1h', '2026-06-02 10:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '1h', '2026-06-08 10:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '8h', '2026-06-08 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 09:00+00', '8h', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 08:59:59.999999+00', '8h', '2026-06-01 17:00+00'),
	-- a break is closed time: its beginning is the earlier answer
	('UTC Mo-Fr 09:00-12:30,13:30-17:30', '2026-06-01 11:30+00', '1h', '2026-06-01 12:30+00'),
	('UTC Mo-Fr 09:00-12:30,13:30-17:30', '2026-06-01 11:30+00', '1h 1s', '2026-06-01 13:30:01+00'),
	('UTC Mo-Fr 09:00-12:30,13:30-17:30', '2026-06-01 09:00+00', '7h 30min', '2026-06-01 17:30+00'),
	-- nothing is added, wherever t is
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 09:00+00', '0', '2026-06-01 09:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 17:00+00', '0', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:34:56.789+00', '0', '2026-06-06 12:34:56.789+00'),
	-- overnight, touching, holidays
	('UTC Mo-Fr 22:00-06:00', '2026-06-05 23:00+00', '7h', '2026-06-06 06:00+00'),
	('UTC Mo-Fr 22:00-06:00', '2026-06-05 23:00+00', '8h', '2026-06-08 23:00+00'),
	('UTC Mo-Fr 00:00-24:00', '2026-06-05 23:00+00', '2h', '2026-06-08 01:00+00'),
	('UTC Mo-Fr 09:00-17:00; 2026-06-02 off; 2026-06-03 09:00-10:00', '2026-06-01 16:00+00', '3h', '2026-06-04 10:00+00'),
	('24/7', '2026-06-01 12:00+00', '1000h', '2026-07-13 04:00+00'),
	-- clock changes: elapsed time within a window, wall clock at its edges
	('Europe/Amsterdam Mo-Fr 09:00-17:00', '2026-03-27 12:00+00', '5h', '2026-03-30 08:00+00'),
	('Europe/Amsterdam Mo-Su 00:00-24:00', '2026-03-28 12:00+00', '24h', '2026-03-29 12:00+00'),
	('Europe/Amsterdam Sa 22:00-06:00', '2026-03-28 21:00+00', '7h', '2026-03-29 04:00+00'),
	-- long spans
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 09:00+00', '2080h', '2027-05-28 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 09:00+00', '2080h 1us', '2027-05-31 09:00:00.000001+00'),
	('UTC Mo 09:00-09:01', '2026-06-01 09:00+00', '52min 30s', '2027-05-31 09:00:30+00')
) v(hours, t, amount, expected);

SELECT is(sla.business_sub(t, amount::sla.business_interval, hours::sla.business_hours), expected,
		  format('%s minus %s: %s', t, amount, hours))
FROM (VALUES
	('UTC Mo-Fr 09:00-17:00', timestamptz '2026-06-02 12:00+00', '2h', timestamptz '2026-06-02 10:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 12:00+00', '3h', '2026-06-02 09:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 12:00+00', '3:00:00.000001', '2026-06-01 16:59:59.999999+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 12:00+00', '11h', '2026-06-01 09:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-08 10:00+00', '2h', '2026-06-05 16:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-08 09:00+00', '1h', '2026-06-05 16:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '8h', '2026-06-05 09:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05 17:00+00', '8h', '2026-06-05 09:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '0', '2026-06-06 12:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05 17:00+00', '0', '2026-06-05 17:00+00'),
	('UTC Mo-Fr 09:00-12:30,13:30-17:30', '2026-06-01 14:30+00', '1h', '2026-06-01 13:30+00'),
	('UTC Mo-Fr 09:00-12:30,13:30-17:30', '2026-06-01 14:30+00', '1h 1s', '2026-06-01 12:29:59+00'),
	('UTC Mo-Fr 22:00-06:00', '2026-06-06 05:00+00', '7h', '2026-06-05 22:00+00'),
	('UTC Mo-Fr 00:00-24:00', '2026-06-08 01:00+00', '2h', '2026-06-05 23:00+00'),
	('Europe/Amsterdam Mo-Fr 09:00-17:00', '2026-03-30 08:00+00', '5h', '2026-03-27 12:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2027-05-31 09:00+00', '2080h', '2026-06-01 09:00+00'),
	('24/7', '2026-07-13 04:00+00', '1000h', '2026-06-01 12:00+00')
) v(hours, t, amount, expected);

-- a negative amount goes the other way
SELECT is(sla.business_add(t, amount::sla.business_interval, 'UTC Mo-Fr 09:00-17:00'), expected,
		  format('%s plus %s', t, amount))
FROM (VALUES
	(timestamptz '2026-06-02 12:00+00', '-3h', timestamptz '2026-06-02 09:00+00'),
	('2026-06-02 12:00+00', '-4h', '2026-06-01 16:00+00'),
	('2026-06-06 12:00+00', '-1h', '2026-06-05 16:00+00')
) v(t, amount, expected);
SELECT is(sla.business_sub(t, amount::sla.business_interval, 'UTC Mo-Fr 09:00-17:00'), expected,
		  format('%s minus %s', t, amount))
FROM (VALUES
	(timestamptz '2026-06-01 16:00+00', '-1h', timestamptz '2026-06-01 17:00+00'),
	('2026-06-01 16:00+00', '-2h', '2026-06-02 10:00+00'),
	('2026-06-06 12:00+00', '-1h', '2026-06-08 10:00+00')
) v(t, amount, expected);

-- strict
SELECT is(sla.business_add(NULL, '1h', '24/7'), NULL, 'no instant');
SELECT is(sla.business_add('2026-06-01 00:00+00', NULL, '24/7'), NULL, 'no amount');
SELECT is(sla.business_add('2026-06-01 00:00+00', '1h', NULL), NULL, 'no calendar');
SELECT is(sla.business_sub('2026-06-01 00:00+00', '1h', NULL), NULL, 'no calendar to subtract by');

SELECT * FROM finish();
ROLLBACK;
