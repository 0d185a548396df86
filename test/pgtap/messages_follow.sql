-- Messages count for their tickets, and what becomes of them follows
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(59);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "reply", "goal": "2h", "calendar": "always"},
		{"severity": "S1", "metric": "update", "goal": "3h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', touched int DEFAULT 0);
SELECT sla.attach('tickets', 'acme', 's', 'at');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO tickets (id) SELECT generate_series(1, 30);
CREATE TABLE messages (id int PRIMARY KEY, ticket int REFERENCES tickets ON UPDATE CASCADE ON DELETE CASCADE, at timestamptz, author text DEFAULT 'agent', internal boolean DEFAULT false, body text DEFAULT 'text', deleted_at timestamptz);
INSERT INTO messages (id, ticket, at) VALUES (1, 1, '2026-03-02 09:10');

CREATE FUNCTION due(key text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(to_char(sla_response_due, 'HH24:MI'), '-'), coalesce(to_char(sla_reply_due, 'HH24:MI'), '-'),
		coalesce(to_char(sla_update_due, 'HH24:MI'), '-')) FROM tickets WHERE id::text = key $$;
-- The events from messages that stand, by time
CREATE FUNCTION said(key text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', replace(e.kind, 'customer_replied', 'asked'), to_char(e.at, 'HH24:MI'), e.source), ', ' ORDER BY e.at, e.seq), '-')
	FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table = 'tickets'::regclass AND t.key = $1 AND e.source LIKE 'message%' AND e.kind <> 'retracted'
		AND NOT EXISTS (SELECT FROM sla.event r WHERE r.ticket_id = e.ticket_id AND r.kind = 'retracted' AND r.new_value::int = e.seq) $$;
CREATE FUNCTION version(key text) RETURNS int LANGUAGE sql AS $$ SELECT version FROM sla.ticket WHERE key = $1 $$;

SELECT is(sla.attach_messages('messages', 'tickets', 'ticket', 'at', 'author', agent_when => '{agent}', customer_when => '{customer}', internal => 'internal', content => 'body', only_when => '{"deleted_at": [null]}'),
	1::bigint, 'messages that are there count');
SELECT is(said('1') || '; ' || due('1'), 'replied 09:10 message 1; 10:00 - 12:10', 'an agent''s is a reply');

-- New ones
INSERT INTO messages (id, ticket, at, author) VALUES (2, 1, '2026-03-02 09:20', 'customer');
SELECT is(said('1') || '; ' || due('1'), 'replied 09:10 message 1, asked 09:20 message 2; 10:00 11:20 12:10', 'a customer''s begins a turn');
SELECT is((SELECT touched FROM tickets WHERE id = 1), 0, 'no trigger of the tickets fires');
SELECT is((SELECT string_agg(kind || coalesce(' ' || source, ''), ', ' ORDER BY seq) FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE key = '1'), 'opened, replied message 1, customer_replied message 2', 'each is one event');
INSERT INTO messages (id, ticket, at, author) VALUES (3, 1, '2026-03-02 09:30', 'bot'), (4, 1, '2026-03-02 09:30', NULL), (5, 1, NULL, 'agent'), (6, 1, 'infinity', 'agent'), (7, NULL, '2026-03-02 09:30', 'agent');
INSERT INTO messages (id, ticket, at, internal) VALUES (8, 1, '2026-03-02 09:30', true);
INSERT INTO messages (id, ticket, at, body) VALUES (9, 1, '2026-03-02 09:30', NULL), (10, 1, '2026-03-02 09:30', '');
INSERT INTO messages (id, ticket, at, deleted_at) VALUES (11, 1, '2026-03-02 09:30', '2026-03-02 09:31');
SELECT is(said('1') || ' ' || version('1'), 'replied 09:10 message 1, asked 09:20 message 2 3', 'neither known author nor time, a note, without content, deleted: they say nothing');

-- What becomes of them
UPDATE messages SET at = '2026-03-02 09:25' WHERE id = 2;
SELECT is(said('1') || '; ' || due('1'), 'replied 09:10 message 1, asked 09:25 message 2; 10:00 11:25 12:10', 'another time');
UPDATE messages SET body = 'edited' WHERE id = 2;
SELECT is(version('1'), 4, 'another text is no news');
UPDATE messages SET internal = true WHERE id = 2;
SELECT is(said('1') || '; ' || due('1'), 'replied 09:10 message 1; 10:00 - 12:10', 'it was a note');
UPDATE messages SET internal = NULL, author = 'agent' WHERE id = 2;
SELECT is(said('1'), 'replied 09:10 message 1, replied 09:25 message 2', 'somebody else wrote it');
UPDATE messages SET ticket = 2 WHERE id = 2;
SELECT is(said('1') || '; ' || said('2'), 'replied 09:10 message 1; replied 09:25 message 2', 'about another ticket');
UPDATE messages SET id = 12 WHERE id = 2;
SELECT is(said('2'), 'replied 09:25 message 12', 'another key');
UPDATE messages SET ticket = 3, at = '2026-03-02 09:40', author = 'customer', id = 13 WHERE id = 12;
SELECT is(said('2') || '; ' || said('3'), '-; asked 09:40 message 13', 'everything at once');
UPDATE messages SET ticket = NULL WHERE id = 13;
SELECT is(said('3'), '-', 'about none');
UPDATE messages SET deleted_at = now() WHERE id = 1;
SELECT is(said('1') || '; ' || due('1'), '-; 10:00 - -', 'deleted as applications do');
UPDATE messages SET deleted_at = NULL WHERE id = 1;
DELETE FROM messages WHERE id = 1;
SELECT is(said('1'), '-', 'and really');
SELECT is((SELECT count(*) FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE key = '1' AND kind = 'retracted'), 5::bigint, 'nothing was erased');

-- Statements with many
INSERT INTO messages (id, ticket, at, author) SELECT 100 + i, 4 + i % 2, '2026-03-02 09:00'::timestamptz + i * interval '1 min', CASE WHEN i % 4 < 2 THEN 'agent' ELSE 'customer' END FROM generate_series(1, 8) i;
SELECT is(said('4'), 'asked 09:02 message 102, replied 09:04 message 104, asked 09:06 message 106, replied 09:08 message 108', 'of many tickets');
SELECT is(version('4'), 2, 'each told once');
UPDATE messages SET ticket = 9 - ticket WHERE ticket IN (4, 5);
SELECT is(said('5'), 'asked 09:02 message 102, replied 09:04 message 104, asked 09:06 message 106, replied 09:08 message 108', 'moved');
DELETE FROM messages WHERE ticket IN (4, 5);
SELECT is(said('4') || said('5'), '--', 'and gone');
INSERT INTO messages (id, ticket, at) VALUES (200, 6, '2026-03-02 09:10'), (201, 6, '2026-03-02 09:11') ON CONFLICT DO NOTHING;
INSERT INTO messages (id, ticket, at) VALUES (200, 7, '2026-03-02 09:12'), (202, 7, '2026-03-02 09:13') ON CONFLICT (id) DO UPDATE SET ticket = EXCLUDED.ticket;
SELECT is(said('6') || '; ' || said('7'), 'replied 09:11 message 201; replied 09:10 message 200, replied 09:13 message 202', 'ON CONFLICT');
MERGE INTO messages m USING (VALUES (200), (201), (203)) v(id) ON m.id = v.id
	WHEN MATCHED AND v.id = 200 THEN DELETE WHEN MATCHED THEN UPDATE SET author = 'customer' WHEN NOT MATCHED THEN INSERT (id, ticket, at) VALUES (v.id, 6, '2026-03-02 09:20');
SELECT is(said('6') || '; ' || said('7'), 'asked 09:11 message 201, replied 09:20 message 203; replied 09:13 message 202', 'MERGE');
WITH t AS (INSERT INTO tickets (id) VALUES (40) RETURNING id) INSERT INTO messages (id, ticket, at) SELECT 204, id, '2026-03-02 09:10' FROM t;
SELECT is(said('40') || '; ' || due('40'), 'replied 09:10 message 204; 10:00 - 12:10', 'one statement for ticket and message');

-- Rolled back, in parts
SAVEPOINT s;
INSERT INTO messages (id, ticket, at) VALUES (210, 8, '2026-03-02 09:10');
ROLLBACK TO s;
SELECT is(said('8'), '-', 'what was rolled back was not said');
CREATE FUNCTION inside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id < 250 THEN
		INSERT INTO messages (id, ticket, at) VALUES (NEW.id + 50, NEW.ticket, NEW.at + interval '1 min');
		IF NEW.id % 2 = 0 THEN
			RAISE 'no' USING ERRCODE = 'P0001';
		END IF;
	END IF;
	RETURN NULL;
EXCEPTION WHEN raise_exception THEN
	RETURN NULL;
END $$;
CREATE TRIGGER inside AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION inside();
INSERT INTO messages (id, ticket, at) VALUES (220, 8, '2026-03-02 09:10'), (221, 8, '2026-03-02 09:20'), (222, 8, '2026-03-02 09:30'), (223, 8, '2026-03-02 09:40');
SELECT is(said('8'), 'replied 09:10 message 220, replied 09:20 message 221, replied 09:21 message 271, replied 09:30 message 222, replied 09:40 message 223, replied 09:41 message 273', 'messages inside messages, every other one rolled back');
DROP TRIGGER inside ON messages;
CREATE FUNCTION afterwards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.at < '2026-03-02 12:00' THEN
		UPDATE messages SET at = '2026-03-02 12:00', ticket = 10 WHERE id = NEW.id;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER " first" AFTER INSERT OR UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION afterwards();
INSERT INTO messages (id, ticket, at) VALUES (230, 9, '2026-03-02 09:10');
SELECT is(said('9') || '; ' || said('10'), '-; replied 12:00 message 230', 'a trigger that changes the message before ours sees it');
ALTER TABLE messages RENAME TO "the messages";
ALTER TABLE "the messages" RENAME TO messages;
ALTER TRIGGER " first" ON messages RENAME TO last;
ALTER TABLE messages DISABLE TRIGGER last;
UPDATE messages SET ticket = 9, at = '2026-03-02 12:01' WHERE id = 230;
ALTER TABLE messages ENABLE TRIGGER last;
UPDATE messages SET at = '2026-03-02 09:10' WHERE id = 230;
SELECT is(said('9') || '; ' || said('10'), '-; replied 12:00 message 230', 'or after');
DROP TRIGGER last ON messages;

-- The ticket's own fate
UPDATE tickets SET id = 50 WHERE id = 10;
SELECT is(said('50'), 'replied 12:00 message 230', 'the key of a ticket changes');
SELECT is(version('50'), 5, 'which is no news of its messages');
DELETE FROM tickets WHERE id = 50;
SELECT is(said('50'), 'replied 12:00 message 230', 'messages that go with their ticket were written all the same');
SELECT is((SELECT outcome FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '50' AND metric = 'response'), 'breached', 'and what they decided stays');

-- Tickets that come later
ALTER TABLE messages DROP CONSTRAINT messages_ticket_fkey;
SELECT lives_ok($$INSERT INTO messages (id, ticket, at) VALUES (300, 60, '2026-03-02 09:10'), (301, 60, '2026-03-02 09:20'), (302, 61, '2026-03-02 09:20')$$, 'messages of tickets that do not exist');
INSERT INTO tickets (id) VALUES (60);
SELECT is(said('60'), '-', 'are not known');
SELECT is(sla.record_messages('messages'), (SELECT count(*) FROM messages m JOIN tickets t ON t.id = m.ticket WHERE m.at < 'infinity' AND author IN ('agent', 'customer') AND internal IS NOT TRUE AND body <> '' AND deleted_at IS NULL), 'until they are recorded');
SELECT is(said('60') || '; ' || due('60'), 'replied 09:10 message 300, replied 09:20 message 301; 10:00 - 12:20', 'then they count');
SELECT is(version('60'), 2, 'as one change');
SELECT is(sla.record_messages('messages') > 0 AND version('60') = 2, true, 'to record them again changes nothing');

-- Triggers were off: what there is, is what counts
SET LOCAL session_replication_role = replica;
INSERT INTO messages (id, ticket, at) VALUES (310, 11, '2026-03-02 09:10');
UPDATE messages SET at = '2026-03-02 09:11' WHERE id = 300;
UPDATE messages SET ticket = 12 WHERE id = 301;
DELETE FROM messages WHERE id IN (220, 221);
SET LOCAL session_replication_role = origin;
SELECT is(said('11'), '-', 'nobody has noticed');
SELECT sla.record_messages('messages');
SELECT is(said('11') || '; ' || said('60') || '; ' || said('12'), 'replied 09:10 message 310; replied 09:11 message 300; replied 09:20 message 301', 'recorded, corrected, moved');
SELECT is(said('8'), 'replied 09:21 message 271, replied 09:30 message 222, replied 09:40 message 223, replied 09:41 message 273', 'and those that are gone are retracted');
TRUNCATE messages;
SELECT is(said('11'), 'replied 09:10 message 310', 'of TRUNCATE nobody is told');
SELECT is(sla.record_messages('messages'), 0::bigint, 'but there are none');
SELECT is(said('11') || said('8') || said('60'), '---', 'so there were none');

-- Detached, and attached again in another way
INSERT INTO messages (id, ticket, at) VALUES (400, 13, '2026-03-02 09:10');
SELECT lives_ok($$SELECT sla.detach_messages('messages')$$, 'detached');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'messages'::regclass AND NOT tgisinternal), 0::bigint, 'no trigger is left');
DELETE FROM messages WHERE id = 400;
INSERT INTO messages (id, ticket, at) VALUES (401, 14, '2026-03-02 09:10');
SELECT is(said('13') || '; ' || said('14'), 'replied 09:10 message 400; -', 'what was said stays, what is said is nothing');
SELECT throws_ok($$SELECT sla.record_messages('messages')$$, '55000', NULL, 'and cannot be recorded');
SELECT throws_ok($$SELECT sla.detach_messages('messages')$$, '42704', NULL, 'or detached again');
SELECT is(sla.attach_messages('messages', 'tickets', 'ticket', 'at', 'author', agent_when => '{}'), 1::bigint, 'attached with other authors');
SELECT is(said('13') || '; ' || said('14'), '-; asked 09:10 message 401', 'all is as it reads now');
SELECT is((SELECT count(*) FROM sla.message_attachment), 1::bigint, 'it is the same attachment');

-- The tickets are detached
SELECT sla.detach('tickets');
SELECT lives_ok($$INSERT INTO messages (id, ticket, at) VALUES (410, 15, '2026-03-02 09:10')$$, 'messages of tickets that are not attached any more');
SELECT throws_ok($$SELECT sla.record_messages('messages')$$, '55000', NULL, 'cannot be recorded');
SELECT sla.attach('tickets', 'acme', 's', 'at');
SELECT is(said('15'), '-', 'and are not known when they are attached again');
SELECT is(sla.record_messages('messages'), 2::bigint, 'until then');
DROP TABLE tickets CASCADE;
SELECT lives_ok($$INSERT INTO messages (id, ticket, at) VALUES (411, 15, '2026-03-02 09:10')$$, 'nor of tickets that are gone');
SELECT is((SELECT ticket_table::text || ' ' || (detached_at IS NULL) FROM sla.message_attachment), '- true', 'which is noted');
DROP TABLE messages;
SELECT is((SELECT messages_table::text || ' ' || (detached_at IS NULL) FROM sla.message_attachment), '- false', 'as is the end of the messages');

SELECT * FROM finish();
ROLLBACK;
