/*
 * hours_canon.h
 *		Makes one canonical part of date rules in the order they were given.
 *
 * For whoever makes parts: the grammar, and functions that add dates to one.
 * Pure: no fmgr, no SPI, no time-zone data.
 */
#ifndef SLAPOLICY_HOURS_CANON_H
#define SLAPOLICY_HOURS_CANON_H

#include "hours_text.h"

typedef enum HoursDateKind
{
	HOURS_DATE_ISO,				/* from, to: days since 2000-01-01 */
	HOURS_DATE_YEARLY,			/* from, to: HOURS_MONTH_DAY, may wrap */
	HOURS_DATE_EASTER			/* from: days after Easter Sunday */
} HoursDateKind;

/* A month and day as one number: ascending, unique, and below 512 */
#define HOURS_MONTH_DAY(month, mday)	((month) * 32 + (mday))

/* Dates that a rule names, and what it says of them */
typedef struct HoursNamed
{
	HoursDateKind kind;
	int32		from;
	int32		to;
	HoursDay	day;
} HoursNamed;

/* A part under construction; begin with all zeros. */
typedef struct HoursBuilder
{
	char	   *zone;
	int			zone_position;
	HoursDay	week[7];
	HoursNamed *named;			/* a later one replaces earlier ones */
	int32		nnamed;
	int32		room;
} HoursBuilder;

/* Add dates behind all others; the caller may still set their day. */
extern HoursNamed *hours_builder_add(HoursBuilder *builder,
									 HoursDateKind kind, int32 from, int32 to);

/* Begin with what a canonical part says, to add more to it. */
extern void hours_builder_from_part(HoursBuilder *builder,
									const HoursPart *part);

/*
 * The canonical part, in CurrentMemoryContext, sharing spans and zone with
 * the builder, whose list of dates is freed. False after a soft error, raises
 * otherwise: 54000 when there are too many special dates.
 */
extern bool hours_builder_finish(HoursBuilder *builder, HoursPart *part,
								 Node *escontext);

#endif							/* SLAPOLICY_HOURS_CANON_H */
