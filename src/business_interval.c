/*
 * business_interval.c
 *		Type sla.business_interval: all that SQL sees of it but its notation.
 *
 * An amount of working time is a number of business days and a time. They
 * are never converted into each other: how long a business day is, only a
 * calendar can tell, and calendars are unknown here.
 */
#include "slapolicy.h"

#include "common/hashfn.h"
#include "common/int.h"
#include "libpq/pqformat.h"
#include "utils/sortsupport.h"

#include "business_interval.h"

PG_FUNCTION_INFO_V1(slapolicy_business_interval_in);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_out);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_recv);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_send);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_pl);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_mi);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_um);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_lt);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_le);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_eq);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_ge);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_gt);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_ne);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_cmp);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_sortsupport);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_hash);
PG_FUNCTION_INFO_V1(slapolicy_business_interval_hash_extended);
PG_FUNCTION_INFO_V1(slapolicy_business_interval);
PG_FUNCTION_INFO_V1(slapolicy_to_interval);

static BusinessInterval *
make_value(int32 days, int64 time)
{
	BusinessInterval *value = palloc0(sizeof(BusinessInterval));

	value->days = days;
	value->time = time;
	return value;
}

/* business_interval_in(cstring): 22P02 or 22008, soft where that is known */
Datum
slapolicy_business_interval_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	BusinessInterval *value = make_value(0, 0);

	if (!business_interval_parse(text, fcinfo->context, value))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(value);
}

Datum
slapolicy_business_interval_out(PG_FUNCTION_ARGS)
{
	BusinessInterval *value = PG_GETARG_BUSINESS_INTERVAL(0);

	PG_RETURN_CSTRING(business_interval_to_text(value));
}

/*
 * business_interval_recv(internal): the stored form in network byte order.
 * 22P03 unless its last field is zero, which keeps that field free for a
 * later format.
 */
Datum
slapolicy_business_interval_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int64		time = pq_getmsgint64(buf);
	int32		days = (int32) pq_getmsgint(buf, sizeof(int32));

	if (pq_getmsgint(buf, sizeof(int32)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unknown format of external \"%s\" value",
						"sla.business_interval")));

	PG_RETURN_POINTER(make_value(days, time));
}

Datum
slapolicy_business_interval_send(PG_FUNCTION_ARGS)
{
	BusinessInterval *value = PG_GETARG_BUSINESS_INTERVAL(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, value->time);
	pq_sendint32(&buf, value->days);
	pq_sendint32(&buf, 0);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* a - b, field by field. Raises 22008. */
static BusinessInterval *
subtract(const BusinessInterval *a, const BusinessInterval *b)
{
	BusinessInterval *result = make_value(0, 0);

	if (pg_sub_s32_overflow(a->days, b->days, &result->days) ||
		pg_sub_s64_overflow(a->time, b->time, &result->time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("business_interval out of range")));
	return result;
}

/* business_interval + business_interval. Raises 22008. */
Datum
slapolicy_business_interval_pl(PG_FUNCTION_ARGS)
{
	BusinessInterval *a = PG_GETARG_BUSINESS_INTERVAL(0);
	BusinessInterval *b = PG_GETARG_BUSINESS_INTERVAL(1);
	BusinessInterval *result = make_value(0, 0);

	if (pg_add_s32_overflow(a->days, b->days, &result->days) ||
		pg_add_s64_overflow(a->time, b->time, &result->time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("business_interval out of range")));
	PG_RETURN_POINTER(result);
}

/* business_interval - business_interval. Raises 22008. */
Datum
slapolicy_business_interval_mi(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(subtract(PG_GETARG_BUSINESS_INTERVAL(0),
							   PG_GETARG_BUSINESS_INTERVAL(1)));
}

/* - business_interval. Raises 22008. */
Datum
slapolicy_business_interval_um(PG_FUNCTION_ARGS)
{
	BusinessInterval zero = {0};

	PG_RETURN_POINTER(subtract(&zero, PG_GETARG_BUSINESS_INTERVAL(0)));
}

/* By business days first: no time makes up for one more of them */
static int
compare(const BusinessInterval *a, const BusinessInterval *b)
{
	if (a->days != b->days)
		return a->days < b->days ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return 0;
}

Datum
slapolicy_business_interval_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_BUSINESS_INTERVAL(0),
						   PG_GETARG_BUSINESS_INTERVAL(1)) < 0);
}

Datum
slapolicy_business_interval_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_BUSINESS_INTERVAL(0),
						   PG_GETARG_BUSINESS_INTERVAL(1)) <= 0);
}

Datum
slapolicy_business_interval_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_BUSINESS_INTERVAL(0),
						   PG_GETARG_BUSINESS_INTERVAL(1)) == 0);
}

Datum
slapolicy_business_interval_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_BUSINESS_INTERVAL(0),
						   PG_GETARG_BUSINESS_INTERVAL(1)) >= 0);
}

Datum
slapolicy_business_interval_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_BUSINESS_INTERVAL(0),
						   PG_GETARG_BUSINESS_INTERVAL(1)) > 0);
}

Datum
slapolicy_business_interval_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(PG_GETARG_BUSINESS_INTERVAL(0),
						   PG_GETARG_BUSINESS_INTERVAL(1)) != 0);
}

Datum
slapolicy_business_interval_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(PG_GETARG_BUSINESS_INTERVAL(0),
							PG_GETARG_BUSINESS_INTERVAL(1)));
}

static int
sort_compare(Datum a, Datum b, SortSupport ssup)
{
	return compare(DatumGetBusinessInterval(a), DatumGetBusinessInterval(b));
}

Datum
slapolicy_business_interval_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = sort_compare;
	PG_RETURN_VOID();
}

Datum
slapolicy_business_interval_hash(PG_FUNCTION_ARGS)
{
	return hash_any((unsigned char *) PG_GETARG_BUSINESS_INTERVAL(0),
					offsetof(BusinessInterval, unused));
}

Datum
slapolicy_business_interval_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended((unsigned char *) PG_GETARG_BUSINESS_INTERVAL(0),
							 offsetof(BusinessInterval, unused),
							 (uint64) PG_GETARG_INT64(1));
}

/*
 * business_interval(interval): 22023 for months and days, which may be meant
 * as elapsed or as working time; 22008 for infinity.
 */
Datum
slapolicy_business_interval(PG_FUNCTION_ARGS)
{
	Interval   *interval = PG_GETARG_INTERVAL_P(0);

	if (INTERVAL_NOT_FINITE(interval))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("cannot convert infinite interval to %s",
						"sla.business_interval")));
	if (interval->month != 0 || interval->day != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot convert interval with months or days to %s",
						"sla.business_interval"),
				 errdetail("The interval has months: %d, days: %d.",
						   interval->month, interval->day),
				 errhint("Is a day 24 h or 1 business day? " BUSINESS_INTERVAL_DAY_HINT)));

	PG_RETURN_POINTER(make_value(0, interval->time));
}

/*
 * to_interval(business_interval): hours, never days; 22023 for business days
 */
Datum
slapolicy_to_interval(PG_FUNCTION_ARGS)
{
	BusinessInterval *value = PG_GETARG_BUSINESS_INTERVAL(0);
	Interval   *interval;

	if (value->days != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot convert %s with business days to interval",
						"sla.business_interval"),
				 errdetail("The value is \"%s\".",
						   business_interval_to_text(value)),
				 errhint("How long a business day is depends on the calendar: sla.business_between measures it.")));

	interval = palloc0(sizeof(Interval));
	interval->time = value->time;
	PG_RETURN_INTERVAL_P(interval);
}
