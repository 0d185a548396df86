-- Rule 5: business_between is antisymmetric
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(33);

CREATE TEMP TABLE span AS
SELECT row_number() OVER () AS n, hours::sla.business_hours AS hours, a, b, worked
FROM (VALUES
	('UTC Mo-Fr 09:00-17:00', timestamptz '2026-06-01 09:00+00', timestamptz '2026-06-01 17:00+00', interval '8 hours'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 12:00+00', '2026-06-01 12:00+00', '0'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00', '2026-06-07 12:00+00', '0'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-01 17:00+00', '2026-06-02 09:00+00', '0'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-05 16:30+00', '2026-06-08 09:15+00', '45 minutes'),
	('UTC Mo-Fr 09:00-17:00', '2026-01-01 00:00+00', '2027-01-01 00:00+00', '2088 hours'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-29,2026-12-30,2026-12-31 off', '2026-01-01 00:00+00', '2027-01-01 00:00+00', '2064 hours'),
	('Europe/Amsterdam Mo-Su 00:00-24:00', '2026-03-28 23:00+00', '2026-03-29 22:00+00', '23 hours'),
	('America/New_York Mo-Fr 22:00-06:00', '2026-03-06 12:00+00', '2026-03-09 12:00+00', '8 hours'),
	('UTC Mo-Su off', '2026-01-01 00:00+00', '2027-01-01 00:00+00', '0')
) v(hours, a, b, worked);

SELECT is(sla.business_between(a, b, hours), worked, format('%s to %s: %s', a, b, hours)) FROM span ORDER BY n;
SELECT is(sla.business_between(b, a, hours), - worked, format('%s to %s: %s', b, a, hours)) FROM span ORDER BY n;
SELECT is(sla.business_between(a, a + (b - a) / 3, hours) + sla.business_between(a + (b - a) / 3, b, hours), worked,
		  format('in two steps: %s to %s: %s', a, b, hours)) FROM span ORDER BY n;

SELECT is(sla.business_between(NULL, '2026-06-01 00:00+00', '24/7'), NULL, 'strict in the first');
SELECT is(sla.business_between('2026-06-01 00:00+00', NULL, '24/7'), NULL, 'strict in the second');
SELECT is(sla.business_between('2026-06-01 00:00+00', '2026-06-01 00:00+00', NULL), NULL, 'strict in the third');

SELECT * FROM finish();
ROLLBACK;
