/*
 * recompute_report.c
 *		Changes of clocks as rows for people: what was, and what is then.
 *
 * Knows nothing of where they come from.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "recompute_report.h"

/* Columns of the result */
enum
{
	DIFFERENCE_TICKET_TABLE,
	DIFFERENCE_KEY,
	DIFFERENCE_TICKET_ID,
	DIFFERENCE_METRIC,
	DIFFERENCE_CYCLE,
	DIFFERENCE_CHANGED,
	DIFFERENCE_PAIRS,			/* old and new value of what follows */
	DIFFERENCE_NPAIRS = 7,
	DIFFERENCE_NATTS = DIFFERENCE_PAIRS + 2 * DIFFERENCE_NPAIRS
};

static const AttrNumber paired[DIFFERENCE_NPAIRS] = {
	CLOCK_SEVERITY,
	CLOCK_GOAL,
	CLOCK_HOURS_ID,
	CLOCK_STARTED_AT,
	CLOCK_DUE_AT,
	CLOCK_STOPPED_AT,
	CLOCK_OUTCOME,
};

/* Names of the columns that differ, as text[] */
static Datum
names_of(TupleDesc desc, uint32 columns)
{
	Datum		names[CLOCK_NATTS];
	int			n = 0;

	for (int i = 0; i < desc->natts && i < CLOCK_NATTS; i++)
		if (columns & (1 << (i + 1)))
			names[n++] = CStringGetTextDatum(NameStr(TupleDescAttr(desc, i)->attname));
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static void
set_value(Datum *values, bool *nulls, int column, const Datum *row,
		  const bool *row_nulls, AttrNumber attnum)
{
	nulls[column] = row == NULL || row_nulls[attnum - 1];
	values[column] = nulls[column] ? (Datum) 0 : row[attnum - 1];
}

void
recompute_report_changes(RecomputeReport *report, Oid relid,
						 const LedgerTicket *ticket, const List *changes)
{
	ListCell   *lc;

	foreach(lc, changes)
	{
		const ClockChange *change = lfirst(lc);
		const Datum *row = change->new_values ? change->new_values :
			change->old_values;
		Datum		values[DIFFERENCE_NATTS];
		bool		nulls[DIFFERENCE_NATTS] = {false};

		values[DIFFERENCE_TICKET_TABLE] = ObjectIdGetDatum(relid);
		values[DIFFERENCE_KEY] = CStringGetTextDatum(ticket->key);
		values[DIFFERENCE_TICKET_ID] = Int64GetDatum(ticket->id);
		values[DIFFERENCE_METRIC] = row[CLOCK_METRIC - 1];
		values[DIFFERENCE_CYCLE] = row[CLOCK_CYCLE - 1];
		nulls[DIFFERENCE_CHANGED] = change->differs == 0;
		values[DIFFERENCE_CHANGED] = change->differs == 0 ? (Datum) 0 :
			names_of(report->clock_desc, change->differs);
		for (int i = 0; i < DIFFERENCE_NPAIRS; i++)
		{
			set_value(values, nulls, DIFFERENCE_PAIRS + 2 * i,
					  change->old_values, change->old_nulls, paired[i]);
			set_value(values, nulls, DIFFERENCE_PAIRS + 2 * i + 1,
					  change->new_values, change->new_nulls, paired[i]);
		}
		tuplestore_putvalues(report->result->setResult,
							 report->result->setDesc, values, nulls);
	}
}
