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

#define PROC_FDS 4 /* 0 to 3 of a worker */

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
/* A child that has exited, and is not reaped yet; 0: none. */
pid_t proc_dead(void);
void proc_reap(pid_t pid, struct proc_exit *e); /* blocks until it exits */
void proc_wait(pid_t pid);                      /* the same */
/* For it and for all children of ours in its group. */
void proc_wait_group(pid_t pid);

/* ---- a zygote: a process that forks workers (spec:zygote) ---- */

/* As proc_start; out_fd is a socket to it, of records, and in_fd is -1. */
int proc_start_zygote(
    const struct proc_spec *s, struct proc *out, struct proc_trouble *t);
/* Pipes for a worker that it forks: FIFOs dir/name.0 and so on, for the worker
 * to open.  Our ends are put into *out; theirs[] keeps the others open until it
 * has done so. */
int proc_named_pipes(const struct proc_spec *s, int dir_fd, const char *name,
    struct proc *out, int theirs[PROC_FDS]);
void proc_unlink_pipes(int dir_fd, const char *name);
void proc_close(int *fds, size_t n); /* those that are not -1; sets -1 */
/* Descendants whose parent dies become our children. */
int proc_adopt_orphans(void);
/* Is it a child of ours that leads a group?  What a process tells may be
 * wrong, and a signal to group 1 would reach everybody. */
bool proc_is_worker(pid_t pid);

#endif
