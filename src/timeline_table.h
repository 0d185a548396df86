/*
 * timeline_table.h
 *		Running sums over consecutive weeks: the table that every question about
 *		working time ends up searching.
 *
 * The look-ups are inline: they are what a query pays for per row. Instants
 * are microseconds as in timestamptz; sums are seconds, open or closed, counted
 * from the start of week 0.
 */
#ifndef SLAPOLICY_TIMELINE_TABLE_H
#define SLAPOLICY_TIMELINE_TABLE_H

#include "slapolicy.h"
#include "timeline_pattern.h"

/* One week of a table */
typedef struct WeekEntry
{
	uint32		before;			/* open seconds from the table's start */
	uint32		pattern;		/* byte offset of its WeekPattern */
} WeekEntry;

/* Consecutive weeks with running sums */
typedef struct WeekTable
{
	TimestampTz start;			/* instant at which first_week begins */
	uint64		length;			/* microseconds it covers */
	int64		base;			/* open seconds from week 0 to first_week */
	WeekEntry  *weeks;			/* [nweeks + 1], the last only for its sum */
	char	   *patterns;		/* all patterns, one behind the other */
	uint16	   *index;			/* [k]: first week by whose end the sum is at
								 * least k << index_shift */
	int32		index_shift;
	uint32		nindex;
	int64		first_week;
	int32		nweeks;
	MemoryContext context;
} WeekTable;

/* What is being summed up */
typedef enum Measure
{
	MEASURE_OPEN,
	MEASURE_CLOSED
} Measure;

/*
 * Build the table of nweeks weeks from first_week on in context, its sums
 * beginning at base. zones holds the zone of each part of the rules.
 */
extern void table_build(WeekTable *table, const HoursRules *rules,
						const ZoneTable *const *zones, MemoryContext context,
						int64 first_week, int32 nweeks, int64 base);

/*
 * The instant at which closed time reaches sum (microseconds from week 0)
 * within the table, in a closed stretch that ends not before need whole
 * seconds of closed time from the table's start, 0 < need <= total.
 */
extern TimestampTz table_find_closed(const WeekTable *table, uint64 need,
									 int64 sum);

/* ---------- tables ---------- */

static inline const WeekPattern *
week_pattern(const WeekTable *table, int32 week)
{
	return (const WeekPattern *) (table->patterns + table->weeks[week].pattern);
}

/* Open seconds of the table's weeks together */
static inline uint32
table_total(const WeekTable *table)
{
	return table->weeks[table->nweeks].before;
}

/*
 * The last opening of a week that has begun after secs seconds; the empty one
 * if none has. Few openings are counted without a branch that could be
 * mispredicted, many are searched.
 */
static inline const WeekSpan *
pattern_at(const WeekPattern *pattern, uint32 secs)
{
	const WeekSpan *spans = pattern->spans;
	uint32		n = pattern->nspans;
	uint32		last = 0;

	if (likely(n <= 16))
	{
		for (uint32 i = 1; i <= n; i++)
			last += spans[i].open <= secs;
	}
	else
	{
		uint32		hi = n;

		while (last < hi)
		{
			uint32		mid = (last + hi + 1) / 2;

			if (spans[mid].open <= secs)
				last = mid;
			else
				hi = mid - 1;
		}
	}
	return &spans[last];
}

/*
 * Working time from week 0 to t, microseconds, t within the table; *open tells
 * whether t itself is open.
 */
static inline int64
table_work(const WeekTable *table, TimestampTz t, bool *open)
{
	uint64		rel = (uint64) (t - table->start);
	uint32		week = (uint32) (rel / SLA_USECS_PER_WEEK);
	int64		in_week = (int64) (rel - week * (uint64) SLA_USECS_PER_WEEK);
	const WeekSpan *span = pattern_at(week_pattern(table, week),
									  (uint32) (in_week / USECS_PER_SEC));
	int64		close = span->close * USECS_PER_SEC;

	*open = in_week < close;
	return (table->base + table->weeks[week].before + span->before -
			span->open) * USECS_PER_SEC + Min(in_week, close);
}

/*
 * The last opening of a week before which less than need open seconds have
 * passed, 0 < need <= total
 */
static inline const WeekSpan *
pattern_find_open(const WeekPattern *pattern, uint32 need)
{
	const WeekSpan *spans = pattern->spans;
	uint32		n = pattern->nspans;
	uint32		last = 0;

	if (likely(n <= 16))
	{
		for (uint32 i = 1; i <= n; i++)
			last += spans[i].before < need;
	}
	else
	{
		uint32		hi = n;

		while (last < hi)
		{
			uint32		mid = (last + hi + 1) / 2;

			if (spans[mid].before < need)
				last = mid;
			else
				hi = mid - 1;
		}
	}
	return &spans[last];
}

/*
 * The instant at which open time reaches sum (microseconds from week 0) within
 * the table, by the end of an opening that ends not before need whole seconds
 * from the table's start, 0 < need <= total.
 */
static inline TimestampTz
table_find_open(const WeekTable *table, uint32 need, int64 sum)
{
	uint32		k = need >> table->index_shift;
	int32		lo = table->index[k];
	int32		hi = table->index[k + 1];
	const WeekSpan *span;

	lo += table->weeks[lo + 1].before < need;
	while (unlikely(table->weeks[lo + 1].before < need && lo < hi))
	{
		int32		mid = (lo + hi) / 2;

		if (table->weeks[mid + 1].before >= need)
			hi = mid;
		else
			lo = mid + 1;
	}
	span = pattern_find_open(week_pattern(table, lo),
							 need - table->weeks[lo].before);
	return table->start + lo * SLA_USECS_PER_WEEK + sum -
		(table->base + table->weeks[lo].before + span->before -
		 span->open) * USECS_PER_SEC;
}

static inline TimestampTz
table_find(const WeekTable *table, Measure measure, uint64 need, int64 sum)
{
	return measure == MEASURE_OPEN ?
		table_find_open(table, (uint32) need, sum) :
		table_find_closed(table, need, sum);
}

#endif							/* SLAPOLICY_TIMELINE_TABLE_H */
