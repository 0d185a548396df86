/*
 * calendar.h
 *		What other SQL-facing files share with the calendar functions.
 */
#ifndef SLAPOLICY_CALENDAR_H
#define SLAPOLICY_CALENDAR_H

#include "slapolicy.h"

/* An interval of elapsed time, palloc'd: microseconds, never days or months */
extern Interval *interval_of_usecs(int64 usecs);

#endif							/* SLAPOLICY_CALENDAR_H */
