/*
 * contract.c
 *		Finds the contract that a ticket was received under.
 *
 * Contracts can be many and are looked up by account, so nothing is kept.
 *
 * Must not know: tickets and what policies say.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "contract.h"
#include "policy_rules.h"
#include "policy_tables.h"

/* Is an instant within a range? */
static bool
range_has(Datum value, TimestampTz at)
{
	RangeType  *range = DatumGetRangeTypeP(value);

	return range_contains_elem_internal(lookup_type_cache(RangeTypeGetOid(range),
														  TYPECACHE_RANGE_INFO),
										range, TimestampTzGetDatum(at));
}

/*
 * Does a row of the account's fit? One that names the service beats one for
 * every service; contracts of one account and service do not overlap, and if
 * rows written by hand do, the one of the lowest id counts.
 */
static bool
is_better(PolicyReader *reader, HeapTuple tuple, const char *service,
		  const char *policy, TimestampTz at,
		  const Contract *best, bool best_names_service, bool *names_service)
{
	bool		isnull;
	Datum		value = policy_value(reader, tuple, CONTRACT_VALID, &isnull);
	int32		id;

	if (isnull || !range_has(value, at))
		return false;
	value = policy_value(reader, tuple, CONTRACT_POLICY, &isnull);
	if (isnull ||
		(policy != NULL && strcmp(TextDatumGetCString(value), policy) != 0))
		return false;
	value = policy_value(reader, tuple, CONTRACT_SERVICE, &isnull);
	*names_service = !isnull;
	if (!isnull &&
		(service == NULL || strcmp(TextDatumGetCString(value), service) != 0))
		return false;
	id = DatumGetInt32(policy_value(reader, tuple, CONTRACT_ID, &isnull));
	if (best->policy == NULL || *names_service != best_names_service)
		return best->policy == NULL || *names_service;
	return id < best->id;
}

bool
contract_at(const char *account, const char *service, const char *policy,
			TimestampTz at, Contract *contract, char **problem)
{
	PolicyReader reader;
	Datum		key = CStringGetTextDatum(account);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		best_names_service = false;
	char	   *calendar = NULL;

	memset(contract, 0, sizeof(*contract));
	*problem = policy_tables_find();
	if (*problem != NULL ||
		!policy_reader_open(&reader, POLICY_TABLE_BIT(TABLE_CONTRACT) |
							POLICY_TABLE_BIT(TABLE_CALENDAR) |
							POLICY_TABLE_BIT(TABLE_HOURS), problem))
		return false;

	scan = policy_scan(&reader, CONTRACT_ACCOUNT, &key, &key_space);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		names_service;
		bool		isnull;
		Datum		value;

		if (!is_better(&reader, tuple, service, policy, at, contract,
					   best_names_service, &names_service))
			continue;
		best_names_service = names_service;
		contract->id = DatumGetInt32(policy_value(&reader, tuple, CONTRACT_ID,
												  &isnull));
		value = policy_value(&reader, tuple, CONTRACT_POLICY, &isnull);
		contract->policy = TextDatumGetCString(value);
		value = policy_value(&reader, tuple, CONTRACT_CALENDAR, &isnull);
		calendar = isnull ? NULL : TextDatumGetCString(value);
	}
	systable_endscan(scan);

	if (calendar != NULL)
	{
		Datum		hours;
		char	   *trouble = policy_read_calendar(&reader, calendar,
												   CurrentMemoryContext,
												   &contract->hours_id, &hours);

		if (trouble != NULL)
			*problem = psprintf("contract %d cannot be used: %s",
								contract->id, trouble);
	}
	policy_reader_close(&reader);
	return *problem == NULL && contract->policy != NULL;
}
