/* SPDX-License-Identifier: MIT */
/* mux_ev: the calls that the programs make, start to end. */
#include "tests/support/mux_rig.h"

#include "tests/support/failmalloc.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static void
on_stopped(void *arg)
{
	struct rig *r = arg;

	assert_false(r->stopped);
	r->stopped = true;
}

static void
stop_while_busy(struct rig *r)
{
	struct rig_answer busy, waiting, late;
	char line[300];
	const char *fifo = rig_fifo(r, "w");
	struct stat st;

	r->o.max_workers = 1;
	r->o.queue_max = 1;
	rig_start(r);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &busy);
	rig_ask(r, "scan Q /d", &waiting);
	mux_stop(r->m, on_stopped, r);
	assert_false(r->stopped);
	assert_int_equal(lstat(r->sock, &st), -1);
	rig_until(r, &waiting.done);
	assert_true(waiting.none);
	rig_ask(r, "scan Q /d", &late);
	rig_until(r, &late.done);
	assert_true(late.none);
	rig_release(r, fifo);
	rig_until(r, &busy.done);
	assert_string_equal(busy.text, "ok\n");
	rig_until(r, &r->stopped);
	assert_true(rig_logged(r, ": Stopping workers and terminating\n"));
}

static void
stopping_lets_busy_workers_finish(void **state)
{
	stop_while_busy(*state);
}

/* Its line was not yet written. */
static void
stopping_gives_a_worker_what_it_shall_have(void **state)
{
	struct rig *r = *state;

	r->o.built_in = true;
	stop_while_busy(r);
}

static void
the_second_stop_is_more_urgent(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	rig_start(r);
	rig_ask(r, "mute", &a);
	mux_stop(r->m, on_stopped, r);
	mux_stop(r->m, on_stopped, r);
	rig_until(r, &a.done);
	assert_true(a.none);
	rig_until(r, &r->stopped);
}

static void
free_leaves_nobody_behind(void **state)
{
	struct rig *r = *state;
	struct rig_answer a, b;

	setenv("WORKER_END", "ignore", 1);
	rig_start(r);
	rig_ask(r, "deaf", &a);
	rig_ask(r, "scan Q1 /d", &b);
	rig_until(r, &b.done);
	unsetenv("WORKER_END");
	/* rig_teardown looks */
}

static void
a_reread_replaces_workers(void **state)
{
	struct rig *r = *state;
	char first[40];

	rig_start(r);
	snprintf(first, sizeof(first), "%s", rig_say(r, "pid"));
	assert_string_equal(rig_say(r, "pid"), first);
	mux_reread(r->m);
	rig_until_logged(r, ": Forcing reread of filter rules\n");
	assert_true(rig_logged(r, ": Bringing up the new generation\n"));
	assert_string_not_equal(rig_say(r, "pid"), first);
}

static void
workers_hear_how_long_they_may_take(void **state)
{
	struct rig *r = *state;

	setenv("MIMEDEFANG_BUSY_TIMEOUT", "5", 1);
	r->o.busy_s = 77;
	rig_start(r);
	assert_string_equal(rig_say(r, "limit"), "ok 77");
}

static void
a_cancelled_question_is_not_answered(void **state)
{
	struct rig *r = *state;
	struct rig_answer a, b, c;
	uint64_t id;

	r->o.max_workers = 1;
	r->o.queue_max = 2;
	rig_start(r);
	id = rig_ask(r, "scan Q1 /d", &a); /* with a worker */
	mux_cancel(r->m, id);
	mux_cancel(r->m, id);
	mux_cancel(r->m, rig_ask(r, "scan Q2 /d", &b)); /* waiting */
	mux_cancel(r->m, rig_ask(r, "free", &c));       /* answered */
	mux_cancel(r->m, 0);
	rig_say(r, "pid"); /* the first one is done by now */
	assert_false(a.done || b.done || c.done);
	assert_string_equal(rig_say(r, "msgs"), "1");
}

struct chain {
	struct rig *r;
	unsigned left;
	bool done;
};

static void
ask_again(void *arg, char *answer, size_t n, const char *error)
{
	struct chain *c = arg;
	const char *next = c->left % 2 ? "free" : "scan Q /d";

	(void)n;
	assert_non_null(answer);
	assert_null(error);
	if (c->left-- == 0)
		c->done = true;
	else
		assert_int_not_equal(
		    mux_ask(c->r->m, next, strlen(next), ask_again, c), 0);
}

static void
an_answer_may_ask_the_next_question(void **state)
{
	struct rig *r = *state;
	struct chain c = { r, 50, false };

	rig_start(r);
	mux_ask(r->m, "free", 4, ask_again, &c);
	rig_until(r, &c.done);
	assert_string_equal(rig_say(r, "msgs"), "25");
}

static void
many_questions_at_once_are_queued_and_answered(void **state)
{
	struct rig *r = *state;
	static struct rig_answer a[60];
	unsigned ok = 0, busy = 0;

	r->o.queue_max = 40;
	rig_start(r);
	for (size_t i = 0; i < 60; i++)
		rig_ask(r, "scan Q /d", &a[i]);
	for (size_t i = 0; i < 60; i++) {
		rig_until(r, &a[i].done);
		ok += strcmp(a[i].text, "ok\n") == 0;
		busy += strcmp(a[i].text, "error: No free workers\n") == 0;
	}
	assert_int_equal(ok, 42);
	assert_int_equal(busy, 18);
	assert_true(rig_logged(
	    r, "INFO: All workers are busy: Queueing request (40 queued)\n"));
	assert_true(rig_logged(
	    r, "INFO: Cannot queue request: request queue is full\n"));
	assert_true(rig_logged(r, "WARN: No free workers\n"));
}

static void
the_domain_limit_answers_at_once(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	r->o.max_workers = 3;
	r->o.per_domain = 1;
	rig_start(r);
	rig_ask(r, "recipok <a@Example.org> <s@x>", &a);
	assert_string_equal(rig_say(r, "recipok <b@example.ORG> <s@x>"),
	    "ok -1 Per-domain%20recipok%20limit%20hit;%20please%20try%20again"
	    "%20later");
	assert_true(
	    rig_logged(r, "WARN: Hit per-domain recipok limit (1) for domain "
			  "example.ORG\n"));
	rig_until(r, &a.done);
	assert_string_equal(a.text, "ok\n");
}

static void
scheduling_is_logged_with_A(void **state)
{
	struct rig *r = *state;

	r->o.log_scheduling = true;
	rig_start(r);
	rig_say(r, "scan Q /d");
	rig_say(r, "helook x");
	assert_true(rig_logged(r,
	    "INFO: Scheduling Idle worker 0 for cmdno 0 (activated=0, "
	    "last=-2)\n"));
	assert_true(rig_logged(r,
	    "INFO: Scheduling Idle worker 0 for cmdno -1 (activated=0, "
	    "last=0)\n"));
}

static void
a_missing_filter_is_told_at_start(void **state)
{
	struct rig *r = *state;
	char err[300];

	r->o.filter = "/nonexistent/filter";
	assert_int_equal(mux_new(&r->m, r->base, &r->o, err, sizeof(err)), -1);
	assert_string_equal(err,
	    "filter file /nonexistent/filter: No such file or directory; "
	    "create it, make it readable or give the right path with -F");
	r->m = NULL;
}

static void
starting_without_memory_fails_cleanly(void **state)
{
	struct rig *r = *state;
	char err[300];
	size_t n;

	failmalloc_after(SIZE_MAX);
	assert_int_equal(mux_new(&r->m, r->base, &r->o, err, sizeof(err)), 0);
	n = failmalloc_count();
	failmalloc_off();
	mux_free(r->m);
	for (size_t i = 0; i < n; i++) {
		int got;

		failmalloc_after(i);
		got = mux_new(&r->m, r->base, &r->o, err, sizeof(err));
		failmalloc_off();
		if (got == 0) /* libevent's own book-keeping may be spared */
			mux_free(r->m);
		r->m = NULL;
	}
}

static void
a_question_without_memory_is_refused_or_answered(void **state)
{
	struct rig *r = *state;
	static const char *const lines[] = { "free", "scan Q /d", "workers" };
	struct rig_answer a;

	r->o.max_workers = 100; /* those told to exit are still there */
	rig_start(r);
	for (size_t i = 0; i < 3; i++) {
		for (size_t n = 0; n < 12; n++) {
			uint64_t id;

			if (n >= 6) /* a worker must be started for it */
				mux_reread(r->m);
			a = (struct rig_answer){ 0 };
			failmalloc_after(n);
			id = mux_ask(
			    r->m, lines[i], strlen(lines[i]), rig_done, &a);
			failmalloc_off();
			if (id)
				rig_until(r, &a.done);
			assert_true(!id || !a.none);
		}
	}
	assert_string_equal(rig_say(r, "scan Q /d"), "ok");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(stopping_lets_busy_workers_finish),
		T(stopping_gives_a_worker_what_it_shall_have),
		T(the_second_stop_is_more_urgent),
		T(free_leaves_nobody_behind),
		T(workers_hear_how_long_they_may_take),
		T(a_reread_replaces_workers),
		T(a_cancelled_question_is_not_answered),
		T(an_answer_may_ask_the_next_question),
		T(many_questions_at_once_are_queued_and_answered),
		T(the_domain_limit_answers_at_once),
		T(scheduling_is_logged_with_A),
		T(a_missing_filter_is_told_at_start),
		T(starting_without_memory_fails_cleanly),
		T(a_question_without_memory_is_refused_or_answered),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
