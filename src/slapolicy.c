/*
 * slapolicy.c
 *		What happens when the library is loaded.
 *
 * Knows only which parts want to be set up; the work is theirs.
 */
#include "slapolicy.h"

#include "guc.h"
#include "worker.h"

SLAPOLICY_MODULE_MAGIC;

void		_PG_init(void);

/*
 * Runs once per process: in the postmaster when preloaded, else in the backend
 * that first calls a function of ours.
 */
void
_PG_init(void)
{
	guc_init();
	worker_init();
}
