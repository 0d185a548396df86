/*
 * alert_pass.h
 *		What passes that write alerts have in common: whose rights they act with,
 *		what a batch leaves behind, and a whole pass called by hand.
 *
 * A pass works through a queue in batches, each in one transaction. Must not
 * know what is in the queue.
 */
#ifndef SLAPOLICY_ALERT_PASS_H
#define SLAPOLICY_ALERT_PASS_H

#include "slapolicy.h"
#include "nodes/pg_list.h"

/* Where a pass has got to, and what its last batch wrote */
typedef struct AlertPass
{
	TimestampTz after_at;		/* queue position of the last thing taken */
	int64		after_id;
	int			nids;
	int64	   *ids;			/* alerts of the last batch in the order of
								 * writing; NULL when there are none */
	int			room;			/* in ids */
	TimestampTz first_due;		/* of clocks: when the first of them was due */
	char	   *about;			/* who the last thing taken is about; NULL: all
								 * are by themselves, or this one is */
	List	   *left_out;		/* whom this pass has to leave out */
	MemoryContext context;		/* holds ids and about; the one current at the
								 * begin */
	bool		done;			/* nothing due lies behind the position */
} AlertPass;

/* Begin a pass over what is due at or after an instant. */
extern void alert_pass_begin(AlertPass *pass, TimestampTz from);

/* For batches: what the one before wrote is dealt with; another alert. */
extern void alert_pass_next_batch(AlertPass *pass);
extern void alert_pass_add(AlertPass *pass, int64 id);

/*
 * For batches of things of which many are about one: whose turn it is, NULL for
 * nobody's; and whether he is left out.
 */
extern void alert_pass_turn(AlertPass *pass, const char *about);
extern bool alert_pass_leaves_out(const AlertPass *pass);

/* One batch of a pass; false when the extension does not exist */
typedef bool (*AlertBatch) (AlertPass *pass, TimestampTz now, int limit);

/*
 * A whole pass in the caller's transaction, which sends the notifications, too.
 * How many alerts were written. Raises 22008 when now is not finite, in terms
 * of what is flagged, and 42704 when the extension does not exist.
 */
extern int64 alert_pass_by_hand(AlertBatch batch, TimestampTz now,
								const char *channel, const char *what);

/*
 * Passes of this backend act as a role, InvalidOid: the extension's owner. A
 * role needs SELECT and UPDATE on sla.clock, SELECT and INSERT on sla.alert; and
 * for levels what restriction_alert.c does to its tables.
 */
extern void alert_act_as(Oid role);

/* Borrowed rights and pinned settings, to be given back */
typedef struct AlertRights
{
	Oid			userid;
	int			sec_context;
	int			guc_level;
} AlertRights;

/*
 * Begin to act as the role of passes (*role, unless NULL), with a search_path
 * that nobody else chose. False when there is no extension in this database;
 * otherwise it cannot be dropped until the transaction ends. After an error the
 * end of the (sub)transaction gives everything back.
 */
extern bool alert_borrow_rights(AlertRights *rights, Oid *role);

/* Another setting for as long as the rights are borrowed */
extern void alert_pin_setting(const char *name, const char *value);
extern void alert_return_rights(const AlertRights *rights);

#endif							/* SLAPOLICY_ALERT_PASS_H */
