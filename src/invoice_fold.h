/*
 * invoice_fold.h
 *		From what happened to an invoice to when it was open, and how far.
 */
#ifndef SLAPOLICY_INVOICE_FOLD_H
#define SLAPOLICY_INVOICE_FOLD_H

#include "slapolicy.h"
#include "utils/date.h"

typedef enum InvoiceEventKind
{
	INVOICE_ISSUED,
	INVOICE_CHANGED,
	INVOICE_HAS_PAID,			/* so much in all, as the row says */
	INVOICE_SETTLED,
	INVOICE_REVERSED,			/* without amount: it is not settled */
	INVOICE_DISPUTED,
	INVOICE_UPHELD,
	INVOICE_VOIDED,
	INVOICE_REINSTATED,
	INVOICE_DELETED,
	INVOICE_RESTORED,
	INVOICE_PAYMENT,
	INVOICE_CREDIT
} InvoiceEventKind;

#define NUM_INVOICE_EVENT_KINDS	(INVOICE_CREDIT + 1)

extern const char *invoice_event_kind_text(InvoiceEventKind kind);
extern bool invoice_event_kind_from_text(const char *text,
										 InvoiceEventKind *kind);

/* A row of sla.invoice_event */
typedef struct InvoiceEvent
{
	int32		seq;
	InvoiceEventKind kind;
	TimestampTz at;
	TimestampTz recorded_at;
	const char *account;		/* NULL: none, like the next one */
	const char *service;
	bool		has_due;
	DateADT		due;
	bool		has_amount;
	Datum		amount;			/* numeric */
	const char *source;			/* NULL: the row */
} InvoiceEvent;

/* A stretch of time [from, to) in which an invoice is open */
typedef struct InvoiceStretch
{
	TimestampTz from;
	TimestampTz to;
	bool		has_open;		/* false: in full, whatever that is */
	Datum		open;			/* numeric */
} InvoiceStretch;

/* Something that may begin and end, and where it stands */
typedef struct InvoiceSpell
{
	bool		on;
	TimestampTz since;			/* while it is on */
} InvoiceSpell;

typedef struct InvoiceFold
{
	const char *account;
	const char *service;
	bool		has_due;
	DateADT		due;
	bool		has_amount;
	Datum		amount;
	Datum		paid;			/* by all that is known */
	bool		has_row_paid;	/* what the row said last has been paid */
	Datum		row_paid;
	InvoiceSpell settled;
	InvoiceSpell disputed;
	InvoiceSpell voided;
	InvoiceSpell deleted;
	int			nstretches;
	InvoiceStretch *stretches;	/* in order, those that touch differ */
} InvoiceFold;

/*
 * Fold the events of an invoice, in the order of recording, as far as recorded
 * until known_at (infinity: all). False when it was not known. Allocates in
 * CurrentMemoryContext; texts and numbers are those of the events.
 */
extern bool invoice_fold(const InvoiceEvent *events, int nevents,
						 TimestampTz known_at, InvoiceFold *fold);

/* The least that has been paid in all at any instant from one on, a numeric */
extern Datum invoice_least_paid(const InvoiceEvent *events, int n,
								TimestampTz from);

/* Is it open from ever until some instant, with the same amount? */
extern bool invoice_fold_is_plain(const InvoiceFold *fold);

/* The instant from which it is not open any more; -infinity: it never was */
extern TimestampTz invoice_fold_counts_until(const InvoiceFold *fold);

/* Its state, as sla.invoice has it */
extern const char *invoice_fold_state(const InvoiceFold *fold);

/*
 * Can a number be an amount: of so many digits at most that no sum of amounts
 * is out of the range of numeric?
 */
extern bool invoice_is_amount(Datum number);

#endif							/* SLAPOLICY_INVOICE_FOLD_H */
