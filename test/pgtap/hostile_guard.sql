-- Guards before writers, and owners of tables, who would rather have none
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(44);

SELECT sla.load_policy('{"policy": "t hostile", "time_zone": "Europe/Berlin", "calendars": {"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}],
	"requests": {"test": {"lead": "2 weeks", "slot_lead": "5 business days", "calendar": "day", "outside": "day", "required": ["contact_email", "contact_phone", "origins", "bandwidth", "targets", "own"]}},
	"restriction": {"thresholds": {"support": 30, "deployments": 61, "termination": 91}, "actions": {"deployment": "deployments"}}}');
CREATE ROLE sla_test_owner;
CREATE ROLE sla_test_writer;
CREATE SCHEMA desk AUTHORIZATION sla_test_owner;
CREATE SCHEMA own AUTHORIZATION sla_test_writer;
GRANT USAGE ON SCHEMA desk TO sla_test_writer;
CREATE TABLE desk.invoice (id int PRIMARY KEY, account text, due date, settled_at timestamptz);
SELECT sla.attach_invoices('desk.invoice', 't hostile', 'account', 'due', settled_at => 'settled_at');
INSERT INTO desk.invoice VALUES (1, 'late', '2026-01-01');
GRANT EXECUTE ON FUNCTION sla.is_allowed(text, text, timestamptz, boolean, text) TO sla_test_owner;
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.request (id int PRIMARY KEY, account text, kind text DEFAULT 'test', contact_email text DEFAULT 'a@b.example', contact_phone text DEFAULT '+49 30 1234', origins text DEFAULT '192.0.2.1', bandwidth text DEFAULT '10 Mbit/s',
	targets text DEFAULT 'x', own text DEFAULT 'x', starts_at text DEFAULT '2026-03-16 18:00', ends_at timestamptz, slot_agreed_at text);
ALTER TABLE desk.request ADD asked timestamptz DEFAULT '2026-03-02 10:00+01', ADD asof timestamptz DEFAULT '2026-06-01';
SELECT sla.guard('desk.request', 'deployment', 'account', as_of => 'asof', policy => 't hostile', kind_column => 'kind', requested_at => 'asked');
GRANT SELECT, INSERT (id, account, kind, contact_email, contact_phone, origins, bandwidth, targets, own, starts_at, ends_at, slot_agreed_at), UPDATE ON desk.request TO sla_test_writer;
RESET ROLE;

-- He has no right on anything of the extension's
REVOKE USAGE ON SCHEMA sla FROM PUBLIC;
REVOKE SELECT ON sla.policy_version, sla.notice_rule, sla.calendar, sla.hours, sla.guard_rule FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA sla FROM PUBLIC;

-- What is wrong with a row, as a writer sees it
CREATE FUNCTION public.refused(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; state text;
BEGIN
	EXECUTE command;
	RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN state || ' ' || message || E'\n' || detail;
END $$;

-- The first calls in this session are made with settings of his: what is kept of them must not be his
SET LOCAL ROLE sla_test_writer;
CREATE TEMPORARY TABLE policy_version (id int);
CREATE TEMPORARY TABLE notice_rule (kind text);
CREATE FUNCTION own.sprung() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'sprung'; END $$;
CREATE FUNCTION own.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT own.sprung()';
CREATE FUNCTION own.lower(text) RETURNS text LANGUAGE sql AS 'SELECT own.sprung()';
CREATE FUNCTION own.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR own.= (LEFTARG = text, RIGHTARG = text, FUNCTION = own.same);
CREATE OPERATOR own.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = own.same);
CREATE OPERATOR own.!~ (LEFTARG = text, RIGHTARG = text, FUNCTION = own.same);
CREATE FUNCTION own.later(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR own.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = own.later);
CREATE DOMAIN own.timestamptz AS text;
CREATE DOMAIN own.jsonb AS text;
SET LOCAL search_path = own, pg_temp, pg_catalog, public;
SET LOCAL standard_conforming_strings = off;
SET LOCAL backslash_quote = on;
SET LOCAL escape_string_warning = off;
SET LOCAL transform_null_equals = on;
SET LOCAL datestyle = 'German, DMY';
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL extra_float_digits = -15;
SET LOCAL array_nulls = off;
SET LOCAL quote_all_identifiers = on;
SET LOCAL check_function_bodies = off;
SET LOCAL bytea_output = 'escape';
SET LOCAL row_security = off;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_seqscan = off;
SET LOCAL default_transaction_isolation = 'serializable';
SET LOCAL jit_above_cost = 0;
CREATE TEMPORARY TABLE result AS SELECT public.refused(
	'INSERT INTO desk.request (id, account, contact_email, contact_phone, origins, bandwidth, targets, own, starts_at, ends_at, slot_agreed_at)
	 VALUES (1, ''late'', ''x'', ''x'', ''x'', ''x'', ''{}'', '' '', ''2026-03-16 09:59'', ''2026-03-16 08:00+01'', ''2026-03-12'')') AS refusal;
SELECT public.refused('INSERT INTO desk.request (id) VALUES (1)') AS accepted \gset
RESET ROLE;
RESET search_path;
RESET standard_conforming_strings;
RESET transform_null_equals;
RESET datestyle;
RESET timezone;
RESET intervalstyle;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
RESET row_security;
SELECT is(:'accepted'::text, 'nothing', 'what is right is let in');
SELECT is(refusal, 'SL001 account "late" is restricted: deployment is refused; request of kind "test" is not accepted: 10 problems
Level termination since 2026-04-02 03:45:00+05:45, by policy "t hostile", termination from 91 days of unsettled bills on; deployment is refused from level deployments on. The earliest unsettled bill was due 2026-01-01, 151 days before.
contact_email (fields): must be an address for email.
contact_phone (fields): must be a phone number: digits, with or without blanks and "+" in front.
origins (fields): "x" is neither an address nor a network.
bandwidth (fields): must be a number above 0, with or without a unit, as in "200 Mbit/s".
targets (fields): is missing.
own (fields): is missing.
ends_at (period): must lie after starts_at. Accepted: later than 2026-03-16 09:59:00+01.
starts_at (lead): is 2026-03-16 09:59:00+01: requested at 2026-03-02 10:00:00+01, it may start 14 days later. Accepted: 2026-03-16 17:00:00+01 or later.
slot_agreed_at (slot_lead): is 2026-03-12 00:00:00+01: a time slot is agreed on 5bd before it starts. Accepted: a slot from 2026-03-19 17:00:00+01 on.
starts_at (outside): must lie outside the hours "t hostile/day" from start to end. Accepted: from 2026-03-19 17:00:00+01 to 2026-03-20 09:00:00+01.', 'what is wrong is all that is wrong, whatever his settings') FROM result;
SELECT is((SELECT count(*) FROM desk.request), 1::bigint, 'and not there');

-- As whom it runs: nothing of his own does so as another
SET LOCAL ROLE sla_test_writer;
SELECT is(refused($$INSERT INTO desk.request (id) VALUES (2)$$), 'nothing', 'he writes');
SELECT is(current_user::text, 'sla_test_writer', 'and is who he was');
SELECT is(left(refused($$INSERT INTO desk.request (id, own) VALUES (3, '')$$), 5), 'SL002', 'is refused');
SELECT is(current_user::text, 'sla_test_writer', 'and still is');
SELECT throws_ok($$SELECT * FROM sla.notice_rule$$, '42501', NULL, 'he has no right on the rules');
SELECT throws_ok(c, '42501', NULL, c) FROM unnest(ARRAY['ALTER TABLE desk.request DISABLE TRIGGER ALL', 'DROP TRIGGER "!sla_guard" ON desk.request', 'SET LOCAL session_replication_role = replica']) c;

-- Values that are not what they seem
SELECT is(left(refused(format($$INSERT INTO desk.request (id, %I) VALUES (4, %L)$$, c, v)), 5), 'SL002', c || ' ' || left(v, 30)) FROM (VALUES
	('kind', 'Test'), ('kind', 'test '), ('kind', ' test'), ('kind', E'test\u00a0'), ('kind', 'ｔest'), ('kind', repeat('x', 100000)), ('kind', '''; DROP TABLE desk.request; --'),
	('own', E' \t\n'), ('own', '{ }'), ('starts_at', 'now'), ('starts_at', 'yesterday'), ('starts_at', 'epoch'), ('starts_at', '-infinity'), ('starts_at', '0001-01-01 BC'),
	('contact_email', E'a@b.example\n,x'), ('contact_email', '@'), ('origins', '192.0.2.1,'',''x'), ('origins', '{'), ('bandwidth', '1e5'), ('bandwidth', '٣'), ('bandwidth', '0x10'),
	('slot_agreed_at', '","starts_at":"2099-01-01'), ('starts_at', '2026-03-16 18:00", "own": "')) x(c, v);
SELECT is(left(refused($$UPDATE desk.request SET account = 'late'$$), 5), 'SL001', 'another account');
SELECT is(refused($$UPDATE desk.request SET account = ' late'$$), 'nothing', 'one that is another');
RESET ROLE;

-- An owner's types, with casts, operators and checks of his own, run nothing with another's rights
GRANT USAGE ON SCHEMA sla TO sla_test_owner;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sla TO sla_test_owner;
GRANT SELECT ON sla.policy_version, sla.notice_rule, sla.guard_rule TO sla_test_owner;
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.seen (who name, what text);
GRANT INSERT, SELECT ON desk.seen TO PUBLIC;
CREATE FUNCTION desk.spy(x anyelement, what text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM desk.write_down(what); RETURN true; END $$;
CREATE FUNCTION desk.write_down(what text) RETURNS void LANGUAGE sql AS $$ INSERT INTO desk.seen VALUES (current_user, what) $$;
CREATE TYPE desk.kind AS ENUM ('test', 'other');
CREATE FUNCTION desk.to_text(x desk.kind) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM desk.write_down('cast'); RETURN 'other'; END $$;
CREATE CAST (desk.kind AS text) WITH FUNCTION desk.to_text AS IMPLICIT;
CREATE FUNCTION desk.equal(x desk.kind, y desk.kind) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM desk.write_down('operator'); RETURN true; END $$;
CREATE OPERATOR desk.= (LEFTARG = desk.kind, RIGHTARG = desk.kind, FUNCTION = desk.equal);
CREATE DOMAIN desk.email AS text CHECK (desk.spy(value, 'domain'));
CREATE TYPE desk.pair AS (a desk.email, b int);
CREATE TABLE desk.odd (id int PRIMARY KEY, kind desk.kind, contact_email desk.email, own desk.pair, starts_at timestamptz, asked timestamptz DEFAULT '2026-03-02 10:00+01',
	contact_phone text DEFAULT '+49 30 1234', origins inet[] DEFAULT '{::1}', bandwidth numeric DEFAULT 1.5, targets varchar[] DEFAULT '{x}');
RESET ROLE;
SELECT lives_ok($$SELECT sla.guard('desk.odd', policy => 't hostile', kind_column => 'kind', requested_at => 'asked')$$, 'a superuser guards the table');
SELECT is((SELECT string_agg(DISTINCT what, ',') FROM desk.seen), NULL, 'which runs nothing of the owner''s');
SELECT is(refused($$INSERT INTO desk.odd (id, kind, contact_email, own, starts_at) VALUES (1, 'test', 'a@b.example', ROW('x', 1), '2026-03-16 18:00+01')$$), 'nothing', 'and writes to it');
SELECT is((SELECT string_agg(DISTINCT what, ',') FROM desk.seen), 'domain', 'the checks that the server makes of any row');
DELETE FROM desk.seen;
SELECT is(left(refused($$UPDATE desk.odd SET kind = 'test', starts_at = '2026-03-10'$$), 5), 'SL002', 'what values say is what they print');
SELECT is(left(refused($$UPDATE desk.odd SET own = NULL$$), 5), 'SL002', 'of any type');
SELECT is(left(refused($$UPDATE desk.odd SET kind = 'other'$$), 5), 'SL002', 'no operator makes one the other');
SELECT is((SELECT string_agg(DISTINCT what, ',') FROM desk.seen), NULL, 'and no cast, operator or check is called for it');

SELECT * FROM finish();
ROLLBACK;
