/* SPDX-License-Identifier: MIT */
/*
 * Every row of spec:reply-mapping at every step that it holds for: what a
 * check answered, and what the MTA hears.  A case is named after its step and
 * row.
 */
#include "tests/core/gate.h"

enum step {
	HELO,
	MAIL,
	RCPT,
	STEP_N
};
static const char *const step_names[STEP_N] = { "HELO", "MAIL", "RCPT" };

struct row {
	const char *label, *answer; /* NULL: nobody answers */
	const char *heard;
	const char *log; /* "" = nothing */
	long delay_s;    /* before the reply */
};

#define ERROR(text) "E NOQUEUE: Error from multiplexor: " text "\n"
static const struct row rows[] = {
	{ "continue", "ok 1\n", "c\n", "", 0 },
	{ "continue with fields", "ok 1 hm 250 2.1.0 0\n", "c\n", "", 0 },
	{ "continue with delay", "ok 1 hm 250 2.1.0 7\n", "c\n", "", 7 },
	{ "reject without fields", "ok 0\n", "r\n", "", 0 },
	{ "reject with fields", "ok 0 no 550 5.7.9 0\n", "y 550 5.7.9 no\n", "",
	    0 },
	{ "reject with delay", "ok 0 no 550 5.7.9 3\n", "y 550 5.7.9 no\n", "",
	    3 },
	{ "reject, text missing", "ok 0  550 5.7.9 0\n",
	    "y 550 5.7.9 Forbidden for policy reasons\n", "", 0 },
	{ "reject, code of the other class", "ok 0 no 450 5.7.9 0\n",
	    "y 554 5.7.9 no\n", "", 0 },
	{ "reject, code of two digits", "ok 0 no 55 5.7.9 0\n",
	    "y 554 5.7.9 no\n", "", 0 },
	{ "reject, DSN of the other class", "ok 0 no 550 4.7.9 0\n",
	    "y 550 5.7.1 no\n", "", 0 },
	{ "reject, DSN that is none", "ok 0 no 550 5.7 0\n", "y 550 5.7.1 no\n",
	    "", 0 },
	{ "tempfail without fields", "ok -1\n", "t\n", "", 0 },
	{ "tempfail with fields", "ok -1 wait 452 4.2.2 0\n",
	    "y 452 4.2.2 wait\n", "", 0 },
	{ "tempfail with delay", "ok -1 wait 452 4.2.2 5\n",
	    "y 452 4.2.2 wait\n", "", 5 },
	{ "tempfail, text missing", "ok -1  452 4.2.2 0\n",
	    "y 452 4.2.2 Please try again later\n", "", 0 },
	{ "tempfail, code of the other class", "ok -1 wait 552 4.2.2 0\n",
	    "y 451 4.2.2 wait\n", "", 0 },
	{ "tempfail, DSN of the other class", "ok -1 wait 452 5.2.2 0\n",
	    "y 452 4.3.0 wait\n", "", 0 },
	{ "tempfail with text only", "ok -1 wait\n", "y 451 4.3.0 wait\n", "",
	    0 },
	{ "code 421 is passed on", "ok -1 bye 421 4.7.0 0\n",
	    "y 421 4.7.0 bye\n", "", 0 },
	{ "delay that is no number", "ok 0 no 550 5.7.9 x\n",
	    "y 550 5.7.9 no\n", "", 0 },
	{ "delay below zero", "ok 0 no 550 5.7.9 -4\n", "y 550 5.7.9 no\n", "",
	    0 },
	{ "text of two lines", "ok 0 one%0Atwo%0A 550 5.7.9 0\n",
	    "y 550-5.7.9 one\r\n550 5.7.9 two\n", "", 0 },
	{ "percent is doubled", "ok 0 50%25 550 5.7.9 0\n",
	    "y 550 5.7.9 50%%\n", "", 0 },
	{ "control characters become blanks",
	    "ok 0 a%01b%0Dc%7Fd 550 5.7.9 0\n", "y 550 5.7.9 a b c d\n", "",
	    0 },
	{ "no line end", "ok 0", "t\n", ERROR("ok 0"), 0 },
	{ "unknown number", "ok 7\n", "t\n", ERROR("ok 7"), 0 },
	{ "error of the multiplexor", "error: No free workers\n", "t\n",
	    ERROR("error: No free workers"), 0 },
	{ "error of a worker", "ERR No response from worker\n", "t\n",
	    ERROR("ERR No response from worker"), 0 },
	{ "empty answer", "", "t\n", ERROR(""), 0 },
	{ "nobody there", NULL, "t\n", "E NOQUEUE: MXCommand: " GATE_DOWN "\n",
	    0 },
};
/* Where the step matters. */
static const struct row ends[] = {
	{ "accept, no more filtering", "ok 2\n", "a\n", "", 0 },
	{ "accept with delay", "ok 2 hm 250 2.1.0 2\n", "a\n", "", 2 },
	{ "discard", "ok 3\n", "d\n", "", 0 },
	{ "discard with delay", "ok 3 hm 250 2.1.0 2\n", "d\n", "", 2 },
};
static const struct row ends_at_helo[] = {
	{ "accept, no more filtering", "ok 2\n", "a\n",
	    "I NOQUEUE: Nothing from 1.2.3.4 is filtered: the filter said so "
	    "at HELO\n",
	    0 },
	{ "discard", "ok 3\n", "c\n",
	    "W NOQUEUE: Discard is not possible at HELO: going on\n", 0 },
};

struct one {
	enum step step;
	const struct row *row;
	char name[80];
};

/* Brings a session to the question of the step. */
static void
ask(struct gate *g, enum step step)
{
	g->opts.queue_connections = true;
	g->opts.check_helo = step == HELO;
	g->opts.check_sender = step == MAIL;
	g->opts.check_recipient = step == RCPT;
	gate_ready(g);
	if (step == HELO)
		gate_helo(g, "h");
	else
		gate_mail(g, "<a@b>");
	if (step == RCPT)
		gate_rcpt(g, "<c@d>");
}

static void
answer_is_mapped(void **state)
{
	const struct one *o = *state;
	struct gate g = { 0 };

	ask(&g, o->step);
	gate_answer(&g, o->row->answer);
	if (o->row->delay_s) {
		gate_heard(&g, "");
		assert_int_equal(g.wake_in, o->row->delay_s * 1000);
		message_tick(g.message);
		gate_pump(&g);
	} else {
		assert_true(g.wake_in == MSEC_NEVER);
	}
	gate_heard(&g, o->row->heard);
	gate_log(&g, o->row->log);
	gate_close(&g);
}

#define N(array) (sizeof(array) / sizeof(array[0]))
static struct one all[STEP_N * (N(rows) + N(ends))];
static struct CMUnitTest tests[N(all)];
static size_t n_all;

static void
add(enum step step, const struct row *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct one *o = &all[n_all];

		o->step = step;
		o->row = &v[i];
		snprintf(o->name, sizeof(o->name), "reply-mapping %s: %s",
		    step_names[step], v[i].label);
		tests[n_all++] = (struct CMUnitTest){ .name = o->name,
			.test_func = answer_is_mapped,
			.initial_state = o };
	}
}

int
main(void)
{
	for (enum step step = HELO; step < STEP_N; step++) {
		add(step, rows, N(rows));
		if (step == HELO)
			add(step, ends_at_helo, N(ends_at_helo));
		else
			add(step, ends, N(ends));
	}
	return _cmocka_run_group_tests("mapping", tests, n_all, NULL, NULL);
}
