/*
 * hours_select.c
 *		The notation of business hours: which days a rule is for.
 *
 * Part of the grammar in hours_text.c, with its conventions. Pure: no fmgr,
 * no SPI, no time-zone data.
 */
#include "postgres.h"

#include "hours_dates.h"
#include "hours_select.h"

#define HINT_RANGE		"Write a slash between the dates, as in \"2026-12-25/2026-12-31\"."
#define HINT_YEARLY		"Write month and day, as in \"Dec 25\" or \"Dec 24-26\"."
#define HINT_EASTER		"Write \"easter\", \"easter +1 day\" or \"easter -2 days\"."

bool
hours_token_is_date(const HoursToken *token)
{
	return token->kind == HOURS_DATE || token->kind == HOURS_MONTH ||
		token->kind == HOURS_EASTER;
}

bool
hours_parse_weekdays(HoursScanner *scan, bool *named)
{
	for (;;)
	{
		HoursToken *token = &scan->token;
		int			first,
					last;

		if (token->kind != HOURS_WEEKDAY)
			return hours_misplaced(scan, token,
								   hours_token_is_date(token) ?
								   "One rule names weekdays or dates, not both." :
								   "A weekday is expected here.");
		first = last = token->value;
		if (!hours_scan(scan))
			return false;
		if (hours_token_is(token, '-'))
		{
			if (!hours_scan(scan))
				return false;
			if (token->kind != HOURS_WEEKDAY)
				return hours_misplaced(scan, token,
									   "A weekday is expected here.");
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

/* YYYY-MM-DD [ / YYYY-MM-DD ] */
static bool
parse_iso_dates(HoursScanner *scan, HoursBuilder *builder)
{
	HoursToken *token = &scan->token;
	int32		first = token->value;
	int32		last = first;

	if (!hours_scan(scan))
		return false;
	if (hours_token_is(token, '-') && !hours_token_is_operator(scan))
		return hours_syntax_error(scan, token,
								  "A range of dates is not written with a hyphen.",
								  HINT_RANGE);
	if (hours_token_is(token, '/'))
	{
		if (!hours_scan(scan))
			return false;
		if (token->kind != HOURS_DATE)
			return hours_syntax_error(scan, token,
									  "The last date of the range is expected here.",
									  HINT_RANGE);
		last = token->value;
		if (last < first)
			return hours_range_error(scan, token,
									 "The range ends before it begins.", NULL);
		if (!hours_scan(scan))
			return false;
	}
	hours_builder_add(builder, HOURS_DATE_ISO, first, last);
	return true;
}

/* The day of a month; 22008 if the month never has it */
static bool
parse_month_day(HoursScanner *scan, int month, int32 *month_day)
{
	HoursToken *token = &scan->token;

	if (token->kind != HOURS_NUMBER)
		return hours_syntax_error(scan, token,
								  "The day of the month is expected here.",
								  HINT_YEARLY);
	if (!hours_month_has_day(month, token->value))
		return hours_range_error(scan, token, "The month has no such day.",
								 NULL);
	*month_day = HOURS_MONTH_DAY(month, token->value);
	return hours_scan(scan);
}

/*
 * Days of the year. *month is the one named last in the list, which may be
 * left out, or 0; it is updated.
 */
static bool
parse_yearly_dates(HoursScanner *scan, HoursBuilder *builder, int *month)
{
	HoursToken *token = &scan->token;
	int32		from,
				to;

	if (token->kind == HOURS_MONTH)
	{
		*month = token->value;
		if (!hours_scan(scan))
			return false;
	}
	if (!parse_month_day(scan, *month, &from))
		return false;
	to = from;
	if (hours_token_is(token, '-') && !hours_token_is_operator(scan))
	{
		HoursToken	end;
		int			first_month = *month;

		if (!hours_scan(scan))
			return false;
		if (token->kind == HOURS_MONTH)
		{
			*month = token->value;
			if (!hours_scan(scan))
				return false;
		}
		end = *token;
		if (!parse_month_day(scan, *month, &to))
			return false;
		if (*month == first_month && to < from)
			return hours_range_error(scan, &end,
									 "The range ends before it begins.", NULL);
	}
	if (hours_token_is(token, '/'))
		return hours_syntax_error(scan, token,
								  "A range of days of the year is written with a hyphen.",
								  HINT_YEARLY);
	hours_builder_add(builder, HOURS_DATE_YEARLY, from, to);
	return true;
}

/* easter [ +N days | -N days ] */
static bool
parse_easter(HoursScanner *scan, HoursBuilder *builder)
{
	HoursToken *token = &scan->token;
	int32		offset = 0;

	if (!hours_scan(scan))
		return false;
	if (hours_token_is(token, '+') ||
		(hours_token_is(token, '-') && !hours_token_is_operator(scan)))
	{
		int			sign = hours_token_is(token, '+') ? 1 : -1;

		if (!hours_scan(scan))
			return false;
		if (token->kind != HOURS_NUMBER)
			return hours_syntax_error(scan, token,
									  "A number of days is expected here.",
									  HINT_EASTER);
		if (token->value > HOURS_MAX_EASTER)
			return hours_range_error(scan, token,
									 "Dates up to " CppAsString2(HOURS_MAX_EASTER) " days before or after Easter are supported.",
									 NULL);
		offset = sign * token->value;
		if (!hours_scan(scan))
			return false;
		if (!hours_token_spells(token, "day") &&
			!hours_token_spells(token, "days"))
			return hours_syntax_error(scan, token,
									  "The word \"days\" is expected here.",
									  HINT_EASTER);
		if (!hours_scan(scan))
			return false;
	}
	if (hours_token_is(token, '-') && !hours_token_is_operator(scan))
		return hours_syntax_error(scan, token,
								  "A range cannot begin with days counted from Easter.",
								  "Name each day, as in \"easter -2 days,easter,easter +1 day\".");
	hours_builder_add(builder, HOURS_DATE_EASTER, offset, 0);
	return true;
}

/* Adds the dates to the builder; the caller gives them their day. */
bool
hours_parse_dates(HoursScanner *scan, HoursBuilder *builder)
{
	HoursToken *token = &scan->token;
	int			month = 0;

	for (;;)
	{
		bool		ok;

		if (token->kind == HOURS_MONTH ||
			(token->kind == HOURS_NUMBER && month > 0))
			ok = parse_yearly_dates(scan, builder, &month);
		else
		{
			month = 0;
			if (token->kind == HOURS_DATE)
				ok = parse_iso_dates(scan, builder);
			else if (token->kind == HOURS_EASTER)
				ok = parse_easter(scan, builder);
			else
				ok = hours_misplaced(scan, token,
									 token->kind == HOURS_WEEKDAY ?
									 "One rule names weekdays or dates, not both." :
									 "A date is expected here.");
		}
		if (!ok)
			return false;
		if (!hours_token_is(token, ','))
			return true;
		if (!hours_scan(scan))
			return false;
	}
}
