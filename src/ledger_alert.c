/*
 * ledger_alert.c
 *		Rows of sla.alert in and out, and the thresholds of a clock that they
 *		are about.
 *
 * Which thresholds of a clock have been flagged is known from its own row: they
 * are before next_alert_at. So nothing is flagged twice because old alerts were
 * purged.
 *
 * Knows nothing of policies, of the worker, and of what time it is.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "ledger_alert.h"

/* Does the clock fall due, in time or not, and may it be late? */
static bool
has_breach(const Datum *values, const bool *nulls)
{
	static const char breached[] = "breached";
	text	   *outcome;

	if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(values[CLOCK_DUE_AT - 1])))
		return false;
	if (nulls[CLOCK_OUTCOME - 1])
		return true;
	outcome = DatumGetTextPP(values[CLOCK_OUTCOME - 1]);
	return VARSIZE_ANY_EXHDR(outcome) == sizeof(breached) - 1 &&
		memcmp(VARDATA_ANY(outcome), breached, sizeof(breached) - 1) == 0;
}

int
clock_thresholds(const Datum *values, const bool *nulls,
				 Threshold **thresholds)
{
	Datum	   *names;
	Datum	   *instants;
	int			nwarnings = 0;
	int			ninstants = 0;
	int			n = 0;

	if (!nulls[CLOCK_WARNINGS - 1] && !nulls[CLOCK_WARN_AT - 1])
	{
		deconstruct_array(DatumGetArrayTypeP(values[CLOCK_WARNINGS - 1]),
						  TEXTOID, -1, false, TYPALIGN_INT,
						  &names, NULL, &nwarnings);
		deconstruct_array(DatumGetArrayTypeP(values[CLOCK_WARN_AT - 1]),
						  TIMESTAMPTZOID, sizeof(TimestampTz),
						  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &instants, NULL, &ninstants);
	}
	*thresholds = palloc((nwarnings + 1) * sizeof(Threshold));
	for (int i = 0; i < Min(nwarnings, ninstants); i++)
	{
		TimestampTz at = DatumGetTimestampTz(instants[i]);

		if (TIMESTAMP_NOT_FINITE(at))
			continue;
		(*thresholds)[n].name = TextDatumGetCString(names[i]);
		(*thresholds)[n].kind = ALERT_WARNING;
		(*thresholds)[n++].at = at;
	}
	if (has_breach(values, nulls))
	{
		(*thresholds)[n].name = ALERT_BREACH_THRESHOLD;
		(*thresholds)[n].kind = ALERT_BREACH;
		(*thresholds)[n++].at = DatumGetTimestampTz(values[CLOCK_DUE_AT - 1]);
	}
	return n;
}

static LedgerAlert *
alert_from_tuple(TupleDesc desc, HeapTuple tuple)
{
	LedgerAlert *alert = palloc(sizeof(LedgerAlert));
	Datum		values[ALERT_NATTS];
	bool		nulls[ALERT_NATTS];

	heap_deform_tuple(tuple, desc, values, nulls);
	alert->clock_id = DatumGetInt64(values[ALERT_CLOCK_ID - 1]);
	alert->ticket_id = DatumGetInt64(values[ALERT_TICKET_ID - 1]);
	alert->aim = DatumGetInt32(values[ALERT_AIM - 1]);
	alert->threshold = TextDatumGetCString(values[ALERT_THRESHOLD - 1]);
	alert->kind = TextDatumGetCString(values[ALERT_KIND - 1]);
	alert->due_at = DatumGetTimestampTz(values[ALERT_DUE_AT - 1]);
	alert->flagged_at = DatumGetTimestampTz(values[ALERT_FLAGGED_AT - 1]);
	return alert;
}

/* Does the alert stand, among those of its clock? */
static bool
stands(const LedgerAlert *alert, List *alerts)
{
	ListCell   *lc;

	if (strcmp(alert->kind, ALERT_WITHDRAWAL) == 0)
		return false;
	foreach(lc, alerts)
	{
		LedgerAlert *other = lfirst(lc);

		if (other->aim == alert->aim &&
			strcmp(other->threshold, alert->threshold) == 0 &&
			strcmp(other->kind, ALERT_WITHDRAWAL) == 0)
			return false;
	}
	return true;
}

List *
ledger_alerts_of(Ledger *ledger, int64 clock_id)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_ALERT));
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	List	   *alerts = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, ALERT_CLOCK_ID, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(clock_id));
	ledger_scan_begin(ledger, LEDGER_ALERT, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
		alerts = lappend(alerts, alert_from_tuple(desc, tuple));
	ledger_scan_end(&scan);

	foreach(lc, alerts)
	{
		LedgerAlert *alert = lfirst(lc);

		alert->standing = stands(alert, alerts);
	}
	return alerts;
}

int64
ledger_insert_alert(Ledger *ledger, const LedgerAlert *alert)
{
	Datum		values[ALERT_NATTS];
	bool		nulls[ALERT_NATTS] = {0};
	int64		id;

	/* first the lock, then the id: sla.alerts_after relies on it */
	(void) ledger_table(ledger, LEDGER_ALERT);
	id = ledger_next_id(LEDGER_ALERT);
	values[ALERT_ID - 1] = Int64GetDatum(id);
	values[ALERT_CLOCK_ID - 1] = Int64GetDatum(alert->clock_id);
	values[ALERT_TICKET_ID - 1] = Int64GetDatum(alert->ticket_id);
	values[ALERT_AIM - 1] = Int32GetDatum(alert->aim);
	values[ALERT_THRESHOLD - 1] = CStringGetTextDatum(alert->threshold);
	values[ALERT_KIND - 1] = CStringGetTextDatum(alert->kind);
	values[ALERT_DUE_AT - 1] = TimestampTzGetDatum(alert->due_at);
	values[ALERT_FLAGGED_AT - 1] = TimestampTzGetDatum(alert->flagged_at);
	return ledger_insert_new(ledger, LEDGER_ALERT, values, nulls) ? id : 0;
}
