/*
 * worker.h
 *		What the rest of the module says to the worker.
 */
#ifndef SLAPOLICY_WORKER_H
#define SLAPOLICY_WORKER_H

#include "slapolicy.h"

/*
 * A clock with this next_alert_at was written in the current transaction.
 * Keeps the earliest and tells the worker at commit. Cheap enough for every
 * row; does nothing without preload. Never raises after its first call in a
 * backend.
 */
extern void worker_note_due(TimestampTz next_alert_at);

/* When preloaded, claim shared memory and start the launcher. For _PG_init. */
extern void worker_init(void);

#endif							/* SLAPOLICY_WORKER_H */
