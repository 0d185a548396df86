-- Random questions, with the oracle's answers or with what must hold whatever
-- the answers are.

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
	other		int,				-- another calendar
	period		tstzrange,
	expected	text				-- the answer as text; NULL is an answer too
);

-- An instant at which something happens: an edge of a window, a clock change,
-- midnight of a special date, all give or take; or any other of the horizon.
-- At least twenty days from its ends.
CREATE FUNCTION oracle.random_instant(cal oracle.calendar) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	since	timestamptz := (cal.first_day + 20)::timestamp AT TIME ZONE 'UTC';
	until	timestamptz := (cal.last_day - 20)::timestamp AT TIME ZONE 'UTC';
	kind	int := oracle.dice(10);
	place	oracle.calendar;	-- one of the parts
	day		date := cal.first_day + 20 + oracle.dice(cal.last_day - cal.first_day - 40);
	t		timestamptz;
BEGIN
	SELECT x.* INTO STRICT place FROM oracle.part p JOIN oracle.calendar x ON x.id = p.part
	WHERE p.calendar = cal.id ORDER BY random() LIMIT 1;
	IF kind <= 3 THEN
		SELECT CASE WHEN oracle.chance(0.5) THEN w.opens ELSE w.closes END INTO t
		FROM oracle.win w
		WHERE w.calendar = place.id
		  AND w.service_day = day
		ORDER BY w.opens LIMIT 1;
	ELSIF kind <= 5 THEN
		SELECT x.at INTO t FROM oracle.clock_change x WHERE x.calendar = place.id
		ORDER BY random() LIMIT 1;
	ELSIF kind <= 6 THEN
		SELECT oracle.first_at_or_after(place.zone, s.day::timestamp) INTO t
		FROM (SELECT x.day FROM oracle.special x WHERE x.calendar = place.id
			  AND x.day BETWEEN cal.first_day AND cal.last_day
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

-- The same period with the bounds that sla.open_windows gives: its ranges are
-- [), to the microsecond.
CREATE FUNCTION oracle.in_microseconds(period tstzrange) RETURNS tstzrange
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN isempty(period) OR lower(period) + since >= upper(period) + until
		THEN 'empty'::tstzrange
		ELSE tstzrange(lower(period) + since, upper(period) + until) END
	FROM (SELECT CASE WHEN lower_inc(period) THEN interval '0' ELSE '1 us' END,
				 CASE WHEN upper_inc(period) THEN interval '1 us' ELSE '0' END) x(since, until)
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
-- 1 hours, 2 and 3 instants, 4 and 5 amounts, 6 a date, 7 a number, 8 pauses,
-- 9 other hours, 10 a period
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
	('law: union',
	 'sla.open_time(%1$s OPERATOR(sla.|) %9$s, %10$s)'
	 ' = sla.open_time(%1$s, %10$s) + sla.open_time(%9$s, %10$s)'
	 ' AND sla.is_open(%1$s OPERATOR(sla.|) %9$s, %2$s)'
	 ' = (sla.open_time(%1$s, %10$s) + sla.open_time(%9$s, %10$s) @> %2$s)'),
	('law: union in text',
	 '(SELECT ab::text::sla.business_hours = ab AND ab::text::sla.business_hours::text = ab::text'
	 ' AND format(''(%%s) | (%%s)'', %1$s, %9$s)::sla.business_hours = ab'
	 ' FROM (SELECT %1$s OPERATOR(sla.|) %9$s) x(ab))'),
	('law: intersection',
	 'sla.open_time(%1$s OPERATOR(sla.&) %9$s, %10$s)'
	 ' = sla.open_time(%1$s, %10$s) * sla.open_time(%9$s, %10$s)'
	 ' AND sla.is_open(%1$s OPERATOR(sla.&) %9$s, %2$s)'
	 ' = (sla.open_time(%1$s, %10$s) * sla.open_time(%9$s, %10$s) @> %2$s)'),
	('law: intersection in text',
	 '(SELECT ab::text::sla.business_hours = ab AND ab::text::sla.business_hours::text = ab::text'
	 ' AND format(''(%%s) & (%%s)'', %1$s, %9$s)::sla.business_hours = ab'
	 ' FROM (SELECT %1$s OPERATOR(sla.&) %9$s) x(ab))'),
	('law: difference',
	 'sla.open_time(%1$s OPERATOR(sla.-) %9$s, %10$s)'
	 ' = sla.open_time(%1$s, %10$s) - sla.open_time(%9$s, %10$s)'
	 ' AND sla.is_open(%1$s OPERATOR(sla.-) %9$s, %2$s)'
	 ' = (sla.open_time(%1$s, %10$s) - sla.open_time(%9$s, %10$s) @> %2$s)'),
	('law: difference in text',
	 '(SELECT ab::text::sla.business_hours = ab AND ab::text::sla.business_hours::text = ab::text'
	 ' AND format(''(%%s) - (%%s)'', %1$s, %9$s)::sla.business_hours = ab'
	 ' FROM (SELECT %1$s OPERATOR(sla.-) %9$s) x(ab))'),
	('law: open time is between',
	 '(SELECT isempty(%10$s) OR coalesce(sum(upper(w) - lower(w)), ''0'')'
	 ' = sla.business_between(lower(%10$s), upper(%10$s), %1$s)'
	 ' FROM sla.open_windows(%1$s, %10$s) w)'),
	('law: open time is where it is open',
	 '(NOT %10$s @> %2$s OR (sla.open_time(%1$s, %10$s) @> %2$s) = sla.is_open(%1$s, %2$s))'),
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
	period	text := format('%L::tstzrange', q.period);
	other	text := (SELECT format('%L::sla.business_hours', notation)
					 FROM oracle.calendar WHERE id = q.other);
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

		WHEN '@>' THEN format('%s OPERATOR(sla.@>) %s', hours, t)
		WHEN 'open_time' THEN format('sla.open_time(%s, %s)', hours, period)
		WHEN 'open_windows' THEN format('(SELECT array_agg(w) FROM sla.open_windows(%s, %s) w)', hours, period)

		-- laws: the answer is true
		ELSE (SELECT format(law, hours, t, u, amount, more, d, q.n, q.pauses,
							other, period)
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
	period	tstzrange;
	part_open	tstzmultirange;
BEGIN
	SELECT * INTO STRICT cal FROM oracle.calendar WHERE id = c;

	INSERT INTO oracle.question (calendar, ask, expected) VALUES (c, 'law: reads back equal', true);

	FOR i IN 1 .. 4 LOOP
		t := oracle.random_instant(cal);
		INSERT INTO oracle.question (calendar, ask, t, expected)
			VALUES (c, 'is_open', t, cal.open @> t),
				   (c, '@>', t, cal.open @> t),
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
						   WHERE s.calendar = cal.lead AND s.day BETWEEN cal.first_day AND cal.last_day
						   ORDER BY random() LIMIT 1), d);
		END IF;
		n := oracle.dice(CASE i WHEN 1 THEN 300 ELSE 8 END);
		IF oracle.chance(0.3) THEN
			n := - n;
		END IF;
		INSERT INTO oracle.question (calendar, ask, d, e, n, expected)
			VALUES (c, 'is_business_day', d, NULL, NULL, oracle.is_business_day(cal.lead, d)),
				   (c, 'business_days_between', d, e, NULL, oracle.business_days_between(cal.lead, d, e));
		INSERT INTO oracle.question (calendar, ask, d, n, expected)
			SELECT c, 'business_days_add', d, n, x
			FROM oracle.nth_business_day(cal.lead, d, n) x WHERE x IS NOT NULL;
		IF n > 0 THEN
			INSERT INTO oracle.question (calendar, ask, d, n, expected)
				VALUES (c, 'law: days undo days', d, n, true);
		END IF;
	END LOOP;

	FOR i IN 1 .. 4 LOOP
		t := oracle.random_instant(cal);
		u := CASE oracle.dice(3)
			WHEN 0 THEN t + make_interval(mins => oracle.dice(3000))
			ELSE t + make_interval(days => oracle.dice(20)) END;
		period := tstzrange(t, u, (ARRAY['[)', '[)', '(]', '[]', '()'])[1 + oracle.dice(5)]);
		part_open := cal.open * tstzmultirange(oracle.in_microseconds(period));
		INSERT INTO oracle.question (calendar, ask, t, period, expected)
			VALUES (c, 'open_time', NULL, period, part_open),
				   (c, 'open_windows', NULL, period, (SELECT array_agg(w) FROM unnest(part_open) w)),
				   (c, 'law: open time is between', NULL, tstzrange(t, u), true),
				   (c, 'law: open time is where it is open', t, period, true);
	END LOOP;

	-- two calendars, whatever they say
	t := oracle.random_instant(cal);
	period := tstzrange(t, t + make_interval(hours => 1 + oracle.dice(1000)));
	INSERT INTO oracle.question (calendar, ask, t, period, other, expected)
		SELECT c, l.name, t, period, other, true
		FROM (SELECT x.id FROM oracle.calendar x WHERE x.id > 0 ORDER BY random() LIMIT 1) y(other),
			 oracle.law l
		WHERE l.name ~ 'union|intersection|difference'
		ORDER BY l.name;

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
