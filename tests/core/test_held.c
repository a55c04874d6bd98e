/* SPDX-License-Identifier: MIT */
#include "core/frontend/held.h"
#include "tests/support/failmalloc.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
copy_outlives_the_reply(void **state)
{
	char code[] = "550", dsn[] = "5.7.1", text[] = "go\naway";
	const struct mlt_reply r = { MLT_REPLY_CODE, code, dsn, { text, 7 } };
	struct held *h = held_new(MUX_REJECT, &r);

	(void)state;
	memset(code, 'x', 3);
	memset(dsn, 'x', 5);
	memset(text, 'x', 7);
	assert_int_equal(h->verdict, MUX_REJECT);
	assert_int_equal(h->reply.type, MLT_REPLY_CODE);
	assert_string_equal(h->reply.code, "550");
	assert_string_equal(h->reply.dsn, "5.7.1");
	assert_int_equal(h->reply.text.n, 7);
	assert_memory_equal(h->reply.text.p, "go\naway", 7);
	free(h);
}

static void
plain_reply_has_no_words(void **state)
{
	const struct mlt_reply r = { .type = MLT_REPLY_CONTINUE };
	struct held *h = held_new(MUX_CONTINUE, &r);

	(void)state;
	assert_null(h->reply.code);
	assert_null(h->reply.dsn);
	assert_int_equal(h->reply.text.n, 0);
	free(h);
	failmalloc_after(0);
	h = held_new(MUX_CONTINUE, &r);
	failmalloc_off();
	assert_null(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_outlives_the_reply),
		cmocka_unit_test(plain_reply_has_no_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
