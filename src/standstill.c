/*
 * standstill.c
 *		Keeps the stretches in which a clock stands still with running sums of
 *		the working time in them.
 *
 * A ticket that is resolved and reopened a thousand times asks a thousand
 * times how much of its time did not count. Summing all of it up each time
 * would take longer than anything else.
 *
 * Knows timelines and pauses; knows no tickets and no current time.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "standstill.h"

void
standstill_begin(Standstill *still, TimestampTz start)
{
	still->start = start;
	still->open_since = DT_NOEND;
	still->n = 0;
}

void
standstill_add(Standstill *still, Timeline *tl, TimestampTz from,
			   TimestampTz to)
{
	from = Max(from, still->start);
	if (to <= from)
		return;
	while (still->n > 0 && still->stretches[still->n - 1].to >= from)
	{
		still->n--;
		from = Min(from, still->stretches[still->n].from);
		to = Max(to, still->stretches[still->n].to);
	}
	if (still->n == still->room)
	{
		still->room = Max(still->room * 2, 8);
		if (still->stretches == NULL)
		{
			still->stretches = palloc(still->room * sizeof(Pause));
			still->taken = palloc(still->room * sizeof(int64));
		}
		else
		{
			still->stretches = repalloc(still->stretches,
										still->room * sizeof(Pause));
			still->taken = repalloc(still->taken, still->room * sizeof(int64));
		}
	}
	still->stretches[still->n].from = from;
	still->stretches[still->n].to = to;
	still->taken[still->n] = work_sum(still->n > 0 ?
									  still->taken[still->n - 1] : 0,
									  timeline_between(tl, from, to));
	still->n++;
}

/* How many stretches begin before an instant */
static int
count_before(const Standstill *still, TimestampTz at)
{
	int			low = 0;
	int			high = still->n;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (still->stretches[mid].from < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Working time from start to an instant in the stretches that have an end */
static int64
taken_by_ended(const Standstill *still, Timeline *tl, TimestampTz until)
{
	int			n = count_before(still, until);
	const Pause *last;

	if (n == 0)
		return 0;
	last = &still->stretches[n - 1];
	if (last->to <= until)
		return still->taken[n - 1];
	return work_sum(n > 1 ? still->taken[n - 2] : 0,
					timeline_between(tl, last->from, until));
}

int64
standstill_taken(const Standstill *still, Timeline *tl, TimestampTz until)
{
	TimestampTz open = Max(still->open_since, still->start);

	if (until <= open)
		return taken_by_ended(still, tl, until);
	return work_sum(taken_by_ended(still, tl, open),
					timeline_between(tl, open, until));
}

TimestampTz
standstill_deadline(const Standstill *still, Timeline *tl,
					const BusinessInterval *amount)
{
	TimestampTz due = deadline_add(tl, still->start, amount);
	TimestampTz open = Max(still->open_since, still->start);
	TimestampTz from = still->start;
	int64		work;
	int			low = 0;
	int			high = still->n;

	if (TIMESTAMP_NOT_FINITE(due) || standstill_taken(still, tl, due) == 0)
		return due;
	work = timeline_between(tl, still->start, due);
	if (open != DT_NOEND &&
		timeline_between(tl, still->start, open) -
		taken_by_ended(still, tl, open) < work)
		return DT_NOEND;

	/* how many stretches begin before that much work was done */
	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (timeline_between(tl, still->start, still->stretches[mid].from) -
			(mid > 0 ? still->taken[mid - 1] : 0) < work)
			low = mid + 1;
		else
			high = mid;
	}
	if (low > 0)
	{
		from = still->stretches[low - 1].to;
		work -= timeline_between(tl, still->start, from) - still->taken[low - 1];
	}
	return timeline_add(tl, from, work);
}

TimestampTz
standstill_end(const Standstill *still, TimestampTz at)
{
	int			n = count_before(still, at + 1);

	if (n > 0 && still->stretches[n - 1].to > at)
		at = still->stretches[n - 1].to;
	return at >= still->open_since ? DT_NOEND : at;
}

TimestampTz
standstill_last_end(const Standstill *still)
{
	return still->n > 0 ? still->stretches[still->n - 1].to : DT_NOBEGIN;
}
