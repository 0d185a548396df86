/*
 * hours_dates.c
 *		What the rules of one part say about single local dates.
 *
 * Pure: no fmgr, no SPI, no time-zone data. Knows nothing of windows on the
 * clock, nor of other parts.
 */
#include "postgres.h"

#include "utils/datetime.h"

#include "floor_div.h"
#include "hours_dates.h"

/* Days before the month in a year that is not a leap year */
static const int16 month_start[MONTHS_PER_YEAR] = {
	0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
};

bool
hours_month_has_day(int month, int mday)
{
	return month >= 1 && month <= MONTHS_PER_YEAR && mday >= 1 &&
		mday <= day_tab[1][month - 1];
}

static inline bool
is_leap_year(int64 year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The first of January, for any year */
static inline int64
year_start(int64 year)
{
	int64		past = year - 1;

	return past * 365 + floor_div(past, 4) - floor_div(past, 100) +
		floor_div(past, 400) + HOURS_FIRST_DATE;
}

int64
hours_date_make(int64 year, int month, int mday)
{
	return year_start(year) + month_start[month - 1] + (mday - 1) +
		(month > 2 && is_leap_year(year));
}

/*
 * Years are taken to begin in March, so that the leap day is the last one;
 * then years, centuries and cycles of 400 years follow from divisions.
 */
void
hours_date_fields(int64 date, int64 *year, int *month, int *mday)
{
	int64		days = date - HOURS_FIRST_DATE + 306;	/* since 0000-03-01 */
	int64		cycle = floor_div(days, 146097);
	uint32		in_cycle = days - cycle * 146097;
	uint32		in_year;
	uint32		y,
				m;

	y = (in_cycle - in_cycle / 1460 + in_cycle / 36524 -
		 in_cycle / 146096) / 365;
	in_year = in_cycle - (365 * y + y / 4 - y / 100);
	m = (5 * in_year + 2) / 153;
	*mday = in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = cycle * 400 + y + (*month <= 2);
}

/*
 * The anonymous Gregorian algorithm, as published in Nature 13 (1876), p. 487,
 * and in J. Meeus, Astronomical Algorithms, 2nd ed. (1998), chapter 8.
 */
int32
hours_easter(int32 year)
{
	int			a = year % 19;
	int			b = year / 100;
	int			c = year % 100;
	int			d = b / 4;
	int			e = b % 4;
	int			f = (b + 8) / 25;
	int			g = (b - f + 1) / 3;
	int			h = (19 * a + b - d - g + 15) % 30;
	int			i = c / 4;
	int			k = c % 4;
	int			l = (32 + 2 * e + 2 * i - h - k) % 7;
	int			m = (a + 11 * h + 22 * l) / 451;
	int			days = h + l - 7 * m;	/* after March 22 */

	return year_start(year) + is_leap_year(year) + month_start[2] + 21 + days;
}

/* 2000-01-01 was a Saturday. */
const HoursDay *
hours_part_weekday(const HoursPart *part, int64 date)
{
	int			dow = (date + 5) % 7;

	return &part->week[dow < 0 ? dow + 7 : dow];
}

int32
hours_part_next_special(const HoursPart *part, int64 date)
{
	int32		lo = 0,
				hi = part->nspecials;

	while (lo < hi)
	{
		int32		mid = (lo + hi) / 2;

		if (part->specials[mid].last < date)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The special with the date, or NULL */
static const HoursSpecial *
find_special(const HoursPart *part, int64 date)
{
	int32		next = hours_part_next_special(part, date);

	return next < part->nspecials && part->specials[next].first <= date ?
		&part->specials[next] : NULL;
}

static const HoursYearly *
find_yearly(const HoursPart *part, int month, int mday)
{
	int32		lo = 0,
				hi = part->nyearly;
	int			wanted = month * 32 + mday;

	while (lo < hi)
	{
		int32		mid = (lo + hi) / 2;
		const HoursYearly *yearly = &part->yearly[mid];
		int			here = yearly->month * 32 + yearly->mday;

		if (here == wanted)
			return yearly;
		if (here < wanted)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/*
 * Is a date within reach of the part's Easter rules? A quick look at most
 * dates, which are not; days of the year are off by one in leap years.
 */
static bool
near_easter(const HoursPart *part, int month, int mday)
{
	int			day = month_start[month - 1] + mday;
	int			earliest = month_start[2] + 22 - 1;
	int			latest = month_start[3] + 25 + 1;

	earliest += part->easter[0].offset;
	latest += part->easter[part->neaster - 1].offset;
	return (day >= earliest && day <= latest) || day >= earliest + 365;
}

static const HoursEaster *
find_easter(const HoursPart *part, int64 year, int month, int mday,
			int64 date)
{
	int32		lo = 0,
				hi = part->neaster;
	int64		offset;

	if (hi == 0 || year < EASTER_FIRST_YEAR - 1 || year > EASTER_LAST_YEAR ||
		!near_easter(part, month, mday))
		return NULL;

	/* only up to 150 days before it, a date belongs to the next Easter */
	offset = PG_INT64_MAX;
	if (year >= EASTER_FIRST_YEAR)
		offset = date - hours_easter(year);
	if (offset > HOURS_MAX_EASTER && year < EASTER_LAST_YEAR)
		offset = date - hours_easter(year + 1);

	while (lo < hi)
	{
		int32		mid = (lo + hi) / 2;

		if (part->easter[mid].offset == offset)
			return &part->easter[mid];
		if (part->easter[mid].offset < offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Where a yearly and an Easter rule, either of which may be NULL, meet */
static inline const HoursDay *
stronger(const HoursYearly *yearly, const HoursEaster *easter)
{
	if (easter && (!yearly || easter->rank >= yearly->rank))
		return &easter->day;
	return yearly ? &yearly->day : NULL;
}

const HoursDay *
hours_part_recurring(const HoursPart *part, int64 date)
{
	int64		year;
	int			month,
				mday;

	if (!hours_part_has_recurring(part))
		return NULL;
	hours_date_fields(date, &year, &month, &mday);
	return stronger(find_yearly(part, month, mday),
					find_easter(part, year, month, mday, date));
}

static const HoursDay *
special_day(const HoursPart *part, int64 date)
{
	const HoursSpecial *special = find_special(part, date);

	return special ? &special->day : hours_part_recurring(part, date);
}

const HoursDay *
hours_part_day(const HoursPart *part, int64 date)
{
	const HoursDay *day = special_day(part, date);

	return day ? day : hours_part_weekday(part, date);
}

bool
hours_part_is_special(const HoursPart *part, int64 date)
{
	return special_day(part, date) != NULL;
}


/* ----------
 * Enumeration
 * ----------
 */

/* Yearly dates of a part in ascending order; the present one is date. */
typedef struct YearlyStream
{
	const HoursPart *part;
	int64		year;
	int64		start;			/* of the year */
	bool		leap;
	int32		next;			/* index of the present one */
	int64		date;			/* PG_INT64_MAX at the end */
} YearlyStream;

/* The same for Easter rules: their offsets never reach the next Easter. */
typedef struct EasterStream
{
	const HoursPart *part;
	int32		year;
	int64		sunday;
	int32		next;
	int64		date;
} EasterStream;

static inline void
yearly_set_year(YearlyStream *stream, int64 year)
{
	stream->year = year;
	stream->start = year_start(year);
	stream->leap = is_leap_year(year);
	stream->next = 0;
}

/* Compute date from next, going on to the next year when need be. */
static inline void
yearly_settle(YearlyStream *stream)
{
	for (;; stream->next++)
	{
		const HoursYearly *yearly;

		if (stream->next == stream->part->nyearly)
		{
			/* February 29 alone has years without it, but not nine of them */
			yearly_set_year(stream, stream->year + 1);
		}
		yearly = &stream->part->yearly[stream->next];
		if (yearly->month == 2 && yearly->mday == 29 && !stream->leap)
			continue;
		stream->date = stream->start + month_start[yearly->month - 1] +
			(yearly->mday - 1) + (yearly->month > 2 && stream->leap);
		return;
	}
}

static void
yearly_begin(YearlyStream *stream, const HoursPart *part, int64 first)
{
	int64		year;
	int			month,
				mday;

	memset(stream, 0, sizeof(*stream));
	stream->part = part;
	stream->date = PG_INT64_MAX;
	if (part->nyearly == 0)
		return;
	hours_date_fields(first, &year, &month, &mday);
	yearly_set_year(stream, year);
	do
	{
		yearly_settle(stream);
		stream->next++;
	} while (stream->date < first);
	stream->next--;
}

static inline void
yearly_advance(YearlyStream *stream)
{
	stream->next++;
	yearly_settle(stream);
}

static inline void
easter_settle(EasterStream *stream)
{
	if (stream->next == stream->part->neaster)
	{
		if (stream->year == EASTER_LAST_YEAR)
		{
			stream->date = PG_INT64_MAX;
			return;
		}
		stream->next = 0;
		stream->sunday = hours_easter(++stream->year);
	}
	stream->date = stream->sunday + stream->part->easter[stream->next].offset;
}

static void
easter_begin(EasterStream *stream, const HoursPart *part, int64 first)
{
	int64		year;
	int			month,
				mday;

	memset(stream, 0, sizeof(*stream));
	stream->part = part;
	stream->date = PG_INT64_MAX;
	if (part->neaster == 0)
		return;
	hours_date_fields(first, &year, &month, &mday);
	if (year > EASTER_LAST_YEAR)
		return;
	stream->year = Max(year, EASTER_FIRST_YEAR);
	stream->sunday = hours_easter(stream->year);
	stream->next = 0;
	easter_settle(stream);
	while (stream->date < first)
	{
		stream->next++;
		easter_settle(stream);
	}
}

static inline void
easter_advance(EasterStream *stream)
{
	stream->next++;
	easter_settle(stream);
}

int32
hours_part_specials(const HoursPart *part, int64 first, int64 last,
					SpecialDate **out)
{
	int32		room = 64;
	int32		n = 0;
	SpecialDate *found = palloc(room * sizeof(SpecialDate));
	const HoursSpecial *special = part->specials;
	const HoursSpecial *end = special + part->nspecials;
	YearlyStream yearly;
	EasterStream easter;
	int64		date;

	yearly_begin(&yearly, part, first);
	easter_begin(&easter, part, first);
	special += hours_part_next_special(part, first);

	for (date = first;; date++)
	{
		const HoursDay *day = NULL;
		int64		next = Min(yearly.date, easter.date);

		if (special < end)
			next = Min(next, Max(special->first, date));
		if (next > last)
			break;
		date = next;

		if (special < end && special->first <= date)
		{
			day = &special->day;
			if (special->last == date)
				special++;
		}
		if (yearly.date == date || easter.date == date)
		{
			bool		is_yearly = yearly.date == date;
			bool		is_easter = easter.date == date;

			if (day == NULL)
				day = stronger(is_yearly ? &part->yearly[yearly.next] : NULL,
							   is_easter ? &part->easter[easter.next] : NULL);
			if (is_yearly)
				yearly_advance(&yearly);
			if (is_easter)
				easter_advance(&easter);
		}

		if (n == room)
		{
			room *= 2;
			found = repalloc_huge(found, room * sizeof(SpecialDate));
		}
		found[n].date = date;
		found[n++].day = day;
	}
	*out = found;
	return n;
}
