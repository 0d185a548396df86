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

CREATE TYPE fold.warning AS (
	threshold		text,
	at				timestamptz
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
	outcome			text,
	remaining		interval,
	warned			fold.warning[]	-- NULL also where the due time is not the goal's
);

-- One cycle of a metric on its way through the events, promised or not: what
-- would start a clock does so even where the severity promises nothing, since a
-- later one may.
CREATE TYPE fold.cycle AS (
	running			boolean,
	opens			boolean,		-- began with the ticket
	start			timestamptz,	-- when it started
	since			timestamptz,	-- what the goal counts from
	floor			timestamptz,	-- the change before which it cannot be due
	severity		text,			-- whose terms it has
	promised		boolean,		-- has terms: otherwise it is no clock, or cancelled
	goal			sla.business_interval,
	hours			sla.business_hours,
	pausable		boolean,
	alerts			jsonb,
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
	product_told	boolean,		-- by a change of it
	reached			text[],			-- kinds of events that stand
	new_turn		boolean,		-- the customer's last message followed an answer
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
CREATE FUNCTION fold.effective(policy jsonb, s fold.state) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN s.severity IS NOT NULL
		THEN greatest(s.severity, CASE WHEN s.product IS NOT NULL
			THEN coalesce(policy -> 'severity_caps' ->> s.product, policy -> 'severity_caps' ->> '*') END)
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
		c.alerts := target -> 'alerts';
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
	SELECT CASE
		WHEN c.pin IS NOT NULL THEN c.pin
		WHEN due < c.floor THEN coalesce(
			(SELECT coalesce(upper(r), 'infinity') FROM unnest(fold.still(c, s)) r WHERE r @> c.floor), c.floor)
		ELSE due END
	FROM sla.deadline(c.since, coalesce(c.rest::sla.business_interval, c.goal), c.hours, fold.still(c, s)) due
	WHERE c.promised
$$;

-- When the thresholds of the target are reached, the breach aside: fractions of
-- the goal, or working time before the due time. What was carried over has used
-- its share of the goal. What a clock has not reached when it comes to stand still
-- it does not reach, nor what it would have reached after an instant.
CREATE FUNCTION fold.warnings(c fold.cycle, s fold.state, until timestamptz) RETURNS fold.warning[]
LANGUAGE sql STABLE AS $$
	SELECT array_agg((alert, at)::fold.warning ORDER BY at, n) FILTER (WHERE at < until OR until IS NULL)
	FROM unnest(sla.canonical_alerts(ARRAY(SELECT jsonb_array_elements_text(c.alerts)))) WITH ORDINALITY x (alert, n),
		LATERAL (SELECT sla.business_between(c.since, sla.deadline(c.since, c.goal, c.hours), c.hours)) w (whole),
		LATERAL (SELECT coalesce(c.rest, whole)) r (rest),
		LATERAL (SELECT CASE WHEN alert ~ '^[0-9.]+$'
			THEN interval '1 us' * trunc(extract(epoch FROM whole) * 1000000 * alert::numeric)::float8 - (whole - rest)
			ELSE rest - alert::interval END) a (amount),
		LATERAL (SELECT CASE WHEN amount <= '0' THEN c.since
			ELSE sla.deadline(c.since, amount::sla.business_interval, c.hours, fold.still(c, s)) END) t (at)
	WHERE alert !~ '^1(\.0*)?$'
		AND fold.due(c, s) > c.since AND c.pin IS NULL
		AND fold.due(c, s) = sla.deadline(c.since, coalesce(c.rest::sla.business_interval, c.goal), c.hours, fold.still(c, s))
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
	c.clock.warned := CASE WHEN (c.clock).outcome <> 'cancelled' THEN fold.warnings(c, s, at) END;
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

-- Which standing event stops a metric, if any: rather an answer than the end
CREATE FUNCTION fold.stopper(s fold.state, stops_on text[]) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT r FROM unnest('{replied,updated,resolved}'::text[]) WITH ORDINALITY x (r, n)
	WHERE r = ANY (s.reached) AND r = ANY (stops_on)
	UNION ALL
	SELECT r FROM unnest('{cancelled,merged,deleted}'::text[]) WITH ORDINALITY x (r, n)
	WHERE r = ANY (s.reached)
	LIMIT 1
$$;

-- Did an answer stop it?
CREATE FUNCTION fold.is_answered(s fold.state, stops_on text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT fold.stopper(s, stops_on) IN ('replied', 'updated') IS TRUE
$$;

CREATE FUNCTION fold.start(s fold.state, policy jsonb, metric text, at timestamptz, opens boolean) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
DECLARE
	c	fold.cycle;
BEGIN
	c.running := true;
	c.opens := opens;
	c.start := at;
	c.since := at;
	c.gaps := '{}';
	c := fold.aim(c, policy, metric, fold.effective(policy, s));
	IF c.promised THEN
		c.clock.started_at := at;
	END IF;
	RETURN c;
END
$$;

-- Another severity, or another product, may be in force.
CREATE FUNCTION fold.change(c fold.cycle, s fold.state, policy jsonb, metric text, at timestamptz) RETURNS fold.cycle
LANGUAGE plpgsql AS $$
DECLARE
	rule		text := coalesce(policy ->> 'severity_change', 'from_start');
	severity	text := fold.effective(policy, s);
	anew		fold.cycle := fold.aim(c, policy, metric, severity);
	used		interval;
	whole		interval;
	other		interval;
BEGIN
	IF severity IS NULL OR c.start IS NULL
		OR c.promised AND (NOT c.running OR severity = c.severity OR at > fold.due(c, s))
		OR NOT c.running AND (c.clock).started_at IS NULL AND NOT c.opens
	THEN
		RETURN c;
	END IF;
	IF NOT anew.promised THEN
		IF c.promised THEN
			c := fold.settle(c, s, at, 'cancelled');
			c.promised := false;
		END IF;
		RETURN c;
	END IF;
	IF (c.clock).started_at IS NULL THEN
		IF rule <> 'from_start' THEN
			anew.since := at;
		END IF;
		anew.clock.started_at := anew.since;
		anew.floor := at;
	ELSIF rule = 'from_start' THEN
		anew.floor := at;
	ELSE
		anew.since := at;
		anew.clock.counted_from := nullif(at, (c.clock).started_at);
		anew.clock.carried := CASE WHEN at > (c.clock).started_at THEN fold.worked(c, s, at) END;
		anew.floor := NULL;
		IF rule = 'carry' THEN
			-- what is left of the goal that was, over all of it
			used := fold.worked(c, s, at) - coalesce((c.clock).carried, '0');
			whole := sla.business_between(c.since, sla.deadline(c.since, c.goal, c.hours), c.hours);
			other := sla.business_between(at, sla.deadline(at, anew.goal, anew.hours), anew.hours);
			anew.rest := interval '1 us' * greatest(0, round(extract(epoch FROM coalesce(c.rest, whole) - used)
				* extract(epoch FROM other) * 1000000 / extract(epoch FROM whole)))::float8;
		END IF;
	END IF;
	IF NOT c.running THEN
		-- it got there while nothing was promised
		anew := fold.stop(anew, s, at, c.stopped_by);
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
BEGIN
	IF c.running AND c.promised THEN
		c.clock.due_at := fold.due(c, s);
		c.clock.stopped_at := NULL;
		c.clock.worked := NULL;
		c.clock.outcome := NULL;
		IF c.pausable AND s.paused_since IS NOT NULL THEN
			-- a pause that touches it is part of it
			c.clock.paused_at := greatest(c.since, (
				SELECT lower(r) FROM unnest(s.pauses + tstzmultirange(tstzrange(s.paused_since, NULL))) r WHERE upper_inf(r)));
			IF (c.clock).due_at = 'infinity' AND c.pin IS NULL THEN
				c.clock.remaining := greatest('0', coalesce(c.rest,
						sla.business_between(c.since, sla.deadline(c.since, c.goal, c.hours), c.hours))
					- fold.worked(c, s, (c.clock).paused_at) + coalesce((c.clock).carried, '0'));
			END IF;
		END IF;
		c.clock.warned := fold.warnings(c, s, NULL);
		c.clock.paused := fold.stood_still(c.since, coalesce((c.clock).paused_at, 'infinity'), c.hours, fold.still(c, s));
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
			IF NOT s.product_told THEN
				s.product := e.old_value;
			END IF;
		WHEN 'severity' THEN
			s.severity := coalesce(e.new_value, s.severity);
		WHEN 'product' THEN
			s.product := e.new_value;
			s.product_told := true;
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
			s.new_turn := s.reached && '{replied,updated}';
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

-- The events that count, in order. A ticket begins when it was received, or
-- investigated if its channel counts from there: what is from before has happened
-- by then, and without a beginning nothing has.
CREATE FUNCTION fold.in_order(policy jsonb, channel text, events fold.event[]) RETURNS fold.event[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	rule	text := CASE WHEN channel IS NOT NULL
				THEN coalesce(policy -> 'channels' ->> channel, policy -> 'channels' ->> '*') END;
	counted	fold.event[] := (
		SELECT array_agg(e) FROM unnest(events) e
		WHERE e.kind <> 'retracted'
			AND NOT EXISTS (SELECT FROM unnest(events) r WHERE r.kind = 'retracted' AND r.new_value = e.seq::text));
	begins	timestamptz := (SELECT min(e.at) FROM unnest(counted) e WHERE e.kind = 'opened');
BEGIN
	IF rule = 'investigation' THEN
		begins := CASE WHEN begins IS NOT NULL THEN
			(SELECT greatest(begins, min(e.at)) FROM unnest(counted) e WHERE e.kind = 'investigated' HAVING count(*) > 0) END;
	ELSIF rule = 'never' THEN
		begins := NULL;
	END IF;
	RETURN (SELECT array_agg((e.seq, e.kind, greatest(e.at, begins), e.old_value, e.new_value, e.source)::fold.event ORDER BY e.at, e.kind <> 'opened', e.seq)
		FROM unnest(counted) e WHERE begins IS NOT NULL);
END
$$;

-- The clocks of one metric
CREATE FUNCTION fold.metric_clocks(policy jsonb, metric text, starts_on text[], stops_on text[], restarts_on text[], events fold.event[])
RETURNS SETOF fold.clock LANGUAGE plpgsql AS $$
DECLARE
	s		fold.state := (NULL, NULL, false, '{}', false, '{}', NULL, '{}');
	before	text;				-- the effective severity
	e		fold.event;
	c		fold.cycle;			-- the last cycle
	clocks	int := 0;			-- of cycles before it
	waits	boolean := false;	-- a start that being resolved or gone keeps back
	there	boolean := false;	-- was assigned or investigated, where that is the end
	since	text;				-- what it stops on and has happened since it stopped
	starts	boolean;
	goes_on	boolean;
BEGIN
	FOREACH e IN ARRAY coalesce(events, '{}') LOOP
		before := fold.effective(policy, s);
		s := fold.advance(s, e);
		starts := false;
		goes_on := false;

		-- what had ended is open again
		IF e.kind = 'reopened' AND c.stopped_by = 'resolved' AND policy ->> 'reopening' = 'restart'
			AND (c.promised OR (c.clock).started_at IS NULL)
		THEN
			starts := true;
		ELSIF e.kind = 'reopened' AND c.stopped_by IN ('resolved', 'cancelled', 'merged')
			OR e.kind = 'restored' AND c.stopped_by = 'deleted'
		THEN
			c := fold.go_on(c, e.at);
			goes_on := true;
			IF coalesce(fold.stopper(s, stops_on), since) IS NOT NULL THEN
				c := fold.stop(c, s, e.at, coalesce(fold.stopper(s, stops_on), since));
			END IF;
			since := NULL;
		END IF;
		IF e.kind IN ('reopened', 'restored') AND waits AND e.kind <> ALL (stops_on) AND fold.stopper(s, stops_on) IS NULL AND c.running IS NOT TRUE THEN
			starts := true;
		END IF;

		-- stops and starts
		IF c.running AND (e.kind = ANY (stops_on) OR e.kind IN ('cancelled', 'merged', 'deleted')) THEN
			c := fold.stop(c, s, e.at, e.kind);
			since := NULL;
		ELSIF c.running AND e.kind = ANY (restarts_on) AND e.at > coalesce((c.clock).started_at, c.start) THEN
			c := fold.stop(c, s, e.at, e.kind);
			starts := true;
		ELSIF e.kind = 'opened' AND e.kind = ANY (starts_on) THEN
			starts := true;
		ELSIF e.kind = ANY (starts_on) AND c.running IS NOT TRUE AND (e.kind <> 'customer_replied' OR s.new_turn) THEN
			IF fold.stopper(s, stops_on) IS NULL THEN
				starts := true;
			ELSIF NOT fold.is_answered(s, stops_on) THEN
				waits := true;
			END IF;
		ELSIF c.running IS FALSE AND e.kind = ANY (stops_on) AND e.kind IN ('replied', 'updated', 'assigned', 'investigated') THEN
			since := e.kind;
		END IF;
		IF fold.is_answered(s, stops_on) OR e.kind = 'reopened' AND e.kind = ANY (stops_on) THEN
			waits := false;
		END IF;

		IF starts THEN
			IF (c.clock).started_at IS NOT NULL THEN
				clocks := clocks + 1;
				RETURN NEXT fold.clock_of(c, s, metric, clocks);
			END IF;
			c := fold.start(s, policy, metric, e.at, e.kind = 'opened' OR c.opens IS TRUE);
			waits := false;
			since := NULL;
			IF fold.stopper(s, stops_on) IS NOT NULL THEN
				c := fold.stop(c, s, e.at, fold.stopper(s, stops_on));
			ELSIF e.kind = 'opened' AND there THEN
				c := fold.stop(c, s, e.at, 'assigned');
			END IF;
		ELSIF goes_on OR before IS DISTINCT FROM fold.effective(policy, s) THEN
			c := fold.change(c, s, policy, metric, e.at);
		END IF;

		IF e.kind = 'pinned' AND e.old_value = metric AND c.running AND c.promised THEN
			c.pin := e.new_value;
		END IF;
		there := there OR e.kind IN ('assigned', 'investigated') AND e.kind = ANY (stops_on);
	END LOOP;
	IF (c.clock).started_at IS NOT NULL THEN
		RETURN NEXT fold.clock_of(c, s, metric, clocks + 1);
	END IF;
END
$$;

-- Does a reason stand that the policy knows? The row has one at a time; those of
-- others are lifted by name, or all at once.
CREATE FUNCTION fold.is_exempt(policy jsonb, counted fold.event[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
	WITH told AS (
		SELECT kind, coalesce(source IS NULL, false) AS by_row, n,
			CASE kind WHEN 'exempted' THEN new_value ELSE old_value END AS reason
		FROM unnest(counted) WITH ORDINALITY x (seq, kind, at, old_value, new_value, source, n)
		WHERE kind IN ('exempted', 'covered')
	)
	SELECT EXISTS (
		SELECT FROM told e
		WHERE e.kind = 'exempted' AND policy -> 'exemptions' ? e.reason
			AND NOT EXISTS (
				SELECT FROM told later
				WHERE later.n > e.n AND later.by_row = e.by_row
					AND (e.by_row OR later.kind = 'covered' AND coalesce(later.reason, e.reason) = e.reason)))
$$;

CREATE FUNCTION fold.clocks(policy jsonb, channel text, events fold.event[]) RETURNS SETOF fold.clock
LANGUAGE plpgsql AS $$
DECLARE
	counted		fold.event[] := fold.in_order(policy, channel, events);
	exempt		boolean := fold.is_exempt(policy, counted);
	m			record;
	clock		fold.clock;
BEGIN
	FOR m IN SELECT * FROM fold.metrics(policy) LOOP
		FOR clock IN SELECT * FROM fold.metric_clocks(policy, m.name, m.starts_on, m.stops_on, m.restarts_on, counted) LOOP
			IF exempt THEN
				clock.outcome := 'exempt';
				clock.warned := NULL;
			END IF;
			RETURN NEXT clock;
		END LOOP;
	END LOOP;
END
$$;
