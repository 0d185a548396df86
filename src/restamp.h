/*
 * restamp.h
 *		Recording and stamping rows that are in their table already.
 */
#ifndef SLAPOLICY_RESTAMP_H
#define SLAPOLICY_RESTAMP_H

#include "slapolicy.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"
#include "stamp.h"
#include "ticket_set.h"

/* What came of rows, over any number of relations */
typedef struct RowTally
{
	int64		nrows;
	int64		nproblems;		/* of these, that no promise covers */
	char	   *first_problem;	/* of which ticket, and why; NULL: none */
	int64		nchanged;		/* only counted while seen is there */
	TicketSet  *seen;			/* NULL; or receives the tickets' ids */
} RowTally;

/*
 * Rows of one relation that holds rows itself, between open and close, which
 * belong into one (sub)transaction. In between, the relation's own expressions
 * run as its owner, security-restricted, and what they set does not last.
 */
typedef struct RowRecorder
{
	Relation	rel;
	RowTally   *tally;
	TimestampTz now;
	StampTarget *target;
	MemoryContext row_context;
	Oid			user;			/* to go back to */
	int			sec_context;
	int			guc_level;
} RowRecorder;

extern void row_recorder_open(RowRecorder *recorder, Relation rel,
							  TimestampTz now, RowTally *tally);

/*
 * Record what a row says and write its due times, firing no trigger. slot as
 * for stamp_row(). Raises 55000 when the table is not attached, 23514 for a
 * row that it rejects. Increments the command counter.
 */
extern void row_recorder_record(RowRecorder *recorder, TupleTableSlot *slot);
extern void row_recorder_close(RowRecorder *recorder);

/* Record all rows of these relations, to which nobody else can write. */
extern void restamp_relations(List *relids, TimestampTz now, RowTally *tally);

/* Warn of rows of a table that no promise covers, if there are any. */
extern void restamp_warn(Oid relid, const RowTally *tally);

/* Raise 55000. */
pg_noreturn extern void restamp_not_attached(Oid relid);

#endif							/* SLAPOLICY_RESTAMP_H */
