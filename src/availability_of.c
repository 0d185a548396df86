/*
 * availability_of.c
 *		The availability of a period as an aggregate over rows of facts, which
 *		may overlap and come in any order.
 *
 * Keeps the spans of each kind, cut off at the period. Before a long list
 * grows those that overlap are joined, so that memory is bounded by what is
 * apart.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "availability_terms.h"
#include "business_hours.h"
#include "timeline_cache.h"

PG_FUNCTION_INFO_V1(slapolicy_availability_of_step);
PG_FUNCTION_INFO_V1(slapolicy_availability_of_combine);
PG_FUNCTION_INFO_V1(slapolicy_availability_of_serial);
PG_FUNCTION_INFO_V1(slapolicy_availability_of_deserial);
PG_FUNCTION_INFO_V1(slapolicy_availability_of_final);

/* Arguments of the aggregate, after the state */
#define ARG_PERIOD		1
#define ARG_DURING		2
#define ARG_KIND		3
#define ARG_HOURS		4		/* this and the next: of the longer form */
#define ARG_UNKNOWN		5
#define ARG_ALIVE		6
#define ARG_YOUNG		7
#define NARGS			8

#define FIRST_ROOM		16		/* spans */
#define LONG_LIST		65536

typedef struct Gathered
{
	Span	   *spans;
	int64		n;
	int64		room;
} Gathered;

/* What a row says besides its fact */
typedef struct RowTerms
{
	AvailabilityTerms terms;
	bool		has_hours;		/* false: 24/7 */
	HoursDigest digest;
} RowTerms;

/*
 * Kept by the call site: what the last row said, word by word and as read,
 * because rows hardly ever differ in it. The number tells what is kept apart
 * from what was kept before.
 */
typedef struct LastTerms
{
	RowTerms	said;
	uint64		number;
	Size		size[NARGS];	/* of the words */
	char	   *words[NARGS];
} LastTerms;

typedef struct AvailabilityState
{
	Gathered	facts[SERVICE_FACTS];
	uint64		last_number;	/* of the last words that proved the same */
	MemoryContext context;
	RowTerms	said;
	Datum		hours;
} AvailabilityState;

/* The varlena arguments that hold terms, in both forms */
static const int term_arguments[] =
	{ARG_PERIOD, ARG_UNKNOWN, ARG_ALIVE, ARG_YOUNG};

static bool
terms_equal(const RowTerms *a, const RowTerms *b)
{
	const AvailabilityTerms *x = &a->terms;
	const AvailabilityTerms *y = &b->terms;

	return x->period.from == y->period.from && x->period.to == y->period.to &&
		x->life.from == y->life.from && x->life.to == y->life.to &&
		x->life_only == y->life_only && x->unknown == y->unknown &&
		a->has_hours == b->has_hours &&
		a->digest.lo == b->digest.lo && a->digest.hi == b->digest.hi;
}

static void
refuse_other_terms(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("rows of one group differ in what availability is to be measured by"),
			 errdetail("Only during and kind may differ between the rows of a group."),
			 errhint("Group by the period and whatever else differs.")));
}

/* Raises 22004 when a row of the longer form lacks something. */
static void
check_arguments(FunctionCallInfo fcinfo)
{
	static const char *const names[NARGS - ARG_HOURS] =
		{"hours", "unknown_counts", "alive", "young"};

	for (int i = ARG_HOURS; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i - ARG_HOURS])));
}

/* Does the row say word by word what is kept? */
static bool
says_the_same(FunctionCallInfo fcinfo, const LastTerms *last)
{
	for (int i = 0; i < (int) lengthof(term_arguments); i++)
	{
		int			argument = term_arguments[i];
		struct varlena *value;

		if (argument >= PG_NARGS())
			break;
		value = PG_GETARG_VARLENA_PP(argument);
		if (last->size[argument] != VARSIZE_ANY_EXHDR(value) ||
			memcmp(last->words[argument], VARDATA_ANY(value),
				   last->size[argument]) != 0)
			return false;
	}
	if (PG_NARGS() == NARGS)
	{
		HoursDigest digest = business_hours_digest(PG_GETARG_DATUM(ARG_HOURS));

		return digest.lo == last->said.digest.lo &&
			digest.hi == last->said.digest.hi;
	}
	return true;
}

/* Read what a row says; what the shorter form leaves out is as by default. */
static void
read_terms(FunctionCallInfo fcinfo, LastTerms *last)
{
	bool		all = PG_NARGS() == NARGS;

	last->number++;
	last->said.terms =
		availability_terms(PG_GETARG_RANGE_P(ARG_PERIOD),
						   all ? PG_GETARG_TEXT_PP(ARG_UNKNOWN) : NULL,
						   all ? PG_GETARG_RANGE_P(ARG_ALIVE) : NULL,
						   all ? PG_GETARG_TEXT_PP(ARG_YOUNG) : NULL);
	last->said.has_hours = all;
	if (all)
		last->said.digest = business_hours_digest(PG_GETARG_DATUM(ARG_HOURS));
	for (int i = 0; i < (int) lengthof(term_arguments); i++)
	{
		int			argument = term_arguments[i];
		struct varlena *value;

		if (argument >= PG_NARGS())
			break;
		value = PG_GETARG_VARLENA_PP(argument);
		if (last->words[argument] == NULL ||
			last->size[argument] < VARSIZE_ANY_EXHDR(value))
			last->words[argument] = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt,
													   VARSIZE_ANY(value));
		last->size[argument] = VARSIZE_ANY_EXHDR(value);
		memcpy(last->words[argument], VARDATA_ANY(value),
			   last->size[argument]);
	}
}

/* What the row says, as the call site keeps it */
static const LastTerms *
row_terms(FunctionCallInfo fcinfo)
{
	LastTerms  *last = fcinfo->flinfo->fn_extra;

	check_arguments(fcinfo);
	if (last == NULL)
	{
		last = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
									  sizeof(LastTerms));
		fcinfo->flinfo->fn_extra = last;
	}
	if (last->number == 0 || !says_the_same(fcinfo, last))
		read_terms(fcinfo, last);
	return last;
}

static AvailabilityState *
make_state(MemoryContext context, const RowTerms *said, Datum hours)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	AvailabilityState *state = palloc0(sizeof(AvailabilityState));

	state->context = context;
	state->said = *said;
	if (said->has_hours)
		state->hours = PointerGetDatum(PG_DETOAST_DATUM_COPY(hours));
	MemoryContextSwitchTo(old);
	return state;
}

/* Make room for so many more. Raises 53200 when memory runs out. */
static void
reserve(AvailabilityState *state, Gathered *list, int64 more)
{
	if (list->n + more <= list->room)
		return;
	if (list->n >= LONG_LIST)
	{
		list->n = spans_merge(list->spans, list->n);
		if (list->n + more <= list->room / 2)
			return;
	}
	list->room = Max(2 * list->room, Max(list->n + more, FIRST_ROOM));
	if (list->spans == NULL)
		list->spans = MemoryContextAllocHuge(state->context,
											 list->room * sizeof(Span));
	else
		list->spans = repalloc_huge(list->spans, list->room * sizeof(Span));
}

Datum
slapolicy_availability_of_step(PG_FUNCTION_ARGS)
{
	AvailabilityState *state = PG_ARGISNULL(0) ? NULL :
		(AvailabilityState *) PG_GETARG_POINTER(0);
	const LastTerms *last;
	MemoryContext context;
	Gathered   *list;
	Span		span;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "called outside an aggregate");
	if (PG_ARGISNULL(ARG_PERIOD))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	last = row_terms(fcinfo);
	if (state == NULL)
		state = make_state(context, &last->said,
						   last->said.has_hours ?
						   PG_GETARG_DATUM(ARG_HOURS) : (Datum) 0);
	else if (state->last_number != last->number &&
			 !terms_equal(&state->said, &last->said))
		refuse_other_terms();
	state->last_number = last->number;
	if (PG_ARGISNULL(ARG_DURING))
		PG_RETURN_POINTER(state);

	if (PG_ARGISNULL(ARG_KIND))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("kind must not be null where during is not")));
	list = &state->facts[service_fact(PG_GETARG_TEXT_PP(ARG_KIND))];
	if (span_of_range(PG_GETARG_RANGE_P(ARG_DURING), &span))
	{
		span.from = Max(span.from, last->said.terms.period.from);
		span.to = Min(span.to, last->said.terms.period.to);
		if (span.from < span.to)
		{
			reserve(state, list, 1);
			list->spans[list->n++] = span;
		}
	}
	PG_RETURN_POINTER(state);
}

Datum
slapolicy_availability_of_combine(PG_FUNCTION_ARGS)
{
	AvailabilityState *left = PG_ARGISNULL(0) ? NULL :
		(AvailabilityState *) PG_GETARG_POINTER(0);
	AvailabilityState *right = PG_ARGISNULL(1) ? NULL :
		(AvailabilityState *) PG_GETARG_POINTER(1);
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "called outside an aggregate");
	if (right == NULL)
	{
		if (left == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(left);
	}
	if (left == NULL)
		left = make_state(context, &right->said, right->hours);
	else if (!terms_equal(&left->said, &right->said))
		refuse_other_terms();

	for (int i = 0; i < SERVICE_FACTS; i++)
	{
		Gathered   *list = &left->facts[i];
		const Gathered *more = &right->facts[i];

		if (more->n == 0)
			continue;
		reserve(left, list, more->n);
		memcpy(list->spans + list->n, more->spans, more->n * sizeof(Span));
		list->n += more->n;
	}
	PG_RETURN_POINTER(left);
}

/* For another process of the same server: spans as they lie in memory */
Datum
slapolicy_availability_of_serial(PG_FUNCTION_ARGS)
{
	AvailabilityState *state = (AvailabilityState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "called outside an aggregate");
	pq_begintypsend(&buf);
	pq_sendbytes(&buf, (char *) &state->said, sizeof(RowTerms));
	for (int i = 0; i < SERVICE_FACTS; i++)
	{
		Gathered   *list = &state->facts[i];

		list->n = spans_merge(list->spans, list->n);
		pq_sendint64(&buf, list->n);
		if (list->n > 0)
			pq_sendbytes(&buf, (char *) list->spans, list->n * sizeof(Span));
	}
	if (state->said.has_hours)
		pq_sendbytes(&buf, DatumGetPointer(state->hours),
					 VARSIZE_ANY(DatumGetPointer(state->hours)));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* In CurrentMemoryContext; combining copies what it keeps. */
Datum
slapolicy_availability_of_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	AvailabilityState *state;
	StringInfoData buf;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "called outside an aggregate");
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	state = palloc0(sizeof(AvailabilityState));
	state->context = CurrentMemoryContext;
	pq_copymsgbytes(&buf, (char *) &state->said, sizeof(RowTerms));
	for (int i = 0; i < SERVICE_FACTS; i++)
	{
		Gathered   *list = &state->facts[i];

		list->room = pq_getmsgint64(&buf);
		if (list->room == 0)
			continue;
		list->spans = MemoryContextAllocHuge(state->context,
											 list->room * sizeof(Span));
		list->n = list->room;
		pq_copymsgbytes(&buf, (char *) list->spans, list->n * sizeof(Span));
	}
	if (state->said.has_hours)
	{
		int			size = buf.len - buf.cursor;
		char	   *hours = palloc(size);

		pq_copymsgbytes(&buf, hours, size);
		state->hours = PointerGetDatum(hours);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* Joins spans in place, which changes nothing for rows still to come. */
Datum
slapolicy_availability_of_final(PG_FUNCTION_ARGS)
{
	AvailabilityState *state;
	AvailabilityWalk walk;
	ServiceSpans facts[SERVICE_FACTS];
	Timeline   *hours = NULL;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (AvailabilityState *) PG_GETARG_POINTER(0);
	for (int i = 0; i < SERVICE_FACTS; i++)
	{
		Gathered   *list = &state->facts[i];

		list->n = spans_merge(list->spans, list->n);
		facts[i].spans = list->spans;
		facts[i].n = list->n;
	}
	if (state->said.has_hours)
	{
		hours = timeline_get(NULL, state->hours);
		if (timeline_is_always(hours))
			hours = NULL;
	}
	availability_begin(&walk, &state->said.terms, hours, facts);
	PG_RETURN_DATUM(availability_result(fcinfo, &walk,
										state->said.terms.unknown));
}
