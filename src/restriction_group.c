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

/* Since when something has been overdue without a break, by these bills */
static TimestampTz
chain_start(RestrictionItem **group, int n, TimestampTz at)
{
	bool		grown;

	do
	{
		grown = false;
		for (int i = 0; i < n; i++)
		{
			const RestrictionItem *item = group[i];

			for (int j = 0; j < item->nstretches; j++)
			{
				TimestampTz from = Max(item->stretches[j].from,
									   item->reaches[RESTRICTION_NONE]);

				if (from < at && item->stretches[j].to >= at)
				{
					at = from;
					grown = true;
				}
			}
		}
	} while (grown);
	return at;
}

int
restriction_group_chain(const RestrictionQuestion *question,
						const RestrictionRule *rule, const char *policy,
						TimestampTz at, RestrictionItem ***group, int n)
{
	TimestampTz start = chain_start(*group, n, at);

	for (;;)
	{
		RestrictionItem *items;
		TimestampTz before = start;

		/* open just before an instant: until that or later */
		n = restriction_items(question->ledger, question->account,
							  question->known_at,
							  start == DT_NOBEGIN ? start : start - 1,
							  question->snapshot, &items);
		n = restriction_group(question, rule, policy, items, n, group);
		start = chain_start(*group, n, before);
		if (start == before)
			return n;
	}
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
