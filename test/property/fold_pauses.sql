-- What pauses do to clocks, whatever else happens to the ticket:
--
--   1. one more pause never makes anything due earlier, and neither begins nor
--      ends a cycle;
--   2. a pause told in two pieces, touching or overlapping, is the same pause.
--
--	psql -X -f test/property/fold_pauses.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error when anything disagrees, and prints policy, events and both
-- results for the shortest of them. seed, policies, tickets and facts (of each
-- ticket) come from psql variables.

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 2026 \endif
\if :{?policies} \else \set policies 18 \endif
\if :{?tickets} \else \set tickets 200 \endif
\if :{?facts} \else \set facts 8 \endif

\echo seed :seed, :policies policies, :tickets tickets, :facts facts each
\ir lib/fold_begin.sql

SELECT setseed(sin(:seed));
SELECT fold.load_policies(:policies);
SELECT fold.ticket_table('plain'), fold.ticket_table('longer'), fold.ticket_table('split');
SELECT fold.same_rows('{plain,longer,split}', g), fold.random_facts(g, :facts) FROM generate_series(1, :tickets) g;

-- two pauses each; sometimes at the same instant as something else, sometimes
-- without an end
CREATE TABLE pause AS
SELECT g AS id, n, since, CASE WHEN fold.chance(0.9) THEN greatest(since, since + span) END AS until, since + span * random() AS middle
FROM generate_series(1, :tickets) g, generate_series(1, 2) n
	CROSS JOIN LATERAL (SELECT CASE WHEN random() < 0.3 + g * 0 THEN (SELECT at FROM fold.fact f WHERE f.id = g ORDER BY random() LIMIT 1) ELSE fold.instant() END AS since,
		random() * random() * interval '80 h' + n * interval '1 us' AS span) p;
CREATE FUNCTION pg_temp.pause(tickets regclass, id int, name text, since timestamptz, until timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sla.record_event(tickets, id::text, 'paused', since, name);
	IF until IS NOT NULL THEN
		PERFORM sla.record_event(tickets, id::text, 'resumed', until, name);
	END IF;
END
$$;
SELECT count(fold.tell(t, f)) FROM unnest('{plain,longer,split}'::regclass[]) t, (SELECT * FROM fold.fact ORDER BY id, at) f;
SELECT pg_temp.pause(t, id, 'p' || n, since, until) FROM unnest('{plain,longer}'::regclass[]) t, pause
WHERE n = 1 OR t = 'longer'::regclass;
SELECT pg_temp.pause('split', id, 'p1', since, middle),
	pg_temp.pause('split', id, 'p2', CASE WHEN fold.chance(0.5) THEN middle ELSE since + (middle - since) * random() END, until)
FROM pause WHERE n = 1;

INSERT INTO fold.disagreement
SELECT 'one more pause', b, fold.ledger(b), fold.ledger(a)
FROM generate_series(1, :tickets) g, fold.ticket_of('plain', g) a, fold.ticket_of('longer', g) b
WHERE EXISTS (
	SELECT FROM fold.ledger_clocks(a) x FULL JOIN fold.ledger_clocks(b) y USING (metric, cycle)
	WHERE (y.due_at >= x.due_at) IS NOT TRUE
		-- with a pause less it may run, and be pinned, where it would have been cancelled
		AND NOT EXISTS (SELECT FROM sla.event e WHERE e.ticket_id IN (a, b) AND e.kind = 'pinned' AND e.old_value = metric));
INSERT INTO fold.disagreement
SELECT 'a pause in two pieces', b, fold.ledger(b), fold.ledger(a)
FROM generate_series(1, :tickets) g, fold.ticket_of('plain', g) a, fold.ticket_of('split', g) b
WHERE fold.ledger(a) IS DISTINCT FROM fold.ledger(b);
SELECT fold.compare_with_oracle();
\o
SELECT format('%s tickets, %s events, %s clocks', (SELECT count(*) FROM sla.ticket), (SELECT count(*) FROM sla.event),
	(SELECT count(*) FROM sla.clock)) AS compared \gset
\echo :compared
SELECT fold.verdict(:'seed') \g /dev/null
ROLLBACK;
