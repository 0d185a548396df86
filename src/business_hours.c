/*
 * business_hours.c
 *		The type sla.business_hours: its stored form and its basic functions.
 *
 * Knows what a calendar says, not what it means on the clock: nothing here
 * turns hours into instants.
 *
 * The body of a stored value, directly behind the header declared in
 * business_hours.h, is the parts one after the other. A part, native endian,
 * no padding but at its end, offsets from its start, a multiple of four:
 *
 *	0		uint32	size of the part in bytes, a multiple of four
 *	4		uint32	S, number of special dates
 *	8		uint16	D, number of different days
 *	10		uint16	N, number of spans over those days
 *	12		uint16	Z, length of the zone's name
 *	14		uint16	[7] day of Monday to Sunday
 *	28		int32	[N][2] spans, open and close, in the order of the days
 *	28+8N	int32	[S] special dates, days since 2000-01-01, ascending
 *	...		uint16	[D] days: number of spans up to and including this day's
 *	...		uint16	[S] day of each special date
 *	...		char	[Z] name of the zone, without NUL
 *	...				zeros up to the size
 *
 * Days are numbered as Monday to Sunday, then the special dates, first mention
 * them, so one calendar has exactly one body. There are no OIDs in it.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "libpq/pqformat.h"

#include "business_hours.h"
#include "zone.h"

#define HOURS_VERSION		1
#define HOURS_WIRE_VERSION	1

typedef struct StoredPart
{
	uint32		size;
	uint32		nspecials;
	uint16		ndays;
	uint16		nspans;
	uint16		zonelen;
	uint16		week[7];
} StoredPart;

/* Where the arrays behind a part's fixed fields lie, from the part's start */
typedef struct PartLayout
{
	Size		spans;
	Size		dates;
	Size		span_ends;
	Size		special_days;
	Size		zone;
	Size		size;
} PartLayout;

StaticAssertDecl(sizeof(StoredPart) == 28, "StoredPart must have no padding");
StaticAssertDecl(HOURS_MAX_SPANS <= PG_UINT16_MAX &&
				 HOURS_MAX_SPECIALS + 7 <= PG_UINT16_MAX,
				 "spans and days are counted in 16 bits");

PG_FUNCTION_INFO_V1(slapolicy_business_hours_in);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_out);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_recv);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_send);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_eq);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_ne);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_hash);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_hash_extended);


/* ----------
 * Packing
 * ----------
 */

/* A day of a part while its number is being found */
typedef struct DayRef
{
	const HoursDay *day;
	int32		mention;		/* 0-6: weekday, from 7: special date */
	int32		first;			/* earliest mention of an equal day */
} DayRef;

static PartLayout
part_layout(const StoredPart *part)
{
	PartLayout	layout;

	layout.spans = sizeof(StoredPart);
	layout.dates = layout.spans + part->nspans * sizeof(HoursSpan);
	layout.span_ends = layout.dates + part->nspecials * sizeof(int32);
	layout.special_days = layout.span_ends + part->ndays * sizeof(uint16);
	layout.zone = layout.special_days + part->nspecials * sizeof(uint16);
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
link_days(const HoursPart *part)
{
	int32		nrefs = 7 + part->nspecials;
	DayRef	   *refs = palloc(nrefs * sizeof(DayRef));

	for (int32 i = 0; i < nrefs; i++)
	{
		refs[i].day = i < 7 ? &part->week[i] : &part->specials[i - 7].day;
		refs[i].mention = i;
	}
	qsort(refs, nrefs, sizeof(DayRef), day_ref_cmp);
	for (int32 i = 0; i < nrefs; i++)
		refs[i].first =
			i > 0 && day_content_cmp(refs[i].day, refs[i - 1].day) == 0 ?
			refs[i - 1].first : refs[i].mention;
	qsort(refs, nrefs, sizeof(DayRef), day_ref_mention_cmp);
	return refs;
}

/* Append one part to a body that is aligned to four bytes. */
static void
pack_part(StringInfo body, const HoursPart *part)
{
	DayRef	   *refs = link_days(part);
	int32		nrefs = 7 + part->nspecials;
	uint16	   *numbers = palloc(nrefs * sizeof(uint16));
	StoredPart	head;
	PartLayout	layout;
	char	   *start;
	uint16		nspans = 0;

	memset(&head, 0, sizeof(head));
	head.nspecials = part->nspecials;
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
	memcpy(head.week, numbers, sizeof(head.week));
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
	for (int32 i = 0; i < part->nspecials; i++)
		((int32 *) (start + layout.dates))[i] = part->specials[i].first;
	memcpy(start + layout.special_days, numbers + 7,
		   part->nspecials * sizeof(uint16));
	memcpy(start + layout.zone, part->zone, head.zonelen);

	pfree(numbers);
	pfree(refs);
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

	(void) hours_rules_check_limits(rules, NULL);

	initStringInfo(&body);
	for (int32 i = 0; i < rules->nparts; i++)
		pack_part(&body, &rules->parts[i]);

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
	const uint16 *special_days;

	if (avail < sizeof(head))
		corrupted("A part is cut off.");
	memcpy(&head, start, sizeof(head));
	layout = part_layout(&head);
	if (layout.size != head.size || head.size > avail ||
		head.nspecials > HOURS_MAX_SPECIALS)
		corrupted("The size of a part does not match its content.");
	span_ends = (const uint16 *) (start + layout.span_ends);
	special_days = (const uint16 *) (start + layout.special_days);

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
	part->nspecials = head.nspecials;
	part->specials = palloc(head.nspecials * sizeof(HoursSpecial));
	for (uint32 i = 0; i < head.nspecials; i++)
	{
		if (special_days[i] >= head.ndays)
			corrupted("A special date refers to a day that is not there.");
		part->specials[i].first = part->specials[i].last = ((const int32 *) (start + layout.dates))[i];
		part->specials[i].day = days[special_days[i]];
	}
	pfree(days);
	return head.size;
}

HoursRules *
business_hours_rules(Datum value)
{
	BusinessHours *stored = (BusinessHours *) PG_DETOAST_DATUM(value);
	HoursRules *rules = palloc0(sizeof(HoursRules));
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
	if (stored->nparts != 1)
		corrupted("The number of parts is not one.");

	rules->nparts = stored->nparts;
	rules->parts = palloc(rules->nparts * sizeof(HoursPart));
	rules->program = palloc0(1);
	next = stored->body;
	for (int32 i = 0; i < rules->nparts; i++)
		next += unpack_part(next, end - next, &rules->parts[i]);
	if (next != end)
		corrupted("There are bytes behind the last part.");

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


/* ----------
 * Functions of the type
 * ----------
 */

/*
 * The value a text stands for. Returns a null pointer after a soft error;
 * besides those of hours_text_parse, 22023 for an unknown zone.
 */
static Datum
hours_from_text(const char *text, Node *escontext)
{
	HoursRules *rules = hours_text_parse(text, escontext);

	if (rules == NULL)
		return PointerGetDatum(NULL);
	for (int32 i = 0; i < rules->nparts; i++)
	{
		HoursPart  *part = &rules->parts[i];
		const ZoneTable *zone = zone_find(part->zone);

		if (zone == NULL)
			ereturn(escontext, PointerGetDatum(NULL),
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" at byte %d not recognized",
							part->zone, part->zone_position),
					 errhint("The view pg_timezone_names lists the time zones known here.")));
		part->zone = pstrdup(zone_name(zone));
	}
	return business_hours_build(rules);
}

Datum
slapolicy_business_hours_in(PG_FUNCTION_ARGS)
{
	Datum		value = hours_from_text(PG_GETARG_CSTRING(0),
										fcinfo->context);

	if (DatumGetPointer(value) == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

Datum
slapolicy_business_hours_out(PG_FUNCTION_ARGS)
{
	HoursRules *rules = business_hours_rules(PG_GETARG_DATUM(0));

	PG_RETURN_CSTRING(hours_text_print(rules));
}

/*
 * On the wire: a version byte, then the canonical text. Parsing it anew means
 * that a client can send nothing that a literal could not say.
 */
Datum
slapolicy_business_hours_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			nbytes;
	char	   *text;

	if (version != HOURS_WIRE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version number %d for external representation of type %s",
						version, "sla.business_hours")));
	text = pq_getmsgtext(buf, buf->len - buf->cursor, &nbytes);
	PG_RETURN_DATUM(hours_from_text(text, NULL));
}

Datum
slapolicy_business_hours_send(PG_FUNCTION_ARGS)
{
	char	   *text = hours_text_print(business_hours_rules(PG_GETARG_DATUM(0)));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, HOURS_WIRE_VERSION);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * Equal calendars have equal bytes. Size and digest settle nearly every
 * unequal pair without fetching what is stored out of line.
 */
static bool
hours_equal(Datum a, Datum b)
{
	HoursDigest x,
				y;
	struct varlena *p,
			   *q;
	bool		equal;

	if (toast_raw_datum_size(a) != toast_raw_datum_size(b))
		return false;
	x = business_hours_digest(a);
	y = business_hours_digest(b);
	if (x.lo != y.lo || x.hi != y.hi)
		return false;

	p = PG_DETOAST_DATUM_PACKED(a);
	q = PG_DETOAST_DATUM_PACKED(b);
	equal = memcmp(VARDATA_ANY(p), VARDATA_ANY(q),
				   VARSIZE_ANY_EXHDR(p)) == 0;
	if (PointerGetDatum(p) != a)
		pfree(p);
	if (PointerGetDatum(q) != b)
		pfree(q);
	return equal;
}

Datum
slapolicy_business_hours_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(hours_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

Datum
slapolicy_business_hours_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!hours_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

Datum
slapolicy_business_hours_hash(PG_FUNCTION_ARGS)
{
	HoursDigest digest = business_hours_digest(PG_GETARG_DATUM(0));

	return hash_any((const unsigned char *) &digest, sizeof(digest));
}

Datum
slapolicy_business_hours_hash_extended(PG_FUNCTION_ARGS)
{
	HoursDigest digest = business_hours_digest(PG_GETARG_DATUM(0));

	return hash_any_extended((const unsigned char *) &digest, sizeof(digest),
							 PG_GETARG_INT64(1));
}
