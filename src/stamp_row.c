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

Datum
stamp_for(const Attachment *attachment, const StampColumn *stamp,
		  const TicketPlan *plan, bool *isnull)
{
	*isnull = true;
	if (plan->problem != NULL)
		return (Datum) 0;
	/* of several cycles, the last */
	for (int i = plan->nclocks - 1; i >= 0; i--)
	{
		const Clock *clock = &plan->clocks[i];

		if (strcmp(clock->metric, stamp->metric) != 0)
			continue;
		if (clock->outcome == CLOCK_CANCELLED ||
			clock->outcome == CLOCK_EXEMPT ||
			(clock->standing && clock->due_at == DT_NOEND))
			break;
		return attachment_stamp_value(attachment, stamp, clock->due_at, isnull);
	}
	return (Datum) 0;
}

bool
stamp_is_right(const Attachment *attachment, const StampColumn *stamp,
			   const TicketPlan *plan, TupleTableSlot *slot)
{
	bool		isnull,
				was_null;
	Datum		due = stamp_for(attachment, stamp, plan, &isnull);
	Datum		was = slot_getattr(slot, stamp->attnum, &was_null);

	return was_null == isnull &&
		(isnull || DatumGetTimestampTz(was) == DatumGetTimestampTz(due));
}

bool
stamps_are_right(const Attachment *attachment, const TicketPlan *plan,
				 TupleTableSlot *slot)
{
	for (int i = 0; i < attachment->nstamps; i++)
		if (!stamp_is_right(attachment, &attachment->stamps[i], plan, slot))
			return false;
	return true;
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

		stamped->tts_values[column] = stamp_for(attachment,
												&attachment->stamps[i], plan,
												&isnull);
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
