/*
 * attachment_columns.h
 *		Single columns of users' tables: found by name, and read.
 *
 * For whoever reads rows that are no tickets in the way of attachments. Of an
 * Attachment only what these functions are about needs to be filled in.
 */
#ifndef SLAPOLICY_ATTACHMENT_COLUMNS_H
#define SLAPOLICY_ATTACHMENT_COLUMNS_H

#include "slapolicy.h"
#include "attachment.h"
#include "utils/jsonb.h"

/*
 * Find columns in a relation; *problem, otherwise left alone, becomes a
 * palloc'd sentence without a full stop when one is not there or does not do.
 * All that is found lives in CurrentMemoryContext. Keys are a list of names.
 * Texts and keys tell the attachment whether reading them depends on settings,
 * times are read in its zone.
 */
extern void attachment_find_keys(Attachment *attachment, Relation rel,
								 JsonbContainer *columns, char **problem);
extern void attachment_find_text(Attachment *attachment, Relation rel,
								 const char *name, TextColumn *column,
								 char **problem);
extern void attachment_find_time(Attachment *attachment, Relation rel,
								 const char *name, TimeColumn *column,
								 char **problem);

/*
 * Read options of an attachment: a list of texts, empty when it is not given;
 * the zone of times without one, *problem when the server does not know it.
 */
extern void attachment_read_statuses(JsonbContainer *options,
									 const char *name, StatusList *list);
extern void attachment_read_zone(Attachment *attachment,
								 JsonbContainer *options, char **problem);

/* Add to the columns whose changes are news; there must be room. 0: none */
extern void attachment_watch(Attachment *attachment, AttrNumber attnum);

/* A column as text, palloc'd; NULL when it is null or not used */
extern char *attachment_text(TextColumn *column, TupleTableSlot *slot);

/*
 * A time that counts: infinite ones, and the one for it, say as little as
 * NULL.
 */
extern MaybeTime attachment_time(const Attachment *attachment,
								 const TimeColumn *column,
								 TupleTableSlot *slot);

#endif							/* SLAPOLICY_ATTACHMENT_COLUMNS_H */
