-- Whoever purges old alerts does not get them again when a ticket of then is touched.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(4);

SELECT sla.load_policy('{
  "policy": "purged", "title": "Purged", "time_zone": "UTC",
  "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, who text);
SELECT sla.attach('helpdesk', policy => 'purged', severity => 'priority', received_at => 'received',
    responded_at => 'replied', assignee => 'who') \g /dev/null
INSERT INTO helpdesk VALUES (1, 'S1', '2026-03-02 10:00+00', '2026-03-02 13:00+00');
SELECT is(sla.flag_due('2026-03-02 14:00+00'), 1::bigint, 'a breach is flagged');
DELETE FROM sla.alert WHERE flagged_at < '2026-03-03 00:00+00';
UPDATE helpdesk SET who = 'ann';
SELECT is(next_alert_at, NULL, 'once') FROM sla.clock;
UPDATE helpdesk SET replied = '2026-03-02 11:00+00';
UPDATE helpdesk SET replied = '2026-03-02 13:30+00';
SELECT is(next_alert_at, '2026-03-02 12:00+00', 'unless it becomes another breach') FROM sla.clock;
SELECT is(sla.flag_due('2026-03-02 14:00+00'), 1::bigint, 'that is flagged, too');
SELECT * FROM finish();
ROLLBACK;
