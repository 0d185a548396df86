/*
 * ledger_about.h
 *		Rows of the ledger that are each about a table of a user's: how its rows
 *		are to be read.
 *
 * For sla.attachment, sla.message_attachment, sla.invoice_attachment and
 * sla.guard_rule.
 */
#ifndef SLAPOLICY_LEDGER_ABOUT_H
#define SLAPOLICY_LEDGER_ABOUT_H

#include "slapolicy.h"
#include "nodes/pg_list.h"
#include "ledger_tables.h"

/* The row about a table, a palloc'd copy; NULL: there is none */
extern HeapTuple ledger_about_table(Ledger *ledger, LedgerTable table,
									Oid relid);

/*
 * The row that governs a relation: its own or that of the partitioned table it
 * belongs to. Rows with a value in the column ended (0: there is no such
 * column) are over. A palloc'd copy; NULL: there is none.
 */
extern HeapTuple ledger_about_relation(Ledger *ledger, LedgerTable table,
									   AttrNumber ended, Relation rel);

/* All rows, also about tables that are gone; a list of palloc'd copies */
extern List *ledger_about_all(Ledger *ledger, LedgerTable table);

#endif							/* SLAPOLICY_LEDGER_ABOUT_H */
