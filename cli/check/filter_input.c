/* SPDX-License-Identifier: MIT */
/*
 * filter_input: the inputs of filter_input.def, each at its place in a dialogue,
 * and a good session behind each.
 */
#include "cli/check/talk.h"

#include <string.h>

enum how {
	HOW_CLOSE,
	HOW_ANSWER,
	HOW_IGNORE
};

#define STEP_NOTHING TALK_STEP_N /* not even an offer */
#define STEP_OPTNEG  TALK_OPTNEG
#define STEP_CONNECT TALK_CONNECT
#define STEP_HELO    TALK_HELO
#define STEP_MAIL    TALK_MAIL
#define STEP_RCPT    TALK_RCPT
#define STEP_DATA    TALK_DATA
#define STEP_HEADER  TALK_HEADER
#define STEP_EOH     TALK_EOH
#define STEP_EOM     TALK_EOM

static const struct input {
	const char *name;
	enum talk_step step;
	const char *needs; /* of which the first octet counts */
	enum how how;
	const char *octets;
	size_t n;
} inputs[] = {
#define INPUT(name, number, step, needs, how, octets)                          \
	{ #name, STEP_##step, #needs, HOW_##how, octets, sizeof(octets) - 1 },
#include "cli/check/filter_input.def"
#undef INPUT
};

static const struct input *
find(const char *name)
{
	const struct input *in = inputs;

	while (strcmp(in->name, name) != 0)
		in++;
	return in;
}

static bool
needs(const struct input *in)
{
	return in->needs[0] != '0';
}

/* Brings the dialogue to the place.  0; 1: it does not get there; -1: failed. */
static int
begin(struct talk *t, struct check_run *run, const struct input *in)
{
	int rc;

	if (in->step == STEP_NOTHING)
		return talk_dial(t, run);
	if (talk_open(t, run, NULL) < 0)
		return -1;
	if (needs(in) && !talk_wants(t, (uint8_t)in->needs[0])) {
		check_not_applicable(run, "the filter does not want %s",
		    mlt_command_name((uint8_t)in->needs[0]));
		rc = 1;
	} else {
		rc = talk_until(t, in->step);
		if (rc == 1)
			check_not_applicable(
			    run, "the filter gives its verdict before that");
	}
	if (rc != 0)
		talk_quit(t);
	return rc;
}

static enum check_result
must_close(struct talk *t)
{
	int got = talk_quiet(t);

	if (got == TALK_CLOSED)
		return CHECK_PASS;
	if (got == TALK_NONE)
		return check_fail(
		    t->run, "the filter neither closed nor answered");
	return check_fail(
	    t->run, "the filter did not close, it said %s", talk_got_word(got));
}

/* The rest of the message must go on as if nothing had been. */
static enum check_result
goes_on(struct talk *t)
{
	enum talk_step step = t->step;

	if (step == TALK_STEP_N)
		return CHECK_PASS;
	if (step == TALK_EOM) { /* the next message */
		t->step = TALK_HELO;
	}
	return talk_until(t, TALK_EOM) < 0 ? CHECK_FAIL : CHECK_PASS;
}

static enum check_result
must_answer(struct talk *t, uint8_t cmd)
{
	int got = TALK_NONE;

	if (talk_is_due(t, cmd))
		got = talk_answer(t, cmd);
	if (cmd == MLT_SMFIC_OPTNEG && got == MLT_SMFIR_OPTNEG)
		return CHECK_PASS;
	if (got != TALK_NONE && !talk_is_legal(cmd, got))
		return talk_bad(t, cmd, got);
	for (enum talk_step s = t->step + 1; s < TALK_STEP_N; s++) {
		if (talk_step_octet(s) == cmd)
			t->step = s; /* it was said */
	}
	return talk_goes_on(got) && cmd != MLT_SMFIC_EOM ? goes_on(t)
							 : CHECK_PASS;
}

static enum check_result
must_ignore(struct talk *t)
{
	int got = talk_unasked(t);

	if (got != TALK_NONE)
		return check_fail(t->run,
		    "nothing was to be said, and the filter said %s",
		    talk_got_word(got));
	return goes_on(t);
}

static enum check_result
run_input(struct check_run *run)
{
	const struct input *in = find(run->current->name);
	enum check_result result = CHECK_PASS;
	struct talk t;
	int rc = begin(&t, run, in);

	if (rc != 0)
		return rc < 0 ? CHECK_FAIL : CHECK_NOT_APPLICABLE;
	talk_raw(&t, in->octets, in->n);
	switch (in->how) {
	case HOW_CLOSE:
		result = must_close(&t);
		break;
	case HOW_ANSWER:
		result = must_answer(&t, (uint8_t)in->needs[0]);
		break;
	case HOW_IGNORE:
		result = must_ignore(&t);
		break;
	}
	talk_quit(&t);
	return result == CHECK_PASS ? talk_session(run, in->name) : result;
}

/* All of them, whatever the filter makes of each: while it does, and behind it,
 * others are served. */
static enum check_result
survives_input(struct check_run *run)
{
	enum check_result result = CHECK_PASS;

	for (size_t i = 0;
	     i < sizeof(inputs) / sizeof(inputs[0]) && result == CHECK_PASS;
	     i++) {
		struct talk t;
		int rc;

		transcript_reset(&run->transcript);
		rc = begin(&t, run, &inputs[i]);
		if (rc < 0)
			return CHECK_FAIL;
		if (rc > 0)
			continue;
		talk_raw(&t, inputs[i].octets, inputs[i].n);
		result = talk_session(run, inputs[i].name);
		talk_close(&t);
		if (result == CHECK_PASS)
			result = talk_session(run, inputs[i].name);
	}
	return result;
}

const struct check_case filter_input_cases[] = {
	{ "survives-input", 283, FILTER_HOSTILE, survives_input },
#define INPUT(name, number, step, needs, how, octets)                          \
	{ #name, number, FILTER_HOSTILE, run_input },
#include "cli/check/filter_input.def"
#undef INPUT
	{ .name = NULL },
};
