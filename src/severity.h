/*
 * severity.h
 *		How severe a ticket is: S1, the most severe, to S9.
 */
#ifndef SLAPOLICY_SEVERITY_H
#define SLAPOLICY_SEVERITY_H

#include "slapolicy.h"

/* Stored form, passed by value: the number itself */
typedef int16 Severity;

#define SEVERITY_MIN	1
#define SEVERITY_MAX	9

#define DatumGetSeverity(d) ((Severity) DatumGetInt16(d))
#define SeverityGetDatum(s) Int16GetDatum(s)
#define PG_GETARG_SEVERITY(n) DatumGetSeverity(PG_GETARG_DATUM(n))
#define PG_RETURN_SEVERITY(s) return SeverityGetDatum(s)

/*
 * Read any accepted spelling: "S1", "p2", "Sev 1", "sev-1", "Priority 3",
 * "4". False, with *out untouched, when the text is none. Raises nothing and
 * depends on no locale.
 */
extern bool severity_parse(const char *text, Severity *out);

/* "S1" to "S9", never freed. Raises XX000 for a value that is no severity. */
extern const char *severity_text(Severity severity);

#endif							/* SLAPOLICY_SEVERITY_H */
