/*
 * recompute.c
 *		sla.recompute: lets changes of policies, contracts, calendars and
 *		holidays reach tickets that are there, or says what they would change.
 *
 * Tickets are gathered first, then taken one by one: folded by what the tables
 * say now and compared with their clocks. Only those that change are locked:
 * the user's row, then the ticket, as everywhere; under the lock all of it is
 * done once more, for what is written must follow from what is there.
 *
 * Knows nothing of how the fold comes to its clocks.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "attach.h"
#include "edition.h"
#include "ledger.h"
#include "ledger_rights.h"
#include "record.h"
#include "recompute_report.h"
#include "restamp.h"
#include "ticket_lookup.h"
#include "ticket_set.h"

PG_FUNCTION_INFO_V1(slapolicy_recompute);

/* An attachment whose tickets are in scope */
typedef struct ScopeTable
{
	Attachment	attachment;		/* what planning needs: id and policy */
	Oid			relid;			/* invalid: gone */
	bool		attached;
	TicketLookup *lookup;		/* NULL until used */
} ScopeTable;

typedef struct Recomputation
{
	const char *policy;			/* NULL: any */
	RangeType  *received;		/* NULL: any time */
	TypeCacheEntry *range_type;
	bool		settled;
	bool		dry;
	TimestampTz now;
	Ledger	   *ledger;			/* for reading */
	List	   *tables;			/* of ScopeTable */
	RecomputeReport report;
	bool		policy_seen;	/* some ticket is or would be under it */
	int64		nleft;			/* tickets that nothing could be said about */
	char	   *first_left;
} Recomputation;

/* ---------- scope ---------- */

static void
add_table(Recomputation *work, const AttachmentRow *row)
{
	ScopeTable *table = palloc0(sizeof(ScopeTable));

	table->attachment.id = DatumGetInt32(row->values[ATTACHMENT_ID - 1]);
	if (!row->nulls[ATTACHMENT_POLICY - 1])
		table->attachment.policy =
			TextDatumGetCString(row->values[ATTACHMENT_POLICY - 1]);
	table->relid = DatumGetObjectId(row->values[ATTACHMENT_TICKET_TABLE - 1]);
	if (get_rel_relkind(table->relid) == '\0')
		table->relid = InvalidOid;
	table->attached = OidIsValid(table->relid) &&
		row->nulls[ATTACHMENT_DETACHED_AT - 1];
	work->tables = lappend(work->tables, table);
}

/* The one table that was named, which the user must own */
static void
find_named_table(Recomputation *work, Oid relid)
{
	AttachmentRow row;

	if (get_rel_name(relid) == NULL || !ledger_is_owned(work->ledger))
		attach_check_owner(relid);
	if (!attach_find_any_row(work->ledger, relid, &row))
		restamp_not_attached(relid);
	add_table(work, &row);
}

/* All tables that the user owns; who owns the ledger owns all, also those gone */
static void
find_own_tables(Recomputation *work)
{
	bool		all = ledger_is_owned(work->ledger);
	ListCell   *lc;

	foreach(lc, attach_all_rows(work->ledger))
	{
		const AttachmentRow *row = lfirst(lc);
		Oid			relid = DatumGetObjectId(row->values[ATTACHMENT_TICKET_TABLE - 1]);

		if (all ||
			(get_rel_relkind(relid) != '\0' &&
			 object_ownercheck(RelationRelationId, relid, GetUserId())))
			add_table(work, row);
	}
}

static ScopeTable *
table_of(const Recomputation *work, int32 attachment_id)
{
	ListCell   *lc;

	foreach(lc, work->tables)
	{
		ScopeTable *table = lfirst(lc);

		if (table->attachment.id == attachment_id)
			return table;
	}
	return NULL;
}

static bool
received_in_scope(const Recomputation *work, bool known, TimestampTz at)
{
	if (work->received == NULL)
		return true;
	return known && range_contains_elem_internal(work->range_type,
												 work->received,
												 TimestampTzGetDatum(at));
}

static bool
is_live_state(const char *state)
{
	return strcmp(state, "open") == 0 || strcmp(state, "paused") == 0;
}

/* Ids of tickets that have a clock running */
static TicketSet *
running_tickets(Ledger *ledger, Snapshot snapshot)
{
	Relation	rel = ledger_table(ledger, LEDGER_CLOCK);
	TicketSet  *set = ticket_set_create();
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (slot_attisnull(slot, CLOCK_OUTCOME))
			ticket_set_add(set, DatumGetInt64(slot->tts_values[CLOCK_TICKET_ID - 1]));
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return set;
}

/* Is a ticket in scope, as far as its row in the ledger tells? */
static bool
row_in_scope(const Recomputation *work, TupleTableSlot *row,
			 TicketSet *running)
{
	char	   *state;
	bool		live;

	slot_getsomeattrs(row, TICKET_RECEIVED_AT);
	if (table_of(work, DatumGetInt32(row->tts_values[TICKET_ATTACHMENT_ID - 1])) == NULL ||
		!received_in_scope(work, !row->tts_isnull[TICKET_RECEIVED_AT - 1],
						   DatumGetTimestampTz(row->tts_values[TICKET_RECEIVED_AT - 1])))
		return false;
	if (work->settled)
		return true;
	state = TextDatumGetCString(row->tts_values[TICKET_STATE - 1]);
	live = is_live_state(state);
	pfree(state);
	return live ||
		ticket_set_has(running, DatumGetInt64(row->tts_values[TICKET_ID - 1]));
}

/* Columns of what is gathered */
enum
{
	GATHERED_ATTACHMENT_ID = 1,
	GATHERED_KEY,
	GATHERED_NATTS = GATHERED_KEY
};

static TupleDesc
gathered_desc(void)
{
	TupleDesc	desc = CreateTemplateTupleDesc(GATHERED_NATTS);

	TupleDescInitEntry(desc, GATHERED_ATTACHMENT_ID, "attachment_id", INT4OID,
					   -1, 0);
	TupleDescInitEntry(desc, GATHERED_KEY, "key", TEXTOID, -1, 0);
	return desc;
}

/* The tickets in scope, as committed now, in a tuple store */
static Tuplestorestate *
gather_tickets(Recomputation *work, TupleDesc desc)
{
	Relation	rel = ledger_table(work->ledger, LEDGER_TICKET);
	Tuplestorestate *gathered = tuplestore_begin_heap(false, false, work_mem);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TicketSet  *running = work->settled ? NULL :
		running_tickets(work->ledger, snapshot);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		Datum		values[GATHERED_NATTS];
		bool		nulls[GATHERED_NATTS] = {false};

		CHECK_FOR_INTERRUPTS();
		if (!row_in_scope(work, slot, running))
			continue;
		values[GATHERED_ATTACHMENT_ID - 1] =
			slot->tts_values[TICKET_ATTACHMENT_ID - 1];
		values[GATHERED_KEY - 1] = slot->tts_values[TICKET_KEY - 1];
		tuplestore_putvalues(gathered, desc, values, nulls);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	if (running != NULL)
		ticket_set_free(running);
	return gathered;
}

/* ---------- one ticket ---------- */

/* Is a ticket still, or at all, in scope? */
static bool
ticket_in_scope(const Recomputation *work, Ledger *ledger,
				const LedgerTicket *ticket)
{
	return received_in_scope(work, ticket->received.known,
							 ticket->received.at) &&
		(work->settled || is_live_state(ticket->state) ||
		 ledger_has_running_clock(ledger, ticket->id));
}

typedef enum PlanResult
{
	PLAN_OTHER_POLICY,			/* than the one asked for */
	PLAN_NONE,					/* the tables do not say what is promised */
	PLAN_READY
} PlanResult;

/* Plan a ticket anew. */
static PlanResult
plan_ticket(Recomputation *work, Ledger *ledger, const ScopeTable *table,
			const LedgerTicket *ticket, TicketPlan *plan)
{
	bool		matches = work->policy == NULL;
	char	   *problem;

	memset(plan, 0, sizeof(*plan));
	ticket_history_init(&plan->history);
	ledger_read_events(ledger, ticket->id, &plan->history);
	if (!matches && ticket->edition_id != 0)
	{
		const PolicyVersion *edition = edition_get(ledger,
												   ticket->policy_version_id,
												   ticket->edition_id,
												   &problem);

		matches = edition != NULL &&
			strcmp(edition->policy, work->policy) == 0;
	}
	record_plan_ticket(&table->attachment, ledger, ticket, PLAN_ANEW, plan);
	matches = matches || (plan->version != NULL &&
						  strcmp(plan->version->policy, work->policy) == 0);
	if (!matches)
		return PLAN_OTHER_POLICY;
	work->policy_seen = true;
	return plan->folded ? PLAN_READY : PLAN_NONE;
}

/* A ticket stays as it is. That is worth telling where it is promised more. */
static void
leave_ticket(Recomputation *work, const LedgerTicket *ticket,
			 const TicketPlan *plan, MemoryContext lasting)
{
	if (ticket->edition_id == 0 || plan->problem == NULL)
		return;
	if (work->nleft++ == 0)
		work->first_left =
			MemoryContextStrdup(lasting,
								psprintf("ticket %s: %s", ticket->key,
										 plan->problem));
}

/*
 * Lock the user's row, if there is one, and the ticket. False when there is no
 * ticket of that key any more.
 */
static bool
lock_ticket(const ScopeTable *table, Ledger *ledger, const char *key,
			bool deleted, LedgerTicket *ticket, TicketUserRow *row)
{
	row->slot = NULL;
	/* a deleted ticket's key may be another row's, or that of none */
	if (table->attached && !deleted)
		ticket_lookup_lock(table->lookup, key, LockWaitBlock, row);
	if (!ledger_find_ticket(ledger, table->attachment.id, key, true, ticket) ||
		strcmp(ticket->key, key) != 0)
		return false;

	/*
	 * Its row may have come back while we waited. Who holds it waits for us to
	 * record it, so we must not wait for him.
	 */
	if (table->attached && row->slot == NULL &&
		strcmp(ticket->state, "deleted") != 0)
		ticket_lookup_lock(table->lookup, key, LockWaitSkip, row);
	return true;
}

/*
 * Recompute a ticket for good. It was found to change, but may be another one
 * by the time it is locked.
 */
static void
rewrite_ticket(Recomputation *work, const ScopeTable *table, Ledger *ledger,
			   const char *key, bool deleted)
{
	LedgerTicket ticket;
	TicketUserRow row;
	TicketPlan	plan;
	List	   *changes;

	if (!lock_ticket(table, ledger, key, deleted, &ticket, &row) ||
		!ticket_in_scope(work, ledger, &ticket) ||
		plan_ticket(work, ledger, table, &ticket, &plan) != PLAN_READY)
		return;
	changes = ledger_clock_changes(ledger, ticket.id, plan.clocks,
								   plan.nclocks);
	if (changes == NIL && !record_moves_ticket(ledger, &ticket, &plan))
		return;
	recompute_report_changes(&work->report, table->relid, &ticket, changes);
	record_write(ledger, &ticket, &plan, work->now);
	if (row.slot != NULL)
		ticket_lookup_stamp(table->lookup, &row,
							ticket_lookup_attachment(&row), &plan);
}

/* Look at a ticket, and recompute it if that changes anything. */
static void
look_at_ticket(Recomputation *work, const ScopeTable *table, const char *key,
			   MemoryContext lasting)
{
	Ledger	   *ledger = ledger_open(!work->dry);
	LedgerTicket ticket;
	TicketPlan	plan;
	List	   *changes;

	/* gone under that key meanwhile: whoever did that has recorded it */
	if (ledger_find_ticket(ledger, table->attachment.id, key, false, &ticket))
	{
		switch (plan_ticket(work, ledger, table, &ticket, &plan))
		{
			case PLAN_OTHER_POLICY:
				break;
			case PLAN_NONE:
				leave_ticket(work, &ticket, &plan, lasting);
				break;
			case PLAN_READY:
				changes = ledger_clock_changes(ledger, ticket.id, plan.clocks,
											   plan.nclocks);
				if (work->dry)
					recompute_report_changes(&work->report, table->relid,
											 &ticket, changes);
				else if (changes != NIL ||
						 record_moves_ticket(ledger, &ticket, &plan))
					rewrite_ticket(work, table, ledger, key,
								   strcmp(ticket.state, "deleted") == 0);
				break;
		}
	}
	ledger_close(ledger);
}

static void
recompute_gathered(Recomputation *work, Tuplestorestate *gathered,
				   TupleDesc desc)
{
	MemoryContext lasting = CurrentMemoryContext;
	MemoryContext ticket_context = AllocSetContextCreate(lasting,
														 "slapolicy recomputed ticket",
														 ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);

	while (tuplestore_gettupleslot(gathered, true, false, slot))
	{
		bool		isnull;
		Datum		id = slot_getattr(slot, GATHERED_ATTACHMENT_ID, &isnull);
		ScopeTable *table = table_of(work, DatumGetInt32(id));
		Datum		key = slot_getattr(slot, GATHERED_KEY, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (table->attached && !work->dry && table->lookup == NULL)
			table->lookup = ticket_lookup_open(table->relid);
		MemoryContextSwitchTo(ticket_context);
		look_at_ticket(work, table, TextDatumGetCString(key), lasting);
		MemoryContextSwitchTo(lasting);
		MemoryContextReset(ticket_context);
	}
	MemoryContextDelete(ticket_context);
	ExecDropSingleTupleTableSlot(slot);
}

/* ---------- the function ---------- */

/* The ticket of a key; raises when there is none. */
static Tuplestorestate *
gather_ticket(Recomputation *work, TupleDesc desc, const char *key)
{
	const ScopeTable *table = linitial(work->tables);
	Tuplestorestate *gathered = tuplestore_begin_heap(false, false, work_mem);
	Datum		values[] = {Int32GetDatum(table->attachment.id),
	CStringGetTextDatum(key)};
	bool		nulls[GATHERED_NATTS] = {false};
	LedgerTicket ticket;

	if (!ledger_find_ticket(work->ledger, table->attachment.id, key, false,
							&ticket))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table \"%s\" has no ticket \"%s\"",
						get_rel_name(table->relid), key),
				 errhint("Keys are those of sla.ticket.key; one of several columns is a text array, as in '{acme,17}'.")));
	if (ticket_in_scope(work, work->ledger, &ticket))
		tuplestore_putvalues(gathered, desc, values, nulls);
	return gathered;
}

static bool
boolean_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return PG_GETARG_BOOL(number);
}

static void
read_arguments(Recomputation *work, FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(2))
		work->policy = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (!PG_ARGISNULL(3))
	{
		work->received = PG_GETARG_RANGE_P(3);
		work->range_type = lookup_type_cache(RangeTypeGetOid(work->received),
											 TYPECACHE_RANGE_INFO);
	}
	work->settled = boolean_argument(fcinfo, 4, "settled");
	work->dry = boolean_argument(fcinfo, 5, "dry_run");
	work->now = GetCurrentStatementStartTimestamp();
	if (PG_ARGISNULL(0) && !PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s\" is that of no table",
						text_to_cstring(PG_GETARG_TEXT_PP(1))),
				 errhint("Name the ticket's table, too.")));
	if (PG_ARGISNULL(0))
		find_own_tables(work);
	else
		find_named_table(work, PG_GETARG_OID(0));
}

/* What the user should know beside the differences */
static void
conclude(const Recomputation *work)
{
	char	   *problem;

	if (work->policy != NULL && !work->policy_seen &&
		policy_version_at(work->policy, DT_NOEND, &problem) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("%s", problem),
				 errdetail("No ticket in scope is under it, either.")));
	if (work->nleft > 0)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("tickets that keep their promises, for there are no others now: %lld",
						(long long) work->nleft),
				 errdetail("The first is %s.", work->first_left)));
}

/*
 * Arguments: ticket table, key, policy, range of times of receipt, whether
 * settled tickets are in scope, whether nothing is to be written.
 */
Datum
slapolicy_recompute(PG_FUNCTION_ARGS)
{
	Recomputation work = {0};
	TupleDesc	desc = gathered_desc();
	Tuplestorestate *gathered;
	ListCell   *lc;

	work.ledger = ledger_open(false);
	read_arguments(&work, fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	work.report.result = (ReturnSetInfo *) fcinfo->resultinfo;
	work.report.clock_desc =
		RelationGetDescr(ledger_table(work.ledger, LEDGER_CLOCK));

	gathered = PG_ARGISNULL(1) ? gather_tickets(&work, desc) :
		gather_ticket(&work, desc, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	recompute_gathered(&work, gathered, desc);
	tuplestore_end(gathered);
	foreach(lc, work.tables)
	{
		ScopeTable *table = lfirst(lc);

		if (table->lookup != NULL)
			ticket_lookup_close(table->lookup);
	}
	ledger_close(work.ledger);
	conclude(&work);
	PG_RETURN_NULL();
}
