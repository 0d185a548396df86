/*
 * business_days.c
 *		Counting business days by weeks, with corrections for recurring and
 *		special dates.
 *
 * A business day is a date on which some rule's window opens: the rule's own
 * word, before windows are merged, clock changes aside, special dates applied.
 * Knows nothing of instants or zones.
 */
#include "postgres.h"

#include "utils/date.h"
#include "utils/memutils.h"

#include "business_days.h"
#include "floor_div.h"
#include "hours_dates.h"

#define FIRST_DATE	(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
#define LAST_DATE	(DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)

/* Recurring dates are summed up by blocks of this many years */
#define BLOCK_YEARS		8
/* of which these make 400 years */
#define CYCLE_BLOCKS	50
#define CYCLE_DAYS		146097

/* The blocks that are listed: those with a year that has an Easter, or one cycle */
#define EASTER_BLOCK_YEAR	1576
#define EASTER_BLOCKS		1053	/* until 10000 */

struct DayCount
{
	const HoursPart *part;
	int32		before[8];		/* business days among the first i days of a
								 * week that begins like 2000-01-01 */

	/*
	 * What recurring dates add to their weekdays, from the start of the first
	 * listed block on: [nblocks + 1], NULL when nothing recurs.
	 */
	int32	   *block_sum;
	int32		nblocks;
	int64		first_year;		/* of the first listed block */

	int32	   *special_sum;	/* [nspecials + 1] what special dates add to
								 * all that */
};

/* What the dates in [first, last) that recur add to their weekdays */
static int32
recurring_sum(const HoursPart *part, int64 first, int64 last)
{
	HoursPart	recurring = *part;
	SpecialDate *dates;
	int32		n;
	int32		sum = 0;

	recurring.nspecials = 0;
	n = hours_part_specials(&recurring, first, last - 1, &dates);
	for (int32 i = 0; i < n; i++)
		sum += (dates[i].day->nspans > 0) -
			(hours_part_weekday(part, dates[i].date)->nspans > 0);
	pfree(dates);
	return sum;
}

/* The same from the first listed block to a date, any date */
static int64
recurring_until(const DayCount *days, int64 date)
{
	int64		year;
	int			month,
				mday;
	int64		block;
	int64		cycles = 0;
	int64		start;

	if (days->block_sum == NULL)
		return 0;
	hours_date_fields(date, &year, &month, &mday);
	block = floor_div(year - days->first_year, BLOCK_YEARS);

	/* beyond the list, the first and the last cycle repeat */
	if (block < 0)
		cycles = floor_div(block, CYCLE_BLOCKS);
	else if (block >= days->nblocks)
		cycles = (block - days->nblocks) / CYCLE_BLOCKS + 1;
	block -= cycles * CYCLE_BLOCKS;
	date -= cycles * CYCLE_DAYS;
	start = hours_date_make(days->first_year + block * BLOCK_YEARS, 1, 1);
	return days->block_sum[block] +
		recurring_sum(days->part, start, date) +
		(cycles < 0 ? cycles * (int64) days->block_sum[CYCLE_BLOCKS] :
		 cycles * (int64) (days->block_sum[days->nblocks] -
						   days->block_sum[days->nblocks - CYCLE_BLOCKS]));
}

/* Business days from a fixed origin to the date, special dates aside */
static int64
regular_until(const DayCount *days, int64 date)
{
	int64		week = floor_div(date, 7);

	return week * days->before[7] + days->before[date - week * 7] +
		recurring_until(days, date);
}

/* What part of a special range before a date adds to the regular count */
static int32
special_part(const DayCount *days, const HoursSpecial *special, int64 date)
{
	int64		business = special->day.nspans > 0 ? date - special->first : 0;

	return (int32) (business - (regular_until(days, date) -
								regular_until(days, special->first)));
}

DayCount *
day_count_build(const HoursPart *part, MemoryContext context)
{
	DayCount   *days = MemoryContextAllocZero(context, sizeof(DayCount));

	days->part = part;
	for (int i = 0; i < 7; i++)
		days->before[i + 1] = days->before[i] +
			(hours_part_weekday(part, i)->nspans > 0);

	if (hours_part_has_recurring(part))
	{
		/* one cycle before the first Easter, one after the last */
		int32		nblocks = part->neaster > 0 ?
			EASTER_BLOCKS + 2 * CYCLE_BLOCKS : CYCLE_BLOCKS;
		int64		first_year = part->neaster > 0 ?
			EASTER_BLOCK_YEAR - CYCLE_BLOCKS * BLOCK_YEARS : 2000;
		int32	   *sum = MemoryContextAllocZero(context,
												 (nblocks + 1) * sizeof(int32));

		for (int32 i = 0; i < nblocks; i++)
		{
			int64		year = first_year + i * BLOCK_YEARS;

			sum[i + 1] = sum[i] +
				recurring_sum(part, hours_date_make(year, 1, 1),
							  hours_date_make(year + BLOCK_YEARS, 1, 1));
		}
		days->first_year = first_year;
		days->nblocks = nblocks;
		days->block_sum = sum;
	}

	days->special_sum = MemoryContextAllocZero(context,
											   (part->nspecials + 1) * sizeof(int32));
	for (int32 i = 0; i < part->nspecials; i++)
		days->special_sum[i + 1] = days->special_sum[i] +
			special_part(days, &part->specials[i],
						 (int64) part->specials[i].last + 1);
	return days;
}

bool
is_business_day(const HoursPart *part, int32 date)
{
	return hours_part_day(part, date)->nspans > 0;
}

/* Business days from a fixed origin to the date, exclusive */
static int64
count_until(const DayCount *days, int64 date)
{
	const HoursPart *part = days->part;
	int64		count = regular_until(days, date);
	int32		next = hours_part_next_special(part, date);

	/* ranges that are over before the date, and what of the next one is */
	count += days->special_sum[next];
	if (next < part->nspecials && part->specials[next].first < date)
		count += special_part(days, &part->specials[next], date);
	return count;
}

int64
business_days_count(const DayCount *days, int32 a, int32 b)
{
	return count_until(days, b) - count_until(days, a);
}

bool
business_days_shift(const DayCount *days, int32 date, int64 n, int32 *result)
{
	int64		target;
	int64		lo,
				hi;

	*result = date;
	if (n == 0)
		return true;

	/* the wanted date is the first one whose end the count is target at */
	if (n > 0)
		target = count_until(days, (int64) date + 1) + n;
	else
		target = count_until(days, date) + n + 1;
	lo = FIRST_DATE;
	hi = (int64) LAST_DATE + 1;
	if (target <= count_until(days, lo))
		return false;
	while (lo < hi)
	{
		int64		mid = lo + (hi - lo) / 2;

		if (count_until(days, mid + 1) >= target)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo > LAST_DATE)
		return false;
	*result = (int32) lo;
	return true;
}
