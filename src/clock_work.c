/*
 * clock_work.c
 *		What a clock amounts to: when it is due, how much working time is used
 *		and left, when its thresholds are reached.
 *
 * Knows nothing of events, tables and the current time.
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/qunique.h"
#include "utils/timestamp.h"

#include "clock_runner.h"

void
clock_add_stretch(Pause *stretches, int *n, TimestampTz from, TimestampTz to)
{
	if (*n > 0 && stretches[*n - 1].to >= from)
		stretches[*n - 1].to = Max(stretches[*n - 1].to, to);
	else
	{
		stretches[*n].from = from;
		stretches[(*n)++].to = to;
	}
}

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

/*
 * All stretches after counted_from in which the present clock stands still, in
 * order and apart from each other, palloc'd; a pause that stands lasts for
 * ever.
 */
static Pause *
standstills(const Runner *runner, int *n)
{
	const FoldState *state = runner->state;
	TimestampTz from = present_clock(runner)->counted_from;
	Pause		standing = {state->paused_at, DT_NOEND};
	int			npauses = runner->pausable ? state->npauses : 0;
	int			nstanding = runner->pausable && state->paused ? 1 : 0;
	int			i = first_after(state->pauses, npauses, from);
	int			j = first_after(runner->gaps, runner->ngaps, from);
	Pause	   *result;

	result = palloc((npauses - i + nstanding + runner->ngaps - j + 1) *
					sizeof(Pause));
	*n = 0;
	while (i < npauses + nstanding || j < runner->ngaps)
	{
		const Pause *pause = i < npauses ? &state->pauses[i] : &standing;

		if (j == runner->ngaps ||
			(i < npauses + nstanding && pause->from <= runner->gaps[j].from))
			i++;
		else
			pause = &runner->gaps[j++];
		clock_add_stretch(result, n, pause->from, pause->to);
	}
	return result;
}

TimestampTz
clock_due_time(const Runner *runner)
{
	const Clock *clock = present_clock(runner);
	Pause	   *stretches;
	int			n;
	TimestampTz due;

	if (clock->pinned)
		return runner->pin;
	stretches = standstills(runner, &n);
	due = deadline_with_pauses(present_timeline(runner), clock->counted_from,
							   &runner->aim, stretches, n);
	if (due < runner->floor)
	{
		due = runner->floor;
		for (int i = 0; i < n; i++)
			if (stretches[i].from <= due && due < stretches[i].to)
				due = stretches[i].to;
	}
	pfree(stretches);
	return due;
}

int64
clock_work_until(const Runner *runner, TimestampTz at, int64 *paused)
{
	const Clock *clock = present_clock(runner);
	Timeline   *tl = present_timeline(runner);
	int			n;
	Pause	   *stretches = standstills(runner, &n);

	*paused = deadline_paused_work(tl, clock->counted_from, at, stretches, n);
	pfree(stretches);
	return timeline_between(tl, clock->counted_from, at) - *paused;
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

int64
clock_add_work(int64 a, int64 b)
{
	int64		sum;

	return pg_add_s64_overflow(a, b, &sum) ? PG_INT64_MAX : sum;
}

static int
compare_instants(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
}

/*
 * The instants at which a running clock reaches its alert thresholds: shares of
 * its goal, however much of that a change of severity has left, or of the
 * working time until the pin. used counts up to when it came to stand still;
 * what it has not reached by then it reaches at DT_NOEND.
 */
static void
set_warnings(Runner *runner, int64 used)
{
	Clock	   *clock = present_clock(runner);
	const PolicyTarget *target = policy_target(runner->input->version,
											   clock->severity,
											   runner->metric_index);
	Timeline   *tl = present_timeline(runner);
	Pause	   *stretches;
	int			n;
	int64		work;			/* from counted_from until it is due */
	int64		whole;

	if (target->nalerts == 0 || clock->due_at <= clock->counted_from)
		return;
	stretches = standstills(runner, &n);
	if (clock->pinned)
		n = 0;
	if (!TIMESTAMP_NOT_FINITE(clock->due_at))
		work = timeline_between(tl, clock->counted_from, clock->due_at) -
			deadline_paused_work(tl, clock->counted_from, clock->due_at,
								 stretches, n);
	else if (clock->standing && clock->remaining != PG_INT64_MAX)
		work = used + clock->remaining;
	else
		return;					/* never due */
	whole = clock->pinned ? work :
		clock_goal_work(tl, clock->counted_from, &clock->goal);
	clock->warnings = palloc(target->nalerts * sizeof(TimestampTz));
	for (int i = 0; i < target->nalerts; i++)
	{
		const PolicyAlert *alert = &target->alerts[i];
		BusinessInterval amount = {0};

		amount.time = work - (alert->fraction == 0 ? alert->before :
							  whole - (int64) ((int128) whole *
											   alert->fraction / ALERT_WHOLE));
		clock->warnings[clock->nwarnings++] = amount.time <= 0 ?
			clock->counted_from :
			deadline_with_pauses(tl, clock->counted_from, &amount,
								 stretches, n);
	}
	pfree(stretches);
	qsort(clock->warnings, clock->nwarnings, sizeof(TimestampTz),
		  compare_instants);
	clock->nwarnings = qunique(clock->warnings, clock->nwarnings,
							   sizeof(TimestampTz), compare_instants);
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
	{
		int			n;
		Pause	   *stretches = standstills(runner, &n);

		if (n > 0)
			until = stretches[n - 1].to;
		pfree(stretches);
	}
	clock->paused = 0;
	if (until > clock->counted_from)
		used = clock_work_until(runner, until, &clock->paused);
	if (clock->standing)
		clock->remaining = clock_aim_left(runner, used);
	set_warnings(runner, used);
}
