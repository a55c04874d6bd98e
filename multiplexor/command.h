/* SPDX-License-Identifier: MIT */
/*
 * command: which request is it?  One table: name, whether an argument follows,
 * help text.  Pure.
 */
#ifndef MULTIPLEXOR_COMMAND_H
#define MULTIPLEXOR_COMMAND_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum mux_command {
	CMD_WORKER, /* a worker shall answer it */
	CMD_HELP,
	CMD_FREE,
	CMD_STATUS,
	CMD_WORKERS,
	CMD_BUSYWORKERS,
	CMD_WORKERINFO, /* arg */
	CMD_MSGS,
	CMD_REREAD,
	CMD_VERSION,
	CMD_TICK,    /* not for outsiders */
	CMD_UNKNOWN, /* known to be none; also the empty line */
	CMD_TOO_LONG,
	CMD_N
};

struct mux_cmd {
	enum mux_command type;
	const char *p; /* the line without CR, cut at a NUL; borrowed */
	size_t n;
	long arg;     /* WORKERINFO */
	bool bad_arg; /* it is no number */
};

/* One line without its LF. */
void command_parse(const char *p, size_t n, struct mux_cmd *c);
/* The list for `help`. */
void command_help(struct buf *out);

#endif
