/* SPDX-License-Identifier: MIT */
/*
 * proc: worker processes (proc.h).
 *
 * vfork: the daemon may be large, and the parent waits until the program runs
 * or the child says in shared memory why not.  Until then the child is in our
 * memory: it calls system calls only, with all signals blocked until every
 * handler is gone, so that none of the daemon's runs in it.
 */
#include "proc.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_FDS 4 /* 0 to 3 of the worker */

int
proc_check(const struct proc_spec *s, char *err, size_t errlen)
{
	struct stat st;

	if (access(s->worker, X_OK) < 0) {
		snprintf(err, errlen,
		    "worker program %s: %s; install it or give the right "
		    "path with -f",
		    s->worker, strerror(errno));
		return -1;
	}
	if (stat(s->worker, &st) == 0 && !S_ISREG(st.st_mode)) {
		snprintf(err, errlen,
		    "worker program %s: not a file; give the right path "
		    "with -f",
		    s->worker);
		return -1;
	}
	if (s->filter && access(s->filter, R_OK) < 0) {
		snprintf(err, errlen,
		    "filter file %s: %s; create it, make it readable or give "
		    "the right path with -F",
		    s->filter, strerror(errno));
		return -1;
	}
	return 0;
}

/* ---- in the child ---- */

struct child {
	const struct proc_spec *spec;
	int fds[N_FDS]; /* all >= N_FDS; [3] may be -1 */
	char *const *argv;
	volatile int exec_errno, limit_errno;
	const char *volatile what;
};

static struct rlimit
hard_kb(long kb)
{
	return (struct rlimit){ (rlim_t)kb * 1024, (rlim_t)kb * 1024 };
}

static void
set_limits(struct child *c)
{
	struct rlimit rss = hard_kb(c->spec->max_rss_kb);
	struct rlimit as = hard_kb(c->spec->max_as_kb);

	if (rss.rlim_max && setrlimit(RLIMIT_RSS, &rss) < 0)
		c->limit_errno = errno;
	if (as.rlim_max &&
	    (setrlimit(RLIMIT_AS, &as) < 0 || setrlimit(RLIMIT_DATA, &as) < 0))
		c->limit_errno = errno;
}

/* Default dispositions, but for SIGPIPE, which stays ignored: a worker that
 * answers to nobody gets an error and not a signal (spec:worker-process). */
static void
reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGPIPE)
			sigaction(sig, &sa, NULL); /* some refuse */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn, noinline)) static void
child_run(struct child *c)
{
	int n = c->fds[3] < 0 ? 3 : N_FDS;

	setpgid(0, 0);
	reset_signals();
	umask(c->spec->group_access ? 027 : 077);
	for (int i = 0; i < n; i++)
		dup2(c->fds[i], i); /* not close-on-exec any more */
	close_range((unsigned)n, UINT_MAX, 0);
	set_limits(c);
	c->what = "chdir";
	if (chdir(c->spec->spool_dir) == 0) {
		c->what = "exec";
		execv(c->spec->worker, c->argv);
	}
	c->exec_errno = errno;
	_exit(1);
}

/* ---- in the parent ---- */

static void
close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The child's end must not lie where it will be put. */
static int
lift(int *fd)
{
	int high;

	if (*fd >= N_FDS)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, N_FDS);
	if (high < 0)
		return -errno;
	close(*fd);
	*fd = high;
	return 0;
}

/* mine[i], theirs[i]: both ends of the worker's descriptor i, or -1. */
static int
make_pipes(int n, int *mine, int *theirs)
{
	for (int i = 0; i < N_FDS; i++)
		mine[i] = theirs[i] = -1;
	for (int i = 0; i < n; i++) {
		int p[2], r = fdio_pipe(p);

		if (r == 0) {
			mine[i] = p[i == 0];
			theirs[i] = p[i != 0];
			r = lift(&theirs[i]);
		}
		if (r == 0)
			r = fdio_set_nonblock(mine[i], true);
		if (r < 0) {
			close_all(mine, N_FDS);
			close_all(theirs, N_FDS);
			return r;
		}
	}
	return 0;
}

static pid_t
spawn(struct child *c)
{
	sigset_t all, old;
	pid_t pid;
	int err;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = vfork();
	if (pid == 0)
		child_run(c);
	err = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return pid;
}

int
proc_start(const struct proc_spec *s, struct proc *out, struct proc_trouble *t)
{
	const char *slash = strrchr(s->worker, '/');
	const char *words[5];
	size_t n = 0;
	struct child c = { .spec = s, .argv = (char *const *)words };
	int mine[N_FDS], r;
	pid_t pid;

	*t = (struct proc_trouble){ .what = "pipe" };
	words[n++] = slash ? slash + 1 : s->worker;
	if (s->filter) {
		words[n++] = "-f";
		words[n++] = s->filter;
	}
	words[n++] = s->status_fd ? "-serveru" : "-server";
	words[n] = NULL;
	r = make_pipes(s->status_fd ? 4 : 3, mine, c.fds);
	if (r < 0)
		return r;
	pid = spawn(&c);
	r = pid < 0 ? -errno : 0;
	close_all(c.fds, N_FDS);
	t->what = "fork";
	if (pid > 0 && c.exec_errno) {
		t->what = c.what;
		r = -c.exec_errno;
		proc_wait(pid);
	}
	if (r < 0) {
		close_all(mine, N_FDS);
		return r;
	}
	t->limit_errno = c.limit_errno;
	*out = (struct proc){ pid, mine[0], mine[1], mine[2], mine[3] };
	return 0;
}

void
proc_signal(pid_t pid, int sig)
{
	kill(-pid, SIGCONT);
	kill(-pid, sig);
}

bool
proc_reap(struct proc_exit *e)
{
	e->pid = wait4(-1, &e->status, WNOHANG, &e->usage);
	return e->pid > 0;
}

void
proc_wait(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
