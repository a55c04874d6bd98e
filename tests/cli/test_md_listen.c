/* SPDX-License-Identifier: MIT */
/* md_listen: which sockets are served, and which path is removed. */
#include "cli/md_listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const struct mlt_listen_opts how = { .umask_ = 077,
	.remove_dead = true };
static char dir[40], path[60], err[300];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_listen.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void
without_inherited_sockets_p_is_opened(void **state)
{
	struct md_listen l;
	struct stat st;

	(void)state;
	assert_int_equal(md_listen_inherit(&l, err, sizeof(err)), 0);
	assert_false(l.inherited);
	assert_int_equal(l.fd[0], -1);
	assert_int_equal(md_listen_open(&l, path, &how, err, sizeof(err)), 0);
	assert_int_equal(l.n, 1);
	assert_true(l.fd[0] >= 0);
	assert_int_equal(l.fd[1], -1);
	assert_int_equal(lstat(path, &st), 0);
	md_listen_unlink(&l);
	close(l.fd[0]);
	assert_int_equal(lstat(path, &st), -1);
	md_listen_unlink(&l); /* a second time does nothing */
}

static void
the_socket_of_another_copy_stays(void **state)
{
	struct md_listen first, second;
	struct stat st;

	(void)state;
	assert_int_equal(md_listen_inherit(&first, err, sizeof(err)), 0);
	second = first;
	assert_int_equal(
	    md_listen_open(&first, path, &how, err, sizeof(err)), 0);
	assert_int_equal(unlink(path), 0); /* somebody tidied up */
	assert_int_equal(
	    md_listen_open(&second, path, &how, err, sizeof(err)), 0);
	md_listen_unlink(&first);
	assert_int_equal(lstat(path, &st), 0);
	md_listen_unlink(&second);
	close(first.fd[0]);
	close(second.fd[0]);
	assert_int_equal(lstat(path, &st), -1);
}

static void
what_cannot_be_opened_is_told(void **state)
{
	struct md_listen l = { .fd = { -1 } };

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(md_listen_open(&l, path, &how, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "something that is not a socket is there"));
	md_listen_unlink(&l);
	assert_int_equal(rmdir(path), 0);
}

static void
inherited_sockets_are_taken_instead(void **state)
{
	struct md_listen l;
	char pid[20];
	int fd;

	(void)state;
	fd = mlt_listen_open(path, &how, err, sizeof(err));
	assert_true(fd >= 0);
	assert_int_equal(dup2(fd, 3), 3);
	if (fd != 3)
		close(fd);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "milter", 1);
	assert_int_equal(md_listen_inherit(&l, err, sizeof(err)), 0);
	assert_true(l.inherited);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.fd[0], 3);
	assert_int_equal(l.fd[1], -1);
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
	md_listen_keep(&l, "fd:7");
	assert_int_equal(
	    md_listen_open(&l, "/no/such/dir", &how, err, sizeof(err)), 0);
	assert_int_equal(l.fd[0], 3);
	md_listen_unlink(&l);
	assert_int_equal(access(path, F_OK), 0); /* it is not ours */

	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "many", 1);
	assert_int_equal(md_listen_inherit(&l, err, sizeof(err)), -1);
	assert_string_equal(err, "LISTEN_FDS=many is no number");
	close(3);
}

static void
a_descriptor_of_p_is_kept(void **state)
{
	struct md_listen l = { .fd = { -1 } };

	(void)state;
	md_listen_keep(&l, NULL);
	assert_int_equal(l.fd[0], -1);
	md_listen_keep(&l, "inet:25");
	assert_int_equal(l.fd[0], -1);
	md_listen_keep(&l, "fd:7");
	assert_int_equal(l.fd[0], 7);
	assert_int_equal(l.fd[1], -1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(without_inherited_sockets_p_is_opened),
		CASE(the_socket_of_another_copy_stays),
		CASE(what_cannot_be_opened_is_told),
		CASE(inherited_sockets_are_taken_instead),
		CASE(a_descriptor_of_p_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
