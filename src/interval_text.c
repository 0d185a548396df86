/*
 * interval_text.c
 *		The notation of sla.business_interval: reading and writing it.
 *
 * No session setting (IntervalStyle, locale) changes what is read or written.
 * Knows no fmgr and no catalog.
 */
#include "slapolicy.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "business_interval.h"
#include "char_class.h"

/* Bytes of a rejected text, or of a part of it, that an error quotes */
#define QUOTE_LIMIT 64

/* Digits read after a decimal point, and the fraction they count */
#define FRACTION_DIGITS	9
#define FRACTION_SCALE	INT64CONST(1000000000)

#define SYNTAX_HINT "Write amounts with units (bd, h, min, s, ms, us) as in \"2bd 3h 30min\", hours and minutes as in \"1:30\", or ISO 8601 as in \"P2DT3H\"."

typedef enum Unit
{
	UNIT_BUSINESS_DAY,
	UNIT_HOUR,
	UNIT_MINUTE,
	UNIT_SECOND,
	UNIT_MILLISECOND,
	UNIT_MICROSECOND,
	UNIT_CALENDAR,				/* days, weeks, ...: no working time */
	UNIT_NONE
} Unit;

#define UNIT_BIT(unit) (1 << (unit))
#define CLOCK_BITS \
	(UNIT_BIT(UNIT_HOUR) | UNIT_BIT(UNIT_MINUTE) | UNIT_BIT(UNIT_SECOND))

/* Microseconds in one unit of time */
static const int64 unit_usecs[] = {
	[UNIT_HOUR] = USECS_PER_HOUR,
	[UNIT_MINUTE] = USECS_PER_MINUTE,
	[UNIT_SECOND] = USECS_PER_SEC,
	[UNIT_MILLISECOND] = 1000,
	[UNIT_MICROSECOND] = 1
};

static const struct
{
	const char *word;
	Unit		unit;
}			unit_words[] =
{
	{"bd", UNIT_BUSINESS_DAY},
	{"h", UNIT_HOUR},
	{"hr", UNIT_HOUR},
	{"hrs", UNIT_HOUR},
	{"hour", UNIT_HOUR},
	{"hours", UNIT_HOUR},
	{"m", UNIT_MINUTE},
	{"min", UNIT_MINUTE},
	{"mins", UNIT_MINUTE},
	{"minute", UNIT_MINUTE},
	{"minutes", UNIT_MINUTE},
	{"s", UNIT_SECOND},
	{"sec", UNIT_SECOND},
	{"secs", UNIT_SECOND},
	{"second", UNIT_SECOND},
	{"seconds", UNIT_SECOND},
	{"ms", UNIT_MILLISECOND},
	{"us", UNIT_MICROSECOND},
	{"d", UNIT_CALENDAR},
	{"day", UNIT_CALENDAR},
	{"days", UNIT_CALENDAR},
	{"w", UNIT_CALENDAR},
	{"week", UNIT_CALENDAR},
	{"weeks", UNIT_CALENDAR},
	{"mon", UNIT_CALENDAR},
	{"mons", UNIT_CALENDAR},
	{"month", UNIT_CALENDAR},
	{"months", UNIT_CALENDAR},
	{"y", UNIT_CALENDAR},
	{"year", UNIT_CALENDAR},
	{"years", UNIT_CALENDAR}
};

/* The text being read and what it has amounted to so far */
typedef struct Reader
{
	const char *text;			/* all of it, NUL terminated */
	const char *cur;			/* what is not read yet */
	Node	   *escontext;
	int			seen;			/* UNIT_BITs */
	BusinessInterval value;
} Reader;

/* One signed decimal number of the text */
typedef struct Number
{
	const char *start;			/* its sign or first character */
	bool		negative;		/* so that "-0.5" is known from "0.5" */
	bool		has_fraction;
	int64		whole;			/* signed */
	int64		fraction;		/* in 1 / FRACTION_SCALE, no sign */
} Number;

static inline bool
is_sign(char c)
{
	return c == '+' || c == '-';
}

static bool
word_is(const char *word, int len, const char *lower)
{
	if (strlen(lower) != (size_t) len)
		return false;
	for (int i = 0; i < len; i++)
	{
		if (pg_ascii_tolower(word[i]) != lower[i])
			return false;
	}
	return true;
}

static void
skip_blanks(Reader *r)
{
	while (is_blank(*r->cur))
		r->cur++;
}

/*
 * Report 22P02, softly if the caller can take it: what is wrong at the token
 * of len bytes, or with no token at the end of the text. Returns false.
 */
static bool
syntax_error(Reader *r, const char *what, const char *token, int len,
			 const char *hint)
{
	int			text_len = (int) strlen(r->text);
	int			text_shown = pg_mbcliplen(r->text, text_len, QUOTE_LIMIT);
	int			shown = pg_mbcliplen(token, len, QUOTE_LIMIT);

	ereturn(r->escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s%s\"",
					"sla.business_interval", text_shown, r->text,
					text_shown < text_len ? "..." : ""),
			 len > 0 ?
			 errdetail("%s at \"%.*s%s\".", what, shown, token,
					   shown < len ? "..." : "") :
			 errdetail("%s at the end of the text.", what),
			 errhint("%s", hint)));
}

/* The same, at everything up to the next blank */
static bool
syntax_error_at(Reader *r, const char *what, const char *start)
{
	int			len = 0;

	while (start[len] != '\0' && !is_blank(start[len]))
		len++;
	return syntax_error(r, what, start, len, SYNTAX_HINT);
}

static bool
range_error(Reader *r)
{
	ereturn(r->escontext, false,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("business_interval out of range")));
}

/* Read a decimal point and the digits behind it, of the number at start */
static bool
read_fraction(Reader *r, const char *start, int64 *fraction)
{
	int			ndigits = 0;

	*fraction = 0;
	for (r->cur++; is_digit(*r->cur); r->cur++)
	{
		if (++ndigits > FRACTION_DIGITS)
			return syntax_error_at(r,
								   "More than 9 digits after the decimal point",
								   start);
		*fraction = *fraction * 10 + (*r->cur - '0');
	}
	if (ndigits == 0)
		return syntax_error_at(r, "No digits after the decimal point", start);
	for (; ndigits < FRACTION_DIGITS; ndigits++)
		*fraction *= 10;
	return true;
}

/* Read a number, its sign turned round if negate */
static bool
read_number(Reader *r, bool negate, Number *n)
{
	n->start = r->cur;
	n->negative = negate;
	n->has_fraction = false;
	n->whole = 0;
	n->fraction = 0;

	if (is_sign(*r->cur))
	{
		if (*r->cur == '-')
			n->negative = !negate;
		r->cur++;
	}
	if (!is_digit(*r->cur) && *r->cur != '.')
		return syntax_error_at(r, "Number expected", n->start);

	/* counts down when negative: the least number has no positive twin */
	for (; is_digit(*r->cur); r->cur++)
	{
		int64		digit = *r->cur - '0';

		if (pg_mul_s64_overflow(n->whole, 10, &n->whole) ||
			pg_add_s64_overflow(n->whole, n->negative ? -digit : digit,
								&n->whole))
			return range_error(r);
	}

	if (*r->cur == '.')
	{
		n->has_fraction = true;
		return read_fraction(r, n->start, &n->fraction);
	}
	return true;
}

/*
 * Add an amount of time: whole (signed) units and a fraction of one, rounded
 * to microseconds, half away from zero.
 */
static bool
add_time(Reader *r, int64 whole, int64 fraction, bool negative, Unit unit)
{
	int64		usecs;

	/* below 10^9 * 3.6 * 10^9, hence within int64 */
	fraction = (fraction * unit_usecs[unit] + FRACTION_SCALE / 2) /
		FRACTION_SCALE;

	if (pg_mul_s64_overflow(whole, unit_usecs[unit], &usecs) ||
		pg_add_s64_overflow(usecs, negative ? -fraction : fraction, &usecs) ||
		pg_add_s64_overflow(r->value.time, usecs, &r->value.time))
		return range_error(r);
	return true;
}

/* Add a number of units, whose name is the token of len bytes */
static bool
add_amount(Reader *r, const Number *n, Unit unit, const char *token, int len)
{
	int			whole_len = (int) (token + len - n->start);

	if (unit == UNIT_NONE)
		return syntax_error(r, "Unknown unit", token, len, SYNTAX_HINT);
	if (unit == UNIT_CALENDAR)
		return syntax_error(r, "Calendar unit instead of working time",
							token, len, BUSINESS_INTERVAL_DAY_HINT);
	if (r->seen & UNIT_BIT(unit))
		return syntax_error(r, "Unit given twice", n->start, whole_len,
							SYNTAX_HINT);
	r->seen |= UNIT_BIT(unit);

	if (unit != UNIT_BUSINESS_DAY)
		return add_time(r, n->whole, n->fraction, n->negative, unit);

	if (n->has_fraction)
		return syntax_error(r, "Fraction of a business day", n->start,
							whole_len, SYNTAX_HINT);
	if (n->whole < PG_INT32_MIN || n->whole > PG_INT32_MAX)
		return range_error(r);
	r->value.days = (int32) n->whole;
	return true;
}

/* Read two digits below 60 behind a colon, signed like the hours before */
static bool
read_sixtieths(Reader *r, const Number *hours, int64 *value)
{
	r->cur++;
	if (!(r->cur[0] >= '0' && r->cur[0] <= '5' && is_digit(r->cur[1])))
		return syntax_error_at(r, "Malformed time", hours->start);
	*value = (r->cur[0] - '0') * 10 + (r->cur[1] - '0');
	if (hours->negative)
		*value = -*value;
	r->cur += 2;
	return true;
}

/* Read what follows the hours of a time: ":30", ":30:05", ":30:05.25" */
static bool
read_clock(Reader *r, const Number *hours)
{
	int64		minutes;
	int64		seconds = 0;
	int64		fraction = 0;

	if (hours->has_fraction)
		return syntax_error_at(r, "Malformed time", hours->start);
	if (!read_sixtieths(r, hours, &minutes))
		return false;
	if (*r->cur == ':')
	{
		if (!read_sixtieths(r, hours, &seconds))
			return false;
		if (*r->cur == '.' && !read_fraction(r, hours->start, &fraction))
			return false;
	}
	if (*r->cur != '\0' && !is_blank(*r->cur))
		return syntax_error_at(r, "Malformed time", hours->start);
	if (r->seen & CLOCK_BITS)
		return syntax_error_at(r, "Unit given twice", hours->start);
	r->seen |= CLOCK_BITS;

	return add_time(r, hours->whole, 0, hours->negative, UNIT_HOUR) &&
		add_time(r, minutes, 0, hours->negative, UNIT_MINUTE) &&
		add_time(r, seconds, fraction, hours->negative, UNIT_SECOND);
}

/* Read the name of a unit and add that many of it */
static bool
read_unit(Reader *r, const Number *n)
{
	const char *word = r->cur;
	Unit		unit = UNIT_NONE;
	int			len;

	while (is_letter(*r->cur))
		r->cur++;
	len = (int) (r->cur - word);
	if (len == 0)
		return syntax_error_at(r, "Number without a unit", n->start);

	for (int i = 0; i < (int) lengthof(unit_words); i++)
	{
		if (word_is(word, len, unit_words[i].word))
			unit = unit_words[i].unit;
	}

	if (word_is(word, len, "business"))
	{
		const char *second = r->cur;
		const char *end;

		while (is_blank(*second))
			second++;
		for (end = second; is_letter(*end);)
			end++;
		if (word_is(second, (int) (end - second), "day") ||
			word_is(second, (int) (end - second), "days"))
		{
			unit = UNIT_BUSINESS_DAY;
			r->cur = end;
			len = (int) (end - word);
		}
	}

	return add_amount(r, n, unit, word, len);
}

/* Read amounts with units, and at most one time with colons, in any order */
static bool
read_terms(Reader *r)
{
	do
	{
		Number		n;

		/* "1h-2h" is somebody's range, not a sum */
		if (is_sign(*r->cur) && r->cur > r->text && !is_blank(r->cur[-1]))
			return syntax_error_at(r, "Blank expected", r->cur);
		if (!read_number(r, false, &n))
			return false;
		if (*r->cur == ':')
		{
			if (!read_clock(r, &n))
				return false;
		}
		else
		{
			skip_blanks(r);
			/* nothing is nothing, whatever its unit */
			if (*r->cur == '\0' && r->seen == 0 && n.whole == 0 &&
				n.fraction == 0)
				return true;
			if (!read_unit(r, &n))
				return false;
		}
		skip_blanks(r);
	} while (*r->cur != '\0');
	return true;
}

/* What a letter of ISO 8601 stands for, before or behind the "T" */
static Unit
iso_unit(char designator, bool in_time)
{
	switch (pg_ascii_tolower(designator))
	{
		case 'y':
		case 'w':
			return in_time ? UNIT_NONE : UNIT_CALENDAR;
		case 'm':
			return in_time ? UNIT_MINUTE : UNIT_CALENDAR;
		case 'd':
			return in_time ? UNIT_NONE : UNIT_BUSINESS_DAY;
		case 'h':
			return in_time ? UNIT_HOUR : UNIT_NONE;
		case 's':
			return in_time ? UNIT_SECOND : UNIT_NONE;
		default:
			return UNIT_NONE;
	}
}

/* Read ISO 8601, cur at its "P", every sign in it turned round if negate */
static bool
read_iso(Reader *r, bool negate)
{
	const char *start = r->cur++;
	bool		in_time = false;

	do
	{
		Number		n;
		const char *designator;

		if (pg_ascii_tolower(*r->cur) == 't' && !in_time)
		{
			in_time = true;
			r->cur++;
		}
		if (*r->cur == '\0' || is_blank(*r->cur))
			return syntax_error(r, "Number missing", start,
								(int) (r->cur - start), SYNTAX_HINT);
		if (!read_number(r, negate, &n))
			return false;
		designator = r->cur;
		if (!is_letter(*designator))
			return syntax_error_at(r, "Number without a unit", n.start);
		r->cur++;
		if (!add_amount(r, &n, iso_unit(*designator, in_time), designator, 1))
			return false;
	} while (*r->cur != '\0' && !is_blank(*r->cur));

	skip_blanks(r);
	if (*r->cur != '\0')
		return syntax_error_at(r, "ISO 8601 followed by something else",
							   r->cur);
	return true;
}

bool
business_interval_parse(const char *text, Node *escontext,
						BusinessInterval *value)
{
	Reader		r = {.text = text, .cur = text, .escontext = escontext};
	const char *start;
	bool		ok;

	skip_blanks(&r);
	start = r.cur;
	if (pg_ascii_tolower(start[is_sign(*start)]) == 'p')
	{
		r.cur += is_sign(*start);
		ok = read_iso(&r, *start == '-');
	}
	else
		ok = read_terms(&r);

	if (ok)
		*value = r.value;
	return ok;
}

char *
business_interval_to_text(const BusinessInterval *value)
{
	const char *sign = value->time < 0 ? "-" : "";
	uint64		size = value->time < 0 ? 0 - (uint64) value->time :
		(uint64) value->time;
	uint64		hours = size / USECS_PER_HOUR;
	int			minutes = (int) (size % USECS_PER_HOUR / USECS_PER_MINUTE);
	int			usecs = (int) (size % USECS_PER_MINUTE);
	StringInfoData buf;

	initStringInfo(&buf);
	if (value->days != 0)
		appendStringInfo(&buf, "%dbd ", value->days);
	if (hours != 0)
		appendStringInfo(&buf, "%s" UINT64_FORMAT "h ", sign, hours);
	if (minutes != 0)
		appendStringInfo(&buf, "%s%dmin ", sign, minutes);
	if (usecs != 0)
	{
		appendStringInfo(&buf, "%s%d.%06d", sign,
						 usecs / (int) USECS_PER_SEC,
						 usecs % (int) USECS_PER_SEC);
		while (buf.data[buf.len - 1] == '0')
			buf.len--;
		if (buf.data[buf.len - 1] == '.')
			buf.len--;
		appendStringInfoString(&buf, "s ");
	}

	if (buf.len == 0)
		appendStringInfoString(&buf, "0h");
	else
		buf.data[--buf.len] = '\0';
	return buf.data;
}
