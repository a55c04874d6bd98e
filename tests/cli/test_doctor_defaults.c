/* SPDX-License-Identifier: MIT */
/* doctor_defaults: lines of /etc/default/mimedefang. */
#include "cli/doctor_defaults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* All lines, as "NAME|VALUE;". */
static const char *
lines(const char *text)
{
	static char out[500];
	struct default_line l;
	size_t n = 0;

	while (default_next(&text, &l))
		n += (size_t)snprintf(
		    out + n, sizeof(out) - n, "%s|%s;", l.name, l.value);
	out[n] = '\0';
	return out;
}

static void
names_and_values(void **state)
{
	(void)state;
	assert_string_equal(lines(""), "");
	assert_string_equal(lines("A=1\nB_2=x y \r\nC=\n"), "A|1;B_2|x y;C|;");
	assert_string_equal(lines("  A=1\nexport B=2"), "A|1;B|2;");
	assert_string_equal(lines("A==\nB=a=b\n"), "A|=;B|a=b;");
}

static void
quotes_are_taken_away(void **state)
{
	(void)state;
	assert_string_equal(
	    lines("A=\"x  y \"\nB='a\"b' # c\nC=\"a\\\"b\\\\\"\n"),
	    "A|x  y ;B|a\"b;C|a\"b\\;");
	assert_string_equal(lines("A=\"open\nB=1\n"), "A|open;B|1;");
}

static void
comments_and_other_lines_are_passed_over(void **state)
{
	(void)state;
	assert_string_equal(
	    lines("# A=1\n\n;B=2\n1C=3\nD E=4\nif true\nF=5 # six\nG=a#b\n"),
	    "F|5;G|a#b;");
}

static void
what_is_too_long_is_passed_over(void **state)
{
	char text[3000];

	(void)state;
	memset(text, 'A', sizeof(text));
	text[64] = '=';
	strcpy(text + 100, "\nB=1\n");
	assert_string_equal(lines(text), "B|1;");
	memset(text, 'A', sizeof(text));
	text[1] = '=';
	strcpy(text + 2000, "\nB=1\n");
	assert_string_equal(lines(text), "B|1;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values),
		cmocka_unit_test(quotes_are_taken_away),
		cmocka_unit_test(comments_and_other_lines_are_passed_over),
		cmocka_unit_test(what_is_too_long_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
