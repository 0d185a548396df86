/*
 * hours_select.h
 *		Reads which days a rule is for.
 *
 * Private to hours_text.c. Both functions are entered with their first token
 * in scan->token, leave the first one behind them there, and return false
 * after a soft error was saved.
 */
#ifndef SLAPOLICY_HOURS_SELECT_H
#define SLAPOLICY_HOURS_SELECT_H

#include "hours_canon.h"
#include "hours_scan.h"

/* Can dates begin with this token? */
extern bool hours_token_is_date(const HoursToken *token);

/* Sets named[], 0 = Monday, for the weekdays. */
extern bool hours_parse_weekdays(HoursScanner *scan, bool *named);

/* Adds the dates to the builder; the caller gives them their day. */
extern bool hours_parse_dates(HoursScanner *scan, HoursBuilder *builder);

#endif							/* SLAPOLICY_HOURS_SELECT_H */
