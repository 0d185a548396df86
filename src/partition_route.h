/*
 * partition_route.h
 *		The partition that a row would go into.
 */
#ifndef SLAPOLICY_PARTITION_ROUTE_H
#define SLAPOLICY_PARTITION_ROUTE_H

#include "slapolicy.h"
#include "utils/relcache.h"

/*
 * The partition of a partitioned table, perhaps partitioned itself, for a row
 * that has these values, none of them null, in columns of these names. False
 * when they do not decide; *partition is InvalidOid when there is none for
 * them. Runs comparison functions of the partition key.
 */
extern bool partition_route(Relation table, int ncolumns, char **columns,
							Datum *values, Oid *partition);

#endif							/* SLAPOLICY_PARTITION_ROUTE_H */
