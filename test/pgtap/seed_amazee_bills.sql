-- amazee.io: Common Customer Requests (seeds 000 and 001): unsettled bills,
-- clause by clause. Each comment "-- 000, 001: ..." is a row of doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(53);

SELECT sla.load_policy(sla.preset('amazee') || '{"policy": "t amazee"}') IS NOT NULL AS loaded \gset
SELECT is(sla.policy_document('t amazee') -> 'restriction' -> 'thresholds', '{"support": 30, "deployments": 61, "termination": 91}',
	'the preset has the days of the published text');
SELECT is(restricted_accounts, 'uncovered', 'and what becomes of tickets') FROM sla.policy_version WHERE policy = 't amazee';

CREATE TABLE bill (id text PRIMARY KEY, client text, due date, paid_at timestamptz, amount numeric, paid numeric);
-- due on 2026-01-01: day 30 is 01-31, day 61 is 03-03, day 91 is 04-02
INSERT INTO bill VALUES ('A1', 'Acme', '2026-01-01', NULL, 100, 0);
SELECT is(sla.attach_invoices('bill', 't amazee', account => 'client', due => 'due', settled_at => 'paid_at', amount => 'amount', paid => 'paid'),
	1::bigint, 'bills are attached');

CREATE FUNCTION pg_temp.level(at text, client text DEFAULT 'Acme') RETURNS text LANGUAGE sql AS $$
	SELECT sla.restriction(client, as_of => at::timestamptz)::text $$;
CREATE FUNCTION pg_temp.may(action text, at text, release boolean DEFAULT false, client text DEFAULT 'Acme') RETURNS boolean LANGUAGE sql AS $$
	SELECT sla.is_allowed(client, action, at::timestamptz, release) $$;

-- 000, 001: a customer whose bill is 30 days overdue is restricted, by levels
SELECT is(pg_temp.level('2025-12-31 00:00+00'), 'none', 'before it is due a bill restricts nobody');
SELECT is(pg_temp.level('2026-01-02 00:00+00'), 'none', 'nor on the first day');
SELECT is(pg_temp.level('2026-01-30 23:59:59.999999+00'), 'none', 'nor on day 29, to its last microsecond');
SELECT is(pg_temp.level('2026-01-31 00:00+00'), 'support', 'it does on day 30');
SELECT is(sla.restriction('Somebody else', as_of => '2026-06-01'), 'none', 'others are not restricted');
SELECT is(sla.restriction_level(29)::text || ' ' || sla.restriction_level(30)::text, 'none support', 'by days alone: 29 and 30');

-- 000, 001: level 1, 30 to 60 days of unsettled bills: support is cut off
SELECT is(pg_temp.level('2026-03-02 23:59:59.999999+00'), 'support', 'level 1 ends with day 60');
SELECT ok(pg_temp.may('ticket', '2026-01-30 12:00+00'), 'on day 29 tickets are let in');
SELECT ok(NOT pg_temp.may('ticket', '2026-01-31 00:00+00'), 'from day 30 on they are not');
SELECT ok(NOT pg_temp.may('ticket', '2026-03-02 12:00+00'), 'nor on day 60');
SELECT ok(pg_temp.may('deployment', '2026-03-02 12:00+00'), 'when deployments still are');
SELECT ok(pg_temp.may('login', '2026-03-02 12:00+00'), 'and everything else is');
CREATE TABLE ticket (id int PRIMARY KEY, client text, received_at timestamptz);
SELECT sla.attach('ticket', 't amazee', severity_default => 'S2', received_at => 'received_at', account => 'client');
INSERT INTO ticket VALUES (1, 'Acme', '2026-01-30 23:59:59+00'), (2, 'Acme', '2026-01-31 00:00+00'), (3, 'Other', '2026-02-10 00:00+00');
SELECT results_eq($$ SELECT t.key COLLATE "default", t.exempt FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = 'ticket'::regclass ORDER BY t.key $$,
	$$ VALUES ('1', NULL), ('2', 'uncovered: restricted account "Acme": support since 2026-01-31 00:00:00+00'), ('3', NULL) $$,
	'a ticket received then is let in without promises');
SELECT is(sla.restriction_level(60)::text || ' ' || sla.restriction_level(61)::text, 'support deployments', 'by days alone: 60 and 61');

-- 000, 001: level 2, 61 to 90 days of unsettled bills: deployments are cut off
SELECT is(pg_temp.level('2026-03-03 00:00+00'), 'deployments', 'level 2 begins with day 61');
SELECT is(pg_temp.level('2026-04-01 23:59:59.999999+00'), 'deployments', 'and ends with day 90');
SELECT ok(NOT pg_temp.may('deployment', '2026-03-03 00:00+00'), 'deployments are refused from day 61 on');
SELECT ok(NOT pg_temp.may('ticket', '2026-03-03 00:00+00'), 'tickets still are');
SELECT ok(pg_temp.may('login', '2026-04-01 23:00+00'), 'but nothing else, to the end of day 90');
SELECT is(sla.restriction_level(90)::text || ' ' || sla.restriction_level(91)::text, 'deployments termination', 'by days alone: 90 and 91');

-- 000, 001: for a critical security release deployments are enabled again for the occasion
SELECT ok(pg_temp.may('deployment', '2026-03-03 00:00+00', true), 'a critical security release is deployed at level 2');
SELECT ok(pg_temp.may('deployment', '2026-04-01 23:59:59+00', true), 'to the end of day 90');
SELECT ok(NOT pg_temp.may('deployment', '2026-04-01 23:59:59+00', false), 'but no other one');
SELECT ok(NOT pg_temp.may('ticket', '2026-03-03 00:00+00', true), 'it does not bring support back');
SELECT ok(NOT pg_temp.may('deployment', '2026-04-02 00:00+00', true), 'nor services that are terminated');

-- 000, 001: level 3, from 91 days on: services are terminated until the amount is settled in full
SELECT is(pg_temp.level('2026-04-02 00:00+00'), 'termination', 'level 3 begins with day 91');
SELECT ok(NOT pg_temp.may('login', '2026-04-02 00:00+00'), 'and everything is refused');
SELECT is(pg_temp.level('2027-04-02 00:00+00'), 'termination', 'without an end');
-- a second bill is due meanwhile, and the one that led there is paid in part, then in full
INSERT INTO bill VALUES ('A2', 'Acme', '2026-03-25', NULL, 40, 0), ('A3', 'Acme', '2026-05-30', NULL, 40, 0);
SELECT sla.record_payment('bill', 'A1', 60, '2026-04-03 10:00+00');
SELECT is(pg_temp.level('2026-04-04 00:00+00'), 'termination', 'a partial payment does not lift it');
SELECT sla.record_payment('bill', 'A1', 40, '2026-04-05 10:00+00');
SELECT is(pg_temp.level('2026-04-05 10:00+00'), 'termination', 'nor does paying the oldest bill, while another one is overdue');
SELECT is(pg_temp.level('2026-04-20 00:00+00'), 'termination', 'which by itself would not restrict anybody yet');
SELECT sla.record_payment('bill', 'A2', 39.99, '2026-05-02 10:00+00');
SELECT is(pg_temp.level('2026-05-02 10:00+00'), 'termination', 'a cent is too little');
SELECT sla.record_payment('bill', 'A2', 0.01, '2026-05-03 10:00+00');
SELECT is(pg_temp.level('2026-05-03 09:59:59.999999+00'), 'termination', 'until the last cent');
SELECT is(pg_temp.level('2026-05-03 10:00+00'), 'none', 'settled in full: services are back, though the next bill is open, for it is not due yet');
SELECT ok(pg_temp.may('login', '2026-05-03 10:00+00'), 'and everything is allowed');
SELECT is(pg_temp.level('2026-06-29 00:00+00'), 'support', 'that one begins anew with its own 30 days');

-- below termination the oldest unsettled bill decides at once
INSERT INTO bill VALUES ('B1', 'Beta', '2026-01-01', NULL, 10, 0), ('B2', 'Beta', '2026-02-01', NULL, 10, 0);
SELECT is(pg_temp.level('2026-03-20 00:00+00', 'Beta'), 'deployments', 'level 2 by the oldest');
UPDATE bill SET paid_at = '2026-03-20 08:00+00' WHERE id = 'B1';
SELECT is(pg_temp.level('2026-03-20 07:59+00', 'Beta'), 'deployments', 'before it is paid');
SELECT is(pg_temp.level('2026-03-20 08:00+00', 'Beta'), 'support', 'when it is paid the next one decides at once');

-- the same days in zones with clock changes: due on 2026-01-10, day 91 is 2026-04-11, after the clocks went forward
SELECT sla.load_policy(jsonb_set(sla.preset('amazee') || '{"policy": "t amazee de"}', '{restriction,time_zone}', '"Europe/Berlin"')) IS NOT NULL AS loaded \gset
CREATE TABLE rechnung (id int PRIMARY KEY, kunde text, due_at timestamptz, paid_at timestamptz);
-- 23:30 in UTC is the 10th in Berlin
INSERT INTO rechnung VALUES (1, 'Dora', '2026-01-09 23:30+00', NULL);
SELECT sla.attach_invoices('rechnung', 't amazee de', account => 'kunde', due => 'due_at', settled_at => 'paid_at');
SELECT is(due, '2026-01-10', 'a time is due on its date in the zone of the rule') FROM sla.invoice WHERE account = 'Dora';
SELECT is(pg_temp.level('2026-02-08 22:59:59.999999+00', 'Dora'), 'none', 'day 29 ends at midnight in Berlin');
SELECT is(pg_temp.level('2026-02-08 23:00+00', 'Dora'), 'support', 'when day 30 begins');
SELECT is(pg_temp.level('2026-03-11 22:59:59.999999+00', 'Dora'), 'support', 'day 60');
SELECT is(pg_temp.level('2026-03-11 23:00+00', 'Dora'), 'deployments', 'day 61');
SELECT is(pg_temp.level('2026-04-10 21:59:59.999999+00', 'Dora'), 'deployments', 'day 90, in summer time');
SELECT is(pg_temp.level('2026-04-10 22:00+00', 'Dora'), 'termination', 'day 91');

SELECT is((SELECT array_agg(h.level::text || ' ' || h.since::text ORDER BY h.since) FROM sla.restriction_history('Dora', to_at => '2026-05-01') h WHERE h.level <> 'none'),
	'{support 2026-02-08 23:00:00+00,deployments 2026-03-11 23:00:00+00,termination 2026-04-10 22:00:00+00}'::text[], 'its history says the same');
SELECT is(e.note, 'by policy "t amazee de", deployments from 61 days of unsettled bills on', 'an explanation says the rule')
FROM sla.explain_restriction('Dora', as_of => '2026-03-20') e WHERE e.kind = 'level';
SELECT is(e.note, 'payment of invoice 1', 'and what would lift it') FROM sla.explain_restriction('Dora', as_of => '2026-03-20') e WHERE e.kind = 'lifted by';
SELECT is(e.days || ' ' || e.note, '69 overdue, the earliest', 'and which bill it is') FROM sla.explain_restriction('Dora', as_of => '2026-03-20') e WHERE e.kind = 'invoice';

SELECT * FROM finish();
ROLLBACK;
