/* SPDX-License-Identifier: MIT */
/*
 * ctl_top: the screen of `top`: reports in, lines of text out.  Pure.
 */
#ifndef CLI_CTL_TOP_H
#define CLI_CTL_TOP_H

#include "cli/ctl_report.h"
#include "core/base/buf.h"
#include "core/base/clock.h"

#include <time.h>

/* What is known of the multiplexor. */
struct ctl_top {
	bool known;          /* something is */
	struct ctl_totals t; /* from `load1`, or `status` if that is unknown */
	struct ctl_load1 load; /* seconds 0: not known */
	struct buf text;       /* `workers`; the rows point into it */
	struct ctl_worker *workers;
	size_t n_workers;
	double rate; /* messages per second since the last look; -1: unknown */
	bool restarted;
	msec taken;
};
void ctl_top_init(struct ctl_top *t);
void ctl_top_fini(struct ctl_top *t);
/* Takes the answers to `load1 60` or `status`, and to `workers`.  0, or -1 with
 * *t as it was: no such reports, or no memory. */
int ctl_top_take(
    struct ctl_top *t, struct ctl_str totals, struct ctl_str workers, msec now);

/* How it is drawn. */
struct ctl_screen {
	unsigned rows, columns; /* 0: as many as needed */
	bool ansi;              /* colours, and erasing of what was there */
	bool paused;
	long interval_s;
	const char *host, *socket;
	time_t now;
	const char *notice; /* instead of the keys, or NULL */
	bool stale;         /* what is shown is old: the notice says why */
};
/* Appends all lines. */
void ctl_top_draw(
    const struct ctl_top *t, const struct ctl_screen *s, struct buf *out);

#endif
