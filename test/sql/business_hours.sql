--
-- The type sla.business_hours: notation, canonical output, equality, storage.
--
\pset format unaligned
\pset tuples_only on
SET search_path TO pg_catalog, sla, pg_temp;

-- The canonical text of a literal, or the error it raises; from 16 on also
-- whether the soft error agrees.
CREATE FUNCTION pg_temp.read(literal text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    valid boolean;
    detail text;
    hint text;
BEGIN
    BEGIN
        answer := literal::sla.business_hours::text;
        valid := true;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        answer := concat_ws(E'\n    ', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
        valid := false;
    END;
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'SELECT pg_input_is_valid($1, $2) = $3' INTO valid
            USING literal, 'sla.business_hours', valid;
        IF NOT valid THEN
            answer := answer || E'\n    the soft error disagrees';
        END IF;
    END IF;
    RETURN answer;
END
$$;

CREATE FUNCTION pg_temp.send(text) RETURNS bytea
LANGUAGE sql AS $$ SELECT sla.business_hours_send($1::sla.business_hours) $$;

-- What a binary COPY of the bytes reads
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    file bytea := '\x5047434f50590aff0d0a00' || int4send(0) || int4send(0)
        || int2send(1::int2) || int4send(length(bytes)) || bytes
        || int2send(-1::int2);
    octal text := '';
    answer text;
BEGIN
    FOR i IN 0 .. length(file) - 1 LOOP
        octal := octal || format('\%s%s%s', get_byte(file, i) / 64, get_byte(file, i) / 8 % 8, get_byte(file, i) % 8);
    END LOOP;
    TRUNCATE received;
    EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format($s$printf '%s'$s$, octal));
    SELECT hours INTO answer FROM received;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
CREATE TEMP TABLE received (hours sla.business_hours);

-- Good literals and their canonical spelling.
SELECT literal, '  ' || pg_temp.read(literal)
FROM (VALUES
    ('24/7'),
    ('  24/7  '),
    ('UTC 24/7'),
    ('utc mo-su 00:00-24:00'),
    ('Europe/Berlin 24/7'),
    ('Europe/Berlin Mo-Fr 09:00-17:00'),
    ('europe/BERLIN mo-fr 09:00-17:00'),
    ('Europe/Amsterdam Mo-Th 09:00-12:30,13:30-17:30; Fr 09:00-16:00; 2026-12-25,2026-12-26 off; 2026-12-24 09:00-13:00'),
    ('America/Port-au-Prince Mo 09:00-17:00'),
    ('Etc/GMT+5 Mo 09:00-17:00'),
    -- weekdays
    ('UTC Monday-friday 09:00-17:00; Sat,SUNDAY 10:00-12:00'),
    ('UTC Tue-Thu,Tues,Wed,Wednesday-Fr 09:00-17:00'),
    ('UTC Tues-Thurs 09:00-17:00'),
    ('UTC Fr-Mo 09:00-17:00'),
    ('UTC Su-Sa 09:00-17:00'),
    ('UTC Mo-Mo 09:00-17:00'),
    ('UTC Mo-We,Fr 09:00-17:00'),
    ('UTC Sa,Su 09:00-17:00'),
    ('UTC Mo,We,Fr 09:00-17:00; Tu,Th 10:00-18:00'),
    ('UTC Mo-Fr 09:00-17:00; We off'),
    ('UTC Mo-Fr 09:00-17:00; 24/7'),
    ('UTC 24/7; Sa-Su off'),
    ('UTC Mo-Su off'),
    ('UTC Mo off'),
    -- times
    ('UTC Mo 22:00-06:00'),
    ('UTC Mo 22:00-00:00'),
    ('UTC Mo 22:00-24:00'),
    ('UTC Mo 09:00-09:00'),
    ('UTC Mo 00:00-00:00'),
    ('UTC Mo 00:00:00-24:00:00'),
    ('UTC Mo 09:00:00-17:00:30,17:00:31-17:00:32'),
    ('UTC Mo 23:59:59-24:00'),
    ('UTC Mo 13:00-17:00,09:00-12:00'),
    ('UTC Mo 09:00-12:00,12:00-17:00'),
    ('UTC Mo 09:00-17:00,10:00-11:00'),
    ('UTC Mo 09:00-17:00,09:00-17:00'),
    ('UTC Mo 16:00-02:00,23:00-17:00'),
    ('UTC Mo 00:00-24:00,23:59:59-23:59:58'),
    ('UTC Mo 22:00-24:00; Tu 00:00-06:00'),
    -- dates
    ('UTC 2026-12-24'),
    ('UTC 2026-12-24 off'),
    ('UTC 2026-12-24,2026-12-31'),
    ('UTC 2026-12-24; Mo-Fr 09:00-17:00'),
    ('UTC 2026-12-26,2026-12-25 off; Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00'),
    ('UTC 2026-12-25 off; 2026-12-25 10:00-12:00'),
    ('UTC 2026-12-25,2026-12-25 off'),
    ('UTC 2026-01-01,2026-01-03 off; 2026-01-02 10:00-12:00'),
    ('UTC Mo-Fr 09:00-17:00; 2026-01-05 09:00-17:00'),
    ('UTC 24/7; 2026-01-05 off'),
    ('UTC 24/7; 2026-01-05'),
    ('UTC 0001-01-01,2024-02-29,2000-02-29,9999-12-31 off')
) AS good (literal);

-- White space between tokens is free.
SELECT pg_temp.read(literal)
FROM (VALUES
    ('UTC Mo-Fr,Su 09:00-12:00,13:00-17:00;2026-12-25,2026-12-26 off'),
    (E'\t\n UTC \r\n Mo - Fr , Su\f09:00 - 12:00 , 13:00-17:00\x0b; \n2026-12-25 , 2026-12-26 off\n')
) AS spaced (literal);

-- Bad literals: what is wrong, where, and what to write instead.
SELECT quote_literal(literal), '  ' || pg_temp.read(literal)
FROM (VALUES
    -- the zone
    (''),
    ('   '),
    ('Mo-Fr 09:00-17:00'),
    ('  mo-fr 09:00-17:00'),
    ('Monday'),
    ('2026-12-25 off'),
    ('09:00-17:00'),
    ('off'),
    ('PH off'),
    ('Dec 25 off'),
    (';'),
    ('24/7; 2026-12-25 off'),
    ('24/7, Mo off'),
    ('24/7 off'),
    ('24/7x'),
    ('24 / 7'),
    ('Nowhere/Land Mo-Fr 09:00-17:00'),
    ('  ../../etc/passwd Mo 09:00-17:00'),
    ('Foo+1 Mo-Fr 09:00-17:00'),
    ('Europe/Berlin'),
    ('Europe/Berlin '),
    ('Europe/Berlin;Mo 09:00-17:00'),
    ('Europe/Berlin UTC Mo 09:00-17:00'),
    -- selectors
    ('UTC 09:00-17:00'),
    ('UTC off'),
    ('UTC Mo-Fr'),
    ('UTC Mo-Fr; Sa 10:00-12:00'),
    ('UTC Mx 09:00-17:00'),
    ('UTC Mo- 09:00-17:00'),
    ('UTC Mo-Tu-We 09:00-17:00'),
    ('UTC Mo-2026-01-01 off'),
    ('UTC Mo, 09:00-17:00'),
    ('UTC Mo,,Tu 09:00-17:00'),
    ('UTC Mo Tu 09:00-17:00'),
    ('UTC Mo:09:00-17:00'),
    ('UTC Mo09:00-17:00'),
    ('UTC Mo,2026-01-01 off'),
    ('UTC 2026-01-01,Mo off'),
    ('UTC 2026-01-01, off'),
    ('UTC 2026-01-01 2026-01-02 off'),
    ('UTC Mo[1] 09:00-17:00'),
    -- times
    ('UTC Mo 9:00-17:00'),
    ('UTC Mo 09:00-5pm'),
    ('UTC Mo 9-17'),
    ('UTC Mo 09.00-17.00'),
    ('UTC Mo 09:00'),
    ('UTC Mo 09:00-'),
    ('UTC Mo 09:00-off'),
    ('UTC Mo 09:00+'),
    ('UTC Mo 09:00-12:00-13:00'),
    ('UTC Mo 09:00-12:00,'),
    ('UTC Mo 09:00-12:00 13:00-17:00'),
    ('UTC Mo 09:00-12:00, Tu 13:00-17:00'),
    ('UTC Mo 09:00-12:00 Tu 13:00-17:00'),
    ('UTC Mo 09:000-12:00'),
    ('UTC Mo 09:00:00.5-12:00'),
    ('UTC Mo 09:00:-12:00'),
    ('UTC Mo 24:00-06:00'),
    ('UTC Mo 09:60-17:00'),
    ('UTC Mo 09:00:60-17:00'),
    ('UTC Mo 22:00-26:00'),
    ('UTC Mo 22:00-24:00:01'),
    ('UTC Mo 99:00-17:00'),
    ('UTC Mo open'),
    ('UTC Mo closed'),
    ('UTC Mo sunrise-sunset'),
    ('UTC Mo 09:00-sunset'),
    ('UTC Mo 09:00–17:00'),
    ('UTC Mo 09:00-17:00 "by appointment"'),
    ('UTC Mo 09:00-17:00 || Tu 09:00-17:00'),
    -- dates
    ('UTC 2026-02-30 off'),
    ('UTC 2025-02-29 off'),
    ('UTC 1900-02-29 off'),
    ('UTC 2026-13-01 off'),
    ('UTC 2026-00-01 off'),
    ('UTC 2026-04-31 off'),
    ('UTC 2026-01-00 off'),
    ('UTC 0000-01-01 off'),
    ('UTC 10000-01-01 off'),
    ('UTC 2026-1-1 off'),
    ('UTC 2026-01 off'),
    ('UTC 2026-01-01T09:00 off'),
    ('UTC 2026-01-01-2026-01-05 off'),
    ('UTC 20260101 off'),
    ('UTC 01/01/2026 off'),
    ('UTC 2026-01-01 BC off'),
    -- what other notations have
    ('UTC Mo-Su,PH 09:00-17:00'),
    ('UTC Mo-Fr 09:00-17:00; PH,SH off'),
    ('UTC week 10-12 off'),
    ('UTC Mo 09:00-17:00)'),
    -- separators
    ('UTC Mo 09:00-17:00;'),
    ('UTC Mo 09:00-17:00;;Tu 09:00-17:00'),
    ('UTC ;'),
    ('UTC , Mo 09:00-17:00'),
    ('UTC Mo 09:00-17:00 off'),
    ('UTC Mo off 09:00-17:00'),
    ('UTC Mo 09:00-17:00 ' || repeat('x', 60)),
    ('UTC Mo 09:00-17:00' || repeat(E'\n', 50) || 'x')
) AS bad (literal);

-- Limits; dates apart from each other, so that they do not become ranges
SELECT pg_temp.read('UTC ' || string_agg(to_char(date '2000-01-01' + 2 * n, 'YYYY-MM-DD') || ' 09:00-17:00', ';'))
    ~ '^UTC 2000-01-03,.*,2054-10-04 09:00-17:00$'
FROM generate_series(1, 10000) AS n;
SELECT pg_temp.read('UTC ' || string_agg(to_char(date '2000-01-01' + 2 * n, 'YYYY-MM-DD') || ' 09:00-17:00', ';'))
FROM generate_series(1, 10001) AS n;
SELECT length(pg_temp.read('UTC ' || string_agg(to_char(date '2000-01-01' + 2 * n, 'YYYY-MM-DD'), ',') || ' off'))
FROM generate_series(1, 20000) AS n;
SELECT pg_temp.read('UTC ' || string_agg(to_char(date '2000-01-01' + 2 * n, 'YYYY-MM-DD'), ',') || ' off')
FROM generate_series(1, 20001) AS n;
SELECT pg_temp.read('UTC Mo ' || string_agg('09:00-17:00', ','))
FROM generate_series(1, 10001) AS n;
SELECT pg_temp.read('UTC Mo-Su ' || string_agg(time '00:00' + n * interval '10 s' || '-' || time '00:00:01' + n * interval '10 s', ','))
FROM generate_series(1, 1429) AS n;
SELECT pg_temp.read('UTC ' || repeat(' ', 1024 * 1024));
SELECT pg_temp.read(repeat('x', 255) || ' Mo 09:00-17:00') ~ '^22023: time zone "x{255}" at byte 1 not recognized\n';
SELECT pg_temp.read(repeat('x', 256) || ' Mo 09:00-17:00');

-- The longest canonical text that the limits allow, but for the names of
-- zones, reads back.
SELECT length(canonical), pg_temp.read(canonical) = canonical
FROM (SELECT pg_temp.read('UTC ' || string_agg(to_char(date '2000-01-01' + 4 * n, 'YYYY-MM-DD/') || to_char(date '2000-01-01' + 4 * n + 2, 'YYYY-MM-DD')
                                               || CASE n % 2 WHEN 1 THEN ' 16:00:01-16:00:01,17:00:01-17:00:01' ELSE ' off' END, ';'))
      FROM generate_series(1, 20000) AS n) AS longest (canonical);

-- Spellings of one calendar are equal, and hash alike.
SELECT a, b,
       a::business_hours = b::business_hours AS eq,
       a::business_hours <> b::business_hours AS ne,
       business_hours_hash(a::business_hours) = business_hours_hash(b::business_hours) AS hash,
       business_hours_hash_extended(a::business_hours, 42) = business_hours_hash_extended(b::business_hours, 42) AS extended
FROM (VALUES
    ('24/7', 'UTC Mo-Su 00:00-24:00'),
    ('24/7', 'UTC Mo-Su 00:00-00:00'),
    ('24/7', 'UTC 24/7; 2026-01-01'),
    ('24/7', 'Etc/UTC 24/7'),
    ('UTC Mo-Fr 09:00-17:00', 'utc Friday,Mon-Thurs 13:00-17:00,09:00-13:00; Sa off'),
    ('UTC Mo-Fr 09:00-17:00', 'UTC Mo-Fr 09:00-17:01'),
    ('UTC Mo-Fr 09:00-17:00', 'UTC Mo-Fr 09:00-17:00; 2026-01-05 09:00-17:00'),
    ('UTC Mo-Fr 09:00-17:00', 'Europe/London Mo-Fr 09:00-17:00'),
    ('UTC Mo 22:00-06:00', 'UTC Mo 22:00-24:00; Tu 00:00-06:00'),
    ('UTC Mo 22:00-00:00', 'UTC Mo 22:00-24:00'),
    ('UTC Mo off', 'UTC Tu off'),
    ('UTC 2026-12-25 off; Mo 09:00-17:00; 2026-12-26 off', 'UTC 2026-12-26,2026-12-25 off; Mo 09:00-17:00'),
    ('UTC 2026-12-25 off', 'UTC 2026-12-26 off')
) AS pair (a, b);
SELECT business_hours_hash_extended('24/7', 0) & 4294967295 = business_hours_hash('24/7')::bigint & 4294967295,
       business_hours_hash_extended('24/7', 1) <> business_hours_hash_extended('24/7', 0);

-- Binary form
SELECT pg_temp.send('24/7'), convert_from(substr(pg_temp.send('UTC Mo-Fr 09:00-17:00'), 2), 'UTF8');
SELECT pg_temp.receive(pg_temp.send(literal)) = literal
FROM (VALUES ('24/7'), ('24/7 - UTC Dec 25-26,easter off; 2026-01-01/2026-01-03 10:00-12:00'), ('Europe/Berlin Mo-Fr 09:00-17:00; 2026-12-25,2026-12-26 off')) AS sent (literal);
SELECT bytes, pg_temp.receive(bytes)
FROM (VALUES
    ('\x'::bytea),
    ('\x00'),
    ('\x01'),
    ('\x02' || convert_to('24/7', 'UTF8')),
    ('\xff'),
    ('\x01' || convert_to('UTC 24/7', 'UTF8')),
    ('\x01' || convert_to('UTC Mo 25:00-26:00', 'UTF8'))
) AS sent (bytes);

-- Stored: packed in line, compressed, out of line, and in line at full length
CREATE TEMP TABLE stored_hours (id int, hours sla.business_hours);
CREATE TEMP TABLE original (id int, literal text);
INSERT INTO original VALUES
    (1, '24/7'),
    (2, 'Europe/Berlin Mo-Fr 09:00-17:00; 2026-12-25 off');
INSERT INTO original
SELECT 3, 'Europe/Berlin Mo-Fr 09:00-17:00; ' || string_agg(to_char(date '2026-01-01' + n, 'YYYY-MM-DD'), ',') || ' off'
FROM generate_series(1, 100) AS n;
INSERT INTO original
SELECT 4, 'Europe/Berlin Mo-Fr 09:00-17:00; ' || string_agg(to_char(date '2026-01-01' + 2 * n, 'YYYY-MM-DD'), ',') || ' off'
FROM generate_series(1, 500) AS n;
INSERT INTO original
SELECT 5, 'Europe/Berlin ' || string_agg(to_char(date '2026-01-01' + n, 'YYYY-MM-DD')
                                        || to_char(interval '1 s' * (n * 7919 % 40000), ' HH24:MI:SS')
                                        || to_char(interval '1 s' * (n * 104729 % 40000 + 45000), '-HH24:MI:SS'), '; ')
FROM generate_series(1, 3000) AS n;
INSERT INTO original
SELECT 6, 'Europe/Berlin ' || string_agg(to_char(date '2026-01-01' + n, 'YYYY-MM-DD') || ' ' || hourly || to_char(n % 60, 'FM00'), '; ')
FROM generate_series(1, 200) AS n,
     (SELECT string_agg(to_char(interval '1 h' * h, 'HH24:MI-') || to_char(interval '1 h' * h, 'HH24:30'), ',')
             || ',23:00:00-23:30:' FROM generate_series(0, 22) AS h) AS h (hourly);
INSERT INTO original VALUES
    (7, 'UTC Dec 25-26,easter off | (Asia/Tokyo Mo-Fr 09:00-17:00; Apr 5 10:00-11:00; easter off; 2026-01-01/2026-12-31 12:00-13:00 - 24/7)'),
    (8, array_to_string(array_fill('Europe/Berlin Feb 29 off'::text, ARRAY[64]), ' & '));
INSERT INTO stored_hours SELECT id, literal::business_hours FROM original;
INSERT INTO stored_hours SELECT id + 10, literal::business_hours FROM original WHERE id = 4;
ALTER TABLE stored_hours ALTER hours SET STORAGE external;
INSERT INTO stored_hours SELECT id + 20, literal::business_hours FROM original WHERE id = 4;
ALTER TABLE stored_hours ALTER hours SET STORAGE plain;
INSERT INTO stored_hours SELECT id + 30, literal::business_hours FROM original WHERE id = 4;
SELECT id, pg_column_compression(hours) IS NOT NULL AS compressed, pg_column_size(hours) > 2000 AS large,
       hours::text = business_hours_out(literal::business_hours)::text,
       hours = literal::business_hours, hours <> literal::business_hours,
       business_hours_hash(hours) = business_hours_hash(literal::business_hours)
FROM stored_hours JOIN original USING (id) ORDER BY id;
SELECT a.id, b.id, a.hours = b.hours, business_hours_hash(a.hours) = business_hours_hash(b.hours)
FROM stored_hours AS a, stored_hours AS b
WHERE a.id % 10 = 4 AND b.id % 10 = 4 AND a.id < b.id ORDER BY 1, 2;
SELECT pg_relation_size(reltoastrelid) > 0 FROM pg_class WHERE oid = 'stored_hours'::regclass;
-- 300 holidays stay in line
SELECT pg_column_size(('Europe/Amsterdam Mo-Fr 09:00-17:00; '
                       || string_agg(to_char(date '2026-01-01' + 2 * n, 'YYYY-MM-DD'), ',') || ' off')::business_hours)
FROM generate_series(1, 300) AS n;

-- A stored value that is damaged, or of a version to come, is an error.
CREATE CAST (bytea AS sla.business_hours) WITHOUT FUNCTION;
CREATE CAST (sla.business_hours AS bytea) WITHOUT FUNCTION;
CREATE FUNCTION pg_temp.unpack(stored bytea) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN stored::sla.business_hours::text;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
SELECT pg_temp.unpack(damaged)
FROM (SELECT 'UTC Mo-Fr 09:00-17:00; 2026-12-25 off'::business_hours::bytea) AS good (stored),
     LATERAL (VALUES
         (stored),
         (set_byte(stored, 0, 2)),      -- version
         (set_byte(stored, 2, 0)),      -- number of parts
         (set_byte(stored, 2, 2)),
         (set_byte(stored, 3, 255)),
         (stored || '\x00'),
         (substr(stored, 1, 10)),
         (substr(stored, 1, 30)),
         (substr(stored, 1, length(stored) - 4)),
         (set_byte(stored, 20, 255)),   -- size of the part
         (set_byte(stored, 35, 255))    -- day of Monday
     ) AS bad (damaged);
-- Whatever one byte becomes, reading ends, with an answer or with an error.
SELECT count(*) FILTER (WHERE answer ~ '^XX001: ') > 500 AS refused,
       count(*) FILTER (WHERE answer ~ '^[0-9A-Z]{5}: ' AND answer !~ '^XX001: ') AS otherwise
FROM (VALUES
          ('UTC Mo-Fr 09:00-17:00; Dec 25 off; Apr 5,easter +1 day,easter 10:00-12:00; easter -3 days off; 2026-12-24/2026-12-27,2027-01-01 off'),
          ('24/7 - (UTC Mo 10:00-12:00 | UTC Tu 10:00-12:00)')
     ) AS v (literal),
     LATERAL (SELECT literal::business_hours::bytea) AS good (stored),
     generate_series(20, length(stored) - 1) AS at,
     unnest(ARRAY[0, 1, 127, 128, 255]) AS byte,
     LATERAL (SELECT pg_temp.unpack(set_byte(stored, at, byte))) AS changed (answer);
DROP CAST (bytea AS sla.business_hours);
DROP CAST (sla.business_hours AS bytea);

-- Grouping, distinct, hash joins and hash indexes
SELECT hours, count(*)
FROM (VALUES ('24/7'::business_hours), ('UTC 24/7'), ('UTC Mo 09:00-17:00'), (NULL), ('UTC Monday 09:00-17:00')) AS v (hours)
GROUP BY hours ORDER BY hours::text;
SELECT count(*), count(DISTINCT a.id) FROM stored_hours AS a JOIN stored_hours AS b USING (hours);
CREATE INDEX ON stored_hours USING hash (hours);
SET enable_seqscan TO off;
SET enable_bitmapscan TO off;
EXPLAIN (COSTS off) SELECT id FROM stored_hours WHERE hours = 'UTC Mo-Su 00:00-24:00';
SELECT id FROM stored_hours WHERE hours = 'UTC Mo-Su 00:00-24:00';
RESET enable_seqscan;
RESET enable_bitmapscan;

-- No order
SELECT hours FROM stored_hours ORDER BY hours;

-- Everything public says what it is.
SELECT p.oid::regprocedure FROM pg_proc AS p
WHERE p.pronamespace = 'sla'::regnamespace AND p.proname ~ '^business_hours_'
  AND obj_description(p.oid, 'pg_proc') IS NULL;
