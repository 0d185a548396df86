/*
 * standstill.h
 *		Stretches in which a clock stands still, one after the other, and the
 *		working time they take.
 *
 * Pure: knows no tickets and no current time.
 */
#ifndef SLAPOLICY_STANDSTILL_H
#define SLAPOLICY_STANDSTILL_H

#include "slapolicy.h"
#include "deadline.h"

/*
 * Those after an instant, growing at the end. Questions take about as long as
 * a binary search. The timeline must be that of the same calendar each time.
 */
typedef struct Standstill
{
	TimestampTz start;
	TimestampTz open_since;		/* the last one has no end yet; DT_NOEND: none */
	int			n;
	int			room;
	Pause	   *stretches;		/* in order and apart from each other, palloc'd */
	int64	   *taken;			/* working time in these up to here, palloc'd */
} Standstill;

/* Forget all; zero-initialise before the first call. */
extern void standstill_begin(Standstill *still, TimestampTz start);

/*
 * Add a stretch, which may overlap others; none may have ended later. One
 * without an end is set in open_since instead.
 */
extern void standstill_add(Standstill *still, Timeline *tl,
						   TimestampTz from, TimestampTz to);

/* Working time from start to an instant that lies inside, microseconds */
extern int64 standstill_taken(const Standstill *still, Timeline *tl,
							  TimestampTz until);

/* As deadline_with_pauses() from start; the amount is not negative. */
extern TimestampTz standstill_deadline(const Standstill *still, Timeline *tl,
									   const BusinessInterval *amount);

/* The end of the stretch that an instant lies in, or the instant itself */
extern TimestampTz standstill_end(const Standstill *still, TimestampTz at);

/* The end of the last stretch that has one; DT_NOBEGIN when there is none */
extern TimestampTz standstill_last_end(const Standstill *still);

#endif							/* SLAPOLICY_STANDSTILL_H */
