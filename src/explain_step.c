/*
 * explain_step.c
 *		What a step of the fold did to a clock, and by which rule.
 *
 * The rules are those of clock.c; the sentences here have to say what is done
 * there.
 *
 * Knows nothing of tables.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "explain.h"
#include "timeline_cache.h"

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
tell_start(const ExplainMoment *moment, const FoldStep *step, ExplainRow *row)
{
	const Clock *clock = &step->clock;
	const PolicyVersion *version = moment->explanation->version;
	const PolicyMetric *metric = metric_of(moment->explanation, clock);
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
tell_stop(const ExplainMoment *moment, const FoldStep *step, ExplainRow *row)
{
	const Explanation *explanation = moment->explanation;
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
							severity_text(moment->now->effective),
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
tell_continuation(const ExplainMoment *moment, const FoldStep *step,
				  ExplainRow *row)
{
	const Clock *clock = &step->clock;
	const FoldStep *last = step_before(moment->explanation, step);
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
tell_pause(const ExplainMoment *moment, const FoldStep *step, ExplainRow *row)
{
	const Explanation *explanation = moment->explanation;
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
	if (moment->paused)
		row->why = "another pause stands already";
	else if (last != NULL && !TIMESTAMP_NOT_FINITE(last->clock.due_at) &&
			 last->clock.due_at >= step->event.at)
		row->why = psprintf("%s left when the pause is over",
							explain_amount(work_between(clock, step->event.at,
														last->clock.due_at)));
}

static void
tell_resumption(const ExplainMoment *moment, const FoldStep *step,
				ExplainRow *row)
{
	const Clock *clock = &step->clock;

	if (moment->now->paused)
	{
		row->what = psprintf("%s still stands still", explain_clock(clock));
		row->why = "another pause stands";
		return;
	}
	row->what = psprintf("%s runs on, now %s", explain_clock(clock),
						 due_text(clock));
	if (!moment->paused)
		row->why = "there was no pause";
	else if (clock->pinned)
		row->why = "its due time is pinned";
	else
		row->why = psprintf("%s of working time in the pause do not count",
							explain_amount(work_between(clock,
														Max(moment->paused_at,
															clock->counted_from),
														step->event.at)));
}

/* By which rule a change of severity gave a clock its due time */
static char *
aim_text(const ExplainMoment *moment, const FoldStep *step,
		 const FoldStep *last)
{
	const Clock *clock = &step->clock;
	TimestampTz old_due = last == NULL ? DT_NOEND : last->clock.due_at;
	char	   *left;

	if (clock->pinned)
		return pstrdup("its due time is pinned");
	switch (moment->explanation->version->severity_change)
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
			left = old_due == DT_NOEND || last->clock.stopped ? pstrdup("what") :
				psprintf("the %s that", explain_amount(Max(work_between(&last->clock,
																	   step->event.at,
																	   old_due), 0)));
			return psprintf("by rule carry: %s was left of the old goal becomes the same share of the new one, counted from the change; %s were used before",
							left, explain_amount(clock->carried));
	}
	pg_unreachable();
}

static void
tell_aim(const ExplainMoment *moment, const FoldStep *step, ExplainRow *row)
{
	const Clock *clock = &step->clock;
	const FoldStep *last = step_before(moment->explanation, step);
	bool		back = last != NULL && last->clock.stopped;

	row->what = psprintf("%s %s severity %s: %s, now %s",
						 explain_clock(clock),
						 back ? "comes back with" : "gets the goal of",
						 severity_text(clock->severity), goal_text(clock),
						 due_text(clock));
	row->why = aim_text(moment, step, last);
}

void
explain_step(const ExplainMoment *moment, const FoldStep *step,
			 const TicketEvent *event)
{
	ExplainRow	row = {.at = {true, step->event.at},.event = event,
	.clock = &step->clock,.tells_terms = true};
	const Clock *clock = &step->clock;

	switch (step->action)
	{
		case FOLD_STARTED:
			tell_start(moment, step, &row);
			break;
		case FOLD_STOPPED:
		case FOLD_CANCELLED:
			tell_stop(moment, step, &row);
			break;
		case FOLD_CONTINUED:
			tell_continuation(moment, step, &row);
			break;
		case FOLD_PAUSED:
			tell_pause(moment, step, &row);
			break;
		case FOLD_RESUMED:
			tell_resumption(moment, step, &row);
			break;
		case FOLD_REAIMED:
			tell_aim(moment, step, &row);
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
	explain_add(moment->explanation, &row);
}
