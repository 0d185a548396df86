/*
 * timeline_table.c
 *		Builds tables of weeks, and searches them for closed time.
 *
 * Knows nothing of where on the line a table lies or what it is asked for.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "timeline_table.h"

/*
 * The pattern of every week, and all patterns one behind the other: what is
 * looked at together lies together.
 */
static void
table_patterns(WeekTable *table, const HoursRules *rules,
			   const ZoneTable *const *zones)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "slapolicy patterns",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(scratch);
	PatternSet	set;
	uint16	   *ids = palloc(table->nweeks * sizeof(uint16));
	uint32	   *offsets;
	Size		size = 0;

	pattern_set_init(&set, scratch);
	pattern_fill_rules(&set, rules, zones,
					   table->first_week, table->nweeks, ids);

	offsets = palloc(set.count * sizeof(uint32));
	for (int32 id = 0; id < set.count; id++)
	{
		offsets[id] = (uint32) size;
		size += WEEK_PATTERN_SIZE(set.list[id]->nspans);
	}
	table->patterns = MemoryContextAlloc(table->context, size);
	for (int32 id = 0; id < set.count; id++)
		memcpy(table->patterns + offsets[id], set.list[id],
			   WEEK_PATTERN_SIZE(set.list[id]->nspans));
	for (int32 week = 0; week < table->nweeks; week++)
		table->weeks[week].pattern = offsets[ids[week]];

	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

void
table_build(WeekTable *table, const HoursRules *rules,
			const ZoneTable *const *zones, MemoryContext context,
			int64 first_week, int32 nweeks, int64 base)
{
	uint64		total = 0;
	uint32		k = 0;

	table->context = context;
	table->first_week = first_week;
	table->nweeks = nweeks;
	table->start = WEEK_START(first_week) * USECS_PER_SEC;
	table->length = (uint64) nweeks * SLA_USECS_PER_WEEK;
	table->base = base;
	table->weeks = MemoryContextAllocZero(context,
										  (nweeks + 1) * sizeof(WeekEntry));
	table_patterns(table, rules, zones);
	for (int32 week = 0; week < nweeks; week++)
	{
		table->weeks[week].before = (uint32) total;
		total += week_pattern(table, week)->total;
	}
	table->weeks[nweeks].before = (uint32) total;

	/* up to two entries for a week, so that a look-up leaves little to search */
	table->index_shift = 0;
	while ((total >> table->index_shift) >= (uint64) nweeks * 2)
		table->index_shift++;
	table->nindex = (uint32) (total >> table->index_shift) + 2;
	table->index = MemoryContextAlloc(context, table->nindex * sizeof(uint16));
	for (int32 week = 0; week < nweeks; week++)
		while (k < table->nindex &&
			   table->weeks[week + 1].before >= (uint64) k << table->index_shift)
			table->index[k++] = week;
	while (k < table->nindex)
		table->index[k++] = nweeks - 1;
}

/* Closed seconds from the table's start to the start of a week */
static inline uint64
closed_at(const WeekTable *table, int32 week)
{
	return (uint64) week * SLA_SECS_PER_WEEK - table->weeks[week].before;
}

/*
 * The opening behind which closed time reaches need seconds since the week
 * began; the empty one for the stretch at the start
 */
static const WeekSpan *
pattern_find_closed(const WeekPattern *pattern, uint32 need)
{
	const WeekSpan *spans = pattern->spans;
	uint32		lo = 0,
				hi = pattern->nspans;

	while (lo < hi)
	{
		uint32		mid = (lo + hi + 1) / 2;

		if (spans[mid].open - spans[mid].before < need)
			lo = mid;
		else
			hi = mid - 1;
	}
	return &spans[lo];
}

TimestampTz
table_find_closed(const WeekTable *table, uint64 need, int64 sum)
{
	int32		lo = 0,
				hi = table->nweeks - 1;
	const WeekSpan *span;
	uint32		start;
	int64		before;

	while (lo < hi)
	{
		int32		mid = (lo + hi) / 2;

		if (closed_at(table, mid + 1) >= need)
			hi = mid;
		else
			lo = mid + 1;
	}
	before = closed_at(table, lo);
	span = pattern_find_closed(week_pattern(table, lo), (uint32) (need - before));
	start = span->close;
	before += table->first_week * SLA_SECS_PER_WEEK - table->base +
		span->open - span->before;
	return table->start + lo * SLA_USECS_PER_WEEK + start * USECS_PER_SEC +
		sum - before * USECS_PER_SEC;
}
