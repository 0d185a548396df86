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
 *  - Paid at an instant is what the row said by then, the last in time, plus
 *    payments and credits less reversals by then.
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

static bool
spells_have(const Spells *spells, TimestampTz at)
{
	for (int i = 0; i < spells->n; i++)
		if (spells->from[i] <= at && at < spells->to[i])
			return true;
	return false;
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

/* What has been paid by an instant */
static Datum
paid_at(const InvoiceEvent *events, int n, TimestampTz at, bool *has_row_paid,
		Datum *row_paid)
{
	const InvoiceEvent *row = NULL;
	Datum		sum = 0;

	for (int i = 0; i < n; i++)
	{
		const InvoiceEvent *event = &events[i];

		if (event->at > at || !event->has_amount)
			continue;
		if (event->kind == INVOICE_HAS_PAID)
		{
			if (row == NULL || event->at >= row->at)
				row = event;
		}
		else if (event->kind == INVOICE_PAYMENT ||
				 event->kind == INVOICE_CREDIT ||
				 event->kind == INVOICE_REVERSED)
			sum = DirectFunctionCall2(event->kind == INVOICE_REVERSED ?
									  numeric_sub : numeric_add,
									  sum == 0 ? zero() : sum, event->amount);
	}
	*has_row_paid = row != NULL;
	*row_paid = row == NULL ? 0 : row->amount;
	if (sum == 0)
		return row == NULL ? 0 : row->amount;
	return row == NULL ? sum :
		DirectFunctionCall2(numeric_add, sum, row->amount);
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
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

/* What is open from an instant on until something happens; false: nothing */
static bool
open_at(const InvoiceEvent *events, int n, const InvoiceFold *fold,
		TimestampTz at, InvoiceStretch *stretch)
{
	bool		has_row_paid;
	Datum		row_paid;
	Datum		paid;

	stretch->has_open = fold->has_amount;
	stretch->open = fold->amount;
	if (!fold->has_amount)
		return true;
	paid = paid_at(events, n, at, &has_row_paid, &row_paid);
	if (paid == 0)
		return true;
	stretch->open = DirectFunctionCall2(numeric_sub, fold->amount, paid);
	return DatumGetBool(DirectFunctionCall2(numeric_gt, stretch->open, zero()));
}

static void
add_stretches(const InvoiceEvent *events, int n, const Spells *spells,
			  int nspells, InvoiceFold *fold)
{
	TimestampTz *edges = palloc((n + 2) * sizeof(TimestampTz));
	int			nedges = 0;

	edges[nedges++] = DT_NOBEGIN;
	for (int i = 0; i < n; i++)
		if (events[i].kind != INVOICE_ISSUED &&
			events[i].kind != INVOICE_CHANGED)
			edges[nedges++] = events[i].at;
	/* an end before its beginning is one with it */
	qsort(edges, nedges, sizeof(TimestampTz), compare_times);
	edges[nedges] = DT_NOEND;
	fold->stretches = palloc(nedges * sizeof(InvoiceStretch));
	for (int i = 0; i < nedges; i++)
	{
		InvoiceStretch stretch = {.from = edges[i],.to = edges[i + 1]};
		bool		closed = false;

		if (stretch.from == stretch.to)
			continue;
		for (int j = 0; j < nspells; j++)
			closed = closed || spells_have(&spells[j], stretch.from);
		if (!closed && open_at(events, n, fold, stretch.from, &stretch))
			add_stretch(fold, stretch);
	}
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
	fold->paid = paid_at(events, n, DT_NOEND, &fold->has_row_paid,
						 &fold->row_paid);
	if (fold->paid == 0)
		fold->paid = zero();
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
