/*
 * invoice_fold.c
 *		From what happened to an invoice to when it was open, and how far.
 *
 * The rules:
 *
 *  - What a row says of account, service, due date and amount counts for all
 *    times once it is known, and so does that it is voided.
 *  - Settled, disputed and deleted begin and end at instants. Beginning again
 *    without an end in between corrects the beginning; so it is with ends.
 *  - Paid at an instant is what the row said last of then or of before, plus
 *    payments and credits less reversals by then. What it says counts from an
 *    instant on: what it had said of later ones does not hold any more. So a
 *    statement that waited for another one's row does not come before that.
 *  - An invoice is open at an instant unless it is settled, disputed, deleted
 *    or voided, or nothing is left to be paid.
 *
 * Pure. Must not know: rules about days, accounts, tables.
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "invoice_fold.h"

static const char *const kinds[NUM_INVOICE_EVENT_KINDS] = {
	[INVOICE_ISSUED] = "issued",
	[INVOICE_CHANGED] = "changed",
	[INVOICE_HAS_PAID] = "paid",
	[INVOICE_SETTLED] = "settled",
	[INVOICE_REVERSED] = "reversed",
	[INVOICE_DISPUTED] = "disputed",
	[INVOICE_UPHELD] = "upheld",
	[INVOICE_VOIDED] = "voided",
	[INVOICE_REINSTATED] = "reinstated",
	[INVOICE_DELETED] = "deleted",
	[INVOICE_RESTORED] = "restored",
	[INVOICE_PAYMENT] = "payment",
	[INVOICE_CREDIT] = "credit",
};

const char *
invoice_event_kind_text(InvoiceEventKind kind)
{
	return kinds[kind];
}

bool
invoice_event_kind_from_text(const char *text, InvoiceEventKind *kind)
{
	for (int i = 0; i < NUM_INVOICE_EVENT_KINDS; i++)
		if (strcmp(kinds[i], text) == 0)
		{
			*kind = (InvoiceEventKind) i;
			return true;
		}
	return false;
}

/* Spells of one sort, in the order in which they were recorded */
typedef struct Spells
{
	int			n;
	TimestampTz *from;
	TimestampTz *to;
} Spells;

static void
spells_init(Spells *spells, int room)
{
	spells->n = 0;
	spells->from = palloc(Max(room, 1) * sizeof(TimestampTz));
	spells->to = palloc(Max(room, 1) * sizeof(TimestampTz));
}

static void
spell_begin(Spells *spells, TimestampTz at)
{
	if (spells->n == 0 || spells->to[spells->n - 1] != DT_NOEND)
		spells->to[spells->n++] = DT_NOEND;
	spells->from[spells->n - 1] = at;
}

static void
spell_end(Spells *spells, TimestampTz at)
{
	if (spells->n > 0)
		spells->to[spells->n - 1] = Max(at, spells->from[spells->n - 1]);
}

static InvoiceSpell
last_spell(const Spells *spells)
{
	InvoiceSpell spell = {false, 0};

	if (spells->n > 0 && spells->to[spells->n - 1] == DT_NOEND)
	{
		spell.on = true;
		spell.since = spells->from[spells->n - 1];
	}
	return spell;
}

static Datum
zero(void)
{
	return NumericGetDatum(int64_to_numeric(0));
}

/* What has been paid, as events add up in the order of their times */
typedef struct Paid
{
	bool		has_row;		/* the row said how much in all */
	int32		row_seq;		/* when it said that */
	Datum		row;
	Datum		others;			/* payments and credits less reversals; 0: none */
} Paid;

static void
add_paid(Paid *paid, const InvoiceEvent *event)
{
	bool		taken_back = event->kind == INVOICE_REVERSED;

	if (!event->has_amount)
		return;
	if (event->kind == INVOICE_HAS_PAID)
	{
		if (paid->has_row && paid->row_seq > event->seq)
			return;
		paid->has_row = true;
		paid->row_seq = event->seq;
		paid->row = event->amount;
	}
	else if (taken_back || event->kind == INVOICE_PAYMENT ||
			 event->kind == INVOICE_CREDIT)
		paid->others = DirectFunctionCall2(taken_back ? numeric_sub :
										   numeric_add,
										   paid->others == 0 ? zero() :
										   paid->others, event->amount);
}

/* 0: nothing was ever paid */
static Datum
paid_in_all(const Paid *paid)
{
	if (!paid->has_row || paid->others == 0)
		return paid->has_row ? paid->row : paid->others;
	return DirectFunctionCall2(numeric_add, paid->others, paid->row);
}

/* Something that may change how much is open, or whether it is */
typedef struct Edge
{
	TimestampTz at;
	int			closes;			/* 1: a spell begins, -1: one ends */
	const InvoiceEvent *event;	/* of a payment; NULL: none */
} Edge;

/* Payments of one instant come in the order of recording. */
static int
compare_edges(const void *a, const void *b)
{
	const Edge *x = a;
	const Edge *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->event == NULL || y->event == NULL)
		return (x->event != NULL) - (y->event != NULL);
	return x->event->seq - y->event->seq;
}

static bool
same_open(const InvoiceStretch *a, const InvoiceStretch *b)
{
	if (!a->has_open || !b->has_open)
		return a->has_open == b->has_open;
	return DatumGetBool(DirectFunctionCall2(numeric_eq, a->open, b->open));
}

/* Add a stretch to those before it, or to the last one. */
static void
add_stretch(InvoiceFold *fold, InvoiceStretch stretch)
{
	InvoiceStretch *last = fold->nstretches == 0 ? NULL :
		&fold->stretches[fold->nstretches - 1];

	if (last != NULL && last->to == stretch.from && same_open(last, &stretch))
		last->to = stretch.to;
	else
		fold->stretches[fold->nstretches++] = stretch;
}

bool
invoice_is_amount(Datum number)
{
	static Datum most = (Datum) 0;	/* 1e100 */

	if (most == (Datum) 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		most = DirectFunctionCall3(numeric_in, CStringGetDatum("1e100"),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(-1));
		MemoryContextSwitchTo(old);
	}
	/* NaN is greater than any number */
	return !numeric_is_inf(DatumGetNumeric(number)) &&
		DatumGetBool(DirectFunctionCall2(numeric_lt,
										 DirectFunctionCall1(numeric_abs, number),
										 most));
}

/* Can it ever be open? */
static bool
can_count(const InvoiceFold *fold)
{
	if (fold->account == NULL || !fold->has_due || DATE_NOT_FINITE(fold->due) ||
		fold->voided.on)
		return false;
	if (!fold->has_amount)
		return true;
	return invoice_is_amount(fold->amount) &&
		DatumGetBool(DirectFunctionCall2(numeric_gt, fold->amount, zero()));
}

/* What is open when so much has been paid; false: nothing */
static bool
open_after(const InvoiceFold *fold, const Paid *paid, InvoiceStretch *stretch)
{
	Datum		sum = paid_in_all(paid);

	stretch->has_open = fold->has_amount;
	stretch->open = fold->amount;
	if (!fold->has_amount || sum == 0)
		return true;
	stretch->open = DirectFunctionCall2(numeric_sub, fold->amount, sum);
	return DatumGetBool(DirectFunctionCall2(numeric_gt, stretch->open, zero()));
}

/* All instants at which something begins, ends or is paid, sorted */
static int
find_edges(const InvoiceEvent *events, int n, const Spells *spells,
		   int nspells, Edge **edges)
{
	int			room = 1 + n;
	int			nedges = 0;

	for (int i = 0; i < nspells; i++)
		room += 2 * spells[i].n;
	*edges = palloc(room * sizeof(Edge));
	(*edges)[nedges++] = (Edge) {DT_NOBEGIN, 0, NULL};
	for (int i = 0; i < nspells; i++)
		for (int j = 0; j < spells[i].n; j++)
		{
			(*edges)[nedges++] = (Edge) {spells[i].from[j], 1, NULL};
			if (spells[i].to[j] != DT_NOEND)
				(*edges)[nedges++] = (Edge) {spells[i].to[j], -1, NULL};
		}
	for (int i = 0; i < n; i++)
		if (events[i].has_amount && events[i].kind != INVOICE_ISSUED &&
			events[i].kind != INVOICE_CHANGED)
			(*edges)[nedges++] = (Edge) {events[i].at, 0, &events[i]};
	qsort(*edges, nedges, sizeof(Edge), compare_edges);
	return nedges;
}

static void
add_stretches(const InvoiceEvent *events, int n, const Spells *spells,
			  int nspells, InvoiceFold *fold)
{
	Edge	   *edges;
	int			nedges = find_edges(events, n, spells, nspells, &edges);
	Paid		paid = {0};
	int			closed = 0;

	fold->stretches = palloc(nedges * sizeof(InvoiceStretch));
	for (int i = 0; i < nedges;)
	{
		InvoiceStretch stretch = {.from = edges[i].at};

		for (; i < nedges && edges[i].at == stretch.from; i++)
		{
			closed += edges[i].closes;
			if (edges[i].event != NULL)
				add_paid(&paid, edges[i].event);
		}
		stretch.to = i < nedges ? edges[i].at : DT_NOEND;
		if (closed == 0 && open_after(fold, &paid, &stretch))
			add_stretch(fold, stretch);
	}
	pfree(edges);
}

/* All that has been paid, at whatever time */
static void
add_up(const InvoiceEvent *events, int n, InvoiceFold *fold)
{
	Paid		paid = {0};

	for (int i = 0; i < n; i++)
		add_paid(&paid, &events[i]);
	fold->has_row_paid = paid.has_row;
	fold->row_paid = paid.row;
	fold->paid = paid_in_all(&paid);
	if (fold->paid == 0)
		fold->paid = zero();
}

Datum
invoice_least_paid(const InvoiceEvent *events, int n, TimestampTz from)
{
	Edge	   *edges;
	int			nedges = find_edges(events, n, NULL, 0, &edges);
	Paid		paid = {0};
	Datum		least = 0;

	for (int i = 0; i < nedges; i++)
	{
		Datum		sum;

		if (edges[i].event != NULL)
			add_paid(&paid, edges[i].event);
		/* what comes at the same instant, or no later than from, counts, too */
		if (i + 1 < nedges && edges[i + 1].at <= Max(edges[i].at, from))
			continue;
		sum = paid_in_all(&paid);
		if (sum == 0)
			sum = zero();
		if (least == 0 ||
			DatumGetBool(DirectFunctionCall2(numeric_lt, sum, least)))
			least = sum;
	}
	pfree(edges);
	return least;
}

bool
invoice_fold(const InvoiceEvent *events, int nevents, TimestampTz known_at,
			 InvoiceFold *fold)
{
	Spells		spells[3];		/* settled, disputed, deleted */
	bool		known = false;
	int			n = 0;

	memset(fold, 0, sizeof(*fold));
	while (n < nevents && events[n].recorded_at <= known_at)
		n++;
	for (int i = 0; i < (int) lengthof(spells); i++)
		spells_init(&spells[i], n);
	for (int i = 0; i < n; i++)
	{
		const InvoiceEvent *event = &events[i];

		switch (event->kind)
		{
			case INVOICE_ISSUED:
			case INVOICE_CHANGED:
				known = true;
				fold->account = event->account;
				fold->service = event->service;
				fold->has_due = event->has_due;
				fold->due = event->due;
				fold->has_amount = event->has_amount;
				fold->amount = event->amount;
				break;
			case INVOICE_SETTLED:
				spell_begin(&spells[0], event->at);
				break;
			case INVOICE_REVERSED:
				if (!event->has_amount)
					spell_end(&spells[0], event->at);
				break;
			case INVOICE_DISPUTED:
				spell_begin(&spells[1], event->at);
				break;
			case INVOICE_UPHELD:
				spell_end(&spells[1], event->at);
				break;
			case INVOICE_DELETED:
				spell_begin(&spells[2], event->at);
				break;
			case INVOICE_RESTORED:
				spell_end(&spells[2], event->at);
				break;
			case INVOICE_VOIDED:
				fold->voided.on = true;
				fold->voided.since = event->at;
				break;
			case INVOICE_REINSTATED:
				fold->voided.on = false;
				break;
			case INVOICE_HAS_PAID:
			case INVOICE_PAYMENT:
			case INVOICE_CREDIT:
				break;
		}
	}
	if (!known)
		return false;
	fold->settled = last_spell(&spells[0]);
	fold->disputed = last_spell(&spells[1]);
	fold->deleted = last_spell(&spells[2]);
	add_up(events, n, fold);
	if (can_count(fold))
		add_stretches(events, n, spells, lengthof(spells), fold);
	return true;
}

bool
invoice_fold_is_plain(const InvoiceFold *fold)
{
	return fold->nstretches == 0 ||
		(fold->nstretches == 1 && fold->stretches[0].from == DT_NOBEGIN);
}

TimestampTz
invoice_fold_counts_until(const InvoiceFold *fold)
{
	return fold->nstretches == 0 ? DT_NOBEGIN :
		fold->stretches[fold->nstretches - 1].to;
}

const char *
invoice_fold_state(const InvoiceFold *fold)
{
	if (fold->deleted.on)
		return "deleted";
	if (fold->voided.on)
		return "voided";
	if (fold->settled.on ||
		(fold->has_amount &&
		 DatumGetBool(DirectFunctionCall2(numeric_le, fold->amount,
										  fold->paid))))
		return "settled";
	if (fold->disputed.on)
		return "disputed";
	return "open";
}
