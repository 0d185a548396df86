-- Severities compared with texts by who has no sla in his search path, as
-- generated SQL has not, and by who has.
BEGIN;
SET LOCAL client_min_messages = error;
SET LOCAL search_path TO public, pg_temp;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(35);

CREATE TABLE s (severity sla.severity, label text, short varchar(2));
INSERT INTO s SELECT format('P%s', g)::sla.severity, 'S' || g, 'S' || g FROM generate_series(1, 9) g;
INSERT INTO s VALUES (NULL, NULL, NULL);
CREATE INDEX ON s (severity);
ANALYZE s;

-- How many rows a condition finds, with and without sla in the path
CREATE FUNCTION pg_temp.found(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	without bigint;
	within bigint;
BEGIN
	EXECUTE 'SELECT count(*) FROM s WHERE ' || condition INTO without;
	SET LOCAL search_path TO public, sla, pg_temp;
	EXECUTE 'SELECT count(*) FROM s WHERE ' || condition INTO within;
	SET LOCAL search_path TO public, pg_temp;
	RETURN without || ' ' || within;
END $$;
SELECT is(pg_temp.found(c), n || ' ' || n, c) FROM (VALUES
	('severity = ''S2''', 1), ('''S2'' = severity', 1), ('severity <> ''S2''', 8), ('severity IN (''S1'', ''S2'')', 2), ('severity NOT IN (''S1'', ''S2'')', 7),
	('severity = ANY (''{S1,S2}'')', 2), ('severity = ANY (ARRAY[''S1'', ''S2''])', 2), ('severity < ''S3''', 2), ('severity BETWEEN ''S3'' AND ''S5''', 3),
	('severity IS DISTINCT FROM ''S1''', 9), ('severity LIKE ''S_''', 9), ('severity = label', 9), ('severity = short', 9), ('label = severity', 9),
	('severity IN (SELECT label FROM s)', 9), ('(severity, label) = (''S1'', ''S1'')', 1), ('severity || ''!'' = ''S1!''', 1), ('''!'' || severity = ''!S1''', 1),
	('coalesce(severity, ''S9'') = ''S9''', 2), ('CASE severity WHEN ''S1'' THEN true END', 1)) v(c, n);
-- what a driver sends as text; of the type's own spelling alone
PREPARE by_text(text) AS SELECT count(*) FROM s WHERE severity = $1;
SELECT results_eq($$EXECUTE by_text('S4')$$, ARRAY[1::bigint], 'a parameter of type text');
PREPARE by_texts(text[]) AS SELECT count(*) FROM s WHERE severity = ANY ($1);
SELECT results_eq($$EXECUTE by_texts('{S4,S5}')$$, ARRAY[2::bigint], 'and of several');
SELECT is((SELECT count(*) FROM s WHERE severity = 'P4'::text), 0::bigint, 'as texts they are S1 to S9 only');
SELECT is((SELECT max(severity) || min(severity) FROM s), 'S9S1', 'aggregates');
SELECT results_eq($$SELECT severity FROM s GROUP BY severity ORDER BY severity DESC NULLS LAST$$, $$SELECT label::sla.severity FROM s ORDER BY label COLLATE "C" DESC NULLS LAST$$, 'groups, in order');
SELECT is((SELECT count(*) FROM s a JOIN s b ON a.severity = b.severity JOIN s c ON c.label = b.severity), 9::bigint, 'joins');
SELECT is((SELECT count(*) FROM s a JOIN s b ON (a.severity < b.severity) <> (a.severity::text < b.severity::text)), 0::bigint, 'their order is that of the texts, in any collation of this kind');
SELECT is((SELECT array_agg(severity ORDER BY severity::text) FROM s), (SELECT array_agg(severity ORDER BY severity) FROM s), 'also sorted');

-- With the type's operators at hand these are used, and the index
CREATE FUNCTION pg_temp.condition(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	SET LOCAL search_path TO public, sla, pg_temp;
	SET LOCAL enable_seqscan = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line LIKE '%Index Cond:%' THEN
			SET LOCAL search_path TO public, pg_temp;
			RETURN btrim(line);
		END IF;
	END LOOP;
	SET LOCAL search_path TO public, pg_temp;
	RETURN 'none';
END $$;
SELECT is(pg_temp.condition($$SELECT FROM s WHERE severity = 'P2'$$), $$Index Cond: (severity = 'S2'::severity)$$, 'equality of the type');
SELECT is(pg_temp.condition($$SELECT FROM s WHERE severity IN ('S2', 'sev 3')$$), $$Index Cond: (severity = ANY ('{S2,S3}'::severity[]))$$, 'a list');
SELECT is(pg_temp.condition($$SELECT FROM s WHERE severity < 'S3'$$), $$Index Cond: (severity < 'S3'::severity)$$, 'order of the type');

-- Columns of the type take texts, and refuse those that are none
SELECT lives_ok($$INSERT INTO s (severity) SELECT short FROM s$$, 'texts are read as severities');
SELECT throws_ok($$INSERT INTO s (severity) SELECT 'high'::text$$, '22P02', NULL, 'if they are some');

-- It is no text of any kind where attaching looks at types
SELECT sla.load_policy('{"policy": "t text", "time_zone": "UTC", "calendars": {"c": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c"}]}') IS NOT NULL AS loaded \gset
CREATE TABLE t (id int PRIMARY KEY, severity sla.severity, at timestamptz);
SELECT throws_ok($$SELECT sla.attach('t', 't text', 'severity', 'at', severity_map => '{"high": "S1"}')$$, '22023', NULL, 'a map names what a severity can be');
SELECT sla.attach('t', 't text', 'severity', 'at', severity_map => '{"P2": "S1"}');
SELECT is((SELECT severity_map FROM sla.attachment WHERE ticket_table = 't'::regclass), '{"S2": "S1"}', 'in any spelling');

SELECT * FROM finish();
ROLLBACK;
