-- Tickets of accounts that were restricted when they were received
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(29);

CREATE FUNCTION pg_temp.load(name text, what text) RETURNS int LANGUAGE sql AS $$
	SELECT sla.load_policy(jsonb_build_object('policy', name, 'time_zone', 'UTC', 'calendars', '{"always": {"hours": "24/7"}}'::jsonb,
		'targets', '[{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]'::jsonb, 'restricted_accounts', what,
		'restriction', '{"thresholds": {"support": 30, "deployments": 61, "termination": 91}}'::jsonb)) $$;
SELECT pg_temp.load('t admit', 'admit') + pg_temp.load('t uncovered', 'uncovered') + pg_temp.load('t reject', 'reject') AS loaded \gset
CREATE TABLE bill (id int PRIMARY KEY, who text, due date, paid_at timestamptz);
INSERT INTO bill VALUES (1, 'Acme', '2026-01-01', NULL);
SELECT sla.attach_invoices('bill', 't admit', account => 'who', due => 'due', settled_at => 'paid_at') \g /dev/null
CREATE TABLE ticket (id int PRIMARY KEY, who text, policy text, received_at timestamptz, answered_at timestamptz);
INSERT INTO ticket VALUES (1, 'Acme', 't reject', '2026-02-05', NULL);
SELECT lives_ok($$ SELECT sla.attach('ticket', severity_default => 'S1', received_at => 'received_at', responded_at => 'answered_at', account => 'who', policy_column => 'policy') $$,
	'attaching a table refuses no row that is there');
CREATE FUNCTION pg_temp.ticket(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.exempt, (SELECT count(*) FROM sla.clock c WHERE c.ticket_id = t.id AND c.outcome IS NULL) || ' running')
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table::regclass = 'ticket'::regclass AND t.key = $1::text $$;
\set restricted 'open uncovered: restricted account "Acme": support since 2026-01-31 00:00:00+00 0 running'
SELECT is(pg_temp.ticket(1), :'restricted', 'it is promised nothing instead');

INSERT INTO ticket VALUES (2, 'Acme', 't admit', '2026-02-05'), (3, 'Acme', 't uncovered', '2026-01-30 23:59:59'), (4, 'Acme', 't uncovered', '2026-01-31'), (5, 'Other', 't reject', '2026-02-05');
SELECT is(pg_temp.ticket(2), 'open 1 running', 'admit: as usual');
SELECT is(pg_temp.ticket(3), 'open 1 running', 'uncovered: as usual before the level');
SELECT is(pg_temp.ticket(4), :'restricted', 'from the level on without promises');
SELECT is(pg_temp.ticket(5), 'open 1 running', 'others are not concerned');
SELECT is(sla_response_due, NULL, 'and no due time is stamped') FROM ticket WHERE id = 4;
SELECT throws_ok($$ INSERT INTO ticket VALUES (6, 'Acme', 't reject', '2026-01-31') $$, 'SL001',
	'tickets of account "Acme" are refused: its level is support since 2026-01-31 00:00:00+00', 'reject: refused');
SELECT lives_ok($$ INSERT INTO ticket VALUES (6, 'Acme', 't reject', '2026-01-30') $$, 'but not before');
SELECT lives_ok($$ INSERT INTO ticket VALUES (6, 'Acme', 't reject', '2026-01-31') ON CONFLICT (id) DO NOTHING $$, 'a row that is there already is not refused');
SELECT is(pg_temp.ticket(6), 'open 1 running', 'nor changed');
INSERT INTO ticket VALUES (7, 'Other', 't reject', '2026-02-05');
SELECT lives_ok($$ UPDATE ticket SET who = 'Acme' WHERE id = 7 $$, 'an update is not refused');
SELECT is(pg_temp.ticket(7), :'restricted', 'but the ticket loses its promises');
UPDATE ticket SET answered_at = '2026-02-05 00:10' WHERE id = 4;
SELECT is(pg_temp.ticket(4), :'restricted', 'other news do not bring them back');
SELECT is((SELECT count(*) FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.exempt LIKE 'uncovered: restricted%'), 0::bigint, 'they have no clocks');

CREATE TABLE copy (LIKE ticket INCLUDING ALL);
SELECT sla.attach('copy', severity_default => 'S1', received_at => 'received_at', account => 'who', policy_column => 'policy', on_replica => true) \g /dev/null
SET LOCAL session_replication_role = replica;
SELECT lives_ok($$ INSERT INTO copy VALUES (1, 'Acme', 't reject', '2026-02-05') $$, 'a replicated row is not refused, for where it comes from it is');
SET LOCAL session_replication_role = origin;
SELECT throws_ok($$ INSERT INTO copy VALUES (2, 'Acme', 't reject', '2026-02-05') $$, 'SL001', NULL, 'others are');

-- Those that the ledger knows are not refused, however they come in
CREATE TABLE split (id int, region text, who text, policy text, received_at timestamptz, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE split_north PARTITION OF split FOR VALUES IN ('north');
CREATE TABLE split_south PARTITION OF split FOR VALUES IN ('south');
INSERT INTO split VALUES (1, 'north', 'Acme', 't reject', '2026-02-05');
SELECT sla.attach('split', severity_default => 'S1', received_at => 'received_at', account => 'who', policy_column => 'policy') \g /dev/null
SELECT lives_ok($$ UPDATE split SET region = 'south' $$, 'a row that moves to another partition is not refused');
DELETE FROM split;
SELECT lives_ok($$ INSERT INTO split VALUES (1, 'south', 'Acme', 't reject', '2026-02-05') $$, 'nor one that comes back');
SELECT throws_ok($$ INSERT INTO split VALUES (2, 'north', 'Acme', 't reject', '2026-02-05') $$, 'SL001', NULL, 'a new one is');

-- A partition attached alone: what leaves it lets in no other one
CREATE TABLE half (id int, place text, who text, policy text, received_at timestamptz, PRIMARY KEY (id, place)) PARTITION BY LIST (place);
CREATE TABLE half_here PARTITION OF half FOR VALUES IN ('here');
CREATE TABLE half_there PARTITION OF half FOR VALUES IN ('there');
SELECT sla.attach('half_here', severity_default => 'S1', received_at => 'received_at', account => 'who', policy_column => 'policy', stamp => false) \g /dev/null
INSERT INTO half VALUES (1, 'here', 'Other', 't reject', '2026-02-05');
SELECT throws_ok($$ MERGE INTO half h USING (VALUES (1), (2)) v (id) ON h.id = v.id WHEN MATCHED THEN UPDATE SET place = 'there'
	WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'here', 'Acme', 't reject', '2026-02-05') $$, 'SL001', NULL, 'a row that comes while another leaves is new');

-- Paid later, but before the ticket was received, as turns out
UPDATE bill SET paid_at = '2026-01-30' WHERE id = 1;
SELECT is(sla.restriction('Acme', as_of => '2026-02-05'), 'none', 'it was paid in time');
UPDATE ticket SET answered_at = '2026-02-05 00:20' WHERE id = 4;
SELECT is(pg_temp.ticket(4), :'restricted', 'tickets that are recorded stay as they were');
SELECT is(pg_temp.ticket(3), 'open 1 running', 'these, too');
INSERT INTO ticket VALUES (8, 'Acme', 't reject', '2026-02-05');
SELECT is(pg_temp.ticket(8), 'open 1 running', 'new ones have promises');
SELECT isnt_empty($$ SELECT * FROM sla.recompute('ticket', dry_run => false) $$, 'until somebody recomputes them');
SELECT is(pg_temp.ticket(4), 'open 0 running', 'then it counts');
SELECT is((SELECT string_agg(c.outcome, ' ') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '4'), 'breached', 'as it would have');
UPDATE ticket SET received_at = '2026-02-06' WHERE id = 3;
SELECT is(pg_temp.ticket(3), 'open 1 running', 'a corrected time of receipt is looked at anew');

SELECT * FROM finish();
ROLLBACK;
