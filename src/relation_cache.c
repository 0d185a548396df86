/*
 * relation_cache.c
 *		Keeps what has been found out about relations.
 *
 * Knows nothing of what that is.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "relation_cache.h"

typedef struct RelationEntry
{
	Oid			relid;			/* hash key */
	void	   *kept;			/* NULL: see problem */
	char	   *problem;
} RelationEntry;

static void
forget_relation(Datum arg, Oid relid)
{
	RelationCache *cache = (RelationCache *) DatumGetPointer(arg);

	/* the entries may be in use; they are freed at the next look-up */
	if (cache->entries == NULL || cache->loading || !OidIsValid(relid) ||
		hash_search(cache->entries, &relid, HASH_FIND, NULL) != NULL)
		cache->stale = true;
}

static void
prepare(RelationCache *cache)
{
	HASHCTL		ctl;

	cache->loading = false;		/* an error may have left it */
	if (cache->entries != NULL && !cache->stale)
		return;
	if (cache->context == NULL)
	{
		cache->context = AllocSetContextCreate(CacheMemoryContext,
											   "slapolicy relations",
											   ALLOCSET_SMALL_SIZES);
		CacheRegisterRelcacheCallback(forget_relation, PointerGetDatum(cache));
	}
	cache->entries = NULL;
	MemoryContextReset(cache->context);
	MemoryContextSetIdentifier(cache->context, cache->name);
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(RelationEntry);
	ctl.hcxt = cache->context;
	cache->entries = hash_create(cache->name, 16, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	cache->stale = false;
}

void *
relation_cache_get(RelationCache *cache, Relation rel, RelationLoader load,
				   char **problem)
{
	Oid			relid = RelationGetRelid(rel);
	RelationEntry *entry;

	prepare(cache);
	entry = hash_search(cache->entries, &relid, HASH_FIND, NULL);
	if (entry == NULL)
	{
		char	   *trouble = NULL;
		void	   *kept;

		cache->loading = true;
		kept = load(rel, cache->context, &trouble);
		if (trouble != NULL)
			trouble = MemoryContextStrdup(cache->context, trouble);
		cache->loading = false;
		entry = hash_search(cache->entries, &relid, HASH_ENTER, NULL);
		entry->kept = trouble == NULL ? kept : NULL;
		entry->problem = trouble;
	}
	*problem = entry->problem;
	return entry->kept;
}
