/* SPDX-License-Identifier: MIT */
#include "cli/check/eml.h"

#include "tests/support/failmalloc.h"
#include "tests/support/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name|value|name|value|...": LF as $, CR as %, then "||" and the body. */
static const char *
show(const struct eml *e)
{
	static char out[4096];
	size_t n = 0;

	for (size_t i = 0; i < e->n_headers; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s|%.*s|",
		    (int)e->headers[i].name.n, e->headers[i].name.p,
		    (int)e->headers[i].value.n, e->headers[i].value.p);
	n += (size_t)snprintf(
	    out + n, sizeof(out) - n, "|%.*s", (int)e->body.n, e->body.p);
	for (size_t i = 0; i < n; i++)
		out[i] = out[i] == '\n' ? '$' : out[i] == '\r' ? '%' : out[i];
	return out;
}

static void
messages_are_taken_apart(void **state)
{
	static const struct {
		const char *label, *text, *want;
		size_t odd_line;
		bool mbox;
	} cases[] = {
		{ "LF", "A: 1\nB:2\n\nx\ny\n", "A| 1$|B|2$||x$y$", 0, false },
		{ "CRLF", "A: 1\r\nB:2\r\n\r\nx\r\n", "A| 1%$|B|2%$||x%$", 0,
		    false },
		{ "both", "A: 1\r\nB: 2\n\r\nx", "A| 1%$|B| 2$||x", 0, false },
		{ "folded", "A: 1\n\t2\n 3\nB: 4\n\n", "A| 1$\t2$ 3$|B| 4$||",
		    0, false },
		{ "fold of blanks only", "A: 1\n \n\nx", "A| 1$ $||x", 0,
		    false },
		{ "no body", "A: 1\n", "A| 1$||", 0, false },
		{ "no body, no line end", "A: 1", "A| 1||", 0, false },
		{ "empty body", "A: 1\n\n", "A| 1$||", 0, false },
		{ "empty value", "A:\nB:", "A|$|B|||", 0, false },
		{ "no header", "\nx\n", "|x$", 0, false },
		{ "nothing", "", "|", 0, false },
		{ "blanks before the colon", "A \t: 1\n\n", "A \t| 1$||", 0,
		    false },
		{ "colons in the value", "A:b:c\n\n", "A|b:c$||", 0, false },
		{ "a lone CR", "A: 1\r2\n\rx\n", "A| 1%2$||%x$", 2, false },
		{ "no colon", "A: 1\nhello\nB: 2\n\nx", "A| 1$||hello$B: 2$$x",
		    2, false },
		{ "no colon at once", "hello world\n", "|hello world$", 1,
		    false },
		{ "no name", ": 1\n\nx", "|: 1$$x", 1, false },
		{ "blank in the name", "A B: 1\n\nx", "|A B: 1$$x", 1, false },
		{ "fold of nothing", " A: 1\n\nx", "| A: 1$$x", 1, false },
		{ "8 bits in the name", "\xc3\xa4: 1\n", "|\xc3\xa4: 1$", 1,
		    false },
		{ "mbox", "From a@b Sun Nov 22 2026\nA: 1\n\nx", "A| 1$||x", 0,
		    true },
		{ "mbox, CRLF", "From a@b\r\nA: 1\r\n", "A| 1%$||", 0, true },
		{ "mbox and nothing else", "From ", "|", 0, true },
		{ "no mbox", "From: a@b\n", "From| a@b$||", 0, false },
		{ "no mbox either", "From : a@b\n", "From | a@b$||", 0, false },
		{ "mbox line further down", "A: 1\nFrom b\n", "A| 1$||From b$",
		    2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n = strlen(cases[i].text);
		struct eml_error err;
		struct guard text;
		struct eml e;

		print_message("%s\n", cases[i].label);
		guard_copy(&text, cases[i].text, n);
		assert_int_equal(eml_parse(&e, text.p, n, &err), 0);
		assert_string_equal(show(&e), cases[i].want);
		assert_int_equal(e.odd_line, cases[i].odd_line);
		assert_int_equal(e.mbox, cases[i].mbox);
		eml_fini(&e);
		guard_free(&text);
	}
}

static void
nul_in_a_field_is_refused_with_its_line(void **state)
{
	static const char in_value[] = "A: 1\nB: x\0y\n\n",
			  in_fold[] = "A: 1\n 2\n\0003\n 4\n\0\n",
			  in_second_line[] = "A: 1\n \0\n\n",
			  in_body[] = "A: 1\n\nx\0y";
	struct eml_error err;
	struct eml e;

	(void)state;
	assert_int_equal(
	    eml_parse(&e, in_value, sizeof(in_value) - 1, &err), -1);
	assert_int_equal(err.line, 2);
	assert_non_null(strstr(err.why, "NUL"));
	assert_int_equal(
	    eml_parse(&e, in_second_line, sizeof(in_second_line) - 1, &err),
	    -1);
	assert_int_equal(err.line, 2);
	/* no field: the body begins there */
	assert_int_equal(eml_parse(&e, in_fold, sizeof(in_fold) - 1, &err), 0);
	assert_int_equal(e.odd_line, 3);
	eml_fini(&e);
	assert_int_equal(eml_parse(&e, in_body, sizeof(in_body) - 1, &err), 0);
	assert_int_equal(e.body.n, 3);
	assert_memory_equal(e.body.p, "x\0y", 3);
	eml_fini(&e);
}

static void
more_than_100_mb_is_refused(void **state)
{
	char *text = calloc(1, EML_BYTES_MAX + 1);
	struct eml_error err;
	struct eml e;

	(void)state;
	assert_non_null(text);
	text[0] = '\n';
	assert_int_equal(eml_parse(&e, text, EML_BYTES_MAX + 1, &err), -1);
	assert_int_equal(err.line, 1);
	assert_int_equal(eml_parse(&e, text, EML_BYTES_MAX, &err), 0);
	assert_int_equal(e.body.n, EML_BYTES_MAX - 1);
	eml_fini(&e);
	free(text);
}

static void
many_fields_are_all_there(void **state)
{
	static char text[10000 * 5 + 1];
	struct eml_error err;
	struct eml e;

	(void)state;
	for (int i = 0; i < 10000; i++)
		memcpy(text + 5 * i, "A: 1\n", 5);
	assert_int_equal(eml_parse(&e, text, sizeof(text) - 1, &err), 0);
	assert_int_equal(e.n_headers, 10000);
	assert_int_equal(e.headers[9999].name.p - text, 9999 * 5);
	eml_fini(&e);
}

static void
no_memory_is_said(void **state)
{
	struct eml_error err;
	struct eml e;

	(void)state;
	failmalloc_after(0);
	assert_int_equal(eml_parse(&e, "A: 1\n", 5, &err), -1);
	failmalloc_off();
	assert_int_equal(err.line, 0);
	assert_string_equal(err.why, "out of memory");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_taken_apart),
		cmocka_unit_test(nul_in_a_field_is_refused_with_its_line),
		cmocka_unit_test(more_than_100_mb_is_refused),
		cmocka_unit_test(many_fields_are_all_there),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
