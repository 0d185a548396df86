-- The oracle: what a calendar means, written down a second time, slowly.
--
-- It reads no notation and knows nothing of the extension. A calendar is rows:
-- a zone, the spans of each weekday, the spans of each special date (dates that
-- recur are written down year by year). Every window of every service date of a
-- limited horizon is laid out as a pair of instants, their union is one
-- tstzmultirange, and each question is answered by walking that. Of calendars
-- that are joined, the open time is joined by core's own multirange operators.
--
-- Because the horizon is limited, an answer may be beyond it. Such an answer
-- is NULL: "the oracle cannot know". 'infinity' and '-infinity' are knowledge:
-- there is no such instant.
--
-- Expects the session to run in UTC, so that timestamptz - timestamptz and
-- timestamptz + interval are plain arithmetic.

CREATE SCHEMA oracle;

CREATE TABLE oracle.calendar (
	id			int PRIMARY KEY,
	zone		text NOT NULL,
	first_day	date NOT NULL,		-- the horizon, both inclusive
	last_day	date NOT NULL,
	notation	text NOT NULL,		-- for the engine; the oracle never reads it
	lead		int NOT NULL,		-- the leftmost part, which has the business days
	endless		bool NOT NULL,		-- says something of dates beyond the horizon
	-- between these everything that special dates say is written down
	first_said	date NOT NULL DEFAULT '-infinity',
	last_said	date NOT NULL DEFAULT 'infinity',
	open		tstzmultirange		-- filled by oracle.lay_out() or oracle.join_parts()
);

-- The parts with windows of their own: a calendar that is not joined is its
-- only part.
CREATE TABLE oracle.part (
	calendar	int NOT NULL,
	part		int NOT NULL
);
CREATE INDEX ON oracle.part (calendar);

-- Times are intervals since 00:00 of the date a window opens on; the end may
-- lie on the next date. A weekday or special date without spans is closed.
CREATE TABLE oracle.week_span (
	calendar	int NOT NULL,
	weekday		int NOT NULL,		-- ISO: 1 is Monday
	opens		interval NOT NULL,
	closes		interval NOT NULL
);
CREATE TABLE oracle.special (
	calendar	int NOT NULL,
	day			date NOT NULL,
	PRIMARY KEY (calendar, day)
);
CREATE TABLE oracle.special_span (
	calendar	int NOT NULL,
	day			date NOT NULL,
	opens		interval NOT NULL,
	closes		interval NOT NULL
);

-- What lay_out() makes of them. A service date has several windows; they are
-- disjoint, but may overlap those of another service date.
CREATE TABLE oracle.win (
	calendar	int NOT NULL,
	service_day	date NOT NULL,
	opens		timestamptz NOT NULL,
	closes		timestamptz NOT NULL
);
CREATE TABLE oracle.clock_change (
	calendar	int NOT NULL,
	at			timestamptz NOT NULL
);
CREATE INDEX ON oracle.clock_change (calendar);
CREATE INDEX ON oracle.week_span (calendar, weekday);
CREATE INDEX ON oracle.special_span (calendar, day);
CREATE INDEX ON oracle.win (calendar, service_day);

-- ---------------------------------------------------------------------------
-- Wall clocks. Only the direction instant -> wall clock is asked of the
-- server; the other one is derived from it here.

CREATE FUNCTION oracle.ahead(u timestamptz, zone text) RETURNS interval
LANGUAGE sql STABLE AS $$
	SELECT (u AT TIME ZONE zone) - (u AT TIME ZONE 'UTC')
$$;

-- The stretches of [since, until) during which the clock is not changed, found
-- by looking at it once a day and halving where it differs. (No zone has ever
-- changed its clock twice within three days.)
CREATE FUNCTION oracle.stretches(zone text, since timestamptz, until timestamptz)
RETURNS TABLE (begins timestamptz, ends timestamptz, ahead interval)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	lo		timestamptz;
	hi		timestamptz;
	middle	timestamptz;
BEGIN
	begins := since;
	ahead := oracle.ahead(since, zone);
	FOR lo, hi IN
		SELECT p, least(p + interval '1 day', until)
		FROM generate_series(since, until, interval '1 day') p
		WHERE oracle.ahead(p, zone) <> oracle.ahead(least(p + interval '1 day', until), zone)
		ORDER BY p
	LOOP
		WHILE hi - lo > '1 second' LOOP
			middle := date_trunc('second', lo + (hi - lo) / 2);
			IF oracle.ahead(middle, zone) = ahead THEN
				lo := middle;
			ELSE
				hi := middle;
			END IF;
		END LOOP;
		ends := hi;
		RETURN NEXT;
		begins := hi;
		ahead := oracle.ahead(hi, zone);
	END LOOP;
	ends := until;
	IF begins < ends THEN
		RETURN NEXT;
	END IF;
END
$$;

-- inf { u : wall clock at u >= x }. The clocks of no two places are further
-- apart than a day or so, hence looking two days around is enough.
CREATE FUNCTION oracle.first_at_or_after(zone text, x timestamp)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT min(greatest(s.begins, x AT TIME ZONE 'UTC' - s.ahead))
	FROM oracle.stretches(zone,
						  date_trunc('hour', x AT TIME ZONE 'UTC' - interval '2 days'),
						  date_trunc('hour', x AT TIME ZONE 'UTC' + interval '2 days')) s
	WHERE greatest(s.begins, x AT TIME ZONE 'UTC' - s.ahead) < s.ends
$$;

-- ---------------------------------------------------------------------------
-- Dates

-- What a date says: a special date says it alone, otherwise the weekday does.
CREATE FUNCTION oracle.spans(c int, d date)
RETURNS TABLE (opens interval, closes interval)
LANGUAGE sql STABLE AS $$
	SELECT s.opens, s.closes FROM oracle.special_span s
	WHERE s.calendar = c AND s.day = d
	UNION ALL
	SELECT w.opens, w.closes FROM oracle.week_span w
	WHERE w.calendar = c AND w.weekday = extract(isodow FROM d)::int
	  AND NOT EXISTS (SELECT FROM oracle.special s WHERE s.calendar = c AND s.day = d)
$$;

CREATE FUNCTION oracle.is_business_day(c int, d date) RETURNS bool
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM oracle.spans(c, d));
END
$$;

CREATE FUNCTION oracle.has_weekly_hours(c int) RETURNS bool
LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM oracle.week_span w WHERE w.calendar = c)
$$;

-- The n-th business day after d (before d for negative n), by turning pages;
-- NULL when it lies behind what is written down.
CREATE FUNCTION oracle.nth_business_day(c int, d date, n int) RETURNS date
LANGUAGE plpgsql STABLE AS $$
DECLARE
	step	int := sign(n);
	missing	int := abs(n);
	endless	bool := oracle.has_weekly_hours(c);
	final	date;
	said	daterange;
BEGIN
	SELECT daterange(x.first_said, x.last_said, '[]') INTO STRICT said
	FROM oracle.calendar x WHERE x.id = c;
	IF isfinite(lower(said)) THEN
		endless := true;
	END IF;
	IF NOT endless THEN
		SELECT CASE WHEN step > 0 THEN max(s.day) ELSE min(s.day) END
		INTO final FROM oracle.special s WHERE s.calendar = c;
	END IF;
	WHILE missing > 0 LOOP
		IF NOT endless AND (final IS NULL OR (final - d) * step <= 0) THEN
			RETURN CASE WHEN step > 0 THEN 'infinity' ELSE '-infinity' END::date;
		END IF;
		d := d + step;
		IF NOT said @> d THEN
			RETURN NULL;
		END IF;
		IF oracle.is_business_day(c, d) THEN
			missing := missing - 1;
		END IF;
	END LOOP;
	RETURN d;
END
$$;

-- Business days in [a, b), negative when b < a.
CREATE FUNCTION oracle.business_days_between(c int, a date, b date) RETURNS int
LANGUAGE sql STABLE AS $$
	SELECT (sign(b - a) * count(*))::int
	FROM generate_series(0, abs(b - a) - 1) i
	WHERE oracle.is_business_day(c, least(a, b) + i)
$$;

-- ---------------------------------------------------------------------------
-- Laying out a calendar

-- A window from x to y on date D opens at the first instant at which the wall
-- clock reads x or later and closes at the last before which it still reads
-- earlier than y. With the clock unchanged in [begins, ends) that is, among
-- such stretches, the least instant with "u + ahead >= x" and the greatest
-- bound of "u + ahead < y".
CREATE FUNCTION oracle.lay_out(c int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	cal		oracle.calendar;
BEGIN
	SELECT * INTO STRICT cal FROM oracle.calendar WHERE id = c;

	WITH stretch AS MATERIALIZED (
		SELECT * FROM oracle.stretches(cal.zone,
			cal.first_day::timestamp AT TIME ZONE 'UTC' - interval '3 days',
			cal.last_day::timestamp AT TIME ZONE 'UTC' + interval '5 days')
	), changed AS (
		INSERT INTO oracle.clock_change
		SELECT c, s.begins FROM stretch s
		WHERE s.begins > cal.first_day::timestamp AT TIME ZONE 'UTC'
		  AND s.begins < cal.last_day::timestamp AT TIME ZONE 'UTC'
	), edge AS (
		SELECT d.day,
			(SELECT min(greatest(s.begins, (d.day + p.opens) AT TIME ZONE 'UTC' - s.ahead))
			 FROM stretch s
			 WHERE s.ends > (d.day - 2) AT TIME ZONE 'UTC' AND s.begins < (d.day + 4) AT TIME ZONE 'UTC'
			   AND greatest(s.begins, (d.day + p.opens) AT TIME ZONE 'UTC' - s.ahead) < s.ends
			) AS opens,
			(SELECT max(least(s.ends, (d.day + p.closes) AT TIME ZONE 'UTC' - s.ahead))
			 FROM stretch s
			 WHERE s.ends > (d.day - 2) AT TIME ZONE 'UTC' AND s.begins < (d.day + 4) AT TIME ZONE 'UTC'
			   AND least(s.ends, (d.day + p.closes) AT TIME ZONE 'UTC' - s.ahead) > s.begins
			) AS closes
		FROM (SELECT cal.first_day + i AS day
			  FROM generate_series(0, cal.last_day - cal.first_day) i) d
		CROSS JOIN LATERAL oracle.spans(c, d.day) p
	)
	INSERT INTO oracle.win
	SELECT c, e.day, lower(w), upper(w)
	FROM (SELECT day, range_agg(tstzrange(opens, closes)) AS wins
		  FROM edge WHERE opens < closes GROUP BY day) e,
		 unnest(e.wins) w;

	UPDATE oracle.calendar SET open = coalesce(
		(SELECT range_agg(tstzrange(w.opens, w.closes))
		 FROM oracle.win w WHERE w.calendar = c), '{}')
	WHERE id = c;
END
$$;

-- The open time of joined calendars, which have one horizon
CREATE FUNCTION oracle.join_open(lft tstzmultirange, op text, rgt tstzmultirange)
RETURNS tstzmultirange LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE op WHEN '|' THEN lft + rgt WHEN '&' THEN lft * rgt WHEN '-' THEN lft - rgt END
$$;

-- An answer found by walking is the true one if it lies well inside the
-- horizon, or if nothing lies outside it: no weekly hours, no dates that recur,
-- special dates all within.
CREATE FUNCTION oracle.known(cal oracle.calendar, answer timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN NOT cal.endless THEN answer
		WHEN answer >= cal.first_day::timestamp AT TIME ZONE 'UTC' + interval '3 days'
		 AND answer <= cal.last_day::timestamp AT TIME ZONE 'UTC' - interval '3 days'
		THEN answer
	END
$$;

-- ---------------------------------------------------------------------------
-- Questions about an open set, rules 1 and 4 to 7

CREATE FUNCTION oracle.worked(open tstzmultirange, a timestamptz, b timestamptz)
RETURNS interval LANGUAGE plpgsql STABLE AS $$
DECLARE
	total	interval := '0';
	w		tstzrange;
BEGIN
	IF b < a THEN
		RETURN - oracle.worked(open, b, a);
	END IF;
	FOR w IN SELECT unnest(open * tstzmultirange(tstzrange(a, b))) LOOP
		total := total + (upper(w) - lower(w));
	END LOOP;
	RETURN total;
END
$$;

-- Earliest r >= t with worked(t, r) = amount
CREATE FUNCTION oracle.forward(open tstzmultirange, t timestamptz, amount interval)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
	w	tstzrange;
BEGIN
	IF amount = interval '0' THEN
		RETURN t;
	END IF;
	FOR w IN SELECT unnest(open * tstzmultirange(tstzrange(t, NULL))) LOOP
		IF amount <= upper(w) - lower(w) THEN
			RETURN lower(w) + amount;
		END IF;
		amount := amount - (upper(w) - lower(w));
	END LOOP;
	RETURN 'infinity';
END
$$;

-- Latest r <= t with worked(r, t) = amount
CREATE FUNCTION oracle.backward(open tstzmultirange, t timestamptz, amount interval)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
	w	tstzrange;
BEGIN
	IF amount = interval '0' THEN
		RETURN t;
	END IF;
	FOR w IN
		SELECT p FROM unnest(open * tstzmultirange(tstzrange(NULL, t))) p
		ORDER BY lower(p) DESC
	LOOP
		IF amount <= upper(w) - lower(w) THEN
			RETURN upper(w) - amount;
		END IF;
		amount := amount - (upper(w) - lower(w));
	END LOOP;
	RETURN '-infinity';
END
$$;

CREATE FUNCTION oracle.opening_after(open tstzmultirange, t timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT coalesce(min(lower(w)), 'infinity') FROM unnest(open) w WHERE lower(w) > t
$$;
CREATE FUNCTION oracle.closing_after(open tstzmultirange, t timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT coalesce(min(upper(w)), 'infinity') FROM unnest(open) w WHERE upper(w) > t
$$;
CREATE FUNCTION oracle.opening_before(open tstzmultirange, t timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT coalesce(max(lower(w)), '-infinity') FROM unnest(open) w WHERE lower(w) < t
$$;
CREATE FUNCTION oracle.closing_before(open tstzmultirange, t timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT coalesce(max(upper(w)), '-infinity') FROM unnest(open) w WHERE upper(w) < t
$$;

-- The next (previous) edge. A window that covers the last (first) three weeks
-- of the horizon without an edge is one that never ends: a week shows everything
-- weekly hours of one zone can do. (Unless there are special dates beyond the
-- horizon.)
CREATE FUNCTION oracle.edge(cal oracle.calendar, kind text, t timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
	answer	timestamptz;
	border	timestamptz;
	weeks	interval := '21 days';
BEGIN
	answer := CASE kind
		WHEN 'next_open' THEN oracle.opening_after(cal.open, t)
		WHEN 'next_close' THEN oracle.closing_after(cal.open, t)
		WHEN 'prev_open' THEN oracle.opening_before(cal.open, t)
		WHEN 'prev_close' THEN oracle.closing_before(cal.open, t)
	END;
	IF oracle.known(cal, answer) IS NOT NULL OR NOT cal.endless THEN
		RETURN answer;
	END IF;
	IF cal.lead <> cal.id OR isfinite(cal.first_said)
		OR EXISTS (SELECT FROM oracle.special s WHERE s.calendar = cal.id
			   AND s.day NOT BETWEEN cal.first_day AND cal.last_day) THEN
		RETURN NULL;
	END IF;
	IF kind LIKE 'next%' THEN
		border := cal.last_day::timestamp AT TIME ZONE 'UTC' - interval '3 days';
		IF cal.open @> tstzrange(border - weeks, border) THEN
			RETURN 'infinity';
		END IF;
	ELSE
		border := cal.first_day::timestamp AT TIME ZONE 'UTC' + interval '3 days';
		IF cal.open @> tstzrange(border, border + weeks) THEN
			RETURN '-infinity';
		END IF;
	END IF;
	RETURN NULL;
END
$$;

-- ---------------------------------------------------------------------------
-- Business days from an instant, rule 8. Of joined calendars it fixes less: what
-- happens when the start or the answer lies outside the leading part's hours, or
-- the answer in closed time, is not asked.

CREATE FUNCTION oracle.is_joined(cal oracle.calendar) RETURNS bool
LANGUAGE sql IMMUTABLE AS $$ SELECT cal.lead <> cal.id $$;

-- n > 0. A window holds its opening, not its close.
CREATE FUNCTION oracle.days_forward(cal oracle.calendar, t timestamptz, n int)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
	service	date;
	target	date;
	wanted	timestamptz;
	answer	timestamptz;
BEGIN
	IF NOT cal.open @> t THEN
		IF oracle.is_joined(cal) THEN
			RETURN NULL;
		END IF;
		t := oracle.known(cal, oracle.opening_after(cal.open, t));
		IF t IS NULL OR t = 'infinity' THEN
			RETURN t;
		END IF;
	END IF;

	SELECT max(w.service_day) INTO service FROM oracle.win w
	WHERE w.calendar = cal.lead AND w.opens <= t AND t < w.closes;

	IF service IS NULL THEN		-- open by another part only
		RETURN NULL;
	END IF;

	target := oracle.nth_business_day(cal.lead, service, n);
	IF target IS NULL OR target = 'infinity' THEN
		RETURN target;
	ELSIF oracle.known(cal, target::timestamp AT TIME ZONE 'UTC') IS NULL THEN
		RETURN NULL;
	END IF;

	wanted := oracle.first_at_or_after(cal.zone,
		target + ((t AT TIME ZONE cal.zone) - service::timestamp));
	IF cal.open @> wanted THEN
		RETURN wanted;
	ELSIF oracle.is_joined(cal) THEN
		RETURN NULL;
	END IF;

	SELECT max(w.closes) INTO answer FROM oracle.win w
	WHERE w.calendar = cal.id AND w.service_day = target AND w.closes <= wanted;
	IF answer IS NULL THEN
		SELECT min(w.opens) INTO answer FROM oracle.win w
		WHERE w.calendar = cal.id AND w.service_day = target;
	END IF;
	-- all of the day's windows fell into a gap
	RETURN coalesce(answer, oracle.known(cal, oracle.opening_after(cal.open, wanted)));
END
$$;

-- The mirror image, n > 0 business days back. A window holds its close, not
-- its opening.
CREATE FUNCTION oracle.days_backward(cal oracle.calendar, t timestamptz, n int)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
	service	date;
	target	date;
	wanted	timestamptz;
	answer	timestamptz;
BEGIN
	IF NOT EXISTS (SELECT FROM unnest(cal.open) w
				   WHERE lower(w) < t AND t <= upper(w)) THEN
		IF oracle.is_joined(cal) THEN
			RETURN NULL;
		END IF;
		t := oracle.known(cal, oracle.closing_before(cal.open, t));
		IF t IS NULL OR t = '-infinity' THEN
			RETURN t;
		END IF;
	END IF;

	SELECT max(w.service_day) INTO service FROM oracle.win w
	WHERE w.calendar = cal.lead AND w.opens < t AND t <= w.closes;

	IF service IS NULL THEN		-- open by another part only
		RETURN NULL;
	END IF;

	target := oracle.nth_business_day(cal.lead, service, -n);
	IF target IS NULL OR target = '-infinity' THEN
		RETURN target;
	ELSIF oracle.known(cal, target::timestamp AT TIME ZONE 'UTC') IS NULL THEN
		RETURN NULL;
	END IF;

	wanted := oracle.first_at_or_after(cal.zone,
		target + ((t AT TIME ZONE cal.zone) - service::timestamp));
	IF EXISTS (SELECT FROM unnest(cal.open) w
			   WHERE lower(w) < wanted AND wanted <= upper(w)) THEN
		RETURN wanted;
	ELSIF oracle.is_joined(cal) THEN
		RETURN NULL;
	END IF;

	SELECT min(w.opens) INTO answer FROM oracle.win w
	WHERE w.calendar = cal.id AND w.service_day = target AND w.opens >= wanted;
	IF answer IS NULL THEN
		SELECT max(w.closes) INTO answer FROM oracle.win w
		WHERE w.calendar = cal.id AND w.service_day = target;
	END IF;
	RETURN coalesce(answer, oracle.known(cal, oracle.closing_before(cal.open, wanted)));
END
$$;

-- Days first, then the time, each in the direction of its own sign: days ahead
-- never lead to an instant before the start.
CREATE FUNCTION oracle.add(cal oracle.calendar, t timestamptz, days int, amount interval)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
	day_answer	timestamptz;
BEGIN
	IF days > 0 THEN
		day_answer := oracle.days_forward(cal, t, days);
		t := CASE WHEN day_answer < t THEN t ELSE day_answer END;
	ELSIF days < 0 THEN
		day_answer := oracle.days_backward(cal, t, - days);
		t := CASE WHEN day_answer > t THEN t ELSE day_answer END;
	END IF;
	IF t IS NULL OR NOT isfinite(t) OR amount = interval '0' THEN
		RETURN t;
	END IF;
	RETURN oracle.known(cal,
		CASE WHEN amount > interval '0' THEN oracle.forward(cal.open, t, amount)
			 ELSE oracle.backward(cal.open, t, - amount) END);
END
$$;

-- Pauses take working time away, in whichever direction the answer lies.
CREATE FUNCTION oracle.deadline(cal oracle.calendar, t timestamptz, days int,
								amount interval, pauses tstzmultirange)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
	unpaused	timestamptz := oracle.add(cal, t, days, amount);
	paused		tstzmultirange;
BEGIN
	IF unpaused IS NULL OR NOT isfinite(unpaused) THEN
		RETURN unpaused;
	END IF;
	paused := cal.open * pauses
		* tstzmultirange(tstzrange(least(t, unpaused), greatest(t, unpaused)));
	IF isempty(paused) THEN
		RETURN unpaused;
	END IF;
	RETURN oracle.known(cal,
		CASE WHEN unpaused > t
			THEN oracle.forward(cal.open - pauses, t, oracle.worked(cal.open, t, unpaused))
			ELSE oracle.backward(cal.open - pauses, t, oracle.worked(cal.open, unpaused, t)) END);
END
$$;
