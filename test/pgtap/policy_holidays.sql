-- sla.with_holidays and sla.zone_name
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(25);

SELECT is(sla.with_holidays(hours::sla.business_hours, days::date[])::text, expected, format('%s closed on %s', hours, days))
FROM (VALUES
	('UTC Mo-Fr 09:00-17:00', '{}', 'UTC Mo-Fr 09:00-17:00'),
	('24/7', '{}', '24/7'),
	('UTC Mo-Fr 09:00-17:00', '{2026-12-25}', 'UTC Mo-Fr 09:00-17:00; 2026-12-25 off'),
	('UTC Mo-Fr 09:00-17:00', '{2026-12-28,2026-12-25,2026-12-28}', 'UTC Mo-Fr 09:00-17:00; 2026-12-25,2026-12-28 off'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00', '{2026-12-25,2026-12-24}', 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25 off'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00', '{2026-01-01}', 'UTC Mo-Fr 09:00-17:00; 2026-01-01 off; 2026-12-24 09:00-13:00'),
	('UTC Mo-Fr 09:00-17:00; 2026-12-25 off', '{2026-12-25}', 'UTC Mo-Fr 09:00-17:00; 2026-12-25 off'),
	('Europe/Berlin 24/7', '{2026-12-25}', 'Europe/Berlin Mo-Su 00:00-24:00; 2026-12-25 off'),
	('UTC 24/7; 2026-12-24 off', '{2026-12-25}', 'UTC Mo-Su 00:00-24:00; 2026-12-24,2026-12-25 off'),
	('UTC Mo 09:00-17:00', '{0001-01-01,9999-12-31}', 'UTC Mo 09:00-17:00; 0001-01-01,9999-12-31 off')
) AS v(hours, days, expected);
SELECT is(sla.with_holidays('UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00', '{2026-12-25}')::text,
		  'UTC 2026-12-25 off; Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00'::sla.business_hours::text, 'equal to the same hours written out');
SELECT ok(sla.with_holidays(sla.with_holidays('UTC Mo 09:00-17:00', '{2026-01-01}'), '{2027-01-01}') OPERATOR(sla.=)
		  sla.with_holidays('UTC Mo 09:00-17:00', '{2027-01-01,2026-01-01}'), 'adding them one by one is the same');

SELECT throws_ok(format('SELECT sla.with_holidays(%L, %L)', hours, days), code, NULL, format('not %s on %s', hours, days))
FROM (VALUES ('24/7', '{2026-12-25}', '22023'), ('UTC Mo 09:00-17:00', '{NULL}', '22004'), ('UTC Mo 09:00-17:00', '{infinity}', '22008'),
			 ('UTC Mo 09:00-17:00', '{-infinity}', '22008'), ('UTC Mo 09:00-17:00', '{10000-01-01}', '22008'),
			 ('UTC Mo 09:00-17:00', '{"0001-12-31 BC"}', '22008')) AS v(hours, days, code);
SELECT throws_ok($$ SELECT sla.with_holidays('UTC Mo 09:00-17:00', array_agg('2000-01-01'::date + 2 * i)) FROM generate_series(1, 20001) AS i $$,
				 '54000', NULL, 'not more dates than a value may have');
SELECT is(sla.with_holidays(NULL, '{2026-12-25}')::text, NULL, 'NULL hours');

SELECT is(sla.zone_name(zone), expected, format('zone %L', zone))
FROM (VALUES ('europe/AMSTERDAM', 'Europe/Amsterdam'), ('UTC', 'UTC'), ('CEST', NULL), ('UTC+3', NULL), ('', NULL)) AS v(zone, expected);

SELECT * FROM finish();
ROLLBACK;
