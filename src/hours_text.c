/*
 * hours_text.c
 *		The notation of business hours: from text to rules.
 *
 *	hours:		operand { operator operand }		from left to right
 *	operator:	| & -								a - stands between blanks
 *	operand:	part | ( hours )
 *	part:		24/7 | ZONE rule { ; rule }
 *	rule:		24/7 | weekdays times | weekdays off
 *				| dates | dates times | dates off
 *	weekdays:	day [ - day ] { , day [ - day ] }
 *	dates:		some { , some }
 *	some:		DATE [ / DATE ]
 *				| MONTH NUMBER [ - [ MONTH ] NUMBER ]
 *				| NUMBER [ - [ MONTH ] NUMBER ]		behind one with a MONTH
 *				| easter [ + NUMBER day | - NUMBER day ]	or: days
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

#include "hours_canon.h"
#include "hours_scan.h"
#include "hours_select.h"
#include "hours_text.h"

#define DAY_SECS	((int32) SECS_PER_DAY)

#define EXAMPLE_ZONE	"Begin with an IANA time zone, as in \"Europe/Berlin Mo-Fr 09:00-17:00\"."
#define EXPECT_RULE		"A rule begins with a weekday, a date or 24/7."
#define EXPECT_PART		"A part is expected here: 24/7, or a time zone with its rules."
#define EXPECT_TIMES	"Times such as 09:00-17:00, or \"off\", are expected here."

/* What has been read of an expression, and where its parts are collected */
typedef struct HoursParser
{
	HoursScanner scan;
	HoursRules *rules;			/* has room for HOURS_MAX_PARTS */
	int8	   *program;		/* that of the rules, with nsteps so far */
	int			nsteps;
	int			depth;			/* of open parentheses */
} HoursParser;

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

/* May the present token follow a complete rule? */
static bool
ends_rule(const HoursScanner *scan)
{
	return scan->token.kind == HOURS_END ||
		hours_token_is(&scan->token, ';') ||
		hours_token_is(&scan->token, ')') ||
		hours_token_is_operator(scan);
}

/*
 * Where a rule is complete, a hyphen between blanks was meant to be an
 * operator; then the token behind it is at fault.
 */
static bool
check_hyphen(HoursScanner *scan)
{
	if (!hours_token_is(&scan->token, '-') || hours_token_is_operator(scan) ||
		!hours_token_is_spaced(scan))
		return true;
	return hours_scan_part(scan) &&
		hours_syntax_error(scan, &scan->token, EXPECT_PART, NULL);
}

static bool
parse_span(HoursScanner *scan, HoursSpan *span)
{
	HoursToken *token = &scan->token;

	if (token->kind != HOURS_TIME)
		return hours_misplaced(scan, token, "A time is expected here.");
	if (token->value == DAY_SECS)
		return hours_range_error(scan, token,
								 "24:00 is the end of a day and can only close.",
								 "Write 00:00 to open at the beginning of a day.");
	span->open = token->value;

	if (!hours_scan(scan))
		return false;
	if (!hours_token_is(token, '-'))
		return hours_misplaced(scan, token,
							   "A hyphen and the closing time are expected here.");
	if (!hours_scan(scan))
		return false;
	if (token->kind != HOURS_TIME)
		return hours_misplaced(scan, token,
							   "The closing time is expected here.");
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
parse_rule(HoursScanner *scan, HoursBuilder *builder)
{
	HoursToken *token = &scan->token;
	HoursToken	selector = scan->token;
	bool		named[7] = {false};
	int32		first_date = builder->nnamed;
	HoursDay	day;

	switch (token->kind)
	{
		case HOURS_WEEKDAY:
			if (!hours_parse_weekdays(scan, named))
				return false;
			break;
		case HOURS_DATE:
		case HOURS_MONTH:
		case HOURS_EASTER:
			if (!hours_parse_dates(scan, builder))
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
			return hours_misplaced(scan, token, EXPECT_RULE);
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
	else if (!ends_rule(scan))
		return hours_misplaced(scan, token, EXPECT_TIMES);
	else if (hours_token_is_date(&selector))
		day = whole_day();
	else
		return hours_syntax_error(scan, token, EXPECT_TIMES,
								  "For whole days write the times, as in \"Mo-Fr 00:00-24:00\".");

	for (int d = 0; d < 7; d++)
	{
		if (named[d])
			builder->week[d] = day;
	}
	for (int32 i = first_date; i < builder->nnamed; i++)
		builder->named[i].day = day;
	return true;
}

static bool
parse_rules(HoursScanner *scan, HoursBuilder *builder)
{
	for (;;)
	{
		HoursToken *token = &scan->token;

		if (!parse_rule(scan, builder) || !check_hyphen(scan))
			return false;
		if (!ends_rule(scan))
			return hours_syntax_error(scan, token,
									  "The rule before it is complete.",
									  HINT_SEPARATOR);
		if (!hours_token_is(token, ';'))
			return true;
		if (!hours_scan(scan))
			return false;
	}
}

static bool
add_part(HoursParser *parser, HoursBuilder *builder)
{
	HoursRules *rules = parser->rules;

	if (!hours_builder_finish(builder, &rules->parts[rules->nparts],
							  parser->scan.escontext))
		return false;
	parser->program[parser->nsteps++] = rules->nparts++;
	return true;
}

/* The present token is one that only a part or a parenthesis could follow. */
static bool
parse_part(HoursParser *parser)
{
	HoursScanner *scan = &parser->scan;
	HoursToken *token = &scan->token;
	HoursBuilder builder;

	memset(&builder, 0, sizeof(builder));
	if (token->kind != HOURS_ALWAYS && token->kind != HOURS_ZONE)
	{
		if (parser->nsteps == 0 && parser->depth == 0)
			return hours_syntax_error(scan, token,
									  "Business hours need a time zone.",
									  EXAMPLE_ZONE);
		return hours_syntax_error(scan, token,
								  EXPECT_PART,
								  "Operators are |, & and -, one between two parts.");
	}
	if (parser->rules->nparts == HOURS_MAX_PARTS)
		return hours_limit_error(scan, token,
								 "Too many parts are joined.");
	if (token->kind == HOURS_ALWAYS)
	{
		builder.zone = pstrdup("UTC");
		for (int d = 0; d < 7; d++)
			builder.week[d] = whole_day();
		if (!hours_scan(scan))
			return false;
		if (!check_hyphen(scan))
			return false;
		if (hours_token_is(token, ';') ||
			!(ends_rule(scan) || hours_token_is(token, '(') ||
			  token->kind == HOURS_ALWAYS))
			return hours_syntax_error(scan, token,
									  "Only 24/7 alone needs no time zone.",
									  EXAMPLE_ZONE);
		return add_part(parser, &builder);
	}

	if (token->len > HOURS_MAX_ZONE)
		return hours_limit_error(scan, token,
								 "The name of the time zone is too long.");
	builder.zone = pnstrdup(token->start, token->len);
	builder.zone_position = hours_token_position(scan, token);
	if (!hours_scan(scan))
		return false;
	if (ends_rule(scan) && !hours_token_is(token, ';'))
		return hours_syntax_error(scan, token,
								  "At least one rule must follow the time zone.",
								  "Write the hours, as in \"Mo-Fr 09:00-17:00\", or 24/7.");
	return parse_rules(scan, &builder) && add_part(parser, &builder);
}

static HoursOp
operator_of(const HoursToken *token)
{
	switch (*token->start)
	{
		case '|':
			return HOURS_UNION;
		case '&':
			return HOURS_INTERSECT;
		default:
			return HOURS_EXCEPT;
	}
}

/*
 * Reads its own first token, since only here a zone name may stand. Leaves
 * the program behind what was there before.
 */
static bool
parse_hours(HoursParser *parser)
{
	HoursScanner *scan = &parser->scan;
	HoursToken *token = &scan->token;
	int			begin = parser->nsteps;
	int			left = 0;		/* steps of the left operand, if any */
	HoursOp		op = HOURS_UNION;

	for (;;)
	{
		if (!hours_scan_part(scan))
			return false;
		if (hours_token_is(token, '('))
		{
			if (parser->depth == HOURS_MAX_DEPTH)
				return hours_limit_error(scan, token,
										 "Too many parentheses are open.");
			parser->depth++;
			if (!parse_hours(parser))
				return false;
			parser->depth--;
			if (!hours_token_is(token, ')'))
				return hours_syntax_error(scan, token,
										  "A closing parenthesis or an operator is expected here.",
										  NULL);
			if (!hours_scan(scan))
				return false;
		}
		else if (!parse_part(parser))
			return false;

		if (left > 0)
		{
			hours_program_join(parser->program + begin, left,
							   parser->nsteps - begin - left, op);
			parser->nsteps++;
		}
		left = parser->nsteps - begin;
		if (!hours_token_is_operator(scan))
			return true;
		op = operator_of(token);
		if (op == HOURS_EXCEPT && !hours_token_is_spaced(scan))
			return hours_syntax_error(scan, token,
									  "The operator - stands between blanks.",
									  NULL);
	}
}

static bool
check_length(const char *text, Node *escontext)
{
	if (strlen(text) > HOURS_MAX_TEXT)
		ereturn(escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours are too long"),
				 errdetail("The text has %zu bytes; at most %d are supported.",
						   strlen(text), HOURS_MAX_TEXT)));
	return true;
}

HoursRules *
hours_text_parse(const char *text, Node *escontext)
{
	HoursParser parser;
	HoursRules *rules;

	if (!check_length(text, escontext))
		return NULL;

	memset(&parser, 0, sizeof(parser));
	hours_scan_begin(&parser.scan, text, escontext);
	rules = parser.rules = hours_rules_make(HOURS_MAX_PARTS);
	rules->nparts = 0;
	parser.program = rules->program;
	if (!parse_hours(&parser))
		return NULL;
	if (parser.scan.token.kind != HOURS_END)
	{
		(void) hours_syntax_error(&parser.scan, &parser.scan.token,
								  "An operator or the end of the text is expected here.",
								  NULL);
		return NULL;
	}
	if (!hours_rules_check_limits(rules, escontext))
		return NULL;
	return rules;
}

HoursRules *
hours_text_parse_rules(const char *zone, const char *text)
{
	HoursScanner scan;
	HoursBuilder builder;
	HoursRules *rules = hours_rules_make(1);

	(void) check_length(text, NULL);
	memset(&builder, 0, sizeof(builder));
	builder.zone = pstrdup(zone);
	hours_scan_begin(&scan, text, NULL);
	(void) hours_scan(&scan);
	(void) parse_rules(&scan, &builder);
	if (scan.token.kind != HOURS_END)
		(void) hours_syntax_error(&scan, &scan.token,
								  "The end of the text is expected here.",
								  "One time zone was given; join parts with operators on values.");
	(void) hours_builder_finish(&builder, &rules->parts[0], NULL);
	(void) hours_rules_check_limits(rules, NULL);
	return rules;
}
