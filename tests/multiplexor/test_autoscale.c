/* SPDX-License-Identifier: MIT */
/* autoscale: thresholds and pauses, on a clock of the test's own. */
#include "multiplexor/autoscale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Every 15 s from `from`, n times: so many busy of so many.  What the last
 * check said. */
static enum scale
checks(struct autoscale *a, int n, unsigned busy, unsigned running,
    msec last_start, msec from)
{
	enum scale s = SCALE_STAY;

	for (int i = 0; i < n; i++)
		s = autoscale_check(a, &(struct scale_facts){ .busy = busy,
					   .running = running,
					   .min = 2,
					   .max = 8,
					   .last_start = last_start,
					   .now = from + (msec)i * 15000 });
	return s;
}

static const struct autoscale_opts usual = { 15, 80, 30 };

static void
want_report(const struct autoscale *a, bool enabled, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	autoscale_report(a, enabled, &b);
	assert_string_equal(buf_cstr(&b), want);
	buf_fini(&b);
}

static void
average_follows_by_a_quarter(void **state)
{
	struct autoscale a;

	(void)state;
	autoscale_init(&a, &usual);
	checks(&a, 1, 2, 4, 0, 100000);
	want_report(&a, true,
	    "enabled=1 interval=15 ema_busy=0.1250 scale_out=0.80 "
	    "scale_in=0.30 out_cool=5 in_cool=30 ema_alpha=0.2500\n");
	checks(&a, 1, 4, 4, 0, 115000);
	want_report(&a, true,
	    "enabled=1 interval=15 ema_busy=0.3438 scale_out=0.80 "
	    "scale_in=0.30 out_cool=5 in_cool=30 ema_alpha=0.2500\n");
	checks(&a, 1, 0, 0, 0, 130000); /* nothing runs: 0 */
	want_report(&a, true,
	    "enabled=1 interval=15 ema_busy=0.2578 scale_out=0.80 "
	    "scale_in=0.30 out_cool=5 in_cool=30 ema_alpha=0.2500\n");
}

static void
when_off_the_report_says_so(void **state)
{
	struct autoscale a;
	struct buf b;

	(void)state;
	autoscale_init(&a, &usual);
	want_report(&a, false,
	    "enabled=0 interval=15 ema_busy=0.0000 scale_out=0.80 "
	    "scale_in=0.30 out_cool=5 in_cool=30 ema_alpha=0.2500\n");
	buf_init(&b, 0);
	autoscale_start_line(&a, &b);
	assert_string_equal(buf_cstr(&b),
	    "Autoscaling enabled: interval=15s scale_out=80% scale_in=30%");
	buf_fini(&b);
}

static void
all_busy_for_six_checks_starts_one(void **state)
{
	struct autoscale a;

	(void)state;
	autoscale_init(&a, &usual);
	/* 0.25 0.4375 0.578 0.684 0.763 0.822 */
	assert_int_equal(checks(&a, 5, 4, 4, 0, 100000), SCALE_STAY);
	assert_int_equal(checks(&a, 1, 4, 4, 0, 175000), SCALE_OUT);
	/* not above -x */
	assert_int_equal(checks(&a, 1, 8, 8, 0, 190000), SCALE_STAY);
	/* not within 5 s of any start */
	assert_int_equal(checks(&a, 1, 5, 5, 200000, 205000), SCALE_STAY);
	assert_int_equal(checks(&a, 1, 5, 5, 200000, 205001), SCALE_OUT);
	assert_int_equal(checks(&a, 1, 5, 5, MSEC_NEVER, 1), SCALE_OUT);
}

static void
few_busy_stops_one_every_30_s(void **state)
{
	struct autoscale a;

	(void)state;
	autoscale_init(&a, &usual);
	/* not within 30 s of a start */
	assert_int_equal(checks(&a, 1, 0, 4, 100000, 130000), SCALE_STAY);
	assert_int_equal(checks(&a, 1, 0, 4, 100000, 130001), SCALE_IN);
	autoscale_in(&a, 130001);
	assert_int_equal(checks(&a, 1, 0, 3, 100000, 160001), SCALE_STAY);
	assert_int_equal(checks(&a, 1, 0, 3, 100000, 160002), SCALE_IN);
	/* not below -m */
	assert_int_equal(checks(&a, 1, 0, 2, 100000, 900000), SCALE_STAY);
}

static void
thresholds_can_be_others(void **state)
{
	struct autoscale a;
	struct buf b;

	(void)state;
	autoscale_init(&a, &(struct autoscale_opts){ 5, 40, 10 });
	assert_int_equal(checks(&a, 1, 4, 4, 0, 100000), SCALE_STAY);
	assert_int_equal(checks(&a, 1, 4, 4, 0, 105000), SCALE_OUT); /* 0.44 */
	a.ema = 0.2;
	assert_int_equal(checks(&a, 2, 0, 4, 0, 110000), SCALE_STAY); /* 0.11 */
	assert_int_equal(checks(&a, 1, 0, 4, 0, 140000), SCALE_IN);
	want_report(&a, true,
	    "enabled=1 interval=5 ema_busy=0.0844 scale_out=0.40 "
	    "scale_in=0.10 out_cool=5 in_cool=30 ema_alpha=0.2500\n");
	buf_init(&b, 0);
	autoscale_start_line(&a, &b);
	assert_string_equal(buf_cstr(&b),
	    "Autoscaling enabled: interval=5s scale_out=40% scale_in=10%");
	buf_fini(&b);
}

static void
between_the_thresholds_nothing_changes(void **state)
{
	struct autoscale a;

	(void)state;
	autoscale_init(&a, &usual);
	a.ema = 0.5;
	assert_int_equal(checks(&a, 100, 2, 4, 0, 900000), SCALE_STAY);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(average_follows_by_a_quarter),
		cmocka_unit_test(when_off_the_report_says_so),
		cmocka_unit_test(all_busy_for_six_checks_starts_one),
		cmocka_unit_test(few_busy_stops_one_every_30_s),
		cmocka_unit_test(thresholds_can_be_others),
		cmocka_unit_test(between_the_thresholds_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
