/* SPDX-License-Identifier: MIT */
#include "core/base/fdio.h"
#include "core/base/peercred.h"
#include "core/base/sockspec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char err[300];

/* As text: "unix PATH" or "ADDRESS PORT". */
static const char *
parsed(const char *spec)
{
	static char text[300];
	char address[INET6_ADDRSTRLEN];
	struct sockspec s;

	if (sockspec_parse(&s, spec, err, sizeof(err)) < 0)
		return err;
	if (sockspec_is_unix(&s)) {
		snprintf(text, sizeof(text), "unix %s", s.addr.un.sun_path);
	} else if (s.addr.sa.sa_family == AF_INET) {
		inet_ntop(
		    AF_INET, &s.addr.in.sin_addr, address, sizeof(address));
		snprintf(text, sizeof(text), "%s %d", address,
		    ntohs(s.addr.in.sin_port));
	} else {
		inet_ntop(
		    AF_INET6, &s.addr.in6.sin6_addr, address, sizeof(address));
		snprintf(text, sizeof(text), "%s %d", address,
		    ntohs(s.addr.in6.sin6_port));
	}
	return text;
}

static void
all_forms_are_understood(void **state)
{
	static const char *const rows[][2] = {
		{ "/run/mx", "unix /run/mx" },
		{ "unix:/run/mx", "unix /run/mx" },
		{ "local:/run/mx", "unix /run/mx" },
		{ "mx.sock", "unix mx.sock" },
		{ "inetd.sock", "unix inetd.sock" },
		{ "inet:25", "127.0.0.1 25" },
		{ "inet_any:65535", "0.0.0.0 65535" },
		{ "inet6:1", "::1 1" },
		{ "inet6_any:25", ":: 25" },
		{ "inet:25@192.0.2.1", "192.0.2.1 25" },
		{ "inet_any:25@192.0.2.1", "192.0.2.1 25" },
		{ "inet6:25@[2001:db8::1]", "2001:db8::1 25" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(parsed(rows[i][0]), rows[i][1]);
}

static void
what_is_wrong_is_said(void **state)
{
	static const char *const ports[] = { "inet:", "inet:0", "inet:65536",
		"inet:25x", "inet:-25", "inet:99999999999999999999",
		"inet6: 25" };
	char path[200] = "unix:";

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		assert_non_null(strstr(parsed(ports[i]), "is no port from 1 "));
	assert_string_equal(
	    parsed("inet:25@localhost"), "\"localhost\" is no IPv4 address");
	assert_string_equal(
	    parsed("inet6:25@[::1"), "\"[::1\" is no IPv6 address");
	memset(path + 5, 'x', 108);
	assert_string_equal(
	    parsed(path), "a socket's path has 1 to 107 octets, this one 108");
	assert_string_equal(
	    parsed("unix:"), "a socket's path has 1 to 107 octets, this one 0");
}

static int
set_up(void **state)
{
	char *dir;

	if (asprintf(&dir, "%s/sockspec.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp") < 0 ||
	    !mkdtemp(dir))
		return -1;
	*state = dir;
	return chdir(dir);
}

static int
tear_down(void **state)
{
	int rc = chdir("/");

	unlink("s");
	rmdir(*state);
	free(*state);
	return rc;
}

static void
only_our_own_socket_is_removed(void **state)
{
	struct sockspec s;
	int fd, other;

	(void)state;
	assert_int_equal(sockspec_parse(&s, "s", err, sizeof(err)), 0);
	fd = sockspec_listen(&s, 0117, 5);
	assert_true(fd >= 0);
	assert_int_equal(sockspec_listen(&s, 0117, 5), -EADDRINUSE);
	/* another copy took its place */
	assert_int_equal(rename("s", "t"), 0);
	other = fdio_unix_listen("s", 0117, 5);
	assert_true(other >= 0);
	sockspec_unlink(&s);
	assert_int_equal(access("s", F_OK), 0);
	assert_int_equal(rename("t", "s"), 0);
	sockspec_unlink(&s);
	assert_int_equal(access("s", F_OK), -1);
	close(fd);
	close(other);
}

static void
inet_listens_at_once_again(void **state)
{
	struct sockspec s;
	socklen_t n = sizeof(s.addr);
	int fd;

	(void)state;
	assert_int_equal(sockspec_parse(&s, "inet:1", err, sizeof(err)), 0);
	s.addr.in.sin_port = 0;
	fd = sockspec_listen(&s, 077, 5);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, &s.addr.sa, &n), 0);
	assert_int_equal(sockspec_listen(&s, 077, 5), -EADDRINUSE);
	close(fd);
	sockspec_unlink(&s); /* there is nothing */
}

static void
peers_are_known_by_user_and_group(void **state)
{
	char text[100], want[100];
	int fd[2];
	bool root = geteuid() == 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_true(
	    peercred_allowed(fd[0], geteuid(), false, 0, text, sizeof(text)));
	snprintf(want, sizeof(want), "uid %d, gid %d", (int)geteuid(),
	    (int)getegid());
	assert_string_equal(text, want);
	/* whoever is not root is not let in by another's socket */
	assert_int_equal(peercred_allowed(fd[0], geteuid() + 1, false,
			     getegid(), text, sizeof(text)),
	    root);
	assert_true(peercred_allowed(
	    fd[0], geteuid() + 1, true, getegid(), text, sizeof(text)));
	assert_false(
	    peercred_allowed(0, geteuid(), true, 0, text, sizeof(text)));
	close(fd[0]);
	close(fd[1]);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_are_understood),
		cmocka_unit_test(what_is_wrong_is_said),
		CASE(only_our_own_socket_is_removed),
		CASE(inet_listens_at_once_again),
		CASE(peers_are_known_by_user_and_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
