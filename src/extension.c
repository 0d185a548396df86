/*
 * extension.c
 *		Finds the extension in the present database, whose, of which version,
 *		and keeps it from being dropped.
 *
 * Must not know what that is asked for.
 */
#include "slapolicy.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "extension.h"

bool
extension_find(Extension *extension)
{
	Relation	rel;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("slapolicy"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		Form_pg_extension form = (Form_pg_extension) GETSTRUCT(tuple);
		bool		isnull;

		extension->oid = form->oid;
		extension->owner = form->extowner;
		extension->version =
			TextDatumGetCString(heap_getattr(tuple,
											 Anum_pg_extension_extversion,
											 RelationGetDescr(rel), &isnull));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * It may have gone while we waited for the lock, and another one may have
 * come.
 */
bool
extension_lock(Extension *extension)
{
	bool		found = extension_find(extension);

	while (found)
	{
		Oid			locked = extension->oid;

		LockDatabaseObject(ExtensionRelationId, locked, 0, AccessShareLock);
		found = extension_find(extension);
		if (found && extension->oid == locked)
			break;
		UnlockDatabaseObject(ExtensionRelationId, locked, 0, AccessShareLock);
	}
	return found;
}
