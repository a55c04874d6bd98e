/* SPDX-License-Identifier: MIT */
/*
 * daemonize: start-up of a daemon, in the order that matters: pid file opened
 * with the caller's rights, privileges dropped, forked, locked, pid written,
 * parent told.  Errors are one line in err that says what to do; nothing logs.
 */
#ifndef CORE_BASE_DAEMONIZE_H
#define CORE_BASE_DAEMONIZE_H

#include <stdbool.h>
#include <stddef.h>

struct daemon_ctx {
	int pid_fd, lock_fd; /* -1: none */
	int ready_fd;	     /* pipe to the waiting parent, or -1 */
	const char *pid_path, *lock_path;
};

void daemon_init(struct daemon_ctx *d);
/* Refuses a set-uid or set-gid start.  0 or -1. */
int daemon_refuse_suid(const char *argv0, char *err, size_t errlen);
int daemon_open_pidfile(struct daemon_ctx *d, const char *path, char *err,
    size_t errlen);
/* Supplementary groups, gid, uid; checks that they took. */
int daemon_drop_privileges(const char *user, char *err, size_t errlen);
/* The parent does not return: it waits for daemon_ready or daemon_fail and
 * exits 0 or 1.  The child returns 0 in a new session, as a grandchild. */
int daemon_fork(struct daemon_ctx *d, char *err, size_t errlen);
/* Takes the lock (path NULL: pid path + ".lock"), writes the pid. */
int daemon_lock(struct daemon_ctx *d, const char *lock_path, char *err,
    size_t errlen);
/* Closes inherited descriptors above 2, except those of d and keep (-1 ends
 * the list; may be NULL); with `null_std` 0-2 become /dev/null. */
void daemon_close_fds(const struct daemon_ctx *d, const int *keep,
    bool null_std);
void daemon_ready(struct daemon_ctx *d); /* parent exits 0; sd_notify too */
void daemon_fail(struct daemon_ctx *d, const char *text); /* parent exits 1 */
void daemon_cleanup(struct daemon_ctx *d); /* removes pid and lock file */

#endif
