/* SPDX-License-Identifier: MIT */
/*
 * ctl_ready: is mail served?  For scripts that start what comes after.
 *
 * A multiplexor answers as soon as it listens, while its workers still load the
 * filter or die of it.  So a worker is asked; then one must be free.
 */
#ifndef CLI_CTL_READY_H
#define CLI_CTL_READY_H

#include "cli/ctl_report.h"
#include "core/base/clock.h"

enum ctl_ready {
	CTL_READY,         /* a worker has answered */
	CTL_NOT_READY,     /* the multiplexor says why there is none */
	CTL_READY_REFUSED, /* this socket may not ask workers */
};
/* What the answer to "ping" says.  Pure. */
enum ctl_ready ctl_ready_ping(struct ctl_str answer);
/* Whether one of these `workers` is idle after a request: so it has answered.
 * For a socket that may not ask workers.  Pure. */
bool ctl_ready_workers(struct ctl_str answer);

struct sockspec;
/* Asks again and again until it is so.  0, or -1 at `until` with the reason (at
 * most n octets with the NUL) of the last try. */
int ctl_wait_ready(
    const struct sockspec *addr, msec until, char *why, size_t n);

#endif
