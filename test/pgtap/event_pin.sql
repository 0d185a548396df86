-- sla.pin_due: a due time that was agreed upon
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(32);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "always"},
		{"severity": "S2", "metric": "resolution", "goal": "8h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz, done timestamptz, changed timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done', 'changed');
INSERT INTO tickets (id) SELECT generate_series(1, 9);

CREATE FUNCTION pin(key text, metric text, due text, at text) RETURNS int LANGUAGE sql AS $$
	SELECT sla.pin_due('tickets', key, metric, due::timestamptz, at::timestamptz) $$;
CREATE FUNCTION due(key text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(to_char(sla_response_due, 'MM-DD HH24:MI'), '-'), coalesce(to_char(sla_resolution_due, 'MM-DD HH24:MI'), '-')) FROM tickets WHERE id::text = key $$;
CREATE FUNCTION pins(key text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', e.old_value, coalesce(e.new_value, '-'), e.source), ', ' ORDER BY e.seq)
	FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = $1 AND e.kind = 'pinned' $$;

SELECT is(pin('1', 'resolution', '2026-03-05 12:00', '2026-03-02 10:00'), 2, 'a due time is pinned');
SELECT is(due('1'), '03-02 10:00 03-05 12:00', 'and stamped');
SELECT is(pins('1'), 'resolution 2026-03-05 12:00:00+00 api', 'an event tells so');
SELECT ok((SELECT c.pinned FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '1' AND c.metric = 'resolution'), 'and so does the clock');
UPDATE tickets SET s = 'S2', changed = '2026-03-02 10:30' WHERE id = 1;
SELECT is(due('1'), '03-02 10:00 03-05 12:00', 'another severity does not move it');
SELECT sla.record_event('tickets', '1', 'paused', '2026-03-02 11:00', 'customer');
SELECT is(due('1'), '03-02 10:00 03-05 12:00', 'nor does a pause');
SELECT sla.record_event('tickets', '1', 'resumed', '2026-03-02 12:00', 'customer');
SELECT is(pin('1', 'resolution', '2026-03-05 12:00', '2026-03-02 10:00'), NULL, 'the same pin again is none');
SELECT is(pin('1', 'resolution', '2026-03-06 12:00', '2026-03-02 13:00'), 6, 'it may be moved');
SELECT is(due('1'), '03-02 10:00 03-06 12:00', 'to another time');
SELECT is(pin('1', 'resolution', NULL, '2026-03-02 14:00'), 7, 'and taken away');
SELECT is(due('1'), '03-02 10:00 03-02 18:00', 'which leaves what it would be: eight hours and a pause of one');
SELECT is(pins('1'), 'resolution 2026-03-05 12:00:00+00 api, resolution 2026-03-06 12:00:00+00 api, resolution - api', 'nothing is erased');

-- At one instant the last word counts
SELECT is(pin('2', 'resolution', '2026-03-05', '2026-03-02 10:00'), 2, 'one');
SELECT is(pin('2', 'resolution', '2026-03-06', '2026-03-02 10:00'), 3, 'two');
SELECT is(pin('2', 'resolution', '2026-03-05', '2026-03-02 10:00'), 4, 'one again');
SELECT is(due('2'), '03-02 10:00 03-05 00:00', 'is one');
SELECT is(sla.record_event('tickets', '2', 'retracted', '2026-03-02 10:00', '4'), 5, 'a pin may be retracted');
SELECT is(due('2'), '03-02 10:00 03-06 00:00', 'then the one before it counts');

-- It ends with its cycle, and may be met
SELECT is(pin('3', 'response', '2026-03-02 13:00', '2026-03-02 09:30'), 2, 'a response put off');
UPDATE tickets SET replied = '2026-03-02 12:59' WHERE id = 3;
SELECT is((SELECT c.outcome || ' ' || c.pinned FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '3' AND c.metric = 'response'), 'met true', 'is met');
SELECT throws_ok($$SELECT pin('3', 'response', '2026-03-02 14:00', '2026-03-02 13:00')$$, '22023', NULL, 'a promise that was kept needs no other time');
SELECT throws_ok($$SELECT pin('3', 'response', '2026-03-02 14:00', '2026-03-02 08:00')$$, '22023', NULL, 'nor does one that has not begun');
SELECT is(pin('4', 'resolution', 'infinity', '2026-03-02 10:00'), 2, 'no due time at all');
SELECT is((SELECT sla_resolution_due FROM tickets WHERE id = 4), 'infinity', 'is infinite');

-- Written and read alike in every session
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL datestyle = 'SQL, DMY';
SELECT is(sla.pin_due('tickets', '5', 'resolution', '2026-03-05 12:00:00.000001+00', '2026-03-02 10:00+00'), 2, 'in other settings');
SELECT is(pins('5'), 'resolution 2026-03-05 12:00:00.000001+00 api', 'the text is the same');
SELECT is((SELECT sla_resolution_due FROM tickets WHERE id = 5), '2026-03-05 12:00:00.000001+00', 'and read so');

-- What is refused
SELECT throws_ok($$SELECT pin('6', 'reply', '2026-03-05', '2026-03-02 10:00')$$, '22023', 'ticket 6 is promised no "reply"', 'a metric that the policy does not promise');
SELECT throws_ok($$SELECT pin('6', 'resolution', '-infinity', '2026-03-02 10:00')$$, '22023', NULL, 'a due time before all time');
SELECT throws_ok($$SELECT pin('6', 'resolution', '2026-03-05', 'infinity')$$, '22023', NULL, 'an infinite time');
SELECT throws_ok(format('SELECT sla.pin_due(%s)', a), '22004', NULL, 'a null argument: ' || a) FROM unnest(ARRAY[$$'tickets', '6', NULL, now()$$, $$'tickets', '6', 'resolution', now(), NULL$$]) a;

SELECT * FROM finish();
ROLLBACK;
