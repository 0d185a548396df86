-- The preset amazee, against amazee.io: Common Customer Requests (seeds 000 and 001)
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(7);

SELECT sla.load_policy(sla.preset('amazee') || '{"policy": "t amazee"}') AS id \gset
SELECT is_empty(format('SELECT FROM sla.target WHERE policy_version_id = %s AND goal IS NOT NULL', :id), 'the text gives no time, so no time is promised');
SELECT results_eq(format('SELECT t.severity::text, t.metric, c.hours::text FROM sla.target t JOIN sla.calendar c ON c.name = t.calendar WHERE policy_version_id = %s ORDER BY t.severity', :id),
	$$ VALUES ('S1', 'response', '24/7'), ('S2', 'response', 'UTC Mo-Fr 00:00-24:00') $$,
	'global business hours are 24/5; emergencies have no hours');
SELECT results_eq(format('SELECT severity::text, label FROM sla.severity_label WHERE policy_version_id = %s ORDER BY severity', :id),
	$$ VALUES ('S1', 'Emergency'), ('S2', 'Request') $$, 'a ticket can be escalated to emergency status');
SELECT is((SELECT restricted_accounts FROM sla.policy_version WHERE id = :id), 'uncovered', 'level 1 of unsettled bills cuts off support');
SELECT set_eq(format('SELECT channel FROM sla.channel_rule WHERE policy_version_id = %s AND counts_from = $c$receipt$c$', :id), '{slack,portal,email}'::text[], 'the channels it names');
SELECT is_empty(format('SELECT FROM sla.severity_cap WHERE policy_version_id = %s UNION ALL SELECT FROM sla.exemption WHERE policy_version_id = %1$s', :id), 'no caps and no exemptions');
SELECT is((SELECT count(*) FROM jsonb_array_elements_text(sla.preset('amazee') -> 'notes') AS note WHERE note LIKE 'Assumption:%'), 6::bigint,
		  'what the published text leaves open is said to be assumed');

SELECT * FROM finish();
ROLLBACK;
