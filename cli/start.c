/* SPDX-License-Identifier: MIT */
#include "cli/start.h"

#include "core/base/fail.h"
#include "core/base/log.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* One process, one start-up: what start_fail needs to know. */
static const char *prog = "";
static struct daemon_ctx *daemon_of_process;
static bool log_is_stderr;

void
start_fail(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_msg(LOG_L_ERR, NULL, "%s", text);
	if (daemon_of_process) {
		daemon_cleanup(daemon_of_process);
		if (daemon_of_process->ready_fd >= 0) {
			daemon_fail(daemon_of_process, text);
			exit(1);
		}
	}
	if (!log_is_stderr)
		fprintf(stderr, "%s: %s\n", prog, text);
	exit(1);
}

int
start_check_spool(const char *dir, bool group_access, char *err, size_t errlen)
{
	char name[PATH_MAX];
	size_t n = strlen(dir);
	uid_t me = geteuid();
	struct stat st, here;

	if (dir[0] != '/' || n >= sizeof(name))
		return fail_with(err, errlen,
		    "-z %s: the spool directory must be an absolute path", dir);
	while (n > 1 && dir[n - 1] == '/')
		n--; /* "link/" is where it leads to */
	memcpy(name, dir, n);
	name[n] = '\0';
	if (lstat(name, &st) == 0 && S_ISLNK(st.st_mode))
		return fail_with(err, errlen,
		    "%s is a symbolic link; give the directory itself with -z",
		    name);
	if (chdir(name) < 0)
		return fail_with(err, errlen,
		    "Unable to chdir(%s): %s; create it, owned by the user "
		    "given with -U, mode 0750",
		    dir, strerror(errno));
	if (lstat(name, &st) < 0 || stat(".", &here) < 0 ||
	    st.st_dev != here.st_dev || st.st_ino != here.st_ino)
		return fail_with(err, errlen,
		    "%s was replaced just now; its parent must be writable by "
		    "nobody else",
		    name);
	if (st.st_uid != me && st.st_uid != 0)
		return fail_with(err, errlen,
		    "%s belongs to uid %lu, not to uid %lu that this daemon "
		    "runs as; chown it, or choose another with -z",
		    name, (unsigned long)st.st_uid, (unsigned long)me);
	if (st.st_mode & (group_access ? S_IWOTH : S_IWOTH | S_IWGRP))
		return fail_with(err, errlen,
		    "%s is writable by others (mode %04o); chmod 0750 %s", name,
		    (unsigned)st.st_mode & 07777, name);
	if (access(".", W_OK | X_OK) < 0)
		return fail_with(err, errlen,
		    "Cannot write to %s: %s; chown it to the user given with "
		    "-U",
		    name, strerror(errno));
	return 0;
}

/* A session and a worker's pipes are descriptors; service managers leave the
 * soft limit at 1,024 for the sake of select(2), which is not used here. */
static void
raise_fd_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0 || rl.rlim_cur == rl.rlim_max)
		return;
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl); /* as many as there are, then */
}

void
start_daemon(const struct start_opts *o, struct daemon_ctx *d)
{
	char err[512];
	int facility;

	prog = o->prog;
	signal(SIGPIPE, SIG_IGN); /* whoever is to hear us may be gone */
	signal(SIGIO, SIG_IGN);   /* compat_lock_out_openers */
	signal(SIGHUP, SIG_IGN);  /* until the loop: a reload too early */
	umask(077);
	daemon_init(d);
	daemon_of_process = d;
	log_to_stderr(o->ident, false); /* messages go there by start_fail */
	if (daemon_refuse_suid(o->prog, err, sizeof(err)) < 0)
		start_fail("%s", err);
	facility = log_facility(o->facility);
	if (facility < 0)
		start_fail("Unknown syslog facility %s", o->facility);
	if (o->pid_file &&
	    daemon_open_pidfile(d, o->pid_file, err, sizeof(err)) < 0)
		start_fail("%s", err);
	if (o->user && daemon_drop_privileges(o->user, err, sizeof(err)) < 0)
		start_fail("%s", err);
	if (getuid() == 0 || geteuid() == 0) {
		daemon_cleanup(d);
		fprintf(stderr,
		    "ERROR: You must not run %s as root.\n"
		    "Use the -U option to set a non-root user.\n",
		    o->ident);
		exit(1);
	}
	if (start_check_spool(o->spool_dir, o->group_access, err, sizeof(err)) <
	    0)
		start_fail("%s", err);
	if (!o->foreground && daemon_fork(d, err, sizeof(err)) < 0)
		start_fail("%s", err);
	daemon_close_fds(d, o->keep_fds, !o->foreground);
	if ((o->pid_file || o->lock_file) &&
	    daemon_lock(d, o->lock_file, err, sizeof(err)) < 0)
		start_fail("%s", err);
	if ((log_is_stderr = o->log_stderr))
		log_to_stderr(o->ident, true);
	else
		log_open_syslog(o->ident, facility);
	log_set_format(o->log_format ? o->log_format : "text");
	raise_fd_limit();
	umask(o->group_access ? 027 : 077);
}
