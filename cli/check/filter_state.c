/* SPDX-License-Identifier: MIT */
/*
 * filter_state: several messages, messages that end early, and commands that may
 * come anywhere.
 */
#include "cli/check/talk.h"

#define MESSAGES 30
#define RCPTS    100

/* Begins another message in the same session. */
static int
next_message(struct talk *t)
{
	t->step = TALK_HELO;
	return talk_until(t, TALK_EOM);
}

static enum check_result
many_messages(struct check_run *run)
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, TALK_HELO);
	for (int i = 0; i < MESSAGES && rc >= 0; i++)
		rc = next_message(&t);
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : CHECK_PASS;
}

/* ABORT behind each step, then a whole message. */
static enum check_result
abort_anywhere(struct check_run *run)
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, TALK_HELO);
	for (enum talk_step s = TALK_MAIL; s <= TALK_BODY && rc == 0; s++) {
		t.step = TALK_HELO;
		rc = talk_until(&t, s);
		if (rc < 0)
			break;
		talk_say(&t, MLT_SMFIC_ABORT, NULL, 0);
		rc = next_message(&t);
		if (rc > 0)
			rc = 0; /* decided early, as always */
	}
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : CHECK_PASS;
}

/* A command that ends a message without ABORT: behind each step up to `last`. */
static enum check_result
ended_by(struct check_run *run, enum talk_step by, enum talk_step last)
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	if (!talk_wants(&t, talk_step_octet(by))) {
		talk_quit(&t);
		return check_not_applicable(
		    run, "the filter does not want %s", talk_step_word(by));
	}
	rc = talk_until(&t, TALK_HELO);
	for (enum talk_step s = TALK_MAIL; s <= last && rc == 0; s++) {
		t.step = TALK_HELO;
		rc = talk_until(&t, s);
		if (rc != 0)
			break;
		t.step = by - 1;
		rc = talk_until(&t, TALK_EOM);
		if (rc > 0)
			rc = 0;
	}
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : CHECK_PASS;
}

static enum check_result
helo_in_message(struct check_run *run)
{
	return ended_by(run, TALK_HELO, TALK_RCPT);
}

static enum check_result
mail_in_message(struct check_run *run)
{
	return ended_by(run, TALK_MAIL, TALK_RCPT);
}

static enum check_result
helo_again(struct check_run *run)
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	if (!talk_wants(&t, MLT_SMFIC_HELO)) {
		talk_quit(&t);
		return check_not_applicable(
		    run, "the filter does not want HELO");
	}
	rc = talk_until(&t, TALK_HELO);
	for (int i = 0; i < 3 && rc == 0; i++) {
		t.step = TALK_CONNECT;
		rc = talk_until(&t, TALK_HELO);
	}
	if (rc == 0)
		rc = talk_until(&t, TALK_EOM);
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : CHECK_PASS;
}

/* An unknown SMTP command behind each step of the envelope; what the filter
 * says of it decides nothing. */
static enum check_result
unknown_anywhere(struct check_run *run)
{
	struct talk t;
	int rc, got;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	if (!talk_wants(&t, MLT_SMFIC_UNKNOWN)) {
		talk_quit(&t);
		return check_not_applicable(
		    run, "the filter does not want unknown commands");
	}
	for (rc = 0; rc == 0 && t.step < TALK_EOM;) {
		rc = talk_until(&t, t.step + 1);
		if (rc != 0 || t.step > TALK_RCPT)
			continue;
		got = talk_says(&t, MLT_SMFIC_UNKNOWN, "FOOBAR some words");
		if (got == TALK_NONE || got == MLT_SMFIR_ACCEPT ||
		    got == MLT_SMFIR_DISCARD ||
		    talk_is_legal(MLT_SMFIC_UNKNOWN, got))
			continue;
		talk_bad(&t, MLT_SMFIC_UNKNOWN, got);
		rc = -1;
	}
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : CHECK_PASS;
}

static enum check_result
many_rcpts(struct check_run *run)
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, TALK_MAIL);
	for (int i = 0; i < RCPTS && rc == 0; i++) {
		t.step = TALK_MAIL;
		rc = talk_until(&t, TALK_RCPT);
	}
	if (rc == 0)
		rc = talk_until(&t, TALK_EOM);
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : CHECK_PASS;
}

/* The step is left out, all others are there. */
static enum check_result
without(struct check_run *run, enum talk_step missing)
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, missing - 1);
	if (rc == 0) {
		t.step = missing;
		rc = talk_until(&t, TALK_EOM);
	}
	talk_quit(&t);
	if (rc < 0)
		return CHECK_FAIL;
	return talk_session(run, "a session with a step left out");
}

static enum check_result
without_helo(struct check_run *run)
{
	return without(run, TALK_HELO);
}

static enum check_result
without_body(struct check_run *run)
{
	return without(run, TALK_BODY);
}

static enum check_result
without_header(struct check_run *run)
{
	return without(run, TALK_HEADER);
}

/* QUIT behind each step: the filter closes. */
static enum check_result
quit_anywhere(struct check_run *run)
{
	for (enum talk_step s = TALK_OPTNEG; s <= TALK_EOM; s++) {
		struct talk t;
		int rc;

		transcript_reset(&run->transcript);
		if (talk_open(&t, run, NULL) < 0)
			return CHECK_FAIL;
		rc = talk_until(&t, s);
		if (rc >= 0) {
			talk_say(&t, MLT_SMFIC_QUIT, NULL, 0);
			rc = talk_quiet(&t);
			if (rc != TALK_CLOSED)
				check_fail(run, "QUIT behind %s, then %s",
				    talk_step_word(s), talk_got_word(rc));
			rc = rc == TALK_CLOSED ? 0 : -1;
		}
		talk_close(&t);
		if (rc < 0)
			return CHECK_FAIL;
	}
	return talk_session(run, "QUIT behind each step");
}

/* QUIT_NC: another client on the same connection, with what was agreed. */
static enum check_result
next_client(struct check_run *run)
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = 0;
	for (enum talk_step s = TALK_OPTNEG; s <= TALK_EOM && rc >= 0; s++) {
		t.step = TALK_OPTNEG;
		rc = talk_until(&t, s);
		if (rc >= 0)
			talk_say(&t, MLT_SMFIC_QUIT_NC, NULL, 0);
	}
	t.step = TALK_OPTNEG;
	if (rc >= 0)
		rc = talk_until(&t, TALK_EOM);
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : CHECK_PASS;
}

/* What MTAs pass on behind a refused DATA. */
static enum check_result
same_verdict(struct check_run *run)
{
	struct talk t;
	enum check_result result = CHECK_PASS;
	int rc, got;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, TALK_DATA);
	if (rc <= 0 || t.step < TALK_DATA) {
		talk_quit(&t);
		return rc < 0 ? CHECK_FAIL
			      : check_not_applicable(
				    run, "the filter does not refuse DATA");
	}
	got = talk_says(&t, MLT_SMFIC_RCPT, t.f->o.to);
	if (got != TALK_NONE && !talk_is_legal(MLT_SMFIC_RCPT, got))
		result = talk_bad(&t, MLT_SMFIC_RCPT, got);
	talk_quit(&t);
	return result;
}

/* Says it by itself, and looks whether anything comes. */
static bool
is_unanswered(struct talk *t, uint8_t cmd, const void *payload, size_t n)
{
	int got;

	talk_say(t, cmd, payload, n);
	got = talk_unasked(t);
	if (got == TALK_NONE)
		return true;
	talk_bad(t, cmd, got);
	return false;
}

static enum check_result
no_reply(struct check_run *run)
{
	enum check_result result = CHECK_PASS;
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, TALK_RCPT);
	if (rc < 0 || !is_unanswered(&t, MLT_SMFIC_MACRO, "T", 1) ||
	    !is_unanswered(&t, MLT_SMFIC_ABORT, NULL, 0))
		result = CHECK_FAIL;
	talk_quit(&t);
	return result;
}

/* The steps for which the filter agreed not to answer, one by one. */
static enum check_result
no_reply_agreed(struct check_run *run)
{
	bool any = false;
	struct talk t;
	int rc = 0;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	for (enum talk_step s = TALK_CONNECT; s <= TALK_BODY && rc == 0; s++) {
		uint8_t cmd = talk_step_octet(s);
		int got;

		rc = talk_until(&t, s);
		if (rc != 0 || !talk_wants(&t, cmd) || talk_is_due(&t, cmd))
			continue;
		any = true;
		got = talk_unasked(&t);
		if (got == TALK_NONE)
			continue;
		talk_bad(&t, cmd, got);
		rc = -1;
	}
	talk_quit(&t);
	if (rc < 0)
		return CHECK_FAIL;
	return any ? CHECK_PASS
		   : check_not_applicable(run, "the filter answers each step");
}

const struct check_case filter_state_cases[] = {
	{ "no-reply", 161, FILTER_HOSTILE, no_reply },
	{ "no-reply-agreed", 162, FILTER_HOSTILE, no_reply_agreed },
	{ "many-messages", 164, FILTER_HOSTILE, many_messages },
	{ "abort-anywhere", 165, FILTER_HOSTILE, abort_anywhere },
	{ "helo-in-message", 166, FILTER_HOSTILE, helo_in_message },
	{ "mail-in-message", 166, FILTER_HOSTILE, mail_in_message },
	{ "helo-again", 167, FILTER_HOSTILE, helo_again },
	{ "unknown-anywhere", 168, FILTER_HOSTILE, unknown_anywhere },
	{ "many-rcpts", 169, FILTER_HOSTILE, many_rcpts },
	{ "without-helo", 179, FILTER_HOSTILE, without_helo },
	{ "without-body", 179, FILTER_HOSTILE, without_body },
	{ "without-header", 179, FILTER_HOSTILE, without_header },
	{ "quit-anywhere", 180, FILTER_HOSTILE, quit_anywhere },
	{ "next-client", 181, FILTER_HOSTILE, next_client },
	{ "same-verdict", 182, FILTER_HOSTILE, same_verdict },
	{ .name = NULL },
};
