/*
 * business_interval.h
 *		An amount of working time: business days, then time.
 */
#ifndef SLAPOLICY_BUSINESS_INTERVAL_H
#define SLAPOLICY_BUSINESS_INTERVAL_H

#include "slapolicy.h"

/*
 * Stored form, 16 bytes, passed by reference, aligned double: the two fields
 * and four bytes that are always zero.
 */
typedef struct BusinessInterval
{
	int64		time;			/* microseconds of working time */
	int32		days;			/* business days */
	int32		unused;			/* zero */
} BusinessInterval;

#define DatumGetBusinessInterval(d) ((BusinessInterval *) DatumGetPointer(d))
#define PG_GETARG_BUSINESS_INTERVAL(n) DatumGetBusinessInterval(PG_GETARG_DATUM(n))

/* Canonical text, palloc'd: "2bd 3h 30min" */
extern char *business_interval_to_text(const BusinessInterval *value);

#endif							/* SLAPOLICY_BUSINESS_INTERVAL_H */
