/*
 * zones.h
 *		Time zones made up by an input, in place of the server's.
 */
#ifndef SLAPOLICY_FUZZ_ZONES_H
#define SLAPOLICY_FUZZ_ZONES_H

#include "backend.h"

#define MADE_UP_CHANGES		12

/* The zone that the input describes: changes ascending, UTC seconds */
typedef struct MadeUpZone
{
	int			nchanges;
	int64		change[MADE_UP_CHANGES];
	int32		offset[MADE_UP_CHANGES + 1];
} MadeUpZone;

/*
 * Every name is a zone; its first letter chooses one of the fixed ones, "I"
 * the one given here. Forgets the zones of the input before.
 */
extern void zones_reset(const MadeUpZone *zone);

/* First change after a UTC second (since 2000), without any cache or cycle */
extern int64 zones_next_change(const char *name, int64 utc);
extern int32 zones_offset(const char *name, int64 utc);

#endif							/* SLAPOLICY_FUZZ_ZONES_H */
