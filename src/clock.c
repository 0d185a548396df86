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
 * - Events count in order of time, then of recording, receipt first. Retracted
 *   ones never happened. A ticket begins when it is received, or investigated: what was
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
 *   back. A severity that could not be told changes nothing. (That of a ticket
 *   which was opened with none is not changed but told late: see ticket.c.)
 * - A pinned due time is what it is until the clock stops.
 *
 * Knows nothing of tables, triggers and the current time.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "clock_runner.h"

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
		step->clock.due_at = clock_due_time(runner);
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

	clock->due_at = clock_due_time(runner);
	clock->worked = work_sum(clock->carried,
							 clock_work_until(runner, at, &clock->paused));
	clock->stopped = true;
	clock->stopped_at = at;
	clock->standing = runner->pausable && runner->state->paused;
	clock->outcome = at > clock->due_at ? CLOCK_BREACHED : in_time;
	if (clock->outcome != CLOCK_CANCELLED)
		clock_settle_stopped(runner);
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
	runner->meanwhile = 0;
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
 * meanwhile, even if the customer has written again since; the time in between
 * does not count.
 */
static void
continue_cycle(Runner *runner, const TicketEvent *event)
{
	runner->running = true;
	if (event->at > runner->stopped_at)
	{
		runner->gaps[runner->ngaps].from = runner->stopped_at;
		runner->gaps[runner->ngaps++].to = event->at;
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
	if (runner->running && runner->meanwhile != 0)
		stop_cycle(runner, event, pg_rightmost_one_pos32(runner->meanwhile));
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
	used = clock_work_until(runner, at, &paused);
	whole = clock_goal_work(present_timeline(runner), clock->counted_from, &old_goal);
	left = clock_aim_left(runner, used);
	clock->carried = work_sum(clock->carried, used);
	clock->counted_from = at;
	set_terms(runner, target);
	runner->aim = target->goal;
	runner->floor = DT_NOBEGIN;
	if (rule == CHANGE_CARRY && left != PG_INT64_MAX && whole != PG_INT64_MAX)
	{
		other = clock_goal_work(present_timeline(runner), at, &target->goal);
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
		if (event->at > clock_due_time(runner))
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
	/* it got there while nothing was promised, and perhaps further since */
	if (!runner->running)
	{
		EventKindSet meanwhile = runner->meanwhile;

		stop_cycle(runner, event, runner->stopped_by);
		runner->meanwhile = meanwhile;
	}
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

/* What a metric may stop on and that does not stand */
#define PASSING_KINDS \
	(EVENT_KIND_BIT(EVENT_ASSIGNED) | EVENT_KIND_BIT(EVENT_INVESTIGATED))

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
		if (event->at > (runner->has_clock ?
						 present_clock(runner)->started_at : runner->start))
		{
			stop_cycle(runner, event, event->kind);
			starts = true;
		}
	}
	else if (!runner->running && (metric->starts_on & bit))
		starts = run_start(runner, event) || starts;
	else if (!runner->running)
		runner->meanwhile |= metric->stops_on & bit &
			(ANSWER_KINDS | PASSING_KINDS);
	if (metric->stops_on & bit & (ANSWER_KINDS | EVENT_KIND_BIT(EVENT_REOPENED)))
		runner->held_back = false;

	if (starts)
		start_cycle(runner, event);
	else if (goes_on || runner->state->changed)
		change_severity(runner, event);

	if (event->kind == EVENT_PINNED)
		pin_clock(runner, event);
	runner->there = runner->there || (metric->stops_on & bit & PASSING_KINDS);
	if (runner->running && runner->promised && runner->pausable &&
		(event->kind == EVENT_PAUSED || event->kind == EVENT_RESUMED))
		note_step(runner, event, event->kind == EVENT_PAUSED ?
				  FOLD_PAUSED : FOLD_RESUMED);
}

/* ---------- the end ---------- */

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
			clock_settle_running(&runners[i]);
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
