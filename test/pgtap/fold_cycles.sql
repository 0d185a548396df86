-- A cycle goes its way from what starts it to what stops it, whether its metric
-- promises anything to the severity in force or not.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(18);

-- S2 has promises of few metrics, S3 none
SELECT sla.load_policy('{
  "policy": "cycles", "title": "Cycles", "time_zone": "UTC",
  "calendars": {"always": {"hours": "24/7"}},
  "metrics": {
    "stays": {"title": "Stays resolved", "starts_on": ["resolved"], "stops_on": ["reopened"], "restarts_on": []},
    "triage": {"title": "Somebody has it", "starts_on": ["opened"], "stops_on": ["assigned"], "restarts_on": []}},
  "targets": [
    {"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"},
    {"severity": "S1", "metric": "update", "goal": "24h", "calendar": "always"},
    {"severity": "S1", "metric": "resolution", "goal": "10h", "calendar": "always", "alerts": [0.5, 1]},
    {"severity": "S1", "metric": "stays", "goal": "24h", "calendar": "always"},
    {"severity": "S1", "metric": "triage", "goal": "1h", "calendar": "always"},
    {"severity": "S2", "metric": "response", "goal": "4h", "calendar": "always"},
    {"severity": "S2", "metric": "resolution", "goal": "20h", "calendar": "always", "alerts": [0.1, 1]}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, status text DEFAULT 'open', received timestamptz, replied timestamptz,
    news timestamptz, customer timestamptz, closed timestamptz, changed timestamptz, who text);
SELECT sla.attach('helpdesk', policy => 'cycles', severity => 'priority', received_at => 'received', responded_at => 'replied',
    last_update_at => 'news', customer_reply_at => 'customer', resolved_at => 'closed', changed_at => 'changed',
    status => 'status', paused_when => '{waiting}', resolved_when => '{closed}', assignee => 'who') \g /dev/null
-- hours after midnight
CREATE FUNCTION pg_temp.h(hours numeric) RETURNS timestamptz LANGUAGE sql AS
    $$ SELECT timestamptz '2026-03-02 00:00+00' + hours * interval '1 h' $$;
CREATE FUNCTION pg_temp.clocks(key int, metric text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', extract(epoch FROM c.started_at - pg_temp.h(0))::int / 3600 || '-',
        CASE WHEN isfinite(c.due_at) THEN extract(epoch FROM c.due_at - pg_temp.h(0))::int / 3600 END,
        coalesce(c.outcome, 'running'), extract(epoch FROM c.stopped_at - pg_temp.h(0))::int / 3600), ', ' ORDER BY c.cycle)
    FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = $1::text AND c.metric = $2 $$;

INSERT INTO helpdesk (id, priority, received, changed) VALUES (1, 'S1', pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET status = 'closed', closed = pg_temp.h(2), changed = pg_temp.h(2) WHERE id = 1;
UPDATE helpdesk SET status = 'open', closed = NULL, changed = pg_temp.h(3) WHERE id = 1;
SELECT is(pg_temp.clocks(1, 'stays'), '2- 26 met 3', 'a metric may stop at the reopening');

INSERT INTO helpdesk (id, priority, received, changed) VALUES (2, 'S1', pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET priority = 'S3', changed = pg_temp.h(2) WHERE id = 2;
SELECT is(pg_temp.clocks(2, 'resolution'), '1- 11 cancelled 2', 'a severity without a promise cancels');
UPDATE helpdesk SET priority = 'S1', changed = pg_temp.h(3) WHERE id = 2;
SELECT is(pg_temp.clocks(2, 'resolution'), '1- 11 running', 'and the same severity as before brings it back');
SELECT is(sla_resolution_due, pg_temp.h(11), 'to the row, too') FROM helpdesk WHERE id = 2;

INSERT INTO helpdesk (id, priority, received, changed) VALUES (3, 'S3', pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET replied = pg_temp.h(2), changed = pg_temp.h(2) WHERE id = 3;
UPDATE helpdesk SET customer = pg_temp.h(3), changed = pg_temp.h(3) WHERE id = 3;
UPDATE helpdesk SET priority = 'S1', changed = pg_temp.h(5) WHERE id = 3;
SELECT is(pg_temp.clocks(3, 'response'), '1- 5 met 5', 'what was answered before anything was promised is answered');
INSERT INTO helpdesk (id, priority, received, changed) VALUES (4, 'S1', pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET priority = 'S3', changed = pg_temp.h(1.5) WHERE id = 4;
UPDATE helpdesk SET replied = pg_temp.h(2), changed = pg_temp.h(2) WHERE id = 4;
UPDATE helpdesk SET customer = pg_temp.h(3), changed = pg_temp.h(3) WHERE id = 4;
UPDATE helpdesk SET priority = 'S1', changed = pg_temp.h(5) WHERE id = 4;
SELECT is(pg_temp.clocks(4, 'response'), '1- 5 met 5', 'and so is what was promised once, and again later');

INSERT INTO helpdesk (id, priority, received, replied, news, changed) VALUES (5, 'S1', pg_temp.h(1), pg_temp.h(1), pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET priority = 'S2', changed = pg_temp.h(5) WHERE id = 5;
UPDATE helpdesk SET news = pg_temp.h(20), changed = pg_temp.h(20) WHERE id = 5;
UPDATE helpdesk SET priority = 'S1', changed = pg_temp.h(30) WHERE id = 5;
SELECT is(pg_temp.clocks(5, 'update'), '1- 25 cancelled 5, 20- 44 running', 'news count though none were promised then');
INSERT INTO helpdesk (id, priority, received, replied, news, changed) VALUES (6, 'S2', pg_temp.h(1), pg_temp.h(1), pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET news = pg_temp.h(20), changed = pg_temp.h(20) WHERE id = 6;
UPDATE helpdesk SET priority = 'S1', changed = pg_temp.h(30) WHERE id = 6;
SELECT is(pg_temp.clocks(6, 'update'), '20- 44 running', 'nor at any time before');

INSERT INTO helpdesk (id, priority, received, changed) VALUES (7, 'S3', pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET status = 'closed', closed = pg_temp.h(2), changed = pg_temp.h(2) WHERE id = 7;
UPDATE helpdesk SET status = 'open', closed = NULL, changed = pg_temp.h(5) WHERE id = 7;
UPDATE helpdesk SET priority = 'S1', changed = pg_temp.h(6) WHERE id = 7;
SELECT is(pg_temp.clocks(7, 'resolution'), '1- 14 running', 'the time that it was resolved does not count, whether promised then or not');

INSERT INTO helpdesk (id, priority, received, changed, who) VALUES (8, 'S1', pg_temp.h(1), pg_temp.h(1), 'ann');
UPDATE helpdesk SET received = pg_temp.h(2), changed = pg_temp.h(2) WHERE id = 8;
SELECT is(pg_temp.clocks(8, 'triage'), '2- 3 met 2', 'who was assigned before the ticket was received has it');
INSERT INTO helpdesk (id, priority, received, replied, changed) VALUES (9, 'S1', pg_temp.h(4), pg_temp.h(1), pg_temp.h(4));
SELECT is(pg_temp.clocks(9, 'update'), '4- 28 running', 'a ticket begins when it is received');

-- pauses and reopening
INSERT INTO helpdesk (id, priority, received, changed) VALUES (10, 'S1', pg_temp.h(1), pg_temp.h(1));
SELECT sla.record_event('helpdesk', '10', 'paused', pg_temp.h(2), 'parts') \g /dev/null
UPDATE helpdesk SET status = 'closed', closed = pg_temp.h(4), changed = pg_temp.h(4) WHERE id = 10;
SELECT is(sla_resolution_due, NULL, 'what stood still when it stopped has no due time') FROM helpdesk WHERE id = 10;
UPDATE helpdesk SET status = 'open', closed = NULL, changed = pg_temp.h(5) WHERE id = 10;
SELECT is(c.remaining, '9h', 'a pause from before the resolution still stands') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id
WHERE t.key = '10' AND c.metric = 'resolution';
SELECT sla.record_event('helpdesk', '10', 'resumed', pg_temp.h(7), 'parts') \g /dev/null
SELECT is(pg_temp.clocks(10, 'resolution'), '1- 16 running', 'and does not count up to its end');

-- pins
INSERT INTO helpdesk (id, priority, received, changed) VALUES (11, 'S1', pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET priority = 'S2', changed = pg_temp.h(4) WHERE id = 11;
SELECT sla.pin_due('helpdesk', '11', 'response', pg_temp.h(9), pg_temp.h(5)) \g /dev/null
SELECT sla.pin_due('helpdesk', '11', 'response', NULL, pg_temp.h(6)) \g /dev/null
SELECT is(pg_temp.clocks(11, 'response'), '1- 3 running', 'a change that came too late does not count after a pin, either');
SELECT sla.pin_due('helpdesk', '11', 'resolution', pg_temp.h(50), pg_temp.h(7)) \g /dev/null
UPDATE helpdesk SET status = 'closed', closed = pg_temp.h(8), changed = pg_temp.h(8) WHERE id = 11;
SELECT is(pg_temp.clocks(11, 'resolution'), '1- 50 met 8', 'a pin lasts until the clock stops');
UPDATE helpdesk SET status = 'open', closed = NULL, changed = pg_temp.h(9) WHERE id = 11;
SELECT is(pg_temp.clocks(11, 'resolution'), '1- 22 running', 'and no longer');

-- alerts
INSERT INTO helpdesk (id, priority, received, changed) VALUES (12, 'S1', pg_temp.h(1), pg_temp.h(1));
UPDATE helpdesk SET priority = 'S2', changed = pg_temp.h(12) WHERE id = 12;
SELECT is(c.warn_at, ARRAY[pg_temp.h(6)], 'a clock that stays late keeps the thresholds of its goal') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id
WHERE t.key = '12' AND c.metric = 'resolution';
SELECT * FROM finish();
ROLLBACK;
