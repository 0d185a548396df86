/*
 * moved_row.c
 *		What is to be known of a row where it arrives that moves to another
 *		partition.
 *
 * The row that leaves says that it moves, but not where to. The command that
 * ended it there is the one that made it here.
 *
 * Knows nothing of what is kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "lib/stringinfo.h"
#include "replication/logicalworker.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "moved_row.h"

typedef struct MovedRow
{
	struct MovedRow *next;
	MovedFor	whom;
	int32		id;
	TransactionId xid;			/* (sub)transaction and command that move it */
	CommandId	cid;
	int			ntexts;
	char	   *texts[FLEXIBLE_ARRAY_MEMBER];
} MovedRow;

static MovedRow *moved_rows = NULL;

HeapTupleHeader
row_header(TupleTableSlot *slot)
{
	return TTS_IS_BUFFERTUPLE(slot) ?
		((BufferHeapTupleTableSlot *) slot)->base.tuple->t_data : NULL;
}

/*
 * The row that a command moved, taken out of the list; NULL: it moved none.
 * What transactions left that are over goes as well.
 */
static MovedRow *
take(MovedFor whom, int32 id, TransactionId xid, CommandId cid)
{
	MovedRow  **link = &moved_rows;
	MovedRow   *found = NULL;

	while (*link != NULL)
	{
		MovedRow   *row = *link;

		if (found == NULL && row->xid == xid && row->cid == cid &&
			row->whom == whom && row->id == id)
			found = row;
		else if (TransactionIdIsCurrentTransactionId(row->xid))
		{
			link = &row->next;
			continue;
		}
		*link = row->next;
		if (row != found)
			pfree(row);
	}
	return found;
}

bool
moved_row_leaves(Relation rel, TupleTableSlot *slot)
{
	HeapTupleHeader tuple = row_header(slot);

	return tuple != NULL &&
		(HeapTupleHeaderIndicatesMovedPartitions(tuple) ||
		 (IsLogicalWorker() && rel->rd_rel->relispartition));
}

void
moved_row_keep(MovedFor whom, int32 id, TupleTableSlot *slot,
			   int ntexts, char *const *texts)
{
	HeapTupleHeader tuple = row_header(slot);
	TransactionId xid = HeapTupleHeaderGetUpdateXid(tuple);
	CommandId	cid = HeapTupleHeaderGetCmax(tuple);
	MovedRow   *row = take(whom, id, xid, cid);
	Size		size = offsetof(MovedRow, texts) + ntexts * sizeof(char *);
	char	   *end;

	if (row != NULL)
		pfree(row);
	for (int i = 0; i < ntexts; i++)
		size += texts[i] == NULL ? 0 : strlen(texts[i]) + 1;
	row = MemoryContextAlloc(TopMemoryContext, size);
	row->whom = whom;
	row->id = id;
	row->xid = xid;
	row->cid = cid;
	row->ntexts = ntexts;
	end = (char *) &row->texts[ntexts];
	for (int i = 0; i < ntexts; i++)
	{
		row->texts[i] = texts[i] == NULL ? NULL : strcpy(end, texts[i]);
		end += texts[i] == NULL ? 0 : strlen(texts[i]) + 1;
	}
	row->next = moved_rows;
	moved_rows = row;
}

char **
moved_row_arrived(MovedFor whom, int32 id, TupleTableSlot *slot, int *ntexts)
{
	HeapTupleHeader tuple = moved_rows == NULL ? NULL : row_header(slot);
	MovedRow   *row;
	char	  **texts;

	if (tuple == NULL ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple)))
		return NULL;
	row = take(whom, id, HeapTupleHeaderGetXmin(tuple),
			   HeapTupleHeaderGetCmin(tuple));
	if (row == NULL)
		return NULL;
	*ntexts = row->ntexts;
	texts = palloc(row->ntexts * sizeof(char *));
	for (int i = 0; i < row->ntexts; i++)
		texts[i] = row->texts[i] == NULL ? NULL : pstrdup(row->texts[i]);
	pfree(row);
	return texts;
}

/* Is a column part of the partition key of any of these tables? */
static bool
decides_partition(List *tables, const char *column)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		Relation	table = table_open(lfirst_oid(lc), AccessShareLock);
		PartitionKey key = RelationGetPartitionKey(table);
		AttrNumber	attnum = get_attnum(lfirst_oid(lc), column);
		bool		found = false;

		for (int i = 0; i < key->partnatts && !found; i++)
			found = key->partattrs[i] == attnum;
		table_close(table, AccessShareLock);
		if (found)
			return true;
	}
	return false;
}

char **
moved_row_identity(Relation rel, TupleTableSlot *slot, int *ntexts)
{
	List	   *ancestors = rel->rd_rel->relispartition ?
		get_partition_ancestors(RelationGetRelid(rel)) : NIL;
	Relation	root;
	Bitmapset  *columns;
	char	  **identity;
	int			column = -1;

	*ntexts = 0;
	if (ancestors == NIL)
		return NULL;
	root = table_open(llast_oid(ancestors), AccessShareLock);
	columns = RelationGetIndexAttrBitmap(root, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	identity = palloc0(bms_num_members(columns) * sizeof(char *));
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		char	   *name = get_attname(RelationGetRelid(root),
									   column + FirstLowInvalidHeapAttributeNumber,
									   false);
		AttrNumber	attnum = get_attnum(RelationGetRelid(rel), name);
		bool		isnull;
		Datum		value = slot_getattr(slot, attnum, &isnull);
		Oid			output;
		bool		varlena;

		if (!isnull && !decides_partition(ancestors, name))
		{
			getTypeOutputInfo(TupleDescAttr(RelationGetDescr(rel),
											attnum - 1)->atttypid,
							  &output, &varlena);
			identity[*ntexts] = OidOutputFunctionCall(output, value);
		}
		(*ntexts)++;
	}
	table_close(root, AccessShareLock);
	return identity;
}
