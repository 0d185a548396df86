-- Rows that take back what they said: the ledger must end up where the row is.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(29);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "severity_change": "from_change",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "always"},
		{"severity": "S2", "metric": "resolution", "goal": "24h", "calendar": "always"}]}');
CREATE TABLE tickets (
	id int PRIMARY KEY,
	priority text,
	created_at timestamptz,
	closed_at timestamptz,
	updated_at timestamptz,
	product text);
SELECT sla.attach('tickets', 'acme', 'priority', 'created_at', resolved_at => 'closed_at', changed_at => 'updated_at', product => 'product');

CREATE FUNCTION pg_temp.closed(id int, closed text, updated text) RETURNS void LANGUAGE sql AS $$
	UPDATE tickets t SET closed_at = ('2026-03-02 ' || $2)::timestamptz, updated_at = ('2026-03-02 ' || $3)::timestamptz WHERE t.id = $1 $$;
CREATE FUNCTION pg_temp.clock(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, to_char(c.due_at, 'HH24:MI'), coalesce(c.outcome, 'running'),
		to_char(c.stopped_at, 'HH24:MI'), c.worked, nullif(c.paused, '0'))
	FROM sla.ticket t JOIN sla.clock c ON c.ticket_id = t.id WHERE t.key = $1::text $$;
CREATE FUNCTION pg_temp.events(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', e.kind, to_char(e.at, 'HH24:MI'), e.old_value, e.new_value), ', ' ORDER BY e.seq)
	FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = $1::text $$;

INSERT INTO tickets SELECT id, 'S1', '2026-03-02 10:00', NULL, '2026-03-02 10:00' FROM generate_series(1, 9) id;

-- A resolution that was after a reopening turns out to have been before it
SELECT pg_temp.closed(1, '12:00', '12:00'), pg_temp.closed(1, NULL, '14:00'), pg_temp.closed(1, '15:00', '15:00');
SELECT is(pg_temp.clock(1), 'resolved 20:00 met 15:00 03:00:00 02:00:00', 'resolved, reopened and resolved');
SELECT pg_temp.closed(1, '13:00', '15:30');
SELECT is(pg_temp.clock(1), 'resolved 19:00 met 13:00 02:00:00 01:00:00', 'the resolution corrected to before the reopening');
SELECT is(pg_temp.events(1),
	'opened 10:00 S1, resolved 12:00, reopened 14:00, resolved 15:00, retracted 15:30 4, retracted 15:30 3, reopened 13:00, resolved 13:00',
	'the reopening moves with it');
SELECT pg_temp.closed(1, '11:00', '15:40');
SELECT is(pg_temp.clock(1), 'resolved 18:00 met 11:00 01:00:00', 'and to before the first resolution');
SELECT pg_temp.closed(1, NULL, '16:00');
SELECT is(split_part(pg_temp.clock(1), ' met', 1), 'open 23:00 running 05:00:00', 'reopened after that, the clock goes on');

SELECT pg_temp.closed(2, '11:00', '11:00'), pg_temp.closed(2, NULL, '12:00'), pg_temp.closed(2, '13:00', '13:00'),
	pg_temp.closed(2, NULL, '14:00'), pg_temp.closed(2, '15:00', '15:00'), pg_temp.closed(2, '11:30', '16:00');
SELECT is(pg_temp.clock(2), 'resolved 18:30 met 11:30 01:00:00 00:30:00', 'several reopenings after the corrected resolution');
SELECT pg_temp.closed(3, '11:00', '11:00'), pg_temp.closed(3, NULL, '12:00'), pg_temp.closed(3, '13:00', '13:00'),
	pg_temp.closed(3, NULL, '14:00'), pg_temp.closed(3, '15:00', '15:00'), pg_temp.closed(3, '13:30', '16:00');
SELECT is(pg_temp.clock(3), 'resolved 19:30 met 13:30 02:00:00 01:30:00', 'only the reopenings after it move');

-- A row that came back at a time which lies ahead, and goes again
DELETE FROM tickets WHERE id = 4;
INSERT INTO tickets VALUES (4, 'S1', now(), NULL, now() + '1 year');
SELECT is((SELECT state || ' ' || coalesce(outcome, 'running') FROM sla.ticket t JOIN sla.clock c ON c.ticket_id = t.id WHERE key = '4'),
	'open running', 'back from a deletion, next year');
DELETE FROM tickets WHERE id = 4;
SELECT is((SELECT state || ' ' || coalesce(outcome, 'running') FROM sla.ticket t JOIN sla.clock c ON c.ticket_id = t.id WHERE key = '4'),
	'deleted cancelled', 'and deleted before that');

-- The old value of a severity is the one the row had
UPDATE tickets SET priority = 'S2', updated_at = '2026-03-02 10:10' WHERE id = 5;
UPDATE tickets SET created_at = '2026-03-02 10:20', updated_at = '2026-03-02 10:30' WHERE id = 5;
UPDATE tickets SET priority = 'S1', updated_at = '2026-03-02 10:40' WHERE id = 5;
SELECT is(pg_temp.events(5),
	'opened 10:00 S1, severity 10:10 S1 S2, retracted 10:30 1, opened 10:20 S1, severity 10:40 S2 S1',
	'a corrected time of receipt does not change it');

-- A time of receipt that is taken back and said again: the ticket was opened
-- with what its row said then, and what changed since is told by its events
UPDATE tickets SET priority = 'S2', product = 'shop', updated_at = '2026-03-02 12:00' WHERE id IN (7, 9);
UPDATE tickets SET created_at = NULL, updated_at = '2026-03-02 13:00' WHERE id = 7;
SELECT is(pg_temp.clock(7), NULL, 'without a time of receipt there is no clock');
UPDATE tickets SET created_at = '2026-03-02 10:00', updated_at = '2026-03-02 14:00' WHERE id = 7;
SELECT is(pg_temp.events(7), 'opened 10:00 S1, severity 12:00 S1 S2, product 12:00 shop, retracted 13:00 1, opened 10:00 S1',
	'taken back and said again, it is opened with what it was opened with');
SELECT is(pg_temp.clock(7), pg_temp.clock(9), 'and its clock is that of one that kept it');
UPDATE tickets SET created_at = NULL, updated_at = '2026-03-02 14:10' WHERE id = 8;
UPDATE tickets SET priority = 'S2', product = 'shop', updated_at = '2026-03-02 14:20' WHERE id = 8;
SELECT is(pg_temp.events(8), 'opened 10:00 S1, retracted 14:10 1, severity 14:20 S1 S2, product 14:20 shop', 'what changes meanwhile is an event');
UPDATE tickets SET created_at = '2026-03-02 10:30', updated_at = '2026-03-02 14:30' WHERE id = 8;
SELECT is(pg_temp.events(8), 'opened 10:00 S1, retracted 14:10 1, severity 14:20 S1 S2, product 14:20 shop, opened 10:30 S1', 'and adds nothing later');
SELECT is((SELECT severity::text FROM sla.ticket WHERE key = '8'), 'S2', 'the ticket has the severity of its row');
SELECT is(split_part(pg_temp.clock(8), ' running', 1), 'open 14:20', 'and its clock the terms of that since it changed');

-- A ticket that is corrected again and again
DO $$
BEGIN
	FOR i IN 1..1500 LOOP
		UPDATE tickets SET closed_at = timestamptz '2026-03-02 11:00' + i * interval '1 s', updated_at = '2026-03-02 12:00' WHERE id = 6;
	END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE key = '6'), 3000::bigint,
	'every correction is recorded');
SELECT is(pg_temp.clock(6), 'resolved 18:00 met 11:25 01:25:00', 'and the last one counts');

-- A severity that is told late is no change: the ticket has it from the start
INSERT INTO tickets VALUES (20, 'ASAP', '2026-03-02 10:00', '2026-03-02 20:00', '2026-03-02 20:00'), (21, NULL, '2026-03-02 10:00', NULL, '2026-03-02 10:00');
SELECT is(pg_temp.clock(20), NULL, 'a severity that cannot be told promises nothing');
UPDATE tickets SET priority = 'S1', updated_at = '2026-03-03 09:00' WHERE id = 20;
SELECT is(pg_temp.clock(20), 'resolved 18:00 breached 20:00 10:00:00', 'once it can be told it counts from receipt, and what is late is late');
SELECT is(pg_temp.events(20), 'opened 10:00, resolved 20:00, retracted 09:00 1, opened 10:00 S1', 'the ticket was opened with it');
UPDATE tickets SET priority = 'ASAP', updated_at = '2026-03-03 09:10' WHERE id = 20;
UPDATE tickets SET priority = 'S1', updated_at = '2026-03-03 09:20' WHERE id = 20;
SELECT is(pg_temp.clock(20), 'resolved 18:00 breached 20:00 10:00:00', 'nor does it change when it cannot be told for a while');
UPDATE tickets SET created_at = NULL, updated_at = '2026-03-02 11:00' WHERE id = 21;
UPDATE tickets SET priority = 'S1', updated_at = '2026-03-02 12:00' WHERE id = 21;
UPDATE tickets SET created_at = '2026-03-02 10:30', updated_at = '2026-03-02 13:00' WHERE id = 21;
SELECT is(pg_temp.clock(21), 'open 18:30 running', 'also when the time of receipt was missing meanwhile');
UPDATE tickets SET priority = 'S2', updated_at = '2026-03-02 14:00' WHERE id = 21;
SELECT is(split_part(pg_temp.clock(21), ' running', 1), 'open 14:00', 'what comes after it is a change');

-- The first that could be told is the one, also if it was told while the time of receipt was missing
INSERT INTO tickets VALUES (22, NULL, '2026-03-02 10:00', NULL, '2026-03-02 10:00');
UPDATE tickets SET created_at = NULL, priority = 'S1', updated_at = '2026-03-02 12:00' WHERE id = 22;
UPDATE tickets SET priority = 'S2', updated_at = '2026-03-02 13:00' WHERE id = 22;
UPDATE tickets SET created_at = '2026-03-02 10:00', updated_at = '2026-03-02 14:00' WHERE id = 22;
SELECT is(pg_temp.events(22), 'opened 10:00, retracted 12:00 1, severity 12:00 S1, severity 13:00 S1 S2, opened 10:00 S1', 'opened with the first');
SELECT is(split_part(pg_temp.clock(22), ' running', 1), 'open 13:00', 'and changed after that');
-- What a row says when it is first seen comes after receipt, whenever the severity is told
CREATE TABLE seen (id int PRIMARY KEY, s text, at timestamptz, state text, changed timestamptz);
SELECT sla.attach('seen', 'acme', 's', 'at', status => 'state', cancelled_when => '{spam}', changed_at => 'changed') \g /dev/null
INSERT INTO seen VALUES (31, NULL, '2026-03-02 10:00', 'spam', NULL), (32, 'S1', '2026-03-02 10:00', 'spam', NULL);
UPDATE seen SET s = 'S1', changed = '2026-03-02 12:00';
SELECT is(pg_temp.clock(31), pg_temp.clock(32), 'a ticket that was cancelled from the start');
UPDATE seen SET state = NULL, changed = '2026-03-02 13:00';
SELECT is(pg_temp.clock(31), pg_temp.clock(32), 'and was not after all');

SELECT * FROM finish();
ROLLBACK;
