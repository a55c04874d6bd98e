/* SPDX-License-Identifier: MIT */
/* The end of a message: its scan and what the filter wanted. */
#include "tests/core/gate.h"

#include <sys/stat.h>

/* ---- the end of a message --------------------------------------------------------------- */

/* weakness 13.2.2 */
static void
progress_is_sent_while_a_scan_runs(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_message(&g);
	assert_int_equal(g.wake_in, 5000);
	g.wake_in = MSEC_NEVER;
	message_tick(g.message);
	assert_int_equal(g.wake_in, 5000);
	gate_pump(&g);
	gate_heard(&g, "p\n");
	gate_scanned(&g, "F\n");
	assert_true(g.wake_in == MSEC_NEVER);
	gate_heard(&g, "c\n");
	gate_close(&g);
}

/* weakness 13.3.2, 13.3.17, 13.1.10 */
static void
own_headers_come_after_the_filters_changes(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.scanned_by = "MIMEDefang 3";
	g.opts.validate_header = "X-MIMEDefang-Relay-0f";
	gate_open(&g);
	gate_macros(&g, 'C', "{if_addr}", "192.0.2.7", NULL);
	gate_connect(&g);
	gate_mail(&g, "<a@b>");
	gate_header(&g, "X-MIMEDefang-Relay-0f", "9.8.7.006 more");
	gate_header(&g, "Content-Type", "text/plain");
	gate_header(&g, "x-mimedefang-relay-0F", "forged");
	gate_header(&g, "content-type", "text/html");
	gate_header(&g, "CONTENT-TYPE", "text/x");
	gate_eoh(&g);
	gate_eom(&g);
	assert_string_equal(gate_file(&g, "HEADERS"),
	    "X-MIMEDefang-Relay-0f: 9.8.7.006 more\n"
	    "Content-Type: text/plain\nx-mimedefang-relay-0F: forged\n");
	assert_non_null(strstr(gate_file(&g, "COMMANDS"), "\nJ9.8.7.6\n"));
	gate_scanned(&g, "HX-A b\nF\n");
	gate_heard(&g,
	    "h X-A: b\nh X-Scanned-By: MIMEDefang 3 on 192.0.2.7\n"
	    "m 2 X-MIMEDefang-Relay-0f: \nm 1 X-MIMEDefang-Relay-0f: \n"
	    "m 3 Content-Type: \nm 2 Content-Type: \nc\n");
	gate_log(&g,
	    "W NOQUEUE: WARNING: 3 Content-Type headers found -- deleting all "
	    "but first\n");
	gate_close(&g);
}

static void
time_is_logged_when_asked_for(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.log_time = true;
	gate_ready(&g);
	gate_message(&g);
	gate_scanned(&g, "F\n");
	gate_log(&g, "I NOQUEUE: Filter time is 7ms\n");
	gate_close(&g);
}

/* weakness 13.3.4 (last row) */
static void
refusals_in_results_reach_the_mta(void **state)
{
	static const struct {
		const char *results, *heard, *log;
	} rows[] = {
		{ "B\n", "y 554 5.7.1 Forbidden for policy reasons\n",
		    "D NOQUEUE: Bouncing because filter instructed us to\n" },
		{ "HX-A b\nB550 5.7.9 50%25%20off%0Anow\nF\n",
		    "y 550-5.7.9 50%% off\r\n550 5.7.9 now\n",
		    "D NOQUEUE: Bouncing because filter instructed us to\n" },
		{ "T421 4.7.0 later\n", "y 421 4.7.0 later\n",
		    "D NOQUEUE: Tempfailing because filter instructed us "
		    "to\n" },
		{ "D\n", "d\n",
		    "D NOQUEUE: Discarding because filter instructed us to\n" },
		{ "Qbad\nB\n",
		    "q bad\ny 554 5.7.1 Forbidden for policy reasons\n",
		    "D NOQUEUE: Bouncing because filter instructed us to\n" },
		{ "F\nT\nD\nB\n", "c\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		gate_ready(&g);
		gate_message(&g);
		gate_scanned(&g, rows[i].results);
		gate_heard(&g, rows[i].heard);
		gate_log(&g, rows[i].log);
		assert_null(gate_dir(&g));
		gate_close(&g);
	}
}

/* ---- may the next message get its directory? --------------------------------------------- */

/* Every worker that was asked has answered, and nothing failed. */
static void
directory_waits_after_an_orderly_end(void **state)
{
	static const char *const results[] = { "F\n", "HX-A b\nF\n",
		"B550 5.7.1 no\n", "D\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.spare_dirs = 2;
		gate_ready(&g);
		gate_message(&g);
		gate_scanned(&g, results[i]);
		assert_null(gate_dir(&g));
		assert_int_equal(g.env.spool.spares.n, 1);
		buf_reset(&g.log_buf);
		gate_close(&g);
	}
}

static void
directory_waits_after_an_answer_to_a_check(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.spare_dirs = 2;
	g.opts.check_sender = true;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_answer(&g, "ok 0 no 550 5.7.1 0\n");
	assert_int_equal(g.env.spool.spares.n, 1);
	gate_mail(&g, "<a@b>");
	gate_answer(&g, "ok 1\n");
	assert_int_equal(g.env.spool.spares.n, 0);
	mlt_filter_eof(g.filter);
	gate_pump(&g);
	assert_int_equal(g.env.spool.spares.n, 1);
	gate_close(&g);
}

static void
directory_does_not_wait_after_a_failure(void **state)
{
	static const struct {
		const char *results, *answer;
	} rows[] = {
		{ "F\n", "error: no\n" },
		{ "F\n", "ERR No response from worker\n" },
		{ "F\n", NULL },
		{ "HX-A b\n", "ok\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.spare_dirs = 2;
		gate_ready(&g);
		gate_message(&g);
		gate_put(
		    &g, "RESULTS", rows[i].results, strlen(rows[i].results));
		gate_answer(&g, rows[i].answer);
		assert_int_equal(g.env.spool.spares.n, 0);
		buf_reset(&g.log_buf);
		gate_close(&g);
	}
}

/* The worker of a question that nobody waits for goes on in there. */
static void
directory_does_not_wait_while_a_worker_is_in_it(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.spare_dirs = 2;
	gate_ready(&g);
	gate_message(&g);
	mlt_filter_eof(g.filter);
	gate_pump(&g);
	assert_null(gate_dir(&g));
	assert_int_equal(g.env.spool.spares.n, 0);
	gate_close(&g);
}

/* Nor if it was asked about a recipient, and the message went on. */
static void
directory_does_not_wait_after_a_lost_answer(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.spare_dirs = 2;
	g.opts.check_recipient = true;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_rcpt(&g, "<lost@d>");
	gate_answer(&g, NULL);
	gate_rcpt(&g, "<c@d>");
	gate_answer(&g, "ok 1\n");
	gate_header(&g, "Subject", "hi");
	gate_eoh(&g);
	gate_eom(&g);
	gate_scanned(&g, "F\n");
	gate_heard(&g, "t\nc\nc\n");
	assert_int_equal(g.env.spool.spares.n, 0);
	gate_log(&g, "E NOQUEUE: MXCommand: " GATE_DOWN "\n");
	gate_close(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_is_sent_while_a_scan_runs),
		cmocka_unit_test(own_headers_come_after_the_filters_changes),
		cmocka_unit_test(time_is_logged_when_asked_for),
		cmocka_unit_test(refusals_in_results_reach_the_mta),
		cmocka_unit_test(directory_waits_after_an_orderly_end),
		cmocka_unit_test(directory_waits_after_an_answer_to_a_check),
		cmocka_unit_test(directory_does_not_wait_after_a_failure),
		cmocka_unit_test(
		    directory_does_not_wait_while_a_worker_is_in_it),
		cmocka_unit_test(directory_does_not_wait_after_a_lost_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
