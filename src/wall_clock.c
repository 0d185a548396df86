/*
 * wall_clock.c
 *		Days on the wall clock of a time zone.
 *
 * A day later the clock shows the same time, whatever it did in between. What
 * happens where it shows a time twice, or never, is the rule for openings
 * (zone.h): the first instant at which it shows that time or a later one. No
 * day at all later is now, also when the clock shows this time once more.
 *
 * Knows nothing of calendars and of what the days are for.
 */
#include "slapolicy.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "floor_div.h"
#include "zone.h"

PG_FUNCTION_INFO_V1(slapolicy_wall_clock_add);

static const ZoneTable *
zone_of_argument(text *name)
{
	const ZoneTable *zone = zone_find(text_to_cstring(name));

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" is not known to this server",
						text_to_cstring(name)),
				 errhint("See the view pg_timezone_names.")));
	return zone;
}

/* What the wall clock shows, microseconds on the scale of instants */
static int64
local_of(const ZoneTable *zone, TimestampTz t)
{
	return t + zone_offset(zone, floor_div(t, USECS_PER_SEC)) * USECS_PER_SEC;
}

/* inf { u : wall clock at u >= local } */
static TimestampTz
first_at_or_after(const ZoneTable *zone, int64 local)
{
	int64		secs = floor_div(local, USECS_PER_SEC);
	int64		utc = zone_first_at_or_after(zone, secs);

	/* a clock that skips the second skips its fraction, too */
	if (utc + zone_offset(zone, utc) != secs)
		return utc * USECS_PER_SEC;
	return utc * USECS_PER_SEC + (local - secs * USECS_PER_SEC);
}

/*
 * sla.wall_clock_add(instant timestamptz, days int, zone text)
 */
Datum
slapolicy_wall_clock_add(PG_FUNCTION_ARGS)
{
	TimestampTz t = PG_GETARG_TIMESTAMPTZ(0);
	const ZoneTable *zone = zone_of_argument(PG_GETARG_TEXT_PP(2));
	int64		shift;
	int64		local;

	if (TIMESTAMP_NOT_FINITE(t) || PG_GETARG_INT32(1) == 0)
		PG_RETURN_TIMESTAMPTZ(t);
	/* what lies so near the end that only its wall clock fits is beyond it */
	if (pg_mul_s64_overflow(PG_GETARG_INT32(1), USECS_PER_DAY, &shift) ||
		pg_add_s64_overflow(local_of(zone, t), shift, &local) ||
		!IS_VALID_TIMESTAMP(local) ||
		!IS_VALID_TIMESTAMP(t = first_at_or_after(zone, local)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	PG_RETURN_TIMESTAMPTZ(t);
}
