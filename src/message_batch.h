/*
 * message_batch.h
 *		The messages of one statement, kept until its end.
 */
#ifndef SLAPOLICY_MESSAGE_BATCH_H
#define SLAPOLICY_MESSAGE_BATCH_H

#include "slapolicy.h"
#include "message_table.h"
#include "utils/relcache.h"

typedef struct MessageBatch MessageBatch;

/*
 * Begin to keep the messages of a table that rel is, until
 * message_batch_close(). Nothing happens when the table is not attached, or
 * they are being kept already.
 */
extern void message_batch_open(Relation rel);

/* The batch that keeps messages of a table; NULL: they are not to be kept */
extern MessageBatch *message_batch_find(const MessageTable *table);

/* Keep a message that is about a ticket. May report those that are kept. */
extern void message_batch_add(MessageBatch *batch, const Message *message);

/* Report what was kept of a table that rel is, if anything. */
extern void message_batch_close(Relation rel);

#endif							/* SLAPOLICY_MESSAGE_BATCH_H */
