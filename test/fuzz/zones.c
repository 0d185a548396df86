/*
 * zones.c
 *		Stands in for the server's time-zone library, with zones that are
 *		nastier than those of the world, and for the hash table they are kept
 *		in.
 */
#include "zones.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/hsearch.h"

#define UNIX_TO_PG_SECS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

#define RULE_FIRST_YEAR		1990
#define AN_HOUR				SECS_PER_HOUR
#define A_DAY					SECS_PER_DAY
#define MAX_ENTRIES			80

/*
 * Single changes, then from RULE_FIRST_YEAR on two in every year, at seconds
 * since the year's start; between those the clock is rule_size ahead of the
 * last offset.
 */
typedef struct Zone
{
	int			nchanges;
	const int64 *change;
	const int32 *offset;		/* [nchanges + 1] */
	int32		rule_start;
	int32		rule_end;
	int32		rule_size;		/* 0: no rule */
} Zone;

struct pg_tz
{
	char		name[TZ_STRLEN_MAX + 1];
	const Zone *zone;
	pg_tz	   *next;
};

static const int32 no_offset[] = {0};
static const int32 west[] = {-5 * AN_HOUR};
static const int32 odd_offset[] = {10 * AN_HOUR + AN_HOUR / 2};

/* A day left out, a day lived twice, as on the date line */
static const int64 jumps[] = {
	-1000 * (int64) A_DAY, 4381 * (int64) A_DAY + 10 * AN_HOUR, 9000 * (int64) A_DAY
};
static const int32 jump_offset[] = {12 * AN_HOUR, -11 * AN_HOUR, 13 * AN_HOUR, -11 * AN_HOUR};

/* Local mean time to the second, then changes days apart across new year */
static const int64 hasty[] = {
	-5000000017, -1000000000, -1000000000 + 3 * A_DAY, -1000000000 + 5 * A_DAY,
	-7 * (int64) A_DAY - 1, 0, 9 * (int64) A_DAY + 1
};
static const int32 hasty_offset[] = {
	-AN_HOUR - 1172, 1200, 1200 + AN_HOUR, 1200 + 2 * AN_HOUR, 0, AN_HOUR, 0, AN_HOUR / 2
};

static Zone zones[] = {
	/* none */
	{0, NULL, no_offset, 0, 0, 0},
	/* an hour, at 02:00 local time */
	{0, NULL, west, 70 * A_DAY + 7 * AN_HOUR, 307 * A_DAY + 6 * AN_HOUR, AN_HOUR},
	/* an hour around midnight: 23:00 .. 01:00 */
	{0, NULL, no_offset, 100 * A_DAY, 300 * A_DAY + 23 * AN_HOUR, AN_HOUR},
	/* half an hour; summer spans new year's eve of the other hemisphere */
	{0, NULL, odd_offset, 95 * A_DAY - 9 * AN_HOUR, 277 * A_DAY - 8 * AN_HOUR, -AN_HOUR / 2},
	/* two hours, five weeks apart */
	{0, NULL, no_offset, 60 * A_DAY + AN_HOUR, 95 * A_DAY + AN_HOUR, -2 * AN_HOUR},
	{lengthof(jumps), jumps, jump_offset, 0, 0, 0},
	{lengthof(hasty), hasty, hasty_offset, 80 * A_DAY, 290 * A_DAY, AN_HOUR},
	/* the input's own */
	{0, NULL, no_offset, 0, 0, 0}
};

static MadeUpZone made_up;
static pg_tz *known;

static struct
{
	char		key[TZ_STRLEN_MAX + 1];
	void	   *table;
}			entries[MAX_ENTRIES];
static int	nentries;
static Size key_size;

static const Zone *
find_zone(const char *name)
{
	int			letter = pg_tolower((unsigned char) name[0]);

	if (letter == 'i')
		return &zones[lengthof(zones) - 1];
	return &zones[letter % (lengthof(zones) - 1)];
}

void
zones_reset(const MadeUpZone *zone)
{
	Zone	   *own = &zones[lengthof(zones) - 1];

	made_up = *zone;
	own->nchanges = made_up.nchanges;
	own->change = made_up.change;
	own->offset = made_up.offset;
	nentries = 0;
	while (known != NULL)
	{
		pg_tz	   *next = known->next;

		free(known);
		known = next;
	}
}

static int64
year_start(int year)
{
	return (int64) (date2j(year, 1, 1) - POSTGRES_EPOCH_JDATE) * A_DAY;
}

static int
year_of(int64 utc)
{
	int64		days = utc / A_DAY - (utc % A_DAY < 0);
	int			year,
				month,
				mday;

	j2date((int) (days + POSTGRES_EPOCH_JDATE), &year, &month, &mday);
	return year;
}

static int64
next_change(const Zone *zone, int64 utc)
{
	int64		next = PG_INT64_MAX;

	for (int i = zone->nchanges - 1; i >= 0; i--)
		if (zone->change[i] > utc)
			next = zone->change[i];
	if (zone->rule_size != 0)
	{
		int			first = Max(year_of(utc) - 1, RULE_FIRST_YEAR);

		for (int year = first; year <= first + 2; year++)
		{
			int64		start = year_start(year);

			if (start + zone->rule_start > utc)
				next = Min(next, start + zone->rule_start);
			if (start + zone->rule_end > utc)
				next = Min(next, start + zone->rule_end);
		}
	}
	return next;
}

static int32
offset_at(const Zone *zone, int64 utc)
{
	int			n = 0;
	int32		offset;

	while (n < zone->nchanges && zone->change[n] <= utc)
		n++;
	offset = zone->offset[n];
	if (zone->rule_size != 0)
	{
		int			year = year_of(utc);
		int64		in_year = utc - year_start(year);

		if (year >= RULE_FIRST_YEAR && in_year >= zone->rule_start &&
			in_year < zone->rule_end)
			offset += zone->rule_size;
	}
	return offset;
}

int64
zones_next_change(const char *name, int64 utc)
{
	return next_change(find_zone(name), utc);
}

int32
zones_offset(const char *name, int64 utc)
{
	return offset_at(find_zone(name), utc);
}

/* ---------- what src/zone.c asks the server for ---------- */

pg_tz *
pg_tzset(const char *name)
{
	pg_tz	   *tz = calloc(1, sizeof(pg_tz));

	if (tz == NULL)
		abort();
	strlcpy(tz->name, name, sizeof(tz->name));
	tz->zone = find_zone(name);
	tz->next = known;
	known = tz;
	return tz;
}

bool
pg_tz_acceptable(pg_tz *tz)
{
	return true;
}

const char *
pg_get_timezone_name(pg_tz *tz)
{
	return tz->name;
}

/* The list of all zones; every name that was asked for is on it. */
struct pg_tzenum
{
	pg_tz	   *next;
};

pg_tzenum *
pg_tzenumerate_start(void)
{
	static pg_tzenum list;

	list.next = known;
	return &list;
}

pg_tz *
pg_tzenumerate_next(pg_tzenum *list)
{
	pg_tz	   *tz = list->next;

	if (tz != NULL)
		list->next = tz->next;
	return tz;
}

void
pg_tzenumerate_end(pg_tzenum *list)
{
}

struct pg_tm *
pg_localtime(const pg_time_t *timep, const pg_tz *tz)
{
	static struct pg_tm tm;

	tm.tm_gmtoff = offset_at(tz->zone, *timep - UNIX_TO_PG_SECS);
	return &tm;
}

int
pg_next_dst_boundary(const pg_time_t *timep, long int *before_gmtoff,
					 int *before_isdst, pg_time_t *boundary,
					 long int *after_gmtoff, int *after_isdst,
					 const pg_tz *tz)
{
	int64		utc = *timep - UNIX_TO_PG_SECS;
	int64		next = next_change(tz->zone, utc);

	*before_gmtoff = offset_at(tz->zone, utc);
	*before_isdst = *after_isdst = 0;
	if (next == PG_INT64_MAX)
		return 0;
	*boundary = next + UNIX_TO_PG_SECS;
	*after_gmtoff = offset_at(tz->zone, next);
	return 1;
}

/* ---------- its hash table: one, keyed by a name, with a pointer ---------- */

HTAB *
hash_create(const char *tabname, long nelem, const HASHCTL *info, int flags)
{
	key_size = info->keysize;
	if (key_size != sizeof(entries[0].key) ||
		info->entrysize != sizeof(entries[0]))
		abort();
	return (HTAB *) entries;
}

void *
hash_search(HTAB *hashp, const void *keyPtr, HASHACTION action, bool *foundPtr)
{
	for (int i = 0; i < nentries; i++)
		if (strncmp(entries[i].key, keyPtr, key_size) == 0)
			return &entries[i];
	if (action == HASH_FIND)
		return NULL;
	if (nentries == MAX_ENTRIES)
		abort();
	strlcpy(entries[nentries].key, keyPtr, key_size);
	return &entries[nentries++];
}
