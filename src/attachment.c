/*
 * attachment.c
 *		Reads sla.attachment: which column of a ticket table plays which role.
 *
 * Column names are resolved for each relation that fires a trigger (a
 * partition may number its columns differently) and kept until any relation
 * involved changes: renaming a column is noticed at once.
 *
 * Knows nothing of what rows say, of tickets, policies and triggers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attachment.h"
#include "attachment_columns.h"
#include "json_read.h"
#include "ledger_about.h"
#include "relation_cache.h"
#include "restamp_progress.h"

/* Column number of a name in rel, 0 and a problem when it has none */
static AttrNumber
find_column(Relation rel, const char *name, char **problem)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum > 0)
		return attnum;
	*problem = psprintf("column \"%s\" is gone", name);
	return 0;
}

static Oid
column_type(Relation rel, AttrNumber attnum)
{
	return getBaseType(TupleDescAttr(RelationGetDescr(rel),
									 attnum - 1)->atttypid);
}

static void
find_output(Relation rel, AttrNumber attnum, FmgrInfo *out)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid,
					  &function, &is_varlena);
	fmgr_info(function, out);
}

/* Is a column with a time of one without time zone? A problem: of neither */
static bool
is_local_time(Relation rel, AttrNumber attnum, const char *name,
			  const Attachment *attachment, char **problem)
{
	Oid			type = column_type(rel, attnum);

	if (type == TIMESTAMPOID && attachment->zone != NULL)
		return true;
	if (type != TIMESTAMPTZOID)
		*problem = psprintf("column \"%s\" is not of type %s any more", name,
							attachment->zone == NULL ? "timestamp with time zone" :
							"timestamp");
	return false;
}

/* May the text of a type's values change with the session's settings? */
static bool
type_has_settings(Oid type)
{
	switch (getBaseType(type))
	{
		case BOOLOID:
		case BPCHAROID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NAMEOID:
		case NUMERICOID:
		case OIDOID:
		case TEXTOID:
		case UUIDOID:
		case VARCHAROID:
			return false;
		default:
			return !type_is_enum(getBaseType(type));
	}
}

void
attachment_find_keys(Attachment *attachment, Relation rel,
					 JsonbContainer *columns, char **problem)
{
	char	  **names;
	int			n = json_strings(columns, &names);

	if (n == 0)
	{
		*problem = pstrdup("its key columns are not recorded");
		return;
	}
	attachment->keys = palloc(n * sizeof(AttrNumber));
	attachment->key_out = palloc(n * sizeof(FmgrInfo));
	for (int i = 0; i < n; i++)
	{
		AttrNumber	attnum = find_column(rel, names[i], problem);

		if (attnum == 0)
			return;
		if (type_has_settings(column_type(rel, attnum)))
			attachment->has_settings = true;
		attachment->keys[i] = attnum;
		find_output(rel, attnum, &attachment->key_out[i]);
	}
	attachment->nkeys = n;
}

static void
read_severity_map(Attachment *attachment, Jsonb *map, char **problem)
{
	char	  **texts;
	char	  **severities;

	if (!JB_ROOT_IS_OBJECT(map))
	{
		*problem = pstrdup("its severity map is no object");
		return;
	}
	attachment->has_map = true;
	attachment->nmap = json_members(&map->root, &texts, &severities);
	attachment->map = palloc(Max(attachment->nmap, 1) * sizeof(SeverityMapping));
	for (int i = 0; i < attachment->nmap; i++)
	{
		attachment->map[i].text = texts[i];
		if (severities[i] == NULL ||
			!severity_parse(severities[i], &attachment->map[i].severity))
			*problem = psprintf("its severity map gives no severity for \"%s\"",
								texts[i]);
	}
}

void
attachment_find_text(Attachment *attachment, Relation rel, const char *name,
					 TextColumn *column, char **problem)
{
	column->name = name;
	column->attnum = find_column(rel, name, problem);
	if (column->attnum == 0)
		return;
	find_output(rel, column->attnum, &column->out);
	column->padded = column_type(rel, column->attnum) == BPCHAROID;
	if (type_has_settings(column_type(rel, column->attnum)))
		attachment->has_settings = true;
}

void
attachment_find_time(Attachment *attachment, Relation rel, const char *name,
					 TimeColumn *column, char **problem)
{
	column->name = name;
	column->attnum = find_column(rel, name, problem);
	if (column->attnum != 0)
		column->local = is_local_time(rel, column->attnum, name, attachment,
									  problem);
}

static void
read_columns(Attachment *attachment, Relation rel, Jsonb *roles,
			 char **problem)
{
	static const char *const text_roles[] = {
		[TEXT_SEVERITY] = "severity",
		[TEXT_STATUS] = "status",
		[TEXT_POLICY] = "policy",
		[TEXT_ACCOUNT] = "account",
		[TEXT_SERVICE] = "service",
		[TEXT_PRODUCT] = "product",
		[TEXT_CHANNEL] = "channel",
		[TEXT_TEAM] = "team",
		[TEXT_ASSIGNEE] = "assignee",
		[TEXT_EXEMPT] = "exempt",
	};
	static const char *const time_roles[] = {
		[TIME_RECEIVED] = "received_at",
		[TIME_RESPONDED] = "responded_at",
		[TIME_LAST_UPDATE] = "last_update_at",
		[TIME_CUSTOMER_REPLY] = "customer_reply_at",
		[TIME_INVESTIGATED] = "investigated_at",
		[TIME_RESOLVED] = "resolved_at",
		[TIME_CHANGED] = "changed_at",
	};
	char	  **labels;

	for (int i = 0; i < NUM_TEXT_ROLES; i++)
	{
		char	   *name = json_string(&roles->root, text_roles[i]);

		if (name != NULL)
			attachment_find_text(attachment, rel, name, &attachment->text[i],
								 problem);
	}
	for (int i = 0; i < NUM_TIME_ROLES; i++)
	{
		char	   *name = json_string(&roles->root, time_roles[i]);

		if (name != NULL)
			attachment_find_time(attachment, rel, name, &attachment->time[i],
								 problem);
	}
	attachment->nlabels = json_strings(json_container(&roles->root, "labels"),
									   &labels);
	attachment->labels = palloc0(Max(attachment->nlabels, 1) *
								 sizeof(TextColumn));
	for (int i = 0; i < attachment->nlabels; i++)
		attachment_find_text(attachment, rel, labels[i],
							 &attachment->labels[i], problem);
}

void
attachment_read_statuses(JsonbContainer *options, const char *name,
						 StatusList *list)
{
	JsonbContainer *texts = json_container(options, name);

	list->given = texts != NULL;
	list->n = json_strings(texts, &list->texts);
}

void
attachment_read_zone(Attachment *attachment, JsonbContainer *options,
					 char **problem)
{
	char	   *zone = json_string(options, "timestamps_in");

	if (zone == NULL)
		return;
	attachment->zone = pg_tzset(zone);
	if (attachment->zone == NULL)
		*problem = psprintf("time zone \"%s\" of its timestamps is unknown to this server",
							zone);
}

static void
read_options(Attachment *attachment, Jsonb *options, char **problem)
{
	char	   *text;

	attachment_read_statuses(&options->root, "paused_when", &attachment->paused_when);
	attachment_read_statuses(&options->root, "resolved_when", &attachment->resolved_when);
	attachment_read_statuses(&options->root, "cancelled_when", &attachment->cancelled_when);
	text = json_string(&options->root, "severity_default");
	if (text != NULL && !severity_parse(text, &attachment->severity_default))
		*problem = psprintf("its default severity \"%s\" is none", text);
	attachment_read_zone(attachment, &options->root, problem);
	text = json_string(&options->root, "not_set");
	if (text != NULL)
	{
		attachment->has_not_set = true;
		attachment->not_set =
			DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													CStringGetDatum(text),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));
	}
}

static void
read_stamps(Attachment *attachment, Relation rel, Jsonb *roles, char **problem)
{
	static const char *const metrics[] = {
		"response", "reply", "update", "resolution"
	};

	attachment->stamps = palloc0(lengthof(metrics) * sizeof(StampColumn));
	for (int i = 0; i < (int) lengthof(metrics); i++)
	{
		char	   *name = json_string(&roles->root,
									   psprintf("%s_due", metrics[i]));
		StampColumn *stamp = &attachment->stamps[attachment->nstamps];

		if (name == NULL)
			continue;
		stamp->metric = metrics[i];
		stamp->attnum = find_column(rel, name, problem);
		if (stamp->attnum == 0)
			continue;
		stamp->local = is_local_time(rel, stamp->attnum, name, attachment,
									 problem);
		stamp->typmod = TupleDescAttr(RelationGetDescr(rel),
									  stamp->attnum - 1)->atttypmod;
		attachment->nstamps++;
	}
}

void
attachment_watch(Attachment *attachment, AttrNumber attnum)
{
	if (attnum != 0)
		attachment->watched[attachment->nwatched++] = attnum;
}

/* The columns whose changes are news: not when they changed */
static void
watch_columns(Attachment *attachment)
{
	attachment->watched = palloc((attachment->nkeys + attachment->nstamps +
								  attachment->nlabels + NUM_TEXT_ROLES +
								  NUM_TIME_ROLES) * sizeof(AttrNumber));
	for (int i = 0; i < attachment->nkeys; i++)
		attachment_watch(attachment, attachment->keys[i]);
	for (int i = 0; i < attachment->nstamps; i++)
		attachment_watch(attachment, attachment->stamps[i].attnum);
	for (int i = 0; i < NUM_TEXT_ROLES; i++)
		attachment_watch(attachment, attachment->text[i].attnum);
	for (int i = 0; i < NUM_TIME_ROLES; i++)
		if (i != TIME_CHANGED)
			attachment_watch(attachment, attachment->time[i].attnum);
	for (int i = 0; i < attachment->nlabels; i++)
		attachment_watch(attachment, attachment->labels[i].attnum);
}

/*
 * Compile a row of sla.attachment for a relation. Allocates in
 * CurrentMemoryContext.
 */
static Attachment *
compile_attachment(Ledger *ledger, HeapTuple tuple, Relation rel,
				   char **problem)
{
	Attachment *attachment = palloc0(sizeof(Attachment));
	Datum		values[ATTACHMENT_NATTS];
	bool		nulls[ATTACHMENT_NATTS];
	Jsonb	   *roles;
	Jsonb	   *options;

	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_ATTACHMENT)),
					  values, nulls);
	attachment->id = DatumGetInt32(values[ATTACHMENT_ID - 1]);
	if (!nulls[ATTACHMENT_POLICY - 1])
		attachment->policy = TextDatumGetCString(values[ATTACHMENT_POLICY - 1]);
	attachment->reject =
		strcmp(TextDatumGetCString(values[ATTACHMENT_ON_ERROR - 1]), "reject") == 0;
	roles = DatumGetJsonbPCopy(values[ATTACHMENT_ROLES - 1]);
	options = DatumGetJsonbPCopy(values[ATTACHMENT_OPTIONS - 1]);
	if (!JB_ROOT_IS_OBJECT(roles) || !JB_ROOT_IS_OBJECT(options))
	{
		*problem = pstrdup("its columns are not recorded");
		return attachment;
	}

	read_options(attachment, options, problem);
	attachment_find_keys(attachment, rel, json_container(&roles->root, "key"),
						 problem);
	read_columns(attachment, rel, roles, problem);
	if (!nulls[ATTACHMENT_SEVERITY_MAP - 1])
		read_severity_map(attachment,
						  DatumGetJsonbPCopy(values[ATTACHMENT_SEVERITY_MAP - 1]),
						  problem);
	read_stamps(attachment, rel, roles, problem);
	if (*problem == NULL && attachment->time[TIME_RECEIVED].attnum == 0)
		*problem = pstrdup("its received_at column is not recorded");
	if (*problem == NULL && attachment->text[TEXT_SEVERITY].attnum == 0 &&
		attachment->severity_default == 0)
		*problem = pstrdup("neither its severity column nor a default severity is recorded");
	watch_columns(attachment);
	return attachment;
}

/* A RelationLoader */
static void *
load_attachment(Relation rel, MemoryContext keep, char **problem)
{
	Ledger	   *ledger = ledger_open(false);
	HeapTuple	tuple = ledger_about_relation(ledger, LEDGER_ATTACHMENT,
											  ATTACHMENT_DETACHED_AT, rel);
	Attachment *attachment = NULL;
	RestampProgress progress;
	MemoryContext old;

	if (tuple == NULL)
		*problem = psprintf("table \"%s\" is not attached",
							RelationGetRelationName(rel));
	else
	{
		old = MemoryContextSwitchTo(keep);
		attachment = compile_attachment(ledger, tuple, rel, problem);
		MemoryContextSwitchTo(old);
		attachment->restamping = restamp_progress_find(ledger, attachment->id,
													   false, &progress);
	}
	ledger_close(ledger);
	return attachment;
}

const Attachment *
attachment_get(Relation rel, char **problem)
{
	static RelationCache cache = {.name = "slapolicy attachments"};

	return relation_cache_get(&cache, rel, load_attachment, problem);
}
