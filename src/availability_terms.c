/*
 * availability_terms.c
 *		The arguments and results that the availability functions share.
 *
 * Only translates between SQL and availability.c.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "availability_terms.h"
#include "calendar.h"

#define WORDS_MAX	3

static const char *const unknown_words[WORDS_MAX] = {"ignore", "up", "down"};
static const char *const young_words[WORDS_MAX] = {"period", "life"};
static const char *const state_names[SERVICE_STATES] =
	{"excluded", "down", "unknown", "up"};

/* Which of the words it is; raises 22023 when none, naming the argument. */
static int
word_index(const text *value, const char *const *words, int nwords,
		   const char *argument)
{
	const char *data = VARDATA_ANY(value);
	size_t		len = VARSIZE_ANY_EXHDR(value);
	StringInfoData known;

	for (int i = 0; i < nwords && words[i] != NULL; i++)
		if (strlen(words[i]) == len && memcmp(words[i], data, len) == 0)
			return i;

	initStringInfo(&known);
	for (int i = 0; i < nwords && words[i] != NULL; i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", words[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%.*s\" is not a value of %s",
					pg_mbcliplen(data, len, 100), data, argument),
			 errhint("There are: %s.", known.data)));
	return 0;					/* keep compiler quiet */
}

AvailabilityTerms
availability_terms(const RangeType *period, const text *unknown_counts,
				   const RangeType *alive, const text *young)
{
	AvailabilityTerms terms = {0};
	int64		length;

	if (span_of_range(period, &terms.period))
	{
		if (TIMESTAMP_NOT_FINITE(terms.period.from) ||
			TIMESTAMP_NOT_FINITE(terms.period.to))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("cannot measure the availability in an unbounded period"),
					 errhint("Give the period two finite bounds.")));
		if (pg_sub_s64_overflow(terms.period.to, terms.period.from, &length))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("interval out of range")));
	}
	else
		terms.period.from = terms.period.to = 0;
	terms.life.from = DT_NOBEGIN;
	terms.life.to = DT_NOEND;
	if (alive != NULL && !span_of_range(alive, &terms.life))
		terms.life.from = terms.life.to = 0;
	if (unknown_counts != NULL)
		terms.unknown = word_index(unknown_counts, unknown_words, WORDS_MAX,
								   "unknown_counts");
	if (young != NULL)
		terms.life_only = word_index(young, young_words, WORDS_MAX,
									 "young") == 1;
	return terms;
}

const char *
service_state_name(ServiceState state)
{
	return state_names[state];
}

ServiceState
service_fact(const text *kind)
{
	/* asked for each row; most of them are this */
	if (VARSIZE_ANY_EXHDR(kind) == 4 &&
		memcmp(VARDATA_ANY(kind), "down", 4) == 0)
		return SERVICE_DOWN;
	return word_index(kind, state_names, SERVICE_FACTS, "kind");
}

Datum
availability_result(FunctionCallInfo fcinfo, AvailabilityWalk *walk,
					UnknownCounts unknown)
{
	TupleDesc	row = fcinfo->flinfo->fn_extra;
	int64		sums[SERVICE_STATES];
	int64		measured;
	int64		percent = PERCENT_WHOLE;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (row == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		row = BlessTupleDesc(CreateTupleDescCopy(row));
		fcinfo->flinfo->fn_extra = row;
		MemoryContextSwitchTo(old);
	}
	availability_sum(walk, sums);
	measured = availability_measured(sums, unknown);
	values[0] = IntervalPGetDatum(interval_of_usecs(measured));
	values[1] = IntervalPGetDatum(interval_of_usecs(sums[SERVICE_UP]));
	values[2] = IntervalPGetDatum(interval_of_usecs(sums[SERVICE_DOWN]));
	values[3] = IntervalPGetDatum(interval_of_usecs(sums[SERVICE_UNKNOWN]));
	values[4] = IntervalPGetDatum(interval_of_usecs(sums[SERVICE_EXCLUDED]));
	if (measured > 0)
		percent = availability_percent(availability_good(sums, unknown),
									   measured);
	else
		nulls[5] = sums[SERVICE_EXCLUDED] == 0 || sums[SERVICE_UNKNOWN] > 0;
	values[5] = NumericGetDatum(int64_div_fast_to_numeric(percent,
														  PERCENT_SCALE));
	return HeapTupleGetDatum(heap_form_tuple(row, values, nulls));
}
