/*
 * ledger.h
 *		Rows of sla.ticket, sla.event, sla.clock and sla.alert, in and out.
 *
 * Rows are read as committed now, whatever the isolation level, and
 * written straight to heap and indexes, whatever the privileges of the user:
 * callers decide what may be recorded. Every writer locks the ticket's row
 * first.
 */
#ifndef SLAPOLICY_LEDGER_H
#define SLAPOLICY_LEDGER_H

#include "slapolicy.h"
#include "storage/itemptr.h"
#include "clock.h"
#include "ledger_tables.h"
#include "ticket.h"

/* A row of sla.ticket */
typedef struct LedgerTicket
{
	ItemPointerData tid;
	int64		id;
	int32		attachment_id;
	char	   *key;
	int32		version;
	const char *state;
	Severity	severity;		/* 0: NULL */
	int32		policy_version_id;	/* 0: NULL, like the next three */
	int32		edition_id;
	int32		contract_id;
	int32		hours_id;
	MaybeTime	received;
	const char *policy;			/* that the row names; NULL: not said, like all
								 * that follows */
	const char *account;
	const char *service;
	const char *product;
	const char *channel;
	const char *team;
	const char *assignee;
	Datum		labels;			/* jsonb; 0: none */
	char	   *exempt;
} LedgerTicket;

/*
 * Find a ticket by attachment and key; false when there is none. With lock,
 * its row is locked until the end of the transaction, waiting for others, and
 * what comes back is its latest version.
 */
extern bool ledger_find_ticket(Ledger *ledger, int32 attachment_id,
							   const char *key, bool lock,
							   LedgerTicket *ticket);

/*
 * Take the key away from a ticket, which must be locked: another ticket's row
 * has it now. What comes after the key in the new one tells them apart, also
 * from rows that have such a key themselves.
 */
extern void ledger_displace_ticket(Ledger *ledger, LedgerTicket *ticket);

/*
 * Find and lock the ticket that lost the key by ledger_displace_ticket() but
 * was not deleted, in this transaction: its own row's news has not arrived yet.
 */
extern bool ledger_find_displaced(Ledger *ledger, int32 attachment_id,
								  const char *key, LedgerTicket *ticket);

/*
 * Keys of the attachment's tickets that are open or still have a clock
 * running; a list of palloc'd strings.
 */
extern List *ledger_live_tickets(Ledger *ledger, int32 attachment_id);

/* Does any of the ticket's clocks run? */
extern bool ledger_has_running_clock(Ledger *ledger, int64 ticket_id);

/* Do two rows of a ticket say the same, whatever their version? */
extern bool ledger_same_ticket(const LedgerTicket *a, const LedgerTicket *b);

/* Fills in id and version. */
extern void ledger_insert_ticket(Ledger *ledger, LedgerTicket *ticket);

/* Writes everything but id and attachment, with version + 1; must be locked. */
extern void ledger_update_ticket(Ledger *ledger, LedgerTicket *ticket);

/* Append an event from a row of sla.event; they come in order of recording. */
extern void ledger_event_from_tuple(TupleDesc desc, HeapTuple tuple,
									TicketHistory *history);

/* Append the recorded events of a ticket, in order of recording. */
extern void ledger_read_events(Ledger *ledger, int64 ticket_id,
							   TicketHistory *history);

/* Write the events of a history that are not recorded yet. */
extern void ledger_write_events(Ledger *ledger, int64 ticket_id,
								TicketHistory *history,
								TimestampTz recorded_at);

/*
 * Make the ticket's clocks what the fold says: new ones are inserted, changed
 * ones updated, ones that should never have been removed. now decides
 * whether a breach that was flagged is undone; a new ticket has none yet.
 */
extern void ledger_write_clocks(Ledger *ledger, int64 ticket_id,
								const Clock *clocks, int nclocks,
								TimestampTz now, bool new_ticket);

/* A clock in which the ledger and a fold differ, as rows of sla.clock */
typedef struct ClockChange
{
	const Datum *old_values;	/* NULL: there is no such row */
	const bool *old_nulls;
	const Datum *new_values;	/* NULL: the fold has no such clock. Without id, */
	const bool *new_nulls;		/* aim and next_alert_at */
	uint32		differs;		/* in columns, the bit 1 << number of each; 0
								 * where there is only one row */
} ClockChange;

/*
 * What ledger_write_clocks() would change of a ticket's clocks, but for the
 * queue: a list of ClockChange, palloc'd. Locks and writes nothing.
 */
extern List *ledger_clock_changes(Ledger *ledger, int64 ticket_id,
								  const Clock *clocks, int nclocks);

#endif							/* SLAPOLICY_LEDGER_H */
