/*
 * hours_dates.h
 *		What the rules of one part say about single local dates.
 *
 * Dates are days since 2000-01-01 in the proleptic Gregorian calendar; any
 * will do, also such as PostgreSQL does not accept. Pure: no fmgr, no SPI, no
 * time-zone data.
 */
#ifndef SLAPOLICY_HOURS_DATES_H
#define SLAPOLICY_HOURS_DATES_H

#include "postgres.h"

#include "hours_text.h"

/* Easter Sundays are known for these years. */
#define EASTER_FIRST_YEAR	1583
#define EASTER_LAST_YEAR	9999

/* A date with rules of its own, and what they say; the day is the part's. */
typedef struct SpecialDate
{
	int64		date;
	const HoursDay *day;
} SpecialDate;

/* What the rules say about a date: its specials, recurring dates, weekday. */
extern const HoursDay *hours_part_day(const HoursPart *part, int64 date);

/* What the weekly hours alone say about a date. */
extern const HoursDay *hours_part_weekday(const HoursPart *part, int64 date);

/* What the recurring dates alone say about a date, or NULL */
extern const HoursDay *hours_part_recurring(const HoursPart *part, int64 date);

/*
 * Index of the first of the part's specials that is not over before the date;
 * nspecials when all are.
 */
extern int32 hours_part_next_special(const HoursPart *part, int64 date);

/* Is the date named by a rule, be it in one year or in all? */
extern bool hours_part_is_special(const HoursPart *part, int64 date);

/*
 * All dates from first to last, both included, that a rule names, ascending,
 * with what is in force there. *out is palloc'd, never NULL, and refers to the
 * part. Returns their number. Takes time and memory for the dates found and
 * the years in between: ranges are spelled out.
 */
extern int32 hours_part_specials(const HoursPart *part, int64 first,
								 int64 last, SpecialDate **out);

/* Are there dates that recur in every year? */
static inline bool
hours_part_has_recurring(const HoursPart *part)
{
	return part->nyearly > 0 || part->neaster > 0;
}

/* Do two days say the same? */
static inline bool
hours_day_equal(const HoursDay *a, const HoursDay *b)
{
	return a->nspans == b->nspans &&
		(a->nspans == 0 ||
		 memcmp(a->spans, b->spans, a->nspans * sizeof(HoursSpan)) == 0);
}

/*
 * Easter Sunday in the Gregorian calendar, EASTER_FIRST_YEAR to
 * EASTER_LAST_YEAR.
 */
extern int32 hours_easter(int32 year);

/* Does the month, any number, have such a day, be it in leap years only? */
extern bool hours_month_has_day(int month, int mday);

/* Calendar fields of a date and back; year 0 is 1 BC. */
extern void hours_date_fields(int64 date, int64 *year, int *month, int *mday);
extern int64 hours_date_make(int64 year, int month, int mday);

#endif							/* SLAPOLICY_HOURS_DATES_H */
