/*
 * worker_levels.c
 *		A worker's look at the bills of its database: alerts of the levels that
 *		have changed, and when the next one may.
 *
 * Clocks come first and are kept from nothing: one small batch is looked at
 * between two looks at clocks, nothing is waited for that others have locked,
 * and what goes wrong here is reported and kept for sla.worker_status, and
 * tried again after a pause. That pause is kept in the slot: the next worker
 * keeps to it, too.
 *
 * Must not know what a level follows from (restriction_alert.c).
 */
#include "slapolicy.h"

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "alert_notify.h"
#include "guc.h"
#include "restriction_alert.h"
#include "worker_internal.h"

/* Invoices and overrides looked at before clocks have their turn again */
#define LEVELS_BATCH		100

/* How long a lock is waited for that some other command holds */
#define LEVELS_PATIENCE		"20ms"

static TimestampTz unflagged_from = DT_NOBEGIN; /* nothing is due before */
static TimestampTz next_look = DT_NOBEGIN;
static AlertPass pass;			/* under way from one look to the next */
static bool under_way = false;
static WorkerTrouble trouble;	/* of that pass */

static void
begin_pass(void)
{
	static MemoryContext context = NULL;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext,
										"slapolicy pass over levels",
										ALLOCSET_SMALL_SIZES);
	MemoryContextReset(context);
	memset(&trouble, 0, sizeof(trouble));
	trouble.context = context;
	alert_pass_begin(&pass, unflagged_from);
	under_way = true;
}

void
worker_expect_level(TimestampTz due)
{
	unflagged_from = Min(unflagged_from, due);
	next_look = Min(next_look, due);
	if (due <= pass.after_at)
		under_way = false;
}

/* The rows are the fact: of these nobody is told a second time. */
static int
notify(void)
{
	bool		sent;

	if (pass.nids == 0 || !slapolicy_notify)
		return 0;
	worker_begin("slapolicy: notifying of changes of levels");
	sent = alert_send(RESTRICTION_CHANNEL, pass.ids, pass.nids);
	if (!sent)
		ereport(LOG,
				(errmsg("slapolicy worker does not notify of %d changes of levels",
						pass.nids),
				 errdetail("The server's notification queue is nearly full.")));
	worker_commit();
	return sent ? pass.nids : 0;
}

/* Tell the log of a batch that flagged something, if it wants to know. */
static void
report(int flagged, int notified)
{
	if (flagged > 0)
		ereport(slapolicy_log_level,
				(errmsg("slapolicy worker flagged %d changes of levels and notified %d",
						flagged, notified)));
}

/* What is left in the queue after the last batch of a pass */
typedef struct Pending
{
	TimestampTz now;
	TimestampTz oldest;
	TimestampTz upcoming;
} Pending;

static void
flag_batch(AlertPass *pass, int limit, void *arg)
{
	Pending    *pending = arg;

	(void) restriction_flag_batch(pass, pending->now, limit, false);
	if (pass->done)
		(void) restriction_pending(unflagged_from, pending->now,
								   &pending->oldest, &pending->upcoming);
	worker_commit();
}

/*
 * Write alerts of one batch of the changes by now. Returns when to look again:
 * at once when there may be more; else when the next change may come, DT_NOEND
 * when none is known of. At the end of a pass what could not be flagged is an
 * error.
 */
static TimestampTz
flag_and_look(WorkerSlot *slot, MemoryContext context)
{
	Pending		pending = {
		.now = GetCurrentTimestamp(), .oldest = DT_NOEND, .upcoming = DT_NOEND
	};

	worker_begin("slapolicy: flagging changes of levels");
	(void) set_config_option("lock_timeout", LEVELS_PATIENCE, PGC_SUSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	if (worker_come_in(slot) != WORKER_FOUND_QUEUE)
	{
		worker_commit();
		return DT_NOEND;
	}
	if (!under_way)
		begin_pass();
	pass.context = context;
	if (!worker_try(&pass, &trouble, Min(slapolicy_batch_size, LEVELS_BATCH),
					flag_batch, &pending))
		return pending.now;
	under_way = !pass.done;
	worker_slot_progress(slot, pass.nids, slot->looking_for);
	report(pass.nids, notify());
	if (under_way)
		return pending.now;
	unflagged_from = pending.oldest;
	worker_complain(&trouble, "accounts");
	/* what others have locked, or another pass is at, is tried again soon */
	return pending.oldest <= pending.now ?
		pending.now + WORKER_RETRY_MAX : pending.upcoming;
}

/*
 * End what went wrong, keep what it said, and return when to try again. That
 * something was locked is no error.
 */
static TimestampTz
put_off(WorkerSlot *slot, MemoryContext context, int failures)
{
	TimestampTz pause = WORKER_BACKOFF << Min(failures, 10);
	TimestampTz until = GetCurrentTimestamp();
	bool		locked = geterrcode() == ERRCODE_LOCK_NOT_AVAILABLE;

	worker_forget_error(slot, context, !locked);
	if (locked)
		return until + WORKER_RETRY_MAX;
	until += Min(pause, WORKER_BACKOFF_MAX);
	worker_slot_keep_levels(slot, until, failures + 1);
	return until;
}

TimestampTz
worker_look_at_levels(WorkerSlot *slot, bool complete)
{
	MemoryContext context = CurrentMemoryContext;
	TimestampTz now = GetCurrentTimestamp();
	int			failures;
	TimestampTz pause = worker_slot_levels(slot, &failures);

	if (complete)
		worker_expect_level(DT_NOBEGIN);
	/* Pauses are short; a longer one means that the clock was set back. */
	if (now < pause && now >= pause - WORKER_BACKOFF_MAX)
		return pause;
	if (now < next_look)
		return next_look;

	PG_TRY();
	{
		next_look = flag_and_look(slot, context);
		if (failures > 0 && !under_way)
			worker_slot_keep_levels(slot, DT_NOBEGIN, 0);
	}
	PG_CATCH();
	{
		under_way = false;
		next_look = put_off(slot, context, failures);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return next_look;
}
