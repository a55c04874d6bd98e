/* SPDX-License-Identifier: MIT */
/* The ways of a message, and what happens around it. */
#include "tests/core/gate.h"

#include <sys/stat.h>

/* ---- the ways of a message -------------------------------------------------- */

static void
message_without_checks_costs_one_reply(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_open(&g);
	gate_connect(&g);
	gate_helo(&g, "h");
	gate_macros(&g, 'M', "i", "QID1", NULL);
	gate_message(&g);
	gate_heard(&g, "");
	assert_string_equal(gate_dir(&g), "mdefang-QID1");
	assert_string_equal(gate_file(&g, "INPUTMSG"), "Subject: hi\n\nx\n");
	assert_string_equal(gate_file(&g, "HEADERS"), "Subject: hi\n");
	assert_string_equal(gate_file(&g, "COMMANDS"),
	    "ibamdk00\nS<a@b>\n=i QID1\n=client_port 4321\nQQID1\n"
	    "H[1.2.3.4]\nI1.2.3.4\nEh\nR<c@d> ? ? ?\nUhi\nF\n");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	assert_null(gate_dir(&g));
	gate_close(&g);
}

static void
scan_request_names_queue_id_and_directory(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char want[200];

	(void)state;
	gate_ready(&g);
	gate_macros(&g, 'M', "i", "QID1", NULL);
	gate_message(&g);
	snprintf(want, sizeof(want), "scan QID1 %s/mdefang-QID1", g.root);
	assert_string_equal(g.asked, want);
	gate_scanned(&g, "F\n");
	gate_close(&g);
}

/* weakness 13.2.5, 13.2.6 */
static void
nothing_is_on_disk_before_the_end(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_rcpt(&g, "<c@d>");
	gate_header(&g, "Subject", "hi");
	gate_eoh(&g);
	gate_body(&g, B("x\r\n"));
	assert_null(gate_dir(&g));
	gate_eom(&g);
	assert_string_equal(gate_dir(&g), "mdefang-bamdk00");
	gate_scanned(&g, "F\n");
	gate_close(&g);
}

static void
large_message_goes_to_disk_while_it_arrives(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char chunk[3000];

	(void)state;
	g.opts.limits.memory_bytes = 4096;
	memset(chunk, 'x', sizeof(chunk));
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_header(&g, "Subject", "hi");
	gate_eoh(&g);
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	assert_null(gate_dir(&g));
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	assert_int_equal(strlen(gate_file(&g, "INPUTMSG")), 13 + 6000);
	gate_body(&g, B("end\r\n"));
	gate_eom(&g);
	assert_int_equal(strlen(gate_file(&g, "INPUTMSG")), 13 + 6004);
	assert_string_equal(gate_file(&g, "INPUTMSG") + 13 + 5999, "xend\n");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

/* weakness 13.3.1 */
static void
second_message_of_a_connection_starts_without_queue_id(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_macros(&g, 'R', "i", "OLD", NULL);
	gate_rcpt(&g, "<c@d>");
	gate_eoh(&g);
	gate_eom(&g);
	assert_string_equal(gate_dir(&g), "mdefang-bamdk00");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");

	gate_mail(&g, "<e@f>");
	gate_rcpt(&g, "<g@h>");
	gate_macros(&g, 'N', "i", "NEW", NULL);
	gate_eoh(&g);
	gate_eom(&g);
	assert_string_equal(gate_dir(&g), "mdefang-bamdk01");
	assert_string_equal(gate_file(&g, "COMMANDS"),
	    "ibamdk01\nS<e@f>\n=client_port 4321\nH[1.2.3.4]\nI1.2.3.4\n"
	    "R<g@h> ? ? ?\nQNEW\nF\n");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

static void
queue_id_of_a_recipient_is_written_at_once(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.check_recipient = true;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_macros(&g, 'R', "i", "Q7", "{rcpt_mailer}", "local", "{rcpt_host}",
	    "", "{rcpt_addr}", "c d", NULL);
	gate_rcpt(&g, "<c@d>", "NOTIFY=NEVER");
	assert_string_equal(gate_file(&g, "COMMANDS"),
	    "ibamdk00\nS<a@b>\n=client_port 4321\nH[1.2.3.4]\nI1.2.3.4\nQQ7\n");
	gate_answer(&g, "ok 1\n");
	gate_eoh(&g);
	gate_eom(&g);
	assert_string_equal(gate_file(&g, "COMMANDS"),
	    "ibamdk00\nS<a@b>\n=client_port 4321\nH[1.2.3.4]\nI1.2.3.4\nQQ7\n"
	    "R<c@d> local ? c%20d\nrNOTIFY=NEVER\nF\n");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\nc\n");
	gate_close(&g);
}

/* weakness 13.1.6 */
static void
queue_id_that_is_no_file_name_names_no_directory(void **state)
{
	static const char *const ids[] = { "../x", ".x", "a b", "a\x01",
		("01234567890123456789012345678901234567890123456789"
		 "012345678901234") /* 65 octets */ };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		gate_ready(&g);
		gate_macros(&g, 'M', "i", ids[i], NULL);
		gate_message(&g);
		assert_string_equal(gate_dir(&g), "mdefang-bamdk00");
		gate_scanned(&g, "F\n");
		gate_close(&g);
	}
}

/* weakness 13.1.9 */
static void
taken_directory_name_gives_another_one(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char path[200];

	(void)state;
	gate_ready(&g);
	snprintf(path, sizeof(path), "%s/mdefang-QID1", g.root);
	assert_int_equal(mkdir(path, 0700), 0);
	gate_macros(&g, 'M', "i", "QID1", NULL);
	gate_message(&g);
	assert_int_equal(rmdir(path), 0);
	assert_string_equal(gate_dir(&g), "mdefang-bamdk00");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

/* ---- other MTAs ------------------------------------------------------- */

static void
old_mta_gets_an_answer_to_each_step(void **state)
{
	struct gate g = { .opts = GATE_QUEUE, .offer = { 2, 0x3f, 0x7f, 0 } };

	(void)state;
	gate_open(&g);
	gate_connect(&g);
	gate_helo(&g, "h");
	gate_message(&g);
	gate_heard(&g, "c\nc\nc\nc\nc\nc\nc\n");
	gate_scanned(&g, "HX-A b\nF\n");
	gate_heard(&g, "h X-A: b\nc\n");
	gate_close(&g);
}

static void
next_client_of_a_connection_is_a_new_one(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_helo(&g, "h");
	gate_macros(&g, 'M', "i", "Q1", NULL);
	gate_mail(&g, "<a@b>");
	assert_true(mlt_mta_quit(g.mta, true) > 0);
	gate_pump(&g);
	gate_connect_as(&g, "", 'U', 0, NULL);
	gate_message(&g);
	assert_string_equal(gate_file(&g, "COMMANDS"),
	    "ibamdk01\nS<a@b>\n=client_port 0\nH\nI\nR<c@d> ? ? ?\nUhi\n"
	    "F\n");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

/* ---- ends that come early ----------------------------------------------------------------- */

static void
abort_at_each_step_leaves_nothing(void **state)
{
	(void)state;
	for (int steps = 1; steps <= 6; steps++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.check_recipient = g.opts.check_sender = true;
		gate_ready(&g);
		for (int s = 1; s <= steps; s++) {
			if (s == 1)
				gate_mail(&g, "<a@b>");
			else if (s == 2)
				gate_rcpt(&g, "<c@d>");
			else if (s == 3)
				gate_header(&g, "Subject", "x");
			else if (s == 4)
				gate_eoh(&g);
			else if (s == 5)
				gate_body(&g, B("x"));
			else
				gate_eom(&g);
			if (*g.asked && s < steps)
				gate_answer(&g, "ok 1\n");
		}
		assert_non_null(gate_dir(&g));
		mlt_filter_eof(g.filter);
		gate_pump(&g);
		assert_null(gate_dir(&g));
		assert_string_equal(g.asked, "");
		assert_true(g.wake_in == MSEC_NEVER);
		gate_close(&g);
	}
}

static void
aborted_message_is_followed_by_a_good_one(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_header(&g, "Subject", "one");
	assert_true(mlt_mta_abort(g.mta) > 0);
	gate_pump(&g);
	gate_message(&g);
	assert_string_equal(gate_file(&g, "INPUTMSG"), "Subject: hi\n\nx\n");
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

static void
free_while_a_question_is_open_cleans_up(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_message(&g);
	message_free(g.message);
	g.message = NULL;
	assert_null(gate_dir(&g));
	assert_string_equal(g.asked, "");
	gate_close(&g);
}

static void
giving_up_tempfails_what_is_open(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	gate_message(&g);
	message_give_up(g.message);
	gate_pump(&g);
	gate_heard(&g, "t\n");
	assert_null(gate_dir(&g));
	gate_close(&g);
}

static void
options_keep_directories(void **state)
{
	char want[300];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.keep_dirs = i == 0;
		gate_ready(&g);
		if (i == 1) {
			snprintf(want, sizeof(want),
			    "%s/DO-NOT-DELETE-WORK-DIRS", g.root);
			assert_int_equal(mkdir(want, 0700), 0);
		}
		gate_message(&g);
		gate_scanned(&g, "F\n");
		gate_heard(&g, "c\n");
		if (i == 0)
			snprintf(want, sizeof(want),
			    "I NOQUEUE: Not cleaning up %s/mdefang-bamdk00 "
			    "because of command-line `-d' flag\n",
			    g.root);
		else
			snprintf(want, sizeof(want),
			    "I NOQUEUE: Not cleaning up %s/mdefang-bamdk00 "
			    "because of %s/DO-NOT-DELETE-WORK-DIRS\n",
			    g.root, g.root);
		gate_log(&g, want);
		assert_non_null(gate_dir(&g));
		gate_close(&g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_without_checks_costs_one_reply),
		cmocka_unit_test(scan_request_names_queue_id_and_directory),
		cmocka_unit_test(nothing_is_on_disk_before_the_end),
		cmocka_unit_test(large_message_goes_to_disk_while_it_arrives),
		cmocka_unit_test(
		    second_message_of_a_connection_starts_without_queue_id),
		cmocka_unit_test(queue_id_of_a_recipient_is_written_at_once),
		cmocka_unit_test(
		    queue_id_that_is_no_file_name_names_no_directory),
		cmocka_unit_test(taken_directory_name_gives_another_one),
		cmocka_unit_test(old_mta_gets_an_answer_to_each_step),
		cmocka_unit_test(next_client_of_a_connection_is_a_new_one),
		cmocka_unit_test(abort_at_each_step_leaves_nothing),
		cmocka_unit_test(aborted_message_is_followed_by_a_good_one),
		cmocka_unit_test(free_while_a_question_is_open_cleans_up),
		cmocka_unit_test(giving_up_tempfails_what_is_open),
		cmocka_unit_test(options_keep_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
