/*
 * availability_value.c
 *		The availability of a period whose facts are given as multiranges, as
 *		one value or stretch by stretch.
 *
 * Only translates between SQL and availability.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

#include "availability_terms.h"
#include "calendar.h"
#include "timeline_cache.h"

PG_FUNCTION_INFO_V1(slapolicy_availability);
PG_FUNCTION_INFO_V1(slapolicy_availability_stretches);

/* Arguments of both functions */
#define ARG_PERIOD		0
#define ARG_DOWN		1
#define ARG_EXCLUDED	2
#define ARG_UNKNOWN		3
#define ARG_HOURS		4

/* What the timeline does not have to be asked about */
static Timeline *
hours_that_count(FmgrInfo *flinfo, Datum hours)
{
	Timeline   *tl = timeline_get(flinfo, hours);

	return timeline_is_always(tl) ? NULL : tl;
}

static ServiceSpans
spans_of_argument(FunctionCallInfo fcinfo, int argument, Span period)
{
	ServiceSpans result;
	int			n;

	result.spans = spans_of_multirange_within(PG_GETARG_MULTIRANGE_P(argument),
											  period, &n);
	result.n = n;
	return result;
}

/* Begin a walk over the facts of the arguments, with spans palloc'd */
static void
begin_walk(FunctionCallInfo fcinfo, AvailabilityWalk *walk,
		   const AvailabilityTerms *terms, Timeline *hours)
{
	ServiceSpans facts[SERVICE_FACTS];

	facts[SERVICE_DOWN] = spans_of_argument(fcinfo, ARG_DOWN,
												terms->period);
	facts[SERVICE_EXCLUDED] = spans_of_argument(fcinfo, ARG_EXCLUDED,
												terms->period);
	facts[SERVICE_UNKNOWN] = spans_of_argument(fcinfo, ARG_UNKNOWN,
												terms->period);
	availability_begin(walk, terms, hours, facts);
}

/* sla.availability(period, down, excluded, unknown, hours, unknown_counts,
 * alive, young) */
Datum
slapolicy_availability(PG_FUNCTION_ARGS)
{
	AvailabilityTerms terms = availability_terms(PG_GETARG_RANGE_P(ARG_PERIOD),
												 PG_GETARG_TEXT_PP(5),
												 PG_GETARG_RANGE_P(6),
												 PG_GETARG_TEXT_PP(7));
	AvailabilityWalk walk;

	begin_walk(fcinfo, &walk, &terms,
			   hours_that_count(NULL, PG_GETARG_DATUM(ARG_HOURS)));
	return availability_result(fcinfo, &walk, terms.unknown);
}

/*
 * sla.availability_stretches(period, down, excluded, unknown, hours, alive,
 * young): a row per stretch. The timeline is looked up again at each call,
 * because the cache may drop it between two.
 */
Datum
slapolicy_availability_stretches(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	AvailabilityWalk *walk;
	ServiceStretch stretch;

	if (SRF_IS_FIRSTCALL())
	{
		AvailabilityTerms terms;
		MemoryContext old;
		TupleDesc	row;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		funcctx->tuple_desc = BlessTupleDesc(row);
		terms = availability_terms(PG_GETARG_RANGE_P(ARG_PERIOD), NULL,
								   PG_GETARG_RANGE_P(5),
								   PG_GETARG_TEXT_PP(6));
		walk = palloc(sizeof(AvailabilityWalk));
		begin_walk(fcinfo, walk, &terms, NULL);
		funcctx->user_fctx = walk;
		MemoryContextSwitchTo(old);
	}

	funcctx = SRF_PERCALL_SETUP();
	walk = funcctx->user_fctx;
	walk->hours = hours_that_count(NULL, PG_GETARG_DATUM(ARG_HOURS));
	if (availability_next(walk, &stretch))
	{
		RangeBound	lower = {.inclusive = true,.lower = true};
		RangeBound	upper = {.inclusive = false,.lower = false};
		TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID,
												 TYPECACHE_RANGE_INFO);
		Datum		values[3];
		bool		nulls[3] = {false};

		lower.val = TimestampTzGetDatum(stretch.span.from);
		upper.val = TimestampTzGetDatum(stretch.span.to);
		values[0] = RangeTypePGetDatum(make_range_compat(type, &lower, &upper,
														 false));
		values[1] = CStringGetTextDatum(service_state_name(stretch.state));
		values[2] = IntervalPGetDatum(interval_of_usecs(stretch.counted));
		SRF_RETURN_NEXT(funcctx,
						HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc,
														  values, nulls)));
	}
	SRF_RETURN_DONE(funcctx);
}
