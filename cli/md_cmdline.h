/* SPDX-License-Identifier: MIT */
/*
 * md_cmdline: the two command lines of `mimedefang`: its own, and behind "--"
 * that of the built-in multiplexor; and what came of them.
 */
#ifndef CLI_MD_CMDLINE_H
#define CLI_MD_CMDLINE_H

#include "cli/md_opts.h"
#include "multiplexor/mux_opts.h"

struct md_cmdline_opts {
	bool separate; /* with -m, too, "--" may follow: that one's options */
	int usage_status; /* of the program if something is wrong; 0 = 1 */
};

/* Parses, checks and completes both (mo only without -m, or if `separate`).
 * Ends the program with a message if something is wrong, and for --help and the
 * like. */
void md_cmdline_parse(int argc, char **argv, const struct md_cmdline_opts *how,
    struct md_opts *o, struct mux_opts *mo);
/* The same when *o has been parsed already, up to argv[rest].  0, or -1 with one
 * line in err. */
int md_cmdline_finish(int argc, char **argv, int rest,
    const struct md_cmdline_opts *how, struct md_opts *o, struct mux_opts *mo,
    char *err, size_t errlen);
/* Every option with its value on standard output, a section for each of the
 * two; asked for behind "--" only that of the multiplexor.  The exit status. */
int md_cmdline_print(const struct md_opts *o, const struct mux_opts *mo);

#endif
