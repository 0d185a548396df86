-- Nagomi Security: Customer support policy (seed 004): response times, updates
-- and priorities, clause by clause. Each comment "-- 004: ..." is a row of
-- doc/seeds.md; seed_nagomi_scope.sql has who is entitled to what.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(57);

-- 2026-03-02 is a Monday.
SELECT sla.load_policy(sla.preset('nagomi') || '{"policy": "t nagomi"}') AS id \gset
INSERT INTO sla.contract (account, policy, valid) VALUES ('Acme', 't nagomi', '[2026-01-01 00:00+00,)');
CREATE TABLE request (
	id int PRIMARY KEY,
	customer text DEFAULT 'Acme',
	priority text,
	status text DEFAULT 'open',
	received_at timestamptz,
	acknowledged_at timestamptz,
	last_update_at timestamptz,
	changed_at timestamptz,
	closed_at timestamptz);
SELECT sla.attach('request', 't nagomi', severity => 'priority', received_at => 'received_at', responded_at => 'acknowledged_at',
	last_update_at => 'last_update_at', resolved_at => 'closed_at', changed_at => 'changed_at', status => 'status',
	resolved_when => '{fixed,"workaround given","service available",otherwise}', cancelled_when => '{withdrawn}', account => 'customer');

CREATE FUNCTION pg_temp.clock(id int, metric text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.metric, c.severity, 'due', to_char(c.due_at, 'DD HH24:MI'), coalesce(c.outcome, 'running'),
		to_char(c.stopped_at, 'DD HH24:MI'), c.worked), '; ' ORDER BY c.metric, c.cycle)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = $1::text AND c.metric = coalesce($2, c.metric) $$;
CREATE FUNCTION pg_temp.ticket(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, t.account, t.exempt)
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = $1::text $$;
CREATE FUNCTION pg_temp.status(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.metric, s.cycle, s.status, s.late_by), '; ' ORDER BY s.metric, s.cycle) FROM sla.clock_status s
	WHERE s.ticket_table::regclass = 'request'::regclass AND s.key = $1::text $$;
CREATE FUNCTION pg_temp.stamps(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(to_char(r.sla_response_due, 'DD HH24:MI'), '-'), coalesce(to_char(r.sla_update_due, 'DD HH24:MI'), '-'),
		coalesce(to_char(r.sla_resolution_due, 'DD HH24:MI'), '-'))
	FROM request r WHERE r.id = $1 $$;

-- 004: requests are submitted and tracked in an online ticketing system
-- 004: P1: acknowledgment within 1 hour of the submission, update every 2 hours
-- 004: P2: acknowledgment within 2 hours of the submission, update every 4 hours
-- 004: P3: acknowledgment within 4 hours of the submission, update every 8 hours
-- 004: P4: acknowledgment within 8 hours of the submission, update every 8 hours
INSERT INTO request (id, priority, received_at) VALUES (1, 'Priority 1', '2026-03-02 10:00'), (2, 'Priority 2', '2026-03-02 10:00'),
	(3, 'Priority 3', '2026-03-02 10:00'), (4, 'Priority 4', '2026-03-02 10:00');
SELECT is(pg_temp.ticket(1), 'open S1 Acme', 'tracked');
SELECT is(pg_temp.stamps(id), stamps, 'acknowledgment of P' || id)
FROM (VALUES (1, '02 11:00 - -'), (2, '02 12:00 - -'), (3, '02 14:00 - -'), (4, '02 18:00 - -')) AS v(id, stamps);
SELECT is(pg_temp.clock(id), 'response S' || id || ' due 02 ' || due || ' running', 'its only clock so far')
FROM (VALUES (1, '11:00'), (2, '12:00'), (3, '14:00'), (4, '18:00')) AS v(id, due);
UPDATE request SET acknowledged_at = '2026-03-02 10:30' WHERE id <= 4;
SELECT is(pg_temp.stamps(id), stamps, 'acknowledged: the update of P' || id || ' is due next')
FROM (VALUES (1, '02 11:00 02 12:30 -'), (2, '02 12:00 02 14:30 -'), (3, '02 14:00 02 18:30 -'), (4, '02 18:00 02 18:30 -')) AS v(id, stamps);

-- 004: the response time is measured from the receipt of the request until it is responded to
SELECT is(pg_temp.clock(1, 'response'), 'response S1 due 02 11:00 met 02 10:30 00:30:00', 'from receipt to response');
INSERT INTO request (id, priority, received_at) VALUES (5, 'P1', '2026-03-02 10:00'), (6, 'P1', '2026-03-02 10:00');
UPDATE request SET acknowledged_at = '2026-03-02 11:00' WHERE id = 5;
UPDATE request SET acknowledged_at = '2026-03-02 11:00:00.000001' WHERE id = 6;
SELECT is((SELECT outcome FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
		   WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = v.id::text AND metric = 'response'), outcome, 'acknowledged ' || what)
FROM (VALUES (5, 'met', 'at the end of the hour'), (6, 'breached', 'a moment later')) AS v(id, outcome, what);

-- 004: priority and plan define response times and update frequency
-- An update is due again after each thing the customer hears, until the request is resolved.
UPDATE request SET last_update_at = '2026-03-02 12:30' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'update'), 'update S1 due 02 12:30 met 02 12:30 02:00:00; update S1 due 02 14:30 running', 'an update at the last moment begins the next two hours');
SELECT is(pg_temp.stamps(1), '02 11:00 02 14:30 -', 'stamped so');
UPDATE request SET last_update_at = '2026-03-02 15:00' WHERE id = 1;
UPDATE request SET last_update_at = '2026-03-02 15:10' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'update'), 'update S1 due 02 12:30 met 02 12:30 02:00:00; update S1 due 02 14:30 breached 02 15:00 02:30:00; '
	'update S1 due 02 17:00 met 02 15:10 00:10:00; update S1 due 02 17:10 running', 'one that is late is late once; one that is early moves the next');
UPDATE request SET last_update_at = '2026-03-02 15:00' WHERE id = 1;
SELECT is(pg_temp.stamps(1), '02 11:00 02 17:00 -', 'one that turns out not to have been an update');
UPDATE request SET status = 'fixed', closed_at = '2026-03-02 16:00', changed_at = '2026-03-02 16:00' WHERE id = 1;
SELECT is(pg_temp.status(1), 'response 1 met; update 1 met; update 2 breached 00:30:00; update 3 met', 'with the resolution the updates end');
SELECT is(pg_temp.stamps(1), '02 11:00 02 17:00 -', 'until when the last one was due is kept');
UPDATE request SET last_update_at = '2026-03-02 20:00' WHERE id = 1;
SELECT is(pg_temp.status(1), 'response 1 met; update 1 met; update 2 breached 00:30:00; update 3 met', 'what the customer hears afterwards begins nothing');
UPDATE request SET status = 'open', closed_at = NULL, changed_at = '2026-03-03 09:00' WHERE id = 1;
SELECT is(pg_temp.stamps(1), '02 11:00 03 10:00 -', 'reopened: an hour of the two was left');
INSERT INTO request (id, priority, received_at, acknowledged_at, status, changed_at) VALUES (7, 'P4', '2026-03-02 10:00', '2026-03-02 11:00', 'open', '2026-03-02 11:00');
UPDATE request SET status = 'withdrawn', changed_at = '2026-03-02 12:00' WHERE id = 7;
SELECT is(pg_temp.status(7), 'response 1 met; update 1 cancelled', 'withdrawn by the customer: no update is owed');
SELECT is(pg_temp.ticket(7), 'cancelled S4 Acme', 'nor anything else');

-- 004: business support hours are 24 hours a day, 7 days a week, 365 days a year
-- 004: all time-frames are calculated during and within the plan's business support hours
INSERT INTO request (id, priority, received_at, acknowledged_at) VALUES (10, 'P4', '2026-12-31 20:00', NULL), (11, 'P2', '2026-12-25 21:00', '2026-12-25 22:00'),
	(12, 'P3', '2026-03-07 23:00', NULL), (13, 'P1', '2028-02-28 23:30', NULL);
SELECT is(pg_temp.stamps(10), '01 04:00 - -', 'over New Year');
SELECT is(pg_temp.stamps(11), '25 23:00 26 02:00 -', 'on Christmas');
SELECT is(pg_temp.stamps(12), '08 03:00 - -', 'at the weekend');
SELECT is(pg_temp.stamps(13), '29 00:30 - -', 'on the day that most years lack');

-- 004: resolution times are not guaranteed
SELECT is((SELECT count(*) FROM sla.clock WHERE metric = 'resolution' AND ticket_id IN (SELECT t.id FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
		   WHERE a.ticket_table::regclass = 'request'::regclass)), 0::bigint, 'no clock of resolution');
SELECT is((SELECT count(sla_resolution_due) FROM request), 0::bigint, 'nothing stamped');

-- 004: a resolution may be a fix, a workaround, availability of the service or another solution
INSERT INTO request (id, priority, received_at, acknowledged_at) SELECT n, 'P2', '2026-03-02 10:00', '2026-03-02 10:30' FROM generate_series(20, 24) AS n;
UPDATE request SET status = solution, changed_at = '2026-03-02 12:00'
FROM (VALUES (20, 'fixed'), (21, 'workaround given'), (22, 'service available'), (23, 'otherwise'), (24, 'in progress')) AS v(n, solution) WHERE id = n;
SELECT is(pg_temp.ticket(id), 'resolved S2 Acme', 'resolved: ' || status) FROM request WHERE id BETWEEN 20 AND 23 ORDER BY id;
SELECT is(pg_temp.clock(id, 'update'), 'update S2 due 02 14:30 met 02 12:00 01:30:00', 'no more updates: ' || status) FROM request WHERE id BETWEEN 20 AND 23 ORDER BY id;
SELECT is(pg_temp.clock(24, 'update'), 'update S2 due 02 14:30 running', 'while work goes on they do');

-- 004: requests are classified in one of four priority levels
-- 004: Priority 1: critical documented functions are prevented, the product can essentially not be used, widespread
-- 004: Priority 2: non-critical functions are prevented consistently, critical ones occasionally or with a workaround
-- 004: Priority 3: some impact on administration or secondary functions, or a major issue with a workaround
-- 004: Priority 4: the services are unaffected: advice, general information and questions
SELECT results_eq(format('SELECT severity::text, label, left(description, 46) FROM sla.severity_label WHERE policy_version_id = %s ORDER BY severity', :id), $$ VALUES
	('S1', 'Priority 1', 'An issue that prevents operation of critical d'),
	('S2', 'Priority 2', 'An issue that consistently prevents operation '),
	('S3', 'Priority 3', 'An issue that has some impact on administratio'),
	('S4', 'Priority 4', 'The services are unaffected; the customer requ') $$, 'the four');
INSERT INTO request (id, priority, received_at) VALUES (30, 'Priority 5', '2026-03-02 10:00'), (31, 'ASAP', '2026-03-02 10:00'), (32, NULL, '2026-03-02 10:00');
SELECT is(pg_temp.clock(30), NULL, 'to a fifth level nothing is promised');
SELECT is(pg_temp.ticket(31), 'open Acme error: priority "ASAP" maps to no severity', 'what is no level is in the ledger');
SELECT is(pg_temp.ticket(32), 'open Acme error: priority is null', 'and what is not classified yet');
UPDATE request SET priority = 'Priority 3', changed_at = '2026-03-02 11:00' WHERE id IN (31, 32);
SELECT is(pg_temp.stamps(id), '02 14:00 - -', 'classified: the time is that from the receipt') FROM request WHERE id IN (31, 32) ORDER BY id;

-- 004: if an issue requires a higher priority it is upgraded
INSERT INTO request (id, priority, received_at) VALUES (40, 'P3', '2026-03-02 10:00'), (41, 'P4', '2026-03-02 10:00');
UPDATE request SET priority = 'P2', changed_at = '2026-03-02 10:30' WHERE id = 40;
SELECT is(pg_temp.clock(40), 'response S2 due 02 12:00 running', 'before the response');
UPDATE request SET priority = 'P1', changed_at = '2026-03-02 15:00' WHERE id = 41;
SELECT is(pg_temp.clock(41), 'response S1 due 02 15:00 running', 'when the time of the higher one is over already: due with the upgrade');
UPDATE request SET acknowledged_at = '2026-03-02 11:00' WHERE id = 40;
SELECT is(pg_temp.stamps(40), '02 12:00 02 15:00 -', 'the update of P2 is due in four hours');
UPDATE request SET priority = 'P1', changed_at = '2026-03-02 11:30' WHERE id = 40;
SELECT is(pg_temp.stamps(40), '02 12:00 02 13:00 -', 'upgraded again: in two, from the response');

-- 004: if an issue no longer requires its priority it is downgraded
UPDATE request SET priority = 'P3', changed_at = '2026-03-02 12:00' WHERE id = 40;
SELECT is(pg_temp.clock(40), 'response S2 due 02 12:00 met 02 11:00 01:00:00; update S3 due 02 19:00 running', 'the next update within eight hours; the response stays what it was');
INSERT INTO request (id, priority, received_at) VALUES (42, 'P1', '2026-03-02 10:00'), (43, 'P1', '2026-03-02 10:00');
UPDATE request SET priority = 'P4', changed_at = '2026-03-02 10:45' WHERE id = 42;
SELECT is(pg_temp.stamps(42), '02 18:00 - -', 'before the response');
UPDATE request SET priority = 'P4', changed_at = '2026-03-02 11:15' WHERE id = 43;
SELECT is(pg_temp.stamps(43), '02 11:00 - -', 'after it was due: late it stays');

-- 004: P1: continuous efforts, 24/7/365, until a workaround or resolution is provided or the issue can be downgraded
INSERT INTO request (id, priority, received_at, acknowledged_at) VALUES (50, 'P1', '2026-03-06 23:00', '2026-03-06 23:30'), (51, 'P1', '2026-03-06 23:00', '2026-03-06 23:30');
UPDATE request SET last_update_at = '2026-03-07 01:30' WHERE id IN (50, 51);
UPDATE request SET last_update_at = '2026-03-07 03:30' WHERE id IN (50, 51);
UPDATE request SET last_update_at = '2026-03-07 05:30' WHERE id IN (50, 51);
SELECT is(pg_temp.clock(50, 'update'), 'update S1 due 07 01:30 met 07 01:30 02:00:00; update S1 due 07 03:30 met 07 03:30 02:00:00; update S1 due 07 05:30 met 07 05:30 02:00:00; update S1 due 07 07:30 running',
		  'through the night of a Saturday, every two hours');
UPDATE request SET status = 'workaround given', closed_at = '2026-03-07 06:00', changed_at = '2026-03-07 06:00' WHERE id = 50;
SELECT is(pg_temp.clock(50, 'update') ~ 'due 07 07:30 met 07 06:00 00:30:00$', true, 'until a workaround is provided');
UPDATE request SET priority = 'P2', changed_at = '2026-03-07 06:00' WHERE id = 51;
SELECT is(pg_temp.stamps(51), '07 00:00 07 09:30 -', 'or until it is a P2, which is updated every four');

SELECT * FROM finish();
ROLLBACK;
