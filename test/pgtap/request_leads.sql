-- How long ahead something is requested: days on the wall clock, hours that elapse,
-- business days, and hours within or outside of which it takes place
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(49);

-- Berlin: clocks go forward on 2026-03-29 at 02:00, back on 2026-10-25 at 03:00
SELECT sla.load_policy('{"policy": "t leads", "time_zone": "Europe/Berlin",
	"calendars": {"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00; 2026-04-03 off; 2026-04-06 off"}, "week": {"hours": "UTC Mo-Fr 00:00-24:00"}, "always": {"hours": "24/7"},
		"never": {"hours": "UTC Mo 10:00-11:00 & UTC Tu 10:00-11:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
	"requests": {"weeks": {"lead": "2 weeks"}, "hours": {"lead": "336 hours"}, "both": {"lead": "1 day 6 hours"}, "bd": {"lead": "10 business days", "calendar": "day"},
		"night": {"lead": "1 day", "outside": "day"}, "office": {"lead": "1 day", "inside": "day"}, "any": {}, "weekend": {"outside": "week"},
		"impossible": {"lead": "1 day", "inside": "never"}, "hopeless": {"outside": "always"}},
	"questionnaires": {"binary": {"at_least": "2 weeks"}, "quick": {"at_least": "2bd", "calendar": "day"}}}');
CREATE FUNCTION pg_temp.start(kind text, at timestamptz) RETURNS timestamptz LANGUAGE sql AS $$ SELECT sla.earliest_start('t leads', kind, at) $$;

-- Two weeks, to the second, across a clock change
SELECT is(pg_temp.start('weeks', '2026-03-02 10:00+01'), '2026-03-16 10:00+01', 'two weeks without a change');
SELECT is(pg_temp.start('weeks', '2026-03-20 10:00:01.000001+01'), '2026-04-03 10:00:01.000001+02', 'the same time two weeks later, an hour of elapsed time less');
SELECT is(pg_temp.start('weeks', '2026-10-20 10:00+02'), '2026-11-03 10:00+01', 'or more');
SELECT is(pg_temp.start('hours', '2026-03-20 10:00+01'), '2026-04-03 11:00+02', 'hours elapse');
SELECT is(pg_temp.start('both', '2026-03-27 22:00+01'), '2026-03-29 05:00+02', 'days first, then hours');
SELECT is(pg_temp.start('weeks', '2026-03-15 02:30+01'), '2026-03-29 03:00+02', 'a time that is skipped: the first one after it');
SELECT is(pg_temp.start('weeks', '2026-03-15 02:00+01'), '2026-03-29 03:00+02', 'also the first one that is');
SELECT is(pg_temp.start('weeks', '2026-03-15 01:59:59.999999+01'), '2026-03-29 01:59:59.999999+01', 'not the one before');
SELECT is(pg_temp.start('weeks', '2026-10-11 02:30+02'), '2026-10-25 02:30+02', 'a time that comes twice: the first time');
SELECT is(pg_temp.start('weeks', '2026-10-25 02:30+01'), '2026-11-08 02:30+01', 'from the second time on');
SELECT is(pg_temp.start('weeks', '2026-10-25 02:30+02'), '2026-11-08 02:30+01', 'and from the first');
SELECT is(pg_temp.start('hours', '2026-10-25 02:30+01'), '2026-11-08 02:30+01', 'hours from the second time on');
SELECT is(pg_temp.start('any', '2026-10-25 02:30+01'), '2026-10-25 02:30+01', 'nothing from the second time on');
SELECT is(sla.wall_clock_add('2026-10-25 02:30+01', 0, 'Europe/Berlin'), '2026-10-25 02:30+01', 'no days are no way back to the first time');
SET LOCAL timezone = 'America/New_York';
SELECT is(pg_temp.start('weeks', '2026-03-20 10:00+01'), '2026-04-03 10:00+02', 'whatever the session''s zone');
SET LOCAL timezone = 'UTC';
SELECT is(sla.wall_clock_add('2011-12-29 12:00-10', 1, 'Pacific/Apia'), '2011-12-31 00:00+14', 'a day that is skipped');
SELECT is(sla.wall_clock_add('2011-12-29 12:00-10', 2, 'Pacific/Apia'), '2011-12-31 12:00+14', 'and the one after it');
SELECT is(sla.wall_clock_add('2026-03-20 10:00+00', -5, 'UTC'), '2026-03-15 10:00+00', 'days back');
SELECT is(sla.wall_clock_add('infinity', 5, 'UTC'), 'infinity', 'the end of time');
SELECT throws_ok($$SELECT sla.wall_clock_add(now(), 5, 'Mars/Olympus')$$, '22023', 'time zone "Mars/Olympus" is not known to this server', 'zones are known');
SELECT throws_ok($$SELECT sla.wall_clock_add('294276-12-31 12:00+00', 1, 'UTC')$$, '22008', NULL, 'there is an end');
SELECT throws_ok($$SELECT sla.wall_clock_add('2026-01-01', 2147483647, 'UTC')$$, '22008', NULL, 'which nothing goes beyond');
SELECT throws_ok($$SELECT sla.wall_clock_add('2026-01-01', -2147483648, 'UTC')$$, '22008', NULL, 'nor before the start');

-- Business days
SELECT is(pg_temp.start('bd', '2026-03-20 10:00+01'), '2026-04-07 10:00+02', 'ten business days, with Easter in between');
SELECT is(pg_temp.start('bd', '2026-03-21 10:00+01'), '2026-04-08 09:00+02', 'a Saturday counts from Monday morning on');

-- Within and outside of hours
SELECT is(pg_temp.start('office', '2026-03-02 10:00+01'), '2026-03-03 10:00+01', 'within: at once');
SELECT is(pg_temp.start('office', '2026-03-06 10:00+01'), '2026-03-09 09:00+01', 'from the next opening on');
SELECT is(pg_temp.start('office', '2026-03-01 09:00+01'), '2026-03-02 09:00+01', 'opening time is within');
SELECT is(pg_temp.start('office', '2026-03-01 17:00+01'), '2026-03-03 09:00+01', 'closing time is not');
SELECT is(pg_temp.start('night', '2026-03-02 10:00+01'), '2026-03-03 17:00+01', 'outside: from closing time on');
SELECT is(pg_temp.start('night', '2026-03-02 17:00+01'), '2026-03-03 17:00+01', 'which is outside');
SELECT is(pg_temp.start('night', '2026-03-02 18:00+01'), '2026-03-03 18:00+01', 'or at once');
SELECT is(pg_temp.start('weekend', '2026-03-02 18:00+01'), '2026-03-07 00:00+00', 'without a lead: the weekend');
SELECT is(pg_temp.start('any', '2026-03-02 18:00+01'), '2026-03-02 18:00+01', 'without any rule: now');
SELECT is(pg_temp.start('impossible', '2026-03-02 18:00+01'), 'infinity', 'hours that never come');
SELECT is(pg_temp.start('hopeless', '2026-03-02 18:00+01'), 'infinity', 'or never end');

-- Answers
SELECT is(sla.earliest_answer('t leads', 'binary', '2026-03-20 10:00+01'), '2026-04-03 10:00+02', 'two weeks until an answer');
SELECT is(sla.earliest_answer('t leads', 'quick', '2026-04-02 10:00+02'), '2026-04-08 10:00+02', 'or business days');
SELECT throws_ok($$SELECT sla.earliest_answer('t leads', 'open', now())$$, '42704', 'policy "t leads" knows no questionnaires of kind "open"', 'kinds are known');

-- The version in force when it was requested
SELECT sla.load_policy(jsonb_set(sla.policy_document('t leads'), '{requests}', '{"weeks": {"lead": "4 weeks"}}') - 'questionnaires' #- '{calendars,day}' #- '{calendars,week}' #- '{calendars,never}', '2026-06-01');
SELECT is(pg_temp.start('weeks', '2026-05-31 23:59:59+00'), '2026-06-14 23:59:59+00', 'before a new version');
SELECT is(pg_temp.start('weeks', '2026-06-01'), '2026-06-29', 'and after');
SELECT throws_ok($$SELECT sla.earliest_start('t leads', 'bd', '2026-06-01')$$, '42704', 'policy "t leads" knows no requests of kind "bd"', 'a kind that is gone');
SELECT throws_ok($$SELECT sla.earliest_start('nobody', 'bd', '2026-06-01')$$, '42704', 'policy "nobody" does not exist or has no version', 'a policy that is not there');
SELECT throws_ok($$SELECT sla.earliest_answer('t leads', 'binary', '2026-06-01')$$, '42704', NULL, 'questionnaires likewise');

-- Edges
SELECT is(sla.earliest_start('t leads', 'weeks', NULL), NULL, 'nothing of nothing');
SELECT is(sla.earliest_start('t leads', NULL, now()), NULL, 'no kind');
SELECT is(pg_temp.start('weeks', 'infinity'), 'infinity', 'the end of time');
SELECT is(pg_temp.start('weeks', '-infinity'), '-infinity', 'its beginning');
SELECT throws_ok($$SELECT sla.earliest_start('t leads', 'weeks', '294276-12-31 12:00+00')$$, '22008', NULL, 'beyond what instants there are');

SELECT * FROM finish();
ROLLBACK;
