-- explain_deadline: every stretch from the start to the deadline, and why
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(51);

CREATE TEMP TABLE promise AS
SELECT row_number() OVER () AS n, what, hours::sla.business_hours AS hours, t,
	   goal::sla.business_interval AS goal, pauses::tstzmultirange AS pauses, reasons
FROM (VALUES
	('within a window', 'UTC Mo-Fr 09:00-17:00', timestamptz '2026-06-01 10:00+00', '2h', '{}',
	 ARRAY['open%']),
	('over a night', 'UTC Mo-Fr 09:00-17:00', '2026-06-01 16:00+00', '2h', '{}',
	 ARRAY['open%', 'closed%', 'open%']),
	('over a weekend', 'UTC Mo-Fr 09:00-17:00', '2026-06-05 16:00+00', '2h', '{}', NULL),
	('over a holiday', 'UTC Mo-Fr 09:00-17:00; 2026-06-02 off', '2026-06-01 16:00+00', '2h', '{}', NULL),
	('with a pause', 'UTC Mo-Fr 09:00-17:00', '2026-06-01 10:00+00', '4h', '{[2026-06-01 12:00+00,2026-06-01 13:00+00)}',
	 ARRAY['open%', 'pause%', 'open%']),
	('over a clock change', 'Europe/Amsterdam Mo-Su 00:00-24:00', '2026-03-28 12:00+00', '24h', '{}', NULL),
	('from closed time', 'UTC Mo-Fr 09:00-17:00', '2026-06-01 07:00+00', '1h', '{}',
	 ARRAY['closed%', 'open%']),
	('business days', 'UTC Mo-Fr 09:00-17:00; 2026-06-08 off', '2026-06-05 16:00+00', '2bd 1h', '{[2026-06-05 16:30+00,2026-06-05 18:00+00)}', NULL)
) v(what, hours, t, goal, pauses, reasons);

CREATE TEMP TABLE explained AS
SELECT p.n AS promise, x.*
FROM promise p, sla.explain_deadline(p.t, p.goal, p.hours, p.pauses) WITH ORDINALITY x(since, till, counted, elapsed, why, nth);

SELECT is((SELECT min(since) FROM explained x WHERE x.promise = p.n), p.t, what || ': begins at the start') FROM promise p ORDER BY n;
SELECT is((SELECT max(till) FROM explained x WHERE x.promise = p.n), sla.deadline(t, goal, hours, pauses),
		  what || ': ends at the deadline') FROM promise p ORDER BY n;
SELECT is((SELECT sum(counted) FROM explained x WHERE x.promise = p.n),
		  sla.business_between(t, sla.business_add(t, goal, hours), hours), what || ': counts the goal') FROM promise p ORDER BY n;
SELECT is_empty(format('SELECT * FROM (SELECT *, lag(till) OVER (ORDER BY nth) AS last FROM explained WHERE promise = %s) x
						WHERE last <> since OR till <= since OR elapsed <> till - since
						   OR counted NOT IN (interval %L, elapsed)', p.n, '0'),
				what || ': without a hole') FROM promise p ORDER BY n;

-- why
SELECT ok((SELECT bool_and(why SIMILAR TO '(open|closed|weekend|holiday|pause)%') FROM explained), 'known reasons only');
SELECT ok((SELECT bool_and((why LIKE 'open%') = (counted > '0')) FROM explained), 'what is open counts, nothing else');
SELECT is((SELECT count(*) FROM explained x WHERE x.promise = p.n), cardinality(reasons)::bigint, what || ': rows')
FROM promise p WHERE reasons IS NOT NULL ORDER BY n;
SELECT ok((SELECT bool_and(why LIKE p.reasons[nth]) FROM explained x WHERE x.promise = p.n), what || ': reasons')
FROM promise p WHERE reasons IS NOT NULL ORDER BY n;
SELECT ok(EXISTS (SELECT FROM explained WHERE promise = 3 AND why LIKE 'weekend%'), 'the weekend is named');
SELECT ok(EXISTS (SELECT FROM explained WHERE promise = 4 AND why LIKE 'holiday%'), 'the holiday is named');
SELECT ok(EXISTS (SELECT FROM explained WHERE promise = 6 AND why LIKE '%clock%'), 'the clock change is named');
SELECT is_empty($$SELECT * FROM sla.explain_deadline('2026-06-01 10:00+00', '0', '24/7') WHERE elapsed > '0'$$, 'nothing to explain');

-- stretches as long as time
SELECT results_eq($$SELECT till, counted, elapsed, why FROM sla.explain_deadline('1999-12-31', '2562047788h', '24/7') x(since, till, counted, elapsed, why)$$,
				  $$VALUES (timestamptz 'infinity', interval '2562047616h', NULL::interval, 'open')$$,
				  'open until the end of time counts until then');
SELECT ok((SELECT bool_and(counted >= '0' AND elapsed >= '0')
		   FROM sla.explain_deadline('4713-01-01 BC', '1h', '24/7', '{[4713-01-01 BC,294000-01-01)}')),
		  'a pause longer than an amount can be is not negative');
SELECT is((SELECT count(*) FROM sla.explain_deadline('4713-01-01 BC', '1h', '24/7', '{[4713-01-01 BC,294000-01-01)}')), 2::bigint,
		  'and one stretch');
SELECT is((SELECT regexp_count(why, 'clock change [+-]') FROM sla.explain_deadline('2020-01-01', '87600h', 'Europe/Amsterdam Mo-Su 00:00-24:00')),
		  10, 'of a long stretch the first ten clock changes are told');
SELECT ok((SELECT why LIKE '%, more clock changes' FROM sla.explain_deadline('2020-01-01', '87600h', 'Europe/Amsterdam Mo-Su 00:00-24:00')),
		  'and that there are more');

SELECT * FROM finish();
ROLLBACK;
