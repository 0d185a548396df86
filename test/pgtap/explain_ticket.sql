-- sla.explain tells the life of a ticket: how it is covered, what each event
-- did, and which time counted.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(35);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}, "office": {"hours": "UTC Mo-Fr 09:00-17:00", "holidays": ["2026-03-04"]}},
	"severity_caps": {"beta": "S2"},
	"channels": {"email": "investigation", "fax": "never"},
	"exemptions": {"known_incident": "Announced"},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "30min", "calendar": "always", "pausable": false},
		{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "office"},
		{"severity": "S2", "metric": "reply", "goal": "8h", "calendar": "office"},
		{"severity": "S2", "metric": "resolution", "goal": "3bd", "calendar": "office"}]}') \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, s text, status text DEFAULT 'open', product text, channel text, exempt text, received timestamptz,
	replied timestamptz, wrote timestamptz, investigated timestamptz, changed timestamptz);
SELECT sla.attach('helpdesk', 'acme', 's', 'received', 'replied', changed_at => 'changed', customer_reply_at => 'wrote', investigated_at => 'investigated',
	status => 'status', paused_when => '{waiting}', resolved_when => '{closed}', cancelled_when => '{spam}',
	product => 'product', channel => 'channel', exempt => 'exempt') \g /dev/null
CREATE FUNCTION pg_temp.told(key text, part text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', to_char(at, 'DD HH24:MI'), to_char(until, 'DD HH24:MI'), event, what, why) FROM sla.explain('helpdesk', key)
	WHERE part = CASE WHEN event IS NOT NULL THEN 'events' WHEN metric IS NOT NULL THEN 'clocks' ELSE 'cover' END ORDER BY step $$;

-- A ticket with all that is usual
INSERT INTO helpdesk (id, s, received) VALUES (1, 'S2', '2026-03-02 10:00');
UPDATE helpdesk SET status = 'waiting', changed = '2026-03-02 11:00' WHERE id = 1;
UPDATE helpdesk SET status = 'open', changed = '2026-03-02 12:30' WHERE id = 1;
UPDATE helpdesk SET replied = '2026-03-02 14:30' WHERE id = 1;
UPDATE helpdesk SET replied = '2026-03-02 13:30', changed = '2026-03-02 14:45' WHERE id = 1;
UPDATE helpdesk SET status = 'closed', changed = '2026-03-02 16:00' WHERE id = 1;
UPDATE helpdesk SET status = 'open', changed = '2026-03-03 10:00' WHERE id = 1;
SELECT results_eq($$SELECT pg_temp.told('1', 'cover')$$, ARRAY[
	'02 10:00 | ticket "1", open, severity S2 | received 2026-03-02 10:00:00+00',
	'02 10:00 | held to policy "acme", version ' || (SELECT max(id) FROM sla.policy_version) || ', edition ' || (SELECT max(id) FROM sla.policy_edition) || ' | in force from the beginning, as it was when the ticket came under it'],
	'how it is covered');
SELECT results_eq($$SELECT pg_temp.told('1', 'events')$$, ARRAY[
	'02 10:00 | opened | received with severity S2',
	'02 10:00 | opened | resolution starts: 3bd in UTC Mo-Fr 09:00-17:00; 2026-03-04 off, due 2026-03-06 10:00:00+00 | opened starts it',
	'02 10:00 | opened | response starts: 4h in UTC Mo-Fr 09:00-17:00; 2026-03-04 off, due 2026-03-02 14:00:00+00 | opened starts it',
	'02 11:00 | paused | paused: waiting',
	'02 11:00 | paused | resolution stands still after 1h of 3bd | 23h left when the pause is over',
	'02 11:00 | paused | response stands still after 1h of 4h | 3h left when the pause is over',
	'02 12:30 | resumed | resumed',
	'02 12:30 | resumed | resolution runs on, now due 2026-03-06 11:30:00+00 | 1h 30min of working time in the pause do not count',
	'02 12:30 | resumed | response runs on, now due 2026-03-02 15:30:00+00 | 1h 30min of working time in the pause do not count',
	'02 13:30 | replied | replied to the customer',
	'02 13:30 | replied | response met after 2h of 4h, 2h to spare | replied stops it',
	'02 14:30 | replied | replied to the customer | does not count: taken back by event 5, and event 6 stands in its place (replied, 2026-03-02 13:30:00+00)',
	'02 14:45 | retracted | takes back event 4 (replied, 2026-03-02 14:30:00+00)',
	'02 16:00 | resolved | resolved',
	'02 16:00 | resolved | resolution met after 4h 30min of 3bd, 19h 30min to spare | resolved stops it',
	'03 10:00 | reopened | reopened',
	'03 10:00 | reopened | resolution goes on, now due 2026-03-06 13:30:00+00 | reopened; 2h of working time since it stopped do not count'],
	'event after event');
SELECT results_eq($$SELECT pg_temp.told('1', 'clocks')$$, ARRAY[
	'02 10:00 | resolution: runs, 3bd, due 2026-03-06 13:30:00+00',
	'02 10:00 | 02 11:00 | resolution: 1h count | open',
	'02 11:00 | 02 12:30 | resolution: does not count | pause',
	'02 12:30 | 02 16:00 | resolution: 3h 30min count | open',
	'02 16:00 | 03 10:00 | resolution: does not count | resolved',
	'03 10:00 | 03 17:00 | resolution: 7h count | open',
	'03 17:00 | 04 00:00 | resolution: does not count | closed',
	'04 00:00 | 05 00:00 | resolution: does not count | holiday',
	'05 00:00 | 05 09:00 | resolution: does not count | closed',
	'05 09:00 | 05 17:00 | resolution: 8h count | open',
	'05 17:00 | 06 09:00 | resolution: does not count | closed',
	'06 09:00 | 06 13:30 | resolution: 4h 30min count | open',
	'02 10:00 | 02 13:30 | response: 2h of 4h used in all, met',
	'02 10:00 | 02 11:00 | response: 1h count | open',
	'02 11:00 | 02 12:30 | response: does not count | pause',
	'02 12:30 | 02 13:30 | response: 1h count | open'],
	'clock after clock');
SELECT results_eq($$SELECT event, seq, source, metric, cycle, severity::text, goal::text, due_at, counted FROM sla.explain('helpdesk', '1') WHERE step IN (4, 7, 21)$$,
	$$VALUES ('opened', 1, NULL, 'resolution', 1, 'S2', '3bd', timestamptz '2026-03-06 10:00', NULL::interval),
		('paused', 2, NULL, 'resolution', 1, 'S2', '3bd', 'infinity', NULL),
		(NULL, NULL, NULL, 'resolution', 1, NULL, NULL, NULL, interval '1h')$$, 'figures are in columns of their own');
SELECT is((SELECT count(DISTINCT recorded_at) FROM sla.explain('helpdesk', '1') WHERE event IS NOT NULL), 7::bigint, 'as is when each event was recorded');

-- Corrections, severities, products
INSERT INTO helpdesk (id, s, received, product) VALUES (2, 'S1', '2026-03-02 10:00', 'beta');
UPDATE helpdesk SET product = 'shop', changed = '2026-03-02 12:00' WHERE id = 2;
UPDATE helpdesk SET replied = '2026-03-02 12:10' WHERE id = 2;
UPDATE helpdesk SET s = 'S4', changed = '2026-03-02 13:00' WHERE id = 2;
UPDATE helpdesk SET s = 'S1', changed = '2026-03-02 13:30' WHERE id = 2;
UPDATE helpdesk SET replied = NULL, changed = '2026-03-02 13:40' WHERE id = 2;
SELECT results_eq($$SELECT pg_temp.told('2', 'events')$$, ARRAY[
	'02 10:00 | opened | received with severity S1, product "beta" | product "beta" allows no more than severity S2',
	'02 10:00 | opened | resolution starts: 3bd in UTC Mo-Fr 09:00-17:00; 2026-03-04 off, due 2026-03-06 10:00:00+00 | opened starts it',
	'02 10:00 | opened | response starts: 4h in UTC Mo-Fr 09:00-17:00; 2026-03-04 off, due 2026-03-02 14:00:00+00 | opened starts it',
	'02 12:00 | product | product "shop" instead of "beta"',
	'02 12:00 | product | resolution gets the goal of severity S1: 4h in 24/7, now due 2026-03-02 14:00:00+00 | by rule from_start: counted from 2026-03-02 10:00:00+00',
	'02 12:00 | product | response gets the goal of severity S1: 30min in 24/7, now due 2026-03-02 12:00:00+00 | by rule from_start: counted from 2026-03-02 10:00:00+00, but not due before the change',
	'02 12:10 | replied | replied to the customer | does not count: taken back by event 6',
	'02 13:00 | severity | severity S4 instead of S1',
	'02 13:00 | severity | resolution cancelled after 3h of 4h, 1h to spare | severity S4 promises no resolution',
	'02 13:00 | severity | response stays due 2026-03-02 12:00:00+00 | it was late before the severity changed',
	'02 13:30 | severity | severity S1 instead of S4',
	'02 13:30 | severity | resolution comes back with severity S1: 4h in 24/7, now due 2026-03-02 14:00:00+00 | by rule from_start: counted from 2026-03-02 10:00:00+00',
	'02 13:40 | retracted | takes back event 3 (replied, 2026-03-02 12:10:00+00)'],
	'changes of severity, by product, too; a correction that nothing replaces');

-- What others report
INSERT INTO helpdesk (id, s, received) VALUES (3, 'S2', '2026-03-02 10:00');
SELECT sla.record_event('helpdesk', '3', 'paused', '2026-03-02 11:00', 'parts'), sla.record_event('helpdesk', '3', 'paused', '2026-03-02 12:00', 'holiday'),
	sla.record_event('helpdesk', '3', 'resumed', '2026-03-02 13:00', 'parts'), sla.record_event('helpdesk', '3', 'resumed', '2026-03-02 14:00', 'holiday'),
	sla.record_event('helpdesk', '3', 'customer_replied', '2026-03-02 14:10'), sla.record_event('helpdesk', '3', 'updated', '2026-03-02 14:20'),
	sla.record_event('helpdesk', '3', 'customer_replied', '2026-03-02 14:30'), sla.pin_due('helpdesk', '3', 'resolution', '2026-03-09 12:00', '2026-03-02 15:00'),
	sla.pin_due('helpdesk', '3', 'resolution', NULL, '2026-03-02 16:00'), sla.record_event('helpdesk', '3', 'merged', '2026-03-03 17:00', '1') \g /dev/null
SELECT results_eq($$SELECT pg_temp.told('3', 'events') OFFSET 3$$, ARRAY[
	'02 11:00 | paused | paused: parts',
	'02 11:00 | paused | resolution stands still after 1h of 3bd | 23h left when the pause is over',
	'02 11:00 | paused | response stands still after 1h of 4h | 3h left when the pause is over',
	'02 12:00 | paused | paused: holiday',
	'02 12:00 | paused | resolution stands still after 1h of 3bd | another pause stands already',
	'02 12:00 | paused | response stands still after 1h of 4h | another pause stands already',
	'02 13:00 | resumed | resumed: parts',
	'02 13:00 | resumed | resolution still stands still | another pause stands',
	'02 13:00 | resumed | response still stands still | another pause stands',
	'02 14:00 | resumed | resumed: holiday',
	'02 14:00 | resumed | resolution runs on, now due 2026-03-06 13:00:00+00 | 3h of working time in the pause do not count',
	'02 14:00 | resumed | response runs on, now due 2026-03-02 17:00:00+00 | 3h of working time in the pause do not count',
	'02 14:10 | customer_replied | the customer wrote | no new turn: nothing had been answered since the last one',
	'02 14:20 | updated | told the customer how it stands | no clock changes',
	'02 14:30 | customer_replied | the customer wrote',
	'02 14:30 | customer_replied | reply starts: 8h in UTC Mo-Fr 09:00-17:00; 2026-03-04 off, due 2026-03-03 14:30:00+00 | customer_replied starts it',
	'02 15:00 | pinned | resolution is to be due at 2026-03-09 12:00:00+00',
	'02 15:00 | pinned | resolution pinned, now due 2026-03-09 12:00:00+00 | until it stops or is pinned no more, whatever else happens',
	'02 16:00 | pinned | resolution is to be due as it would be',
	'02 16:00 | pinned | resolution pinned no more, now due 2026-03-06 13:00:00+00',
	'03 17:00 | merged | merged into ticket "1"',
	'03 17:00 | merged | reply breached after 10h 30min of 8h, late by 2h 30min | the ticket was merged; what was late by then is broken',
	'03 17:00 | merged | resolution cancelled after 12h of 3bd, 12h to spare | the ticket was merged',
	'03 17:00 | merged | response breached after 12h of 4h, late by 8h | the ticket was merged; what was late by then is broken'],
	'pauses with names, turns, pins, merging');
SELECT is((SELECT DISTINCT source FROM sla.explain('helpdesk', '3') WHERE event = 'pinned'), 'api', 'with who said so');
SELECT results_eq($$SELECT pg_temp.told('3', 'clocks') LIMIT 6$$, ARRAY[
	'02 14:30 | 03 17:00 | reply: 10h 30min of 8h used in all, breached',
	'02 14:30 | 02 17:00 | reply: 2h 30min count | open',
	'02 17:00 | 03 09:00 | reply: does not count | closed',
	'03 09:00 | 03 14:30 | reply: 5h 30min count | open',
	'03 14:30 | 03 17:00 | reply: 2h 30min count, late | open',
	'02 10:00 | 03 17:00 | resolution: 12h of 3bd used in all, cancelled'],
	'what is late is told apart');

-- Channels and exemptions
INSERT INTO helpdesk (id, s, received, channel, investigated, exempt) VALUES (4, 'S2', '2026-03-02 10:00', 'email', '2026-03-02 13:00', 'known_incident');
INSERT INTO helpdesk (id, s, received, channel) VALUES (5, 'S2', '2026-03-02 10:00', 'fax');
INSERT INTO helpdesk (id, s, received) VALUES (6, 'ASAP', '2026-03-02 10:00');
SELECT results_eq($$SELECT pg_temp.told('4', 'cover') OFFSET 2$$, ARRAY[
	'02 10:00 | came by channel "email" | the policy counts tickets of this channel from their investigation; what happened before counts as having happened then',
	'02 10:00 | exempt: known_incident | the policy knows this reason; promises are neither kept nor broken while it stands'], 'from an investigation on; exempt');
SELECT results_eq($$SELECT pg_temp.told('4', 'events')$$, ARRAY[
	'02 10:00 | opened | received with severity S2',
	'02 13:00 | opened | resolution starts: 3bd in UTC Mo-Fr 09:00-17:00; 2026-03-04 off, due 2026-03-06 13:00:00+00 | opened starts it',
	'02 13:00 | opened | response starts: 4h in UTC Mo-Fr 09:00-17:00; 2026-03-04 off, due 2026-03-02 17:00:00+00 | opened starts it',
	'02 10:00 | exempted | to be exempt: known_incident | the policy knows the reason',
	'02 13:00 | investigated | investigated | no clock changes'], 'the ticket counts from then');
SELECT is((SELECT pg_temp.told('4', 'clocks') LIMIT 1), '02 13:00 | resolution: exempt, 3bd, due 2026-03-06 13:00:00+00', 'its clocks are exempt');
SELECT results_eq($$SELECT pg_temp.told('5', 'cover') OFFSET 2$$, ARRAY[
	'02 10:00 | came by channel "fax" | the policy promises nothing to tickets of this channel',
	'02 10:00 | not covered | nothing is promised to channel "fax"'], 'a channel without promises');
SELECT results_eq($$SELECT pg_temp.told('6', 'cover') OFFSET 2$$, ARRAY['02 10:00 | no promise applies | s "ASAP" maps to no severity'], 'a severity that cannot be told');
SELECT is((SELECT pg_temp.told('6', 'events')), '02 10:00 | opened | received with severity unknown | no clock changes', 'and no clock');

-- Counting anew
UPDATE sla.policy_version SET severity_change = 'carry';
INSERT INTO helpdesk (id, s, received) VALUES (7, 'S2', '2026-03-02 10:00');
UPDATE helpdesk SET s = 'S1', changed = '2026-03-02 12:00' WHERE id = 7;
SELECT is((SELECT pg_temp.told('7', 'events') OFFSET 5 LIMIT 1),
	'02 12:00 | severity | response gets the goal of severity S1: 30min in 24/7, now due 2026-03-02 12:15:00+00 | by rule carry: the 2h that was left of the old goal becomes the same share of the new one, counted from the change; 2h were used before', 'by rule carry');
SELECT results_eq($$SELECT t FROM pg_temp.told('7', 'clocks') t WHERE t LIKE '%response%'$$, ARRAY[
	'02 10:00 | response: runs, 30min, due 2026-03-02 12:15:00+00',
	'02 10:00 | 02 12:00 | response: 2h count | open',
	'02 12:00 | 02 12:15 | response: 15min count | open'], 'each part in the hours of its time');
UPDATE sla.policy_version SET severity_change = 'from_change', reopening = 'restart';
INSERT INTO helpdesk (id, s, received) VALUES (8, 'S2', '2026-03-02 10:00');
UPDATE helpdesk SET s = 'S1', changed = '2026-03-02 12:00' WHERE id = 8;
UPDATE helpdesk SET status = 'closed', changed = '2026-03-02 12:30' WHERE id = 8;
UPDATE helpdesk SET status = 'open', changed = '2026-03-02 13:00' WHERE id = 8;
SELECT results_eq($$SELECT t FROM pg_temp.told('8', 'events') t WHERE t LIKE '%| response%' OFFSET 1$$, ARRAY[
	'02 12:00 | severity | response gets the goal of severity S1: 30min in 24/7, now due 2026-03-02 12:30:00+00 | by rule from_change: counted from the change; 2h were used before',
	'02 12:30 | resolved | response met after 2h 30min of 30min, exactly when it was due, which is in time | resolved stops it',
	'02 13:00 | reopened | response 2 starts: 30min in 24/7, due 2026-03-02 13:30:00+00 | the policy starts anew what resolving stopped'], 'by rule from_change; a new cycle');
SELECT is((SELECT array_agg(DISTINCT cycle ORDER BY cycle) FROM sla.explain('helpdesk', '8') WHERE metric = 'response'), '{1,2}', 'cycles are told apart');

-- What counts adds up
SELECT is_empty($$
	SELECT t.key, c.metric, c.cycle, c.worked, sum(e.counted)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id CROSS JOIN LATERAL sla.explain('helpdesk', t.key) e
	WHERE c.stopped_at IS NOT NULL AND e.metric = c.metric AND e.cycle = c.cycle AND e.event IS NULL AND e.goal IS NULL
	GROUP BY t.id, c.id HAVING c.worked <> sum(e.counted)$$, 'stretches of a clock that has stopped add up to what it worked');
SELECT is_empty($$
	SELECT t.key, c.metric FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id
	WHERE NOT EXISTS (SELECT FROM sla.explain('helpdesk', t.key) e WHERE e.metric = c.metric AND e.cycle = c.cycle AND e.event IS NULL AND e.due_at = c.due_at AND e.goal::text = c.goal::text)$$,
	'every clock is told with its due time');

-- What is gone
DELETE FROM helpdesk WHERE id = 1;
SELECT is((SELECT what FROM sla.explain('helpdesk', '1') WHERE event IS NULL LIMIT 1), 'ticket "1", deleted, severity S2', 'a deleted ticket');
SELECT is((SELECT split_part(what, ' after', 1) || ': ' || why FROM sla.explain('helpdesk', '1') WHERE event = 'deleted' AND metric = 'resolution'), 'resolution breached: the ticket was deleted; what was late by then is broken', 'and what became of it');
CREATE TEMPORARY TABLE before AS SELECT * FROM sla.explain('helpdesk', '3');
DELETE FROM sla.policy;
SELECT is((SELECT why FROM sla.explain('helpdesk', '3') WHERE step = 2), 'policy version ' || (SELECT max(policy_version_id) FROM sla.ticket) || ' does not exist any more; what it said when the ticket came under it is kept', 'without its policy');
SELECT is_empty($$SELECT * FROM before WHERE step > 2 EXCEPT SELECT * FROM sla.explain('helpdesk', '3')$$, 'a ticket is explained as before');
SELECT sla.detach('helpdesk') \g /dev/null
SELECT isnt_empty($$SELECT FROM sla.explain('helpdesk', '1')$$, 'and after its table was detached');

-- Errors and rights
SELECT throws_ok($$SELECT sla.explain('helpdesk', '1000')$$, '22023', 'table "helpdesk" has no ticket "1000"', 'an unknown ticket');
SELECT throws_ok($$SELECT sla.explain('before', '1')$$, '55000', NULL, 'a table that was never attached');
SELECT is_empty($$SELECT FROM sla.explain(NULL, '1')$$, 'no table');
CREATE ROLE sla_test_reader;
CREATE ROLE sla_test_owner;
CREATE TEMPORARY TABLE reads AS SELECT $$SELECT FROM sla.explain('helpdesk', '3')$$::text AS sql;
GRANT SELECT ON reads TO PUBLIC;
SET LOCAL ROLE sla_test_reader;
SELECT throws_ok((SELECT sql FROM reads), '42501', 'permission denied for tickets of table helpdesk', 'not for everybody');
RESET ROLE;
GRANT SELECT ON sla.ticket TO sla_test_reader;
SET LOCAL ROLE sla_test_reader;
SELECT throws_ok((SELECT sql FROM reads), '42501', NULL, 'nor for who sees tickets, but no events');
RESET ROLE;
GRANT SELECT ON sla.event TO sla_test_reader;
ALTER TABLE helpdesk OWNER TO sla_test_owner;
SET LOCAL ROLE sla_test_reader;
SELECT isnt_empty((SELECT sql FROM reads), 'who may read the ledger may');
SET LOCAL ROLE sla_test_owner;
SELECT isnt_empty((SELECT sql FROM reads), 'and the owner of the table');
RESET ROLE;
SET LOCAL transaction_read_only = on;
SELECT isnt_empty((SELECT sql FROM reads), 'also in a transaction that reads only');
-- Whatever the planner likes
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SELECT lives_ok($$ SELECT count(e.*) FROM helpdesk h, LATERAL sla.explain('helpdesk', h.id::text) e $$, 'tickets are explained where queries are parallel');

SELECT * FROM finish();
ROLLBACK;
