/*
 * explain_stretch.c
 *		The time of each clock in stretches: what counted, what did not, why.
 *
 * Knows nothing of tables.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "explain.h"
#include "timeline_cache.h"

/* Of one clock no more are told: a goal may lie years ahead */
#define MAX_STRETCHES	1000

/* ---------- where a clock stands still ---------- */

static bool
same_clock(const Clock *a, const Clock *b)
{
	return a->metric == b->metric && a->cycle == b->cycle;
}

/* Do the ticket's pauses count for a clock of its severity? */
static bool
is_pausable(const Explanation *explanation, const Clock *clock)
{
	const PolicyVersion *version = explanation->version;

	for (int i = 0; i < version->nmetrics; i++)
		if (version->metrics[i].name == clock->metric)
			return policy_target(version, clock->severity, i)->pausable;
	return false;
}

/* A stretch of no time is none. */
static void
add_standstill(Pause *pauses, const char **reasons, int *n,
			   TimestampTz from, TimestampTz to, const char *reason)
{
	int			i = *n;

	if (from >= to)
		return;
	for (; i > 0 && pauses[i - 1].from > from; i--)
	{
		pauses[i] = pauses[i - 1];
		reasons[i] = reasons[i - 1];
	}
	pauses[i].from = from;
	pauses[i].to = to;
	reasons[i] = reason;
	(*n)++;
}

/* Cut off what overlaps: where several reasons hold, the first one is told. */
static void
separate(Pause *pauses, const char **reasons, int *n)
{
	int			kept = 0;

	for (int i = 0; i < *n; i++)
	{
		Pause		pause = pauses[i];

		if (kept > 0)
			pause.from = Max(pause.from, pauses[kept - 1].to);
		if (pause.from >= pause.to)
			continue;
		reasons[kept] = reasons[i];
		pauses[kept++] = pause;
	}
	*n = kept;
}

Pause *
explain_standstills(const Explanation *explanation, const Clock *clock,
					int *n, const char ***reasons)
{
	const FoldInput *fold = &explanation->fold;
	int			room = fold->npauses + list_length(fold->gaps) + 1;
	Pause	   *pauses = palloc(room * sizeof(Pause));
	const char **why = palloc(room * sizeof(char *));
	ListCell   *lc;

	*n = 0;
	for (int i = 0; i < fold->npauses && is_pausable(explanation, clock); i++)
		add_standstill(pauses, why, n, fold->pauses[i].from,
					   fold->pauses[i].to, "pause");
	foreach(lc, fold->gaps)
	{
		const FoldGap *gap = lfirst(lc);

		if (gap->metric == clock->metric && gap->cycle == clock->cycle)
			add_standstill(pauses, why, n, gap->from, gap->to,
						   event_kind_text(gap->stopped_by));
	}
	separate(pauses, why, n);
	if (reasons != NULL)
		*reasons = why;
	return pauses;
}

/* ---------- stretches ---------- */

/* The clock in hand */
typedef struct ClockTale
{
	Explanation *explanation;
	const Clock *clock;			/* as it is in the end */
	int			ntold;
} ClockTale;

/*
 * Tell the stretches of a clock in [from, to), which may be late already.
 * terms are those in force then: hours, and what made it stand still.
 */
static void
tell_stretches(ClockTale *tale, const Clock *terms, TimestampTz from,
			   TimestampTz to, bool late)
{
	StretchWalk walk = {.cursor = from,.end = to};
	Stretch		stretch;

	walk.pauses = explain_standstills(tale->explanation, terms,
									  &walk.npauses, &walk.reasons);
	for (;;)
	{
		ExplainRow	row = {.clock = tale->clock,.counts = true};

		walk.tl = timeline_get(NULL, terms->hours);
		if (!stretch_next(&walk, &stretch))
			break;
		row.at = (MaybeTime) {true, stretch.from};
		if (tale->ntold++ == MAX_STRETCHES)
		{
			row.counts = false;
			row.what = psprintf("%s: more stretches than are told",
								explain_clock(tale->clock));
			explain_add(tale->explanation, &row);
		}
		if (tale->ntold > MAX_STRETCHES)
			break;
		row.until = (MaybeTime) {true, stretch.to};
		row.counted = stretch.counted;
		row.what = stretch.counted == 0 ?
			psprintf("%s: does not count", explain_clock(tale->clock)) :
			psprintf("%s: %s count%s", explain_clock(tale->clock),
					 explain_amount(stretch.counted), late ? ", late" : "");
		row.why = stretch.why;
		explain_add(tale->explanation, &row);
	}
}

/* A clock in one line, before its stretches */
static void
tell_clock(ClockTale *tale)
{
	const Clock *clock = tale->clock;
	ExplainRow	row = {.at = {true, clock->started_at},.clock = clock,
	.tells_terms = true};
	const char *outcome = clock_outcome_text(clock->outcome);

	if (clock->stopped)
	{
		row.until = (MaybeTime) {true, clock->stopped_at};
		row.counts = true;
		row.counted = clock->worked;
		row.what = psprintf("%s: %s of %s used in all, %s",
							explain_clock(clock),
							explain_amount(clock->worked),
							business_interval_to_text(&clock->goal), outcome);
	}
	else
		row.what = psprintf("%s: %s, %s, %s", explain_clock(clock),
							outcome == NULL ? "runs" : outcome,
							business_interval_to_text(&clock->goal),
							clock->due_at == DT_NOEND ?
							"not due as things stand" :
							psprintf("due %s", explain_instant(clock->due_at)));
	if (clock->pinned)
		row.why = "its due time was pinned, whatever counted until then";
	explain_add(tale->explanation, &row);
}

/*
 * Changes of severity may have counted anew: each part has the terms of its
 * time, all but the last those before the change.
 */
static void
tell_time(ClockTale *tale)
{
	const Clock *clock = tale->clock;
	const FoldStep *last = NULL;
	TimestampTz due = clock->due_at;
	ListCell   *lc;

	foreach(lc, tale->explanation->fold.steps)
	{
		const FoldStep *step = lfirst(lc);

		if (!same_clock(&step->clock, clock))
			continue;
		if (last != NULL &&
			step->clock.counted_from != last->clock.counted_from)
			tell_stretches(tale, &last->clock, last->clock.counted_from,
						   step->clock.counted_from, false);
		last = step;
	}
	if (!clock->stopped)
		tell_stretches(tale, clock, clock->counted_from, due, false);
	else
	{
		due = Max(due, clock->counted_from);
		tell_stretches(tale, clock, clock->counted_from,
					   Min(due, clock->stopped_at), false);
		if (clock->stopped_at > due)
			tell_stretches(tale, clock, due, clock->stopped_at, true);
	}
}

void
explain_stretches(Explanation *explanation)
{
	for (int i = 0; i < explanation->nclocks; i++)
	{
		ClockTale	tale = {.explanation = explanation,
		.clock = &explanation->clocks[i]};

		tell_clock(&tale);
		tell_time(&tale);
	}
}
