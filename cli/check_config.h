/* SPDX-License-Identifier: MIT */
/*
 * check_config: what --check-config does: looks at everything that the start of
 * `mimedefang` needs and says what it found, one line each.
 *
 * Nothing outside of this process is changed: no file or socket is made or
 * removed.  The filter is loaded by a worker program, which may do anything that
 * the filter does when it is loaded.
 */
#ifndef CLI_CHECK_CONFIG_H
#define CLI_CHECK_CONFIG_H

#include "cli/md_opts.h"
#include "multiplexor/mux_opts.h"

/* Options that were parsed and checked; mo is not looked at with -m.  Becomes
 * the user of -U.  Findings go to standard output.  The exit status: 1 if there
 * was an error. */
int check_config(
    const char *prog, const struct md_opts *o, const struct mux_opts *mo);

#endif
