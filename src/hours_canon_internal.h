/*
 * hours_canon_internal.h
 *		What the files share that make a part canonical.
 *
 * Private to hours_canon.c, hours_recurring.c and hours_specials.c.
 */
#ifndef SLAPOLICY_HOURS_CANON_INTERNAL_H
#define SLAPOLICY_HOURS_CANON_INTERNAL_H

#include "hours_canon.h"

#define NSLOTS		512			/* a HOURS_MONTH_DAY is below */
#define NOFFSETS	(2 * HOURS_MAX_EASTER + 1)

/* The last rule that names each recurring date: index in named, or -1 */
typedef struct Recurring
{
	int32		yearly[NSLOTS];
	int32		easter[NOFFSETS];
} Recurring;

/* Do two days of a builder, or of a part made from it, say the same? */
static inline bool
same_day(const HoursDay *a, const HoursDay *b)
{
	return a->nspans == b->nspans && a->spans == b->spans;
}

extern void hours_find_recurring(const HoursBuilder *builder,
								 Recurring *recurring);

/*
 * Fill in the recurring rules of a part whose other dates are still empty.
 * Those that are given no rank by a meeting have rank 0.
 */
extern void hours_finish_recurring(const HoursBuilder *builder,
								   const Recurring *recurring,
								   HoursPart *part);

/*
 * Then fill in its special dates. Returns false if there are more than
 * HOURS_MAX_SPECIALS.
 */
extern bool hours_finish_specials(const HoursBuilder *builder,
								  const Recurring *recurring,
								  HoursPart *part);

#endif							/* SLAPOLICY_HOURS_CANON_INTERNAL_H */
