/*
 * attachment.c
 *		Reads sla.attachment, and rows of ticket tables as it says.
 *
 * Column names are resolved for each relation that fires a trigger (a
 * partition may number its columns differently) and kept until any relation
 * involved changes: renaming a column is noticed at once.
 *
 * Knows nothing of the ledger, policies and triggers.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/skey.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "common/md5.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attachment.h"
#include "ledger_tables.h"
#include "restamp_progress.h"

/* Bytes of a ticket's key that are kept as they are */
#define LONGEST_KEY		1000

typedef struct AttachmentEntry
{
	Oid			relid;			/* hash key */
	Attachment *attachment;		/* NULL: see problem */
	char	   *problem;
} AttachmentEntry;

/* All entries live in cache_context and go together. */
static MemoryContext cache_context = NULL;
static HTAB *cache = NULL;
static bool cache_stale = false;

static void
forget_attachments(Datum arg, Oid relid)
{
	/* the entries may be in use; they are freed at the next look-up */
	if (cache == NULL || !OidIsValid(relid) ||
		hash_search(cache, &relid, HASH_FIND, NULL) != NULL)
		cache_stale = true;
}

static void
prepare_cache(void)
{
	HASHCTL		ctl;

	if (cache != NULL && !cache_stale)
		return;
	if (cache_context == NULL)
	{
		cache_context = AllocSetContextCreate(CacheMemoryContext,
											  "slapolicy attachments",
											  ALLOCSET_SMALL_SIZES);
		CacheRegisterRelcacheCallback(forget_attachments, (Datum) 0);
	}
	cache = NULL;
	MemoryContextReset(cache_context);
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(AttachmentEntry);
	ctl.hcxt = cache_context;
	cache = hash_create("slapolicy attachments", 16, &ctl,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	cache_stale = false;
}

/* The string under a key of a JSON object, palloc'd; NULL when there is none */
static char *
json_string(Jsonb *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, key,
													 strlen(key), NULL);

	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * Column number of a name in rel, 0 and a problem when it has none of a type,
 * or of a domain over it
 */
static AttrNumber
find_column(Relation rel, const char *name, Oid type, char **problem)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum <= 0)
		*problem = psprintf("column \"%s\" is gone", name);
	else if (OidIsValid(type) &&
			 getBaseType(TupleDescAttr(RelationGetDescr(rel),
									   attnum - 1)->atttypid) != type)
		*problem = psprintf("column \"%s\" is not of type %s any more",
							name, format_type_be(type));
	else
		return attnum;
	return 0;
}

/* Column number of a role, 0 when the role is not used */
static AttrNumber
find_role(Relation rel, Jsonb *roles, const char *role, Oid type,
		  char **problem)
{
	char	   *name = json_string(roles, role);

	return name == NULL ? 0 : find_column(rel, name, type, problem);
}

static void
find_output(Relation rel, AttrNumber attnum, FmgrInfo *out)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid,
					  &function, &is_varlena);
	fmgr_info_cxt(function, out, cache_context);
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

/*
 * Make values read alike in every session: a ticket must not get lost because
 * a session has another time zone. The caller ends the returned level.
 */
static int
pin_output_settings(void)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			pinned[] = {
		{"bytea_output", "hex"},
		{"datestyle", "ISO, YMD"},
		{"extra_float_digits", "1"},
		{"intervalstyle", "postgres"},
		{"lc_monetary", "C"},
		{"search_path", "pg_catalog"},
		{"timezone", "UTC"},
		{"xmlbinary", "base64"},
	};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(pinned); i++)
		(void) set_config_option(pinned[i].name, pinned[i].value,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	return level;
}

static void
read_keys(Attachment *attachment, Relation rel, Jsonb *roles, char **problem)
{
	JsonbValue *names = getKeyJsonValueFromContainer(&roles->root, "key", 3, NULL);
	int			n;

	if (names == NULL || names->type != jbvBinary ||
		!JsonContainerIsArray(names->val.binary.data))
	{
		*problem = pstrdup("its key columns are not recorded");
		return;
	}
	n = JsonContainerSize(names->val.binary.data);
	if (n == 0)
	{
		*problem = pstrdup("it has no key column");
		return;
	}
	attachment->keys = palloc(n * sizeof(AttrNumber));
	attachment->key_out = palloc(n * sizeof(FmgrInfo));
	for (int i = 0; i < n; i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(names->val.binary.data, i);
		AttrNumber	attnum;

		if (name->type != jbvString)
		{
			*problem = pstrdup("a key column is not recorded by name");
			return;
		}
		attnum = find_column(rel, pnstrdup(name->val.string.val,
										   name->val.string.len),
							 InvalidOid, problem);
		if (attnum == 0)
			return;
		if (type_has_settings(TupleDescAttr(RelationGetDescr(rel),
											attnum - 1)->atttypid))
			attachment->key_has_settings = true;
		attachment->keys[i] = attnum;
		find_output(rel, attnum, &attachment->key_out[i]);
	}
	attachment->nkeys = n;
}

static void
read_severity_map(Attachment *attachment, Jsonb *map, char **problem)
{
	JsonbIterator *it = JsonbIteratorInit(&map->root);
	JsonbValue	value;
	JsonbIteratorToken token;
	SeverityMapping *mapping = NULL;

	if (!JB_ROOT_IS_OBJECT(map))
	{
		*problem = pstrdup("its severity map is no object");
		return;
	}
	attachment->has_map = true;
	attachment->map = palloc(Max(JB_ROOT_COUNT(map), 1) * sizeof(SeverityMapping));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		char	   *string = NULL;

		if (token == WJB_KEY || (token == WJB_VALUE && value.type == jbvString))
			string = pnstrdup(value.val.string.val, value.val.string.len);
		if (token == WJB_KEY)
		{
			mapping = &attachment->map[attachment->nmap++];
			mapping->text = string;
		}
		else if (token == WJB_VALUE &&
				 (string == NULL || !severity_parse(string, &mapping->severity)))
			*problem = psprintf("its severity map gives no severity for \"%s\"",
								mapping->text);
	}
}

static void
read_stamps(Attachment *attachment, Relation rel, Jsonb *roles, char **problem)
{
	static const char *const metrics[] = {"response", "resolution"};

	attachment->stamps = palloc(lengthof(metrics) * sizeof(StampColumn));
	for (int i = 0; i < (int) lengthof(metrics); i++)
	{
		AttrNumber	attnum = find_role(rel, roles,
									   psprintf("%s_due", metrics[i]),
									   TIMESTAMPTZOID, problem);

		if (attnum != 0)
		{
			attachment->stamps[attachment->nstamps].metric = metrics[i];
			attachment->stamps[attachment->nstamps++].attnum = attnum;
		}
	}
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

	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_ATTACHMENT)),
					  values, nulls);
	attachment->id = DatumGetInt32(values[ATTACHMENT_ID - 1]);
	if (!nulls[ATTACHMENT_POLICY - 1])
		attachment->policy = TextDatumGetCString(values[ATTACHMENT_POLICY - 1]);
	attachment->reject =
		strcmp(TextDatumGetCString(values[ATTACHMENT_ON_ERROR - 1]), "reject") == 0;
	roles = DatumGetJsonbPCopy(values[ATTACHMENT_ROLES - 1]);
	if (!JB_ROOT_IS_OBJECT(roles))
	{
		*problem = pstrdup("its columns are not recorded");
		return attachment;
	}

	read_keys(attachment, rel, roles, problem);
	attachment->severity = find_role(rel, roles, "severity", InvalidOid, problem);
	if (attachment->severity != 0)
	{
		attachment->severity_out = palloc(sizeof(FmgrInfo));
		find_output(rel, attachment->severity, attachment->severity_out);
		attachment->severity_padded =
			getBaseType(TupleDescAttr(RelationGetDescr(rel),
									  attachment->severity - 1)->atttypid) == BPCHAROID;
	}
	attachment->severity_column = json_string(roles, "severity");
	attachment->received_column = json_string(roles, "received_at");
	attachment->received = find_role(rel, roles, "received_at", TIMESTAMPTZOID, problem);
	attachment->replied = find_role(rel, roles, "responded_at", TIMESTAMPTZOID, problem);
	attachment->resolved = find_role(rel, roles, "resolved_at", TIMESTAMPTZOID, problem);
	attachment->changed = find_role(rel, roles, "changed_at", TIMESTAMPTZOID, problem);
	if (!nulls[ATTACHMENT_SEVERITY_MAP - 1])
		read_severity_map(attachment,
						  DatumGetJsonbPCopy(values[ATTACHMENT_SEVERITY_MAP - 1]),
						  problem);
	read_stamps(attachment, rel, roles, problem);
	if (*problem == NULL &&
		(attachment->severity == 0 || attachment->received == 0))
		*problem = pstrdup("its severity or received_at column is not recorded");
	return attachment;
}

/* Find the attachment of a table for a relation; NULL when there is none. */
static Attachment *
load_attachment(Ledger *ledger, Oid table, Relation rel, char **problem)
{
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	Attachment *attachment = NULL;
	RestampProgress progress;
	bool		isnull;

	ScanKeyInit(&key, ATTACHMENT_TICKET_TABLE, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(table));
	ledger_scan_begin(ledger, LEDGER_ATTACHMENT, &key, 1, &scan);
	tuple = ledger_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
	{
		heap_getattr(tuple, ATTACHMENT_DETACHED_AT,
					 RelationGetDescr(ledger_table(ledger, LEDGER_ATTACHMENT)),
					 &isnull);
		if (isnull)
			attachment = compile_attachment(ledger, tuple, rel, problem);
	}
	ledger_scan_end(&scan);
	if (attachment != NULL)
		attachment->restamping = restamp_progress_find(ledger, attachment->id,
													   false, &progress);
	return attachment;
}

const Attachment *
attachment_get(Relation rel, char **problem)
{
	Oid			relid = RelationGetRelid(rel);
	AttachmentEntry *entry;
	Attachment *attachment;
	MemoryContext old;
	Ledger	   *ledger;
	List	   *tables;
	ListCell   *lc;
	char	   *trouble = NULL;

	prepare_cache();
	entry = hash_search(cache, &relid, HASH_FIND, NULL);
	if (entry != NULL)
	{
		*problem = entry->problem;
		return entry->attachment;
	}

	tables = list_make1_oid(relid);
	if (rel->rd_rel->relispartition)
		tables = list_concat(tables, get_partition_ancestors(relid));
	ledger = ledger_open(false);
	old = MemoryContextSwitchTo(cache_context);
	attachment = NULL;
	foreach(lc, tables)
	{
		attachment = load_attachment(ledger, lfirst_oid(lc), rel, &trouble);
		if (attachment != NULL)
			break;
	}
	if (attachment == NULL)
		trouble = psprintf("table \"%s\" is not attached",
						   RelationGetRelationName(rel));
	MemoryContextSwitchTo(old);
	ledger_close(ledger);

	entry = hash_search(cache, &relid, HASH_ENTER, NULL);
	entry->attachment = trouble == NULL ? attachment : NULL;
	entry->problem = trouble;
	*problem = trouble;
	return entry->attachment;
}

/*
 * A key that fits into an index: of a long one its beginning, and a digest of
 * all of it.
 */
static char *
fitting_key(char *key)
{
	char		digest[33];
	const char *error;
	size_t		len = strlen(key);

	if (len <= LONGEST_KEY)
		return key;
	if (!pg_md5_hash(key, len, digest, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute %s hash: %s", "MD5", error)));
	return psprintf("%.*s... (md5 %s)",
					pg_mbcliplen(key, len, LONGEST_KEY / 2), key, digest);
}

char *
attachment_key(const Attachment *attachment, TupleTableSlot *slot)
{
	Datum	   *parts = palloc(attachment->nkeys * sizeof(Datum));
	char	   *result = NULL;
	int			count = attachment->nkeys;
	int			lower = 1;
	FmgrInfo	array_output;
	int			level = attachment->key_has_settings ? pin_output_settings() : 0;

	for (int i = 0; i < attachment->nkeys; i++)
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, attachment->keys[i], &isnull);
		char	   *string = isnull ? pstrdup("") :
			OutputFunctionCall(&attachment->key_out[i], value);

		if (attachment->nkeys == 1)
			result = string;
		else
			parts[i] = CStringGetTextDatum(string);
	}
	if (level > 0)
		AtEOXact_GUC(true, level);
	if (attachment->nkeys == 1)
		return fitting_key(result);
	fmgr_info(F_ARRAY_OUT, &array_output);
	result = OutputFunctionCall(&array_output,
								PointerGetDatum(construct_md_array(parts, NULL, 1,
																   &count, &lower, TEXTOID,
																   -1, false, TYPALIGN_INT)));
	return fitting_key(result);
}

/* A time that counts: infinite ones say as little as NULL */
static MaybeTime
read_time(TupleTableSlot *slot, AttrNumber attnum)
{
	MaybeTime	result = {false, 0};
	bool		isnull;
	Datum		value;

	if (attnum == 0)
		return result;
	value = slot_getattr(slot, attnum, &isnull);
	if (!isnull)
		result.at = DatumGetTimestampTz(value);
	result.known = !isnull && !TIMESTAMP_NOT_FINITE(result.at);
	return result;
}

static Severity
read_severity(const Attachment *attachment, TupleTableSlot *slot,
			  char **problem)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, attachment->severity, &isnull);
	Severity	severity = 0;
	char	   *string;

	if (isnull)
	{
		*problem = psprintf("%s is null", attachment->severity_column);
		return 0;
	}
	string = OutputFunctionCall(attachment->severity_out, value);
	if (attachment->severity_padded)
		string[bpchartruelen(string, strlen(string))] = '\0';
	if (attachment->has_map)
	{
		for (int i = 0; i < attachment->nmap; i++)
			if (strcmp(attachment->map[i].text, string) == 0)
				severity = attachment->map[i].severity;
	}
	else if (!severity_parse(string, &severity))
		severity = 0;
	if (severity == 0)
		*problem = psprintf("%s \"%.*s\" maps to no severity",
							attachment->severity_column,
							pg_mbcliplen(string, strlen(string), 64), string);
	pfree(string);
	return severity;
}

TicketRow
attachment_read_row(const Attachment *attachment, TupleTableSlot *slot,
					TimestampTz now, char **problem)
{
	TicketRow	row = {0};
	MaybeTime	changed = read_time(slot, attachment->changed);

	row.received = read_time(slot, attachment->received);
	row.replied = read_time(slot, attachment->replied);
	row.resolved = read_time(slot, attachment->resolved);
	row.changed_at = changed.known ? changed.at : now;
	row.severity = read_severity(attachment, slot, problem);
	if (!row.received.known)
		*problem = psprintf("%s is null or infinite",
							attachment->received_column);
	return row;
}

/* Bytewise, as a change of the value alone matters less than missing one */
static bool
column_changed(TupleTableSlot *before, TupleTableSlot *after, AttrNumber attnum)
{
	Form_pg_attribute att;
	Datum		a,
				b;
	bool		a_null,
				b_null;

	if (attnum == 0)
		return false;
	att = TupleDescAttr(after->tts_tupleDescriptor, attnum - 1);
	a = slot_getattr(before, attnum, &a_null);
	b = slot_getattr(after, attnum, &b_null);
	return a_null != b_null ||
		(!a_null && !datum_image_eq(a, b, att->attbyval, att->attlen));
}

bool
attachment_row_changed(const Attachment *attachment,
					   TupleTableSlot *before, TupleTableSlot *after)
{
	if (attachment->restamping)
		return true;
	for (int i = 0; i < attachment->nkeys; i++)
		if (column_changed(before, after, attachment->keys[i]))
			return true;
	for (int i = 0; i < attachment->nstamps; i++)
		if (column_changed(before, after, attachment->stamps[i].attnum))
			return true;
	return column_changed(before, after, attachment->severity) ||
		column_changed(before, after, attachment->received) ||
		column_changed(before, after, attachment->replied) ||
		column_changed(before, after, attachment->resolved);
}
