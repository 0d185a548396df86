/*
 * alert.h
 *		The pass that flags clocks that are due, the time given.
 */
#ifndef SLAPOLICY_ALERT_H
#define SLAPOLICY_ALERT_H

#include "slapolicy.h"
#include "alert_pass.h"

/*
 * Flag what at most limit clocks have reached before now, skipping clocks that
 * others have locked. Within the caller's transaction. False when the extension
 * does not exist in this database; otherwise it cannot be dropped until the
 * transaction ends. Raises 42501 when the role lacks rights, 25006 in a
 * transaction that is read only.
 */
extern bool alert_flag_batch(AlertPass *pass, TimestampTz now, int limit);

/*
 * The earliest alert left in the queue at or after from, and the earliest at
 * or after now; DT_NOEND for none. False when the extension does not exist.
 */
extern bool alert_pending(TimestampTz from, TimestampTz now,
						  TimestampTz *oldest, TimestampTz *upcoming);

#endif							/* SLAPOLICY_ALERT_H */
