/*
 * row_track.h
 *		What triggers must remember of rows from one firing to another.
 */
#ifndef SLAPOLICY_ROW_TRACK_H
#define SLAPOLICY_ROW_TRACK_H

#include "slapolicy.h"
#include "executor/tuptable.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"
#include "attachment.h"

/*
 * DELETE has fired for a row; is it on its way to another partition? When
 * INSERT fires there, row_track_arrived() gives the key it had before, palloc'd;
 * NULL: the row has not moved.
 */
extern bool row_track_left(Relation rel, const Attachment *attachment,
						   TupleTableSlot *slot, char *key);
extern char *row_track_arrived(Relation rel, const Attachment *attachment,
							   TupleTableSlot *slot);

/*
 * Is a version of a row this transaction's, seen by a trigger of a statement
 * that a trigger runs? Then what made it may be still to be heard of, and if
 * nothing is known under its key, it is.
 */
extern bool row_track_may_be_news(TupleTableSlot *slot);

/*
 * INSERT has fired for a key that there is a ticket of: a row that came under a
 * key which another may have left.
 */
extern void row_track_came(Relation rel, const Attachment *attachment,
						   TupleTableSlot *slot, const char *key);

/* When a version of a row left its key: old is it, or the one that replaced it */
extern CommandId row_track_left_by(TupleTableSlot *old);
extern CommandId row_track_arrived_by(TupleTableSlot *replacing);

/* Where a row is, or was */
typedef struct Newcomer
{
	Oid			relid;
	ItemPointerData tid;
} Newcomer;

/*
 * Has a row come under a key since a command took another away from it? who is
 * filled in, and the row forgotten, unless who is NULL.
 */
extern bool row_track_newcomer(const Attachment *attachment, const char *key,
							   CommandId since, Newcomer *who);

#endif							/* SLAPOLICY_ROW_TRACK_H */
