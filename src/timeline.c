/*
 * timeline.c
 *		Working time along the real line, by search in prepared tables.
 *
 * The line is cut into UTC weeks, weeks into chunks of CHUNK_WEEKS. A table
 * holds, for consecutive weeks, the running sum of open seconds and the
 * pattern of each week, so that the working time before an instant is one
 * index, one addition and a look into a week; the inverse is a second index
 * from sum to week. Span never matters.
 *
 * One table, the main one, covers decades around the present and is built
 * with the calendar. Any other instant falls into a chunk whose table is built
 * when needed and kept in one of a few slots. The sum at a chunk's start
 * follows from sums of whole chunks: these repeat every 400 years after the
 * last irregular clock change (27 chunks are exactly 400 years), and every
 * chunk before the first. Special dates far away are corrections on top.
 * So memory and time stay bounded for any date PostgreSQL accepts.
 *
 * Sums count from the start of week 0. Working time and closed time are two
 * measures of the same tables: opening instants are found by searching the
 * one, closing instants by searching the other.
 *
 * Knows nothing of SQL, policies or the current time.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "timeline.h"
#include "timeline_pattern.h"

#define CHUNK_WEEKS			773		/* 27 chunks are 20871 weeks, 400 years */
#define CYCLE_CHUNKS		27

/* The main table: 1985-03-11 to 2044-06-13 */
#define MAIN_FIRST_CHUNK	(-1)
#define MAIN_CHUNKS			4

/* Clock changes before this chunk (1823) do not exist in the zone database */
#define PAST_CHUNK			(-12)
/* and from this one (2103) on they follow a rule: see zone.c */
#define FUTURE_CHUNK		7

#define DIRECTORY_CHUNKS	(FUTURE_CHUNK + CYCLE_CHUNKS - PAST_CHUNK)

/* Chunks that hold the first and the last timestamp */
#define FIRST_CHUNK			(-454)
#define LAST_CHUNK			19728

#define WEEK_EPOCH_USECS	(WEEK_EPOCH_SECS * USECS_PER_SEC)
#define CHUNK_SECS			(CHUNK_WEEKS * SLA_SECS_PER_WEEK)

#define FAR_SLOTS			3

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

/* A chunk with special dates outside the main table */
typedef struct FarSpecial
{
	int32		chunk;
	int64		sum_until;		/* corrections of it and those between it and
								 * the main table, open seconds */
} FarSpecial;

struct Timeline
{
	WeekTable	main;
	MemoryContext context;
	const HoursRules *rules;
	const ZoneTable *zone;
	DayCount   *days;			/* NULL until needed */

	/*
	 * directory[i] is the sum at the start of chunk PAST_CHUNK + i without far
	 * special dates; known for known_first <= i <= known_last.
	 */
	int64	   *directory;
	int32		known_first;
	int32		known_last;

	FarSpecial *specials;		/* ascending chunks; NULL until needed */
	int32		nspecials;

	WeekTable	slots[FAR_SLOTS];
	int32		slot_chunk[FAR_SLOTS];
	int32		next_slot;
};

/* What is being summed up */
typedef enum Measure
{
	MEASURE_OPEN,
	MEASURE_CLOSED
} Measure;

/* ---------- tables ---------- */

static inline const WeekPattern *
week_pattern(const WeekTable *table, int32 week)
{
	return (const WeekPattern *) (table->patterns + table->weeks[week].pattern);
}

/*
 * The pattern of every week, and all patterns one behind the other: what is
 * looked at together lies together.
 */
static void
table_patterns(WeekTable *table, const Timeline *tl, bool with_specials)
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
	pattern_fill(&set, &tl->rules->parts[0], tl->zone, with_specials,
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

/*
 * Build the table of nweeks weeks from first_week on in context, whose sums
 * begin at base.
 */
static void
table_build(WeekTable *table, const Timeline *tl, MemoryContext context,
			int64 first_week, int32 nweeks, bool with_specials, int64 base)
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
	table_patterns(table, tl, with_specials);
	for (int32 week = 0; week < nweeks; week++)
	{
		table->weeks[week].before = (uint32) total;
		total += week_pattern(table, week)->total;
	}
	table->weeks[nweeks].before = (uint32) total;

	/* about one entry for a week, so that a look-up leaves little to search */
	table->index_shift = 0;
	while ((total >> table->index_shift) >= (uint64) nweeks)
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

/* Value of a measure at the start of a week of the table, from its first on */
static inline uint64
table_at(const WeekTable *table, Measure measure, int32 week)
{
	return measure == MEASURE_OPEN ? table->weeks[week].before :
		(uint64) week * SLA_SECS_PER_WEEK - table->weeks[week].before;
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

	if (likely(hi - lo <= 1))
		lo += table->weeks[lo + 1].before < need;
	while (unlikely(lo < hi && table->weeks[lo + 1].before < need))
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

/* The same for closed time */
static TimestampTz
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

		if (table_at(table, MEASURE_CLOSED, mid + 1) >= need)
			hi = mid;
		else
			lo = mid + 1;
	}
	before = table_at(table, MEASURE_CLOSED, lo);
	span = pattern_find_closed(week_pattern(table, lo), (uint32) (need - before));
	start = span->close;
	before += table->first_week * SLA_SECS_PER_WEEK - table->base +
		span->open - span->before;
	return table->start + lo * SLA_USECS_PER_WEEK + start * USECS_PER_SEC +
		sum - before * USECS_PER_SEC;
}

static inline TimestampTz
table_find(const WeekTable *table, Measure measure, uint64 need, int64 sum)
{
	return measure == MEASURE_OPEN ?
		table_find_open(table, (uint32) need, sum) :
		table_find_closed(table, need, sum);
}

/* ---------- chunks outside the main table ---------- */

static int32
chunk_of(TimestampTz t)
{
	int64		secs = t / USECS_PER_SEC - (t % USECS_PER_SEC < 0) - WEEK_EPOCH_SECS;

	return (int32) (secs >= 0 ? secs / CHUNK_SECS : -((-secs - 1) / CHUNK_SECS) - 1);
}

/*
 * The table of a chunk in one of the slots, its sums beginning at base. Valid
 * until FAR_SLOTS further calls.
 */
static WeekTable *
chunk_table(Timeline *tl, int32 chunk, bool with_specials, int64 base)
{
	int32		slot = tl->next_slot;
	WeekTable  *table = &tl->slots[slot];

	tl->next_slot = (slot + 1) % FAR_SLOTS;
	tl->slot_chunk[slot] = PG_INT32_MAX;	/* whoever keeps it says so */
	if (table->context == NULL)
		table->context = AllocSetContextCreate(tl->context,
											   "slapolicy timeline chunk",
											   ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(table->context);
	table_build(table, tl, table->context, (int64) chunk * CHUNK_WEEKS,
				CHUNK_WEEKS, with_specials, base);
	return table;
}

/* Make directory entry i known, working outwards from the main table. */
static void
directory_extend(Timeline *tl, int32 i)
{
	while (tl->known_last < i)
	{
		WeekTable  *table = chunk_table(tl, PAST_CHUNK + tl->known_last, false, 0);

		tl->directory[tl->known_last + 1] =
			tl->directory[tl->known_last] + table_total(table);
		tl->known_last++;
	}
	while (tl->known_first > i)
	{
		WeekTable  *table = chunk_table(tl, PAST_CHUNK + tl->known_first - 1,
										false, 0);

		tl->directory[tl->known_first - 1] =
			tl->directory[tl->known_first] - table_total(table);
		tl->known_first--;
	}
}

/* Sum at the start of a chunk outside the main table, special dates aside */
static int64
chunk_regular_base(Timeline *tl, int32 chunk)
{
	int32		cycles = 0;
	int64		cycle_sum = 0;

	if (chunk < PAST_CHUNK)
	{
		directory_extend(tl, 0);
		return tl->directory[0] -
			(PAST_CHUNK - chunk) * (tl->directory[1] - tl->directory[0]);
	}
	if (chunk > FUTURE_CHUNK + CYCLE_CHUNKS)
	{
		cycles = (chunk - FUTURE_CHUNK) / CYCLE_CHUNKS;
		chunk -= cycles * CYCLE_CHUNKS;
		directory_extend(tl, DIRECTORY_CHUNKS);
		cycle_sum = tl->directory[DIRECTORY_CHUNKS] -
			tl->directory[FUTURE_CHUNK - PAST_CHUNK];
	}
	directory_extend(tl, chunk - PAST_CHUNK);
	return tl->directory[chunk - PAST_CHUNK] + cycles * cycle_sum;
}

/*
 * List the chunks that special dates outside the main table reach, with what
 * they add to the regular sums. A date can reach into the chunk before or
 * after its own.
 */
static void
far_specials_prepare(Timeline *tl)
{
	const HoursPart *part = &tl->rules->parts[0];
	int32		room = 16;
	FarSpecial *list = MemoryContextAlloc(tl->context, room * sizeof(FarSpecial));
	int32		n = 0;
	int64		sum = 0;

	for (int32 i = 0; i < part->nspecials; i++)
	{
		TimestampTz midnight = (int64) part->specials[i].first * USECS_PER_DAY;
		int32		first = chunk_of(midnight - 2 * USECS_PER_DAY);
		int32		last = chunk_of(midnight + 4 * USECS_PER_DAY);

		for (int32 chunk = first; chunk <= last; chunk++)
		{
			if ((chunk >= MAIN_FIRST_CHUNK &&
				 chunk < MAIN_FIRST_CHUNK + MAIN_CHUNKS) ||
				(n > 0 && list[n - 1].chunk >= chunk))
				continue;
			if (n == room)
			{
				room *= 2;
				list = repalloc(list, room * sizeof(FarSpecial));
			}
			list[n].chunk = chunk;
			list[n].sum_until =
				(int64) table_total(chunk_table(tl, chunk, true, 0)) -
				(int64) table_total(chunk_table(tl, chunk, false, 0));
			n++;
			CHECK_FOR_INTERRUPTS();
		}
	}
	/* running sums, outwards from the main table on both sides */
	for (int32 i = 0; i < n; i++)
		if (list[i].chunk >= MAIN_FIRST_CHUNK)
			list[i].sum_until = sum += list[i].sum_until;
	sum = 0;
	for (int32 i = n - 1; i >= 0; i--)
		if (list[i].chunk < MAIN_FIRST_CHUNK)
			list[i].sum_until = sum += list[i].sum_until;
	tl->nspecials = n;
	tl->specials = list;
}

/*
 * Sum at the start of a chunk outside the main table, or at the end of the
 * main table.
 */
static int64
chunk_base(Timeline *tl, int32 chunk)
{
	int64		base = chunk_regular_base(tl, chunk);
	int32		lo = 0,
				hi;

	if (tl->specials == NULL)
		far_specials_prepare(tl);
	hi = tl->nspecials;
	while (lo < hi)				/* first listed chunk at or behind this one */
	{
		int32		mid = (lo + hi) / 2;

		if (tl->specials[mid].chunk < chunk)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (chunk >= MAIN_FIRST_CHUNK)
	{
		if (lo > 0 && tl->specials[lo - 1].chunk >= MAIN_FIRST_CHUNK)
			base += tl->specials[lo - 1].sum_until;
	}
	else if (lo < tl->nspecials && tl->specials[lo].chunk < MAIN_FIRST_CHUNK)
		base -= tl->specials[lo].sum_until;
	return base;
}

/* The table that covers a chunk */
static const WeekTable *
chunk_find_table(Timeline *tl, int32 chunk)
{
	int64		base;
	WeekTable  *table;

	if (chunk >= MAIN_FIRST_CHUNK && chunk < MAIN_FIRST_CHUNK + MAIN_CHUNKS)
		return &tl->main;
	for (int i = 0; i < FAR_SLOTS; i++)
		if (tl->slot_chunk[i] == chunk)
			return &tl->slots[i];
	base = chunk_base(tl, chunk);
	table = chunk_table(tl, chunk, true, base);
	tl->slot_chunk[table - tl->slots] = chunk;
	return table;
}

/* ---------- the two primitives ---------- */

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
	int64		floor_secs = sum / USECS_PER_SEC - (sum % USECS_PER_SEC < 0);
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

	/* the chunk at whose end the measure has reached what is needed */
	if (need > main_end)
	{
		lo = MAIN_FIRST_CHUNK + MAIN_CHUNKS;
		hi = LAST_CHUNK + 1;
		/* near chunks first, so that only as many are summed up as needed */
		while (lo < FUTURE_CHUNK + CYCLE_CHUNKS &&
			   chunk_measure(tl, measure, lo + 1) < need)
			lo++;
		if (lo < FUTURE_CHUNK + CYCLE_CHUNKS)
			hi = lo;
	}
	else
	{
		lo = FIRST_CHUNK - 1;
		hi = MAIN_FIRST_CHUNK - 1;
		while (hi > PAST_CHUNK && chunk_measure(tl, measure, hi) >= need)
			hi--;
		if (hi > PAST_CHUNK)
			lo = hi;
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

/* ---------- questions ---------- */

int64
timeline_between(Timeline *tl, TimestampTz a, TimestampTz b)
{
	bool		open;
	int64		work_a = work_until(tl, a, &open);
	int64		result;

	if (pg_sub_s64_overflow(work_until(tl, b, &open), work_a, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range")));
	return result;
}

TimestampTz
timeline_add(Timeline *tl, TimestampTz t, int64 usecs)
{
	bool		open;
	int64		sum;

	if (usecs == 0)
		return t;
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

const HoursPart *
timeline_leading_part(const Timeline *tl)
{
	return &tl->rules->parts[0];
}

const ZoneTable *
timeline_leading_zone(const Timeline *tl)
{
	return tl->zone;
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

/* ---------- compiling ---------- */

Timeline *
timeline_compile(const HoursRules *rules, MemoryContext context)
{
	const HoursPart *part = &rules->parts[0];
	const ZoneTable *zone = zone_find(part->zone);
	Timeline   *tl;
	bool		open;

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" of a business_hours value is not known to this server",
						part->zone),
				 errhint("See the view pg_timezone_names; the time zone data of this server may be older than the value.")));

	tl = MemoryContextAllocZero(context, sizeof(Timeline));
	tl->context = context;
	tl->rules = rules;
	tl->zone = zone;
	for (int i = 0; i < FAR_SLOTS; i++)
		tl->slot_chunk[i] = PG_INT32_MAX;

	table_build(&tl->main, tl, context, MAIN_FIRST_CHUNK * CHUNK_WEEKS,
				MAIN_CHUNKS * CHUNK_WEEKS, true, 0);
	tl->main.base = -table_work(&tl->main, WEEK_EPOCH_USECS, &open) / USECS_PER_SEC;

	tl->directory = MemoryContextAlloc(context,
									   (DIRECTORY_CHUNKS + 1) * sizeof(int64));
	tl->known_first = MAIN_FIRST_CHUNK - PAST_CHUNK;
	tl->known_last = tl->known_first + MAIN_CHUNKS;
	tl->directory[tl->known_first] = tl->main.base;
	tl->directory[tl->known_last] = tl->main.base + table_total(&tl->main);
	return tl;
}
