-- What the benchmarks share: running statements in turn, several rounds of
-- them, and taking medians.
--
-- A probe is a statement; what it costs for each of its n rows is kept for
-- every round. Costs are medians of differences within a round, so that a
-- machine that gets slower or faster on the way disturbs them little.

SET jit = off;
SET max_parallel_workers_per_gather = 0;
SELECT setseed(0.42) \g /dev/null

CREATE TABLE probe (
	id		int GENERATED ALWAYS AS IDENTITY,
	name	text PRIMARY KEY,
	n		bigint NOT NULL,	-- rows it works on
	sql		text NOT NULL,
	setup	text				-- run before it each time, not measured
);

CREATE TABLE sample (
	name	text NOT NULL,
	round	int NOT NULL,
	ns		float8 NOT NULL		-- per row
);

-- Statements are prepared, so that planning them counts in no round but the
-- first, which is not kept.
CREATE PROCEDURE run_probes(rounds int) LANGUAGE plpgsql AS $$
DECLARE
	p probe;
	began timestamptz;
BEGIN
	FOR p IN SELECT * FROM probe ORDER BY id LOOP
		EXECUTE format('PREPARE %I AS %s', p.name, p.sql);
	END LOOP;
	FOR round IN 0 .. rounds LOOP
		FOR p IN SELECT * FROM probe ORDER BY id LOOP
			IF p.setup IS NOT NULL THEN
				EXECUTE p.setup;
			END IF;
			COMMIT;
			began := clock_timestamp();
			EXECUTE format('EXECUTE %I', p.name);
			COMMIT;
			CONTINUE WHEN round = 0;
			INSERT INTO sample VALUES (p.name, round,
				extract(epoch FROM clock_timestamp() - began) * 1e9 / p.n);
		END LOOP;
	END LOOP;
END
$$;

-- Median cost of a row of a probe, less that of another one if named, in ns
CREATE FUNCTION cost(probe text, less text DEFAULT NULL) RETURNS float8
LANGUAGE sql STABLE AS $$
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY p.ns - coalesce(l.ns, 0))
	FROM sample p
		LEFT JOIN sample l ON l.name = cost.less AND l.round = p.round
	WHERE p.name = cost.probe
$$;
