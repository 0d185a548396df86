-- A promise once made keeps its goal and its hours: what is edited in the
-- policy's tables later reaches tickets that come later, not running clocks.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(15);

SELECT sla.load_policy('{
  "policy": "terms", "title": "Terms", "time_zone": "UTC",
  "calendars": {"office": {"hours": "UTC Mo-Fr 09:00-17:00"}},
  "targets": [
    {"severity": "S1", "metric": "response", "goal": "1h", "calendar": "office"},
    {"severity": "S2", "metric": "response", "goal": "4h", "calendar": "office"}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, closed timestamptz, changed timestamptz);
SELECT sla.attach('helpdesk', policy => 'terms', severity => 'priority', received_at => 'received',
    responded_at => 'replied', resolved_at => 'closed', changed_at => 'changed') \g /dev/null
INSERT INTO helpdesk VALUES
    (1, 'S2', '2026-03-02 09:00+00', NULL, NULL, '2026-03-02 09:00+00'),
    (2, 'S1', '2026-03-02 09:00+00', NULL, NULL, '2026-03-02 09:00+00');

UPDATE sla.calendar SET hours = 'UTC Mo-Fr 12:00-13:00' WHERE name = 'terms/office';
UPDATE helpdesk SET replied = '2026-03-02 14:00+00', changed = '2026-03-02 14:00+00' WHERE id = 1;
SELECT is(sla_response_due, timestamptz '2026-03-02 13:00+00', 'the due time stays') FROM helpdesk WHERE id = 1;
SELECT is(outcome, 'breached', 'and what is late by it is late') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '1';
SELECT is(h.value::text, 'UTC Mo-Fr 09:00-17:00', 'the clock keeps its hours')
    FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.hours h ON h.id = c.hours_id WHERE t.key = '1';

INSERT INTO helpdesk VALUES (3, 'S2', '2026-03-02 09:00+00', NULL, NULL, '2026-03-02 09:00+00');
SELECT is(sla_response_due, timestamptz '2026-03-05 13:00+00', 'a new ticket gets the new hours') FROM helpdesk WHERE id = 3;

UPDATE sla.target SET goal = '2h' WHERE severity OPERATOR(sla.=) 'S1';
UPDATE helpdesk SET closed = '2026-03-02 09:30+00', changed = '2026-03-02 09:30+00' WHERE id = 2;
UPDATE helpdesk SET closed = NULL, changed = '2026-03-02 09:45+00' WHERE id = 2;
SELECT is(sla_response_due, timestamptz '2026-03-02 10:15+00', 'a continued clock keeps goal and hours') FROM helpdesk WHERE id = 2;
SELECT is(goal::text, '1h', 'goal kept') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '2';

DELETE FROM sla.target WHERE severity OPERATOR(sla.=) 'S1';
UPDATE helpdesk SET replied = '2026-03-02 10:20+00', changed = '2026-03-02 10:20+00' WHERE id = 2;
SELECT is(outcome, 'breached', 'a promise outlives its row in sla.target') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '2';

UPDATE helpdesk SET priority = 'S1', changed = '2026-03-02 09:30+00' WHERE id = 3;
SELECT is(sla_response_due, timestamptz '2026-03-02 13:00+00', 'under another severity, too, a ticket is held to what was promised when it came') FROM helpdesk WHERE id = 3;
UPDATE helpdesk SET priority = 'S2', changed = '2026-03-02 09:40+00' WHERE id = 3;
SELECT is(sla_response_due, timestamptz '2026-03-05 13:00+00', 'and back again') FROM helpdesk WHERE id = 3;
DELETE FROM sla.policy;
UPDATE helpdesk SET replied = '2026-03-02 10:10+00', changed = '2026-03-02 12:30+00' WHERE id = 2;
SELECT is(outcome, 'met', 'promises outlive their policy') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '2';
SELECT is(exempt, NULL, 'and nothing is wrong') FROM sla.ticket WHERE key = '2';
UPDATE helpdesk SET received = '2026-03-02 09:05+00', replied = '2026-03-02 09:20+00', changed = '2026-03-02 12:40+00' WHERE id = 2;
SELECT is(exempt, NULL, 'also when the time of receipt is corrected') FROM sla.ticket WHERE key = '2';
SELECT is(c.started_at, '2026-03-02 09:05+00', 'which is followed') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '2';
SELECT is(c.stopped_at, '2026-03-02 09:20+00', 'with all else that the row says') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '2';
INSERT INTO helpdesk VALUES (4, 'S2', '2026-03-02 09:00+00', NULL, NULL, '2026-03-02 09:00+00');
SELECT matches(exempt, '^error: policy "terms" does not exist', 'a new ticket has none') FROM sla.ticket WHERE key = '4';
SELECT * FROM finish();
ROLLBACK;
