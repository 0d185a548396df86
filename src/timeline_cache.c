/*
 * timeline_cache.c
 *		Keeps the compiled timelines of the calendars a backend has met.
 *
 * A value carries a digest of itself, so that finding its timeline costs a
 * comparison of 16 bytes when the call site asked for the same value before,
 * and one probe of a small hash table otherwise. Entries never move, and an
 * entry that changes its timeline changes its digest with it, so a call site
 * may keep a pointer to its last entry without being told of evictions.
 *
 * The number of timelines and their memory are bounded; the entry that was
 * not used for longest, roughly, makes room (second-chance order).
 *
 * Knows nothing of what timelines are asked.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "business_hours.h"
#include "timeline_cache.h"

#define CACHE_ENTRIES		256
#define CACHE_BUCKETS		1024	/* power of two, sparsely filled */
#define CACHE_MAX_MEMORY	((Size) 16 * 1024 * 1024)

typedef struct CacheEntry
{
	HoursDigest digest;
	Timeline   *timeline;		/* NULL: free */
	bool		used;			/* since the clock hand last passed */
} CacheEntry;

static CacheEntry entries[CACHE_ENTRIES];
static int16 buckets[CACHE_BUCKETS];	/* entry + 1, 0 is empty */
static int	hand = 0;

static inline uint32
home_bucket(const HoursDigest *digest)
{
	return (uint32) digest->lo & (CACHE_BUCKETS - 1);
}

static inline bool
digest_equal(const HoursDigest *a, const HoursDigest *b)
{
	return a->lo == b->lo && a->hi == b->hi;
}

/* The bucket that holds the digest, or the empty one where it would go */
static uint32
find_bucket(const HoursDigest *digest)
{
	uint32		at = home_bucket(digest);

	while (buckets[at] != 0 &&
		   !digest_equal(&entries[buckets[at] - 1].digest, digest))
		at = (at + 1) & (CACHE_BUCKETS - 1);
	return at;
}

/* Forget an entry, closing the gap it leaves in its chain of buckets. */
static void
evict(CacheEntry *entry)
{
	uint32		hole = find_bucket(&entry->digest);
	uint32		at = hole;
	Timeline   *timeline = entry->timeline;

	for (;;)
	{
		uint32		home;

		at = (at + 1) & (CACHE_BUCKETS - 1);
		if (buckets[at] == 0)
			break;
		home = home_bucket(&entries[buckets[at] - 1].digest);
		/* may the entry at "at" move back into the hole? */
		if (((at - home) & (CACHE_BUCKETS - 1)) >=
			((at - hole) & (CACHE_BUCKETS - 1)))
		{
			buckets[hole] = buckets[at];
			hole = at;
		}
	}
	buckets[hole] = 0;
	memset(entry, 0, sizeof(*entry));
	timeline_free(timeline);
}

/* A free entry, after evicting as many as the limits ask for */
static CacheEntry *
make_room(void)
{
	Size		memory = 0;
	int			count = 0;

	for (int i = 0; i < CACHE_ENTRIES; i++)
		if (entries[i].timeline != NULL)
		{
			memory += timeline_memory(entries[i].timeline);
			count++;
		}
	while (count == CACHE_ENTRIES || memory > CACHE_MAX_MEMORY)
	{
		CacheEntry *entry = &entries[hand];

		hand = (hand + 1) % CACHE_ENTRIES;
		if (entry->timeline == NULL)
			continue;
		if (entry->used)
		{
			entry->used = false;
			continue;
		}
		memory -= timeline_memory(entry->timeline);
		count--;
		evict(entry);
	}
	for (int i = 0; i < CACHE_ENTRIES; i++)
		if (entries[i].timeline == NULL)
			return &entries[i];
	pg_unreachable();
}

static CacheEntry *
cache_miss(Datum hours, const HoursDigest *digest)
{
	MemoryContext context;
	MemoryContext old;
	Timeline   *timeline;
	CacheEntry *entry;

	/* under the caller's context until complete, so that an error frees it */
	context = AllocSetContextCreate(CurrentMemoryContext, "slapolicy timeline",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	timeline = timeline_compile(business_hours_rules(hours), context);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, CacheMemoryContext);

	entry = make_room();
	entry->digest = *digest;
	entry->timeline = timeline;
	buckets[find_bucket(digest)] = entry - entries + 1;
	return entry;
}

/* Ask the cache, compiling the value if need be. */
static pg_noinline Timeline *
find_timeline(FmgrInfo *flinfo, Datum hours, HoursDigest digest)
{
	uint32		bucket = find_bucket(&digest);
	CacheEntry *entry;

	if (buckets[bucket] != 0)
		entry = &entries[buckets[bucket] - 1];
	else
		entry = cache_miss(hours, &digest);
	entry->used = true;
	if (flinfo)
		flinfo->fn_extra = entry;
	return entry->timeline;
}

Timeline *
timeline_get(FmgrInfo *flinfo, Datum hours)
{
	HoursDigest digest = business_hours_digest(hours);
	const CacheEntry *entry = flinfo ? flinfo->fn_extra : NULL;

	/* most calls meet the value that their call site met before */
	if (likely(entry != NULL && digest_equal(&entry->digest, &digest) &&
			   entry->timeline != NULL))
		return entry->timeline;
	return find_timeline(flinfo, hours, digest);
}
