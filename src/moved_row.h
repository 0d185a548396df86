/*
 * moved_row.h
 *		What is to be known of a row where it arrives that moves to another
 *		partition: DELETE fires where it leaves, then INSERT where it arrives.
 */
#ifndef SLAPOLICY_MOVED_ROW_H
#define SLAPOLICY_MOVED_ROW_H

#include "slapolicy.h"
#include "access/htup.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"

/* A row's header; NULL when it is not one of the heap's */
extern HeapTupleHeader row_header(TupleTableSlot *slot);

/* Who wants to know; each has ids of its own */
typedef enum MovedFor
{
	MOVED_TICKET,				/* of an attachment */
	MOVED_INVOICE,				/* of an attachment of invoices */
	MOVED_GUARDED				/* of a guard */
} MovedFor;

/*
 * Does a row for which DELETE has fired go on to another partition? Replicated
 * rows do not tell: those of partitions may.
 */
extern bool moved_row_leaves(Relation rel, TupleTableSlot *slot);

/*
 * Keep texts, which may be NULL, of a row that moves, and what tells which one it
 * is: nkeys columns of rel that identify its rows.
 */
extern void moved_row_keep(MovedFor whom, int32 id, Relation rel,
						   TupleTableSlot *slot,
						   int nkeys, const AttrNumber *keys,
						   int ntexts, char *const *texts);

/*
 * What was kept of a row that has arrived, palloc'd, and is forgotten then;
 * NULL: it is none that has moved. Where rows can get lost on their way it is
 * the one whose keys say the same, but for columns of a partition key, of which
 * some may say something else; so it is always for a guard.
 */
extern char **moved_row_arrived(MovedFor whom, int32 id, Relation rel,
								TupleTableSlot *slot,
								int nkeys, const AttrNumber *keys,
								int *ntexts);

/*
 * The columns, as rel numbers them, of the primary key of the table that rel is
 * a partition of, palloc'd; none if it has none.
 */
extern AttrNumber *moved_row_keys(Relation rel, int *nkeys);

#endif							/* SLAPOLICY_MOVED_ROW_H */
