/*
 * pattern_join.c
 *		Joins the week patterns of several parts of a calendar.
 *
 * Parts in any zones are laid over each other week by UTC week, so what has to
 * be joined are pairs of patterns, of which there are few: every pair is worked
 * out once, however many weeks it stands for.
 *
 * Knows nothing of rules and zones beyond passing them on.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "timeline_pattern.h"

/* An open set over the weeks in question */
typedef struct WeekSeries
{
	PatternSet *set;
	uint16	   *ids;
} WeekSeries;

/* Results of pairs joined so far: open addressing, key + 1, or 0 */
typedef struct PairMemo
{
	uint64	   *keys;
	uint16	   *ids;
	uint32		mask;
} PairMemo;

static bool
joined_open(HoursOp op, bool left, bool right)
{
	switch (op)
	{
		case HOURS_UNION:
			return left || right;
		case HOURS_INTERSECT:
			return left && right;
		case HOURS_EXCEPT:
			return left && !right;
	}
	pg_unreachable();
}

/* The next edge of a pattern, and whether it is open from there on */
typedef struct EdgeCursor
{
	const WeekPattern *pattern;
	uint32		span;			/* from 1 */
	bool		open;
} EdgeCursor;

static uint32
next_edge(const EdgeCursor *cursor)
{
	if (cursor->open)
		return cursor->pattern->spans[cursor->span].close;
	if (cursor->span > cursor->pattern->nspans)
		return PG_UINT32_MAX;
	return cursor->pattern->spans[cursor->span].open;
}

static void
pass_edge(EdgeCursor *cursor)
{
	if (cursor->open)
		cursor->span++;
	cursor->open = !cursor->open;
}

/* Join two patterns; palloc'd. Walks the edges of both in order of time. */
static WeekPattern *
join_patterns(HoursOp op, const WeekPattern *left, const WeekPattern *right)
{
	WeekPattern *result = palloc0(WEEK_PATTERN_SIZE(left->nspans +
													right->nspans + 1));
	EdgeCursor	a = {left, 1, false};
	EdgeCursor	b = {right, 1, false};
	bool		open = false;

	for (;;)
	{
		uint32		edge_a = next_edge(&a);
		uint32		edge_b = next_edge(&b);
		uint32		edge = Min(edge_a, edge_b);
		bool		now_open;

		if (edge == PG_UINT32_MAX)
			break;
		if (edge_a == edge)
			pass_edge(&a);
		if (edge_b == edge)
			pass_edge(&b);
		now_open = joined_open(op, a.open, b.open);
		if (now_open && !open)
			result->spans[++result->nspans].open = edge;
		else if (open && !now_open)
			result->spans[result->nspans].close = edge;
		open = now_open;
	}
	pattern_sum_up(result);
	return result;
}

/* Join two series into the left one's place; the result has a set of its own. */
static void
join_series(HoursOp op, WeekSeries *left, const WeekSeries *right,
			int32 nweeks, PatternSet *set)
{
	PairMemo	memo;
	uint64		last_key = 0;
	uint16		last_id = 0;

	memo.mask = 64;
	while (memo.mask < (uint32) nweeks * 2)
		memo.mask *= 2;
	memo.keys = palloc0(memo.mask * sizeof(uint64));
	memo.ids = palloc(memo.mask * sizeof(uint16));
	memo.mask--;

	for (int32 week = 0; week < nweeks; week++)
	{
		uint64		key = ((uint64) left->ids[week] << 16 | right->ids[week]) + 1;
		uint32		at;

		if (key != last_key)
		{
			at = murmurhash32((uint32) (key - 1)) & memo.mask;
			while (memo.keys[at] != 0 && memo.keys[at] != key)
				at = (at + 1) & memo.mask;
			if (memo.keys[at] == 0)
			{
				WeekPattern *joined =
					join_patterns(op, left->set->list[left->ids[week]],
								  right->set->list[right->ids[week]]);

				memo.keys[at] = key;
				memo.ids[at] = pattern_intern(set, joined);
				pfree(joined);
			}
			last_key = key;
			last_id = memo.ids[at];
		}
		left->ids[week] = last_id;
	}
	left->set = set;
	pfree(memo.keys);
	pfree(memo.ids);
}

void
pattern_fill_rules(PatternSet *set, const HoursRules *rules,
				   const ZoneTable *const *zones, int64 first_week,
				   int32 nweeks, uint16 *ids)
{
	int			length = hours_program_length(rules);
	WeekSeries *stack;
	int			depth = 0;

	if (rules->nparts == 1)
	{
		pattern_fill(set, &rules->parts[0], zones[0], first_week, nweeks, ids);
		return;
	}

	stack = palloc(rules->nparts * sizeof(WeekSeries));
	for (int step = 0; step < length; step++)
	{
		int			code = rules->program[step];
		PatternSet *own = set;

		if (code < 0 && step == length - 1)
			join_series(code, &stack[0], &stack[1], nweeks, set);
		else
		{
			own = palloc(sizeof(PatternSet));
			pattern_set_init(own, CurrentMemoryContext);
			if (code < 0)
			{
				depth--;
				join_series(code, &stack[depth - 1], &stack[depth], nweeks, own);
			}
			else
			{
				stack[depth].set = own;
				stack[depth].ids = palloc(nweeks * sizeof(uint16));
				pattern_fill(own, &rules->parts[code], zones[code],
							 first_week, nweeks, stack[depth].ids);
				depth++;
			}
		}
	}
	memcpy(ids, stack[0].ids, nweeks * sizeof(uint16));
}
