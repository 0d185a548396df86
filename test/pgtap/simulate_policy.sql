-- sla.simulate tells what tickets would have been promised under another
-- policy, and what would have become of it.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(31);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"office": {"hours": "UTC Mo-Fr 09:00-17:00"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "office"},
		{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "office"},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "office"}]}') \g /dev/null
SELECT sla.load_policy('{"policy": "gold", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1min", "calendar": "always"}]}') \g /dev/null
SELECT sla.load_policy('{"policy": "gold", "time_zone": "UTC", "reopening": "restart", "entitlement": "contract",
	"calendars": {"always": {"hours": "24/7"}},
	"severity_caps": {"beta": "S2"}, "channels": {"fax": "never", "email": "investigation"}, "exemptions": {"weather": "Weather"},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "30min", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "1h", "calendar": "always", "pausable": false},
		{"severity": "S2", "metric": "resolution", "goal": "6h", "calendar": "always"}]}', '2027-01-01') \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, s text, status text DEFAULT 'open', product text, channel text, exempt text, account text, received timestamptz,
	replied timestamptz, investigated timestamptz, changed timestamptz);
SELECT sla.attach('helpdesk', 'acme', 's', 'received', 'replied', changed_at => 'changed', status => 'status', paused_when => '{waiting}', resolved_when => '{closed}',
	product => 'product', channel => 'channel', exempt => 'exempt', account => 'account', investigated_at => 'investigated') \g /dev/null
CREATE FUNCTION pg_temp.outcomes(policy text, "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', key, metric, cycle, severity, goal, to_char(started_at, 'DD HH24:MI'), to_char(due_at, 'DD HH24:MI'), to_char(stopped_at, 'DD HH24:MI'), worked, outcome)
	FROM sla.simulate(policy, "from", "to") ORDER BY key::int, metric, cycle $$;
CREATE FUNCTION pg_temp.ledger() RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(x, '|' ORDER BY x)) FROM (SELECT t::text FROM sla.ticket t UNION ALL SELECT c::text FROM sla.clock c UNION ALL SELECT e::text FROM sla.event e
		UNION ALL SELECT a::text FROM sla.alert a UNION ALL SELECT p::text FROM sla.policy_edition p UNION ALL SELECT h::text FROM helpdesk h) s(x) $$;

-- Nothing there
SELECT is_empty($$SELECT FROM sla.simulate('gold', NULL, NULL)$$, 'no tickets, no outcomes');

INSERT INTO helpdesk (id, s, received) VALUES (1, 'S1', '2026-03-02 10:00'), (2, 'S2', '2026-03-02 10:00'), (3, 'S3', '2026-03-02 10:00');
UPDATE helpdesk SET replied = '2026-03-02 10:45' WHERE id <= 2;
UPDATE helpdesk SET replied = '2026-03-02 10:20', changed = '2026-03-02 11:00' WHERE id = 1;
UPDATE helpdesk SET status = 'waiting', changed = '2026-03-02 11:00' WHERE id = 2;
UPDATE helpdesk SET status = 'open', changed = '2026-03-02 13:00' WHERE id = 2;
UPDATE helpdesk SET status = 'closed', changed = '2026-03-02 15:00' WHERE id = 2;
UPDATE helpdesk SET status = 'open', changed = '2026-03-02 18:00' WHERE id = 2;
SELECT pg_temp.ledger() AS before \gset
SELECT results_eq($$SELECT pg_temp.outcomes('gold')$$, ARRAY[
	'1 response 1 S1 30min 02 10:00 02 10:30 02 10:20 00:20:00 met',
	'2 resolution 1 S2 6h 02 10:00 02 18:00 02 15:00 03:00:00 met',
	'2 resolution 2 S2 6h 02 18:00 03 00:00',
	'2 response 1 S2 1h 02 10:00 02 11:00 02 10:45 00:45:00 met'], 'by goals, hours and rules of the last version of the policy');
SELECT results_eq($$SELECT pg_temp.outcomes('acme')$$, ARRAY[
	'1 resolution 1 S1 8h 02 10:00 03 10:00',
	'1 response 1 S1 1h 02 10:00 02 11:00 02 10:20 00:20:00 met',
	'2 response 1 S2 4h 02 10:00 02 14:00 02 10:45 00:45:00 met'], 'by its own it comes to what is');
SELECT results_eq($$SELECT ticket_id, ticket_table FROM sla.simulate('gold', NULL, NULL) WHERE key = '1'$$, $$SELECT id, 'helpdesk'::regclass FROM sla.ticket WHERE key = '1'$$, 'with their tickets');
SELECT is(pg_temp.ledger(), :'before', 'nothing is written');

-- Scope
INSERT INTO helpdesk (id, s, received) VALUES (4, 'S1', '2026-03-01 00:00'), (5, 'S1', '2026-04-01 00:00'), (6, 'S1', NULL);
SELECT results_eq($$SELECT key FROM sla.simulate('gold', '2026-03-01', '2026-03-02')$$, ARRAY['4'], 'tickets received from an instant on');
SELECT results_eq($$SELECT DISTINCT key FROM sla.simulate('gold', '2026-03-02', '2026-04-01') ORDER BY 1$$, ARRAY['1', '2'], 'until another one');
SELECT results_eq($$SELECT key FROM sla.simulate('gold', '2026-04-01', NULL)$$, ARRAY['5'], 'or without end');
SELECT results_eq($$SELECT key FROM sla.simulate('gold', NULL, '2026-03-02')$$, ARRAY['4'], 'or beginning');
SELECT results_eq($$SELECT key FROM sla.simulate('gold', '-infinity', '2026-03-02')$$, ARRAY['4'], 'however that is said');
SELECT is_empty($$SELECT FROM sla.simulate('gold', '2026-03-02', '2026-03-02')$$, 'or at no time');

-- Rules of the other policy
INSERT INTO helpdesk (id, s, received, product, channel, exempt, investigated) VALUES (7, 'S1', '2026-05-01 10:00', 'beta', NULL, NULL, NULL),
	(8, 'S1', '2026-05-01 10:00', NULL, 'fax', NULL, NULL), (9, 'S1', '2026-05-01 10:00', NULL, 'email', NULL, '2026-05-01 12:00'), (10, 'S1', '2026-05-01 10:00', NULL, NULL, 'weather', NULL);
SELECT is((SELECT array_agg(DISTINCT severity::text) FROM sla.simulate('gold', '2026-05-01', NULL) WHERE key = '7'), '{S2}', 'its caps');
SELECT is_empty($$SELECT FROM sla.simulate('gold', '2026-05-01', NULL) WHERE key = '8'$$, 'its channels');
SELECT results_eq($$SELECT started_at FROM sla.simulate('gold', '2026-05-01', NULL) WHERE key = '9'$$, $$VALUES (timestamptz '2026-05-01 12:00')$$, 'that count from the investigation');
SELECT results_eq($$SELECT outcome, due_at, stopped_at, worked FROM sla.simulate('gold', '2026-05-01', NULL) WHERE key = '10'$$, $$VALUES ('exempt', timestamptz '2026-05-01 10:30', NULL::timestamptz, NULL::interval)$$, 'its reasons to exempt');
SELECT is((SELECT count(*) FROM sla.simulate('acme', '2026-05-01', NULL)), 8::bigint, 'and not those of the tickets'' own');

-- Pins; hours of a contract
SELECT sla.pin_due('helpdesk', '5', 'response', '2026-04-02 12:00', '2026-04-01 00:01') \g /dev/null
SELECT results_eq($$SELECT due_at FROM sla.simulate('gold', '2026-04-01', '2026-04-02')$$, $$VALUES (timestamptz '2026-04-02 12:00')$$, 'what was pinned by hand stays');
CREATE TABLE calls (id int PRIMARY KEY, s text, account text, received timestamptz);
INSERT INTO sla.contract (account, policy, valid, calendar) VALUES ('Acme', 'gold', '[2026-01-01,)', 'acme/office');
SELECT sla.attach('calls', NULL, 's', 'received', account => 'account') \g /dev/null
INSERT INTO calls VALUES (1, 'S1', 'Acme', '2026-06-01 16:45'), (2, 'S1', 'Other', '2026-06-01 16:45');
SELECT results_eq($$SELECT key, due_at FROM sla.simulate('gold', '2026-06-01', NULL) ORDER BY key$$, $$VALUES ('1', timestamptz '2026-06-02 09:15'), ('2', '2026-06-01 17:15')$$,
	'hours that the contract puts in place of all others; who is entitled does not matter');

-- Tickets whose table is gone
DROP TABLE calls;
SELECT results_eq($$SELECT ticket_table::oid, key FROM sla.simulate('gold', '2026-06-01', NULL) ORDER BY key$$, $$VALUES (0::oid, '1'), (0, '2')$$, 'also of a table that is gone');
DELETE FROM helpdesk WHERE id = 5;
SELECT is((SELECT stopped_at IS NOT NULL FROM sla.simulate('gold', '2026-04-01', '2026-04-02')), true, 'or that were deleted');

-- Changed tables count at once, as do versions to come
UPDATE sla.target SET goal = '10min' WHERE severity OPERATOR(sla.=) 'S1';
SELECT is((SELECT goal::text FROM sla.simulate('gold', '2026-03-01', '2026-03-02')), '10min', 'as the policy is now');
SELECT throws_ok($$SELECT FROM sla.simulate('none', NULL, NULL)$$, '42704', NULL, 'a policy that does not exist');
SELECT throws_ok($$SELECT FROM sla.simulate(NULL, NULL, NULL)$$, '22004', NULL, 'none at all');
SELECT throws_ok($$SELECT FROM sla.simulate('gold', '2026-03-02', '2026-03-01')$$, '22023', NULL, 'a time that ends before it begins');

-- Little memory is no difference
CREATE TEMPORARY TABLE much AS SELECT * FROM sla.simulate('gold', NULL, NULL);
INSERT INTO helpdesk (id, s, received) SELECT g, 'S1', '2026-07-01 10:00' FROM generate_series(1000, 3000) g;
SET LOCAL work_mem = '64kB';
SELECT is((SELECT count(*) FROM sla.simulate('gold', '2026-07-01', '2026-08-01')), 2001::bigint, 'however many there are');
SELECT is_empty($$SELECT * FROM much EXCEPT SELECT * FROM sla.simulate('gold', NULL, NULL)$$, 'and in the least memory');

-- Who may
CREATE ROLE sla_test_reader;
CREATE TEMPORARY TABLE reads AS SELECT $$SELECT FROM sla.simulate('gold', NULL, NULL)$$::text AS sql;
GRANT SELECT ON reads TO PUBLIC;
SET LOCAL ROLE sla_test_reader;
SELECT throws_ok((SELECT sql FROM reads), '42501', 'permission denied for the ledger', 'not for everybody');
RESET ROLE;
GRANT SELECT ON sla.event TO sla_test_reader;
SET LOCAL ROLE sla_test_reader;
SELECT throws_ok((SELECT sql FROM reads), '42501', NULL, 'nor for who sees no tickets');
RESET ROLE;
GRANT SELECT ON sla.ticket TO sla_test_reader;
SET LOCAL ROLE sla_test_reader;
SELECT isnt_empty((SELECT sql FROM reads), 'who may read tickets and events may');
SET LOCAL transaction_read_only = on;
SELECT isnt_empty((SELECT sql FROM reads), 'also in a transaction that reads only');
RESET ROLE;
-- Whatever the planner likes
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SELECT lives_ok($$ SELECT count(s.*) FROM helpdesk h, LATERAL sla.simulate('gold', NULL, NULL) s $$, 'tickets are simulated where queries are parallel');

SELECT * FROM finish();
ROLLBACK;
