/*
 * stamp.h
 *		Due times in columns of ticket tables, and what the triggers share
 *		with whatever else stamps rows.
 */
#ifndef SLAPOLICY_STAMP_H
#define SLAPOLICY_STAMP_H

#include "attachment.h"
#include "record.h"

/*
 * The due time a plan gives a stamped column, as a value of the column;
 * *isnull when it gives none. That of a promise kept or broken stays, that of
 * one which fell away, is exempt or stands still goes.
 */
extern Datum stamp_for(const Attachment *attachment, const StampColumn *stamp,
					   const TicketPlan *plan, bool *isnull);

/* Does a row have the due time the plan gives this column? */
extern bool stamp_is_right(const Attachment *attachment,
						   const StampColumn *stamp, const TicketPlan *plan,
						   TupleTableSlot *slot);

/* Are all stamped columns of a row right? */
extern bool stamps_are_right(const Attachment *attachment,
							 const TicketPlan *plan, TupleTableSlot *slot);

/*
 * Does the server refuse every update of the relation's rows, because they are
 * published without a replica identity that allows that? Inserts it does not.
 */
extern bool stamping_refused(Relation rel);

/*
 * Write a plan's due times into rows of one relation that holds rows itself.
 * slot must be of the relation's own kind and hold the row's latest version,
 * which this transaction has locked or nobody else can write to. Increments
 * the command counter. Raises what an UPDATE would raise of constraints and
 * indexes. An error closes the target.
 *
 * A constraint that is checked after the statement, or at commit, is left to
 * whoever wrote the row; so stamp_target_open() raises 55006 when something
 * that this transaction wrote waits for that. stamp_target_open_writing() is
 * for triggers of the statement that writes: it has such constraints checked
 * as those of the statement are.
 */
typedef struct StampTarget StampTarget;

extern StampTarget *stamp_target_open(Relation rel);
extern StampTarget *stamp_target_open_writing(Relation rel);
extern void stamp_row(StampTarget *target, const Attachment *attachment,
					  const TicketPlan *plan, TupleTableSlot *slot);
extern void stamp_target_close(StampTarget *target);

/*
 * The row that an AFTER trigger fired for as it is now, in a slot of its own:
 * a trigger that fired before may have updated it once more. NULL when it has
 * been deleted or has moved on to another partition, whose trigger takes care
 * of it.
 */
extern TupleTableSlot *trigger_current_row(Relation rel,
										   TupleTableSlot *fired);

/* Raise 23514: a row that no policy covers, in a table that rejects those */
pg_noreturn extern void reject_row(Relation rel, const char *key,
								   const char *problem);

#endif							/* SLAPOLICY_STAMP_H */
