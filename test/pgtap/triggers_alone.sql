-- Tables that come with our triggers and without an attachment, as when a dump
-- of them alone is restored: both ways out of that.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(19);

SELECT sla.load_policy('{"policy": "t alone", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
	"restriction": {"thresholds": {"support": 30}, "actions": {"deployment": "support"}}}') IS NOT NULL AS loaded \gset
CREATE FUNCTION pg_temp.triggers(of_table regclass) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(tgname, ' ' ORDER BY tgname COLLATE "C"), '-') FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal $$;
-- what pg_dump would write of a table's triggers
CREATE FUNCTION pg_temp.dumped(of_table regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(pg_get_triggerdef(oid), ';') FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal AND tgparentid = 0 $$;
CREATE FUNCTION pg_temp.restore(of_table regclass, triggers text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE triggers;
	RETURN pg_temp.triggers(of_table);
END $$;
CREATE FUNCTION sla_test_own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;

CREATE ROLE sla_test_stranger;
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz);
CREATE TABLE parted (id int PRIMARY KEY, s text, at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE messages (id int PRIMARY KEY, ticket int, at timestamptz, author text);
CREATE TABLE invoices (id int PRIMARY KEY, account text, due date, paid_at date);
CREATE TABLE deployment (id int PRIMARY KEY, account text);

SELECT sla.attach('tickets', 't alone', 's', 'at'), sla.attach('parted', 't alone', 's', 'at');
SELECT sla.attach_messages('messages', 'tickets', 'ticket', 'at', 'author', customer_when => '{}');
SELECT sla.attach_invoices('invoices', 't alone', 'account', 'due', settled_at => 'paid_at');
SELECT sla.guard('deployment', 'deployment', 'account');
SELECT t, pg_temp.dumped(t) AS def INTO TEMP TABLE dump FROM unnest('{tickets,parted,messages,invoices,deployment}'::regclass[]) t;
SELECT sla.detach_messages('messages'), sla.detach_invoices('invoices'), sla.unguard('deployment'), sla.detach('tickets'), sla.detach('parted');
SELECT is(string_agg(pg_temp.triggers(t), ' '), '- - - - -', 'there is nothing left') FROM dump;

-- Taking them away
SELECT bool_and(pg_temp.restore(t, def) <> '') AS restored FROM dump \gset
SET LOCAL ROLE sla_test_stranger;
SELECT throws_ok($$SELECT sla.detach('tickets')$$, '42501', NULL, 'not for everybody');
RESET ROLE;
SELECT lives_ok($$SELECT sla.detach('tickets')$$, 'triggers of tickets without an attachment can be removed');
SELECT lives_ok($$SELECT sla.detach('parted')$$, 'those of a partitioned table');
SELECT lives_ok($$SELECT sla.detach_messages('messages')$$, 'of messages');
SELECT lives_ok($$SELECT sla.detach_invoices('invoices')$$, 'of invoices');
SELECT lives_ok($$SELECT sla.unguard('deployment')$$, 'of a guard');
SELECT is(string_agg(pg_temp.triggers(t), ' '), '- - - - -', 'there is nothing left') FROM dump;
SELECT throws_ok(format('SELECT sla.%s(%L)', f, t), '42704', format('table "%s" is not %s', t, CASE f WHEN 'unguard' THEN 'guarded' ELSE 'attached' END), f || ' once')
	FROM (VALUES ('detach', 'tickets'), ('detach_messages', 'messages'), ('detach_invoices', 'invoices'), ('unguard', 'deployment')) v(f, t);

-- Attaching in their place
SELECT bool_and(pg_temp.restore(t, def) <> '') AS restored FROM dump \gset
CREATE TRIGGER own BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION sla_test_own();
ALTER TRIGGER "~sla_stamp" ON tickets RENAME TO renamed;
SELECT lives_ok($$SELECT sla.attach('tickets', 't alone', 's', 'at')$$, 'tickets are attached in place of their triggers');
SELECT lives_ok($$SELECT sla.attach('parted', 't alone', 's', 'at')$$, 'a partitioned table');
SELECT lives_ok($$SELECT sla.attach_messages('messages', 'tickets', 'ticket', 'at', 'author', customer_when => '{}')$$, 'messages');
SELECT lives_ok($$SELECT sla.attach_invoices('invoices', 't alone', 'account', 'due', settled_at => 'paid_at')$$, 'invoices');
SELECT lives_ok($$SELECT sla.guard('deployment', 'deployment', 'account')$$, 'and a guard');
SELECT is(pg_temp.triggers('tickets'), '!sla_record !sla_truncated own ~sla_stamp', 'triggers that others made stay, ours are there once');
INSERT INTO tickets VALUES (1, 'S1', '2026-03-02 09:00');
SELECT is((SELECT sla_response_due FROM tickets), '2026-03-02 10:00+00', 'and stamp');

SELECT * FROM finish();
ROLLBACK;
