/*
 * backend.h
 *		As much of a server process as pure code needs: memory and errors.
 */
#ifndef SLAPOLICY_FUZZ_BACKEND_H
#define SLAPOLICY_FUZZ_BACKEND_H

#include "postgres.h"

#include <setjmp.h>

/* Where errors go; set before anything that may raise one. */
extern jmp_buf backend_error;

/* SQLSTATE of the last error, as errcode() takes it */
extern int	backend_sqlstate;

/* Free everything palloc'd; aborts if it was ever more than max bytes. */
extern void backend_reset(Size max);

/* libFuzzer's entry point, also called by the driver without libFuzzer */
extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

#endif							/* SLAPOLICY_FUZZ_BACKEND_H */
