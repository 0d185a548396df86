-- Attaching a table whose pages are full: rows move when they are stamped, and
-- indexes and generated columns must follow
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(5);

SELECT count(sla.load_policy(sla.preset('laioutr') || '{"policy": "t full"}')) AS loaded;
CREATE TABLE t_full (
	id bigint PRIMARY KEY,
	priority int NOT NULL,
	received timestamptz NOT NULL,
	filler text NOT NULL DEFAULT repeat('x', 200),
	due timestamptz,
	due_utc timestamp GENERATED ALWAYS AS (due AT TIME ZONE 'UTC') STORED
);
CREATE INDEX t_full_due_idx ON t_full (due);
INSERT INTO t_full (id, priority, received)
	SELECT n, 1, timestamptz '2026-03-02 08:00' + n * interval '1 minute' FROM generate_series(1, 1000) AS n;

SELECT is(sla.attach('t_full', 't full', severity => 'priority', received_at => 'received',
					 response_due => 'due', resolution_due => NULL), 1000::bigint, 'every row is recorded');
SELECT is((SELECT count(*) FROM t_full WHERE due = received + interval '1 hour'), 1000::bigint, 'and stamped');
SELECT is((SELECT count(*) FROM t_full WHERE due_utc = due AT TIME ZONE 'UTC'), 1000::bigint, 'generated columns follow');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM t_full WHERE due > '2026-03-02 08:00'), 1000::bigint, 'the index on the stamped column finds them');
SELECT is((SELECT count(t.id) FROM generate_series(1, 1000) AS n LEFT JOIN t_full t ON t.id = n), 1000::bigint, 'and so does the primary key');

SELECT * FROM finish();
ROLLBACK;
