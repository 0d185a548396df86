/*
 * worker.c
 *		The process that flags due clocks of one database by itself, while
 *		something is due there; and how launcher and workers live.
 *
 * Must not know how clocks are flagged (alert.c), how workers are started
 * (launcher.c), nor anything of tickets.
 *
 * The life of a worker
 * --------------------
 * The launcher is connected to no database and lives as long as the server.
 * For each database it keeps a slot in shared memory with the time at which
 * something is believed to fall due there. Shortly before (WORKER_LEAD) it
 * starts a worker in that database; the worker flags what is due, finds out
 * what is due next, and takes leave when that is not within WORKER_LINGER, so
 * that nobody who wants the database alone is kept waiting. While nothing
 * is due no process is connected and no query runs.
 *
 *	free --claim--> NONE --launcher asks--> STARTING --attaches--> RUNNING
 *					 ^						 |	 ^					|	|
 *					 |				 ended,	 |	 | after			|	|
 *					 |			   no attach |	 | a pause			|	|
 *					 |						 v	 |					|	|
 *					 |						FAILED <--- error, -----+	|
 *					 |								 termination		|
 *					 +------------------- took leave -------------------+
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
 * otherwise WORKER_ABSENT_FACTOR times less often.
 *
 * Who writes what: the lock of the shared state protects all of it, and is
 * held for a few instructions, never while waiting, querying or starting
 * anything. Backends write noted (and claim a slot in a database the launcher
 * has not met, setting rescan); the worker of a slot writes its phase, pid,
 * next_due, absent and looked_at; the launcher writes the rest, and phase
 * while there is no worker. Only the launcher frees slots, those of dropped
 * databases, so a worker may keep a pointer to its own.
 *
 * Errors end the process. A worker that ends without taking leave makes its
 * database wait WORKER_BACKOFF, longer each time; the launcher itself is
 * restarted by the postmaster. Only a failing notification is caught: the
 * alerts it is about are committed, and the rest must go on.
 *
 * A worker needs no role of its own: it connects as the bootstrap superuser,
 * does nothing but run alert.c, and that acts as the extension's owner.
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
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

#include "alert.h"
#include "guc.h"
#include "worker.h"
#include "worker_internal.h"

/* How often a worker that stays looks whether someone wants the database. */
#define WORKER_YIELD		(500 * INT64CONST(1000))

/* Due clocks locked by others are tried again after this, doubling. */
#define WORKER_RETRY		(10 * INT64CONST(1000))
#define WORKER_RETRY_MAX	(1 * USECS_PER_SEC)

/* No further notification is tried for so long after one failed. */
#define WORKER_NOTIFY_PAUSE (60 * USECS_PER_SEC)

PGDLLEXPORT void slapolicy_worker_main(Datum main_arg);

/* Our own slot. */
static WorkerSlot *my_slot = NULL;

static TimestampTz unflagged_from;	/* nothing unflagged is due before */
static TimestampTz looked_at = DT_NOBEGIN;	/* last complete look */
static TimestampTz notify_after = DT_NOBEGIN;

TimestampTz
worker_max_sleep(void)
{
	return slapolicy_max_sleep * USECS_PER_SEC;
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

/*
 * Notify of the alerts of one batch, which are committed. Failing is no reason
 * to stop flagging, so this one error is reported and forgotten.
 */
static void
notify_batch(const AlertPass *pass, TimestampTz now)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool queued = false;

	if (!slapolicy_notify || pass->nids == 0 || now < notify_after)
		return;

	PG_TRY();
	{
		worker_begin("slapolicy: notifying of alerts");
		queued = alert_notify(pass);
		if (!queued)
			ereport(LOG,
					(errmsg("slapolicy worker sends no notifications for a while"),
					 errdetail("The server's notification queue is nearly full.")));
		worker_commit();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(context);
		queued = false;
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
		pgstat_report_activity(STATE_IDLE, NULL);
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();

	MemoryContextSwitchTo(context);
	if (!queued)
		notify_after = now + WORKER_NOTIFY_PAUSE;
}

/*
 * Flag everything due, a batch per transaction, then find out what comes next.
 * False when there is no extension. Gives *oldest, the earliest clock in the
 * queue, and *upcoming, the earliest not due at *now: they differ when due
 * ones were locked by others, or when we stopped early because someone wants
 * the database. Memory is taken from the context that is current.
 */
static bool
flag_and_look(TimestampTz *now, TimestampTz *oldest, TimestampTz *upcoming)
{
	AlertPass	pass;
	bool		last = false;

	alert_pass_begin(&pass, unflagged_from);
	while (!last)
	{
		bool		found;

		CHECK_FOR_INTERRUPTS();
		*now = GetCurrentTimestamp();
		worker_begin("slapolicy: flagging due clocks");
		found = alert_pass_batch(&pass, *now, slapolicy_batch_size);
		last = pass.done || worker_database_is_wanted(MyDatabaseId);
		if (found && last)
			found = alert_pending(unflagged_from, *now, oldest, upcoming);
		worker_commit();
		if (!found)
			return false;

		notify_batch(&pass, *now);
		if (pass.ids != NULL)
			pfree(pass.ids);
	}
	return true;
}

/* Also when the clock was set back. */
static bool
complete_look_is_due(TimestampTz now)
{
	return looked_at == DT_NOBEGIN || now < looked_at ||
		now >= looked_at + worker_max_sleep();
}

/*
 * One look at the queue. Returns when to look again; sets *retry, the pause
 * before due clocks that are locked are tried again, 0 when there are none.
 */
static TimestampTz
look(TimestampTz *retry)
{
	TimestampTz noted = worker_slot_look(my_slot);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz oldest;
	TimestampTz upcoming;
	TimestampTz next;
	bool		complete = complete_look_is_due(now);

	unflagged_from = complete ? DT_NOBEGIN : Min(unflagged_from, noted);
	if (!flag_and_look(&now, &oldest, &upcoming))
	{
		*retry = 0;
		worker_slot_looked(my_slot, DT_NOEND, now, true);
		return DT_NOEND;
	}

	if (complete)
		looked_at = now;
	unflagged_from = oldest;
	*retry = oldest >= now ? 0 :
		Min(Max(*retry * 2, WORKER_RETRY), WORKER_RETRY_MAX);
	next = *retry == 0 ? upcoming : Min(upcoming, now + *retry);
	worker_slot_looked(my_slot, next, complete ? now : DT_NOBEGIN, false);
	return next;
}

static void
worker_exit(int code, Datum arg)
{
	pid_t		launcher = 0;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (my_slot->pid == MyProcPid)
	{
		worker_slot_fail(my_slot);
		launcher = worker_shared->launcher_pid;
	}
	LWLockRelease(worker_shared->lock);
	worker_wake(launcher);
}

/*
 * Entry point of a worker; the argument is the database's OID. Ends with code
 * 0 after taking leave. The launcher never lets the postmaster restart one.
 */
void
slapolicy_worker_main(Datum main_arg)
{
	TimestampTz next = DT_NOBEGIN;
	TimestampTz retry = 0;
	MemoryContext scratch;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(main_arg),
											  InvalidOid, 0);
	pin_session();

	if (!worker_slot_attach(&my_slot))
		proc_exit(0);
	before_shmem_exit(worker_exit, 0);

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
		}

		if (!worker_slot_take(my_slot, &noted) ||
			worker_database_is_wanted(MyDatabaseId))
		{
			worker_slot_leave(my_slot, DT_NOBEGIN);
			break;
		}
		unflagged_from = Min(unflagged_from, noted);
		next = Min(next, noted);

		now = GetCurrentTimestamp();
		if (now > next || complete_look_is_due(now))
		{
			/* Ending a transaction leaves us in some other context. */
			MemoryContextSwitchTo(scratch);
			next = look(&retry);
			MemoryContextSwitchTo(TopMemoryContext);
			MemoryContextReset(scratch);
			now = GetCurrentTimestamp();
		}
		if (worker_slot_leave(my_slot, now + WORKER_LINGER))
			break;
		worker_sleep_until(Min(next, now + WORKER_YIELD));
	}
	proc_exit(0);
}
