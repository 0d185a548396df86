/*
 * business_hours_compose.c
 *		Business hours made from others: with dates added, joined by operators,
 *		or put together from a zone and rules.
 *
 * Must not know: where holidays come from, and who uses the hours.
 */
#include "slapolicy.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "business_hours.h"
#include "hours_canon.h"
#include "hours_dates.h"
#include "zone.h"

PG_FUNCTION_INFO_V1(slapolicy_with_holidays);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_make);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_union);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_intersect);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_except);

static int
compare_dates(const void *a, const void *b)
{
	DateADT		x = *(const DateADT *) a;
	DateADT		y = *(const DateADT *) b;

	return (x > y) - (x < y);
}

/*
 * The elements of a date[], sorted, in CurrentMemoryContext. Raises 22004 on
 * NULL, 22008 on a date that the notation cannot say.
 */
static DateADT *
sorted_dates(ArrayType *array, int *ndates)
{
	Datum	   *elems;
	bool	   *nulls;
	DateADT    *dates;

	deconstruct_array(array, DATEOID, sizeof(DateADT), true, TYPALIGN_INT,
					  &elems, &nulls, ndates);
	dates = palloc((*ndates + 1) * sizeof(DateADT));
	for (int i = 0; i < *ndates; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a holiday must not be NULL")));
		dates[i] = DatumGetDateADT(elems[i]);
		if (dates[i] < HOURS_FIRST_DATE || dates[i] > HOURS_LAST_DATE)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("holiday out of range"),
					 errdetail("Holidays lie in the years 0001 to 9999.")));
	}
	qsort(dates, *ndates, sizeof(DateADT), compare_dates);
	return dates;
}

/*
 * Close a part on the dates of an array, except where its rules name the date
 * themselves. Raises what sorted_dates does, and 54000 for too many dates.
 */
static void
add_holidays(HoursPart *part, ArrayType *array)
{
	int			ndates;
	DateADT    *dates = sorted_dates(array, &ndates);
	HoursBuilder builder;

	hours_builder_from_part(&builder, part);
	for (int i = 0; i < ndates; i++)
	{
		if ((i > 0 && dates[i] == dates[i - 1]) ||
			hours_part_is_special(part, dates[i]))
			continue;
		hours_builder_add(&builder, HOURS_DATE_ISO, dates[i], dates[i]);
	}
	(void) hours_builder_finish(&builder, part, NULL);
}

/*
 * sla.with_holidays(hours sla.business_hours, holidays date[])
 *
 * Raises 22023 for hours without a zone or of several parts, and what
 * add_holidays does.
 */
Datum
slapolicy_with_holidays(PG_FUNCTION_ARGS)
{
	HoursRules *rules = business_hours_rules(PG_GETARG_DATUM(0));
	ArrayType  *holidays = PG_GETARG_ARRAYTYPE_P(1);

	if (ArrayGetNItems(ARR_NDIM(holidays), ARR_DIMS(holidays)) == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (rules->nparts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("holidays cannot be added to hours that are joined from several parts"),
				 errhint("Add them to each part before joining the parts.")));
	if (hours_part_is_always(&rules->parts[0]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("holidays cannot be added to 24/7, which has no time zone"),
				 errhint("Name the zone whose dates they are, as in \"Europe/Amsterdam 24/7\"; "
						 "for UTC, write the hours with the dates: \"UTC 24/7; 2026-12-25 off\".")));
	add_holidays(&rules->parts[0], holidays);
	PG_RETURN_DATUM(business_hours_build(rules));
}

/*
 * sla.business_hours(zone text, rules text, holidays date[])
 *
 * Raises 22023 for an unknown zone, and what hours_text_parse_rules and
 * add_holidays do.
 */
Datum
slapolicy_business_hours_make(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *said = text_to_cstring(PG_GETARG_TEXT_PP(1));
	const ZoneTable *zone = zone_find(name);
	HoursRules *rules;

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint("The view pg_timezone_names lists the time zones known here.")));
	rules = hours_text_parse_rules(zone_name(zone), said);
	add_holidays(&rules->parts[0], PG_GETARG_ARRAYTYPE_P(2));
	PG_RETURN_DATUM(business_hours_build(rules));
}

/*
 * Two values joined by an operator. Raises 54000 when together they exceed a
 * limit.
 */
static Datum
join_hours(FunctionCallInfo fcinfo, HoursOp op)
{
	HoursRules *left = business_hours_rules(PG_GETARG_DATUM(0));
	HoursRules *right = business_hours_rules(PG_GETARG_DATUM(1));
	int32		nparts = left->nparts + right->nparts;
	int			nleft = hours_program_length(left);
	int			nright = hours_program_length(right);
	HoursRules *rules;

	if (nparts > HOURS_MAX_PARTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours have too many parts"),
				 errdetail("There are %d; at most %d are supported.",
						   nparts, HOURS_MAX_PARTS)));
	rules = hours_rules_make(nparts);
	memcpy(rules->parts, left->parts, left->nparts * sizeof(HoursPart));
	memcpy(rules->parts + left->nparts, right->parts,
		   right->nparts * sizeof(HoursPart));
	memcpy(rules->program, left->program, nleft);
	for (int i = 0; i < nright; i++)
	{
		int8		step = right->program[i];

		rules->program[nleft + i] = step < 0 ? step : step + left->nparts;
	}
	hours_program_join(rules->program, nleft, nright, op);
	PG_RETURN_DATUM(business_hours_build(rules));
}

Datum
slapolicy_business_hours_union(PG_FUNCTION_ARGS)
{
	return join_hours(fcinfo, HOURS_UNION);
}

Datum
slapolicy_business_hours_intersect(PG_FUNCTION_ARGS)
{
	return join_hours(fcinfo, HOURS_INTERSECT);
}

Datum
slapolicy_business_hours_except(PG_FUNCTION_ARGS)
{
	return join_hours(fcinfo, HOURS_EXCEPT);
}
