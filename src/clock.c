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
 *   happened.
 * - A clock starts at an event its metric starts on, when none of that metric
 *   runs, and stops at one its metric stops on; exactly at the due time is in
 *   time. `opened` starts a clock even if the ticket has got there before, and
 *   the clock stops at once; what else starts a clock does not when there is
 *   nothing left to do. Receipt is the customer's first turn; a message before
 *   it was answered is no other one. What a resolved ticket would have started starts when
 *   it is reopened.
 * - An event the metric restarts on stops the clock and starts the next one.
 * - Due is the goal in working time after the start, around the pauses of the
 *   ticket if the target is pausable, and around the time between resolving
 *   and reopening.
 * - A change of severity aims a running clock anew by the policy's rule, but
 *   not before the change itself; a clock that is already late stays late.
 *   Where the new severity promises nothing the clock is cancelled; where the
 *   old one promised nothing a clock begins. A severity that could not be told
 *   changes nothing.
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

/* One metric's clocks on their way through the events */
typedef struct Runner
{
	FoldInput  *input;
	const FoldState *state;
	int			metric_index;
	const PolicyMetric *metric;
	bool		opened;			/* `opened` was seen */
	bool		waiting;		/* started, but nothing is promised yet */
	bool		suppressed;		/* starts when the ticket is reopened */
	TimestampTz start;			/* when the event that starts it happened */
	int			ncycles;
	Clock	   *clocks;			/* all cycles, the last one the present */
	int			room;

	/* of the present cycle */
	bool		exists;
	bool		running;
	bool		pausable;
	EventKind	stopped_by;
	BusinessInterval aim;		/* what is due, counted from counted_from */
	TimestampTz floor;			/* not due before; DT_NOBEGIN: no limit */
	TimestampTz pin;
	Pause	   *gaps;			/* stretches between stop and continuation */
	int			ngaps;
} Runner;

static Clock *
present_clock(const Runner *runner)
{
	return &runner->clocks[runner->ncycles - 1];
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

/*
 * All stretches in which the present clock stands still, in order and apart
 * from each other, palloc'd; a pause that stands lasts for ever.
 */
static Pause *
standstills(const Runner *runner, int *n)
{
	const FoldState *state = runner->state;
	int			npauses = runner->pausable ? state->npauses : 0;
	Pause	   *result = palloc((npauses + runner->ngaps + 1) * sizeof(Pause));
	int			i = 0,
				j = 0;

	*n = 0;
	while (i < npauses || j < runner->ngaps)
	{
		const Pause *next;

		if (j == runner->ngaps ||
			(i < npauses && state->pauses[i].from <= runner->gaps[j].from))
			next = &state->pauses[i++];
		else
			next = &runner->gaps[j++];
		add_stretch(result, n, next->from, next->to);
	}
	if (runner->pausable && state->paused)
		add_stretch(result, n, state->paused_at, DT_NOEND);
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
	if (runner->running)
		step->clock.due_at = due_time(runner);
	runner->input->steps = lappend(runner->input->steps, step);
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
stop_clock(Runner *runner, const TicketEvent *event, TimestampTz at,
		   ClockOutcome in_time)
{
	Clock	   *clock = present_clock(runner);

	at = Max(at, clock->started_at);
	clock->due_at = due_time(runner);
	clock->worked = clock->carried +
		work_until(runner, Max(at, clock->counted_from), &clock->paused);
	clock->stopped = true;
	clock->stopped_at = at;
	clock->outcome = at > clock->due_at ? CLOCK_BREACHED : in_time;
	runner->running = false;
	runner->stopped_by = event->kind;
	note_step(runner, event,
			  in_time == CLOCK_CANCELLED ? FOLD_CANCELLED : FOLD_STOPPED);
}

/*
 * Stop the clock at once when the ticket already is where it has to get, or is
 * gone.
 */
static void
stop_if_reached(Runner *runner, const TicketEvent *event, TimestampTz at)
{
	EventKindSet met = runner->state->reached & runner->metric->stops_on;
	EventKindSet ended = runner->state->reached & ENDED_KINDS;
	TicketEvent cause;

	if (met == 0 && ended == 0)
		return;
	cause = *event;
	cause.kind = pg_rightmost_one_pos32(met != 0 ? met : ended);
	stop_clock(runner, &cause, at, met != 0 ? CLOCK_MET : CLOCK_CANCELLED);
}

/*
 * Begin a cycle if anything is promised; changed_at is when that came about,
 * the start itself unless the severity changed since.
 */
static void
begin_clock(Runner *runner, const TicketEvent *event, TimestampTz changed_at)
{
	const PolicyTarget *target = promise(runner);
	SeverityChangeRule rule = runner->input->version->severity_change;
	Clock	   *clock;

	runner->exists = runner->running = false;
	runner->waiting = target == NULL;
	if (target == NULL)
		return;
	if (runner->ncycles == runner->room)
	{
		runner->room = Max(runner->room * 2, 1);
		runner->clocks = runner->clocks == NULL ?
			palloc(runner->room * sizeof(Clock)) :
			repalloc(runner->clocks, runner->room * sizeof(Clock));
	}
	runner->ncycles++;
	clock = present_clock(runner);
	memset(clock, 0, sizeof(*clock));
	clock->metric = runner->metric->name;
	clock->cycle = runner->ncycles;
	clock->started_at = rule == CHANGE_FROM_START ? runner->start : changed_at;
	clock->counted_from = clock->started_at;
	clock->outcome = CLOCK_RUNNING;
	set_terms(runner, target);
	runner->exists = runner->running = true;
	runner->aim = target->goal;
	runner->floor = changed_at > clock->started_at ? changed_at : DT_NOBEGIN;
	runner->ngaps = 0;
	note_step(runner, event, FOLD_STARTED);
	stop_if_reached(runner, event, changed_at);
}

static void
start_cycle(Runner *runner, const TicketEvent *event)
{
	runner->suppressed = false;
	runner->start = event->at;
	begin_clock(runner, event, event->at);
}

/*
 * What stopped goes on at the event, unless the ticket has got there
 * meanwhile; the time in between does not count.
 */
static void
continue_clock(Runner *runner, const TicketEvent *event)
{
	Clock	   *clock = present_clock(runner);

	runner->running = true;
	clock->stopped = false;
	clock->outcome = CLOCK_RUNNING;
	if (event->at > clock->stopped_at)
		add_stretch(runner->gaps, &runner->ngaps, clock->stopped_at, event->at);
	note_step(runner, event, FOLD_CONTINUED);
	stop_if_reached(runner, event, event->at);
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
	if (pg_add_s64_overflow(clock->carried, used, &clock->carried))
		clock->carried = PG_INT64_MAX;
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
 * Another severity is in force than the present clock has, or turns out to be
 * when it goes on.
 */
static void
change_severity(Runner *runner, const TicketEvent *event)
{
	Clock	   *clock = present_clock(runner);
	const PolicyTarget *target = promise(runner);

	if (!runner->running)
	{
		/* only what an earlier severity cancelled comes back to life */
		if (runner->stopped_by != EVENT_SEVERITY ||
			clock->outcome != CLOCK_CANCELLED || target == NULL)
			return;
		runner->running = true;
		clock->stopped = false;
		clock->outcome = CLOCK_RUNNING;
	}
	else if (event->at > due_time(runner))
	{
		note_step(runner, event, FOLD_LATE);
		return;
	}
	if (target == NULL)
	{
		TicketEvent cause = *event;

		cause.kind = EVENT_SEVERITY;	/* a product's cap is one, too */
		stop_clock(runner, &cause, event->at, CLOCK_CANCELLED);
		return;
	}
	aim_anew(runner, target, event->at);
	note_step(runner, event, FOLD_REAIMED);
	stop_if_reached(runner, event, event->at);
}

/* ---------- one event ---------- */

static void
pin_clock(Runner *runner, const TicketEvent *event)
{
	Clock	   *clock;
	TimestampTz pin;

	if (!runner->running || event->old_value == NULL ||
		strcmp(event->old_value, runner->metric->name) != 0)
		return;
	clock = present_clock(runner);
	clock->pinned = event->value != NULL;
	if (clock->pinned)
	{
		pin = DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													  CStringGetDatum(event->value),
													  ObjectIdGetDatum(InvalidOid),
													  Int32GetDatum(-1)));
		runner->pin = pin;
	}
	note_step(runner, event, clock->pinned ? FOLD_PINNED : FOLD_UNPINNED);
}

/* The ticket is open again: go on with, or start anew, what its end stopped. */
static void
run_reopening(Runner *runner, const TicketEvent *event)
{
	EventKindSet undone = event->kind == EVENT_RESTORED ?
		EVENT_KIND_BIT(EVENT_DELETED) :
		EVENT_KIND_BIT(EVENT_RESOLVED) | EVENT_KIND_BIT(EVENT_CANCELLED) |
		EVENT_KIND_BIT(EVENT_MERGED);

	if (runner->exists && !runner->running &&
		(undone & EVENT_KIND_BIT(runner->stopped_by)))
	{
		if (runner->stopped_by == EVENT_RESOLVED &&
			runner->input->version->reopening == REOPENING_RESTART)
			start_cycle(runner, event);
		else
			continue_clock(runner, event);
	}
	if (runner->suppressed && !runner->running &&
		!(runner->state->reached & (runner->metric->stops_on | ENDED_KINDS)))
		start_cycle(runner, event);
}

/* An event that the metric starts on, while no clock of it runs */
static void
run_start(Runner *runner, const TicketEvent *event)
{
	EventKindSet reached = runner->state->reached;
	EventKindSet stops = runner->metric->stops_on;

	if (event->kind == EVENT_OPENED)
	{
		if (!runner->opened)
			start_cycle(runner, event);
		runner->opened = true;
	}
	else if (event->kind == EVENT_CUSTOMER_REPLIED && !runner->state->new_turn)
		return;
	else if (!(reached & (stops | ENDED_KINDS)))
		start_cycle(runner, event);
	else if (!(reached & stops & ANSWER_KINDS))
		runner->suppressed = true;
}

static void
run_event(Runner *runner, const TicketEvent *event)
{
	EventKindSet bit = EVENT_KIND_BIT(event->kind);
	const PolicyMetric *metric = runner->metric;

	if (event->kind == EVENT_REOPENED || event->kind == EVENT_RESTORED)
		run_reopening(runner, event);
	else if (runner->running && (ENDED_KINDS & bit))
		stop_clock(runner, event, event->at, CLOCK_CANCELLED);
	else if (runner->running && (metric->stops_on & bit))
		stop_clock(runner, event, event->at, CLOCK_MET);
	else if (runner->running && (metric->restarts_on & bit))
	{
		if (event->at > present_clock(runner)->started_at)
		{
			stop_clock(runner, event, event->at, CLOCK_MET);
			start_cycle(runner, event);
		}
	}
	else if (event->kind == EVENT_PINNED)
		pin_clock(runner, event);
	if (metric->stops_on & bit & ANSWER_KINDS)
		runner->suppressed = false;
	if (metric->stops_on & bit && !runner->opened)
		runner->waiting = false;

	if ((metric->starts_on & bit) && !runner->running)
		run_start(runner, event);
	if (runner->waiting && promise(runner) != NULL)
		begin_clock(runner, event, event->at);
	else if (runner->exists && runner->state->effective != 0 &&
			 (present_clock(runner)->severity != runner->state->effective ||
			  (!runner->running && runner->stopped_by == EVENT_SEVERITY)))
		change_severity(runner, event);
	if (runner->running && runner->pausable &&
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
	const PolicyTarget *target = promise(runner);
	Timeline   *tl = present_timeline(runner);
	Pause	   *stretches;
	int			n;
	int64		work;			/* from counted_from until it is due */
	int64		whole;

	if (target == NULL || target->nalerts == 0 ||
		clock->due_at <= clock->counted_from)
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

	events = fold_events(input->events, input->nevents, counts, &nevents);
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
		if (runners[i].running)
			settle_running(&runners[i]);
		total += runners[i].ncycles;
	}
	*clocks = palloc(Max(total, 1) * sizeof(Clock));
	total = 0;
	for (int i = 0; i < nmetrics; i++)
	{
		memcpy(*clocks + total, runners[i].clocks,
			   runners[i].ncycles * sizeof(Clock));
		total += runners[i].ncycles;
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
