/* SPDX-License-Identifier: MIT */
/* line: the same lines come out however the octets are cut into pieces. */
#include "multiplexor/line.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define MAX 8

struct line_case {
	const char *label, *in, *want; /* each line in <>, cut ones in {}, the
					* rest in [] */
};

static void
add(char *to, size_t max, char open, const struct line_text *t, char close)
{
	size_t n = strlen(to);

	snprintf(to + n, max - n, "%c%.*s%c", open, (int)t->n, t->p, close);
}

/* Feeds pieces of at most `step` octets. */
static void
run(const char *in, size_t step, char *out, size_t max)
{
	size_t all = strlen(in);
	struct line_text t;
	struct line l;
	char piece[64];

	line_init(&l, MAX);
	out[0] = '\0';
	for (size_t at = 0; at < all; at += step) {
		size_t n = all - at < step ? all - at : step;
		char *p = piece;

		memcpy(piece, in + at, n);
		while (line_next(&l, &p, &n, &t) > 0) {
			add(out, max, t.cut ? '{' : '<', &t, t.cut ? '}' : '>');
			t.p[t.n] = '\0'; /* may be written */
		}
	}
	if (line_rest(&l, &t))
		add(out, max, '[', &t, ']');
	assert_false(line_rest(&l, &t));
	line_fini(&l);
}

static void
lines_do_not_depend_on_pieces(void **state)
{
	static const struct line_case cases[] = {
		{ "nothing", "", "" },
		{ "one", "ok\n", "<ok>" },
		{ "empty lines", "\n\n", "<><>" },
		{ "two", "ok 1\nok 2\n", "<ok 1><ok 2>" },
		{ "open end", "ok 1\nok", "<ok 1>[ok]" },
		{ "as long as may be", "12345678\nok\n", "<12345678><ok>" },
		{ "one too long", "123456789\nok\n", "{12345678}<ok>" },
		{ "far too long", "1234567890123456789\n", "{12345678}" },
		{ "too long, open", "1234567890", "[12345678]" },
	};
	char got[100];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step <= 20; step++) {
			run(cases[i].in, step, got, sizeof(got));
			if (strcmp(got, cases[i].want) != 0)
				fail_msg("%s, pieces of %zu: got %s, want %s",
				    cases[i].label, step, got, cases[i].want);
		}
	}
}

static void
a_whole_line_is_lent_from_the_piece(void **state)
{
	char in[] = "ok 1\n", *p = in;
	size_t n = 5;
	struct line_text t;
	struct line l;

	(void)state;
	line_init(&l, MAX);
	assert_int_equal(line_next(&l, &p, &n, &t), 1);
	assert_ptr_equal(t.p, in);
	line_fini(&l);
}

static void
no_memory_loses_the_line_and_says_so(void **state)
{
	char in[] = "half", rest[] = " line\nok\n", *p = in;
	size_t n = 4;
	struct line_text t;
	struct line l;

	(void)state;
	line_init(&l, MAX);
	failmalloc_after(0);
	assert_int_equal(line_next(&l, &p, &n, &t), -1);
	failmalloc_off();
	line_reset(&l);
	p = rest;
	n = 9;
	assert_int_equal(line_next(&l, &p, &n, &t), 1);
	assert_memory_equal(t.p, " line", 5);
	line_fini(&l);
}

static void
reset_forgets_a_part(void **state)
{
	char in[] = "half", rest[] = "ok\n", *p = in;
	size_t n = 4;
	struct line_text t;
	struct line l;

	(void)state;
	line_init(&l, MAX);
	assert_int_equal(line_next(&l, &p, &n, &t), 0);
	line_reset(&l);
	p = rest;
	n = 3;
	assert_int_equal(line_next(&l, &p, &n, &t), 1);
	assert_int_equal(t.n, 2);
	line_fini(&l);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_do_not_depend_on_pieces),
		cmocka_unit_test(a_whole_line_is_lent_from_the_piece),
		cmocka_unit_test(no_memory_loses_the_line_and_says_so),
		cmocka_unit_test(reset_forgets_a_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
