-- sla.clock_status tells whose clock it is and what the policy calls it, whatever
-- becomes of ticket, table and policy.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(25);

SELECT sla.load_policy(d::jsonb) FROM unnest(ARRAY[
	'{"policy": "gold", "time_zone": "Asia/Tokyo", "calendars": {"always": {"hours": "24/7"}},
	  "severities": {"S1": {"label": "Critical"}, "S3": {"label": "Minor"}}, "severity_caps": {"toy": "S3"}, "targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"},
		{"severity": "S3", "metric": "response", "goal": "3h", "calendar": "always"}]}',
	'{"policy": "tin", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}}, "targets": [
		{"severity": "S1", "metric": "response", "goal": "9h", "calendar": "always"}]}']) d;
SELECT sla.load_policy(sla.policy_document('gold') || '{"severities": {"S1": {"label": "Disaster"}}}', '2020-06-01');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz, replied timestamptz, terms text, customer text, contract text, thing text,
	way text, crew text, who text, region text, tier int);
SELECT sla.attach('tickets', 'tin', 's', 'at', 'replied', policy_column => 'terms', account => 'customer', service => 'contract', product => 'thing', channel => 'way',
	team => 'crew', assignee => 'who', labels => '{region,tier}', stamp => false);
CREATE FUNCTION pg_temp.shows(id int, VARIADIC columns text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg((SELECT string_agg(coalesce(to_jsonb(s) ->> c, '-'), ' ' ORDER BY n) FROM unnest(columns) WITH ORDINALITY u (c, n)), '; ')
	FROM sla.clock_status s WHERE s.key = $1::text AND s.ticket_table = 'tickets'::regclass $$;

-- Whose it is
INSERT INTO tickets VALUES (1, 'S1', '2020-03-02 10:00', NULL, 'gold', 'Acme', 'hosting', 'shop', 'phone', 'front', 'ann', 'EU', 2);
SELECT is(pg_temp.shows(1, 'ticket_state', 'account', 'service', 'product', 'channel', 'team', 'assignee', 'labels'), 'open Acme hosting shop phone front ann {"tier": "2", "region": "EU"}',
	'what the row says of itself');
UPDATE tickets SET customer = 'Umbra', crew = 'back', who = NULL, tier = NULL, replied = '2020-03-02 10:15' WHERE id = 1;
SELECT is(pg_temp.shows(1, 'ticket_state', 'account', 'service', 'product', 'channel', 'team', 'assignee', 'labels'), 'open Umbra hosting shop phone back - {"tier": null, "region": "EU"}',
	'and what it says since, also after the clock has stopped');
INSERT INTO tickets (id, at) VALUES (2, '2020-03-02 10:00');
SELECT is(pg_temp.shows(2, 'account', 'service', 'product', 'channel', 'team', 'assignee', 'labels'), '- - - - - - {"tier": null, "region": null}', 'or does not');
SELECT is((SELECT ticket_id FROM sla.clock_status WHERE key = '2'), (SELECT id FROM sla.ticket WHERE key = '2'), 'the ticket in the ledger');
SELECT is((SELECT clock_id FROM sla.clock_status WHERE key = '2'), (SELECT id FROM sla.clock WHERE ticket_id = (SELECT id FROM sla.ticket WHERE key = '2')), 'and the clock');

-- Which policy it is under, and what that calls the severity
SELECT is(pg_temp.shows(1, 'policy', 'severity', 'severity_label', 'time_zone'), 'gold S1 Critical Asia/Tokyo', 'the policy that the row names');
SELECT is(pg_temp.shows(2, 'policy', 'severity', 'severity_label', 'time_zone'), 'tin S1 - UTC', 'or the table''s, which has no names for severities');
INSERT INTO tickets (id, at, terms) VALUES (3, '2020-06-01', 'gold');
SELECT is(pg_temp.shows(3, 'severity_label'), 'Disaster', 'the version in force when it was received');
SELECT is(pg_temp.shows(3, 'policy_version_id')::int, (SELECT max(id) FROM sla.policy_version WHERE policy = 'gold'), 'and which that is');
INSERT INTO tickets (id, at, terms, s, thing) VALUES (4, '2020-03-02 10:00', 'gold', 'S1', 'toy'), (5, '2020-03-02 10:00', 'gold', 'S2', NULL);
SELECT is(pg_temp.shows(4, 'severity', 'severity_label', 'goal'), 'S3 Minor 3h', 'the severity that its product allows');
SELECT is(pg_temp.shows(5, 'severity', 'severity_label', 'goal'), 'S2 - 2h', 'a severity without name among others with one');
INSERT INTO tickets (id, at, terms) VALUES (6, '2020-03-02 10:00', 'none');
SELECT is(pg_temp.shows(6, 'status', 'policy', 'policy_version_id', 'time_zone', 'severity', 'severity_label'), 'uncovered none - UTC S1 -', 'under no policy, as the row names it');
INSERT INTO tickets (id, at) VALUES (12, NULL);
SELECT is(pg_temp.shows(12, 'status', 'policy', 'policy_version_id'), 'uncovered tin -', 'or the table');
DELETE FROM sla.ticket WHERE key = '12';
DELETE FROM sla.policy WHERE name = 'gold';
SELECT is(pg_temp.shows(1, 'policy', 'status', 'severity_label', 'time_zone'), 'gold met - UTC', 'a deleted policy is known by its name');

-- Contracts
INSERT INTO sla.contract (account, policy, valid) VALUES ('Acme', 'tin', '[2020-01-01,)');
CREATE TABLE others (id int PRIMARY KEY, at timestamptz, customer text);
SELECT sla.attach('others', received_at => 'at', severity_default => 'S1', account => 'customer', stamp => false);
INSERT INTO others VALUES (1, '2020-03-02', 'Acme'), (2, '2020-03-02', 'Umbra');
SELECT results_eq($$ SELECT policy, status FROM sla.clock_status WHERE ticket_table = 'others'::regclass ORDER BY key $$, $$ VALUES ('tin', 'breached'), (NULL, 'uncovered') $$,
	'the policy of the account''s contract, or none');

-- Times that lie ahead, or never come
INSERT INTO tickets (id, at) VALUES (7, now() + interval '1 h');
SELECT is(pg_temp.shows(7, 'status', 'worked', 'remaining', 'used', 'late_by', 'took'), 'running 00:00:00 09:00:00 0.0000 - -', 'received later: all of it is left');
SELECT sla.load_policy('{"policy": "never", "time_zone": "UTC", "calendars": {"past": {"hours": "UTC 2020-03-02 10:00-12:00"}}, "targets": [
	{"severity": "S1", "metric": "response", "goal": "9h", "calendar": "past"}]}');
INSERT INTO tickets (id, at, terms) VALUES (8, '2020-03-02 11:00', 'never'), (9, '2020-03-02 11:00', 'never');
SELECT is(pg_temp.shows(8, 'status', 'due_at', 'worked', 'remaining', 'used', 'warned'), 'running infinity 01:00:00 - - -', 'never due: nothing is left, nothing is late');
UPDATE tickets SET replied = '2020-03-02 11:30' WHERE id = 9;
SELECT is(pg_temp.shows(9, 'status', 'worked', 'remaining', 'used', 'took'), 'met 00:30:00 - - 00:30:00', 'and yet it can be met');

-- A due time set by hand
INSERT INTO tickets (id, at) VALUES (10, now() - interval '1 h');
INSERT INTO sla.event SELECT id, 2, 'pinned', now() - interval '1 h', now(), 'response', (now() + interval '3 h')::text, 'api' FROM sla.ticket WHERE key = '10';
UPDATE tickets SET crew = 'front' WHERE id = 10;
SELECT is(pg_temp.shows(10, 'status', 'pinned', 'goal', 'worked', 'remaining', 'used'), 'running true 9h 01:00:00 03:00:00 0.2500', 'counts until the pinned time');
SELECT is((SELECT bool_or(pinned) FROM sla.clock_status WHERE key <> '10'), false, 'the others are not pinned');

-- Tables come and go
SELECT sla.detach('tickets');
SELECT is((SELECT count(*) FROM sla.clock_status WHERE ticket_table = 'tickets'::regclass), 10::bigint, 'what was attached is still here');
SELECT is(pg_temp.shows(7, 'status'), 'cancelled', 'with what became of it');
DROP TABLE tickets;
SELECT is((SELECT count(*) FROM sla.clock_status WHERE ticket_table::text = '-' AND key <> '11'), 10::bigint, 'also of a table that is gone');

-- By the ticket's row: an index finds it
ANALYZE sla.ticket;
SET LOCAL enable_seqscan = off;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT isnt_empty($$ SELECT FROM pg_temp.plan('SELECT o.id, s.status, s.remaining FROM others o JOIN sla.clock_status s ON s.ticket_table = ''others''::regclass AND s.key = o.id::text WHERE o.id = 2') p
	WHERE p ~ 'Index Scan using ticket_attachment_id_key_key' $$, 'joined with the row of a ticket, its clocks are found by an index');
SELECT is_empty($$ SELECT * FROM pg_temp.plan('SELECT count(*) FROM sla.clock_status WHERE status = ''met''') p WHERE p ~ '\m(hours|policy_version|policy_edition|severity_label)\M' $$,
	'what a query does not ask for is not read');

SELECT * FROM finish();
ROLLBACK;
