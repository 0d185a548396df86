/*
 * holidays.c
 *		sla.with_holidays(): hours closed on given dates.
 *
 * Must not know: where holidays come from, and who uses the hours.
 */
#include "slapolicy.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "business_hours.h"

/* 0001-01-01 and 9999-12-31, in days since 2000-01-01: all that can be said */
#define FIRST_DATE	(-730119)
#define LAST_DATE	2921939

PG_FUNCTION_INFO_V1(slapolicy_with_holidays);

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
		if (dates[i] < FIRST_DATE || dates[i] > LAST_DATE)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("holiday out of range"),
					 errdetail("Holidays lie in the years 0001 to 9999.")));
	}
	qsort(dates, *ndates, sizeof(DateADT), compare_dates);
	return dates;
}

/*
 * sla.with_holidays(hours sla.business_hours, holidays date[])
 *
 * Merges two sorted lists; a special date of the hours wins over a holiday.
 * Raises 22023 for hours in no or in several zones, 54000 for too many dates.
 */
Datum
slapolicy_with_holidays(PG_FUNCTION_ARGS)
{
	HoursRules *rules = business_hours_rules(PG_GETARG_DATUM(0));
	int			ndates;
	DateADT    *dates = sorted_dates(PG_GETARG_ARRAYTYPE_P(1), &ndates);
	HoursPart  *part = &rules->parts[0];
	HoursSpecial *merged;
	int32		n = 0;
	int32		special = 0;

	if (ndates == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (rules->nparts != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("holidays cannot be added to hours in several time zones"),
				 errhint("Add them to each part before joining the parts.")));
	if (hours_part_is_always(part))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("holidays cannot be added to 24/7, which has no time zone"),
				 errhint("Name the zone whose dates they are, as in \"Europe/Amsterdam 24/7\"; "
						 "for UTC, write the hours with the dates: \"UTC 24/7; 2026-12-25 off\".")));

	merged = palloc_extended(((Size) part->nspecials + ndates) *
							 sizeof(HoursSpecial), MCXT_ALLOC_HUGE);
	for (int i = 0; i < ndates; i++)
	{
		while (special < part->nspecials &&
			   part->specials[special].first <= dates[i])
			merged[n++] = part->specials[special++];
		if (n > 0 && merged[n - 1].first == dates[i])
			continue;			/* said already, by the hours or by the list */
		merged[n++] = (HoursSpecial) {.first = dates[i], .last = dates[i]};
	}
	while (special < part->nspecials)
		merged[n++] = part->specials[special++];
	part->specials = merged;
	part->nspecials = n;
	hours_rules_check_limits(rules, NULL);
	PG_RETURN_DATUM(business_hours_build(rules));
}
