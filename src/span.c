/*
 * span.c
 *		Stretches of time as plain pairs of instants.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/typcache.h"

#include "span.h"

#define ST_SORT sort_spans
#define ST_ELEMENT_TYPE Span
#define ST_COMPARE(a, b) ((a)->from < (b)->from ? -1 : (a)->from > (b)->from)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/* Entries of the type cache stay where they are for ever. */
static TypeCacheEntry *
range_type(void)
{
	static TypeCacheEntry *type = NULL;

	if (type == NULL)
		type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	return type;
}

/* The span between two bounds; false when there is nothing between them */
static bool
span_between(const RangeBound *lower, const RangeBound *upper, Span *span)
{
	span->from = lower->infinite ? DT_NOBEGIN :
		DatumGetTimestampTz(lower->val);
	if (!lower->inclusive && !TIMESTAMP_NOT_FINITE(span->from))
		span->from++;
	span->to = upper->infinite ? DT_NOEND : DatumGetTimestampTz(upper->val);
	if (upper->inclusive && !TIMESTAMP_NOT_FINITE(span->to))
		span->to++;
	return span->from < span->to;
}

bool
span_of_range(const RangeType *range, Span *span)
{
	RangeBound	lower,
				upper;
	bool		empty;

	range_deserialize(range_type(), range, &lower, &upper, &empty);
	return !empty && span_between(&lower, &upper, span);
}

/* The first range, by its number, with an end that is not before an instant */
static int
first_ending_by(TypeCacheEntry *type, const MultirangeType *ranges,
				TimestampTz from)
{
	int			low = 0;
	int			high = ranges->rangeCount;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		RangeBound	lower,
					upper;

		multirange_get_bounds(type, ranges, middle, &lower, &upper);
		if (!upper.infinite && DatumGetTimestampTz(upper.val) < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

Span *
spans_of_multirange_within(const MultirangeType *ranges, Span within,
						   int *nspans)
{
	TypeCacheEntry *type = range_type();
	int			first = first_ending_by(type, ranges, within.from);
	int			room = 16;
	Span	   *spans = palloc(room * sizeof(Span));
	int			kept = 0;

	for (int i = first; i < (int) ranges->rangeCount; i++)
	{
		RangeBound	lower,
					upper;

		multirange_get_bounds(type, ranges, i, &lower, &upper);
		if (!lower.infinite && DatumGetTimestampTz(lower.val) > within.to)
			break;
		if (kept == room)
		{
			room *= 2;
			spans = repalloc_huge(spans, room * sizeof(Span));
		}
		if (span_between(&lower, &upper, &spans[kept]))
			kept++;
	}
	*nspans = kept;
	return spans;
}

Span *
spans_of_multirange(const MultirangeType *ranges, int *nspans)
{
	return spans_of_multirange_within(ranges, (Span) {DT_NOBEGIN, DT_NOEND},
									  nspans);
}

int64
spans_merge(Span *spans, int64 nspans)
{
	int64		kept = 0;

	if (nspans == 0)
		return 0;
	sort_spans(spans, nspans);
	for (int64 i = 1; i < nspans; i++)
	{
		if (spans[i].from > spans[kept].to)
			spans[++kept] = spans[i];
		else
			spans[kept].to = Max(spans[kept].to, spans[i].to);
	}
	return kept + 1;
}
