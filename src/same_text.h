/*
 * same_text.h
 *		Equality of texts that may be NULL.
 */
#ifndef SLAPOLICY_SAME_TEXT_H
#define SLAPOLICY_SAME_TEXT_H

#include "postgres.h"

static inline bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

#endif							/* SLAPOLICY_SAME_TEXT_H */
