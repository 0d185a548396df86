/*
 * ticket_stream.h
 *		Many tickets with their events, one after the other.
 */
#ifndef SLAPOLICY_TICKET_STREAM_H
#define SLAPOLICY_TICKET_STREAM_H

#include "slapolicy.h"
#include "ledger_tables.h"
#include "ticket.h"

/* What a stream tells of a ticket; valid until the next one */
typedef struct StreamTicket
{
	int64		id;
	int32		attachment_id;
	int32		hours_id;		/* 0: NULL */
	Datum		key;			/* text */
	const char *channel;		/* NULL: none */
} StreamTicket;

typedef struct TicketStream TicketStream;

/*
 * Tickets received in [from, to), by id, as the active snapshot has them.
 * Lives in CurrentMemoryContext, and needs little of it.
 */
extern TicketStream *ticket_stream_open(Ledger *ledger, TimestampTz from,
										TimestampTz to);

/* The next ticket, its events in CurrentMemoryContext; false at the end. */
extern bool ticket_stream_next(TicketStream *stream, StreamTicket *ticket,
							   TicketHistory *history);
extern void ticket_stream_close(TicketStream *stream);

#endif							/* SLAPOLICY_TICKET_STREAM_H */
