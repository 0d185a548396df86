/*
 * attached_table.c
 *		Type sla.attached_table: a table, or that it is gone.
 *
 * Inside it is the table's OID, as regclass has it, so that both compare and
 * index alike. Two things differ. The text always has the schema in it and no
 * number, for a dump must name the same table wherever it is read. And a dump
 * may name a table that is not there, because it was dropped, left out or
 * renamed: that must not keep the rest from being restored.
 *
 * Knows nothing of attachments.
 */
#include "slapolicy.h"

#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* How a table that is gone reads; as an OID it is InvalidOid */
#define GONE	"-"

PG_FUNCTION_INFO_V1(slapolicy_attached_table_in);
PG_FUNCTION_INFO_V1(slapolicy_attached_table_out);
PG_FUNCTION_INFO_V1(slapolicy_attached_table_recv);
PG_FUNCTION_INFO_V1(slapolicy_attached_table_send);

/*
 * The relation of a name's parts, InvalidOid when there is none. Nobody's
 * right to look into a schema is asked for: the answer tells no more than
 * pg_class does.
 */
static Oid
find_table(List *names)
{
	char	   *database;
	Oid			namespace;

	switch (list_length(names))
	{
		case 1:
			return RelnameGetRelid(linitial(names));
		case 2:
			break;
		case 3:
			database = get_database_name(MyDatabaseId);
			if (database == NULL || strcmp(database, linitial(names)) != 0)
				return InvalidOid;
			names = list_delete_first(names);
			break;
		default:
			return InvalidOid;
	}
	namespace = get_namespace_oid(linitial(names), true);
	return OidIsValid(namespace) ?
		get_relname_relid(lsecond(names), namespace) : InvalidOid;
}

/*
 * attached_table_in(cstring): a name as regclass reads it, or "-". What names
 * no table is 42P01, what is no name 42602, both soft where the server knows
 * soft errors; while a dump is restored it is a table that is gone.
 */
Datum
slapolicy_attached_table_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	bool		restoring = !check_function_bodies;
	List	   *names = NIL;
	bool		is_name;
	Oid			table = InvalidOid;

	if (strcmp(text, GONE) == 0)
		PG_RETURN_OID(InvalidOid);

	/* of an empty text it makes a list of no names */
	is_name = SplitIdentifierString(pstrdup(text), '.', &names) &&
		names != NIL;
	if (is_name)
		table = find_table(names);
	if (OidIsValid(table))
		PG_RETURN_OID(table);

	if (!restoring && !is_name)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name syntax: \"%s\"", text)));
	if (!restoring)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", text)));
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("attached table \"%s\" is not there", text),
			 errdetail("The ledger keeps the record of its tickets."),
			 errhint("Once the table is there, sla.attach begins a record of its own.")));
	PG_RETURN_OID(InvalidOid);
}

Datum
slapolicy_attached_table_out(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	char	   *name = get_rel_name(table);
	char	   *schema = get_namespace_name(get_rel_namespace(table));

	/* its schema may go while we look */
	if (name == NULL || schema == NULL)
		PG_RETURN_CSTRING(pstrdup(GONE));
	PG_RETURN_CSTRING(quote_qualified_identifier(schema, name));
}

/* attached_table_recv(internal): the OID, as of regclass */
Datum
slapolicy_attached_table_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);

	PG_RETURN_OID((Oid) pq_getmsgint(buf, sizeof(Oid)));
}

Datum
slapolicy_attached_table_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, PG_GETARG_OID(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
