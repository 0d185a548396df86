/*
 * restriction_functions.c
 *		Levels of restriction for SQL: the level now and what it allows.
 *
 * Whoever may call them may ask about any account; sla.restriction and its
 * like are for whoever the owner of the bills grants them to.
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "invoice_record.h"
#include "restriction.h"
#include "restriction_argument.h"

PG_FUNCTION_INFO_V1(slapolicy_restriction);
PG_FUNCTION_INFO_V1(slapolicy_is_allowed);
PG_FUNCTION_INFO_V1(slapolicy_overdue_before);

/* sla.restriction(account, service, as_of, known_at) */
Datum
slapolicy_restriction(PG_FUNCTION_ARGS)
{
	RestrictionLevel level;

	level = restriction_at(text_argument(fcinfo, 0), text_argument(fcinfo, 1),
						   time_argument(fcinfo, 2, "as_of"),
						   time_argument(fcinfo, 3, "known_at"),
						   GetActiveSnapshot(), NULL);
	PG_RETURN_DATUM(restriction_level_datum(level));
}

/* sla.is_allowed(account, action, as_of, security_release, service) */
Datum
slapolicy_is_allowed(PG_FUNCTION_ARGS)
{
	char	   *action = text_argument(fcinfo, 1);

	if (action == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("action must not be null")));
	PG_RETURN_BOOL(restriction_allows(text_argument(fcinfo, 0),
									  text_argument(fcinfo, 4), action,
									  !PG_ARGISNULL(3) && PG_GETARG_BOOL(3),
									  time_argument(fcinfo, 2, "as_of"),
									  GetActiveSnapshot(), NULL, NULL));
}

static bool
is_overdue(const RestrictionRule *rule, int64 due, TimestampTz at)
{
	return restriction_reaches(rule, (DateADT) due, RESTRICTION_NONE) <= at;
}

/* sla.overdue_before(policy, at): what is due later is overdue later. */
Datum
slapolicy_overdue_before(PG_FUNCTION_ARGS)
{
	const int64 first = DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE;
	TimestampTz at = time_argument(fcinfo, 1, "at");
	const RestrictionRule *rule = invoice_rule(text_argument(fcinfo, 0), at);
	int64		due;
	int64		before;
	int64		step = 1;

	if (rule == NULL || TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	before = restriction_date(rule, at) + 1;
	for (due = before - 1; due > first && !is_overdue(rule, due, at); step *= 2)
	{
		before = due;
		due -= step;
	}
	if (due <= first)
	{
		due = first;
		if (!is_overdue(rule, due, at))
			PG_RETURN_DATEADT(DATEVAL_NOBEGIN);
	}
	while (before - due > 1)
	{
		int64		middle = due + (before - due) / 2;

		if (is_overdue(rule, middle, at))
			due = middle;
		else
			before = middle;
	}
	PG_RETURN_DATEADT((DateADT) before);
}
