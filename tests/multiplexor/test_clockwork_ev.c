/* SPDX-License-Identifier: MIT */
/* clockwork_ev: ticks and autoscaling of a multiplexor at work. */
#include "multiplexor/mux_int.h"
#include "tests/support/mux_rig.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
until_ticks(struct rig *r, uint64_t n)
{
	while (r->m->account->metrics.took[KIND_TICK].count < n)
		event_base_loop(r->base, EVLOOP_ONCE);
}

static void
each_type_is_run_again_and_again(void **state)
{
	struct rig *r = *state;

	r->o.tick_s = 1;
	r->o.tick_types = 2;
	rig_start(r);
	until_ticks(r, 4);
	assert_int_equal(r->m->account->metrics.n[METRIC_TICKS_SKIPPED], 0);
	/* no mail was scanned, and nothing entered the load */
	assert_string_equal(rig_say(r, "msgs"), "0");
}

static void
a_tick_without_a_worker_is_skipped_and_has_its_next_turn(void **state)
{
	struct rig *r = *state;
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a;
	char line[300];

	r->o.tick_s = 1;
	r->o.tick_types = 1;
	r->o.max_workers = 1;
	r->o.queue_max = 5; /* a tick does not wait in it */
	rig_start(r);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	rig_until_logged(r, "WARN: Tick 0 skipped -- no free workers\n");
	assert_int_equal(r->m->account->metrics.n[METRIC_TICKS_SKIPPED], 1);
	rig_release(r, fifo);
	rig_until(r, &a.done);
	until_ticks(r, 1);
}

static void
a_tick_that_may_not_start_a_worker_names_it(void **state)
{
	struct rig *r = *state;
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a;
	char line[300];

	r->o.tick_s = 1;
	r->o.tick_types = 1;
	r->o.max_workers = 2;
	r->o.start_min_s = 1000;
	rig_start(r);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	rig_until_logged(
	    r, "WARN: Tick 0 skipped -- unable to activate worker 1\n");
	rig_release(r, fifo);
	rig_until(r, &a.done);
}

static void
a_tick_that_kills_workers_has_its_next_turn(void **state)
{
	struct rig *r = *state;

	r->o.tick_s = 1;
	r->o.tick_types = 1;
	setenv("WORKER_TICK", "die", 1);
	rig_start(r);
	rig_until_logged(r, "ERR: \"tick 0\" is given up");
	unsetenv("WORKER_TICK");
	until_ticks(r, 2);
}

static void
autoscaling_starts_a_worker_ahead_of_need(void **state)
{
	struct rig *r = *state;
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a;
	char line[300];

	r->o.autoscale = true;
	r->o.scale_s = 3600; /* only when the test looks */
	rig_start(r);
	assert_true(rig_logged(r,
	    "INFO: Autoscaling enabled: interval=3600s scale_out=80% "
	    "scale_in=30%\n"));
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	rig_until_letters(r, "BS");
	r->m->account->last_start = MSEC_NEVER; /* long ago */
	for (int i = 0; i < 5; i++)
		clockwork_scale(r->m);
	rig_until_letters(r, "BS");
	clockwork_scale(r->m);
	rig_until_letters(r, "BI");
	assert_true(rig_logged(
	    r, "(2 running): Autoscale: scale-out (ema_busy=0.82)\n"));
	assert_true(rig_logged(r,
	    "INFO: Autoscale: scaled out to 2 workers (ema_busy=0.82 "
	    "queued=0)\n"));
	rig_release(r, fifo);
	rig_until(r, &a.done);
	r->m->account->last_start = MSEC_NEVER;
	for (int i = 0; i < 4; i++)
		clockwork_scale(r->m);
	rig_until_logged(
	    r, "INFO: Autoscale: scaled in to 2 workers (ema_busy=0.26)\n");
	assert_true(rig_logged(r, ": Autoscale: scale-in (ema_busy=0.26)\n"));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		CASE(each_type_is_run_again_and_again),
		CASE(a_tick_without_a_worker_is_skipped_and_has_its_next_turn),
		CASE(a_tick_that_may_not_start_a_worker_names_it),
		CASE(a_tick_that_kills_workers_has_its_next_turn),
		CASE(autoscaling_starts_a_worker_ahead_of_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
