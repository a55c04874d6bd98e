/* SPDX-License-Identifier: MIT */
/*
 * What MIMEDefang's front-end gets wrong in its message logic and this one must
 * not.  The numbers are those of docs/compatibility.md; weaknesses that another
 * test is about already carry theirs there, as a comment.
 */
#include "tests/core/gate.h"

#include <sys/stat.h>

static msec now;

static msec
given_clock(void)
{
	return now;
}

static void
weakness_13_2_3_delay_goes_on_after_the_session(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.check_recipient = true;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_rcpt(&g, "<c@d>");
	gate_answer(&g, "ok 0 no 550 5.1.1 200\n");
	assert_int_equal(g.wake_in, 200000);
	mlt_filter_eof(g.filter);
	gate_pump(&g);
	assert_true(g.wake_in == MSEC_NEVER);
	assert_null(gate_dir(&g));
	gate_heard(&g, "");
	gate_close(&g);
}

static void
weakness_13_3_3_time_is_that_of_the_last_second(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.log_time = true;
	gate_ready(&g);
	g.env.mono_ms = given_clock;
	now = 1000;
	gate_message(&g);
	now = 13340;
	gate_scanned(&g, "F\n");
	gate_log(&g, "I NOQUEUE: Filter time is 12340ms\n");
	gate_close(&g);
}

static void
weakness_13_3_5_k_keeps_some_failures_only(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.keep_failed = true;
		gate_ready(&g);
		gate_message(&g);
		if (i == 0) { /* NEWBODY is missing */
			gate_scanned(&g, "C\nF\n");
		} else if (i == 1) { /* RESULTS cannot be read */
			gate_put_odd(&g, "RESULTS", "INPUTMSG", 0);
			gate_answer(&g, "ok\n");
		} else { /* it has no end */
			gate_scanned(&g, "HX a\n");
		}
		gate_heard(&g, "t\n");
		assert_non_null(strstr(gate_text(&g.log_buf),
		    "W NOQUEUE: Filter failed.  Message kept in "));
		buf_reset(&g.log_buf);
		assert_string_equal(gate_file(&g, "KEPT"), "");
		gate_close(&g);
	}
}

static void
weakness_13_3_6_overlong_line_refuses_for_good_and_half_changed(void **state)
{
	static char text[70000];
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "HX-A b\nH", 8);
	memcpy(text + sizeof(text) - 4, "\nF\n", 4);
	gate_ready(&g);
	gate_message(&g);
	gate_scanned(&g, text);
	gate_heard(&g, "t\n");
	gate_log(&g,
	    "W NOQUEUE: Overlong line in RESULTS file - 69989 chars (max "
	    "65536)\n");
	gate_close(&g);
}

static void
weakness_13_3_7_empty_newbody_leaves_the_old_body(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_message(&g);
	gate_put(&g, "NEWBODY", "", 0);
	gate_scanned(&g, "C\nF\n");
	gate_heard(&g, "b\nc\n");
	gate_close(&g);
}

static void
weakness_13_3_8_file_that_cannot_be_made_is_only_logged(void **state)
{
	static const char *const names[] = { "HEADERS", "INPUTMSG" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct gate g = { .opts = GATE_QUEUE };
		char want[700];

		g.opts.check_sender = true;
		gate_ready(&g);
		gate_mail(&g, "<a@b>");
		gate_put_odd(&g, names[i], NULL, 2);
		snprintf(want, sizeof(want),
		    "W NOQUEUE: Could not open %s/%s/%s: Is a directory\n",
		    g.root, gate_dir(&g), names[i]);
		gate_answer(&g, "ok 1\n");
		gate_header(&g, "Subject", "x");
		gate_eoh(&g);
		gate_eom(&g);
		gate_heard(&g, "c\nt\n");
		gate_log(&g, want);
		assert_null(gate_dir(&g));
		gate_close(&g);
	}
}

static void
weakness_13_3_9_blank_line_of_results_logs_a_nul(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_message(&g);
	gate_scanned(&g, "\nHX-A b\nF\n");
	gate_heard(&g, "h X-A: b\nc\n");
	gate_log(&g, "W NOQUEUE: Unknown command '' in RESULTS file\n");
	gate_close(&g);
}

/* Kept as it is: filters look at the mailer. */
static void
weakness_13_3_15_refused_recipient_is_listed_as_any(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_macros(&g, 'R', "{rcpt_mailer}", "error", "{rcpt_host}", "5.1.1",
	    "{rcpt_addr}", "550 unknown", NULL);
	gate_rcpt(&g, "<c@d>");
	gate_eoh(&g);
	gate_eom(&g);
	assert_non_null(strstr(
	    gate_file(&g, "COMMANDS"), "\nR<c@d> error 5.1.1 550%20unknown\n"));
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

static void
weakness_13_3_18_changes_leave_before_the_file_is_known_complete(void **state)
{
	static const char *const rows[] = { "HX-A b\nR<x@y>\n",
		"HX-A b\nC\nF\n", /* no NEWBODY */
		"HX-A b\nH%3A x\nF\n" /* a name that is none */ };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct gate g = { .opts = GATE_QUEUE };
		const char *heard;

		gate_ready(&g);
		gate_message(&g);
		gate_scanned(&g, rows[i]);
		/* what went out before is void with the verdict */
		heard = gate_text(&g.heard_buf);
		assert_string_equal(heard + strlen(heard) - 2, "t\n");
		if (i == 0)
			assert_string_equal(heard, "t\n");
		assert_null(gate_dir(&g));
		buf_reset(&g.log_buf);
		gate_close(&g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    weakness_13_2_3_delay_goes_on_after_the_session),
		cmocka_unit_test(
		    weakness_13_3_3_time_is_that_of_the_last_second),
		cmocka_unit_test(weakness_13_3_5_k_keeps_some_failures_only),
		cmocka_unit_test(
		    weakness_13_3_6_overlong_line_refuses_for_good_and_half_changed),
		cmocka_unit_test(
		    weakness_13_3_7_empty_newbody_leaves_the_old_body),
		cmocka_unit_test(
		    weakness_13_3_8_file_that_cannot_be_made_is_only_logged),
		cmocka_unit_test(
		    weakness_13_3_9_blank_line_of_results_logs_a_nul),
		cmocka_unit_test(
		    weakness_13_3_15_refused_recipient_is_listed_as_any),
		cmocka_unit_test(
		    weakness_13_3_18_changes_leave_before_the_file_is_known_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
