/*
 * record.h
 *		Brings the ledger up to what a ticket's row, and others, say.
 */
#ifndef SLAPOLICY_RECORD_H
#define SLAPOLICY_RECORD_H

#include "slapolicy.h"
#include "attachment.h"
#include "clock.h"
#include "ledger.h"
#include "restriction.h"

/* What the ledger should say of a ticket */
typedef struct TicketPlan
{
	TicketHistory history;		/* with the events that are new */
	const PolicyVersion *version;	/* NULL: none; use before the next look-up */
	int32		policy_version_id;	/* 0: none, like the next three */
	int32		edition_id;		/* 0 also: not written yet */
	int32		contract_id;
	int32		hours_id;		/* that stand for those of all targets */
	Datum		hours;
	const char *channel;
	bool		folded;			/* the clocks below are known */
	Clock	   *clocks;			/* metric names and hours owned by the version */
	int			nclocks;
	char	   *problem;		/* what the row or the policy lacks; NULL: nothing */
	char	   *uncovered;		/* why nothing is promised; NULL: something is */
	const char *exemption;		/* reason; NULL: none */
	const char *unknown_exemption;	/* a reason the policy does not know */
	RestrictionDetail *refused; /* why the row is not to be accepted; NULL: it is */
	bool		was_known;		/* the ledger had the ticket under that key */
} TicketPlan;

/* Where a plan's policy is to be taken from */
typedef enum PlanBasis
{
	PLAN_AS_BEFORE,				/* the edition the ticket has, if it still fits */
	PLAN_ANEW					/* what policies and contracts say now */
} PlanBasis;

/*
 * Work out the plan for a row, given what the ledger holds of the ticket
 * (NULL: nothing). problem is what is wrong with the row itself, or NULL.
 * Writes nothing and refuses nothing: only record_row() knows for sure whether
 * a row is new.
 */
extern void record_plan(const Attachment *attachment, Ledger *ledger,
						const LedgerTicket *ticket, const TicketRow *row,
						char *problem, TicketPlan *plan);

/*
 * Work out the plan for a recorded ticket whose row says nothing new, with
 * the events that plan->history holds beyond those recorded.
 */
extern void record_plan_ticket(const Attachment *attachment, Ledger *ledger,
							   const LedgerTicket *ticket, PlanBasis basis,
							   TicketPlan *plan);

/*
 * Would a plan of record_plan_ticket() change the ticket's own row: hold it to
 * another edition or contract, or to none? The ledger must be open for writing,
 * for the edition is written if it is new.
 */
extern bool record_moves_ticket(Ledger *ledger, const LedgerTicket *ticket,
								TicketPlan *plan);

/*
 * Write a plan of record_plan_ticket() about a locked ticket, for which there
 * is something to write. Increments the command counter.
 */
extern void record_write(Ledger *ledger, LedgerTicket *ticket,
						 TicketPlan *plan, TimestampTz now);

/*
 * Record what the row says under the key, and under its former key when that
 * is not NULL and another. Adds nothing that is recorded already. Returns what
 * the row or its policy lacks (palloc'd), NULL when nothing; *plan, if not
 * NULL, is filled in. Increments the command counter, so that later look-ups
 * see it. Raises SL001 for a new row that its policy refuses.
 */
extern char *record_row(const Attachment *attachment, const char *key,
						const char *former_key, const TicketRow *row,
						char *problem, TimestampTz now, TicketPlan *plan);

#endif							/* SLAPOLICY_RECORD_H */
