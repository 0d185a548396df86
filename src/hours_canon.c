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

#include "hours_canon_internal.h"

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
		else if (named->day.spans != given)
			rules[nrules++] = named;
		given = named->day.spans;
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

bool
hours_builder_finish(HoursBuilder *builder, HoursPart *part, Node *escontext)
{
	Recurring	recurring;

	memset(part, 0, sizeof(*part));
	part->zone = builder->zone;
	part->zone_position = builder->zone_position;
	memcpy(part->week, builder->week, sizeof(part->week));
	if (builder->nnamed == 0)
		return true;

	share_days(builder);
	hours_find_recurring(builder, &recurring);
	hours_finish_recurring(builder, &recurring, part);
	if (!hours_finish_specials(builder, &recurring, part))
		ereturn(escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours have too many special dates"),
				 errdetail("At most %d dates and ranges are supported.",
						   HOURS_MAX_SPECIALS)));
	pfree(builder->named);
	return true;
}
