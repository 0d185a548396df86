/*
 * ticket_lookup.c
 *		The rows of tickets in the users' tables, by the keys the ledger has.
 *
 * A key is read back by the input functions of its columns' types, under the
 * settings it was written with, and looked for by the unique index of these
 * columns with the equality that the index itself uses: nothing is found by
 * name, so nobody's search_path matters. Of a partitioned table the key tells
 * the partition. All of it runs as the table's owner, as does what stamping
 * calls (as_owner.c).
 *
 * A row that somebody else has changed by the time it is locked is looked for
 * anew: it may have another key, or place. Knows nothing of what is recorded.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "as_owner.h"
#include "partition_route.h"
#include "stamp.h"
#include "ticket_lookup.h"

/*
 * How often a row is looked for that a snapshot of no time may have missed
 * because it was being updated, see search_snapshot().
 */
#define SEARCHES	10

/* A relation that holds rows itself */
typedef struct Leaf
{
	Relation	rel;
	Oid			index;			/* unique over the key columns; 0: none */
	AttrNumber	attnums[INDEX_MAX_KEYS];	/* of the table, as in the index */
	int			columns[INDEX_MAX_KEYS];	/* of the key, likewise */
	RegProcedure equality[INDEX_MAX_KEYS];
	Oid			collations[INDEX_MAX_KEYS];
	TupleTableSlot *slot;
	StampTarget *target;		/* NULL until used */
} Leaf;

struct TicketLookup
{
	MemoryContext context;
	Relation	root;
	bool		has_settings;
	int			nkeys;
	char	  **names;			/* of the key columns */
	AttrNumber *attnums;		/* in the root */
	FmgrInfo   *in;
	Oid		   *ioparams;
	int32	   *typmods;
	List	   *leaves;			/* of Leaf, as far as they were needed */
};

/* A key to look for: its values, unless only its text is known */
typedef struct SoughtKey
{
	const char *text;
	Datum	   *values;			/* NULL: compare texts */
} SoughtKey;

/* The attachment of a relation; raises when there is none. */
static const Attachment *
require_attachment(Relation rel)
{
	char	   *problem = NULL;
	const Attachment *attachment = attachment_get(rel, &problem);

	if (attachment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tickets of table \"%s\" cannot be recorded: %s",
						RelationGetRelationName(rel), problem)));
	return attachment;
}

TicketLookup *
ticket_lookup_open(Oid relid)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "slapolicy ticket look-up",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TicketLookup *lookup = palloc0(sizeof(TicketLookup));
	Relation	root = table_open(relid, RowExclusiveLock);
	const Attachment *attachment = require_attachment(root);

	lookup->context = context;
	lookup->root = root;
	lookup->has_settings = attachment->has_settings;
	lookup->nkeys = attachment->nkeys;
	lookup->names = palloc(lookup->nkeys * sizeof(char *));
	lookup->attnums = palloc(lookup->nkeys * sizeof(AttrNumber));
	lookup->in = palloc(lookup->nkeys * sizeof(FmgrInfo));
	lookup->ioparams = palloc(lookup->nkeys * sizeof(Oid));
	lookup->typmods = palloc(lookup->nkeys * sizeof(int32));
	for (int i = 0; i < lookup->nkeys; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(root),
											  attachment->keys[i] - 1);
		Oid			function;
		Oid			type;

		lookup->attnums[i] = attachment->keys[i];
		lookup->names[i] = pstrdup(NameStr(att->attname));
		lookup->typmods[i] = att->atttypmod;
		/* a domain's checks have been made; the key need not pass them again */
		type = getBaseTypeAndTypmod(att->atttypid, &lookup->typmods[i]);
		getTypeInputInfo(type, &function, &lookup->ioparams[i]);
		fmgr_info_cxt(function, &lookup->in[i], context);
	}
	MemoryContextSwitchTo(old);
	return lookup;
}

void
ticket_lookup_close(TicketLookup *lookup)
{
	ListCell   *lc;

	foreach(lc, lookup->leaves)
	{
		Leaf	   *leaf = lfirst(lc);

		if (leaf->target != NULL)
			stamp_target_close(leaf->target);
		ExecDropSingleTupleTableSlot(leaf->slot);
		table_close(leaf->rel, NoLock);
	}
	table_close(lookup->root, NoLock);
	MemoryContextDelete(lookup->context);
}

/* ---------- reading keys ---------- */

/* What attachment_key() makes of long keys ends with their digest. */
static bool
is_shortened(const char *key)
{
	static const char before[] = "... (md5 ";
	size_t		len = strlen(key);
	size_t		tail = strlen(before) + 32 + 1;
	const char *digest;

	if (len < tail || key[len - 1] != ')' ||
		strncmp(key + len - tail, before, strlen(before)) != 0)
		return false;
	digest = key + len - 33;
	return strspn(digest, "0123456789abcdef") == 32;
}

static void
no_key(const TicketLookup *lookup, const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no key of table \"%s\"", key,
					RelationGetRelationName(lookup->root)),
			 errhint("The key has %d columns; write their values as a text array: ARRAY[...]::text.",
					 lookup->nkeys)));
}

/* The parts of a key as texts; raises when it has not as many as it should. */
static char **
key_parts(const TicketLookup *lookup, const char *key)
{
	char	  **parts = palloc(lookup->nkeys * sizeof(char *));
	FmgrInfo	array_input;
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	char		first;
	int			n;

	if (lookup->nkeys == 1)
	{
		parts[0] = pstrdup(key);
		return parts;
	}
	/* what is no array at all gets a better word than that of the type */
	first = key[strspn(key, " \t\n\r\v\f")];
	if (first != '{' && first != '[')
		no_key(lookup, key);
	fmgr_info(F_ARRAY_IN, &array_input);
	array = DatumGetArrayTypeP(InputFunctionCall(&array_input, pstrdup(key),
												 TEXTOID, -1));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n && n == lookup->nkeys; i++)
	{
		if (nulls[i])
			n = 0;
		else
			parts[i] = TextDatumGetCString(elements[i]);
	}
	if (n != lookup->nkeys)
		no_key(lookup, key);
	return parts;
}

/* Read a key back into values of its columns, palloc'd. */
static Datum *
read_key(TicketLookup *lookup, const char *key)
{
	char	  **parts = key_parts(lookup, key);
	Datum	   *values = palloc(lookup->nkeys * sizeof(Datum));
	int			level = lookup->has_settings ? attachment_pin_settings() : 0;

	for (int i = 0; i < lookup->nkeys; i++)
		values[i] = InputFunctionCall(&lookup->in[i], parts[i],
									  lookup->ioparams[i],
									  lookup->typmods[i]);
	if (level > 0)
		AtEOXact_GUC(true, level);
	return values;
}

char *
ticket_lookup_key(TicketLookup *lookup, const char *key)
{
	TupleTableSlot *slot;
	Datum	   *values;
	AsOwner		before;
	char	   *result;

	if (is_shortened(key))
		return pstrdup(key);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(lookup->root),
									&TTSOpsVirtual);
	as_owner_begin(&before, lookup->root);
	values = read_key(lookup, key);
	ExecStoreAllNullTuple(slot);
	for (int i = 0; i < lookup->nkeys; i++)
	{
		slot->tts_values[lookup->attnums[i] - 1] = values[i];
		slot->tts_isnull[lookup->attnums[i] - 1] = false;
	}
	result = attachment_key(require_attachment(lookup->root), slot);
	as_owner_end(&before);
	ExecDropSingleTupleTableSlot(slot);
	return result;
}

/* ---------- relations that hold rows ---------- */

/*
 * Does an index tell rows apart by the key columns? If so, remember how it is
 * to be asked.
 */
static bool
use_index(const TicketLookup *lookup, Leaf *leaf, Relation index)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisunique || !form->indisvalid || !form->indimmediate ||
		index->rd_rel->relam != BTREE_AM_OID ||
		form->indnkeyatts != lookup->nkeys ||
		RelationGetIndexPredicate(index) != NIL)
		return false;
	for (int i = 0; i < lookup->nkeys; i++)
	{
		AttrNumber	attnum = form->indkey.values[i];
		Oid			operator;
		int			column = 0;

		while (column < lookup->nkeys &&
			   get_attnum(RelationGetRelid(leaf->rel),
						  lookup->names[column]) != attnum)
			column++;
		if (column == lookup->nkeys)
			return false;
		operator = get_opfamily_member(index->rd_opfamily[i],
									   index->rd_opcintype[i],
									   index->rd_opcintype[i],
									   BTEqualStrategyNumber);
		if (!OidIsValid(operator))
			return false;
		leaf->attnums[i] = attnum;
		leaf->columns[i] = column;
		leaf->equality[i] = get_opcode(operator);
		leaf->collations[i] = index->rd_indcollation[i];
	}
	return true;
}

static void
find_index(const TicketLookup *lookup, Leaf *leaf)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(leaf->rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (use_index(lookup, leaf, index))
			leaf->index = RelationGetRelid(index);
		index_close(index, NoLock);
		if (OidIsValid(leaf->index))
			break;
	}
}

/* A relation, opened on first use; NULL when it holds no rows or is gone */
static Leaf *
get_leaf(TicketLookup *lookup, Oid relid)
{
	MemoryContext old;
	ListCell   *lc;
	Leaf	   *leaf;
	Relation	rel;

	foreach(lc, lookup->leaves)
	{
		leaf = lfirst(lc);
		if (RelationGetRelid(leaf->rel) == relid)
			return leaf;
	}
	rel = try_table_open(relid, RowExclusiveLock);
	if (rel == NULL)
		return NULL;
	if (rel->rd_rel->relkind != RELKIND_RELATION)
	{
		table_close(rel, NoLock);
		return NULL;
	}
	old = MemoryContextSwitchTo(lookup->context);
	leaf = palloc0(sizeof(Leaf));
	leaf->rel = rel;
	leaf->slot = table_slot_create(rel, NULL);
	find_index(lookup, leaf);
	lookup->leaves = lappend(lookup->leaves, leaf);
	MemoryContextSwitchTo(old);
	return leaf;
}

/* The relations that may hold a row; a list of Leaf */
static List *
candidates(TicketLookup *lookup, const SoughtKey *sought)
{
	Oid			relid = RelationGetRelid(lookup->root);
	List	   *result = NIL;
	Leaf	   *leaf;
	ListCell   *lc;

	while (OidIsValid(relid) &&
		   get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE)
	{
		Relation	table = table_open(relid, RowExclusiveLock);
		Oid			partition = InvalidOid;
		bool		decided;

		decided = sought->values != NULL &&
			partition_route(table, lookup->nkeys, lookup->names,
							sought->values, &partition);
		table_close(table, NoLock);
		if (!decided)
		{
			foreach(lc, find_all_inheritors(relid, RowExclusiveLock, NULL))
			{
				leaf = get_leaf(lookup, lfirst_oid(lc));
				if (leaf != NULL)
					result = lappend(result, leaf);
			}
			return result;
		}
		if (OidIsValid(partition))
			LockRelationOid(partition, RowExclusiveLock);
		relid = partition;
	}
	leaf = OidIsValid(relid) ? get_leaf(lookup, relid) : NULL;
	return leaf == NULL ? NIL : list_make1(leaf);
}

/* ---------- finding and locking ---------- */

/*
 * What to search with. Predicate locks of pages that many tickets share would
 * make SERIALIZABLE transactions fail that have nothing to do with each other;
 * without them a row may be missed that is updated during the search.
 */
static Snapshot
search_snapshot(void)
{
	return IsolationIsSerializable() ? SnapshotSelf :
		RegisterSnapshot(GetLatestSnapshot());
}

static void
end_search_snapshot(Snapshot snapshot)
{
	if (snapshot != SnapshotSelf)
		UnregisterSnapshot(snapshot);
}

static bool
find_by_index(const TicketLookup *lookup, const Leaf *leaf,
			  const SoughtKey *sought, Snapshot snapshot, ItemPointer tid)
{
	ScanKeyData keys[INDEX_MAX_KEYS];
	SysScanDesc scan;
	HeapTuple	tuple;

	for (int i = 0; i < lookup->nkeys; i++)
	{
		ScanKeyInit(&keys[i], leaf->attnums[i], BTEqualStrategyNumber,
					leaf->equality[i], sought->values[leaf->columns[i]]);
		keys[i].sk_collation = leaf->collations[i];
	}
	scan = systable_beginscan(leaf->rel, leaf->index, true, snapshot,
							  lookup->nkeys, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		*tid = tuple->t_self;
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

static bool
find_by_text(const Leaf *leaf, const char *key, Snapshot snapshot,
			 ItemPointer tid)
{
	TableScanDesc scan = table_beginscan(leaf->rel, snapshot, 0, NULL);
	const Attachment *attachment = require_attachment(leaf->rel);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "slapolicy keys",
													  ALLOCSET_SMALL_SIZES);
	bool		found = false;

	while (!found &&
		   table_scan_getnextslot(scan, ForwardScanDirection, leaf->slot))
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		found = strcmp(attachment_key(attachment, leaf->slot), key) == 0;
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	if (found)
		*tid = leaf->slot->tts_tid;
	ExecClearTuple(leaf->slot);
	table_endscan(scan);
	MemoryContextDelete(row_context);
	return found;
}

/*
 * Look once and lock what is found. *again is set when it should be looked for
 * anew.
 */
static TicketRowState
search_leaf(const TicketLookup *lookup, Leaf *leaf, const SoughtKey *sought,
			LockWaitPolicy wait, bool *again)
{
	Snapshot	snapshot = search_snapshot();
	TicketRowState state = TICKET_ROW_NONE;
	ItemPointerData tid;
	bool		found;

	if (sought->values != NULL && OidIsValid(leaf->index))
		found = find_by_index(lookup, leaf, sought, snapshot, &tid);
	else
		found = find_by_text(leaf, sought->text, snapshot, &tid);
	if (found)
	{
		TM_FailureData failure;

		switch (table_tuple_lock(leaf->rel, &tid, snapshot, leaf->slot,
								 GetCurrentCommandId(false),
								 LockTupleNoKeyExclusive, wait, 0, &failure))
		{
			case TM_Ok:
				state = TICKET_ROW_LOCKED;
				break;
			case TM_WouldBlock:
				state = TICKET_ROW_BUSY;
				break;
			case TM_Updated:
			case TM_Deleted:
				*again = true;
				break;
			default:
				elog(ERROR, "could not lock a row of table \"%s\"",
					 RelationGetRelationName(leaf->rel));
		}
	}
	end_search_snapshot(snapshot);
	return state;
}

TicketRowState
ticket_lookup_lock(TicketLookup *lookup, const char *key, LockWaitPolicy wait,
				   TicketUserRow *row)
{
	SoughtKey	sought = {.text = key};
	TicketRowState state = TICKET_ROW_NONE;
	int			searches = IsolationIsSerializable() ? SEARCHES : 1;
	AsOwner		before;
	List	   *leaves;

	Assert(wait != LockWaitError);
	row->rel = lookup->root;
	row->slot = NULL;
	/* what this very command did counts, too */
	CommandCounterIncrement();

	as_owner_begin(&before, lookup->root);
	if (!is_shortened(key))
		sought.values = read_key(lookup, key);
	leaves = candidates(lookup, &sought);
	while (state == TICKET_ROW_NONE && searches > 0)
	{
		bool		again = false;
		ListCell   *lc;

		CHECK_FOR_INTERRUPTS();
		foreach(lc, leaves)
		{
			Leaf	   *leaf = lfirst(lc);

			state = search_leaf(lookup, leaf, &sought, wait, &again);
			if (state == TICKET_ROW_NONE)
				continue;
			if (state == TICKET_ROW_LOCKED)
			{
				row->rel = leaf->rel;
				row->slot = leaf->slot;
			}
			break;
		}
		if (!again)
			searches--;
	}
	as_owner_end(&before);
	return state;
}

/* ---------- what to do with a row ---------- */

const Attachment *
ticket_lookup_attachment(const TicketUserRow *row)
{
	return require_attachment(row->rel);
}

/*
 * A transaction that sees the row as it was would see it twice if we updated
 * what it cannot see.
 */
static void
check_serializable(const TicketUserRow *row)
{
	bool		isnull;
	TransactionId xmin;

	if (!IsolationUsesXactSnapshot() || !TTS_IS_BUFFERTUPLE(row->slot))
		return;
	xmin = DatumGetTransactionId(slot_getsysattr(row->slot,
												 MinTransactionIdAttributeNumber,
												 &isnull));
	if (!TransactionIdIsCurrentTransactionId(xmin) &&
		!table_tuple_satisfies_snapshot(row->rel, row->slot,
										GetTransactionSnapshot()))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
}

void
ticket_lookup_stamp(TicketLookup *lookup, TicketUserRow *row,
					const Attachment *attachment, const TicketPlan *plan)
{
	Leaf	   *leaf = get_leaf(lookup, RelationGetRelid(row->rel));
	AsOwner		before;

	Assert(leaf != NULL && leaf->slot == row->slot);
	if (stamps_are_right(attachment, plan, row->slot))
		return;
	check_serializable(row);
	as_owner_begin(&before, row->rel);
	if (leaf->target == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(lookup->context);

		leaf->target = stamp_target_open(row->rel);
		MemoryContextSwitchTo(old);
	}
	stamp_row(leaf->target, attachment, plan, row->slot);
	as_owner_end(&before);
}
