-- amazee.io: Common Customer Requests (seeds 000 and 001, one text), clause by
-- clause as far as it is about tickets. Each comment "-- 000, 001: ..." is a
-- row of doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(26);

-- 2026-03-07 is a Saturday.
CREATE FUNCTION pg_temp.clock(ticket_table regclass, id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.metric, c.severity, 'due', to_char(c.due_at, 'Dy DD HH24:MI'), coalesce(c.outcome, 'running'),
		to_char(c.stopped_at, 'Dy DD HH24:MI'), c.worked), '; ' ORDER BY c.metric)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = $1 AND t.key = $2::text $$;
CREATE FUNCTION pg_temp.ticket(ticket_table regclass, id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, t.channel, t.exempt)
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = $1 AND t.key = $2::text $$;
CREATE FUNCTION pg_temp.attach(ticket_table regclass, policy text) RETURNS bigint LANGUAGE sql AS $$
	SELECT sla.attach($1, $2, severity => 'emergency', severity_map => '{"true": "S1", "false": "S2"}', received_at => 'created_at',
		responded_at => 'answered_at', resolved_at => 'closed_at', changed_at => 'updated_at', account => 'client', channel => 'channel') $$;

-- As published: no time is promised, so no clock runs
SELECT sla.load_policy(sla.preset('amazee') || '{"policy": "t amazee"}') AS id \gset
CREATE TABLE published (id int PRIMARY KEY, client text, channel text, emergency boolean, created_at timestamptz, answered_at timestamptz,
	closed_at timestamptz, updated_at timestamptz);
SELECT pg_temp.attach('published', 't amazee');
INSERT INTO published VALUES (1, 'Acme', 'portal', false, '2026-03-06 17:00'), (2, 'Acme', 'slack', true, '2026-03-07 12:00');
SELECT is(pg_temp.ticket('published', 1), 'open S2 portal', 'a request is recorded');
SELECT is(pg_temp.ticket('published', 2), 'open S1 slack', 'an emergency likewise');
SELECT is(pg_temp.clock('published', id), NULL, 'without a time that is promised no clock runs: ticket ' || id) FROM published ORDER BY id;
SELECT is((SELECT count(*) FROM published WHERE sla_response_due IS NULL), 2::bigint, 'and nothing is stamped');

-- As agreed: the published text with times of response filled in
SELECT sla.load_policy(jsonb_set(jsonb_set(sla.preset('amazee'), '{targets,0,goal}', '"1h"'), '{targets,1,goal}', '"8h"')
	|| '{"policy": "t agreed"}') AS agreed \gset
CREATE TABLE ticket (LIKE published INCLUDING ALL);
SELECT pg_temp.attach('ticket', 't agreed');

-- 000, 001: the global business hours are 24/5
INSERT INTO ticket VALUES (1, 'Acme', 'portal', false, '2026-03-06 20:00'), (2, 'Acme', 'portal', false, '2026-03-07 12:00'),
	(3, 'Acme', 'portal', false, '2026-03-04 23:00');
SELECT is(pg_temp.clock('ticket', 1), 'response S2 due Mon 09 04:00 running', 'Friday evening: four hours, and four on Monday');
SELECT is(pg_temp.clock('ticket', 2), 'response S2 due Mon 09 08:00 running', 'Saturday counts from Monday on');
SELECT is(pg_temp.clock('ticket', 3), 'response S2 due Thu 05 07:00 running', 'through the night in the week');
SELECT is((SELECT sla_response_due FROM ticket WHERE id = 2), '2026-03-09 08:00+00', 'stamped so');
UPDATE ticket SET answered_at = '2026-03-08 15:00' WHERE id = 2;
SELECT is(pg_temp.clock('ticket', 2), 'response S2 due Mon 09 08:00 met Sun 08 15:00 00:00:00', 'whoever answers on Sunday has used no time up');

-- 000, 001: emergency support on weekends begins with a ticket by Slack or by the Support Portal
INSERT INTO ticket VALUES (10, 'Acme', 'slack', false, '2026-03-07 12:00'), (11, 'Acme', 'portal', false, '2026-03-07 12:00');
SELECT is(pg_temp.ticket('ticket', 10), 'open S2 slack', 'by Slack');
SELECT is(pg_temp.ticket('ticket', 11), 'open S2 portal', 'by the portal');
SELECT is(pg_temp.clock('ticket', id), 'response S2 due Mon 09 08:00 running', 'as long as nobody calls it waits for Monday: ticket ' || id)
FROM ticket WHERE id IN (10, 11) ORDER BY id;

-- 000, 001: a call of the emergency number then escalates the ticket to emergency status
UPDATE ticket SET emergency = true, updated_at = '2026-03-07 12:20' WHERE id = 10;
SELECT is(pg_temp.ticket('ticket', 10), 'open S1 slack', 'an emergency');
SELECT is(pg_temp.clock('ticket', 10), 'response S1 due Sat 07 13:00 running', 'which counts on Saturday, from the start of the ticket');
SELECT is((SELECT sla_response_due FROM ticket WHERE id = 10), '2026-03-07 13:00+00', 'stamped so');
SELECT is((SELECT string_agg(concat_ws(' ', e.kind, to_char(e.at, 'HH24:MI'), e.old_value, e.new_value), ', ' ORDER BY e.seq)
		   FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
		   WHERE a.ticket_table::regclass = 'ticket'::regclass AND t.key = '10'),
		  'opened 12:00 S2, severity 12:20 S2 S1', 'when it was escalated is kept');
UPDATE ticket SET emergency = true, updated_at = '2026-03-08 10:00' WHERE id = 11;
SELECT is(pg_temp.clock('ticket', 11), 'response S1 due Sun 08 10:00 running', 'a late call: due at once, but not before it');
UPDATE ticket SET answered_at = '2026-03-07 13:00' WHERE id = 10;
SELECT is((SELECT string_agg(status, ',') FROM sla.clock_status WHERE ticket_table::regclass = 'ticket'::regclass AND key = '10'), 'met',
		  'answered at the end of the hour');

-- The same, where it is agreed that an emergency counts from the call
SELECT sla.load_policy(sla.policy_document('t agreed') || '{"policy": "t from call", "severity_change": "from_change"}') AS from_call \gset
CREATE TABLE from_call (LIKE published INCLUDING ALL);
SELECT pg_temp.attach('from_call', 't from call');
INSERT INTO from_call VALUES (1, 'Acme', 'slack', false, '2026-03-07 12:00');
UPDATE from_call SET emergency = true, updated_at = '2026-03-08 10:00' WHERE id = 1;
SELECT is(pg_temp.clock('from_call', 1), 'response S1 due Sun 08 11:00 running', 'an hour from the call');
UPDATE from_call SET answered_at = '2026-03-08 10:45' WHERE id = 1;
SELECT is(pg_temp.clock('from_call', 1), 'response S1 due Sun 08 11:00 met Sun 08 10:45 00:45:00', 'the weekend before it was no working time');

-- 000, 001: what the documents on security leave open is asked in a ticket by email
-- 000, 001: tests are announced to Support by email
INSERT INTO ticket VALUES (20, 'Acme', 'email', false, '2026-03-04 10:00');
SELECT is(pg_temp.clock('ticket', 20), 'response S2 due Wed 04 18:00 running', 'an email is a ticket, from its receipt on');

-- Tickets of accounts whose support is cut off; seed_amazee_bills.sql has when it is
SELECT is((SELECT restricted_accounts FROM sla.policy_version WHERE id = :id), 'uncovered', 'as data: such tickets go in without promises');
SELECT is(sla.policy_document('t amazee') ->> 'restricted_accounts', 'uncovered', 'also in the document');
SELECT sla.load_policy(sla.preset('amazee') || '{"policy": "t strict", "restricted_accounts": "reject"}') AS strict \gset
SELECT is((SELECT restricted_accounts FROM sla.policy_version WHERE id = :strict), 'reject', 'or, if that is wanted, not at all');

SELECT * FROM finish();
ROLLBACK;
