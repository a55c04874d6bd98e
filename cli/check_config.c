/* SPDX-License-Identifier: MIT */
#include "cli/check_config.h"

#include "cli/md_facts.h"
#include "cli/md_limits.h"
#include "cli/md_probe.h"
#include "cli/start.h"
#include "core/base/log.h"
#include "multiplexor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum finding {
	OK,
	WARNING,
	ERROR
};

static bool failed;

/* One line, whatever is in the text. */
__attribute__((format(printf, 2, 3))) static void
say(enum finding what, const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warning", "error" };
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	printf("%s: %s\n", names[what], text);
	failed |= what == ERROR;
}

/* ---- files ------------------------------------------------------------------------ */

/* Whether a file could be made beside path: 0 or errno. */
static int
dir_is_writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir =
	    slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1)
		  : strdup(".");
	int rc;

	if (!dir)
		return ENOMEM;
	rc = access(dir, W_OK | X_OK) < 0 ? errno : 0;
	free(dir);
	return rc;
}

/* Before the privileges go, as at the start. */
static void
check_pid_file(const char *path)
{
	struct stat st;
	int rc;

	if (lstat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
			say(ERROR,
			    "pid file %s: not a regular file of its own; "
			    "remove "
			    "it or choose another with -P",
			    path);
		else if (access(path, R_OK | W_OK) < 0)
			say(ERROR, "pid file %s: %s; choose another with -P",
			    path, strerror(errno));
		else
			say(OK, "pid file %s", path);
		return;
	}
	rc = errno == ENOENT ? dir_is_writable(path) : errno;
	if (rc)
		say(ERROR, "pid file %s: %s; choose another with -P", path,
		    strerror(rc));
	else
		say(OK, "pid file %s", path);
}

/* Who holds the lock on it: 0 nobody, -1 errno. */
static long
lock_holder(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fcntl(fd, F_GETLK, &lock);
	close(fd);
	if (rc < 0)
		return -1;
	return lock.l_type == F_UNLCK ? 0 : (long)lock.l_pid;
}

/* As the user of -U. */
static void
check_lock_file(const char *path)
{
	long pid = lock_holder(path);
	int rc = pid < 0 ? errno : 0;

	if (rc == ENOENT)
		rc = dir_is_writable(path);
	if (rc)
		say(ERROR,
		    "lock file %s: %s; use -o to name one that this user may "
		    "create",
		    path, strerror(rc));
	else if (pid > 0)
		say(WARNING,
		    "lock file %s: held by pid %ld; that copy must end before "
		    "another can start",
		    path, pid);
	else
		say(OK, "lock file %s", path);
}

static void
check_lock(const struct md_opts *o)
{
	char *path = NULL;

	if (o->lock_file)
		path = strdup(o->lock_file);
	else if (o->pid_file && asprintf(&path, "%s.lock", o->pid_file) < 0)
		path = NULL;
	if (path)
		check_lock_file(path);
	else
		say(WARNING,
		    "no lock file: nothing but the sockets keeps a second copy "
		    "from starting; give -o");
	free(path);
}

static void
check_key_file(const char *path)
{
	char *name, err[512];

	if (md_ip_key(path, &name, err, sizeof(err)) < 0)
		say(ERROR, "%s; make it readable for this user", err);
	else if (name && name[strcspn(name, " \t:")])
		say(WARNING,
		    "key file %s: its first line is not a header name; no "
		    "message will match",
		    path);
	else if (name)
		say(OK, "key file %s", path);
	else
		say(OK, "key file %s: none, no IP validation", path);
	free(name);
}

/* ---- who we are --------------------------------------------------------------------- */

/* False: the rest would be looked at with the wrong eyes. */
static bool
become_user(const struct md_opts *o)
{
	char err[512];

	if (!o->user && getuid() == 0) {
		say(ERROR, "user: must not be root; use -U to set another");
		return false;
	}
	if (o->user && daemon_drop_privileges(o->user, err, sizeof(err)) < 0) {
		say(ERROR, "user: %s; choose another with -U", err);
		return false;
	}
	if (getuid() == 0) {
		say(ERROR, "user %s: is root; choose another with -U", o->user);
		return false;
	}
	if (o->user)
		say(OK, "user %s", o->user);
	else
		say(OK, "user: uid %lu, who starts it",
		    (unsigned long)getuid());
	return true;
}

static void
check_descriptors(const struct md_opts *o)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return;
	if (o->max_sessions > 0 && rl.rlim_max != RLIM_INFINITY &&
	    (rlim_t)o->max_sessions > rl.rlim_max)
		say(WARNING,
		    "--max-sessions %ld: the limit of descriptors is %lu; "
		    "raise "
		    "it (LimitNOFILE=, ulimit -Hn)",
		    o->max_sessions, (unsigned long)rl.rlim_max);
}

/* ---- sockets and the multiplexor ------------------------------------------------------ */

static void
check_socket(
    const char *what, const char *spec, const struct mlt_listen_opts *opts)
{
	char err[512];

	switch (mlt_listen_check(spec, opts, err, sizeof(err))) {
	case 0:
		say(OK, "%s %s", what, spec);
		break;
	case 1:
		say(WARNING, "%s %s", what, err);
		break;
	default:
		say(ERROR, "%s %s", what, err);
	}
}

static void
check_milter_sockets(
    const struct md_opts *o, const struct mlt_listen_opts *opts)
{
	if (o->inherited)
		say(OK, "milter socket: handed over by the service manager");
	else if (strncasecmp(o->conn, "fd:", 3) == 0)
		say(WARNING,
		    "milter socket %s: to be handed over at the start, not "
		    "checked",
		    o->conn);
	else
		check_socket("milter socket", o->conn, opts);
}

static void
check_separate(const char *path)
{
	const char *why;
	long n = probe_multiplexor(path, &why);

	if (n >= 0)
		say(OK, "multiplexor %s: answers, %ld workers are free", path,
		    n);
	else
		say(ERROR,
		    "multiplexor %s: %s; start it, or give its socket with -m",
		    path, why);
}

static void
check_filter(const struct mux_opts *mo)
{
	struct buf said;
	char why[1024];

	buf_init(&said, 0);
	if (probe_filter(mo, "-test", &said, why, sizeof(why)) < 0)
		say(ERROR, "filter: %s", why);
	else
		say(OK, "filter: %s loads it", mo->worker);
	buf_fini(&said);
}

static void
check_builtin(const struct mux_opts *mo)
{
	const struct proc_spec spec = { .worker = mo->worker,
		.filter = mo->filter };
	const struct mlt_listen_opts how = { .umask_ = 077,
		.remove_dead = true };
	char err[512];

	check_socket("multiplexor socket", mo->socket, &how);
	if (proc_check(&spec, err, sizeof(err)) < 0)
		say(ERROR, "%s", err);
	else
		check_filter(mo);
}

int
check_config(
    const char *prog, const struct md_opts *o, const struct mux_opts *mo)
{
	struct md_limits limits;
	char err[512];

	signal(SIGPIPE, SIG_IGN);
	say(OK, "options");
	if (daemon_refuse_suid(prog, err, sizeof(err)) < 0)
		say(ERROR, "%s", err);
	if (log_facility(o->facility) < 0)
		say(ERROR, "Unknown syslog facility %s", o->facility);
	if (md_limits(o, &limits, err, sizeof(err)) < 0)
		say(ERROR, "%s", err);
	if (o->pid_file)
		check_pid_file(o->pid_file);
	check_descriptors(o);
	if (become_user(o)) {
		if (start_check_spool(o->fe.spool_dir, o->fe.group_access, err,
			sizeof(err)) < 0)
			say(ERROR, "spool: %s", err);
		else
			say(OK, "spool %s", o->fe.spool_dir);
		check_lock(o);
		check_milter_sockets(o, &limits.listen);
		check_key_file(o->ip_key_file);
		if (o->mux_socket)
			check_separate(o->mux_socket);
		else
			check_builtin(mo);
	}
	if (!md_my_ip(err, sizeof(err)))
		say(WARNING, "%s", err);
	return fflush(stdout) == 0 && !failed ? 0 : 1;
}
