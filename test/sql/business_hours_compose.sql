--
-- Business hours made from others, and what a value says as rows.
--
\pset format unaligned
\pset tuples_only on
SET search_path TO pg_catalog, sla, pg_temp;
SET datestyle TO iso;
SET intervalstyle TO postgres;

-- The error that a command raises
CREATE FUNCTION pg_temp.error(command text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE command;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n    ', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;

-- Operators make what the notation says.
CREATE TEMP TABLE part (name text, hours business_hours);
INSERT INTO part VALUES
    ('a', 'UTC Mo 09:00-17:00'),
    ('b', 'Europe/Berlin Dec 25-26 off'),
    ('ab', 'UTC Mo 09:00-17:00 | Europe/Berlin Dec 25-26 off'),
    ('c', '24/7');
SELECT x.name, y.name,
       (x.hours | y.hours) = format('(%s) | (%s)', x.hours, y.hours)::business_hours,
       (x.hours & y.hours) = format('(%s) & (%s)', x.hours, y.hours)::business_hours,
       (x.hours - y.hours) = format('(%s) - (%s)', x.hours, y.hours)::business_hours,
       x.hours | y.hours,
       x.hours - y.hours
FROM part AS x, part AS y ORDER BY 1, 2;
SELECT bool_and((x.hours | y.hours) | z.hours = (x.hours | (y.hours | z.hours))) AS unions,
       bool_and((x.hours & y.hours) & z.hours = (x.hours & (y.hours & z.hours))) AS intersections
FROM part AS x, part AS y, part AS z;
-- core's precedence: - first
SELECT a.hours | b.hours - c.hours, (a.hours | b.hours) - c.hours
FROM part AS a, part AS b, part AS c WHERE (a.name, b.name, c.name) = ('a', 'b', 'c');
SELECT 'UTC Mo 09:00-17:00'::business_hours - 'UTC Dec 25', '24/7' & 'UTC Mo off'::business_hours, NULL | '24/7'::business_hours;
-- 64 parts are the limit, however they come together
SELECT length((h | h)::text), pg_temp.error(format('SELECT %L::sla.business_hours OPERATOR(sla.|) %L', h | h, '24/7'))
FROM (SELECT array_to_string(array_fill('24/7'::text, ARRAY[32]), ' - ')::business_hours) AS half (h);
SELECT pg_temp.error(format('SELECT %L::sla.business_hours OPERATOR(sla.|) %L', h, h))
FROM (SELECT ('UTC ' || string_agg(to_char(date '2000-01-01' + 2 * n, 'YYYY-MM-DD'), ',') || ' off')::business_hours
      FROM generate_series(1, 10001) AS n) AS half (h);

-- Holidays
SELECT with_holidays('UTC Mo-Fr 09:00-17:00', '{2026-12-25,2026-12-26,2026-12-25}');
SELECT with_holidays('UTC Mo-Fr 09:00-17:00', '{}'), with_holidays('24/7', '{}'), with_holidays('24/7 | 24/7', '{}');
SELECT with_holidays('UTC Mo-Fr 09:00-17:00; 2026-12-24/2026-12-31 10:00-12:00; Jan 1 11:00-12:00; easter 08:00-09:00',
                     '{2026-12-23,2026-12-24,2026-12-28,2026-12-31,2027-01-01,2027-01-02,2026-04-05,2026-04-06}');
SELECT with_holidays('UTC Apr 5 10:00-12:00; easter off; easter +1 day 12:00-13:00; Apr 6 08:00-09:00', '{2026-04-04}');
SELECT with_holidays('UTC Dec 25 off', '{2026-12-24,2026-12-26}');
SELECT with_holidays('UTC Mo off; Feb 29 off', '{0001-01-01,9999-12-31}');
SELECT with_holidays(with_holidays('Europe/Berlin 24/7', '{2026-12-25}'), '{2026-12-24}')
     = with_holidays('Europe/Berlin 24/7', '{2026-12-24,2026-12-25}');
SELECT with_holidays('UTC Mo-Fr 09:00-17:00', '[5:6]={2026-12-25,2026-12-26}');
SELECT pg_temp.error(format('SELECT sla.with_holidays(%L, %L)', hours, holidays))
FROM (VALUES
    ('24/7', '{2026-12-25}'),
    ('UTC 24/7', '{2026-12-25}'),
    ('UTC Mo off | UTC Tu off', '{2026-12-25}'),
    ('UTC Mo off', '{2026-12-25,NULL}'),
    ('UTC Mo off', '{0001-12-31 BC}'),
    ('UTC Mo off', '{10000-01-01}'),
    ('UTC Mo off', '{infinity}')
) AS bad (hours, holidays);
SELECT pg_temp.error(format('SELECT sla.with_holidays(%L, %L)', 'UTC Mo off', array_agg(date '2000-01-01' + 2 * n)))
FROM generate_series(1, 20001) AS n;
SELECT with_holidays('UTC Mo off', array_agg(date '2000-01-01' + n))
FROM generate_series(0, 100000) AS n;

-- From a zone and rules
SELECT business_hours('europe/berlin', 'Mo-Fr 09:00-17:00; Dec 25 off');
SELECT business_hours('Europe/Berlin', 'Mo-Fr 09:00-17:00; Dec 31 09:00-12:00', '{2026-12-31,2027-01-01}')
     = with_holidays('Europe/Berlin Mo-Fr 09:00-17:00; Dec 31 09:00-12:00', '{2027-01-01}');
SELECT business_hours('UTC', '24/7', '{2026-12-25}'), business_hours('UTC', '24/7') = '24/7';
SELECT business_hours(NULL, '24/7'), business_hours('UTC', NULL), business_hours('UTC', '24/7', NULL);
SELECT pg_temp.error(format('SELECT sla.business_hours(%L, %L)', zone, rules))
FROM (VALUES
    ('Nowhere/Land', 'Mo-Fr 09:00-17:00'),
    ('UTC Mo off; Europe/Berlin', 'Mo-Fr 09:00-17:00'),
    ('../../etc/passwd', 'Mo-Fr 09:00-17:00'),
    ('', 'Mo-Fr 09:00-17:00'),
    ('UTC', ''),
    ('UTC', 'Mo-Fr'),
    ('UTC', 'UTC Mo-Fr 09:00-17:00'),
    ('UTC', 'Mo off | UTC Tu off'),
    ('UTC', '(Mo off)'),
    ('UTC', 'Mo off)'),
    ('UTC', repeat(' ', 1024 * 1024 + 1))
) AS bad (zone, rules);

-- What a value says
SELECT zones('24/7'), zones('Europe/Berlin Mo off'),
       zones('Europe/Berlin Mo off - (utc Mo off | Europe/Berlin Tu off)');
SELECT * FROM weekly_hours('24/7');
SELECT * FROM weekly_hours('UTC Mo-Tu,Su 09:00-12:30:15,13:00-17:00; Fr 22:00-06:00 | UTC Mo-Su off | Asia/Tokyo We 00:00-24:00');
SELECT * FROM weekly_hours('UTC Mo off');
SELECT * FROM weekly_hours(NULL);
SELECT * FROM special_dates('UTC Mo-Fr 09:00-17:00; Dec 24 10:00-12:00,22:00-02:00; Dec 25-26,easter +1 day off; 2026-12-25 | Asia/Tokyo 2026-12-31/2027-01-02 off',
                            '2026-01-01', '2026-12-31');
SELECT * FROM special_dates('UTC 0001-01-01,9999-12-31 off | UTC 2026-12-24 10:00-12:00');
SELECT count(*), min(day), max(day) FROM special_dates('UTC Dec 25 off');
SELECT count(*), min(day), max(day) FROM special_dates('UTC Dec 25 off', '2026-01-01');
SELECT count(*) FROM special_dates('UTC Dec 25 off', '2026-12-26', '2026-12-25');
SELECT count(*) FROM special_dates('UTC Dec 25 off', 'infinity', '-infinity');
SELECT count(*) FROM special_dates('UTC Mo off');
SELECT * FROM special_dates('UTC Dec 25 off', '4714-11-24 BC', '4713-12-31 BC');
SELECT * FROM special_dates('UTC Dec 25 off', '5874897-01-01', '5874897-12-31');
-- read to where the caller stops
SELECT special_dates('UTC Jan 1-Dec 31 off') LIMIT 1;

-- Everything public says what it is.
SELECT p.oid::regprocedure FROM pg_proc AS p
WHERE p.pronamespace = 'sla'::regnamespace
  AND p.proname IN ('business_hours', 'with_holidays', 'zones', 'weekly_hours', 'special_dates')
  AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT o.oid::regoperator FROM pg_operator AS o
WHERE o.oprnamespace = 'sla'::regnamespace AND o.oprleft = 'sla.business_hours'::regtype
  AND obj_description(o.oid, 'pg_operator') IS NULL;
