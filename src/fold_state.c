/*
 * fold_state.c
 *		What a ticket is at one moment of the fold.
 *
 * Knows nothing of clocks, tables and the current time.
 */
#include "postgres.h"

#include "fold_state.h"

/* The name of the pause that the ticket's own row makes */
#define ROW_PAUSE	""

int
ticket_event_order(const TicketEvent *a, const TicketEvent *b)
{
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if ((a->kind == EVENT_OPENED) != (b->kind == EVENT_OPENED))
		return a->kind == EVENT_OPENED ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static int
compare_events(const void *a, const void *b)
{
	return ticket_event_order(a, b);
}

int
fold_begin_with(TicketEvent *events, int n, EventKind kind)
{
	int			first = 0;

	while (first < n && events[first].kind != kind)
		first++;
	if (first == n)
		return 0;
	for (int i = 0; i < first; i++)
		events[i].at = events[first].at;
	return n;
}

TicketEvent *
fold_events(const TicketEvent *events, int nevents, int *nvalid)
{
	TicketEvent *valid = palloc(Max(nevents, 1) * sizeof(TicketEvent));
	int			n = 0;
	bool		sorted = true;

	for (int i = 0; i < nevents; i++)
		if (events[i].kind != EVENT_RETRACTED && !events[i].retracted)
			valid[n++] = events[i];
	for (int i = 1; i < n && sorted; i++)
		sorted = ticket_event_order(&valid[i - 1], &valid[i]) < 0;
	if (!sorted)
		qsort(valid, n, sizeof(TicketEvent), compare_events);
	*nvalid = n;
	return valid;
}

void
fold_state_init(FoldState *state, const PolicyVersion *version, int nevents)
{
	memset(state, 0, sizeof(*state));
	state->version = version;
	state->pauses = palloc(Max(nevents, 1) * sizeof(Pause));
	state->standing = palloc(Max(nevents, 1) * sizeof(char *));
}

void
fold_state_free(FoldState *state)
{
	pfree(state->pauses);
	pfree(state->standing);
}

/* The pauses of the row are one; others are told apart by what they say. */
static const char *
pause_name(const TicketEvent *event)
{
	if (event->source == NULL)
		return ROW_PAUSE;
	return event->value != NULL ? event->value : "?";
}

static void
begin_pause(FoldState *state, const TicketEvent *event)
{
	const char *name = pause_name(event);

	for (int i = 0; i < state->nstanding; i++)
		if (strcmp(state->standing[i], name) == 0)
			return;
	state->standing[state->nstanding++] = name;
	if (state->paused)
		return;
	state->paused = true;
	state->paused_at = event->at;
	/* one that begins where the last has ended goes on with it */
	if (state->npauses > 0 &&
		state->pauses[state->npauses - 1].to == event->at)
		state->paused_at = state->pauses[--state->npauses].from;
}

static void
end_pause(FoldState *state, const TicketEvent *event)
{
	const char *name = pause_name(event);

	for (int i = 0; i < state->nstanding; i++)
		if (strcmp(state->standing[i], name) == 0)
		{
			state->standing[i] = state->standing[--state->nstanding];
			break;
		}
	if (!state->paused || state->nstanding > 0)
		return;
	state->paused = false;
	if (event->at > state->paused_at)
	{
		state->pauses[state->npauses].from = state->paused_at;
		state->pauses[state->npauses++].to = event->at;
	}
}

static void
find_effective(FoldState *state)
{
	Severity	before = state->effective;

	state->effective = policy_capped_severity(state->version, state->severity,
											  state->product);
	state->changed = state->effective != before;
}

void
fold_state_advance(FoldState *state, const TicketEvent *event)
{
	state->changed = false;
	switch (event->kind)
	{
		case EVENT_OPENED:
		case EVENT_SEVERITY:
			/* the first severity is what it was opened with, whenever that is */
			if (event->severity != 0 &&
				(event->kind == EVENT_SEVERITY || state->severity == 0))
				state->severity = event->severity;
			if (event->kind == EVENT_OPENED && !state->product_changed)
				state->product = event->old_value;
			find_effective(state);
			break;
		case EVENT_PRODUCT:
			state->product = event->value;
			state->product_changed = true;
			find_effective(state);
			break;
		case EVENT_PAUSED:
			begin_pause(state, event);
			break;
		case EVENT_RESUMED:
			end_pause(state, event);
			break;
		case EVENT_CUSTOMER_REPLIED:
			state->new_turn = (state->reached & ANSWER_KINDS) != 0;
			state->reached &= ~ANSWER_KINDS;
			break;
		case EVENT_REOPENED:
			state->reached &= ~(EVENT_KIND_BIT(EVENT_RESOLVED) |
								EVENT_KIND_BIT(EVENT_CANCELLED) |
								EVENT_KIND_BIT(EVENT_MERGED));
			break;
		case EVENT_RESTORED:
			state->reached &= ~EVENT_KIND_BIT(EVENT_DELETED);
			break;
		case EVENT_REPLIED:
		case EVENT_UPDATED:
		case EVENT_RESOLVED:
		case EVENT_CANCELLED:
		case EVENT_MERGED:
		case EVENT_DELETED:
			state->reached |= EVENT_KIND_BIT(event->kind);
			break;
		case EVENT_INVESTIGATED:
		case EVENT_ASSIGNED:
		case EVENT_ACCOUNT:
		case EVENT_CHANNEL:
		case EVENT_EXEMPTED:
		case EVENT_COVERED:
		case EVENT_PINNED:
		case EVENT_RETRACTED:
			break;
	}
}
