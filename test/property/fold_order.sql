-- What is recorded late folds to the same clocks as what is recorded in time:
-- each ticket twice, with the same facts at the same distinct instants, once in
-- order of time, once with the events in any order between the row's changes.
--
--	psql -X -f test/property/fold_order.sql
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
\if :{?facts} \else \set facts 12 \endif

\echo seed :seed, :policies policies, :tickets tickets, :facts facts each
\ir lib/fold_begin.sql

SELECT setseed(sin(:seed));
SELECT fold.load_policies(:policies);
SELECT fold.ticket_table('in_time'), fold.ticket_table('in_any_order');
SELECT fold.same_rows('{in_time,in_any_order}', g), fold.random_facts(g, :facts) FROM generate_series(1, :tickets) g;
SELECT count(fold.tell('in_time', f)) FROM (SELECT * FROM fold.fact ORDER BY id, kind = 'pin', at) f;
-- a row comes to say things in order of time; what is to be pinned has to run
CREATE TABLE turn AS
SELECT id, n, CASE WHEN kind = 'row' THEN row_number() OVER (PARTITION BY id ORDER BY at) ELSE random() * (:facts + 1) END AS turn
FROM fold.fact;
SELECT count(fold.tell('in_any_order', f)) FROM (SELECT f.* FROM fold.fact f JOIN turn USING (id, n) ORDER BY id, kind = 'pin', turn) f;

INSERT INTO fold.disagreement
SELECT 'another order', a, fold.ledger(a), fold.ledger(b)
FROM generate_series(1, :tickets) g, fold.ticket_of('in_any_order', g) a, fold.ticket_of('in_time', g) b
WHERE fold.ledger(a) IS DISTINCT FROM fold.ledger(b);
SELECT fold.compare_with_oracle();
\o
SELECT format('%s tickets, %s events, %s clocks', (SELECT count(*) FROM sla.ticket), (SELECT count(*) FROM sla.event),
	(SELECT count(*) FROM sla.clock)) AS compared \gset
\echo :compared
SELECT fold.verdict(:'seed') \g /dev/null
ROLLBACK;
