/* SPDX-License-Identifier: MIT */
#include "tests/core/gate.h"
#include "tests/support/failmalloc.h"

#include <signal.h>
#include <sys/resource.h>
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

/* ---- connect and HELO ----------------------------------------------------------- */

/* weakness 13.3.16 */
static void
free_workers_decide_about_a_connection(void **state)
{
	static const struct {
		long reserve;
		const char *addr, *answer, *heard, *log;
	} rows[] = {
		{ -1, "1.2.3.4", "1\n", "c\n", "" },
		{ -1, "1.2.3.4", "0\n", "t\n",
		    "W mfconnect: No free workers: Need 1, found 0\n" },
		{ -1, "127.0.0.1", "0\n", "t\n",
		    "W mfconnect: No free workers: Need 1, found 0\n" },
		{ 0, "1.2.3.4", "0\n", "t\n",
		    "W mfconnect: No free workers: Need 1, found 0\n" },
		{ 0, "127.0.0.1", "0\n", "c\n", "" },
		{ 2, "1.2.3.4", "2\n", "t\n",
		    "W mfconnect: No free workers: Need 3, found 2\n" },
		{ 2, "1.2.3.4", "3\n", "c\n", "" },
		{ 2, "127.9.9.9", "0\n", "c\n", "" },
		{ -1, "1.2.3.4", "error: x\n", "t\n",
		    "E NOQUEUE: Error from multiplexor: error: x\n"
		    "W mfconnect: Error communicating with multiplexor\n" },
		{ -1, "1.2.3.4", "", "t\n",
		    "E NOQUEUE: Error from multiplexor: \n"
		    "W mfconnect: Error communicating with multiplexor\n" },
		{ -1, "1.2.3.4", NULL, "t\n",
		    "E NOQUEUE: MXCommand: " GATE_DOWN "\n"
		    "W mfconnect: Error communicating with multiplexor\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = { .reserve = rows[i].reserve } };

		gate_open(&g);
		gate_connect_as(&g, "h", '4', 1, rows[i].addr);
		assert_string_equal(g.asked, "free");
		gate_answer(&g, rows[i].answer);
		gate_heard(&g, rows[i].heard);
		gate_log(&g, rows[i].log);
		gate_close(&g);
	}
}

/* weakness 13.3.21 (row "ok 2") */
static void
relay_answer_decides_without_text_and_delay(void **state)
{
	static const struct {
		const char *answer, *heard, *log;
	} rows[] = {
		{ "ok 1\n", "c\n", "" },
		{ "ok 0\n", "r\n", "" },
		{ "ok 0 no 554 5.7.1 9\n", "r\n", "" },
		{ "ok -1\n", "t\n", "" },
		{ "ok 2\n", "a\n",
		    "I NOQUEUE: Nothing from 1.2.3.4 is filtered: the filter "
		    "said so at CONNECT\n" },
		{ "ok 3\n", "c\n",
		    "W NOQUEUE: Discard is not possible at CONNECT: going "
		    "on\n" },
		{ "ok 7\n", "t\n",
		    "E NOQUEUE: Error from multiplexor: ok 7\n" },
		{ NULL, "t\n", "E NOQUEUE: MXCommand: " GATE_DOWN "\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.check_relay = true;
		gate_open(&g);
		gate_macros(&g, 'C', "{if_addr}", "10.0.0.9", "{daemon_port}",
		    "25", NULL);
		gate_connect(&g);
		assert_string_equal(g.asked,
		    "relayok 1.2.3.4 [1.2.3.4] 4321 10.0.0.9 25 NOQUEUE");
		gate_answer(&g, rows[i].answer);
		gate_heard(&g, rows[i].heard);
		gate_log(&g, rows[i].log);
		gate_close(&g);
	}
}

static void
free_comes_before_relayok(void **state)
{
	struct gate g = { .opts = { .check_relay = true, .reserve = -1 } };

	(void)state;
	gate_open(&g);
	gate_connect_as(&g, "h", '4', 1, "1.2.3.4");
	gate_answer(&g, "4\n");
	gate_heard(&g, "");
	assert_string_equal(g.asked, "relayok 1.2.3.4 h 1 UNKNOWN 0 NOQUEUE");
	gate_answer(&g, "ok 1\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

/* weakness 13.3.14 */
static void
helo_check_has_all_arguments_even_when_empty(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.check_helo = true;
	g.opts.my_ip = "192.0.2.1";
	gate_ready(&g);
	gate_helo(&g, "client \"x\" \xe9.example");
	assert_string_equal(g.asked,
	    "helook 1.2.3.4 [1.2.3.4] client%20%22x%22%20%E9.example 4321 "
	    "192.0.2.1 0 NOQUEUE");
	gate_answer(&g, "ok 1\n");
	gate_helo(&g, "");
	assert_string_equal(g.asked,
	    "helook 1.2.3.4 [1.2.3.4] UNKNOWN 4321 192.0.2.1 0 NOQUEUE");
	gate_answer(&g, "ok 0 go%20away 550 5.7.9 0\n");
	gate_heard(&g, "c\ny 550 5.7.9 go away\n");
	gate_close(&g);
}

/* ---- MAIL and RCPT ------------------------------------------------------------------ */

static void
sender_check_sees_commands_and_parameters(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char want[300];

	(void)state;
	g.opts.check_sender = true;
	gate_ready(&g);
	gate_helo(&g, "h");
	gate_macros(&g, 'M', "i", "QID1", NULL);
	gate_mail(&g, "<a@b>", "SIZE=12", "BODY=8BITMIME");
	snprintf(want, sizeof(want),
	    "senderok <a@b> 1.2.3.4 [1.2.3.4] h %s/mdefang-QID1 QID1 SIZE=12 "
	    "BODY=8BITMIME",
	    g.root);
	assert_string_equal(g.asked, want);
	assert_string_equal(gate_file(&g, "COMMANDS"),
	    "ibamdk00\nS<a@b>\nsSIZE=12\nsBODY=8BITMIME\n=i QID1\n"
	    "=client_port 4321\nQQID1\nH[1.2.3.4]\nI1.2.3.4\nEh\n");
	gate_answer(&g, "ok 1\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

static void
sender_answer_decides_and_cleans_up(void **state)
{
	static const struct {
		const char *answer, *heard, *log;
	} rows[] = {
		{ "ok 0\n", "r\n", "" },
		{ "ok 0 no 550 5.1.0 0\n", "y 550 5.1.0 no\n", "" },
		{ "ok -1\n", "t\n", "" },
		{ "ok -1 slow%20down\n", "y 451 4.3.0 slow down\n", "" },
		{ "ok 2\n", "a\n", "" },
		{ "ok 3\n", "d\n", "" },
		{ "error: No free workers\n", "t\n",
		    "E NOQUEUE: Error from multiplexor: error: No free "
		    "workers\n" },
		{ "ok 0", "t\n", "E NOQUEUE: Error from multiplexor: ok 0\n" },
		{ NULL, "t\n", "E NOQUEUE: MXCommand: " GATE_DOWN "\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.check_sender = true;
		gate_ready(&g);
		gate_mail(&g, "<a@b>");
		assert_non_null(gate_dir(&g));
		gate_answer(&g, rows[i].answer);
		gate_heard(&g, rows[i].heard);
		gate_log(&g, rows[i].log);
		assert_null(gate_dir(&g));
		gate_close(&g);
	}
}

static void
recipient_check_names_first_recipient_and_mailer(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char want[400];

	(void)state;
	g.opts.check_recipient = true;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_rcpt(&g, "<first@x>");
	gate_answer(&g, "ok 0\n");
	gate_macros(&g, 'R', "{rcpt_mailer}", "local", "{rcpt_host}", "",
	    "{rcpt_addr}", "bob", NULL);
	gate_rcpt(&g, "<b'o%b@x>", "NOTIFY=NEVER");
	snprintf(want, sizeof(want),
	    "recipok <b%%27o%%25b@x> <a@b> 1.2.3.4 [1.2.3.4] <first@x> "
	    "UNKNOWN %s/mdefang-bamdk00 NOQUEUE local ? bob NOTIFY=NEVER",
	    g.root);
	assert_string_equal(g.asked, want);
	gate_answer(&g, "ok 1\n");
	gate_heard(&g, "r\nc\n");
	gate_eoh(&g);
	gate_eom(&g);
	assert_string_equal(gate_file(&g, "COMMANDS"),
	    "ibamdk00\nS<a@b>\n=client_port 4321\nH[1.2.3.4]\nI1.2.3.4\n"
	    "R<b'o%25b@x> local ? bob\nrNOTIFY=NEVER\nF\n");
	gate_scanned(&g, "F\n");
	gate_close(&g);
}

static void
refused_recipient_leaves_the_message_alive(void **state)
{
	static const struct {
		const char *answer, *heard, *log;
	} rows[] = {
		{ "ok 0 unknown 550 5.1.1 0\n", "y 550 5.1.1 unknown\n", "" },
		{ "ok -1\n", "t\n", "" },
		{ "ERR Filter timed out\n", "t\n",
		    "E NOQUEUE: Error from multiplexor: ERR Filter timed "
		    "out\n" },
		{ NULL, "t\n", "E NOQUEUE: MXCommand: " GATE_DOWN "\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.check_recipient = true;
		gate_ready(&g);
		gate_mail(&g, "<a@b>");
		gate_rcpt(&g, "<bad@x>");
		gate_answer(&g, rows[i].answer);
		gate_heard(&g, rows[i].heard);
		gate_log(&g, rows[i].log);
		gate_rcpt(&g, "<good@x>");
		gate_answer(&g, "ok 1\n");
		gate_eoh(&g);
		gate_eom(&g);
		assert_string_equal(gate_file(&g, "COMMANDS"),
		    "ibamdk00\nS<a@b>\n=client_port 4321\nH[1.2.3.4]\n"
		    "I1.2.3.4\nR<good@x> ? ? ?\nF\n");
		gate_scanned(&g, "F\n");
		gate_heard(&g, "c\nc\n");
		gate_close(&g);
	}
}

static void
accept_and_discard_at_recipient_end_the_message(void **state)
{
	static const char *const rows[][2] = { { "ok 2\n", "a\n" },
		{ "ok 3\n", "d\n" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.check_recipient = true;
		gate_ready(&g);
		gate_mail(&g, "<a@b>");
		gate_rcpt(&g, "<c@d>");
		gate_answer(&g, rows[i][0]);
		gate_heard(&g, rows[i][1]);
		assert_null(gate_dir(&g));
		gate_close(&g);
	}
}

static void
delay_is_waited_before_the_reply(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.check_recipient = true;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_rcpt(&g, "<c@d>");
	gate_answer(&g, "ok 0 no 550 5.1.1 3\n");
	gate_heard(&g, "");
	assert_int_equal(g.wake_in, 3000);
	message_tick(g.message);
	gate_pump(&g);
	gate_heard(&g, "y 550 5.1.1 no\n");

	gate_rcpt(&g, "<e@f>");
	gate_answer(&g, "ok 1 ? 250 2.1.0 1000000\n");
	assert_int_equal(g.wake_in, 300000);
	gate_log(
	    &g, "I NOQUEUE: The filter's delay of 1000000 s is cut to 300 s\n");
	message_tick(g.message);
	gate_pump(&g);
	gate_heard(&g, "c\n");
	gate_eoh(&g);
	gate_eom(&g);
	assert_non_null(strstr(gate_file(&g, "COMMANDS"), "\nR<e@f> "));
	gate_scanned(&g, "F\n");
	gate_close(&g);
}

/* weakness 13.3.10, 13.2.9 */
static void
esmtp_parameters_that_do_not_fit_are_left_out(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char param[2001] = "X=";

	(void)state;
	memset(param + 2, 'y', sizeof(param) - 3);
	g.opts.check_sender = true;
	gate_ready(&g);
	gate_mail(&g, "<a@b>", param, param, param, "Z");
	assert_int_equal(strlen(g.asked) < 4095, 1);
	assert_int_equal(strlen(g.asked) > 2000, 1);
	gate_log(&g,
	    "W NOQUEUE: Request for the multiplexor is too long: 2 ESMTP "
	    "parameters left out\n");
	gate_answer(&g, "ok 1\n");
	gate_close(&g);
}

/* weakness 13.3.10, 13.2.9 */
static void
request_that_cannot_fit_is_a_tempfail(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char sender[4200];

	(void)state;
	memset(sender, 'y', sizeof(sender) - 1);
	sender[sizeof(sender) - 1] = '\0';
	g.opts.check_sender = true;
	gate_ready(&g);
	gate_mail(&g, sender);
	gate_heard(&g, "t\n");
	assert_null(gate_dir(&g));
	assert_non_null(strstr(gate_text(&g.log_buf), "is too long"));
	buf_reset(&g.log_buf);
	gate_close(&g);
}

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

/* ---- whatever fails is a tempfail ---------------------------------------------------------- */

static void
scan_that_fails_is_a_tempfail(void **state)
{
	static const struct {
		const char *answer, *log;
	} rows[] = {
		{ "ok", "E NOQUEUE: Error from multiplexor: ok\n" },
		{ "ok\n\n", "E NOQUEUE: Error from multiplexor: ok\n" },
		{ "", "E NOQUEUE: Error from multiplexor: \n" },
		{ "ok 1\n", "E NOQUEUE: Error from multiplexor: ok 1\n" },
		{ "error: die%20at\n",
		    "E NOQUEUE: Error from multiplexor: error: die%20at\n" },
		{ NULL, "E NOQUEUE: MXCommand: " GATE_DOWN "\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		gate_ready(&g);
		gate_message(&g);
		gate_put(&g, "RESULTS", "F\n", 2);
		gate_answer(&g, rows[i].answer);
		gate_heard(&g, "t\n");
		gate_log(&g, rows[i].log);
		assert_null(gate_dir(&g));
		gate_close(&g);
	}
}

/* weakness 13.3.5 */
static void
bad_results_are_a_tempfail_and_kept_with_k(void **state)
{
	static char long_line[65537], big[1048578];
	static const struct {
		const char *results, *log;
	} rows[] = {
		{ NULL, "W Q1: Filter did not create RESULTS file\n" },
		{ "", "E Q1: RESULTS file did not finish with 'F' line: "
		      "Tempfailing\n" },
		{ "HX-A b\n",
		    "E Q1: RESULTS file did not finish with 'F' line: "
		    "Tempfailing\n" },
		{ long_line,
		    "W Q1: Overlong line in RESULTS file - 65536 chars (max "
		    "65536)\n" },
		{ big,
		    "W Q1: RESULTS file is unreasonably large - 1048577 byes; "
		    "max is 1048576 bytes\n" },
		{ "H%3A x\nF\n",
		    "W Q1: smfi_addheader returned MI_FAILURE\n"
		    "E Q1: Cannot make a change (smfi_addheader :): " },
	};

	(void)state;
	memset(long_line, 'x', sizeof(long_line) - 1);
	memset(big, 'x', sizeof(big) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };
		char want[300];

		g.opts.keep_failed = true;
		gate_ready(&g);
		gate_macros(&g, 'M', "i", "Q1", NULL);
		gate_message(&g);
		if (rows[i].results)
			gate_put(&g, "RESULTS", rows[i].results,
			    strlen(rows[i].results));
		gate_answer(&g, "ok\n");
		assert_non_null(strstr(gate_text(&g.heard_buf), "t\n"));
		assert_int_equal(strncmp(gate_text(&g.log_buf), rows[i].log,
				     strlen(rows[i].log)),
		    0);
		snprintf(want, sizeof(want),
		    "W Q1: Filter failed.  Message kept in %s/mdefang-Q1\n",
		    g.root);
		assert_non_null(strstr(gate_text(&g.log_buf), want));
		buf_reset(&g.log_buf);
		assert_non_null(gate_dir(&g));
		gate_close(&g);
	}
}

static void
message_that_killed_its_workers_is_kept(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char want[400];

	(void)state;
	gate_ready(&g);
	gate_macros(&g, 'M', "i", "Q1", NULL);
	gate_message(&g);
	gate_answer(&g, "ERR No response from worker\n");
	gate_heard(&g, "t\n");
	snprintf(want, sizeof(want),
	    "E Q1: Error from multiplexor: ERR No response from worker\n"
	    "W Q1: Filter failed.  Message kept in %s/mdefang-Q1\n",
	    g.root);
	gate_log(&g, want);
	assert_non_null(gate_dir(&g));
	gate_close(&g);
}

static void
missing_newbody_is_a_tempfail(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char want[600];

	(void)state;
	gate_ready(&g);
	gate_message(&g);
	snprintf(want, sizeof(want),
	    "W NOQUEUE: Could not open %s/%s/NEWBODY for reading: No such file "
	    "or directory\n",
	    g.root, gate_dir(&g));
	gate_scanned(&g, "C\nF\n");
	gate_heard(&g, "t\n");
	gate_log(&g, want);
	gate_close(&g);
}

static void
spool_that_cannot_be_written_is_a_tempfail(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	assert_int_equal(rmdir(g.root), 0);
	gate_message(&g);
	gate_heard(&g, "t\n");
	assert_non_null(strstr(
	    gate_text(&g.log_buf), "W NOQUEUE: Could not create directory "));
	buf_reset(&g.log_buf);
	assert_int_equal(mkdir(g.root, 0700), 0);
	gate_close(&g);
}

static void
file_that_cannot_be_written_is_a_tempfail(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	struct rlimit before, small;

	(void)state;
	gate_ready(&g);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ 5, before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	gate_message(&g);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	gate_heard(&g, "t\n");
	gate_log(&g,
	    "W NOQUEUE: Unable to write 15 bytes to file INPUTMSG (ret = -1): "
	    "File too large\n");
	assert_null(gate_dir(&g));
	gate_close(&g);
}

static void
failure_while_nobody_waits_is_answered_at_the_end(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char chunk[300];

	(void)state;
	g.opts.limits.memory_bytes = 100;
	memset(chunk, 'x', sizeof(chunk));
	gate_ready(&g);
	assert_int_equal(rmdir(g.root), 0);
	gate_mail(&g, "<a@b>");
	gate_eoh(&g);
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	assert_non_null(strstr(gate_text(&g.log_buf), "Could not create"));
	buf_reset(&g.log_buf);
	gate_heard(&g, "");
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	gate_eom(&g);
	gate_heard(&g, "t\n");
	assert_int_equal(mkdir(g.root, 0700), 0);
	gate_close(&g);
}

static void
no_memory_to_ask_is_a_tempfail(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	gate_ready(&g);
	g.no_memory_to_ask = true;
	gate_message(&g);
	gate_heard(&g, "t\n");
	gate_log(&g, "E NOQUEUE: Out of memory\n");
	assert_null(gate_dir(&g));
	gate_close(&g);
}

static void
envelope(struct gate *g)
{
	gate_helo(g, "h");
	gate_mail(g, "<a@b>", "SIZE=1");
	gate_rcpt(g, "<c@d>");
	gate_answer(g, "ok 1\n");
}

/* Each allocation fails in turn, in the message logic alone: the two sessions
 * and the test's own buffers have their memory before. */
static void
no_memory_anywhere_is_never_an_accept(void **state)
{
	(void)state;
	for (size_t i = 0;; i++) {
		struct gate g = { .opts = GATE_QUEUE };
		bool hit;

		g.opts.check_recipient = true;
		gate_ready(&g);
		envelope(&g);
		buf_reset(&g.heard_buf);
		buf_space(&g.log_buf, 10000);
		buf_space(&g.heard_buf, 10000);
		failmalloc_once(i);
		struct mlt_event ev = { .type = MLT_EV_HEADER,
			.header = { B("Subject"), B("x") } };
		message_event(g.message, &ev);
		ev = (struct mlt_event){ .type = MLT_EV_EOH };
		message_event(g.message, &ev);
		ev = (struct mlt_event){ .type = MLT_EV_BODY,
			.text = B("body\r\n") };
		message_event(g.message, &ev);
		ev = (struct mlt_event){ .type = MLT_EV_EOM,
			.need_reply = true };
		message_event(g.message, &ev);
		hit = failmalloc_count() > i;
		failmalloc_off();
		if (hit && !*g.asked) {
			assert_false(message_is_open(g.message));
			assert_null(gate_dir(&g));
		} else {
			assert_true(*g.asked);
		}
		buf_reset(&g.log_buf);
		gate_close(&g);
		if (!hit)
			break;
	}
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
		cmocka_unit_test(free_workers_decide_about_a_connection),
		cmocka_unit_test(relay_answer_decides_without_text_and_delay),
		cmocka_unit_test(free_comes_before_relayok),
		cmocka_unit_test(helo_check_has_all_arguments_even_when_empty),
		cmocka_unit_test(sender_check_sees_commands_and_parameters),
		cmocka_unit_test(sender_answer_decides_and_cleans_up),
		cmocka_unit_test(
		    recipient_check_names_first_recipient_and_mailer),
		cmocka_unit_test(refused_recipient_leaves_the_message_alive),
		cmocka_unit_test(
		    accept_and_discard_at_recipient_end_the_message),
		cmocka_unit_test(delay_is_waited_before_the_reply),
		cmocka_unit_test(esmtp_parameters_that_do_not_fit_are_left_out),
		cmocka_unit_test(request_that_cannot_fit_is_a_tempfail),
		cmocka_unit_test(progress_is_sent_while_a_scan_runs),
		cmocka_unit_test(own_headers_come_after_the_filters_changes),
		cmocka_unit_test(time_is_logged_when_asked_for),
		cmocka_unit_test(refusals_in_results_reach_the_mta),
		cmocka_unit_test(scan_that_fails_is_a_tempfail),
		cmocka_unit_test(bad_results_are_a_tempfail_and_kept_with_k),
		cmocka_unit_test(message_that_killed_its_workers_is_kept),
		cmocka_unit_test(missing_newbody_is_a_tempfail),
		cmocka_unit_test(spool_that_cannot_be_written_is_a_tempfail),
		cmocka_unit_test(file_that_cannot_be_written_is_a_tempfail),
		cmocka_unit_test(
		    failure_while_nobody_waits_is_answered_at_the_end),
		cmocka_unit_test(old_mta_gets_an_answer_to_each_step),
		cmocka_unit_test(next_client_of_a_connection_is_a_new_one),
		cmocka_unit_test(no_memory_to_ask_is_a_tempfail),
		cmocka_unit_test(no_memory_anywhere_is_never_an_accept),
		cmocka_unit_test(abort_at_each_step_leaves_nothing),
		cmocka_unit_test(aborted_message_is_followed_by_a_good_one),
		cmocka_unit_test(free_while_a_question_is_open_cleans_up),
		cmocka_unit_test(giving_up_tempfails_what_is_open),
		cmocka_unit_test(options_keep_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
