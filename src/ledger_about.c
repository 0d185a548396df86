/*
 * ledger_about.c
 *		Finds rows of the ledger by the table that they are about.
 *
 * Knows nothing of what they say of it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "ledger_about.h"

/* The column with the table, in each of them */
#define ABOUT	ATTACHMENT_TICKET_TABLE

StaticAssertDecl((int) MESSAGES_TABLE == (int) ABOUT &&
				 (int) INVOICES_TABLE == (int) ABOUT &&
				 (int) GUARD_TABLE == (int) ABOUT,
				 "rows about tables must have these in the same column");

HeapTuple
ledger_about_table(Ledger *ledger, LedgerTable table, Oid relid)
{
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, ABOUT, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	ledger_scan_begin(ledger, table, &key, 1, &scan);
	tuple = ledger_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	ledger_scan_end(&scan);
	return tuple;
}

HeapTuple
ledger_about_relation(Ledger *ledger, LedgerTable table, AttrNumber ended,
					  Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, table));
	List	   *relids = list_make1_oid(relid);
	ListCell   *lc;

	if (rel->rd_rel->relispartition)
		relids = list_concat(relids, get_partition_ancestors(relid));
	foreach(lc, relids)
	{
		HeapTuple	tuple = ledger_about_table(ledger, table, lfirst_oid(lc));

		if (tuple != NULL &&
			(ended == 0 || heap_attisnull(tuple, ended, desc)))
			return tuple;
	}
	return NULL;
}

List *
ledger_about_all(Ledger *ledger, LedgerTable table)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *rows = NIL;

	/* the index has none of those whose table is gone */
	scan = systable_beginscan(ledger_table(ledger, table), InvalidOid, false,
							  snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		rows = lappend(rows, heap_copytuple(tuple));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return rows;
}
