/*
 * event.c
 *		The texts of the kinds of events.
 *
 * Pure: no SQL, no memory of its own.
 */
#include "postgres.h"

#include "event.h"

static const char *const kind_texts[] = {
	[EVENT_OPENED] = "opened",
	[EVENT_REPLIED] = "replied",
	[EVENT_UPDATED] = "updated",
	[EVENT_CUSTOMER_REPLIED] = "customer_replied",
	[EVENT_INVESTIGATED] = "investigated",
	[EVENT_ASSIGNED] = "assigned",
	[EVENT_PAUSED] = "paused",
	[EVENT_RESUMED] = "resumed",
	[EVENT_SEVERITY] = "severity",
	[EVENT_PRODUCT] = "product",
	[EVENT_ACCOUNT] = "account",
	[EVENT_CHANNEL] = "channel",
	[EVENT_EXEMPTED] = "exempted",
	[EVENT_COVERED] = "covered",
	[EVENT_PINNED] = "pinned",
	[EVENT_RESOLVED] = "resolved",
	[EVENT_CANCELLED] = "cancelled",
	[EVENT_MERGED] = "merged",
	[EVENT_REOPENED] = "reopened",
	[EVENT_DELETED] = "deleted",
	[EVENT_RESTORED] = "restored",
	[EVENT_RETRACTED] = "retracted",
};

StaticAssertDecl(lengthof(kind_texts) == NUM_EVENT_KINDS,
				 "every kind of event needs a text");
StaticAssertDecl(NUM_EVENT_KINDS <= 32,
				 "kinds of events must fit an EventKindSet");

bool
event_kind_from_text(const char *text, EventKind *kind)
{
	for (int i = 0; i < NUM_EVENT_KINDS; i++)
	{
		if (strcmp(text, kind_texts[i]) == 0)
		{
			*kind = (EventKind) i;
			return true;
		}
	}
	return false;
}

const char *
event_kind_text(EventKind kind)
{
	Assert(kind >= 0 && kind < NUM_EVENT_KINDS);
	return kind_texts[kind];
}
