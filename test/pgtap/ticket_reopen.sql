-- A reply that comes while the ticket is resolved holds after it is reopened.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(8);

SELECT sla.load_policy('{
  "policy": "reopen", "title": "Reopen", "time_zone": "UTC",
  "calendars": {"always": {"hours": "24/7"}},
  "targets": [
    {"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"},
    {"severity": "S1", "metric": "reply", "goal": "5h", "calendar": "always"},
    {"severity": "S1", "metric": "resolution", "goal": "3h", "calendar": "always"}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, customer timestamptz, closed timestamptz, changed timestamptz);
SELECT sla.attach('helpdesk', policy => 'reopen', severity => 'priority', received_at => 'received',
    responded_at => 'replied', customer_reply_at => 'customer', resolved_at => 'closed', changed_at => 'changed') \g /dev/null
INSERT INTO helpdesk VALUES (1, 'S1', '2026-03-02 10:00+00', NULL, NULL, NULL, '2026-03-02 10:00+00');
UPDATE helpdesk SET closed = '2026-03-02 10:20+00', changed = '2026-03-02 10:20+00';
UPDATE helpdesk SET replied = '2026-03-02 10:30+00', changed = '2026-03-02 10:30+00';
UPDATE helpdesk SET closed = NULL, changed = '2026-03-02 11:00+00';

SELECT is(outcome, 'met', 'the response stays met') FROM sla.clock WHERE metric = 'response';
SELECT is(sla_response_due, timestamptz '2026-03-02 12:40+00', 'its due time leaves out the time it was resolved') FROM helpdesk;
SELECT is(outcome, NULL, 'the resolution runs on') FROM sla.clock WHERE metric = 'resolution';
SELECT is(sla.flag_due('2026-03-02 13:40:00.000001+00'), 1::bigint, 'and is all that is flagged') ;

-- The answer that says so comes with the resolution, and the customer is not
-- content with it.
INSERT INTO helpdesk VALUES (2, 'S1', '2026-03-02 10:00+00', NULL, NULL, NULL, '2026-03-02 10:00+00');
UPDATE helpdesk SET closed = '2026-03-02 10:20+00', changed = '2026-03-02 10:20+00' WHERE id = 2;
UPDATE helpdesk SET replied = '2026-03-02 10:20:01+00', changed = '2026-03-02 10:20:01+00' WHERE id = 2;
UPDATE helpdesk SET customer = '2026-03-02 18:00+00', changed = '2026-03-02 18:00+00' WHERE id = 2;
UPDATE helpdesk SET closed = NULL, changed = '2026-03-02 18:30+00' WHERE id = 2;
CREATE VIEW pg_temp.clocks AS SELECT c.* FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '2';
SELECT is(outcome, 'met', 'the response stays met, though the customer has written again') FROM pg_temp.clocks WHERE metric = 'response';
SELECT is(started_at, timestamptz '2026-03-02 18:30+00', 'which waits for a reply since the reopening') FROM pg_temp.clocks WHERE metric = 'reply';
UPDATE helpdesk SET customer = '2026-03-02 10:10+00', changed = '2026-03-02 18:30+00' WHERE id = 2;
SELECT is(outcome, 'met', 'so it stays without that') FROM pg_temp.clocks WHERE metric = 'response';
SELECT is(count(*), 0::bigint, 'and no reply is due') FROM pg_temp.clocks WHERE metric = 'reply';
SELECT * FROM finish();
ROLLBACK;
