-- sla.severity: what is read, what is rejected and how, order, indexes, hash,
-- binary form
SET search_path TO sla, public;

-- The outcome of reading a text: the value, or the error. Where the server
-- knows soft errors, the two ways of asking must agree.
CREATE FUNCTION pg_temp.outcome(input text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    result  text;
    failed  boolean := false;
    soft    boolean;
    message text;
    detail  text;
    hint    text;
BEGIN
    BEGIN
        result := input::sla.severity::text;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT,
            detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        result := concat_ws(' | ', SQLSTATE, message,
                            nullif(detail, ''), nullif(hint, ''));
        failed := true;
    END;
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'SELECT NOT pg_input_is_valid($1, ''sla.severity'')'
            INTO soft USING input;
        IF soft <> failed THEN
            result := 'pg_input_is_valid disagrees: ' || result;
        END IF;
    END IF;
    RETURN result;
END
$$;

-- every accepted spelling
SELECT input, pg_temp.outcome(input)
  FROM unnest(ARRAY['S1', 's2', 'P1', 'p9', 'SEV1', 'Sev 1', 'sev-1', 'sev3',
                    'Severity 1', 'SEVERITY-4', 'severity5', 'Priority 1',
                    'priority-6', 'Prio 1', 'PRIO7', '1', '9',
                    '  S8 ', E'\tSev \t 2\n', 'S 3', 's-4'])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;

-- and what is none
\pset format unaligned
SELECT left(input, 24) AS input, pg_temp.outcome(input)
  FROM unnest(ARRAY['', ' ', 'S', 'S0', 'S10', 'S01', 'S1.', '0', '10', '-1',
                    '+1', 'S1 S2', 'S--1', 'S - 1', 'Sev_1', 'Sevr 1',
                    'Severities 1', 'High', 'S1x', '1S', '99999999999999999999',
                    repeat('9', 100000)])
       WITH ORDINALITY AS t(input, n)
 ORDER BY n;
\pset format aligned

-- a long text is quoted up to a whole character
SELECT CASE WHEN getdatabaseencoding() = 'UTF8'
            THEN pg_temp.outcome(repeat('x', 63) || convert_from('\xc3b6', 'UTF8'))
                 LIKE '%: "' || repeat('x', 63) || '..." |%'
            ELSE true END AS whole;

-- all nine, written canonically and in order
SELECT array_agg(s::text ORDER BY s) AS ascending,
       array_agg(s::text ORDER BY s DESC) AS descending,
       bool_and(s::text::severity = s) AS reads_back
  FROM (SELECT ('P' || n)::severity FROM generate_series(1, 9) AS n) AS t(s);

-- all operators, with the comparison function
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq,
       a >= b AS ge, a > b AS gt, a <> b AS ne, severity_cmp(a, b) AS cmp
  FROM unnest('{S1,S2,S9}'::severity[]) AS a, unnest('{S2}'::severity[]) AS b;

-- hash: equal values agree, seeds matter, the low half is the plain hash
SELECT count(DISTINCT severity_hash(s)) AS hashes,
       bool_and(severity_hash(s) = (severity_hash_extended(s, 0) & 4294967295)::bit(32)::int) AS low_half,
       bool_and(severity_hash_extended(s, 0) <> severity_hash_extended(s, 1)) AS seeded
  FROM unnest('{S1,S2,S3,S4,S5,S6,S7,S8,S9}'::severity[]) AS s;

-- the operator classes are complete
SELECT c.amname, o.opcname, amvalidate(o.oid)
  FROM pg_opclass AS o JOIN pg_am AS c ON c.oid = o.opcmethod
 WHERE o.opcintype = 'sla.severity'::regtype
 ORDER BY 1;

-- index use
CREATE TEMPORARY TABLE ticket (id int, severity severity);
INSERT INTO ticket
SELECT n, (1 + n % 9)::text::severity FROM generate_series(1, 1800) AS n;
INSERT INTO ticket VALUES (0, NULL);
CREATE INDEX ticket_btree ON ticket (severity, id);
ANALYZE ticket;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF)
SELECT id FROM ticket WHERE severity <= 'S2' ORDER BY severity, id LIMIT 3;
SELECT id FROM ticket WHERE severity <= 'S2' ORDER BY severity, id LIMIT 3;
DROP INDEX ticket_btree;
CREATE INDEX ticket_hash ON ticket USING hash (severity);
EXPLAIN (COSTS OFF)
SELECT count(*) FROM ticket WHERE severity = 'P4';
SELECT count(*) FROM ticket WHERE severity = 'P4';
RESET enable_seqscan;
RESET enable_bitmapscan;

-- hash and merge joins, hash and sort aggregates say the same
SET enable_nestloop = off;
SET enable_mergejoin = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF)
SELECT severity, count(*) FROM ticket AS a JOIN ticket AS b USING (severity)
 GROUP BY severity;
SELECT count(*) FROM ticket AS a JOIN ticket AS b USING (severity);
RESET enable_mergejoin;
RESET enable_sort;
SET enable_hashjoin = off;
SET enable_hashagg = off;
EXPLAIN (COSTS OFF)
SELECT count(*) FROM ticket AS a JOIN ticket AS b USING (severity);
SELECT count(*) FROM ticket AS a JOIN ticket AS b USING (severity);
SELECT severity, count(*) FROM ticket GROUP BY severity ORDER BY severity;
RESET enable_nestloop;
RESET enable_hashjoin;
RESET enable_hashagg;

-- partition bounds
CREATE TEMPORARY TABLE by_range (severity severity) PARTITION BY RANGE (severity);
CREATE TEMPORARY TABLE by_range_urgent PARTITION OF by_range
    FOR VALUES FROM ('S1') TO ('S3');
CREATE TEMPORARY TABLE by_range_rest PARTITION OF by_range DEFAULT;
INSERT INTO by_range SELECT severity FROM ticket WHERE severity IS NOT NULL;
SELECT tableoid::regclass, min(severity::text), max(severity::text), count(*)
  FROM by_range GROUP BY tableoid ORDER BY 2;

-- binary form: one byte
SELECT severity_send('S1'), severity_send('S9');

-- read what was sent, and what never is (the large object is only a way to
-- get a file)
CREATE FUNCTION pg_temp.copy_file(field bytea) RETURNS oid
LANGUAGE sql AS $$
    SELECT lo_from_bytea(0, '\x5047434f50590aff0d0a000000000000000000'
                            || int2send(1::int2) || int4send(octet_length(field))
                            || field || '\xffff')
$$;
CREATE TEMPORARY TABLE received (severity severity);
\set VERBOSITY sqlstate
SELECT pg_temp.copy_file(severity_send('S7')) AS file \gset
\lo_export :file results/severity.data
\copy received FROM 'results/severity.data' (FORMAT binary)
SELECT pg_temp.copy_file('\x00') AS bad \gset
\lo_export :bad results/severity.data
\copy received FROM 'results/severity.data' (FORMAT binary)
SELECT pg_temp.copy_file('\x0a') AS worse \gset
\lo_export :worse results/severity.data
\copy received FROM 'results/severity.data' (FORMAT binary)
SELECT pg_temp.copy_file('\x0101') AS longer \gset
\lo_export :longer results/severity.data
\copy received FROM 'results/severity.data' (FORMAT binary)
SELECT pg_temp.copy_file('') AS empty \gset
\lo_export :empty results/severity.data
\copy received FROM 'results/severity.data' (FORMAT binary)
\set VERBOSITY default
SELECT * FROM received;
SELECT count(lo_unlink(file))
  FROM unnest(ARRAY[:file, :bad, :worse, :longer, :empty]::oid[]) AS file;
