-- Warnings: thresholds before the breach are flagged with it, each once, with
-- the true times, and withdrawn when later facts undo them
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(29);

SELECT sla.load_policy('{
  "policy": "warned", "title": "Warned", "time_zone": "UTC",
  "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always", "alerts": [0.5, 0.75, 1, "10min"]},
              {"severity": "S2", "metric": "response", "goal": "4h", "calendar": "always", "alerts": [0.5]},
              {"severity": "S3", "metric": "response", "goal": "2h", "calendar": "always", "alerts": [0.5, "1h"]}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, state text, changed timestamptz);
SELECT sla.attach('helpdesk', policy => 'warned', severity => 'priority', received_at => 'received', responded_at => 'replied',
	status => 'state', changed_at => 'changed', paused_when => '{waiting}', cancelled_when => '{spam}') \g /dev/null
CREATE FUNCTION pg_temp.at(t text) RETURNS timestamptz LANGUAGE sql AS $$ SELECT ('2026-03-02 ' || t || '+00')::timestamptz $$;
-- What was flagged of a ticket, in the order of ids
CREATE FUNCTION pg_temp.alerts(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', a.kind, a.threshold, to_char(a.due_at, 'HH24:MI')), ', ' ORDER BY a.id)
	FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id WHERE t.key = alerts.id::text $$;
CREATE FUNCTION pg_temp.next(id int) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(next_alert_at, 'HH24:MI') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = next.id::text $$;
CREATE FUNCTION pg_temp.clock(id int) RETURNS sla.clock LANGUAGE sql AS $$
	SELECT c FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = clock.id::text $$;

-- One after the other
INSERT INTO helpdesk VALUES (1, 'S1', pg_temp.at('10:00'), NULL, 'open', pg_temp.at('10:00'));
SELECT is((pg_temp.clock(1)).warnings, '{0.5,0.75,10min}'::text[] COLLATE "C", 'the thresholds of the target but the breach');
SELECT is((pg_temp.clock(1)).warn_at, ARRAY[pg_temp.at('10:30'), pg_temp.at('10:45'), pg_temp.at('10:50')], 'and their instants');
SELECT is(pg_temp.next(1), '10:30', 'the first one is waited for');
SELECT is(sla.flag_due(pg_temp.at('10:30')), 0::bigint, 'exactly at its instant a threshold is not passed');
SELECT is(sla.flag_due(pg_temp.at('10:31')), 1::bigint, 'half of the goal is used');
SELECT is(pg_temp.alerts(1), 'warning 0.5 10:30', 'is a warning');
SELECT is(pg_temp.next(1), '10:45', 'the next one is waited for');
SELECT is(sla.flag_due(pg_temp.at('10:40')), 0::bigint, 'it is said once');

-- All that was missed, with the true times, in their order
SELECT is(sla.flag_due(pg_temp.at('12:00')), 3::bigint, 'what was missed is flagged in one pass');
SELECT is(pg_temp.alerts(1), 'warning 0.5 10:30, warning 0.75 10:45, warning 10min 10:50, breach 1 11:00', 'with the true times');
SELECT is(pg_temp.next(1), NULL, 'then nothing is left');

-- What a clock reached before it stopped, and nothing else
INSERT INTO helpdesk VALUES (2, 'S1', pg_temp.at('10:00'), pg_temp.at('10:45'), 'open', pg_temp.at('10:45'));
SELECT is((pg_temp.clock(2)).warnings, '{0.5}'::text[] COLLATE "C", 'a clock that stops exactly at a threshold has not passed it');
SELECT is(sla.flag_due(pg_temp.at('12:00')), 1::bigint, 'what it reached before is flagged though it has stopped');
SELECT is(pg_temp.alerts(2), 'warning 0.5 10:30', 'and only that');
SELECT is((pg_temp.clock(2)).outcome, 'met', 'it was met');

-- Later facts
UPDATE helpdesk SET replied = pg_temp.at('10:20') WHERE id = 1;
SELECT is(pg_temp.alerts(1), 'warning 0.5 10:30, warning 0.75 10:45, warning 10min 10:50, breach 1 11:00, withdrawal 0.5 10:30, withdrawal 0.75 10:45, withdrawal 10min 10:50, withdrawal 1 11:00',
	'a reply before all of them withdraws all of them');
UPDATE helpdesk SET replied = pg_temp.at('10:47') WHERE id = 1;
SELECT is(sla.flag_due(pg_temp.at('12:00')), 2::bigint, 'a later one flags again what it passed');
SELECT is((SELECT string_agg(concat_ws(' ', aim, threshold), ', ' ORDER BY id) FROM sla.alert a WHERE clock_id = (pg_temp.clock(1)).id AND id > (SELECT max(id) FROM sla.alert WHERE kind = 'withdrawal')),
	'2 0.5, 2 0.75', 'under another aim');

-- Around a pause: what was reached before it is not said again
INSERT INTO helpdesk VALUES (3, 'S1', pg_temp.at('10:00'), NULL, 'open', pg_temp.at('10:00'));
SELECT sla.flag_due(pg_temp.at('10:35')) \g /dev/null
UPDATE helpdesk SET state = 'waiting', changed = pg_temp.at('10:36') WHERE id = 3;
SELECT is((pg_temp.clock(3)).warn_at, ARRAY[pg_temp.at('10:30'), 'infinity', 'infinity'], 'while it stands still nothing more is reached');
SELECT is(pg_temp.next(3), NULL, 'nor waited for');
SELECT is(sla.flag_due(pg_temp.at('13:00')), 0::bigint, 'nor flagged');
UPDATE helpdesk SET state = 'open', changed = pg_temp.at('14:00') WHERE id = 3;
SELECT is(sla.flag_due(pg_temp.at('14:20')), 2::bigint, 'afterwards the others are');
SELECT is(pg_temp.alerts(3), 'warning 0.5 10:30, warning 0.75 14:09, warning 10min 14:14', 'and the first one is not said again');

-- Two thresholds at one instant are two
INSERT INTO helpdesk VALUES (4, 'S3', pg_temp.at('10:00'), NULL, 'open', pg_temp.at('10:00'));
SELECT sla.flag_due(pg_temp.at('11:01')) \g /dev/null
SELECT is(pg_temp.alerts(4), 'warning 0.5 11:00, warning 1h 11:00', 'two thresholds at one instant are two alerts');

-- Another severity aims anew
INSERT INTO helpdesk VALUES (5, 'S3', pg_temp.at('10:00'), NULL, 'open', pg_temp.at('10:00'));
SELECT sla.flag_due(pg_temp.at('11:01')) \g /dev/null
UPDATE helpdesk SET priority = 'S2', changed = pg_temp.at('11:05') WHERE id = 5;
SELECT is(pg_temp.alerts(5), 'warning 0.5 11:00, warning 1h 11:00, withdrawal 0.5 11:00, withdrawal 1h 11:00', 'the goal is longer: they are withdrawn');
SELECT is(pg_temp.next(5), '12:00', 'and half of the new one is waited for');

-- Cancelled
UPDATE helpdesk SET state = 'spam', changed = pg_temp.at('11:10') WHERE id = 5;
SELECT is((pg_temp.clock(5)).warnings, NULL, 'a cancelled clock has none');
SELECT is(pg_temp.next(5), NULL, 'and waits for nothing');
SELECT sla.flag_due(pg_temp.at('23:00')) \g /dev/null
SELECT is(pg_temp.alerts(5), 'warning 0.5 11:00, warning 1h 11:00, withdrawal 0.5 11:00, withdrawal 1h 11:00', 'nothing is flagged of it');

SELECT * FROM finish();
ROLLBACK;
