/*
 * messages.c
 *		The triggers of tables of messages.
 *
 * sla.message, AFTER INSERT OR UPDATE OR DELETE and first by name, tells the
 * ticket that a message is about what it says, and the one that it was about
 * before that it says nothing any more. Like sla.record it looks at the row as
 * it is by then. As a trigger before and after each statement it has messages
 * kept until the end of the statement and told at once.
 *
 * Nothing about a ticket keeps a message out: one about a ticket that is not
 * recorded says nothing until sla.record_messages.
 *
 * Knows nothing of events.
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/rel.h"

#include "attachment.h"
#include "ledger_about.h"
#include "message_batch.h"
#include "message_report.h"
#include "message_table.h"
#include "stamp.h"

PG_FUNCTION_INFO_V1(slapolicy_message);

/* How a relation's rows are read, for as long as the statement lasts */
typedef struct StatementState
{
	MessageTable *table;		/* NULL: none */
} StatementState;

static void
check_trigger(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s was not called by trigger manager",
						"message")));
	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) ||
		TRIGGER_FIRED_INSTEAD(trigdata->tg_event) ||
		(TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) &&
		 !TRIGGER_FIRED_AFTER(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s must be fired %s for each row",
						"message", "AFTER INSERT, UPDATE OR DELETE")));
}

/* How the rows are read; NULL, and a warning once per statement: not at all */
static MessageTable *
get_table(FunctionCallInfo fcinfo, Relation rel)
{
	StatementState *state = fcinfo->flinfo->fn_extra;
	MemoryContext old;
	Ledger	   *ledger;
	char	   *problem = NULL;
	bool		attached;

	if (state != NULL)
		return state->table;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	ledger = ledger_open(false);
	state = palloc0(sizeof(StatementState));
	state->table = message_table_load(ledger, rel, &problem);
	attached = ledger_about_relation(ledger, LEDGER_MESSAGES,
									 MESSAGES_DETACHED_AT, rel) != NULL;
	ledger_close(ledger);
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = state;
	if (state->table == NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("messages of table \"%s\" are not recorded: %s",
						RelationGetRelationName(rel), problem),
				 attached ?
				 errhint("Undo that, as by renaming a column back, and call sla.record_messages for what was missed; or call sla.detach_messages, then sla.attach_messages with the columns there are.") :
				 errhint("Call sla.attach_messages for the table, or sla.detach_messages to remove its trigger.")));
	return state->table;
}

/* What a row said before, and what it says; of the author NULL: nothing */
static void
report(const MessageTable *table, Message *before, Message *after)
{
	MessageBatch *batch = message_batch_find(table);
	Message		both[2];
	int			n = 0;

	/* who said nothing and says nothing is not worth a look */
	if ((before->ticket == NULL || before->author == AUTHOR_NOBODY) &&
		(after->ticket == NULL || after->author == AUTHOR_NOBODY))
		return;
	before->author = AUTHOR_NOBODY;
	if (before->ticket != NULL)
		both[n++] = *before;
	if (after->ticket != NULL)
		both[n++] = *after;
	if (batch == NULL)
		message_report_all(table, both, n);
	else
		for (int i = 0; i < n; i++)
			message_batch_add(batch, &both[i]);
}

static void
fired_for_row(MessageTable *table, TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	TupleTableSlot *slot = NULL;
	Message		before = {0};
	Message		after = {0};

	if (update && !attachment_row_changed(&table->own, trigdata->tg_trigslot,
										  trigdata->tg_newslot))
		return;
	if (!TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		before = message_read(table, trigdata->tg_trigslot);
	if (!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		slot = trigger_current_row(rel, update ? trigdata->tg_newslot :
								   trigdata->tg_trigslot);
	if (slot != NULL)
	{
		after = message_read(table, slot);
		ExecDropSingleTupleTableSlot(slot);
	}
	report(table, &before, &after);
}

/* Will the same function be called after the statement, too? */
static bool
has_end(Relation rel, const Trigger *begin)
{
	const int16 events = TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE |
		TRIGGER_TYPE_DELETE;

	for (int i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *end = &rel->trigdesc->triggers[i];

		if (end->tgfoid == begin->tgfoid &&
			end->tgenabled == begin->tgenabled &&
			TRIGGER_FOR_AFTER(end->tgtype) && !TRIGGER_FOR_ROW(end->tgtype) &&
			(end->tgtype & events) == events)
			return true;
	}
	return false;
}

Datum
slapolicy_message(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	check_trigger(fcinfo);
	if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
	{
		MessageTable *table = get_table(fcinfo, trigdata->tg_relation);

		if (table != NULL)
			fired_for_row(table, trigdata);
	}
	else if (TRIGGER_FIRED_AFTER(trigdata->tg_event))
		message_batch_close(trigdata->tg_relation);
	else if (has_end(trigdata->tg_relation, trigdata->tg_trigger))
		message_batch_open(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
