-- Hints that name what there is, so that a typo is found.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(11);

CREATE FUNCTION pg_temp.hint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
CREATE TABLE invoice (id int PRIMARY KEY, account text, due date, paid_at date);
CREATE TABLE test (id int PRIMARY KEY);
DELETE FROM sla.policy;

SELECT is(pg_temp.hint($$SELECT sla.guard('test', kind => 'test', policy => 'lab')$$), 'Load one first: SELECT sla.load_policy(...).', 'guard: no policy at all');
SELECT is(pg_temp.hint($$SELECT sla.attach_invoices('invoice', 'books', 'account', 'due', settled_at => 'paid_at')$$),
	'None does. The document of a policy needs the member "restriction" for that.', 'bills: no policy at all');

SELECT sla.load_policy('{"policy": "lab", "time_zone": "UTC", "calendars": {"c": {"hours": "24/7"}}, "targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c"}],
	"requests": {"test": {"lead": "2 weeks"}, "call": {}}}');
SELECT sla.load_policy('{"policy": "books", "time_zone": "UTC", "calendars": {"c": {"hours": "24/7"}}, "targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c"}],
	"restriction": {"thresholds": {"support": 30}}}', e.at) FROM (VALUES ('-infinity'::timestamptz), ('2026-01-01')) e(at);
SELECT is(pg_temp.hint($$SELECT sla.guard('test', kind => 'test', policy => 'lba')$$), 'Policies are: books, lab.', 'guard: another policy');
SELECT is(pg_temp.hint($$SELECT sla.guard('test', kind => 'tset', policy => 'lab')$$), 'It knows: call, test.', 'guard: another kind');
SELECT is(pg_temp.hint($$SELECT sla.guard('test', kind => 'test', policy => 'books')$$), 'It knows none: see "requests" of its document.', 'guard: a policy without kinds');
SELECT is(pg_temp.hint($$SELECT sla.attach_invoices('invoice', 'bokos', 'account', 'due', settled_at => 'paid_at')$$), 'Policies that do are: books.', 'bills: another policy');
SELECT is(pg_temp.hint($$SELECT sla.attach_invoices('invoice', 'lab', 'account', 'due', settled_at => 'paid_at')$$), 'Policies that do are: books.', 'bills: one that says nothing of them');
SELECT matches(pg_temp.hint($$SELECT sla.override_restriction('7', NULL, 'none', 'so', until => '2026-01-01')$$), 'starts is now', 'an override that ends before it starts');

-- Times that may be left out
CREATE TABLE ticket (id int PRIMARY KEY, at timestamptz);
SELECT sla.attach('ticket', 'lab', severity_default => 'S1', received_at => 'at');
INSERT INTO ticket VALUES (1, '2026-03-02 09:00');
SELECT sla.record_event('ticket', '1', 'replied');
SELECT cmp_ok((SELECT e.at FROM sla.event e WHERE e.kind = 'replied'), '>=', now(), 'an event without a time is of now');
SELECT is(sla.earliest_start('lab', 'test'), sla.earliest_start('lab', 'test', now()), 'so is a request');
SELECT is(sla.flag_due(), 1::bigint, 'and a pass that flags');

SELECT * FROM finish();
ROLLBACK;
