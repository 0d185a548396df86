/*
 * worker_pass.c
 *		One look of a worker at the queue of its database: may it work there,
 *		flag what is due, notify, and find out what is due next.
 *
 * Must not know how clocks are flagged (alert.c) and alerts notified
 * (alert_notify.c), nor when it is time to look; worker.c tells how the parts
 * play together.
 */
#include "slapolicy.h"

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "alert.h"
#include "alert_notify.h"
#include "extension.h"
#include "guc.h"
#include "ledger_tables.h"
#include "worker_internal.h"

/* Due clocks locked by others are tried again after this, doubling. */
#define WORKER_RETRY		(10 * INT64CONST(1000))

/* What one look has done */
typedef struct Tally
{
	int64		flagged;
	int64		notified;
	TimestampTz max_late;		/* microseconds */
	WorkerTrouble trouble;
} Tally;

static TimestampTz unflagged_from;	/* nothing unflagged is due before */
static TimestampTz looked_at = DT_NOBEGIN;	/* last complete look */
static bool behind = true;		/* there may be alerts behind the cursor */

bool
worker_complete_look_is_due(TimestampTz now)
{
	return looked_at == DT_NOBEGIN || now < looked_at ||
		now >= looked_at + worker_max_sleep();
}

void
worker_expect(TimestampTz due)
{
	unflagged_from = Min(unflagged_from, due);
	worker_expect_level(due);
}

/*
 * The extension of another version: its tables may have other columns. Said
 * once, whether clocks or levels are looked at first.
 */
static void
refuse_version(WorkerSlot *slot, const char *version)
{
	char	   *message =
		psprintf("extension \"slapolicy\" has version %s, the library %s",
				 version, SLAPOLICY_VERSION);
	const char *hint =
		"Run ALTER EXTENSION slapolicy UPDATE, or restart the server with the library of the extension's version.";

	if (worker_slot_finds(slot, WORKER_FOUND_VERSION))
		ereport(LOG,
				(errmsg("slapolicy worker flags nothing in database \"%s\"",
						get_database_name(MyDatabaseId)),
				 errdetail_internal("%s.", message),
				 errhint("%s", hint)));
	worker_slot_note_error(slot, message, NULL, hint);
}

/*
 * The role the pass acts as; InvalidOid: the extension's owner. Raises 42704.
 * Whether it has the rights is seen by the pass.
 */
static Oid
role_in_charge(void)
{
	Oid			role;

	if (slapolicy_role == NULL || slapolicy_role[0] == '\0')
		return InvalidOid;

	role = get_role_oid(slapolicy_role, true);
	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", slapolicy_role),
				 errdetail("The worker acts as the role of \"slapolicy.role\"."),
				 errhint("Create the role, or reset \"slapolicy.role\" and reload.")));
	return role;
}

static bool
version_fits(const Extension *extension)
{
	return strcmp(extension->version, SLAPOLICY_VERSION) == 0;
}

/* worker_come_in(), which also tells of the extension */
static WorkerFind
come_in(WorkerSlot *slot, Extension *extension)
{
	if (!extension_lock(extension))
		return WORKER_FOUND_NOTHING;
	if (version_fits(extension))
	{
		Ledger	   *ledger = ledger_open(true);

		/* An update may be what we wait for here. */
		(void) ledger_table(ledger, LEDGER_CLOCK);
		(void) ledger_table(ledger, LEDGER_ALERT);
		ledger_close(ledger);
		if (!extension_find(extension))
			return WORKER_FOUND_NOTHING;
	}
	if (!version_fits(extension))
	{
		refuse_version(slot, extension->version);
		return WORKER_FOUND_VERSION;
	}
	alert_act_as(role_in_charge());
	return WORKER_FOUND_QUEUE;
}

WorkerFind
worker_come_in(WorkerSlot *slot)
{
	Extension	extension;

	return come_in(slot, &extension);
}

/*
 * Try to notify of one more batch of alerts, in a transaction of its own.
 * Failing is no reason to stop flagging, so this one error is reported and
 * kept, and goes no further. True when it went well.
 */
static bool
try_notify(WorkerSlot *slot, AlertCursor *cursor, AlertNotice *notice)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool ok = false;

	memset(notice, 0, sizeof(*notice));
	PG_TRY();
	{
		Extension	extension;

		worker_begin("slapolicy: notifying of alerts");
		/* nothing is lost when it is not sent to the disk at once */
		(void) set_config_option("synchronous_commit", "off", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
		if (extension_lock(&extension) && version_fits(&extension) &&
			extension.oid == cursor->extension)
			*notice = alert_notify_next(cursor, slapolicy_batch_size,
										slapolicy_notify);
		worker_commit();
		ok = !notice->full;
	}
	PG_CATCH();
	{
		worker_forget_error(slot, context, true);
	}
	PG_END_TRY();

	MemoryContextSwitchTo(context);
	return ok;
}

/* The notification queue is nearly full. Said once until it is not. */
static void
complain_of_full_queue(WorkerSlot *slot)
{
	static const char message[] = "slapolicy worker sends no notifications for a while";
	static const char detail[] = "The server's notification queue is nearly full.";
	static const char hint[] = "A session that listens and stays in a transaction keeps it from being emptied.";

	if (slot->notify_failures == 0)
		ereport(LOG,
				(errmsg_internal("%s", message),
				 errdetail_internal("%s", detail),
				 errhint("%s", hint)));
	worker_slot_note_error(slot, message, detail, hint);
}

/*
 * Notify of what was flagged, as far as the queue takes it and nobody wants
 * the database. What is not sent now is sent later, from the cursor.
 */
static void
notify(WorkerSlot *slot, TimestampTz now, Tally *tally)
{
	AlertNotice notice;

	/* Pauses are short; a longer one means that the clock was set back. */
	if (!behind ||
		(now < slot->notify_at && now >= slot->notify_at - WORKER_BACKOFF_MAX))
		return;

	do
	{
		AlertCursor cursor = slot->cursor;

		CHECK_FOR_INTERRUPTS();
		if (!try_notify(slot, &cursor, &notice))
		{
			TimestampTz pause = notice.full ? WORKER_BACKOFF :
				WORKER_BACKOFF << Min(slot->notify_failures, 10);

			if (notice.full)
				complain_of_full_queue(slot);
			worker_slot_keep(slot, &slot->cursor, 0,
							 now + Min(pause, WORKER_BACKOFF_MAX),
							 slot->notify_failures + 1);
			return;
		}
		if (slot->notify_failures > 0)
			ereport(LOG,
					(errmsg("slapolicy worker sends notifications again")));
		worker_slot_keep(slot, &cursor, notice.sent, DT_NOBEGIN, 0);
		tally->notified += notice.sent;
	} while (notice.more && !worker_database_is_wanted(MyDatabaseId));
	behind = notice.more;
}

/* One batch, and what flag_and_look gives of the queue with the last one */
typedef struct Batch
{
	TimestampTz now;
	bool		last;
	TimestampTz *oldest;
	TimestampTz *upcoming;
} Batch;

static void
flag_batch(AlertPass *pass, int limit, void *arg)
{
	Batch	   *batch = arg;

	(void) alert_flag_batch(pass, batch->now, limit);
	if (pass->done || worker_database_is_wanted(MyDatabaseId))
	{
		(void) alert_pending(unflagged_from, batch->now, batch->oldest,
							 batch->upcoming);
		worker_commit();
		batch->last = true;
	}
	else
		worker_commit();
}

/*
 * Flag everything due, a batch per transaction, notify after each, then find
 * out what comes next. Gives *oldest, the earliest clock in the queue, and
 * *upcoming, the earliest not due at *now: they differ when due ones were
 * locked by others, or when we stopped early because someone wants the
 * database.
 */
static WorkerFind
flag_and_look(WorkerSlot *slot, bool complete, TimestampTz *now,
			  TimestampTz *oldest, TimestampTz *upcoming, Tally *tally)
{
	AlertPass	pass;
	Batch		batch = {.oldest = oldest, .upcoming = upcoming};
	bool		first = true;

	alert_pass_begin(&pass, unflagged_from);
	tally->trouble.context = pass.context;
	while (!batch.last)
	{
		WorkerFind	find;
		Extension	extension;

		CHECK_FOR_INTERRUPTS();
		*now = GetCurrentTimestamp();
		worker_begin("slapolicy: flagging due clocks");
		find = come_in(slot, &extension);
		if (find != WORKER_FOUND_QUEUE)
		{
			worker_commit();
			return find;
		}
		if (slot->cursor.extension != extension.oid || (first && complete))
		{
			AlertCursor cursor = slot->cursor;

			alert_cursor_begin(&cursor, extension.oid, *now);
			worker_slot_keep(slot, &cursor, 0, slot->notify_at,
							 slot->notify_failures);
		}
		first = false;
		batch.now = *now;
		if (!worker_try(&pass, &tally->trouble, slapolicy_batch_size,
						flag_batch, &batch))
			continue;

		tally->flagged += pass.nids;
		worker_slot_progress(slot, pass.nids, pass.nids > 0 ? pass.after_at :
							 slot->looking_for);
		if (pass.nids > 0)
		{
			behind = true;
			tally->max_late = Max(tally->max_late, *now - pass.first_due);
		}
		if (pass.ids != NULL)
			pfree(pass.ids);
		notify(slot, *now, tally);
	}
	return WORKER_FOUND_QUEUE;
}

/* Tell the log of a look that flagged something, if it wants to know. */
static void
report(const Tally *tally)
{
	if (tally->flagged > 0)
		ereport(slapolicy_log_level,
				(errmsg("slapolicy worker flagged %lld alerts and notified %lld, up to %.3f ms late",
						(long long) tally->flagged,
						(long long) tally->notified,
						tally->max_late / 1000.0)));
}

TimestampTz
worker_look(WorkerSlot *slot, TimestampTz *retry)
{
	MemoryContext scratch = CurrentMemoryContext;
	TimestampTz noted = worker_slot_look(slot);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz oldest = DT_NOEND;
	TimestampTz upcoming = DT_NOEND;
	TimestampTz next;
	bool		complete = worker_complete_look_is_due(now);
	Tally		tally = {0};
	WorkerFind	find;

	/* sla.flag_due may have left notifications to us */
	if (complete)
		behind = true;
	worker_expect(complete ? DT_NOBEGIN : noted);
	find = flag_and_look(slot, complete, &now, &oldest, &upcoming, &tally);
	if (find != WORKER_FOUND_QUEUE)
	{
		*retry = 0;
		worker_slot_looked(slot, DT_NOEND, now, find);
		return DT_NOEND;
	}
	report(&tally);

	if (complete)
		looked_at = now;
	unflagged_from = oldest;
	*retry = oldest >= now ? 0 :
		Min(Max(*retry * 2, WORKER_RETRY), WORKER_RETRY_MAX);
	next = *retry == 0 ? upcoming : Min(upcoming, now + *retry);
	if (behind)
		next = Min(next, Max(now, slot->notify_at));
	MemoryContextSwitchTo(scratch);
	next = Min(next, worker_look_at_levels(slot, complete));
	worker_complain(&tally.trouble, "clocks");

	/* From then on others announce nothing: whatever it is that is due. */
	worker_expect(next);
	worker_slot_looked(slot, next, complete ? now : DT_NOBEGIN, find);
	return next;
}
