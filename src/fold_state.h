/*
 * fold_state.h
 *		What a ticket is at one moment of the fold: its severity, what it has
 *		reached, its pauses.
 *
 * Pure: no tables, no current time, nothing of clocks.
 */
#ifndef SLAPOLICY_FOLD_STATE_H
#define SLAPOLICY_FOLD_STATE_H

#include "slapolicy.h"
#include "deadline.h"
#include "event.h"
#include "policy.h"
#include "severity.h"

/* Something that happened to a ticket */
typedef struct TicketEvent
{
	int32		seq;			/* order of recording, from 1 */
	EventKind	kind;
	TimestampTz at;
	Severity	severity;		/* opened, severity: the new one, 0 if unknown */
	int32		retracts;		/* retracted: seq of the event that was not so */
	bool		retracted;		/* a later event says that it was not so */
	const char *old_value;		/* as sla.event has them; NULL: nothing said. */
	const char *value;			/* (severity and retracts are texts there) */
	const char *source;			/* who said so; NULL: the ticket's row */
} TicketEvent;

/*
 * The order in which events count: that of time, then of recording; but the
 * receipt, which may be recorded anew, comes before all else of its instant.
 */
extern int	ticket_event_order(const TicketEvent *a, const TicketEvent *b);

/* What ends a ticket for every metric until it is undone */
#define ENDED_KINDS \
	(EVENT_KIND_BIT(EVENT_CANCELLED) | EVENT_KIND_BIT(EVENT_MERGED) | \
	 EVENT_KIND_BIT(EVENT_DELETED))

/* What stands until the customer writes again */
#define ANSWER_KINDS \
	(EVENT_KIND_BIT(EVENT_REPLIED) | EVENT_KIND_BIT(EVENT_UPDATED))

typedef struct FoldState
{
	const PolicyVersion *version;
	Severity	severity;		/* as stated; 0: not known yet */
	const char *product;		/* NULL: none */
	bool		product_changed;	/* since it was opened */
	Severity	effective;		/* as far as the product allows; 0: unknown */
	bool		changed;		/* that, by the last event */
	EventKindSet reached;		/* answers, resolved, ended, as things stand */
	bool		new_turn;		/* the customer's last message came after an
								 * answer; receipt is the first turn */
	Pause	   *pauses;			/* over, in order, apart from each other */
	int			npauses;
	bool		paused;			/* now, since paused_at */
	TimestampTz paused_at;
	const char **standing;		/* names of the pauses that stand */
	int			nstanding;
} FoldState;

/* Begin with nothing known; nevents bounds what is to come. */
extern void fold_state_init(FoldState *state, const PolicyVersion *version,
							int nevents);

/* What the ticket is after an event; events come in order. */
extern void fold_state_advance(FoldState *state, const TicketEvent *event);

extern void fold_state_free(FoldState *state);

/* The events that count, sorted by time and then by recording, palloc'd */
extern TicketEvent *fold_events(const TicketEvent *events, int nevents,
								int *nvalid);

/*
 * Sorted events begin with the first of a kind: what was before has happened by
 * then. Returns how many count: all, or none when there is none of that kind.
 */
extern int	fold_begin_with(TicketEvent *events, int n, EventKind kind);

#endif							/* SLAPOLICY_FOLD_STATE_H */
