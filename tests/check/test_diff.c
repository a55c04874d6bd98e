/* SPDX-License-Identifier: MIT */
#include "cli/check/diff.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mlt_bytes
bytes(const char *s)
{
	return (struct mlt_bytes){ s, strlen(s) };
}

static void
differences_are_the_shortest(void **state)
{
	static const struct {
		const char *label, *old, *new, *want;
	} cases[] = {
		{ "the same", "a\nb\n", "a\nb\n", "" },
		{ "nothing and nothing", "", "", "" },
		{ "a line more", "a\nb\n", "a\nx\nb\n",
		    "--- A\n+++ B\n@@ -1,2 +1,3 @@\n a\n+x\n b\n" },
		{ "a line less", "a\nx\nb\n", "a\nb\n",
		    "--- A\n+++ B\n@@ -1,3 +1,2 @@\n a\n-x\n b\n" },
		{ "another line", "a\nx\nb\n", "a\ny\nb\n",
		    "--- A\n+++ B\n@@ -1,3 +1,3 @@\n a\n-x\n+y\n b\n" },
		{ "all new", "", "a\nb\n",
		    "--- A\n+++ B\n@@ -0,0 +1,2 @@\n+a\n+b\n" },
		{ "nothing left", "a\nb\n", "",
		    "--- A\n+++ B\n@@ -1,2 +0,0 @@\n-a\n-b\n" },
		{ "one line", "a\n", "b\n",
		    "--- A\n+++ B\n@@ -1 +1 @@\n-a\n+b\n" },
		{ "the last line ends", "a\nb", "a\nb\n",
		    "--- A\n+++ B\n@@ -1,2 +1,2 @@\n a\n-b\n"
		    "\\ No newline at end of file\n+b\n" },
		{ "moved", "a\nb\nc\n", "c\na\nb\n",
		    "--- A\n+++ B\n@@ -1,3 +1,3 @@\n+c\n a\n b\n-c\n" },
		{ "three lines around, at most", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		    "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		    "--- A\n+++ B\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n"
		    " 7\n 8\n" },
		{ "six lines between join", "1\n2\n3\n4\n5\n6\n7\n8\n",
		    "x\n2\n3\n4\n5\n6\n7\ny\n",
		    "--- A\n+++ B\n@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n"
		    " 6\n 7\n-8\n+y\n" },
		{ "seven lines between part", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		    "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
		    "--- A\n+++ B\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
		    "@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n" },
		{ "control characters", "a\n", "\x1b[2J\n",
		    "--- A\n+++ B\n@@ -1 +1 @@\n-a\n+\\x1B[2J\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out;

		print_message("%s\n", cases[i].label);
		buf_init(&out, 0);
		assert_int_equal(diff_unified(&out, "A", bytes(cases[i].old),
				     "B", bytes(cases[i].new)),
		    0);
		assert_string_equal(buf_cstr(&out), cases[i].want);
		buf_fini(&out);
	}
}

/* So many lines of one octet. */
static char *
repeat(char c, size_t n)
{
	char *s = malloc(2 * n + 1);

	assert_non_null(s);
	for (size_t i = 0; i < n; i++) {
		s[2 * i] = c;
		s[2 * i + 1] = '\n';
	}
	s[2 * n] = '\0';
	return s;
}

static void
what_differs_too_much_is_replaced(void **state)
{
	char *old = repeat('a', 2000), *new = repeat('b', 3000);
	struct buf out;

	(void)state;
	memcpy(old, "=\n", 2);
	memcpy(new, "=\n", 2);
	memcpy(old + 2000, "=\n", 2); /* would be found by a longer search */
	memcpy(new + 2000, "=\n", 2);
	buf_init(&out, 0);
	assert_int_equal(
	    diff_unified(&out, "A", bytes(old), "B", bytes(new)), 0);
	assert_memory_equal(buf_cstr(&out),
	    "--- A\n+++ B\n@@ -1,2000 +1,3000 @@\n =\n-a\n-a\n", 43);
	assert_int_equal(buf_len(&out), 34 + 3 + 3 * (1999 + 2999));
	buf_fini(&out);
	free(old);
	free(new);
}

static void
no_memory_is_said(void **state)
{
	struct buf out;
	size_t n;

	(void)state;
	buf_init(&out, 0);
	failmalloc_after(SIZE_MAX);
	assert_int_equal(
	    diff_unified(&out, "A", bytes("a\nb\n"), "B", bytes("b\n")), 0);
	n = failmalloc_count();
	assert_true(n > 4);
	for (size_t i = 0; i < n; i++) {
		buf_fini(&out);
		buf_init(&out, 0);
		failmalloc_after(i);
		assert_int_equal(
		    diff_unified(&out, "A", bytes("a\nb\n"), "B", bytes("b\n")),
		    -1);
		failmalloc_off();
	}
	buf_fini(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_are_the_shortest),
		cmocka_unit_test(what_differs_too_much_is_replaced),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
