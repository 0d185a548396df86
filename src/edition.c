/*
 * edition.c
 *		Writes what a policy version says into sla.policy_edition, and reads it
 *		back.
 *
 * Editions with the same content may exist twice, when two sessions needed
 * the first one at once: which of them a ticket has makes no difference.
 *
 * Must not know: tickets, and where versions come from.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "business_hours.h"
#include "edition.h"
#include "json_read.h"
#include "policy_rules.h"

/* Editions kept at once; when there are more all are read anew */
#define MAX_KEPT	200

/* Editions read, by id */
typedef struct EditionEntry
{
	int32		id;				/* hash key */
	PolicyVersion *version;		/* NULL: see problem */
	char	   *problem;
} EditionEntry;

static MemoryContext edition_context = NULL;
static HTAB *editions = NULL;
static Oid	edition_relid = InvalidOid;
static bool editions_stale = false;

/*
 * The editions of the versions asked for last, by their serial. Forgotten when
 * a transaction fails, or may fail unseen: it may have been the one that wrote
 * them.
 */
#define NUM_KNOWN	16

static struct
{
	uint64		serial;			/* 0: free */
	int32		edition_id;
}			known[NUM_KNOWN];

static void
forget_known(void)
{
	memset(known, 0, sizeof(known));
}

/* The table was replaced or emptied, and its ids may begin anew. */
static void
at_invalidation(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == edition_relid)
		editions_stale = true;
}

static void
at_end_of_transaction(XactEvent event, void *arg)
{
	/* who prepares it does not learn what becomes of it */
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forget_known();
}

static void
at_end_of_subtransaction(SubXactEvent event, SubTransactionId mine,
						 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_known();
}

/* Append "key": and a string, or null. */
static void
append_string(StringInfo buf, const char *key, const char *value)
{
	if (buf->data[buf->len - 1] != '{' && buf->data[buf->len - 1] != '[')
		appendStringInfoChar(buf, ',');
	if (key != NULL)
	{
		escape_json(buf, key);
		appendStringInfoChar(buf, ':');
	}
	if (value == NULL)
		appendStringInfoString(buf, "null");
	else
		escape_json(buf, value);
}

static void
append_kinds(StringInfo buf, const char *key, EventKindSet kinds)
{
	appendStringInfoChar(buf, ',');
	escape_json(buf, key);
	appendStringInfoString(buf, ":[");
	for (EventKind kind = 0; kind < NUM_EVENT_KINDS; kind++)
		if (kinds & EVENT_KIND_BIT(kind))
			append_string(buf, NULL, event_kind_text(kind));
	appendStringInfoChar(buf, ']');
}

static void
append_target(StringInfo buf, Severity severity, const char *metric,
			  const PolicyTarget *target)
{
	if (buf->data[buf->len - 1] != '[')
		appendStringInfoChar(buf, ',');
	appendStringInfoChar(buf, '{');
	append_string(buf, "severity", severity_text(severity));
	append_string(buf, "metric", metric);
	append_string(buf, "goal", target->has_goal ?
				  business_interval_to_text(&target->goal) : NULL);
	if (target->has_goal)
	{
		appendStringInfo(buf, ",\"hours_id\":%d,\"pausable\":%s,\"alerts\":[",
						 target->hours_id,
						 target->pausable ? "true" : "false");
		for (int i = 0; i < target->nalerts; i++)
			append_string(buf, NULL, policy_alert_text(&target->alerts[i]));
		appendStringInfoChar(buf, ']');
	}
	appendStringInfoChar(buf, '}');
}

/* All that clocks depend on, as jsonb; palloc'd */
static Jsonb *
content_of(const PolicyVersion *version)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	append_string(&buf, "policy", version->policy);
	append_string(&buf, "severity_change",
				  policy_severity_change_text(version->severity_change));
	append_string(&buf, "reopening", policy_reopening_text(version->reopening));
	appendStringInfo(&buf, ",\"needs_contract\":%s",
					 version->needs_contract ? "true" : "false");
	appendStringInfoString(&buf, ",\"metrics\":[");
	for (int i = 0; i < version->nmetrics; i++)
	{
		const PolicyMetric *metric = &version->metrics[i];

		appendStringInfoString(&buf, i > 0 ? ",{" : "{");
		append_string(&buf, "name", metric->name);
		append_kinds(&buf, "starts_on", metric->starts_on);
		append_kinds(&buf, "stops_on", metric->stops_on);
		append_kinds(&buf, "restarts_on", metric->restarts_on);
		appendStringInfoChar(&buf, '}');
	}
	appendStringInfoString(&buf, "],\"targets\":[");
	for (Severity severity = SEVERITY_MIN; severity <= SEVERITY_MAX; severity++)
		for (int i = 0; i < version->nmetrics; i++)
			if (policy_target(version, severity, i)->present)
				append_target(&buf, severity, version->metrics[i].name,
							  policy_target(version, severity, i));
	appendStringInfoString(&buf, "],\"severity_caps\":{");
	for (int i = 0; i < version->ncaps; i++)
		append_string(&buf, version->caps[i].product,
					  severity_text(version->caps[i].severity));
	appendStringInfoString(&buf, "},\"channels\":{");
	for (int i = 0; i < version->nchannels; i++)
		append_string(&buf, version->channels[i].channel,
					  policy_counts_text(version->channels[i].counts));
	appendStringInfoString(&buf, "},\"exemptions\":[");
	for (int i = 0; i < version->nexemptions; i++)
		append_string(&buf, NULL, version->exemptions[i]);
	appendStringInfoString(&buf, "]}");
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(buf.data)));
}

static int32
find_edition(Ledger *ledger, int32 version_id, const Jsonb *content)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_EDITION));
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	int32		found = 0;

	ScanKeyInit(&key, EDITION_VERSION_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(version_id));
	ledger_scan_begin(ledger, LEDGER_EDITION, &key, 1, &scan);
	while (found == 0 && HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		bool		isnull;
		Jsonb	   *other = DatumGetJsonbP(heap_getattr(tuple, EDITION_CONTENT,
														desc, &isnull));

		if (compareJsonbContainers(&other->root,
								   &unconstify(Jsonb *, content)->root) == 0)
			found = DatumGetInt32(heap_getattr(tuple, EDITION_ID, desc,
											   &isnull));
	}
	ledger_scan_end(&scan);
	return found;
}

/* Make what is kept reflect the table; to be called before each use. */
static void
prepare_cache(Ledger *ledger)
{
	HASHCTL		ctl;

	if (edition_context == NULL)
	{
		edition_context = AllocSetContextCreate(CacheMemoryContext,
												"slapolicy editions",
												ALLOCSET_SMALL_SIZES);
		CacheRegisterRelcacheCallback(at_invalidation, (Datum) 0);
		RegisterXactCallback(at_end_of_transaction, NULL);
		RegisterSubXactCallback(at_end_of_subtransaction, NULL);
	}
	if (RelationGetRelid(ledger_table(ledger, LEDGER_EDITION)) != edition_relid ||
		editions_stale)
	{
		forget_known();
		editions = NULL;
		edition_relid = RelationGetRelid(ledger_table(ledger, LEDGER_EDITION));
		editions_stale = false;
	}
	if (editions != NULL && hash_get_num_entries(editions) < MAX_KEPT)
		return;
	editions = NULL;
	MemoryContextReset(edition_context);
	ctl.keysize = sizeof(int32);
	ctl.entrysize = sizeof(EditionEntry);
	ctl.hcxt = edition_context;
	editions = hash_create("slapolicy editions", 32, &ctl,
						   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

int32
edition_of(Ledger *ledger, const PolicyVersion *version)
{
	int			slot = version->serial % NUM_KNOWN;
	Jsonb	   *content;
	int32		id;

	prepare_cache(ledger);
	if (version->serial != 0 && known[slot].serial == version->serial)
		return known[slot].edition_id;

	content = content_of(version);
	id = find_edition(ledger, version->id, content);
	if (id == 0)
	{
		Datum		values[EDITION_NATTS];
		bool		nulls[EDITION_NATTS] = {0};

		id = (int32) ledger_next_id(LEDGER_EDITION);
		values[EDITION_VERSION_ID - 1] = Int32GetDatum(version->id);
		values[EDITION_ID - 1] = Int32GetDatum(id);
		values[EDITION_CONTENT - 1] = JsonbPGetDatum(content);
		ledger_insert(ledger, LEDGER_EDITION, values, nulls);
	}
	known[slot].serial = version->serial;
	known[slot].edition_id = id;
	return id;
}

Datum
edition_hours(Ledger *ledger, int32 hours_id)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_HOURS));
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	bool		isnull;
	Datum		hours;

	ScanKeyInit(&key, LEDGER_HOURS_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(hours_id));
	ledger_scan_begin(ledger, LEDGER_HOURS, &key, 1, &scan);
	tuple = ledger_scan_next(&scan);
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("hours %d of a clock are missing in sla.hours",
						hours_id)));
	hours = PointerGetDatum(PG_DETOAST_DATUM_COPY(heap_getattr(tuple, LEDGER_HOURS_VALUE,
															   desc, &isnull)));
	ledger_scan_end(&scan);
	return hours;
}

/* Kinds of events in an array of texts */
static EventKindSet
read_kinds(JsonbContainer *array)
{
	EventKindSet set = 0;
	char	  **texts;
	int			n = json_strings(array, &texts);

	for (int i = 0; i < n; i++)
	{
		EventKind	kind;

		if (event_kind_from_text(texts[i], &kind))
			set |= EVENT_KIND_BIT(kind);
	}
	return set;
}

static void
read_metrics(JsonbContainer *array, PolicyVersion *version)
{
	PolicyMetric *metrics;

	version->nmetrics = json_length(array);
	metrics = palloc0(Max(version->nmetrics, 1) * sizeof(PolicyMetric));
	for (int i = 0; i < version->nmetrics; i++)
	{
		JsonbContainer *item = json_element_container(array, i);

		metrics[i].name = json_string(item, "name");
		metrics[i].starts_on = read_kinds(json_container(item, "starts_on"));
		metrics[i].stops_on = read_kinds(json_container(item, "stops_on"));
		metrics[i].restarts_on = read_kinds(json_container(item, "restarts_on"));
	}
	version->metrics = metrics;
}

/* Hours by id, each read once */
static Datum
hours_of(Ledger *ledger, PolicyTarget *targets, int ntargets, int32 hours_id)
{
	for (int i = 0; i < ntargets; i++)
		if (targets[i].hours_id == hours_id && targets[i].hours != 0)
			return targets[i].hours;
	return edition_hours(ledger, hours_id);
}

/* False when a target cannot be read. */
static bool
read_target(Ledger *ledger, JsonbContainer *item, PolicyVersion *version,
			PolicyTarget *targets, int ntargets)
{
	char	   *severity_name = json_string(item, "severity");
	char	   *metric = json_string(item, "metric");
	char	   *goal = json_string(item, "goal");
	JsonbContainer *texts = json_container(item, "alerts");
	PolicyTarget *target = NULL;
	PolicyAlert *alerts;
	Severity	severity;

	if (severity_name == NULL || metric == NULL ||
		!severity_parse(severity_name, &severity))
		return false;
	for (int i = 0; i < version->nmetrics; i++)
		if (strcmp(version->metrics[i].name, metric) == 0)
			target = &targets[(severity - SEVERITY_MIN) * version->nmetrics + i];
	if (target == NULL)
		return false;
	target->present = true;
	if (goal == NULL)
		return true;
	(void) business_interval_parse(goal, NULL, &target->goal);
	target->has_goal = true;
	target->pausable = json_bool(item, "pausable", true);
	target->hours_id = json_int(item, "hours_id", 0);
	target->hours = hours_of(ledger, targets, ntargets, target->hours_id);
	alerts = palloc(Max(json_length(texts), 1) * sizeof(PolicyAlert));
	for (int i = 0; i < json_length(texts); i++)
	{
		char	   *text = json_element(texts, i);

		if (text == NULL ||
			!policy_alert_from_text(text, &alerts[target->nalerts++]))
			return false;
	}
	target->alerts = alerts;
	return true;
}

static bool
read_rules(JsonbContainer *root, PolicyVersion *version)
{
	char	   *change = json_string(root, "severity_change");
	char	   *reopening = json_string(root, "reopening");
	char	  **keys;
	char	  **values;
	char	  **reasons;
	PolicyCap  *caps;
	PolicyChannel *channels;

	version->policy = json_string(root, "policy");
	version->needs_contract = json_bool(root, "needs_contract", false);
	if (change == NULL || reopening == NULL || version->policy == NULL ||
		!policy_severity_change_from_text(change, &version->severity_change) ||
		!policy_reopening_from_text(reopening, &version->reopening))
		return false;

	version->ncaps = json_members(json_container(root, "severity_caps"),
								  &keys, &values);
	caps = palloc(Max(version->ncaps, 1) * sizeof(PolicyCap));
	for (int i = 0; i < version->ncaps; i++)
	{
		caps[i].product = keys[i];
		if (values[i] == NULL || !severity_parse(values[i], &caps[i].severity))
			return false;
	}
	version->caps = caps;

	version->nchannels = json_members(json_container(root, "channels"),
									  &keys, &values);
	channels = palloc(Max(version->nchannels, 1) * sizeof(PolicyChannel));
	for (int i = 0; i < version->nchannels; i++)
	{
		channels[i].channel = keys[i];
		if (values[i] == NULL ||
			!policy_counts_from_text(values[i], &channels[i].counts))
			return false;
	}
	version->channels = channels;

	version->nexemptions = json_strings(json_container(root, "exemptions"),
										&reasons);
	version->exemptions = (const char *const *) reasons;
	return true;
}

/* Compile the content of an edition; NULL when it cannot be read. */
static PolicyVersion *
read_content(Ledger *ledger, int32 version_id, Jsonb *content)
{
	PolicyVersion *version = palloc0(sizeof(PolicyVersion));
	JsonbContainer *array = json_container(&content->root, "targets");
	PolicyTarget *targets;
	int			ntargets;

	version->id = version_id;
	if (!read_rules(&content->root, version))
		return NULL;
	read_metrics(json_container(&content->root, "metrics"), version);
	ntargets = (SEVERITY_MAX - SEVERITY_MIN + 1) * version->nmetrics;
	targets = palloc0(Max(ntargets, 1) * sizeof(PolicyTarget));
	for (int i = 0; i < json_length(array); i++)
		if (!read_target(ledger, json_element_container(array, i), version,
						 targets, ntargets))
			return NULL;
	version->targets = targets;
	return version;
}

/* The content of an edition, palloc'd; NULL: there is none */
static Jsonb *
find_content(Ledger *ledger, int32 version_id, int32 edition_id)
{
	ScanKeyData keys[2];
	LedgerScan	scan;
	HeapTuple	tuple;
	Jsonb	   *content = NULL;
	bool		isnull;

	ScanKeyInit(&keys[0], EDITION_VERSION_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(version_id));
	ScanKeyInit(&keys[1], EDITION_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(edition_id));
	ledger_scan_begin(ledger, LEDGER_EDITION, keys, 2, &scan);
	tuple = ledger_scan_next(&scan);
	if (HeapTupleIsValid(tuple))
		content = DatumGetJsonbPCopy(heap_getattr(tuple, EDITION_CONTENT,
												  RelationGetDescr(ledger_table(ledger, LEDGER_EDITION)),
												  &isnull));
	ledger_scan_end(&scan);
	return content;
}

/* Why an edition cannot be used, palloc'd; NULL: it can */
static char *
find_problem(const PolicyVersion *version, int32 version_id, int32 edition_id)
{
	int			ntargets;
	Datum		checked = (Datum) 0;

	if (version == NULL)
		return psprintf("edition %d of policy version %d cannot be read",
						edition_id, version_id);
	ntargets = (SEVERITY_MAX - SEVERITY_MIN + 1) * version->nmetrics;
	for (int i = 0; i < ntargets; i++)
	{
		Datum		hours = version->targets[i].hours;
		const char *zone;

		if (hours == (Datum) 0 || hours == checked)
			continue;
		zone = business_hours_unknown_zone(hours);
		if (zone != NULL)
			return psprintf("policy \"%s\" is in time zone \"%s\", which this server does not know",
							version->policy, zone);
		checked = hours;
	}
	return NULL;
}

const PolicyVersion *
edition_get(Ledger *ledger, int32 version_id, int32 edition_id,
			char **problem)
{
	EditionEntry *entry;
	PolicyVersion *version;
	MemoryContext old;
	Jsonb	   *content;
	char	   *trouble;

	prepare_cache(ledger);
	entry = hash_search(editions, &edition_id, HASH_FIND, NULL);
	if (entry != NULL)
	{
		if (entry->problem != NULL)
			*problem = pstrdup(entry->problem);
		return entry->version;
	}

	content = find_content(ledger, version_id, edition_id);
	if (content == NULL)
	{
		*problem = psprintf("edition %d of policy version %d does not exist",
							edition_id, version_id);
		return NULL;
	}
	old = MemoryContextSwitchTo(edition_context);
	version = read_content(ledger, version_id, content);
	MemoryContextSwitchTo(old);
	*problem = find_problem(version, version_id, edition_id);
	trouble = *problem == NULL ? NULL :
		MemoryContextStrdup(edition_context, *problem);
	entry = hash_search(editions, &edition_id, HASH_ENTER, NULL);
	entry->version = trouble == NULL ? version : NULL;
	entry->problem = trouble;
	return entry->version;
}
