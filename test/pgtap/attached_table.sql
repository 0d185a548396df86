-- sla.attached_table: a table by its full name, or that it is gone.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(27);

CREATE SCHEMA desk;
CREATE TABLE desk."Odd ""name" (id int);
CREATE TABLE desk.tickets (id int);

-- Text
SELECT is('desk.tickets'::sla.attached_table::text, 'desk.tickets', 'a name and its schema');
SELECT is('desk."Odd ""name"'::sla.attached_table::text, 'desk."Odd ""name"', 'quoted where it must be');
SET LOCAL search_path = desk, public;
SELECT is('tickets'::sla.attached_table::text, 'desk.tickets', 'the schema is there whatever the search_path');
SELECT is(('pg_class'::sla.attached_table)::text, 'pg_catalog.pg_class', 'also of the catalog');
SELECT is((current_database() || '.desk.tickets')::sla.attached_table::text, 'desk.tickets', 'the database may be named');
SELECT is('-'::sla.attached_table::text, '-', 'a table that is gone');
SELECT throws_ok($$SELECT 'desk.none'::sla.attached_table$$, '42P01', 'relation "desk.none" does not exist', 'a table that is not there is an error');
SELECT throws_ok($$SELECT 'none.tickets'::sla.attached_table$$, '42P01', NULL, 'nor a schema');
SELECT throws_ok($$SELECT 'elsewhere.desk.tickets'::sla.attached_table$$, '42P01', NULL, 'nor another database');
SELECT throws_ok($$SELECT 'a.b.c.d'::sla.attached_table$$, '42P01', NULL, 'nor more than that');
SELECT throws_ok(format('SELECT %L::sla.attached_table', t), '42602', NULL, 'no name: ' || t) FROM unnest('{"",".","desk.","desk..tickets","\"desk"}'::text[]) t;

-- While a dump is restored
SET LOCAL check_function_bodies = off;
SELECT is('desk.none'::sla.attached_table::text, '-', 'a table that is not there is gone');
SELECT is(t::sla.attached_table::text, '-', 'and so is whatever is no name: ' || t) FROM unnest('{"","desk..tickets","\"desk"}'::text[]) t;
SELECT is('tickets'::sla.attached_table::text, 'desk.tickets', 'one that is there is found');
RESET check_function_bodies;

-- As regclass
CREATE TABLE kept (t sla.attached_table UNIQUE);
INSERT INTO kept VALUES ('tickets'::regclass), ('pg_class'), ('desk."Odd ""name"');
SELECT is((SELECT string_agg(c.relname, ' ' ORDER BY c.relname COLLATE "C") FROM pg_class c JOIN kept k ON k.t = c.oid), 'Odd "name pg_class tickets', 'joins with OIDs');
SELECT is((SELECT t::text FROM kept WHERE t = 'desk.tickets'::regclass), 'desk.tickets', 'compares with regclass');
SELECT is((SELECT pg_typeof(t::regclass)::text FROM kept LIMIT 1), 'regclass', 'is one when cast');
SELECT is((SELECT pg_relation_size(t) FROM kept WHERE t = 'desk.tickets'::regclass), 0::bigint, 'and where one is expected');
SELECT throws_ok($$INSERT INTO kept VALUES ('desk.tickets')$$, '23505', NULL, 'is unique');
DROP TABLE desk.tickets;
SELECT is((SELECT string_agg(t::text, ' ' ORDER BY t::text COLLATE "C") FROM kept), '- desk."Odd ""name" pg_catalog.pg_class', 'a table that is dropped is gone');

-- An attachment to one table, but to any number of those that are gone
SELECT index_is_unique('sla', 'attachment', 'attachment_ticket_table_key', 'one attachment per table');

SELECT * FROM finish();
ROLLBACK;
