/*
 * ledger_clock.c
 *		Brings a ticket's rows of sla.clock up to what the fold says.
 *
 * The queue of the worker is a column of these rows: next_alert_at says when
 * the breach has to be flagged, NULL that there is nothing (left) to flag. A
 * clock that was stopped late keeps it until the worker has flagged it, so
 * that no breach is lost however short it was.
 *
 * Every new due time is a new aim, and alerts are unique per aim. When later
 * facts undo a breach that was flagged, a withdrawal is added to the alerts
 * and the clock takes a new aim; nothing is erased.
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
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "calendar.h"
#include "ledger.h"
#include "ledger_tables.h"
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
 * moment ago. It does so once: what one scan of a SERIALIZABLE transaction
 * misses is there in the next, out of order. It may also see one twice.
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

/*
 * Was an alert of this kind written for the clock's present aim, and when?
 */
static bool
has_alert(Ledger *ledger, const ClockRow *row, const char *kind,
		  TimestampTz *flagged_at)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_ALERT));
	ScanKeyData keys[2];
	LedgerScan	scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&keys[0], ALERT_CLOCK_ID, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(CLOCK_ROW_ID(row)));
	ScanKeyInit(&keys[1], ALERT_AIM, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(CLOCK_ROW_AIM(row)));
	ledger_scan_begin(ledger, LEDGER_ALERT, keys, 2, &scan);
	while (!found && HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		bool		isnull;
		char	   *value = TextDatumGetCString(heap_getattr(tuple, ALERT_KIND,
															 desc, &isnull));

		found = strcmp(value, kind) == 0;
		if (found)
			*flagged_at = DatumGetTimestampTz(heap_getattr(tuple,
														   ALERT_FLAGGED_AT,
														   desc, &isnull));
	}
	ledger_scan_end(&scan);
	return found;
}

static void
write_withdrawal(Ledger *ledger, const ClockRow *row, TimestampTz now)
{
	Datum		values[ALERT_NATTS];
	bool		nulls[ALERT_NATTS] = {0};

	values[ALERT_ID - 1] = Int64GetDatum(ledger_next_id(LEDGER_ALERT));
	values[ALERT_CLOCK_ID - 1] = row->values[CLOCK_ID - 1];
	values[ALERT_TICKET_ID - 1] = row->values[CLOCK_TICKET_ID - 1];
	values[ALERT_AIM - 1] = row->values[CLOCK_AIM - 1];
	values[ALERT_THRESHOLD - 1] = NumericGetDatum(int64_to_numeric(1));
	values[ALERT_KIND - 1] = CStringGetTextDatum("withdrawal");
	values[ALERT_DUE_AT - 1] = row->values[CLOCK_DUE_AT - 1];
	values[ALERT_FLAGGED_AT - 1] = TimestampTzGetDatum(now);
	ledger_insert(ledger, LEDGER_ALERT, values, nulls);
}

/* When the clock has to be flagged if it was not yet; false: never */
static bool
alert_wanted(const Clock *clock)
{
	if (TIMESTAMP_NOT_FINITE(clock->due_at))
		return false;
	return clock->outcome == CLOCK_RUNNING || clock->outcome == CLOCK_BREACHED;
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

static Datum
instants_array(const TimestampTz *instants, int n)
{
	Datum	   *elems = palloc(n * sizeof(Datum));

	for (int i = 0; i < n; i++)
		elems[i] = TimestampTzGetDatum(instants[i]);
	return PointerGetDatum(construct_array(elems, n, TIMESTAMPTZOID,
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
	nulls[CLOCK_WARN_AT - 1] = clock->outcome != CLOCK_RUNNING ||
		clock->nwarnings == 0;
	values[CLOCK_WARN_AT - 1] = nulls[CLOCK_WARN_AT - 1] ? (Datum) 0 :
		instants_array(clock->warnings, clock->nwarnings);
}

static void
insert_clock(Ledger *ledger, int64 ticket_id, const Clock *clock)
{
	Datum		values[CLOCK_NATTS];
	bool		nulls[CLOCK_NATTS];

	fill_clock(clock, ticket_id, values, nulls);
	values[CLOCK_ID - 1] = Int64GetDatum(ledger_next_id(LEDGER_CLOCK));
	values[CLOCK_AIM - 1] = Int32GetDatum(1);
	values[CLOCK_NEXT_ALERT_AT - 1] = TimestampTzGetDatum(clock->due_at);
	nulls[CLOCK_NEXT_ALERT_AT - 1] = !alert_wanted(clock);
	ledger_insert(ledger, LEDGER_CLOCK, values, nulls);
	if (alert_wanted(clock))
		worker_note_due(clock->due_at);
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
	bool		queued = !row->nulls[CLOCK_NEXT_ALERT_AT - 1];
	bool		new_aim = clock->due_at != CLOCK_DUE(row);
	bool		wanted = alert_wanted(clock);
	TimestampTz flagged_at;

	fill_clock(clock, ticket_id, values, nulls);
	values[CLOCK_ID - 1] = row->values[CLOCK_ID - 1];
	values[CLOCK_AIM - 1] = row->values[CLOCK_AIM - 1];
	nulls[CLOCK_NEXT_ALERT_AT - 1] = row->nulls[CLOCK_NEXT_ALERT_AT - 1];

	/* most of a long thread is settled, and was flagged or not in its time */
	if (!queued && clock->outcome != CLOCK_RUNNING &&
		differing_columns(desc, row, values, nulls) == 0)
		return;

	/* what is not in the queue may have been flagged */
	if (!queued && has_alert(ledger, row, "breach", &flagged_at))
	{
		/* a statement may have begun before the flag, and waited since */
		bool		breached = clock->outcome == CLOCK_BREACHED ||
			(clock->outcome == CLOCK_RUNNING &&
			 clock->due_at < Max(now, flagged_at));

		if (!breached)
		{
			write_withdrawal(ledger, row, now);
			new_aim = true;
		}
		else if (!new_aim)
			wanted = false;
	}

	values[CLOCK_AIM - 1] = Int32GetDatum(CLOCK_ROW_AIM(row) + new_aim);
	values[CLOCK_NEXT_ALERT_AT - 1] = TimestampTzGetDatum(clock->due_at);
	nulls[CLOCK_NEXT_ALERT_AT - 1] = !wanted;
	if (differing_columns(desc, row, values, nulls) == 0)
		return;
	ledger_update(ledger, LEDGER_CLOCK, &row->tid, values, nulls);
	if (wanted)
		worker_note_due(clock->due_at);
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
		TimestampTz flagged_at;

		if (row->matched)
			continue;
		if (row->nulls[CLOCK_NEXT_ALERT_AT - 1] &&
			has_alert(ledger, row, "breach", &flagged_at) &&
			!has_alert(ledger, row, "withdrawal", &flagged_at))
			write_withdrawal(ledger, row, now);
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
