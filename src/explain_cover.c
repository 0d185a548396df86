/*
 * explain_cover.c
 *		The first lines of an explanation: which ticket it is, and by what it
 *		is covered.
 *
 * Knows nothing of events and clocks but the hours they are counted in.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "business_hours.h"
#include "explain.h"

static void
add_line(Explanation *explanation, const char *what, const char *why)
{
	ExplainRow	row = {.at = explanation->ticket.received,
	.what = what,.why = why};

	explain_add(explanation, &row);
}

/* Since when the ticket's policy version is in force; palloc'd */
static char *
in_force(const LedgerTicket *ticket)
{
	char	   *problem;
	const PolicyVersion *version = policy_version_by_id(ticket->policy_version_id,
														&problem);

	if (version == NULL)
		return psprintf("%s any more; what it said when the ticket came under it is kept",
						problem);
	if (version->effective_from == DT_NOBEGIN)
		return pstrdup("in force from the beginning, as it was when the ticket came under it");
	return psprintf("in force since %s, as it was when the ticket came under it",
					explain_instant(version->effective_from));
}

static void
tell_policy(Explanation *explanation)
{
	const LedgerTicket *ticket = &explanation->ticket;

	if (explanation->version == NULL)
		add_line(explanation, "held to no policy", NULL);
	else
		add_line(explanation,
				 psprintf("held to policy \"%s\", version %d, edition %d",
						  explanation->version->policy,
						  ticket->policy_version_id, ticket->edition_id),
				 in_force(ticket));
}

static void
tell_contract(Explanation *explanation)
{
	const LedgerTicket *ticket = &explanation->ticket;
	StringInfoData what;

	if (ticket->contract_id == 0)
		return;
	initStringInfo(&what);
	appendStringInfo(&what, "entitled by contract %d of account %s",
					 ticket->contract_id, explain_quoted(ticket->account));
	if (ticket->service != NULL)
		appendStringInfo(&what, ", service \"%s\"", ticket->service);
	add_line(explanation, what.data,
			 ticket->hours_id == 0 ? "valid when the ticket was received" :
			 psprintf("valid when the ticket was received; its %s stand for the hours of all targets",
					  explain_hours(ticket->hours_id, explanation->fold.hours)));
}

static void
tell_channel(Explanation *explanation)
{
	const char *channel = explanation->ticket.channel;

	if (explanation->version == NULL || channel == NULL)
		return;
	switch (policy_channel_counts(explanation->version, channel))
	{
		case COUNTS_FROM_RECEIPT:
			break;
		case COUNTS_FROM_INVESTIGATION:
			add_line(explanation, psprintf("came by channel \"%s\"", channel),
					 "the policy counts tickets of this channel from their investigation; what happened before counts as having happened then");
			break;
		case COUNTS_NEVER:
			add_line(explanation, psprintf("came by channel \"%s\"", channel),
					 "the policy promises nothing to tickets of this channel");
			break;
	}
}

/* Why no promise applies, if none does */
static void
tell_exemption(Explanation *explanation)
{
	const char *exempt = explanation->ticket.exempt;

	if (exempt == NULL)
		return;
	if (strncmp(exempt, "error: ", 7) == 0)
		add_line(explanation, "no promise applies", exempt + 7);
	else if (strncmp(exempt, "uncovered: ", 11) == 0)
		add_line(explanation, "not covered", exempt + 11);
	else
		add_line(explanation, psprintf("exempt: %s", exempt),
				 "the policy knows this reason; promises are neither kept nor broken while it stands");
}

/* Bytes of hours that are told; years of holidays are not read in a line */
#define HOURS_LIMIT		200

/* Tell hours once that are too long for a sentence. */
static void
tell_long_hours(Explanation *explanation, const Clock *clock, List **told)
{
	char	   *text;

	if (list_member_int(*told, clock->hours_id))
		return;
	*told = lappend_int(*told, clock->hours_id);
	text = hours_text_print(business_hours_rules(clock->hours));
	if (strcmp(explain_hours(clock->hours_id, clock->hours), text) == 0)
		return;
	if (strlen(text) > HOURS_LIMIT)
		text = psprintf("%.*s... (all of it is in sla.hours)",
						pg_mbcliplen(text, strlen(text), HOURS_LIMIT), text);
	add_line(explanation,
			 psprintf("hours %d are %s", clock->hours_id, text), NULL);
}

void
explain_cover(Explanation *explanation)
{
	const LedgerTicket *ticket = &explanation->ticket;
	List	   *told = NIL;
	ListCell   *lc;

	add_line(explanation,
			 psprintf("ticket \"%s\", %s, severity %s", ticket->key,
					  ticket->state, ticket->severity == 0 ? "unknown" :
					  severity_text(ticket->severity)),
			 ticket->received.known ?
			 psprintf("received %s", explain_instant(ticket->received.at)) :
			 "its row does not say when it was received");
	tell_policy(explanation);
	tell_contract(explanation);
	tell_channel(explanation);
	tell_exemption(explanation);
	foreach(lc, explanation->fold.steps)
		tell_long_hours(explanation, &((FoldStep *) lfirst(lc))->clock, &told);
}
