/*
 * timeline.h
 *		Working time along the real line: how much of it lies before an
 *		instant, and at which instant an amount of it is reached.
 *
 * Pure arithmetic over compiled calendars; knows no SQL, no policies and no
 * current time.
 */
#ifndef SLAPOLICY_TIMELINE_H
#define SLAPOLICY_TIMELINE_H

#include "slapolicy.h"
#include "business_days.h"
#include "hours_text.h"
#include "zone.h"

typedef struct Timeline Timeline;

/*
 * Compile rules. Everything is allocated in context, in which the rules
 * already live and which belongs to the timeline from then on:
 * timeline_free() deletes it. Raises 22023 when a zone is unknown here.
 */
extern Timeline *timeline_compile(const HoursRules *rules,
								  MemoryContext context);
extern void timeline_free(Timeline *tl);

/* Bytes allocated for it now */
extern Size timeline_memory(const Timeline *tl);

/* Is it open around the clock, written as bare 24/7? */
extern bool timeline_is_always(const Timeline *tl);

/* The part whose rules and zone decide about days, and its count of them */
extern const HoursPart *timeline_leading_part(const Timeline *tl);
extern const ZoneTable *timeline_leading_zone(const Timeline *tl);
extern const DayCount *timeline_days(Timeline *tl);

/*
 * Signed working time from a to b, microseconds; both finite. What int64
 * cannot hold (more than 292 thousand years) is PG_INT64_MAX or PG_INT64_MIN.
 */
extern int64 timeline_between(Timeline *tl, TimestampTz a, TimestampTz b);

/*
 * Earliest r >= t with between(t, r) = usecs (usecs >= 0), and the mirror:
 * latest r <= t with between(r, t) = usecs. DT_NOEND, DT_NOBEGIN when the
 * working time never accumulates. t finite.
 */
extern TimestampTz timeline_add(Timeline *tl, TimestampTz t, int64 usecs);
extern TimestampTz timeline_sub(Timeline *tl, TimestampTz t, int64 usecs);

/* Is t open; is the moment that ends at t open (the same, looking back)? */
extern bool timeline_is_open(Timeline *tl, TimestampTz t);
extern bool timeline_is_open_before(Timeline *tl, TimestampTz t);

/* Strictly after (before) t; DT_NOEND (DT_NOBEGIN) when there is none. */
extern TimestampTz timeline_next_open(Timeline *tl, TimestampTz t);
extern TimestampTz timeline_next_close(Timeline *tl, TimestampTz t);
extern TimestampTz timeline_prev_open(Timeline *tl, TimestampTz t);
extern TimestampTz timeline_prev_close(Timeline *tl, TimestampTz t);

#endif							/* SLAPOLICY_TIMELINE_H */
