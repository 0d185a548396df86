/*
 * clock.h
 *		The fold: what happened to a ticket in, its clocks out.
 *
 * Pure: the policy, the events and the calendars they name decide, nothing
 * else. No tables, no current time.
 */
#ifndef SLAPOLICY_CLOCK_H
#define SLAPOLICY_CLOCK_H

#include "slapolicy.h"
#include "business_interval.h"
#include "fold_state.h"
#include "nodes/pg_list.h"
#include "policy.h"

typedef enum ClockOutcome
{
	CLOCK_RUNNING,
	CLOCK_MET,
	CLOCK_BREACHED,
	CLOCK_CANCELLED,
	CLOCK_EXEMPT				/* has stopped or not */
} ClockOutcome;

/* When a threshold of a clock is reached */
typedef struct ClockWarning
{
	const PolicyAlert *alert;	/* owned by the policy version */
	TimestampTz at;				/* DT_NOEND: not while it stands still */
} ClockWarning;

/* A promise made to a ticket and what became of it */
typedef struct Clock
{
	const char *metric;			/* owned by the policy version */
	int32		cycle;			/* from 1 */
	Severity	severity;
	BusinessInterval goal;
	int32		hours_id;
	Datum		hours;			/* owned by the policy version or the input */
	TimestampTz started_at;
	TimestampTz counted_from;	/* started_at, unless a change counts anew */
	int64		carried;		/* working time used before counted_from */
	TimestampTz due_at;			/* DT_NOEND: paused, or never accumulates */
	bool		stopped;
	TimestampTz stopped_at;		/* meaningless unless stopped */
	int64		worked;			/* microseconds, meaningless unless stopped */
	int64		paused;			/* working time since counted_from that did not
								 * count, without a pause that stands */
	bool		standing;		/* runs, but stands still since paused_at */
	TimestampTz paused_at;
	int64		remaining;		/* working time left then, PG_INT64_MAX: never
								 * accumulates; meaningless unless standing */
	bool		pinned;
	ClockOutcome outcome;
	int			nwarnings;		/* thresholds but the breach, in the order of */
	ClockWarning *warnings;		/* their instants, palloc'd; of one that has
								 * stopped those it reached before */
} Clock;

/* What a step of the fold did to a clock, for explanations */
typedef enum FoldAction
{
	FOLD_STARTED,
	FOLD_STOPPED,
	FOLD_CANCELLED,
	FOLD_CONTINUED,
	FOLD_PAUSED,
	FOLD_RESUMED,
	FOLD_REAIMED,
	FOLD_LATE,					/* a change came too late to count */
	FOLD_PINNED,
	FOLD_UNPINNED
} FoldAction;

typedef struct FoldStep
{
	TicketEvent event;			/* what caused it */
	FoldAction	action;
	Clock		clock;			/* as it is afterwards */
} FoldStep;

/* Time between the stop of a cycle and what undid it, for explanations */
typedef struct FoldGap
{
	const char *metric;
	int32		cycle;			/* of the clock that it has or gets */
	EventKind	stopped_by;
	TimestampTz from;
	TimestampTz to;
} FoldGap;

/* What the fold is about; zero-initialise, then fill in */
typedef struct FoldInput
{
	const PolicyVersion *version;
	int32		hours_id;		/* hours that stand for those of all targets; */
	Datum		hours;			/* 0: none do */
	const char *channel;		/* NULL: none */
	bool		exempt;
	const TicketEvent *events;	/* in any order; retracted ones do not count */
	int			nevents;
	bool		explain;		/* fill in what follows */
	List	   *steps;			/* out: of palloc'd FoldStep */
	List	   *gaps;			/* out: of palloc'd FoldGap */
	Pause	   *pauses;			/* out: the ticket's, palloc'd; */
	int			npauses;		/* one that stands ends at DT_NOEND */
} FoldInput;

/*
 * Fold events into clocks. Returns their number, *clocks is palloc'd. The
 * answer refers to the memory of the version and the events. Raises only what
 * a calendar raises.
 */
extern int	clock_fold(FoldInput *input, Clock **clocks);

/* Text of sla.clock.outcome; NULL while running */
extern const char *clock_outcome_text(ClockOutcome outcome);

#endif							/* SLAPOLICY_CLOCK_H */
