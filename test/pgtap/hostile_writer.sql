-- Writers of tickets who have no right on the ledger, by any of the ways there
-- are to write, and what they try to do to it.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(63);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2000000h", "calendar": "always"}]}');
CREATE ROLE sla_test_owner;
CREATE ROLE sla_test_writer;
CREATE ROLE sla_test_other;
CREATE SCHEMA desk AUTHORIZATION sla_test_owner;
CREATE SCHEMA own AUTHORIZATION sla_test_writer;
GRANT USAGE ON SCHEMA desk TO sla_test_writer, sla_test_other;
CREATE FUNCTION ledger() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity), ', ' ORDER BY t.key) FROM sla.ticket t $$;
-- all there is, but for what a writer may bring about by writing
CREATE FUNCTION all_of_it() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
	SELECT md5(string_agg(x, '|')) FROM (SELECT a::text FROM sla.attachment a UNION ALL SELECT t::text FROM sla.ticket t UNION ALL SELECT e::text FROM sla.event e
		UNION ALL SELECT c::text FROM sla.clock c UNION ALL SELECT h::text FROM sla.hours h UNION ALL SELECT d::text FROM sla.policy_edition d UNION ALL SELECT p::text FROM sla.policy p
		UNION ALL SELECT r::text FROM sla.restamp_progress r ORDER BY 1) s(x) $$;

SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.tickets (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00', tenant name DEFAULT current_user, note text);
SELECT sla.attach('desk.tickets', 'acme', 's', 'at');
CREATE FUNCTION desk.write(id int, s text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path TO pg_catalog, pg_temp AS $$
	INSERT INTO desk.tickets (id, s) VALUES (id, s) ON CONFLICT (id) DO UPDATE SET s = EXCLUDED.s $$;
CREATE VIEW desk.mine WITH (security_barrier) AS SELECT id, s FROM desk.tickets WHERE id < 1000;
GRANT SELECT, INSERT, UPDATE, DELETE ON desk.mine TO sla_test_other;
-- a column here and there is all he may write
GRANT INSERT (id, s, tenant), UPDATE (s, note), SELECT (id, s), DELETE ON desk.tickets TO sla_test_writer;

-- Ways to write
SET LOCAL ROLE sla_test_writer;
SELECT lives_ok($$INSERT INTO desk.tickets (id, s) VALUES (1, 'S1'), (2, 'S1')$$, 'rights to some columns are enough to insert');
SELECT lives_ok($$UPDATE desk.tickets SET s = 'S2' WHERE id = 1$$, 'and to update');
SELECT throws_ok($$UPDATE desk.tickets SET sla_response_due = now()$$, '42501', NULL, 'due times are not his');
SET LOCAL ROLE sla_test_other;
SELECT throws_ok($$SELECT FROM desk.tickets$$, '42501', NULL, 'who has no right on the table');
SELECT lives_ok($$INSERT INTO desk.mine VALUES (3, 'S1')$$, 'writes by a view');
SELECT lives_ok($$UPDATE desk.mine SET s = 'S2' WHERE id = 3$$, 'changes by it');
SELECT lives_ok($$SELECT desk.write(4, 'S1'), desk.write(3, 'S1')$$, 'and by a function of the owner''s');
SELECT is(ledger(), '1 open S2, 2 open S1, 3 open S1, 4 open S1', 'all of it is recorded');
SELECT lives_ok($$DELETE FROM desk.mine WHERE id = 4$$, 'deletes');
SELECT is(ledger(), '1 open S2, 2 open S1, 3 open S1, 4 deleted S1', 'recorded as well');

-- Row security, also for the owner
SET LOCAL ROLE sla_test_owner;
ALTER TABLE desk.tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk.tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON desk.tickets USING (tenant = current_user) WITH CHECK (tenant = current_user);
SELECT is((SELECT string_agg(id::text, ',' ORDER BY id) FROM desk.tickets), NULL, 'the owner does not see a row');
SELECT is(sla.record_rows('desk.tickets'), 3::bigint, 'the ledger is about all');
SELECT is(sla.reconcile('desk.tickets'), 0::bigint, 'none is taken for gone');
SELECT sla.restamp_begin('desk.tickets');
SELECT is(sla.restamp_step('desk.tickets', 10), false, 'restamped');
SELECT is(sla.record_event('desk.tickets', '1', 'replied', '2026-03-02 09:30'), 3, 'an event of a row he does not see');
SET LOCAL ROLE sla_test_writer;
UPDATE desk.tickets SET s = 'S1';
SELECT is(ledger(), '1 open S1, 2 open S1, 3 open S1, 4 deleted S1', 'a writer updates what he sees');
DELETE FROM desk.tickets;
SELECT is(ledger(), '1 deleted S1, 2 deleted S1, 3 open S1, 4 deleted S1', 'and deletes it');
SELECT throws_ok($$INSERT INTO desk.tickets (id, s, tenant) VALUES (5, 'S1', 'somebody')$$, '42501', NULL, 'what he may not write');
SELECT is(ledger(), '1 deleted S1, 2 deleted S1, 3 open S1, 4 deleted S1', 'is not recorded');
SELECT throws_ok($$INSERT INTO desk.tickets (id, s) VALUES (3, 'S2') ON CONFLICT (id) DO UPDATE SET s = EXCLUDED.s$$, '42501', NULL, 'nor is what he does not see');
INSERT INTO desk.tickets (id, s) VALUES (1, 'S1');
SET LOCAL row_security = off;
SELECT throws_ok($$UPDATE desk.tickets SET s = 'S2'$$, '42501', NULL, 'row security cannot be left out');
SET LOCAL row_security = on;

-- What settings of his can do: nothing
SET LOCAL ROLE sla_test_writer;
SELECT throws_ok(format('SET LOCAL %s', s), '42501', NULL, 'he cannot: ' || s) FROM unnest(ARRAY['session_replication_role = replica', 'ignore_checksum_failure = on', 'session_preload_libraries = ''x''']) s;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_seqscan = off;
SET LOCAL datestyle = 'German';
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL extra_float_digits = -15;
SET LOCAL standard_conforming_strings = off;
SET LOCAL backslash_quote = on;
SET LOCAL quote_all_identifiers = on;
SET LOCAL default_table_access_method = 'heap';
SET LOCAL check_function_bodies = off;
SET LOCAL transform_null_equals = on;
SET LOCAL xmloption = 'document';
SET LOCAL work_mem = '64kB';
SET LOCAL commit_siblings = 0;
SET LOCAL default_transaction_isolation = 'serializable';
INSERT INTO desk.tickets (id, s) VALUES (6, 'S1');
UPDATE desk.tickets SET s = 'S2' WHERE id = 6;
DELETE FROM desk.tickets WHERE id = 6;
RESET ROLE;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL timezone = 'UTC';
SET LOCAL standard_conforming_strings = on;
SET LOCAL quote_all_identifiers = off;
SET LOCAL enable_indexscan = on;
SET LOCAL enable_bitmapscan = on;
SET LOCAL enable_seqscan = on;
SET LOCAL transform_null_equals = off;
SET LOCAL check_function_bodies = on;
SELECT is((SELECT string_agg(e.kind || ' ' || coalesce(e.new_value, ''), ', ' ORDER BY seq) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id WHERE t.key = '6'), 'opened S1, severity S2, deleted ', 'the ledger is the same under all settings');

-- What he tries: forging and erasing by everything that is there
CREATE FUNCTION tries(command text, code text DEFAULT '42501') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before constant text := all_of_it();
BEGIN
	RETURN NEXT throws_ok(command, code, NULL, 'refused: ' || left(command, 100));
	IF all_of_it() <> before THEN
		RETURN NEXT fail('something changed by ' || command);
	END IF;
END $$;
SET LOCAL ROLE sla_test_writer;
SELECT tries(regexp_replace(c, 'TABLE(?! TABLE)', 'sla.' || t)) FROM unnest('{ticket,event,clock,alert,policy_edition,restamp_progress}'::text[]) t,
	unnest(ARRAY['LOCK TABLE IN EXCLUSIVE MODE', 'CREATE TRIGGER x AFTER INSERT ON TABLE FOR EACH ROW EXECUTE FUNCTION sla.record()', 'ALTER TABLE TABLE ADD x int',
		'CREATE INDEX ON TABLE ((1))']) c;
SELECT tries('CREATE TABLE own.child () INHERITS (sla.event)');
SELECT tries('CREATE TABLE own.fk (id bigint REFERENCES sla.ticket)');
SELECT tries('CREATE RULE r AS ON INSERT TO desk.tickets DO ALSO NOTHING');
SELECT tries('ALTER TABLE desk.tickets DISABLE TRIGGER ALL');
SELECT tries('DROP TRIGGER "!sla_record" ON desk.tickets');
SELECT tries('DROP EVENT TRIGGER sla_dropped');
SELECT tries('DROP EXTENSION slapolicy CASCADE');
SELECT tries('CREATE OR REPLACE FUNCTION sla.record() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''');
SELECT tries('TRUNCATE desk.tickets');

-- A table of his own with our triggers, shaped like the one that is attached
CREATE TABLE own.tickets (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00', tenant name DEFAULT current_user, note text,
	sla_response_due timestamptz, sla_reply_due timestamptz, sla_update_due timestamptz, sla_resolution_due timestamptz);
CREATE TRIGGER "~sla_stamp" BEFORE INSERT OR UPDATE ON own.tickets FOR EACH ROW EXECUTE FUNCTION sla.stamp('desk.tickets');
CREATE TRIGGER "!sla_record" AFTER INSERT OR UPDATE OR DELETE ON own.tickets FOR EACH ROW EXECUTE FUNCTION sla.record('desk.tickets');
CREATE TRIGGER "!sla_truncated" AFTER TRUNCATE ON own.tickets FOR EACH STATEMENT EXECUTE FUNCTION sla.truncated('desk.tickets');
SELECT all_of_it() AS before \gset
INSERT INTO own.tickets (id, s) VALUES (1, 'S1'), (77, 'S1');
UPDATE own.tickets SET s = 'S2', id = id + 1;
DELETE FROM own.tickets;
TRUNCATE own.tickets;
SELECT is(all_of_it(), :'before', 'our triggers on his own table record nothing');
CREATE TRIGGER t AFTER INSERT ON own.tickets FOR EACH STATEMENT EXECUTE FUNCTION sla.record();
SELECT throws_ok($$INSERT INTO own.tickets (id, s) VALUES (1, 'S1')$$, '39P01', NULL, 'nor for a statement');
DROP TRIGGER t ON own.tickets;
SELECT tries('ALTER TABLE own.tickets INHERIT desk.tickets');
SELECT tries('ALTER TABLE desk.tickets ATTACH PARTITION own.tickets DEFAULT');
DROP TABLE own.tickets;
SELECT is(all_of_it(), :'before', 'what he drops is nobody else''s');

SELECT * FROM finish();
ROLLBACK;
