/*
 * timeline_internal.h
 *		The inside of a timeline, shared by timeline.c and timeline_chunk.c.
 */
#ifndef SLAPOLICY_TIMELINE_INTERNAL_H
#define SLAPOLICY_TIMELINE_INTERNAL_H

#include "timeline.h"
#include "timeline_table.h"

#define CHUNK_WEEKS			773		/* 27 chunks are 20871 weeks, 400 years */
#define CYCLE_CHUNKS		27

/* The main table: 2000-01-03 to 2044-06-13 */
#define MAIN_FIRST_CHUNK	0
#define MAIN_CHUNKS			3

/* Clock changes before this chunk (1822) do not exist in the zone database */
#define PAST_CHUNK			(-12)
/* and from this one (2103) on they follow a rule: see zone.c */
#define FUTURE_CHUNK		7

/* Chunks with the years that have an Easter, 1583 to 9999 */
#define EASTER_FIRST_CHUNK	(-29)
#define EASTER_LAST_CHUNK	540

/* Chunks that hold the first and the last timestamp */
#define FIRST_CHUNK			(-454)
#define LAST_CHUNK			19728

#define WEEK_EPOCH_USECS	(WEEK_EPOCH_SECS * USECS_PER_SEC)
#define CHUNK_SECS			(CHUNK_WEEKS * SLA_SECS_PER_WEEK)

#define FAR_SLOTS			3

struct Timeline
{
	WeekTable	main;
	MemoryContext context;
	const HoursRules *rules;
	const ZoneTable **zones;	/* of each part */
	DayCount   *days;			/* NULL until needed */
	bool		has_easter;

	/*
	 * Before past_chunk and from future_chunk on, a chunk is like the one 27
	 * chunks later or earlier. directory[i] is the sum at the start of chunk
	 * first_listed + i, from one cycle before the one to one cycle after the
	 * other; known for known_first <= i <= known_last.
	 */
	int32		past_chunk;
	int32		future_chunk;
	int32		first_listed;
	int32		known_first;
	int32		known_last;
	int64	   *directory;		/* NULL until needed */

	/* what a chunk without special dates of its own sums up to, by its place
	 * in the cycle; -1: not known yet */
	int64		past_total[CYCLE_CHUNKS];
	int64		future_total[CYCLE_CHUNKS];

	WeekTable	slots[FAR_SLOTS];
	int32		slot_chunk[FAR_SLOTS];
	int32		next_slot;
};

/* The chunk an instant lies in */
extern int32 chunk_of(TimestampTz t);

/* Sum at the start of a chunk outside the main table, or at either end of it */
extern int64 chunk_base(Timeline *tl, int32 chunk);

/* The chunks furthest out for whose start the sum is known already */
extern int32 chunk_first_known(const Timeline *tl);
extern int32 chunk_last_known(const Timeline *tl);

/* The table that covers a chunk; valid until the next call that needs one */
extern const WeekTable *chunk_find_table(Timeline *tl, int32 chunk);

/* Work out where the irregular part of the line begins and ends. */
extern void chunk_find_bounds(Timeline *tl);

#endif							/* SLAPOLICY_TIMELINE_INTERNAL_H */
