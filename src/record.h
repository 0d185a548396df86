/*
 * record.h
 *		Brings the ledger up to what a ticket's row says.
 */
#ifndef SLAPOLICY_RECORD_H
#define SLAPOLICY_RECORD_H

#include "slapolicy.h"
#include "attachment.h"
#include "clock.h"
#include "ledger.h"

/* What the ledger should say of a ticket */
typedef struct TicketPlan
{
	TicketHistory history;		/* with the events the row adds */
	int32		policy_version_id;	/* 0: none */
	bool		folded;			/* the clocks below are known */
	Clock	   *clocks;			/* metric names and hours owned by the policy
								 * cache: use before the next look-up */
	int			nclocks;
	char	   *problem;		/* why no promise applies, NULL: one does */
} TicketPlan;

/*
 * Work out the plan for a row, given what the ledger holds of the ticket
 * (NULL: nothing). problem is what is wrong with the row itself, or NULL.
 * Writes nothing.
 */
extern void record_plan(const Attachment *attachment, Ledger *ledger,
						const LedgerTicket *ticket, const TicketRow *row,
						char *problem, TicketPlan *plan);

/*
 * Record what the row says under the key, and under its former key when that
 * is not NULL and another. Adds nothing that is recorded already. Returns why
 * no promise applies (palloc'd), NULL when one does; *plan, if not NULL, is
 * filled in. Increments the command counter, so that later look-ups see it.
 */
extern char *record_row(const Attachment *attachment, const char *key,
						const char *former_key, const TicketRow *row,
						char *problem, TimestampTz now, TicketPlan *plan);

#endif							/* SLAPOLICY_RECORD_H */
