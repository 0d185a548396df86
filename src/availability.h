/*
 * availability.h
 *		How much of a period a service was up, down, excused or unobserved.
 *
 * Pure arithmetic over sorted spans and the hours that count; knows no SQL,
 * no services and no current time.
 */
#ifndef SLAPOLICY_AVAILABILITY_H
#define SLAPOLICY_AVAILABILITY_H

#include "span.h"
#include "timeline.h"

/*
 * What a moment is. Of several things said about it the first holds: what is
 * excused does not count whatever happened in it, and what is known to be
 * down is not unknown because another probe was blind.
 */
typedef enum ServiceState
{
	SERVICE_EXCLUDED,
	SERVICE_DOWN,
	SERVICE_UNKNOWN,
	SERVICE_UP
} ServiceState;

#define SERVICE_FACTS	SERVICE_UP	/* states that somebody has to report */
#define SERVICE_STATES	(SERVICE_UP + 1)

/* What unknown time counts as; ignore: it is not measured */
typedef enum UnknownCounts
{
	UNKNOWN_IGNORE,
	UNKNOWN_UP,
	UNKNOWN_DOWN
} UnknownCounts;

/* What is measured, and how */
typedef struct AvailabilityTerms
{
	Span		period;			/* finite, its length fits int64; empty when
								 * from >= to */
	Span		life;			/* of the service; empty likewise */
	bool		life_only;		/* time outside of life is not measured; else
								 * it is up */
	UnknownCounts unknown;
} AvailabilityTerms;

/* Spans of one state: sorted, apart from each other and not empty */
typedef struct ServiceSpans
{
	const Span *spans;
	int64		n;
} ServiceSpans;

/* Walks the stretches of a period; see availability_begin() */
typedef struct AvailabilityWalk
{
	Timeline   *hours;			/* that count; NULL: all do */
	Span		left;			/* of the period */
	Span		life;
	ServiceSpans facts[SERVICE_FACTS];
} AvailabilityWalk;

/* A stretch of one state */
typedef struct ServiceStretch
{
	Span		span;
	ServiceState state;
	int64		counted;		/* microseconds of it inside the hours */
} ServiceStretch;

/*
 * Begin a walk. The facts stay the caller's, and so does the timeline, which
 * may be set anew before each step.
 */
extern void availability_begin(AvailabilityWalk *walk,
							   const AvailabilityTerms *terms, Timeline *hours,
							   const ServiceSpans facts[SERVICE_FACTS]);

/* The next stretch, as long as it can be; false at the end. */
extern bool availability_next(AvailabilityWalk *walk, ServiceStretch *stretch);

/* Microseconds of each state inside the hours, over what is left of a walk */
extern void availability_sum(AvailabilityWalk *walk,
							 int64 sums[SERVICE_STATES]);

/* Of these, what is measured, and what of that counts as up */
extern int64 availability_measured(const int64 sums[SERVICE_STATES],
								   UnknownCounts unknown);
extern int64 availability_good(const int64 sums[SERVICE_STATES],
							   UnknownCounts unknown);

/* Decimals of a percentage */
#define PERCENT_SCALE	6
#define PERCENT_WHOLE	INT64CONST(100000000)	/* 100 % */

/*
 * 100 * good / measured in units of 10^-PERCENT_SCALE, cut off and never
 * rounded up: not less than a goal of so many decimals only if the exact
 * quotient is not, and 100 only if all is good. 0 <= good <= measured, and
 * measured > 0.
 */
extern int64 availability_percent(int64 good, int64 measured);

#endif							/* SLAPOLICY_AVAILABILITY_H */
