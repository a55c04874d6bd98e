/* SPDX-License-Identifier: MIT */
#include "cli/prcap.h"
#include "tests/support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int
print(void *arg)
{
	(void)arg;
	return prcap_print();
}

static void
prcap_prints_thirteen_lines_and_succeeds(void **state)
{
	char out[2048], err[256];

	(void)state;
	assert_int_equal(
	    capture_run(print, NULL, out, sizeof(out), err, sizeof(err)), 0);
	assert_string_equal(err, "");
	assert_string_equal(out,
	    "SMFI_VERSION                   1.0.1 (New-Style)\n"
	    "MILTER_BUILDLIB_HAS_CHGFROM    1\n"
	    "MILTER_BUILDLIB_HAS_CHGHDRS    1\n"
	    "MILTER_BUILDLIB_HAS_DATA       1\n"
	    "MILTER_BUILDLIB_HAS_INSHEADER  1\n"
	    "MILTER_BUILDLIB_HAS_NEGOTIATE  1\n"
	    "MILTER_BUILDLIB_HAS_OPENSOCKET 1\n"
	    "MILTER_BUILDLIB_HAS_PROGRESS   1\n"
	    "MILTER_BUILDLIB_HAS_QUARANTINE 1\n"
	    "MILTER_BUILDLIB_HAS_SETMLREPLY 1\n"
	    "MILTER_BUILDLIB_HAS_SETSYMLIST 1\n"
	    "MILTER_BUILDLIB_HAS_UNKNOWN    1\n"
	    "MILTER_BUILDLIB_HAS_VERSION    1\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prcap_prints_thirteen_lines_and_succeeds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
