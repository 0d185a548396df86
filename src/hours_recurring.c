/*
 * hours_recurring.c
 *		Makes the recurring rules of a part canonical.
 *
 * Two kinds can meet on one date: the same day of the year always has the same
 * yearly rule, but an Easter rule passes over some 35 of them. Knows nothing
 * of special dates.
 *
 * Pure, like hours_text.c: no fmgr, no SPI, no time-zone data.
 */
#include "postgres.h"

#include "utils/datetime.h"

#include "hours_canon_internal.h"
#include "hours_dates.h"

/* Easter Sunday falls on March 22 to April 25. */
#define EASTER_DATES	35

/* The most days of the year that one Easter rule can fall on */
#define EASTER_SLOTS	(EASTER_DATES + 1)

/* An Easter rule and a yearly one that can meet and say different things */
typedef struct Meeting
{
	int32		winner;			/* index in named of the later rule */
	uint16	   *winner_rank;
	uint16	   *loser_rank;
} Meeting;

/* The day of the year behind one, January 1 behind December 31 */
static int32
next_slot(int32 slot)
{
	int			month = slot / 32;

	if (hours_month_has_day(month, slot % 32 + 1))
		return slot + 1;
	return HOURS_MONTH_DAY(month % MONTHS_PER_YEAR + 1, 1);
}

void
hours_find_recurring(const HoursBuilder *builder, Recurring *recurring)
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

void
hours_finish_recurring(const HoursBuilder *builder,
					   const Recurring *recurring, HoursPart *part)
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
			meeting->winner_rank =
				named > other ? &easter->rank : &yearly->rank;
			meeting->loser_rank =
				named > other ? &yearly->rank : &easter->rank;
		}
	}

	/* by ascending winner, the rank of a loser is known before it is used */
	qsort(meetings, nmeetings, sizeof(Meeting), compare_meetings);
	for (int i = 0; i < nmeetings; i++)
		*meetings[i].winner_rank = Max(*meetings[i].winner_rank,
									   *meetings[i].loser_rank + 1);
	pfree(meetings);
}
