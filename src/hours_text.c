/*
 * hours_text.c
 *		The notation of business hours: from text to rules and back.
 *
 *	calendar:	part
 *	part:		24/7 | ZONE rule { ; rule }
 *	rule:		24/7 | weekdays times | weekdays off
 *				| dates | dates times | dates off
 *	weekdays:	day [ - day ] { , day [ - day ] }
 *	dates:		DATE { , DATE }
 *	times:		TIME - TIME { , TIME - TIME }
 *
 * Pure: no fmgr, no SPI, no time-zone data. Zone names pass through
 * unchecked, and what a window means on the day of a clock change is not
 * known here.
 *
 * Time and memory of the parser are bounded by the text: the days that one
 * rule names share one array of spans.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/datetime.h"

#include "hours_scan.h"
#include "hours_text.h"

#define DAY_SECS	((int32) SECS_PER_DAY)

#define EXAMPLE_ZONE	"Begin with an IANA time zone, as in \"Europe/Berlin Mo-Fr 09:00-17:00\"."
#define EXPECT_RULE		"A rule begins with a weekday, a date or 24/7."
#define EXPECT_TIMES	"Times such as 09:00-17:00, or \"off\", are expected here."
#define HINT_SEPARATOR	"Rules are separated by semicolons."

/* A date as a rule names it; of several with one date the last one counts */
typedef struct NamedDate
{
	int32		date;
	int32		seq;
	HoursDay	day;
} NamedDate;

/* A part under construction */
typedef struct PartBuilder
{
	char	   *zone;
	int			zone_position;
	HoursDay	week[7];
	NamedDate  *dates;
	int32		ndates;
	int32		maxdates;
} PartBuilder;

static const char *const weekday_letters[7] = {
	"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"
};

static const HoursDay closed_day = {0, NULL};


/* ----------
 * Spans and days
 * ----------
 */

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

/* Open from 00:00 to 24:00; palloc'd. */
static HoursDay
whole_day(void)
{
	HoursDay	day;

	day.nspans = 1;
	day.spans = palloc(sizeof(HoursSpan));
	day.spans[0].open = 0;
	day.spans[0].close = DAY_SECS;
	return day;
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


/* ----------
 * Parser
 *
 * Every function is entered with its first token in scan->token and leaves
 * the first one behind it there. False after a soft error was saved.
 * ----------
 */

/* May this token follow a complete rule? */
static bool
ends_rule(const HoursToken *token)
{
	return token->kind == HOURS_END || hours_token_is(token, ';');
}

static bool
parse_weekdays(HoursScanner *scan, bool *named)
{
	for (;;)
	{
		HoursToken *token = &scan->token;
		int			first,
					last;

		if (token->kind != HOURS_WEEKDAY)
			return hours_syntax_error(scan, token,
									  token->kind == HOURS_DATE ?
									  "One rule names weekdays or dates, not both." :
									  "A weekday is expected here.",
									  token->kind == HOURS_DATE ?
									  HINT_SEPARATOR : NULL);
		first = last = token->value;
		if (!hours_scan(scan))
			return false;
		if (hours_token_is(token, '-'))
		{
			if (!hours_scan(scan))
				return false;
			if (token->kind != HOURS_WEEKDAY)
				return hours_syntax_error(scan, token,
										  "A weekday is expected here.",
										  NULL);
			last = token->value;
			if (!hours_scan(scan))
				return false;
		}
		for (int d = first;; d = (d + 1) % 7)
		{
			named[d] = true;
			if (d == last)
				break;
		}

		if (!hours_token_is(token, ','))
			return true;
		if (!hours_scan(scan))
			return false;
	}
}

/* Adds the dates to the builder; the caller gives them their day. */
static bool
parse_dates(HoursScanner *scan, PartBuilder *builder)
{
	for (;;)
	{
		HoursToken *token = &scan->token;
		NamedDate  *named;

		if (token->kind != HOURS_DATE)
			return hours_syntax_error(scan, token,
									  token->kind == HOURS_WEEKDAY ?
									  "One rule names weekdays or dates, not both." :
									  "A date is expected here.",
									  token->kind == HOURS_WEEKDAY ?
									  HINT_SEPARATOR : NULL);
		if (builder->ndates == builder->maxdates)
		{
			builder->maxdates = Max(16, builder->maxdates * 2);
			builder->dates = builder->dates ?
				repalloc(builder->dates, builder->maxdates * sizeof(NamedDate)) :
				palloc(builder->maxdates * sizeof(NamedDate));
		}
		named = &builder->dates[builder->ndates];
		named->date = token->value;
		named->seq = builder->ndates++;
		named->day = closed_day;

		if (!hours_scan(scan))
			return false;
		if (!hours_token_is(token, ','))
			return true;
		if (!hours_scan(scan))
			return false;
	}
}

static bool
parse_span(HoursScanner *scan, HoursSpan *span)
{
	HoursToken *token = &scan->token;

	if (token->kind != HOURS_TIME)
		return hours_syntax_error(scan, token,
								  "A time is expected here.",
								  token->kind == HOURS_WEEKDAY ||
								  token->kind == HOURS_DATE ||
								  token->kind == HOURS_ALWAYS ?
								  HINT_SEPARATOR :
								  "Write times as HH:MM or HH:MM:SS, as in \"09:00-17:00\".");
	if (token->value == DAY_SECS)
		return hours_range_error(scan, token,
								 "24:00 is the end of a day and can only close.",
								 "Write 00:00 to open at the beginning of a day.");
	span->open = token->value;

	if (!hours_scan(scan))
		return false;
	if (!hours_token_is(token, '-'))
		return hours_syntax_error(scan, token,
								  "A hyphen and the closing time are expected here.",
								  NULL);
	if (!hours_scan(scan))
		return false;
	if (token->kind != HOURS_TIME)
		return hours_syntax_error(scan, token,
								  "The closing time is expected here.",
								  "Write times as HH:MM or HH:MM:SS, as in \"09:00-17:00\".");
	span->close = token->value;
	if (span->close <= span->open)
		span->close += DAY_SECS;
	return hours_scan(scan);
}

static bool
parse_times(HoursScanner *scan, HoursDay *day)
{
	int32		maxspans = 4;

	day->nspans = 0;
	day->spans = palloc(maxspans * sizeof(HoursSpan));
	for (;;)
	{
		HoursToken	first = scan->token;
		HoursSpan	span;

		if (!parse_span(scan, &span))
			return false;
		if (day->nspans == HOURS_MAX_SPANS)
			return hours_limit_error(scan, &first,
									 "The rule has too many opening times.");
		if (day->nspans == maxspans)
		{
			maxspans *= 2;
			day->spans = repalloc(day->spans, maxspans * sizeof(HoursSpan));
		}
		day->spans[day->nspans++] = span;

		if (!hours_token_is(&scan->token, ','))
			break;
		if (!hours_scan(scan))
			return false;
	}
	day->nspans = hours_spans_normalise(day->spans, day->nspans);
	return true;
}

static bool
parse_rule(HoursScanner *scan, PartBuilder *builder)
{
	HoursToken *token = &scan->token;
	HoursToken	selector = scan->token;
	bool		named[7] = {false};
	int32		first_date = builder->ndates;
	HoursDay	day;

	switch (token->kind)
	{
		case HOURS_WEEKDAY:
			if (!parse_weekdays(scan, named))
				return false;
			break;
		case HOURS_DATE:
			if (!parse_dates(scan, builder))
				return false;
			break;
		case HOURS_ALWAYS:
			memset(named, true, sizeof(named));
			if (!hours_scan(scan))
				return false;
			break;
		case HOURS_TIME:
			return hours_syntax_error(scan, token,
									  "Times need the days they are for.",
									  "Name the days, as in \"Mo-Su 09:00-17:00\".");
		case HOURS_OFF:
			return hours_syntax_error(scan, token,
									  "\"off\" needs the days it is for.",
									  "Name the days, as in \"Mo-Su off\".");
		default:
			return hours_syntax_error(scan, token, EXPECT_RULE, NULL);
	}

	if (selector.kind == HOURS_ALWAYS)
		day = whole_day();
	else if (token->kind == HOURS_OFF)
	{
		day = closed_day;
		if (!hours_scan(scan))
			return false;
	}
	else if (token->kind == HOURS_TIME)
	{
		if (!parse_times(scan, &day))
			return false;
	}
	else if (!ends_rule(token))
		return hours_syntax_error(scan, token, EXPECT_TIMES, NULL);
	else if (selector.kind == HOURS_DATE)
		day = whole_day();
	else
		return hours_syntax_error(scan, token, EXPECT_TIMES,
								  "For whole days write the times, as in \"Mo-Fr 00:00-24:00\".");

	for (int d = 0; d < 7; d++)
	{
		if (named[d])
			builder->week[d] = day;
	}
	for (int32 i = first_date; i < builder->ndates; i++)
		builder->dates[i].day = day;
	return true;
}

static bool
parse_rules(HoursScanner *scan, PartBuilder *builder)
{
	for (;;)
	{
		HoursToken *token = &scan->token;

		if (!parse_rule(scan, builder))
			return false;
		if (!ends_rule(token))
			return hours_syntax_error(scan, token,
									  "The rule before it is complete.",
									  HINT_SEPARATOR);
		if (!hours_token_is(token, ';'))
			return true;
		if (!hours_scan(scan))
			return false;
	}
}

/* Reads its own first token, since only here a zone name may stand. */
static bool
parse_part(HoursScanner *scan, PartBuilder *builder)
{
	HoursToken *token = &scan->token;

	if (!hours_scan_part(scan))
		return false;
	if (token->kind == HOURS_ALWAYS)
	{
		builder->zone = pstrdup("UTC");
		for (int d = 0; d < 7; d++)
			builder->week[d] = whole_day();
		if (!hours_scan(scan))
			return false;
		if (hours_token_is(token, ';') || hours_token_is(token, ','))
			return hours_syntax_error(scan, token,
									  "Only 24/7 alone needs no time zone.",
									  EXAMPLE_ZONE);
		return true;
	}

	if (token->kind != HOURS_ZONE)
		return hours_syntax_error(scan, token,
								  "Business hours need a time zone.",
								  EXAMPLE_ZONE);
	if (token->len > HOURS_MAX_ZONE)
		return hours_limit_error(scan, token,
								 "The name of the time zone is too long.");
	builder->zone = pnstrdup(token->start, token->len);
	builder->zone_position = hours_token_position(scan, token);
	if (!hours_scan(scan))
		return false;
	if (token->kind == HOURS_END)
		return hours_syntax_error(scan, token,
								  "At least one rule must follow the time zone.",
								  "Write the hours, as in \"Mo-Fr 09:00-17:00\", or 24/7.");
	return parse_rules(scan, builder);
}

static int
named_date_cmp(const void *a, const void *b)
{
	const NamedDate *x = a;
	const NamedDate *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

/* Make a canonical part of what the rules said. */
static void
finish_part(PartBuilder *builder, HoursPart *part)
{
	part->zone = builder->zone;
	part->zone_position = builder->zone_position;
	memcpy(part->week, builder->week, sizeof(part->week));
	part->nspecials = 0;
	part->specials = NULL;
	if (builder->ndates == 0)
		return;

	qsort(builder->dates, builder->ndates, sizeof(NamedDate), named_date_cmp);
	part->specials = palloc(builder->ndates * sizeof(HoursSpecial));
	for (int32 i = 0; i < builder->ndates; i++)
	{
		HoursSpecial *special;

		if (i + 1 < builder->ndates &&
			builder->dates[i].date == builder->dates[i + 1].date)
			continue;
		special = &part->specials[part->nspecials++];
		special->date = builder->dates[i].date;
		special->day = builder->dates[i].day;
	}
	pfree(builder->dates);
}

HoursRules *
hours_text_parse(const char *text, Node *escontext)
{
	HoursScanner scan;
	PartBuilder builder;
	HoursRules *rules;

	if (strlen(text) > HOURS_MAX_TEXT)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours are too long"),
				 errdetail("The text has %zu bytes; at most %d are supported.",
						   strlen(text), HOURS_MAX_TEXT)));

	hours_scan_begin(&scan, text, escontext);
	memset(&builder, 0, sizeof(builder));
	if (!parse_part(&scan, &builder))
		return NULL;
	if (scan.token.kind != HOURS_END)
	{
		(void) hours_syntax_error(&scan, &scan.token,
								  "The end of the text is expected here.",
								  NULL);
		return NULL;
	}

	rules = palloc(sizeof(HoursRules));
	rules->nparts = 1;
	rules->parts = palloc(sizeof(HoursPart));
	finish_part(&builder, &rules->parts[0]);
	if (!hours_rules_check_limits(rules, escontext))
		return NULL;
	return rules;
}


/* ----------
 * Printer
 * ----------
 */

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
		print_date(out, special->date);
		for (int32 j = i + 1; j < part->nspecials &&
			 day_equal(&part->specials[j].day, &special->day); j++)
		{
			appendStringInfoChar(out, ',');
			print_date(out, part->specials[j].date);
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
