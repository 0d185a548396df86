/*
 * policy_tables.h
 *		The policy tables as this module reads them; for policy.c and
 *		policy_compile.c alone.
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
	TABLE_HOURS
} PolicyTable;

#define NUM_POLICY_TABLES	(TABLE_HOURS + 1)

typedef enum PolicyColumn
{
	VERSION_ID, VERSION_POLICY, VERSION_FROM,
	TARGET_VERSION, TARGET_SEVERITY, TARGET_METRIC, TARGET_GOAL,
	TARGET_CALENDAR,
	METRIC_NAME, METRIC_STARTS, METRIC_STOPS,
	CALENDAR_NAME, CALENDAR_HOURS_ID,
	HOURS_ID, HOURS_VALUE
} PolicyColumn;

#define NUM_POLICY_COLUMNS	(HOURS_VALUE + 1)

/*
 * All policy tables, locked, and one snapshot taken behind the locks, so that
 * what is read fits together and a TRUNCATE cannot slip between.
 */
typedef struct PolicyReader
{
	Relation	rels[NUM_POLICY_TABLES];
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

/*
 * Open the tables. False, and a palloc'd problem, when they are not what they
 * should be, or no longer those last found.
 */
extern bool policy_reader_open(PolicyReader *reader, char **problem);
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
