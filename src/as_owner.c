/*
 * as_owner.c
 *		Doing something with a table as its owner.
 *
 * Knows nothing of what is done.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rel.h"

#include "as_owner.h"

void
as_owner_begin(AsOwner *before, Relation rel)
{
	GetUserIdAndSecContext(&before->user, &before->sec_context);
	before->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	SetUserIdAndSecContext(rel->rd_rel->relowner,
						   before->sec_context |
						   SECURITY_RESTRICTED_OPERATION);
}

void
as_owner_end(AsOwner *before)
{
	AtEOXact_GUC(false, before->guc_level);
	SetUserIdAndSecContext(before->user, before->sec_context);
}
