-- What random histories found: where starts, stops, pauses and changes meet.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(27);

-- 09:00-17:00 every day of the week: figures are easy to check by hand.
CREATE FUNCTION pg_temp.policy(name text, rules jsonb) RETURNS int LANGUAGE sql AS $$
	SELECT sla.load_policy('{
		"time_zone": "UTC",
		"calendars": {"day": {"hours": "UTC Mo-Su 09:00-17:00"}},
		"metrics": {
			"touch": {"title": "Received to assigned", "starts_on": ["opened"], "stops_on": ["assigned"]},
			"rest": {"title": "Resolved for good", "starts_on": ["resolved"], "stops_on": ["reopened"]}},
		"targets": [
			{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "day"},
			{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "day", "alerts": [0.5, 1]},
			{"severity": "S2", "metric": "update", "goal": "2h", "calendar": "day"},
			{"severity": "S2", "metric": "resolution", "goal": "8h", "calendar": "day"},
			{"severity": "S2", "metric": "touch", "goal": "1h", "calendar": "day"},
			{"severity": "S2", "metric": "rest", "goal": "4h", "calendar": "day"},
			{"severity": "S3", "metric": "response", "goal": "4h", "calendar": "day"}]}'
		|| jsonb_build_object('policy', name) || rules) $$;
SELECT pg_temp.policy('edges', '{}'), pg_temp.policy('again', '{"reopening": "restart"}'), pg_temp.policy('mail', '{"channels": {"mail": "investigation"}}');
CREATE TABLE tickets (id int PRIMARY KEY, policy text DEFAULT 'edges', s text DEFAULT 'S2', at timestamptz DEFAULT '2026-03-02 09:00',
	done timestamptz, looked timestamptz, channel text, changed timestamptz);
SELECT sla.attach('tickets', policy_column => 'policy', severity => 's', received_at => 'at', resolved_at => 'done', investigated_at => 'looked',
	channel => 'channel', changed_at => 'changed');

-- On the second of March: what is recorded beside the row, and what the row comes to say
CREATE FUNCTION pg_temp.told(id int, kind text, at text, value text DEFAULT NULL) RETURNS int LANGUAGE sql AS $$
	SELECT sla.record_event('tickets', $1::text, $2, ('2026-03-02 ' || $3)::timestamptz, $4) $$;
CREATE FUNCTION pg_temp.severity(id int, severity text, at text) RETURNS void LANGUAGE sql AS $$
	UPDATE tickets t SET s = $2, changed = ('2026-03-02 ' || $3)::timestamptz WHERE t.id = $1 $$;
CREATE FUNCTION pg_temp.resolved(id int, done text, at text) RETURNS void LANGUAGE sql AS $$
	UPDATE tickets t SET done = ('2026-03-02 ' || $2)::timestamptz, changed = ('2026-03-02 ' || $3)::timestamptz WHERE t.id = $1 $$;
CREATE FUNCTION pg_temp.pin(id int, metric text, due text, at text) RETURNS int LANGUAGE sql AS $$
	SELECT sla.pin_due('tickets', $1::text, $2, ('2026-03-02 ' || $3)::timestamptz, ('2026-03-02 ' || $4)::timestamptz) $$;
CREATE FUNCTION pg_temp.moment(t timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN isfinite(t) THEN to_char(t, 'DD HH24:MI') ELSE t::text END $$;
CREATE FUNCTION pg_temp.clock(id int, metric text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.severity, pg_temp.moment(c.started_at), '-', pg_temp.moment(c.due_at), CASE WHEN c.pinned THEN 'pinned' END,
		coalesce(c.outcome, 'running'), pg_temp.moment(c.stopped_at), c.worked, nullif(c.paused, '0')), ', ' ORDER BY c.cycle)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = $1::text AND c.metric = $2 $$;

-- A pause that stands while the ticket is resolved and reopened
INSERT INTO tickets (id) VALUES (1);
SELECT pg_temp.told(1, 'paused', '10:00', 'parts'), pg_temp.resolved(1, '12:00', '12:00'), pg_temp.resolved(1, NULL, '13:00');
SELECT is(pg_temp.clock(1, 'response'), 'S2 02 09:00 - infinity running', 'paused before, in and after being resolved');
SELECT is((SELECT sla_response_due FROM tickets WHERE id = 1), NULL, 'stamped so');
SELECT pg_temp.told(1, 'resumed', '14:00', 'parts');
SELECT is(pg_temp.clock(1, 'response'), 'S2 02 09:00 - 02 15:00 running 04:00:00', 'one stretch of four hours does not count');

-- Cancelled for want of a promise, and back under the same severity
INSERT INTO tickets (id) VALUES (2);
SELECT pg_temp.severity(2, 'S3', '10:00');
SELECT is(pg_temp.clock(2, 'resolution'), 'S2 02 09:00 - 02 17:00 cancelled 02 10:00 01:00:00', 'nothing promised');
SELECT pg_temp.severity(2, 'S2', '11:00');
SELECT is(pg_temp.clock(2, 'resolution'), 'S2 02 09:00 - 02 17:00 running', 'promised again, the clock runs again');
SELECT is((SELECT sla_resolution_due FROM tickets WHERE id = 2), '2026-03-02 17:00', 'and the row says so');

-- A metric that stops when the ticket is reopened
INSERT INTO tickets (id) VALUES (3);
SELECT pg_temp.resolved(3, '10:00', '10:00'), pg_temp.resolved(3, NULL, '12:00');
SELECT is(pg_temp.clock(3, 'rest'), 'S2 02 10:00 - 02 14:00 met 02 12:00 02:00:00', 'reopening stops a clock');

-- Reached before the ticket was received
INSERT INTO tickets (id, at) VALUES (4, '2026-03-02 10:00');
SELECT pg_temp.told(4, 'assigned', '09:30', 'anna'), pg_temp.told(4, 'replied', '09:30');
SELECT is(pg_temp.clock(4, 'response'), 'S2 02 10:00 - 02 12:00 met 02 10:00 00:00:00', 'replied before: met at once');
SELECT is(pg_temp.clock(4, 'touch'), 'S2 02 10:00 - 02 11:00 met 02 10:00 00:00:00', 'assigned before: likewise');
SELECT is(pg_temp.clock(4, 'update'), 'S2 02 10:00 - 02 12:00 running', 'nothing counts before it was received');
INSERT INTO tickets (id, policy, channel) VALUES (5, 'mail', 'mail');
SELECT pg_temp.told(5, 'assigned', '09:30', 'anna'), pg_temp.told(5, 'replied', '09:40');
SELECT is(pg_temp.clock(5, 'update'), NULL, 'nor before it was investigated');
UPDATE tickets SET looked = '2026-03-02 11:00', changed = '2026-03-02 11:00' WHERE id = 5;
SELECT is(pg_temp.clock(5, 'update'), 'S2 02 11:00 - 02 13:00 running', 'but from then on');
SELECT is(pg_temp.clock(5, 'touch'), 'S2 02 11:00 - 02 12:00 met 02 11:00 00:00:00', 'what was done by then is done');
UPDATE tickets SET at = NULL WHERE id = 4;
SELECT is(pg_temp.clock(4, 'update'), NULL, 'no clock runs of a ticket that was not received');

-- A pin lasts until the clock stops
INSERT INTO tickets (id) VALUES (6);
SELECT pg_temp.pin(6, 'resolution', '16:00', '10:00'), pg_temp.resolved(6, '12:00', '12:00');
SELECT is(pg_temp.clock(6, 'resolution'), 'S2 02 09:00 - 02 16:00 pinned met 02 12:00 03:00:00', 'judged by the pin');
SELECT pg_temp.resolved(6, NULL, '14:00');
SELECT is(pg_temp.clock(6, 'resolution'), 'S2 02 09:00 - 03 11:00 running 02:00:00', 'reopened, the goal counts again');

-- Late by a pin when the severity changed: stays with what it had, whatever comes
INSERT INTO tickets (id) VALUES (7);
SELECT pg_temp.pin(7, 'resolution', '09:30', '09:10'), pg_temp.severity(7, 'S1', '10:00');
SELECT is(pg_temp.clock(7, 'resolution'), 'S2 02 09:00 - 02 09:30 pinned running', 'late');
SELECT pg_temp.pin(7, 'resolution', NULL, '11:00');
SELECT is(pg_temp.clock(7, 'resolution'), 'S2 02 09:00 - 02 17:00 running', 'the pin taken away');
SELECT pg_temp.told(7, 'assigned', '12:00', 'anna');
SELECT is(pg_temp.clock(7, 'resolution'), 'S2 02 09:00 - 02 17:00 running', 'what has nothing to do with it changes nothing');

-- What happens while nothing is promised
INSERT INTO tickets (id, s) VALUES (8, 'S3');
SELECT pg_temp.resolved(8, '10:00', '10:00'), pg_temp.resolved(8, NULL, '12:00'), pg_temp.severity(8, 'S1', '12:30');
SELECT is(pg_temp.clock(8, 'resolution'), 'S1 02 09:00 - 02 15:00 running 02:00:00', 'time in which it was resolved does not count');
INSERT INTO tickets (id, s, policy) VALUES (9, 'S3', 'again');
SELECT pg_temp.resolved(9, '10:00', '10:00'), pg_temp.resolved(9, NULL, '12:00'), pg_temp.severity(9, 'S1', '12:30');
SELECT is(pg_temp.clock(9, 'resolution'), 'S1 02 12:00 - 02 16:00 running', 'or it begins with the reopening');
INSERT INTO tickets (id, s) VALUES (10, 'S3');
SELECT pg_temp.told(10, 'replied', '09:30'), pg_temp.told(10, 'updated', '12:00'), pg_temp.severity(10, 'S2', '12:30');
SELECT is(pg_temp.clock(10, 'update'), 'S2 02 12:00 - 02 14:00 running', 'the last update is what the next one counts from');
INSERT INTO tickets (id) VALUES (11);
SELECT pg_temp.told(11, 'replied', '09:30'), pg_temp.severity(11, 'S3', '10:00'), pg_temp.told(11, 'updated', '12:00');
SELECT is(pg_temp.clock(11, 'update'), 'S2 02 09:30 - 02 11:30 cancelled 02 10:00 00:30:00', 'cancelled');
SELECT pg_temp.severity(11, 'S2', '12:30');
SELECT is(pg_temp.clock(11, 'update'), 'S2 02 09:30 - 02 11:30 cancelled 02 10:00 00:30:00, S2 02 12:00 - 02 14:00 running', 'also where an earlier one was cancelled');

-- A late clock is warned of by the target it is held to
INSERT INTO tickets (id) VALUES (12);
SELECT pg_temp.severity(12, 'S3', '12:00');
SELECT is(pg_temp.clock(12, 'response'), 'S2 02 09:00 - 02 11:00 running', 'late it stays');
SELECT is((SELECT warn_at FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '12' AND metric = 'response'), '{2026-03-02 10:00+00}'::timestamptz[], 'with its warnings');

-- What a cancelled ticket gets to counts when it goes on, also where something is promised only since
INSERT INTO tickets (id, s) VALUES (13, 'S1');
SELECT pg_temp.told(13, 'cancelled', '08:00'), pg_temp.told(13, 'assigned', '10:00', 'anna');
SELECT pg_temp.severity(13, 'S2', '10:30');
SELECT pg_temp.told(13, 'reopened', '11:00');
SELECT is(pg_temp.clock(13, 'touch'), 'S2 02 09:00 - 02 11:00 met 02 11:00 01:30:00 00:30:00', 'somebody was assigned meanwhile');

SELECT * FROM finish();
ROLLBACK;
