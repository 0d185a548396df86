-- The preset managed-hosting, against SLA & Support (seed 003)
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(8);

SELECT sla.load_policy(sla.preset('managed-hosting') || '{"policy": "t managed-hosting"}') AS id \gset
SELECT results_eq(format('SELECT severity::text, metric, goal::text, calendar FROM sla.target WHERE policy_version_id = %s AND goal IS NOT NULL', :id),
	$$ VALUES ('S1', 'response', '1h', 't managed-hosting/always') $$, 'one number: response to P1 within an hour');
SELECT is(sla.deadline('2026-12-25 23:30+00', f.goal, f.hours), '2026-12-26 00:30+00', 'at any hour')
FROM sla.policy_target_in_force('t managed-hosting', '2026-12-25 23:30+00', 'S1', 'response') AS f;
SELECT results_eq(format('SELECT metric, array_agg(severity::text ORDER BY severity) FROM sla.target WHERE policy_version_id = %s AND goal IS NULL GROUP BY metric ORDER BY metric COLLATE "C"', :id),
	$$ VALUES ('resolution', '{S1,S2,S3,S4}'::text[]), ('response', '{S2,S3,S4}'), ('update', '{S1}') $$,
	'to resolve depends; the other responses and the cadence of updates are agreed elsewhere');
SELECT results_eq(format('SELECT severity::text, label FROM sla.severity_label WHERE policy_version_id = %s ORDER BY severity', :id),
	$$ VALUES ('S1', 'Critical (Major Incident)'), ('S2', 'High (Serious Impact)'), ('S3', 'Normal (Limited Impact)'), ('S4', 'Low (Request / Nice-to-have)') $$,
	'P1 to P4');
SELECT is_empty(format('SELECT FROM sla.exemption WHERE policy_version_id = %s', :id), 'the exceptions are those of credits, not of responses');
SELECT is_empty(format('SELECT FROM sla.channel_rule WHERE policy_version_id = %s AND counts_from <> $c$receipt$c$', :id), 'every channel counts from receipt');
SELECT results_eq(format('SELECT severity_change, reopening, entitlement, restricted_accounts FROM sla.policy_version WHERE id = %s', :id),
	$$ VALUES ('from_start', 'continue', 'anyone', 'admit') $$, 'of the rest it says nothing');
SELECT is((SELECT count(*) FROM jsonb_array_elements_text(sla.preset('managed-hosting') -> 'notes') AS note WHERE note LIKE 'Assumption:%'), 5::bigint,
		  'what the published text leaves open is said to be assumed');

SELECT * FROM finish();
ROLLBACK;
