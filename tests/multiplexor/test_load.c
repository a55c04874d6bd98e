/* SPDX-License-Identifier: MIT */
/* load: windows, what of them is forgotten, and the reports octet by octet. */
#include "multiplexor/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* 2026-11-22 11:00:00 UTC: a full hour. */
#define HOUR 1795345200

struct fix {
	struct load *l;
	struct pool *p;
	struct report r;
	struct buf out;
};

/* Three slots: 0 busy with a recipok, 1 idle, 2 stopped. */
static int
setup(void **state)
{
	static const struct pool_opts o = { .min_workers = 1,
		.max_workers = 3,
		.max_requests = 500,
		.queue_max = 10,
		.queue_ms = 1000,
		.busy_ms = 90000,
		.idle_ms = 300000,
		.term_ms = 10000 };
	static struct fix f;
	struct pool_action a;

	assert_int_equal(load_new(&f.l, 3), 0);
	assert_int_equal(pool_new(&f.p, &o), 0);
	pool_start(f.p, 1000);
	for (uint64_t i = 1; i <= 3; i++) {
		while (pool_next(f.p, &a))
			if (a.type == POOL_SPAWN)
				pool_ready(f.p, a.slot, 1000);
		if (i == 3)
			pool_finished(f.p, 1, POOL_STAYS, 1000);
		else
			pool_request(
			    f.p, i, i == 1 ? MUX_RECIPOK : MUX_SCAN, 0, 1000);
	}
	f.r = (struct report){ .pool = f.p,
		.slots = 3,
		.queue_max = 10,
		.now = 87423000,
		.started = 1000 };
	buf_init(&f.out, 0);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	load_free(f->l);
	pool_free(f->p);
	buf_fini(&f->out);
	return 0;
}

#define SNAPSHOT "1 1 1 0 1 2 10 0 87422"

static void
want_load(struct fix *f, enum mux_class cls, int64_t sec, const char *want)
{
	buf_reset(&f->out);
	load_report(f->l, cls, sec, &f->r, &f->out);
	assert_string_equal(buf_cstr(&f->out), want);
}

static void
nothing_happened(void **state)
{
	want_load(*state, MUX_SCAN, HOUR,
	    "0 0 0 0 1.000000 1.000000 1.000000 1.000000 "
	    "0.000000 0.000000 0.000000 0.000000 0 0 0 0 0 0 0 0 " SNAPSHOT
	    "\n");
}

static void
windows_end_with_this_second(void **state)
{
	struct fix *f = *state;

	load_done(f->l, MUX_SCAN, 1, 100000, HOUR);
	load_done(f->l, MUX_SCAN, 3, 300500, HOUR + 9);
	load_done(f->l, MUX_RELAYOK, 2, 2250, HOUR + 9);
	load_done(f->l, MUX_OTHER, 2, 999999, HOUR + 9);
	load_started(f->l, HOUR + 9);
	load_started(f->l, HOUR + 9);
	load_reaped(f->l, HOUR + 9);
	want_load(f, MUX_SCAN, HOUR + 9,
	    "2 2 2 2 2.000000 2.000000 2.000000 2.000000 "
	    "200.250000 200.250000 200.250000 200.250000 "
	    "2 2 2 2 1 1 1 1 " SNAPSHOT "\n");
	want_load(f, MUX_SCAN, HOUR + 10,
	    "1 2 2 2 3.000000 2.000000 2.000000 2.000000 "
	    "300.500000 200.250000 200.250000 200.250000 "
	    "2 2 2 2 1 1 1 1 " SNAPSHOT "\n");
	want_load(f, MUX_SCAN, HOUR + 308,
	    "0 0 1 2 1.000000 1.000000 3.000000 2.000000 "
	    "0.000000 0.000000 300.500000 200.250000 "
	    "0 0 2 2 0 0 1 1 " SNAPSHOT "\n");
	/* workers' starts and ends are told with the scans only */
	want_load(f, MUX_RELAYOK, HOUR + 9,
	    "1 1 1 1 2.000000 2.000000 2.000000 2.000000 "
	    "2.250000 2.250000 2.250000 2.250000 "
	    "0 0 0 0 0 0 0 0 " SNAPSHOT "\n");
	want_load(f, MUX_SCAN, HOUR + 609,
	    "0 0 0 0 1.000000 1.000000 1.000000 1.000000 "
	    "0.000000 0.000000 0.000000 0.000000 0 0 0 0 0 0 0 0 " SNAPSHOT
	    "\n");
}

static void
a_second_of_the_round_before_is_forgotten(void **state)
{
	struct fix *f = *state;

	load_done(f->l, MUX_SCAN, 1, 100000, HOUR);
	load_done(f->l, MUX_SCAN, 2, 50000, HOUR + 600); /* the same entry */
	want_load(f, MUX_SCAN, HOUR + 600,
	    "1 1 1 1 2.000000 2.000000 2.000000 2.000000 "
	    "50.000000 50.000000 50.000000 50.000000 "
	    "0 0 0 0 0 0 0 0 " SNAPSHOT "\n");
}

static void
one_window_tells_all_classes(void **state)
{
	struct fix *f = *state;

	load_done(f->l, MUX_SCAN, 1, 388000, HOUR - 59);
	load_done(f->l, MUX_SCAN, 2, 389000, HOUR);
	load_done(f->l, MUX_SCAN, 9, 900000, HOUR - 60); /* too old */
	load_done(f->l, MUX_RELAYOK, 1, 2300, HOUR);
	load_done(f->l, MUX_RECIPOK, 2, 9800, HOUR);
	load_report1(f->l, 60, HOUR, &f->r, &f->out);
	assert_string_equal(buf_cstr(&f->out),
	    "2 1.500000 388.500000 1 1.000000 2.300000 0 0.000000 0.000000 "
	    "1 2.000000 9.800000 " SNAPSHOT " 60 0 0 0 1\n");
}

static void
window_has_limits(void **state)
{
	static const char refusal[] =
	    "error: Invalid 'back' amount (must be 10-600)\n";
	static const long bad[] = { 9, 601, 0, -1 };
	struct fix *f = *state;

	for (size_t i = 0; i < 4; i++) {
		buf_reset(&f->out);
		load_report1(f->l, bad[i], HOUR, &f->r, &f->out);
		assert_string_equal(buf_cstr(&f->out), refusal);
	}
	buf_reset(&f->out);
	load_report1(f->l, 600, HOUR, &f->r, &f->out);
	assert_string_equal(buf_cstr(&f->out),
	    "0 0.000000 0.000000 0 0.000000 0.000000 0 0.000000 0.000000 "
	    "0 0.000000 0.000000 " SNAPSHOT " 600 0 0 0 1\n");
}

static void
want_hours(struct fix *f, enum mux_class cls, int64_t sec, const char *want)
{
	buf_reset(&f->out);
	load_report_hours(f->l, cls, sec, &f->out);
	assert_string_equal(buf_cstr(&f->out), want);
}

static void
hours_are_those_of_the_clock(void **state)
{
	struct fix *f = *state;

	want_hours(f, MUX_SCAN, HOUR,
	    "0 0 0 0 0.000000 0.000000 0.000000 0.000000 "
	    "0.000000 0.000000 0.000000 0.000000 0 0 0 0\n");
	load_done(f->l, MUX_SENDEROK, 1, 1000, HOUR - 1);
	load_done(f->l, MUX_SENDEROK, 2, 2000, HOUR);
	load_done(f->l, MUX_SENDEROK, 3, 3000, HOUR + 10);
	want_hours(f, MUX_SENDEROK, HOUR + 3599,
	    "2 3 3 3 2.500000 2.000000 2.000000 2.000000 "
	    "2.500000 2.000000 2.000000 2.000000 10 11 11 11\n");
	want_hours(f, MUX_SENDEROK, HOUR + 3600,
	    "0 3 3 3 0.000000 2.000000 2.000000 2.000000 "
	    "0.000000 2.000000 2.000000 2.000000 0 11 11 11\n");
	want_hours(f, MUX_SENDEROK, HOUR + 3 * 3600,
	    "0 2 3 3 0.000000 2.500000 2.000000 2.000000 "
	    "0.000000 2.500000 2.000000 2.000000 0 10 11 11\n");
	want_hours(f, MUX_SENDEROK, HOUR + 23 * 3600,
	    "0 0 0 2 0.000000 0.000000 0.000000 2.500000 "
	    "0.000000 0.000000 0.000000 2.500000 0 0 0 10\n");
	want_hours(f, MUX_SCAN, HOUR + 10,
	    "0 0 0 0 0.000000 0.000000 0.000000 0.000000 "
	    "0.000000 0.000000 0.000000 0.000000 0 0 0 0\n");
	/* a day later the entry is used again */
	load_done(f->l, MUX_SENDEROK, 1, 500, HOUR + 24 * 3600);
	want_hours(f, MUX_SENDEROK, HOUR + 24 * 3600,
	    "1 1 1 1 1.000000 1.000000 1.000000 1.000000 "
	    "0.500000 0.500000 0.500000 0.500000 0 0 0 0\n");
}

static void
histogram_counts_how_many_were_busy(void **state)
{
	struct fix *f = *state;

	load_busy(f->l, 1);
	load_busy(f->l, 1);
	load_busy(f->l, 3);
	load_busy(f->l, 4); /* there are three */
	load_busy(f->l, 0);
	load_report_histo(f->l, &f->out);
	assert_string_equal(buf_cstr(&f->out), "   1 2\n   2 0\n   3 1\n");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(nothing_happened),
		CASE(windows_end_with_this_second),
		CASE(a_second_of_the_round_before_is_forgotten),
		CASE(one_window_tells_all_classes),
		CASE(window_has_limits),
		CASE(hours_are_those_of_the_clock),
		CASE(histogram_counts_how_many_were_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
