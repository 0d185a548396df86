-- The measurements of bench/compliance. psql variable: rounds.
--
-- The ledger of two years: a million clocks of some 400,000 tickets, written by
-- plain INSERT. Few accounts have many tickets, each account has its team and
-- its policy, promises are mostly kept, and at the end of the time some are
-- still open.

\ir measure.sql
SET timezone = 'UTC';

SELECT sla.load_policy(jsonb_build_object('policy', name, 'time_zone', zone) || '{
	"calendars": {"office": {"hours": "Europe/Amsterdam Mo-Fr 09:00-17:00", "holidays": ["2024-12-25", "2025-12-25"]}},
	"exemptions": {"known_incident": "Known incident"},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "office", "alerts": [0.5, 1]},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "office"},
		{"severity": "S3", "metric": "response", "goal": "8h", "calendar": "office"},
		{"severity": "S4", "metric": "response", "goal": "16h", "calendar": "office"}
	]}')
FROM (VALUES ('basic', 'Europe/Amsterdam'), ('premium', 'America/New_York'), ('internal', 'UTC')) p (name, zone) \g /dev/null

CREATE TABLE ticket (id int PRIMARY KEY);
INSERT INTO sla.attachment (ticket_table, policy, roles, options, on_error, attached_at)
VALUES ('ticket'::regclass, 'basic', '{}', '{}', 'record', '2024-01-01');

INSERT INTO sla.ticket (id, attachment_id, key, version, state, severity, policy_version_id,
	received_at, account, service, product, channel, team, assignee, exempt)
SELECT n, (SELECT max(id) FROM sla.attachment), n::text, 3,
	CASE WHEN random() < 0.95 THEN 'resolved' ELSE 'open' END,
	('S' || 1 + floor(4 * sqrt(random())))::sla.severity,
	CASE WHEN luck >= 0.01 THEN version.ids[1 + account % 3] END,
	timestamptz '2024-01-01' + random() * interval '730 days',
	'Account ' || account, 'Service ' || account % 7, 'Product ' || n % 5, 'email', 'Team ' || account % 8, 'Agent ' || n % 40,
	CASE WHEN luck < 0.01 THEN 'uncovered: no contract' WHEN luck < 0.03 THEN 'known_incident' END
FROM (SELECT n, random() AS luck, floor(60 * random() ^ 2)::int AS account FROM generate_series(1, 405000) n) t,
	(SELECT array_agg(id ORDER BY id) AS ids FROM sla.policy_version) version;

INSERT INTO sla.clock (ticket_id, metric, cycle, aim, severity, goal, hours_id, started_at, due_at,
	stopped_at, worked, paused, outcome, warn_at)
SELECT id, metric, cycle, 1, severity, '8h', hours_id, started_at, due_at, stopped_at,
	sla.business_between(started_at, stopped_at, hours), '0',
	CASE WHEN exempt IS NOT NULL THEN 'exempt'
		WHEN stopped_at IS NULL THEN NULL
		WHEN stopped_at > due_at THEN 'breached'
		WHEN random() < 0.01 THEN 'cancelled'
		ELSE 'met' END,
	CASE WHEN stopped_at IS NULL AND severity OPERATOR(sla.=) 'S1' THEN ARRAY[due_at - interval '1 h'] END
FROM (
	SELECT *, sla.business_add(started_at, '8h', hours) AS due_at,
		CASE WHEN started_at < '2025-12-20' OR random() < 0.5
			THEN sla.business_add(started_at,
				(-4 * ln(1 - random()) * interval '1 h')::sla.business_interval, hours) END AS stopped_at
	FROM (
		SELECT t.id, t.severity, t.exempt, metric, cycle, h.id AS hours_id, h.value AS hours,
			received_at + CASE metric WHEN 'reply' THEN random() * interval '2 days' ELSE '0' END AS started_at
		FROM sla.ticket t
			CROSS JOIN (VALUES ('response', 1), ('resolution', 1), ('reply', 1), ('reply', 2)) m (metric, cycle)
			CROSS JOIN sla.hours h
		WHERE policy_version_id IS NOT NULL AND (metric <> 'reply' OR random() < 0.27)) s) c
LIMIT 1000000;

VACUUM ANALYZE;

-- What one would write by hand
CREATE FUNCTION by_hand(unit text, condition text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT format($sql$
		SELECT date_trunc(%1$L, c.started_at AT TIME ZONE v.time_zone)::date AS %1$I,
			v.policy, c.severity, c.metric, t.team, t.account,
			count(*) AS promises,
			count(*) FILTER (WHERE c.outcome = 'met') AS met,
			count(*) FILTER (WHERE c.outcome = 'breached' OR c.outcome IS NULL AND c.due_at < now()) AS breached,
			count(*) FILTER (WHERE c.outcome IS NULL AND c.due_at >= now()) AS open,
			count(*) FILTER (WHERE c.outcome = 'cancelled') AS cancelled,
			count(*) FILTER (WHERE c.outcome = 'exempt') AS exempt,
			round(100.0 * count(*) FILTER (WHERE c.outcome = 'met') / nullif(count(*) FILTER (WHERE
				c.outcome IN ('met', 'breached') OR c.outcome IS NULL AND c.due_at < now()), 0), 2) AS met_percent,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY c.worked)
				FILTER (WHERE c.outcome IN ('met', 'breached')) AS worked_median,
			percentile_cont(0.9) WITHIN GROUP (ORDER BY c.worked)
				FILTER (WHERE c.outcome IN ('met', 'breached')) AS worked_p90,
			percentile_cont(0.95) WITHIN GROUP (ORDER BY c.worked)
				FILTER (WHERE c.outcome IN ('met', 'breached')) AS worked_p95
		FROM sla.clock c
			JOIN sla.ticket t ON t.id = c.ticket_id
			JOIN sla.policy_version v ON v.id = t.policy_version_id
		WHERE %2$s
		GROUP BY 1, 2, 3, 4, 5, 6
	$sql$, unit, condition)
$$;

-- It must tell what the view tells.
DO $$
DECLARE
	of_view text := 'SELECT month, policy, severity, metric, team, account, promises, met, breached, open,
		cancelled, exempt, met_percent, worked_median, worked_p90, worked_p95
		FROM sla.compliance_by_month WHERE metric IS NOT NULL';
	differing bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT %2$s) UNION ALL (%2$s EXCEPT %1$s)) d',
		of_view, by_hand('month', 'true')) INTO differing;
	IF differing > 0 THEN
		RAISE '% rows differ from those by hand', differing;
	END IF;
END
$$;

INSERT INTO probe (name, n, sql) VALUES
	('month', 1000000, 'SELECT * FROM sla.compliance_by_month'),
	('month by hand', 1000000, by_hand('month', 'true')),
	('day', 1000000, 'SELECT * FROM sla.compliance_by_day'),
	('day by hand', 1000000, by_hand('day', 'true')),
	('account', 1000000, 'SELECT * FROM sla.compliance_by_month WHERE account = ''Account 30'''),
	('account by hand', 1000000, by_hand('month', 't.account = ''Account 30''')),
	('at risk', 1000000, 'SELECT * FROM sla.at_risk'),
	('open clocks', 1000000, 'SELECT count(*) FROM sla.clock WHERE stopped_at IS NULL');

CALL run_probes(:rounds);

\pset footer off
\qecho Medians of :rounds rounds over a million clocks.
SELECT what, to_char(ours / 1000, '99990.00') AS seconds,
	against, to_char(theirs / 1000, '99990.00') AS "their seconds",
	to_char(ours / theirs, '990.00') AS ratio, goal
FROM (VALUES
	('compliance_by_month', cost('month'), 'GROUP BY by hand', cost('month by hand'), '<= 1.5'),
	('compliance_by_day', cost('day'), 'GROUP BY by hand', cost('day by hand'), ''),
	('compliance_by_month, one account', cost('account'), 'GROUP BY by hand', cost('account by hand'), ''),
	('at_risk', cost('at risk'), 'counting open clocks', cost('open clocks'), '')
) r (what, ours, against, theirs, goal);
