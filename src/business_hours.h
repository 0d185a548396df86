/*
 * business_hours.h
 *		The stored form of sla.business_hours.
 */
#ifndef SLAPOLICY_BUSINESS_HOURS_H
#define SLAPOLICY_BUSINESS_HOURS_H

#include "slapolicy.h"
#include "hours_text.h"

/* 128 bits of SHA-256 over the body: equal values, equal digests */
typedef struct HoursDigest
{
	uint64		lo;
	uint64		hi;
} HoursDigest;

/*
 * A varlena:
 *
 *	offset (after the length word)
 *	0	uint8	version, 1
 *	1	uint8	flags, 0
 *	2	uint16	number of parts, 1
 *	4	16 bytes digest of everything behind it
 *	20	body: see business_hours.c
 */
typedef struct BusinessHours BusinessHours;

/*
 * The digest of a value as it comes from a tuple: in line with a short or long
 * header, compressed or out of line. Detoasts only the first bytes.
 */
extern HoursDigest business_hours_digest(Datum value);

/* Unpack into rules allocated in CurrentMemoryContext. Raises XX001 on a
 * version it does not know. */
extern HoursRules *business_hours_rules(Datum value);

/* Build a value from rules (already canonical, zone name checked). palloc'd. */
extern Datum business_hours_build(const HoursRules *rules);

#endif							/* SLAPOLICY_BUSINESS_HOURS_H */
