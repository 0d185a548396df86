/*
 * ticket.h
 *		A ticket's row against its recorded events.
 *
 * Pure: rows and events come in as plain values.
 */
#ifndef SLAPOLICY_TICKET_H
#define SLAPOLICY_TICKET_H

#include "slapolicy.h"
#include "fold_state.h"

/* A time that a row may leave open */
typedef struct MaybeTime
{
	bool		known;
	TimestampTz at;
} MaybeTime;

/* What a row says now; texts are NULL where it says nothing */
typedef struct TicketRow
{
	MaybeTime	received;
	MaybeTime	replied;
	MaybeTime	updated;		/* the last time */
	MaybeTime	customer_replied;	/* the last time */
	MaybeTime	investigated;
	bool		resolved;
	bool		resolved_by_status; /* else by its time alone */
	MaybeTime	resolved_at;
	bool		paused;
	bool		cancelled;
	const char *status;
	Severity	severity;		/* 0: cannot be told */
	const char *product;
	const char *account;
	const char *service;
	const char *channel;
	const char *team;
	const char *assignee;
	const char *exempt;			/* reason */
	const char *policy;			/* that the row names */
	Datum		labels;			/* jsonb; 0: none */
	bool		deleted;		/* there is no row any more */
	bool		is_news;		/* what brought it under its key is still to be
								 * recorded, and will bring its ticket along */
	bool		arrives;		/* it is being inserted, and may be refused */
	bool		changed_known;	/* the row itself says when it changed */
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

/* Append an event as recorded; seq is the next one. */
extern TicketEvent *ticket_history_append(TicketHistory *history,
										  EventKind kind, TimestampTz at);

/* Append a retraction of an event. */
extern void ticket_history_retract(TicketHistory *history,
								   const TicketEvent *event, TimestampTz at);

/*
 * Mark the event that a retraction names as one that was not so; a seq that
 * no event has is ignored.
 */
extern void ticket_history_mark_retracted(TicketHistory *history, int32 seq);

/*
 * Append the events that lead from what is recorded to what the row says.
 * None when it says nothing new. Afterwards the history folds to a ticket
 * that is open, resolved or deleted as the row is, with the row's severity.
 * What others than the row have said is left alone.
 */
extern void ticket_history_follow(TicketHistory *history,
								  const TicketRow *row);

/*
 * The reason that exempts the ticket, of those that a policy knows; NULL when
 * none does. *unknown is a reason that the policy does not know, or NULL.
 */
extern const char *ticket_history_exemption(const TicketHistory *history,
											const PolicyVersion *version,
											const char **unknown);

/* A constant for sla.ticket.state: what the events amount to */
extern const char *ticket_history_state(const TicketHistory *history);

#endif							/* SLAPOLICY_TICKET_H */
