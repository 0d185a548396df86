/*
 * found_now.c
 *		What a query finds as everything is committed now.
 *
 * For triggers that stand for foreign keys: in a transaction that keeps its
 * snapshot, a plain query does not see the row that somebody else has entered
 * meanwhile, and that refers to what is being deleted. The server's own
 * foreign keys look with such a snapshot, too.
 *
 * Knows nothing of what is asked.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(slapolicy_found_now);

/*
 * sla.found_now(query text) -> text: the first column of its first row, NULL
 * when there is none. Runs as the caller and with his search_path.
 */
Datum
slapolicy_found_now(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MemoryContext caller = CurrentMemoryContext;
	Snapshot	snapshot;
	SPIPlanPtr	plan;
	char	   *found = NULL;
	int			rc;

	SPI_connect();
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "could not prepare: %s",
			 SPI_result_code_string(SPI_result));
	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	rc = SPI_execute_snapshot(plan, NULL, NULL, snapshot, InvalidSnapshot,
							  true, false, 1);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of a query: %s",
			 SPI_result_code_string(rc));
	if (SPI_processed > 0)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1);

		if (text != NULL)
			found = MemoryContextStrdup(caller, text);
	}
	UnregisterSnapshot(snapshot);
	SPI_finish();
	if (found == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(found));
}
