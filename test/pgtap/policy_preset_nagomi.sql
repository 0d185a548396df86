-- The preset nagomi, against Nagomi Security: Customer support policy (seed 004)
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(11);

SELECT sla.load_policy(sla.preset('nagomi') || '{"policy": "t nagomi"}') AS id \gset
-- Premium Plan Performance Metrics
SELECT results_eq(format($$
	SELECT r.severity::text, r.goal::text, u.goal::text, rc.hours::text, uc.hours::text
	FROM sla.target r JOIN sla.target u ON u.policy_version_id = r.policy_version_id AND u.severity::text = r.severity::text
		 JOIN sla.calendar rc ON rc.name = r.calendar JOIN sla.calendar uc ON uc.name = u.calendar
	WHERE r.policy_version_id = %s AND r.metric = 'response' AND u.metric = 'update' ORDER BY r.severity $$, :id),
	$$ VALUES ('S1', '1h', '2h', '24/7', '24/7'), ('S2', '2h', '4h', '24/7', '24/7'),
			  ('S3', '4h', '8h', '24/7', '24/7'), ('S4', '8h', '8h', '24/7', '24/7') $$,
	'time to first response and update frequency, around the clock');
SELECT results_eq(format('SELECT severity::text FROM sla.target WHERE policy_version_id = %s AND metric = $m$resolution$m$ AND goal IS NULL ORDER BY severity', :id),
	'VALUES (''S1''), (''S2''), (''S3''), (''S4'')', 'resolution times are not guaranteed');
SELECT is((SELECT count(*) FROM sla.target WHERE policy_version_id = :id), 12::bigint, 'and nothing else is promised');
SELECT is((SELECT restarts_on FROM sla.metric WHERE name = 'update'), '{replied,updated}', 'each thing the customer hears restarts the time to the next');
SELECT is(sla.deadline('2026-12-31 23:30+00', goal, '24/7'), '2027-01-01 07:30+00', 'over the new year')
FROM sla.target WHERE policy_version_id = :id AND severity::text = 'S4' AND metric = 'response';
SELECT results_eq(format('SELECT severity::text, label FROM sla.severity_label WHERE policy_version_id = %s ORDER BY severity', :id),
	$$ VALUES ('S1', 'Priority 1'), ('S2', 'Priority 2'), ('S3', 'Priority 3'), ('S4', 'Priority 4') $$, 'four priority levels');
SELECT results_eq(format('SELECT channel, counts_from FROM sla.channel_rule WHERE policy_version_id = %s ORDER BY channel COLLATE "C"', :id),
	$$ VALUES ('email', 'investigation'), ('portal', 'receipt') $$, 'email is a request for information until it is investigated');
SELECT results_eq(format('SELECT entitlement, restricted_accounts FROM sla.policy_version WHERE id = %s', :id), $$ VALUES ('contract', 'uncovered') $$,
	'an up-to-date, paid and valid subscription is needed');
SELECT results_eq(format('SELECT severity_change, reopening FROM sla.policy_version WHERE id = %s', :id), $$ VALUES ('from_start', 'continue') $$,
	'of other changes it says nothing');
SELECT set_eq(format('SELECT reason FROM sla.exemption WHERE policy_version_id = %s', :id),
	'{unsupported_release,custom_development,scheduled_maintenance,third_party_interference,initial_misconfiguration,customer_cause,configuration_not_updated,customer_internet}'::text[],
	'what lies outside of the policy, and of the availability of support');
SELECT is((SELECT count(*) FROM jsonb_array_elements_text(sla.preset('nagomi') -> 'notes') AS note WHERE note LIKE 'Assumption:%'), 8::bigint,
		  'what the published text leaves open is said to be assumed');

SELECT * FROM finish();
ROLLBACK;
