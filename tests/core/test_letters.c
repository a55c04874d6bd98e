/* SPDX-License-Identifier: MIT */
/*
 * Every letter of COMMANDS (spec:spool-commands) in the file of a real
 * session, and every letter of RESULTS (spec:spool-results) as the MTA hears
 * it.  A case is named after its letter.
 */
#include "tests/core/gate.h"

/* ---- COMMANDS --------------------------------------------------------------- */

/* A message of which everything is said. */
static const char *
commands_of_all(struct gate *g)
{
	static const struct opt_list extra = { { "xtra", "absent" }, 2 };

	g->opts.check_recipient = true;
	g->opts.queue_connections = true;
	g->opts.macros = &extra;
	g->opts.validate_header = "X-Secret";
	gate_ready(g);
	gate_helo(g, "h elo");
	gate_macros(g, 'M', "i", "Q1", "{auth_type}", "", "{xtra}", "a b",
	    "{mail_mailer}", "esmtp", NULL);
	gate_mail(g, "<a'\"\\%~@b>", "SIZE=12", "BODY=8BITMIME");
	gate_macros(g, 'R', "i", "Q2", "{rcpt_mailer}", "local", "{rcpt_host}",
	    "", "{rcpt_addr}", "b ob", NULL);
	gate_rcpt(g, "<bob@x>", "NOTIFY=NEVER", "ORCPT=x");
	gate_answer(g, "ok 1\n");
	gate_rcpt(g, "<refused@x>");
	gate_answer(g, "ok 0\n");
	gate_header(g, "subject", "S\n 1\xe9");
	gate_header(g, "MESSAGE-ID", "<1@x>");
	gate_header(g, "X-Bare", "a\rb");
	gate_header(g, "X-Secret", " 9.8.7.006 x");
	gate_header(g, "x-secret", "2001:DB8::1");
	gate_header(g, "Content-Type", "a");
	gate_header(g, "Content-Type", "b\rb"); /* in no file, so no ! */
	gate_eoh(g);
	gate_body(g, B("a\0b\r\n"));
	gate_eom(g);
	return gate_file(g, "COMMANDS");
}

struct command_case {
	const char *name, *lines;
};

static const struct command_case commands[] = {
	{ "COMMANDS i: identifier, first", "\nibamdk00\nS" },
	{ "COMMANDS S: sender", "\nS<a'\"\\%25~@b>\ns" },
	{ "COMMANDS s: parameter of MAIL", "\nsSIZE=12\nsBODY=8BITMIME\n=" },
	{ "COMMANDS =: macros in their order, then client_port and -a",
	    "\n=auth_type \n=i Q1\n=mail_mailer esmtp\n=client_port 4321\n"
	    "=xtra a%20b\nQ" },
	{ "COMMANDS Q: queue id, and a later one", "\nQQ1\nH" },
	{ "COMMANDS Q: at RCPT, before the recipient", "\nQQ2\nR<bob@x> " },
	{ "COMMANDS H: host name", "\nH[1.2.3.4]\nI" },
	{ "COMMANDS I: address of the client", "\nI1.2.3.4\nE" },
	{ "COMMANDS E: HELO", "\nEh%20elo\nQ" },
	{ "COMMANDS R: recipient and what the MTA does with it",
	    "\nR<bob@x> local ? b%20ob\nr" },
	{ "COMMANDS r: parameter of RCPT",
	    "\nrNOTIFY=NEVER\nrORCPT=x\nU" }, /* nothing of a refused one */
	{ "COMMANDS !: suspicious header", "\nX<1@x>\n!\nJ" },
	{ "COMMANDS U: subject", "\nUS%201%E9\nX" },
	{ "COMMANDS X: message id", "\nX<1@x>\n" },
	{ "COMMANDS J: address of the validation header",
	    "\nJ9.8.7.6\nJ2001:db8::1\n?" },
	{ "COMMANDS ?: suspicious body", "\n?\nF" },
	{ "COMMANDS F: complete, last", "\n?\nF\n\n" },
};

static void
line_is_there(void **state)
{
	const struct command_case *c = *state;
	struct gate g = { 0 };
	char text[2000];

	snprintf(text, sizeof(text), "\n%s\n", commands_of_all(&g));
	if (!strstr(text, c->lines))
		fail_msg("wanted '%s' in '%s'", c->lines, text);
	gate_scanned(&g, "F\n");
	gate_log(&g,
	    "W Q2: WARNING: 2 Content-Type headers found -- deleting all but "
	    "first\n");
	gate_close(&g);
}

/* ---- RESULTS ------------------------------------------------------------------ */

struct result_case {
	const char *name, *results, *heard, *log;
};

#define REFUSED(what) "D NOQUEUE: " what " because filter instructed us to\n"
static const struct result_case results[] = {
	{ "RESULTS H: add a header", "HX-A b%20c\nF\n", "h X-A: b c\nc\n", "" },
	{ "RESULTS N: insert a header", "NX-A 0 b\nNX-B 3 c\nF\n",
	    "i 0 X-A: b\ni 3 X-B: c\nc\n", "" },
	{ "RESULTS I: replace a header", "ISubject 2 b\nF\n",
	    "m 2 Subject: b\nc\n", "" },
	{ "RESULTS J: delete a header", "JX-A 2\nF\n", "m 2 X-A: \nc\n", "" },
	{ "RESULTS R: add a recipient", "R<a@b>\nF\n", "+ <a@b>\nc\n", "" },
	{ "RESULTS S: delete a recipient", "S<c@d>\nF\n", "- <c@d>\nc\n", "" },
	{ "RESULTS f: change the sender", "f<e@f>\nF\n", "e <e@f>\nc\n", "" },
	{ "RESULTS Q: hold", "Qlook%20here\nF\n", "q look here\nc\n", "" },
	{ "RESULTS Q: hold, and refuse", "Qbad\nB550 5.7.9 no\nF\n",
	    "q bad\ny 550 5.7.9 no\n", REFUSED("Bouncing") },
	{ "RESULTS M: type of the content", "Mtext/html\nF\n",
	    "m 1 Content-Type: text/html\nm 1 MIME-Version: 1.0\nc\n", "" },
	{ "RESULTS M: bare", "M\nF\n", "m 1 MIME-Version: 1.0\nc\n", "" },
	{ "RESULTS C: replace the body", "C\nF\n", "b a\r\nb\r\n\nc\n", "" },
	{ "RESULTS B: refuse", "HX-A b\nB550 5.7.9 no%0Anever\nF\n",
	    "y 550-5.7.9 no\r\n550 5.7.9 never\n", REFUSED("Bouncing") },
	{ "RESULTS B: bare", "B\n",
	    "y 554 5.7.1 Forbidden for policy reasons\n", REFUSED("Bouncing") },
	{ "RESULTS T: refuse for now", "T452 4.7.9 wait\nF\n",
	    "y 452 4.7.9 wait\n", REFUSED("Tempfailing") },
	{ "RESULTS T: bare, without F", "T\n",
	    "y 451 4.3.0 Please try again later\n", REFUSED("Tempfailing") },
	{ "RESULTS D: discard", "HX-A b\nDignored\nF\n", "d\n",
	    REFUSED("Discarding") },
	{ "RESULTS F: nothing counts behind it", "F\nHX-A b\nT\nD\nB\nQx\n",
	    "c\n", "" },
	{ "RESULTS without F", "HX-A b\n", "t\n",
	    "E NOQUEUE: RESULTS file did not finish with 'F' line: "
	    "Tempfailing\n" },
	{ "RESULTS of an unknown letter", "zfoo\nF\n", "c\n",
	    "W NOQUEUE: Unknown command 'z' in RESULTS file\n" },
};

static void
result_is_heard(void **state)
{
	const struct result_case *c = *state;
	struct gate g = { .opts = GATE_QUEUE };

	gate_ready(&g);
	gate_message(&g);
	gate_put(&g, "NEWBODY", "a\nb\n", 4);
	gate_scanned(&g, c->results);
	gate_heard(&g, c->heard);
	gate_log(&g, c->log);
	gate_close(&g);
}

#define N(array) (sizeof(array) / sizeof(array[0]))

int
main(void)
{
	static struct CMUnitTest tests[N(commands) + N(results)];
	size_t n = 0;

	for (size_t i = 0; i < N(commands); i++)
		tests[n++] = (struct CMUnitTest){ .name = commands[i].name,
			.test_func = line_is_there,
			.initial_state = (void *)(uintptr_t)&commands[i] };
	for (size_t i = 0; i < N(results); i++)
		tests[n++] = (struct CMUnitTest){ .name = results[i].name,
			.test_func = result_is_heard,
			.initial_state = (void *)(uintptr_t)&results[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
