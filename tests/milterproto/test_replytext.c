/* SPDX-License-Identifier: MIT */
/* Own replies: what may leave, and what an MTA may believe.  spec:reply-text */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "milterproto/replytext.h"

#define B(s)                                                                   \
	{                                                                      \
		(s), sizeof(s) - 1                                             \
	}

static void
legal_replies_are_put(void **state)
{
	static const struct {
		struct mlt_reply r;
		const char *text; /* with the final NUL not shown */
	} cases[] = {
		{ { .code = "550", .text = { NULL, 0 } }, "550 " },
		{ { .code = "451", .text = B("later") }, "451 later" },
		{ { .code = "599", .dsn = "5.999.0", .text = B("x") },
		    "599 5.999.0 x" },
		{ { .code = "451", .text = B("50 left") },
		    "451 4.0.0 50 left" },
		{ { .code = "550", .text = B("50%\r\n7f%") },
		    "550-5.0.0 50%%\r\n550 5.0.0 7f%%" },
		{ { .code = "550", .text = B("one\n") }, "550 one" },
		{ { .code = "550", .text = B("a\n\nb") },
		    "550-5.0.0 a\r\n550-5.0.0 \r\n550 5.0.0 b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mlt_reply r = cases[i].r;
		struct mlt_buf *b = NULL;

		r.type = MLT_REPLY_CODE;
		assert_int_equal(mlt_put_code(&b, &r, 65535), 0);
		assert_int_equal(mlt_buf_len(b), 5 + strlen(cases[i].text) + 1);
		assert_string_equal((char *)b->data + 5, cases[i].text);
		/* what we say, we believe */
		assert_true(mlt_code_valid((struct mlt_bytes){
		    (char *)b->data + 5, strlen(cases[i].text) }));
		mlt_buf_free(&b);
	}
}

static void
illegal_replies_are_refused(void **state)
{
	static char many[66] = "\n";
	static const struct mlt_reply cases[] = {
		{ .text = B("no code") },
		{ .code = "250", .text = B("x") },
		{ .code = "x50", .text = B("x") },
		{ .code = "5x0", .text = B("x") },
		{ .code = "55x", .text = B("x") },
		{ .code = "55", .text = B("x") },
		{ .code = "5501", .text = B("x") },
		{ .code = "550", .dsn = "4.7.1", .text = B("x") },
		{ .code = "550", .dsn = "5.7", .text = B("x") },
		{ .code = "550", .dsn = "5.7.", .text = B("x") },
		{ .code = "550", .dsn = "5..1", .text = B("x") },
		{ .code = "550", .dsn = "5.7.1 ", .text = B("x") },
		{ .code = "550", .dsn = "5.1234.1", .text = B("x") },
		{ .code = "550", .text = B("a\rb") },
		{ .code = "550", .text = B("a\177") },
		{ .code = "550", .text = B("a\0b") },
		{ .code = "550", .text = { many, 33 } },
	};
	struct mlt_buf *b = NULL;

	(void)state;
	memset(many, '\n', 65);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (mlt_put_code(&b, &cases[i], 65535) != MLT_E_ARG || b)
			fail_msg("%zu", i);
	}
	assert_int_equal(
	    mlt_put_code(&b,
		&(struct mlt_reply){ .code = "550", .text = { "x", 1 } }, 5),
	    MLT_E_ARG);
	assert_null(b);
}

static void
an_mta_believes_good_ones_only(void **state)
{
	static const struct {
		struct mlt_bytes text;
		bool valid;
	} cases[] = {
		{ B("550 "), true },
		{ B("550 x"), true },
		{ B("550-a\r\n550 b"), true },
		{ B("450 4 left"), true },
		{ B("421 %% off"), true },
		{ B(""), false },
		{ B("550"), false },
		{ B("550x"), false },
		{ B("250 x"), false },
		{ B("5a0 x"), false },
		{ B("55a x"), false },
		{ B("550 x\0y"), false },
		{ B("550 5%"), false },
		{ B("550 5% off"), false },
		{ B("550 4.7.1 x"), false },
		{ B("550-a"), false },
		{ B("550-a\r\n"), false },
		{ B("550-a\n550 b"), false },
		{ B("\n550 b"), false },
		{ B("550-a\r\n\n"), false },
		{ B("550 a\r\n550 b"), false },
		{ B("550-a\r\n551 b"), false },
		{ B("550-a\r\n550"), false },
		{ B("550 a\rb"), false },
		{ B("550-a\r\r\n550 b"), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (mlt_code_valid(cases[i].text) != cases[i].valid)
			fail_msg("%s", cases[i].text.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_replies_are_put),
		cmocka_unit_test(illegal_replies_are_refused),
		cmocka_unit_test(an_mta_believes_good_ones_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
