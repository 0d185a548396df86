/*
 * invoice_table.c
 *		Reads sla.invoice_attachment, and rows of invoices as it says.
 *
 * Knows nothing of what becomes of invoices.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "attachment_columns.h"
#include "floor_div.h"
#include "invoice_fold.h"
#include "invoice_table.h"
#include "json_read.h"
#include "ledger_about.h"

/* Bytes of the name of an account or a service, which fit into an index */
#define LONGEST_NAME	1000

static void
read_row(Ledger *ledger, HeapTuple tuple, InvoiceTableRow *row)
{
	row->tid = tuple->t_self;
	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_INVOICES)),
					  row->values, row->nulls);
}

List *
invoice_table_rows(Ledger *ledger)
{
	List	   *rows = NIL;
	ListCell   *lc;

	foreach(lc, ledger_about_all(ledger, LEDGER_INVOICES))
	{
		InvoiceTableRow *row = palloc(sizeof(InvoiceTableRow));

		read_row(ledger, lfirst(lc), row);
		rows = lappend(rows, row);
	}
	return rows;
}

bool
invoice_table_find_row(Ledger *ledger, Oid relid, InvoiceTableRow *row)
{
	HeapTuple	tuple = ledger_about_table(ledger, LEDGER_INVOICES, relid);

	if (tuple == NULL)
		return false;
	read_row(ledger, tuple, row);
	return true;
}

/* ---------- columns ---------- */

/* Number and type of a role's column, which is watched; 0: it has none */
static AttrNumber
find_column(InvoiceTable *table, Relation rel, const char *name, Oid *type,
			char **problem)
{
	AttrNumber	attnum;

	if (name == NULL)
		return 0;
	attnum = get_attnum(RelationGetRelid(rel), name);
	if (attnum <= 0)
	{
		*problem = psprintf("column \"%s\" is gone", name);
		return 0;
	}
	*type = getBaseType(TupleDescAttr(RelationGetDescr(rel),
									  attnum - 1)->atttypid);
	attachment_watch(&table->own, attnum);
	return attnum;
}

static void
read_moment(InvoiceTable *table, Relation rel, const char *name, bool or_flag,
			MomentColumn *column, char **problem)
{
	column->name = name;
	column->attnum = find_column(table, rel, name, &column->type, problem);
	if (column->attnum != 0 && column->type != DATEOID &&
		column->type != TIMESTAMPTZOID &&
		(column->type != TIMESTAMPOID || table->own.zone == NULL) &&
		(column->type != BOOLOID || !or_flag))
		*problem = psprintf("column \"%s\" is no date or time any more", name);
}

static void
read_amount(InvoiceTable *table, Relation rel, const char *name,
			AmountColumn *column, char **problem)
{
	column->name = name;
	column->attnum = find_column(table, rel, name, &column->type, problem);
	if (column->attnum == 0)
		return;
	switch (column->type)
	{
		case NUMERICOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
			break;
		default:
			*problem = psprintf("column \"%s\" is no number any more", name);
	}
}

static void
read_text(InvoiceTable *table, Relation rel, const char *name,
		  TextColumn *column, char **problem)
{
	if (name != NULL)
		attachment_find_text(&table->own, rel, name, column, problem);
	attachment_watch(&table->own, column->attnum);
}

static void
read_columns(InvoiceTable *table, Relation rel, JsonbContainer *roles,
			 char **problem)
{
	static const char *const moments[NUM_MOMENT_ROLES] = {
		[MOMENT_DUE] = "due",
		[MOMENT_SETTLED] = "settled_at",
		[MOMENT_VOIDED] = "voided",
		[MOMENT_DISPUTED] = "disputed",
		[MOMENT_CHANGED] = "changed_at",
		[MOMENT_RECORDED] = "recorded_at",
	};

	attachment_find_keys(&table->own, rel, json_container(roles, "key"),
						 problem);
	if (*problem != NULL)
		return;
	table->own.watched = palloc((table->own.nkeys + NUM_MOMENT_ROLES + 5) *
								sizeof(AttrNumber));
	for (int i = 0; i < table->own.nkeys; i++)
		attachment_watch(&table->own, table->own.keys[i]);
	read_text(table, rel, json_string(roles, "account"), &table->account,
			  problem);
	read_text(table, rel, json_string(roles, "service"), &table->service,
			  problem);
	read_text(table, rel, json_string(roles, "status"), &table->status,
			  problem);
	for (int i = 0; i < NUM_MOMENT_ROLES; i++)
	{
		int			nwatched = table->own.nwatched;

		read_moment(table, rel, json_string(roles, moments[i]),
					i == MOMENT_VOIDED || i == MOMENT_DISPUTED,
					&table->moments[i], problem);
		/* when it changed and was recorded is no news */
		if (i == MOMENT_CHANGED || i == MOMENT_RECORDED)
			table->own.nwatched = nwatched;
	}
	read_amount(table, rel, json_string(roles, "amount"), &table->amount,
				problem);
	read_amount(table, rel, json_string(roles, "paid"), &table->paid, problem);
	if (*problem == NULL &&
		(table->account.attnum == 0 || table->moments[MOMENT_DUE].attnum == 0))
		*problem = pstrdup("its columns are not recorded");
}

/* Compile a row of sla.invoice_attachment for a relation. */
static InvoiceTable *
compile(const InvoiceTableRow *row, Relation rel, char **problem)
{
	InvoiceTable *table = palloc0(sizeof(InvoiceTable));
	Jsonb	   *roles = DatumGetJsonbPCopy(row->values[INVOICES_ROLES - 1]);
	Jsonb	   *options = DatumGetJsonbPCopy(row->values[INVOICES_OPTIONS - 1]);

	table->id = DatumGetInt32(row->values[INVOICES_ID - 1]);
	table->policy = TextDatumGetCString(row->values[INVOICES_POLICY - 1]);
	table->reject =
		strcmp(TextDatumGetCString(row->values[INVOICES_ON_ERROR - 1]),
			   "reject") == 0;
	if (!JB_ROOT_IS_OBJECT(roles) || !JB_ROOT_IS_OBJECT(options))
	{
		*problem = pstrdup("its columns are not recorded");
		return table;
	}
	attachment_read_statuses(&options->root, "settled_when", &table->settled_when);
	attachment_read_statuses(&options->root, "voided_when", &table->voided_when);
	attachment_read_statuses(&options->root, "disputed_when", &table->disputed_when);
	attachment_read_zone(&table->own, &options->root, problem);
	if (*problem == NULL)
		read_columns(table, rel, &roles->root, problem);
	return table;
}

InvoiceTable *
invoice_table_load(Ledger *ledger, Relation rel, char **problem)
{
	HeapTuple	tuple = ledger_about_relation(ledger, LEDGER_INVOICES,
											  INVOICES_DETACHED_AT, rel);
	InvoiceTableRow row;
	InvoiceTable *table;

	*problem = NULL;
	if (tuple == NULL)
	{
		*problem = psprintf("table \"%s\" is not attached",
							RelationGetRelationName(rel));
		return NULL;
	}
	read_row(ledger, tuple, &row);
	table = compile(&row, rel, problem);
	return *problem == NULL ? table : NULL;
}

/* ---------- rows ---------- */

/* The first instant of a date in the zone of the rule */
static TimestampTz
midnight(const RestrictionRule *rule, DateADT date)
{
	if (rule != NULL)
		return restriction_midnight(rule, date);
	if (date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return DT_NOEND;
	return (TimestampTz) date * USECS_PER_DAY;
}

/*
 * An instant in a column, perhaps infinite; of a date its beginning. Not known
 * when it is null, or no instant reads so.
 */
static MaybeTime
read_instant(InvoiceTable *table, const MomentColumn *column,
			 TupleTableSlot *slot, const RestrictionRule *rule)
{
	MaybeTime	result = {false, 0};
	TimeColumn	time = {.attnum = column->attnum,.local = true};
	bool		isnull;
	Datum		value;

	if (column->attnum == 0)
		return result;
	value = slot_getattr(slot, column->attnum, &isnull);
	if (isnull)
		return result;
	result.known = true;
	if (column->type == DATEOID)
	{
		DateADT		date = DatumGetDateADT(value);

		result.at = DATE_IS_NOBEGIN(date) ? DT_NOBEGIN :
			DATE_IS_NOEND(date) ? DT_NOEND : midnight(rule, date);
	}
	else if (column->type == TIMESTAMPTZOID ||
			 TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
		result.at = DatumGetTimestampTz(value);
	else
		result = attachment_time(&table->own, &time, slot);
	return result;
}

/* Is something so? A time in the column says since when. */
static InvoiceFlag
read_flag(InvoiceTable *table, MomentRole role, const StatusList *list,
		  const char *status, TupleTableSlot *slot,
		  const RestrictionRule *rule)
{
	const MomentColumn *column = &table->moments[role];
	InvoiceFlag flag = {false, {false, 0}};

	if (column->attnum != 0 && column->type == BOOLOID)
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, column->attnum, &isnull);

		flag.on = !isnull && DatumGetBool(value);
	}
	else
	{
		flag.since = read_instant(table, column, slot, rule);
		/* at infinity: it will never be */
		if (flag.since.known && TIMESTAMP_IS_NOEND(flag.since.at))
			flag.since.known = false;
		flag.on = flag.since.known;
	}
	for (int i = 0; i < list->n && status != NULL && !flag.on; i++)
		flag.on = strcmp(list->texts[i], status) == 0;
	return flag;
}

/* An amount as numeric; false: it is null */
static bool
read_number(const AmountColumn *column, TupleTableSlot *slot, Datum *number)
{
	bool		isnull;
	Datum		value;

	if (column->attnum == 0)
		return false;
	value = slot_getattr(slot, column->attnum, &isnull);
	if (isnull)
		return false;
	switch (column->type)
	{
		case INT2OID:
			*number = DirectFunctionCall1(int2_numeric, value);
			break;
		case INT4OID:
			*number = DirectFunctionCall1(int4_numeric, value);
			break;
		case INT8OID:
			*number = DirectFunctionCall1(int8_numeric, value);
			break;
		case FLOAT4OID:
			*number = DirectFunctionCall1(float4_numeric, value);
			break;
		case FLOAT8OID:
			*number = DirectFunctionCall1(float8_numeric, value);
			break;
		default:
			*number = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	}
	return true;
}

static void
read_due(InvoiceTable *table, TupleTableSlot *slot,
		 const RestrictionRule *rule, InvoiceRow *row)
{
	const MomentColumn *column = &table->moments[MOMENT_DUE];
	MaybeTime	due = read_instant(table, column, slot, rule);

	row->has_due = due.known;
	if (!due.known)
		return;
	if (column->type == DATEOID)
	{
		bool		isnull;

		row->due = DatumGetDateADT(slot_getattr(slot, column->attnum, &isnull));
	}
	else if (TIMESTAMP_IS_NOBEGIN(due.at))
		DATE_NOBEGIN(row->due);
	else if (TIMESTAMP_IS_NOEND(due.at))
		DATE_NOEND(row->due);
	else if (rule != NULL)
		row->due = restriction_date(rule, due.at);
	else
		row->due = (DateADT) floor_div(due.at, USECS_PER_DAY);
	if (DATE_IS_NOBEGIN(row->due))
		row->problem = psprintf("%s is -infinity", column->name);
}

static char *
read_one_text(TextColumn *column, TupleTableSlot *slot)
{
	char	   *text = attachment_text(column, slot);

	/* frameworks write empty texts where nothing is said */
	return text == NULL || text[0] == '\0' ? NULL : text;
}

/*
 * What cannot be read as an amount, or taken off it: one spelling, which
 * counts for nothing.
 */
static void
refuse_amount(const AmountColumn *column, InvoiceRow *row)
{
	row->has_amount = true;
	row->amount = DirectFunctionCall1(float8_numeric,
									  Float8GetDatum(get_float8_nan()));
	row->problem = psprintf("%s is no amount", column->name);
}

/* Nobody is restricted where it is not clear who and what for. */
static void
check_names(const InvoiceTable *table, InvoiceRow *row)
{
	const char *too_long = NULL;

	if (row->account == NULL)
		row->problem = psprintf("%s is null or empty", table->account.name);
	else if (strlen(row->account) > LONGEST_NAME)
		too_long = table->account.name;
	else if (row->service != NULL && strlen(row->service) > LONGEST_NAME)
		too_long = table->service.name;
	if (too_long == NULL)
		return;
	row->account = row->service = NULL;
	row->problem = psprintf("%s is longer than %d bytes", too_long,
							LONGEST_NAME);
}

void
invoice_table_read(InvoiceTable *table, TupleTableSlot *slot,
				   const RestrictionRule *rule, TimestampTz now,
				   InvoiceRow *row)
{
	int			level = table->own.has_settings ? attachment_pin_settings() : 0;
	MaybeTime	changed;
	MaybeTime	recorded;
	char	   *status;
	bool		refuse_paid = false;

	memset(row, 0, sizeof(*row));
	row->account = read_one_text(&table->account, slot);
	row->service = read_one_text(&table->service, slot);
	status = attachment_text(&table->status, slot);
	if (level > 0)
		AtEOXact_GUC(true, level);

	recorded = read_instant(table, &table->moments[MOMENT_RECORDED], slot, rule);
	row->recorded_at = recorded.known && !TIMESTAMP_NOT_FINITE(recorded.at) ?
		recorded.at : now;
	changed = read_instant(table, &table->moments[MOMENT_CHANGED], slot, rule);
	row->changed_at = changed.known && !TIMESTAMP_NOT_FINITE(changed.at) ?
		changed.at : row->recorded_at;
	read_due(table, slot, rule, row);
	row->settled = read_flag(table, MOMENT_SETTLED, &table->settled_when,
							 status, slot, rule);
	row->voided = read_flag(table, MOMENT_VOIDED, &table->voided_when,
							status, slot, rule);
	row->disputed = read_flag(table, MOMENT_DISPUTED, &table->disputed_when,
							  status, slot, rule);
	row->has_amount = read_number(&table->amount, slot, &row->amount);
	row->has_paid = table->paid.attnum != 0;
	if (row->has_paid && !read_number(&table->paid, slot, &row->paid))
		row->paid = NumericGetDatum(int64_to_numeric(0));
	if (row->has_paid && !invoice_is_amount(row->paid))
	{
		row->has_paid = false;
		refuse_paid = true;
	}
	if (row->has_amount && !invoice_is_amount(row->amount))
		refuse_amount(&table->amount, row);
	else if (refuse_paid)
		refuse_amount(&table->paid, row);
	check_names(table, row);
}
