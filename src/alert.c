/*
 * alert.c
 *		One pass that turns due clocks into alerts, the clock given.
 *
 * A clock is in the queue while next_alert_at is set. A batch locks the first
 * few due clocks in the order of the queue, takes them out of it and writes
 * their alerts, all in one transaction: a crash leaves each clock either in
 * the queue without its alert or out of it with it. Rows that others have
 * locked are passed over, so that any number of passes can run at once.
 *
 * A batch starts behind the last clock of the batch before, not at the head of
 * the queue. While an old snapshot keeps the index entries of flagged clocks
 * alive, starting at the head would step over all of them each time.
 *
 * Must not know what time it is, nor who runs the pass or when.
 *
 * Nothing here resolves a name through anyone's search_path, and neither
 * ordinary triggers nor rules of the ledger fire: the pass runs with the
 * rights of the extension's owner and nothing that others defined.
 */
#include "slapolicy.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "alert.h"
#include "guc.h"

#define ALERT_CHANNEL	"sla_alert"

/* Leave the last tenth of the notification queue to others. */
#define ALERT_QUEUE_LIMIT	0.9

PG_FUNCTION_INFO_V1(slapolicy_flag_due);

/* Borrowed rights and pinned settings, to be given back. */
typedef struct AlertScope
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} AlertScope;

/* Kept for the life of the backend. */
static SPIPlanPtr lock_plan = NULL;
static SPIPlanPtr flag_plan = NULL;
static SPIPlanPtr pending_plan = NULL;

/*
 * Sorted output comes from the index, see pin_settings(). FOR NO KEY UPDATE is
 * the lock the update takes anyway.
 */
static const char *const lock_query =
"SELECT c.id, c.ticket_id, c.aim, c.next_alert_at"
"  FROM sla.clock c"
" WHERE c.next_alert_at OPERATOR(pg_catalog.<) $1"
"   AND ROW(c.next_alert_at, c.id) OPERATOR(pg_catalog.>) ROW($2, $3)"
" ORDER BY c.next_alert_at, c.id"
" LIMIT $4"
"   FOR NO KEY UPDATE OF c SKIP LOCKED";

/*
 * Alerts are inserted in the order of the arrays, so that their ids rise with
 * the due times. A conflict means that someone else has flagged this aim.
 */
static const char *const flag_query =
"WITH taken AS ("
"    UPDATE sla.clock c SET next_alert_at = NULL"
"     WHERE c.id OPERATOR(pg_catalog.=) ANY ($1))"
"INSERT INTO sla.alert"
"       (clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)"
" SELECT d.clock_id, d.ticket_id, d.aim, 1, 'breach', d.due_at, $5"
"   FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2),"
"                   pg_catalog.unnest($3), pg_catalog.unnest($4))"
"     AS d (clock_id, ticket_id, aim, due_at)"
" ON CONFLICT (clock_id, aim, threshold, kind) DO NOTHING"
" RETURNING id";

static const char *const pending_query =
"SELECT (SELECT c.next_alert_at FROM sla.clock c"
"         WHERE c.next_alert_at OPERATOR(pg_catalog.>=) $1"
"         ORDER BY c.next_alert_at, c.id LIMIT 1),"
"       (SELECT c.next_alert_at FROM sla.clock c"
"         WHERE c.next_alert_at OPERATOR(pg_catalog.>=) $2"
"         ORDER BY c.next_alert_at, c.id LIMIT 1)";

/*
 * Find the extension. InvalidOid when it does not exist.
 */
static Oid
find_extension(Oid *owner)
{
	Relation	rel;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("slapolicy"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_extension form = (Form_pg_extension) GETSTRUCT(tuple);

		result = form->oid;
		*owner = form->extowner;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * Lock the extension against being dropped until the transaction ends. False
 * when it does not exist: it may have gone while we waited for the lock, and
 * another one may have come.
 */
static bool
lock_extension(Oid *owner)
{
	Oid			extension = find_extension(owner);

	while (OidIsValid(extension))
	{
		Oid			again;

		LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
		again = find_extension(owner);
		if (again == extension)
			return true;
		UnlockDatabaseObject(ExtensionRelationId, extension, 0,
							 AccessShareLock);
		extension = again;
	}
	return false;
}

static void
pin(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * The queue may be filled and emptied faster than statistics follow, and a
 * plan that sorts a million due clocks for each batch would be a disaster:
 * leave the planner only the index in its order. (A forbidden node is only
 * expensive, and must not look worth compiling either.)
 */
static void
pin_settings(void)
{
	pin("search_path", "pg_catalog, pg_temp");
	pin("session_replication_role", "replica");
	pin("enable_seqscan", "off");
	pin("enable_bitmapscan", "off");
	pin("enable_sort", "off");
	pin("jit", "off");
}

/*
 * Begin to act as the extension's owner. False when there is no extension.
 * After an error the end of the (sub)transaction gives everything back.
 */
static bool
enter(AlertScope *scope)
{
	Oid			owner;

	if (!lock_extension(&owner))
		return false;

	GetUserIdAndSecContext(&scope->userid, &scope->sec_context);
	SetUserIdAndSecContext(owner, scope->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	scope->guc_level = NewGUCNestLevel();
	pin_settings();
	SPI_connect();
	return true;
}

static void
leave(AlertScope *scope)
{
	SPI_finish();
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->userid, scope->sec_context);
}

/*
 * Run a statement, planned at its first use. Results in SPI_tuptable.
 */
static void
execute(SPIPlanPtr *plan, const char *query, int nargs, Oid *types,
		Datum *values, int expected)
{
	int			rc;

	if (*plan == NULL)
	{
		SPIPlanPtr	made = SPI_prepare_cursor(query, nargs, types,
											  CURSOR_OPT_GENERIC_PLAN);

		if (made == NULL)
			elog(ERROR, "could not prepare: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(made);
		*plan = made;
	}

	rc = SPI_execute_plan(*plan, values, NULL, false, 0);
	if (rc != expected)
		elog(ERROR, "unexpected result of the flagging pass: %s",
			 SPI_result_code_string(rc));
}

/* One column of the current result, of 4 or 8 bytes, as an array. */
static Datum
result_array(int column, Oid type, int16 len)
{
	Datum	   *values = palloc(SPI_processed * sizeof(Datum));

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		values[i] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
								  column, &isnull);
		Assert(!isnull);
	}
	if (len == sizeof(int64))
		return PointerGetDatum(construct_array(values, (int) SPI_processed,
											   type, len, FLOAT8PASSBYVAL,
											   TYPALIGN_DOUBLE));
	return PointerGetDatum(construct_array(values, (int) SPI_processed,
										   type, len, true, TYPALIGN_INT));
}

void
alert_pass_begin(AlertPass *pass, TimestampTz from)
{
	memset(pass, 0, sizeof(AlertPass));
	pass->after_at = from;
	pass->after_id = PG_INT64_MIN;
	pass->context = CurrentMemoryContext;
}

/*
 * Lock the next due clocks. Moves the position of the pass; returns how many,
 * and the columns of flag_query in values[0..3].
 */
static int
lock_batch(AlertPass *pass, TimestampTz now, int limit, Datum *values)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT8OID};
	Datum		args[4];
	int			count;
	bool		isnull;

	args[0] = TimestampTzGetDatum(now);
	args[1] = TimestampTzGetDatum(pass->after_at);
	args[2] = Int64GetDatum(pass->after_id);
	args[3] = Int64GetDatum(limit);
	execute(&lock_plan, lock_query, 4, types, args, SPI_OK_SELECT);

	count = (int) SPI_processed;
	if (count > 0)
	{
		HeapTuple	last = SPI_tuptable->vals[count - 1];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		pass->after_id = DatumGetInt64(SPI_getbinval(last, desc, 1, &isnull));
		pass->after_at = DatumGetTimestampTz(SPI_getbinval(last, desc, 4,
														   &isnull));
		values[0] = result_array(1, INT8OID, 8);
		values[1] = result_array(2, INT8OID, 8);
		values[2] = result_array(3, INT4OID, 4);
		values[3] = result_array(4, TIMESTAMPTZOID, 8);
	}
	return count;
}

bool
alert_pass_batch(AlertPass *pass, TimestampTz now, int limit)
{
	AlertScope	scope;
	Oid			types[] = {INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID,
	TIMESTAMPTZARRAYOID, TIMESTAMPTZOID};
	Datum		values[5];
	int			count;

	pass->nids = 0;
	pass->ids = NULL;
	if (!enter(&scope))
		return false;

	count = lock_batch(pass, now, limit, values);
	pass->done = count < limit;
	if (count > 0)
	{
		values[4] = TimestampTzGetDatum(now);
		execute(&flag_plan, flag_query, 5, types, values,
				SPI_OK_INSERT_RETURNING);

		pass->ids = MemoryContextAlloc(pass->context,
									   SPI_processed * sizeof(int64));
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool		isnull;

			pass->ids[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													   SPI_tuptable->tupdesc,
													   1, &isnull));
		}
		pass->nids = (int) SPI_processed;
	}

	leave(&scope);
	return true;
}

bool
alert_pending(TimestampTz from, TimestampTz now,
			  TimestampTz *oldest, TimestampTz *upcoming)
{
	AlertScope	scope;
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		args[2];
	TimestampTz *out[2];

	out[0] = oldest;
	out[1] = upcoming;
	if (!enter(&scope))
		return false;

	args[0] = TimestampTzGetDatum(from);
	args[1] = TimestampTzGetDatum(now);
	execute(&pending_plan, pending_query, 2, types, args, SPI_OK_SELECT);
	for (int i = 0; i < 2; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, i + 1,
										  &isnull);

		*out[i] = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	}

	leave(&scope);
	return true;
}

bool
alert_notify(const AlertPass *pass)
{
	/* A full queue would fail the commit, and the flags with it. */
	if (DatumGetFloat8(OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE)) >
		ALERT_QUEUE_LIMIT)
		return false;

	for (int i = 0; i < pass->nids; i++)
	{
		char		payload[MAXINT8LEN + 1];

		pg_lltoa(pass->ids[i], payload);
		Async_Notify(ALERT_CHANNEL, payload);
	}
	return true;
}

/*
 * sla.flag_due(now timestamptz) -> bigint: the whole pass in the caller's
 * transaction; how many alerts were written. Raises 22008 when now is not
 * finite.
 */
Datum
slapolicy_flag_due(PG_FUNCTION_ARGS)
{
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(0);
	bool		notify = slapolicy_notify;
	int64		flagged = 0;
	AlertPass	pass;

	if (TIMESTAMP_NOT_FINITE(now))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time up to which clocks are flagged must be finite")));

	alert_pass_begin(&pass, DT_NOBEGIN);
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (!alert_pass_batch(&pass, now, slapolicy_batch_size))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("extension \"slapolicy\" does not exist")));
		flagged += pass.nids;

		if (notify && pass.nids > 0 && !alert_notify(&pass))
		{
			ereport(WARNING,
					(errmsg("alerts are flagged without notification"),
					 errdetail("The server's notification queue is nearly full.")));
			notify = false;
		}
		if (pass.ids != NULL)
			pfree(pass.ids);
	} while (!pass.done);

	PG_RETURN_INT64(flagged);
}
