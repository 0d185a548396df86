/*
 * stamp_row.c
 *		Writes due times into rows that are in their table already.
 *
 * For rows from before the table was attached, and for those that another
 * trigger changed after sla.stamp had seen them. Fires no triggers: nothing
 * but our own columns changes. Constraints, generated columns and indexes are
 * looked after, with the rights of whoever is the current user. An index whose
 * constraint may be deferred gets an entry for the new version of the row like
 * any other, and the server checks that by a trigger, which must not be lost.
 *
 * Knows nothing of where the due times come from.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_publication.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/relcache.h"
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

bool
stamping_refused(Relation rel)
{
	PublicationDesc desc;

	RelationBuildPublicationDesc(rel, &desc);
	if (!desc.rf_valid_for_update || !desc.cols_valid_for_update ||
		!publication_gencols_valid(&desc))
		return true;
	return desc.pubactions.pubupdate &&
		rel->rd_rel->relreplident != REPLICA_IDENTITY_FULL &&
		!OidIsValid(RelationGetReplicaIndex(rel));
}

/*
 * The triggers that check unique and exclusion constraints which may be
 * deferred; NULL: there are none. A copy.
 */
static TriggerDesc *
recheck_triggers(Relation rel)
{
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	TriggerDesc *result;

	if (triggers == NULL)
		return NULL;
	result = palloc0(sizeof(TriggerDesc));
	result->triggers = triggers->triggers;
	for (int i = 0; i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgfoid == F_UNIQUE_KEY_RECHECK)
			result->triggers[result->numtriggers++] = triggers->triggers[i];
	result->trig_update_after_row = true;
	return result->numtriggers > 0 ? result : NULL;
}

static StampTarget *
open_target(Relation rel, TriggerDesc *triggers)
{
	StampTarget *target = palloc(sizeof(StampTarget));

	target->estate = CreateExecutorState();
	target->info = makeNode(ResultRelInfo);
	/* in no range table: an error about the row must not look there */
	InitResultRelInfo(target->info, rel, 0, NULL, 0);
	target->info->ri_TrigDesc = triggers;
	ExecOpenIndices(target->info, false);
	target->stamped = MakeSingleTupleTableSlot(RelationGetDescr(rel),
											   &TTSOpsHeapTuple);
	if (triggers != NULL)
		AfterTriggerBeginQuery();
	return target;
}

StampTarget *
stamp_target_open(Relation rel)
{
	if (AfterTriggerPendingOnRel(RelationGetRelid(rel)) &&
		recheck_triggers(rel) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("rows of table \"%s\" cannot be stamped because it has pending trigger events",
						RelationGetRelationName(rel)),
				 errhint("A constraint is still to be checked: commit first, or SET CONSTRAINTS ALL IMMEDIATE.")));
	return open_target(rel, NULL);
}

StampTarget *
stamp_target_open_writing(Relation rel)
{
	return open_target(rel, recheck_triggers(rel));
}

void
stamp_target_close(StampTarget *target)
{
	if (target->info->ri_TrigDesc != NULL)
		AfterTriggerEndQuery(target->estate);
	ExecDropSingleTupleTableSlot(target->stamped);
	ExecCloseIndices(target->info);
	ExecResetTupleTable(target->estate->es_tupleTable, false);
	ExecCloseResultRelations(target->estate);
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
