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
 *	2	uint16	number of parts
 *	4	16 bytes digest of everything behind it
 *	20	body: see business_hours_store.c
 */
typedef struct BusinessHours
{
	int32		vl_len_;		/* varlena header, do not touch */
	uint8		version;
	uint8		flags;
	uint16		nparts;
	uint8		digest[sizeof(HoursDigest)];	/* bytes: not aligned to 8 */
	char		body[FLEXIBLE_ARRAY_MEMBER];
} BusinessHours;

/* The digest of a compressed or out of line value; detoasts only the head. */
extern HoursDigest business_hours_digest_extended(Datum value);

/*
 * The digest of a value as it comes from a tuple: in line with a short or long
 * header, compressed or out of line. Detoasts only the first bytes.
 */
static inline HoursDigest
business_hours_digest(Datum value)
{
	const char *p = DatumGetPointer(value);
	HoursDigest digest;

	if (unlikely(VARATT_IS_COMPRESSED(p) || VARATT_IS_EXTERNAL(p)))
		return business_hours_digest_extended(value);
	memcpy(&digest,
		   VARDATA_ANY(p) + offsetof(BusinessHours, digest) - VARHDRSZ,
		   sizeof(digest));
	return digest;
}

/* Unpack into rules allocated in CurrentMemoryContext. Raises XX001 on a
 * version it does not know, and on a value that is damaged. */
extern HoursRules *business_hours_rules(Datum value);

/* Build a value from rules (already canonical, zone name checked). palloc'd.
 * Raises 54000 when they exceed a limit of hours_text.h. */
extern Datum business_hours_build(const HoursRules *rules);

/* The first of its zones that this server does not know; NULL: knows all */
extern const char *business_hours_unknown_zone(Datum value);

#endif							/* SLAPOLICY_BUSINESS_HOURS_H */
