/*
 * restriction_rule.h
 *		What a policy version says about unsettled bills, and the instants that
 *		follow from a due date.
 */
#ifndef SLAPOLICY_RESTRICTION_RULE_H
#define SLAPOLICY_RESTRICTION_RULE_H

#include "slapolicy.h"
#include "utils/date.h"
#include "business_days.h"
#include "policy_tables.h"
#include "policy.h"
#include "restriction.h"
#include "zone.h"

typedef struct RestrictionAction
{
	const char *name;
	RestrictionLevel level;		/* from which it is refused */
} RestrictionAction;

typedef struct RestrictionRule
{
	const ZoneTable *zone;
	int32		threshold[RESTRICTION_TERMINATION + 1]; /* first day of a
														 * level; 0: never */
	bool		per_service;
	bool		has_minimum;
	Datum		minimum;		/* numeric; 0 unless has_minimum */
	int32		grace;			/* business days; 0: none */
	const DayCount *days;		/* NULL: none */
	int			nactions;
	RestrictionAction *actions;
	int			nsecurity;
	char	  **security;
} RestrictionRule;

/*
 * Read what a version says, allocated in keep; version->restriction stays NULL
 * when it says nothing. NULL, or a palloc'd problem.
 */
extern char *restriction_rule_read(PolicyReader *reader, MemoryContext keep,
								   PolicyVersion *version);

/* The first instant of a local date; DT_NOEND beyond what instants can be */
extern TimestampTz restriction_midnight(const RestrictionRule *rule,
										int64 date);

/* The local date of an instant, which must be finite */
extern DateADT restriction_date(const RestrictionRule *rule, TimestampTz at);

/*
 * When a bill due on a date is overdue (level none) or reaches a level, if it
 * is unsettled by then; DT_NOEND: never. The due date is finite.
 */
extern TimestampTz restriction_reaches(const RestrictionRule *rule,
									   DateADT due, RestrictionLevel level);

/* Full calendar days from the due date to an instant */
extern int64 restriction_days(const RestrictionRule *rule, DateADT due,
							  TimestampTz at);

/* From which level an action is refused */
extern RestrictionLevel restriction_refused_from(const RestrictionRule *rule,
												 const char *action,
												 bool security_release);

#endif							/* SLAPOLICY_RESTRICTION_RULE_H */
