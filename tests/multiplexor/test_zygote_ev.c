/* SPDX-License-Identifier: MIT */
/* zygote_ev: workers forked by a process that has the filter, and workers all
 * the same when that process is missing or misbehaves. */
#include "tests/support/mux_rig.h"

#include <dirent.h>
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static int
setup(void **state)
{
	int r = rig_setup(state);

	((struct rig *)*state)->o.zygote = true;
	((struct rig *)*state)->o.zygote_dir = ((struct rig *)*state)->dir;
	unsetenv("WORKER_ZYGOTE");
	return r;
}

static long
number_in(const char *text, const char *before)
{
	const char *at = strstr(text, before);

	assert_non_null(at);
	return strtol(at + strlen(before), NULL, 10);
}

/* Directories for FIFOs in the spool, and what is in them. */
static unsigned
leftovers(const struct rig *r, bool inside)
{
	DIR *d = opendir(r->dir), *in;
	struct dirent *e;
	char path[600];
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (strncmp(e->d_name, ".zygote-", 8) != 0)
			continue;
		n += !inside;
		snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
		in = inside ? opendir(path) : NULL;
		while (in && (e = readdir(in)))
			n += e->d_name[0] != '.';
		if (in)
			closedir(in);
	}
	closedir(d);
	return n;
}

static void
workers_are_forked_and_are_ours(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -forked");
	assert_true(rig_logged(r, "is ready\n"));
	assert_true(rig_logged(
	    r, "(1 running): Bringing workers up to minWorkers (1)\n"));
	assert_string_equal(rig_say(r, "fds"), "ok 0 1 2 3");
	assert_string_equal(rig_say(r, "die 7"), "ERR No response from worker");
	rig_until_letters(r, "SS");
	/* status and usage are known */
	assert_true(rig_logged(r, "exited normally with status 7 (WORKER"));
	assert_true(rig_logged(r, "Worker 0 resource usage: req=3, scans=0"));
	assert_int_equal(leftovers(r, true), 0);
}

static void
diagnoses_and_status_arrive(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	char line[300];
	const char *fifo = rig_fifo(r, "st");

	r->o.status_fd = true;
	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q7 /d err odd"), "ok");
	rig_until_logged(r, "INFO: Q7: Worker 0 stderr: odd\n");
	snprintf(line, sizeof(line), "status 1:%%20>%%20Read %s", fifo);
	rig_ask(r, line, &a);
	while (!strstr(rig_say(r, "busyworkers"), " (1: > Read)"))
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	rig_release(r, fifo);
	rig_until(r, &a.done);
}

static void
a_request_survives_a_forked_worker(void **state)
{
	struct rig *r = *state;
	char line[300];

	rig_start(r);
	snprintf(line, sizeof(line), "dieonce %s/died", r->dir);
	assert_string_equal(rig_say(r, line), "ok");
	rig_until_logged(r, "exited normally with status 9");
}

static void
a_program_that_is_no_zygote_is_executed(void **state)
{
	struct rig *r = *state;
	char text[300];

	setenv("WORKER_ZYGOTE", "ignorant", 1);
	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -server");
	snprintf(text, sizeof(text),
	    "ERR: %.200s -zygote exited with status 4 before it was ready\n",
	    r->worker);
	assert_true(rig_logged(r, text));
	assert_true(rig_logged(r, "WARN: workers are started one by one, "
				  "without -E, until there is a zygote again; "
				  "next try in 1 s\n"));
	/* it is tried again, more rarely */
	rig_until_logged(r, "next try in 2 s\n");
}

static void
a_zygote_that_is_never_ready_is_given_up(void **state)
{
	struct rig *r = *state;

	r->o.busy_s = 1;
	setenv("WORKER_ZYGOTE", "slow", 1);
	rig_start(r);
	unsetenv("WORKER_ZYGOTE");
	rig_until_logged(r, "ERR: no zygote within 1 s (-b)\n");
	assert_memory_equal(rig_say(r, "args"), "ok -", 4);
}

static void
a_zygote_that_dies_is_replaced(void **state)
{
	struct rig *r = *state;
	pid_t zygote;

	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -forked");
	zygote = (pid_t)number_in(r->log, "zygote (pid ");
	assert_int_equal(kill(zygote, SIGKILL), 0);
	rig_until_logged(r, ") was ended by signal 9\n");
	/* its workers live on; others are executed for the time being */
	assert_string_equal(rig_say(r, "args"), "ok -forked");
	r->log[r->log_len = 0] = '\0';
	rig_until_logged(r, ") is ready\n");
}

static void
what_a_zygote_owes_is_executed(void **state)
{
	struct rig *r = *state;

	setenv("WORKER_ZYGOTE", "dying", 1);
	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -server");
	assert_true(rig_logged(r, ") exited with status 5\n"));
}

static void
a_zygote_may_say_no(void **state)
{
	struct rig *r = *state;

	setenv("WORKER_ZYGOTE", "failing", 1);
	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -server");
	assert_true(rig_logged(r, ") has no worker: no will\n"));
}

static void
a_zygote_is_not_believed(void **state)
{
	struct rig *r = *state;

	setenv("WORKER_ZYGOTE", "lying", 1);
	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -forked");
	assert_true(rig_logged(r, ") named process 1, which is no worker\n"));
}

static void
babble_is_logged(void **state)
{
	struct rig *r = *state;

	setenv("WORKER_ZYGOTE", "babbling", 1);
	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -forked");
	assert_true(rig_logged(r, ") says what nobody understands: what?\n"));
}

static void
a_worker_that_is_never_born_delays_nobody_else(void **state)
{
	struct rig *r = *state;

	r->o.busy_s = 1;
	setenv("WORKER_ZYGOTE", "mute", 1);
	rig_start(r);
	assert_string_equal(rig_say(r, "free"), "2");
	assert_string_equal(
	    rig_say(r, "scan Q1 /d"), "error: Unable to activate worker");
	rig_until_letters(r, "SS");
	assert_int_equal(leftovers(r, true), 0);
}

static void
a_reread_makes_a_new_zygote(void **state)
{
	struct rig *r = *state;
	char first[40];

	rig_start(r);
	snprintf(first, sizeof(first), "%s", rig_say(r, "pid"));
	assert_string_equal(
	    rig_say(r, "reread"), "Forced reread of filter rules");
	rig_until_logged(r, ": Forcing reread of filter rules\n");
	assert_string_not_equal(rig_say(r, "pid"), first);
	assert_string_equal(rig_say(r, "args"), "ok -forked");
	/* a filter that does not load: the zygote that there is stays */
	setenv("WORKER_START", "die", 1);
	assert_memory_equal(rig_say(r, "reread"),
	    "error: reread refused: ", strlen("error: reread refused: "));
	unsetenv("WORKER_START");
	assert_true(rig_logged(r, "-zygote exited with status 3 before it was "
				  "ready: cannot load the filter; the filter "
				  "that was loaded stays in use\n"));
	assert_string_equal(rig_say(r, "die 1"), "ERR No response from worker");
	while (strcmp(rig_say(r, "args"), "ok -forked") != 0)
		event_base_loop(r->base, EVLOOP_ONCE);
}

static void
on_stopped(void *arg)
{
	((struct rig *)arg)->stopped = true;
}

static void
a_stop_leaves_nothing(void **state)
{
	struct rig *r = *state;

	rig_start(r); /* a worker is on order */
	mux_stop(r->m, on_stopped, r);
	rig_until(r, &r->stopped);
	assert_false(rig_logged(r, "ERR"));
	mux_free(r->m);
	r->m = NULL;
	assert_int_equal(leftovers(r, false), 0);
}

static void
free_in_the_middle_leaves_nothing(void **state)
{
	struct rig *r = *state;

	for (int ready = 0; ready < 2; ready++) {
		rig_start(r);
		if (ready)
			rig_say(r, "args");
		mux_free(r->m);
		r->m = NULL;
		assert_int_equal(leftovers(r, false), 0);
	}
}

static void
the_directory_of_a_killed_daemon_is_removed(void **state)
{
	struct rig *r = *state;
	char path[300];

	snprintf(path, sizeof(path), "%s/.zygote-old", r->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	rig_start(r);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(leftovers(r, false), 1);
}

static void
no_directory_no_start(void **state)
{
	struct rig *r = *state;
	char err[300] = "", gone[260];

	snprintf(gone, sizeof(gone), "%s/gone", r->dir);
	r->o.zygote_dir = gone;
	assert_int_equal(mux_new(&r->m, r->base, &r->o, err, sizeof(err)), -1);
	r->m = NULL;
	assert_non_null(strstr(err, "-E needs a directory below /"));
	assert_non_null(strstr(err, "/gone: No such file"));
}

/* In memory if there is such a place, else in the spool. */
static void
a_place_for_the_directory_is_found(void **state)
{
	struct rig *r = *state;

	r->o.zygote_dir = NULL;
	rig_start(r);
	assert_string_equal(rig_say(r, "args"), "ok -forked");
	assert_int_equal(
	    leftovers(r, false), access("/dev/shm", W_OK) == 0 ? 0 : 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(workers_are_forked_and_are_ours),
		T(diagnoses_and_status_arrive),
		T(a_request_survives_a_forked_worker),
		T(a_program_that_is_no_zygote_is_executed),
		T(a_zygote_that_is_never_ready_is_given_up),
		T(a_zygote_that_dies_is_replaced),
		T(what_a_zygote_owes_is_executed),
		T(a_zygote_may_say_no),
		T(a_zygote_is_not_believed),
		T(babble_is_logged),
		T(a_worker_that_is_never_born_delays_nobody_else),
		T(a_reread_makes_a_new_zygote),
		T(a_stop_leaves_nothing),
		T(free_in_the_middle_leaves_nothing),
		T(the_directory_of_a_killed_daemon_is_removed),
		T(no_directory_no_start),
		T(a_place_for_the_directory_is_found),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
