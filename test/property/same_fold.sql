-- Random histories of tickets under random rules: what the ledger has, what
-- sla.explain tells, what sla.simulate and sla.recompute come to is the same.
--
--   1. explain tells every clock with its terms, the stretches it tells are
--      seamless, and what counted adds up to what the clock worked;
--   2. simulate under the tickets' own policy comes to their clocks;
--   3. recompute finds nothing to change, and after a change of policy, when
--      it has changed what it said it would, nothing any more: the clocks are
--      those of simulate then.
--
--	psql -X -f test/property/same_fold.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error when anything disagrees, and prints what does.
--
-- seed (-1 .. 1), tickets and steps (of each ticket) come from psql variables:
--
--	psql -X -v seed=0.5 -v tickets=2000 -f test/property/same_fold.sql

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 0.2026 \endif
\if :{?tickets} \else \set tickets 150 \endif
\if :{?steps} \else \set steps 12 \endif

\ir lib/begin.sql
\pset tuples_only on
\o /dev/null
SELECT setseed(:seed);
\o
\echo seed :seed, :tickets tickets, :steps steps each

\o /dev/null
-- One policy for each way to change severities and to reopen
SELECT sla.load_policy(jsonb_set(jsonb_set(jsonb_set($${
	"policy": "", "time_zone": "Europe/Berlin",
	"calendars": {
		"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00; 2026-04-03 off; 2026-04-06 off"},
		"night": {"hours": "Europe/Berlin Mo-Su 22:00-06:00"},
		"always": {"hours": "24/7"}},
	"severity_caps": {"beta": "S2"},
	"channels": {"email": "investigation", "fax": "never"},
	"exemptions": {"weather": "Weather"},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always", "pausable": false, "alerts": [0.5, 1]},
		{"severity": "S1", "metric": "update", "goal": "6h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "12h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "day"},
		{"severity": "S2", "metric": "reply", "goal": "8h", "calendar": "day"},
		{"severity": "S2", "metric": "resolution", "goal": "2bd 2h", "calendar": "day"},
		{"severity": "S3", "metric": "response", "goal": "3h", "calendar": "night"},
		{"severity": "S3", "metric": "update", "goal": "1bd", "calendar": "day"}]}$$,
	'{policy}', to_jsonb(c || '-' || r)), '{severity_change}', to_jsonb(c)), '{reopening}', to_jsonb(r)))
FROM unnest('{from_start,from_change,carry}'::text[]) c, unnest('{continue,restart}'::text[]) r;

CREATE FUNCTION pg_temp.one_of(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;
CREATE FUNCTION pg_temp.instant() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
	SELECT '2026-03-27 00:00'::timestamptz + CASE WHEN random() < 0.5 THEN floor(random() * 240) ELSE random() * 240 END * interval '1 h' $$;

CREATE TABLE ticket (id int PRIMARY KEY, s text, at timestamptz, replied timestamptz, news timestamptz, wrote timestamptz, status text DEFAULT 'open',
	product text, channel text, exempt text, investigated timestamptz, changed timestamptz, policy text);
SELECT sla.attach('ticket', NULL, 's', 'at', 'replied', changed_at => 'changed', last_update_at => 'news', customer_reply_at => 'wrote', status => 'status',
	paused_when => '{waiting}', resolved_when => '{closed}', cancelled_when => '{spam}', product => 'product', channel => 'channel', exempt => 'exempt',
	investigated_at => 'investigated', policy_column => 'policy');
INSERT INTO ticket (id, s, at, product, channel, policy, changed)
SELECT g, 'S' || 1 + floor(random() * 4), pg_temp.instant(), pg_temp.one_of(NULL, 'beta', 'shop'), pg_temp.one_of(NULL, NULL, NULL, 'email', 'fax', 'web'),
	(SELECT name FROM sla.policy ORDER BY name OFFSET g % 6 LIMIT 1), '2026-03-27 00:00'
FROM generate_series(1, :tickets) g;

CREATE FUNCTION pg_temp.step(id int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind constant int := floor(random() * 16);
	moment constant timestamptz := pg_temp.instant();
BEGIN
	CASE kind
		WHEN 0 THEN UPDATE ticket t SET replied = moment, changed = moment WHERE t.id = step.id;
		WHEN 1 THEN UPDATE ticket t SET news = moment, changed = moment WHERE t.id = step.id;
		WHEN 2 THEN UPDATE ticket t SET wrote = moment, changed = moment WHERE t.id = step.id;
		WHEN 3, 4, 5 THEN UPDATE ticket t SET status = pg_temp.one_of('open', 'waiting', 'closed', 'spam'), changed = moment WHERE t.id = step.id;
		WHEN 6, 7 THEN UPDATE ticket t SET s = pg_temp.one_of('S1', 'S2', 'S3', 'S4'), changed = moment WHERE t.id = step.id;
		WHEN 8 THEN UPDATE ticket t SET product = pg_temp.one_of('beta', 'shop'), changed = moment WHERE t.id = step.id;
		WHEN 9 THEN UPDATE ticket t SET investigated = moment, changed = moment WHERE t.id = step.id;
		WHEN 10 THEN UPDATE ticket t SET exempt = pg_temp.one_of(NULL, NULL, 'weather', 'mood'), changed = moment WHERE t.id = step.id;
		WHEN 11 THEN UPDATE ticket t SET at = pg_temp.instant() WHERE t.id = step.id AND random() < 0.3;
		WHEN 12 THEN PERFORM sla.record_event('ticket', step.id::text, pg_temp.one_of('paused', 'resumed'), moment, pg_temp.one_of('parts', 'customer'));
		WHEN 13 THEN PERFORM sla.record_event('ticket', step.id::text, pg_temp.one_of('replied', 'updated', 'customer_replied', 'resolved', 'reopened'), moment);
		WHEN 14 THEN
			BEGIN
				PERFORM sla.pin_due('ticket', step.id::text, pg_temp.one_of('response', 'resolution', 'update'), CASE WHEN random() < 0.7 THEN pg_temp.instant() END, moment);
			EXCEPTION WHEN invalid_parameter_value THEN	-- nothing runs then
			END;
		ELSE
			DELETE FROM ticket t WHERE t.id = step.id AND random() < 0.1;
	END CASE;
EXCEPTION WHEN SQLSTATE '02000' THEN	-- a deleted ticket has no events
END $$;
SELECT count(pg_temp.step(t)) FROM generate_series(1, :steps) s, generate_series(1, :tickets) t;
CREATE TABLE disagreement (promise text, key text, one text, other text);

-- 1. explain
CREATE TABLE told AS SELECT t.id AS ticket_id, t.key, e.* FROM sla.ticket t CROSS JOIN LATERAL sla.explain('ticket', t.key) e;
INSERT INTO disagreement
SELECT 'a clock that is not told', t.key, c::text, NULL FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id
WHERE NOT EXISTS (SELECT FROM told e WHERE e.ticket_id = t.id AND e.event IS NULL AND e.metric = c.metric AND e.cycle = c.cycle AND e.at = c.started_at
	AND (e.until, e.due_at, e.goal::text, e.severity::text, e.counted) IS NOT DISTINCT FROM (c.stopped_at, c.due_at, c.goal::text, c.severity::text, c.worked));
INSERT INTO disagreement
SELECT 'what counted adds up', t.key, c::text, e.counted::text
FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id
	LEFT JOIN (SELECT ticket_id, metric, cycle, sum(counted) AS counted FROM told WHERE event IS NULL AND goal IS NULL GROUP BY 1, 2, 3) e USING (ticket_id, metric, cycle)
WHERE c.stopped_at IS NOT NULL AND c.worked <> coalesce(e.counted, '0');
INSERT INTO disagreement
SELECT 'what is left counts until it is due', t.key, c::text, e.counted::text
FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id
	LEFT JOIN (SELECT ticket_id, metric, cycle, sum(counted) AS counted FROM told WHERE event IS NULL AND goal IS NULL GROUP BY 1, 2, 3) e USING (ticket_id, metric, cycle)
WHERE c.stopped_at IS NULL AND isfinite(c.due_at) AND NOT c.pinned AND c.carried IS NULL AND c.goal::text !~ 'bd'
	AND coalesce(e.counted, '0') < c.goal::text::interval;
INSERT INTO disagreement
SELECT 'stretches are seamless', key, concat_ws(' ', metric, cycle, until), next::text
FROM (SELECT key, metric, cycle, until, lead(at) OVER (PARTITION BY ticket_id, metric, cycle ORDER BY step) AS next FROM told WHERE event IS NULL AND metric IS NOT NULL AND goal IS NULL) s
WHERE until <> next;
INSERT INTO disagreement
SELECT 'every event is told once', t.key, count(*)::text, NULL FROM sla.event v JOIN sla.ticket t ON t.id = v.ticket_id
	LEFT JOIN told e ON e.ticket_id = v.ticket_id AND e.seq = v.seq AND e.metric IS NULL AND e.event = v.kind AND e.recorded_at = v.recorded_at
GROUP BY t.id, v.seq HAVING count(e.step) <> 1;

-- 2. simulate
CREATE FUNCTION clocks() RETURNS TABLE (key text, clocks text) LANGUAGE sql AS $$
	SELECT t.key, string_agg(concat_ws(' ', c.metric, c.cycle, c.severity, c.goal, c.started_at, c.due_at, c.stopped_at, c.worked, coalesce(c.outcome, 'running')), E'\n' ORDER BY c.metric, c.cycle)
	FROM sla.ticket t JOIN sla.clock c ON c.ticket_id = t.id GROUP BY t.id $$;
CREATE FUNCTION simulated() RETURNS TABLE (key text, clocks text) LANGUAGE sql AS $$
	SELECT c.key, string_agg(concat_ws(' ', c.metric, c.cycle, c.severity, c.goal, c.started_at, c.due_at, c.stopped_at, c.worked, coalesce(c.outcome, 'running')), E'\n' ORDER BY c.metric, c.cycle)
	FROM sla.policy p, sla.simulate(p.name, NULL, NULL) c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.policy = p.name GROUP BY c.key $$;
INSERT INTO disagreement
SELECT 'simulate', key, c.clocks, s.clocks FROM clocks() c FULL JOIN simulated() s USING (key) WHERE c.clocks IS DISTINCT FROM s.clocks;

-- 3. recompute
INSERT INTO disagreement SELECT 'recompute without a change', key, d::text, NULL FROM sla.recompute(settled => true) d;
UPDATE sla.calendar SET hours = hours OPERATOR(sla.-) 'Europe/Berlin 2026-03-30' WHERE random() < 0.5;
UPDATE sla.target SET goal = goal OPERATOR(sla.+) '1h' WHERE random() < 0.3;
DELETE FROM sla.target WHERE random() < 0.1;
UPDATE sla.target SET pausable = NOT pausable WHERE random() < 0.2;
CREATE TABLE previewed AS SELECT * FROM sla.recompute(settled => true);
CREATE TABLE done AS SELECT * FROM sla.recompute(settled => true, dry_run => false);
INSERT INTO disagreement SELECT 'what is done is what was said', coalesce(p.key, d.key), p::text, d::text FROM previewed p FULL JOIN done d USING (ticket_id, metric, cycle) WHERE p::text IS DISTINCT FROM d::text;
INSERT INTO disagreement SELECT 'recompute twice', key, d::text, NULL FROM sla.recompute(settled => true) d;
INSERT INTO disagreement
SELECT 'simulate after recompute', key, c.clocks, s.clocks FROM clocks() c FULL JOIN simulated() s USING (key) WHERE c.clocks IS DISTINCT FROM s.clocks;
INSERT INTO disagreement
SELECT 'stamps', r.id::text, r::text, c.due::text
FROM ticket r JOIN sla.ticket t ON t.key = r.id::text CROSS JOIN unnest('{response,reply,update,resolution}'::text[]) m
	LEFT JOIN LATERAL (SELECT CASE WHEN outcome IS NULL OR outcome NOT IN ('cancelled', 'exempt') THEN nullif(due_at, 'infinity') END AS due
		FROM sla.clock WHERE ticket_id = t.id AND metric = m ORDER BY cycle DESC LIMIT 1) c ON true
WHERE (to_jsonb(r) ->> ('sla_' || m || '_due'))::timestamptz IS DISTINCT FROM c.due;
\o

SELECT promise, key, E'\n' || one, E'\n' || other FROM disagreement ORDER BY promise, key LIMIT 10;
SELECT format('%s tickets, %s events, %s clocks, %s lines told, %s recomputed; %s disagree',
	(SELECT count(*) FROM sla.ticket), (SELECT count(*) FROM sla.event), (SELECT count(*) FROM sla.clock), (SELECT count(*) FROM told), (SELECT count(*) FROM done),
	(SELECT count(*) FROM disagreement));
DO $$
BEGIN
	IF EXISTS (SELECT FROM disagreement) THEN
		RAISE 'the same fold came to different ends';
	END IF;
END $$;
ROLLBACK;
