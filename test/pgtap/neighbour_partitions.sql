-- Partitions of every kind: a row that moves is one ticket moving, whatever
-- triggers do meanwhile, and partitions come and go.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(39);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2000000h", "calendar": "always"}]}');
-- of each ticket: key, state, severity, and how many rows and events are behind it
CREATE FUNCTION pg_temp.ledger(ticket_table regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity, CASE c.goal::text WHEN '1000000h' THEN 'of S1' WHEN '2000000h' THEN 'of S2' END), ', ' ORDER BY t.key COLLATE "C")
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id LEFT JOIN sla.clock c ON c.ticket_id = t.id
	WHERE a.ticket_table = $1 $$;
CREATE FUNCTION pg_temp.events(key text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(kind, ' ' ORDER BY seq) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id WHERE t.key = $1 $$;
-- rows whose due time is not that of their clock
CREATE FUNCTION pg_temp.wrong(ticket_table regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT r::text FROM %s r LEFT JOIN sla.ticket t ON t.attachment_id = (SELECT id FROM sla.attachment WHERE ticket_table = %L::regclass)
		AND t.key = ARRAY[r.id::text, r.p::text]::text LEFT JOIN sla.clock c ON c.ticket_id = t.id
		WHERE r.sla_response_due IS DISTINCT FROM c.due_at OR t.state <> ''open''', $1, $1);
END $$;

-- LIST, RANGE and HASH below one another, leaves with columns of their own order
CREATE TABLE deep (id int, p int, s text, at timestamptz DEFAULT '2026-03-02 09:00', PRIMARY KEY (id, p)) PARTITION BY LIST (p);
CREATE TABLE deep_1 PARTITION OF deep FOR VALUES IN (1);
CREATE TABLE deep_2 PARTITION OF deep FOR VALUES IN (2, 3) PARTITION BY RANGE (id);
CREATE TABLE deep_2a (s text, gone int, p int NOT NULL, at timestamptz DEFAULT '2026-03-02 09:00', id int NOT NULL) PARTITION BY HASH (id, p);
ALTER TABLE deep_2a DROP COLUMN gone;
ALTER TABLE deep_2 ATTACH PARTITION deep_2a FOR VALUES FROM (0) TO (100);
CREATE TABLE deep_2a0 (gone text, at timestamptz DEFAULT '2026-03-02 09:00', s text, id int NOT NULL, p int NOT NULL);
ALTER TABLE deep_2a0 DROP COLUMN gone;
ALTER TABLE deep_2a ATTACH PARTITION deep_2a0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE deep_2a1 PARTITION OF deep_2a FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE deep_2b PARTITION OF deep_2 DEFAULT;
CREATE TABLE deep_d PARTITION OF deep DEFAULT;
INSERT INTO deep SELECT g, 1 + g % 4, 'S1' FROM generate_series(1, 20) g;
SELECT is(sla.attach('deep', 'acme', 's', 'at'), 20::bigint, 'rows of all leaves');
SELECT is_empty($$SELECT pg_temp.wrong('deep')$$, 'recorded and stamped');
UPDATE deep SET p = 1 + (p + 1) % 5, id = id + 95;
SELECT is((SELECT count(*) FROM sla.ticket), 20::bigint, 'all move: no ticket more');
SELECT is((SELECT count(*) FROM sla.ticket WHERE state = 'open'), 20::bigint, 'none is lost');
SELECT is_empty($$SELECT pg_temp.wrong('deep')$$, 'due times move along');
UPDATE deep SET id = id - 95, p = 2, s = 'S2';
SELECT is((SELECT count(*) || ' ' || count(*) FILTER (WHERE state = 'open' AND severity::text = 'S2') FROM sla.ticket), '20 20', 'moved with news');
SELECT is_empty($$SELECT pg_temp.wrong('deep')$$, 'and stamped with the clock they have had since');
MERGE INTO deep d USING (SELECT g AS id FROM generate_series(11, 30) g) v ON d.id = v.id
	WHEN MATCHED AND v.id = 11 THEN DELETE
	WHEN MATCHED THEN UPDATE SET p = 1
	WHEN NOT MATCHED THEN INSERT (id, p, s) VALUES (v.id, 3, 'S1');
SELECT is((SELECT count(*) || ' ' || count(*) FILTER (WHERE state = 'open') FROM sla.ticket), '30 29', 'MERGE moves, deletes and inserts');
SELECT is_empty($$SELECT pg_temp.wrong('deep')$$, 'all right');
INSERT INTO deep VALUES (20, 1, 'S1'), (31, 1, 'S1') ON CONFLICT (id, p) DO UPDATE SET s = EXCLUDED.s;
SELECT is_empty($$SELECT pg_temp.wrong('deep')$$, 'ON CONFLICT DO UPDATE');
WITH a AS (UPDATE deep SET p = 4 WHERE id = 20 RETURNING id), b AS (UPDATE deep SET p = 4 WHERE id = 31 RETURNING id), c AS (DELETE FROM deep WHERE id = 30 RETURNING id)
	INSERT INTO deep SELECT id, 4, 'S2' FROM c;
SELECT is((SELECT string_agg(key || state, ' ' ORDER BY key) FROM sla.ticket WHERE key ~ '(20|30|31),'), '{20,4}open {30,3}deleted {30,4}open {31,4}open',
	'in one query rows move; deleted and inserted is not moved');
SELECT is_empty($$SELECT pg_temp.wrong('deep')$$, 'all right');

-- Triggers that move other rows, lose rows, or bring them back
CREATE TABLE busy (id int, p int, s text, at timestamptz DEFAULT '2026-03-02 09:00', PRIMARY KEY (id, p)) PARTITION BY LIST (p);
CREATE TABLE busy_1 PARTITION OF busy FOR VALUES IN (1);
CREATE TABLE busy_2 PARTITION OF busy FOR VALUES IN (2);
CREATE TABLE busy_3 PARTITION OF busy FOR VALUES IN (3);
SELECT sla.attach('busy', 'acme', 's', 'at');
-- runs its argument in the first level of triggers, with the row's id for %s
CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		EXECUTE format(TG_ARGV[0], coalesce(NEW.id, OLD.id));
	END IF;
	RETURN coalesce(NEW, OLD);
END $$;
CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.id % 2 = 0 THEN NEW END; END $$;
CREATE FUNCTION pg_temp.reset() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	old record;
BEGIN
	FOR old IN SELECT tgname, tgrelid::regclass AS rel FROM pg_trigger WHERE tgname !~ 'sla_' AND tgparentid = 0 AND tgrelid::regclass::text ~ '^busy' LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', old.tgname, old.rel);
	END LOOP;
	DELETE FROM busy; DELETE FROM sla.event; DELETE FROM sla.clock; DELETE FROM sla.ticket;
	INSERT INTO busy VALUES (1, 1, 'S1'), (2, 1, 'S1'), (3, 1, 'S1'), (4, 1, 'S1');
END $$;
SELECT pg_temp.reset();
CREATE TRIGGER zzz AFTER DELETE ON busy_1 FOR EACH ROW EXECUTE FUNCTION run('UPDATE busy SET p = 3 WHERE id = %s + 1');
UPDATE busy SET p = 2 WHERE id = 1;
SELECT is(pg_temp.ledger('busy'), '{1,2} open S1 of S1, {2,3} open S1 of S1, {3,1} open S1 of S1, {4,1} open S1 of S1', 'a trigger between leaving and arriving moves another row');
SELECT is(pg_temp.events('{1,2}'), 'opened deleted restored', 'each is its own ticket');
UPDATE busy SET p = 2 WHERE id = 3;
SELECT is(pg_temp.ledger('busy'), '{1,2} open S1 of S1, {2,3} open S1 of S1, {3,2} open S1 of S1, {4,3} open S1 of S1', 'and again');
SELECT pg_temp.reset();
CREATE TRIGGER "!a" AFTER DELETE ON busy_1 FOR EACH ROW EXECUTE FUNCTION run('UPDATE busy SET p = 3 WHERE id = %s + 1');
UPDATE busy SET p = 2 WHERE id = 1;
SELECT is(pg_temp.ledger('busy'), '{1,2} open S1 of S1, {2,3} open S1 of S1, {3,1} open S1 of S1, {4,1} open S1 of S1', 'one that fires before ours');
SELECT pg_temp.reset();
CREATE TRIGGER "~~" BEFORE INSERT ON busy_2 FOR EACH ROW EXECUTE FUNCTION run('UPDATE busy SET p = 3 WHERE id = %s + 1');
UPDATE busy SET p = 2 WHERE id = 1;
SELECT is(pg_temp.ledger('busy'), '{1,2} open S1 of S1, {2,3} open S1 of S1, {3,1} open S1 of S1, {4,1} open S1 of S1', 'one before the row arrives');
SELECT pg_temp.reset();
CREATE TRIGGER "~~" BEFORE INSERT ON busy_2 FOR EACH ROW EXECUTE FUNCTION keep_out();
UPDATE busy SET p = 2;
SELECT is(pg_temp.ledger('busy'), '{1,1} deleted S1 of S1, {2,2} open S1 of S1, {3,1} deleted S1 of S1, {4,2} open S1 of S1', 'rows that get lost on the way are deleted, others arrive');
SELECT is_empty($$SELECT pg_temp.wrong('busy')$$, 'as themselves');
SELECT pg_temp.reset();
CREATE TRIGGER zzz AFTER INSERT ON busy_2 FOR EACH ROW EXECUTE FUNCTION run('UPDATE busy SET p = 3, s = ''S2'' WHERE id = %s');
UPDATE busy SET p = 2 WHERE id IN (1, 2);
SELECT is(pg_temp.ledger('busy'), '{1,3} open S2 of S2, {2,3} open S2 of S2, {3,1} open S1 of S1, {4,1} open S1 of S1', 'rows that are sent on');
CREATE TRIGGER "!a" AFTER INSERT ON busy_3 FOR EACH ROW EXECUTE FUNCTION run('UPDATE busy SET p = 1 WHERE id = %s');
UPDATE busy SET p = 3 WHERE id = 3;
SELECT is(pg_temp.ledger('busy'), '{1,3} open S2 of S2, {2,3} open S2 of S2, {3,1} open S1 of S1, {4,1} open S1 of S1', 'and before they were recorded');
SELECT is_empty($$SELECT pg_temp.wrong('busy')$$, 'stamped, too');
SELECT pg_temp.reset();
DO $$
BEGIN
	UPDATE busy SET p = 2 WHERE id = 1;
	BEGIN
		UPDATE busy SET p = 3 WHERE id = 1;
		UPDATE busy SET p = 2 WHERE id = 2;
		RAISE 'undo';
	EXCEPTION WHEN OTHERS THEN
		UPDATE busy SET p = 3 WHERE id = 2;
	END;
END $$;
SELECT is(pg_temp.ledger('busy'), '{1,2} open S1 of S1, {2,3} open S1 of S1, {3,1} open S1 of S1, {4,1} open S1 of S1', 'moves that are rolled back');
SELECT is((SELECT count(*) FROM sla.event), 8::bigint, 'are not recorded');

-- Keys that are handed on among rows that move
SELECT pg_temp.reset();
UPDATE busy SET id = 5 - id, p = 2;
SELECT is(pg_temp.ledger('busy'), '{1,2} open S1 of S1, {2,2} open S1 of S1, {3,2} open S1 of S1, {4,2} open S1 of S1', 'four rows change places');
SELECT is((SELECT count(*) FROM sla.ticket), 4::bigint, 'and are four tickets');

-- Partitions that come and go
CREATE TABLE busy_4 (LIKE busy INCLUDING ALL);
INSERT INTO busy_4 VALUES (1, 4, 'S2');
SELECT is(sla.attach('busy_4', 'acme', 's', 'at'), 1::bigint, 'a table attached by itself');
SELECT throws_ok('ALTER TABLE busy ATTACH PARTITION busy_4 FOR VALUES IN (4)', '42710', NULL, 'cannot become a partition of one that is attached');
SELECT sla.detach('busy_4');
SELECT lives_ok('ALTER TABLE busy ATTACH PARTITION busy_4 FOR VALUES IN (4)', 'once it is detached it can');
SELECT is(sla.reconcile('busy'), 1::bigint, 'its row is a ticket of the whole');
SELECT is((SELECT count(*) FROM sla.ticket WHERE key = '{1,4}' AND state = 'open'), 1::bigint, 'the record of its own has ended');
UPDATE busy SET p = 4 WHERE id = 2;
SELECT is((SELECT state FROM sla.ticket WHERE key = '{2,4}'), 'open', 'rows move into it');
ALTER TABLE busy DETACH PARTITION busy_4;
SELECT throws_ok($$SELECT sla.record_rows('busy_4')$$, '55000', NULL, 'detached it is nobody''s');
SELECT is(sla.attach('busy_4', 'acme', 's', 'at'), 2::bigint, 'and can be attached by itself again');
SELECT is(sla.reconcile('busy'), 2::bigint, 'what it had are no tickets of the whole any more');
SELECT is((SELECT string_agg(key || ' ' || state, ', ' ORDER BY key, state) FROM sla.ticket WHERE key ~ ',4'), '{1,4} deleted, {1,4} open, {2,4} deleted, {2,4} open', 'but of its own');
INSERT INTO busy_4 VALUES (3, 4, 'S1');
SELECT is((SELECT a.ticket_table::text FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE t.key = '{3,4}'), 'public.busy_4', 'as new ones are');

-- Rows that a trigger moves back before we have heard that they left
CREATE TABLE back (id int, p int, s text, at timestamptz, PRIMARY KEY (id, p)) PARTITION BY LIST (p);
CREATE TABLE back_1 PARTITION OF back FOR VALUES IN (1);
CREATE TABLE back_2 PARTITION OF back FOR VALUES IN (2) PARTITION BY LIST (id);
CREATE TABLE back_2a PARTITION OF back_2 FOR VALUES IN (1);
CREATE TABLE back_2b PARTITION OF back_2 FOR VALUES IN (2);
SELECT sla.attach('back', 'acme', 's', 'at');
INSERT INTO back VALUES (1, 1, 'S1', '2026-03-02 09:00'), (1, 2, 'S1', '2026-03-02 09:00');
CREATE FUNCTION move_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF pg_trigger_depth() = 1 THEN UPDATE back SET id = 1 WHERE id = 2; END IF; RETURN NULL; END $$;
CREATE TRIGGER zzz AFTER UPDATE ON back_1 FOR EACH ROW EXECUTE FUNCTION move_back();
UPDATE back SET id = 2;
SELECT is((SELECT string_agg(t.key || ' ' || t.state, ', ' ORDER BY t.key) FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = 'back'::regclass),
	'{1,1} open, {1,2} open', 'a row that is back before we hear that it left has its ticket');
SELECT is(sla.reconcile('back'), 0::bigint, 'and nothing is left to be recorded');

SELECT * FROM finish();
ROLLBACK;
