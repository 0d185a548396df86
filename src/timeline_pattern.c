/*
 * timeline_pattern.c
 *		Turns rules into what single UTC weeks look like.
 *
 * An open set repeats every week between exceptions, so that a few dozen
 * patterns describe decades. Only a week that a special date or a clock change
 * touches is worked out edge by edge; all others take the pattern of their
 * UTC offset.
 *
 * Knows nothing of running sums or searching (timeline.c).
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "timeline_pattern.h"

/* An opening on the UTC line, in seconds since 2000-01-01 */
typedef struct UtcSpan
{
	int64		open;
	int64		close;
} UtcSpan;

void
pattern_set_init(PatternSet *set, MemoryContext context)
{
	memset(set, 0, sizeof(*set));
	set->context = context;
	set->room = 16;
	set->list = MemoryContextAlloc(context, set->room * sizeof(WeekPattern *));
	set->nbuckets = 32;
	set->buckets = MemoryContextAllocZero(context,
										  set->nbuckets * sizeof(int32));
}

static uint32
pattern_hash(const WeekPattern *pattern)
{
	return hash_bytes((const unsigned char *) pattern->spans,
					  (pattern->nspans + 1) * sizeof(WeekSpan));
}

static void
pattern_set_grow(PatternSet *set)
{
	set->room *= 2;
	set->list = repalloc(set->list, set->room * sizeof(WeekPattern *));
	pfree(set->buckets);
	set->nbuckets *= 2;
	set->buckets = MemoryContextAllocZero(set->context,
										  set->nbuckets * sizeof(int32));
	for (int32 id = 0; id < set->count; id++)
	{
		uint32		at = pattern_hash(set->list[id]) & (set->nbuckets - 1);

		while (set->buckets[at] != 0)
			at = (at + 1) & (set->nbuckets - 1);
		set->buckets[at] = id + 1;
	}
}

uint16
pattern_intern(PatternSet *set, const WeekPattern *pattern)
{
	Size		size = WEEK_PATTERN_SIZE(pattern->nspans);
	uint32		at = pattern_hash(pattern) & (set->nbuckets - 1);
	WeekPattern *copy;

	while (set->buckets[at] != 0)
	{
		const WeekPattern *known = set->list[set->buckets[at] - 1];

		if (known->nspans == pattern->nspans &&
			memcmp(known, pattern, size) == 0)
			return set->buckets[at] - 1;
		at = (at + 1) & (set->nbuckets - 1);
	}

	copy = MemoryContextAlloc(set->context, size);
	memcpy(copy, pattern, size);
	set->list[set->count] = copy;
	set->buckets[at] = ++set->count;
	if (set->count == set->room)
		pattern_set_grow(set);
	return set->count - 1;
}

void
pattern_sum_up(WeekPattern *pattern)
{
	pattern->total = 0;
	for (uint32 i = 1; i <= pattern->nspans; i++)
	{
		pattern->spans[i].before = pattern->total;
		pattern->total += pattern->spans[i].close - pattern->spans[i].open;
	}
}

static int
compare_utc_spans(const void *a, const void *b)
{
	const UtcSpan *x = a;
	const UtcSpan *y = b;

	return (x->open > y->open) - (x->open < y->open);
}

/*
 * Work out one week edge by edge and intern it. When the offset is known to
 * be constant around the week, zone is NULL and offset is used. With
 * weekly_only special dates are taken as ordinary days.
 */
static uint16
week_pattern(PatternSet *set, const HoursPart *part, const ZoneTable *zone,
			 int32 offset, bool weekly_only, int64 week)
{
	int64		start = WEEK_START(week);
	int64		end = start + SLA_SECS_PER_WEEK;
	int64		first_date,
				last_date;
	int32		nspans = 0,
				room = 64;
	UtcSpan    *spans = palloc(room * sizeof(UtcSpan));
	WeekPattern *pattern;
	uint16		id;

	/*
	 * Openings last up to two days and a clock change shifts an edge by up to
	 * one, so dates from three days before the week on can reach into it.
	 */
	if (zone != NULL)
		offset = zone_offset(zone, start);
	first_date = (start + offset) / SLA_SECS_PER_DAY - (zone ? 4 : 3);
	last_date = (end + offset) / SLA_SECS_PER_DAY + (zone ? 2 : 1);

	for (int64 date = first_date; date <= last_date; date++)
	{
		const HoursDay *day = weekly_only ? hours_part_weekday(part, date) :
			hours_part_day(part, date);
		int64		midnight = date * SLA_SECS_PER_DAY;

		for (int32 i = 0; i < day->nspans; i++)
		{
			UtcSpan		span;

			if (zone != NULL)
			{
				span.open = zone_first_at_or_after(zone,
												   midnight + day->spans[i].open);
				span.close = zone_last_before(zone,
											  midnight + day->spans[i].close);
			}
			else
			{
				span.open = midnight + day->spans[i].open - offset;
				span.close = midnight + day->spans[i].close - offset;
			}
			span.open = Max(span.open, start);
			span.close = Min(span.close, end);
			if (span.open >= span.close)
				continue;
			if (nspans == room)
			{
				room *= 2;
				spans = repalloc(spans, room * sizeof(UtcSpan));
			}
			spans[nspans++] = span;
		}
	}
	qsort(spans, nspans, sizeof(UtcSpan), compare_utc_spans);

	pattern = palloc0(WEEK_PATTERN_SIZE(nspans));
	for (int32 i = 0; i < nspans; i++)
	{
		uint32		open = spans[i].open - start;
		uint32		close = spans[i].close - start;
		WeekSpan   *last = &pattern->spans[pattern->nspans];

		if (pattern->nspans == 0 || open > last->close)
		{
			last = &pattern->spans[++pattern->nspans];
			last->open = open;
			last->close = close;
		}
		else
			last->close = Max(last->close, close);
	}
	pattern_sum_up(pattern);
	id = pattern_intern(set, pattern);
	pfree(pattern);
	pfree(spans);
	return id;
}

/* The weeks to be filled, and where */
typedef struct FillTarget
{
	PatternSet *set;
	const HoursPart *part;
	const ZoneTable *zone;
	int64		first_week;
	int32		nweeks;
	uint16	   *ids;
} FillTarget;

/*
 * Work out the target's weeks that overlap [from, to] of UTC seconds edge by
 * edge, but none before index skip. Returns the index after the last one done.
 */
static int64
fill_irregular(const FillTarget *target, int64 from, int64 to, int64 skip)
{
	int64		base = WEEK_START(target->first_week);
	int64		first,
				last;

	if (to < base || from >= base + target->nweeks * SLA_SECS_PER_WEEK)
		return skip;
	first = Max((from - base) / SLA_SECS_PER_WEEK, skip);
	last = Min((to - base) / SLA_SECS_PER_WEEK, target->nweeks - 1);
	for (int64 i = Max(first, 0); i <= last; i++)
		target->ids[i] = week_pattern(target->set, target->part, target->zone,
									  0, false, target->first_week + i);
	return Max(skip, last + 1);
}

/* Weeks with a clock change in reach, which moves edges by its own size */
static void
fill_clock_changes(const FillTarget *target)
{
	const ZoneTable *zone = target->zone;
	int64		base = WEEK_START(target->first_week);
	int64		end = base + target->nweeks * SLA_SECS_PER_WEEK;
	int64		at = base - SLA_SECS_PER_WEEK;
	int64		change;

	while ((change = zone_next_change(zone, at)) < end + SLA_SECS_PER_WEEK)
	{
		int64		size = zone_offset(zone, change) - zone_offset(zone, at);

		size = size < 0 ? -size : size;
		fill_irregular(target, change - size, change + size, 0);
		at = change;
	}
}

/* Weeks that a special date reaches by its own openings or those it replaces */
static void
fill_specials(const FillTarget *target)
{
	const HoursPart *part = target->part;
	int64		base = WEEK_START(target->first_week) / SLA_SECS_PER_DAY;
	SpecialDate *dates;
	int32		ndates = hours_part_specials(part, base - 4,
											 base + target->nweeks * 7 + 4,
											 &dates);
	int64		change = PG_INT64_MIN;	/* the next clock change */
	int32		offset = 0;		/* until then */
	int64		done = 0;

	for (int32 i = 0; i < ndates; i++)
	{
		int64		midnight = dates[i].date * SLA_SECS_PER_DAY;
		const HoursDay *days[2] = {dates[i].day,
		hours_part_weekday(part, dates[i].date)};
		int64		from = midnight - 2 * SLA_SECS_PER_DAY;
		int64		reach = 0;

		for (int k = 0; k < 2; k++)
			if (days[k]->nspans > 0)
				reach = Max(reach, days[k]->spans[days[k]->nspans - 1].close);
		if (change <= from)
		{
			change = zone_next_change(target->zone, from);
			offset = zone_offset(target->zone, from);
		}
		if (change > midnight + 4 * SLA_SECS_PER_DAY)
			from = midnight - offset;
		else
			reach += 4 * SLA_SECS_PER_DAY;
		done = fill_irregular(target, from, from + reach, done);
	}
	pfree(dates);
}

void
pattern_fill(PatternSet *set, const HoursPart *part, const ZoneTable *zone,
			 int64 first_week, int32 nweeks, uint16 *ids)
{
	int64		base = WEEK_START(first_week);
	int64		end = base + nweeks * SLA_SECS_PER_WEEK;
	int32		filled = 0;
	int64		at = base;
	int32		known_offset[2] = {0, 0};
	int32		known_id[2] = {-1, -1};
	int			victim = 0;
	FillTarget	target = {
		.set = set, .part = part, .zone = zone,
		.first_week = first_week, .nweeks = nweeks, .ids = ids
	};

	/* every week by the offset at its start */
	while (filled < nweeks)
	{
		int32		offset = zone_offset(zone, at);
		int64		change = zone_next_change(zone, at);
		int64		until = change >= end ? nweeks :
			(change - base + SLA_SECS_PER_WEEK - 1) / SLA_SECS_PER_WEEK;
		int			k;

		for (k = 0; k < 2; k++)
			if (known_id[k] >= 0 && known_offset[k] == offset)
				break;
		if (k == 2)
		{
			k = victim;
			victim = 1 - victim;
			known_offset[k] = offset;
			known_id[k] = week_pattern(set, part, NULL, offset, true,
									   first_week + filled);
		}
		while (filled < until)
			ids[filled++] = known_id[k];
		at = change;
	}

	fill_clock_changes(&target);
	if (part->nspecials > 0 || hours_part_has_recurring(part))
		fill_specials(&target);
}
