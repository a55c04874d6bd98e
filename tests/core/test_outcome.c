/* SPDX-License-Identifier: MIT */
#include "core/frontend/outcome.h"
#include "tests/core/gate.h"
#include "tests/support/failmalloc.h"

/* weakness 13.1.8 */
static void
results_that_are_no_plain_file_are_a_tempfail(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct gate g = { .opts = { .queue_connections = true } };
		const char *error;
		char want[200];

		gate_open(&g);
		gate_connect(&g);
		gate_message(&g);
		error = gate_put_odd(&g, "RESULTS", "INPUTMSG", i);
		gate_answer(&g, "ok\n");
		gate_heard(&g, "t\n");
		snprintf(want, sizeof(want),
		    "W NOQUEUE: Error reading RESULTS file: %s\n", error);
		gate_log(&g, want);
		assert_null(gate_dir(&g));
		gate_close(&g);
	}
}

static void
each_missing_allocation_is_a_failure(void **state)
{
	static const char text[] = "HX-A b\nB550 5.7.9 no\n";

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct gate g = { .opts = { .queue_connections = true } };
		struct outcome_room room = { 0 };
		struct mlt_reply r;

		gate_open(&g);
		gate_connect(&g);
		gate_message(&g);
		gate_put(&g, "RESULTS", text, sizeof(text) - 1);
		struct mail m = { .dir.w.fd = openat(g.env.spool.fd,
				      gate_dir(&g), O_DIRECTORY) };
		const struct apply_to to = { .session = g.filter,
			.mail = &m,
			.spool_path = g.root,
			.ctx = "Q",
			.scanned_by = "",
			.my_ip = "",
			.limits = &g.opts.limits };

		buf_space(&g.log_buf, 1000);
		failmalloc_once(i);
		assert_int_equal(outcome_obey(&to, &room, &r), -1);
		failmalloc_off();
		assert_int_not_equal(buf_len(&g.log_buf), 0);
		buf_reset(&g.log_buf);
		outcome_room_fini(&room);
		close(m.dir.w.fd);
		gate_close(&g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_that_are_no_plain_file_are_a_tempfail),
		cmocka_unit_test(each_missing_allocation_is_a_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
