/*
 * guard_rule.c
 *		Rows of sla.guard_rule: what guards a table, and what rows say by it.
 *
 * Kept for each relation that fires a trigger until any relation involved
 * changes, as attachments are.
 *
 * Knows nothing of policies, bills and triggers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "guard.h"
#include "json_read.h"
#include "ledger_about.h"
#include "relation_cache.h"

PG_FUNCTION_INFO_V1(slapolicy_register_guard);
PG_FUNCTION_INFO_V1(slapolicy_unregister_guard);

/* ---------- columns ---------- */

static void
add_column(Guard *guard, Relation rel, GuardRole role, const char *field,
		   const char *name, bool must_be_time, char **problem)
{
	GuardColumn *column = &guard->columns[guard->ncolumns];
	AttrNumber	attnum;
	Oid			type;

	memset(column, 0, sizeof(GuardColumn));
	attachment_find_text(&guard->own, rel, name, &column->text, problem);
	attnum = column->text.attnum;
	if (attnum == 0)
		return;
	column->role = role;
	column->field = field;
	type = getBaseType(TupleDescAttr(RelationGetDescr(rel),
									 attnum - 1)->atttypid);
	column->is_json = type == JSONBOID || type == JSONOID || type == BOOLOID;
	column->is_time = must_be_time || type == TIMESTAMPTZOID ||
		(type == TIMESTAMPOID && guard->own.zone != NULL);
	if (column->is_time)
		attachment_find_time(&guard->own, rel, name, &column->time, problem);
	guard->ncolumns++;
}

static void
read_columns(Guard *guard, Relation rel, Jsonb *columns, char **problem)
{
	static const struct
	{
		const char *name;
		bool		is_time;
	}			roles[] = {
		[GUARD_ACCOUNT] = {"account", false},
		[GUARD_SERVICE] = {"service", false},
		[GUARD_SECURITY_RELEASE] = {"security_release", false},
		[GUARD_AS_OF] = {"as_of", true},
		[GUARD_POLICY] = {"policy", false},
		[GUARD_KIND] = {"kind", false},
		[GUARD_REQUESTED_AT] = {"requested_at", true},
		[GUARD_REQUEST] = {"request", false},
	};
	char	  **fields;
	char	  **names;
	JsonbContainer *mapped = json_container(&columns->root, "fields");
	int			nfields = mapped == NULL ? 0 :
		json_members(mapped, &fields, &names);

	guard->columns = palloc((nfields + lengthof(roles)) * sizeof(GuardColumn));
	for (int i = 0; i < (int) lengthof(roles); i++)
	{
		char	   *name = json_string(&columns->root, roles[i].name);

		if (name != NULL)
			add_column(guard, rel, i, roles[i].name, name, roles[i].is_time,
					   problem);
	}
	for (int i = 0; i < nfields; i++)
		if (names[i] != NULL)
			add_column(guard, rel, GUARD_FIELD, fields[i], names[i], false,
					   problem);
}

static void
read_options(Guard *guard, Jsonb *options, char **problem)
{
	char	   *unknown = json_string(&options->root, "unknown_kind");

	guard->admits_unknown = unknown != NULL && strcmp(unknown, "admit") == 0;
	attachment_read_zone(&guard->own, &options->root, problem);
}

static const char *
text_or_null(Datum value, bool isnull)
{
	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * Compile a row of sla.guard_rule for a relation. Allocates in
 * CurrentMemoryContext.
 */
static Guard *
compile_guard(Ledger *ledger, HeapTuple tuple, Relation rel, char **problem)
{
	Guard	   *guard = palloc0(sizeof(Guard));
	Datum		values[GUARD_NATTS];
	bool		nulls[GUARD_NATTS];
	Jsonb	   *columns;
	Jsonb	   *options;

	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_GUARD)),
					  values, nulls);
	guard->id = DatumGetInt32(values[GUARD_ID - 1]);
	guard->action = text_or_null(values[GUARD_ACTION - 1],
								 nulls[GUARD_ACTION - 1]);
	guard->policy = text_or_null(values[GUARD_RULE_POLICY - 1],
								 nulls[GUARD_RULE_POLICY - 1]);
	guard->kind = text_or_null(values[GUARD_RULE_KIND - 1],
							   nulls[GUARD_RULE_KIND - 1]);
	columns = DatumGetJsonbPCopy(values[GUARD_COLUMNS - 1]);
	options = DatumGetJsonbPCopy(values[GUARD_OPTIONS - 1]);
	if (!JB_ROOT_IS_OBJECT(columns) || !JB_ROOT_IS_OBJECT(options))
	{
		*problem = pstrdup("its columns are not recorded");
		return guard;
	}
	read_options(guard, options, problem);
	read_columns(guard, rel, columns, problem);
	guard->asks_notice = guard->kind != NULL ||
		json_string(&columns->root, "kind") != NULL;
	return guard;
}

/* A RelationLoader */
static void *
load_guard(Relation rel, MemoryContext keep, char **problem)
{
	Ledger	   *ledger = ledger_open(false);
	HeapTuple	tuple = ledger_about_relation(ledger, LEDGER_GUARD, 0, rel);
	Guard	   *guard = NULL;

	if (tuple == NULL)
		*problem = pstrdup("sla.guard was not called for it");
	else
	{
		MemoryContext old = MemoryContextSwitchTo(keep);

		guard = compile_guard(ledger, tuple, rel, problem);
		MemoryContextSwitchTo(old);
	}
	ledger_close(ledger);
	return guard;
}

/*
 * A guard that does not know what it guards must let nobody in.
 */
const Guard *
guard_get(Relation rel)
{
	static RelationCache cache = {.name = "slapolicy guards"};
	char	   *problem;
	const Guard *guard = relation_cache_get(&cache, rel, load_guard, &problem);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the guard of table \"%s\" does not know what to do: %s",
						RelationGetRelationName(rel), problem),
				 errhint("The owner of the table can call sla.unguard, and sla.guard as it is to be now."),
				 errtable(rel)));
	return guard;
}

/* ---------- rows ---------- */

static char *
time_text(const Guard *guard, const GuardColumn *column, TupleTableSlot *slot)
{
	MaybeTime	time = attachment_time(&guard->own, &column->time, slot);
	char		buf[MAXDATELEN + 1];
	int			utc = 0;

	if (!time.known)
		return NULL;
	return pstrdup(JsonEncodeDateTime(buf, TimestampTzGetDatum(time.at),
									  TIMESTAMPTZOID, &utc));
}

char **
guard_read_row(const Guard *guard, TupleTableSlot *slot)
{
	char	  **row = palloc(guard->ncolumns * sizeof(char *));
	int			level = guard->own.has_settings ? attachment_pin_settings() : 0;

	for (int i = 0; i < guard->ncolumns; i++)
	{
		GuardColumn *column = &guard->columns[i];

		row[i] = column->is_time ? time_text(guard, column, slot) :
			attachment_text(&column->text, slot);
		/* frameworks write empty texts where nothing is said */
		if (row[i] != NULL && row[i][0] == '\0')
			row[i] = NULL;
	}
	if (level > 0)
		AtEOXact_GUC(true, level);
	return row;
}

bool
guard_row_changed(const Guard *guard, TupleTableSlot *before,
				  TupleTableSlot *after)
{
	for (int i = 0; i < guard->ncolumns; i++)
	{
		AttrNumber	attnum = guard->columns[i].text.attnum;
		Form_pg_attribute att = TupleDescAttr(after->tts_tupleDescriptor,
											  attnum - 1);
		bool		a_null,
					b_null;
		Datum		a = slot_getattr(before, attnum, &a_null);
		Datum		b = slot_getattr(after, attnum, &b_null);

		if (a_null != b_null ||
			(!a_null && !datum_image_eq(a, b, att->attbyval, att->attlen)))
			return true;
	}
	return false;
}

const char *
guard_text(const Guard *guard, char **row, GuardRole role)
{
	for (int i = 0; i < guard->ncolumns; i++)
		if (guard->columns[i].role == role)
			return row[i];
	return NULL;
}

TimestampTz
guard_time(const Guard *guard, char **row, GuardRole role,
		   TimestampTz otherwise)
{
	const char *text = guard_text(guard, row, role);

	if (text == NULL)
		return otherwise;
	return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
												   CStringGetDatum(text),
												   ObjectIdGetDatum(InvalidOid),
												   Int32GetDatum(-1)));
}

/* ---------- the rows themselves ---------- */

/*
 * Errors of a guard tell who is cut off: guarding a table is one way to ask.
 */
static void
check_may_ask(void)
{
	Oid			types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, BOOLOID, TEXTOID};
	List	   *name = list_make2(makeString("sla"), makeString("is_allowed"));
	Oid			function = LookupFuncName(name, lengthof(types), types, false);

	if (!DatumGetBool(DirectFunctionCall2(has_function_privilege_id,
										  ObjectIdGetDatum(function),
										  CStringGetTextDatum("EXECUTE"))))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function sla.is_allowed"),
				 errdetail("Guarding a table by an action tells its writers which accounts are restricted."),
				 errhint("The owner of the extension can grant EXECUTE on it.")));
}

/*
 * Enter a table. Arguments: table, action, policy, kind, columns, options;
 * action, policy and kind may be NULL.
 */
Datum
slapolicy_register_guard(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *relids;
	Ledger	   *ledger;
	Datum		values[GUARD_NATTS] = {0};
	bool		nulls[GUARD_NATTS] = {false};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(4) || PG_ARGISNULL(5))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table, columns and options of sla.register_guard must not be null")));
	relids = attach_lock_table(relid);
	attach_check_kind(relid);
	if (!PG_ARGISNULL(1))
		check_may_ask();

	ledger = ledger_open(true);
	if (ledger_about_table(ledger, LEDGER_GUARD, relid) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("table \"%s\" is guarded already", get_rel_name(relid)),
				 errhint("Call sla.unguard first to guard it in another way.")));
	values[GUARD_ID - 1] = Int32GetDatum((int32) ledger_next_id(LEDGER_GUARD));
	values[GUARD_TABLE - 1] = ObjectIdGetDatum(relid);
	for (int i = 0; i < 5; i++)
	{
		values[GUARD_ACTION - 1 + i] = PG_GETARG_DATUM(i + 1);
		nulls[GUARD_ACTION - 1 + i] = PG_ARGISNULL(i + 1);
	}
	values[GUARD_GUARDED_AT - 1] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	ledger_insert(ledger, LEDGER_GUARD, values, nulls);
	ledger_close(ledger);
	attach_forget_tables(relids);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

Datum
slapolicy_unregister_guard(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *relids = attach_lock_table(relid);
	Ledger	   *ledger = ledger_open(true);
	HeapTuple	tuple = ledger_about_table(ledger, LEDGER_GUARD, relid);

	if (tuple != NULL)
		ledger_delete(ledger, LEDGER_GUARD, &tuple->t_self);
	ledger_close(ledger);
	attach_forget_tables(relids);
	CommandCounterIncrement();
	PG_RETURN_BOOL(tuple != NULL);
}

/* Rows of tables that are gone, copies */
static List *
gone_rows(void)
{
	Ledger	   *ledger = ledger_open(false);
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_GUARD));
	List	   *gone = NIL;
	ListCell   *lc;

	foreach(lc, ledger_about_all(ledger, LEDGER_GUARD))
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(heap_getattr(lfirst(lc),
														  GUARD_TABLE, desc,
														  &isnull));

		if (get_rel_relkind(relid) == '\0')
			gone = lappend(gone, lfirst(lc));
	}
	ledger_close(ledger);
	return gone;
}

void
guard_forget_gone(void)
{
	List	   *gone = gone_rows();
	Ledger	   *ledger;
	ListCell   *lc;

	if (gone == NIL)
		return;
	ledger = ledger_open(true);
	foreach(lc, gone)
	{
		HeapTuple	row = lfirst(lc);
		HeapTuple	latest;

		/* somebody else may have done so meanwhile */
		if (ledger_lock_row(ledger, LEDGER_GUARD, &row->t_self, &latest))
			ledger_delete(ledger, LEDGER_GUARD, &row->t_self);
	}
	ledger_close(ledger);
}
