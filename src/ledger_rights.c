/*
 * ledger_rights.c
 *		Who may see the ledger through functions that bypass its privileges.
 *
 * Knows nothing of ticket tables and their owners.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include "ledger_rights.h"

bool
ledger_is_owned(Ledger *ledger)
{
	return object_ownercheck(RelationRelationId,
							 RelationGetRelid(ledger_table(ledger, LEDGER_TICKET)),
							 GetUserId());
}

static bool
may_select(Ledger *ledger, LedgerTable table)
{
	return pg_class_aclcheck(RelationGetRelid(ledger_table(ledger, table)),
							 GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

bool
ledger_may_read(Ledger *ledger)
{
	return ledger_is_owned(ledger) ||
		(may_select(ledger, LEDGER_TICKET) && may_select(ledger, LEDGER_EVENT));
}

void
ledger_check_may_read(Ledger *ledger)
{
	if (ledger_may_read(ledger))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for the ledger"),
			 errhint("Its owner can grant SELECT on sla.ticket and sla.event.")));
}
