/*
 * restamp.c
 *		Attaching and detaching below the surface of sql/41_attach.sql: the row
 *		of sla.attachment, the record of rows that are there already, and the
 *		end of the record.
 *
 * These functions write ledger tables that their caller has no rights on, so
 * each checks that the caller owns the ticket table.
 *
 * Knows nothing of how columns were chosen.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "ledger_tables.h"
#include "record.h"
#include "stamp.h"

PG_FUNCTION_INFO_V1(slapolicy_register_attachment);
PG_FUNCTION_INFO_V1(slapolicy_unregister_attachment);
PG_FUNCTION_INFO_V1(slapolicy_restamp);

static void
check_owner(Oid relid)
{
	if (!OidIsValid(relid) || get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	if (!object_ownercheck(RelationRelationId, relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
}

/*
 * Keep other sessions from writing to a table that the caller owns, all its
 * partitions included, until the transaction ends. Returns the relations. Not
 * even the lock is for anybody else.
 */
static List *
lock_table(Oid relid)
{
	check_owner(relid);
	LockRelationOid(relid, ShareRowExclusiveLock);
	check_owner(relid);			/* as it is now */
	if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
		return find_all_inheritors(relid, ShareRowExclusiveLock, NULL);
	return list_make1_oid(relid);
}

/* Let every session forget how rows of the table and its partitions are read. */
static void
forget_table(List *relids)
{
	ListCell   *lc;

	foreach(lc, relids)
		CacheInvalidateRelcacheByRelid(lfirst_oid(lc));
}

/* Raise unless rows of the table can be tickets. */
static void
check_kind(Oid relid)
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

/* The row of sla.attachment of a table; false when there is none */
static bool
find_row(Ledger *ledger, Oid relid, ItemPointer tid, Datum *values, bool *nulls)
{
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&key, ATTACHMENT_TICKET_TABLE, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ledger_scan_begin(ledger, LEDGER_ATTACHMENT, &key, 1, &scan);
	tuple = ledger_scan_next(&scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		*tid = tuple->t_self;
		heap_deform_tuple(heap_copytuple(tuple),
						  RelationGetDescr(ledger_table(ledger, LEDGER_ATTACHMENT)),
						  values, nulls);
	}
	ledger_scan_end(&scan);
	return found;
}

/*
 * Enter a table, or bring back one that was detached under its former id.
 * Arguments: table, policy, roles, severity map (may be NULL), on_error.
 */
Datum
slapolicy_register_attachment(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *relids;
	Ledger	   *ledger;
	ItemPointerData tid;
	Datum		values[ATTACHMENT_NATTS];
	bool		nulls[ATTACHMENT_NATTS] = {0};
	char	   *on_error;
	bool		found;

	for (int i = 0; i < 5; i++)
		if (i != 3 && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d of sla.register_attachment must not be null",
							i + 1)));
	on_error = TextDatumGetCString(PG_GETARG_DATUM(4));
	if (strcmp(on_error, "record") != 0 && strcmp(on_error, "reject") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_error cannot be \"%s\"", on_error),
				 errhint("It is \"record\" or \"reject\".")));
	relids = lock_table(relid);
	check_kind(relid);

	ledger = ledger_open(true);
	found = find_row(ledger, relid, &tid, values, nulls);
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
	values[ATTACHMENT_POLICY - 1] = PG_GETARG_DATUM(1);
	values[ATTACHMENT_ROLES - 1] = PG_GETARG_DATUM(2);
	nulls[ATTACHMENT_SEVERITY_MAP - 1] = PG_ARGISNULL(3);
	values[ATTACHMENT_SEVERITY_MAP - 1] = PG_GETARG_DATUM(3);
	values[ATTACHMENT_OPTIONS - 1] = DirectFunctionCall1(jsonb_in, CStringGetDatum("{}"));
	values[ATTACHMENT_ON_ERROR - 1] = PG_GETARG_DATUM(4);
	values[ATTACHMENT_ATTACHED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	nulls[ATTACHMENT_DETACHED_AT - 1] = true;
	if (found)
		ledger_update(ledger, LEDGER_ATTACHMENT, &tid, values, nulls);
	else
		ledger_insert(ledger, LEDGER_ATTACHMENT, values, nulls);
	ledger_close(ledger);
	forget_table(relids);
	CommandCounterIncrement();
	PG_RETURN_INT32(DatumGetInt32(values[ATTACHMENT_ID - 1]));
}

/*
 * End the record of a table. Its tickets that still have something running are
 * recorded as gone, which cancels their clocks; attaching the table again brings them back, and the
 * time in between does not count.
 */
Datum
slapolicy_unregister_attachment(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	TicketRow	row = {.deleted = true, .changed_at = now};
	Attachment	attachment = {0};
	List	   *relids;
	Ledger	   *ledger;
	ItemPointerData tid;
	Datum		values[ATTACHMENT_NATTS];
	bool		nulls[ATTACHMENT_NATTS];
	List	   *keys;
	ListCell   *lc;
	MemoryContext row_context;

	relids = lock_table(relid);
	ledger = ledger_open(true);
	if (!find_row(ledger, relid, &tid, values, nulls) ||
		!nulls[ATTACHMENT_DETACHED_AT - 1])
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" is not attached", get_rel_name(relid))));

	attachment.id = DatumGetInt32(values[ATTACHMENT_ID - 1]);
	attachment.policy = TextDatumGetCString(values[ATTACHMENT_POLICY - 1]);
	keys = ledger_live_tickets(ledger, attachment.id);
	row_context = AllocSetContextCreate(CurrentMemoryContext,
										"slapolicy detach",
										ALLOCSET_DEFAULT_SIZES);
	foreach(lc, keys)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		record_row(&attachment, lfirst(lc), NULL, &row, NULL, now, NULL);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);

	nulls[ATTACHMENT_DETACHED_AT - 1] = false;
	values[ATTACHMENT_DETACHED_AT - 1] = TimestampTzGetDatum(now);
	ledger_update(ledger, LEDGER_ATTACHMENT, &tid, values, nulls);
	ledger_close(ledger);
	forget_table(relids);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* Record and stamp all rows of one relation that holds rows; how many. */
static int64
restamp_relation(Relation rel, TimestampTz now)
{
	const Attachment *attachment;
	char	   *problem = NULL;
	StampTarget *target = stamp_target_open(rel);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	MemoryContext context = CurrentMemoryContext;
	MemoryContext row_context = AllocSetContextCreate(context,
													  "slapolicy restamp",
													  ALLOCSET_DEFAULT_SIZES);
	int64		nrows = 0,
				nproblems = 0;
	char	   *first_problem = NULL;

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		TicketRow	row;
		TicketPlan	plan;
		char	   *key;

		CHECK_FOR_INTERRUPTS();
		attachment = attachment_get(rel, &problem);
		if (attachment == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("tickets of table \"%s\" cannot be recorded: %s",
							RelationGetRelationName(rel), problem)));
		row = attachment_read_row(attachment, slot, now, &problem);
		key = attachment_key(attachment, slot);
		if (problem != NULL && attachment->reject)
			reject_row(rel, key, problem);
		problem = record_row(attachment, key, NULL, &row, problem, now, &plan);
		if (problem != NULL && attachment->reject)
			reject_row(rel, key, problem);
		if (problem != NULL && nproblems++ == 0)
			first_problem = MemoryContextStrdup(context,
												psprintf("ticket %s: %s",
														 key, problem));
		if (!stamps_are_right(attachment, &plan, slot))
			stamp_row(target, attachment, &plan, slot);
		nrows++;
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}

	if (nproblems > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("tickets of table \"%s\" without deadlines: %lld",
						RelationGetRelationName(rel), (long long) nproblems),
				 errdetail("The first is %s.", first_problem),
				 errhint("sla.ticket.exempt keeps the reason of each.")));
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	stamp_target_close(target);
	MemoryContextDelete(row_context);
	return nrows;
}

/*
 * Record and stamp the rows a table has. No other session writes to it until
 * the transaction ends.
 */
Datum
slapolicy_restamp(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	List	   *relids;
	ListCell   *lc;
	int64		nrows = 0;
	Oid			user;
	int			sec_context;

	relids = lock_table(relid);

	/*
	 * The table's own expressions run as its owner, as in a VACUUM, and what
	 * they set does not outlast them.
	 */
	GetUserIdAndSecContext(&user, &sec_context);
	foreach(lc, relids)
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);
		int			guc_level = NewGUCNestLevel();

		SetUserIdAndSecContext(rel->rd_rel->relowner,
							   sec_context | SECURITY_RESTRICTED_OPERATION);
		if (rel->rd_rel->relkind == RELKIND_RELATION)
			nrows += restamp_relation(rel, now);
		AtEOXact_GUC(false, guc_level);
		table_close(rel, NoLock);
	}
	SetUserIdAndSecContext(user, sec_context);
	CommandCounterIncrement();
	PG_RETURN_INT64(nrows);
}
