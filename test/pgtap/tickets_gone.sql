-- Rows that go without a row trigger: TRUNCATE, DROP, partitions, and what
-- happened while no trigger fired.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(53);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "100000h", "calendar": "always"}]}');
CREATE ROLE sla_test_owner;
CREATE ROLE sla_test_writer;
CREATE SCHEMA desk AUTHORIZATION sla_test_owner;
GRANT USAGE ON SCHEMA desk TO sla_test_writer;
CREATE FUNCTION pg_temp.ledger(attachment int DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, c.outcome), ', ' ORDER BY t.key COLLATE "C")
	FROM sla.ticket t JOIN sla.clock c ON c.ticket_id = t.id AND c.metric = 'resolution'
	WHERE t.attachment_id = coalesce($1, (SELECT max(id) FROM sla.attachment)) $$;
CREATE FUNCTION pg_temp.events(key text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(kind, ' ' ORDER BY seq) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id
	WHERE t.key = $1 AND t.attachment_id = (SELECT max(id) FROM sla.attachment) $$;

-- TRUNCATE, by somebody who has no right on the ledger
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.tickets (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00', done timestamptz);
SELECT sla.attach('desk.tickets', 'acme', 's', 'at', resolved_at => 'done');
GRANT ALL ON desk.tickets TO sla_test_writer;
INSERT INTO desk.tickets VALUES (1, 'S1', DEFAULT, NULL), (2, 'S1', DEFAULT, '2026-03-02 09:30'), (3, 'none', DEFAULT, NULL);
SET LOCAL ROLE sla_test_writer;
SAVEPOINT before_truncate;
SELECT lives_ok('TRUNCATE desk.tickets', 'a writer truncates');
RESET ROLE;
SELECT is(pg_temp.ledger(), '1 deleted cancelled, 2 deleted met', 'all tickets are deleted, resolved ones too');
SELECT is((SELECT state FROM sla.ticket WHERE key = '3'), 'deleted', 'and those without promises');
SELECT is(pg_temp.events('2'), 'opened resolved deleted', 'as by DELETE');
INSERT INTO desk.tickets VALUES (2, 'S1', '2026-03-02 09:00', '2026-03-02 09:30');
SELECT is(pg_temp.events('2'), 'opened resolved deleted restored', 'a row with that key continues the ticket');
ROLLBACK TO before_truncate;
RESET ROLE;
SELECT is(pg_temp.ledger(), '1 open, 2 resolved met', 'what is rolled back was not');
CREATE TABLE notes (ticket_id int REFERENCES desk.tickets);
SELECT throws_ok('TRUNCATE desk.tickets', '0A000', NULL, 'a TRUNCATE that fails');
SELECT is(pg_temp.ledger(), '1 open, 2 resolved met', 'leaves all as it was');
SELECT lives_ok('TRUNCATE desk.tickets CASCADE', 'one that cascades');
SELECT is(pg_temp.ledger(), '1 deleted cancelled, 2 deleted met', 'does not');
SELECT lives_ok('TRUNCATE desk.tickets CASCADE', 'an empty table');
SELECT is((SELECT max(version) FROM sla.ticket), 2, 'has nothing to delete');
SELECT throws_ok('SELECT sla.truncated()', '39P01', NULL, 'the trigger cannot be called');
CREATE TABLE other (id int);
CREATE TRIGGER t AFTER TRUNCATE ON other FOR EACH STATEMENT EXECUTE FUNCTION sla.truncated();
SELECT lives_ok('TRUNCATE other', 'on a table that is not attached it does nothing');
CREATE TRIGGER t2 AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION sla.truncated();
SELECT throws_ok('INSERT INTO other VALUES (1)', '39P01', NULL, 'as another trigger it is an error');

-- DROP, by an owner who has no right on the ledger, and with what else goes
INSERT INTO desk.tickets VALUES (1, 'S1', DEFAULT, NULL), (2, 'S1', DEFAULT, '2026-03-02 09:30');
SET LOCAL ROLE sla_test_owner;
SAVEPOINT before_drop;
SELECT lives_ok('DROP TABLE desk.tickets CASCADE', 'an owner drops his table');
RESET ROLE;
SELECT is(pg_temp.ledger(), '1 deleted cancelled, 2 resolved met', 'clocks that ran end; what was settled stays');
SELECT is((SELECT ticket_table::text || (detached_at IS NOT NULL) FROM sla.attachment), '-true', 'the attachment has ended, its table is gone');
SELECT is(sla.flag_due('2200-01-01'), 1::bigint, 'a breach that had happened by then is flagged');
SELECT is(sla.flag_due('2200-01-01'), 0::bigint, 'and nothing after');
SELECT is((SELECT count(*) FROM sla.clock_status), 5::bigint, 'its tickets are reported on');
CREATE TABLE desk.tickets (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00');
INSERT INTO desk.tickets VALUES (1, 'S1');
SELECT sla.attach('desk.tickets', 'acme', 's', 'at');
SELECT is(pg_temp.events('1'), 'opened', 'a new table of that name has a record of its own');
DROP TABLE desk.tickets;
SELECT is((SELECT string_agg(ticket_table::text, ' ') FROM sla.attachment), '- -', 'any number of tables may be gone');
ROLLBACK TO before_drop;
RESET ROLE;
SELECT is((SELECT ticket_table::text || (detached_at IS NULL) FROM sla.attachment), 'desk.ticketstrue', 'a DROP that is rolled back was not');
SELECT is(pg_temp.ledger(), '1 open, 2 resolved met', 'nor the end of its tickets');
SAVEPOINT before_drop;
SELECT lives_ok('DROP SCHEMA desk CASCADE', 'with its schema');
SELECT is(pg_temp.ledger(), '1 deleted cancelled, 2 resolved met', 'the same');
ROLLBACK TO before_drop;
SELECT lives_ok('DROP OWNED BY sla_test_owner CASCADE', 'with all that its owner has');
SELECT is(pg_temp.ledger(), '1 deleted cancelled, 2 resolved met', 'the same');
ROLLBACK TO before_drop;
SELECT sla.detach('desk.tickets');
UPDATE sla.attachment SET detached_at = '2026-03-03 12:00';
DROP TABLE desk.tickets CASCADE;
SELECT is((SELECT ticket_table::text || ' ' || detached_at FROM sla.attachment), '- 2026-03-03 12:00:00+00', 'a table that was detached before');
ROLLBACK TO before_drop;
SET LOCAL session_replication_role = replica;
DROP TABLE desk.tickets CASCADE;
SELECT is(pg_temp.ledger(), '1 deleted cancelled, 2 resolved met', 'also while other triggers do not fire');
ROLLBACK TO before_drop;

-- Whatever is wrong with the ledger keeps nobody from dropping anything
CREATE FUNCTION fails(text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF $1 = 'deleted' THEN RAISE 'out of order'; END IF; RETURN 1; END $$;
UPDATE sla.event SET kind = 'resolved' WHERE kind = 'deleted';
CREATE INDEX broken ON sla.event (fails(kind));
SELECT lives_ok('DROP TABLE desk.tickets CASCADE', 'a table is dropped');
SELECT is((SELECT ticket_table::text || (detached_at IS NULL) FROM sla.attachment), '-true', 'its record has not ended');
DROP INDEX sla.broken;
SELECT is((SELECT ticket_table::text || (detached_at IS NULL) FROM sla.attachment), '-false', 'it does with the next DROP');
ROLLBACK TO before_drop;
CREATE TEMP TABLE passing (id int);
SELECT lives_ok('DROP TABLE passing', 'other tables are nobody''s business');
SELECT is((SELECT detached_at FROM sla.attachment), NULL, 'nor are we theirs');
SELECT throws_ok('SELECT sla.dropped()', '39P01', NULL, 'the event trigger cannot be called');

-- Partitions: truncated, detached and dropped ones are found by reconciling
CREATE TABLE parts (region text, id int, s text, at timestamptz DEFAULT '2026-03-02 09:00', PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
CREATE TABLE parts_c PARTITION OF parts FOR VALUES IN ('c');
CREATE TABLE parts_d PARTITION OF parts FOR VALUES IN ('d');
SELECT sla.attach('parts', 'acme', 's', 'at');
INSERT INTO parts VALUES ('a', 1, 'S1'), ('b', 1, 'S1'), ('c', 1, 'S1'), ('d', 1, 'S1');
TRUNCATE parts_a;
ALTER TABLE parts DETACH PARTITION parts_b;
DROP TABLE parts_c;
SELECT is(pg_temp.ledger(), '{a,1} open, {b,1} open, {c,1} open, {d,1} open', 'nothing says that their rows are gone');
SELECT is(sla.reconcile('parts'), 3::bigint, 'they are looked for');
SELECT is(pg_temp.ledger(), '{a,1} deleted cancelled, {b,1} deleted cancelled, {c,1} deleted cancelled, {d,1} open', 'and recorded');
SELECT is(sla.reconcile('parts'), 0::bigint, 'once');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'parts_b'::regclass), 0::bigint, 'a partition that is detached has no triggers');
UPDATE parts_b SET s = 'S2';
UPDATE parts_b SET s = 'S1';
ALTER TABLE parts ATTACH PARTITION parts_b FOR VALUES IN ('b');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'parts_b'::regclass), 2::bigint, 'attached again it has them');
UPDATE parts SET at = '2026-03-02 08:00' WHERE region = 'b';
SELECT is(pg_temp.events('{b,1}'), 'opened deleted restored retracted opened', 'and a row that says something new is recorded');
CREATE TABLE parts_e (LIKE parts INCLUDING ALL);
INSERT INTO parts_e VALUES ('e', 1, 'S1');
ALTER TABLE parts ATTACH PARTITION parts_e FOR VALUES IN ('e');
SELECT is(sla.reconcile('parts'), 1::bigint, 'rows that come with a partition');
SELECT is(pg_temp.ledger(), '{a,1} deleted cancelled, {b,1} open, {c,1} deleted cancelled, {d,1} open, {e,1} open', 'are recorded');
SELECT is((SELECT count(*) FROM parts WHERE sla_response_due IS NOT NULL), 3::bigint, 'and stamped');
TRUNCATE parts;
SELECT is((SELECT string_agg(DISTINCT state, ' ') FROM sla.ticket WHERE key LIKE '{%'), 'deleted', 'the whole table truncated is no matter for reconciling');

-- What happened while no trigger fired
INSERT INTO parts VALUES ('a', 1, 'S1'), ('a', 2, 'S1');
SET LOCAL session_replication_role = replica;
DELETE FROM parts WHERE id = 1;
UPDATE parts SET s = 'none' WHERE id = 2;
INSERT INTO parts VALUES ('a', 3, 'S1');
RESET session_replication_role;
SELECT is(sla.reconcile('parts'), 3::bigint, 'deleted, changed and added behind our back');
SELECT is((SELECT string_agg(key || ' ' || state || coalesce(' ' || exempt, ''), ', ' ORDER BY key) FROM sla.ticket WHERE key LIKE '{a%'),
	'{a,1} deleted, {a,2} open error: s "none" maps to no severity, {a,3} open', 'all of it is recorded');
SELECT throws_ok($$SELECT sla.reconcile('parts_a')$$, '55000', NULL, 'a partition alone is not reconciled');
SELECT throws_ok($$SELECT sla.reconcile('other')$$, '55000', NULL, 'nor what is not attached');
SET LOCAL ROLE sla_test_writer;
SELECT throws_ok($$SELECT sla.reconcile('desk.tickets')$$, '42501', NULL, 'nor by somebody else');

SELECT * FROM finish();
ROLLBACK;
