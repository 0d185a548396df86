-- What clocks a ticket has, worked out slowly from a policy document and the
-- ticket's events: one pass over all of them for each metric, and every due
-- time anew from the start, by sla.deadline and sla.business_between (which
-- have an oracle of their own). Reads no table of the extension.

CREATE SCHEMA fold;

CREATE TYPE fold.event AS (
	seq			int,
	kind		text,
	at			timestamptz,
	old_value	text,
	new_value	text,
	source		text			-- NULL: the ticket's row
);

CREATE TYPE fold.clock AS (
	metric			text,
	cycle			int,
	severity		text,
	goal			text,
	hours			text,
	started_at		timestamptz,
	counted_from	timestamptz,
	due_at			timestamptz,
	stopped_at		timestamptz,
	worked			interval,
	carried			interval,
	paused			interval,
	paused_at		timestamptz,
	pinned			boolean,
	outcome			text
);

-- One cycle of a metric on its way through the events, promised or not: what
-- would start a clock does so even where the severity promises nothing, since a
-- later one may.
CREATE TYPE fold.cycle AS (
	running			boolean,
	start			timestamptz,	-- when it started
	since			timestamptz,	-- what the goal counts from
	floor			timestamptz,	-- the change before which it cannot be due
	severity		text,			-- whose terms it has
	promised		boolean,		-- has terms: otherwise it is no clock, or cancelled
	goal			sla.business_interval,
	hours			sla.business_hours,
	pausable		boolean,
	rest			interval,		-- of the goal, at since, if not all of it
	gaps			tstzmultirange,	-- between stopping and going on again
	pin				timestamptz,
	ended			timestamptz,
	stopped_by		text,
	clock			fold.clock		-- all NULL until something was promised
);

-- What the ticket is after some of its events
CREATE TYPE fold.state AS (
	severity		text,			-- as the row says
	product			text,
	reached			text[],			-- kinds of events that stand
	standing		text[],			-- pauses that stand, by name
	paused_since	timestamptz,	-- since when any stands
	pauses			tstzmultirange	-- those that are over
);

-- ---------------------------------------------------------------------------
-- The policy
-- ---------------------------------------------------------------------------

CREATE FUNCTION fold.metrics(policy jsonb)
RETURNS TABLE (name text, starts_on text[], stops_on text[], restarts_on text[])
LANGUAGE sql STABLE AS $$
	SELECT *
	FROM (VALUES
			('response', '{opened}'::text[], '{replied,resolved}'::text[], '{}'::text[]),
			('reply', '{customer_replied}', '{replied,updated,resolved}', '{}'),
			('update', '{replied}', '{resolved}', '{replied,updated}'),
			('resolution', '{opened}', '{resolved}', '{}')) shipped (name)
	UNION
	SELECT key, ARRAY(SELECT jsonb_array_elements_text(value -> 'starts_on')),
		ARRAY(SELECT jsonb_array_elements_text(value -> 'stops_on')),
		ARRAY(SELECT jsonb_array_elements_text(value -> 'restarts_on'))
	FROM jsonb_each(policy -> 'metrics')
	ORDER BY 1
$$;

-- The severity that promises are made for: no more severe than the product
-- allows
CREATE FUNCTION fold.effective(policy jsonb, severity text, product text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN severity IS NOT NULL
		THEN greatest(severity, CASE WHEN product IS NOT NULL
			THEN coalesce(policy -> 'severity_caps' ->> product, policy -> 'severity_caps' ->> '*') END)
	END
$$;

-- Gives the cycle the terms of a severity; where that promises nothing, all but
-- that stays.
CREATE FUNCTION fold.aim(c fold.cycle, policy jsonb, for_metric text, for_severity text) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
DECLARE
	target		jsonb;
	calendar	jsonb;
BEGIN
	SELECT t INTO target FROM jsonb_array_elements(policy -> 'targets') t
	WHERE t ->> 'metric' = for_metric AND t ->> 'severity' = for_severity AND t ->> 'goal' IS NOT NULL;
	c.promised := target IS NOT NULL;
	IF c.promised THEN
		calendar := policy -> 'calendars' -> (target ->> 'calendar');
		c.severity := for_severity;
		c.goal := target ->> 'goal';
		c.hours := calendar ->> 'hours';
		IF calendar ? 'holidays' THEN
			c.hours := sla.with_holidays(c.hours,
				ARRAY(SELECT d::date FROM jsonb_array_elements_text(calendar -> 'holidays') d));
		END IF;
		c.pausable := coalesce((target ->> 'pausable')::boolean, true);
		c.rest := NULL;
	END IF;
	RETURN c;
END
$$;

-- ---------------------------------------------------------------------------
-- Time
-- ---------------------------------------------------------------------------

-- What does not count for a cycle: a pause that stands has no end.
CREATE FUNCTION fold.still(c fold.cycle, s fold.state) RETURNS tstzmultirange
LANGUAGE sql STABLE AS $$
	SELECT c.gaps + CASE
		WHEN NOT c.pausable THEN '{}'
		WHEN s.paused_since IS NULL THEN s.pauses
		ELSE s.pauses + tstzmultirange(tstzrange(s.paused_since, NULL)) END
$$;

-- Working time of those stretches between two instants
CREATE FUNCTION fold.stood_still(since timestamptz, until timestamptz, hours sla.business_hours, still tstzmultirange)
RETURNS interval LANGUAGE sql STABLE AS $$
	SELECT coalesce(sum(sla.business_between(lower(r), upper(r), hours)), '0')
	FROM unnest(still * tstzmultirange(tstzrange(since, until))) r
$$;

-- Working time until an instant, all in all
CREATE FUNCTION fold.worked(c fold.cycle, s fold.state, until timestamptz) RETURNS interval
LANGUAGE sql STABLE AS $$
	SELECT coalesce((c.clock).carried, '0') + sla.business_between(c.since, until, c.hours)
		- fold.stood_still(c.since, until, c.hours, fold.still(c, s))
$$;

-- Until when, as things stand. Not before the change that gave the cycle its
-- terms, nor before the end of what stood still around it.
CREATE FUNCTION fold.due(c fold.cycle, s fold.state) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
	SELECT coalesce(c.pin,
		greatest(
			sla.deadline(c.since, coalesce(c.rest::sla.business_interval, c.goal), c.hours, fold.still(c, s)),
			coalesce((SELECT coalesce(upper(r), 'infinity') FROM unnest(fold.still(c, s)) r
					  WHERE r @> c.floor), c.floor)))
	WHERE c.promised
$$;

-- ---------------------------------------------------------------------------
-- What becomes of a cycle
-- ---------------------------------------------------------------------------

-- The clock is over at an instant, and shows how.
CREATE FUNCTION fold.settle(c fold.cycle, s fold.state, at timestamptz, outcome text) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
BEGIN
	c.clock.due_at := fold.due(c, s);
	c.clock.stopped_at := at;
	c.clock.worked := fold.worked(c, s, at);
	c.clock.paused := fold.stood_still(c.since, at, c.hours, fold.still(c, s));
	c.clock.paused_at := NULL;
	c.clock.outcome := CASE WHEN at > (c.clock).due_at THEN 'breached' ELSE outcome END;
	RETURN c;
END
$$;

CREATE FUNCTION fold.stop(c fold.cycle, s fold.state, at timestamptz, by text) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
BEGIN
	IF c.promised THEN
		c := fold.settle(c, s, at,
			CASE WHEN by IN ('cancelled', 'merged', 'deleted') THEN 'cancelled' ELSE 'met' END);
	END IF;
	c.running := false;
	c.ended := at;
	c.stopped_by := by;
	RETURN c;
END
$$;

-- Which standing event stops a metric, if any; the first one, but what fulfils
-- the promise before what ends it
CREATE FUNCTION fold.stopper(s fold.state, stops_on text[]) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT r FROM unnest(s.reached) WITH ORDINALITY x (r, n)
	WHERE r = ANY (stops_on || '{cancelled,merged,deleted}')
	ORDER BY r IN ('cancelled', 'merged', 'deleted'), n LIMIT 1
$$;

-- Does one of them stand that only reopening or restoring the ticket ends?
CREATE FUNCTION fold.is_over(s fold.state, stops_on text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT s.reached && '{cancelled,merged,deleted}' OR 'resolved' = ANY (s.reached) AND 'resolved' = ANY (stops_on)
$$;

CREATE FUNCTION fold.start(s fold.state, policy jsonb, metric text, at timestamptz) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
DECLARE
	c	fold.cycle;
BEGIN
	c.running := true;
	c.start := at;
	c.since := at;
	c.gaps := '{}';
	c := fold.aim(c, policy, metric, fold.effective(policy, s.severity, s.product));
	IF c.promised THEN
		c.clock.started_at := at;
	END IF;
	RETURN c;
END
$$;

-- Another severity, or another product, is in force.
CREATE FUNCTION fold.change(c fold.cycle, s fold.state, policy jsonb, metric text, at timestamptz) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
DECLARE
	rule		text := coalesce(policy ->> 'severity_change', 'from_start');
	severity	text := fold.effective(policy, s.severity, s.product);
	anew		fold.cycle := fold.aim(c, policy, metric, severity);
	unused		numeric := 1;
	whole		interval;
BEGIN
	IF severity IS NULL OR c.promised AND (severity = c.severity OR at > fold.due(c, s)) THEN
		RETURN c;
	END IF;
	IF NOT anew.promised THEN
		IF c.promised THEN
			c := fold.settle(c, s, at, 'cancelled');
			c.promised := false;
		END IF;
		RETURN c;
	END IF;
	anew.clock.started_at := c.start;
	IF rule = 'from_start' THEN
		anew.floor := at;
	ELSE
		IF (c.clock).started_at IS NULL THEN
			anew.clock.carried := '0';
		ELSIF NOT c.promised THEN
			anew.clock.carried := (c.clock).worked;
		ELSE
			anew.clock.carried := fold.worked(c, s, at);
		END IF;
		anew.since := at;
		anew.clock.counted_from := at;
		IF rule = 'carry' AND (c.clock).started_at IS NOT NULL THEN
			-- what is left of the goal that was, over all of it
			whole := sla.business_between(c.since, sla.deadline(c.since, c.goal, c.hours), c.hours);
			unused := extract(epoch FROM coalesce(c.rest, whole) + coalesce((c.clock).carried, '0') - (anew.clock).carried)
				/ extract(epoch FROM whole);
			whole := sla.business_between(at, sla.deadline(at, anew.goal, anew.hours), anew.hours);
			anew.rest := interval '1 us' * round(extract(epoch FROM whole) * 1000000 * unused)::float8;
		END IF;
	END IF;
	RETURN anew;
END
$$;

-- What an event had stopped goes on.
CREATE FUNCTION fold.go_on(c fold.cycle, at timestamptz) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
BEGIN
	c.gaps := c.gaps + tstzmultirange(tstzrange(c.ended, at));
	c.running := true;
	c.stopped_by := NULL;
	c.pin := NULL;
	RETURN c;
END
$$;

-- The clock as it is after the last event
CREATE FUNCTION fold.clock_of(c fold.cycle, s fold.state, metric text, cycle int) RETURNS fold.clock
LANGUAGE plpgsql AS $$
DECLARE
	now_still	tstzrange;
BEGIN
	IF c.running AND c.promised THEN
		SELECT r INTO now_still FROM unnest(fold.still(c, s)) r WHERE upper_inf(r);
		c.clock.due_at := fold.due(c, s);
		c.clock.stopped_at := NULL;
		c.clock.worked := NULL;
		c.clock.outcome := NULL;
		c.clock.paused_at := CASE WHEN now_still IS NOT NULL THEN greatest(lower(now_still), c.since) END;
		c.clock.paused := fold.stood_still(c.since, 'infinity', c.hours,
			fold.still(c, s) - coalesce(tstzmultirange(now_still), '{}'));
	END IF;
	c.clock.metric := metric;
	c.clock.cycle := cycle;
	c.clock.severity := c.severity;
	c.clock.goal := c.goal;
	c.clock.hours := c.hours;
	c.clock.pinned := c.pin IS NOT NULL;
	RETURN c.clock;
END
$$;

-- ---------------------------------------------------------------------------
-- The ticket
-- ---------------------------------------------------------------------------

-- What the ticket is after one more event
CREATE FUNCTION fold.advance(s fold.state, e fold.event) RETURNS fold.state
LANGUAGE plpgsql AS $$
DECLARE
	pause	text := CASE WHEN e.source IS NULL THEN 'row' ELSE 'told: ' || coalesce(e.new_value, '') END;
BEGIN
	CASE e.kind
		WHEN 'opened' THEN
			-- a change that is known to be earlier knows better
			s.severity := coalesce(s.severity, e.new_value);
		WHEN 'severity' THEN
			s.severity := coalesce(e.new_value, s.severity);
		WHEN 'product' THEN
			s.product := e.new_value;
		WHEN 'paused' THEN
			s.paused_since := coalesce(s.paused_since, e.at);
			s.standing := array_append(array_remove(s.standing, pause), pause);
		WHEN 'resumed' THEN
			s.standing := array_remove(s.standing, pause);
			IF s.standing = '{}' AND s.paused_since IS NOT NULL THEN
				s.pauses := s.pauses + tstzmultirange(tstzrange(s.paused_since, e.at));
				s.paused_since := NULL;
			END IF;
		WHEN 'customer_replied' THEN
			s.reached := array_remove(array_remove(s.reached, 'replied'), 'updated');
		WHEN 'reopened' THEN
			s.reached := ARRAY(SELECT r FROM unnest(s.reached) r WHERE r NOT IN ('resolved', 'cancelled', 'merged'));
		WHEN 'restored' THEN
			s.reached := array_remove(s.reached, 'deleted');
		WHEN 'replied', 'updated', 'resolved', 'cancelled', 'merged', 'deleted' THEN
			s.reached := array_append(array_remove(s.reached, e.kind), e.kind);
		ELSE
	END CASE;
	RETURN s;
END
$$;

-- The events that count, in order; opened is where the channel has it count
-- from, and counts_from is the instant before which nothing starts.
CREATE FUNCTION fold.in_order(policy jsonb, events fold.event[], OUT counted fold.event[], OUT counts_from timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	told	text;
	rule	text;
BEGIN
	SELECT array_agg(e ORDER BY e.at, e.seq) INTO counted FROM unnest(events) e
	WHERE e.kind <> 'retracted'
		AND NOT EXISTS (SELECT FROM unnest(events) r WHERE r.kind = 'retracted' AND r.new_value = e.seq::text);
	SELECT e.new_value INTO told FROM unnest(counted) WITH ORDINALITY e
	WHERE e.kind = 'channel' ORDER BY e.ordinality DESC LIMIT 1;
	rule := CASE WHEN told IS NOT NULL
		THEN coalesce(policy -> 'channels' ->> told, policy -> 'channels' ->> '*') END;
	CASE coalesce(rule, 'receipt')
		WHEN 'receipt' THEN
			counts_from := '-infinity';
		WHEN 'investigation' THEN
			counts_from := coalesce((SELECT min(e.at) FROM unnest(counted) e WHERE e.kind = 'investigated'), 'infinity');
		WHEN 'never' THEN
			counts_from := 'infinity';
	END CASE;
	SELECT array_agg((e.seq, e.kind, e.at, e.old_value, e.new_value, e.source)::fold.event ORDER BY e.at, e.seq) INTO counted
	FROM (SELECT u.seq, u.kind, CASE WHEN u.kind = 'opened' THEN greatest(u.at, counts_from) ELSE u.at END AS at,
				 u.old_value, u.new_value, u.source
		  FROM unnest(counted) u) e;
END
$$;

-- The clocks of one metric
CREATE FUNCTION fold.metric_clocks(policy jsonb, metric text, starts_on text[], stops_on text[], restarts_on text[],
								   events fold.event[], counts_from timestamptz)
RETURNS SETOF fold.clock LANGUAGE plpgsql AS $$
DECLARE
	s		fold.state := (NULL, NULL, '{}', '{}', NULL, '{}');
	before	text;				-- the effective severity
	e		fold.event;
	c		fold.cycle;			-- the last cycle
	clocks	int := 0;			-- of cycles before it
	waits	boolean := false;	-- a start that being resolved or gone keeps back
	starts	boolean;
	goes_on	boolean;
BEGIN
	FOREACH e IN ARRAY coalesce(events, '{}') LOOP
		before := fold.effective(policy, s.severity, s.product);
		s := fold.advance(s, e);
		starts := false;
		goes_on := false;

		IF e.kind = 'reopened' AND c.stopped_by = 'resolved' AND policy ->> 'reopening' = 'restart' THEN
			waits := true;
		ELSIF e.kind = 'reopened' AND c.stopped_by IN ('resolved', 'cancelled', 'merged')
			OR e.kind = 'restored' AND c.stopped_by = 'deleted'
		THEN
			c := fold.go_on(c, e.at);
			goes_on := true;
			IF fold.stopper(s, stops_on) IS NOT NULL THEN
				c := fold.stop(c, s, e.at, fold.stopper(s, stops_on));
			END IF;
		END IF;

		IF c.running AND (e.kind = ANY (stops_on) OR e.kind IN ('cancelled', 'merged', 'deleted')) THEN
			c := fold.stop(c, s, e.at, e.kind);
		ELSIF c.running AND e.kind = ANY (restarts_on) AND e.at > c.start THEN
			c := fold.stop(c, s, e.at, e.kind);
			starts := true;
		ELSIF e.kind = ANY (starts_on) AND e.at >= counts_from AND c.running IS NOT TRUE THEN
			starts := e.kind = 'opened' OR fold.stopper(s, stops_on) IS NULL;
			waits := waits OR NOT starts AND fold.is_over(s, stops_on);
		END IF;
		IF waits AND e.kind IN ('reopened', 'restored') AND c.running IS NOT TRUE THEN
			starts := starts OR fold.stopper(s, stops_on) IS NULL;
			waits := fold.is_over(s, stops_on);
		END IF;

		IF starts THEN
			IF (c.clock).started_at IS NOT NULL THEN
				clocks := clocks + 1;
				RETURN NEXT fold.clock_of(c, s, metric, clocks);
			END IF;
			c := fold.start(s, policy, metric, e.at);
			waits := false;
			IF fold.stopper(s, stops_on) IS NOT NULL THEN
				c := fold.stop(c, s, e.at, fold.stopper(s, stops_on));
			END IF;
		ELSIF c.running AND (goes_on OR before IS DISTINCT FROM fold.effective(policy, s.severity, s.product)) THEN
			c := fold.change(c, s, policy, metric, e.at);
		END IF;

		IF e.kind = 'pinned' AND e.old_value = metric AND c.running AND c.promised THEN
			c.pin := e.new_value;
		END IF;
	END LOOP;
	IF (c.clock).started_at IS NOT NULL THEN
		RETURN NEXT fold.clock_of(c, s, metric, clocks + 1);
	END IF;
END
$$;

CREATE FUNCTION fold.clocks(policy jsonb, events fold.event[]) RETURNS SETOF fold.clock
LANGUAGE plpgsql AS $$
DECLARE
	ordered		record := fold.in_order(policy, events);
	-- the last word on it; a reason that the policy does not know is none
	exempt		boolean := (SELECT e.kind = 'exempted' AND coalesce(policy -> 'exemptions' ? e.new_value, false)
							FROM unnest(ordered.counted) WITH ORDINALITY e
							WHERE e.kind IN ('exempted', 'covered') ORDER BY e.ordinality DESC LIMIT 1);
	m			record;
	clock		fold.clock;
BEGIN
	IF ordered.counts_from = 'infinity' THEN
		RETURN;
	END IF;
	FOR m IN SELECT * FROM fold.metrics(policy) LOOP
		FOR clock IN SELECT * FROM fold.metric_clocks(policy, m.name, m.starts_on, m.stops_on, m.restarts_on,
													  ordered.counted, ordered.counts_from) LOOP
			IF exempt THEN
				clock.outcome := 'exempt';
			END IF;
			RETURN NEXT clock;
		END LOOP;
	END LOOP;
END
$$;
