/* SPDX-License-Identifier: MIT */
/*
 * check: cases, each of one requirement, run by profile and reported; the part
 * that `milter-check filter` and `milter-check mta` share.
 */
#ifndef CLI_CHECK_CHECK_H
#define CLI_CHECK_CHECK_H

#include "cli/check/requirement.h"
#include "cli/check/transcript.h"
#include "core/base/buf.h"
#include "core/base/opt.h"

#include <stdbool.h>
#include <stddef.h>

enum check_result {
	CHECK_PASS,
	CHECK_FAIL,
	CHECK_DIFFERS,        /* seen to do it in one of several ways */
	CHECK_NOT_APPLICABLE, /* nothing that the peer does is concerned */
	CHECK_RESULT_N
};
const char *check_result_word(enum check_result r);

/* What a case works with.  Transcript and `why` are empty when it begins. */
struct check_run {
	const char *profile; /* its name */
	size_t profile_index;
	struct transcript transcript;
	struct buf why; /* one line: what was seen */
	void *role;     /* struct of the subcommand */
	const struct check_case *current;
};

struct check_case {
	const char *name;     /* lower case, words joined by "-" */
	unsigned requirement; /* number */
	uint32_t profiles;    /* bit i: runs with profile i of the suite */
	enum check_result (*run)(struct check_run *run);
};

/* Each notes what was seen and returns the result. */
__attribute__((format(printf, 2, 3))) enum check_result check_fail(
    struct check_run *run, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) enum check_result check_differs(
    struct check_run *run, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) enum check_result check_not_applicable(
    struct check_run *run, const char *fmt, ...);

/* All cases of one role. */
struct check_suite {
	enum requirement_role role;
	const char *const *profiles; /* names, NULL behind the last */
	/* Tables, NULL behind the last; each ends with a row without name. */
	const struct check_case *const *tables;
};
extern const struct check_suite check_filter_suite, check_mta_suite;

/* Case i of all tables, or NULL. */
const struct check_case *check_case_at(const struct check_suite *s, size_t i);

/* Options of both subcommands; the member of their own struct is `check`. */
struct check_opts {
	struct opt_list only, profiles;
	const char *junit, *json;
	bool list, strict, verbose;
};
/* clang-format off */
#define CHECK_OPT_ROWS(type)                                                   \
	{ 0, "only", OPT_LIST, 0, offsetof(type, check.only), "CASE", NULL,    \
	    0, 0, "run this case only: its name, or MLT-nnn for all of that "  \
	    "requirement; may be repeated", NULL },                            \
	{ 0, "profile", OPT_LIST, 0, offsetof(type, check.profiles), "NAME",   \
	    NULL, 0, 0, "run this profile only; may be repeated", NULL },      \
	{ 0, "list", OPT_FLAG, OPT_MODE, offsetof(type, check.list), NULL,     \
	    NULL, 0, 0, "list the cases with their requirements and profiles", \
	    NULL },                                                            \
	{ 0, "strict", OPT_FLAG, 0, offsetof(type, check.strict), NULL, NULL,  \
	    0, 0, "a failed `should' is a failure too", NULL },                \
	{ 0, "verbose", OPT_FLAG, 0, offsetof(type, check.verbose), NULL,      \
	    NULL, 0, 0, "show the dialogue of cases that pass too", NULL },    \
	{ 0, "junit", OPT_STR, OPT_MODE, offsetof(type, check.junit), "FILE",  \
	    NULL, 0, 0, "write a JUnit report to this file", NULL },           \
	{ 0, "json", OPT_STR, OPT_MODE, offsetof(type, check.json), "FILE",    \
	    NULL, 0, 0, "write a report in JSON to this file", NULL }
/* clang-format on */

/* Exit status of milter-check. */
enum check_exit {
	CHECK_EXIT_CONFORMS = 0,
	CHECK_EXIT_DOES_NOT = 1,
	CHECK_EXIT_USAGE = 2,
	CHECK_EXIT_UNREACHABLE = 3
};

/* The words of the options are known; a line on stderr, and false, if not. */
bool check_opts_known(const struct check_suite *s, const struct check_opts *o);
void check_list(const struct check_suite *s); /* to stdout */
/* Bit i: profile i was asked for. */
uint32_t check_profiles(
    const struct check_suite *s, const struct check_opts *o);

struct check_how {
	const struct check_suite *suite;
	const struct check_opts *opts;
	const char *target; /* who is checked, for the reports */
	/* The command line that repeats a case, without --profile and --only. */
	const char *repeat;
	/* Called before the first case of a profile; not 0: an exit status, and
	 * nothing more is run.  May be NULL. */
	int (*begin_profile)(struct check_run *run);
	/* Called behind a case that failed: the peer may have to be started
	 * again by whoever watches over it.  May be NULL. */
	void (*recover)(struct check_run *run);
	void *role;
};
/* Runs what was asked for and reports.  An exit status. */
int check_run_all(const struct check_how *how);

#endif
