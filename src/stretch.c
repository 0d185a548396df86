/*
 * stretch.c
 *		Explains the time between two instants: what counted, what did not,
 *		and why.
 *
 * Knows nothing of goals or tickets; the reasons are those of the calendar
 * (its leading part) and of pauses.
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "deadline.h"
#include "floor_div.h"
#include "timeline_pattern.h"

/* Closed stretches longer than this are told in one piece */
#define LONG_CLOSED		(366 * USECS_PER_DAY)

/* Clock changes told of one stretch; a long one can have half a million */
#define MAX_CLOCK_CHANGES	10

/* Does the calendar as a whole rest on this weekday: Saturday, Sunday, or a
 * weekday without hours next to one such (a Friday in many countries)? */
static bool
is_weekend(const HoursPart *part, int weekday)
{
	bool		any = false;

	for (int day = 0; day < 7; day++)
		any |= part->week[day].nspans > 0;
	if (!any || part->week[weekday].nspans > 0)
		return false;
	for (int day = weekday; day < 7 && part->week[day].nspans == 0; day++)
		if (day >= 5)
			return true;
	for (int day = weekday; day >= 0 && part->week[day].nspans == 0; day--)
		if (day == 0 && part->week[6].nspans == 0)
			return true;
	return weekday >= 5;
}

static int64
local_date(const ZoneTable *zone, TimestampTz t)
{
	int64		secs = floor_div(t, USECS_PER_SEC);

	secs += zone_offset(zone, secs);
	return floor_div(secs, SLA_SECS_PER_DAY);
}

/*
 * Why the calendar is closed at t, as far as its leading part says. When that
 * one is open, another part joined to it has closed it.
 */
static const char *
closed_reason(Timeline *tl, TimestampTz t)
{
	const HoursPart *part = timeline_leading_part(tl);
	int64		date = local_date(timeline_leading_zone(tl), t);
	const HoursDay *weekday = hours_part_weekday(part, date);
	const HoursDay *day = hours_part_day(part, date);

	if (deadline_part_is_open(tl, t))
		return "excluded";
	if (day != weekday)
		return day->nspans == 0 ? "holiday" : "closed, special hours";
	return is_weekend(part, weekday - part->week) ? "weekend" : "closed";
}

/*
 * Microseconds from one instant to a later one, or to the last there is. What
 * int64 cannot hold is PG_INT64_MAX.
 */
static int64
elapsed_between(TimestampTz from, TimestampTz to)
{
	int64		elapsed;

	if (pg_sub_s64_overflow(Min(to, END_TIMESTAMP), from, &elapsed))
		return PG_INT64_MAX;
	return elapsed;
}

/* The first instant after t that belongs to a later local date */
static TimestampTz
next_midnight(const ZoneTable *zone, TimestampTz t)
{
	int64		local = (local_date(zone, t) + 1) * SLA_SECS_PER_DAY;
	TimestampTz midnight = zone_first_at_or_after(zone, local) * USECS_PER_SEC;

	/* where midnight comes twice, t may lie between the two */
	if (midnight <= t)
		midnight = zone_last_before(zone, local) * USECS_PER_SEC;
	return midnight;
}

/* Append the clock changes within [from, to) to a reason, the first few. */
static char *
with_clock_changes(const char *reason, const ZoneTable *zone,
				   TimestampTz from, TimestampTz to)
{
	StringInfoData buf;
	int64		at = floor_div(from - 1, USECS_PER_SEC);
	int64		change;
	int			told = 0;

	initStringInfo(&buf);
	appendStringInfoString(&buf, reason);
	while ((change = zone_next_change(zone, at)) < (to - 1) / USECS_PER_SEC + (to > 0))
	{
		int32		size = zone_offset(zone, change) - zone_offset(zone, at);
		int32		abs = size < 0 ? -size : size;

		if (told++ == MAX_CLOCK_CHANGES)
		{
			appendStringInfoString(&buf, ", more clock changes");
			break;
		}
		appendStringInfo(&buf, ", clock change %c%02d:%02d",
						 size < 0 ? '-' : '+', abs / SECS_PER_HOUR,
						 abs / SECS_PER_MINUTE % MINS_PER_HOUR);
		if (abs % SECS_PER_MINUTE != 0)
			appendStringInfo(&buf, ":%02d", abs % SECS_PER_MINUTE);
		at = change;
	}
	return buf.data;
}

/*
 * The pause around t, or NULL; *until is lowered to the next instant at which
 * that changes.
 */
static const Pause *
pause_at(const StretchWalk *walk, TimestampTz t, TimestampTz *until)
{
	for (int i = 0; i < walk->npauses; i++)
	{
		const Pause *pause = &walk->pauses[i];

		if (pause->to <= t)
			continue;
		*until = Min(*until, pause->from > t ? pause->from : pause->to);
		return pause->from <= t ? pause : NULL;
	}
	return NULL;
}

/*
 * One stretch of a single reason from t on, closed ones no further than
 * midnight. Returns its end; *reason is a constant, *counts whether it is
 * working time outside pauses.
 */
static TimestampTz
piece_at(const StretchWalk *walk, TimestampTz t, const char **reason,
		 bool *counts)
{
	Timeline   *tl = walk->tl;
	const ZoneTable *zone = timeline_leading_zone(tl);
	TimestampTz until = walk->end;
	const Pause *pause = pause_at(walk, t, &until);

	*counts = false;
	if (pause != NULL)
		*reason = walk->reasons == NULL ? "pause" :
			walk->reasons[pause - walk->pauses];
	else if (timeline_is_open(tl, t))
	{
		until = Min(until, timeline_next_close(tl, t));
		*reason = "open";
		*counts = true;
	}
	else
	{
		TimestampTz open = timeline_next_open(tl, t);

		if (open == DT_NOEND && until == DT_NOEND)
		{
			*reason = "never open again";
			return DT_NOEND;
		}
		until = Min(until, open);
		if (until - LONG_CLOSED > t)
			*reason = "closed for long";
		else
		{
			*reason = closed_reason(tl, t);
			until = Min(until, next_midnight(zone, t));
		}
	}
	return until;
}

bool
stretch_next(StretchWalk *walk, Stretch *stretch)
{
	const char *reason;
	bool		counts;
	TimestampTz to;

	if (walk->cursor >= walk->end)
		return false;
	to = piece_at(walk, walk->cursor, &reason, &counts);
	while (!counts && to < walk->end)
	{
		const char *next_reason;
		TimestampTz next = piece_at(walk, to, &next_reason, &counts);

		if (counts || strcmp(reason, next_reason) != 0)
		{
			counts = false;
			break;
		}
		to = next;
		CHECK_FOR_INTERRUPTS();
	}

	stretch->from = walk->cursor;
	stretch->to = to;
	stretch->elapsed = elapsed_between(walk->cursor, to);
	stretch->counted = counts ? stretch->elapsed : 0;
	if (to == DT_NOEND)
		stretch->why = pstrdup(reason);
	else
		stretch->why = with_clock_changes(reason,
										  timeline_leading_zone(walk->tl),
										  walk->cursor, to);
	walk->cursor = to;
	return true;
}
