/*
 * attach.c
 *		The first and the last step below the surface of sla.attach and
 *		sla.detach: the row of sla.attachment, and the end of its tickets.
 *
 * These functions write ledger tables that their caller has no rights on, so
 * those that he can call check that he owns the ticket table.
 *
 * Knows nothing of how columns were chosen, and reads no rows of tickets.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "ledger_about.h"
#include "record.h"
#include "restamp_progress.h"

PG_FUNCTION_INFO_V1(slapolicy_register_attachment);
PG_FUNCTION_INFO_V1(slapolicy_unregister_attachment);

void
attach_check_owner(Oid relid)
{
	if (!OidIsValid(relid) || get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	if (!object_ownercheck(RelationRelationId, relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
}

List *
attach_lock_table(Oid relid)
{
	attach_check_owner(relid);
	LockRelationOid(relid, ShareRowExclusiveLock);
	attach_check_owner(relid);	/* as it is now */
	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return find_all_inheritors(relid, ShareRowExclusiveLock, NULL);
	return list_make1_oid(relid);
}

void
attach_forget_tables(List *relids)
{
	ListCell   *lc;

	foreach(lc, relids)
		CacheInvalidateRelcacheByRelid(lfirst_oid(lc));
}

void
attach_check_kind(Oid relid)
{
	char		kind = get_rel_relkind(relid);

	if ((kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE) ||
		get_rel_persistence(relid) == RELPERSISTENCE_TEMP ||
		get_rel_namespace(relid) == PG_CATALOG_NAMESPACE ||
		get_rel_namespace(relid) == get_namespace_oid("sla", true))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is no table that can be attached",
						get_rel_name(relid)),
				 errhint("Ordinary and partitioned tables can; views, foreign, temporary and system tables cannot.")));
}

static void
read_row(Ledger *ledger, HeapTuple tuple, AttachmentRow *row)
{
	row->tid = tuple->t_self;
	heap_deform_tuple(heap_copytuple(tuple),
					  RelationGetDescr(ledger_table(ledger, LEDGER_ATTACHMENT)),
					  row->values, row->nulls);
}

bool
attach_find_any_row(Ledger *ledger, Oid relid, AttachmentRow *row)
{
	HeapTuple	tuple = ledger_about_table(ledger, LEDGER_ATTACHMENT, relid);

	if (tuple == NULL)
		return false;
	read_row(ledger, tuple, row);
	return true;
}

bool
attach_find_row(Ledger *ledger, Oid relid, AttachmentRow *row)
{
	return attach_find_any_row(ledger, relid, row) &&
		row->nulls[ATTACHMENT_DETACHED_AT - 1];
}

List *
attach_all_rows(Ledger *ledger)
{
	List	   *rows = NIL;
	ListCell   *lc;

	foreach(lc, ledger_about_all(ledger, LEDGER_ATTACHMENT))
	{
		AttachmentRow *row = palloc(sizeof(AttachmentRow));

		read_row(ledger, lfirst(lc), row);
		rows = lappend(rows, row);
	}
	return rows;
}

/* Keys of the attachment's tickets that are not deleted nor in a set */
static List *
present_tickets(Ledger *ledger, int32 attachment_id, const TicketSet *but)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_TICKET));
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	List	   *keys = NIL;

	ScanKeyInit(&key, TICKET_ATTACHMENT_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attachment_id));
	ledger_scan_begin(ledger, LEDGER_TICKET, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		bool		isnull;
		int64		id = DatumGetInt64(heap_getattr(tuple, TICKET_ID, desc,
													&isnull));
		char	   *state = TextDatumGetCString(heap_getattr(tuple, TICKET_STATE,
															 desc, &isnull));

		if (strcmp(state, "deleted") != 0 &&
			(but == NULL || !ticket_set_has(but, id)))
			keys = lappend(keys,
						   TextDatumGetCString(heap_getattr(tuple, TICKET_KEY,
															desc, &isnull)));
		pfree(state);
	}
	ledger_scan_end(&scan);
	return keys;
}

/* Record the tickets of these keys as deleted at an instant. */
static void
end_tickets(const AttachmentRow *row, List *keys, TimestampTz now)
{
	TicketRow	gone = {.deleted = true,.changed_at = now};
	Attachment	attachment = {0};
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "slapolicy tickets gone",
													  ALLOCSET_DEFAULT_SIZES);
	ListCell   *lc;

	attachment.id = DatumGetInt32(row->values[ATTACHMENT_ID - 1]);
	if (!row->nulls[ATTACHMENT_POLICY - 1])
		attachment.policy =
			TextDatumGetCString(row->values[ATTACHMENT_POLICY - 1]);
	foreach(lc, keys)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		record_row(&attachment, lfirst(lc), NULL, &gone, NULL, now, NULL);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
}

int64
attach_end_tickets(Ledger *ledger, const AttachmentRow *row,
				   const TicketSet *but, TimestampTz now)
{
	List	   *keys = present_tickets(ledger,
									   DatumGetInt32(row->values[ATTACHMENT_ID - 1]),
									   but);
	int64		count = list_length(keys);

	end_tickets(row, keys, now);
	list_free_deep(keys);
	return count;
}

void
attach_end_live_tickets(Ledger *ledger, const AttachmentRow *row,
						TimestampTz now)
{
	List	   *keys = ledger_live_tickets(ledger,
										   DatumGetInt32(row->values[ATTACHMENT_ID - 1]));

	end_tickets(row, keys, now);
	list_free_deep(keys);
}

void
attach_end_row(Ledger *ledger, AttachmentRow *row, TimestampTz now)
{
	row->nulls[ATTACHMENT_DETACHED_AT - 1] = false;
	row->values[ATTACHMENT_DETACHED_AT - 1] = TimestampTzGetDatum(now);
	ledger_update(ledger, LEDGER_ATTACHMENT, &row->tid, row->values,
				  row->nulls);
	restamp_progress_delete(ledger,
							DatumGetInt32(row->values[ATTACHMENT_ID - 1]));
}

/*
 * Enter a table, or bring back one that was detached under its former id.
 * Arguments: table, policy, roles, severity map, options, on_error; policy and
 * severity map may be NULL.
 */
Datum
slapolicy_register_attachment(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *relids;
	Ledger	   *ledger;
	AttachmentRow row;
	Datum	   *values = row.values;
	bool	   *nulls = row.nulls;
	char	   *on_error;
	bool		found;

	for (int i = 0; i < 6; i++)
		if (i != 1 && i != 3 && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d of sla.register_attachment must not be null",
							i + 1)));
	on_error = TextDatumGetCString(PG_GETARG_DATUM(5));
	if (strcmp(on_error, "record") != 0 && strcmp(on_error, "reject") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_error cannot be \"%s\"", on_error),
				 errhint("It is \"record\" or \"reject\".")));
	relids = attach_lock_table(relid);
	attach_check_kind(relid);

	ledger = ledger_open(true);
	memset(&row, 0, sizeof(row));
	found = attach_find_any_row(ledger, relid, &row);
	if (found && nulls[ATTACHMENT_DETACHED_AT - 1])
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table \"%s\" is attached already",
						get_rel_name(relid)),
				 errhint("Call sla.detach first to attach it in another way.")));
	if (!found)
		values[ATTACHMENT_ID - 1] =
			Int32GetDatum((int32) ledger_next_id(LEDGER_ATTACHMENT));
	values[ATTACHMENT_TICKET_TABLE - 1] = ObjectIdGetDatum(relid);
	nulls[ATTACHMENT_POLICY - 1] = PG_ARGISNULL(1);
	values[ATTACHMENT_POLICY - 1] = PG_GETARG_DATUM(1);
	values[ATTACHMENT_ROLES - 1] = PG_GETARG_DATUM(2);
	nulls[ATTACHMENT_SEVERITY_MAP - 1] = PG_ARGISNULL(3);
	values[ATTACHMENT_SEVERITY_MAP - 1] = PG_GETARG_DATUM(3);
	values[ATTACHMENT_OPTIONS - 1] = PG_GETARG_DATUM(4);
	values[ATTACHMENT_ON_ERROR - 1] = PG_GETARG_DATUM(5);
	values[ATTACHMENT_ATTACHED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	nulls[ATTACHMENT_DETACHED_AT - 1] = true;
	if (found)
		ledger_update(ledger, LEDGER_ATTACHMENT, &row.tid, values, nulls);
	else
		ledger_insert(ledger, LEDGER_ATTACHMENT, values, nulls);
	ledger_close(ledger);
	attach_forget_tables(relids);
	CommandCounterIncrement();
	PG_RETURN_INT32(DatumGetInt32(values[ATTACHMENT_ID - 1]));
}

/*
 * End the record of a table. Its tickets that still have something running are
 * recorded as gone, which cancels their clocks; attaching the table again
 * brings them back, and the time in between does not count. False: it was not
 * attached.
 */
Datum
slapolicy_unregister_attachment(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	List	   *relids = attach_lock_table(relid);
	Ledger	   *ledger = ledger_open(true);
	AttachmentRow row;
	bool		found = attach_find_row(ledger, relid, &row);

	if (found)
	{
		attach_end_live_tickets(ledger, &row, now);
		attach_end_row(ledger, &row, now);
	}
	ledger_close(ledger);
	attach_forget_tables(relids);
	CommandCounterIncrement();
	PG_RETURN_BOOL(found);
}
