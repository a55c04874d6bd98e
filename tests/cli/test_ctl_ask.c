/* SPDX-License-Identifier: MIT */
#include "cli/ctl_ask.h"
#include "core/base/fdio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/sp-ask.XXXXXX", path[64];
static struct sockspec addr;
static int listener;

static int
listen_unix(void **state)
{
	char why[200];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/mux.sock", dir);
	listener = fdio_unix_listen(path, 077, 1);
	return listener < 0 ? -1 : ctl_addr(path, &addr, why, sizeof(why));
}

static int
remove_all(void **state)
{
	(void)state;
	close(listener);
	unlink(path);
	return rmdir(dir);
}

/* The server's end of the next connection. */
static int
take(void)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int fd;

	assert_int_equal(poll(&p, 1, 60000), 1);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

static void
give(int fd, const char *text)
{
	assert_int_equal(fdio_write_all(fd, text, strlen(text)), 0);
}

static void
an_answer_ends_with_the_connection(void **state)
{
	struct ctl_ask a;
	char got[64] = "";
	int fd;

	(void)state;
	ctl_ask_begin(&a, &addr, "free\n", 5);
	assert_int_equal(ctl_ask_step(&a), 0);
	assert_int_equal(ctl_ask_events(&a), POLLIN);
	fd = take();
	assert_int_equal(read(fd, got, sizeof(got)), 5);
	assert_string_equal(got, "free\n");
	give(fd, "1");
	assert_int_equal(ctl_ask_step(&a), 0);
	give(fd, "2\n");
	close(fd);
	assert_int_equal(ctl_ask_step(&a), 1);
	assert_string_equal(buf_cstr(&a.answer), "12\n");
	assert_int_equal(a.fd, -1);
	ctl_ask_end(&a);
	ctl_ask_end(&a);
}

static void
an_endless_answer_is_given_up(void **state)
{
	static char piece[65536];
	struct ctl_ask a;
	int fd, rc = 0;
	size_t sent = 0;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	ctl_ask_begin(&a, &addr, "status\n", 7);
	assert_int_equal(ctl_ask_step(&a), 0);
	fd = take();
	assert_int_equal(fdio_set_nonblock(fd, true), 0);
	while (rc == 0 && sent < 2 * CTL_ANSWER_MAX) {
		ssize_t n = write(fd, piece, sizeof(piece));

		sent += n > 0 ? (size_t)n : 0;
		rc = ctl_ask_step(&a);
	}
	assert_int_equal(rc, -EMSGSIZE);
	ctl_ask_end(&a);
	close(fd);
}

static void
a_peer_that_does_not_read_may_still_answer(void **state)
{
	static char line[4 << 20];
	struct ctl_ask a;
	int fd;

	(void)state;
	memset(line, 'x', sizeof(line));
	ctl_ask_begin(&a, &addr, line, sizeof(line));
	assert_int_equal(ctl_ask_step(&a), 0);
	assert_int_equal(ctl_ask_events(&a), POLLOUT);
	fd = take();
	give(fd, "error: Command too long\n");
	shutdown(fd, SHUT_RDWR);
	assert_int_equal(ctl_ask_wait(&a, clock_mono_ms() + 60000), 1);
	assert_string_equal(buf_cstr(&a.answer), "error: Command too long\n");
	ctl_ask_end(&a);
	close(fd);
}

static void
silence_ends_at_the_time_limit(void **state)
{
	struct ctl_ask a;

	(void)state;
	ctl_ask_begin(&a, &addr, "free\n", 5);
	assert_int_equal(ctl_ask_wait(&a, clock_mono_ms()), -ETIMEDOUT);
	ctl_ask_end(&a);
	close(take());
}

/* The listener has room for two. */
static void
a_full_queue_is_waited_for(void **state)
{
	struct ctl_ask a[4], last;
	size_t n = 0;

	(void)state;
	for (; n < 4; n++) {
		ctl_ask_begin(&a[n], &addr, "free\n", 5);
		assert_int_equal(ctl_ask_step(&a[n]), 0);
		if (a[n].fd < 0)
			break;
	}
	assert_true(n < 4);
	last = a[n];
	assert_int_equal(ctl_ask_wait(&last, clock_mono_ms()), -ETIMEDOUT);
	close(take());
	assert_int_equal(ctl_ask_step(&last), 0);
	assert_true(last.fd >= 0);
	ctl_ask_end(&last);
	while (n--) {
		ctl_ask_end(&a[n]);
		close(take());
	}
}

static void
nobody_there_is_told(void **state)
{
	struct sockspec nowhere;
	struct ctl_ask a;
	char why[200];

	(void)state;
	assert_int_equal(
	    ctl_addr("/nonexistent/sock", &nowhere, why, sizeof(why)), 0);
	ctl_ask_begin(&a, &nowhere, "free\n", 5);
	assert_int_equal(ctl_ask_step(&a), -ENOENT);
	ctl_ask_end(&a);
}

static void
a_tcp_socket_is_asked_too(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct sockspec tcp;
	struct ctl_ask a;
	char why[200];
	char spec[64];

	(void)state;
	assert_int_equal(bind(l, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(l, 1), 0);
	getsockname(l, (struct sockaddr *)&sin, &len);
	snprintf(spec, sizeof(spec), "inet_any:%u", ntohs(sin.sin_port));
	assert_int_equal(ctl_addr(spec, &tcp, why, sizeof(why)), 0);
	ctl_ask_begin(&a, &tcp, "free\n", 5);
	assert_true(ctl_ask_step(&a) == 0);
	fd = accept(l, NULL, NULL);
	give(fd, "3\n");
	shutdown(fd, SHUT_WR);
	assert_int_equal(ctl_ask_wait(&a, clock_mono_ms() + 60000), 1);
	assert_string_equal(buf_cstr(&a.answer), "3\n");
	ctl_ask_end(&a);
	close(fd);
	close(l);
}

static void
addresses_are_written_as_the_multiplexor_writes_them(void **state)
{
	static const struct {
		const char *spec;
		int family;
		const char *where; /* NULL: refused */
		unsigned port;
	} cases[] = {
		{ "/run/x.sock", AF_UNIX, "/run/x.sock", 0 },
		{ "unix:/run/x.sock", AF_UNIX, "/run/x.sock", 0 },
		{ "local:x.sock", AF_UNIX, "x.sock", 0 },
		{ "x:y", AF_UNIX, "x:y", 0 },
		{ "inet:10001", AF_INET, "127.0.0.1", 10001 },
		{ "inet_any:10001", AF_INET, "127.0.0.1", 10001 },
		{ "inet:10001@192.0.2.7", AF_INET, "192.0.2.7", 10001 },
		{ "inet6:65535", AF_INET6, "::1", 65535 },
		{ "inet6_any:1", AF_INET6, "::1", 1 },
		{ "inet6:10001@2001:db8::7", AF_INET6, "2001:db8::7", 10001 },
		{ "", AF_UNIX, NULL, 0 },
		{ "unix:", AF_UNIX, NULL, 0 },
		{ "inet:", AF_INET, NULL, 0 },
		{ "inet:0", AF_INET, NULL, 0 },
		{ "inet:65536", AF_INET, NULL, 0 },
		{ "inet:10x", AF_INET, NULL, 0 },
		{ "inet:-1", AF_INET, NULL, 0 },
		{ "inet:10001@mx1.example", AF_INET, NULL, 0 },
		{ "inet:10001@", AF_INET, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[200] = "";
		char text[200] = "";
		struct sockspec a;
		int rc = ctl_addr(cases[i].spec, &a, why, sizeof(why));
		const struct sockaddr_un *sun = (void *)&a.addr;
		const struct sockaddr_in *sin = (void *)&a.addr;
		const struct sockaddr_in6 *sin6 = (void *)&a.addr;

		print_message("%s\n", cases[i].spec);
		if (!cases[i].where) {
			assert_int_equal(rc, -1);
			assert_true(*why);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(a.addr.sa.sa_family, cases[i].family);
		if (cases[i].family == AF_UNIX)
			strcpy(text, sun->sun_path);
		else if (cases[i].family == AF_INET)
			inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text));
		else
			inet_ntop(
			    AF_INET6, &sin6->sin6_addr, text, sizeof(text));
		assert_string_equal(text, cases[i].where);
		if (cases[i].family != AF_UNIX)
			assert_int_equal(ntohs(sin->sin_port), cases[i].port);
	}
}

static void
a_path_must_fit(void **state)
{
	struct sockspec a;
	char why[200];
	char spec[109];

	(void)state;
	memset(spec, 'x', sizeof(spec));
	spec[108] = '\0';
	assert_int_equal(ctl_addr(spec, &a, why, sizeof(why)), -1);
	spec[107] = '\0';
	assert_int_equal(ctl_addr(spec, &a, why, sizeof(why)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_ends_with_the_connection),
		cmocka_unit_test(an_endless_answer_is_given_up),
		cmocka_unit_test(a_peer_that_does_not_read_may_still_answer),
		cmocka_unit_test(silence_ends_at_the_time_limit),
		cmocka_unit_test(a_full_queue_is_waited_for),
		cmocka_unit_test(nobody_there_is_told),
		cmocka_unit_test(a_tcp_socket_is_asked_too),
		cmocka_unit_test(
		    addresses_are_written_as_the_multiplexor_writes_them),
		cmocka_unit_test(a_path_must_fit),
	};
	return cmocka_run_group_tests(tests, listen_unix, remove_all);
}
