/*
 * deadline.c
 *		Adds business days and working time to an instant, around pauses.
 *
 * Knows timelines and dates; knows no SQL, no tickets and no current time.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/timestamp.h"

#include "deadline.h"
#include "floor_div.h"
#include "timeline_pattern.h"

/* Local date and the time since its midnight */
typedef struct LocalTime
{
	int64		date;			/* days since 2000-01-01 */
	int64		usecs;
} LocalTime;

static LocalTime
local_time(const ZoneTable *zone, TimestampTz t)
{
	int64		secs = floor_div(t, USECS_PER_SEC);
	int64		local = secs + zone_offset(zone, secs);
	LocalTime	result;

	result.date = floor_div(local, SLA_SECS_PER_DAY);
	result.usecs = (local - result.date * SLA_SECS_PER_DAY) * USECS_PER_SEC +
		(t - secs * USECS_PER_SEC);
	return result;
}

/*
 * The first instant at which the wall clock reads the local time or later.
 * The date lies among those a timestamp can have, or next to them.
 */
static TimestampTz
local_to_instant(const ZoneTable *zone, LocalTime local)
{
	int64		secs = local.date * SLA_SECS_PER_DAY + local.usecs / USECS_PER_SEC;
	int64		utc = zone_first_at_or_after(zone, secs);

	/* inside a gap the clock jumps over the fraction as well */
	if (utc + zone_offset(zone, utc) != secs)
		return utc * USECS_PER_SEC;
	return utc * USECS_PER_SEC + local.usecs % USECS_PER_SEC;
}

/*
 * An opening of a service date as instants; false when a clock change leaves
 * nothing of it.
 */
static bool
window_of_date(const ZoneTable *zone, int64 date, const HoursSpan *span,
			   TimestampTz *open, TimestampTz *close)
{
	int64		midnight = date * SLA_SECS_PER_DAY;

	*open = zone_first_at_or_after(zone, midnight + span->open) * USECS_PER_SEC;
	*close = zone_last_before(zone, midnight + span->close) * USECS_PER_SEC;
	return *open < *close;
}

/*
 * The date that a window of the leading part around t opens on; the latest
 * when there are several; false when there is none. Looking back, a window
 * includes its end instead of its start.
 */
static bool
find_service_date(Timeline *tl, TimestampTz t, bool back, int64 *date)
{
	const HoursPart *part = timeline_leading_part(tl);
	const ZoneTable *zone = timeline_leading_zone(tl);
	int64		today = local_time(zone, t).date;

	/* a clock change may put the wall clock back to the date before */
	for (*date = today + 1; *date >= today - 3; (*date)--)
	{
		const HoursDay *day = hours_part_day(part, *date);

		for (int32 i = 0; i < day->nspans; i++)
		{
			TimestampTz open,
						close;

			if (window_of_date(zone, *date, &day->spans[i], &open, &close) &&
				(back ? open < t && t <= close : open <= t && t < close))
				return true;
		}
	}
	return false;
}

bool
deadline_part_is_open(Timeline *tl, TimestampTz t)
{
	int64		date;

	return find_service_date(tl, t, false, &date);
}

/*
 * n business days from t, n not 0. From outside hours it begins at the next
 * opening (looking back: the previous closing). The answer keeps the wall
 * clock and its distance in dates from the date its window opens on; if that
 * is closed it moves to the last closing of the day before it, else to the
 * first opening (looking back: the first opening after it, else the last
 * closing).
 */
static TimestampTz
add_business_days(Timeline *tl, TimestampTz t, int32 n)
{
	const HoursPart *part = timeline_leading_part(tl);
	const ZoneTable *zone = timeline_leading_zone(tl);
	bool		back = n < 0;
	TimestampTz never = back ? DT_NOBEGIN : DT_NOEND;
	TimestampTz first_open = DT_NOEND,
				last_close = DT_NOBEGIN,
				next_open = DT_NOEND,
				prev_close = DT_NOBEGIN;
	LocalTime	local;
	int64		date;
	int32		target;
	const HoursDay *day;

	if (back ? !timeline_is_open_before(tl, t) : !timeline_is_open(tl, t))
	{
		t = back ? timeline_prev_close(tl, t) : timeline_next_open(tl, t);
		if (TIMESTAMP_NOT_FINITE(t))
			return never;
	}
	/* open by another part only: the wall clock's own date has to do */
	if (!find_service_date(tl, t, back, &date))
		date = local_time(zone, t).date;
	if (!business_days_shift(timeline_days(tl), (int32) date, n, &target) ||
		target > END_TIMESTAMP / USECS_PER_DAY ||
		target < MIN_TIMESTAMP / USECS_PER_DAY)
		return never;

	local = local_time(zone, t);
	local.date += target - date;
	t = local_to_instant(zone, local);
	if (t >= END_TIMESTAMP || t < MIN_TIMESTAMP)
		return never;
	if (back ? timeline_is_open_before(tl, t) : timeline_is_open(tl, t))
		return t;

	day = hours_part_day(part, target);
	for (int32 i = 0; i < day->nspans; i++)
	{
		TimestampTz open,
					close;

		if (!window_of_date(zone, target, &day->spans[i], &open, &close))
			continue;
		first_open = Min(first_open, open);
		last_close = Max(last_close, close);
		if (close <= t)
			prev_close = Max(prev_close, close);
		if (open >= t)
			next_open = Min(next_open, open);
	}
	if (back)
	{
		if (next_open != DT_NOEND)
			return next_open;
		return last_close != DT_NOBEGIN ? last_close :
			timeline_prev_close(tl, t);
	}
	if (prev_close != DT_NOBEGIN)
		return prev_close;
	return first_open != DT_NOEND ? first_open : timeline_next_open(tl, t);
}

/* t plus signed working time */
static TimestampTz
add_time(Timeline *tl, TimestampTz t, int64 usecs)
{
	if (usecs >= 0)
		return timeline_add(tl, t, usecs);
	return timeline_sub(tl, t, usecs == PG_INT64_MIN ? PG_INT64_MAX : -usecs);
}

/*
 * A day with other hours than the one it is counted from can send the answer
 * back beyond where it started; there it stays instead, as days ahead lie
 * ahead.
 */
TimestampTz
deadline_add(Timeline *tl, TimestampTz t, const BusinessInterval *amount)
{
	if (likely(amount->days == 0 && amount->time >= 0 &&
			   !TIMESTAMP_NOT_FINITE(t)))
		return timeline_add(tl, t, amount->time);
	if (!TIMESTAMP_NOT_FINITE(t) && amount->days > 0)
		t = Max(t, add_business_days(tl, t, amount->days));
	else if (!TIMESTAMP_NOT_FINITE(t) && amount->days < 0)
		t = Min(t, add_business_days(tl, t, amount->days));
	if (!TIMESTAMP_NOT_FINITE(t))
		t = add_time(tl, t, amount->time);
	return t;
}

int64
deadline_paused_work(Timeline *tl, TimestampTz from, TimestampTz to,
					 const Pause *pauses, int npauses)
{
	int64		sum = 0;

	for (int i = 0; i < npauses; i++)
	{
		TimestampTz a = Max(pauses[i].from, from);
		TimestampTz b = Min(pauses[i].to, to);

		if (a < b && pg_add_s64_overflow(sum, timeline_between(tl, a, b), &sum))
			return PG_INT64_MAX;
	}
	return sum;
}

/* start plus usecs > 0 of working time outside pauses */
static TimestampTz
add_around_pauses(Timeline *tl, TimestampTz start, int64 usecs,
				  const Pause *pauses, int npauses)
{
	for (int i = 0; i < npauses; i++)
	{
		if (pauses[i].to <= start)
			continue;
		if (pauses[i].from > start)
		{
			int64		work = timeline_between(tl, start, pauses[i].from);

			if (usecs <= work)
				break;
			usecs -= work;
		}
		start = pauses[i].to;
		if (TIMESTAMP_NOT_FINITE(start))
			return DT_NOEND;
	}
	return timeline_add(tl, start, usecs);
}

/* The mirror of add_around_pauses */
static TimestampTz
sub_around_pauses(Timeline *tl, TimestampTz start, int64 usecs,
				  const Pause *pauses, int npauses)
{
	for (int i = npauses - 1; i >= 0; i--)
	{
		if (pauses[i].from >= start)
			continue;
		if (pauses[i].to < start)
		{
			int64		work = timeline_between(tl, pauses[i].to, start);

			if (usecs <= work)
				break;
			usecs -= work;
		}
		start = pauses[i].from;
		if (TIMESTAMP_NOT_FINITE(start))
			return DT_NOBEGIN;
	}
	return timeline_sub(tl, start, usecs);
}

/*
 * A goal with business days is turned into the working time up to the answer
 * without pauses; only when pauses take some of that does the answer move.
 */
TimestampTz
deadline_with_pauses(Timeline *tl, TimestampTz start,
					 const BusinessInterval *goal,
					 const Pause *pauses, int npauses)
{
	TimestampTz due = deadline_add(tl, start, goal);

	if (npauses == 0 || TIMESTAMP_NOT_FINITE(due) ||
		deadline_paused_work(tl, Min(start, due), Max(start, due),
							 pauses, npauses) == 0)
		return due;
	if (due > start)
		return add_around_pauses(tl, start, timeline_between(tl, start, due),
								 pauses, npauses);
	return sub_around_pauses(tl, start, timeline_between(tl, due, start),
							 pauses, npauses);
}
