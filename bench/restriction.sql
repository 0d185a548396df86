-- The measurements of bench/enforcement about bills. psql variable: rounds.
--
-- 100,000 accounts with a bill a month, two million in all, most of them paid
-- within their term, some late, a few more than 90 days late; of the last ones
-- one in eight is not paid yet.

-- what another part has left
DROP TABLE IF EXISTS probe, sample;
DROP PROCEDURE IF EXISTS run_probes(int);
DROP FUNCTION IF EXISTS cost(text, text);
\ir measure.sql
SET timezone = 'UTC';

SELECT sla.load_policy(sla.preset('amazee') || '{"policy": "bench bills"}') \g /dev/null
CREATE TABLE bill (id int PRIMARY KEY, account text NOT NULL, due date NOT NULL, paid_at timestamptz, amount numeric NOT NULL);
CREATE TABLE plain (LIKE bill INCLUDING ALL);
CREATE SEQUENCE next START 3000000;

INSERT INTO bill
SELECT account * 20 + month, 'Account ' || account, due,
	CASE WHEN luck < 0.995 AND (month < 17 OR luck < 0.875) THEN least(now() - interval '1 s',
		due + CASE WHEN luck < 0.9 THEN -14 + 16 * late WHEN luck < 0.98 THEN 60 * late ELSE 40 + 80 * late END * interval '1 day') END,
	round((20 + 200 * late)::numeric, 2)
FROM (SELECT account, month, current_date - (19 - month) * 30 + account % 30 AS due, random() AS luck, random() AS late
	FROM generate_series(1, 100000) account, generate_series(0, 19) month) b;
UPDATE bill SET paid_at = due - interval '1 day' WHERE paid_at IS NULL AND due < current_date - 120 AND id % 4 > 0;
SELECT sla.attach_invoices('bill', 'bench bills', account => 'account', due => 'due', settled_at => 'paid_at', amount => 'amount') AS recorded \gset
CREATE TABLE account (id text PRIMARY KEY, name text, open boolean);
INSERT INTO account SELECT DISTINCT account, account, true FROM bill;
VACUUM ANALYZE;

-- What one would write by hand: the earliest unsettled bill of each account, and
-- a termination that lasts as long as something has been overdue since one of 91 days
CREATE VIEW by_hand AS
WITH open AS (
	SELECT account, min(due) AS due
	FROM sla.invoice
	WHERE counts_until > now() AND due < current_date
	GROUP BY account
), late AS (
	SELECT DISTINCT account FROM sla.invoice WHERE counts_until <= now() AND counts_until >= due + 91
)
SELECT o.account, CASE
		WHEN current_date - o.due >= 91 THEN 'termination'
		WHEN l.account IS NOT NULL AND EXISTS (
			SELECT FROM sla.invoice i
			WHERE i.account = o.account AND i.counts_until >= i.due + 91 AND i.counts_until < now()
			  AND NOT EXISTS (
				SELECT FROM sla.invoice e
				WHERE e.account = o.account AND e.counts_until >= i.counts_until AND e.counts_until < now()
				  AND NOT EXISTS (
					SELECT FROM sla.invoice f
					WHERE f.account = o.account AND f.due + 1 <= e.counts_until AND f.counts_until > e.counts_until)))
			THEN 'termination'
		WHEN current_date - o.due >= 61 THEN 'deployments'
		WHEN current_date - o.due >= 30 THEN 'support'
		ELSE 'none' END::sla.restriction_level AS level
FROM open o LEFT JOIN late l ON l.account = o.account;

-- It must tell what the view tells, and the function.
DO $$
DECLARE
	differing bigint;
BEGIN
	SELECT count(*) INTO differing FROM by_hand h FULL JOIN sla.account_restriction v ON v.account = h.account WHERE v.level IS DISTINCT FROM h.level;
	IF differing > 0 THEN
		RAISE '% accounts differ from those by hand', differing;
	END IF;
	SELECT count(*) INTO differing FROM sla.account_restriction v WHERE v.level <> sla.restriction(v.account, NULL, now());
	IF differing > 0 THEN
		RAISE '% accounts differ from sla.restriction', differing;
	END IF;
END
$$;

CREATE FUNCTION lookup(key text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
	found_open boolean;
BEGIN
	SELECT a.open INTO found_open FROM account a WHERE a.id = key;
	RETURN found_open;
END
$$;
CREATE TABLE asked AS SELECT 'Account ' || 1 + floor(random() * 100000) AS account FROM generate_series(1, 100000);
CREATE TABLE asked_overdue AS SELECT account COLLATE "default" AS account FROM sla.account_restriction ORDER BY random();
SELECT count(*) AS overdue FROM asked_overdue \gset
VACUUM ANALYZE;

INSERT INTO probe (name, n, sql, setup) VALUES
	('view', 2000000, 'SELECT account, level FROM sla.account_restriction', NULL),
	('view by hand', 2000000, 'SELECT account, level FROM by_hand', NULL),
	('all columns', 2000000, 'SELECT * FROM sla.account_restriction', NULL),
	('bare', 100000, 'SELECT count(account) FROM asked', NULL),
	('allowed', 100000, 'SELECT count(*) FROM asked WHERE sla.is_allowed(account, ''ticket'', now())', NULL),
	('lookup', 100000, 'SELECT count(*) FROM asked WHERE lookup(account)', NULL),
	('allowed overdue', :overdue, 'SELECT count(*) FROM asked_overdue WHERE sla.is_allowed(account, ''ticket'', now())', NULL),
	('lookup overdue', :overdue, 'SELECT count(*) FROM asked_overdue WHERE lookup(account)', NULL),
	('bill run', 100000, 'INSERT INTO bill SELECT nextval(''next''), ''Account '' || g, current_date + 14, NULL, 10 FROM generate_series(1, 100000) g', NULL),
	('plain bill run', 100000, 'INSERT INTO plain SELECT nextval(''next''), ''Account '' || g, current_date + 14, NULL, 10 FROM generate_series(1, 100000) g', NULL);

CALL run_probes(:rounds);

\pset footer off
\qecho Medians of :rounds rounds over two million bills of 100,000 accounts.
SELECT what, to_char(ours / 1000, '99990.00') AS "µs each", against, to_char(theirs / 1000, '99990.00') AS "their µs",
	to_char(ours / theirs, '990.00') AS ratio, goal
FROM (VALUES
	('account_restriction, per bill', cost('view'), 'GROUP BY by hand', cost('view by hand'), '<= 1.5'),
	('account_restriction, all columns', cost('all columns'), 'GROUP BY by hand', cost('view by hand'), ''),
	('is_allowed', cost('allowed', 'bare'), 'look-up by primary key', cost('lookup', 'bare'), '<= 2'),
	('is_allowed, something is overdue', cost('allowed overdue'), 'look-up by primary key', cost('lookup overdue'), ''),
	('a bill run', cost('bill run'), 'the same, not attached', cost('plain bill run'), '')
) r (what, ours, against, theirs, goal);
SELECT level, count(*) AS accounts FROM sla.account_restriction GROUP BY level ORDER BY level;
