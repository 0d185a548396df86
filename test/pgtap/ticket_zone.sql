-- Time zone data differs between servers: after a move, tickets may be held to
-- hours in a zone that is not known here. Their rows change and go all the same;
-- the ledger says what is the matter, and goes on once the zone is there.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(27);

SELECT sla.load_policy('{"policy": "p", "time_zone": "UTC", "calendars":
	{"office": {"hours": "Europe/Vienna Mo-Fr 09:00-17:00"}, "always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "office"},
		{"severity": "S2", "metric": "response", "goal": "1h", "calendar": "always"}]}');
SELECT sla.load_policy('{"policy": "q", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
INSERT INTO sla.contract (account, policy, valid, calendar) VALUES ('acme', 'q', '[2026-01-01, 2027-01-01)', 'p/office');

CREATE TABLE ticket (id int PRIMARY KEY, policy text, severity text, account text, at timestamptz, replied timestamptz, changed timestamptz);
SELECT sla.attach('ticket', policy_column => 'policy', severity => 'severity', received_at => 'at', responded_at => 'replied',
	changed_at => 'changed', account => 'account');
INSERT INTO ticket SELECT id, policy, 'S1', account, '2026-03-02 10:00', NULL, '2026-03-02 10:00'
	FROM (VALUES (1, 'p', NULL), (2, 'p', NULL), (3, 'q', 'acme'), (4, 'q', 'acme'), (5, 'q', NULL), (6, 'p', NULL)) AS t (id, policy, account);
CREATE TEMP TABLE clocks_before AS SELECT * FROM sla.clock;

-- The stored bytes with another name of the same length for the zone, and with
-- the digest that goes with it.
CREATE CAST (sla.business_hours AS bytea) WITHOUT FUNCTION;
CREATE CAST (bytea AS sla.business_hours) WITHOUT FUNCTION;
CREATE FUNCTION pg_temp.rename_zone(hours sla.business_hours, before text, after text) RETURNS sla.business_hours LANGUAGE sql AS $$
	SELECT (substring(hours::bytea FOR 4) || substring(sha256(body) FOR 16) || body)::sla.business_hours
	FROM (SELECT overlay(old PLACING after::bytea FROM position(before::bytea IN old)) AS body
		FROM substring(hours::bytea FROM 21) AS old) s
$$;
-- What another server would find: neither the hours nor what sessions keep of
-- them are what they were.
CREATE PROCEDURE pg_temp.rename_zones(before text, after text) LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE sla.hours DISABLE TRIGGER hours_immutable;
	UPDATE sla.hours SET value = pg_temp.rename_zone(value, before, after) WHERE value::text LIKE before || ' %';
	ALTER TABLE sla.hours ENABLE TRIGGER hours_immutable;
	ALTER TABLE sla.policy_edition SET (fillfactor = 90);
END $$;
CALL pg_temp.rename_zones('Europe/Vienna', 'Europe/Vienne');
SELECT is(count(*), 1::bigint, 'hours in a zone that is unknown here') FROM sla.hours WHERE value::text LIKE 'Europe/Vienne %';

CREATE FUNCTION pg_temp.exempt(id int) RETURNS text LANGUAGE sql AS $$ SELECT exempt FROM sla.ticket WHERE key = $1::text $$;

SELECT lives_ok($$UPDATE ticket SET severity = 'S2', changed = '2026-03-02 10:10' WHERE id = 1$$, 'its policy''s hours: a ticket changes');
SELECT is(pg_temp.exempt(1), 'error: policy "p" is in time zone "Europe/Vienne", which this server does not know', 'and says why it has no promises');
SELECT is(severity::text, 'S2', 'what its row says is recorded') FROM sla.ticket WHERE key = '1';
SELECT lives_ok($$UPDATE ticket SET replied = '2026-03-02 10:20', changed = '2026-03-02 10:20' WHERE id = 1$$, 'it changes again');
SELECT results_eq($$SELECT kind FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = '1' ORDER BY e.seq$$,
	$$VALUES ('opened'), ('severity'), ('replied')$$, 'with its events');
SELECT lives_ok('DELETE FROM ticket WHERE id = 2', 'a ticket is deleted');
SELECT is(state, 'deleted', 'and known to be') FROM sla.ticket WHERE key = '2';
SELECT lives_ok($$UPDATE ticket SET policy = 'q', changed = '2026-03-02 10:10' WHERE id = 6$$, 'its policy changes');

SELECT lives_ok($$UPDATE ticket SET replied = '2026-03-02 10:20', changed = '2026-03-02 10:20' WHERE id = 3$$, 'its contract''s hours: a ticket changes');
SELECT matches(pg_temp.exempt(3), '^error: contract \d+ is in time zone "Europe/Vienne", which this server does not know$', 'and says why it has no promises');
SELECT lives_ok('DELETE FROM ticket WHERE id = 4', 'a ticket is deleted');
SELECT is(state, 'deleted', 'and known to be') FROM sla.ticket WHERE key = '4';
UPDATE ticket SET replied = '2026-03-02 10:20', changed = '2026-03-02 10:20' WHERE id = 5;
SELECT is(pg_temp.exempt(5), NULL, 'other tickets go on');
SELECT set_eq($$SELECT * FROM sla.clock WHERE stopped_at IS NULL$$,
	$$SELECT b.* FROM clocks_before b JOIN sla.ticket t ON t.id = b.ticket_id WHERE t.key <> '5'$$, 'and the clocks of these are as they were');
SELECT throws_ok($$SELECT * FROM sla.explain('ticket', '1')$$, '55000', NULL, 'no explanation');


-- Reports go on, without what cannot be counted
SELECT results_eq($$SELECT key COLLATE "default", status, worked IS NULL AND used IS NULL FROM sla.clock_status WHERE key IN ('2', '5') ORDER BY 1$$,
	$$VALUES ('2', 'breached', true), ('5', 'met', false)$$, 'a clock in that zone has its times, and no working time');
SELECT lives_ok('SELECT * FROM sla.clock_status', 'the other clocks theirs') ;
SELECT lives_ok('SELECT *, (SELECT count(*) FROM sla.at_risk) FROM sla.breach', 'breaches are told');
SELECT lives_ok('SELECT * FROM sla.compliance_by_month', 'and compliance');

CALL pg_temp.rename_zones('Europe/Vienne', 'Europe/Vienna');
SELECT sla.reconcile('ticket');
SELECT is(pg_temp.exempt(1), NULL, 'when the zone is there, the ticket has its promises');
SELECT is(c.stopped_at, '2026-03-02 10:20', 'and its clock all that came meanwhile') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '1';
SELECT is(pg_temp.exempt(3), NULL, 'also that of a contract');
SELECT is(c.stopped_at, '2026-03-02 10:20', 'and its clock all that came meanwhile') FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = '3';
SELECT is(pg_temp.exempt(6), NULL, 'and one that has changed its policy is under the new one');
SELECT isnt_empty('SELECT * FROM sla.recompute(dry_run => false)', 'clocks of deleted tickets are caught up with the policy''s');
SELECT is_empty($$SELECT t.key FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.state = 'deleted' AND c.stopped_at IS NULL$$,
	'and no clock of a deleted ticket runs');
SELECT * FROM finish();
ROLLBACK;
