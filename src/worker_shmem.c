/*
 * worker_shmem.c
 *		The notice board that backends, launcher and workers share: where a
 *		committing backend leaves word of an earlier due time, and whom it
 *		wakes.
 *
 * Must not know how clocks are flagged or when workers are started. worker.c
 * tells how the fields are used.
 */
#include "slapolicy.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"

#include "worker.h"
#include "worker_internal.h"

PG_FUNCTION_INFO_V1(slapolicy_wake_worker);

WorkerShared *worker_shared = NULL;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/* Earliest due time written by the current transaction. */
static TimestampTz pending_due = DT_NOEND;
static bool callback_registered = false;

static void
shmem_request(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();

	RequestAddinShmemSpace(MAXALIGN(sizeof(WorkerShared)));
	RequestNamedLWLockTranche("slapolicy", 1);
}

static void
shmem_startup(void)
{
	bool		found;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	worker_shared = ShmemInitStruct("slapolicy", sizeof(WorkerShared), &found);
	if (!found)
	{
		memset(worker_shared, 0, sizeof(WorkerShared));
		worker_shared->lock = &(GetNamedLWLockTranche("slapolicy"))->lock;
		worker_shared->launcher_until = DT_NOEND;
	}
	LWLockRelease(AddinShmemInitLock);
}

void
worker_shmem_init(void)
{
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = shmem_request;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
}

WorkerSlot *
worker_slot_find(Oid dbid)
{
	static int	last = 0;		/* most callers ask for one database */

	if (worker_shared->slots[last].dbid == dbid)
		return &worker_shared->slots[last];
	for (int i = 0; i < WORKER_MAX_DATABASES; i++)
	{
		if (worker_shared->slots[i].dbid == dbid)
		{
			last = i;
			return &worker_shared->slots[i];
		}
	}
	return NULL;
}

WorkerSlot *
worker_slot_claim(Oid dbid)
{
	WorkerSlot *slot = worker_slot_find(InvalidOid);

	if (slot != NULL)
	{
		memset(slot, 0, sizeof(WorkerSlot));
		memset(&worker_shared->errors[slot - worker_shared->slots], 0,
			   sizeof(WorkerError));
		slot->dbid = dbid;
		slot->since = GetCurrentTimestamp();
		slot->noted = DT_NOEND;
		slot->next_due = DT_NOEND;
		slot->looking_for = DT_NOEND;
		slot->looked_at = DT_NOBEGIN;
		slot->last_look = DT_NOBEGIN;
		slot->not_before = DT_NOBEGIN;
		slot->probing_until = DT_NOBEGIN;
		slot->notify_at = DT_NOBEGIN;
		slot->levels_at = DT_NOBEGIN;
	}
	return slot;
}

void
worker_slot_enter(WorkerSlot *slot, WorkerPhase phase)
{
	slot->phase = phase;
	slot->since = GetCurrentTimestamp();
}

TimestampTz
worker_slot_due(const WorkerSlot *slot)
{
	return Min(slot->noted, slot->next_due);
}

void
worker_slot_fail(WorkerSlot *slot)
{
	TimestampTz pause = WORKER_BACKOFF << Min(slot->failures, 10);

	worker_slot_enter(slot, WORKER_FAILED);
	slot->pid = 0;
	slot->probing_until = DT_NOBEGIN;
	slot->looked_at = DT_NOBEGIN;
	slot->next_due = Min(slot->next_due, slot->looking_for);
	slot->looking_for = DT_NOEND;
	slot->not_before = slot->since + Min(pause, WORKER_BACKOFF_MAX);
	slot->failures++;
}

/* Append to a text of len bytes, at most to the size; returns its length. */
static int
append_clipped(char *text, int len, const char *lead, const char *more)
{
	int			room;

	if (more == NULL)
		return len;
	len += strlcpy(text + len, lead, WORKER_ERROR_SIZE - len);
	room = WORKER_ERROR_SIZE - 1 - len;
	if (room <= 0)
		return WORKER_ERROR_SIZE - 1;
	room = pg_mbcliplen(more, strlen(more), room);
	memcpy(text + len, more, room);
	text[len + room] = '\0';
	return len + room;
}

void
worker_slot_note_error(WorkerSlot *slot, const char *message,
					   const char *detail, const char *hint)
{
	WorkerError error = {0};
	int			len;

	error.at = GetCurrentTimestamp();
	error.encoding = GetDatabaseEncoding();
	len = append_clipped(error.text, 0, "", message);
	len = append_clipped(error.text, len, "\nDETAIL:  ", detail);
	(void) append_clipped(error.text, len, "\nHINT:  ", hint);

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	worker_shared->errors[slot - worker_shared->slots] = error;
	LWLockRelease(worker_shared->lock);
}

void
worker_wake(pid_t pid)
{
	PGPROC	   *proc;

	/*
	 * The process may end in between. Its PGPROC stays in shared memory, so at
	 * worst the latch of a stranger is set, which every user of a latch bears.
	 */
	if (pid != 0 && (proc = BackendPidGetProc(pid)) != NULL)
		SetLatch(&proc->procLatch);
}

/*
 * Leave word that something of this database falls due; DT_NOBEGIN ends
 * pauses after errors, too. A launcher that should have been awake long ago
 * is woken in any case: the system clock was set forwards, or stood still for
 * it. Called after the commit is visible, where an error would be a panic:
 * raises none.
 */
static void
publish(TimestampTz due)
{
	TimestampTz now = GetCurrentTimestamp();
	WorkerSlot *slot;
	bool		known;
	bool		overslept;
	pid_t		wake = 0;

	/* Usually something earlier is known and there is nothing to do. */
	LWLockAcquire(worker_shared->lock, LW_SHARED);
	slot = worker_slot_find(MyDatabaseId);
	known = slot != NULL && worker_slot_due(slot) <= due &&
		due != DT_NOBEGIN;
	overslept = worker_shared->launcher_until < now;
	LWLockRelease(worker_shared->lock);
	if (known && !overslept)
		return;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot = worker_slot_find(MyDatabaseId);
	if (slot == NULL && (slot = worker_slot_claim(MyDatabaseId)) != NULL)
	{
		worker_shared->rescan = true;
		wake = worker_shared->launcher_pid;
	}
	if (slot != NULL && due == DT_NOBEGIN)
		slot->not_before = slot->levels_at = DT_NOBEGIN;
	if (slot != NULL && (due < worker_slot_due(slot) || due == DT_NOBEGIN))
	{
		slot->noted = due;

		/* A worker that is only starting will look at everything anyway. */
		if (slot->phase == WORKER_RUNNING)
			wake = slot->pid;
		else if (slot->phase != WORKER_STARTING && slot->served &&
				 due < worker_shared->launcher_until)
			wake = worker_shared->launcher_pid;
	}
	if (wake == 0 && overslept)
		wake = worker_shared->launcher_pid;
	LWLockRelease(worker_shared->lock);

	worker_wake(wake);
}

/*
 * Told once per transaction end. A prepared transaction may be committed by
 * any session later, so its clocks are left to the worker's complete look.
 */
static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (pending_due != DT_NOEND)
				publish(pending_due);
			pending_due = DT_NOEND;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			pending_due = DT_NOEND;
			break;
		default:
			break;
	}
}

/*
 * A subtransaction rolled back later leaves its minimum behind: the worker
 * then wakes once for nothing, which is cheaper than keeping a stack.
 */
void
worker_note_due(TimestampTz next_alert_at)
{
	if (worker_shared == NULL || next_alert_at >= pending_due)
		return;

	if (!callback_registered)
	{
		RegisterXactCallback(xact_callback, NULL);
		callback_registered = true;
	}
	pending_due = next_alert_at;
}

/*
 * sla.wake_worker(due timestamptz): the same by hand, for clocks that no
 * trigger wrote.
 */
Datum
slapolicy_wake_worker(PG_FUNCTION_ARGS)
{
	worker_note_due(PG_GETARG_TIMESTAMPTZ(0));
	PG_RETURN_VOID();
}

bool
worker_slot_attach(WorkerSlot **slot)
{
	bool		ok;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	*slot = worker_slot_find(MyDatabaseId);
	ok = *slot != NULL && (*slot)->phase != WORKER_RUNNING;
	if (ok)
	{
		worker_slot_enter(*slot, WORKER_RUNNING);
		(*slot)->pid = MyProcPid;
	}
	LWLockRelease(worker_shared->lock);
	return ok;
}

bool
worker_slot_take(WorkerSlot *slot, TimestampTz *noted)
{
	bool		served;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	*noted = slot->noted;
	slot->next_due = worker_slot_due(slot);
	slot->noted = DT_NOEND;
	served = slot->served;
	LWLockRelease(worker_shared->lock);
	return served;
}

TimestampTz
worker_slot_look(WorkerSlot *slot)
{
	TimestampTz noted;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	noted = slot->noted;
	slot->looking_for = worker_slot_due(slot);
	slot->noted = DT_NOEND;
	slot->next_due = DT_NOEND;
	LWLockRelease(worker_shared->lock);
	return noted;
}

void
worker_slot_progress(WorkerSlot *slot, int flagged, TimestampTz looking_for)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot->flagged += flagged;
	slot->looking_for = looking_for;
	LWLockRelease(worker_shared->lock);
}

bool
worker_slot_finds(WorkerSlot *slot, WorkerFind find)
{
	bool		is_news;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	is_news = slot->find != find;
	slot->find = find;
	LWLockRelease(worker_shared->lock);
	return is_news;
}

void
worker_slot_looked(WorkerSlot *slot, TimestampTz next_due,
				   TimestampTz looked_at, WorkerFind find)
{
	pid_t		launcher = 0;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot->passes++;
	slot->next_due = next_due;
	slot->looking_for = DT_NOEND;
	slot->find = find;
	if (looked_at != DT_NOBEGIN)
	{
		slot->looked_at = slot->last_look = looked_at;

		/* Other databases may be waiting for the end of this probe. */
		if (slot->probing_until != DT_NOBEGIN)
			launcher = worker_shared->launcher_pid;
		slot->probing_until = DT_NOBEGIN;

		/* Tickets go on being announced there; so is an update. */
		if (find == WORKER_FOUND_VERSION && slot->noted != DT_NOBEGIN)
			slot->not_before = looked_at + worker_max_sleep_absent();
	}
	LWLockRelease(worker_shared->lock);

	worker_wake(launcher);
}

void
worker_slot_keep(WorkerSlot *slot, const AlertCursor *cursor, int notified,
				 TimestampTz notify_at, int notify_failures)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot->cursor = *cursor;
	slot->notified += notified;
	slot->notify_at = notify_at;
	slot->notify_failures = notify_failures;
	LWLockRelease(worker_shared->lock);
}

TimestampTz
worker_slot_levels(WorkerSlot *slot, int *failures)
{
	TimestampTz levels_at;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	levels_at = slot->levels_at;
	*failures = slot->levels_failures;
	LWLockRelease(worker_shared->lock);
	return levels_at;
}

void
worker_slot_keep_levels(WorkerSlot *slot, TimestampTz levels_at, int failures)
{
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	slot->levels_at = slot->noted == DT_NOBEGIN ? DT_NOBEGIN : levels_at;
	slot->levels_failures = failures;
	LWLockRelease(worker_shared->lock);
}

bool
worker_slot_leave(WorkerSlot *slot, TimestampTz now)
{
	bool		leave = now == DT_NOBEGIN;
	pid_t		launcher = 0;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (!leave)
		leave = worker_slot_due(slot) >
			(worker_shared->crowded ? now : now + WORKER_LINGER);
	if (leave)
	{
		worker_slot_enter(slot, WORKER_NONE);
		slot->pid = 0;
		slot->probing_until = DT_NOBEGIN;
		slot->failures = 0;
		launcher = worker_shared->launcher_pid;
	}
	LWLockRelease(worker_shared->lock);

	worker_wake(launcher);
	return leave;
}
