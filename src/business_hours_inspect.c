/*
 * business_hours_inspect.c
 *		What business hours say, as rows: zones, weekly hours, special dates.
 *
 * The rules as they are written, per part; when parts joined are open on the
 * clock is not known here. Parts are counted from 1.
 */
#include "slapolicy.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "business_hours.h"
#include "hours_dates.h"
#include "zone.h"

/* Special dates are looked up in stretches of this many days */
#define STRETCH_DAYS	1000

PG_FUNCTION_INFO_V1(slapolicy_business_hours_zones);
PG_FUNCTION_INFO_V1(slapolicy_unknown_zone);
PG_FUNCTION_INFO_V1(slapolicy_weekly_hours);
PG_FUNCTION_INFO_V1(slapolicy_special_dates);

/* Days whose openings are being listed, one row per opening */
typedef struct Listing
{
	const HoursRules *rules;
	int32		part;
	int32		day;			/* weekday, or index in found */
	int32		span;			/* next opening of that day */

	/* special_dates() only */
	int64		first;
	int64		last;
	int64		next;			/* behind what was looked up */
	SpecialDate *found;
	int32		nfound;
} Listing;

/* sla.zones(hours sla.business_hours): one name per part */
Datum
slapolicy_business_hours_zones(PG_FUNCTION_ARGS)
{
	HoursRules *rules = business_hours_rules(PG_GETARG_DATUM(0));
	Datum	   *names = palloc(rules->nparts * sizeof(Datum));

	for (int32 i = 0; i < rules->nparts; i++)
		names[i] = CStringGetTextDatum(rules->parts[i].zone);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, rules->nparts, TEXTOID, -1,
										  false, TYPALIGN_INT));
}

const char *
business_hours_unknown_zone(Datum value)
{
	HoursRules *rules = business_hours_rules(value);

	for (int32 i = 0; i < rules->nparts; i++)
		if (zone_find(rules->parts[i].zone) == NULL)
			return rules->parts[i].zone;
	return NULL;
}

/* sla.unknown_zone(hours sla.business_hours): text */
Datum
slapolicy_unknown_zone(PG_FUNCTION_ARGS)
{
	const char *zone = business_hours_unknown_zone(PG_GETARG_DATUM(0));

	if (zone == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(zone));
}

/* Seconds since 00:00 as an interval; palloc'd */
static Datum
interval_of_secs(int32 secs)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = secs * USECS_PER_SEC;
	return IntervalPGetDatum(interval);
}

/*
 * Begin a listing in the memory of a set-returning function. Returns the
 * listing, with the old context in *old still to be switched back to.
 */
static Listing *
listing_begin(FunctionCallInfo fcinfo, MemoryContext *old)
{
	FuncCallContext *funcctx = SRF_FIRSTCALL_INIT();
	TupleDesc	tupdesc;
	Listing    *listing;

	*old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	funcctx->tuple_desc = BlessTupleDesc(tupdesc);
	listing = palloc0(sizeof(Listing));
	listing->rules = business_hours_rules(PG_GETARG_DATUM(0));
	funcctx->user_fctx = listing;
	return listing;
}

/* A row of part, day, and the opening, if there is one */
static Datum
listing_row(FuncCallContext *funcctx, int32 part, Datum day,
			const HoursSpan *span)
{
	Datum		values[4];
	bool		nulls[4] = {false};

	values[0] = Int32GetDatum(part + 1);
	values[1] = day;
	nulls[2] = nulls[3] = span == NULL;
	if (span)
	{
		values[2] = interval_of_secs(span->open);
		values[3] = interval_of_secs(span->close);
	}
	return HeapTupleGetDatum(heap_form_tuple(funcctx->tuple_desc,
											 values, nulls));
}

/* sla.weekly_hours(hours sla.business_hours) */
Datum
slapolicy_weekly_hours(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	Listing    *listing;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		(void) listing_begin(fcinfo, &old);
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	listing = funcctx->user_fctx;

	for (; listing->part < listing->rules->nparts; listing->part++)
	{
		const HoursDay *week = listing->rules->parts[listing->part].week;

		for (; listing->day < 7; listing->day++)
		{
			const HoursDay *day = &week[listing->day];

			if (listing->span < day->nspans)
				SRF_RETURN_NEXT(funcctx,
								listing_row(funcctx, listing->part,
											Int32GetDatum(listing->day + 1),
											&day->spans[listing->span++]));
			listing->span = 0;
		}
		listing->day = 0;
	}
	SRF_RETURN_DONE(funcctx);
}

/* An infinite date stands for the first or last one that can be written. */
static int64
finite_date(DateADT date)
{
	if (DATE_IS_NOBEGIN(date))
		return HOURS_FIRST_DATE;
	if (DATE_IS_NOEND(date))
		return HOURS_LAST_DATE;
	return date;
}

/*
 * Look up the next stretch of special dates, of the next part if need be.
 * False at the end.
 */
static bool
listing_look_up(Listing *listing)
{
	for (;;)
	{
		int64		from = listing->next;
		int64		to = Min(from + STRETCH_DAYS - 1, listing->last);

		if (listing->part == listing->rules->nparts)
			return false;
		if (listing->found)
			pfree(listing->found);
		listing->day = 0;
		listing->nfound =
			hours_part_specials(&listing->rules->parts[listing->part],
								from, to, &listing->found);
		listing->next = to + 1;
		if (listing->nfound > 0)
			return true;
		if (listing->next > listing->last)
		{
			listing->part++;
			listing->next = listing->first;
		}
	}
}

/* sla.special_dates(hours sla.business_hours, first date, last date) */
Datum
slapolicy_special_dates(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	Listing    *listing;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		listing = listing_begin(fcinfo, &old);
		listing->first = finite_date(PG_GETARG_DATEADT(1));
		listing->last = finite_date(PG_GETARG_DATEADT(2));
		listing->next = listing->first;
		if (listing->first > listing->last)
			listing->part = listing->rules->nparts;
		MemoryContextSwitchTo(old);
	}
	funcctx = SRF_PERCALL_SETUP();
	listing = funcctx->user_fctx;

	for (;;)
	{
		MemoryContext old;
		bool		found;

		for (; listing->day < listing->nfound; listing->day++)
		{
			const SpecialDate *special = &listing->found[listing->day];
			const HoursDay *day = special->day;
			const HoursSpan *span = NULL;
			Datum		date = DateADTGetDatum((DateADT) special->date);

			/* a closed day has a row as well */
			if (listing->span > 0 && listing->span >= day->nspans)
			{
				listing->span = 0;
				continue;
			}
			if (listing->span < day->nspans)
				span = &day->spans[listing->span];
			listing->span++;
			SRF_RETURN_NEXT(funcctx,
							listing_row(funcctx, listing->part, date, span));
		}

		old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
		found = listing_look_up(listing);
		MemoryContextSwitchTo(old);
		if (!found)
			SRF_RETURN_DONE(funcctx);
	}
}
