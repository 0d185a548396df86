/*
 * ticket_lookup.h
 *		The rows of tickets in the users' tables, by the keys the ledger has:
 *		found, locked and stamped.
 *
 * Whoever records something that is not a row's own news comes here first,
 * for the order of locks is the user's row, then sla.ticket, then the rest.
 */
#ifndef SLAPOLICY_TICKET_LOOKUP_H
#define SLAPOLICY_TICKET_LOOKUP_H

#include "slapolicy.h"
#include "nodes/lockoptions.h"
#include "attachment.h"
#include "record.h"

/* One attached table, for any number of look-ups */
typedef struct TicketLookup TicketLookup;

typedef enum TicketRowState
{
	TICKET_ROW_NONE,			/* no row has the key, or none that could be
								 * locked: of a foreign partition */
	TICKET_ROW_BUSY,			/* another session holds it; not waited for */
	TICKET_ROW_LOCKED
} TicketRowState;

/* A row that is locked until the end of the transaction */
typedef struct TicketUserRow
{
	Relation	rel;			/* the table, or the partition it is in; of the
								 * table when there is no row */
	TupleTableSlot *slot;		/* its latest version; NULL: no row. Belongs to
								 * the look-up and lasts until the next one */
} TicketUserRow;

/*
 * Begin, as a writer of the table: ROW EXCLUSIVE is held until the end of the
 * transaction. Checks nobody's rights. Raises 55000 when it is not attached.
 * Close it in the same (sub)transaction; an error closes it, too.
 */
extern TicketLookup *ticket_lookup_open(Oid relid);
extern void ticket_lookup_close(TicketLookup *lookup);

/*
 * Find the row with a key, as sla.ticket.key has it or as the key's types read
 * it, by the unique index of its columns, and lock it FOR NO KEY UPDATE. What
 * is committed now counts, and what this transaction has done, whatever the
 * isolation level; a row that nobody has committed is not there. wait says
 * whether to wait for other sessions; LockWaitError is not supported. Raises
 * what the types' input functions raise of what is no key. Increments the
 * command counter.
 *
 * The key of a composite one is a text array. One that sla.ticket.key has
 * shortened, or whose index is gone, is looked for in all rows.
 */
extern TicketRowState ticket_lookup_lock(TicketLookup *lookup,
										 const char *key, LockWaitPolicy wait,
										 TicketUserRow *row);

/*
 * A key as sla.ticket.key has it, palloc'd, whether or not there is a row.
 * Raises what the types' input functions raise.
 */
extern char *ticket_lookup_key(TicketLookup *lookup, const char *key);

/*
 * The attachment that governs a row; valid until the next call of
 * attachment_get(). Raises 55000 when a column is gone.
 */
extern const Attachment *ticket_lookup_attachment(const TicketUserRow *row);

/*
 * Write a plan's due times into a locked row, if it has others, as its owner
 * and firing no trigger. The row is not to be used afterwards. Raises 40001 in
 * a REPEATABLE READ or SERIALIZABLE transaction that cannot see the row as it
 * is, as an UPDATE of it would. Increments the command counter.
 */
extern void ticket_lookup_stamp(TicketLookup *lookup, TicketUserRow *row,
								const Attachment *attachment,
								const TicketPlan *plan);

#endif							/* SLAPOLICY_TICKET_LOOKUP_H */
