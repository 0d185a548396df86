-- Random calendars: rows for the oracle, notation for the engine. Everything
-- random comes from random(), so that setseed() repeats a run.

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

-- A word of several accepted ones, in any case
CREATE FUNCTION oracle.word_text(variants text[]) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT CASE oracle.dice(10) WHEN 0 THEN lower(w) WHEN 1 THEN upper(w) ELSE w END
	FROM (SELECT variants[CASE WHEN oracle.chance(0.8) THEN 1
								ELSE 1 + oracle.dice(cardinality(variants)) END]) x(w)
$$;

CREATE FUNCTION oracle.weekday_text(weekday int) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT oracle.word_text(ARRAY[left(w, 2), w])
	FROM (SELECT (ARRAY['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday',
						'Saturday', 'Sunday'])[weekday]) x(w)
$$;

CREATE FUNCTION oracle.month_text(month int) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT oracle.word_text(ARRAY[left(w, 3), w])
	FROM (SELECT (ARRAY['January', 'February', 'March', 'April', 'May', 'June', 'July',
						'August', 'September', 'October', 'November', 'December'])[month]) x(w)
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
BEGIN
	IF in_front THEN
		dates := ARRAY(SELECT unnest(dates) EXCEPT
					   SELECT s.day FROM oracle.special s WHERE s.calendar = c);
	END IF;
	DELETE FROM oracle.special_span WHERE calendar = c AND day = ANY (dates);
	INSERT INTO oracle.special SELECT c, d FROM unnest(dates) d ON CONFLICT DO NOTHING;
	INSERT INTO oracle.special_span
		SELECT DISTINCT c, d, x.since, x.till FROM unnest(dates) d, unnest(opens, closes) x(since, till);
END
$$;

-- What a rule can name beside a list of dates: a range of dates, days of the year
-- or a day around Easter, at or near a date. Dates that recur are expanded from
-- first_said to last_said.
CREATE FUNCTION oracle.random_selector(kind text, near date, first_said date, last_said date,
									   OUT selector text, OUT dates date[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	until	date;
	since_m	int;
	until_m	int;
	space	text := CASE WHEN oracle.chance(0.2) THEN ' ' ELSE '' END;
	n		int;
BEGIN
	IF kind = 'range' THEN
		until := least(date '9999-12-31', near + oracle.dice(30));
		selector := near || space || '/' || space || until;
		dates := ARRAY(SELECT near + i FROM generate_series(0, until - near) i);
	ELSIF kind = 'yearly' THEN
		IF oracle.chance(0.1) THEN
			near := make_date((extract(year FROM near) / 4)::int * 4, 2, 28) + oracle.dice(3);
		END IF;
		-- within a week, over a month's end or New Year's, most of the year
		until := near + CASE oracle.dice(8)
			WHEN 0 THEN 340 WHEN 1 THEN 31 + oracle.dice(25) WHEN 2 THEN 7 WHEN 3 THEN 2 ELSE 0 END;
		since_m := extract(month FROM near);
		until_m := extract(month FROM until);
		IF until - near = 340 AND until_m = since_m THEN	-- would read as the wrong way round
			until := near;
		END IF;
		selector := oracle.month_text(since_m) || ' ' || extract(day FROM near);
		IF until <> near AND until_m = since_m AND oracle.chance(0.5) THEN
			selector := selector || space || '-' || space || extract(day FROM until);
		ELSIF until <> near OR oracle.chance(0.05) THEN
			selector := selector || space || '-' || space
				|| oracle.month_text(until_m) || ' ' || extract(day FROM until);
		END IF;
		dates := oracle.yearly(first_said, last_said,
			since_m * 100 + extract(day FROM near)::int,
			until_m * 100 + extract(day FROM until)::int);
	ELSE
		n := CASE WHEN oracle.chance(0.3) THEN 0
				  WHEN oracle.chance(0.5) THEN (ARRAY[-2, 1, 39, 50, 60])[1 + oracle.dice(5)]
				  ELSE oracle.dice(301) - 150 END;
		selector := oracle.word_text(ARRAY['easter']);
		IF n <> 0 OR oracle.chance(0.1) THEN
			selector := selector || ' ' || CASE WHEN n < 0 THEN '-' ELSE '+' END || space || abs(n)
				|| CASE WHEN abs(n) = 1 THEN ' day' ELSE ' days' END;
		END IF;
		dates := oracle.easters(first_said, last_said, n);
	END IF;
	dates := coalesce(dates, '{}');
END
$$;

-- ---------------------------------------------------------------------------
-- Calendars

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

-- A new calendar without operators: rows for the oracle, notation for the engine.
-- Over the same horizon as another one if that is given.
CREATE FUNCTION oracle.random_part(c int, beside int DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	nth			int;
	place		text;
	year		int := oracle.random_year();
	changes		date[];
	near_seam	bool;
	span		int;			-- years looked at
	centre		date;
	near		date;
	reach		int;
	rules		text[] := '{}';
	days		int[];
	kind		int;
	s			record;
	dates		date[];
	rule		text;
	in_front	bool;
	far			bool;
	recurs		bool := oracle.chance(0.6);
	first_said	date := '-infinity';
	last_said	date := 'infinity';
	named		record;
	selectors	text[];
	partner		oracle.calendar;
BEGIN
	IF oracle.chance(0.03) AND beside IS NOT NULL THEN
		CALL oracle.say_week(c, ARRAY[1, 2, 3, 4, 5, 6, 7],
							 ARRAY[interval '00:00'], ARRAY[interval '24:00']);
		INSERT INTO oracle.calendar
			SELECT c, 'UTC', first_day, last_day, '24/7', c, true
			FROM oracle.calendar WHERE id = beside;
		INSERT INTO oracle.part VALUES (c, c);
		RETURN;
	END IF;
	nth := 1 + oracle.dice((SELECT count(*)::int FROM oracle.zone));
	SELECT name INTO STRICT place FROM oracle.zone WHERE id = nth;
	IF beside IS NOT NULL THEN
		SELECT * INTO STRICT partner FROM oracle.calendar WHERE id = beside;
		reach := (partner.last_day - partner.first_day) / 2;
		centre := partner.first_day + reach;
		year := extract(year FROM centre);
		IF oracle.chance(0.3) THEN
			place := partner.zone;
		END IF;
	END IF;

	-- Most horizons are put around a clock change, if the zone had any then; some
	-- around the one nearest to where a week begins in UTC, because that is
	-- where one would cut time into pieces.
	near_seam := beside IS NULL AND oracle.chance(0.3);
	span := CASE WHEN near_seam THEN 20 ELSE 1 END;
	SELECT array_agg((begins AT TIME ZONE 'UTC')::date ORDER BY CASE WHEN near_seam
		THEN abs(extract(epoch FROM begins - date_trunc('week', begins + interval '3.5 days'))) END)
	INTO changes
	FROM oracle.stretches(place, make_timestamptz(year - span, 1, 1, 0, 0, 0),
						  make_timestamptz(year + span, 1, 1, 0, 0, 0))
	WHERE begins > make_timestamptz(year - span, 1, 1, 0, 0, 0);
	IF beside IS NOT NULL THEN
		changes := coalesce(changes, ARRAY[centre]);
	ELSIF changes IS NULL OR oracle.chance(0.2) THEN
		centre := make_date(year, 1, 1) + oracle.dice(366);
		changes := ARRAY[centre];
	ELSIF near_seam THEN
		centre := changes[1];
	ELSE
		centre := changes[1 + oracle.dice(cardinality(changes))];
	END IF;
	reach := CASE
		WHEN beside IS NOT NULL THEN reach
		WHEN c > 0 AND c % 60 < 2 THEN 15000	-- decades: dear, and few are enough
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
	IF recurs THEN
		first_said := make_date(extract(year FROM centre - reach)::int - 3, 1, 1);
		last_said := make_date(extract(year FROM centre + reach)::int + 3, 12, 31);
	END IF;
	FOR i IN 1 .. CASE oracle.dice(5) WHEN 0 THEN 0
				  WHEN 1 THEN CASE WHEN recurs THEN 15 ELSE 60 END ELSE 6 END LOOP
		dates := '{}';
		selectors := '{}';
		LOOP
			near := least(date '9999-12-31', coalesce(CASE
				WHEN far AND oracle.chance(0.2)
				THEN make_date(1600 + oracle.dice(8400), 1 + oracle.dice(12), 1 + oracle.dice(28))
				WHEN oracle.chance(0.5)
				THEN changes[1 + oracle.dice(cardinality(changes))] + oracle.dice(5) - 2 END,
				centre + oracle.dice(2 * reach - 80) - (reach - 40)));
			IF oracle.chance(0.6) THEN
				selectors := selectors || near::text;
				dates := dates || near;
			ELSE
				named := oracle.random_selector(
					CASE WHEN recurs THEN (ARRAY['range', 'yearly', 'yearly', 'easter'])[1 + oracle.dice(4)]
						 ELSE 'range' END, near, first_said, last_said);
				selectors := selectors || named.selector;
				dates := dates || named.dates;
			END IF;
			EXIT WHEN oracle.chance(0.8);
		END LOOP;
		s := oracle.random_spans();
		IF oracle.chance(0.5) THEN
			s.opens := '{}';
			s.closes := '{}';
		END IF;
		rule := array_to_string(selectors, ',');
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
		(c, place, centre - reach, centre + reach, place || ' ' || array_to_string(rules, '; '),
		 c, recurs OR oracle.has_weekly_hours(c), first_said, last_said);
	INSERT INTO oracle.part VALUES (c, c);
END
$$;

-- Parts parts[1], parts[2] ... joined by operators. They apply from left to
-- right; a right operand that is itself joined needs parentheses, anything may
-- have more.
CREATE FUNCTION oracle.random_join(parts int[], OUT notation text, OUT open tstzmultirange)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	lft		record;
	rgt		record;
	cut		int;
	op		text;
BEGIN
	IF cardinality(parts) = 1 THEN
		SELECT x.notation, x.open INTO STRICT notation, open
		FROM oracle.calendar x WHERE x.id = parts[1];
	ELSE
		cut := 1 + oracle.dice(cardinality(parts) - 1);
		op := (ARRAY['|', '|', '&', '-'])[1 + oracle.dice(4)];
		lft := oracle.random_join(parts[: cut]);
		rgt := oracle.random_join(parts[cut + 1 :]);
		notation := lft.notation || ' ' || op || ' ' || CASE
			WHEN cardinality(parts) - cut > 1 THEN '(' || rgt.notation || ')' ELSE rgt.notation END;
		open := oracle.join_open(lft.open, op, rgt.open);
	END IF;
	IF oracle.chance(0.1) THEN
		notation := '(' || notation || ')';
	END IF;
END
$$;

-- A new calendar, laid out: a part of its own, or several joined. Parts that are
-- joined have negative numbers, and are not asked by themselves.
CREATE FUNCTION oracle.random_calendar(c int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	parts	int[];
	joined	record;
BEGIN
	IF oracle.chance(0.5) THEN
		PERFORM oracle.random_part(c), oracle.lay_out(c);
		RETURN;
	END IF;
	parts := ARRAY(SELECT - (c * 10 + i) FROM generate_series(0, 1 + oracle.dice(3)) i);
	FOR i IN 1 .. cardinality(parts) LOOP
		PERFORM oracle.random_part(parts[i], CASE WHEN i > 1 THEN parts[1] END),
				oracle.lay_out(parts[i]);
	END LOOP;
	joined := oracle.random_join(parts);
	INSERT INTO oracle.calendar
		SELECT c, zone, first_day, last_day, joined.notation, id,
			   (SELECT bool_or(x.endless) FROM oracle.calendar x WHERE x.id = ANY (parts)),
			   '-infinity', 'infinity', joined.open
		FROM oracle.calendar WHERE id = parts[1];
	INSERT INTO oracle.part SELECT c, unnest(parts);
END
$$;
