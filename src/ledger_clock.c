/*
 * ledger_clock.c
 *		Brings a ticket's rows of sla.clock up to what the fold says.
 *
 * The queue of the worker is a column of these rows: next_alert_at is the
 * instant of the earliest threshold that has not been flagged, NULL says that
 * there is nothing (left) to flag. A clock that has stopped keeps it until the
 * worker has flagged what it reached before, so that nothing is lost however
 * short it was.
 *
 * Every new due time is a new aim, and alerts are unique per aim. A warning
 * that was flagged stays flagged while threshold and instant stay. When later
 * facts undo what was flagged, a withdrawal is added to the alerts and the
 * clock takes a new aim; nothing is erased.
 *
 * Knows nothing of policies, events and the worker's own life.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "calendar.h"
#include "ledger.h"
#include "ledger_alert.h"
#include "ledger_tables.h"
#include "policy_rules.h"
#include "ticket_set.h"
#include "worker.h"

/* A row of sla.clock as far as it is compared */
typedef struct ClockRow
{
	ItemPointerData tid;
	bool		matched;		/* the fold still has it */
	Datum		values[CLOCK_NATTS];
	bool		nulls[CLOCK_NATTS];
} ClockRow;

#define CLOCK_DUE(row)		DatumGetTimestampTz((row)->values[CLOCK_DUE_AT - 1])
#define CLOCK_ROW_ID(row)	DatumGetInt64((row)->values[CLOCK_ID - 1])
#define CLOCK_ROW_AIM(row)	DatumGetInt32((row)->values[CLOCK_AIM - 1])

/*
 * Add the ticket's clocks to rows, unlocked. seen, unless NULL, holds the ids
 * of those that are there.
 */
static List *
find_clocks(Ledger *ledger, int64 ticket_id, TicketSet *seen, List *rows)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_CLOCK));
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, CLOCK_TICKET_ID, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(ticket_id));
	ledger_scan_begin(ledger, LEDGER_CLOCK, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		ClockRow   *row = palloc0(sizeof(ClockRow));

		heap_deform_tuple(heap_copytuple(tuple), desc, row->values, row->nulls);
		row->tid = tuple->t_self;
		if (seen != NULL)
		{
			if (ticket_set_has(seen, CLOCK_ROW_ID(row)))
				continue;
			ticket_set_add(seen, CLOCK_ROW_ID(row));
		}
		rows = lappend(rows, row);
	}
	ledger_scan_end(&scan);
	return rows;
}

/*
 * The ticket's clocks as they are now, in the order of metric and cycle. The
 * worker is the only one who updates them without holding the ticket, and
 * only those in the queue: these are locked, for one may have been flagged a
 * moment ago. It does so once in a while: what one scan of a SERIALIZABLE
 * transaction misses is there in the next, out of order. It may also see one
 * twice.
 */
static List *
read_clocks(Ledger *ledger, int64 ticket_id)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_CLOCK));
	TicketSet  *seen = IsolationIsSerializable() ? ticket_set_create() : NULL;
	HeapTuple	tuple;
	List	   *rows = find_clocks(ledger, ticket_id, seen, NIL);
	List	   *kept = NIL;
	ListCell   *lc;

	if (seen != NULL)
		rows = find_clocks(ledger, ticket_id, seen, rows);
	foreach(lc, rows)
	{
		ClockRow   *row = lfirst(lc);

		if (!row->nulls[CLOCK_NEXT_ALERT_AT - 1])
		{
			if (!ledger_lock_row(ledger, LEDGER_CLOCK, &row->tid, &tuple))
				continue;
			heap_deform_tuple(tuple, desc, row->values, row->nulls);
		}
		kept = lappend(kept, row);
	}
	return kept;
}

bool
ledger_has_running_clock(Ledger *ledger, int64 ticket_id)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_CLOCK));
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	bool		running = false;

	ScanKeyInit(&key, CLOCK_TICKET_ID, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(ticket_id));
	ledger_scan_begin(ledger, LEDGER_CLOCK, &key, 1, &scan);
	while (!running && HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
		running = heap_attisnull(tuple, CLOCK_OUTCOME, desc);
	ledger_scan_end(&scan);
	return running;
}

/* An instant, or NULL */
static void
set_instant(Datum *values, bool *nulls, AttrNumber attnum, bool known,
			TimestampTz at)
{
	values[attnum - 1] = TimestampTzGetDatum(at);
	nulls[attnum - 1] = !known;
}

/* An amount of working time, or NULL */
static void
set_amount(Datum *values, bool *nulls, AttrNumber attnum, bool known,
		   int64 usecs)
{
	values[attnum - 1] = known ? IntervalPGetDatum(interval_of_usecs(usecs)) :
		(Datum) 0;
	nulls[attnum - 1] = !known;
}

/* The thresholds of a clock and their instants, or NULL */
static void
set_warnings(Datum *values, bool *nulls, const Clock *clock)
{
	int			n = clock->outcome == CLOCK_CANCELLED ||
		clock->outcome == CLOCK_EXEMPT ? 0 : clock->nwarnings;
	Datum	   *names;
	Datum	   *instants;

	nulls[CLOCK_WARNINGS - 1] = nulls[CLOCK_WARN_AT - 1] = n == 0;
	values[CLOCK_WARNINGS - 1] = values[CLOCK_WARN_AT - 1] = (Datum) 0;
	if (n == 0)
		return;
	names = palloc(n * sizeof(Datum));
	instants = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		names[i] = CStringGetTextDatum(policy_alert_text(clock->warnings[i].alert));
		instants[i] = TimestampTzGetDatum(clock->warnings[i].at);
	}
	values[CLOCK_WARNINGS - 1] =
		PointerGetDatum(construct_array(names, n, TEXTOID, -1, false,
										TYPALIGN_INT));
	values[CLOCK_WARN_AT - 1] =
		PointerGetDatum(construct_array(instants, n, TIMESTAMPTZOID,
										sizeof(TimestampTz),
										FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Everything but id, aim and next_alert_at */
static void
fill_clock(const Clock *clock, int64 ticket_id, Datum *values, bool *nulls)
{
	bool		anew = clock->counted_from != clock->started_at;
	const char *outcome = clock_outcome_text(clock->outcome);

	memset(nulls, 0, CLOCK_NATTS * sizeof(bool));
	values[CLOCK_TICKET_ID - 1] = Int64GetDatum(ticket_id);
	values[CLOCK_METRIC - 1] = CStringGetTextDatum(clock->metric);
	values[CLOCK_CYCLE - 1] = Int32GetDatum(clock->cycle);
	values[CLOCK_SEVERITY - 1] = SeverityGetDatum(clock->severity);
	values[CLOCK_GOAL - 1] = PointerGetDatum(&clock->goal);
	values[CLOCK_HOURS_ID - 1] = Int32GetDatum(clock->hours_id);
	set_instant(values, nulls, CLOCK_STARTED_AT, true, clock->started_at);
	set_instant(values, nulls, CLOCK_DUE_AT, true, clock->due_at);
	set_instant(values, nulls, CLOCK_STOPPED_AT, clock->stopped,
				clock->stopped_at);
	set_amount(values, nulls, CLOCK_WORKED, clock->stopped, clock->worked);
	set_amount(values, nulls, CLOCK_PAUSED, true, clock->paused);
	set_instant(values, nulls, CLOCK_PAUSED_AT,
				clock->standing && !clock->stopped, clock->paused_at);
	set_amount(values, nulls, CLOCK_REMAINING,
			   clock->standing && !clock->stopped &&
			   clock->due_at == DT_NOEND && clock->remaining != PG_INT64_MAX,
			   clock->remaining);
	set_instant(values, nulls, CLOCK_COUNTED_FROM, anew, clock->counted_from);
	set_amount(values, nulls, CLOCK_CARRIED, anew, clock->carried);
	values[CLOCK_PINNED - 1] = BoolGetDatum(clock->pinned);
	nulls[CLOCK_OUTCOME - 1] = outcome == NULL;
	values[CLOCK_OUTCOME - 1] = outcome == NULL ? (Datum) 0 :
		CStringGetTextDatum(outcome);
	set_warnings(values, nulls, clock);
}

static bool
has_threshold(const Threshold *thresholds, int n, const Threshold *wanted)
{
	for (int i = 0; i < n; i++)
		if (thresholds[i].at == wanted->at &&
			strcmp(thresholds[i].name, wanted->name) == 0)
			return true;
	return false;
}

/* Has the row this threshold at the same instant, and was it flagged? */
static bool
was_flagged(const ClockRow *row, const Threshold *threshold)
{
	Threshold  *thresholds;
	int			n;

	if (!threshold_flagged(row->values, row->nulls, threshold))
		return false;
	n = clock_thresholds(row->values, row->nulls, &thresholds);
	return has_threshold(thresholds, n, threshold);
}

/*
 * Withdraw what was flagged of a row and is not reached by the one that
 * replaces it, values NULL: by none. True if anything was.
 */
static bool
withdraw_alerts(Ledger *ledger, const ClockRow *row,
				const Datum *values, const bool *nulls, TimestampTz now)
{
	Threshold  *before;
	Threshold  *after = NULL;
	int			nbefore = clock_thresholds(row->values, row->nulls, &before);
	int			nafter = values == NULL ? 0 :
		clock_thresholds(values, nulls, &after);
	List	   *alerts = NIL;
	bool		looked = false;
	bool		withdrawn = false;

	for (int i = 0; i < nbefore; i++)
	{
		ListCell   *lc;

		if (!threshold_flagged(row->values, row->nulls, &before[i]) ||
			has_threshold(after, nafter, &before[i]))
			continue;
		if (!looked)
			alerts = ledger_alerts_of(ledger, CLOCK_ROW_ID(row));
		looked = true;
		foreach(lc, alerts)
		{
			LedgerAlert *alert = lfirst(lc);

			if (!alert->standing || alert->due_at != before[i].at ||
				strcmp(alert->threshold, before[i].name) != 0)
				continue;
			alert->kind = ALERT_WITHDRAWAL;
			alert->flagged_at = now;
			(void) ledger_insert_alert(ledger, alert);
			withdrawn = true;
		}
	}
	return withdrawn;
}

/* Flag a threshold of a row of sla.clock. */
static void
flag_now(Ledger *ledger, const Datum *values, const Threshold *threshold,
		 TimestampTz now)
{
	LedgerAlert alert = {0};

	alert.clock_id = DatumGetInt64(values[CLOCK_ID - 1]);
	alert.ticket_id = DatumGetInt64(values[CLOCK_TICKET_ID - 1]);
	alert.aim = DatumGetInt32(values[CLOCK_AIM - 1]);
	alert.threshold = threshold->name;
	alert.kind = threshold->kind;
	alert.due_at = threshold->at;
	alert.flagged_at = Max(now, threshold->at);
	(void) ledger_insert_alert(ledger, &alert);
}

/*
 * Write into a row when the first of its thresholds has to be flagged that was
 * not flagged of the row it replaces, row NULL: of none. Tells the worker.
 *
 * What a correction puts before a threshold that is flagged already is flagged
 * here: in the queue it would seem that the other one was not.
 */
static void
set_next_alert(Ledger *ledger, Datum *values, bool *nulls,
			   const ClockRow *row, TimestampTz now)
{
	TimestampTz flagged_to = DT_NOBEGIN;
	TimestampTz next = DT_NOEND;
	Threshold  *thresholds;
	int			n = clock_thresholds(values, nulls, &thresholds);
	bool	   *flagged = palloc0(n * sizeof(bool));

	for (int i = 0; i < n && row != NULL; i++)
	{
		flagged[i] = was_flagged(row, &thresholds[i]);
		if (flagged[i])
			flagged_to = Max(flagged_to, thresholds[i].at);
	}
	for (int i = 0; i < n; i++)
	{
		if (flagged[i])
			continue;
		if (thresholds[i].at <= flagged_to)
			flag_now(ledger, values, &thresholds[i], now);
		else
			next = Min(next, thresholds[i].at);
	}
	values[CLOCK_NEXT_ALERT_AT - 1] = TimestampTzGetDatum(next);
	nulls[CLOCK_NEXT_ALERT_AT - 1] = next == DT_NOEND;
	if (next != DT_NOEND)
		worker_note_due(next);
}

static void
insert_clock(Ledger *ledger, int64 ticket_id, const Clock *clock)
{
	Datum		values[CLOCK_NATTS];
	bool		nulls[CLOCK_NATTS];

	fill_clock(clock, ticket_id, values, nulls);
	values[CLOCK_ID - 1] = Int64GetDatum(ledger_next_id(LEDGER_CLOCK));
	values[CLOCK_AIM - 1] = Int32GetDatum(1);
	set_next_alert(ledger, values, nulls, NULL, DT_NOBEGIN);
	ledger_insert(ledger, LEDGER_CLOCK, values, nulls);
}

/* The columns, as bits 1 << number, in which a row is another one */
static uint32
differing_columns(TupleDesc desc, const ClockRow *row, const Datum *values,
				  const bool *nulls)
{
	uint32		result = 0;

	for (int i = 0; i < CLOCK_NATTS; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (row->nulls[i] != nulls[i] ||
			(!nulls[i] && !datum_image_eq(row->values[i], values[i],
										  att->attbyval, att->attlen)))
			result |= 1 << (i + 1);
	}
	return result;
}

static void
update_clock(Ledger *ledger, int64 ticket_id, ClockRow *row,
			 const Clock *clock, TimestampTz now)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_CLOCK));
	Datum		values[CLOCK_NATTS];
	bool		nulls[CLOCK_NATTS];
	bool		new_aim = clock->due_at != CLOCK_DUE(row);

	fill_clock(clock, ticket_id, values, nulls);
	values[CLOCK_ID - 1] = row->values[CLOCK_ID - 1];
	values[CLOCK_AIM - 1] = row->values[CLOCK_AIM - 1];
	values[CLOCK_NEXT_ALERT_AT - 1] = row->values[CLOCK_NEXT_ALERT_AT - 1];
	nulls[CLOCK_NEXT_ALERT_AT - 1] = row->nulls[CLOCK_NEXT_ALERT_AT - 1];

	/* most of a long thread is settled; what was flagged does not change */
	if (differing_columns(desc, row, values, nulls) == 0)
		return;

	if (withdraw_alerts(ledger, row, values, nulls, now))
		new_aim = true;
	values[CLOCK_AIM - 1] = Int32GetDatum(CLOCK_ROW_AIM(row) + new_aim);
	set_next_alert(ledger, values, nulls, row, now);
	ledger_update(ledger, LEDGER_CLOCK, &row->tid, values, nulls);
}

/* The row of a clock of the fold? */
static bool
is_row_of(const ClockRow *row, const Clock *clock)
{
	text	   *metric = DatumGetTextPP(row->values[CLOCK_METRIC - 1]);
	size_t		len = strlen(clock->metric);

	return DatumGetInt32(row->values[CLOCK_CYCLE - 1]) == clock->cycle &&
		VARSIZE_ANY_EXHDR(metric) == len &&
		memcmp(VARDATA_ANY(metric), clock->metric, len) == 0;
}

/*
 * The row of a clock, NULL when there is none. Clocks and rows mostly come in
 * the same order: *place is where to look first.
 */
static ClockRow *
find_row(List *rows, const Clock *clock, int *place)
{
	int			n = list_length(rows);

	for (int i = 0; i < n; i++)
	{
		int			here = (*place + i) % n;
		ClockRow   *row = list_nth(rows, here);

		if (is_row_of(row, clock))
		{
			*place = here + 1;
			return row;
		}
	}
	return NULL;
}

void
ledger_write_clocks(Ledger *ledger, int64 ticket_id,
					const Clock *clocks, int nclocks, TimestampTz now,
					bool new_ticket)
{
	List	   *rows = new_ticket ? NIL : read_clocks(ledger, ticket_id);
	ListCell   *lc;
	int			place = 0;

	for (int i = 0; i < nclocks; i++)
	{
		ClockRow   *match = find_row(rows, &clocks[i], &place);

		if (match == NULL)
			insert_clock(ledger, ticket_id, &clocks[i]);
		else
		{
			match->matched = true;
			update_clock(ledger, ticket_id, match, &clocks[i], now);
		}
	}

	/* a correction can leave a clock without the event that started it */
	foreach(lc, rows)
	{
		ClockRow   *row = lfirst(lc);

		if (row->matched)
			continue;
		(void) withdraw_alerts(ledger, row, NULL, NULL, now);
		ledger_delete(ledger, LEDGER_CLOCK, &row->tid);
	}
}

List *
ledger_clock_changes(Ledger *ledger, int64 ticket_id,
					 const Clock *clocks, int nclocks)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_CLOCK));
	List	   *rows = find_clocks(ledger, ticket_id, NULL, NIL);
	List	   *changes = NIL;
	ListCell   *lc;
	int			place = 0;

	StaticAssertStmt(CLOCK_NATTS < 32, "columns must fit a set of bits");
	for (int i = 0; i < nclocks; i++)
	{
		ClockChange *change = palloc0(sizeof(ClockChange));
		ClockRow   *row = find_row(rows, &clocks[i], &place);
		Datum	   *values = palloc(CLOCK_NATTS * sizeof(Datum));
		bool	   *nulls = palloc(CLOCK_NATTS * sizeof(bool));

		fill_clock(&clocks[i], ticket_id, values, nulls);
		if (row != NULL)
		{
			row->matched = true;
			values[CLOCK_ID - 1] = row->values[CLOCK_ID - 1];
			values[CLOCK_AIM - 1] = row->values[CLOCK_AIM - 1];
			values[CLOCK_NEXT_ALERT_AT - 1] =
				row->values[CLOCK_NEXT_ALERT_AT - 1];
			nulls[CLOCK_NEXT_ALERT_AT - 1] = row->nulls[CLOCK_NEXT_ALERT_AT - 1];
			change->differs = differing_columns(desc, row, values, nulls);
			if (change->differs == 0)
				continue;
			change->old_values = row->values;
			change->old_nulls = row->nulls;
		}
		change->new_values = values;
		change->new_nulls = nulls;
		changes = lappend(changes, change);
	}
	foreach(lc, rows)
	{
		ClockRow   *row = lfirst(lc);
		ClockChange *change;

		if (row->matched)
			continue;
		change = palloc0(sizeof(ClockChange));
		change->old_values = row->values;
		change->old_nulls = row->nulls;
		changes = lappend(changes, change);
	}
	return changes;
}
