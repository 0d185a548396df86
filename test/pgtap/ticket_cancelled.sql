-- A ticket that was cancelled, goes on, and is resolved: at a time before, too.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(8);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', status text, done timestamptz, changed timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', resolved_at => 'done', changed_at => 'changed', status => 'status', cancelled_when => '{spam}');
CREATE FUNCTION pg_temp.ledger() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, c.outcome, to_char(c.stopped_at, 'HH24:MI')) FROM sla.ticket t JOIN sla.clock c ON c.ticket_id = t.id $$;

INSERT INTO tickets (id) VALUES (1);
UPDATE tickets SET status = 'spam', changed = '2026-03-02 10:00';
SELECT is(pg_temp.ledger(), 'cancelled cancelled 10:00', 'cancelled');
UPDATE tickets SET status = 'open', changed = '2026-03-02 11:00';
SELECT is(pg_temp.ledger(), 'open', 'and not any more');
SAVEPOINT before;
UPDATE tickets SET done = '2026-03-02 12:00', changed = '2026-03-02 12:00';
SELECT is(pg_temp.ledger(), 'resolved met 12:00', 'resolved after that');
ROLLBACK TO before;
UPDATE tickets SET done = '2026-03-02 10:30', changed = '2026-03-02 12:00';
SELECT is(pg_temp.ledger(), 'resolved met 10:30', 'or before it went on');
ROLLBACK TO before;
UPDATE tickets SET done = '2026-03-02 09:30', changed = '2026-03-02 12:00';
SELECT is(pg_temp.ledger(), 'resolved met 09:30', 'or before it was cancelled at all, which then was a mistake');
UPDATE tickets SET done = '2026-03-02 11:30', changed = '2026-03-02 12:30';
SELECT is(pg_temp.ledger(), 'resolved met 11:30', 'resolved later than that');
UPDATE tickets SET done = NULL, changed = '2026-03-02 13:00';
SELECT is(pg_temp.ledger(), 'open', 'reopened');
UPDATE tickets SET status = 'spam', changed = '2026-03-02 14:00';
SELECT is(pg_temp.ledger(), 'cancelled cancelled 14:00', 'and cancelled in the end');

SELECT * FROM finish();
ROLLBACK;
