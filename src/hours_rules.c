/*
 * hours_rules.c
 *		What the rules of a calendar have in common however they came about:
 *		canonical days, programs that join parts, and limits.
 *
 * Pure, like hours_text.c: no fmgr, no SPI, no time-zone data.
 */
#include "postgres.h"

#include "hours_text.h"

#define DAY_SECS	((int32) SECS_PER_DAY)

static int
span_cmp(const void *a, const void *b)
{
	const HoursSpan *x = a;
	const HoursSpan *y = b;

	if (x->open != y->open)
		return x->open < y->open ? -1 : 1;
	if (x->close != y->close)
		return x->close < y->close ? -1 : 1;
	return 0;
}

int32
hours_spans_normalise(HoursSpan *spans, int32 nspans)
{
	int32		last = 0;

	if (nspans == 0)
		return 0;
	qsort(spans, nspans, sizeof(HoursSpan), span_cmp);
	for (int32 i = 1; i < nspans; i++)
	{
		if (spans[i].open <= spans[last].close)
			spans[last].close = Max(spans[last].close, spans[i].close);
		else
			spans[++last] = spans[i];
	}
	return last + 1;
}

static bool
is_whole_day(const HoursDay *day)
{
	return day->nspans == 1 && day->spans[0].open == 0 &&
		day->spans[0].close == DAY_SECS;
}

bool
hours_part_is_always(const HoursPart *part)
{
	if (strcmp(part->zone, "UTC") != 0 || part->nspecials != 0 ||
		part->nyearly != 0 || part->neaster != 0)
		return false;
	for (int d = 0; d < 7; d++)
	{
		if (!is_whole_day(&part->week[d]))
			return false;
	}
	return true;
}

HoursRules *
hours_rules_make(int32 nparts)
{
	HoursRules *rules = palloc(sizeof(HoursRules));

	rules->nparts = nparts;
	rules->parts = palloc0(nparts * sizeof(HoursPart));
	rules->program = palloc0(hours_program_length(rules));
	return rules;
}

int
hours_program_operand(const int8 *steps, int end)
{
	int			missing = 1;

	while (missing > 0)
		missing += steps[--end] < 0 ? 1 : -1;
	return end;
}

void
hours_program_join(int8 *steps, int nleft, int nright, HoursOp op)
{
	int			end = nleft + nright;
	int			at = end;

	/*
	 * The right operand's own operators of the same kind, if they come last,
	 * are a chain that the left one can begin: put the new operator behind
	 * the first link.
	 */
	if (op != HOURS_EXCEPT)
	{
		while (steps[at - 1] == op)
			at = hours_program_operand(steps, at - 1);
	}
	memmove(steps + at + 1, steps + at, end - at);
	steps[at] = op;
}

bool
hours_program_is_valid(const HoursRules *rules)
{
	int			depth = 0;
	int			nparts = 0;

	for (int i = 0; i < hours_program_length(rules); i++)
	{
		int8		step = rules->program[i];

		if (step < 0)
		{
			if (step < HOURS_EXCEPT || depth < 2)
				return false;
			depth--;
		}
		else
		{
			if (step != nparts)
				return false;
			nparts++;
			depth++;
		}
	}
	return depth == 1 && nparts == rules->nparts;
}

/* The limits that do not belong to one token, over all parts. */
bool
hours_rules_check_limits(const HoursRules *rules, Node *escontext)
{
	int64		nspans = 0;
	int64		nspecials = 0;

	for (int32 i = 0; i < rules->nparts; i++)
	{
		const HoursPart *part = &rules->parts[i];

		for (int d = 0; d < 7; d++)
			nspans += part->week[d].nspans;
		for (int32 s = 0; s < part->nspecials; s++)
			nspans += part->specials[s].day.nspans;
		for (int32 y = 0; y < part->nyearly; y++)
			nspans += part->yearly[y].day.nspans;
		for (int32 e = 0; e < part->neaster; e++)
			nspans += part->easter[e].day.nspans;
		nspecials += part->nspecials + part->nyearly + part->neaster;
	}
	if (nspans > HOURS_MAX_SPANS)
		ereturn(escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours have too many opening times"),
				 errdetail("There are " INT64_FORMAT " over all weekdays and special dates; at most %d are supported.",
						   nspans, HOURS_MAX_SPANS)));
	if (nspecials > HOURS_MAX_SPECIALS)
		ereturn(escontext, false,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("business hours have too many special dates"),
				 errdetail("There are " INT64_FORMAT "; at most %d are supported.",
						   nspecials, HOURS_MAX_SPECIALS)));
	return true;
}
