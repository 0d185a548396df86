/*
 * invoice_ledger.h
 *		Invoices and their events, in and out of the ledger.
 */
#ifndef SLAPOLICY_INVOICE_LEDGER_H
#define SLAPOLICY_INVOICE_LEDGER_H

#include "slapolicy.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "invoice_fold.h"
#include "ledger_tables.h"
#include "ticket_set.h"

/* A row of sla.invoice; texts are palloc'd */
typedef struct LedgerInvoice
{
	ItemPointerData tid;
	int64		id;				/* 0: not written yet */
	int32		attachment_id;
	char	   *key;
	char	   *policy;
	char	   *account;		/* NULL: none, like the next one */
	char	   *service;
	bool		has_due;
	DateADT		due;
	bool		has_amount;
	Datum		amount;
	Datum		paid;
	const char *state;
	TimestampTz counts_until;
	bool		plain;
	bool		has_days;
	int32		days;
	char	   *problem;		/* NULL: none */
	TimestampTz next_change_at; /* DT_NOEND: never */
} LedgerInvoice;

/* A row of sla.invoice that a scan has found */
extern void invoice_read(Ledger *ledger, HeapTuple tuple,
						 LedgerInvoice *invoice);

/*
 * The invoice of a key; false when there is none. With lock its row is locked
 * first, so that its events are all there are.
 */
extern bool invoice_find(Ledger *ledger, int32 attachment_id, const char *key,
						 bool lock, LedgerInvoice *invoice);

/* An invoice that lost this key to another row and is not deleted, locked */
extern bool invoice_find_displaced(Ledger *ledger, int32 attachment_id,
								   const char *key, LedgerInvoice *invoice);

/* Take its key from an invoice that another row has come under. */
extern void invoice_displace(Ledger *ledger, LedgerInvoice *invoice);

/* Insert, filling in id and tid, or update. */
extern void invoice_write(Ledger *ledger, LedgerInvoice *invoice);

/*
 * Its events in the order of recording, palloc'd, with room for more; as the
 * snapshot has them, NULL: the latest. Returns how many.
 */
extern int	invoice_read_events(Ledger *ledger, int64 id, Snapshot snapshot,
								int room, InvoiceEvent **events);
extern void invoice_write_event(Ledger *ledger, int64 id,
								const InvoiceEvent *event);

/*
 * Keys of all invoices of an attachment that are not deleted, but for a set of
 * ids (NULL: none); palloc'd
 */
extern List *invoice_keys(Ledger *ledger, int32 attachment_id,
						  const TicketSet *but);

#endif							/* SLAPOLICY_INVOICE_LEDGER_H */
