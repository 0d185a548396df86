/*
 * hours_text.h
 *		The rules a calendar consists of, and the notation they are written in.
 *
 * Pure: no fmgr, no SPI, no time-zone data. Zone names pass through unchecked.
 */
#ifndef SLAPOLICY_HOURS_TEXT_H
#define SLAPOLICY_HOURS_TEXT_H

#include "postgres.h"

#include "compat.h"
#include "datatype/timestamp.h"

/*
 * Limits, all reported with SQLSTATE 54000. The longest canonical text that
 * the others allow (each special date a rule of its own, 10000 of them with
 * hours of more than a day) has less than 1 MB: what is stored reads back.
 */
#define HOURS_MAX_TEXT		(1024 * 1024)	/* bytes of notation */
#define HOURS_MAX_SPANS		10000			/* opening spans, days summed */
#define HOURS_MAX_SPECIALS	20000			/* dates and ranges in one value */
#define HOURS_MAX_PARTS		64				/* parts in one value */
#define HOURS_MAX_DEPTH		64				/* parentheses in each other */
#define HOURS_MAX_ZONE		255				/* bytes of a zone's name */

/*
 * Days before or after Easter. Less than half of the 350 days from one Easter
 * to the next at least, so that no date is named by the Easters of two years.
 */
#define HOURS_MAX_EASTER	150

/* Dates that can be written, in days since 2000-01-01 */
#define HOURS_FIRST_DATE	(-730119)		/* 0001-01-01 */
#define HOURS_LAST_DATE		2921939			/* 9999-12-31 */

/*
 * One opening, in seconds since 00:00 of the local date it opens on (its
 * service date). 0 <= open < 86400; open < close < 172800. A close beyond
 * 86400 lies on the next date. Longer than 24 h only after merging.
 */
typedef struct HoursSpan
{
	int32		open;
	int32		close;
} HoursSpan;

/* What one weekday or special date says. No spans: closed. Sorted, merged. */
typedef struct HoursDay
{
	int32		nspans;
	HoursSpan  *spans;
} HoursDay;

/*
 * Dates that replace what their weekday and the recurring rules say, in days
 * since 2000-01-01, first to last inclusive.
 */
typedef struct HoursSpecial
{
	int32		first;
	int32		last;
	HoursDay	day;
} HoursSpecial;

/*
 * Dates that replace what their weekday says in every year that has them.
 * Where a yearly and an Easter rule meet on one date, the one with the greater
 * rank decides; the Easter rule if both have the same.
 */
typedef struct HoursYearly
{
	uint8		month;			/* 1 .. 12 */
	uint8		mday;			/* 1 .. 31; February 29 in leap years only */
	uint16		rank;
	HoursDay	day;
} HoursYearly;

typedef struct HoursEaster
{
	int16		offset;			/* days after Easter Sunday */
	uint16		rank;
	HoursDay	day;
} HoursEaster;

/*
 * One zone with its weekly hours, special and recurring dates. Specials are
 * sorted and do not overlap; yearly dates are sorted by month and day, Easter
 * rules by offset, none twice. What hours_dates.h answers from them is what
 * counts; see there before looking at them oneself.
 */
typedef struct HoursPart
{
	char	   *zone;			/* IANA name, NUL terminated */
	int			zone_position;	/* its byte in the text parsed, from 1; or 0 */
	HoursDay	week[7];		/* 0 = Monday */
	int32		nspecials;
	int32		nyearly;
	int32		neaster;
	HoursSpecial *specials;
	HoursYearly *yearly;
	HoursEaster *easter;
} HoursPart;

/*
 * How parts are joined: a program in postfix order. A step that is not
 * negative pushes the open set of the part with that index; an operator takes
 * the two sets on top, the right one first, and pushes what it makes of them.
 * Parts occur once each and in ascending order, 0 being the leftmost one in
 * the text; it decides about business days.
 */
typedef enum HoursOp
{
	HOURS_UNION = -1,			/* | */
	HOURS_INTERSECT = -2,		/* & */
	HOURS_EXCEPT = -3			/* - */
} HoursOp;

/* A whole calendar. Bare "24/7" is the zone "UTC" open all week. */
typedef struct HoursRules
{
	int32		nparts;			/* 1 .. HOURS_MAX_PARTS */
	HoursPart  *parts;
	int8	   *program;		/* 2 * nparts - 1 steps */
} HoursRules;

#define hours_program_length(rules) (2 * (rules)->nparts - 1)

/*
 * Parse notation into canonical rules, allocated in CurrentMemoryContext.
 * Returns NULL after a soft error was saved in escontext (16+); raises
 * otherwise: 22P02 for bad notation, 22008 for a date or time that does not
 * exist, 54000 beyond the limits; each names the token and its byte position.
 * The zone name is not looked up; the caller must, and may replace it by its
 * canonical spelling.
 */
extern HoursRules *hours_text_parse(const char *text, Node *escontext);

/*
 * The same for one part whose zone is given (and copied unchecked) and whose
 * rules are the text. Raises all errors.
 */
extern HoursRules *hours_text_parse_rules(const char *zone, const char *text);

/* Room for parts and their program, zeroed; palloc'd. */
extern HoursRules *hours_rules_make(int32 nparts);

/*
 * Join two programs that stand behind each other in steps by an operator, in
 * place: there must be room for one step more. "a | (b | c)" becomes
 * "a | b | c", likewise for &.
 */
extern void hours_program_join(int8 *steps, int nleft, int nright, HoursOp op);

/* Where the operand begins that ends before index end */
extern int	hours_program_operand(const int8 *steps, int end);

/* Does a program leave one set, using each part once and in order? */
extern bool hours_program_is_valid(const HoursRules *rules);

/*
 * Hold rules that come from elsewhere to the limits on spans and special
 * dates: false after a soft error, raises otherwise.
 */
extern bool hours_rules_check_limits(const HoursRules *rules,
									 Node *escontext);

/* The canonical notation of rules; palloc'd. Reads back equal. */
extern char *hours_text_print(const HoursRules *rules);

/* Does the part open around the clock on every date, in UTC (bare 24/7)? */
extern bool hours_part_is_always(const HoursPart *part);

/* Sort and merge spans in place; returns how many are left. */
extern int32 hours_spans_normalise(HoursSpan *spans, int32 nspans);

#endif							/* SLAPOLICY_HOURS_TEXT_H */
