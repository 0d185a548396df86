-- The figures of bench/tickets. psql variable: rounds.

-- A sample is a block of a thousand transactions, without the first, which
-- fills caches: the mean of the middle half of what a script's transactions
-- took, for single ones are logged in whole microseconds.
INSERT INTO sample (name, round, ns)
SELECT name, block, 1000 * avg(us)
FROM (
	SELECT *, ntile(4) OVER (PARTITION BY name, block ORDER BY us) AS quarter
	FROM (
		SELECT (ARRAY['insert', 'update'])[1 + script % 2] || ' '
			|| (ARRAY['detached', 'stamped', 'unstamped'])[1 + script / 2]
			|| ' ' || synchronous_commit AS name, n / 1000 AS block, us
		FROM latency) named
	WHERE block > 0) quarters
WHERE quarter IN (2, 3)
GROUP BY name, block;

SELECT count(DISTINCT block) AS blocks FROM (SELECT n / 1000 AS block FROM latency) b WHERE block > 0 \gset
\pset footer off
\qecho Medians of :rounds rounds, single rows of :blocks blocks; us for each row.
SELECT what, to_char(ours / 1000, '99990.0') AS us,
	against, to_char(theirs / 1000, '99990.0') AS "their us",
	to_char(ours / theirs, '990.00') AS ratio, goal
FROM (VALUES
	('bulk INSERT, stamped and recorded', cost('bulk insert stamped'), 'same rows by hand',
		cost('hand row') + cost('hand ticket') + cost('hand event') + cost('hand clock'), '<= 1.4'),
	('bulk INSERT, stamped and recorded', cost('bulk insert stamped'), 'detached', cost('bulk insert detached'), ''),
	('bulk INSERT, stamp => false', cost('bulk insert unstamped'), 'detached', cost('bulk insert detached'), ''),
	('bulk UPDATE, unmapped column, stamped', cost('bulk update stamped'), 'detached', cost('bulk update detached'), '<= 1.6'),
	('bulk UPDATE, unmapped column, stamp => false', cost('bulk update unstamped'), 'detached', cost('bulk update detached'), '<= 1.4'),
	('INSERT, synchronous_commit on', cost('insert stamped on'), 'detached', cost('insert detached on'), '<= 1.25'),
	('the same, stamp => false', cost('insert unstamped on'), 'detached', cost('insert detached on'), ''),
	('INSERT, synchronous_commit off', cost('insert stamped off'), 'detached', cost('insert detached off'), ''),
	('the same, stamp => false', cost('insert unstamped off'), 'detached', cost('insert detached off'), ''),
	('UPDATE, unmapped column, synchronous_commit on', cost('update stamped on'), 'detached', cost('update detached on'), '<= 1.05'),
	('the same, stamp => false', cost('update unstamped on'), 'detached', cost('update detached on'), ''),
	('UPDATE, unmapped column, synchronous_commit off', cost('update stamped off'), 'detached', cost('update detached off'), ''),
	('the same, stamp => false', cost('update unstamped off'), 'detached', cost('update detached off'), '')
) r (what, ours, against, theirs, goal);
