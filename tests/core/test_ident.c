/* SPDX-License-Identifier: MIT */
#include "core/frontend/ident.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
ident_is_time_and_counter_in_base_60(void **state)
{
	static const struct {
		int64_t wall_s;
		unsigned counter;
		const char *want;
	} rows[] = {
		{ 1700000000, 61, "bamdk11" },
		{ 1700000000, 3600, "bamdk00" },
		{ 0, 0, "0000000" },
		{ 777599999, 3599, "XXXXXXX" },
		{ 777600000, 0, "0000000" },
	};
	char got[IDENT_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ident_make(got, rows[i].wall_s, rows[i].counter);
		assert_string_equal(got, rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ident_is_time_and_counter_in_base_60),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
