-- What can be attached, how, and what detaching leaves.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(53);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"},
		{"severity": "S2", "metric": "resolution", "goal": "8h", "calendar": "always"}]}');
CREATE FUNCTION pg_temp.ledger(ticket_table regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity, to_char(c.due_at, 'HH24:MI'), c.outcome), ', ' ORDER BY t.key COLLATE "C")
	FROM sla.attachment a JOIN sla.ticket t ON t.attachment_id = a.id LEFT JOIN sla.clock c ON c.ticket_id = t.id AND c.metric = 'response'
	WHERE a.ticket_table = $1 $$;
CREATE FUNCTION pg_temp.triggers(ticket_table regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = $1 $$;

-- Severity columns of every kind
CREATE TYPE urgency AS ENUM ('calm', 'hot');
CREATE TABLE by_enum (id int PRIMARY KEY, s urgency, at timestamptz);
INSERT INTO by_enum VALUES (1, 'hot', '2026-03-02 09:00'), (2, 'calm', '2026-03-02 09:00');
SELECT is(sla.attach('by_enum', 'acme', 's', 'at', severity_map => '{"hot": "P1", "calm": "sev 2"}'), 2::bigint, 'an enum');
SELECT is(pg_temp.ledger('by_enum'), '1 open S1 10:00, 2 open S2 11:00', 'an enum by its labels');
SELECT is((SELECT severity_map FROM sla.attachment WHERE ticket_table = 'by_enum'::regclass), '{"hot": "S1", "calm": "S2"}', 'the map is kept in one spelling');
ALTER TYPE urgency RENAME VALUE 'calm' TO 'cool';
ALTER TYPE urgency ADD VALUE 'tepid';
INSERT INTO by_enum VALUES (3, 'cool', '2026-03-02 09:00');
SELECT matches(pg_temp.ledger('by_enum'), '3 open$', 'a label that was renamed is another');
CREATE TABLE by_int (id int PRIMARY KEY, s int, at timestamptz);
INSERT INTO by_int VALUES (1, 1, '2026-03-02 09:00'), (2, 2, '2026-03-02 09:00'), (3, 20, '2026-03-02 09:00');
SELECT sla.attach('by_int', 'acme', 's', 'at');
SELECT is(pg_temp.ledger('by_int'), '1 open S1 10:00, 2 open S2 11:00, 3 open', 'an integer');
CREATE TABLE by_small (id int PRIMARY KEY, s smallint, at timestamptz);
INSERT INTO by_small VALUES (1, 10, '2026-03-02 09:00'), (2, 20, '2026-03-02 09:00'), (3, 1, '2026-03-02 09:00');
SELECT sla.attach('by_small', 'acme', 's', 'at', severity_map => '{"10": 1, "20": 2}');
SELECT is(pg_temp.ledger('by_small'), '1 open S1 10:00, 2 open S2 11:00, 3 open', 'an integer with a map, which is all that counts then');
CREATE TABLE by_severity (id int PRIMARY KEY, s sla.severity, at timestamptz);
INSERT INTO by_severity VALUES (1, 'S1', '2026-03-02 09:00'), (2, 'P2', '2026-03-02 09:00'), (3, NULL, '2026-03-02 09:00');
SELECT sla.attach('by_severity', 'acme', 's', 'at');
SELECT is(pg_temp.ledger('by_severity'), '1 open S1 10:00, 2 open S2 11:00, 3 open', 'sla.severity');
CREATE TABLE by_char (id int PRIMARY KEY, s char(8), at timestamptz);
INSERT INTO by_char VALUES (1, 'high', '2026-03-02 09:00'), (2, 'low', '2026-03-02 09:00');
SELECT sla.attach('by_char', 'acme', 's', 'at', severity_map => '{"high": "S1", "low": "S2"}');
SELECT is(pg_temp.ledger('by_char'), '1 open S1 10:00, 2 open S2 11:00', 'character(n), without its blanks');
CREATE TABLE by_text (id int PRIMARY KEY, s text, at timestamptz);
INSERT INTO by_text VALUES (1, 'Sev 1', '2026-03-02 09:00'), (2, 'priority 2', '2026-03-02 09:00'), (3, '', '2026-03-02 09:00'), (4, E'\u00e4\n"', '2026-03-02 09:00');
SELECT sla.attach('by_text', 'acme', 's', 'at');
SELECT is(pg_temp.ledger('by_text'), '1 open S1 10:00, 2 open S2 11:00, 3 open, 4 open', 'text');
SELECT is((SELECT exempt FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = 'by_text'::regclass AND key = '3'), 'error: s "" maps to no severity', 'with the reason why not');

CREATE DOMAIN moment AS timestamptz CHECK (VALUE > '2000-01-01');
CREATE DOMAIN urgent AS urgency;
CREATE DOMAIN deepest AS urgent;
CREATE TABLE by_domain (id int PRIMARY KEY, s deepest, at moment, due moment);
INSERT INTO by_domain VALUES (1, 'hot', '2026-03-02 09:00');
SELECT sla.attach('by_domain', 'acme', 's', 'at', severity_map => '{"hot": "S1"}');
SELECT is(pg_temp.ledger('by_domain'), '1 open S1 10:00', 'domains');
SELECT sla.detach('by_domain');
SELECT throws_ok($$SELECT sla.attach('by_domain', 'acme', 's', 'at', response_due => 'due')$$, '42804', NULL, 'but not for what we write');

-- Keys of every kind
CREATE TABLE by_two (b text, a int, s text, at timestamptz, PRIMARY KEY (a, b));
INSERT INTO by_two VALUES ('x', 1, 'S1', '2026-03-02 09:00'), ('y,"z', 1, 'S2', '2026-03-02 09:00');
SELECT sla.attach('by_two', 'acme', 's', 'at');
SELECT is(pg_temp.ledger('by_two'), '{1,"y,\"z"} open S2 11:00, {1,x} open S1 10:00', 'a key of two columns, in the order of the key');
CREATE TABLE by_name (id int PRIMARY KEY, code text NOT NULL UNIQUE, s text, at timestamptz);
INSERT INTO by_name VALUES (1, 'T-1', 'S1', '2026-03-02 09:00');
SELECT sla.attach('by_name', 'acme', 's', 'at', key => '{code}');
SELECT is(pg_temp.ledger('by_name'), 'T-1 open S1 10:00', 'a key that is not the primary key');
CREATE SCHEMA "odd ""schema";
CREATE TABLE "odd ""schema"."odd ""table" ("odd ""id" int PRIMARY KEY, "odd ""s" text, "odd ""at" timestamptz);
INSERT INTO "odd ""schema"."odd ""table" VALUES (1, 'S1', '2026-03-02 09:00');
SELECT lives_ok($$SELECT sla.attach('"odd ""schema"."odd ""table"', 'acme', 'odd "s', 'odd "at', response_due => 'odd "due')$$, 'odd names');
SELECT is((SELECT "odd ""due" FROM "odd ""schema"."odd ""table"), '2026-03-02 10:00', 'of due columns, too');

-- Due columns: added, one's own, none
CREATE TABLE mine (id int PRIMARY KEY, s text, at timestamptz, answer_by timestamptz DEFAULT '1999-01-01');
INSERT INTO mine VALUES (1, 'S2', '2026-03-02 09:00');
SELECT sla.attach('mine', 'acme', 's', 'at', response_due => 'answer_by', resolution_due => NULL);
SELECT is((SELECT answer_by FROM mine), '2026-03-02 11:00', 'an existing column is filled in');
SELECT hasnt_column('mine', 'sla_resolution_due', 'one not wanted is not added');
SELECT is(pg_temp.triggers('mine'), '!sla_record !sla_truncated ~sla_stamp', 'three triggers');
CREATE TABLE bare (id int PRIMARY KEY, s text, at timestamptz, sla_response_due text);
INSERT INTO bare VALUES (1, 'S2', '2026-03-02 09:00', 'mine');
SELECT sla.attach('bare', 'acme', 's', 'at', stamp => false);
SELECT is((SELECT b::text FROM bare b), '(1,S2,"2026-03-02 09:00:00+00",mine)', 'without stamps the rows stay as they are');
SELECT is(pg_temp.triggers('bare'), '!sla_record !sla_truncated', 'and two triggers are enough');
SELECT is(pg_temp.ledger('bare'), '1 open S2 11:00', 'to record them');

-- Existing rows fire no triggers of the user's
CREATE TABLE loud (id int PRIMARY KEY, s text, at timestamptz);
INSERT INTO loud VALUES (1, 'S2', '2026-03-02 09:00');
CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$;
CREATE TRIGGER loud BEFORE UPDATE ON loud FOR EACH ROW EXECUTE FUNCTION loud();
CREATE TRIGGER loud_after AFTER UPDATE ON loud FOR EACH ROW EXECUTE FUNCTION loud();
SELECT lives_ok($$SELECT sla.attach('loud', 'acme', 's', 'at')$$, 'attaching fires no trigger of the table''s');
SELECT is((SELECT sla_resolution_due FROM loud), '2026-03-02 17:00', 'and stamps the rows');

-- An index over an expression runs as the owner of the table
CREATE ROLE sla_test_owner;
CREATE TABLE spied (id int PRIMARY KEY, s text, at timestamptz, sla_response_due timestamptz);
CREATE FUNCTION spy(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN $1; END $$;
INSERT INTO spied VALUES (1, 'S2', '2026-03-02 09:00');
CREATE INDEX ON spied (spy(s));
CREATE INDEX ON spied (sla_response_due);
ALTER TABLE spied OWNER TO sla_test_owner;
CREATE OR REPLACE FUNCTION spy(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'as %', current_user; END $$;
SELECT throws_ok($$SELECT sla.attach('spied', 'acme', 's', 'at')$$, 'P0001', 'as sla_test_owner', 'a superuser who attaches a table does not lend its owner his rights');
SELECT isnt(current_user::text, 'sla_test_owner', 'nor keep the owner''s');

-- Detach and attach again
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz, replied timestamptz, done timestamptz);
INSERT INTO tickets VALUES (1, 'S2', now() - interval '1 h'), (2, 'S1', '2026-03-02 09:00');
INSERT INTO tickets VALUES (3, 'S2', '2026-03-02 09:00', '2026-03-02 09:30', '2026-03-02 10:00');
SELECT is(sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done'), 3::bigint, 'attached');
SELECT is(sla.record_rows('tickets'), 3::bigint, 'recorded again');
SELECT is((SELECT max(version) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = 'tickets'::regclass), 1, 'with nothing new to record');
SELECT lives_ok($$SELECT sla.detach('tickets')$$, 'detached');
SELECT is(pg_temp.triggers('tickets'), NULL, 'no triggers');
SELECT has_column('tickets', 'sla_response_due', 'the columns stay');
SELECT is((SELECT string_agg(t.key || ' ' || t.state || ' ' || c.metric || ' ' || c.outcome, ', ' ORDER BY key, metric) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id JOIN sla.clock c ON c.ticket_id = t.id WHERE ticket_table = 'tickets'::regclass),
	'1 deleted resolution cancelled, 1 deleted response cancelled, 2 deleted response breached, 3 resolved resolution met, 3 resolved response met', 'open clocks end');
SELECT is((SELECT count(*) FROM sla.clock WHERE next_alert_at IS NOT NULL AND outcome = 'cancelled'), 0::bigint, 'and are not flagged');
SELECT isnt((SELECT detached_at FROM sla.attachment WHERE ticket_table = 'tickets'::regclass), NULL, 'it is known when');
SELECT throws_ok($$SELECT sla.detach('tickets')$$, '42704', 'table "tickets" is not attached', 'not twice');
SELECT throws_ok($$SELECT sla.record_rows('tickets')$$, '55000', NULL, 'nothing to restamp for');
UPDATE tickets SET s = 'S2' WHERE id = 2;
INSERT INTO tickets VALUES (4, 'hot', '2026-03-02 09:00');
SELECT is((SELECT max(version) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = 'tickets'::regclass), 2, 'nothing is recorded meanwhile');
SELECT is(sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done', severity_map => '{"hot": "S1", "S1": "S1", "S2": "S2"}'), 4::bigint, 'attached in another way');
SELECT is(pg_temp.ledger('tickets'), format('1 open S2 %s, 2 open S2 10:00, 3 resolved S2 11:00 met, 4 open S1 10:00', to_char(now() + interval '1 h', 'HH24:MI')), 'the record goes on');
SELECT is((SELECT count(*) FROM sla.attachment WHERE ticket_table = 'tickets'::regclass), 1::bigint, 'as one record');
SELECT is((SELECT string_agg(kind, ' ' ORDER BY seq) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = 'tickets'::regclass AND key = '2'),
	'opened deleted restored severity', 'that knows of the gap');

-- In one transaction next to no time is lost: an enum whose value is renamed, a column likewise
CREATE TYPE stage AS ENUM ('open', 'waiting', 'done');
CREATE TABLE staged (id int PRIMARY KEY, at timestamptz, stage stage, changed timestamptz);
SELECT sla.attach('staged', 'acme', severity_default => 'S1', received_at => 'at', changed_at => 'changed', status => 'stage', paused_when => '{waiting}', resolved_when => '{done}', stamp => false);
INSERT INTO staged VALUES (1, now() - interval '30 min', 'open', NULL), (2, now() - interval '30 min', 'waiting', now() - interval '20 min'), (3, now() - interval '5 h', 'open', NULL);
CREATE FUNCTION pg_temp.staged() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.key, t.state, c.cycle, CASE WHEN isfinite(c.due_at) THEN date_trunc('minute', c.due_at - now() + interval '1 s')::text END, c.outcome), ', ' ORDER BY t.key)
	FROM sla.attachment a JOIN sla.ticket t ON t.attachment_id = a.id JOIN sla.clock c ON c.ticket_id = t.id WHERE a.ticket_table = 'staged'::regclass $$;
SELECT pg_temp.staged() AS staged \gset
ALTER TYPE stage RENAME VALUE 'waiting' TO 'pending';
SELECT sla.detach('staged');
ALTER TABLE staged RENAME stage TO status;
SELECT sla.attach('staged', 'acme', severity_default => 'S1', received_at => 'at', changed_at => 'changed', status => 'status', paused_when => '{pending}', resolved_when => '{done}', stamp => false);
SELECT is(pg_temp.staged(), :'staged', 'clocks go on as they were, pauses and what is late');
UPDATE staged SET status = 'open', changed = now() - interval '5 min' WHERE id = 2;
SELECT is((SELECT c.due_at - now() FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = 'staged'::regclass AND t.key = '2'),
	'45 min', 'a pause that was under way counts in full');
UPDATE staged SET status = 'pending' WHERE id = 1;
SELECT matches(pg_temp.staged(), '^1 paused ', 'the new value pauses');
-- what an old time of change does
UPDATE staged SET status = 'open' WHERE id = 2;
UPDATE staged SET status = 'pending' WHERE id = 2;
SELECT is((SELECT e.at FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table = 'staged'::regclass AND t.key = '2' ORDER BY e.seq DESC LIMIT 1), now() - interval '5 min', 'a change that leaves changed_at as it was is taken to be of then');

-- Reject
CREATE TABLE strict (id int PRIMARY KEY, s text, at timestamptz);
SELECT sla.attach('strict', 'acme', 's', 'at', on_error => 'reject');
SELECT throws_ok($$INSERT INTO strict VALUES (1, 'none', '2026-03-02 09:00')$$, '23514', 'ticket 1 of table "strict" has no deadlines: s "none" maps to no severity', 'an unknown severity is rejected');
SELECT throws_ok($$INSERT INTO strict VALUES (1, 'S1', NULL)$$, '23514', NULL, 'no time of receipt');
INSERT INTO strict VALUES (1, 'S1', '2026-03-02 09:00');
SELECT throws_ok($$UPDATE strict SET s = NULL$$, '23514', NULL, 'nor by an UPDATE');
DELETE FROM sla.policy;
SELECT throws_ok($$INSERT INTO strict VALUES (2, 'S1', '2026-03-02 09:00')$$, '23514', 'ticket 2 of table "strict" has no deadlines: policy "acme" does not exist or has no version', 'nor without a policy');
SELECT lives_ok($$DELETE FROM strict$$, 'rows may always go');
SELECT is(pg_temp.ledger('strict'), '1 deleted S1 10:00 breached', 'and are recorded as gone');

-- Made by hand, behind the back of sla.attach
CREATE TABLE handmade (id int PRIMARY KEY, s text, at timestamptz);
CREATE TRIGGER r AFTER INSERT ON handmade FOR EACH ROW EXECUTE FUNCTION sla.record();
SELECT lives_ok($$INSERT INTO handmade VALUES (1, 'S1', now())$$, 'a trigger without an attachment does no harm');

SELECT * FROM finish();
ROLLBACK;
