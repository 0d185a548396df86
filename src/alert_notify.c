/*
 * alert_notify.c
 *		Notifies of alerts, from a cursor over their ids.
 *
 * A notification is a hint, and the row is the fact: after a crash it may be
 * missing, and it may come twice. Alerts are notified after they were
 * committed, so that a full queue does not keep anything from being flagged.
 *
 * Withdrawals are alerts of their own that nobody is woken for. Nor is anybody
 * for alerts that come from elsewhere: those of a dump that is restored were
 * flagged long before the cursor was begun.
 *
 * The cursor is right because those whose ids may be committed in another
 * order, sla.flag_due and the triggers, do not rely on it: the former notifies
 * by itself, the latter write withdrawals, and once in a while an alert of the
 * past that a correction brings, of which nobody can be warned in time.
 *
 * Must not know who keeps the cursor, nor when it is moved.
 */
#include "slapolicy.h"

#include "access/htup_details.h"
#include "commands/async.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "alert_notify.h"
#include "ledger_alert.h"
#include "ledger_tables.h"

/* Leave the last tenth of the notification queue to others. */
#define ALERT_QUEUE_LIMIT	0.9

static bool
queue_has_room(void)
{
	/* A full queue would fail the commit. */
	return DatumGetFloat8(OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE)) <=
		ALERT_QUEUE_LIMIT;
}

static void
send_one(const char *channel, int64 id)
{
	char		payload[MAXINT8LEN + 1];

	pg_lltoa(id, payload);
	Async_Notify(channel, payload);
}

bool
alert_send(const char *channel, const int64 *ids, int n)
{
	if (!queue_has_room())
		return false;
	for (int i = 0; i < n; i++)
		send_one(channel, ids[i]);
	return true;
}

/* The greatest id of an alert that is visible; 0: there is none. */
static int64
last_id(void)
{
	Ledger	   *ledger = ledger_open(false);
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_ALERT));
	LedgerScan	scan;
	HeapTuple	tuple;
	int64		id = 0;

	ledger_scan_begin_ordered(ledger, LEDGER_ALERT, NULL, 0, &scan);
	tuple = ledger_scan_previous(&scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		id = DatumGetInt64(heap_getattr(tuple, ALERT_ID, desc, &isnull));
	}
	ledger_scan_end(&scan);
	ledger_close(ledger);
	return id;
}

void
alert_cursor_begin(AlertCursor *cursor, Oid extension, TimestampTz now)
{
	int64		last = last_id();

	if (cursor->extension != extension)
	{
		cursor->extension = extension;
		cursor->sent_to = last;
		cursor->since = now;
	}
	cursor->sent_to = Min(cursor->sent_to, last);
	/* the system clock may have been set back */
	cursor->since = Min(cursor->since, now);
}

AlertNotice
alert_notify_next(AlertCursor *cursor, int limit, bool send)
{
	AlertNotice notice = {0};
	Ledger	   *ledger;
	TupleDesc	desc;
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple = NULL;
	int			nread = 0;

	if (send && !queue_has_room())
	{
		notice.full = true;
		return notice;
	}

	ledger = ledger_open(false);
	desc = RelationGetDescr(ledger_table(ledger, LEDGER_ALERT));
	ScanKeyInit(&key, ALERT_ID, BTGreaterStrategyNumber,
				F_INT8GT, Int64GetDatum(cursor->sent_to));
	ledger_scan_begin_ordered(ledger, LEDGER_ALERT, &key, 1, &scan);
	while (nread < limit &&
		   HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		Datum		values[ALERT_NATTS];
		bool		nulls[ALERT_NATTS];
		TimestampTz flagged_at;

		heap_deform_tuple(tuple, desc, values, nulls);
		nread++;
		cursor->sent_to = DatumGetInt64(values[ALERT_ID - 1]);
		flagged_at = DatumGetTimestampTz(values[ALERT_FLAGGED_AT - 1]);
		if (flagged_at < cursor->since ||
			strcmp(TextDatumGetCString(values[ALERT_KIND - 1]),
				   ALERT_WITHDRAWAL) == 0)
			continue;
		if (send)
		{
			send_one(ALERT_CHANNEL, cursor->sent_to);
			notice.sent++;
		}
	}
	notice.more = HeapTupleIsValid(tuple);
	ledger_scan_end(&scan);
	ledger_close(ledger);
	return notice;
}
