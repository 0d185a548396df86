/*
 * ledger_tables.c
 *		Opens, scans and fills the ledger's tables.
 *
 * Writes go straight to heap and indexes, much as the server's own catalogs
 * are written: a ledger row costs little more than its bytes. That is right
 * only because these tables have no triggers, foreign keys, checks, row
 * security or partitions, and it bypasses privileges, which is what lets
 * writers of tickets have none here. Indexes may be of any kind: whoever runs
 * the server may add partial ones or ones over expressions.
 *
 * Knows nothing of what the rows mean.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/sinval.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "ledger_tables.h"

/* A table, the index that looks its rows up and the sequence of its ids */
static const struct
{
	const char *table;
	const char *lookup;
	const char *sequence;		/* NULL: has none */
	const char *by_account;		/* further indexes; NULL: has none */
	const char *by_id;
}			names[NUM_LEDGER_TABLES] = {
	[LEDGER_ATTACHMENT] = {"attachment", "attachment_ticket_table_key", "attachment_id_seq"},
	[LEDGER_EDITION] = {"policy_edition", "policy_edition_pkey", "policy_edition_id_seq"},
	[LEDGER_TICKET] = {"ticket", "ticket_attachment_id_key_key", "ticket_id_seq"},
	[LEDGER_EVENT] = {"event", "event_pkey", NULL},
	[LEDGER_CLOCK] = {"clock", "clock_ticket_id_metric_cycle_key", "clock_id_seq"},
	[LEDGER_ALERT] = {"alert", "alert_clock_id_aim_threshold_kind_key", "alert_id_seq"},
	[LEDGER_RESTAMP] = {"restamp_progress", "restamp_progress_pkey", NULL},
	[LEDGER_MESSAGES] = {"message_attachment", "message_attachment_messages_table_key", "message_attachment_id_seq"},
	[LEDGER_GUARD] = {"guard_rule", "guard_rule_guarded_table_key", "guard_rule_id_seq"},
	[LEDGER_INVOICES] = {"invoice_attachment", "invoice_attachment_invoice_table_key", "invoice_attachment_id_seq"},
	[LEDGER_INVOICE] = {"invoice", "invoice_attachment_id_key_key", "invoice_id_seq", "invoice_account_idx", "invoice_pkey"},
	[LEDGER_INVOICE_EVENT] = {"invoice_event", "invoice_event_pkey", NULL, "invoice_event_account_idx"},
	[LEDGER_OVERRIDE] = {"restriction_override", "restriction_override_account_idx", NULL},
	[LEDGER_HOURS] = {"hours", "hours_pkey", NULL},
};

/* Their OIDs, forgotten when any of the relations changes */
typedef struct LedgerOids
{
	Oid			table;
	Oid			lookup;
	Oid			sequence;
	Oid			by_account;
	Oid			by_id;
} LedgerOids;

static LedgerOids oids[NUM_LEDGER_TABLES];
static bool oids_valid = false;
static bool callback_registered = false;

static void
forget_oids(Datum arg, Oid relid)
{
	if (!OidIsValid(relid))
		oids_valid = false;
	for (int i = 0; i < NUM_LEDGER_TABLES && oids_valid; i++)
		if (oids[i].table == relid || oids[i].lookup == relid ||
			oids[i].sequence == relid || oids[i].by_account == relid ||
			oids[i].by_id == relid)
			oids_valid = false;
}

static Oid
find_relation(Oid namespace, const char *name)
{
	Oid			oid = get_relname_relid(name, namespace);

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation sla.%s does not exist", name),
				 errhint("Triggers of attached tables need the extension slapolicy; detach the tables before dropping it.")));
	return oid;
}

static const LedgerOids *
table_oids(LedgerTable table)
{
	Oid			namespace;
	LedgerOids	found[NUM_LEDGER_TABLES];
	uint64		messages;

	if (oids_valid)
		return &oids[table];
	if (!callback_registered)
	{
		CacheRegisterRelcacheCallback(forget_oids, (Datum) 0);
		callback_registered = true;
	}

	/* again, should another session have changed anything meanwhile */
	do
	{
		messages = SharedInvalidMessageCounter;
		namespace = get_namespace_oid("sla", true);
		if (!OidIsValid(namespace))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_SCHEMA_NAME),
					 errmsg("schema sla does not exist"),
					 errhint("Triggers of attached tables need the extension slapolicy; detach the tables before dropping it.")));
		for (int i = 0; i < NUM_LEDGER_TABLES; i++)
		{
			found[i].table = find_relation(namespace, names[i].table);
			found[i].lookup = find_relation(namespace, names[i].lookup);
			found[i].sequence = names[i].sequence == NULL ? InvalidOid :
				find_relation(namespace, names[i].sequence);
			found[i].by_account = names[i].by_account == NULL ? InvalidOid :
				find_relation(namespace, names[i].by_account);
			found[i].by_id = names[i].by_id == NULL ? InvalidOid :
				find_relation(namespace, names[i].by_id);
		}
	} while (messages != SharedInvalidMessageCounter);
	memcpy(oids, found, sizeof(oids));
	oids_valid = true;
	return &oids[table];
}

Ledger *
ledger_open(bool writing)
{
	Ledger	   *ledger = palloc0(sizeof(Ledger));

	ledger->writing = writing;
	return ledger;
}

/*
 * Their locks are kept like those of the tables: the next row of the
 * transaction then finds them taken.
 */
static void
close_indexes(CatalogIndexState indexes)
{
	for (int i = 0; i < indexes->ri_NumIndices; i++)
		index_close(indexes->ri_IndexRelationDescs[i], NoLock);
	pfree(indexes);
}

void
ledger_close(Ledger *ledger)
{
	for (int i = 0; i < NUM_LEDGER_TABLES; i++)
	{
		if (ledger->indexes[i] != NULL)
			close_indexes(ledger->indexes[i]);
		if (ledger->rel[i] != NULL)
			table_close(ledger->rel[i], NoLock);
	}
	pfree(ledger);
}

Relation
ledger_table(Ledger *ledger, LedgerTable table)
{
	if (ledger->rel[table] == NULL)
		ledger->rel[table] = table_open(table_oids(table)->table,
										ledger->writing ? RowExclusiveLock :
										AccessShareLock);
	return ledger->rel[table];
}

static CatalogIndexState
ledger_indexes(Ledger *ledger, LedgerTable table)
{
	if (ledger->indexes[table] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(ledger));

		ledger->indexes[table] = CatalogOpenIndexes(ledger_table(ledger, table));
		MemoryContextSwitchTo(old);
	}
	return ledger->indexes[table];
}

int64
ledger_next_id(LedgerTable table)
{
	return nextval_internal(table_oids(table)->sequence, false);
}

/* Scan by an index; the snapshot, if there is one, becomes the scan's own. */
static void
begin_scan(Ledger *ledger, LedgerTable table, Oid index, Snapshot snapshot,
		   ScanKeyData *keys, int nkeys, LedgerScan *scan)
{
	Relation	rel = ledger_table(ledger, table);
	bool		ignore = IgnoreSystemIndexes;

	scan->snapshot = snapshot == NULL ? NULL : RegisterSnapshot(snapshot);
	scan->index = NULL;
	/* these are no system's tables, and what they mean is in their order */
	IgnoreSystemIndexes = false;
	scan->scan = systable_beginscan(rel, index, true,
									scan->snapshot ? scan->snapshot : SnapshotSelf,
									nkeys, keys);
	IgnoreSystemIndexes = ignore;
}

void
ledger_scan_begin(Ledger *ledger, LedgerTable table,
				  ScanKeyData *keys, int nkeys, LedgerScan *scan)
{
	/*
	 * An ordinary snapshot would have predicate locks taken on pages that
	 * other tickets share, and SERIALIZABLE transactions fail that have
	 * nothing to do with each other. What matters here is guarded by locks of
	 * rows.
	 */
	begin_scan(ledger, table, table_oids(table)->lookup,
			   IsolationIsSerializable() ? NULL : GetLatestSnapshot(),
			   keys, nkeys, scan);
}

void
ledger_scan_begin_by(Ledger *ledger, LedgerTable table, LedgerIndex index,
					 Snapshot snapshot, ScanKeyData *keys, int nkeys,
					 LedgerScan *scan)
{
	const LedgerOids *oid = table_oids(table);

	if (snapshot == NULL && !IsolationIsSerializable())
		snapshot = GetLatestSnapshot();
	begin_scan(ledger, table,
			   index == LEDGER_BY_ACCOUNT ? oid->by_account :
			   index == LEDGER_BY_ID ? oid->by_id : oid->lookup,
			   snapshot, keys, nkeys, scan);
}

void
ledger_scan_begin_ordered(Ledger *ledger, LedgerTable table,
						  ScanKeyData *keys, int nkeys, LedgerScan *scan)
{
	Relation	rel = ledger_table(ledger, table);

	list_free(RelationGetIndexList(rel));	/* finds the primary key, too */
	scan->snapshot = RegisterSnapshot(GetActiveSnapshot());
	scan->index = index_open(rel->rd_pkindex, AccessShareLock);
	scan->scan = systable_beginscan_ordered(rel, scan->index, scan->snapshot,
											nkeys, keys);
}

HeapTuple
ledger_scan_next(LedgerScan *scan)
{
	return scan->index == NULL ? systable_getnext(scan->scan) :
		systable_getnext_ordered(scan->scan, ForwardScanDirection);
}

HeapTuple
ledger_scan_previous(LedgerScan *scan)
{
	return systable_getnext_ordered(scan->scan, BackwardScanDirection);
}

void
ledger_scan_end(LedgerScan *scan)
{
	if (scan->index == NULL)
		systable_endscan(scan->scan);
	else
	{
		systable_endscan_ordered(scan->scan);
		index_close(scan->index, NoLock);
	}
	if (scan->snapshot != NULL)
		UnregisterSnapshot(scan->snapshot);
}

bool
ledger_lock_row(Ledger *ledger, LedgerTable table, ItemPointer tid,
				HeapTuple *tuple)
{
	Relation	rel = ledger_table(ledger, table);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_lock(rel, tid, snapshot, slot,
							  GetCurrentCommandId(false),
							  LockTupleNoKeyExclusive, LockWaitBlock,
							  TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
	UnregisterSnapshot(snapshot);
	if (result == TM_Ok)
	{
		*tuple = ExecCopySlotHeapTuple(slot);
		*tid = slot->tts_tid;
	}
	else if (result != TM_Deleted)
		elog(ERROR, "could not lock a row of sla.%s: result %d",
			 names[table].table, (int) result);
	ExecDropSingleTupleTableSlot(slot);
	return result == TM_Ok;
}

/*
 * Does an index want the row? Ours want all; those that somebody added may be
 * partial or over expressions, which run as the writer, like those of any
 * table. *estate is made when it is needed.
 */
static bool
index_wants(IndexInfo *info, TupleTableSlot *slot, EState **estate)
{
	if (info->ii_Predicate == NIL && info->ii_Expressions == NIL)
		return true;

	if (*estate == NULL)
		*estate = CreateExecutorState();
	GetPerTupleExprContext(*estate)->ecxt_scantuple = slot;
	return ExecQual(ExecPrepareQual(info->ii_Predicate, *estate),
					GetPerTupleExprContext(*estate));
}

/*
 * Enter a row into the table's indexes, or into those that summarize. Where it
 * is there already unique ones raise 23505, unless the one that looks rows up
 * is to be lenient: then it is entered all the same, and the answer false.
 */
static bool
insert_index_entries(Ledger *ledger, LedgerTable table, HeapTuple tuple,
					 TU_UpdateIndexes which, bool lenient)
{
	Relation	rel = ledger_table(ledger, table);
	CatalogIndexState indexes = ledger_indexes(ledger, table);
	EState	   *estate = NULL;
	TupleTableSlot *slot;
	bool		is_new = true;

	if (which == TU_None || indexes->ri_NumIndices == 0)
		return true;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	ExecStoreHeapTuple(tuple, slot, false);
	for (int i = 0; i < indexes->ri_NumIndices; i++)
	{
		Relation	index = indexes->ri_IndexRelationDescs[i];
		IndexInfo  *info = indexes->ri_IndexRelationInfo[i];
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];

		if (!info->ii_ReadyForInserts ||
			(which == TU_Summarizing && !index_summarizes(info)) ||
			!index_wants(info, slot, &estate))
			continue;
		FormIndexDatum(info, slot, estate, values, nulls);
		if (!index->rd_index->indisunique)
			index_insert(index, values, nulls, &tuple->t_self, rel,
						 UNIQUE_CHECK_NO, false, info);
		else if (lenient &&
				 RelationGetRelid(index) == table_oids(table)->lookup)
			is_new = index_insert(index, values, nulls, &tuple->t_self, rel,
								  UNIQUE_CHECK_PARTIAL, false, info);
		else
			index_insert(index, values, nulls, &tuple->t_self, rel,
						 UNIQUE_CHECK_YES, false, info);
		/* what was compiled for this executor goes with it */
		info->ii_ExpressionsState = NIL;
	}
	ExecDropSingleTupleTableSlot(slot);
	if (estate != NULL)
		FreeExecutorState(estate);
	return is_new;
}

void
ledger_insert(Ledger *ledger, LedgerTable table, Datum *values, bool *nulls)
{
	Relation	rel = ledger_table(ledger, table);
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);

	simple_heap_insert(rel, tuple);
	(void) insert_index_entries(ledger, table, tuple, TU_All, false);
	heap_freetuple(tuple);
}

bool
ledger_insert_new(Ledger *ledger, LedgerTable table, Datum *values,
				  bool *nulls)
{
	Relation	rel = ledger_table(ledger, table);
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	bool		is_new;

	simple_heap_insert(rel, tuple);
	is_new = insert_index_entries(ledger, table, tuple, TU_All, true);
	if (!is_new)
	{
		/* as a deferred unique index would have it at the end; nobody is to find it */
		CommandCounterIncrement();
		simple_heap_delete(rel, &tuple->t_self);
		CommandCounterIncrement();
	}
	heap_freetuple(tuple);
	return is_new;
}

void
ledger_update(Ledger *ledger, LedgerTable table, ItemPointer tid,
			  Datum *values, bool *nulls)
{
	Relation	rel = ledger_table(ledger, table);
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	TU_UpdateIndexes which;

	simple_heap_update_compat(rel, tid, tuple, &which);
	(void) insert_index_entries(ledger, table, tuple, which, false);
	heap_freetuple(tuple);
}

void
ledger_delete(Ledger *ledger, LedgerTable table, ItemPointer tid)
{
	CatalogTupleDelete(ledger_table(ledger, table), tid);
}
