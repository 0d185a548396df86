/*
 * ticket_set.h
 *		A set of ids of tickets, in memory.
 */
#ifndef SLAPOLICY_TICKET_SET_H
#define SLAPOLICY_TICKET_SET_H

#include "postgres.h"

/*
 * Takes a few bits per id where ids are dense, as those of one table tend to
 * be. Lives in the memory context it was created in.
 */
typedef struct TicketSet TicketSet;

extern TicketSet *ticket_set_create(void);
extern void ticket_set_add(TicketSet *set, int64 id);
extern bool ticket_set_has(const TicketSet *set, int64 id);
extern void ticket_set_free(TicketSet *set);

#endif							/* SLAPOLICY_TICKET_SET_H */
