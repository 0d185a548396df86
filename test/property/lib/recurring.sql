-- Dates that recur, written down year by year between two dates.

-- From one day of the year to another, both inclusive, around New Year's if the
-- second is earlier. A date that a year does not have is none.
CREATE FUNCTION oracle.yearly(first_day date, last_day date, since int, until int)
RETURNS date[] LANGUAGE sql STABLE AS $$
	SELECT array_agg(d::date)
	FROM generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') d,
		 LATERAL (SELECT (extract(month FROM d) * 100 + extract(day FROM d))::int) x(day)
	WHERE CASE WHEN since <= until THEN day BETWEEN since AND until
			   ELSE day >= since OR day <= until END
$$;

-- The Sunday after the ecclesiastical full moon that golden number and epact
-- give, which is the definition of Easter (the engine uses a formula that knows
-- no moon).
CREATE FUNCTION oracle.easter(year int) RETURNS date
LANGUAGE sql STABLE AS $$
	SELECT moon + 7 - extract(isodow FROM moon)::int % 7
	FROM (SELECT make_date(year, 3, 1) - 1 + CASE WHEN epact > 23 THEN 74 ELSE 44 END - epact
		  FROM (SELECT CASE WHEN raw = 24 OR raw = 25 AND golden > 11 THEN raw + 1 ELSE raw END
				FROM (SELECT golden, (11 * golden + 20 + (8 * century + 5) / 25 - 5
									  - (3 * century / 4 - 12) + 300) % 30
					  FROM (SELECT year % 19 + 1, year / 100 + 1) a(golden, century)) b(golden, raw)
			   ) c(epact)) d(moon)
$$;

CREATE FUNCTION oracle.easters(first_day date, last_day date, distance int) RETURNS date[]
LANGUAGE sql STABLE AS $$
	SELECT array_agg(oracle.easter(y) + distance)
	FROM generate_series(greatest(1583, extract(year FROM first_day)::int - 1),
						 least(9999, extract(year FROM last_day)::int + 1)) y
	WHERE oracle.easter(y) + distance BETWEEN first_day AND last_day
$$;
