/*
 * ledger_key.h
 *		Rows of the ledger by the key that a user's table has them under, and
 *		keys taken away from them.
 *
 * Within a statement that moves keys around, a row may come under a key before
 * the row that had it has left. The ledger's row of the latter is displaced
 * then: it keeps the key, with a remark behind it, until its own news arrives.
 */
#ifndef SLAPOLICY_LEDGER_KEY_H
#define SLAPOLICY_LEDGER_KEY_H

#include "slapolicy.h"
#include "ledger_tables.h"

/* A table whose rows have keys, unique for each attachment, and a state */
typedef struct LedgerKeyed
{
	LedgerTable table;
	AttrNumber	id;
	AttrNumber	attachment_id;
	AttrNumber	key;			/* COLLATE "C" */
	AttrNumber	state;
	const char *noun;			/* what a row is called */
} LedgerKeyed;

/*
 * The row of a key, a palloc'd copy; NULL when there is none. With lock it is
 * locked until the end of the transaction, waiting for others, and what comes
 * back is its latest version.
 */
extern HeapTuple ledger_key_find(Ledger *ledger, const LedgerKeyed *keyed,
								 int32 attachment_id, const char *key,
								 bool lock);

/*
 * The key that a row gets when it is displaced, palloc'd: no other row has it.
 */
extern char *ledger_key_displace(Ledger *ledger, const LedgerKeyed *keyed,
								 int32 attachment_id, const char *key,
								 int64 id);

/*
 * The row, locked and copied as above, that was displaced from a key in this
 * transaction and is not deleted: its own news has not arrived yet. The news
 * of a row that left unseen before will never come.
 */
extern HeapTuple ledger_key_find_displaced(Ledger *ledger,
										   const LedgerKeyed *keyed,
										   int32 attachment_id,
										   const char *key);

#endif							/* SLAPOLICY_LEDGER_KEY_H */
