-- Which alerts sla.purge removes
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(28);

SELECT sla.load_policy('{
  "policy": "purge", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, who text);
SELECT sla.attach('helpdesk', 'purge', severity => 'priority', received_at => 'received', responded_at => 'replied', assignee => 'who') \g /dev/null

-- All steps, as the procedure does them; how many were removed and kept
CREATE FUNCTION pg_temp.purge(before timestamptz, batch int DEFAULT 10000) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s record;
BEGIN
	SELECT -1000::bigint AS after_id, 0::bigint AS removed, 0::bigint AS kept INTO s;
	WHILE s.after_id IS NOT NULL LOOP
		SELECT * INTO s FROM sla.purge_step(before, batch, s.after_id, s.removed, s.kept);
	END LOOP;
	RETURN format('%s removed, %s kept', s.removed, s.kept);
END $$;
CREATE FUNCTION pg_temp.alerts() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(t.key || ' ' || a.kind || CASE WHEN k.alert_id IS NULL THEN '' ELSE ' ack' END, ', ' ORDER BY a.id)
	FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id LEFT JOIN sla.acknowledgement k ON k.alert_id = a.id $$;

-- 1 runs, 2 was answered late, 3 in time after all, 4 is deleted, 5 is young
INSERT INTO helpdesk SELECT g, 'S1', '2026-03-02 10:00' FROM generate_series(1, 4) g;
SELECT is(pg_temp.purge('2026-03-03'), '0 removed, 0 kept', 'nothing to remove');
SELECT sla.flag_due('2026-03-02 14:00') \g /dev/null
INSERT INTO helpdesk VALUES (5, 'S1', '2026-03-04 10:00', '2026-03-04 13:00');
SELECT sla.flag_due('2026-03-04 14:00') \g /dev/null
UPDATE helpdesk SET replied = '2026-03-02 15:00' WHERE id = 2;
UPDATE helpdesk SET replied = '2026-03-02 11:00' WHERE id = 3;
DELETE FROM helpdesk WHERE id = 4;
UPDATE sla.alert SET flagged_at = '2026-03-02 16:00' WHERE kind = 'withdrawal';
SELECT sla.acknowledge(id) FROM sla.alert WHERE kind = 'breach' \g /dev/null
SELECT is(pg_temp.alerts(), '1 breach ack, 2 breach ack, 3 breach ack, 4 breach ack, 5 breach ack, 3 withdrawal', 'what there is');
SELECT is(pg_temp.purge('2026-03-02 14:00'), '0 removed, 0 kept', 'flagged at that very time is not before it');
SELECT is(pg_temp.purge('2026-03-02 15:00'), '2 removed, 2 kept', 'before it is');
SELECT is(pg_temp.alerts(), '1 breach ack, 3 breach ack, 5 breach ack, 3 withdrawal', 'but not of a clock that runs, nor one withdrawn since');
SELECT is((SELECT count(*) FROM sla.acknowledgement), 3::bigint, 'acknowledgements go with their alerts');
SELECT is(pg_temp.purge('2026-03-03'), '2 removed, 1 kept', 'an alert and its withdrawal go together');
SELECT is(pg_temp.alerts(), '1 breach ack, 5 breach ack', 'the rest stays');
SELECT is(pg_temp.purge('2026-03-03'), '0 removed, 1 kept', 'once more there is nothing to do');

-- What was removed is not flagged again
UPDATE helpdesk SET who = 'ann';
SELECT is(sla.flag_due('2026-03-10'), 0::bigint, 'a ticket that is touched is not flagged again');
UPDATE helpdesk SET replied = '2026-03-02 15:30' WHERE id = 2;
SELECT is(sla.flag_due('2026-03-10'), 0::bigint, 'nor one that stays late');
SELECT is(sla.record_rows('helpdesk'), 4::bigint, 'all rows are read again');
SELECT is(sla.flag_due('2026-03-10'), 0::bigint, 'nor then');
SELECT is(pg_temp.alerts(), '1 breach ack, 5 breach ack', 'there is no new alert');

-- Nor are warnings, whatever is corrected but the facts themselves
SELECT sla.load_policy('{
  "policy": "warned", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always", "alerts": [0.5, 0.75, 1, "10min"]}]
}'::jsonb) \g /dev/null
CREATE TABLE warned (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, who text);
SELECT sla.attach('warned', 'warned', severity => 'priority', received_at => 'received', responded_at => 'replied', assignee => 'who') \g /dev/null
INSERT INTO warned VALUES (101, 'S1', '2026-03-02 10:00', '2026-03-02 13:00'), (102, 'S1', '2026-03-02 10:00', '2026-03-02 11:40');
SELECT is(sla.flag_due('2026-03-02 16:00'), 6::bigint, 'warnings and a breach');
SELECT is(pg_temp.purge('2026-03-03'), '6 removed, 1 kept', 'all are removed');
UPDATE warned SET who = 'ann';
UPDATE warned SET replied = '2026-03-02 13:10' WHERE id = 101;
UPDATE warned SET replied = '2026-03-02 11:45' WHERE id = 102;
SELECT sla.record_rows('warned') \g /dev/null
SELECT is(sla.flag_due('2026-03-10'), 0::bigint, 'none is flagged again');
UPDATE warned SET replied = '2026-03-02 11:55' WHERE id = 102;
SELECT is(sla.flag_due('2026-03-10'), 1::bigint, 'but what is reached only now');
SELECT is((SELECT string_agg(threshold, ' ') FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id WHERE t.key = '102'), '10min', 'by what was corrected');
DELETE FROM warned;
DELETE FROM sla.alert WHERE threshold = '10min';

-- A clock that stopped but waits to be flagged keeps what it has
INSERT INTO helpdesk VALUES (6, 'S1', '2026-03-04 10:00', '2026-03-04 13:00');
INSERT INTO sla.alert (clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
SELECT c.id, c.ticket_id, c.aim, '0.5', 'warning', '2026-03-04 11:00', '2026-03-04 11:00'
FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '6';
SELECT is(pg_temp.purge('2026-03-04 12:00'), '0 removed, 2 kept', 'not while there is something left to flag');
SELECT sla.flag_due('2026-03-10') \g /dev/null
SELECT is(pg_temp.purge('2026-03-04 12:00'), '1 removed, 1 kept', 'but then');

-- Its clock may be gone, and itself without any other row
DELETE FROM sla.clock;
INSERT INTO sla.alert (clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
VALUES (-1, -1, 1, '1', 'withdrawal', '2026-03-01', '2026-03-01');
SELECT is(pg_temp.purge('infinity'), '4 removed, 0 kept', 'what has no clock goes, and all of that, if so wanted');
SELECT is((SELECT count(*) FROM sla.acknowledgement), 0::bigint, 'with all acknowledgements');

-- In batches
INSERT INTO sla.alert (clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
SELECT -g, -g, 1, '1', 'breach', '2026-03-01', '2026-03-01'::timestamptz + g * interval '1 min' FROM generate_series(1, 1000) g;
SELECT is(pg_temp.purge('2026-03-01 05:00', 7), '299 removed, 0 kept', 'few at a time');
SELECT is(pg_temp.purge('2026-03-02', 1), '701 removed, 0 kept', 'one at a time');

-- Arguments
SELECT throws_ok($$SELECT sla.purge_step(NULL, 1, 0, 0, 0)$$, '22004', NULL, 'no time');
SELECT throws_ok($$SELECT sla.purge_step('2026-01-01', 0, 0, 0, 0)$$, '22023', NULL, 'no alerts at a time');
SELECT throws_ok($$SELECT sla.purge_step('2026-01-01', NULL, 0, 0, 0)$$, '22023', NULL, 'nor an unknown number');

SELECT * FROM finish();
ROLLBACK;
