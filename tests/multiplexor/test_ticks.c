/* SPDX-License-Identifier: MIT */
#include "multiplexor/ticks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
each_type_is_due_a_period_after_the_start(void **state)
{
	struct ticks t;

	(void)state;
	ticks_init(&t, 2, 60000, 1000);
	assert_int_equal(ticks_deadline(&t), 61000);
	assert_int_equal(ticks_next(&t, 60999), -1);
	assert_int_equal(ticks_next(&t, 61000), 0);
	assert_int_equal(ticks_next(&t, 61000), 1);
	assert_int_equal(ticks_next(&t, 61000), -1);
	assert_true(ticks_deadline(&t) == MSEC_NEVER);
}

static void
the_next_is_a_period_after_the_end_of_the_last(void **state)
{
	struct ticks t;

	(void)state;
	ticks_init(&t, 2, 60000, 0);
	assert_int_equal(ticks_next(&t, 60000), 0);
	assert_int_equal(ticks_next(&t, 60000), 1);
	assert_int_equal(ticks_next(&t, 500000), -1); /* both still run */
	ticks_done(&t, 1, 90000);
	assert_int_equal(ticks_deadline(&t), 150000);
	ticks_done(&t, 0, 95000);
	assert_int_equal(ticks_deadline(&t), 150000);
	assert_int_equal(ticks_next(&t, 154999), 1);
	assert_int_equal(ticks_next(&t, 154999), -1);
	assert_int_equal(ticks_next(&t, 155000), 0);
}

static void
where_one_can_run_at_a_time_each_has_its_turn(void **state)
{
	struct ticks t;

	(void)state;
	ticks_init(&t, 3, 1000, 0);
	for (msec now = 1000; now <= 6000; now += 1000) {
		static const int want[] = { 0, 1, 2, 0, 1, 2 };
		int first = ticks_next(&t, now);

		assert_int_equal(first, want[now / 1000 - 1]);
		for (int type; (type = ticks_next(&t, now)) >= 0;)
			ticks_skipped(&t, (unsigned)type, now);
		ticks_done(&t, (unsigned)first, now);
	}
}

static void
without_a_period_there_are_none(void **state)
{
	struct ticks t;

	(void)state;
	ticks_init(&t, 30, 0, 5000);
	assert_true(ticks_deadline(&t) == MSEC_NEVER);
	assert_int_equal(ticks_next(&t, 1000000), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_due_a_period_after_the_start),
		cmocka_unit_test(
		    the_next_is_a_period_after_the_end_of_the_last),
		cmocka_unit_test(where_one_can_run_at_a_time_each_has_its_turn),
		cmocka_unit_test(without_a_period_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
