/*
 * invoice_ledger.c
 *		Invoices and their events, in and out of the ledger.
 *
 * Knows nothing of tables of invoices, rules and accounts.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "invoice_ledger.h"
#include "ledger_key.h"

/* The states an invoice can have, so that rows read back as constants */
static const char *const states[] = {
	"open", "settled", "disputed", "voided", "deleted"
};

static const char *
state_constant(const char *state)
{
	for (int i = 0; i < (int) lengthof(states); i++)
		if (strcmp(states[i], state) == 0)
			return states[i];
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("unknown state \"%s\" in sla.invoice", state)));
}

static char *
text_or_null(const Datum *values, const bool *nulls, AttrNumber attnum)
{
	return nulls[attnum - 1] ? NULL : TextDatumGetCString(values[attnum - 1]);
}

static void
set_text(Datum *values, bool *nulls, AttrNumber attnum, const char *text)
{
	nulls[attnum - 1] = text == NULL;
	if (text != NULL)
		values[attnum - 1] = CStringGetTextDatum(text);
}

static Datum
copy_numeric(Datum value)
{
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

void
invoice_read(Ledger *ledger, HeapTuple tuple, LedgerInvoice *invoice)
{
	Datum		values[INVOICE_NATTS];
	bool		nulls[INVOICE_NATTS];
	char	   *state;

	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_INVOICE)),
					  values, nulls);
	memset(invoice, 0, sizeof(*invoice));
	invoice->tid = tuple->t_self;
	invoice->id = DatumGetInt64(values[INVOICE_ID - 1]);
	invoice->attachment_id = DatumGetInt32(values[INVOICE_ATTACHMENT_ID - 1]);
	invoice->key = TextDatumGetCString(values[INVOICE_KEY - 1]);
	invoice->policy = TextDatumGetCString(values[INVOICE_POLICY - 1]);
	invoice->account = text_or_null(values, nulls, INVOICE_ACCOUNT);
	invoice->service = text_or_null(values, nulls, INVOICE_SERVICE);
	invoice->has_due = !nulls[INVOICE_DUE - 1];
	if (invoice->has_due)
		invoice->due = DatumGetDateADT(values[INVOICE_DUE - 1]);
	invoice->has_amount = !nulls[INVOICE_AMOUNT - 1];
	if (invoice->has_amount)
		invoice->amount = copy_numeric(values[INVOICE_AMOUNT - 1]);
	invoice->paid = copy_numeric(values[INVOICE_PAID - 1]);
	state = TextDatumGetCString(values[INVOICE_STATE - 1]);
	invoice->state = state_constant(state);
	pfree(state);
	invoice->counts_until =
		DatumGetTimestampTz(values[INVOICE_COUNTS_UNTIL - 1]);
	invoice->plain = DatumGetBool(values[INVOICE_PLAIN - 1]);
	invoice->has_days = !nulls[INVOICE_DAYS - 1];
	if (invoice->has_days)
		invoice->days = DatumGetInt32(values[INVOICE_DAYS - 1]);
	invoice->problem = text_or_null(values, nulls, INVOICE_PROBLEM);
	invoice->next_change_at = nulls[INVOICE_NEXT_CHANGE_AT - 1] ? DT_NOEND :
		DatumGetTimestampTz(values[INVOICE_NEXT_CHANGE_AT - 1]);
}

static const LedgerKeyed keyed = {
	.table = LEDGER_INVOICE,
	.id = INVOICE_ID,
	.attachment_id = INVOICE_ATTACHMENT_ID,
	.key = INVOICE_KEY,
	.state = INVOICE_STATE,
	.noun = "invoice",
};

bool
invoice_find(Ledger *ledger, int32 attachment_id, const char *key, bool lock,
			 LedgerInvoice *invoice)
{
	HeapTuple	tuple = ledger_key_find(ledger, &keyed, attachment_id, key,
										lock);

	if (tuple == NULL)
		return false;
	invoice_read(ledger, tuple, invoice);
	heap_freetuple(tuple);
	return true;
}

bool
invoice_find_displaced(Ledger *ledger, int32 attachment_id, const char *key,
					   LedgerInvoice *invoice)
{
	HeapTuple	tuple = ledger_key_find_displaced(ledger, &keyed,
												  attachment_id, key);

	if (tuple == NULL)
		return false;
	invoice_read(ledger, tuple, invoice);
	heap_freetuple(tuple);
	return true;
}

void
invoice_displace(Ledger *ledger, LedgerInvoice *invoice)
{
	invoice->key = ledger_key_displace(ledger, &keyed, invoice->attachment_id,
									   invoice->key, invoice->id);
	invoice_write(ledger, invoice);
}

void
invoice_write(Ledger *ledger, LedgerInvoice *invoice)
{
	Datum		values[INVOICE_NATTS] = {0};
	bool		nulls[INVOICE_NATTS] = {false};
	bool		is_new = invoice->id == 0;

	if (is_new)
		invoice->id = ledger_next_id(LEDGER_INVOICE);
	values[INVOICE_ID - 1] = Int64GetDatum(invoice->id);
	values[INVOICE_ATTACHMENT_ID - 1] = Int32GetDatum(invoice->attachment_id);
	set_text(values, nulls, INVOICE_KEY, invoice->key);
	set_text(values, nulls, INVOICE_POLICY, invoice->policy);
	set_text(values, nulls, INVOICE_ACCOUNT, invoice->account);
	set_text(values, nulls, INVOICE_SERVICE, invoice->service);
	nulls[INVOICE_DUE - 1] = !invoice->has_due;
	values[INVOICE_DUE - 1] = DateADTGetDatum(invoice->due);
	nulls[INVOICE_AMOUNT - 1] = !invoice->has_amount;
	values[INVOICE_AMOUNT - 1] = invoice->amount;
	values[INVOICE_PAID - 1] = invoice->paid;
	set_text(values, nulls, INVOICE_STATE, invoice->state);
	values[INVOICE_COUNTS_UNTIL - 1] =
		TimestampTzGetDatum(invoice->counts_until);
	values[INVOICE_PLAIN - 1] = BoolGetDatum(invoice->plain);
	nulls[INVOICE_DAYS - 1] = !invoice->has_days;
	values[INVOICE_DAYS - 1] = Int32GetDatum(invoice->days);
	set_text(values, nulls, INVOICE_PROBLEM, invoice->problem);
	nulls[INVOICE_NEXT_CHANGE_AT - 1] = invoice->next_change_at == DT_NOEND;
	values[INVOICE_NEXT_CHANGE_AT - 1] =
		TimestampTzGetDatum(invoice->next_change_at);
	if (is_new)
		ledger_insert(ledger, LEDGER_INVOICE, values, nulls);
	else
		ledger_update(ledger, LEDGER_INVOICE, &invoice->tid, values, nulls);
}

static void
read_event(HeapTuple tuple, TupleDesc desc, InvoiceEvent *event)
{
	Datum		values[INVOICE_EVENT_NATTS];
	bool		nulls[INVOICE_EVENT_NATTS];
	char	   *kind;

	heap_deform_tuple(tuple, desc, values, nulls);
	memset(event, 0, sizeof(*event));
	event->seq = DatumGetInt32(values[INVOICE_EVENT_SEQ - 1]);
	kind = TextDatumGetCString(values[INVOICE_EVENT_KIND - 1]);
	if (!invoice_event_kind_from_text(kind, &event->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unknown kind \"%s\" in sla.invoice_event", kind)));
	pfree(kind);
	event->at = DatumGetTimestampTz(values[INVOICE_EVENT_AT - 1]);
	event->recorded_at =
		DatumGetTimestampTz(values[INVOICE_EVENT_RECORDED_AT - 1]);
	event->account = text_or_null(values, nulls, INVOICE_EVENT_ACCOUNT);
	event->service = text_or_null(values, nulls, INVOICE_EVENT_SERVICE);
	event->has_due = !nulls[INVOICE_EVENT_DUE - 1];
	if (event->has_due)
		event->due = DatumGetDateADT(values[INVOICE_EVENT_DUE - 1]);
	event->has_amount = !nulls[INVOICE_EVENT_AMOUNT - 1];
	if (event->has_amount)
		event->amount = copy_numeric(values[INVOICE_EVENT_AMOUNT - 1]);
	event->source = text_or_null(values, nulls, INVOICE_EVENT_SOURCE);
}

static int
compare_events(const void *a, const void *b)
{
	return ((const InvoiceEvent *) a)->seq - ((const InvoiceEvent *) b)->seq;
}

int
invoice_read_events(Ledger *ledger, int64 id, Snapshot snapshot, int room,
					InvoiceEvent **events)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger,
													 LEDGER_INVOICE_EVENT));
	int			allocated = 8 + room;
	int			n = 0;
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;

	*events = palloc(allocated * sizeof(InvoiceEvent));
	ScanKeyInit(&key, INVOICE_EVENT_INVOICE_ID, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(id));
	ledger_scan_begin_by(ledger, LEDGER_INVOICE_EVENT, LEDGER_BY_LOOKUP,
						 snapshot, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		if (n + room == allocated)
		{
			allocated *= 2;
			*events = repalloc(*events, allocated * sizeof(InvoiceEvent));
		}
		read_event(tuple, desc, &(*events)[n++]);
	}
	ledger_scan_end(&scan);
	qsort(*events, n, sizeof(InvoiceEvent), compare_events);
	return n;
}

void
invoice_write_event(Ledger *ledger, int64 id, const InvoiceEvent *event)
{
	Datum		values[INVOICE_EVENT_NATTS] = {0};
	bool		nulls[INVOICE_EVENT_NATTS] = {false};

	values[INVOICE_EVENT_INVOICE_ID - 1] = Int64GetDatum(id);
	values[INVOICE_EVENT_SEQ - 1] = Int32GetDatum(event->seq);
	set_text(values, nulls, INVOICE_EVENT_KIND,
			 invoice_event_kind_text(event->kind));
	values[INVOICE_EVENT_AT - 1] = TimestampTzGetDatum(event->at);
	values[INVOICE_EVENT_RECORDED_AT - 1] =
		TimestampTzGetDatum(event->recorded_at);
	set_text(values, nulls, INVOICE_EVENT_ACCOUNT, event->account);
	set_text(values, nulls, INVOICE_EVENT_SERVICE, event->service);
	nulls[INVOICE_EVENT_DUE - 1] = !event->has_due;
	values[INVOICE_EVENT_DUE - 1] = DateADTGetDatum(event->due);
	nulls[INVOICE_EVENT_AMOUNT - 1] = !event->has_amount;
	values[INVOICE_EVENT_AMOUNT - 1] = event->amount;
	set_text(values, nulls, INVOICE_EVENT_SOURCE, event->source);
	ledger_insert(ledger, LEDGER_INVOICE_EVENT, values, nulls);
}

List *
invoice_keys(Ledger *ledger, int32 attachment_id, const TicketSet *but)
{
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	List	   *keys = NIL;

	ScanKeyInit(&key, INVOICE_ATTACHMENT_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attachment_id));
	ledger_scan_begin(ledger, LEDGER_INVOICE, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		LedgerInvoice invoice;

		invoice_read(ledger, tuple, &invoice);
		if (strcmp(invoice.state, "deleted") != 0 &&
			(but == NULL || !ticket_set_has(but, invoice.id)))
			keys = lappend(keys, pstrdup(invoice.key));
	}
	ledger_scan_end(&scan);
	return keys;
}
