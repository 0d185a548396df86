-- What bench/worker reports of clocks that are due already. psql variable:
-- clocks.

\pset footer off
\qecho
\qecho :clocks clocks that are due
SELECT what, to_char(seconds(ours), '9990.00') AS seconds,
	'UPDATE and INSERT by hand' AS against, to_char(seconds('by hand'), '9990.00') AS "their seconds",
	to_char(seconds(ours) / seconds('by hand'), '990.00') AS ratio,
	to_char(processor_seconds(ours) / processor_seconds('by hand'), '990.00') AS "of processor time", goal
FROM (VALUES (1, 'sla.flag_due', 'flag_due', '<= 1.5'), (2, 'worker', 'worker', '<= 1.5'),
	(3, 'worker, old snapshot held', 'worker, old snapshot', '<= 1.5'),
	(4, 'worker, due in random order', 'worker, shuffled', '')) r (n, what, ours, goal)
ORDER BY n;

SELECT 'memory of the worker' AS what, min(memory_kb[1]) AS "kB at the beginning", max(memory_kb[2]) AS "half way",
	max(memory_kb[3]) AS "at the end", to_char(max(memory_kb[3]) / min(memory_kb[1])::float8, '990.00') AS ratio, 'flat' AS goal
FROM bulk WHERE memory_kb IS NOT NULL;

SELECT 'insert while the worker flags' AS what, to_char(insert_us('worker, inserts'), '99990') AS us,
	against, to_char(insert_us(theirs), '99990') AS "their us",
	to_char(insert_us('worker, inserts') / insert_us(theirs), '990.00') AS ratio, goal
FROM (VALUES (1, 'the same while it is done by hand', 'by hand, inserts', '<= 1.2'),
	(2, 'the same on an idle server', 'idle, inserts', '')) r (n, against, theirs, goal)
ORDER BY n;
