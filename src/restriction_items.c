/*
 * restriction_items.c
 *		The bills of an account, and the overrides for it, from the ledger.
 *
 * As known now, sla.invoice tells of most bills when they were open: from ever
 * until counts_until. Of the others, and as known at another time, the events
 * tell.
 *
 * Knows nothing of rules.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "lib/qunique.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "floor_div.h"
#include "invoice_ledger.h"
#include "restriction_items.h"
#include "same_text.h"

/* What grows while rows are read */
typedef struct ItemList
{
	RestrictionItem *items;
	int			n;
	int			room;
} ItemList;

static RestrictionItem *
new_item(ItemList *list)
{
	if (list->n == list->room)
	{
		list->room *= 2;
		list->items = repalloc_huge(list->items,
									list->room * sizeof(RestrictionItem));
	}
	memset(&list->items[list->n], 0, sizeof(RestrictionItem));
	return &list->items[list->n++];
}

/* What a row of sla.invoice says that does not change what it is about */
static void
read_identity(const Datum *values, RestrictionItem *item)
{
	item->invoice_id = DatumGetInt64(values[INVOICE_ID - 1]);
	item->attachment_id = DatumGetInt32(values[INVOICE_ATTACHMENT_ID - 1]);
	item->key = TextDatumGetCString(values[INVOICE_KEY - 1]);
	item->policy = TextDatumGetCString(values[INVOICE_POLICY - 1]);
}

/* Fill in what the events say. False: it is not the account's, or never open */
static bool
read_history(Ledger *ledger, const char *account, TimestampTz known_at,
			 Snapshot snapshot, RestrictionItem *item)
{
	InvoiceEvent *events;
	int			nevents = invoice_read_events(ledger, item->invoice_id,
											  snapshot, 0, &events);
	InvoiceFold fold;

	if (!invoice_fold(events, nevents, known_at, &fold) ||
		fold.nstretches == 0 || strcmp(fold.account, account) != 0)
		return false;
	item->service = fold.service;
	item->due = fold.due;
	item->nstretches = fold.nstretches;
	item->stretches = fold.stretches;
	return true;
}

/*
 * Those known now that are open for the last time after, and by, an instant,
 * and due by a date. The index has all of that: other rows are not looked at.
 */
static void
read_present(Ledger *ledger, const char *account, TimestampTz after,
			 TimestampTz by, DateADT due_by, Snapshot snapshot,
			 ItemList *list)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_INVOICE));
	ScanKeyData keys[4];
	int			nkeys = 2;
	LedgerScan	scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], INVOICE_ACCOUNT, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(account));
	/* those that were never open have -infinity there */
	ScanKeyInit(&keys[1], INVOICE_COUNTS_UNTIL, BTGreaterStrategyNumber,
				F_TIMESTAMPTZ_GT, TimestampTzGetDatum(after));
	if (by != DT_NOEND)
		ScanKeyInit(&keys[nkeys++], INVOICE_COUNTS_UNTIL,
					BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
					TimestampTzGetDatum(by));
	if (due_by != DATEVAL_NOEND)
		ScanKeyInit(&keys[nkeys++], INVOICE_DUE, BTLessEqualStrategyNumber,
					F_DATE_LE, DateADTGetDatum(due_by));
	ledger_scan_begin_by(ledger, LEDGER_INVOICE, LEDGER_BY_ACCOUNT, snapshot,
						 keys, nkeys, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		Datum		values[INVOICE_NATTS];
		bool		nulls[INVOICE_NATTS];
		RestrictionItem *item = new_item(list);
		InvoiceStretch *stretch;

		heap_deform_tuple(tuple, desc, values, nulls);
		read_identity(values, item);
		if (!DatumGetBool(values[INVOICE_PLAIN - 1]))
		{
			if (!read_history(ledger, account, DT_NOEND, snapshot, item))
				list->n--;
			continue;
		}
		if (!nulls[INVOICE_SERVICE - 1])
			item->service = TextDatumGetCString(values[INVOICE_SERVICE - 1]);
		item->due = DatumGetDateADT(values[INVOICE_DUE - 1]);
		stretch = item->stretches = palloc(sizeof(InvoiceStretch));
		item->nstretches = 1;
		stretch->from = DT_NOBEGIN;
		stretch->to = DatumGetTimestampTz(values[INVOICE_COUNTS_UNTIL - 1]);
		stretch->has_open = !nulls[INVOICE_AMOUNT - 1];
		stretch->open = stretch->has_open ?
			PointerGetDatum(PG_DETOAST_DATUM_COPY(values[INVOICE_AMOUNT - 1])) : 0;
	}
	ledger_scan_end(&scan);
}

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* The invoices that an account ever had; *ids, palloc'd */
static int
ever_had(Ledger *ledger, const char *account, Snapshot snapshot, int64 **ids)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger,
													 LEDGER_INVOICE_EVENT));
	int			room = 32;
	int			n = 0;
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;

	*ids = palloc(room * sizeof(int64));
	ScanKeyInit(&key, INVOICE_EVENT_ACCOUNT, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(account));
	ledger_scan_begin_by(ledger, LEDGER_INVOICE_EVENT, LEDGER_BY_ACCOUNT,
						 snapshot, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		bool		isnull;

		if (n == room)
		{
			room *= 2;
			*ids = repalloc_huge(*ids, room * sizeof(int64));
		}
		(*ids)[n++] = DatumGetInt64(heap_getattr(tuple, INVOICE_EVENT_INVOICE_ID,
												 desc, &isnull));
	}
	ledger_scan_end(&scan);
	qsort(*ids, n, sizeof(int64), compare_ids);
	return (int) qunique(*ids, n, sizeof(int64), compare_ids);
}

/* All known at an instant */
static void
read_past(Ledger *ledger, const char *account, TimestampTz known_at,
		  Snapshot snapshot, ItemList *list)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_INVOICE));
	int64	   *ids;
	int			nids = ever_had(ledger, account, snapshot, &ids);

	for (int i = 0; i < nids; i++)
	{
		ScanKeyData key;
		LedgerScan	scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, INVOICE_ID, BTEqualStrategyNumber, F_INT8EQ,
					Int64GetDatum(ids[i]));
		ledger_scan_begin_by(ledger, LEDGER_INVOICE, LEDGER_BY_ID, snapshot,
							 &key, 1, &scan);
		tuple = ledger_scan_next(&scan);
		if (HeapTupleIsValid(tuple))
		{
			Datum		values[INVOICE_NATTS];
			bool		nulls[INVOICE_NATTS];
			RestrictionItem *item = new_item(list);

			heap_deform_tuple(tuple, desc, values, nulls);
			read_identity(values, item);
			if (!read_history(ledger, account, known_at, snapshot, item))
				list->n--;
		}
		ledger_scan_end(&scan);
	}
}

static void
begin_list(ItemList *list)
{
	list->n = 0;
	list->room = 8;
	list->items = palloc(list->room * sizeof(RestrictionItem));
}

int
restriction_items(Ledger *ledger, const char *account, TimestampTz known_at,
				  TimestampTz open_after, Snapshot snapshot,
				  RestrictionItem **items)
{
	ItemList	list;

	begin_list(&list);
	if (known_at == DT_NOEND)
		read_present(ledger, account, open_after, DT_NOEND, DATEVAL_NOEND,
					 snapshot, &list);
	else
		read_past(ledger, account, known_at, snapshot, &list);
	*items = list.items;
	return list.n;
}

int
restriction_items_overdue(Ledger *ledger, const char *account,
						  TimestampTz known_at, TimestampTz at,
						  Snapshot snapshot, RestrictionItem **items)
{
	ItemList	list;
	/* UTC is less than a day behind any zone */
	DateADT		due_by = (DateADT) floor_div(at, USECS_PER_DAY) + 1;

	begin_list(&list);
	if (known_at == DT_NOEND)
		read_present(ledger, account, at, DT_NOEND, due_by, snapshot, &list);
	else
		read_past(ledger, account, known_at, snapshot, &list);
	*items = list.items;
	return list.n;
}

int
restriction_items_ended(Ledger *ledger, const char *account,
						TimestampTz after, TimestampTz by, Snapshot snapshot,
						RestrictionItem **items)
{
	ItemList	list;

	begin_list(&list);
	read_present(ledger, account, after, by, DATEVAL_NOEND, snapshot, &list);
	*items = list.items;
	return list.n;
}

/* ---------- overrides ---------- */

/* What a row says, revocation or not */
typedef struct OverrideRow
{
	RestrictionOverride content;
	bool		is_revocation;
	int32		revokes;
	TimestampTz recorded_at;
} OverrideRow;

static bool
read_override(Ledger *ledger, HeapTuple tuple, OverrideRow *row)
{
	Datum		values[OVERRIDE_NATTS];
	bool		nulls[OVERRIDE_NATTS];

	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_OVERRIDE)),
					  values, nulls);
	memset(row, 0, sizeof(*row));
	row->content.id = DatumGetInt32(values[OVERRIDE_ID - 1]);
	if (!nulls[OVERRIDE_SERVICE - 1])
		row->content.service = TextDatumGetCString(values[OVERRIDE_SERVICE - 1]);
	row->is_revocation = !nulls[OVERRIDE_REVOKES - 1];
	if (row->is_revocation)
		row->revokes = DatumGetInt32(values[OVERRIDE_REVOKES - 1]);
	else if (nulls[OVERRIDE_LEVEL - 1] ||
			 !restriction_level_of_datum(values[OVERRIDE_LEVEL - 1],
										 &row->content.level))
		return false;
	row->content.reason = TextDatumGetCString(values[OVERRIDE_REASON - 1]);
	row->content.author = TextDatumGetCString(values[OVERRIDE_AUTHOR - 1]);
	row->content.starts = DatumGetTimestampTz(values[OVERRIDE_STARTS - 1]);
	row->content.until = DatumGetTimestampTz(values[OVERRIDE_UNTIL - 1]);
	row->recorded_at = DatumGetTimestampTz(values[OVERRIDE_RECORDED_AT - 1]);
	return true;
}

static int
compare_overrides(const void *a, const void *b)
{
	int32		x = ((const RestrictionOverride *) a)->id;
	int32		y = ((const RestrictionOverride *) b)->id;

	return (x > y) - (x < y);
}

int
restriction_overrides(Ledger *ledger, const char *account,
					  TimestampTz known_at, Snapshot snapshot,
					  RestrictionOverride **overrides)
{
	List	   *rows = NIL;
	ListCell   *lc;
	ListCell   *other;
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	int			n = 0;

	ScanKeyInit(&key, OVERRIDE_ACCOUNT, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(account));
	ledger_scan_begin_by(ledger, LEDGER_OVERRIDE, LEDGER_BY_LOOKUP, snapshot,
						 &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		OverrideRow *row = palloc(sizeof(OverrideRow));

		if (read_override(ledger, tuple, row) && row->recorded_at <= known_at)
			rows = lappend(rows, row);
	}
	ledger_scan_end(&scan);
	if (rows == NIL)
		return 0;

	*overrides = palloc(list_length(rows) * sizeof(RestrictionOverride));
	foreach(lc, rows)
	{
		OverrideRow *row = lfirst(lc);

		if (row->is_revocation)
			continue;
		foreach(other, rows)
		{
			OverrideRow *revocation = lfirst(other);

			if (revocation->is_revocation &&
				revocation->revokes == row->content.id)
				row->content.until = Min(row->content.until,
										 revocation->content.starts);
		}
		(*overrides)[n++] = row->content;
	}
	qsort(*overrides, n, sizeof(RestrictionOverride), compare_overrides);
	return n;
}

const RestrictionOverride *
restriction_override_at(const RestrictionOverride *overrides, int n,
						const char *service, TimestampTz at)
{
	const RestrictionOverride *best = NULL;

	for (int i = 0; i < n; i++)
	{
		const RestrictionOverride *other = &overrides[i];

		if (at < other->starts || at >= other->until ||
			(other->service != NULL && !same_text(other->service, service)))
			continue;
		/* one for the service goes before one for all, then the last counts */
		if (best == NULL || other->service != NULL || best->service == NULL)
			best = other;
	}
	return best;
}
