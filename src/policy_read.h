/*
 * policy_read.h
 *		Reading the policy tables; for policy.c alone.
 */
#ifndef SLAPOLICY_POLICY_READ_H
#define SLAPOLICY_POLICY_READ_H

#include "policy.h"

/* What of a row of sla.policy_version decides when it is in force */
typedef struct PolicyVersionRow
{
	int32		id;
	const char *policy;
	TimestampTz effective_from;
} PolicyVersionRow;

/*
 * Find tables and columns, which a DROP and CREATE EXTENSION in this session
 * may have replaced. To be called before anything is read. NULL, or a palloc'd
 * problem.
 */
extern char *policy_tables_find(void);

/* Is this one of the tables last found? Touches no catalog. */
extern bool policy_table_is(Oid relid);

/*
 * All versions of all policies, in no order; palloc'd. False when the tables
 * have gone since they were found.
 */
extern bool policy_read_rows(PolicyVersionRow **rows, int *nrows);

/*
 * Compile a version into a memory context of its own under parent, or say, in
 * a palloc'd problem, why that cannot be done. False when the row no longer
 * reads as given: rows read earlier are out of date, and without its row a
 * version would seem to promise nothing.
 */
extern bool policy_read_version(const PolicyVersionRow *row,
								MemoryContext parent,
								const PolicyVersion **result, char **problem);

#endif							/* SLAPOLICY_POLICY_READ_H */
