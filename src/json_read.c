/*
 * json_read.c
 *		Members and elements of jsonb values, as C strings.
 *
 * Knows nothing of what the values mean.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "json_read.h"

static char *
string_of(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static JsonbContainer *
container_of_value(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvBinary)
		return NULL;
	return value->val.binary.data;
}

static JsonbValue *
member(JsonbContainer *object, const char *key)
{
	if (object == NULL || !JsonContainerIsObject(object))
		return NULL;
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

static JsonbValue *
element(JsonbContainer *array, int i)
{
	if (array == NULL || !JsonContainerIsArray(array))
		return NULL;
	return getIthJsonbValueFromContainer(array, i);
}

char *
json_string(JsonbContainer *object, const char *key)
{
	return string_of(member(object, key));
}

JsonbContainer *
json_container(JsonbContainer *object, const char *key)
{
	return container_of_value(member(object, key));
}

int32
json_int(JsonbContainer *object, const char *key, int32 missing)
{
	JsonbValue *value = member(object, key);

	if (value == NULL || value->type != jbvNumeric)
		return missing;
	return DatumGetInt32(DirectFunctionCall1(numeric_int4,
											 NumericGetDatum(value->val.numeric)));
}

bool
json_bool(JsonbContainer *object, const char *key, bool missing)
{
	JsonbValue *value = member(object, key);

	return value == NULL || value->type != jbvBool ? missing : value->val.boolean;
}

int
json_length(JsonbContainer *array)
{
	return array != NULL && JsonContainerIsArray(array) ?
		JsonContainerSize(array) : 0;
}

char *
json_element(JsonbContainer *array, int i)
{
	return string_of(element(array, i));
}

JsonbContainer *
json_element_container(JsonbContainer *array, int i)
{
	return container_of_value(element(array, i));
}

int
json_strings(JsonbContainer *array, char ***strings)
{
	int			length = json_length(array);
	int			n = 0;

	*strings = palloc(Max(length, 1) * sizeof(char *));
	for (int i = 0; i < length; i++)
	{
		char	   *string = json_element(array, i);

		if (string != NULL)
			(*strings)[n++] = string;
	}
	return n;
}

int
json_members(JsonbContainer *object, char ***keys, char ***values)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	int			n = 0;

	if (object == NULL || !JsonContainerIsObject(object))
		return 0;
	*keys = palloc(Max(JsonContainerSize(object), 1) * sizeof(char *));
	*values = palloc(Max(JsonContainerSize(object), 1) * sizeof(char *));
	it = JsonbIteratorInit(object);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			(*keys)[n] = string_of(&value);
		else if (token == WJB_VALUE)
			(*values)[n++] = string_of(&value);
	}
	return n;
}
