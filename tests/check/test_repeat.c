/* SPDX-License-Identifier: MIT */
#include "cli/check/repeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct opts {
	const char *name, *plain, *file;
	long number, other;
};
#define AT(member) offsetof(struct opts, member)
static const struct opt rows[] = {
	{ 'n', "name", OPT_STR, 0, AT(name), "NAME", "x", 0, 0, "", NULL },
	{ 0, "plain", OPT_STR, 0, AT(plain), "NAME", NULL, 0, 0, "", NULL },
	{ 0, "file", OPT_STR, OPT_MODE, AT(file), "FILE", NULL, 0, 0, "",
	    NULL },
	{ 0, "number", OPT_INT, 0, AT(number), "N", "5", 0, 9, "", NULL },
	{ 0, "other", OPT_INT, 0, AT(other), "N", NULL, 0, 9, "", NULL },
};

static void
assert_options(const struct opts *o, const char *want)
{
	struct buf b;

	buf_init(&b, 0);
	repeat_options(&b, rows, sizeof(rows) / sizeof(rows[0]), o);
	assert_string_equal(buf_cstr(&b), want);
	buf_fini(&b);
}

static void
defaults_and_modes_are_left_out(void **state)
{
	static const struct opts o = { "x", NULL, "report", 5, 0 };

	(void)state;
	assert_options(&o, "");
}

static void
words_are_quoted_for_a_shell(void **state)
{
	static const struct opts o = { "it's a $x", "", NULL, 6, 7 };

	(void)state;
	assert_options(&o, " --name 'it'\\''s a $x' --plain '' --number 6 "
			   "--other 7");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_and_modes_are_left_out),
		cmocka_unit_test(words_are_quoted_for_a_shell),
	};

	return cmocka_run_group_tests_name("repeat", tests, NULL, NULL);
}
