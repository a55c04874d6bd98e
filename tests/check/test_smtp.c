/* SPDX-License-Identifier: MIT */
#include "cli/check/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define N(cases) (sizeof(cases) / sizeof(cases[0]))

struct fixture {
	struct buf in;
	struct smtp_reply reply;
};

static int
set_up(void **state)
{
	static struct fixture f;

	buf_init(&f.in, 0);
	smtp_reply_init(&f.reply);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	buf_fini(&f->in);
	smtp_reply_fini(&f->reply);
	return 0;
}

static void
replies_are_taken_one_by_one(void **state)
{
	struct fixture *f = *state;

	buf_adds(&f->in, "250-mx\r\n250 ok\r\n354 go on\r\n");
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), 1);
	assert_int_equal(f->reply.code, 250);
	assert_string_equal(buf_cstr(&f->reply.text), "250-mx\n250 ok");
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), 1);
	assert_int_equal(f->reply.code, 354);
	assert_string_equal(buf_cstr(&f->reply.text), "354 go on");
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), 0);
	assert_int_equal(buf_len(&f->in), 0);
}

static void
a_reply_comes_in_any_pieces(void **state)
{
	static const char text[] = "550-5.7.1 one\r\n550 5.7.1 two\r\n";
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(text) - 2; i++) {
		buf_addc(&f->in, text[i]);
		assert_int_equal(smtp_reply_take(&f->in, &f->reply), 0);
	}
	buf_addc(&f->in, '\n');
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), 1);
	assert_string_equal(
	    buf_cstr(&f->reply.text), "550-5.7.1 one\n550 5.7.1 two");
}

static void
lines_of_two_codes_are_noticed(void **state)
{
	struct fixture *f = *state;

	buf_adds(&f->in, "550-a\r\n450 b\r\n");
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), 1);
	assert_int_equal(f->reply.code, 550);
	assert_true(f->reply.mixed);
}

static void
what_is_no_reply_is_refused(void **state)
{
	static const char *const cases[] = { "HTTP/1.1 400 Bad Request\r\n",
		"\r\n", "25\r\n", "150 early\r\n", "650 late\r\n", "2x0 no\r\n",
		"250_under\r\n", "250-begun\r\nand lost\r\n" };
	struct fixture *f = *state;

	for (size_t i = 0; i < N(cases); i++) {
		buf_reset(&f->in);
		buf_adds(&f->in, cases[i]);
		assert_int_equal(smtp_reply_take(&f->in, &f->reply), -1);
		assert_int_equal(buf_len(&f->in), strlen(cases[i]));
	}
}

static void
a_line_without_end_is_given_up(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i <= SMTP_REPLY_MAX; i++)
		buf_addc(&f->in, '2');
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), -1);
}

static void
a_line_may_be_a_code_alone(void **state)
{
	struct fixture *f = *state;

	buf_adds(&f->in, "250\r\n");
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), 1);
	assert_string_equal(buf_cstr(&f->reply.text), "250");
}

static void
ehlo_keywords_are_words(void **state)
{
	struct fixture *f = *state;

	buf_adds(&f->in, "250-mx\r\n250-SIZE 100\r\n250 8bitmime\r\n");
	assert_int_equal(smtp_reply_take(&f->in, &f->reply), 1);
	assert_true(smtp_reply_has(&f->reply, "size"));
	assert_true(smtp_reply_has(&f->reply, "8BITMIME"));
	assert_false(smtp_reply_has(&f->reply, "SIZ"));
	assert_false(smtp_reply_has(&f->reply, "DSN"));
}

static void
content_is_made_transparent(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", ".\r\n" },
		{ "a\r\n", "a\r\n.\r\n" },
		{ ".\r\n..b\r\nc.d\r\n", "..\r\n...b\r\nc.d\r\n.\r\n" },
		{ "no end", "no end\r\n.\r\n" },
		{ "\r\n", "\r\n.\r\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < N(cases); i++) {
		buf_reset(&f->in);
		smtp_put_content(&f->in, cases[i].text, strlen(cases[i].text));
		assert_string_equal(buf_cstr(&f->in), cases[i].want);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(replies_are_taken_one_by_one),
		T(a_reply_comes_in_any_pieces),
		T(lines_of_two_codes_are_noticed),
		T(what_is_no_reply_is_refused),
		T(a_line_without_end_is_given_up),
		T(a_line_may_be_a_code_alone),
		T(ehlo_keywords_are_words),
		T(content_is_made_transparent),
	};

	return cmocka_run_group_tests_name("smtp", tests, NULL, NULL);
}
