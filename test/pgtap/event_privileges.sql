-- Who may record events and messages, and as whom what they set off is done
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(50);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "update", "goal": "2h", "calendar": "always"}]}');
CREATE ROLE sla_test_owner;
CREATE ROLE sla_test_member IN ROLE sla_test_owner;
CREATE ROLE sla_test_writer;
CREATE ROLE sla_test_other;
CREATE SCHEMA desk AUTHORIZATION sla_test_owner;
GRANT USAGE ON SCHEMA desk TO sla_test_writer, sla_test_other;
CREATE FUNCTION ledger(key text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT string_agg(concat_ws(' ', e.kind, e.source), ', ' ORDER BY e.seq) FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = $1 $$;

SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', requester text DEFAULT 'ann');
SELECT sla.attach('desk.tickets', 'acme', 's', 'at');
INSERT INTO desk.tickets (id) SELECT generate_series(1, 9);
CREATE TABLE desk.messages (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket int, at timestamptz DEFAULT '2026-03-02 09:10', author text DEFAULT 'bob');
GRANT INSERT, UPDATE, DELETE, SELECT ON desk.messages TO sla_test_writer;
CREATE FUNCTION desk.call_ended(ticket int, at timestamptz) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path TO pg_catalog, pg_temp
	AS $$SELECT sla.record_event('desk.tickets', $1::text, 'replied', $2)$$;
GRANT EXECUTE ON FUNCTION desk.call_ended TO sla_test_writer;

-- The owner, who is no superuser, and his members
SELECT is(sla.record_event('desk.tickets', '1', 'replied', '2026-03-02 09:10'), 2, 'an owner records events of his tickets');
SELECT is(sla.pin_due('desk.tickets', '2', 'response', '2026-03-03', '2026-03-02 09:10'), 2, 'and pins due times');
SELECT is(sla.attach_messages('desk.messages', 'desk.tickets', 'ticket', 'at', 'author', customer => 'requester'), 0::bigint, 'and attaches messages');
SET LOCAL ROLE sla_test_member;
SELECT is(sla.record_event('desk.tickets', '1', 'replied', '2026-03-02 09:20'), 3, 'so does a member');
SELECT is(sla.record_messages('desk.messages'), 0::bigint, 'of both tables');

-- Everybody else
SET LOCAL ROLE sla_test_writer;
SELECT throws_ok($$SELECT sla.record_event('desk.tickets', '1', 'replied', '2026-03-02 09:10')$$, '42501', 'must be owner of table tickets', 'a writer does not');
SELECT throws_ok($$SELECT sla.pin_due('desk.tickets', '1', 'response', '2026-03-03', '2026-03-02 09:10')$$, '42501', NULL, 'nor pin');
SELECT throws_ok($$SELECT sla.attach_messages('desk.messages', 'desk.tickets', 'ticket', 'at', 'author', customer => 'requester')$$, '42501', NULL, 'nor attach');
SELECT throws_ok($$SELECT sla.register_messages('desk.messages', 'desk.tickets', '{}', '{}')$$, '42501', NULL, 'not even directly');
SELECT throws_ok($$SELECT sla.record_messages('desk.messages')$$, '42501', NULL, 'nor have them recorded');
SELECT throws_ok($$SELECT sla.detach_messages('desk.messages')$$, '42501', NULL, 'nor detach');
SELECT throws_ok($$SELECT sla.message()$$, '39P01', NULL, 'nor call the trigger');
SELECT is(desk.call_ended(3, '2026-03-02 09:30'), 2, 'but what the owner lets him');
SELECT is(ledger('3'), 'opened, replied api', 'is recorded');
SELECT throws_ok(format('%s sla.message_attachment', c), '42501', NULL, c || ' what is attached: no') FROM unnest('{DELETE FROM,TRUNCATE}'::text[]) c;

-- Writers of messages need no rights on tickets and ledger
RESET ROLE;
REVOKE ALL ON SCHEMA sla FROM PUBLIC;
GRANT USAGE ON SCHEMA sla TO sla_test_owner, sla_test_other;
SET LOCAL ROLE sla_test_writer;
SELECT throws_ok('SELECT FROM desk.tickets', '42501', NULL, 'who cannot even see a ticket');
INSERT INTO desk.messages (ticket) VALUES (4), (5), (99), (NULL);
SELECT is(ledger('4'), 'opened, replied message 1', 'writes messages about it');
UPDATE desk.messages SET ticket = 5 WHERE id = 1;
DELETE FROM desk.messages WHERE id = 2;
SELECT is(ledger('4') || '; ' || ledger('5'), 'opened, replied message 1, retracted message 1; opened, replied message 2, replied message 1, retracted message 2', 'changes and deletes them');

-- An owner of the one table only
SET LOCAL ROLE sla_test_other;
CREATE TEMP TABLE mine (id int PRIMARY KEY, ticket int, at timestamptz, author text);
SELECT throws_ok($$SELECT sla.attach_messages('mine', 'desk.tickets', 'ticket', 'at', 'author', agent_when => '{a}')$$, '42809', NULL, 'a temporary table has no messages');
RESET ROLE;
CREATE SCHEMA other AUTHORIZATION sla_test_other;
SET LOCAL ROLE sla_test_other;
CREATE TABLE other.mine (id int PRIMARY KEY, ticket int, at timestamptz, author text);
SELECT throws_ok($$SELECT sla.attach_messages('other.mine', 'desk.tickets', 'ticket', 'at', 'author', agent_when => '{a}')$$, '42501', NULL, 'tickets of others get no messages');
SELECT throws_ok($$SELECT sla.register_messages('other.mine', 'desk.tickets', '{"at": "at", "key": ["id"], "author": "author", "ticket": ["ticket"]}', '{"agent_when": ["a"]}')$$, '42501', NULL, 'by no way');
CREATE TRIGGER m AFTER INSERT ON other.mine FOR EACH ROW EXECUTE FUNCTION sla.message();
SELECT lives_ok($$INSERT INTO other.mine VALUES (1, 1, now(), 'a')$$, 'the trigger of a table that is not attached lets all in');
SELECT is(ledger('1'), 'opened, replied api, replied api', 'and records nothing');
SELECT throws_ok($$CREATE TRIGGER m BEFORE INSERT ON other.mine FOR EACH ROW EXECUTE FUNCTION sla.message(); INSERT INTO other.mine VALUES (2, 1, now(), 'a')$$, '42710', NULL, 'once');
CREATE TRIGGER b BEFORE INSERT ON other.mine FOR EACH ROW EXECUTE FUNCTION sla.message();
SELECT throws_ok($$INSERT INTO other.mine VALUES (2, 1, now(), 'a')$$, '39P01', NULL, 'before a row it has nothing to say');

-- An owner who writes his own registration
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.own (id int PRIMARY KEY, ticket int, at timestamptz, author text);
CREATE TRIGGER m AFTER INSERT OR UPDATE OR DELETE ON desk.own FOR EACH ROW EXECUTE FUNCTION sla.message();
CREATE FUNCTION desk.tries(roles jsonb, options jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before constant text := ledger('6');
BEGIN
	PERFORM sla.register_messages('desk.own', 'desk.tickets', roles, options);
	INSERT INTO desk.own VALUES (1, 6, '2026-03-02 09:40', 'a');
	UPDATE desk.own SET at = '2026-03-02 09:50';
	DELETE FROM desk.own;
	PERFORM sla.unregister_messages('desk.own');
	RETURN (SELECT sum(length(ledger('6')) - length(before)));
END $$;
SELECT is(desk.tries(r::jsonb, '{}'), 0::bigint, 'no columns to read: ' || r)
	FROM unnest(ARRAY['1', '"x"', '[]', '["a", "b"]', '{}', '{"key": []}', '{"key": [1], "ticket": ["ticket"], "at": "at", "author": "author"}', '{"key": ["id"], "ticket": "ticket", "at": "at", "author": "author"}',
		'{"key": ["id"], "ticket": ["ticket"], "at": 7, "author": "author"}', '{"key": ["id"], "ticket": ["ticket"], "at": "ticket", "author": "author"}', '{"key": ["id"], "ticket": ["ticket"], "at": "at"}',
		'{"key": ["id"], "ticket": ["ctid"], "at": "at", "author": "author"}']) r;
SELECT isnt(desk.tries('{"key": ["id"], "ticket": ["ticket"], "at": "at", "author": "author"}', o::jsonb), NULL, 'odd options: ' || o)
	FROM unnest(ARRAY['1', '[]', '{"agent_when": "a"}', '{"agent_when": [1]}', '{"only_when": [1]}', '{"only_when": {"author": "a"}}', '{"only_when": {"author": [1]}}', '{"timestamps_in": "Nowhere/None"}']) o;

-- What the row's own table calls is called as its owner, by no path of others
RESET ROLE;
CREATE SCHEMA trap;
GRANT ALL ON SCHEMA trap TO PUBLIC;
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.seen (who text, path text);
CREATE FUNCTION desk.look() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO desk.seen VALUES (current_user, current_setting('search_path'));
	RETURN length('x') = 1;
END $$;
ALTER TABLE desk.tickets ADD CHECK (desk.look());
DELETE FROM desk.seen;
SET LOCAL ROLE sla_test_writer;
CREATE FUNCTION trap.length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'sprung by %', current_user; END $$;
SET LOCAL search_path = trap, pg_catalog, public;
SELECT lives_ok($$INSERT INTO desk.messages (ticket) VALUES (7), (8)$$, 'a writer sets traps in his path');
SELECT lives_ok($$SELECT desk.call_ended(9, '2026-03-02 09:05')$$, 'and calls what he may');
RESET ROLE;
SET LOCAL search_path = public;
SELECT is((SELECT string_agg(DISTINCT who || ': ' || path, '; ') || ', ' || count(*) FROM desk.seen), 'sla_test_owner: pg_catalog, pg_temp, 3', 'rows are stamped as their owner, by his path');
SELECT is((SELECT count(sla_update_due) FROM desk.tickets WHERE id IN (7, 8, 9)), 3::bigint, 'all of them');

SELECT * FROM finish();
ROLLBACK;
