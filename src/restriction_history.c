/*
 * restriction_history.c
 *		All levels that an account has had, and why it has the one it has.
 *
 * At each instant the version of a policy counts that was in force then, also
 * for what it looks back to: so a period here and restriction_at() agree.
 */
#include "postgres.h"

#include "funcapi.h"
#include "lib/qunique.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "invoice_record.h"
#include "invoice_table.h"
#include "policy.h"
#include "restriction_argument.h"
#include "restriction_history.h"

PG_FUNCTION_INFO_V1(slapolicy_restriction_history);
PG_FUNCTION_INFO_V1(slapolicy_explain_restriction);

/* The levels under one policy */
typedef struct Track
{
	const char *policy;
	int			nspans;
	int			room;
	RestrictionSpan *spans;
} Track;

static void
add_span(Track *track, RestrictionSpan span)
{
	if (track->nspans == track->room)
	{
		track->room *= 2;
		track->spans = repalloc_huge(track->spans,
									 track->room * sizeof(RestrictionSpan));
	}
	track->spans[track->nspans++] = span;
}

/* The part of a sweep from an instant on */
static void
add_part(Track *track, const RestrictionSpan *spans, int n, TimestampTz from)
{
	for (int i = 0; i < n; i++)
	{
		RestrictionSpan span = spans[i];

		if (i + 1 < n && spans[i + 1].from <= from)
			continue;
		span.from = Max(span.from, from);
		add_span(track, span);
	}
}

static void
follow_policy(const RestrictionQuestion *question, RestrictionItem *items,
			  int n, TimestampTz until, Track *track)
{
	TimestampTz from = DT_NOBEGIN;

	track->room = 16;
	track->spans = palloc(track->room * sizeof(RestrictionSpan));
	do
	{
		TimestampTz next = policy_next_version(track->policy, from);
		const RestrictionRule *rule = invoice_rule(track->policy, from);

		if (rule == NULL)
			add_span(track, (RestrictionSpan) {.from = from});
		else
		{
			RestrictionItem **group;
			RestrictionSpan *spans;
			int			ngroup = restriction_group(question, rule,
												   track->policy, items, n,
												   &group);
			int			nspans = restriction_sweep(rule, group, ngroup,
												   next == DT_NOEND ? until :
												   Min(next - 1, until),
												   &spans);

			add_part(track, spans, nspans, from);
			pfree(spans);
		}
		from = next;
	} while (from != DT_NOEND && from <= until);
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
}

/* Instants at which any of it may change, sorted; returns how many. */
static int
find_edges(const Track *tracks, int ntracks,
		   const RestrictionOverride *overrides, int noverrides,
		   TimestampTz until, TimestampTz **edges)
{
	int			n = 0;
	int			room = 1 + 2 * noverrides;

	for (int i = 0; i < ntracks; i++)
		room += tracks[i].nspans;
	*edges = palloc_extended(room * sizeof(TimestampTz), MCXT_ALLOC_HUGE);
	(*edges)[n++] = DT_NOBEGIN;
	for (int i = 0; i < ntracks; i++)
		for (int j = 0; j < tracks[i].nspans; j++)
			(*edges)[n++] = tracks[i].spans[j].from;
	for (int i = 0; i < noverrides; i++)
	{
		if (overrides[i].starts <= until)
			(*edges)[n++] = overrides[i].starts;
		if (overrides[i].until <= until)
			(*edges)[n++] = overrides[i].until;
	}
	qsort(*edges, n, sizeof(TimestampTz), compare_times);
	return (int) qunique(*edges, n, sizeof(TimestampTz), compare_times);
}

/* The span of a track at an instant; *next is where to look first. */
static const RestrictionSpan *
span_at(const Track *track, int *next, TimestampTz at)
{
	while (*next + 1 < track->nspans && track->spans[*next + 1].from <= at)
		(*next)++;
	return &track->spans[*next];
}

static bool
same_reason(const RestrictionPeriod *a, const RestrictionPeriod *b)
{
	return a->level == b->level && a->override == b->override &&
		a->lasting == b->lasting && a->anchor == b->anchor;
}

int
restriction_periods(const RestrictionQuestion *question, TimestampTz until,
					RestrictionPeriod **periods)
{
	RestrictionItem *items;
	RestrictionOverride *overrides;
	int			n = restriction_items(question->ledger, question->account,
									  question->known_at, DT_NOBEGIN,
									  question->snapshot, &items);
	int			noverrides = restriction_overrides(question->ledger,
												   question->account,
												   question->known_at,
												   question->snapshot,
												   &overrides);
	List	   *policies = restriction_policies(items, n);
	int			ntracks = list_length(policies);
	Track	   *tracks = palloc0(Max(ntracks, 1) * sizeof(Track));
	int		   *next = palloc0(Max(ntracks, 1) * sizeof(int));
	TimestampTz *edges;
	int			nedges;
	int			nperiods = 0;

	for (int i = 0; i < ntracks; i++)
	{
		tracks[i].policy = list_nth(policies, i);
		follow_policy(question, items, n, until, &tracks[i]);
	}
	nedges = find_edges(tracks, ntracks, overrides, noverrides, until, &edges);
	*periods = palloc_extended(nedges * sizeof(RestrictionPeriod),
							   MCXT_ALLOC_HUGE);
	for (int i = 0; i < nedges; i++)
	{
		RestrictionPeriod period = {.from = edges[i]};

		period.override = restriction_override_at(overrides, noverrides,
												  question->service, edges[i]);
		for (int j = 0; j < ntracks; j++)
		{
			const RestrictionSpan *span = span_at(&tracks[j], &next[j],
												  edges[i]);

			if (period.override != NULL || span->level <= period.level)
				continue;
			period.level = span->level;
			period.policy = tracks[j].policy;
			period.anchor = span->anchor;
			period.lasting = span->lasting;
		}
		if (period.override != NULL)
			period.level = period.override->level;
		if (nperiods == 0 || !same_reason(&(*periods)[nperiods - 1], &period))
			(*periods)[nperiods++] = period;
	}
	return nperiods;
}

/* ---------- for SQL ---------- */

/* A row being made, column by column */
typedef struct RowMaker
{
	Datum		values[16];
	bool		nulls[16];
	int			n;
} RowMaker;

static void
add_null(RowMaker *row)
{
	row->nulls[row->n++] = true;
}

static void
add_value(RowMaker *row, Datum value)
{
	row->nulls[row->n] = false;
	row->values[row->n++] = value;
}

static void
add_text(RowMaker *row, const char *text)
{
	if (text == NULL)
		add_null(row);
	else
		add_value(row, CStringGetTextDatum(text));
}

/* Tables of invoices by the ids of their attachments */
static void
add_table(RowMaker *row, List *tables, int32 attachment_id)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		InvoiceTableRow *table = lfirst(lc);

		if (DatumGetInt32(table->values[INVOICES_ID - 1]) == attachment_id)
		{
			add_value(row, table->values[INVOICES_TABLE - 1]);
			return;
		}
	}
	add_null(row);
}

/* Table, key, service and due date of a bill, or NULLs */
static void
add_item(RowMaker *row, List *tables, const RestrictionItem *item)
{
	if (item == NULL)
	{
		for (int i = 0; i < 4; i++)
			add_null(row);
		return;
	}
	add_table(row, tables, item->attachment_id);
	add_text(row, item->key);
	add_text(row, item->service);
	add_value(row, DateADTGetDatum(item->due));
}

/*
 * sla.restriction_history(account text, service text, from_at timestamptz,
 *						   to_at timestamptz, known_at timestamptz)
 */
Datum
slapolicy_restriction_history(PG_FUNCTION_ARGS)
{
	RestrictionQuestion question = {
		.account = text_argument(fcinfo, 0), .service = text_argument(fcinfo, 1),
		.known_at = time_argument(fcinfo, 4, "known_at"),
		.snapshot = GetActiveSnapshot()
	};
	TimestampTz from = time_argument(fcinfo, 2, "from_at");
	TimestampTz to = time_argument(fcinfo, 3, "to_at");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	RestrictionPeriod *periods;
	List	   *tables;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (TIMESTAMP_NOT_FINITE(to))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the end of a history must be finite")));
	if (question.account == NULL)
		return (Datum) 0;
	question.ledger = ledger_open(false);
	tables = invoice_table_rows(question.ledger);
	n = restriction_periods(&question, to, &periods);
	for (int i = 0; i < n; i++)
	{
		RowMaker	row = {.n = 0};

		if (i + 1 < n && periods[i + 1].from <= from)
			continue;
		add_value(&row, restriction_level_datum(periods[i].level));
		add_value(&row, TimestampTzGetDatum(periods[i].from));
		if (i + 1 < n)
			add_value(&row, TimestampTzGetDatum(periods[i + 1].from));
		else
			add_null(&row);
		add_text(&row, periods[i].policy);
		add_item(&row, tables, periods[i].anchor);
		add_value(&row, BoolGetDatum(periods[i].lasting));
		if (periods[i].override != NULL)
			add_value(&row, Int32GetDatum(periods[i].override->id));
		else
			add_null(&row);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.values,
							 row.nulls);
	}
	ledger_close(question.ledger);
	return (Datum) 0;
}

/* What an explanation says of a bill by itself */
static void
explain_item(ReturnSetInfo *rsinfo, int step, List *tables,
			 const RestrictionRule *rule, const RestrictionItem *item,
			 TimestampTz at, const RestrictionDetail *detail)
{
	RowMaker	row = {.n = 0};
	const InvoiceStretch *stretch = NULL;
	RestrictionLevel level = RESTRICTION_TERMINATION;
	const char *note;

	for (int i = 0; i < item->nstretches; i++)
		if (item->stretches[i].from <= at && at < item->stretches[i].to)
			stretch = &item->stretches[i];
	if (stretch == NULL)
		return;
	while (level > RESTRICTION_NONE && item->reaches[level] > at)
		level--;
	if (item->reaches[RESTRICTION_NONE] > at)
		note = restriction_days(rule, item->due, at) > 0 ?
			"due, in its grace" : "not overdue";
	else if (detail->invoice_id == item->invoice_id)
		note = "overdue, the earliest";
	else
		note = "overdue";
	add_value(&row, Int32GetDatum(step));
	add_text(&row, "invoice");
	add_value(&row, restriction_level_datum(level));
	if (level == RESTRICTION_NONE)
		add_null(&row);
	else
		add_value(&row, TimestampTzGetDatum(Max(item->reaches[level],
												stretch->from)));
	add_text(&row, item->policy);
	add_item(&row, tables, item);
	add_value(&row, Int32GetDatum((int32) restriction_days(rule, item->due, at)));
	if (stretch->has_open)
		add_value(&row, stretch->open);
	else
		add_null(&row);
	add_text(&row, note);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.values,
						 row.nulls);
}

static void
explain_line(ReturnSetInfo *rsinfo, int step, const char *kind,
			 const RestrictionDetail *detail, const char *note)
{
	RowMaker	row = {.n = 0};

	add_value(&row, Int32GetDatum(step));
	add_text(&row, kind);
	add_value(&row, restriction_level_datum(detail->level));
	if (detail->level == RESTRICTION_NONE && detail->override_id == 0)
		add_null(&row);
	else
		add_value(&row, TimestampTzGetDatum(detail->since));
	add_text(&row, detail->policy);
	for (int i = 0; i < 6; i++)
		add_null(&row);
	add_text(&row, note);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.values,
						 row.nulls);
}

/*
 * sla.explain_restriction(account text, service text, as_of timestamptz,
 *						   known_at timestamptz)
 */
Datum
slapolicy_explain_restriction(PG_FUNCTION_ARGS)
{
	RestrictionQuestion question = {
		.account = text_argument(fcinfo, 0), .service = text_argument(fcinfo, 1),
		.known_at = time_argument(fcinfo, 3, "known_at"),
		.snapshot = GetActiveSnapshot()
	};
	TimestampTz as_of = time_argument(fcinfo, 2, "as_of");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	RestrictionDetail detail;
	RestrictionItem *items;
	List	   *tables;
	ListCell   *lc;
	int			step = 1;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	restriction_at(question.account, question.service, as_of,
				   question.known_at, question.snapshot, &detail);
	explain_line(rsinfo, step++, "level", &detail,
				 detail.rule != NULL ? detail.rule : "nothing restricts it");
	if (detail.lifted_by != NULL && detail.level != RESTRICTION_NONE)
		explain_line(rsinfo, step++, "lifted by", &detail, detail.lifted_by);
	if (question.account == NULL)
		return (Datum) 0;

	question.ledger = ledger_open(false);
	tables = invoice_table_rows(question.ledger);
	n = restriction_items(question.ledger, question.account, question.known_at,
						  as_of, question.snapshot, &items);
	foreach(lc, restriction_policies(items, n))
	{
		const RestrictionRule *rule = invoice_rule(lfirst(lc), as_of);
		RestrictionItem **group;
		int			ngroup;

		if (rule == NULL)
			continue;
		ngroup = restriction_group(&question, rule, lfirst(lc), items, n,
								   &group);
		restriction_sort(group, ngroup);
		for (int i = 0; i < ngroup; i++)
			explain_item(rsinfo, step++, tables, rule, group[i], as_of, &detail);
	}
	ledger_close(question.ledger);
	return (Datum) 0;
}
