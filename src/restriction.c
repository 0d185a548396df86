/*
 * restriction.c
 *		How far an account is cut off at a moment, and what that forbids.
 *
 * Of all policies that an account has bills under the highest level counts,
 * unless an override says something else. Most accounts owe nothing that is
 * overdue, which takes two index look-ups to find out.
 *
 * Asks nobody's rights; the SQL functions do.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "invoice_record.h"
#include "invoice_table.h"
#include "restriction_group.h"

/* What a policy makes of an account's bills */
typedef struct Verdict
{
	const char *policy;
	RestrictionLevel level;
	RestrictionLevel refused_from;	/* of the action asked about */
	int			threshold;		/* first day of the level */
	const RestrictionItem *anchor;
	bool		lasting;
	TimestampTz since;			/* of the level; only if asked for */
	int			nreached;		/* bills that have reached it, or, of a
								 * termination, are overdue; likewise */
	int			days;			/* of the anchor; likewise */
} Verdict;

/* Fill in what only explanations need. */
static void
complete_verdict(const RestrictionRule *rule, RestrictionItem **group, int n,
				 const RestrictionSpan *spans, int nspans, TimestampTz at,
				 Verdict *verdict)
{
	int			first = nspans - 1;

	while (first > 0 && spans[first - 1].level == verdict->level)
		first--;
	verdict->since = spans[first].from;
	verdict->days = (int) restriction_days(rule, verdict->anchor->due, at);
	for (int i = 0; i < n; i++)
	{
		TimestampTz since;

		if (restriction_is_overdue(group[i], at, &since) &&
			(verdict->level == RESTRICTION_TERMINATION ||
			 group[i]->reaches[verdict->level] <= at))
			verdict->nreached++;
	}
}

/*
 * What a policy makes of bills, among them all that are overdue at an instant.
 * The level is not lower than the true one where it is at least enough.
 */
static Verdict
judge(const RestrictionQuestion *question, const char *policy,
	  RestrictionItem *items, int n, TimestampTz at, const char *action,
	  bool security_release, bool complete)
{
	const RestrictionRule *rule = invoice_rule(policy, at);
	Verdict		verdict = {.policy = policy};
	RestrictionItem **group;
	RestrictionSpan *spans;
	int			nspans;

	verdict.refused_from = RESTRICTION_TERMINATION;
	if (rule == NULL)
		return verdict;
	if (action != NULL)
		verdict.refused_from = restriction_refused_from(rule, action,
														security_release);
	n = restriction_group(question, rule, policy, items, n, &group);
	verdict.level = restriction_base(rule, group, n, at, &verdict.anchor);
	if (verdict.anchor == NULL ||
		(!complete && verdict.level >= verdict.refused_from) ||
		((verdict.level == RESTRICTION_NONE || !complete) &&
		 rule->threshold[RESTRICTION_TERMINATION] == 0))
		return verdict;

	n = restriction_group_chain(question, rule, policy, at, &group, n);
	nspans = restriction_sweep(rule, group, n, at, &spans);
	verdict.level = spans[nspans - 1].level;
	verdict.lasting = spans[nspans - 1].lasting;
	verdict.anchor = spans[nspans - 1].anchor;
	verdict.threshold = rule->threshold[verdict.level];
	if (complete && verdict.level != RESTRICTION_NONE)
		complete_verdict(rule, group, n, spans, nspans, at, &verdict);
	return verdict;
}

/* The table an invoice lives in, as text; "-" when it is gone */
static const char *
table_of(Ledger *ledger, int32 attachment_id)
{
	ListCell   *lc;

	foreach(lc, invoice_table_rows(ledger))
	{
		InvoiceTableRow *row = lfirst(lc);
		Oid			relid = DatumGetObjectId(row->values[INVOICES_TABLE - 1]);
		char	   *name;

		if (DatumGetInt32(row->values[INVOICES_ID - 1]) != attachment_id)
			continue;
		name = get_rel_name(relid);
		if (name != NULL)
			return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
											  name);
	}
	return "-";
}

static void
detail_of_verdict(Ledger *ledger, const Verdict *verdict,
				  RestrictionDetail *detail)
{
	memset(detail, 0, sizeof(*detail));
	detail->level = verdict->level;
	detail->since = DT_NOBEGIN;
	if (verdict->level == RESTRICTION_NONE)
		return;
	detail->since = verdict->since;
	detail->policy = pstrdup(verdict->policy);
	detail->invoice_id = verdict->anchor->invoice_id;
	detail->invoice_table = table_of(ledger, verdict->anchor->attachment_id);
	detail->invoice_key = verdict->anchor->key;
	detail->due = verdict->anchor->due;
	detail->overdue_days = verdict->days;
	detail->threshold = verdict->lasting ? 0 : verdict->threshold;
	detail->lasting = verdict->lasting;
	if (verdict->lasting)
		detail->rule = psprintf("by policy \"%s\", termination lasts until everything that is overdue is settled in full",
								verdict->policy);
	else
		detail->rule = psprintf("by policy \"%s\", %s from %d days of unsettled bills on",
								verdict->policy,
								restriction_level_text(verdict->level),
								verdict->threshold);
	if (verdict->level == RESTRICTION_TERMINATION)
		detail->lifted_by = verdict->nreached == 1 ?
			psprintf("payment in full of invoice %s, which is overdue",
					 verdict->anchor->key) :
			psprintf("payment in full of all %d invoices that are overdue, the earliest being %s",
					 verdict->nreached, verdict->anchor->key);
	else
		detail->lifted_by = verdict->nreached == 1 ?
			psprintf("payment of invoice %s", verdict->anchor->key) :
			psprintf("payment of the %d invoices that have been overdue for %d days, the earliest being %s",
					 verdict->nreached, verdict->threshold,
					 verdict->anchor->key);
}

/* Another policy restricts as well: it has to let go, too. */
static void
add_verdict(Ledger *ledger, const Verdict *verdict, RestrictionDetail *detail)
{
	RestrictionDetail other;

	detail_of_verdict(ledger, verdict, &other);
	detail->lifted_by = psprintf("%s, and under policy \"%s\" %s",
								 detail->lifted_by, other.policy,
								 other.lifted_by);
}

static void
detail_of_override(const RestrictionOverride *override,
				   RestrictionDetail *detail)
{
	memset(detail, 0, sizeof(*detail));
	detail->level = override->level;
	detail->since = override->starts;
	detail->override_id = override->id;
	detail->override_reason = override->reason;
	detail->override_author = override->author;
	detail->override_until = override->until;
	detail->rule = psprintf("override %d of %s: %s", override->id,
							override->author, override->reason);
	detail->lifted_by = override->until == DT_NOEND ?
		psprintf("revocation of override %d", override->id) :
		psprintf("the end of override %d at %s", override->id,
				 timestamptz_to_str(override->until));
}

char *
restriction_instant_text(TimestampTz at)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(at))
		EncodeSpecialTimestamp(at, text);
	else if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) == 0)
	{
		tm.tm_isdst = 0;		/* or the offset is left out */
		EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, text);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return pstrdup(text);
}

static void
check_as_of(TimestampTz as_of)
{
	if (TIMESTAMP_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time as of which a level is asked for must be finite")));
}

RestrictionLevel
restriction_at(const char *account, const char *service, TimestampTz as_of,
			   TimestampTz known_at, Snapshot snapshot,
			   RestrictionDetail *detail)
{
	RestrictionQuestion question = {
		.ledger = ledger_open(false), .account = account, .service = service,
		.known_at = known_at, .snapshot = snapshot
	};
	RestrictionOverride *overrides;
	const RestrictionOverride *override;
	RestrictionItem *items;
	RestrictionLevel level = RESTRICTION_NONE;
	ListCell   *lc;
	int			n;

	check_as_of(as_of);
	if (detail != NULL)
	{
		memset(detail, 0, sizeof(*detail));
		detail->since = DT_NOBEGIN;
	}
	if (account == NULL)
	{
		ledger_close(question.ledger);
		return RESTRICTION_NONE;
	}
	n = restriction_overrides(question.ledger, account, known_at, snapshot,
							  &overrides);
	override = restriction_override_at(overrides, n, service, as_of);
	if (override != NULL)
	{
		ledger_close(question.ledger);
		if (detail != NULL)
			detail_of_override(override, detail);
		return override->level;
	}

	n = restriction_items_overdue(question.ledger, account, known_at, as_of,
								  snapshot, &items);
	foreach(lc, restriction_policies(items, n))
	{
		Verdict		verdict = judge(&question, lfirst(lc), items, n, as_of,
									NULL, false, detail != NULL);

		if (verdict.level == RESTRICTION_NONE || verdict.level < level)
			continue;
		if (detail != NULL && verdict.level == level)
			add_verdict(question.ledger, &verdict, detail);
		else if (detail != NULL)
			detail_of_verdict(question.ledger, &verdict, detail);
		level = verdict.level;
	}
	ledger_close(question.ledger);
	return level;
}

/* From which level an action is refused by any policy that bills are under */
static RestrictionLevel
lowest_refusal(Ledger *ledger, const char *action, bool security_release,
			   TimestampTz at)
{
	RestrictionLevel lowest = RESTRICTION_TERMINATION;
	ListCell   *lc;

	foreach(lc, invoice_table_rows(ledger))
	{
		InvoiceTableRow *row = lfirst(lc);
		const RestrictionRule *rule;

		if (!row->nulls[INVOICES_DETACHED_AT - 1])
			continue;
		rule = invoice_rule(TextDatumGetCString(row->values[INVOICES_POLICY - 1]),
							at);
		if (rule != NULL)
			lowest = Min(lowest, restriction_refused_from(rule, action,
														  security_release));
	}
	return lowest;
}

bool
restriction_allows(const char *account, const char *service,
				   const char *action, bool security_release,
				   TimestampTz as_of, Snapshot snapshot,
				   RestrictionLevel *needed, RestrictionDetail *detail)
{
	RestrictionQuestion question = {
		.account = account, .service = service, .known_at = DT_NOEND,
		.snapshot = snapshot
	};
	RestrictionOverride *overrides;
	const RestrictionOverride *override;
	RestrictionItem *items;
	RestrictionLevel refused_from = RESTRICTION_TERMINATION;
	bool		allowed = true;
	ListCell   *lc;
	int			n;

	check_as_of(as_of);
	if (account == NULL)
		return true;
	question.ledger = ledger_open(false);
	n = restriction_overrides(question.ledger, account, DT_NOEND, snapshot,
							  &overrides);
	override = restriction_override_at(overrides, n, service, as_of);
	if (override != NULL)
	{
		refused_from = lowest_refusal(question.ledger, action,
									  security_release, as_of);
		allowed = override->level < refused_from;
		if (!allowed && detail != NULL)
			detail_of_override(override, detail);
	}
	else
	{
		n = restriction_items_overdue(question.ledger, account, DT_NOEND,
									  as_of, snapshot, &items);
		foreach(lc, restriction_policies(items, n))
		{
			Verdict		verdict = judge(&question, lfirst(lc), items, n, as_of,
										action, security_release,
										detail != NULL);

			if (verdict.level < verdict.refused_from)
				continue;
			if (!allowed)
			{
				add_verdict(question.ledger, &verdict, detail);
				continue;
			}
			allowed = false;
			refused_from = verdict.refused_from;
			if (detail == NULL)
				break;
			detail_of_verdict(question.ledger, &verdict, detail);
		}
	}
	ledger_close(question.ledger);
	if (needed != NULL)
		*needed = refused_from;
	return allowed;
}
