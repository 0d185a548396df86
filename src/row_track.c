/*
 * row_track.c
 *		What triggers must remember of rows from one firing to another.
 *
 * AFTER triggers hear of changes in the order of their statements, and ours is
 * the first by name for each. Two things come in another order. A row that
 * moves to another partition is deleted here and inserted there. And triggers
 * with names before ours ("!a") run statements of their own, whose triggers
 * fire before we have heard of what set them off.
 *
 * Which statement made or ended a version of a row is told by the command
 * numbers in it, which rise throughout a transaction.
 *
 * Knows nothing of the ledger.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "row_track.h"

/* A row under a key: which command of which (sub)transaction put it there */
typedef struct TrackedRow
{
	struct TrackedRow *next;
	int32		attachment_id;
	TransactionId xid;
	CommandId	cid;
	Newcomer	where;			/* of a new row */
	char	   *key;
} TrackedRow;

static TrackedRow *moved_rows = NULL;
static TrackedRow *new_rows = NULL;

/* A row's header, NULL when it is not one of the heap's */
static HeapTupleHeader
header_of(TupleTableSlot *slot)
{
	return TTS_IS_BUFFERTUPLE(slot) ?
		((BufferHeapTupleTableSlot *) slot)->base.tuple->t_data : NULL;
}

/* Are we in a trigger of a statement that a trigger runs? */
static bool
is_nested(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) > 1;
}

static TrackedRow *
add_row(TrackedRow **list, int32 attachment_id, TransactionId xid,
		CommandId cid, const char *key)
{
	TrackedRow *row = MemoryContextAlloc(TopMemoryContext,
										 sizeof(TrackedRow) + strlen(key) + 1);

	row->attachment_id = attachment_id;
	row->xid = xid;
	row->cid = cid;
	row->key = strcpy((char *) (row + 1), key);
	row->next = *list;
	*list = row;
	return row;
}

/* Drop what was left by transactions that are over. */
static void
forget_old(TrackedRow **list)
{
	while (*list != NULL)
	{
		TrackedRow *row = *list;

		if (TransactionIdIsCurrentTransactionId(row->xid))
			list = &row->next;
		else
		{
			*list = row->next;
			pfree(row);
		}
	}
}

/* Where a row that a command moved is in the list; NULL: it moved none */
static TrackedRow **
find_moved(TransactionId xid, CommandId cid)
{
	for (TrackedRow **link = &moved_rows; *link != NULL; link = &(*link)->next)
		if ((*link)->xid == xid && (*link)->cid == cid)
			return link;
	return NULL;
}

/* The key of the row that a command moved, forgotten then; palloc'd */
static char *
take_moved(int32 attachment_id, TransactionId xid, CommandId cid)
{
	TrackedRow **link = find_moved(xid, cid);
	TrackedRow *row;
	char	   *key;

	if (link == NULL)
		return NULL;
	row = *link;
	*link = row->next;
	key = row->attachment_id == attachment_id ? pstrdup(row->key) : NULL;
	pfree(row);
	return key;
}

/* Was a version of a row put where it is by the present transaction? */
static bool
is_ours(HeapTupleHeader tuple)
{
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple));
}

/*
 * The row that leaves says that it moves; but not where replicated changes are
 * applied, which one command does one of anyway. One command moves rows one
 * after the other; those that get lost on the way are overtaken by the next.
 */
bool
row_track_left(Relation rel, const Attachment *attachment,
			   TupleTableSlot *slot, const char *key)
{
	HeapTupleHeader tuple = header_of(slot);
	char	   *before = NULL;
	TransactionId xid;
	CommandId	cid;

	if (tuple == NULL ||
		(!HeapTupleHeaderIndicatesMovedPartitions(tuple) &&
		 !(IsLogicalWorker() && rel->rd_rel->relispartition)))
		return false;
	forget_old(&moved_rows);
	/* it moves on before anything was told of its arrival here */
	if (is_ours(tuple))
		before = take_moved(attachment->id, HeapTupleHeaderGetXmin(tuple),
							HeapTupleHeaderGetCmin(tuple));
	xid = HeapTupleHeaderGetUpdateXid(tuple);
	cid = HeapTupleHeaderGetCmax(tuple);
	(void) take_moved(attachment->id, xid, cid);
	(void) add_row(&moved_rows, attachment->id, xid, cid, before ? before : key);
	return true;
}

char *
row_track_arrived(const Attachment *attachment, TupleTableSlot *slot)
{
	HeapTupleHeader tuple;

	if (moved_rows == NULL)
		return NULL;
	tuple = header_of(slot);
	return tuple == NULL || !is_ours(tuple) ? NULL :
		take_moved(attachment->id, HeapTupleHeaderGetXmin(tuple),
				   HeapTupleHeaderGetCmin(tuple));
}

bool
row_track_may_be_news(TupleTableSlot *slot)
{
	HeapTupleHeader tuple = header_of(slot);

	return tuple != NULL && is_ours(tuple) && is_nested();
}

void
row_track_came(Relation rel, const Attachment *attachment,
			   TupleTableSlot *slot, const char *key)
{
	HeapTupleHeader tuple = header_of(slot);
	TrackedRow *row;

	if (tuple == NULL || !is_ours(tuple) || !is_nested())
		return;
	if (new_rows != NULL && !TransactionIdIsCurrentTransactionId(new_rows->xid))
		forget_old(&new_rows);
	row = add_row(&new_rows, attachment->id, HeapTupleHeaderGetXmin(tuple),
				  HeapTupleHeaderGetCmin(tuple), key);
	row->where.relid = RelationGetRelid(rel);
	row->where.tid = slot->tts_tid;
}

CommandId
row_track_left_by(TupleTableSlot *old)
{
	HeapTupleHeader tuple = header_of(old);

	return tuple == NULL ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(tuple)) ?
		InvalidCommandId : HeapTupleHeaderGetCmax(tuple);
}

CommandId
row_track_arrived_by(TupleTableSlot *replacing)
{
	HeapTupleHeader tuple = header_of(replacing);

	return tuple == NULL || !is_ours(tuple) ? InvalidCommandId :
		HeapTupleHeaderGetCmin(tuple);
}

bool
row_track_newcomer(const Attachment *attachment, const char *key,
				   CommandId since, Newcomer *who)
{
	TrackedRow **link = &new_rows;

	if (new_rows == NULL || since == InvalidCommandId)
		return false;
	forget_old(&new_rows);
	while (*link != NULL &&
		   ((*link)->attachment_id != attachment->id ||
			(*link)->cid <= since || strcmp((*link)->key, key) != 0))
		link = &(*link)->next;
	if (*link == NULL)
		return false;
	if (who != NULL)
	{
		TrackedRow *row = *link;

		*who = row->where;
		*link = row->next;
		pfree(row);
	}
	return true;
}
