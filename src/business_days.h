/*
 * business_days.h
 *		Counting business days: dates on which some rule's window opens.
 *
 * Pure date arithmetic; dates are days since 2000-01-01.
 */
#ifndef SLAPOLICY_BUSINESS_DAYS_H
#define SLAPOLICY_BUSINESS_DAYS_H

#include "hours_text.h"

typedef struct DayCount DayCount;

/* Prepare counting by the rules of a part; allocated in context. */
extern DayCount *day_count_build(const HoursPart *part, MemoryContext context);

extern bool is_business_day(const HoursPart *part, int32 date);

/* Business days in [a, b); negative when b lies before a. */
extern int64 business_days_count(const DayCount *days, int32 a, int32 b);

/*
 * The n-th business day after the date (before it for n < 0; the date itself
 * for n = 0). False when there is none among the dates PostgreSQL knows.
 */
extern bool business_days_shift(const DayCount *days, int32 date, int64 n,
								int32 *result);

#endif							/* SLAPOLICY_BUSINESS_DAYS_H */
