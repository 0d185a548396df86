/*
 * attachment.h
 *		How the columns of a ticket table are to be read.
 */
#ifndef SLAPOLICY_ATTACHMENT_H
#define SLAPOLICY_ATTACHMENT_H

#include "slapolicy.h"
#include "access/attnum.h"
#include "executor/tuptable.h"
#include "pgtime.h"
#include "utils/relcache.h"
#include "severity.h"
#include "ticket.h"

/* A due time kept in a column of the ticket's row */
typedef struct StampColumn
{
	const char *metric;
	AttrNumber	attnum;
	bool		local;			/* without time zone: in the attachment's */
	int32		typmod;
} StampColumn;

/* What a text of the severity column stands for */
typedef struct SeverityMapping
{
	const char *text;
	Severity	severity;
} SeverityMapping;

/* A column that is read as text; attnum 0: the role is not used */
typedef struct TextColumn
{
	AttrNumber	attnum;
	FmgrInfo	out;
	bool		padded;			/* blanks at the end say nothing */
	const char *name;
} TextColumn;

typedef enum TextRole
{
	TEXT_SEVERITY,
	TEXT_STATUS,
	TEXT_POLICY,
	TEXT_ACCOUNT,
	TEXT_SERVICE,
	TEXT_PRODUCT,
	TEXT_CHANNEL,
	TEXT_TEAM,
	TEXT_ASSIGNEE,
	TEXT_EXEMPT
} TextRole;

#define NUM_TEXT_ROLES	(TEXT_EXEMPT + 1)

/* A column with a time; attnum 0: the role is not used */
typedef struct TimeColumn
{
	AttrNumber	attnum;
	bool		local;			/* without time zone: in the attachment's */
	const char *name;
} TimeColumn;

typedef enum TimeRole
{
	TIME_RECEIVED,
	TIME_RESPONDED,
	TIME_LAST_UPDATE,
	TIME_CUSTOMER_REPLY,
	TIME_INVESTIGATED,
	TIME_RESOLVED,
	TIME_CHANGED
} TimeRole;

#define NUM_TIME_ROLES	(TIME_CHANGED + 1)

/* Texts of the status column */
typedef struct StatusList
{
	bool		given;
	int			n;
	char	  **texts;
} StatusList;

/*
 * The attachment of a table, with column numbers of one relation: the table
 * itself or one of its partitions.
 */
typedef struct Attachment
{
	int32		id;
	const char *policy;			/* NULL: the row's, or its account's */
	bool		reject;			/* rows that no policy covers are errors */
	bool		restamping;		/* rows it has are being recorded in pieces */
	int			nkeys;
	AttrNumber *keys;
	FmgrInfo   *key_out;
	TextColumn	text[NUM_TEXT_ROLES];
	TimeColumn	time[NUM_TIME_ROLES];
	int			nlabels;
	TextColumn *labels;
	bool		has_settings;	/* how keys or texts read depends on settings */
	bool		has_map;
	int			nmap;
	SeverityMapping *map;
	Severity	severity_default;	/* of NULL; 0: none */
	StatusList	paused_when;
	StatusList	resolved_when;
	StatusList	cancelled_when;
	pg_tz	   *zone;			/* of timestamps without one; NULL: none */
	bool		has_not_set;
	TimestampTz not_set;		/* the instant that means NULL */
	int			nstamps;
	StampColumn *stamps;
	int			nwatched;		/* columns that say something */
	AttrNumber *watched;
} Attachment;

/*
 * The attachment that governs a relation: its own or that of the partitioned
 * table it belongs to. NULL, and *problem a palloc'd sentence without a full
 * stop, when there is none or a column it needs is gone. Cached; valid until
 * the next call.
 */
extern const Attachment *attachment_get(Relation rel, char **problem);

/*
 * Make values read alike in every session: a ticket must not get lost because
 * a session has another time zone. End the returned level by AtEOXact_GUC().
 */
extern int	attachment_pin_settings(void);

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
 * A due time as a value of a stamped column, rounded as its type rounds.
 * *isnull when the column cannot hold it.
 */
extern Datum attachment_stamp_value(const Attachment *attachment,
									const StampColumn *stamp,
									TimestampTz due, bool *isnull);

/*
 * Do two versions of a row differ in a column that says something? While rows
 * are recorded in pieces they do, for the row may not have been read yet and
 * move to where it will not be.
 */
extern bool attachment_row_changed(const Attachment *attachment,
								   TupleTableSlot *before,
								   TupleTableSlot *after);

#endif							/* SLAPOLICY_ATTACHMENT_H */
