/*
 * message_table.c
 *		Reads sla.message_attachment, and rows of messages as it says.
 *
 * Knows nothing of tickets' events.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "attachment_columns.h"
#include "json_read.h"
#include "ledger_about.h"
#include "message_table.h"
#include "same_text.h"

static void
read_row(Ledger *ledger, HeapTuple tuple, MessageTableRow *row)
{
	row->tid = tuple->t_self;
	heap_deform_tuple(tuple,
					  RelationGetDescr(ledger_table(ledger, LEDGER_MESSAGES)),
					  row->values, row->nulls);
}

List *
message_table_rows(Ledger *ledger)
{
	List	   *rows = NIL;
	ListCell   *lc;

	foreach(lc, ledger_about_all(ledger, LEDGER_MESSAGES))
	{
		MessageTableRow *row = palloc(sizeof(MessageTableRow));

		read_row(ledger, lfirst(lc), row);
		rows = lappend(rows, row);
	}
	return rows;
}

bool
message_table_find_row(Ledger *ledger, Oid relid, MessageTableRow *row)
{
	HeapTuple	tuple = ledger_about_table(ledger, LEDGER_MESSAGES, relid);

	if (tuple == NULL)
		return false;
	read_row(ledger, tuple, row);
	return true;
}

/* Has a table that a column names been dropped? One is noted only once. */
static bool
is_gone(const MessageTableRow *row, AttrNumber attnum)
{
	Oid			relid = DatumGetObjectId(row->values[attnum - 1]);

	return OidIsValid(relid) && get_rel_relkind(relid) == '\0';
}

/* Is an attachment to end, since its table is not there? */
static bool
is_to_end(const MessageTableRow *row)
{
	return row->nulls[MESSAGES_DETACHED_AT - 1] &&
		(is_gone(row, MESSAGES_TABLE) ||
		 !OidIsValid(DatumGetObjectId(row->values[MESSAGES_TABLE - 1])));
}

bool
message_table_is_gone(const MessageTableRow *row)
{
	return is_to_end(row) || is_gone(row, MESSAGES_TABLE) ||
		is_gone(row, MESSAGES_TICKET_TABLE);
}

void
message_table_end_gone(MessageTableRow *row, TimestampTz now)
{
	Ledger	   *ledger = ledger_open(true);
	HeapTuple	tuple;

	if (ledger_lock_row(ledger, LEDGER_MESSAGES, &row->tid, &tuple))
	{
		heap_deform_tuple(tuple,
						  RelationGetDescr(ledger_table(ledger, LEDGER_MESSAGES)),
						  row->values, row->nulls);
		if (is_to_end(row))
		{
			row->nulls[MESSAGES_DETACHED_AT - 1] = false;
			row->values[MESSAGES_DETACHED_AT - 1] = TimestampTzGetDatum(now);
		}
		for (AttrNumber i = MESSAGES_TABLE; i <= MESSAGES_TICKET_TABLE; i++)
			if (is_gone(row, i))
				row->values[i - 1] = ObjectIdGetDatum(InvalidOid);
		ledger_update(ledger, LEDGER_MESSAGES, &row->tid, row->values,
					  row->nulls);
	}
	ledger_close(ledger);
}

/* ---------- columns ---------- */

/* A column as text, if it has a role; it is watched. */
static void
read_column(MessageTable *table, Relation rel, JsonbContainer *roles,
			const char *role, TextColumn *column, char **problem)
{
	char	   *name = json_string(roles, role);

	if (name != NULL)
		attachment_find_text(&table->own, rel, name, column, problem);
	attachment_watch(&table->own, column->attnum);
}

static void
read_filters(MessageTable *table, Relation rel, JsonbContainer *filters,
			 char **names, char **problem)
{
	for (int i = 0; i < table->nfilters; i++)
	{
		MessageFilter *filter = &table->filters[i];
		JsonbContainer *texts = json_container(filters, names[i]);

		attachment_find_text(&table->own, rel, names[i], &filter->column,
							 problem);
		attachment_watch(&table->own, filter->column.attnum);
		attachment_read_statuses(filters, names[i], &filter->texts);
		filter->null_passes = filter->texts.n < json_length(texts);
	}
}

static void
read_columns(MessageTable *table, Relation rel, JsonbContainer *roles,
			 JsonbContainer *options, char **problem)
{
	JsonbContainer *filters = json_container(options, "only_when");
	char	  **names = NULL;
	char	  **unused;
	char	   *at = json_string(roles, "at");

	attachment_find_keys(&table->own, rel, json_container(roles, "key"),
						 problem);
	attachment_find_keys(&table->about, rel, json_container(roles, "ticket"),
						 problem);
	if (*problem != NULL)
		return;
	if (filters != NULL)
		table->nfilters = json_members(filters, &names, &unused);
	table->filters = palloc0(Max(table->nfilters, 1) * sizeof(MessageFilter));
	table->own.watched = palloc((table->own.nkeys + table->about.nkeys +
								 table->nfilters + 4) * sizeof(AttrNumber));
	for (int i = 0; i < table->own.nkeys; i++)
		attachment_watch(&table->own, table->own.keys[i]);
	for (int i = 0; i < table->about.nkeys; i++)
		attachment_watch(&table->own, table->about.keys[i]);
	read_column(table, rel, roles, "author", &table->author, problem);
	read_column(table, rel, roles, "internal", &table->internal, problem);
	read_column(table, rel, roles, "content", &table->content, problem);
	read_filters(table, rel, filters, names, problem);
	if (at != NULL)
		attachment_find_time(&table->own, rel, at, &table->at, problem);
	attachment_watch(&table->own, table->at.attnum);
	if (*problem == NULL &&
		(table->at.attnum == 0 || table->author.attnum == 0))
		*problem = pstrdup("its columns are not recorded");
}

/* Compile a row of sla.message_attachment for a relation. */
static MessageTable *
compile(const MessageTableRow *row, Relation rel, char **problem)
{
	MessageTable *table = palloc0(sizeof(MessageTable));
	Jsonb	   *roles = DatumGetJsonbPCopy(row->values[MESSAGES_ROLES - 1]);
	Jsonb	   *options = DatumGetJsonbPCopy(row->values[MESSAGES_OPTIONS - 1]);

	table->id = DatumGetInt32(row->values[MESSAGES_ID - 1]);
	table->ticket_table =
		DatumGetObjectId(row->values[MESSAGES_TICKET_TABLE - 1]);
	table->source = TextDatumGetCString(row->values[MESSAGES_SOURCE - 1]);
	if (!JB_ROOT_IS_OBJECT(roles) || !JB_ROOT_IS_OBJECT(options))
	{
		*problem = pstrdup("its columns are not recorded");
		return table;
	}
	attachment_read_statuses(&options->root, "agent_when", &table->agent_when);
	attachment_read_statuses(&options->root, "customer_when", &table->customer_when);
	table->customer = json_string(&roles->root, "customer");
	attachment_read_zone(&table->own, &options->root, problem);
	if (*problem == NULL)
		read_columns(table, rel, &roles->root, &options->root, problem);
	return table;
}

MessageTable *
message_table_load(Ledger *ledger, Relation rel, char **problem)
{
	HeapTuple	tuple = ledger_about_relation(ledger, LEDGER_MESSAGES,
											  MESSAGES_DETACHED_AT, rel);
	MessageTableRow row;
	MessageTable *table;

	*problem = NULL;
	if (tuple == NULL)
	{
		*problem = psprintf("table \"%s\" is not attached",
							RelationGetRelationName(rel));
		return NULL;
	}
	read_row(ledger, tuple, &row);
	table = compile(&row, rel, problem);
	return *problem == NULL ? table : NULL;
}

/* ---------- rows ---------- */

static bool
is_in(const StatusList *list, const char *text)
{
	for (int i = 0; i < list->n; i++)
		if (strcmp(list->texts[i], text) == 0)
			return true;
	return false;
}

static MessageAuthor
author_kind(const MessageTable *table, const char *author)
{
	if (author == NULL)
		return AUTHOR_NOBODY;
	if (table->customer != NULL)
		return AUTHOR_TICKET_TELLS;
	if (is_in(&table->agent_when, author))
		return AUTHOR_AGENT;
	if (is_in(&table->customer_when, author))
		return AUTHOR_CUSTOMER;
	if (!table->agent_when.given)
		return AUTHOR_AGENT;
	return table->customer_when.given ? AUTHOR_NOBODY : AUTHOR_CUSTOMER;
}

/*
 * Is a message internal with this in its column? Unless that says that it is
 * not: to count a note as an answer is the worse mistake.
 */
static bool
is_internal(const char *text)
{
	bool		internal;

	if (text == NULL || text[0] == '\0')
		return false;
	return !parse_bool(text, &internal) || internal;
}

/* Is a row one that others than the team can read, with something in it? */
static bool
is_public(MessageTable *table, TupleTableSlot *slot)
{
	char	   *text;

	for (int i = 0; i < table->nfilters; i++)
	{
		MessageFilter *filter = &table->filters[i];

		text = attachment_text(&filter->column, slot);
		if (text == NULL ? !filter->null_passes : !is_in(&filter->texts, text))
			return false;
	}
	if (is_internal(attachment_text(&table->internal, slot)))
		return false;
	if (table->content.attnum == 0)
		return true;
	text = attachment_text(&table->content, slot);
	return text != NULL && text[0] != '\0';
}

static void
read_texts(MessageTable *table, TupleTableSlot *slot, Message *message)
{
	int			level = table->own.has_settings ? attachment_pin_settings() : 0;

	if (is_public(table, slot))
	{
		message->author_name = attachment_text(&table->author, slot);
		message->author = author_kind(table, message->author_name);
	}
	if (level > 0)
		AtEOXact_GUC(true, level);
}

static bool
has_null(const Attachment *key, TupleTableSlot *slot)
{
	for (int i = 0; i < key->nkeys; i++)
		if (slot_attisnull(slot, key->keys[i]))
			return true;
	return false;
}

Message
message_read(MessageTable *table, TupleTableSlot *slot)
{
	Message		message = {0};
	MaybeTime	at = attachment_time(&table->own, &table->at, slot);

	message.source = psprintf("%s %s", table->source,
							  attachment_key(&table->own, slot));
	if (has_null(&table->about, slot))
		return message;
	message.ticket = attachment_key(&table->about, slot);
	message.at = at.at;
	if (at.known)
		read_texts(table, slot, &message);
	return message;
}

bool
message_is_source(const MessageTable *table, const char *source)
{
	size_t		len = strlen(table->source);

	return source != NULL && strncmp(source, table->source, len) == 0 &&
		source[len] == ' ';
}
