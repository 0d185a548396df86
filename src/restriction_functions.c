/*
 * restriction_functions.c
 *		Levels of restriction for SQL: the level now and what it allows.
 *
 * Whoever may call them may ask about any account; sla.restriction and its
 * like are for whoever the owner of the bills grants them to.
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "restriction.h"
#include "restriction_argument.h"

PG_FUNCTION_INFO_V1(slapolicy_restriction);
PG_FUNCTION_INFO_V1(slapolicy_is_allowed);

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
