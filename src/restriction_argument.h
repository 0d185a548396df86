/*
 * restriction_argument.h
 *		Arguments of SQL functions about restrictions, which may be null.
 */
#ifndef SLAPOLICY_RESTRICTION_ARGUMENT_H
#define SLAPOLICY_RESTRICTION_ARGUMENT_H

#include "slapolicy.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* A text, palloc'd; NULL: it is null */
static inline char *
text_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* A time, perhaps infinite. Raises 22004 when it is null. */
static inline TimestampTz
time_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return PG_GETARG_TIMESTAMPTZ(i);
}

#endif							/* SLAPOLICY_RESTRICTION_ARGUMENT_H */
