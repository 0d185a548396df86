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
 * hours of more than a day) has less than 700 kB: what is stored reads back.
 */
#define HOURS_MAX_TEXT		(1024 * 1024)	/* bytes of notation */
#define HOURS_MAX_SPANS		10000			/* opening spans, days summed */
#define HOURS_MAX_SPECIALS	20000			/* special dates in one value */
#define HOURS_MAX_ZONE		255				/* bytes of a zone's name */

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

/* A date that replaces what its weekday says; date is days since 2000-01-01 */
typedef struct HoursSpecial
{
	int32		date;
	HoursDay	day;
} HoursSpecial;

/* One zone with its weekly hours and special dates (sorted, no date twice) */
typedef struct HoursPart
{
	char	   *zone;			/* IANA name, NUL terminated */
	int			zone_position;	/* its byte in the text parsed, from 1; or 0 */
	HoursDay	week[7];		/* 0 = Monday */
	int32		nspecials;
	HoursSpecial *specials;
} HoursPart;

/*
 * A whole calendar. Bare "24/7" is the zone "UTC" open all week.
 * (One part for now; a value over several zones will hold more and a program
 * that joins them.)
 */
typedef struct HoursRules
{
	int32		nparts;
	HoursPart  *parts;
} HoursRules;

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
