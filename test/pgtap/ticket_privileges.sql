-- Who may do what: writers of tickets need no rights on the ledger and get none.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(82);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"}]}');
CREATE ROLE sla_test_owner;
CREATE ROLE sla_test_writer;
CREATE ROLE sla_test_stranger;
CREATE SCHEMA desk AUTHORIZATION sla_test_owner;
GRANT USAGE ON SCHEMA desk TO sla_test_writer, sla_test_stranger;
-- Writers do not even see the schema of the ledger.
REVOKE ALL ON SCHEMA sla FROM PUBLIC;
GRANT USAGE ON SCHEMA sla TO sla_test_owner, sla_test_stranger;
CREATE FUNCTION ledger(key text) RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT string_agg(concat_ws(' ', t.state, t.severity, to_char(c.due_at, 'HH24:MI'), c.outcome), ', ')
	FROM sla.ticket t LEFT JOIN sla.clock c ON c.ticket_id = t.id WHERE t.key = $1 $$;
CREATE FUNCTION state() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT md5(string_agg(x, '|')) FROM (SELECT a::text FROM sla.attachment a UNION ALL SELECT t::text FROM sla.ticket t UNION ALL SELECT e::text FROM sla.event e ORDER BY 1) s(x) $$;

-- An owner who is no superuser
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.tickets (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz, tenant name DEFAULT current_user);
INSERT INTO desk.tickets (s) VALUES ('S1');
SELECT is(sla.attach('desk.tickets', 'acme', 's', 'at', 'replied'), 1::bigint, 'an owner attaches his own table');
GRANT SELECT, INSERT, UPDATE, DELETE ON desk.tickets TO sla_test_writer;

-- A writer
SET LOCAL ROLE sla_test_writer;
SELECT lives_ok($$INSERT INTO desk.tickets (s) VALUES ('S2')$$, 'a writer inserts');
SELECT is((SELECT to_char(sla_response_due, 'HH24:MI') FROM desk.tickets WHERE id = 2), '11:00', 'stamped');
SELECT is(ledger('2'), 'open S2 11:00', 'and recorded');
SELECT lives_ok($$UPDATE desk.tickets SET s = 'S1' WHERE id = 2$$, 'updates');
SELECT lives_ok($$DELETE FROM desk.tickets WHERE id = 2$$, 'deletes');
SELECT is(split_part(ledger('2'), ' ', 1), 'deleted', 'recorded');
SELECT lives_ok($$INSERT INTO desk.tickets (s) VALUES ('none')$$, 'and may lack a severity');

-- reads, forges and erases nothing
RESET ROLE;
GRANT USAGE ON SCHEMA sla TO sla_test_writer;
SET LOCAL ROLE sla_test_writer;
SELECT throws_ok(format('SELECT FROM sla.%I', t), '42501', NULL, 'cannot read sla.' || t) FROM unnest('{ticket,event,clock,alert,clock_status,breach,compliance_by_month}'::text[]) t;
SELECT throws_ok(format('DELETE FROM sla.%I', t), '42501', NULL, 'cannot erase sla.' || t) FROM unnest('{attachment,ticket,event,clock,alert}'::text[]) t;
SELECT throws_ok(format('TRUNCATE sla.%I', t), '42501', NULL, 'cannot empty sla.' || t) FROM unnest('{attachment,ticket,event,clock,alert}'::text[]) t;
SELECT throws_ok(format('INSERT INTO sla.%I DEFAULT VALUES', t), '42501', NULL, 'cannot add to sla.' || t) FROM unnest('{attachment,ticket,event,clock,alert}'::text[]) t;
SELECT throws_ok(format('UPDATE sla.%I SET id = id', t), '42501', NULL, 'cannot change sla.' || t) FROM unnest('{attachment,ticket,clock,alert}'::text[]) t;
SELECT throws_ok($$UPDATE sla.event SET seq = seq$$, '42501', NULL, 'cannot change sla.event');
SELECT throws_ok(format('SELECT nextval(''sla.%I_id_seq'')', t), '42501', NULL, 'cannot move the ids of sla.' || t) FROM unnest('{attachment,ticket,clock,alert}'::text[]) t;
SELECT throws_ok($$SELECT sla.attach('desk.tickets', 'acme', 's', 'at')$$, '42501', NULL, 'cannot attach');
SELECT throws_ok($$SELECT sla.detach('desk.tickets')$$, '42501', NULL, 'cannot detach');
SELECT throws_ok($$SELECT sla.record_rows('desk.tickets')$$, '42501', NULL, 'cannot restamp');
SELECT throws_ok($$SELECT sla.register_attachment('desk.tickets', 'acme', '{}', NULL, '{}', 'record')$$, '42501', NULL, 'cannot register');
SELECT throws_ok($$SELECT sla.unregister_attachment('desk.tickets')$$, '42501', NULL, 'cannot unregister');
SELECT throws_ok($$SELECT sla.record()$$, '39P01', NULL, 'cannot call the trigger');
SELECT throws_ok($$SELECT sla.flag_due(now())$$, '42501', NULL, 'cannot flag');

-- The same for a stranger who owns another table
SET LOCAL ROLE sla_test_stranger;
SELECT throws_ok($$SELECT sla.unregister_attachment('desk.tickets')$$, '42501', 'must be owner of table tickets', 'a stranger is told');
SELECT throws_ok($$SELECT sla.record_rows(0)$$, '42P01', NULL, 'a table that is not there');
SELECT throws_ok($$SELECT sla.record_rows('sla.ticket')$$, '42501', NULL, 'nor is the ledger anybody''s');
SELECT throws_ok($$SELECT sla.register_attachment('pg_class', 'acme', '{}', NULL, '{}', 'record')$$, '42501', NULL, 'nor the catalog');
SELECT throws_ok($$CREATE TRIGGER x AFTER INSERT ON desk.tickets FOR EACH ROW EXECUTE FUNCTION sla.record()$$, '42501', NULL, 'triggers need the owner''s leave');
CREATE TEMP TABLE fake (id int, s text, at timestamptz);
CREATE TRIGGER x AFTER INSERT ON fake FOR EACH ROW EXECUTE FUNCTION sla.record();
SELECT lives_ok($$INSERT INTO fake VALUES (1, 'S1', now())$$, 'on a table of one''s own they record nothing');
SELECT is(ledger('1'), 'open S1 10:00', 'in nobody''s ledger');

-- An owner who writes his own registration
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.mine (id int PRIMARY KEY, s text, at timestamptz);
CREATE VIEW desk.seen AS SELECT * FROM desk.mine;
CREATE TRIGGER r AFTER INSERT OR UPDATE OR DELETE ON desk.mine FOR EACH ROW EXECUTE FUNCTION sla.record();
SELECT throws_ok($$SELECT sla.register_attachment('desk.seen', 'acme', '{"key": ["id"], "severity": "s", "received_at": "at"}', NULL, '{}', 'record')$$, '42809', NULL, 'no view gets in by the back door');
CREATE FUNCTION desk.tries(roles jsonb, map jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sla.register_attachment('desk.mine', 'acme', roles, map, '{}', 'record');
	INSERT INTO desk.mine VALUES (1000, 'S1', '2026-03-02 09:00');
	UPDATE desk.mine SET s = 'S2';
	DELETE FROM desk.mine;
	PERFORM sla.unregister_attachment('desk.mine');
	RETURN ledger('1000');
END $$;
SELECT is(desk.tries(r::jsonb, NULL), NULL, 'no columns to read: ' || r)
	FROM unnest(ARRAY['1', '"x"', '[]', '["a", "b"]', '{}', '{"key": []}', '{"key": [1], "severity": "s", "received_at": "at"}', '{"key": [{"id": "id"}], "severity": "s", "received_at": "at"}',
		'{"key": "id", "severity": "s", "received_at": "at"}', '{"key": ["id"], "severity": 7, "received_at": "at"}', '{"key": ["id"], "severity": "s", "received_at": "s"}', '{"key": ["id"], "severity": "ctid", "received_at": "at"}']) r;
SELECT is(desk.tries('{"key": ["id"], "severity": "s", "received_at": "at"}', m::jsonb), NULL, 'no map to read: ' || m)
	FROM unnest(ARRAY['1', '[]', '["S1"]', '{"S1": 1}', '{"S1": {"S1": "S1"}}', '{"S1": null}']) m;

-- Row security of the ticket table is for its rows; the ledger gets what goes in
ALTER TABLE desk.tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON desk.tickets USING (tenant = current_user) WITH CHECK (tenant = current_user);
SET LOCAL ROLE sla_test_writer;
INSERT INTO desk.tickets (s) VALUES ('S2');
SELECT is(ledger((SELECT max(id)::text FROM desk.tickets)), 'open S2 11:00', 'a row within the policy');
SELECT throws_ok($$INSERT INTO desk.tickets (s, tenant) VALUES ('S2', 'other')$$, '42501', NULL, 'and one outside');
SELECT is((SELECT count(*) FROM desk.tickets WHERE id = 1), 0::bigint, 'rows not seen');
UPDATE desk.tickets SET s = 'S1';
SELECT is(ledger('1'), 'open S1 10:00', 'are not touched');

-- Nothing of the writer's own is ever called
RESET ROLE;
CREATE SCHEMA trap;
DO $do$
DECLARE
	operator record;
BEGIN
	FOR operator IN SELECT o, t FROM unnest('{=,<,<>,>=,->}'::text[]) o, unnest('{text,int,bigint,timestamptz,name,oid,jsonb}'::text[]) t LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION trap.sprung(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE ''sprung''; END $$', operator.t);
		EXECUTE format('CREATE OPERATOR trap.%1$s (FUNCTION = trap.sprung, LEFTARG = %2$s, RIGHTARG = %2$s)', operator.o, operator.t);
	END LOOP;
END $do$;
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'sprung'; END $$;
CREATE FUNCTION trap.nextval(regclass) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'sprung'; END $$;
CREATE FUNCTION trap.jsonb_each_text(jsonb, OUT key text, OUT value text) RETURNS SETOF record LANGUAGE plpgsql AS $$ BEGIN RAISE 'sprung'; END $$;
CREATE TABLE trap.ticket (id int);
CREATE TABLE trap.attachment (id int);
GRANT USAGE ON SCHEMA trap TO PUBLIC;
SET LOCAL ROLE sla_test_writer;
SET LOCAL search_path = trap, pg_catalog, desk, public;
INSERT INTO desk.tickets (s) VALUES ('S2');
UPDATE desk.tickets SET replied = '2026-03-02 10:00', s = 'S1';
DELETE FROM desk.tickets;
SET LOCAL search_path = public;
SELECT pass('no trap was sprung by a writer');
SET LOCAL ROLE sla_test_owner;
SET LOCAL search_path = trap, pg_catalog, desk, public;
SELECT sla.detach('desk.tickets');
SELECT sla.attach('desk.tickets', 'acme', 's', 'at', 'replied', severity_map => '{"S1": "S1", "none": "S2"}');
SELECT sla.record_rows('desk.tickets');
SET LOCAL search_path = public;
SELECT pass('nor by an owner');
RESET ROLE;

-- Due times tell which accounts have contracts. The right to attach can be taken.
SELECT sla.load_policy('{"policy": "paid", "time_zone": "UTC", "entitlement": "contract",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "3h", "calendar": "always"}]}');
INSERT INTO sla.contract (account, policy, valid) VALUES ('Acme', 'paid', '[2026-01-01, 2027-01-01)');
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.guesses (account text PRIMARY KEY, at timestamptz DEFAULT '2026-03-02 09:00');
INSERT INTO desk.guesses VALUES ('Acme'), ('Globex');
SELECT throws_ok('SELECT FROM sla.contract', '42501', NULL, 'an owner may not read contracts');
SELECT sla.attach('desk.guesses', received_at => 'at', severity_default => 'S1', account => 'account');
SELECT results_eq('SELECT account FROM desk.guesses WHERE sla_response_due IS NOT NULL', $$VALUES ('Acme')$$, 'but learns who has one from due times');
SELECT sla.detach('desk.guesses');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION sla.register_attachment(regclass, text, jsonb, jsonb, jsonb, text) FROM PUBLIC;
SET LOCAL ROLE sla_test_owner;
SELECT throws_ok($$SELECT sla.attach('desk.guesses', received_at => 'at', severity_default => 'S1', account => 'account')$$, '42501', NULL,
	'unless the right to attach is taken from him');
RESET ROLE;
GRANT EXECUTE ON FUNCTION sla.register_attachment(regclass, text, jsonb, jsonb, jsonb, text) TO sla_test_owner;
SET LOCAL ROLE sla_test_owner;
SELECT lives_ok($$SELECT sla.attach('desk.guesses', received_at => 'at', severity_default => 'S1', account => 'account')$$, 'or given again');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
