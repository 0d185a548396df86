/*
 * floor_div.h
 *		Division that rounds towards minus infinity, as calendars need it.
 */
#ifndef SLAPOLICY_FLOOR_DIV_H
#define SLAPOLICY_FLOOR_DIV_H

#include "postgres.h"

/* divisor > 0 */
static inline int64
floor_div(int64 value, int64 divisor)
{
	return value / divisor - (value % divisor < 0);
}

#endif							/* SLAPOLICY_FLOOR_DIV_H */
