/*
 * policy.c
 *		Support policies, compiled and kept by each backend.
 *
 * Kept are a directory of all policy versions, and each version that was
 * asked for: compiled, or the reason why it cannot be used. Both are dropped
 * whole when a policy table changes: the tables are small, change rarely, and
 * one rule is easier to get right than five.
 *
 * How a change arrives: row triggers on the tables send a relcache
 * invalidation of the table. It reaches this backend's own caches at the next
 * command and again at rollback, other backends' at commit. The callback only
 * counts; it runs where neither catalogs nor memory contexts may be touched.
 * The next lookup accepts what is pending, sees the count and starts anew.
 * The count is taken before the tables are read, so a commit that was not
 * seen yet is noticed at a later lookup.
 *
 * Must not know: tickets, clocks, the ledger.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "policy.h"
#include "policy_compile.h"
#include "policy_tables.h"
#include "zone.h"

/* A version, and what became of compiling it */
typedef struct VersionSlot
{
	PolicyVersionRow row;
	const PolicyVersion *version;	/* NULL until compiled */
	const char *problem;		/* set instead when it cannot be used */
} VersionSlot;

/*
 * Everything kept lies in policy_context, child of CacheMemoryContext. It
 * reflects the tables if kept_generation equals generation, and is set last.
 */
static uint64 generation = 1;
static uint64 kept_generation = 0;
static MemoryContext policy_context = NULL;
static int	nslots = 0;
static VersionSlot *slots = NULL;	/* by (policy, effective_from) */
static VersionSlot **slots_by_id = NULL;

PG_FUNCTION_INFO_V1(slapolicy_policy_changed);
PG_FUNCTION_INFO_V1(slapolicy_policy_target_in_force);
PG_FUNCTION_INFO_V1(slapolicy_zone_name);


/*
 * Relcache callback. InvalidOid: everything changed.
 */
static void
policy_relcache_callback(Datum arg, Oid relid)
{
	if (relid == InvalidOid || policy_table_is(relid))
		generation++;
}

static int
compare_slots(const void *a, const void *b)
{
	const VersionSlot *x = a;
	const VersionSlot *y = b;
	int			cmp = strcmp(x->row.policy, y->row.policy);

	if (cmp != 0)
		return cmp;
	return (x->row.effective_from > y->row.effective_from) -
		(x->row.effective_from < y->row.effective_from);
}

static int
compare_slot_ids(const void *a, const void *b)
{
	int32		x = (*(VersionSlot *const *) a)->row.id;
	int32		y = (*(VersionSlot *const *) b)->row.id;

	return (x > y) - (x < y);
}

/*
 * Make the directory reflect the tables, unless it does. False, and a
 * palloc'd problem, when there are no such tables; that is not kept, because
 * nothing would say that it changed.
 */
static bool
refresh_directory(char **problem)
{
	static bool registered = false;
	MemoryContext old;
	PolicyVersionRow *rows;
	int			nrows;
	char	   *trouble;
	uint64		started;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(policy_relcache_callback, (Datum) 0);
		registered = true;
	}
	AcceptInvalidationMessages();
	if (kept_generation == generation)
		return true;

	kept_generation = 0;
	nslots = 0;
	if (policy_context == NULL)
		policy_context = AllocSetContextCreate(CacheMemoryContext,
											   "slapolicy policies",
											   ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(policy_context);

	*problem = policy_tables_find();
	if (*problem != NULL)
		return false;
	started = generation;
	old = MemoryContextSwitchTo(policy_context);
	if (!policy_read_rows(&rows, &nrows, &trouble))
	{
		MemoryContextSwitchTo(old);
		*problem = pstrdup(trouble);
		return false;
	}

	slots = palloc_extended((nrows + 1) * sizeof(VersionSlot),
							MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	slots_by_id = palloc_extended((nrows + 1) * sizeof(VersionSlot *),
								  MCXT_ALLOC_HUGE);
	for (int i = 0; i < nrows; i++)
	{
		slots[i].row = rows[i];
		slots_by_id[i] = &slots[i];
	}
	qsort(slots, nrows, sizeof(VersionSlot), compare_slots);
	qsort(slots_by_id, nrows, sizeof(VersionSlot *), compare_slot_ids);
	pfree(rows);
	MemoryContextSwitchTo(old);

	nslots = nrows;
	kept_generation = started;
	return true;
}

/*
 * What a slot holds, compiling it first when that was not done: true, with
 * *version, or *version NULL and *problem. False: the directory has been
 * overtaken; look the slot up again.
 */
static bool
use_slot(VersionSlot *slot, const PolicyVersion **version, char **problem)
{
	if (slot->version == NULL && slot->problem == NULL)
	{
		char	   *trouble;

		if (!policy_compile_version(&slot->row, policy_context,
									&slot->version, &trouble))
		{
			kept_generation = 0;
			return false;
		}
		if (trouble != NULL)
			slot->problem = MemoryContextStrdup(policy_context, trouble);
	}
	*version = slot->version;
	if (slot->version == NULL)
		*problem = pstrdup(slot->problem);
	return true;
}

const PolicyVersion *
policy_version_at(const char *policy, TimestampTz at, char **problem)
{
	const PolicyVersion *version;
	VersionSlot key = {.row = {.policy = policy, .effective_from = at}};

	for (;;)
	{
		int			low = 0;
		int			high;

		CHECK_FOR_INTERRUPTS();
		if (!refresh_directory(problem))
			return NULL;

		/* the last slot not after the key */
		high = nslots;
		while (low < high)
		{
			int			mid = low + (high - low) / 2;

			if (compare_slots(&slots[mid], &key) <= 0)
				low = mid + 1;
			else
				high = mid;
		}
		if (low == 0 || strcmp(slots[low - 1].row.policy, policy) != 0)
		{
			if (low < nslots && strcmp(slots[low].row.policy, policy) == 0)
				*problem = psprintf("policy \"%s\" had no version in force yet",
									policy);
			else
				*problem = psprintf("policy \"%s\" does not exist or has no version",
									policy);
			return NULL;
		}
		if (use_slot(&slots[low - 1], &version, problem))
			return version;
	}
}

TimestampTz
policy_next_version(const char *policy, TimestampTz after)
{
	char	   *problem = NULL;

	if (!refresh_directory(&problem))
		return DT_NOEND;
	for (int i = 0; i < nslots; i++)
		if (strcmp(slots[i].row.policy, policy) == 0 &&
			slots[i].row.effective_from > after)
			return slots[i].row.effective_from;
	return DT_NOEND;
}

const PolicyVersion *
policy_version_by_id(int32 id, char **problem)
{
	const PolicyVersion *version;
	VersionSlot slot = {.row = {.id = id}};
	VersionSlot *key = &slot;

	for (;;)
	{
		VersionSlot **found;

		CHECK_FOR_INTERRUPTS();
		if (!refresh_directory(problem))
			return NULL;
		found = bsearch(&key, slots_by_id, nslots, sizeof(VersionSlot *),
						compare_slot_ids);
		if (found == NULL)
		{
			*problem = psprintf("policy version %d does not exist", id);
			return NULL;
		}
		if (use_slot(*found, &version, problem))
			return version;
	}
}

/*
 * sla.policy_changed() trigger, on every policy table.
 */
Datum
slapolicy_policy_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as an AFTER trigger",
						"policy_changed")));

	CacheInvalidateRelcacheByRelid(RelationGetRelid(trigdata->tg_relation));
	return PointerGetDatum(NULL);
}

/*
 * sla.policy_target_in_force(policy text, received_at timestamptz,
 *							  severity sla.severity, metric text)
 */
Datum
slapolicy_policy_target_in_force(PG_FUNCTION_ARGS)
{
	char	   *policy = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TimestampTz received = PG_GETARG_TIMESTAMPTZ(1);
	Severity	severity = PG_GETARG_SEVERITY(2);
	char	   *metric = text_to_cstring(PG_GETARG_TEXT_PP(3));
	const PolicyVersion *version;
	char	   *problem;
	TupleDesc	tupdesc;
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	tupdesc = BlessTupleDesc(tupdesc);

	version = policy_version_at(policy, received, &problem);
	if (version == NULL)
	{
		values[3] = CStringGetTextDatum(problem);
		nulls[3] = false;
	}
	else
	{
		values[0] = Int32GetDatum(version->id);
		nulls[0] = false;
		for (int i = 0; i < version->nmetrics; i++)
		{
			const PolicyTarget *target = policy_target(version, severity, i);

			if (!target->has_goal ||
				strcmp(version->metrics[i].name, metric) != 0)
				continue;
			values[1] = PointerGetDatum(&target->goal);
			values[2] = target->hours;
			nulls[1] = nulls[2] = false;
		}
	}
	return HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls));
}

/*
 * sla.zone_name(zone text)
 */
Datum
slapolicy_zone_name(PG_FUNCTION_ARGS)
{
	const ZoneTable *zone = zone_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	if (zone == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(zone_name(zone)));
}
