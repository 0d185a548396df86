/*
 * calendar.c
 *		The SQL functions over sla.business_hours.
 *
 * Only translates between SQL and timeline.c, business_days.c, deadline.c and
 * stretch.c: infinities, NULLs and ranges are handled here, arithmetic is not.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "business_hours.h"
#include "business_interval.h"
#include "calendar.h"
#include "deadline.h"
#include "timeline_cache.h"

PG_FUNCTION_INFO_V1(slapolicy_business_add);
PG_FUNCTION_INFO_V1(slapolicy_business_sub);
PG_FUNCTION_INFO_V1(slapolicy_business_between);
PG_FUNCTION_INFO_V1(slapolicy_is_open);
PG_FUNCTION_INFO_V1(slapolicy_next_open);
PG_FUNCTION_INFO_V1(slapolicy_next_close);
PG_FUNCTION_INFO_V1(slapolicy_prev_open);
PG_FUNCTION_INFO_V1(slapolicy_prev_close);
PG_FUNCTION_INFO_V1(slapolicy_is_business_day);
PG_FUNCTION_INFO_V1(slapolicy_business_days_add);
PG_FUNCTION_INFO_V1(slapolicy_business_days_between);
PG_FUNCTION_INFO_V1(slapolicy_deadline);
PG_FUNCTION_INFO_V1(slapolicy_explain_deadline);

/* An interval of elapsed time: hours and less, never days */
Interval *
interval_of_usecs(int64 usecs)
{
	Interval   *result = palloc(sizeof(Interval));

	result->time = usecs;
	result->day = 0;
	result->month = 0;
	return result;
}

/*
 * The amount in the other direction. The two amounts without an opposite are
 * more than all dates and instants can hold, and so are their neighbours.
 */
static BusinessInterval
negated(const BusinessInterval *amount)
{
	BusinessInterval result = {0};

	result.days = amount->days == PG_INT32_MIN ? PG_INT32_MAX : -amount->days;
	result.time = amount->time == PG_INT64_MIN ? PG_INT64_MAX : -amount->time;
	return result;
}

Datum
slapolicy_business_add(PG_FUNCTION_ARGS)
{
	TimestampTz t = PG_GETARG_TIMESTAMPTZ(0);
	BusinessInterval *amount = PG_GETARG_BUSINESS_INTERVAL(1);

	PG_RETURN_TIMESTAMPTZ(deadline_add(timeline_get(fcinfo->flinfo,
													PG_GETARG_DATUM(2)),
									   t, amount));
}

Datum
slapolicy_business_sub(PG_FUNCTION_ARGS)
{
	TimestampTz t = PG_GETARG_TIMESTAMPTZ(0);
	BusinessInterval amount = negated(PG_GETARG_BUSINESS_INTERVAL(1));

	PG_RETURN_TIMESTAMPTZ(deadline_add(timeline_get(fcinfo->flinfo,
													PG_GETARG_DATUM(2)),
									   t, &amount));
}

Datum
slapolicy_business_between(PG_FUNCTION_ARGS)
{
	TimestampTz a = PG_GETARG_TIMESTAMPTZ(0);
	TimestampTz b = PG_GETARG_TIMESTAMPTZ(1);
	int64		work;

	if (TIMESTAMP_NOT_FINITE(a) || TIMESTAMP_NOT_FINITE(b))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("cannot subtract infinite timestamps")));
	work = timeline_between(timeline_get(fcinfo->flinfo, PG_GETARG_DATUM(2)),
							a, b);
	if (work == PG_INT64_MAX || work == PG_INT64_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range")));
	PG_RETURN_INTERVAL_P(interval_of_usecs(work));
}

/* NULL at an infinite instant, which is neither open nor closed */
Datum
slapolicy_is_open(PG_FUNCTION_ARGS)
{
	TimestampTz t = PG_GETARG_TIMESTAMPTZ(1);

	if (TIMESTAMP_NOT_FINITE(t))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(timeline_is_open(timeline_get(fcinfo->flinfo,
												 PG_GETARG_DATUM(0)), t));
}

/* The four neighbouring edges; infinite in, infinite out; NULL when none */
static Datum
neighbour(FunctionCallInfo fcinfo,
		  TimestampTz (*edge) (Timeline *tl, TimestampTz t))
{
	TimestampTz t = PG_GETARG_TIMESTAMPTZ(1);

	if (!TIMESTAMP_NOT_FINITE(t))
	{
		t = edge(timeline_get(fcinfo->flinfo, PG_GETARG_DATUM(0)), t);
		if (TIMESTAMP_NOT_FINITE(t))
			PG_RETURN_NULL();
	}
	PG_RETURN_TIMESTAMPTZ(t);
}

Datum
slapolicy_next_open(PG_FUNCTION_ARGS)
{
	return neighbour(fcinfo, timeline_next_open);
}

Datum
slapolicy_next_close(PG_FUNCTION_ARGS)
{
	return neighbour(fcinfo, timeline_next_close);
}

Datum
slapolicy_prev_open(PG_FUNCTION_ARGS)
{
	return neighbour(fcinfo, timeline_prev_open);
}

Datum
slapolicy_prev_close(PG_FUNCTION_ARGS)
{
	return neighbour(fcinfo, timeline_prev_close);
}

/* NULL at an infinite date */
Datum
slapolicy_is_business_day(PG_FUNCTION_ARGS)
{
	DateADT		date = PG_GETARG_DATEADT(1);
	Timeline   *tl = timeline_get(fcinfo->flinfo, PG_GETARG_DATUM(0));

	if (DATE_NOT_FINITE(date))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(is_business_day(timeline_leading_part(tl), date));
}

Datum
slapolicy_business_days_add(PG_FUNCTION_ARGS)
{
	DateADT		date = PG_GETARG_DATEADT(0);
	int32		n = PG_GETARG_INT32(1);
	Timeline   *tl = timeline_get(fcinfo->flinfo, PG_GETARG_DATUM(2));

	if (!DATE_NOT_FINITE(date) &&
		!business_days_shift(timeline_days(tl), date, n, &date))
	{
		if (n < 0)
			DATE_NOBEGIN(date);
		else
			DATE_NOEND(date);
	}
	PG_RETURN_DATEADT(date);
}

Datum
slapolicy_business_days_between(PG_FUNCTION_ARGS)
{
	DateADT		a = PG_GETARG_DATEADT(0);
	DateADT		b = PG_GETARG_DATEADT(1);
	Timeline   *tl = timeline_get(fcinfo->flinfo, PG_GETARG_DATUM(2));

	if (DATE_NOT_FINITE(a) || DATE_NOT_FINITE(b))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("cannot subtract infinite dates")));
	PG_RETURN_INT32((int32) business_days_count(timeline_days(tl), a, b));
}

Datum
slapolicy_deadline(PG_FUNCTION_ARGS)
{
	TimestampTz start = PG_GETARG_TIMESTAMPTZ(0);
	BusinessInterval *goal = PG_GETARG_BUSINESS_INTERVAL(1);
	MultirangeType *ranges = PG_GETARG_MULTIRANGE_P(3);
	Timeline   *tl = timeline_get(fcinfo->flinfo, PG_GETARG_DATUM(2));
	int			npauses = 0;
	Pause	   *pauses = NULL;

	if (!MultirangeIsEmpty(ranges))
		pauses = spans_of_multirange(ranges, &npauses);
	PG_RETURN_TIMESTAMPTZ(deadline_with_pauses(tl, start, goal,
											   pauses, npauses));
}

/*
 * One row per stretch between start and deadline, in order of time (for a
 * negative goal from the deadline to the start). The timeline is looked up
 * again at each call, because the cache may drop it between two.
 */
Datum
slapolicy_explain_deadline(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	StretchWalk *walk;
	Stretch		stretch;

	if (SRF_IS_FIRSTCALL())
	{
		TimestampTz start = PG_GETARG_TIMESTAMPTZ(0);
		BusinessInterval *goal = PG_GETARG_BUSINESS_INTERVAL(1);
		Timeline   *tl = timeline_get(NULL, PG_GETARG_DATUM(2));
		MemoryContext old;
		TupleDesc	tupdesc;
		TimestampTz due;

		funcctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		funcctx->tuple_desc = BlessTupleDesc(tupdesc);
		walk = palloc0(sizeof(StretchWalk));
		walk->pauses = spans_of_multirange(PG_GETARG_MULTIRANGE_P(3),
										   &walk->npauses);
		due = deadline_with_pauses(tl, start, goal,
								   walk->pauses, walk->npauses);
		walk->cursor = Min(start, due);
		walk->end = Max(start, due);
		if (TIMESTAMP_NOT_FINITE(walk->cursor))
			walk->end = walk->cursor;	/* nothing that could be listed */
		funcctx->user_fctx = walk;
		MemoryContextSwitchTo(old);
	}

	funcctx = SRF_PERCALL_SETUP();
	walk = funcctx->user_fctx;
	walk->tl = timeline_get(NULL, PG_GETARG_DATUM(2));
	if (stretch_next(walk, &stretch))
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = TimestampTzGetDatum(stretch.from);
		values[1] = TimestampTzGetDatum(stretch.to);
		values[2] = IntervalPGetDatum(interval_of_usecs(stretch.counted));
		nulls[3] = stretch.to == DT_NOEND;
		values[3] = nulls[3] ? (Datum) 0 :
			IntervalPGetDatum(interval_of_usecs(stretch.elapsed));
		values[4] = CStringGetTextDatum(stretch.why);
		SRF_RETURN_NEXT(funcctx,
						HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc,
														  values, nulls)));
	}
	SRF_RETURN_DONE(funcctx);
}
