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

#include "alert_notify.h"
#include "alert_pass.h"

/*
 * A worker is started so long before something is due, and stays while
 * something is due within the linger, which must be the longer. Microseconds,
 * as all that follow.
 */
#define WORKER_LEAD				(1 * USECS_PER_SEC)
#define WORKER_LINGER			(3 * USECS_PER_SEC)

/*
 * Databases without the extension, or with another version of it, are looked
 * at so many times less often.
 */
#define WORKER_ABSENT_FACTOR	10

/* Databases beyond these are not watched; slapolicy.databases selects. */
#define WORKER_MAX_DATABASES	1024

/* Pause after a worker failed; doubles up to the longest. */
#define WORKER_BACKOFF			(10 * USECS_PER_SEC)
#define WORKER_BACKOFF_MAX		(320 * USECS_PER_SEC)

/* What is kept of an error: message, detail and hint, in bytes */
#define WORKER_ERROR_SIZE		512

typedef enum WorkerPhase
{
	WORKER_NONE,				/* no worker, none needed as far as known */
	WORKER_STARTING,			/* the launcher has asked the postmaster */
	WORKER_RUNNING,				/* pid serves this database */
	WORKER_FAILED				/* the last one ended without taking leave */
} WorkerPhase;

/* What the last look at a database found */
typedef enum WorkerFind
{
	WORKER_FOUND_QUEUE,			/* the extension; also before the first look */
	WORKER_FOUND_NOTHING,		/* no extension */
	WORKER_FOUND_VERSION		/* one that does not fit this library */
} WorkerFind;

/* What happened here last that should not have */
typedef struct WorkerError
{
	TimestampTz at;				/* 0: nothing ever */
	int			encoding;		/* of the text */
	char		text[WORKER_ERROR_SIZE];	/* ends with a null byte */
} WorkerError;

typedef struct WorkerSlot
{
	Oid			dbid;			/* InvalidOid: free */
	WorkerPhase phase;
	TimestampTz since;			/* when the phase began */
	pid_t		pid;			/* while running, else 0 */
	bool		served;			/* the launcher wants it watched */
	bool		crowded;		/* there was no room for its worker */
	WorkerFind	find;
	int			failures;		/* in a row */
	TimestampTz probing_until;	/* other probes wait for this one */
	TimestampTz noted;			/* earliest committed since the last look */
	TimestampTz next_due;		/* what the last look found; DT_NOEND: nothing,
								 * or a look is under way */
	TimestampTz looking_for;	/* how far a look has got; DT_NOEND: none is
								 * under way */
	TimestampTz looked_at;		/* time of the last complete look; DT_NOBEGIN:
								 * another one is wanted */
	TimestampTz not_before;		/* no worker is started before */

	/* Notifications; only workers of this database use these. */
	AlertCursor cursor;
	TimestampTz notify_at;		/* none is tried before */
	int			notify_failures;	/* in a row */

	/* Levels of accounts */
	TimestampTz levels_at;		/* none is looked at before, after an error */
	int			levels_failures;	/* in a row */

	/* For those who watch; nothing depends on these. */
	TimestampTz last_look;		/* complete; DT_NOBEGIN: never */
	int64		passes;			/* looks */
	int64		flagged;		/* alerts written */
	int64		notified;		/* notifications sent */
} WorkerSlot;

typedef struct WorkerShared
{
	LWLock	   *lock;			/* protects everything below */
	pid_t		launcher_pid;	/* 0: none */
	TimestampTz launcher_until; /* what is due from then on need not wake it */
	bool		rescan;			/* a backend claimed a slot */
	bool		crowded;		/* a slot is */
	WorkerSlot	slots[WORKER_MAX_DATABASES];
	WorkerError errors[WORKER_MAX_DATABASES];	/* of the slots */
} WorkerShared;

/* ---- worker_shmem.c ---- */

/* NULL without preload */
extern WorkerShared *worker_shared;

extern void worker_shmem_init(void);

/* Caller holds the lock; claiming needs it exclusively. NULL: none, full. */
extern WorkerSlot *worker_slot_find(Oid dbid);
extern WorkerSlot *worker_slot_claim(Oid dbid);

/* Enter a phase, and the time. Lock held exclusively. */
extern void worker_slot_enter(WorkerSlot *slot, WorkerPhase phase);

/* Earliest instant anything is believed to be due. Caller holds the lock. */
extern TimestampTz worker_slot_due(const WorkerSlot *slot);

/* Mark a worker as lost and put off the next one. Lock held exclusively. */
extern void worker_slot_fail(WorkerSlot *slot);

/*
 * Keep an error for those who ask, in the encoding of the database; detail and
 * hint may be NULL. Too long a text is cut off. Takes the lock itself; raises
 * nothing.
 */
extern void worker_slot_note_error(WorkerSlot *slot, const char *message,
								   const char *detail, const char *hint);

/*
 * A worker's view of its own slot; these take the lock themselves.
 *
 * attach: false when another worker serves the database already.
 * take: what was noted since; false when the database is no longer served.
 * look: begin a look, after which every commit is noted; returns the notes.
 * progress: what a batch has done, and how far the queue is done with.
 * looked: what it found; looked_at is now for a complete look, else
 *		DT_NOBEGIN.
 * keep: where notifications have got to.
 * levels, keep_levels: the pause after an error with levels, which somebody may
 *		end meanwhile.
 * finds: what is in the database; was that not known?
 * leave: give the slot up unless something is due within the linger, or now
 *		while others wait for room; now DT_NOBEGIN: in any case.
 */
extern bool worker_slot_attach(WorkerSlot **slot);
extern bool worker_slot_take(WorkerSlot *slot, TimestampTz *noted);
extern TimestampTz worker_slot_look(WorkerSlot *slot);
extern void worker_slot_progress(WorkerSlot *slot, int flagged,
								 TimestampTz looking_for);
extern bool worker_slot_finds(WorkerSlot *slot, WorkerFind find);
extern void worker_slot_looked(WorkerSlot *slot, TimestampTz next_due,
							   TimestampTz looked_at, WorkerFind find);
extern void worker_slot_keep(WorkerSlot *slot, const AlertCursor *cursor,
							 int notified, TimestampTz notify_at,
							 int notify_failures);
extern TimestampTz worker_slot_levels(WorkerSlot *slot, int *failures);
extern void worker_slot_keep_levels(WorkerSlot *slot, TimestampTz levels_at,
									int failures);
extern bool worker_slot_leave(WorkerSlot *slot, TimestampTz now);

/* Set the latch of a process if it is still there. */
extern void worker_wake(pid_t pid);

/* ---- worker_try.c ---- */

/* What a pass could not flag; zeroes and the context at its begin */
typedef struct WorkerTrouble
{
	MemoryContext context;		/* holds the rest; outlives the pass */
	int			singles;		/* things to be flagged one by one */
	int			failed;			/* things passed over */
	const char *first;			/* which the first of them is, for a sentence */
	const char *message;		/* and what was said of it */
} WorkerTrouble;

/* Flags a batch and ends the transaction. */
typedef void (*WorkerBatch) (AlertPass *pass, int limit, void *arg);

/*
 * Try a batch of a pass in the transaction under way. False after an error,
 * with the transaction ended and the pass where it goes on: at the same place,
 * one by one, or behind what is passed over. Raised are errors that say nothing
 * of a single thing, and those after too many of these.
 */
extern bool worker_try(AlertPass *pass, WorkerTrouble *trouble, int limit,
					   WorkerBatch batch, void *arg);

/* Raise an error when something had to be passed over. */
extern void worker_complain(const WorkerTrouble *trouble, const char *what);

/* ---- worker_pass.c ---- */

/* What is in the way of others is tried again after so long at most. */
#define WORKER_RETRY_MAX		(1 * USECS_PER_SEC)

/*
 * At the begin of a transaction that flags: is there an extension that we know,
 * and as whom may we work on it? It stays until the transaction ends.
 */
extern WorkerFind worker_come_in(WorkerSlot *slot);

/*
 * Is everything that was relied on too old, or from a time that is yet to come
 * as the clock was set back?
 */
extern bool worker_complete_look_is_due(TimestampTz now);

/* A clock was announced that is due then: the next look goes back so far. */
extern void worker_expect(TimestampTz due);

/*
 * One look at the queue of this database: flag what is due, notify, and return
 * when to look again. *retry is the pause before due clocks that others have
 * locked are tried again, 0 when there are none; it grows from look to look.
 * Memory is taken from the context that is current. Errors are raised.
 */
extern TimestampTz worker_look(WorkerSlot *slot, TimestampTz *retry);

/* ---- worker_levels.c ---- */

/* The level of an account may change then. */
extern void worker_expect_level(TimestampTz due);

/*
 * Flag a batch of the levels that have changed, unless nothing is due; returns
 * when to look again. Errors are reported and kept, and go no further.
 */
extern TimestampTz worker_look_at_levels(WorkerSlot *slot, bool complete);

/* ---- worker.c ---- */

/* slapolicy.max_sleep in microseconds; for databases where nothing can be due */
extern TimestampTz worker_max_sleep(void);
extern TimestampTz worker_max_sleep_absent(void);

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

/*
 * In PG_CATCH, when we go on: end the transaction, with say after the error was
 * reported and kept in the slot. The context is one that outlives it.
 */
extern void worker_forget_error(WorkerSlot *slot, MemoryContext context,
								bool say);

#endif							/* SLAPOLICY_WORKER_INTERNAL_H */
