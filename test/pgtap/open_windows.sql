-- Open time as ranges: cut off at the period's bounds, streamed, limited; and
-- calendar functions in generated columns and expression indexes.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(40);

-- Wednesday to Friday with a break; Wednesday is 2026-06-10.
CREATE FUNCTION pg_temp.windows(period text, hours text DEFAULT 'Europe/Amsterdam We-Fr 09:00-12:30,13:30-17:30') RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(to_char(lower(w), 'DD HH24:MI:SS') || '-' || to_char(upper(w), 'DD HH24:MI:SS')
		|| CASE WHEN lower_inc(w) AND NOT upper_inc(w) THEN '' ELSE ' with other bounds' END, ', ' ORDER BY nth)
	FROM sla.open_windows(hours::sla.business_hours, period::tstzrange) WITH ORDINALITY x(w, nth) $$;

SELECT is(pg_temp.windows('[2026-06-10 00:00+02, 2026-06-11 00:00+02)'), '10 07:00:00-10 10:30:00, 10 11:30:00-10 15:30:00', 'a date');
SELECT is(pg_temp.windows('[2026-06-10 10:00+02, 2026-06-11 11:00+02)'), '10 08:00:00-10 10:30:00, 10 11:30:00-10 15:30:00, 11 07:00:00-11 09:00:00', 'cut off at both bounds');
SELECT is(pg_temp.windows('[2026-06-10 10:00+02, 2026-06-10 10:01+02)'), '10 08:00:00-10 08:01:00', 'within one window');
SELECT is(pg_temp.windows('[2026-06-10 09:00+02, 2026-06-10 12:30+02)'), '10 07:00:00-10 10:30:00', 'exactly one window');
SELECT is(pg_temp.windows('[2026-06-10 12:30+02, 2026-06-10 13:30+02)'), NULL, 'exactly the break');
SELECT is(pg_temp.windows('[2026-06-12 17:30+02, 2026-06-17 09:00+02)'), NULL, 'from Friday''s closing to the next opening');
SELECT is(pg_temp.windows('[2026-06-13 00:00+02, 2026-06-15 00:00+02)', 'Europe/Amsterdam Mo-Su 00:00-24:00'), '12 22:00:00-14 22:00:00', 'windows that touch are one');
SELECT is(pg_temp.windows('[2026-06-11 05:00Z, 2026-06-12 00:00Z)', 'UTC We-Th 22:00-06:00'), '11 05:00:00-11 06:00:00, 11 22:00:00-12 00:00:00', 'begins in a tail, ends in the night');
SELECT is(pg_temp.windows('[2026-10-24 22:00Z, 2026-10-26 00:00Z)', 'Europe/Amsterdam Mo-Su 02:30-03:30'), '25 00:30:00-25 02:30:00', 'an hour that is there twice');
SELECT is(pg_temp.windows('[2026-06-10 00:00Z, 2026-06-11 00:00Z)', '(UTC We 08:00-12:00 | UTC We 12:00-14:00) - UTC 2026-06-10 09:00-10:00'), '10 08:00:00-10 09:00:00, 10 10:00:00-10 14:00:00', 'parts joined');
SELECT is(pg_temp.windows('[2026-06-10, 2027-06-10)', 'UTC Mo-Su off'), NULL, 'never open');
SELECT is(pg_temp.windows('[2026-06-10, 2027-06-10)', '24/7 - 24/7'), NULL, 'nothing left');

-- Bounds, to the microsecond
SELECT is((SELECT array_agg(w) FROM sla.open_windows('24/7', '[2026-06-10 10:00,2026-06-10 11:00)') w), ARRAY['[2026-06-10 10:00,2026-06-10 11:00)']::tstzrange[], '[)');
SELECT is((SELECT array_agg(w) FROM sla.open_windows('24/7', '(2026-06-10 10:00,2026-06-10 11:00)') w), ARRAY['[2026-06-10 10:00:00.000001,2026-06-10 11:00)']::tstzrange[], '()');
SELECT is((SELECT array_agg(w) FROM sla.open_windows('24/7', '[2026-06-10 10:00,2026-06-10 11:00]') w), ARRAY['[2026-06-10 10:00,2026-06-10 11:00:00.000001)']::tstzrange[], '[]');
SELECT is((SELECT array_agg(w) FROM sla.open_windows('24/7', '[2026-06-10 10:00,2026-06-10 10:00]') w), ARRAY['[2026-06-10 10:00,2026-06-10 10:00:00.000001)']::tstzrange[], 'a single instant');
SELECT is((SELECT array_agg(w) FROM sla.open_windows('24/7', '(2026-06-10 10:00,2026-06-10 10:00:00.000001)') w), NULL, 'nothing between two neighbours');
SELECT is((SELECT array_agg(w) FROM sla.open_windows('24/7', 'empty') w), NULL, 'an empty period');
SELECT is(sla.open_time('24/7', 'empty'), '{}', 'an empty period as one value');
SELECT is(sla.open_time('UTC We 08:00-12:00', '(2026-06-10 08:00,2026-06-17 09:00]'), '{[2026-06-10 08:00:00.000001,2026-06-10 12:00),[2026-06-17 08:00,2026-06-17 09:00:00.000001)}', 'both bounds of one value');
SELECT is(sla.open_time('UTC Mo-Su off', '[2026-06-10,2026-06-17)'), '{}', 'never open, as one value');

-- Without a beginning or an end
SELECT throws_ok('SELECT sla.open_windows(''24/7'', ''[2026-06-10,)'')', '22008', 'cannot list the open time of an unbounded range', 'no end');
SELECT throws_ok('SELECT sla.open_windows(''24/7'', ''(,2026-06-10)'')', '22008', 'cannot list the open time of an unbounded range', 'no beginning');
SELECT throws_ok('SELECT sla.open_windows(''24/7'', ''[2026-06-10,infinity)'')', '22008', 'cannot list the open time of an unbounded range', 'infinity is no end');
SELECT throws_ok('SELECT sla.open_time(''24/7'', ''[-infinity,2026-06-10)'')', '22008', 'cannot list the open time of an unbounded range', '-infinity is no beginning');
SELECT is(sla.open_time(NULL, '[2026-06-10,2026-06-11)'), NULL, 'NULL');

-- 1400 windows a day: 714 days have 999,600 of them, 715 days more than a million.
CREATE FUNCTION pg_temp.every_minute() RETURNS sla.business_hours LANGUAGE sql AS $$
	SELECT ('UTC Mo-Su ' || string_agg(to_char(time '00:00' + m * interval '1 min', 'HH24:MI:SS-HH24:MI') || ':30', ','))::sla.business_hours
	FROM generate_series(0, 1399) m $$;
CREATE TEMP TABLE dense AS SELECT CASE WHEN true THEN hours END AS hours FROM pg_temp.every_minute() hours;
SELECT is((SELECT (SELECT count(*) FROM unnest(sla.open_time(hours, '[2026-01-01,2027-12-16)'))) FROM dense), 999600::bigint, 'nearly a million ranges in one value');
SELECT throws_ok('SELECT sla.open_time(hours, ''[2026-01-01,2027-12-17)'') FROM dense', '54000', 'open time has more than 1000000 ranges', 'more than a million');

-- Rows are made when asked for: all of this would be 5,600,000,000 of them.
SELECT is((SELECT string_agg(w::text, ' ') FROM (SELECT sla.open_windows(hours, '[2026-01-01,13000-01-01)') AS w FROM dense LIMIT 2) x),
	'["2026-01-01 00:00:00+00","2026-01-01 00:00:30+00") ["2026-01-01 00:01:00+00","2026-01-01 00:01:30+00")', 'the first two of very many');
SELECT is((SELECT sum(upper(w) - lower(w)) FROM sla.open_windows('Europe/Amsterdam Mo-Fr 09:00-17:00', '[2026-01-01,2027-01-01)') w),
	sla.business_between('2026-01-01', '2027-01-01', 'Europe/Amsterdam Mo-Fr 09:00-17:00'), 'the sum of a year''s windows is its working time');
SELECT is((SELECT sla.sum(a::sla.business_interval)::text FROM unnest(ARRAY['2h', '1bd', '-30min', '3bd 15min']) a), '4bd 1h 45min', 'amounts add up');
SELECT is((SELECT sla.sum(a::sla.business_interval)::text FROM unnest(ARRAY[NULL, '2h', NULL]) a), '2h', 'and leave NULLs out');
SELECT is((SELECT sla.sum(a::sla.business_interval)::text FROM unnest('{}'::text[]) a), NULL, 'the sum of none is NULL');

-- @>
SELECT is((SELECT array_agg('UTC We 08:00-12:00'::sla.business_hours OPERATOR(sla.@>) t ORDER BY t)
	FROM unnest(ARRAY['2026-06-10 07:59:59.999999', '2026-06-10 08:00', '2026-06-10 11:59:59.999999', '2026-06-10 12:00']::timestamptz[]) t),
	ARRAY[false, true, true, false], 'open from its start to before its end');
SELECT is('24/7'::sla.business_hours OPERATOR(sla.@>) timestamptz 'infinity', NULL, 'nobody knows at infinity');

-- A generated column and indexes: the functions are immutable.
CREATE TEMP TABLE call (
	id int PRIMARY KEY,
	at timestamptz NOT NULL,
	due timestamptz GENERATED ALWAYS AS (sla.business_add(at, '4h', 'Europe/Amsterdam Mo-Fr 09:00-17:00; Dec 25-26 off')) STORED
);
INSERT INTO call SELECT n, timestamptz '2026-01-01 00:00' + n * interval '37 min' FROM generate_series(1, 20000) n;
CREATE INDEX call_due ON call (due);
CREATE INDEX call_next ON call (sla.next_open('UTC Mo-Fr 08:00-16:00', at));
CREATE INDEX call_night ON call (at) WHERE NOT 'UTC Mo-Fr 08:00-16:00'::sla.business_hours OPERATOR(sla.@>) at AND id % 100 = 0;
ANALYZE call;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		lines := lines || line || E'\n';
	END LOOP;
	RETURN lines;
END $$;
SELECT is((SELECT due FROM call WHERE at = '2026-06-10 14:50:00' OR id = 6257 ORDER BY id LIMIT 1),
	(SELECT sla.business_add(at, '4h', 'Europe/Amsterdam Mo-Fr 09:00-17:00; Dec 25-26 off') FROM call WHERE at = '2026-06-10 14:50:00' OR id = 6257 ORDER BY id LIMIT 1), 'a generated column');
UPDATE call SET at = '2026-12-24 15:00+01' WHERE id = 1;
SELECT is((SELECT due FROM call WHERE id = 1), '2026-12-28 11:00+01'::timestamptz, 'follows its row over the holidays');
SELECT matches(pg_temp.plan_of($$SELECT id FROM call WHERE due < '2026-01-02 12:00'$$), 'call_due', 'an index on it is used');
SELECT matches(pg_temp.plan_of($$SELECT id FROM call WHERE sla.next_open('UTC Mo-Fr 08:00-16:00', at) = '2026-03-02 08:00'$$), 'call_next', 'and one on the expression');
SELECT matches(pg_temp.plan_of($$SELECT id FROM call WHERE NOT 'UTC Mo-Fr 08:00-16:00'::sla.business_hours OPERATOR(sla.@>) at AND id % 100 = 0 AND at < '2026-03-02'$$), 'call_night', 'and one with the operator as its predicate');

SELECT * FROM finish();
ROLLBACK;
