-- References between the tables of policies: who refers to what, what errors
-- say of it, and what goes with a version
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(72);

INSERT INTO sla.policy (name) VALUES ('t p');
INSERT INTO sla.calendar (name, hours) VALUES ('t c', '24/7'), ('t d', '24/7');
INSERT INTO sla.policy_version (policy, effective_from, time_zone) VALUES ('t p', '-infinity', 'UTC') RETURNING id AS v \gset

-- %v is the version, %n none; missing empty: it may be written
CREATE TEMPORARY TABLE row_of AS
SELECT v.relation, v.columns, v.written, v.missing
FROM (VALUES
	('policy_version', 'policy, effective_from, time_zone', '''t none'', ''2026-01-01'', ''UTC''', 'policy "t none"'),
	('calendar', 'name, hours, policy', '''t x'', ''24/7'', ''t none''', 'policy "t none"'),
	('calendar', 'name, hours, policy', '''t x'', ''24/7'', NULL', ''),
	('target', 'policy_version_id, severity, metric, goal, calendar', '%n, ''S1'', ''response'', ''1h'', ''t c''', 'policy version %n'),
	('target', 'policy_version_id, severity, metric, goal, calendar', '%v, ''S1'', ''t none'', ''1h'', ''t c''', 'metric "t none"'),
	('target', 'policy_version_id, severity, metric, goal, calendar', '%v, ''S1'', ''response'', ''1h'', ''t none''', 'calendar "t none"'),
	('target', 'policy_version_id, severity, metric, goal, calendar', '%n, ''S1'', ''t none'', ''1h'', ''t c''', 'metric "t none"'),
	('target', 'policy_version_id, severity, metric, goal, calendar', '%n, ''S1'', ''t nor'', ''1h'', ''t none''', 'calendar "t none"'),
	('target', 'policy_version_id, severity, metric', '%v, ''S1'', ''response''', ''),
	('severity_label', 'policy_version_id, severity, label', '%n, ''S1'', ''High''', 'policy version %n'),
	('severity_cap', 'policy_version_id, product, severity', '%n, ''api'', ''S2''', 'policy version %n'),
	('channel_rule', 'policy_version_id, channel, counts_from', '%n, ''email'', ''never''', 'policy version %n'),
	('exemption', 'policy_version_id, reason', '%n, ''known''', 'policy version %n'),
	('notice_rule', 'policy_version_id, kind', '%n, ''load_test''', 'policy version %n'),
	('notice_rule', 'policy_version_id, kind, calendar', '%v, ''load_test'', ''t none''', 'calendar "t none"'),
	('notice_rule', 'policy_version_id, kind, inside', '%v, ''load_test'', ''t none''', 'calendar "t none"'),
	('notice_rule', 'policy_version_id, kind, outside', '%v, ''load_test'', ''t none''', 'calendar "t none"'),
	('notice_rule', 'policy_version_id, kind, calendar, outside', '%n, ''load_test'', ''t nor'', ''t none''', 'calendar "t none"'),
	('turnaround_rule', 'policy_version_id, kind, at_least', '%n, ''open'', ''4 weeks''', 'policy version %n'),
	('turnaround_rule', 'policy_version_id, kind, at_least, calendar', '%v, ''open'', ''10bd'', ''t none''', 'calendar "t none"'),
	('assistance_rule', 'policy_version_id, bucket', '%n, ''2 hours''', 'policy version %n'),
	('assistance_rule', 'policy_version_id, bucket, outside', '%v, ''2 hours'', ''t none''', 'calendar "t none"'),
	('restriction_rule', 'policy_version_id, support', '%n, 30', 'policy version %n'),
	('restriction_rule', 'policy_version_id, support, grace, calendar', '%v, 30, 3, ''t none''', 'calendar "t none"'),
	('availability_rule', 'policy_version_id', '%n', 'policy version %n'),
	('availability_rule', 'policy_version_id, calendar', '%v, ''t none''', 'calendar "t none"'),
	('availability_rule', 'policy_version_id, calendar, maintenance_window', '%v, ''t nor'', ''t none''', 'calendar "t none"'),
	('contract', 'account, policy, valid', '''Acme'', ''t none'', ''(,)''', 'policy "t none"'),
	('contract', 'account, policy, valid, calendar', '''Acme'', ''t p'', ''(,)'', ''t none''', 'calendar "t none"'),
	('contract', 'account, policy, valid, calendar', '''Acme'', ''t nor'', ''(,)'', ''t none''', 'calendar "t none"'),
	('booking', 'account, policy, slot', '''Acme'', ''t none'', ''[2026-03-05 10:00,2026-03-05 11:00)''', 'policy "t none"'),
	('time_entry', 'account, policy, kind, spent', '''Acme'', ''t none'', ''open'', ''1 hour''', 'policy "t none"'),
	('service', 'name, policy', '''t x'', ''t none''', 'policy "t none"'),
	('service', 'name, policy', '''t x'', NULL', ''),
	('outage', 'service, during', '''t none'', ''[2026-03-05,)''', 'service "t none"'),
	('exclusion', 'service, during, kind', '''t none'', ''[2026-03-05,)'', ''abuse''', 'service "t none"'),
	('exclusion', 'service, during, kind', 'NULL, ''[2026-03-05,)'', ''abuse''', '')) AS v(relation, columns, written, missing);
UPDATE row_of SET written = replace(replace(written, '%v', :'v'), '%n', (:v + 1000)::text),
	missing = replace(missing, '%n', (:v + 1000)::text);

SELECT throws_ok(format('INSERT INTO sla.%I (%s) VALUES (%s)', relation, columns, written), '23503',
				 format('insert of sla.%s refers to %s, which does not exist', relation, missing), format('%s (%s) of no %s', relation, columns, missing))
FROM row_of WHERE missing <> '';
SAVEPOINT nothing;
SELECT lives_ok(format('INSERT INTO sla.%I (%s) VALUES (%s)', relation, columns, written), format('%s of nothing', relation))
FROM row_of WHERE missing = '';
ROLLBACK TO nothing;

-- Everything there is, of one version
INSERT INTO sla.target VALUES (:v, 'S1', 'response', '1h', 't c');
INSERT INTO sla.severity_label VALUES (:v, 'S1', 'High');
INSERT INTO sla.severity_cap VALUES (:v, 'api', 'S2');
INSERT INTO sla.channel_rule VALUES (:v, 'email', 'never');
INSERT INTO sla.exemption VALUES (:v, 'known');
INSERT INTO sla.notice_rule (policy_version_id, kind) VALUES (:v, 'load_test');
INSERT INTO sla.turnaround_rule (policy_version_id, kind, at_least) VALUES (:v, 'open', '4 weeks');
INSERT INTO sla.assistance_rule (policy_version_id, bucket) VALUES (:v, '2 hours');
INSERT INTO sla.restriction_rule (policy_version_id, support) VALUES (:v, 30);
INSERT INTO sla.availability_rule (policy_version_id) VALUES (:v);
SELECT throws_ok($$ UPDATE sla.target SET calendar = 't none' WHERE calendar = 't c' $$, '23503',
				 'update of sla.target refers to calendar "t none", which does not exist', 'a reference must lead somewhere later, too');

-- A calendar in use stays, and the error says who uses it: of two the first in this order
SELECT throws_ok('DELETE FROM sla.calendar WHERE name = ''t c''', '23503', 'calendar "t c" is still used by a target', 'by a target');
UPDATE sla.target SET calendar = 't d';
INSERT INTO sla.contract (id, account, policy, valid, calendar) VALUES (4711, 'Acme', 't p', '(,)', 't c');
SELECT throws_ok('DELETE FROM sla.calendar WHERE name IN (''t c'', ''t d'')', '23503', 'calendar "t d" is still used by a target', 'a target before a contract');
SELECT throws_ok('DELETE FROM sla.calendar WHERE name = ''t c''', '23503', 'calendar "t c" is still used by contract 4711', 'by a contract');
UPDATE sla.contract SET calendar = NULL;
CREATE FUNCTION pg_temp.used(relation text, col text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('UPDATE sla.%I SET %I = ''t c''', relation, col);
	RETURN NEXT throws_ok('DELETE FROM sla.calendar WHERE name = ''t c''', '23503', format('calendar "t c" is still used by %s', what), format('by %s.%s', relation, col));
	RETURN NEXT throws_ok('TRUNCATE sla.calendar', '23503', NULL, format('all with %s.%s', relation, col));
	EXECUTE format('UPDATE sla.%I SET %I = NULL', relation, col);
END $$;
SELECT pg_temp.used('notice_rule', 'calendar', 'a notice rule');
SELECT pg_temp.used('notice_rule', 'inside', 'a notice rule');
SELECT pg_temp.used('notice_rule', 'outside', 'a notice rule');
SELECT pg_temp.used('turnaround_rule', 'calendar', 'a turnaround rule');
SELECT pg_temp.used('assistance_rule', 'outside', 'an assistance rule');
SELECT pg_temp.used('availability_rule', 'calendar', 'a rule about availability');
SELECT pg_temp.used('availability_rule', 'maintenance_window', 'a rule about availability');
UPDATE sla.restriction_rule SET grace = 3, calendar = 't c';
UPDATE sla.notice_rule SET outside = 't c';
SELECT throws_ok('DELETE FROM sla.calendar WHERE name = ''t c''', '23503', 'calendar "t c" is still used by a rule about unsettled bills', 'by a rule about bills before one of notice');
UPDATE sla.notice_rule SET outside = NULL;
UPDATE sla.restriction_rule SET grace = 0, calendar = NULL;
SELECT lives_ok('DELETE FROM sla.calendar WHERE name = ''t c''', 'one that nothing uses goes');

INSERT INTO sla.metric (name, title, starts_on, stops_on) VALUES ('t m', 'M', '{replied}', '{resolved}');
UPDATE sla.target SET metric = 't m';
SELECT throws_ok('DELETE FROM sla.metric WHERE name = ''t m''', '23503', 'metric "t m" is still used by a target', 'a metric in use stays');

-- So does a policy
INSERT INTO sla.booking (id, account, policy, slot) VALUES (4712, 'Acme', 't p', '[2026-03-05 10:00,2026-03-05 11:00)');
INSERT INTO sla.time_entry (id, account, policy, kind, spent) VALUES (4713, 'Acme', 't p', 'open', '1 hour');
INSERT INTO sla.service (name, policy) VALUES ('t s', 't p');
CREATE FUNCTION pg_temp.kept(by text, relation text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT throws_ok('DELETE FROM sla.policy WHERE name = ''t p''', '23503', format('policy "t p" is still used by %s', by), by || ' keeps a policy');
	EXECUTE format('DELETE FROM sla.%I', relation);
END $$;
SELECT pg_temp.kept('contract 4711', 'contract');
SELECT pg_temp.kept('booking 4712', 'booking');
SELECT pg_temp.kept('time entry 4713', 'time_entry');
SELECT pg_temp.kept('service "t s"', 'service');

-- and takes along what its versions say
DELETE FROM sla.policy WHERE name = 't p';
SELECT is_empty(format('SELECT FROM sla.%I WHERE policy_version_id = %s', c.relname, :'v'), c.relname || ' goes with its version')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind = 'r' AND a.attname = 'policy_version_id' AND c.relname NOT IN ('ticket', 'clock', 'policy_edition');

SELECT * FROM finish();
ROLLBACK;
