/*
 * explain.c
 *		sla.explain: the life of a ticket, line by line.
 *
 * Finds the ticket, folds its events as everybody does, and has the steps of
 * the fold told. Writes nothing and knows no present moment: the same ticket
 * is explained alike today and in ten years.
 *
 * Knows nothing of the sentences.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "edition.h"
#include "explain.h"
#include "ledger_rights.h"

PG_FUNCTION_INFO_V1(slapolicy_explain);

/*
 * The attachment of a table, or of the partitioned table it is a partition of,
 * also when it was detached.
 */
static int32
find_attachment(Ledger *ledger, Oid relid)
{
	List	   *relids = list_make1_oid(relid);
	ListCell   *lc;

	if (get_rel_relispartition(relid))
		relids = list_concat(relids, get_partition_ancestors(relid));
	foreach(lc, relids)
	{
		AttachmentRow row;

		if (attach_find_any_row(ledger, lfirst_oid(lc), &row))
			return DatumGetInt32(row.values[ATTACHMENT_ID - 1]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" was never attached", get_rel_name(relid))));
}

static void
find_ticket(Explanation *explanation, Oid relid, const char *key)
{
	Ledger	   *ledger = explanation->ledger;

	if (!ledger_find_ticket(ledger, find_attachment(ledger, relid), key, false,
							&explanation->ticket))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table \"%s\" has no ticket \"%s\"",
						get_rel_name(relid), key),
				 errhint("Keys are those of sla.ticket.key; one of several columns is a text array, as in '{acme,17}'. Rows from before the table was attached are recorded by sla.restamp.")));
}

/* The ticket's events, and when each of them was recorded */
static void
read_events(Explanation *explanation)
{
	Ledger	   *ledger = explanation->ledger;
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_EVENT));
	TicketHistory *history = &explanation->history;
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	int			room = 0;

	ticket_history_init(history);
	ScanKeyInit(&key, EVENT_TICKET_ID, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(explanation->ticket.id));
	ledger_scan_begin(ledger, LEDGER_EVENT, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		bool		isnull;
		Datum		recorded = heap_getattr(tuple, EVENT_RECORDED_AT, desc,
											&isnull);

		ledger_event_from_tuple(desc, tuple, history);
		if (room < history->room)
		{
			room = history->room;
			explanation->recorded_at = explanation->recorded_at == NULL ?
				palloc(room * sizeof(TimestampTz)) :
				repalloc(explanation->recorded_at, room * sizeof(TimestampTz));
		}
		explanation->recorded_at[history->nevents - 1] =
			DatumGetTimestampTz(recorded);
	}
	ledger_scan_end(&scan);
	history->nrecorded = history->nevents;
}

/* Fold the ticket by the edition it is held to, if it is to any. */
static void
fold_ticket(Explanation *explanation)
{
	const LedgerTicket *ticket = &explanation->ticket;
	FoldInput  *fold = &explanation->fold;
	const char *unknown;
	char	   *problem = NULL;

	if (ticket->edition_id == 0)
		return;
	explanation->version = edition_get(explanation->ledger,
									   ticket->policy_version_id,
									   ticket->edition_id, &problem);
	if (explanation->version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("ticket \"%s\" cannot be explained: %s",
						ticket->key, problem)));
	fold->version = explanation->version;
	fold->hours_id = ticket->hours_id;
	if (ticket->hours_id != 0)
		fold->hours = edition_hours(explanation->ledger, ticket->hours_id);
	fold->channel = ticket->channel;
	fold->exempt = ticket_history_exemption(&explanation->history,
											explanation->version,
											&unknown) != NULL;
	fold->events = explanation->history.events;
	fold->nevents = explanation->history.nevents;
	fold->explain = true;
	explanation->nclocks = clock_fold(fold, &explanation->clocks);
}

static void
check_may_explain(Ledger *ledger, Oid relid)
{
	if (!object_ownercheck(RelationRelationId, relid, GetUserId()) &&
		!ledger_may_read(ledger))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for tickets of table %s",
						get_rel_name(relid)),
				 errhint("Its owner may, and whoever may SELECT from sla.ticket and sla.event.")));
}

Datum
slapolicy_explain(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Explanation explanation = {0};

	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	explanation.ledger = ledger_open(false);
	check_may_explain(explanation.ledger, relid);
	InitMaterializedSRF(fcinfo, 0);
	explanation.result = (ReturnSetInfo *) fcinfo->resultinfo;

	find_ticket(&explanation, relid, key);
	read_events(&explanation);
	fold_ticket(&explanation);
	explain_cover(&explanation);
	explain_events(&explanation);
	explain_stretches(&explanation);
	ledger_close(explanation.ledger);
	PG_RETURN_NULL();
}
