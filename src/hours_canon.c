/*
 * hours_canon.c
 *		Makes one canonical part of date rules in the order they were given.
 *
 * Dates may be named by three kinds of rules: single dates and ranges, days of
 * the year, and days counted from Easter. Of all rules that name a date the
 * last one decides. The canonical form keeps, whatever the spelling was:
 *
 *	- of each day of the year and each distance from Easter the last rule;
 *	- no Easter rule that yearly ones hide or repeat wherever it falls;
 *	- ranks, where a yearly and an Easter rule that say different things can
 *	  fall on one date: the smallest ones that keep the order of each pair;
 *	- special dates only where they differ from the recurring ones, as the
 *	  longest ranges that say the same. They come last, so they decide.
 *
 * Recurring rules are compared among themselves: one counts even where special
 * dates hide it in every year.
 *
 * Pure, like hours_text.c: no fmgr, no SPI, no time-zone data.
 */
#include "postgres.h"

#include "utils/datetime.h"

#include "hours_canon.h"
#include "hours_dates.h"

#define NSLOTS		512			/* a HOURS_MONTH_DAY is below */
#define NOFFSETS	(2 * HOURS_MAX_EASTER + 1)

/* Easter Sunday falls on March 22 to April 25. */
#define EASTER_DATES	35

/* The most days of the year that one Easter rule can fall on */
#define EASTER_SLOTS	(EASTER_DATES + 1)

/* Dates that are walked over at a time */
#define WALK_DATES		(400 * 366)

/* The last rule that names each recurring date: index in named, or -1 */
typedef struct Recurring
{
	int32		yearly[NSLOTS];
	int32		easter[NOFFSETS];
} Recurring;

/* An Easter rule and a yearly one that can meet and say different things */
typedef struct Meeting
{
	int32		winner;			/* index in named of the later rule */
	uint16	   *winner_rank;
	uint16	   *loser_rank;
} Meeting;

/* A stretch of special dates on which one rule is the last */
typedef struct Stretch
{
	int64		first;
	int64		last;
	int32		named;
} Stretch;

bool
hours_month_has_day(int month, int mday)
{
	return month >= 1 && month <= MONTHS_PER_YEAR && mday >= 1 &&
		mday <= day_tab[1][month - 1];
}

HoursNamed *
hours_builder_add(HoursBuilder *builder, HoursDateKind kind, int32 from,
				  int32 to)
{
	HoursNamed *named;

	if (builder->nnamed == builder->room)
	{
		builder->room = Max(16, builder->room * 2);
		builder->named = builder->named ?
			repalloc(builder->named, builder->room * sizeof(HoursNamed)) :
			palloc(builder->room * sizeof(HoursNamed));
	}
	named = &builder->named[builder->nnamed++];
	named->kind = kind;
	named->from = from;
	named->to = to;
	named->day.nspans = 0;
	named->day.spans = NULL;
	return named;
}

void
hours_builder_from_part(HoursBuilder *builder, const HoursPart *part)
{
	int			ranks = 1;

	memset(builder, 0, sizeof(*builder));
	builder->zone = part->zone;
	builder->zone_position = part->zone_position;
	memcpy(builder->week, part->week, sizeof(part->week));

	for (int rank = 0; rank < ranks; rank++)
	{
		for (int32 i = 0; i < part->nyearly; i++)
		{
			const HoursYearly *yearly = &part->yearly[i];
			int32		slot = HOURS_MONTH_DAY(yearly->month, yearly->mday);

			ranks = Max(ranks, yearly->rank + 1);
			if (yearly->rank == rank)
				hours_builder_add(builder, HOURS_DATE_YEARLY,
								  slot, slot)->day = yearly->day;
		}
		for (int32 i = 0; i < part->neaster; i++)
		{
			const HoursEaster *easter = &part->easter[i];

			ranks = Max(ranks, easter->rank + 1);
			if (easter->rank == rank)
				hours_builder_add(builder, HOURS_DATE_EASTER,
								  easter->offset, 0)->day = easter->day;
		}
	}
	for (int32 i = 0; i < part->nspecials; i++)
		hours_builder_add(builder, HOURS_DATE_ISO, part->specials[i].first,
						  part->specials[i].last)->day = part->specials[i].day;
}


/* ----------
 * Days
 * ----------
 */

static int
compare_days(const void *a, const void *b)
{
	const HoursDay *x = &(*(HoursNamed *const *) a)->day;
	const HoursDay *y = &(*(HoursNamed *const *) b)->day;

	if (x->nspans != y->nspans)
		return x->nspans < y->nspans ? -1 : 1;
	return memcmp(x->spans, y->spans, x->nspans * sizeof(HoursSpan));
}

/*
 * Make equal days share their spans, so that same_day() can tell. Days are
 * compared once per date in the worst case, and can be long.
 */
static void
share_days(HoursBuilder *builder)
{
	HoursNamed **rules = palloc(builder->nnamed * sizeof(HoursNamed *));
	HoursSpan  *given = NULL;
	HoursSpan  *shared = NULL;
	int32		nrules = 0;

	/* dates of one rule share them already, and stand together */
	for (int32 i = 0; i < builder->nnamed; i++)
	{
		HoursNamed *named = &builder->named[i];

		if (named->day.nspans == 0)
			named->day.spans = NULL;
		else if (nrules == 0 || rules[nrules - 1]->day.spans != named->day.spans)
			rules[nrules++] = named;
	}
	qsort(rules, nrules, sizeof(HoursNamed *), compare_days);
	for (int32 i = 0; i < nrules; i++)
	{
		HoursNamed *named = rules[i];

		given = named->day.spans;
		if (i == 0 || compare_days(&rules[i - 1], &rules[i]) != 0)
			shared = given;
		for (; named < builder->named + builder->nnamed &&
			 named->day.spans == given; named++)
			named->day.spans = shared;
	}
	pfree(rules);
}

/* Do two days of a builder, or of a part made from it, say the same? */
static inline bool
same_day(const HoursDay *a, const HoursDay *b)
{
	return a->nspans == b->nspans && a->spans == b->spans;
}


/* ----------
 * Recurring dates
 * ----------
 */

/* The day of the year behind one, January 1 behind December 31 */
static int32
next_slot(int32 slot)
{
	int			month = slot / 32;

	if (hours_month_has_day(month, slot % 32 + 1))
		return slot + 1;
	return HOURS_MONTH_DAY(month % MONTHS_PER_YEAR + 1, 1);
}

static void
find_recurring(const HoursBuilder *builder, Recurring *recurring)
{
	memset(recurring, -1, sizeof(*recurring));
	for (int32 i = 0; i < builder->nnamed; i++)
	{
		const HoursNamed *named = &builder->named[i];

		if (named->kind == HOURS_DATE_EASTER)
			recurring->easter[named->from + HOURS_MAX_EASTER] = i;
		else if (named->kind == HOURS_DATE_YEARLY)
		{
			int32		slot = named->from;

			recurring->yearly[slot] = i;
			while (slot != named->to)
				recurring->yearly[slot = next_slot(slot)] = i;
		}
	}
}

/*
 * The days of the year on which an Easter rule can fall; returns their number.
 * In the years for which Easter is known, it falls on each of its dates both
 * in leap years and in others, so that all these days really occur.
 */
static int
easter_slots(int offset, int32 *slots)
{
	int			n = 0;

	for (int year = 2000; year <= 2001; year++)
	{
		int64		first = hours_date_make(year, 3, 22) + offset;

		for (int i = 0; i < EASTER_DATES; i++)
		{
			int64		unused;
			int			month,
						mday;
			bool		known = false;

			hours_date_fields(first + i, &unused, &month, &mday);
			for (int k = 0; k < n && !known; k++)
				known = slots[k] == HOURS_MONTH_DAY(month, mday);
			if (!known)
				slots[n++] = HOURS_MONTH_DAY(month, mday);
		}
	}
	Assert(n <= EASTER_SLOTS);
	return n;
}

/*
 * Does an Easter rule decide about any date? Not if yearly rules that say the
 * same, or come later, hold all days it can fall on.
 */
static bool
easter_matters(const HoursBuilder *builder, const Recurring *recurring,
			   int32 easter, const int32 *slots, int nslots)
{
	for (int k = 0; k < nslots; k++)
	{
		int32		yearly = recurring->yearly[slots[k]];

		if (yearly < 0 ||
			(yearly < easter &&
			 !same_day(&builder->named[yearly].day,
							  &builder->named[easter].day)))
			return true;
	}
	return false;
}

static int
compare_meetings(const void *a, const void *b)
{
	int32		x = ((const Meeting *) a)->winner;
	int32		y = ((const Meeting *) b)->winner;

	return (x > y) - (x < y);
}

/*
 * Fill in the recurring rules of the part. Those that are given no rank by a
 * meeting have rank 0.
 */
static void
finish_recurring(const HoursBuilder *builder, const Recurring *recurring,
				 HoursPart *part)
{
	int16		yearly_at[NSLOTS];
	Meeting    *meetings;
	int			nmeetings = 0;
	int			nyearly = 0;
	int			neaster = 0;

	for (int slot = 0; slot < NSLOTS; slot++)
		nyearly += recurring->yearly[slot] >= 0;
	for (int i = 0; i < NOFFSETS; i++)
		neaster += recurring->easter[i] >= 0;

	part->yearly = nyearly > 0 ? palloc(nyearly * sizeof(HoursYearly)) : NULL;
	for (int slot = 0; slot < NSLOTS && nyearly > 0; slot++)
	{
		HoursYearly *yearly = &part->yearly[part->nyearly];

		if (recurring->yearly[slot] < 0)
			continue;
		yearly->month = slot / 32;
		yearly->mday = slot % 32;
		yearly->rank = 0;
		yearly->day = builder->named[recurring->yearly[slot]].day;
		yearly_at[slot] = part->nyearly++;
	}

	if (neaster == 0)
		return;
	part->easter = palloc(neaster * sizeof(HoursEaster));
	meetings = palloc(neaster * EASTER_SLOTS * sizeof(Meeting));
	for (int i = 0; i < NOFFSETS; i++)
	{
		int32		named = recurring->easter[i];
		HoursEaster *easter = &part->easter[part->neaster];
		int32		slots[EASTER_SLOTS];
		int			nslots;

		if (named < 0)
			continue;
		nslots = easter_slots(i - HOURS_MAX_EASTER, slots);
		if (!easter_matters(builder, recurring, named, slots, nslots))
			continue;
		easter->offset = i - HOURS_MAX_EASTER;
		easter->rank = 0;
		easter->day = builder->named[named].day;
		part->neaster++;

		for (int k = 0; k < nslots; k++)
		{
			int32		other = recurring->yearly[slots[k]];
			HoursYearly *yearly;
			Meeting    *meeting = &meetings[nmeetings];

			if (other < 0)
				continue;
			yearly = &part->yearly[yearly_at[slots[k]]];
			if (same_day(&yearly->day, &easter->day))
				continue;
			nmeetings++;
			meeting->winner = Max(named, other);
			meeting->winner_rank = named > other ? &easter->rank : &yearly->rank;
			meeting->loser_rank = named > other ? &yearly->rank : &easter->rank;
		}
	}

	/* by ascending winner, the rank of a loser is known before it is used */
	qsort(meetings, nmeetings, sizeof(Meeting), compare_meetings);
	for (int i = 0; i < nmeetings; i++)
		*meetings[i].winner_rank = Max(*meetings[i].winner_rank,
									   *meetings[i].loser_rank + 1);
	pfree(meetings);
}


/* ----------
 * Special dates
 * ----------
 */

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
	int64	   *dates = palloc_extended(2 * Max(builder->nnamed, 1) * sizeof(int64),
										MCXT_ALLOC_HUGE);
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

/* Do the recurring rules alone say this of a date? */
static bool
recurring_says(const HoursPart *part, int64 date, const HoursDay *day)
{
	const HoursDay *said = hours_part_recurring(part, date);

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
add_special(HoursPart *part, int32 *room, int64 first, int64 last,
			const HoursDay *day)
{
	HoursSpecial *before = part->nspecials > 0 ?
		&part->specials[part->nspecials - 1] : NULL;

	while (first <= last && recurring_says(part, first, day))
		first++;
	while (first <= last && recurring_says(part, last, day))
		last--;
	if (first > last)
		return true;

	if (before && same_day(&before->day, day))
	{
		int64		date = before->last + (int64) 1;

		while (date < first && recurring_says(part, date, day))
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
add_stretch(HoursPart *part, int32 *room, const Stretch *stretch,
			const HoursDay *day, const LaterRules *later)
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

		n = hours_part_specials(&later->part, from,
								Min(from + WALK_DATES - 1, stretch->last),
								&replaced);
		for (int32 i = 0; i < n; i++)
		{
			if (same_day(replaced[i].day, day))
				continue;
			if (!add_special(part, room, first, replaced[i].date - 1, day))
				return false;
			first = replaced[i].date + 1;
		}
		pfree(replaced);
	}
	return add_special(part, room, first, stretch->last, day);
}

bool
hours_builder_finish(HoursBuilder *builder, HoursPart *part, Node *escontext)
{
	Recurring	recurring;
	LaterRules *later;
	Stretch    *stretches;
	int32		nstretches;
	int32		room = 0;

	memset(part, 0, sizeof(*part));
	part->zone = builder->zone;
	part->zone_position = builder->zone_position;
	memcpy(part->week, builder->week, sizeof(part->week));
	if (builder->nnamed == 0)
		return true;

	share_days(builder);
	find_recurring(builder, &recurring);
	finish_recurring(builder, &recurring, part);
	later = later_begin(builder, &recurring);
	nstretches = find_stretches(builder, &stretches);
	for (int32 i = 0; i < nstretches; i++)
	{
		later_than(later, stretches[i].named);
		if (!add_stretch(part, &room, &stretches[i],
						 &builder->named[stretches[i].named].day, later))
			ereturn(escontext, false,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("business hours have too many special dates"),
					 errdetail("At most %d dates and ranges are supported.",
							   HOURS_MAX_SPECIALS)));
	}
	if (stretches)
		pfree(stretches);
	pfree(later);
	pfree(builder->named);
	return true;
}
