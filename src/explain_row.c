/*
 * explain_row.c
 *		The rows of an explanation, and pieces of its sentences.
 *
 * Knows nothing of what they tell.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "business_hours.h"
#include "calendar.h"
#include "explain.h"

/* Hours longer than this are told once, and referred to by their number */
#define SHORT_HOURS		48

/* Columns of the answer */
enum
{
	EXPLAIN_STEP,
	EXPLAIN_AT,
	EXPLAIN_UNTIL,
	EXPLAIN_EVENT,
	EXPLAIN_SEQ,
	EXPLAIN_SOURCE,
	EXPLAIN_RECORDED_AT,
	EXPLAIN_METRIC,
	EXPLAIN_CYCLE,
	EXPLAIN_WHAT,
	EXPLAIN_COUNTED,
	EXPLAIN_SEVERITY,
	EXPLAIN_GOAL,
	EXPLAIN_DUE_AT,
	EXPLAIN_WHY,
	EXPLAIN_NATTS
};

/* ---------- pieces of sentences ---------- */

char *
explain_amount(int64 usecs)
{
	BusinessInterval amount = {.time = usecs};

	return business_interval_to_text(&amount);
}

char *
explain_instant(TimestampTz at)
{
	return DatumGetCString(DirectFunctionCall1(timestamptz_out,
											   TimestampTzGetDatum(at)));
}

char *
explain_clock(const Clock *clock)
{
	if (clock->cycle == 1)
		return pstrdup(clock->metric);
	return psprintf("%s %d", clock->metric, clock->cycle);
}

char *
explain_hours(int32 hours_id, Datum hours)
{
	char	   *text = hours_text_print(business_hours_rules(hours));

	return strlen(text) <= SHORT_HOURS ? text : psprintf("hours %d", hours_id);
}

char *
explain_quoted(const char *text)
{
	return text == NULL ? pstrdup("none") : psprintf("\"%s\"", text);
}

/* ---------- rows ---------- */

static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
set_instant(Datum *values, bool *nulls, int column, MaybeTime time)
{
	nulls[column] = !time.known;
	values[column] = TimestampTzGetDatum(time.at);
}

/* The place of an event in the history; its copies know just their number. */
static int
event_index(const Explanation *explanation, const TicketEvent *event)
{
	for (int i = 0; i < explanation->history.nevents; i++)
		if (explanation->history.events[i].seq == event->seq)
			return i;
	pg_unreachable();
}

void
explain_add(Explanation *explanation, const ExplainRow *row)
{
	Datum		values[EXPLAIN_NATTS] = {0};
	bool		nulls[EXPLAIN_NATTS];

	memset(nulls, true, sizeof(nulls));
	values[EXPLAIN_STEP] = Int32GetDatum(++explanation->nrows);
	nulls[EXPLAIN_STEP] = false;
	set_instant(values, nulls, EXPLAIN_AT, row->at);
	set_instant(values, nulls, EXPLAIN_UNTIL, row->until);
	if (row->event != NULL)
	{
		int			i = event_index(explanation, row->event);
		const TicketEvent *event = &explanation->history.events[i];

		set_text(values, nulls, EXPLAIN_EVENT, event_kind_text(event->kind));
		values[EXPLAIN_SEQ] = Int32GetDatum(event->seq);
		set_text(values, nulls, EXPLAIN_SOURCE, event->source);
		values[EXPLAIN_RECORDED_AT] =
			TimestampTzGetDatum(explanation->recorded_at[i]);
		nulls[EXPLAIN_SEQ] = nulls[EXPLAIN_RECORDED_AT] = false;
	}
	if (row->clock != NULL)
	{
		set_text(values, nulls, EXPLAIN_METRIC, row->clock->metric);
		values[EXPLAIN_CYCLE] = Int32GetDatum(row->clock->cycle);
		nulls[EXPLAIN_CYCLE] = false;
	}
	if (row->tells_terms)
	{
		values[EXPLAIN_SEVERITY] = SeverityGetDatum(row->clock->severity);
		values[EXPLAIN_GOAL] = PointerGetDatum(&row->clock->goal);
		values[EXPLAIN_DUE_AT] = TimestampTzGetDatum(row->clock->due_at);
		nulls[EXPLAIN_SEVERITY] = nulls[EXPLAIN_GOAL] = false;
		nulls[EXPLAIN_DUE_AT] = false;
	}
	if (row->counts)
	{
		values[EXPLAIN_COUNTED] =
			IntervalPGetDatum(interval_of_usecs(row->counted));
		nulls[EXPLAIN_COUNTED] = false;
	}
	set_text(values, nulls, EXPLAIN_WHAT, row->what);
	set_text(values, nulls, EXPLAIN_WHY, row->why);
	tuplestore_putvalues(explanation->result->setResult,
						 explanation->result->setDesc, values, nulls);
}
