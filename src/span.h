/*
 * span.h
 *		Stretches of time as plain pairs of instants, and how SQL's ranges
 *		become some.
 *
 * Knows nothing of what happens in them.
 */
#ifndef SLAPOLICY_SPAN_H
#define SLAPOLICY_SPAN_H

#include "slapolicy.h"

#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"

/* [from, to); either may be infinite */
typedef struct Span
{
	TimestampTz from;
	TimestampTz to;
} Span;

/*
 * The span of a tstzrange; false when it is empty. Bounds of timestamps that
 * exclude (include) an end are moved by the microsecond they differ from [).
 */
extern bool span_of_range(const RangeType *range, Span *span);

/*
 * The spans of a tstzmultirange, palloc'd: sorted, apart from each other and
 * not empty.
 */
extern Span *spans_of_multirange(const MultirangeType *ranges, int *nspans);

/*
 * Those of them that overlap a stretch of time, and perhaps their neighbours,
 * whole. Takes the logarithm of how many there are, and what it returns.
 */
extern Span *spans_of_multirange_within(const MultirangeType *ranges,
										Span within, int *nspans);

/*
 * Sort spans, none of them empty, and join those that overlap or touch, in
 * place. Returns how many are left.
 */
extern int64 spans_merge(Span *spans, int64 nspans);

#endif							/* SLAPOLICY_SPAN_H */
