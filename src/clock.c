/*
 * clock.c
 *		Folds the events of a ticket into its clocks.
 *
 * The one place that knows what starts, stops, moves and ends a promise.
 * Triggers and everything that explains, recomputes or simulates call it with
 * all events of a ticket; nothing is carried over from an earlier call, so
 * events that are recorded late or out of order fold to the right answer.
 *
 * Rules:
 * - Events count in order of time, then of recording. Retracted ones never
 *   happened. A ticket begins when it is received, or investigated: what was
 *   before has happened by then.
 * - A cycle starts at an event its metric starts on, when none of that metric
 *   runs, and stops at one its metric stops on. `opened` starts a cycle even if
 *   the ticket has got there before, and it stops at once; what else starts a
 *   cycle does not when there is nothing left to do. Receipt is the customer's
 *   first turn; a message before it was answered is no other one. What a resolved
 *   ticket would have started starts when it is reopened.
 * - An event the metric restarts on stops the cycle and starts the next one.
 * - A cycle has a clock from when anything is promised to the severity in force.
 *   Exactly at the due time is in time.
 * - Due is the goal in working time after the start, around the pauses of the
 *   ticket if the target is pausable, and around the time between resolving
 *   and reopening.
 * - A change of severity aims a running clock anew by the policy's rule, but
 *   not before the change itself; a clock that is already late stays late.
 *   Where the new severity promises nothing the clock is cancelled, though its
 *   cycle goes on; where the old one promised nothing a clock begins, or comes
 *   back. A severity that could not be told changes nothing.
 * - A pinned due time is what it is until the clock stops.
 *
 * Knows nothing of tables, triggers and the current time.
 */
#include "postgres.h"

#include "common/int.h"
#include "lib/qunique.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "clock.h"
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
	EventKind	stopped_by;		/* meaningless while it runs, like the next */
	TimestampTz stopped_at;
	Pause	   *gaps;			/* stretches between stop and continuation */
	int			ngaps;

	/* its clock, while anything is promised */
	bool		pausable;
	BusinessInterval aim;		/* what is due, counted from counted_from */
	TimestampTz floor;			/* not due before; DT_NOBEGIN: no limit */
	TimestampTz pin;
} Runner;

static Clock *
present_clock(const Runner *runner)
{
	return &runner->clocks[runner->nclocks - 1];
}

static Timeline *
present_timeline(const Runner *runner)
{
	return timeline_get(NULL, present_clock(runner)->hours);
}

/* ---------- stretches that do not count ---------- */

static void
add_stretch(Pause *stretches, int *n, TimestampTz from, TimestampTz to)
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
		add_stretch(result, n, pause->from, pause->to);
	}
	return result;
}

/* ---------- what a clock amounts to ---------- */

/* When the present clock is due as things stand */
static TimestampTz
due_time(const Runner *runner)
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

/* Working time since counted_from up to an instant; *paused what did not count */
static int64
work_until(const Runner *runner, TimestampTz at, int64 *paused)
{
	const Clock *clock = present_clock(runner);
	Timeline   *tl = present_timeline(runner);
	int			n;
	Pause	   *stretches = standstills(runner, &n);

	*paused = deadline_paused_work(tl, clock->counted_from, at, stretches, n);
	pfree(stretches);
	return timeline_between(tl, clock->counted_from, at) - *paused;
}

/* Working time of a goal from an instant; PG_INT64_MAX: never accumulates */
static int64
goal_work(Timeline *tl, TimestampTz from, const BusinessInterval *goal)
{
	TimestampTz due = deadline_add(tl, from, goal);

	return due == DT_NOEND ? PG_INT64_MAX : timeline_between(tl, from, due);
}

/*
 * What is left of the present clock's aim when that much of it is used;
 * PG_INT64_MAX: it never accumulates.
 */
static int64
aim_left(const Runner *runner, int64 used)
{
	int64		aim = goal_work(present_timeline(runner),
								present_clock(runner)->counted_from,
								&runner->aim);

	return aim == PG_INT64_MAX ? aim : Max(aim - used, 0);
}

/* The sum of amounts of working time, as far as it goes */
static int64
add_work(int64 a, int64 b)
{
	int64		sum;

	return pg_add_s64_overflow(a, b, &sum) ? PG_INT64_MAX : sum;
}

/* ---------- steps ---------- */

static void
note_step(Runner *runner, const TicketEvent *event, FoldAction action)
{
	FoldStep   *step;

	if (!runner->input->explain)
		return;
	step = palloc(sizeof(FoldStep));
	step->event = *event;
	step->action = action;
	step->clock = *present_clock(runner);
	if (!step->clock.stopped)
		step->clock.due_at = due_time(runner);
	runner->input->steps = lappend(runner->input->steps, step);
}

static void
note_gap(Runner *runner, TimestampTz until)
{
	FoldGap    *gap;

	if (!runner->input->explain)
		return;
	gap = palloc(sizeof(FoldGap));
	gap->metric = runner->metric->name;
	gap->cycle = runner->nclocks + (runner->has_clock ? 0 : 1);
	gap->stopped_by = runner->stopped_by;
	gap->from = runner->stopped_at;
	gap->to = until;
	runner->input->gaps = lappend(runner->input->gaps, gap);
}

/* ---------- starting and stopping ---------- */

/* What is promised under the severity in force; NULL: nothing */
static const PolicyTarget *
promise(const Runner *runner)
{
	const PolicyTarget *target;

	if (runner->state->effective == 0)
		return NULL;
	target = policy_target(runner->input->version, runner->state->effective,
						   runner->metric_index);
	return target->present && target->has_goal ? target : NULL;
}

static void
set_terms(Runner *runner, const PolicyTarget *target)
{
	Clock	   *clock = present_clock(runner);

	clock->severity = runner->state->effective;
	clock->goal = target->goal;
	clock->hours_id = runner->input->hours_id != 0 ?
		runner->input->hours_id : target->hours_id;
	clock->hours = runner->input->hours_id != 0 ?
		runner->input->hours : target->hours;
	runner->pausable = target->pausable;
}

/* The clock ends at an instant; late is late whatever ended it. */
static void
stop_clock(Runner *runner, const TicketEvent *event, ClockOutcome in_time)
{
	Clock	   *clock = present_clock(runner);
	TimestampTz at = Max(event->at, clock->counted_from);

	clock->due_at = due_time(runner);
	clock->worked = add_work(clock->carried,
							 work_until(runner, at, &clock->paused));
	clock->stopped = true;
	clock->stopped_at = at;
	clock->standing = runner->pausable && runner->state->paused;
	clock->outcome = at > clock->due_at ? CLOCK_BREACHED : in_time;
	note_step(runner, event,
			  in_time == CLOCK_CANCELLED ? FOLD_CANCELLED : FOLD_STOPPED);
}

/* The cycle ends at an event, because of something of a kind. */
static void
stop_cycle(Runner *runner, const TicketEvent *event, EventKind kind)
{
	TicketEvent cause = *event;

	runner->running = false;
	runner->stopped_by = kind;
	runner->stopped_at = event->at;
	cause.kind = kind;
	if (runner->promised)
		stop_clock(runner, &cause, EVENT_KIND_BIT(kind) & ENDED_KINDS ?
				   CLOCK_CANCELLED : CLOCK_MET);
}

/*
 * Stop the cycle at once when the ticket already is where it has to get, or is
 * gone.
 */
static void
stop_if_reached(Runner *runner, const TicketEvent *event)
{
	EventKindSet met = runner->state->reached & runner->metric->stops_on;
	EventKindSet ended = runner->state->reached & ENDED_KINDS;

	if (met != 0 || ended != 0)
		stop_cycle(runner, event,
				   pg_rightmost_one_pos32(met != 0 ? met : ended));
}

/*
 * Give the present cycle a clock under what is promised now, started at an
 * instant and not due before another.
 */
static void
begin_clock(Runner *runner, const PolicyTarget *target,
			TimestampTz started_at, TimestampTz floor)
{
	Clock	   *clock;

	if (runner->nclocks == runner->room)
	{
		runner->room = Max(runner->room * 2, 1);
		runner->clocks = runner->clocks == NULL ?
			palloc(runner->room * sizeof(Clock)) :
			repalloc(runner->clocks, runner->room * sizeof(Clock));
	}
	runner->nclocks++;
	clock = present_clock(runner);
	memset(clock, 0, sizeof(*clock));
	clock->metric = runner->metric->name;
	clock->cycle = runner->nclocks;
	clock->started_at = clock->counted_from = started_at;
	clock->outcome = CLOCK_RUNNING;
	set_terms(runner, target);
	runner->aim = target->goal;
	runner->floor = floor;
	runner->has_clock = runner->promised = true;
}

static void
start_cycle(Runner *runner, const TicketEvent *event)
{
	const PolicyTarget *target = promise(runner);

	runner->exists = runner->running = true;
	runner->opens = runner->opens || event->kind == EVENT_OPENED;
	runner->has_clock = runner->promised = false;
	runner->start = event->at;
	runner->ngaps = 0;
	runner->held_back = false;
	if (target != NULL)
	{
		begin_clock(runner, target, event->at, DT_NOBEGIN);
		note_step(runner, event, FOLD_STARTED);
	}
	stop_if_reached(runner, event);
	if (runner->running && event->kind == EVENT_OPENED && runner->there)
		stop_cycle(runner, event, EVENT_ASSIGNED);
}

/*
 * What stopped goes on at the event, unless the ticket has got there
 * meanwhile; the time in between does not count.
 */
static void
continue_cycle(Runner *runner, const TicketEvent *event)
{
	runner->running = true;
	if (event->at > runner->stopped_at)
	{
		add_stretch(runner->gaps, &runner->ngaps, runner->stopped_at, event->at);
		note_gap(runner, event->at);
	}
	if (runner->promised)
	{
		Clock	   *clock = present_clock(runner);

		clock->stopped = clock->standing = clock->pinned = false;
		clock->outcome = CLOCK_RUNNING;
		note_step(runner, event, FOLD_CONTINUED);
	}
	stop_if_reached(runner, event);
}

/* ---------- changes of severity ---------- */

/*
 * What is left of a goal becomes the same share of another one; microseconds
 * of working time, rounded.
 */
static int64
same_share(int64 left, int64 whole, int64 other)
{
	if (whole <= 0)
		return 0;
	return (int64) (((int128) left * other + whole / 2) / whole);
}

/* Aim the present clock by what its new severity promises, from an instant. */
static void
aim_anew(Runner *runner, const PolicyTarget *target, TimestampTz at)
{
	Clock	   *clock = present_clock(runner);
	SeverityChangeRule rule = runner->input->version->severity_change;
	BusinessInterval old_goal = clock->goal;
	int64		paused;
	int64		used;
	int64		whole;
	int64		left;
	int64		other;

	if (rule == CHANGE_FROM_START)
	{
		set_terms(runner, target);
		runner->aim = target->goal;
		runner->floor = at;
		return;
	}

	at = Max(at, clock->counted_from);
	used = work_until(runner, at, &paused);
	whole = goal_work(present_timeline(runner), clock->counted_from, &old_goal);
	left = aim_left(runner, used);
	clock->carried = add_work(clock->carried, used);
	clock->counted_from = at;
	set_terms(runner, target);
	runner->aim = target->goal;
	runner->floor = DT_NOBEGIN;
	if (rule == CHANGE_CARRY && left != PG_INT64_MAX && whole != PG_INT64_MAX)
	{
		other = goal_work(present_timeline(runner), at, &target->goal);
		if (other != PG_INT64_MAX)
		{
			runner->aim.days = 0;
			runner->aim.time = same_share(left, whole, other);
		}
	}
}

/*
 * Another severity is in force than before, or than when the present cycle came
 * to stand still.
 */
static void
change_severity(Runner *runner, const TicketEvent *event)
{
	const PolicyTarget *target = promise(runner);
	Clock	   *clock = runner->has_clock ? present_clock(runner) : NULL;

	if (!runner->exists || runner->state->effective == 0)
		return;
	if (runner->promised)
	{
		if (!runner->running || clock->severity == runner->state->effective)
			return;
		if (event->at > due_time(runner))
		{
			note_step(runner, event, FOLD_LATE);
			return;
		}
		if (target == NULL)
		{
			TicketEvent cause = *event;

			cause.kind = EVENT_SEVERITY;	/* a product's cap is one, too */
			stop_clock(runner, &cause, CLOCK_CANCELLED);
			runner->promised = false;
			return;
		}
		aim_anew(runner, target, event->at);
		note_step(runner, event, FOLD_REAIMED);
		return;
	}

	/* what was over without a promise is past, except for the ticket's own */
	if (target == NULL ||
		(!runner->running && clock == NULL && !runner->opens))
		return;
	if (clock == NULL)
	{
		begin_clock(runner, target,
					runner->input->version->severity_change == CHANGE_FROM_START ?
					runner->start : event->at, event->at);
		note_step(runner, event, FOLD_STARTED);
	}
	else
	{
		clock->stopped = clock->standing = false;
		clock->outcome = CLOCK_RUNNING;
		runner->promised = true;
		aim_anew(runner, target, event->at);
		note_step(runner, event, FOLD_REAIMED);
	}
	/* it got there while nothing was promised */
	if (!runner->running)
		stop_cycle(runner, event, runner->stopped_by);
}

/* ---------- one event ---------- */

static void
pin_clock(Runner *runner, const TicketEvent *event)
{
	Clock	   *clock;

	if (!runner->running || !runner->promised || event->old_value == NULL ||
		strcmp(event->old_value, runner->metric->name) != 0)
		return;
	clock = present_clock(runner);
	clock->pinned = event->value != NULL;
	if (clock->pinned)
		runner->pin = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
															  CStringGetDatum(event->value),
															  ObjectIdGetDatum(InvalidOid),
															  Int32GetDatum(-1)));
	note_step(runner, event, clock->pinned ? FOLD_PINNED : FOLD_UNPINNED);
}

/*
 * The ticket is open again: what its end stopped goes on. True when a cycle
 * has to start instead: by the policy's rule, or because one was held back.
 */
static bool
run_reopening(Runner *runner, const TicketEvent *event, bool *goes_on)
{
	EventKindSet undone = event->kind == EVENT_RESTORED ?
		EVENT_KIND_BIT(EVENT_DELETED) :
		EVENT_KIND_BIT(EVENT_RESOLVED) | EVENT_KIND_BIT(EVENT_CANCELLED) |
		EVENT_KIND_BIT(EVENT_MERGED);
	EventKindSet stops = runner->metric->stops_on;

	if (runner->exists && !runner->running &&
		(undone & EVENT_KIND_BIT(runner->stopped_by)))
	{
		if (runner->stopped_by == EVENT_RESOLVED &&
			runner->input->version->reopening == REOPENING_RESTART &&
			(runner->promised || !runner->has_clock))
			return true;
		continue_cycle(runner, event);
		*goes_on = true;
	}
	return runner->held_back && !runner->running &&
		!(stops & EVENT_KIND_BIT(event->kind)) &&
		!(runner->state->reached & (stops | ENDED_KINDS));
}

/*
 * Does an event that the metric starts on start a cycle, while none runs? If
 * it does not because the ticket is resolved or gone, it will.
 */
static bool
run_start(Runner *runner, const TicketEvent *event)
{
	EventKindSet reached = runner->state->reached;
	EventKindSet stops = runner->metric->stops_on;

	if (event->kind == EVENT_OPENED)
		return true;
	if (event->kind == EVENT_CUSTOMER_REPLIED && !runner->state->new_turn)
		return false;
	if (!(reached & (stops | ENDED_KINDS)))
		return true;
	runner->held_back = runner->held_back || !(reached & stops & ANSWER_KINDS);
	return false;
}

static void
run_event(Runner *runner, const TicketEvent *event)
{
	EventKindSet bit = EVENT_KIND_BIT(event->kind);
	const PolicyMetric *metric = runner->metric;
	bool		starts = false;
	bool		goes_on = false;

	if (event->kind == EVENT_REOPENED || event->kind == EVENT_RESTORED)
		starts = run_reopening(runner, event, &goes_on);
	if (runner->running && ((metric->stops_on | ENDED_KINDS) & bit))
		stop_cycle(runner, event, event->kind);
	else if (runner->running && (metric->restarts_on & bit))
	{
		if (event->at > runner->start)
		{
			stop_cycle(runner, event, event->kind);
			starts = true;
		}
	}
	else if (!runner->running && (metric->starts_on & bit))
		starts = run_start(runner, event) || starts;
	if (metric->stops_on & bit & (ANSWER_KINDS | EVENT_KIND_BIT(EVENT_REOPENED)))
		runner->held_back = false;

	if (starts)
		start_cycle(runner, event);
	else if (goes_on || runner->state->changed)
		change_severity(runner, event);

	if (event->kind == EVENT_PINNED)
		pin_clock(runner, event);
	runner->there = runner->there ||
		(metric->stops_on & bit & (EVENT_KIND_BIT(EVENT_ASSIGNED) |
								   EVENT_KIND_BIT(EVENT_INVESTIGATED)));
	if (runner->running && runner->promised && runner->pausable &&
		(event->kind == EVENT_PAUSED || event->kind == EVENT_RESUMED))
		note_step(runner, event, event->kind == EVENT_PAUSED ?
				  FOLD_PAUSED : FOLD_RESUMED);
}

/* ---------- the end ---------- */

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
		goal_work(tl, clock->counted_from, &clock->goal);
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

/* Where a clock that still runs stands when nothing more is known */
static void
settle_running(Runner *runner)
{
	Clock	   *clock = present_clock(runner);
	const FoldState *state = runner->state;
	TimestampTz until = DT_NOBEGIN;
	int64		used = 0;

	clock->due_at = due_time(runner);
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
		used = work_until(runner, until, &clock->paused);
	if (clock->standing)
		clock->remaining = aim_left(runner, used);
	set_warnings(runner, used);
}

int
clock_fold(FoldInput *input, Clock **clocks)
{
	const PolicyVersion *version = input->version;
	ChannelCounts counts = policy_channel_counts(version, input->channel);
	int			nmetrics = counts == COUNTS_NEVER ? 0 : version->nmetrics;
	Runner	   *runners = palloc0(Max(nmetrics, 1) * sizeof(Runner));
	FoldState	state;
	TicketEvent *events;
	int			nevents;
	int			total = 0;

	events = fold_events(input->events, input->nevents, &nevents);
	if (counts == COUNTS_FROM_INVESTIGATION)
		nevents = fold_begin_with(events, nevents, EVENT_INVESTIGATED);
	nevents = fold_begin_with(events, nevents, EVENT_OPENED);
	fold_state_init(&state, version, nevents);
	for (int i = 0; i < nmetrics; i++)
	{
		runners[i].input = input;
		runners[i].state = &state;
		runners[i].metric_index = i;
		runners[i].metric = &version->metrics[i];
		runners[i].gaps = palloc(Max(nevents, 1) * sizeof(Pause));
	}
	for (int e = 0; e < nevents; e++)
	{
		fold_state_advance(&state, &events[e]);
		for (int i = 0; i < nmetrics; i++)
			run_event(&runners[i], &events[e]);
	}

	for (int i = 0; i < nmetrics; i++)
	{
		if (runners[i].running && runners[i].promised)
			settle_running(&runners[i]);
		total += runners[i].nclocks;
	}
	*clocks = palloc(Max(total, 1) * sizeof(Clock));
	total = 0;
	for (int i = 0; i < nmetrics; i++)
	{
		memcpy(*clocks + total, runners[i].clocks,
			   runners[i].nclocks * sizeof(Clock));
		total += runners[i].nclocks;
	}
	for (int i = 0; i < total && input->exempt; i++)
		(*clocks)[i].outcome = CLOCK_EXEMPT;
	if (input->explain)
	{
		input->npauses = state.npauses;
		input->pauses = palloc((state.npauses + 1) * sizeof(Pause));
		memcpy(input->pauses, state.pauses, state.npauses * sizeof(Pause));
		if (state.paused)
		{
			input->pauses[input->npauses].from = state.paused_at;
			input->pauses[input->npauses++].to = DT_NOEND;
		}
	}
	fold_state_free(&state);
	return total;
}

const char *
clock_outcome_text(ClockOutcome outcome)
{
	switch (outcome)
	{
		case CLOCK_RUNNING:
			return NULL;
		case CLOCK_MET:
			return "met";
		case CLOCK_BREACHED:
			return "breached";
		case CLOCK_CANCELLED:
			return "cancelled";
		case CLOCK_EXEMPT:
			return "exempt";
	}
	pg_unreachable();
}
