/*
 * guard.c
 *		The trigger of a guarded table: refuses rows of accounts that are cut
 *		off, and requests against a rule of notice.
 *
 * It fires AFTER the row was written, first by name: it sees what triggers
 * before it have made of the row, and no row that ON CONFLICT dropped; what
 * comes later and changes the row fires it again. What it asks for is read as
 * it is committed by then, whatever snapshot the transaction has, and without
 * the writer's rights.
 *
 * Knows nothing of what levels and rules say, nor how columns are read.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "as_owner.h"
#include "guard.h"
#include "moved_row.h"
#include "restriction.h"
#include "same_text.h"

PG_FUNCTION_INFO_V1(slapolicy_check_guard);

/* What is wrong with a row, in sentences */
typedef struct Refusal
{
	int			sqlstate;		/* 0: nothing */
	StringInfoData message;
	StringInfoData detail;
	StringInfoData hint;
} Refusal;

/* ---------- rows that move ---------- */

/* Keep what a row says before it moves. */
static void
keep_moving(const Guard *guard, Relation rel, TupleTableSlot *slot)
{
	int			nkeys;
	AttrNumber *keys = moved_row_keys(rel, &nkeys);

	moved_row_keep(MOVED_GUARDED, guard->id, rel, slot, nkeys, keys,
				   guard->ncolumns, guard_read_row(guard, slot));
}

/*
 * What a row that is inserted said in another partition; NULL: it is new, and
 * so is one that no key identifies.
 */
static char **
said_elsewhere(const Guard *guard, Relation rel, TupleTableSlot *slot)
{
	int			nkeys;
	AttrNumber *keys = moved_row_keys(rel, &nkeys);
	int			ntexts;
	char	  **texts = moved_row_arrived(MOVED_GUARDED, guard->id, rel, slot,
										  nkeys, keys, &ntexts);

	return texts != NULL && ntexts == guard->ncolumns ? texts : NULL;
}

/* ---------- what is wrong ---------- */

static void
add_sentence(StringInfo text, const char *separator, const char *sentence)
{
	if (text->len > 0)
		appendStringInfoString(text, separator);
	appendStringInfoString(text, sentence);
}

/* At most so much of what a writer wrote */
static char *
clipped(const char *text)
{
	return psprintf("%.*s", pg_mbcliplen(text, strlen(text), 64), text);
}

static char *
instant_text(TimestampTz t)
{
	return TIMESTAMP_IS_NOBEGIN(t) ? pstrdup("ever") :
		pstrdup(timestamptz_to_str(t));
}

/* ISO, whatever the session's settings are */
static char *
date_text(DateADT date)
{
	char		buf[MAXDATELEN + 1];

	return pstrdup(JsonEncodeDateTime(buf, DateADTGetDatum(date), DATEOID,
									  NULL));
}

/* May the account do that? */
static void
check_restriction(const Guard *guard, Relation rel, char **row, TimestampTz now,
				  Refusal *refusal)
{
	const char *account = guard_text(guard, row, GUARD_ACCOUNT);
	const char *release = guard_text(guard, row, GUARD_SECURITY_RELEASE);
	RestrictionLevel needed;
	RestrictionDetail why;

	if (guard->action == NULL || account == NULL ||
		restriction_allows(account, guard_text(guard, row, GUARD_SERVICE),
						   guard->action,
						   release != NULL && strcmp(release, "t") == 0,
						   guard_time(guard, row, GUARD_AS_OF, now), NULL,
						   &needed, &why))
		return;
	refusal->sqlstate = ERRCODE_ACCOUNT_RESTRICTED;
	appendStringInfo(&refusal->message,
					 "account \"%s\" is restricted: %s is refused",
					 clipped(account), guard->action);
	appendStringInfo(&refusal->detail,
					 "Level %s since %s, %s; %s is refused from level %s on.",
					 restriction_level_text(why.level), instant_text(why.since),
					 why.rule, guard->action, restriction_level_text(needed));
	if (why.invoice_key != NULL)
		appendStringInfo(&refusal->detail,
						 " The earliest unsettled bill was due %s, %d days before.",
						 date_text(why.due), why.overdue_days);
	appendStringInfo(&refusal->hint,
					 "It is lifted by %s. Whoever may insert into sla.restriction_override can allow it with sla.override_restriction.",
					 why.lifted_by);
}

/* An array of texts as a Datum */
static Datum
text_array(List *texts)
{
	Datum	   *elems = palloc(Max(list_length(texts), 1) * sizeof(Datum));
	ListCell   *lc;

	foreach(lc, texts)
		elems[foreach_current_index(lc)] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elems, list_length(texts), TEXTOID,
										   -1, false, TYPALIGN_INT));
}

/* The fields that columns tell, as the text of a JSON object */
static char *
fields_text(const Guard *guard, char **row)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < guard->ncolumns; i++)
	{
		const GuardColumn *column = &guard->columns[i];

		if (column->role != GUARD_FIELD || row[i] == NULL)
			continue;
		appendStringInfoChar(&buf, buf.len == 0 ? '{' : ',');
		escape_json(&buf, column->field);
		appendStringInfoChar(&buf, ':');
		if (!column->is_json)
			escape_json(&buf, row[i]);
		else if (strcmp(row[i], "t") == 0)
			appendStringInfoString(&buf, "true");
		else if (strcmp(row[i], "f") == 0)
			appendStringInfoString(&buf, "false");
		else
			appendStringInfoString(&buf, row[i]);
	}
	appendStringInfoString(&buf, buf.len == 0 ? "{}" : "}");
	return buf.data;
}

/*
 * The fields in which a row differs from what it said before, NULL for all of
 * them; *nothing when there are none.
 */
static List *
changed_fields(const Guard *guard, char **before, char **row, bool *nothing)
{
	List	   *fields = NIL;

	*nothing = false;
	if (before == NULL)
		return NIL;
	for (int i = 0; i < guard->ncolumns; i++)
	{
		GuardRole	role = guard->columns[i].role;

		if (same_text(before[i], row[i]) || role < GUARD_POLICY)
			continue;
		/* these say which rule is asked, and in which version */
		if (role == GUARD_POLICY || role == GUARD_KIND ||
			role == GUARD_REQUESTED_AT || role == GUARD_REQUEST)
			return NIL;
		fields = lappend(fields, (void *) guard->columns[i].field);
	}
	*nothing = fields == NIL;
	return fields;
}

/* Has anything changed that decides what an account may do? */
static bool
account_changed(const Guard *guard, char **before, char **row)
{
	for (int i = 0; i < guard->ncolumns; i++)
		if (guard->columns[i].role < GUARD_POLICY &&
			(before == NULL || !same_text(before[i], row[i])))
			return true;
	return false;
}

/* sla.guard_problems(), prepared once */
static SPIPlanPtr
problems_plan(void)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID, BOOLOID
	};

	if (plan == NULL)
	{
		SPIPlanPtr	fresh = SPI_prepare("SELECT p.line FROM sla.guard_problems($1, $2, $3, $4, $5, $6, $7) AS p(line)",
										lengthof(types), types);

		if (fresh == NULL || SPI_keepplan(fresh) != 0)
			elog(ERROR, "could not prepare: %s",
				 SPI_result_code_string(SPI_result));
		plan = fresh;
	}
	return plan;
}

/*
 * Ask the rules of notice, as their owner: the writer may have no rights on
 * them. All that goes in are texts and an instant, and all that runs is the
 * extension's own.
 */
static void
check_notice(const Guard *guard, Relation rel, char **row, List *changed,
			 TimestampTz now, Refusal *refusal)
{
	const char *policy = guard->policy != NULL ? guard->policy :
		guard_text(guard, row, GUARD_POLICY);
	const char *kind = guard->kind != NULL ? guard->kind :
		guard_text(guard, row, GUARD_KIND);
	const char *request = guard_text(guard, row, GUARD_REQUEST);
	MemoryContext context = CurrentMemoryContext;
	Datum		values[7];
	char		nulls[8] = "       ";
	Ledger	   *ledger;
	Snapshot	snapshot;
	AsOwner		before;
	int			result;

	if (kind == NULL)
		return;
	values[0] = policy == NULL ? (Datum) 0 : CStringGetTextDatum(policy);
	nulls[0] = policy == NULL ? 'n' : ' ';
	values[1] = CStringGetTextDatum(kind);
	values[2] = request == NULL ? (Datum) 0 : CStringGetTextDatum(request);
	nulls[2] = request == NULL ? 'n' : ' ';
	values[3] = CStringGetTextDatum(fields_text(guard, row));
	values[4] = TimestampTzGetDatum(guard_time(guard, row, GUARD_REQUESTED_AT,
											   now));
	values[5] = text_array(changed);
	nulls[5] = changed == NIL ? 'n' : ' ';
	values[6] = BoolGetDatum(guard->admits_unknown);

	ledger = ledger_open(false);
	as_owner_begin(&before, ledger_table(ledger, LEDGER_GUARD));
	(void) set_config_option("standard_conforming_strings", "on", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	result = SPI_execute_snapshot(problems_plan(), values, nulls, snapshot,
								  InvalidSnapshot, true, false, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not ask sla.guard_problems: %s",
			 SPI_result_code_string(result));
	if (SPI_processed > 0)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);

		if (refusal->sqlstate == 0)
			refusal->sqlstate = ERRCODE_REQUEST_REFUSED;
		add_sentence(&refusal->message, "; ",
					 psprintf("request of kind \"%s\" is not accepted: " UINT64_FORMAT " %s",
							  clipped(kind), SPI_processed,
							  SPI_processed == 1 ? "problem" : "problems"));
		for (uint64 i = 0; i < SPI_processed; i++)
			add_sentence(&refusal->detail, "\n",
						 SPI_getvalue(SPI_tuptable->vals[i],
									  SPI_tuptable->tupdesc, 1));
		add_sentence(&refusal->hint, " ",
					 psprintf("Rules of notice are those of policy \"%s\"; who owns table \"%s\", %s, can let a row in without them.",
							  policy ? policy : "", RelationGetRelationName(rel),
							  GetUserNameFromId(rel->rd_rel->relowner, false)));
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	UnregisterSnapshot(snapshot);
	as_owner_end(&before);
	ledger_close(ledger);
}

static void
check_row(const Guard *guard, Relation rel, char **before, char **row)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Refusal		refusal = {0};
	List	   *changed;
	bool		nothing;

	initStringInfo(&refusal.message);
	initStringInfo(&refusal.detail);
	initStringInfo(&refusal.hint);
	changed = changed_fields(guard, before, row, &nothing);
	if (account_changed(guard, before, row))
		check_restriction(guard, rel, row, now, &refusal);
	if (guard->asks_notice && !nothing)
		check_notice(guard, rel, row, changed, now, &refusal);
	if (refusal.sqlstate != 0)
		ereport(ERROR,
				(errcode(refusal.sqlstate),
				 errmsg_internal("%s", refusal.message.data),
				 errdetail_internal("%s", refusal.detail.data),
				 errhint("%s", refusal.hint.data),
				 errtable(rel)));
}

/*
 * sla.check_guard(), the trigger
 */
Datum
slapolicy_check_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	const Guard *guard;
	TupleTableSlot *slot;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function sla.%s must be fired %s for each row",
						"check_guard", "AFTER INSERT, UPDATE OR DELETE")));

	rel = trigdata->tg_relation;
	slot = trigdata->tg_trigslot;
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		/* what only goes asks for no guard */
		if (moved_row_leaves(rel, slot))
			keep_moving(guard_get(rel), rel, slot);
		return PointerGetDatum(NULL);
	}
	guard = guard_get(rel);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		check_row(guard, rel, said_elsewhere(guard, rel, slot),
				  guard_read_row(guard, slot));
	else if (guard_row_changed(guard, slot, trigdata->tg_newslot))
		check_row(guard, rel, guard_read_row(guard, slot),
				  guard_read_row(guard, trigdata->tg_newslot));
	return PointerGetDatum(NULL);
}
