/*
 * restriction_group.h
 *		The bills of an account under one policy, and what follows from them.
 */
#ifndef SLAPOLICY_RESTRICTION_GROUP_H
#define SLAPOLICY_RESTRICTION_GROUP_H

#include "slapolicy.h"
#include "nodes/pg_list.h"
#include "ledger_tables.h"
#include "restriction_items.h"

/* Whose levels are asked for, and as of when */
typedef struct RestrictionQuestion
{
	Ledger	   *ledger;
	const char *account;
	const char *service;		/* NULL: the account as a whole */
	TimestampTz known_at;
	Snapshot	snapshot;		/* NULL: the latest */
} RestrictionQuestion;

/* Names of the policies that bills fall under, each once; a list of char * */
extern List *restriction_policies(const RestrictionItem *items, int n);

/*
 * Those of the items that fall under a policy and concern the service asked
 * for; palloc'd, made ready for sweeps. Returns how many.
 */
extern int	restriction_group(const RestrictionQuestion *question,
							  const RestrictionRule *rule, const char *policy,
							  RestrictionItem *items, int n,
							  RestrictionItem ***group);

/*
 * All bills that an account had since the earliest instant from which, up to
 * another one, something of a group was overdue without a break: *group, which
 * holds those that are open at that instant or later, becomes these. Returns
 * how many.
 */
extern int	restriction_group_chain(const RestrictionQuestion *question,
									const RestrictionRule *rule,
									const char *policy, TimestampTz at,
									RestrictionItem ***group, int n);

/* Put bills in the order in which they were due. */
extern void restriction_sort(RestrictionItem **group, int n);

#endif							/* SLAPOLICY_RESTRICTION_GROUP_H */
