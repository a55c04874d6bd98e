/* SPDX-License-Identifier: MIT */
/*
 * daemonize: start-up of a daemon, and its end.
 *
 * The waiting parent and the daemon share a pipe with one message: "X" for
 * ready, "E" and a text for failed (spec:start-up).
 */
#include "daemonize.h"

#include "core/base/fail.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE_MAX 255

void
daemon_init(struct daemon_ctx *d)
{
	*d = (struct daemon_ctx){ .pid_fd = -1, .lock_fd = -1, .ready_fd = -1 };
	sdnotify_open(&d->notify);
}

int
daemon_refuse_suid(const char *argv0, char *err, size_t errlen)
{
	const char *what = getuid() != geteuid()   ? "suid"
			   : getgid() != getegid() ? "sgid"
						   : NULL;

	if (!what)
		return 0;
	return fail_with(err, errlen,
	    "ERROR: %s is NOT intended to run %s! Exiting.", argv0, what);
}

int
daemon_open_pidfile(
    struct daemon_ctx *d, const char *path, char *err, size_t errlen)
{
	const char *why = NULL;
	struct stat st;
	int fd;

	/* We may be root, and the directory somebody else's: he must not make
	 * us change another file. */
	fd = open(path,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    0644);
	if (fd < 0 || fstat(fd, &st) < 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		why = "not a regular file of its own";
	else if (fchmod(fd, 0644) < 0)
		why = strerror(errno);
	if (why) {
		if (fd >= 0)
			close(fd);
		return fail_with(
		    err, errlen, "Could not open PID file %s: %s", path, why);
	}
	d->pid_fd = fd;
	d->pid_path = path;
	return 0;
}

int
daemon_drop_privileges(const char *user, char *err, size_t errlen)
{
	const struct passwd *pw;
	const char *step;

	pw = getpwnam(user);
	if (!pw)
		return fail_with(err, errlen, "Unknown user `%s'", user);
	if (getuid() == pw->pw_uid && geteuid() == pw->pw_uid &&
	    getgid() == pw->pw_gid && getegid() == pw->pw_gid)
		return 0;
	if (initgroups(user, pw->pw_gid) < 0)
		step = "initgroups";
	else if (setgid(pw->pw_gid) < 0)
		step = "setgid";
	else if (setuid(pw->pw_uid) < 0)
		step = "setuid";
	else if (pw->pw_uid != 0 && setuid(0) == 0)
		return fail_with(err, errlen,
		    "Could not drop privileges: root is still within reach");
	else
		return 0;
	return fail_with(err, errlen,
	    "Could not drop privileges: %s for '%s' failed: %s", step, user,
	    strerror(errno));
}

/* The parent: waits for the daemon's one message and exits. */
__attribute__((noreturn)) static void
await_message(int fd)
{
	char msg[MESSAGE_MAX + 1];
	ssize_t n;

	do
		n = read(fd, msg, MESSAGE_MAX);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		fprintf(stderr, "Error reading message from child: %s\n",
		    strerror(errno));
		_exit(1);
	}
	msg[n] = '\0';
	if (n == 1 && msg[0] == 'X')
		_exit(0);
	if (n > 0 && msg[0] == 'E')
		fprintf(stderr, "Error from child: %s\n", msg + 1);
	else
		fprintf(stderr, "Unknown reply from child: %s\n", msg);
	_exit(1);
}

int
daemon_fork(struct daemon_ctx *d, char *err, size_t errlen)
{
	int fds[2], r;
	pid_t pid;

	r = fdio_pipe(fds);
	if (r < 0)
		return fail_with(
		    err, errlen, "pipe() failed: %s", strerror(-r));
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return fail_with(
		    err, errlen, "fork() failed: %s", strerror(errno));
	}
	if (pid > 0) {
		close(fds[1]);
		await_message(fds[0]);
	}
	close(fds[0]);
	d->ready_fd = fds[1];
	setsid();
	signal(SIGHUP, SIG_IGN);
	pid = fork();
	if (pid < 0)
		return fail_with(
		    err, errlen, "fork() failed: %s", strerror(errno));
	if (pid > 0)
		_exit(0);
	return 0;
}

/* Whether path still names what fd is open on. */
static bool
is_same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A descriptor of path that holds the lock, or -errno; *opened says how far it
 * came.  A copy that ends removes its lock file: the one that we opened may be
 * gone, and its lock worth nothing. */
static int
lock_file(const char *path, bool *opened)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, r;

	for (;;) {
		fd =
		    open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		*opened = fd >= 0;
		if (fd < 0)
			return -errno;
		r = fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0;
		if (r == 0 && is_same_file(fd, path))
			return fd;
		close(fd);
		if (r < 0)
			return r;
	}
}

static int
write_pid(struct daemon_ctx *d, char *err, size_t errlen)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	int r = ftruncate(d->pid_fd, 0) < 0
		    ? -errno
		    : fdio_write_all(d->pid_fd, text, (size_t)n);

	close(d->pid_fd);
	d->pid_fd = -1;
	if (r < 0)
		return fail_with(err, errlen, "Could not write PID file %s: %s",
		    d->pid_path, strerror(-r));
	return 0;
}

int
daemon_lock(
    struct daemon_ctx *d, const char *lock_path, char *err, size_t errlen)
{
	bool opened;
	char *path;
	int fd, n;

	if (!lock_path && !d->pid_path)
		return 0;
	n = lock_path ? asprintf(&path, "%s", lock_path)
		      : asprintf(&path, "%s.lock", d->pid_path);
	if (n < 0)
		return fail_with(err, errlen, "Out of memory");
	fd = lock_file(path, &opened);
	if (fd < 0) {
		fail_with(err, errlen,
		    opened ? "Could not lock lockfile file %s: %s.  Is another "
			     "copy running?"
			   : "Could not open lock file %s: %s; use -o to name "
			     "one that this user may create",
		    path, strerror(-fd));
		free(path);
		return -1;
	}
	d->lock_fd = fd;
	d->lock_path = path;
	return d->pid_fd >= 0 ? write_pid(d, err, errlen) : 0;
}

/* The lowest descriptor from `from` on that is to stay; INT_MAX: none. */
static int
next_kept(const struct daemon_ctx *d, const int *keep, int from)
{
	const int own[] = { d->pid_fd, d->lock_fd, d->ready_fd };
	int next = INT_MAX;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i] >= from && own[i] < next)
			next = own[i];
	for (; keep && *keep >= 0; keep++)
		if (*keep >= from && *keep < next)
			next = *keep;
	return next;
}

/* Closes first to last - 1. */
static void
close_between(int first, int last)
{
	long n = sysconf(_SC_OPEN_MAX);

	if (first >= last ||
	    close_range((unsigned)first, (unsigned)last - 1, 0) == 0)
		return;
	/* an old kernel, or one that is told to forbid it */
	for (int fd = first; fd < last && fd < n; fd++)
		close(fd);
}

void
daemon_close_fds(const struct daemon_ctx *d, const int *keep, bool null_std)
{
	int kept, null;

	for (int fd = 3;; fd = kept + 1) {
		kept = next_kept(d, keep, fd);
		close_between(fd, kept);
		if (kept == INT_MAX)
			break;
	}
	if (!null_std)
		return;
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void
tell_parent(struct daemon_ctx *d, const char *msg, size_t n)
{
	fdio_write_all(d->ready_fd, msg, n < MESSAGE_MAX ? n : MESSAGE_MAX);
	close(d->ready_fd);
	d->ready_fd = -1;
}

void
daemon_ready(struct daemon_ctx *d)
{
	if (d->ready_fd >= 0)
		tell_parent(d, "X", 1);
	sdnotify_send(&d->notify, "READY=1");
}

void
daemon_fail(struct daemon_ctx *d, const char *text)
{
	char msg[MESSAGE_MAX + 1];

	if (d->ready_fd >= 0) {
		snprintf(msg, sizeof(msg), "E%s", text);
		tell_parent(d, msg, strlen(msg));
	} else {
		fprintf(stderr, "%s\n", text);
	}
}

void
daemon_cleanup(struct daemon_ctx *d)
{
	if (d->lock_fd >= 0) {
		if (d->pid_path)
			unlink(d->pid_path);
		unlink(d->lock_path);
		close(d->lock_fd);
	}
	if (d->pid_fd >= 0)
		close(d->pid_fd);
	free(d->lock_path);
	d->pid_fd = d->lock_fd = -1;
	d->pid_path = d->lock_path = NULL;
}
