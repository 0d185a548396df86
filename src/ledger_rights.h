/*
 * ledger_rights.h
 *		Who may see the ledger through functions.
 */
#ifndef SLAPOLICY_LEDGER_RIGHTS_H
#define SLAPOLICY_LEDGER_RIGHTS_H

#include "ledger_tables.h"

/* Does the user own the ledger? */
extern bool ledger_is_owned(Ledger *ledger);

/* May he read tickets and events: is he the owner, or granted SELECT? */
extern bool ledger_may_read(Ledger *ledger);

/* Raise 42501 unless he may. */
extern void ledger_check_may_read(Ledger *ledger);

#endif							/* SLAPOLICY_LEDGER_RIGHTS_H */
