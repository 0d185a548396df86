/*
 * char_class.h
 *		Kinds of ASCII characters, whatever the locale.
 */
#ifndef SLAPOLICY_CHAR_CLASS_H
#define SLAPOLICY_CHAR_CLASS_H

#include "postgres.h"

static inline bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif							/* SLAPOLICY_CHAR_CLASS_H */
