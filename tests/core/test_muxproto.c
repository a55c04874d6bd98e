/* SPDX-License-Identifier: MIT */
/* muxproto: spec:mux-requests spec:mux-answers. */
#include "core/base/muxproto.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static void
classes_are_told_by_the_whole_first_word(void **state)
{
	static const struct {
		const char *line;
		enum mux_class want;
	} cases[] = {
		{ "scan Q /d", MUX_SCAN },
		{ "scan", MUX_SCAN },
		{ "relayok 1.2.3.4", MUX_RELAYOK },
		{ "senderok <>", MUX_SENDEROK },
		{ "recipok <a@b>", MUX_RECIPOK },
		{ "helook h", MUX_OTHER },
		{ "scanner", MUX_OTHER },
		{ "SCAN Q", MUX_OTHER },
		{ " scan", MUX_OTHER },
		{ "sca", MUX_OTHER },
		{ "tick 1", MUX_OTHER },
		{ "", MUX_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(
		    mux_classify(cases[i].line, strlen(cases[i].line)),
		    cases[i].want);
	assert_string_equal(mux_class_name(MUX_RECIPOK), "recipok");
	assert_string_equal(mux_class_name(MUX_OTHER), "other");
}

static void
request_is_built_word_by_word(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, MUX_REQUEST_MAX);
	assert_int_equal(mux_word(&b, "senderok"), 0);
	assert_int_equal(mux_arg(&b, "<b'o%b@x>", 9, "UNKNOWN"), 0);
	assert_int_equal(mux_arg(&b, NULL, 0, "UNKNOWN"), 0);
	assert_int_equal(mux_arg(&b, "", 0, NULL), 0); /* no such argument */
	assert_int_equal(mux_arg(&b, "a b", 3, "?"), 0);
	assert_int_equal(mux_arg(&b, "", 0, "my name"), 0);
	assert_string_equal(
	    buf_cstr(&b), "senderok <b%27o%25b@x> UNKNOWN a%20b my%20name");
	buf_fini(&b);
}

static void
request_that_is_too_long_fails(void **state)
{
	struct buf b;
	char arg[4090];

	(void)state;
	memset(arg, 'x', sizeof(arg));
	buf_init(&b, MUX_REQUEST_MAX);
	mux_word(&b, "word");
	assert_int_equal(mux_arg(&b, arg, 4089, "?"), 0); /* 4094 in all */
	assert_int_equal(buf_len(&b), 4094);
	buf_reset(&b);
	mux_word(&b, "word");
	assert_int_equal(mux_arg(&b, arg, 4090, "?"), -1);
	assert_int_equal(buf_len(&b), 4); /* not even the blank */
	buf_fini(&b);

	buf_init(&b, 0);
	failmalloc_after(0);
	assert_int_equal(mux_word(&b, "word"), -1);
	failmalloc_off();
	assert_int_equal(mux_arg(&b, "x", 1, "?"), -1); /* it sticks */
	buf_fini(&b);
}

static void
words_are_found_by_number(void **state)
{
	static const char line[] = "recipok  <a@b>\t1.2.3.4 x\r\n";
	static const char *const want[] = { "recipok", "<a@b>", "1.2.3.4",
		"x" };
	const char *p = NULL;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < N_OF(want); i++) {
		assert_true(mux_nth(line, sizeof(line) - 1, i, &p, &n));
		assert_int_equal(n, strlen(want[i]));
		assert_memory_equal(p, want[i], n);
	}
	assert_false(mux_nth(line, sizeof(line) - 1, 4, &p, &n));
	assert_false(mux_nth(line, sizeof(line) - 1, SIZE_MAX, &p, &n));
	assert_false(mux_nth("", 0, 0, &p, &n));
	assert_false(mux_nth("  ", 2, 0, &p, &n));
	assert_true(mux_nth("abc", 2, 0, &p, &n)); /* n counts, not the NUL */
	assert_int_equal(n, 2);
}

struct answer_case {
	const char *line;
	int rc, verdict;
	bool has_fields;
	const char *text, *code, *dsn;
	long delay_s;
};

static void
check_answers(const struct answer_case *c, size_t count)
{
	for (; count--; c++) {
		struct mux_answer a = { .verdict = 77 };
		size_t n = strlen(c->line);
		char line[256];

		snprintf(line, sizeof(line), "%s", c->line);
		if (mux_parse_answer(line, n, &a) != c->rc)
			fail_msg("\"%s\": not %d", c->line, c->rc);
		if (c->rc < 0) {
			assert_int_equal(a.verdict, 77); /* untouched */
			continue;
		}
		assert_int_equal(a.verdict, c->verdict);
		assert_int_equal(a.has_fields, c->has_fields);
		assert_string_equal(a.text, c->text);
		assert_int_equal(a.text_len, strlen(c->text));
		assert_string_equal(a.code, c->code);
		assert_string_equal(a.dsn, c->dsn);
		assert_int_equal(a.delay_s, c->delay_s);
	}
}

static void
answers_without_fields_need_their_lf(void **state)
{
	static const struct answer_case cases[] = {
		{ "ok 1\n", 0, MUX_CONTINUE, false, "", "", "", 0 },
		{ "ok 0\n", 0, MUX_REJECT, false, "", "", "", 0 },
		{ "ok -1\n", 0, MUX_TEMPFAIL, false, "", "", "", 0 },
		{ "ok 2\n", 0, MUX_ACCEPT, false, "", "", "", 0 },
		{ "ok 3\n", 0, MUX_DISCARD, false, "", "", "", 0 },
		{ .line = "ok 1", .rc = -1 },
		{ .line = "ok 1\r\n", .rc = -1 },
		{ .line = "ok 1 \n", .rc = -1 },
	};

	(void)state;
	check_answers(cases, N_OF(cases));
}

static void
fields_are_cut_and_decoded(void **state)
{
	static const struct answer_case cases[] = {
		{ "ok 1 ok 250 2.1.0 0\n", 0, MUX_CONTINUE, true, "ok", "250",
		    "2.1.0", 0 },
		{ "ok 0 Go%20away%0Anow 554 5.7.9 7\n", 0, MUX_REJECT, true,
		    "Go away\nnow", "554", "5.7.9", 7 },
		/* only a text: the per-domain limit of the original */
		{ "ok -1 Per-domain%20recipok%20limit%20hit;%20please\n", 0,
		    MUX_TEMPFAIL, true, "Per-domain recipok limit hit; please",
		    "", "", 0 },
		/* with fields, CR and LF do not matter */
		{ "ok 0 no", 0, MUX_REJECT, true, "no", "", "", 0 },
		{ "ok 0 n\ro 5\n50\r\n", 0, MUX_REJECT, true, "no", "550", "",
		    0 },
		/* single white spaces separate; the delay is the rest */
		{ "ok 0  550 5.1.1 3\n", 0, MUX_REJECT, true, "", "550",
		    "5.1.1", 3 },
		{ "ok 0 a\tb\vc 12 34\n", 0, MUX_REJECT, true, "a", "b", "c",
		    12 },
		{ "ok 0 a 550 5.7.1 junk\n", 0, MUX_REJECT, true, "a", "550",
		    "5.7.1", 0 },
		{ "ok 0 a 550 5.7.1 -9\n", 0, MUX_REJECT, true, "a", "550",
		    "5.7.1", 0 },
		{ "ok 0 a 550 5.7.1 5%30\n", 0, MUX_REJECT, true, "a", "550",
		    "5.7.1", 50 },
		{ "ok 0 100%25%zz 550\n", 0, MUX_REJECT, true, "100%%zz", "550",
		    "", 0 },
		{ "ok 0  \n", 0, MUX_REJECT, true, "", "", "", 0 },
	};

	(void)state;
	check_answers(cases, N_OF(cases));
}

static void
everything_else_is_no_answer(void **state)
{
	static const struct answer_case cases[] = {
		{ .line = "", .rc = -1 },
		{ .line = "\n", .rc = -1 },
		{ .line = "ok\n", .rc = -1 },
		{ .line = "ok \n", .rc = -1 },
		{ .line = "ok 7\n", .rc = -1 },
		{ .line = "ok 7 x 250 2.0.0 0\n", .rc = -1 },
		{ .line = "ok 10\n", .rc = -1 },
		{ .line = "ok 1x y\n", .rc = -1 },
		{ .line = "ok -2 x\n", .rc = -1 },
		{ .line = "OK 1\n", .rc = -1 },
		{ .line = " ok 1\n", .rc = -1 },
		{ .line = "error: No free workers\n", .rc = -1 },
		{ .line = "ERR No response from worker\n", .rc = -1 },
	};
	char line[] = "ok 1\n\0ok";
	struct mux_answer a;

	(void)state;
	check_answers(cases, N_OF(cases));
	assert_int_equal(mux_parse_answer(line, sizeof(line) - 1, &a), -1);
}

static void
encoded_nul_in_a_text_is_counted(void **state)
{
	char line[] = "ok 0 a%00b 550\n";
	struct mux_answer a;

	(void)state;
	assert_int_equal(mux_parse_answer(line, sizeof(line) - 1, &a), 0);
	assert_int_equal(a.text_len, 3);
	assert_memory_equal(a.text, "a\0b", 4);
	assert_string_equal(a.code, "550");
}

static void
error_text_can_be_logged_after_parsing(void **state)
{
	char line[] = "error: x\r\n";
	struct mux_answer a;

	(void)state;
	assert_int_equal(mux_parse_answer(line, sizeof(line) - 1, &a), -1);
	assert_string_equal(line, "error: x");
}

static void
free_is_a_number_and_a_lf(void **state)
{
	static const struct {
		const char *line;
		long want;
	} cases[] = {
		{ "3\n", 3 },
		{ "0\n", 0 },
		{ "120\n", 120 },
		{ "999999999\n", 999999999 },
		{ "1000000000\n", -1 },
		{ "3", -1 },
		{ "\n", -1 },
		{ "", -1 },
		{ "-1\n", -1 },
		{ " 3\n", -1 },
		{ "3 \n", -1 },
		{ "error: x\n", -1 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		assert_int_equal(
		    mux_parse_free(cases[i].line, strlen(cases[i].line)),
		    cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_told_by_the_whole_first_word),
		cmocka_unit_test(request_is_built_word_by_word),
		cmocka_unit_test(request_that_is_too_long_fails),
		cmocka_unit_test(words_are_found_by_number),
		cmocka_unit_test(answers_without_fields_need_their_lf),
		cmocka_unit_test(fields_are_cut_and_decoded),
		cmocka_unit_test(everything_else_is_no_answer),
		cmocka_unit_test(encoded_nul_in_a_text_is_counted),
		cmocka_unit_test(error_text_can_be_logged_after_parsing),
		cmocka_unit_test(free_is_a_number_and_a_lf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
