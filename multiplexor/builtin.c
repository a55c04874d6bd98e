/* SPDX-License-Identifier: MIT */
/*
 * builtin: what the multiplexor answers itself (spec:mux-commands).
 */
#include "mux_int.h"

#include "jsonstats.h"
#include "openmetrics.h"

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

/* Reports of the workers, as they are now. */
static void
report_now(const struct report *r, const struct mux_cmd *c, struct buf *out)
{
	struct pool_counts n;

	pool_count(r->pool, &n);
	if (c->type == CMD_FREE)
		buf_addf(out, "%u\n", n.idle + n.stopped);
	else if (c->type == CMD_STATUS)
		report_status(r, out);
	else if (c->type == CMD_MSGS)
		buf_addf(out, "%" PRIu64 "\n", n.msgs);
	else if (c->type != CMD_WORKERINFO)
		report_workers(r, c->type == CMD_BUSYWORKERS, out);
	else if (c->bad_arg)
		buf_adds(out, "error: Invalid worker number\n");
	else
		report_workerinfo(r, c->arg, out);
}

/* Reports of what was. */
static void
report_past(const struct mux *m, const struct report *r,
    const struct mux_cmd *c, struct buf *out)
{
	const struct account *acc = m->account;
	int64_t sec = account_sec(m);

	if (c->type == CMD_LOAD)
		load_report(acc->load, c->cls, sec, r, out);
	else if (c->type == CMD_HLOAD)
		load_report_hours(acc->load, c->cls, sec, out);
	else if (c->type == CMD_LOAD1)
		load_report1(acc->load, c->bad_arg ? 0 : c->arg, sec, r, out);
	else if (c->type == CMD_HISTO)
		load_report_histo(acc->load, out);
	else if (c->type == CMD_JSONSTATS)
		jsonstats(&acc->metrics, r, out);
	else
		openmetrics(&acc->metrics, r, out);
}

bool
mux_builtin(struct mux *m, const struct mux_cmd *c, struct buf *out)
{
	const struct report rep = report_of(m);

	switch (c->type) {
	case CMD_WORKER:
	case CMD_REREAD: /* reread_ev */
		return false;
	case CMD_HELP:
		command_help(c->open, out);
		break;
	case CMD_FREE:
	case CMD_STATUS:
	case CMD_WORKERS:
	case CMD_BUSYWORKERS:
	case CMD_WORKERINFO:
	case CMD_MSGS:
		report_now(&rep, c, out);
		break;
	case CMD_LOAD:
	case CMD_HLOAD:
	case CMD_LOAD1:
	case CMD_HISTO:
	case CMD_JSONSTATS:
	case CMD_METRICS:
		report_past(m, &rep, c, out);
		break;
	case CMD_AUTOSCALE:
		clockwork_autoscale(m, out);
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
	case CMD_N:
		break;
	}
	return true;
}
