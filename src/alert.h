/*
 * alert.h
 *		One pass that flags what is due, the clock given.
 */
#ifndef SLAPOLICY_ALERT_H
#define SLAPOLICY_ALERT_H

#include "slapolicy.h"

/* Where a pass has got to, and what its last batch wrote. */
typedef struct AlertPass
{
	TimestampTz after_at;		/* queue position of the last clock taken */
	int64		after_id;
	int			nids;
	int64	   *ids;			/* alerts of the last batch, in the order of
								 * their due times; NULL when there are none */
	MemoryContext context;		/* holds ids; the one current at the begin */
	bool		done;			/* nothing due lies behind the position */
} AlertPass;

/* Begin a pass over clocks due at or after from. */
extern void alert_pass_begin(AlertPass *pass, TimestampTz from);

/*
 * Flag at most limit clocks whose next alert lies before now, skipping those
 * others have locked. Within the caller's transaction, as the extension's
 * owner. False when the extension does not exist in this database; otherwise
 * it cannot be dropped until the transaction ends.
 */
extern bool alert_pass_batch(AlertPass *pass, TimestampTz now, int limit);

/*
 * The earliest alert left in the queue at or after from, and the earliest at
 * or after now; DT_NOEND for none. False when the extension does not exist.
 */
extern bool alert_pending(TimestampTz from, TimestampTz now,
						  TimestampTz *oldest, TimestampTz *upcoming);

/*
 * Queue one notification per alert for the commit of this transaction. False,
 * and nothing queued, when the server's notification queue is nearly full.
 */
extern bool alert_notify(const AlertPass *pass);

#endif							/* SLAPOLICY_ALERT_H */
