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

#include "core/base/compat.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_FDS      PROC_FDS
#define NOFILE_MAX 1024 /* for select, and for loops over all descriptors */

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
	const char *argv[5];
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
	struct rlimit files;

	if (rss.rlim_max && setrlimit(RLIMIT_RSS, &rss) < 0)
		c->limit_errno = errno;
	if (as.rlim_max &&
	    (setrlimit(RLIMIT_AS, &as) < 0 || setrlimit(RLIMIT_DATA, &as) < 0))
		c->limit_errno = errno;
	/* ours is raised for clients' sake */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur > NOFILE_MAX) {
		files.rlim_cur = NOFILE_MAX;
		setrlimit(RLIMIT_NOFILE, &files);
	}
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
		execv(c->spec->worker, (char *const *)c->argv);
	}
	c->exec_errno = errno;
	_exit(1);
}

/* ---- in the parent ---- */

void
proc_close(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
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
			proc_close(mine, N_FDS);
			proc_close(theirs, N_FDS);
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

/* Runs the program; the child's ends are closed in any case. */
static int
launch(struct child *c, const char *mode, pid_t *pid, struct proc_trouble *t)
{
	const char *worker = c->spec->worker, *slash = strrchr(worker, '/');
	size_t n = 0;
	int r;

	c->argv[n++] = slash ? slash + 1 : worker;
	if (c->spec->filter) {
		c->argv[n++] = "-f";
		c->argv[n++] = c->spec->filter;
	}
	c->argv[n++] = mode;
	c->argv[n] = NULL;
	*pid = spawn(c);
	r = *pid < 0 ? -errno : 0;
	proc_close(c->fds, N_FDS);
	t->what = "fork";
	if (*pid > 0 && c->exec_errno) {
		t->what = c->what;
		r = -c->exec_errno;
		proc_wait(*pid);
	}
	t->limit_errno = c->limit_errno;
	return r;
}

int
proc_start(const struct proc_spec *s, struct proc *out, struct proc_trouble *t)
{
	struct child c = { .spec = s };
	int mine[N_FDS], r;
	pid_t pid;

	*t = (struct proc_trouble){ .what = "pipe" };
	r = make_pipes(s->status_fd ? 4 : 3, mine, c.fds);
	if (r < 0)
		return r;
	r = launch(&c, s->status_fd ? "-serveru" : "-server", &pid, t);
	if (r < 0) {
		proc_close(mine, N_FDS);
		return r;
	}
	*out = (struct proc){ pid, mine[0], mine[1], mine[2], mine[3] };
	return 0;
}

void
proc_signal(pid_t pid, int sig)
{
	kill(-pid, SIGCONT);
	kill(-pid, sig);
}

pid_t
proc_dead(void)
{
	siginfo_t i = { 0 };

	/* not reaped: its number, and its group's, stay its own */
	if (waitid(P_ALL, 0, &i, WEXITED | WNOHANG | WNOWAIT) < 0)
		return 0;
	return i.si_pid;
}

void
proc_reap(pid_t pid, struct proc_exit *e)
{
	*e = (struct proc_exit){ .pid = pid };
	while (wait4(pid, &e->status, 0, &e->usage) < 0 && errno == EINTR)
		;
}

void
proc_wait(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void
proc_wait_group(pid_t pid)
{
	proc_wait(pid);
	while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
		;
}

/* ---- a zygote ---- */

static int
zygote_fds(int *mine, int *theirs)
{
	int s[2], p[2], r;

	for (int i = 0; i < N_FDS; i++)
		mine[i] = theirs[i] = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) < 0)
		return -errno;
	mine[1] = s[0];
	theirs[3] = s[1];
	r = fdio_pipe(p);
	if (r < 0)
		return r;
	mine[2] = p[0];
	theirs[2] = p[1];
	theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* what a filter prints while it loads is for the log */
	theirs[1] = fcntl(theirs[2], F_DUPFD_CLOEXEC, N_FDS);
	if (theirs[0] < 0 || theirs[1] < 0)
		return -errno;
	for (int i = 0; i < N_FDS && r == 0; i++)
		r = lift(&theirs[i]);
	for (int i = 1; i <= 2 && r == 0; i++)
		r = fdio_set_nonblock(mine[i], true);
	return r;
}

int
proc_start_zygote(
    const struct proc_spec *s, struct proc *out, struct proc_trouble *t)
{
	struct child c = { .spec = s };
	int mine[N_FDS], r;
	pid_t pid;

	*t = (struct proc_trouble){ .what = "pipe" };
	r = zygote_fds(mine, c.fds);
	if (r == 0)
		r = launch(&c, s->status_fd ? "-zygoteu" : "-zygote", &pid, t);
	if (r < 0) {
		proc_close(mine, N_FDS);
		proc_close(c.fds, N_FDS);
		return r;
	}
	*out = (struct proc){ pid, -1, mine[1], mine[2], -1 };
	return 0;
}

/* Both ends of a new FIFO, read end first. */
static int
named_pipe(int dir_fd, const char *name, int p[2])
{
	p[0] = p[1] = -1;
	if (mkfifoat(dir_fd, name, 0600) < 0)
		return -errno;
	p[0] = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (p[0] >= 0)
		p[1] = openat(dir_fd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return p[1] < 0 ? -errno : 0;
}

static void
pipe_name(char to[64], const char *name, int i)
{
	snprintf(to, 64, "%s.%d", name, i);
}

int
proc_named_pipes(const struct proc_spec *s, int dir_fd, const char *name,
    struct proc *out, int theirs[N_FDS])
{
	int mine[N_FDS], r = 0;
	char path[64];

	for (int i = 0; i < N_FDS; i++)
		mine[i] = theirs[i] = -1;
	for (int i = 0; i < (s->status_fd ? 4 : 3) && r == 0; i++) {
		int p[2];

		pipe_name(path, name, i);
		r = named_pipe(dir_fd, path, p);
		mine[i] = p[i == 0];
		theirs[i] = p[i != 0];
	}
	if (r < 0) {
		proc_close(mine, N_FDS);
		proc_close(theirs, N_FDS);
		proc_unlink_pipes(dir_fd, name);
		return r;
	}
	*out = (struct proc){ 0, mine[0], mine[1], mine[2], mine[3] };
	return 0;
}

void
proc_unlink_pipes(int dir_fd, const char *name)
{
	char path[64];

	for (int i = 0; i < N_FDS; i++) {
		pipe_name(path, name, i);
		unlinkat(dir_fd, path, 0);
	}
}

int
proc_adopt_orphans(void)
{
	return compat_adopt_orphans() < 0 ? -errno : 0;
}

bool
proc_is_worker(pid_t pid)
{
	siginfo_t i = { 0 };

	return pid > 1 && getpgid(pid) == pid &&
	       waitid(P_PID, (id_t)pid, &i, WEXITED | WNOHANG | WNOWAIT) == 0;
}
