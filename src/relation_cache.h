/*
 * relation_cache.h
 *		What has been found out about relations, kept until any of them changes.
 *
 * For what is looked up whenever a trigger fires: which column of the relation
 * plays which role. Knows nothing of what that is.
 */
#ifndef SLAPOLICY_RELATION_CACHE_H
#define SLAPOLICY_RELATION_CACHE_H

#include "slapolicy.h"
#include "utils/hsearch.h"
#include "utils/relcache.h"

/* Static, with just the name filled in */
typedef struct RelationCache
{
	const char *name;
	MemoryContext context;		/* all that is kept lives and goes together */
	HTAB	   *entries;
	bool		stale;
	bool		loading;		/* an entry, which is not there yet */
} RelationCache;

/*
 * Finds out about a relation. What is kept is allocated in the context given;
 * NULL, and *problem a palloc'd sentence without a full stop, when there is
 * nothing to keep.
 */
typedef void *(*RelationLoader) (Relation rel, MemoryContext keep,
								 char **problem);

/*
 * What load says of a relation, loaded at most once while no relation that is
 * kept changes. Valid until the next call for this cache.
 */
extern void *relation_cache_get(RelationCache *cache, Relation rel,
								RelationLoader load, char **problem);

#endif							/* SLAPOLICY_RELATION_CACHE_H */
