/*
 * gone.c
 *		Tickets whose rows went without a row trigger: their table was
 *		truncated or dropped, or nothing said so when it happened.
 *
 * Knows nothing of how a row is recorded.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "invoices.h"
#include "message_table.h"
#include "restamp.h"
#include "restamp_progress.h"

PG_FUNCTION_INFO_V1(slapolicy_truncated);
PG_FUNCTION_INFO_V1(slapolicy_dropped);
PG_FUNCTION_INFO_V1(slapolicy_reconcile);

/* After TRUNCATE: there are no rows, so no ticket is there any more. */
Datum
slapolicy_truncated(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Ledger	   *ledger;
	AttachmentRow row;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event) ||
		!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s must be fired %s",
						"truncated", "AFTER TRUNCATE")));

	ledger = ledger_open(true);
	if (attach_find_row(ledger, RelationGetRelid(trigdata->tg_relation), &row))
		attach_end_tickets(ledger, &row, NULL,
						   GetCurrentStatementStartTimestamp());
	ledger_close(ledger);
	return PointerGetDatum(NULL);
}

/*
 * End the record of a table that is gone. Somebody else may have done so
 * meanwhile.
 */
static void
end_gone_table(void *attachment, TimestampTz now)
{
	AttachmentRow *row = attachment;
	Ledger	   *ledger = ledger_open(true);
	HeapTuple	tuple;

	if (ledger_lock_row(ledger, LEDGER_ATTACHMENT, &row->tid, &tuple))
	{
		heap_deform_tuple(tuple,
						  RelationGetDescr(ledger_table(ledger, LEDGER_ATTACHMENT)),
						  row->values, row->nulls);
		row->values[ATTACHMENT_TICKET_TABLE - 1] = ObjectIdGetDatum(InvalidOid);
		if (row->nulls[ATTACHMENT_DETACHED_AT - 1])
			attach_end_live_tickets(ledger, row, now);
		else
			now = DatumGetTimestampTz(row->values[ATTACHMENT_DETACHED_AT - 1]);
		attach_end_row(ledger, row, now);
	}
	ledger_close(ledger);
}

/* The same for a table of messages, or of the tickets they are about. */
static void
end_gone_messages(void *row, TimestampTz now)
{
	message_table_end_gone(row, now);
}

/* The same for a table of invoices. */
static void
end_gone_invoices(void *row, TimestampTz now)
{
	invoices_end_gone(row, now);
}

/*
 * Do any of these, but whatever is wrong with the ledger is no reason to keep a table
 * from being dropped: then a warning says so, and the next DROP tries again.
 */
static void
try_end(void (*end) (void *row, TimestampTz now), void *row, TimestampTz now)
{
	MemoryContext old_context = CurrentMemoryContext;
	ResourceOwner old_owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(old_context);
	PG_TRY();
	{
		end(row, now);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old_context);
		CurrentResourceOwner = old_owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(old_context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(old_context);
		CurrentResourceOwner = old_owner;

		/* not our failure but an order to stop */
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
			ReThrowError(error);
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("clocks of the tickets of a dropped table run on: %s",
						error->message),
				 errhint("Dropping any other object tries again to end them.")));
		FreeErrorData(error);
	}
	PG_END_TRY();
}

/* Is the extension's table there? It may be what is dropped. */
static bool
table_is_there(Oid namespace, const char *table, const char *index)
{
	return OidIsValid(get_relname_relid(table, namespace)) &&
		OidIsValid(get_relname_relid(index, namespace));
}

/*
 * Is the table of an attachment gone, and that not noted yet? One that was not
 * there when a dump was restored has no OID from the start.
 */
static bool
is_gone(const AttachmentRow *row)
{
	Oid			relid = DatumGetObjectId(row->values[ATTACHMENT_TICKET_TABLE - 1]);

	return OidIsValid(relid) ? get_rel_relkind(relid) == '\0' :
		row->nulls[ATTACHMENT_DETACHED_AT - 1];
}

/*
 * After anything was dropped, by whomever: end the attachments whose tables
 * are gone. As long as there are none this reads two small tables.
 */
Datum
slapolicy_dropped(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Oid			namespace = get_namespace_oid("sla", true);
	Ledger	   *ledger;
	List	   *attachments;
	List	   *messages;
	List	   *invoices;
	ListCell   *lc;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s was not called by event trigger manager",
						"dropped")));

	if (!OidIsValid(namespace) ||
		!table_is_there(namespace, "attachment", "attachment_ticket_table_key") ||
		!table_is_there(namespace, "message_attachment",
						"message_attachment_messages_table_key") ||
		!table_is_there(namespace, "invoice_attachment",
						"invoice_attachment_invoice_table_key"))
		PG_RETURN_NULL();

	ledger = ledger_open(false);
	attachments = attach_all_rows(ledger);
	messages = message_table_rows(ledger);
	invoices = invoice_table_rows(ledger);
	ledger_close(ledger);
	foreach(lc, attachments)
		if (is_gone(lfirst(lc)))
			try_end(end_gone_table, lfirst(lc), now);
	foreach(lc, messages)
		if (message_table_is_gone(lfirst(lc)))
			try_end(end_gone_messages, lfirst(lc), now);
	foreach(lc, invoices)
		if (invoices_table_is_gone(lfirst(lc)))
			try_end(end_gone_invoices, lfirst(lc), now);
	PG_RETURN_NULL();
}

/*
 * Bring the record up to the rows there are, and end that of those which are
 * not. No other session writes to the table until the transaction ends.
 * Returns for how many tickets there was anything to record.
 */
Datum
slapolicy_reconcile(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	List	   *relids = attach_lock_table(relid);
	Ledger	   *ledger = ledger_open(true);
	AttachmentRow row;
	RowTally	tally = {.seen = ticket_set_create()};

	if (!attach_find_row(ledger, relid, &row))
		restamp_not_attached(relid);
	restamp_relations(relids, now, &tally);
	tally.nchanged += attach_end_tickets(ledger, &row, tally.seen, now);
	restamp_progress_delete(ledger,
							DatumGetInt32(row.values[ATTACHMENT_ID - 1]));
	ledger_close(ledger);
	CommandCounterIncrement();
	restamp_warn(relid, &tally);
	PG_RETURN_INT64(tally.nchanged);
}
