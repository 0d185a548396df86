-- What a row states as a fact (received, investigated, answered, resolved) may
-- be corrected as often as one likes, and a severity that cannot be told at first
-- may be told at any time:
--
--   1. recorded step by step, the ledger's clocks are those of the final row
--      recorded at once;
--   2. said column by column in order of time or against it, facts fold to the
--      same clocks.
--
--	psql -X -f test/property/fold_rows.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error when anything disagrees, and prints the tickets that do. seed,
-- policies, tickets and steps (of each ticket) come from psql variables.

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 2026 \endif
\if :{?policies} \else \set policies 12 \endif
\if :{?tickets} \else \set tickets 300 \endif
\if :{?steps} \else \set steps 6 \endif

\echo seed :seed, :policies policies, :tickets tickets, :steps steps each
\ir lib/fold_begin.sql

SELECT setseed(sin(:seed));
SELECT fold.load_policies(:policies);
SELECT fold.attach('by_time', false);
SELECT count(fold.same_rows('{by_time}', g)) FROM generate_series(1, :tickets) g;
INSERT INTO by_time (id, policy, s, at, product, channel)
SELECT id + :tickets, policy, 'huge', at, product, channel FROM by_time WHERE id % 3 = 0;
SELECT max(id) AS last FROM by_time \gset
-- No two facts of a ticket are of the same instant: then it would matter which was
-- recorded first.
CREATE FUNCTION pg_temp.step(id int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind constant float := random();
BEGIN
	IF random() < 0.2 THEN
		PERFORM fold.set_columns('by_time', id, 's = CASE WHEN s = ''huge'' THEN fold.pick(''S1'', ''S2'', ''S4'') ELSE s END');
	END IF;
	IF kind < 0.2 THEN
		UPDATE by_time t SET id = -t.id WHERE t.id = step.id;
		UPDATE by_time t SET id = -t.id WHERE t.id = -step.id;
	ELSE
		PERFORM fold.set_columns('by_time', id, CASE
			WHEN kind < 0.4 THEN 'replied = CASE WHEN fold.chance(0.8) THEN fold.instant() + ''1 ms'' END'
			WHEN kind < 0.55 THEN 'done = fold.instant() + ''2 ms'''
			WHEN kind < 0.7 THEN 'at = CASE WHEN fold.chance(0.9) THEN fold.instant() END'
			WHEN kind < 0.8 THEN 'looked = CASE WHEN fold.chance(0.8) THEN fold.instant() + ''3 ms'' END'
			ELSE 'at = fold.instant(), replied = fold.instant() + ''1 ms'', done = coalesce(done, CASE WHEN fold.chance(0.3) THEN fold.instant() + ''2 ms'' END)' END);
	END IF;
	IF random() < 0.1 THEN
		PERFORM sla.flag_due(fold.instant());
	END IF;
END
$$;
SELECT count(pg_temp.step(t.id)) FROM generate_series(1, :steps) s, (SELECT id FROM by_time ORDER BY id) t;

-- 1. At once
CREATE TABLE at_once (LIKE by_time INCLUDING ALL);
INSERT INTO at_once SELECT * FROM by_time;
SELECT fold.attach('at_once', false);
INSERT INTO fold.disagreement
SELECT 'at once', a, fold.ledger(a), fold.ledger(b)
FROM by_time r, fold.ticket_of('by_time', r.id) a, fold.ticket_of('at_once', r.id) b
WHERE fold.ledger(a) IS DISTINCT FROM fold.ledger(b);
INSERT INTO fold.disagreement
SELECT 'stamps', fold.ticket_of('by_time', id), r::text, o::text
FROM by_time r JOIN at_once o USING (id)
WHERE (r.sla_response_due, r.sla_reply_due, r.sla_update_due, r.sla_resolution_due)
	IS DISTINCT FROM (o.sla_response_due, o.sla_reply_due, o.sla_update_due, o.sla_resolution_due);

-- 2. In another order: distinct times, one column at a time
CREATE TABLE told AS
SELECT g AS id, f.name, fold.instant() + g * interval '1 us' + f.n * interval '1 ms' AS at
FROM generate_series(1, :last) g, unnest('{at,looked,replied,done,s}'::text[]) WITH ORDINALITY f (name, n);
CREATE TABLE forwards (LIKE at_once);
ALTER TABLE forwards ADD PRIMARY KEY (id);
CREATE TABLE backwards (LIKE forwards INCLUDING ALL);
SELECT fold.attach('forwards', false), fold.attach('backwards', false);
INSERT INTO forwards (id, policy, s, channel) SELECT id, policy, CASE WHEN id % 2 = 0 THEN s ELSE 'huge' END, channel FROM by_time;
INSERT INTO backwards (id, policy, s, channel) SELECT id, policy, CASE WHEN id % 2 = 0 THEN s ELSE 'huge' END, channel FROM by_time;
CREATE FUNCTION pg_temp.tell(tickets regclass, downwards boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	f	told;
BEGIN
	FOR f IN SELECT * FROM told ORDER BY extract(epoch FROM at) * CASE WHEN downwards THEN -1 ELSE 1 END LOOP
		EXECUTE format('UPDATE %s SET %I = %s, changed = %L WHERE id = %s', tickets, f.name,
			CASE WHEN f.name = 's' THEN 'CASE WHEN s = ''huge'' THEN ''S1'' ELSE s END' ELSE quote_literal(f.at) END, f.at, f.id);
	END LOOP;
END
$$;
SELECT pg_temp.tell('forwards', false), pg_temp.tell('backwards', true);
INSERT INTO fold.disagreement
SELECT 'another order', a, fold.ledger(a), fold.ledger(b)
FROM by_time r, fold.ticket_of('forwards', r.id) a, fold.ticket_of('backwards', r.id) b
WHERE fold.ledger(a) IS DISTINCT FROM fold.ledger(b);
SELECT fold.compare_alerts('alerts');
\o
SELECT format('%s tickets, %s events, %s clocks, %s alerts', (SELECT count(*) FROM sla.ticket), (SELECT count(*) FROM sla.event),
	(SELECT count(*) FROM sla.clock), (SELECT count(*) FROM sla.alert)) AS compared \gset
\echo :compared
SELECT fold.verdict(:'seed') \g /dev/null
ROLLBACK;
