/*
 * guard.h
 *		What guards a table: the columns that say what its rows are about, and
 *		what these columns say.
 */
#ifndef SLAPOLICY_GUARD_H
#define SLAPOLICY_GUARD_H

#include "slapolicy.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "attachment_columns.h"
#include "ledger_tables.h"

/* A row is refused by a rule of notice; by the level of an account: see
 * restriction.h */
#define ERRCODE_REQUEST_REFUSED		MAKE_SQLSTATE('S', 'L', '0', '0', '2')

typedef enum GuardRole
{
	GUARD_ACCOUNT,
	GUARD_SERVICE,
	GUARD_SECURITY_RELEASE,
	GUARD_AS_OF,
	GUARD_POLICY,
	GUARD_KIND,
	GUARD_REQUESTED_AT,
	GUARD_REQUEST,
	GUARD_FIELD					/* one for each field of a request */
} GuardRole;

/* A column that the guard looks at */
typedef struct GuardColumn
{
	GuardRole	role;
	const char *field;			/* its name in a request */
	bool		is_time;
	bool		is_json;		/* json, jsonb or boolean */
	TextColumn	text;			/* unless is_time */
	TimeColumn	time;
} GuardColumn;

/*
 * The guard of a table, with column numbers of one relation: the table itself
 * or one of its partitions.
 */
typedef struct Guard
{
	int32		id;
	const char *action;			/* refused to accounts that are cut off; NULL */
	const char *policy;			/* NULL: the row's */
	const char *kind;			/* NULL: the row's, if it has one */
	bool		asks_notice;	/* are there rules about requests? */
	bool		admits_unknown; /* kinds that no rule is about */
	Attachment	own;			/* zone and settings, for reading columns */
	int			ncolumns;
	GuardColumn *columns;
} Guard;

/*
 * The guard of a relation: its own or that of the partitioned table it belongs
 * to. Raises 55000 when there is none or a column it needs is gone. Cached;
 * valid until the next call.
 */
extern const Guard *guard_get(Relation rel);

/*
 * What a row says in the columns of the guard: an array of texts, palloc'd,
 * NULL for what is null, and for times that are infinite. Instants are ISO
 * 8601, in UTC. The same in every session.
 */
extern char **guard_read_row(const Guard *guard, TupleTableSlot *slot);

/* Do two versions of a row differ, byte by byte, in any of these columns? */
extern bool guard_row_changed(const Guard *guard, TupleTableSlot *before,
							  TupleTableSlot *after);

/* The text of a role in what a row says; NULL: none */
extern const char *guard_text(const Guard *guard, char **row, GuardRole role);

/* The instant of a role, or another one where none is said */
extern TimestampTz guard_time(const Guard *guard, char **row, GuardRole role,
							  TimestampTz otherwise);

/* Forget guards of tables that are gone. */
extern void guard_forget_gone(void);

#endif							/* SLAPOLICY_GUARD_H */
