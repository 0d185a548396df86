-- Triggers whose statements are recorded before what set them off: rows that
-- come again, come under a key just left, or change and move once more.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(30);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2000000h", "calendar": "always"}]}');
CREATE TABLE flat (id int PRIMARY KEY, p int DEFAULT 1, s text, at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz);
CREATE TABLE parted (id int, p int DEFAULT 1, s text, at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz, PRIMARY KEY (id, p)) PARTITION BY LIST (p);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES IN (3);
SELECT sla.attach(t, 'acme', 's', 'at', 'replied') FROM unnest('{flat,parted}'::regclass[]) t;
-- of each ticket: its key, severity, whether it was answered, and state unless open
CREATE FUNCTION pg_temp.ledger() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.severity, CASE WHEN c.outcome = 'met' THEN 'met' END, nullif(t.state, 'open')), ', ' ORDER BY t.key)
	FROM sla.ticket t LEFT JOIN sla.clock c ON c.ticket_id = t.id $$;
CREATE FUNCTION pg_temp.wrong() RETURNS bigint LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM flat r LEFT JOIN sla.ticket t ON t.key = r.id::text LEFT JOIN sla.clock c ON c.ticket_id = t.id WHERE r.sla_response_due IS DISTINCT FROM c.due_at)
		+ (SELECT count(*) FROM parted r LEFT JOIN sla.ticket t ON t.key = ARRAY[r.id, r.p]::text LEFT JOIN sla.clock c ON c.ticket_id = t.id WHERE r.sla_response_due IS DISTINCT FROM c.due_at)
		+ sla.reconcile('flat') + sla.reconcile('parted') $$;
-- runs its argument in the first level of triggers, with the row's former and new id
CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		EXECUTE format(TG_ARGV[0], OLD.id, NEW.id);
	END IF;
	RETURN NULL;
END $$;
CREATE FUNCTION pg_temp.reset() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	old record;
BEGIN
	FOR old IN SELECT tgname, tgrelid::regclass AS rel FROM pg_trigger WHERE tgname !~ 'sla_' AND tgparentid = 0 AND tgrelid::regclass::text ~ '^(flat|parted)' LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', old.tgname, old.rel);
	END LOOP;
	DELETE FROM flat; DELETE FROM parted; DELETE FROM sla.event; DELETE FROM sla.clock; DELETE FROM sla.ticket;
END $$;

-- A row that cannot be deleted, whenever its trigger fires
INSERT INTO flat (id, s) VALUES (1, 'S1'), (2, 'S1');
CREATE TRIGGER "!!" AFTER DELETE ON flat FOR EACH ROW EXECUTE FUNCTION run('INSERT INTO flat (id, s) VALUES (%s, ''S2'')');
DELETE FROM flat WHERE id = 1;
SELECT is(pg_temp.ledger(), '1 S2, 2 S1', 'a row that is inserted before we hear of its deletion');
SELECT is(pg_temp.wrong(), 0::bigint, 'is there');
DELETE FROM flat;
SELECT is(pg_temp.ledger(), '1 S2, 2 S2', 'any number of rows');
DROP TRIGGER "!!" ON flat;
DELETE FROM flat;
SELECT is(pg_temp.ledger(), '1 S2 deleted, 2 S2 deleted', 'at last they go');
SELECT pg_temp.reset();
INSERT INTO flat (id, s) VALUES (1, 'S1');
CREATE TRIGGER "!!" AFTER DELETE ON flat FOR EACH ROW EXECUTE FUNCTION run('INSERT INTO flat (id, s) VALUES (%1$s, ''S2''); DELETE FROM flat WHERE id = %1$s');
DELETE FROM flat;
SELECT is(pg_temp.ledger(), '1 S2 deleted', 'one that comes again and goes');
SELECT is(pg_temp.wrong(), 0::bigint, 'is gone');
SELECT pg_temp.reset();

-- Rows that come under keys which others are leaving
INSERT INTO flat (id, s, replied) VALUES (4, 'S1', '2026-03-02 10:00'), (3, 'S1', NULL), (2, 'S1', '2026-03-02 10:00'), (1, 'S1', NULL);
CREATE TRIGGER zzz AFTER UPDATE ON flat FOR EACH ROW EXECUTE FUNCTION run('INSERT INTO flat (id, s) VALUES (%1$s - 100, ''S2'')');
UPDATE flat SET id = id + 100;
SELECT is(pg_temp.ledger(), '-96 S2, -97 S2, -98 S2, -99 S2, 101 S1, 102 S1 met, 103 S1, 104 S1 met', 'new rows and rows with new keys');
SELECT pg_temp.reset();
INSERT INTO flat (id, s, replied) VALUES (4, 'S1', '2026-03-02 10:00'), (3, 'S1', NULL), (2, 'S1', '2026-03-02 10:00'), (1, 'S1', NULL);
CREATE TRIGGER zzz AFTER UPDATE ON flat FOR EACH ROW EXECUTE FUNCTION run('INSERT INTO flat (id, s) VALUES (%1$s - 1, ''S2'') ON CONFLICT DO NOTHING');
UPDATE flat SET id = id + 100;
SELECT is(pg_temp.ledger(), '0 S2, 1 S2, 101 S1, 102 S1 met, 103 S1, 104 S1 met, 2 S2, 3 S2', 'under keys whose loss was not heard of yet');
SELECT is(pg_temp.wrong(), 0::bigint, 'each its own ticket');
SELECT pg_temp.reset();
INSERT INTO parted (id, s, replied) VALUES (1, 'S1', '2026-03-02 10:00'), (2, 'S1', NULL), (3, 'S1', '2026-03-02 10:00');
CREATE TRIGGER zzz AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION run('INSERT INTO parted (id, s) VALUES (%2$s + 1, ''S2'') ON CONFLICT DO NOTHING');
UPDATE parted SET p = 2;
SELECT is(pg_temp.ledger(), '{1,2} S1 met, {2,1} S2, {2,2} S1, {3,1} S2, {3,2} S1 met, {4,1} S2', 'under keys whose rows move to another partition');
SELECT is(pg_temp.wrong(), 0::bigint, 'each its own ticket');
SELECT pg_temp.reset();
INSERT INTO parted (id, s, replied) VALUES (1, 'S1', '2026-03-02 10:00'), (2, 'S1', NULL);
CREATE TRIGGER zzz AFTER DELETE ON parted FOR EACH ROW EXECUTE FUNCTION run('INSERT INTO parted (id, s) VALUES (%1$s, ''S2'')');
UPDATE parted SET p = 2;
SELECT is(pg_temp.ledger(), '{1,1} S2, {1,2} S1 met, {2,1} S2, {2,2} S1', 'under keys that have just been left');
SELECT is(pg_temp.wrong(), 0::bigint, 'each its own ticket');
SELECT pg_temp.reset();

-- Rows that change their keys once more before the first change is heard of
INSERT INTO flat (id, s, replied) VALUES (1, 'S1', '2026-03-02 10:00'), (2, 'S1', NULL);
CREATE TRIGGER "!!" AFTER UPDATE ON flat FOR EACH ROW EXECUTE FUNCTION run('UPDATE flat SET id = id + 100, s = ''S2'' WHERE id = %2$s');
UPDATE flat SET id = id + 10;
SELECT is(pg_temp.ledger(), '111 S2 met, 112 S2', 'twice renamed is one ticket');
SELECT is(pg_temp.wrong(), 0::bigint, 'and the only one');
SELECT pg_temp.reset();
INSERT INTO flat (id, s) VALUES (1, 'S1'), (2, 'S1');
CREATE TRIGGER "!!" AFTER UPDATE ON flat FOR EACH ROW EXECUTE FUNCTION run('DELETE FROM flat WHERE id = %2$s');
UPDATE flat SET id = id + 10 WHERE id = 1;
SELECT is(pg_temp.ledger(), '1 S1 deleted, 2 S1', 'renamed and deleted');
UPDATE flat SET s = 'S2';
SELECT is(pg_temp.ledger(), '1 S1 deleted, 2 S1 deleted', 'or just changed and deleted');
SELECT is(pg_temp.wrong(), 0::bigint, 'is gone');
SELECT pg_temp.reset();
INSERT INTO parted (id, s, replied) VALUES (1, 'S1', '2026-03-02 10:00'), (2, 'S1', NULL);
CREATE TRIGGER "!!" AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION run('UPDATE parted SET p = 3, s = ''S2'' WHERE id = %2$s');
UPDATE parted SET p = 2;
SELECT is(pg_temp.ledger(), '{1,3} S2 met, {2,3} S2', 'sent on to a third partition');
SELECT is(pg_temp.wrong(), 0::bigint, 'as one ticket');
UPDATE parted SET p = 1;
SELECT is(pg_temp.ledger(), '{1,3} S2 met, {2,3} S2', 'or back to where it was');
SELECT pg_temp.reset();
INSERT INTO parted (id, s, replied) VALUES (1, 'S1', '2026-03-02 10:00'), (2, 'S1', NULL);
CREATE TRIGGER "!!" AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION run('UPDATE parted SET id = id + 100, s = ''S2'' WHERE id = %2$s');
UPDATE parted SET p = 2;
SELECT is(pg_temp.ledger(), '{101,2} S2 met, {102,2} S2', 'moved, then renamed');
SELECT pg_temp.reset();
INSERT INTO parted (id, s) VALUES (1, 'S1'), (2, 'S1');
CREATE TRIGGER "!!" AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION run('DELETE FROM parted WHERE id = %2$s');
UPDATE parted SET p = 2 WHERE id = 1;
SELECT is(pg_temp.ledger(), '{1,1} S1 deleted, {2,1} S1', 'moved, then deleted');
SELECT is(pg_temp.wrong(), 0::bigint, 'is gone');
SELECT pg_temp.reset();

-- Within a function that undoes part of it
INSERT INTO flat (id, s) VALUES (1, 'S1'), (2, 'S1');
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		BEGIN
			INSERT INTO flat (id, s) VALUES (OLD.id, 'S2');
			RAISE 'undo';
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER "!!" AFTER DELETE OR UPDATE ON flat FOR EACH ROW EXECUTE FUNCTION fails();
DELETE FROM flat WHERE id = 1;
UPDATE flat SET id = 3 WHERE id = 2;
SELECT is(pg_temp.ledger(), '1 S1 deleted, 3 S1', 'a row whose coming was undone has not come');
SELECT is(pg_temp.wrong(), 0::bigint, 'at all');
SELECT pg_temp.reset();

-- What was unseen before is continued, also by rows that triggers insert
INSERT INTO flat (id, s) VALUES (1, 'S1');
SET LOCAL session_replication_role = replica;
DELETE FROM flat;
SET LOCAL session_replication_role = origin;
CREATE VIEW seen AS SELECT * FROM flat;
CREATE FUNCTION by_view() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO flat (id, s) VALUES (NEW.id, NEW.s); RETURN NEW; END $$;
CREATE TRIGGER t INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION by_view();
INSERT INTO seen (id, s) VALUES (1, 'S2');
SELECT is(pg_temp.ledger(), '1 S2', 'a row that left unseen and comes again is the same ticket');
DELETE FROM flat;
SELECT is(pg_temp.ledger(), '1 S2 deleted', 'and goes');

-- A row gets another key from a trigger of the update that is still to be heard of, and a new one comes under its own
SELECT pg_temp.reset();
INSERT INTO flat (id, s) VALUES (1, 'S1');
CREATE FUNCTION hand_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		UPDATE flat SET id = id + 10 WHERE id = NEW.id;
		INSERT INTO flat (id, s) VALUES (NEW.id, 'S2');
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER "!a" AFTER UPDATE ON flat FOR EACH ROW EXECUTE FUNCTION hand_over();
UPDATE flat SET s = 'S2', replied = '2026-03-02 10:00';
SELECT is(pg_temp.ledger(), '1 S2, 11 S2 met', 'the row goes on with its ticket, and the new one has its own');
SELECT is(pg_temp.wrong(), 0::bigint, 'both are there');

SELECT * FROM finish();
ROLLBACK;
