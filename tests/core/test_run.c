/* SPDX-License-Identifier: MIT */
/* run: what a program says, and how it ended. */
#include "core/base/run.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct buf said;

static int
shell(const char *command, msec limit)
{
	buf_fini(&said);
	buf_init(&said, 0);
	return run_program(
	    (const char *const[]){ "/bin/sh", "-c", command, NULL }, limit,
	    &said);
}

static void
output_errors_and_status_are_kept(void **state)
{
	int status = shell("cat; echo out; echo err >&2; exit 3", 60000);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_string_equal(buf_cstr(&said), "out\nerr\n");
	status = shell("kill -9 $$", 60000);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void
what_does_not_end_is_killed(void **state)
{
	(void)state;
	assert_int_equal(shell("sleep 1000", 50), -ETIMEDOUT);
}

static void
what_is_not_there_ends_with_127(void **state)
{
	int status;

	(void)state;
	buf_fini(&said);
	buf_init(&said, 0);
	status = run_program(
	    (const char *const[]){ "/no/such", NULL }, 60000, &said);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 127);
}

static void
too_much_is_read_and_dropped(void **state)
{
	int status =
	    shell("dd if=/dev/zero bs=1000 count=300 2>/dev/null", 60000);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(buf_len(&said) > 60000 && buf_len(&said) <= 65536);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_errors_and_status_are_kept),
		cmocka_unit_test(what_does_not_end_is_killed),
		cmocka_unit_test(what_is_not_there_ends_with_127),
		cmocka_unit_test(too_much_is_read_and_dropped),
	};
	int failed;

	alarm(120);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&said);
	return failed;
}
