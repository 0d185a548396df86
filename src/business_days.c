/*
 * business_days.c
 *		Counting business days by weeks and corrections for special dates.
 *
 * A business day is a date on which some rule's window opens: the rule's own
 * word, before windows are merged, clock changes aside, special dates applied.
 * Knows nothing of instants or zones.
 */
#include "postgres.h"

#include "utils/date.h"
#include "utils/memutils.h"

#include "business_days.h"
#include "timeline_pattern.h"

#define FIRST_DATE	(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
#define LAST_DATE	(DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)

struct DayCount
{
	const HoursPart *part;
	int32		before[8];		/* business days among the first i days of a
								 * week that begins like 2000-01-01 */
	int32	   *special_sum;	/* [nspecials + 1] running sum of what special
								 * dates add to their weekdays */
};

DayCount *
day_count_build(const HoursPart *part, MemoryContext context)
{
	DayCount   *days = MemoryContextAllocZero(context, sizeof(DayCount));

	days->part = part;
	for (int i = 0; i < 7; i++)
		days->before[i + 1] = days->before[i] +
			(hours_part_weekday(part, i)->nspans > 0);
	days->special_sum = MemoryContextAllocZero(context,
											   (part->nspecials + 1) * sizeof(int32));
	for (int32 i = 0; i < part->nspecials; i++)
	{
		const HoursSpecial *special = &part->specials[i];

		days->special_sum[i + 1] = days->special_sum[i] +
			(special->day.nspans > 0) -
			(hours_part_weekday(part, special->first)->nspans > 0);
	}
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
	int64		week = date / 7 - (date % 7 < 0);
	const HoursPart *part = days->part;
	int32		lo = 0,
				hi = part->nspecials;

	while (lo < hi)
	{
		int32		mid = (lo + hi) / 2;

		if (part->specials[mid].first < date)
			lo = mid + 1;
		else
			hi = mid;
	}
	return week * days->before[7] + days->before[date - week * 7] +
		days->special_sum[lo];
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
