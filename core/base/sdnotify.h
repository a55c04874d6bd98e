/* SPDX-License-Identifier: MIT */
/*
 * sdnotify: what a service manager hears from a daemon, by the protocol of
 * sd_notify(3), without its library.
 *
 * A manager that does not listen, or is not there, is no error of the daemon's:
 * nothing here fails.
 */
#ifndef CORE_BASE_SDNOTIFY_H
#define CORE_BASE_SDNOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct sdnotify {
	struct sockaddr_un to;
	socklen_t to_len;     /* 0: nobody to tell */
	uint64_t watchdog_us; /* a WATCHDOG=1 is expected as often; 0: none */
};

/* Takes NOTIFY_SOCKET (a path, or @name of Linux), WATCHDOG_USEC and
 * WATCHDOG_PID out of the environment, so that no child speaks for us. */
void sdnotify_open(struct sdnotify *n);
/* Sends state: lines NAME=VALUE, such as "READY=1".  Waits for a manager that
 * has much to read, but not longer than a second. */
void sdnotify_send(const struct sdnotify *n, const char *state);
/* WATCHDOG=1; does not wait: a manager that has many of them needs no more. */
void sdnotify_watchdog(const struct sdnotify *n);
/* STATUS= and one line of text; control characters become '?'. */
__attribute__((format(printf, 2, 3))) void sdnotify_status(
    const struct sdnotify *n, const char *fmt, ...);
/* RELOADING=1 at a time of CLOCK_MONOTONIC in microseconds; READY=1 ends it. */
void sdnotify_reloading(const struct sdnotify *n, uint64_t mono_us);

#endif
