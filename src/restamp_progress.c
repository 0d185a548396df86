/*
 * restamp_progress.c
 *		Rows of sla.restamp_progress, in and out.
 *
 * Not in sla.attachment: what it says is only true of these files of these
 * tables and must not get into a dump.
 *
 * Knows nothing of what is done to the rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "restamp_progress.h"

static void
read_progress(Ledger *ledger, HeapTuple tuple, RestampProgress *progress)
{
	Datum		values[RESTAMP_NATTS];
	bool		nulls[RESTAMP_NATTS];
	Datum	   *finished;
	int			nfinished;

	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_RESTAMP)),
					  values, nulls);
	progress->tid = tuple->t_self;
	progress->attachment_id =
		DatumGetInt32(values[RESTAMP_ATTACHMENT_ID - 1]);
	progress->started_at = DatumGetTimestampTz(values[RESTAMP_STARTED_AT - 1]);
	progress->nrows = DatumGetInt64(values[RESTAMP_ROWS_RECORDED - 1]);
	progress->nproblems = DatumGetInt64(values[RESTAMP_WITHOUT_DEADLINES - 1]);
	deconstruct_array(DatumGetArrayTypeP(values[RESTAMP_FINISHED - 1]),
					  OIDOID, sizeof(Oid), true, TYPALIGN_INT,
					  &finished, NULL, &nfinished);
	progress->finished = NIL;
	for (int i = 0; i < nfinished; i++)
		progress->finished = lappend_oid(progress->finished,
										 DatumGetObjectId(finished[i]));
	progress->relid = nulls[RESTAMP_RELATION - 1] ? InvalidOid :
		DatumGetObjectId(values[RESTAMP_RELATION - 1]);
	progress->file = nulls[RESTAMP_FILE - 1] ? InvalidOid :
		DatumGetObjectId(values[RESTAMP_FILE - 1]);
	progress->nblocks = nulls[RESTAMP_BLOCKS - 1] ? 0 :
		(BlockNumber) DatumGetInt64(values[RESTAMP_BLOCKS - 1]);
	if (nulls[RESTAMP_LAST_ROW - 1])
		ItemPointerSetInvalid(&progress->last);
	else
		progress->last =
			*(ItemPointer) DatumGetPointer(values[RESTAMP_LAST_ROW - 1]);
}

static void
fill_progress(const RestampProgress *progress, Datum *values, bool *nulls)
{
	int			nfinished = list_length(progress->finished);
	Datum	   *finished = palloc(Max(nfinished, 1) * sizeof(Datum));

	for (int i = 0; i < nfinished; i++)
		finished[i] = ObjectIdGetDatum(list_nth_oid(progress->finished, i));
	memset(nulls, 0, RESTAMP_NATTS * sizeof(bool));
	values[RESTAMP_ATTACHMENT_ID - 1] = Int32GetDatum(progress->attachment_id);
	values[RESTAMP_STARTED_AT - 1] = TimestampTzGetDatum(progress->started_at);
	values[RESTAMP_ROWS_RECORDED - 1] = Int64GetDatum(progress->nrows);
	values[RESTAMP_WITHOUT_DEADLINES - 1] = Int64GetDatum(progress->nproblems);
	values[RESTAMP_FINISHED - 1] =
		PointerGetDatum(construct_array(finished, nfinished, OIDOID,
										sizeof(Oid), true, TYPALIGN_INT));
	values[RESTAMP_RELATION - 1] = ObjectIdGetDatum(progress->relid);
	nulls[RESTAMP_RELATION - 1] = !OidIsValid(progress->relid);
	values[RESTAMP_FILE - 1] = ObjectIdGetDatum(progress->file);
	nulls[RESTAMP_FILE - 1] = !OidIsValid(progress->relid);
	values[RESTAMP_BLOCKS - 1] = Int64GetDatum(progress->nblocks);
	nulls[RESTAMP_BLOCKS - 1] = !OidIsValid(progress->relid);
	values[RESTAMP_LAST_ROW - 1] = PointerGetDatum(&progress->last);
	nulls[RESTAMP_LAST_ROW - 1] = !ItemPointerIsValid(&progress->last);
}

bool
restamp_progress_find(Ledger *ledger, int32 attachment_id, bool lock,
					  RestampProgress *progress)
{
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&key, RESTAMP_ATTACHMENT_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attachment_id));
	ledger_scan_begin(ledger, LEDGER_RESTAMP, &key, 1, &scan);
	tuple = ledger_scan_next(&scan);
	found = HeapTupleIsValid(tuple);
	if (found)
		read_progress(ledger, tuple, progress);
	ledger_scan_end(&scan);

	if (found && lock)
	{
		found = ledger_lock_row(ledger, LEDGER_RESTAMP, &progress->tid, &tuple);
		if (found)
			read_progress(ledger, tuple, progress);
	}
	return found;
}

void
restamp_progress_insert(Ledger *ledger, const RestampProgress *progress)
{
	Datum		values[RESTAMP_NATTS];
	bool		nulls[RESTAMP_NATTS];

	fill_progress(progress, values, nulls);
	ledger_insert(ledger, LEDGER_RESTAMP, values, nulls);
}

void
restamp_progress_update(Ledger *ledger, RestampProgress *progress)
{
	Datum		values[RESTAMP_NATTS];
	bool		nulls[RESTAMP_NATTS];

	fill_progress(progress, values, nulls);
	ledger_update(ledger, LEDGER_RESTAMP, &progress->tid, values, nulls);
}

void
restamp_progress_delete(Ledger *ledger, int32 attachment_id)
{
	RestampProgress progress;

	if (restamp_progress_find(ledger, attachment_id, true, &progress))
		ledger_delete(ledger, LEDGER_RESTAMP, &progress.tid);
}
