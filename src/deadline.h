/*
 * deadline.h
 *		Amounts of working time along a calendar: business days, time, pauses,
 *		and the explanation of a deadline stretch by stretch.
 *
 * Pure: knows no SQL, no tickets and no current time.
 */
#ifndef SLAPOLICY_DEADLINE_H
#define SLAPOLICY_DEADLINE_H

#include "common/int.h"

#include "business_interval.h"
#include "span.h"
#include "timeline.h"

/* The sum of amounts of working time, as far as int64 goes */
static inline int64
work_sum(int64 a, int64 b)
{
	int64		sum;

	return pg_add_s64_overflow(a, b, &sum) ? PG_INT64_MAX : sum;
}

/* A stretch in which the clock does not run */
typedef Span Pause;

/*
 * t plus an amount of working time: first its business days, then its time,
 * each in the direction of its own sign. An infinite t comes back as it is;
 * the answer is infinite when the working time never accumulates.
 */
extern TimestampTz deadline_add(Timeline *tl, TimestampTz t,
								const BusinessInterval *amount);

/*
 * The same with pauses, which are sorted, apart from each other and not
 * empty. Working time inside a pause does not count.
 */
extern TimestampTz deadline_with_pauses(Timeline *tl, TimestampTz start,
										const BusinessInterval *goal,
										const Pause *pauses, int npauses);

/* Working time in [from, to) that lies inside pauses, microseconds */
extern int64 deadline_paused_work(Timeline *tl, TimestampTz from,
								  TimestampTz to,
								  const Pause *pauses, int npauses);

/* Is the leading part of the calendar open at t, whatever the others are? */
extern bool deadline_part_is_open(Timeline *tl, TimestampTz t);

/*
 * A stretch of an explanation; to may be DT_NOEND, and is then taken as the end
 * of time. Microseconds are at most PG_INT64_MAX.
 */
typedef struct Stretch
{
	TimestampTz from;
	TimestampTz to;
	int64		elapsed;		/* microseconds */
	int64		counted;		/* of these, towards the goal */
	char	   *why;			/* palloc'd */
} Stretch;

/* Walks the stretches between two instants; zero-initialise, then fill in */
typedef struct StretchWalk
{
	Timeline   *tl;
	TimestampTz cursor;			/* from here, finite */
	TimestampTz end;			/* to here, may be DT_NOEND */
	const Pause *pauses;
	int			npauses;
	const char **reasons;		/* one for each; NULL: they are pauses */
} StretchWalk;

/* The next stretch, false at the end. Allocates in CurrentMemoryContext. */
extern bool stretch_next(StretchWalk *walk, Stretch *stretch);

#endif							/* SLAPOLICY_DEADLINE_H */
