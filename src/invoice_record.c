/*
 * invoice_record.c
 *		Brings the ledger up to what an invoice's row, and others, say: lets
 *		the row's news become events, folds them, writes both.
 *
 * Locks: the caller holds the user's row, here the row of sla.invoice comes
 * first, then the rest. No row is shared by invoices, so that whoever writes
 * invoices of one account waits for nobody who writes others of it.
 *
 * Knows nothing of triggers and of how the row was read.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "invoice_record.h"
#include "policy.h"
#include "same_text.h"
#include "worker.h"

/* Events that one look at a row can bring */
#define MOST_NEWS	8

PG_FUNCTION_INFO_V1(slapolicy_record_payment);

/* An invoice and all that happened to it, in the works */
typedef struct History
{
	LedgerInvoice invoice;
	InvoiceEvent *events;
	int			nevents;
	int			nrecorded;		/* of these, that the ledger has */
	InvoiceFold fold;			/* of those */
	bool		known;
} History;

const RestrictionRule *
invoice_rule(const char *policy, TimestampTz at)
{
	char	   *problem = NULL;
	const PolicyVersion *version = policy_version_at(policy, at, &problem);

	return version == NULL ? NULL : version->restriction;
}

TimestampTz
invoice_next_change(const RestrictionRule *rule, const InvoiceFold *fold,
					TimestampTz after)
{
	TimestampTz next = DT_NOEND;

	for (int i = 0; i < fold->nstretches; i++)
	{
		const InvoiceStretch *stretch = &fold->stretches[i];

		if (stretch->to <= after)
			continue;
		if (stretch->from > after)
			next = Min(next, stretch->from);
		next = Min(next, stretch->to);
		for (int level = RESTRICTION_NONE; level <= RESTRICTION_TERMINATION; level++)
		{
			TimestampTz at = restriction_reaches(rule, fold->due, level);

			/* that it is overdue matters only to amounts */
			if (level == RESTRICTION_NONE && !rule->has_minimum)
				continue;
			if (at > after && at < stretch->to)
				next = Min(next, at);
		}
	}
	return next;
}

/* Can it make a difference at an instant? */
static bool
is_overdue(const RestrictionRule *rule, const InvoiceFold *fold, TimestampTz at)
{
	return fold->nstretches > 0 &&
		restriction_reaches(rule, fold->due, RESTRICTION_NONE) <= at;
}

static void
begin_history(Ledger *ledger, History *history, bool found)
{
	history->known = found;
	history->nevents = 0;
	memset(&history->fold, 0, sizeof(history->fold));
	if (found)
	{
		history->nevents = invoice_read_events(ledger, history->invoice.id,
											   NULL, MOST_NEWS,
											   &history->events);
		(void) invoice_fold(history->events, history->nevents, DT_NOEND,
							&history->fold);
	}
	else
		history->events = palloc(MOST_NEWS * sizeof(InvoiceEvent));
	history->nrecorded = history->nevents;
}

/* When something is recorded, never before what was recorded before */
static TimestampTz
recorded_at(const History *history, TimestampTz at)
{
	if (history->nrecorded == 0)
		return at;
	return Max(at, history->events[history->nrecorded - 1].recorded_at);
}

static InvoiceEvent *
append(History *history, InvoiceEventKind kind, TimestampTz at)
{
	InvoiceEvent *event = &history->events[history->nevents++];

	memset(event, 0, sizeof(*event));
	event->seq = history->nevents;
	event->kind = kind;
	event->at = at;
	return event;
}

/*
 * When the invoice has to be looked at, after it was recorded at an instant.
 * What is said to have been recorded later than now counts from now on.
 */
static TimestampTz
next_look(const History *history, const InvoiceFold *before,
		  TimestampTz pending, TimestampTz at)
{
	const InvoiceFold *fold = &history->fold;
	const char *policy = history->invoice.policy;
	TimestampTz now = Min(at, GetCurrentStatementStartTimestamp());
	TimestampTz next;
	const RestrictionRule *rule;

	if (pending <= now)
		return pending;			/* not looked at yet */
	next = policy_next_version(policy, now);
	if (invoice_fold_counts_until(fold) <= next &&
		invoice_fold_counts_until(before) <= next)
		next = DT_NOEND;
	rule = invoice_rule(policy, now);
	if (rule == NULL)
		return next;
	if (is_overdue(rule, before, now) || is_overdue(rule, fold, now))
		return now;
	return Min(next, invoice_next_change(rule, fold, now));
}

/* Write what is new, and what it makes of the invoice. */
static void
write_history(Ledger *ledger, History *history, TimestampTz at)
{
	LedgerInvoice *invoice = &history->invoice;
	InvoiceFold before = history->fold;
	InvoiceFold *fold = &history->fold;
	TimestampTz pending = history->known ? invoice->next_change_at : DT_NOEND;
	const RestrictionRule *rule;
	TimestampTz now = recorded_at(history, at);

	for (int i = history->nrecorded; i < history->nevents; i++)
		history->events[i].recorded_at = now;
	(void) invoice_fold(history->events, history->nevents, DT_NOEND, fold);
	invoice->account = unconstify(char *, fold->account);
	invoice->service = unconstify(char *, fold->service);
	invoice->has_due = fold->has_due;
	invoice->due = fold->due;
	invoice->has_amount = fold->has_amount;
	invoice->amount = fold->amount;
	invoice->paid = fold->paid;
	invoice->state = invoice_fold_state(fold);
	invoice->counts_until = invoice_fold_counts_until(fold);
	invoice->plain = invoice_fold_is_plain(fold);

	rule = invoice_rule(invoice->policy, now);
	invoice->has_days = fold->nstretches > 0 &&
		!TIMESTAMP_NOT_FINITE(invoice->counts_until);
	if (invoice->has_days && rule != NULL)
	{
		int64		days = restriction_days(rule, invoice->due,
											invoice->counts_until);

		invoice->days = (int32) Max(PG_INT32_MIN, Min(PG_INT32_MAX, days));
	}
	else
		invoice->has_days = false;
	invoice->next_change_at = next_look(history, &before, pending, now);
	if (invoice->next_change_at != DT_NOEND)
		worker_note_due(invoice->next_change_at);

	invoice_write(ledger, invoice);
	for (int i = history->nrecorded; i < history->nevents; i++)
		invoice_write_event(ledger, invoice->id, &history->events[i]);
	CommandCounterIncrement();
}

static bool
same_number(bool has_a, Datum a, bool has_b, Datum b)
{
	if (!has_a || !has_b)
		return has_a == has_b;
	return DatumGetBool(DirectFunctionCall2(numeric_eq, a, b));
}

/* Does the row say the same of account, service, due date and amount? */
static bool
same_invoice(const InvoiceFold *fold, const InvoiceRow *row)
{
	return same_text(fold->account, row->account) &&
		same_text(fold->service, row->service) &&
		fold->has_due == row->has_due &&
		(!fold->has_due || fold->due == row->due) &&
		same_number(fold->has_amount, fold->amount,
					row->has_amount, row->amount);
}

/* News of something that begins and ends */
static void
follow_flag(History *history, const InvoiceSpell *spell,
			const InvoiceFlag *flag, TimestampTz changed_at,
			InvoiceEventKind begun, InvoiceEventKind ended)
{
	if (flag->on &&
		(!spell->on || (flag->since.known && flag->since.at != spell->since)))
		append(history, begun, flag->since.known ? flag->since.at : changed_at);
	else if (!flag->on && spell->on)
		append(history, ended, changed_at);
}

/* Let what the row says that is new become events. */
static void
follow_row(History *history, const InvoiceRow *row)
{
	const InvoiceFold *fold = &history->fold;
	Datum		none = NumericGetDatum(int64_to_numeric(0));

	if (!history->known || !same_invoice(fold, row))
	{
		InvoiceEvent *event = append(history, history->known ?
									 INVOICE_CHANGED : INVOICE_ISSUED,
									 row->changed_at);

		event->account = row->account;
		event->service = row->service;
		event->has_due = row->has_due;
		event->due = row->due;
		event->has_amount = row->has_amount;
		event->amount = row->amount;
	}
	if (fold->deleted.on)
		append(history, INVOICE_RESTORED, row->changed_at);
	if (row->has_paid &&
		!same_number(true, fold->has_row_paid ? fold->row_paid : none,
					 true, row->paid))
	{
		InvoiceEvent *event = append(history, INVOICE_HAS_PAID,
									 row->changed_at);

		event->has_amount = true;
		event->amount = row->paid;
	}
	follow_flag(history, &fold->settled, &row->settled, row->changed_at,
				INVOICE_SETTLED, INVOICE_REVERSED);
	follow_flag(history, &fold->disputed, &row->disputed, row->changed_at,
				INVOICE_DISPUTED, INVOICE_UPHELD);
	follow_flag(history, &fold->voided, &row->voided, row->changed_at,
				INVOICE_VOIDED, INVOICE_REINSTATED);
}

bool
invoice_record_row(Ledger *ledger, const InvoiceTable *table, const char *key,
				   const char *former_key, const InvoiceRow *row, int64 *id)
{
	History		history = {0};
	LedgerInvoice *invoice = &history.invoice;
	LedgerInvoice holder;
	bool		found = false;
	bool		moved;

	if (former_key != NULL && strcmp(former_key, key) == 0)
		former_key = NULL;
	if (former_key != NULL)
		found = invoice_find_displaced(ledger, table->id, former_key, invoice) ||
			invoice_find(ledger, table->id, former_key, true, invoice);
	if (!found)
		found = invoice_find(ledger, table->id, key, true, invoice);
	moved = found && strcmp(invoice->key, key) != 0;
	if (moved && invoice_find(ledger, table->id, key, true, &holder))
	{
		/* a deleted one, or one whose row has left the key, too */
		invoice_displace(ledger, &holder);
		CommandCounterIncrement();
	}
	begin_history(ledger, &history, found);
	if (!found)
	{
		memset(invoice, 0, sizeof(*invoice));
		invoice->attachment_id = table->id;
	}
	follow_row(&history, row);
	if (history.nevents == history.nrecorded && !moved &&
		same_text(invoice->problem, row->problem))
	{
		*id = invoice->id;
		return false;
	}
	invoice->key = pstrdup(key);
	invoice->policy = pstrdup(table->policy);
	invoice->problem = row->problem;
	write_history(ledger, &history, row->recorded_at);
	*id = invoice->id;
	return true;
}

bool
invoice_record_gone(Ledger *ledger, int32 attachment_id, const char *key,
					TimestampTz now)
{
	History		history = {0};

	if (!invoice_find_displaced(ledger, attachment_id, key, &history.invoice) &&
		!invoice_find(ledger, attachment_id, key, true, &history.invoice))
		return false;
	begin_history(ledger, &history, true);
	if (history.fold.deleted.on)
		return false;
	append(&history, INVOICE_DELETED, now);
	write_history(ledger, &history, now);
	return true;
}

/* Who may write an invoice may record what was paid of it. */
static void
check_may_write(Oid relid)
{
	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table with OID %u does not exist", relid)));
	if (pg_class_aclcheck(relid, GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	/* which rows he may write is not ours to tell */
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("payments of table \"%s\" cannot be recorded under row security",
						get_rel_name(relid)),
				 errhint("Whoever row security does not apply to can record them.")));
}

static InvoiceEventKind
payment_kind(const char *text)
{
	if (strcmp(text, "payment") == 0)
		return INVOICE_PAYMENT;
	if (strcmp(text, "credit") == 0)
		return INVOICE_CREDIT;
	if (strcmp(text, "reversal") == 0)
		return INVOICE_REVERSED;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("kind cannot be \"%s\"", text),
			 errhint("It is \"payment\", \"credit\" or \"reversal\".")));
}

/* At no instant is more reversed than has been paid by then. */
static void
check_reversal(const History *history, const char *key, Datum amount,
			   TimestampTz at)
{
	Datum		paid = invoice_least_paid(history->events, history->nevents, at);

	if (DatumGetBool(DirectFunctionCall2(numeric_gt, amount, paid)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("more cannot be reversed than has been paid"),
				 errdetail("Of invoice %s, %s has been paid at all times from %s on.",
						   key,
						   DatumGetCString(DirectFunctionCall1(numeric_out, paid)),
						   timestamptz_to_str(at))));
}

/*
 * sla.record_payment(invoice_table regclass, key text, amount numeric,
 *					  at timestamptz, kind text, recorded_at timestamptz)
 */
Datum
slapolicy_record_payment(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Datum		amount = PG_GETARG_DATUM(2);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(3);
	InvoiceEventKind kind = payment_kind(text_to_cstring(PG_GETARG_TEXT_PP(4)));
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(5);
	Datum		none = NumericGetDatum(int64_to_numeric(0));
	Ledger	   *ledger;
	InvoiceTableRow row;
	History		history = {0};
	InvoiceEvent *event;

	check_may_write(relid);
	if (!invoice_is_amount(amount) ||
		!DatumGetBool(DirectFunctionCall2(numeric_gt, amount, none)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount must be a positive number, less than 1e100"),
				 errhint("What was paid back is of the kind \"reversal\".")));
	if (TIMESTAMP_NOT_FINITE(at) || TIMESTAMP_NOT_FINITE(now))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the time of a payment must be finite")));
	if (at > now)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("a payment cannot be recorded before it is made"),
				 errdetail("It is made at %s and recorded at %s.",
						   pstrdup(timestamptz_to_str(at)),
						   pstrdup(timestamptz_to_str(now)))));

	ledger = ledger_open(true);
	if (!invoice_table_find_row(ledger, relid, &row) ||
		!row.nulls[INVOICES_DETACHED_AT - 1])
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not attached", get_rel_name(relid)),
				 errhint("Call sla.attach_invoices first.")));
	if (!invoice_find(ledger, DatumGetInt32(row.values[INVOICES_ID - 1]), key,
					  true, &history.invoice))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("table \"%s\" has no invoice %s", get_rel_name(relid),
						key)));
	begin_history(ledger, &history, true);
	if (kind == INVOICE_REVERSED)
		check_reversal(&history, key, amount, at);
	event = append(&history, kind, at);
	event->has_amount = true;
	event->amount = amount;
	event->source = "api";
	write_history(ledger, &history, now);
	ledger_close(ledger);
	PG_RETURN_INT32(history.nevents);
}
