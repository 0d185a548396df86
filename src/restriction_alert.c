/*
 * restriction_alert.c
 *		One pass that turns changes of levels into alerts, the clock given.
 *
 * An invoice or an override is in the queue with the instant at which a level
 * may change: at a midnight, or at once after something was recorded. The
 * account's levels since then are computed, and what differs from the alert
 * written last becomes alerts; so a level that is the same after all makes
 * none, and a pass that comes late writes what it has missed, with the true
 * times. Alerts of an account are counted, and one pass runs at a time, so
 * that each is written once.
 *
 * Must not know what time it is, nor who runs the pass or when.
 *
 * Nothing here resolves a name through anyone's search_path, and neither
 * ordinary triggers nor rules of the ledger fire: the pass runs with the rights
 * of the role that passes act as and nothing that others defined.
 */
#include "slapolicy.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "alert_notify.h"
#include "invoice_record.h"
#include "policy.h"
#include "restriction_alert.h"
#include "restriction_history.h"
#include "restriction_pass.h"
#include "same_text.h"

PG_FUNCTION_INFO_V1(slapolicy_flag_restrictions);

/* Invoices of one account that are taken at once; clocks wait that long */
#define MOST_AT_ONCE	500

/* Whose level to look at, and from when on */
typedef struct Scope
{
	char	   *account;
	char	   *service;		/* NULL: the account's */
	TimestampTz from;
	TimestampTz services_from;	/* of an account's: those of its bills' services
								 * are looked at, too, from then on */
} Scope;

/* Overrides have places in the queue, too: below those of all invoices. */
static PassStatement find_turn = {
	.text = "SELECT q.at, q.id, q.account FROM ("
	"    (SELECT i.next_change_at AS at, i.id, i.account"
	"       FROM sla.invoice i"
	"      WHERE i.next_change_at OPERATOR(pg_catalog.<=) $1"
	"        AND ROW(i.next_change_at, i.id) OPERATOR(pg_catalog.>) ROW($2, $3)"
	"      ORDER BY i.next_change_at, i.id LIMIT 1)"
	"    UNION ALL"
	"    (SELECT o.next_change_at,"
	"            o.id OPERATOR(pg_catalog.-) 4294967296::pg_catalog.int8,"
	"            o.account"
	"       FROM sla.restriction_override o"
	"      WHERE o.next_change_at OPERATOR(pg_catalog.<=) $1"
	"        AND o.next_change_at OPERATOR(pg_catalog.>=) $2"
	"        AND ROW(o.next_change_at,"
	"                o.id OPERATOR(pg_catalog.-) 4294967296::pg_catalog.int8)"
	"            OPERATOR(pg_catalog.>) ROW($2, $3)"
	"      ORDER BY o.next_change_at, o.id LIMIT 1)) AS q"
	" ORDER BY q.at, q.id LIMIT 1"
};

static PassStatement take_one = {
	.text = "SELECT i.id, i.next_change_at, i.policy FROM sla.invoice i"
	" WHERE i.id OPERATOR(pg_catalog.=) $2"
	"   AND i.next_change_at OPERATOR(pg_catalog.<=) $1"
	"   FOR NO KEY UPDATE OF i SKIP LOCKED"
};

/* Its order is that of the index by account. */
static PassStatement take_invoices = {
	.text = "SELECT i.id, i.next_change_at, i.policy FROM sla.invoice i"
	" WHERE i.account OPERATOR(pg_catalog.=) $2"
	"   AND i.next_change_at OPERATOR(pg_catalog.<=) $1"
	" ORDER BY i.account, i.counts_until LIMIT $3"
	"   FOR NO KEY UPDATE OF i SKIP LOCKED"
};

static PassStatement requeue_invoices = {
	.text = "UPDATE sla.invoice i SET next_change_at = d.at"
	"  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS d (id, at)"
	" WHERE i.id OPERATOR(pg_catalog.=) d.id"
};

static PassStatement take_overrides = {
	.text = "WITH taken AS ("
	"    SELECT o.id, o.next_change_at FROM sla.restriction_override o"
	"     WHERE o.account OPERATOR(pg_catalog.=) $2"
	"       AND o.next_change_at OPERATOR(pg_catalog.<=) $1"
	"       FOR NO KEY UPDATE OF o SKIP LOCKED)"
	"UPDATE sla.restriction_override o"
	"   SET next_change_at = CASE"
	"       WHEN o.revokes IS NULL AND o.until OPERATOR(pg_catalog.>) $1"
	"            AND o.until OPERATOR(pg_catalog.<) 'infinity'::pg_catalog.timestamptz"
	"       THEN o.until END"
	"  FROM taken t"
	" WHERE o.id OPERATOR(pg_catalog.=) t.id"
	" RETURNING o.account, o.service, t.next_change_at"
};

static PassStatement last_alert = {
	.text = "SELECT a.level, a.n, a.flagged_at FROM sla.restriction_alert a"
	" WHERE a.account OPERATOR(pg_catalog.=) $1"
	"   AND CASE WHEN $2 IS NULL THEN a.service IS NULL"
	"            ELSE a.service OPERATOR(pg_catalog.=) $2 END"
	" ORDER BY a.n DESC LIMIT 1"
};

static PassStatement alerted_services = {
	.text = "SELECT DISTINCT a.service FROM sla.restriction_alert a"
	" WHERE a.account OPERATOR(pg_catalog.=) $1 AND a.service IS NOT NULL"
};

static PassStatement write_alert = {
	.text = "INSERT INTO sla.restriction_alert (account, service, n, level, since, flagged_at)"
	" VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"
};

/* Add to the scopes, which hold each account and service once. */
static Scope *
add_scope(List **scopes, char *account, char *service, TimestampTz from)
{
	ListCell   *lc;
	Scope	   *scope;

	foreach(lc, *scopes)
	{
		scope = lfirst(lc);
		if (strcmp(scope->account, account) == 0 &&
			same_text(scope->service, service))
		{
			scope->from = Min(scope->from, from);
			return scope;
		}
	}
	scope = palloc(sizeof(Scope));
	scope->account = account;
	scope->service = service;
	scope->from = from;
	scope->services_from = DT_NOEND;
	*scopes = lappend(*scopes, scope);
	return scope;
}

/* All services that bills of an account name by rules that go by service */
static void
add_services(Ledger *ledger, List **scopes, char *account, TimestampTz from,
			 TimestampTz now)
{
	RestrictionItem *items;
	int			n = restriction_items(ledger, account, DT_NOEND, DT_NOBEGIN,
									  NULL, &items);

	for (int i = 0; i < n; i++)
	{
		const RestrictionRule *rule = invoice_rule(items[i].policy, now);

		if (items[i].service != NULL && rule != NULL && rule->per_service)
			(void) add_scope(scopes, account,
							 unconstify(char *, items[i].service), from);
	}
}

/* Whose levels an invoice or override may have changed */
static void
add_scopes(Ledger *ledger, List **scopes, char *account, char *service,
		   bool by_service, TimestampTz from, TimestampTz now)
{
	Scope	   *scope = add_scope(scopes, account,
								  by_service ? service : NULL, from);

	if (!by_service || service != NULL || scope->services_from <= from)
		return;
	scope->services_from = from;
	add_services(ledger, scopes, account, from, now);
}

/* The next instant at which an invoice has to be looked at */
static TimestampTz
next_look(const InvoiceEvent *events, int nevents, const char *policy,
		  TimestampTz now)
{
	TimestampTz next = policy_next_version(policy, now);
	const RestrictionRule *rule;
	InvoiceFold fold;

	if (!invoice_fold(events, nevents, DT_NOEND, &fold) ||
		invoice_fold_counts_until(&fold) <= now)
		return DT_NOEND;
	rule = invoice_rule(policy, now);
	if (rule != NULL)
		next = Min(next, invoice_next_change(rule, &fold, now));
	return next;
}

/*
 * Note whose levels an invoice may have changed: of the account and service
 * that it names, and of those it named before. Returns when to look next.
 */
static TimestampTz
look_at_invoice(Ledger *ledger, int64 id, const char *policy,
				TimestampTz from, TimestampTz now, List **scopes)
{
	InvoiceEvent *events;
	int			nevents = invoice_read_events(ledger, id, NULL, 0, &events);
	const InvoiceEvent *last = NULL;

	for (int i = 0; i < nevents; i++)
	{
		const InvoiceEvent *event = &events[i];
		const RestrictionRule *rule;

		if (event->account == NULL ||
			(last != NULL && strcmp(last->account, event->account) == 0 &&
			 same_text(last->service, event->service)))
			continue;
		rule = invoice_rule(policy, now);
		add_scopes(ledger, scopes, unconstify(char *, event->account),
				   unconstify(char *, event->service),
				   rule != NULL && rule->per_service, from, now);
		last = event;
	}
	return next_look(events, nevents, policy, now);
}

/*
 * Lock the invoices of an account whose turn has come, or the one that names
 * none; note whose levels they may have changed and put them into the queue
 * again. Returns how many.
 */
static int
take_bills(AlertPass *pass, Ledger *ledger, TimestampTz now, List **scopes)
{
	Oid			types[] = {TIMESTAMPTZOID, TEXTOID, INT8OID};
	Oid			one_types[] = {TIMESTAMPTZOID, INT8OID};
	Oid			requeue_types[] = {INT8ARRAYOID, TIMESTAMPTZARRAYOID};
	Datum		args[3];
	Datum	   *ids;
	Datum	   *next;
	bool	   *nulls;
	int			dims;
	int			lower = 1;
	int			count;

	args[0] = TimestampTzGetDatum(now);
	if (pass->about == NULL)
	{
		args[1] = Int64GetDatum(pass->after_id);
		pass_execute(&take_one, 2, one_types, args, NULL, SPI_OK_SELECT);
	}
	else
	{
		args[1] = CStringGetTextDatum(pass->about);
		args[2] = Int64GetDatum(MOST_AT_ONCE);
		pass_execute(&take_invoices, 3, types, args, NULL, SPI_OK_SELECT);
	}
	count = dims = (int) SPI_processed;
	if (count == 0)
		return 0;
	ids = palloc(count * sizeof(Datum));
	next = palloc(count * sizeof(Datum));
	nulls = palloc(count * sizeof(bool));
	for (int i = 0; i < count; i++)
	{
		bool		isnull;
		int64		id = DatumGetInt64(pass_value(i, 1, &isnull));
		TimestampTz from = DatumGetTimestampTz(pass_value(i, 2, &isnull));
		TimestampTz look = look_at_invoice(ledger, id, pass_text(i, 3), from,
										   now, scopes);

		ids[i] = Int64GetDatum(id);
		nulls[i] = look == DT_NOEND;
		next[i] = TimestampTzGetDatum(look);
	}
	args[0] = PointerGetDatum(construct_array(ids, count, INT8OID, 8,
											  FLOAT8PASSBYVAL,
											  TYPALIGN_DOUBLE));
	args[1] = PointerGetDatum(construct_md_array(next, nulls, 1, &dims, &lower,
												 TIMESTAMPTZOID, 8,
												 FLOAT8PASSBYVAL,
												 TYPALIGN_DOUBLE));
	pass_execute(&requeue_invoices, 2, requeue_types, args, NULL, SPI_OK_UPDATE);
	return count;
}

/* The same for its overrides */
static int
take_overridden(AlertPass *pass, Ledger *ledger, TimestampTz now,
				List **scopes)
{
	Oid			types[] = {TIMESTAMPTZOID, TEXTOID};
	Datum		args[2];
	int			count;

	if (pass->about == NULL)
		return 0;
	args[0] = TimestampTzGetDatum(now);
	args[1] = CStringGetTextDatum(pass->about);
	pass_execute(&take_overrides, 2, types, args, NULL, SPI_OK_UPDATE_RETURNING);
	count = (int) SPI_processed;
	for (int i = 0; i < count; i++)
	{
		bool		isnull;
		TimestampTz from = DatumGetTimestampTz(pass_value(i, 3, &isnull));

		add_scopes(ledger, scopes, pass_text(i, 1), pass_text(i, 2), true,
				   from, now);
	}
	return count;
}

/*
 * What the alert written last about an account says, its number, and until
 * when that looked.
 */
static void
find_last(const Scope *scope, RestrictionLevel *level, int32 *n,
		  TimestampTz *flagged_at)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		args[2] = {CStringGetTextDatum(scope->account)};
	char		nulls[] = "  ";

	if (scope->service == NULL)
		nulls[1] = 'n';
	else
		args[1] = CStringGetTextDatum(scope->service);
	pass_execute(&last_alert, 2, types, args, nulls, SPI_OK_SELECT);
	*level = RESTRICTION_NONE;
	*n = 0;
	*flagged_at = DT_NOBEGIN;
	if (SPI_processed > 0)
	{
		bool		isnull;

		(void) restriction_level_of_datum(pass_value(0, 1, &isnull), level);
		*n = DatumGetInt32(pass_value(0, 2, &isnull));
		*flagged_at = DatumGetTimestampTz(pass_value(0, 3, &isnull));
	}
}

/*
 * The levels of an account may have been flagged by service, or those of
 * services by account: by another rule, or for an override.
 */
static void
add_alerted(List **scopes)
{
	int			n = list_length(*scopes);

	for (int i = 0; i < n; i++)
	{
		Scope	   *scope = list_nth(*scopes, i);

		if (scope->service != NULL)
		{
			Scope		whole = {.account = scope->account};
			RestrictionLevel level;
			TimestampTz flagged_at;
			int32		nalerts;

			find_last(&whole, &level, &nalerts, &flagged_at);
			if (level != RESTRICTION_NONE)
				(void) add_scope(scopes, scope->account, NULL, scope->from);
		}
		else
		{
			Oid			types[] = {TEXTOID};
			Datum		args[] = {CStringGetTextDatum(scope->account)};

			pass_execute(&alerted_services, 1, types, args, NULL,
						 SPI_OK_SELECT);
			for (uint64 j = 0; j < SPI_processed; j++)
				(void) add_scope(scopes, scope->account, pass_text(j, 1),
								 scope->from);
		}
	}
}

static void
write_one(AlertPass *pass, const Scope *scope, int32 n,
		  RestrictionLevel level, TimestampTz since, TimestampTz now)
{
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID, InvalidOid,
	TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		args[6];
	char		nulls[] = "      ";
	bool		isnull;

	types[3] = restriction_level_type();
	args[0] = CStringGetTextDatum(scope->account);
	if (scope->service == NULL)
		nulls[1] = 'n';
	else
		args[1] = CStringGetTextDatum(scope->service);
	args[2] = Int32GetDatum(n);
	args[3] = restriction_level_datum(level);
	args[4] = TimestampTzGetDatum(since);
	args[5] = TimestampTzGetDatum(now);
	pass_execute(&write_alert, 6, types, args, nulls, SPI_OK_INSERT_RETURNING);
	alert_pass_add(pass, DatumGetInt64(pass_value(0, 1, &isnull)));
}

/*
 * Write what has changed for an account since it was to be looked at. What the
 * alert written last has looked at is not told again, though bills may come to
 * their turn one by one.
 */
static void
flag_scope(AlertPass *pass, Ledger *ledger, const Scope *scope,
		   TimestampTz now)
{
	RestrictionQuestion question = {
		.ledger = ledger, .account = scope->account, .service = scope->service,
		.known_at = DT_NOEND
	};
	RestrictionPeriod *periods;
	RestrictionLevel level;
	TimestampTz since = DT_NOBEGIN;
	TimestampTz from;
	int32		n;
	int			nperiods = restriction_periods(&question, now, &periods);

	find_last(scope, &level, &n, &from);
	from = Max(from, scope->from);
	for (int i = 0; i < nperiods; i++)
	{
		/* the reason may change without the level */
		if (i == 0 || periods[i].level != periods[i - 1].level)
			since = periods[i].from;
		if ((i + 1 < nperiods && periods[i + 1].from <= from) ||
			periods[i].level == level)
			continue;
		level = periods[i].level;
		write_one(pass, scope, ++n, level, since, now);
	}
}

/*
 * One pass at a time, and none beside a change of a rule. False when there is
 * one and we do not wait.
 */
static bool
lock_alerts(bool wait)
{
	Oid			relid = get_relname_relid("restriction_alert",
										  get_namespace_oid("sla", false));

	if (wait)
		LockRelationOid(relid, ShareUpdateExclusiveLock);
	else if (!ConditionalLockRelationOid(relid, ShareUpdateExclusiveLock))
		return false;
	return pass_lock_bills(RowExclusiveLock, wait);
}

/*
 * Move on to the next place in the queue, and say whose turn it is there.
 * False when nothing is left.
 */
static bool
next_turn(AlertPass *pass, TimestampTz now)
{
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID};
	Datum		args[3];
	bool		isnull;

	args[0] = TimestampTzGetDatum(now);
	args[1] = TimestampTzGetDatum(pass->after_at);
	args[2] = Int64GetDatum(pass->after_id);
	pass_execute(&find_turn, 3, types, args, NULL, SPI_OK_SELECT);
	if (SPI_processed == 0)
		return false;
	pass->after_at = DatumGetTimestampTz(pass_value(0, 1, &isnull));
	pass->after_id = DatumGetInt64(pass_value(0, 2, &isnull));
	alert_pass_turn(pass, pass_text(0, 3));
	return true;
}

/*
 * Flag the levels that all may have changed whose turn has come with that of
 * one account: many bills of an account are one look at it. Returns how many
 * there were.
 */
static int
flag_turn(AlertPass *pass, Ledger *ledger, TimestampTz now)
{
	List	   *scopes = NIL;
	ListCell   *lc;
	int			count = take_bills(pass, ledger, now, &scopes) +
		take_overridden(pass, ledger, now, &scopes);

	add_alerted(&scopes);
	foreach(lc, scopes)
	{
		CHECK_FOR_INTERRUPTS();
		flag_scope(pass, ledger, lfirst(lc), now);
	}
	return count;
}

bool
restriction_flag_batch(AlertPass *pass, TimestampTz now, int limit,
					   bool wait)
{
	AlertRights rights;
	Ledger	   *ledger;
	TimestampTz before_at;
	int64		before_id;
	int			count = 0;
	bool		more = true;

	alert_pass_next_batch(pass);
	pass->done = true;
	if (!pass_enter(&rights))
		return false;
	if (pass_has_nothing() || !lock_alerts(wait))
	{
		pass_leave(&rights);
		return true;
	}
	ledger = ledger_open(false);
	while (more && count < limit)
	{
		CHECK_FOR_INTERRUPTS();
		before_at = pass->after_at;
		before_id = pass->after_id;
		/* what a turn leaves in memory ends with it */
		SPI_connect();
		more = next_turn(pass, now);
		if (more)
		{
			int			taken = alert_pass_leaves_out(pass) ? 0 :
				flag_turn(pass, ledger, now);

			/* what others have locked, or is left out, is a place, too */
			count += Max(taken, 1);
			if (taken >= MOST_AT_ONCE)
			{
				/* there may be more, at this very place for instance */
				pass->after_at = before_at;
				pass->after_id = before_id;
			}
		}
		SPI_finish();
	}
	ledger_close(ledger);
	pass->done = !more;
	pass_leave(&rights);
	return true;
}

static bool
flag_batch_by_hand(AlertPass *pass, TimestampTz now, int limit)
{
	return restriction_flag_batch(pass, now, limit, true);
}

/*
 * sla.flag_restrictions(now timestamptz) -> bigint: the whole pass in the
 * caller's transaction; how many alerts were written.
 */
Datum
slapolicy_flag_restrictions(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(alert_pass_by_hand(flag_batch_by_hand,
									   PG_GETARG_TIMESTAMPTZ(0),
									   RESTRICTION_CHANNEL, "levels"));
}
