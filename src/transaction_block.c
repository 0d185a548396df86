/*
 * transaction_block.c
 *		What procedures that commit ask for first.
 *
 * Such a procedure inside a transaction block would fail at its first COMMIT,
 * with words that say nothing to who called it.
 *
 * Knows nothing of what the procedures do.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(slapolicy_refuse_transaction_block);

/* Raises 2D000 inside a transaction block; the argument is who asks. */
Datum
slapolicy_refuse_transaction_block(PG_FUNCTION_ARGS)
{
	if (IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("%s cannot be called inside a transaction block",
						text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errdetail("It commits after each batch."),
				 errhint("CALL it by itself, neither between BEGIN and COMMIT nor together with other statements.")));
	PG_RETURN_VOID();
}
