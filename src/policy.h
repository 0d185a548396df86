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

/* What starts, stops and restarts the clocks of one kind of promise */
typedef struct PolicyMetric
{
	const char *name;
	EventKindSet starts_on;
	EventKindSet stops_on;
	EventKindSet restarts_on;
} PolicyMetric;

/* Parts of a goal in which alert thresholds are counted */
#define ALERT_WHOLE		INT64CONST(1000000000)

/* When to say that a goal is being used up */
typedef struct PolicyAlert
{
	int64		fraction;		/* of the goal, of ALERT_WHOLE; 0: see before */
	int64		before;			/* microseconds of working time before due */
} PolicyAlert;

/* What is promised to tickets of one severity under one metric */
typedef struct PolicyTarget
{
	bool		present;		/* is there a row at all? */
	bool		has_goal;		/* false: "depends", makes no clock */
	bool		pausable;		/* do the ticket's pauses count? */
	BusinessInterval goal;		/* zero unless has_goal */
	int32		hours_id;		/* sla.hours.id; zero unless has_goal */
	Datum		hours;			/* sla.business_hours, not toasted; 0 unless
								 * has_goal */
	int			nalerts;
	const PolicyAlert *alerts;	/* without the breach itself */
} PolicyTarget;

/* What a change of severity does to clocks that run */
typedef enum SeverityChangeRule
{
	CHANGE_FROM_START,			/* the new goal, from the clock's own start */
	CHANGE_FROM_CHANGE,			/* the new goal, from the change */
	CHANGE_CARRY				/* the unused share of the new goal, likewise */
} SeverityChangeRule;

/* What becomes of clocks that resolving stopped when the ticket is reopened */
typedef enum ReopeningRule
{
	REOPENING_CONTINUE,
	REOPENING_RESTART
} ReopeningRule;

/* From when tickets of a channel count */
typedef enum ChannelCounts
{
	COUNTS_FROM_RECEIPT,
	COUNTS_FROM_INVESTIGATION,
	COUNTS_NEVER
} ChannelCounts;

/* A product, the most severe that its tickets can be */
typedef struct PolicyCap
{
	const char *product;		/* "*": those not named */
	Severity	severity;
} PolicyCap;

typedef struct PolicyChannel
{
	const char *channel;		/* "*": those not named */
	ChannelCounts counts;
} PolicyChannel;

/* What becomes of tickets of accounts whose support is cut off */
typedef enum RestrictedAccounts
{
	RESTRICTED_ADMIT,			/* nothing */
	RESTRICTED_UNCOVERED,		/* they are promised nothing */
	RESTRICTED_REJECT			/* they are refused */
} RestrictedAccounts;

typedef struct PolicyVersion
{
	int32		id;				/* sla.policy_version.id */
	uint64		serial;			/* another one for each compilation; 0: of an
								 * edition */
	const char *policy;
	TimestampTz effective_from;
	SeverityChangeRule severity_change;
	ReopeningRule reopening;
	bool		needs_contract; /* who has none is promised nothing */
	int			nmetrics;		/* those that any target refers to */
	const PolicyMetric *metrics;	/* by name, bytewise */
	const PolicyTarget *targets;	/* use policy_target() */
	int			ncaps;
	const PolicyCap *caps;
	int			nchannels;
	const PolicyChannel *channels;
	int			nexemptions;
	const char *const *exemptions;
	RestrictedAccounts restricted_accounts; /* not of an edition, */
	const struct RestrictionRule *restriction;	/* nor this; NULL: restricts
												 * nobody */
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

/* The severity that counts for a ticket about a product, NULL if about none */
extern Severity policy_capped_severity(const PolicyVersion *version,
									   Severity severity, const char *product);

/* From when a ticket of a channel counts, NULL if of none */
extern ChannelCounts policy_channel_counts(const PolicyVersion *version,
										   const char *channel);

/* Does a reason exempt tickets? */
extern bool policy_exempts(const PolicyVersion *version, const char *reason);

/*
 * The version of a policy in force at an instant, or by its identifier, as
 * the latest committed state of the policy tables, and this transaction's own
 * changes, have it. NULL, and *problem set to a palloc'd sentence without a
 * full stop, when there is none or the tables hold something unusable. Bad
 * data in the policy tables never raises.
 *
 * The result lives in the cache and is valid until the next call of either
 * function, whatever invalidations arrive meanwhile: do not hold it
 * while code runs that may call them, such as a user's trigger.
 */
extern const PolicyVersion *policy_version_at(const char *policy,
											  TimestampTz at, char **problem);
extern const PolicyVersion *policy_version_by_id(int32 id, char **problem);

/*
 * When the next version of a policy after an instant comes into force;
 * DT_NOEND: none does. Ends the life of results, as those two do.
 */
extern TimestampTz policy_next_version(const char *policy, TimestampTz after);

#endif							/* SLAPOLICY_POLICY_H */
