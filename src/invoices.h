/*
 * invoices.h
 *		What becomes of the record of tables of invoices that are gone.
 */
#ifndef SLAPOLICY_INVOICES_H
#define SLAPOLICY_INVOICES_H

#include "slapolicy.h"
#include "invoice_table.h"

/*
 * Note in a row that its table is gone, and that nothing is known of its
 * invoices any more. Somebody else may have done so meanwhile.
 */
extern bool invoices_table_is_gone(const InvoiceTableRow *row);
extern void invoices_end_gone(InvoiceTableRow *row, TimestampTz now);

#endif							/* SLAPOLICY_INVOICES_H */
