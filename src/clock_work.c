/*
 * clock_work.c
 *		What a clock amounts to: when it is due, how much working time is used
 *		and left, when its thresholds are reached.
 *
 * Knows nothing of events, tables and the current time.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "clock_runner.h"

/* The first of a number of stretches, in order and apart, that ends after an instant */
static int
first_after(const Pause *stretches, int n, TimestampTz at)
{
	int			low = 0;

	while (low < n)
	{
		int			mid = low + (n - low) / 2;

		if (stretches[mid].to > at)
			n = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Bring runner->still up to the pauses and gaps of the present clock. */
static const Standstill *
standstill(Runner *runner)
{
	const FoldState *state = runner->state;
	const Clock *clock = present_clock(runner);
	Timeline   *tl = present_timeline(runner);
	Standstill *still = &runner->still;

	if (runner->still_nclocks != runner->nclocks ||
		runner->still_hours_id != clock->hours_id ||
		runner->still_pausable != runner->pausable ||
		still->start != clock->counted_from)
	{
		standstill_begin(still, clock->counted_from);
		runner->still_nclocks = runner->nclocks;
		runner->still_hours_id = clock->hours_id;
		runner->still_pausable = runner->pausable;
		runner->still_npauses = first_after(state->pauses, state->npauses,
											clock->counted_from);
		runner->still_ngaps = first_after(runner->gaps, runner->ngaps,
										  clock->counted_from);
	}

	/* the last pause may have been gone on with */
	if (runner->still_npauses > 0 &&
		(runner->still_npauses > state->npauses ||
		 state->pauses[runner->still_npauses - 1].to != runner->still_to))
		runner->still_npauses--;
	while (true)
	{
		const Pause *pause = NULL;

		if (runner->pausable && runner->still_npauses < state->npauses)
			pause = &state->pauses[runner->still_npauses];
		if (runner->still_ngaps < runner->ngaps &&
			(pause == NULL ||
			 runner->gaps[runner->still_ngaps].to <= pause->to))
			pause = &runner->gaps[runner->still_ngaps++];
		else if (pause != NULL)
		{
			runner->still_to = pause->to;
			runner->still_npauses++;
		}
		else
			break;
		standstill_add(still, tl, pause->from, pause->to);
	}
	still->open_since = runner->pausable && state->paused ?
		state->paused_at : DT_NOEND;
	return still;
}

TimestampTz
clock_due_time(Runner *runner)
{
	const Standstill *still;
	TimestampTz due;

	if (present_clock(runner)->pinned)
		return runner->pin;
	still = standstill(runner);
	due = standstill_deadline(still, present_timeline(runner), &runner->aim);
	return due < runner->floor ? standstill_end(still, runner->floor) : due;
}

int64
clock_work_until(Runner *runner, TimestampTz at, int64 *paused)
{
	Timeline   *tl = present_timeline(runner);

	*paused = standstill_taken(standstill(runner), tl, at);
	return timeline_between(tl, present_clock(runner)->counted_from, at) -
		*paused;
}

int64
clock_goal_work(Timeline *tl, TimestampTz from, const BusinessInterval *goal)
{
	TimestampTz due = deadline_add(tl, from, goal);

	return due == DT_NOEND ? PG_INT64_MAX : timeline_between(tl, from, due);
}

int64
clock_aim_left(const Runner *runner, int64 used)
{
	int64		aim = clock_goal_work(present_timeline(runner),
								present_clock(runner)->counted_from,
								&runner->aim);

	return aim == PG_INT64_MAX ? aim : Max(aim - used, 0);
}

/* By instant, then in the order of the target */
static int
compare_warnings(const void *a, const void *b)
{
	const ClockWarning *x = a;
	const ClockWarning *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->alert > y->alert) - (x->alert < y->alert);
}

/*
 * The instants at which a clock reaches its alert thresholds: shares of its
 * goal, however much of that a change of severity has left, or of the working
 * time until the pin. used counts up to when it came to stand still; what it
 * has not reached by then it reaches at DT_NOEND.
 */
static void
set_warnings(Runner *runner, int64 used)
{
	Clock	   *clock = present_clock(runner);
	const PolicyTarget *target = policy_target(runner->input->version,
											   clock->severity,
											   runner->metric_index);
	Timeline   *tl = present_timeline(runner);
	const Standstill *still = standstill(runner);
	int64		work;			/* from counted_from until it is due */
	int64		whole;

	clock->nwarnings = 0;
	if (target->nalerts == 0 || clock->due_at <= clock->counted_from)
		return;
	if (!TIMESTAMP_NOT_FINITE(clock->due_at))
	{
		work = timeline_between(tl, clock->counted_from, clock->due_at);
		if (!clock->pinned)
			work -= standstill_taken(still, tl, clock->due_at);
	}
	else if (clock->standing && clock->remaining != PG_INT64_MAX)
		work = used + clock->remaining;
	else
		return;					/* never due */
	whole = clock->pinned ? work :
		clock_goal_work(tl, clock->counted_from, &clock->goal);
	clock->warnings = palloc(target->nalerts * sizeof(ClockWarning));
	for (int i = 0; i < target->nalerts; i++)
	{
		const PolicyAlert *alert = &target->alerts[i];
		BusinessInterval amount = {0};

		amount.time = work - (alert->fraction == 0 ? alert->before :
							  whole - (int64) ((int128) whole *
											   alert->fraction / ALERT_WHOLE));
		clock->warnings[i].alert = alert;
		clock->warnings[i].at = amount.time <= 0 ?
			clock->counted_from : clock->pinned ?
			deadline_add(tl, clock->counted_from, &amount) :
			standstill_deadline(still, tl, &amount);
	}
	clock->nwarnings = target->nalerts;
	qsort(clock->warnings, clock->nwarnings, sizeof(ClockWarning),
		  compare_warnings);
}

void
clock_settle_stopped(Runner *runner)
{
	Clock	   *clock = present_clock(runner);
	int64		used = 0;
	int64		paused;

	/* what is left when it stands still says what it had reached by then */
	if (clock->standing && clock->due_at == DT_NOEND)
	{
		TimestampTz since = Max(runner->state->paused_at, clock->counted_from);

		used = clock_work_until(runner, since, &paused);
		clock->remaining = clock_aim_left(runner, used);
	}
	set_warnings(runner, used);
	while (clock->nwarnings > 0 &&
		   clock->warnings[clock->nwarnings - 1].at >= clock->stopped_at)
		clock->nwarnings--;
}

void
clock_settle_running(Runner *runner)
{
	Clock	   *clock = present_clock(runner);
	const FoldState *state = runner->state;
	TimestampTz until = DT_NOBEGIN;
	int64		used = 0;

	clock->due_at = clock_due_time(runner);
	clock->standing = runner->pausable && state->paused;
	if (clock->standing)
	{
		clock->paused_at = Max(state->paused_at, clock->counted_from);
		until = clock->paused_at;
	}
	else
		until = standstill_last_end(standstill(runner));
	clock->paused = 0;
	if (until > clock->counted_from)
		used = clock_work_until(runner, until, &clock->paused);
	if (clock->standing)
		clock->remaining = clock_aim_left(runner, used);
	set_warnings(runner, used);
}
