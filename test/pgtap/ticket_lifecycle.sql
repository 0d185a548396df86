-- What becomes of a ticket's clocks as its row changes, figure by figure.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(76);

-- 09:00-17:00 every day of the week: figures are easy to check by hand.
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"day": {"hours": "UTC Mo-Su 09:00-17:00"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"},
		{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "day"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "day"},
		{"severity": "S2", "metric": "resolution", "goal": "8h", "calendar": "day"},
		{"severity": "S3", "metric": "response", "goal": "4h", "calendar": "day"}]}');
CREATE TABLE tickets (
	id int PRIMARY KEY,
	priority text,
	created_at timestamptz,
	first_reply_at timestamptz,
	closed_at timestamptz,
	updated_at timestamptz,
	subject text);
SELECT sla.attach('tickets', 'acme', 'priority', 'created_at', 'first_reply_at', 'closed_at', changed_at => 'updated_at');

CREATE FUNCTION pg_temp.clock(id int, metric text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', c.severity, to_char(c.due_at, 'DD HH24:MI'), coalesce(c.outcome, 'running'),
		to_char(c.stopped_at, 'DD HH24:MI'), c.worked, nullif(c.paused, '0'))
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = $1::text AND c.metric = $2 $$;
CREATE FUNCTION pg_temp.events(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', e.kind, to_char(e.at, 'DD HH24:MI'), e.old_value, e.new_value), ', ' ORDER BY e.seq)
	FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = $1::text $$;
CREATE FUNCTION pg_temp.ticket(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, to_char(t.received_at, 'DD HH24:MI'), 'v' || t.version, t.exempt)
	FROM sla.ticket t WHERE t.key = $1::text $$;
CREATE FUNCTION pg_temp.stamps(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(to_char(t.sla_response_due, 'DD HH24:MI'), '-'), coalesce(to_char(t.sla_resolution_due, 'DD HH24:MI'), '-'))
	FROM tickets t WHERE t.id = $1 $$;

-- Receipt
INSERT INTO tickets VALUES (1, 'S2', '2026-03-02 16:00');
SELECT is(pg_temp.stamps(1), '03 10:00 03 16:00', 'a new ticket is stamped');
SELECT is(pg_temp.events(1), 'opened 02 16:00 S2', 'its first event');
SELECT is(pg_temp.ticket(1), 'open S2 02 16:00 v1', 'its entry');
SELECT is(pg_temp.clock(1, 'response'), 'S2 03 10:00 running', 'its response clock');
SELECT is(pg_temp.clock(1, 'resolution'), 'S2 03 16:00 running', 'its resolution clock');
UPDATE tickets SET subject = 'x', updated_at = '2026-03-02 16:30';
SELECT is(pg_temp.ticket(1), 'open S2 02 16:00 v1', 'a column that says nothing changes nothing');

-- Response: early, exactly at due, a microsecond late
UPDATE tickets SET first_reply_at = '2026-03-02 16:30' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'response'), 'S2 03 10:00 met 02 16:30 00:30:00', 'a response in time');
SELECT is(pg_temp.stamps(1), '03 10:00 03 16:00', 'the due time stays in sight');
UPDATE tickets SET first_reply_at = '2026-03-03 10:00' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'response'), 'S2 03 10:00 met 03 10:00 02:00:00', 'exactly at due is met');
UPDATE tickets SET first_reply_at = '2026-03-03 10:00:00.000001' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'response'), 'S2 03 10:00 breached 03 10:00 02:00:00.000001', 'a microsecond later is not');
UPDATE tickets SET first_reply_at = NULL WHERE id = 1;
SELECT is(pg_temp.clock(1, 'response'), 'S2 03 10:00 running', 'a response taken back: the clock runs on');
SELECT is(pg_temp.events(1), 'opened 02 16:00 S2, replied 02 16:30, retracted 02 16:30 2, replied 03 10:00, retracted 02 16:30 4, replied 03 10:00, retracted 02 16:30 6',
	'corrections retract what was said and erase nothing');
SELECT is((SELECT version FROM sla.ticket WHERE key = '1'), 5, 'each was recorded once');

-- Resolution answers, too; reopening continues and the time between does not count
UPDATE tickets SET closed_at = '2026-03-03 09:30', updated_at = '2026-03-03 09:30' WHERE id = 1;
SELECT is(pg_temp.ticket(1), 'resolved S2 02 16:00 v6', 'resolved');
SELECT is(pg_temp.clock(1, 'response'), 'S2 03 10:00 met 03 09:30 01:30:00', 'resolving is a response');
SELECT is(pg_temp.clock(1, 'resolution'), 'S2 03 16:00 met 03 09:30 01:30:00', 'and the resolution');
UPDATE tickets SET closed_at = NULL, updated_at = '2026-03-03 13:30' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'resolution'), 'S2 04 12:00 running 04:00:00', 'reopened four working hours later: due four later');
SELECT is(pg_temp.stamps(1), '03 14:00 04 12:00', 'stamped so');
SELECT is(pg_temp.ticket(1), 'open S2 02 16:00 v7', 'open again');
UPDATE tickets SET first_reply_at = '2026-03-03 13:45', closed_at = '2026-03-04 12:00', updated_at = '2026-03-04 12:00' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'resolution'), 'S2 04 12:00 met 04 12:00 08:00:00 04:00:00', 'worked without the gap, exactly at due');
SELECT is(pg_temp.clock(1, 'response'), 'S2 03 14:00 met 03 13:45 01:45:00 04:00:00', 'response likewise');
UPDATE tickets SET closed_at = '2026-03-04 12:01' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'resolution'), 'S2 04 12:00 breached 04 12:01 08:01:00 04:00:00', 'correction of the resolution');
UPDATE tickets SET closed_at = NULL, updated_at = '2026-03-05 09:00' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'resolution'), 'S2 04 12:00 running 08:59:00', 'reopened when late: as late as before');

-- Severity: from the start, never before the change
INSERT INTO tickets VALUES (2, 'S2', '2026-03-02 09:00');
UPDATE tickets SET priority = 'S1', updated_at = '2026-03-02 09:30' WHERE id = 2;
SELECT is(pg_temp.clock(2, 'response'), 'S1 02 10:00 running', 'raised early: an hour from the start');
SELECT is(pg_temp.clock(2, 'resolution'), 'S1 02 13:00 running', 'four for the resolution');
SELECT is((SELECT aim FROM sla.clock c JOIN sla.ticket t ON t.id = ticket_id WHERE key = '2' AND metric = 'response'), 2, 'a new aim');
SELECT is(pg_temp.events(2), 'opened 02 09:00 S2, severity 02 09:30 S2 S1', 'with old and new value');
INSERT INTO tickets VALUES (3, 'S2', '2026-03-02 09:00');
UPDATE tickets SET priority = 'S1', updated_at = '2026-03-02 10:30' WHERE id = 3;
SELECT is(pg_temp.clock(3, 'response'), 'S1 02 10:30 running', 'raised after the new goal: due at the change, not before');
SELECT is(pg_temp.stamps(3), '02 10:30 02 13:00', 'stamped so');
UPDATE tickets SET first_reply_at = '2026-03-02 10:30' WHERE id = 3;
SELECT is(pg_temp.clock(3, 'response'), 'S1 02 10:30 met 02 10:30 01:30:00', 'a response at the change is in time');

-- never un-breached
INSERT INTO tickets VALUES (4, 'S1', '2026-03-02 09:00');
UPDATE tickets SET priority = 'S2', updated_at = '2026-03-02 10:30' WHERE id = 4;
SELECT is(pg_temp.clock(4, 'response'), 'S1 02 10:00 running', 'lowered when late: late it stays');
SELECT is(pg_temp.clock(4, 'resolution'), 'S2 02 17:00 running', 'what is not late gets the new goal');
UPDATE tickets SET first_reply_at = '2026-03-02 10:45' WHERE id = 4;
SELECT is(pg_temp.clock(4, 'response'), 'S1 02 10:00 breached 02 10:45 01:45:00', 'and is counted as broken');
INSERT INTO tickets VALUES (5, 'S1', '2026-03-02 09:00');
UPDATE tickets SET priority = 'S2', updated_at = '2026-03-02 10:00' WHERE id = 5;
SELECT is(pg_temp.clock(5, 'response'), 'S2 02 11:00 running', 'at due it is not late yet');

-- a severity that promises no resolution, and back
UPDATE tickets SET priority = 'S3', updated_at = '2026-03-02 10:15' WHERE id = 5;
SELECT is(pg_temp.clock(5, 'resolution'), 'S2 02 17:00 cancelled 02 10:15 01:15:00', 'without a goal the promise falls away');
SELECT is(pg_temp.stamps(5), '02 13:00 -', 'and its due time');
UPDATE tickets SET priority = 'S1', updated_at = '2026-03-02 10:20' WHERE id = 5;
SELECT is(pg_temp.clock(5, 'resolution'), 'S1 02 13:00 running', 'and comes back, from the start');
INSERT INTO tickets VALUES (6, 'S3', '2026-03-02 09:00');
SELECT is(pg_temp.clock(6, 'resolution'), NULL, 'no promise, no clock');
SELECT is(pg_temp.stamps(6), '02 13:00 -', 'and no due time');
UPDATE tickets SET priority = 'S2', updated_at = '2026-03-02 12:00' WHERE id = 6;
SELECT is(pg_temp.clock(6, 'resolution'), 'S2 02 17:00 running', 'a promise that begins late counts from the start');

-- Receipt corrected
UPDATE tickets SET created_at = '2026-03-02 11:00', updated_at = '2026-03-02 12:30' WHERE id = 6;
SELECT is(pg_temp.clock(6, 'response'), 'S2 02 13:00 running', 'another time of receipt');
SELECT is(pg_temp.clock(6, 'resolution'), 'S2 03 11:00 running', 'moves both clocks');
SELECT is(pg_temp.ticket(6), 'open S2 02 11:00 v3', 'and the entry');
UPDATE tickets SET created_at = NULL WHERE id = 6;
SELECT is(pg_temp.ticket(6), 'open S2 v4 error: created_at is null or infinite', 'receipt withdrawn: the ledger says why');
SELECT is(pg_temp.clock(6, 'response'), NULL, 'no clock without a start');
SELECT is(pg_temp.stamps(6), '- -', 'nor due times');
UPDATE tickets SET created_at = 'infinity' WHERE id = 6;
SELECT is(pg_temp.ticket(6), 'open S2 v4 error: created_at is null or infinite', 'infinity says as little');
UPDATE tickets SET created_at = '2026-03-02 09:00' WHERE id = 6;
SELECT is(pg_temp.stamps(6), '02 12:00 02 17:00', 'and is put right: it was S3 until 12:00');
SELECT is(pg_temp.ticket(6), 'open S2 02 09:00 v5', 'the reason goes');
INSERT INTO tickets VALUES (7, 'S2', NULL), (8, 'S2', '-infinity');
INSERT INTO tickets VALUES (9, 'S2', '2026-03-02 09:00', 'infinity', '-infinity');
SELECT is(pg_temp.ticket(7), 'open S2 v1 error: created_at is null or infinite', 'no time of receipt');
SELECT is(pg_temp.ticket(8), 'open S2 v1 error: created_at is null or infinite', 'infinitely long ago');
SELECT is(pg_temp.ticket(9), 'open S2 02 09:00 v1', 'infinite response and resolution say nothing');
SELECT is(pg_temp.clock(9, 'response'), 'S2 02 11:00 running', 'both clocks run');

-- Strange orders of time
INSERT INTO tickets VALUES (10, 'S2', '2026-03-02 09:00', '2026-03-01 12:00', '2026-03-01 13:00');
SELECT is(pg_temp.clock(10, 'response'), 'S2 02 11:00 met 02 09:00 00:00:00', 'answered before it was received: met at once');
SELECT is(pg_temp.clock(10, 'resolution'), 'S2 02 17:00 met 02 09:00 00:00:00', 'resolved likewise');
INSERT INTO tickets VALUES (11, 'S2', '2026-03-02 09:00', '2026-03-02 12:00', '2026-03-02 10:00');
SELECT is(pg_temp.clock(11, 'response'), 'S2 02 11:00 met 02 10:00 01:00:00', 'the first of response and resolution counts');

-- Keys
UPDATE tickets SET id = 12 WHERE id = 11;
SELECT is(pg_temp.ticket(11), NULL, 'a new key');
SELECT is(pg_temp.ticket(12), 'resolved S2 02 09:00 v2', 'is the same ticket');
UPDATE tickets SET id = 13, priority = 'S1', updated_at = '2026-03-02 09:10' WHERE id = 2;
SELECT is(pg_temp.ticket(13), 'open S1 02 09:00 v3', 'key and more at once');
DELETE FROM tickets WHERE id = 13;
SELECT is(split_part(pg_temp.ticket(13), ' ', 1), 'deleted', 'deleted');
SELECT is((SELECT string_agg(DISTINCT outcome, ',') FROM sla.clock c JOIN sla.ticket t ON t.id = ticket_id WHERE key = '13'), 'breached', 'late clocks end as broken');
SELECT is((SELECT count(*) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id WHERE key = '13'), 3::bigint, 'with all they had');
INSERT INTO tickets VALUES (14, 'S1', now() + interval '1 year');
DELETE FROM tickets WHERE id = 14;
SELECT is((SELECT string_agg(DISTINCT outcome, ',') FROM sla.clock c JOIN sla.ticket t ON t.id = ticket_id WHERE key = '14'), 'cancelled', 'others are cancelled');
SELECT is((SELECT count(*) FROM sla.clock c JOIN sla.ticket t ON t.id = ticket_id WHERE key = '14' AND next_alert_at IS NOT NULL), 0::bigint, 'and not flagged any more');
INSERT INTO tickets VALUES (14, 'S1', now() + interval '1 year');
SELECT is((SELECT string_agg(e.kind, ',' ORDER BY seq) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id WHERE key = '14'), 'opened,deleted,restored', 'the same key again is the same ticket');
SELECT is((SELECT count(*) FROM sla.clock c JOIN sla.ticket t ON t.id = ticket_id WHERE key = '14' AND outcome IS NULL AND next_alert_at = due_at), 2::bigint, 'whose clocks go on');
DELETE FROM tickets WHERE id = 14;
UPDATE tickets SET id = 14 WHERE id = 12;
SELECT is(pg_temp.ticket(14), 'resolved S2 02 09:00 v3', 'a key that a deleted ticket had can be taken');
SELECT is((SELECT string_agg(state, ',') FROM sla.ticket WHERE key LIKE '14 (ticket %)'), 'deleted', 'the deleted one keeps its record under another');
UPDATE tickets SET id = 24 WHERE id = 14;
UPDATE tickets SET id = 14 WHERE id = 10;
SELECT is(pg_temp.ticket(24) || '; ' || pg_temp.ticket(14), 'resolved S2 02 09:00 v4; resolved S2 02 09:00 v2', 'keys handed on');

-- What the row cannot say
INSERT INTO tickets VALUES (20, 'whatever', '2026-03-02 09:00');
SELECT is(pg_temp.ticket(20), 'open 02 09:00 v1 error: priority "whatever" maps to no severity', 'an unknown severity: the row goes in, the ledger says why');
SELECT is(pg_temp.stamps(20), '- -', 'without due times');
UPDATE tickets SET priority = 'S2', updated_at = '2026-03-02 09:30' WHERE id = 20;
SELECT is(pg_temp.clock(20, 'response'), 'S2 02 11:00 running', 'mended');
UPDATE tickets SET priority = NULL WHERE id = 20;
SELECT is(pg_temp.ticket(20), 'open 02 09:00 v3 error: priority is null', 'and spoilt');
SELECT is(pg_temp.clock(20, 'response'), 'S2 02 11:00 running', 'the promise that was made stands');

-- The policy goes while clocks run
DELETE FROM sla.policy;
UPDATE tickets SET first_reply_at = '2026-03-02 10:00' WHERE id = 9;
SELECT is(pg_temp.ticket(9), 'open S2 02 09:00 v2', 'what was promised stays');
SELECT is(pg_temp.events(9), 'opened 02 09:00 S2, replied 02 10:00', 'what happened is recorded');

SELECT * FROM finish();
ROLLBACK;
