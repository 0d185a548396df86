-- sla.business_interval: what is read, what is rejected and how, arithmetic,
-- casts, order, indexes, hash, binary form
SET search_path TO sla, public;
SET intervalstyle TO postgres;

-- The outcome of reading a text: the value, or the error. Where the server
-- knows soft errors, the two ways of asking must agree. What is written must
-- read back equal.
CREATE FUNCTION pg_temp.outcome(input text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    value   sla.business_interval;
    result  text;
    failed  boolean := false;
    soft    boolean;
    message text;
    detail  text;
    hint    text;
BEGIN
    BEGIN
        value := input::sla.business_interval;
        result := value::text;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT,
            detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        -- the usual hint need not fill the screen
        IF hint LIKE 'Write amounts with units %' THEN
            hint := '(syntax)';
        END IF;
        result := concat_ws(' | ', SQLSTATE, message,
                            nullif(detail, ''), nullif(hint, ''));
        failed := true;
    END;
    IF NOT failed AND result::sla.business_interval OPERATOR(sla.<>) value THEN
        result := result || ' does not read back equal';
    END IF;
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'SELECT NOT pg_input_is_valid($1, ''sla.business_interval'')'
            INTO soft USING input;
        IF soft <> failed THEN
            result := 'pg_input_is_valid disagrees: ' || result;
        END IF;
    END IF;
    RETURN result;
END
$$;

-- the hint abbreviated below
\set VERBOSITY terse
DO $$
DECLARE
    hint text;
BEGIN
    PERFORM 'soon'::sla.business_interval;
EXCEPTION WHEN invalid_text_representation THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '%', hint;
END
$$;
\set VERBOSITY default

-- amounts with units
SELECT input, pg_temp.outcome(input)
  FROM unnest(ARRAY['12h', '90 min', '2 business days 3h', '2bd', '1 Business Day',
                    '1 hr', '2 hrs', '1 hour', '2 HOURS', '5m', '1 MIN', '2 mins',
                    '1 minute', '2 minutes', '1s', '1 sec', '2 secs', '1 second',
                    '2 seconds', '250ms', '7us', '3h 2bd', '1h30m', '2BD3H4M5S',
                    '+4h', '-2bd -3h', '2bd -3h', '-2bd 3h', '-90min',
                    E' 1\n h\t2 min ', '1 business' || chr(10) || 'day',
                    '24h', '100h', '59s 59min', '007h'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

-- times with colons
SELECT input, pg_temp.outcome(input)
  FROM unnest(ARRAY['1:30', '1:30:00', '-1:30', '-1:30:15.25', '0:00', '00:00:00.000001',
                    '100:59:59.999999', '2bd 1:30', '1:30 2bd', '-2bd -1:30',
                    '1:30 500ms', '-0:00:00.5'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

-- ISO 8601, where D is a business day
SELECT input, pg_temp.outcome(input)
  FROM unnest(ARRAY['P2DT3H', 'PT1.5H', 'P2D', 'PT90M', 'PT45S', 'p1dt2h3m4.5s',
                    'P-2DT-3H', 'P-2DT3H', '-P2DT3H', '-P-2DT3H', '+P1D', ' PT1H ',
                    'PT0S', 'P0D', 'PT30M1H'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

-- zero
SELECT input, pg_temp.outcome(input)
  FROM unnest(ARRAY['0', '-0', '+0', ' 0 ', '0.0', '0h', '0bd', '-0bd -0h', '-0.0s'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

-- fractions are exact; half a microsecond goes away from zero
SELECT input, pg_temp.outcome(input)
  FROM unnest(ARRAY['1.5h', '.5h', '0.1h', '0.25 min', '5.250s', '0.000001s',
                    '0.0000005s', '0.000000499s', '-0.0000005s', '-0.000000499s',
                    '0.5us', '1.499999999us', '0.9999999s', '0.000000001h',
                    '0.999999999h', '-0.5h', '2.718281828h', '1.0005ms'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

SELECT count(*) AS checked,
       count(*) FILTER (WHERE extract(epoch FROM written::interval) * 1000000
                              <> sign * round(number * usecs)) AS wrong,
       count(*) FILTER (WHERE written::text::business_interval <> written) AS unequal
  FROM (VALUES ('h', 3600000000), ('min', 60000000), ('s', 1000000),
               ('ms', 1000), ('us', 1)) AS u(unit, usecs),
       (VALUES ('', 1), ('-', -1)) AS s(prefix, sign),
       generate_series(1, 400) AS n,
       LATERAL (SELECT n + (n * 618033989::bigint % 1000000000) / 1000000000.0) AS d(number),
       LATERAL (SELECT (prefix || round(number, 9) || unit)::business_interval) AS w(written);

-- what is none
\pset format unaligned
SELECT left(input, 24) AS input, pg_temp.outcome(input)
  FROM unnest(ARRAY['', '  ', 'soon', 'h', '5', '-', '- 2h', '--2h', '1.h', '.h',
                    '1..5h', '1,5h', '1.0000000001h', '1e3s', '5 fortnights',
                    '1h!', '1h, 2min', '1h and 5min', '1h 0', '0 1h', '0 0',
                    '1h 2h', '1h 1hour', '2bd 1 business day', '1m 1min',
                    '5s -5sec', '1h-2h', '2bd-3h', '1.5bd', '0.0bd', '1.5 business days',
                    '2 business', '2 business weeks', '2 businessdays',
                    '1 :30', '1: 30', '1:5', '1:60', '1:30:60', '1:30:5', '1:', ':30',
                    '1:30:', '1:30:00.', '1.5:30', '1:30.5', '1:30h', '1:30:15:00',
                    '1:30 1h', '5s 1:30', '1:30 1:30', '1:30:00.0000000001',
                    'P', 'PT', '-P', 'P1DT', 'P T1H', 'PT 1H', 'P1', 'P1H', 'PT1D',
                    'PT1X', 'PTT1H', 'P1DT1HT1M', 'PT1H 2bd', '2bd PT1H', 'PT1H1H',
                    'P1.5D', 'P0001-00-02T03:00:00', 'infinity',
                    repeat('x', 100), repeat('1h ', 100)])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

-- days of the calendar are not working time
SELECT input, pg_temp.outcome(input)
  FROM unnest(ARRAY['1 day', '2days', '3d', '1 week', '2 weeks', '1w', '1 mon',
                    '2 mons', '1 Month', '2 months', '1 year', '2 years', '1y',
                    '1 day 02:00:00', 'P1Y', 'P1M', 'P1W', '-P1W'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;
\pset format aligned

-- a long text and a long token are quoted up to a whole character
SELECT CASE WHEN getdatabaseencoding() = 'UTF8'
            THEN pg_temp.outcome(repeat('x', 63) || convert_from('\xc3b6', 'UTF8'))
                 LIKE '%: "' || repeat('x', 63) || '..." |%"' || repeat('x', 63) || '...".%'
            ELSE true END AS whole;

-- the ends of the range
SELECT left(input, 48) AS input, pg_temp.outcome(input)
  FROM unnest(ARRAY['2147483647bd', '2147483648bd', '-2147483648bd', '-2147483649bd',
                    '9223372036854775807us', '9223372036854775808us',
                    '-9223372036854775808us', '-9223372036854775809us',
                    '2562047788h 54.775807s', '2562047788h 54.775808s',
                    '-2562047788h -54.775808s', '-2562047788h -54.775809s',
                    '2562047788:00:54.775807', '2562047788:00:54.775808',
                    '-2562047788:00:54.775808', '-2562047788:01:00',
                    '-2147483648bd -9223372036854775808us', '2562047789h',
                    '-P2147483648DT2562047788H54.775808S',
                    '9223372036854.7758074s', '9223372036854.7758075s',
                    '9223372036854775807h', '99999999999999999999h',
                    repeat('9', 100000) || 'us', repeat('0', 100000) || '5us',
                    '99999999999999999999:00', 'PT99999999999999999999S'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

-- no setting changes the text
SET intervalstyle TO iso_8601;
SELECT '2bd 3:30:05.25'::business_interval, '-26h'::business_interval;
SET intervalstyle TO postgres;

-- an expression or the error it raises
CREATE FUNCTION pg_temp.try(expression text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    result  text;
    message text;
    detail  text;
    hint    text;
BEGIN
    EXECUTE 'SELECT (' || expression || ')::text' INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message,
                     nullif(detail, ''), nullif(hint, ''));
END
$$;

-- arithmetic never turns days into time or back
SELECT expression, pg_temp.try(expression)
  FROM unnest(ARRAY[$$business_interval '2bd 3h' + '1bd 30min'$$,
                    $$business_interval '2bd 3h' - '3bd 4h'$$,
                    $$business_interval '1bd' - '24h'$$,
                    $$- business_interval '2bd -3h'$$,
                    $$- business_interval '0'$$,
                    $$business_interval '2147483647bd' + '1bd'$$,
                    $$business_interval '-2147483648bd' - '1bd'$$,
                    $$- business_interval '-2147483648bd'$$,
                    $$business_interval '9223372036854775807us' + '1us'$$,
                    $$business_interval '-9223372036854775808us' - '1us'$$,
                    $$business_interval '-1us' - '-9223372036854775808us'$$,
                    $$business_interval '0' - '-9223372036854775808us'$$,
                    $$- business_interval '-9223372036854775808us'$$])
       WITH ORDINALITY AS t(expression, n)
 ORDER BY n;

-- casts
\pset format unaligned
SELECT expression, pg_temp.try(expression)
  FROM unnest(ARRAY[$$(interval '90 minutes')::business_interval$$,
                    $$(interval '-100:00:00.5')::business_interval$$,
                    $$(interval '0')::business_interval$$,
                    $$(interval '1 day')::business_interval$$,
                    $$(interval '1 month -2 days 3 hours')::business_interval$$,
                    $$business_interval '100h 0.5s'::interval$$,
                    $$business_interval '-2562047788h -54.775808s'::interval$$,
                    $$business_interval '2bd 3h'::interval$$,
                    $$business_interval '2bd 3h'::text::business_interval$$])
       WITH ORDINALITY AS t(expression, n)
 ORDER BY n;
\pset format aligned

-- infinite intervals, where they exist, are no amount of working time
SELECT CASE WHEN current_setting('server_version_num')::int >= 170000
            THEN pg_temp.try($$(interval 'infinity')::business_interval$$)
                 || '; ' || pg_temp.try($$(interval '-infinity')::business_interval$$)
            ELSE '22008 | cannot convert infinite interval to sla.business_interval; 22008 | cannot convert infinite interval to sla.business_interval'
       END AS infinite;

-- casts are made on assignment, not within expressions
CREATE TEMPORARY TABLE amount (goal business_interval, length interval);
INSERT INTO amount VALUES (interval '12 hours', business_interval '26h');
SELECT * FROM amount;
SELECT left(pg_temp.try($$business_interval '1h' = interval '1 hour'$$), 5);

-- all operators, with the comparison function: days weigh more than any time
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq,
       a >= b AS ge, a > b AS gt, a <> b AS ne, business_interval_cmp(a, b) AS cmp
  FROM unnest('{-1h,0h,1h,1bd,1000h,1bd -1h,-1bd 1000h}'::business_interval[])
       WITH ORDINALITY AS t(a, n),
       unnest('{1h,1bd}'::business_interval[]) AS b
 ORDER BY n, b;

-- hash: equal values agree, others differ, seeds matter, the low half is the
-- plain hash
SELECT business_interval_hash('1:30') = business_interval_hash('90min') AS equal,
       count(DISTINCT business_interval_hash(v)) AS hashes,
       bool_and(business_interval_hash(v) = (business_interval_hash_extended(v, 0) & 4294967295)::bit(32)::int) AS low_half,
       bool_and(business_interval_hash_extended(v, 0) <> business_interval_hash_extended(v, 1)) AS seeded
  FROM unnest('{0h,1us,1bd,1h,-1h,-1bd,1bd 1us}'::business_interval[]) AS v;

-- the operator classes are complete
SELECT c.amname, o.opcname, amvalidate(o.oid)
  FROM pg_opclass AS o JOIN pg_am AS c ON c.oid = o.opcmethod
 WHERE o.opcintype = 'sla.business_interval'::regtype
 ORDER BY 1;

-- sorting and index use
CREATE TEMPORARY TABLE target (id int, goal business_interval);
INSERT INTO target
SELECT n, (n % 5 - 2 || 'bd ' || n % 7 - 3 || 'h')::business_interval
  FROM generate_series(1, 1400) AS n;
INSERT INTO target VALUES (0, NULL);
SELECT string_agg(goal::text, ', ' ORDER BY goal) AS ascending
  FROM (SELECT DISTINCT goal FROM target WHERE id % 3 = 0) AS t;
CREATE INDEX target_btree ON target (goal, id);
ANALYZE target;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF)
SELECT id FROM target WHERE goal > '2bd 2h' ORDER BY goal, id LIMIT 3;
SELECT id FROM target WHERE goal > '2bd 2h' ORDER BY goal, id LIMIT 3;
DROP INDEX target_btree;
CREATE INDEX target_hash ON target USING hash (goal);
EXPLAIN (COSTS OFF)
SELECT count(*) FROM target WHERE goal = 'P1DT2H';
SELECT count(*) FROM target WHERE goal = 'P1DT2H';
RESET enable_seqscan;
RESET enable_bitmapscan;

-- hash and merge joins, hash and sort aggregates say the same
SET enable_nestloop = off;
SET enable_mergejoin = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF)
SELECT goal, count(*) FROM target AS a JOIN target AS b USING (goal)
 GROUP BY goal;
SELECT count(*), sum(n)
  FROM (SELECT goal, count(*) FROM target AS a JOIN target AS b USING (goal)
         GROUP BY goal) AS t(goal, n);
RESET enable_mergejoin;
RESET enable_sort;
SET enable_hashjoin = off;
SET enable_hashagg = off;
EXPLAIN (COSTS OFF)
SELECT count(*) FROM target AS a JOIN target AS b USING (goal);
SELECT count(*), sum(n)
  FROM (SELECT goal, count(*) FROM target AS a JOIN target AS b USING (goal)
         GROUP BY goal) AS t(goal, n);
RESET enable_nestloop;
RESET enable_hashjoin;
RESET enable_hashagg;

-- binary form: microseconds, days, zero
SELECT v, business_interval_send(v)
  FROM unnest('{0h,1us,-1us,2bd 3h,-2147483648bd -9223372036854775808us}'::business_interval[])
       AS v;

-- read what was sent, and what never is (the large object is only a way to
-- get a file)
CREATE FUNCTION pg_temp.copy_file(field bytea) RETURNS oid
LANGUAGE sql AS $$
    SELECT lo_from_bytea(0, '\x5047434f50590aff0d0a000000000000000000'
                            || int2send(1::int2) || int4send(octet_length(field))
                            || field || '\xffff')
$$;
CREATE TEMPORARY TABLE received (goal business_interval);
\set VERBOSITY sqlstate
SELECT pg_temp.copy_file(business_interval_send('-2147483648bd 2562047788h 54.775807s')) AS file \gset
\lo_export :file results/business_interval.data
\copy received FROM 'results/business_interval.data' (FORMAT binary)
SELECT pg_temp.copy_file('\x00000000000000010000000200000001') AS bad \gset
\lo_export :bad results/business_interval.data
\copy received FROM 'results/business_interval.data' (FORMAT binary)
SELECT pg_temp.copy_file('\x000000000000000100000002') AS shorter \gset
\lo_export :shorter results/business_interval.data
\copy received FROM 'results/business_interval.data' (FORMAT binary)
SELECT pg_temp.copy_file('\x0000000000000001000000020000000000') AS longer \gset
\lo_export :longer results/business_interval.data
\copy received FROM 'results/business_interval.data' (FORMAT binary)
\set VERBOSITY default
SELECT * FROM received;
SELECT count(lo_unlink(file))
  FROM unnest(ARRAY[:file, :bad, :shorter, :longer]::oid[]) AS file;
