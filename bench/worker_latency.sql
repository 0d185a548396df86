-- What bench/worker reports of latency. psql variables: clocks, waiting.

\pset footer off
\qecho
\qecho :clocks clocks falling due, :waiting waiting
SELECT what, to_char(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), '9990.0') AS "p50, ms",
	to_char(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms), '9990.0') AS "p99, ms",
	to_char(max(ms), '9990.0') AS "max, ms", count(*) AS alerts, goal
FROM latency
	CROSS JOIN LATERAL (VALUES
		(1, 'due to alert committed', committed, 'p50 < 20, p99 < 100'),
		(2, 'due to notification heard', heard, 'p50 < 20, p99 < 100')) w (n, what, ms, goal)
WHERE ms IS NOT NULL
GROUP BY n, what, goal
ORDER BY n;
