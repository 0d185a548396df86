-- Laioutr: Customer Support (seed 002): limits of severity, channels, what is
-- exempt or out of scope, and how the offering changes, clause by clause. Each
-- comment "-- 002: ..." is a row of doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'Europe/Berlin';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(53);

-- 2026-03-02 is a Monday.
SELECT sla.load_policy(sla.preset('laioutr') || '{"policy": "t laioutr"}') AS id \gset
CREATE TABLE request (
	id int PRIMARY KEY,
	customer text,
	project text,
	product text,
	channel text,
	level text,
	submitted_at timestamptz,
	responded_at timestamptz,
	changed_at timestamptz,
	waived text);
SELECT sla.attach('request', 't laioutr', severity => 'level', received_at => 'submitted_at', responded_at => 'responded_at',
	changed_at => 'changed_at', account => 'customer', service => 'project', product => 'product', channel => 'channel', exempt => 'waived');

CREATE FUNCTION pg_temp.clock(id int, ticket_table regclass DEFAULT 'request') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.metric, c.severity, 'due', to_char(c.due_at, 'Dy DD HH24:MI'), coalesce(c.outcome, 'running'),
		to_char(c.stopped_at, 'Dy DD HH24:MI')), '; ' ORDER BY c.metric, c.cycle)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = $2 AND t.key = $1::text $$;
CREATE FUNCTION pg_temp.ticket(id int, ticket_table regclass DEFAULT 'request') RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, t.exempt)
	FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = $2 AND t.key = $1::text $$;
CREATE FUNCTION pg_temp.status(id int, ticket_table regclass DEFAULT 'request') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.metric, s.status), '; ' ORDER BY s.metric) FROM sla.clock_status s
	WHERE s.ticket_table::regclass = $2 AND s.key = $1::text $$;
CREATE FUNCTION pg_temp.stamp(id int) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(to_char(r.sla_response_due, 'Dy DD HH24:MI'), '-') FROM request r WHERE r.id = $1 $$;

-- 002: not all products and components are eligible for all levels
-- 002: also S3: incidents with systems that are not in production
-- 002: also S3: problems with components under open-source licenses
-- 002: also S4: other problems with systems that are not in production, and documentation problems
INSERT INTO request (id, product, level, submitted_at) VALUES
	(1, 'studio', 'S1', '2026-03-02 10:00'), (2, 'non_production', 'S1', '2026-03-02 10:00'), (3, 'open_source', 'S2', '2026-03-02 10:00'),
	(4, 'documentation', 'S2', '2026-03-02 10:00'), (5, 'non_production', 'S4', '2026-03-02 10:00'), (6, NULL, 'S1', '2026-03-02 10:00');
SELECT is(pg_temp.stamp(1), 'Mon 02 11:00', 'a product without limit');
SELECT is(pg_temp.clock(2), 'response S3 due Mon 02 22:00 running', 'an incident of a staging system is a problem');
SELECT is(pg_temp.ticket(2), 'open S1', 'whatever the request calls itself');
SELECT is(pg_temp.stamp(2), 'Mon 02 22:00', 'stamped so');
SELECT is(pg_temp.clock(3), 'response S3 due Mon 02 22:00 running', 'open source');
SELECT is(pg_temp.clock(4), 'response S4 due Wed 04 10:00 running', 'documentation');
SELECT is(pg_temp.clock(5), 'response S4 due Wed 04 10:00 running', 'what is less severe stays so');
SELECT is(pg_temp.stamp(6), 'Mon 02 11:00', 'a request about no product');
UPDATE request SET product = 'studio', changed_at = '2026-03-02 10:30' WHERE id = 2;
SELECT is(pg_temp.clock(2), 'response S1 due Mon 02 11:00 running', 'it turns out to be production');
UPDATE request SET level = 'S1', changed_at = '2026-03-02 10:30' WHERE id = 4;
SELECT is(pg_temp.clock(4), 'response S4 due Wed 04 10:00 running', 'raising does not get past the limit');

-- 002: which level is the maximum for which product is defined in a document of its own
-- 002: also S2: outages of products that are not supported as critical incidents
SELECT sla.load_policy(jsonb_set(sla.preset('laioutr'), '{severity_caps}', sla.preset('laioutr') -> 'severity_caps' || '{"search": "S2", "*": "S3"}')
	|| '{"policy": "t limits"}') AS limits \gset
CREATE TABLE limited (id int PRIMARY KEY, product text, level text, submitted_at timestamptz);
SELECT sla.attach('limited', 't limits', severity => 'level', received_at => 'submitted_at', product => 'product');
INSERT INTO limited VALUES (1, 'search', 'S1', '2026-03-02 10:00'), (2, 'analytics', 'S1', '2026-03-02 10:00'), (3, 'documentation', 'S1', '2026-03-02 10:00');
SELECT is(pg_temp.clock(1, 'limited'), 'response S2 due Mon 02 13:00 running', 'an outage of what cannot be critical is an incident');
SELECT is(pg_temp.clock(2, 'limited'), 'response S3 due Mon 02 22:00 running', 'all products that are not named');
SELECT is(pg_temp.clock(3, 'limited'), 'response S4 due Wed 04 10:00 running', 'those that are keep their own');

-- 002: eligibility may change as products are launched, restructured or discontinued
-- 002: the vendor may update the offering from time to time
SELECT sla.load_policy(jsonb_set(sla.policy_document('t laioutr'), '{severity_caps,labs}', '"S4"'), '2026-07-01') AS changed \gset
INSERT INTO request (id, product, level, submitted_at) VALUES (10, 'labs', 'S1', '2026-06-30 23:59'), (11, 'labs', 'S1', '2026-07-01 00:00');
SELECT is(pg_temp.clock(10), 'response S1 due Wed 01 00:59 running', 'until the new version is in force');
SELECT is(pg_temp.clock(11), 'response S4 due Fri 03 00:00 running', 'and from then on');
UPDATE request SET level = 'S2', changed_at = '2026-07-01 00:10' WHERE id = 10;
SELECT is(pg_temp.clock(10), 'response S2 due Wed 01 02:59 running', 'an earlier request is held to what was in force when it was submitted');
SELECT is((SELECT array_agg(DISTINCT policy_version_id) FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
		   WHERE a.ticket_table::regclass = 'request'::regclass AND t.key = '10'), ARRAY[:id], 'namely to the first version');

-- 002: a problem whose status is already communicated by the status page: its target need not be met
INSERT INTO request (id, level, submitted_at, waived) VALUES (20, 'S1', '2026-03-02 10:00', 'known_incident'), (21, 'S1', '2026-03-02 10:00', NULL),
	(22, 'S2', '2026-03-02 10:00', NULL);
SELECT is(pg_temp.ticket(20), 'open S1 known_incident', 'known when it is submitted');
SELECT is(pg_temp.stamp(20), '-', 'nothing is due');
SELECT is(pg_temp.status(20), 'response exempt', 'and reports say why');
UPDATE request SET responded_at = '2026-03-02 15:00' WHERE id IN (20, 22);
SELECT is(pg_temp.clock(20), 'response S1 due Mon 02 11:00 exempt Mon 02 15:00', 'answered after all, but not late');
SELECT is(pg_temp.status(22), 'response breached', 'another one is late');
UPDATE request SET waived = 'known_incident', changed_at = '2026-03-02 10:30' WHERE id = 21;
SELECT is(pg_temp.clock(21), 'response S1 due Mon 02 11:00 exempt', 'found to be known');
SELECT is(pg_temp.stamp(21), '-', 'no longer due');
UPDATE request SET waived = 'known_incident', changed_at = '2026-03-02 16:00' WHERE id = 22;
SELECT is(pg_temp.clock(22), 'response S2 due Mon 02 13:00 exempt Mon 02 15:00', 'found to have been known all along');
SELECT is_empty($$SELECT FROM sla.breach WHERE ticket_table::regclass = 'request'::regclass AND key IN ('20', '21', '22')$$, 'no breach of the three');
UPDATE request SET waived = NULL, changed_at = '2026-03-02 10:45' WHERE id = 21;
SELECT is(pg_temp.clock(21), 'response S1 due Mon 02 11:00 running', 'another problem than that of the status page: as if it never was');
SELECT is(pg_temp.stamp(21), 'Mon 02 11:00', 'due again');
INSERT INTO request (id, level, submitted_at, waived) VALUES (23, 'S1', '2026-03-02 10:00', 'weather');
SELECT is(pg_temp.clock(23), 'response S1 due Mon 02 11:00 running', 'a reason that the policy does not know is none');

-- 002: response targets do not apply to requests with personal data of third persons or application secrets
-- 002: such requests can be deleted, and requested anew in anonymized form
INSERT INTO request (id, level, submitted_at, waived) VALUES (30, 'S2', '2026-03-02 10:00', 'personal_data');
SELECT is(pg_temp.clock(30), 'response S2 due Mon 02 13:00 exempt', 'no target');
DELETE FROM request WHERE id = 30;
SELECT is(pg_temp.ticket(30), 'deleted S2 personal_data', 'deleted, but not forgotten');
SELECT is(pg_temp.status(30), 'response exempt', 'and not counted');
INSERT INTO request (id, level, submitted_at) VALUES (31, 'S2', '2026-03-02 14:00');
SELECT is(pg_temp.clock(31), 'response S2 due Mon 02 17:00 running', 'requested anew: from that submission on');

-- 002: out of scope are solution implementation and the analysis of solution code
-- 002: out of scope are consulting and solution architecture
-- 002: out of scope are solutions and integrations from the app store
INSERT INTO request (id, level, submitted_at, waived, product) VALUES (40, 'S4', '2026-03-02 10:00', 'out_of_scope', 'implementation'),
	(41, 'S4', '2026-03-02 10:00', 'out_of_scope', 'consulting'), (42, 'S1', '2026-03-02 10:00', 'out_of_scope', 'app store');
SELECT is(pg_temp.status(id), 'response exempt', 'no promise: ' || product) FROM request WHERE id BETWEEN 40 AND 42 ORDER BY id;
SELECT is(pg_temp.stamp(42), '-', 'not even for what a customer calls critical');
SELECT is((SELECT count(*) FROM sla.exemption WHERE policy_version_id = :id AND reason = 'out_of_scope'), 1::bigint, 'one reason for the three');

-- 002: requests are submitted through the support website
-- 002: S1 and S2 are supported by website and status page, S3 and S4 by website
-- 002: only if the support website is unavailable requests are submitted by email
INSERT INTO request (id, channel, level, submitted_at) VALUES (50, 'website', 'S2', '2026-03-02 10:00'), (51, 'email', 'S2', '2026-03-02 10:00'), (52, 'fax', 'S2', '2026-03-02 10:00'),
	(53, 'website', 'S4', '2026-03-02 10:00');
SELECT is(pg_temp.clock(50), 'response S2 due Mon 02 13:00 running', 'by the website');
SELECT is(pg_temp.clock(53), 'response S4 due Wed 04 10:00 running', 'whatever the level');
SELECT is(pg_temp.clock(51), 'response S2 due Mon 02 13:00 running', 'by email while that is unavailable: no less');
SELECT is(pg_temp.clock(52), 'response S2 due Mon 02 13:00 running', 'what comes by another way and is let in counts as well');
SELECT sla.load_policy(jsonb_set(sla.preset('laioutr'), '{channels}', '{"website": "receipt", "email": "never", "*": "never"}') || '{"policy": "t website"}') AS website \gset
CREATE TABLE only_website (id int PRIMARY KEY, channel text, level text, submitted_at timestamptz);
SELECT sla.attach('only_website', 't website', severity => 'level', received_at => 'submitted_at', channel => 'channel');
INSERT INTO only_website VALUES (1, 'website', 'S2', '2026-03-02 10:00'), (2, 'email', 'S2', '2026-03-02 10:00'), (3, 'fax', 'S2', '2026-03-02 10:00');
SELECT is(pg_temp.clock(1, 'only_website'), 'response S2 due Mon 02 13:00 running', 'taken at its word while the website is available');
SELECT is(pg_temp.ticket(2, 'only_website'), 'open S2 uncovered: nothing is promised to channel "email"', 'email is not to be used');
SELECT is(pg_temp.status(id, 'only_website'), 'uncovered', 'no promise by ' || channel) FROM only_website WHERE id > 1 ORDER BY id;

-- 002: the offering is part of the commercial agreement with the customer
-- 002: requests can be created by the customer or its authorized agent
-- 002: whoever wants priority support identifies the organization and project affected
SELECT sla.load_policy(sla.preset('laioutr') || '{"policy": "t agreement", "entitlement": "contract"}') AS agreement \gset
INSERT INTO sla.contract (account, service, policy, valid) VALUES ('Acme', 'shop', 't agreement', '[2026-01-01 00:00+01, 2027-01-01 00:00+01)');
CREATE TABLE entitled (id int PRIMARY KEY, customer text, project text, level text, submitted_at timestamptz);
SELECT sla.attach('entitled', 't agreement', severity => 'level', received_at => 'submitted_at', account => 'customer', service => 'project');
INSERT INTO entitled VALUES (1, 'Acme', 'shop', 'S2', '2026-03-02 10:00'), (2, 'Acme', 'blog', 'S2', '2026-03-02 10:00'), (3, 'Acme', NULL, 'S2', '2026-03-02 10:00'),
	(4, 'Nobody', 'shop', 'S2', '2026-03-02 10:00'), (5, NULL, 'shop', 'S2', '2026-03-02 10:00'), (6, 'Acme', 'shop', 'S2', '2027-01-01 00:00');
SELECT is(pg_temp.clock(1, 'entitled'), 'response S2 due Mon 02 13:00 running', 'a customer, about what was agreed');
SELECT is(pg_temp.ticket(2, 'entitled'), 'open S2 uncovered: account "Acme" had no valid contract', 'about another project');
SELECT is(pg_temp.status(3, 'entitled'), 'uncovered', 'about no project');
SELECT is(pg_temp.ticket(4, 'entitled'), 'open S2 uncovered: account "Nobody" had no valid contract', 'no customer');
SELECT is(pg_temp.ticket(5, 'entitled'), 'open S2 uncovered: the row names no account', 'nobody in particular');
SELECT is(pg_temp.status(6, 'entitled'), 'uncovered', 'when the agreement is over');
UPDATE entitled SET project = 'shop' WHERE id = 3;
SELECT is(pg_temp.clock(3, 'entitled'), 'response S2 due Mon 02 13:00 running', 'when the project is told the promise is what it would have been');

SELECT * FROM finish();
ROLLBACK;
