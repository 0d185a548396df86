/*
 * timeline_cache.h
 *		Finds the compiled timeline of a business_hours value.
 */
#ifndef SLAPOLICY_TIMELINE_CACHE_H
#define SLAPOLICY_TIMELINE_CACHE_H

#include "slapolicy.h"
#include "timeline.h"

/*
 * The timeline of a value. fn_extra of flinfo remembers the last one found;
 * flinfo may be NULL. Valid until the next call: a later call may evict it.
 */
extern Timeline *timeline_get(FmgrInfo *flinfo, Datum hours);

#endif							/* SLAPOLICY_TIMELINE_CACHE_H */
