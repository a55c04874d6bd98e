/* SPDX-License-Identifier: MIT */
#include "core/base/loghist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
empty_one_knows_nothing(void **state)
{
	static struct loghist h;

	(void)state;
	assert_int_equal(loghist_quantile(&h, 500), 0);
	assert_int_equal(loghist_quantile(&h, 1000), 0);
	assert_int_equal(loghist_mean(&h), 0);
}

static void
small_times_are_exact(void **state)
{
	static struct loghist h;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		loghist_add(&h, i);
	loghist_add(&h, 1000000);
	assert_int_equal(loghist_quantile(&h, 1), 0);
	assert_int_equal(loghist_quantile(&h, 500), 32); /* the 33rd of 65 */
	assert_int_equal(loghist_quantile(&h, 984), 63);
	assert_int_equal(loghist_quantile(&h, 1000), 1000000);
}

static void
a_bucket_is_named_by_its_end(void **state)
{
	static struct loghist h;

	(void)state;
	loghist_add(&h, 64);   /* with 65 */
	loghist_add(&h, 100);  /* with 101 */
	loghist_add(&h, 4100); /* 4,096 to 4,223 */
	loghist_add(&h, 100000000);
	assert_int_equal(loghist_quantile(&h, 250), 65);
	assert_int_equal(loghist_quantile(&h, 500), 101);
	assert_int_equal(loghist_quantile(&h, 750), 4223);
	assert_int_equal(loghist_mean(&h), 25001066);
}

static void
nothing_is_above_the_longest(void **state)
{
	static struct loghist h;

	(void)state;
	loghist_add(&h, 4100);
	assert_int_equal(loghist_quantile(&h, 1), 4100);
	loghist_add(&h, UINT64_C(1) << 60); /* beyond the last bucket */
	assert_true(h.max == UINT64_C(1) << 60);
	assert_true(loghist_quantile(&h, 1000) == (UINT64_C(1) << 40) - 1);
}

static void
the_tail_is_seen(void **state)
{
	static struct loghist h;

	(void)state;
	for (int i = 0; i < 9989; i++)
		loghist_add(&h, 10);
	for (int i = 0; i < 11; i++)
		loghist_add(&h, 50);
	assert_int_equal(loghist_quantile(&h, 990), 10);
	assert_int_equal(loghist_quantile(&h, 999), 50);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_one_knows_nothing),
		cmocka_unit_test(small_times_are_exact),
		cmocka_unit_test(a_bucket_is_named_by_its_end),
		cmocka_unit_test(nothing_is_above_the_longest),
		cmocka_unit_test(the_tail_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
