-- What the log says by itself, for bench/replay_incidents.sql: reads neither
-- the ledger nor the stamped columns.

-- What happened, by what the rows said last; at one instant, in the order in
-- which rows came to say so.
CREATE TABLE fact AS
WITH change AS (
	SELECT *,
		lag(done) OVER w AS was_done,
		lag(waits) OVER w AS was_waiting,
		lag(priority) OVER w AS was_priority,
		-- an incident is resolved over consecutive rows
		count(*) FILTER (WHERE NOT done) OVER w AS run
	FROM image
	WINDOW w AS (PARTITION BY number ORDER BY step)
), since AS (
	SELECT *, coalesce(max(updated_at) FILTER (WHERE NOT done AND was_done) OVER (PARTITION BY number ORDER BY step), '-infinity') AS open_since
	FROM change
), resolution AS (
	-- the last word on when that was, unless that is from before it was reopened;
	-- if there is none, the first row that says so
	SELECT number, min(step) AS step,
		coalesce((array_agg(resolved_at ORDER BY step DESC) FILTER (WHERE resolved_at >= open_since))[1], min(updated_at)) AS at
	FROM since WHERE done GROUP BY number, run
), happened AS (
	SELECT number, step, 1 AS rank, 'opened' AS kind, opened_at AS at, priority
	FROM change WHERE first
	UNION ALL
	SELECT number, step, 2, 'priority', updated_at, priority
	FROM change WHERE priority <> was_priority
	UNION ALL
	SELECT number, min(step), 5, 'responded', responded_at, NULL
	FROM change WHERE responded_at IS NOT NULL GROUP BY number, responded_at
	UNION ALL
	SELECT number, min(step), 6, 'news', news_at, NULL
	FROM change WHERE news_at IS NOT NULL GROUP BY number, news_at
	UNION ALL
	SELECT number, min(step), 3, 'caller', caller_at, NULL
	FROM change WHERE caller_at IS NOT NULL GROUP BY number, caller_at
	UNION ALL
	SELECT number, step, CASE WHEN waits THEN 8 ELSE 4 END, CASE WHEN waits THEN 'paused' ELSE 'resumed' END,
		updated_at, NULL
	FROM change WHERE waits <> coalesce(was_waiting, false)
	UNION ALL
	SELECT number, step, 7, 'resolved', at, NULL FROM resolution
	UNION ALL
	SELECT number, step, 7, 'reopened', updated_at, NULL
	FROM change WHERE NOT done AND was_done
)
SELECT number, kind, priority, greatest(at, opened) AS at,
	row_number() OVER (PARTITION BY number
		ORDER BY kind <> 'opened', at, step, rank, kind) AS nth
FROM happened
	JOIN (SELECT number, min(opened_at) AS opened FROM log GROUP BY number) o USING (number);
ALTER TABLE fact ADD PRIMARY KEY (number, nth);

-- With the time the incident waited until then; a wait that lasts has no end.
ALTER TABLE fact ADD COLUMN waited tstzmultirange NOT NULL DEFAULT '{}';
UPDATE fact f SET waited = w.ranges
FROM (
	SELECT f.number, f.nth, range_agg(tstzrange(p.at, CASE WHEN p.resumed <= f.nth THEN p.until END)) AS ranges
	FROM fact f
		JOIN (SELECT number, nth, kind, at, lead(at) OVER w AS until, lead(nth) OVER w AS resumed
			  FROM fact WHERE kind IN ('paused', 'resumed')
			  WINDOW w AS (PARTITION BY number ORDER BY nth)) p
			ON p.number = f.number AND p.kind = 'paused' AND p.nth <= f.nth
	GROUP BY f.number, f.nth) w
WHERE (w.number, w.nth) = (f.number, f.nth);

-- Not before the change of priority that gave the clock its goal, nor before the
-- end of what stood still around that.
CREATE FUNCTION due(metric text, priority text, started timestamptz, changed timestamptz, still tstzmultirange)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT greatest(
		sla.deadline(started, p.goal, c.hours, still),
		coalesce((SELECT coalesce(upper(r), 'infinity') FROM unnest(still) r WHERE r @> changed), changed))
	FROM promise p JOIN calendar c ON c.name = p.calendar
	WHERE p.metric = $1 AND p.priority = $2
$$;

-- One step for each fact: priority is the incident's, aimed the one that the
-- due time is for; replied, told and resolved say what stands; kept: the caller
-- was heard while the incident was resolved.
CREATE TABLE course AS
WITH RECURSIVE clock AS (
	SELECT reopening, number, metric, nth, priority, false AS replied, false AS told, false AS resolved, false AS kept,
		CASE WHEN opens.it THEN 1 ELSE 0 END AS cycle,
		CASE WHEN opens.it THEN at END AS started,
		priority AS aimed, NULL::timestamptz AS changed,
		'{}'::tstzmultirange AS gaps,
		NULL::timestamptz AS stopped, NULL::text AS stopped_by,
		CASE WHEN opens.it THEN due(metric, priority, at, NULL, '{}') END AS due
	FROM rule
		CROSS JOIN fact
		CROSS JOIN (VALUES ('response'), ('reply'), ('update'), ('resolution')) m (metric)
		CROSS JOIN LATERAL (SELECT metric IN ('response', 'resolution')) opens (it)
	WHERE nth = 1
	UNION ALL
	SELECT c.reopening, c.number, c.metric, f.nth, said.priority, said.replied, said.told, said.resolved,
		said.resolved AND (c.kept OR said.starts),
		c.cycle + begins.anew::int,
		CASE WHEN begins.anew THEN f.at ELSE c.started END,
		CASE WHEN begins.anew OR aim.anew THEN said.priority ELSE c.aimed END,
		CASE WHEN aim.anew THEN f.at WHEN NOT begins.anew THEN c.changed END,
		CASE WHEN begins.anew THEN '{}' ELSE stood.gaps END,
		CASE WHEN stops.now THEN f.at WHEN NOT goes.on AND NOT begins.anew THEN c.stopped END,
		CASE WHEN stops.now THEN f.kind WHEN NOT goes.on AND NOT begins.anew THEN c.stopped_by END,
		CASE
			WHEN begins.anew THEN due(c.metric, said.priority, f.at, NULL, f.waited)
			WHEN c.stopped IS NOT NULL AND NOT goes.on THEN c.due
			WHEN aim.anew THEN due(c.metric, said.priority, c.started, f.at, stood.gaps + f.waited)
			ELSE stood.due END
	FROM clock c
		JOIN fact f ON f.number = c.number AND f.nth = c.nth + 1
		CROSS JOIN LATERAL (
			SELECT coalesce(f.priority, c.priority) AS priority,
				f.kind = 'responded' OR c.replied AND f.kind <> 'caller' AS replied,
				f.kind = 'news' OR c.told AND f.kind <> 'caller' AS told,
				f.kind = 'resolved' OR c.resolved AND f.kind <> 'reopened' AS resolved,
				c.cycle > 0 AND c.stopped IS NULL AS runs,
				(c.metric, f.kind) IN (('reply', 'caller'), ('update', 'responded')) AS starts
		) said
		CROSS JOIN LATERAL (
			SELECT said.resolved
				OR said.replied AND c.metric IN ('response', 'reply')
				OR said.told AND c.metric = 'reply' AS it
		) reached
		CROSS JOIN LATERAL (
			SELECT f.kind = 'reopened' AND c.stopped_by IS NOT DISTINCT FROM 'resolved' AND c.reopening = 'continue' AS on
		) goes
		CROSS JOIN LATERAL (
			SELECT f.kind = 'reopened' AND c.stopped_by IS NOT DISTINCT FROM 'resolved' AND c.reopening = 'restart'
				OR NOT reached.it AND NOT said.runs AND NOT goes.on AND (said.starts OR f.kind = 'reopened' AND c.kept)
				OR c.metric = 'update' AND f.kind IN ('responded', 'news') AND said.runs AND f.at > c.started AS anew
		) begins
		CROSS JOIN LATERAL (
			SELECT reached.it AND (said.runs OR goes.on OR begins.anew) AS now
		) stops
		CROSS JOIN LATERAL (
			SELECT gaps, due(c.metric, c.aimed, c.started, c.changed, gaps + f.waited) AS due
			FROM (SELECT CASE WHEN goes.on
				THEN c.gaps + tstzmultirange(tstzrange(c.stopped, f.at)) ELSE c.gaps END) g (gaps)
		) stood
		CROSS JOIN LATERAL (
			SELECT said.priority <> c.aimed AND (said.runs OR goes.on) AND NOT stops.now
				AND f.at <= stood.due AS anew
		) aim
)
SELECT clock.*, f.waited FROM clock JOIN fact f USING (number, nth) WHERE cycle > 0;

-- What became of each cycle. One that another took the place of while it ran
-- stopped there.
CREATE TABLE answer AS
SELECT a.reopening, a.number, a.metric, a.cycle, p.severity, p.goal, h.hours, a.started, a.due, a.stopped,
	coalesce(a.stopped, now()) > a.due AS breached,
	still.it AS still,
	sla.business_between(a.started, a.stopped, h.hours) - coalesce(
		(SELECT sum(sla.business_between(lower(r), upper(r), h.hours))
		 FROM unnest(still.it * tstzmultirange(tstzrange(a.started, a.stopped))) r), '0') AS worked
FROM (
	SELECT reopening, number, metric, cycle, aimed, started, due, gaps, waited,
		coalesce(stopped, lead(started) OVER (PARTITION BY reopening, number, metric ORDER BY cycle)) AS stopped
	FROM (SELECT DISTINCT ON (reopening, number, metric, cycle) *
		FROM course ORDER BY reopening, number, metric, cycle, nth DESC) c) a
	JOIN promise p ON p.metric = a.metric AND p.priority = a.aimed
	JOIN calendar h ON h.name = p.calendar
	CROSS JOIN LATERAL (SELECT a.gaps + a.waited) still (it);

-- The verdict once more from working time alone, where nothing else decides:
-- goals in hours, one priority throughout, stopped. Who used exactly the goal may
-- have stopped at the due time or after hours.
CREATE TABLE verdict AS
SELECT number, metric, breached, CASE WHEN breached THEN worked < span ELSE worked > span END AS contradicted
FROM answer
	CROSS JOIN LATERAL (SELECT CASE WHEN goal::text !~ 'bd' THEN goal::interval END) g (span)
WHERE span IS NOT NULL AND stopped IS NOT NULL
	AND NOT EXISTS (SELECT FROM fact f WHERE f.number = answer.number AND f.kind = 'priority');
