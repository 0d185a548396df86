-- What the compiled policies say, and that they follow every change at once
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(56);

CREATE FUNCTION pg_temp.document(goal text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object(
		'policy', 't cache', 'time_zone', 'UTC',
		'calendars', '{"support": {"hours": "UTC Mo-Fr 09:00-17:00"}}'::jsonb,
		'targets', jsonb_build_array(
			jsonb_build_object('severity', 'S1', 'metric', 'response', 'goal', goal, 'calendar', 'support'),
			jsonb_build_object('severity', 'S2', 'metric', 'resolution', 'goal', null))) $$;
-- One line: version, goal and hours, or the problem
CREATE FUNCTION pg_temp.promised(at timestamptz DEFAULT '2026-06-01 00:00+00', severity text DEFAULT 'S1', metric text DEFAULT 'response') RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(f.problem, concat_ws(' ', f.goal::text, 'of', f.hours::text))
	FROM sla.policy_target_in_force('t cache', at, severity::sla.severity, metric) AS f $$;

-- Versions in force
SELECT is(pg_temp.promised(), 'policy "t cache" does not exist or has no version', 'no policy');
SELECT sla.load_policy(pg_temp.document('1h')) AS first \gset
SELECT sla.load_policy(pg_temp.document('2h'), '2026-06-01 00:00+00') AS second \gset
SELECT sla.load_policy(pg_temp.document('3h'), '2026-07-01 00:00+00') AS third \gset
SELECT is(pg_temp.promised(at), expected || ' of UTC Mo-Fr 09:00-17:00', 'received at ' || at)
FROM (VALUES ('-infinity'::timestamptz, '1h'), ('1900-01-01', '1h'), ('2026-05-31 23:59:59.999999', '1h'),
			 ('2026-06-01 00:00', '2h'), ('2026-06-30 23:59:59.999999', '2h'), ('2026-07-01 00:00', '3h'), ('infinity', '3h')) AS v(at, expected);
SELECT is((sla.policy_target_in_force('t cache', '2026-06-01', 'S1', 'response')).policy_version_id, :second, 'the version is named');
SELECT is((f.policy_version_id, f.goal, f.hours, f.problem)::text, format('(%s,,,)', :second), format('%s %s promises nothing', severity, metric))
FROM (VALUES ('S2', 'response'), ('S2', 'resolution'), ('S1', 'resolution'), ('S9', 'response'), ('S1', 'no metric')) AS v(severity, metric),
	 sla.policy_target_in_force('t cache', '2026-06-01', severity::sla.severity, metric) AS f;
SELECT is((sla.policy_target_in_force('t cach', '2026-06-01', 'S1', 'response')).problem, 'policy "t cach" does not exist or has no version', 'a name that is a prefix of one');
SELECT is((sla.policy_target_in_force('t cache2', '2026-06-01', 'S1', 'response')).problem, 'policy "t cache2" does not exist or has no version', 'a name that continues one');
SELECT is((sla.policy_target_in_force('', '2026-06-01', 'S1', 'response')).problem, 'policy "" does not exist or has no version', 'an empty name');
SELECT is((sla.policy_target_in_force(repeat('x', 100000), '2026-06-01', 'S1', 'response')).policy_version_id, NULL, 'a very long name');
UPDATE sla.policy_version SET effective_from = '2020-01-01 00:00+00' WHERE id = :first;
SELECT is(pg_temp.promised('2019-12-31'), 'policy "t cache" had no version in force yet', 'before the first version');

-- Every kind of change is seen by the next command, and its rollback too
CREATE FUNCTION pg_temp.follows(command text, expected text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before CONSTANT text := pg_temp.promised();
	seen text;
BEGIN
	BEGIN
		EXECUTE command;
		seen := pg_temp.promised();
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
		NULL;
	END;
	RETURN NEXT is(seen, expected, command);
	RETURN NEXT is(pg_temp.promised(), before, 'rolled back: ' || command);
END $$;
SELECT pg_temp.follows(command, expected)
FROM (VALUES
	(format('UPDATE sla.target SET goal = %L WHERE policy_version_id = %s AND goal IS NOT NULL', '5h', :second), '5h of UTC Mo-Fr 09:00-17:00'),
	(format('UPDATE sla.target SET goal = NULL WHERE policy_version_id = %s', :second), 'of'),
	(format('DELETE FROM sla.target WHERE policy_version_id = %s', :second), 'of'),
	('TRUNCATE sla.target', 'of'),
	('UPDATE sla.calendar SET hours = ''24/7''', '2h of 24/7'),
	(format('DELETE FROM sla.policy_version WHERE id = %s', :second), '1h of UTC Mo-Fr 09:00-17:00'),
	(format('UPDATE sla.policy_version SET effective_from = %L WHERE id = %s', '2026-06-15', :second), '1h of UTC Mo-Fr 09:00-17:00'),
	('TRUNCATE sla.policy_version', 'policy "t cache" does not exist or has no version'),
	('DELETE FROM sla.policy WHERE name = ''t cache''', 'policy "t cache" does not exist or has no version'),
	('TRUNCATE sla.policy', 'policy "t cache" does not exist or has no version'),
	('SET LOCAL session_replication_role = replica; UPDATE sla.target SET goal = ''6h'' WHERE goal IS NOT NULL', '6h of UTC Mo-Fr 09:00-17:00')
) AS v(command, expected);
SELECT is(pg_temp.promised(), '2h of UTC Mo-Fr 09:00-17:00', 'and after all that');

-- Whatever the tables hold is a problem in words
SELECT pg_temp.follows(command, format('version %s of policy "t cache" cannot be used: %s', :second, problem))
FROM (VALUES
	('SET LOCAL session_replication_role = replica; DELETE FROM sla.calendar WHERE policy = ''t cache''',
	 'calendar "t cache/support" does not exist, referred to by the target S1 response'),
	('ALTER TABLE sla.hours DISABLE TRIGGER hours_immutable; SET LOCAL session_replication_role = replica; DELETE FROM sla.hours',
	 'the hours of calendar "t cache/support" do not exist, referred to by the target S1 response'),
	('ALTER TABLE sla.target DROP CONSTRAINT target_calendar_check; UPDATE sla.target SET calendar = NULL',
	 'the target S1 response has a goal but no calendar'),
	('ALTER TABLE sla.metric DISABLE TRIGGER USER; ALTER TABLE sla.metric DROP CONSTRAINT metric_starts_on_check; UPDATE sla.metric SET starts_on = ''{created}''',
	 'metric "resolution" names no events, or unknown ones')
) AS v(command, problem);
SELECT pg_temp.follows('ALTER TABLE sla.target DROP COLUMN goal', 'table sla.target has no column "goal" of type business_interval');
SELECT pg_temp.follows('ALTER TABLE sla.target ALTER COLUMN metric TYPE name', 'table sla.target has no column "metric" of type text');

-- The extension leaves and comes back within one session
DROP EXTENSION slapolicy CASCADE;
CREATE EXTENSION slapolicy;
SELECT is((sla.policy_target_in_force('t cache', '2026-06-01', 'S1', 'response')).problem, 'policy "t cache" does not exist or has no version', 'a new extension knows no policies');
SELECT sla.load_policy(pg_temp.document('4h'));
SELECT is((sla.policy_target_in_force('t cache', '2026-06-01', 'S1', 'response')).goal::text, '4h', 'and learns new ones');

SELECT * FROM finish();
ROLLBACK;
