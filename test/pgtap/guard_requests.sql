-- Guards: what of a row is checked when, by every way of writing there is
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(56);

SELECT sla.load_policy('{"policy": "t guard", "time_zone": "Europe/Berlin",
	"calendars": {"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}],
	"requests": {"test": {"lead": "2 weeks", "required": ["contact_email", "origins", "own"]},
		"slot": {"lead": "30 days", "slot_lead": "20 days", "outside": "day"}, "Ünïcode": {"required": ["own"]}}}');
CREATE FUNCTION pg_temp.refused(command text, code text DEFAULT 'SL002') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; hint text; state text; t text;
BEGIN
	EXECUTE command;
	RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, t = TABLE_NAME;
	IF state <> code THEN
		RETURN state || ' ' || message;
	END IF;
	RETURN message || E'\n' || detail;
END $$;
CREATE TYPE kinds AS ENUM ('test', 'slot', 'chat');
CREATE TABLE request (id int PRIMARY KEY, what kinds, contact_email varchar(50), origins inet[], own jsonb, asked timestamp, starts_at timestamptz, "end" timestamp, slot_agreed_at timestamptz, note text);
SELECT sla.guard('request', policy => 't guard', kind_column => 'what', requested_at => 'asked', timestamps_in => 'Europe/Berlin', unknown_kind => 'admit',
	fields => '{"contact_email": "contact_email", "origins": "origins", "own": "own", "starts_at": "starts_at", "ends_at": "end", "slot_agreed_at": "slot_agreed_at"}');

-- INSERT
SELECT lives_ok($$INSERT INTO request VALUES (1, 'test', 'ann@acme.example', '{192.0.2.0/24,::1}', '{"a": 1}', '2026-03-20 10:00', '2026-04-03 10:00+02', '2026-04-03 12:00')$$, 'a request as it should be');
SELECT is(pg_temp.refused($$INSERT INTO request VALUES (2, 'test', 'ann', NULL, '[]', '2026-03-20 10:00', '2026-04-03 09:59:59.999999+02', '2026-04-03 08:00')$$),
	'request of kind "test" is not accepted: 5 problems
contact_email (fields): must be an address for email.
origins (fields): is missing.
own (fields): is missing.
ends_at (period): must lie after starts_at. Accepted: later than 2026-04-03 09:59:59.999999+02.
starts_at (lead): is 2026-04-03 09:59:59.999999+02: requested at 2026-03-20 10:00:00+01, it may start 14 days later. Accepted: 2026-04-03 10:00:00+02 or later.', 'everything that is wrong, in one error');
SELECT is((SELECT count(*) FROM request), 1::bigint, 'the row is not there');
SELECT lives_ok($$INSERT INTO request (id) VALUES (3)$$, 'a row without a kind is no request');
SELECT lives_ok($$INSERT INTO request (id, what) VALUES (4, 'chat')$$, 'one of a kind without a rule is nobody''s business');
SELECT is(pg_temp.refused($$INSERT INTO request (id, what, asked, starts_at) VALUES (5, 'slot', 'infinity', 'infinity')$$), 'request of kind "slot" is not accepted: 1 problem
starts_at (fields): is missing. Accepted: ' || sla.earliest_start('t guard', 'slot', statement_timestamp())::text || ' or later.', 'times that are infinite say nothing: it is requested now')
FROM (SELECT set_config('timezone', 'Europe/Berlin', true)) x;
SET LOCAL timezone = 'UTC';
SELECT ok(starts_with(pg_temp.refused($$INSERT INTO request SELECT 10 + g, 'test', 'ann@acme.example', '{::1}', '1', '2026-03-20 10:00', '2026-04-03 10:00:00.000005+02'::timestamptz - g * interval '1 us' FROM generate_series(0, 6) g$$), 'request of kind "test" is not accepted: 1 problem'), 'one row of many');
SELECT is((SELECT count(*) FROM request), 3::bigint, 'refuses the statement');

-- json that is not what a request can be
CREATE TABLE loose (id int, request json, own json);
SELECT sla.guard('loose', policy => 't guard', kind => 'Ünïcode', request => 'request');
SELECT lives_ok($$INSERT INTO loose VALUES (1, '{"own": 1}')$$, 'json as it should be');
SELECT is(pg_temp.refused(format('INSERT INTO loose VALUES (2, %L)', v)), 'request of kind "Ünïcode" is not accepted: 1 problem
request: ' || problem || '.', v || ' is refused as any other')
FROM (VALUES ('{"own": "\u0000"}', 'unsupported Unicode escape sequence'), ('{"own": 1e400000}', 'value overflows numeric format')) t(v, problem);
SELECT is(pg_temp.refused($$INSERT INTO loose (id, own) VALUES (3, '["\u0000"]')$$), 'request of kind "Ünïcode" is not accepted: 1 problem
request: unsupported Unicode escape sequence.', 'also of one field');

-- UPDATE: what depends on what it changes
SELECT lives_ok($$UPDATE request SET note = 'x'$$, 'what is no column of the guard is free');
SELECT lives_ok($$UPDATE request SET contact_email = 'bob@acme.example' WHERE id = 1$$, 'a field, as it should be');
SELECT is(pg_temp.refused($$UPDATE request SET contact_email = 'bob' WHERE id = 1$$), 'request of kind "test" is not accepted: 1 problem
contact_email (fields): must be an address for email.', 'or not');
SELECT is(pg_temp.refused($$UPDATE request SET starts_at = starts_at - interval '1 s' WHERE id = 1$$), 'request of kind "test" is not accepted: 1 problem
starts_at (lead): is 2026-04-03 09:59:59+02: requested at 2026-03-20 10:00:00+01, it may start 14 days later. Accepted: 2026-04-03 10:00:00+02 or later.', 'an earlier start');
SELECT ok(starts_with(pg_temp.refused($$UPDATE request SET asked = asked + interval '1 s' WHERE id = 1$$), 'request of kind "test" is not accepted: 1 problem
starts_at (lead): is 2026-04-03 10:00:00+02: reques'), 'a later request');
SELECT lives_ok($$UPDATE request SET starts_at = starts_at + interval '1 h' WHERE id = 1$$, 'a later start');
SELECT ok(starts_with(pg_temp.refused($$UPDATE request SET "end" = '2026-04-03 11:00' WHERE id = 1$$), 'request of kind "test" is not accepted: 1 problem
ends_at (period): must lie after star'), 'an earlier end');
SELECT ok(starts_with(pg_temp.refused($$UPDATE request SET what = 'test' WHERE id = 3$$), 'request of kind "test" is not accepted: 4 problems'), 'what becomes a request is checked as one');
SELECT lives_ok($$UPDATE request SET what = 'chat', contact_email = '' WHERE id = 1$$, 'what is no more is not');
SELECT lives_ok($$UPDATE request SET id = 9, own = own WHERE id = 1$$, 'nor is a key, or what stays the same');

-- Old rows are what they are
ALTER TABLE request DISABLE TRIGGER "!sla_guard";
INSERT INTO request VALUES (20, 'test', 'ann', NULL, NULL, '2026-03-20 10:00', '2026-03-21 10:00+01');
ALTER TABLE request ENABLE TRIGGER "!sla_guard";
SELECT lives_ok($$UPDATE request SET contact_email = 'ann@acme.example' WHERE id = 20$$, 'can be mended one by one');
SELECT lives_ok($$UPDATE request SET origins = '{::1}', own = 'true' WHERE id = 20$$, 'whatever else is wrong');
SELECT ok(starts_with(pg_temp.refused($$UPDATE request SET own = 'false' WHERE id = 20$$), 'request of kind "test" is not accepted: 1 problem
own (fields): is missing'), 'not made worse');

-- ON CONFLICT, MERGE
DELETE FROM request;
INSERT INTO request VALUES (1, 'test', 'ann@acme.example', '{::1}', '1', '2026-03-20 10:00', '2026-04-03 10:00+02');
SELECT lives_ok($$INSERT INTO request (id, what) VALUES (1, 'test') ON CONFLICT DO NOTHING$$, 'a row that is dropped is not checked');
SELECT lives_ok($$INSERT INTO request (id, what) VALUES (1, 'test') ON CONFLICT (id) DO UPDATE SET note = 'there already'$$, 'nor what would have been inserted');
SELECT isnt(pg_temp.refused($$INSERT INTO request (id, what) VALUES (1, 'test') ON CONFLICT (id) DO UPDATE SET contact_email = 'none'$$), 'nothing', 'what the row becomes is');
SELECT isnt(pg_temp.refused($$INSERT INTO request (id, what) VALUES (2, 'test') ON CONFLICT (id) DO UPDATE SET note = 'there already'$$), 'nothing', 'and what is inserted');
SELECT lives_ok($$MERGE INTO request r USING (VALUES (1), (2)) v(id) ON r.id = v.id WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN DO NOTHING$$, 'MERGE that changes nothing of it');
SELECT isnt(pg_temp.refused($$MERGE INTO request r USING (VALUES (1), (2)) v(id) ON r.id = v.id WHEN MATCHED THEN UPDATE SET note = 'merged' WHEN NOT MATCHED THEN INSERT (id, what) VALUES (v.id, 'test')$$), 'nothing', 'that inserts');
SELECT isnt(pg_temp.refused($$MERGE INTO request r USING (VALUES (1), (2)) v(id) ON r.id = v.id WHEN MATCHED THEN UPDATE SET own = NULL$$), 'nothing', 'that updates');
SELECT lives_ok($$DELETE FROM request; TRUNCATE request$$, 'nobody is kept from leaving');

-- What other triggers make of a row, before and after
CREATE FUNCTION pg_temp.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.contact_email := CASE NEW.note WHEN 'worse' THEN 'none' WHEN 'better' THEN 'ann@acme.example' ELSE NEW.contact_email END;
	RETURN NEW;
END $$;
CREATE TRIGGER "~~~last" BEFORE INSERT OR UPDATE ON request FOR EACH ROW EXECUTE FUNCTION pg_temp.meddle();
SELECT lives_ok($$INSERT INTO request VALUES (1, 'test', 'none', '{::1}', '1', '2026-03-20 10:00', '2026-04-03 10:00+02', NULL, NULL, 'better')$$, 'a trigger mends the row');
SELECT isnt(pg_temp.refused($$INSERT INTO request VALUES (2, 'test', 'ann@acme.example', '{::1}', '1', '2026-03-20 10:00', '2026-04-03 10:00+02', NULL, NULL, 'worse')$$), 'nothing', 'or spoils it');
SELECT isnt(pg_temp.refused($$UPDATE request SET note = 'worse'$$), 'nothing', 'in an update, too');
DROP TRIGGER "~~~last" ON request;
CREATE FUNCTION pg_temp.follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE request SET own = NULL WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER zzz AFTER INSERT ON request FOR EACH ROW EXECUTE FUNCTION pg_temp.follow();
SELECT isnt(pg_temp.refused($$INSERT INTO request VALUES (2, 'test', 'ann@acme.example', '{::1}', '1', '2026-03-20 10:00', '2026-04-03 10:00+02')$$), 'nothing', 'nor afterwards');
DROP TRIGGER zzz ON request;

-- Columns come and go
ALTER TABLE request RENAME COLUMN own TO owned;
SELECT is(pg_temp.refused($$INSERT INTO request (id) VALUES (5)$$, '55000'), 'the guard of table "request" does not know what to do: column "own" is gone
', 'without a column that it needs it lets nobody in');
ALTER TABLE request RENAME COLUMN owned TO own;
SELECT lives_ok($$INSERT INTO request (id) VALUES (5)$$, 'with it again it does');
ALTER TABLE request DROP COLUMN note, ADD COLUMN another text;
SELECT lives_ok($$INSERT INTO request (id) VALUES (6)$$, 'other columns do not matter');

-- A column with all of it, columns that go before it, and fields by their names
CREATE TABLE form (id int PRIMARY KEY, details jsonb, own text, kind text, at timestamptz DEFAULT '2026-03-20 10:00+01');
SELECT sla.guard('form', policy => 't guard', kind_column => 'kind', request => 'details', requested_at => 'at');
SELECT is((SELECT columns -> 'fields' FROM sla.guard_rule WHERE guarded_table = 'form'::regclass), '{"own": "own"}', 'columns that are called as fields are');
SELECT lives_ok($$INSERT INTO form VALUES (1, '{"contact_email": "a@b.example", "origins": "::1", "own": null, "starts_at": "2026-04-03 10:00"}', 'x', 'test')$$, 'a form and a column');
SELECT is(pg_temp.refused($$INSERT INTO form VALUES (2, '{"contact_email": "a@b", "own": "x", "starts_at": "2026-04-03 10:00"}', ' ', 'test')$$),
	'request of kind "test" is not accepted: 3 problems
contact_email (fields): must be an address for email.
origins (fields): is missing.
own (fields): is missing.', 'the column counts');
SELECT is(pg_temp.refused($$INSERT INTO form VALUES (2, '[1]', 'x', 'test')$$), 'request of kind "test" is not accepted: 1 problem
(fields): the request must be a JSON object, not a JSON array.', 'a form is an object');
SELECT is(pg_temp.refused($$INSERT INTO form VALUES (2, '{}', 'x', 'tset')$$), 'request of kind "tset" is not accepted: 1 problem
kind: "tset" is not known to policy "t guard". Accepted: slot, test, Ünïcode.', 'kinds that nobody knows are refused');
SELECT lives_ok($$INSERT INTO form VALUES (2, NULL, 'x', 'Ünïcode')$$, 'any name is a name');
SELECT isnt(pg_temp.refused(format($$INSERT INTO form VALUES (3, NULL, 'x', %L)$$, repeat('ü', 1000))), 'nothing', 'long ones are cut short');
SELECT isnt(pg_temp.refused($$UPDATE form SET details = '{}' WHERE id = 1$$), 'nothing', 'a form that changes is checked');

-- COPY
SELECT lives_ok($$COPY form (id, kind, own) FROM PROGRAM 'echo 20,,x; echo 21,Ünïcode,x' (FORMAT csv)$$, 'COPY of what is right');
SELECT throws_ok($$COPY form (id, kind, own) FROM PROGRAM 'echo 22,,x; echo 23,Ünïcode,' (FORMAT csv)$$, 'SL002', NULL, 'and of what is not');
SELECT is((SELECT count(*) FROM form WHERE id >= 20), 2::bigint, 'lets in nothing of it');

-- The policy of a row
CREATE TABLE many (id int PRIMARY KEY, policy text, own text, starts_at timestamptz);
SELECT sla.guard('many', policy_column => 'policy', kind => 'Ünïcode');
SELECT lives_ok($$INSERT INTO many VALUES (1, 't guard', 'x')$$, 'by its policy');
SELECT is(pg_temp.refused($$INSERT INTO many VALUES (2, NULL, 'x')$$), 'request of kind "Ünïcode" is not accepted: 1 problem
policy: is missing.', 'without one');
SELECT ok(starts_with(pg_temp.refused($$INSERT INTO many VALUES (2, 'nobody''s', 'x')$$), 'request of kind "Ünïcode" is not accepted: 1 problem
policy: "nobody''s" has no version in force at'), 'under one that is not there');

-- Rules that change count from then on
DELETE FROM sla.notice_rule WHERE kind = 'Ünïcode';
SELECT isnt(pg_temp.refused($$INSERT INTO many VALUES (3, 't guard', 'x')$$), 'nothing', 'a kind that is gone');
SELECT lives_ok($$UPDATE many SET id = id + 1$$, 'rows that are there may stay');

SELECT * FROM finish();
ROLLBACK;
