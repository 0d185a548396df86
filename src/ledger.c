/*
 * ledger.c
 *		Tickets and their events, in and out of the ledger. Clocks and alerts
 *		are in ledger_clock.c.
 *
 * Knows nothing of ticket tables, triggers and policies.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "ledger.h"
#include "ledger_key.h"
#include "ledger_tables.h"
#include "same_text.h"

/* The states a ticket can have, so that rows read back as constants */
static const char *const states[] = {
	"open", "paused", "resolved", "cancelled", "deleted"
};

static const char *
state_constant(const char *state)
{
	for (int i = 0; i < (int) lengthof(states); i++)
		if (strcmp(states[i], state) == 0)
			return states[i];
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("unknown state \"%s\" in sla.ticket", state)));
}

/* The columns that are read and written alike */
static const struct
{
	AttrNumber	attnum;
	size_t		offset;
}			ids[] = {
	{TICKET_POLICY_VERSION_ID, offsetof(LedgerTicket, policy_version_id)},
	{TICKET_EDITION_ID, offsetof(LedgerTicket, edition_id)},
	{TICKET_CONTRACT_ID, offsetof(LedgerTicket, contract_id)},
	{TICKET_HOURS_ID, offsetof(LedgerTicket, hours_id)},
},			texts[] = {
	{TICKET_POLICY, offsetof(LedgerTicket, policy)},
	{TICKET_ACCOUNT, offsetof(LedgerTicket, account)},
	{TICKET_SERVICE, offsetof(LedgerTicket, service)},
	{TICKET_PRODUCT, offsetof(LedgerTicket, product)},
	{TICKET_CHANNEL, offsetof(LedgerTicket, channel)},
	{TICKET_TEAM, offsetof(LedgerTicket, team)},
	{TICKET_ASSIGNEE, offsetof(LedgerTicket, assignee)},
	{TICKET_EXEMPT, offsetof(LedgerTicket, exempt)},
};

#define ID_OF(ticket, i)	(*(int32 *) ((char *) (ticket) + ids[i].offset))
#define TEXT_OF(ticket, i)	(*(char **) ((char *) (ticket) + texts[i].offset))

static void
read_ticket(Ledger *ledger, HeapTuple tuple, LedgerTicket *ticket)
{
	Datum		values[TICKET_NATTS];
	bool		nulls[TICKET_NATTS];
	char	   *state;

	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_TICKET)),
					  values, nulls);
	memset(ticket, 0, sizeof(*ticket));
	ticket->tid = tuple->t_self;
	ticket->id = DatumGetInt64(values[TICKET_ID - 1]);
	ticket->attachment_id = DatumGetInt32(values[TICKET_ATTACHMENT_ID - 1]);
	ticket->key = TextDatumGetCString(values[TICKET_KEY - 1]);
	ticket->version = DatumGetInt32(values[TICKET_VERSION - 1]);
	state = TextDatumGetCString(values[TICKET_STATE - 1]);
	ticket->state = state_constant(state);
	pfree(state);
	if (!nulls[TICKET_SEVERITY - 1])
		ticket->severity = DatumGetSeverity(values[TICKET_SEVERITY - 1]);
	ticket->received.known = !nulls[TICKET_RECEIVED_AT - 1];
	if (ticket->received.known)
		ticket->received.at =
			DatumGetTimestampTz(values[TICKET_RECEIVED_AT - 1]);
	for (int i = 0; i < (int) lengthof(ids); i++)
		if (!nulls[ids[i].attnum - 1])
			ID_OF(ticket, i) = DatumGetInt32(values[ids[i].attnum - 1]);
	for (int i = 0; i < (int) lengthof(texts); i++)
		if (!nulls[texts[i].attnum - 1])
			TEXT_OF(ticket, i) = TextDatumGetCString(values[texts[i].attnum - 1]);
	if (!nulls[TICKET_LABELS - 1])
		ticket->labels = PointerGetDatum(PG_DETOAST_DATUM_COPY(values[TICKET_LABELS - 1]));
}

bool
ledger_same_ticket(const LedgerTicket *a, const LedgerTicket *b)
{
	for (int i = 0; i < (int) lengthof(ids); i++)
		if (ID_OF(a, i) != ID_OF(b, i))
			return false;
	for (int i = 0; i < (int) lengthof(texts); i++)
		if (!same_text(TEXT_OF(a, i), TEXT_OF(b, i)))
			return false;
	return same_text(a->state, b->state) && a->severity == b->severity &&
		a->received.known == b->received.known &&
		(!a->received.known || a->received.at == b->received.at) &&
		same_text(a->key, b->key) &&
		(a->labels == 0) == (b->labels == 0) &&
		(a->labels == 0 || datum_image_eq(a->labels, b->labels, false, -1));
}

static const LedgerKeyed keyed = {
	.table = LEDGER_TICKET,
	.id = TICKET_ID,
	.attachment_id = TICKET_ATTACHMENT_ID,
	.key = TICKET_KEY,
	.state = TICKET_STATE,
	.noun = "ticket",
};

bool
ledger_find_ticket(Ledger *ledger, int32 attachment_id, const char *key,
				   bool lock, LedgerTicket *ticket)
{
	HeapTuple	tuple = ledger_key_find(ledger, &keyed, attachment_id, key,
										lock);

	if (tuple == NULL)
		return false;
	read_ticket(ledger, tuple, ticket);
	heap_freetuple(tuple);
	return true;
}

void
ledger_displace_ticket(Ledger *ledger, LedgerTicket *ticket)
{
	ticket->key = ledger_key_displace(ledger, &keyed, ticket->attachment_id,
									  ticket->key, ticket->id);
	ledger_update_ticket(ledger, ticket);
}

bool
ledger_find_displaced(Ledger *ledger, int32 attachment_id, const char *key,
					  LedgerTicket *ticket)
{
	HeapTuple	tuple = ledger_key_find_displaced(ledger, &keyed,
												  attachment_id, key);

	if (tuple == NULL)
		return false;
	read_ticket(ledger, tuple, ticket);
	heap_freetuple(tuple);
	return true;
}

List *
ledger_live_tickets(Ledger *ledger, int32 attachment_id)
{
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;
	List	   *keys = NIL;

	ScanKeyInit(&key, TICKET_ATTACHMENT_ID, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attachment_id));
	ledger_scan_begin(ledger, LEDGER_TICKET, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
	{
		LedgerTicket ticket;

		read_ticket(ledger, tuple, &ticket);
		if (ticket.exempt != NULL)
			pfree(ticket.exempt);
		if (strcmp(ticket.state, "open") == 0 ||
			(strcmp(ticket.state, "deleted") != 0 &&
			 ledger_has_running_clock(ledger, ticket.id)))
			keys = lappend(keys, ticket.key);
		else
			pfree(ticket.key);
	}
	ledger_scan_end(&scan);
	return keys;
}

static void
fill_ticket(const LedgerTicket *ticket, Datum *values, bool *nulls)
{
	memset(nulls, 0, TICKET_NATTS * sizeof(bool));
	values[TICKET_ID - 1] = Int64GetDatum(ticket->id);
	values[TICKET_ATTACHMENT_ID - 1] = Int32GetDatum(ticket->attachment_id);
	values[TICKET_KEY - 1] = CStringGetTextDatum(ticket->key);
	values[TICKET_VERSION - 1] = Int32GetDatum(ticket->version);
	values[TICKET_STATE - 1] = CStringGetTextDatum(ticket->state);
	values[TICKET_SEVERITY - 1] = SeverityGetDatum(ticket->severity);
	nulls[TICKET_SEVERITY - 1] = ticket->severity == 0;
	values[TICKET_RECEIVED_AT - 1] = TimestampTzGetDatum(ticket->received.at);
	nulls[TICKET_RECEIVED_AT - 1] = !ticket->received.known;
	for (int i = 0; i < (int) lengthof(ids); i++)
	{
		values[ids[i].attnum - 1] = Int32GetDatum(ID_OF(ticket, i));
		nulls[ids[i].attnum - 1] = ID_OF(ticket, i) == 0;
	}
	for (int i = 0; i < (int) lengthof(texts); i++)
	{
		char	   *text = TEXT_OF(ticket, i);

		nulls[texts[i].attnum - 1] = text == NULL;
		if (text != NULL)
			values[texts[i].attnum - 1] = CStringGetTextDatum(text);
	}
	values[TICKET_LABELS - 1] = ticket->labels;
	nulls[TICKET_LABELS - 1] = ticket->labels == 0;
}

void
ledger_insert_ticket(Ledger *ledger, LedgerTicket *ticket)
{
	Datum		values[TICKET_NATTS];
	bool		nulls[TICKET_NATTS];

	ticket->id = ledger_next_id(LEDGER_TICKET);
	ticket->version = 1;
	fill_ticket(ticket, values, nulls);
	ledger_insert(ledger, LEDGER_TICKET, values, nulls);
}

void
ledger_update_ticket(Ledger *ledger, LedgerTicket *ticket)
{
	Datum		values[TICKET_NATTS];
	bool		nulls[TICKET_NATTS];

	ticket->version++;
	fill_ticket(ticket, values, nulls);
	ledger_update(ledger, LEDGER_TICKET, &ticket->tid, values, nulls);
}

/*
 * Severities and the seq of a retracted event are kept as texts.
 */
static void
read_event_value(TicketEvent *event)
{
	const char *value = event->value;

	if (value == NULL)
		return;
	if (event->kind == EVENT_RETRACTED)
		event->retracts = pg_strtoint32(value);
	else if ((event->kind == EVENT_OPENED || event->kind == EVENT_SEVERITY) &&
			 !severity_parse(value, &event->severity))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unknown severity \"%s\" in sla.event", value)));
}

void
ledger_event_from_tuple(TupleDesc desc, HeapTuple tuple, TicketHistory *history)
{
	Datum		values[EVENT_NATTS];
	bool		nulls[EVENT_NATTS];
	text	   *name;
	EventKind	kind;
	TicketEvent *event;

	heap_deform_tuple(tuple, desc, values, nulls);
	name = DatumGetTextPP(values[EVENT_KIND - 1]);
	if (!event_kind_from_bytes(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
							   &kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unknown kind of event \"%s\" in sla.event",
						text_to_cstring(name))));
	event = ticket_history_append(history, kind,
								  DatumGetTimestampTz(values[EVENT_AT - 1]));
	event->seq = DatumGetInt32(values[EVENT_SEQ - 1]);
	if (!nulls[EVENT_OLD_VALUE - 1])
		event->old_value = TextDatumGetCString(values[EVENT_OLD_VALUE - 1]);
	if (!nulls[EVENT_NEW_VALUE - 1])
		event->value = TextDatumGetCString(values[EVENT_NEW_VALUE - 1]);
	if (!nulls[EVENT_SOURCE - 1])
		event->source = TextDatumGetCString(values[EVENT_SOURCE - 1]);
	read_event_value(event);
	if (kind == EVENT_RETRACTED)
		ticket_history_mark_retracted(history, event->retracts);
}

void
ledger_read_events(Ledger *ledger, int64 ticket_id, TicketHistory *history)
{
	TupleDesc	desc = RelationGetDescr(ledger_table(ledger, LEDGER_EVENT));
	ScanKeyData key;
	LedgerScan	scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, EVENT_TICKET_ID, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(ticket_id));
	ledger_scan_begin(ledger, LEDGER_EVENT, &key, 1, &scan);
	while (HeapTupleIsValid(tuple = ledger_scan_next(&scan)))
		ledger_event_from_tuple(desc, tuple, history);
	ledger_scan_end(&scan);
	history->nrecorded = history->nevents;
}

/* A text as a column's value */
static void
set_text(Datum *values, bool *nulls, AttrNumber attnum, const char *text)
{
	nulls[attnum - 1] = text == NULL;
	values[attnum - 1] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

void
ledger_write_events(Ledger *ledger, int64 ticket_id, TicketHistory *history,
					TimestampTz recorded_at)
{
	Severity	severity = 0;	/* what the row said last */
	bool		changed = false;

	for (int i = 0; i < history->nevents; i++)
	{
		const TicketEvent *event = &history->events[i];
		bool		has_severity = event->kind == EVENT_OPENED ||
			event->kind == EVENT_SEVERITY;

		if (i >= history->nrecorded)
		{
			Datum		values[EVENT_NATTS];
			bool		nulls[EVENT_NATTS] = {0};
			const char *old_value = event->old_value;
			const char *value = event->value;

			if (event->kind == EVENT_SEVERITY && severity != 0)
				old_value = severity_text(severity);
			if (has_severity)
				value = event->severity != 0 ?
					severity_text(event->severity) : NULL;
			if (event->kind == EVENT_RETRACTED)
				value = psprintf("%d", event->retracts);
			values[EVENT_TICKET_ID - 1] = Int64GetDatum(ticket_id);
			values[EVENT_SEQ - 1] = Int32GetDatum(event->seq);
			set_text(values, nulls, EVENT_KIND, event_kind_text(event->kind));
			values[EVENT_AT - 1] = TimestampTzGetDatum(event->at);
			values[EVENT_RECORDED_AT - 1] = TimestampTzGetDatum(recorded_at);
			set_text(values, nulls, EVENT_OLD_VALUE, old_value);
			set_text(values, nulls, EVENT_NEW_VALUE, value);
			set_text(values, nulls, EVENT_SOURCE, event->source);
			ledger_insert(ledger, LEDGER_EVENT, values, nulls);
		}
		/* a corrected time of receipt repeats what the ticket began with */
		if (event->kind == EVENT_SEVERITY || (has_severity && !changed))
			severity = event->severity;
		changed = changed || event->kind == EVENT_SEVERITY;
	}
	history->nrecorded = history->nevents;
}
