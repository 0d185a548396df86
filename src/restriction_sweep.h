/*
 * restriction_sweep.h
 *		From the stretches of time in which bills are open to levels.
 */
#ifndef SLAPOLICY_RESTRICTION_SWEEP_H
#define SLAPOLICY_RESTRICTION_SWEEP_H

#include "slapolicy.h"
#include "invoice_fold.h"
#include "restriction.h"
#include "restriction_rule.h"

/* A bill of an account, as far as it matters */
typedef struct RestrictionItem
{
	int64		invoice_id;
	int32		attachment_id;
	const char *key;
	const char *policy;
	const char *service;		/* NULL: none */
	DateADT		due;
	int			nstretches;
	InvoiceStretch *stretches;
	TimestampTz reaches[RESTRICTION_TERMINATION + 1];	/* by the rule, see
														 * restriction_sweep_init */
} RestrictionItem;

/* A level from an instant on, until the next one */
typedef struct RestrictionSpan
{
	TimestampTz from;
	RestrictionLevel level;
	const RestrictionItem *anchor;	/* the earliest that is overdue; NULL: none
									 * is */
	bool		lasting;		/* a termination that lasts */
} RestrictionSpan;

/* Work out by the rule when bills are overdue and reach levels. */
extern void restriction_sweep_init(const RestrictionRule *rule,
								   RestrictionItem **items, int n);

/* Is a bill overdue at an instant? *since: since when, without a break */
extern bool restriction_is_overdue(const RestrictionItem *item,
								   TimestampTz at, TimestampTz *since);

/*
 * The level at an instant by what is overdue then, the past aside; *anchor the
 * earliest bill that is overdue, NULL: none is.
 */
extern RestrictionLevel restriction_base(const RestrictionRule *rule,
										 RestrictionItem **items, int n,
										 TimestampTz at,
										 const RestrictionItem **anchor);

/*
 * All levels from ever until an instant, which is included: *spans, palloc'd,
 * the first from -infinity. Two that follow each other differ. Returns how
 * many.
 */
extern int	restriction_sweep(const RestrictionRule *rule,
							  RestrictionItem **items, int n,
							  TimestampTz until, RestrictionSpan **spans);

#endif							/* SLAPOLICY_RESTRICTION_SWEEP_H */
