/*
 * alert.c
 *		One pass that turns due clocks into alerts, the clock given.
 *
 * A clock is in the queue while next_alert_at is set. A batch locks the first
 * few clocks of the queue in its order, writes alerts of all thresholds that
 * they have reached and moves them on in the queue, all in one transaction: a
 * crash leaves each threshold either ahead of the clock's place in the queue,
 * without its alert, or behind it, with it. Rows that others have locked are
 * passed over, so that any number of passes can run at once.
 *
 * A batch starts behind the last clock of the batch before, not at the head of
 * the queue. While an old snapshot keeps the index entries of flagged clocks
 * alive, starting at the head would step over all of them each time.
 *
 * Must not know what time it is, nor who runs the pass or when.
 *
 * Like all of the ledger's rows, these are read and written straight in heap
 * and indexes: no name is resolved through anyone's search_path, and no
 * trigger, rule or policy of a table runs. What could run are expressions of
 * indexes that the owner of the ledger has added, with the rights of the role
 * that the pass acts as.
 */
#include "slapolicy.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "alert.h"
#include "alert_notify.h"
#include "ledger_alert.h"
#include "ledger_tables.h"

PG_FUNCTION_INFO_V1(slapolicy_flag_due);

/* A clock to be flagged: where it is, and its row */
typedef struct DueClock
{
	ItemPointerData tid;
	Datum	   *values;
	bool	   *nulls;
} DueClock;

/* ---------- rights ---------- */

/*
 * The owner of the ledger has these rights unless he has taken them from
 * himself.
 */
static void
check_rights(Ledger *ledger, Oid role)
{
	static const struct
	{
		LedgerTable table;
		AclMode		mode;
	}			needed[] = {
		{LEDGER_CLOCK, ACL_SELECT | ACL_UPDATE},
		{LEDGER_ALERT, ACL_SELECT | ACL_INSERT},
	};

	for (size_t i = 0; i < lengthof(needed); i++)
	{
		Relation	rel = ledger_table(ledger, needed[i].table);

		if (pg_class_aclmask(RelationGetRelid(rel), role, needed[i].mode,
							 ACLMASK_ALL) != needed[i].mode)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("role \"%s\" may not flag due clocks",
							GetUserNameFromId(role, false)),
					 errdetail("It needs SELECT and UPDATE on sla.clock, and SELECT and INSERT on sla.alert."),
					 errhint("Grant these to it. The worker acts as the role of \"slapolicy.role\", by default as the owner of the extension.")));
	}
}

/* Begin to act as the role of passes. NULL when there is no extension. */
static Ledger *
enter(AlertRights *rights, bool writing)
{
	Oid			role;
	Ledger	   *ledger;

	if (!alert_borrow_rights(rights, &role))
		return NULL;
	ledger = ledger_open(writing);
	check_rights(ledger, role);
	return ledger;
}

static void
leave(const AlertRights *rights, Ledger *ledger)
{
	ledger_close(ledger);
	alert_return_rights(rights);
}

/* ---------- the queue ---------- */

/* A scan of the queue, in its order */
typedef struct QueueScan
{
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	ScanKeyData keys[2];
	ScanKeyData position[2];	/* what keys[0] compares with */
} QueueScan;

static void
queue_begin(Ledger *ledger, QueueScan *queue, Snapshot snapshot, int nkeys)
{
	Relation	rel = ledger_table(ledger, LEDGER_CLOCK);
	Oid			index = get_relname_relid("clock_queue_idx",
										  RelationGetNamespace(rel));

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("index sla.clock_queue_idx does not exist")));
	queue->index = index_open(index, AccessShareLock);
	queue->slot = table_slot_create(rel, NULL);
	queue->scan = index_beginscan_compat(rel, queue->index, snapshot, nkeys);
	index_rescan(queue->scan, queue->keys, nkeys, NULL, 0);
}

static bool
queue_next(QueueScan *queue)
{
	return index_getnext_slot(queue->scan, ForwardScanDirection, queue->slot);
}

static void
queue_end(QueueScan *queue)
{
	index_endscan(queue->scan);
	ExecDropSingleTupleTableSlot(queue->slot);
	index_close(queue->index, NoLock);
}

static TimestampTz
next_alert_of(TupleTableSlot *slot)
{
	bool		isnull;

	return DatumGetTimestampTz(slot_getattr(slot, CLOCK_NEXT_ALERT_AT,
											&isnull));
}

/* Clocks behind the position of a pass whose next alert lies before now */
static void
queue_begin_due(Ledger *ledger, QueueScan *queue, Snapshot snapshot,
				const AlertPass *pass, TimestampTz now)
{
	/* ROW(next_alert_at, id) > ROW(after_at, after_id) */
	ScanKeyEntryInitialize(&queue->position[0], SK_ROW_MEMBER, 1,
						   BTGreaterStrategyNumber, InvalidOid, InvalidOid,
						   F_TIMESTAMPTZ_CMP,
						   TimestampTzGetDatum(pass->after_at));
	ScanKeyEntryInitialize(&queue->position[1], SK_ROW_MEMBER | SK_ROW_END, 2,
						   BTGreaterStrategyNumber, InvalidOid, InvalidOid,
						   F_BTINT8CMP, Int64GetDatum(pass->after_id));
	memset(&queue->keys[0], 0, sizeof(ScanKeyData));
	queue->keys[0].sk_flags = SK_ROW_HEADER;
	queue->keys[0].sk_attno = 1;
	queue->keys[0].sk_strategy = BTGreaterStrategyNumber;
	queue->keys[0].sk_argument = PointerGetDatum(queue->position);
	ScanKeyInit(&queue->keys[1], 1, BTLessStrategyNumber, F_TIMESTAMPTZ_LT,
				TimestampTzGetDatum(now));
	queue_begin(ledger, queue, snapshot, 2);
}

/* The first place in the queue at or after an instant; DT_NOEND: none */
static TimestampTz
queue_head(Ledger *ledger, TimestampTz from)
{
	QueueScan	queue;
	TimestampTz head = DT_NOEND;

	ScanKeyInit(&queue.keys[0], 1, BTGreaterEqualStrategyNumber,
				F_TIMESTAMPTZ_GE, TimestampTzGetDatum(from));
	queue_begin(ledger, &queue, GetActiveSnapshot(), 1);
	if (queue_next(&queue))
		head = next_alert_of(queue.slot);
	queue_end(&queue);
	return head;
}

/* ---------- one batch ---------- */

/*
 * Lock a clock of the queue. False when somebody else has it, or has changed it
 * since the snapshot.
 */
static bool
lock_clock(Relation rel, QueueScan *queue, Snapshot snapshot,
		   TupleTableSlot *locked)
{
	ItemPointerData tid = queue->slot->tts_tid;
	TM_FailureData failure;

	return table_tuple_lock(rel, &tid, snapshot, locked,
							GetCurrentCommandId(false),
							LockTupleNoKeyExclusive, LockWaitSkip, 0,
							&failure) == TM_Ok;
}

/*
 * Lock the next due clocks and move the position of the pass. Returns a list
 * of DueClock.
 */
static List *
lock_batch(Ledger *ledger, AlertPass *pass, TimestampTz now, int limit)
{
	Relation	rel = ledger_table(ledger, LEDGER_CLOCK);
	Snapshot	snapshot = GetActiveSnapshot();
	TupleTableSlot *locked = table_slot_create(rel, NULL);
	QueueScan	queue;
	List	   *batch = NIL;

	queue_begin_due(ledger, &queue, snapshot, pass, now);
	pass->done = true;
	while (queue_next(&queue))
	{
		DueClock   *due;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		pass->after_at = next_alert_of(queue.slot);
		pass->after_id = DatumGetInt64(slot_getattr(queue.slot, CLOCK_ID,
													&isnull));
		if (!lock_clock(rel, &queue, snapshot, locked))
			continue;

		due = palloc(sizeof(DueClock));
		due->tid = locked->tts_tid;
		due->values = palloc(CLOCK_NATTS * sizeof(Datum));
		due->nulls = palloc(CLOCK_NATTS * sizeof(bool));
		heap_deform_tuple(ExecCopySlotHeapTuple(locked),
						  RelationGetDescr(rel), due->values, due->nulls);
		batch = lappend(batch, due);
		if (list_length(batch) == limit)
		{
			pass->done = false;
			break;
		}
	}
	queue_end(&queue);
	ExecDropSingleTupleTableSlot(locked);
	return batch;
}

/*
 * Move a clock on in the queue, and add alerts of what it has reached to the
 * list.
 */
static List *
flag_clock(Ledger *ledger, DueClock *due, TimestampTz now, List *alerts)
{
	TimestampTz next = DT_NOEND;
	Threshold  *thresholds;
	int			n = clock_thresholds(due->values, due->nulls, &thresholds);

	for (int i = 0; i < n; i++)
	{
		LedgerAlert *alert;

		if (threshold_flagged(due->values, due->nulls, &thresholds[i]))
			continue;
		if (thresholds[i].at >= now)
		{
			next = Min(next, thresholds[i].at);
			continue;
		}
		alert = palloc0(sizeof(LedgerAlert));
		alert->clock_id = DatumGetInt64(due->values[CLOCK_ID - 1]);
		alert->ticket_id = DatumGetInt64(due->values[CLOCK_TICKET_ID - 1]);
		alert->aim = DatumGetInt32(due->values[CLOCK_AIM - 1]);
		alert->threshold = thresholds[i].name;
		alert->kind = thresholds[i].kind;
		alert->due_at = thresholds[i].at;
		alert->flagged_at = now;
		alerts = lappend(alerts, alert);
	}

	due->values[CLOCK_NEXT_ALERT_AT - 1] = TimestampTzGetDatum(next);
	due->nulls[CLOCK_NEXT_ALERT_AT - 1] = next == DT_NOEND;
	ledger_update(ledger, LEDGER_CLOCK, &due->tid, due->values, due->nulls);
	return alerts;
}

/* By due time, then by clock: ids rise in this order. */
static int
compare_alerts(const ListCell *a, const ListCell *b)
{
	const LedgerAlert *x = lfirst(a);
	const LedgerAlert *y = lfirst(b);

	if (x->due_at != y->due_at)
		return x->due_at < y->due_at ? -1 : 1;
	return (x->clock_id > y->clock_id) - (x->clock_id < y->clock_id);
}

static int
compare_places(const ListCell *a, const ListCell *b)
{
	DueClock   *x = lfirst(a);
	DueClock   *y = lfirst(b);

	return ItemPointerCompare(&x->tid, &y->tid);
}

static void
flag_batch(Ledger *ledger, AlertPass *pass, List *batch, TimestampTz now)
{
	List	   *alerts = NIL;
	ListCell   *lc;

	/* neighbours in the table are neighbours in its other indexes */
	list_sort(batch, compare_places);
	foreach(lc, batch)
		alerts = flag_clock(ledger, lfirst(lc), now, alerts);
	if (alerts == NIL)
		return;

	list_sort(alerts, compare_alerts);
	pass->first_due = ((LedgerAlert *) linitial(alerts))->due_at;
	foreach(lc, alerts)
	{
		int64		id = ledger_insert_alert(ledger, lfirst(lc));

		if (id != 0)
			alert_pass_add(pass, id);
	}
}

bool
alert_flag_batch(AlertPass *pass, TimestampTz now, int limit)
{
	MemoryContext scratch;
	MemoryContext old;
	AlertRights rights;
	Ledger	   *ledger;

	alert_pass_next_batch(pass);
	PreventCommandIfReadOnly("flagging due clocks");
	scratch = AllocSetContextCreate(CurrentMemoryContext, "slapolicy batch",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	ledger = enter(&rights, true);
	if (ledger != NULL)
	{
		flag_batch(ledger, pass, lock_batch(ledger, pass, now, limit), now);
		leave(&rights, ledger);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return ledger != NULL;
}

bool
alert_pending(TimestampTz from, TimestampTz now,
			  TimestampTz *oldest, TimestampTz *upcoming)
{
	AlertRights rights;
	Ledger	   *ledger = enter(&rights, false);

	if (ledger == NULL)
		return false;
	*oldest = queue_head(ledger, from);
	*upcoming = *oldest >= now ? *oldest : queue_head(ledger, now);
	leave(&rights, ledger);
	return true;
}

/*
 * sla.flag_due(now timestamptz) -> bigint: the whole pass in the caller's
 * transaction; how many alerts were written. Raises 22008 when now is not
 * finite.
 */
Datum
slapolicy_flag_due(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(alert_pass_by_hand(alert_flag_batch,
									   PG_GETARG_TIMESTAMPTZ(0),
									   ALERT_CHANNEL, "clocks"));
}
