/*
 * hours_text.c
 *		The notation of business hours: from text to rules.
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
 * Every parse_ function is entered with its first token in scan->token, leaves
 * the first one behind it there, and returns false after a soft error was
 * saved. Time and memory are bounded by the text: the days that one rule names
 * share one array of spans.
 */
#include "postgres.h"

#include "hours_scan.h"
#include "hours_text.h"

#define DAY_SECS	((int32) SECS_PER_DAY)

#define EXAMPLE_ZONE	"Begin with an IANA time zone, as in \"Europe/Berlin Mo-Fr 09:00-17:00\"."
#define EXPECT_RULE		"A rule begins with a weekday, a date or 24/7."
#define EXPECT_TIMES	"Times such as 09:00-17:00, or \"off\", are expected here."
#define HINT_SEPARATOR	"Items of a list are separated by commas, rules by semicolons."
#define HINT_FORMAT		"Write times as HH:MM or HH:MM:SS, dates as YYYY-MM-DD."

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

static const HoursDay closed_day = {0, NULL};

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

/* What may be wrong with a token that does not belong where it stands */
static const char *
hint_misplaced(const HoursToken *token)
{
	switch (token->kind)
	{
		case HOURS_WEEKDAY:
		case HOURS_DATE:
		case HOURS_TIME:
		case HOURS_ALWAYS:
		case HOURS_OFF:
			return HINT_SEPARATOR;
		case HOURS_NUMBER:
			return HINT_FORMAT;
		case HOURS_WORD:
			return *token->start >= '0' && *token->start <= '9' ?
				HINT_FORMAT : NULL;
		default:
			return NULL;
	}
}

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
									  hint_misplaced(token));
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
										  hint_misplaced(token));
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
									  hint_misplaced(token));
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
		return hours_syntax_error(scan, token, "A time is expected here.",
								  hint_misplaced(token));
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
								  hint_misplaced(token));
	if (!hours_scan(scan))
		return false;
	if (token->kind != HOURS_TIME)
		return hours_syntax_error(scan, token,
								  "The closing time is expected here.",
								  hint_misplaced(token));
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
			return hours_syntax_error(scan, token, EXPECT_RULE,
									  hint_misplaced(token));
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
		return hours_syntax_error(scan, token, EXPECT_TIMES,
								  hint_misplaced(token));
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
		if (token->kind != HOURS_END && !hours_token_is(token, '-'))
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
	part->nyearly = part->neaster = 0;
	part->yearly = NULL;
	part->easter = NULL;
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
		special->first = special->last = builder->dates[i].date;
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
	rules->program = palloc0(1);
	finish_part(&builder, &rules->parts[0]);
	if (!hours_rules_check_limits(rules, escontext))
		return NULL;
	return rules;
}
