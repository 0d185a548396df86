/*
 * partition_route.c
 *		The partition that a row would go into: what the server's executor does
 *		for whole rows, for those columns alone that decide.
 *
 * Knows nothing of tickets.
 */
#include "postgres.h"

#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"

#include "partition_route.h"

/* The values of the partition key; false when a column is not among them */
static bool
key_values(Relation table, PartitionKey key, int ncolumns, char **columns,
		   Datum *values, Datum *wanted)
{
	for (int i = 0; i < key->partnatts; i++)
	{
		char	   *name;
		int			column = 0;

		if (key->partattrs[i] == 0)
			return false;		/* an expression */
		name = get_attname(RelationGetRelid(table), key->partattrs[i], false);
		while (column < ncolumns && strcmp(columns[column], name) != 0)
			column++;
		if (column == ncolumns)
			return false;
		wanted[i] = values[column];
	}
	return true;
}

bool
partition_route(Relation table, int ncolumns, char **columns, Datum *values,
				Oid *partition)
{
	PartitionKey key = RelationGetPartitionKey(table);
	PartitionDesc desc = RelationGetPartitionDesc(table, false);
	PartitionBoundInfo bounds = desc->boundinfo;
	Datum		wanted[PARTITION_MAX_KEYS];
	bool		nulls[PARTITION_MAX_KEYS] = {false};
	bool		equal = false;
	int			place;
	int			index = -1;

	*partition = InvalidOid;
	if (desc->nparts == 0)
		return true;
	if (!key_values(table, key, ncolumns, columns, values, wanted))
		return false;
	switch (key->strategy)
	{
		case PARTITION_STRATEGY_HASH:
			index = bounds->indexes[compute_partition_hash_value(key->partnatts,
																 key->partsupfunc,
																 key->partcollation,
																 wanted, nulls) %
									bounds->nindexes];
			break;
		case PARTITION_STRATEGY_LIST:
			place = partition_list_bsearch(key->partsupfunc,
										   key->partcollation, bounds,
										   wanted[0], &equal);
			if (place >= 0 && equal)
				index = bounds->indexes[place];
			break;
		case PARTITION_STRATEGY_RANGE:
			place = partition_range_datum_bsearch(key->partsupfunc,
												  key->partcollation, bounds,
												  key->partnatts, wanted,
												  &equal);
			index = bounds->indexes[place + 1];
			break;
		default:
			return false;
	}
	if (index < 0)
		index = bounds->default_index;
	if (index >= 0)
		*partition = desc->oids[index];
	return true;
}
