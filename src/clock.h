/*
 * clock.h
 *		The fold: what happened to a ticket in, its clocks out.
 *
 * Pure: the policy version, the events and the calendars they name decide,
 * nothing else. No tables, no current time.
 */
#ifndef SLAPOLICY_CLOCK_H
#define SLAPOLICY_CLOCK_H

#include "slapolicy.h"
#include "business_interval.h"
#include "event.h"
#include "policy.h"
#include "severity.h"

/* Something that happened to a ticket */
typedef struct TicketEvent
{
	int32		seq;			/* order of recording, from 1 */
	EventKind	kind;
	TimestampTz at;
	Severity	severity;		/* opened, severity: the new one, 0 if unknown */
	int32		retracts;		/* retracted: seq of the event that was not so */
	bool		retracted;		/* a later event says that it was not so */
} TicketEvent;

typedef enum ClockOutcome
{
	CLOCK_RUNNING,
	CLOCK_MET,
	CLOCK_BREACHED,
	CLOCK_CANCELLED
} ClockOutcome;

/* A promise made to a ticket and what became of it */
typedef struct Clock
{
	const char *metric;			/* owned by the policy version */
	int32		cycle;
	Severity	severity;
	BusinessInterval goal;
	int32		hours_id;
	Datum		hours;			/* owned by the policy version or the terms */
	TimestampTz started_at;
	TimestampTz due_at;			/* DT_NOEND: never accumulates */
	TimestampTz stopped_at;		/* meaningless while running */
	int64		worked;			/* microseconds, meaningless while running */
	int64		paused;			/* working time that did not count */
	ClockOutcome outcome;
} Clock;

/*
 * What a clock of the ticket was aimed by before. A promise once made keeps
 * its goal and its hours, whatever has become of the policy's tables since.
 */
typedef struct ClockTerms
{
	const char *metric;
	Severity	severity;
	BusinessInterval goal;
	int32		hours_id;
	Datum		hours;
} ClockTerms;

/*
 * Fold events, given in any order, into clocks; retracted ones do not count.
 * Returns the number of clocks, *clocks is palloc'd. The answer refers to the
 * memory of version and terms: use it before the next policy look-up. Raises
 * only what a calendar raises.
 */
extern int	clock_fold(const PolicyVersion *version,
					   const ClockTerms *terms, int nterms,
					   const TicketEvent *events, int nevents,
					   Clock **clocks);

/* Text of sla.clock.outcome; NULL while running */
extern const char *clock_outcome_text(ClockOutcome outcome);

#endif							/* SLAPOLICY_CLOCK_H */
