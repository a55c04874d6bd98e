/* SPDX-License-Identifier: MIT */
/* md_probe: sockets, a multiplexor that answers at once, and worker programs. */
#include "cli/md_probe.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[40], path[60], worker[60], err[300];
static struct buf said;

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_probe.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(worker, sizeof(worker), "%s/worker", dir);
	buf_init(&said, 0);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	buf_fini(&said);
	unlink(path);
	unlink(worker);
	return rmdir(dir);
}

static void
a_unix_socket_is_there_or_says_why_not(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(probe_unix(path), ENOENT);
	fd = fdio_unix_listen(path, 077, 5);
	assert_true(fd >= 0);
	assert_int_equal(probe_unix(path), 0);
	close(fd);
	assert_int_equal(probe_unix(path), ECONNREFUSED);
}

static void
so_does_a_port(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char port[10];

	(void)state;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (void *)&in, n), 0);
	assert_int_equal(getsockname(fd, (void *)&in, &n), 0);
	snprintf(port, sizeof(port), "%d", ntohs(in.sin_port));
	assert_int_equal(probe_inet("127.0.0.1", port), ECONNREFUSED);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(probe_inet("127.0.0.1", port), 0);
	assert_int_equal(probe_inet("no address", port), EHOSTUNREACH);
	close(fd);
}

/* What is found when a multiplexor says this to the first who asks. */
static long
answered(const char *answer, const char **why)
{
	int fd = fdio_unix_listen(path, 077, 5), status, rc;
	pid_t pid;
	long got;

	assert_true(fd >= 0);
	fdio_set_nonblock(fd, false);
	pid = fork();
	if (pid == 0) {
		char line[10];
		int c = accept(fd, NULL, NULL);

		rc = c >= 0 && read(c, line, 5) == 5 &&
		     memcmp(line, "free\n", 5) == 0 &&
		     write(c, answer, strlen(answer)) >= 0;
		_exit(rc ? 0 : 1);
	}
	close(fd);
	got = probe_multiplexor(path, why);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return got;
}

static void
a_multiplexor_tells_its_free_workers(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(probe_multiplexor(path, &why), -1);
	assert_string_equal(why, "No such file or directory");
	assert_int_equal(answered("7\n", &why), 7);
	assert_int_equal(answered("0\n", &why), 0);
	assert_int_equal(answered("error: no\n", &why), -1);
	assert_string_equal(why, "its answer is no number");
	assert_int_equal(answered("", &why), -1);
	assert_string_equal(why, "no answer");
}

static int
filter(const char *script, const char *rules)
{
	const struct mux_opts mo = { .worker = worker, .filter = rules };

	unlink(worker);
	assert_int_equal(
	    fdio_write_file(AT_FDCWD, worker, 0700, script, strlen(script)), 0);
	buf_reset(&said);
	return probe_filter(&mo, "-test", &said, err, sizeof(err));
}

static void
a_worker_program_loads_the_filter_or_says_why_not(void **state)
{
	char want[100];

	(void)state;
	assert_int_equal(filter("#!/bin/sh\necho $#: $*\n", "/f"), 0);
	assert_string_equal(buf_cstr(&said), "3: -f /f -test\n");
	assert_int_equal(filter("#!/bin/sh\necho $#: $*\n", NULL), 0);
	assert_string_equal(buf_cstr(&said), "1: -test\n");
	assert_int_equal(
	    filter("#!/bin/sh\necho bad >&2\necho more\nexit 1\n", "/f"), -1);
	snprintf(want, sizeof(want), "%s does not load it: bad", worker);
	assert_string_equal(err, want);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_unix_socket_is_there_or_says_why_not),
		TEST(so_does_a_port),
		TEST(a_multiplexor_tells_its_free_workers),
		TEST(a_worker_program_loads_the_filter_or_says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
