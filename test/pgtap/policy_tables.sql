-- The policy tables: what they accept, intern, protect and dump
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(72);

-- Interning: equal hours share a row, whoever writes them
INSERT INTO sla.calendar (name, hours) VALUES
	('t one', 'Europe/Berlin Mo-Fr 09:00-17:00'),
	('t same', 'europe/berlin Mo,Tu,We,Th,Fr 09:00-12:00,12:00-17:00'),
	('t other', 'Europe/Berlin Mo-Fr 09:00-18:00');
CREATE FUNCTION pg_temp.hours_id(name text) RETURNS int LANGUAGE sql AS
	'SELECT c.hours_id FROM sla.calendar c WHERE c.name = $1';
SELECT is(pg_temp.hours_id('t same'), pg_temp.hours_id('t one'), 'two spellings of one calendar share hours');
SELECT isnt(pg_temp.hours_id('t other'), pg_temp.hours_id('t one'), 'different calendars do not');
SELECT is((SELECT value::text FROM sla.hours WHERE id = pg_temp.hours_id('t one')),
		  'Europe/Berlin Mo-Fr 09:00-17:00', 'the hours row holds the hours');

SELECT pg_temp.hours_id('t one') AS before \gset
UPDATE sla.calendar SET hours = sla.with_holidays(hours, '{2026-12-25}') WHERE name = 't one';
SELECT isnt(pg_temp.hours_id('t one'), :before, 'changed hours are other hours');
SELECT is((SELECT value::text FROM sla.hours WHERE id = :before), 'Europe/Berlin Mo-Fr 09:00-17:00',
		  'and the old ones stay for the clocks that have them');
UPDATE sla.calendar SET hours = 'Europe/Berlin Mo-Fr 09:00-17:00' WHERE name = 't one';
SELECT is(pg_temp.hours_id('t one'), :before, 'changing them back finds the old row');
UPDATE sla.calendar SET hours_id = pg_temp.hours_id('t other') WHERE name = 't one';
SELECT is(pg_temp.hours_id('t one'), :before, 'hours_id cannot come to say something else than hours');
INSERT INTO sla.calendar (name, hours, hours_id)
	VALUES ('t crossed', 'Europe/Berlin Mo-Fr 09:00-17:00', pg_temp.hours_id('t other'));
SELECT is(pg_temp.hours_id('t crossed'), :before, 'nor say it from the start');
INSERT INTO sla.calendar (name, hours, hours_id)
	VALUES ('t restored', 'Europe/Berlin Mo-Fr 09:00-17:00', :before);
SELECT is(pg_temp.hours_id('t restored'), :before, 'a restore finds the row it brings');
SELECT throws_ok($$ INSERT INTO sla.calendar (name) VALUES ('t none') $$, '23502', NULL, 'hours are required');
SELECT throws_ok($$ INSERT INTO sla.hours (value) VALUES ('Europe/Berlin Mo-Fr 09:00-17:00') $$, '23P01', NULL,
				 'no two rows of sla.hours hold equal hours');

-- Hours and shipped metrics stay as they are
SELECT throws_ok(command, '55000', NULL, command)
FROM unnest(ARRAY[
	$$ UPDATE sla.hours SET value = '24/7' $$,
	$$ DELETE FROM sla.hours $$,
	$$ TRUNCATE sla.hours CASCADE $$,
	$$ TRUNCATE sla.metric CASCADE $$,
	$$ DELETE FROM sla.metric WHERE name = 'response' $$,
	$$ UPDATE sla.metric SET stops_on = '{replied}' WHERE name = 'response' $$,
	$$ INSERT INTO sla.metric VALUES ('t', 'T', '{opened}', '{replied}', '{}', true) $$
]) AS command;
SELECT results_eq(
	$$ SELECT name, starts_on, stops_on, restarts_on FROM sla.metric WHERE shipped ORDER BY name COLLATE "C" $$,
	$$ VALUES ('reply', '{customer_replied}'::text[], '{replied,updated,resolved}'::text[], '{}'::text[]),
			  ('resolution', '{opened}', '{resolved}', '{}'),
			  ('response', '{opened}', '{replied,resolved}', '{}'),
			  ('update', '{replied}', '{resolved}', '{replied,updated}') $$,
	'four metrics ship');
SELECT lives_ok(command, command)
FROM unnest(ARRAY[
	$$ INSERT INTO sla.metric (name, title, starts_on, stops_on) VALUES ('t mine', 'Mine', '{replied}', '{resolved}') $$,
	$$ UPDATE sla.metric SET starts_on = '{reopened}' WHERE name = 't mine' $$,
	$$ DELETE FROM sla.metric WHERE name = 't mine' $$
]) AS command;
SELECT throws_ok(format('INSERT INTO sla.metric (name, title, starts_on, stops_on, restarts_on) VALUES (%L, %L, %L, %L, %L)', 't', 'T', starts, stops, restarts),
				 '23514', NULL, format('no metric from %s to %s, again from %s', starts, stops, restarts))
FROM (VALUES ('{}', '{resolved}', '{}'), ('{opened}', '{}', '{}'), ('{opened}', '{closed}', '{}'), ('{NULL}', '{resolved}', '{}'),
			 ('{severity}', '{resolved}', '{}'), ('{opened,replied}', '{replied}', '{}'),
			 ('{opened}', '{resolved}', '{paused}'), ('{opened}', '{resolved}', '{NULL}'), ('{opened}', '{resolved}', '{replied,resolved}')) AS v(starts, stops, restarts);
SELECT lives_ok(format('INSERT INTO sla.metric (name, title, starts_on, stops_on, restarts_on) VALUES (%L, %L, %L, %L, %L)', 't ' || kind, 'T', ARRAY[kind], '{resolved}', ARRAY[kind]),
				'a metric from and again from ' || kind)
FROM unnest(sla.metric_event_kinds()) AS kind WHERE kind <> 'resolved';

-- Names
SELECT is(sla.is_policy_name(name), expected, format('%L as a name', name))
FROM (VALUES ('acme', true), ('ACME support 24', true), ('Überall', true), (repeat('x', 63), true),
			 (repeat('x', 64), false), (repeat('ü', 32), false), ('', false), (' x', false), ('x ', false),
			 ('a/b', false), ('a@b', false), (E'a\tb', false)) AS v(name, expected);

-- Rows hang together: a policy goes with all it brought, and leaves the rest
INSERT INTO sla.policy (name) VALUES ('t policy'), ('t neighbour');
INSERT INTO sla.calendar (name, hours, policy) VALUES ('t policy/c', '24/7', 't policy');
INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t policy', '-infinity', 'UTC') RETURNING id AS gone \gset
INSERT INTO sla.target VALUES (:gone, 'S1', 'response', '1h', 't policy/c');
SELECT throws_ok($$ DELETE FROM sla.calendar WHERE name = 't policy/c' $$, '23503', NULL, 'a calendar in use stays');
SELECT throws_ok($$ TRUNCATE sla.calendar $$, '23503', NULL, 'all of them together too');
INSERT INTO sla.metric (name, title, starts_on, stops_on) VALUES ('t used', 'Used', '{replied}', '{resolved}');
INSERT INTO sla.target VALUES (:gone, 'S1', 't used', '1h', 't policy/c');
SELECT throws_ok($$ DELETE FROM sla.metric WHERE name = 't used' $$, '23503', NULL, 'and a metric in use');
SELECT throws_ok(command, '55000', NULL, command)
FROM unnest(ARRAY[
	$$ UPDATE sla.policy SET name = 't renamed' WHERE name = 't policy' $$,
	$$ UPDATE sla.calendar SET name = 't renamed' WHERE name = 't policy/c' $$,
	$$ UPDATE sla.metric SET name = 't renamed' WHERE name = 't used' $$,
	$$ UPDATE sla.policy_version SET id = id + 1000000 WHERE policy = 't policy' $$
]) AS command;
DELETE FROM sla.policy WHERE name = 't policy';
SELECT is_empty(format($$
	SELECT FROM sla.policy_version WHERE policy = 't policy'
	UNION ALL SELECT FROM sla.calendar WHERE policy = 't policy'
	UNION ALL SELECT FROM sla.target WHERE policy_version_id = %s $$, :gone),
	'a policy is deleted with versions, targets and calendars');
SELECT lives_ok($$ DELETE FROM sla.metric WHERE name = 't used' $$, 'a metric no longer in use can go');
SELECT is((SELECT count(*) FROM sla.calendar WHERE name LIKE 't %' AND policy IS NULL), 5::bigint, 'calendars of no policy stay');

INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t neighbour', '-infinity', 'UTC') RETURNING id \gset v
SELECT throws_ok(format('INSERT INTO sla.target VALUES (%s, %s)', :vid, promise), code, NULL, 'no target ' || promise)
FROM (VALUES ($$'S1', 'response', '1h', NULL$$, '23514'),
			 ($$'S1', 'response', '0', 't one'$$, '23514'),
			 ($$'S1', 'response', '-1h', 't one'$$, '23514'),
			 ($$'S1', 'respond', '1h', 't one'$$, '23503'),
			 ($$'S1', 'response', '1h', 't nowhere'$$, '23503')) AS v(promise, code);
SELECT throws_ok($$ INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t neighbour', 'infinity', 'UTC') $$,
				 '23514', NULL, 'no version never comes into force');
SELECT throws_ok($$ INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t nobody', '-infinity', 'UTC') $$,
				 '23503', NULL, 'no version of no policy');
SELECT throws_ok($$ INSERT INTO sla.calendar (name, hours, policy) VALUES ('t x', '24/7', 't nobody') $$,
				 '23503', NULL, 'no calendar of a policy that is none');
SELECT throws_ok($$ INSERT INTO sla.target VALUES (0, 'S1', 'response', '1h', 't one') $$,
				 '23503', NULL, 'no target of no version');

-- Everyone may read policies, and change none
SELECT ok(bool_and(has_table_privilege('pg_monitor', 'sla.' || name, 'SELECT')
				   AND NOT has_table_privilege('pg_monitor', 'sla.' || name, 'INSERT, UPDATE, DELETE, TRUNCATE')),
		  'everyone reads the policy tables, and only reads')
FROM unnest('{holiday,holiday_revision,hours,policy,policy_version,calendar,metric,target,severity_label,severity_cap,channel_rule,exemption}'::text[]) AS name;

-- Documentation and dump
SELECT is_empty($$
	SELECT c.oid::regclass, a.attname
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
	WHERE c.oid = ANY ('{sla.holiday,sla.holiday_revision,sla.hours,sla.policy,sla.policy_version,sla.calendar,sla.metric,sla.target,sla.severity_label,sla.severity_cap,sla.channel_rule,sla.exemption,sla.contract}'::regclass[])
	  AND col_description(c.oid, a.attnum) IS NULL $$, 'every column is described');
SELECT is_empty($$
	SELECT name FROM unnest('{sla.holiday,sla.hours,sla.hours_id_seq,sla.policy,sla.policy_version,sla.policy_version_id_seq,sla.calendar,sla.metric,sla.target,sla.severity_label,sla.severity_cap,sla.channel_rule,sla.exemption,sla.contract,sla.contract_id_seq}'::regclass[]) AS name
	WHERE name <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'slapolicy')::oid[]) $$,
	'every table and sequence is dumped');

SELECT * FROM finish();
ROLLBACK;
