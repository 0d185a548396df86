/*
 * ledger_tables.h
 *		Opening, scanning and filling the ledger's tables: what ledger.c and
 *		ledger_clock.c share.
 */
#ifndef SLAPOLICY_LEDGER_TABLES_H
#define SLAPOLICY_LEDGER_TABLES_H

#include "slapolicy.h"
#include "access/genam.h"
#include "access/skey.h"
#include "catalog/indexing.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* The ledger's tables, open for one piece of work */
typedef struct Ledger Ledger;

typedef enum LedgerTable
{
	LEDGER_ATTACHMENT,
	LEDGER_EDITION,
	LEDGER_TICKET,
	LEDGER_EVENT,
	LEDGER_CLOCK,
	LEDGER_ALERT,
	LEDGER_RESTAMP,
	LEDGER_MESSAGES,
	LEDGER_GUARD,
	LEDGER_INVOICES,			/* tables of invoices */
	LEDGER_INVOICE,
	LEDGER_INVOICE_EVENT,
	LEDGER_OVERRIDE,			/* of restrictions; only read here */
	LEDGER_HOURS				/* of the policy's tables, only read here */
} LedgerTable;

#define NUM_LEDGER_TABLES	(LEDGER_HOURS + 1)

/* Columns, as sql/40_ledger.sql orders them */
enum
{
	ATTACHMENT_ID = 1,
	ATTACHMENT_TICKET_TABLE,
	ATTACHMENT_POLICY,
	ATTACHMENT_ROLES,
	ATTACHMENT_SEVERITY_MAP,
	ATTACHMENT_OPTIONS,
	ATTACHMENT_ON_ERROR,
	ATTACHMENT_ATTACHED_AT,
	ATTACHMENT_DETACHED_AT,
	ATTACHMENT_NATTS = ATTACHMENT_DETACHED_AT
};

enum
{
	EDITION_VERSION_ID = 1,
	EDITION_ID,
	EDITION_CONTENT,
	EDITION_NATTS = EDITION_CONTENT
};

enum
{
	TICKET_ID = 1,
	TICKET_ATTACHMENT_ID,
	TICKET_KEY,
	TICKET_VERSION,
	TICKET_STATE,
	TICKET_SEVERITY,
	TICKET_POLICY_VERSION_ID,
	TICKET_EDITION_ID,
	TICKET_CONTRACT_ID,
	TICKET_HOURS_ID,
	TICKET_RECEIVED_AT,
	TICKET_POLICY,
	TICKET_ACCOUNT,
	TICKET_SERVICE,
	TICKET_PRODUCT,
	TICKET_CHANNEL,
	TICKET_TEAM,
	TICKET_ASSIGNEE,
	TICKET_LABELS,
	TICKET_EXEMPT,
	TICKET_NATTS = TICKET_EXEMPT
};

enum
{
	EVENT_TICKET_ID = 1,
	EVENT_SEQ,
	EVENT_KIND,
	EVENT_AT,
	EVENT_RECORDED_AT,
	EVENT_OLD_VALUE,
	EVENT_NEW_VALUE,
	EVENT_SOURCE,
	EVENT_NATTS = EVENT_SOURCE
};

enum
{
	CLOCK_ID = 1,
	CLOCK_TICKET_ID,
	CLOCK_METRIC,
	CLOCK_CYCLE,
	CLOCK_AIM,
	CLOCK_SEVERITY,
	CLOCK_GOAL,
	CLOCK_HOURS_ID,
	CLOCK_STARTED_AT,
	CLOCK_DUE_AT,
	CLOCK_STOPPED_AT,
	CLOCK_WORKED,
	CLOCK_PAUSED,
	CLOCK_PAUSED_AT,
	CLOCK_REMAINING,
	CLOCK_COUNTED_FROM,
	CLOCK_CARRIED,
	CLOCK_PINNED,
	CLOCK_OUTCOME,
	CLOCK_WARNINGS,
	CLOCK_WARN_AT,
	CLOCK_NEXT_ALERT_AT,
	CLOCK_NATTS = CLOCK_NEXT_ALERT_AT
};

enum
{
	ALERT_ID = 1,
	ALERT_CLOCK_ID,
	ALERT_TICKET_ID,
	ALERT_AIM,
	ALERT_THRESHOLD,
	ALERT_KIND,
	ALERT_DUE_AT,
	ALERT_FLAGGED_AT,
	ALERT_NATTS = ALERT_FLAGGED_AT
};

enum
{
	RESTAMP_ATTACHMENT_ID = 1,
	RESTAMP_STARTED_AT,
	RESTAMP_ROWS_RECORDED,
	RESTAMP_WITHOUT_DEADLINES,
	RESTAMP_FINISHED,
	RESTAMP_RELATION,
	RESTAMP_FILE,
	RESTAMP_BLOCKS,
	RESTAMP_LAST_ROW,
	RESTAMP_NATTS = RESTAMP_LAST_ROW
};

enum
{
	MESSAGES_ID = 1,
	MESSAGES_TABLE,
	MESSAGES_TICKET_TABLE,
	MESSAGES_SOURCE,
	MESSAGES_ROLES,
	MESSAGES_OPTIONS,
	MESSAGES_ATTACHED_AT,
	MESSAGES_DETACHED_AT,
	MESSAGES_NATTS = MESSAGES_DETACHED_AT
};

/* as sql/69_guard.sql orders them */
enum
{
	GUARD_ID = 1,
	GUARD_TABLE,
	GUARD_ACTION,
	GUARD_RULE_POLICY,
	GUARD_RULE_KIND,
	GUARD_COLUMNS,
	GUARD_OPTIONS,
	GUARD_GUARDED_AT,
	GUARD_NATTS = GUARD_GUARDED_AT
};

enum
{
	INVOICES_ID = 1,
	INVOICES_TABLE,
	INVOICES_POLICY,
	INVOICES_ROLES,
	INVOICES_OPTIONS,
	INVOICES_ON_ERROR,
	INVOICES_ATTACHED_AT,
	INVOICES_DETACHED_AT,
	INVOICES_NATTS = INVOICES_DETACHED_AT
};

enum
{
	INVOICE_ID = 1,
	INVOICE_ATTACHMENT_ID,
	INVOICE_KEY,
	INVOICE_POLICY,
	INVOICE_ACCOUNT,
	INVOICE_SERVICE,
	INVOICE_DUE,
	INVOICE_AMOUNT,
	INVOICE_PAID,
	INVOICE_STATE,
	INVOICE_COUNTS_UNTIL,
	INVOICE_PLAIN,
	INVOICE_DAYS,
	INVOICE_PROBLEM,
	INVOICE_NEXT_CHANGE_AT,
	INVOICE_NATTS = INVOICE_NEXT_CHANGE_AT
};

enum
{
	INVOICE_EVENT_INVOICE_ID = 1,
	INVOICE_EVENT_SEQ,
	INVOICE_EVENT_KIND,
	INVOICE_EVENT_AT,
	INVOICE_EVENT_RECORDED_AT,
	INVOICE_EVENT_ACCOUNT,
	INVOICE_EVENT_SERVICE,
	INVOICE_EVENT_DUE,
	INVOICE_EVENT_AMOUNT,
	INVOICE_EVENT_SOURCE,
	INVOICE_EVENT_NATTS = INVOICE_EVENT_SOURCE
};

enum
{
	OVERRIDE_ID = 1,
	OVERRIDE_ACCOUNT,
	OVERRIDE_SERVICE,
	OVERRIDE_LEVEL,
	OVERRIDE_REASON,
	OVERRIDE_AUTHOR,
	OVERRIDE_STARTS,
	OVERRIDE_UNTIL,
	OVERRIDE_RECORDED_AT,
	OVERRIDE_REVOKES,
	OVERRIDE_NEXT_CHANGE_AT,
	OVERRIDE_NATTS = OVERRIDE_NEXT_CHANGE_AT
};

enum
{
	LEDGER_HOURS_ID = 1,
	LEDGER_HOURS_VALUE
};

struct Ledger
{
	bool		writing;
	Relation	rel[NUM_LEDGER_TABLES]; /* NULL until used */
	CatalogIndexState indexes[NUM_LEDGER_TABLES];	/* NULL until used */
};

/*
 * Open the tables for reading, or for writing as well. Raises 42P01 when they
 * are gone. Close it in the same (sub)transaction; an error closes it, too.
 */
extern Ledger *ledger_open(bool writing);
extern void ledger_close(Ledger *ledger);

/* The table, opened on first use */
extern Relation ledger_table(Ledger *ledger, LedgerTable table);

/* The next value of the table's id */
extern int64 ledger_next_id(LedgerTable table);

/*
 * Begin a scan of the table by the index that looks rows up; keys name its
 * columns from the first on. Reads what is committed now, and what this
 * transaction has written. A row that somebody else updates during the scan
 * may be missed in a SERIALIZABLE transaction, and only there.
 */
typedef struct LedgerScan
{
	SysScanDesc scan;
	Snapshot	snapshot;		/* registered; NULL: none */
	Relation	index;			/* whose order counts; NULL: none */
} LedgerScan;

extern void ledger_scan_begin(Ledger *ledger, LedgerTable table,
							  ScanKeyData *keys, int nkeys, LedgerScan *scan);
/*
 * The same by one of the table's indexes, as a snapshot has the table; NULL:
 * what is committed now. Columns of keys are those of the table.
 */
typedef enum LedgerIndex
{
	LEDGER_BY_LOOKUP,			/* the index that looks rows up */
	LEDGER_BY_ACCOUNT,
	LEDGER_BY_ID				/* the primary key */
} LedgerIndex;

extern void ledger_scan_begin_by(Ledger *ledger, LedgerTable table,
								 LedgerIndex index, Snapshot snapshot,
								 ScanKeyData *keys, int nkeys,
								 LedgerScan *scan);

/*
 * Begin a scan in the order of the primary key, as the active snapshot has the
 * table; keys name columns of the primary key.
 */
extern void ledger_scan_begin_ordered(Ledger *ledger, LedgerTable table,
									  ScanKeyData *keys, int nkeys,
									  LedgerScan *scan);
extern HeapTuple ledger_scan_next(LedgerScan *scan);

/* The row before, in a scan that has an order; at first the last one. */
extern HeapTuple ledger_scan_previous(LedgerScan *scan);
extern void ledger_scan_end(LedgerScan *scan);

/* Lock a row, waiting for others; false when it is gone. *tid becomes that
 * of its latest version, which *tuple (palloc'd) is a copy of. */
extern bool ledger_lock_row(Ledger *ledger, LedgerTable table,
							ItemPointer tid, HeapTuple *tuple);

extern void ledger_insert(Ledger *ledger, LedgerTable table,
						  Datum *values, bool *nulls);
/*
 * The same, unless the index that looks the table's rows up has such a row
 * already, which is no error but costs a dead row. False then, and also where
 * somebody else may be about to insert one: it does not wait for him.
 */
extern bool ledger_insert_new(Ledger *ledger, LedgerTable table,
							  Datum *values, bool *nulls);
extern void ledger_update(Ledger *ledger, LedgerTable table, ItemPointer tid,
						  Datum *values, bool *nulls);
extern void ledger_delete(Ledger *ledger, LedgerTable table, ItemPointer tid);

#endif							/* SLAPOLICY_LEDGER_TABLES_H */
