/*
 * policy_tables.c
 *		Reading the policy tables: which they are, their columns, their rows.
 *
 * The tables are scanned directly, without privilege checks: a writer of
 * tickets needs no right on them. The snapshot is the latest one, also in a
 * REPEATABLE READ transaction, so that what is read never depends on who asks
 * first; it includes this transaction's own earlier commands.
 *
 * Must not know: what a policy is.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "policy_tables.h"

/* The index that finds rows by the first column read below */
static const struct
{
	const char *name;
	const char *index;
}			tables[NUM_POLICY_TABLES] = {
	[TABLE_POLICY_VERSION] = {"policy_version", "policy_version_pkey"},
	[TABLE_TARGET] = {"target", "target_pkey"},
	[TABLE_METRIC] = {"metric", "metric_pkey"},
	[TABLE_CALENDAR] = {"calendar", "calendar_pkey"},
	[TABLE_HOURS] = {"hours", "hours_pkey"},
	[TABLE_CAP] = {"severity_cap", "severity_cap_pkey"},
	[TABLE_CHANNEL] = {"channel_rule", "channel_rule_pkey"},
	[TABLE_EXEMPTION] = {"exemption", "exemption_pkey"},
	[TABLE_RESTRICTION] = {"restriction_rule", "restriction_rule_pkey"},
	[TABLE_CONTRACT] = {"contract", "contract_account_idx"},
};

/* Columns are found by name, and never read as another type than this */
static const struct
{
	PolicyTable table;
	const char *name;
	bool		type_in_sla;
	const char *type;
}			columns[NUM_POLICY_COLUMNS] = {
	[VERSION_ID] = {TABLE_POLICY_VERSION, "id", false, "int4"},
	[VERSION_POLICY] = {TABLE_POLICY_VERSION, "policy", false, "text"},
	[VERSION_FROM] = {TABLE_POLICY_VERSION, "effective_from", false, "timestamptz"},
	[VERSION_SEVERITY_CHANGE] = {TABLE_POLICY_VERSION, "severity_change", false, "text"},
	[VERSION_REOPENING] = {TABLE_POLICY_VERSION, "reopening", false, "text"},
	[VERSION_ENTITLEMENT] = {TABLE_POLICY_VERSION, "entitlement", false, "text"},
	[VERSION_TIME_ZONE] = {TABLE_POLICY_VERSION, "time_zone", false, "text"},
	[VERSION_RESTRICTED] = {TABLE_POLICY_VERSION, "restricted_accounts", false, "text"},
	[TARGET_VERSION] = {TABLE_TARGET, "policy_version_id", false, "int4"},
	[TARGET_SEVERITY] = {TABLE_TARGET, "severity", true, "severity"},
	[TARGET_METRIC] = {TABLE_TARGET, "metric", false, "text"},
	[TARGET_GOAL] = {TABLE_TARGET, "goal", true, "business_interval"},
	[TARGET_CALENDAR] = {TABLE_TARGET, "calendar", false, "text"},
	[TARGET_ALERTS] = {TABLE_TARGET, "alerts", false, "_text"},
	[TARGET_PAUSABLE] = {TABLE_TARGET, "pausable", false, "bool"},
	[METRIC_NAME] = {TABLE_METRIC, "name", false, "text"},
	[METRIC_STARTS] = {TABLE_METRIC, "starts_on", false, "_text"},
	[METRIC_STOPS] = {TABLE_METRIC, "stops_on", false, "_text"},
	[METRIC_RESTARTS] = {TABLE_METRIC, "restarts_on", false, "_text"},
	[CALENDAR_NAME] = {TABLE_CALENDAR, "name", false, "text"},
	[CALENDAR_HOURS_ID] = {TABLE_CALENDAR, "hours_id", false, "int4"},
	[HOURS_ID] = {TABLE_HOURS, "id", false, "int4"},
	[HOURS_VALUE] = {TABLE_HOURS, "value", true, "business_hours"},
	[CAP_VERSION] = {TABLE_CAP, "policy_version_id", false, "int4"},
	[CAP_PRODUCT] = {TABLE_CAP, "product", false, "text"},
	[CAP_SEVERITY] = {TABLE_CAP, "severity", true, "severity"},
	[CHANNEL_VERSION] = {TABLE_CHANNEL, "policy_version_id", false, "int4"},
	[CHANNEL_CHANNEL] = {TABLE_CHANNEL, "channel", false, "text"},
	[CHANNEL_COUNTS] = {TABLE_CHANNEL, "counts_from", false, "text"},
	[EXEMPTION_VERSION] = {TABLE_EXEMPTION, "policy_version_id", false, "int4"},
	[EXEMPTION_REASON] = {TABLE_EXEMPTION, "reason", false, "text"},
	[RESTRICTION_VERSION] = {TABLE_RESTRICTION, "policy_version_id", false, "int4"},
	[RESTRICTION_ZONE] = {TABLE_RESTRICTION, "time_zone", false, "text"},
	[RESTRICTION_RULE_SUPPORT] = {TABLE_RESTRICTION, "support", false, "int4"},
	[RESTRICTION_RULE_DEPLOYMENTS] = {TABLE_RESTRICTION, "deployments", false, "int4"},
	[RESTRICTION_RULE_TERMINATION] = {TABLE_RESTRICTION, "termination", false, "int4"},
	[RESTRICTION_PER] = {TABLE_RESTRICTION, "per", false, "text"},
	[RESTRICTION_MINIMUM] = {TABLE_RESTRICTION, "minimum_amount", false, "numeric"},
	[RESTRICTION_GRACE] = {TABLE_RESTRICTION, "grace", false, "int4"},
	[RESTRICTION_CALENDAR] = {TABLE_RESTRICTION, "calendar", false, "text"},
	[RESTRICTION_ACTIONS] = {TABLE_RESTRICTION, "actions", false, "jsonb"},
	[RESTRICTION_SECURITY] = {TABLE_RESTRICTION, "security_release", false, "_text"},
	[CONTRACT_ACCOUNT] = {TABLE_CONTRACT, "account", false, "text"},
	[CONTRACT_ID] = {TABLE_CONTRACT, "id", false, "int4"},
	[CONTRACT_SERVICE] = {TABLE_CONTRACT, "service", false, "text"},
	[CONTRACT_POLICY] = {TABLE_CONTRACT, "policy", false, "text"},
	[CONTRACT_VALID] = {TABLE_CONTRACT, "valid", false, "tstzrange"},
	[CONTRACT_CALENDAR] = {TABLE_CONTRACT, "calendar", false, "text"},
};

static Oid	namespace_oid = InvalidOid;
static Oid	table_oids[NUM_POLICY_TABLES];
static AttrNumber attnums[NUM_POLICY_COLUMNS];


char *
policy_tables_find(void)
{
	namespace_oid = get_namespace_oid("sla", true);
	for (int i = 0; i < NUM_POLICY_TABLES; i++)
	{
		table_oids[i] = OidIsValid(namespace_oid) ?
			get_relname_relid(tables[i].name, namespace_oid) : InvalidOid;
		if (!OidIsValid(table_oids[i]))
			return psprintf("table sla.%s does not exist", tables[i].name);
	}
	return NULL;
}

bool
policy_table_is(Oid relid)
{
	for (int i = 0; i < NUM_POLICY_TABLES; i++)
	{
		if (table_oids[i] == relid)
			return true;
	}
	return false;
}

/*
 * Where the columns are in the tables, which must be locked. NULL, or a
 * palloc'd problem.
 */
static char *
find_columns(int wanted)
{
	for (int i = 0; i < NUM_POLICY_COLUMNS; i++)
	{
		HeapTuple	tuple;
		Oid			type;
		bool		matches = false;

		if (!(wanted & POLICY_TABLE_BIT(columns[i].table)))
			continue;
		type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
							   CStringGetDatum(columns[i].type),
							   ObjectIdGetDatum(columns[i].type_in_sla ?
												namespace_oid :
												PG_CATALOG_NAMESPACE));
		tuple = SearchSysCacheAttName(table_oids[columns[i].table],
									  columns[i].name);
		if (HeapTupleIsValid(tuple))
		{
			Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(tuple);

			matches = OidIsValid(type) && att->atttypid == type;
			attnums[i] = att->attnum;
			ReleaseSysCache(tuple);
		}
		if (!matches)
			return psprintf("table sla.%s has no column \"%s\" of type %s",
							tables[columns[i].table].name, columns[i].name,
							columns[i].type);
	}
	return NULL;
}

/*
 * What is kept are copies, so the locks can go at once, as those on catalogs
 * do.
 */
static void
close_tables(PolicyReader *reader)
{
	for (int i = 0; i < NUM_POLICY_TABLES; i++)
		if (reader->rels[i] != NULL)
			table_close(reader->rels[i], AccessShareLock);
}

bool
policy_reader_open(PolicyReader *reader, int wanted, char **problem)
{
	memset(reader, 0, sizeof(*reader));
	*problem = NULL;
	for (int i = 0; i < NUM_POLICY_TABLES && *problem == NULL; i++)
	{
		if (!(wanted & POLICY_TABLE_BIT(i)))
			continue;
		reader->rels[i] = try_table_open(table_oids[i], AccessShareLock);
		if (reader->rels[i] == NULL)
			*problem = psprintf("table sla.%s has been dropped",
								tables[i].name);
	}
	if (*problem == NULL)
		*problem = find_columns(wanted);
	if (*problem != NULL)
	{
		close_tables(reader);
		return false;
	}
	reader->snapshot = RegisterSnapshot(GetLatestSnapshot());
	return true;
}

void
policy_reader_close(PolicyReader *reader)
{
	UnregisterSnapshot(reader->snapshot);
	close_tables(reader);
}

SysScanDesc
policy_scan(PolicyReader *reader, PolicyColumn column, const Datum *key,
			ScanKey key_space)
{
	PolicyTable table = columns[column].table;
	Relation	rel = reader->rels[table];
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
										  attnums[column] - 1);
	Oid			index = InvalidOid;

	if (key != NULL)
	{
		index = get_relname_relid(tables[table].index, namespace_oid);
		ScanKeyEntryInitialize(key_space, 0, attnums[column],
							   BTEqualStrategyNumber, InvalidOid,
							   att->attcollation,
							   att->atttypid == TEXTOID ? F_TEXTEQ : F_INT4EQ,
							   *key);
	}
	return systable_beginscan(rel, index, OidIsValid(index),
							  reader->snapshot, key != NULL ? 1 : 0,
							  key != NULL ? key_space : NULL);
}

Datum
policy_value(PolicyReader *reader, HeapTuple tuple, PolicyColumn column,
			 bool *isnull)
{
	Relation	rel = reader->rels[columns[column].table];

	return heap_getattr(tuple, attnums[column], RelationGetDescr(rel), isnull);
}
