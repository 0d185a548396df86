-- The rules of a policy version: what their tables accept, and that they go
-- with the version
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(97);

INSERT INTO sla.policy (name) VALUES ('t policy');
INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t policy', '-infinity', 'UTC') RETURNING id \gset
SET LOCAL test.version = :id;
CREATE FUNCTION pg_temp.version() RETURNS int LANGUAGE sql AS $$ SELECT current_setting('test.version')::int $$;

-- What a version says when it says nothing
SELECT results_eq('SELECT severity_change, reopening, entitlement, restricted_accounts FROM sla.policy_version WHERE id = pg_temp.version()',
	$$ VALUES ('from_start', 'continue', 'anyone', 'admit') $$, 'what is so by default');
INSERT INTO sla.calendar (name, hours) VALUES ('t always', '24/7');
INSERT INTO sla.target VALUES (:id, 'S1', 'response', '1h', 't always');
SELECT results_eq('SELECT alerts, pausable FROM sla.target WHERE policy_version_id = pg_temp.version()', $$ VALUES ('{1}'::text[], true) $$,
	'a target is alerted about when it is breached, and pauses');
SELECT lives_ok(format('UPDATE sla.policy_version SET %I = %L WHERE id = pg_temp.version()', col, value), format('%s: %s', col, value))
FROM (VALUES ('severity_change', 'from_change'), ('severity_change', 'carry'), ('severity_change', 'from_start'),
			 ('reopening', 'restart'), ('reopening', 'continue'), ('entitlement', 'contract'), ('entitlement', 'anyone'),
			 ('restricted_accounts', 'uncovered'), ('restricted_accounts', 'reject'), ('restricted_accounts', 'admit')) AS v(col, value);
SELECT throws_ok(format('UPDATE sla.policy_version SET %I = %L WHERE id = pg_temp.version()', col, value), code, NULL,
				 format('no %s: %s', col, coalesce(value, 'NULL')))
FROM unnest('{severity_change,reopening,entitlement,restricted_accounts}'::text[]) AS col,
	 (VALUES ('', '23514'), ('From_start', '23514'), (NULL, '23502')) AS v(value, code);

-- Alerts
SELECT lives_ok(format('UPDATE sla.target SET alerts = %L WHERE policy_version_id = pg_temp.version()', alerts), 'alerts ' || alerts)
FROM unnest(ARRAY['{}', '{1}', '{0.5,0.75,1,30min}', '{.5,1.0}', '{0.000001}', '{0.5,"1 h 30 min",1:00,P0DT45M}', '{2000h}']) AS alerts;
SELECT throws_ok(format('UPDATE sla.target SET alerts = %L WHERE policy_version_id = pg_temp.version()', alerts), code, NULL, format('no alerts %s', coalesce(alerts, 'NULL')))
FROM (VALUES (NULL, '23502'), ('{NULL}', '23514'), ('{0}', '23514'), ('{0.0}', '23514'), ('{1.01}', '23514'), ('{2}', '23514'), ('{""}', '23514'),
			 ('{.}', '23514'), ('{0.5.5}', '23514'), ('{0.0000001}', '23514'), ('{0min}', '23514'), ('{-30min}', '23514'), ('{1bd}', '23514'),
			 ('{1bd 3h}', '23514'), ('{-0.5}', '22P02'), ('{half}', '22P02'), ('{50%}', '22P02'), ('{1 day}', '22P02'),
			 ('{0.5,0.50}', '23514'), ('{1,1.0}', '23514'), ('{60min,1h}', '23514')) AS v(alerts, code);
UPDATE sla.target SET alerts = '{0.50,"90 min",1.0,P0DT45M}' WHERE policy_version_id = :id;
SELECT is(alerts, '{0.5,1h 30min,1,45min}', 'rows have them in one spelling') FROM sla.target WHERE policy_version_id = :id;
SELECT is(sla.canonical_alerts('{30min,1.0,90min,.50,1:00,0.25}'), '{0.25,0.5,1,1h 30min,1h,30min}', 'alerts in one spelling');
SELECT throws_ok('UPDATE sla.target SET pausable = NULL WHERE policy_version_id = pg_temp.version()', '23502', NULL, 'a target pauses or not');

-- Rows
SELECT lives_ok(format('INSERT INTO sla.%s VALUES (pg_temp.version(), %s)', tab, row), format('%s (%s)', tab, row))
FROM (VALUES ('severity_label', $$'P1', 'Critical', 'Everything is down.'$$), ('severity_label', $$'S9', 'Wish'$$),
			 ('severity_cap', $$'api', 'S2'$$), ('severity_cap', $$'*', 'sev 3'$$),
			 ('channel_rule', $$'e-mail to support', 'investigation'$$), ('channel_rule', $$'*', 'never'$$), ('channel_rule', $$'portal', 'receipt'$$),
			 ('exemption', $$'known_incident', 'On the status page'$$), ('exemption', $$'other', NULL$$)) AS v(tab, row);
SELECT throws_ok(format('INSERT INTO sla.%s VALUES (pg_temp.version(), %s)', tab, row), code, NULL, format('no %s (%s)', tab, row))
FROM (VALUES ('severity_label', $$'S1', 'Again'$$, '23505'), ('severity_label', $$'S2', NULL$$, '23502'), ('severity_label', $$'S2', ' '$$, '23514'),
			 ('severity_label', $$'S2', 'High', ''$$, '23514'), ('severity_label', $$NULL, 'None'$$, '23502'),
			 ('severity_cap', $$'api', 'S3'$$, '23505'), ('severity_cap', $$'', 'S3'$$, '23514'), ('severity_cap', $$' x', 'S3'$$, '23514'),
			 ('severity_cap', $$'x', NULL$$, '23502'), ('severity_cap', $$NULL, 'S2'$$, '23502'), ('severity_cap', $$repeat('x', 256), 'S2'$$, '23514'),
			 ('channel_rule', $$'portal', 'never'$$, '23505'), ('channel_rule', $$'x', 'opened'$$, '23514'), ('channel_rule', $$'x', NULL$$, '23502'),
			 ('channel_rule', $$E'a\tb', 'never'$$, '23514'),
			 ('exemption', $$'other', 'Again'$$, '23505'), ('exemption', $$'', 'Nothing'$$, '23514'), ('exemption', $$'x', ' '$$, '23514'),
			 ('exemption', $$'error: x', 'Ours'$$, '23514'), ('exemption', $$'uncovered: x', 'Ours'$$, '23514')) AS v(tab, row, code);
SELECT is(sla.is_rule_key(key), expected, format('%L as a product, channel or reason', left(to_json(key)::text, 20)))
FROM (VALUES ('*', true), ('Überall 24/7 @home', true), (repeat('x', 255), true), (repeat('ü', 128), false), ('', false), ('x ', false), (E'a\nb', false)) AS v(key, expected);

-- They belong to a version
SELECT throws_ok(format('INSERT INTO sla.%s VALUES (0, %s)', tab, row), '23503', NULL, format('no %s of no version', tab))
FROM (VALUES ('severity_label', $$'S1', 'Critical'$$), ('severity_cap', $$'api', 'S2'$$), ('channel_rule', $$'x', 'never'$$), ('exemption', $$'x', NULL$$)) AS v(tab, row);
SELECT throws_ok('UPDATE sla.exemption SET policy_version_id = 0 WHERE policy_version_id = pg_temp.version()', '23503', NULL, 'nor can one be moved there');
DELETE FROM sla.policy WHERE name = 't policy';
SELECT is_empty($$
	SELECT FROM sla.severity_label WHERE policy_version_id = pg_temp.version()
	UNION ALL SELECT FROM sla.severity_cap WHERE policy_version_id = pg_temp.version()
	UNION ALL SELECT FROM sla.channel_rule WHERE policy_version_id = pg_temp.version()
	UNION ALL SELECT FROM sla.exemption WHERE policy_version_id = pg_temp.version() $$,
	'they are deleted with the policy');

SELECT * FROM finish();
ROLLBACK;
