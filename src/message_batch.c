/*
 * message_batch.c
 *		The messages of one statement, kept until its end.
 *
 * A ticket is folded as a whole, so a thousand messages about it are to be
 * told at once. Triggers before and after the statement open and close a
 * batch; a row trigger that finds none open, because its partition was written
 * to directly, has to report by itself.
 *
 * What is kept must not outlive the subtransaction that wrote it, nor be
 * reported by one inside it that may be rolled back alone: a batch belongs to
 * one subtransaction and goes with it. Statements inside a statement share
 * the batch of that; the first to end reports all there is by then.
 *
 * Knows nothing of events.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "message_batch.h"
#include "message_report.h"

/* Messages kept at most; more are reported before the statement ends. */
#define LARGEST_BATCH	100000

struct MessageBatch
{
	MessageBatch *next;
	MemoryContextCallback callback;
	MemoryContext context;		/* of all of it */
	MemoryContext message_context;
	SubTransactionId subid;
	Oid			relid;
	MessageTable *table;
	Message    *messages;
	int			n;
	int			room;
};

/* Those that are open */
static MessageBatch *batches = NULL;

/* Its context goes: the batch was closed, or its subtransaction has failed. */
static void
forget_batch(void *arg)
{
	MessageBatch **link = &batches;

	while (*link != NULL && *link != arg)
		link = &(*link)->next;
	if (*link != NULL)
		*link = (*link)->next;
}

static MessageBatch *
find_batch(int32 table_id)
{
	SubTransactionId subid = GetCurrentSubTransactionId();

	for (MessageBatch *batch = batches; batch != NULL; batch = batch->next)
		if (batch->subid == subid && batch->table->id == table_id)
			return batch;
	return NULL;
}

MessageBatch *
message_batch_find(const MessageTable *table)
{
	return find_batch(table->id);
}

void
message_batch_open(Relation rel)
{
	MemoryContext context = AllocSetContextCreate(CurTransactionContext,
												  "slapolicy messages",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MessageBatch *batch = palloc0(sizeof(MessageBatch));
	Ledger	   *ledger = ledger_open(false);
	char	   *problem = NULL;

	batch->table = message_table_load(ledger, rel, &problem);
	ledger_close(ledger);
	MemoryContextSwitchTo(old);
	if (batch->table == NULL || find_batch(batch->table->id) != NULL)
	{
		MemoryContextDelete(context);
		return;
	}
	batch->context = context;
	batch->message_context = AllocSetContextCreate(context,
												   "slapolicy messages",
												   ALLOCSET_DEFAULT_SIZES);
	batch->subid = GetCurrentSubTransactionId();
	batch->relid = RelationGetRelid(rel);
	batch->callback.func = forget_batch;
	batch->callback.arg = batch;
	MemoryContextRegisterResetCallback(context, &batch->callback);
	batch->next = batches;
	batches = batch;
}

/* Report what is kept. Code that this calls may keep more meanwhile. */
static void
flush(MessageBatch *batch)
{
	while (batch->n > 0)
	{
		MemoryContext messages = batch->message_context;
		Message    *kept = batch->messages;
		int			n = batch->n;

		batch->message_context = AllocSetContextCreate(batch->context,
													   "slapolicy messages",
													   ALLOCSET_DEFAULT_SIZES);
		batch->n = 0;
		batch->room = 0;
		message_report_all(batch->table, kept, n);
		MemoryContextDelete(messages);
	}
}

void
message_batch_add(MessageBatch *batch, const Message *message)
{
	MemoryContext old;
	Message    *kept;

	if (batch->n >= LARGEST_BATCH)
		flush(batch);
	old = MemoryContextSwitchTo(batch->message_context);
	if (batch->room == 0)
	{
		batch->room = 4;
		batch->messages = palloc(batch->room * sizeof(Message));
	}
	else if (batch->n == batch->room)
	{
		batch->room *= 2;
		batch->messages = repalloc(batch->messages,
								   batch->room * sizeof(Message));
	}
	kept = &batch->messages[batch->n++];
	*kept = *message;
	kept->ticket = pstrdup(message->ticket);
	kept->source = pstrdup(message->source);
	if (message->author_name != NULL)
		kept->author_name = pstrdup(message->author_name);
	MemoryContextSwitchTo(old);
}

void
message_batch_close(Relation rel)
{
	SubTransactionId subid = GetCurrentSubTransactionId();

	for (MessageBatch *batch = batches; batch != NULL; batch = batch->next)
		if (batch->subid == subid && batch->relid == RelationGetRelid(rel))
		{
			flush(batch);
			MemoryContextDelete(batch->context);
			return;
		}
}
