/*
 * recompute_report.h
 *		The rows that sla.recompute returns.
 */
#ifndef SLAPOLICY_RECOMPUTE_REPORT_H
#define SLAPOLICY_RECOMPUTE_REPORT_H

#include "slapolicy.h"
#include "nodes/execnodes.h"
#include "ledger.h"

typedef struct RecomputeReport
{
	ReturnSetInfo *result;
	TupleDesc	clock_desc;		/* of sla.clock */
} RecomputeReport;

/* Add the changes of a ticket's clocks, a list of ClockChange. */
extern void recompute_report_changes(RecomputeReport *report, Oid relid,
									 const LedgerTicket *ticket,
									 const List *changes);

#endif							/* SLAPOLICY_RECOMPUTE_REPORT_H */
