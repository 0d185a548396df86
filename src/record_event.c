/*
 * record_event.c
 *		sla.record_event and sla.pin_due: what the application reports of
 *		tickets.
 *
 * They write ledger tables that their caller has no rights on, so they check
 * that he owns the ticket table.
 *
 * Knows nothing of how an event is folded and written (report.c).
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "attach.h"
#include "report.h"
#include "restamp.h"
#include "same_text.h"

PG_FUNCTION_INFO_V1(slapolicy_record_event);
PG_FUNCTION_INFO_V1(slapolicy_pin_due);

/* sla.event.source of what comes by these functions */
#define SOURCE_API	"api"

/* What the value of an event is, where it comes by sla.record_event */
typedef enum ValueRule
{
	VALUE_ROW,					/* only the ticket's row says such a thing */
	VALUE_PIN,					/* only sla.pin_due does */
	VALUE_NONE,
	VALUE_MAY,
	VALUE_MUST
} ValueRule;

static const struct
{
	ValueRule	rule;
	const char *meaning;		/* of the value */
}			values[] = {
	[EVENT_OPENED] = {VALUE_ROW, NULL},
	[EVENT_REPLIED] = {VALUE_NONE, NULL},
	[EVENT_UPDATED] = {VALUE_NONE, NULL},
	[EVENT_CUSTOMER_REPLIED] = {VALUE_NONE, NULL},
	[EVENT_INVESTIGATED] = {VALUE_NONE, NULL},
	[EVENT_ASSIGNED] = {VALUE_MUST, "who the ticket is assigned to"},
	[EVENT_PAUSED] = {VALUE_MUST, "the name of the pause, by which it is resumed"},
	[EVENT_RESUMED] = {VALUE_MUST, "the name that the pause was given"},
	[EVENT_SEVERITY] = {VALUE_ROW, NULL},
	[EVENT_PRODUCT] = {VALUE_ROW, NULL},
	[EVENT_ACCOUNT] = {VALUE_ROW, NULL},
	[EVENT_CHANNEL] = {VALUE_ROW, NULL},
	[EVENT_EXEMPTED] = {VALUE_MUST, "the reason, one that the policy knows"},
	[EVENT_COVERED] = {VALUE_MAY, "the reason that applies no more; without one, all of them"},
	[EVENT_PINNED] = {VALUE_PIN, NULL},
	[EVENT_RESOLVED] = {VALUE_NONE, NULL},
	[EVENT_CANCELLED] = {VALUE_MAY, "why"},
	[EVENT_MERGED] = {VALUE_MUST, "the key of the ticket it was merged into"},
	[EVENT_REOPENED] = {VALUE_NONE, NULL},
	[EVENT_DELETED] = {VALUE_ROW, NULL},
	[EVENT_RESTORED] = {VALUE_ROW, NULL},
	[EVENT_RETRACTED] = {VALUE_MUST, "the seq in sla.event of the event that was not so"},
};

StaticAssertDecl(lengthof(values) == NUM_EVENT_KINDS,
				 "every kind of event needs a rule");

/* ---------- arguments ---------- */

static Oid
table_argument(FunctionCallInfo fcinfo)
{
	Oid			relid;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ticket_table must not be null")));
	relid = PG_GETARG_OID(0);
	if (get_rel_name(relid) != NULL &&
		!object_ownercheck(RelationRelationId, relid, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table %s", get_rel_name(relid)),
				 errhint("Let others call it through a function of the owner that is SECURITY DEFINER and checks what they may report.")));
	attach_check_owner(relid);
	return relid;
}

static char *
text_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static TimestampTz
instant_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	TimestampTz at;

	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	at = PG_GETARG_TIMESTAMPTZ(number);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be infinite", name)));
	return at;
}

/* The kinds that sla.record_event takes, for a hint */
static char *
kinds_taken(void)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < NUM_EVENT_KINDS; i++)
		if (values[i].rule != VALUE_ROW && values[i].rule != VALUE_PIN)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "",
							 event_kind_text((EventKind) i));
	return buf.data;
}

/* The kind of a text; raises when it is none that may be reported. */
static EventKind
kind_argument(const char *text)
{
	EventKind	kind;

	if (!event_kind_from_text(text, &kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no kind of event \"%s\"", text),
				 errhint("Kinds are %s.", kinds_taken())));
	if (values[kind].rule == VALUE_ROW)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("events of kind \"%s\" are for the ticket's row to tell",
						text),
				 errhint("Change the row. Kinds that can be recorded are %s.",
						 kinds_taken())));
	if (values[kind].rule == VALUE_PIN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("events of kind \"%s\" need a metric and a due time",
						text),
				 errhint("Call sla.pin_due.")));
	return kind;
}

static void
check_value(EventKind kind, const char *value)
{
	const char *text = event_kind_text(kind);

	if (values[kind].rule == VALUE_NONE && value != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("events of kind \"%s\" have no value", text)));
	if (values[kind].rule == VALUE_MUST && value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("events of kind \"%s\" need a value", text),
				 errhint("It is %s.", values[kind].meaning)));
	if (value != NULL && value[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the value of an event must not be empty"),
				 errhint("It is %s.", values[kind].meaning)));
}

/* ---------- one ticket ---------- */

/* An event to record, as TicketEvent has it */
typedef struct NewEvent
{
	EventKind	kind;
	TimestampTz at;
	const char *old_value;
	const char *value;
	int32		retracts;
} NewEvent;

static TicketLookup *
open_lookup(Oid relid, Ledger *ledger)
{
	AttachmentRow row;

	LockRelationOid(relid, RowExclusiveLock);
	attach_check_owner(relid);	/* as it is now */
	if (!attach_find_row(ledger, relid, &row))
		restamp_not_attached(relid);
	return ticket_lookup_open(relid);
}

static void
begin_report(TicketReport *report, TicketLookup *lookup, Ledger *ledger,
			 Oid relid, const char *key, TimestampTz now)
{
	if (!report_begin(report, lookup, ledger, key, now))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA),
				 errmsg("table \"%s\" has no ticket %s", get_rel_name(relid),
						key),
				 errhint("It is known by the key of its row, if that is committed; one of several columns is written as a text array.")));
}

/*
 * Has it been recorded already? What was retracted may be recorded again. Of
 * several pins of one instant the last one is what is so.
 */
static bool
is_recorded(const TicketHistory *history, const NewEvent *new)
{
	for (int i = history->nevents - 1; i >= 0; i--)
	{
		const TicketEvent *event = &history->events[i];

		if (event->kind != new->kind || event->at != new->at ||
			event->retracted || !same_text(event->source, SOURCE_API) ||
			(new->kind != EVENT_ASSIGNED &&
			 !same_text(event->old_value, new->old_value)))
			continue;
		if (same_text(event->value, new->value))
			return true;
		if (new->kind == EVENT_PINNED)
			return false;
	}
	return false;
}

static int32
append_event(TicketHistory *history, const NewEvent *new)
{
	TicketEvent *event = ticket_history_append(history, new->kind, new->at);
	int32		seq = event->seq;

	event->old_value = new->old_value;
	event->value = new->value;
	event->retracts = new->retracts;
	event->source = SOURCE_API;
	if (new->kind == EVENT_RETRACTED)
		ticket_history_mark_retracted(history, new->retracts);
	return seq;
}

/* Who the ticket was last assigned to, by whomever; NULL: nobody */
static const char *
assignee_before(const TicketHistory *history, TimestampTz at)
{
	const TicketEvent *last = NULL;

	for (int i = 0; i < history->nevents; i++)
	{
		const TicketEvent *event = &history->events[i];

		if (event->kind == EVENT_ASSIGNED && !event->retracted &&
			event->at <= at && (last == NULL || event->at >= last->at))
			last = event;
	}
	return last != NULL ? last->value : NULL;
}

/*
 * The event that a retraction names. False when it has been retracted; raises
 * when it is none that may be.
 */
static bool
find_retracted(const TicketHistory *history, const char *value, int32 *seq)
{
	const TicketEvent *found = NULL;

	if (strspn(value, "0123456789") == strlen(value) && strlen(value) < 10)
	{
		*seq = pg_strtoint32(value);
		for (int i = 0; i < history->nevents; i++)
			if (history->events[i].seq == *seq)
				found = &history->events[i];
	}
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the ticket has no event %s", value),
				 errhint("The value is %s.", values[EVENT_RETRACTED].meaning)));
	if (found->kind == EVENT_RETRACTED || !same_text(found->source, SOURCE_API))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event %s is none that can be retracted", value),
				 errhint("What sla.record_event and sla.pin_due have recorded can. What a row says is corrected in the row.")));
	return !found->retracted;
}

/* The ticket that another was merged into, as the ledger knows it; raises. */
static char *
find_merged(TicketReport *report, const char *value)
{
	char	   *key = ticket_lookup_key(report->lookup, value);
	LedgerTicket other;

	if (strcmp(key, report->ticket.key) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ticket %s cannot be merged into itself", key)));
	if (!ledger_find_ticket(report->ledger, report->ticket.attachment_id, key,
							false, &other))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA),
				 errmsg("there is no ticket %s to be merged into", key),
				 errhint("The value is %s.", values[EVENT_MERGED].meaning)));
	return key;
}

/* Raise unless the ticket's policy knows a reason. */
static void
check_reason(const TicketReport *report, const char *reason)
{
	const PolicyVersion *version = report->plan.version;
	StringInfoData buf;

	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ticket %s is under no policy that could exempt it",
						report->ticket.key)));
	if (policy_exempts(version, reason))
		return;
	initStringInfo(&buf);
	for (int i = 0; i < version->nexemptions; i++)
		appendStringInfo(&buf, "%s\"%s\"", i > 0 ? ", " : "",
						 version->exemptions[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("policy \"%s\" knows no reason \"%s\" for an exemption",
					version->policy, reason),
			 version->nexemptions > 0 ? errhint("Reasons are %s.", buf.data) :
			 errhint("It knows none. Add it to the policy's exemptions.")));
}

/*
 * Record an event of a ticket, whatever the isolation level after all that is
 * recorded already. Returns its seq, NULL when there is nothing to record.
 */
Datum
slapolicy_record_event(PG_FUNCTION_ARGS)
{
	Oid			relid = table_argument(fcinfo);
	char	   *key = text_argument(fcinfo, 1, "key");
	EventKind	kind = kind_argument(text_argument(fcinfo, 2, "kind"));
	TimestampTz at = instant_argument(fcinfo, 3, "at");
	char	   *value = PG_ARGISNULL(4) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(4));
	TimestampTz now = GetCurrentStatementStartTimestamp();
	NewEvent	new = {.kind = kind, .at = at, .value = value};
	Ledger	   *ledger;
	TicketLookup *lookup;
	TicketReport report;
	bool		news = true;
	int32		seq = 0;

	check_value(kind, value);
	ledger = ledger_open(true);
	lookup = open_lookup(relid, ledger);
	begin_report(&report, lookup, ledger, relid, key, now);
	switch (kind)
	{
		case EVENT_ASSIGNED:
			new.old_value = assignee_before(&report.plan.history, at);
			break;
		case EVENT_COVERED:
			new.old_value = value;
			new.value = NULL;
			break;
		case EVENT_MERGED:
			new.value = find_merged(&report, value);
			break;
		case EVENT_RETRACTED:
			news = find_retracted(&report.plan.history, value, &new.retracts);
			new.value = NULL;
			break;
		default:
			break;
	}
	if (news &&
		(kind == EVENT_RETRACTED || !is_recorded(&report.plan.history, &new)))
	{
		seq = append_event(&report.plan.history, &new);
		report_fold(&report);
		if (kind == EVENT_EXEMPTED)
			check_reason(&report, value);
		report_write(&report, now);
	}
	ticket_lookup_close(lookup);
	ledger_close(ledger);
	if (seq == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(seq);
}

/* ---------- pinned due times ---------- */

/* An instant as a text that reads alike in every session, palloc'd */
static char *
instant_text(TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	char		buf[MAXDATELEN + 1];

	if (TIMESTAMP_NOT_FINITE(at))
		return pstrdup(TIMESTAMP_IS_NOBEGIN(at) ? EARLY : LATE);
	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	tm.tm_isdst = 0;
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, buf);
	return pstrdup(buf);
}

static void
check_metric(const TicketReport *report, const char *metric)
{
	const PolicyVersion *version = report->plan.version;
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; version != NULL && i < version->nmetrics; i++)
	{
		if (strcmp(version->metrics[i].name, metric) == 0)
			return;
		appendStringInfo(&buf, "%s\"%s\"", i > 0 ? ", " : "",
						 version->metrics[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("ticket %s is promised no \"%s\"", report->ticket.key,
					metric),
			 buf.len > 0 ?
			 errhint("Its policy promises %s.", buf.data) : 0));
}

/* Raise unless a clock was pinned: a promise that was settled stays so. */
static void
check_pinned(const TicketReport *report, const NewEvent *new)
{
	for (int i = 0; i < report->plan.nclocks; i++)
	{
		const Clock *clock = &report->plan.clocks[i];

		if (strcmp(clock->metric, new->old_value) == 0 && clock->pinned &&
			clock->started_at <= new->at &&
			(!clock->stopped || clock->stopped_at >= new->at))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("ticket %s has no clock for \"%s\" that runs at %s",
					report->ticket.key, new->old_value,
					timestamptz_to_str(new->at)),
			 errhint("A promise has to run to get another due time.")));
}

/*
 * Give the running clock of a metric another due time, or with NULL the one
 * that it would have. Returns as sla.record_event.
 */
Datum
slapolicy_pin_due(PG_FUNCTION_ARGS)
{
	Oid			relid = table_argument(fcinfo);
	char	   *key = text_argument(fcinfo, 1, "key");
	char	   *metric = text_argument(fcinfo, 2, "metric");
	TimestampTz at = instant_argument(fcinfo, 4, "at");
	TimestampTz now = GetCurrentStatementStartTimestamp();
	NewEvent	new = {.kind = EVENT_PINNED, .at = at, .old_value = metric};
	Ledger	   *ledger;
	TicketLookup *lookup;
	TicketReport report;
	int32		seq = 0;

	if (!PG_ARGISNULL(3))
	{
		TimestampTz due = PG_GETARG_TIMESTAMPTZ(3);

		if (TIMESTAMP_IS_NOBEGIN(due))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("due_at must not be -infinity")));
		new.value = instant_text(due);
	}
	ledger = ledger_open(true);
	lookup = open_lookup(relid, ledger);
	begin_report(&report, lookup, ledger, relid, key, now);
	if (!is_recorded(&report.plan.history, &new))
	{
		seq = append_event(&report.plan.history, &new);
		report_fold(&report);
		check_metric(&report, metric);
		if (new.value != NULL)
			check_pinned(&report, &new);
		report_write(&report, now);
	}
	ticket_lookup_close(lookup);
	ledger_close(ledger);
	if (seq == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(seq);
}
