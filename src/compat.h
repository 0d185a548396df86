/*
 * compat.h
 *		Every difference between PostgreSQL 15, 16, 17 and 18 that this module
 *		meets, behind the newest spelling. No other file tests the version.
 */
#ifndef SLAPOLICY_COMPAT_H
#define SLAPOLICY_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "slapolicy needs PostgreSQL 15 or later"
#endif

#include "nodes/nodes.h"

/* 16 moved the varlena macros and brought soft errors */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#else
/* before 16 an input function can only fail hard */
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#endif

/* 16 made one ownership check of many; only relations are asked for here */
#if PG_VERSION_NUM < 160000
#define object_ownercheck(classid, objectid, roleid) \
	pg_class_ownercheck(objectid, roleid)
#endif

/* 18 puts noreturn first; before there is only the attribute */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 16 lets an updated row leave out the indexes that do not summarize */
#if PG_VERSION_NUM < 160000
typedef enum TU_UpdateIndexes
{
	TU_None,
	TU_All,
	TU_Summarizing
} TU_UpdateIndexes;

#define simple_heap_update_compat(rel, tid, tuple, indexes) \
	(simple_heap_update(rel, tid, tuple), \
	 (void) (*(indexes) = HeapTupleIsHeapOnly(tuple) ? TU_None : TU_All))
#define index_summarizes(info) ((void) (info), false)
#else
#define simple_heap_update_compat(rel, tid, tuple, indexes) \
	simple_heap_update(rel, tid, tuple, indexes)
#define index_summarizes(info) ((info)->ii_Summarizing)
#endif

/* 16 lets a range fail softly */
#if PG_VERSION_NUM < 160000
#define make_range_compat(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty)
#else
#define make_range_compat(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty, NULL)
#endif

/* 17 brought infinite intervals */
#if PG_VERSION_NUM < 170000
#define INTERVAL_NOT_FINITE(interval) ((void) (interval), false)
#endif

/* 18 lets a scan of an index be instrumented */
#if PG_VERSION_NUM >= 180000
#define index_beginscan_compat(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, NULL, nkeys, 0)
#else
#define index_beginscan_compat(rel, index, snapshot, nkeys) \
	index_beginscan(rel, index, snapshot, nkeys, 0)
#endif

/* 18 publishes generated columns, or does not */
#if PG_VERSION_NUM < 180000
#define publication_gencols_valid(desc) ((void) (desc), true)
#else
#define publication_gencols_valid(desc) ((desc)->gencols_valid_for_update)
#endif

/* 18 shows name and version of a loaded module */
#if PG_VERSION_NUM >= 180000
#define SLAPOLICY_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "slapolicy", .version = SLAPOLICY_VERSION)
#else
#define SLAPOLICY_MODULE_MAGIC PG_MODULE_MAGIC
#endif

#endif							/* SLAPOLICY_COMPAT_H */
