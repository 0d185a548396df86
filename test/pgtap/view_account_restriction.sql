-- sla.account_restriction says of each account what sla.restriction says of it now
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

-- The view is about the present moment, so bills here are due so many days ago.
SELECT plan(19);

CREATE FUNCTION pg_temp.load(name text, restriction jsonb) RETURNS int LANGUAGE sql AS $$
	SELECT sla.load_policy(jsonb_build_object('policy', name, 'time_zone', 'Europe/Berlin', 'calendars', '{"week": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}}'::jsonb,
		'targets', '[{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "week"}]'::jsonb, 'restriction', restriction)) $$;
SELECT pg_temp.load('t plain', '{"thresholds": {"support": 30, "deployments": 61, "termination": 91}}')
	+ pg_temp.load('t service', '{"thresholds": {"support": 10, "termination": 40}, "per": "service"}')
	+ pg_temp.load('t minimum', '{"thresholds": {"support": 10, "termination": 40}, "minimum_amount": 50, "grace": "5 business days", "calendar": "week"}') AS loaded \gset
CREATE TABLE plain (id int PRIMARY KEY, who text, service text, due date, paid_at timestamptz, amount numeric, disputed boolean);
CREATE TABLE service (LIKE plain INCLUDING ALL);
CREATE TABLE minimum (LIKE plain INCLUDING ALL);
SELECT setseed(0.42) \g /dev/null
INSERT INTO plain SELECT g, 'p' || floor(random() * 200), NULL, current_date - (random() * 200)::int,
	CASE WHEN random() < 0.7 THEN now() - random() * interval '120 days' END, 10 + floor(random() * 90), random() < 0.05 FROM generate_series(1, 600) g;
INSERT INTO service SELECT g, 's' || floor(random() * 60), CASE WHEN random() < 0.7 THEN 'x' || floor(random() * 3) END, current_date - (random() * 80)::int,
	CASE WHEN random() < 0.7 THEN now() - random() * interval '60 days' END, 10, false FROM generate_series(1, 300) g;
INSERT INTO minimum SELECT g, 'm' || floor(random() * 60), NULL, current_date - (random() * 80)::int,
	CASE WHEN random() < 0.7 THEN now() - random() * interval '60 days' END, 10 + floor(random() * 40), false FROM generate_series(1, 300) g;
-- some accounts have bills under two policies
INSERT INTO minimum SELECT 1000 + g, 'p' || floor(random() * 200), NULL, current_date - (random() * 80)::int, NULL, 60, false FROM generate_series(1, 20) g;
SELECT sla.attach_invoices(t::regclass, 't ' || t, account => 'who', due => 'due', service => 'service', settled_at => 'paid_at', amount => 'amount', disputed => 'disputed')
FROM unnest('{plain,service,minimum}'::text[]) t \g /dev/null
UPDATE plain SET disputed = false WHERE disputed AND id % 2 = 0;
SELECT sla.record_payment('plain', id::text, 5) FROM plain WHERE paid_at IS NULL AND id % 5 = 0 \g /dev/null
SELECT sla.override_restriction('p' || g, NULL, 'support', 'so', starts => now()) FROM generate_series(1, 5) g \g /dev/null
SELECT sla.override_restriction('s1', 'x1', 'deployments', 'so', starts => now()) \g /dev/null
SELECT sla.override_restriction('nobody', NULL, 'deployments', 'so', starts => now()) \g /dev/null
SELECT sla.override_restriction('p9', NULL, 'termination', 'past', now() - interval '1 day', starts => now() - interval '2 days') \g /dev/null

SELECT is_empty($$ SELECT v.account, v.service, v.level, sla.restriction(v.account, v.service, now()) FROM sla.account_restriction v
	WHERE v.level <> sla.restriction(v.account, v.service, now()) $$, 'the level of each row is that of sla.restriction');
SELECT is_empty($$ SELECT account, service FROM sla.account_restriction GROUP BY account, service HAVING count(*) > 1 $$, 'each account and service has one row');
SELECT is_empty($$ SELECT i.account FROM (SELECT DISTINCT account FROM sla.invoice WHERE policy <> 't service') i
	WHERE sla.restriction(i.account, NULL, now()) <> 'none' AND NOT EXISTS (SELECT FROM sla.account_restriction v WHERE v.account = i.account AND v.service IS NULL) $$,
	'whoever is restricted has a row');
SELECT is_empty($$ SELECT i.account, i.service FROM (SELECT DISTINCT account, service FROM sla.invoice WHERE policy = 't service') i
	WHERE sla.restriction(i.account, i.service, now()) <> 'none'
	  AND NOT EXISTS (SELECT FROM sla.account_restriction v WHERE v.account = i.account AND (v.service = i.service OR v.service IS NULL)) $$, 'also by service');
SELECT cmp_ok((SELECT count(DISTINCT level) FROM sla.account_restriction), '=', 4::bigint, 'all levels are there');
SELECT cmp_ok((SELECT count(*) FROM sla.account_restriction v WHERE v.level = 'termination' AND v.days < 40), '>', 0::bigint, 'and terminations that last');
SELECT is(level::text || ' ' || invoices, 'deployments 0', 'an override is enough for a row') FROM sla.account_restriction WHERE account = 'nobody';
SELECT results_eq($$ SELECT v.account::text, v.days, v.invoices, v.outstanding FROM sla.account_restriction v WHERE v.account IN ('p20', 'p21', 'p22') ORDER BY 1 $$,
	$$ SELECT i.account::text, max((now() AT TIME ZONE 'Europe/Berlin')::date - i.due), count(*), sum(i.amount - i.paid) FROM sla.invoice i
		WHERE i.account IN ('p20', 'p21', 'p22') AND i.state = 'open' AND i.due < (now() AT TIME ZONE 'Europe/Berlin')::date GROUP BY 1 ORDER BY 1 $$, 'what is overdue');
-- Overrides that are revoked, bills within their grace
SELECT sla.override_restriction('revoked', NULL, 'support', 'so', starts => now() - interval '1 h') AS revoked, sla.override_restriction('revoked soon', NULL, 'support', 'so', starts => now() - interval '1 h') AS soon \gset
SELECT sla.revoke_override(:revoked, 'no more', at => now()), sla.revoke_override(:soon, 'no more', at => now() + interval '1 min') \g /dev/null
SELECT is((SELECT array_agg(account::text) FROM sla.account_restriction WHERE account LIKE 'revoked%'), '{revoked soon}', 'a revoked override is not in force');
INSERT INTO minimum SELECT 2000 + days, CASE WHEN days > 10 THEN 'late grace' ELSE 'grace' END, NULL, current_date - days, NULL, 60, false FROM unnest('{2,30}'::int[]) days;
INSERT INTO minimum VALUES (2100, 'late grace', NULL, current_date - 2, NULL, 60, false);
SELECT is_empty($$ SELECT FROM sla.account_restriction WHERE account = 'grace' $$, 'what is within its grace is not overdue');
SELECT is(days || ' ' || invoices || ' ' || outstanding, '30 1 60', 'nor does it count beside what is') FROM sla.account_restriction WHERE account = 'late grace';
SELECT set_eq($$ SELECT account::text, due, invoices FROM sla.account_restriction WHERE account ~ '^(m|late|grace)' $$,
	$$ SELECT account, min(due), count(*) FROM (SELECT DISTINCT account::text FROM sla.invoice WHERE account ~ '^(m|late|grace)') i, LATERAL (
		SELECT e.due FROM sla.explain_restriction(account, as_of => now()) e WHERE e.kind = 'invoice' AND e.note LIKE 'overdue%') e GROUP BY 1 $$, 'as it is explained');

-- A service is restricted by bills for no service in particular, too
INSERT INTO service VALUES (1001, 'X', NULL, current_date - 100, NULL, 7, false), (1002, 'X', 's1', current_date - 5, NULL, 3, false), (1003, 'X', 's1', current_date - 3, NULL, 2, false),
	(1004, 'Y', NULL, current_date - 5, NULL, 7, false), (1005, 'Y', 's1', current_date - 50, NULL, 3, false), (1006, 'Z', 's1', current_date - 15, NULL, 3, false);
INSERT INTO plain VALUES (1001, 'Z', NULL, current_date - 40, NULL, 10, false);
SELECT set_eq($$ SELECT account::text, service::text, level::text, due, days, invoices, outstanding FROM sla.account_restriction WHERE account IN ('X', 'Y', 'Z') $$,
	$$ VALUES ('X', NULL, 'termination', current_date - 100, 100, 1::bigint, 7::numeric), ('X', 's1', 'termination', current_date - 100, 100, 2, 5),
		('Y', NULL, 'none', current_date - 5, 5, 1, 7), ('Y', 's1', 'termination', current_date - 50, 50, 1, 3),
		('Z', NULL, 'support', current_date - 40, 40, 1, 10), ('Z', 's1', 'support', current_date - 40, 40, 1, 3) $$, 'its row tells of the bill that decides');
SELECT is(sla.restriction('X', 's2', now()), (SELECT level FROM sla.account_restriction WHERE account = 'X' AND service IS NULL), 'a service without a row has the level of the row without service');
SELECT is_empty($$ SELECT v.account, v.service, v.level, sla.restriction(v.account, v.service, now()) FROM sla.account_restriction v
	WHERE v.level <> sla.restriction(v.account, v.service, now()) $$, 'which is that of sla.restriction still');
SELECT is(sla.overdue_before(policy, at::timestamptz), wanted::date, policy || ' ' || at) FROM (VALUES ('t minimum', '2026-03-10 12:00+01', '2026-03-04')) v(policy, at, wanted);

CREATE ROLE t_reader;
SET LOCAL ROLE t_reader;
SELECT throws_ok('SELECT FROM sla.account_restriction', '42501', NULL, 'not everybody may read it');
RESET ROLE;
GRANT SELECT ON sla.account_restriction TO t_reader;
GRANT EXECUTE ON FUNCTION sla.restriction(text, text, timestamptz, timestamptz) TO t_reader;
SET LOCAL ROLE t_reader;
SELECT lives_ok('SELECT count(level) FROM sla.account_restriction', 'who is granted it and sla.restriction may');
RESET ROLE;
SELECT set_eq('SELECT DISTINCT level::text FROM sla.account_restriction WHERE days IS NULL', '{deployments,support}'::text[], 'overrides alone have no days');

SELECT * FROM finish();
ROLLBACK;
