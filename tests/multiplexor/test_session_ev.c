/* SPDX-License-Identifier: MIT */
/* session_ev: many requests on one connection; and the sockets for those who
 * may only look. */
#include "tests/support/mux_rig.h"

#include "core/base/fdio.h"
#include "core/frontend/muxclient_ev.h"

#include <event2/event.h>
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

#define GREETING "ok pipeline-1 in-flight=1024 idle=3600\n"

static void
say(int fd, const char *text)
{
	rig_send(fd, text, strlen(text));
}

static int
session(struct rig *r)
{
	int fd = rig_connect(r);

	say(fd, "workerinfo pipeline-1\n");
	rig_heard(r, fd, GREETING);
	return fd;
}

static void
many_requests_go_over_one_connection(void **state)
{
	struct rig *r = *state;
	int fd;

	rig_start(r);
	fd = session(r);
	say(fd, "1 free\n");
	rig_heard(r, fd, "1 2\n2\n");
	say(fd, "2 scan Q1 /d\n");
	rig_heard(r, fd, "2 3\nok\n");
	say(fd, "3 busyworkers\n18446744073709551615 foo_no_such_command\n");
	rig_heard(r, fd,
	    "3 0\n"
	    "18446744073709551615 23\nerror: Unknown command\n");
	close(fd);
}

static void
requests_may_come_with_the_question_and_in_pieces(void **state)
{
	struct rig *r = *state;
	int fd;

	rig_start(r);
	fd = rig_connect(r);
	say(fd, "workerinfo pipeline-1\n1 free\n2 fr");
	rig_heard(r, fd, GREETING "1 2\n2\n");
	say(fd, "ee\r\n3 free\n");
	rig_heard(r, fd, "2 2\n2\n3 2\n2\n");
	close(fd);
}

static void
answers_come_in_any_order(void **state)
{
	struct rig *r = *state;
	char line[300];
	const char *fifo = rig_fifo(r, "w");
	int fd;

	rig_start(r);
	fd = session(r);
	snprintf(line, sizeof(line), "1 wait %s\n2 scan Q /d\n3 free\n", fifo);
	say(fd, line);
	rig_heard(r, fd, "3 2\n0\n2 3\nok\n");
	rig_release(r, fifo);
	rig_heard(r, fd, "1 3\nok\n");
	close(fd);
}

static void
a_cancelled_request_leaves_the_queue(void **state)
{
	struct rig *r = *state;
	char line[300];
	const char *fifo = rig_fifo(r, "w");
	int fd;

	r->o.max_workers = 1;
	r->o.queue_max = 5;
	rig_start(r);
	fd = session(r);
	snprintf(line, sizeof(line), "1 wait %s\n2 crash\n3 scan Q /d\n", fifo);
	say(fd, line);
	rig_until_logged(r, "Queueing request (2 queued)");
	say(fd, "-2\n-77\n");
	while (!strstr(rig_say(r, "status"), " 5 1 "))
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	rig_release(r, fifo);
	rig_heard(r, fd, "1 3\nok\n3 3\nok\n");
	assert_false(rig_logged(r, "died"));
	/* and whoever has hung up cancels all */
	snprintf(line, sizeof(line), "1 wait %s\n2 crash\n3 crash\n", fifo);
	say(fd, line);
	rig_until_logged(r, "Queueing request (2 queued)");
	while (!strstr(rig_say(r, "status"), " 5 2 "))
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	close(fd);
	while (!strstr(rig_say(r, "status"), " 5 0 "))
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	rig_release(r, fifo);
	rig_until_letters(r, "I");
	assert_false(rig_logged(r, "died"));
}

static void
what_is_malformed_ends_the_connection(void **state)
{
	static const char *const lines[] = { "free\n", "0 free\n", "1\n", "-\n",
		"x 1\n", "workerinfo pipeline-1\n" };
	struct rig *r = *state;
	char rest[100];

	rig_start(r);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = session(r);

		say(fd, lines[i]);
		assert_int_equal(rig_receive(r, fd, rest, sizeof(rest)), 0);
	}
	assert_true(rig_logged(r, "ERR: a pipelined client is closed with 0 "
				  "requests open: malformed request"));
}

static void
a_request_that_is_too_long_is_answered_so(void **state)
{
	struct rig *r = *state;
	static char line[20000];
	int fd;

	rig_start(r);
	fd = session(r);
	memset(line, 'x', sizeof(line));
	memcpy(line, "7 ", 2);
	line[2 + 4094] = '\n';
	rig_send(fd, line, 2 + 4094 + 1);
	rig_heard(r, fd, "7 3\nok\n");
	line[2 + 4094] = 'x';
	line[sizeof(line) - 1] = '\n';
	rig_send(fd, line, sizeof(line));
	say(fd, "8 free\n");
	rig_heard(r, fd, "7 24\nerror: Command too long\n8 2\n2\n");
	close(fd);
}

static void
beyond_the_limit_it_is_not_read(void **state)
{
	struct rig *r = *state;
	char line[300], c;
	const char *fifo = rig_fifo(r, "w");
	int fd;

	r->o.in_flight = 1;
	rig_start(r);
	fd = rig_connect(r);
	say(fd, "workerinfo pipeline-1\n");
	rig_heard(r, fd, "ok pipeline-1 in-flight=1 idle=3600\n");
	snprintf(line, sizeof(line), "1 wait %s\n", fifo);
	say(fd, line);
	rig_until_letters(r, "BS");
	say(fd, "2 free\n");
	for (int i = 0; i < 20; i++)
		rig_say(r, "free");
	assert_int_equal(read(fd, &c, 1), -1);
	rig_release(r, fifo);
	rig_heard(r, fd, "1 3\nok\n2 2\n2\n");
	close(fd);
}

static void
answers_that_are_not_taken_stop_it(void **state)
{
	struct rig *r = *state;
	int fd, small = 1;

	r->o.client_s = 1;
	r->o.max_workers = 30000; /* long reports */
	rig_start(r);
	fd = session(r);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 1; i <= 20; i++) {
		char line[40];

		snprintf(line, sizeof(line), "%d workers\n", i);
		say(fd, line);
	}
	rig_until_logged(r, "it does not take its answers");
	close(fd);
}

static void
a_part_of_a_request_does_not_stay_for_ever(void **state)
{
	struct rig *r = *state;
	char rest[10];
	int fd;

	r->o.client_s = 1;
	rig_start(r);
	fd = session(r);
	say(fd, "1 fre");
	assert_int_equal(rig_receive(r, fd, rest, sizeof(rest)), 0);
	assert_true(rig_logged(r, "its request does not end"));
}

static void
the_idle_are_closed_and_nobody_else(void **state)
{
	struct rig *r = *state;
	char line[300], rest[100];
	const char *fifo = rig_fifo(r, "w");
	int idle, busy;

	r->o.pipeline_idle_s = 1;
	rig_start(r);
	idle = rig_connect(r);
	busy = rig_connect(r);
	snprintf(
	    line, sizeof(line), "workerinfo pipeline-1\n1 wait %s\n", fifo);
	say(busy, line);
	rig_until_letters(r, "BS");
	say(idle, "workerinfo pipeline-1\n");
	rig_receive(r, idle, rest, sizeof(rest));
	assert_string_equal(rest, "ok pipeline-1 in-flight=1024 idle=1\n");
	rig_release(r, fifo);
	rig_heard(r, busy, "ok pipeline-1 in-flight=1024 idle=1\n1 3\nok\n");
	close(busy);
}

static void
at_the_stop_what_is_open_is_answered(void **state)
{
	struct rig *r = *state;
	char line[300], rest[100];
	const char *fifo = rig_fifo(r, "w");
	int fd, idle;

	r->o.max_workers = 1;
	r->o.queue_max = 1;
	rig_start(r);
	fd = session(r);
	idle = session(r);
	snprintf(line, sizeof(line), "1 wait %s\n2 scan Q /d\n", fifo);
	say(fd, line);
	rig_until_logged(r, "Queueing request (1 queued)");
	mux_stop(r->m, NULL, NULL);
	assert_int_equal(rig_receive(r, idle, rest, sizeof(rest)), 0);
	rig_heard(r, fd, "2 -\n");
	rig_release(r, fifo);
	rig_receive(r, fd, rest, sizeof(rest));
	assert_string_equal(rest, "1 3\nok\n");
}

static void
it_is_a_worker_number_for_everybody_else(void **state)
{
	static const char *const lines[] = { "workerinfo pipeline-2\n",
		"workerinfo pipeline-1 \n", "workerinfo pipeline-1\r\n" };
	struct rig *r = *state;
	char rest[100];

	rig_start(r);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fd = rig_connect(r);

		say(fd, lines[i]);
		rig_receive(r, fd, rest, sizeof(rest));
		assert_string_equal(rest, "error: Invalid worker number\n");
	}
}

static void
count_answer(void *arg, char *answer, size_t n, const char *error)
{
	int *count = arg;

	(void)n;
	(void)error;
	if (answer && strcmp(answer, "ok\n") == 0)
		++*count;
}

static void
our_front_end_finds_it_out(void **state)
{
	struct rig *r = *state;
	struct muxclient *c;
	struct asker a;
	char err[300];
	int n = 0;

	r->o.queue_max = 100;
	r->o.max_clients = 2; /* its question, and one request meanwhile */
	rig_start(r);
	assert_int_equal(
	    muxclient_new(&c, r->base, r->sock, err, sizeof(err)), 0);
	a = muxclient_asker(c);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < (round ? 100 : 1); i++)
			assert_true(a.ask(a.self, "scan Q /d", 9, count_answer,
					&n) != 0);
		while (n < (round ? 101 : 1))
			event_base_loop(r->base, EVLOOP_ONCE);
	}
	assert_false(rig_logged(r, "--max-clients"));
	muxclient_free(c);
}

/* ---- the socket of -a ---------------------------------------------------------- */

static int
open_client(struct rig *r)
{
	int fd = fdio_unix_connect(r->o.open_socket, false);

	assert_true(fd >= 0);
	return fd;
}

static void
open_it(struct rig *r)
{
	static char path[260];

	snprintf(path, sizeof(path), "%s/open.sock", r->dir);
	r->o.open_socket = path;
	rig_start(r);
}

static const char *
ask_open(struct rig *r, const char *line)
{
	static char text[4000];
	int fd = open_client(r);

	say(fd, line);
	rig_receive(r, fd, text, sizeof(text));
	return text;
}

static void
on_the_open_socket_one_may_look(void **state)
{
	static const char refused[] = "error: Attempt to use privileged "
				      "command on unprivileged socket\n";
	struct rig *r = *state;
	struct stat st;

	open_it(r);
	assert_int_equal(lstat(r->o.open_socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0777);
	assert_string_equal(ask_open(r, "free\n"), "2\n");
	assert_string_equal(ask_open(r, "reread\n"), refused);
	assert_string_equal(ask_open(r, "scan Q /d\n"), refused);
	assert_string_equal(ask_open(r, "\n"), refused);
	assert_string_equal(ask_open(r, "workerinfo pipeline-1\n"),
	    "error: Invalid worker number\n");
	assert_null(strstr(ask_open(r, "help\n"), "reread"));
	assert_string_equal(rig_say(r, "msgs"), "0");
	mux_free(r->m);
	r->m = NULL;
	assert_int_equal(lstat(r->o.open_socket, &st), -1);
}

static void
few_may_dawdle_on_the_open_socket(void **state)
{
	struct rig *r = *state;
	int slow[2];
	char rest[100];

	r->o.open_max = 2;
	open_it(r);
	slow[0] = open_client(r);
	slow[1] = open_client(r);
	say(slow[1], "fre");
	rig_say(r, "free"); /* they are accepted by now */
	assert_string_equal(ask_open(r, ""), "");
	assert_true(rig_logged(r,
	    "WARN: unprivileged socket: as many clients that have not asked "
	    "yet as --max-open-clients allows (1 connections refused so "
	    "far)\n"));
	say(slow[1], "e\n");
	rig_receive(r, slow[1], rest, sizeof(rest));
	assert_string_equal(rest, "2\n");
	assert_string_equal(ask_open(r, "free\n"), "2\n");
	close(slow[0]);
}

static void
connections_have_a_limit(void **state)
{
	struct rig *r = *state;
	char rest[100];
	int fd, other;

	r->o.max_clients = 1;
	rig_start(r);
	fd = session(r);
	other = rig_connect(r);
	rig_receive(r, other, rest, sizeof(rest));
	assert_string_equal(rest, "error: Too many connections\n");
	assert_true(rig_logged(r, "WARN: request socket: as many connections "
				  "as --max-clients allows (1 "));
	close(fd);
	for (;;) { /* until its end was noticed */
		fd = rig_connect(r);
		rig_send(fd, "free\n", 5);
		rig_receive(r, fd, rest, sizeof(rest));
		if (rest[0] == '2')
			break;
	}
}

/* As root we can connect as somebody else. */
static void
strangers_are_told_so(void **state)
{
	struct rig *r = *state;
	char rest[200];
	int fd;

	if (geteuid() != 0)
		skip();
	rig_start(r);
	assert_int_equal(chmod(r->dir, 0755), 0);
	assert_int_equal(chmod(r->sock, 0777), 0);
	assert_int_equal(seteuid(12345), 0);
	fd = rig_connect(r);
	assert_int_equal(seteuid(0), 0);
	say(fd, "free\n");
	rig_receive(r, fd, rest, sizeof(rest));
	assert_string_equal(rest,
	    "error: Not permitted; -G lets the owner's group in, and everybody "
	    "may look at the socket of -a\n");
	assert_true(rig_logged(r,
	    "WARN: request socket: a client is neither of our user nor root: "
	    "uid 12345, gid "));
	assert_string_equal(rig_say(r, "free"), "2");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(many_requests_go_over_one_connection),
		T(requests_may_come_with_the_question_and_in_pieces),
		T(answers_come_in_any_order),
		T(a_cancelled_request_leaves_the_queue),
		T(what_is_malformed_ends_the_connection),
		T(a_request_that_is_too_long_is_answered_so),
		T(beyond_the_limit_it_is_not_read),
		T(answers_that_are_not_taken_stop_it),
		T(a_part_of_a_request_does_not_stay_for_ever),
		T(the_idle_are_closed_and_nobody_else),
		T(at_the_stop_what_is_open_is_answered),
		T(it_is_a_worker_number_for_everybody_else),
		T(our_front_end_finds_it_out),
		T(on_the_open_socket_one_may_look),
		T(strangers_are_told_so),
		T(few_may_dawdle_on_the_open_socket),
		T(connections_have_a_limit),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
