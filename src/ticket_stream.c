/*
 * ticket_stream.c
 *		Reads tickets and their events in bulk, and merges them by the
 *		tickets' ids.
 *
 * Tickets are found by a scan of their table, and sorted. Events are read in
 * the order of their key, from the first ticket to the last: tickets that were
 * recorded near each other have their events near each other, too, so that
 * this visits few pages twice.
 *
 * Knows nothing of policies and of what becomes of the tickets.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"

#include "ledger.h"
#include "ticket_stream.h"

/* What is sorted of a ticket */
enum
{
	SORTED_ID = 1,
	SORTED_ATTACHMENT_ID,
	SORTED_HOURS_ID,
	SORTED_KEY,
	SORTED_CHANNEL,
	SORTED_NATTS = SORTED_CHANNEL
};

struct TicketStream
{
	Tuplesortstate *tickets;
	TupleTableSlot *ticket;
	int64		first_id;		/* of the tickets */
	int64		last_id;
	LedgerScan	events;
	TupleDesc	event_desc;
	HeapTuple	event;			/* the next one, NULL at the end */
};

static Tuplesortstate *
begin_sort(TupleDesc desc)
{
	AttrNumber	key = SORTED_ID;
	Oid			by = Int8LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;

	return tuplesort_begin_heap(desc, 1, &key, &by, &collation, &nulls_first,
								work_mem, NULL, TUPLESORT_NONE);
}

static TupleDesc
sorted_desc(void)
{
	TupleDesc	desc = CreateTemplateTupleDesc(SORTED_NATTS);

	TupleDescInitEntry(desc, SORTED_ID, "id", INT8OID, -1, 0);
	TupleDescInitEntry(desc, SORTED_ATTACHMENT_ID, "attachment_id", INT4OID,
					   -1, 0);
	TupleDescInitEntry(desc, SORTED_HOURS_ID, "hours_id", INT4OID, -1, 0);
	TupleDescInitEntry(desc, SORTED_KEY, "key", TEXTOID, -1, 0);
	TupleDescInitEntry(desc, SORTED_CHANNEL, "channel", TEXTOID, -1, 0);
	return desc;
}

static void
put_ticket(TicketStream *stream, TupleTableSlot *row, TupleTableSlot *sorted)
{
	static const AttrNumber columns[] = {
		[SORTED_ID] = TICKET_ID,
		[SORTED_ATTACHMENT_ID] = TICKET_ATTACHMENT_ID,
		[SORTED_HOURS_ID] = TICKET_HOURS_ID,
		[SORTED_KEY] = TICKET_KEY,
		[SORTED_CHANNEL] = TICKET_CHANNEL,
	};
	int64		id;

	slot_getsomeattrs(row, TICKET_CHANNEL);
	ExecClearTuple(sorted);
	for (int i = SORTED_ID; i <= SORTED_NATTS; i++)
	{
		sorted->tts_values[i - 1] = row->tts_values[columns[i] - 1];
		sorted->tts_isnull[i - 1] = row->tts_isnull[columns[i] - 1];
	}
	ExecStoreVirtualTuple(sorted);
	tuplesort_puttupleslot(stream->tickets, sorted);

	id = DatumGetInt64(row->tts_values[TICKET_ID - 1]);
	stream->first_id = Min(stream->first_id, id);
	stream->last_id = Max(stream->last_id, id);
}

static void
sort_tickets(TicketStream *stream, Ledger *ledger, TimestampTz from,
			 TimestampTz to)
{
	Relation	rel = ledger_table(ledger, LEDGER_TICKET);
	TupleDesc	desc = sorted_desc();
	TupleTableSlot *row = table_slot_create(rel, NULL);
	TupleTableSlot *sorted = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);

	stream->tickets = begin_sort(desc);
	stream->ticket = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	stream->first_id = PG_INT64_MAX;
	stream->last_id = PG_INT64_MIN;
	while (table_scan_getnextslot(scan, ForwardScanDirection, row))
	{
		bool		isnull;
		TimestampTz received;

		CHECK_FOR_INTERRUPTS();
		received = DatumGetTimestampTz(slot_getattr(row, TICKET_RECEIVED_AT,
													&isnull));
		if (!isnull && received >= from && received < to)
			put_ticket(stream, row, sorted);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(sorted);
	ExecDropSingleTupleTableSlot(row);
	tuplesort_performsort(stream->tickets);
}

TicketStream *
ticket_stream_open(Ledger *ledger, TimestampTz from, TimestampTz to)
{
	TicketStream *stream = palloc0(sizeof(TicketStream));
	ScanKeyData keys[2];

	sort_tickets(stream, ledger, from, to);
	ScanKeyInit(&keys[0], EVENT_TICKET_ID, BTGreaterEqualStrategyNumber,
				F_INT8GE, Int64GetDatum(stream->first_id));
	ScanKeyInit(&keys[1], EVENT_TICKET_ID, BTLessEqualStrategyNumber,
				F_INT8LE, Int64GetDatum(stream->last_id));
	stream->event_desc = RelationGetDescr(ledger_table(ledger, LEDGER_EVENT));
	ledger_scan_begin_ordered(ledger, LEDGER_EVENT, keys, 2, &stream->events);
	stream->event = ledger_scan_next(&stream->events);
	return stream;
}

/* Which ticket the next event is about */
static int64
event_ticket_id(const TicketStream *stream)
{
	bool		isnull;

	return DatumGetInt64(heap_getattr(stream->event, EVENT_TICKET_ID,
									  stream->event_desc, &isnull));
}

bool
ticket_stream_next(TicketStream *stream, StreamTicket *ticket,
				   TicketHistory *history)
{
	TupleTableSlot *slot = stream->ticket;
	int64		id;

	if (!tuplesort_gettupleslot(stream->tickets, true, false, slot, NULL))
		return false;
	slot_getallattrs(slot);
	ticket->id = DatumGetInt64(slot->tts_values[SORTED_ID - 1]);
	ticket->attachment_id =
		DatumGetInt32(slot->tts_values[SORTED_ATTACHMENT_ID - 1]);
	ticket->hours_id = slot->tts_isnull[SORTED_HOURS_ID - 1] ? 0 :
		DatumGetInt32(slot->tts_values[SORTED_HOURS_ID - 1]);
	ticket->key = slot->tts_values[SORTED_KEY - 1];
	ticket->channel = slot->tts_isnull[SORTED_CHANNEL - 1] ? NULL :
		TextDatumGetCString(slot->tts_values[SORTED_CHANNEL - 1]);

	ticket_history_init(history);
	while (stream->event != NULL &&
		   (id = event_ticket_id(stream)) <= ticket->id)
	{
		CHECK_FOR_INTERRUPTS();
		if (id == ticket->id)
			ledger_event_from_tuple(stream->event_desc, stream->event,
									history);
		stream->event = ledger_scan_next(&stream->events);
	}
	history->nrecorded = history->nevents;
	return true;
}

void
ticket_stream_close(TicketStream *stream)
{
	ledger_scan_end(&stream->events);
	tuplesort_end(stream->tickets);
	ExecDropSingleTupleTableSlot(stream->ticket);
	pfree(stream);
}
