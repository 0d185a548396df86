/*
 * business_hours_store.c
 *		The stored form of sla.business_hours.
 *
 * The body of a stored value, directly behind the header declared in
 * business_hours.h, is the parts one after the other, and then, if there are
 * several, the program that joins them. It is native endian, without padding
 * but at the ends of these pieces, which are multiples of four bytes long. A
 * part, offsets from its start:
 *
 *	0		uint32	size of the part in bytes
 *	4		uint16	S, number of marks of special dates
 *	6		uint16	D, number of different days
 *	8		uint16	N, number of spans over those days
 *	10		uint16	Y, number of yearly dates
 *	12		uint16	E, number of Easter rules
 *	14		uint8	Z, length of the zone's name
 *	15		uint8	[7] day of Monday to Sunday
 *	22		uint16	0
 *	24		int32	[N][2] spans, open and close, in the order of the days
 *	24+8N	int32	[S] marks: days since 2000-01-01, ascending
 *	...		uint16	[D] days: number of spans up to and including this day's
 *	...		uint16	[S] day of each mark, plus 0x8000 if the dates from this
 *					mark to the next one are one range
 *	...		uint16	[Y][3] yearly dates: month * 32 + day of month, rank, day
 *	...		uint16	[E][3] Easter rules: days after the earliest one that can
 *					be said, rank, day
 *	...		char	[Z] name of the zone, without NUL
 *	...				zeros up to the size
 *
 * Days are numbered as Monday to Sunday, the yearly dates, the Easter rules
 * and then the special dates first mention them, so one calendar has exactly
 * one body. There are no OIDs in it.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"

#include "business_hours.h"
#include "hours_canon.h"
#include "hours_dates.h"

#define HOURS_VERSION	1

/* In the day of a mark: the range goes on to the next mark */
#define RANGE_FLAG		0x8000

typedef struct StoredPart
{
	uint32		size;
	uint16		nmarks;
	uint16		ndays;
	uint16		nspans;
	uint16		nyearly;
	uint16		neaster;
	uint8		zonelen;
	uint8		week[7];
	uint16		zero;
} StoredPart;

typedef struct StoredRecurring
{
	uint16		when;
	uint16		rank;
	uint16		day;
} StoredRecurring;

/* Where the arrays behind a part's fixed fields lie, from the part's start */
typedef struct PartLayout
{
	Size		spans;
	Size		marks;
	Size		span_ends;
	Size		mark_days;
	Size		yearly;
	Size		easter;
	Size		zone;
	Size		size;
} PartLayout;

StaticAssertDecl(sizeof(StoredPart) == 24 && sizeof(StoredRecurring) == 6,
				 "stored structs must have no padding");
StaticAssertDecl(HOURS_MAX_SPANS <= PG_UINT16_MAX &&
				 2 * HOURS_MAX_SPECIALS <= PG_UINT16_MAX &&
				 HOURS_MAX_SPECIALS + 7 < RANGE_FLAG,
				 "spans, marks and days are counted in 16 bits");
StaticAssertDecl(HOURS_MAX_ZONE <= PG_UINT8_MAX &&
				 HOURS_MAX_PARTS <= PG_INT8_MAX,
				 "names and parts are counted in 8 bits");

/* ----------
 * Packing
 * ----------
 */

/* A day of a part while its number is being found */
typedef struct DayRef
{
	const HoursDay *day;
	int32		mention;		/* 0-6: weekday, from 7: dates */
	int32		first;			/* earliest mention of an equal day */
} DayRef;

static PartLayout
part_layout(const StoredPart *part)
{
	PartLayout	layout;

	layout.spans = sizeof(StoredPart);
	layout.marks = layout.spans + part->nspans * sizeof(HoursSpan);
	layout.span_ends = layout.marks + part->nmarks * sizeof(int32);
	layout.mark_days = layout.span_ends + part->ndays * sizeof(uint16);
	layout.yearly = layout.mark_days + part->nmarks * sizeof(uint16);
	layout.easter = layout.yearly + part->nyearly * sizeof(StoredRecurring);
	layout.zone = layout.easter + part->neaster * sizeof(StoredRecurring);
	layout.size = TYPEALIGN(sizeof(int32), layout.zone + part->zonelen);
	return layout;
}

static int
day_content_cmp(const HoursDay *a, const HoursDay *b)
{
	if (a->nspans != b->nspans)
		return a->nspans < b->nspans ? -1 : 1;
	if (a->nspans == 0)
		return 0;
	return memcmp(a->spans, b->spans, a->nspans * sizeof(HoursSpan));
}

static int
day_ref_cmp(const void *a, const void *b)
{
	const DayRef *x = a;
	const DayRef *y = b;
	int			cmp = day_content_cmp(x->day, y->day);

	if (cmp != 0)
		return cmp;
	return x->mention < y->mention ? -1 : 1;
}

static int
day_ref_mention_cmp(const void *a, const void *b)
{
	const DayRef *x = a;
	const DayRef *y = b;

	return x->mention < y->mention ? -1 : 1;
}

/* Every day the part mentions, in that order, equal ones linked. palloc'd. */
static DayRef *
link_days(const HoursPart *part, int32 *nrefs)
{
	DayRef	   *refs;
	int32		n = 0;

	*nrefs = 7 + part->nyearly + part->neaster + part->nspecials;
	refs = palloc(*nrefs * sizeof(DayRef));
	for (int d = 0; d < 7; d++)
		refs[n++].day = &part->week[d];
	for (int32 i = 0; i < part->nyearly; i++)
		refs[n++].day = &part->yearly[i].day;
	for (int32 i = 0; i < part->neaster; i++)
		refs[n++].day = &part->easter[i].day;
	for (int32 i = 0; i < part->nspecials; i++)
		refs[n++].day = &part->specials[i].day;
	for (int32 i = 0; i < n; i++)
		refs[i].mention = i;

	qsort(refs, n, sizeof(DayRef), day_ref_cmp);
	for (int32 i = 0; i < n; i++)
		refs[i].first =
			i > 0 && day_content_cmp(refs[i].day, refs[i - 1].day) == 0 ?
			refs[i - 1].first : refs[i].mention;
	qsort(refs, n, sizeof(DayRef), day_ref_mention_cmp);
	return refs;
}

/* Write the dates of a part, whose days have the numbers given in order. */
static void
pack_dates(char *start, const PartLayout *layout, const HoursPart *part,
		   const uint16 *number)
{
	StoredRecurring *stored = (StoredRecurring *) (start + layout->yearly);
	int32	   *marks = (int32 *) (start + layout->marks);
	uint16	   *mark_days = (uint16 *) (start + layout->mark_days);

	for (int32 i = 0; i < part->nyearly; i++, stored++)
	{
		stored->when = HOURS_MONTH_DAY(part->yearly[i].month,
									   part->yearly[i].mday);
		stored->rank = part->yearly[i].rank;
		stored->day = *number++;
	}
	for (int32 i = 0; i < part->neaster; i++, stored++)
	{
		stored->when = part->easter[i].offset + HOURS_MAX_EASTER;
		stored->rank = part->easter[i].rank;
		stored->day = *number++;
	}
	for (int32 i = 0; i < part->nspecials; i++, number++)
	{
		const HoursSpecial *special = &part->specials[i];

		*marks++ = special->first;
		*mark_days++ = *number;
		if (special->last == special->first)
			continue;
		mark_days[-1] |= RANGE_FLAG;
		*marks++ = special->last;
		*mark_days++ = *number;
	}
}

/* Append one part to a body that is aligned to four bytes. */
static void
pack_part(StringInfo body, const HoursPart *part)
{
	int32		nrefs;
	DayRef	   *refs = link_days(part, &nrefs);
	uint16	   *numbers = palloc(nrefs * sizeof(uint16));
	StoredPart	head;
	PartLayout	layout;
	char	   *start;
	uint16		nspans = 0;

	memset(&head, 0, sizeof(head));
	head.nyearly = part->nyearly;
	head.neaster = part->neaster;
	head.nmarks = part->nspecials;
	for (int32 i = 0; i < part->nspecials; i++)
		head.nmarks += part->specials[i].last > part->specials[i].first;
	head.zonelen = strlen(part->zone);
	for (int32 i = 0; i < nrefs; i++)
	{
		if (refs[i].first == i)
		{
			numbers[i] = head.ndays++;
			head.nspans += refs[i].day->nspans;
		}
		else
			numbers[i] = numbers[refs[i].first];
	}
	for (int d = 0; d < 7; d++)
		head.week[d] = numbers[d];
	layout = part_layout(&head);
	head.size = layout.size;

	enlargeStringInfo(body, layout.size);
	start = body->data + body->len;
	body->len += layout.size;
	memset(start, 0, layout.size);
	memcpy(start, &head, sizeof(head));
	for (int32 i = 0; i < nrefs; i++)
	{
		const HoursDay *day = refs[i].day;

		if (refs[i].first != i)
			continue;
		if (day->nspans > 0)
			memcpy(start + layout.spans + nspans * sizeof(HoursSpan),
				   day->spans, day->nspans * sizeof(HoursSpan));
		nspans += day->nspans;
		((uint16 *) (start + layout.span_ends))[numbers[i]] = nspans;
	}
	pack_dates(start, &layout, part, numbers + 7);
	memcpy(start + layout.zone, part->zone, head.zonelen);

	pfree(numbers);
	pfree(refs);
}

/* The size of the program in the body */
static Size
program_size(int32 nparts)
{
	return nparts > 1 ? TYPEALIGN(sizeof(int32), 2 * nparts - 1) : 0;
}

/* The first 16 bytes of SHA-256 over the body; raises XX000 if that fails. */
static void
digest_body(BusinessHours *value, Size len)
{
	uint8		sha[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	if (pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) value->body, len) < 0 ||
		pg_cryptohash_final(ctx, sha, sizeof(sha)) < 0)
		elog(ERROR, "could not compute %s hash: %s", "SHA256",
			 pg_cryptohash_error(ctx));
	pg_cryptohash_free(ctx);
	memcpy(value->digest, sha, sizeof(value->digest));
}

Datum
business_hours_build(const HoursRules *rules)
{
	StringInfoData body;
	BusinessHours *value;
	Size		size;

	Assert(hours_program_is_valid(rules));
	(void) hours_rules_check_limits(rules, NULL);

	initStringInfo(&body);
	for (int32 i = 0; i < rules->nparts; i++)
		pack_part(&body, &rules->parts[i]);
	if (rules->nparts > 1)
	{
		appendBinaryStringInfo(&body, (const char *) rules->program,
							   hours_program_length(rules));
		while (body.len % sizeof(int32) != 0)
			appendStringInfoChar(&body, 0);
	}

	size = offsetof(BusinessHours, body) + body.len;
	value = palloc0(size);
	SET_VARSIZE(value, size);
	value->version = HOURS_VERSION;
	value->nparts = rules->nparts;
	memcpy(value->body, body.data, body.len);
	digest_body(value, body.len);
	pfree(body.data);
	return PointerGetDatum(value);
}


/* ----------
 * Unpacking
 * ----------
 */

static void
corrupted(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored business hours are damaged"),
			 errdetail("%s", what)));
}

/* Everything needed to read the dates of a part */
typedef struct StoredDates
{
	const StoredPart *head;
	const int32 *marks;
	const uint16 *mark_days;
	const StoredRecurring *yearly;
	const StoredRecurring *easter;
	const HoursDay *days;
} StoredDates;

static HoursDay
stored_day(const StoredDates *dates, uint16 number)
{
	if (number >= dates->head->ndays)
		corrupted("A date refers to a day that is not there.");
	return dates->days[number];
}

static void
unpack_recurring(const StoredDates *dates, HoursPart *part)
{
	part->nyearly = dates->head->nyearly;
	part->yearly = palloc(part->nyearly * sizeof(HoursYearly));
	for (int32 i = 0; i < part->nyearly; i++)
	{
		const StoredRecurring *stored = &dates->yearly[i];
		HoursYearly *yearly = &part->yearly[i];

		yearly->month = stored->when / 32;
		yearly->mday = stored->when % 32;
		yearly->rank = stored->rank;
		yearly->day = stored_day(dates, stored->day);
		if (!hours_month_has_day(stored->when / 32, yearly->mday) ||
			(i > 0 && stored->when <= stored[-1].when))
			corrupted("The days of the year are not sorted or do not exist.");
	}

	part->neaster = dates->head->neaster;
	part->easter = palloc(part->neaster * sizeof(HoursEaster));
	for (int32 i = 0; i < part->neaster; i++)
	{
		const StoredRecurring *stored = &dates->easter[i];
		HoursEaster *easter = &part->easter[i];

		easter->offset = stored->when - HOURS_MAX_EASTER;
		easter->rank = stored->rank;
		easter->day = stored_day(dates, stored->day);
		if (stored->when > 2 * HOURS_MAX_EASTER ||
			(i > 0 && stored->when <= stored[-1].when))
			corrupted("The Easter rules are not sorted or out of range.");
	}
}

static void
unpack_specials(const StoredDates *dates, HoursPart *part)
{
	int32		nmarks = dates->head->nmarks;

	part->specials = palloc(nmarks * sizeof(HoursSpecial));
	for (int32 i = 0; i < nmarks; i++)
	{
		HoursSpecial *special = &part->specials[part->nspecials++];
		uint16		number = dates->mark_days[i];

		special->first = dates->marks[i];
		if (number & RANGE_FLAG)
			i++;
		if (i == nmarks)
			corrupted("A range of dates has no end.");
		special->last = dates->marks[i];
		special->day = stored_day(dates, number & ~RANGE_FLAG);
		if (special->last < special->first ||
			(special > part->specials && special->first <= special[-1].last))
			corrupted("The special dates are not sorted.");
	}
}

/*
 * Unpack the part at start, of which avail bytes exist. Days that are equal
 * share their spans. Returns the size of the part.
 */
static Size
unpack_part(const char *start, Size avail, HoursPart *part)
{
	StoredPart	head;
	PartLayout	layout;
	HoursSpan  *spans;
	HoursDay   *days;
	const uint16 *span_ends;
	StoredDates dates;

	if (avail < sizeof(head))
		corrupted("A part is cut off.");
	memcpy(&head, start, sizeof(head));
	layout = part_layout(&head);
	if (layout.size != head.size || head.size > avail)
		corrupted("The size of a part does not match its content.");
	span_ends = (const uint16 *) (start + layout.span_ends);

	spans = palloc(head.nspans * sizeof(HoursSpan));
	memcpy(spans, start + layout.spans, head.nspans * sizeof(HoursSpan));
	days = palloc(head.ndays * sizeof(HoursDay));
	for (int i = 0, begin = 0; i < head.ndays; begin = span_ends[i++])
	{
		if (span_ends[i] < begin || span_ends[i] > head.nspans)
			corrupted("The spans of a day lie outside its part.");
		days[i].nspans = span_ends[i] - begin;
		days[i].spans = spans + begin;
	}

	memset(part, 0, sizeof(*part));
	part->zone = pnstrdup(start + layout.zone, head.zonelen);
	for (int d = 0; d < 7; d++)
	{
		if (head.week[d] >= head.ndays)
			corrupted("A weekday refers to a day that is not there.");
		part->week[d] = days[head.week[d]];
	}
	dates.head = &head;
	dates.marks = (const int32 *) (start + layout.marks);
	dates.mark_days = (const uint16 *) (start + layout.mark_days);
	dates.yearly = (const StoredRecurring *) (start + layout.yearly);
	dates.easter = (const StoredRecurring *) (start + layout.easter);
	dates.days = days;
	unpack_recurring(&dates, part);
	unpack_specials(&dates, part);
	pfree(days);
	return head.size;
}

HoursRules *
business_hours_rules(Datum value)
{
	BusinessHours *stored = (BusinessHours *) PG_DETOAST_DATUM(value);
	HoursRules *rules;
	const char *next;
	const char *end = (const char *) stored + VARSIZE(stored);

	if (VARSIZE(stored) < offsetof(BusinessHours, body))
		corrupted("The header is cut off.");
	if (stored->version != HOURS_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored business hours have format version %d, which is not supported",
						stored->version),
				 errhint("They may have been written by a newer version of slapolicy.")));
	if (stored->nparts < 1 || stored->nparts > HOURS_MAX_PARTS)
		corrupted("The number of parts is out of range.");

	rules = hours_rules_make(stored->nparts);
	next = stored->body;
	for (int32 i = 0; i < rules->nparts; i++)
		next += unpack_part(next, end - next, &rules->parts[i]);
	if (end - next != (ptrdiff_t) program_size(rules->nparts))
		corrupted("The size does not match the content.");
	if (rules->nparts > 1)
		memcpy(rules->program, next, hours_program_length(rules));
	if (!hours_program_is_valid(rules))
		corrupted("The parts are not joined to one.");

	if (PointerGetDatum(stored) != value)
		pfree(stored);
	return rules;
}

HoursDigest
business_hours_digest_extended(Datum value)
{
	struct varlena *head;
	HoursDigest digest;

	head = PG_DETOAST_DATUM_SLICE(value, 0,
								  offsetof(BusinessHours, body) - VARHDRSZ);
	digest = business_hours_digest(PointerGetDatum(head));
	pfree(head);
	return digest;
}
