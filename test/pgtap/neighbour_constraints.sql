-- Constraints of the ticket table hold for rows that are stamped once more:
-- those checked at once, after the statement, and at commit.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(29);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"}]}');
CREATE FUNCTION set_s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.s := TG_ARGV[0]; RETURN NEW; END $$;
CREATE FUNCTION pg_temp.ledger(ticket_table regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity, to_char(c.due_at, 'HH24:MI')), ', ' ORDER BY t.key)
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id LEFT JOIN sla.clock c ON c.ticket_id = t.id
	WHERE a.ticket_table = $1 $$;

-- A unique constraint that is checked at commit. A trigger behind ours makes
-- every row be stamped twice, an index on the due time makes the second a new
-- version in all indexes.
CREATE TABLE late (id int PRIMARY KEY, u int CONSTRAINT late_u UNIQUE DEFERRABLE INITIALLY DEFERRED, s text, at timestamptz DEFAULT '2026-03-02 09:00');
SELECT sla.attach('late', 'acme', 's', 'at');
CREATE INDEX ON late (sla_response_due);
CREATE TRIGGER "~~last" BEFORE INSERT OR UPDATE ON late FOR EACH ROW EXECUTE FUNCTION set_s('S2');
SAVEPOINT clean;
INSERT INTO late VALUES (1, 5, 'S1');
SELECT lives_ok('INSERT INTO late VALUES (2, 5, ''S1'')', 'a unique constraint may be broken for a while');
SELECT is(pg_temp.ledger('late'), '1 open S2 11:00, 2 open S2 11:00', 'both rows are recorded');
SELECT throws_ok('SET CONSTRAINTS ALL IMMEDIATE', '23505', NULL, 'but not for good');
ROLLBACK TO clean;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO late VALUES (1, 5, 'S1');
INSERT INTO late VALUES (2, 5, 'S1');
UPDATE late SET u = 6 WHERE id = 1;
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', 'mended in time');
SELECT is((SELECT string_agg(id || ' ' || u, ', ' ORDER BY id) FROM late), '1 6, 2 5', 'it is fine');
SELECT throws_ok('INSERT INTO late VALUES (3, 5, ''S1'')', '23505', NULL, 'a deferrable constraint that is not deferred');
SELECT lives_ok('UPDATE late SET u = 11 - u', 'is checked after the statement');
SELECT is((SELECT string_agg(id || ' ' || u, ', ' ORDER BY id) FROM late), '1 5, 2 6', 'which exchanges the values');
SELECT throws_ok('UPDATE late SET u = 5', '23505', NULL, 'or makes them the same');
ROLLBACK TO clean;
SET CONSTRAINTS ALL DEFERRED;

-- Stamping rows outside the statement that wrote them would lose the check.
INSERT INTO late VALUES (1, 5, 'S1'), (2, 5, 'S1');
SELECT throws_ok($$SELECT sla.record_rows('late')$$, '55006', NULL, 'what is to be checked at commit has to be first');
SELECT throws_ok($$SELECT sla.reconcile('late')$$, '55006', NULL, 'reconciling likewise');
UPDATE late SET u = id;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT lives_ok($$SELECT sla.record_rows('late')$$, 'then rows are recorded');
ROLLBACK TO clean;
SET CONSTRAINTS ALL DEFERRED;

-- Exclusion constraints
CREATE TABLE rooms (id int PRIMARY KEY, room text, s text, at timestamptz DEFAULT '2026-03-02 09:00', EXCLUDE (room WITH =) DEFERRABLE INITIALLY DEFERRED);
SELECT sla.attach('rooms', 'acme', 's', 'at');
CREATE INDEX ON rooms (sla_response_due);
CREATE TRIGGER "~~last" BEFORE INSERT OR UPDATE ON rooms FOR EACH ROW EXECUTE FUNCTION set_s('S2');
SAVEPOINT clean;
INSERT INTO rooms VALUES (1, 'a', 'S1'), (2, 'a', 'S1');
SELECT throws_ok('SET CONSTRAINTS ALL IMMEDIATE', '23P01', NULL, 'an exclusion constraint at commit');
ROLLBACK TO clean;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO rooms VALUES (1, 'a', 'S1'), (2, 'b', 'S1');
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', 'that holds');
ALTER TABLE rooms ADD CONSTRAINT apart EXCLUDE (sla_response_due WITH =) WHERE (id > 10);
SELECT throws_ok($$INSERT INTO rooms VALUES (11, 'c', 'S1'), (12, 'd', 'S1')$$, '23P01', NULL, 'one on due times, at once');

-- A row that trigger functions of a deferred constraint trigger find, and that
-- records by sla.record itself
SET CONSTRAINTS ALL DEFERRED;
CREATE TABLE own (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED, s text, at timestamptz DEFAULT '2026-03-02 09:00');
SELECT sla.attach('own', 'acme', 's', 'at');
CREATE INDEX ON own (sla_response_due);
ALTER TABLE own DISABLE TRIGGER "!sla_record";
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON own DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sla.record();
CREATE TRIGGER "~~last" BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION set_s('S2');
INSERT INTO own VALUES (1, 1, 'S1');
SELECT is(pg_temp.ledger('own'), NULL, 'sla.record as a deferred trigger');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.ledger('own'), '1 open S2 11:00', 'records at commit');
SELECT is((SELECT to_char(sla_response_due, 'HH24:MI') FROM own), '11:00', 'and puts the row right');
SET CONSTRAINTS ALL DEFERRED;

-- Identity, generated columns of and beside roles, domains, defaults
CREATE DOMAIN ticket_no AS int CHECK (value < 1000);
CREATE DOMAIN moment AS timestamptz NOT NULL;
CREATE TABLE rich (
	id int GENERATED ALWAYS AS IDENTITY,
	no ticket_no UNIQUE NOT NULL DEFAULT 1,
	s text DEFAULT 'S1',
	at moment DEFAULT '2026-03-02 09:00',
	label text GENERATED ALWAYS AS (s || ' ' || no::int::text) STORED,
	sla_response_due timestamptz DEFAULT '1999-01-01',
	due_text timestamp GENERATED ALWAYS AS (sla_response_due AT TIME ZONE 'UTC') STORED);
SELECT lives_ok($$SELECT sla.attach('rich', 'acme', 's', 'at', key => '{no}')$$, 'key and times of domains');
INSERT INTO rich DEFAULT VALUES;
SELECT is(pg_temp.ledger('rich'), '1 open S1 10:00', 'a row of defaults');
SELECT is((SELECT due_text FROM rich), '2026-03-02 10:00', 'what is generated from the due time');
SELECT throws_ok('UPDATE rich SET no = 1000', '23514', NULL, 'a domain holds');
SELECT throws_ok('UPDATE rich SET at = NULL', '23502', NULL, 'NOT NULL, too');
CREATE TRIGGER "~~last" BEFORE INSERT OR UPDATE ON rich FOR EACH ROW EXECUTE FUNCTION set_s('S2');
INSERT INTO rich (no) VALUES (2);
SELECT is((SELECT label || due_text FROM rich WHERE no = 2), 'S2 22026-03-02 11:00:00', 'generated anew when a row is put right');
SELECT sla.detach('rich');
SELECT throws_ok($$SELECT sla.attach('rich', 'acme', 'label', 'at', key => '{no}')$$, '428C9', NULL, 'a generated column has no role');

-- A key of several types, and one with a CHECK that sees due times
CREATE TABLE mixed (d date, r int4range, n numeric(6, 2), t text COLLATE "C", s text, at timestamptz DEFAULT '2026-03-02 09:00', due timestamptz CHECK (due > '2026-03-02 10:30'), PRIMARY KEY (d, r, n, t));
SELECT sla.attach('mixed', 'acme', 's', 'at', response_due => 'due');
SELECT throws_ok($$INSERT INTO mixed VALUES ('2026-03-02', '[1,5)', 1, 'a', 'S1')$$, '23514', NULL, 'a CHECK on the due time');
SELECT lives_ok($$INSERT INTO mixed VALUES ('2026-03-02', '[1,5)', 1, 'a', 'S2')$$, 'holds for what we write, not for what is written');
UPDATE mixed SET n = 1.50, due = '2026-03-02 10:00';
SELECT is(pg_temp.ledger('mixed'), '{2026-03-02,"[1,5)",1.50,a} open S2 11:00', 'a key of all sorts changes');
SELECT is((SELECT due FROM mixed), '2026-03-02 11:00', 'and the due time is ours');

SELECT * FROM finish();
ROLLBACK;
