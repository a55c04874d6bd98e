/* SPDX-License-Identifier: MIT */
/* The steps that ask: connect, HELO, MAIL, RCPT. */
#include "tests/core/gate.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
