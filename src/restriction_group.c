/*
 * restriction_group.c
 *		The bills of an account under one policy.
 *
 * Must not know: which version of the policy is in force.
 */
#include "postgres.h"

#include "restriction_group.h"
#include "same_text.h"

List *
restriction_policies(const RestrictionItem *items, int n)
{
	List	   *policies = NIL;

	for (int i = 0; i < n; i++)
	{
		ListCell   *lc;
		bool		found = false;

		foreach(lc, policies)
			found = found || strcmp(lfirst(lc), items[i].policy) == 0;
		if (!found)
			policies = lappend(policies, unconstify(char *, items[i].policy));
	}
	return policies;
}

int
restriction_group(const RestrictionQuestion *question,
				  const RestrictionRule *rule, const char *policy,
				  RestrictionItem *items, int n, RestrictionItem ***group)
{
	int			ngroup = 0;

	*group = palloc(Max(n, 1) * sizeof(RestrictionItem *));
	for (int i = 0; i < n; i++)
		if (strcmp(items[i].policy, policy) == 0 &&
			(!rule->per_service || items[i].service == NULL ||
			 same_text(items[i].service, question->service)))
			(*group)[ngroup++] = &items[i];
	restriction_sweep_init(rule, *group, ngroup);
	return ngroup;
}

/* A stretch in which a bill is overdue */
typedef struct Overdue
{
	TimestampTz from;
	TimestampTz to;
} Overdue;

static int
compare_ends(const void *a, const void *b)
{
	TimestampTz x = ((const Overdue *) a)->to;
	TimestampTz y = ((const Overdue *) b)->to;

	return (x < y) - (x > y);
}

/* Since when something has been overdue without a break, by these bills */
static TimestampTz
chain_start(RestrictionItem **group, int n, TimestampTz at)
{
	int			room = 1;
	int			count = 0;
	Overdue    *overdue;

	for (int i = 0; i < n; i++)
		room += group[i]->nstretches;
	overdue = palloc_extended(room * sizeof(Overdue), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < group[i]->nstretches; j++)
		{
			overdue[count].from = Max(group[i]->stretches[j].from,
									  group[i]->reaches[RESTRICTION_NONE]);
			overdue[count].to = group[i]->stretches[j].to;
			if (overdue[count].from < overdue[count].to)
				count++;
		}
	/* from the last end on: what ends before the chain cannot be of it */
	qsort(overdue, count, sizeof(Overdue), compare_ends);
	for (int i = 0; i < count && overdue[i].to >= at; i++)
		at = Min(at, overdue[i].from);
	pfree(overdue);
	return at;
}

int
restriction_group_chain(const RestrictionQuestion *question,
						const RestrictionRule *rule, const char *policy,
						TimestampTz at, RestrictionItem ***group, int n)
{
	TimestampTz start = chain_start(*group, n, at);
	TimestampTz by = at;
	TimestampTz after = start == DT_NOBEGIN ? start : start - 1;

	/* as known at another time, all there ever were are in the group */
	while (question->known_at == DT_NOEND && by > after)
	{
		RestrictionItem *items;
		RestrictionItem **others;
		int			nothers;

		nothers = restriction_items_ended(question->ledger, question->account,
										  after, by, question->snapshot,
										  &items);
		nothers = restriction_group(question, rule, policy, items, nothers,
									&others);
		if (nothers == 0)
			break;
		*group = repalloc_huge(*group, (n + nothers) * sizeof(RestrictionItem *));
		memcpy(*group + n, others, nothers * sizeof(RestrictionItem *));
		n += nothers;
		if (chain_start(*group, n, start) == start)
			break;
		/* if these do not end it, all there are will */
		by = after;
		after = DT_NOBEGIN;
	}
	return n;
}

static int
compare_items(const void *a, const void *b)
{
	const RestrictionItem *x = *(RestrictionItem *const *) a;
	const RestrictionItem *y = *(RestrictionItem *const *) b;

	if (x->due != y->due)
		return x->due < y->due ? -1 : 1;
	return (x->invoice_id > y->invoice_id) - (x->invoice_id < y->invoice_id);
}

void
restriction_sort(RestrictionItem **group, int n)
{
	qsort(group, n, sizeof(RestrictionItem *), compare_items);
}
