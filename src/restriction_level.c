/*
 * restriction_level.c
 *		Type sla.restriction_level, and levels by the days something is
 *		overdue.
 *
 * Knows nothing of bills and accounts.
 */
#include "slapolicy.h"

#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "restriction.h"

#define NUM_LEVELS	(RESTRICTION_TERMINATION + 1)

static const char *const labels[NUM_LEVELS] = {
	[RESTRICTION_NONE] = "none",
	[RESTRICTION_SUPPORT] = "support",
	[RESTRICTION_DEPLOYMENTS] = "deployments",
	[RESTRICTION_TERMINATION] = "termination",
};

/* OIDs of the labels, forgotten when types come and go */
static Oid	type_oid;
static Oid	label_oids[NUM_LEVELS];
static bool labels_valid = false;

PG_FUNCTION_INFO_V1(slapolicy_restriction_level);

const char *
restriction_level_text(RestrictionLevel level)
{
	return labels[level];
}

bool
restriction_level_from_text(const char *text, RestrictionLevel *level)
{
	for (int i = 0; i < NUM_LEVELS; i++)
		if (strcmp(text, labels[i]) == 0)
		{
			*level = (RestrictionLevel) i;
			return true;
		}
	return false;
}

static void
forget_labels(Datum arg, int cacheid, uint32 hashvalue)
{
	labels_valid = false;
}

/* Find the OIDs of the labels. */
static void
find_labels(void)
{
	static bool registered = false;
	Oid			namespace;
	Oid			type;
	Oid			found[NUM_LEVELS];

	if (!registered)
	{
		CacheRegisterSyscacheCallback(TYPEOID, forget_labels, (Datum) 0);
		registered = true;
	}
	if (labels_valid)
		return;
	namespace = get_namespace_oid("sla", true);
	type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum("restriction_level"),
						   ObjectIdGetDatum(namespace));
	for (int i = 0; i < NUM_LEVELS; i++)
	{
		found[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
								   ObjectIdGetDatum(type),
								   CStringGetDatum(labels[i]));
		if (!OidIsValid(found[i]))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("type sla.restriction_level does not exist")));
	}
	type_oid = type;
	memcpy(label_oids, found, sizeof(label_oids));
	labels_valid = true;
}

Datum
restriction_level_datum(RestrictionLevel level)
{
	find_labels();
	return ObjectIdGetDatum(label_oids[level]);
}

Oid
restriction_level_type(void)
{
	find_labels();
	return type_oid;
}

bool
restriction_level_of_datum(Datum value, RestrictionLevel *level)
{
	find_labels();
	for (int i = 0; i < NUM_LEVELS; i++)
		if (label_oids[i] == DatumGetObjectId(value))
		{
			*level = (RestrictionLevel) i;
			return true;
		}
	return false;
}

/* sla.restriction_level(overdue_days int, thresholds int[]) */
Datum
slapolicy_restriction_level(PG_FUNCTION_ARGS)
{
	int32		days = PG_GETARG_INT32(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	RestrictionLevel level = RESTRICTION_NONE;
	Datum	   *elems;
	bool	   *nulls;
	int			n;
	int32		last = 0;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT,
					  &elems, &nulls, &n);
	if (n != NUM_LEVELS - 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be %d thresholds, not %d",
						NUM_LEVELS - 1, n),
				 errhint("They are the first days of support, deployments and termination. Where a level is never reached, give NULL.")));
	for (int i = 0; i < n; i++)
	{
		int32		threshold = DatumGetInt32(elems[i]);

		if (nulls[i])
			continue;
		if (threshold <= last)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("thresholds must be positive and ascending"),
					 errdetail("%d follows %d.", threshold, last)));
		last = threshold;
		if (days >= threshold)
			level = (RestrictionLevel) (i + 1);
	}
	PG_RETURN_DATUM(restriction_level_datum(level));
}
