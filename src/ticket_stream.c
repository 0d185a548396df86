/*
 * ticket_stream.c
 *		Reads tickets and their events in bulk, both by the tickets' ids.
 *
 * In the order of their keys: nothing has to be sorted or kept. Tickets that
 * were recorded near each other are near each other in both tables, and so are
 * their events, so that few pages are visited twice.
 *
 * Knows nothing of policies and of what becomes of the tickets.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "ledger.h"
#include "ticket_stream.h"

struct TicketStream
{
	MemoryContext context;
	Ledger	   *ledger;
	TimestampTz from;
	TimestampTz to;
	LedgerScan	tickets;
	TupleDesc	ticket_desc;
	bool		has_events;		/* reading them has begun */
	LedgerScan	events;
	TupleDesc	event_desc;
	HeapTuple	event;			/* the next one, NULL at the end */
};

/* What a scan keeps for itself must outlast the tickets. */
static HeapTuple
next_row(TicketStream *stream, LedgerScan *scan)
{
	MemoryContext old = MemoryContextSwitchTo(stream->context);
	HeapTuple	tuple = ledger_scan_next(scan);

	MemoryContextSwitchTo(old);
	return tuple;
}

TicketStream *
ticket_stream_open(Ledger *ledger, TimestampTz from, TimestampTz to)
{
	TicketStream *stream = palloc0(sizeof(TicketStream));

	stream->context = CurrentMemoryContext;
	stream->ledger = ledger;
	stream->from = from;
	stream->to = to;
	stream->ticket_desc = RelationGetDescr(ledger_table(ledger, LEDGER_TICKET));
	stream->event_desc = RelationGetDescr(ledger_table(ledger, LEDGER_EVENT));
	ledger_scan_begin_ordered(ledger, LEDGER_TICKET, NULL, 0,
							  &stream->tickets);
	return stream;
}

/* Begin to read events, from those of a ticket on. */
static void
begin_events(TicketStream *stream, int64 ticket_id)
{
	MemoryContext old = MemoryContextSwitchTo(stream->context);
	ScanKeyData key;

	ScanKeyInit(&key, EVENT_TICKET_ID, BTGreaterEqualStrategyNumber,
				F_INT8GE, Int64GetDatum(ticket_id));
	ledger_scan_begin_ordered(stream->ledger, LEDGER_EVENT, &key, 1,
							  &stream->events);
	stream->event = next_row(stream, &stream->events);
	stream->has_events = true;
	MemoryContextSwitchTo(old);
}

/* Which ticket the next event is about */
static int64
event_ticket_id(const TicketStream *stream)
{
	bool		isnull;

	return DatumGetInt64(heap_getattr(stream->event, EVENT_TICKET_ID,
									  stream->event_desc, &isnull));
}

static void
read_events(TicketStream *stream, int64 ticket_id, TicketHistory *history)
{
	int64		id;

	if (!stream->has_events)
		begin_events(stream, ticket_id);
	ticket_history_init(history);
	while (stream->event != NULL &&
		   (id = event_ticket_id(stream)) <= ticket_id)
	{
		CHECK_FOR_INTERRUPTS();
		if (id == ticket_id)
			ledger_event_from_tuple(stream->event_desc, stream->event,
									history);
		stream->event = next_row(stream, &stream->events);
	}
	history->nrecorded = history->nevents;
}

/* The next ticket that was received in time; NULL at the end */
static HeapTuple
next_ticket(TicketStream *stream)
{
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = next_row(stream, &stream->tickets)))
	{
		bool		isnull;
		Datum		received = heap_getattr(tuple, TICKET_RECEIVED_AT,
											stream->ticket_desc, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (!isnull && DatumGetTimestampTz(received) >= stream->from &&
			DatumGetTimestampTz(received) < stream->to)
			break;
	}
	return tuple;
}

bool
ticket_stream_next(TicketStream *stream, StreamTicket *ticket,
				   TicketHistory *history)
{
	HeapTuple	tuple = next_ticket(stream);
	Datum		values[TICKET_NATTS];
	bool		nulls[TICKET_NATTS];

	if (!HeapTupleIsValid(tuple))
		return false;
	heap_deform_tuple(tuple, stream->ticket_desc, values, nulls);
	ticket->id = DatumGetInt64(values[TICKET_ID - 1]);
	ticket->attachment_id = DatumGetInt32(values[TICKET_ATTACHMENT_ID - 1]);
	ticket->hours_id = nulls[TICKET_HOURS_ID - 1] ? 0 :
		DatumGetInt32(values[TICKET_HOURS_ID - 1]);
	ticket->key = values[TICKET_KEY - 1];
	ticket->channel = nulls[TICKET_CHANNEL - 1] ? NULL :
		TextDatumGetCString(values[TICKET_CHANNEL - 1]);
	read_events(stream, ticket->id, history);
	return true;
}

void
ticket_stream_close(TicketStream *stream)
{
	if (stream->has_events)
		ledger_scan_end(&stream->events);
	ledger_scan_end(&stream->tickets);
	pfree(stream);
}
