/* SPDX-License-Identifier: MIT */
/*
 * md_cmdline: the two command lines of `mimedefang`: its own, and behind "--"
 * that of the built-in multiplexor; and what came of them.
 */
#ifndef CLI_MD_CMDLINE_H
#define CLI_MD_CMDLINE_H

#include "cli/md_opts.h"
#include "multiplexor/mux_opts.h"

/* Parses, checks and completes both (mo only without -m).  Ends the program
 * with a message if something is wrong, and for --help and the like. */
void md_cmdline_parse(
    int argc, char **argv, struct md_opts *o, struct mux_opts *mo);
/* Every option with its value on standard output, a section for each of the
 * two; asked for behind "--" only that of the multiplexor.  The exit status. */
int md_cmdline_print(const struct md_opts *o, const struct mux_opts *mo);

#endif
