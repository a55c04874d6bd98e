/* SPDX-License-Identifier: MIT */
#include "cli/ctl_ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static struct ctl_str
str(const char *text)
{
	return (struct ctl_str){ text, strlen(text) };
}

static void
only_a_workers_answer_is_ready(void **state)
{
	static const struct {
		const char *answer;
		enum ctl_ready want;
	} cases[] = {
		{ "PONG\n", CTL_READY },
		{ "error: Unknown command\n", CTL_READY },
		{ "ok\n", CTL_READY },
		{ "error: No free workers\n", CTL_NOT_READY },
		{ "error: Unable to activate worker\n", CTL_NOT_READY },
		{ "error: Queued request timed out\n", CTL_NOT_READY },
		{ "error: Error talking to worker process\n", CTL_NOT_READY },
		{ "ERR No response from worker\n", CTL_NOT_READY },
		{ "ERR Filter timed out - check filter rules or system load\n",
		    CTL_NOT_READY },
		{ "PON", CTL_NOT_READY },
		{ "", CTL_NOT_READY },
		{ "error: Attempt to use privileged command on unprivileged "
		  "socket\n",
		    CTL_READY_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    ctl_ready_ping(str(cases[i].answer)), cases[i].want);
}

static void
a_worker_that_is_idle_again_has_answered(void **state)
{
	(void)state;
	assert_true(
	    ctl_ready_workers(str("0 S ago=3\n1 I 811 last=scan ago=0\n")));
	assert_false(ctl_ready_workers(str("0 I 811 ago=0\n")));
	assert_false(
	    ctl_ready_workers(str("0 B 811 scan last=scan ago=0 (x)\n")));
	assert_false(ctl_ready_workers(str("0 S last=scan ago=0\n")));
	assert_false(ctl_ready_workers(str("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_workers_answer_is_ready),
		cmocka_unit_test(a_worker_that_is_idle_again_has_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
