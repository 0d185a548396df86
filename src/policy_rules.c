/*
 * policy_rules.c
 *		The rules of policy versions beside their targets, and the texts that
 *		columns say them in.
 *
 * Whatever the tables hold is a problem in words, never an error; only hours
 * that are corrupted on disk raise.
 *
 * Must not know: tickets, and that anything is kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "business_hours.h"
#include "policy_rules.h"
#include "restriction_rule.h"
#include "zone.h"

static const char *const severity_changes[] = {
	[CHANGE_FROM_START] = "from_start",
	[CHANGE_FROM_CHANGE] = "from_change",
	[CHANGE_CARRY] = "carry",
};

static const char *const reopenings[] = {
	[REOPENING_CONTINUE] = "continue",
	[REOPENING_RESTART] = "restart",
};

static const char *const counts[] = {
	[COUNTS_FROM_RECEIPT] = "receipt",
	[COUNTS_FROM_INVESTIGATION] = "investigation",
	[COUNTS_NEVER] = "never",
};

static bool
find_text(const char *const *texts, int ntexts, const char *text, int *found)
{
	for (int i = 0; i < ntexts; i++)
	{
		if (strcmp(texts[i], text) == 0)
		{
			*found = i;
			return true;
		}
	}
	return false;
}

bool
policy_severity_change_from_text(const char *text, SeverityChangeRule *rule)
{
	int			found;

	if (!find_text(severity_changes, lengthof(severity_changes), text, &found))
		return false;
	*rule = (SeverityChangeRule) found;
	return true;
}

const char *
policy_severity_change_text(SeverityChangeRule rule)
{
	return severity_changes[rule];
}

bool
policy_reopening_from_text(const char *text, ReopeningRule *rule)
{
	int			found;

	if (!find_text(reopenings, lengthof(reopenings), text, &found))
		return false;
	*rule = (ReopeningRule) found;
	return true;
}

const char *
policy_reopening_text(ReopeningRule rule)
{
	return reopenings[rule];
}

bool
policy_counts_from_text(const char *text, ChannelCounts *result)
{
	int			found;

	if (!find_text(counts, lengthof(counts), text, &found))
		return false;
	*result = (ChannelCounts) found;
	return true;
}

const char *
policy_counts_text(ChannelCounts value)
{
	return counts[value];
}

char **
policy_array_texts(Datum array, int *n)
{
	Datum	   *elems;
	bool	   *nulls;
	char	  **texts;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elems, &nulls, n);
	texts = palloc(Max(*n, 1) * sizeof(char *));
	for (int i = 0; i < *n; i++)
		texts[i] = nulls[i] ? NULL : TextDatumGetCString(elems[i]);
	return texts;
}

bool
policy_read_kinds(Datum array, EventKindSet *set)
{
	int			n;
	char	  **texts = policy_array_texts(array, &n);

	*set = 0;
	for (int i = 0; i < n; i++)
	{
		EventKind	kind;

		if (texts[i] == NULL || !event_kind_from_text(texts[i], &kind) ||
			!(EVENT_KIND_BIT(kind) & METRIC_EVENT_KINDS))
			return false;
		*set |= EVENT_KIND_BIT(kind);
	}
	return true;
}

/* Digits with at most one point, as parts of ALERT_WHOLE; false: no fraction */
static bool
parse_fraction(const char *text, int64 *fraction)
{
	int64		unit = ALERT_WHOLE;
	bool		point = false;
	bool		digits = false;

	*fraction = 0;
	for (; *text != '\0'; text++)
	{
		if (*text == '.' && !point)
			point = true;
		else if (*text < '0' || *text > '9')
			return false;
		else if (!point)
		{
			digits = true;
			if (pg_mul_s64_overflow(*fraction, 10, fraction) ||
				pg_add_s64_overflow(*fraction, (*text - '0') * ALERT_WHOLE,
									fraction))
				return false;
		}
		else
		{
			digits = true;
			unit /= 10;
			*fraction += (*text - '0') * unit;
		}
	}
	return digits;
}

/*
 * Working time as business_interval_to_text() writes it, "1h 30min", without
 * days; microseconds. False when it is not that. (The type's own input cannot
 * fail softly on every version.)
 */
static bool
parse_work(const char *text, int64 *usecs)
{
	static const struct
	{
		const char *unit;
		int64		usecs;
	}			units[] = {
		{"h", USECS_PER_HOUR}, {"min", USECS_PER_MINUTE}, {"s", USECS_PER_SEC}
	};
	int			next = 0;

	*usecs = 0;
	do
	{
		size_t		digits = strspn(text, "0123456789.");
		size_t		letters = strcspn(text + digits, " ");
		int64		amount;
		int64		product;

		if (digits == 0 || digits > 18 ||
			!parse_fraction(pnstrdup(text, digits), &amount))
			return false;
		while (next < (int) lengthof(units) &&
			   (strlen(units[next].unit) != letters ||
				strncmp(units[next].unit, text + digits, letters) != 0))
			next++;
		if (next == (int) lengthof(units))
			return false;
		/* only seconds come with a fraction */
		if (units[next].usecs == USECS_PER_SEC)
			product = amount / (ALERT_WHOLE / USECS_PER_SEC);
		else if (amount % ALERT_WHOLE != 0 ||
				 pg_mul_s64_overflow(amount / ALERT_WHOLE, units[next].usecs,
									 &product))
			return false;
		if (pg_add_s64_overflow(*usecs, product, usecs))
			return false;
		next++;
		text += digits + letters;
	} while (*text++ == ' ');
	return true;
}

bool
policy_alert_from_text(const char *text, PolicyAlert *alert)
{
	memset(alert, 0, sizeof(*alert));
	if (parse_fraction(text, &alert->fraction))
		return alert->fraction > 0 && alert->fraction <= ALERT_WHOLE;
	alert->fraction = 0;
	return parse_work(text, &alert->before) && alert->before > 0;
}

char *
policy_alert_text(const PolicyAlert *alert)
{
	BusinessInterval before = {.time = alert->before};
	char	   *text;
	int			len;

	if (alert->fraction == 0)
		return business_interval_to_text(&before);
	text = psprintf("%d.%09d", (int) (alert->fraction / ALERT_WHOLE),
					(int) (alert->fraction % ALERT_WHOLE));
	len = strlen(text);
	while (text[len - 1] == '0')
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[--len] = '\0';
	return text;
}

bool
policy_read_alerts(Datum array, PolicyAlert **alerts, int *nalerts)
{
	int			n;
	char	  **texts = policy_array_texts(array, &n);

	*alerts = palloc(Max(n, 1) * sizeof(PolicyAlert));
	*nalerts = 0;
	for (int i = 0; i < n; i++)
	{
		PolicyAlert alert;

		if (texts[i] == NULL || !policy_alert_from_text(texts[i], &alert))
			return false;
		if (alert.fraction != ALERT_WHOLE)
			(*alerts)[(*nalerts)++] = alert;
	}
	return true;
}

char *
policy_read_calendar(PolicyReader *reader, const char *name,
					 MemoryContext keep,
					 int32 *hours_id, Datum *hours)
{
	Datum		key = CStringGetTextDatum(name);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull = true;
	const char *zone;

	scan = policy_scan(reader, CALENDAR_NAME, &key, &key_space);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		*hours_id = DatumGetInt32(policy_value(reader, tuple,
											   CALENDAR_HOURS_ID, &isnull));
	systable_endscan(scan);
	if (isnull)
		return psprintf("calendar \"%s\" does not exist", name);

	isnull = true;
	key = Int32GetDatum(*hours_id);
	scan = policy_scan(reader, HOURS_ID, &key, &key_space);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		value = policy_value(reader, tuple, HOURS_VALUE, &isnull);

		if (!isnull)
		{
			MemoryContext old = MemoryContextSwitchTo(keep);

			*hours = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
			MemoryContextSwitchTo(old);
		}
	}
	systable_endscan(scan);
	if (isnull)
		return psprintf("the hours of calendar \"%s\" do not exist", name);

	zone = business_hours_unknown_zone(*hours);
	if (zone != NULL)
		return psprintf("calendar \"%s\" is in time zone \"%s\", which this server does not know",
						name, zone);
	return NULL;
}

/* A text column as a palloc'd string; NULL: it is null */
static char *
text_value(PolicyReader *reader, HeapTuple tuple, PolicyColumn column)
{
	bool		isnull;
	Datum		value = policy_value(reader, tuple, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* The rules in the version's own row */
static char *
read_version_rules(PolicyReader *reader, PolicyVersion *version)
{
	Datum		key = Int32GetDatum(version->id);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *problem = NULL;

	scan = policy_scan(reader, VERSION_ID, &key, &key_space);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		char	   *change = text_value(reader, tuple, VERSION_SEVERITY_CHANGE);
		char	   *reopening = text_value(reader, tuple, VERSION_REOPENING);
		char	   *entitlement = text_value(reader, tuple, VERSION_ENTITLEMENT);
		char	   *restricted = text_value(reader, tuple, VERSION_RESTRICTED);

		version->needs_contract = entitlement != NULL &&
			strcmp(entitlement, "contract") == 0;
		if (restricted != NULL && strcmp(restricted, "uncovered") == 0)
			version->restricted_accounts = RESTRICTED_UNCOVERED;
		else if (restricted != NULL && strcmp(restricted, "reject") == 0)
			version->restricted_accounts = RESTRICTED_REJECT;
		if (change == NULL ||
			!policy_severity_change_from_text(change, &version->severity_change))
			problem = pstrdup("its rule for changes of severity is unknown");
		else if (reopening == NULL ||
				 !policy_reopening_from_text(reopening, &version->reopening))
			problem = pstrdup("its rule for reopening is unknown");
	}
	systable_endscan(scan);
	return problem;
}

/* Rows of a table of rules, by its first column, growing */
#define GROW(array, n, room) \
	do { \
		if ((n) == (room)) \
		{ \
			(room) *= 2; \
			(array) = repalloc((array), (room) * sizeof(*(array))); \
		} \
	} while (0)

static char *
read_caps(PolicyReader *reader, MemoryContext keep, PolicyVersion *version)
{
	Datum		key = Int32GetDatum(version->id);
	int			room = 8;
	PolicyCap  *caps = MemoryContextAlloc(keep, room * sizeof(PolicyCap));
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *problem = NULL;

	scan = policy_scan(reader, CAP_VERSION, &key, &key_space);
	while (problem == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		char	   *product = text_value(reader, tuple, CAP_PRODUCT);
		bool		isnull;
		Severity	severity = DatumGetSeverity(policy_value(reader, tuple,
															 CAP_SEVERITY, &isnull));

		GROW(caps, version->ncaps, room);
		if (product == NULL || isnull ||
			severity < SEVERITY_MIN || severity > SEVERITY_MAX)
			problem = pstrdup("a severity cap has no product or no severity");
		else
		{
			caps[version->ncaps].product = MemoryContextStrdup(keep, product);
			caps[version->ncaps++].severity = severity;
		}
	}
	systable_endscan(scan);
	version->caps = caps;
	return problem;
}

static char *
read_channels(PolicyReader *reader, MemoryContext keep, PolicyVersion *version)
{
	Datum		key = Int32GetDatum(version->id);
	int			room = 8;
	PolicyChannel *channels = MemoryContextAlloc(keep,
												 room * sizeof(PolicyChannel));
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *problem = NULL;

	scan = policy_scan(reader, CHANNEL_VERSION, &key, &key_space);
	while (problem == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		char	   *channel = text_value(reader, tuple, CHANNEL_CHANNEL);
		char	   *from = text_value(reader, tuple, CHANNEL_COUNTS);
		PolicyChannel *row;

		GROW(channels, version->nchannels, room);
		row = &channels[version->nchannels];
		if (channel == NULL || from == NULL ||
			!policy_counts_from_text(from, &row->counts))
			problem = pstrdup("a channel rule has no channel, or counts from nothing known");
		else
		{
			row->channel = MemoryContextStrdup(keep, channel);
			version->nchannels++;
		}
	}
	systable_endscan(scan);
	version->channels = channels;
	return problem;
}

static char *
read_exemptions(PolicyReader *reader, MemoryContext keep,
				PolicyVersion *version)
{
	Datum		key = Int32GetDatum(version->id);
	int			room = 8;
	const char **reasons = MemoryContextAlloc(keep, room * sizeof(char *));
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;

	scan = policy_scan(reader, EXEMPTION_VERSION, &key, &key_space);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		char	   *reason = text_value(reader, tuple, EXEMPTION_REASON);

		if (reason == NULL)
			continue;
		GROW(reasons, version->nexemptions, room);
		reasons[version->nexemptions++] = MemoryContextStrdup(keep, reason);
	}
	systable_endscan(scan);
	version->exemptions = reasons;
	return NULL;
}

char *
policy_read_rules(PolicyReader *reader, MemoryContext keep,
				  PolicyVersion *version)
{
	char	   *problem = read_version_rules(reader, version);

	if (problem == NULL)
		problem = read_caps(reader, keep, version);
	if (problem == NULL)
		problem = read_channels(reader, keep, version);
	if (problem == NULL)
		problem = read_exemptions(reader, keep, version);
	if (problem == NULL)
		problem = restriction_rule_read(reader, keep, version);
	return problem;
}

Severity
policy_capped_severity(const PolicyVersion *version, Severity severity,
					   const char *product)
{
	Severity	others = 0;

	if (product == NULL || severity == 0)
		return severity;
	for (int i = 0; i < version->ncaps; i++)
	{
		if (strcmp(version->caps[i].product, product) == 0)
			return Max(severity, version->caps[i].severity);
		if (strcmp(version->caps[i].product, "*") == 0)
			others = version->caps[i].severity;
	}
	return Max(severity, others);
}

ChannelCounts
policy_channel_counts(const PolicyVersion *version, const char *channel)
{
	ChannelCounts others = COUNTS_FROM_RECEIPT;

	if (channel == NULL)
		return COUNTS_FROM_RECEIPT;
	for (int i = 0; i < version->nchannels; i++)
	{
		if (strcmp(version->channels[i].channel, channel) == 0)
			return version->channels[i].counts;
		if (strcmp(version->channels[i].channel, "*") == 0)
			others = version->channels[i].counts;
	}
	return others;
}

bool
policy_exempts(const PolicyVersion *version, const char *reason)
{
	for (int i = 0; i < version->nexemptions; i++)
		if (strcmp(version->exemptions[i], reason) == 0)
			return true;
	return false;
}
