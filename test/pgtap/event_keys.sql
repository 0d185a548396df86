-- Whatever the key of a ticket is, its row is found by the text that the
-- ledger has, in every session.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(82);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');

-- A ticket with a key, paused by the text that the ledger has of the key: the
-- due time goes, and what was written is the row.
CREATE FUNCTION pause(tickets regclass, key text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	known text := key;
	stamped text;
BEGIN
	SELECT coalesce(known, t.key) INTO known FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
		WHERE a.ticket_table = tickets ORDER BY t.id LIMIT 1;
	PERFORM sla.record_event(tickets, known, 'paused', '2026-03-02 09:30+00', 'waiting');
	EXECUTE format('SELECT string_agg(coalesce((sla_response_due AT TIME ZONE ''UTC'')::time::text, ''-''), '' '' ORDER BY at) FROM %s', tickets) INTO stamped;
	RETURN stamped;
END $$;
CREATE FUNCTION tries(type text, VARIADIC keys text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('CREATE TABLE tickets (k %s PRIMARY KEY, s text DEFAULT ''S1'', at timestamptz)', type);
	EXECUTE 'SELECT sla.attach(''tickets'', ''acme'', ''s'', ''at'')';
	FOR i IN 1 .. cardinality(keys) LOOP
		EXECUTE 'INSERT INTO tickets (k, at) SELECT ' || quote_literal(keys[i]) || ', timestamptz ''2026-03-02 09:00+00'' + $1 * interval ''1 h''' USING i - 1;
	END LOOP;
	PERFORM set_config('timezone', 'Asia/Tokyo', true), set_config('datestyle', 'German', true), set_config('intervalstyle', 'sql_standard', true),
		set_config('bytea_output', 'escape', true), set_config('extra_float_digits', '-5', true), set_config('search_path', 'public', true);
	result := pause('tickets');
	PERFORM set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true);
	result := result || (SELECT CASE WHEN count(*) = 1 THEN '' ELSE ' and an event of ' || count(*) END FROM sla.event WHERE source = 'api');
	DROP TABLE tickets;
	DELETE FROM sla.event;
	RETURN result;
END $$;

CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN code AS varchar(10) CHECK (VALUE !~ ' ');
CREATE TYPE pair AS (a int, b text);
CREATE COLLATION sloppy (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT is(tries(type, VARIADIC keys), '- 11:00:00', type) FROM (VALUES
	('int', ARRAY['7', '8']), ('bigint', '{7,8}'), ('smallint', '{7,8}'), ('text', '{a,b}'), ('varchar(5)', '{a,b}'), ('char(5)', '{a,b}'), ('name', '{a,b}'),
	('"char"', '{a,b}'), ('numeric', '{1.50,2}'), ('numeric(6,2)', '{1.5,2}'), ('float8', '{0.1,0.2}'), ('float4', '{0.1,0.2}'), ('boolean', '{t,f}'),
	('uuid', '{00000000-0000-0000-0000-00000000000a,00000000-0000-0000-0000-00000000000b}'),
	('date', '{2026-03-02,2026-03-03}'), ('time', '{09:00,10:00}'), ('timestamp', '{2026-03-02 09:00,2026-03-03 09:00}'),
	('timestamptz', '{2026-03-02 09:00+00,2026-03-02 10:00+00}'), ('timetz', '{09:00+02,09:00+03}'), ('interval', '{-1 year -2 mons +3 days,4 days}'),
	('bytea', ARRAY['\x00ff', '\x01']), ('inet', '{10.0.0.1,10.0.0.2}'), ('macaddr', '{08:00:2b:01:02:03,08:00:2b:01:02:04}'), ('bit(3)', '{101,111}'), ('varbit', '{1,11}'),
	('int4range', ARRAY['[1,5)', '[6,7)']), ('int4multirange', ARRAY['{[1,5)}', '{}']), ('int[]', ARRAY['{1,2}', '{3}']), ('text[]', ARRAY['{"a b",NULL}', '{}']), ('mood', '{good,bad}'), ('mood[]', ARRAY['{good,bad}', '{}']),
	('code', '{a,b}'), ('pair', ARRAY['(1,"x y")', '(2,)']), ('jsonb', ARRAY['{"a": 1}', '[]']), ('regclass', '{pg_class,pg_proc}'), ('regtype', '{"timestamp with time zone",text}'), ('oid', '{7,8}'),
	('tsvector', ARRAY['a:1 b:2', 'c']), ('money', '{1.50,2.00}'), ('text COLLATE sloppy', '{a,b}'), ('sla.severity', '{S1,S2}'), ('sla.business_interval', '{2h,3bd}')
	) v(type, keys);

-- Texts that are odd, and those that the ledger shortens
SELECT is(tries('text', k, 'other'), '- 11:00:00', 'a text like ' || left(quote_literal(k), 20)) FROM unnest(ARRAY[
	'', ' ', '{a,b}', '{', '"', E'\\', '''', 'NULL', 'x... (md5 0123456789abcdef0123456789abcdef)', 'a (ticket 1)', repeat('ä', 1500), E'new\nline', repeat('k', 999), repeat('k', 1000), repeat('k', 1001)]) k;

-- Spellings are read like by the type; the ticket is the same
CREATE TABLE spelt (k uuid PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00');
SELECT sla.attach('spelt', 'acme', 's', 'at');
INSERT INTO spelt VALUES ('abcdefab-0000-0000-0000-00000000000a');
SELECT is(sla.record_event('spelt', '{ABCDEFAB-00000000-00000000-0000000A}', 'paused', '2026-03-02 09:10', 'waiting'), 2, 'another spelling of a key');
SELECT is(sla.record_event('spelt', 'abcdefab-0000-0000-0000-00000000000a', 'paused', '2026-03-02 09:10', 'waiting'), NULL, 'names the same ticket');
SELECT throws_ok($$SELECT sla.record_event('spelt', 'no uuid', 'paused', '2026-03-02 09:10', 'waiting')$$, '22P02', NULL, 'what is no key is told');
SELECT throws_ok($$SELECT sla.record_event('spelt', 'abcdefab-0000-0000-0000-00000000000b', 'paused', '2026-03-02 09:10', 'waiting')$$, '02000', 'table "spelt" has no ticket abcdefab-0000-0000-0000-00000000000b', 'and a key that no ticket has');
DELETE FROM spelt;
SELECT is(sla.record_event('spelt', 'ABCDEFAB-0000-0000-0000-00000000000A', 'resumed', '2026-03-02 09:20', 'waiting'), 4, 'a deleted ticket has its key still');

-- Several columns, out of order in the index
CREATE TABLE composite (tenant text, n int, s text DEFAULT 'S1', at timestamptz, UNIQUE (n, tenant), day date DEFAULT '2026-03-02', PRIMARY KEY (day, n, tenant));
SELECT sla.attach('composite', 'acme', 's', 'at', key => '{tenant,n}');
INSERT INTO composite (tenant, n, at) VALUES ('a "b", {c}', 1, '2026-03-02 09:00'), ('a', 1, '2026-03-02 10:00'), ('a', 2, '2026-03-02 11:00');
SELECT is(pause('composite'), '- 11:00:00 12:00:00', 'a composite key');
SELECT is(pause('composite', ARRAY['a', '2']::text), '- 11:00:00 -', 'made of an array');
SELECT throws_ok(format('SELECT pause(''composite'', %L)', k), '22023', format('"%s" is no key of table "composite"', k), 'which it has to be: ' || k)
	FROM unnest('{a,acme-99," a",""}'::text[]) k;
SELECT throws_ok($$SELECT pause('composite', '{a')$$, '22P02', NULL, 'a whole one');
SELECT throws_ok($$SELECT sla.record_event('composite', '{a,2}', 'merged', '2026-03-02 12:00', 'a-1')$$, '22023', '"a-1" is no key of table "composite"', 'also of what a ticket is merged into');
SELECT throws_ok(format('SELECT pause(''composite'', %L)', k), '22023', NULL, 'of as many columns: ' || k) FROM unnest(ARRAY['{a}', '{a,2,3}', '{a,NULL}', '{}']) k;
INSERT INTO composite (tenant, n, at) VALUES (repeat('long', 500), 3, '2026-03-02 12:00');
SELECT is(pause('composite', (SELECT key FROM sla.ticket WHERE key LIKE '{longlong%md5%')), '- 11:00:00 - -', 'a shortened composite key');

-- The index is gone, or not what it was: rows are searched
ALTER TABLE composite DROP CONSTRAINT composite_n_tenant_key;
SELECT is(pause('composite', ARRAY['a', '1']::text), '- - - -', 'without an index');

-- Partitions, whose columns are numbered otherwise
CREATE TABLE parts (gone int, s text DEFAULT 'S1', at timestamptz, region text, n int, PRIMARY KEY (region, n)) PARTITION BY LIST (region);
ALTER TABLE parts DROP COLUMN gone;
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu') PARTITION BY RANGE (n);
CREATE TABLE parts_eu_1 (n int NOT NULL, region text NOT NULL, at timestamptz, s text DEFAULT 'S1');
ALTER TABLE parts_eu ATTACH PARTITION parts_eu_1 FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_eu_2 PARTITION OF parts_eu DEFAULT PARTITION BY HASH (n);
CREATE TABLE parts_eu_2a PARTITION OF parts_eu_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_eu_2b PARTITION OF parts_eu_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
SELECT sla.attach('parts', 'acme', 's', 'at');
INSERT INTO parts (region, n, at) SELECT r, n, '2026-03-02 00:00'::timestamptz + (n || ' h')::interval FROM unnest('{eu,us}'::text[]) r, generate_series(1, 20) n;
SELECT is((SELECT count(sla.record_event('parts', ARRAY[region, n::text]::text, 'paused', '2026-03-02 00:00', 'waiting')) FROM parts), 40::bigint, 'every row of every partition');
SELECT is((SELECT count(*) FROM parts WHERE sla_response_due IS NULL), 40::bigint, 'is found and stamped');
SELECT throws_ok($$SELECT pause('parts', '{eu,99}')$$, '02000', NULL, 'a key of a partition that has none');
SELECT throws_ok($$SELECT sla.record_event('parts_eu_1', '{eu,1}', 'replied', now())$$, '55000', NULL, 'it is the partitioned table that is attached');
UPDATE parts SET region = 'us', n = 101 WHERE region = 'eu' AND n = 3;
SELECT is(sla.record_event('parts', '{us,101}', 'resumed', '2026-03-02 03:00', 'waiting'), 5, 'a ticket that has moved');
SELECT is((SELECT tableoid::regclass || ' ' || sla_response_due::time FROM parts WHERE n = 101), 'parts_rest 04:00:00', 'is found where it is');

SELECT * FROM finish();
ROLLBACK;
