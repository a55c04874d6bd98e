/* SPDX-License-Identifier: MIT */
/*
 * proc: worker processes.  Nobody else here makes any.  Logs nothing.
 *
 * A worker gets its commands on descriptor 0, answers on 1, diagnoses on 2 and
 * reports its status on 3 (if asked to); everything else is closed.  It leads
 * a process group of its own, so that signals reach what it starts and the
 * terminal's do not reach it.
 */
#ifndef MULTIPLEXOR_PROC_H
#define MULTIPLEXOR_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

struct proc_spec {
	const char *worker;    /* absolute path of the program */
	const char *filter;    /* its -f argument, or NULL */
	const char *spool_dir; /* its working directory */
	bool status_fd, group_access;
	long max_rss_kb, max_as_kb; /* 0 = unset */
};

/* Our ends, non-blocking, close-on-exec; -1: none. */
struct proc {
	pid_t pid;
	int in_fd, out_fd, err_fd, status_fd;
};

/* How far proc_start came. */
struct proc_trouble {
	const char *what; /* "pipe", "fork", "exec", "chdir": what failed */
	int limit_errno;  /* a limit could not be set, though it runs */
};

/* Can it work?  0, or -1 with one line in err that says what to do. */
int proc_check(const struct proc_spec *s, char *err, size_t errlen);
/* 0, or -errno with t->what.  A program that cannot be executed is found here,
 * not by its death. */
int proc_start(
    const struct proc_spec *s, struct proc *out, struct proc_trouble *t);
/* The worker and all of its group: continued, then signalled. */
void proc_signal(pid_t pid, int sig);

struct proc_exit {
	pid_t pid;
	int status; /* as of wait(2) */
	struct rusage usage;
};
/* Any child that has exited.  false: none. */
bool proc_reap(struct proc_exit *e);
void proc_wait(pid_t pid); /* blocks until this one has exited */

#endif
