/*
 * availability.c
 *		How much of a period a service was up, down, excused or unobserved.
 *
 * One pass over the sorted spans of each kind: the time it takes grows with
 * their number, not with the length of the period.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "availability.h"

void
availability_begin(AvailabilityWalk *walk, const AvailabilityTerms *terms,
				   Timeline *hours, const ServiceSpans facts[SERVICE_FACTS])
{
	walk->hours = hours;
	walk->left = terms->period;
	walk->life = terms->life;
	if (walk->life.from >= walk->life.to)
		walk->life.from = walk->life.to = terms->period.from;
	if (terms->life_only)
	{
		walk->left.from = Max(walk->left.from, walk->life.from);
		walk->left.to = Min(walk->left.to, walk->life.to);
	}
	memcpy(walk->facts, facts, sizeof(walk->facts));
}

/* The state at t; *until is when that may change. */
static inline ServiceState
state_at(AvailabilityWalk *walk, TimestampTz t, TimestampTz *until)
{
	*until = walk->left.to;
	if (t >= walk->life.to)
		return SERVICE_UP;
	if (t < walk->life.from)
	{
		*until = Min(*until, walk->life.from);
		return SERVICE_UP;
	}
	*until = Min(*until, walk->life.to);
	for (int state = 0; state < SERVICE_FACTS; state++)
	{
		ServiceSpans *list = &walk->facts[state];

		while (list->n > 0 && list->spans->to <= t)
		{
			list->spans++;
			list->n--;
		}
		if (list->n == 0)
			continue;
		if (list->spans->from <= t)
		{
			*until = Min(*until, list->spans->to);
			return state;
		}
		*until = Min(*until, list->spans->from);
	}
	return SERVICE_UP;
}

bool
availability_next(AvailabilityWalk *walk, ServiceStretch *stretch)
{
	TimestampTz t = walk->left.from;
	TimestampTz until;

	if (t >= walk->left.to)
		return false;
	stretch->state = state_at(walk, t, &until);
	stretch->span.from = t;
	do
	{
		t = until;
		CHECK_FOR_INTERRUPTS();
	}
	while (t < walk->left.to && state_at(walk, t, &until) == stretch->state);
	stretch->span.to = t;
	stretch->counted = walk->hours == NULL ? t - stretch->span.from :
		timeline_between(walk->hours, stretch->span.from, t);
	walk->left.from = t;
	return true;
}

void
availability_sum(AvailabilityWalk *walk, int64 sums[SERVICE_STATES])
{
	ServiceStretch stretch;

	memset(sums, 0, SERVICE_STATES * sizeof(int64));
	while (availability_next(walk, &stretch))
		sums[stretch.state] += stretch.counted;
}

int64
availability_measured(const int64 sums[SERVICE_STATES], UnknownCounts unknown)
{
	return sums[SERVICE_UP] + sums[SERVICE_DOWN] +
		(unknown == UNKNOWN_IGNORE ? 0 : sums[SERVICE_UNKNOWN]);
}

int64
availability_good(const int64 sums[SERVICE_STATES], UnknownCounts unknown)
{
	return sums[SERVICE_UP] +
		(unknown == UNKNOWN_UP ? sums[SERVICE_UNKNOWN] : 0);
}

/* Long division, digit by digit, because the product does not fit */
int64
availability_percent(int64 good, int64 measured)
{
	uint64		divisor = measured;
	uint64		rest = good % measured;
	int64		result = good / measured;

	for (int digit = 0; digit < PERCENT_SCALE + 2; digit++)
	{
		uint64		sum = 0;

		/* ten times the rest, binary 1010, never beyond twice the divisor */
		result *= 10;
		for (int bit = 8; bit > 0; bit /= 2)
		{
			sum *= 2;
			if (sum >= divisor)
			{
				sum -= divisor;
				result += bit;
			}
			if ((bit & 10) == 0)
				continue;
			sum += rest;
			if (sum >= divisor)
			{
				sum -= divisor;
				result += bit;
			}
		}
		rest = sum;
	}
	return result;
}
