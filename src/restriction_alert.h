/*
 * restriction_alert.h
 *		The pass that flags changes of levels, the time given.
 */
#ifndef SLAPOLICY_RESTRICTION_ALERT_H
#define SLAPOLICY_RESTRICTION_ALERT_H

#include "slapolicy.h"
#include "alert_pass.h"

/*
 * Look at accounts, in the order in which their invoices and overrides come to
 * their turn by now, each with all of these at once, until there were limit
 * or more; those that others have locked are passed over. One pass at a time:
 * waits for another one's transaction, or without wait does nothing. Within the
 * caller's transaction, as the role that passes act as. False when the
 * extension does not exist in this database; otherwise it cannot be dropped
 * until the transaction ends.
 */
extern bool restriction_flag_batch(AlertPass *pass, TimestampTz now,
								   int limit, bool wait);

/*
 * The earliest instant left in the queue at or after from, and the earliest
 * after now; DT_NOEND for none. False when the extension does not exist.
 */
extern bool restriction_pending(TimestampTz from, TimestampTz now,
								TimestampTz *oldest, TimestampTz *upcoming);

#endif							/* SLAPOLICY_RESTRICTION_ALERT_H */
