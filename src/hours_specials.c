/*
 * hours_specials.c
 *		Makes the special dates of a part canonical: sorted ranges, each with
 *		one day, that say something else than the recurring rules.
 *
 * Dates are never looked at one by one unless a recurring rule touches them,
 * so that a range of thousands of years costs little.
 *
 * Pure, like hours_text.c: no fmgr, no SPI, no time-zone data.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "hours_canon_internal.h"
#include "hours_dates.h"

/* Dates that are walked over at a time */
#define WALK_DATES		(400 * 366)

/* A stretch of special dates on which one rule is the last */
typedef struct Stretch
{
	int64		first;
	int64		last;
	int32		named;
} Stretch;

static int
compare_dates(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* Index of a date in a sorted list that has it */
static int32
date_index(const int64 *dates, int32 ndates, int64 date)
{
	int32		lo = 0,
				hi = ndates - 1;

	while (lo < hi)
	{
		int32		mid = (lo + hi) / 2;

		if (dates[mid] < date)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * Cut the special dates into stretches on which one rule is the last: between
 * all dates where a rule begins or ends, painted from the last rule to the
 * first, each piece once. next[] leads from a piece to the first one at or
 * behind it that has no paint yet. Returns their number.
 */
static int32
find_stretches(const HoursBuilder *builder, Stretch **stretches)
{
	Size		size = 2 * (Size) builder->nnamed * sizeof(int64);
	int64	   *dates = palloc_extended(size, MCXT_ALLOC_HUGE);
	int32		ndates = 0;
	int32		n = 0;
	int32	   *next;
	int32	   *paint;

	for (int32 i = 0; i < builder->nnamed; i++)
	{
		if (builder->named[i].kind != HOURS_DATE_ISO)
			continue;
		dates[n++] = builder->named[i].from;
		dates[n++] = (int64) builder->named[i].to + 1;
	}
	*stretches = NULL;
	if (n == 0)
	{
		pfree(dates);
		return 0;
	}
	qsort(dates, n, sizeof(int64), compare_dates);
	for (int32 i = 0; i < n; i++)
	{
		if (i == 0 || dates[i] != dates[ndates - 1])
			dates[ndates++] = dates[i];
	}

	next = palloc(ndates * sizeof(int32));
	paint = palloc(ndates * sizeof(int32));
	for (int32 i = 0; i < ndates; i++)
	{
		next[i] = i;
		paint[i] = -1;
	}
	for (int32 i = builder->nnamed - 1; i >= 0; i--)
	{
		const HoursNamed *named = &builder->named[i];
		int32		piece;
		int32		end;

		if (named->kind != HOURS_DATE_ISO)
			continue;
		piece = date_index(dates, ndates, named->from);
		end = date_index(dates, ndates, (int64) named->to + 1);
		for (;;)
		{
			/* follow the pointers, halving the path */
			while (next[piece] != piece)
				piece = next[piece] = next[next[piece]];
			if (piece >= end)
				break;
			paint[piece] = i;
			next[piece] = piece + 1;
		}
	}

	*stretches = palloc(ndates * sizeof(Stretch));
	n = 0;
	for (int32 i = 0; i < ndates - 1; i++)
	{
		Stretch    *stretch = &(*stretches)[n];

		if (paint[i] < 0)
			continue;
		n++;
		stretch->first = dates[i];
		stretch->last = dates[i + 1] - 1;
		stretch->named = paint[i];
	}
	pfree(dates);
	pfree(next);
	pfree(paint);
	return n;
}

static int
compare_numbers(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

/* The recurring rules that come after a given one, as they were given */
typedef struct LaterRules
{
	const HoursBuilder *builder;
	const Recurring *recurring;
	int32		order[NSLOTS + NOFFSETS];	/* all of them, ascending */
	int			norder;
	int			position;		/* in order; of the first one in the part */
	HoursPart	part;			/* rank: position of the rule in order */
	HoursYearly yearly[NSLOTS];
	HoursEaster easter[NOFFSETS];
} LaterRules;

/* Position in order of the first rule behind the one given */
static int
rules_behind(const LaterRules *later, int32 named)
{
	int			lo = 0,
				hi = later->norder;

	while (lo < hi)
	{
		int			mid = (lo + hi) / 2;

		if (later->order[mid] <= named)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static LaterRules *
later_begin(const HoursBuilder *builder, const Recurring *recurring)
{
	LaterRules *later = palloc0(sizeof(LaterRules));

	later->builder = builder;
	later->recurring = recurring;
	later->part.yearly = later->yearly;
	later->part.easter = later->easter;
	for (int i = 0; i < NSLOTS; i++)
	{
		if (recurring->yearly[i] >= 0)
			later->order[later->norder++] = recurring->yearly[i];
	}
	for (int i = 0; i < NOFFSETS; i++)
	{
		if (recurring->easter[i] >= 0)
			later->order[later->norder++] = recurring->easter[i];
	}
	qsort(later->order, later->norder, sizeof(int32), compare_numbers);
	later->position = later->norder;
	return later;
}

/* Make part hold the rules behind the one given. */
static void
later_than(LaterRules *later, int32 named)
{
	int			position = rules_behind(later, named);

	if (position == later->position)
		return;
	later->position = position;
	later->part.nyearly = later->part.neaster = 0;
	if (position == later->norder)
		return;
	for (int slot = 0; slot < NSLOTS; slot++)
	{
		int32		rule = later->recurring->yearly[slot];
		HoursYearly *yearly = &later->yearly[later->part.nyearly];

		if (rule <= named)
			continue;
		yearly->month = slot / 32;
		yearly->mday = slot % 32;
		yearly->rank = rules_behind(later, rule);
		yearly->day = later->builder->named[rule].day;
		later->part.nyearly++;
	}
	for (int i = 0; i < NOFFSETS; i++)
	{
		int32		rule = later->recurring->easter[i];
		HoursEaster *easter = &later->easter[later->part.neaster];

		if (rule <= named)
			continue;
		easter->offset = i - HOURS_MAX_EASTER;
		easter->rank = rules_behind(later, rule);
		easter->day = later->builder->named[rule].day;
		later->part.neaster++;
	}
}

/* What the recurring rules alone say in the year that was asked for last */
typedef struct RecurringYear
{
	HoursPart	part;			/* without special dates */
	int64		first;
	int64		last;
	const HoursDay *days[366];
} RecurringYear;

static RecurringYear *
year_begin(const HoursPart *part)
{
	RecurringYear *year = palloc0(sizeof(RecurringYear));

	year->part = *part;
	year->last = -1;
	return year;
}

static void
year_set(RecurringYear *year, int64 date)
{
	SpecialDate *dates;
	int32		ndates;
	int64		number;
	int			month,
				mday;

	hours_date_fields(date, &number, &month, &mday);
	year->first = hours_date_make(number, 1, 1);
	year->last = hours_date_make(number, MONTHS_PER_YEAR, 31);
	memset(year->days, 0, sizeof(year->days));
	ndates = hours_part_specials(&year->part, year->first, year->last, &dates);
	for (int32 i = 0; i < ndates; i++)
		year->days[dates[i].date - year->first] = dates[i].day;
	pfree(dates);
}

/* Do the recurring rules alone say this of a date? */
static bool
recurring_says(RecurringYear *year, int64 date, const HoursDay *day)
{
	const HoursDay *said;

	if (!hours_part_has_recurring(&year->part))
		return false;
	if (date < year->first || date > year->last)
		year_set(year, date);
	said = year->days[date - year->first];
	return said && same_day(said, day);
}

/* Do the recurring rules say this of every date in every year? */
static bool
recurring_says_always(const HoursPart *part, const HoursDay *day)
{
	if (part->nyearly != 366)
		return false;
	for (int32 i = 0; i < part->nyearly; i++)
	{
		if (!same_day(&part->yearly[i].day, day))
			return false;
	}
	for (int32 i = 0; i < part->neaster; i++)
	{
		if (!same_day(&part->easter[i].day, day))
			return false;
	}
	return true;
}

/*
 * Add dates on which the special rules say one thing. Those at either end of
 * which the recurring rules say it as well are left out, and the rest becomes
 * part of the range before it if all dates in between say the same. False if
 * there are too many ranges.
 */
static bool
add_special(HoursPart *part, int32 *room, RecurringYear *year, int64 first,
			int64 last, const HoursDay *day)
{
	HoursSpecial *before = part->nspecials > 0 ?
		&part->specials[part->nspecials - 1] : NULL;

	while (first <= last && recurring_says(year, first, day))
		first++;
	while (first <= last && recurring_says(year, last, day))
		last--;
	if (first > last)
		return true;

	if (before && same_day(&before->day, day))
	{
		int64		date = before->last + (int64) 1;

		while (date < first && recurring_says(year, date, day))
			date++;
		if (date == first)
		{
			before->last = last;
			return true;
		}
	}

	if (part->nspecials == HOURS_MAX_SPECIALS)
		return false;
	if (part->nspecials == *room)
	{
		*room = Max(16, *room * 2);
		part->specials = part->specials ?
			repalloc(part->specials, *room * sizeof(HoursSpecial)) :
			palloc(*room * sizeof(HoursSpecial));
	}
	part->specials[part->nspecials].first = first;
	part->specials[part->nspecials].last = last;
	part->specials[part->nspecials++].day = *day;
	return true;
}

/*
 * Add a stretch, except for the dates on which later recurring rules say
 * something else.
 */
static bool
add_stretch(HoursPart *part, int32 *room, RecurringYear *year,
			const Stretch *stretch, const HoursDay *day,
			const LaterRules *later)
{
	int64		first = stretch->first;

	if (recurring_says_always(part, day))
		return true;

	for (int64 from = first;
		 from <= stretch->last && hours_part_has_recurring(&later->part);
		 from += WALK_DATES)
	{
		SpecialDate *replaced;
		int32		n;

		CHECK_FOR_INTERRUPTS();
		n = hours_part_specials(&later->part, from,
								Min(from + WALK_DATES - 1, stretch->last),
								&replaced);
		for (int32 i = 0; i < n; i++)
		{
			if (same_day(replaced[i].day, day))
				continue;
			if (!add_special(part, room, year, first,
							 replaced[i].date - 1, day))
				return false;
			first = replaced[i].date + 1;
		}
		pfree(replaced);
	}
	return add_special(part, room, year, first, stretch->last, day);
}

bool
hours_finish_specials(const HoursBuilder *builder, const Recurring *recurring,
					  HoursPart *part)
{
	LaterRules *later = later_begin(builder, recurring);
	RecurringYear *year = year_begin(part);
	Stretch    *stretches;
	int32		nstretches = find_stretches(builder, &stretches);
	int32		room = 0;
	bool		ok = true;

	for (int32 i = 0; i < nstretches && ok; i++)
	{
		CHECK_FOR_INTERRUPTS();
		later_than(later, stretches[i].named);
		ok = add_stretch(part, &room, year, &stretches[i],
						 &builder->named[stretches[i].named].day, later);
	}
	if (stretches)
		pfree(stretches);
	pfree(year);
	pfree(later);
	return ok;
}
