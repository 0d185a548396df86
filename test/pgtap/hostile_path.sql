-- Whatever stands first in somebody's search_path, none of it is called: every
-- function and operator of pg_catalog has a namesake there that fails.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(42);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "entitlement": "contract",
	"calendars": {"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}}, "severity_caps": {"api": "S2"}, "channels": {"email": "investigation"}, "exemptions": {"known": "Known"},
	"requests": {"visit": {"lead": "2 weeks", "slot_lead": "2bd", "calendar": "day", "outside": "day", "required": ["origins", "contact_email", "bandwidth", "own"]}},
	"questionnaires": {"open": {"at_least": "4 weeks", "billable": true}}, "assistance": {"bucket": "2 hours", "outside": "day"},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day", "alerts": [0.5, "30min"]},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "day"},
		{"severity": "S1", "metric": "update", "goal": "1bd", "calendar": "day"},
		{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "day"}]}');
INSERT INTO sla.contract (account, policy, valid, calendar) VALUES ('a', 'acme', '[2026-01-01,)', 'acme/day');
CREATE ROLE sla_test_owner;
CREATE ROLE sla_test_writer;
CREATE SCHEMA desk AUTHORIZATION sla_test_owner;
GRANT USAGE ON SCHEMA desk TO sla_test_writer;
CREATE TYPE desk.state AS ENUM ('open', 'waiting', 'done');
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.tickets (id int, p int, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz, changed timestamptz DEFAULT '2026-03-02 10:00', status desk.state,
	account varchar(10) DEFAULT 'a', product text, channel text, exempt text, requester text DEFAULT 'ann', PRIMARY KEY (id, p)) PARTITION BY LIST (p);
CREATE TABLE desk.tickets_1 PARTITION OF desk.tickets FOR VALUES IN (1);
CREATE TABLE desk.tickets_2 PARTITION OF desk.tickets FOR VALUES IN (2);
CREATE TABLE desk.messages (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket int, p int DEFAULT 1, at timestamptz DEFAULT '2026-03-02 09:10', author text, kind text);
CREATE TABLE desk.visits (id int PRIMARY KEY, account text, origins inet[] DEFAULT '{::1}', contact_email text DEFAULT 'a@b.example', bandwidth text DEFAULT '1 Mbit/s', own jsonb DEFAULT '{"a": 1}',
	asked timestamptz DEFAULT '2026-03-02 10:00', starts_at timestamp DEFAULT '2026-03-16 18:00', slot_agreed_at timestamptz);
INSERT INTO desk.tickets (id, p) VALUES (1, 1), (2, 2);
GRANT ALL ON desk.visits, desk.tickets, desk.tickets_1, desk.tickets_2, desk.messages TO sla_test_writer;
RESET ROLE;

-- The traps
CREATE SCHEMA trap;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
DO $do$
DECLARE
	-- types that values may have on the way, and nothing that would make calls ambiguous
	types CONSTANT oid[] := ARRAY(SELECT t::regtype::oid FROM unnest('{bool,int2,int4,int8,oid,text,name,timestamptz,timestamp,date,interval,numeric,float8,jsonb,regclass,regtype,regnamespace,regproc,bytea,
		text[],oid[],int2[],int4[],name[],timestamptz[],tstzrange,int2vector,anyelement,anyarray,anycompatible,anycompatiblearray,anyrange,anynonarray,record,tid}'::text[]) t);
	f record;
BEGIN
	FOR f IN SELECT DISTINCT ON (p.proname, p.proargtypes::text) p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, p.prokind
		FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a') AND p.proargtypes::oid[] <@ types
			AND p.provariadic = 0 AND p.proargmodes IS NULL
			AND (p.prorettype = ANY (types) OR p.prokind = 'a' AND p.prorettype = ANY (types)) AND p.prorettype <> ALL ('{record}'::regtype[])
	LOOP
		BEGIN
			IF f.prokind = 'f' THEN
				EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS $$ BEGIN RAISE ''sprung %s''; END $$', f.proname, f.arguments, f.result, f.proname);
			ELSE
				EXECUTE format('CREATE AGGREGATE trap.%I(%s) (SFUNC = trap.sprung, STYPE = int)', f.proname, f.arguments);
			END IF;
		EXCEPTION WHEN OTHERS THEN
			NULL;	-- one of an odd type more or less
		END;
	END LOOP;
	FOR f IN SELECT o.oprname, o.oprleft, o.oprright, o.oprresult, format_type(nullif(o.oprleft, 0), NULL) AS l, format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS result
		FROM pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprright = ANY (types) AND (o.oprleft = ANY (types) OR o.oprleft = 0) AND o.oprcode <> 0
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION trap.%I(%s%s) RETURNS %s LANGUAGE plpgsql AS $$ BEGIN RAISE ''sprung %s''; END $$',
				'op_' || f.oprname, CASE WHEN f.oprleft <> 0 THEN f.l || ', ' ELSE '' END, f.r, f.result, replace(f.oprname, '%', '%%'));
			EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.%I%s, RIGHTARG = %s)', f.oprname, 'op_' || f.oprname, CASE WHEN f.oprleft <> 0 THEN ', LEFTARG = ' || f.l ELSE '' END, f.r);
		EXCEPTION WHEN OTHERS THEN
			NULL;
		END;
	END LOOP;
	FOR f IN SELECT c.relname FROM pg_class c WHERE c.relnamespace IN ('sla'::regnamespace, 'pg_catalog'::regnamespace) AND c.relkind IN ('r', 'v') LOOP
		EXECUTE format('CREATE VIEW trap.%I AS SELECT 1/0 AS oid', f.relname);
	END LOOP;
	FOR f IN SELECT typname FROM pg_type t WHERE t.typnamespace = 'sla'::regnamespace AND t.typrelid = 0 AND t.typelem = 0 UNION SELECT unnest('{text,int4,timestamptz,regclass,jsonb,bool,oid,name,interval}'::name[]) LOOP
		EXECUTE format('CREATE DOMAIN trap.%I AS pg_catalog.int4 CHECK (value IS NULL)', f.typname);
	END LOOP;
END $do$;
SELECT cmp_ok((SELECT count(*) FROM pg_proc WHERE pronamespace = 'trap'::regnamespace), '>', 1500::bigint, 'there are traps');
-- What goes wrong when a command runs with the traps in the path
CREATE FUNCTION trouble(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL search_path = trap, pg_catalog, desk, public;
	EXECUTE command;
	SET LOCAL search_path = public;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION walk(command text, what text) RETURNS text LANGUAGE sql AS $$ SELECT is(trouble(command), NULL, what) $$;
SELECT is(trouble(c), e, 'which catch ' || c) FROM (VALUES ('SELECT lower(''A'')', 'P0001 sprung lower'), ('SELECT pg_backend_pid() = 1', 'P0001 sprung pg_backend_pid'),
	('SELECT 1 WHERE 1 = 1', 'P0001 sprung ='), ('SELECT * FROM ticket', '22012 division by zero')) v(c, e);

-- The owner
SET LOCAL ROLE sla_test_owner;
SELECT walk($$SELECT sla.attach('desk.tickets', policy => 'acme', severity => 's', received_at => 'at', responded_at => 'replied', changed_at => 'changed',
	severity_map => '{"S1": "S1", "S2": "S2"}', status => 'status', paused_when => '{waiting}', resolved_when => '{done}', account => 'account', product => 'product', channel => 'channel',
	exempt => 'exempt', labels => '{requester,status}', timestamps_in => 'Europe/Berlin', not_set => '1970-01-01 00:00+00')$$, 'attach');
SELECT walk($$SELECT sla.attach_messages('desk.messages', 'desk.tickets', '{ticket,p}', 'at', 'author', agent_when => '{bob}', customer_when => '{ann}', only_when => '{"kind": ["note", null]}')$$, 'attach_messages');
SELECT walk($$SELECT sla.record_rows('desk.tickets')$$, 'record_rows');
SELECT walk($$SELECT sla.restamp_begin('desk.tickets')$$, 'restamp');
SELECT walk($$SELECT sla.restamp_step('desk.tickets', 1000)$$, 'to the end');
SELECT walk($$SELECT sla.reconcile('desk.tickets')$$, 'reconcile');
SELECT walk($$SELECT sla.record_messages('desk.messages')$$, 'record_messages');
SELECT walk($$SELECT sla.record_event('desk.tickets', '{1,1}', 'replied', '2026-03-02 09:30')$$, 'record_event');
SELECT walk($$SELECT sla.pin_due('desk.tickets', '{2,2}', 'response', '2026-03-05 09:30', '2026-03-02 09:30')$$, 'pin_due');
SELECT walk($$SELECT * FROM sla.explain('desk.tickets', '{1,1}')$$, 'explain');
SELECT walk($$SELECT * FROM sla.recompute('desk.tickets', dry_run => false)$$, 'recompute');

SELECT walk($$SELECT sla.guard('desk.visits', policy => 'acme', kind => 'visit', requested_at => 'asked', timestamps_in => 'Europe/Berlin')$$, 'guard');
SELECT walk($$SELECT sla.earliest_start('acme', 'visit', '2026-03-02 10:00'), sla.earliest_answer('acme', 'open', '2026-03-02 10:00'), sla.billable('[2026-03-02 10:00,2026-03-02 12:00)', '2026-03-02 13:00', '1 hour', sla.effective_hours('acme/day'))$$, 'questions');
SELECT walk($$SELECT * FROM sla.check_request('acme', 'visit', '{"origins": "x", "contact_email": "x", "bandwidth": "x", "starts_at": "2026-03-03 12:00", "ends_at": "2026-03-03", "slot_agreed_at": "2026-03-03"}', '2026-03-02 10:00')$$, 'a request');

-- A writer
SET LOCAL ROLE sla_test_writer;
SELECT walk($$INSERT INTO desk.tickets (id, p) VALUES (3, 1), (4, 2), (5, 1)$$, 'insert');
SELECT walk($$INSERT INTO desk.tickets (id, p, status, channel, product) VALUES (6, 1, 'waiting', 'email', 'api') ON CONFLICT (id, p) DO UPDATE SET s = EXCLUDED.s$$, 'upsert');
SELECT walk($$UPDATE desk.tickets SET s = 'S2', replied = '2026-03-02 10:00', status = 'waiting', exempt = 'known'$$, 'update');
SELECT walk($$UPDATE desk.tickets_1 SET s = 'none', account = 'b', exempt = NULL, status = 'done'$$, 'update of a partition');
SELECT walk($$INSERT INTO desk.messages (ticket, author) VALUES (1, 'bob'), (1, 'ann'), (3, 'bob'), (99, 'bob')$$, 'messages');
SELECT walk($$UPDATE desk.messages SET ticket = 3, kind = 'note'$$, 'moved');
SELECT walk($$DELETE FROM desk.messages$$, 'deleted');
SELECT walk($$DELETE FROM desk.tickets_2$$, 'delete');
SELECT walk($$TRUNCATE desk.tickets$$, 'truncate');

SELECT walk($$INSERT INTO desk.visits (id) VALUES (1)$$, 'what a guard lets in');
SELECT is(trouble($$INSERT INTO desk.visits (id, origins, contact_email, bandwidth, own, starts_at, slot_agreed_at) VALUES (2, '{}', 'x', 'x', 'false', '2026-03-03 12:00', '2026-03-03')$$),
	'SL002 request of kind "visit" is not accepted: 7 problems', 'and what it refuses');

-- Whoever runs the server
RESET ROLE;
SELECT walk($$INSERT INTO desk.tickets (id, p) VALUES (3, 1)$$, 'a superuser inserts');
SELECT walk($$SELECT sla.flag_due('2027-01-01')$$, 'flags');
SELECT walk($$SELECT * FROM sla.simulate('acme', '2026-01-01', '2027-01-01')$$, 'simulates');
SELECT is((SELECT string_agg(relname || ': ' || trouble(format('SELECT * FROM sla.%I', relname)), '; ') FROM pg_class WHERE relnamespace = 'sla'::regnamespace AND relkind = 'v'), NULL, 'and reads all views');
SELECT walk($$SELECT sla.load_policy('{"policy": "other", "time_zone": "UTC", "calendars": {"day": {"hours": "UTC Mo-Fr 09:00-17:00"}}, "targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}]}')$$, 'loads a policy');
SELECT walk($$SELECT sla.policy_document('acme')$$, 'reads it');
SELECT walk($$UPDATE sla.calendar SET hours = 'UTC Mo-Fr 08:00-17:00'$$, 'changes a calendar');
SELECT walk($$INSERT INTO sla.holiday VALUES ('DE', '2026-12-25', 'x')$$, 'and a holiday');

SET LOCAL ROLE sla_test_owner;
SELECT walk($$SELECT sla.detach_messages('desk.messages')$$, 'detach_messages');
SELECT walk($$SELECT sla.detach('desk.tickets')$$, 'detach');
SELECT walk($$SELECT sla.unguard('desk.visits')$$, 'unguard');
SELECT walk($$DROP TABLE desk.tickets, desk.messages, desk.visits$$, 'drop');

SELECT * FROM finish();
ROLLBACK;
