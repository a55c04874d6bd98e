/* SPDX-License-Identifier: MIT */
/*
 * command: which request is it?  One table: name, whether an argument follows,
 * who may use it; and the lists for `help`.  Pure.
 */
#ifndef MULTIPLEXOR_COMMAND_H
#define MULTIPLEXOR_COMMAND_H

#include "core/base/buf.h"
#include "core/base/muxproto.h"

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
	CMD_LOAD,       /* cls */
	CMD_HLOAD,      /* cls */
	CMD_LOAD1,      /* arg */
	CMD_HISTO,
	CMD_AUTOSCALE,
	CMD_JSONSTATS,
	CMD_METRICS,
	CMD_MSGS,
	CMD_REREAD,
	CMD_VERSION,
	CMD_TICK,    /* not for outsiders */
	CMD_UNKNOWN, /* known to be none; also the empty line */
	CMD_TOO_LONG,
	CMD_REFUSED, /* not for the open socket */
	CMD_N
};

struct mux_cmd {
	enum mux_command type;
	const char *p; /* the line without CR, cut at a NUL; borrowed */
	size_t n;
	enum mux_class cls; /* LOAD, HLOAD: of these requests */
	long arg;           /* WORKERINFO, LOAD1 */
	bool bad_arg;       /* it is no number */
	bool open;          /* asked on the open socket */
};

/* One line without its LF, which may have max octets.  open: asked by somebody
 * who may only look. */
void command_parse(
    const char *p, size_t n, size_t max, bool open, struct mux_cmd *c);
/* The list for `help`. */
void command_help(bool open, struct buf *out);

#endif
