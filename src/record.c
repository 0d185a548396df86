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

#include "business_hours.h"
#include "contract.h"
#include "edition.h"
#include "policy_rules.h"
#include "record.h"
#include "restriction.h"
#include "same_text.h"

/* How the reason begins why tickets of a restricted account are promised nothing */
#define RESTRICTED_PREFIX	"restricted account "

/* What decides which policy a ticket is under */
typedef struct PolicyBasis
{
	const char *policy;			/* its name, NULL: the contract says */
	const char *account;
	const char *service;
	MaybeTime	received;
	bool		arrives;		/* the row is being inserted */
} PolicyBasis;

/*
 * Does the edition a ticket has still fit? It was chosen when the ticket was
 * received, and is looked for anew only when that, or who asked, changes; a new
 * version never reaches back by itself.
 */
static bool
edition_fits(const LedgerTicket *ticket, const PolicyVersion *edition,
			 const PolicyBasis *basis)
{
	if (!basis->received.known)
		return true;
	if (!ticket->received.known || ticket->received.at != basis->received.at)
		return false;
	if (basis->policy != NULL ? strcmp(basis->policy, edition->policy) != 0 :
		ticket->contract_id == 0)
		return false;
	return same_text(ticket->account, basis->account) &&
		same_text(ticket->service, basis->service);
}

/*
 * Look the version up that is in force for a ticket, and the contract that
 * entitles it. Fills in the plan; NULL in plan->version when there is none,
 * and why.
 */
static void
choose_version(const PolicyBasis *basis, TicketPlan *plan, char **problem)
{
	const PolicyVersion *version = NULL;
	const char *policy = basis->policy;
	Contract	contract = {0};
	bool		found = false;

	if (!basis->received.known)
		return;					/* the row's own problem says why */
	if (policy != NULL)
	{
		version = policy_version_at(policy, basis->received.at, problem);
		if (version == NULL)
			return;
	}
	if (basis->account != NULL)
	{
		found = contract_at(basis->account, basis->service, policy,
							basis->received.at, &contract, problem);
		if (*problem != NULL)
			return;
	}
	if (!found && (version == NULL || version->needs_contract))
	{
		plan->uncovered = basis->account == NULL ?
			pstrdup("the row names no account") :
			psprintf("account \"%s\" had no valid contract", basis->account);
		return;
	}
	if (version == NULL)
	{
		version = policy_version_at(contract.policy, basis->received.at,
									problem);
		if (version == NULL)
			return;
	}
	plan->version = version;
	plan->policy_version_id = version->id;
	plan->contract_id = contract.id;
	plan->hours_id = contract.hours_id;
}

/*
 * What becomes of a ticket whose account was restricted when it was received.
 * That is asked when the ticket is recorded first, and again only when its
 * policy is: what is paid later does not change what was promised.
 */
static void
apply_restriction(const LedgerTicket *ticket, const PolicyBasis *basis,
				  TicketPlan *plan)
{
	RestrictionDetail detail;
	RestrictedAccounts rule = plan->version == NULL ? RESTRICTED_ADMIT :
		plan->version->restricted_accounts;

	if (rule == RESTRICTED_ADMIT || basis->account == NULL)
		return;
	if (restriction_at(basis->account, basis->service, basis->received.at,
					   DT_NOEND, NULL, &detail) < RESTRICTION_SUPPORT)
		return;
	if (rule == RESTRICTED_REJECT && ticket == NULL && basis->arrives)
	{
		plan->refused = palloc(sizeof(RestrictionDetail));
		*plan->refused = detail;
	}
	plan->uncovered = psprintf(RESTRICTED_PREFIX "\"%s\": %s since %s",
							   basis->account,
							   restriction_level_text(detail.level),
							   restriction_instant_text(detail.since));
	plan->version = NULL;
	plan->policy_version_id = plan->contract_id = plan->hours_id = 0;
}

/*
 * Was a ticket promised nothing because its account was restricted, and is
 * that still the one, at that time?
 */
static bool
keeps_restriction(const LedgerTicket *ticket, const PolicyBasis *basis,
				  TicketPlan *plan)
{
	static const char prefix[] = "uncovered: " RESTRICTED_PREFIX;

	if (ticket->edition_id != 0 || ticket->exempt == NULL ||
		strncmp(ticket->exempt, prefix, strlen(prefix)) != 0 ||
		(basis->received.known &&
		 (!ticket->received.known || ticket->received.at != basis->received.at ||
		  !same_text(ticket->account, basis->account) ||
		  !same_text(ticket->service, basis->service))))
		return false;
	plan->uncovered = pstrdup(ticket->exempt + strlen("uncovered: "));
	return true;
}

/* Hold a ticket to the edition it has. */
static void
keep_edition(const LedgerTicket *ticket, const PolicyVersion *edition,
			 TicketPlan *plan)
{
	plan->version = edition;
	plan->policy_version_id = ticket->policy_version_id;
	plan->edition_id = ticket->edition_id;
	plan->contract_id = ticket->contract_id;
	plan->hours_id = ticket->hours_id;
}

/*
 * Fill in the plan's version: the ticket's own, or the one in force. Where that
 * cannot be told, because the policy is gone, the ticket is held to what it has.
 */
static void
find_version(Ledger *ledger, const LedgerTicket *ticket,
			 const PolicyBasis *basis, PlanBasis plan_basis,
			 TicketPlan *plan, char **problem)
{
	const PolicyVersion *edition = NULL;

	if (plan_basis == PLAN_AS_BEFORE && ticket != NULL &&
		keeps_restriction(ticket, basis, plan))
		return;
	if (plan_basis == PLAN_AS_BEFORE && ticket != NULL &&
		ticket->edition_id != 0)
	{
		edition = edition_get(ledger, ticket->policy_version_id,
							  ticket->edition_id, problem);
		if (edition == NULL)
			return;
		if (edition_fits(ticket, edition, basis))
			keep_edition(ticket, edition, plan);
	}
	if (plan->version == NULL)
	{
		choose_version(basis, plan, problem);
		apply_restriction(ticket, basis, plan);
	}
	if (*problem != NULL && edition != NULL &&
		(basis->policy == NULL || strcmp(basis->policy, edition->policy) == 0))
	{
		*problem = NULL;
		keep_edition(ticket, edition, plan);
	}
	if (plan->version != NULL && plan->hours_id != 0)
	{
		const char *zone;

		plan->hours = edition_hours(ledger, plan->hours_id);
		zone = business_hours_unknown_zone(plan->hours);
		if (zone != NULL)
		{
			*problem = psprintf("contract %d is in time zone \"%s\", which this server does not know",
								plan->contract_id, zone);
			plan->version = NULL;
		}
	}
}

/* A channel's rule can mean that nothing is promised, or nothing yet. */
static char *
channel_uncovered(const TicketPlan *plan)
{
	switch (policy_channel_counts(plan->version, plan->channel))
	{
		case COUNTS_FROM_RECEIPT:
			break;
		case COUNTS_NEVER:
			return psprintf("nothing is promised to channel \"%s\"",
							plan->channel);
		case COUNTS_FROM_INVESTIGATION:
			for (int i = 0; i < plan->history.nevents; i++)
				if (plan->history.events[i].kind == EVENT_INVESTIGATED &&
					!plan->history.events[i].retracted)
					return NULL;
			return psprintf("an information request until investigated, by channel \"%s\"",
							plan->channel);
	}
	return NULL;
}

/* Fold the plan's history. */
static void
fold_plan(TicketPlan *plan)
{
	FoldInput	input = {
		.version = plan->version,
		.hours_id = plan->hours_id, .hours = plan->hours,
		.channel = plan->channel,
		.events = plan->history.events, .nevents = plan->history.nevents
	};

	plan->exemption = ticket_history_exemption(&plan->history, plan->version,
											   &plan->unknown_exemption);
	plan->uncovered = channel_uncovered(plan);
	input.exempt = plan->exemption != NULL;
	plan->nclocks = clock_fold(&input, &plan->clocks);
	plan->folded = true;
}

static void
complete_plan(Ledger *ledger, const LedgerTicket *ticket,
			  const PolicyBasis *basis, PlanBasis plan_basis,
			  char *problem, TicketPlan *plan)
{
	char	   *policy_problem = NULL;

	find_version(ledger, ticket, basis, plan_basis, plan, &policy_problem);
	if (plan->version != NULL)
		fold_plan(plan);
	else if (plan->uncovered != NULL)
		plan->folded = true;	/* to nothing */
	else if (ticket != NULL)
	{
		plan->policy_version_id = ticket->policy_version_id;
		plan->edition_id = ticket->edition_id;
		plan->contract_id = ticket->contract_id;
		plan->hours_id = ticket->hours_id;
	}
	plan->problem = problem != NULL ? problem : policy_problem;
}

/* News that no clock depends on, but an auditor may */
static void
note_change(TicketHistory *history, EventKind kind, const char *before,
			const char *after, TimestampTz at)
{
	TicketEvent *event;

	if (same_text(before, after))
		return;
	event = ticket_history_append(history, kind, at);
	event->old_value = before;
	event->value = after;
}

void
record_plan(const Attachment *attachment, Ledger *ledger,
			const LedgerTicket *ticket, const TicketRow *row,
			char *problem, TicketPlan *plan)
{
	PolicyBasis basis = {
		.policy = row->policy != NULL ? row->policy : attachment->policy,
		.account = row->account, .service = row->service,
		.received = row->received,.arrives = row->arrives
	};

	memset(plan, 0, sizeof(*plan));
	ticket_history_init(&plan->history);
	if (ticket != NULL)
		ledger_read_events(ledger, ticket->id, &plan->history);
	if (row->deleted && ticket != NULL)
	{
		basis.received.known = false;	/* what was, stays */
		plan->channel = ticket->channel;
	}
	else
		plan->channel = row->channel;
	if (ticket != NULL && !row->deleted)
	{
		note_change(&plan->history, EVENT_ACCOUNT, ticket->account,
					row->account, row->changed_at);
		note_change(&plan->history, EVENT_CHANNEL, ticket->channel,
					row->channel, row->changed_at);
	}
	ticket_history_follow(&plan->history, row);
	complete_plan(ledger, ticket, &basis, PLAN_AS_BEFORE, problem, plan);
}

void
record_plan_ticket(const Attachment *attachment, Ledger *ledger,
				   const LedgerTicket *ticket, PlanBasis plan_basis,
				   TicketPlan *plan)
{
	PolicyBasis basis = {
		.policy = ticket->policy != NULL ? ticket->policy : attachment->policy,
		.account = ticket->account, .service = ticket->service,
		.received = ticket->received
	};
	char	   *problem = NULL;

	plan->channel = ticket->channel;

	/* what the row lacks it still lacks; the policy may be asked anew */
	if (ticket->exempt != NULL && strncmp(ticket->exempt, "error: ", 7) == 0 &&
		(plan_basis == PLAN_AS_BEFORE || !ticket->received.known ||
		 ticket->severity == 0))
		problem = pstrdup(ticket->exempt + 7);
	complete_plan(ledger, ticket, &basis, plan_basis, problem, plan);
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

/* What sla.ticket.exempt says of a plan; NULL: promises apply */
static char *
exempt_text(const TicketPlan *plan)
{
	if (plan->problem != NULL)
		return psprintf("error: %s", plan->problem);
	if (plan->uncovered != NULL)
		return psprintf("uncovered: %s", plan->uncovered);
	return unconstify(char *, plan->exemption);
}

/* Take over what a plan says of the ticket. */
static void
apply_plan(Ledger *ledger, LedgerTicket *ticket, TicketPlan *plan)
{
	if (plan->version != NULL && plan->edition_id == 0)
		plan->edition_id = edition_of(ledger, plan->version);
	ticket->policy_version_id = plan->policy_version_id;
	ticket->edition_id = plan->edition_id;
	ticket->contract_id = plan->contract_id;
	ticket->hours_id = plan->hours_id;
	ticket->state = ticket_history_state(&plan->history);
}

static void
write_content(Ledger *ledger, const LedgerTicket *ticket, TicketPlan *plan,
			  TimestampTz now, bool new_ticket)
{
	ledger_write_events(ledger, ticket->id, &plan->history, now);
	if (plan->folded)
		ledger_write_clocks(ledger, ticket->id, plan->clocks, plan->nclocks,
							now, new_ticket);
}

/* Write a ticket and what its plan says; before is what it was, or NULL. */
static void
write_ticket(Ledger *ledger, LedgerTicket *ticket, const LedgerTicket *before,
			 TicketPlan *plan, TimestampTz now)
{
	if (before == NULL)
		ledger_insert_ticket(ledger, ticket);
	else if (plan->history.nevents > plan->history.nrecorded ||
			 !ledger_same_ticket(before, ticket))
		ledger_update_ticket(ledger, ticket);
	else
		return;					/* and its clocks are what they were */
	write_content(ledger, ticket, plan, now, before == NULL);
}

bool
record_moves_ticket(Ledger *ledger, const LedgerTicket *ticket,
					TicketPlan *plan)
{
	LedgerTicket after = *ticket;

	apply_plan(ledger, &after, plan);
	after.exempt = exempt_text(plan);
	return !ledger_same_ticket(ticket, &after);
}

void
record_write(Ledger *ledger, LedgerTicket *ticket, TicketPlan *plan,
			 TimestampTz now)
{
	apply_plan(ledger, ticket, plan);
	ticket->exempt = exempt_text(plan);
	ledger_update_ticket(ledger, ticket);
	write_content(ledger, ticket, plan, now, false);
	CommandCounterIncrement();
}

static void
refuse(const TicketRow *row, const RestrictionDetail *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_ACCOUNT_RESTRICTED),
			 errmsg("tickets of account \"%s\" are refused: its level is %s since %s",
					row->account, restriction_level_text(why->level),
					timestamptz_to_str(why->since)),
			 errdetail("The level is given %s.", why->rule),
			 errhint("It is lifted by %s.", why->lifted_by)));
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
	if (plan->refused != NULL)
		refuse(row, plan->refused);
	plan->was_known = found && strcmp(ticket.key, key) == 0;
	if ((!found && row->deleted) ||
		(row->is_news && (!found || strcmp(ticket.state, "deleted") == 0)))
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
	apply_plan(ledger, &ticket, plan);
	if (!row->deleted)
	{
		ticket.key = pstrdup(key);
		ticket.severity = row->severity;
		ticket.received = row->received;
		ticket.policy = row->policy;
		ticket.account = row->account;
		ticket.service = row->service;
		ticket.product = row->product;
		ticket.channel = row->channel;
		ticket.team = row->team;
		ticket.assignee = row->assignee;
		ticket.labels = row->labels;
		ticket.exempt = exempt_text(plan);
	}
	write_ticket(ledger, &ticket, found ? &before : NULL, plan, now);
	ledger_close(ledger);
	CommandCounterIncrement();
	return plan->problem;
}
