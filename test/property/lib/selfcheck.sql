-- The oracle judges the engine; these cases, small enough to check by hand,
-- judge the oracle. They need no extension. Nothing is left of them.

CREATE FUNCTION oracle.same(what text, got anyelement, expected anyelement) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF got IS DISTINCT FROM expected THEN
		RAISE EXCEPTION 'the oracle is wrong: %: % instead of %', what, got, expected;
	END IF;
END
$$;

-- A calendar with the same span on the ISO weekdays given
CREATE FUNCTION oracle.simple_calendar(c int, place text, since date, until date,
									   weekdays int[], opening interval, closing interval)
RETURNS oracle.calendar LANGUAGE plpgsql AS $$
DECLARE
	cal		oracle.calendar;
BEGIN
	INSERT INTO oracle.week_span SELECT c, w, opening, closing FROM unnest(weekdays) w;
	INSERT INTO oracle.calendar VALUES (c, place, since, until, '', c, cardinality(weekdays) > 0);
	PERFORM oracle.lay_out(c);
	SELECT * INTO cal FROM oracle.calendar WHERE id = c;
	RETURN cal;
END
$$;

CREATE FUNCTION oracle.selfcheck() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	every	int[] := ARRAY[1, 2, 3, 4, 5, 6, 7];
	office	oracle.calendar;
	night	oracle.calendar;
	cal		oracle.calendar;
BEGIN
	-- Amsterdam, office hours over the spring change of 2026 (March 29)
	office := oracle.simple_calendar(-1, 'Europe/Amsterdam', '2026-01-01', '2026-12-31',
									 ARRAY[1, 2, 3, 4, 5], '09:00', '17:00');
	PERFORM oracle.same('a week', oracle.worked(office.open, '2026-03-27 12:00+01', '2026-04-03 12:00+02'),
						interval '40 hours');
	PERFORM oracle.same('reversed', oracle.worked(office.open, '2026-03-30 12:00+02', '2026-03-27 12:00+01'),
						interval '-8 hours');
	PERFORM oracle.same('over the weekend', oracle.forward(office.open, '2026-03-27 16:00+01', '2 hours'),
						timestamptz '2026-03-30 10:00+02');
	PERFORM oracle.same('lands on closing', oracle.forward(office.open, '2026-03-27 16:00+01', '1 hour'),
						timestamptz '2026-03-27 17:00+01');
	PERFORM oracle.same('back lands on opening', oracle.backward(office.open, '2026-03-30 10:00+02', '1 hour'),
						timestamptz '2026-03-30 09:00+02');
	PERFORM oracle.same('back over the weekend', oracle.backward(office.open, '2026-03-30 10:00+02', '2 hours'),
						timestamptz '2026-03-27 16:00+01');
	PERFORM oracle.same('zero', oracle.forward(office.open, '2026-03-28 03:00+01', '0'),
						timestamptz '2026-03-28 03:00+01');
	PERFORM oracle.same('next opening at an opening', oracle.edge(office, 'next_open', '2026-03-27 09:00+01'),
						timestamptz '2026-03-30 09:00+02');
	PERFORM oracle.same('two days from Friday', oracle.add(office, '2026-03-27 16:30+01', 2, '0'),
						timestamptz '2026-03-31 16:30+02');
	PERFORM oracle.same('a day from Saturday', oracle.add(office, '2026-03-28 12:00+01', 1, '0'),
						timestamptz '2026-03-31 09:00+02');
	PERFORM oracle.same('a day from closing', oracle.add(office, '2026-03-27 17:00+01', 1, '0'),
						timestamptz '2026-03-31 09:00+02');
	PERFORM oracle.same('a day back from closing', oracle.add(office, '2026-03-27 17:00+01', -1, '0'),
						timestamptz '2026-03-26 17:00+01');
	PERFORM oracle.same('a day back from opening', oracle.add(office, '2026-03-27 09:00+01', -1, '0'),
						timestamptz '2026-03-25 17:00+01');
	PERFORM oracle.same('days, then time', oracle.add(office, '2026-03-26 16:00+01', 1, '2 hours'),
						timestamptz '2026-03-30 10:00+02');
	PERFORM oracle.same('paused over lunch', oracle.deadline(office, '2026-03-26 10:00+01', 0, '4 hours',
							'{["2026-03-26 12:00+01","2026-03-26 13:00+01")}'),
						timestamptz '2026-03-26 15:00+01');
	PERFORM oracle.same('paused at night', oracle.deadline(office, '2026-03-26 16:00+01', 1, '0',
							'{["2026-03-26 18:00+01","2026-03-27 08:00+01")}'),
						timestamptz '2026-03-27 16:00+01');
	PERFORM oracle.same('paused on a day of the goal', oracle.deadline(office, '2026-03-26 10:00+01', 1, '0',
							'{["2026-03-26 12:00+01","2026-03-26 14:00+01")}'),
						timestamptz '2026-03-27 12:00+01');
	PERFORM oracle.same('business days', oracle.business_days_between(-1, '2026-03-27', '2026-04-03'), 5);
	PERFORM oracle.same('a business day later', oracle.nth_business_day(-1, '2026-03-27', 1), date '2026-03-30');
	PERFORM oracle.same('a business day earlier', oracle.nth_business_day(-1, '2026-03-28', -1), date '2026-03-27');

	-- overnight: Friday's window ends on Saturday and belongs to Friday
	night := oracle.simple_calendar(-2, 'America/New_York', '2026-01-01', '2026-12-31',
									ARRAY[1, 2, 3, 4, 5], '22:00', '30:00');
	PERFORM oracle.same('tail', night.open @> timestamptz '2026-06-13 02:00-04', true);
	PERFORM oracle.same('no tail of Sunday', night.open @> timestamptz '2026-06-15 02:00-04', false);
	PERFORM oracle.same('a day from the tail', oracle.add(night, '2026-06-13 02:00-04', 1, '0'),
						timestamptz '2026-06-16 02:00-04');

	-- 02:30 does not exist on March 29; 02:30 exists twice on October 25
	cal := oracle.simple_calendar(-3, 'Europe/Amsterdam', '2026-01-01', '2026-12-31', every, '02:30', '03:30');
	PERFORM oracle.same('opens in the gap', oracle.edge(cal, 'next_open', '2026-03-29 00:00+01'),
						timestamptz '2026-03-29 03:00+02');
	PERFORM oracle.same('what the gap leaves', oracle.worked(cal.open, '2026-03-29 00:00+01', '2026-03-30 00:00+02'),
						interval '30 minutes');
	PERFORM oracle.same('opens in the overlap', oracle.worked(cal.open, '2026-10-25 00:00+02', '2026-10-26 00:00+01'),
						interval '2 hours');
	cal := oracle.simple_calendar(-4, 'Europe/Amsterdam', '2026-01-01', '2026-12-31', every, '02:10', '02:40');
	PERFORM oracle.same('lost in the gap', oracle.worked(cal.open, '2026-03-29 00:00+01', '2026-03-30 00:00+02'),
						interval '0');
	PERFORM oracle.same('hull of the overlap', oracle.worked(cal.open, '2026-10-25 00:00+02', '2026-10-26 00:00+01'),
						interval '90 minutes');

	-- half an hour is skipped at 02:00 on Lord Howe Island, midnight in Cairo,
	-- a whole date in Samoa
	cal := oracle.simple_calendar(-5, 'Australia/Lord_Howe', '2024-09-01', '2024-11-30', every, '02:15', '03:00');
	PERFORM oracle.same('half an hour', oracle.worked(cal.open, '2024-10-06 00:00+1030', '2024-10-07 00:00+11'),
						interval '30 minutes');
	cal := oracle.simple_calendar(-6, 'Africa/Cairo', '2024-04-01', '2024-05-31', every, '00:00', '24:00');
	PERFORM oracle.same('a day of 23 hours', (SELECT w.closes - w.opens FROM oracle.win w
							WHERE w.calendar = -6 AND w.service_day = '2024-04-26'),
						interval '23 hours');
	cal := oracle.simple_calendar(-7, 'Pacific/Apia', '2011-12-01', '2012-01-31', every, '18:00', '30:00');
	PERFORM oracle.same('into the date that was not', (SELECT w.closes FROM oracle.win w
							WHERE w.calendar = -7 AND w.service_day = '2011-12-29'),
						timestamptz '2011-12-31 00:00+14');
	PERFORM oracle.same('out of the date that was not', (SELECT w.closes - w.opens FROM oracle.win w
							WHERE w.calendar = -7 AND w.service_day = '2011-12-30'),
						interval '6 hours');

	-- never and always
	cal := oracle.simple_calendar(-8, 'UTC', '2026-01-01', '2026-12-31', '{}', '09:00', '17:00');
	PERFORM oracle.same('never', oracle.add(cal, '2026-06-01', 0, '1 us'), timestamptz 'infinity');
	PERFORM oracle.same('never a business day', oracle.nth_business_day(-8, '2026-06-01', 1), date 'infinity');
	cal := oracle.simple_calendar(-9, 'UTC', '2026-01-01', '2026-12-31', every, '00:00', '24:00');
	PERFORM oracle.same('never closes', oracle.edge(cal, 'next_close', '2026-06-01'), timestamptz 'infinity');
	PERFORM oracle.same('cannot know', oracle.add(cal, '2026-06-01', 0, '10000 hours'), NULL::timestamptz);

	-- Easter as almanacs print it, and at its earliest and latest
	PERFORM oracle.same('Easter ' || d, oracle.easter(extract(year FROM d)::int), d)
	FROM unnest(ARRAY['1583-04-10', '1818-03-22', '1943-04-25', '1954-04-18', '1981-04-19',
					  '2000-04-23', '2019-04-21', '2024-03-31', '2025-04-20', '2026-04-05',
					  '2038-04-25', '2049-04-18', '2076-04-19', '2285-03-22']::date[]) d;
	PERFORM oracle.same('Good Fridays', oracle.easters('2024-04-01', '2026-12-31', -2),
						ARRAY['2025-04-18', '2026-04-03']::date[]);
	PERFORM oracle.same('leap days', oracle.yearly('2023-01-01', '2028-12-31', 229, 229),
						ARRAY['2024-02-29', '2028-02-29']::date[]);
	PERFORM oracle.same('around New Year''s', oracle.yearly('2026-01-01', '2026-12-31', 1231, 101),
						ARRAY['2026-01-01', '2026-12-31']::date[]);

	-- days ahead do not lead back: Friday closes at one in the night
	INSERT INTO oracle.week_span VALUES (-10, 4, '09:00', '17:00');
	cal := oracle.simple_calendar(-10, 'UTC', '2026-01-01', '2026-12-31', ARRAY[5], '00:00', '01:00');
	PERFORM oracle.same('a later day', oracle.add(cal, '2026-06-11 16:00', 1, '0'),
						timestamptz '2026-06-12 01:00');

	DELETE FROM oracle.win WHERE calendar < 0;
	DELETE FROM oracle.clock_change WHERE calendar < 0;
	DELETE FROM oracle.week_span WHERE calendar < 0;
	DELETE FROM oracle.calendar WHERE id < 0;
END
$$;

SELECT oracle.selfcheck() \g /dev/null
