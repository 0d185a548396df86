/*
 * attachment_row.c
 *		Reads rows of ticket tables as their attachment says, and writes due
 *		times in the form of their columns.
 *
 * Knows nothing of the ledger, policies and triggers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/md5.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "attachment.h"
#include "attachment_columns.h"

/* Bytes of a ticket's key that are kept as they are */
#define LONGEST_KEY		1000

int
attachment_pin_settings(void)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			pinned[] = {
		{"bytea_output", "hex"},
		{"datestyle", "ISO, YMD"},
		{"extra_float_digits", "1"},
		{"intervalstyle", "postgres"},
		{"lc_monetary", "C"},
		{"search_path", "pg_catalog"},
		{"timezone", "UTC"},
		{"xmlbinary", "base64"},
	};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(pinned); i++)
		(void) set_config_option(pinned[i].name, pinned[i].value,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	return level;
}

/*
 * A key that fits into an index: of a long one its beginning, and a digest of
 * all of it.
 */
static char *
fitting_key(char *key)
{
	char		digest[33];
	const char *error;
	size_t		len = strlen(key);

	if (len <= LONGEST_KEY)
		return key;
	if (!pg_md5_hash(key, len, digest, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute %s hash: %s", "MD5", error)));
	return psprintf("%.*s... (md5 %s)",
					pg_mbcliplen(key, len, LONGEST_KEY / 2), key, digest);
}

char *
attachment_key(const Attachment *attachment, TupleTableSlot *slot)
{
	Datum	   *parts = palloc(attachment->nkeys * sizeof(Datum));
	char	   *result = NULL;
	int			count = attachment->nkeys;
	int			lower = 1;
	FmgrInfo	array_output;
	int			level = attachment->has_settings ? attachment_pin_settings() : 0;

	for (int i = 0; i < attachment->nkeys; i++)
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, attachment->keys[i], &isnull);
		char	   *string = isnull ? pstrdup("") :
			OutputFunctionCall(&attachment->key_out[i], value);

		if (attachment->nkeys == 1)
			result = string;
		else
			parts[i] = CStringGetTextDatum(string);
	}
	if (level > 0)
		AtEOXact_GUC(true, level);
	if (attachment->nkeys == 1)
		return fitting_key(result);
	fmgr_info(F_ARRAY_OUT, &array_output);
	result = OutputFunctionCall(&array_output,
								PointerGetDatum(construct_md_array(parts, NULL, 1,
																   &count, &lower, TEXTOID,
																   -1, false, TYPALIGN_INT)));
	return fitting_key(result);
}

/*
 * The instant of a timestamp without time zone, as AT TIME ZONE has it; not
 * known when no instant reads so.
 */
static MaybeTime
instant_of_local(Timestamp local, pg_tz *zone)
{
	MaybeTime	result = {false, 0};
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (TIMESTAMP_NOT_FINITE(local) ||
		timestamp2tm(local, NULL, &tm, &fsec, NULL, zone) != 0)
		return result;
	tz = DetermineTimeZoneOffset(&tm, zone);
	result.known = tm2timestamp(&tm, fsec, &tz, &result.at) == 0;
	return result;
}

MaybeTime
attachment_time(const Attachment *attachment, const TimeColumn *column,
				TupleTableSlot *slot)
{
	MaybeTime	result = {false, 0};
	bool		isnull;
	Datum		value;

	if (column->attnum == 0)
		return result;
	value = slot_getattr(slot, column->attnum, &isnull);
	if (isnull)
		return result;
	if (column->local)
		result = instant_of_local(DatumGetTimestamp(value), attachment->zone);
	else
	{
		result.at = DatumGetTimestampTz(value);
		result.known = !TIMESTAMP_NOT_FINITE(result.at);
	}
	if (attachment->has_not_set && result.at == attachment->not_set)
		result.known = false;
	return result;
}

char *
attachment_text(TextColumn *column, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value;
	char	   *string;

	if (column->attnum == 0)
		return NULL;
	value = slot_getattr(slot, column->attnum, &isnull);
	if (isnull)
		return NULL;
	string = OutputFunctionCall(&column->out, value);
	if (column->padded)
		string[bpchartruelen(string, strlen(string))] = '\0';
	return string;
}

static Severity
read_severity(const Attachment *attachment, const char *text, char **problem)
{
	const char *column = attachment->text[TEXT_SEVERITY].name;
	Severity	severity = 0;

	if (text == NULL && attachment->severity_default != 0)
		return attachment->severity_default;
	if (text == NULL)
	{
		*problem = column == NULL ? pstrdup("its severity is not recorded") :
			psprintf("%s is null", column);
		return 0;
	}
	if (attachment->has_map)
	{
		for (int i = 0; i < attachment->nmap; i++)
			if (strcmp(attachment->map[i].text, text) == 0)
				severity = attachment->map[i].severity;
	}
	else if (!severity_parse(text, &severity))
		severity = 0;
	if (severity == 0)
		*problem = psprintf("%s \"%.*s\" maps to no severity", column,
							pg_mbcliplen(text, strlen(text), 64), text);
	return severity;
}

static bool
status_is_in(const StatusList *list, const char *status)
{
	for (int i = 0; i < list->n && status != NULL; i++)
		if (strcmp(list->texts[i], status) == 0)
			return true;
	return false;
}

/* The label columns as one jsonb object; 0 when there are none */
static Datum
read_labels(const Attachment *attachment, TupleTableSlot *slot)
{
	StringInfoData buf;

	if (attachment->nlabels == 0)
		return (Datum) 0;
	initStringInfo(&buf);
	for (int i = 0; i < attachment->nlabels; i++)
	{
		char	   *text = attachment_text(&attachment->labels[i], slot);

		appendStringInfoChar(&buf, i == 0 ? '{' : ',');
		escape_json(&buf, attachment->labels[i].name);
		appendStringInfoChar(&buf, ':');
		if (text == NULL)
			appendStringInfoString(&buf, "null");
		else
			escape_json(&buf, text);
	}
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}

/* All columns that are read as text, under settings that are everybody's */
static void
read_texts(const Attachment *attachment, TupleTableSlot *slot,
		   char *texts[NUM_TEXT_ROLES], Datum *labels)
{
	int			level = attachment->has_settings ? attachment_pin_settings() : 0;

	for (int i = 0; i < NUM_TEXT_ROLES; i++)
	{
		texts[i] = attachment_text(unconstify(TextColumn *,
											  &attachment->text[i]), slot);
		/* frameworks write empty texts where nothing is said */
		if (texts[i] != NULL && texts[i][0] == '\0' &&
			i != TEXT_SEVERITY && i != TEXT_STATUS)
			texts[i] = NULL;
	}
	*labels = read_labels(attachment, slot);
	if (level > 0)
		AtEOXact_GUC(true, level);
}

static MaybeTime
read_time(const Attachment *attachment, TupleTableSlot *slot, TimeRole role)
{
	return attachment_time(attachment, &attachment->time[role], slot);
}

TicketRow
attachment_read_row(const Attachment *attachment, TupleTableSlot *slot,
					TimestampTz now, char **problem)
{
	TicketRow	row = {0};
	MaybeTime	changed = read_time(attachment, slot, TIME_CHANGED);
	char	   *texts[NUM_TEXT_ROLES];

	read_texts(attachment, slot, texts, &row.labels);
	row.received = read_time(attachment, slot, TIME_RECEIVED);
	row.replied = read_time(attachment, slot, TIME_RESPONDED);
	row.updated = read_time(attachment, slot, TIME_LAST_UPDATE);
	row.customer_replied = read_time(attachment, slot, TIME_CUSTOMER_REPLY);
	row.investigated = read_time(attachment, slot, TIME_INVESTIGATED);
	row.resolved_at = read_time(attachment, slot, TIME_RESOLVED);
	row.changed_known = changed.known;
	row.changed_at = changed.known ? changed.at : now;

	row.status = texts[TEXT_STATUS];
	row.paused = status_is_in(&attachment->paused_when, row.status);
	row.cancelled = status_is_in(&attachment->cancelled_when, row.status);
	row.resolved_by_status = attachment->resolved_when.given;
	row.resolved = row.resolved_by_status ?
		status_is_in(&attachment->resolved_when, row.status) :
		row.resolved_at.known;

	row.policy = texts[TEXT_POLICY];
	row.account = texts[TEXT_ACCOUNT];
	row.service = texts[TEXT_SERVICE];
	row.product = texts[TEXT_PRODUCT];
	row.channel = texts[TEXT_CHANNEL];
	row.team = texts[TEXT_TEAM];
	row.assignee = texts[TEXT_ASSIGNEE];
	row.exempt = texts[TEXT_EXEMPT];
	row.severity = read_severity(attachment, texts[TEXT_SEVERITY], problem);
	if (!row.received.known)
		*problem = psprintf("%s is null or infinite",
							attachment->time[TIME_RECEIVED].name);
	return row;
}

Datum
attachment_stamp_value(const Attachment *attachment, const StampColumn *stamp,
					   TimestampTz due, bool *isnull)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	Timestamp	local;

	*isnull = false;
	if (stamp->typmod >= 0 && !stamp->local)
		return DirectFunctionCall2(timestamptz_scale, TimestampTzGetDatum(due),
								   Int32GetDatum(stamp->typmod));
	if (!stamp->local || TIMESTAMP_NOT_FINITE(due))
		return TimestampTzGetDatum(due);
	if (timestamp2tm(due, &tz, &tm, &fsec, NULL, attachment->zone) != 0 ||
		tm2timestamp(&tm, fsec, NULL, &local) != 0)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return DirectFunctionCall2(timestamp_scale, TimestampGetDatum(local),
							   Int32GetDatum(stamp->typmod));
}

/* Bytewise, as a change of the value alone matters less than missing one */
static bool
column_changed(TupleTableSlot *before, TupleTableSlot *after, AttrNumber attnum)
{
	Form_pg_attribute att;
	Datum		a,
				b;
	bool		a_null,
				b_null;

	att = TupleDescAttr(after->tts_tupleDescriptor, attnum - 1);
	a = slot_getattr(before, attnum, &a_null);
	b = slot_getattr(after, attnum, &b_null);
	return a_null != b_null ||
		(!a_null && !datum_image_eq(a, b, att->attbyval, att->attlen));
}

bool
attachment_row_changed(const Attachment *attachment,
					   TupleTableSlot *before, TupleTableSlot *after)
{
	if (attachment->restamping)
		return true;
	for (int i = 0; i < attachment->nwatched; i++)
		if (column_changed(before, after, attachment->watched[i]))
			return true;
	return false;
}
