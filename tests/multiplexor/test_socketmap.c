/* SPDX-License-Identifier: MIT */
/* socketmap: netstrings, and what stands in them. */
#include "multiplexor/socketmap.h"
#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
netstrings_are_found_when_they_are_whole(void **state)
{
	static const char text[] = "10:mysock a@b,0:,";
	struct netstring s;

	(void)state;
	for (size_t n = 0; n < 14; n++)
		assert_int_equal(netstring_next(text, n, &s), 0);
	assert_int_equal(netstring_next(text, 14, &s), 1);
	assert_int_equal(s.n, 10);
	assert_memory_equal(s.p, "mysock a@b", 10);
	assert_int_equal(s.used, 14);
	assert_false(s.unterminated);
	assert_int_equal(netstring_next(text + 14, 3, &s), 1);
	assert_int_equal(s.n, 0);
	assert_int_equal(s.used, 3);
}

static void
lengths_are_decimal_and_not_too_large(void **state)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "-1:", -1 }, { ":", -1 }, { " 1:a,", -1 }, { "1 :a,", -1 },
		{ "x", -1 }, { "65536:", 0 }, { "65537", -1 },
		{ "000000000000001", 0 }, { "000000000000001:a,", 1 },
		{ "0000000000000001", -1 }, { "99999999999999999999", -1 },
		{ "1:ab", 1 }, /* unterminated */
	};
	struct netstring s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (netstring_next(rows[i].text, strlen(rows[i].text), &s) !=
		    rows[i].want)
			fail_msg("\"%s\": not %d", rows[i].text, rows[i].want);
	assert_true(s.unterminated);
	assert_int_equal(s.used, 4);
}

static void
the_longest_has_65536_octets(void **state)
{
	char *text = calloc(1, 65536 + 7);
	struct netstring s;
	struct buf b = { 0 };

	(void)state;
	memcpy(text, "65536:", 6);
	text[6 + 65536] = ',';
	assert_int_equal(netstring_next(text, 65536 + 7, &s), 1);
	assert_int_equal(s.n, 65536);
	assert_int_equal(netstring_add(&b, s.p, s.n), 0);
	assert_int_equal(buf_len(&b), 65536 + 7);
	assert_memory_equal(buf_data(&b), text, 65536 + 7);
	buf_fini(&b);
	free(text);
}

/* The line, or the number as text. */
static const char *
line_of(const char *p, size_t n)
{
	static char text[200];
	struct buf b = { 0 };
	int rc = socketmap_line(&b, p, n);

	if (rc < 0)
		snprintf(text, sizeof(text), "%d", rc);
	else
		snprintf(text, sizeof(text), "%s", buf_cstr(&b));
	buf_fini(&b);
	return text;
}

static void
a_request_is_a_name_and_a_key(void **state)
{
	(void)state;
	assert_string_equal(line_of("mysock a@b", 10), "map mysock a@b");
	assert_string_equal(line_of("m a b  c", 8), "map m a%20b%20%20c");
	assert_string_equal(line_of("m\n a\r\n%", 7), "map m%0A a%0D%0A%25");
	assert_string_equal(line_of("m a\0b", 5), "map m a");
	assert_string_equal(line_of("m ", 2), "map m ");
	assert_string_equal(line_of("m", 1), "-2");
	assert_string_equal(line_of("m\0 a", 4), "-2");
	assert_string_equal(line_of(" a", 2), "-2");
	assert_string_equal(line_of("", 0), "-2");
	failmalloc_after(0);
	line_of("m a", 3);
	failmalloc_off();
	assert_string_equal(line_of("m a", 3), "map m a");
}

static const char *
answer_to(const char *text)
{
	static char copy[200], out[200];
	size_t n = strlen(text);
	const char *p;

	strcpy(copy, text);
	p = socketmap_answer(copy, &n);
	snprintf(out, sizeof(out), "%.*s", (int)n, p);
	return out;
}

static void
answers_are_decoded_and_errors_are_of_a_map(void **state)
{
	static const char *const rows[][2] = {
		{ "OK val%20a@b\n", "OK val a@b" },
		{ "NOTFOUND\n", "NOTFOUND" },
		{ "cut", "cut" },
		{ "\n", "" },
		{ "error: No free workers\n", "TEMP No free workers" },
		{ "error: Unable to activate worker\n",
		    "TEMP Unable to activate worker" },
		{ "error: Error talking to worker process\n",
		    "TEMP Error talking to worker process" },
		{ "ERR Filter timed out - check filter rules or system load\n",
		    "TEMP Busy timeout on worker" },
		{ "ERR No response from worker\n",
		    "TEMP Busy timeout on worker" },
		{ "error: Out of memory\n", "TEMP Out of memory" },
		{ "error: Unknown command\n", "error: Unknown command" },
	};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(answer_to(rows[i][0]), rows[i][1]);
	assert_null(socketmap_answer(NULL, &n));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(netstrings_are_found_when_they_are_whole),
		cmocka_unit_test(lengths_are_decimal_and_not_too_large),
		cmocka_unit_test(the_longest_has_65536_octets),
		cmocka_unit_test(a_request_is_a_name_and_a_key),
		cmocka_unit_test(answers_are_decoded_and_errors_are_of_a_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
