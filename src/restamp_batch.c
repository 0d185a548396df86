/*
 * restamp_batch.c
 *		Rows that are in their table already, recorded and stamped in pieces
 *		of a transaction each, while others write to the table.
 *
 * The rows of a relation are visited in the order of their place. A row that
 * moves to a place behind us must be recorded by whoever moves it; so while
 * sla.restamp_progress has a row for the table, triggers take every update for
 * one that says something. The first piece waits for transactions that began
 * to write before they could know. What lies beyond the end that a relation
 * had when it was begun has been recorded that way, too.
 *
 * Nobody waits for us but for rows of the present piece, and we wait for
 * another session's row only while we hold none: no deadlock comes of us.
 *
 * Knows nothing of how a row is recorded.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "restamp.h"
#include "restamp_progress.h"

PG_FUNCTION_INFO_V1(slapolicy_restamp_begin);
PG_FUNCTION_INFO_V1(slapolicy_restamp_step);

static Oid
table_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ticket_table must not be null")));
	attach_check_owner(PG_GETARG_OID(0));
	return PG_GETARG_OID(0);
}

/*
 * Keep a table that the user owns from being detached or attached, and nobody
 * from writing. Its partitions are locked one by one.
 */
static void
lock_as_writer(Oid relid)
{
	LockRelationOid(relid, RowExclusiveLock);
	attach_check_owner(relid);	/* as it is now */
}

/* The id of a table's attachment; raises when it is not attached. */
static int32
find_attachment(Ledger *ledger, Oid relid)
{
	AttachmentRow row;

	if (!attach_find_row(ledger, relid, &row))
		restamp_not_attached(relid);
	return DatumGetInt32(row.values[ATTACHMENT_ID - 1]);
}

/* Make ready to record all rows of a table anew, or to go on with it. */
Datum
slapolicy_restamp_begin(PG_FUNCTION_ARGS)
{
	Oid			relid = table_argument(fcinfo);
	Ledger	   *ledger = ledger_open(true);
	AttachmentRow row;
	HeapTuple	tuple;
	RestampProgress progress;

	lock_as_writer(relid);
	/* one at a time */
	if (!attach_find_row(ledger, relid, &row) ||
		!ledger_lock_row(ledger, LEDGER_ATTACHMENT, &row.tid, &tuple))
		restamp_not_attached(relid);
	if (restamp_progress_find(ledger,
							  DatumGetInt32(row.values[ATTACHMENT_ID - 1]),
							  false, &progress))
		ereport(NOTICE,
				(errmsg("restamp of table \"%s\" goes on after %lld rows",
						get_rel_name(relid), (long long) progress.nrows)));
	else
	{
		memset(&progress, 0, sizeof(progress));
		progress.attachment_id =
			DatumGetInt32(row.values[ATTACHMENT_ID - 1]);
		progress.started_at = GetCurrentStatementStartTimestamp();
		ItemPointerSetInvalid(&progress.last);
		restamp_progress_insert(ledger, &progress);
		attach_forget_tables(find_all_inheritors(relid, NoLock, NULL));
	}
	ledger_close(ledger);
	PG_RETURN_VOID();
}

/* Wait for the end of transactions that write to a table by now. */
static void
wait_for_writers(Oid relid)
{
	List	   *tags = NIL;
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		LOCKTAG    *tag = palloc0(sizeof(LOCKTAG));

		SET_LOCKTAG_RELATION(*tag, MyDatabaseId, lfirst_oid(lc));
		tags = lappend(tags, tag);
	}
	WaitForLockersMultiple(tags, ShareLock, false);
}

/* Per cent of the relation under way that lie before the row recorded last */
static int
per_cent(const RestampProgress *progress)
{
	if (!ItemPointerIsValid(&progress->last))
		return 0;
	return (int) (UINT64CONST(100) *
				  ItemPointerGetBlockNumber(&progress->last) /
				  progress->nblocks);
}

/*
 * Record rows of a relation, from where the progress says to where it says
 * afterwards, but not more than room. Returns whether all are done. *nvisited
 * counts the rows looked at by this piece.
 */
static bool
record_range(Relation rel, RestampProgress *progress, RowTally *tally,
			 int64 room, int64 *nvisited, TimestampTz now)
{
	RowRecorder recorder;
	TupleTableSlot *found = table_slot_create(rel, NULL);
	TupleTableSlot *locked = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan;
	ItemPointerData first;
	ItemPointerData end;
	bool		all = progress->nblocks == 0;

	if (ItemPointerIsValid(&progress->last))
	{
		first = progress->last;
		ItemPointerInc(&first);
	}
	else
		ItemPointerSet(&first, 0, FirstOffsetNumber);
	ItemPointerSet(&end, progress->nblocks - 1, MaxOffsetNumber);

	row_recorder_open(&recorder, rel, now, tally);
	scan = table_beginscan_tidrange(rel, snapshot, &first, &end);
	while (!all && *nvisited < room)
	{
		ItemPointerData tid;
		TM_FailureData failure;
		TM_Result	result;

		CHECK_FOR_INTERRUPTS();
		all = !table_scan_getnextslot_tidrange(scan, ForwardScanDirection,
											   found);
		if (all)
			break;
		tid = found->tts_tid;
		result = table_tuple_lock(rel, &tid, snapshot, locked,
								  GetCurrentCommandId(false),
								  LockTupleNoKeyExclusive, LockWaitSkip, 0,
								  &failure);
		if (result == TM_WouldBlock)
		{
			if (*nvisited > 0)
				break;			/* commit first what we hold */
			tid = found->tts_tid;
			result = table_tuple_lock(rel, &tid, snapshot, locked,
									  GetCurrentCommandId(false),
									  LockTupleNoKeyExclusive, LockWaitBlock,
									  0, &failure);
		}
		/* otherwise it has changed, and whoever did that has recorded it */
		if (result == TM_Ok)
			row_recorder_record(&recorder, locked);
		progress->last = found->tts_tid;
		(*nvisited)++;
	}
	table_endscan(scan);
	row_recorder_close(&recorder);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(locked);
	ExecDropSingleTupleTableSlot(found);
	return all;
}

/* Relations that hold rows of a table */
static List *
leaves(Oid relid)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (get_rel_relkind(relid) == RELKIND_RELATION)
		return list_make1_oid(relid);
	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION)
			result = lappend_oid(result, lfirst_oid(lc));
	return result;
}

/* Tell the user how far it is. */
static void
tell_progress(Oid relid, Relation rel, const RestampProgress *progress,
			  int nleaves, int before)
{
	int			after = per_cent(progress);

	/* a hundred times, or after each piece of a small one */
	if (after == before && progress->nblocks > 100)
		return;
	if (nleaves == 1)
		ereport(NOTICE,
				(errmsg("restamp of table \"%s\": %lld rows, %d %%",
						get_rel_name(relid), (long long) progress->nrows,
						after)));
	else
		ereport(NOTICE,
				(errmsg("restamp of table \"%s\": %lld rows, %d %% of partition \"%s\", %d of %d",
						get_rel_name(relid), (long long) progress->nrows,
						after, RelationGetRelationName(rel),
						list_length(progress->finished) + 1, nleaves)));
}

/* Record the next piece of a table, up to room rows; are all done? */
static bool
record_piece(Oid relid, RestampProgress *progress, int64 room)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	List	   *all = leaves(relid);
	int64		nvisited = 0;

	for (;;)
	{
		RowTally	tally = {0};
		Relation	rel;
		bool		done;
		int			before;

		if (OidIsValid(progress->relid) &&
			!list_member_oid(all, progress->relid))
			progress->relid = InvalidOid;	/* detached or dropped */
		if (!OidIsValid(progress->relid))
		{
			List	   *rest = list_difference_oid(all, progress->finished);

			if (rest == NIL)
				return true;
			progress->relid = linitial_oid(rest);
			progress->file = InvalidOid;
		}
		rel = try_table_open(progress->relid, RowExclusiveLock);
		if (rel == NULL)
		{
			all = list_delete_oid(all, progress->relid);
			continue;
		}
		if (progress->file != rel->rd_rel->relfilenode)
		{
			/* not begun yet, or written anew: places mean nothing */
			progress->file = rel->rd_rel->relfilenode;
			progress->nblocks = RelationGetNumberOfBlocks(rel);
			ItemPointerSetInvalid(&progress->last);
		}
		before = per_cent(progress);
		done = record_range(rel, progress, &tally, room, &nvisited, now);
		progress->nrows += tally.nrows;
		progress->nproblems += tally.nproblems;
		if (done)
		{
			progress->finished = lappend_oid(progress->finished,
											 progress->relid);
			progress->relid = InvalidOid;
		}
		else
			tell_progress(relid, rel, progress,
						  list_length(list_union_oid(progress->finished, all)),
						  before);
		table_close(rel, NoLock);
		if (!done)
			return false;
	}
}

/*
 * Record the next piece of a table, of up to so many rows. Returns whether
 * there may be more; false as well when nothing has begun.
 */
Datum
slapolicy_restamp_step(PG_FUNCTION_ARGS)
{
	Oid			relid = table_argument(fcinfo);
	Ledger	   *ledger = ledger_open(true);
	RestampProgress progress;
	int32		id;
	bool		found;
	bool		done;

	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch must be a positive number of rows")));
	found = restamp_progress_find(ledger, find_attachment(ledger, relid),
								  false, &progress);
	if (found && !OidIsValid(progress.relid) && progress.finished == NIL)
		wait_for_writers(relid);

	lock_as_writer(relid);
	id = find_attachment(ledger, relid);
	found = found && restamp_progress_find(ledger, id, true, &progress);
	if (!found)
	{
		/* somebody else has come to the end of it */
		ledger_close(ledger);
		PG_RETURN_BOOL(false);
	}
	done = record_piece(relid, &progress, PG_GETARG_INT32(1));
	if (!done)
		restamp_progress_update(ledger, &progress);
	else
	{
		RowTally	tally = {.nproblems = progress.nproblems};

		ledger_delete(ledger, LEDGER_RESTAMP, &progress.tid);
		attach_forget_tables(find_all_inheritors(relid, NoLock, NULL));
		ereport(NOTICE,
				(errmsg("restamp of table \"%s\": done, %lld rows",
						get_rel_name(relid), (long long) progress.nrows)));
		restamp_warn(relid, &tally);
	}
	ledger_close(ledger);
	CommandCounterIncrement();
	PG_RETURN_BOOL(!done);
}
