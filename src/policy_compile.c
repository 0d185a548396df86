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
#include "lib/qunique.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "policy_compile.h"
#include "policy_rules.h"
#include "policy_tables.h"

/*
 * What a version is compiled from. Rows of versions are read with all of these
 * open: what cannot be compiled at all must be found out before.
 */
#define COMPILED_TABLES \
	(POLICY_ALL_TABLES & ~POLICY_TABLE_BIT(TABLE_CONTRACT))

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

	if (!policy_reader_open(&reader, COMPILED_TABLES, problem))
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
		Datum		restarts;
		bool		isnull[3];

		starts = policy_value(reader, tuple, METRIC_STARTS, &isnull[0]);
		stops = policy_value(reader, tuple, METRIC_STOPS, &isnull[1]);
		restarts = policy_value(reader, tuple, METRIC_RESTARTS, &isnull[2]);
		if (isnull[0] || !policy_read_kinds(starts, &metric->starts_on) ||
			isnull[1] || !policy_read_kinds(stops, &metric->stops_on) ||
			isnull[2] || !policy_read_kinds(restarts, &metric->restarts_on) ||
			metric->starts_on == 0 || metric->stops_on == 0)
			problem = psprintf("metric \"%s\" names no events, or unknown ones",
							   metric->name);
	}
	systable_endscan(scan);
	return problem;
}

/* A row of sla.target */
typedef struct TargetRow
{
	Severity	severity;
	char	   *metric;
	char	   *calendar;		/* NULL: none */
	bool		has_goal;
	bool		pausable;
	BusinessInterval goal;
	int			nalerts;
	PolicyAlert *alerts;
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
		Datum		alerts;
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
		row->pausable = DatumGetBool(policy_value(reader, tuple,
												  TARGET_PAUSABLE, &isnull[0]));
		row->pausable |= isnull[0];
		alerts = policy_value(reader, tuple, TARGET_ALERTS, &isnull[0]);
		if (!isnull[0] &&
			!policy_read_alerts(alerts, &row->alerts, &row->nalerts))
		{
			*problem = psprintf("the target %s %s has alerts that are neither fractions nor working time",
								severity_text(row->severity), row->metric);
			rows = NIL;
			break;
		}
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
			problem = policy_read_calendar(reader, row->calendar, keep,
									&calendars[i].hours_id,
									&calendars[i].hours);
			if (problem != NULL)
				return psprintf("%s, referred to by the target %s %s", problem,
								severity_text(row->severity), row->metric);
			ncalendars++;
		}
		target->has_goal = true;
		target->pausable = row->pausable;
		target->goal = row->goal;
		target->nalerts = row->nalerts;
		target->alerts = MemoryContextAlloc(keep, row->nalerts *
											sizeof(PolicyAlert) + 1);
		memcpy(unconstify(PolicyAlert *, target->alerts), row->alerts,
			   row->nalerts * sizeof(PolicyAlert));
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

/* How many versions this process has compiled */
static uint64 last_serial = 0;

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
	if (!policy_reader_open(&reader, COMPILED_TABLES, problem))
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
		version->serial = ++last_serial;
		version->id = row->id;
		version->policy = MemoryContextStrdup(keep, row->policy);
		version->effective_from = row->effective_from;
		rows = read_targets(&reader, row->id, problem);
		if (*problem == NULL)
			*problem = compile_metrics(&reader, rows, keep, version);
		if (*problem == NULL)
			*problem = compile_targets(&reader, rows, keep, version);
		if (*problem == NULL)
			*problem = policy_read_rules(&reader, keep, version);
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
