/*
 * alert_pass.c
 *		Whose rights passes act with, and a whole pass called by hand.
 *
 * Must not know what is flagged, nor what time it is.
 */
#include "slapolicy.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "alert_notify.h"
#include "alert_pass.h"
#include "extension.h"
#include "guc.h"

static Oid	acting_role = InvalidOid;

void
alert_pass_begin(AlertPass *pass, TimestampTz from)
{
	memset(pass, 0, sizeof(AlertPass));
	pass->after_at = from;
	pass->after_id = PG_INT64_MIN;
	pass->context = CurrentMemoryContext;
}

void
alert_pass_next_batch(AlertPass *pass)
{
	pass->nids = 0;
	pass->ids = NULL;
	pass->room = 0;
	pass->about = NULL;
}

void
alert_pass_add(AlertPass *pass, int64 id)
{
	if (pass->ids == NULL)
	{
		pass->room = 64;
		pass->ids = MemoryContextAlloc(pass->context,
									   pass->room * sizeof(int64));
	}
	else if (pass->nids == pass->room)
	{
		pass->room *= 2;
		pass->ids = repalloc_huge(pass->ids, pass->room * sizeof(int64));
	}
	pass->ids[pass->nids++] = id;
}

void
alert_pass_turn(AlertPass *pass, const char *about)
{
	if (pass->about != NULL)
		pfree(pass->about);
	pass->about = about == NULL ? NULL :
		MemoryContextStrdup(pass->context, about);
}

bool
alert_pass_leaves_out(const AlertPass *pass)
{
	ListCell   *lc;

	if (pass->about == NULL)
		return false;
	foreach(lc, pass->left_out)
		if (strcmp(lfirst(lc), pass->about) == 0)
			return true;
	return false;
}

int64
alert_pass_by_hand(AlertBatch batch, TimestampTz now, const char *channel,
				   const char *what)
{
	bool		notify = slapolicy_notify;
	int64		flagged = 0;
	AlertPass	pass;

	if (TIMESTAMP_NOT_FINITE(now))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time up to which %s are flagged must be finite",
						what)));
	alert_pass_begin(&pass, DT_NOBEGIN);
	do
	{
		bool		found;

		CHECK_FOR_INTERRUPTS();
		/* what the batch before has written is seen, and others' commits */
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
		found = batch(&pass, now, slapolicy_batch_size);
		PopActiveSnapshot();
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("extension \"slapolicy\" does not exist")));
		flagged += pass.nids;
		if (notify && pass.nids > 0 &&
			!alert_send(channel, pass.ids, pass.nids))
		{
			ereport(WARNING,
					(errmsg("alerts are flagged without notification"),
					 errdetail("The server's notification queue is nearly full.")));
			notify = false;
		}
		if (pass.ids != NULL)
			pfree(pass.ids);
	} while (!pass.done);
	return flagged;
}

/* ---------- rights ---------- */

void
alert_act_as(Oid role)
{
	acting_role = role;
}

void
alert_pin_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

bool
alert_borrow_rights(AlertRights *rights, Oid *role)
{
	Extension	extension;
	Oid			acting;

	if (!extension_lock(&extension))
		return false;
	acting = OidIsValid(acting_role) ? acting_role : extension.owner;
	if (role != NULL)
		*role = acting;
	GetUserIdAndSecContext(&rights->userid, &rights->sec_context);
	SetUserIdAndSecContext(acting, rights->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	rights->guc_level = NewGUCNestLevel();
	alert_pin_setting("search_path", "pg_catalog, pg_temp");
	return true;
}

void
alert_return_rights(const AlertRights *rights)
{
	AtEOXact_GUC(false, rights->guc_level);
	SetUserIdAndSecContext(rights->userid, rights->sec_context);
}
