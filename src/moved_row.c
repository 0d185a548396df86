/*
 * moved_row.c
 *		What is to be known of a row where it arrives that moves to another
 *		partition.
 *
 * The row that leaves says that it moves, but not where to. The command that
 * ended it there is the one that made it here, and what it inserts next is it;
 * unless rows can get lost on their way, by triggers that let none in, or by
 * going where nobody listens. Then it is recognized by its key.
 *
 * Knows nothing of what is kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

#include "moved_row.h"

typedef struct MovedRow
{
	struct MovedRow *next;
	MovedFor	whom;
	int32		id;
	TransactionId xid;			/* (sub)transaction and command that move it */
	CommandId	cid;
	int			nkeys;
	int			ntexts;
	char	   *texts[FLEXIBLE_ARRAY_MEMBER];	/* those of the keys first */
} MovedRow;

/* How the text of a key begins: may it be another one where the row arrives? */
#define KEY_STAYS		'='
#define KEY_MAY_CHANGE	'~'

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

/* What the keys of a row say, palloc'd */
static char **
key_texts(Relation rel, TupleTableSlot *slot, int nkeys, const AttrNumber *keys)
{
	List	   *ancestors = rel->rd_rel->relispartition ?
		get_partition_ancestors(RelationGetRelid(rel)) : NIL;
	char	  **texts = palloc(nkeys * sizeof(char *));

	for (int i = 0; i < nkeys; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  keys[i] - 1);
		bool		isnull;
		Datum		value = slot_getattr(slot, keys[i], &isnull);
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(att->atttypid, &output, &varlena);
		texts[i] = psprintf("%c%s",
							decides_partition(ancestors, NameStr(att->attname)) ?
							KEY_MAY_CHANGE : KEY_STAYS,
							isnull ? "" : OidOutputFunctionCall(output, value));
	}
	return texts;
}

/* Of a key that may change, too, something mostly stays. */
static bool
same_row(const MovedRow *row, int nkeys, char **keys)
{
	int			same = 0;

	if (row->nkeys != nkeys)
		return false;
	for (int i = 0; i < nkeys; i++)
	{
		if (strcmp(row->texts[i] + 1, keys[i] + 1) == 0)
			same++;
		else if (row->texts[i][0] == KEY_STAYS && keys[i][0] == KEY_STAYS)
			return false;
	}
	return same > 0;
}

static Oid
function_oid(const char *name)
{
	return LookupFuncName(list_make2(makeString("sla"), makeString(unconstify(char *, name))),
						  0, NULL, true);
}

/* Does a table have a trigger, before or after rows, that calls a function? */
static bool
has_trigger(Relation table, Oid function)
{
	TriggerDesc *desc = table->trigdesc;

	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
		if (desc->triggers[i].tgfoid == function)
			return true;
	return false;
}

/* Can a trigger other than ours keep a row from coming into a table? */
static bool
may_refuse(Relation table, Oid stamp)
{
	TriggerDesc *desc = table->trigdesc;

	for (int i = 0; desc != NULL && i < desc->numtriggers; i++)
	{
		const Trigger *trigger = &desc->triggers[i];

		if (TRIGGER_FOR_ROW(trigger->tgtype) &&
			TRIGGER_FOR_BEFORE(trigger->tgtype) &&
			TRIGGER_FOR_INSERT(trigger->tgtype) && trigger->tgfoid != stamp)
			return true;
	}
	return false;
}

/* Does whoever wants to know hear of all rows that come into a table's partitions? */
static bool
hears_all(MovedFor whom, Oid root)
{
	static const char *const listeners[] = {"record", "invoiced", "check_guard"};
	Oid			listener = function_oid(listeners[whom]);
	Oid			stamp = function_oid("stamp");
	bool		answer = true;
	ListCell   *lc;

	foreach(lc, find_all_inheritors(root, AccessShareLock, NULL))
	{
		Relation	table = table_open(lfirst_oid(lc), NoLock);

		answer = answer && has_trigger(table, listener) &&
			!may_refuse(table, stamp);
		table_close(table, NoLock);
	}
	return answer;
}

/*
 * Does every row that moves among the partitions that rel is one of arrive, and
 * is heard of? Found out once for a command.
 */
static bool
all_arrive(MovedFor whom, Relation rel, TransactionId xid, CommandId cid)
{
	static Oid	last_root = InvalidOid;
	static MovedFor last_whom;
	static TransactionId last_xid;
	static CommandId last_cid;
	static bool last_answer;
	List	   *ancestors = rel->rd_rel->relispartition ?
		get_partition_ancestors(RelationGetRelid(rel)) : NIL;
	Oid			root = ancestors == NIL ? RelationGetRelid(rel) :
		llast_oid(ancestors);

	if (root != last_root || whom != last_whom || xid != last_xid ||
		cid != last_cid)
	{
		last_answer = hears_all(whom, root);
		last_root = root;
		last_whom = whom;
		last_xid = xid;
		last_cid = cid;
	}
	return last_answer;
}

void
moved_row_keep(MovedFor whom, int32 id, Relation rel, TupleTableSlot *slot,
			   int nkeys, const AttrNumber *keys,
			   int ntexts, char *const *texts)
{
	HeapTupleHeader tuple = row_header(slot);
	TransactionId xid = HeapTupleHeaderGetUpdateXid(tuple);
	CommandId	cid = HeapTupleHeaderGetCmax(tuple);
	MovedRow   *row = take(whom, id, xid, cid);
	char	  **all = palloc((nkeys + ntexts) * sizeof(char *));
	Size		size = offsetof(MovedRow, texts) +
		(nkeys + ntexts) * sizeof(char *);
	char	   *end;

	/* one command moves rows one after the other: what is still here got lost */
	if (row != NULL)
		pfree(row);
	memcpy(all, key_texts(rel, slot, nkeys, keys), nkeys * sizeof(char *));
	memcpy(all + nkeys, texts, ntexts * sizeof(char *));
	for (int i = 0; i < nkeys + ntexts; i++)
		size += all[i] == NULL ? 0 : strlen(all[i]) + 1;
	row = MemoryContextAlloc(TopMemoryContext, size);
	row->whom = whom;
	row->id = id;
	row->xid = xid;
	row->cid = cid;
	row->nkeys = nkeys;
	row->ntexts = ntexts;
	end = (char *) &row->texts[nkeys + ntexts];
	for (int i = 0; i < nkeys + ntexts; i++)
	{
		row->texts[i] = all[i] == NULL ? NULL : strcpy(end, all[i]);
		end += all[i] == NULL ? 0 : strlen(all[i]) + 1;
	}
	row->next = moved_rows;
	moved_rows = row;
}

char **
moved_row_arrived(MovedFor whom, int32 id, Relation rel, TupleTableSlot *slot,
				  int nkeys, const AttrNumber *keys, int *ntexts)
{
	HeapTupleHeader tuple = moved_rows == NULL ? NULL : row_header(slot);
	MovedRow   *row;
	char	  **texts = NULL;

	if (tuple == NULL ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple)))
		return NULL;
	row = take(whom, id, HeapTupleHeaderGetXmin(tuple),
			   HeapTupleHeaderGetCmin(tuple));
	if (row == NULL)
		return NULL;
	if (same_row(row, nkeys, key_texts(rel, slot, nkeys, keys)) ||
		(whom != MOVED_GUARDED && all_arrive(whom, rel, row->xid, row->cid)))
	{
		*ntexts = row->ntexts;
		texts = palloc(row->ntexts * sizeof(char *));
		for (int i = 0; i < row->ntexts; i++)
			texts[i] = row->texts[nkeys + i] == NULL ? NULL :
				pstrdup(row->texts[nkeys + i]);
	}
	pfree(row);
	return texts;
}

AttrNumber *
moved_row_keys(Relation rel, int *nkeys)
{
	List	   *ancestors = rel->rd_rel->relispartition ?
		get_partition_ancestors(RelationGetRelid(rel)) : NIL;
	Relation	root;
	Bitmapset  *columns;
	AttrNumber *keys;
	int			column = -1;

	*nkeys = 0;
	if (ancestors == NIL)
		return NULL;
	root = table_open(llast_oid(ancestors), AccessShareLock);
	columns = RelationGetIndexAttrBitmap(root, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	keys = palloc(bms_num_members(columns) * sizeof(AttrNumber));
	while ((column = bms_next_member(columns, column)) >= 0)
		keys[(*nkeys)++] =
			get_attnum(RelationGetRelid(rel),
					   get_attname(RelationGetRelid(root),
								   column + FirstLowInvalidHeapAttributeNumber,
								   false));
	table_close(root, AccessShareLock);
	return keys;
}
