/*
 * policy_rules.h
 *		What policy rows say in texts and arrays; for policy_compile.c,
 *		edition.c and contract.c.
 */
#ifndef SLAPOLICY_POLICY_RULES_H
#define SLAPOLICY_POLICY_RULES_H

#include "policy.h"
#include "policy_tables.h"

/* The texts of rules, as columns and editions spell them; false: unknown */
extern bool policy_severity_change_from_text(const char *text,
											 SeverityChangeRule *rule);
extern const char *policy_severity_change_text(SeverityChangeRule rule);
extern bool policy_reopening_from_text(const char *text, ReopeningRule *rule);
extern const char *policy_reopening_text(ReopeningRule rule);
extern bool policy_counts_from_text(const char *text, ChannelCounts *counts);
extern const char *policy_counts_text(ChannelCounts counts);

/* Kinds of events in a text[]; false when a metric cannot know one of them. */
extern bool policy_read_kinds(Datum array, EventKindSet *set);

/*
 * An alert threshold: "0.75" or "30min". False when it is neither; fraction 1
 * is the breach.
 */
extern bool policy_alert_from_text(const char *text, PolicyAlert *alert);

/* Its text, palloc'd */
extern char *policy_alert_text(const PolicyAlert *alert);

/* Those of a text[], palloc'd, without the breach; false when one is wrong. */
extern bool policy_read_alerts(Datum array, PolicyAlert **alerts, int *nalerts);

/*
 * Read the hours a calendar has now: *hours is a copy, not toasted, in keep.
 * NULL, or a palloc'd problem.
 */
extern char *policy_read_calendar(PolicyReader *reader, const char *name,
								  MemoryContext keep,
								  int32 *hours_id, Datum *hours);

/* The elements of a text[], palloc'd; NULL elements come as NULL. */
extern char **policy_array_texts(Datum array, int *n);

/*
 * Fill in what a version says beside its metrics and targets, allocated in
 * keep. NULL, or a palloc'd problem.
 */
extern char *policy_read_rules(PolicyReader *reader, MemoryContext keep,
							   PolicyVersion *version);

#endif							/* SLAPOLICY_POLICY_RULES_H */
