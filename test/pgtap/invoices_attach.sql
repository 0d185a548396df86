-- Tables of invoices as others have them: what is recorded of their rows
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(88);

SELECT sla.load_policy('{"policy": "t bills", "time_zone": "Europe/Berlin", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
	"restriction": {"thresholds": {"support": 30, "deployments": 61, "termination": 91}, "actions": {"ticket": "support", "deployment": "deployments"}}}') IS NOT NULL AS loaded \gset
CREATE FUNCTION pg_temp.events(of_table regclass, of_key text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(e.kind || coalesce(' ' || e.amount, ''), ', ' ORDER BY e.seq)
	FROM sla.invoice_event e JOIN sla.invoice i ON i.id = e.invoice_id JOIN sla.invoice_attachment a ON a.id = i.attachment_id
	WHERE a.invoice_table::regclass = of_table AND i.key = of_key $$;
CREATE FUNCTION pg_temp.bill(of_table regclass, of_key text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', i.account, i.service, i.due, i.amount, i.paid, i.state, i.problem)
	FROM sla.invoice i JOIN sla.invoice_attachment a ON a.id = i.attachment_id
	WHERE a.invoice_table::regclass = of_table AND i.key = of_key $$;

-- A table as Rails makes them: timestamps without time zone, in UTC, integers of cents
CREATE TABLE invoices (id bigserial PRIMARY KEY, customer_id bigint, due_at timestamp, paid_at timestamp, total_cents int, paid_cents int, voided_at timestamp, updated_at timestamp);
INSERT INTO invoices (customer_id, due_at, paid_at, total_cents, paid_cents, updated_at) VALUES
	(7, '2026-01-09 23:30', NULL, 1000, 0, '2026-01-01'), (7, '2026-01-01 10:00', '2026-01-05 10:00', 1000, 1000, '2026-01-05 10:00');
SELECT is(sla.attach_invoices('invoices', 't bills', account => 'customer_id', due => 'due_at', settled_at => 'paid_at', amount => 'total_cents', paid => 'paid_cents',
	voided => 'voided_at', changed_at => 'updated_at', timestamps_in => 'UTC'), 2::bigint, 'rows that are there are recorded');
SELECT is(pg_temp.bill('invoices', '1'), '7 2026-01-10 1000 0 open', 'a local time is due on its date in the zone of the rule');
SELECT is(pg_temp.bill('invoices', '2'), '7 2026-01-01 1000 1000 settled', 'and one is paid');
SELECT is(pg_temp.events('invoices', '2'), 'issued 1000, paid 1000, settled', 'of which events tell');
SELECT is((SELECT max(e.at) FROM sla.invoice_event e WHERE e.kind = 'settled'), '2026-01-05 10:00+00', 'when, as the row says');
UPDATE invoices SET paid_cents = 400, updated_at = '2026-02-01' WHERE id = 1;
UPDATE invoices SET updated_at = '2026-02-02' WHERE id = 1;
SELECT is(pg_temp.events('invoices', '1'), 'issued 1000, paid 400', 'that it changed is no news');
UPDATE invoices SET paid_cents = 300, updated_at = '2026-02-03' WHERE id = 1;
UPDATE invoices SET paid_cents = 1000, updated_at = '2026-02-04' WHERE id = 1;
SELECT is(pg_temp.events('invoices', '1') || '; ' || pg_temp.bill('invoices', '1'), 'issued 1000, paid 400, paid 300, paid 1000; 7 2026-01-10 1000 1000 settled', 'paid in full is settled');
SELECT is(counts_until, '2026-02-04 00:00+00', 'when the row said so') FROM sla.invoice WHERE key = '1';
UPDATE invoices SET voided_at = '2026-02-05' WHERE id = 1;
SELECT is(pg_temp.bill('invoices', '1'), '7 2026-01-10 1000 1000 voided', 'voided by a time');

-- A table as accounting programs make them: states in words, dates, numeric
CREATE TYPE move_state AS ENUM ('draft', 'posted', 'cancel');
CREATE TABLE account_move (company int, number text, partner text, state text, payment_state text, invoice_date_due date, amount_total numeric(12, 2), PRIMARY KEY (company, number));
SELECT sla.attach_invoices('account_move', 't bills', account => 'partner', due => 'invoice_date_due', amount => 'amount_total', status => 'payment_state',
	settled_when => '{paid,in_payment}', voided_when => '{reversed}', disputed_when => '{blocked}') \g /dev/null
INSERT INTO account_move VALUES (1, 'INV/1', 'P', 'posted', 'not_paid', '2026-01-01', 10.50), (1, 'INV/2', 'P', 'posted', 'paid', '2026-01-01', 10);
SELECT is(pg_temp.bill('account_move', '{1,INV/1}') || '; ' || pg_temp.bill('account_move', '{1,INV/2}'), 'P 2026-01-01 10.50 0 open; P 2026-01-01 10.00 0 settled', 'a status, and a key of two columns');
UPDATE account_move SET payment_state = 'blocked' WHERE number = 'INV/1';
SELECT is(pg_temp.events('account_move', '{1,INV/1}'), 'issued 10.50, disputed', 'disputed by status');
UPDATE account_move SET payment_state = 'in_payment' WHERE number = 'INV/1';
SELECT is(pg_temp.events('account_move', '{1,INV/1}'), 'issued 10.50, disputed, settled, upheld', 'settled by status');
UPDATE account_move SET payment_state = 'not_paid' WHERE number = 'INV/1';
SELECT is(pg_temp.events('account_move', '{1,INV/1}'), 'issued 10.50, disputed, settled, upheld, reversed', 'and not any more');
UPDATE account_move SET payment_state = 'reversed' WHERE number = 'INV/1';
SELECT is(pg_temp.bill('account_move', '{1,INV/1}'), 'P 2026-01-01 10.50 0 voided', 'voided by status');

-- Keys that move, rows that go and come
CREATE TABLE bill (id int PRIMARY KEY, who text, due date, paid_at timestamptz, amount float8);
SELECT sla.attach_invoices('bill', 't bills', account => 'who', due => 'due', settled_at => 'paid_at', amount => 'amount') \g /dev/null
INSERT INTO bill VALUES (1, 'A', '2026-01-01', NULL, 1), (2, 'B', '2026-01-01', NULL, 2), (3, 'C', '2026-01-01', NULL, 3);
UPDATE bill SET id = id + 1 WHERE id = 3;
UPDATE bill SET id = id + 1 WHERE id = 2;
UPDATE bill SET id = id + 1 WHERE id = 1;
SELECT is((SELECT string_agg(key || account, ' ' ORDER BY key) FROM sla.invoice WHERE account IN ('A', 'B', 'C')), '2A 3B 4C', 'keys move');
ALTER TABLE bill DROP CONSTRAINT bill_pkey, ADD PRIMARY KEY (id) DEFERRABLE INITIALLY IMMEDIATE;
UPDATE bill SET id = id + 1;
SELECT is((SELECT string_agg(key || account, ' ' ORDER BY key) FROM sla.invoice WHERE account IN ('A', 'B', 'C')), '3A 4B 5C', 'all at once');
UPDATE bill SET id = 8 - id;
SELECT is((SELECT string_agg(key || account, ' ' ORDER BY key) FROM sla.invoice WHERE account IN ('A', 'B', 'C')), '3C 4B 5A', 'and change places');
SELECT is((SELECT count(*) FROM sla.invoice_event e JOIN sla.invoice i ON i.id = e.invoice_id WHERE i.account IN ('A', 'B', 'C')), 3::bigint, 'which is no event');
ALTER TABLE bill DROP CONSTRAINT bill_pkey, ADD PRIMARY KEY (id);
DELETE FROM bill WHERE id = 3;
SELECT is(pg_temp.bill('bill', '3'), 'C 2026-01-01 3 0 deleted', 'a row that is deleted');
INSERT INTO bill VALUES (3, 'C', '2026-01-01', NULL, 3);
SELECT is(pg_temp.events('bill', '3'), 'issued 3, deleted, restored', 'and comes back');
INSERT INTO bill VALUES (3, 'D', '2026-01-01', NULL, 3) ON CONFLICT DO NOTHING;
INSERT INTO bill VALUES (3, 'D', '2026-01-01', NULL, 3) ON CONFLICT (id) DO UPDATE SET who = excluded.who;
SELECT is(pg_temp.events('bill', '3'), 'issued 3, deleted, restored, changed 3', 'ON CONFLICT tells what came of it');
MERGE INTO bill b USING (VALUES (3, 'E'), (9, 'F')) v(id, who) ON b.id = v.id
	WHEN MATCHED THEN UPDATE SET who = v.who WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.who, '2026-01-01', NULL, 1);
SELECT is(pg_temp.bill('bill', '3') || '; ' || pg_temp.bill('bill', '9'), 'E 2026-01-01 3 0 open; F 2026-01-01 1 0 open', 'MERGE does');
COPY bill (id, who, due) FROM stdin;
20	G	2026-01-01
21	G	2026-02-01
\.
SELECT is((SELECT count(*) FROM sla.invoice WHERE account = 'G' AND amount IS NULL AND state = 'open'), 2::bigint, 'COPY does');
SAVEPOINT s;
INSERT INTO bill VALUES (30, 'H', '2026-01-01');
ROLLBACK TO s;
SELECT is(pg_temp.bill('bill', '30'), NULL, 'what is rolled back is not there');
ALTER TABLE bill RENAME COLUMN who TO customer;
SELECT throws_ok($$ SELECT 1/0 $$, '22012', NULL, 'an error in between');
ALTER TABLE bill RENAME COLUMN customer TO who;
TRUNCATE bill;
SELECT is((SELECT count(*) FROM sla.invoice i JOIN sla.invoice_attachment a ON a.id = i.attachment_id WHERE a.invoice_table::regclass = 'bill'::regclass AND i.state <> 'deleted'), 0::bigint, 'TRUNCATE ends all');
SET LOCAL session_replication_role = replica;
INSERT INTO bill VALUES (40, 'I', '2026-01-01', NULL, 1);
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.bill('bill', '40'), NULL, 'a replicated row is not recorded');
SELECT is(sla.reconcile_invoices('bill') || ' ' || pg_temp.bill('bill', '40'), '1 I 2026-01-01 1 0 open', 'until somebody asks');
SELECT is(sla.reconcile_invoices('bill'), 0::bigint, 'then there is nothing more');

-- Partitions: a row that moves is one invoice, and columns may have other numbers there
CREATE TABLE part (id int, who text, due date, paid_at timestamptz, year int, PRIMARY KEY (id, year)) PARTITION BY LIST (year);
CREATE TABLE part_25 PARTITION OF part FOR VALUES IN (2025);
CREATE TABLE part_26 (year int NOT NULL, junk int, due date, who text, id int NOT NULL, paid_at timestamptz);
ALTER TABLE part_26 DROP COLUMN junk;
ALTER TABLE part ATTACH PARTITION part_26 FOR VALUES IN (2026);
INSERT INTO part VALUES (1, 'Part', '2025-12-01', NULL, 2025);
SELECT is(sla.attach_invoices('part', 't bills', account => 'who', due => 'due', settled_at => 'paid_at', key => '{id,year}'), 1::bigint, 'a partitioned table');
INSERT INTO part VALUES (2, 'Part', '2026-01-01', NULL, 2026);
SELECT is(pg_temp.bill('part', '{2,2026}'), 'Part 2026-01-01 0 open', 'its partitions are recorded');
UPDATE part SET due = '2026-01-02' WHERE id = 2;
SELECT is(pg_temp.bill('part', '{2,2026}'), 'Part 2026-01-02 0 open', 'whatever numbers their columns have');
UPDATE part SET year = 2026 WHERE id = 1;
SELECT is((SELECT count(*) FROM sla.invoice WHERE account = 'Part' AND state = 'open'), 2::bigint, 'a row that moves counts once');
SELECT is((SELECT count(*) FROM sla.invoice WHERE account = 'Part'), 2::bigint, 'and is the invoice it was');
SELECT sla.record_payment('part', '{2,2026}', 5, '2026-01-05', recorded_at => '2026-01-05') \g /dev/null
UPDATE part SET year = 2025, due = '2026-01-03', id = 3 WHERE id = 2;
SELECT is(pg_temp.bill('part', '{3,2025}'), 'Part 2026-01-03 5 open', 'with its payments, whatever else changes on the way');
SELECT is((SELECT string_agg(e.kind, ' ' ORDER BY e.seq) FROM sla.invoice i JOIN sla.invoice_event e ON e.invoice_id = i.id WHERE i.key = '{3,2025}' AND i.account = 'Part'),
	'issued changed payment deleted changed restored', 'in the order of what happened to it');
UPDATE part SET year = 2026, id = 2 WHERE id = 3;
SELECT throws_ok($$ SELECT sla.attach_invoices('part_25', 't bills', 'who', 'due', settled_at => 'paid_at') $$, '42710', NULL, 'a partition is no table of its own');
ALTER TABLE part DETACH PARTITION part_26;
DROP TABLE part_26;
SELECT is(sla.reconcile_invoices('part'), 2::bigint, 'a dropped partition is noticed when asked');
SELECT is((SELECT count(*) FROM sla.invoice WHERE account = 'Part' AND state = 'open'), 0::bigint, 'and its invoices are gone');

-- A partition attached alone: a row that leaves for elsewhere is not the one that comes
CREATE TABLE apart (id int, place text, who text, due date, amount numeric, PRIMARY KEY (id, place)) PARTITION BY LIST (place);
CREATE TABLE apart_here PARTITION OF apart FOR VALUES IN ('here');
CREATE TABLE apart_there PARTITION OF apart FOR VALUES IN ('there');
SELECT sla.attach_invoices('apart_here', 't bills', account => 'who', due => 'due', amount => 'amount') \g /dev/null
INSERT INTO apart VALUES (1, 'here', 'Goes', '2026-01-01', 10), (2, 'there', 'Comes', '2026-01-01', 10);
SELECT sla.record_payment('apart_here', '{1,here}', 10, '2026-01-05', recorded_at => '2026-01-05') \g /dev/null
UPDATE apart SET place = CASE place WHEN 'here' THEN 'there' ELSE 'here' END;
SELECT is(pg_temp.bill('apart_here', '{1,here}') || ', ' || pg_temp.bill('apart_here', '{2,here}'), 'Goes 2026-01-01 10 10 deleted, Comes 2026-01-01 10 0 open', 'each keeps what was paid of it');
-- nor is one that a trigger loses
CREATE TABLE lossy (LIKE apart INCLUDING ALL) PARTITION BY LIST (place);
CREATE TABLE lossy_here PARTITION OF lossy FOR VALUES IN ('here');
CREATE TABLE lossy_there PARTITION OF lossy FOR VALUES IN ('there');
SELECT sla.attach_invoices('lossy', 't bills', account => 'who', due => 'due', amount => 'amount') \g /dev/null
CREATE FUNCTION pg_temp.lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER lose BEFORE INSERT ON lossy_there FOR EACH ROW EXECUTE FUNCTION pg_temp.lose();
INSERT INTO lossy VALUES (1, 'here', 'Lost', '2026-01-01', 10);
MERGE INTO lossy l USING (VALUES (1), (2)) v (id) ON l.id = v.id WHEN MATCHED THEN UPDATE SET place = 'there' WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'here', 'New', '2026-01-01', 10);
SELECT is(pg_temp.bill('lossy', '{1,here}') || ', ' || pg_temp.bill('lossy', '{2,here}'), 'Lost 2026-01-01 10 0 deleted, New 2026-01-01 10 0 open', 'a row that gets lost is gone');

-- Bad rows never fail, and count for nothing
INSERT INTO bill VALUES (50, NULL, '2026-01-01', NULL, 1), (51, '', '2026-01-01', NULL, 1), (52, 'Bad', '2026-01-01', NULL, 'NaN'), (53, 'Bad', '2026-01-01', NULL, 'infinity'),
	(54, 'Bad', '-infinity', NULL, 1), (55, 'Bad', '2026-01-01', 'infinity', 1), (56, repeat('x', 5000), '2026-01-01', NULL, 1);
SELECT is((SELECT string_agg(key || ': ' || problem, '; ' ORDER BY key) FROM sla.invoice WHERE key BETWEEN '50' AND '56'),
	'50: who is null or empty; 51: who is null or empty; 52: amount is no amount; 53: amount is no amount; 54: due is -infinity; 56: who is longer than 1000 bytes',
	'and the ledger says why');
SELECT is(sla.restriction('Bad', as_of => '2026-02-01'), 'support', 'paid at the end of time is not paid');
UPDATE bill SET paid_at = '2026-01-05' WHERE id = 55;
SELECT is(sla.restriction('Bad', as_of => '2027-02-01'), 'none', 'the others count for nothing');
UPDATE bill SET amount = 5 WHERE id = 52;
SELECT is(pg_temp.bill('bill', '52') || ' ' || sla.restriction('Bad', as_of => '2027-02-01'), 'Bad 2026-01-01 5 0 open termination', 'until they are put right');
INSERT INTO bill VALUES (60, 'Far', '4714-11-24 BC', NULL, 1), (61, 'Far', '5874897-12-31', NULL, 1), (62, 'Far', '0001-01-01', NULL, 1);
SELECT is(sla.restriction('Far', as_of => '2026-01-01') || ' ' || sla.restriction('Far', as_of => '294276-12-31'), 'termination termination', 'dates as far as PostgreSQL has them');
CREATE TABLE big (id int PRIMARY KEY, who text, due date, paid_at timestamptz, amount numeric);
SELECT sla.attach_invoices('big', 't bills', account => 'who', due => 'due', settled_at => 'paid_at', amount => 'amount') \g /dev/null
INSERT INTO big SELECT g, 'Much', '2026-01-01', NULL, ('9e' || 131071)::numeric * (g - 71) FROM generate_series(70, 72) g;
INSERT INTO big SELECT g, 'Most', '2026-01-01', NULL, 1e100 - 1 FROM generate_series(73, 75) g;
SELECT is((SELECT string_agg(key || ' ' || problem, '; ' ORDER BY key) FROM sla.invoice WHERE key BETWEEN '70' AND '75'),
	'70 amount is no amount; 72 amount is no amount', 'an amount that no sum of amounts could hold is none');
SELECT is(sla.restriction('Much', as_of => '2026-02-01') || ' ' || sla.restriction('Most', as_of => '2026-02-01'), 'none support', 'nor does it keep others from being restricted');
SELECT lives_ok($$ SELECT sla.flag_restrictions('2026-02-01') $$, 'and told of');
SELECT throws_ok($$ SELECT sla.record_payment('big', '73', ('9e' || 131071)::numeric, '2026-02-02') $$, '22023', NULL, 'nor can as much be paid');
SELECT throws_ok($$ SELECT sla.record_payment('big', '73', 1e100, '2026-02-02') $$, '22023', 'amount must be a positive number, less than 1e100', 'the error says how much can');
CREATE TABLE part_paid (id int PRIMARY KEY, who text, due date, amount numeric, paid numeric);
SELECT sla.attach_invoices('part_paid', 't bills', account => 'who', due => 'due', amount => 'amount', paid => 'paid') \g /dev/null
INSERT INTO part_paid VALUES (80, 'Nobody', '2026-01-01', 10, 'NaN');
SELECT is((SELECT problem FROM sla.invoice WHERE key = '80') || ' ' || sla.restriction('Nobody', as_of => '2026-02-01'), 'paid is no amount none', 'where it is not clear what has been paid, nobody is restricted');
UPDATE part_paid SET paid = 4;
SELECT is(pg_temp.bill('part_paid', '80') || ' ' || sla.restriction('Nobody', as_of => '2026-02-01'), 'Nobody 2026-01-01 10 4 open support', 'until it is clear');
UPDATE part_paid SET paid = 'NaN';
SELECT is(sla.restriction('Nobody', as_of => '2026-02-01'), 'none', 'also when it becomes unclear');

-- What a row says now counts from its instant on, also when it said otherwise of later ones
CREATE TABLE mended (id int PRIMARY KEY, who text, due date, amount numeric, paid numeric, since timestamptz);
SELECT sla.attach_invoices('mended', 't bills', account => 'who', due => 'due', amount => 'amount', paid => 'paid', changed_at => 'since') \g /dev/null
INSERT INTO mended VALUES (1, 'Mended', '2026-01-01', 100, 0, '2026-01-01');
UPDATE mended SET paid = 100, since = '2026-05-02';
SELECT is(pg_temp.bill('mended', '1'), 'Mended 2026-01-01 100 100 settled', 'paid, as was booked');
UPDATE mended SET paid = 10, since = '2026-02-05';
SELECT is(pg_temp.bill('mended', '1'), 'Mended 2026-01-01 100 10 open', 'a correction that goes further back replaces it');
SELECT is((SELECT open FROM sla.explain_restriction('Mended', as_of => '2026-06-01') WHERE kind = 'invoice'), 90::numeric, 'at all later times');
SELECT is((SELECT open FROM sla.explain_restriction('Mended', as_of => '2026-02-04') WHERE kind = 'invoice'), 100::numeric, 'but not at earlier ones');
SELECT is(sla.reconcile_invoices('mended'), 0::bigint, 'and there is nothing left to be recorded');

CREATE TABLE strict (LIKE bill INCLUDING ALL);
SELECT sla.attach_invoices('strict', 't bills', account => 'who', due => 'due', settled_at => 'paid_at', amount => 'amount', on_error => 'reject') \g /dev/null
SELECT throws_ok($$ INSERT INTO strict VALUES (1, NULL, '2026-01-01') $$, '23514', 'invoice 1 of table "strict" cannot count: who is null or empty', 'an owner may have them refused');

-- What was paid elsewhere
SELECT throws_ok($$ SELECT sla.record_payment('bill', '99', 1) $$, '42704', NULL, 'of an invoice that is not there');
SELECT throws_ok($$ SELECT sla.record_payment('bill', '52', -1) $$, '22023', NULL, 'a negative amount');
SELECT throws_ok($$ SELECT sla.record_payment('bill', '52', 0) $$, '22023', NULL, 'none');
SELECT throws_ok($$ SELECT sla.record_payment('bill', '52', 'NaN') $$, '22023', NULL, 'no number');
SELECT throws_ok($$ SELECT sla.record_payment('bill', '52', 1, 'infinity') $$, '22008', NULL, 'at no time');
SELECT throws_ok($$ SELECT sla.record_payment('bill', '52', 1, '2026-02-02', recorded_at => '2026-02-01') $$, '22008', NULL, 'before it is made');
SELECT throws_ok($$ SELECT sla.record_payment('bill', '52', 1, '2026-02-02', 'gift') $$, '22023', NULL, 'of an unknown kind');
SELECT throws_ok($$ SELECT sla.record_payment('bill', '52', 1, '2026-02-02', 'reversal') $$, '22023', NULL, 'back, before anything came');
SELECT throws_ok($$ SELECT sla.record_payment('pg_class', '52', 1, '2026-02-02') $$, '55000', NULL, 'in another table');

-- What cannot be attached
CREATE TABLE plain (id int, who text, due date, due_local timestamp, paid boolean, total money);
CREATE VIEW v AS SELECT * FROM bill;
SELECT throws_ok($$ SELECT sla.attach_invoices('bill', 't bills', 'who', 'due', settled_at => 'paid_at') $$, '42710', NULL, 'attached already');
SELECT throws_ok($$ SELECT sla.attach_invoices('v', 't bills', 'who', 'due', settled_at => 'paid_at') $$, '42809', NULL, 'a view');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'due', settled_at => 'due') $$, '55000', NULL, 'no key');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 'no such', 'who', 'due', settled_at => 'due') $$, '42704', NULL, 'no such policy');
SELECT throws_ok(format($$ SELECT sla.attach_invoices('plain', %L, 'who', 'due', settled_at => 'due') $$, sla.preset('laioutr') ->> 'policy'), '42704', NULL, 'a policy that says nothing of bills');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', NULL, settled_at => 'due') $$, '22004', NULL, 'no due date');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'due') $$, '22023', NULL, 'nothing that tells what is settled');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'nix', settled_at => 'due') $$, '42703', NULL, 'no such column');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'due_local', settled_at => 'due') $$, '42804', NULL, 'local times of an unknown zone');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'due', settled_at => 'paid') $$, '42804', NULL, 'a flag for a time');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'due', amount => 'total') $$, '42804', NULL, 'money');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'due', settled_at => 'due', timestamps_in => 'Nowhere') $$, '22023', NULL, 'no such zone');
SELECT throws_ok($$ SELECT sla.attach_invoices('plain', 't bills', 'who', 'due', settled_when => '{paid}') $$, '22023', NULL, 'words of no column');

-- Detached, attached again, dropped
INSERT INTO bill VALUES (70, 'Last', '2026-01-01', NULL, 1);
SELECT sla.detach_invoices('bill') \g /dev/null
SELECT is(sla.restriction('Last', as_of => '2026-02-10') || ' ' || sla.restriction('Last', as_of => statement_timestamp() + interval '1 s'), 'support none', 'nothing is known after detaching, what was stays');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'bill'::regclass), 0::bigint, 'triggers are gone');
SELECT throws_ok($$ SELECT sla.detach_invoices('bill') $$, '42704', NULL, 'once only');
SELECT sla.attach_invoices('bill', 't bills', 'who', 'due', settled_at => 'paid_at', amount => 'amount') \g /dev/null
SELECT is(pg_temp.events('bill', '70'), 'issued 1, deleted, restored', 'attached again the record goes on');
SAVEPOINT dropping;
DROP TABLE bill CASCADE;
SELECT is((SELECT string_agg(invoice_table::text || ' ' || (detached_at IS NOT NULL), ', ') FROM sla.invoice_attachment WHERE detached_at IS NOT NULL), '- true', 'a dropped table is noted');
SELECT is((SELECT DISTINCT i.state FROM sla.invoice i WHERE i.account = 'Last'), 'deleted', 'and its invoices are gone');

SELECT * FROM finish();
ROLLBACK;
