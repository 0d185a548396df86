-- sla.recompute lets changes of policies, calendars, holidays and contracts
-- reach tickets that are there, after showing what they would change.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(44);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"office": {"hours": "UTC Mo-Fr 09:00-17:00"}},
	"exemptions": {"known_incident": "Announced"},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "office"},
		{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "office"},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "office"}]}') \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, s text, status text DEFAULT 'open', exempt text, received timestamptz, replied timestamptz, changed timestamptz, touched int DEFAULT 0);
SELECT sla.attach('helpdesk', 'acme', 's', 'received', 'replied', changed_at => 'changed', status => 'status',
	paused_when => '{waiting}', resolved_when => '{closed}', exempt => 'exempt') \g /dev/null
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON helpdesk FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION pg_temp.differs(settled boolean DEFAULT false) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', key, metric, cycle, changed, old_goal || '>' || new_goal, to_char(old_due_at, 'DD HH24:MI') || '>' || to_char(new_due_at, 'DD HH24:MI'),
		'new ' || CASE WHEN old_due_at IS NULL THEN to_char(new_due_at, 'DD HH24:MI') END, 'gone ' || CASE WHEN new_due_at IS NULL THEN to_char(old_due_at, 'DD HH24:MI') END,
		old_outcome || '>' || new_outcome)
	FROM sla.recompute(settled => settled) ORDER BY ticket_id, metric, cycle $$;
CREATE FUNCTION pg_temp.apply(settled boolean DEFAULT false) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM sla.recompute(settled => settled, dry_run => false) $$;
CREATE FUNCTION pg_temp.ledger() RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(x, '|' ORDER BY x)) FROM (SELECT t::text FROM sla.ticket t UNION ALL SELECT c::text FROM sla.clock c UNION ALL SELECT e::text FROM sla.event e
		UNION ALL SELECT a::text FROM sla.alert a UNION ALL SELECT p::text FROM sla.policy_edition p UNION ALL SELECT h::text FROM helpdesk h) s(x) $$;

INSERT INTO helpdesk (id, s, received) VALUES (1, 'S1', '2026-03-02 10:00'), (2, 'S2', '2026-03-02 10:00'), (3, 'S2', '2026-03-02 10:00'), (4, 'S2', '2026-03-02 10:00');
UPDATE helpdesk SET replied = '2026-03-02 12:00' WHERE id = 1;
UPDATE helpdesk SET status = 'waiting', changed = '2026-03-02 11:00' WHERE id = 2;
UPDATE helpdesk SET status = 'closed', changed = '2026-03-02 11:00' WHERE id = 4;
SELECT is_empty('SELECT pg_temp.differs(true)', 'where nothing has changed there is no difference');

-- A holiday, and a goal
INSERT INTO sla.holiday VALUES ('DE', '2026-03-03', 'Carnival');
UPDATE sla.calendar SET regions = '{DE}';
UPDATE sla.target SET goal = '3h' WHERE metric = 'response' AND severity OPERATOR(sla.=) 'S1';
SELECT pg_temp.ledger() AS before \gset
SELECT results_eq('SELECT pg_temp.differs()', ARRAY[
	'1 resolution 1 {hours_id,due_at} 8h>8h 03 10:00>04 10:00',
	'1 response 1 {goal,hours_id,due_at,outcome} 1h>3h 02 11:00>02 13:00 breached>met',
	'2 response 1 {hours_id} 4h>4h',
	'3 response 1 {hours_id} 4h>4h 02 14:00>02 14:00'], 'clocks of tickets that are open, with what changes');
SELECT is(pg_temp.ledger(), :'before', 'nothing is written by a preview');
SELECT results_eq($$SELECT key FROM sla.recompute(settled => true) EXCEPT SELECT key FROM sla.recompute()$$, ARRAY['4'], 'settled ones only when asked for');
SELECT results_eq($$SELECT ticket_table, key, ticket_id, old_severity::text, new_severity::text, old_hours_id <> new_hours_id, old_started_at = new_started_at, old_stopped_at, new_stopped_at FROM sla.recompute('helpdesk', '1') WHERE metric = 'response'$$,
	$$SELECT 'helpdesk'::regclass, '1', id, 'S1', 'S1', true, true, timestamptz '2026-03-02 12:00', timestamptz '2026-03-02 12:00' FROM sla.ticket WHERE key = '1'$$, 'one ticket; columns');
SELECT is(pg_temp.apply(), 4::bigint, 'doing it tells the same');
SELECT results_eq('SELECT id, sla_response_due, sla_resolution_due, touched FROM helpdesk ORDER BY id', $$VALUES
	(1, timestamptz '2026-03-02 13:00', timestamptz '2026-03-04 10:00', 1), (2, NULL, NULL, 1), (3, '2026-03-02 14:00', NULL, 0), (4, '2026-03-02 14:00', NULL, 1)$$,
	'rows are stamped, and no trigger fires');
SELECT results_eq($$SELECT metric, outcome, due_at, aim FROM sla.clock JOIN sla.ticket t ON t.id = ticket_id WHERE key = '1' ORDER BY 1$$,
	$$VALUES ('resolution' COLLATE "C", NULL, timestamptz '2026-03-04 10:00', 2), ('response', 'met', '2026-03-02 13:00', 2)$$, 'the ledger has it');
SELECT is_empty('SELECT pg_temp.differs()', 'then nothing differs any more');
SELECT pg_temp.ledger() AS before \gset
SELECT is(pg_temp.apply(), 0::bigint, 'and doing it twice');
SELECT is(pg_temp.ledger(), :'before', 'changes nothing');
SELECT results_eq('SELECT pg_temp.differs(true)', ARRAY['4 response 1 {hours_id} 4h>4h 02 14:00>02 14:00 met>met'], 'what was settled is as it was');
UPDATE helpdesk SET status = 'open', changed = '2026-03-02 16:00' WHERE id = 2;
SELECT is(sla_response_due, timestamptz '2026-03-04 11:00', 'later events go by what was recomputed') FROM helpdesk WHERE id = 2;
UPDATE helpdesk SET status = 'open', changed = '2026-03-02 16:00' WHERE id = 4;
SELECT is(sla_response_due, timestamptz '2026-03-03 11:00', 'or by what was not') FROM helpdesk WHERE id = 4;

-- Promises come and go
UPDATE sla.target SET metric = 'resolution' WHERE severity OPERATOR(sla.=) 'S2';
SELECT results_eq($$SELECT pg_temp.differs()$$, ARRAY[
	'2 resolution 1 new 04 11:00', '2 response 1 gone 04 11:00', '3 resolution 1 new 02 14:00', '3 response 1 gone 02 14:00', '4 resolution 1 new 04 11:00', '4 response 1 gone 03 11:00'],
	'new clocks, and those that go');
SELECT pg_temp.apply() \g /dev/null
SELECT results_eq($$SELECT key, metric FROM sla.clock c JOIN sla.ticket t ON t.id = ticket_id WHERE c.severity OPERATOR(sla.=) 'S2' ORDER BY 1$$,
	$$VALUES ('2' COLLATE "C", 'resolution' COLLATE "C"), ('3', 'resolution'), ('4', 'resolution')$$, 'are there, and are gone');
SELECT is(count(sla_response_due), 1::bigint, 'from the rows, too') FROM helpdesk;

-- Pins, exemptions
SELECT sla.pin_due('helpdesk', '1', 'resolution', '2026-03-10 12:00', '2026-03-02 12:30') \g /dev/null
UPDATE sla.target SET goal = '16h' WHERE metric = 'resolution';
SELECT results_eq($$SELECT changed, old_due_at, new_due_at FROM sla.recompute('helpdesk', '1', dry_run => false)$$,
	$$VALUES ('{goal}'::text[], timestamptz '2026-03-10 12:00', timestamptz '2026-03-10 12:00')$$, 'a pinned due time survives');
UPDATE helpdesk SET exempt = 'weather', changed = '2026-03-02 12:40' WHERE id = 3;
INSERT INTO sla.exemption SELECT id, 'weather', 'Weather' FROM sla.policy_version;
SELECT results_eq($$SELECT old_outcome, new_outcome FROM sla.recompute('helpdesk', '3', dry_run => false)$$, $$VALUES (NULL, 'exempt')$$, 'a reason that the policy knows now');
SELECT is(sla_resolution_due, NULL, 'no due time') FROM helpdesk WHERE id = 3;
SELECT is(exempt, 'weather', 'and why') FROM sla.ticket WHERE key = '3';

-- What was flagged and is not so is withdrawn
INSERT INTO helpdesk (id, s, received) VALUES (5, 'S1', '2026-03-02 10:00');
SELECT sla.flag_due('2026-03-02 14:00') \g /dev/null
UPDATE sla.target SET goal = '20000bd' WHERE metric = 'response';
SELECT pg_temp.apply() \g /dev/null
SELECT results_eq($$SELECT kind FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id WHERE key = '5' ORDER BY a.id$$, $$VALUES ('breach' COLLATE "C"), ('withdrawal')$$, 'a breach that is none any more is withdrawn');

-- Scope
UPDATE sla.target SET goal = '2bd' WHERE metric = 'response';
INSERT INTO helpdesk (id, s, received) VALUES (6, 'S1', '2026-04-02 10:00');
UPDATE sla.target SET goal = '3bd' WHERE metric = 'response';
SELECT results_eq($$SELECT key FROM sla.recompute(received => '[2026-04-01,2026-05-01)')$$, ARRAY['6'], 'by time of receipt');
SELECT results_eq($$SELECT DISTINCT key FROM sla.recompute(received => '(,2026-04-01)', settled => true) ORDER BY 1$$, ARRAY['1', '5'], 'to either side');
SELECT is_empty($$SELECT FROM sla.recompute(received => 'empty')$$, 'or never');
SELECT sla.load_policy('{"policy": "other", "time_zone": "UTC", "calendars": {"office": {"hours": "UTC Mo-Fr 09:00-17:00"}}, "targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "office"}]}') \g /dev/null
SELECT is_empty($$SELECT FROM sla.recompute(policy => 'other')$$, 'by policy');
SELECT isnt_empty($$SELECT FROM sla.recompute(policy => 'acme')$$, 'which it is under');
SELECT throws_ok($$SELECT FROM sla.recompute(policy => 'none')$$, '42704', NULL, 'a policy that never was');
SELECT throws_ok($$SELECT FROM sla.recompute('helpdesk', '1000')$$, '22023', NULL, 'an unknown ticket');
SELECT throws_ok($$SELECT FROM sla.recompute(key => '1')$$, '22023', NULL, 'of an unknown table');
SELECT throws_ok($$SELECT FROM sla.recompute('pg_class')$$, '55000', NULL, 'a table that is not attached');
SELECT throws_ok($$SELECT FROM sla.recompute(settled => NULL)$$, '22004', NULL, 'no answer');

-- A policy that is gone takes nothing
SELECT pg_temp.apply(true) \g /dev/null
CREATE TEMPORARY TABLE kept AS SELECT * FROM sla.clock;
DELETE FROM sla.policy WHERE name = 'acme';
SELECT is(pg_temp.apply(true), 0::bigint, 'tickets of a policy that is gone');
SELECT is_empty($$SELECT * FROM kept EXCEPT SELECT * FROM sla.clock$$, 'keep what they were promised');
SELECT is((SELECT count(*) FROM sla.ticket WHERE exempt LIKE 'error%'), 0::bigint, 'and nothing is wrong with them');
INSERT INTO helpdesk (id, s, received) VALUES (7, 'S1', '2026-03-02 10:00'), (8, 'ASAP', '2026-03-02 10:00');
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}}, "targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"}]}') \g /dev/null
SELECT results_eq($$SELECT key, metric, old_due_at, new_due_at FROM sla.recompute(dry_run => false) WHERE key IN ('7', '8')$$, $$VALUES ('7', 'response', NULL::timestamptz, timestamptz '2026-03-02 12:00')$$, 'one that comes is noticed');
SELECT results_eq($$SELECT key, exempt FROM sla.ticket WHERE key IN ('7', '8') ORDER BY key$$, $$VALUES ('7' COLLATE "C", NULL), ('8', 'error: s "ASAP" maps to no severity')$$, 'where the row lacks nothing');
SELECT is(sla_response_due, timestamptz '2026-03-02 12:00', 'stamped') FROM helpdesk WHERE id = 7;

-- Contracts
CREATE TABLE calls (id int PRIMARY KEY, s text, account text, received timestamptz);
SELECT sla.attach('calls', NULL, 's', 'received', account => 'account') \g /dev/null
INSERT INTO calls VALUES (1, 'S1', 'Acme', '2026-03-02 16:00');
INSERT INTO sla.contract (account, policy, valid) VALUES ('Acme', 'other', '[2026-01-01,)');
SELECT results_eq($$SELECT changed, new_due_at FROM sla.recompute('calls', dry_run => false)$$, $$VALUES (NULL::text[], timestamptz '2026-03-03 10:00')$$, 'a contract that was entered late');
UPDATE sla.contract SET calendar = 'acme/always';
SELECT results_eq($$SELECT changed, new_due_at FROM sla.recompute('calls', dry_run => false)$$, $$VALUES ('{hours_id,due_at}'::text[], timestamptz '2026-03-02 18:00')$$, 'hours of its own');
UPDATE sla.contract SET valid = '[2026-04-01,)';
SELECT results_eq($$SELECT old_due_at, new_due_at FROM sla.recompute('calls', dry_run => false)$$, $$VALUES (timestamptz '2026-03-02 18:00', NULL::timestamptz)$$, 'or that was not valid yet');
SELECT results_eq($$SELECT t.exempt, c.sla_response_due, t.policy_version_id FROM calls c JOIN sla.ticket t ON t.contract_id IS NULL AND t.account = c.account$$, $$VALUES ('uncovered: account "Acme" had no valid contract', NULL::timestamptz, NULL::int)$$, 'leaves the ticket uncovered');

-- Tickets without rows
INSERT INTO sla.contract (account, policy, valid) VALUES ('Acme', 'other', '[2026-01-01,2026-04-01)');
DELETE FROM calls;
SELECT results_eq($$SELECT new_outcome FROM sla.recompute('calls', settled => true, dry_run => false)$$, $$VALUES ('breached')$$, 'a deleted ticket');
SELECT sla.detach('helpdesk') \g /dev/null
UPDATE sla.target SET goal = '5h' WHERE metric = 'response';
SELECT isnt_empty($$SELECT FROM sla.recompute('helpdesk', '7', settled => true, dry_run => false)$$, 'one whose table was detached');
SELECT * FROM finish();
ROLLBACK;
