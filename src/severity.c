/*
 * severity.c
 *		Type sla.severity: text, binary form, order and hash.
 *
 * Knows the spellings that mean the same everywhere ("P1", "Sev 1"). What an
 * organisation calls its severities, and which words of a ticket table stand
 * for them, is told by policies and attachments, which are unknown here.
 */
#include "slapolicy.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

#include "char_class.h"
#include "severity.h"

/* Bytes of a rejected text that an error message quotes */
#define QUOTE_LIMIT 64

PG_FUNCTION_INFO_V1(slapolicy_severity_in);
PG_FUNCTION_INFO_V1(slapolicy_severity_out);
PG_FUNCTION_INFO_V1(slapolicy_severity_recv);
PG_FUNCTION_INFO_V1(slapolicy_severity_send);
PG_FUNCTION_INFO_V1(slapolicy_severity_lt);
PG_FUNCTION_INFO_V1(slapolicy_severity_le);
PG_FUNCTION_INFO_V1(slapolicy_severity_eq);
PG_FUNCTION_INFO_V1(slapolicy_severity_ge);
PG_FUNCTION_INFO_V1(slapolicy_severity_gt);
PG_FUNCTION_INFO_V1(slapolicy_severity_ne);
PG_FUNCTION_INFO_V1(slapolicy_severity_cmp);
PG_FUNCTION_INFO_V1(slapolicy_severity_hash);
PG_FUNCTION_INFO_V1(slapolicy_severity_hash_extended);

static const char *const prefixes[] = {
	"s", "p", "sev", "prio", "severity", "priority"
};

static bool
is_prefix(const char *word, size_t len)
{
	for (int i = 0; i < (int) lengthof(prefixes); i++)
	{
		size_t		n = 0;

		if (strlen(prefixes[i]) != len)
			continue;
		while (n < len && pg_ascii_tolower(word[n]) == prefixes[i][n])
			n++;
		if (n == len)
			return true;
	}
	return false;
}

bool
severity_parse(const char *text, Severity *out)
{
	const char *cur = text;
	const char *word;
	Severity	severity;

	while (is_blank(*cur))
		cur++;

	word = cur;
	while (is_letter(*cur))
		cur++;
	if (cur > word)
	{
		if (!is_prefix(word, cur - word))
			return false;
		/* a bare "-1" must stay an error, hence only behind a word */
		if (*cur == '-')
			cur++;
		else
			while (is_blank(*cur))
				cur++;
	}

	if (*cur < '0' + SEVERITY_MIN || *cur > '0' + SEVERITY_MAX)
		return false;
	severity = *cur++ - '0';

	while (is_blank(*cur))
		cur++;
	if (*cur != '\0')
		return false;

	*out = severity;
	return true;
}

const char *
severity_text(Severity severity)
{
	static const char *const names[] = {
		"S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9"
	};

	if (severity < SEVERITY_MIN || severity > SEVERITY_MAX)
		elog(ERROR, "invalid severity: %d", severity);
	return names[severity - SEVERITY_MIN];
}

/* severity_in(cstring): 22P02, soft where the server knows soft errors */
Datum
slapolicy_severity_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Severity	severity;

	if (!severity_parse(text, &severity))
	{
		int			len = (int) strlen(text);
		int			shown = pg_mbcliplen(text, len, QUOTE_LIMIT);

		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.*s%s\"",
						"sla.severity", shown, text,
						shown < len ? "..." : ""),
				 errhint("Write S1 (most severe) to S9; P1, SEV1, \"Sev 1\", \"Priority 1\" and 1 mean S1 too.")));
	}

	PG_RETURN_SEVERITY(severity);
}

Datum
slapolicy_severity_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup(severity_text(PG_GETARG_SEVERITY(0))));
}

/* severity_recv(internal): one byte, the number; 22P03 for any other */
Datum
slapolicy_severity_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			number = pq_getmsgbyte(buf);

	if (number < SEVERITY_MIN || number > SEVERITY_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid number %d in external \"%s\" value",
						number, "sla.severity")));

	PG_RETURN_SEVERITY((Severity) number);
}

Datum
slapolicy_severity_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, (uint8) PG_GETARG_SEVERITY(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
slapolicy_severity_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_SEVERITY(0) < PG_GETARG_SEVERITY(1));
}

Datum
slapolicy_severity_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_SEVERITY(0) <= PG_GETARG_SEVERITY(1));
}

Datum
slapolicy_severity_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_SEVERITY(0) == PG_GETARG_SEVERITY(1));
}

Datum
slapolicy_severity_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_SEVERITY(0) >= PG_GETARG_SEVERITY(1));
}

Datum
slapolicy_severity_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_SEVERITY(0) > PG_GETARG_SEVERITY(1));
}

Datum
slapolicy_severity_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_SEVERITY(0) != PG_GETARG_SEVERITY(1));
}

Datum
slapolicy_severity_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32((int32) PG_GETARG_SEVERITY(0) - PG_GETARG_SEVERITY(1));
}

Datum
slapolicy_severity_hash(PG_FUNCTION_ARGS)
{
	return hash_uint32((uint32) PG_GETARG_SEVERITY(0));
}

Datum
slapolicy_severity_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_uint32_extended((uint32) PG_GETARG_SEVERITY(0),
								(uint64) PG_GETARG_INT64(1));
}
