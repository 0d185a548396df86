/*
 * restriction.h
 *		How far an account is cut off at a moment, and what that forbids.
 */
#ifndef SLAPOLICY_RESTRICTION_H
#define SLAPOLICY_RESTRICTION_H

#include "slapolicy.h"
#include "utils/date.h"
#include "utils/snapshot.h"

/* SQLSTATE of what is refused because an account is restricted */
#define ERRCODE_ACCOUNT_RESTRICTED	MAKE_SQLSTATE('S', 'L', '0', '0', '1')

/* sla.restriction_level, in its order */
typedef enum RestrictionLevel
{
	RESTRICTION_NONE,
	RESTRICTION_SUPPORT,
	RESTRICTION_DEPLOYMENTS,
	RESTRICTION_TERMINATION
} RestrictionLevel;

/* Its label */
extern const char *restriction_level_text(RestrictionLevel level);
extern bool restriction_level_from_text(const char *text,
										RestrictionLevel *level);

/* A level as a value of sla.restriction_level. Raises 42704 without it. */
extern Datum restriction_level_datum(RestrictionLevel level);

/* The type itself; raises likewise */
extern Oid	restriction_level_type(void);

/* The other way round; false: it is none */
extern bool restriction_level_of_datum(Datum value, RestrictionLevel *level);

/* Why an account has the level it has; texts are palloc'd. */
typedef struct RestrictionDetail
{
	RestrictionLevel level;
	TimestampTz since;			/* when the level began; -infinity: ever since */
	const char *policy;			/* whose rule it is; NULL: no rule's */

	/* the bill that decides; not with an override or without a level */
	int64		invoice_id;		/* 0: none */
	const char *invoice_table;	/* NULL: none */
	const char *invoice_key;
	DateADT		due;
	int			overdue_days;	/* calendar days, in the zone of the rule */
	int			threshold;		/* first day of the level; 0: see lasting */
	bool		lasting;		/* a termination that lasts until all is paid */

	/* the override in force; 0: none */
	int32		override_id;
	const char *override_reason;
	const char *override_author;
	TimestampTz override_until; /* infinity: until revoked */

	/* sentences without a full stop; never NULL when there is a level */
	const char *rule;			/* which rule it is */
	const char *lifted_by;		/* what would lift it */
} RestrictionDetail;

/*
 * The level of an account at as_of, as far as known at known_at (infinity: as
 * known now). service NULL: the account as a whole. detail may be NULL; its
 * texts live in CurrentMemoryContext. Rows are those snapshot sees, NULL: the
 * latest. An account that is NULL has no level. Asks nobody's rights. Raises
 * 22008 when as_of is not finite.
 */
extern RestrictionLevel restriction_at(const char *account,
									   const char *service,
									   TimestampTz as_of, TimestampTz known_at,
									   Snapshot snapshot,
									   RestrictionDetail *detail);

/*
 * May an account do something at as_of, as known now? *needed is the level
 * from which the action is refused; detail as above, filled in if it is
 * refused, both may be NULL.
 */
extern bool restriction_allows(const char *account, const char *service,
							   const char *action, bool security_release,
							   TimestampTz as_of, Snapshot snapshot,
							   RestrictionLevel *needed,
							   RestrictionDetail *detail);

/* An instant as text, alike in every session; palloc'd */
extern char *restriction_instant_text(TimestampTz at);

#endif							/* SLAPOLICY_RESTRICTION_H */
