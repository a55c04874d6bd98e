/* SPDX-License-Identifier: MIT */
/* reread_ev: a filter is tried before it replaces the one that serves, and who
 * asked hears how that ended. */
#include "tests/support/mux_rig.h"

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char done[] = "Forced reread of filter rules";

static void
the_answer_comes_when_it_is_known(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	char first[40];

	rig_start(r);
	snprintf(first, sizeof(first), "%s", rig_say(r, "pid"));
	rig_ask(r, "reread", &a);
	assert_string_equal(rig_say(r, "free"), "2");
	assert_false(a.done);
	assert_string_equal(rig_say(r, "pid"), first); /* it goes on serving */
	rig_until(r, &a.done);
	assert_string_equal(a.text, "Forced reread of filter rules\n");
	rig_until_logged(r, "Worker 0 resource usage");
	assert_string_not_equal(rig_say(r, "pid"), first);
}

static void
a_filter_that_does_not_load_changes_nothing(void **state)
{
	struct rig *r = *state;
	char first[40];

	rig_start(r);
	snprintf(first, sizeof(first), "%s", rig_say(r, "pid"));
	setenv("WORKER_START", "die", 1);
	assert_string_equal(rig_say(r, "reread"),
	    "error: reread refused: a worker exited with status 3 before it "
	    "answered: cannot load the filter; the filter that was loaded "
	    "stays in use");
	unsetenv("WORKER_START");
	assert_true(rig_logged(r,
	    "ERR: reread refused: a worker exited with status 3 before it "
	    "answered: cannot load the filter; the filter that was loaded "
	    "stays in use\n"));
	assert_true(rig_logged(r, "stderr: cannot load the filter\n"));
	assert_string_equal(rig_say(r, "pid"), first);
	assert_string_equal(rig_say(r, "reread"), done);
}

static void
no_octet_of_a_worker_gets_into_the_answer_raw(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
	setenv("WORKER_START", "odd", 1);
	assert_string_equal(rig_say(r, "reread"),
	    "error: reread refused: a worker exited with status 3 before it "
	    "answered:  [2Jgone     .; the filter that was loaded stays in "
	    "use");
	unsetenv("WORKER_START");
}

static void
a_signal_gets_no_answer_but_the_log(void **state)
{
	struct rig *r = *state;

	r->o.log_events = false;
	rig_start(r);
	rig_say(r, "pid");
	setenv("WORKER_START", "die", 1);
	mux_reread(r->m);
	rig_until_logged(r, "ERR: reread refused: a worker exited with");
	unsetenv("WORKER_START");
	assert_true(rig_logged(r, ") stderr: cannot load the filter\n"));
}

static void
a_program_that_vanished_is_named(void **state)
{
	struct rig *r = *state;
	char copy[260], text[400];

	snprintf(copy, sizeof(copy), "%s/w", r->dir);
	assert_int_equal(symlink(r->worker, copy), 0);
	r->o.worker = copy;
	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q0 /d"), "ok"); /* it is loaded */
	assert_int_equal(unlink(copy), 0);
	snprintf(text, sizeof(text),
	    "error: reread refused: exec %s failed: No such file or "
	    "directory; the filter that was loaded stays in use",
	    copy);
	assert_string_equal(rig_say(r, "reread"), text);
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
}

static void
a_filter_that_hangs_is_given_up(void **state)
{
	struct rig *r = *state;

	r->o.busy_s = 1;
	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
	setenv("WORKER_START", "hang", 1);
	assert_string_equal(rig_say(r, "reread"),
	    "error: reread refused: no answer of a worker within 1 s (-b); the "
	    "filter that was loaded stays in use");
	unsetenv("WORKER_START");
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
}

/* The file may have changed since the first trial read it. */
static void
who_asks_during_a_trial_gets_another(void **state)
{
	struct rig *r = *state;
	struct rig_answer a, b, c;

	rig_start(r);
	rig_say(r, "pid");
	setenv("WORKER_START", "die", 1);
	rig_ask(r, "reread", &a);
	unsetenv("WORKER_START");
	rig_ask(r, "reread", &b);
	mux_cancel(r->m, rig_ask(r, "reread", &c));
	rig_until(r, &b.done);
	assert_true(a.done);
	assert_memory_equal(a.text, "error: reread refused", 21);
	assert_string_equal(b.text, "Forced reread of filter rules\n");
	assert_false(c.done);
}

static void
a_client_that_left_is_forgotten(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	rig_start(r);
	mux_cancel(r->m, rig_ask(r, "reread", &a));
	assert_string_equal(rig_say(r, "reread"), done);
	assert_false(a.done);
}

static void
on_stopped(void *arg)
{
	((struct rig *)arg)->stopped = true;
}

static void
a_stop_ends_the_trial(void **state)
{
	struct rig *r = *state;
	struct rig_answer a, b;

	rig_start(r);
	rig_ask(r, "reread", &a);
	rig_ask(r, "reread", &b);
	mux_stop(r->m, on_stopped, r);
	rig_until(r, &a.done);
	rig_until(r, &b.done);
	assert_true(a.none && b.none);
	rig_ask(r, "reread", &a);
	rig_until(r, &a.done);
	assert_true(a.none);
	rig_until(r, &r->stopped);
}

static void
free_ends_the_trial(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;

	rig_start(r);
	rig_ask(r, "reread", &a);
	mux_free(r->m); /* and teardown finds no child */
	r->m = NULL;
	assert_false(a.done);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(the_answer_comes_when_it_is_known),
		T(a_filter_that_does_not_load_changes_nothing),
		T(no_octet_of_a_worker_gets_into_the_answer_raw),
		T(a_signal_gets_no_answer_but_the_log),
		T(a_program_that_vanished_is_named),
		T(a_filter_that_hangs_is_given_up),
		T(who_asks_during_a_trial_gets_another),
		T(a_client_that_left_is_forgotten),
		T(a_stop_ends_the_trial),
		T(free_ends_the_trial),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
