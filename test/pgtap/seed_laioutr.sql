-- Laioutr: Customer Support (seed 002): severity levels, support hours and the
-- initial response, clause by clause. Each comment "-- 002: ..." is a row of
-- doc/seeds.md; seed_laioutr_scope.sql has what is exempt, limited or out of
-- scope.
BEGIN;
SET LOCAL timezone = 'Europe/Berlin';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(48);

-- 2026-03-01 is a Sunday; 2026-04-03 and 2026-04-06 are Good Friday and Easter Monday.
SELECT sla.load_policy(sla.preset('laioutr') || '{"policy": "t laioutr"}') AS id \gset
CREATE TABLE request (
	id int PRIMARY KEY,
	customer text,
	product text,
	subject text,
	level_wanted text,
	level text,
	occurred_at timestamptz,
	submitted_at timestamptz,
	confirmed_automatically_at timestamptz,
	responded_at timestamptz,
	responded_by text,
	solved_at timestamptz,
	changed_at timestamptz,
	engineers text,
	language text);
SELECT sla.attach('request', 't laioutr', severity => 'level', received_at => 'submitted_at', responded_at => 'responded_at',
	resolved_at => 'solved_at', changed_at => 'changed_at', account => 'customer', product => 'product', team => 'engineers', labels => '{language}');

CREATE FUNCTION pg_temp.clock(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.metric, c.severity, 'due', to_char(c.due_at, 'Dy DD HH24:MI'), coalesce(c.outcome, 'running'),
		to_char(c.stopped_at, 'Dy DD HH24:MI'), c.worked), '; ' ORDER BY c.metric, c.cycle)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = $1::text $$;
CREATE FUNCTION pg_temp.ticket(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, t.account, t.product, t.team, t.labels ->> 'language', t.exempt)
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = $1::text $$;
CREATE FUNCTION pg_temp.status(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.metric, s.status, s.late_by), '; ' ORDER BY s.metric) FROM sla.clock_status s
	WHERE s.ticket_table::regclass = 'request'::regclass AND s.key = $1::text $$;
CREATE FUNCTION pg_temp.stamps(id int) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(to_char(r.sla_response_due, 'Dy DD HH24:MI'), '-'), coalesce(to_char(r.sla_update_due, 'Dy DD HH24:MI'), '-'),
		coalesce(to_char(r.sla_resolution_due, 'Dy DD HH24:MI'), '-'))
	FROM request r WHERE r.id = $1 $$;

-- 002: customers create requests about technical or functional topics of a product
-- 002: support is given by dedicated teams of support engineers
-- 002: support is provided in English
INSERT INTO request (id, customer, product, level, submitted_at, engineers, language) VALUES (1, 'Acme', 'studio', 'S4', '2026-03-02 10:00', 'frontend', 'en');
SELECT is(pg_temp.ticket(1), 'open S4 Acme studio frontend en', 'who asks about which product, who works on it, and what reports may want to know');
SELECT is(pg_temp.clock(1), 'response S4 due Wed 04 10:00 running', 'its one promise');

-- 002: S1 is responded to within 60 minutes, 24/7
INSERT INTO request (id, level, submitted_at) VALUES (10, 'S1', '2026-12-25 23:30'), (11, 'S1', '2026-03-29 01:30');
SELECT is(pg_temp.stamps(10), 'Sat 26 00:30 - -', 'on Christmas night');
SELECT is(pg_temp.stamps(11), 'Sun 29 03:30 - -', 'in the night in which an hour is left out');
UPDATE request SET responded_at = '2026-12-26 00:30' WHERE id = 10;
SELECT is(pg_temp.clock(10), 'response S1 due Sat 26 00:30 met Sat 26 00:30 01:00:00', 'in the last moment it is in time');
UPDATE request SET responded_at = '2026-12-26 00:31' WHERE id = 10;
SELECT is(pg_temp.status(10), 'response breached 00:01:00', 'a minute later it is not');

-- 002: S2 is responded to within 180 minutes, 24/7
INSERT INTO request (id, level, submitted_at) VALUES (12, 'S2', '2026-03-07 22:30');
SELECT is(pg_temp.stamps(12), 'Sun 08 01:30 - -', 'on a Saturday night');
UPDATE request SET responded_at = '2026-03-08 01:29' WHERE id = 12;
SELECT is(pg_temp.clock(12), 'response S2 due Sun 08 01:30 met Sun 08 01:29 02:59:00', 'just in time');

-- 002: S3 is responded to within 12 hours during support hours
-- 002: support hours of S3 and S4 are 24/5, Monday to Friday except regional holiday periods
INSERT INTO request (id, level, submitted_at) VALUES
	(20, 'S3', '2026-03-03 18:00'), (21, 'S3', '2026-03-06 16:40'), (22, 'S3', '2026-04-02 20:00'), (23, 'S3', '2026-04-04 11:00'), (24, 'S3', '2026-03-27 16:40');
SELECT is(pg_temp.stamps(20), 'Wed 04 06:00 - -', 'through the night in the week');
SELECT is(pg_temp.stamps(21), 'Mon 09 04:40 - -', 'not over the weekend');
SELECT is(pg_temp.stamps(22), 'Tue 07 08:00 - -', 'neither on Good Friday, the weekend and Easter Monday');
SELECT is(pg_temp.stamps(23), 'Tue 07 12:00 - -', 'submitted on a closed day');
SELECT is(pg_temp.stamps(24), 'Mon 30 04:40 - -', 'over the weekend on which clocks change');

-- 002: S4 is responded to within 48 hours during support hours
INSERT INTO request (id, level, submitted_at) VALUES (25, 'S4', '2026-04-01 12:00'), (26, 'S4', '2026-03-05 12:00');
SELECT is(pg_temp.stamps(25), 'Tue 07 12:00 - -', 'half of Wednesday, Thursday, and half of Tuesday after Easter');
SELECT is(pg_temp.stamps(26), 'Mon 09 12:00 - -', 'two days and a weekend');

-- 002: support hours are when requests are handled: the target counts within them and pauses outside
UPDATE request SET responded_at = '2026-04-04 12:00' WHERE id = 22;
SELECT is(pg_temp.clock(22), 'response S3 due Tue 07 08:00 met Sat 04 12:00 04:00:00', 'on Saturday no more is used up than by Thursday night');
UPDATE request SET responded_at = '2026-04-07 09:30' WHERE id = 22;
SELECT is(pg_temp.clock(22), 'response S3 due Tue 07 08:00 breached Tue 07 09:30 13:30:00', 'late by support hours');
SELECT is(pg_temp.status(22), 'response breached 01:30:00', 'namely by one and a half');
UPDATE request SET responded_at = '2026-04-05 11:00' WHERE id = 23;
SELECT is(pg_temp.clock(23), 'response S3 due Tue 07 12:00 met Sun 05 11:00 00:00:00', 'who answers before the hours begin has used none');

-- 002: regional holiday periods are public holidays of a presence, and company holidays announced ahead
SELECT sla.load_policy(jsonb_set(sla.preset('laioutr'), '{calendars,support,regions}', '["LAIOUTR"]') || '{"policy": "t company"}') AS company \gset
INSERT INTO sla.holiday (region, day, name) VALUES ('LAIOUTR', '2026-08-14', 'Summer party'), ('LAIOUTR', '2026-08-17', 'Summer party, the day after');
CREATE TABLE abroad (id int PRIMARY KEY, level text, submitted_at timestamptz);
SELECT sla.attach('abroad', 't company', severity => 'level', received_at => 'submitted_at');
INSERT INTO abroad VALUES (1, 'S3', '2026-08-13 20:00'), (2, 'S3', '2026-04-02 20:00'), (3, 'S1', '2026-08-14 12:00');
SELECT is((SELECT sla_response_due FROM abroad WHERE id = 1), '2026-08-18 08:00', 'a company holiday on Friday and Monday');
SELECT is((SELECT sla_response_due FROM abroad WHERE id = 2), '2026-04-07 08:00', 'beside the public ones');
SELECT is((SELECT sla_response_due FROM abroad WHERE id = 3), '2026-08-14 13:00', 'an S1 knows no holiday');

-- 002: the initial response is the first one that is not automatic: it confirms that work starts, or asks for what is missing
INSERT INTO request (id, level, submitted_at, confirmed_automatically_at) VALUES (30, 'S1', '2026-03-02 10:00', '2026-03-02 10:00');
SELECT is(pg_temp.clock(30), 'response S1 due Mon 02 11:00 running', 'an automatic confirmation stops nothing');
UPDATE request SET responded_at = '2026-03-02 10:40', responded_by = 'website', subject = 'Which browser?' WHERE id = 30;
SELECT is(pg_temp.clock(30), 'response S1 due Mon 02 11:00 met Mon 02 10:40 00:40:00', 'a question of an engineer does');
UPDATE request SET responded_at = '2026-03-02 12:00' WHERE id = 30;
SELECT is(pg_temp.clock(30), 'response S1 due Mon 02 11:00 breached Mon 02 12:00 02:00:00', 'if it turns out to have been automatic, too, the next one counts');
SELECT is((SELECT count(*) FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
		   WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = '30'), 1::bigint, 'only the initial response is promised: no updates and no resolution');

-- 002: the response goes to the contact who started the request, on any support channel
INSERT INTO request (id, level, submitted_at, responded_at, responded_by) VALUES (31, 'S1', '2026-03-02 10:00', '2026-03-02 10:50', 'email'), (32, 'S1', '2026-03-02 10:00', '2026-03-02 10:50', 'website');
SELECT is(pg_temp.clock(31), pg_temp.clock(32), 'whichever channel it goes by');
SELECT is(pg_temp.clock(31), 'response S1 due Mon 02 11:00 met Mon 02 10:50 00:50:00', 'it is the response');

-- 002: time starts with the submission of the request, whenever the problem first occurred
INSERT INTO request (id, level, occurred_at, submitted_at) VALUES (33, 'S2', '2026-02-27 08:00', '2026-03-02 10:00');
SELECT is(pg_temp.stamps(33), 'Mon 02 13:00 - -', 'a problem of last week');
SELECT is((SELECT c.started_at FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
		   WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = '33'), '2026-03-02 10:00', 'starts when it is submitted');

-- 002: the effective severity is set by the vendor upon review of what the customer says
INSERT INTO request (id, level_wanted, level, submitted_at) VALUES (40, 'S1', 'S3', '2026-03-02 10:00'), (41, 'S1', 'S1', '2026-03-02 10:00');
SELECT is(pg_temp.stamps(40), 'Mon 02 22:00 - -', 'reviewed: the vendor''s word counts');
UPDATE request SET level = 'S2', changed_at = '2026-03-02 10:20' WHERE id = 41;
SELECT is(pg_temp.clock(41), 'response S2 due Mon 02 13:00 running', 'reviewed later: likewise, from the submission');

-- 002: if information that is required cannot be had from the customer, an S1 or S2 may be downgraded
INSERT INTO request (id, level, submitted_at) VALUES (42, 'S1', '2026-03-01 12:00'), (43, 'S2', '2026-03-01 12:00'), (44, 'S1', '2026-03-01 12:00');
UPDATE request SET level = 'S3', changed_at = '2026-03-01 12:50' WHERE id IN (42, 43);
SELECT is(pg_temp.clock(42), 'response S3 due Mon 02 12:00 running', 'twelve support hours, of which Sunday has none');
SELECT is(pg_temp.clock(43), 'response S3 due Mon 02 12:00 running', 'an S2 likewise');
SELECT is(pg_temp.stamps(42), 'Mon 02 12:00 - -', 'stamped so');
UPDATE request SET level = 'S4', changed_at = '2026-03-01 13:10' WHERE id = 44;
SELECT is(pg_temp.clock(44), 'response S1 due Sun 01 13:00 running', 'what was late before it was downgraded stays late');
UPDATE request SET responded_at = '2026-03-01 13:20' WHERE id = 44;
SELECT is(pg_temp.status(44), 'response breached 00:20:00', 'and is counted so');

-- 002: the vendor can adjust level and classification of any request at its own discretion
INSERT INTO request (id, level, submitted_at) VALUES (45, 'S4', '2026-03-02 10:00'), (46, 'S3', '2026-03-02 10:00');
UPDATE request SET level = 'S1', changed_at = '2026-03-02 10:30' WHERE id = 45;
SELECT is(pg_temp.clock(45), 'response S1 due Mon 02 11:00 running', 'raised: an hour from the submission');
UPDATE request SET level = 'S2', changed_at = '2026-03-02 15:00' WHERE id = 46;
SELECT is(pg_temp.clock(46), 'response S2 due Mon 02 15:00 running', 'raised when its time would be over: due then, and not before');
UPDATE request SET level = 'S4', changed_at = '2026-03-02 14:00' WHERE id = 46;
SELECT is(pg_temp.ticket(46), 'open S4', 'as often as it wants');

-- 002: S1, critical incident: a core business stops or is interrupted extremely seriously, without acceptable workaround
-- 002: S2, incident: a core business is impacted but not stopped, without acceptable workaround
-- 002: S3, problem: non-core business processes are impacted
-- 002: S4, question, suggestion or other request: little or no current impact
SELECT results_eq(format('SELECT severity::text, label, left(description, 46) FROM sla.severity_label WHERE policy_version_id = %s ORDER BY severity', :id), $$ VALUES
	('S1', 'Critical Incident', 'An ongoing problem of a production system is c'),
	('S2', 'Incident', 'An ongoing problem of a production system is i'),
	('S3', 'Problem', 'A problem is impacting non-core business proce'),
	('S4', 'Question, suggestion, or other Support request', 'Little or no current impact on currently ongoi') $$, 'reports can call the levels by their names and say what they mean');
CREATE TABLE by_name (id int PRIMARY KEY, level text, submitted_at timestamptz);
SELECT sla.attach('by_name', 't laioutr', severity => 'level', received_at => 'submitted_at',
	severity_map => '{"Critical Incident": "S1", "Incident": "S2", "Problem": "S3", "Question": "S4", "Suggestion": "S4"}');
INSERT INTO by_name VALUES (1, 'Critical Incident', '2026-03-02 10:00'), (2, 'Suggestion', '2026-03-02 10:00');
SELECT is((SELECT sla_response_due FROM by_name WHERE id = 1), '2026-03-02 11:00', 'and so can the table');
SELECT is((SELECT sla_response_due FROM by_name WHERE id = 2), '2026-03-04 10:00', 'where several names may mean one level');

-- 002: also S3: incidents that are past, and those with an acceptable workaround
-- 002: a workaround mitigates the impact of a problem, notwithstanding that the problem still exists
INSERT INTO request (id, level, submitted_at, responded_at) VALUES (50, 'S1', '2026-03-02 10:00', '2026-03-02 10:15'), (51, 'S1', '2026-03-02 10:00', NULL);
UPDATE request SET level = 'S3', changed_at = '2026-03-02 10:45' WHERE id IN (50, 51);
SELECT is(pg_temp.ticket(50), 'open S3', 'a workaround is found: a problem now, and not solved');
SELECT is(pg_temp.clock(50), 'response S1 due Mon 02 11:00 met Mon 02 10:15 00:15:00', 'a promise that was kept is what it was');
SELECT is(pg_temp.clock(51), 'response S3 due Mon 02 22:00 running', 'one that runs is that of a problem');

-- A request that is solved needs no response any more
INSERT INTO request (id, level, submitted_at) VALUES (60, 'S3', '2026-03-02 10:00');
UPDATE request SET solved_at = '2026-03-02 12:00' WHERE id = 60;
SELECT is(pg_temp.ticket(60), 'resolved S3', 'solved');
SELECT is(pg_temp.status(60), 'response met', 'in time');

SELECT * FROM finish();
ROLLBACK;
