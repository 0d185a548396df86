/*
 * guc.c
 *		The settings of slapolicy: their names, bounds and defaults.
 *
 * Must not know what the settings are used for; it only keeps values.
 */
#include "slapolicy.h"

#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "guc.h"

char	   *slapolicy_databases = NULL;
int			slapolicy_batch_size = 5000;
int			slapolicy_max_sleep = 60;
bool		slapolicy_notify = true;
char	   *slapolicy_role = NULL;
int			slapolicy_log_level = DEBUG1;

static const struct config_enum_entry log_levels[] = {
	{"debug5", DEBUG5, false},
	{"debug4", DEBUG4, false},
	{"debug3", DEBUG3, false},
	{"debug2", DEBUG2, false},
	{"debug1", DEBUG1, false},
	{"debug", DEBUG2, true},
	{"log", LOG, false},
	{NULL, 0, false}
};

/*
 * Accept a list of database names, written as SQL identifiers. Whether a
 * database of that name exists is not asked: it may come later.
 */
static bool
check_databases(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names;
	bool		ok = SplitIdentifierString(copy, ',', &names);

	if (ok)
		list_free(names);
	else
		GUC_check_errdetail("List syntax is invalid.");
	pfree(copy);
	return ok;
}

void
guc_init(void)
{
	DefineCustomIntVariable("slapolicy.batch_size",
							"Sets how many due clocks are flagged in one transaction.",
							"Smaller batches let ticket writers wait less, larger ones catch up faster.",
							&slapolicy_batch_size,
							5000, 1, 100000,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);

	DefineCustomStringVariable("slapolicy.databases",
							   "Lists the databases in which the worker flags due clocks.",
							   "Names separated by commas, quoted like SQL identifiers; "
							   "empty: every database that has the extension.",
							   &slapolicy_databases,
							   "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_databases, NULL, NULL);

	DefineCustomEnumVariable("slapolicy.log_level",
							 "Sets the level at which the worker logs what it has flagged.",
							 NULL,
							 &slapolicy_log_level,
							 DEBUG1, log_levels,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomIntVariable("slapolicy.max_sleep",
							"Sets the longest time the worker relies on what it was told.",
							"After it the worker looks for new databases, and in each database for "
							"clocks nobody announced, such as those of prepared transactions.",
							&slapolicy_max_sleep,
							60, 1, 86400,
							PGC_SIGHUP, GUC_UNIT_S,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("slapolicy.notify",
							 "Sends NOTIFY sla_alert with the id of each alert as payload.",
							 NULL,
							 &slapolicy_notify,
							 true,
							 PGC_SIGHUP, 0,
							 NULL, NULL, NULL);

	DefineCustomStringVariable("slapolicy.role",
							   "Names the role with whose rights the worker flags due clocks.",
							   "It needs SELECT and UPDATE on sla.clock, SELECT and INSERT on sla.alert, "
							   "and the same on tables of bills, where there are any; "
							   "empty: the owner of the extension.",
							   &slapolicy_role,
							   "",
							   PGC_SIGHUP, GUC_IS_NAME,
							   NULL, NULL, NULL);

	MarkGUCPrefixReserved("slapolicy");
}
