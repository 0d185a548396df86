-- A contract's calendar counts for the tickets of its account also where the
-- table names the policy, and a policy that needs no contract is for all.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(9);

SELECT sla.load_policy('{"policy": "p", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "always"}]}');
SELECT sla.load_policy('{"policy": "q", "time_zone": "UTC",
	"calendars": {"night": {"hours": "UTC Mo-Su 22:00-24:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "night"}]}');
INSERT INTO sla.contract (account, policy, valid, calendar) VALUES
	('nocturnal', 'p', '[2026-01-01, 2026-07-01)', 'q/night'),
	('plain', 'p', '[2026-01-01, 2026-07-01)', NULL),
	('other', 'q', '[2026-01-01, 2026-07-01)', NULL);
CREATE TABLE ticket (id int PRIMARY KEY, severity text, account text, at timestamptz, resolved timestamptz);
SELECT sla.attach('ticket', 'p', 'severity', 'at', resolved_at => 'resolved', account => 'account');
CREATE FUNCTION pg_temp.ticket(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', to_char(r.sla_response_due, 'DD HH24:MI'), c.policy || '/' || c.account, t.exempt)
	FROM ticket r JOIN sla.ticket t ON t.key = r.id::text LEFT JOIN sla.contract c ON c.id = t.contract_id
	WHERE r.id = $1 $$;

INSERT INTO ticket VALUES (1, 'S1', 'nocturnal', '2026-03-02 10:00'), (2, 'S1', 'plain', '2026-03-02 10:00'),
	(3, 'S1', 'other', '2026-03-02 10:00'), (4, 'S1', 'none', '2026-03-02 10:00'), (5, 'S1', NULL, '2026-03-02 10:00'),
	(6, 'S1', 'nocturnal', '2026-08-02 10:00');
SELECT is(pg_temp.ticket(1), '03 00:00 p/nocturnal', 'the contract''s calendar replaces the target''s');
SELECT is(pg_temp.ticket(2), '02 12:00 p/plain', 'a contract without calendar leaves it');
SELECT is(pg_temp.ticket(3), '02 12:00', 'a contract of another policy does not count');
SELECT is(pg_temp.ticket(4), '02 12:00', 'an account without contract has the policy all the same');
SELECT is(pg_temp.ticket(5), '02 12:00', 'as has a ticket of no account');
SELECT is(pg_temp.ticket(6), '02 12:00', 'a contract that is over does not count');
UPDATE ticket SET account = 'nocturnal' WHERE id = 4;
SELECT is(pg_temp.ticket(4), '03 00:00 p/nocturnal', 'another account brings its contract');
DELETE FROM sla.contract;
UPDATE ticket SET resolved = '2026-03-02 23:00' WHERE id = 1;
SELECT is(pg_temp.ticket(1), '03 00:00', 'a contract that is deleted takes nothing away');
SELECT is(sla.detach('ticket')::text, '', 'detached');

SELECT * FROM finish();
ROLLBACK;
