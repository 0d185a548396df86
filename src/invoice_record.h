/*
 * invoice_record.h
 *		Brings the ledger up to what an invoice's row, and others, say.
 */
#ifndef SLAPOLICY_INVOICE_RECORD_H
#define SLAPOLICY_INVOICE_RECORD_H

#include "slapolicy.h"
#include "invoice_ledger.h"
#include "invoice_table.h"

/* The rule of a policy in force at an instant; NULL: it has none */
extern const RestrictionRule *invoice_rule(const char *policy, TimestampTz at);

/*
 * Record what the row of a key says. former_key is the key it had before, or
 * NULL. Returns whether there was anything to record; *id is its
 * sla.invoice.id. Allocates in
 * CurrentMemoryContext; increments the command counter.
 */
extern bool invoice_record_row(Ledger *ledger, const InvoiceTable *table,
							   const char *key, const char *former_key,
							   const InvoiceRow *row, int64 *id);

/* Record that the row of a key is gone at an instant. */
extern bool invoice_record_gone(Ledger *ledger, int32 attachment_id,
								const char *key, TimestampTz now);

/* The next instant after another at which an invoice may change a level */
extern TimestampTz invoice_next_change(const RestrictionRule *rule,
									   const InvoiceFold *fold,
									   TimestampTz after);

#endif							/* SLAPOLICY_INVOICE_RECORD_H */
