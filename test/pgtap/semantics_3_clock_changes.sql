-- Rule 3: with L(u) the wall clock at instant u, a window from x to y opens at
-- inf { u : L(u) >= x } and closes at sup { u : L(u) < y }
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(375);

-- the first window after the instant: opening, close, and what it is worth
CREATE TEMP TABLE expectation AS
SELECT row_number() OVER () AS n, what, hours::sla.business_hours AS hours, t, opens, closes
FROM (VALUES
	('gap inside', 'Europe/Amsterdam Su 01:00-05:00', timestamptz '2026-03-28 12:00+00', timestamptz '2026-03-29 00:00+00', timestamptz '2026-03-29 03:00+00'),
	('gap at the opening', 'Europe/Amsterdam Su 02:30-05:00', '2026-03-28 12:00+00', '2026-03-29 01:00+00', '2026-03-29 03:00+00'),
	('gap at the close', 'Europe/Amsterdam Su 01:00-02:30', '2026-03-28 12:00+00', '2026-03-29 00:00+00', '2026-03-29 01:00+00'),
	('close where the gap begins', 'Europe/Amsterdam Su 01:00-02:00', '2026-03-28 12:00+00', '2026-03-29 00:00+00', '2026-03-29 01:00+00'),
	('opening where the gap ends', 'Europe/Amsterdam Su 03:00-04:00', '2026-03-28 12:00+00', '2026-03-29 01:00+00', '2026-03-29 02:00+00'),
	('exactly the gap: not that Sunday', 'Europe/Amsterdam Su 02:00-03:00', '2026-03-28 12:00+00', '2026-04-05 00:00+00', '2026-04-05 01:00+00'),
	('within the gap: not that Sunday', 'Europe/Amsterdam Su 02:13-02:43', '2026-03-28 12:00+00', '2026-04-05 00:13+00', '2026-04-05 00:43+00'),
	('overlap inside', 'Europe/Amsterdam Su 01:00-05:00', '2026-10-24 12:00+00', '2026-10-24 23:00+00', '2026-10-25 04:00+00'),
	('overlap at the opening', 'Europe/Amsterdam Su 02:30-05:00', '2026-10-24 12:00+00', '2026-10-25 00:30+00', '2026-10-25 04:00+00'),
	('overlap at the close', 'Europe/Amsterdam Su 01:00-02:30', '2026-10-24 12:00+00', '2026-10-24 23:00+00', '2026-10-25 01:30+00'),
	('within the overlap', 'Europe/Amsterdam Su 02:15-02:45', '2026-10-24 12:00+00', '2026-10-25 00:15+00', '2026-10-25 01:45+00'),
	('exactly the overlap', 'Europe/Amsterdam Su 02:00-03:00', '2026-10-24 12:00+00', '2026-10-25 00:00+00', '2026-10-25 02:00+00'),
	('close where the overlap begins', 'Europe/Amsterdam Su 01:00-02:00', '2026-10-24 12:00+00', '2026-10-24 23:00+00', '2026-10-25 00:00+00'),
	('opening where the overlap ends', 'Europe/Amsterdam Su 03:00-04:00', '2026-10-24 12:00+00', '2026-10-25 02:00+00', '2026-10-25 03:00+00'),
	('a day around, both edges in the overlap', 'Europe/Amsterdam Su 02:45-02:15', '2026-10-24 12:00+00', '2026-10-25 00:45+00', '2026-10-26 01:15+00'),
	('overnight in spring', 'Europe/Amsterdam Sa 22:00-06:00', '2026-03-28 12:00+00', '2026-03-28 21:00+00', '2026-03-29 04:00+00'),
	('overnight in autumn', 'Europe/Amsterdam Sa 22:00-06:00', '2026-10-24 12:00+00', '2026-10-24 20:00+00', '2026-10-25 05:00+00'),
	('overnight, close in the gap', 'Europe/Amsterdam Sa 22:00-02:30', '2026-03-28 12:00+00', '2026-03-28 21:00+00', '2026-03-29 01:00+00'),
	('overnight, close in the overlap', 'Europe/Amsterdam Sa 22:00-02:30', '2026-10-24 12:00+00', '2026-10-24 20:00+00', '2026-10-25 01:30+00'),
	('New York, opening in the gap', 'America/New_York Su 02:30-06:00', '2024-03-09 12:00+00', '2024-03-10 07:00+00', '2024-03-10 10:00+00'),
	('New York, opening in the overlap', 'America/New_York Su 01:30-06:00', '2024-11-02 12:00+00', '2024-11-03 05:30+00', '2024-11-03 11:00+00'),
	('half an hour skipped', 'Australia/Lord_Howe Su 01:00-04:00', '2026-10-03 06:00+00', '2026-10-03 14:30+00', '2026-10-03 17:00+00'),
	('half an hour skipped at the opening', 'Australia/Lord_Howe Su 02:15-03:00', '2026-10-03 06:00+00', '2026-10-03 15:30+00', '2026-10-03 16:00+00'),
	('half an hour repeated at the opening', 'Australia/Lord_Howe Su 01:45-02:30', '2026-04-04 06:00+00', '2026-04-04 14:45+00', '2026-04-04 16:00+00'),
	('half an hour repeated at the close', 'Australia/Lord_Howe Su 01:00-01:45', '2026-04-04 06:00+00', '2026-04-04 14:00+00', '2026-04-04 15:15+00'),
	('a day that begins at one', 'America/Sao_Paulo Su 00:00-24:00', '2018-11-03 12:00+00', '2018-11-04 03:00+00', '2018-11-05 02:00+00'),
	('the end of the day before it', 'America/Sao_Paulo Sa 20:00-24:00', '2018-11-03 12:00+00', '2018-11-03 23:00+00', '2018-11-04 03:00+00'),
	('a tail lost in the gap after midnight', 'America/Sao_Paulo Sa 20:00-00:30', '2018-11-03 12:00+00', '2018-11-03 23:00+00', '2018-11-04 03:00+00'),
	('23:00 to 24:00 twice', 'America/Sao_Paulo Sa 20:00-24:00', '2019-02-16 12:00+00', '2019-02-16 22:00+00', '2019-02-17 03:00+00'),
	('opening in the hour before midnight that comes twice', 'America/Sao_Paulo Sa 23:30-24:00', '2019-02-16 12:00+00', '2019-02-17 01:30+00', '2019-02-17 03:00+00'),
	('midnight itself comes once', 'America/Sao_Paulo Su 00:00-01:00', '2019-02-16 12:00+00', '2019-02-17 03:00+00', '2019-02-17 04:00+00'),
	('Cairo, a Friday without its first hour', 'Africa/Cairo Fr 00:00-08:00', '2024-04-25 12:00+00', '2024-04-25 22:00+00', '2024-04-26 05:00+00'),
	('Cairo, the Thursday before it', 'Africa/Cairo Th 22:00-24:00', '2024-04-25 12:00+00', '2024-04-25 20:00+00', '2024-04-25 22:00+00'),
	('Cairo, 23:00 to 24:00 twice', 'Africa/Cairo Th 22:00-24:00', '2024-10-31 12:00+00', '2024-10-31 19:00+00', '2024-10-31 22:00+00'),
	('Cairo, the Friday after it', 'Africa/Cairo Fr 00:00-08:00', '2024-10-31 12:00+00', '2024-10-31 22:00+00', '2024-11-01 06:00+00'),
	('Azores, 00:00 to 01:00 twice', 'Atlantic/Azores Su 00:00-06:00', '2026-10-24 12:00+00', '2026-10-25 00:00+00', '2026-10-25 07:00+00'),
	('Azores, 24:00 is the first midnight', 'Atlantic/Azores Sa 20:00-24:00', '2026-10-24 12:00+00', '2026-10-24 20:00+00', '2026-10-25 00:00+00'),
	('Azores, close in the hour after midnight', 'Atlantic/Azores Sa 20:00-00:30', '2026-10-24 12:00+00', '2026-10-24 20:00+00', '2026-10-25 01:30+00'),
	('Azores, within the hour after midnight', 'Atlantic/Azores Su 00:30-00:45', '2026-10-24 12:00+00', '2026-10-25 00:30+00', '2026-10-25 01:45+00'),
	('Azores, a Sunday without its first hour', 'Atlantic/Azores Su 00:00-06:00', '2026-03-28 12:00+00', '2026-03-29 01:00+00', '2026-03-29 06:00+00'),
	('St John''s, 23:01 to 00:01 twice: Saturday', 'America/St_Johns Sa 22:00-24:00', '2010-11-06 12:00+00', '2010-11-07 00:30+00', '2010-11-07 03:30+00'),
	('St John''s, 23:01 to 00:01 twice: Sunday', 'America/St_Johns Su 00:00-00:30', '2010-11-06 12:00+00', '2010-11-07 02:30+00', '2010-11-07 04:00+00'),
	('a quarter of an hour skipped at midnight', 'Asia/Kathmandu We 00:00-01:00', '1985-12-31 12:00+00', '1985-12-31 18:30+00', '1985-12-31 19:15+00'),
	('Samoa, into the date that was not', 'Pacific/Apia Th 18:00-06:00', '2011-12-29 12:00+00', '2011-12-30 04:00+00', '2011-12-30 10:00+00'),
	('Samoa, out of the date that was not', 'Pacific/Apia Fr 18:00-06:00', '2011-12-29 12:00+00', '2011-12-30 10:00+00', '2011-12-30 16:00+00'),
	('Samoa, both', 'Pacific/Apia Mo-Su 18:00-06:00', '2011-12-30 00:00+00', '2011-12-30 04:00+00', '2011-12-30 16:00+00'),
	('Samoa, the windows of the date that was not', 'Pacific/Apia Fr 09:00-17:00', '2011-12-29 12:00+00', '2012-01-05 19:00+00', '2012-01-06 03:00+00'),
	('Alaska, a date that came twice', 'America/Juneau Fr 09:00-17:00', '1867-10-16 12:00+00', '1867-10-17 17:57:41+00', '1867-10-19 01:57:41+00'),
	('a change of the standard time', 'Europe/Moscow Su 00:00-24:00', '2014-10-25 12:00+00', '2014-10-25 20:00+00', '2014-10-26 21:00+00'),
	-- where UTC begins a new week
	('an overlap around Monday 00:00 UTC, at the close', 'Africa/Cairo Mo 01:00-02:30', '1973-09-30 12:00+00', '1973-09-30 22:00+00', '1973-10-01 00:30+00'),
	('an overlap around Monday 00:00 UTC, at the opening', 'Africa/Cairo Mo 02:30-05:00', '1973-09-30 12:00+00', '1973-09-30 23:30+00', '1973-10-01 03:00+00'),
	('special hours over Monday 00:00 UTC', 'Europe/London Mo-Fr 09:00-17:00; 2026-10-25 20:00-00:30', '2026-10-25 12:00+00', '2026-10-25 20:00+00', '2026-10-26 00:30+00')
) v(what, hours, t, opens, closes);

SELECT is(sla.next_open(hours, t), opens, what || ': opens') FROM expectation ORDER BY n;
SELECT is(sla.next_close(hours, t), closes, what || ': closes') FROM expectation ORDER BY n;
SELECT is(sla.business_between(t, closes, hours), closes - opens, what || ': is worth') FROM expectation ORDER BY n;
SELECT is(sla.prev_open(hours, closes), opens, what || ': opened') FROM expectation ORDER BY n;
SELECT is(sla.prev_close(hours, closes + interval '1 us'), closes, what || ': closed') FROM expectation ORDER BY n;
SELECT is(sla.business_add(t, make_interval(secs => extract(epoch FROM closes - opens)::float8)::sla.business_interval, hours), closes, what || ': is filled') FROM expectation ORDER BY n;
SELECT is(sla.business_sub(closes, make_interval(secs => extract(epoch FROM closes - opens)::float8)::sla.business_interval, hours), opens, what || ': is emptied') FROM expectation ORDER BY n;

-- in an overlap a window stays open between its first and second occurrence
SELECT is(sla.is_open('Europe/Amsterdam Su 02:15-02:45', t), expected, 'hull at ' || t)
FROM (VALUES
	(timestamptz '2026-10-25 00:14:59+00', false),
	('2026-10-25 00:15+00', true),
	('2026-10-25 00:50+00', true),		-- 02:50, the first time
	('2026-10-25 01:05+00', true),		-- 02:05, the second time
	('2026-10-25 01:44:59+00', true),
	('2026-10-25 01:45+00', false)
) v(t, expected);

-- contiguous windows stay contiguous whatever the clock does
SELECT is(sla.business_between(a, b, hours::sla.business_hours), b - a, 'no hole: ' || hours)
FROM (VALUES
	('Europe/Amsterdam Mo-Su 00:00-02:30,02:30-24:00', timestamptz '2026-03-28 00:00+00', timestamptz '2026-10-27 00:00+00'),
	('Australia/Lord_Howe Mo-Su 01:45-02:15,02:15-01:45', '2026-01-01 00:00+00', '2026-12-31 00:00+00'),
	('America/Sao_Paulo Mo-Su 00:00-24:00', '2018-01-01 00:00+00', '2019-12-31 00:00+00'),
	('Pacific/Apia Mo-Su 00:00-24:00', '2011-01-01 00:00+00', '2012-12-31 00:00+00'),
	('America/St_Johns Mo-Su 23:30-00:15,00:15-23:30', '2010-01-01 00:00+00', '2010-12-31 00:00+00')
) v(hours, a, b);

SELECT * FROM finish();
ROLLBACK;
