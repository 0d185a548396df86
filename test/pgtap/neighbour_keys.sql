-- Keys that rows hand on to each other, and rows whose keys look like what the
-- ledger makes of them.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(15);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2000000h", "calendar": "always"}]}');
CREATE TABLE tickets (id text PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00');
SELECT sla.attach('tickets', 'acme', 's', 'at');
-- of each ticket its key, severity and state, the oldest first
CREATE FUNCTION pg_temp.ledger() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', regexp_replace(t.key, '\(ticket ' || t.id || '\)', '(ticket N)', 'g'), t.severity, t.state), ', ' ORDER BY t.id) FROM sla.ticket t $$;
CREATE FUNCTION pg_temp.reset() RETURNS void LANGUAGE sql AS $$
	DELETE FROM tickets; DELETE FROM sla.event; DELETE FROM sla.clock; DELETE FROM sla.ticket $$;

-- A key is handed on from a deleted ticket
INSERT INTO tickets VALUES ('a', 'S1'), ('b', 'S2');
DELETE FROM tickets WHERE id = 'a';
UPDATE tickets SET id = 'a' WHERE id = 'b';
SELECT is(pg_temp.ledger(), 'a (ticket N) S1 deleted, a S2 open', 'the ticket whose row is gone gives its key away');
INSERT INTO tickets SELECT 'a (ticket ' || id || ')', 'S1' FROM sla.ticket WHERE key = 'a';
SELECT lives_ok($$DELETE FROM tickets WHERE id = 'a'$$, 'a row has a key like that of a ticket which gave its own away');
INSERT INTO tickets VALUES ('c', 'S1');
SELECT lives_ok($$UPDATE tickets SET id = 'a' WHERE id = 'c'$$, 'which does not keep it from doing so');
SELECT is(pg_temp.ledger(), 'a (ticket N) S1 deleted, a (ticket N) (ticket N) S2 deleted, a (ticket ' || (SELECT id FROM sla.ticket WHERE severity::text = 'S2') || ') S1 open, a S1 open',
	'all are told apart');
SELECT pg_temp.reset();

-- The row that still has the key is about to leave it: in which order rows are
-- written does not matter
INSERT INTO tickets VALUES ('a', 'S1'), ('b', 'S2');
INSERT INTO tickets SELECT 'b (ticket ' || id || ')', 'S1' FROM sla.ticket WHERE key = 'b';
CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		EXECUTE TG_ARGV[0];
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER first BEFORE UPDATE ON tickets FOR EACH ROW WHEN (NEW.id = 'd') EXECUTE FUNCTION run('UPDATE tickets SET id = ''e'' WHERE id = ''b''; UPDATE tickets SET id = ''b'' WHERE id = ''a''; UPDATE tickets SET id = ''a'' WHERE id = ''e''');
INSERT INTO tickets VALUES ('c', 'S1');
UPDATE tickets SET id = 'd' WHERE id = 'c';
SELECT is((SELECT string_agg(key || ' ' || severity, ', ' ORDER BY id) FROM sla.ticket WHERE key !~ 'ticket'), 'b S1, a S2, d S1', 'two rows exchange their keys');
DROP TRIGGER first ON tickets;
DELETE FROM tickets WHERE id = 'a';
UPDATE tickets SET id = 'a' WHERE id = 'b';
DELETE FROM tickets;
SELECT is((SELECT count(*) FROM sla.ticket WHERE state <> 'deleted'), 0::bigint, 'and go');
SELECT pg_temp.reset();

-- Around a ring
INSERT INTO tickets SELECT chr(117 - g), 'S' || (1 + g % 2) FROM generate_series(1, 20) g;
UPDATE tickets SET id = chr(ascii(id) + 1);
UPDATE tickets SET id = 'a' WHERE id = 'u';
SELECT is((SELECT count(*) FROM sla.ticket t JOIN tickets r ON r.id = t.key AND r.s = t.severity::text WHERE t.state = 'open'), 20::bigint, 'twenty keys move on');
SELECT is((SELECT count(*) FROM sla.event), 20::bigint, 'without an event');

-- A row that comes back under its key is the same ticket, one that comes under
-- another's former key is not
SELECT pg_temp.reset();
INSERT INTO tickets VALUES ('a', 'S1');
DELETE FROM tickets;
INSERT INTO tickets VALUES ('a', 'S2');
SELECT is(pg_temp.ledger(), 'a S2 open', 'a row comes back');
UPDATE tickets SET id = 'b';
INSERT INTO tickets VALUES ('a', 'S1');
SELECT is(pg_temp.ledger(), 'b S2 open, a S1 open', 'a new one takes a key that was left');

-- Keys that are long, or equal to the user's index but not to us
SELECT pg_temp.reset();
INSERT INTO tickets VALUES (repeat('x', 2000), 'S1'), (repeat('x', 2000) || 'y', 'S1');
UPDATE tickets SET id = repeat('x', 2000) || 'z' WHERE id ~ 'y';
DELETE FROM tickets WHERE id !~ 'z';
UPDATE tickets SET id = repeat('x', 2000);
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM sla.ticket), 'deleted open', 'long keys are handed on as well');
SELECT sla.detach('tickets');
CREATE COLLATION sla_test_any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
ALTER TABLE tickets ALTER COLUMN id TYPE text COLLATE sla_test_any_case;
SELECT sla.attach('tickets', 'acme', 's', 'at');
SELECT pg_temp.reset();
INSERT INTO tickets VALUES ('Ab', 'S1');
SELECT throws_ok($$INSERT INTO tickets VALUES ('aB', 'S1')$$, '23505', NULL, 'to the table they are the same');
UPDATE tickets SET id = 'aB';
SELECT is(pg_temp.ledger(), 'aB S1 open', 'the ledger has what the row has');
INSERT INTO tickets VALUES ('AB', 'S2') ON CONFLICT (id) DO UPDATE SET s = EXCLUDED.s;
SELECT is(pg_temp.ledger(), 'aB S2 open', 'and finds it again');
DELETE FROM tickets WHERE id = 'ab';
SELECT is(pg_temp.ledger(), 'aB S2 deleted', 'to the end');

SELECT * FROM finish();
ROLLBACK;
