/*
 * business_hours.c
 *		The type sla.business_hours: input, output, equality and hashing.
 *
 * Knows what a calendar says, not what it means on the clock: nothing here
 * turns hours into instants.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"

#include "business_hours.h"
#include "zone.h"

#define HOURS_WIRE_VERSION	1

PG_FUNCTION_INFO_V1(slapolicy_business_hours_in);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_out);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_recv);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_send);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_eq);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_ne);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_hash);
PG_FUNCTION_INFO_V1(slapolicy_business_hours_hash_extended);

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
