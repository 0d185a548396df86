/*
 * worker_status.c
 *		What launcher and workers are doing, for those who watch them.
 *
 * Reads the notice board in one go, then tells of it. Must not know what the
 * view over it makes of that, nor do anything about what it sees.
 */
#include "slapolicy.h"

#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "worker_internal.h"

PG_FUNCTION_INFO_V1(slapolicy_watched_databases);

/* Columns of sla.watched_databases */
enum
{
	WATCHED_DATABASE,
	WATCHED_STATE,
	WATCHED_PID,
	WATCHED_SINCE,
	WATCHED_NEXT_DUE,
	WATCHED_LOOKED_AT,
	WATCHED_PASSES,
	WATCHED_FLAGGED,
	WATCHED_NOTIFIED,
	WATCHED_FAILURES,
	WATCHED_LAST_ERROR,
	WATCHED_LAST_ERROR_AT,
	WATCHED_NCOLS
};

static const char *
state_of(const WorkerSlot *slot)
{
	switch (slot->phase)
	{
		case WORKER_STARTING:
			return "starting";
		case WORKER_RUNNING:
			return "running";
		case WORKER_NONE:
		case WORKER_FAILED:
			break;
	}
	if (!slot->served)
		return "not served";
	if (slot->phase == WORKER_FAILED || slot->find == WORKER_FOUND_VERSION ||
		slot->crowded)
		return "failed";
	return slot->find == WORKER_FOUND_NOTHING ? "absent" : "idle";
}

/*
 * The text of an error, which may come from a database of another encoding:
 * of that only ASCII is shown.
 */
static Datum
error_text(const WorkerError *error)
{
	char	   *text = pstrdup(error->text);

	if (error->encoding != GetDatabaseEncoding())
	{
		for (char *c = text; *c != '\0'; c++)
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
	}
	return CStringGetTextDatum(text);
}

static void
put_database(ReturnSetInfo *result, Oid dbid, const char *state,
			 const WorkerSlot *slot, const WorkerError *error)
{
	Datum		values[WATCHED_NCOLS] = {0};
	bool		nulls[WATCHED_NCOLS];

	memset(nulls, true, sizeof(nulls));
	values[WATCHED_DATABASE] = ObjectIdGetDatum(dbid);
	values[WATCHED_STATE] = CStringGetTextDatum(state);
	nulls[WATCHED_DATABASE] = nulls[WATCHED_STATE] = false;
	if (slot != NULL)
	{
		TimestampTz due = Min(worker_slot_due(slot), slot->looking_for);

		values[WATCHED_PID] = Int32GetDatum(slot->pid);
		nulls[WATCHED_PID] = slot->pid == 0;
		values[WATCHED_SINCE] = TimestampTzGetDatum(slot->since);
		values[WATCHED_NEXT_DUE] = TimestampTzGetDatum(due);
		nulls[WATCHED_NEXT_DUE] = due == DT_NOEND;
		values[WATCHED_LOOKED_AT] = TimestampTzGetDatum(slot->last_look);
		nulls[WATCHED_LOOKED_AT] = slot->last_look == DT_NOBEGIN;
		values[WATCHED_PASSES] = Int64GetDatum(slot->passes);
		values[WATCHED_FLAGGED] = Int64GetDatum(slot->flagged);
		values[WATCHED_NOTIFIED] = Int64GetDatum(slot->notified);
		values[WATCHED_FAILURES] = Int32GetDatum(slot->failures);
		nulls[WATCHED_SINCE] = nulls[WATCHED_PASSES] =
			nulls[WATCHED_FLAGGED] = nulls[WATCHED_NOTIFIED] =
			nulls[WATCHED_FAILURES] = false;
	}
	if (error != NULL && error->at != 0)
	{
		values[WATCHED_LAST_ERROR] = error_text(error);
		values[WATCHED_LAST_ERROR_AT] = TimestampTzGetDatum(error->at);
		nulls[WATCHED_LAST_ERROR] = nulls[WATCHED_LAST_ERROR_AT] = false;
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * sla.watched_databases(): a row for each database the launcher has a slot
 * for, and in any case one for the present database.
 */
Datum
slapolicy_watched_databases(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	WorkerShared *copy;
	bool		here = false;

	InitMaterializedSRF(fcinfo, 0);
	if (worker_shared == NULL)
	{
		put_database(result, MyDatabaseId, "not preloaded", NULL, NULL);
		PG_RETURN_NULL();
	}

	copy = palloc(sizeof(WorkerShared));
	LWLockAcquire(worker_shared->lock, LW_SHARED);
	memcpy(copy, worker_shared, sizeof(WorkerShared));
	LWLockRelease(worker_shared->lock);

	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		const WorkerSlot *slot = &copy->slots[i];

		if (!OidIsValid(slot->dbid))
			continue;
		here = here || slot->dbid == MyDatabaseId;
		put_database(result, slot->dbid, state_of(slot), slot,
					 &copy->errors[i]);
	}
	if (!here)
		put_database(result, MyDatabaseId, "not served", NULL, NULL);
	pfree(copy);
	PG_RETURN_NULL();
}
