/*
 * hours_scan.c
 *		Cuts the business-hours notation into tokens and reports errors in it.
 *
 * Pure, like hours_text.c: no fmgr, no SPI, no time-zone data. Knows what a
 * token is, not where it may stand. Looks at each byte a bounded number of
 * times, and allocates only to report an error.
 */
#include "postgres.h"

#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"

#include "char_class.h"
#include "hours_scan.h"

#define HINT_FORMAT	"Write times as HH:MM or HH:MM:SS, dates as YYYY-MM-DD or as \"Dec 25\"."

/* How much of a token an error quotes, in bytes */
#define QUOTED_MAX	40

static const char *const weekday_names[7][6] = {
	{"mo", "mon", "monday"},
	{"tu", "tue", "tues", "tuesday"},
	{"we", "wed", "wednesday"},
	{"th", "thu", "thur", "thurs", "thursday"},
	{"fr", "fri", "friday"},
	{"sa", "sat", "saturday"},
	{"su", "sun", "sunday"}
};

static const char *const month_names[MONTHS_PER_YEAR][4] = {
	{"jan", "january"},
	{"feb", "february"},
	{"mar", "march"},
	{"apr", "april"},
	{"may"},
	{"jun", "june"},
	{"jul", "july"},
	{"aug", "august"},
	{"sep", "sept", "september"},
	{"oct", "october"},
	{"nov", "november"},
	{"dec", "december"}
};

/*
 * Words and characters that mean something in the opening_hours notation of
 * OpenStreetMap, or nearly, but not here.
 */
typedef struct Unsupported
{
	const char *detail;
	const char *hint;
	const char *tokens[5];
} Unsupported;

#define NAME_THE_DATES	"Name the dates, as in \"2026-12-25 off\"."

static const Unsupported unsupported[] = {
	{
		"Public and school holidays are not known by name.",
		NAME_THE_DATES,
		{"ph", "sh"}
	},
	{
		"Weeks of the year are not supported.",
		NAME_THE_DATES,
		{"week"}
	},
	{
		"Weekdays of the month are not supported.",
		NAME_THE_DATES,
		{"["}
	},
	{
		"Times that depend on the sun are not supported.",
		"Write times as HH:MM.",
		{"sunrise", "sunset", "dawn", "dusk"}
	},
	{
		"Times without an end are not supported.",
		"Write an end, as in \"09:00-24:00\".",
		{"+"}
	},
	{
		"Times that are written are open, all others are closed.",
		"Write the times alone, or \"off\".",
		{"open", "closed", "unknown"}
	},
	{
		"Comments are not supported.",
		NULL,
		{"\""}
	},
};

/* Characters that never separate tokens; bytes of multibyte ones included */
static inline bool
is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || IS_HIGHBIT_SET(c);
}

static inline bool
is_zone(char c)
{
	return is_word(c) || c == '/' || c == '+' || c == '-';
}

/* Does a stretch of text spell a lower-case word, in any case? */
static bool
spells(const char *start, int len, const char *word)
{
	return strlen(word) == (size_t) len &&
		pg_strncasecmp(start, word, len) == 0;
}

/* 0 = Monday, or -1 */
static int
find_weekday(const char *start, int len)
{
	for (int day = 0; day < 7; day++)
	{
		for (const char *const *name = weekday_names[day]; *name; name++)
		{
			if (spells(start, len, *name))
				return day;
		}
	}
	return -1;
}

/* 1 = January, or 0 */
static int
find_month(const char *start, int len)
{
	for (int month = 0; month < MONTHS_PER_YEAR; month++)
	{
		for (const char *const *name = month_names[month]; *name; name++)
		{
			if (spells(start, len, *name))
				return month + 1;
		}
	}
	return 0;
}

static const Unsupported *
find_unsupported(const char *start, int len)
{
	for (size_t i = 0; i < lengthof(unsupported); i++)
	{
		for (const char *const *word = unsupported[i].tokens; *word; word++)
		{
			if (spells(start, len, *word))
				return &unsupported[i];
		}
	}
	return NULL;
}

int
hours_token_position(const HoursScanner *scan, const HoursToken *token)
{
	return token->start - scan->text + 1;
}

bool
hours_token_is(const HoursToken *token, char c)
{
	return token->kind == HOURS_CHAR && token->len == 1 && *token->start == c;
}

bool
hours_token_spells(const HoursToken *token, const char *word)
{
	return spells(token->start, token->len, word);
}

/* The token as errors quote it: never cut inside a character. palloc'd. */
static char *
quoted(const HoursToken *token)
{
	int			len;

	if (token->len <= QUOTED_MAX)
		return pnstrdup(token->start, token->len);
	len = pg_mbcliplen(token->start, token->len, QUOTED_MAX);
	return psprintf("%.*s...", len, token->start);
}

static bool
has_high_bit(const HoursToken *token)
{
	for (int i = 0; i < token->len; i++)
	{
		if (IS_HIGHBIT_SET(token->start[i]))
			return true;
	}
	return false;
}

bool
hours_syntax_error(HoursScanner *scan, const HoursToken *token,
				   const char *detail, const char *hint)
{
	const Unsupported *known = NULL;
	int			position = hours_token_position(scan, token);

	if (token->kind == HOURS_END)
		ereturn(scan->escontext, false,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: unexpected end of text at byte %d",
						"sla.business_hours", position),
				 errdetail("%s", detail),
				 hint ? errhint("%s", hint) : 0));

	if (token->kind == HOURS_WORD || token->kind == HOURS_CHAR)
		known = find_unsupported(token->start, token->len);
	if (known)
	{
		detail = known->detail;
		hint = known->hint;
	}
	else if (has_high_bit(token))
		hint = "Only plain ASCII characters have a meaning here; a range is written with a hyphen (-).";

	ereturn(scan->escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\" at byte %d",
					"sla.business_hours", quoted(token), position),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

/* What may be wrong with a token that does not belong where it stands */
static const char *
misplaced_hint(const HoursToken *token)
{
	switch (token->kind)
	{
		case HOURS_WEEKDAY:
		case HOURS_DATE:
		case HOURS_MONTH:
		case HOURS_EASTER:
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

bool
hours_misplaced(HoursScanner *scan, const HoursToken *token,
				const char *detail)
{
	return hours_syntax_error(scan, token, detail, misplaced_hint(token));
}

bool
hours_range_error(HoursScanner *scan, const HoursToken *token,
				  const char *detail, const char *hint)
{
	ereturn(scan->escontext, false,
			(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
			 errmsg("date/time field value out of range: \"%s\" at byte %d",
					quoted(token), hours_token_position(scan, token)),
			 errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

bool
hours_limit_error(HoursScanner *scan, const HoursToken *token,
				  const char *detail)
{
	ereturn(scan->escontext, false,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("business hours exceed a limit: \"%s\" at byte %d",
					quoted(token), hours_token_position(scan, token)),
			 errdetail("%s", detail)));
}

/* Two digits, or -1 */
static int
two_digits(const char *s)
{
	if (!is_digit(s[0]) || !is_digit(s[1]))
		return -1;
	return (s[0] - '0') * 10 + (s[1] - '0');
}

/* The token is HH:MM or HH:MM:SS, or the user meant it to be. */
static bool
read_time(HoursScanner *scan, HoursToken *token)
{
	const char *s = token->start;
	int			hour = -1,
				minute = -1,
				second = -1;

	if (token->len == 5 || token->len == 8)
	{
		hour = two_digits(s);
		if (s[2] == ':')
			minute = two_digits(s + 3);
		if (token->len == 5)
			second = 0;
		else if (s[5] == ':')
			second = two_digits(s + 6);
	}
	if (hour < 0 || minute < 0 || second < 0)
		return hours_syntax_error(scan, token,
								  "This is not a time.",
								  "Write times as HH:MM or HH:MM:SS, as in \"09:00-17:00\".");
	if (minute > 59 || second > 59 || hour > 48)
		return hours_range_error(scan, token,
								 "Times lie between 00:00 and 24:00.", NULL);
	token->kind = HOURS_TIME;
	token->value = (hour * 60 + minute) * 60 + second;
	if (token->value > SECS_PER_DAY)
		return hours_range_error(scan, token,
								 "Times lie between 00:00 and 24:00.",
								 "An end that is not after its start is on the next day, as in \"22:00-06:00\".");
	return true;
}

/* The token is YYYY-MM-DD, or the user meant it to be. */
static bool
read_date(HoursScanner *scan, HoursToken *token)
{
	const char *s = token->start;
	int			century = -1,
				year = -1,
				month = -1,
				day = -1;

	if (token->len == 10 && s[4] == '-' && s[7] == '-')
	{
		century = two_digits(s);
		year = two_digits(s + 2);
		month = two_digits(s + 5);
		day = two_digits(s + 8);
	}
	if (century < 0 || year < 0 || month < 0 || day < 0)
		return hours_syntax_error(scan, token,
								  "This is not a date.",
								  "Write dates as YYYY-MM-DD, as in \"2026-12-25 off\".");
	year += century * 100;
	if (year < 1 || month < 1 || month > MONTHS_PER_YEAR || day < 1 ||
		day > day_tab[isleap(year)][month - 1])
		return hours_range_error(scan, token,
								 "There is no such date in the years 0001 to 9999.",
								 NULL);
	token->kind = HOURS_DATE;
	token->value = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* Is there 24/7 at p? */
static bool
at_always(const char *p)
{
	return strncmp(p, "24/7", 4) == 0 && !is_word(p[4]);
}

/*
 * A token that begins with a digit: time, date, 24/7 or a plain number.
 * A hyphen belongs to it only in a date, that is after a year: at least three
 * digits, so that the days of "25-26" stay a range.
 */
static bool
scan_number(HoursScanner *scan, HoursToken *token)
{
	const char *p = token->start;
	bool		has_colon = false;
	bool		all_digits = true;

	for (; is_word(*p) || *p == ':' || *p == '.'; p++)
	{
		has_colon |= *p == ':';
		all_digits &= is_digit(*p);
	}

	if (all_digits && p - token->start >= 3 && p[0] == '-' && is_digit(p[1]))
	{
		for (int i = 0; i < 2 && p[0] == '-' && is_word(p[1]); i++)
		{
			for (p++; is_word(*p); p++)
				;
		}
		token->len = p - token->start;
		return read_date(scan, token);
	}
	if (at_always(token->start))
	{
		token->kind = HOURS_ALWAYS;
		token->len = 4;
		return true;
	}

	token->len = p - token->start;
	if (has_colon)
		return read_time(scan, token);
	if (!all_digits)
		return true;
	token->kind = HOURS_NUMBER;
	for (p = token->start; is_digit(*p); p++)
		token->value = Min(token->value * 10 + (*p - '0'), HOURS_NUMBER_MAX);
	return true;
}

static void
scan_word(HoursToken *token)
{
	const char *p = token->start;

	while (is_word(*p))
		p++;
	token->len = p - token->start;
	token->value = find_weekday(token->start, token->len);
	if (token->value >= 0)
	{
		token->kind = HOURS_WEEKDAY;
		return;
	}
	token->value = find_month(token->start, token->len);
	if (token->value > 0)
		token->kind = HOURS_MONTH;
	else if (hours_token_spells(token, "easter"))
		token->kind = HOURS_EASTER;
	else if (hours_token_spells(token, "off"))
		token->kind = HOURS_OFF;
}

/*
 * Is there a zone name at p? "Mo-Fr" has the letters of one, so a name must
 * not begin with a word of the notation. Sets its length.
 */
static bool
at_zone(const char *p, int *len)
{
	const char *end = p;

	if (!is_letter(*p))
		return false;
	while (is_letter(*end))
		end++;
	if (find_weekday(p, end - p) >= 0 || find_month(p, end - p) > 0 ||
		spells(p, end - p, "easter") || spells(p, end - p, "off") ||
		find_unsupported(p, end - p))
		return false;
	while (is_zone(*end))
		end++;
	*len = end - p;
	return true;
}

bool
hours_token_is_operator(const HoursScanner *scan)
{
	const char *p = scan->next;
	int			len;

	if (hours_token_is(&scan->token, '|') || hours_token_is(&scan->token, '&'))
		return true;
	if (!hours_token_is(&scan->token, '-'))
		return false;
	while (is_blank(*p))
		p++;
	return *p == '(' || at_always(p) || at_zone(p, &len);
}

bool
hours_token_is_spaced(const HoursScanner *scan)
{
	const HoursToken *token = &scan->token;

	return token->start > scan->text && is_blank(token->start[-1]) &&
		is_blank(token->start[token->len]);
}

static bool
scan_token(HoursScanner *scan, bool zone_allowed)
{
	HoursToken *token = &scan->token;
	bool		ok = true;

	while (is_blank(*scan->next))
		scan->next++;

	token->kind = HOURS_WORD;
	token->start = scan->next;
	token->value = 0;
	token->len = 0;
	if (*scan->next == '\0')
		token->kind = HOURS_END;
	else if (zone_allowed && at_zone(token->start, &token->len))
		token->kind = HOURS_ZONE;
	else if (is_digit(*scan->next))
		ok = scan_number(scan, token);
	else if (is_word(*scan->next))
		scan_word(token);
	else
	{
		token->kind = HOURS_CHAR;
		token->len = 1;
	}
	scan->next += token->len;
	return ok;
}

void
hours_scan_begin(HoursScanner *scan, const char *text, Node *escontext)
{
	memset(scan, 0, sizeof(*scan));
	scan->text = text;
	scan->next = text;
	scan->escontext = escontext;
	scan->token.start = text;
}

bool
hours_scan(HoursScanner *scan)
{
	return scan_token(scan, false);
}

bool
hours_scan_part(HoursScanner *scan)
{
	return scan_token(scan, true);
}
