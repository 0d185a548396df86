/*
 * ticket.c
 *		Derives events from the difference between what is recorded of a
 *		ticket and what its row says now.
 *
 * The comparison is with the record, not with the row's former version: a
 * trigger that comes late, twice or in the wrong order finds what is still
 * missing and adds nothing else. Times that a row states as facts (received,
 * replied, resolved) may be corrected: the old event is retracted, the new one
 * added. Of what happens again and again a row tells the last time; an earlier
 * one than before is a correction, too. What has no time of its own (severity,
 * pauses, reopening, deletion) happened when the row changed, but not before
 * what it undoes. Events that others than the row have told are not its own to
 * correct.
 *
 * Knows nothing of tables, triggers and policies.
 */
#include "postgres.h"

#include "same_text.h"
#include "ticket.h"

/* The row's events that say what it said last; NULL where nothing is said */
typedef struct Standing
{
	TicketEvent *opened;
	TicketEvent *last_opened;	/* the last one, also a retracted one */
	TicketEvent *replied;
	TicketEvent *investigated;
	TicketEvent *assigned;
	TicketEvent *paused;		/* NULL also after a resumption */
	TicketEvent *resumed;		/* the last one, also after a pause */
	TicketEvent *exempted;		/* NULL also when lifted */
	TicketEvent *resolved;		/* NULL also after a reopening */
	TicketEvent *cancelled;		/* likewise */
	TicketEvent *reopened;		/* the last one */
	TicketEvent *severity;		/* the last that changed it */
	TicketEvent *product;		/* likewise */
	TicketEvent *deleted;		/* NULL also after a restoration */
	TicketEvent *restored;		/* the last one, also after a deletion */
} Standing;

void
ticket_history_init(TicketHistory *history)
{
	memset(history, 0, sizeof(*history));
	history->room = 8;
	history->events = palloc(history->room * sizeof(TicketEvent));
}

TicketEvent *
ticket_history_append(TicketHistory *history, EventKind kind, TimestampTz at)
{
	TicketEvent *event;

	if (history->nevents == history->room)
	{
		history->room *= 2;
		history->events = repalloc(history->events,
								   history->room * sizeof(TicketEvent));
	}
	event = &history->events[history->nevents];
	memset(event, 0, sizeof(*event));
	event->seq = history->nevents > 0 ? event[-1].seq + 1 : 1;
	event->kind = kind;
	event->at = at;
	history->nevents++;
	return event;
}

void
ticket_history_mark_retracted(TicketHistory *history, int32 seq)
{
	int			low = 0;
	int			high = history->nevents;

	/* seq rises from event to event */
	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (history->events[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < history->nevents && history->events[low].seq == seq)
		history->events[low].retracted = true;
}

/* What stands, in order of recording. Pointers last until the next append. */
static Standing
standing(const TicketHistory *history)
{
	Standing	now = {0};

	for (int i = 0; i < history->nevents; i++)
	{
		TicketEvent *event = &history->events[i];

		if (event->source != NULL)
			continue;
		if (event->kind == EVENT_OPENED)
			now.last_opened = event;
		if (event->retracted)
			continue;
		switch (event->kind)
		{
			case EVENT_OPENED:
				now.opened = event;
				break;
			case EVENT_REPLIED:
				now.replied = event;
				break;
			case EVENT_INVESTIGATED:
				now.investigated = event;
				break;
			case EVENT_ASSIGNED:
				now.assigned = event;
				break;
			case EVENT_PAUSED:
				now.paused = event;
				break;
			case EVENT_RESUMED:
				now.resumed = event;
				now.paused = NULL;
				break;
			case EVENT_EXEMPTED:
				now.exempted = event;
				break;
			case EVENT_COVERED:
				now.exempted = NULL;
				break;
			case EVENT_RESOLVED:
				now.resolved = event;
				break;
			case EVENT_CANCELLED:
				now.cancelled = event;
				break;
			case EVENT_REOPENED:
				now.reopened = event;
				now.resolved = NULL;
				now.cancelled = NULL;
				break;
			case EVENT_SEVERITY:
				now.severity = event;
				break;
			case EVENT_PRODUCT:
				now.product = event;
				break;
			case EVENT_DELETED:
				now.deleted = event;
				break;
			case EVENT_RESTORED:
				now.restored = event;
				now.deleted = NULL;
				break;
			case EVENT_UPDATED:
			case EVENT_CUSTOMER_REPLIED:
			case EVENT_ACCOUNT:
			case EVENT_CHANNEL:
			case EVENT_PINNED:
			case EVENT_MERGED:
			case EVENT_RETRACTED:
				break;
		}
	}
	return now;
}

void
ticket_history_retract(TicketHistory *history, const TicketEvent *event,
					   TimestampTz at)
{
	int32		seq = event->seq;

	ticket_history_append(history, EVENT_RETRACTED, at)->retracts = seq;
	ticket_history_mark_retracted(history, seq);
}

/*
 * When something happened that the row has no time for. What a row says when
 * it is first seen it has said since it was received, unless it knows better.
 */
static TimestampTz
happened_at(const TicketHistory *history, const TicketRow *row,
			const TicketEvent *not_before)
{
	TimestampTz at = row->changed_at;

	if (history->nrecorded == 0 && row->received.known)
		at = row->changed_known ? Max(at, row->received.at) : row->received.at;
	return not_before == NULL ? at : Max(at, not_before->at);
}

/*
 * The severity a ticket was opened with: the first that could be told, however
 * late that was. 0: none can be told yet.
 */
static Severity
first_severity(const TicketHistory *history, const TicketRow *row,
			   const TicketEvent *last_opened)
{
	if (last_opened != NULL && last_opened->severity != 0)
		return last_opened->severity;
	for (int i = 0; i < history->nevents && last_opened != NULL; i++)
	{
		const TicketEvent *event = &history->events[i];

		if (event->kind == EVENT_SEVERITY && event->source == NULL &&
			!event->retracted && event->severity != 0)
			return event->severity;
	}
	return row->severity;
}

/*
 * However often the time of receipt is corrected, or taken back and said again,
 * the ticket was opened with what the row said the first time: later changes
 * are events of their own. That a severity is told late is no change of it.
 */
static void
follow_received(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	Severity	severity = first_severity(history, row, now.last_opened);
	const char *product = row->product;
	TicketEvent *opened;

	if (now.opened != NULL && row->received.known &&
		row->received.at == now.opened->at &&
		severity == now.opened->severity)
		return;
	if (now.last_opened != NULL)
		product = now.last_opened->old_value;
	if (now.opened != NULL)
		ticket_history_retract(history, now.opened, row->changed_at);
	if (!row->received.known)
		return;
	opened = ticket_history_append(history, EVENT_OPENED, row->received.at);
	opened->severity = severity;
	opened->old_value = product;
}

/* When the row came to say otherwise than an event says */
static TimestampTz
changed_since(const TicketRow *row, const TicketEvent *event)
{
	return event->retracted ? row->changed_at : Max(row->changed_at, event->at);
}

static void
follow_severity(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	TicketEvent *last = now.severity ? now.severity : now.last_opened;

	if (last == NULL || last->severity == row->severity)
		return;
	ticket_history_append(history, EVENT_SEVERITY,
						  changed_since(row, last))->severity = row->severity;
}

static void
follow_product(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	TicketEvent *last = now.product ? now.product : now.last_opened;
	const char *product;
	TicketEvent *event;

	if (last == NULL)
		return;
	product = now.product ? last->value : last->old_value;
	if (same_text(product, row->product))
		return;
	event = ticket_history_append(history, EVENT_PRODUCT,
								  changed_since(row, last));
	event->old_value = product;
	event->value = row->product;
}

/* A time that a row states once: said anew it is a correction. */
static void
follow_fact(TicketHistory *history, const TicketRow *row, EventKind kind,
			MaybeTime said, const TicketEvent *last)
{
	if (last != NULL)
	{
		if (said.known && said.at == last->at)
			return;
		ticket_history_retract(history, last, row->changed_at);
	}
	if (said.known)
		ticket_history_append(history, kind, said.at);
}

/* The last time of something that happens again and again */
static void
follow_last(TicketHistory *history, const TicketRow *row, EventKind kind,
			MaybeTime last)
{
	int			nevents = history->nevents;
	bool		known = false;

	for (int i = 0; i < nevents; i++)
	{
		const TicketEvent *event = &history->events[i];

		if (event->kind != kind || event->retracted || event->source != NULL)
			continue;
		if (last.known && event->at == last.at)
			known = true;
		else if (!last.known || event->at > last.at)
			ticket_history_retract(history, event, row->changed_at);
	}
	if (last.known && !known)
		ticket_history_append(history, kind, last.at);
}

static void
follow_assignee(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	const char *before = now.assigned ? now.assigned->value : NULL;
	TicketEvent *event;

	if (row->assignee == NULL || same_text(before, row->assignee))
		return;
	event = ticket_history_append(history, EVENT_ASSIGNED,
								  happened_at(history, row, now.assigned));
	event->old_value = before;
	event->value = row->assignee;
}

static void
follow_exemption(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	const char *before = now.exempted ? now.exempted->value : NULL;
	TicketEvent *event;

	if (same_text(before, row->exempt))
		return;
	event = ticket_history_append(history,
								  row->exempt ? EVENT_EXEMPTED : EVENT_COVERED,
								  happened_at(history, row, now.exempted));
	event->old_value = before;
	event->value = row->exempt;
}

/*
 * Who resolved a ticket last at an instant cannot have reopened, resolved or
 * cancelled it later: the first reopening after it is taken to have happened
 * just before, the rest not at all.
 */
static void
move_reopenings(TicketHistory *history, TimestampTz resolved_at,
				TimestampTz changed_at)
{
	int			nevents = history->nevents;
	bool		moved = false;

	for (int i = 0; i < nevents; i++)
	{
		const TicketEvent *event = &history->events[i];

		if ((event->kind != EVENT_REOPENED && event->kind != EVENT_RESOLVED &&
			 event->kind != EVENT_CANCELLED) ||
			event->retracted || event->source != NULL ||
			event->at <= resolved_at)
			continue;
		moved = moved || event->kind == EVENT_REOPENED;
		ticket_history_retract(history, event, changed_at);
	}
	if (moved)
		ticket_history_append(history, EVENT_REOPENED, resolved_at);
}

/* The row's status says that it is resolved; a time it has may be stale. */
static void
follow_resolved_status(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	bool		fresh = row->resolved_at.known &&
		(now.reopened == NULL || row->resolved_at.at >= now.reopened->at);

	if (now.resolved != NULL)
	{
		if (!fresh || row->resolved_at.at == now.resolved->at)
			return;
		ticket_history_retract(history, now.resolved, row->changed_at);
	}
	ticket_history_append(history, EVENT_RESOLVED,
						  fresh ? row->resolved_at.at :
						  happened_at(history, row, now.reopened));
}

static void
follow_resolved(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);

	if (!row->resolved)
	{
		if (now.resolved != NULL)
			ticket_history_append(history, EVENT_REOPENED,
								  Max(row->changed_at, now.resolved->at));
		return;
	}
	if (row->resolved_by_status)
	{
		follow_resolved_status(history, row);
		return;
	}
	if (now.resolved != NULL)
	{
		if (row->resolved_at.at == now.resolved->at)
			return;
		ticket_history_retract(history, now.resolved, row->changed_at);
	}
	move_reopenings(history, row->resolved_at.at, row->changed_at);
	ticket_history_append(history, EVENT_RESOLVED, row->resolved_at.at);
}

/*
 * How the ticket ends, if it does. One that was resolved and is cancelled now
 * has not been open in between. One that is not cancelled any more was
 * reopened, unless a time of resolution still says that it was resolved: then
 * the cancellation was a mistake.
 */
static void
follow_ending(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);

	if (row->cancelled)
	{
		if (now.cancelled == NULL)
			ticket_history_append(history, EVENT_CANCELLED,
								  happened_at(history, row, now.reopened))->value = row->status;
		return;
	}
	if (now.cancelled != NULL)
	{
		if (row->resolved && !row->resolved_by_status)
			ticket_history_retract(history, now.cancelled, row->changed_at);
		else
			ticket_history_append(history, EVENT_REOPENED,
								  Max(row->changed_at, now.cancelled->at));
	}
	follow_resolved(history, row);
}

static void
follow_resumption(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);

	if (!row->paused && now.paused != NULL)
		ticket_history_append(history, EVENT_RESUMED,
							  Max(row->changed_at, now.paused->at));
}

static void
follow_pause(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);

	if (row->paused && now.paused == NULL)
		ticket_history_append(history, EVENT_PAUSED,
							  happened_at(history, row, now.resumed))->value = row->status;
}

/*
 * The order in which the news of one row are told decides between those of one
 * instant: what a pause or an end is about comes before it.
 */
void
ticket_history_follow(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);

	if (row->deleted)
	{
		if (now.deleted == NULL && history->nevents > 0)
			ticket_history_append(history, EVENT_DELETED,
								  now.restored == NULL ? row->changed_at :
								  Max(row->changed_at, now.restored->at));
		return;
	}
	if (now.deleted != NULL)
		ticket_history_append(history, EVENT_RESTORED,
							  Max(row->changed_at, now.deleted->at));
	follow_received(history, row);
	follow_severity(history, row);
	follow_product(history, row);
	follow_assignee(history, row);
	follow_exemption(history, row);
	follow_last(history, row, EVENT_CUSTOMER_REPLIED, row->customer_replied);
	follow_fact(history, row, EVENT_INVESTIGATED, row->investigated,
				standing(history).investigated);
	follow_resumption(history, row);
	follow_fact(history, row, EVENT_REPLIED, row->replied,
				standing(history).replied);
	follow_last(history, row, EVENT_UPDATED, row->updated);
	follow_ending(history, row);
	follow_pause(history, row);
}

/*
 * Is a later, or at the same time, an event of a source that undoes this one?
 * Mostly it was recorded a little later.
 */
static bool
is_undone(const TicketHistory *history, const TicketEvent *exempted)
{
	int			own = exempted - history->events;

	for (int i = 1; i < history->nevents; i++)
	{
		const TicketEvent *event = &history->events[(own + i) % history->nevents];

		if (event->retracted ||
			(event->source == NULL) != (exempted->source == NULL) ||
			event->at < exempted->at ||
			(event->at == exempted->at && event->seq <= exempted->seq))
			continue;
		/* the row has one reason at a time; others are lifted by name, or all */
		if (event->kind == EVENT_COVERED &&
			(event->source == NULL || event->old_value == NULL ||
			 same_text(event->old_value, exempted->value)))
			return true;
		if (event->kind == EVENT_EXEMPTED && event->source == NULL)
			return true;
	}
	return false;
}

const char *
ticket_history_exemption(const TicketHistory *history,
						 const PolicyVersion *version, const char **unknown)
{
	*unknown = NULL;
	for (int i = 0; i < history->nevents; i++)
	{
		const TicketEvent *event = &history->events[i];

		if (event->kind != EVENT_EXEMPTED || event->retracted ||
			event->value == NULL || is_undone(history, event))
			continue;
		if (policy_exempts(version, event->value))
			return event->value;
		*unknown = event->value;
	}
	return NULL;
}

const char *
ticket_history_state(const TicketHistory *history)
{
	TicketEvent *events;
	int			nevents;
	FoldState	state;
	PolicyVersion nothing = {0};
	const char *result = "open";

	if (history->nevents == 1 && history->events[0].kind == EVENT_OPENED)
		return result;
	events = fold_events(history->events, history->nevents, &nevents);
	fold_state_init(&state, &nothing, nevents);
	for (int i = 0; i < nevents; i++)
		fold_state_advance(&state, &events[i]);
	if (state.reached & EVENT_KIND_BIT(EVENT_DELETED))
		result = "deleted";
	else if (state.reached & (EVENT_KIND_BIT(EVENT_CANCELLED) |
							  EVENT_KIND_BIT(EVENT_MERGED)))
		result = "cancelled";
	else if (state.reached & EVENT_KIND_BIT(EVENT_RESOLVED))
		result = "resolved";
	else if (state.paused)
		result = "paused";
	fold_state_free(&state);
	pfree(events);
	return result;
}
