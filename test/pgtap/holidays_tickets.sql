-- Tickets and policy documents under calendars with regions
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(23);

CREATE FUNCTION pg_temp.document(regions jsonb DEFAULT '["TX-S"]', holidays jsonb DEFAULT '["2026-12-31"]') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('policy', 't regions', 'time_zone', 'UTC',
		'calendars', jsonb_build_object('support', jsonb_build_object(
			'hours', 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00', 'regions', regions, 'holidays', holidays)),
		'targets', '[{"severity": "S1", "metric": "response", "goal": "8h", "calendar": "support"}]'::jsonb) $$;
CREATE FUNCTION pg_temp.in_force() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(hours::text, problem) FROM sla.policy_target_in_force('t regions', '2026-06-01 00:00+00', 'S1', 'response') $$;

-- A document may name regions
INSERT INTO sla.holiday VALUES ('TX', '2026-12-24', 'Christmas Eve'), ('TX-S', '2026-12-25', 'Christmas');
SELECT is_empty('SELECT * FROM sla.policy_problems(pg_temp.document())', 'regions are no problem');
SELECT sla.load_policy(pg_temp.document()) AS first \gset
SELECT results_eq($$ SELECT name, hours::text, regions FROM sla.calendar WHERE policy = 't regions' $$,
	$$ VALUES ('t regions/support', 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-31 off', '{TX-S}'::text[]) $$,
	'the calendar keeps them apart from its own hours');
SELECT is(pg_temp.in_force(), 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2026-12-31 off', 'both count');
SELECT is(sla.policy_document('t regions'), pg_temp.document(), 'the document comes back');

-- Tickets that exist keep their clocks, new ones follow the holidays
CREATE TABLE holidays_ticket (id int PRIMARY KEY, severity text, received_at timestamptz);
SELECT sla.attach('holidays_ticket', policy => 't regions', severity => 'severity', received_at => 'received_at');
INSERT INTO holidays_ticket VALUES (1, 'S1', '2026-12-28 09:00+00');
INSERT INTO sla.holiday VALUES ('TX', '2026-12-28', 'Childermas');
SELECT is(pg_temp.in_force(), 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2026-12-28,2026-12-31 off', 'a holiday shows at once');
INSERT INTO holidays_ticket VALUES (2, 'S1', '2026-12-28 09:00+00');
SELECT results_eq('SELECT id, sla_response_due FROM holidays_ticket ORDER BY id',
	$$ VALUES (1, '2026-12-28 17:00+00'::timestamptz), (2, '2026-12-29 17:00+00') $$, 'for tickets from now on');
DELETE FROM sla.holiday WHERE day = '2026-12-28';
SELECT is(pg_temp.in_force(), 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2026-12-31 off', 'so does one that is called off');
SELECT results_eq($$
	SELECT t.key::int, c.due_at, h.value::text
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.hours h ON h.id = c.hours_id
	JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table = 'holidays_ticket'::regclass ORDER BY t.key $$,
	$$ VALUES (1, '2026-12-28 17:00+00'::timestamptz, 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2026-12-31 off'),
			  (2, '2026-12-29 17:00+00', 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25,2026-12-28,2026-12-31 off') $$,
	'clocks keep the hours they were made with');

-- Versions: what says the same is shared, whatever its holidays are by now
CREATE FUNCTION pg_temp.calendar_of(version int) RETURNS text LANGUAGE sql AS
	'SELECT t.calendar FROM sla.target t WHERE t.policy_version_id = version';
SELECT sla.load_policy(pg_temp.document(), '2030-01-01 00:00+00') AS second \gset
SELECT is(pg_temp.calendar_of(:second), 't regions/support', 'the same regions share a calendar');
SELECT sla.load_policy(pg_temp.document('["TY", "TX-S"]'), '2031-01-01 00:00+00') AS third \gset
SELECT is(pg_temp.calendar_of(:third), 't regions/support@' || :third, 'others get one of their own');
SELECT is((SELECT regions FROM sla.calendar WHERE name = 't regions/support'), '{TX-S}', 'and the earlier one stays');
SELECT sla.load_policy(pg_temp.document('["TX-S", "TY"]'), '2032-01-01 00:00+00') AS fourth \gset
SELECT is(pg_temp.calendar_of(:fourth), 't regions/support@' || :third, 'in whatever order');
SELECT sla.load_policy(pg_temp.document('["TX-S"]', '["2026-12-25", "2026-12-31"]'), '2033-01-01 00:00+00') AS fifth \gset
SELECT is(pg_temp.calendar_of(:fifth), 't regions/support@' || :fifth, 'hours that come out equal today are not the same');
SELECT is((SELECT count(DISTINCT hours_id) FROM sla.calendar WHERE name IN ('t regions/support', 't regions/support@' || :fifth)), 1::bigint,
		  'though they share a row of sla.hours');
SELECT sla.load_policy(pg_temp.document('[]'), '2034-01-01 00:00+00') AS sixth \gset
SELECT is((SELECT regions FROM sla.calendar WHERE name = pg_temp.calendar_of(:sixth)), '{}', 'no regions are fine');

-- Giving back what the tables say
SELECT is(sla.policy_document('t regions', '2032-06-01 00:00+00'), pg_temp.document('["TX-S", "TY"]'), 'as it was loaded');
UPDATE sla.calendar SET regions = '{TZ}' WHERE name = 't regions/support';
SELECT is(sla.policy_document('t regions', '2026-06-01 00:00+00') #> '{calendars,support}',
	'{"hours": "UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-31 off", "regions": ["TZ"]}', 'or as changed since');
SELECT is_empty($$ SELECT * FROM sla.policy_problems(sla.policy_document('t regions', '2026-06-01 00:00+00')) $$, 'what comes back can be loaded');
SELECT is(sla.policy_document('t regions') #> '{calendars,support,regions}', '[]', 'an empty list as it was given');
INSERT INTO sla.holiday VALUES ('TZ', '2027-01-01');
SELECT is(sla.policy_document('t regions', '2030-06-01 00:00+00') #>> '{calendars,support,hours}',
	'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-31 off', 'holidays of regions are not in it');

-- Names that clash, hours that do not: nothing is lost
INSERT INTO sla.policy (name) VALUES ('t hand');
INSERT INTO sla.calendar (name, hours, regions, document_key) VALUES
	('t/x', 'UTC Mo 09:00-10:00; 2027-01-01 off', '{TZ}', 'x'), ('t/y', 'UTC Mo 09:00-10:00', '{TZ}', 'x');
INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t hand', '-infinity', 'UTC') RETURNING id \gset hand
INSERT INTO sla.target VALUES (:handid, 'S1', 'response', '1h', 't/x'), (:handid, 'S2', 'response', '2h', 't/y');
SELECT is((SELECT count(*) FROM jsonb_each(sla.policy_document('t hand') -> 'calendars')), 2::bigint, 'equal today, two calendars');
SELECT is_empty($$ SELECT * FROM sla.policy_problems(sla.policy_document('t hand')) $$, 'which a document may say');

-- Who holidays come from
SELECT ok(NOT has_table_privilege('pg_monitor', 'sla.holiday', 'INSERT, UPDATE, DELETE, TRUNCATE')
		  AND has_table_privilege('pg_monitor', 'sla.holiday', 'SELECT'), 'everybody reads holidays, and changes none');

SELECT * FROM finish();
ROLLBACK;
