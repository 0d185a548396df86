/*
 * as_owner.h
 *		Doing something with a table as its owner.
 */
#ifndef SLAPOLICY_AS_OWNER_H
#define SLAPOLICY_AS_OWNER_H

#include "slapolicy.h"
#include "utils/relcache.h"

/* What to go back to */
typedef struct AsOwner
{
	Oid			user;
	int			sec_context;
	int			guc_level;
} AsOwner;

/*
 * From begin to end, what a table's own expressions, types and indexes call
 * runs as the table's owner, security-restricted, with a search_path that
 * nobody else chose; what it sets does not outlast it. An error ends it, too.
 */
extern void as_owner_begin(AsOwner *before, Relation rel);
extern void as_owner_end(AsOwner *before);

#endif							/* SLAPOLICY_AS_OWNER_H */
