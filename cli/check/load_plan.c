/* SPDX-License-Identifier: MIT */
/*
 * load_plan: what a connection of `load` says (load_plan.h).
 */
#include "cli/check/load_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_HEAD 4
#define FRAME_MIN  (FRAME_HEAD + 1)

struct maker {
	struct load_plan *plan;
	struct mlt_play *play;
	enum load_part part;
	bool apart;
	bool content; /* of the message: the envelope is complete */
	char *err;
	size_t errlen;
};

static int
fail(struct maker *m, const char *why)
{
	snprintf(m->err, m->errlen, "%s", why);
	return -1;
}

/* ---- the plan's lists -------------------------------------------------------------- */

/* Room for one more. */
static bool
grow(void **v, size_t n, size_t *cap, size_t size)
{
	size_t room = *cap ? 2 * *cap : 64;
	void *grown;

	if (n < *cap)
		return true;
	grown = realloc(*v, room * size);
	if (!grown)
		return false;
	*v = grown;
	*cap = room;
	return true;
}

static struct load_step *
last_step(const struct load_plan *plan, enum load_part part)
{
	return plan->to[part] > plan->from[part]
		   ? &plan->steps[plan->to[part] - 1]
		   : NULL;
}

static struct load_step *
new_step(struct load_plan *plan, enum load_part part)
{
	struct load_step *s;

	if (!grow((void **)&plan->steps, plan->n_steps, &plan->cap_steps,
		sizeof(*plan->steps)))
		return NULL;
	if (plan->to[part] == 0)
		plan->from[part] = plan->n_steps;
	s = &plan->steps[plan->n_steps++];
	*s = (struct load_step){ .out = buf_len(&plan->octets),
		.id = plan->n_ids };
	plan->to[part] = plan->n_steps;
	return s;
}

/* Queue ids are looked for in macros only: the message may contain anything. */
static bool
note_ids(
    struct load_plan *plan, struct load_step *s, const uint8_t *frame, size_t n)
{
	const uint8_t *p = frame;
	size_t id_n = strlen(CLIENT_QUEUE_ID);

	while (
	    (p = memmem(p, n - (size_t)(p - frame), CLIENT_QUEUE_ID, id_n))) {
		if (!grow((void **)&plan->ids, plan->n_ids, &plan->cap_ids,
			sizeof(*plan->ids)))
			return false;
		plan->ids[plan->n_ids++] =
		    buf_len(&plan->octets) + (size_t)(p - frame);
		s->n_ids++;
		p += id_n;
	}
	return true;
}

static bool
add_frame(
    struct load_plan *plan, struct load_step *s, const uint8_t *frame, size_t n)
{
	if (frame[FRAME_HEAD] == MLT_SMFIC_MACRO &&
	    !note_ids(plan, s, frame, n))
		return false;
	s->stage = frame[FRAME_HEAD];
	s->out_n += n;
	return buf_add(&plan->octets, frame, n) == 0;
}

/* A part of one packet that nothing precedes. */
static bool
add_single(struct load_plan *plan, enum load_part part, uint8_t octet)
{
	const uint8_t frame[FRAME_MIN] = { 0, 0, 0, 1, octet };
	struct load_step *s = new_step(plan, part);

	return s && add_frame(plan, s, frame, sizeof(frame));
}

/* ---- cutting ----------------------------------------------------------------------- */

/* The command that a packet belongs to: its own, or that of its macros. */
static uint8_t
command_of(const uint8_t *frame, size_t n)
{
	if (frame[FRAME_HEAD] == MLT_SMFIC_MACRO && n > FRAME_MIN)
		return frame[FRAME_MIN];
	return frame[FRAME_HEAD];
}

static bool
in_greeting(uint8_t command)
{
	return command && strchr("OCHU", command);
}

static bool
in_content(uint8_t command)
{
	return command && strchr("LNBE", command);
}

/* Whether the frame begins a step.  Where nobody waits for an answer, one ends
 * also with the envelope: another process of Postfix goes on with the content
 * (seen: a Postfix 3.7). */
static bool
begins_step(
    const struct maker *m, const struct load_step *last, uint8_t command)
{
	return !last || last->answered || m->apart ||
	       (in_content(command) && !m->content);
}

static int
take_frame(struct maker *m, const uint8_t *frame, size_t n)
{
	uint8_t command = command_of(frame, n);
	struct load_step *s;

	if (m->part == LOAD_GREETING && !in_greeting(command))
		m->part = LOAD_FIRST;
	if (m->part == LOAD_NEXT && command == MLT_SMFIC_ABORT)
		m->plan->next_aborts = true;
	s = last_step(m->plan, m->part);
	if (begins_step(m, s, command))
		s = new_step(m->plan, m->part);
	m->content = in_content(command);
	if (!s || !add_frame(m->plan, s, frame, n))
		return fail(m, "out of memory");
	return 0;
}

/* All that has been said since the last answer. */
static int
take_output(struct maker *m)
{
	const uint8_t *p;
	size_t left = mlt_play_output(m->play, &p), n;
	struct load_step *s;

	for (; left > 0; p += n, left -= n) {
		n = FRAME_HEAD + ((size_t)p[0] << 24 | (size_t)p[1] << 16 |
				     (size_t)p[2] << 8 | p[3]);
		if (take_frame(m, p, n) < 0)
			return -1;
	}
	mlt_play_sent(m->play, mlt_play_output(m->play, &p));
	s = last_step(m->plan, m->part);
	if (s && mlt_play_awaits(m->play))
		s->answered = true;
	return 0;
}

/* ---- the filter that lets everything pass ------------------------------------------ */

static int
answer(struct maker *m, bool first)
{
	static const uint8_t go_on[FRAME_MIN] = { 0, 0, 0, 1,
		MLT_SMFIR_CONTINUE };
	struct mlt_bytes optneg = m->plan->optneg;

	return first ? mlt_play_feed(m->play, optneg.p, optneg.n)
		     : mlt_play_feed(m->play, go_on, sizeof(go_on));
}

static int
hear(struct maker *m, const struct mlt_play_event *ev)
{
	if (ev->type == MLT_PLAY_VIOLATION)
		return fail(m,
		    "the filter's answer to the negotiation breaks the "
		    "protocol: `milter-check send' shows it");
	if (ev->type == MLT_PLAY_MESSAGE)
		m->part = ev->message == 0 && !m->plan->one_message ? LOAD_NEXT
								    : LOAD_QUIT;
	return 0;
}

static int
play(struct maker *m)
{
	struct mlt_play_event ev;
	bool first = true;
	int rc;

	while (!mlt_play_done(m->play)) {
		while ((rc = mlt_play_next(m->play, &ev)) > 0) {
			if (hear(m, &ev) < 0)
				return -1;
		}
		if (rc == MLT_E_NOMEM)
			return fail(m, "out of memory");
		if (rc < 0)
			return fail(m,
			    "the message, or its envelope, cannot be told to "
			    "this filter: a part of it is too long");
		if (take_output(m) < 0)
			return -1;
		if (mlt_play_awaits(m->play)) {
			if (answer(m, first) < 0)
				return fail(m, "out of memory");
			first = false;
		}
	}
	m->plan->actions = mlt_mta_actions(mlt_play_mta(m->play));
	m->plan->protocol = mlt_mta_protocol(mlt_play_mta(m->play));
	return 0;
}

int
load_plan_make(struct load_plan *plan, const struct client *c,
    struct mlt_bytes optneg, bool apart, char *err, size_t errlen)
{
	struct maker m = {
		.plan = plan, .apart = apart, .err = err, .errlen = errlen
	};
	int rc;

	*plan = (struct load_plan){ .optneg = optneg };
	plan->one_message =
	    client_play_opts(c)->profile->habits & MLT_HABIT_ONE_MESSAGE;
	buf_init(&plan->octets, 0);
	if (mlt_play_new(&m.play, client_play_opts(c), client_script(c)) < 0)
		return fail(&m, "out of memory");
	rc = play(&m);
	if (rc == 0 && (!add_single(plan, LOAD_ABORT, MLT_SMFIC_ABORT) ||
			   !add_single(plan, LOAD_BYE, MLT_SMFIC_QUIT)))
		rc = fail(&m, "out of memory");
	mlt_play_free(m.play);
	if (rc < 0)
		load_plan_fini(plan);
	return rc;
}

void
load_plan_fini(struct load_plan *plan)
{
	buf_fini(&plan->octets);
	free(plan->steps);
	free(plan->ids);
	*plan = (struct load_plan){ .n_steps = 0 };
}
