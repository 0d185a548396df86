-- Compliance by month and day, with figures counted by hand: every promise is
-- counted once, in one column, in the month and day of its policy's own zone.
BEGIN;
SET LOCAL timezone = 'Pacific/Honolulu';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(23);

-- Reports ten hours ahead of UTC, and three and a half behind it, all year round
SELECT sla.load_policy(jsonb_build_object('policy', name, 'time_zone', zone) || '{"calendars": {"always": {"hours": "24/7"}}, "exemptions": {"incident": "Known incident"},
	"channels": {"chat": "never"}, "targets": [
	{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}, {"severity": "S1", "metric": "resolution", "goal": "1h", "calendar": "always"},
	{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"}]}')
	FROM (VALUES ('east', 'Australia/Brisbane'), ('west', 'America/Caracas')) p (name, zone);
CREATE TABLE tickets (id int PRIMARY KEY, p text DEFAULT 'east', s text DEFAULT 'S2', at timestamptz, replied timestamptz, done timestamptz, state text DEFAULT 'open', way text, waived text,
	customer text DEFAULT 'Acme', crew text DEFAULT 'front', changed timestamptz);
SELECT sla.attach('tickets', severity => 's', received_at => 'at', responded_at => 'replied', resolved_at => 'done', changed_at => 'changed', policy_column => 'p', status => 'state',
	paused_when => '{waiting}', cancelled_when => '{junk}', channel => 'way', exempt => 'waived', account => 'customer', team => 'crew', stamp => false);
CREATE FUNCTION pg_temp.counts(view_name text, condition text DEFAULT 'true') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT concat_ws('' '', sum(promises), sum(met), sum(breached), sum(open), sum(cancelled), sum(exempt), sum(uncovered)) FROM sla.%I WHERE %s', view_name, condition) INTO result;
	RETURN result;
END $$;

-- Of each kind one, and one more met
INSERT INTO tickets (id, at, replied) VALUES (1, '2020-03-10 00:00+00', '2020-03-10 00:30+00'), (2, '2020-03-10 00:00+00', '2020-03-10 01:30+00'), (3, '2020-03-10 00:00+00', '2020-03-10 02:30+00');
INSERT INTO tickets (id, at) VALUES (4, '2020-03-10 00:00+00'), (5, '2020-03-10 00:00+00');
UPDATE tickets SET state = 'waiting', changed = '2020-03-10 01:00+00' WHERE id = 4;
UPDATE tickets SET state = 'junk', changed = '2020-03-10 01:00+00' WHERE id = 5;
INSERT INTO tickets (id, at, waived) VALUES (6, '2020-03-10 00:00+00', 'incident');
INSERT INTO tickets (id, at, way) VALUES (7, '2020-03-10 00:00+00', 'chat');
INSERT INTO tickets (id, at, s) VALUES (8, '2020-03-10 00:00+00', 'x');
INSERT INTO tickets (id, at, state, way) VALUES (9, '2020-03-10 00:00+00', 'junk', 'chat');
INSERT INTO tickets (id, at, s) VALUES (10, '2020-03-10 00:00+00', 'S9');
SELECT results_eq($$ SELECT policy, severity::text, metric COLLATE "default", team, account, promises, met, breached, open, cancelled, exempt, uncovered, met_percent, met_percent_overall
	FROM sla.compliance_by_month WHERE month = '2020-03-01' ORDER BY metric, severity $$,
	$$ VALUES ('east', 'S2', 'response', 'front', 'Acme', 6::bigint, 2::bigint, 1::bigint, 1::bigint, 1::bigint, 1::bigint, 0::bigint, 66.67, 50.00),
		('east', 'S2', NULL, 'front', 'Acme', 2, 0, 0, 0, 1, 0, 1, NULL, 0.00),
		('east', NULL, NULL, 'front', 'Acme', 1, 0, 0, 0, 0, 0, 1, NULL, 0.00) $$ , 'every promise in one column');
SELECT is((SELECT (worked_median, worked_p90, worked_p95)::text FROM sla.compliance_by_month WHERE metric = 'response'), '(01:30:00,02:18:00,02:24:00)',
	'percentiles of the three that were stopped, in time or late');
SELECT is((SELECT round(100.0 * sum(met) / sum(met + breached + exempt + uncovered), 2) FROM sla.compliance_by_month), 33.33, 'rolled up, what is not covered counts');

-- Late and not answered: broken, without a time that it took
INSERT INTO tickets (id, at, customer) VALUES (11, '2020-03-10 00:00+00', 'Late');
SELECT is((SELECT concat_ws(' ', breached, met_percent, met_percent_overall, coalesce(worked_median::text, '-')) FROM sla.compliance_by_month WHERE account = 'Late'), '1 0.00 0.00 -', 'broken at its due time, whether or not it has stopped');

-- The last hours of a month in one zone are the first of the next in the other
INSERT INTO tickets (id, p, s, at, replied, done, customer) VALUES
	(21, 'east', 'S1', '2020-04-30 13:59:59.999999+00', '2020-04-30 14:30+00', NULL, 'Zone'), (22, 'east', 'S1', '2020-04-30 14:00+00', '2020-04-30 14:30+00', '2020-04-30 14:30+00', 'Zone'),
	(23, 'west', 'S1', '2020-05-01 03:59:59.999999+00', '2020-05-01 04:30+00', NULL, 'Zone'), (24, 'west', 'S1', '2020-05-01 04:00+00', '2020-05-01 04:30+00', '2020-05-01 04:30+00', 'Zone');
SELECT results_eq($$ SELECT month::text, policy, metric COLLATE "default", met, breached FROM sla.compliance_by_month WHERE account = 'Zone' ORDER BY 2, 1, 3 $$,
	$$ VALUES ('2020-04-01', 'east', 'resolution', 0::bigint, 1::bigint), ('2020-04-01', 'east', 'response', 1, 0), ('2020-05-01', 'east', 'resolution', 1, 0), ('2020-05-01', 'east', 'response', 1, 0),
		('2020-04-01', 'west', 'resolution', 0, 1), ('2020-04-01', 'west', 'response', 1, 0), ('2020-05-01', 'west', 'resolution', 1, 0), ('2020-05-01', 'west', 'response', 1, 0) $$, 'months of the policy''s zone, whatever the session''s');
SELECT results_eq($$ SELECT day::text, policy, met FROM sla.compliance_by_day WHERE account = 'Zone' AND metric = 'response' ORDER BY 2, 1 $$,
	$$ VALUES ('2020-04-30', 'east', 1::bigint), ('2020-05-01', 'east', 1), ('2020-04-30', 'west', 1), ('2020-05-01', 'west', 1) $$, 'and days');
INSERT INTO tickets (id, p, at, way, customer) VALUES (25, 'west', '2020-05-01 03:59+00', 'chat', 'Zone'), (26, 'none', '2020-05-01 03:59+00', NULL, 'Zone'), (27, 'east', NULL, NULL, 'Zone');
SELECT results_eq($$ SELECT day::text, policy FROM sla.compliance_by_day WHERE account = 'Zone' AND uncovered = 1 ORDER BY 1 $$, $$ VALUES ('2020-04-30', 'west'), ('2020-05-01', 'none'), (NULL, 'east') $$,
	'what is not covered counts from receipt, in UTC where there is no such policy, in no month where there is no receipt');

-- The start of the clock counts, not that of the ticket
SELECT sla.load_policy('{"policy": "turns", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}}, "targets": [
	{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}, {"severity": "S1", "metric": "update", "goal": "100h", "calendar": "always"}]}');
INSERT INTO tickets (id, p, s, at, replied, customer) VALUES (31, 'turns', 'S1', '2020-06-30 23:30+00', '2020-07-01 00:10+00', 'Turn');
SELECT results_eq($$ SELECT month::text, metric COLLATE "default", met, breached FROM sla.compliance_by_month WHERE account = 'Turn' ORDER BY 1 $$, $$ VALUES ('2020-06-01', 'response', 1::bigint, 0::bigint), ('2020-07-01', 'update', 0, 1) $$,
	'a clock is of the month in which it starts');

-- Other units, from the same definition
SELECT is((SELECT string_agg(unit || ' ' || period, ', ' ORDER BY unit) FROM sla.compliance WHERE account = 'Turn' AND metric = 'update'),
	'day 2020-07-01, month 2020-07-01, quarter 2020-07-01, week 2020-06-29, year 2020-01-01', 'weeks, quarters and years as well');
SELECT is(pg_temp.counts('compliance', format('unit = %L', u)), pg_temp.counts('compliance_by_month'), 'all promises by ' || u) FROM unnest('{day,week,quarter,year}'::text[]) u;
SELECT is(pg_temp.counts('compliance_by_day'), pg_temp.counts('compliance_by_month'), 'no promise is lost between month and day');
SELECT is_empty($$ SELECT * FROM sla.compliance_by_month WHERE promises <> met + breached + open + cancelled + exempt + uncovered $$, 'each is in one column');
SELECT is((SELECT sum(promises) FROM sla.compliance_by_month), (SELECT count(*)::numeric FROM sla.clock_status), 'as many as there are');
SELECT is(pg_temp.counts('compliance_by_month'), (SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE status = 'met'), count(*) FILTER (WHERE status = 'breached'), count(*) FILTER (WHERE status IN ('running', 'paused')),
	count(*) FILTER (WHERE status = 'cancelled'), count(*) FILTER (WHERE status = 'exempt'), count(*) FILTER (WHERE status = 'uncovered')) FROM sla.clock_status), 'of each status');
SELECT is(pg_temp.counts('compliance', $$unit = 'century'$$), '', 'no other units');

-- By team and account, as the tickets say them now
UPDATE tickets SET crew = 'back' WHERE id = 1;
SELECT results_eq($$ SELECT team, met FROM sla.compliance_by_month WHERE month = '2020-03-01' AND account = 'Acme' AND met > 0 ORDER BY 1 $$, $$ VALUES ('back', 1::bigint), ('front', 1) $$, 'by team');
UPDATE tickets SET crew = NULL, customer = NULL WHERE id = 1;
SELECT is((SELECT sum(met) FROM sla.compliance_by_month WHERE team IS NULL AND account IS NULL), 1::numeric, 'or by none');

-- Only what is asked for is read and computed
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query; END $$;
SELECT is((SELECT count(*) FROM pg_temp.plan('SELECT * FROM sla.compliance_by_month') p WHERE p ~ 'Scan.* on sla\.clock '), 1::bigint, 'one scan of the clocks for one unit');
SELECT is_empty($$ SELECT * FROM pg_temp.plan('SELECT * FROM sla.compliance_by_month') p WHERE p ~ 'business_(between|add)|sla\.(hours|severity_label)\M' $$, 'no calendar is asked');
SELECT isnt_empty($$ SELECT * FROM pg_temp.plan('SELECT * FROM sla.compliance_by_month WHERE account = ''Acme''') p WHERE p ~ 'Filter: \(t\.account = ''Acme''' $$, 'other accounts are left out before anything is sorted');

SELECT * FROM finish();
ROLLBACK;
