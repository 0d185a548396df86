/*
 * restriction_pass.c
 *		How a pass over restrictions runs its statements, and what else reaches
 *		its queue: when the next look is due, changes of rules, overrides.
 *
 * Must not know what time it is, nor what levels are.
 */
#include "slapolicy.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "ledger_tables.h"
#include "restriction_alert.h"
#include "restriction_pass.h"
#include "worker.h"

PG_FUNCTION_INFO_V1(slapolicy_restriction_rule_written);
PG_FUNCTION_INFO_V1(slapolicy_restriction_override_written);

static PassStatement find_pending = {
	.text = "SELECT LEAST((SELECT i.next_change_at FROM sla.invoice i"
	"               WHERE i.next_change_at OPERATOR(pg_catalog.>=) $1"
	"               ORDER BY i.next_change_at, i.id LIMIT 1),"
	"             (SELECT o.next_change_at FROM sla.restriction_override o"
	"               WHERE o.next_change_at OPERATOR(pg_catalog.>=) $1"
	"               ORDER BY o.next_change_at, o.id LIMIT 1)),"
	"       LEAST((SELECT i.next_change_at FROM sla.invoice i"
	"               WHERE i.next_change_at OPERATOR(pg_catalog.>) $2"
	"               ORDER BY i.next_change_at, i.id LIMIT 1),"
	"             (SELECT o.next_change_at FROM sla.restriction_override o"
	"               WHERE o.next_change_at OPERATOR(pg_catalog.>) $2"
	"               ORDER BY o.next_change_at, o.id LIMIT 1))"
};

static PassStatement queue_policy = {
	.text = "UPDATE sla.invoice i SET next_change_at = $2"
	" WHERE i.policy OPERATOR(pg_catalog.=) $1"
	"   AND i.counts_until OPERATOR(pg_catalog.>) $2"
	"   AND (i.next_change_at IS NULL"
	"        OR i.next_change_at OPERATOR(pg_catalog.>) $2)"
};

static PassStatement has_bills = {
	.text = "SELECT FROM sla.invoice_attachment a"
	" WHERE a.policy OPERATOR(pg_catalog.=) $1 LIMIT 1"
};

static PassStatement find_version = {
	.text = "SELECT v.policy, v.effective_from FROM sla.policy_version v"
	" WHERE v.id OPERATOR(pg_catalog.=) $1"
};

/*
 * The queue may be filled and emptied faster than statistics follow: the
 * planner is left the indexes alone.
 */
bool
pass_enter(AlertRights *rights)
{
	if (!alert_borrow_rights(rights, NULL))
		return false;
	alert_pin_setting("session_replication_role", "replica");
	alert_pin_setting("enable_seqscan", "off");
	alert_pin_setting("enable_bitmapscan", "off");
	alert_pin_setting("enable_sort", "off");
	alert_pin_setting("jit", "off");
	SPI_connect();
	return true;
}

void
pass_leave(const AlertRights *rights)
{
	SPI_finish();
	alert_return_rights(rights);
}

bool
pass_has_nothing(void)
{
	static const char *const tables[] = {"invoice", "restriction_override"};
	Oid			namespace = get_namespace_oid("sla", false);
	bool		nothing = true;

	for (size_t i = 0; i < lengthof(tables) && nothing; i++)
	{
		Relation	rel = table_open(get_relname_relid(tables[i], namespace),
									 AccessShareLock);

		nothing = RelationGetNumberOfBlocks(rel) == 0;
		table_close(rel, AccessShareLock);
	}
	return nothing;
}

/*
 * Is a plan for arguments of these types? An extension that was dropped and
 * created has types of its own.
 */
static bool
plan_fits(SPIPlanPtr plan, int nargs, const Oid *types)
{
	for (int i = 0; i < nargs; i++)
		if (SPI_getargtypeid(plan, i) != types[i])
			return false;
	return true;
}

void
pass_execute(PassStatement *statement, int nargs, Oid *types, Datum *values,
			 const char *nulls, int expected)
{
	int			rc;

	if (statement->plan != NULL && !plan_fits(statement->plan, nargs, types))
	{
		SPI_freeplan(statement->plan);
		statement->plan = NULL;
	}
	if (statement->plan == NULL)
	{
		SPIPlanPtr	made = SPI_prepare_cursor(statement->text, nargs, types,
											  CURSOR_OPT_GENERIC_PLAN);

		if (made == NULL)
			elog(ERROR, "could not prepare: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(made);
		statement->plan = made;
	}
	rc = SPI_execute_plan(statement->plan, values, nulls, false, 0);
	if (rc != expected)
		elog(ERROR, "unexpected result of the restriction pass: %s",
			 SPI_result_code_string(rc));
}

Datum
pass_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 column, isnull);
}

char *
pass_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

bool
restriction_pending(TimestampTz from, TimestampTz now,
					TimestampTz *oldest, TimestampTz *upcoming)
{
	AlertRights rights;
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		args[2];
	TimestampTz *out[2];

	out[0] = oldest;
	out[1] = upcoming;
	*oldest = *upcoming = DT_NOEND;
	if (!pass_enter(&rights))
		return false;
	if (pass_has_nothing())
	{
		pass_leave(&rights);
		return true;
	}
	args[0] = TimestampTzGetDatum(from);
	args[1] = TimestampTzGetDatum(now);
	pass_execute(&find_pending, 2, types, args, NULL, SPI_OK_SELECT);
	for (int i = 0; i < 2; i++)
	{
		bool		isnull;
		Datum		value = pass_value(0, i + 1, &isnull);

		*out[i] = isnull ? DT_NOEND : DatumGetTimestampTz(value);
	}
	pass_leave(&rights);
	return true;
}

static TriggerData *
check_trigger(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s must be fired %s for each row",
						name, "AFTER INSERT, UPDATE OR DELETE")));
	return trigdata;
}

bool
pass_lock_bills(LOCKMODE mode, bool wait)
{
	Oid			relid = get_relname_relid("invoice",
										  get_namespace_oid("sla", false));

	if (!wait)
		return ConditionalLockRelationOid(relid, mode);
	LockRelationOid(relid, mode);
	return true;
}

/*
 * What is open under a policy has to be looked at from an instant on. Whoever
 * is writing bills comes first: he does not know of the version, and must not
 * have to wait for us while we wait for him.
 */
static void
queue_bills(Datum policy, TimestampTz from)
{
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID};
	TimestampTz at = Max(from, GetCurrentStatementStartTimestamp());
	Datum		args[2] = {policy, TimestampTzGetDatum(at)};

	pass_execute(&has_bills, 1, types, args, NULL, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return;
	(void) pass_lock_bills(ShareRowExclusiveLock, true);
	pass_execute(&queue_policy, 2, types, args, NULL, SPI_OK_UPDATE);
	if (SPI_processed > 0)
		worker_note_due(at);
}

/*
 * Trigger on sla.policy_version and sla.restriction_rule: a version may change
 * levels by what it says of bills, and by saying nothing. Not while a dump is
 * restored, which brings the queue along.
 */
Datum
slapolicy_restriction_rule_written(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "restriction_rule_written");
	bool		is_version = strcmp(RelationGetRelationName(trigdata->tg_relation),
									"policy_version") == 0;
	TupleTableSlot *rows[2] = {trigdata->tg_trigslot, NULL};
	AlertRights rights;

	if (!check_function_bodies || !pass_enter(&rights))
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		rows[1] = trigdata->tg_newslot;
	for (int i = 0; i < 2 && rows[i] != NULL; i++)
	{
		Oid			types[] = {INT4OID};
		Datum		id;
		Datum		policy;
		Datum		from;
		bool		isnull;

		if (is_version)
		{
			policy = slot_getattr(rows[i], 2, &isnull);
			from = slot_getattr(rows[i], 3, &isnull);
		}
		else
		{
			id = slot_getattr(rows[i], 1, &isnull);
			pass_execute(&find_version, 1, types, &id, NULL, SPI_OK_SELECT);
			if (SPI_processed == 0)
				continue;
			policy = pass_value(0, 1, &isnull);
			from = pass_value(0, 2, &isnull);
		}
		queue_bills(policy, DatumGetTimestampTz(from));
	}
	pass_leave(&rights);
	return PointerGetDatum(NULL);
}

/* Trigger on sla.restriction_override: the worker has to know. */
Datum
slapolicy_restriction_override_written(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo,
										  "restriction_override_written");
	bool		isnull;
	Datum		at = slot_getattr(trigdata->tg_trigslot,
								  OVERRIDE_NEXT_CHANGE_AT, &isnull);

	if (!isnull)
		worker_note_due(DatumGetTimestampTz(at));
	return PointerGetDatum(NULL);
}
