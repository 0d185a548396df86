/*
 * stamp.c
 *		The two row triggers of an attached table.
 *
 * sla.stamp, BEFORE INSERT OR UPDATE and last by name, writes due times into
 * the row and does nothing else: it also fires for rows that ON CONFLICT
 * drops. sla.record, AFTER INSERT OR UPDATE OR DELETE and first by name,
 * brings the ledger up to the row. Both come to the same due times because
 * both ask record_plan().
 *
 * Other triggers may change the row between the two, or update it again
 * before sla.record fires; so that one looks at the row as it is by then, and
 * stamps it once more if need be.
 *
 * Knows nothing of how tickets are recorded (record.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "ledger_about.h"
#include "record.h"
#include "row_track.h"
#include "stamp.h"

PG_FUNCTION_INFO_V1(slapolicy_stamp);
PG_FUNCTION_INFO_V1(slapolicy_record);

static TriggerData *
check_trigger(FunctionCallInfo fcinfo, const char *name, bool before)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s was not called by trigger manager",
						name)));
	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		(before ? !TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		 TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) :
		 !TRIGGER_FIRED_AFTER(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s must be fired %s for each row",
						name, before ? "BEFORE INSERT OR UPDATE" :
						"AFTER INSERT, UPDATE OR DELETE")));
	return trigdata;
}

/*
 * Is this the first time that something is to be said of a statement? The
 * trigger's own function information lasts as long as that.
 */
static bool
is_first_warning(FunctionCallInfo fcinfo)
{
	bool		first = fcinfo->flinfo->fn_extra == NULL;

	fcinfo->flinfo->fn_extra = fcinfo->flinfo;
	return first;
}

/*
 * Does the ledger have an attachment for a table that none of can be made use
 * of? Then it is to be mended, not made.
 */
static bool
is_attached(Relation rel)
{
	Ledger	   *ledger = ledger_open(false);
	bool		found = ledger_about_relation(ledger, LEDGER_ATTACHMENT,
											  ATTACHMENT_DETACHED_AT,
											  rel) != NULL;

	ledger_close(ledger);
	return found;
}

/* Say once per statement why rows get no deadlines. */
static void
warn_once(FunctionCallInfo fcinfo, Relation rel, const char *key,
		  const char *problem, bool has_deadlines)
{
	if (!is_first_warning(fcinfo))
		return;
	if (key == NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("tickets of table \"%s\" are not recorded: %s",
						RelationGetRelationName(rel), problem),
				 is_attached(rel) ?
				 errhint("Undo that, as by renaming a column back, and call sla.reconcile for what was missed; or call sla.detach, then sla.attach with the columns there are.") :
				 errhint("Call sla.attach for the table, or sla.detach to remove its triggers.")));
	else if (has_deadlines)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("ticket %s of table \"%s\" is not exempt: %s",
						key, RelationGetRelationName(rel), problem),
				 errhint("Its promises stay in force. Add the reason to sla.exemption, or mend the row.")));
	else
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("ticket %s of table \"%s\" gets no deadlines: %s",
						key, RelationGetRelationName(rel), problem),
				 errhint("Its row is accepted; sla.ticket.exempt keeps the reason. Further rows of this statement may lack deadlines, too.")));
}

void
reject_row(Relation rel, const char *key, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("ticket %s of table \"%s\" has no deadlines: %s",
					key, RelationGetRelationName(rel), problem),
			 errhint("The table was attached with on_error => 'reject'. Complete the row, its severity map or the policy."),
			 errtable(rel)));
}

/*
 * Does a row come that a policy may refuse? One that is replicated is there
 * already, where it comes from.
 */
static bool
row_arrives(const TriggerData *trigdata)
{
	return TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) &&
		SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
}

/*
 * The row to go in, with its due times. OLD's due times are kept when nothing
 * changed that they depend on, whatever the statement said.
 */
Datum
slapolicy_stamp(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "stamp", true);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	TupleTableSlot *slot = update ? trigdata->tg_newslot : trigdata->tg_trigslot;
	HeapTuple	tuple = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	Relation	rel = trigdata->tg_relation;
	char	   *problem = NULL;
	const Attachment *attachment = attachment_get(rel, &problem);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	TicketRow	row;
	TicketPlan	plan;
	Ledger	   *ledger;
	LedgerTicket ticket;
	bool		found;
	char	   *key;
	int			nchanged = 0;
	int		   *columns;
	Datum	   *values;
	bool	   *nulls;

	if (attachment == NULL || attachment->nstamps == 0 ||
		(update && !attachment_row_changed(attachment, trigdata->tg_trigslot,
										   trigdata->tg_newslot)))
		return PointerGetDatum(tuple);

	row = attachment_read_row(attachment, slot, now, &problem);
	key = attachment_key(attachment, update ? trigdata->tg_trigslot : slot);
	ledger = ledger_open(false);
	found = ledger_find_ticket(ledger, attachment->id, key, false, &ticket);
	record_plan(attachment, ledger, found ? &ticket : NULL, &row, problem, &plan);
	ledger_close(ledger);

	columns = palloc(attachment->nstamps * sizeof(int));
	values = palloc(attachment->nstamps * sizeof(Datum));
	nulls = palloc(attachment->nstamps * sizeof(bool));
	for (int i = 0; i < attachment->nstamps; i++)
	{
		const StampColumn *stamp = &attachment->stamps[i];

		if (stamp_is_right(attachment, stamp, &plan, slot))
			continue;
		columns[nchanged] = stamp->attnum;
		values[nchanged] = stamp_for(attachment, stamp, &plan,
									 &nulls[nchanged]);
		nchanged++;
	}
	if (nchanged > 0)
		tuple = heap_modify_tuple_by_cols(tuple, RelationGetDescr(rel),
										  nchanged, columns, values, nulls);
	return PointerGetDatum(tuple);
}

/*
 * The row is locked by this transaction, so looking without a snapshot is
 * safe.
 */
TupleTableSlot *
trigger_current_row(Relation rel, TupleTableSlot *fired)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	ItemPointerData tid = fired->tts_tid;
	bool		found;

	/* a foreign partition: what fired the trigger is all there is */
	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return ExecCopySlot(slot, fired);

	found = table_tuple_fetch_row_version(rel, &tid, SnapshotSelf, slot);
	if (!found)
	{
		TableScanDesc scan = table_beginscan_tid(rel, SnapshotSelf);

		table_tuple_get_latest_tid(scan, &tid);
		table_endscan(scan);
		found = table_tuple_fetch_row_version(rel, &tid, SnapshotSelf, slot);
	}
	if (found)
		return slot;
	ExecDropSingleTupleTableSlot(slot);
	return NULL;
}

/*
 * Put right what sla.stamp could not know: a trigger that fired after it, or
 * a later update, or another session's policy, has changed the due times. A row
 * that may be inserted but not updated goes in with wrong ones rather than not
 * at all.
 */
static void
repair_stamps(FunctionCallInfo fcinfo, Relation rel,
			  const Attachment *attachment, const TicketPlan *plan,
			  TupleTableSlot *slot)
{
	StampTarget *target;

	if (stamps_are_right(attachment, plan, slot) ||
		rel->rd_rel->relkind != RELKIND_RELATION)
		return;
	if (stamping_refused(rel))
	{
		if (is_first_warning(fcinfo))
			ereport(WARNING,
					(errcode(ERRCODE_WARNING),
					 errmsg("columns of ticket %s of table \"%s\" do not have its due times: publications allow no update of the row",
							attachment_key(attachment, slot),
							RelationGetRelationName(rel)),
					 errhint("Its row is accepted, and sla.clock has them. Give the table a replica identity, then call sla.reconcile.")));
		return;
	}
	target = stamp_target_open_writing(rel);
	stamp_row(target, attachment, plan, slot);
	stamp_target_close(target);
}

/*
 * Record a row that came under a key which another had left by then, as turns
 * out. Until now it was taken for that one.
 */
static void
record_newcomer(FunctionCallInfo fcinfo, const Newcomer *who, TimestampTz now)
{
	Relation	rel = try_table_open(who->relid, RowExclusiveLock);
	TupleTableSlot *where;
	TupleTableSlot *slot;
	const Attachment *attachment;
	char	   *problem = NULL;

	if (rel == NULL)
		return;
	where = table_slot_create(rel, NULL);
	where->tts_tid = who->tid;
	slot = trigger_current_row(rel, where);
	attachment = attachment_get(rel, &problem);
	if (slot != NULL && attachment != NULL)
	{
		TicketRow	row = attachment_read_row(attachment, slot, now, &problem);
		TicketPlan	plan;

		(void) record_row(attachment, attachment_key(attachment, slot), NULL,
						  &row, problem, now, &plan);
		repair_stamps(fcinfo, rel, attachment, &plan, slot);
	}
	if (slot != NULL)
		ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(where);
	table_close(rel, NoLock);
}

/*
 * Has a row that kept its key in an update been given another one since? The
 * statement of a trigger did that, and we have heard of it already.
 */
static bool
renamed_since(const Attachment *attachment, TupleTableSlot *before,
			  TupleTableSlot *after, TupleTableSlot *now)
{
	char	   *key;

	if (ItemPointerEquals(&after->tts_tid, &now->tts_tid))
		return false;
	key = attachment_key(attachment, after);
	return strcmp(key, attachment_key(attachment, before)) == 0 &&
		strcmp(key, attachment_key(attachment, now)) != 0;
}

/*
 * The row a trigger has fired for, as it is now; NULL when there is none to be
 * recorded. *former_key is the key it had before, and *left when it left that.
 * What INSERT and DELETE say together of a row that moves is told by
 * row_track.c.
 */
static TupleTableSlot *
row_to_record(TriggerData *trigdata, const Attachment *attachment,
			  char **former_key, CommandId *left)
{
	Relation	rel = trigdata->tg_relation;
	TupleTableSlot *old = trigdata->tg_trigslot;
	TupleTableSlot *slot;

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
	{
		*former_key = row_track_arrived(rel, attachment, old);
		*left = row_track_arrived_by(old);
		return trigger_current_row(rel, old);
	}
	if (!attachment_row_changed(attachment, old, trigdata->tg_newslot))
		return NULL;
	*former_key = attachment_key(attachment, old);
	*left = row_track_left_by(old);
	slot = trigger_current_row(rel, trigdata->tg_newslot);
	if (slot != NULL && renamed_since(attachment, old, trigdata->tg_newslot, slot))
		*former_key = NULL;
	return slot;
}

/*
 * The key of a ticket to be ended; NULL: none, for another row has come under
 * the key meanwhile and goes on with it. A row that was deleted under a key it
 * had been given just before is gone by the one it had.
 */
static char *
key_to_end(TriggerData *trigdata, const Attachment *attachment,
		   char *former_key)
{
	TupleTableSlot *old = trigdata->tg_trigslot;
	char	   *key = former_key;
	bool		moves = false;
	Newcomer	who;

	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		key = attachment_key(attachment, old);
		moves = row_track_left(trigdata->tg_relation, attachment, old, key);
	}
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) || key == NULL ||
			 strcmp(key, attachment_key(attachment, trigdata->tg_newslot)) == 0)
		return NULL;
	return row_track_newcomer(attachment, key, row_track_left_by(old),
							  moves ? NULL : &who) ? NULL : key;
}

Datum
slapolicy_record(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "record", false);
	Relation	rel = trigdata->tg_relation;
	TimestampTz now = GetCurrentStatementStartTimestamp();
	char	   *problem = NULL;
	const Attachment *attachment = attachment_get(rel, &problem);
	TupleTableSlot *slot = NULL;
	TicketRow	row = {.deleted = true, .changed_at = now};
	TicketPlan	plan;
	char	   *key;
	char	   *former_key = NULL;
	CommandId	left = InvalidCommandId;
	Newcomer	newcomer;

	if (attachment == NULL)
	{
		warn_once(fcinfo, rel, NULL, problem, false);
		return PointerGetDatum(NULL);
	}

	if (!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		slot = row_to_record(trigdata, attachment, &former_key, &left);
	if (slot == NULL)
	{
		key = key_to_end(trigdata, attachment, former_key);
		if (key == NULL)
			return PointerGetDatum(NULL);
		former_key = NULL;
	}
	else
	{
		row = attachment_read_row(attachment, slot, now, &problem);
		row.is_news = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
			row_track_may_be_news(trigdata->tg_trigslot);
		row.arrives = row_arrives(trigdata);
		key = attachment_key(attachment, slot);
	}

	if (problem != NULL && attachment->reject)
		reject_row(rel, key, problem);
	problem = record_row(attachment, key, former_key, &row, problem, now, &plan);
	if (problem == NULL && plan.unknown_exemption != NULL)
		problem = psprintf("the policy knows no reason \"%s\" for an exemption",
						   plan.unknown_exemption);
	if (problem != NULL && !row.deleted)
	{
		if (attachment->reject)
			reject_row(rel, key, problem);
		warn_once(fcinfo, rel, key, problem, plan.problem == NULL);
	}
	if (slot != NULL)
	{
		if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) && plan.was_known)
			row_track_came(rel, attachment, trigdata->tg_trigslot, key);
		repair_stamps(fcinfo, rel, attachment, &plan, slot);
		ExecDropSingleTupleTableSlot(slot);
	}
	if (former_key != NULL && strcmp(former_key, key) != 0 &&
		row_track_newcomer(attachment, former_key, left, &newcomer))
		record_newcomer(fcinfo, &newcomer, now);
	return PointerGetDatum(NULL);
}
