/*
 * invoice_table.h
 *		Tables of invoices: how their rows are to be read.
 */
#ifndef SLAPOLICY_INVOICE_TABLE_H
#define SLAPOLICY_INVOICE_TABLE_H

#include "slapolicy.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "attachment.h"
#include "ledger_tables.h"
#include "restriction_rule.h"

/* A row of sla.invoice_attachment */
typedef struct InvoiceTableRow
{
	ItemPointerData tid;
	Datum		values[INVOICES_NATTS];
	bool		nulls[INVOICES_NATTS];
} InvoiceTableRow;

/* A column with a date or a time, or with a flag; attnum 0: not used */
typedef struct MomentColumn
{
	AttrNumber	attnum;
	Oid			type;
	const char *name;
} MomentColumn;

typedef enum MomentRole
{
	MOMENT_DUE,
	MOMENT_SETTLED,
	MOMENT_VOIDED,				/* a flag will do, like for the next one */
	MOMENT_DISPUTED,
	MOMENT_CHANGED,
	MOMENT_RECORDED
} MomentRole;

#define NUM_MOMENT_ROLES	(MOMENT_RECORDED + 1)

/* A column with an amount; attnum 0: not used */
typedef struct AmountColumn
{
	AttrNumber	attnum;
	Oid			type;
	const char *name;
} AmountColumn;

/*
 * A table of invoices, with column numbers of one relation: the table itself
 * or one of its partitions.
 */
typedef struct InvoiceTable
{
	int32		id;
	const char *policy;
	bool		reject;			/* rows that cannot count are errors */
	Attachment	own;			/* key, zone, what is watched */
	TextColumn	account;
	TextColumn	service;
	TextColumn	status;
	MomentColumn moments[NUM_MOMENT_ROLES];
	AmountColumn amount;
	AmountColumn paid;
	StatusList	settled_when;
	StatusList	voided_when;
	StatusList	disputed_when;
} InvoiceTable;

/* Whether something is so, and since when if the row tells */
typedef struct InvoiceFlag
{
	bool		on;
	MaybeTime	since;
} InvoiceFlag;

/* What a row says; texts and numbers are palloc'd */
typedef struct InvoiceRow
{
	char	   *account;		/* NULL: none, like the next one */
	char	   *service;
	bool		has_due;
	DateADT		due;
	bool		has_amount;
	Datum		amount;
	bool		has_paid;		/* false: the row tells nothing new */
	Datum		paid;
	InvoiceFlag settled;
	InvoiceFlag voided;
	InvoiceFlag disputed;
	TimestampTz changed_at;
	TimestampTz recorded_at;
	char	   *problem;		/* why it cannot count; NULL: it can */
} InvoiceRow;

/* All rows of sla.invoice_attachment; a list of InvoiceTableRow */
extern List *invoice_table_rows(Ledger *ledger);

/* The row of a table, also of one that was detached; false: none. Palloc'd. */
extern bool invoice_table_find_row(Ledger *ledger, Oid relid,
								   InvoiceTableRow *row);

/*
 * The table that a relation is, or is a partition of. NULL, and *problem a
 * palloc'd sentence without a full stop, when it is not attached or a column
 * it needs is gone. Lives in CurrentMemoryContext.
 */
extern InvoiceTable *invoice_table_load(Ledger *ledger, Relation rel,
										char **problem);

/* Is a number, a numeric, one that an amount can be? */
extern bool invoice_is_amount(Datum number);

/*
 * What a row says. Days and dates are those of the rule; NULL: of UTC. now is
 * the answer to when it came to say so and when we learned of that, unless
 * columns tell.
 */
extern void invoice_table_read(InvoiceTable *table, TupleTableSlot *slot,
							   const RestrictionRule *rule, TimestampTz now,
							   InvoiceRow *row);

#endif							/* SLAPOLICY_INVOICE_TABLE_H */
