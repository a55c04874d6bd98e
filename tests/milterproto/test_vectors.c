/* SPDX-License-Identifier: MIT */
/*
 * Every golden conversation in every way of cutting it, and with each
 * allocation failing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>

#include "tests/support/vec.h"

static glob_t files;

static void
run_all(enum vec_how how)
{
	for (size_t i = 0; i < files.gl_pathc; i++)
		assert_true(vec_run(files.gl_pathv[i], how) > 0);
}

static void
vectors_hold_line_by_line(void **state)
{
	(void)state;
	run_all(VEC_WHOLE);
}

static void
vectors_hold_octet_by_octet(void **state)
{
	(void)state;
	run_all(VEC_BYTES);
}

static void
vectors_hold_cut_anywhere(void **state)
{
	(void)state;
	run_all(VEC_SPLIT);
}

static void
vectors_hold_when_the_peer_runs_ahead(void **state)
{
	(void)state;
	run_all(VEC_AHEAD);
}

static void
vectors_survive_failing_malloc(void **state)
{
	(void)state;
	for (size_t i = 0; i < files.gl_pathc; i++)
		assert_true(vec_run_failing_malloc(files.gl_pathv[i]) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_hold_line_by_line),
		cmocka_unit_test(vectors_hold_octet_by_octet),
		cmocka_unit_test(vectors_hold_cut_anywhere),
		cmocka_unit_test(vectors_hold_when_the_peer_runs_ahead),
		cmocka_unit_test(vectors_survive_failing_malloc),
	};
	int rc;

	if (glob("tests/vectors/*.vec", 0, NULL, &files) != 0)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	globfree(&files);
	return rc;
}
