/* SPDX-License-Identifier: MIT */
/*
 * filter_framing: what is a frame, and how frames come in pieces.
 */
#include "cli/check/filter_judged.h"
#include "cli/check/talk.h"

#include <arpa/inet.h>
#include <string.h>

/* ---- in the sessions of MTAs ---------------------------------------------------------- */

static enum check_result
is_whole(const struct judged_session *s, struct buf *why)
{
	JUDGED_EACH(s, c, r) if (!r->whole)
	{
		buf_addf(why, "%zu octets that are no frame", r->n);
		return CHECK_FAIL;
	}
	return s->n_replies ? CHECK_PASS : CHECK_NOT_APPLICABLE;
}

/* Octets of the reply as the protocol has them, or NULL. */
static const char *
layout(uint8_t octet)
{
	switch (octet) {
#define MLT_X_REPLY(name, octet_, layout_, actions)                            \
	case octet_:                                                           \
		return #layout_;
#include <milterproto.def>
	}
	return NULL;
}

static enum check_result
is_empty(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		const char *l = r->whole ? layout(r->octet) : NULL;

		if (!l || strcmp(l, "EMPTY") != 0)
			continue;
		result = CHECK_PASS;
		if (r->n == 0)
			continue;
		buf_addf(why, "%s had a payload of %zu octets",
		    mlt_reply_name(r->octet), r->n);
		return CHECK_FAIL;
	}
	return result;
}

static enum check_result
is_known(const struct judged_session *s, struct buf *why)
{
	JUDGED_EACH(s, c, r) if (r->whole && !layout(r->octet))
	{
		buf_addf(why, "a reply 0x%02x", r->octet);
		return CHECK_FAIL;
	}
	return s->n_replies ? CHECK_PASS : CHECK_NOT_APPLICABLE;
}

static enum check_result
is_usable(const struct judged_session *s, struct buf *why)
{
	JUDGED_EACH(s, c, r)
	{
		const char *l = r->whole ? layout(r->octet) : NULL;

		if (!l || strcmp(l, "NEVER") != 0)
			continue;
		buf_addf(why, "%s was sent", mlt_reply_name(r->octet));
		return CHECK_FAIL;
	}
	return s->n_replies ? CHECK_PASS : CHECK_NOT_APPLICABLE;
}

static enum check_result
is_within_the_limit(const struct judged_session *s, struct buf *why)
{
	JUDGED_EACH(s, c, r) if (r->whole && r->n > MLT_DATA_MAX)
	{
		buf_addf(why, "%s had a payload of %zu octets",
		    mlt_reply_name(r->octet), r->n);
		return CHECK_FAIL;
	}
	return s->n_replies ? CHECK_PASS : CHECK_NOT_APPLICABLE;
}

#define SAID_NOTHING "the filter sent nothing"
JUDGED(whole_replies, is_whole, SAID_NOTHING)
JUDGED(empty_replies, is_empty, "no reply of this kind was seen")
JUDGED(known_replies, is_known, SAID_NOTHING)
JUDGED(usable_replies, is_usable, SAID_NOTHING)
JUDGED(replies_within_the_limit, is_within_the_limit, SAID_NOTHING)

/* ---- in pieces ------------------------------------------------------------------------ */

/* How the frames of one session are written. */
struct pieces {
	size_t piece;      /* octets at once; 0: two pieces ... */
	size_t split;      /* ... of which the first has so many */
	unsigned pause_us; /* between them */
};

static void
put_frame(struct buf *b, uint8_t cmd, const void *payload, size_t n)
{
	uint32_t len = htonl((uint32_t)n + 1);

	buf_add(b, &len, 4);
	buf_addc(b, (char)cmd);
	buf_add(b, payload, n);
}

/* With its NUL. */
#define TEXT(literal) literal, sizeof(literal)

/* A dialogue of short frames. */
static const struct small {
	uint8_t cmd;
	const char *payload;
	size_t n;
} small_dialogue[] = {
	{ 'D', TEXT("Cj\0mx.example.org") },
	{ 'C', TEXT("client.example.net\0004\x9c\x59"
		    "192.0.2.17") },
	{ 'H', TEXT("client.example.net") },
	{ 'D', TEXT("Mi\0004dfLk16Z") },
	{ 'M', TEXT("<alice@example.net>\0SIZE=100") },
	{ 'R', TEXT("<bob@example.org>") },
	{ 'T', NULL, 0 },
	{ 'L', TEXT("Subject\0minutes") },
	{ 'N', NULL, 0 },
	{ 'B', "one\r\ntwo\r\n", 10 },
	{ 'E', NULL, 0 },
};
#define N_SMALL (sizeof(small_dialogue) / sizeof(small_dialogue[0]))
#define LONGEST 38 /* octets of a frame of it */

static int
write_pieces(struct talk *t, const struct buf *b, const struct pieces *how)
{
	const char *p = buf_data(b);
	size_t n = buf_len(b), first = how->split < n ? how->split : n;
	msec wait = (msec)t->f->o.reply_ms;

	if (how->piece)
		return link_write_slowly(
		    &t->link, p, n, how->piece, how->pause_us, wait);
	return link_write_slowly(&t->link, p, first, first, 0, wait) < 0 ||
		       link_write_slowly(&t->link, p + first, n - first,
			   n - first ? n - first : 1, how->pause_us, wait) < 0
		   ? -1
		   : 0;
}

/* PASS, or FAIL; a verdict ends it. */
static enum check_result
dialogue_in_pieces(struct check_run *run, const struct pieces *how)
{
	struct talk t;
	enum check_result result = CHECK_PASS;
	bool over = false;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	for (size_t i = 0; i < N_SMALL && !over; i++) {
		const struct small *s = &small_dialogue[i];
		struct buf b;
		int got = TALK_NONE;

		if (!talk_wants(&t, s->cmd))
			continue;
		buf_init(&b, 0);
		put_frame(&b, s->cmd, s->payload, s->n);
		write_pieces(&t, &b, how);
		buf_fini(&b);
		if (talk_is_due(&t, s->cmd))
			got = talk_answer(&t, s->cmd);
		if (got != TALK_NONE && !talk_is_legal(s->cmd, got)) {
			result = talk_bad(&t, s->cmd, got);
			break;
		}
		over = !talk_goes_on(got);
	}
	talk_quit(&t);
	return result;
}

static enum check_result
every_split(struct check_run *run)
{
	for (size_t i = 1; i < LONGEST; i++) {
		struct pieces how = { .split = i, .pause_us = 500 };

		transcript_reset(&run->transcript);
		if (dialogue_in_pieces(run, &how) == CHECK_FAIL)
			return CHECK_FAIL;
	}
	return talk_session(run, "frames in two pieces");
}

static enum check_result
octet_by_octet(struct check_run *run)
{
	const struct pieces how = { .piece = 1, .pause_us = 100 };

	if (dialogue_in_pieces(run, &how) == CHECK_FAIL)
		return CHECK_FAIL;
	return talk_session(run, "frames octet by octet");
}

/* All up to the end of the message in one write, as no MTA does. */
static enum check_result
coalesced(struct check_run *run)
{
	enum check_result result = CHECK_PASS;
	struct talk t;
	struct buf b;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	buf_init(&b, 0);
	for (size_t i = 0; i < N_SMALL; i++) {
		const struct small *s = &small_dialogue[i];

		if (talk_wants(&t, s->cmd))
			put_frame(&b, s->cmd, s->payload, s->n);
	}
	talk_raw(&t, buf_data(&b), buf_len(&b));
	buf_fini(&b);
	for (size_t i = 0; i < N_SMALL && result == CHECK_PASS; i++) {
		uint8_t cmd = small_dialogue[i].cmd;
		int got;

		if (!talk_wants(&t, cmd) || !talk_is_due(&t, cmd))
			continue;
		got = talk_answer(&t, cmd);
		if (!talk_is_legal(cmd, got))
			result = talk_bad(&t, cmd, got);
		else if (!talk_goes_on(got))
			break; /* what it says of the rest is another matter */
	}
	talk_quit(&t);
	return result == CHECK_PASS ? talk_session(run, "frames in one piece")
				    : result;
}

/* The macros and their command in one write, as MTAs do. */
static enum check_result
macros_with_their_command(struct check_run *run)
{
	struct talk t;
	struct buf b;
	int got;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	buf_init(&b, 0);
	for (size_t i = 0; i < 2; i++)
		put_frame(&b, small_dialogue[i].cmd, small_dialogue[i].payload,
		    small_dialogue[i].n);
	if (!talk_wants(&t, 'C') || !talk_is_due(&t, 'C')) {
		buf_fini(&b);
		talk_quit(&t);
		return check_not_applicable(
		    run, "the filter does not answer CONNECT");
	}
	talk_raw(&t, buf_data(&b), buf_len(&b));
	buf_fini(&b);
	got = talk_answer(&t, 'C');
	talk_quit(&t);
	return talk_is_legal('C', got) ? CHECK_PASS : talk_bad(&t, 'C', got);
}

/* A chunk of as many octets as there may be. */
static enum check_result
largest_frame(struct check_run *run)
{
	static char chunk[MLT_BODY_MAX];
	enum check_result result = CHECK_PASS;
	struct talk t;
	int rc, got;

	memset(chunk, 'x', sizeof(chunk));
	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, TALK_EOH);
	if (rc == 0) {
		got = talk_say(&t, MLT_SMFIC_BODY, chunk, sizeof(chunk));
		if (got != TALK_NONE && !talk_is_legal(MLT_SMFIC_BODY, got))
			result = talk_bad(&t, MLT_SMFIC_BODY, got);
		else if (talk_goes_on(got) && talk_until(&t, TALK_EOM) < 0)
			result = CHECK_FAIL;
	}
	talk_quit(&t);
	if (rc < 0)
		return CHECK_FAIL;
	if (rc > 0)
		return check_not_applicable(
		    run, "the filter decides before it sees a body");
	return result == CHECK_PASS ? talk_session(run, "the largest frame")
				    : result;
}

const struct check_case filter_framing_cases[] = {
	{ "whole-replies", 100, FILTER_MTAS, whole_replies },
	{ "empty-replies", 101, FILTER_MTAS, empty_replies },
	{ "known-replies", 102, FILTER_MTAS, known_replies },
	{ "usable-replies", 103, FILTER_MTAS, usable_replies },
	{ "replies-within-the-limit", 104, FILTER_MTAS,
	    replies_within_the_limit },
	{ "every-split", 105, FILTER_HOSTILE, every_split },
	{ "octet-by-octet", 105, FILTER_HOSTILE, octet_by_octet },
	{ "macros-with-their-command", 106, FILTER_HOSTILE,
	    macros_with_their_command },
	{ "coalesced", 107, FILTER_HOSTILE, coalesced },
	{ "largest-frame", 108, FILTER_HOSTILE, largest_frame },
	{ .name = NULL },
};
