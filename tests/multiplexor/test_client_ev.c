/* SPDX-License-Identifier: MIT */
/* client_ev: framing on the request socket, hasty, slow and vanishing
 * clients. */
#include "tests/support/mux_rig.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Sends n octets, reads to end of file. */
static const char *
exchange_n(struct rig *r, const char *p, size_t n, bool half_close)
{
	static char answer[8192];
	int fd = rig_connect(r);

	rig_send(fd, p, n);
	if (half_close)
		shutdown(fd, SHUT_WR);
	rig_receive(r, fd, answer, sizeof(answer));
	return answer;
}

static const char *
exchange(struct rig *r, const char *text)
{
	return exchange_n(r, text, strlen(text), false);
}

static void
one_line_in_one_answer_out(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(exchange(r, "free\n"), "2\n");
	assert_string_equal(exchange(r, "free\r\n"), "2\n");
	assert_string_equal(exchange(r, "scan Q1 /d\n"), "ok\n");
	assert_string_equal(exchange(r, "scan Q1 /d\r\n"), "ok\n");
	assert_string_equal(exchange_n(r, "free\0x\n", 7, false), "2\n");
	assert_string_equal(exchange(r, "free\nstatus\n"), "2\n");
	assert_string_equal(
	    exchange(r, "foo_no_such_command\n"), "error: Unknown command\n");
	assert_string_equal(exchange(r, "\n"), "error: Unknown command\n");
	assert_string_equal(exchange(r, "tick 3\n"),
	    "error: External agents may not invoke 'tick'\n");
	assert_string_equal(
	    exchange(r, "reread\n"), "Forced reread of filter rules\n");
	assert_string_equal(
	    exchange(r, "workerinfo x\n"), "error: Invalid worker number\n");
	assert_memory_equal(
	    exchange(r, "workerinfo 1\n"), "Worker 1\nState ", 15);
	assert_memory_equal(exchange(r, "help\n"), "help  ", 6);
	assert_string_equal(exchange(r, "version\n"), MD_VERSION);
}

static void
a_request_may_come_in_pieces(void **state)
{
	struct rig *r = *state;
	int fd;
	char answer[100];

	rig_start(r);
	fd = rig_connect(r);
	for (const char *p = "free\n"; *p; p++) {
		rig_send(fd, p, 1);
		/* so that the pieces are read one by one */
		assert_string_equal(rig_say(r, "free"), "2");
	}
	rig_receive(r, fd, answer, sizeof(answer));
	assert_string_equal(answer, "2\n");
}

static void
a_part_of_a_request_is_not_run(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(
	    exchange_n(r, "status", 6, true), "error: Incomplete command\n");
	assert_string_equal(
	    exchange_n(r, "", 0, true), "error: Incomplete command\n");
	assert_string_equal(exchange_n(r, "free\n", 5, true), "2\n");
}

static void
the_longest_request_has_4094_octets(void **state)
{
	static char line[20002];
	struct rig *r = *state;

	rig_start(r);
	memset(line, 'x', sizeof(line));
	line[4094] = '\n';
	assert_string_equal(exchange_n(r, line, 4095, false), "ok\n");
	line[4094] = '\r';
	line[4095] = '\n';
	assert_string_equal(exchange_n(r, line, 4096, false), "ok\n");
	line[4094] = 'x';
	assert_string_equal(
	    exchange_n(r, line, 4096, false), "error: Command too long\n");
	line[4095] = '\r';
	line[4096] = '\n';
	assert_string_equal(
	    exchange_n(r, line, 4097, false), "error: Command too long\n");
	line[4095] = line[4096] = 'x';
	line[20001] = '\n';
	assert_string_equal(exchange_n(r, line, sizeof(line), false),
	    "error: Command too long\n");
}

static void
longer_ones_if_they_are_allowed(void **state)
{
	static char line[6002];
	struct rig *r = *state;

	r->o.request_bytes = 6000;
	r->o.answer_bytes = 5000;
	rig_start(r);
	memset(line, 'x', sizeof(line));
	line[6000] = '\n';
	assert_string_equal(exchange_n(r, line, 6001, false), "ok\n");
	line[6000] = 'x';
	line[6001] = '\n';
	assert_string_equal(
	    exchange_n(r, line, 6002, false), "error: Command too long\n");
	assert_int_equal(strlen(exchange(r, "big 4999\n")), 5000);
	assert_int_equal(strlen(exchange(r, "big 5001\n")), 5000);
}

static void
who_has_hung_up_leaves_the_queue(void **state)
{
	struct rig *r = *state;
	struct rig_answer a, c;
	char line[300];
	const char *fifo = rig_fifo(r, "w");
	int fd;

	r->o.max_workers = 1;
	r->o.queue_max = 2;
	rig_start(r);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	fd = rig_connect(r);
	rig_send(fd, "crash\n", 6);
	rig_until_logged(r, "Queueing request (1 queued)");
	close(fd);
	while (!strstr(rig_say(r, "status"), " 2 0 "))
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	/* the place is free, and its request does not run */
	rig_ask(r, "scan Q2 /d", &c);
	rig_release(r, fifo);
	rig_until(r, &a.done);
	rig_until(r, &c.done);
	assert_string_equal(c.text, "ok\n");
	assert_false(rig_logged(r, "died"));
}

static void
who_has_only_finished_sending_gets_the_answer(void **state)
{
	struct rig *r = *state;
	char line[300], answer[100];
	const char *fifo = rig_fifo(r, "w");
	int fd;

	rig_start(r);
	fd = rig_connect(r);
	snprintf(line, sizeof(line), "wait %s\n", fifo);
	rig_send(fd, line, strlen(line));
	shutdown(fd, SHUT_WR);
	rig_until_letters(r, "BS");
	rig_release(r, fifo);
	rig_receive(r, fd, answer, sizeof(answer));
	assert_string_equal(answer, "ok\n");
}

static void
who_hangs_up_after_that_is_noticed_too(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	char line[300];
	const char *fifo = rig_fifo(r, "w");
	int fd;

	r->o.max_workers = 1;
	r->o.queue_max = 1;
	rig_start(r);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	fd = rig_connect(r);
	rig_send(fd, "crash\n", 6);
	shutdown(fd, SHUT_WR);
	rig_until_logged(r, "Queueing request (1 queued)");
	assert_non_null(strstr(rig_say(r, "status"), " 1 1 "));
	close(fd);
	while (!strstr(rig_say(r, "status"), " 1 0 "))
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	rig_release(r, fifo);
	rig_until(r, &a.done);
}

static void
a_slow_client_is_closed_without_a_word(void **state)
{
	struct rig *r = *state;
	char answer[100];
	int fd;

	r->o.client_s = 1;
	rig_start(r);
	fd = rig_connect(r);
	rig_send(fd, "fre", 3);
	assert_int_equal(rig_receive(r, fd, answer, sizeof(answer)), 0);
	assert_true(rig_logged(
	    r, "ERR: a client did not complete its request: flag=3: "));
}

static void
an_answer_may_be_taken_slowly(void **state)
{
	struct rig *r = *state;
	static char answer[500000];
	int fd, small = 1;
	size_t n;

	r->o.max_workers = 30000; /* a long report */
	rig_start(r);
	fd = rig_connect(r);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	rig_send(fd, "workers\n", 8);
	assert_string_equal(rig_say(r, "free"), "30000");
	n = rig_receive(r, fd, answer, sizeof(answer));
	assert_int_equal(n, strlen(answer));
	assert_string_equal(answer + n - 14, "29999 S ago=0\n");
}

static void
who_never_takes_the_answer_is_closed(void **state)
{
	struct rig *r = *state;
	struct mux_opts *o = &r->o;
	char c;
	int fd, other;

	o->client_s = 1;
	o->max_workers = 30000;
	rig_start(r);
	fd = rig_connect(r);
	other = rig_connect(r);
	rig_send(fd, "workers\n", 8);
	/* the other one's time ends later than the first one's */
	rig_say(r, "free");
	rig_send(other, "x", 1);
	rig_receive(r, other, (char[10]){ 0 }, 10);
	rig_until_logged(r, "did not complete");
	while (read(fd, &c, 1) > 0)
		;
	close(fd);
}

static void
out_of_descriptors_is_a_pause_and_no_end(void **state)
{
	struct rig *r = *state;
	struct rlimit old, few;
	char answer[100];
	int fd, next;

	rig_start(r);
	fd = rig_connect(r);
	next = dup(fd);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ (rlim_t)next, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	rig_send(fd, "free\n", 5);
	rig_until_logged(r, "ERR: request socket: Too many open files; raise");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	rig_receive(r, fd, answer, sizeof(answer));
	assert_string_equal(answer, "2\n");
}

/* Where select(2) would fail: those of worker, sockets and client. */
static void
numbers_of_descriptors_may_be_large(void **state)
{
	struct rig *r = *state;
	struct rlimit old, many;
	char answer[100];
	int fd, fill[1200];
	size_t n = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	many = (struct rlimit){ 1200, old.rlim_max };
	if (old.rlim_max < 1200 || setrlimit(RLIMIT_NOFILE, &many) < 0)
		skip();
	do
		fill[n] = dup(0);
	while (fill[n] >= 0 && fill[n++] < 1100);
	assert_int_equal(fill[n - 1], 1100);
	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
	fd = rig_connect(r);
	assert_true(fd > 1100);
	rig_send(fd, "scan Q2 /d\n", 11);
	rig_receive(r, fd, answer, sizeof(answer));
	assert_string_equal(answer, "ok\n");
	while (n > 0)
		close(fill[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void
who_has_not_asked_is_closed_at_the_stop(void **state)
{
	struct rig *r = *state;
	char answer[100];
	int fd;

	rig_start(r);
	fd = rig_connect(r);
	rig_say(r, "free"); /* accepted by now */
	mux_stop(r->m, NULL, NULL);
	assert_int_equal(rig_receive(r, fd, answer, sizeof(answer)), 0);
}

static void
many_clients_at_once_are_answered(void **state)
{
	struct rig *r = *state;
	int fd[100];
	char answer[100];

	r->o.backlog = 200;
	r->o.max_workers = 2;
	r->o.queue_max = 98;
	rig_start(r);
	for (size_t i = 0; i < 100; i++) {
		fd[i] = rig_connect(r);
		rig_send(fd[i], "scan Q /d\n", 10);
	}
	for (size_t i = 0; i < 100; i++) {
		rig_receive(r, fd[i], answer, sizeof(answer));
		assert_string_equal(answer, "ok\n");
	}
}

static void
the_socket_is_for_the_owner_or_the_group(void **state)
{
	struct rig *r = *state;
	struct stat st;
	char err[300];

	rig_start(r);
	assert_int_equal(lstat(r->sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	mux_free(r->m);
	r->o.group_access = true;
	assert_int_equal(mux_new(&r->m, r->base, &r->o, err, sizeof(err)), 0);
	assert_int_equal(lstat(r->sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0770);
}

static void
a_second_copy_is_refused(void **state)
{
	struct rig *r = *state;
	struct mux *second;
	char err[400], want[400];

	rig_start(r);
	assert_int_equal(
	    mux_new(&second, r->base, &r->o, err, sizeof(err)), -1);
	snprintf(want, sizeof(want),
	    "Unable to create listening socket %s: Address already in use; is "
	    "another copy running?",
	    r->sock);
	assert_string_equal(err, want);
	assert_string_equal(exchange(r, "free\n"), "2\n");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(one_line_in_one_answer_out),
		T(a_request_may_come_in_pieces),
		T(a_part_of_a_request_is_not_run),
		T(the_longest_request_has_4094_octets),
		T(longer_ones_if_they_are_allowed),
		T(who_has_hung_up_leaves_the_queue),
		T(who_has_only_finished_sending_gets_the_answer),
		T(who_hangs_up_after_that_is_noticed_too),
		T(a_slow_client_is_closed_without_a_word),
		T(an_answer_may_be_taken_slowly),
		T(who_never_takes_the_answer_is_closed),
		T(out_of_descriptors_is_a_pause_and_no_end),
		T(who_has_not_asked_is_closed_at_the_stop),
		T(many_clients_at_once_are_answered),
		T(numbers_of_descriptors_may_be_large),
		T(the_socket_is_for_the_owner_or_the_group),
		T(a_second_copy_is_refused),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
