/*
 * explain_event.c
 *		The events of a ticket in order, and what each did to which clock.
 *
 * What happened is told by the steps of the fold; why, by the rules of
 * clock.c. The sentences here have to say what is done there.
 *
 * Knows nothing of tables.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "explain.h"
#include "same_text.h"
#include "timeline_cache.h"

/* Where the telling of events has come to */
typedef struct EventTale
{
	Explanation *explanation;
	FoldState	state;			/* after the events told so far */
	FoldState	before;			/* the same before the last one; borrows from
								 * state, so that its lists must not be used */
} EventTale;

/* ---------- what happened ---------- */

/* "severity S1 instead of S2" */
static char *
replaced(const char *what, const char *value, const char *old_value)
{
	if (old_value == NULL)
		return psprintf("%s %s", what, explain_quoted(value));
	return psprintf("%s %s instead of %s", what, explain_quoted(value),
					explain_quoted(old_value));
}

static char *
with_value(const char *what, const char *value)
{
	return value == NULL ? pstrdup(what) : psprintf("%s: %s", what, value);
}

static char *
pinned_text(const TicketEvent *event)
{
	Datum		pin;

	if (event->value == NULL)
		return psprintf("%s is to be due as it would be", event->old_value);
	pin = DirectFunctionCall3(timestamptz_in, CStringGetDatum(event->value),
							  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return psprintf("%s is to be due at %s", event->old_value,
					explain_instant(DatumGetTimestampTz(pin)));
}

/* "takes back event 3 (replied, 2026-03-27 11:00+01)" */
static char *
taken_back_text(const Explanation *explanation, const TicketEvent *retraction)
{
	const TicketHistory *history = &explanation->history;

	for (int i = 0; i < history->nevents; i++)
	{
		const TicketEvent *event = &history->events[i];

		if (event->seq == retraction->retracts)
			return psprintf("takes back event %d (%s, %s)", event->seq,
							event_kind_text(event->kind),
							explain_instant(event->at));
	}
	return psprintf("takes back event %d", retraction->retracts);
}

/* An event in words, palloc'd */
static char *
event_text(const Explanation *explanation, const TicketEvent *event)
{
	switch (event->kind)
	{
		case EVENT_OPENED:
			return psprintf("received with severity %s%s%s",
							event->severity == 0 ? "unknown" :
							severity_text(event->severity),
							event->old_value == NULL ? "" : ", product ",
							event->old_value == NULL ? "" :
							explain_quoted(event->old_value));
		case EVENT_REPLIED:
			return pstrdup("replied to the customer");
		case EVENT_UPDATED:
			return pstrdup("told the customer how it stands");
		case EVENT_CUSTOMER_REPLIED:
			return pstrdup("the customer wrote");
		case EVENT_INVESTIGATED:
			return pstrdup("investigated");
		case EVENT_ASSIGNED:
			return replaced("assigned to", event->value, event->old_value);
		case EVENT_PAUSED:
			return with_value("paused", event->value);
		case EVENT_RESUMED:
			return with_value("resumed", event->value);
		case EVENT_SEVERITY:
			return psprintf("severity %s%s%s", event->value == NULL ?
							"unknown" : event->value,
							event->old_value == NULL ? "" : " instead of ",
							event->old_value == NULL ? "" : event->old_value);
		case EVENT_PRODUCT:
			return replaced("product", event->value, event->old_value);
		case EVENT_ACCOUNT:
			return replaced("account", event->value, event->old_value);
		case EVENT_CHANNEL:
			return replaced("channel", event->value, event->old_value);
		case EVENT_EXEMPTED:
			return with_value("to be exempt", event->value);
		case EVENT_COVERED:
			return with_value("to be exempt no more", event->old_value);
		case EVENT_PINNED:
			return pinned_text(event);
		case EVENT_RESOLVED:
			return pstrdup("resolved");
		case EVENT_CANCELLED:
			return with_value("cancelled", event->value);
		case EVENT_MERGED:
			return psprintf("merged into ticket %s",
							explain_quoted(event->value));
		case EVENT_REOPENED:
			return pstrdup("reopened");
		case EVENT_DELETED:
			return pstrdup("deleted");
		case EVENT_RESTORED:
			return pstrdup("restored");
		case EVENT_RETRACTED:
			return taken_back_text(explanation, event);
	}
	pg_unreachable();
}

/* ---------- corrections ---------- */

static TimestampTz
recorded_at(const Explanation *explanation, const TicketEvent *event)
{
	return explanation->recorded_at[event - explanation->history.events];
}

/*
 * What was recorded in place of an event together with its retraction; NULL:
 * nothing was.
 */
static const TicketEvent *
replacement(const Explanation *explanation, const TicketEvent *event,
			const TicketEvent *retraction)
{
	const TicketHistory *history = &explanation->history;

	for (const TicketEvent *other = retraction + 1;
		 other < history->events + history->nevents; other++)
		if (recorded_at(explanation, other) ==
			recorded_at(explanation, retraction) &&
			other->kind != EVENT_RETRACTED &&
			same_text(other->source, event->source) &&
			(other->kind == event->kind || event->source != NULL))
			return other;
	return NULL;
}

/* Why a retracted event does not count, palloc'd */
static char *
retraction_text(const Explanation *explanation, const TicketEvent *event)
{
	const TicketHistory *history = &explanation->history;
	const TicketEvent *other;

	for (const TicketEvent *retraction = event + 1;
		 retraction < history->events + history->nevents; retraction++)
	{
		if (retraction->kind != EVENT_RETRACTED ||
			retraction->retracts != event->seq)
			continue;
		other = replacement(explanation, event, retraction);
		if (other == NULL)
			return psprintf("does not count: taken back by event %d",
							retraction->seq);
		return psprintf("does not count: taken back by event %d, and event %d stands in its place (%s, %s)",
						retraction->seq, other->seq,
						event_kind_text(other->kind),
						explain_instant(other->at));
	}
	return pstrdup("does not count");
}

/* ---------- what a step did ---------- */

/* The step of the same clock before this one; NULL: it is the first */
static const FoldStep *
step_before(const Explanation *explanation, const FoldStep *step)
{
	const FoldStep *found = NULL;
	ListCell   *lc;

	foreach(lc, explanation->fold.steps)
	{
		const FoldStep *other = lfirst(lc);

		if (other == step)
			break;
		if (other->clock.metric == step->clock.metric &&
			other->clock.cycle == step->clock.cycle)
			found = other;
	}
	return found;
}

/* Working time of a clock's hours between two instants */
static int64
work_between(const Clock *clock, TimestampTz from, TimestampTz to)
{
	return timeline_between(timeline_get(NULL, clock->hours), from, to);
}

/* Working time that a clock has used by an instant */
static int64
used_by(const Explanation *explanation, const Clock *clock, TimestampTz at)
{
	Pause	   *stretches;
	int			n;

	if (at <= clock->counted_from)
		return clock->carried;
	stretches = explain_standstills(explanation, clock, &n, NULL);
	return clock->carried + work_between(clock, clock->counted_from, at) -
		deadline_paused_work(timeline_get(NULL, clock->hours),
							 clock->counted_from, at, stretches, n);
}

/* "due 2026-03-27 11:00+01" */
static char *
due_text(const Clock *clock)
{
	if (clock->due_at == DT_NOEND)
		return pstrdup("not due as things stand");
	return psprintf("due %s", explain_instant(clock->due_at));
}

static char *
goal_text(const Clock *clock)
{
	return psprintf("%s in %s", business_interval_to_text(&clock->goal),
					explain_hours(clock->hours_id, clock->hours));
}

static const PolicyMetric *
metric_of(const Explanation *explanation, const Clock *clock)
{
	const PolicyVersion *version = explanation->version;

	for (int i = 0; i < version->nmetrics; i++)
		if (version->metrics[i].name == clock->metric)
			return &version->metrics[i];
	pg_unreachable();
}

static void
tell_start(EventTale *tale, const FoldStep *step, ExplainRow *row)
{
	const Clock *clock = &step->clock;
	const PolicyVersion *version = tale->explanation->version;
	const PolicyMetric *metric = metric_of(tale->explanation, clock);
	EventKindSet starts = metric->starts_on | metric->restarts_on;

	row->what = psprintf("%s starts: %s, %s", explain_clock(clock),
						 goal_text(clock), due_text(clock));
	if (clock->started_at < step->event.at)
		row->why = psprintf("promised from severity %s on; counted from %s, but not due before this change",
							severity_text(clock->severity),
							explain_instant(clock->started_at));
	else if (starts & EVENT_KIND_BIT(step->event.kind))
		row->why = psprintf("%s starts it", event_kind_text(step->event.kind));
	else if (step->event.kind == EVENT_REOPENED ||
			 step->event.kind == EVENT_RESTORED)
		row->why = clock->cycle > 1 &&
			version->reopening == REOPENING_RESTART ?
			"the policy starts anew what resolving stopped" :
			"what happened while the ticket was closed starts it now";
	else
		row->why = psprintf("promised from severity %s on",
							severity_text(clock->severity));
}

/* How far a clock was from its due time when it stopped */
static char *
margin_text(const Clock *clock)
{
	int64		margin;

	if (clock->due_at == DT_NOEND)
		return pstrdup("it was not due");
	if (clock->stopped_at == clock->due_at)
		return pstrdup("exactly when it was due, which is in time");
	if (clock->stopped_at < clock->due_at)
		return psprintf("%s to spare",
						explain_amount(work_between(clock, clock->stopped_at,
													clock->due_at)));
	margin = work_between(clock, clock->due_at, clock->stopped_at);
	if (margin == 0)
		return pstrdup("late, though by no working time");
	return psprintf("late by %s", explain_amount(margin));
}

static void
tell_stop(EventTale *tale, const FoldStep *step, ExplainRow *row)
{
	const Explanation *explanation = tale->explanation;
	const Clock *clock = &step->clock;
	const FoldStep *last = step_before(explanation, step);
	const char *cause = event_kind_text(step->event.kind);

	row->what = psprintf("%s %s after %s of %s, %s", explain_clock(clock),
						 clock_outcome_text(clock->outcome),
						 explain_amount(clock->worked),
						 business_interval_to_text(&clock->goal),
						 margin_text(clock));
	if (step->action == FOLD_CANCELLED && step->event.kind == EVENT_SEVERITY)
		row->why = psprintf("severity %s promises no %s",
							severity_text(tale->state.effective),
							clock->metric);
	else if (step->action == FOLD_CANCELLED)
		row->why = psprintf("the ticket was %s%s", cause,
							clock->outcome == CLOCK_BREACHED ?
							"; what was late by then is broken" : "");
	else if (row->event->kind != step->event.kind && last != NULL &&
			 last->event.seq == step->event.seq)
		row->why = psprintf("%s had come before", cause);
	else if (metric_of(explanation, clock)->restarts_on &
			 EVENT_KIND_BIT(step->event.kind))
		row->why = psprintf("%s ends it and starts the next", cause);
	else
		row->why = psprintf("%s stops it", cause);
}

static void
tell_continuation(EventTale *tale, const FoldStep *step, ExplainRow *row)
{
	const Clock *clock = &step->clock;
	const FoldStep *last = step_before(tale->explanation, step);
	int64		skipped = 0;

	if (last != NULL && last->clock.stopped_at < step->event.at)
		skipped = work_between(clock, last->clock.stopped_at, step->event.at);
	row->what = psprintf("%s goes on, now %s", explain_clock(clock),
						 due_text(clock));
	row->why = psprintf("%s; %s of working time since it stopped do not count",
						event_kind_text(step->event.kind),
						explain_amount(skipped));
}

static void
tell_pause(EventTale *tale, const FoldStep *step, ExplainRow *row)
{
	const Explanation *explanation = tale->explanation;
	const Clock *clock = &step->clock;
	const FoldStep *last = step_before(explanation, step);
	int64		used = used_by(explanation, clock, step->event.at);

	if (clock->due_at != DT_NOEND)
	{
		row->what = psprintf("%s stays %s", explain_clock(clock),
							 due_text(clock));
		row->why = clock->pinned ? "its due time is pinned" :
			"what was due before a pause stays due";
		return;
	}
	row->what = psprintf("%s stands still after %s of %s",
						 explain_clock(clock), explain_amount(used),
						 business_interval_to_text(&clock->goal));
	if (tale->before.paused)
		row->why = "another pause stands already";
	else if (last != NULL && !TIMESTAMP_NOT_FINITE(last->clock.due_at) &&
			 last->clock.due_at >= step->event.at)
		row->why = psprintf("%s left when the pause is over",
							explain_amount(work_between(clock, step->event.at,
														last->clock.due_at)));
}

static void
tell_resumption(EventTale *tale, const FoldStep *step, ExplainRow *row)
{
	const Clock *clock = &step->clock;

	if (tale->state.paused)
	{
		row->what = psprintf("%s still stands still", explain_clock(clock));
		row->why = "another pause stands";
		return;
	}
	row->what = psprintf("%s runs on, now %s", explain_clock(clock),
						 due_text(clock));
	if (!tale->before.paused)
		row->why = "there was no pause";
	else if (clock->pinned)
		row->why = "its due time is pinned";
	else
		row->why = psprintf("%s of working time in the pause do not count",
							explain_amount(work_between(clock,
														Max(tale->before.paused_at,
															clock->counted_from),
														step->event.at)));
}

/* By which rule a change of severity gave a clock its due time */
static char *
aim_text(EventTale *tale, const FoldStep *step, const FoldStep *last)
{
	const Clock *clock = &step->clock;
	TimestampTz old_due = last == NULL ? DT_NOEND : last->clock.due_at;
	char	   *left;

	if (clock->pinned)
		return pstrdup("its due time is pinned");
	switch (tale->explanation->version->severity_change)
	{
		case CHANGE_FROM_START:
			return psprintf("by rule from_start: counted from %s%s",
							explain_instant(clock->started_at),
							clock->due_at == step->event.at ?
							", but not due before the change" : "");
		case CHANGE_FROM_CHANGE:
			return psprintf("by rule from_change: counted from the change; %s were used before",
							explain_amount(clock->carried));
		case CHANGE_CARRY:
			left = old_due == DT_NOEND ? pstrdup("what") :
				psprintf("the %s that", explain_amount(Max(work_between(&last->clock,
																	   step->event.at,
																	   old_due), 0)));
			return psprintf("by rule carry: %s was left of the old goal becomes the same share of the new one, counted from the change; %s were used before",
							left, explain_amount(clock->carried));
	}
	pg_unreachable();
}

static void
tell_aim(EventTale *tale, const FoldStep *step, ExplainRow *row)
{
	const Clock *clock = &step->clock;
	const FoldStep *last = step_before(tale->explanation, step);
	bool		back = last != NULL && last->clock.stopped;

	row->what = psprintf("%s %s severity %s: %s, now %s",
						 explain_clock(clock),
						 back ? "comes back with" : "gets the goal of",
						 severity_text(clock->severity), goal_text(clock),
						 due_text(clock));
	row->why = aim_text(tale, step, last);
}

/* Tell one step of the fold. */
static void
tell_step(EventTale *tale, const FoldStep *step, const TicketEvent *event)
{
	ExplainRow	row = {.at = {true, step->event.at},.event = event,
	.clock = &step->clock,.tells_terms = true};
	const Clock *clock = &step->clock;

	switch (step->action)
	{
		case FOLD_STARTED:
			tell_start(tale, step, &row);
			break;
		case FOLD_STOPPED:
		case FOLD_CANCELLED:
			tell_stop(tale, step, &row);
			break;
		case FOLD_CONTINUED:
			tell_continuation(tale, step, &row);
			break;
		case FOLD_PAUSED:
			tell_pause(tale, step, &row);
			break;
		case FOLD_RESUMED:
			tell_resumption(tale, step, &row);
			break;
		case FOLD_REAIMED:
			tell_aim(tale, step, &row);
			break;
		case FOLD_LATE:
			row.what = psprintf("%s stays %s", explain_clock(clock),
								due_text(clock));
			row.why = "it was late before the severity changed";
			break;
		case FOLD_PINNED:
			row.what = psprintf("%s pinned, now %s", explain_clock(clock),
								due_text(clock));
			row.why = "until it stops or is pinned no more, whatever else happens";
			break;
		case FOLD_UNPINNED:
			row.what = psprintf("%s pinned no more, now %s",
								explain_clock(clock), due_text(clock));
			break;
	}
	explain_add(tale->explanation, &row);
}

/* ---------- one event ---------- */

/* Does a metric start on what the customer writes? */
static bool
has_turns(const PolicyVersion *version)
{
	for (int i = 0; i < version->nmetrics; i++)
		if (version->metrics[i].starts_on &
			EVENT_KIND_BIT(EVENT_CUSTOMER_REPLIED))
			return true;
	return false;
}

/* What there is to say of an event beside its steps; NULL: nothing */
static const char *
remark(const EventTale *tale, const TicketEvent *event, bool has_steps)
{
	const Explanation *explanation = tale->explanation;
	const PolicyVersion *version = explanation->version;
	const FoldState *state = &tale->state;

	if (event->retracted)
		return retraction_text(explanation, event);
	if (event->kind == EVENT_RETRACTED || version == NULL)
		return NULL;
	switch (event->kind)
	{
		case EVENT_EXEMPTED:
			return policy_exempts(version, event->value) ?
				"the policy knows the reason" :
				"the policy knows no such reason: exempts from nothing";
		case EVENT_COVERED:
		case EVENT_ACCOUNT:
		case EVENT_CHANNEL:
			return NULL;
		case EVENT_OPENED:
		case EVENT_SEVERITY:
		case EVENT_PRODUCT:
			if (state->effective != state->severity)
				return psprintf("product %s allows no more than severity %s",
								explain_quoted(state->product),
								severity_text(state->effective));
			break;
		case EVENT_CUSTOMER_REPLIED:
			if (!state->new_turn && has_turns(version))
				return "no new turn: nothing had been answered since the last one";
			break;
		default:
			break;
	}
	return has_steps ? NULL : "no clock changes";
}

static void
tell_event(EventTale *tale, const TicketEvent *event)
{
	Explanation *explanation = tale->explanation;
	ExplainRow	row = {.at = {true, event->at},.event = event,
	.what = event_text(explanation, event)};
	List	   *steps = NIL;
	ListCell   *lc;

	foreach(lc, explanation->fold.steps)
		if (((FoldStep *) lfirst(lc))->event.seq == event->seq)
			steps = lappend(steps, lfirst(lc));
	if (explanation->version != NULL && !event->retracted &&
		event->kind != EVENT_RETRACTED)
	{
		tale->before = tale->state;
		fold_state_advance(&tale->state, event);
	}
	row.why = remark(tale, event, steps != NIL);
	explain_add(explanation, &row);
	foreach(lc, steps)
		tell_step(tale, lfirst(lc), event);
}

static int
compare_events(const ListCell *a, const ListCell *b)
{
	const TicketEvent *x = lfirst(a);
	const TicketEvent *y = lfirst(b);

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

void
explain_events(Explanation *explanation)
{
	EventTale	tale = {.explanation = explanation};
	TicketHistory *history = &explanation->history;
	List	   *events = NIL;
	ListCell   *lc;

	for (int i = 0; i < history->nevents; i++)
		events = lappend(events, &history->events[i]);
	list_sort(events, compare_events);
	if (explanation->version != NULL)
		fold_state_init(&tale.state, explanation->version, history->nevents);
	foreach(lc, events)
		tell_event(&tale, lfirst(lc));
}
