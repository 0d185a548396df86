-- Nothing that changes a level is lost to the alerts, and nothing is told twice
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(34);

CREATE FUNCTION pg_temp.document(name text, restriction jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('policy', name, 'time_zone', 'Europe/Berlin', 'calendars', '{"always": {"hours": "24/7"}}'::jsonb,
		'targets', '[{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]'::jsonb, 'restriction', restriction)) $$;
CREATE FUNCTION pg_temp.alerts(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', a.service, a.level, CASE WHEN isfinite(a.since) THEN to_char(a.since, 'YYYY-MM-DD HH24:MI') ELSE a.since::text END), '; ' ORDER BY a.service, a.n) FROM sla.restriction_alert a WHERE a.account = $1 $$;
\set rule '\'{"thresholds": {"support": 30, "deployments": 61, "termination": 91}}\''
SELECT sla.load_policy(pg_temp.document('t bills', :rule)) AS version \gset
CREATE TABLE bill (id text PRIMARY KEY, who text, service text, due date, paid_at timestamptz, booked_at timestamptz, amount numeric, paid numeric);
SELECT sla.attach_invoices('bill', 't bills', account => 'who', service => 'service', due => 'due', settled_at => 'paid_at', recorded_at => 'booked_at',
	amount => 'amount', paid => 'paid') AS recorded \gset

-- Bills that come to their turn in several batches of a pass that comes late
INSERT INTO bill SELECT 'many ' || g, 'Many', NULL, date '2026-01-01' + g % 20, NULL, '2025-12-01' FROM generate_series(1, 2100) g;
SELECT sla.flag_restrictions('2026-06-01') AS flagged \gset
SELECT is(pg_temp.alerts('Many'), 'support 2026-01-30 23:00; deployments 2026-03-02 23:00; termination 2026-04-01 22:00', 'more bills than a batch holds make each alert once');

-- A bill that moves takes its level along
INSERT INTO bill VALUES ('moved', 'From', NULL, '2026-01-10', NULL, '2026-01-01');
SELECT sla.flag_restrictions('2026-03-01') AS flagged \gset
UPDATE bill SET who = 'To', booked_at = '2026-03-02' WHERE id = 'moved';
SELECT sla.flag_restrictions('2026-03-03') AS flagged \gset
SELECT is(pg_temp.alerts('From'), 'support 2026-02-08 23:00; none -infinity', 'the account that a bill leaves is told of, too');
SELECT is(pg_temp.alerts('To'), 'support 2026-02-08 23:00', 'like the one it comes to');
UPDATE bill SET who = NULL, booked_at = '2026-03-04' WHERE id = 'moved';
SELECT sla.flag_restrictions('2026-03-05') AS flagged \gset
SELECT is(pg_temp.alerts('To'), 'support 2026-02-08 23:00; none -infinity', 'and one that it leaves for nobody');

-- What is recorded before the rule is in force, or after now
SELECT sla.load_policy(pg_temp.document('t later', :rule), '2026-06-01') AS version \gset
CREATE TABLE later (id int PRIMARY KEY, who text, due date, paid_at timestamptz, booked_at timestamptz);
SELECT sla.attach_invoices('later', 't later', account => 'who', due => 'due', settled_at => 'paid_at', recorded_at => 'booked_at') AS recorded \gset
INSERT INTO later VALUES (1, 'Early', '2026-05-01', NULL, '2026-04-01');
SELECT is(next_change_at, '2026-06-01', 'a bill waits for the first version of its rule') FROM sla.invoice WHERE account = 'Early';
SELECT sla.flag_restrictions('2026-07-10') AS flagged \gset
SELECT is(pg_temp.alerts('Early'), 'support 2026-06-01 00:00; deployments 2026-06-30 22:00', 'and is told of');
INSERT INTO later VALUES (2, 'Ahead', '2026-06-10', NULL, '2226-01-01');
SELECT ok(next_change_at < '2226-01-01', 'a bill that claims to be booked in the far future does not wait for that') FROM sla.invoice WHERE account = 'Ahead';

-- A version that comes into force after the bill is recorded, and was loaded before
SELECT sla.load_policy(pg_temp.document('t bills', '{"thresholds": {"support": 5}}'), '2227-01-01') AS version \gset
INSERT INTO bill VALUES ('next', 'Next', NULL, '2226-12-15', NULL, '2026-01-01');
SELECT is(next_change_at, '2227-01-01', 'a bill waits for the next version of its rule') FROM sla.invoice WHERE account = 'Next';
SELECT sla.flag_restrictions('2227-01-01') AS flagged \gset
SELECT is(pg_temp.alerts('Next'), 'support 2227-01-01 00:00', 'which is told of when it comes');

-- A version that says nothing of bills
SELECT sla.load_policy(pg_temp.document('t gone', :rule)) AS version \gset
CREATE TABLE gone (id int PRIMARY KEY, who text, due date, paid_at timestamptz);
SELECT sla.attach_invoices('gone', 't gone', account => 'who', due => 'due', settled_at => 'paid_at') AS recorded \gset
INSERT INTO gone VALUES (1, 'Free', '2020-01-10');
SELECT sla.flag_restrictions('2227-01-01') AS flagged \gset
SELECT sla.load_policy(pg_temp.document('t gone', NULL), '2227-02-01') AS version \gset
SELECT sla.flag_restrictions('2227-02-02') AS flagged \gset
SELECT is((SELECT string_agg(level::text, '; ' ORDER BY n) FROM sla.restriction_alert WHERE account = 'Free'), 'termination; none', 'a version without a rule is told of');
SELECT is((SELECT since FROM sla.restriction_alert WHERE account = 'Free' AND level = 'none'), '2227-02-01', 'from when it is in force');

-- From by service to by account
SELECT sla.load_policy(pg_temp.document('t services', :rule || '{"per": "service"}'::jsonb)) AS version \gset
CREATE TABLE usage (id int PRIMARY KEY, who text, service text, due date, paid_at timestamptz, booked_at timestamptz);
SELECT sla.attach_invoices('usage', 't services', account => 'who', service => 'service', due => 'due', settled_at => 'paid_at', recorded_at => 'booked_at') AS recorded \gset
INSERT INTO usage VALUES (1, 'S', 'mail', '2026-01-10', NULL, '2026-01-01'), (2, 'S', 'web', '2026-05-10', NULL, '2026-01-01');
SELECT sla.flag_restrictions('2026-02-20') AS flagged \gset
SELECT is(pg_temp.alerts('S'), 'mail support 2026-02-08 23:00', 'a level of a service');
UPDATE usage SET service = 'web', booked_at = '2026-02-21' WHERE id = 1;
SELECT sla.flag_restrictions('2026-02-22') AS flagged \gset
SELECT is(pg_temp.alerts('S'), 'mail support 2026-02-08 23:00; mail none -infinity; web support 2026-02-08 23:00', 'a bill that moves to another service');
SELECT sla.load_policy(pg_temp.document('t services', :rule), '2227-03-01') AS version \gset
SELECT sla.flag_restrictions('2227-03-02') AS flagged \gset
UPDATE usage SET paid_at = '2227-04-01', booked_at = '2227-04-01';
SELECT sla.flag_restrictions('2227-04-02') AS flagged \gset
SELECT is((SELECT string_agg(DISTINCT level::text, ',') FROM (SELECT DISTINCT ON (service) level FROM sla.restriction_alert WHERE account = 'S' ORDER BY service, n DESC) a),
	'none', 'what was flagged by service ends when all is paid to a rule that goes by account');

-- Rows that cannot count do not keep the others from being told of
INSERT INTO usage SELECT 10, 'Long', string_agg(md5(g::text), ''), '2026-01-01', NULL, '2026-01-01' FROM generate_series(1, 200) g;
SELECT is(problem, 'service is longer than 1000 bytes', 'a service has at most 1000 bytes') FROM sla.invoice WHERE key = '10';
SELECT lives_ok($$ SELECT sla.flag_restrictions('2227-04-03') $$, 'a longer one does not hold up alerts');
SELECT sla.load_policy(pg_temp.document('t least', :rule || '{"minimum_amount": 5}'::jsonb)) AS version \gset
CREATE TABLE least (id int PRIMARY KEY, who text, due date, amount numeric, paid numeric);
SELECT sla.attach_invoices('least', 't least', account => 'who', due => 'due', amount => 'amount', paid => 'paid') AS recorded \gset
SELECT lives_ok($$ INSERT INTO least VALUES (1, 'Huge', '2026-01-01', 9.9e131071, -9.9e131071), (2, 'Huge', '2026-01-01', 9.9e131071, 0) $$, 'no amount is too large to go in');
SELECT is((SELECT count(*) FROM sla.invoice WHERE problem IS NOT NULL AND account = 'Huge'), 2::bigint, 'but such are no amounts');
SELECT lives_ok($$ SELECT sla.flag_restrictions('2227-04-04') $$, 'and do not hold up alerts');
SELECT throws_ok($$ SELECT sla.record_payment('least', '1', 9.9e131071, '2026-01-05') $$, '22023', NULL, 'nor are they payments');
SELECT lives_ok($$ INSERT INTO later VALUES (9, 'Far', '5874897-12-31', NULL, '2026-01-01') $$, 'nor is any date too far');

-- Keys that read like others
INSERT INTO bill VALUES ('x', 'X', NULL, '2026-01-10', NULL, '2026-01-01'), ('x (invoice 7)', 'Y', NULL, '2026-01-10', NULL, '2026-01-01');
DELETE FROM bill WHERE id = 'x';
SELECT is((SELECT string_agg(key || ' ' || state, '; ' ORDER BY key) FROM sla.invoice WHERE account IN ('X', 'Y')), 'x deleted; x (invoice 7) open', 'a row that is deleted is not another one whose key begins likewise');

-- The view goes by what counts now, not by the rule that was in force then
SELECT sla.load_policy(pg_temp.document('t older', :rule), '2021-01-01') AS version \gset
CREATE TABLE older (LIKE later INCLUDING ALL);
SELECT sla.attach_invoices('older', 't older', account => 'who', due => 'due', settled_at => 'paid_at', recorded_at => 'booked_at') AS recorded \gset
INSERT INTO older VALUES (20, 'Lasting', current_date - 200, current_date - 30, '2020-01-01'), (21, 'Lasting', current_date - 40, NULL, '2020-01-01');
SELECT is((SELECT days FROM sla.invoice i WHERE key = '20' AND account = 'Lasting'), NULL, 'no rule has counted the days of a bill');
SELECT is(sla.restriction('Lasting'), 'termination', 'by which termination lasts');
SELECT is((SELECT level FROM sla.account_restriction WHERE account = 'Lasting'), sla.restriction('Lasting'), 'the view and the function agree about it');

-- Many payments
INSERT INTO least VALUES (3, 'Often', '2026-01-01', 1e9, 0);
SELECT is((SELECT count(sla.record_payment('least', '3', 1, '2026-02-01', 'payment', '2026-02-01')) FROM generate_series(1, 300)), 300::bigint, 'payments on account');
SELECT is((SELECT paid FROM sla.invoice WHERE account = 'Often'), 300::numeric, 'add up');
SELECT is((SELECT open FROM sla.explain_restriction('Often', as_of => '2026-03-01') WHERE kind = 'invoice'), 1e9 - 300, 'also as of an instant');

-- An override inserted by hand, and one that a dump brings
INSERT INTO sla.restriction_override (account, level, reason, author, starts, until, recorded_at)
	VALUES ('Hand', 'support', 'why', 'who', '2026-03-01', '2026-04-01', '2026-03-02');
SELECT is(next_change_at, '2026-03-02', 'an override inserted by hand is looked at when it is known and in force')
	FROM sla.restriction_override WHERE account = 'Hand';
SELECT sla.flag_restrictions('2026-05-01') AS flagged \gset
SELECT is(pg_temp.alerts('Hand'), 'support 2026-03-01 00:00; none 2026-04-01 00:00', 'and told of');
SET LOCAL check_function_bodies = off;
INSERT INTO sla.restriction_override (account, level, reason, author, starts, until, recorded_at)
	VALUES ('Dump', 'support', 'why', 'who', '2026-03-01', '2026-04-01', '2026-03-02');
SELECT is(next_change_at, NULL, 'one that a dump brings has what the dump says') FROM sla.restriction_override WHERE account = 'Dump';
RESET check_function_bodies;

-- An account with more bills than one turn takes, the last of which came to its turn first
CREATE TABLE many (id int PRIMARY KEY, who text, due date, paid_at timestamptz);
SELECT sla.attach_invoices('many', 't least', account => 'who', due => 'due', settled_at => 'paid_at') \g /dev/null
INSERT INTO many SELECT g, 'Many', '2026-01-01', '2026-03-01'::timestamptz - g * interval '1 s' FROM generate_series(1, 501) g;
SELECT is((SELECT count(*) FROM sla.invoice WHERE account = 'Many' AND next_change_at <= '2227-06-01'), 501::bigint, 'many bills in the queue');
SELECT sla.flag_restrictions('2227-06-01') AS flagged \gset
SELECT is((SELECT count(*) FROM sla.invoice WHERE account = 'Many' AND next_change_at <= '2227-06-01'), 0::bigint, 'one pass looks at all');

-- A script like those of pg_dump that loads a version
CREATE TABLE scripted (id int PRIMARY KEY, who text, due date, paid_at timestamptz);
SELECT sla.load_policy(pg_temp.document('t scripted', :rule)) AS version \gset
SELECT sla.attach_invoices('scripted', 't scripted', account => 'who', due => 'due', settled_at => 'paid_at') \g /dev/null
INSERT INTO scripted VALUES (1, 'Scripted', current_date - 20);
SELECT sla.flag_restrictions(now()) \g /dev/null
SET LOCAL check_function_bodies = off;
SELECT sla.load_policy(pg_temp.document('t scripted', '{"thresholds": {"support": 5}}'), now()) AS version \gset
RESET check_function_bodies;
SELECT sla.flag_restrictions(clock_timestamp() + interval '1 s') \g /dev/null
SELECT is((SELECT string_agg(level::text, ' ') FROM sla.restriction_alert WHERE account = 'Scripted'), 'support', 'a version that a script loads is told of');

SELECT * FROM finish();
ROLLBACK;
