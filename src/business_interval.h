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

/* The hint for who writes days */
#define BUSINESS_INTERVAL_DAY_HINT \
	"Write 24h for elapsed working time or 1bd for one business day."

/*
 * Read an amount: "2bd 3h 30min", "1:30", "P2DT3H". False, with *value
 * untouched, after a soft error was saved in escontext (16+); raises
 * otherwise: 22P02 for bad notation, naming the token at fault, 22008 for
 * what does not fit.
 */
extern bool business_interval_parse(const char *text, Node *escontext,
									BusinessInterval *value);

/* Canonical text, palloc'd: "2bd 3h 30min". Reads back equal. */
extern char *business_interval_to_text(const BusinessInterval *value);

#endif							/* SLAPOLICY_BUSINESS_INTERVAL_H */
