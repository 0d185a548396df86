/*
 * zone.h
 *		Clock changes of a time zone, as a searchable table.
 *
 * Seconds here count from 2000-01-01 00:00 UTC, as timestamptz does in
 * microseconds; local seconds are what the wall clock shows, on the same scale.
 */
#ifndef SLAPOLICY_ZONE_H
#define SLAPOLICY_ZONE_H

#include "postgres.h"

typedef struct ZoneTable ZoneTable;

/*
 * The table of a zone, kept for the life of the backend and shared by all
 * calendars. NULL when the name is no IANA zone of this server. Never frees.
 */
extern const ZoneTable *zone_find(const char *name);

/* The server's spelling of the zone's name (names match in any case). */
extern const char *zone_name(const ZoneTable *zone);

/* Offset east of UTC in seconds at the UTC second given. */
extern int32 zone_offset(const ZoneTable *zone, int64 utc);

/* First clock change strictly after the UTC second, PG_INT64_MAX when none. */
extern int64 zone_next_change(const ZoneTable *zone, int64 utc);

/* inf { u : wall clock at u >= local }, the rule for an opening edge */
extern int64 zone_first_at_or_after(const ZoneTable *zone, int64 local);

/* sup { u : wall clock at u < local }, the rule for a closing edge */
extern int64 zone_last_before(const ZoneTable *zone, int64 local);

#endif							/* SLAPOLICY_ZONE_H */
