/*
 * stamp_row.c
 *		Writes due times into rows that are in their table already.
 *
 * For rows from before the table was attached, and for those that another
 * trigger changed after sla.stamp had seen them. Fires no triggers: nothing
 * but our own columns changes. Constraints, generated columns and indexes are
 * looked after, with the rights of whoever is the current user.
 *
 * Knows nothing of where the due times come from.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "stamp.h"

struct StampTarget
{
	EState	   *estate;
	ResultRelInfo *info;
	TupleTableSlot *stamped;
};

TimestampTz
stamp_for(const StampColumn *stamp, const TicketPlan *plan, bool *isnull)
{
	*isnull = true;
	if (plan->problem == NULL)
		for (int i = plan->nclocks - 1; i >= 0; i--)
			if (strcmp(plan->clocks[i].metric, stamp->metric) == 0 &&
				plan->clocks[i].outcome != CLOCK_CANCELLED)
			{
				*isnull = false;
				return plan->clocks[i].due_at;
			}
	return 0;
}

bool
stamp_is_right(const StampColumn *stamp, const TicketPlan *plan,
			   TupleTableSlot *slot)
{
	bool		isnull,
				was_null;
	TimestampTz due = stamp_for(stamp, plan, &isnull);
	Datum		was = slot_getattr(slot, stamp->attnum, &was_null);

	return was_null == isnull && (isnull || DatumGetTimestampTz(was) == due);
}

StampTarget *
stamp_target_open(Relation rel)
{
	StampTarget *target = palloc(sizeof(StampTarget));

	target->estate = CreateExecutorState();
	target->info = makeNode(ResultRelInfo);
	/* in no range table: an error about the row must not look there */
	InitResultRelInfo(target->info, rel, 0, NULL, 0);
	target->info->ri_TrigDesc = NULL;
	ExecOpenIndices(target->info, false);
	target->stamped = MakeSingleTupleTableSlot(RelationGetDescr(rel),
											   &TTSOpsHeapTuple);
	return target;
}

void
stamp_target_close(StampTarget *target)
{
	ExecDropSingleTupleTableSlot(target->stamped);
	ExecCloseIndices(target->info);
	FreeExecutorState(target->estate);
	pfree(target);
}

void
stamp_row(StampTarget *target, const Attachment *attachment,
		  const TicketPlan *plan, TupleTableSlot *slot)
{
	TupleTableSlot *stamped = target->stamped;
	HeapTuple	tuple;

	ExecCopySlot(stamped, slot);
	slot_getallattrs(stamped);
	for (int i = 0; i < attachment->nstamps; i++)
	{
		int			column = attachment->stamps[i].attnum - 1;
		bool		isnull;
		TimestampTz due = stamp_for(&attachment->stamps[i], plan, &isnull);

		stamped->tts_values[column] = TimestampTzGetDatum(due);
		stamped->tts_isnull[column] = isnull;
	}
	tuple = heap_form_tuple(stamped->tts_tupleDescriptor,
							stamped->tts_values, stamped->tts_isnull);
	ExecForceStoreHeapTuple(tuple, stamped, true);

	/* the version to replace may be this command's own */
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	target->estate->es_snapshot = GetActiveSnapshot();
	ExecSimpleRelationUpdate(target->info, target->estate, NULL, slot, stamped);
	PopActiveSnapshot();
	ExecClearTuple(stamped);
	ResetPerTupleExprContext(target->estate);
}
