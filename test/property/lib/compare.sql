-- The comparison: put the questions to the engine, twice.

CREATE TABLE oracle.disagreement (
	question	int NOT NULL,
	how			text NOT NULL,
	answer		text
);

CREATE TABLE oracle.hours (
	id			int PRIMARY KEY,
	h			sla.business_hours NOT NULL
);

-- One by one, exactly as the question is printed on failure.
CREATE FUNCTION oracle.ask_one_by_one() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	q		oracle.question;
	answer	text;
BEGIN
	FOR q IN SELECT * FROM oracle.question ORDER BY id LOOP
		BEGIN
			EXECUTE 'SELECT x::text FROM (' || oracle.question_sql(q) || ') s(x)' INTO answer;
		EXCEPTION WHEN OTHERS THEN
			answer := format('ERROR %s: %s', SQLSTATE, SQLERRM);
		END;
		IF answer IS DISTINCT FROM q.expected THEN
			INSERT INTO oracle.disagreement VALUES (q.id, 'alone', answer);
		END IF;
	END LOOP;
END
$$;

-- All of a kind in one query, with the calendar out of a column and the rows
-- in no order: what the engine remembers of one row must not show in another.
CREATE FUNCTION oracle.ask_together() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	kind	text;
	call	text;
BEGIN
	INSERT INTO oracle.hours
		SELECT id, notation::sla.business_hours FROM oracle.calendar WHERE id > 0;
	FOR kind, call IN VALUES
		('is_open', 'sla.is_open(h, t)'),
		('@>', 'h OPERATOR(sla.@>) t'),
		('open_time', 'sla.open_time(h, period)'),
		('open_windows', '(SELECT array_agg(w) FROM sla.open_windows(h, period) w)'),
		('next_open', 'sla.next_open(h, t)'),
		('next_close', 'sla.next_close(h, t)'),
		('prev_open', 'sla.prev_open(h, t)'),
		('prev_close', 'sla.prev_close(h, t)'),
		('business_between', 'sla.business_between(t, u, h)'),
		('business_add', 'sla.business_add(t, amount::sla.business_interval, h)'),
		('business_sub', 'sla.business_sub(t, amount::sla.business_interval, h)'),
		('deadline', 'sla.deadline(t, amount::sla.business_interval, h, pauses)'),
		('is_business_day', 'sla.is_business_day(h, d)'),
		('business_days_add', 'sla.business_days_add(d, n, h)'),
		('business_days_between', 'sla.business_days_between(d, e, h)')
	LOOP
		EXECUTE format($sql$
			INSERT INTO oracle.disagreement
			SELECT id, 'in a query', answer
			FROM (SELECT q.id, q.expected, (%s)::text AS answer
				  FROM (SELECT q.*, x.h
						FROM oracle.question q JOIN oracle.hours x ON x.id = q.calendar
						WHERE q.ask = %L
						ORDER BY hashint4(q.id)) q) a
			WHERE answer IS DISTINCT FROM expected
			  AND NOT EXISTS (SELECT FROM oracle.disagreement x WHERE x.question = a.id)
		$sql$, call, kind);
	END LOOP;
END
$$;

-- Some values, and values made of two of them, to be sent and received
CREATE TABLE oracle.sent (
	id			int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	h			sla.business_hours NOT NULL
);
CREATE TABLE oracle.received (LIKE oracle.sent);

CREATE FUNCTION oracle.remember_to_send() RETURNS void
LANGUAGE sql AS $$
	INSERT INTO oracle.sent (h)
	SELECT CASE a.id % 4
		WHEN 0 THEN a.h
		WHEN 1 THEN a.h OPERATOR(sla.|) b.h
		WHEN 2 THEN a.h OPERATOR(sla.&) b.h
		ELSE a.h OPERATOR(sla.-) b.h END
	FROM oracle.hours a JOIN oracle.hours b ON b.id = a.id + 1
	WHERE (SELECT count(*) FROM oracle.sent) < 1000;
$$;

CREATE FUNCTION oracle.compare_received() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	wrong	text := (SELECT min(coalesce(s.h, r.h)::text)
					 FROM oracle.sent s FULL JOIN oracle.received r USING (id)
					 WHERE (s.h = r.h AND s.h::text = r.h::text
							AND sla.business_hours_send(s.h) = sla.business_hours_send(r.h)) IS NOT TRUE);
BEGIN
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'not received as it was sent: %', wrong;
	END IF;
END
$$;

-- The whole, in batches, so that any number of calendars takes the same room.
-- Stops after the first batch with disagreements, and leaves that for verdict().
CREATE FUNCTION oracle.run(calendars int, OUT comparisons bigint, OUT joined bigint, OUT laws bigint)
LANGUAGE plpgsql AS $$
DECLARE
	batch	int := 100;
BEGIN
	comparisons := 0;
	joined := 0;
	laws := 0;
	FOR since IN 1 .. calendars BY batch LOOP
		TRUNCATE oracle.calendar, oracle.part, oracle.week_span, oracle.special,
			oracle.special_span, oracle.win, oracle.clock_change, oracle.question, oracle.hours;
		PERFORM oracle.random_calendar(c), oracle.random_questions(c)
		FROM generate_series(since, least(since + batch - 1, calendars)) c;
		PERFORM oracle.ask_one_by_one(), oracle.ask_together(), oracle.remember_to_send();
		SELECT comparisons + count(*), laws + count(*) FILTER (WHERE ask LIKE 'law%')
		INTO comparisons, laws FROM oracle.question;
		SELECT joined + count(*) INTO joined FROM oracle.calendar WHERE id > 0 AND lead <> id;
		EXIT WHEN EXISTS (SELECT FROM oracle.disagreement);
	END LOOP;
END
$$;

-- Print the first disagreements of each kind, and fail if there are any.
CREATE FUNCTION oracle.verdict(seed text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	shown	int := 0;
	wrong	int := (SELECT count(*) FROM oracle.disagreement);
	d		record;
BEGIN
	IF wrong > 0 THEN
		RAISE WARNING 'to repeat: %', 'SET timezone TO UTC; SET search_path TO pg_catalog, sla;';
	END IF;
	FOR d IN
		SELECT *
		FROM (SELECT q, x.how, x.answer,
					 row_number() OVER (PARTITION BY q.ask, x.how
										ORDER BY length(c.notation), q.id) AS nth
			  FROM oracle.disagreement x
			  JOIN oracle.question q ON q.id = x.question
			  JOIN oracle.calendar c ON c.id = q.calendar) r
		WHERE nth <= 3
		ORDER BY (q).ask, nth
	LOOP
		RAISE WARNING E'question %, asked %\n%;\n-- engine: %\n-- oracle: %', (d.q).id, d.how,
			oracle.question_sql(d.q), coalesce(d.answer, 'NULL'),
			coalesce((d.q).expected, 'NULL');
	END LOOP;
	IF wrong > 0 THEN
		RAISE EXCEPTION '% disagreements (seed %): %', wrong, seed,
			(SELECT string_agg(format('%s of %s', n, ask), ', ' ORDER BY n DESC)
			 FROM (SELECT q.ask, count(*) AS n FROM oracle.disagreement x
				   JOIN oracle.question q ON q.id = x.question GROUP BY q.ask) y);
	END IF;
END
$$;
