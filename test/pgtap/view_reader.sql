-- A role for reports reads the views and nothing else.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(32);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}}, "severities": {"S1": {"label": "Critical"}}, "targets": [
	{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always", "alerts": [0.5, 1]}]}');
CREATE SCHEMA desk;
CREATE TABLE desk.tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz, state text DEFAULT 'open');
SELECT sla.attach('desk.tickets', 'acme', 's', 'at', status => 'state', paused_when => '{waiting}', stamp => false);
INSERT INTO desk.tickets (id, at) VALUES (1, now() - interval '2 h'), (2, now() - interval '40 min'), (3, now() - interval '40 min');
INSERT INTO desk.tickets VALUES (4, 'x', now());
UPDATE desk.tickets SET state = 'waiting' WHERE id = 3;

CREATE TEMPORARY VIEW report AS SELECT c.oid, c.relname::text AS name FROM pg_class c WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind = 'v'
	AND c.relname IN ('clock_status', 'at_risk', 'breach', 'compliance', 'compliance_by_month', 'compliance_by_day');
SELECT is((SELECT count(*) FROM report), 6::bigint, 'the views');
SELECT is_empty($$ SELECT name FROM report WHERE has_table_privilege('public', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') $$, 'nobody else has any right to them');

-- Not even the schema is open to everybody.
REVOKE ALL ON SCHEMA sla FROM PUBLIC;
CREATE ROLE sla_test_reader;
SET LOCAL ROLE sla_test_reader;
SELECT throws_ok('SELECT FROM sla.clock_status', '42501', NULL, 'without a grant nothing is read');
RESET ROLE;
GRANT USAGE ON SCHEMA sla TO sla_test_reader;
GRANT SELECT ON sla.clock_status, sla.at_risk, sla.breach, sla.compliance, sla.compliance_by_month, sla.compliance_by_day TO sla_test_reader;
SET LOCAL ROLE sla_test_reader;
SELECT isnt_empty('SELECT * FROM sla.' || v, 'sla.' || v || ' is read with all its columns') FROM unnest('{clock_status,at_risk,breach,compliance,compliance_by_month,compliance_by_day}'::text[]) v;
SELECT is((SELECT count(DISTINCT status) FROM sla.clock_status), 4::bigint, 'as everybody sees it');
SELECT isnt_empty($$ SELECT FROM sla.clock_status WHERE severity OPERATOR(sla.<=) 'S2' AND goal OPERATOR(sla.>) '30min' AND ticket_table::text = 'desk.tickets' $$, 'with what the types offer');
SELECT throws_ok('SELECT FROM sla.' || t, '42501', NULL, 'sla.' || t || ' is not') FROM unnest('{ticket,event,clock,alert,policy_edition,contract}'::text[]) t;
SELECT throws_ok('SELECT FROM desk.tickets', '42501', NULL, 'nor are the tickets');
SELECT throws_ok(format('DELETE FROM sla.%I', v), NULL, NULL, 'and nothing is deleted through sla.' || v) FROM unnest('{clock_status,at_risk,breach,compliance,compliance_by_month,compliance_by_day}'::text[]) v;

-- One view alone needs no right on those it is made of
RESET ROLE;
REVOKE SELECT ON sla.clock_status, sla.compliance FROM sla_test_reader;
SET LOCAL ROLE sla_test_reader;
SELECT throws_ok('SELECT FROM sla.clock_status', '42501', NULL, 'what was taken away is closed');
SELECT throws_ok('SELECT FROM sla.compliance', '42501', NULL, 'this one, too');
SELECT isnt_empty('SELECT * FROM sla.' || v, 'sla.' || v || ' is read alone') FROM unnest('{at_risk,breach,compliance_by_month,compliance_by_day}'::text[]) v;

-- A view of somebody's own, for one account
RESET ROLE;
CREATE VIEW desk.mine AS SELECT key, metric, status, remaining FROM sla.clock_status WHERE account IS NULL;
CREATE ROLE sla_test_customer;
GRANT USAGE ON SCHEMA desk TO sla_test_customer;
GRANT SELECT ON desk.mine TO sla_test_customer;
SET LOCAL ROLE sla_test_customer;
SELECT is((SELECT count(*) FROM desk.mine), 4::bigint, 'a view over it needs not even the schema');
SELECT throws_ok('SELECT FROM sla.breach', '42501', NULL, 'which stays closed');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
