/*
 * message_report.c
 *		What messages say of tickets, against the events recorded of them.
 *
 * As with rows of tickets (ticket.c) the comparison is with the record, so
 * that who comes late or twice finds what is still missing and adds nothing
 * else. A message is known by the source of its event; what it does not say
 * any more is retracted.
 *
 * Messages that go with their ticket are no news about it, nor are those of a
 * ticket that was deleted before: what was answered was answered.
 *
 * Knows nothing of triggers and of how rows are read.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "attachment_columns.h"
#include "message_report.h"
#include "report.h"
#include "same_text.h"

bool
message_reporter_open(MessageReporter *reporter, const MessageTable *table,
					  TimestampTz now)
{
	const Attachment *attachment = NULL;
	char	   *problem = NULL;
	Relation	rel = NULL;

	if (OidIsValid(table->ticket_table))
		rel = try_table_open(table->ticket_table, RowExclusiveLock);
	if (rel != NULL)
	{
		attachment = attachment_get(rel, &problem);
		table_close(rel, NoLock);
	}
	if (attachment == NULL)
		return false;
	reporter->table = table;
	reporter->ledger = ledger_open(true);
	reporter->attachment_id = attachment->id;
	reporter->context = CurrentMemoryContext;
	reporter->lookup = NULL;
	reporter->now = now;
	reporter->seen = NULL;
	return true;
}

void
message_reporter_close(MessageReporter *reporter)
{
	if (reporter->lookup != NULL)
		ticket_lookup_close(reporter->lookup);
	ledger_close(reporter->ledger);
}

/* What a message says, and whether that is recorded */
typedef struct Statement
{
	const char *source;
	EventKind	kind;			/* EVENT_RETRACTED: nothing */
	TimestampTz at;
	bool		recorded;
} Statement;

static int
compare_sources(const void *a, const void *b)
{
	const Statement *const *x = a;
	const Statement *const *y = b;

	return strcmp((*x)->source, (*y)->source);
}

/* The name of the ticket's customer; false when the row does not tell. */
static bool
read_customer(const MessageTable *table, const TicketUserRow *row,
			  char **customer)
{
	Attachment	settings = {0};
	TextColumn	column = {0};
	char	   *problem = NULL;
	int			level;

	*customer = NULL;
	if (table->customer == NULL)
		return true;
	if (row->slot == NULL)
		return false;
	attachment_find_text(&settings, row->rel, table->customer, &column,
						 &problem);
	if (problem != NULL)
		return false;
	level = settings.has_settings ? attachment_pin_settings() : 0;
	*customer = attachment_text(&column, row->slot);
	if (level > 0)
		AtEOXact_GUC(true, level);
	return true;
}

static EventKind
kind_of(const Message *message, const char *customer)
{
	switch (message->author)
	{
		case AUTHOR_NOBODY:
			break;
		case AUTHOR_AGENT:
			return EVENT_REPLIED;
		case AUTHOR_CUSTOMER:
			return EVENT_CUSTOMER_REPLIED;
		case AUTHOR_TICKET_TELLS:
			return same_text(message->author_name, customer) ?
				EVENT_CUSTOMER_REPLIED : EVENT_REPLIED;
	}
	return EVENT_RETRACTED;
}

static void
retract(TicketHistory *history, int i, TimestampTz at)
{
	const char *source = history->events[i].source;

	ticket_history_retract(history, &history->events[i], at);
	history->events[history->nevents - 1].source = source;
}

/* Retract the events of messages that do not say so, and mark those that do. */
static void
compare(const MessageReporter *reporter, TicketHistory *history,
		Statement **by_source, int n, bool all)
{
	int			nevents = history->nevents;

	for (int i = 0; i < nevents; i++)
	{
		const TicketEvent *event = &history->events[i];
		Statement	wanted = {.source = event->source};
		Statement  *wanted_pointer = &wanted;
		Statement **found;

		if (event->retracted || event->kind == EVENT_RETRACTED ||
			!message_is_source(reporter->table, event->source))
			continue;
		found = bsearch(&wanted_pointer, by_source, n, sizeof(Statement *),
						compare_sources);
		if (found != NULL && (*found)->kind == event->kind &&
			(*found)->at == event->at && !(*found)->recorded)
			(*found)->recorded = true;
		else if (found != NULL || all)
			retract(history, i, reporter->now);
	}
}

/* Append what is to be recorded of a ticket; how many messages stand. */
static int
follow(const MessageReporter *reporter, TicketHistory *history,
	   const Message *messages, int n, const char *customer, bool all)
{
	Statement  *statements = palloc(n * sizeof(Statement));
	Statement **by_source = palloc(n * sizeof(Statement *));
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		statements[i].source = messages[i].source;
		statements[i].kind = kind_of(&messages[i], customer);
		statements[i].at = messages[i].at;
		statements[i].recorded = false;
		by_source[i] = &statements[i];
	}
	qsort(by_source, n, sizeof(Statement *), compare_sources);
	compare(reporter, history, by_source, n, all);
	for (int i = 0; i < n; i++)
	{
		if (statements[i].kind == EVENT_RETRACTED)
			continue;
		count++;
		if (!statements[i].recorded)
			ticket_history_append(history, statements[i].kind,
								  statements[i].at)->source = statements[i].source;
	}
	return count;
}

int
message_report(MessageReporter *reporter, const char *ticket,
			   const Message *messages, int n, bool all)
{
	LedgerTicket known;
	TicketReport report;
	char	   *customer;
	int			count;

	/* whatever is in the column, only what is in the ledger is a key */
	if (!ledger_find_ticket(reporter->ledger, reporter->attachment_id, ticket,
							false, &known))
		return 0;
	if (reporter->seen != NULL)
		ticket_set_add(reporter->seen, known.id);
	if (strcmp(known.state, "deleted") == 0)
		return 0;
	if (reporter->lookup == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(reporter->context);

		reporter->lookup = ticket_lookup_open(reporter->table->ticket_table);
		MemoryContextSwitchTo(old);
	}
	if (!report_begin(&report, reporter->lookup, reporter->ledger, ticket,
					  reporter->now) ||
		strcmp(report.ticket.state, "deleted") == 0 ||
		!read_customer(reporter->table, &report.row, &customer))
		return 0;
	count = follow(reporter, &report.plan.history, messages, n, customer, all);
	if (report.plan.history.nevents > report.plan.history.nrecorded)
	{
		report_fold(&report);
		report_write(&report, reporter->now);
	}
	return count;
}

/* By ticket and source, then as they came */
static int
compare_by_source(const void *a, const void *b)
{
	const Message *x = *(const Message *const *) a;
	const Message *y = *(const Message *const *) b;
	int			result = strcmp(x->ticket, y->ticket);

	if (result == 0)
		result = strcmp(x->source, y->source);
	return result != 0 ? result : (x > y) - (x < y);
}

/* By ticket and time, then as they came */
static int
compare_by_time(const void *a, const void *b)
{
	const Message *x = *(const Message *const *) a;
	const Message *y = *(const Message *const *) b;
	int			result = strcmp(x->ticket, y->ticket);

	if (result == 0)
		result = (x->at > y->at) - (x->at < y->at);
	return result != 0 ? result : (x > y) - (x < y);
}

void
message_report_all(const MessageTable *table, const Message *messages, int n)
{
	MessageReporter reporter;
	const Message **sorted;
	MemoryContext ticket_context;
	int			kept = 0;

	if (!message_reporter_open(&reporter, table,
							   GetCurrentStatementStartTimestamp()))
		return;
	sorted = palloc(n * sizeof(Message *));
	for (int i = 0; i < n; i++)
		sorted[i] = &messages[i];
	qsort(sorted, n, sizeof(Message *), compare_by_source);
	for (int i = 0; i < n; i++)
		if (i + 1 == n ||
			strcmp(sorted[i]->ticket, sorted[i + 1]->ticket) != 0 ||
			strcmp(sorted[i]->source, sorted[i + 1]->source) != 0)
			sorted[kept++] = sorted[i];
	qsort(sorted, kept, sizeof(Message *), compare_by_time);

	ticket_context = AllocSetContextCreate(CurrentMemoryContext,
										   "slapolicy ticket",
										   ALLOCSET_DEFAULT_SIZES);
	for (int first = 0; first < kept;)
	{
		MemoryContext old = MemoryContextSwitchTo(ticket_context);
		Message    *together;
		int			count = 1;

		CHECK_FOR_INTERRUPTS();
		while (first + count < kept &&
			   strcmp(sorted[first + count]->ticket, sorted[first]->ticket) == 0)
			count++;
		together = palloc(count * sizeof(Message));
		for (int i = 0; i < count; i++)
			together[i] = *sorted[first + i];
		message_report(&reporter, together[0].ticket, together, count, false);
		first += count;
		MemoryContextSwitchTo(old);
		MemoryContextReset(ticket_context);
	}
	MemoryContextDelete(ticket_context);
	message_reporter_close(&reporter);
}
