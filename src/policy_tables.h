/*
 * policy_tables.h
 *		The policy tables as this module reads them; for policy.c and
 *		policy_compile.c and contract.c alone.
 */
#ifndef SLAPOLICY_POLICY_TABLES_H
#define SLAPOLICY_POLICY_TABLES_H

#include "slapolicy.h"

#include "access/genam.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef enum PolicyTable
{
	TABLE_POLICY_VERSION,
	TABLE_TARGET,
	TABLE_METRIC,
	TABLE_CALENDAR,
	TABLE_HOURS,
	TABLE_CAP,
	TABLE_CHANNEL,
	TABLE_EXEMPTION,
	TABLE_RESTRICTION,
	TABLE_CONTRACT
} PolicyTable;

#define NUM_POLICY_TABLES	(TABLE_CONTRACT + 1)

typedef enum PolicyColumn
{
	VERSION_ID, VERSION_POLICY, VERSION_FROM, VERSION_SEVERITY_CHANGE,
	VERSION_REOPENING, VERSION_ENTITLEMENT, VERSION_TIME_ZONE,
	VERSION_RESTRICTED,
	TARGET_VERSION, TARGET_SEVERITY, TARGET_METRIC, TARGET_GOAL,
	TARGET_CALENDAR, TARGET_ALERTS, TARGET_PAUSABLE,
	METRIC_NAME, METRIC_STARTS, METRIC_STOPS, METRIC_RESTARTS,
	CALENDAR_NAME, CALENDAR_HOURS_ID,
	HOURS_ID, HOURS_VALUE,
	CAP_VERSION, CAP_PRODUCT, CAP_SEVERITY,
	CHANNEL_VERSION, CHANNEL_CHANNEL, CHANNEL_COUNTS,
	EXEMPTION_VERSION, EXEMPTION_REASON,
	RESTRICTION_VERSION, RESTRICTION_ZONE, RESTRICTION_RULE_SUPPORT,
	RESTRICTION_RULE_DEPLOYMENTS, RESTRICTION_RULE_TERMINATION,
	RESTRICTION_PER, RESTRICTION_MINIMUM, RESTRICTION_GRACE,
	RESTRICTION_CALENDAR, RESTRICTION_ACTIONS, RESTRICTION_SECURITY,
	CONTRACT_ACCOUNT, CONTRACT_ID, CONTRACT_SERVICE, CONTRACT_POLICY,
	CONTRACT_VALID, CONTRACT_CALENDAR
} PolicyColumn;

#define NUM_POLICY_COLUMNS	(CONTRACT_CALENDAR + 1)

/*
 * The policy tables, locked, and one snapshot taken behind the locks, so that
 * what is read fits together and a TRUNCATE cannot slip between.
 */
typedef struct PolicyReader
{
	Relation	rels[NUM_POLICY_TABLES];	/* NULL: not opened */
	Snapshot	snapshot;
} PolicyReader;

/*
 * Find the tables, which a DROP and CREATE EXTENSION in this session may have
 * replaced. To be called before anything is read. NULL, or a palloc'd
 * problem.
 */
extern char *policy_tables_find(void);

/* Is this one of the tables last found? Touches no catalog. */
extern bool policy_table_is(Oid relid);

/* Tables to open, as bits */
#define POLICY_TABLE_BIT(table)		(1 << (table))
#define POLICY_ALL_TABLES			((1 << NUM_POLICY_TABLES) - 1)

/*
 * Open a set of the tables. False, and a palloc'd problem, when they are not
 * what they should be, or no longer those last found.
 */
extern bool policy_reader_open(PolicyReader *reader, int wanted,
							   char **problem);
extern void policy_reader_close(PolicyReader *reader);

/*
 * Scan the table of a column: the rows where it equals *key (int4 or text),
 * or all of them when key is NULL. key_space must live as long as the scan.
 */
extern SysScanDesc policy_scan(PolicyReader *reader, PolicyColumn column,
							   const Datum *key, ScanKey key_space);

/* A column of a row that a scan of its table found. */
extern Datum policy_value(PolicyReader *reader, HeapTuple tuple,
						  PolicyColumn column, bool *isnull);

#endif							/* SLAPOLICY_POLICY_TABLES_H */
