/*
 * hours_rules.c
 *		What the rules of a calendar have in common however they came about:
 *		canonical days, limits, and the notation they are printed in.
 *
 * Pure, like hours_text.c: no fmgr, no SPI, no time-zone data.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/datetime.h"

#include "hours_text.h"

#define DAY_SECS	((int32) SECS_PER_DAY)

static const char *const weekday_letters[7] = {
	"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"
};

static int
span_cmp(const void *a, const void *b)
{
	const HoursSpan *x = a;
	const HoursSpan *y = b;

	if (x->open != y->open)
		return x->open < y->open ? -1 : 1;
	if (x->close != y->close)
		return x->close < y->close ? -1 : 1;
	return 0;
}

int32
hours_spans_normalise(HoursSpan *spans, int32 nspans)
{
	int32		last = 0;

	if (nspans == 0)
		return 0;
	qsort(spans, nspans, sizeof(HoursSpan), span_cmp);
	for (int32 i = 1; i < nspans; i++)
	{
		if (spans[i].open <= spans[last].close)
			spans[last].close = Max(spans[last].close, spans[i].close);
		else
			spans[++last] = spans[i];
	}
	return last + 1;
}

static bool
day_equal(const HoursDay *a, const HoursDay *b)
{
	return a->nspans == b->nspans &&
		(a->nspans == 0 ||
		 memcmp(a->spans, b->spans, a->nspans * sizeof(HoursSpan)) == 0);
}

static bool
is_whole_day(const HoursDay *day)
{
	return day->nspans == 1 && day->spans[0].open == 0 &&
		day->spans[0].close == DAY_SECS;
}

bool
hours_part_is_always(const HoursPart *part)
{
	if (strcmp(part->zone, "UTC") != 0 || part->nspecials != 0)
		return false;
	for (int d = 0; d < 7; d++)
	{
		if (!is_whole_day(&part->week[d]))
			return false;
	}
	return true;
}

/* The limits that do not belong to one token, over all parts. */
bool
hours_rules_check_limits(const HoursRules *rules, Node *escontext)
{
	int64		nspans = 0;
	int64		nspecials = 0;

	for (int32 i = 0; i < rules->nparts; i++)
	{
		const HoursPart *part = &rules->parts[i];

		for (int d = 0; d < 7; d++)
			nspans += part->week[d].nspans;
		for (int32 s = 0; s < part->nspecials; s++)
			nspans += part->specials[s].day.nspans;
		nspecials += part->nspecials;
	}
	if (nspans > HOURS_MAX_SPANS)
		ereturn(escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours have too many opening times"),
				 errdetail("There are " INT64_FORMAT " over all weekdays and special dates; at most %d are supported.",
						   nspans, HOURS_MAX_SPANS)));
	if (nspecials > HOURS_MAX_SPECIALS)
		ereturn(escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours have too many special dates"),
				 errdetail("There are " INT64_FORMAT "; at most %d are supported.",
						   nspecials, HOURS_MAX_SPECIALS)));
	return true;
}

static void
print_time(StringInfo out, int32 secs)
{
	appendStringInfo(out, "%02d:%02d", secs / SECS_PER_HOUR,
					 secs / SECS_PER_MINUTE % MINS_PER_HOUR);
	if (secs % SECS_PER_MINUTE != 0)
		appendStringInfo(out, ":%02d", secs % SECS_PER_MINUTE);
}

/* A span of at most 24 hours */
static void
print_span(StringInfo out, int32 open, int32 close)
{
	print_time(out, open);
	appendStringInfoChar(out, '-');
	print_time(out, close > DAY_SECS ? close - DAY_SECS : close);
}

/*
 * What a day says. A merged span longer than 24 hours is written as two of
 * exactly 24 hours that cover it: it is shorter than 48.
 */
static void
print_day(StringInfo out, const HoursDay *day)
{
	if (day->nspans == 0)
		appendStringInfoString(out, "off");
	for (int32 i = 0; i < day->nspans; i++)
	{
		HoursSpan	span = day->spans[i];

		if (i > 0)
			appendStringInfoChar(out, ',');
		if (span.close - span.open > DAY_SECS)
		{
			print_span(out, span.open, span.open + DAY_SECS);
			appendStringInfoChar(out, ',');
			span.open = span.close - DAY_SECS;
		}
		print_span(out, span.open, span.close);
	}
}

/* The weekdays from first on that share its hours, as ranges and single days */
static void
print_weekdays(StringInfo out, const HoursDay *week, int first)
{
	const char *separator = "";

	for (int d = first; d < 7; d++)
	{
		int			last = d;

		if (!day_equal(&week[d], &week[first]))
			continue;
		while (last < 6 && day_equal(&week[last + 1], &week[first]))
			last++;
		appendStringInfo(out, "%s%s", separator, weekday_letters[d]);
		if (last > d)
			appendStringInfo(out, "-%s", weekday_letters[last]);
		separator = ",";
		d = last;
	}
}

static void
print_date(StringInfo out, int32 date)
{
	int			year,
				month,
				day;

	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	appendStringInfo(out, "%04d-%02d-%02d", year, month, day);
}

static void
print_part(StringInfo out, const HoursPart *part)
{
	const char *separator = " ";

	if (hours_part_is_always(part))
	{
		appendStringInfoString(out, "24/7");
		return;
	}

	appendStringInfoString(out, part->zone);
	for (int d = 0; d < 7; d++)
	{
		bool		printed = part->week[d].nspans == 0;

		for (int earlier = 0; earlier < d && !printed; earlier++)
			printed = day_equal(&part->week[earlier], &part->week[d]);
		if (printed)
			continue;
		appendStringInfoString(out, separator);
		print_weekdays(out, part->week, d);
		appendStringInfoChar(out, ' ');
		print_day(out, &part->week[d]);
		separator = "; ";
	}

	for (int32 i = 0; i < part->nspecials; i++)
	{
		const HoursSpecial *special = &part->specials[i];

		if (i > 0 && day_equal(&special->day, &special[-1].day))
			continue;
		appendStringInfoString(out, separator);
		print_date(out, special->first);
		for (int32 j = i + 1; j < part->nspecials &&
			 day_equal(&part->specials[j].day, &special->day); j++)
		{
			appendStringInfoChar(out, ',');
			print_date(out, part->specials[j].first);
		}
		appendStringInfoChar(out, ' ');
		print_day(out, &special->day);
		separator = "; ";
	}

	if (strcmp(separator, " ") == 0)
		appendStringInfoString(out, " Mo-Su off");
}

char *
hours_text_print(const HoursRules *rules)
{
	StringInfoData out;

	initStringInfo(&out);
	Assert(rules->nparts == 1);
	print_part(&out, &rules->parts[0]);
	return out.data;
}
