/*
 * launcher.c
 *		The process that knows when something is due in which database, and
 *		starts a worker there just in time.
 *
 * Must not know how a queue is looked at; it is connected to no database and
 * could not. How launcher and workers live is told in worker.c.
 */
#include "slapolicy.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "guc.h"
#include "worker.h"
#include "worker_internal.h"

/* One probe holds up the others for so long at most. Microseconds. */
#define WORKER_PROBE_MAX	(10 * USECS_PER_SEC)

/* No room for a worker is worth a line in the log once in so long a time. */
#define WORKER_CROWD_QUIET	(60 * SECS_PER_MINUTE * USECS_PER_SEC)

/* The module's library, as bgw_library_name wants it */
#define WORKER_LIBRARY		"slapolicy"

PGDLLEXPORT void slapolicy_launcher_main(Datum main_arg);

/* Handles of the workers we started, by slot; NULL: none. */
static BackgroundWorkerHandle *launched[WORKER_MAX_DATABASES];

/* Start of a worker for something due then, minding infinities. */
static TimestampTz
lead_before(TimestampTz due)
{
	return TIMESTAMP_NOT_FINITE(due) ? due : due - WORKER_LEAD;
}

static void
launcher_exit(int code, Datum arg)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (worker_shared->launcher_pid == MyProcPid)
	{
		worker_shared->launcher_pid = 0;
		worker_shared->launcher_until = DT_NOEND;
	}
	LWLockRelease(worker_shared->lock);
}

/*
 * Is the database one to be watched? names are those of slapolicy.databases,
 * NIL for all. Templates are left alone, lest CREATE DATABASE find them in
 * use.
 */
static bool
is_served(Form_pg_database database, List *names)
{
	ListCell   *lc;

	if (!database->datallowconn || database->datistemplate ||
		database_is_invalid_form(database))
		return false;
	if (names == NIL)
		return true;
	foreach(lc, names)
	{
		if (strcmp((char *) lfirst(lc), NameStr(database->datname)) == 0)
			return true;
	}
	return false;
}

/*
 * Enter one database into its slot and mark that slot as seen. False when
 * there is no slot left for it. A clock set back must not leave times in the
 * slot that are too far away.
 */
static bool
enter_database(Oid dbid, bool served, TimestampTz now, bool *seen)
{
	WorkerSlot *slot;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot = worker_slot_find(dbid);
	if (slot == NULL && served)
		slot = worker_slot_claim(dbid);
	if (slot != NULL)
	{
		if (served && !slot->served)
			slot->looked_at = DT_NOBEGIN;
		if (served != slot->served)
			slot->since = now;
		slot->served = served;
		if (!served)
			slot->crowded = false;
		slot->looked_at = Min(slot->looked_at, now);
		slot->not_before = Min(slot->not_before, now +
							   (slot->find == WORKER_FOUND_VERSION ?
								worker_max_sleep_absent() :
								WORKER_BACKOFF_MAX));
		slot->probing_until = Min(slot->probing_until, now + WORKER_PROBE_MAX);
		seen[slot - worker_shared->slots] = true;
	}
	LWLockRelease(worker_shared->lock);
	return slot != NULL || !served;
}

/*
 * Free the slots of databases that are gone and, when there are too few, of
 * those that are not served, and come back for the others. A slot claimed by a
 * backend after the snapshot of the scan was taken has asked for another scan.
 */
static void
free_unneeded(const bool *seen, bool short_of_slots)
{
	bool		freed = false;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < WORKER_MAX_DATABASES && !worker_shared->rescan; i++)
	{
		WorkerSlot *slot = &worker_shared->slots[i];

		if (!OidIsValid(slot->dbid) ||
			(slot->phase != WORKER_NONE && slot->phase != WORKER_FAILED))
			continue;
		if (!seen[i] || (short_of_slots && !slot->served))
		{
			slot->dbid = InvalidOid;
			freed = true;
		}
	}
	if (short_of_slots && freed)
		worker_shared->rescan = true;
	LWLockRelease(worker_shared->lock);
}

/*
 * Bring the slots in line with pg_database and slapolicy.databases.
 */
static void
scan_databases(TimestampTz now)
{
	static bool complained = false;
	bool		full = false;
	bool	   *seen;
	List	   *names;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->rescan = false;
	LWLockRelease(worker_shared->lock);

	worker_begin("slapolicy: looking for databases");
	seen = palloc0(WORKER_MAX_DATABASES * sizeof(bool));
	/* checked when it was set */
	(void) SplitIdentifierString(pstrdup(slapolicy_databases), ',', &names);

	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (!enter_database(database->oid, is_served(database, names), now,
							seen))
			full = true;
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);

	free_unneeded(seen, full);
	worker_commit();

	if (full && !complained)
		ereport(LOG,
				(errmsg("slapolicy watches only %d databases",
						WORKER_MAX_DATABASES),
				 errhint("Name the databases to be watched in \"slapolicy.databases\".")));
	complained = full;
}

/*
 * When does a slot need a worker? *known tells whether something is believed
 * to be due by then, rather than a probe. DT_NOEND: not, or there is one. Lock
 * held.
 */
static TimestampTz
start_time(const WorkerSlot *slot, bool *known)
{
	TimestampTz due = lead_before(worker_slot_due(slot));
	TimestampTz probe = slot->looked_at;
	TimestampTz start;

	*known = false;
	if (!OidIsValid(slot->dbid) || !slot->served ||
		(slot->phase != WORKER_NONE && slot->phase != WORKER_FAILED))
		return DT_NOEND;

	if (probe != DT_NOBEGIN)
		probe += slot->find == WORKER_FOUND_QUEUE ? worker_max_sleep() :
			worker_max_sleep_absent();
	start = Max(Min(due, probe), slot->not_before);
	*known = due != DT_NOEND && due <= start;
	return start;
}

/* End the pauses of all slots, or of those that there was no room for. */
static void
end_pauses(bool all)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		WorkerSlot *slot = &worker_shared->slots[i];

		if (all || slot->crowded)
			slot->not_before = DT_NOBEGIN;
		if (all && slot->levels_at != DT_NOBEGIN)
			slot->levels_at = slot->looked_at = DT_NOBEGIN;
	}
	LWLockRelease(worker_shared->lock);
}

/*
 * Notice workers that ended before they could attach, and let go of the
 * handles of all that ended. Each leaves room for another one.
 */
static void
collect_ended(void)
{
	bool		ended = false;

	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		WorkerSlot *slot = &worker_shared->slots[i];
		bool		failed;
		pid_t		pid;

		if (launched[i] == NULL ||
			GetBackgroundWorkerPid(launched[i], &pid) != BGWH_STOPPED)
			continue;

		pfree(launched[i]);
		launched[i] = NULL;
		ended = true;
		LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
		failed = slot->phase == WORKER_STARTING;
		if (failed)
			worker_slot_fail(slot);
		LWLockRelease(worker_shared->lock);
		if (failed)
			worker_slot_note_error(slot,
								   "the worker ended before it could connect",
								   NULL, "The server's log tells why.");
	}
	if (ended)
		end_pauses(false);
}

/*
 * Say that there is no room for a worker: in its slot for those who ask, in
 * the log from time to time.
 */
static void
complain_of_crowd(WorkerSlot *slot)
{
	static const char detail[] = "All slots for background workers are in use.";
	static const char hint[] = "Consider increasing \"max_worker_processes\".";
	static TimestampTz complained_at = DT_NOBEGIN;
	TimestampTz now = GetCurrentTimestamp();

	worker_slot_note_error(slot, "there was no room for a worker", detail,
						   hint);
	if (complained_at != DT_NOBEGIN && now >= complained_at &&
		now < complained_at + WORKER_CROWD_QUIET)
		return;

	ereport(LOG,
			(errmsg("slapolicy could not start a worker in database %u",
					slot->dbid),
			 errdetail_internal("%s", detail),
			 errhint("%s", hint)));
	complained_at = now;
}

/*
 * Ask the postmaster for a worker in the database of a slot that is marked as
 * starting.
 */
static void
launch(int index, Oid dbid)
{
	WorkerSlot *slot = &worker_shared->slots[index];
	BackgroundWorker worker;
	bool		wanted = worker_database_is_wanted(dbid);
	bool		ok = false;

	if (!wanted)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		memset(&worker, 0, sizeof(worker));
		snprintf(worker.bgw_name, BGW_MAXLEN,
				 "slapolicy worker for database %u", dbid);
		strlcpy(worker.bgw_type, "slapolicy worker", BGW_MAXLEN);
		worker.bgw_flags = BGWORKER_SHMEM_ACCESS |
			BGWORKER_BACKEND_DATABASE_CONNECTION;
		worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
		worker.bgw_restart_time = BGW_NEVER_RESTART;
		strlcpy(worker.bgw_library_name, WORKER_LIBRARY, BGW_MAXLEN);
		strlcpy(worker.bgw_function_name, "slapolicy_worker_main", BGW_MAXLEN);
		worker.bgw_main_arg = ObjectIdGetDatum(dbid);
		worker.bgw_notify_pid = MyProcPid;
		ok = RegisterDynamicBackgroundWorker(&worker, &launched[index]);
		MemoryContextSwitchTo(old);
		if (!ok)
			complain_of_crowd(slot);
	}

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (!wanted)
		slot->crowded = !ok;
	if (!ok)
	{
		worker_slot_enter(slot, WORKER_NONE);
		slot->probing_until = DT_NOBEGIN;
		slot->not_before = slot->since +
			(wanted ? USECS_PER_SEC : WORKER_BACKOFF);
	}
	LWLockRelease(worker_shared->lock);
}

/* Time at which the next probe may start. Lock held. */
static TimestampTz
probe_time(void)
{
	TimestampTz result = DT_NOBEGIN;

	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
		result = Max(result, worker_shared->slots[i].probing_until);
	return result;
}

/*
 * Start the workers whose time has come: all that have something due, but only
 * one probe at a time. Either those that had to wait for room, or the others.
 */
static void
launch_due(TimestampTz now, bool crowded)
{
	TimestampTz probe_at;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	probe_at = probe_time();
	LWLockRelease(worker_shared->lock);

	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		WorkerSlot *slot = &worker_shared->slots[i];
		bool		known;
		bool		start;
		Oid			dbid;

		/* The worker before may have taken leave but not ended yet. */
		if (launched[i] != NULL)
			continue;

		LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
		dbid = slot->dbid;
		start = slot->crowded == crowded &&
			start_time(slot, &known) <= now && (known || probe_at <= now);
		if (start)
		{
			worker_slot_enter(slot, WORKER_STARTING);
			if (!known)
				slot->probing_until = probe_at = now + WORKER_PROBE_MAX;
		}
		LWLockRelease(worker_shared->lock);

		if (start)
			launch(i, dbid);
	}
}

/*
 * The time until which the launcher has nothing to do, at most the ceiling
 * given; written down for backends that know better, and for workers whether
 * others wait for room.
 */
static TimestampTz
launcher_idle_until(TimestampTz ceiling)
{
	TimestampTz until = ceiling;
	TimestampTz probe_at;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	probe_at = probe_time();
	worker_shared->crowded = false;
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		const WorkerSlot *slot = &worker_shared->slots[i];
		bool		known;
		TimestampTz start = start_time(slot, &known);

		if (OidIsValid(slot->dbid) && slot->crowded)
			worker_shared->crowded = true;

		/* The end of a worker, and of a probe before its time, wakes us. */
		if (launched[i] == NULL)
			until = Min(until, known ? start : Max(start, probe_at));
	}
	if (worker_shared->rescan)
		until = DT_NOBEGIN;
	worker_shared->launcher_until = TIMESTAMP_NOT_FINITE(until) ? DT_NOEND :
		until + WORKER_LEAD;
	LWLockRelease(worker_shared->lock);
	return until;
}

/* Take over from a launcher that ended, whose workers may still live. */
static void
launcher_attach(void)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->launcher_pid = MyProcPid;
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		if (worker_shared->slots[i].phase == WORKER_STARTING)
			worker_slot_fail(&worker_shared->slots[i]);
	}
	LWLockRelease(worker_shared->lock);
	before_shmem_exit(launcher_exit, 0);
}

/*
 * Entry point of the launcher. Never returns; ends only on SIGTERM or error,
 * with code 1, whereupon the postmaster restarts it.
 */
void
slapolicy_launcher_main(Datum main_arg)
{
	TimestampTz scan_at = DT_NOBEGIN;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	launcher_attach();

	for (;;)
	{
		TimestampTz now;
		TimestampTz until;

		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			scan_at = DT_NOBEGIN;
			/* what kept workers from their work may be what was changed */
			end_pauses(true);
		}
		collect_ended();

		now = GetCurrentTimestamp();
		scan_at = Min(scan_at, now + worker_max_sleep());
		until = launcher_idle_until(scan_at);
		if (until > now)
		{
			worker_sleep_until(until);
			continue;
		}

		/* Whatever is started, the list of databases is fresh. */
		scan_databases(now);
		scan_at = now + worker_max_sleep();
		launch_due(now, true);
		launch_due(now, false);
	}
}

void
worker_init(void)
{
	BackgroundWorker launcher;

	/* pg_upgrade wants the cluster to itself */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
		return;

	worker_shmem_init();

	memset(&launcher, 0, sizeof(launcher));
	strlcpy(launcher.bgw_name, "slapolicy launcher", BGW_MAXLEN);
	strlcpy(launcher.bgw_type, "slapolicy launcher", BGW_MAXLEN);
	launcher.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	launcher.bgw_start_time = BgWorkerStart_RecoveryFinished;
	launcher.bgw_restart_time = WORKER_BACKOFF / USECS_PER_SEC;
	strlcpy(launcher.bgw_library_name, WORKER_LIBRARY, BGW_MAXLEN);
	strlcpy(launcher.bgw_function_name, "slapolicy_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&launcher);
}
