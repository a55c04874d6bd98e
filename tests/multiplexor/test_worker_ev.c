/* SPDX-License-Identifier: MIT */
/* worker_ev: workers that misbehave in every way that a pipe allows; in each
 * case the pool goes on and the next answer is the right one. */
#include "tests/support/mux_rig.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void
an_answer_comes_back_unchanged(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	rig_start(r);
	rig_ask(r, "scan Q1 /d", &a);
	rig_until(r, &a.done);
	assert_string_equal(a.text, "ok\n");
	assert_memory_equal(rig_say(r, "pid"), "ok ", 3);
	assert_string_equal(rig_say(r, "msgs"), "1");
	assert_true(rig_logged(r,
	    "INFO: started; minWorkers=1, maxWorkers=2, maxRequests=500, "
	    "maxLifetime=-1, maxIdleTime=300, busyTimeout=60, "
	    "clientTimeout=10\n"));
	assert_true(rig_logged(
	    r, "(1 running): Bringing workers up to minWorkers (1)\n"));
}

static void
half_a_line_delays_nobody(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	char line[300];
	const char *fifo = rig_fifo(r, "half");

	rig_start(r);
	snprintf(line, sizeof(line), "half %s", fifo);
	rig_ask(r, line, &a);
	rig_until_letters(r, "BS");
	assert_string_equal(rig_say(r, "free"), "1");
	assert_string_equal(rig_say(r, "scan Q2 /d"), "ok");
	assert_false(a.done);
	rig_release(r, fifo);
	rig_until(r, &a.done);
	assert_string_equal(a.text, "ok half\n");
}

static void
a_request_survives_its_worker(void **state)
{
	struct rig *r = *state;
	char line[300];

	rig_start(r);
	snprintf(line, sizeof(line), "dieonce %s/died", r->dir);
	assert_string_equal(rig_say(r, line), "ok");
	rig_until_logged(r, "exited normally with status 9");
	assert_true(rig_logged(
	    r, "ERR: Worker 0 died prematurely -- check your filter rules\n"));
	assert_true(rig_logged(r, "(WORKER DIED UNEXPECTEDLY)\n"));
}

static void
a_request_that_kills_two_is_given_up(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(rig_say(r, "crash"), "ERR No response from worker");
	rig_until_logged(r, "exited due to signal 9 (WORKER DIED");
	assert_true(rig_logged(r, "ERR: \"crash\" is given up: "));
	/* others are served, after a pause perhaps: two died early */
	rig_until_logged(r, "Bringing workers up to minWorkers (1)");
	while (strcmp(rig_say(r, "scan Q3 /d"), "ok") != 0)
		event_base_loop(r->base, EVLOOP_ONCE);
}

static void
what_is_told_of_the_dead_is_theirs(void **state)
{
	struct rig *r = *state;

	r->o.max_workers = 1; /* the next one has the same slot, at once */
	rig_start(r);
	assert_string_equal(rig_say(r, "crash"), "ERR No response from worker");
	rig_until_logged(r, "Bringing workers up to minWorkers (1)");
	while (strcmp(rig_say(r, "scan Q3 /d"), "ok") != 0)
		event_base_loop(r->base, EVLOOP_ONCE);
	assert_true(rig_logged(r, " resource usage: req=1, scans=0, "));
	assert_false(rig_logged(r, " resource usage: req=0, "));
}

static void
half_an_answer_before_the_end_is_passed_on(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	rig_start(r);
	rig_ask(r, "cut ok", &a);
	rig_until(r, &a.done);
	assert_string_equal(a.text, "ok");
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
}

static void
a_second_line_is_not_the_next_answer(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(rig_say(r, "two"), "ok one");
	assert_memory_equal(rig_say(r, "args"), "ok -server", 10);
	assert_true(rig_logged(r, "a second line for one request"));
	assert_string_equal(rig_say(r, "more"), "ok one");
	assert_string_equal(rig_say(r, "args"), "ok -server");
	assert_true(rig_logged(r, "Unexpected output of worker\n"));
}

static void
output_without_a_request_ends_the_worker(void **state)
{
	struct rig *r = *state;
	char line[300];
	const char *fifo = rig_fifo(r, "later");

	rig_start(r);
	snprintf(line, sizeof(line), "later %s", fifo);
	assert_string_equal(rig_say(r, line), "ok");
	rig_release(r, fifo);
	rig_until_logged(r, "output without a request");
	rig_until_logged(r, "as expected.");
	assert_string_equal(rig_say(r, "args"), "ok -server");
}

static void
await_done(const char *fifo)
{
	char path[300];

	snprintf(path, sizeof(path), "%s.done", fifo);
	while (access(path, F_OK) < 0) /* the loop does not run */
		sched_yield();
}

static void
output_that_waits_at_dispatch_is_no_answer(void **state)
{
	struct rig *r = *state;
	char line[300];
	const char *fifo = rig_fifo(r, "later");

	rig_start(r);
	snprintf(line, sizeof(line), "later %s", fifo);
	assert_string_equal(rig_say(r, line), "ok");
	rig_release(r, fifo);
	await_done(fifo);
	assert_string_equal(rig_say(r, "args"), "ok -server");
	assert_true(rig_logged(r, "output without a request"));
}

struct chain {
	struct rig *r;
	struct rig_answer first, second;
};

static void
ask_second(void *arg, char *answer, size_t n, const char *error)
{
	struct chain *c = arg;

	rig_done(&c->first, answer, n, error);
	rig_ask(c->r, "args", &c->second);
}

/* The loop finds an answer and another worker's extra line together; the answer
 * brings a question for that worker, and its line is what the loop looks at
 * next. */
static void
output_before_the_line_is_written_is_no_answer(void **state)
{
	struct rig *r = *state;
	struct chain c = { .r = r };
	struct rig_answer later;
	char line[300], fifos[2][280];
	int later_fd;

	r->o.max_workers = 2;
	r->o.built_in = true;
	rig_start(r);
	snprintf(fifos[0], sizeof(fifos[0]), "%s", rig_fifo(r, "wait"));
	snprintf(fifos[1], sizeof(fifos[1]), "%s", rig_fifo(r, "later"));
	/* the older one is asked first, if it is idle */
	snprintf(line, sizeof(line), "later %s", fifos[1]);
	rig_ask(r, line, &later);
	snprintf(line, sizeof(line), "wait %s", fifos[0]);
	assert_true(mux_ask(r->m, line, strlen(line), ask_second, &c) != 0);
	rig_until(r, &later.done);
	later_fd = open(fifos[1], O_WRONLY | O_CLOEXEC); /* it listens now */
	assert_true(later_fd >= 0);
	rig_release(r, fifos[0]);
	await_done(fifos[0]);
	assert_int_equal(write(later_fd, "\n", 1), 1);
	await_done(fifos[1]);
	close(later_fd);
	rig_until(r, &c.first.done);
	rig_until(r, &c.second.done);
	assert_string_equal(c.second.text, "ok -server\n");
	assert_true(rig_logged(r, "output without a request"));
}

/* Leaves an unread request in the worker's small pipe, then asks one that does
 * not fit behind it. */
static const char *
ask_too_much(struct rig *r, struct rig_answer *a)
{
	static char lines[5000];
	const char *fifo = rig_fifo(r, "ahead");

	rig_start(r);
	snprintf(lines, sizeof(lines), "ahead %s", fifo);
	assert_string_equal(rig_say(r, lines), "ok");
	assert_string_equal(rig_say(r, "x"), "ok ahead");
	memset(lines, 'x', 4094);
	lines[4094] = '\0';
	rig_ask(r, lines, a);
	return fifo;
}

static void
a_worker_that_reads_late_gets_its_request(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	const char *fifo = ask_too_much(r, &a);

	assert_string_equal(rig_say(r, "free"), "1");
	rig_release(r, fifo);
	rig_until(r, &a.done);
	assert_string_equal(a.text, "ok\n");
}

static void
a_worker_that_does_not_read_is_killed(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	r->o.client_s = 1;
	ask_too_much(r, &a);
	rig_until(r, &a.done);
	assert_string_equal(a.text, "error: Error talking to worker process\n");
	assert_string_equal(rig_say(r, "args"), "ok -server");
}

static void
an_answer_is_cut_at_4096_octets(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	rig_start(r);
	rig_ask(r, "big 4095", &a);
	rig_until(r, &a.done);
	assert_int_equal(a.n, 4096);
	assert_int_equal(a.text[4095], '\n');
	rig_ask(r, "big 4096", &a);
	rig_until(r, &a.done);
	assert_int_equal(a.n, 4096);
	assert_int_equal(a.text[4095], 'x');
	rig_ask(r, "big 1000000", &a);
	rig_until(r, &a.done);
	assert_int_equal(a.n, 4096);
	assert_string_equal(rig_say(r, "args"), "ok -server");
}

static void
a_worker_that_closes_its_output_is_replaced(void **state)
{
	struct rig *r = *state;

	r->o.max_workers = 3;
	rig_start(r);
	assert_string_equal(
	    rig_say(r, "closed"), "ERR No response from worker");
	/* they live on and are told to exit */
	rig_until_logged(r, "Worker 1 (pid ");
	rig_until_logged(r, "taking too long to exit; sending SIGTERM");
	while (strcmp(rig_say(r, "scan Q3 /d"), "ok") != 0)
		event_base_loop(r->base, EVLOOP_ONCE);
}

static void
a_silent_worker_times_out(void **state)
{
	struct rig *r = *state;

	r->o.busy_s = 1;
	r->o.status_log_s = 1;
	rig_start(r);
	assert_string_equal(rig_say(r, "mute"),
	    "ERR Filter timed out - check filter rules or system load");
	rig_until_logged(r, " Queued=0 Msgs=0 Activations=");
	assert_true(rig_logged(r, "INFO: Worker status: Stopped="));
	assert_true(rig_logged(r, "INFO: Killing busy worker 0 (pid "));
	assert_true(rig_logged(r, ": Busy timeout\n"));
	rig_until_logged(r, "exited due to SIGTERM/SIGKILL as expected.\n");
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
}

static void
many_silent_workers_look_like_overload(void **state)
{
	struct rig *r = *state;
	struct rig_answer a[4];

	r->o.busy_s = 1;
	r->o.max_workers = 4;
	rig_start(r);
	for (size_t i = 0; i < 4; i++)
		rig_ask(r, "mute", &a[i]);
	for (size_t i = 0; i < 4; i++)
		rig_until(r, &a[i].done);
	assert_string_equal(a[0].text,
	    "ERR Filter timed out - system may be overloaded (consider "
	    "increasing busy timeout)\n");
	assert_string_equal(a[3].text,
	    "ERR Filter timed out - check filter rules or system load\n");
}

/* The child holds the pipes, so that only the reaping tells of the death. */
static void
what_a_dead_worker_leaves_is_ended(void **state)
{
	struct rig *r = *state;
	const char *fifo = rig_fifo(r, "brood");
	int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char line[300];

	assert_true(fd >= 0);
	r->o.min_workers = r->o.max_workers = 1;
	r->o.queue_max = 1;
	rig_start(r);
	snprintf(line, sizeof(line), "brood %s", fifo);
	assert_string_equal(rig_say(r, line), "ERR No response from worker");
	assert_true(rig_logged(r, "exited normally with status 8 (WORKER"));
	/* a child opened and closed it */
	assert_int_equal(poll(&p, 1, -1), 1);
	assert_true(p.revents & POLLHUP);
	close(fd);
	while (strcmp(rig_say(r, "scan Q3 /d"), "ok") != 0)
		event_base_loop(r->base, EVLOOP_ONCE);
}

static void
first_line_of_stderr_is_logged_whole(void **state)
{
	static const char line[] =
	    "01234567890123456789012345678901234567890123456789"
	    "01234567890123456789012345678901234567890123456789"
	    "01234567890123456789012345678901234567890123456789"
	    "01234567890123456789012345678901234567890123456789";
	struct rig *r = *state;
	char text[300];

	rig_start(r);
	snprintf(text, sizeof(text), "err %s", line);
	assert_string_equal(rig_say(r, text), "ok");
	snprintf(text, sizeof(text), "Worker 0 stderr: %s\n", line);
	rig_until_logged(r, text);
}

static void
stderr_is_logged_with_the_queue_id(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(rig_say(r, "scan 4XyZ /d err odd header"), "ok");
	rig_until_logged(r, "INFO: 4XyZ: Worker 0 stderr: odd header\n");
	assert_string_equal(rig_say(r, "err a\x1b[2Jb"), "ok");
	rig_until_logged(r, "INFO: Worker 0 stderr: a\\x1B[2Jb\n");
}

static void
a_flood_on_stderr_blocks_nobody(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(rig_say(r, "flood 20000"), "ok");
	rig_until_logged(r, "Worker 0 stderr: line 20000\n");
}

static void
last_words_are_logged_without_l_too(void **state)
{
	struct rig *r = *state;

	r->o.log_events = false;
	rig_start(r);
	assert_string_equal(rig_say(r, "err harmless"), "ok");
	assert_string_equal(rig_say(r, "oom"), "ERR No response from worker");
	rig_until_letters(r, "SS");
	assert_false(rig_logged(r, "harmless"));
	assert_true(rig_logged(r, "ERR: Worker 0 stderr: Out of memory!\n"));
	assert_true(rig_logged(r,
	    "ERR: Worker 0 ran out of memory -- possible DoS attack due to "
	    "complex MIME?\n"));
	assert_false(rig_logged(r, "Starting worker"));
	assert_string_equal(
	    rig_say(r, "reread"), "Forced reread of filter rules");
	rig_say(r, "die 9 300");
	rig_until_letters(r, "SS");
	assert_true(rig_logged(r, "stderr: last words 300\n"));
	assert_false(rig_logged(r, "stderr: last words 1\n"));
}

static void
status_reports_become_the_tag(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	char line[300];
	const char *fifo = rig_fifo(r, "st");

	r->o.status_fd = true;
	rig_start(r);
	snprintf(line, sizeof(line), "status 1:%%20>%%20Read%%0A %s", fifo);
	rig_ask(r, line, &a);
	assert_non_null(strstr(rig_say(r, "workers"), "(status 1: > Read )"));
	while (!strstr(rig_say(r, "busyworkers"), " (1: > Read )"))
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	rig_release(r, fifo);
	rig_until(r, &a.done);
	assert_string_equal(rig_say(r, "busyworkers"), "");
	assert_null(strchr(rig_say(r, "workers"), '('));
}

static void
a_filter_that_does_not_load_gives_errors_and_no_storm(void **state)
{
	struct rig *r = *state;

	setenv("WORKER_START", "die", 1);
	rig_start(r);
	rig_until_logged(r, "workers die before they answer anything: next "
			    "start in 1 s; check that \"");
	assert_string_equal(
	    rig_say(r, "scan Q1 /d"), "error: Unable to activate worker");
	assert_true(rig_logged(r, "stderr: cannot load the filter\n"));
	unsetenv("WORKER_START");
	assert_string_equal(
	    rig_say(r, "reread"), "Forced reread of filter rules");
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
}

static void
a_worker_program_that_vanished_is_named(void **state)
{
	struct rig *r = *state;
	char copy[260], text[400], line[300];
	struct rig_answer a;
	const char *fifo = rig_fifo(r, "busy");

	snprintf(copy, sizeof(copy), "%s/w", r->dir);
	assert_int_equal(symlink(r->worker, copy), 0);
	r->o.worker = copy;
	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q0 /d"), "ok"); /* it is loaded */
	assert_int_equal(unlink(copy), 0);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	assert_string_equal(
	    rig_say(r, "scan Q1 /d"), "error: Unable to activate worker");
	snprintf(text, sizeof(text),
	    "ERR: Could not start worker 1: exec %s failed: No such file or "
	    "directory\n",
	    copy);
	assert_true(rig_logged(r, text));
	assert_true(rig_logged(r, "ERR: Unable to activate worker 1\n"));
	assert_false(rig_logged(r, "Not enough time"));
	rig_release(r, fifo);
	rig_until(r, &a.done);
}

static void
a_start_that_comes_too_soon_is_told(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	const char *fifo = rig_fifo(r, "busy");
	char line[300];

	r->o.max_workers = 2;
	r->o.start_min_s = 1000;
	rig_start(r);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	assert_string_equal(
	    rig_say(r, "scan Q1 /d"), "error: Unable to activate worker");
	assert_true(rig_logged(r,
	    "DEBUG: Did not start worker 1: Not enough time elapsed since last "
	    "worker activation\nERR: Unable to activate worker 1\n"));
	rig_release(r, fifo);
	rig_until(r, &a.done);
}

static void
who_is_retired_was_idle(void **state)
{
	struct rig *r = *state;

	r->o.max_requests = 1;
	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
	rig_until_logged(r, "INFO: Killing idle worker 0 (pid ");
	rig_until_logged(r, ": Worker has processed 1 requests\n");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(an_answer_comes_back_unchanged),
		T(half_a_line_delays_nobody),
		T(a_request_survives_its_worker),
		T(a_request_that_kills_two_is_given_up),
		T(half_an_answer_before_the_end_is_passed_on),
		T(what_is_told_of_the_dead_is_theirs),
		T(a_second_line_is_not_the_next_answer),
		T(output_without_a_request_ends_the_worker),
		T(output_that_waits_at_dispatch_is_no_answer),
		T(output_before_the_line_is_written_is_no_answer),
		T(a_worker_that_reads_late_gets_its_request),
		T(a_worker_that_does_not_read_is_killed),
		T(an_answer_is_cut_at_4096_octets),
		T(a_worker_that_closes_its_output_is_replaced),
		T(a_silent_worker_times_out),
		T(many_silent_workers_look_like_overload),
		T(what_a_dead_worker_leaves_is_ended),
		T(first_line_of_stderr_is_logged_whole),
		T(stderr_is_logged_with_the_queue_id),
		T(a_flood_on_stderr_blocks_nobody),
		T(last_words_are_logged_without_l_too),
		T(status_reports_become_the_tag),
		T(a_filter_that_does_not_load_gives_errors_and_no_storm),
		T(a_worker_program_that_vanished_is_named),
		T(a_start_that_comes_too_soon_is_told),
		T(who_is_retired_was_idle),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
