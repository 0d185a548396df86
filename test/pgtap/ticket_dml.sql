-- Every way to write a row: what goes in is recorded, what does not is not.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(48);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"}]}');
CREATE TABLE tickets (
	id int PRIMARY KEY,
	priority text,
	created_at timestamptz DEFAULT '2026-03-02 09:00',
	first_reply_at timestamptz,
	changed_at timestamptz DEFAULT '2026-03-02 09:05',
	payload text);
SELECT sla.attach('tickets', 'acme', 'priority', 'created_at', 'first_reply_at', changed_at => 'changed_at');

-- key, state, severity and due time of each ticket as the ledger has them
CREATE FUNCTION pg_temp.ledger(ticket_table regclass DEFAULT 'tickets') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity, to_char(c.due_at, 'HH24:MI'), c.outcome), ', ' ORDER BY t.key)
	FROM sla.attachment a JOIN sla.ticket t ON t.attachment_id = a.id LEFT JOIN sla.clock c ON c.ticket_id = t.id
	WHERE a.ticket_table = $1 $$;
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', id, priority, coalesce(to_char(sla_response_due, 'HH24:MI'), '-')), ', ' ORDER BY id) FROM tickets $$;
CREATE FUNCTION pg_temp.reset() RETURNS void LANGUAGE sql AS $$
	DELETE FROM tickets; DELETE FROM sla.event; DELETE FROM sla.clock; DELETE FROM sla.ticket $$;

-- INSERT
INSERT INTO tickets VALUES (1, 'S1'), (2, 'S2');
INSERT INTO tickets SELECT g, 'S1' FROM generate_series(3, 4) g;
SELECT is(pg_temp.ledger(), '1 open S1 10:00, 2 open S2 11:00, 3 open S1 10:00, 4 open S1 10:00', 'INSERT of several rows, and from a query');
SELECT pg_temp.reset();

-- ON CONFLICT
INSERT INTO tickets VALUES (1, 'S1');
INSERT INTO tickets VALUES (1, 'S2'), (2, 'S2') ON CONFLICT DO NOTHING;
SELECT is(pg_temp.ledger(), '1 open S1 10:00, 2 open S2 11:00', 'ON CONFLICT DO NOTHING leaves what is there');
SELECT is((SELECT count(*) FROM sla.event), 2::bigint, 'and no trace of what it dropped');
SELECT is((SELECT max(version) FROM sla.ticket), 1, 'not even a version');
INSERT INTO tickets VALUES (1, 'S2'), (3, 'S1') ON CONFLICT (id) DO UPDATE SET priority = EXCLUDED.priority;
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 2 open S2 11:00, 3 open S1 10:00', 'ON CONFLICT DO UPDATE records what was updated');
SELECT is(pg_temp.rows(), '1 S2 11:00, 2 S2 11:00, 3 S1 10:00', 'and stamps it');
INSERT INTO tickets VALUES (1, 'S1') ON CONFLICT (id) DO UPDATE SET sla_response_due = EXCLUDED.sla_response_due;
SELECT is(pg_temp.rows(), '1 S2 11:00, 2 S2 11:00, 3 S1 10:00', 'the due time of the row that was dropped does not get in');
INSERT INTO tickets VALUES (1, 'S1') ON CONFLICT (id) DO UPDATE SET priority = 'S1' WHERE tickets.priority = 'S9';
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 2 open S2 11:00, 3 open S1 10:00', 'nothing updated, nothing recorded');
SELECT pg_temp.reset();

-- MERGE
INSERT INTO tickets VALUES (1, 'S1'), (2, 'S1'), (3, 'S1');
MERGE INTO tickets t USING (VALUES (1, 'S2'), (2, NULL), (4, 'S2'), (5, NULL)) v(id, priority) ON t.id = v.id
	WHEN MATCHED AND v.priority IS NULL THEN DELETE
	WHEN MATCHED THEN UPDATE SET priority = v.priority
	WHEN NOT MATCHED AND v.priority IS NULL THEN DO NOTHING
	WHEN NOT MATCHED THEN INSERT (id, priority) VALUES (v.id, v.priority);
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 2 deleted S1 10:00 breached, 3 open S1 10:00, 4 open S2 11:00', 'MERGE: updated, deleted, inserted, left alone');
SELECT is(pg_temp.rows(), '1 S2 11:00, 3 S1 10:00, 4 S2 11:00', 'and stamped');
SELECT pg_temp.reset();

-- COPY
COPY tickets (id, priority) FROM STDIN;
1	S1
2	S2
3	high
\.
SELECT is(pg_temp.ledger(), '1 open S1 10:00, 2 open S2 11:00, 3 open', 'COPY FROM STDIN');
SELECT is(pg_temp.rows(), '1 S1 10:00, 2 S2 11:00, 3 high -', 'stamped');
COPY tickets (id, priority, sla_response_due) FROM STDIN;
4	S1	1999-01-01
\.
SELECT is((SELECT sla_response_due FROM tickets WHERE id = 4), '2026-03-02 10:00', 'a due time of one''s own is overruled');
SELECT pg_temp.reset();

-- UPDATE of many, from another table, within a query
INSERT INTO tickets VALUES (1, 'S1'), (2, 'S1'), (3, 'S2');
UPDATE tickets SET priority = CASE priority WHEN 'S1' THEN 'S2' ELSE 'S1' END;
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 2 open S2 11:00, 3 open S1 10:00', 'UPDATE of all rows');
UPDATE tickets t SET priority = v.p FROM (VALUES (1, 'S1'), (1, 'S1'), (9, 'S1')) v(id, p) WHERE v.id = t.id;
SELECT is(pg_temp.ledger(), '1 open S1 10:00, 2 open S2 11:00, 3 open S1 10:00', 'UPDATE ... FROM, a row matched twice');
SELECT is((SELECT version FROM sla.ticket WHERE key = '1'), 3, 'is recorded once');
WITH gone AS (DELETE FROM tickets WHERE id = 3 RETURNING priority),
	changed AS (UPDATE tickets SET priority = 'S1' WHERE id = 2 RETURNING id)
INSERT INTO tickets SELECT 4, priority FROM gone;
SELECT is(pg_temp.ledger(), '1 open S1 10:00, 2 open S1 10:00, 3 deleted S1 10:00 breached, 4 open S1 10:00', 'three kinds in one statement');
UPDATE tickets SET sla_response_due = NULL;
SELECT is(pg_temp.rows(), '1 S1 10:00, 2 S1 10:00, 4 S1 10:00', 'due times cannot be overwritten');
SELECT is((SELECT max(version) FROM sla.ticket WHERE key IN ('1', '4')), 3, 'and trying leaves no trace');
UPDATE tickets SET id = id + 100;
SELECT is(pg_temp.ledger(), '101 open S1 10:00, 102 open S1 10:00, 104 open S1 10:00, 3 deleted S1 10:00 breached', 'all keys at once');
SELECT pg_temp.reset();

-- Keys that move up: each takes the one that the row before it has just left
INSERT INTO tickets VALUES (3, 'S1'), (2, 'S2'), (1, 'S1');
UPDATE tickets SET id = id + 1;
SELECT is(pg_temp.ledger(), '2 open S1 10:00, 3 open S2 11:00, 4 open S1 10:00', 'keys handed on within a statement');
SELECT is((SELECT count(*) FROM sla.event), 3::bigint, 'are no events');
SELECT pg_temp.reset();

-- Rows of every shape: long values, columns dropped and added, NULL all over
ALTER TABLE tickets ADD COLUMN note text, DROP COLUMN payload, ADD COLUMN body text DEFAULT 'none';
ALTER TABLE tickets ALTER COLUMN body SET STORAGE EXTERNAL;
INSERT INTO tickets (id, priority, body) VALUES (1, 'S1', repeat('x', 100000));
UPDATE tickets SET priority = 'S2';
SELECT is(pg_temp.ledger(), '1 open S2 11:00', 'a long row');
SELECT is((SELECT length(body) FROM tickets), 100000, 'keeps its long value');
SELECT is(pg_temp.rows(), '1 S2 11:00', 'and is stamped');
ALTER TABLE tickets ALTER COLUMN priority TYPE varchar(40);
INSERT INTO tickets (id, priority) VALUES (2, 'S1');
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 2 open S1 10:00', 'another type of the severity column');
SELECT pg_temp.reset();

-- A role's column goes away, and comes back
ALTER TABLE tickets RENAME COLUMN first_reply_at TO replied_at;
INSERT INTO tickets (id, priority) VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), NULL, 'a column renamed: rows go in, unrecorded');
ALTER TABLE tickets RENAME COLUMN replied_at TO first_reply_at;
UPDATE tickets SET first_reply_at = '2026-03-02 09:30';
SELECT is(pg_temp.ledger(), '1 open S1 10:00 met', 'named back: noticed at once, with what was missed');
ALTER TABLE tickets DROP COLUMN first_reply_at;
INSERT INTO tickets (id, priority) VALUES (2, 'S1');
SELECT is(pg_temp.ledger(), '1 open S1 10:00 met', 'a column dropped likewise');
ALTER TABLE tickets ADD COLUMN first_reply_at text;
INSERT INTO tickets (id, priority) VALUES (3, 'S1');
SELECT is(pg_temp.ledger(), '1 open S1 10:00 met', 'and one of another type');
ALTER TABLE tickets RENAME TO requests;
ALTER TABLE requests DROP COLUMN first_reply_at;
ALTER TABLE requests ADD COLUMN first_reply_at timestamptz;
INSERT INTO requests (id, priority) VALUES (4, 'S1');
SELECT is(pg_temp.ledger('requests'), '1 open S1 10:00 met, 4 open S1 10:00', 'another name of the table does not matter');
SELECT is(sla.record_rows('requests'), 4::bigint, 'restamp reads all rows');
SELECT is(pg_temp.ledger('requests'), '1 open S1 10:00, 2 open S1 10:00, 3 open S1 10:00, 4 open S1 10:00', 'and records what was missed');

-- TRUNCATE
TRUNCATE requests;
SELECT is((SELECT string_agg(DISTINCT state, ',') FROM sla.ticket), 'deleted', 'TRUNCATE deletes the tickets');
SELECT is((SELECT count(*) FROM sla.clock WHERE outcome IS NULL), 0::bigint, 'and ends their clocks');
SELECT sla.detach('requests');

-- Partitions, one of them with its columns in another order
CREATE TABLE parts (id int, region text, priority text, created_at timestamptz DEFAULT '2026-03-02 09:00', first_reply_at timestamptz, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
CREATE TABLE parts_us (priority text, gone int, first_reply_at timestamptz, created_at timestamptz DEFAULT '2026-03-02 09:00', region text NOT NULL, id int NOT NULL);
ALTER TABLE parts_us DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_us FOR VALUES IN ('us');
INSERT INTO parts VALUES (1, 'eu', 'S1'), (2, 'us', 'S2');
SELECT is(sla.attach('parts', 'acme', 'priority', 'created_at', 'first_reply_at'), 2::bigint, 'rows of all partitions');
INSERT INTO parts VALUES (3, 'us', 'S1');
INSERT INTO parts_eu VALUES (4, 'eu', 'S2');
SELECT is(pg_temp.ledger('parts'), '{1,eu} open S1 10:00, {2,us} open S2 11:00, {3,us} open S1 10:00, {4,eu} open S2 11:00', 'recorded under the partitioned table');
SELECT is((SELECT string_agg(id || to_char(sla_response_due, ' HH24:MI'), ', ' ORDER BY id) FROM parts), '1 10:00, 2 11:00, 3 10:00, 4 11:00', 'and stamped');
UPDATE parts SET first_reply_at = '2026-03-02 09:30' WHERE id = 1;
UPDATE parts SET region = CASE region WHEN 'eu' THEN 'us' ELSE 'eu' END, priority = 'S2' WHERE id IN (1, 2);
SELECT is(pg_temp.ledger('parts'), '{1,us} open S2 10:00 met, {2,eu} open S2 11:00, {3,us} open S1 10:00, {4,eu} open S2 11:00', 'rows that move to other partitions are the same tickets');
SELECT is((SELECT string_agg(e.kind, ' ' ORDER BY e.seq) FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = '{1,us}'), 'opened replied deleted restored severity', 'with all that happened');
CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep_out BEFORE INSERT ON parts_us FOR EACH ROW EXECUTE FUNCTION keep_out();
UPDATE parts SET region = 'us' WHERE id IN (2, 4);
SELECT is(pg_temp.ledger('parts'), '{1,us} open S2 10:00 met, {2,eu} deleted S2 11:00 breached, {3,us} open S1 10:00, {4,eu} deleted S2 11:00 breached', 'a row that gets lost on the way is deleted');
DROP TRIGGER keep_out ON parts_us;
INSERT INTO parts VALUES (5, 'us', 'S1');
SELECT is((SELECT state FROM sla.ticket WHERE key = '{4,eu}'), 'deleted', 'nobody else takes its place');
CREATE TABLE parts_ap PARTITION OF parts FOR VALUES IN ('ap');
INSERT INTO parts VALUES (6, 'ap', 'S1');
SELECT is((SELECT state FROM sla.ticket WHERE key = '{6,ap}'), 'open', 'a new partition is attached at once');
ALTER TABLE parts DETACH PARTITION parts_ap;
INSERT INTO parts_ap VALUES (7, 'ap', 'S1');
SELECT is((SELECT count(*) FROM sla.ticket WHERE key = '{7,ap}'), 0::bigint, 'a detached one is not');

-- Replicated rows were recorded where they were written
CREATE TABLE copies (LIKE parts INCLUDING DEFAULTS, PRIMARY KEY (id));
SELECT sla.attach('copies', 'acme', 'priority', 'created_at', 'first_reply_at');
SET LOCAL session_replication_role = replica;
INSERT INTO copies (id, region, priority) VALUES (1, 'eu', 'S1');
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.ledger('copies'), NULL, 'session_replication_role = replica records nothing');
UPDATE copies SET priority = 'S2';
SELECT is(pg_temp.ledger('copies'), '1 open S2 11:00', 'the first change of one''s own does');

-- Keys must not depend on the session's settings
CREATE TABLE dated (at timestamptz, amount float8, b bytea, priority text, PRIMARY KEY (at, amount, b));
SELECT sla.attach('dated', 'acme', 'priority', 'at');
INSERT INTO dated VALUES ('2026-03-02 09:00', 0.1, '\x00ff', 'S1');
SET LOCAL timezone = 'Europe/Berlin';
SET LOCAL datestyle = 'German';
SET LOCAL extra_float_digits = -15;
SET LOCAL bytea_output = 'escape';
UPDATE dated SET priority = 'S2';
SET LOCAL timezone = 'UTC';
SELECT is((SELECT string_agg(key, ',') FROM sla.ticket WHERE key LIKE '%2026%'), '{"2026-03-02 09:00:00+00",0.1,"\\x00ff"}', 'a key reads alike in every session');
SELECT is(current_setting('datestyle'), 'German, DMY', 'whose settings stay as they are');
SET LOCAL datestyle = 'ISO, YMD';

SELECT * FROM finish();
ROLLBACK;
