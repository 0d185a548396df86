/*
 * simulate.c
 *		sla.simulate: what recorded tickets would have been promised under
 *		another policy, and what would have become of it.
 *
 * The same fold as everywhere, over the events as they are, by the last
 * version of a policy as its tables have it now. Writes nothing.
 *
 * Knows nothing of how events are recorded.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "clock.h"
#include "edition.h"
#include "ledger_rights.h"
#include "ticket_stream.h"

PG_FUNCTION_INFO_V1(slapolicy_simulate);

/* Columns of the result */
enum
{
	SIMULATED_TICKET_ID,
	SIMULATED_TICKET_TABLE,
	SIMULATED_KEY,
	SIMULATED_METRIC,
	SIMULATED_CYCLE,
	SIMULATED_SEVERITY,
	SIMULATED_GOAL,
	SIMULATED_STARTED_AT,
	SIMULATED_DUE_AT,
	SIMULATED_STOPPED_AT,
	SIMULATED_WORKED,
	SIMULATED_OUTCOME,
	SIMULATED_NATTS
};

/* Hours that a contract puts in place of those of the targets, by id */
typedef struct HoursEntry
{
	int32		id;				/* hash key */
	Datum		hours;
} HoursEntry;

typedef struct Simulation
{
	Ledger	   *ledger;
	const PolicyVersion *version;
	MemoryContext lasting;		/* what outlives a ticket */
	HTAB	   *hours;
	List	   *attachments;	/* of AttachmentRow */
	Datum	   *metrics;		/* names as texts, as the version has them */
	Datum		outcomes[CLOCK_EXEMPT + 1];
} Simulation;

static const PolicyVersion *
last_version(const char *policy)
{
	char	   *problem;
	const PolicyVersion *version = policy_version_at(policy, DT_NOEND, &problem);

	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("tickets cannot be simulated: %s", problem),
				 errhint("sla.policy lists the policies there are.")));
	return version;
}

static void
begin_simulation(Simulation *simulation, Ledger *ledger, const char *policy)
{
	HASHCTL		ctl;

	simulation->ledger = ledger;
	simulation->lasting = CurrentMemoryContext;
	simulation->attachments = attach_all_rows(ledger);
	ctl.keysize = sizeof(int32);
	ctl.entrysize = sizeof(HoursEntry);
	ctl.hcxt = CurrentMemoryContext;
	simulation->hours = hash_create("slapolicy hours of contracts", 16, &ctl,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (ClockOutcome outcome = CLOCK_MET; outcome <= CLOCK_EXEMPT; outcome++)
		simulation->outcomes[outcome] =
			CStringGetTextDatum(clock_outcome_text(outcome));

	/* nothing below looks policies up, so that this one stays */
	simulation->version = last_version(policy);
	simulation->metrics = palloc(Max(simulation->version->nmetrics, 1) *
								 sizeof(Datum));
	for (int i = 0; i < simulation->version->nmetrics; i++)
		simulation->metrics[i] =
			CStringGetTextDatum(simulation->version->metrics[i].name);
}

static Datum
hours_of_contract(Simulation *simulation, int32 id)
{
	bool		found;
	HoursEntry *entry = hash_search(simulation->hours, &id, HASH_ENTER, &found);

	if (!found)
	{
		MemoryContext old = MemoryContextSwitchTo(simulation->lasting);

		entry->hours = edition_hours(simulation->ledger, id);
		MemoryContextSwitchTo(old);
	}
	return entry->hours;
}

static Oid
table_of(const Simulation *simulation, int32 attachment_id)
{
	ListCell   *lc;

	foreach(lc, simulation->attachments)
	{
		const AttachmentRow *row = lfirst(lc);

		if (DatumGetInt32(row->values[ATTACHMENT_ID - 1]) == attachment_id)
			return DatumGetObjectId(row->values[ATTACHMENT_TICKET_TABLE - 1]);
	}
	return InvalidOid;
}

static Datum
metric_text(const Simulation *simulation, const char *name)
{
	for (int i = 0; i < simulation->version->nmetrics; i++)
		if (simulation->version->metrics[i].name == name)
			return simulation->metrics[i];
	pg_unreachable();
}

/* Fold a ticket and add its clocks to the result. */
static void
simulate_ticket(Simulation *simulation, const StreamTicket *ticket,
				const TicketHistory *history, ReturnSetInfo *rsinfo)
{
	FoldInput	input = {
		.version = simulation->version,
		.channel = ticket->channel,
		.events = history->events, .nevents = history->nevents
	};
	const char *unknown;
	Clock	   *clocks;
	int			nclocks;
	Datum		values[SIMULATED_NATTS];

	if (ticket->hours_id != 0)
	{
		input.hours_id = ticket->hours_id;
		input.hours = hours_of_contract(simulation, ticket->hours_id);
	}
	input.exempt = ticket_history_exemption(history, simulation->version,
											&unknown) != NULL;
	nclocks = clock_fold(&input, &clocks);

	values[SIMULATED_TICKET_ID] = Int64GetDatum(ticket->id);
	values[SIMULATED_TICKET_TABLE] =
		ObjectIdGetDatum(table_of(simulation, ticket->attachment_id));
	values[SIMULATED_KEY] = ticket->key;
	for (int i = 0; i < nclocks; i++)
	{
		const Clock *clock = &clocks[i];
		bool		nulls[SIMULATED_NATTS] = {false};
		Interval	worked = {.time = clock->worked};

		values[SIMULATED_METRIC] = metric_text(simulation, clock->metric);
		values[SIMULATED_CYCLE] = Int32GetDatum(clock->cycle);
		values[SIMULATED_SEVERITY] = SeverityGetDatum(clock->severity);
		values[SIMULATED_GOAL] = PointerGetDatum(&clock->goal);
		values[SIMULATED_STARTED_AT] = TimestampTzGetDatum(clock->started_at);
		values[SIMULATED_DUE_AT] = TimestampTzGetDatum(clock->due_at);
		values[SIMULATED_STOPPED_AT] = TimestampTzGetDatum(clock->stopped_at);
		nulls[SIMULATED_STOPPED_AT] = !clock->stopped;
		values[SIMULATED_WORKED] = IntervalPGetDatum(&worked);
		nulls[SIMULATED_WORKED] = !clock->stopped;
		values[SIMULATED_OUTCOME] = simulation->outcomes[clock->outcome];
		nulls[SIMULATED_OUTCOME] = clock->outcome == CLOCK_RUNNING;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* Arguments: policy, from, to; no limit where one of the last two is NULL. */
Datum
slapolicy_simulate(PG_FUNCTION_ARGS)
{
	TimestampTz from = PG_ARGISNULL(1) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz to = PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2);
	Ledger	   *ledger = ledger_open(false);
	MemoryContext ticket_context;
	Simulation	simulation = {0};
	TicketStream *stream;

	ledger_check_may_read(ledger);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("policy must not be null")));
	if (from > to)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"from\" must not be after \"to\"")));
	InitMaterializedSRF(fcinfo, 0);

	stream = ticket_stream_open(ledger, from, to);
	begin_simulation(&simulation, ledger, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ticket_context = AllocSetContextCreate(CurrentMemoryContext,
										   "slapolicy simulated ticket",
										   ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		MemoryContext old = MemoryContextSwitchTo(ticket_context);
		StreamTicket ticket;
		TicketHistory history;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		found = ticket_stream_next(stream, &ticket, &history);
		if (found)
			simulate_ticket(&simulation, &ticket, &history,
							(ReturnSetInfo *) fcinfo->resultinfo);
		MemoryContextSwitchTo(old);
		MemoryContextReset(ticket_context);
		if (!found)
			break;
	}
	MemoryContextDelete(ticket_context);
	ticket_stream_close(stream);
	ledger_close(ledger);
	PG_RETURN_NULL();
}
