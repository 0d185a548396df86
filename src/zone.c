/*
 * zone.c
 *		Clock changes of a time zone, read from PostgreSQL's time-zone data
 *		into a sorted table that is searched instead of asked.
 *
 * Knows nothing of calendars. Never uses the session's time zone, nor
 * PostgreSQL's own rule for wall-clock times inside a gap or an overlap: a
 * calendar edge has a direction, and each direction has its function here.
 *
 * The data of a zone is explicit up to some year and regular afterwards, and
 * the Gregorian calendar repeats every 400 years. So the table holds all
 * changes before ZONE_CYCLE_START plus one cycle of 400 years, and later
 * instants are mapped into that cycle.
 */
#include "postgres.h"

#include <ctype.h>

#include "pgtime.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "zone.h"

/* Seconds between 1970-01-01 and 2000-01-01 */
#define UNIX_TO_PG_SECS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/*
 * 2100-01-01 and 400 years later. Zone files name single changes up to 2087
 * at most (Morocco); from there on they give a rule.
 */
#define ZONE_CYCLE_START	((int64) 36525 * SECS_PER_DAY)
#define ZONE_CYCLE			((int64) 146097 * SECS_PER_DAY)
#define ZONE_CYCLE_END		(ZONE_CYCLE_START + ZONE_CYCLE)

/* Where the search for changes begins: 4714 BC, before any timestamp */
#define ZONE_DAWN			(-(int64) 2451545 * SECS_PER_DAY)

/* No offset reaches this (PostgreSQL allows less than 16 hours) */
#define ZONE_MAX_OFFSET		(16 * SECS_PER_HOUR)

struct ZoneTable
{
	char		name[TZ_STRLEN_MAX + 1];
	int32		nchanges;
	int32		first_regular;	/* first change >= ZONE_CYCLE_START */
	int64	   *change;			/* instants, ascending */
	int32	   *offset;			/* offset[0] before change[0], offset[i + 1]
								 * from change[i] on */
};

/* A stretch of constant offset: [start, end) in UTC seconds */
typedef struct ZoneSegment
{
	int64		start;			/* PG_INT64_MIN: since ever */
	int64		end;			/* PG_INT64_MAX: for ever */
	int32		offset;
} ZoneSegment;

typedef struct ZoneEntry
{
	char		key[TZ_STRLEN_MAX + 1]; /* name in lower case */
	ZoneTable  *table;
} ZoneEntry;

static HTAB *zones = NULL;

/*
 * Is the name one of the zone database, rather than a path, a private copy of
 * the database or a POSIX rule such as "FOO+3"? POSIX rules always contain a
 * digit, so only names with one have to be looked up in the list of zones.
 */
static bool
is_database_name(const char *name, const char *canonical)
{
	static const char *const refused[] = {"localtime", "posixrules", "factory"};
	bool		has_digit = false;
	pg_tzenum  *list;
	pg_tz	   *tz;

	for (const char *p = name; *p; p++)
	{
		if (!isalnum((unsigned char) *p) && strchr("_+-/", *p) == NULL)
			return false;
		has_digit |= isdigit((unsigned char) *p) != 0;
	}
	if (name[0] == '/' ||
		pg_strncasecmp(name, "posix/", 6) == 0 ||
		pg_strncasecmp(name, "right/", 6) == 0)
		return false;
	for (int i = 0; i < (int) lengthof(refused); i++)
		if (pg_strcasecmp(name, refused[i]) == 0)
			return false;
	if (!has_digit || canonical == NULL)
		return true;

	list = pg_tzenumerate_start();
	while ((tz = pg_tzenumerate_next(list)) != NULL)
		if (strcmp(pg_get_timezone_name(tz), canonical) == 0)
			break;
	pg_tzenumerate_end(list);
	return tz != NULL;
}

/*
 * Read all changes of a zone. The table is allocated in context.
 */
static ZoneTable *
zone_load(pg_tz *tz, MemoryContext context)
{
	ZoneTable  *table = MemoryContextAllocZero(context, sizeof(ZoneTable));
	int32		room = 64;
	int64	   *change = palloc(room * sizeof(int64));
	int32	   *offset = palloc((room + 1) * sizeof(int32));
	int32		n = 0;
	pg_time_t	at = ZONE_DAWN + UNIX_TO_PG_SECS;
	struct pg_tm *tm = pg_localtime(&at, tz);

	strlcpy(table->name, pg_get_timezone_name(tz), sizeof(table->name));
	offset[0] = tm ? (int32) tm->tm_gmtoff : 0;
	for (;;)
	{
		long		before,
					after;
		int			before_dst,
					after_dst;
		pg_time_t	boundary;

		if (pg_next_dst_boundary(&at, &before, &before_dst, &boundary,
								 &after, &after_dst, tz) <= 0)
		{
			if (n == 0)
				offset[0] = (int32) before;
			break;
		}
		if (n == 0)
			offset[0] = (int32) before;
		at = boundary;
		if (boundary - UNIX_TO_PG_SECS >= ZONE_CYCLE_END)
			break;
		if ((int32) after == offset[n])
			continue;			/* only the abbreviation changed */
		if (n == room)
		{
			room *= 2;
			change = repalloc(change, room * sizeof(int64));
			offset = repalloc(offset, (room + 1) * sizeof(int32));
		}
		change[n] = boundary - UNIX_TO_PG_SECS;
		offset[++n] = (int32) after;
	}

	table->nchanges = n;
	table->change = MemoryContextAlloc(context, Max(n, 1) * sizeof(int64));
	table->offset = MemoryContextAlloc(context, (n + 1) * sizeof(int32));
	memcpy(table->change, change, n * sizeof(int64));
	memcpy(table->offset, offset, (n + 1) * sizeof(int32));
	while (table->first_regular < n &&
		   change[table->first_regular] < ZONE_CYCLE_START)
		table->first_regular++;
	pfree(change);
	pfree(offset);
	return table;
}

/*
 * See zone.h. Tables live in CacheMemoryContext, one per zone met; the names
 * of the zone database bound how many there can be.
 */
const ZoneTable *
zone_find(const char *name)
{
	char		key[TZ_STRLEN_MAX + 1];
	ZoneEntry  *entry;
	pg_tz	   *tz;
	ZoneTable  *table;
	size_t		len = strlen(name);

	if (len == 0 || len > TZ_STRLEN_MAX)
		return NULL;
	memset(key, 0, sizeof(key));
	for (size_t i = 0; i < len; i++)
		key[i] = pg_tolower((unsigned char) name[i]);

	if (zones == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(key);
		ctl.entrysize = sizeof(ZoneEntry);
		ctl.hcxt = CacheMemoryContext;
		zones = hash_create("slapolicy zones", 16, &ctl,
							HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	entry = hash_search(zones, key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->table;

	if (!is_database_name(name, NULL))
		return NULL;
	tz = pg_tzset(name);
	if (tz == NULL || !pg_tz_acceptable(tz) ||
		!is_database_name(name, pg_get_timezone_name(tz)))
		return NULL;

	/* enter it only when complete, so that an error leaves nothing behind */
	table = zone_load(tz, CacheMemoryContext);
	entry = hash_search(zones, key, HASH_ENTER, NULL);
	entry->table = table;
	return table;
}

const char *
zone_name(const ZoneTable *zone)
{
	return zone->name;
}

/* Number of changes at or before the instant, which lies before the cycle's end */
static int32
changes_until(const ZoneTable *zone, int64 utc)
{
	int32		lo = 0,
				hi = zone->nchanges;

	while (lo < hi)
	{
		int32		mid = (lo + hi) / 2;

		if (zone->change[mid] <= utc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The stretch of constant offset around an instant */
static ZoneSegment
segment_at(const ZoneTable *zone, int64 utc)
{
	int64		shift = 0;
	int32		n;
	ZoneSegment seg;

	if (utc >= ZONE_CYCLE_END)
	{
		shift = (utc - ZONE_CYCLE_START) / ZONE_CYCLE * ZONE_CYCLE;
		utc -= shift;
	}
	n = changes_until(zone, utc);
	seg.offset = zone->offset[n];

	if (n < zone->nchanges)
		seg.end = zone->change[n] + shift;
	else if (zone->first_regular < zone->nchanges)
		seg.end = zone->change[zone->first_regular] + shift + ZONE_CYCLE;
	else
		seg.end = PG_INT64_MAX;

	if (n == 0)
		seg.start = PG_INT64_MIN;
	else if (shift == 0 || n > zone->first_regular)
		seg.start = zone->change[n - 1] + shift;
	else if (zone->first_regular < zone->nchanges)
		seg.start = zone->change[zone->nchanges - 1] + shift - ZONE_CYCLE;
	else
		seg.start = zone->change[n - 1];
	return seg;
}

int32
zone_offset(const ZoneTable *zone, int64 utc)
{
	return segment_at(zone, utc).offset;
}

int64
zone_next_change(const ZoneTable *zone, int64 utc)
{
	return segment_at(zone, utc).end;
}

/*
 * See zone.h. In a gap this is the first instant after it, in an overlap the
 * first of the two occurrences.
 */
int64
zone_first_at_or_after(const ZoneTable *zone, int64 local)
{
	ZoneSegment seg = segment_at(zone, local - ZONE_MAX_OFFSET);

	while (seg.end != PG_INT64_MAX && seg.end + seg.offset <= local)
		seg = segment_at(zone, seg.end);
	return Max(seg.start, local - seg.offset);
}

/*
 * See zone.h. In a gap this is the instant of the change, in an overlap the
 * second of the two occurrences.
 */
int64
zone_last_before(const ZoneTable *zone, int64 local)
{
	ZoneSegment seg = segment_at(zone, local + ZONE_MAX_OFFSET);

	while (seg.start != PG_INT64_MIN && seg.start + seg.offset >= local)
		seg = segment_at(zone, seg.start - 1);
	return Min(seg.end, local - seg.offset);
}
