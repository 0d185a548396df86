-- The measurements of bench/simulate. psql variables: tickets, rounds.
--
-- The ledger is written by hand: tickets of a year, each opened, most of them
-- replied to, paused, resumed and resolved, the events in order of time as
-- triggers would have recorded them.

\ir measure.sql
SET timezone = 'UTC';
\ir policy.sql
CREATE TABLE helpdesk (id bigint PRIMARY KEY, priority text, created_at timestamptz);
SELECT sla.attach('helpdesk', 'bench', severity => 'priority', received_at => 'created_at') \g /dev/null

INSERT INTO sla.ticket (id, attachment_id, key, version, state, severity, policy_version_id, received_at)
SELECT n, a.id, n, 1, 'open', (ARRAY['S1', 'S2', 'S3', 'S4'])[1 + floor(random() * 4)::int]::sla.severity, v.id,
	timestamptz '2031-01-01' + n * interval '365 days' / :tickets
FROM generate_series(1, :tickets) n, sla.attachment a, sla.policy_version v;

CREATE TEMPORARY TABLE happened AS
SELECT id AS ticket_id, 1 AS step, 'opened' AS kind, received_at AS at, severity::text AS new_value FROM sla.ticket;
INSERT INTO happened SELECT ticket_id, 2, 'replied', at + random() * interval '12 hours' FROM happened WHERE step = 1 AND random() < 0.9;
INSERT INTO happened SELECT ticket_id, 3, 'paused', at + random() * interval '12 hours', 'waiting' FROM happened WHERE step = 2 AND random() < 0.3;
INSERT INTO happened SELECT ticket_id, 4, 'resumed', at + random() * interval '12 hours' FROM happened WHERE step = 3;
INSERT INTO happened SELECT ticket_id, 5, 'resolved', max(at) + random() * interval '5 days' FROM happened GROUP BY 1 HAVING random() < 0.9;
INSERT INTO sla.event (ticket_id, seq, kind, at, recorded_at, new_value)
SELECT ticket_id, row_number() OVER (PARTITION BY ticket_id ORDER BY step), kind, at, at, new_value FROM happened ORDER BY at;
DROP TABLE happened;
VACUUM ANALYZE sla.ticket, sla.event;

CREATE FUNCTION run(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	-- all columns are computed, and none is sent
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY, FORMAT json) ' || query INTO plan;
	RETURN plan -> 0 -> 'Execution Time';
END
$$;

-- Statements take turns; a round that is not kept comes first.
CREATE TABLE run_ms (round int, name text, ms float8);
CREATE PROCEDURE run_all(rounds int) LANGUAGE plpgsql AS $$
DECLARE
	events text := 'SELECT %s FROM sla.event e %s ORDER BY e.ticket_id, e.at, e.seq';
BEGIN
	SET enable_indexscan = off;
	SET enable_incremental_sort = off;
	FOR round IN 0 .. rounds LOOP
		INSERT INTO run_ms VALUES
			(round, 'simulate', run('SELECT * FROM sla.simulate(''bench'', NULL, NULL)')),
			(round, 'sort', run(format(events, 'e.*', ''))),
			(round, 'join', run(format(events, 'e.*, t.attachment_id, t.key, t.hours_id, t.channel',
				'JOIN sla.ticket t ON t.id = e.ticket_id')));
		COMMIT;
	END LOOP;
END
$$;
CALL run_all(:rounds);

CREATE FUNCTION ratio(a text, b text) RETURNS numeric LANGUAGE sql AS $$
	SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY x.ms / y.ms)::numeric, 2)
	FROM run_ms x JOIN run_ms y USING (round)
	WHERE x.name = a AND y.name = b AND round > 0
$$;
SELECT (SELECT count(*) FROM sla.ticket) AS tickets, (SELECT count(*) FROM sla.event) AS events, count(*) AS clocks,
	count(*) FILTER (WHERE outcome = 'met') AS met, count(*) FILTER (WHERE outcome = 'breached') AS breached
FROM sla.simulate('bench', NULL, NULL);
SELECT 'simulate' AS what, 'scanning and sorting the events' AS against, ratio('simulate', 'sort') AS ratio, '2' AS goal
UNION ALL
SELECT 'simulate', 'the same, joined to their tickets', ratio('simulate', 'join'), '';
