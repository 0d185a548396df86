/*
 * event.c
 *		The texts of the kinds of events.
 *
 * Pure: no SQL, no memory of its own.
 */
#include "postgres.h"

#include "event.h"

#define KIND(text) {text, sizeof(text) - 1}

static const struct
{
	const char *text;
	size_t		length;
}			kinds[] = {
	[EVENT_OPENED] = KIND("opened"),
	[EVENT_REPLIED] = KIND("replied"),
	[EVENT_UPDATED] = KIND("updated"),
	[EVENT_CUSTOMER_REPLIED] = KIND("customer_replied"),
	[EVENT_INVESTIGATED] = KIND("investigated"),
	[EVENT_ASSIGNED] = KIND("assigned"),
	[EVENT_PAUSED] = KIND("paused"),
	[EVENT_RESUMED] = KIND("resumed"),
	[EVENT_SEVERITY] = KIND("severity"),
	[EVENT_PRODUCT] = KIND("product"),
	[EVENT_ACCOUNT] = KIND("account"),
	[EVENT_CHANNEL] = KIND("channel"),
	[EVENT_EXEMPTED] = KIND("exempted"),
	[EVENT_COVERED] = KIND("covered"),
	[EVENT_PINNED] = KIND("pinned"),
	[EVENT_RESOLVED] = KIND("resolved"),
	[EVENT_CANCELLED] = KIND("cancelled"),
	[EVENT_MERGED] = KIND("merged"),
	[EVENT_REOPENED] = KIND("reopened"),
	[EVENT_DELETED] = KIND("deleted"),
	[EVENT_RESTORED] = KIND("restored"),
	[EVENT_RETRACTED] = KIND("retracted"),
};

StaticAssertDecl(lengthof(kinds) == NUM_EVENT_KINDS,
				 "every kind of event needs a text");
StaticAssertDecl(NUM_EVENT_KINDS <= 32,
				 "kinds of events must fit an EventKindSet");

bool
event_kind_from_bytes(const char *text, size_t length, EventKind *kind)
{
	for (int i = 0; i < NUM_EVENT_KINDS; i++)
	{
		/* most differ in these: no call for them */
		if (length == kinds[i].length && text[0] == kinds[i].text[0] &&
			memcmp(text, kinds[i].text, length) == 0)
		{
			*kind = (EventKind) i;
			return true;
		}
	}
	return false;
}

bool
event_kind_from_text(const char *text, EventKind *kind)
{
	return event_kind_from_bytes(text, strlen(text), kind);
}

const char *
event_kind_text(EventKind kind)
{
	Assert(kind >= 0 && kind < NUM_EVENT_KINDS);
	return kinds[kind].text;
}
