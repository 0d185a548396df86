-- SLA & Support of a managed hosting provider (seed 003), clause by clause as
-- far as it is about tickets. Each comment "-- 003: ..." is a row of
-- doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'Europe/Amsterdam';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(59);

CREATE FUNCTION pg_temp.clock(ticket_table regclass, id int, metric text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.metric, c.severity, 'due', CASE WHEN isfinite(c.due_at) THEN to_char(c.due_at, 'Dy DD HH24:MI') ELSE 'never' END,
		coalesce(c.outcome, 'running'), to_char(c.stopped_at, 'Dy DD HH24:MI'), c.worked), '; ' ORDER BY c.metric, c.cycle)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = $1 AND t.key = $2::text AND c.metric = coalesce($3, c.metric) $$;
CREATE FUNCTION pg_temp.ticket(ticket_table regclass, id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, t.channel, t.assignee, t.exempt)
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = $1 AND t.key = $2::text $$;
CREATE FUNCTION pg_temp.events(ticket_table regclass, id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', e.kind, to_char(e.at, 'HH24:MI'), e.old_value, e.new_value), ', ' ORDER BY e.seq)
	FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = $1 AND t.key = $2::text $$;
CREATE FUNCTION pg_temp.status(ticket_table regclass, id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.metric, s.status), '; ' ORDER BY s.metric) FROM sla.clock_status s
	WHERE s.ticket_table::regclass = $1 AND s.key = $2::text $$;
CREATE FUNCTION pg_temp.attach(ticket_table regclass, policy text) RETURNS bigint LANGUAGE sql AS $$
	SELECT sla.attach($1, $2, severity => 'priority', received_at => 'created_at', responded_at => 'responded_at', last_update_at => 'last_update_at',
		resolved_at => 'resolved_at', changed_at => 'changed_at', status => 'status', paused_when => '{"waiting for a third party"}',
		resolved_when => '{solved,workaround}', account => 'customer', service => 'service', assignee => 'engineer', channel => 'channel', exempt => 'cause') $$;

-- As published; 2026-12-25 is a Friday
SELECT sla.load_policy(sla.preset('managed-hosting') || '{"policy": "t hosting"}') AS id \gset
CREATE TABLE ticket (
	id int PRIMARY KEY,
	customer text,
	service text,
	channel text,
	priority text,
	status text DEFAULT 'open',
	engineer text,
	cause text,
	created_at timestamptz,
	responded_at timestamptz,
	last_update_at timestamptz,
	resolved_at timestamptz,
	changed_at timestamptz);
SELECT pg_temp.attach('ticket', 't hosting');

-- 003: P1 incidents are responded to in less than one hour
-- 003: P1: immediate triage and coordination of the incident
INSERT INTO ticket (id, priority, created_at) VALUES (1, 'P1', '2026-12-25 23:30');
SELECT is(pg_temp.clock('ticket', 1), 'response S1 due Sat 26 00:30 running', 'at any hour');
SELECT is((SELECT sla_response_due FROM ticket WHERE id = 1), '2026-12-26 00:30', 'stamped so');

-- 003: the response time is the time until the first substantive response: triage and next step
UPDATE ticket SET responded_at = '2026-12-26 00:29', changed_at = '2026-12-26 00:29' WHERE id = 1;
SELECT is(pg_temp.clock('ticket', 1), 'response S1 due Sat 26 00:30 met Sat 26 00:29 00:59:00', 'in less than an hour');
UPDATE ticket SET responded_at = '2026-12-26 00:30' WHERE id = 1;
SELECT is(pg_temp.status('ticket', 1), 'response met', 'at the very end of the hour, too: the preset says so');
UPDATE ticket SET responded_at = '2026-12-26 00:45' WHERE id = 1;
SELECT is(pg_temp.status('ticket', 1), 'response breached', 'if that was not substantive, the next one counts');

-- 003: every incident is classified by its impact on the business, which determines the response
-- 003: P1, critical: production is largely unavailable, security, data loss, or payment and critical chain processes are down
-- 003: P2, high: partially not functioning, poor performance, or an important integration fails without direct workaround
-- 003: P3, normal: non-critical functionality, small performance issues, questions, configuration, small changes
-- 003: P4, low: feature requests, wishes for improvement, "can you take a look at..."
SELECT results_eq(format('SELECT severity::text, label, left(description, 28) FROM sla.severity_label WHERE policy_version_id = %s ORDER BY severity', :id), $$ VALUES
	('S1', 'Critical (Major Incident)', 'Production is (largely) unav'),
	('S2', 'High (Serious Impact)', 'The service is available but'),
	('S3', 'Normal (Limited Impact)', 'Non-critical functionality d'),
	('S4', 'Low (Request / Nice-to-have)', 'Feature requests; improvemen') $$, 'the four priorities');
INSERT INTO ticket (id, priority, created_at) VALUES (2, 'P2', '2026-03-02 10:00'), (3, 'P3', '2026-03-02 10:00'), (4, 'P4', '2026-03-02 10:00');
SELECT is(pg_temp.ticket('ticket', id), 'open S' || id, 'P' || id) FROM ticket WHERE id BETWEEN 2 AND 4 ORDER BY id;

-- 003: P2: fast triage and a plan of action
-- 003: P3: a substantive response with follow-up steps
-- 003: P4: an estimate of effort and impact
SELECT is(pg_temp.clock('ticket', id), NULL, 'no time is published for the response to P' || id) FROM ticket WHERE id BETWEEN 2 AND 4 ORDER BY id;
SELECT is((SELECT count(*) FROM ticket WHERE id BETWEEN 2 AND 4 AND sla_response_due IS NULL), 3::bigint, 'so none is stamped');

-- 003: times of response are promised because they are under the provider's control
-- 003: times to resolve depend on complexity, dependencies and the nature of the change: variable
-- 003: P2: resolution by a change or fix at the earliest safe moment
-- 003: P3: resolution by the regular flow of changes
SELECT set_eq(format('SELECT metric FROM sla.target WHERE policy_version_id = %s AND goal IS NOT NULL', :id), '{response}'::text[], 'only responses are promised');
SELECT is(pg_temp.clock('ticket', id, 'resolution'), NULL, 'no clock of resolution runs for P' || id) FROM ticket WHERE id <= 4 ORDER BY id;
UPDATE ticket SET status = 'solved', resolved_at = '2026-06-02 10:00', changed_at = '2026-06-02 10:00' WHERE id BETWEEN 2 AND 3;
SELECT is(pg_temp.ticket('ticket', 2), 'resolved S2', 'solved after three months');
SELECT is(pg_temp.status('ticket', 2), NULL, 'no promise is broken');

-- As agreed: the addendum fills in what is published without a time
-- 003: the SLA addendum says priorities, responses and windows
CREATE FUNCTION pg_temp.addendum(policy text, goals jsonb, further jsonb DEFAULT '{}') RETURNS int LANGUAGE sql AS $$
	SELECT sla.load_policy(d || jsonb_build_object('policy', $1, 'targets', (
		SELECT jsonb_agg(CASE WHEN g IS NULL THEN t ELSE t || jsonb_build_object('goal', g, 'calendar', 'always') END)
		FROM jsonb_array_elements(d -> 'targets') AS t, LATERAL (SELECT $2 ->> ((t ->> 'severity') || ' ' || (t ->> 'metric')) AS g) AS g)) || $3)
	FROM sla.preset('managed-hosting') AS d $$;
SELECT pg_temp.addendum('t addendum', '{"S1 update": "30min", "S1 resolution": "8h", "S2 response": "2h", "S2 resolution": "24h", "S3 response": "8h"}') AS addendum \gset
CREATE TABLE agreed (LIKE ticket INCLUDING ALL);
SELECT pg_temp.attach('agreed', 't addendum');
INSERT INTO agreed (id, priority, created_at) VALUES (1, 'P1', '2026-03-02 10:00'), (2, 'P2', '2026-03-02 10:00'), (3, 'P3', '2026-03-02 10:00'), (4, 'P4', '2026-03-02 10:00');
SELECT is(pg_temp.clock('agreed', 1), 'resolution S1 due Mon 02 18:00 running; response S1 due Mon 02 11:00 running', 'P1');
SELECT is(pg_temp.clock('agreed', 2), 'resolution S2 due Tue 03 10:00 running; response S2 due Mon 02 12:00 running', 'P2');
SELECT is(pg_temp.clock('agreed', 3), 'response S3 due Mon 02 18:00 running', 'P3');
SELECT is(pg_temp.clock('agreed', 4), NULL, 'P4 is promised nothing still');

-- 003: P1: continuous status updates in the cadence that was agreed
-- 003: status updates are given in the ticket, and perhaps on a status page
UPDATE agreed SET responded_at = '2026-03-02 10:20', changed_at = '2026-03-02 10:20' WHERE id = 1;
SELECT is(pg_temp.clock('agreed', 1, 'update'), 'update S1 due Mon 02 10:50 running', 'half an hour after the response');
SELECT is((SELECT sla_update_due FROM agreed WHERE id = 1), '2026-03-02 10:50', 'stamped so');
UPDATE agreed SET last_update_at = '2026-03-02 10:45' WHERE id = 1;
UPDATE agreed SET last_update_at = '2026-03-02 11:20' WHERE id = 1;
SELECT is(pg_temp.clock('agreed', 1, 'update'), 'update S1 due Mon 02 10:50 met Mon 02 10:45 00:25:00; update S1 due Mon 02 11:15 breached Mon 02 11:20 00:35:00; update S1 due Mon 02 11:50 running',
		  'each update begins the next half hour; the second one was late');

-- 003: the resolve time is the time until a solution or workaround
-- 003: P1: focus on stabilization by a workaround, then on the root cause
-- 003: P2: a temporary workaround where possible
UPDATE agreed SET status = 'workaround', resolved_at = '2026-03-02 11:40', changed_at = '2026-03-02 11:40' WHERE id = 1;
SELECT is(pg_temp.clock('agreed', 1, 'resolution'), 'resolution S1 due Mon 02 18:00 met Mon 02 11:40 01:40:00', 'a workaround resolves');
SELECT is((SELECT string_agg(outcome, ',' ORDER BY cycle) FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
		   WHERE a.ticket_table::regclass = 'agreed'::regclass AND t.key = '1' AND metric = 'update'), 'met,breached,met', 'and ends the updates');
UPDATE agreed SET status = 'solved', changed_at = '2026-03-04 12:00' WHERE id = 1;
SELECT is(pg_temp.clock('agreed', 1, 'resolution'), 'resolution S1 due Mon 02 18:00 met Mon 02 11:40 01:40:00', 'the root cause is found later: resolved it was before');
INSERT INTO agreed (id, priority, created_at, responded_at) VALUES (5, 'P1', '2026-03-02 10:00', '2026-03-02 10:00');
UPDATE agreed SET status = 'workaround', resolved_at = '2026-03-02 11:00', changed_at = '2026-03-02 11:00' WHERE id = 5;
UPDATE agreed SET status = 'open', changed_at = '2026-03-02 12:00' WHERE id = 5;
SELECT is(pg_temp.clock('agreed', 5, 'resolution'), 'resolution S1 due Mon 02 19:00 running', 'a workaround that does not hold: what is left of the time goes on');

-- 003: resolve times depend on third parties
INSERT INTO agreed (id, priority, created_at, responded_at) VALUES (6, 'P2', '2026-03-02 10:00', '2026-03-02 11:00');
UPDATE agreed SET status = 'waiting for a third party', changed_at = '2026-03-02 14:00' WHERE id = 6;
SELECT is(pg_temp.ticket('agreed', 6), 'paused S2', 'waiting');
SELECT is(pg_temp.clock('agreed', 6), 'resolution S2 due never running; response S2 due Mon 02 12:00 met Mon 02 11:00 01:00:00', 'its resolution is not due meanwhile');
SELECT is((SELECT sla_resolution_due FROM agreed WHERE id = 6), NULL, 'and not stamped');
UPDATE agreed SET status = 'open', changed_at = '2026-03-03 14:00' WHERE id = 6;
SELECT is(pg_temp.clock('agreed', 6, 'resolution'), 'resolution S2 due Wed 04 10:00 running', 'a day of waiting is a day more');

-- 003: P1: escalation to the right engineers
-- 003: the incident line is for escalation and coordination of P1
INSERT INTO agreed (id, priority, channel, created_at, engineer) VALUES (10, 'P3', 'ticketing', '2026-03-02 10:00', 'first line');
UPDATE agreed SET priority = 'P1', channel = 'incident line', engineer = 'database', changed_at = '2026-03-02 10:30' WHERE id = 10;
SELECT is(pg_temp.ticket('agreed', 10), 'open S1 incident line database', 'escalated by phone');
SELECT is(pg_temp.events('agreed', 10), 'opened 10:00 S3, assigned 10:00 first line, channel 10:30 ticketing incident line, severity 10:30 S3 S1, assigned 10:30 first line database',
		  'who worked on it when');
SELECT is(pg_temp.clock('agreed', 10, 'response'), 'response S1 due Mon 02 11:00 running', 'now a P1');

-- An internal promise of escalation: a metric of one's own
SELECT sla.load_policy(jsonb_insert(sla.preset('managed-hosting'), '{targets,0}', '{"severity": "S1", "metric": "t_escalation", "goal": "15min", "calendar": "always"}')
	|| '{"policy": "t escalation", "metrics": {"t_escalation": {"title": "To an engineer", "starts_on": ["opened"], "stops_on": ["assigned", "resolved"]}}}') AS escalation \gset
CREATE TABLE escalated (LIKE ticket INCLUDING ALL);
SELECT pg_temp.attach('escalated', 't escalation');
INSERT INTO escalated (id, priority, created_at) VALUES (1, 'P1', '2026-03-02 10:00');
UPDATE escalated SET engineer = 'database', changed_at = '2026-03-02 10:12' WHERE id = 1;
SELECT is(pg_temp.clock('escalated', 1, 't_escalation'), 't_escalation S1 due Mon 02 10:15 met Mon 02 10:12 00:12:00', 'assigned within a quarter of an hour');

-- 003: contact is by email, phone or chat
-- 003: ticketing is the standard channel and always the source of truth
INSERT INTO agreed (id, priority, channel, created_at) VALUES (20, 'P2', 'email', '2026-03-02 10:00'), (21, 'P2', 'phone', '2026-03-02 10:00'),
	(22, 'P2', 'chat', '2026-03-02 10:00'), (23, 'P2', 'ticketing', '2026-03-02 10:00');
SELECT is(pg_temp.clock('agreed', id, 'response'), 'response S2 due Mon 02 12:00 running', 'counts from receipt: by ' || channel) FROM agreed WHERE id BETWEEN 20 AND 23 ORDER BY id;
UPDATE agreed SET responded_at = '2026-03-02 12:30', changed_at = '2026-03-02 12:30' WHERE id = 23;
SELECT is(pg_temp.status('agreed', 23), 'resolution breached; response breached', 'what the ticket says counts');
UPDATE agreed SET responded_at = '2026-03-02 11:30', changed_at = '2026-03-02 13:00' WHERE id = 23;
SELECT is(pg_temp.clock('agreed', 23, 'response'), 'response S2 due Mon 02 12:00 met Mon 02 11:30 01:30:00', 'also when it is put right');
SELECT is(pg_temp.events('agreed', 23), 'opened 10:00 S2, replied 12:30, retracted 13:00 2, replied 11:30', 'which is not hidden');

-- 003: the exceptions, such as planned maintenance and force majeure, are those of credits and uptime
INSERT INTO agreed (id, priority, created_at, cause) VALUES (30, 'P1', '2026-03-02 10:00', 'planned maintenance'), (31, 'P1', '2026-03-02 10:00', 'force majeure');
SELECT is(pg_temp.clock('agreed', id, 'response'), 'response S1 due Mon 02 11:00 running', 'a P1 is responded to all the same: ' || cause) FROM agreed WHERE id IN (30, 31) ORDER BY id;

-- 003: SLAs are described per package and per service: hosting, portal, control plane
SELECT pg_temp.addendum('t basic', '{"S2 response": "8h"}') AS basic, pg_temp.addendum('t plus', '{"S2 response": "2h"}') AS plus \gset
INSERT INTO sla.calendar (name, hours) VALUES ('t office', 'Europe/Amsterdam Mo-Fr 09:00-17:00');
INSERT INTO sla.contract (account, service, policy, valid, calendar) VALUES
	('Acme', NULL, 't basic', '[2026-01-01 00:00+01,)', NULL), ('Acme', 'control plane', 't plus', '[2026-01-01 00:00+01,)', NULL), ('Zen', NULL, 't basic', '[2026-01-01 00:00+01,)', 't office');
CREATE TABLE packaged (LIKE ticket INCLUDING ALL);
SELECT pg_temp.attach('packaged', NULL);
INSERT INTO packaged (id, priority, customer, service, created_at) VALUES (1, 'P2', 'Acme', 'hosting', '2026-03-02 10:00'), (2, 'P2', 'Acme', 'portal', '2026-03-02 10:00'),
	(3, 'P2', 'Acme', 'control plane', '2026-03-02 10:00'), (4, 'P2', 'Zen', 'hosting', '2026-03-02 10:00'), (5, 'P2', 'Who', 'hosting', '2026-03-02 10:00');
SELECT is(pg_temp.clock('packaged', 1), 'response S2 due Mon 02 18:00 running', 'hosting by the package');
SELECT is(pg_temp.clock('packaged', 2), 'response S2 due Mon 02 18:00 running', 'the portal likewise');
SELECT is(pg_temp.clock('packaged', 3), 'response S2 due Mon 02 12:00 running', 'the control plane has an agreement of its own');
SELECT is(pg_temp.clock('packaged', 4), 'response S2 due Tue 03 10:00 running', 'another customer has agreed on office hours');
SELECT is(pg_temp.ticket('packaged', 5), 'open S2 uncovered: account "Who" had no valid contract', 'without a package nothing is promised');

-- 003: what is covered by the SLA and what is not is transparent, by clear priorities and definitions
SELECT ok(has_table_privilege('public', 'sla.' || t, 'SELECT'), 'everyone may read sla.' || t) FROM unnest('{target,severity_label,channel_rule,exemption}'::text[]) AS t;
SELECT is(sla.policy_document('t hosting') - 'policy', sla.preset('managed-hosting') - 'policy', 'and the whole policy');

-- 003: the implementation plan makes the agreement measurable
SELECT is((SELECT concat_ws(' ', sum(met), sum(breached)) FROM sla.compliance_by_month
		   WHERE policy = 't hosting' AND month = '2026-12-01' AND metric = 'response'), '0 1', 'kept and broken promises of a month');

SELECT * FROM finish();
ROLLBACK;
