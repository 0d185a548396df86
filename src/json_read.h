/*
 * json_read.h
 *		Members and elements of jsonb values, as C strings.
 *
 * Knows nothing of what the values mean.
 */
#ifndef SLAPOLICY_JSON_READ_H
#define SLAPOLICY_JSON_READ_H

#include "postgres.h"

#include "utils/jsonb.h"

/* The string under a key of an object, palloc'd; NULL: none, or no string */
extern char *json_string(JsonbContainer *object, const char *key);

/* The array or object under a key; NULL: none, or neither */
extern JsonbContainer *json_container(JsonbContainer *object, const char *key);

/* The number under a key as an integer, the boolean under a key, or a default */
extern int32 json_int(JsonbContainer *object, const char *key, int32 missing);
extern bool json_bool(JsonbContainer *object, const char *key, bool missing);

/* Elements of an array; NULL has none. Strings are palloc'd, NULL: no string. */
extern int	json_length(JsonbContainer *array);
extern char *json_element(JsonbContainer *array, int i);
extern JsonbContainer *json_element_container(JsonbContainer *array, int i);

/*
 * All strings of an array, palloc'd; elements that are none are left out.
 * Returns how many.
 */
extern int	json_strings(JsonbContainer *array, char ***strings);

/*
 * Members of an object whose values are strings: *keys and *values, palloc'd.
 * Returns how many. A value that is no string comes as NULL.
 */
extern int	json_members(JsonbContainer *object, char ***keys, char ***values);

#endif							/* SLAPOLICY_JSON_READ_H */
