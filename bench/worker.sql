-- What bench/worker is made of: clocks of several kinds, and what is measured
-- of them.

SET client_min_messages = warning;

-- When a notification was heard, by the listener's clock
CREATE TABLE heard (
	alert_id	bigint NOT NULL,
	at_us		bigint NOT NULL
);

-- A measurement of clocks that are due
CREATE TABLE bulk (
	what		text NOT NULL,
	began		timestamptz NOT NULL,
	ended		timestamptz NOT NULL,
	processor	float8 NOT NULL,	-- s
	memory_kb	int[]
);

CREATE FUNCTION insert_clocks(n int, started_at text, due_at text) RETURNS text
LANGUAGE sql AS $$
	SELECT format('INSERT INTO sla.clock (ticket_id, metric, cycle, aim, severity, goal,
			hours_id, started_at, due_at, paused, next_alert_at)
		SELECT nextval(''sla.ticket_id_seq''), ''resolution'', 1, 1, ''S2'', ''1h'', 1, %s, d, ''0'', d
		FROM (SELECT %s AS d FROM generate_series(1, %s) g) s', started_at, due_at, n)
$$;

-- Clocks that fall due in the next seconds, evenly, the first in a moment
CREATE FUNCTION fall_due(n int, seconds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	first timestamptz := now() + interval '3 s';
BEGIN
	EXECUTE insert_clocks(n, 'd - interval ''1 h''',
		format('timestamptz %L + g * interval ''%s us''', first, seconds * 1000000::bigint / n));
	PERFORM sla.wake_worker(first);
END
$$;

-- Milliseconds from due to the alert's commit and to the notification
CREATE VIEW latency AS
SELECT a.id,
	1000 * extract(epoch FROM pg_xact_commit_timestamp(a.xmin) - a.due_at)::float8 AS committed,
	(h.at_us - 1000000 * extract(epoch FROM a.due_at)::float8) / 1000 AS heard
FROM sla.alert a
	LEFT JOIN heard h ON h.alert_id = a.id;

-- Clocks that wait, in the year to come
CREATE PROCEDURE wait(n int) LANGUAGE plpgsql AS $$
DECLARE
	first timestamptz := now() + interval '1 day';
	million int := 0;
BEGIN
	WHILE million * 1000000 < n LOOP
		EXECUTE insert_clocks(least(1000000, n - 1000000 * million), 'd - interval ''1 h''', format(
			'timestamptz %L + interval ''365 days'' * ((%s + g)::float8 / %s) + random() * interval ''8 h''',
			first, million * 1000000, n));
		COMMIT;
		million := million + 1;
	END LOOP;
END
$$;

-- Clocks of tickets that came in one after the other for ten days, promised one
-- of four goals, and all overdue by now; the same in an order that has nothing
-- to do with that of the table; and tables like those of the ledger, for the
-- plain statements
CREATE PROCEDURE overdue(n int) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE sla.clock, sla.alert;
	EXECUTE insert_clocks(n, 'd - interval ''1 h''', format(
		'now() - interval ''12 days'' + g * interval ''10 days'' / %s'
		' + (ARRAY[1, 4, 8, 24])[1 + floor(random() * 4)::int] * interval ''1 h''', n));
	CREATE TABLE in_order AS SELECT * FROM sla.clock ORDER BY id;
	CREATE TABLE shuffled AS SELECT * FROM in_order ORDER BY id;
	UPDATE shuffled SET due_at = now() - random() * interval '1 h';
	UPDATE shuffled SET next_alert_at = due_at;
	CREATE TABLE hand_clock (LIKE sla.clock INCLUDING ALL);
	CREATE TABLE hand_alert (LIKE sla.alert INCLUDING ALL);
	TRUNCATE sla.clock;
END
$$;

-- Processor time that a process has had, in s
CREATE FUNCTION processor(pid int) RETURNS float8 LANGUAGE sql AS $$
	SELECT (f[12]::int + f[13]::int) / 100.0
	FROM string_to_array(regexp_replace(pg_read_file(format('/proc/%s/stat', pid), 0, 10000, true), '^.*\) ', ''), ' ') f
$$;

CREATE PROCEDURE set_up(clock regclass, alert regclass, source text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('TRUNCATE %s', clock);
	EXECUTE format('TRUNCATE %s RESTART IDENTITY', alert);
	EXECUTE format('INSERT INTO %s SELECT * FROM %I ORDER BY id', clock, source);
END
$$;

CREATE PROCEDURE by_hand() LANGUAGE plpgsql AS $$
DECLARE
	before float8 := processor(pg_backend_pid());
	began timestamptz := clock_timestamp();
BEGIN
	INSERT INTO hand_alert (clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
	SELECT id, ticket_id, aim, '1', 'breach', due_at, now()
	FROM hand_clock WHERE next_alert_at < now() ORDER BY next_alert_at, id;
	UPDATE hand_clock SET next_alert_at = NULL WHERE next_alert_at < now();
	COMMIT;
	INSERT INTO bulk VALUES ('by hand', began, clock_timestamp(), processor(pg_backend_pid()) - before);
END
$$;

CREATE PROCEDURE by_function() LANGUAGE plpgsql AS $$
DECLARE
	before float8 := processor(pg_backend_pid());
	began timestamptz := clock_timestamp();
BEGIN
	PERFORM sla.flag_due(now());
	COMMIT;
	INSERT INTO bulk VALUES ('flag_due', began, clock_timestamp(), processor(pg_backend_pid()) - before);
END
$$;

-- Private memory of a process, kB
CREATE FUNCTION memory(pid int) RETURNS int LANGUAGE sql AS $$
	SELECT substring(pg_read_file(format('/proc/%s/status', pid), 0, 10000, true) FROM 'RssAnon:\s*(\d+) kB')::int
$$;

-- Wake the worker and see how far it is: the sequence tells that without a
-- query of the table, and each look in a transaction of its own, so that no
-- snapshot is held. Memory: at the beginning, half way, and at the end.
CREATE PROCEDURE by_worker(what text, n int) LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := clock_timestamp();
	worker int;
	flagged bigint := 0;
	used float8;
	memory int[] := '{}';
BEGIN
	PERFORM sla.wake_worker();
	COMMIT;
	WHILE flagged < n LOOP
		PERFORM pg_sleep(0.02);
		IF worker IS NULL THEN
			SELECT pid INTO worker FROM pg_stat_activity
			WHERE backend_type = 'slapolicy worker' AND datname = current_database();
		END IF;
		used := coalesce(processor(worker), used);
		SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO flagged FROM sla.alert_id_seq;
		IF flagged >= n * (0.05 + 0.45 * cardinality(memory)) THEN
			memory := memory || memory(worker);
		END IF;
		COMMIT;
		IF clock_timestamp() > began + interval '10 min' THEN
			RAISE 'the worker flagged only % clocks', flagged;
		END IF;
	END LOOP;
	INSERT INTO bulk VALUES (what, began, clock_timestamp(), used, memory);
END
$$;

-- Medians, of elapsed and of processor time
CREATE FUNCTION seconds(probe text) RETURNS float8 LANGUAGE sql AS $$
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended - began)::float8)
	FROM bulk WHERE what = probe
$$;
CREATE FUNCTION processor_seconds(probe text) RETURNS float8 LANGUAGE sql AS $$
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY processor) FROM bulk WHERE what = probe
$$;

-- Other sessions insert into this one
SELECT sla.load_policy('{"policy": "bench", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "8h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "80h", "calendar": "always"}]}') \g /dev/null
CREATE TABLE ticket (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, severity text, received_at timestamptz);
SELECT sla.attach('ticket', 'bench', severity => 'severity', received_at => 'received_at') \g /dev/null

-- As pgbench logs it
CREATE TABLE insert_log (
	client	int,
	n		int,
	us		bigint,
	script	int,
	at_s	bigint,
	at_us	bigint
);

-- Mean microseconds of an insert while something ran
CREATE FUNCTION insert_us(probe text) RETURNS float8 LANGUAGE sql AS $$
	SELECT avg(us)::float8
	FROM bulk
		JOIN insert_log ON to_timestamp(at_s + at_us / 1e6) BETWEEN began AND ended
	WHERE what = probe
$$;
