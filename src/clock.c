/*
 * clock.c
 *		Folds the events of a ticket into its clocks.
 *
 * The one place that knows what starts, stops, moves and ends a promise.
 * Triggers and everything that explains or recomputes call it with all events
 * of a ticket; nothing is carried over from an earlier call, so events that
 * are recorded late or out of order fold to the right answer.
 *
 * Rules:
 * - Events count in order of time, then of recording. Retracted ones never
 *   happened.
 * - A clock starts at the first event its metric starts on, if the severity
 *   then in force has a goal, and stops at the first event its metric stops
 *   on. Stopping exactly at the due time is in time. What the ticket already
 *   reached when the clock starts stops it at once.
 * - A severity change aims a running clock anew, by the new goal from the
 *   clock's own start, but not before the change itself; a clock that is
 *   already late stays late. Where the new severity promises nothing, the
 *   clock is cancelled; where the old one promised nothing, a clock begins.
 *   A severity that could not be told changes nothing.
 * - Goal and hours are those the clock had before under that severity; where it
 *   had none, the policy's.
 * - A resolved ticket that is reopened continues the clocks that resolving
 *   stopped; the time in between does not count. Deleting and restoring a
 *   ticket does the same.
 *
 * Knows nothing of tables, triggers and the current time.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "clock.h"
#include "deadline.h"
#include "timeline_cache.h"

/* One metric's clock on its way through the events */
typedef struct Runner
{
	const PolicyVersion *version;
	int			metric_index;
	const PolicyMetric *metric;
	const ClockTerms *terms;
	int			nterms;
	bool		started;
	TimestampTz start;			/* when the metric's starting event happened */
	bool		exists;			/* clock below is filled in */
	bool		stopped;
	EventKind	stopped_by;
	Clock		clock;
	Pause	   *gaps;			/* stretches that do not count, in order */
	int			ngaps;
} Runner;

/* What the ticket is at one moment of the fold */
typedef struct TicketState
{
	Severity	severity;		/* 0: not known yet */
	EventKindSet reached;		/* replied, resolved, deleted as things stand */
} TicketState;

static int
compare_events(const void *a, const void *b)
{
	const TicketEvent *x = a;
	const TicketEvent *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The events that count, sorted; palloc'd */
static TicketEvent *
valid_events(const TicketEvent *events, int nevents, int *nvalid)
{
	TicketEvent *valid = palloc(Max(nevents, 1) * sizeof(TicketEvent));
	int			n = 0;

	for (int i = 0; i < nevents; i++)
		if (events[i].kind != EVENT_RETRACTED && !events[i].retracted)
			valid[n++] = events[i];
	qsort(valid, n, sizeof(TicketEvent), compare_events);
	*nvalid = n;
	return valid;
}

/* Due time of a clock by its goal, its start and the gaps so far */
static TimestampTz
due_time(const Runner *runner)
{
	const Clock *clock = &runner->clock;

	return deadline_with_pauses(timeline_get(NULL, clock->hours),
								clock->started_at, &clock->goal,
								runner->gaps, runner->ngaps);
}

/*
 * What is promised under a severity; false: nothing. Only the metric's name,
 * the goal and the hours are filled in.
 */
static bool
find_terms(const Runner *runner, Severity severity, ClockTerms *terms)
{
	const PolicyTarget *target;

	for (int i = 0; i < runner->nterms; i++)
		if (runner->terms[i].severity == severity &&
			strcmp(runner->terms[i].metric, runner->metric->name) == 0)
		{
			*terms = runner->terms[i];
			return true;
		}
	target = policy_target(runner->version, severity, runner->metric_index);
	if (!target->present || !target->has_goal)
		return false;
	terms->goal = target->goal;
	terms->hours_id = target->hours_id;
	terms->hours = target->hours;
	return true;
}

static void
set_terms(Clock *clock, const ClockTerms *terms, Severity severity)
{
	clock->severity = severity;
	clock->goal = terms->goal;
	clock->hours_id = terms->hours_id;
	clock->hours = terms->hours;
}

/* The clock ends at an instant; late is late whatever ended it. */
static void
stop_clock(Runner *runner, TimestampTz at, EventKind by, ClockOutcome in_time)
{
	Clock	   *clock = &runner->clock;
	Timeline   *tl = timeline_get(NULL, clock->hours);

	at = Max(at, clock->started_at);
	runner->stopped = true;
	runner->stopped_by = by;
	clock->stopped_at = at;
	clock->outcome = at > clock->due_at ? CLOCK_BREACHED : in_time;
	clock->paused = deadline_paused_work(tl, clock->started_at, at,
										 runner->gaps, runner->ngaps);
	clock->worked = timeline_between(tl, clock->started_at, at) - clock->paused;
}

/*
 * Stop the clock at once when the ticket already is where it has to get, or is
 * gone (a time of receipt may lie ahead).
 */
static void
stop_if_reached(Runner *runner, const TicketState *state, TimestampTz at)
{
	for (EventKind kind = 0; kind < NUM_EVENT_KINDS; kind++)
		if (runner->metric->stops_on & state->reached & EVENT_KIND_BIT(kind))
		{
			stop_clock(runner, at, kind, CLOCK_MET);
			return;
		}
	if (state->reached & EVENT_KIND_BIT(EVENT_DELETED))
		stop_clock(runner, at, EVENT_DELETED, CLOCK_CANCELLED);
}

/*
 * Begin the clock if severity and metric promise anything; changed_at is when
 * the severity came into force, the start unless it changed.
 */
static void
begin_clock(Runner *runner, const TicketState *state, TimestampTz changed_at)
{
	Clock	   *clock = &runner->clock;
	ClockTerms	terms;

	if (!find_terms(runner, state->severity, &terms))
		return;
	runner->exists = true;
	clock->metric = runner->metric->name;
	clock->cycle = 1;
	clock->started_at = runner->start;
	set_terms(clock, &terms, state->severity);
	clock->due_at = Max(due_time(runner), changed_at);
	clock->outcome = CLOCK_RUNNING;
	stop_if_reached(runner, state, changed_at);
}

/*
 * A new severity came into force, or turns out to be in force when the clock
 * goes on after a gap.
 */
static void
change_severity(Runner *runner, const TicketState *state, TimestampTz at)
{
	Clock	   *clock = &runner->clock;
	ClockTerms	terms;
	bool		promised = find_terms(runner, state->severity, &terms);

	if (!runner->started)
		return;
	if (!runner->exists)
	{
		begin_clock(runner, state, at);
		return;
	}
	if (runner->stopped)
	{
		/* only what an earlier severity cancelled comes back to life */
		if (runner->stopped_by != EVENT_SEVERITY ||
			clock->outcome != CLOCK_CANCELLED || !promised)
			return;
		runner->stopped = false;
		clock->outcome = CLOCK_RUNNING;
	}
	else if (at > clock->due_at)
		return;					/* late already, and stays so */
	if (!promised)
	{
		stop_clock(runner, at, EVENT_SEVERITY, CLOCK_CANCELLED);
		return;
	}
	set_terms(clock, &terms, state->severity);
	clock->due_at = Max(due_time(runner), at);
	stop_if_reached(runner, state, at);
}

/*
 * What an event of a kind had stopped goes on at an instant, unless the ticket
 * has got there meanwhile.
 */
static void
continue_clock(Runner *runner, EventKind stopped_by,
			   const TicketState *state, TimestampTz at)
{
	Clock	   *clock = &runner->clock;
	TimestampTz due;

	if (!runner->exists || !runner->stopped || runner->stopped_by != stopped_by)
		return;
	runner->stopped = false;
	if (at > clock->stopped_at)
	{
		runner->gaps[runner->ngaps].from = clock->stopped_at;
		runner->gaps[runner->ngaps++].to = at;
		due = due_time(runner);

		/* what was late before stays late; what a change allowed stays allowed */
		if (clock->outcome != CLOCK_BREACHED)
			clock->due_at = Max(clock->due_at, due);
	}
	clock->outcome = CLOCK_RUNNING;
	clock->paused = deadline_paused_work(timeline_get(NULL, clock->hours),
										 clock->started_at, at,
										 runner->gaps, runner->ngaps);
	stop_if_reached(runner, state, at);
}

/* Pass one event by one metric. state is the ticket's after the event. */
static void
run_event(Runner *runner, const TicketEvent *event, const TicketState *state)
{
	EventKindSet bit = EVENT_KIND_BIT(event->kind);
	bool		running = runner->exists && !runner->stopped;

	if (event->kind == EVENT_REOPENED)
		continue_clock(runner, EVENT_RESOLVED, state, event->at);
	else if (event->kind == EVENT_RESTORED)
		continue_clock(runner, EVENT_DELETED, state, event->at);
	else if (running && event->kind == EVENT_DELETED)
		stop_clock(runner, event->at, event->kind, CLOCK_CANCELLED);
	else if (running && (runner->metric->stops_on & bit))
		stop_clock(runner, event->at, event->kind, CLOCK_MET);

	if ((runner->metric->starts_on & bit) && !runner->started)
	{
		runner->started = true;
		runner->start = event->at;
	}
	if (state->severity != 0 &&
		(!runner->exists || runner->clock.severity != state->severity))
		change_severity(runner, state, event->at);
}

/* What the ticket is after an event */
static void
advance_state(TicketState *state, const TicketEvent *event)
{
	switch (event->kind)
	{
		case EVENT_OPENED:
		case EVENT_SEVERITY:
			/* the first severity is what it was opened with, whenever that is */
			if (event->severity != 0 &&
				(event->kind == EVENT_SEVERITY || state->severity == 0))
				state->severity = event->severity;
			break;
		case EVENT_REOPENED:
			state->reached &= ~EVENT_KIND_BIT(EVENT_RESOLVED);
			break;
		case EVENT_RESTORED:
			state->reached &= ~EVENT_KIND_BIT(EVENT_DELETED);
			break;
		case EVENT_REPLIED:
		case EVENT_RESOLVED:
		case EVENT_DELETED:
			state->reached |= EVENT_KIND_BIT(event->kind);
			break;
		case EVENT_RETRACTED:
			break;
	}
}

int
clock_fold(const PolicyVersion *version,
		   const ClockTerms *terms, int nterms,
		   const TicketEvent *events, int nevents, Clock **clocks)
{
	int			n;
	TicketEvent *valid = valid_events(events, nevents, &n);
	int			nclocks = 0;

	*clocks = palloc(Max(version->nmetrics, 1) * sizeof(Clock));
	for (int metric = 0; metric < version->nmetrics; metric++)
	{
		Runner		runner = {
			.version = version, .metric_index = metric,
			.metric = &version->metrics[metric],
			.terms = terms, .nterms = nterms
		};
		TicketState state = {0};

		runner.gaps = palloc(Max(n, 1) * sizeof(Pause));
		for (int i = 0; i < n; i++)
		{
			advance_state(&state, &valid[i]);
			run_event(&runner, &valid[i], &state);
		}
		if (runner.exists)
			(*clocks)[nclocks++] = runner.clock;
		pfree(runner.gaps);
	}
	pfree(valid);
	return nclocks;
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
	}
	pg_unreachable();
}
