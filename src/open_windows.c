/*
 * open_windows.c
 *		The open time of a calendar as ranges: one by one, or as one value.
 *
 * Only translates between SQL ranges and timeline.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "business_hours.h"
#include "timeline_cache.h"

PG_FUNCTION_INFO_V1(slapolicy_open_windows);
PG_FUNCTION_INFO_V1(slapolicy_open_time);

/* Ranges in one value of sla.open_time */
#define MAX_WINDOWS		1000000

/* What is still to be listed: [cursor, end) */
typedef struct WindowWalk
{
	TimestampTz cursor;
	TimestampTz end;
	int64		left;			/* open microseconds in it, so that nobody
								 * looks for openings beyond the last one */
} WindowWalk;

static TypeCacheEntry *
range_type(void)
{
	return lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
}

/*
 * Begin a walk over a range; nothing to list when it is empty. Raises 22008
 * when it has no end or no beginning.
 */
static WindowWalk
walk_range(RangeType *range, Timeline *tl)
{
	RangeBound	lower,
				upper;
	bool		empty;
	WindowWalk	walk = {0};

	range_deserialize(range_type(), range, &lower, &upper, &empty);
	if (empty)
		return walk;
	walk.cursor = lower.infinite ? DT_NOBEGIN : DatumGetTimestampTz(lower.val);
	walk.end = upper.infinite ? DT_NOEND : DatumGetTimestampTz(upper.val);
	if (TIMESTAMP_NOT_FINITE(walk.cursor) || TIMESTAMP_NOT_FINITE(walk.end))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("cannot list the open time of an unbounded range"),
				 errhint("Give the range two finite bounds.")));
	if (!lower.inclusive)
		walk.cursor++;
	if (upper.inclusive && walk.end < END_TIMESTAMP - 1)
		walk.end++;				/* behind the last instant there is none */
	walk.left = timeline_between(tl, walk.cursor, walk.end);
	return walk;
}

/* The next window, cut off at the range's bounds; NULL at the end. palloc'd. */
static RangeType *
next_window(WindowWalk *walk, Timeline *tl)
{
	RangeBound	lower = {.inclusive = true,.lower = true};
	RangeBound	upper = {.inclusive = false,.lower = false};
	TimestampTz open = walk->cursor;
	TimestampTz close;

	if (walk->left <= 0)
		return NULL;
	if (!timeline_is_open(tl, open))
		open = timeline_next_open(tl, open);
	close = Min(timeline_next_close(tl, open), walk->end);
	walk->cursor = close;
	walk->left -= close - open;
	lower.val = TimestampTzGetDatum(open);
	upper.val = TimestampTzGetDatum(close);
	return make_range_compat(range_type(), &lower, &upper, false);
}

/* One row per window, made when asked for: a long range costs no memory. */
Datum
slapolicy_open_windows(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	WindowWalk *walk;
	RangeType  *window;

	if (SRF_IS_FIRSTCALL())
	{
		funcctx = SRF_FIRSTCALL_INIT();
		walk = MemoryContextAlloc(funcctx->multi_call_memory_ctx,
								  sizeof(WindowWalk));
		*walk = walk_range(PG_GETARG_RANGE_P(1),
						   timeline_get(NULL, PG_GETARG_DATUM(0)));
		funcctx->user_fctx = walk;
	}

	funcctx = SRF_PERCALL_SETUP();
	walk = funcctx->user_fctx;
	/* looked up each time, because the cache may drop it between two calls */
	window = next_window(walk, timeline_get(NULL, PG_GETARG_DATUM(0)));
	if (window != NULL)
		SRF_RETURN_NEXT(funcctx, RangeTypePGetDatum(window));
	SRF_RETURN_DONE(funcctx);
}

Datum
slapolicy_open_time(PG_FUNCTION_ARGS)
{
	Timeline   *tl = timeline_get(fcinfo->flinfo, PG_GETARG_DATUM(0));
	WindowWalk	walk = walk_range(PG_GETARG_RANGE_P(1), tl);
	int32		room = 64;
	int32		n = 0;
	RangeType **windows = palloc(room * sizeof(RangeType *));
	RangeType  *window;

	while ((window = next_window(&walk, tl)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (n == MAX_WINDOWS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("open time has more than %d ranges", MAX_WINDOWS),
					 errhint("Ask for a shorter range, or list it with sla.open_windows.")));
		if (n == room)
		{
			room *= 2;
			windows = repalloc(windows, room * sizeof(RangeType *));
		}
		windows[n++] = window;
	}
	PG_RETURN_MULTIRANGE_P(make_multirange(TSTZMULTIRANGEOID, range_type(),
										   n, windows));
}
