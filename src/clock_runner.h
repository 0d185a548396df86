/*
 * clock_runner.h
 *		One metric's clocks while a ticket is folded: what clock.c, which knows
 *		the events, and clock_work.c, which knows working time, share.
 */
#ifndef SLAPOLICY_CLOCK_RUNNER_H
#define SLAPOLICY_CLOCK_RUNNER_H

#include "clock.h"
#include "standstill.h"
#include "timeline_cache.h"

/*
 * One metric's clocks on their way through the events. A cycle runs from what
 * starts it to what stops it, whether anything is promised or not; a clock it
 * has from when something is.
 */
typedef struct Runner
{
	FoldInput  *input;
	const FoldState *state;
	int			metric_index;
	const PolicyMetric *metric;
	bool		there;			/* what it stops on has happened, of a kind that
								 * does not stand */
	bool		held_back;		/* starts when the ticket is reopened */
	int			nclocks;
	Clock	   *clocks;			/* of all cycles, that of the present one last */
	int			room;

	/* the present cycle */
	bool		exists;
	bool		opens;			/* began with the ticket */
	bool		running;
	bool		has_clock;		/* something is or was promised */
	bool		promised;		/* now */
	TimestampTz start;			/* when the event that started it happened */
	EventKind	stopped_by;		/* meaningless while it runs, like the next two */
	TimestampTz stopped_at;
	EventKindSet meanwhile;		/* what else it stops on has happened since */
	Pause	   *gaps;			/* stretches between stop and continuation */
	int			ngaps;

	/* when its clock stands still, as far as was asked; clock_work.c's own */
	Standstill	still;
	int			still_nclocks;	/* for which clock and what terms of it */
	int32		still_hours_id;
	bool		still_pausable;
	int			still_npauses;	/* of the ticket, that are in */
	TimestampTz still_to;		/* the end of the last of these */
	int			still_ngaps;

	/* its clock, while anything is promised */
	bool		pausable;
	BusinessInterval aim;		/* what is due, counted from counted_from */
	TimestampTz floor;			/* not due before; DT_NOBEGIN: no limit */
	TimestampTz pin;
} Runner;

static inline Clock *
present_clock(const Runner *runner)
{
	return &runner->clocks[runner->nclocks - 1];
}

static inline Timeline *
present_timeline(const Runner *runner)
{
	return timeline_get(NULL, present_clock(runner)->hours);
}

/* When the present clock is due as things stand */
extern TimestampTz clock_due_time(Runner *runner);

/* Working time since counted_from up to an instant; *paused what did not count */
extern int64 clock_work_until(Runner *runner, TimestampTz at,
							  int64 *paused);

/* Working time of a goal from an instant; PG_INT64_MAX: never accumulates */
extern int64 clock_goal_work(Timeline *tl, TimestampTz from,
							 const BusinessInterval *goal);

/*
 * What is left of the present clock's aim when that much of it is used;
 * PG_INT64_MAX: it never accumulates.
 */
extern int64 clock_aim_left(const Runner *runner, int64 used);

/* The thresholds that the present clock, which has just stopped, had reached */
extern void clock_settle_stopped(Runner *runner);

/* Where a clock that still runs stands when nothing more is known */
extern void clock_settle_running(Runner *runner);

#endif							/* SLAPOLICY_CLOCK_RUNNER_H */
