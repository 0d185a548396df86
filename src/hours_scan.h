/*
 * hours_scan.h
 *		Tokens of the business-hours notation, and how errors name them.
 *
 * Private to hours_text.c and hours_select.c.
 */
#ifndef SLAPOLICY_HOURS_SCAN_H
#define SLAPOLICY_HOURS_SCAN_H

#include "postgres.h"

#include "compat.h"

#define HINT_SEPARATOR	"Items of a list are separated by commas, rules by semicolons."

typedef enum HoursTokenKind
{
	HOURS_END,					/* end of the text */
	HOURS_ZONE,					/* a zone name; only where one may stand */
	HOURS_WEEKDAY,				/* value: 0 = Monday */
	HOURS_DATE,					/* value: days since 2000-01-01 */
	HOURS_MONTH,				/* value: 1 .. 12 */
	HOURS_EASTER,
	HOURS_TIME,					/* value: seconds since 00:00, up to 86400 */
	HOURS_ALWAYS,				/* 24/7 */
	HOURS_OFF,
	HOURS_WORD,					/* any other word, or 9am and the like */
	HOURS_NUMBER,				/* digits; value: up to HOURS_NUMBER_MAX */
	HOURS_CHAR					/* any other single character */
} HoursTokenKind;

#define HOURS_NUMBER_MAX	1000000

typedef struct HoursToken
{
	HoursTokenKind kind;
	int32		value;
	const char *start;			/* points into the text */
	int			len;
} HoursToken;

typedef struct HoursScanner
{
	const char *text;
	const char *next;			/* first byte not yet read */
	Node	   *escontext;		/* where soft errors go, or NULL */
	HoursToken	token;			/* the one read last */
} HoursScanner;

extern void hours_scan_begin(HoursScanner *scan, const char *text,
							 Node *escontext);

/*
 * Read the next token; _part reads a zone name if one stands there. False
 * after a soft error: 22P02 for a malformed date or time, 22008 for one that
 * does not exist.
 */
extern bool hours_scan(HoursScanner *scan);
extern bool hours_scan_part(HoursScanner *scan);

/* Is the token this single character, or this lower-case word in any case? */
extern bool hours_token_is(const HoursToken *token, char c);
extern bool hours_token_spells(const HoursToken *token, const char *word);

/*
 * Is the token an operator between parts? A hyphen is one only if a part
 * begins behind it; _spaced tells whether it stands between blanks.
 */
extern bool hours_token_is_operator(const HoursScanner *scan);
extern bool hours_token_is_spaced(const HoursScanner *scan);

/* Byte position of a token, counted from 1 */
extern int	hours_token_position(const HoursScanner *scan,
								 const HoursToken *token);

/*
 * Report an error at a token; always returns false. The detail may be
 * replaced by a better one when the token is known from other notations; the
 * hint may be NULL.
 */
extern bool hours_syntax_error(HoursScanner *scan, const HoursToken *token,
							   const char *detail, const char *hint);

/* The same with the hint that suits a token which does not belong there */
extern bool hours_misplaced(HoursScanner *scan, const HoursToken *token,
							const char *detail);

extern bool hours_range_error(HoursScanner *scan, const HoursToken *token,
							  const char *detail, const char *hint);
extern bool hours_limit_error(HoursScanner *scan, const HoursToken *token,
							  const char *detail);

#endif							/* SLAPOLICY_HOURS_SCAN_H */
