-- sla.recompute is for who owns the tickets' tables, or the ledger
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(15);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}') \g /dev/null
CREATE ROLE sla_test_one;
CREATE ROLE sla_test_two;
CREATE ROLE sla_test_writer;
CREATE SCHEMA desk;
GRANT USAGE, CREATE ON SCHEMA desk TO sla_test_one, sla_test_two, sla_test_writer;
CREATE TABLE desk.one (id int PRIMARY KEY, s text, at timestamptz);
CREATE TABLE desk.two (id int PRIMARY KEY, s text, at timestamptz);
CREATE TABLE desk.gone (id int PRIMARY KEY, s text, at timestamptz);
CREATE FUNCTION desk.who() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired as %', current_user; END $$;
INSERT INTO desk.one VALUES (1, 'S1', '2026-03-02 10:00');
INSERT INTO desk.two VALUES (1, 'S1', '2026-03-02 10:00');
INSERT INTO desk.gone VALUES (1, 'S1', '2026-03-02 10:00');
SELECT sla.attach(t, 'acme', 's', 'at') FROM unnest('{desk.one,desk.two,desk.gone}'::regclass[]) t \g /dev/null
ALTER TABLE desk.one OWNER TO sla_test_one;
ALTER TABLE desk.two OWNER TO sla_test_two;
GRANT ALL ON desk.one, desk.two TO sla_test_writer;
CREATE TRIGGER who BEFORE UPDATE ON desk.two FOR EACH ROW EXECUTE FUNCTION desk.who();
DROP TABLE desk.gone;
UPDATE sla.target SET goal = '2h';

SET LOCAL ROLE sla_test_writer;
SELECT throws_ok($$SELECT FROM sla.recompute('desk.one')$$, '42501', NULL, 'a writer cannot look');
SELECT throws_ok($$SELECT FROM sla.recompute('desk.one', '1', dry_run => false)$$, '42501', NULL, 'nor write');
SELECT is_empty($$SELECT FROM sla.recompute()$$, 'and has no tables');
SET LOCAL ROLE sla_test_one;
SELECT throws_ok($$SELECT FROM sla.recompute('desk.two')$$, '42501', NULL, 'the owner of another table can neither');
SELECT results_eq($$SELECT ticket_table FROM sla.recompute()$$, ARRAY['desk.one'::regclass], 'he has his own');
SELECT results_eq($$SELECT ticket_table FROM sla.recompute('desk.one')$$, ARRAY['desk.one'::regclass], 'and may look');
SELECT throws_ok($$SELECT FROM sla.ticket$$, '42501', NULL, 'though not into the ledger');
SELECT results_eq($$SELECT key FROM sla.recompute('desk.one', dry_run => false)$$, ARRAY['1'], 'and write');
SELECT is(sla_response_due, timestamptz '2026-03-02 12:00', 'rows of his') FROM desk.one;
RESET ROLE;
SELECT results_eq($$SELECT ticket_table FROM sla.recompute()$$, ARRAY['desk.two'::regclass], 'the owner of the ledger has all');
SELECT results_eq($$SELECT ticket_table::oid FROM sla.recompute(settled => true) ORDER BY 1$$, $$VALUES (0::oid), ('desk.two'::regclass::oid)$$, 'also those that are gone');
SELECT lives_ok($$SELECT FROM sla.recompute(settled => true, dry_run => false)$$, 'and writes');
SELECT is(sla_response_due, timestamptz '2026-03-02 12:00', 'rows of others, firing no trigger') FROM desk.two;
SELECT throws_ok($$SELECT FROM sla.recompute(0)$$, '42P01', NULL, 'a table that is not there');
UPDATE sla.target SET goal = '3h';
SET LOCAL transaction_read_only = on;
SELECT isnt_empty($$SELECT FROM sla.recompute()$$, 'a transaction that reads only can have the preview');
SELECT * FROM finish();
ROLLBACK;
