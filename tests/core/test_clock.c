/* SPDX-License-Identifier: MIT */
/* clock: direction and scale only; no test may depend on the time. */
#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
monotonic_clock_never_goes_back(void **state)
{
	msec last = clock_mono_ms();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		msec now = clock_mono_ms();

		assert_true(now >= last);
		last = now;
	}
	assert_true(last < MSEC_NEVER);
}

static void
wall_clock_counts_seconds(void **state)
{
	(void)state;
	assert_true(clock_wall_s() > 1700000000);   /* 2023 */
	assert_true(clock_wall_s() < 100000000000); /* not milliseconds */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monotonic_clock_never_goes_back),
		cmocka_unit_test(wall_clock_counts_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
