/*
 * report.h
 *		What others than its row report of a ticket: the steps that all of
 *		them have in common.
 */
#ifndef SLAPOLICY_REPORT_H
#define SLAPOLICY_REPORT_H

#include "slapolicy.h"
#include "ledger.h"
#include "record.h"
#include "ticket_lookup.h"

/* A ticket that events are reported of: its row and the ledger's are locked */
typedef struct TicketReport
{
	TicketLookup *lookup;
	Ledger	   *ledger;
	TicketUserRow row;			/* that of the user; it may have none */
	LedgerTicket ticket;
	TicketPlan	plan;			/* with all recorded events in its history */
} TicketReport;

/*
 * Lock the ticket of a key, as ticket_lookup_lock() reads it, and read its
 * events. A row that is not recorded yet is recorded. False when there is no
 * such ticket; one whose row is gone is there.
 */
extern bool report_begin(TicketReport *report, TicketLookup *lookup,
						 Ledger *ledger, const char *key, TimestampTz now);

/*
 * Fold what is in the plan's history by now. Nothing is written. The plan's
 * version is to be used before the next look-up of a policy.
 */
extern void report_fold(TicketReport *report);

/*
 * Write what was folded, and the due times into the ticket's row. Increments
 * the command counter.
 */
extern void report_write(TicketReport *report, TimestampTz now);

#endif							/* SLAPOLICY_REPORT_H */
