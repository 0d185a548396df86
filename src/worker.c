/*
 * worker.c
 *		The process that serves one database by itself, while something is due
 *		there; and how launcher and workers live.
 *
 * Must not know how a queue is looked at (worker_pass.c), how workers are
 * started (launcher.c), nor anything of tickets.
 *
 * The life of a worker
 * --------------------
 * The launcher is connected to no database and lives as long as the server.
 * For each database it keeps a slot in shared memory with the time at which
 * something is believed to fall due there. Shortly before (WORKER_LEAD) it
 * starts a worker in that database; the worker flags what is due, finds out
 * what is due next, and takes leave when that is not within WORKER_LINGER, so
 * that nobody who wants the database alone is kept waiting. While nothing
 * is due no process is connected and no query runs. When there is no room for
 * more workers, they do not linger, and those that wait come first.
 *
 *	free --claim--> NONE --launcher asks--> STARTING --attaches--> RUNNING
 *					 ^ ^					 | |	^				|	|
 *					 | +- no room, wanted ---+ |	| after			|	|
 *					 |				 ended,	   |	| a pause		|	|
 *					 |			   no attach   v	|				|	|
 *					 |						  FAILED <- error, -----+	|
 *					 |								 termination		|
 *					 +------------------- took leave -------------------+
 *
 * NONE and FAILED become free when the database is gone, or when it is not
 * served and slots are short. A launcher that takes over after another one
 * takes workers that are STARTING for lost, as it has no handle of them; such
 * a worker attaches all the same, whatever the phase, unless another one is
 * RUNNING. Its end is seen by its leaving the slot, not by a handle.
 *
 * What is due, a slot knows from two sources. A worker's look at the queue
 * leaves the earliest time in next_due. A backend that commits an earlier one
 * leaves it in noted, and sets the latch of the worker, or without one of the
 * launcher if that sleeps longer. While a look is under way next_due says
 * "nothing", so that whatever commits meanwhile is noted: the look may have
 * missed it. The worker takes the notes as it begins the next look.
 *
 * Neither source sees everything: nobody notes the commit of a prepared
 * transaction, a dump being restored, or the clocks of a database created from
 * a template. Hence the launcher reads pg_database, and each database is
 * looked at completely, every slapolicy.max_sleep at the latest, without
 * anything known to be due ("probing", one database at a time). A database
 * without the extension is looked at when CREATE EXTENSION commits, and
 * otherwise WORKER_ABSENT_FACTOR times less often. So is one whose extension
 * is of another version than this library: it is left alone, until ALTER
 * EXTENSION ... UPDATE commits.
 *
 * Who writes what: the lock of the shared state protects all of it, and is
 * held for a few instructions, never while waiting, querying or starting
 * anything. Backends write noted and end the pauses of not_before and levels_at
 * (and claim a slot in a database the launcher has not met, setting rescan);
 * the worker of a slot writes its phase, pid, next_due, find, looked_at,
 * levels_at and what it has done; the launcher writes the rest, phase while
 * there is no worker, and ends pauses when settings are reloaded. Only
 * the launcher frees slots, none that has a worker, so a worker may keep a
 * pointer to its own, and read without the lock what only it writes.
 *
 * Errors end the process; what they said is kept for sla.worker_status. A
 * worker that ends without taking leave makes its database wait
 * WORKER_BACKOFF, longer each time, at most until the settings are reloaded or
 * someone calls sla.wake_worker(); the launcher itself is restarted by the
 * postmaster. Three errors are caught. A failing notification: the alerts it is
 * about are committed, and the rest must go on. That of a single clock that
 * cannot be flagged, so that the others are, before it ends the process after
 * all. And whatever goes wrong with levels of accounts (worker_levels.c), for
 * which no clock must wait.
 *
 * Notifications are sent from a cursor over the alerts, kept in the slot, in
 * transactions of their own. When that fails, or the queue of the server is
 * nearly full, it is tried again later, from where the cursor stands: to the
 * slot that is one more thing that is due.
 *
 * Times are those of the system clock, which may be set or stand still while
 * the machine is suspended. Set forwards, what became due is seen at the end of
 * the present sleep, after slapolicy.max_sleep at the latest, or at the next
 * commit that announces something. Set backwards,
 * nothing is due before its time comes again; times in the slots that were
 * reckoned from the present are bounded by what they can be, here and in the
 * launcher's scan.
 *
 * A worker needs no role of its own: it connects as the bootstrap superuser,
 * does nothing but run alert.c, restriction_alert.c and alert_notify.c, of which
 * the former two act as the extension's owner or the role of slapolicy.role.
 */
#include "slapolicy.h"

#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"

#include "guc.h"
#include "worker.h"
#include "worker_internal.h"

/* How often a worker that stays looks whether someone wants the database. */
#define WORKER_YIELD		(500 * INT64CONST(1000))

PGDLLEXPORT void slapolicy_worker_main(Datum main_arg);

/* Our own slot. */
static WorkerSlot *my_slot = NULL;
static bool error_noted = false;

TimestampTz
worker_max_sleep(void)
{
	return slapolicy_max_sleep * USECS_PER_SEC;
}

TimestampTz
worker_max_sleep_absent(void)
{
	return worker_max_sleep() * WORKER_ABSENT_FACTOR;
}

/* A session lock: there need be no transaction. */
bool
worker_database_is_wanted(Oid dbid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, dbid, 0);
	if (LockAcquire(&tag, RowExclusiveLock, true, true) ==
		LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, RowExclusiveLock, true);
	return false;
}

void
worker_sleep_until(TimestampTz until)
{
	TimestampTz now = GetCurrentTimestamp();
	long		ms;

	/*
	 * A clock set back must not make us sleep for years. Rounded up: at the
	 * due time itself nothing is late yet.
	 */
	until = Min(until, now + worker_max_sleep());
	ms = until < now ? 0 : (long) ((until - now) / 1000 + 1);
	(void) WaitLatch(MyLatch,
					 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms, PG_WAIT_EXTENSION);
}

/*
 * Settings of the database apply to us too; these would stop or change what we
 * do. (A database that is read only by default stays so: we fail and try
 * again.)
 */
static void
pin_session(void)
{
	static const char *const pinned[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"session_replication_role", "replica"},
		{"default_transaction_isolation", "read committed"},
		{"statement_timeout", "0"},
		{"transaction_timeout", "0"},	/* since 17 */
		{"lock_timeout", "0"},
	};

	for (size_t i = 0; i < lengthof(pinned); i++)
	{
		if (GetConfigOption(pinned[i][0], true, false) != NULL)
			SetConfigOption(pinned[i][0], pinned[i][1], PGC_SUSET,
							PGC_S_OVERRIDE);
	}
}

void
worker_begin(const char *activity)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, activity);
}

void
worker_commit(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Keep what the error being handled says. */
static void
note_error(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	ErrorData  *error = CopyErrorData();

	error_noted = true;
	worker_slot_note_error(my_slot, error->message, error->detail,
						   error->hint);
	FreeErrorData(error);
	MemoryContextSwitchTo(old);
}

void
worker_forget_error(WorkerSlot *slot, MemoryContext context, bool say)
{
	ErrorData  *error;

	HOLD_INTERRUPTS();
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (say)
		EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	pgstat_report_activity(STATE_IDLE, NULL);
	if (say)
		worker_slot_note_error(slot, error->message, error->detail,
							   error->hint);
	FreeErrorData(error);
	RESUME_INTERRUPTS();
}

/* However it ends: unless the worker has taken leave, it has failed. */
static void
worker_exit(int code, Datum arg)
{
	pid_t		launcher = 0;
	bool		failed;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	failed = my_slot->pid == MyProcPid;
	if (failed)
	{
		worker_slot_fail(my_slot);
		launcher = worker_shared->launcher_pid;
	}
	LWLockRelease(worker_shared->lock);
	if (failed && !error_noted)
		worker_slot_note_error(my_slot, "the worker was terminated", NULL,
							   NULL);
	worker_wake(launcher);
}

/*
 * Let the owner of the database end us: DROP DATABASE ... WITH (FORCE) by one
 * who is no superuser fails at once where he may not. Nothing else asks whose
 * process this is; what it does, it does as the role of alert.c.
 */
static void
belong_to_owner(void)
{
	HeapTuple	tuple;

	worker_begin("slapolicy: looking up the database");
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	if (HeapTupleIsValid(tuple))
	{
		MyProc->roleId = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
		ReleaseSysCache(tuple);
	}
	worker_commit();
}

/* Until it is time to take leave. */
static void
serve(void)
{
	TimestampTz next = DT_NOBEGIN;
	TimestampTz retry = 0;
	MemoryContext scratch;

	pin_session();
	belong_to_owner();
	scratch = AllocSetContextCreate(TopMemoryContext, "slapolicy worker",
									ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		TimestampTz now;
		TimestampTz noted;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			/* what was in the way of levels may be what was changed */
			worker_slot_keep_levels(my_slot, DT_NOBEGIN, 0);
			worker_expect_level(DT_NOBEGIN);
			next = DT_NOBEGIN;
		}

		if (!worker_slot_take(my_slot, &noted) ||
			worker_database_is_wanted(MyDatabaseId))
		{
			worker_slot_leave(my_slot, DT_NOBEGIN);
			return;
		}
		worker_expect(noted);
		next = Min(next, noted);

		now = GetCurrentTimestamp();
		if (now > next || worker_complete_look_is_due(now))
		{
			/* Ending a transaction leaves us in some other context. */
			MemoryContextSwitchTo(scratch);
			next = worker_look(my_slot, &retry);
			MemoryContextSwitchTo(TopMemoryContext);
			MemoryContextReset(scratch);
			now = GetCurrentTimestamp();
		}

		/* Where nothing can be flagged there is nothing to wait for. */
		if (worker_slot_leave(my_slot, my_slot->find == WORKER_FOUND_QUEUE ?
							  now : DT_NOBEGIN))
			return;
		worker_sleep_until(Min(next, now + WORKER_YIELD));
	}
}

/*
 * Entry point of a worker; the argument is the database's OID. Ends with code
 * 0 after taking leave. The launcher never lets the postmaster restart one.
 */
void
slapolicy_worker_main(Datum main_arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(main_arg),
											  InvalidOid, 0);

	if (!worker_slot_attach(&my_slot))
		proc_exit(0);
	before_shmem_exit(worker_exit, 0);

	PG_TRY();
	{
		serve();
	}
	PG_CATCH();
	{
		note_error();
		PG_RE_THROW();
	}
	PG_END_TRY();
	proc_exit(0);
}
