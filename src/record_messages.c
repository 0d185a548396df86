/*
 * record_messages.c
 *		The first and the last step below the surface of sla.attach_messages
 *		and sla.detach_messages, and the messages that are there already.
 *
 * These functions write ledger tables that their caller has no rights on, so
 * they check that he owns the tables.
 *
 * Knows nothing of how columns were chosen.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_collation_d.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "as_owner.h"
#include "attach.h"
#include "message_report.h"
#include "message_table.h"
#include "restamp.h"
#include "same_text.h"

PG_FUNCTION_INFO_V1(slapolicy_register_messages);
PG_FUNCTION_INFO_V1(slapolicy_unregister_messages);
PG_FUNCTION_INFO_V1(slapolicy_record_messages);

/* The source of the events of the first table of messages about some tickets */
#define FIRST_SOURCE	"message"

/*
 * Keep other sessions from writing to two tables that the user owns, without
 * holding the one while waiting for the other: whoever writes to both must not
 * be waiting for us. Returns the first one with its partitions.
 */
static List *
lock_tables(Oid relid, Oid other)
{
	Oid			first = relid;
	Oid			second = other;

	attach_check_owner(relid);
	attach_check_owner(other);
	for (;;)
	{
		Oid			busy = second;

		LockRelationOid(first, ShareRowExclusiveLock);
		if (ConditionalLockRelationOid(second, ShareRowExclusiveLock))
			break;
		UnlockRelationOid(first, ShareRowExclusiveLock);
		second = first;
		first = busy;
	}
	attach_lock_table(other);
	return attach_lock_table(relid);
}

/* ---------- attaching ---------- */

/*
 * What the events of a table's messages are known by. The first table of
 * messages about the tickets of a table has the plain word; of others the name
 * is in it, as it was when they were attached.
 */
static char *
choose_source(Ledger *ledger, Oid relid, Oid ticket_table, int32 id)
{
	char	   *sources[] = {
		FIRST_SOURCE,
		psprintf("%s/%s", FIRST_SOURCE, quote_identifier(get_rel_name(relid))),
		psprintf("%s/%d", FIRST_SOURCE, id)
	};
	List	   *rows = message_table_rows(ledger);

	for (int i = 0; i < (int) lengthof(sources); i++)
	{
		bool		taken = false;
		ListCell   *lc;

		foreach(lc, rows)
		{
			MessageTableRow *row = lfirst(lc);

			if (DatumGetInt32(row->values[MESSAGES_ID - 1]) != id &&
				DatumGetObjectId(row->values[MESSAGES_TICKET_TABLE - 1]) == ticket_table &&
				strcmp(TextDatumGetCString(row->values[MESSAGES_SOURCE - 1]),
					   sources[i]) == 0)
				taken = true;
		}
		if (!taken)
			return sources[i];
	}
	return sources[lengthof(sources) - 1];
}

/*
 * Enter a table of messages, or bring back one that was detached under its
 * former id. Arguments: the table, that of the tickets, roles, options.
 */
Datum
slapolicy_register_messages(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Oid			ticket_table = PG_GETARG_OID(1);
	Ledger	   *ledger;
	AttachmentRow tickets;
	MessageTableRow row = {0};
	Datum	   *values = row.values;
	bool		found;

	if (relid == ticket_table)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a table cannot have the messages about its own rows")));
	lock_tables(relid, ticket_table);
	attach_check_kind(relid);
	ledger = ledger_open(true);
	if (!attach_find_row(ledger, ticket_table, &tickets))
		restamp_not_attached(ticket_table);
	found = message_table_find_row(ledger, relid, &row);
	if (found && row.nulls[MESSAGES_DETACHED_AT - 1])
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table \"%s\" is attached already",
						get_rel_name(relid)),
				 errhint("Call sla.detach_messages first to attach it in another way.")));
	if (!found)
		values[MESSAGES_ID - 1] =
			Int32GetDatum((int32) ledger_next_id(LEDGER_MESSAGES));
	if (!found ||
		DatumGetObjectId(values[MESSAGES_TICKET_TABLE - 1]) != ticket_table)
		values[MESSAGES_SOURCE - 1] =
			CStringGetTextDatum(choose_source(ledger, relid, ticket_table,
											  DatumGetInt32(values[MESSAGES_ID - 1])));
	values[MESSAGES_TABLE - 1] = ObjectIdGetDatum(relid);
	values[MESSAGES_TICKET_TABLE - 1] = ObjectIdGetDatum(ticket_table);
	values[MESSAGES_ROLES - 1] = PG_GETARG_DATUM(2);
	values[MESSAGES_OPTIONS - 1] = PG_GETARG_DATUM(3);
	values[MESSAGES_ATTACHED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	row.nulls[MESSAGES_DETACHED_AT - 1] = true;
	if (found)
		ledger_update(ledger, LEDGER_MESSAGES, &row.tid, values, row.nulls);
	else
		ledger_insert(ledger, LEDGER_MESSAGES, values, row.nulls);
	ledger_close(ledger);
	CommandCounterIncrement();
	PG_RETURN_INT32(DatumGetInt32(values[MESSAGES_ID - 1]));
}

/*
 * End the record of a table of messages; the events there are stay. False: it
 * was not attached.
 */
Datum
slapolicy_unregister_messages(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Ledger	   *ledger;
	MessageTableRow row;
	bool		found;

	attach_lock_table(relid);
	ledger = ledger_open(true);
	found = message_table_find_row(ledger, relid, &row) &&
		row.nulls[MESSAGES_DETACHED_AT - 1];
	if (found)
	{
		row.nulls[MESSAGES_DETACHED_AT - 1] = false;
		row.values[MESSAGES_DETACHED_AT - 1] =
			TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
		ledger_update(ledger, LEDGER_MESSAGES, &row.tid, row.values,
					  row.nulls);
	}
	ledger_close(ledger);
	CommandCounterIncrement();
	PG_RETURN_BOOL(found);
}

/* ---------- messages that are there ---------- */

/* Columns of what is sorted */
enum
{
	SORTED_TICKET = 1,
	SORTED_AT,
	SORTED_SOURCE,
	SORTED_AUTHOR,
	SORTED_AUTHOR_NAME,
	SORTED_NATTS = SORTED_AUTHOR_NAME
};

typedef struct Sorter
{
	Tuplesortstate *state;
	TupleTableSlot *slot;
} Sorter;

static void
sorter_open(Sorter *sorter)
{
	TupleDesc	desc = CreateTemplateTupleDesc(SORTED_NATTS);
	Oid			text_less = lookup_type_cache(TEXTOID, TYPECACHE_LT_OPR)->lt_opr;
	AttrNumber	columns[] = {SORTED_TICKET, SORTED_AT, SORTED_SOURCE};
	Oid			operators[] = {
		text_less,
		lookup_type_cache(TIMESTAMPTZOID, TYPECACHE_LT_OPR)->lt_opr,
		text_less
	};
	Oid			collations[] = {C_COLLATION_OID, InvalidOid, C_COLLATION_OID};
	bool		nulls_first[] = {false, false, false};

	TupleDescInitEntry(desc, SORTED_TICKET, "ticket", TEXTOID, -1, 0);
	TupleDescInitEntry(desc, SORTED_AT, "at", TIMESTAMPTZOID, -1, 0);
	TupleDescInitEntry(desc, SORTED_SOURCE, "source", TEXTOID, -1, 0);
	TupleDescInitEntry(desc, SORTED_AUTHOR, "author", INT4OID, -1, 0);
	TupleDescInitEntry(desc, SORTED_AUTHOR_NAME, "author_name", TEXTOID, -1, 0);
	sorter->state = tuplesort_begin_heap(desc, lengthof(columns), columns,
										 operators, collations, nulls_first,
										 maintenance_work_mem, NULL,
										 TUPLESORT_NONE);
	sorter->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

static void
sorter_close(Sorter *sorter)
{
	ExecDropSingleTupleTableSlot(sorter->slot);
	tuplesort_end(sorter->state);
}

static void
sorter_put(Sorter *sorter, const Message *message)
{
	TupleTableSlot *slot = sorter->slot;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, 0, SORTED_NATTS * sizeof(bool));
	slot->tts_values[SORTED_TICKET - 1] = CStringGetTextDatum(message->ticket);
	slot->tts_values[SORTED_AT - 1] = TimestampTzGetDatum(message->at);
	slot->tts_values[SORTED_SOURCE - 1] = CStringGetTextDatum(message->source);
	slot->tts_values[SORTED_AUTHOR - 1] = Int32GetDatum(message->author);
	slot->tts_isnull[SORTED_AUTHOR_NAME - 1] = message->author_name == NULL;
	if (message->author_name != NULL)
		slot->tts_values[SORTED_AUTHOR_NAME - 1] =
			CStringGetTextDatum(message->author_name);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(sorter->state, slot);
}

/* Go to the next message; false when there is none. */
static bool
sorter_next(Sorter *sorter)
{
	return tuplesort_gettupleslot(sorter->state, true, false, sorter->slot,
								  NULL);
}

/* Is the message that the sorter is at about this ticket? */
static bool
sorter_is_about(Sorter *sorter, const char *ticket)
{
	bool		isnull;
	Datum		key = slot_getattr(sorter->slot, SORTED_TICKET, &isnull);

	return strcmp(TextDatumGetCString(key), ticket) == 0;
}

/* The message that the sorter is at, palloc'd */
static Message
sorter_get(Sorter *sorter)
{
	TupleTableSlot *slot = sorter->slot;
	Message		message;

	slot_getallattrs(slot);
	message.ticket = TextDatumGetCString(slot->tts_values[SORTED_TICKET - 1]);
	message.at = DatumGetTimestampTz(slot->tts_values[SORTED_AT - 1]);
	message.source = TextDatumGetCString(slot->tts_values[SORTED_SOURCE - 1]);
	message.author = DatumGetInt32(slot->tts_values[SORTED_AUTHOR - 1]);
	message.author_name = slot->tts_isnull[SORTED_AUTHOR_NAME - 1] ? NULL :
		TextDatumGetCString(slot->tts_values[SORTED_AUTHOR_NAME - 1]);
	return message;
}

/* Sort in the messages that one relation holds. */
static void
read_messages(Relation rel, MessageTable *table, Sorter *sorter)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "slapolicy messages",
													  ALLOCSET_DEFAULT_SIZES);
	AsOwner		before;

	as_owner_begin(&before, rel);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		Message		message;

		CHECK_FOR_INTERRUPTS();
		message = message_read(table, slot);
		/* one that says nothing may have said something before */
		if (message.ticket != NULL)
			sorter_put(sorter, &message);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	as_owner_end(&before);
	MemoryContextDelete(row_context);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
}

/* Report all messages, ticket by ticket; how many stand. */
static int64
report_sorted(MessageReporter *reporter, Sorter *sorter)
{
	MemoryContext ticket_context = AllocSetContextCreate(CurrentMemoryContext,
														 "slapolicy ticket",
														 ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(ticket_context);
	bool		more = sorter_next(sorter);
	int64		count = 0;

	while (more)
	{
		int			room = 16;
		int			n = 0;
		Message    *messages = palloc(room * sizeof(Message));

		do
		{
			if (n == room)
			{
				room *= 2;
				messages = repalloc_huge(messages, room * sizeof(Message));
			}
			messages[n++] = sorter_get(sorter);
			more = sorter_next(sorter);
		} while (more && sorter_is_about(sorter, messages[0].ticket));
		CHECK_FOR_INTERRUPTS();
		count += message_report(reporter, messages[0].ticket, messages, n, true);
		MemoryContextReset(ticket_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(ticket_context);
	return count;
}

/* Ids of tickets with an event of a message, but for those of a set */
static TicketSet *
tickets_with_messages(const MessageReporter *reporter, bool *any)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(reporter->ledger,
													 LEDGER_EVENT));
	TicketSet  *tickets = ticket_set_create();
	LedgerScan	scan;
	HeapTuple	tuple;

	*any = false;
	ledger_scan_begin(reporter->ledger, LEDGER_EVENT, NULL, 0, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		bool		isnull;
		Datum		source = heap_getattr(tuple, EVENT_SOURCE, desc, &isnull);
		int64		id;
		char	   *name;

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		id = DatumGetInt64(heap_getattr(tuple, EVENT_TICKET_ID, desc, &isnull));
		name = TextDatumGetCString(source);
		if (message_is_source(reporter->table, name) &&
			!ticket_set_has(reporter->seen, id))
		{
			ticket_set_add(tickets, id);
			*any = true;
		}
		pfree(name);
	}
	ledger_scan_end(&scan);
	return tickets;
}

/* Tell tickets whose messages are all gone. */
static void
report_gone(MessageReporter *reporter)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(reporter->ledger,
													 LEDGER_TICKET));
	bool		any;
	TicketSet  *tickets = tickets_with_messages(reporter, &any);
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	List	   *keys = NIL;
	ListCell   *lc;

	if (!any)
		return;
	ScanKeyInit(&key, TICKET_ATTACHMENT_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(reporter->attachment_id));
	ledger_scan_begin(reporter->ledger, LEDGER_TICKET, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		bool		isnull;

		if (ticket_set_has(tickets,
						   DatumGetInt64(heap_getattr(tuple, TICKET_ID, desc,
													  &isnull))))
			keys = lappend(keys,
						   TextDatumGetCString(heap_getattr(tuple, TICKET_KEY,
															desc, &isnull)));
	}
	ledger_scan_end(&scan);
	foreach(lc, keys)
	{
		CHECK_FOR_INTERRUPTS();
		message_report(reporter, lfirst(lc), NULL, 0, true);
	}
}

/*
 * Bring the record up to the messages that a table has. No other session
 * writes to it or to the tickets until the transaction ends. Returns how many
 * messages stand as events.
 */
Datum
slapolicy_record_messages(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Ledger	   *ledger = ledger_open(false);
	MessageTableRow row;
	MessageReporter reporter;
	MessageTable *table = NULL;
	Sorter		sorter;
	List	   *relids;
	ListCell   *lc;
	int64		count;

	attach_check_owner(relid);
	if (!message_table_find_row(ledger, relid, &row) ||
		!row.nulls[MESSAGES_DETACHED_AT - 1])
		restamp_not_attached(relid);
	relids = lock_tables(relid, DatumGetObjectId(row.values[MESSAGES_TICKET_TABLE - 1]));
	sorter_open(&sorter);
	foreach(lc, relids)
	{
		Relation	rel = table_open(lfirst_oid(lc), NoLock);
		char	   *problem = NULL;

		table = message_table_load(ledger, rel, &problem);
		if (table == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("messages of table \"%s\" cannot be recorded: %s",
							RelationGetRelationName(rel), problem)));
		if (rel->rd_rel->relkind == RELKIND_RELATION)
			read_messages(rel, table, &sorter);
		table_close(rel, NoLock);
	}
	ledger_close(ledger);
	tuplesort_performsort(sorter.state);

	if (!message_reporter_open(&reporter, table, now))
		restamp_not_attached(table->ticket_table);
	reporter.seen = ticket_set_create();
	count = report_sorted(&reporter, &sorter);
	report_gone(&reporter);
	message_reporter_close(&reporter);
	sorter_close(&sorter);
	CommandCounterIncrement();
	PG_RETURN_INT64(count);
}
