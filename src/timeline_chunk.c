/*
 * timeline_chunk.c
 *		The line outside a timeline's main table, in chunks of weeks.
 *
 * The table of a chunk is built when an instant falls into it and kept in one
 * of a few slots. The sum at a chunk's start follows from sums of whole chunks,
 * listed as far as someone asked: they repeat every 400 years (exactly 27
 * chunks) before the first and after the last thing that happens in one year
 * only, a clock change, a special date or an Easter. So memory and time stay
 * bounded for any date PostgreSQL accepts.
 *
 * Knows nothing of what a timeline is asked.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "floor_div.h"
#include "timeline_internal.h"

/* ---------- chunks outside the main table ---------- */

int32
chunk_of(TimestampTz t)
{
	int64		secs = floor_div(t, USECS_PER_SEC) - WEEK_EPOCH_SECS;

	return (int32) floor_div(secs, CHUNK_SECS);
}

/*
 * Build the table of a chunk in one of the slots, its sums beginning at base.
 * Valid until FAR_SLOTS further calls.
 */
static WeekTable *
chunk_table(Timeline *tl, int32 chunk, int64 base)
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
	table_build(table, tl->rules, tl->zones, table->context, (int64) chunk * CHUNK_WEEKS,
				CHUNK_WEEKS, base);
	return table;
}

/* Does a special date of one year reach into the chunk? */
static bool
chunk_has_specials(const Timeline *tl, int32 chunk)
{
	int64		first = WEEK_START((int64) chunk * CHUNK_WEEKS) / SLA_SECS_PER_DAY - 4;
	int64		last = first + CHUNK_WEEKS * 7 + 8;

	for (int32 p = 0; p < tl->rules->nparts; p++)
	{
		const HoursPart *part = &tl->rules->parts[p];
		int32		next = hours_part_next_special(part, first);

		if (next < part->nspecials && part->specials[next].first <= last)
			return true;
	}
	return false;
}

/*
 * Open seconds of a chunk. Most chunks far away are like others of the same
 * place in the cycle, and are worked out once for all.
 */
static int64
chunk_total(Timeline *tl, int32 chunk)
{
	int64	   *known = NULL;
	int64		total;

	CHECK_FOR_INTERRUPTS();
	if (!chunk_has_specials(tl, chunk) &&
		!(tl->has_easter && chunk >= EASTER_FIRST_CHUNK &&
		  chunk <= EASTER_LAST_CHUNK))
	{
		if (chunk >= FUTURE_CHUNK)
			known = &tl->future_total[(chunk - FUTURE_CHUNK) % CYCLE_CHUNKS];
		else if (chunk < PAST_CHUNK)
			known = &tl->past_total[(PAST_CHUNK - chunk) % CYCLE_CHUNKS];
	}
	if (known != NULL && *known >= 0)
		return *known;
	total = table_total(chunk_table(tl, chunk, 0));
	if (known != NULL)
		*known = total;
	return total;
}

/* Make directory entry i known, working outwards from the main table. */
static void
directory_extend(Timeline *tl, int32 i)
{
	if (tl->directory == NULL)
	{
		int32		count = tl->future_chunk + CYCLE_CHUNKS + 1 - tl->first_listed;

		tl->directory = MemoryContextAlloc(tl->context, count * sizeof(int64));
		tl->known_first = MAIN_FIRST_CHUNK - tl->first_listed;
		tl->known_last = tl->known_first + MAIN_CHUNKS;
		tl->directory[tl->known_first] = tl->main.base;
		tl->directory[tl->known_last] = tl->main.base + table_total(&tl->main);
	}
	while (tl->known_last < i)
	{
		tl->directory[tl->known_last + 1] = tl->directory[tl->known_last] +
			chunk_total(tl, tl->first_listed + tl->known_last);
		tl->known_last++;
	}
	while (tl->known_first > i)
	{
		tl->directory[tl->known_first - 1] = tl->directory[tl->known_first] -
			chunk_total(tl, tl->first_listed + tl->known_first - 1);
		tl->known_first--;
	}
}

int32
chunk_first_known(const Timeline *tl)
{
	return tl->directory ? tl->first_listed + tl->known_first : MAIN_FIRST_CHUNK;
}

int32
chunk_last_known(const Timeline *tl)
{
	return tl->directory ? tl->first_listed + tl->known_last :
		MAIN_FIRST_CHUNK + MAIN_CHUNKS;
}

static int64
directory_at(Timeline *tl, int32 chunk)
{
	int32		i = chunk - tl->first_listed;

	if (tl->directory == NULL || i < tl->known_first || i > tl->known_last)
		directory_extend(tl, i);
	return tl->directory[i];
}

int64
chunk_base(Timeline *tl, int32 chunk)
{
	int32		past = tl->past_chunk;
	int32		future = tl->future_chunk;
	int32		cycles = 0;
	int64		cycle_sum = 0;

	if (chunk < past - CYCLE_CHUNKS)
	{
		cycles = (past - chunk) / CYCLE_CHUNKS;
		cycle_sum = directory_at(tl, past - CYCLE_CHUNKS) - directory_at(tl, past);
	}
	else if (chunk > future + CYCLE_CHUNKS)
	{
		cycles = (chunk - future) / CYCLE_CHUNKS;
		cycle_sum = directory_at(tl, future + CYCLE_CHUNKS) - directory_at(tl, future);
		return directory_at(tl, chunk - cycles * CYCLE_CHUNKS) + cycles * cycle_sum;
	}
	return directory_at(tl, chunk + cycles * CYCLE_CHUNKS) + cycles * cycle_sum;
}

const WeekTable *
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
	table = chunk_table(tl, chunk, base);
	tl->slot_chunk[table - tl->slots] = chunk;
	return table;
}

void
chunk_find_bounds(Timeline *tl)
{
	tl->past_chunk = PAST_CHUNK;
	tl->future_chunk = FUTURE_CHUNK;
	for (int32 p = 0; p < tl->rules->nparts; p++)
	{
		const HoursPart *part = &tl->rules->parts[p];

		if (part->neaster > 0)
		{
			tl->has_easter = true;
			tl->past_chunk = Min(tl->past_chunk, EASTER_FIRST_CHUNK);
			tl->future_chunk = Max(tl->future_chunk, EASTER_LAST_CHUNK + 1);
		}
		if (part->nspecials > 0)
		{
			const HoursSpecial *last = &part->specials[part->nspecials - 1];

			tl->past_chunk = Min(tl->past_chunk,
								 chunk_of((part->specials[0].first - (int64) 4) *
										  USECS_PER_DAY));
			tl->future_chunk = Max(tl->future_chunk,
								   chunk_of((last->last + (int64) 4) *
											USECS_PER_DAY) + 1);
		}
	}
	tl->first_listed = tl->past_chunk - CYCLE_CHUNKS;
}
