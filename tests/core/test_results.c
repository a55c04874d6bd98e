/* SPDX-License-Identifier: MIT */
#include "core/base/buf.h"
#include "core/frontend/results.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char *const op_names[] = {
	[RESULT_ADD_HEADER] = "add-header",
	[RESULT_INSERT_HEADER] = "insert-header",
	[RESULT_CHANGE_HEADER] = "change-header",
	[RESULT_DELETE_HEADER] = "delete-header",
	[RESULT_ADD_RCPT] = "add-rcpt",
	[RESULT_DELETE_RCPT] = "delete-rcpt",
	[RESULT_CHANGE_FROM] = "change-from",
	[RESULT_QUARANTINE] = "quarantine",
	[RESULT_CONTENT_TYPE] = "content-type",
	[RESULT_REPLACE_BODY] = "replace-body",
	[RESULT_INCOMPLETE] = "incomplete",
	[RESULT_UNKNOWN] = "unknown",
};

static void
add_quoted(struct buf *b, struct mlt_bytes s)
{
	if (s.p)
		buf_addf(b, " \"%.*s\"", (int)s.n, s.p);
}

/* The list as text, and how it ends. */
static const char *
print(struct buf *b, struct results *r, const char *text, size_t n)
{
	char *copy = malloc(n + 1);
	int rc;

	memcpy(copy, text, n);
	copy[n] = '\0';
	buf_reset(b);
	rc = results_parse(r, copy, n, 16382);
	for (size_t i = 0; rc == 0 && i < r->n; i++) {
		const struct result *one = &r->v[i];

		buf_adds(b, op_names[one->op]);
		if (one->op >= RESULT_INCOMPLETE)
			buf_addf(b, " %.1s", &one->letter);
		else if (one->name.p)
			buf_addf(b, " %u", one->index);
		if (one->op < RESULT_INCOMPLETE) {
			add_quoted(b, one->name);
			add_quoted(b, one->value);
		}
		buf_addc(b, '\n');
	}
	if (rc < 0)
		buf_addf(b, "error %d", rc);
	else if (r->code)
		buf_addf(b, "end %d %s %s %.*s", r->end, r->code, r->dsn,
		    (int)r->text.n, r->text.p);
	else
		buf_addf(b, "end %d", r->end);
	free(copy);
	return buf_cstr(b);
}

struct results_case {
	const char *in, *want;
};

static void
check(const struct results_case *rows, size_t n)
{
	struct results r = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		assert_string_equal(
		    print(&b, &r, rows[i].in, strlen(rows[i].in)),
		    rows[i].want);
	results_fini(&r);
	buf_fini(&b);
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows[0]))

static void
each_letter_becomes_its_change(void **state)
{
	static const struct results_case rows[] = {
		{ "F\n", "end 0" },
		{ "F", "end 0" },
		{ "HX-A b%20c\nF\n", "add-header 0 \"X-A\" \"b c\"\nend 0" },
		{ "HX-A \nF\n", "add-header 0 \"X-A\" \"\"\nend 0" },
		{ "HX-A b c\nF\n", "add-header 0 \"X-A\" \"b c\"\nend 0" },
		{ "NX-A 0 v\nF\n", "insert-header 0 \"X-A\" \"v\"\nend 0" },
		{ "NX-A 12 v\nF\n", "insert-header 12 \"X-A\" \"v\"\nend 0" },
		{ "NX-A -1 v\nF\n", "insert-header 0 \"X-A\" \"v\"\nend 0" },
		{ "NX-A z v\nF\n", "insert-header 0 \"X-A\" \"v\"\nend 0" },
		{ "IX-A 0 v\nF\n", "change-header 1 \"X-A\" \"v\"\nend 0" },
		{ "IX-A 3\tv\nF\n", "change-header 3 \"X-A\" \"v\"\nend 0" },
		{ "IX-A 99999999999 v\nF\n",
		    "change-header 2147483647 \"X-A\" \"v\"\nend 0" },
		{ "JX-A 2\nF\n", "delete-header 2 \"X-A\"\nend 0" },
		{ "R<a@b>\nF\n", "add-rcpt \"<a@b>\"\nend 0" },
		{ "Sa b\nF\n", "delete-rcpt \"a b\"\nend 0" },
		{ "f%3C%3e\nF\n", "change-from \"<>\"\nend 0" },
		{ "Qwhy%3F\nF\n", "quarantine \"why?\"\nend 0" },
		{ "Mtext/x\nF\n", "content-type \"text/x\"\nend 0" },
		{ "M\nF\n", "content-type \"\"\nend 0" },
		{ "C\nF\n", "replace-body\nend 0" },
		{ "Cjunk\nF\n", "replace-body\nend 0" },
	};

	(void)state;
	CHECK(rows);
}

static void
order_is_that_of_the_file(void **state)
{
	static const struct results_case rows[] = {
		{ "Ra\nHb c\nSd\nF\n",
		    "add-rcpt \"a\"\nadd-header 0 \"b\" \"c\"\n"
		    "delete-rcpt \"d\"\nend 0" },
	};

	(void)state;
	CHECK(rows);
}

static void
lines_that_are_no_change_are_listed_as_such(void **state)
{
	static const struct results_case rows[] = {
		{ "HX-A\nF\n", "incomplete H\nend 0" },
		{ "NX-A 1\nF\n", "incomplete N\nend 0" },
		{ "IX-A\nF\n", "incomplete I\nend 0" },
		{ "JX-A\nF\n", "incomplete J\nend 0" },
		{ "zfoo\n\nF\n", "unknown z\nunknown \nend 0" },
	};

	(void)state;
	CHECK(rows);
}

static void
first_refusal_decides_and_only_quarantine_stays(void **state)
{
	static const struct results_case rows[] = {
		{ "B\n", "end 1   " },
		{ "B550\n", "end 1 550  " },
		{ "B550 5.7.9 go%20away now\n", "end 1 550 5.7.9 go away now" },
		{ "B550  text\n", "end 1 550  text" },
		{ "T451 4.3.0 later\nB\n", "end 2 451 4.3.0 later" },
		{ "D junk\n", "end 3" },
		{ "HX a\nQq\nC\nD\nQlate\nF\n", "quarantine \"q\"\nend 3" },
		{ "Ra\nF\nT\nD\nB\n", "add-rcpt \"a\"\nend 0" },
	};

	(void)state;
	CHECK(rows);
}

static void
file_without_end_is_an_error(void **state)
{
	static const struct results_case rows[] = {
		{ "", "error -3" },
		{ "HX a\n", "error -3" },
		{ "HX a\nHF b", "error -3" },
		{ "\n", "error -3" },
	};
	struct results r = { 0 };
	struct buf b = { 0 };

	(void)state;
	CHECK(rows);
	/* content stops at a NUL */
	assert_string_equal(print(&b, &r, "Ra\n\0F\n", 6), "error -3");
	assert_string_equal(print(&b, &r, "F\n\0Ra\n", 6), "end 0");
	results_fini(&r);
	buf_fini(&b);
}

static void
values_are_made_fit_for_a_header(void **state)
{
	static const struct results_case rows[] = {
		{ "HX a%0D%0A%09b\nF\n",
		    "add-header 0 \"X\" \"a\n\tb\"\nend 0" },
		{ "HX a%0Ab\nF\n", "add-header 0 \"X\" \"a b\"\nend 0" },
		{ "HX a%0A\nF\n", "add-header 0 \"X\" \"a\"\nend 0" },
		{ "HX a%0D%0A%0D%0A%20b\nF\n",
		    "add-header 0 \"X\" \"a \n b\"\nend 0" },
		{ "HX %0A\nF\n", "add-header 0 \"X\" \"\"\nend 0" },
		{ "HX a%00b\nF\n", "add-header 0 \"X\" \"a\"\nend 0" },
		{ "HX a%zz%2\nF\n", "add-header 0 \"X\" \"a%zz%2\"\nend 0" },
		{ "Ma%0D%0A%09b\nF\n", "content-type \"a\n\tb\"\nend 0" },
		{ "NX 1 a%0D\nF\n", "insert-header 1 \"X\" \"a\"\nend 0" },
	};

	(void)state;
	CHECK(rows);
}

static void
line_length_is_limited_before_the_end_only(void **state)
{
	static char text[40000];
	struct results r = { 0 };
	struct buf b = { 0 };

	(void)state;
	memset(text, 'R', 16382);
	memcpy(text + 16382, "\nF\n", 4);
	assert_int_equal(strlen(print(&b, &r, text, 16385)), 16398);
	memset(text, 'R', 16383);
	memcpy(text + 16383, "\nF\n", 4);
	assert_string_equal(print(&b, &r, text, 16386), "error -2");
	assert_int_equal(r.overlong, 16383);
	memcpy(text, "F\n", 2);
	assert_string_equal(print(&b, &r, text, 16386), "end 0");
	results_fini(&r);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_letter_becomes_its_change),
		cmocka_unit_test(order_is_that_of_the_file),
		cmocka_unit_test(lines_that_are_no_change_are_listed_as_such),
		cmocka_unit_test(
		    first_refusal_decides_and_only_quarantine_stays),
		cmocka_unit_test(file_without_end_is_an_error),
		cmocka_unit_test(values_are_made_fit_for_a_header),
		cmocka_unit_test(line_length_is_limited_before_the_end_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
