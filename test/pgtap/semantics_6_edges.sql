-- Rule 6: next_* are strictly after the argument, prev_* strictly before it
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(60);

CREATE TEMP TABLE edge AS
SELECT row_number() OVER () AS n, hours::sla.business_hours AS hours, t,
	   next_open, next_close, prev_open, prev_close
FROM (VALUES
	-- while open, while closed
	('UTC Mo-Fr 09:00-17:00', timestamptz '2026-06-02 12:00+00',
	 timestamptz '2026-06-03 09:00+00', timestamptz '2026-06-02 17:00+00',
	 timestamptz '2026-06-02 09:00+00', timestamptz '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-06 12:00+00',
	 '2026-06-08 09:00+00', '2026-06-08 17:00+00', '2026-06-05 09:00+00', '2026-06-05 17:00+00'),
	-- at an opening, at a close, a microsecond beside them
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 09:00+00',
	 '2026-06-03 09:00+00', '2026-06-02 17:00+00', '2026-06-01 09:00+00', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 08:59:59.999999+00',
	 '2026-06-02 09:00+00', '2026-06-02 17:00+00', '2026-06-01 09:00+00', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 09:00:00.000001+00',
	 '2026-06-03 09:00+00', '2026-06-02 17:00+00', '2026-06-02 09:00+00', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 17:00+00',
	 '2026-06-03 09:00+00', '2026-06-03 17:00+00', '2026-06-02 09:00+00', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 16:59:59.999999+00',
	 '2026-06-03 09:00+00', '2026-06-02 17:00+00', '2026-06-02 09:00+00', '2026-06-01 17:00+00'),
	('UTC Mo-Fr 09:00-17:00', '2026-06-02 17:00:00.000001+00',
	 '2026-06-03 09:00+00', '2026-06-03 17:00+00', '2026-06-02 09:00+00', '2026-06-02 17:00+00'),
	-- midnight between two open days is no edge
	('UTC Mo-Fr 00:00-24:00', '2026-06-03 12:00+00',
	 '2026-06-08 00:00+00', '2026-06-06 00:00+00', '2026-06-01 00:00+00', '2026-05-30 00:00+00'),
	-- once a year
	('UTC Mo-Su off; 2025-06-01 09:00-17:00; 2027-06-01 09:00-17:00', '2026-06-01 00:00+00',
	 '2027-06-01 09:00+00', '2027-06-01 17:00+00', '2025-06-01 09:00+00', '2025-06-01 17:00+00'),
	-- none left, none yet
	('UTC Mo-Su off; 2025-06-01 09:00-17:00', '2026-06-01 00:00+00',
	 NULL, NULL, '2025-06-01 09:00+00', '2025-06-01 17:00+00'),
	('UTC Mo-Su off; 2027-06-01 09:00-17:00', '2026-06-01 00:00+00',
	 '2027-06-01 09:00+00', '2027-06-01 17:00+00', NULL, NULL),
	('UTC Mo-Su off', '2026-06-01 00:00+00', NULL, NULL, NULL, NULL),
	('24/7', '2026-06-01 00:00+00', NULL, NULL, NULL, NULL),
	('Europe/Amsterdam Mo-Su 00:00-24:00; 2027-06-01 off', '2026-06-01 00:00+00',
	 '2027-06-01 22:00+00', '2027-05-31 22:00+00', NULL, NULL)
) v(hours, t, next_open, next_close, prev_open, prev_close);

SELECT is(sla.next_open(hours, t), next_open, format('next opening after %s: %s', t, hours)) FROM edge ORDER BY n;
SELECT is(sla.next_close(hours, t), next_close, format('next close after %s: %s', t, hours)) FROM edge ORDER BY n;
SELECT is(sla.prev_open(hours, t), edge.prev_open, format('previous opening before %s: %s', t, hours)) FROM edge ORDER BY n;
SELECT is(sla.prev_close(hours, t), edge.prev_close, format('previous close before %s: %s', t, hours)) FROM edge ORDER BY n;

SELECT * FROM finish();
ROLLBACK;
