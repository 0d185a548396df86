/*
 * worker_internal.h
 *		What launcher and workers share: the notice board in shared memory, and
 *		the habits of a process that mostly sleeps.
 *
 * How it all plays together is told in worker.c.
 */
#ifndef SLAPOLICY_WORKER_INTERNAL_H
#define SLAPOLICY_WORKER_INTERNAL_H

#include "slapolicy.h"

#include "storage/lwlock.h"

/*
 * A worker is started so long before something is due, and stays while
 * something is due within the linger, which must be the longer. Microseconds,
 * as all that follow.
 */
#define WORKER_LEAD				(1 * USECS_PER_SEC)
#define WORKER_LINGER			(3 * USECS_PER_SEC)

/* Databases without the extension are looked at so many times less often. */
#define WORKER_ABSENT_FACTOR	10

/* Databases beyond these are not watched; slapolicy.databases selects. */
#define WORKER_MAX_DATABASES	1024

/* Pause after a worker failed; doubles up to the longest. */
#define WORKER_BACKOFF			(10 * USECS_PER_SEC)
#define WORKER_BACKOFF_MAX		(320 * USECS_PER_SEC)

typedef enum WorkerPhase
{
	WORKER_NONE,				/* no worker, none needed as far as known */
	WORKER_STARTING,			/* the launcher has asked the postmaster */
	WORKER_RUNNING,				/* pid serves this database */
	WORKER_FAILED				/* the last one ended without taking leave */
} WorkerPhase;

typedef struct WorkerSlot
{
	Oid			dbid;			/* InvalidOid: free */
	WorkerPhase phase;
	pid_t		pid;			/* while running, else 0 */
	bool		served;			/* the launcher wants it watched */
	bool		absent;			/* the last look found no extension */
	int			failures;		/* in a row */
	TimestampTz probing_until;	/* other probes wait for this one */
	TimestampTz noted;			/* earliest committed since the last look */
	TimestampTz next_due;		/* what the last look found; DT_NOEND: nothing,
								 * or a look is under way */
	TimestampTz looked_at;		/* time of the last complete look */
	TimestampTz not_before;		/* no worker is started before */
} WorkerSlot;

typedef struct WorkerShared
{
	LWLock	   *lock;			/* protects everything below */
	pid_t		launcher_pid;	/* 0: none */
	TimestampTz launcher_until; /* what is due from then on need not wake it */
	bool		rescan;			/* a backend claimed a slot */
	WorkerSlot	slots[WORKER_MAX_DATABASES];
} WorkerShared;

/* ---- worker_shmem.c ---- */

/* NULL without preload */
extern WorkerShared *worker_shared;

extern void worker_shmem_init(void);

/* Caller holds the lock; claiming needs it exclusively. NULL: none, full. */
extern WorkerSlot *worker_slot_find(Oid dbid);
extern WorkerSlot *worker_slot_claim(Oid dbid);

/* Earliest instant anything is believed to be due. Caller holds the lock. */
extern TimestampTz worker_slot_due(const WorkerSlot *slot);

/* Mark a worker as lost and put off the next one. Lock held exclusively. */
extern void worker_slot_fail(WorkerSlot *slot);

/*
 * A worker's view of its own slot; these take the lock themselves.
 *
 * attach: false when another worker serves the database already.
 * take: what was noted since; false when the database is no longer served.
 * look: begin a look, after which every commit is noted; returns the notes.
 * looked: what it found; looked_at is now for a complete look, else
 *		DT_NOBEGIN; absent when it found no extension.
 * leave: give the slot up unless something is due by the time given;
 *		DT_NOBEGIN: in any case.
 */
extern bool worker_slot_attach(WorkerSlot **slot);
extern bool worker_slot_take(WorkerSlot *slot, TimestampTz *noted);
extern TimestampTz worker_slot_look(WorkerSlot *slot);
extern void worker_slot_looked(WorkerSlot *slot, TimestampTz next_due,
							   TimestampTz looked_at, bool absent);
extern bool worker_slot_leave(WorkerSlot *slot, TimestampTz quiet_until);

/* Set the latch of a process if it is still there. */
extern void worker_wake(pid_t pid);

/* ---- worker.c ---- */

/* slapolicy.max_sleep in microseconds */
extern TimestampTz worker_max_sleep(void);

/*
 * Does someone hold or await a lock on the database that a new connection
 * would have to wait for? So do DROP DATABASE, ALTER DATABASE and CREATE
 * DATABASE ... TEMPLATE, while they give others a few seconds to leave.
 */
extern bool worker_database_is_wanted(Oid dbid);

/* Sleep until the time given, the latch is set, or max_sleep has passed. */
extern void worker_sleep_until(TimestampTz until);

/* A transaction with a snapshot, reported as activity and to statistics. */
extern void worker_begin(const char *activity);
extern void worker_commit(void);

#endif							/* SLAPOLICY_WORKER_INTERNAL_H */
