/*
 * message_report.h
 *		What messages say of tickets, against the events recorded of them.
 */
#ifndef SLAPOLICY_MESSAGE_REPORT_H
#define SLAPOLICY_MESSAGE_REPORT_H

#include "slapolicy.h"
#include "ledger_tables.h"
#include "message_table.h"
#include "ticket_lookup.h"
#include "ticket_set.h"

/* Messages of one table, on their way to any number of tickets */
typedef struct MessageReporter
{
	const MessageTable *table;
	Ledger	   *ledger;
	int32		attachment_id;	/* of the ticket table */
	MemoryContext context;		/* in which it was opened */
	TicketLookup *lookup;		/* NULL until a ticket is found */
	TimestampTz now;
	TicketSet  *seen;			/* NULL; or receives the tickets' ids */
} MessageReporter;

/*
 * Begin, as a writer of the ticket table. False when that is gone or not
 * attached: then there is nothing to report to, and nothing to close. Close it
 * in the same (sub)transaction; an error closes it, too.
 */
extern bool message_reporter_open(MessageReporter *reporter,
								  const MessageTable *table, TimestampTz now);
extern void message_reporter_close(MessageReporter *reporter);

/*
 * Bring the record of the ticket with a key up to what messages say, in order
 * of time; those by nobody say nothing. With all, events of other messages of
 * the table were not so. A ticket that is not recorded, or deleted, is left
 * alone. Returns how many of the messages stand as events. Increments the
 * command counter.
 */
extern int	message_report(MessageReporter *reporter, const char *ticket,
						   const Message *messages, int n, bool all);

/*
 * Report any number of messages, about whichever tickets, in order of their
 * becoming so: the last one of a source counts. Tickets are locked in the
 * order of their keys. Increments the command counter.
 */
extern void message_report_all(const MessageTable *table,
							   const Message *messages, int n);

#endif							/* SLAPOLICY_MESSAGE_REPORT_H */
