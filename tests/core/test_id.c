/* SPDX-License-Identifier: MIT */
/* id: an id finds its object as long as it lives, and nothing afterwards. */
#include "core/base/id.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
id_finds_its_object(void **state)
{
	struct id_table t;
	int obj[100];
	uint64_t id[100];

	(void)state;
	id_init(&t);
	for (size_t i = 0; i < 100; i++) {
		id[i] = id_new(&t, &obj[i]);
		assert_true(id[i] != 0);
	}
	assert_int_equal(t.used, 100);
	for (size_t i = 0; i < 100; i++)
		assert_ptr_equal(id_get(&t, id[i]), &obj[i]);
	id_fini(&t);
	assert_int_equal(t.used, 0);
}

static void
dropped_id_finds_nothing_even_when_the_slot_is_used_again(void **state)
{
	struct id_table t;
	int a, b;
	uint64_t first, second;

	(void)state;
	id_init(&t);
	first = id_new(&t, &a);
	id_drop(&t, first);
	assert_null(id_get(&t, first));
	assert_int_equal(t.used, 0);
	second = id_new(&t, &b);
	assert_int_equal(t.n, 1); /* the same slot */
	assert_true(second != first);
	assert_null(id_get(&t, first));
	id_drop(&t, first); /* must not hit b */
	assert_ptr_equal(id_get(&t, second), &b);
	id_fini(&t);
}

static void
numbers_that_were_never_given_out_find_nothing(void **state)
{
	static const uint64_t wrong[] = { 0, 2, 17, UINT32_MAX, UINT64_MAX,
		(uint64_t)1 << 32, ((uint64_t)1 << 32) + 1 };
	struct id_table t;
	int a;

	(void)state;
	id_init(&t);
	assert_null(id_get(&t, 1)); /* empty table */
	assert_int_equal(id_new(&t, &a), 1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(id_get(&t, wrong[i]));
		id_drop(&t, wrong[i]);
	}
	assert_ptr_equal(id_get(&t, 1), &a);
	id_fini(&t);
}

static void
all_objects_are_met_once(void **state)
{
	struct id_table t;
	int obj[3];
	uint64_t id[3];
	uint32_t at = 0;

	(void)state;
	id_init(&t);
	assert_null(id_any(&t, &at));
	for (size_t i = 0; i < 3; i++)
		id[i] = id_new(&t, &obj[i]);
	id_drop(&t, id[1]);
	assert_ptr_equal(id_any(&t, &at), &obj[0]);
	id_drop(&t, id[0]);
	assert_ptr_equal(id_any(&t, &at), &obj[2]);
	assert_null(id_any(&t, &at));
	id_fini(&t);
}

static void
no_memory_is_zero_and_the_table_stays(void **state)
{
	struct id_table t;
	int a;

	(void)state;
	id_init(&t);
	for (int i = 0; i < 16; i++)
		assert_true(id_new(&t, &a) != 0);
	failmalloc_after(0);
	assert_true(id_new(&t, &a) == 0);
	failmalloc_off();
	assert_int_equal(t.used, 16);
	assert_ptr_equal(id_get(&t, 16), &a);
	assert_true(id_new(&t, &a) != 0);
	id_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(id_finds_its_object),
		cmocka_unit_test(
		    dropped_id_finds_nothing_even_when_the_slot_is_used_again),
		cmocka_unit_test(
		    numbers_that_were_never_given_out_find_nothing),
		cmocka_unit_test(all_objects_are_met_once),
		cmocka_unit_test(no_memory_is_zero_and_the_table_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
