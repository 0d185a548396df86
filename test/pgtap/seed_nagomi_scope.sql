-- Nagomi Security: Customer support policy (seed 004): who is entitled, by
-- which channel requests count, what is outside of the policy, clause by
-- clause. Each comment "-- 004: ..." is a row of doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(58);

SELECT sla.load_policy(sla.preset('nagomi') || '{"policy": "t nagomi"}') AS id \gset
CREATE TABLE request (
	id int PRIMARY KEY,
	customer text,
	service text,
	channel text,
	priority text,
	received_at timestamptz,
	investigated_at timestamptz,
	acknowledged_at timestamptz,
	last_update_at timestamptz,
	closed_at timestamptz,
	changed_at timestamptz,
	outside text);
SELECT sla.attach('request', severity => 'priority', received_at => 'received_at', responded_at => 'acknowledged_at', last_update_at => 'last_update_at',
	resolved_at => 'closed_at', changed_at => 'changed_at', account => 'customer', service => 'service', channel => 'channel',
	investigated_at => 'investigated_at', exempt => 'outside');

CREATE FUNCTION pg_temp.clock(id int, metric text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.metric, c.severity, 'due', to_char(c.due_at, 'DD HH24:MI'), coalesce(c.outcome, 'running'),
		to_char(c.stopped_at, 'DD HH24:MI'), c.worked), '; ' ORDER BY c.metric, c.cycle)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = $1::text AND c.metric = coalesce($2, c.metric) $$;
CREATE FUNCTION pg_temp.ticket(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, t.exempt)
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = $1::text $$;
CREATE FUNCTION pg_temp.status(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.metric, s.status), '; ' ORDER BY s.metric, s.cycle) FROM sla.clock_status s
	WHERE s.ticket_table::regclass = 'request'::regclass AND s.key = $1::text $$;
CREATE FUNCTION pg_temp.stamps(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(to_char(r.sla_response_due, 'DD HH24:MI'), '-'), coalesce(to_char(r.sla_update_due, 'DD HH24:MI'), '-'),
		coalesce(to_char(r.sla_resolution_due, 'DD HH24:MI'), '-'))
	FROM request r WHERE r.id = $1 $$;

-- 004: to receive support a customer must have an up-to-date, paid and valid subscription for it
-- 004: the premium plan is included in all subscriptions
INSERT INTO sla.contract (account, policy, valid) VALUES ('Acme', 't nagomi', '[2026-01-01 00:00+00, 2026-07-01 00:00+00)'), ('Zen', 't nagomi', '[2026-03-10 00:00+00,)');
INSERT INTO request (id, customer, channel, priority, received_at) VALUES
	(1, 'Acme', 'portal', 'P1', '2026-03-02 10:00'), (2, 'Acme', 'portal', 'P1', '2026-06-30 23:59'), (3, 'Acme', 'portal', 'P1', '2026-07-01 00:00'),
	(4, 'Zen', 'portal', 'P1', '2026-03-02 10:00'), (5, 'Nobody', 'portal', 'P1', '2026-03-02 10:00'), (6, NULL, 'portal', 'P1', '2026-03-02 10:00');
SELECT is(pg_temp.clock(1), 'response S1 due 02 11:00 running', 'a subscriber has the premium plan');
SELECT is(pg_temp.stamps(2), '01 00:59 - -', 'to the last moment of the subscription, and beyond it for what was received before');
SELECT is(pg_temp.ticket(3), 'open S1 uncovered: account "Acme" had no valid contract', 'then no more');
SELECT is(pg_temp.ticket(4), 'open S1 uncovered: account "Zen" had no valid contract', 'not yet');
SELECT is(pg_temp.ticket(5), 'open S1 uncovered: account "Nobody" had no valid contract', 'never');
SELECT is(pg_temp.ticket(6), 'open S1 uncovered: the row names no account', 'and nobody');
SELECT is(pg_temp.stamps(id), '- - -', 'nothing is due: ' || id) FROM request WHERE id BETWEEN 3 AND 6 ORDER BY id;
SELECT is(pg_temp.status(id), 'uncovered', 'but reports see it: ' || id) FROM request WHERE id BETWEEN 3 AND 6 ORDER BY id;
SELECT is((SELECT contract_id FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = '1'),
		  (SELECT c.id FROM sla.contract c WHERE c.account = 'Acme'), 'by which contract is kept');
UPDATE request SET customer = 'Acme' WHERE id = 6;
SELECT is(pg_temp.stamps(6), '02 11:00 - -', 'when it is found out who asks');
SELECT is((SELECT restricted_accounts FROM sla.policy_version WHERE id = :id), 'uncovered', 'paid, as data: tickets of an account whose support is cut off are promised nothing');
CREATE TABLE invoice (id int PRIMARY KEY, customer text, due date, paid_at timestamptz);
INSERT INTO invoice VALUES (1, 'Acme', '2026-04-01', NULL), (2, 'Zen', '2026-04-01', '2026-03-20 00:00+00');
SELECT sla.attach_invoices('invoice', 't nagomi', account => 'customer', due => 'due', settled_at => 'paid_at');
INSERT INTO request (id, customer, channel, priority, received_at) VALUES
	(7, 'Acme', 'portal', 'P1', '2026-04-01 23:59'), (8, 'Acme', 'portal', 'P1', '2026-04-02 00:00'), (9, 'Zen', 'portal', 'P1', '2026-04-02 00:00');
SELECT is(pg_temp.stamps(7), '02 00:59 - -', 'to the end of the day on which a bill is due the subscription is paid');
SELECT is(pg_temp.ticket(8), 'open S1 uncovered: restricted account "Acme": support since 2026-04-02 00:00:00+00', 'then it is not, until it is paid');
SELECT is(pg_temp.stamps(9), '02 01:00 - -', 'who has paid is not concerned');
UPDATE invoice SET paid_at = '2026-04-02 10:00+00' WHERE id = 1;
INSERT INTO request (id, customer, channel, priority, received_at) VALUES (10, 'Acme', 'portal', 'P1', '2026-04-02 10:00');
SELECT is(pg_temp.stamps(10), '02 11:00 - -', 'paid, as of that moment');
DELETE FROM request WHERE id > 6;

-- The same where the table is under this policy whatever contracts say
CREATE TABLE fixed (id int PRIMARY KEY, customer text, priority text, received_at timestamptz);
SELECT sla.attach('fixed', 't nagomi', severity => 'priority', received_at => 'received_at', account => 'customer');
SELECT sla.load_policy(sla.preset('nagomi') || '{"policy": "t other", "entitlement": "anyone"}') AS other \gset
INSERT INTO sla.contract (account, policy, valid) VALUES ('Other', 't other', '[2026-01-01 00:00+00,)');
INSERT INTO fixed VALUES (1, 'Acme', 'P1', '2026-03-02 10:00'), (2, 'Nobody', 'P1', '2026-03-02 10:00'), (3, 'Other', 'P1', '2026-03-02 10:00');
SELECT is((SELECT sla_response_due FROM fixed WHERE id = 1), '2026-03-02 11:00', 'a subscriber');
SELECT is((SELECT count(sla_response_due) FROM fixed WHERE id > 1), 0::bigint, 'none, or of another plan');
CREATE TABLE strict (id int PRIMARY KEY, customer text, priority text, received_at timestamptz);
SELECT sla.attach('strict', 't nagomi', severity => 'priority', received_at => 'received_at', account => 'customer', on_error => 'reject');
SELECT lives_ok($$INSERT INTO strict VALUES (1, 'Nobody', 'P1', '2026-03-02 10:00')$$, 'to be without a subscription is no error of the row');

-- 004: support is given in the time-frames of the plan that the customer has selected
SELECT sla.load_policy(jsonb_set(sla.preset('nagomi'), '{targets,0,goal}', '"15min"') || '{"policy": "t platinum"}') AS platinum \gset
INSERT INTO sla.contract (account, policy, valid) VALUES ('Big', 't platinum', '[2026-01-01 00:00+00,)');
INSERT INTO request (id, customer, channel, priority, received_at) VALUES (7, 'Big', 'portal', 'P1', '2026-03-02 10:00');
SELECT is(pg_temp.stamps(7), '02 10:15 - -', 'another plan, other times');

-- 004: requests may be submitted by email
-- 004: a ticket by email is treated as an information request until it is investigated
INSERT INTO request (id, customer, channel, priority, received_at) VALUES (10, 'Acme', 'email', 'P1', '2026-03-02 10:00'), (11, 'Acme', 'email', 'P4', '2026-03-02 10:00'),
	(12, 'Acme', 'email', 'P2', '2026-03-02 10:00'), (13, 'Acme', 'email', 'P2', '2026-03-02 10:00'), (14, 'Acme', 'email', 'P2', '2026-03-02 10:00');
SELECT is(pg_temp.ticket(10), 'open S1 uncovered: an information request until investigated, by channel "email"', 'whatever priority it claims');
SELECT is(pg_temp.stamps(10), '- - -', 'nothing is due');
SELECT is(pg_temp.status(10), 'uncovered', 'nothing runs');
UPDATE request SET investigated_at = '2026-03-02 15:00', changed_at = '2026-03-02 15:00' WHERE id = 10;
SELECT is(pg_temp.ticket(10), 'open S1', 'investigated: a support request');
SELECT is(pg_temp.clock(10), 'response S1 due 02 16:00 running', 'whose hour begins then');
UPDATE request SET acknowledged_at = '2026-03-02 15:40' WHERE id = 10;
SELECT is(pg_temp.clock(10), 'response S1 due 02 16:00 met 02 15:40 00:40:00; update S1 due 02 17:40 running', 'and is kept or not like any');
UPDATE request SET acknowledged_at = '2026-03-02 10:30', closed_at = '2026-03-02 11:00' WHERE id = 11;
SELECT is(pg_temp.ticket(11), 'resolved S4 uncovered: an information request until investigated, by channel "email"', 'information was all that was wanted');
SELECT is(pg_temp.clock(11), NULL, 'it never was more');
UPDATE request SET priority = 'P1', investigated_at = '2026-03-02 12:00', changed_at = '2026-03-02 12:00' WHERE id = 12;
SELECT is(pg_temp.clock(12), 'response S1 due 02 13:00 running', 'classified by the investigation');
UPDATE request SET acknowledged_at = '2026-03-02 10:20' WHERE id = 13;
UPDATE request SET investigated_at = '2026-03-02 12:00', changed_at = '2026-03-02 12:00' WHERE id = 13;
SELECT is(pg_temp.clock(13, 'response'), 'response S2 due 02 14:00 met 02 12:00 00:00:00', 'acknowledged before: met when it begins');
SELECT is(pg_temp.stamps(13), '02 14:00 02 16:00 -', 'and the time to the next update begins with the investigation, too');
UPDATE request SET investigated_at = '2026-03-02 11:00' WHERE id = 14;
UPDATE request SET investigated_at = NULL WHERE id = 14;
SELECT is(pg_temp.ticket(14), 'open S2 uncovered: an information request until investigated, by channel "email"', 'investigated by mistake');

-- 004: customers give prompt notice of issues by the support portal
INSERT INTO request (id, customer, channel, priority, received_at, investigated_at) VALUES (15, 'Acme', 'portal', 'P2', '2026-03-02 10:00', NULL),
	(16, 'Acme', 'portal', 'P2', '2026-03-02 10:00', '2026-03-02 11:00'), (17, 'Acme', 'email', 'P2', '2026-03-02 10:00', NULL);
SELECT is(pg_temp.stamps(15), '02 12:00 - -', 'by the portal it counts from receipt');
SELECT is(pg_temp.stamps(16), '02 12:00 - -', 'whenever it is investigated');
UPDATE request SET channel = 'portal', changed_at = '2026-03-02 11:30' WHERE id = 17;
SELECT is(pg_temp.stamps(17), '02 12:00 - -', 'and so it does when it turns out to have come that way');

-- 004: support applies only to releases that are supported by the end-of-life policy
-- 004: custom development, by whomever, is out of scope
INSERT INTO request (id, customer, channel, priority, received_at, outside) VALUES (20, 'Acme', 'portal', 'P1', '2026-03-02 10:00', 'unsupported_release'),
	(21, 'Acme', 'portal', 'P1', '2026-03-02 10:00', 'custom_development'), (22, 'Acme', 'portal', 'P1', '2026-03-02 10:00', NULL);
SELECT is(pg_temp.ticket(20), 'open S1 unsupported_release', 'an old release');
SELECT is(pg_temp.ticket(21), 'open S1 custom_development', 'the customer''s own code');
SELECT is(pg_temp.stamps(id), '- - -', 'nothing is due: ' || outside) FROM request WHERE id IN (20, 21) ORDER BY id;
UPDATE request SET acknowledged_at = '2026-03-03 10:00' WHERE id IN (20, 21);
SELECT is(pg_temp.status(id), 'response exempt; update exempt', 'and nothing late: ' || outside) FROM request WHERE id IN (20, 21) ORDER BY id;
UPDATE request SET outside = 'unsupported_release', changed_at = '2026-03-02 10:50' WHERE id = 22;
SELECT is(pg_temp.status(22), 'response exempt', 'found to be an old release');
UPDATE request SET outside = NULL, changed_at = '2026-03-02 10:55' WHERE id = 22;
SELECT is(pg_temp.stamps(22), '02 11:00 - -', 'and not to be one after all');

-- 004: unless custom development is agreed in a separate contract
SELECT sla.load_policy('{"policy": "t custom", "time_zone": "UTC", "entitlement": "contract", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "P1", "metric": "response", "goal": "4h", "calendar": "always"}]}') AS custom \gset
INSERT INTO sla.contract (account, service, policy, valid) VALUES ('Acme', 'custom development', 't custom', '[2026-01-01 00:00+00,)');
INSERT INTO request (id, customer, service, channel, priority, received_at) VALUES (30, 'Acme', 'custom development', 'portal', 'P1', '2026-03-02 10:00'),
	(31, 'Acme', 'product', 'portal', 'P1', '2026-03-02 10:00'), (32, 'Big', 'custom development', 'portal', 'P1', '2026-03-02 10:00');
SELECT is(pg_temp.stamps(30), '02 14:00 - -', 'that contract''s times');
SELECT is(pg_temp.stamps(31), '02 11:00 - -', 'the product has those of the subscription');
SELECT is(pg_temp.stamps(32), '02 10:15 - -', 'without a separate contract the subscription stands, and the exemption has to say it');

-- What is not included in the availability of support is no breach of a
-- response time either: an assumption of the preset.
INSERT INTO request (id, customer, channel, priority, received_at, outside, acknowledged_at)
SELECT 40 + n, 'Acme', 'portal', 'P1', '2026-03-02 10:00', reason, '2026-03-02 18:00'
FROM unnest('{scheduled_maintenance,third_party_interference,initial_misconfiguration,customer_cause,configuration_not_updated,customer_internet,rain}'::text[]) WITH ORDINALITY AS r(reason, n);
SELECT is(pg_temp.status(id), 'response exempt; update exempt', 'no breach: ' || outside) FROM request WHERE id BETWEEN 41 AND 46 ORDER BY id;
SELECT is((SELECT string_agg(key, ',') FROM sla.breach WHERE ticket_table::regclass = 'request'::regclass AND metric = 'response' AND key::int BETWEEN 40 AND 49), '47', 'any other reason is none');

SELECT * FROM finish();
ROLLBACK;
