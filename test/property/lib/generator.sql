-- The generator: random calendars with their notation, random questions with
-- the oracle's answers. Everything random comes from random(), so that
-- setseed() repeats a run.

CREATE TABLE oracle.question (
	id			int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	calendar	int NOT NULL,
	ask			text NOT NULL,		-- see oracle.question_sql()
	t			timestamptz,
	u			timestamptz,
	amount		text,				-- of working time, as notation
	more		text,				-- another one
	d			date,
	e			date,
	n			int,
	pauses		tstzmultirange,
	expected	text				-- the answer as text; NULL is an answer too
);

CREATE FUNCTION oracle.dice(n int) RETURNS int
LANGUAGE sql VOLATILE AS $$ SELECT floor(random() * n)::int $$;

CREATE FUNCTION oracle.chance(p float8) RETURNS bool
LANGUAGE sql VOLATILE AS $$ SELECT random() < p $$;

CREATE TABLE oracle.zone AS
	SELECT row_number() OVER (ORDER BY name COLLATE "C")::int AS id, name
	FROM pg_timezone_names
	-- not copies of the others, nor names that only some installations have, nor
	-- those that AT TIME ZONE takes for an abbreviation ("EET" is UTC+2 there,
	-- the zone EET had summers)
	WHERE name !~ '^(posix|right)/' AND name NOT IN ('localtime', 'posixrules', 'Factory')
	  AND upper(name) NOT IN (SELECT abbrev FROM pg_timezone_abbrevs);

-- ---------------------------------------------------------------------------
-- Notation

CREATE FUNCTION oracle.clock_text(i interval, in_full bool) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN extract(second FROM i) = 0 AND NOT in_full
		THEN substr(i::text, 1, 5) ELSE i::text END
$$;

-- A close beyond midnight is written as the time on the next date; midnight
-- as 24:00 or 00:00.
CREATE FUNCTION oracle.span_text(opens interval, closes interval) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT oracle.clock_text(opens, oracle.chance(0.1)) || '-' ||
		oracle.clock_text(CASE
			WHEN closes = interval '24 hours' AND oracle.chance(0.7) THEN closes
			WHEN closes >= interval '24 hours' THEN closes - interval '24 hours'
			ELSE closes END, oracle.chance(0.1))
$$;

CREATE FUNCTION oracle.spans_text(opens interval[], closes interval[]) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	list	text[] := '{}';
BEGIN
	IF cardinality(opens) = 0 THEN
		RETURN 'off';
	END IF;
	FOR i IN 1 .. cardinality(opens) LOOP
		list := list || oracle.span_text(opens[i], closes[i]);
	END LOOP;
	RETURN array_to_string(list, ',');
END
$$;

CREATE FUNCTION oracle.weekday_text(weekday int) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT (ARRAY['Mo','Tu','We','Th','Fr','Sa','Su'])[weekday]
$$;

-- An amount: business days, then a clock reading of any size and sign
CREATE FUNCTION oracle.hours_text(i interval) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT make_interval(hours => (usecs / 3600000000)::int,
						 mins => (usecs / 60000000 % 60)::int,
						 secs => (usecs % 60000000)::float8 / 1000000)::text
	FROM (SELECT (extract(epoch FROM i) * 1000000)::bigint) x(usecs)
$$;

CREATE FUNCTION oracle.amount_text(days int, i interval) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN days = 0 THEN oracle.hours_text(i)
				ELSE days || 'bd ' || oracle.hours_text(i) END
$$;

-- ---------------------------------------------------------------------------
-- Calendars

CREATE FUNCTION oracle.random_spans(OUT opens interval[], OUT closes interval[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	kind	int := oracle.dice(9);
	a		interval;
	b		interval;
BEGIN
	opens := '{}';
	closes := '{}';
	CASE
	WHEN kind = 0 THEN		-- office
		a := make_interval(hours => 6 + oracle.dice(5));
		b := make_interval(hours => 14 + oracle.dice(7), mins => 15 * oracle.dice(4));
		opens := ARRAY[a];
		closes := ARRAY[b];
	WHEN kind = 1 THEN		-- with a break
		opens := ARRAY[interval '09:00', interval '13:30'];
		closes := ARRAY[interval '12:30', interval '17:30'];
	WHEN kind = 2 THEN		-- overnight
		a := make_interval(hours => 17 + oracle.dice(7), mins => 30 * oracle.dice(2));
		opens := ARRAY[a];
		closes := ARRAY[a + make_interval(hours => 3 + oracle.dice(20))];
	WHEN kind = 3 THEN		-- the whole day
		opens := ARRAY[interval '00:00'];
		closes := ARRAY[interval '24:00'];
	WHEN kind = 4 THEN		-- at the hours at which clocks are changed
		a := make_interval(mins => 5 * oracle.dice(48));
		opens := ARRAY[a];
		closes := ARRAY[a + make_interval(mins => 5 * (1 + oracle.dice(36)))];
	WHEN kind = 5 THEN		-- around midnight
		a := make_interval(hours => 22) + make_interval(mins => 5 * oracle.dice(24));
		opens := ARRAY[a];
		closes := ARRAY[interval '24:00' + make_interval(mins => 5 * oracle.dice(36))];
	WHEN kind = 6 THEN		-- seconds
		a := make_interval(secs => oracle.dice(86400));
		opens := ARRAY[a];
		closes := ARRAY[a + make_interval(secs => 1 + oracle.dice(CASE oracle.dice(3)
			WHEN 0 THEN 90 WHEN 1 THEN 7200 ELSE 86400 END))];
	WHEN kind = 7 THEN		-- shifts: touching, overlapping, in any order
		FOR i IN 0 .. 2 LOOP
			a := make_interval(hours => 8 * i + oracle.dice(2));
			opens := a || opens;
			closes := (a + make_interval(hours => 7 + oracle.dice(3))) || closes;
		END LOOP;
	ELSE					-- many
		FOR i IN 0 .. 2 + oracle.dice(8) LOOP
			a := make_interval(mins => oracle.dice(1440));
			opens := opens || a;
			closes := closes || (a + make_interval(mins => 1 + oracle.dice(120)));
		END LOOP;
	END CASE;
END
$$;

-- One rule of the notation, kept as rows until all rules are known: a later
-- one takes the days it names from the earlier ones.
CREATE PROCEDURE oracle.say_week(c int, weekdays int[], opens interval[], closes interval[])
LANGUAGE sql AS $$
	DELETE FROM oracle.week_span WHERE calendar = c AND weekday = ANY (weekdays);
	INSERT INTO oracle.week_span
		SELECT c, w, x.since, x.till FROM unnest(weekdays) w, unnest(opens, closes) x(since, till);
$$;

-- The same for dates; a rule that will stand in front of all others takes only
-- what they leave.
CREATE PROCEDURE oracle.say_dates(c int, dates date[], opens interval[],
								  closes interval[], in_front bool)
LANGUAGE plpgsql AS $$
DECLARE
	d	date;
BEGIN
	FOREACH d IN ARRAY dates LOOP
		CONTINUE WHEN in_front AND EXISTS (SELECT FROM oracle.special s
										   WHERE s.calendar = c AND s.day = d);
		DELETE FROM oracle.special_span WHERE calendar = c AND day = d;
		INSERT INTO oracle.special VALUES (c, d) ON CONFLICT DO NOTHING;
		INSERT INTO oracle.special_span
			SELECT c, d, x.since, x.till FROM unnest(opens, closes) x(since, till);
	END LOOP;
END
$$;

-- A year, mostly of the present, seldom of a past without clock changes or of
-- a future that only rules describe
CREATE FUNCTION oracle.random_year() RETURNS int
LANGUAGE sql VOLATILE AS $$
	SELECT CASE
		WHEN r < 0.75 THEN 1970 + oracle.dice(68)
		WHEN r < 0.85 THEN 1820 + oracle.dice(150)
		WHEN r < 0.95 THEN 2038 + oracle.dice(462)
		ELSE 9985 + oracle.dice(13)
	END FROM (SELECT random() AS r) x
$$;

-- A new calendar: rows for the oracle, notation for the engine.
CREATE FUNCTION oracle.random_calendar(c int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	nth			int;
	place		text;
	year		int := oracle.random_year();
	changes		date[];
	near_seam	bool;
	span		int;			-- years looked at
	centre		date;
	reach		int;
	rules		text[] := '{}';
	days		int[];
	kind		int;
	s			record;
	dates		date[];
	rule		text;
	in_front	bool;
	far			bool;
BEGIN
	nth := 1 + oracle.dice((SELECT count(*)::int FROM oracle.zone));
	SELECT name INTO STRICT place FROM oracle.zone WHERE id = nth;

	-- Most horizons are put around a clock change, if the zone had any then; some
	-- around the one nearest to where a week begins in UTC, because that is
	-- where one would cut time into pieces.
	near_seam := oracle.chance(0.3);
	span := CASE WHEN near_seam THEN 20 ELSE 1 END;
	SELECT array_agg((begins AT TIME ZONE 'UTC')::date ORDER BY CASE WHEN near_seam
		THEN abs(extract(epoch FROM begins - date_trunc('week', begins + interval '3.5 days'))) END)
	INTO changes
	FROM oracle.stretches(place, make_timestamptz(year - span, 1, 1, 0, 0, 0),
						  make_timestamptz(year + span, 1, 1, 0, 0, 0))
	WHERE begins > make_timestamptz(year - span, 1, 1, 0, 0, 0);
	IF changes IS NULL OR oracle.chance(0.2) THEN
		centre := make_date(year, 1, 1) + oracle.dice(366);
		changes := ARRAY[centre];
	ELSIF near_seam THEN
		centre := changes[1];
	ELSE
		centre := changes[1 + oracle.dice(cardinality(changes))];
	END IF;
	reach := CASE
		WHEN c % 60 = 0 THEN 15000		-- decades: dear, and few are enough
		ELSE (ARRAY[1500, 700, 400, 400])[1 + oracle.dice(10)] END;
	reach := coalesce(reach, 60 + oracle.dice(60));

	-- weekly hours
	kind := oracle.dice(10);
	CASE
	WHEN kind <= 2 THEN		-- Monday to Friday, or another stretch of the week
		days := ARRAY(SELECT (kind * 2 + i) % 7 + 1
					  FROM generate_series(0, CASE WHEN kind = 0 THEN 4 ELSE oracle.dice(7) END) i);
		s := oracle.random_spans();
		CALL oracle.say_week(c, days, s.opens, s.closes);
		rules := rules || format('%s-%s %s', oracle.weekday_text(days[1]),
			oracle.weekday_text(days[cardinality(days)]),
			oracle.spans_text(s.opens, s.closes));
	WHEN kind = 3 THEN		-- every day
		s := oracle.random_spans();
		CALL oracle.say_week(c, ARRAY[1, 2, 3, 4, 5, 6, 7], s.opens, s.closes);
		rules := rules || ('Mo-Su ' || oracle.spans_text(s.opens, s.closes));
	WHEN kind = 4 AND oracle.chance(0.5) THEN	-- never, but for special dates
		rules := rules || 'Mo-Su off'::text;
	WHEN kind = 4 THEN		-- always
		CALL oracle.say_week(c, ARRAY[1, 2, 3, 4, 5, 6, 7],
							 ARRAY[interval '00:00'], ARRAY[interval '24:00']);
		rules := rules || 'Mo-Su 00:00-24:00'::text;
	ELSE					-- rule upon rule
		FOR i IN 1 .. 1 + oracle.dice(6) LOOP
			days := ARRAY(SELECT w FROM generate_series(1, 7) w WHERE oracle.chance(0.4));
			CONTINUE WHEN cardinality(days) = 0;
			s := oracle.random_spans();
			IF oracle.chance(0.2) THEN
				s.opens := '{}';
				s.closes := '{}';
			END IF;
			CALL oracle.say_week(c, days, s.opens, s.closes);
			rules := rules || format('%s %s',
				(SELECT string_agg(oracle.weekday_text(w), ',') FROM unnest(days) w),
				oracle.spans_text(s.opens, s.closes));
		END LOOP;
		IF cardinality(rules) = 0 THEN
			rules := rules || 'Mo-Su off'::text;
		END IF;
	END CASE;

	-- special dates, half of them where the clock is changed; written before,
	-- between and behind the weekdays, which must not matter. All within the
	-- horizon, unless weekly hours make the oracle look no further than that.
	far := c % 4 = 0 AND oracle.has_weekly_hours(c);
	changes := ARRAY(SELECT x FROM unnest(changes) x WHERE abs(x - centre) < reach - 40);
	FOR i IN 1 .. CASE oracle.dice(5) WHEN 0 THEN 0 WHEN 1 THEN 60 ELSE 6 END LOOP
		dates := '{}';
		LOOP
			dates := dates || CASE
				WHEN far AND oracle.chance(0.2)
				THEN make_date(1600 + oracle.dice(8400), 1 + oracle.dice(12), 1 + oracle.dice(28))
				WHEN oracle.chance(0.5)
				THEN changes[1 + oracle.dice(cardinality(changes))] + oracle.dice(5) - 2
				ELSE centre + oracle.dice(2 * reach - 80) - (reach - 40) END;
			dates[cardinality(dates)] := least(date '9999-12-31', dates[cardinality(dates)]);
			EXIT WHEN oracle.chance(0.8);
		END LOOP;
		s := oracle.random_spans();
		IF oracle.chance(0.5) THEN
			s.opens := '{}';
			s.closes := '{}';
		END IF;
		rule := array_to_string(dates, ',');
		IF oracle.chance(0.05) THEN		-- bare dates are the whole of them
			s.opens := ARRAY[interval '00:00'];
			s.closes := ARRAY[interval '24:00'];
		ELSE
			rule := rule || ' ' || oracle.spans_text(s.opens, s.closes);
		END IF;
		in_front := oracle.chance(0.1);
		CALL oracle.say_dates(c, dates, s.opens, s.closes, in_front);
		rules := CASE WHEN in_front THEN rule || rules ELSE rules || rule END;
	END LOOP;

	INSERT INTO oracle.calendar VALUES
		(c, place, centre - reach, centre + reach, place || ' ' || array_to_string(rules, '; '));
END
$$;

-- ---------------------------------------------------------------------------
-- Questions

-- An instant at which something happens: an edge of a window, a clock change,
-- midnight of a special date, all give or take; or any other of the horizon.
-- At least twenty days from its ends.
CREATE FUNCTION oracle.random_instant(cal oracle.calendar) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	since	timestamptz := (cal.first_day + 20)::timestamp AT TIME ZONE 'UTC';
	until	timestamptz := (cal.last_day - 20)::timestamp AT TIME ZONE 'UTC';
	kind	int := oracle.dice(10);
	day		date := cal.first_day + 20 + oracle.dice(cal.last_day - cal.first_day - 40);
	t		timestamptz;
BEGIN
	IF kind <= 3 THEN
		SELECT CASE WHEN oracle.chance(0.5) THEN w.opens ELSE w.closes END INTO t
		FROM oracle.win w
		WHERE w.calendar = cal.id
		  AND w.service_day = day
		ORDER BY w.opens LIMIT 1;
	ELSIF kind <= 5 THEN
		SELECT x.at INTO t FROM oracle.clock_change x WHERE x.calendar = cal.id
		ORDER BY random() LIMIT 1;
	ELSIF kind <= 6 THEN
		SELECT oracle.first_at_or_after(cal.zone, s.day::timestamp) INTO t
		FROM (SELECT x.day FROM oracle.special x WHERE x.calendar = cal.id
			  ORDER BY random() LIMIT 1) s;
	END IF;
	IF t IS NULL OR t < since OR t > until THEN
		RETURN since + make_interval(secs => floor(random() * extract(epoch FROM until - since)))
			+ make_interval(secs => oracle.dice(3) * oracle.dice(1000000) / 1000000.0);
	END IF;
	RETURN t + CASE oracle.dice(6)
		WHEN 0 THEN interval '1 microsecond'
		WHEN 1 THEN interval '-1 microsecond'
		WHEN 2 THEN make_interval(secs => oracle.dice(172800) - 86400)
		WHEN 3 THEN make_interval(mins => 5 * (oracle.dice(73) - 36))
		ELSE interval '0' END;
END
$$;

-- An amount of working time: none, a little, or what lies between two instants
-- of the horizon, so that answers land on, before and behind edges.
CREATE FUNCTION oracle.random_amount(cal oracle.calendar, t timestamptz) RETURNS interval
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN CASE oracle.dice(8)
		WHEN 0 THEN interval '0'
		WHEN 1 THEN interval '1 microsecond'
		WHEN 2 THEN make_interval(mins => 15 * oracle.dice(200))
		WHEN 3 THEN make_interval(secs => oracle.dice(200000) + oracle.dice(1000000) / 1000000.0)
		WHEN 4 THEN make_interval(hours => oracle.dice(3000))
		ELSE abs_interval.w + CASE oracle.dice(6)
			WHEN 0 THEN interval '1 microsecond'
			WHEN 1 THEN make_interval(secs => oracle.dice(7200))
			ELSE interval '0' END
		END
	FROM (SELECT greatest(w, - w) AS w
		  FROM oracle.worked(cal.open, t, oracle.random_instant(cal)) w) abs_interval;
END
$$;

CREATE FUNCTION oracle.random_pauses(cal oracle.calendar, t timestamptz) RETURNS tstzmultirange
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	pauses	tstzmultirange := '{}';
	since	timestamptz;
BEGIN
	FOR i IN 1 .. oracle.dice(5) LOOP
		since := CASE oracle.dice(3)
			WHEN 0 THEN oracle.random_instant(cal)
			ELSE t + make_interval(mins => 20 * (oracle.dice(600) - 60)) END;
		pauses := pauses + tstzmultirange(tstzrange(since, since + CASE oracle.dice(4)
			WHEN 0 THEN make_interval(days => oracle.dice(30))
			ELSE make_interval(mins => 10 * oracle.dice(300)) END));
	END LOOP;
	IF oracle.chance(0.05) THEN
		pauses := pauses + tstzmultirange(tstzrange(oracle.random_instant(cal), NULL));
	END IF;
	RETURN pauses;
END
$$;

-- What holds between answers, without anybody knowing them:
-- 1 hours, 2 and 3 instants, 4 and 5 amounts, 6 a date, 7 a number, 8 pauses
CREATE TABLE oracle.law (name text PRIMARY KEY, law text NOT NULL);
INSERT INTO oracle.law VALUES
	('law: reads back equal',
	 '%1$s::text::sla.business_hours = %1$s'
	 ' AND %1$s::text::sla.business_hours::text = %1$s::text'),
	('law: between undoes add',
	 '(SELECT NOT isfinite(r) OR sla.business_between(%2$s, r, %1$s) = %4$s::interval'
	 ' FROM sla.business_add(%2$s, %4$s, %1$s) r)'),
	('law: between undoes sub',
	 '(SELECT NOT isfinite(r) OR sla.business_between(r, %2$s, %1$s) = %4$s::interval'
	 ' FROM sla.business_sub(%2$s, %4$s, %1$s) r)'),
	('law: add is earliest',
	 '(SELECT NOT isfinite(r) OR r = %2$s'
	 ' OR sla.business_between(%2$s, r - interval ''1 us'', %1$s) < %4$s::interval'
	 ' FROM sla.business_add(%2$s, %4$s, %1$s) r)'),
	('law: sub is latest',
	 '(SELECT NOT isfinite(r) OR r = %2$s'
	 ' OR sla.business_between(r + interval ''1 us'', %2$s, %1$s) < %4$s::interval'
	 ' FROM sla.business_sub(%2$s, %4$s, %1$s) r)'),
	('law: sub is add of the negative',
	 'sla.business_sub(%2$s, %4$s, %1$s) = sla.business_add(%2$s, - %4$s, %1$s)'),
	('law: antisymmetric',
	 'sla.business_between(%2$s, %3$s, %1$s) = - sla.business_between(%3$s, %2$s, %1$s)'),
	('law: additive',
	 '(SELECT sla.business_between(%2$s, %3$s, %1$s)'
	 ' = sla.business_between(%2$s, m, %1$s) + sla.business_between(m, %3$s, %1$s)'
	 ' FROM (SELECT %2$s + (%3$s - %2$s) / 3) x(m))'),
	('law: monotonic in t',
	 'sla.business_add(least(%2$s, %3$s), %4$s, %1$s)'
	 ' <= sla.business_add(greatest(%2$s, %3$s), %4$s, %1$s)'),
	('law: monotonic in amount',
	 'sla.business_add(%2$s, least(%4$s, %5$s), %1$s)'
	 ' <= sla.business_add(%2$s, greatest(%4$s, %5$s), %1$s)'),
	('law: add adds up',
	 '(SELECT sla.business_add(r, %5$s, %1$s) = sla.business_add(%2$s, %4$s + %5$s, %1$s)'
	 ' FROM sla.business_add(%2$s, %4$s, %1$s) r)'),
	('law: time passes while open',
	 'sla.is_open(%1$s, %2$s)'
	 ' = (sla.business_between(%2$s, %2$s + interval ''1 us'', %1$s) > interval ''0'')'),
	('law: next edge alternates',
	 '(SELECT CASE WHEN sla.is_open(%1$s, %2$s)'
	 ' THEN coalesce(c < o, o IS NULL)'
	 ' ELSE coalesce(o < c, c IS NULL) END'
	 ' FROM sla.next_open(%1$s, %2$s) o, sla.next_close(%1$s, %2$s) c)'),
	('law: days undo days',
	 '(SELECT NOT isfinite(x) OR sla.business_days_between(%6$s, x, %1$s)'
	 ' = %7$s + CASE WHEN sla.is_business_day(%1$s, %6$s) THEN 0 ELSE -1 END'
	 ' FROM sla.business_days_add(%6$s, %7$s, %1$s) x)'),
	('law: a deadline is explained',
	 '(SELECT CASE WHEN r = %2$s THEN count(x."from") = 0 OR sum(x.elapsed) = ''0'' ELSE'
	 ' sum(x.counted) = sla.business_between(%2$s, sla.business_add(%2$s, %4$s, %1$s), %1$s)'
	 ' AND min(x."from") = %2$s AND max(x."to") = r AND sum(x.elapsed) = r - %2$s'
	 ' AND bool_and(x."from" < x."to" AND x.elapsed = x."to" - x."from"'
	 ' AND x.counted IN (interval ''0'', x.elapsed)) END'
	 ' FROM sla.deadline(%2$s, %4$s, %1$s, %8$L::tstzmultirange) r'
	 ' LEFT JOIN sla.explain_deadline(%2$s, %4$s, %1$s, %8$L::tstzmultirange) x ON true'
	 ' GROUP BY r)');

-- What to type into psql to ask the engine
CREATE FUNCTION oracle.question_sql(q oracle.question) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	hours	text := (SELECT format('%L::sla.business_hours', notation)
					 FROM oracle.calendar WHERE id = q.calendar);
	t		text := format('%L::timestamptz', q.t);
	u		text := format('%L::timestamptz', q.u);
	amount	text := format('%L::sla.business_interval', q.amount);
	more	text := format('%L::sla.business_interval', q.more);
	d		text := format('%L::date', q.d);
	e		text := format('%L::date', q.e);
BEGIN
	RETURN 'SELECT ' || CASE q.ask
		WHEN 'is_open' THEN format('sla.is_open(%s, %s)', hours, t)
		WHEN 'next_open' THEN format('sla.next_open(%s, %s)', hours, t)
		WHEN 'next_close' THEN format('sla.next_close(%s, %s)', hours, t)
		WHEN 'prev_open' THEN format('sla.prev_open(%s, %s)', hours, t)
		WHEN 'prev_close' THEN format('sla.prev_close(%s, %s)', hours, t)
		WHEN 'business_between' THEN format('sla.business_between(%s, %s, %s)', t, u, hours)
		WHEN 'business_add' THEN format('sla.business_add(%s, %s, %s)', t, amount, hours)
		WHEN 'business_sub' THEN format('sla.business_sub(%s, %s, %s)', t, amount, hours)
		WHEN 'deadline' THEN format('sla.deadline(%s, %s, %s, %L::tstzmultirange)', t, amount, hours, q.pauses)
		WHEN 'is_business_day' THEN format('sla.is_business_day(%s, %s)', hours, d)
		WHEN 'business_days_add' THEN format('sla.business_days_add(%s, %s, %s)', d, q.n, hours)
		WHEN 'business_days_between' THEN format('sla.business_days_between(%s, %s, %s)', d, e, hours)

		-- laws: the answer is true
		ELSE (SELECT format(law, hours, t, u, amount, more, d, q.n, q.pauses)
			  FROM oracle.law WHERE name = q.ask)
		END;
END
$$;

-- Ask everything about one calendar. Answers the oracle cannot know are left
-- out.
CREATE FUNCTION oracle.random_questions(c int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	cal		oracle.calendar;
	t		timestamptz;
	u		timestamptz;
	answer	timestamptz;
	amount	interval;
	more	interval;
	days	int;
	ask		text;
	d		date;
	e		date;
	n		int;
	pauses	tstzmultirange;
BEGIN
	SELECT * INTO STRICT cal FROM oracle.calendar WHERE id = c;

	INSERT INTO oracle.question (calendar, ask, expected) VALUES (c, 'law: reads back equal', true);

	FOR i IN 1 .. 4 LOOP
		t := oracle.random_instant(cal);
		INSERT INTO oracle.question (calendar, ask, t, expected)
			VALUES (c, 'is_open', t, cal.open @> t),
				   (c, 'law: time passes while open', t, true),
				   (c, 'law: next edge alternates', t, true);
		FOREACH ask IN ARRAY ARRAY['next_open', 'next_close', 'prev_open', 'prev_close'] LOOP
			answer := oracle.edge(cal, ask, t);
			CONTINUE WHEN answer IS NULL;
			INSERT INTO oracle.question (calendar, ask, t, expected)
				VALUES (c, ask, t, CASE WHEN isfinite(answer) THEN answer END);
		END LOOP;
	END LOOP;

	FOR i IN 1 .. 6 LOOP
		t := oracle.random_instant(cal);
		u := oracle.random_instant(cal);
		INSERT INTO oracle.question (calendar, ask, t, u, expected)
			VALUES (c, 'business_between', t, u,
					oracle.hours_text(oracle.worked(cal.open, t, u))),
				   (c, 'law: antisymmetric', t, u, true),
				   (c, 'law: additive', t, u, true);
	END LOOP;

	FOR i IN 1 .. 20 LOOP
		t := oracle.random_instant(cal);
		amount := oracle.random_amount(cal, t);
		IF oracle.chance(0.15) THEN
			amount := - amount;
		END IF;
		days := 0;
		IF i > 12 THEN
			days := CASE oracle.dice(4)
				WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN oracle.dice(8) ELSE oracle.dice(60) END;
			IF oracle.chance(0.2) THEN
				days := - days;
			END IF;
			IF oracle.chance(0.5) THEN
				amount := '0';
			END IF;
		END IF;
		ask := CASE WHEN i % 3 = 0 THEN 'business_sub' ELSE 'business_add' END;
		answer := CASE WHEN i % 3 = 0 THEN oracle.add(cal, t, - days, - amount)
				  ELSE oracle.add(cal, t, days, amount) END;
		CONTINUE WHEN answer IS NULL;
		INSERT INTO oracle.question (calendar, ask, t, amount, expected)
			VALUES (c, ask, t, oracle.amount_text(days, amount), answer);
	END LOOP;

	FOR i IN 1 .. 6 LOOP
		t := oracle.random_instant(cal);
		amount := oracle.random_amount(cal, t);
		IF oracle.chance(0.1) THEN
			amount := - amount;
		END IF;
		days := 0;
		IF i > 3 THEN
			days := oracle.dice(8) - 1;
			IF oracle.chance(0.5) THEN
				amount := '0';
			END IF;
		END IF;
		pauses := oracle.random_pauses(cal, t);
		answer := oracle.deadline(cal, t, days, amount, pauses);
		CONTINUE WHEN answer IS NULL;
		INSERT INTO oracle.question (calendar, ask, t, amount, pauses, expected)
			VALUES (c, 'deadline', t, oracle.amount_text(days, amount), pauses, answer);
		-- the longest of explanations would be all that is tested
		CONTINUE WHEN NOT isfinite(answer) OR answer NOT BETWEEN t AND t + interval '100 days';
		INSERT INTO oracle.question (calendar, ask, t, amount, pauses, expected)
			VALUES (c, 'law: a deadline is explained', t,
					oracle.amount_text(days, amount), pauses, true);
	END LOOP;

	FOR i IN 1 .. 3 LOOP
		d := cal.first_day + oracle.dice(cal.last_day - cal.first_day);
		e := cal.first_day + oracle.dice(cal.last_day - cal.first_day);
		IF i > 1 THEN
			d := coalesce((SELECT s.day + oracle.dice(3) - 1 FROM oracle.special s
						   WHERE s.calendar = c AND s.day BETWEEN cal.first_day AND cal.last_day
						   ORDER BY random() LIMIT 1), d);
		END IF;
		n := oracle.dice(CASE i WHEN 1 THEN 300 ELSE 8 END);
		IF oracle.chance(0.3) THEN
			n := - n;
		END IF;
		INSERT INTO oracle.question (calendar, ask, d, e, n, expected)
			VALUES (c, 'is_business_day', d, NULL, NULL, oracle.is_business_day(c, d)),
				   (c, 'business_days_add', d, NULL, n, oracle.nth_business_day(c, d, n)),
				   (c, 'business_days_between', d, e, NULL, oracle.business_days_between(c, d, e));
		IF n > 0 THEN
			INSERT INTO oracle.question (calendar, ask, d, n, expected)
				VALUES (c, 'law: days undo days', d, n, true);
		END IF;
	END LOOP;

	-- laws hold where the oracle cannot look
	FOR i IN 1 .. 6 LOOP
		t := CASE i WHEN 1 THEN oracle.random_instant(cal)
			ELSE make_timestamptz(1 + oracle.dice(200000), 1 + oracle.dice(12), 1 + oracle.dice(28),
								  oracle.dice(24), oracle.dice(60), oracle.dice(60)) END;
		u := CASE i WHEN 2 THEN t + make_interval(hours => oracle.dice(100) - 50)
			ELSE oracle.random_instant(cal) END;
		amount := CASE i % 2 WHEN 0 THEN oracle.random_amount(cal, u)
			ELSE make_interval(hours => oracle.dice(1000000)) END;
		more := make_interval(mins => oracle.dice(100000));
		INSERT INTO oracle.question (calendar, ask, t, u, amount, more, expected)
			SELECT c, x, t, u, oracle.hours_text(amount), oracle.hours_text(more), true
			FROM unnest((ARRAY['law: between undoes add', 'law: between undoes sub',
				'law: add is earliest', 'law: sub is latest',
				'law: sub is add of the negative', 'law: antisymmetric',
				'law: additive', 'law: monotonic in t', 'law: monotonic in amount',
				'law: add adds up', 'law: next edge alternates'])[1 + 2 * (i - 1) : 2 * i]) x;
	END LOOP;
END
$$;
