/*
 * messages.c
 *		The row trigger of tables of messages.
 *
 * sla.message, AFTER INSERT OR UPDATE OR DELETE and first by name, tells the
 * ticket that a message is about what it says, and the one that it was about
 * before that it says nothing any more. Like sla.record it looks at the row as
 * it is by then.
 *
 * Nothing about a ticket keeps a message out: one about a ticket that is not
 * recorded says nothing until sla.record_messages.
 *
 * Knows nothing of events.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/rel.h"

#include "attachment.h"
#include "message_report.h"
#include "message_table.h"
#include "same_text.h"
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
	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event))
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

	if (state != NULL)
		return state->table;
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	ledger = ledger_open(false);
	state = palloc0(sizeof(StatementState));
	state->table = message_table_load(ledger, rel, &problem);
	ledger_close(ledger);
	MemoryContextSwitchTo(old);
	fcinfo->flinfo->fn_extra = state;
	if (state->table == NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("messages of table \"%s\" are not recorded: %s",
						RelationGetRelationName(rel), problem),
				 errhint("Call sla.attach_messages for the table, or sla.detach_messages to remove its trigger.")));
	return state->table;
}

/* Two messages that may be one, or none: what a row said, and says */
static void
report(const MessageTable *table, const Message *before, const Message *after)
{
	MessageReporter reporter;
	Message		gone = {0};

	if (before != NULL && before->ticket == NULL)
		before = NULL;
	if (after != NULL && after->ticket == NULL)
		after = NULL;
	/* who said nothing and says nothing is not worth a look */
	if ((before == NULL || before->author == AUTHOR_NOBODY) &&
		(after == NULL || after->author == AUTHOR_NOBODY))
		return;
	if (!message_reporter_open(&reporter, table,
							   GetCurrentStatementStartTimestamp()))
		return;

	if (before != NULL && after != NULL &&
		same_text(before->ticket, after->ticket) &&
		same_text(before->source, after->source))
		before = NULL;
	if (before != NULL)
	{
		gone = *before;
		gone.author = AUTHOR_NOBODY;
	}
	/* two sessions that lock the same two tickets do so in the same order */
	if (before != NULL && after != NULL &&
		strcmp(after->ticket, before->ticket) < 0)
	{
		message_report(&reporter, after->ticket, after, 1, false);
		after = NULL;
	}
	if (before != NULL)
		message_report(&reporter, gone.ticket, &gone, 1, false);
	if (after != NULL)
		message_report(&reporter, after->ticket, after, 1, false);
	message_reporter_close(&reporter);
}

Datum
slapolicy_message(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	MessageTable *table;
	Relation	rel;
	bool		update;
	TupleTableSlot *slot = NULL;
	Message		before = {0};
	Message		after = {0};

	check_trigger(fcinfo);
	rel = trigdata->tg_relation;
	update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	table = get_table(fcinfo, rel);
	if (table == NULL ||
		(update && !attachment_row_changed(&table->own, trigdata->tg_trigslot,
										   trigdata->tg_newslot)))
		return PointerGetDatum(NULL);

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
	report(table,
		   TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? NULL : &before,
		   slot == NULL ? NULL : &after);
	return PointerGetDatum(NULL);
}
