/*
 * attachment.h
 *		How the columns of a ticket table are to be read.
 */
#ifndef SLAPOLICY_ATTACHMENT_H
#define SLAPOLICY_ATTACHMENT_H

#include "slapolicy.h"
#include "access/attnum.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "severity.h"
#include "ticket.h"

/* A due time kept in a column of the ticket's row */
typedef struct StampColumn
{
	const char *metric;
	AttrNumber	attnum;
} StampColumn;

/* What a text of the severity column stands for */
typedef struct SeverityMapping
{
	const char *text;
	Severity	severity;
} SeverityMapping;

/*
 * The attachment of a table, with column numbers of one relation: the table
 * itself or one of its partitions. A column number of 0: the role is not used.
 */
typedef struct Attachment
{
	int32		id;
	const char *policy;
	bool		reject;			/* rows that no policy covers are errors */
	bool		restamping;		/* rows it has are being recorded in pieces */
	int			nkeys;
	AttrNumber *keys;
	FmgrInfo   *key_out;
	bool		key_has_settings;	/* how a key reads depends on settings */
	AttrNumber	severity;
	FmgrInfo   *severity_out;
	bool		severity_padded;	/* blanks at the end say nothing */
	const char *severity_column;
	bool		has_map;
	int			nmap;
	SeverityMapping *map;
	AttrNumber	received;
	const char *received_column;
	AttrNumber	replied;
	AttrNumber	resolved;
	AttrNumber	changed;
	int			nstamps;
	StampColumn *stamps;
} Attachment;

/*
 * The attachment that governs a relation: its own or that of the partitioned
 * table it belongs to. NULL, and *problem a palloc'd sentence without a full
 * stop, when there is none or a column it needs is gone. Cached; valid until
 * the next call.
 */
extern const Attachment *attachment_get(Relation rel, char **problem);

/* The ticket's key in a row as text, palloc'd */
extern char *attachment_key(const Attachment *attachment,
							TupleTableSlot *slot);

/*
 * What a row says. now is the answer to when it came to say so, unless a
 * column does. *problem becomes a palloc'd sentence when the row lacks what
 * every promise needs, and stays as it is otherwise.
 */
extern TicketRow attachment_read_row(const Attachment *attachment,
									 TupleTableSlot *slot, TimestampTz now,
									 char **problem);

/*
 * Do two versions of a row differ in a column that says something? While rows
 * are recorded in pieces they do, for the row may not have been read yet and
 * move to where it will not be.
 */
extern bool attachment_row_changed(const Attachment *attachment,
								   TupleTableSlot *before,
								   TupleTableSlot *after);

#endif							/* SLAPOLICY_ATTACHMENT_H */
