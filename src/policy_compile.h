/*
 * policy_compile.h
 *		Policy versions read and compiled; for policy.c alone.
 */
#ifndef SLAPOLICY_POLICY_COMPILE_H
#define SLAPOLICY_POLICY_COMPILE_H

#include "policy.h"

/* What of a row of sla.policy_version decides when it is in force */
typedef struct PolicyVersionRow
{
	int32		id;
	const char *policy;
	TimestampTz effective_from;
} PolicyVersionRow;

/*
 * All versions of all policies, in no order; palloc'd. False, and a palloc'd
 * problem, when the tables are not what they should be.
 */
extern bool policy_read_rows(PolicyVersionRow **rows, int *nrows,
							 char **problem);

/*
 * Compile a version into a memory context of its own under parent, or say, in
 * a palloc'd problem, why that cannot be done. False when the row no longer
 * reads as given, or cannot be read: rows read earlier are out of date, and
 * without its row a version would seem to promise nothing.
 */
extern bool policy_compile_version(const PolicyVersionRow *row,
								   MemoryContext parent,
								   const PolicyVersion **result,
								   char **problem);

#endif							/* SLAPOLICY_POLICY_COMPILE_H */
