-- Random histories of tickets against three promises:
--
--   1. recorded step by step, the ledger's clocks are those of the final row
--      recorded at once, wherever the row still tells the whole story (no
--      severity changed, nothing reopened or deleted in between);
--   2. recorded step by step in another order, corrections and changes of
--      severity with times of their own fold to the same clocks;
--   3. always: rows, clocks, events and stamps agree with each other.
--
--	psql -X -f test/property/fold.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error when anything disagrees, and prints the tickets that do.
--
-- seed (-1 .. 1), tickets and steps (of each ticket) come from psql variables:
--
--	psql -X -v seed=0.5 -v tickets=2000 -f test/property/fold.sql

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 0.2026 \endif
\if :{?tickets} \else \set tickets 400 \endif
\if :{?steps} \else \set steps 8 \endif

BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
SET LOCAL jit = off;
CREATE EXTENSION IF NOT EXISTS slapolicy;
\pset tuples_only on
\o /dev/null
SELECT setseed(:seed);
\o
\echo seed :seed, :tickets tickets, :steps steps each

\o /dev/null
SELECT sla.load_policy('{"policy": "fold", "time_zone": "Europe/Berlin",
	"calendars": {
		"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00; 2026-04-03 off; 2026-04-06 off"},
		"night": {"hours": "Europe/Berlin Mo-Su 22:00-06:00"},
		"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "12h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "day"},
		{"severity": "S2", "metric": "resolution", "goal": "2bd 2h", "calendar": "day"},
		{"severity": "S3", "metric": "response", "goal": "3h", "calendar": "night"}]}');

-- An instant around the clock change, half of the time in whole hours, so
-- that ties and exact due times do happen.
CREATE FUNCTION pg_temp.instant() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
	SELECT '2026-03-27 00:00'::timestamptz + CASE WHEN random() < 0.5 THEN floor(random() * 240) ELSE random() * 240 END * interval '1 h' $$;
CREATE FUNCTION pg_temp.severity() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.05 THEN NULL ELSE 'S' || 1 + floor(random() * 4) END $$;

CREATE TABLE stepwise (id int PRIMARY KEY, s text, at timestamptz, replied timestamptz, done timestamptz, changed timestamptz);
SELECT sla.attach('stepwise', 'fold', 's', 'at', 'replied', 'done', 'changed');
-- What became of a ticket that the row does not tell any more
CREATE TABLE lossy (id int PRIMARY KEY);

INSERT INTO stepwise SELECT g, pg_temp.severity(), pg_temp.instant(), NULL, NULL, NULL FROM generate_series(1, :tickets) g;
CREATE FUNCTION pg_temp.step(id int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind constant float := random();
BEGIN
	IF kind < 0.25 THEN
		UPDATE stepwise t SET replied = CASE WHEN random() < 0.8 THEN pg_temp.instant() END WHERE t.id = step.id;
	ELSIF kind < 0.40 THEN
		UPDATE stepwise t SET done = pg_temp.instant() WHERE t.id = step.id;
	ELSIF kind < 0.55 THEN
		UPDATE stepwise t SET at = CASE WHEN random() < 0.9 THEN pg_temp.instant() END WHERE t.id = step.id;
	ELSIF kind < 0.70 THEN
		UPDATE stepwise t SET at = pg_temp.instant(), replied = pg_temp.instant(), done = coalesce(done, CASE WHEN random() < 0.3 THEN pg_temp.instant() END) WHERE t.id = step.id;
	ELSIF kind < 0.80 THEN
		UPDATE stepwise t SET id = -t.id WHERE t.id = step.id;
		UPDATE stepwise t SET id = -t.id WHERE t.id = -step.id;
	ELSIF step.id % 2 = 0 THEN
		-- half of the tickets keep to what a row can tell
		RETURN;
	ELSIF kind < 0.88 THEN
		UPDATE stepwise t SET s = pg_temp.severity(), changed = pg_temp.instant() WHERE t.id = step.id;
		INSERT INTO lossy VALUES (step.id) ON CONFLICT DO NOTHING;
	ELSIF kind < 0.94 THEN
		UPDATE stepwise t SET done = NULL, changed = pg_temp.instant() WHERE t.id = step.id;
		INSERT INTO lossy VALUES (step.id) ON CONFLICT DO NOTHING;
	ELSIF kind < 0.97 THEN
		DELETE FROM stepwise t WHERE t.id = step.id;
		INSERT INTO lossy VALUES (step.id) ON CONFLICT DO NOTHING;
	ELSE
		INSERT INTO stepwise VALUES (step.id, pg_temp.severity(), pg_temp.instant(), NULL, NULL, pg_temp.instant()) ON CONFLICT DO NOTHING;
		INSERT INTO lossy VALUES (step.id) ON CONFLICT DO NOTHING;
	END IF;
	IF random() < 0.1 THEN
		PERFORM sla.flag_due(pg_temp.instant());
	END IF;
END $$;
SELECT count(pg_temp.step(t)) FROM generate_series(1, :steps) s, generate_series(1, :tickets) t;

CREATE FUNCTION clocks(ticket_table regclass) RETURNS TABLE (key text, clocks text) LANGUAGE sql AS $$
	SELECT t.key, concat_ws(E'\n', t.state, t.severity, t.received_at, t.exempt,
		string_agg(concat_ws(' ', c.metric, c.cycle, c.severity, c.goal, c.hours_id, c.started_at, c.due_at, c.stopped_at, c.worked, c.paused, coalesce(c.outcome, 'running')), E'\n' ORDER BY c.metric, c.cycle))
	FROM sla.attachment a JOIN sla.ticket t ON t.attachment_id = a.id LEFT JOIN sla.clock c ON c.ticket_id = t.id
	WHERE a.ticket_table = $1 GROUP BY t.id $$;
CREATE TABLE disagreement (promise text, key text, one text, other text);

-- 1. At once
CREATE TABLE at_once (LIKE stepwise, PRIMARY KEY (id));
ALTER TABLE at_once DROP COLUMN sla_response_due, DROP COLUMN sla_resolution_due;
INSERT INTO at_once (id, s, at, replied, done, changed) SELECT id, s, at, replied, done, changed FROM stepwise;
SELECT sla.attach('at_once', 'fold', 's', 'at', 'replied', 'done', 'changed');
INSERT INTO disagreement
SELECT 'at once', s.key, s.clocks, o.clocks FROM clocks('stepwise') s LEFT JOIN clocks('at_once') o USING (key)
WHERE s.clocks IS DISTINCT FROM o.clocks AND NOT EXISTS (SELECT FROM lossy l WHERE l.id::text = s.key);
INSERT INTO disagreement
SELECT 'stamps', r.id, r::text, o::text FROM stepwise r LEFT JOIN at_once o USING (id)
WHERE (r.sla_response_due, r.sla_resolution_due) IS DISTINCT FROM (o.sla_response_due, o.sla_resolution_due) AND NOT EXISTS (SELECT FROM lossy l WHERE l.id = r.id);

-- 2. In another order: facts with distinct times, one column at a time
CREATE TABLE facts AS
SELECT g AS id, f.name, pg_temp.instant() + g * interval '1 us' + f.n * interval '1 ms' AS at, pg_temp.severity() AS s
FROM generate_series(1, :tickets) g, unnest(ARRAY['at', 'replied', 'done']) WITH ORDINALITY f(name, n);
CREATE TABLE forwards (LIKE at_once, PRIMARY KEY (id));
CREATE TABLE backwards (LIKE at_once, PRIMARY KEY (id));
SELECT sla.attach('forwards', 'fold', 's', 'at', 'replied', 'done', 'changed');
SELECT sla.attach('backwards', 'fold', 's', 'at', 'replied', 'done', 'changed');
INSERT INTO forwards (id, s) SELECT id, s FROM facts WHERE name = 'at';
INSERT INTO backwards (id, s) SELECT id, s FROM facts WHERE name = 'at';
CREATE FUNCTION pg_temp.tell(into_table regclass, downwards boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	f facts;
BEGIN
	FOR f IN SELECT * FROM facts ORDER BY CASE WHEN downwards THEN -extract(epoch FROM at) ELSE extract(epoch FROM at) END LOOP
		EXECUTE format('UPDATE %s SET %I = %L WHERE id = %s', into_table, f.name, f.at, f.id);
	END LOOP;
END $$;
SELECT pg_temp.tell('forwards', false), pg_temp.tell('backwards', true);
INSERT INTO disagreement
SELECT 'another order', f.key, f.clocks, b.clocks FROM clocks('forwards') f LEFT JOIN clocks('backwards') b USING (key)
WHERE f.clocks IS DISTINCT FROM b.clocks;

-- 3. Always
INSERT INTO disagreement
SELECT 'stamp and clock', t.key, r.sla_response_due::text || r.sla_resolution_due::text, string_agg(c.metric || c.due_at, ',')
FROM stepwise r JOIN sla.ticket t ON t.key = r.id::text JOIN sla.attachment a ON a.id = t.attachment_id AND a.ticket_table = 'stepwise'::regclass
	LEFT JOIN sla.clock c ON c.ticket_id = t.id AND c.outcome IS DISTINCT FROM 'cancelled' AND t.exempt IS NULL
GROUP BY t.id, t.key, r.id
HAVING r.sla_response_due IS DISTINCT FROM min(c.due_at) FILTER (WHERE c.metric = 'response')
	OR r.sla_resolution_due IS DISTINCT FROM min(c.due_at) FILTER (WHERE c.metric = 'resolution');
INSERT INTO disagreement
SELECT 'row and ticket', t.key, r::text, t::text
FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id AND a.ticket_table = 'stepwise'::regclass LEFT JOIN stepwise r ON r.id::text = t.key
WHERE t.state <> CASE WHEN r.id IS NULL THEN 'deleted' WHEN r.done IS NULL THEN 'open' ELSE 'resolved' END
	OR r.id IS NOT NULL AND (t.severity::text IS DISTINCT FROM r.s OR t.received_at IS DISTINCT FROM r.at);
INSERT INTO disagreement
SELECT 'outcome', t.key, c::text, NULL
FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id JOIN sla.hours h ON h.id = c.hours_id
WHERE (c.outcome IS NULL) <> (c.stopped_at IS NULL) OR (c.outcome IS NULL) <> (c.worked IS NULL)
	OR (c.outcome = 'breached') <> (c.stopped_at > c.due_at)
	OR c.stopped_at < c.started_at
	OR c.worked <> sla.business_between(c.started_at, c.stopped_at, h.value) - c.paused
	OR c.paused < interval '0' OR c.worked < interval '0'
	OR (c.outcome IN ('met', 'cancelled') AND c.next_alert_at IS NOT NULL)
	OR (coalesce(c.outcome, 'breached') = 'breached' AND c.next_alert_at IS NULL AND c.due_at < 'infinity'
		AND NOT EXISTS (SELECT FROM sla.alert a WHERE a.clock_id = c.id AND a.aim = c.aim AND a.kind = 'breach'))
	OR (c.outcome IN ('met', 'cancelled') AND EXISTS (SELECT FROM sla.alert a WHERE a.clock_id = c.id AND a.aim = c.aim AND a.kind = 'breach'));
INSERT INTO disagreement
SELECT 'events', ticket_id, array_agg(seq ORDER BY seq)::text, NULL FROM sla.event GROUP BY ticket_id HAVING count(*) <> max(seq);
\o

SELECT promise, key, E'\n' || one, E'\n' || other FROM disagreement ORDER BY promise, key LIMIT 10;
SELECT format('%s tickets, %s events, %s clocks, %s alerts; %s disagree',
	(SELECT count(*) FROM sla.ticket), (SELECT count(*) FROM sla.event), (SELECT count(*) FROM sla.clock), (SELECT count(*) FROM sla.alert),
	(SELECT count(*) FROM disagreement));
DO $$
BEGIN
	IF EXISTS (SELECT FROM disagreement) THEN
		RAISE 'the fold broke a promise';
	END IF;
END $$;
ROLLBACK;
