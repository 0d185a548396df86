/*
 * policy_compile.c
 *		Policy versions, from rows of the policy tables to what the fold uses.
 *
 * Whatever the tables hold, constraints or not, is a problem in words, never
 * an error; only hours that are corrupted on disk raise.
 *
 * Must not know: that anything is kept, and for how long.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/qunique.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "business_hours.h"
#include "policy_compile.h"
#include "policy_tables.h"
#include "zone.h"

/*
 * A row of sla.policy_version, its text in CurrentMemoryContext. False for
 * one that its constraints should have kept out.
 */
static bool
read_row(PolicyReader *reader, HeapTuple tuple, PolicyVersionRow *row)
{
	Datum		policy;
	bool		isnull[3];

	row->id = DatumGetInt32(policy_value(reader, tuple, VERSION_ID,
										 &isnull[0]));
	row->effective_from =
		DatumGetTimestampTz(policy_value(reader, tuple, VERSION_FROM,
										 &isnull[1]));
	policy = policy_value(reader, tuple, VERSION_POLICY, &isnull[2]);
	if (isnull[0] || isnull[1] || isnull[2])
		return false;
	row->policy = TextDatumGetCString(policy);
	return true;
}

bool
policy_read_rows(PolicyVersionRow **rows, int *nrows, char **problem)
{
	PolicyReader reader;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			maxrows = 8;

	if (!policy_reader_open(&reader, problem))
		return false;
	*rows = palloc(maxrows * sizeof(PolicyVersionRow));
	*nrows = 0;
	scan = policy_scan(&reader, VERSION_ID, NULL, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (*nrows == maxrows)
		{
			maxrows *= 2;
			*rows = repalloc_huge(*rows, maxrows * sizeof(PolicyVersionRow));
		}
		if (read_row(&reader, tuple, &(*rows)[*nrows]))
			(*nrows)++;
	}
	systable_endscan(scan);
	policy_reader_close(&reader);
	return true;
}

/*
 * Kinds of events in a text[] as a set. False when one is unknown, or there
 * is none.
 */
static bool
read_event_kinds(Datum array, EventKindSet *set)
{
	Datum	   *elems;
	bool	   *nulls;
	int			nelems;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elems, &nulls, &nelems);
	*set = 0;
	for (int i = 0; i < nelems; i++)
	{
		EventKind	kind;

		if (nulls[i] ||
			!event_kind_from_text(TextDatumGetCString(elems[i]), &kind))
			return false;
		*set |= EVENT_KIND_BIT(kind);
	}
	return nelems > 0;
}

/*
 * Read the metric called metric->name into *metric. NULL, or a palloc'd
 * problem.
 */
static char *
read_metric(PolicyReader *reader, PolicyMetric *metric)
{
	Datum		key = CStringGetTextDatum(metric->name);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *problem = NULL;

	scan = policy_scan(reader, METRIC_NAME, &key, &key_space);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		problem = psprintf("metric \"%s\" does not exist", metric->name);
	else
	{
		Datum		starts;
		Datum		stops;
		bool		isnull[2];

		starts = policy_value(reader, tuple, METRIC_STARTS, &isnull[0]);
		stops = policy_value(reader, tuple, METRIC_STOPS, &isnull[1]);
		if (isnull[0] || !read_event_kinds(starts, &metric->starts_on) ||
			isnull[1] || !read_event_kinds(stops, &metric->stops_on))
			problem = psprintf("metric \"%s\" names no events, or unknown ones",
							   metric->name);
	}
	systable_endscan(scan);
	return problem;
}

/*
 * Read the hours a calendar has now: *hours is a copy, not toasted, in keep.
 * NULL, or a palloc'd problem.
 */
static char *
read_calendar(PolicyReader *reader, const char *name, MemoryContext keep,
			  int32 *hours_id, Datum *hours)
{
	Datum		key = CStringGetTextDatum(name);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull = true;
	HoursRules *rules;

	scan = policy_scan(reader, CALENDAR_NAME, &key, &key_space);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		*hours_id = DatumGetInt32(policy_value(reader, tuple,
											   CALENDAR_HOURS_ID, &isnull));
	systable_endscan(scan);
	if (isnull)
		return psprintf("calendar \"%s\" does not exist", name);

	isnull = true;
	key = Int32GetDatum(*hours_id);
	scan = policy_scan(reader, HOURS_ID, &key, &key_space);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		value = policy_value(reader, tuple, HOURS_VALUE, &isnull);

		if (!isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(keep);

			*hours = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
			MemoryContextSwitchTo(old);
		}
	}
	systable_endscan(scan);
	if (isnull)
		return psprintf("the hours of calendar \"%s\" do not exist", name);

	rules = business_hours_rules(*hours);
	for (int i = 0; i < rules->nparts; i++)
	{
		if (zone_find(rules->parts[i].zone) == NULL)
			return psprintf("calendar \"%s\" is in time zone \"%s\", which this server does not know",
							name, rules->parts[i].zone);
	}
	return NULL;
}

/* A row of sla.target */
typedef struct TargetRow
{
	Severity	severity;
	char	   *metric;
	char	   *calendar;		/* NULL: none */
	bool		has_goal;
	BusinessInterval goal;
} TargetRow;

/*
 * The targets of a version, a List of TargetRow *, or NIL and a palloc'd
 * problem.
 */
static List *
read_targets(PolicyReader *reader, int32 version_id, char **problem)
{
	List	   *rows = NIL;
	Datum		key = Int32GetDatum(version_id);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;

	*problem = NULL;
	scan = policy_scan(reader, TARGET_VERSION, &key, &key_space);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TargetRow  *row = palloc0(sizeof(TargetRow));
		Datum		metric;
		Datum		goal;
		Datum		calendar;
		bool		isnull[2];

		row->severity =
			DatumGetSeverity(policy_value(reader, tuple, TARGET_SEVERITY,
										  &isnull[0]));
		metric = policy_value(reader, tuple, TARGET_METRIC, &isnull[1]);
		if (isnull[0] || isnull[1] ||
			row->severity < SEVERITY_MIN || row->severity > SEVERITY_MAX)
		{
			*problem = pstrdup("a target has no severity or no metric");
			rows = NIL;
			break;
		}
		row->metric = TextDatumGetCString(metric);
		goal = policy_value(reader, tuple, TARGET_GOAL, &isnull[0]);
		row->has_goal = !isnull[0];
		if (row->has_goal)
			row->goal = *DatumGetBusinessInterval(goal);
		calendar = policy_value(reader, tuple, TARGET_CALENDAR, &isnull[0]);
		row->calendar = isnull[0] ? NULL : TextDatumGetCString(calendar);
		rows = lappend(rows, row);
	}
	systable_endscan(scan);
	return rows;
}

static int
compare_metrics(const void *a, const void *b)
{
	return strcmp(((const PolicyMetric *) a)->name,
				  ((const PolicyMetric *) b)->name);
}

/*
 * The distinct metrics of the targets, by name, resolved and allocated in
 * keep. NULL, or a palloc'd problem.
 */
static char *
compile_metrics(PolicyReader *reader, List *rows, MemoryContext keep,
				PolicyVersion *version)
{
	PolicyMetric *metrics;
	PolicyMetric *kept;
	ListCell   *lc;
	int			n = 0;

	metrics = palloc0((list_length(rows) + 1) * sizeof(PolicyMetric));
	foreach(lc, rows)
		metrics[n++].name = ((TargetRow *) lfirst(lc))->metric;
	qsort(metrics, n, sizeof(PolicyMetric), compare_metrics);
	n = qunique(metrics, n, sizeof(PolicyMetric), compare_metrics);
	for (int i = 0; i < n; i++)
	{
		char	   *problem = read_metric(reader, &metrics[i]);

		if (problem != NULL)
			return problem;
		metrics[i].name = MemoryContextStrdup(keep, metrics[i].name);
	}
	version->nmetrics = n;
	kept = MemoryContextAlloc(keep, (n + 1) * sizeof(PolicyMetric));
	memcpy(kept, metrics, n * sizeof(PolicyMetric));
	version->metrics = kept;
	return NULL;
}

/*
 * Fill in version->targets, whose hours lie once per calendar in keep. NULL,
 * or a palloc'd problem.
 */
static char *
compile_targets(PolicyReader *reader, List *rows, MemoryContext keep,
				PolicyVersion *version)
{
	typedef struct
	{
		const char *name;
		int32		hours_id;
		Datum		hours;
	} Calendar;
	Calendar   *calendars = palloc(list_length(rows) * sizeof(Calendar) + 1);
	int			ncalendars = 0;
	PolicyTarget *targets;
	ListCell   *lc;

	targets = MemoryContextAllocZero(keep,
									 ((SEVERITY_MAX - SEVERITY_MIN + 1) *
									  version->nmetrics + 1) *
									 sizeof(PolicyTarget));
	version->targets = targets;
	foreach(lc, rows)
	{
		TargetRow  *row = lfirst(lc);
		PolicyMetric metric = {.name = row->metric};
		const PolicyMetric *found;
		PolicyTarget *target;
		int			i;

		found = bsearch(&metric, version->metrics, version->nmetrics,
						sizeof(PolicyMetric), compare_metrics);
		target = &targets[(row->severity - SEVERITY_MIN) * version->nmetrics +
						  (found - version->metrics)];
		target->present = true;
		if (!row->has_goal)
			continue;
		if (row->calendar == NULL)
			return psprintf("the target %s %s has a goal but no calendar",
							severity_text(row->severity), row->metric);
		for (i = 0; i < ncalendars; i++)
		{
			if (strcmp(calendars[i].name, row->calendar) == 0)
				break;
		}
		if (i == ncalendars)
		{
			char	   *problem;

			calendars[i].name = row->calendar;
			problem = read_calendar(reader, row->calendar, keep,
									&calendars[i].hours_id,
									&calendars[i].hours);
			if (problem != NULL)
				return psprintf("%s, referred to by the target %s %s", problem,
								severity_text(row->severity), row->metric);
			ncalendars++;
		}
		target->has_goal = true;
		target->goal = row->goal;
		target->hours_id = calendars[i].hours_id;
		target->hours = calendars[i].hours;
	}
	return NULL;
}

/*
 * Does a row of sla.policy_version still read as it did?
 */
static bool
row_is_current(PolicyReader *reader, const PolicyVersionRow *row)
{
	Datum		key = Int32GetDatum(row->id);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	PolicyVersionRow now;
	bool		current;

	scan = policy_scan(reader, VERSION_ID, &key, &key_space);
	tuple = systable_getnext(scan);
	current = HeapTupleIsValid(tuple) && read_row(reader, tuple, &now) &&
		strcmp(now.policy, row->policy) == 0 &&
		now.effective_from == row->effective_from;
	systable_endscan(scan);
	return current;
}

bool
policy_compile_version(const PolicyVersionRow *row, MemoryContext parent,
					   const PolicyVersion **result, char **problem)
{
	PolicyReader reader;
	MemoryContext scratch;
	MemoryContext keep;
	MemoryContext old;
	PolicyVersion *version;
	List	   *rows;
	bool		current;

	*result = NULL;
	if (!policy_reader_open(&reader, problem))
		return false;
	scratch = AllocSetContextCreate(CurrentMemoryContext,
									"slapolicy compilation",
									ALLOCSET_DEFAULT_SIZES);
	keep = AllocSetContextCreate(scratch, "slapolicy policy version",
								 ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(scratch);

	current = row_is_current(&reader, row);
	if (current)
	{
		version = MemoryContextAllocZero(keep, sizeof(PolicyVersion));
		version->id = row->id;
		version->policy = MemoryContextStrdup(keep, row->policy);
		version->effective_from = row->effective_from;
		rows = read_targets(&reader, row->id, problem);
		if (*problem == NULL)
			*problem = compile_metrics(&reader, rows, keep, version);
		if (*problem == NULL)
			*problem = compile_targets(&reader, rows, keep, version);
		if (*problem == NULL)
		{
			MemoryContextSetParent(keep, parent);
			*result = version;
		}
	}
	policy_reader_close(&reader);

	MemoryContextSwitchTo(old);
	if (*problem != NULL)
		*problem = psprintf("version %d of policy \"%s\" cannot be used: %s",
							row->id, row->policy, *problem);
	MemoryContextDelete(scratch);
	return current;
}
