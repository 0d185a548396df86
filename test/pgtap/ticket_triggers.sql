-- Triggers of the user's own, firing before ours and after, that change the
-- columns we read: ledger and due times follow the row as it ends up.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(38);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "10h", "calendar": "always"}]}');
CREATE TABLE tickets (
	id int PRIMARY KEY,
	priority text,
	created_at timestamptz DEFAULT '2026-03-02 09:00',
	first_reply_at timestamptz,
	closed_at timestamptz,
	changed_at timestamptz DEFAULT '2026-03-02 09:05',
	relaxed boolean GENERATED ALWAYS AS (sla_response_due > '2026-03-02 10:30+00') STORED,
	sla_response_due timestamptz);
CREATE INDEX ON tickets (sla_response_due);
SELECT sla.attach('tickets', 'acme', 'priority', 'created_at', 'first_reply_at', 'closed_at', 'changed_at');

CREATE FUNCTION pg_temp.ledger() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity, to_char(c.due_at, 'HH24:MI'), c.outcome), ', ' ORDER BY t.key)
	FROM sla.ticket t LEFT JOIN sla.clock c ON c.ticket_id = t.id AND metric = 'response' $$;
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', id, priority, coalesce(to_char(sla_response_due, 'HH24:MI'), '-'), coalesce(to_char(sla_resolution_due, 'HH24:MI'), '-')), ', ' ORDER BY id) FROM tickets $$;
CREATE FUNCTION pg_temp.events(key text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', e.kind, e.new_value), ', ' ORDER BY seq) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id WHERE t.key = $1 $$;
CREATE FUNCTION pg_temp.reset() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM tickets;
	DELETE FROM sla.event; DELETE FROM sla.clock; DELETE FROM sla.ticket;
	DROP TRIGGER IF EXISTS "!first" ON tickets;
	DROP TRIGGER IF EXISTS "~~last" ON tickets;
	DROP TRIGGER IF EXISTS middle ON tickets;
END $$;

CREATE FUNCTION set_priority() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.priority := TG_ARGV[0]; RETURN NEW; END $$;
CREATE FUNCTION set_reply() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.first_reply_at := '2026-03-02 09:30'; RETURN NEW; END $$;
CREATE FUNCTION set_due() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.sla_response_due := '1999-01-01'; RETURN NEW; END $$;
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
-- runs its argument once per row, with the row's id for %s
CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		EXECUTE format(TG_ARGV[0], CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END);
	END IF;
	RETURN coalesce(NEW, OLD);
END $$;

-- BEFORE triggers that fire before ours
CREATE TRIGGER middle BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION set_priority('S2');
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), '1 open S2 11:00', 'a BEFORE trigger ahead of ours: ledger');
SELECT is(pg_temp.rows(), '1 S2 11:00 -', 'and row');
SELECT pg_temp.reset();

-- BEFORE triggers that fire after ours
CREATE TRIGGER "~~last" BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION set_priority('S2');
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), '1 open S2 11:00', 'a BEFORE trigger behind ours: ledger');
SELECT is(pg_temp.rows(), '1 S2 11:00 -', 'and row, put right');
SELECT is((SELECT relaxed FROM tickets), true, 'with what is generated from it');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT id FROM tickets WHERE sla_response_due = '2026-03-02 11:00'), 1, 'and indexes');
RESET enable_seqscan;
UPDATE tickets SET priority = 'S1', closed_at = '2026-03-02 12:00';
SELECT is(pg_temp.ledger(), '1 resolved S2 11:00 breached', 'UPDATE likewise');
SELECT is(pg_temp.rows(), '1 S2 11:00 -', 'row');
SELECT pg_temp.reset();
CREATE TRIGGER "~~last" BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION set_due();
INSERT INTO tickets VALUES (1, 'S1'), (2, 'S2');
SELECT is(pg_temp.rows(), '1 S1 10:00 19:00, 2 S2 11:00 -', 'a due time written by somebody else does not last');
SELECT pg_temp.reset();
CREATE TRIGGER "~~last" BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION set_reply();
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), '1 open S1 10:00 met', 'a response given by a trigger');
SELECT pg_temp.reset();
CREATE TRIGGER "~~last" BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION skip();
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), NULL, 'a row that a trigger drops is not recorded');
SELECT pg_temp.reset();

-- AFTER triggers that update the same row again, ahead of ours and behind
CREATE TRIGGER "!first" AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION run('UPDATE tickets SET priority = ''S2'' WHERE id = %s');
INSERT INTO tickets VALUES (1, 'S1'), (2, 'S1');
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 2 open S2 11:00', 'an AFTER trigger ahead of ours that updates: ledger');
SELECT is(pg_temp.rows(), '1 S2 11:00 -, 2 S2 11:00 -', 'row');
SELECT is(pg_temp.events('1'), 'opened S2', 'one event says what came of it');
SELECT pg_temp.reset();
CREATE TRIGGER middle AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION run('UPDATE tickets SET priority = ''S2'' WHERE id = %s');
INSERT INTO tickets VALUES (1, 'S1'), (2, 'S1');
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 2 open S2 11:00', 'behind ours: ledger');
SELECT is(pg_temp.rows(), '1 S2 11:00 -, 2 S2 11:00 -', 'row');
SELECT is(pg_temp.events('1'), 'opened S1, severity S2', 'two events');
SELECT pg_temp.reset();
CREATE TRIGGER "!first" AFTER UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION run('UPDATE tickets SET first_reply_at = ''2026-03-02 09:30'' WHERE id = %s');
CREATE TRIGGER middle AFTER UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION run('UPDATE tickets SET closed_at = ''2026-03-02 09:40'' WHERE id = %s');
CREATE TRIGGER "~~last" BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION set_priority('S1');
INSERT INTO tickets VALUES (1, 'S2');
UPDATE tickets SET priority = 'S2', closed_at = '2026-03-02 12:00';
SELECT is(pg_temp.ledger(), '1 resolved S1 10:00 met', 'three triggers on one UPDATE: ledger');
SELECT is(pg_temp.rows(), '1 S1 10:00 19:00', 'row');
SELECT is((SELECT first_reply_at || ' ' || closed_at FROM tickets), '2026-03-02 09:30:00+00 2026-03-02 09:40:00+00', 'nobody''s change is lost');
SELECT pg_temp.reset();

-- AFTER triggers that delete, re-insert and rename
CREATE TRIGGER "!first" AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION run('DELETE FROM tickets WHERE id = %s');
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), NULL, 'deleted before it was recorded: it never was');
SELECT pg_temp.reset();
CREATE TRIGGER middle AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION run('DELETE FROM tickets WHERE id = %s');
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), '1 deleted S1 10:00 breached', 'deleted after it was recorded');
SELECT pg_temp.reset();
CREATE TRIGGER middle AFTER DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION run('INSERT INTO tickets VALUES (%s, ''S2'')');
INSERT INTO tickets VALUES (1, 'S1');
DELETE FROM tickets WHERE id = 1;
SELECT is(pg_temp.rows(), '1 S2 11:00 -', 'a row that cannot be deleted');
SELECT is((SELECT state FROM sla.ticket), 'open', 'is no deleted ticket');
DROP TRIGGER middle ON tickets;
SELECT pg_temp.reset();
CREATE TRIGGER "!first" AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION run('UPDATE tickets SET id = id + 100 WHERE id = %s');
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), '101 open S1 10:00', 'renamed before it was recorded');
SELECT pg_temp.reset();
CREATE TRIGGER middle AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION run('UPDATE tickets SET id = id + 100 WHERE id = %s');
INSERT INTO tickets VALUES (1, 'S1');
SELECT is(pg_temp.ledger(), '101 open S1 10:00', 'renamed after it was recorded');
SELECT pg_temp.reset();
INSERT INTO tickets VALUES (1, 'S1'), (2, 'S2'), (3, 'S2');
CREATE TRIGGER middle BEFORE UPDATE ON tickets FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION run('UPDATE tickets SET id = 1 WHERE id = 2 AND %s = 3');
UPDATE tickets SET id = CASE id WHEN 1 THEN 4 ELSE id END, priority = 'S1' WHERE id IN (1, 3);
SELECT is(pg_temp.ledger(), '1 open S2 11:00, 3 open S1 10:00, 4 open S1 10:00', 'a key taken before its loss was recorded');
SELECT pg_temp.reset();

-- An error in a later trigger takes everything with it
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE TRIGGER middle AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT throws_ok('INSERT INTO tickets VALUES (1, ''S1'')', 'P0001', 'no', 'a later trigger fails');
SELECT is(pg_temp.ledger(), NULL, 'and nothing is left');
SELECT pg_temp.reset();

-- Deferred triggers, statement triggers and foreign keys live beside ours
CREATE TABLE notes (ticket_id int REFERENCES tickets ON UPDATE CASCADE ON DELETE CASCADE);
CREATE CONSTRAINT TRIGGER middle AFTER INSERT ON tickets DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION run('UPDATE tickets SET priority = ''S2'' WHERE id = %s');
INSERT INTO tickets VALUES (1, 'S1');
INSERT INTO notes VALUES (1);
SELECT is(pg_temp.ledger(), '1 open S1 10:00', 'before a deferred trigger');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.ledger(), '1 open S2 11:00', 'and after it');
UPDATE tickets SET id = 5;
SELECT is((SELECT ticket_id FROM notes), 5, 'foreign keys follow');
SELECT is(pg_temp.ledger(), '5 open S2 11:00', 'and so does the ledger');
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents VALUES (1);
ALTER TABLE tickets ADD COLUMN parent int REFERENCES parents ON DELETE CASCADE;
UPDATE tickets SET parent = 1;
DELETE FROM parents;
SELECT is((SELECT state FROM sla.ticket), 'deleted', 'deleted by a foreign key');

-- Transition tables show the row as the statement left it
DELETE FROM notes;
SELECT pg_temp.reset();
CREATE TABLE seen (n bigint);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen SELECT count(*) FROM changed; RETURN NULL; END $$;
CREATE TRIGGER middle AFTER INSERT ON tickets REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION see();
CREATE TRIGGER "~~last" BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION set_priority('S2');
INSERT INTO tickets (id, priority) SELECT g, 'S1' FROM generate_series(1, 10) g;
SELECT is((SELECT n FROM seen), 10::bigint, 'statement triggers see each row once');
SELECT is((SELECT count(*) FROM tickets WHERE sla_response_due = '2026-03-02 11:00'), 10::bigint, 'all rows put right');

-- A constraint on a due time holds for what we write
DROP TRIGGER "~~last" ON tickets;
ALTER TABLE tickets ADD CHECK (sla_response_due < '2026-03-02 11:30');
SELECT lives_ok('UPDATE tickets SET changed_at = ''2026-03-02 11:20'', priority = ''S1'' WHERE id = 1', 'a due time within the constraint');
SELECT throws_ok('UPDATE tickets SET created_at = ''2026-03-02 10:31'' WHERE id = 2', '23514', NULL, 'and one outside');

SELECT * FROM finish();
ROLLBACK;
