/*
 * availability_terms.h
 *		The arguments and results that the availability functions share.
 */
#ifndef SLAPOLICY_AVAILABILITY_TERMS_H
#define SLAPOLICY_AVAILABILITY_TERMS_H

#include "availability.h"

/*
 * Read terms as SQL says them; all but the period may be NULL: as they are by
 * default. Raises 22008 for a period that is not finite or longer than an
 * interval can be, 22023 for a word it does not know.
 */
extern AvailabilityTerms availability_terms(const RangeType *period,
											const text *unknown_counts,
											const RangeType *alive,
											const text *young);

/* How a fact is called: excluded, down, unknown; and up, which is none */
extern const char *service_state_name(ServiceState state);

/* The fact of that name. Raises 22023. */
extern ServiceState service_fact(const text *kind);

/*
 * The sla.availability of a walk, to be returned by the function called.
 * palloc'd; keeps the row type in flinfo.
 */
extern Datum availability_result(FunctionCallInfo fcinfo,
								 AvailabilityWalk *walk,
								 UnknownCounts unknown);

#endif							/* SLAPOLICY_AVAILABILITY_TERMS_H */
