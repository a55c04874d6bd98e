/* SPDX-License-Identifier: MIT */
#include "core/base/hist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
empty_one_knows_nothing(void **state)
{
	struct hist h = { 0 };

	(void)state;
	assert_int_equal(hist_percentile(&h, 50), 0);
	assert_int_equal(hist_percentile(&h, 100), 0);
	assert_int_equal(hist_mean(&h), 0);
}

static void
bounds_belong_to_the_bucket_below(void **state)
{
	struct hist h = { 0 };

	(void)state;
	hist_add(&h, 0);
	hist_add(&h, 100);
	hist_add(&h, 101);
	hist_add(&h, 200);
	hist_add(&h, 500000000);
	hist_add(&h, 500000001);
	hist_add(&h, UINT64_C(1) << 60);
	assert_int_equal(h.n[0], 2);
	assert_int_equal(h.n[1], 2);
	assert_int_equal(h.n[20], 1);
	assert_int_equal(h.n[21], 2);
	assert_int_equal(h.count, 7);
	assert_true(h.max == UINT64_C(1) << 60);
	assert_int_equal(hist_bound(0), 100);
	assert_int_equal(hist_bound(3), 1000);
	assert_int_equal(hist_bound(20), 500000000);
	assert_true(hist_bound(21) == UINT64_MAX);
}

static void
percentiles_lie_in_their_bucket(void **state)
{
	struct hist h = { 0 };

	(void)state;
	for (int i = 0; i < 90; i++)
		hist_add(&h, 1500); /* bucket 1,000 to 2,000 */
	for (int i = 0; i < 9; i++)
		hist_add(&h, 40000); /* 20,000 to 50,000 */
	hist_add(&h, 7000000);       /* 5,000,000 to 10,000,000 */
	assert_int_equal(hist_percentile(&h, 45), 1500); /* half of the way */
	assert_int_equal(hist_percentile(&h, 90), 2000);
	assert_int_equal(hist_percentile(&h, 99), 50000);
	assert_int_equal(hist_percentile(&h, 100), 7000000);
	assert_int_equal(hist_mean(&h), 74950);
}

static void
percentiles_are_never_above_the_longest(void **state)
{
	struct hist h = { 0 };

	(void)state;
	hist_add(&h, 120);
	assert_int_equal(hist_percentile(&h, 1), 120);
	assert_int_equal(hist_percentile(&h, 100), 120);
	hist_add(&h, 900000000);
	assert_int_equal(hist_percentile(&h, 99), 900000000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_one_knows_nothing),
		cmocka_unit_test(bounds_belong_to_the_bucket_below),
		cmocka_unit_test(percentiles_lie_in_their_bucket),
		cmocka_unit_test(percentiles_are_never_above_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
