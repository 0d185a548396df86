-- Times nobody means must not spoil the reports of everybody else.
BEGIN;
SET LOCAL timezone = 'Pacific/Auckland';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(12);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "Pacific/Auckland",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "always"}]}');
CREATE TABLE tickets (
	id int PRIMARY KEY,
	priority text,
	created_at timestamptz,
	closed_at timestamptz);
SELECT sla.attach('tickets', 'acme', 'priority', 'created_at', resolved_at => 'closed_at');

INSERT INTO tickets VALUES
	(1, 'S1', '4714-11-24 00:00+00 BC', NULL),
	(2, 'S1', '294276-12-31 23:59:59+00', NULL),
	(3, 'S9', '4714-11-24 00:00+00 BC', NULL),
	(4, 'S1', '2026-03-31 12:00+00', '2026-03-31 13:00+00'),
	(5, 'S1', now(), now() + '1 year');
SELECT is((SELECT sum(promises) FROM sla.compliance_by_month WHERE policy = 'acme'), 4::numeric, 'every promise is in the report');
SELECT is((SELECT month FROM sla.compliance_by_month WHERE policy = 'acme' AND met = 1), date '2026-04-01', 'months are those of the policy''s zone');
SELECT isnt_empty($$ SELECT * FROM sla.clock_status $$, 'the clocks can be read');

-- One row from end to end must not spoil everybody's reports
INSERT INTO tickets VALUES
	(6, 'S1', '1970-01-01 00:00+00', '294276-12-31 23:59:59+00'),
	(7, 'S1', '4714-11-24 00:00+00 BC', '294276-12-31 23:59:59+00');
SELECT sla.pin_due('tickets', '1', 'resolution', '294276-12-31 23:59:59+00', '4714-11-24 00:00+00 BC');
SELECT lives_ok(format('SELECT * FROM sla.%I', v), v || ' is read with rows from end to end')
FROM unnest('{clock_status,at_risk,breach,compliance_by_month,compliance_by_day}'::text[]) v;
SELECT is((SELECT count(*) FROM sla.breach WHERE key IN ('6', '7') AND late_by > '100000 years'), 2::bigint, 'and they are late');

-- Resolved ahead of time, then not: reopened when it would have been resolved
UPDATE tickets SET closed_at = NULL WHERE id = 5;
SELECT is((SELECT status || ' ' || worked FROM sla.clock_status WHERE key = '5' AND policy = 'acme'), 'running 00:00:00',
	'nothing is used up before a reopening that lies ahead');

CREATE TABLE others (a int, b int, priority text, created_at timestamptz, PRIMARY KEY (a, b));
SELECT throws_ok($$ SELECT sla.attach('others', 'acme', 'priority', 'created_at', key => '{a,b,a}') $$, '55000', NULL,
	'a key does not name a column twice');
SELECT lives_ok($$ SELECT sla.attach('others', 'acme', 'priority', 'created_at', key => '{b,a}') $$, 'in any order');

SELECT * FROM finish();
ROLLBACK;
