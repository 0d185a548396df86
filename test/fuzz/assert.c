/*
 * assert.c
 *		Where assertions fail. Its arguments differ between versions but for
 *		the first, so that no header of the server is included here.
 */
#include <stdio.h>
#include <stdlib.h>

void		ExceptionalCondition(const char *condition);

void
ExceptionalCondition(const char *condition)
{
	fprintf(stderr, "failed Assert: %s\n", condition);
	abort();
}
