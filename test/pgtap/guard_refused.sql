-- sla.guard and sla.unguard: who may, and what is wrong
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(56);

SELECT sla.load_policy('{"policy": "t args", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}], "requests": {"test": {"lead": "2 weeks", "required": ["own"]}}}');
CREATE TABLE t (id int, account text, own int, kind text, security boolean, at timestamptz, local timestamp, form json, num numeric, names text[], span int4range, doubled int GENERATED ALWAYS AS (id * 2) STORED);
CREATE VIEW v AS SELECT * FROM t;
CREATE TEMPORARY TABLE temporary (LIKE t);
CREATE FUNCTION pg_temp.try(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; hint text; state text; before text;
BEGIN
	SELECT string_agg(g::text, ' ') || (SELECT count(*) FROM pg_trigger) INTO before FROM sla.guard_rule g;
	BEGIN
		EXECUTE 'SELECT sla.guard(' || arguments || ')';
		message := 'done';
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	END;
	RETURN CASE WHEN message = 'undo' THEN 'done' ELSE state || ' ' || message END;
END $$;
SELECT is(pg_temp.try(a), e, a) FROM (VALUES
	('NULL, ''x'', ''account''', '22004 guarded_table must not be null'),
	('''t''', '22004 action, kind and kind_column must not all be null'),
	('''t'', ''x''', '22023 action and account go together'),
	('''t'', '' '', ''account''', '22023 action must not be blank'),
	('''t'', account => ''account'', kind => ''test'', policy => ''t args''', '22023 action and account go together'),
	('''t'', kind => ''test''', '22023 a kind of request and a policy go together'),
	('''t'', ''x'', ''account'', policy => ''t args''', '22023 a kind of request and a policy go together'),
	('''t'', kind => ''test'', kind_column => ''kind'', policy => ''t args''', '22023 a kind, or a policy, is named by the row or for all of them'),
	('''t'', kind => ''test'', policy => ''t args'', policy_column => ''kind''', '22023 a kind, or a policy, is named by the row or for all of them'),
	('''t'', kind => ''test'', policy => ''nobody''', '42704 policy "nobody" does not exist'),
	('''t'', kind => ''tset'', policy => ''t args''', '42704 policy "t args" knows no requests of kind "tset"'),
	('''t'', kind => ''test'', policy => ''t args'', unknown_kind => ''maybe''', '22023 unknown_kind cannot be ''maybe'''),
	('''t'', kind => ''test'', policy => ''t args'', unknown_kind => NULL', '22023 unknown_kind cannot be NULL'),
	('''t'', kind => ''test'', policy => ''t args'', timestamps_in => ''Mars/Olympus''', '22023 time zone "Mars/Olympus" of timestamps_in is not known to this server'),
	('''t'', kind => ''test'', policy => ''t args'', requested_at => ''when''', '42703 column "when" of table public.t does not exist'),
	('''t'', kind => ''test'', policy => ''t args'', requested_at => ''local''', '42804 column "local" of table public.t has type timestamp without time zone, which cannot be requested_at'),
	('''t'', kind => ''test'', policy => ''t args'', requested_at => ''local'', timestamps_in => ''UTC''', 'done'),
	('''t'', kind => ''test'', policy => ''t args'', requested_at => ''kind''', '42804 column "kind" of table public.t has type text, which cannot be requested_at'),
	('''t'', kind => ''test'', policy => ''t args'', request => ''kind''', '42804 column "kind" of table public.t has type text, which cannot be request'),
	('''t'', kind => ''test'', policy => ''t args'', request => ''form''', 'done'),
	('''t'', kind => ''test'', policy_column => ''id''', '42804 column "id" of table public.t has type integer, which cannot be policy'),
	('''t'', policy => ''t args'', kind_column => ''num''', '42804 column "num" of table public.t has type numeric, which cannot be kind'),
	('''t'', ''x'', ''form''', '42804 column "form" of table public.t has type json, which cannot be account'),
	('''t'', ''x'', ''names''', '42804 column "names" of table public.t has type text[], which cannot be account'),
	('''t'', ''x'', ''account'', ''span''', '42804 column "span" of table public.t has type int4range, which cannot be service'),
	('''t'', ''x'', ''account'', security_release => ''kind''', '42804 column "kind" of table public.t has type text, which cannot be security_release'),
	('''t'', ''x'', ''account'', security_release => ''security'', service => ''num'', as_of => ''at''', 'done'),
	('''t'', ''x'', ''xmin''', '42703 column "xmin" of table public.t does not exist'),
	('''t'', kind => ''test'', policy => ''t args'', fields => ''[]''', '22023 fields is no JSON object'),
	('''t'', kind => ''test'', policy => ''t args'', fields => ''{"own": 5}''', '22023 fields maps "own" to no column'),
	('''t'', kind => ''test'', policy => ''t args'', fields => ''{"own": null}''', '22023 fields maps "own" to no column'),
	('''t'', kind => ''test'', policy => ''t args'', fields => ''{"own": "nothing"}''', '42703 column "nothing" of table public.t does not exist'),
	('''t'', kind => ''test'', policy => ''t args'', fields => ''{"starts_at": "local"}''', '42804 column "local" of table public.t has type timestamp without time zone, which cannot be starts_at'),
	('''t'', kind => ''test'', policy => ''t args'', fields => ''{"own": "doubled", "starts_at": "kind"}''', 'done'),
	('''v'', ''x'', ''account''', '42809 public.v is no table that can be guarded'),
	('''temporary'', ''x'', ''account''', '42809 temporary is no table that can be guarded'),
	('''sla.policy'', ''x'', ''name''', '42809 sla.policy is no table that can be guarded')) x(a, e);
SELECT is((SELECT count(*) FROM sla.guard_rule WHERE guarded_table = 't'::regclass), 0::bigint, 'nothing is left of it');
SELECT sla.guard('t', 'x', 'account', policy => 't args', kind => 'test', fields => '{"own": "own"}');
SELECT is(pg_temp.try('''t'', ''x'', ''account'''), '42710 table "t" is guarded already', 'one guard per table');
SELECT results_eq($$SELECT guarded_table::text, action, policy, kind, columns, options FROM sla.guard_rule WHERE guarded_table = 't'::regclass$$,
	$$VALUES ('public.t', 'x', 't args', 'test', '{"account": "account", "fields": {"own": "own"}}'::jsonb, '{}'::jsonb)$$, 'what is recorded');
SELECT throws_ok($$SELECT sla.register_guard(NULL, 'x', NULL, NULL, '{}', '{}')$$, '22004', NULL, 'no table');
SELECT throws_ok($$SELECT sla.register_guard(4294967295, 'x', NULL, NULL, '{}', '{}')$$, '42P01', NULL, 'one that is not there');
SELECT throws_ok($$SELECT sla.unguard('v')$$, '42704', 'table "v" is not guarded', 'what is not guarded');
SELECT lives_ok($$SELECT sla.unguard('t'), sla.guard('t', kind => 'test', policy => 't args'), sla.unguard('t')$$, 'another guard, and none');

-- Only the owner of the table, and by an action only who may ask
CREATE ROLE sla_test_owner;
CREATE ROLE sla_test_other;
CREATE SCHEMA desk AUTHORIZATION sla_test_owner;
GRANT USAGE ON SCHEMA desk TO sla_test_other;
SET LOCAL ROLE sla_test_owner;
CREATE TABLE desk.t (id int, account text, own int);
GRANT ALL ON desk.t TO sla_test_other;
SELECT throws_ok($$SELECT sla.guard('desk.t', 'x', 'account')$$, '42501', 'permission denied for function sla.is_allowed', 'who may not ask who is cut off learns nothing by a guard');
SELECT lives_ok($$SELECT sla.guard('desk.t', kind => 'test', policy => 't args')$$, 'rules of notice are everybody''s');
SET LOCAL ROLE sla_test_other;
SELECT throws_ok($$SELECT sla.unguard('desk.t')$$, '42501', NULL, 'another does not unguard');
SELECT throws_ok($$SELECT sla.unregister_guard('desk.t')$$, '42501', NULL, 'by any function');
SET LOCAL ROLE sla_test_owner;
SELECT lives_ok($$SELECT sla.unguard('desk.t')$$, 'the owner does');
SET LOCAL ROLE sla_test_other;
SELECT throws_ok($$SELECT sla.guard('desk.t', kind => 'test', policy => 't args')$$, '42501', NULL, 'another does not guard');
SELECT throws_ok($$SELECT sla.register_guard('desk.t', NULL, 't args', 'test', '{}', '{}')$$, '42501', NULL, 'by any function');
RESET ROLE;
GRANT EXECUTE ON FUNCTION sla.is_allowed(text, text, timestamptz, boolean, text) TO sla_test_owner;
SET LOCAL ROLE sla_test_owner;
SELECT lives_ok($$SELECT sla.guard('desk.t', 'x', 'account')$$, 'who is granted it may ask');

-- The trigger elsewhere
CREATE TABLE desk.other (LIKE desk.t);
CREATE TRIGGER x AFTER INSERT ON desk.other FOR EACH ROW EXECUTE FUNCTION sla.check_guard('desk.t');
SELECT throws_ok($$INSERT INTO desk.other VALUES (1)$$, '55000', NULL, 'on a table that is not guarded nobody is let in');
DROP TRIGGER x ON desk.other;
CREATE TRIGGER x BEFORE INSERT ON desk.other FOR EACH ROW EXECUTE FUNCTION sla.check_guard();
SELECT throws_ok($$INSERT INTO desk.other VALUES (1)$$, '39P01', NULL, 'nor before');
DROP TRIGGER x ON desk.other;
CREATE TRIGGER x AFTER INSERT ON desk.other FOR EACH STATEMENT EXECUTE FUNCTION sla.check_guard();
SELECT throws_ok($$INSERT INTO desk.other VALUES (1)$$, '39P01', NULL, 'nor by statement');
SELECT throws_ok($$SELECT sla.check_guard()$$, '39P01', NULL, 'it is a trigger');

SELECT * FROM finish();
ROLLBACK;
