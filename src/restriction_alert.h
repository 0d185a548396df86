/*
 * restriction_alert.h
 *		One pass that flags changes of levels, the clock given.
 */
#ifndef SLAPOLICY_RESTRICTION_ALERT_H
#define SLAPOLICY_RESTRICTION_ALERT_H

#include "slapolicy.h"

/* Where a pass has got to, and what its last batch wrote. */
typedef struct RestrictionPass
{
	TimestampTz after_at;		/* queue position of the last invoice taken */
	int64		after_id;
	int			nids;
	int64	   *ids;			/* alerts of the last batch; NULL: none */
	int			room;
	MemoryContext context;		/* holds ids; the one current at the begin */
	bool		done;			/* nothing due lies behind the position */
} RestrictionPass;

/* Begin a pass over what is to be looked at from an instant on. */
extern void restriction_pass_begin(RestrictionPass *pass, TimestampTz from);

/*
 * Look at the accounts of at most limit invoices whose turn has come by now,
 * passing over those that others have locked, and of overrides likewise. One
 * pass at a time: waits for another one's transaction. Within the caller's
 * transaction, as the extension's owner. False when the extension does not
 * exist in this database; otherwise it cannot be dropped until the transaction
 * ends.
 */
extern bool restriction_pass_batch(RestrictionPass *pass, TimestampTz now,
								   int limit);

/*
 * The earliest instant left in the queue at or after from, and the earliest
 * after now; DT_NOEND for none. False when the extension does not exist.
 */
extern bool restriction_pending(TimestampTz from, TimestampTz now,
								TimestampTz *oldest, TimestampTz *upcoming);

/*
 * Queue one notification per alert for the commit of this transaction. False,
 * and nothing queued, when the server's notification queue is nearly full.
 */
extern bool restriction_notify(const RestrictionPass *pass);

#endif							/* SLAPOLICY_RESTRICTION_ALERT_H */
