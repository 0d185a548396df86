/*
 * hours.c
 *		Fuzzes the notation of business hours.
 *
 * Whatever the bytes are, reading them ends, in bounded memory, with rules or
 * with an error of class 22 or 54. Rules print as a text that reads back as
 * the same text, and say of single dates what a plain walk through the dates
 * that were written says.
 */
#include "backend.h"

/* Look at what the parser hands over before it becomes canonical. */
#define hours_builder_finish	canonical_finish
#include "../../src/hours_canon.c"
#undef hours_builder_finish

#include "hours_dates.h"

#define MAX_MEMORY		(256 * 1024 * 1024)
#define MAX_DATES		200		/* looked at one by one, per part */

/* Builders as the parser left them, by part */
static HoursBuilder written[HOURS_MAX_PARTS + 1];
static int	nwritten;

bool
hours_builder_finish(HoursBuilder *builder, HoursPart *part, Node *escontext)
{
	HoursBuilder *copy = &written[nwritten++];

	*copy = *builder;
	copy->named = palloc(Max(copy->nnamed, 1) * sizeof(HoursNamed));
	if (copy->nnamed > 0)
		memcpy(copy->named, builder->named, copy->nnamed * sizeof(HoursNamed));
	return canonical_finish(builder, part, escontext);
}

static bool
names(const HoursNamed *named, int64 date)
{
	int64		year;
	int			month,
				mday,
				when;

	hours_date_fields(date, &year, &month, &mday);
	when = HOURS_MONTH_DAY(month, mday);
	switch (named->kind)
	{
		case HOURS_DATE_ISO:
			return date >= named->from && date <= named->to;
		case HOURS_DATE_YEARLY:
			if (named->from <= named->to)
				return when >= named->from && when <= named->to;
			return when >= named->from || when <= named->to;
		case HOURS_DATE_EASTER:
			hours_date_fields(date - named->from, &year, &month, &mday);
			return year >= EASTER_FIRST_YEAR && year <= EASTER_LAST_YEAR &&
				hours_easter(year) + named->from == date;
	}
	abort();
}

/* What is written about a date, or NULL */
static const HoursDay *
written_day(const HoursBuilder *builder, int64 date)
{
	for (int32 i = builder->nnamed - 1; i >= 0; i--)
	{
		if (names(&builder->named[i], date))
			return &builder->named[i].day;
	}
	return NULL;
}

#define CHECK(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

static void
check_date(const HoursBuilder *builder, const HoursPart *part, int64 date)
{
	const HoursDay *day = written_day(builder, date);
	int64		year;
	int			month,
				mday;

	hours_date_fields(date, &year, &month, &mday);
	CHECK(hours_date_make(year, month, mday) == date);
	CHECK(hours_part_is_special(part, date) == (day != NULL));
	if (day == NULL)
		day = hours_part_weekday(part, date);
	CHECK(hours_day_equal(hours_part_day(part, date), day));
}

/* Single dates and their enumeration agree over some hundred days. */
static void
check_enumeration(const HoursPart *part, int64 first)
{
	int64		last = first + 800;
	SpecialDate *dates;
	int32		ndates = hours_part_specials(part, first, last, &dates);
	int32		n = 0;

	for (int64 date = first; date <= last; date++)
	{
		if (!hours_part_is_special(part, date))
			continue;
		CHECK(n < ndates && dates[n].date == date);
		CHECK(hours_day_equal(dates[n].day, hours_part_day(part, date)));
		n++;
	}
	CHECK(n == ndates);
	pfree(dates);
}

static void
check_part(const HoursBuilder *builder, const HoursPart *part)
{
	int32		step = builder->nnamed / MAX_DATES + 1;

	if (builder->nnamed == 0)
	{
		CHECK(part->nspecials + part->nyearly + part->neaster == 0);
		return;
	}
	for (int32 i = 0; i < builder->nnamed; i += step)
	{
		const HoursNamed *named = &builder->named[i];

		if (named->kind == HOURS_DATE_ISO)
		{
			for (int d = -1; d <= 1; d++)
			{
				check_date(builder, part, (int64) named->from + d);
				check_date(builder, part, (int64) named->to + d);
			}
			check_enumeration(part, named->from - 200);
		}
		else
		{
			/* a few years, leap and other, and the edges of Easter's */
			static const int years[] = {
				-4712, 1, 1582, 1583, 2000, 2023, 2024, 2025, 9999, 12000
			};

			for (int k = 0; k < lengthof(years); k++)
			{
				int64		date;

				if (named->kind == HOURS_DATE_YEARLY)
					date = hours_date_make(years[k], named->from / 32,
										   named->from % 32);
				else
					date = hours_date_make(years[k], 4, 1) + named->from;
				for (int d = -20; d <= 20; d++)
					check_date(builder, part, date + d);
				if (i == 0)
					check_enumeration(part, date - 200);
			}
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static bool started = false;
	HoursRules *rules;
	HoursRules *again;
	char	   *text;
	char	   *canonical;

	/* volatile state that survives the jump is static */
	nwritten = 0;
	started = false;
	if (setjmp(backend_error) != 0)
	{
		int			class = backend_sqlstate & 0xFFF;

		/* only the text that came from outside may be refused */
		CHECK(!started);
		CHECK(class == MAKE_SQLSTATE('2', '2', '0', '0', '0') ||
			  class == MAKE_SQLSTATE('5', '4', '0', '0', '0'));
		backend_reset(MAX_MEMORY);
		return 0;
	}

	text = palloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	rules = hours_text_parse(text, NULL);
	started = true;
	CHECK(hours_program_is_valid(rules));
	CHECK(nwritten == rules->nparts);
	for (int32 i = 0; i < rules->nparts; i++)
		check_part(&written[i], &rules->parts[i]);

	canonical = hours_text_print(rules);
	CHECK(strlen(canonical) <= HOURS_MAX_TEXT);
	nwritten = 0;
	again = hours_text_parse(canonical, NULL);
	CHECK(again->nparts == rules->nparts);
	CHECK(memcmp(again->program, rules->program,
				 hours_program_length(rules)) == 0);
	CHECK(strcmp(hours_text_print(again), canonical) == 0);

	backend_reset(MAX_MEMORY);
	return 0;
}
