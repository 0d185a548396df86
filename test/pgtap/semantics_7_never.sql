-- Rule 7: working time that never accumulates
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(60);

SELECT is(sla.business_add(t, amount::sla.business_interval, hours::sla.business_hours), expected,
		  format('%s plus %s: %s', t, amount, hours))
FROM (VALUES
	('UTC Mo-Su off', timestamptz '2026-06-01 00:00+00', '1us', timestamptz 'infinity'),
	('UTC Mo-Su off', '2026-06-01 00:00+00', '-1us', '-infinity'),
	('UTC Mo-Su off', '2026-06-01 00:00+00', '0', '2026-06-01 00:00+00'),
	('UTC Mo-Su off', '2026-06-01 00:00+00', '1bd', 'infinity'),
	('UTC Mo-Su off', '2026-06-01 00:00+00', '-1bd', '-infinity'),
	('UTC Mo-Su off', '2026-06-01 00:00+00', '1bd -1h', 'infinity'),
	-- one day left: eight hours and not a microsecond more
	('UTC Mo-Su off; 2026-06-10 09:00-17:00', '2026-06-01 00:00+00', '8h', '2026-06-10 17:00+00'),
	('UTC Mo-Su off; 2026-06-10 09:00-17:00', '2026-06-01 00:00+00', '8:00:00.000001', 'infinity'),
	('UTC Mo-Su off; 2026-06-10 09:00-17:00', '2026-06-11 00:00+00', '1us', 'infinity'),
	('UTC Mo-Su off; 2026-06-10 09:00-17:00', '2026-06-11 00:00+00', '-8h', '2026-06-10 09:00+00'),
	('UTC Mo-Su off; 2026-06-10 09:00-17:00', '2026-06-11 00:00+00', '-8:00:00.000001', '-infinity'),
	('UTC Mo-Su off; 2026-06-10 09:00-17:00', '2026-06-10 12:00+00', '1bd', 'infinity'),
	('UTC Mo-Su off; 2026-06-10 09:00-17:00', '2026-06-10 12:00+00', '-1bd', '-infinity'),
	-- beyond the last timestamp is never, too
	('24/7', '294276-12-31 12:00+00', '11h', '294276-12-31 23:00+00'),
	('24/7', '294276-12-31 12:00+00', '13h', 'infinity'),
	('24/7', '4713-01-01 12:00+00 BC', '-24000h', '-infinity'),
	('UTC Mo-Su 09:00-17:00', '294276-12-31 12:00+00', '5h', '294276-12-31 17:00+00'),
	('UTC Mo-Su 09:00-17:00', '294276-12-31 12:00+00', '6h', 'infinity'),
	('UTC Mo 09:00-10:00', '2026-06-01 00:00+00', '2000000000h', 'infinity'),
	('UTC Mo 09:00-10:00', '2026-06-01 00:00+00', '-2000000000h', '-infinity'),
	('UTC Mo 09:00-10:00', '2026-06-01 00:00+00', '2147483647bd', 'infinity'),
	('UTC Mo 09:00-10:00', '2026-06-01 00:00+00', '-2147483647bd', '-infinity'),
	-- infinity in, infinity out
	('UTC Mo-Fr 09:00-17:00', 'infinity', '1h', 'infinity'),
	('UTC Mo-Fr 09:00-17:00', 'infinity', '0', 'infinity'),
	('UTC Mo-Fr 09:00-17:00', 'infinity', '-1h', 'infinity'),
	('UTC Mo-Fr 09:00-17:00', 'infinity', '-1bd', 'infinity'),
	('UTC Mo-Fr 09:00-17:00', '-infinity', '1h', '-infinity'),
	('UTC Mo-Fr 09:00-17:00', '-infinity', '1bd', '-infinity'),
	('UTC Mo-Su off', '-infinity', '1h', '-infinity'),
	('24/7', 'infinity', '-1h', 'infinity')
) v(hours, t, amount, expected);

SELECT is(sla.business_sub(t, amount::sla.business_interval, hours::sla.business_hours), expected,
		  format('%s minus %s: %s', t, amount, hours))
FROM (VALUES
	('UTC Mo-Su off', timestamptz '2026-06-01 00:00+00', '1us', timestamptz '-infinity'),
	('UTC Mo-Su off', '2026-06-01 00:00+00', '-1us', 'infinity'),
	('UTC Mo-Su off', '2026-06-01 00:00+00', '1bd', '-infinity'),
	('UTC Mo-Fr 09:00-17:00', 'infinity', '1h', 'infinity'),
	('UTC Mo-Fr 09:00-17:00', '-infinity', '1h', '-infinity'),
	('UTC Mo-Fr 09:00-17:00', '-infinity', '-1h', '-infinity')
) v(hours, t, amount, expected);

-- a deadline is total as well
SELECT is(sla.deadline('2026-06-01 10:00+00', '1h', 'UTC Mo-Su off'), 'infinity', 'a deadline never reached');
SELECT is(sla.deadline('2026-06-01 10:00+00', '0', 'UTC Mo-Su off'), timestamptz '2026-06-01 10:00+00', 'nothing to do is done');
SELECT is(sla.deadline('infinity', '1h', '24/7'), 'infinity', 'a deadline from infinity');
SELECT is(sla.deadline('-infinity', '1h', '24/7'), '-infinity', 'a deadline from -infinity');
SELECT is(sla.deadline('2026-06-01 10:00+00', '1h', '24/7', '{["2026-06-01 10:30+00",)}'), 'infinity', 'a pause without an end');
SELECT is(sla.deadline('2026-06-01 10:00+00', '1h', '24/7', '{(,)}'), 'infinity', 'always paused');
SELECT is(sla.deadline('2026-06-01 10:00+00', '30min', '24/7', '{["2026-06-01 10:30+00",)}'), timestamptz '2026-06-01 10:30+00', 'done before the pause');

-- business days that never come
SELECT is(sla.business_days_add('2026-06-01', 1, 'UTC Mo-Su off'), date 'infinity', 'no business day ahead');
SELECT is(sla.business_days_add('2026-06-01', -1, 'UTC Mo-Su off'), date '-infinity', 'no business day behind');
SELECT is(sla.business_days_add('2026-06-01', 0, 'UTC Mo-Su off'), date '2026-06-01', 'no business day needed');

-- infinity has no edges and no hours of its own
SELECT is(sla.next_open('UTC Mo-Fr 09:00-17:00', 'infinity'), 'infinity', 'opening after infinity');
SELECT is(sla.prev_close('UTC Mo-Fr 09:00-17:00', '-infinity'), '-infinity', 'close before -infinity');
SELECT is(sla.is_open('24/7', 'infinity'), NULL, 'infinity is neither open nor closed');
SELECT is(sla.is_business_day('24/7', 'infinity'), NULL, 'nor a business day or none');
SELECT is(sla.business_days_add('infinity', -1, '24/7'), 'infinity', 'a day before infinity');
SELECT throws_ok($$SELECT sla.business_days_between('2026-06-01', 'infinity', '24/7')$$,
				 '22008', NULL, 'days until infinity');

-- no difference to infinity, as in core
SELECT throws_ok(format('SELECT sla.business_between(%L, %L, %L)', a, b, 'UTC Mo-Fr 09:00-17:00'), '22008', NULL,
				 format('between %s and %s', a, b))
FROM (VALUES
	('2026-06-01', 'infinity'), ('infinity', '2026-06-01'),
	('-infinity', '2026-06-01'), ('2026-06-01', '-infinity'),
	('-infinity', 'infinity'), ('infinity', 'infinity')
) v(a, b);

-- more microseconds than an interval holds
SELECT throws_ok($$SELECT sla.business_between('4714-11-24 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00', '24/7')$$,
				 '22008', NULL, 'a sum beyond the range of an interval');
SELECT is(sla.business_between('4714-11-24 00:00:00+00 BC', '294276-12-31 00:00:00+00', 'UTC Mo-Su 00:00-12:00'),
		  make_interval(hours => 12) * (SELECT extract(julian FROM date '294276-12-31') - extract(julian FROM date '4714-11-24 BC'))::float8,
		  'half of it is within');

SELECT * FROM finish();
ROLLBACK;
