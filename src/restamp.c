/*
 * restamp.c
 *		Rows that are in their table already, recorded and stamped at once:
 *		from before the table was attached, or written while no trigger fired.
 *
 * Knows nothing of how columns were chosen, and of doing it in pieces
 * (restamp_batch.c).
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "record.h"
#include "restamp.h"
#include "restamp_progress.h"

PG_FUNCTION_INFO_V1(slapolicy_record_rows);

void
row_recorder_open(RowRecorder *recorder, Relation rel, TimestampTz now,
				  RowTally *tally)
{
	recorder->rel = rel;
	recorder->tally = tally;
	recorder->now = now;
	recorder->row_context = AllocSetContextCreate(CurrentMemoryContext,
												  "slapolicy restamp",
												  ALLOCSET_DEFAULT_SIZES);

	/*
	 * The table's own expressions run as its owner, as in a VACUUM, and what
	 * they set does not outlast them.
	 */
	GetUserIdAndSecContext(&recorder->user, &recorder->sec_context);
	recorder->guc_level = NewGUCNestLevel();
	SetUserIdAndSecContext(rel->rd_rel->relowner,
						   recorder->sec_context |
						   SECURITY_RESTRICTED_OPERATION);
	recorder->target = stamp_target_open(rel);
}

/*
 * The ticket of a key as the ledger has it: its id, and how often something
 * was recorded about it; 0 and 0 when it has none.
 */
static void
look_up_ticket(const Attachment *attachment, const char *key, int64 *id,
			   int32 *version)
{
	Ledger	   *ledger = ledger_open(false);
	LedgerTicket ticket;
	bool		found = ledger_find_ticket(ledger, attachment->id, key, false,
										   &ticket);

	*id = found ? ticket.id : 0;
	*version = found ? ticket.version : 0;
	ledger_close(ledger);
}

void
row_recorder_record(RowRecorder *recorder, TupleTableSlot *slot)
{
	Relation	rel = recorder->rel;
	RowTally   *tally = recorder->tally;
	MemoryContext old = MemoryContextSwitchTo(recorder->row_context);
	char	   *problem = NULL;
	const Attachment *attachment = attachment_get(rel, &problem);
	TicketRow	row;
	TicketPlan	plan;
	char	   *key;
	int64		id;
	int32		before = 0;
	int32		after;

	if (attachment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tickets of table \"%s\" cannot be recorded: %s",
						RelationGetRelationName(rel), problem)));
	row = attachment_read_row(attachment, slot, recorder->now, &problem);
	key = attachment_key(attachment, slot);
	if (problem != NULL && attachment->reject)
		reject_row(rel, key, problem);
	if (tally->seen != NULL)
		look_up_ticket(attachment, key, &id, &before);
	problem = record_row(attachment, key, NULL, &row, problem, recorder->now,
						 &plan);
	if (problem != NULL && attachment->reject)
		reject_row(rel, key, problem);
	if (!stamps_are_right(attachment, &plan, slot))
		stamp_row(recorder->target, attachment, &plan, slot);
	if (tally->seen != NULL)
	{
		look_up_ticket(attachment, key, &id, &after);
		ticket_set_add(tally->seen, id);
		tally->nchanged += after != before;
	}

	MemoryContextSwitchTo(old);
	tally->nrows++;
	if (problem != NULL && tally->nproblems++ == 0)
		tally->first_problem = psprintf("ticket %s: %s", key, problem);
	MemoryContextReset(recorder->row_context);
}

void
row_recorder_close(RowRecorder *recorder)
{
	stamp_target_close(recorder->target);
	AtEOXact_GUC(false, recorder->guc_level);
	SetUserIdAndSecContext(recorder->user, recorder->sec_context);
	MemoryContextDelete(recorder->row_context);
}

static void
restamp_relation(Relation rel, TimestampTz now, RowTally *tally)
{
	RowRecorder recorder;
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);

	row_recorder_open(&recorder, rel, now, tally);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		row_recorder_record(&recorder, slot);
	}
	row_recorder_close(&recorder);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
}

void
restamp_relations(List *relids, TimestampTz now, RowTally *tally)
{
	ListCell   *lc;

	foreach(lc, relids)
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);

		if (rel->rd_rel->relkind == RELKIND_RELATION)
			restamp_relation(rel, now, tally);
		table_close(rel, NoLock);
	}
}

void
restamp_warn(Oid relid, const RowTally *tally)
{
	if (tally->nproblems == 0)
		return;
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("tickets of table \"%s\" without deadlines: %lld",
					get_rel_name(relid), (long long) tally->nproblems),
			 tally->first_problem == NULL ? 0 :
			 errdetail("The first is %s.", tally->first_problem),
			 errhint("sla.ticket.exempt keeps the reason of each.")));
}

void
restamp_not_attached(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is not attached", get_rel_name(relid))));
}

/*
 * Record and stamp the rows a table has, or those of one partition. No other
 * session writes to it until the transaction ends.
 */
Datum
slapolicy_record_rows(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	List	   *relids = attach_lock_table(relid);
	Ledger	   *ledger = ledger_open(true);
	AttachmentRow row;
	RowTally	tally = {0};
	bool		whole = attach_find_row(ledger, relid, &row);
	bool		attached = whole;
	ListCell   *lc;

	if (get_rel_relispartition(relid))
		foreach(lc, get_partition_ancestors(relid))
			attached = attached ||
				attach_find_row(ledger, lfirst_oid(lc), &row);
	if (!attached)
		restamp_not_attached(relid);

	restamp_relations(relids, now, &tally);
	if (whole)
		restamp_progress_delete(ledger,
								DatumGetInt32(row.values[ATTACHMENT_ID - 1]));
	ledger_close(ledger);
	CommandCounterIncrement();
	restamp_warn(relid, &tally);
	PG_RETURN_INT64(tally.nrows);
}
