/* SPDX-License-Identifier: MIT */
/* muxlink: a multiplexor that has many requests on one connection. */
#include "core/base/log.h"
#include "tests/core/muxfix.h"
#include "tests/support/failmalloc.h"

#include <poll.h>

#define LIFE "18446744073709551615 free\n"

/* What the client has sent, a line. */
static const char *
hear(struct fixture *f, int fd)
{
	static char line[5000];
	size_t n = 0;

	do {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		assert_true(n < sizeof(line) - 1);
		if (poll(&p, 1, 0) == 0) {
			event_base_loop(f->base, EVLOOP_NONBLOCK);
			continue;
		}
		if (read(fd, line + n, 1) != 1) {
			n += (size_t)snprintf(line + n, 5, "END");
			break;
		}
		n++;
	} while (n == 0 || line[n - 1] != '\n');
	line[n] = '\0';
	return line;
}

/* The number of the request with this line. */
static unsigned long long
hear_request(struct fixture *f, int fd, const char *want)
{
	const char *line = hear(f, fd);
	char *end;
	unsigned long long id = strtoull(line, &end, 10);

	assert_true(id > 0);
	assert_string_equal(end, want);
	return id;
}

static void
answer(int fd, unsigned long long id, const char *text)
{
	char frame[5000];

	snprintf(frame, sizeof(frame), "%llu %zu\n%s", id, strlen(text), text);
	say(fd, frame);
}

static void
runs_idle(struct fixture *f)
{
	for (int i = 0; i < 5; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

/* The client knows what this multiplexor is.  Its connection. */
static int
greet(struct fixture *f, const char *greeting)
{
	int link, fd;

	f->known = true;
	ask(f, "free");
	link = accept_request(f, "workerinfo pipeline-1\n");
	fd = accept_request(f, "free\n");
	say(fd, "7\n");
	close(fd);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got), "7\n|");
	f->n_done = 0;
	buf_reset(&f->got);
	say(link, greeting);
	runs_idle(f);
	return link;
}
#define GREETING "ok pipeline-1 in-flight=1000 idle=3600\n"

static void
nobody_waits_for_the_greeting(void **state)
{
	struct fixture *f = *state;
	unsigned long long id;
	int link, fd;

	f->known = true;
	ask(f, "one");
	link = accept_request(f, "workerinfo pipeline-1\n");
	fd = accept_request(f, "one\n");
	say(link, "ok pipeline-1 in-fl");
	runs_idle(f);
	say(fd, "1\n");
	close(fd);
	run_until(f, 1);
	say(link, "ight=5\n");
	runs_idle(f);
	ask(f, "two");
	id = hear_request(f, link, " two\n");
	answer(link, id, "2\n");
	run_until(f, 2);
	assert_string_equal(buf_cstr(&f->got), "1\n|2\n|");
	close(link);
}

static void
answers_come_in_any_order(void **state)
{
	struct fixture *f = *state;
	unsigned long long a, b, c;
	int link = greet(f, GREETING);

	ask(f, "a");
	ask(f, "b");
	ask(f, "c");
	a = hear_request(f, link, " a\n");
	b = hear_request(f, link, " b\n");
	c = hear_request(f, link, " c\n");
	answer(link, c, "C1\nC2\n");
	answer(link, a, "");
	run_until(f, 2);
	assert_string_equal(buf_cstr(&f->got), "C1\nC2\n||");
	answer(link, 999999, "nobody's\n");
	answer(link, b, "B\n");
	run_until(f, 3);
	assert_string_equal(buf_cstr(&f->got), "C1\nC2\n||B\n|");
	close(link);
}

static void
an_answer_may_come_octet_by_octet(void **state)
{
	struct fixture *f = *state;
	unsigned long long id;
	char frame[100];
	int link = greet(f, GREETING);

	ask(f, "a");
	id = hear_request(f, link, " a\n");
	snprintf(frame, sizeof(frame), "%llu 6\nok 1 x", id);
	for (const char *p = frame; *p; p++) {
		assert_int_equal(f->n_done, 0);
		assert_int_equal(write(link, p, 1), 1);
		runs_idle(f);
	}
	assert_string_equal(buf_cstr(&f->got), "ok 1 x|");
	close(link);
}

static void
cancelled_request_is_not_answered(void **state)
{
	struct fixture *f = *state;
	unsigned long long a, b;
	char want[50];
	uint64_t ticket;
	int link = greet(f, GREETING);

	ticket = ask(f, "a");
	a = hear_request(f, link, " a\n");
	f->asker.cancel(f->asker.self, ticket);
	f->asker.cancel(f->asker.self, ticket);
	ask(f, "b");
	snprintf(want, sizeof(want), "-%llu\n", a);
	assert_string_equal(hear(f, link), want);
	b = hear_request(f, link, " b\n");
	answer(link, a, "A\n");
	answer(link, b, "B\n");
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got), "B\n|");
	close(link);
}

static void
no_answer_is_an_error(void **state)
{
	struct fixture *f = *state;
	char frame[50];
	int link = greet(f, GREETING);

	ask(f, "a");
	snprintf(
	    frame, sizeof(frame), "%llu -\n", hear_request(f, link, " a\n"));
	say(link, frame);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got),
	    "!the multiplexor is stopping, or lost the answer|");
	close(link);
}

static void
more_than_allowed_wait_here(void **state)
{
	struct fixture *f = *state;
	unsigned long long a, c;
	uint64_t b;
	int link = greet(f, "ok pipeline-1 in-flight=1\n");

	ask(f, "a");
	b = ask(f, "b");
	ask(f, "c");
	a = hear_request(f, link, " a\n");
	f->asker.cancel(f->asker.self, b);
	answer(link, a, "A\n");
	c = hear_request(f, link, " c\n");
	answer(link, c, "C\n");
	run_until(f, 2);
	assert_string_equal(buf_cstr(&f->got), "A\n|C\n|");
	close(link);
}

static void
when_it_dies_what_a_worker_may_have_seen_fails(void **state)
{
	struct fixture *f = *state;
	int link = greet(f, GREETING), again, fd;

	ask(f, "scan Q /d");
	ask(f, "free");
	hear_request(f, link, " scan Q /d\n");
	hear_request(f, link, " free\n");
	close(link);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got),
	    "!read: Connection reset by peer: Is multiplexor running?|");
	/* the harmless one is asked again, on its own */
	fd = accept_request(f, "free\n");
	say(fd, "1\n");
	close(fd);
	run_until(f, 2);
	/* and the next one finds out what is there now */
	ask(f, "next");
	again = accept_request(f, "workerinfo pipeline-1\n");
	fd = accept_request(f, "next\n");
	say(again, GREETING);
	runs_idle(f);
	ask(f, "last");
	hear_request(f, again, " last\n");
	close(fd);
	run_until(f, 3);
	close(again);
}

static void
when_it_dies_what_has_not_left_is_asked_again(void **state)
{
	static char line[4001];
	struct fixture *f = *state;
	int link = greet(f, GREETING), seen = 0, again = 0;
	const char *p;

	memset(line, 'x', sizeof(line) - 1);
	for (int i = 0; i < 200; i++)
		ask(f, line);
	runs_idle(f); /* the kernel takes some */
	while (recv(link, line, 1, MSG_DONTWAIT) == 1)
		seen += *line == '\n';
	close(link);
	while (f->n_done < 200) {
		int fd = accept(f->listen_fd, NULL, NULL);

		event_base_loop(
		    f->base, fd < 0 ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
		if (fd < 0)
			continue;
		again++;
		assert_int_equal(read(fd, line, sizeof(line)), 4001);
		say(fd, "ok\n");
		close(fd);
	}
	for (p = buf_cstr(&f->got); *p; p = strchr(p, '|') + 1) {
		if (strncmp(p, "!", 1) == 0)
			seen--;
		else
			assert_memory_equal(p, "ok\n|", 4);
	}
	assert_true(again > 0);
	assert_in_range(seen + 1, 0, 1); /* one had left in part */
}

static void
keep_log(void *arg, enum log_level level, const char *line)
{
	buf_addf(arg, "%d %s\n", level, line);
}

static void
malformed_answers_end_it(void **state)
{
	struct fixture *f = *state;
	struct buf log = { 0 };
	int link = greet(f, GREETING);

	log_set_sink(keep_log, &log);
	ask(f, "a");
	hear_request(f, link, " a\n");
	say(link, "ok\n");
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got),
	    "!read: Protocol error: Is multiplexor running?|");
	log_set_sink(NULL, NULL);
	assert_string_equal(buf_cstr(&log),
	    "0 The multiplexor's answers are malformed: no more from this "
	    "connection\n");
	buf_fini(&log);
	close(link);
}

static void
one_that_hangs_is_given_up(void **state)
{
	struct fixture *f = *state;
	int link = greet(f, GREETING);

	muxclient_set_times(f->c, 20, 900000);
	ask(f, "a");
	hear_request(f, link, " a\n");
	assert_string_equal(hear(f, link), LIFE);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got),
	    "!read: Connection timed out: Is multiplexor running?|");
	assert_string_equal(hear(f, link), "END");
	close(link);
}

static void
slow_workers_are_waited_for(void **state)
{
	struct fixture *f = *state;
	unsigned long long id;
	int link = greet(f, GREETING);

	muxclient_set_times(f->c, 20, 900000);
	ask(f, "a");
	id = hear_request(f, link, " a\n");
	for (int i = 0; i < 3; i++) {
		assert_string_equal(hear(f, link), LIFE);
		say(link, "18446744073709551615 2\n0\n");
		runs_idle(f);
	}
	assert_int_equal(f->n_done, 0);
	answer(link, id, "A\n");
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got), "A\n|");
	close(link);
}

static void
one_answer_is_waited_for_no_longer_than_allowed(void **state)
{
	struct fixture *f = *state;
	unsigned long long a;
	char want[50];
	int link = greet(f, "ok pipeline-1 in-flight=1\n");

	muxclient_set_times(f->c, 10000, 1);
	ask(f, "a");
	ask(f, "b");
	a = hear_request(f, link, " a\n");
	run_until(f, 2);
	assert_string_equal(buf_cstr(&f->got),
	    "!read: Connection timed out: Is multiplexor running?|"
	    "!read: Connection timed out: Is multiplexor running?|");
	snprintf(want, sizeof(want), "-%llu\n", a);
	assert_string_equal(hear(f, link), want);
	close(link);
}

static void
an_idle_one_is_closed_before_the_other_side_does_it(void **state)
{
	struct fixture *f = *state;
	int link = greet(f, "ok pipeline-1 in-flight=5 idle=1\n");

	assert_string_equal(hear(f, link), "END");
	close(link);
	assert_int_equal(f->n_done, 0);
}

static void
a_greeting_without_end_is_none(void **state)
{
	static char junk[1200];
	struct fixture *f = *state;
	int link;

	memset(junk, 'x', sizeof(junk) - 1);
	link = greet(f, junk);
	assert_string_equal(hear(f, link), "END");
	close(link);
}

static void
free_with_open_requests_is_fine(void **state)
{
	struct fixture *f = *state;
	int link = greet(f, "ok pipeline-1 in-flight=1\n");

	ask(f, "a");
	ask(f, "b");
	muxclient_free(f->c);
	f->c = NULL;
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->n_done, 0);
	close(link);
}

static void
without_memory_each_request_ends_once(void **state)
{
	struct fixture *f = *state;
	int link = greet(f, GREETING), asked = 0;
	static char line[3000];

	memset(line, 'x', sizeof(line) - 1);
	for (size_t i = 0; i < 12; i++) {
		uint64_t t;

		failmalloc_once(i);
		t = f->asker.ask(f->asker.self, line, i * 200, done, f);
		asked += t != 0;
		runs_idle(f);
		failmalloc_off();
	}
	close(link);
	while (f->n_done < asked) {
		int fd = accept(f->listen_fd, NULL, NULL);

		event_base_loop(
		    f->base, fd < 0 ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
		if (fd >= 0) {
			(void)!read(fd, line, sizeof(line));
			close(fd);
		}
	}
	assert_int_equal(f->n_done, asked);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(nobody_waits_for_the_greeting),
		CASE(answers_come_in_any_order),
		CASE(an_answer_may_come_octet_by_octet),
		CASE(cancelled_request_is_not_answered),
		CASE(no_answer_is_an_error),
		CASE(more_than_allowed_wait_here),
		CASE(when_it_dies_what_a_worker_may_have_seen_fails),
		CASE(when_it_dies_what_has_not_left_is_asked_again),
		CASE(malformed_answers_end_it),
		CASE(one_that_hangs_is_given_up),
		CASE(slow_workers_are_waited_for),
		CASE(one_answer_is_waited_for_no_longer_than_allowed),
		CASE(an_idle_one_is_closed_before_the_other_side_does_it),
		CASE(a_greeting_without_end_is_none),
		CASE(free_with_open_requests_is_fine),
		CASE(without_memory_each_request_ends_once),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
