/*
 * ledger_key.c
 *		Finds rows of the ledger by their key, and takes keys away from them.
 *
 * Knows nothing of what else the rows say.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "ledger_key.h"

HeapTuple
ledger_key_find(Ledger *ledger, const LedgerKeyed *keyed, int32 attachment_id,
				const char *key, bool lock)
{
	ScanKeyData conditions[2];
	LedgerScan	scan;
	HeapTuple	tuple;
	ItemPointerData tid;

	ScanKeyInit(&conditions[0], keyed->attachment_id, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attachment_id));
	ScanKeyInit(&conditions[1], keyed->key, BTEqualStrategyNumber,
				F_TEXTEQ, CStringGetTextDatum(key));
	ledger_scan_begin(ledger, keyed->table, conditions, 2, &scan);
	tuple = ledger_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		tid = tuple->t_self;
		if (!lock)
			tuple = heap_copytuple(tuple);
	}
	ledger_scan_end(&scan);
	if (lock && tuple != NULL &&
		!ledger_lock_row(ledger, keyed->table, &tid, &tuple))
		return NULL;
	return tuple;
}

/*
 * What comes after the key of a displaced row; palloc'd. It is said again
 * should another row have just that for a key.
 */
static char *
suffix_of(const LedgerKeyed *keyed, int64 id)
{
	return psprintf(" (%s %lld)", keyed->noun, (long long) id);
}

char *
ledger_key_displace(Ledger *ledger, const LedgerKeyed *keyed,
					int32 attachment_id, const char *key, int64 id)
{
	char	   *suffix = suffix_of(keyed, id);
	char	   *displaced = psprintf("%s%s", key, suffix);

	while (ledger_key_find(ledger, keyed, attachment_id, displaced,
						   false) != NULL)
		displaced = psprintf("%s%s", displaced, suffix);
	return displaced;
}

/* Was a row displaced from a key, and is its news still to come? */
static bool
is_displaced(const LedgerKeyed *keyed, HeapTuple tuple, TupleDesc desc,
			 const char *former)
{
	bool		isnull;
	char	   *suffix;
	char	   *key;
	const char *rest;

	if (!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)) ||
		strcmp(TextDatumGetCString(heap_getattr(tuple, keyed->state, desc,
												&isnull)), "deleted") == 0)
		return false;
	key = TextDatumGetCString(heap_getattr(tuple, keyed->key, desc, &isnull));
	suffix = suffix_of(keyed, DatumGetInt64(heap_getattr(tuple, keyed->id,
														 desc, &isnull)));
	rest = key + strlen(former);
	while (strncmp(rest, suffix, strlen(suffix)) == 0)
		rest += strlen(suffix);
	return *rest == '\0';
}

HeapTuple
ledger_key_find_displaced(Ledger *ledger, const LedgerKeyed *keyed,
						  int32 attachment_id, const char *key)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, keyed->table));
	ScanKeyData conditions[3];
	LedgerScan	scan;
	HeapTuple	tuple;
	ItemPointerData tid;
	char	   *least = psprintf("%s (%s ", key, keyed->noun);
	char	   *beyond = psprintf("%s (%s!", key, keyed->noun);

	/* "!" follows the space: all that displacing makes, little else */
	ScanKeyInit(&conditions[0], keyed->attachment_id, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attachment_id));
	ScanKeyInit(&conditions[1], keyed->key, BTGreaterStrategyNumber,
				F_TEXT_GT, CStringGetTextDatum(least));
	ScanKeyInit(&conditions[2], keyed->key, BTLessStrategyNumber,
				F_TEXT_LT, CStringGetTextDatum(beyond));
	ledger_scan_begin(ledger, keyed->table, conditions, 3, &scan);
	do
		tuple = ledger_scan_next(&scan);
	while (HeapTupleIsValid(tuple) && !is_displaced(keyed, tuple, desc, key));
	if (HeapTupleIsValid(tuple))
		tid = tuple->t_self;
	ledger_scan_end(&scan);
	if (tuple == NULL || !ledger_lock_row(ledger, keyed->table, &tid, &tuple))
		return NULL;
	return tuple;
}
