/* SPDX-License-Identifier: MIT */
/*
 * cmdline: a program's own options and those that all programs have (--help,
 * --help-mdoc, --version, --print-config), parsed in one go.  Whatever ends the program there,
 * also a bad option, ends it here.
 */
#ifndef CLI_CMDLINE_H
#define CLI_CMDLINE_H

#include "core/base/opt.h"

#include <stdbool.h>
#include <stddef.h>

struct cmdline {
	const char *name; /* of the program, in help */
	const struct opt *rows;
	size_t n;
	const char *words; /* what may follow the options; NULL = nothing */
	const char *more;  /* text behind the options, or NULL */
	/* appends further text there, or NULL; usage: not for --help, but for
	 * -h and bad options */
	void (*tail)(const void *opts, bool usage, struct buf *out);
	/* rows of another program, which its page and help have, or NULL */
	const struct opt *also;
	size_t n_also;
	bool command; /* the first word ends the options; -h succeeds */
	bool permute; /* ... but options may follow it */
	/* exit status after a bad command line; 0 = 1, also for -h, which succeeds
	 * otherwise */
	int usage_status;
	bool *print_config; /* set by --print-config; NULL = no such option */
};

/* The index of the first word behind the options, argc if there is none; argv
 * is sorted by kind if `permute`. */
int cmdline_parse(const struct cmdline *c, void *opts, int argc, char **argv);
/* What --print-config asked for, when opts are checked: prints each option with
 * its value and ends the program. */
__attribute__((noreturn)) void cmdline_print_config(
    const struct cmdline *c, const void *opts);
/* Usage on standard error, exit 1. */
__attribute__((noreturn)) void cmdline_usage(
    const struct cmdline *c, const void *opts);

#endif
