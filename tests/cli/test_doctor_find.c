/* SPDX-License-Identifier: MIT */
/* doctor_find: how findings are shown. */
#include "cli/doctor_find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct doctor_report r;
static struct buf out;

static int
make_report(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	buf_init(&out, 0);
	return 0;
}

static int
drop(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}

static void
the_worst_comes_first(void **state)
{
	(void)state;
	doctor_found(&r, FOUND_SPOOL_DISK, "%s is on a disk", "/s");
	doctor_change(&r, "mount %s", "/s");
	doctor_found(&r, FOUND_USER, "there is no user x");
	doctor_text(&r, &out);
	assert_string_equal(buf_cstr(&out),
	    "problem: there is no user x (user)\n"
	    "    why: the daemon will not start\n"
	    "note: /s is on a disk (spool-disk)\n"
	    "    why: each message is written there once or more; in memory "
	    "that costs half\n"
	    "    change: mount /s\n"
	    "1 problem, 0 warnings, 1 note\n");
	assert_int_equal(doctor_count(&r, DOCTOR_PROBLEM), 1);
	assert_int_equal(doctor_count(&r, DOCTOR_WARNING), 0);
}

static void
json_is_one_document(void **state)
{
	(void)state;
	doctor_json(&r, &out);
	assert_string_equal(buf_cstr(&out),
	    "{\"findings\":[],\"problems\":0,\"warnings\":0,\"notes\":0}\n");
	buf_reset(&out);
	doctor_found(&r, FOUND_USER, "\"x\"\\");
	doctor_found(&r, FOUND_MUX, "y");
	doctor_change(&r, "z");
	doctor_json(&r, &out);
	assert_string_equal(buf_cstr(&out),
	    "{\"findings\":[{\"severity\":\"problem\",\"name\":\"user\","
	    "\"what\":\"\\\"x\\\"\\\\\",\"why\":\"the daemon will not start\","
	    "\"change\":\"\"},{\"severity\":\"problem\",\"name\":"
	    "\"multiplexor\",\"what\":\"y\",\"why\":\"all messages are told to "
	    "come again later\",\"change\":\"z\"}],\"problems\":2,"
	    "\"warnings\":0,\"notes\":0}\n");
}

static void
a_finding_is_one_line(void **state)
{
	(void)state;
	doctor_found(&r, FOUND_USER, "a\nproblem: b\033[2J");
	doctor_change(&r, "c\rd");
	assert_string_equal(r.v[0].what, "a problem: b [2J");
	assert_string_equal(r.v[0].change, "c d");
}

static void
more_than_fit_are_dropped_with_what_to_change(void **state)
{
	(void)state;
	doctor_change(&r, "nothing was found yet");
	for (int i = 0; i < DOCTOR_FINDINGS_MAX; i++)
		doctor_found(&r, FOUND_USER, "%d", i);
	doctor_change(&r, "the last");
	doctor_found(&r, FOUND_MUX, "one more");
	doctor_change(&r, "one more");
	assert_int_equal(r.n, DOCTOR_FINDINGS_MAX);
	assert_string_equal(r.v[DOCTOR_FINDINGS_MAX - 1].change, "the last");
}

static void
the_manual_has_each_kind(void **state)
{
	(void)state;
	doctor_mdoc(&out);
	assert_non_null(strstr(buf_cstr(&out),
	    ".It user Pq problem\nthe daemon will not start.\n"));
	for (unsigned i = 0; i < FOUND_N; i++)
		assert_non_null(strstr(buf_cstr(&out), doctor_kinds[i].name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_report, drop)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_worst_comes_first),
		TEST(json_is_one_document),
		TEST(a_finding_is_one_line),
		TEST(more_than_fit_are_dropped_with_what_to_change),
		TEST(the_manual_has_each_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
