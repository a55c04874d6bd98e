/* SPDX-License-Identifier: MIT */
#include "cli/ctl_safe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

struct safe_case {
	const char *text, *want;
};
#define N(cases) (sizeof(cases) / sizeof(cases[0]))

static void
only_what_a_terminal_does_not_obey_is_let_through(void **state)
{
	static const struct safe_case cases[] = {
		{ "plain 'text'\n\tand %41\n", "plain 'text'\n\tand %41\n" },
		{ "\x1b[2J\x07", "\\x1B[2J\\x07" },
		{ "a\rb\x7f", "a\\x0Db\\x7F" },
		{ "Gr\xc3\xbc\xc3\x9f"
		  "e \xe2\x82\xac \xf0\x9f\x93\xa7",
		    "Gr\xc3\xbc\xc3\x9f"
		    "e \xe2\x82\xac \xf0\x9f\x93\xa7" },
		{ "C1 \xc2\x9b"
		  "31m",
		    "C1 \\xC2\\x9B"
		    "31m" },
		{ "lone \x9b \xff", "lone \\x9B \\xFF" },
		{ "overlong \xc0\x9b \xe0\x82\x9b",
		    "overlong \\xC0\\x9B \\xE0\\x82\\x9B" },
		{ "surrogate \xed\xa0\x80", "surrogate \\xED\\xA0\\x80" },
		{ "beyond \xf4\x90\x80\x80", "beyond \\xF4\\x90\\x80\\x80" },
		{ "right to left \xe2\x80\xae",
		    "right to left \\xE2\\x80\\xAE" },
		{ "cut \xe2\x82", "cut \\xE2\\x82" },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct buf b;

		buf_init(&b, 0);
		ctl_safe(&b, cases[i].text, strlen(cases[i].text), false);
		assert_string_equal(buf_cstr(&b), cases[i].want);
		buf_fini(&b);
	}
}

static void
one_line_stays_one(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	ctl_safe(&b, "a\nb\tc\0d", 7, true);
	assert_string_equal(buf_cstr(&b), "a\\x0Ab\\x09c\\x00d");
	buf_fini(&b);
}

static void
cutting_keeps_to_the_columns(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *want;
	} cases[] = {
		{ "scan 4XyZ", 9, "scan 4XyZ" },
		{ "scan 4XyZ", 8, "scan 4X>" },
		{ "scan 4XyZ", 1, ">" },
		{ "scan 4XyZ", 0, "" },
		{ "\x1b[2J", 7, "\\x1B[2J" },
		{ "ab\x1b", 5, "ab>" },
		{ "\xc3\xbc", 8, "\\xC3\\xBC" },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct buf b;

		buf_init(&b, 0);
		ctl_safe_cut(
		    &b, cases[i].text, strlen(cases[i].text), cases[i].columns);
		assert_string_equal(buf_cstr(&b), cases[i].want);
		buf_fini(&b);
	}
}

static void
json_strings_are_strings(void **state)
{
	static const struct safe_case cases[] = {
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\n\x1b\x7f", "\"\\u000a\\u001b\\u007f\"" },
		{ "\xc2\x9b\xe2\x80\xae", "\"\\u009b\\u202e\"" },
		{ "\xc3\xbc\xff\xc3", "\"\xc3\xbc\\ufffd\\ufffd\"" },
		{ "", "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct buf b;

		buf_init(&b, 0);
		ctl_json_string(&b, cases[i].text, strlen(cases[i].text));
		assert_string_equal(buf_cstr(&b), cases[i].want);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    only_what_a_terminal_does_not_obey_is_let_through),
		cmocka_unit_test(one_line_stays_one),
		cmocka_unit_test(cutting_keeps_to_the_columns),
		cmocka_unit_test(json_strings_are_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
