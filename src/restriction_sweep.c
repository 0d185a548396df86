/*
 * restriction_sweep.c
 *		From the stretches of time in which bills are open to levels.
 *
 * The rule, of which the clause "termination of services till the outstanding
 * amount is settled in full" is a part:
 *
 *  - A bill is overdue while it is open, from the day after its due date on,
 *    and not before its grace is over.
 *  - The level at an instant is that of the earliest bill that is overdue
 *    then, provided that all that are overdue amount to the minimum.
 *  - Once it is termination, it stays that until nothing is overdue any more:
 *    what is outstanding is all that is overdue, also what has become so
 *    since. To pay a part of it, even the bill that led there, lifts nothing
 *    unless the remaining bills are not due yet.
 *
 * The last one looks back from an instant, to as long as something has been
 * overdue without a break; so the level depends on nothing that was computed
 * before.
 *
 * Pure. Must not know: tables, overrides.
 */
#include "postgres.h"

#include "lib/qunique.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "restriction_sweep.h"

void
restriction_sweep_init(const RestrictionRule *rule, RestrictionItem **items,
					   int n)
{
	for (int i = 0; i < n; i++)
		for (int level = RESTRICTION_NONE; level <= RESTRICTION_TERMINATION; level++)
			items[i]->reaches[level] =
				restriction_reaches(rule, items[i]->due,
									(RestrictionLevel) level);
}

/* The stretch in which a bill is overdue at an instant; NULL: it is not */
static const InvoiceStretch *
overdue_stretch(const RestrictionItem *item, TimestampTz at)
{
	if (item->reaches[RESTRICTION_NONE] > at)
		return NULL;
	for (int i = 0; i < item->nstretches; i++)
		if (item->stretches[i].from <= at && at < item->stretches[i].to)
			return &item->stretches[i];
	return NULL;
}

bool
restriction_is_overdue(const RestrictionItem *item, TimestampTz at,
					   TimestampTz *since)
{
	const InvoiceStretch *stretch = overdue_stretch(item, at);

	if (stretch == NULL)
		return false;
	/* stretches that touch differ only in amount */
	while (stretch > item->stretches && stretch[-1].to == stretch->from)
		stretch--;
	*since = Max(stretch->from, item->reaches[RESTRICTION_NONE]);
	return true;
}

RestrictionLevel
restriction_base(const RestrictionRule *rule, RestrictionItem **items, int n,
				 TimestampTz at, const RestrictionItem **anchor)
{
	bool		enough = !rule->has_minimum;
	Datum		sum = 0;

	*anchor = NULL;
	for (int i = 0; i < n; i++)
	{
		const InvoiceStretch *stretch = overdue_stretch(items[i], at);

		if (stretch == NULL)
			continue;
		if (*anchor == NULL || items[i]->due < (*anchor)->due ||
			(items[i]->due == (*anchor)->due &&
			 items[i]->invoice_id < (*anchor)->invoice_id))
			*anchor = items[i];
		if (enough)
			continue;
		if (!stretch->has_open)
			enough = true;
		else
			sum = sum == 0 ? stretch->open :
				DirectFunctionCall2(numeric_add, sum, stretch->open);
	}
	if (*anchor == NULL)
		return RESTRICTION_NONE;
	if (!enough &&
		!DatumGetBool(DirectFunctionCall2(numeric_ge, sum, rule->minimum)))
		return RESTRICTION_NONE;
	for (int level = RESTRICTION_TERMINATION; level > RESTRICTION_NONE; level--)
		if ((*anchor)->reaches[level] <= at)
			return (RestrictionLevel) level;
	return RESTRICTION_NONE;
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
}

/* All instants until one at which a level can change; returns how many. */
static int
find_edges(RestrictionItem **items, int n, TimestampTz until,
		   TimestampTz **edges)
{
	int			room = 1;
	int			nedges = 0;

	for (int i = 0; i < n; i++)
		room += items[i]->nstretches * (3 + RESTRICTION_TERMINATION);
	*edges = palloc_extended(room * sizeof(TimestampTz), MCXT_ALLOC_HUGE);
	(*edges)[nedges++] = DT_NOBEGIN;
	for (int i = 0; i < n; i++)
	{
		const RestrictionItem *item = items[i];

		for (int j = 0; j < item->nstretches; j++)
		{
			const InvoiceStretch *stretch = &item->stretches[j];
			TimestampTz from = Max(stretch->from,
								   item->reaches[RESTRICTION_NONE]);

			if (from >= stretch->to || from > until)
				continue;
			(*edges)[nedges++] = from;
			if (stretch->to <= until)
				(*edges)[nedges++] = stretch->to;
			for (int level = RESTRICTION_SUPPORT; level <= RESTRICTION_TERMINATION; level++)
				if (item->reaches[level] > from &&
					item->reaches[level] < stretch->to &&
					item->reaches[level] <= until)
					(*edges)[nedges++] = item->reaches[level];
		}
	}
	qsort(*edges, nedges, sizeof(TimestampTz), compare_times);
	return (int) qunique(*edges, nedges, sizeof(TimestampTz), compare_times);
}

int
restriction_sweep(const RestrictionRule *rule, RestrictionItem **items, int n,
				  TimestampTz until, RestrictionSpan **spans)
{
	TimestampTz *edges;
	int			nedges = find_edges(items, n, until, &edges);
	int			nspans = 0;
	bool		terminated = false;

	*spans = palloc_extended(nedges * sizeof(RestrictionSpan), MCXT_ALLOC_HUGE);
	for (int i = 0; i < nedges; i++)
	{
		RestrictionSpan span = {.from = edges[i]};
		RestrictionSpan *last = nspans == 0 ? NULL : &(*spans)[nspans - 1];

		CHECK_FOR_INTERRUPTS();
		span.level = restriction_base(rule, items, n, edges[i], &span.anchor);
		if (span.anchor == NULL)
			terminated = false;
		else if (span.level == RESTRICTION_TERMINATION)
			terminated = true;
		else if (terminated)
		{
			span.level = RESTRICTION_TERMINATION;
			span.lasting = true;
		}
		if (last == NULL || last->level != span.level ||
			last->lasting != span.lasting ||
			(last->anchor != span.anchor && span.level != RESTRICTION_NONE))
			(*spans)[nspans++] = span;
	}
	pfree(edges);
	return nspans;
}
