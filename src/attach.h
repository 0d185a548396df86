/*
 * attach.h
 *		Rows of sla.attachment, for those who write them or act on a whole
 *		table: attaching, recording rows that are there, ending a record.
 */
#ifndef SLAPOLICY_ATTACH_H
#define SLAPOLICY_ATTACH_H

#include "slapolicy.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "ledger_tables.h"
#include "ticket_set.h"

/* A row of sla.attachment */
typedef struct AttachmentRow
{
	ItemPointerData tid;
	Datum		values[ATTACHMENT_NATTS];
	bool		nulls[ATTACHMENT_NATTS];
} AttachmentRow;

/* Raise 42P01 when there is no such relation, 42501 unless the user owns it. */
extern void attach_check_owner(Oid relid);

/* Raise 42809 unless rows of the table can be tickets, or messages. */
extern void attach_check_kind(Oid relid);

/*
 * Keep other sessions from writing to a table that the user owns, all its
 * partitions included, until the transaction ends; a list of their OIDs.
 * Raises as attach_check_owner(), and then not even the lock is taken.
 */
extern List *attach_lock_table(Oid relid);

/* Let every session forget how rows of these relations are read. */
extern void attach_forget_tables(List *relids);

/* The row of a table that is attached; false when it is not. Palloc'd. */
extern bool attach_find_row(Ledger *ledger, Oid relid, AttachmentRow *row);

/* The same of a table that is or was attached */
extern bool attach_find_any_row(Ledger *ledger, Oid relid,
								AttachmentRow *row);

/* All rows, also of tables detached or gone; a list of AttachmentRow */
extern List *attach_all_rows(Ledger *ledger);

/*
 * Record tickets of an attachment as deleted at an instant: all that are not
 * yet, but for those of a set (NULL: none), whose number is returned; or just
 * those that are open or have a clock running. Their rows are gone, or nobody
 * else can write to them.
 */
extern int64 attach_end_tickets(Ledger *ledger, const AttachmentRow *row,
								const TicketSet *but, TimestampTz now);
extern void attach_end_live_tickets(Ledger *ledger, const AttachmentRow *row,
									TimestampTz now);

/* Record that the table was detached at an instant; its tickets stay. */
extern void attach_end_row(Ledger *ledger, AttachmentRow *row,
						   TimestampTz now);

#endif							/* SLAPOLICY_ATTACH_H */
