-- Laioutr: Customer Support (seed 002): who may file requests. Each comment
-- "-- 002: ..." is a row of doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(11);

SELECT sla.load_policy(sla.preset('laioutr') || '{"policy": "t laioutr"}');
CREATE TABLE person (name text PRIMARY KEY, registered_at timestamptz NOT NULL);
INSERT INTO person VALUES ('ann', '2026-01-05'), ('bob', '2026-03-02 12:00');

-- 002: who submits is a registered user who has logged in
CREATE TABLE ticket (id int PRIMARY KEY, channel text, "user" text REFERENCES person, session uuid, logged_in boolean GENERATED ALWAYS AS (session IS NOT NULL) STORED);
SELECT sla.guard('ticket', policy => 't laioutr', kind_column => 'channel', unknown_kind => 'admit');
SELECT lives_ok($$INSERT INTO ticket VALUES (1, 'website', 'ann', '00000000-0000-0000-0000-000000000001')$$, 'Ann has logged in');
SELECT throws_ok($$INSERT INTO ticket VALUES (2, 'website', 'ann', NULL)$$, 'SL002', 'request of kind "website" is not accepted: 1 problem', 'Ann has not');
SELECT throws_ok($$INSERT INTO ticket VALUES (2, 'website', NULL, '00000000-0000-0000-0000-000000000001')$$, 'SL002', NULL, 'nobody has');
SELECT throws_ok($$INSERT INTO ticket VALUES (2, 'website', 'eve', '00000000-0000-0000-0000-000000000001')$$, '23503', NULL, 'who is not registered is no user');
SELECT lives_ok($$INSERT INTO ticket VALUES (2, 'email', NULL, NULL)$$, 'of email that is not asked');
SELECT throws_ok($$UPDATE ticket SET channel = 'website' WHERE id = 2$$, 'SL002', NULL, 'nor is it one by the website');

-- 002: whoever wants priority support has been registered ahead of time
CREATE TABLE priority (id int PRIMARY KEY, "user" text REFERENCES person, registered_at timestamptz, organization text, project text, filed_at timestamptz,
	registered_ahead boolean GENERATED ALWAYS AS (registered_at < filed_at) STORED);
SELECT sla.guard('priority', policy => 't laioutr', kind => 'priority', requested_at => 'filed_at');
CREATE FUNCTION pg_temp.file(id int, who text, at timestamptz) RETURNS void LANGUAGE sql AS $$
	INSERT INTO priority SELECT id, p.name, p.registered_at, 'Acme', 'shop', at FROM person p WHERE p.name = who $$;
SELECT lives_ok($$SELECT pg_temp.file(1, 'ann', '2026-03-02 10:00')$$, 'Ann is known');
SELECT throws_ok($$SELECT pg_temp.file(2, 'bob', '2026-03-02 10:00')$$, 'SL002', 'request of kind "priority" is not accepted: 1 problem', 'Bob registered later');
SELECT throws_ok($$SELECT pg_temp.file(2, 'bob', '2026-03-02 12:00')$$, 'SL002', NULL, 'or just now');
SELECT lives_ok($$SELECT pg_temp.file(2, 'bob', '2026-03-02 12:00:01')$$, 'from then on he is known');
SELECT throws_ok($$UPDATE priority SET project = ' ' WHERE id = 2$$, 'SL002', NULL, 'what he files names the project');

SELECT * FROM finish();
ROLLBACK;
