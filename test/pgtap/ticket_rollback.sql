-- What is rolled back leaves no trace, and does not stand in the way.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(17);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz, replied timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied');
-- All of the ledger but ids, which have gaps as all sequences have
CREATE FUNCTION pg_temp.ledger() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', key, version, state, t.severity, c.due_at, c.outcome, c.aim, c.next_alert_at,
		(SELECT string_agg(concat_ws(' ', seq, kind, e.at), '; ' ORDER BY seq) FROM sla.event e WHERE e.ticket_id = t.id),
		(SELECT string_agg(a.kind, '; ' ORDER BY a.id) FROM sla.alert a WHERE a.ticket_id = t.id)), E'\n' ORDER BY key)
	FROM sla.ticket t LEFT JOIN sla.clock c ON c.ticket_id = t.id $$;
CREATE TEMP TABLE noted (state text);

SAVEPOINT a;
INSERT INTO tickets VALUES (1, 'S1', '2026-03-02 09:00');
ROLLBACK TO a;
SELECT is(pg_temp.ledger(), NULL, 'a row rolled back');
INSERT INTO tickets VALUES (1, 'S2', '2026-03-02 09:00');
SELECT is((SELECT version || ' ' || severity FROM sla.ticket), '1 S2', 'the same row again');
INSERT INTO noted SELECT pg_temp.ledger();

SAVEPOINT a;
UPDATE tickets SET s = 'S1';
SAVEPOINT b;
UPDATE tickets SET replied = '2026-03-02 09:30';
RELEASE b;
SAVEPOINT b;
DELETE FROM tickets;
ROLLBACK TO b;
SELECT is((SELECT state || ' ' || version FROM sla.ticket), 'open 3', 'a DELETE rolled back');
SELECT is((SELECT outcome FROM sla.clock), 'met', 'what came before it is still there');
ROLLBACK TO a;
SELECT is(pg_temp.ledger(), (SELECT state FROM noted), 'all rolled back');
UPDATE tickets SET s = 'S1';
SELECT is((SELECT max(seq) FROM sla.event), 2, 'numbers of events have no gaps');
INSERT INTO tickets VALUES (2, 'S1', '2026-03-02 09:00');
SELECT throws_ok($$INSERT INTO tickets VALUES (3, 'S1', '2026-03-02 09:00'), (2, 'S1', '2026-03-02 09:00')$$, '23505', NULL, 'a statement that fails half-way');
SELECT is((SELECT count(*) FROM sla.ticket), 2::bigint, 'leaves nothing');

-- flags and withdrawals
SELECT sla.flag_due(now());
DELETE FROM noted;
INSERT INTO noted SELECT pg_temp.ledger();
SAVEPOINT a;
UPDATE tickets SET replied = '2026-03-02 09:15';
SELECT is((SELECT count(*) FROM sla.alert WHERE kind = 'withdrawal'), 2::bigint, 'flags withdrawn');
ROLLBACK TO a;
SELECT is(pg_temp.ledger(), (SELECT state FROM noted), 'and back in force');
SELECT is(sla.flag_due(now()), 0::bigint, 'nothing to flag again');

-- policies
SAVEPOINT a;
UPDATE sla.target SET goal = '5h' WHERE severity::text = 'S1';
INSERT INTO tickets VALUES (3, 'S1', '2026-03-02 09:00');
SELECT is((SELECT sla_response_due FROM tickets WHERE id = 3), '2026-03-02 14:00', 'a policy changed in this transaction');
ROLLBACK TO a;
INSERT INTO tickets VALUES (3, 'S1', '2026-03-02 09:00');
SELECT is((SELECT sla_response_due FROM tickets WHERE id = 3), '2026-03-02 10:00', 'and rolled back');

-- columns and attachments
SAVEPOINT a;
ALTER TABLE tickets RENAME COLUMN s TO t;
INSERT INTO tickets VALUES (4, 'S1', '2026-03-02 09:00');
ROLLBACK TO a;
INSERT INTO tickets VALUES (4, 'S1', '2026-03-02 09:00');
SELECT is((SELECT sla_response_due FROM tickets WHERE id = 4), '2026-03-02 10:00', 'a column renamed and named back');
SAVEPOINT a;
SELECT sla.detach('tickets');
INSERT INTO tickets VALUES (5, 'S1', '2026-03-02 09:00');
ROLLBACK TO a;
INSERT INTO tickets VALUES (5, 'S1', '2026-03-02 09:00');
SELECT is((SELECT state FROM sla.ticket WHERE key = '5'), 'open', 'detaching rolled back');
SAVEPOINT a;
CREATE TABLE others (id int PRIMARY KEY, s text, at timestamptz);
SELECT sla.attach('others', 'acme', 's', 'at');
INSERT INTO others VALUES (1, 'S1', '2026-03-02 09:00');
ROLLBACK TO a;
SELECT is((SELECT count(*) FROM sla.attachment), 1::bigint, 'attaching rolled back');
CREATE TABLE others (id int PRIMARY KEY, s text, at timestamptz);
INSERT INTO others VALUES (1, 'S1', '2026-03-02 09:00');
SELECT is(sla.attach('others', 'acme', 's', 'at'), 1::bigint, 'and done again');

SELECT * FROM finish();
ROLLBACK;
