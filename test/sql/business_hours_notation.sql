--
-- The type sla.business_hours: dates that recur, ranges of dates, several
-- parts joined; their canonical output and equality.
--
\pset format unaligned
\pset tuples_only on
SET search_path TO pg_catalog, sla, pg_temp;
SET datestyle TO iso;

-- The canonical text of a literal, or the error it raises; also whether the
-- canonical text reads back as the same value and text, and whether (from 16
-- on) the soft error agrees.
CREATE FUNCTION pg_temp.read(literal text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
    hint text;
    valid boolean;
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'SELECT pg_input_is_valid($1, $2)' INTO valid
            USING literal, 'sla.business_hours';
    END IF;
    answer := literal::sla.business_hours::text;
    IF NOT valid THEN
        answer := answer || E'\n    the soft error disagrees';
    END IF;
    IF answer::sla.business_hours::text <> answer OR answer::sla.business_hours OPERATOR(sla.<>) literal::sla.business_hours THEN
        answer := answer || E'\n    reads back as ' || answer::sla.business_hours::text;
    END IF;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n    ', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''), nullif(hint, ''),
                     CASE WHEN valid THEN 'the soft error disagrees' END);
END
$$;

-- The canonical form
SELECT literal, '  ' || pg_temp.read(literal)
FROM (VALUES
    -- ranges of dates: from three dates on
    ('UTC 2026-12-24/2026-12-31 off'),
    ('UTC 2026-12-24 / 2026-12-26 off'),
    ('UTC 2026-12-24/2026-12-24 off'),
    ('UTC 2026-12-24/2026-12-25 off'),
    ('UTC 2026-12-24,2026-12-25,2026-12-26,2026-12-28,2026-12-29 off'),
    ('UTC 2026-12-24/2026-12-26,2026-12-26/2027-01-02 off'),
    ('UTC 2026-12-24/2026-12-31'),
    ('UTC 2026-12-24/2026-12-31 off; 2026-12-28 10:00-12:00'),
    ('UTC 2026-12-28 10:00-12:00; 2026-12-24/2026-12-31 off'),
    ('UTC 2026-12-28 off; 2026-12-24/2026-12-31 off; 2026-12-29 off'),
    ('UTC 0001-01-01/9999-12-31 off'),
    -- days of the year
    ('UTC Dec 25 off'),
    ('UTC december 25 off'),
    ('UTC DEC 25'),
    ('UTC Dec 24-26 off'),
    ('UTC Dec 24 - 26 off'),
    ('UTC Dec 24-Dec 26 off'),
    ('UTC Dec 24,25,26 off'),
    ('UTC Dec 24,26-27,Jan 1,6 off'),
    ('UTC Dec 28-Jan 2 off'),
    ('UTC Dec 28-Jan 2,6 off'),
    ('UTC Jan 1-2,Dec 28-31 off'),
    ('UTC Jan 31-Feb 1 off'),
    ('UTC Feb 29 off'),
    ('UTC Feb 28-Mar 1 off'),
    ('UTC Feb 28,Mar 1 off'),
    ('UTC Jan 1-Dec 31 off'),
    ('UTC Dec 5-Nov 30 off'),
    ('UTC Dec 5-Nov 30,Dec 1-3 off'),
    ('UTC January 1,February 1,March 1,April 1,May 1,June 1,July 1,August 1,September 1,October 1,November 1 off'),
    ('UTC Jun 1,Jul 1,Aug 1,Sept 1,Sep 2,Oct 1,Nov 1 off'),
    ('UTC Dec 24-26 off; Dec 25 10:00-12:00'),
    ('UTC Dec 25 10:00-12:00; Dec 24-26 off'),
    -- Easter
    ('UTC easter off'),
    ('UTC EASTER +1 day off'),
    ('UTC easter+1 day off'),
    ('UTC easter - 2 days off'),
    ('UTC easter -2 day,easter + 1 days off'),
    ('UTC easter +0 days off'),
    ('UTC easter +001 day'),
    ('UTC easter +150 days,easter -150 days off'),
    ('UTC easter off; easter +1 day off; easter 10:00-12:00'),
    -- all of them
    ('Europe/Amsterdam Mo-Th 09:00-12:30,13:30-17:30; Fr 09:00-16:00; Dec 25-26 off; 2026-12-24 09:00-13:00; easter +1 day off'),
    ('UTC Dec 25,26,easter +1 day,2026-05-05/2026-05-07,easter -2 days,Jan 1 off; Mo-Fr 09:00-17:00'),
    -- a special date that says what recurring rules say is none
    ('UTC Dec 25 off; 2026-12-25 off'),
    ('UTC 2026-12-25 off; Dec 25 off'),
    ('UTC 2026-12-25 10:00-12:00; Dec 25 off'),
    ('UTC Dec 25 off; 2026-12-25 10:00-12:00'),
    ('UTC Dec 25 off; 2026-12-24/2026-12-26 off'),
    ('UTC Dec 25 off; 2026-12-24,2026-12-26 off'),
    ('UTC Dec 25 off; 2026-12-25/2026-12-31 off'),
    ('UTC 2026-12-20/2027-01-05 off; Dec 31 10:00-12:00'),
    ('UTC 2026-04-05 10:00-12:00; easter off'),
    ('UTC easter off; 2026-04-05 off'),
    ('UTC easter off; 2026-04-05 10:00-12:00'),
    ('UTC Jan 1-Dec 31 off; 0001-01-01/9999-12-31 off'),
    -- the order of Easter and days of the year matters where they can meet
    ('UTC Apr 5 10:00-12:00; easter off'),
    ('UTC easter off; Apr 5 10:00-12:00'),
    ('UTC easter off; Apr 26 10:00-12:00; Mar 21 12:00-14:00'),
    ('UTC Apr 26 10:00-12:00; Mar 21 12:00-14:00; easter off'),
    ('UTC Dec 25 10:00-12:00; easter off'),
    ('UTC easter 10:00-12:00; easter +1 day off; Apr 5 off'),
    ('UTC Apr 5 off; easter 10:00-12:00; Apr 6 off; easter +1 day 12:00-14:00'),
    ('UTC easter off; Mar 22-Apr 25 10:00-12:00'),
    ('UTC easter off; Mar 22-Apr 24 10:00-12:00'),
    ('UTC Mar 22-Apr 25 off; easter off'),
    ('UTC easter -30 days off; Feb 20-Mar 26 10:00-12:00'),
    ('UTC easter -30 days off; Feb 20-Mar 25 10:00-12:00'),
    ('UTC easter -30 days off; Feb 21-Mar 26 10:00-12:00')
) AS good (literal);

-- Operators and parentheses
SELECT literal, '  ' || pg_temp.read(literal)
FROM (VALUES
    ('Europe/Amsterdam Mo-Fr 09:00-17:00 | America/New_York Mo-Fr 09:00-17:00 | Australia/Sydney Mo-Fr 09:00-17:00'),
    ('(Europe/Amsterdam Mo-Fr 09:00-17:00 | UTC Sa 10:00-12:00) - UTC 2026-06-01/2026-06-07'),
    ('24/7 - UTC Dec 25 off'),
    ('24/7|24/7&24/7'),
    ('(24/7)'),
    ('((24/7) - (24/7))'),
    (E'\t( 24/7\n-\r24/7 ) '),
    ('UTC Mo 22:00-06:00 - Etc/GMT-5 Mo 09:00-17:00'),
    ('UTC Mo 09:00-17:00;Tu off|24/7'),
    ('UTC Dec 25 - UTC Dec 26'),
    ('UTC Dec 25 - 24/7'),
    ('UTC Dec 25 - (24/7 | 24/7)'),
    ('UTC easter - UTC easter -1 day'),
    ('UTC 2026-12-25 - America/Port-au-Prince Dec 26'),
    ('UTC 24/7 & 24/7'),
    -- from left to right, and parentheses where a reader could doubt it
    ('UTC Mo off | UTC Tu off & UTC We off'),
    ('UTC Mo off & UTC Tu off | UTC We off'),
    ('UTC Mo off - UTC Tu off - UTC We off'),
    ('UTC Mo off - (UTC Tu off - UTC We off)'),
    ('UTC Mo off - UTC Tu off | UTC We off'),
    ('UTC Mo off - (UTC Tu off | UTC We off)'),
    -- a union of unions is one, and so with intersections
    ('UTC Mo off | (UTC Tu off | (UTC We off | UTC Th off))'),
    ('UTC Mo off | ((UTC Tu off | UTC We off) | UTC Th off)'),
    ('(UTC Mo off & UTC Tu off) & (UTC We off & UTC Th off)'),
    ('UTC Mo off | (UTC Tu off - UTC We off | UTC Th off)'),
    ('UTC Mo off | (UTC Tu off & UTC We off & UTC Th off)'),
    ('UTC Mo off | (UTC Tu off | UTC We off) & UTC Th off')
) AS good (literal);

-- Errors
SELECT quote_literal(literal), '  ' || pg_temp.read(literal)
FROM (VALUES
    -- ranges of dates
    ('UTC 2026-12-26/2026-12-24 off'),
    ('UTC 2026-12-24/Dec 26 off'),
    ('UTC 2026-12-24/26 off'),
    ('UTC 2026-12-24/ off'),
    ('UTC 2026-12-24-2026-12-26 off'),
    ('UTC 2026-12-24 - 2026-12-26 off'),
    ('UTC 2026-12-24/2026-02-30 off'),
    ('UTC Mo/Fr 09:00-17:00'),
    -- days of the year
    ('UTC Feb 30 off'),
    ('UTC Apr 31 off'),
    ('UTC Jan 0 off'),
    ('UTC Jan 32 off'),
    ('UTC Jan 99999999999999999999 off'),
    ('UTC Jan off'),
    ('UTC Jan-Feb off'),
    ('UTC Dec 26-24 off'),
    ('UTC Dec 26-Dec 24 off'),
    ('UTC Dec 24-'),
    ('UTC Dec 24-off'),
    ('UTC Dec 24-easter off'),
    ('UTC Dec 24/26 off'),
    ('UTC Dec 24/2026-12-26 off'),
    ('UTC 25 Dec off'),
    ('UTC Dec 25th off'),
    ('UTC Dec 25 2026 off'),
    ('UTC Decem 25 off'),
    ('UTC 2026-12-24,25 off'),
    ('UTC easter,25 off'),
    ('UTC Dec 25,easter -2 days,26 off'),
    ('UTC Dec 25,Mo off'),
    ('UTC Mo,Dec 25 off'),
    ('UTC Mo-Dec 25 off'),
    -- Easter
    ('UTC easter +151 days off'),
    ('UTC easter -99999999999999999999 days off'),
    ('UTC easter +1 off'),
    ('UTC easter +1day off'),
    ('UTC easter +1 week off'),
    ('UTC easter + days off'),
    ('UTC easter 1 day off'),
    ('UTC easter-easter +1 day off'),
    ('UTC easter -2 days-easter off'),
    ('easter off'),
    -- operators
    ('|'),
    ('24/7 |'),
    ('24/7 -'),
    ('| 24/7'),
    ('24/7 || 24/7'),
    ('24/7 - - 24/7'),
    ('24/7 - Mo 09:00-17:00'),
    ('24/7 - 2026-12-25 off'),
    ('24/7 Mo off'),
    ('24/7 24/7'),
    ('24/7-24/7'),
    ('24/7 -24/7'),
    ('UTC Mo 09:00-17:00-UTC Tu 09:00-17:00'),
    ('UTC Mo 09:00-17:00- UTC Tu 09:00-17:00'),
    ('UTC Mo 09:00-17:00 -UTC Tu 09:00-17:00'),
    ('UTC Mo 09:00-17:00 - Mo 09:00-17:00'),
    ('UTC Mo 09:00-17:00 | Mo 09:00-17:00'),
    ('UTC Mo 09:00-17:00; | UTC Tu 09:00-17:00'),
    ('UTC | UTC Tu 09:00-17:00'),
    ('UTC - UTC Tu 09:00-17:00'),
    ('UTC Mo 09:00-17:00 | Nowhere/Land Tu 09:00-17:00'),
    ('UTC Mo 09:00-17:00 + UTC Tu 09:00-17:00'),
    ('24/7; Mo off | 24/7'),
    -- parentheses
    ('('),
    ('()'),
    (')'),
    ('(24/7'),
    ('(24/7))'),
    ('24/7)'),
    ('(24/7) 24/7'),
    ('24/7 (24/7)'),
    ('24/7 | (24/7 | )'),
    ('UTC (Mo off)'),
    ('UTC Mo (09:00-17:00)')
) AS bad (literal);

-- Limits
SELECT pg_temp.read(array_to_string(array_fill('24/7'::text, ARRAY[64]), ' | ')) = array_to_string(array_fill('24/7'::text, ARRAY[64]), ' | ');
SELECT pg_temp.read(array_to_string(array_fill('24/7'::text, ARRAY[65]), ' | '));
SELECT pg_temp.read(repeat('(', 64) || '24/7' || repeat(')', 64));
SELECT pg_temp.read(repeat('(', 65) || '24/7' || repeat(')', 65));
SELECT pg_temp.read(repeat('(', 1000000));
SELECT length(pg_temp.read(repeat('24/7 - (', 63) || '24/7' || repeat(')', 63)));
SELECT pg_temp.read('UTC ' || string_agg('Mo-Fr 09:00-17:00', ';')) FROM generate_series(1, 50000);
SELECT pg_temp.read('UTC Jan ' || string_agg('1-31', ',')) FROM generate_series(1, 200000);
SELECT pg_temp.read('UTC ' || string_agg('0001-01-01/9999-12-31', ',')) FROM generate_series(1, 40000);
SELECT length(pg_temp.read('UTC ' || string_agg('easter -' || n % 151 || ' days', ','))) FROM generate_series(1, 50000) AS n;
SELECT pg_temp.read('UTC 0001-01-01/9999-12-31 off; Mar 1,May 1,Jul 1 10:00-12:00');
SELECT pg_temp.read('UTC ' || string_agg(to_char(date '2024-01-01' + n, 'Mon FMDD ') || string_agg, ';'))
FROM generate_series(0, 365) AS n,
     (SELECT string_agg(to_char(time '00:00' + m * interval '30 min', 'HH24:MI-') || to_char(time '00:10' + m * interval '30 min', 'HH24:MI'), ',') FROM generate_series(0, 27) AS m) AS times;

-- Spellings of one calendar are equal; others are not.
SELECT a, b, a::business_hours = b::business_hours AS eq,
       business_hours_hash(a::business_hours) = business_hours_hash(b::business_hours) AS hash
FROM (VALUES
    ('UTC Dec 24-26 off', 'UTC Dec 26 off; December 24,25 off'),
    ('UTC Dec 24-26 off', 'UTC 2026-12-24/2026-12-26 off'),
    ('UTC 2026-12-24/2026-12-26 off', 'UTC 2026-12-24,2026-12-25,2026-12-26 off'),
    ('UTC Dec 25 off; 2026-12-24/2026-12-26 off', 'UTC 2026-12-24,2026-12-26,Dec 25 off'),
    ('UTC easter off; Dec 25 10:00-12:00', 'UTC Dec 25 10:00-12:00; easter off'),
    ('UTC easter off; Apr 5 10:00-12:00', 'UTC Apr 5 10:00-12:00; easter off'),
    ('UTC easter off; Apr 5 off', 'UTC Apr 5 off; easter off'),
    ('UTC easter off; Mar 22-Apr 25 10:00-12:00', 'UTC Mar 22-Apr 25 10:00-12:00'),
    ('UTC Mo off | (UTC Tu off | UTC We off)', '(UTC Mo off | UTC Tu off) | UTC We off'),
    ('UTC Mo off | UTC Tu off', 'UTC Tu off | UTC Mo off'),
    ('UTC Mo off - (UTC Tu off - UTC We off)', 'UTC Mo off - UTC Tu off - UTC We off'),
    ('24/7 | UTC Mo-Su 00:00-24:00', 'UTC 24/7 | 24/7'),
    ('24/7 | 24/7', '24/7 & 24/7'),
    ('24/7 | 24/7', '24/7')
) AS pair (a, b);

-- What recurring rules say of single dates, against core's calendar.
SELECT pg_temp.read('UTC Feb 29'), count(*), count(*) FILTER (WHERE to_char(day, 'MM-DD') <> '02-29'), min(day), max(day)
FROM special_dates('UTC Feb 29', '0300-01-01 BC', '2400-12-31');
SELECT count(*), count(*) FILTER (WHERE to_char(day, 'MM-DD') NOT IN ('12-31', '01-01')), min(day), max(day)
FROM special_dates('UTC Dec 31-Jan 1 off', '0005-01-01 BC', '0005-12-31');
-- Easter Sundays as printed in almanacs, with the earliest and latest dates
SELECT string_agg(day::text, ' ') FROM special_dates('UTC easter off', '2015-01-01', '2030-12-31');
SELECT string_agg(day::text, ' ')
FROM unnest(ARRAY[1583, 1598, 1693, 1734, 1818, 1886, 1943, 1954, 1962, 1981, 2000, 2038, 2049, 2076, 2285, 2353, 9999]) AS year,
     special_dates('UTC easter off', make_date(year, 1, 1), make_date(year, 12, 31));
SELECT count(*), min(day), max(day), min(to_char(day, 'MM-DD')), max(to_char(day, 'MM-DD')),
       count(*) FILTER (WHERE extract(isodow FROM day) <> 7)
FROM special_dates('UTC easter off', '0001-01-01', '12000-12-31');
SELECT min(day), max(day) FROM special_dates('UTC easter -150 days,easter +150 days off', '0001-01-01', '12000-12-31');

-- Random rules, in random order: the dates that the last of them names are its
-- own, whatever kind it is.
SELECT setseed(0.5);
CREATE TEMP TABLE random_rules AS
SELECT calendar, n,
       CASE (random() * 4)::int
           WHEN 0 THEN to_char(date '2024-03-01' + (random() * 70)::int, 'Mon FMDD')
           WHEN 1 THEN to_char(date '2024-03-20' + (random() * 20)::int, 'Mon FMDD-') || to_char(date '2024-04-10' + (random() * 30)::int, 'Mon FMDD')
           WHEN 2 THEN 'easter' || to_char((random() * 60)::int - 30, 'SG00') || ' days'
           WHEN 3 THEN to_char(date '2026-03-01' + (random() * 70)::int, 'YYYY-MM-DD')
           ELSE to_char(date '2026-03-01' + (random() * 20)::int, 'YYYY-MM-DD/') || to_char(date '2026-03-22' + (random() * 50)::int, 'YYYY-MM-DD')
       END AS days,
       (random() * 3)::int AS hour
FROM generate_series(1, 300) AS calendar, generate_series(1, 8) AS n;
CREATE TEMP TABLE random_hours AS
SELECT calendar, ('UTC ' || string_agg(days || ' 0' || hour || ':00-12:00', ';' ORDER BY n))::business_hours AS hours
FROM random_rules GROUP BY calendar;
WITH said AS (
    SELECT DISTINCT ON (calendar, day) calendar, day, opens
    FROM (SELECT calendar, n, day, opens
          FROM random_rules, special_dates(('UTC ' || days || ' 0' || hour || ':00-12:00')::business_hours, '2019-01-01', '2032-12-31')) AS each
    ORDER BY calendar, day, n DESC),
together AS (
    SELECT calendar, day, opens FROM random_hours, special_dates(hours, '2019-01-01', '2032-12-31'))
SELECT (SELECT count(*) > 100000 FROM said),
       (SELECT count(*) FROM (TABLE said EXCEPT TABLE together) AS missing),
       (SELECT count(*) FROM (TABLE together EXCEPT TABLE said) AS extra),
       (SELECT count(*) FROM random_hours WHERE hours::text::business_hours <> hours OR hours::text::business_hours::text <> hours::text);
