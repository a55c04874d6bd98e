/* SPDX-License-Identifier: MIT */
/*
 * opt: a program's command line from one table.
 *
 * A row feeds the parser, --help, the dump of the effective configuration and
 * the option table of the manual page.  Short options bundle and may have their
 * argument attached ("-x5"); long ones are "--name=VALUE" or "--name VALUE".
 */
#ifndef CORE_BASE_OPT_H
#define CORE_BASE_OPT_H

#include "core/base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum opt_type {
	OPT_FLAG, /* bool: set to true */
	OPT_INT,  /* long: decimal prefix as atol(3), or dflt if there is none;
		   * clamped to min..max unless these are equal */
	OPT_STR,  /* const char *: borrowed from argv */
	OPT_LIST, /* struct opt_list: repeatable */
	OPT_ACT,  /* calls act; for --help, --version and odd ones */
};
enum opt_flags {
	OPT_ONCE = 1,    /* a second time is an error, "Cannot use multiple";
			  * so are two such rows with the same offset */
	OPT_NUMERIC = 2, /* OPT_INT: no leading number is a usage error */
	OPT_STRICT = 4,  /* OPT_INT: junk or out of range is an error that
			  * names the range; for our own new options */
	OPT_MODE = 8,    /* says what to do, not how: not in the dump */
};
#define OPT_LIST_MAX 64
struct opt_list {
	const char *v[OPT_LIST_MAX];
	size_t n;
};

struct opt {
	char letter;      /* 0: long name only */
	const char *name; /* long name; NULL: letter only */
	enum opt_type type;
	unsigned flags;
	size_t offset;    /* into the program's options struct */
	const char *arg;  /* name of the argument in help; NULL: takes none */
	const char *dflt; /* applied first (OPT_INT, OPT_STR) and shown in
			   * help; NULL: zeroed */
	long min, max;
	const char *help; /* one sentence, no final dot */
	/* OPT_ACT: 0 go on, else opt_parse stops and returns that */
	int (*act)(void *opts, const char *arg);
};

/* Fills opts (zeroed first by the caller).  Non-option words are skipped, as
 * the original does; "--" ends, *rest is the index of the word behind it (argc
 * if there is none).  0 = go on; 1 = bad usage, message already on stderr
 * (unless opterr is 0); other = what act returned.  At most 100 rows. */
int opt_parse(const struct opt *table, size_t n, void *opts, int argc,
    char **argv, int *rest);
/* As opt_parse, but the first word that is no option (or "--") ends them:
 * *rest is its index.  For programs that take a command. */
int opt_parse_words(const struct opt *table, size_t n, void *opts, int argc,
    char **argv, int *rest);
/* As opt_parse_words, but options may stand between the words, which are moved
 * behind them. */
int opt_parse_sorted(const struct opt *table, size_t n, void *opts, int argc,
    char **argv, int *rest);
/* "  -x N, --name=N     help (default 5)" lines. */
void opt_help(const struct opt *table, size_t n, struct buf *out);
/* "name=value" lines, in table order; control characters as \xNN. */
void opt_dump(
    const struct opt *table, size_t n, const void *opts, struct buf *out);
/* mdoc .It lines for the manual page. */
void opt_mdoc(const struct opt *table, size_t n, struct buf *out);

#endif
