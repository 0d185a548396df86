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

#include "lib/binaryheap.h"
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

/* The level of a bill by itself, while it is overdue */
static RestrictionLevel
level_of(const RestrictionItem *item, TimestampTz at)
{
	for (int level = RESTRICTION_TERMINATION; level > RESTRICTION_NONE; level--)
		if (item->reaches[level] <= at)
			return (RestrictionLevel) level;
	return RESTRICTION_NONE;
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
	return level_of(*anchor, at);
}

/* A stretch in which a bill is overdue, and its place in the sweep */
typedef struct Overdue
{
	const RestrictionItem *item;
	TimestampTz from;
	TimestampTz to;
	bool		has_open;
	Datum		open;
	bool		active;
} Overdue;

typedef enum EdgeKind
{
	EDGE_END,
	EDGE_BEGIN,
	EDGE_LEVEL
} EdgeKind;

/* An instant at which the level can change */
typedef struct Edge
{
	TimestampTz at;
	EdgeKind	kind;
	Overdue    *overdue;
} Edge;

/* What is overdue at an instant of the sweep */
typedef struct Sweep
{
	const RestrictionRule *rule;
	binaryheap *earliest;		/* of all that have begun; some may have ended */
	int			nactive;
	int			nunknown;		/* of these, without an amount */
	Datum		sum;			/* of the others; 0: none yet */
} Sweep;

static int
compare_edges(const void *a, const void *b)
{
	const Edge *x = a;
	const Edge *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (int) x->kind - (int) y->kind;
}

/* For a heap, whose first is the greatest: the earliest bill */
static int
compare_overdue(Datum a, Datum b, void *arg)
{
	const RestrictionItem *x = ((Overdue *) DatumGetPointer(a))->item;
	const RestrictionItem *y = ((Overdue *) DatumGetPointer(b))->item;

	if (x->due != y->due)
		return x->due < y->due ? 1 : -1;
	return (x->invoice_id < y->invoice_id) - (x->invoice_id > y->invoice_id);
}

/* All stretches that begin by an instant, in which a bill is overdue */
static int
find_overdue(RestrictionItem **items, int n, TimestampTz until,
			 Overdue **overdue)
{
	int			room = 0;
	int			count = 0;

	for (int i = 0; i < n; i++)
		room += items[i]->nstretches;
	*overdue = palloc_extended(Max(room, 1) * sizeof(Overdue),
							   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < items[i]->nstretches; j++)
		{
			const InvoiceStretch *stretch = &items[i]->stretches[j];
			Overdue    *next = &(*overdue)[count];

			next->item = items[i];
			next->from = Max(stretch->from, items[i]->reaches[RESTRICTION_NONE]);
			next->to = stretch->to;
			next->has_open = stretch->has_open;
			next->open = stretch->open;
			if (next->from < next->to && next->from <= until)
				count++;
		}
	return count;
}

/* The instants until one at which a level can change, sorted */
static int
find_edges(Overdue *overdue, int n, TimestampTz until, Edge **edges)
{
	int			nedges = 0;

	*edges = palloc_extended(Max(n, 1) * (2 + RESTRICTION_TERMINATION) *
							 sizeof(Edge), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		Overdue    *one = &overdue[i];

		(*edges)[nedges++] = (Edge) {one->from, EDGE_BEGIN, one};
		if (one->to <= until)
			(*edges)[nedges++] = (Edge) {one->to, EDGE_END, one};
		for (int level = RESTRICTION_SUPPORT; level <= RESTRICTION_TERMINATION; level++)
		{
			TimestampTz at = one->item->reaches[level];

			if (at > one->from && at < one->to && at <= until)
				(*edges)[nedges++] = (Edge) {at, EDGE_LEVEL, one};
		}
	}
	qsort(*edges, nedges, sizeof(Edge), compare_edges);
	return nedges;
}

static void
pass_edge(Sweep *sweep, const Edge *edge)
{
	Overdue    *one = edge->overdue;
	bool		begins = edge->kind == EDGE_BEGIN;

	if (edge->kind == EDGE_LEVEL)
		return;
	one->active = begins;
	sweep->nactive += begins ? 1 : -1;
	if (begins)
		binaryheap_add(sweep->earliest, PointerGetDatum(one));
	if (!sweep->rule->has_minimum)
		return;
	if (!one->has_open)
		sweep->nunknown += begins ? 1 : -1;
	else if (sweep->sum == 0)
		sweep->sum = one->open;
	else
		sweep->sum = DirectFunctionCall2(begins ? numeric_add : numeric_sub,
										 sweep->sum, one->open);
}

/* The level by what is overdue now; *anchor NULL: nothing is */
static RestrictionLevel
sweep_level(Sweep *sweep, TimestampTz at, const RestrictionItem **anchor)
{
	Overdue    *first = NULL;

	*anchor = NULL;
	while (first == NULL && !binaryheap_empty(sweep->earliest))
	{
		first = (Overdue *) DatumGetPointer(binaryheap_first(sweep->earliest));
		if (!first->active)
		{
			(void) binaryheap_remove_first(sweep->earliest);
			first = NULL;
		}
	}
	if (first == NULL)
		return RESTRICTION_NONE;
	*anchor = first->item;
	if (sweep->rule->has_minimum && sweep->nunknown == 0 &&
		!DatumGetBool(DirectFunctionCall2(numeric_ge, sweep->sum,
										  sweep->rule->minimum)))
		return RESTRICTION_NONE;
	return level_of(first->item, at);
}

/* Add a span, unless it says the same as the one before. */
static int
add_span(RestrictionSpan *spans, int n, RestrictionSpan span)
{
	const RestrictionSpan *last = n == 0 ? NULL : &spans[n - 1];

	if (last != NULL && last->level == span.level &&
		last->lasting == span.lasting &&
		(last->anchor == span.anchor || span.level == RESTRICTION_NONE))
		return n;
	spans[n] = span;
	return n + 1;
}

int
restriction_sweep(const RestrictionRule *rule, RestrictionItem **items, int n,
				  TimestampTz until, RestrictionSpan **spans)
{
	Overdue    *overdue;
	int			noverdue = find_overdue(items, n, until, &overdue);
	Edge	   *edges;
	int			nedges = find_edges(overdue, noverdue, until, &edges);
	Sweep		sweep = {.rule = rule};
	bool		terminated = false;
	int			nspans = 0;

	sweep.earliest = binaryheap_allocate(Max(noverdue, 1), compare_overdue,
										 NULL);
	*spans = palloc_extended((nedges + 1) * sizeof(RestrictionSpan),
							 MCXT_ALLOC_HUGE);
	nspans = add_span(*spans, nspans, (RestrictionSpan) {.from = DT_NOBEGIN});
	for (int i = 0; i < nedges;)
	{
		RestrictionSpan span = {.from = edges[i].at};

		CHECK_FOR_INTERRUPTS();
		while (i < nedges && edges[i].at == span.from)
			pass_edge(&sweep, &edges[i++]);
		span.level = sweep_level(&sweep, span.from, &span.anchor);
		if (span.anchor == NULL)
			terminated = false;
		else if (span.level == RESTRICTION_TERMINATION)
			terminated = true;
		else if (terminated)
		{
			span.level = RESTRICTION_TERMINATION;
			span.lasting = true;
		}
		if (span.from == DT_NOBEGIN)
			nspans = 0;
		nspans = add_span(*spans, nspans, span);
	}
	binaryheap_free(sweep.earliest);
	pfree(edges);
	return nspans;
}
