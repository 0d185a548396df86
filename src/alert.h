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
	TimestampTz first_due;		/* due time of the first of them */
	MemoryContext context;		/* holds ids; the one current at the begin */
	bool		done;			/* nothing due lies behind the position */
} AlertPass;

/* Begin a pass over clocks due at or after from. */
extern void alert_pass_begin(AlertPass *pass, TimestampTz from);

/*
 * Passes of this backend act as a role, InvalidOid: the extension's owner. A
 * role needs SELECT and UPDATE on sla.clock, SELECT and INSERT on sla.alert.
 */
extern void alert_act_as(Oid role);

/*
 * The role that passes act as. False when the extension does not exist in this
 * database; otherwise it cannot be dropped until the transaction ends.
 */
extern bool alert_role(Oid *role);

/*
 * Flag what at most limit clocks have reached before now, skipping clocks that
 * others have locked. Within the caller's transaction. False when the extension
 * does not exist in this database; otherwise it cannot be dropped until the
 * transaction ends. Raises 42501 when the role lacks rights, 25006 in a
 * transaction that is read only.
 */
extern bool alert_pass_batch(AlertPass *pass, TimestampTz now, int limit);

/*
 * The earliest alert left in the queue at or after from, and the earliest at
 * or after now; DT_NOEND for none. False when the extension does not exist.
 */
extern bool alert_pending(TimestampTz from, TimestampTz now,
						  TimestampTz *oldest, TimestampTz *upcoming);

#endif							/* SLAPOLICY_ALERT_H */
