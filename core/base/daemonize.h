/* SPDX-License-Identifier: MIT */
/*
 * daemonize: start-up of a daemon, in the order that matters: pid file opened
 * with the caller's rights, privileges dropped, forked, locked, pid written,
 * parent told.
 *
 * Results: 0, or -1 with one line in err that says what to do.  Nothing logs,
 * and only the waiting parent exits.
 */
#ifndef CORE_BASE_DAEMONIZE_H
#define CORE_BASE_DAEMONIZE_H

#include "core/base/sdnotify.h"

#include <stdbool.h>
#include <stddef.h>

struct daemon_ctx {
	int pid_fd, lock_fd;  /* -1: none */
	int ready_fd;         /* pipe to the waiting parent, or -1 */
	const char *pid_path; /* borrowed */
	char *lock_path;      /* ours */
	struct sdnotify notify;
};

/* Before daemon_fork: what the service manager told was told this process. */
void daemon_init(struct daemon_ctx *d);
/* Refuses a set-uid or set-gid start.  0 or -1. */
int daemon_refuse_suid(const char *argv0, char *err, size_t errlen);
/* Creates or opens path, a regular file and no symlink, mode 0644; its content
 * stays until daemon_lock.  path is borrowed until daemon_cleanup. */
int daemon_open_pidfile(
    struct daemon_ctx *d, const char *path, char *err, size_t errlen);
/* Supplementary groups, gid, uid; checks that they took.  Nothing to do, and
 * fine, when this process is that user already. */
int daemon_drop_privileges(const char *user, char *err, size_t errlen);
/* The parent does not return: it waits for daemon_ready or daemon_fail and
 * exits 0 or 1.  The grandchild returns 0, in a new session with SIGHUP
 * ignored. */
int daemon_fork(struct daemon_ctx *d, char *err, size_t errlen);
/* Takes the lock (path NULL: pid path + ".lock"; neither: nothing to do), then
 * writes the pid.  After daemon_fork: a record lock is not inherited. */
int daemon_lock(
    struct daemon_ctx *d, const char *lock_path, char *err, size_t errlen);
/* Closes inherited descriptors above 2, except those of d and keep (-1 ends
 * the list; may be NULL); with `null_std` 0-2 become /dev/null.  Before syslog
 * and the event loop open theirs. */
void daemon_close_fds(
    const struct daemon_ctx *d, const int *keep, bool null_std);
/* Parent exits 0; READY=1 goes to the service manager. */
void daemon_ready(struct daemon_ctx *d);
/* Parent prints "Error from child: TEXT" and exits 1; without a parent TEXT
 * goes to stderr. */
void daemon_fail(struct daemon_ctx *d, const char *text);
/* Removes pid and lock file if we hold the lock: they are another copy's
 * otherwise.  Frees d; a second call does nothing. */
void daemon_cleanup(struct daemon_ctx *d);

#endif
