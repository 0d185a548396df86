-- Random histories of tickets under random policies, told by rows and by events
-- beside them:
--
--   1. the ledger's clocks are those that a slow and obvious fold makes of the
--      policy and the events that are recorded;
--   2. folding everything anew, to simulate or to recompute, changes nothing;
--   3. rows, stamps, tickets, clocks, alerts and events agree with each other.
--
--	psql -X -f test/property/fold.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error when anything disagrees, and prints policy, events and both
-- results for the shortest of them.
--
-- seed, policies, tickets and steps (of each ticket) come from psql variables:
--
--	psql -X -v seed=5 -v tickets=2000 -f test/property/fold.sql

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 2026 \endif
\if :{?policies} \else \set policies 18 \endif
\if :{?tickets} \else \set tickets 250 \endif
\if :{?steps} \else \set steps 12 \endif

\echo seed :seed, :policies policies, :tickets tickets in each of two tables, :steps steps each
\ir lib/fold_begin.sql
\ir lib/fold_selfcheck.sql

SELECT setseed(sin(:seed));
SELECT fold.load_policies(:policies);
SELECT fold.attach('by_state', true), fold.attach('by_time', false);
CREATE FUNCTION pg_temp.step(tickets regclass, id int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind constant float := random();
BEGIN
	IF kind < 0.65 THEN
		PERFORM fold.random_change(tickets, id);
	ELSIF kind < 0.95 THEN
		PERFORM fold.random_event(tickets, id);
	ELSIF kind < 0.97 THEN
		EXECUTE format('DELETE FROM %s t WHERE t.id = %s', tickets, id);
	ELSIF kind < 0.98 THEN
		-- the key changes, and back
		EXECUTE format('UPDATE %s t SET id = -id WHERE t.id = %s', tickets, id);
		EXECUTE format('UPDATE %s t SET id = -id WHERE t.id = -%s', tickets, id);
	ELSE
		PERFORM fold.new_row(tickets, id);
	END IF;
	IF random() < 0.05 THEN
		PERFORM sla.flag_due(fold.instant());
	END IF;
END
$$;
SELECT count(fold.new_row(t, g)) FROM unnest('{by_state,by_time}'::regclass[]) t, generate_series(1, :tickets) g;
SELECT count(pg_temp.step(t, g)) FROM generate_series(1, :steps) s, unnest('{by_state,by_time}'::regclass[]) t, generate_series(1, :tickets) g;

-- 1. and 2.
SELECT fold.compare_with_oracle();
CREATE TABLE simulated AS
SELECT s.* FROM fold.policy p, sla.simulate(p.name, '-infinity', 'infinity') s
WHERE fold.policy_of(s.ticket_id) ->> 'policy' = p.name;
INSERT INTO fold.disagreement
SELECT 'simulated', coalesce(c.ticket_id, s.ticket_id), s::text, c::text
FROM sla.clock c FULL JOIN simulated s USING (ticket_id, metric, cycle)
WHERE (c.severity::text, c.goal::text, c.started_at, c.due_at, c.stopped_at, c.worked, c.outcome)
	IS DISTINCT FROM (s.severity::text, s.goal::text, s.started_at, s.due_at, s.stopped_at, s.worked, s.outcome);
INSERT INTO fold.disagreement
SELECT 'recomputed', NULL, d::text, NULL FROM sla.recompute(settled => true) d;

-- 3.
CREATE VIEW pg_temp.rows AS
SELECT 'by_state'::regclass AS tickets, * FROM by_state UNION ALL SELECT 'by_time', * FROM by_time;
CREATE VIEW pg_temp.tickets AS
SELECT a.ticket_table::regclass AS tickets, t.* FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id;
INSERT INTO fold.disagreement
SELECT 'stamp and clock', t.id, format('%s: %s', d.metric, d.due), c::text
FROM pg_temp.rows r
	JOIN pg_temp.tickets t ON t.tickets = r.tickets AND t.key = r.id::text
	CROSS JOIN LATERAL (VALUES ('response', sla_response_due), ('reply', sla_reply_due), ('update', sla_update_due), ('resolution', sla_resolution_due)) d (metric, due)
	LEFT JOIN LATERAL (SELECT * FROM sla.clock c WHERE c.ticket_id = t.id AND c.metric = d.metric ORDER BY cycle DESC LIMIT 1) c ON true
-- every calendar opens some time: what is due at infinity stands still, or did so when it stopped
WHERE d.due IS DISTINCT FROM CASE WHEN c.outcome IN ('cancelled', 'exempt') OR t.exempt IS NOT NULL OR c.due_at = 'infinity' THEN NULL ELSE c.due_at END;
INSERT INTO fold.disagreement
SELECT 'row and ticket', t.id, t::text, r::text
FROM pg_temp.tickets t LEFT JOIN pg_temp.rows r ON t.tickets = r.tickets AND t.key = r.id::text
WHERE t.state = 'deleted' AND r.id IS NOT NULL OR t.state <> 'deleted' AND r.id IS NULL
	OR r.id IS NOT NULL AND (t.received_at IS DISTINCT FROM r.at
		OR (t.product, t.channel, t.team, t.account) IS DISTINCT FROM (r.product, r.channel, r.team, r.account)
		OR t.severity::text IS DISTINCT FROM CASE WHEN r.s IS NULL THEN 'S3' WHEN r.s <> 'huge' THEN r.s END
		OR t.labels ->> 'place' IS DISTINCT FROM r.place);
INSERT INTO fold.disagreement
SELECT 'outcome', c.ticket_id, c::text, NULL
FROM sla.clock c JOIN sla.hours h ON h.id = c.hours_id
WHERE c.outcome IS NULL AND c.stopped_at IS NOT NULL OR c.outcome <> 'exempt' AND c.stopped_at IS NULL
	OR (c.stopped_at IS NULL) <> (c.worked IS NULL)
	OR c.outcome <> 'exempt' AND (c.outcome = 'breached') <> (c.stopped_at > c.due_at)
	OR c.stopped_at < c.started_at OR (c.counted_from IS NULL) <> (c.carried IS NULL)
	OR c.worked <> coalesce(c.carried, '0') + sla.business_between(coalesce(c.counted_from, c.started_at), c.stopped_at, h.value) - c.paused
	OR c.paused < '0' OR c.worked < '0'
	OR c.stopped_at IS NOT NULL AND c.paused_at IS NOT NULL;
SELECT fold.compare_alerts('flagged so far');
SELECT sla.flag_due('9999-01-01 00:00');
SELECT fold.compare_alerts('flagged to the end');
INSERT INTO fold.disagreement
SELECT 'nothing is left', ticket_id, c::text, NULL FROM sla.clock c WHERE next_alert_at IS NOT NULL;
INSERT INTO fold.disagreement
SELECT 'order of recording', ticket_id, array_agg(seq ORDER BY seq)::text, NULL FROM sla.event GROUP BY ticket_id HAVING count(*) <> max(seq);
\o

SELECT format('%s tickets, %s events, %s clocks (%s), %s alerts',
	(SELECT count(*) FROM sla.ticket), (SELECT count(*) FROM sla.event), (SELECT count(*) FROM sla.clock),
	(SELECT string_agg(n || ' ' || outcome, ', ' ORDER BY outcome) FROM (SELECT coalesce(outcome, 'running') AS outcome, count(*) AS n FROM sla.clock GROUP BY 1) x),
	(SELECT count(*) FROM sla.alert)) AS compared \gset
\echo :compared
SELECT fold.verdict(:'seed') \g /dev/null
ROLLBACK;
