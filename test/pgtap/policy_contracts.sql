-- Contracts: one at a time for each account and service
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(36);

INSERT INTO sla.policy (name) VALUES ('t gold'), ('t iron');
INSERT INTO sla.calendar (name, hours) VALUES ('t office', 'UTC Mo-Fr 09:00-17:00');

-- What is a contract
INSERT INTO sla.contract (account, policy, valid) VALUES ('t acme', 't gold', '[2026-01-01,2027-01-01)') RETURNING id AS first \gset
SELECT lives_ok(format('INSERT INTO sla.contract (account, service, policy, valid, calendar, note) VALUES (%s)', row), row)
FROM unnest(ARRAY[
	$$'t acme', NULL, 't iron', '[2027-01-01,2028-01-01)', NULL, 'the next year'$$,
	$$'t acme', 'web', 't gold', '[2026-03-01,)', 't office', 'a service of its own'$$,
	$$'t acme', 'db', 't gold', '(,)', NULL, 'always'$$,
	$$'T acme', NULL, 't gold', '(,)', NULL, 'another account: letters count'$$,
	$$'t acm', NULL, 't gold', '(,)', NULL, 'and so does the end'$$,
	$$'t acme ', NULL, 't gold', '(,)', NULL, 'and a blank'$$,
	$$'t instant', NULL, 't gold', '[2026-01-01,2026-01-01]', NULL, 'an instant'$$,
	$$'t instant', NULL, 't iron', '(2026-01-01,2026-02-01)', NULL, 'and what follows it'$$
]) AS row;
SELECT throws_ok(format('INSERT INTO sla.contract (account, service, policy, valid, calendar) VALUES (%s)', row), code, NULL, 'no contract ' || row)
FROM (VALUES
	($$NULL, NULL, 't gold', '(,)', NULL$$, '23502'), ($$'', NULL, 't gold', '(,)', NULL$$, '23514'),
	($$repeat('x', 256), NULL, 't gold', '(,)', NULL$$, '23514'),
	($$'t x', '', 't gold', '(,)', NULL$$, '23514'), ($$'t x', NULL, NULL, '(,)', NULL$$, '23502'),
	($$'t x', NULL, 't gold', NULL, NULL$$, '23502'), ($$'t x', NULL, 't gold', 'empty', NULL$$, '23514'),
	($$'t x', NULL, 't gold', '[2026-01-01,2026-01-01)', NULL$$, '23514'),
	($$'t x', NULL, 't nobody', '(,)', NULL$$, '23503'), ($$'t x', NULL, 't gold', '(,)', 't nowhere'$$, '23503')) AS v(row, code);

-- Overlaps
CREATE FUNCTION pg_temp.refused(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN exclusion_violation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLERRM || ' ' || detail;
END $$;
SELECT matches(pg_temp.refused($$ INSERT INTO sla.contract (account, policy, valid) VALUES ('t acme', 't iron', '[2026-12-31,2027-01-01)') $$),
	format('^contract (\d+) overlaps contract %s Both are of account "t acme" and every service: contract \1 is valid in \[.*2026-12-31.*\), contract %1$s in \[.*2026-01-01.*\)\.$', :first),
	'overlapping contracts are both named');
SELECT matches(pg_temp.refused($$ INSERT INTO sla.contract (account, service, policy, valid) VALUES ('t acme', 'web', 't iron', '[2025-01-01,2026-03-01]') $$),
	'service "web"', 'and their service');
SELECT matches(pg_temp.refused(command), '^contract \d+ overlaps contract \d+', command)
FROM unnest(ARRAY[
	$$ UPDATE sla.contract SET valid = '[2026-06-01,2027-06-01)' WHERE account = 't acme' AND note = 'the next year' $$,
	$$ UPDATE sla.contract SET account = 't acme', valid = '(,)' WHERE account = 'T acme' $$,
	$$ UPDATE sla.contract SET service = NULL WHERE account = 't acme' AND service = 'web' $$,
	$$ INSERT INTO sla.contract (account, policy, valid) VALUES ('t two', 't gold', '(,2026-01-01]'), ('t two', 't gold', '[2026-01-01,)') $$
]) AS command;
SELECT lives_ok($$
	UPDATE sla.contract SET valid = CASE note WHEN 'the next year' THEN '[2026-07-01,2028-01-01)' ELSE '[2026-01-01,2026-07-01)' END::tstzrange
	WHERE account = 't acme' AND service IS NULL $$, 'one statement moves the boundary between two contracts, this way');
SELECT lives_ok($$
	UPDATE sla.contract SET valid = CASE note WHEN 'the next year' THEN '[2027-01-01,2028-01-01)' ELSE '[2026-01-01,2027-01-01)' END::tstzrange
	WHERE account = 't acme' AND service IS NULL $$, 'and that');
-- what the trigger cannot see, for instance what another session has not yet
-- committed, the constraint does
ALTER TABLE sla.contract DISABLE TRIGGER "!contract_written";
SELECT throws_ok($$ INSERT INTO sla.contract (account, policy, valid) VALUES ('t acme', 't iron', '[2026-12-31,2027-01-01)') $$, '23P01', NULL,
	'without the trigger that tells it is the constraint that refuses');
ALTER TABLE sla.contract ENABLE TRIGGER "!contract_written";

-- What hangs together
SELECT throws_ok($$ DELETE FROM sla.policy WHERE name = 't iron' $$, '23503', NULL, 'a policy with contracts stays');
SELECT throws_ok($$ DELETE FROM sla.calendar WHERE name = 't office' $$, '23503', NULL, 'so does the calendar of a contract');
SELECT throws_ok($$ UPDATE sla.contract SET id = id + 1000000 WHERE account = 't acme' $$, '55000', NULL, 'tickets know a contract by its id');
SELECT throws_ok($$ UPDATE sla.contract SET policy = 't nobody' WHERE account = 't acme' $$, '23503', NULL, 'a contract cannot be moved to no policy');
DELETE FROM sla.contract WHERE policy = 't iron' OR calendar IS NOT NULL;
SELECT lives_ok($$ DELETE FROM sla.policy WHERE name = 't iron' $$, 'without contracts a policy goes');
SELECT lives_ok($$ DELETE FROM sla.calendar WHERE name = 't office' $$, 'and a calendar');

-- Who may see what is agreed with whom is up to the owner
SELECT ok(NOT has_table_privilege('pg_monitor', 'sla.contract', 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'), 'not everyone reads contracts');
CREATE ROLE slapolicy_test_editor;
GRANT INSERT, SELECT, UPDATE ON sla.contract TO slapolicy_test_editor;
GRANT UPDATE ON sla.policy, sla.calendar TO slapolicy_test_editor;
SET LOCAL ROLE slapolicy_test_editor;
SELECT lives_ok($$ INSERT INTO sla.contract (account, policy, valid) VALUES ('t granted', 't gold', '(,)') $$, 'whom it is granted may add them');
SELECT throws_ok($$ INSERT INTO sla.contract (account, policy, valid) VALUES ('t granted', 't gold', '(,)') $$, '23P01', NULL, 'under the same rule');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
