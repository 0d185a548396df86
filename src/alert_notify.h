/*
 * alert_notify.h
 *		Telling listeners of alerts.
 */
#ifndef SLAPOLICY_ALERT_NOTIFY_H
#define SLAPOLICY_ALERT_NOTIFY_H

#include "slapolicy.h"

/* How far the alerts of a database have been notified */
typedef struct AlertCursor
{
	Oid			extension;		/* whose alerts; InvalidOid: begun nowhere */
	int64		sent_to;		/* every alert up to this id is dealt with */
	TimestampTz since;			/* alerts flagged before are not for us */
} AlertCursor;

/* What alert_notify_next has read */
typedef struct AlertNotice
{
	bool		full;			/* the notification queue is nearly full */
	bool		more;			/* there may be more alerts */
	int			sent;
} AlertNotice;

#define ALERT_CHANNEL		"sla_alert"
#define RESTRICTION_CHANNEL "sla_restriction"

/*
 * Queue one notification per alert for the commit of this transaction. False,
 * and nothing queued, when the server's notification queue is nearly full.
 */
extern bool alert_send(const char *channel, const int64 *ids, int n);

/*
 * Have a cursor at its place before alerts are flagged: behind all there are
 * when it was with another extension, or with none, and never behind the last
 * one there is: ids may have begun anew. Within the caller's transaction, in
 * which the extension is locked.
 */
extern void alert_cursor_begin(AlertCursor *cursor, Oid extension,
							   TimestampTz now);

/*
 * Read at most limit alerts behind the cursor and queue a notification for
 * each that is one, unless send is false; the cursor moves behind them, which
 * counts once the caller's transaction is committed. With full set nothing is
 * queued and the cursor stays. The extension is locked by the caller.
 */
extern AlertNotice alert_notify_next(AlertCursor *cursor, int limit,
									 bool send);

#endif							/* SLAPOLICY_ALERT_NOTIFY_H */
