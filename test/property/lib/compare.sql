-- The comparison: put the questions to the engine, twice.

CREATE TABLE oracle.disagreement (
	question	int NOT NULL,
	how			text NOT NULL,
	answer		text
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
	CREATE TABLE oracle.hours AS
		SELECT id, notation::sla.business_hours AS h FROM oracle.calendar;
	FOR kind, call IN VALUES
		('is_open', 'sla.is_open(h, t)'),
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
