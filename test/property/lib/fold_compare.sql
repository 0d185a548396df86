-- The ledger beside the oracle: the same tickets, told in the same words.

CREATE FUNCTION fold.ledger_clocks(ticket bigint) RETURNS SETOF fold.clock LANGUAGE sql STABLE AS $$
	SELECT c.metric, c.cycle, c.severity::text, c.goal::text, h.value::text, c.started_at, c.counted_from, c.due_at,
		c.stopped_at, c.worked, c.carried, c.paused, c.paused_at, c.pinned, c.outcome, c.remaining,
		(SELECT array_agg((w.threshold, w.at)::fold.warning ORDER BY w.n) FROM unnest(c.warnings, c.warn_at) WITH ORDINALITY w (threshold, at, n))
	FROM sla.clock c JOIN sla.hours h ON h.id = c.hours_id
	WHERE c.ticket_id = ticket
$$;

CREATE FUNCTION fold.ledger_events(ticket bigint) RETURNS fold.event[] LANGUAGE sql STABLE AS $$
	SELECT array_agg((e.seq, e.kind, e.at, e.old_value, e.new_value, e.source)::fold.event ORDER BY e.seq)
	FROM sla.event e WHERE e.ticket_id = ticket
$$;

CREATE FUNCTION fold.policy_of(ticket bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT p.document
	FROM sla.ticket t JOIN sla.policy_version v ON v.id = t.policy_version_id JOIN fold.policy p ON p.name = v.policy
	WHERE t.id = ticket
$$;

CREATE FUNCTION fold.ledger(ticket bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT string_agg(c::text, E'\n' ORDER BY c.metric, c.cycle) FROM fold.ledger_clocks(ticket) c
$$;

-- Where the oracle does not know of warnings, the ledger may.
CREATE FUNCTION fold.oracle(ticket bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT string_agg(((o.metric, o.cycle, o.severity, o.goal, o.hours, o.started_at, o.counted_from, o.due_at, o.stopped_at,
		o.worked, o.carried, o.paused, o.paused_at, o.pinned, o.outcome, o.remaining, coalesce(o.warned, l.warned))::fold.clock)::text,
		E'\n' ORDER BY o.metric, o.cycle)
	FROM sla.ticket t
		CROSS JOIN fold.clocks(fold.policy_of(t.id), t.channel, fold.ledger_events(t.id)) o
		LEFT JOIN fold.ledger_clocks(t.id) l USING (metric, cycle)
	WHERE t.id = ticket
$$;

CREATE TABLE fold.disagreement (
	promise		text NOT NULL,
	ticket_id	bigint,
	one			text,		-- what the ledger says
	other		text		-- what it should say
);

CREATE FUNCTION fold.compare_with_oracle() RETURNS void LANGUAGE sql AS $$
	INSERT INTO fold.disagreement
	SELECT 'ledger and oracle', id, one, other
	FROM (SELECT t.id, fold.ledger(t.id) AS one, fold.oracle(t.id) AS other
		  FROM sla.ticket t) x
	WHERE one IS DISTINCT FROM other
$$;

-- What clocks have reached before their place in the queue, and nothing else, is
-- flagged and stands.
CREATE FUNCTION fold.compare_alerts(promise text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO fold.disagreement
	SELECT promise, coalesce(reached.ticket_id, flagged.ticket_id), flagged::text, reached::text
	FROM (SELECT c.ticket_id, c.id AS clock_id, t.kind, t.threshold, t.due_at
		  FROM sla.clock c
			CROSS JOIN LATERAL (
				SELECT 'warning', w.threshold, w.at FROM unnest(c.warnings, c.warn_at) w (threshold, at)
				UNION ALL
				SELECT 'breach', '1', c.due_at WHERE c.outcome IS NULL OR c.outcome = 'breached') t (kind, threshold, due_at)
		  WHERE isfinite(t.due_at) AND (c.next_alert_at IS NULL OR t.due_at < c.next_alert_at)) reached
		FULL JOIN (
		  SELECT a.ticket_id, a.clock_id, a.kind, a.threshold, a.due_at
		  FROM sla.alert a
		  WHERE a.kind <> 'withdrawal'
			AND NOT EXISTS (SELECT FROM sla.alert w
				WHERE w.kind = 'withdrawal' AND (w.clock_id, w.aim, w.threshold) = (a.clock_id, a.aim, a.threshold))) flagged
		ON (reached.clock_id, reached.kind, reached.threshold, reached.due_at) = (flagged.clock_id, flagged.kind, flagged.threshold, flagged.due_at)
	WHERE reached IS NULL OR flagged IS NULL
$$;

-- Leaves out events one by one while ledger and oracle still disagree about the
-- ticket: what remains is printed.
CREATE FUNCTION fold.shrink(ticket bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t		record;
	gone	int;
	again	boolean := true;
BEGIN
	SELECT a.ticket_table, x.key INTO t FROM sla.ticket x JOIN sla.attachment a ON a.id = x.attachment_id WHERE x.id = ticket;
	WHILE again LOOP
		again := false;
		-- what was retracted goes together with its retraction
		FOR gone IN
			SELECT seq FROM sla.event e WHERE ticket_id = ticket AND kind <> 'retracted'
				AND (kind <> 'opened' OR EXISTS (SELECT FROM sla.event r WHERE r.ticket_id = ticket AND r.kind = 'retracted' AND r.new_value = e.seq::text))
			ORDER BY seq DESC
		LOOP
			BEGIN
				DELETE FROM sla.event WHERE ticket_id = ticket AND (seq = gone OR kind = 'retracted' AND new_value = gone::text);
				PERFORM sla.recompute(t.ticket_table::regclass, t.key, settled => true, dry_run => false);
				IF fold.ledger(ticket) IS NOT DISTINCT FROM fold.oracle(ticket) THEN
					RAISE 'needed' USING ERRCODE = 'P0999';
				END IF;
				again := true;
			EXCEPTION WHEN SQLSTATE 'P0999' THEN
				NULL;
			END;
		END LOOP;
	END LOOP;
END
$$;

-- What the policy says about some metrics
CREATE FUNCTION fold.excerpt(policy jsonb, metrics text[]) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(E'\n',
		(SELECT string_agg(key || ': ' || value, ', ') FROM jsonb_each(policy) WHERE key NOT IN ('time_zone', 'calendars', 'metrics', 'targets')),
		(SELECT string_agg(format('%s: %s', key, value - 'title'), E'\n') FROM jsonb_each(policy -> 'metrics') WHERE key = ANY (metrics)),
		(SELECT string_agg(concat_ws(' ', t ->> 'severity', t ->> 'metric', t ->> 'goal', policy -> 'calendars' -> (t ->> 'calendar') ->> 'hours',
				policy -> 'calendars' -> (t ->> 'calendar') ->> 'holidays', CASE WHEN t ->> 'pausable' = 'false' THEN 'not pausable' END), E'\n')
		 FROM jsonb_array_elements(policy -> 'targets') t WHERE t ->> 'metric' = ANY (metrics)))
$$;

-- Lines of one that are not in the other, of clocks
CREATE FUNCTION fold.differing(one text, other text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT regexp_split_to_table(one, E'\n') EXCEPT SELECT regexp_split_to_table(other, E'\n')
$$;

-- Prints the shortest disagreements, and fails if there are any.
CREATE FUNCTION fold.verdict(seed text) RETURNS void LANGUAGE plpgsql SET client_min_messages TO warning AS $$
DECLARE
	d		fold.disagreement;
	lines	text;
BEGIN
	FOR d IN
		SELECT promise, ticket_id, one, other
		FROM (SELECT *, row_number() OVER (PARTITION BY promise ORDER BY (SELECT count(*) FROM sla.event e WHERE e.ticket_id = x.ticket_id), ticket_id) AS nth
			  FROM fold.disagreement x) r
		WHERE nth <= 3
	LOOP
		IF d.promise = 'ledger and oracle' THEN
			PERFORM fold.shrink(d.ticket_id);
			d.one := fold.ledger(d.ticket_id);
			d.other := fold.oracle(d.ticket_id);
		END IF;
		SELECT string_agg(concat_ws(' ', e.seq, e.at, e.kind, e.old_value || ' >', e.new_value, '(' || e.source || ')'), E'\n' ORDER BY e.seq)
		INTO lines FROM sla.event e WHERE e.ticket_id = d.ticket_id;
		RAISE WARNING E'% (ticket %, channel %)\npolicy:\n%\nevents:\n%\ngot:\n%\nexpected:\n%', d.promise, d.ticket_id,
			(SELECT channel FROM sla.ticket WHERE id = d.ticket_id),
			fold.excerpt(fold.policy_of(d.ticket_id), ARRAY(SELECT ltrim(split_part(l, ',', 1), '(')
				FROM (SELECT fold.differing(d.one, d.other) UNION SELECT fold.differing(d.other, d.one)) x (l))),
			lines, (SELECT string_agg(l, E'\n' ORDER BY l) FROM fold.differing(d.one, d.other) l),
			(SELECT string_agg(l, E'\n' ORDER BY l) FROM fold.differing(d.other, d.one) l);
	END LOOP;
	IF EXISTS (SELECT FROM fold.disagreement) THEN
		RAISE '% (seed %)', (SELECT string_agg(n || ' disagreements: ' || promise, ', ')
			FROM (SELECT promise, count(*) AS n FROM fold.disagreement GROUP BY promise) x), seed;
	END IF;
END
$$;
