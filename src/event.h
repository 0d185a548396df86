/*
 * event.h
 *		The kinds of things that happen to a ticket.
 *
 * Pure names: knows nothing of tickets, policies or tables.
 */
#ifndef SLAPOLICY_EVENT_H
#define SLAPOLICY_EVENT_H

#include "postgres.h"

/* Spelled in sla.event.kind and sla.metric by the texts in event.c */
typedef enum EventKind
{
	EVENT_OPENED,
	EVENT_REPLIED,
	EVENT_UPDATED,
	EVENT_CUSTOMER_REPLIED,
	EVENT_INVESTIGATED,
	EVENT_ASSIGNED,
	EVENT_PAUSED,
	EVENT_RESUMED,
	EVENT_SEVERITY,
	EVENT_PRODUCT,
	EVENT_ACCOUNT,
	EVENT_CHANNEL,
	EVENT_EXEMPTED,
	EVENT_COVERED,
	EVENT_PINNED,
	EVENT_RESOLVED,
	EVENT_CANCELLED,
	EVENT_MERGED,
	EVENT_REOPENED,
	EVENT_DELETED,
	EVENT_RESTORED,
	EVENT_RETRACTED
} EventKind;

#define NUM_EVENT_KINDS		(EVENT_RETRACTED + 1)

/* A set of kinds */
typedef uint32 EventKindSet;

#define EVENT_KIND_BIT(kind)	(((EventKindSet) 1) << (kind))

/* What a metric can start on, stop on and restart on */
#define METRIC_EVENT_KINDS \
	(EVENT_KIND_BIT(EVENT_OPENED) | EVENT_KIND_BIT(EVENT_REPLIED) | \
	 EVENT_KIND_BIT(EVENT_UPDATED) | EVENT_KIND_BIT(EVENT_CUSTOMER_REPLIED) | \
	 EVENT_KIND_BIT(EVENT_INVESTIGATED) | EVENT_KIND_BIT(EVENT_ASSIGNED) | \
	 EVENT_KIND_BIT(EVENT_RESOLVED) | EVENT_KIND_BIT(EVENT_REOPENED))

/* False, and *kind untouched, when the text names no kind. */
extern bool event_kind_from_text(const char *text, EventKind *kind);

/* The same of a text of this length that no zero byte ends */
extern bool event_kind_from_bytes(const char *text, size_t length,
								  EventKind *kind);

/* A constant; never NULL for a valid kind. */
extern const char *event_kind_text(EventKind kind);

#endif							/* SLAPOLICY_EVENT_H */
