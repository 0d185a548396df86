/*
 * ledger_alert.h
 *		Rows of sla.alert, and the thresholds of a clock they are about.
 */
#ifndef SLAPOLICY_LEDGER_ALERT_H
#define SLAPOLICY_LEDGER_ALERT_H

#include "slapolicy.h"
#include "ledger_tables.h"
#include "nodes/pg_list.h"

/* sla.alert.kind, and the threshold that a breach is */
#define ALERT_BREACH			"breach"
#define ALERT_WARNING			"warning"
#define ALERT_WITHDRAWAL		"withdrawal"
#define ALERT_BREACH_THRESHOLD	"1"

/* What has to be flagged of a clock, sooner or later */
typedef struct Threshold
{
	const char *name;			/* sla.alert.threshold */
	const char *kind;			/* ALERT_BREACH or ALERT_WARNING */
	TimestampTz at;				/* finite */
} Threshold;

/*
 * The thresholds that a row of sla.clock reaches as things stand, warnings
 * first, each in the order of instants. Returns their number, *thresholds is
 * palloc'd.
 */
extern int	clock_thresholds(const Datum *values, const bool *nulls,
							 Threshold **thresholds);

/*
 * Those of them that have been flagged are before next_alert_at; all of them
 * when that is NULL.
 */
static inline bool
threshold_flagged(const Datum *values, const bool *nulls,
				  const Threshold *threshold)
{
	return nulls[CLOCK_NEXT_ALERT_AT - 1] || threshold->at <
		DatumGetTimestampTz(values[CLOCK_NEXT_ALERT_AT - 1]);
}

/* A row of sla.alert */
typedef struct LedgerAlert
{
	int64		clock_id;
	int64		ticket_id;
	int32		aim;
	const char *threshold;
	const char *kind;
	TimestampTz due_at;
	TimestampTz flagged_at;
	bool		standing;		/* was not withdrawn, nor is it a withdrawal */
} LedgerAlert;

/* The alerts of a clock: a list of LedgerAlert, palloc'd */
extern List *ledger_alerts_of(Ledger *ledger, int64 clock_id);

/*
 * Returns the id; 0, and nothing written, when there is one of this clock, aim,
 * threshold and kind: by hand a clock can be put where it was in the queue. The
 * clock's row is locked by the caller.
 */
extern int64 ledger_insert_alert(Ledger *ledger, const LedgerAlert *alert);

#endif							/* SLAPOLICY_LEDGER_ALERT_H */
