/* SPDX-License-Identifier: MIT */
/*
 * doctor_rules: what `mimedefang doctor` thinks of the facts.  Pure: what a rule
 * looks at is in doctor_facts, what it finds goes into the report.
 */
#ifndef CLI_DOCTOR_RULES_H
#define CLI_DOCTOR_RULES_H

#include "cli/doctor_facts.h"
#include "cli/doctor_find.h"

/* All of them. */
void doctor_examine(const struct doctor_facts *f, struct doctor_report *r);

/* In its order; the first two once for each MTA: whether mail comes to us, how it
 * speaks to us; then whether it can connect, options and multiplexor, spool,
 * filter. */
void doctor_rules_use(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r);
void doctor_rules_terms(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r);
void doctor_rules_socket(const struct doctor_facts *f, struct doctor_report *r);
void doctor_rules_host(const struct doctor_facts *f, struct doctor_report *r);
void doctor_rules_spool(const struct doctor_facts *f, struct doctor_report *r);
void doctor_rules_filter(const struct doctor_facts *f, struct doctor_report *r);

/* How long an answer of the multiplexor may take: a worker's time, and that in
 * the queue if there is one. */
long doctor_longest_s(const struct doctor_facts *f);
/* "postconf", with "-c DIR" if it is not the usual one. */
void doctor_postconf(const struct mta *m, char *out, size_t outlen);
/* Our socket as this MTA has to name it. */
void doctor_address(const struct doctor_facts *f, const struct mta *m,
    char *out, size_t outlen);

#endif
