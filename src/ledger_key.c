/*
 * ledger_key.c
 *		Finds rows of the ledger by their key, and takes keys away from them.
 *
 * Knows nothing of what else the rows say.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "ledger_key.h"

/* A row that was displaced in this transaction, if that was not rolled back */
typedef struct DisplacedRow
{
	int64		table;			/* as wide as the id: a hash key has no holes */
	int64		id;
} DisplacedRow;

/* In TopTransactionContext; NULL: there are none */
static HTAB *displaced = NULL;

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

static void
forget_displaced(void *arg)
{
	displaced = NULL;
}

static void
remember_displaced(const LedgerKeyed *keyed, int64 id)
{
	DisplacedRow row = {keyed->table, id};

	if (displaced == NULL)
	{
		HASHCTL		ctl = {
			.keysize = sizeof(DisplacedRow),
			.entrysize = sizeof(DisplacedRow),
			.hcxt = TopTransactionContext
		};
		MemoryContextCallback *callback =
			MemoryContextAllocZero(TopTransactionContext,
								   sizeof(MemoryContextCallback));

		displaced = hash_create("slapolicy displaced rows", 64, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		callback->func = forget_displaced;
		MemoryContextRegisterResetCallback(TopTransactionContext, callback);
	}
	(void) hash_search(displaced, &row, HASH_ENTER, NULL);
}

static bool
is_remembered(const LedgerKeyed *keyed, int64 id)
{
	DisplacedRow row = {keyed->table, id};

	return displaced != NULL &&
		hash_search(displaced, &row, HASH_FIND, NULL) != NULL;
}

char *
ledger_key_displace(Ledger *ledger, const LedgerKeyed *keyed,
					int32 attachment_id, const char *key, int64 id)
{
	char	   *suffix = suffix_of(keyed, id);
	char	   *other = psprintf("%s%s", key, suffix);

	while (ledger_key_find(ledger, keyed, attachment_id, other, false) != NULL)
		other = psprintf("%s%s", other, suffix);
	remember_displaced(keyed, id);
	return other;
}

/* Was a row displaced from a key, and is its news still to come? */
static bool
is_displaced(const LedgerKeyed *keyed, HeapTuple tuple, TupleDesc desc,
			 const char *former)
{
	bool		isnull;
	int64		id = DatumGetInt64(heap_getattr(tuple, keyed->id, desc, &isnull));
	char	   *suffix;
	char	   *key;
	const char *rest;

	if (!is_remembered(keyed, id) ||
		strcmp(TextDatumGetCString(heap_getattr(tuple, keyed->state, desc,
												&isnull)), "deleted") == 0)
		return false;
	key = TextDatumGetCString(heap_getattr(tuple, keyed->key, desc, &isnull));
	suffix = suffix_of(keyed, id);
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

	if (displaced == NULL)
		return NULL;
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
