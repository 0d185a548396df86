/*
 * timeline_pattern.h
 *		What a single UTC week of a calendar looks like.
 *
 * Weeks count from Monday 2000-01-03 00:00 UTC; seconds within a week are
 * 0 .. 604800.
 */
#ifndef SLAPOLICY_TIMELINE_PATTERN_H
#define SLAPOLICY_TIMELINE_PATTERN_H

#include "slapolicy.h"
#include "hours_dates.h"
#include "zone.h"

/* UTC seconds (since 2000-01-01) at which week 0 begins */
#define WEEK_EPOCH_SECS		(2 * SLA_SECS_PER_DAY)
#define WEEK_START(week)	((int64) (week) * SLA_SECS_PER_WEEK + WEEK_EPOCH_SECS)

/* One opening inside a week, half-open, in seconds from the week's start */
typedef struct WeekSpan
{
	uint32		open;
	uint32		close;
	uint32		before;			/* open seconds of the week before it */
} WeekSpan;

/*
 * Openings sorted, apart from each other; shared by all weeks that look alike.
 * spans[0] is an empty opening at the week's start, the real ones follow: so a
 * search for the last opening that has begun always finds one.
 */
typedef struct WeekPattern
{
	uint32		nspans;			/* without the empty one */
	uint32		total;			/* open seconds of the week */
	WeekSpan	spans[FLEXIBLE_ARRAY_MEMBER];
} WeekPattern;

#define WEEK_PATTERN_SIZE(nspans) \
	(offsetof(WeekPattern, spans) + ((nspans) + 1) * sizeof(WeekSpan))

/* Patterns seen so far; an id is an index into list */
typedef struct PatternSet
{
	MemoryContext context;
	const WeekPattern **list;
	int32		count;
	int32		room;
	int32	   *buckets;		/* open addressing: id + 1, or 0 */
	int32		nbuckets;		/* power of two */
} PatternSet;

extern void pattern_set_init(PatternSet *set, MemoryContext context);

/* The id of a pattern, which is copied when it is new. */
extern uint16 pattern_intern(PatternSet *set, const WeekPattern *pattern);

/* Fill in total and every span's before from the spans. */
extern void pattern_sum_up(WeekPattern *pattern);

/*
 * Write the pattern ids of nweeks weeks from first_week on for one part of a
 * calendar. nweeks is at most 65535, so that an id fits.
 */
extern void pattern_fill(PatternSet *set, const HoursPart *part,
						 const ZoneTable *zone, int64 first_week,
						 int32 nweeks, uint16 *ids);

/*
 * The same for a whole calendar: parts joined as the rules' program says.
 * zones holds the zone of each part.
 */
extern void pattern_fill_rules(PatternSet *set, const HoursRules *rules,
							   const ZoneTable *const *zones,
							   int64 first_week, int32 nweeks, uint16 *ids);

#endif							/* SLAPOLICY_TIMELINE_PATTERN_H */
