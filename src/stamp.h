/*
 * stamp.h
 *		What the triggers share with whatever else stamps rows.
 */
#ifndef SLAPOLICY_STAMP_H
#define SLAPOLICY_STAMP_H

#include "attachment.h"
#include "record.h"

/* The due time a plan gives a stamped column; *isnull when it gives none */
extern TimestampTz stamp_for(const StampColumn *stamp, const TicketPlan *plan,
							 bool *isnull);

/* Raise 23514: a row that no policy covers, in a table that rejects those */
pg_noreturn extern void reject_row(Relation rel, const char *key,
								   const char *problem);

#endif							/* SLAPOLICY_STAMP_H */
