/*
 * restriction_rule.c
 *		What a policy version says about unsettled bills: read from
 *		sla.restriction_rule, and the instants that follow from a due date.
 *
 * A day begins at the first instant at which the wall clock of the rule's zone
 * shows it or a later one, so that levels begin at the same instant for
 * everybody, whatever clock changes there are.
 *
 * Must not know: bills and accounts.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "business_hours.h"
#include "floor_div.h"
#include "json_read.h"
#include "policy_rules.h"
#include "restriction_rule.h"

static int32
int_value(PolicyReader *reader, HeapTuple tuple, PolicyColumn column)
{
	bool		isnull;
	Datum		value = policy_value(reader, tuple, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

/* Text of the rule's row; NULL: it is null */
static char *
text_value(PolicyReader *reader, HeapTuple tuple, PolicyColumn column)
{
	bool		isnull;
	Datum		value = policy_value(reader, tuple, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static char *
read_actions(PolicyReader *reader, HeapTuple tuple, RestrictionRule *rule)
{
	bool		isnull;
	Datum		value = policy_value(reader, tuple, RESTRICTION_ACTIONS,
									 &isnull);
	char	  **names;
	char	  **levels;
	Jsonb	   *actions;

	if (!isnull)
	{
		actions = DatumGetJsonbPCopy(value);
		if (!JB_ROOT_IS_OBJECT(actions))
			return pstrdup("its restricted actions are no object");
		rule->nactions = json_members(&actions->root, &names, &levels);
		rule->actions = palloc(Max(rule->nactions, 1) *
							   sizeof(RestrictionAction));
		for (int i = 0; i < rule->nactions; i++)
		{
			rule->actions[i].name = names[i];
			if (levels[i] == NULL ||
				!restriction_level_from_text(levels[i],
											 &rule->actions[i].level))
				return psprintf("its action \"%s\" is refused from no level",
								names[i]);
		}
	}
	value = policy_value(reader, tuple, RESTRICTION_SECURITY, &isnull);
	if (!isnull)
		rule->security = policy_array_texts(value, &rule->nsecurity);
	return NULL;
}

static char *
read_grace(PolicyReader *reader, HeapTuple tuple, RestrictionRule *rule)
{
	char	   *calendar = text_value(reader, tuple, RESTRICTION_CALENDAR);
	int32		hours_id;
	Datum		hours;
	char	   *problem;

	rule->grace = int_value(reader, tuple, RESTRICTION_GRACE);
	if (rule->grace <= 0 || calendar == NULL)
		return NULL;
	problem = policy_read_calendar(reader, calendar, CurrentMemoryContext,
								   &hours_id, &hours);
	if (problem == NULL)
		rule->days = day_count_build(&business_hours_rules(hours)->parts[0],
									 CurrentMemoryContext);
	return problem;
}

/* The zone of the rule, else of its version */
static char *
read_zone(PolicyReader *reader, HeapTuple tuple, int32 version_id,
		  RestrictionRule *rule)
{
	char	   *name = text_value(reader, tuple, RESTRICTION_ZONE);

	if (name == NULL)
	{
		Datum		key = Int32GetDatum(version_id);
		ScanKeyData key_space;
		SysScanDesc scan = policy_scan(reader, VERSION_ID, &key, &key_space);
		HeapTuple	version = systable_getnext(scan);

		if (HeapTupleIsValid(version))
			name = text_value(reader, version, VERSION_TIME_ZONE);
		systable_endscan(scan);
	}
	rule->zone = name == NULL ? NULL : zone_find(name);
	if (rule->zone == NULL)
		return psprintf("its bills are in time zone \"%s\", which this server does not know",
						name == NULL ? "" : name);
	return NULL;
}

static char *
read_rule(PolicyReader *reader, HeapTuple tuple, int32 version_id,
		  RestrictionRule *rule)
{
	char	   *per = text_value(reader, tuple, RESTRICTION_PER);
	char	   *problem;
	bool		isnull;
	Datum		minimum = policy_value(reader, tuple, RESTRICTION_MINIMUM,
									   &isnull);

	for (int i = RESTRICTION_SUPPORT; i <= RESTRICTION_TERMINATION; i++)
		rule->threshold[i] = Max(0, int_value(reader, tuple,
											  RESTRICTION_RULE_SUPPORT + i -
											  RESTRICTION_SUPPORT));
	rule->per_service = per != NULL && strcmp(per, "service") == 0;
	if (!isnull)
	{
		Datum		zero = DirectFunctionCall1(int4_numeric, Int32GetDatum(0));

		rule->minimum = datumCopy(PointerGetDatum(PG_DETOAST_DATUM(minimum)),
								  false, -1);
		rule->has_minimum = DatumGetBool(DirectFunctionCall2(numeric_gt,
															 rule->minimum,
															 zero));
	}
	problem = read_zone(reader, tuple, version_id, rule);
	if (problem == NULL)
		problem = read_grace(reader, tuple, rule);
	if (problem == NULL)
		problem = read_actions(reader, tuple, rule);
	return problem;
}

char *
restriction_rule_read(PolicyReader *reader, MemoryContext keep,
					  PolicyVersion *version)
{
	Datum		key = Int32GetDatum(version->id);
	ScanKeyData key_space;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *problem = NULL;

	scan = policy_scan(reader, RESTRICTION_VERSION, &key, &key_space);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		MemoryContext old = MemoryContextSwitchTo(keep);
		RestrictionRule *rule = palloc0(sizeof(RestrictionRule));

		problem = read_rule(reader, tuple, version->id, rule);
		version->restriction = rule;
		MemoryContextSwitchTo(old);
		if (problem != NULL)
			problem = pstrdup(problem);
	}
	systable_endscan(scan);
	return problem;
}

TimestampTz
restriction_midnight(const RestrictionRule *rule, int64 date)
{
	int64		utc;

	if (date < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
		return DT_NOBEGIN;
	if (date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)
		return DT_NOEND;
	utc = zone_first_at_or_after(rule->zone, date * SLA_SECS_PER_DAY);
	return utc * USECS_PER_SEC;
}

DateADT
restriction_date(const RestrictionRule *rule, TimestampTz at)
{
	int64		utc = floor_div(at, USECS_PER_SEC);

	return (DateADT) floor_div(utc + zone_offset(rule->zone, utc),
							   SLA_SECS_PER_DAY);
}

TimestampTz
restriction_reaches(const RestrictionRule *rule, DateADT due,
					RestrictionLevel level)
{
	int64		days = level == RESTRICTION_NONE ? 1 : rule->threshold[level];
	int64		date = (int64) due + days;
	int32		after_grace;

	if (days == 0)
		return DT_NOEND;
	if (rule->days != NULL)
	{
		if (!business_days_shift(rule->days, due, rule->grace, &after_grace))
			return DT_NOEND;
		date = Max(date, after_grace);
	}
	return restriction_midnight(rule, date);
}

int64
restriction_days(const RestrictionRule *rule, DateADT due, TimestampTz at)
{
	int64		date = restriction_date(rule, at);

	/* the wall clock may have been set back over midnight */
	if (restriction_midnight(rule, date + 1) <= at)
		date++;
	return date - due;
}

RestrictionLevel
restriction_refused_from(const RestrictionRule *rule, const char *action,
						 bool security_release)
{
	for (int i = 0; security_release && i < rule->nsecurity; i++)
		if (rule->security[i] != NULL &&
			strcmp(rule->security[i], action) == 0)
			return RESTRICTION_TERMINATION;
	for (int i = 0; i < rule->nactions; i++)
		if (strcmp(rule->actions[i].name, action) == 0)
			return rule->actions[i].level;
	return RESTRICTION_TERMINATION;
}
