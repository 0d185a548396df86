-- The ledger's tables take indexes of any kind, although their rows are not
-- written by the executor.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(11);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
CREATE INDEX partial ON sla.ticket (id) WHERE state = 'open';
CREATE UNIQUE INDEX expression ON sla.ticket (upper(key || '!'), attachment_id);
CREATE INDEX both_kinds ON sla.clock (date_trunc('hour', due_at AT TIME ZONE 'UTC')) WHERE outcome IS NULL;
CREATE INDEX summary ON sla.event USING brin (recorded_at);
CREATE INDEX hashed ON sla.event USING hash (kind);
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz, replied timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied');
INSERT INTO tickets SELECT g, 'S1', '2026-03-02 09:00' FROM generate_series(1, 100) g;
DELETE FROM tickets WHERE id <= 40;
UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id > 70;

SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		found := coalesce(found, substring(line FROM 'using (\w+) on'));
	END LOOP;
	RETURN found;
END $$;
SELECT is(pg_temp.plan('SELECT id FROM sla.ticket WHERE state = ''open'''), 'partial', 'a partial index can be used');
SELECT is((SELECT count(id) FROM sla.ticket WHERE state = 'open'), 60::bigint, 'and has just what it should');
SELECT is((SELECT count(*) FROM sla.clock WHERE outcome IS NULL AND date_trunc('hour', due_at AT TIME ZONE 'UTC') = '2026-03-02 10:00'), 30::bigint, 'one over an expression');
SELECT is((SELECT state FROM sla.ticket WHERE upper(key || '!') = '7!'), 'deleted', 'a unique one');
SELECT is((SELECT count(*) FROM sla.event WHERE kind = 'replied'), 30::bigint, 'another method');
INSERT INTO tickets VALUES (1000, 'S1', '2026-03-02 09:00');
CREATE UNIQUE INDEX one_only ON sla.ticket ((1)) WHERE received_at = '2026-03-02 08:00';
INSERT INTO tickets VALUES (1001, 'S1', '2026-03-02 08:00');
SELECT throws_ok($$INSERT INTO tickets VALUES (1002, 'S1', '2026-03-02 08:00')$$, '23505', NULL, 'a unique index is unique');
SELECT is((SELECT count(*) FROM tickets WHERE id > 1000), 1::bigint, 'and the row does not go in');

-- Only the key of an alert says that it is there already: nothing is lost to other indexes, or to a sequence that lags behind
SELECT sla.flag_due('2026-03-02 12:00') AS flagged \gset
INSERT INTO tickets VALUES (2000, 'S1', '2026-03-03 09:00');
SAVEPOINT due;
ALTER SEQUENCE sla.alert_id_seq RESTART;
SELECT throws_ok($$SELECT sla.flag_due('2026-03-03 12:00')$$, '23505', NULL, 'an alert whose id is taken is an error');
SELECT is((SELECT next_alert_at FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '2000'), '2026-03-03 10:00', 'its clock stays in the queue');
ROLLBACK TO due;
CREATE UNIQUE INDEX one_breach ON sla.alert ((1)) WHERE due_at = '2026-03-03 10:00';
SELECT is(sla.flag_due('2026-03-03 12:00'), 1::bigint, 'it is flagged');
INSERT INTO tickets VALUES (2001, 'S1', '2026-03-03 09:00');
SELECT throws_ok($$SELECT sla.flag_due('2026-03-03 12:00')$$, '23505', NULL, 'one that another unique index refuses is an error, too');

SELECT * FROM finish();
ROLLBACK;
