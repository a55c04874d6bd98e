/* SPDX-License-Identifier: MIT */
/*
 * load_talk: what a session of a load says and hears (load_session.h).
 *
 * It walks through the plan: writes a step, waits for its answer, takes the next
 * one.
 */
#include "cli/check/load_session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define READ_SIZE  65536
#define PIECES_MAX 64 /* of one write: queue ids and what is between them */

static const struct load_step *
step_of(const struct load_session *s)
{
	return &s->run->plan.steps[s->step];
}

/* ---- writing ---------------------------------------------------------------------------- */

/* Something was heard before: over a network it would take its time. */
static void
begin_step(struct load_session *s)
{
	s->sent = s->heard = 0;
	s->since_us = clock_mono_us();
	if (s->run->o->latency_ms > 0) {
		load_session_wake_in(
		    s, LOAD_P_LATENCY, (msec)s->run->o->latency_ms);
		return;
	}
	s->phase = LOAD_P_TALKING;
	load_talk_push(s);
}

void
load_talk_run(struct load_session *s, enum load_part part)
{
	s->part = part;
	s->step = s->run->plan.from[part];
	begin_step(s);
}

static void
next_step(struct load_session *s)
{
	if (++s->step < s->run->plan.to[s->part])
		begin_step(s);
	else
		load_session_part_over(s);
}

/* What is left of the step, the message's own queue id in it, or a part of
 * that. */
static int
pieces(const struct load_session *s, struct iovec *v)
{
	const struct load_plan *plan = &s->run->plan;
	const struct load_step *step = step_of(s);
	size_t at = step->out + s->sent, end = step->out + step->out_n;
	size_t n_ids_here = s->run->o->same_id ? 0 : step->n_ids;
	char *octets = plan->octets.p;
	int n = 0;

	for (size_t i = 0; i < n_ids_here && n < PIECES_MAX - 2; i++) {
		size_t id = plan->ids[step->id + i],
		       id_end = id + LOAD_ID_SIZE - 1;

		if (id_end <= at)
			continue;
		if (id > at) {
			v[n++] = (struct iovec){ octets + at, id - at };
			at = id;
		}
		v[n++] =
		    (struct iovec){ (char *)s->id + (at - id), id_end - at };
		at = id_end;
		if (n >= PIECES_MAX - 2)
			return n; /* the rest goes with the next write */
	}
	if (at < end)
		v[n++] = (struct iovec){ octets + at, end - at };
	return n;
}

/* Writes what is left of the step.  false: there was no room for all, or the
 * connection broke. */
static bool
write_step(struct load_session *s)
{
	struct iovec v[PIECES_MAX];

	while (s->sent < step_of(s)->out_n) {
		struct msghdr m = { .msg_iov = v };
		ssize_t n;

		m.msg_iovlen = (size_t)pieces(s, v);
		n = sendmsg(load_session_fd(s), &m, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			load_session_watch(s, true);
			return false;
		}
		if (n < 0 && errno != EINTR) {
			load_session_fail(s, LOAD_E_CLOSED);
			return false;
		}
		s->sent += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Up to the next answer, or the end of the part. */
void
load_talk_push(struct load_session *s)
{
	while (write_step(s)) {
		load_session_watch(s, false);
		if (step_of(s)->answered)
			return;
		if (s->step + 1 == s->run->plan.to[s->part]) {
			load_session_part_over(s);
			return;
		}
		s->step++;
		s->sent = s->heard = 0;
		s->since_us = clock_mono_us();
	}
}

/* ---- reading ---------------------------------------------------------------------------- */

/* SKIP: what is left of the body is not wanted. */
static void
skip_body(struct load_session *s)
{
	while (s->step + 1 < s->run->plan.to[s->part] &&
	       s->run->plan.steps[s->step + 1].stage == MLT_SMFIC_BODY)
		s->step++;
}

/* The answer is whole; what is said next depends on it. */
static void
take_answer(struct load_session *s, enum load_then then, enum mlt_verdict v)
{
	uint8_t stage = step_of(s)->stage;

	load_time(s->run, load_stage_of(stage), s->since_us);
	switch (then) {
	case LOAD_THEN_EOM:
		skip_body(s);
		next_step(s);
		return;
	case LOAD_THEN_STEP:
		s->accepted += stage == MLT_SMFIC_RCPT &&
			       s->reply.head[4] == MLT_SMFIR_CONTINUE;
		next_step(s);
		return;
	case LOAD_THEN_MESSAGE:
		load_session_message_over(s, v, stage != MLT_SMFIC_EOM);
		return;
	case LOAD_THEN_CLIENT:
		load_session_client_over(s, v);
		return;
	case LOAD_THEN_REPLY:
	case LOAD_THEN_BAD:
		break;
	}
}

/* A whole reply, behind which there are `more` octets.  false: it was the end of
 * the answer, or of the connection. */
static bool
take_reply(struct load_session *s, size_t more)
{
	const struct load_step *step = step_of(s);
	bool others = s->accepted > 0 || step[1].stage == MLT_SMFIC_RCPT;
	enum mlt_verdict v;
	enum load_then then =
	    load_reply_then(&s->reply, step->stage, others, &v);

	if (then == LOAD_THEN_REPLY) {
		s->run->counts.changes +=
		    s->run->counting && s->reply.head[4] != MLT_SMFIR_PROGRESS;
		return true;
	}
	if (then == LOAD_THEN_BAD || more > 0) /* more than it was asked for */
		load_session_fail(s, LOAD_E_REPLY);
	else
		take_answer(s, then, v);
	return false;
}

/* Every connection has to negotiate as the first one did: what is said after it
 * was made for that. */
static bool
is_same_optneg(struct load_session *s, const uint8_t *p, size_t n)
{
	struct mlt_bytes want = s->run->plan.optneg;

	if (step_of(s)->stage != MLT_SMFIC_OPTNEG)
		return true;
	if (n > want.n - s->heard || memcmp(want.p + s->heard, p, n) != 0)
		return false;
	s->heard += n;
	return true;
}

static bool
is_awaiting(const struct load_session *s)
{
	return s->phase == LOAD_P_TALKING && step_of(s)->answered &&
	       s->sent == step_of(s)->out_n;
}

static void
take_octets(struct load_session *s, const uint8_t *p, size_t n)
{
	size_t used;
	int reply;

	while (n > 0) {
		reply = load_reply_take(&s->reply, p, n, &used);
		if (reply == LOAD_REPLY_BAD) {
			load_session_fail(s, LOAD_E_REPLY);
			return;
		}
		if (!is_same_optneg(s, p, used)) {
			load_session_fail(s, LOAD_E_OPTIONS);
			return;
		}
		p += used;
		n -= used;
		if (reply != LOAD_REPLY_MORE && !take_reply(s, n))
			return;
	}
}

void
load_talk_pull(struct load_session *s)
{
	static uint8_t octets[READ_SIZE]; /* of all sessions */
	ssize_t n = recv(load_session_fd(s), octets, sizeof(octets), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (s->phase == LOAD_P_HELD)
		load_session_lose(s);
	else if (n > 0 && is_awaiting(s))
		take_octets(s, octets, (size_t)n);
	else
		load_session_fail(s, n > 0 ? LOAD_E_REPLY : LOAD_E_CLOSED);
}
