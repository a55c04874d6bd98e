/* SPDX-License-Identifier: MIT */
/*
 * md_run: the life of the daemon `mimedefang` from its start-up on: wires the
 * front-end to a multiplexor, the built-in one or one behind a socket (-m), and
 * follows the signals.
 */
#ifndef CLI_MD_RUN_H
#define CLI_MD_RUN_H

#include "cli/md_limits.h"
#include "cli/md_listen.h"
#include "core/base/daemonize.h"
#include "multiplexor/mux_opts.h"

/* Serves until a signal ends it; exits (start_fail) if it cannot begin.  All is
 * borrowed; o->fe is completed. */
void md_run(struct md_opts *o, const struct mux_opts *mo,
    const struct md_limits *limits, struct md_listen *listen,
    struct daemon_ctx *daemon);

#endif
