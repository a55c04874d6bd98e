/* SPDX-License-Identifier: MIT */
/* The line that is logged of each message: once, whatever ends it. */
#include "tests/core/gate.h"

/* The clock of a gate goes on by 7 ms each time it is read. */
static void
ready(struct gate *g)
{
	g->opts.queue_connections = g->opts.log_summary = true;
	gate_ready(g);
}

static void
line_says_who_what_and_how_long(void **state)
{
	struct gate g = { .opts = { .check_relay = true,
			      .check_helo = true,
			      .check_sender = true,
			      .check_recipient = true,
			      .log_summary = true } };

	(void)state;
	gate_open(&g);
	gate_connect_as(&g, "h", '4', 1, "1.2.3.4");
	gate_answer(&g, "1\n");
	gate_answer(&g, "ok 1\n");
	gate_helo(&g, "h");
	gate_answer(&g, "ok 1\n");
	gate_macros(&g, 'M', "i", "Q1", NULL);
	gate_mail(&g, "<a@b>");
	gate_answer(&g, "ok 1\n");
	gate_rcpt(&g, "<c@d>");
	gate_answer(&g, "ok 1\n");
	gate_rcpt(&g, "<bad@d>");
	gate_answer(&g, "ok 0\n");
	gate_rcpt(&g, "<worse@d>");
	gate_answer(&g, "error: x\n");
	gate_log(&g, "E Q1: Error from multiplexor: error: x\n");
	gate_rcpt(&g, "<e@f>");
	gate_answer(&g, "ok 1\n");
	gate_header(&g, "Subject", "hi");
	gate_eoh(&g);
	gate_body(&g, B("x\r\n"));
	gate_eom(&g);
	gate_scanned(&g, "F\n");
	gate_log(&g,
	    "I Q1: message qid=Q1 id=bamdk00 verdict=accept at=EOM size=15 "
	    "rcpts=2 refused=2 ms=91 ms_free=7 ms_relay=7 ms_helo=7 "
	    "ms_sender=7 ms_rcpt=28 ms_scan=7 client=1.2.3.4 from=<a@b> "
	    "rcpt=<c@d>,<e@f>\n");
	/* the questions of the connection belong to the first message */
	gate_macros(&g, 'M', "{mail_addr}", "", NULL);
	gate_mail(&g, "<>");
	gate_answer(&g, "ok 0\n");
	gate_log(&g,
	    "I NOQUEUE: message qid=NOQUEUE id=bamdk01 verdict=reject at=MAIL "
	    "size=0 rcpts=0 ms=21 ms_sender=7 client=1.2.3.4 from=<> rcpt=\n");
	gate_close(&g);
}

static void
each_end_is_a_verdict(void **state)
{
	static const struct {
		const char *results, *answer, *verdict;
	} rows[] = {
		{ "F\n", "ok\n", "accept at=EOM " },
		{ "B\n", "ok\n", "reject at=EOM " },
		{ "T\n", "ok\n", "tempfail at=EOM " },
		{ "D\n", "ok\n", "discard at=EOM " },
		{ "HX a\n", "ok\n", "failed at=EOM " },
		{ "F\n", "error: x\n", "failed at=EOM " },
		{ "F\n", NULL, "failed at=EOM " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { 0 };
		char want[100];
		const char *line;

		ready(&g);
		gate_message(&g);
		gate_put(
		    &g, "RESULTS", rows[i].results, strlen(rows[i].results));
		gate_answer(&g, rows[i].answer);
		snprintf(want, sizeof(want),
		    "I NOQUEUE: message qid=NOQUEUE id=bamdk00 verdict=%s",
		    rows[i].verdict);
		line = strstr(gate_text(&g.log_buf), want);
		assert_non_null(line);
		assert_null(strstr(line + strlen(want), ": message "));
		buf_reset(&g.log_buf);
		gate_close(&g);
	}
}

static void
message_that_ends_early_is_said_too(void **state)
{
	struct gate g = { 0 };

	(void)state;
	g.opts.check_recipient = true;
	ready(&g);
	gate_mail(&g, "<a@b>");
	assert_true(mlt_mta_abort(g.mta) > 0);
	gate_pump(&g);
	gate_log(&g,
	    "I NOQUEUE: message qid=NOQUEUE id=bamdk00 verdict=aborted "
	    "at=ABORT size=0 rcpts=0 ms=7 client=1.2.3.4 from=<a@b> rcpt=\n");
	gate_mail(&g, "<a@b>");
	gate_rcpt(&g, "<c@d>");
	gate_answer(&g, "ok 3\n");
	gate_log(&g,
	    "I NOQUEUE: message qid=NOQUEUE id=bamdk01 verdict=discard "
	    "at=RCPT size=0 rcpts=0 refused=1 ms=21 ms_rcpt=7 client=1.2.3.4 "
	    "from=<a@b> rcpt=\n");
	gate_mail(&g, "<a@b>");
	message_free(g.message);
	g.message = NULL;
	gate_log(&g,
	    "I NOQUEUE: message qid=NOQUEUE id=bamdk02 verdict=aborted "
	    "at=MAIL size=0 rcpts=0 ms=7 client=1.2.3.4 from=<a@b> rcpt=\n");
	gate_close(&g);
}

static void
nothing_from_outside_can_forge_a_key(void **state)
{
	struct gate g = { 0 };
	char large[301];

	(void)state;
	memset(large, 'z', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	ready(&g);
	gate_macros(&g, 'M', "i", "Q 1\n", NULL);
	gate_mail(&g, "<a b=\"1\"@x> verdict=accept\n\xfc");
	for (int i = 0; i < 5; i++)
		gate_rcpt(&g, i == 1 ? large : "<c,d@e>");
	gate_eoh(&g);
	gate_eom(&g);
	gate_scanned(&g, "F\n");
	memset(large + 100, '\0', 1);
	char want[700];
	snprintf(want, sizeof(want),
	    "I Q 1\\x0A: message qid=Q%%201%%0A id=bamdk00 verdict=accept "
	    "at=EOM size=1 rcpts=5 ms=21 ms_scan=7 client=1.2.3.4 "
	    "from=<a%%20b=%%221%%22@x>%%20verdict=accept%%0A%%FC "
	    "rcpt=<c%%2Cd@e>,%s,<c%%2Cd@e>\n",
	    large);
	gate_log(&g, want);
	gate_close(&g);
}

static void
message_that_outgrew_memory_is_marked(void **state)
{
	struct gate g = { 0 };
	char chunk[300];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	g.opts.limits.memory_bytes = 100;
	ready(&g);
	gate_mail(&g, "<a@b>");
	gate_eoh(&g);
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	gate_body(&g, B("y"));
	gate_eom(&g);
	gate_scanned(&g, "F\n");
	gate_log(&g,
	    "I NOQUEUE: message qid=NOQUEUE id=bamdk00 verdict=accept at=EOM "
	    "size=302 rcpts=0 disk=early ms=21 ms_scan=7 client=1.2.3.4 "
	    "from=<a@b> rcpt=\n");
	gate_close(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_says_who_what_and_how_long),
		cmocka_unit_test(each_end_is_a_verdict),
		cmocka_unit_test(message_that_ends_early_is_said_too),
		cmocka_unit_test(nothing_from_outside_can_forge_a_key),
		cmocka_unit_test(message_that_outgrew_memory_is_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
