/*
 * worker_levels.c
 *		A worker's look at the bills of its database: alerts of the levels that
 *		have changed, and when the next one may.
 *
 * Clocks come first and are kept from nothing: what goes wrong here is reported
 * and kept for sla.worker_status, and tried again after a pause.
 *
 * Must not know what a level follows from (restriction_alert.c).
 */
#include "slapolicy.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"

#include "alert_notify.h"
#include "guc.h"
#include "restriction_alert.h"
#include "worker_internal.h"

static TimestampTz unflagged_from = DT_NOBEGIN; /* nothing is due before */
static TimestampTz next_look = DT_NOBEGIN;
static int	failures = 0;		/* in a row */

void
worker_expect_level(TimestampTz due)
{
	unflagged_from = Min(unflagged_from, due);
	next_look = Min(next_look, due);
}

/* The rows are the fact: of these nobody is told a second time. */
static void
notify(const RestrictionPass *pass)
{
	if (pass->nids == 0 || !slapolicy_notify)
		return;
	worker_begin("slapolicy: notifying of changes of levels");
	if (!alert_send(RESTRICTION_CHANNEL, pass->ids, pass->nids))
		ereport(LOG,
				(errmsg("slapolicy worker does not notify of %d changes of levels",
						pass->nids),
				 errdetail("The server's notification queue is nearly full.")));
	worker_commit();
}

/*
 * Write alerts of all changes by now, a batch per transaction, and find out
 * when the next one may come; DT_NOEND: none is known of.
 */
static TimestampTz
flag_and_look(WorkerSlot *slot)
{
	RestrictionPass pass;
	TimestampTz now;
	TimestampTz oldest = DT_NOEND;
	TimestampTz upcoming = DT_NOEND;
	bool		last = false;

	restriction_pass_begin(&pass, unflagged_from);
	while (!last)
	{
		CHECK_FOR_INTERRUPTS();
		now = GetCurrentTimestamp();
		worker_begin("slapolicy: flagging changes of levels");
		if (worker_come_in(slot) != WORKER_FOUND_QUEUE)
		{
			worker_commit();
			return DT_NOEND;
		}
		(void) restriction_pass_batch(&pass, now, slapolicy_batch_size, false);
		last = pass.done || worker_database_is_wanted(MyDatabaseId);
		if (last)
			(void) restriction_pending(unflagged_from, now, &oldest, &upcoming);
		worker_commit();
		worker_slot_progress(slot, pass.nids, slot->looking_for);
		notify(&pass);
	}
	unflagged_from = oldest;
	/* what others have locked, or another pass is at, is tried again soon */
	return oldest <= now ? now + WORKER_RETRY_MAX : upcoming;
}

static void
forget_error(WorkerSlot *slot, MemoryContext context)
{
	ErrorData  *error;

	HOLD_INTERRUPTS();
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	pgstat_report_activity(STATE_IDLE, NULL);
	worker_slot_note_error(slot, error->message, error->detail, error->hint);
	FreeErrorData(error);
	RESUME_INTERRUPTS();
}

TimestampTz
worker_look_at_levels(WorkerSlot *slot, bool complete)
{
	MemoryContext context = CurrentMemoryContext;
	TimestampTz now = GetCurrentTimestamp();

	if (complete)
		unflagged_from = DT_NOBEGIN;
	else if (now < next_look)
		return next_look;

	PG_TRY();
	{
		next_look = flag_and_look(slot);
		failures = 0;
	}
	PG_CATCH();
	{
		TimestampTz pause = WORKER_BACKOFF << Min(failures, 10);

		forget_error(slot, context);
		failures++;
		next_look = now + Min(pause, WORKER_BACKOFF_MAX);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return next_look;
}
