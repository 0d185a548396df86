/*
 * restriction_history.h
 *		All levels that an account has had.
 */
#ifndef SLAPOLICY_RESTRICTION_HISTORY_H
#define SLAPOLICY_RESTRICTION_HISTORY_H

#include "slapolicy.h"
#include "restriction_group.h"

/* A period of one level and one reason, until the next one begins */
typedef struct RestrictionPeriod
{
	TimestampTz from;
	RestrictionLevel level;
	const char *policy;			/* NULL: none's */
	const RestrictionItem *anchor;	/* NULL: no bill decides */
	bool		lasting;
	const RestrictionOverride *override;	/* NULL: none */
} RestrictionPeriod;

/*
 * All periods of the account asked about from ever until an instant, which is
 * included; *periods, palloc'd, the first from -infinity. Two that follow each
 * other differ in level or reason. Returns how many.
 */
extern int	restriction_periods(const RestrictionQuestion *question,
								TimestampTz until,
								RestrictionPeriod **periods);

#endif							/* SLAPOLICY_RESTRICTION_HISTORY_H */
