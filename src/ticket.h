/*
 * ticket.h
 *		A ticket's row against its recorded events.
 *
 * Pure: rows and events come in as plain values.
 */
#ifndef SLAPOLICY_TICKET_H
#define SLAPOLICY_TICKET_H

#include "slapolicy.h"
#include "clock.h"

/* A time that a row may leave open */
typedef struct MaybeTime
{
	bool		known;
	TimestampTz at;
} MaybeTime;

/* What a row says now */
typedef struct TicketRow
{
	MaybeTime	received;
	MaybeTime	replied;
	MaybeTime	resolved;
	Severity	severity;		/* 0: cannot be told */
	bool		deleted;		/* there is no row any more */
	TimestampTz changed_at;		/* when the row came to say so */
} TicketRow;

/* Events of a ticket, growing */
typedef struct TicketHistory
{
	TicketEvent *events;
	int			nevents;
	int			nrecorded;		/* of these, in the ledger already */
	int			room;
} TicketHistory;

extern void ticket_history_init(TicketHistory *history);

/* Append an event as recorded; seq is the next one when 0. */
extern TicketEvent *ticket_history_append(TicketHistory *history,
										  EventKind kind, TimestampTz at);

/*
 * Mark the event that a retraction names as one that was not so; a seq that
 * no event has is ignored.
 */
extern void ticket_history_mark_retracted(TicketHistory *history, int32 seq);

/*
 * Append the events that lead from what is recorded to what the row says.
 * None when it says nothing new. Afterwards the history folds to a ticket
 * that is open, resolved or deleted as the row is, with the row's severity.
 */
extern void ticket_history_follow(TicketHistory *history,
								  const TicketRow *row);

#endif							/* SLAPOLICY_TICKET_H */
