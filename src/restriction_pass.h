/*
 * restriction_pass.h
 *		How a pass over restrictions runs its statements; for restriction_alert.c
 *		alone.
 */
#ifndef SLAPOLICY_RESTRICTION_PASS_H
#define SLAPOLICY_RESTRICTION_PASS_H

#include "slapolicy.h"
#include "executor/spi.h"
#include "storage/lockdefs.h"
#include "alert_pass.h"

/* A statement; its plan is kept for the life of the backend */
typedef struct PassStatement
{
	const char *text;
	SPIPlanPtr	plan;
} PassStatement;

/*
 * From enter to leave statements run as the role that passes act as, with
 * settings that nobody else chose. False when there is no extension; otherwise
 * it cannot be dropped until the transaction ends. An error gives everything
 * back.
 */
extern bool pass_enter(AlertRights *rights);
extern void pass_leave(const AlertRights *rights);

/*
 * Is there neither an invoice nor an override? Then nobody needs the right to
 * look.
 */
extern bool pass_has_nothing(void);

/*
 * Lock sla.invoice until the transaction ends; false, without wait, when others
 * hold locks that this one conflicts with.
 */
extern bool pass_lock_bills(LOCKMODE mode, bool wait);

/* Run a statement, planned at its first use. nulls: as SPI has them, or NULL */
extern void pass_execute(PassStatement *statement, int nargs, Oid *types,
						 Datum *values, const char *nulls, int expected);

/* A column of the current result; as text palloc'd, NULL when it is null */
extern Datum pass_value(uint64 row, int column, bool *isnull);
extern char *pass_text(uint64 row, int column);

#endif							/* SLAPOLICY_RESTRICTION_PASS_H */
