/*
 * record.c
 *		Brings the ledger up to what a ticket's row says: finds the policy
 *		version, lets the row's news become events, folds, writes.
 *
 * Triggers, attaching, restamping and detaching all come here, so that a
 * ticket has the same record whichever way it was noticed. Locks: the caller
 * holds the user's row, here sla.ticket comes first, then the rest.
 *
 * Knows nothing of triggers and of how the row was read.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "policy.h"
#include "record.h"

/*
 * The version the ticket is under: the one it was received under, looked up
 * anew only when the time of receipt changes, so that a new version never
 * reaches back by itself.
 */
static const PolicyVersion *
find_version(const Attachment *attachment, const LedgerTicket *ticket,
			 const TicketRow *row, char **problem)
{
	if (ticket != NULL && ticket->policy_version_id != 0 &&
		(row->deleted || !row->received.known ||
		 (ticket->received.known && ticket->received.at == row->received.at)))
		return policy_version_by_id(ticket->policy_version_id, problem);
	if (!row->received.known)
		return NULL;			/* the row's own problem says why */
	return policy_version_at(attachment->policy, row->received.at, problem);
}

/*
 * A metric that a clock of the ticket belongs to and that the version has no
 * target for any more; NULL when there is none. The fold cannot carry such a
 * clock on, and it must not be taken for one that never was.
 */
static const char *
lost_metric(const PolicyVersion *version, const ClockTerms *terms, int nterms)
{
	for (int i = 0; i < nterms; i++)
	{
		bool		found = false;

		for (int metric = 0; metric < version->nmetrics && !found; metric++)
			found = strcmp(version->metrics[metric].name, terms[i].metric) == 0;
		if (!found)
			return terms[i].metric;
	}
	return NULL;
}

void
record_plan(const Attachment *attachment, Ledger *ledger,
			const LedgerTicket *ticket, const TicketRow *row,
			char *problem, TicketPlan *plan)
{
	const PolicyVersion *version;
	ClockTerms *terms = NULL;
	int			nterms = 0;
	const char *metric;
	char	   *policy_problem = NULL;

	memset(plan, 0, sizeof(*plan));
	ticket_history_init(&plan->history);
	if (ticket != NULL)
		ledger_read_events(ledger, ticket->id, &plan->history);
	ticket_history_follow(&plan->history, row);

	version = find_version(attachment, ticket, row, &policy_problem);
	if (version != NULL)
	{
		plan->policy_version_id = version->id;
		if (ticket != NULL && ticket->policy_version_id == version->id)
			nterms = ledger_read_terms(ledger, ticket->id, &terms);
		metric = lost_metric(version, terms, nterms);
		if (metric != NULL)
			policy_problem = psprintf("version %d of policy \"%s\" has lost all targets for metric \"%s\"",
									  version->id, version->policy, metric);
		else
		{
			plan->nclocks = clock_fold(version, terms, nterms,
									   plan->history.events,
									   plan->history.nevents, &plan->clocks);
			plan->folded = true;
		}
	}
	else if (ticket != NULL)
		plan->policy_version_id = ticket->policy_version_id;
	plan->problem = problem != NULL ? problem : policy_problem;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/*
 * Find and lock the ticket a row is about. A row that changes its key, or goes,
 * is known by the former one; somebody else may have taken that meanwhile.
 */
static bool
find_ticket(Ledger *ledger, const Attachment *attachment, const char *key,
			const char *former_key, bool deleted, LedgerTicket *ticket)
{
	if (former_key == NULL && deleted)
		former_key = key;
	if (former_key != NULL &&
		(ledger_find_displaced(ledger, attachment->id, former_key, ticket) ||
		 ledger_find_ticket(ledger, attachment->id, former_key, true, ticket)))
		return true;
	return ledger_find_ticket(ledger, attachment->id, key, true, ticket);
}

char *
record_row(const Attachment *attachment, const char *key,
		   const char *former_key, const TicketRow *row,
		   char *problem, TimestampTz now, TicketPlan *plan)
{
	Ledger	   *ledger = ledger_open(true);
	LedgerTicket ticket;
	LedgerTicket before;
	TicketPlan	own_plan;
	bool		found;

	if (former_key != NULL && strcmp(former_key, key) == 0)
		former_key = NULL;
	found = find_ticket(ledger, attachment, key, former_key, row->deleted,
						&ticket);
	if (plan == NULL)
		plan = &own_plan;
	record_plan(attachment, ledger, found ? &ticket : NULL, row, problem, plan);
	if (!found && row->deleted)
	{
		ledger_close(ledger);
		return NULL;
	}

	if (!found)
	{
		memset(&ticket, 0, sizeof(ticket));
		ticket.attachment_id = attachment->id;
	}
	before = ticket;
	if (!row->deleted && found && strcmp(ticket.key, key) != 0)
	{
		LedgerTicket holder;

		/* a deleted ticket, or one whose row has left the key, too */
		if (ledger_find_ticket(ledger, attachment->id, key, true, &holder))
			ledger_displace_ticket(ledger, &holder);
	}
	if (!row->deleted)
		ticket.key = pstrdup(key);
	ticket.state = row->deleted ? "deleted" :
		row->resolved.known ? "resolved" : "open";
	if (!row->deleted)
	{
		ticket.severity = row->severity;
		ticket.received = row->received;
		ticket.exempt = plan->problem == NULL ? NULL :
			psprintf("error: %s", plan->problem);
	}
	ticket.policy_version_id = plan->policy_version_id;

	if (!found)
		ledger_insert_ticket(ledger, &ticket);
	else if (plan->history.nevents > plan->history.nrecorded ||
			 before.state != ticket.state ||
			 before.severity != ticket.severity ||
			 before.policy_version_id != ticket.policy_version_id ||
			 before.received.known != ticket.received.known ||
			 !same_text(before.key, ticket.key) ||
			 !same_text(before.exempt, ticket.exempt))
		ledger_update_ticket(ledger, &ticket);
	else
	{
		ledger_close(ledger);
		return plan->problem;
	}
	ledger_write_events(ledger, ticket.id, &plan->history, now);
	if (plan->folded)
		ledger_write_clocks(ledger, ticket.id, plan->clocks, plan->nclocks, now,
							!found);
	ledger_close(ledger);
	CommandCounterIncrement();
	return plan->problem;
}
