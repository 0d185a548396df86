/*
 * edition.h
 *		What a policy version said when a ticket came under it.
 *
 * Tickets are held to an edition, which never changes, so that no edit of a
 * policy table, calendar or holiday reaches a ticket by itself.
 */
#ifndef SLAPOLICY_EDITION_H
#define SLAPOLICY_EDITION_H

#include "slapolicy.h"
#include "ledger_tables.h"
#include "policy.h"

/*
 * The id of the edition of a version that says what it says now; written when
 * there is none, for which the ledger must be open for writing.
 */
extern int32 edition_of(Ledger *ledger, const PolicyVersion *version);

/*
 * An edition as a version. Valid until the next call. NULL, and *problem a
 * palloc'd sentence without a full stop, when there is none or it cannot be
 * read.
 */
extern const PolicyVersion *edition_get(Ledger *ledger, int32 version_id,
										int32 edition_id, char **problem);

/* The hours of an id, palloc'd. Raises XX001 when they are gone. */
extern Datum edition_hours(Ledger *ledger, int32 hours_id);

#endif							/* SLAPOLICY_EDITION_H */
