/*
 * contract.h
 *		Who is entitled to which policy, and when.
 */
#ifndef SLAPOLICY_CONTRACT_H
#define SLAPOLICY_CONTRACT_H

#include "slapolicy.h"

/* A row of sla.contract, in CurrentMemoryContext */
typedef struct Contract
{
	int32		id;
	char	   *policy;
	int32		hours_id;		/* of its calendar; 0: the targets' own count */
} Contract;

/*
 * The contract of an account, and of a service where it is about one, that
 * was valid at an instant, as the tables have it now; of a policy, or of any
 * when policy is NULL. False when there is none, or *problem, a palloc'd
 * sentence without a full stop, says why it cannot be used. Never raises for
 * what the tables hold.
 */
extern bool contract_at(const char *account, const char *service,
						const char *policy, TimestampTz at,
						Contract *contract, char **problem);

#endif							/* SLAPOLICY_CONTRACT_H */
