/*
 * invoices.c
 *		Tables of invoices: attaching and detaching them, their triggers, and
 *		rows that are there already.
 *
 * sla.invoiced, AFTER INSERT OR UPDATE OR DELETE and first by name, brings the
 * ledger up to the row as it is by then. It writes tables that the writer of
 * the row has no rights on; the functions that anyone can call check that the
 * caller owns the table of invoices.
 *
 * An invoice is never kept out unless the owner of the table asked for that.
 *
 * Knows nothing of what becomes of invoices.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "as_owner.h"
#include "attach.h"
#include "invoice_record.h"
#include "invoices.h"
#include "ledger_about.h"
#include "moved_row.h"
#include "stamp.h"
#include "ticket_set.h"

PG_FUNCTION_INFO_V1(slapolicy_invoiced);
PG_FUNCTION_INFO_V1(slapolicy_invoices_truncated);
PG_FUNCTION_INFO_V1(slapolicy_register_invoices);
PG_FUNCTION_INFO_V1(slapolicy_unregister_invoices);
PG_FUNCTION_INFO_V1(slapolicy_record_invoices);

/* How a relation's rows are read, for as long as the statement lasts */
typedef struct StatementState
{
	InvoiceTable *table;		/* NULL: not at all */
	bool		warned;
} StatementState;

static StatementState *
get_state(FunctionCallInfo fcinfo, Relation rel)
{
	StatementState *state = fcinfo->flinfo->fn_extra;
	MemoryContext old;
	Ledger	   *ledger;
	char	   *problem = NULL;
	bool		attached;

	if (state != NULL)
		return state;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	ledger = ledger_open(false);
	state = palloc0(sizeof(StatementState));
	state->table = invoice_table_load(ledger, rel, &problem);
	attached = ledger_about_relation(ledger, LEDGER_INVOICES,
									 INVOICES_DETACHED_AT, rel) != NULL;
	ledger_close(ledger);
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = state;
	if (state->table == NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("invoices of table \"%s\" are not recorded: %s",
						RelationGetRelationName(rel), problem),
				 attached ?
				 errhint("Undo that, as by renaming a column back, and call sla.reconcile_invoices for what was missed; or call sla.detach_invoices, then sla.attach_invoices with the columns there are.") :
				 errhint("Call sla.attach_invoices for the table, or sla.detach_invoices to remove its trigger.")));
	return state;
}

/* Refuse a row that cannot count, if the owner wants that, or say so once. */
static void
tell_problem(const InvoiceTable *table, Relation rel, const char *key,
			 const char *problem, bool *warned)
{
	if (table->reject)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("invoice %s of table \"%s\" cannot count: %s",
						key, RelationGetRelationName(rel), problem),
				 errhint("The table was attached with on_error => 'reject'."),
				 errtable(rel)));
	if (*warned)
		return;
	*warned = true;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("invoice %s of table \"%s\" restricts nobody: %s",
					key, RelationGetRelationName(rel), problem),
			 errhint("Its row is accepted; sla.invoice.problem keeps the reason. Further rows of this statement may have problems, too.")));
}

/* Record what a row says by now. */
static bool
record_slot(Ledger *ledger, InvoiceTable *table, Relation rel,
			TupleTableSlot *slot, const char *former_key, TimestampTz now,
			bool *warned, int64 *id)
{
	char	   *key = attachment_key(&table->own, slot);
	InvoiceRow	row;

	invoice_table_read(table, slot, invoice_rule(table->policy, now), now, &row);
	if (row.problem != NULL)
		tell_problem(table, rel, key, row.problem, warned);
	return invoice_record_row(ledger, table, key, former_key, &row, id);
}

/* Keep the key that the ledger knows a row by that moves to another partition. */
static void
keep_moving(const InvoiceTable *table, Relation rel, TupleTableSlot *slot,
			char *key)
{
	moved_row_keep(MOVED_INVOICE, table->id, rel, slot,
				   table->own.nkeys, table->own.keys, 1, &key);
}

/* The key a row had in another partition; NULL: it has not moved here */
static char *
key_elsewhere(const InvoiceTable *table, Relation rel, TupleTableSlot *slot)
{
	int			n;
	char	  **keys = moved_row_arrived(MOVED_INVOICE, table->id, rel, slot,
										 table->own.nkeys, table->own.keys,
										 &n);

	return keys == NULL ? NULL : keys[0];
}

Datum
slapolicy_invoiced(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Relation	rel;
	StatementState *state;
	InvoiceTable *table;
	Ledger	   *ledger;
	TupleTableSlot *slot;
	char	   *former_key = NULL;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s must be fired %s for each row",
						"invoiced", "AFTER INSERT, UPDATE OR DELETE")));
	rel = trigdata->tg_relation;
	state = get_state(fcinfo, rel);
	table = state->table;
	if (table == NULL)
		return PointerGetDatum(NULL);

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		if (!attachment_row_changed(&table->own, trigdata->tg_trigslot,
									trigdata->tg_newslot))
			return PointerGetDatum(NULL);
		former_key = attachment_key(&table->own, trigdata->tg_trigslot);
	}
	else
		former_key = key_elsewhere(table, rel, trigdata->tg_trigslot);
	ledger = ledger_open(true);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		char	   *key = attachment_key(&table->own, trigdata->tg_trigslot);

		if (moved_row_leaves(rel, trigdata->tg_trigslot))
			keep_moving(table, rel, trigdata->tg_trigslot,
						former_key ? former_key : key);
		invoice_record_gone(ledger, table->id, key, now);
	}
	else
	{
		slot = trigger_current_row(rel,
								   TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
								   trigdata->tg_newslot : trigdata->tg_trigslot);
		if (slot != NULL)
		{
			int64		id;

			record_slot(ledger, table, rel, slot, former_key, now,
						&state->warned, &id);
			ExecDropSingleTupleTableSlot(slot);
		}
	}
	ledger_close(ledger);
	return PointerGetDatum(NULL);
}

/* Record all invoices of an attachment as gone, but for some of them. */
static int64
end_invoices(Ledger *ledger, int32 id, const TicketSet *but, TimestampTz now)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "slapolicy invoices gone",
													  ALLOCSET_DEFAULT_SIZES);
	int64		ngone = 0;
	ListCell   *lc;

	foreach(lc, invoice_keys(ledger, id, but))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		if (invoice_record_gone(ledger, id, lfirst(lc), now))
			ngone++;
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	return ngone;
}

/* After TRUNCATE: there are no rows, so no invoice is there any more. */
Datum
slapolicy_invoices_truncated(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Ledger	   *ledger;
	InvoiceTableRow row;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s must be fired %s",
						"invoices_truncated", "AFTER TRUNCATE")));
	ledger = ledger_open(true);
	if (invoice_table_find_row(ledger, RelationGetRelid(trigdata->tg_relation),
							   &row) &&
		row.nulls[INVOICES_DETACHED_AT - 1])
		end_invoices(ledger, DatumGetInt32(row.values[INVOICES_ID - 1]), NULL,
					 GetCurrentStatementStartTimestamp());
	ledger_close(ledger);
	return PointerGetDatum(NULL);
}

/*
 * Enter a table, or bring back one that was detached under its former id.
 * Arguments: table, policy, roles, options, on_error.
 */
Datum
slapolicy_register_invoices(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *relids = attach_lock_table(relid);
	Ledger	   *ledger = ledger_open(true);
	InvoiceTableRow row;
	bool		found;
	int32		id;

	attach_check_kind(relid);
	memset(&row, 0, sizeof(row));
	found = invoice_table_find_row(ledger, relid, &row);
	if (found && row.nulls[INVOICES_DETACHED_AT - 1])
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table \"%s\" is attached already",
						get_rel_name(relid)),
				 errhint("Call sla.detach_invoices first to attach it in another way.")));
	id = found ? DatumGetInt32(row.values[INVOICES_ID - 1]) :
		(int32) ledger_next_id(LEDGER_INVOICES);
	row.values[INVOICES_ID - 1] = Int32GetDatum(id);
	row.values[INVOICES_TABLE - 1] = ObjectIdGetDatum(relid);
	row.values[INVOICES_POLICY - 1] = PG_GETARG_DATUM(1);
	row.values[INVOICES_ROLES - 1] = PG_GETARG_DATUM(2);
	row.values[INVOICES_OPTIONS - 1] = PG_GETARG_DATUM(3);
	row.values[INVOICES_ON_ERROR - 1] = PG_GETARG_DATUM(4);
	row.values[INVOICES_ATTACHED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	row.nulls[INVOICES_DETACHED_AT - 1] = true;
	if (found)
		ledger_update(ledger, LEDGER_INVOICES, &row.tid, row.values, row.nulls);
	else
		ledger_insert(ledger, LEDGER_INVOICES, row.values, row.nulls);
	ledger_close(ledger);
	attach_forget_tables(relids);
	CommandCounterIncrement();
	PG_RETURN_INT32(id);
}

/* The row of a table; false when it is not attached. */
static bool
find_attached(Ledger *ledger, Oid relid, InvoiceTableRow *row)
{
	return invoice_table_find_row(ledger, relid, row) &&
		row->nulls[INVOICES_DETACHED_AT - 1];
}

/* End the record of a table: nothing is known of its invoices any more. */
static void
end_table(Ledger *ledger, InvoiceTableRow *row, TimestampTz now)
{
	end_invoices(ledger, DatumGetInt32(row->values[INVOICES_ID - 1]), NULL,
				 now);
	row->nulls[INVOICES_DETACHED_AT - 1] = false;
	row->values[INVOICES_DETACHED_AT - 1] = TimestampTzGetDatum(now);
	ledger_update(ledger, LEDGER_INVOICES, &row->tid, row->values, row->nulls);
}

Datum
slapolicy_unregister_invoices(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *relids = attach_lock_table(relid);
	Ledger	   *ledger = ledger_open(true);
	InvoiceTableRow row;
	bool		found = find_attached(ledger, relid, &row);

	if (found)
		end_table(ledger, &row, GetCurrentStatementStartTimestamp());
	ledger_close(ledger);
	attach_forget_tables(relids);
	CommandCounterIncrement();
	PG_RETURN_BOOL(found);
}

bool
invoices_table_is_gone(const InvoiceTableRow *row)
{
	Oid			relid = DatumGetObjectId(row->values[INVOICES_TABLE - 1]);

	return OidIsValid(relid) && get_rel_relkind(relid) == '\0';
}

void
invoices_end_gone(InvoiceTableRow *row, TimestampTz now)
{
	Ledger	   *ledger = ledger_open(true);
	HeapTuple	tuple;

	if (ledger_lock_row(ledger, LEDGER_INVOICES, &row->tid, &tuple))
	{
		heap_deform_tuple(tuple,
						  RelationGetDescr(ledger_table(ledger, LEDGER_INVOICES)),
						  row->values, row->nulls);
		row->values[INVOICES_TABLE - 1] = ObjectIdGetDatum(InvalidOid);
		if (row->nulls[INVOICES_DETACHED_AT - 1])
			end_table(ledger, row, now);
		else
			ledger_update(ledger, LEDGER_INVOICES, &row->tid, row->values,
						  row->nulls);
	}
	ledger_close(ledger);
}

/* Record all rows of a relation, to which nobody else can write. */
static void
record_relation(Ledger *ledger, Relation rel, TimestampTz now,
				TicketSet *seen, int64 *nchanged, bool *warned)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "slapolicy invoices",
													  ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	char	   *problem = NULL;
	InvoiceTable *table = invoice_table_load(ledger, rel, &problem);
	AsOwner		before;

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("invoices of table \"%s\" cannot be recorded: %s",
						RelationGetRelationName(rel), problem)));
	as_owner_begin(&before, rel);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		int64		id;

		CHECK_FOR_INTERRUPTS();
		if (record_slot(ledger, table, rel, slot, NULL, now, warned, &id))
			(*nchanged)++;
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		ticket_set_add(seen, id);
	}
	as_owner_end(&before);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row_context);
}

/*
 * Bring the record up to the rows there are, and end that of those which are
 * not. Returns for how many invoices there was anything to record.
 */
Datum
slapolicy_record_invoices(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	List	   *relids = attach_lock_table(relid);
	Ledger	   *ledger = ledger_open(true);
	TicketSet  *seen = ticket_set_create();
	int64		nchanged = 0;
	bool		warned = false;
	InvoiceTableRow row;
	ListCell   *lc;

	if (!find_attached(ledger, relid, &row))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" is not attached", get_rel_name(relid)),
				 errhint("Call sla.attach_invoices first.")));
	foreach(lc, relids)
	{
		Relation	rel;

		if (get_rel_relkind(lfirst_oid(lc)) != RELKIND_RELATION)
			continue;
		rel = table_open(lfirst_oid(lc), NoLock);
		record_relation(ledger, rel, now, seen, &nchanged, &warned);
		table_close(rel, NoLock);
	}
	nchanged += end_invoices(ledger, DatumGetInt32(row.values[INVOICES_ID - 1]),
							 seen, now);
	ledger_close(ledger);
	PG_RETURN_INT64(nchanged);
}
