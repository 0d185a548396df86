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
 * Keep texts, which may be NULL, of a row that moves. One command moves rows
 * one after the other; those that get lost on the way are overtaken by the
 * next.
 */
extern void moved_row_keep(MovedFor whom, int32 id, TupleTableSlot *slot,
						   int ntexts, char *const *texts);

/*
 * What was kept of a row that has arrived, palloc'd, and is forgotten then;
 * NULL: it has not moved. Another row that the command inserts is taken for one
 * that got lost.
 */
extern char **moved_row_arrived(MovedFor whom, int32 id, TupleTableSlot *slot,
								int *ntexts);

/*
 * What the primary key of a partitioned table says of a row of one of its
 * partitions, as texts, palloc'd; NULL for columns of a partition key, which
 * change when it moves. The others mostly stay.
 */
extern char **moved_row_identity(Relation rel, TupleTableSlot *slot,
								 int *ntexts);

#endif							/* SLAPOLICY_MOVED_ROW_H */
