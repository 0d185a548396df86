/*
 * policy.h
 *		Support policies as the backend uses them: compiled and cached.
 */
#ifndef SLAPOLICY_POLICY_H
#define SLAPOLICY_POLICY_H

#include "slapolicy.h"
#include "business_interval.h"
#include "event.h"
#include "severity.h"

/* What starts and what stops the clocks of one kind of promise */
typedef struct PolicyMetric
{
	const char *name;
	EventKindSet starts_on;
	EventKindSet stops_on;
} PolicyMetric;

/* What is promised to tickets of one severity under one metric */
typedef struct PolicyTarget
{
	bool		present;		/* is there a row at all? */
	bool		has_goal;		/* false: "depends", makes no clock */
	BusinessInterval goal;		/* zero unless has_goal */
	int32		hours_id;		/* sla.hours.id; zero unless has_goal */
	Datum		hours;			/* sla.business_hours, not toasted; 0 unless
								 * has_goal */
} PolicyTarget;

typedef struct PolicyVersion
{
	int32		id;				/* sla.policy_version.id */
	const char *policy;
	TimestampTz effective_from;
	int			nmetrics;		/* those that any target refers to */
	const PolicyMetric *metrics;	/* by name, bytewise */
	const PolicyTarget *targets;	/* use policy_target() */
} PolicyVersion;

/* The target of a severity under metrics[metric]; never NULL. */
static inline const PolicyTarget *
policy_target(const PolicyVersion *version, Severity severity, int metric)
{
	Assert(severity >= SEVERITY_MIN && severity <= SEVERITY_MAX);
	Assert(metric >= 0 && metric < version->nmetrics);
	return &version->targets[(severity - SEVERITY_MIN) * version->nmetrics +
							 metric];
}

/*
 * The version of a policy in force at an instant, or by its identifier, as
 * the latest committed state of the policy tables, and this transaction's own
 * changes, have it. NULL, and *problem set to a palloc'd sentence without a
 * full stop, when there is none or the tables hold something unusable. Bad
 * data in the policy tables never raises.
 *
 * The result lives in the cache and is valid until the next call of either
 * function, whatever invalidations arrive meanwhile: do not hold it while
 * code runs that may call them, such as a user's trigger.
 */
extern const PolicyVersion *policy_version_at(const char *policy,
											  TimestampTz at, char **problem);
extern const PolicyVersion *policy_version_by_id(int32 id, char **problem);

#endif							/* SLAPOLICY_POLICY_H */
