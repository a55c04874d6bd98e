/* SPDX-License-Identifier: MIT */
/*
 * report: results of cases, told in several forms at once: TAP on standard
 * output, JUnit and JSON in files, a bar on a terminal.
 */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include "cli/check/check.h"

#include <stdint.h>

struct report_case {
	const char *profile, *name;
	const struct requirement *requirement;
	enum check_result result;
	bool failure; /* it counts: a must, or a should with --strict */
	const char *why;
	const struct transcript *transcript;
	const char *repeat; /* the command line for just this case */
	uint64_t us;
};

struct report_totals {
	size_t n, of[CHECK_RESULT_N], failures;
	uint64_t us;
};

struct report {
	const struct check_how *how;
	size_t planned;
	struct report_totals totals;
	bool bar; /* standard error is a terminal */
	struct buf junit, json;
};

void report_begin(struct report *r, const struct check_how *how, size_t n);
/* What will be run next, for the bar. */
void report_next(struct report *r, const char *profile, const char *name);
void report_add(struct report *r, const struct report_case *c);
/* Totals; writes the files.  0, or -1 with a line on stderr. */
int report_end(struct report *r);

/* One form each: report_tap.c, report_junit.c, report_json.c. */
void report_tap_begin(const struct report *r);
void report_tap_add(const struct report *r, const struct report_case *c);
void report_tap_end(const struct report *r);
void report_junit_add(struct report *r, const struct report_case *c);
int report_junit_end(struct report *r);
void report_json_begin(struct report *r);
void report_json_add(struct report *r, const struct report_case *c);
int report_json_end(struct report *r);
/* 0, or -1 with a line on stderr. */
int report_write_file(const char *path, const struct buf *text);

#endif
