/* SPDX-License-Identifier: MIT */
/* buf: growth, taking from the front, and the failure that sticks. */
#include "core/base/buf.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
empty_buf_has_no_content_and_no_memory(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_len(&b), 0);
	assert_string_equal(buf_data(&b), "");
	assert_null(b.p);
	assert_string_equal(buf_cstr(&b), "");
	buf_fini(&b);
	assert_null(b.p);
}

static void
pieces_add_up_to_a_line(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_adds(&b, "scan"), 0);
	assert_int_equal(buf_addc(&b, ' '), 0);
	assert_int_equal(buf_add(&b, "a\0b", 3), 0);
	assert_int_equal(buf_addf(&b, " %s=%d", "n", 42), 0);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_int_equal(buf_len(&b), 13);
	assert_memory_equal(buf_cstr(&b), "scan a\0b n=42", 14);
	buf_fini(&b);
}

static void
addf_grows_when_text_is_longer_than_room(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (int width = 1; width < 300; width++) {
		buf_reset(&b);
		assert_int_equal(buf_addf(&b, "%*d|", width, 7), 0);
		assert_int_equal(buf_len(&b), (size_t)width + 1);
		assert_memory_equal(buf_data(&b) + width - 1, "7|", 2);
	}
	buf_fini(&b);
}

static void
content_survives_taking_and_adding(void **state)
{
	struct buf b;
	unsigned char in = 0, out = 0;

	(void)state;
	buf_init(&b, 0);
	for (size_t round = 0; round < 500; round++) {
		for (size_t i = 0; i < 37; i++)
			assert_int_equal(buf_addc(&b, (char)in++), 0);
		for (size_t i = 0; i < 36; i++) {
			assert_int_equal((unsigned char)*buf_data(&b), out++);
			buf_take(&b, 1);
		}
	}
	assert_int_equal(buf_len(&b), 500);
	/* moved to the front instead of growing without end */
	assert_true(b.cap <= 2048);
	buf_take(&b, 500);
	assert_int_equal(b.off, 0);
	buf_fini(&b);
}

static void
cut_keeps_what_is_in_front(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "0123456789");
	buf_take(&b, 2);
	buf_cut(&b, 3);
	assert_string_equal(buf_cstr(&b), "234");
	buf_fini(&b);
}

static void
space_is_filled_by_the_caller(void **state)
{
	struct buf b;
	char *p;

	(void)state;
	buf_init(&b, 0);
	p = buf_space(&b, 100);
	assert_non_null(p);
	memcpy(p, "abc", 3);
	buf_added(&b, 3);
	assert_string_equal(buf_cstr(&b), "abc");
	buf_fini(&b);
}

static void
going_beyond_max_fails_until_reset(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_adds(&b, "12345678"), 0);
	assert_int_equal(buf_addc(&b, '9'), -1);
	assert_true(b.failed);
	assert_null(buf_cstr(&b));
	buf_take(&b, 4);
	assert_int_equal(buf_addc(&b, '9'), -1); /* it sticks */
	assert_memory_equal(buf_data(&b), "5678", 4);
	buf_reset(&b);
	assert_int_equal(buf_addf(&b, "%d", 123456789), -1);
	buf_reset(&b);
	assert_int_equal(buf_addf(&b, "%d", 12345678), 0);
	assert_string_equal(buf_cstr(&b), "12345678"); /* NUL needs no max */
	assert_null(buf_space(&b, SIZE_MAX));
	assert_int_equal(b.max, 8);
	buf_fini(&b);
	assert_false(b.failed);
}

static void
no_memory_leaves_the_content(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	failmalloc_after(0);
	assert_int_equal(buf_adds(&b, "x"), -1);
	assert_null(buf_cstr(&b));
	failmalloc_off();
	buf_reset(&b);
	assert_int_equal(buf_adds(&b, "kept"), 0);
	failmalloc_after(0);
	assert_int_equal(buf_addf(&b, "%1000d", 1), -1);
	failmalloc_off();
	assert_int_equal(buf_len(&b), 4);
	assert_memory_equal(buf_data(&b), "kept", 4);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_buf_has_no_content_and_no_memory),
		cmocka_unit_test(pieces_add_up_to_a_line),
		cmocka_unit_test(addf_grows_when_text_is_longer_than_room),
		cmocka_unit_test(content_survives_taking_and_adding),
		cmocka_unit_test(cut_keeps_what_is_in_front),
		cmocka_unit_test(space_is_filled_by_the_caller),
		cmocka_unit_test(going_beyond_max_fails_until_reset),
		cmocka_unit_test(no_memory_leaves_the_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
