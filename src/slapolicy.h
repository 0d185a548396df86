/*
 * slapolicy.h
 *		What every file of the module shares: units and exported names.
 *
 * Knows nothing of any one type or table; those have headers of their own.
 */
#ifndef SLAPOLICY_H
#define SLAPOLICY_H

#include "postgres.h"

#include "fmgr.h"
#include "datatype/timestamp.h"
#include "utils/timestamp.h"

#include "compat.h"

/* Working time is counted in whole seconds inside a timeline, in microseconds outside. */
#define SLA_SECS_PER_DAY	INT64CONST(86400)
#define SLA_SECS_PER_WEEK	(7 * SLA_SECS_PER_DAY)
#define SLA_USECS_PER_WEEK	(SLA_SECS_PER_WEEK * USECS_PER_SEC)

#endif							/* SLAPOLICY_H */
