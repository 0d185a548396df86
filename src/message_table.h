/*
 * message_table.h
 *		Tables of messages about tickets: how their rows are to be read.
 */
#ifndef SLAPOLICY_MESSAGE_TABLE_H
#define SLAPOLICY_MESSAGE_TABLE_H

#include "slapolicy.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "attachment.h"
#include "ledger_tables.h"

/* A row of sla.message_attachment */
typedef struct MessageTableRow
{
	ItemPointerData tid;
	Datum		values[MESSAGES_NATTS];
	bool		nulls[MESSAGES_NATTS];
} MessageTableRow;

/* A column that decides whether a row is a message at all */
typedef struct MessageFilter
{
	TextColumn	column;
	StatusList	texts;
	bool		null_passes;
} MessageFilter;

/*
 * A table of messages, with column numbers of one relation: the table itself
 * or one of its partitions.
 */
typedef struct MessageTable
{
	int32		id;
	Oid			ticket_table;	/* InvalidOid: it is gone */
	const char *source;			/* what sla.event.source begins with */
	Attachment	own;			/* the message's key, its zone, what is watched */
	Attachment	about;			/* the key of the ticket */
	TextColumn	author;
	TimeColumn	at;
	TextColumn	internal;
	TextColumn	content;
	int			nfilters;
	MessageFilter *filters;
	StatusList	agent_when;		/* not given: all others are agents; or, */
	StatusList	customer_when;	/* likewise, customers */
	const char *customer;		/* column of the ticket that names the author
								 * who is its customer; NULL: see above */
} MessageTable;

typedef enum MessageAuthor
{
	AUTHOR_NOBODY,				/* it counts for nothing */
	AUTHOR_AGENT,
	AUTHOR_CUSTOMER,
	AUTHOR_TICKET_TELLS			/* by its name */
} MessageAuthor;

/* What a row says */
typedef struct Message
{
	char	   *ticket;			/* its key; NULL: it is about none */
	char	   *source;			/* sla.event.source */
	MessageAuthor author;
	char	   *author_name;
	TimestampTz at;				/* meaningless when by nobody */
} Message;

/* All rows of sla.message_attachment; a list of MessageTableRow */
extern List *message_table_rows(Ledger *ledger);

/* The row of a table, also of one that was detached; false: none. Palloc'd. */
extern bool message_table_find_row(Ledger *ledger, Oid relid,
								   MessageTableRow *row);

/*
 * Note in a row that its tables, or one of them, are gone. Somebody else may
 * have done so meanwhile.
 */
extern bool message_table_is_gone(const MessageTableRow *row);
extern void message_table_end_gone(MessageTableRow *row, TimestampTz now);

/*
 * The table that a relation is, or is a partition of. NULL, and *problem a
 * palloc'd sentence without a full stop, when it is not attached or a column
 * it needs is gone. Lives in CurrentMemoryContext.
 */
extern MessageTable *message_table_load(Ledger *ledger, Relation rel,
										char **problem);

/* What a row says; palloc'd */
extern Message message_read(MessageTable *table, TupleTableSlot *slot);

/* Is an event's source a message of the table? NULL is none. */
extern bool message_is_source(const MessageTable *table, const char *source);

#endif							/* SLAPOLICY_MESSAGE_TABLE_H */
