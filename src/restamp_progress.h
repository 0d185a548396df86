/*
 * restamp_progress.h
 *		How far sla.restamp has come with an attached table.
 */
#ifndef SLAPOLICY_RESTAMP_PROGRESS_H
#define SLAPOLICY_RESTAMP_PROGRESS_H

#include "slapolicy.h"
#include "nodes/pg_list.h"
#include "storage/block.h"
#include "storage/itemptr.h"
#include "ledger_tables.h"

/* A row of sla.restamp_progress */
typedef struct RestampProgress
{
	ItemPointerData tid;
	int32		attachment_id;
	TimestampTz started_at;
	int64		nrows;			/* recorded so far */
	int64		nproblems;		/* of these, that no promise covers */
	List	   *finished;		/* OIDs of relations done */
	Oid			relid;			/* the one under way; InvalidOid: none */
	Oid			file;			/* its relfilenode */
	BlockNumber nblocks;		/* that it had when it was begun */
	ItemPointerData last;		/* its row recorded last; invalid: none */
} RestampProgress;

/*
 * The row of an attachment; false when there is none. With lock, its latest
 * version, locked until the transaction ends.
 */
extern bool restamp_progress_find(Ledger *ledger, int32 attachment_id,
								  bool lock, RestampProgress *progress);
extern void restamp_progress_insert(Ledger *ledger,
									const RestampProgress *progress);
extern void restamp_progress_update(Ledger *ledger,
									RestampProgress *progress);

/* Delete the row of an attachment, if there is one. */
extern void restamp_progress_delete(Ledger *ledger, int32 attachment_id);

#endif							/* SLAPOLICY_RESTAMP_PROGRESS_H */
