/* SPDX-License-Identifier: MIT */
/* What one message may use: each limit bites where it should, and says so. */
#include "tests/core/gate.h"

static void
message_with_too_many_header_fields_is_refused(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.limits.headers = 2;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_rcpt(&g, "<c@d>");
	gate_header(&g, "A", "1");
	gate_header(&g, "B", "2");
	assert_true(message_is_open(g.message));
	gate_header(&g, "C", "3");
	gate_log(&g,
	    "W NOQUEUE: Message refused: it has more than 2 fields of its "
	    "header\n");
	assert_false(message_is_open(g.message));
	gate_eoh(&g);
	gate_body(&g, B("x\r\n"));
	gate_eom(&g);
	gate_heard(&g, "y 552 5.3.4 Message is too large\n");
	gate_close(&g);
}

static void
message_with_a_header_that_is_too_large_is_refused(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.limits.header_bytes = 10;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_header(&g, "Abcde", "12345");
	assert_true(message_is_open(g.message));
	gate_header(&g, "A", "");
	gate_log(&g,
	    "W NOQUEUE: Message refused: it has more than 10 octets of its "
	    "header\n");
	gate_eoh(&g);
	gate_eom(&g);
	gate_heard(&g, "y 552 5.3.4 Message is too large\n");
	gate_close(&g);
}

static void
message_that_is_too_large_is_refused_and_removed(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char chunk[3000];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	g.opts.limits.message_bytes =
	    6001; /* with the line behind the header */
	g.opts.limits.memory_bytes = 100;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	gate_eoh(&g);
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	assert_non_null(gate_dir(&g));
	gate_body(&g, B("x"));
	gate_log(
	    &g, "W NOQUEUE: Message refused: it has more than 6001 octets\n");
	assert_null(gate_dir(&g));
	gate_body(&g, (struct mlt_bytes){ chunk, sizeof(chunk) });
	gate_eom(&g);
	gate_heard(&g, "y 552 5.3.4 Message is too large\n");
	/* the next one of the connection is another message */
	gate_message(&g);
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

static void
many_recipients_go_to_disk(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.limits.memory_bytes = 200;
	gate_ready(&g);
	gate_mail(&g, "<a@b>");
	for (int i = 0; i < 20; i++)
		gate_rcpt(&g, "<0123456789@example.org>");
	assert_non_null(strstr(
	    gate_file(&g, "COMMANDS"), "\nR<0123456789@example.org> ? ? ?\n"));
	gate_eoh(&g);
	gate_eom(&g);
	assert_int_equal(strlen(gate_file(&g, "COMMANDS")), 54 + 20 * 32 + 2);
	gate_scanned(&g, "F\n");
	gate_heard(&g, "c\n");
	gate_close(&g);
}

static void
announced_size_is_refused_at_mail(void **state)
{
	static const struct {
		const char *param;
		bool refused;
	} rows[] = {
		{ "SIZE=101", true },
		{ "size=99999999999999999999", true },
		{ "SIZE=100", false },
		{ "SIZE=-1", false },
		{ "SIZE=", false },
		{ "XSIZE=101", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g = { .opts = GATE_QUEUE };

		g.opts.check_sender = true;
		g.opts.limits.message_bytes = 100;
		gate_ready(&g);
		gate_mail(&g, "<a@b>", "BODY=7BIT", rows[i].param);
		if (rows[i].refused) {
			gate_heard(&g, "y 552 5.3.4 Message is too large\n");
			gate_log(&g,
			    "W NOQUEUE: Message refused: it announces more "
			    "than 100 octets\n");
			assert_null(gate_dir(&g));
		} else {
			gate_answer(&g, "ok 1\n");
			gate_heard(&g, "c\n");
		}
		gate_close(&g);
	}
}

static void
spool_without_room_is_a_tempfail_at_mail(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };

	(void)state;
	g.opts.check_sender = true;
	g.opts.limits.min_free_kb = INT32_MAX;
	gate_ready(&g);
	g.env.spool.room_until = UINT64_MAX; /* nobody asks the system */
	g.env.spool.free_bytes = ((uint64_t)INT32_MAX << 10) + 9;
	g.env.spool.free_files = 8;
	gate_mail(&g, "<a@b>", "SIZE=9");
	gate_answer(&g, "ok 1\n");
	gate_heard(&g, "c\n");
	gate_mail(&g, "<a@b>", "SIZE=10");
	gate_heard(&g, "y 452 4.3.1 Insufficient system storage\n");
	assert_non_null(strstr(gate_text(&g.log_buf),
	    "W NOQUEUE: No room for a message of 10 octets in "));
	buf_reset(&g.log_buf);
	g.env.spool.free_files = 7;
	gate_mail(&g, "<a@b>");
	gate_heard(&g, "y 452 4.3.1 Insufficient system storage\n");
	assert_non_null(strstr(gate_text(&g.log_buf), " and 7 files are free"));
	buf_reset(&g.log_buf);
	assert_null(gate_dir(&g));
	gate_close(&g);
}

static void
spool_is_asked_for_its_room_once_a_second(void **state)
{
	struct spool s;
	char err[200];

	(void)state;
	assert_int_equal(spool_open(&s, "/", err, sizeof(err)), 0);
	assert_true(spool_has_room(&s, 0, 0, 5000, NULL));
	assert_int_equal(s.room_until, 6000);
	s.free_files = 12345678901;
	assert_true(spool_has_room(&s, 0, 0, 5999, NULL));
	assert_int_equal(s.free_files, 12345678901);
	assert_true(spool_has_room(&s, 0, 0, 6000, NULL));
	assert_int_not_equal(s.free_files, 12345678901);
	spool_close(&s);
}

static void
request_may_be_as_long_as_the_option_says(void **state)
{
	struct gate g = { .opts = GATE_QUEUE };
	char sender[4200] = "";

	(void)state;
	memset(sender, 'y', sizeof(sender) - 1);
	g.opts.check_sender = true;
	g.opts.limits.request_bytes = 4300;
	gate_ready(&g);
	gate_mail(&g, sender, "SIZE=1");
	assert_int_equal(strncmp(g.asked, "senderok yyy", 12), 0);
	assert_non_null(strstr(g.asked, " NOQUEUE SIZE=1"));
	gate_answer(&g, "ok 1\n");
	gate_close(&g);
}

/* weakness 13.2.8 */
static void
results_may_be_as_large_as_the_options_say(void **state)
{
	static char text[70000];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct gate g = { .opts = GATE_QUEUE };
		const char *log[] = { "", "",
			"W NOQUEUE: RESULTS file is unreasonably large - 66003 "
			"byes; max is 66000 bytes\n",
			"W NOQUEUE: Overlong line in RESULTS file - 20000 "
			"chars (max 20000)\n" };

		/* long lines that change nothing, so that the MTA needs no
		 * large packet */
		memset(text, 'z', sizeof(text));
		for (int at = 20000; at < 66000; at += 20001)
			text[at] = '\n';
		memcpy(text + 66000, "\nF\n", 4);
		g.opts.limits.results_bytes = i == 2 ? 66000 : 0;
		g.opts.limits.results_line = i == 3 ? 19999 : 0;
		gate_ready(&g);
		gate_message(&g);
		gate_scanned(&g, i == 0 ? "F\n" : text);
		gate_heard(&g, i < 2 ? "c\n" : "t\n");
		if (i == 1) /* four lines, none of them known */
			buf_reset(&g.log_buf);
		gate_log(&g, log[i]);
		gate_close(&g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    message_with_too_many_header_fields_is_refused),
		cmocka_unit_test(
		    message_with_a_header_that_is_too_large_is_refused),
		cmocka_unit_test(
		    message_that_is_too_large_is_refused_and_removed),
		cmocka_unit_test(many_recipients_go_to_disk),
		cmocka_unit_test(announced_size_is_refused_at_mail),
		cmocka_unit_test(spool_without_room_is_a_tempfail_at_mail),
		cmocka_unit_test(spool_is_asked_for_its_room_once_a_second),
		cmocka_unit_test(request_may_be_as_long_as_the_option_says),
		cmocka_unit_test(results_may_be_as_large_as_the_options_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
