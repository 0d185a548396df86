-- What cannot be attached: a clear error, and nothing changed.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(187);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
CREATE TABLE good (id int PRIMARY KEY, priority text, created_at timestamptz, first_reply_at timestamptz, closed_at timestamptz, local_at timestamp,
	doubled timestamptz GENERATED ALWAYS AS (created_at) STORED, level text GENERATED ALWAYS AS (upper(priority)) STORED, weight float8, tags text[], info jsonb, "odd ""name" text, due timestamptz, due_text text);
INSERT INTO good VALUES (1, 'S1', '2026-03-02 09:00');
CREATE TABLE keyless (id int, priority text, created_at timestamptz);
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE, priority text, created_at timestamptz);
CREATE TABLE nullable (id int UNIQUE, code text NOT NULL, priority text, created_at timestamptz);
CREATE UNIQUE INDEX ON nullable (lower(code));
CREATE UNIQUE INDEX ON nullable (code) WHERE id > 0;
CREATE VIEW seen AS SELECT * FROM good;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM good;
CREATE SEQUENCE counter;
CREATE TEMP TABLE passing (id int PRIMARY KEY, priority text, created_at timestamptz);
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE abroad (id int, priority text, created_at timestamptz) SERVER nowhere;
CREATE TABLE taken (id int PRIMARY KEY, priority text, created_at timestamptz);
SELECT sla.attach('taken', 'acme', 'priority', 'created_at');
CREATE TABLE split (id int PRIMARY KEY, priority text, created_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
CREATE TABLE split_2 PARTITION OF split_1 FOR VALUES FROM (0) TO (5);
SELECT sla.attach('split_1', 'acme', 'priority', 'created_at', stamp => false);
CREATE TYPE urgency AS ENUM ('calm', 'hot');
CREATE DOMAIN worry AS urgency;
ALTER TABLE good ADD urgency worry, ADD state int, ADD held boolean, ADD moment timestamp, ADD day date, ADD code uuid, ADD wanted timestamptz NOT NULL DEFAULT '2026-03-02';
CREATE ROLE sla_test_writer;

-- Everything that attaching could leave behind
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(x, '|')) FROM (
		SELECT * FROM (SELECT a::text FROM sla.attachment a ORDER BY id) s(x)
		UNION ALL SELECT * FROM (SELECT t::text FROM sla.ticket t ORDER BY id) s(x)
		UNION ALL SELECT count(*)::text FROM pg_trigger
		UNION ALL SELECT count(*)::text FROM pg_attribute WHERE attnum > 0) u(x) $$;
CREATE FUNCTION pg_temp.refused(arguments text, code text, message text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before constant text := pg_temp.state();
BEGIN
	RETURN NEXT throws_ok('SELECT sla.attach(' || arguments || ')', code, message, what);
	RETURN NEXT is(pg_temp.state(), before, what || ': nothing changed');
END $$;

-- Tables
SELECT pg_temp.refused($$'keyless', 'acme', 'priority', 'created_at'$$, '55000', 'table public.keyless has no primary key', 'no primary key');
SELECT pg_temp.refused($$'deferred', 'acme', 'priority', 'created_at'$$, '55000', 'table public.deferred has no primary key', 'a key that may be doubled for a while');
SELECT pg_temp.refused($$'seen', 'acme', 'priority', 'created_at'$$, '42809', 'public.seen is no table that can be attached', 'a view');
SELECT pg_temp.refused($$'kept', 'acme', 'priority', 'created_at'$$, '42809', 'public.kept is no table that can be attached', 'a materialized view');
SELECT pg_temp.refused($$'counter', 'acme', 'priority', 'created_at'$$, '42809', 'public.counter is no table that can be attached', 'a sequence');
SELECT pg_temp.refused($$'good_pkey', 'acme', 'priority', 'created_at'$$, '42809', 'public.good_pkey is no table that can be attached', 'an index');
SELECT pg_temp.refused($$'passing', 'acme', 'priority', 'created_at'$$, '42809', NULL, 'a temporary table');
SELECT pg_temp.refused($$'abroad', 'acme', 'priority', 'created_at'$$, '42809', 'public.abroad is no table that can be attached', 'a foreign table');
SELECT pg_temp.refused($$'pg_class', 'acme', 'relname', 'relname'$$, '42809', 'pg_class is no table that can be attached', 'a system table');
SELECT pg_temp.refused($$'sla.ticket', 'acme', 'severity', 'received_at'$$, '42809', 'sla.ticket is no table that can be attached', 'a table of the ledger');
SELECT pg_temp.refused($$'taken', 'acme', 'priority', 'created_at'$$, '42710', 'table public.taken is attached already', 'an attached table');
SELECT pg_temp.refused($$'split', 'acme', 'priority', 'created_at'$$, '42710', 'partition public.split_1 of table public.split is attached by itself', 'a table with an attached partition');
SELECT pg_temp.refused($$'split_2', 'acme', 'priority', 'created_at'$$, '42710', 'table public.split_2 is a partition of table public.split_1, which is attached', 'a partition of an attached table');
CREATE TABLE whole (id int PRIMARY KEY, priority text, created_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (10);
SELECT pg_temp.refused($$'whole_1', 'acme', 'priority', 'created_at'$$, '42703', 'partition public.whole_1 has no column "sla_response_due" for response_due', 'a partition that would need another column');
SELECT pg_temp.refused($$NULL, 'acme', 'priority', 'created_at'$$, '22004', 'ticket_table must not be null', 'no table');
SELECT pg_temp.refused($$0::oid::regclass, 'acme', 'priority', 'created_at'$$, '42P01', NULL, 'a table that is not there');
SET LOCAL ROLE sla_test_writer;
SELECT throws_ok($$SELECT sla.attach('good', 'acme', 'priority', 'created_at')$$, '42501', NULL, 'a table of somebody else''s');
RESET ROLE;

-- Keys
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', key => '{priority}'$$, '55000', 'columns {priority} of table public.good are no key', 'columns that are no key');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', key => '{id,priority}'$$, '55000', 'columns {id,priority} of table public.good are no key', 'more than a key');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', key => '{nope}'$$, '55000', 'columns {nope} of table public.good are no key', 'a key column that is not there');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', key => '{}'$$, '55000', 'columns {} of table public.good are no key', 'an empty key');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', key => ARRAY[NULL]$$, '55000', NULL, 'a key of NULL');
SELECT pg_temp.refused($$'nullable', 'acme', 'priority', 'created_at', key => '{id}'$$, '55000', 'columns {id} of table public.nullable are no key', 'a key that may be NULL');
SELECT pg_temp.refused($$'nullable', 'acme', 'priority', 'created_at', key => '{code}'$$, '55000', 'columns {code} of table public.nullable are no key', 'unique by an expression or in part');

-- Columns
SELECT pg_temp.refused($$'good', 'acme', 'prio', 'created_at'$$, '42703', 'column "prio" of table public.good does not exist', 'no such severity column');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'made_at'$$, '42703', 'column "made_at" of table public.good does not exist', 'no such time of receipt');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', responded_at => 'made_at'$$, '42703', NULL, 'no such time of response');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', resolved_at => 'made_at'$$, '42703', NULL, 'no such time of resolution');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', changed_at => 'made_at'$$, '42703', NULL, 'no such time of change');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'ctid'$$, '42703', NULL, 'a system column');
SELECT pg_temp.refused($$'good', 'acme', 'level', 'created_at'$$, '428C9', 'column "level" of table public.good is generated and cannot be severity', 'a generated severity');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'doubled'$$, '428C9', 'column "doubled" of table public.good is generated and cannot be received_at', 'a generated time');
SELECT pg_temp.refused($$'good', 'acme', 'weight', 'created_at'$$, '42804', 'column "weight" of table public.good has type double precision, which cannot be severity', 'a severity of a useless type');
SELECT pg_temp.refused($$'good', 'acme', 'tags', 'created_at'$$, '42804', NULL, 'an array');
SELECT pg_temp.refused($$'good', 'acme', 'info', 'created_at'$$, '42804', NULL, 'JSON');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'local_at'$$, '42804', 'column "local_at" of table public.good has type timestamp without time zone, which cannot be received_at', 'a time without time zone');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', response_due => 'due_text'$$, '42804', NULL, 'a due column of a useless type');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', response_due => 'doubled'$$, '428C9', NULL, 'a generated due column');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', response_due => 'created_at'$$, '22023', 'column "created_at" cannot be response_due and something else', 'a due column that is another role''s');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', response_due => 'due', resolution_due => 'due'$$, '22023', NULL, 'one column for two due times');

-- Columns of the further roles
SELECT pg_temp.refused(format($$'good', 'acme', 'priority', 'created_at', %s => 'weight'$$, r), '42804', format('column "weight" of table public.good has type double precision, which cannot be %s', r), r || ' of a useless type')
	FROM unnest('{responded_at,last_update_at,customer_reply_at,resolved_at,changed_at,investigated_at,channel,exempt}'::text[]) r;
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'weight', paused_when => '{1}'$$, '42804', NULL, 'a status of a useless type');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', policy_column => 'state'$$, '42804', 'column "state" of table public.good has type integer, which cannot be policy', 'a policy of a useless type');
SELECT pg_temp.refused(format($$'good', 'acme', 'priority', 'created_at', %s => 'nope'$$, r), '42703', 'column "nope" of table public.good does not exist', 'no such ' || r)
	FROM unnest('{account,service,product,team,assignee}'::text[]) r;
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', labels => '{id,nope}'$$, '42703', 'column "nope" of table public.good does not exist', 'no such label');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', team => 'level'$$, '428C9', 'column "level" of table public.good is generated and cannot be team', 'a generated team');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'day'$$, '42804', NULL, 'a day is no time');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'day', timestamps_in => 'UTC'$$, '42804', NULL, 'whatever its zone');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', response_due => 'wanted'$$, '22023', 'column "wanted" of table public.good is not null and cannot be response_due', 'a due column that must have a value');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', response_due => 'moment'$$, '42804', NULL, 'a due column without time zone');

-- One column in two roles
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', responded_at => 'created_at'$$, '22023', 'column "created_at" cannot be both received_at and responded_at', 'answered when received');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', changed_at => 'created_at'$$, '22023', 'column "created_at" cannot be both received_at and changed_at', 'never changed');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', responded_at => 'closed_at', customer_reply_at => 'closed_at'$$, '22023', 'column "closed_at" cannot be both customer_reply_at and responded_at', 'asked and answered at once');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', last_update_at => 'closed_at', customer_reply_at => 'closed_at'$$, '22023', 'column "closed_at" cannot be both customer_reply_at and last_update_at', 'asked and told at once');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'priority', paused_when => '{S1}'$$, '22023', 'column "priority" cannot be both severity and status', 'a status that is the severity');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', labels => '{due}', reply_due => 'due'$$, '22023', 'column "due" cannot be reply_due and something else', 'a due column that is a label');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', update_due => 'id'$$, '22023', 'column "id" cannot be update_due and something else', 'a due column that is the key');

-- Other arguments
SELECT pg_temp.refused($$'good', 'nope', 'priority', 'created_at'$$, '42704', 'policy "nope" does not exist', 'an unknown policy');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', on_error => 'shrug'$$, '22023', 'on_error cannot be ''shrug''', 'a bad on_error');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', on_error => NULL$$, '22023', 'on_error cannot be NULL', 'no on_error');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', severity_map => '["S1"]'$$, '22023', 'severity_map is no JSON object', 'a map that is none');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', severity_map => '{"high": "S10"}'$$, '22023', 'severity_map gives "S10" for "high", which is no severity', 'a map to no severity');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', severity_map => '{"high": null}'$$, '22023', NULL, 'a map to NULL');
SELECT pg_temp.refused($$'good', 'acme', NULL, 'created_at'$$, '22004', 'severity and severity_default must not both be null', 'no severity');
SELECT pg_temp.refused($$'good', NULL, 'priority', 'created_at'$$, '22004', 'policy, policy_column and account must not all be null', 'no policy');
SELECT pg_temp.refused($$'good', 'acme', 'priority'$$, '22004', 'received_at must not be null', 'no time of receipt');
SELECT pg_temp.refused($$'good', 'acme', NULL, 'created_at', severity_default => 'S1', severity_map => '{"a": "S1"}'$$, '22023', 'severity_map needs a column to map', 'a map of nothing');
SELECT pg_temp.refused($$'good', 'acme', 'urgency', 'created_at', severity_map => '{"hot": "S1", "warm": "S2"}'$$, '22023', 'severity_map names ''warm'', which column "urgency" of table public.good cannot be', 'a map of what cannot be');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', severity_default => 'high'$$, '22023', 'severity_default is "high", which is no severity', 'a default that is no severity');

-- Status
SELECT pg_temp.refused(format($$'good', 'acme', 'priority', 'created_at', %s => '{1}'$$, l), '22023', l || ' needs the column that says so', l || ' of no column') FROM unnest('{paused_when,resolved_when,cancelled_when}'::text[]) l;
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'state'$$, '22023', 'nothing is said about column "state"', 'a status that says nothing');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'state', paused_when => '{}'$$, '22023', 'paused_when must list texts of column "state", and no NULL', 'an empty list');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'state', paused_when => ARRAY['1', NULL]$$, '22023', NULL, 'a list with NULL');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'state', paused_when => '{1,2}', cancelled_when => '{3,+2}'$$, '22023', 'cancelled_when and paused_when both list ''2''', 'lists that overlap');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'state', resolved_when => '{done}'$$, '22023', 'resolved_when names ''done'', which column "state" of table public.good cannot be', 'a text of a number');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', status => 'held', paused_when => '{true}', resolved_when => '{maybe}'$$, '22023', NULL, 'nor of a boolean');

-- Times without a time zone
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'local_at', timestamps_in => 'Mars/Phobos'$$, '22023', 'time zone "Mars/Phobos" of timestamps_in is not known to this server', 'an unknown zone');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'local_at', timestamps_in => 'CEST'$$, '22023', NULL, 'an abbreviation');
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', not_set => 'infinity'$$, '22023', 'not_set cannot be infinity', 'an instant that means nothing anyway');

-- Rows that the policy does not cover, where it has to
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at', severity_map => '{"high": "S1"}', on_error => 'reject'$$, '23514', 'ticket 1 of table "good" has no deadlines: priority "S1" maps to no severity', 'a row that is rejected');
ALTER TABLE good ADD CHECK (weight > 0) NOT VALID;
INSERT INTO good (id, priority, created_at, weight) VALUES (2, 'S1', '2026-03-02', 1);
UPDATE good SET weight = 1;
ALTER TABLE good DROP CONSTRAINT good_weight_check;
UPDATE good SET weight = 0 WHERE id = 1;
ALTER TABLE good ADD CHECK (weight > 0) NOT VALID;
SELECT pg_temp.refused($$'good', 'acme', 'priority', 'created_at'$$, '23514', 'new row for relation "good" violates check constraint "good_weight_check"', 'a row that no UPDATE could touch');

SELECT * FROM finish();
ROLLBACK;
