/* SPDX-License-Identifier: MIT */
/*
 * doctor_find: findings of `mimedefang doctor`, and how they are shown.
 *
 * A new one is a row of doctor_find.def, a rule that adds it, and its tests
 * (tests/lint/doctor says which are missing).
 */
#ifndef CLI_DOCTOR_FIND_H
#define CLI_DOCTOR_FIND_H

#include "core/base/buf.h"

#include <stdbool.h>

enum doctor_severity {
	DOCTOR_PROBLEM, /* mail is not filtered, or not accepted */
	DOCTOR_WARNING, /* it will not be, in a case that is to be expected */
	DOCTOR_NOTE,    /* may be as it should be */
	DOCTOR_SEVERITIES
};

enum doctor_id {
#define FINDING(id, name, severity, why) id,
#include "cli/doctor_find.def"
#undef FINDING
	FOUND_N
};

struct doctor_kind {
	const char *name;
	enum doctor_severity severity;
	const char *why;
};
extern const struct doctor_kind doctor_kinds[FOUND_N];

#define DOCTOR_FINDINGS_MAX 128 /* more are not told */

struct doctor_finding {
	enum doctor_id id;
	char what[1024];
	char change[2048]; /* what to do: the line to change */
};
struct doctor_report {
	struct doctor_finding v[DOCTOR_FINDINGS_MAX];
	size_t n;
	bool full; /* the last one was not taken */
};

/* A new finding with this text; doctor_change says what to do about the last
 * one. */
void doctor_found(struct doctor_report *r, enum doctor_id id, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
void doctor_change(struct doctor_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* How many there are of this severity. */
size_t doctor_count(const struct doctor_report *r, enum doctor_severity s);
/* The report for people, worst first, with a last line that counts; as one JSON
 * document; the list of all kinds for the manual page. */
void doctor_text(const struct doctor_report *r, struct buf *out);
void doctor_json(const struct doctor_report *r, struct buf *out);
void doctor_mdoc(struct buf *out);

#endif
