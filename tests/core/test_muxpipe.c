/* SPDX-License-Identifier: MIT */
#include "core/base/muxpipe.h"
#include "tests/support/failmalloc.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
greeting_has_this_form(void **state)
{
	struct muxpipe_limits l = { .in_flight = 1024, .idle_s = 3600 };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(muxpipe_add_greeting(&b, &l), 0);
	assert_string_equal(
	    buf_cstr(&b), "ok pipeline-1 in-flight=1024 idle=3600\n");
	l = (struct muxpipe_limits){ 0 };
	assert_int_equal(
	    muxpipe_parse_greeting(buf_data(&b), buf_len(&b) - 1, &l), 0);
	assert_int_equal(l.in_flight, 1024);
	assert_int_equal(l.idle_s, 3600);
	buf_fini(&b);
}

static void
other_answers_are_no_greeting(void **state)
{
	static const char *const lines[] = { "error: Invalid worker number", "",
		"ok", "ok pipeline-2", "ok pipeline-10 in-flight=5",
		"ok pipeline-1in-flight=5", "ok pipeline-1 in-flight=0" };
	struct muxpipe_limits l = { 7, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (muxpipe_parse_greeting(lines[i], strlen(lines[i]), &l) !=
		    -1)
			fail_msg("taken: \"%s\"", lines[i]);
	assert_int_equal(l.in_flight, 7);
}

static void
words_of_later_versions_are_passed_over(void **state)
{
	static const struct {
		const char *line;
		unsigned in_flight, idle_s;
	} rows[] = {
		{ "ok pipeline-1", 1, 0 },
		{ "ok pipeline-1 colour=red idle=5", 1, 5 },
		{ "ok pipeline-1 in-flight=x in-flight=12 ", 12, 0 },
		{ "ok pipeline-1 in-flight=99999999999", 1, 0 },
		{ "ok pipeline-1 in-flight=2x idle=", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct muxpipe_limits l;
		const char *s = rows[i].line;

		assert_int_equal(muxpipe_parse_greeting(s, strlen(s), &l), 0);
		assert_int_equal(l.in_flight, rows[i].in_flight);
		assert_int_equal(l.idle_s, rows[i].idle_s);
	}
}

static void
requests_and_cancels_are_lines(void **state)
{
	struct buf b = { 0 };

	(void)state;
	muxpipe_add_request(&b, 7, "scan Q1 /d", 10);
	muxpipe_add_cancel(&b, UINT64_MAX);
	assert_string_equal(
	    buf_cstr(&b), "7 scan Q1 /d\n-18446744073709551615\n");
	buf_fini(&b);
}

static void
a_request_is_taken_apart(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t id;
		bool cancel;
		const char *line;
	} rows[] = {
		{ "1 free", 0, 1, false, "free" },
		{ "18446744073709551615 a  b", 0, UINT64_MAX, false, "a  b" },
		{ "5 ", 0, 5, false, "" },
		{ "-5", 0, 5, true, NULL },
		{ "18446744073709551616 free", -1, 0, false, NULL },
		{ "0 free", -1, 0, false, NULL },
		{ "-0", -1, 0, false, NULL },
		{ "07 free", -1, 0, false, NULL },
		{ "5", -1, 0, false, NULL },
		{ "-5 ", -1, 0, false, NULL },
		{ "--5", -1, 0, false, NULL },
		{ "+5 x", -1, 0, false, NULL },
		{ "free", -1, 0, false, NULL },
		{ "", -1, 0, false, NULL },
		{ "-", -1, 0, false, NULL },
		{ "5\tfree", -1, 0, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct muxpipe_request r;
		const char *s = rows[i].text;

		if (muxpipe_parse_request(s, strlen(s), &r) != rows[i].rc)
			fail_msg("\"%s\": not %d", s, rows[i].rc);
		if (rows[i].rc < 0)
			continue;
		assert_true(r.id == rows[i].id);
		assert_int_equal(r.cancel, rows[i].cancel);
		if (rows[i].line) {
			assert_int_equal(r.n, strlen(rows[i].line));
			assert_memory_equal(r.line, rows[i].line, r.n);
		}
	}
}

static void
an_answer_has_its_length_in_front(void **state)
{
	struct buf b = { 0 };

	(void)state;
	muxpipe_add_answer(&b, 7, "ok\n", 3);
	muxpipe_add_answer(&b, 8, "", 0);
	muxpipe_add_answer(&b, 9, NULL, 0);
	assert_string_equal(buf_cstr(&b), "7 3\nok\n8 0\n9 -\n");
	buf_fini(&b);
}

static void
an_answer_is_found_when_it_is_whole(void **state)
{
	static const char text[] = "12 6\none\n2\n13 -\n";
	struct muxpipe_answer a;

	(void)state;
	for (size_t n = 0; n < 11; n++)
		assert_int_equal(muxpipe_next_answer(text, n, 100, &a), 0);
	for (size_t n = 11; n <= 16; n++) {
		assert_int_equal(muxpipe_next_answer(text, n, 100, &a), 1);
		assert_int_equal(a.id, 12);
		assert_false(a.none);
		assert_int_equal(a.at, 5);
		assert_int_equal(a.n, 6);
		assert_int_equal(a.used, 11);
	}
	assert_int_equal(muxpipe_next_answer(text + 11, 5, 100, &a), 1);
	assert_int_equal(a.id, 13);
	assert_true(a.none);
	assert_int_equal(a.used, 5);
}

static void
malformed_answers_are_refused(void **state)
{
	static const char *const texts[] = { "\n", "x 1\na", "0 1\na", "1 1",
		"1\n", "1 \n", "1 x\n", "1 1 \na", "1 101\n", "-1 1\na",
		"1  1\na", "1 -1\n", "1 01\na",
		"1111111111111111111111111111111111111111111" };
	static const int rc[] = { -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1,
		-1, -1 };
	struct muxpipe_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (muxpipe_next_answer(texts[i], strlen(texts[i]), 100, &a) !=
		    rc[i])
			fail_msg("\"%s\": not %d", texts[i], rc[i]);
}

static void
without_memory_nothing_is_half_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf b = { 0 };
		int rc;

		failmalloc_after(i);
		rc = muxpipe_add_request(&b, 7, "free", 4);
		failmalloc_off();
		assert_true(rc == 0 || buf_len(&b) == 0);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greeting_has_this_form),
		cmocka_unit_test(other_answers_are_no_greeting),
		cmocka_unit_test(words_of_later_versions_are_passed_over),
		cmocka_unit_test(requests_and_cancels_are_lines),
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(an_answer_has_its_length_in_front),
		cmocka_unit_test(an_answer_is_found_when_it_is_whole),
		cmocka_unit_test(malformed_answers_are_refused),
		cmocka_unit_test(without_memory_nothing_is_half_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
