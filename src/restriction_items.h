/*
 * restriction_items.h
 *		The bills of an account, and the overrides for it, from the ledger.
 */
#ifndef SLAPOLICY_RESTRICTION_ITEMS_H
#define SLAPOLICY_RESTRICTION_ITEMS_H

#include "slapolicy.h"
#include "ledger_tables.h"
#include "restriction_sweep.h"

/*
 * The bills of an account that were ever open, as far as known at known_at;
 * *items, palloc'd. If that is infinity those may be left out that are not
 * open after an instant. Returns how many.
 */
extern int	restriction_items(Ledger *ledger, const char *account,
							  TimestampTz known_at, TimestampTz open_after,
							  Snapshot snapshot, RestrictionItem **items);

/* The same of those that may be overdue at a finite instant, and maybe others */
extern int	restriction_items_overdue(Ledger *ledger, const char *account,
									  TimestampTz known_at, TimestampTz at,
									  Snapshot snapshot,
									  RestrictionItem **items);

/*
 * As known now, those that are not open any more from an instant on that is
 * later than after and not later than by
 */
extern int	restriction_items_ended(Ledger *ledger, const char *account,
									TimestampTz after, TimestampTz by,
									Snapshot snapshot,
									RestrictionItem **items);

/* A row of sla.restriction_override */
typedef struct RestrictionOverride
{
	int32		id;
	const char *service;		/* NULL: all */
	RestrictionLevel level;
	const char *reason;
	const char *author;
	TimestampTz starts;
	TimestampTz until;			/* a revocation counted in */
} RestrictionOverride;

/* The overrides of an account as far as known; in order of their ids */
extern int	restriction_overrides(Ledger *ledger, const char *account,
								  TimestampTz known_at, Snapshot snapshot,
								  RestrictionOverride **overrides);

/* That which is in force at an instant for a service; NULL: none */
extern const RestrictionOverride *restriction_override_at(const RestrictionOverride *overrides,
														  int n,
														  const char *service,
														  TimestampTz at);

#endif							/* SLAPOLICY_RESTRICTION_ITEMS_H */
