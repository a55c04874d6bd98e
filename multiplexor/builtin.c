/* SPDX-License-Identifier: MIT */
/*
 * builtin: what the multiplexor answers itself (spec:mux-commands).
 */
#include "mux_int.h"

#include <inttypes.h>

#ifndef MD_VERSION
#define MD_VERSION "0"
#endif

static struct report
report_of(struct mux *m)
{
	return (struct report){
		.pool = m->pool,
		.slots = (unsigned)m->o->max_workers,
		.queue_max = (unsigned)m->o->queue_max,
		.now = m->now,
		.started = m->started,
		.worker = worker_view,
		.arg = m,
	};
}

bool
mux_builtin(struct mux *m, const struct mux_cmd *c, struct buf *out)
{
	struct report rep = report_of(m);
	struct pool_counts n;

	pool_count(m->pool, &n);
	switch (c->type) {
	case CMD_WORKER:
		return false;
	case CMD_HELP:
		command_help(c->open, out);
		break;
	case CMD_FREE:
		buf_addf(out, "%u\n", n.idle + n.stopped);
		break;
	case CMD_STATUS:
		report_status(&rep, out);
		break;
	case CMD_WORKERS:
	case CMD_BUSYWORKERS:
		report_workers(&rep, c->type == CMD_BUSYWORKERS, out);
		break;
	case CMD_WORKERINFO:
		if (c->bad_arg)
			buf_adds(out, "error: Invalid worker number\n");
		else
			report_workerinfo(&rep, c->arg, out);
		break;
	case CMD_MSGS:
		buf_addf(out, "%" PRIu64 "\n", n.msgs);
		break;
	case CMD_REREAD:
		mux_reread(m);
		buf_adds(out, "Forced reread of filter rules\n");
		break;
	case CMD_VERSION:
		buf_adds(out, MD_VERSION);
		break;
	case CMD_TICK:
		buf_adds(out, "error: External agents may not invoke 'tick'\n");
		break;
	case CMD_UNKNOWN:
		buf_adds(out, "error: Unknown command\n");
		break;
	case CMD_TOO_LONG:
		buf_adds(out, "error: Command too long\n");
		break;
	case CMD_REFUSED:
		buf_adds(out,
		    "error: Attempt to use privileged command on unprivileged "
		    "socket\n");
		break;
	case CMD_LOAD: /* reports of load are still to come */
	case CMD_HLOAD:
	case CMD_LOAD1:
	case CMD_HISTO:
	case CMD_AUTOSCALE:
		buf_adds(out, "error: Not supported yet\n");
		break;
	case CMD_N:
		break;
	}
	return true;
}
