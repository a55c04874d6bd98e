/* SPDX-License-Identifier: MIT */
/*
 * start: what the two daemons do alike before and around their loops: refuse
 * unsafe starts, open the pid file, drop privileges, check the spool, fork,
 * lock, open the log.  The order is the one that administrators know
 * (spec:start-up); each failure ends the program with one line that says what
 * to do.
 */
#ifndef CLI_START_H
#define CLI_START_H

#include "core/base/daemonize.h"

#include <stdbool.h>
#include <stddef.h>

/* Strings are borrowed for the life of the process. */
struct start_opts {
	const char *prog;  /* argv[0], for messages */
	const char *ident; /* syslog tag */
	const char *user, *pid_file, *lock_file, *spool_dir, *facility;
	const char *log_format; /* checked already; NULL = text */
	bool foreground, group_access, log_stderr;
	const int *keep_fds; /* inherited ones to keep, ended by -1, or NULL */
};

/* The whole start-up; on return this is the daemon (or, in the foreground, the
 * same process).  Exits on failure. */
void start_daemon(const struct start_opts *o, struct daemon_ctx *d);

/* A working directory of ours must not be a place where others can plant files:
 * absolute, a directory and no symlink to one, owned by us or root, writable by
 * us and nobody else (group: only with -G).  Goes there.  0, or -1 with one line
 * in err that says what to do. */
int start_check_spool(
    const char *dir, bool group_access, char *err, size_t errlen);

/* Tells whoever waits (parent or terminal) and the log, removes pid and lock
 * file, exits 1. */
__attribute__((noreturn, format(printf, 1, 2))) void start_fail(
    const char *fmt, ...);

#endif
