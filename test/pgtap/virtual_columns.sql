-- Columns that are generated when they are read have no value in a trigger: they
-- cannot be named, and are no hindrance in a table that has them.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(9);

SELECT current_setting('server_version_num')::int < 180000 AS old \gset
\if :old
SELECT skip('virtual columns came with PostgreSQL 18', 9);
\else
SELECT sla.load_policy('{"policy": "t virtual", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "resolution", "goal": "1h", "calendar": "always"}],
	"restriction": {"thresholds": {"support": 30}, "actions": {"ticket": "support"}}}', '2026-01-01') IS NOT NULL AS loaded \gset

CREATE TABLE ticket (id int PRIMARY KEY, severity text, at timestamptz, loud text GENERATED ALWAYS AS (upper(severity)) VIRTUAL, due timestamptz);
SELECT throws_ok($$ SELECT sla.attach('ticket', 't virtual', severity => 'loud', received_at => 'at') $$, '428C9', NULL, 'no severity of a ticket');
SELECT sla.attach('ticket', 't virtual', severity => 'severity', received_at => 'at', resolution_due => 'due') \g /dev/null
INSERT INTO ticket (id, severity, at) VALUES (1, 's1', '2026-02-02'), (2, 'S1', '2026-02-02 12:00');
UPDATE ticket SET severity = 'S1' WHERE id = 1;
SELECT is((SELECT string_agg(concat_ws(' ', id, loud, due), ', ' ORDER BY id) FROM ticket),
	'1 S1 2026-02-02 01:00:00+00, 2 S1 2026-02-02 13:00:00+00', 'rows that have one are stamped');

CREATE TABLE note (id int PRIMARY KEY, ticket int, at timestamptz, "by" text, who text GENERATED ALWAYS AS (lower("by")) VIRTUAL);
SELECT throws_ok($$ SELECT sla.attach_messages('note', 'ticket', 'ticket', 'at', 'who', '{agent}') $$, '428C9', NULL, 'no author of a message');
SELECT lives_ok($$ SELECT sla.attach_messages('note', 'ticket', 'ticket', 'at', 'by', '{agent}') $$, 'what it is generated from can be named');

CREATE TABLE bill (id int PRIMARY KEY, who text, issued date, due date GENERATED ALWAYS AS (issued + 14) VIRTUAL, kept date GENERATED ALWAYS AS (issued + 14) STORED, paid date);
SELECT throws_ok($$ SELECT sla.attach_invoices('bill', 't virtual', 'who', 'due', settled_at => 'paid') $$, '428C9', NULL, 'no due date of an invoice');
SELECT sla.attach_invoices('bill', 't virtual', 'who', 'kept', settled_at => 'paid') \g /dev/null
INSERT INTO bill (id, who, issued) VALUES (1, 'Acme', '2026-01-01');
SELECT is((SELECT due FROM sla.invoice WHERE account = 'Acme'), '2026-01-15'::date, 'one that is stored can be it');

CREATE TABLE job (id int PRIMARY KEY, who text, loud text GENERATED ALWAYS AS (upper(who)) VIRTUAL);
SELECT throws_ok($$ SELECT sla.guard('job', 'ticket', 'loud') $$, '428C9', NULL, 'no account of a guarded table');
SELECT sla.guard('job', 'ticket', 'who') \g /dev/null
SELECT lives_ok($$ INSERT INTO job (id, who) VALUES (1, 'Somebody') $$, 'rows that have one pass');
SELECT is((SELECT loud FROM job), 'SOMEBODY', 'and are as they are');
\endif

SELECT * FROM finish();
ROLLBACK;
