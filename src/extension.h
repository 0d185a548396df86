/*
 * extension.h
 *		The extension as the present database has it.
 */
#ifndef SLAPOLICY_EXTENSION_H
#define SLAPOLICY_EXTENSION_H

#include "slapolicy.h"

typedef struct Extension
{
	Oid			oid;
	Oid			owner;
	char	   *version;		/* palloc'd */
} Extension;

/* False when there is none. As things are committed now. */
extern bool extension_find(Extension *extension);

/* The same, and nobody drops it until the transaction ends. */
extern bool extension_lock(Extension *extension);

#endif							/* SLAPOLICY_EXTENSION_H */
