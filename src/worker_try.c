/*
 * worker_try.c
 *		A batch of a worker's pass, and what becomes of the pass when something
 *		in the queue cannot be flagged.
 *
 * One such thing, whatever is wrong with it, must not keep all others from
 * being flagged: after an error the things of the batch are taken one by one,
 * and the bad ones are passed over. They are complained of when the pass has
 * come to its end.
 *
 * Must not know what is in the queue.
 */
#include "slapolicy.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"

#include "worker_internal.h"

/* So many that cannot be flagged are passed over in one pass. */
#define MAX_FAILED	10

/* Does the error that is being handled say nothing of what was taken? */
static bool
is_general(const AlertPass *pass, const AlertPass *before)
{
	int			code = geterrcode();

	return (pass->after_at == before->after_at &&
			pass->after_id == before->after_id) ||
		code == ERRCODE_QUERY_CANCELED || code == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* Remember what cannot be flagged; with all that is about the same. */
static void
pass_over(AlertPass *pass, WorkerTrouble *trouble, const char *message)
{
	if (pass->about != NULL)
		pass->left_out = lappend(pass->left_out, pstrdup(pass->about));
	if (trouble->failed++ > 0)
		return;
	trouble->first = pass->about != NULL ?
		psprintf("is \"%s\"", pass->about) :
		psprintf("has the id %lld", (long long) pass->after_id);
	trouble->message = pstrdup(message);
}

bool
worker_try(AlertPass *pass, WorkerTrouble *trouble, int limit,
		   WorkerBatch batch, void *arg)
{
	AlertPass	before = *pass;
	volatile bool one = trouble->singles > 0;
	volatile bool ok = false;

	PG_TRY();
	{
		batch(pass, one ? 1 : limit, arg);
		ok = true;
		trouble->singles = Max(trouble->singles - 1, 0);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (is_general(pass, &before) || trouble->failed == MAX_FAILED)
			PG_RE_THROW();

		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(trouble->context);
		error = CopyErrorData();
		FlushErrorState();
		AbortCurrentTransaction();
		pgstat_report_activity(STATE_IDLE, NULL);
		MemoryContextSwitchTo(trouble->context);
		RESUME_INTERRUPTS();

		if (one)
			pass_over(pass, trouble, error->message);
		else
		{
			*pass = before;
			trouble->singles = limit;
		}
		FreeErrorData(error);
	}
	PG_END_TRY();
	return ok;
}

void
worker_complain(const WorkerTrouble *trouble, const char *what)
{
	if (trouble->failed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s that could not be flagged: %d", what,
						trouble->failed),
				 errdetail("The first one %s: %s", trouble->first,
						   trouble->message),
				 errhint("All others are flagged, with a pause after each time that this happens.")));
}
