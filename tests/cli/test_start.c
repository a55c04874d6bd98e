/* SPDX-License-Identifier: MIT */
/* The start-up that both daemons share: what it refuses, and what it says. */
#include "cli/start.h"
#include "tests/support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static char dir[64];
static char out[4096], err[4096];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_start.XXXXXX");
	return mkdtemp(dir) &&
		       chown(dir, getuid() ? getuid() : NOBODY, (gid_t)-1) == 0
		   ? 0
		   : -1;
}

static int
remove_dir(void **state)
{
	char cmd[256];

	(void)state;
	for (const char *const *f =
		 (const char *const[]){ "pid", "lock", "link", NULL };
	     *f; f++) {
		snprintf(cmd, sizeof(cmd), "%s/%s", dir, *f);
		unlink(cmd);
	}
	return rmdir(dir);
}

/* A daemon of ours, in the foreground, as an unprivileged user; says "up". */
static int
start(void *arg)
{
	const struct start_opts *given = arg;
	struct start_opts o = *given;
	struct daemon_ctx d;

	if (!o.user && getuid() == 0 && strcmp(o.ident, "as-root") != 0 &&
	    setuid(NOBODY) < 0)
		return 99;
	o.prog = "prog";
	o.foreground = true;
	if (!o.facility)
		o.facility = "mail";
	if (!o.spool_dir)
		o.spool_dir = dir;
	if (strcmp(o.ident, "few-fds") == 0) {
		struct rlimit rl = { 64, 256 };
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	start_daemon(&o, &d);
	if (strcmp(o.ident, "few-fds") == 0) {
		struct rlimit rl = { 0, 0 };
		getrlimit(RLIMIT_NOFILE, &rl);
		printf("%d descriptors\n", (int)rl.rlim_cur);
	}
	raise(SIGPIPE);
	raise(SIGHUP);
	puts("up");
	daemon_cleanup(&d);
	return 0;
}

static int
run(struct start_opts o)
{
	if (!o.ident)
		o.ident = "test";
	return capture_run(start, &o, out, sizeof(out), err, sizeof(err));
}

static void
starts_in_a_private_directory(void **state)
{
	(void)state;
	assert_int_equal(run((struct start_opts){ 0 }), 0);
	assert_string_equal(err, "");
	assert_string_equal(out, "up\n");
}

static void
raises_the_soft_limit_of_descriptors(void **state)
{
	(void)state;
	assert_int_equal(run((struct start_opts){ .ident = "few-fds" }), 0);
	assert_string_equal(out, "256 descriptors\nup\n");
}

static void
refuses_a_spool_that_is_unsafe(void **state)
{
	char link[128];

	(void)state;
	assert_int_equal(run((struct start_opts){ .spool_dir = "spool" }), 1);
	assert_non_null(strstr(err, "must be an absolute path"));

	assert_int_equal(
	    run((struct start_opts){ .spool_dir = "/no/such" }), 1);
	assert_non_null(strstr(err,
	    "Unable to chdir(/no/such): No such file or directory; create it"));

	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink("/tmp", link), 0);
	assert_int_equal(run((struct start_opts){ .spool_dir = link }), 1);
	assert_non_null(strstr(err, "is a symbolic link"));

	strcat(link, "/");
	assert_int_equal(run((struct start_opts){ .spool_dir = link }), 1);
	assert_non_null(strstr(err, "/link is a symbolic link"));

	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(run((struct start_opts){ 0 }), 1);
	assert_non_null(strstr(err, "is writable by others (mode 0777)"));
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(run((struct start_opts){ 0 }), 1);
	assert_int_equal(run((struct start_opts){ .group_access = true }), 0);
	assert_int_equal(chmod(dir, 0500), 0);
	assert_int_equal(run((struct start_opts){ 0 }), 1);
	assert_non_null(strstr(err, "Cannot write to"));
	assert_int_equal(chmod(dir, 0700), 0);
}

static void
refuses_a_spool_of_somebody_else(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(chown(dir, 1, (gid_t)-1), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(run((struct start_opts){ 0 }), 1);
	assert_non_null(strstr(err, "belongs to uid 1, not to uid 65534"));
}

static void
refuses_to_run_as_root_and_unknown_users(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(run((struct start_opts){ .ident = "as-root" }), 1);
	assert_string_equal(err, "ERROR: You must not run as-root as root.\n"
				 "Use the -U option to set a non-root user.\n");
	assert_int_equal(run((struct start_opts){ .user = "no-such-user" }), 1);
	assert_non_null(strstr(err, "no-such-user"));
}

static void
refuses_an_unknown_facility(void **state)
{
	(void)state;
	assert_int_equal(run((struct start_opts){ .facility = "post" }), 1);
	assert_string_equal(err, "prog: Unknown syslog facility post\n");
}

static void
writes_the_pid_and_refuses_a_second_copy(void **state)
{
	char pid[128], lock[128];

	(void)state;
	snprintf(pid, sizeof(pid), "%s/pid", dir);
	snprintf(lock, sizeof(lock), "%s/lock", dir);
	assert_int_equal(
	    run((struct start_opts){ .pid_file = pid, .lock_file = lock }), 0);
	assert_int_not_equal(access(lock, F_OK), 0); /* cleaned up */

	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	assert_int_equal(fcntl(fd, F_SETLK, &fl), 0);
	assert_int_equal(
	    run((struct start_opts){ .pid_file = pid, .lock_file = lock }), 1);
	assert_non_null(strstr(err, "Is another copy running?"));
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    starts_in_a_private_directory, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    raises_the_soft_limit_of_descriptors, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    refuses_a_spool_that_is_unsafe, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    refuses_a_spool_of_somebody_else, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    refuses_to_run_as_root_and_unknown_users, make_dir,
		    remove_dir),
		cmocka_unit_test_setup_teardown(
		    refuses_an_unknown_facility, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
		    writes_the_pid_and_refuses_a_second_copy, make_dir,
		    remove_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
