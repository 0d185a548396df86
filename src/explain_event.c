/*
 * explain_event.c
 *		The events of a ticket in order, and what each did to which clock.
 *
 * What it did is told by the steps of the fold (explain_step.c).
 *
 * Knows nothing of tables.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "explain.h"
#include "same_text.h"

/* Where the telling of events has come to */
typedef struct EventTale
{
	Explanation *explanation;
	FoldState	state;			/* after the events told so far */
	ExplainMoment moment;		/* of the last one */
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
		tale->moment.paused = tale->state.paused;
		tale->moment.paused_at = tale->state.paused_at;
		fold_state_advance(&tale->state, event);
	}
	row.why = remark(tale, event, steps != NIL);
	explain_add(explanation, &row);
	foreach(lc, steps)
		explain_step(&tale->moment, lfirst(lc), event);
}

static int
compare_events(const ListCell *a, const ListCell *b)
{
	return ticket_event_order(lfirst(a), lfirst(b));
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
	tale.moment.explanation = explanation;
	tale.moment.now = &tale.state;
	foreach(lc, events)
		tell_event(&tale, lfirst(lc));
}
