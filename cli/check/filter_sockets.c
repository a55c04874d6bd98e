/* SPDX-License-Identifier: MIT */
/*
 * filter_sockets: connections that end, stall or come in numbers, and what they
 * do to others.
 */
#include "cli/check/talk.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE 20
#define HELD    100
#define VISITS  200

/* A message in a few octets, for cutting; what stands behind the offer. */
static const char dialogue[] = "\0\0\0\15O\0\0\0\6\0\0\1\xff\0\x1f\xff\xff"
			       "\0\0\0\x07"
			       "DCj\0mx\0"
			       "\0\0\0\x10"
			       "Ch\0004\0\x19"
			       "192.0.2.1\0"
			       "\0\0\0\5Hcli\0"
			       "\0\0\0\7M<a@b>\0"
			       "\0\0\0\7R<c@d>\0"
			       "\0\0\0\1T"
			       "\0\0\0\5LA\0v\0"
			       "\0\0\0\1N"
			       "\0\0\0\4Bx\r\n"
			       "\0\0\0\1E";

enum leaving {
	LEAVE_CLOSE,
	LEAVE_RESET,
	LEAVE_HALF
};

/* Says the first octets, without waiting for answers, and leaves. */
static int
leave_behind(struct check_run *run, size_t n, enum leaving how)
{
	struct talk t;
	int rc = 0;

	if (talk_dial(&t, run) < 0)
		return -1;
	talk_raw(&t, dialogue, n);
	if (how == LEAVE_RESET) {
		link_reset(&t.link);
	} else if (how == LEAVE_HALF) {
		link_half_close(&t.link);
		if (link_read_end(&t.link, filter_wait_ms(t.f)) !=
			LINK_CLOSED &&
		    (filter_pass_session(t.f) < 0 ||
			link_read_end(&t.link, filter_wait_ms(t.f)) !=
			    LINK_CLOSED)) {
			check_fail(run,
			    "the filter did not close when we did, behind %zu "
			    "octets",
			    n);
			rc = -1;
		}
	}
	talk_close(&t);
	return rc;
}

static enum check_result
leave_anywhere(struct check_run *run, enum leaving how)
{
	for (size_t n = 0; n < sizeof(dialogue) - 1; n++) {
		transcript_reset(&run->transcript);
		if (leave_behind(run, n, how) < 0)
			return CHECK_FAIL;
	}
	return talk_session(run, run->current->name);
}

static enum check_result
close_anywhere(struct check_run *run)
{
	return leave_anywhere(run, LEAVE_CLOSE);
}

static enum check_result
reset_anywhere(struct check_run *run)
{
	return leave_anywhere(run, LEAVE_RESET);
}

static enum check_result
half_close_anywhere(struct check_run *run)
{
	return leave_anywhere(run, LEAVE_HALF);
}

/* ---- several at once --------------------------------------------------------------------- */

/* All go forward step by step, in turns. */
static enum check_result
in_turns(struct check_run *run)
{
	static struct talk t[AT_ONCE];
	bool over[AT_ONCE] = { false };
	enum check_result result = CHECK_PASS;
	int n = 0;

	while (n < AT_ONCE && talk_open(&t[n], run, NULL) == 0)
		n++;
	if (n < AT_ONCE)
		result = CHECK_FAIL;
	for (enum talk_step s = TALK_CONNECT;
	     s < TALK_STEP_N && result == CHECK_PASS; s++) {
		for (int i = 0; i < n && result == CHECK_PASS; i++) {
			int rc = over[i] ? 0 : talk_until(&t[i], s);

			over[i] |= rc > 0;
			if (rc < 0)
				result = CHECK_FAIL;
		}
	}
	for (int i = 0; i < n; i++)
		talk_quit(&t[i]);
	return result;
}

/* While they are held, another one is served. */
static enum check_result
held(struct check_run *run, int n, enum talk_step step)
{
	struct talk *t = calloc((size_t)n, sizeof(*t));
	enum check_result result = CHECK_PASS;
	int i = 0;

	if (!t)
		return check_fail(run, "out of memory");
	for (; i < n && result == CHECK_PASS; i++) {
		if (talk_open(&t[i], run, NULL) < 0 ||
		    talk_until(&t[i], step) < 0)
			result = CHECK_FAIL;
	}
	if (result == CHECK_PASS)
		result = talk_session(run, "while others are held");
	while (i-- > 0)
		talk_close(&t[i]);
	free(t);
	return result;
}

static enum check_result
many_held(struct check_run *run)
{
	return held(run, HELD, TALK_HELO);
}

static enum check_result
held_in_message(struct check_run *run)
{
	return held(run, AT_ONCE, TALK_RCPT);
}

/* A peer that stops amid a frame, and one that never reads. */
static enum check_result
stalled(struct check_run *run)
{
	enum check_result result;
	struct talk t;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	if (talk_until(&t, TALK_HELO) < 0) {
		talk_close(&t);
		return CHECK_FAIL;
	}
	talk_raw(&t, "\0\0\0\7M<a", 8);
	result = talk_session(run, "while another one is amid a frame");
	talk_close(&t);
	return result;
}

/* Writes as long as the filter takes it, and reads no answer. */
static enum check_result
never_reads(struct check_run *run)
{
	static const char frames[] =
	    "\0\0\0\5Hcli\0\0\0\0\5Hcli\0\0\0\0\5Hcli"
	    "\0\0\0\0\5Hcli\0\0\0\0\5Hcli\0\0\0\0\5Hcli";
	enum check_result result;
	struct talk t;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	if (!talk_wants(&t, MLT_SMFIC_HELO) ||
	    !talk_is_due(&t, MLT_SMFIC_HELO)) {
		talk_quit(&t);
		return check_not_applicable(
		    run, "the filter does not answer HELO");
	}
	talk_go(&t, TALK_CONNECT);
	for (int i = 0; i < 20000; i++) {
		if (link_write(&t.link, frames, sizeof(frames), 50) < 0)
			break;
	}
	transcript_reset(&run->transcript);
	result = talk_session(run, "while another one does not read");
	talk_close(&t);
	return result == CHECK_PASS ? talk_session(run, "one that did not read")
				    : result;
}

/* ---- one after the other ------------------------------------------------------------------ */

static enum check_result
many_visits(struct check_run *run)
{
	for (int i = 0; i < VISITS; i++) {
		struct talk t;

		transcript_reset(&run->transcript);
		if (talk_open(&t, run, NULL) < 0)
			return CHECK_FAIL;
		if (i % 2)
			talk_quit(&t);
		else
			talk_close(&t);
	}
	return talk_session(run, "many short connections");
}

static enum check_result
many_errors(struct check_run *run)
{
	for (int i = 0; i < VISITS; i++) {
		struct talk t;

		transcript_reset(&run->transcript);
		if (talk_dial(&t, run) < 0)
			return CHECK_FAIL;
		talk_raw(&t, "\0\0\0\1Z", 5);
		talk_close(&t);
	}
	return talk_session(run, "many connections with bad input");
}

/* Last of all: the same offer and the same message as at the beginning. */
static enum check_result
as_before(struct check_run *run)
{
	for (int i = 0; i < 3; i++) {
		if (talk_session(run, "all cases") == CHECK_FAIL)
			return CHECK_FAIL;
	}
	return CHECK_PASS;
}

const struct check_case filter_sockets_cases[] = {
	{ "close-anywhere", 260, FILTER_HOSTILE, close_anywhere },
	{ "reset-anywhere", 260, FILTER_HOSTILE, reset_anywhere },
	{ "half-close-anywhere", 261, FILTER_HOSTILE, half_close_anywhere },
	{ "in-turns", 262, FILTER_HOSTILE, in_turns },
	{ "many-held", 263, FILTER_HOSTILE, many_held },
	{ "held-in-message", 263, FILTER_HOSTILE, held_in_message },
	{ "stalled", 265, FILTER_HOSTILE, stalled },
	{ "never-reads", 266, FILTER_HOSTILE, never_reads },
	{ "many-visits", 280, FILTER_HOSTILE, many_visits },
	{ "many-errors", 281, FILTER_HOSTILE, many_errors },
	{ "as-before", 282, FILTER_HOSTILE, as_before },
	{ .name = NULL },
};
