/* SPDX-License-Identifier: MIT */
#include "core/frontend/apply.h"
#include "tests/core/gate.h"

/* What the MTA hears of a message whose filter left these results. */
static void
check_offer(const char *results, const char *newbody, size_t n_newbody,
    uint32_t actions, const char *heard, const char *log)
{
	struct gate g = { .opts = { .queue_connections = true },
		.offer = { 6, actions, 0x1fffff, 0 } };

	gate_open(&g);
	gate_connect(&g);
	gate_message(&g);
	if (newbody)
		gate_put(&g, "NEWBODY", newbody, n_newbody);
	gate_scanned(&g, results);
	gate_heard(&g, heard);
	gate_log(&g, log);
	assert_null(gate_dir(&g));
	gate_close(&g);
}
#define check(results, heard, log)                                             \
	check_offer(results, NULL, 0, 0x1ff, heard, log)

static void
each_change_reaches_the_mta_in_order(void **state)
{
	(void)state;
	check("HX-A one%0D%0A%09two\n"
	      "NX-B 0 top\n"
	      "IX-C 2 changed\n"
	      "JX-D 3\n"
	      "R<r@x>\n"
	      "S<s@x>\n"
	      "f<f@x>\n"
	      "Qheld\n"
	      "Mtext/html\n"
	      "F\n",
	    "h X-A: one\n\ttwo\n"
	    "i 0 X-B: top\n"
	    "m 2 X-C: changed\n"
	    "m 3 X-D: \n"
	    "+ <r@x>\n"
	    "- <s@x>\n"
	    "e <f@x>\n"
	    "q held\n"
	    "m 1 Content-Type: text/html\n"
	    "m 1 MIME-Version: 1.0\n"
	    "c\n",
	    "");
}

static void
content_type_brings_mime_version_only_if_there_was_none(void **state)
{
	struct gate g = { .opts = { .queue_connections = true } };

	(void)state;
	check("M\nF\n", "m 1 MIME-Version: 1.0\nc\n", "");
	gate_open(&g);
	gate_connect(&g);
	gate_mail(&g, "<a@b>");
	gate_header(&g, "Mime-version", "1.0");
	gate_eoh(&g);
	gate_eom(&g);
	gate_scanned(&g, "Mtext/x\nF\n");
	gate_heard(&g, "m 1 Content-Type: text/x\nc\n");
	gate_close(&g);
}

static void
newbody_is_sent_with_crlf(void **state)
{
	static const struct {
		const char *file, *heard;
		size_t n;
	} rows[] = {
		{ "a\nb\r\nc", "b a\r\nb\r\nc\nc\n", 6 },
		{ "\n\n", "b \r\n\r\n\nc\n", 2 },
		{ "", "b\nc\n", 0 },
		{ "x\r", "b x\r\nc\n", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_offer("C\nC\nF\n", rows[i].file, rows[i].n, 0x1ff,
		    rows[i].heard, "");
}

static void
long_newbody_is_sent_whole_and_in_one_run(void **state)
{
	struct gate g = { .opts = { .queue_connections = true } };
	static char file[150000];
	size_t lf = 0, at = 0;
	const char *heard;

	(void)state;
	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = i % 7 == 6 ? '\n' : 'x';
	gate_open(&g);
	gate_connect(&g);
	gate_message(&g);
	gate_put(&g, "NEWBODY", file, sizeof(file));
	gate_scanned(&g, "HX-A b\nC\nHX-C d\nF\n");
	heard = gate_text(&g.heard_buf);
	assert_int_equal(strncmp(heard, "h X-A: b\nb x", 12), 0);
	for (const char *p = heard; *p; p++)
		lf += p[0] == '\r' && p[1] == '\n';
	assert_int_equal(lf, 150000 / 7);
	for (const char *p = heard; (p = strstr(p, "\nb ")); p++)
		at++;
	assert_in_range(at, 3, 6);
	assert_string_equal(heard + strlen(heard) - 12, "\nh X-C: d\nc\n");
	buf_reset(&g.heard_buf);
	gate_close(&g);
}

/* weakness 13.1.8, 13.3.7 */
static void
newbody_that_is_no_plain_file_is_a_tempfail(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct gate g = { .opts = { .queue_connections = true } };
		const char *error;
		char want[600];

		gate_open(&g);
		gate_connect(&g);
		gate_message(&g);
		error = gate_put_odd(&g, "NEWBODY", "/etc/passwd", i);
		gate_scanned(&g, "C\nF\n");
		gate_heard(&g, "t\n");
		snprintf(want, sizeof(want),
		    "W NOQUEUE: Could not open %s/mdefang-bamdk00/NEWBODY for "
		    "reading: %s\n",
		    g.root, error);
		gate_log(&g, want);
		gate_close(&g);
	}
}

static void
change_that_cannot_be_made_tempfails_the_message(void **state)
{
	(void)state;
	/* what was put before it is void with that verdict */
	check("HX-A b\nHbad%20name c\nHX-C d\nF\n", "h X-A: b\nt\n",
	    "W NOQUEUE: smfi_addheader returned MI_FAILURE\n"
	    "E NOQUEUE: Cannot make a change (smfi_addheader bad name): value "
	    "cannot be put on the wire\n");
	check("R\nF\n", "t\n",
	    "W NOQUEUE: smfi_addrcpt returned MI_FAILURE\n"
	    "E NOQUEUE: Cannot make a change (smfi_addrcpt ): value cannot be "
	    "put on the wire\n");
	check_offer("f<a@b>\nF\n", NULL, 0, 0x3f, "t\n",
	    "W NOQUEUE: smfi_chgfrom returned MI_FAILURE\n"
	    "E NOQUEUE: Cannot make a change (smfi_chgfrom <a@b>): not "
	    "negotiated\n");
	check_offer("C\nF\n", "x", 1, 0x01, "t\n",
	    "W NOQUEUE: smfi_replacebody returned MI_FAILURE\n"
	    "E NOQUEUE: Cannot make a change (smfi_replacebody NEWBODY): not "
	    "negotiated\n");
}

static void
quarantine_without_reason_gets_one(void **state)
{
	(void)state;
	check("Q\nF\n", "q no reason\nc\n", "");
}

/* weakness 13.3.11 */
static void
lines_that_are_no_change_are_logged_and_passed_over(void **state)
{
	(void)state;
	check("z\n\nHX\nHX-A b\nF\n", "h X-A: b\nc\n",
	    "W NOQUEUE: Unknown command 'z' in RESULTS file\n"
	    "W NOQUEUE: Unknown command '' in RESULTS file\n"
	    "W NOQUEUE: Missing argument of command 'H' in RESULTS file\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_reaches_the_mta_in_order),
		cmocka_unit_test(
		    content_type_brings_mime_version_only_if_there_was_none),
		cmocka_unit_test(newbody_is_sent_with_crlf),
		cmocka_unit_test(long_newbody_is_sent_whole_and_in_one_run),
		cmocka_unit_test(newbody_that_is_no_plain_file_is_a_tempfail),
		cmocka_unit_test(
		    change_that_cannot_be_made_tempfails_the_message),
		cmocka_unit_test(quarantine_without_reason_gets_one),
		cmocka_unit_test(
		    lines_that_are_no_change_are_logged_and_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
