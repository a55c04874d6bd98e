/* SPDX-License-Identifier: MIT */
/* Whatever fails is a tempfail, and leaves nothing. */
#include "tests/core/gate.h"
#include "tests/support/failmalloc.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_that_fails_is_a_tempfail),
		cmocka_unit_test(bad_results_are_a_tempfail_and_kept_with_k),
		cmocka_unit_test(message_that_killed_its_workers_is_kept),
		cmocka_unit_test(missing_newbody_is_a_tempfail),
		cmocka_unit_test(spool_that_cannot_be_written_is_a_tempfail),
		cmocka_unit_test(file_that_cannot_be_written_is_a_tempfail),
		cmocka_unit_test(
		    failure_while_nobody_waits_is_answered_at_the_end),
		cmocka_unit_test(no_memory_to_ask_is_a_tempfail),
		cmocka_unit_test(no_memory_anywhere_is_never_an_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
