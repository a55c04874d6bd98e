/* SPDX-License-Identifier: MIT */
/*
 * talk: one conversation with the filter, as no particular MTA, step by step.
 *
 * What the filter does not want is not sent; what it answers is given back as
 * it came, and judged by the case.  Every wait ends.
 */
#ifndef CLI_CHECK_TALK_H
#define CLI_CHECK_TALK_H

#include "cli/check/filter.h"

/* What came: the octet of a final reply (or of one that is not legal there),
 * or one of these. */
enum talk_got {
	TALK_NONE = 0,    /* nothing is due, or the step is not wanted */
	TALK_CLOSED = -1, /* the filter closed */
	TALK_SILENT = -2, /* nothing, though the filter had every chance */
	TALK_BROKEN = -3, /* octets that are no frame */
};

struct talk_offer {
	uint32_t version, actions, protocol;
};

/* How far a conversation has gone: behind this command.  In their order. */
enum talk_step {
	TALK_OPTNEG,
	TALK_CONNECT,
	TALK_HELO,
	TALK_MAIL,
	TALK_RCPT,
	TALK_DATA,
	TALK_HEADER,
	TALK_EOH,
	TALK_BODY,
	TALK_EOM,
	TALK_STEP_N
};
const char *talk_step_word(enum talk_step s); /* "MAIL" */
uint8_t talk_step_octet(enum talk_step s);

struct talk {
	struct check_run *run;
	struct filter *f;
	struct link link;
	struct talk_offer agreed;
	enum talk_step step; /* the last that was gone through */
	uint32_t edits;      /* kinds of changes seen, bits of FILTER_EDITS */
};

/* Connects and offers (NULL: version 6 and everything).  0, or -1: the case has
 * failed, and run->why says how. */
__attribute__((warn_unused_result)) int talk_open(
    struct talk *t, struct check_run *run, const struct talk_offer *offer);
/* Connects only; what is agreed is as if nothing had been declined. */
__attribute__((warn_unused_result)) int talk_dial(
    struct talk *t, struct check_run *run);
void talk_close(struct talk *t); /* says nothing; allowed twice */
void talk_quit(struct talk *t);  /* says QUIT, then closes */

bool talk_wants(const struct talk *t, uint8_t cmd);
bool talk_is_due(const struct talk *t, uint8_t cmd); /* it is answered */

/* Says one command, if it is wanted, and waits for its answer, if one is due. */
int talk_say(struct talk *t, uint8_t cmd, const void *payload, size_t n);
int talk_says(
    struct talk *t, uint8_t cmd, const char *string); /* and its NUL */
/* Octets as they are; their answer is for talk_answer.  0 or -errno. */
int talk_raw(struct talk *t, const void *p, size_t n);
/* The final reply to a command that was said raw. */
int talk_answer(struct talk *t, uint8_t cmd);
/* What comes though nothing was asked, within the grace. */
int talk_unasked(struct talk *t);
/* Waits for the filter to close, which it has every chance to: TALK_NONE when it
 * neither does nor answers. */
int talk_quiet(struct talk *t);
/* Goes on as an MTA would, from where it is to behind `to`, with the message of
 * the command line.  0; 1: the filter decided before that; -1: the case failed. */
__attribute__((warn_unused_result)) int talk_until(
    struct talk *t, enum talk_step to);
/* One step of that.  What talk_say gives. */
int talk_go(struct talk *t, enum talk_step step);

/* An answer that lets the dialogue go on. */
bool talk_goes_on(int got);
bool talk_is_legal(uint8_t cmd, int got);
/* "CONTINUE", "no answer"; for a line of why. */
const char *talk_got_word(int got);
/* The case fails since `got` is not what `cmd` may have. */
enum check_result talk_bad(struct talk *t, uint8_t cmd, int got);

/* A whole ordinary session, after whatever was done before: PASS or FAIL. */
enum check_result talk_session(struct check_run *run, const char *after);

#endif
