/*
 * guc.h
 *		The settings of slapolicy; all of them concern flagging.
 */
#ifndef SLAPOLICY_GUC_H
#define SLAPOLICY_GUC_H

#include "slapolicy.h"

extern char *slapolicy_databases;	/* list of names, empty: all */
extern int	slapolicy_batch_size;	/* clocks flagged per transaction */
extern int	slapolicy_max_sleep;	/* seconds */
extern bool slapolicy_notify;
extern char *slapolicy_role;	/* name, empty: the extension's owner */
extern int	slapolicy_log_level;	/* elevel of what workers have done */

/* Define them all and reserve the prefix. For _PG_init. */
extern void guc_init(void);

#endif							/* SLAPOLICY_GUC_H */
