/*
 * hours_print.c
 *		The notation of business hours: from rules to canonical text.
 *
 * Pure, like hours_text.c: no fmgr, no SPI, no time-zone data.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/datetime.h"

#include "hours_dates.h"
#include "hours_text.h"

#define LAST_ORDINAL	365			/* December 31 */

#define DAY_SECS	((int32) SECS_PER_DAY)

static const char *const weekday_letters[7] = {
	"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"
};

/* A recurring rule while rules that say the same are gathered */
typedef struct Entry
{
	int			ordinal;		/* yearly: day of a leap year, from 0 */
	int			offset;			/* Easter */
	bool		printed;
	uint16		rank;
	const HoursDay *day;
} Entry;

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

		if (!hours_day_equal(&week[d], &week[first]))
			continue;
		while (last < 6 && hours_day_equal(&week[last + 1], &week[first]))
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

/* One or two dates alone, more as a range */
static void
print_range(StringInfo out, int32 first, int32 last)
{
	print_date(out, first);
	if (last > first)
	{
		appendStringInfoChar(out, last > first + 1 ? '/' : ',');
		print_date(out, last);
	}
}

static void
print_specials(StringInfo out, const HoursPart *part, const char **separator)
{
	for (int32 i = 0; i < part->nspecials;)
	{
		const HoursDay *day = &part->specials[i].day;
		const char *comma = "";

		appendStringInfoString(out, *separator);
		for (; i < part->nspecials &&
			 hours_day_equal(&part->specials[i].day, day); i++)
		{
			appendStringInfoString(out, comma);
			print_range(out, part->specials[i].first, part->specials[i].last);
			comma = ",";
		}
		appendStringInfoChar(out, ' ');
		print_day(out, day);
		*separator = "; ";
	}
}

/* Month, from 0, and day of month of a day of a leap year */
static int
month_of(int ordinal, int *mday)
{
	int			month = 0;

	while (ordinal >= day_tab[1][month])
		ordinal -= day_tab[1][month++];
	*mday = ordinal + 1;
	return month;
}

static void
print_days_of_year(StringInfo out, int first, int last)
{
	int			first_mday,
				last_mday;
	int			first_month = month_of(first, &first_mday);
	int			last_month = month_of(last, &last_mday);

	appendStringInfo(out, "%s %d", months[first_month], first_mday);
	if (last_month != first_month)
		appendStringInfo(out, "-%s %d", months[last_month], last_mday);
	else if (last != first)
		appendStringInfo(out, "-%d", last_mday);
}

static void
print_easter(StringInfo out, int offset)
{
	appendStringInfoString(out, "easter");
	if (offset != 0)
		appendStringInfo(out, " %+d day%s", offset,
						 offset == 1 || offset == -1 ? "" : "s");
}

/* Are two entries printed as one rule? */
static bool
together(const Entry *a, const Entry *b)
{
	return a->rank == b->rank && hours_day_equal(a->day, b->day);
}

/* Index of the last yearly entry of the range that begins with one */
static int
range_end(const Entry *entries, int nyearly, int first)
{
	int			last = first;

	while (last + 1 < nyearly &&
		   entries[last + 1].ordinal == entries[last].ordinal + 1 &&
		   together(&entries[last + 1], &entries[first]))
		last++;
	return last;
}

/*
 * The ranges at the beginning and the end of the year can be one, as in
 * "Dec 28-Jan 2". Returns how many entries the one at the beginning has if it
 * belongs to the one at the end and that begins in a later month than it ends.
 */
static int
wrapped_entries(const Entry *entries, int nyearly)
{
	int			end = range_end(entries, nyearly, 0);
	int			start = nyearly - 1;
	int			mday;

	if (entries[0].ordinal != 0 || entries[start].ordinal != LAST_ORDINAL ||
		!together(&entries[0], &entries[start]))
		return 0;
	while (start > 0 && range_end(entries, nyearly, start - 1) == nyearly - 1)
		start--;
	return month_of(end, &mday) < month_of(entries[start].ordinal, &mday) ?
		end + 1 : 0;
}

/*
 * One rule for all entries that say the same as the first, from there on, with
 * the same rank. Of the yearly ones, wrapped are printed with the last.
 */
static void
print_entries(StringInfo out, Entry *entries, int nentries, int nyearly,
			  int first, int wrapped)
{
	const char *comma = "";

	for (int i = first; i < nentries; i++)
	{
		int			last = i;

		if (!together(&entries[i], &entries[first]))
			continue;
		if (i < nyearly)
			last = range_end(entries, nyearly, i);
		for (int k = i; k <= last; k++)
			entries[k].printed = true;
		if (i < wrapped)
		{
			i = last;
			continue;
		}

		appendStringInfoString(out, comma);
		if (i >= nyearly)
			print_easter(out, entries[i].offset);
		else if (wrapped > 0 && last == nyearly - 1)
			print_days_of_year(out, entries[i].ordinal, wrapped - 1);
		else
			print_days_of_year(out, entries[i].ordinal, entries[last].ordinal);
		comma = ",";
		i = last;
	}
	appendStringInfoChar(out, ' ');
	print_day(out, entries[first].day);
}

/* Recurring dates, by ascending rank: where two meet, the later one counts. */
static void
print_recurring(StringInfo out, const HoursPart *part, const char **separator)
{
	int			nentries = part->nyearly + part->neaster;
	Entry	   *entries = palloc0(Max(nentries, 1) * sizeof(Entry));
	int			ranks = 1;
	int			wrapped;

	for (int32 i = 0; i < part->nyearly; i++)
	{
		const HoursYearly *yearly = &part->yearly[i];

		entries[i].ordinal = yearly->mday - 1;
		for (int month = 1; month < yearly->month; month++)
			entries[i].ordinal += day_tab[1][month - 1];
		entries[i].rank = yearly->rank;
		entries[i].day = &yearly->day;
		ranks = Max(ranks, yearly->rank + 1);
	}
	for (int32 i = 0; i < part->neaster; i++)
	{
		Entry	   *entry = &entries[part->nyearly + i];

		entry->offset = part->easter[i].offset;
		entry->rank = part->easter[i].rank;
		entry->day = &part->easter[i].day;
		ranks = Max(ranks, entry->rank + 1);
	}
	wrapped = part->nyearly > 0 ?
		wrapped_entries(entries, part->nyearly) : 0;

	for (int rank = 0; rank < ranks; rank++)
	{
		for (int i = 0; i < nentries; i++)
		{
			if (entries[i].printed || entries[i].rank != rank)
				continue;
			appendStringInfoString(out, *separator);
			print_entries(out, entries, nentries, part->nyearly, i,
						  wrapped);
			*separator = "; ";
		}
	}
	pfree(entries);
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
			printed = hours_day_equal(&part->week[earlier], &part->week[d]);
		if (printed)
			continue;
		appendStringInfoString(out, separator);
		print_weekdays(out, part->week, d);
		appendStringInfoChar(out, ' ');
		print_day(out, &part->week[d]);
		separator = "; ";
	}

	print_recurring(out, part, &separator);
	print_specials(out, part, &separator);

	if (strcmp(separator, " ") == 0)
		appendStringInfoString(out, " Mo-Su off");
}

/*
 * The expression whose steps end before end. Parentheses stand around every
 * composite operand but a left one with the same operator, so that nobody
 * needs to know which operator binds how.
 */
static void
print_expression(StringInfo out, const HoursRules *rules, int end)
{
	static const char *const signs[] = {" | ", " & ", " - "};
	int8		step = rules->program[end - 1];
	int			ends[2];

	if (step >= 0)
	{
		print_part(out, &rules->parts[step]);
		return;
	}
	ends[0] = hours_program_operand(rules->program, end - 1);
	ends[1] = end - 1;
	for (int side = 0; side < 2; side++)
	{
		int8		inner = rules->program[ends[side] - 1];
		bool		enclosed = inner < 0 && (side == 1 || inner != step);

		if (side == 1)
			appendStringInfoString(out, signs[-1 - step]);
		if (enclosed)
			appendStringInfoChar(out, '(');
		print_expression(out, rules, ends[side]);
		if (enclosed)
			appendStringInfoChar(out, ')');
	}
}

char *
hours_text_print(const HoursRules *rules)
{
	StringInfoData out;

	initStringInfo(&out);
	print_expression(&out, rules, hours_program_length(rules));
	return out.data;
}
