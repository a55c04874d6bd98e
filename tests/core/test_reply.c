/* SPDX-License-Identifier: MIT */
#include "core/frontend/reply.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* "TYPE" or "CODE DSN TEXT", TYPE as on the wire. */
static const char *
print(const struct mlt_reply *r)
{
	static char out[40000];

	if (r->type != MLT_REPLY_CODE)
		snprintf(out, sizeof(out), "%c", "cartdsy"[r->type]);
	else
		snprintf(out, sizeof(out), "%s %s %.*s", r->code, r->dsn,
		    (int)r->text.n, r->text.p);
	return out;
}

static void
answer_becomes_a_reply(void **state)
{
	static const struct {
		const char *answer, *want;
	} rows[] = {
		{ "ok 1\n", "c" },
		{ "ok 1 text 250 2.1.0 0\n", "c" },
		{ "ok 2\n", "a" },
		{ "ok 2 text 250 2.1.0 0\n", "a" },
		{ "ok 3\n", "d" },
		{ "ok 0\n", "r" },
		{ "ok -1\n", "t" },
		{ "ok 0 go%20away 550 5.7.9 0\n", "550 5.7.9 go away" },
		{ "ok -1 wait 421 4.7.0 0\n", "421 4.7.0 wait" },
		{ "ok -1 wait\n", "451 4.3.0 wait" },
		{ "ok 0 no 451 4.7.9 0\n", "554 5.7.1 no" },
		{ "ok -1 no 550 5.7.9 0\n", "451 4.3.0 no" },
		{ "ok 0 no 55 5.7 0\n", "554 5.7.1 no" },
		{ "ok 0 no 5500 5.7.1234 0\n", "554 5.7.1 no" },
		{ "ok 0 no 5x0 5..1 0\n", "554 5.7.1 no" },
		{ "ok 0 no 559 5.123.999 0\n", "559 5.123.999 no" },
		{ "ok 0 no 550 5.7.9.1 0\n", "550 5.7.1 no" },
		{ "ok 0  550 5.7.9 0\n",
		    "550 5.7.9 Forbidden for policy reasons" },
		{ "ok -1  x y 0\n", "451 4.3.0 Please try again later" },
		{ "ok 0 a%01b%7Fc%0Dd%09e x y 0\n", "554 5.7.1 a b c d e" },
		{ "ok 0 50%25 x y 0\n", "554 5.7.1 50%" },
		{ "ok 0 a%0Ab%0A x y 0\n", "554 5.7.1 a\nb" },
		{ "ok 0 %0A x y 0\n",
		    "554 5.7.1 Forbidden for policy reasons" },
		{ "ok 0 a%00b x y 0\n", "554 5.7.1 a b" },
	};
	struct buf room = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mux_answer a;
		struct mlt_reply r;
		char line[200];

		snprintf(line, sizeof(line), "%s", rows[i].answer);
		assert_int_equal(mux_parse_answer(line, strlen(line), &a), 0);
		assert_int_equal(reply_answer(&r, &a, &room), 0);
		assert_string_equal(print(&r), rows[i].want);
	}
	buf_fini(&room);
}

static void
lines_beyond_31_are_joined_to_the_last(void **state)
{
	struct buf room = { 0 };
	struct mlt_reply r;
	char text[80];
	size_t n_lf = 0;

	(void)state;
	for (size_t i = 0; i < 80; i += 2)
		memcpy(text + i, "x\n", 2);
	assert_int_equal(reply_refusal(&r, MLT_REPLY_REJECT, NULL, NULL,
			     (struct mlt_bytes){ text, 80 }, &room),
	    0);
	for (size_t i = 0; i < r.text.n; i++)
		n_lf += r.text.p[i] == '\n';
	assert_int_equal(n_lf, 30);
	assert_int_equal(r.text.n, 79);
	assert_memory_equal(r.text.p + 58, "x\nx x x x x x x x x x", 21);
	buf_fini(&room);
}

static void
line_that_is_too_long_is_cut(void **state)
{
	static char text[3000];
	struct buf room = { 0 };
	struct mlt_reply r;

	(void)state;
	memset(text, 'a', 1500);
	text[1500] = '\n';
	memset(text + 1501, '%', 1499);
	assert_int_equal(reply_refusal(&r, MLT_REPLY_TEMPFAIL, NULL, NULL,
			     (struct mlt_bytes){ text, 3000 }, &room),
	    0);
	assert_int_equal(r.text.n, 980 + 1 + 490);
	buf_fini(&room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_becomes_a_reply),
		cmocka_unit_test(lines_beyond_31_are_joined_to_the_last),
		cmocka_unit_test(line_that_is_too_long_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
