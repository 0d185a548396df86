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
#include "hours_text.h"

typedef struct Timeline Timeline;

/*
 * Compile rules. Allocates everything in a new memory context under parent,
 * which timeline_free() deletes. Raises 22023 when a zone is unknown here.
 */
extern Timeline *timeline_compile(const HoursRules *rules, MemoryContext parent);
extern void timeline_free(Timeline *tl);
extern Size timeline_memory(const Timeline *tl);

/* The rules it was compiled from, owned by the timeline. */
extern const HoursRules *timeline_rules(const Timeline *tl);

/* Signed working time from a to b, microseconds; both finite. */
extern int64 timeline_between(Timeline *tl, TimestampTz a, TimestampTz b);

/*
 * Earliest r >= t with between(t, r) = usecs (usecs >= 0), and the mirror:
 * latest r <= t with between(r, t) = usecs. DT_NOEND, DT_NOBEGIN when the
 * working time never accumulates. t finite.
 */
extern TimestampTz timeline_add(Timeline *tl, TimestampTz t, int64 usecs);
extern TimestampTz timeline_sub(Timeline *tl, TimestampTz t, int64 usecs);

extern bool timeline_is_open(Timeline *tl, TimestampTz t);

/* Strictly after (before) t; DT_NOEND (DT_NOBEGIN) when there is none. */
extern TimestampTz timeline_next_open(Timeline *tl, TimestampTz t);
extern TimestampTz timeline_next_close(Timeline *tl, TimestampTz t);
extern TimestampTz timeline_prev_open(Timeline *tl, TimestampTz t);
extern TimestampTz timeline_prev_close(Timeline *tl, TimestampTz t);

#endif							/* SLAPOLICY_TIMELINE_H */
