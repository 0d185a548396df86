/*
 * timeline.c
 *		Fuzzes the questions asked of a compiled calendar.
 *
 * An input is a calendar in its notation, a newline, and bytes that choose
 * clock changes, instants and amounts. The answers must agree with each other
 * and with a plain look at the windows of the dates around an instant.
 */
#include "backend.h"

#include "deadline.h"
#include "hours_dates.h"
#include "zones.h"

#include "utils/date.h"
#include "utils/memutils.h"

#define MAX_MEMORY		(256 * 1024 * 1024)
#define MAX_QUESTIONS	6
#define MAX_STRETCHES	200
#define MAX_PAUSES		4

#define LAST_INSTANT	(END_TIMESTAMP - 1)

#define CHECK(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* The bytes that are left; endless zeros follow */
typedef struct Bytes
{
	const uint8 *next;
	const uint8 *end;
} Bytes;

static uint64
take(Bytes *bytes, int n)
{
	uint64		value = 0;

	while (n-- > 0)
	{
		value = value << 8 | (bytes->next < bytes->end ? *bytes->next : 0);
		bytes->next += bytes->next < bytes->end;
	}
	return value;
}

static TimestampTz
clamp(int64 t)
{
	return Max(MIN_TIMESTAMP, Min(LAST_INSTANT, t));
}

/* Some microseconds before or after; mostly none or one */
static int64
jitter(Bytes *bytes)
{
	static const int64 steps[] = {
		0, 0, 1, -1, USECS_PER_SEC, -USECS_PER_SEC, USECS_PER_HOUR,
		-USECS_PER_HOUR, USECS_PER_DAY, -USECS_PER_DAY, 7 * USECS_PER_DAY, 0
	};

	return steps[take(bytes, 1) % lengthof(steps)];
}

/* Changes between 1849 and 2087, as in the zone database */
static void
take_zone(Bytes *bytes, MadeUpZone *zone)
{
	int			n = (int) (take(bytes, 1) % (MADE_UP_CHANGES + 1));
	int64		at;

	memset(zone, 0, sizeof(*zone));
	if (n == 0)
		return;
	at = -INT64CONST(4733510400) + (int64) take(bytes, 4);
	for (int i = 0; i < n; i++)
	{
		/* from days to years apart, down to odd seconds */
		int			kind = (int) take(bytes, 1);
		int64		apart = (int64) take(bytes, 2);

		if (kind & 1)
			apart *= SECS_PER_HOUR;
		at += apart + 2 * SECS_PER_DAY;
		if (at > INT64CONST(2700000000))
			break;
		zone->change[i] = at;
		zone->offset[i + 1] = (kind & 2) ?
			(int32) (take(bytes, 2) % (24 * SECS_PER_HOUR)) - 12 * SECS_PER_HOUR :
			((int32) take(bytes, 1) % 49 - 24) * SECS_PER_HOUR / 2;
		zone->nchanges = i + 1;
	}
}

static TimestampTz
take_instant(Bytes *bytes, const HoursRules *rules)
{
	const HoursPart *part = &rules->parts[take(bytes, 1) % rules->nparts];
	int64		t;

	switch (take(bytes, 1) % 7)
	{
		case 0:					/* around the present */
			t = (int64) (take(bytes, 4) % 4000000000) * USECS_PER_SEC -
				INT64CONST(1000000000) * USECS_PER_SEC;
			break;
		case 1:					/* anywhere */
			t = (int64) (take(bytes, 8) >> 1) * 2 - PG_INT64_MAX / 3;
			break;
		case 2:					/* the first timestamps */
			t = MIN_TIMESTAMP + (int64) take(bytes, 3) * USECS_PER_SEC;
			break;
		case 3:					/* the last */
			t = LAST_INSTANT - (int64) take(bytes, 3) * USECS_PER_SEC;
			break;
		case 4:					/* a clock change */
			t = zones_next_change(part->zone,
								  ((int64) take(bytes, 4) - PG_INT32_MAX) * 2);
			t = t == PG_INT64_MAX ? 0 : t * USECS_PER_SEC;
			break;
		case 5:					/* a special date */
			t = (int64) take(bytes, 2);
			if (part->nspecials > 0)
				t = (t & 1) ? part->specials[t % part->nspecials].last :
					part->specials[t % part->nspecials].first;
			t = (t + (int64) (take(bytes, 1) % 5) - 2) * USECS_PER_DAY;
			break;
		default:				/* where chunks of the line meet */
			t = ((int64) (take(bytes, 1) % 64) - 32) * 773 * 7 * USECS_PER_DAY +
				2 * USECS_PER_DAY;
			break;
	}
	t = clamp(t);
	return clamp(t + jitter(bytes));
}

static int64
take_amount(Bytes *bytes)
{
	switch (take(bytes, 1) % 4)
	{
		case 0:
			return (int64) take(bytes, 2) * USECS_PER_MINUTE;
		case 1:
			return (int64) take(bytes, 5);
		case 2:
			return (int64) take(bytes, 4) * USECS_PER_SEC;
		default:
			return (int64) (take(bytes, 8) >> 1);
	}
}

/* ---------- a plain reading ---------- */

/* inf { u : wall clock at u >= local }, by walking through the changes */
static int64
plain_first(const char *zone, int64 local)
{
	int64		at = local - SECS_PER_DAY;

	for (;;)
	{
		int64		change = zones_next_change(zone, at);
		int64		when = Max(at, local - zones_offset(zone, at));

		if (when < change)
			return when;
		at = change;
	}
}

/* sup { u : wall clock at u < local } */
static int64
plain_last(const char *zone, int64 local)
{
	int64		at = local - SECS_PER_DAY;
	int64		last = PG_INT64_MIN;

	while (at < local + SECS_PER_DAY)
	{
		int64		change = zones_next_change(zone, at);
		int64		when = Min(change, local - zones_offset(zone, at));

		if (when > at)
			last = when;
		at = change;
	}
	return last;
}

static bool
plain_part_is_open(const HoursPart *part, TimestampTz t)
{
	int64		utc = t / USECS_PER_SEC - (t % USECS_PER_SEC < 0);
	int64		today = utc / SECS_PER_DAY - (utc % SECS_PER_DAY < 0);

	for (int64 date = today - 4; date <= today + 3; date++)
	{
		const HoursDay *day = hours_part_day(part, date);

		for (int32 i = 0; i < day->nspans; i++)
			if (utc >= plain_first(part->zone,
								   date * SECS_PER_DAY + day->spans[i].open) &&
				utc < plain_last(part->zone,
								 date * SECS_PER_DAY + day->spans[i].close))
				return true;
	}
	return false;
}

static bool
plain_is_open(const HoursRules *rules, TimestampTz t)
{
	bool		stack[HOURS_MAX_PARTS];
	int			depth = 0;

	for (int i = 0; i < hours_program_length(rules); i++)
	{
		int			step = rules->program[i];

		if (step >= 0)
		{
			stack[depth++] = plain_part_is_open(&rules->parts[step], t);
			continue;
		}
		depth--;
		if (step == HOURS_UNION)
			stack[depth - 1] |= stack[depth];
		else if (step == HOURS_INTERSECT)
			stack[depth - 1] &= stack[depth];
		else
			stack[depth - 1] &= !stack[depth];
	}
	return stack[0];
}

/* ---------- what must hold ---------- */

static bool
within(TimestampTz t)
{
	return t >= MIN_TIMESTAMP && t <= LAST_INSTANT;
}

static void
check_openness(Timeline *tl, const HoursRules *rules, TimestampTz t)
{
	bool		open = plain_is_open(rules, t);

	CHECK(timeline_is_open(tl, t) == open);
	CHECK(timeline_is_open_before(tl, t) == plain_is_open(rules, t - 1));
	CHECK(deadline_part_is_open(tl, t) ==
		  plain_part_is_open(&rules->parts[0], t));
	if (t < LAST_INSTANT)
		CHECK(timeline_between(tl, t, t + 1) == (open ? 1 : 0));
}

static void
check_between(Timeline *tl, TimestampTz a, TimestampTz b, TimestampTz c)
{
	int64		ab = timeline_between(tl, a, b);
	int64		bc = timeline_between(tl, b, c);
	int64		ac = timeline_between(tl, a, c);

	CHECK(timeline_between(tl, a, a) == 0);
	if (ab != PG_INT64_MAX && ab != PG_INT64_MIN)
	{
		CHECK(timeline_between(tl, b, a) == -ab);
		CHECK(a <= b ? ab >= 0 && (uint64) ab <= (uint64) b - (uint64) a :
			  ab <= 0 && (uint64) -ab <= (uint64) a - (uint64) b);
		if (bc != PG_INT64_MAX && bc != PG_INT64_MIN &&
			ac != PG_INT64_MAX && ac != PG_INT64_MIN)
			CHECK((uint64) ab + (uint64) bc == (uint64) ac);
	}
}

static void
check_amount(Timeline *tl, TimestampTz t, int64 d)
{
	TimestampTz later = timeline_add(tl, t, d);
	TimestampTz earlier = timeline_sub(tl, t, d);

	if (later == DT_NOEND)
		CHECK(timeline_between(tl, t, LAST_INSTANT) < d);
	else
	{
		CHECK(within(later) && later >= t);
		CHECK(timeline_between(tl, t, later) == d);
		CHECK(d == 0 ? later == t : timeline_is_open_before(tl, later));
		/* the latest instant from which it is as much, t or after it */
		CHECK(timeline_sub(tl, later, d) >= t);
	}
	if (earlier == DT_NOBEGIN)
		CHECK(timeline_between(tl, MIN_TIMESTAMP, t) < d);
	else
	{
		CHECK(within(earlier) && earlier <= t);
		CHECK(timeline_between(tl, earlier, t) == d);
		CHECK(d == 0 ? earlier == t : timeline_is_open(tl, earlier));
		CHECK(timeline_add(tl, earlier, d) <= t);
	}
}

/* Edges after t; returns the next opening. */
static TimestampTz
check_next(Timeline *tl, const HoursRules *rules, TimestampTz t)
{
	TimestampTz open = timeline_next_open(tl, t);
	TimestampTz close = timeline_next_close(tl, t);
	TimestampTz from = t;

	if (open != DT_NOEND)
	{
		CHECK(within(open) && open > t);
		CHECK(plain_is_open(rules, open) && !plain_is_open(rules, open - 1));
		CHECK(timeline_is_open(tl, open) && !timeline_is_open_before(tl, open));
		CHECK(timeline_prev_open(tl, open) <= t);
	}
	if (close != DT_NOEND)
	{
		CHECK(within(close) && close > t);
		CHECK(!plain_is_open(rules, close) && plain_is_open(rules, close - 1));
		CHECK(timeline_is_open_before(tl, close) && !timeline_is_open(tl, close));
		CHECK(timeline_prev_close(tl, close) <= t);
	}
	if (timeline_is_open(tl, t))
	{
		TimestampTz end = close == DT_NOEND ? LAST_INSTANT : close;
		int64		work = timeline_between(tl, t, end);

		CHECK(work == PG_INT64_MAX || (uint64) work == (uint64) end - (uint64) t);
		CHECK(close == DT_NOEND ? open == DT_NOEND : open > close);
		from = end;
	}
	else if (open == DT_NOEND)
		CHECK(close == DT_NOEND);
	else
	{
		TimestampTz end = close == DT_NOEND ? LAST_INSTANT : close;

		CHECK(end > open);
		CHECK(timeline_between(tl, open, end) == end - open);
	}
	CHECK(timeline_between(tl, from, open == DT_NOEND ? LAST_INSTANT : open) == 0);
	return open == DT_NOEND ? close : open;
}

/* Edges before t; returns the previous closing. */
static TimestampTz
check_prev(Timeline *tl, const HoursRules *rules, TimestampTz t)
{
	TimestampTz open = timeline_prev_open(tl, t);
	TimestampTz close = timeline_prev_close(tl, t);
	TimestampTz to = t;

	if (open != DT_NOBEGIN)
	{
		CHECK(within(open) && open < t);
		CHECK(plain_is_open(rules, open) && !plain_is_open(rules, open - 1));
		CHECK(timeline_next_open(tl, open) >= t);
	}
	if (close != DT_NOBEGIN)
	{
		CHECK(within(close) && close < t);
		CHECK(!plain_is_open(rules, close) && plain_is_open(rules, close - 1));
		CHECK(timeline_next_close(tl, close) >= t);
	}
	if (timeline_is_open_before(tl, t))
	{
		TimestampTz start = open == DT_NOBEGIN ? MIN_TIMESTAMP : open;
		int64		work = timeline_between(tl, start, t);

		CHECK(work == PG_INT64_MAX || (uint64) work == (uint64) t - (uint64) start);
		CHECK(open == DT_NOBEGIN ? close == DT_NOBEGIN : close < open);
		to = start;
	}
	CHECK(timeline_between(tl, close == DT_NOBEGIN ? MIN_TIMESTAMP : close, to) == 0);
	return close == DT_NOBEGIN ? open : close;
}

static void
check_days(Timeline *tl, TimestampTz t, int64 n)
{
	const int32 last = DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1;
	const int32 first = DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE;
	const HoursPart *part = timeline_leading_part(tl);
	const DayCount *days = timeline_days(tl);
	int32		date = (int32) (t / USECS_PER_DAY);
	int32		result;
	int64		count = 0;

	for (int32 d = date; d < date + 40; d++)
	{
		CHECK(business_days_count(days, date, d) == count);
		CHECK(is_business_day(part, d) ==
			  (hours_part_day(part, d)->nspans > 0));
		count += is_business_day(part, d);
	}
	if (!business_days_shift(days, date, n, &result))
	{
		CHECK(n > 0 ? business_days_count(days, date + 1, last + 1) < n :
			  business_days_count(days, first, date) < -n);
		return;
	}
	CHECK(result >= first && result <= last);
	if (n == 0)
		CHECK(result == date);
	else
	{
		CHECK(is_business_day(part, result));
		CHECK(n > 0 ? business_days_count(days, date + 1, result + 1) == n :
			  business_days_count(days, result, date) == -n);
	}
}

static int
compare_instants(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
}

/* May the working time from a to b be more than int64 holds? */
static bool
too_far(TimestampTz a, TimestampTz b)
{
	return (uint64) b - (uint64) a >= (uint64) PG_INT64_MAX;
}

/* Up to MAX_PAUSES pauses, sorted and apart; the outer ends may be infinite. */
static int
take_pauses(Bytes *bytes, const HoursRules *rules, TimestampTz t, Pause *pauses)
{
	TimestampTz at[2 * MAX_PAUSES];
	int			wanted = (int) (take(bytes, 1) % (MAX_PAUSES + 1));
	int			n = 0;

	for (int i = 0; i < 2 * wanted; i++)
	{
		uint64		kind = take(bytes, 1);

		at[i] = (kind & 3) ? clamp(t) + (int64) take(bytes, 3) * USECS_PER_SEC :
			take_instant(bytes, rules);
		if (kind == 0xF0)
			at[i] = DT_NOEND;
		else if (kind == 0xF4)
			at[i] = DT_NOBEGIN;
		else
			at[i] = clamp(at[i]);
	}
	qsort(at, 2 * wanted, sizeof(TimestampTz), compare_instants);
	for (int i = 0; i < wanted; i++)
	{
		if (at[2 * i] >= at[2 * i + 1] || (n > 0 && pauses[n - 1].to >= at[2 * i]))
			continue;
		pauses[n].from = at[2 * i];
		pauses[n++].to = at[2 * i + 1];
	}
	return n;
}

/* Working time from a to b outside pauses; they are not too far apart for it. */
static int64
unpaused(Timeline *tl, TimestampTz a, TimestampTz b, const Pause *pauses, int n)
{
	return timeline_between(tl, a, b) - deadline_paused_work(tl, a, b, pauses, n);
}

static void
check_deadline(Timeline *tl, TimestampTz t, const BusinessInterval *amount,
			   const Pause *pauses, int npauses)
{
	TimestampTz due = deadline_add(tl, t, amount);
	TimestampTz paused = deadline_with_pauses(tl, t, amount, pauses, npauses);

	CHECK(TIMESTAMP_NOT_FINITE(due) || within(due));
	CHECK(TIMESTAMP_NOT_FINITE(paused) || within(paused));
	if (amount->days >= 0 && amount->time >= 0)
	{
		CHECK(due >= t);
		CHECK(paused >= due);
		if (!TIMESTAMP_NOT_FINITE(paused) && !too_far(t, paused) &&
			timeline_between(tl, t, due) > 0)
			CHECK(unpaused(tl, t, paused, pauses, npauses) ==
				  timeline_between(tl, t, due));
	}
	else if (amount->days <= 0 && amount->time <= 0)
	{
		CHECK(due <= t);
		CHECK(paused <= due);
		if (!TIMESTAMP_NOT_FINITE(paused) && !too_far(paused, t) &&
			timeline_between(tl, due, t) > 0)
			CHECK(unpaused(tl, paused, t, pauses, npauses) ==
				  timeline_between(tl, due, t));
	}
}

static void
check_stretches(Timeline *tl, TimestampTz from, TimestampTz end,
				const Pause *pauses, int npauses)
{
	StretchWalk walk = {
		.tl = tl, .cursor = from, .end = end,
		.pauses = pauses, .npauses = npauses
	};
	Stretch		stretch;
	TimestampTz at = from;

	for (int i = 0; i < MAX_STRETCHES && stretch_next(&walk, &stretch); i++)
	{
		CHECK(stretch.from == at && stretch.to > at && stretch.to <= end);
		CHECK(stretch.elapsed == PG_INT64_MAX ||
			  (uint64) stretch.elapsed ==
			  (uint64) Min(stretch.to, END_TIMESTAMP) - (uint64) at);
		CHECK(stretch.counted == 0 || stretch.counted == stretch.elapsed);
		CHECK(stretch.why[0] != '\0');
		if (too_far(at, Min(stretch.to, LAST_INSTANT)))
			CHECK(stretch.counted == 0 || stretch.counted == PG_INT64_MAX);
		else if (stretch.to != DT_NOEND)
			CHECK(stretch.counted ==
				  unpaused(tl, at, stretch.to, pauses, npauses));
		else
			CHECK(at == LAST_INSTANT || (stretch.counted > 0) ==
				  (unpaused(tl, at, LAST_INSTANT, pauses, npauses) > 0));
		at = stretch.to;
	}
	if (walk.cursor >= walk.end)
		CHECK(from >= end || at == end);
}

static void
ask(Bytes *bytes, const HoursRules *rules, Timeline *tl)
{
	TimestampTz a = take_instant(bytes, rules);
	TimestampTz b = take_instant(bytes, rules);
	BusinessInterval amount = {0};
	Pause		pauses[MAX_PAUSES];
	int			npauses;
	int64		d = take_amount(bytes);
	uint64		signs;
	TimestampTz edge;

	check_openness(tl, rules, a);
	check_openness(tl, rules, b);
	check_between(tl, a, b, MIN_TIMESTAMP);
	check_between(tl, LAST_INSTANT, a, b);
	check_amount(tl, a, d);
	check_amount(tl, b, 0);
	/* whole stretches: the answer lies on an edge */
	check_amount(tl, a, Max(timeline_between(tl, Min(a, b), Max(a, b)), 0));
	edge = check_next(tl, rules, a);
	if (!TIMESTAMP_NOT_FINITE(edge))
	{
		check_openness(tl, rules, edge);
		check_next(tl, rules, edge);
		check_prev(tl, rules, edge);
	}
	edge = check_prev(tl, rules, a);
	if (!TIMESTAMP_NOT_FINITE(edge))
	{
		check_openness(tl, rules, edge);
		check_next(tl, rules, edge);
		check_prev(tl, rules, edge);
	}

	signs = take(bytes, 1);
	amount.days = (signs & 4) ? (int32) take(bytes, 4) :
		(signs & 8) ? (int32) take(bytes, 1) : 0;
	if (signs & 1)
		amount.days = amount.days == PG_INT32_MIN ? 0 : -amount.days;
	amount.time = (signs & 2) ? -d : d;
	check_days(tl, a, amount.days);
	npauses = take_pauses(bytes, rules, a, pauses);
	check_deadline(tl, a, &amount, pauses, npauses);
	check_stretches(tl, Min(a, b), Max(a, b), pauses, npauses);
	check_stretches(tl, a, DT_NOEND, pauses, npauses);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static bool started;
	const uint8 *newline = memchr(data, '\n', size);
	size_t		length = newline ? (size_t) (newline - data) : size;
	Bytes		bytes = {data + Min(length + 1, size), data + size};
	MadeUpZone	zone;
	HoursRules *rules;
	Timeline   *tl;
	MemoryContext context;
	MemoryContext old;
	char	   *text;

	take_zone(&bytes, &zone);
	zones_reset(&zone);
	started = false;
	if (setjmp(backend_error) != 0)
	{
		CHECK(!started);
		backend_reset(MAX_MEMORY);
		return 0;
	}

	context = AllocSetContextCreate(CurrentMemoryContext, "timeline",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	text = palloc(length + 1);
	memcpy(text, data, length);
	text[length] = '\0';
	rules = hours_text_parse(text, NULL);
	tl = timeline_compile(rules, context);
	MemoryContextSwitchTo(old);
	started = true;

	for (int i = 0; i < MAX_QUESTIONS; i++)
	{
		ask(&bytes, rules, tl);
		if (bytes.next == bytes.end)
			break;
	}
	timeline_free(tl);
	backend_reset(MAX_MEMORY);
	return 0;
}
