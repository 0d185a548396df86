/*
 * timeline.c
 *		Working time along the real line, by search in prepared tables.
 *
 * The line is cut into UTC weeks. A table holds, for consecutive weeks, the
 * running sum of open seconds and the pattern of each week, so that the
 * working time before an instant is one index, one addition and a look into a
 * week; the inverse is a second index from sum to week. Span never matters.
 *
 * One table, the main one, covers decades around the present and is built
 * with the calendar; timeline_chunk.c has the rest of the line.
 *
 * Sums count from the start of week 0. Working time and closed time are two
 * measures of the same tables: opening instants are found by searching the
 * one, closing instants by searching the other.
 *
 * Knows nothing of SQL, policies or the current time.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "floor_div.h"
#include "timeline_internal.h"

/* Working time from week 0 to t and whether t is open */
static inline int64
work_until(Timeline *tl, TimestampTz t, bool *open)
{
	if (likely((uint64) (t - tl->main.start) < tl->main.length))
		return table_work(&tl->main, t, open);
	return table_work(chunk_find_table(tl, chunk_of(t)), t, open);
}

/* Value of a measure at the start of a chunk, seconds from week 0 */
static int64
chunk_measure(Timeline *tl, Measure measure, int32 chunk)
{
	int64		open;

	if (chunk == MAIN_FIRST_CHUNK)
		open = tl->main.base;
	else
		open = chunk_base(tl, chunk);
	return measure == MEASURE_OPEN ? open : (int64) chunk * CHUNK_SECS - open;
}

/* Measure of closed time at t, from the one of open time */
static inline int64
closed_until(TimestampTz t, int64 work)
{
	return t - WEEK_EPOCH_USECS - work;
}

/*
 * With beyond false: the first instant at which the measure is sum. With
 * beyond true: the last one, from which on it grows again. DT_NOBEGIN or
 * DT_NOEND when it never has that value, or keeps it for ever.
 */
static TimestampTz
find_sum(Timeline *tl, Measure measure, int64 sum, bool beyond)
{
	int64		floor_secs = floor_div(sum, USECS_PER_SEC);
	int64		need;			/* whole seconds that the measure must reach */
	int64		main_start,
				main_end;
	int32		lo,
				hi;
	const WeekTable *table;
	TimestampTz result;

	if (beyond)
		need = floor_secs + 1;
	else
		need = floor_secs + (sum != floor_secs * USECS_PER_SEC);

	if (measure == MEASURE_OPEN)
	{
		main_start = tl->main.base;
		main_end = main_start + table_total(&tl->main);
	}
	else
	{
		main_start = tl->main.first_week * SLA_SECS_PER_WEEK - tl->main.base;
		main_end = main_start + tl->main.nweeks * SLA_SECS_PER_WEEK -
			table_total(&tl->main);
	}
	if (likely(need > main_start && need <= main_end))
		return table_find(&tl->main, measure, (uint64) (need - main_start), sum);

	/*
	 * The chunk at whose end the measure has reached what is needed: among
	 * those whose sums are known; else one by one from there on, so that no
	 * more are summed up than needed; else beyond, where they repeat.
	 */
	if (need > main_end)
	{
		int32		known = chunk_last_known(tl);
		int32		bound = tl->future_chunk + CYCLE_CHUNKS;

		lo = MAIN_FIRST_CHUNK + MAIN_CHUNKS;
		hi = known - 1;
		if (chunk_measure(tl, measure, known) < need)
		{
			for (lo = known; lo < bound; lo++)
				if (chunk_measure(tl, measure, lo + 1) >= need)
					break;
			hi = lo < bound ? lo : LAST_CHUNK + 1;
		}
	}
	else
	{
		int32		known = chunk_first_known(tl);
		int32		bound = tl->past_chunk;

		lo = known;
		hi = MAIN_FIRST_CHUNK - 1;
		if (chunk_measure(tl, measure, known) >= need)
		{
			for (hi = known - 1; hi > bound; hi--)
				if (chunk_measure(tl, measure, hi) < need)
					break;
			lo = hi > bound ? hi : FIRST_CHUNK - 1;
		}
	}
	while (lo < hi)
	{
		int32		mid = lo + (hi - lo) / 2;

		if (chunk_measure(tl, measure, mid + 1) >= need)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo > LAST_CHUNK)
		return DT_NOEND;
	if (lo < FIRST_CHUNK)
		return DT_NOBEGIN;

	need -= chunk_measure(tl, measure, lo);
	table = chunk_find_table(tl, lo);
	if (lo == LAST_CHUNK)
	{
		/* the chunk ends behind the last timestamp */
		bool		open;
		int64		last = table_work(table, END_TIMESTAMP - 1, &open);

		if (measure == MEASURE_CLOSED)
			last = closed_until(END_TIMESTAMP - 1, last);
		if (sum > last || (beyond && sum == last))
			return DT_NOEND;
	}
	result = table_find(table, measure, (uint64) need, sum);
	return result < MIN_TIMESTAMP ? DT_NOBEGIN : result;
}

int64
timeline_between(Timeline *tl, TimestampTz a, TimestampTz b)
{
	bool		open;
	int64		work_a = work_until(tl, a, &open);
	int64		result;

	if (pg_sub_s64_overflow(work_until(tl, b, &open), work_a, &result))
		return a < b ? PG_INT64_MAX : PG_INT64_MIN;
	return result;
}

TimestampTz
timeline_add(Timeline *tl, TimestampTz t, int64 usecs)
{
	const WeekTable *table = &tl->main;
	bool		open;
	int64		sum;

	if (usecs == 0)
		return t;
	if (likely((uint64) (t - table->start) < table->length &&
			   usecs < (int64) table->length))
	{
		uint64		need;

		/* from the main table to the main table; whole seconds, rounded up */
		sum = table_work(table, t, &open) + usecs;
		need = (uint64) (sum - table->base * USECS_PER_SEC +
						 USECS_PER_SEC - 1) / USECS_PER_SEC;
		if (likely(need <= table_total(table)))
			return table_find_open(table, (uint32) need, sum);
	}
	if (pg_add_s64_overflow(work_until(tl, t, &open), usecs, &sum))
		return DT_NOEND;
	return find_sum(tl, MEASURE_OPEN, sum, false);
}

TimestampTz
timeline_sub(Timeline *tl, TimestampTz t, int64 usecs)
{
	bool		open;
	int64		sum;

	if (usecs == 0)
		return t;
	if (pg_sub_s64_overflow(work_until(tl, t, &open), usecs, &sum))
		return DT_NOBEGIN;
	return find_sum(tl, MEASURE_OPEN, sum, true);
}

bool
timeline_is_open(Timeline *tl, TimestampTz t)
{
	bool		open;

	work_until(tl, t, &open);
	return open;
}

TimestampTz
timeline_next_open(Timeline *tl, TimestampTz t)
{
	bool		open;
	int64		work = work_until(tl, t, &open);

	if (open)
	{
		TimestampTz close = find_sum(tl, MEASURE_CLOSED,
									 closed_until(t, work), true);

		if (close == DT_NOEND)
			return DT_NOEND;
		work += close - t;
	}
	return find_sum(tl, MEASURE_OPEN, work, true);
}

TimestampTz
timeline_next_close(Timeline *tl, TimestampTz t)
{
	bool		open;
	int64		work = work_until(tl, t, &open);

	if (!open)
	{
		t = find_sum(tl, MEASURE_OPEN, work, true);
		if (t == DT_NOEND)
			return DT_NOEND;
	}
	return find_sum(tl, MEASURE_CLOSED, closed_until(t, work), true);
}

/*
 * Looking back, what counts is the stretch that ends at t: it is open exactly
 * when closed time has stood still for a while.
 */
bool
timeline_is_open_before(Timeline *tl, TimestampTz t)
{
	bool		open;
	int64		work = work_until(tl, t, &open);

	return find_sum(tl, MEASURE_CLOSED, closed_until(t, work), false) < t;
}

TimestampTz
timeline_prev_open(Timeline *tl, TimestampTz t)
{
	bool		open;
	int64		work = work_until(tl, t, &open);
	TimestampTz since = find_sum(tl, MEASURE_CLOSED, closed_until(t, work),
								 false);

	if (since < t)
		return since;
	t = find_sum(tl, MEASURE_OPEN, work, false);
	if (t == DT_NOBEGIN)
		return DT_NOBEGIN;
	return find_sum(tl, MEASURE_CLOSED, closed_until(t, work), false);
}

TimestampTz
timeline_prev_close(Timeline *tl, TimestampTz t)
{
	bool		open;
	int64		work = work_until(tl, t, &open);
	TimestampTz since = find_sum(tl, MEASURE_CLOSED, closed_until(t, work),
								 false);

	if (since == DT_NOBEGIN)
		return DT_NOBEGIN;
	if (since < t)
		work -= t - since;
	return find_sum(tl, MEASURE_OPEN, work, false);
}

bool
timeline_is_always(const Timeline *tl)
{
	return tl->rules->nparts == 1 && hours_part_is_always(&tl->rules->parts[0]);
}

const HoursPart *
timeline_leading_part(const Timeline *tl)
{
	return &tl->rules->parts[0];
}

const ZoneTable *
timeline_leading_zone(const Timeline *tl)
{
	return tl->zones[0];
}

const DayCount *
timeline_days(Timeline *tl)
{
	if (tl->days == NULL)
		tl->days = day_count_build(&tl->rules->parts[0], tl->context);
	return tl->days;
}

Size
timeline_memory(const Timeline *tl)
{
	return MemoryContextMemAllocated(tl->context, true);
}

void
timeline_free(Timeline *tl)
{
	MemoryContextDelete(tl->context);
}

static const ZoneTable *
find_zone(const char *name)
{
	const ZoneTable *zone = zone_find(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" of a business_hours value is not known to this server",
						name),
				 errhint("See the view pg_timezone_names; the time zone data of this server may be older than the value.")));
	return zone;
}

Timeline *
timeline_compile(const HoursRules *rules, MemoryContext context)
{
	Timeline   *tl = MemoryContextAllocZero(context, sizeof(Timeline));
	bool		open;

	tl->context = context;
	tl->rules = rules;
	tl->zones = MemoryContextAlloc(context, rules->nparts * sizeof(ZoneTable *));
	for (int32 p = 0; p < rules->nparts; p++)
		tl->zones[p] = find_zone(rules->parts[p].zone);
	for (int i = 0; i < FAR_SLOTS; i++)
		tl->slot_chunk[i] = PG_INT32_MAX;
	for (int i = 0; i < CYCLE_CHUNKS; i++)
		tl->past_total[i] = tl->future_total[i] = -1;
	chunk_find_bounds(tl);

	table_build(&tl->main, rules, tl->zones, context, MAIN_FIRST_CHUNK * CHUNK_WEEKS,
				MAIN_CHUNKS * CHUNK_WEEKS, 0);
	tl->main.base = -table_work(&tl->main, WEEK_EPOCH_USECS, &open) / USECS_PER_SEC;
	return tl;
}
