-- A superuser who attaches, restamps, reconciles, detaches or drops somebody
-- else's table runs nothing of that owner's making with his own rights.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(28);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"}]}');
CREATE ROLE sla_test_evil;
CREATE SCHEMA desk AUTHORIZATION sla_test_evil;

-- Every function of the owner's writes down as whom it runs.
SET LOCAL ROLE sla_test_evil;
CREATE TABLE desk.seen (who name, what text);
GRANT INSERT ON desk.seen TO PUBLIC;
CREATE FUNCTION desk.write_down(what text) RETURNS void LANGUAGE sql AS $$ INSERT INTO desk.seen VALUES (current_user, what) $$;
CREATE FUNCTION desk.spy(x anyelement, what text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	PERFORM desk.write_down(what);
	RETURN true;
END $$;
CREATE FUNCTION desk.spy_text(x text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	PERFORM desk.spy(x, 'index');
	RETURN x;
END $$;
CREATE DOMAIN desk.spied_text AS text CHECK (desk.spy(value, 'domain'));
CREATE DOMAIN desk.spied_time AS timestamptz CHECK (desk.spy(value, 'domain'));
CREATE TYPE desk.priority AS ENUM ('S1', 'S2');
CREATE TYPE desk.pair AS (a desk.spied_text, b int);
CREATE TYPE desk.status AS ENUM ('open', 'waiting');
CREATE FUNCTION desk.to_status(x text) RETURNS desk.status LANGUAGE plpgsql AS $$ BEGIN PERFORM desk.spy(x, 'cast'); RETURN 'open'::desk.status; END $$;
CREATE FUNCTION desk.to_text(x desk.status) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM desk.spy(0, 'cast'); RETURN 'open'; END $$;
CREATE FUNCTION desk.to_priority(x text) RETURNS desk.priority LANGUAGE plpgsql AS $$ BEGIN PERFORM desk.spy(x, 'cast'); RETURN 'S1'::desk.priority; END $$;
CREATE CAST (text AS desk.status) WITH FUNCTION desk.to_status AS IMPLICIT;
CREATE CAST (desk.status AS text) WITH FUNCTION desk.to_text AS IMPLICIT;
CREATE CAST (text AS desk.priority) WITH FUNCTION desk.to_priority AS IMPLICIT;
CREATE TABLE desk.tickets (
	id desk.spied_text PRIMARY KEY,
	s desk.priority,
	at desk.spied_time,
	status desk.status,
	account desk.pair,
	labels desk.spied_text[],
	note text,
	sla_response_due timestamptz CHECK (desk.spy(sla_response_due, 'check')),
	spied boolean GENERATED ALWAYS AS (desk.spy(sla_response_due, 'generated')) STORED);
CREATE INDEX ON desk.tickets (desk.spy_text(note), sla_response_due);
CREATE INDEX ON desk.tickets (sla_response_due) WHERE desk.spy(sla_response_due, 'predicate');
ALTER TABLE desk.tickets ADD EXCLUDE (desk.spy_text(id) WITH =, sla_response_due WITH =) DEFERRABLE INITIALLY DEFERRED;
INSERT INTO desk.tickets VALUES ('1', 'S1', '2026-03-02 09:00', 'waiting', ROW('a', 1), '{x}', 'n'), ('2', 'S2', '2026-03-02 09:00', 'open', NULL, '{}', 'n');
SET CONSTRAINTS ALL IMMEDIATE;
DELETE FROM desk.seen;
RESET ROLE;

CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	SET CONSTRAINTS ALL IMMEDIATE;	-- as at commit
	SET CONSTRAINTS ALL DEFERRED;
	SELECT string_agg(DISTINCT who || ' ' || what, ', ' ORDER BY who || ' ' || what) INTO result FROM desk.seen;
	DELETE FROM desk.seen;
	RETURN coalesce(result, 'nothing');
END $$;
CREATE FUNCTION pg_temp.stale() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	UPDATE desk.tickets SET sla_response_due = NULL, s = CASE WHEN s = 'S1'::desk.priority THEN 'S2'::desk.priority ELSE 'S1'::desk.priority END;
	SET LOCAL session_replication_role = origin;
	PERFORM pg_temp.seen();
END $$;

SELECT is(sla.attach('desk.tickets', 'acme', 's', 'at', severity_map => '{"S1": "S1", "S2": "S2"}',
	status => 'status', paused_when => '{waiting}', account => 'account', labels => '{labels,note}'), 2::bigint, 'a superuser attaches');
SELECT is(pg_temp.seen(), 'sla_test_evil check, sla_test_evil generated, sla_test_evil index, sla_test_evil predicate',
	'what has to run for rows that are stamped runs as the owner; casts and domains not at all');
SELECT is((SELECT string_agg(concat_ws(' ', t.key, t.state, t.account, t.labels), ', ' ORDER BY t.key) FROM sla.ticket t),
	'1 paused (a,1) {"note": "n", "labels": "{x}"}, 2 open {"note": "n", "labels": "{}"}', 'values read as they print');
SELECT throws_ok($$SELECT sla.column_text('desk.tickets', 'status', 'closed', 'paused_when')$$, '22023', NULL, 'no text but the labels of an enum');
SELECT is(sla.column_text('desk.tickets', 'status', 'open', 'paused_when'), 'open', 'and those as they are');
SELECT is(pg_temp.seen(), 'nothing', 'without a cast');

-- Messages, told apart by columns of types with something inside that checks
SET LOCAL ROLE sla_test_evil;
CREATE FUNCTION desk.to_pair(x text) RETURNS desk.pair LANGUAGE plpgsql AS $$ BEGIN PERFORM desk.spy(x, 'cast'); RETURN NULL; END $$;
CREATE CAST (text AS desk.pair) WITH FUNCTION desk.to_pair AS ASSIGNMENT;
CREATE TYPE desk.span AS RANGE (subtype = desk.spied_time);
CREATE TABLE desk.messages (id int PRIMARY KEY, ticket desk.spied_text, at desk.spied_time, author desk.pair, kinds desk.spied_text[], span desk.span, internal boolean);
INSERT INTO desk.messages VALUES (1, '1', '2026-03-02 09:10', ROW('a', 1), '{x}', '[2026-03-02 09:00:00+00,2026-03-02 10:00:00+00)', false);
DELETE FROM desk.seen;
RESET ROLE;
SELECT is(sla.attach_messages('desk.messages', 'desk.tickets', 'ticket', 'at', 'author', agent_when => '{"(a,1)"}', internal => 'internal',
	only_when => '{"kinds": ["{x}"], "span": ["[\"2026-03-02 09:00:00+00\",\"2026-03-02 10:00:00+00\")"]}'), 1::bigint, 'a superuser attaches messages');
SELECT is(pg_temp.seen(), 'nothing', 'texts are compared as values print');
SELECT is((SELECT string_agg(e.kind || coalesce(' ' || e.source, ''), ', ' ORDER BY e.seq) FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = '1'), 'opened, paused, replied message 1', 'and so found');
SELECT isnt(sla.record_event('desk.tickets', '2', 'replied', '2026-03-02 09:20'), NULL, 'a superuser records an event');
SELECT isnt(sla.pin_due('desk.tickets', '2', 'response', '2026-03-03', '2026-03-02 09:10'), NULL, 'and pins a due time');
SELECT is(pg_temp.seen(), 'sla_test_evil check, sla_test_evil generated, sla_test_evil index, sla_test_evil predicate', 'as the owner');
SELECT sla.detach_messages('desk.messages');
SELECT pg_temp.stale();
SELECT is(sla.record_rows('desk.tickets'), 2::bigint, 'recorded');
SELECT is(pg_temp.seen(), 'sla_test_evil check, sla_test_evil generated, sla_test_evil index, sla_test_evil predicate', 'as the owner');
SELECT pg_temp.stale();
SELECT is(sla.reconcile('desk.tickets'), 2::bigint, 'reconciled');
SELECT is(pg_temp.seen(), 'sla_test_evil check, sla_test_evil generated, sla_test_evil index, sla_test_evil predicate', 'as the owner');
SELECT pg_temp.stale();
SELECT sla.restamp_begin('desk.tickets');
SELECT is(sla.restamp_step('desk.tickets', 10), false, 'restamped');
SELECT is(pg_temp.seen(), 'sla_test_evil check, sla_test_evil generated, sla_test_evil index, sla_test_evil predicate', 'as the owner');
SELECT is(current_user::text || current_setting('is_superuser'), session_user || 'on', 'and one is who one was');

-- What such a function does goes no further than the owner's own rights
SET LOCAL ROLE sla_test_evil;
CREATE FUNCTION desk.climb(x timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('desk.command', true) <> '' THEN
		EXECUTE current_setting('desk.command', true);
	END IF;
	RETURN true;
END $$;
ALTER TABLE desk.tickets ADD CONSTRAINT climb CHECK (desk.climb(sla_response_due)) NOT VALID;
RESET ROLE;
CREATE FUNCTION pg_temp.tries(command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.stale();
	PERFORM set_config('desk.command', command, true);
	RETURN NEXT throws_ok($x$SELECT sla.record_rows('desk.tickets')$x$, '42501', NULL, 'the owner''s rights do not reach to: ' || command);
	PERFORM set_config('desk.command', '', true);
END $$;
SELECT pg_temp.tries(command) FROM unnest(ARRAY[
	'DELETE FROM sla.event',
	'ALTER ROLE sla_test_evil SUPERUSER',
	'SELECT nextval(''sla.ticket_id_seq'')',
	'SET ROLE NONE',
	'SET SESSION AUTHORIZATION DEFAULT',
	'CREATE TEMP TABLE x ()']) command;
SELECT pg_temp.stale();
SELECT set_config('desk.command', 'SET search_path = desk', true);
SELECT lives_ok($$SELECT sla.record_rows('desk.tickets')$$, 'what it sets');
SELECT isnt(current_setting('search_path'), 'desk', 'does not last');
SELECT set_config('desk.command', '', true);

SELECT pg_temp.stale();
SELECT sla.detach('desk.tickets');
SELECT sla.attach('desk.tickets', 'acme', 's', 'at', record_rows => false);
DROP TABLE desk.tickets;
SELECT is(pg_temp.seen(), 'nothing', 'detaching, attaching without rows and dropping run nothing');

SELECT * FROM finish();
ROLLBACK;
