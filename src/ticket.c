/*
 * ticket.c
 *		Derives events from the difference between what is recorded of a
 *		ticket and what its row says now.
 *
 * The comparison is with the record, not with the row's former version: a
 * trigger that comes late, twice or in the wrong order finds what is still
 * missing and adds nothing else. Times that a row states as facts (received,
 * replied, resolved) may be corrected: the old event is retracted, the new one
 * added. What has no time of its own (severity, reopening, deletion) happened
 * when the row changed, but not before what it undoes.
 *
 * Knows nothing of tables, triggers and policies.
 */
#include "postgres.h"

#include "ticket.h"

/* The events that say what the row said last; NULL where nothing is said */
typedef struct Standing
{
	TicketEvent *opened;
	TicketEvent *replied;
	TicketEvent *resolved;		/* NULL also after a reopening */
	TicketEvent *severity;		/* the last that changed it */
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
			case EVENT_RESOLVED:
				now.resolved = event;
				break;
			case EVENT_REOPENED:
				now.resolved = NULL;
				break;
			case EVENT_SEVERITY:
				now.severity = event;
				break;
			case EVENT_DELETED:
				now.deleted = event;
				break;
			case EVENT_RESTORED:
				now.restored = event;
				now.deleted = NULL;
				break;
			case EVENT_RETRACTED:
				break;
		}
	}
	return now;
}

static void
retract(TicketHistory *history, const TicketEvent *event, TimestampTz at)
{
	int32		seq = event->seq;

	ticket_history_append(history, EVENT_RETRACTED, at)->retracts = seq;
	ticket_history_mark_retracted(history, seq);
}

static void
follow_received(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	Severity	severity = row->severity;

	if (now.opened != NULL)
	{
		if (row->received.known && row->received.at == now.opened->at)
			return;
		severity = now.opened->severity;
		retract(history, now.opened, row->changed_at);
	}
	if (row->received.known)
		ticket_history_append(history, EVENT_OPENED,
							  row->received.at)->severity = severity;
}

static void
follow_severity(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);
	TicketEvent *last = now.severity ? now.severity : now.opened;

	if (last == NULL || last->severity == row->severity)
		return;
	ticket_history_append(history, EVENT_SEVERITY,
						  Max(row->changed_at, last->at))->severity = row->severity;
}

static void
follow_replied(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);

	if (now.replied != NULL)
	{
		if (row->replied.known && row->replied.at == now.replied->at)
			return;
		retract(history, now.replied, row->changed_at);
	}
	if (row->replied.known)
		ticket_history_append(history, EVENT_REPLIED, row->replied.at);
}

/*
 * Who resolved a ticket at an instant cannot have reopened it later: the first
 * reopening after it is taken to have happened just before, the others not at
 * all.
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

		if (event->kind != EVENT_REOPENED || event->retracted ||
			event->at <= resolved_at)
			continue;
		retract(history, event, changed_at);
		moved = true;
	}
	if (moved)
		ticket_history_append(history, EVENT_REOPENED, resolved_at);
}

static void
follow_resolved(TicketHistory *history, const TicketRow *row)
{
	Standing	now = standing(history);

	if (!row->resolved.known)
	{
		if (now.resolved != NULL)
			ticket_history_append(history, EVENT_REOPENED,
								  Max(row->changed_at, now.resolved->at));
		return;
	}
	if (now.resolved != NULL)
	{
		if (row->resolved.at == now.resolved->at)
			return;
		retract(history, now.resolved, row->changed_at);
	}
	move_reopenings(history, row->resolved.at, row->changed_at);
	ticket_history_append(history, EVENT_RESOLVED, row->resolved.at);
}

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
	follow_replied(history, row);
	follow_resolved(history, row);
}
