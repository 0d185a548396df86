-- What a table's own expressions set while somebody else restamps it is gone
-- afterwards, as after VACUUM or REINDEX: an owner must not reach into the
-- session of a superuser.
BEGIN;
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(5);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "8h", "calendar": "always"}]}');
CREATE ROLE slapolicy_test_owner;
CREATE SCHEMA slapolicy_test_trap AUTHORIZATION slapolicy_test_owner;
SET LOCAL ROLE slapolicy_test_owner;
CREATE FUNCTION slapolicy_test_trap.spring(timestamptz) RETURNS boolean LANGUAGE sql AS
	$$ SELECT set_config('slapolicy_test.trap', 'sprung by ' || current_user, false) IS NOT NULL $$;
CREATE TABLE slapolicy_test_trap.tickets (
	id int PRIMARY KEY,
	priority text,
	created_at timestamptz,
	due timestamptz CHECK (slapolicy_test_trap.spring(due)));
INSERT INTO slapolicy_test_trap.tickets VALUES (1, 'S1', '2026-03-02 10:00+00');
RESET ROLE;
SELECT is(current_setting('slapolicy_test.trap'), 'sprung by slapolicy_test_owner', 'the trap works');

SET slapolicy_test.trap TO 'untouched';
SELECT is(sla.attach('slapolicy_test_trap.tickets', 'acme', 'priority', 'created_at', response_due => 'due', resolution_due => NULL),
	1::bigint, 'attaching stamps the row');
SELECT is(current_setting('slapolicy_test.trap'), 'untouched', 'and keeps the session''s settings');

ALTER TABLE slapolicy_test_trap.tickets DISABLE TRIGGER ALL;
UPDATE slapolicy_test_trap.tickets SET due = NULL;
SET slapolicy_test.trap TO 'untouched';
SELECT is(sla.record_rows('slapolicy_test_trap.tickets'), 1::bigint, 'restamping stamps it again');
SELECT is(current_setting('slapolicy_test.trap'), 'untouched', 'and keeps them, too');

SELECT * FROM finish();
ROLLBACK;
