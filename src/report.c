/*
 * report.c
 *		What others than its row report of a ticket.
 *
 * The user's row is locked first, like by whoever updates it, then the
 * ticket's in the ledger; what is read then is the latest, whatever the
 * isolation level, so that no event is lost and no due time is stale.
 *
 * Knows nothing of who reports what.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"

#include "report.h"
#include "stamp.h"

/* Record a row that no trigger has seen yet. */
static void
record_locked_row(TicketUserRow *row, const char *key, TimestampTz now)
{
	const Attachment *attachment = ticket_lookup_attachment(row);
	char	   *problem = NULL;
	TicketRow	said = attachment_read_row(attachment, row->slot, now, &problem);

	if (problem != NULL && attachment->reject)
		reject_row(row->rel, key, problem);
	problem = record_row(attachment, key, NULL, &said, problem, now, NULL);
	if (problem != NULL && attachment->reject)
		reject_row(row->rel, key, problem);
}

bool
report_begin(TicketReport *report, TicketLookup *lookup, Ledger *ledger,
			 const char *key, TimestampTz now)
{
	TicketUserRow *row = &report->row;
	LedgerTicket *ticket = &report->ticket;
	bool		found;

	report->lookup = lookup;
	report->ledger = ledger;
	do
	{
		int32		id;
		char	   *known_as;

		CHECK_FOR_INTERRUPTS();
		ticket_lookup_lock(lookup, key, LockWaitBlock, row);
		known_as = row->slot == NULL ? ticket_lookup_key(lookup, key) :
			attachment_key(ticket_lookup_attachment(row), row->slot);
		id = ticket_lookup_attachment(row)->id;
		found = ledger_find_ticket(ledger, id, known_as, true, ticket);
		if (!found && row->slot != NULL)
		{
			record_locked_row(row, known_as, now);
			found = ledger_find_ticket(ledger, id, known_as, true, ticket);
		}
		if (!found)
			return false;
		/* otherwise another row took the key while we waited */
		if (strcmp(ticket->key, known_as) == 0)
			break;
	} while (true);

	/*
	 * The row may have come back while we waited. Waiting for it now would be
	 * against the order of locks; who holds it waits for us to record it.
	 */
	if (row->slot == NULL && strcmp(ticket->state, "deleted") != 0)
		ticket_lookup_lock(lookup, key, LockWaitSkip, row);

	memset(&report->plan, 0, sizeof(report->plan));
	ticket_history_init(&report->plan.history);
	ledger_read_events(ledger, ticket->id, &report->plan.history);
	return true;
}

void
report_fold(TicketReport *report)
{
	record_plan_ticket(ticket_lookup_attachment(&report->row), report->ledger,
					   &report->ticket, PLAN_AS_BEFORE, &report->plan);
}

void
report_write(TicketReport *report, TimestampTz now)
{
	record_write(report->ledger, &report->ticket, &report->plan, now);
	if (report->row.slot != NULL)
		ticket_lookup_stamp(report->lookup, &report->row,
							ticket_lookup_attachment(&report->row),
							&report->plan);
}
