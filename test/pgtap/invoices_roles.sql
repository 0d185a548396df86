-- Writers of invoices need no rights here, and get none
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(26);

SELECT sla.load_policy('{"policy": "t bills", "time_zone": "Europe/Berlin", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
	"restriction": {"thresholds": {"support": 30, "deployments": 61, "termination": 91}, "actions": {"ticket": "support", "deployment": "deployments"}}}') IS NOT NULL AS loaded \gset
CREATE ROLE t_owner;
CREATE ROLE t_writer;
CREATE ROLE t_other;
CREATE SCHEMA t_books AUTHORIZATION t_owner;
GRANT USAGE ON SCHEMA t_books TO t_writer, t_other;
SET LOCAL ROLE t_owner;
CREATE TABLE t_books.bill (id int PRIMARY KEY, who text, due date, paid_at timestamptz, amount numeric);
GRANT SELECT, INSERT, UPDATE, DELETE ON t_books.bill TO t_writer;
GRANT SELECT ON t_books.bill TO t_other;
INSERT INTO t_books.bill VALUES (1, 'A', '2026-01-01', NULL, 1);
RESET ROLE;
SET LOCAL ROLE t_writer;
SELECT throws_ok($$ SELECT sla.attach_invoices('t_books.bill', 't bills', 'who', 'due', settled_at => 'paid_at', amount => 'amount') $$, '42501', NULL, 'who does not own a table cannot attach it');
SELECT throws_ok($$ SELECT sla.register_invoices('t_books.bill', 't bills', '{}', '{}', 'record') $$, '42501', NULL, 'nor by the back door');
RESET ROLE;
SET LOCAL ROLE t_owner;
SELECT is(sla.attach_invoices('t_books.bill', 't bills', 'who', 'due', settled_at => 'paid_at', amount => 'amount'), 1::bigint, 'who owns it needs no other right');
RESET ROLE;
SET LOCAL ROLE t_writer;
SELECT throws_ok($$ SELECT sla.detach_invoices('t_books.bill') $$, '42501', NULL, 'a writer does not detach it');
SELECT throws_ok($$ SELECT sla.reconcile_invoices('t_books.bill') $$, '42501', NULL, 'nor read all of it anew');
SELECT lives_ok($$ INSERT INTO t_books.bill VALUES (2, 'B', '2026-01-01', NULL, 10), (3, 'B', '2026-02-01', NULL, 10) $$, 'a writer writes');
SELECT is(sla.record_payment('t_books.bill', '2', 5, '2026-01-05'), 2, 'and records what was paid');
SELECT throws_ok($$ SELECT * FROM sla.invoice $$, '42501', NULL, 'reads no invoices of others here');
SELECT throws_ok($$ SELECT * FROM sla.invoice_event $$, '42501', NULL, 'nor events');
SELECT throws_ok($$ INSERT INTO sla.invoice_event VALUES (1, 9, 'settled', now(), now()) $$, '42501', NULL, 'forges none');
SELECT throws_ok($$ DELETE FROM sla.invoice_event $$, '42501', NULL, 'erases none');
SELECT throws_ok($$ SELECT sla.restriction('B') $$, '42501', NULL, 'and asks nobody''s level');
SELECT throws_ok($$ SELECT sla.is_allowed('B', 'ticket') $$, '42501', NULL, 'nor what it forbids, unless granted');
SELECT throws_ok($$ SELECT sla.override_restriction('B', NULL, 'none', 'mine') $$, '42501', NULL, 'and overrides nothing');
SELECT throws_ok($$ SELECT sla.flag_restrictions(now()) $$, '42501', NULL, 'nor flags anything');
RESET ROLE;
SET LOCAL ROLE t_other;
SELECT throws_ok($$ SELECT sla.record_payment('t_books.bill', '3', 10, '2026-01-05') $$, '42501', NULL, 'a reader records no payment');
RESET ROLE;
SELECT is(sla.restriction('B', as_of => '2026-02-01'), 'support', 'what the writer wrote counts');

-- Row security hides rows from this function as little as from triggers, so it is not for those it applies to
ALTER TABLE t_books.bill ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON t_books.bill USING (who = current_user);
SET LOCAL ROLE t_writer;
SELECT throws_ok($$ SELECT sla.record_payment('t_books.bill', '3', 10, '2026-01-05') $$, '42501', NULL, 'nobody records payments of rows that row security may hide');
RESET ROLE;
SET LOCAL ROLE t_owner;
SELECT lives_ok($$ SELECT sla.record_payment('t_books.bill', '3', 1, '2026-01-05') $$, 'the owner does');
RESET ROLE;
ALTER TABLE t_books.bill DISABLE ROW LEVEL SECURITY;

-- Who may attach at all can be said
REVOKE EXECUTE ON FUNCTION sla.register_invoices(regclass, text, jsonb, jsonb, text) FROM PUBLIC;
SET LOCAL ROLE t_owner;
CREATE TABLE t_books.own (id int PRIMARY KEY, who text, due date, amount numeric);
SELECT throws_ok($$ SELECT sla.attach_invoices('t_books.own', 't bills', 'who', 'due', amount => 'amount') $$, '42501', NULL, 'an owner without the right to register invoices cannot attach them');
RESET ROLE;
GRANT EXECUTE ON FUNCTION sla.register_invoices(regclass, text, jsonb, jsonb, text) TO t_owner;
SET LOCAL ROLE t_owner;
SELECT is(sla.attach_invoices('t_books.own', 't bills', 'who', 'due', amount => 'amount'), 0::bigint, 'with it he can');
RESET ROLE;

-- A function that reads levels may be granted, and then needs nothing else
GRANT EXECUTE ON FUNCTION sla.is_allowed(text, text, timestamptz, boolean, text) TO t_writer;
SET LOCAL ROLE t_writer;
SELECT ok(NOT sla.is_allowed('B', 'ticket', '2026-02-01'), 'granted, it answers');
RESET ROLE;

-- Operators, functions and tables of others that come first in the search_path
CREATE SCHEMA t_evil;
GRANT USAGE ON SCHEMA t_evil TO t_writer;
CREATE FUNCTION t_evil.evil(date, date) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'got you'; END $$;
CREATE OPERATOR t_evil.< (LEFTARG = date, RIGHTARG = date, FUNCTION = t_evil.evil);
CREATE FUNCTION t_evil.numeric_gt(numeric, numeric) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
CREATE TABLE t_evil.invoice (LIKE sla.invoice);
CREATE TABLE t_evil.restriction_override (LIKE sla.restriction_override);
SET LOCAL search_path = t_evil, pg_catalog, public;
SET LOCAL ROLE t_writer;
SELECT public.lives_ok($$ UPDATE t_books.bill SET paid_at = '2026-02-02' WHERE id = 2 $$, 'nothing resolves by the writer''s search_path');
SELECT public.ok(sla.is_allowed('B', 'ticket', '2026-02-03'), 'nor when asked');
RESET ROLE;
SELECT public.is(sla.flag_restrictions('2026-02-03') >= 0, true, 'nor when flagged');
SET LOCAL search_path = public;
SELECT is(sla.restriction('B', as_of => '2026-02-03'), 'none', 'and what he wrote counts as before');

SELECT * FROM finish();
ROLLBACK;
