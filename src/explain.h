/*
 * explain.h
 *		What the parts of sla.explain share: the ticket in hand, its fold, the
 *		rows of the answer.
 */
#ifndef SLAPOLICY_EXPLAIN_H
#define SLAPOLICY_EXPLAIN_H

#include "slapolicy.h"
#include "nodes/execnodes.h"
#include "clock.h"
#include "ledger.h"
#include "timeline.h"

typedef struct Explanation
{
	ReturnSetInfo *result;
	int			nrows;
	Ledger	   *ledger;
	LedgerTicket ticket;
	TicketHistory history;
	TimestampTz *recorded_at;	/* of the events, in the same order */
	const PolicyVersion *version;	/* the ticket's edition; NULL: none */
	FoldInput	fold;			/* with steps and pauses */
	Clock	   *clocks;
	int			nclocks;
} Explanation;

/* A row of the answer; zero-initialise, then fill in */
typedef struct ExplainRow
{
	MaybeTime	at;
	MaybeTime	until;
	const TicketEvent *event;	/* NULL: none */
	const Clock *clock;			/* NULL: about none */
	bool		tells_terms;	/* severity, goal and due time of the clock */
	bool		counts;			/* counted is to be told */
	int64		counted;		/* microseconds of working time */
	const char *what;
	const char *why;			/* NULL: nothing to add */
} ExplainRow;

/* ---------- explain_row.c ---------- */

/* Add a row to the answer. */
extern void explain_add(Explanation *explanation, const ExplainRow *row);

/*
 * Pieces of sentences, palloc'd: working time, an instant as the session shows
 * it, a clock's name, hours in short, a text in quotes ("none" for NULL).
 */
extern char *explain_amount(int64 usecs);
extern char *explain_instant(TimestampTz at);
extern char *explain_clock(const Clock *clock);
extern char *explain_hours(int32 hours_id, Datum hours);
extern char *explain_quoted(const char *text);

/* ---------- explain_stretch.c ---------- */

/*
 * Where a clock stands still, and why: the ticket's pauses if its target is
 * pausable, and the time between its stops and what undid them. In order of
 * time, palloc'd; reasons, if asked for, are as many.
 */
extern Pause *explain_standstills(const Explanation *explanation,
								  const Clock *clock, int *n,
								  const char ***reasons);

/* Clock after clock, what counted and what did not */
extern void explain_stretches(Explanation *explanation);

/* ---------- explain_step.c ---------- */

/* An event among the others */
typedef struct ExplainMoment
{
	Explanation *explanation;
	const FoldState *now;		/* after it */
	bool		paused;			/* was it before, */
	TimestampTz paused_at;		/* and since when? */
} ExplainMoment;

/* What a step of an event did to a clock */
extern void explain_step(const ExplainMoment *moment, const FoldStep *step,
						 const TicketEvent *event);

/* ---------- explain_event.c ---------- */

/* Event after event, what it did to which clock */
extern void explain_events(Explanation *explanation);

/* ---------- explain_cover.c ---------- */

/* How the ticket is covered */
extern void explain_cover(Explanation *explanation);

#endif							/* SLAPOLICY_EXPLAIN_H */
