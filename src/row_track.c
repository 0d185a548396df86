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
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "moved_row.h"
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

/* By key: one statement of a trigger may bring many */
#define NEW_ROW_BUCKETS		1024

static TrackedRow *new_rows[NEW_ROW_BUCKETS];
static TransactionId new_rows_xid = InvalidTransactionId;	/* of the last one */

/* Are we in a trigger of a statement that a trigger runs? */
static bool
is_nested(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) > 1;
}

static TrackedRow **
bucket_of(const char *key)
{
	return &new_rows[hash_bytes((const unsigned char *) key, strlen(key)) %
					 NEW_ROW_BUCKETS];
}

/* Drop what was left by (sub)transactions that are over. */
static void
forget_old(TrackedRow **link)
{
	while (*link != NULL)
	{
		TrackedRow *row = *link;

		if (TransactionIdIsCurrentTransactionId(row->xid))
			link = &row->next;
		else
		{
			*link = row->next;
			pfree(row);
		}
	}
}

static void
forget_all_old(void)
{
	for (int i = 0; i < NEW_ROW_BUCKETS; i++)
		forget_old(&new_rows[i]);
}

static TrackedRow *
add_row(int32 attachment_id, TransactionId xid, CommandId cid,
		const char *key)
{
	TrackedRow *row = MemoryContextAlloc(TopMemoryContext,
										 sizeof(TrackedRow) + strlen(key) + 1);
	TrackedRow **bucket = bucket_of(key);

	row->attachment_id = attachment_id;
	row->xid = xid;
	row->cid = cid;
	row->key = strcpy((char *) (row + 1), key);
	row->next = *bucket;
	*bucket = row;
	new_rows_xid = xid;
	return row;
}

/* Was a version of a row put where it is by the present transaction? */
static bool
is_ours(HeapTupleHeader tuple)
{
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple));
}

bool
row_track_left(Relation rel, const Attachment *attachment,
			   TupleTableSlot *slot, char *key)
{
	char	   *before;

	if (!moved_row_leaves(rel, slot))
		return false;
	/* it moves on before anything was told of its arrival here */
	before = row_track_arrived(rel, attachment, slot);
	if (before == NULL)
		before = key;
	moved_row_keep(MOVED_TICKET, attachment->id, rel, slot,
				   attachment->nkeys, attachment->keys, 1, &before);
	return true;
}

char *
row_track_arrived(Relation rel, const Attachment *attachment,
				  TupleTableSlot *slot)
{
	int			n;
	char	  **keys = moved_row_arrived(MOVED_TICKET, attachment->id, rel, slot,
										 attachment->nkeys, attachment->keys,
										 &n);

	return keys == NULL ? NULL : keys[0];
}

bool
row_track_may_be_news(TupleTableSlot *slot)
{
	HeapTupleHeader tuple = row_header(slot);

	return tuple != NULL && is_ours(tuple) && is_nested();
}

void
row_track_came(Relation rel, const Attachment *attachment,
			   TupleTableSlot *slot, const char *key)
{
	HeapTupleHeader tuple = row_header(slot);
	TrackedRow *row;

	if (tuple == NULL || !is_ours(tuple) || !is_nested())
		return;
	if (TransactionIdIsValid(new_rows_xid) &&
		!TransactionIdIsCurrentTransactionId(new_rows_xid))
		forget_all_old();
	row = add_row(attachment->id, HeapTupleHeaderGetXmin(tuple),
				  HeapTupleHeaderGetCmin(tuple), key);
	row->where.relid = RelationGetRelid(rel);
	row->where.tid = slot->tts_tid;
}

CommandId
row_track_left_by(TupleTableSlot *old)
{
	HeapTupleHeader tuple = row_header(old);

	return tuple == NULL ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(tuple)) ?
		InvalidCommandId : HeapTupleHeaderGetCmax(tuple);
}

CommandId
row_track_arrived_by(TupleTableSlot *replacing)
{
	HeapTupleHeader tuple = row_header(replacing);

	return tuple == NULL || !is_ours(tuple) ? InvalidCommandId :
		HeapTupleHeaderGetCmin(tuple);
}

bool
row_track_newcomer(const Attachment *attachment, const char *key,
				   CommandId since, Newcomer *who)
{
	TrackedRow **link = bucket_of(key);

	if (*link == NULL || since == InvalidCommandId)
		return false;
	forget_old(link);
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
