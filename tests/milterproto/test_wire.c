/* SPDX-License-Identifier: MIT */
/* Buffers and frames; what vectors and fuzzing do not reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "milterproto/state.h"

static void
buf_gives_its_memory_back_when_empty(void **state)
{
	struct mlt_buf *b = NULL;

	(void)state;
	assert_int_equal(mlt_buf_add(&b, "abc", 3), 0);
	mlt_buf_take(&b, 2);
	assert_int_equal(mlt_buf_len(b), 1);
	assert_memory_equal(b->data + b->off, "c", 1);
	mlt_buf_take(&b, 1);
	assert_null(b);
	assert_int_equal(mlt_buf_add(&b, "", 0), 0);
	assert_null(b);
}

static void
buf_reuses_its_front(void **state)
{
	struct mlt_buf *b = NULL;
	char big[52];
	uint32_t cap;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(mlt_buf_add(&b, big, sizeof(big)), 0);
	cap = b->cap;
	mlt_buf_take(&b, 50);
	assert_int_equal(mlt_buf_add(&b, "0123456789", 10), 0);
	assert_int_equal(b->cap, cap);
	assert_int_equal(mlt_buf_len(b), 12);
	assert_memory_equal(b->data + b->off, "xx0123456789", 12);
	mlt_buf_free(&b);
}

static void
buf_refuses_absurd_sizes(void **state)
{
	struct mlt_buf *b = NULL;

	(void)state;
	assert_null(mlt_buf_room(&b, UINT32_MAX));
	assert_null(mlt_put_frame(&b, 'B', UINT32_MAX / 2));
	assert_null(b);
}

static void
input_borrows_until_drained(void **state)
{
	static const char two[] = "\0\0\0\1A\0\0\0\1Q";
	struct mlt_input in = { 0 };
	struct mlt_frame f;

	(void)state;
	assert_int_equal(mlt_input_feed(&in, two, 10), 0);
	assert_int_equal(mlt_input_frame(&in, 9, mlt_command_index, &f), 1);
	assert_ptr_equal(f.p, two + 5); /* no copy */
	assert_int_equal(mlt_input_feed(&in, two, 10), MLT_E_STATE);
	/* not consumed: given again */
	assert_int_equal(mlt_input_frame(&in, 9, mlt_command_index, &f), 1);
	assert_int_equal(f.cmd, 'A');
	mlt_input_consume(&in, &f);
	assert_int_equal(mlt_input_frame(&in, 9, mlt_command_index, &f), 1);
	assert_int_equal(f.cmd, 'Q');
	mlt_input_consume(&in, &f);
	assert_int_equal(mlt_input_frame(&in, 9, mlt_command_index, &f), 0);
	assert_int_equal(mlt_input_keep(&in), 0);
	assert_null(in.keep);
}

/* Only the frame that was cut is copied, not what comes behind it. */
static void
input_copies_cut_frames_only(void **state)
{
	static const char first[] = "\0\0\0\3Lab", second[] = "\0\0\0\1N";
	struct mlt_input in = { 0 };
	struct mlt_frame f;
	char rest[6];

	(void)state;
	assert_int_equal(mlt_input_feed(&in, first, 6), 0);
	assert_int_equal(mlt_input_frame(&in, 9, mlt_command_index, &f), 0);
	assert_int_equal(mlt_input_keep(&in), 0);
	assert_int_equal(mlt_buf_len(in.keep), 6);
	memcpy(rest, first + 6, 1);
	memcpy(rest + 1, second, 5);
	assert_int_equal(mlt_input_feed(&in, rest, 6), 0);
	assert_int_equal(mlt_input_frame(&in, 9, mlt_command_index, &f), 1);
	assert_memory_equal(f.p, "ab", 2);
	mlt_input_consume(&in, &f);
	assert_int_equal(mlt_input_frame(&in, 9, mlt_command_index, &f), 1);
	assert_ptr_equal(f.p, rest + 6);
	assert_null(in.keep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_gives_its_memory_back_when_empty),
		cmocka_unit_test(buf_reuses_its_front),
		cmocka_unit_test(buf_refuses_absurd_sizes),
		cmocka_unit_test(input_borrows_until_drained),
		cmocka_unit_test(input_copies_cut_frames_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
