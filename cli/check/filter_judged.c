/* SPDX-License-Identifier: MIT */
/*
 * filter_judged: sessions as an MTA leads them (filter_judged.h).
 *
 * struct mlt_play says what the MTA says and ends at the first deviation, which
 * is the last thing in the transcript then; who deviated and how is for the
 * cases to find, and not taken from the library.
 */
#include "cli/check/filter_judged.h"

#include "cli/check/filter_scripts.h"

#include <stdlib.h>
#include <string.h>

#define BURST                                                                  \
	1000 /* octets of frames written at once; the transcript keeps them */

#define SILENT_MAX 3 /* sessions in which an answer was missing */

struct filter_judged {
	struct judged_session v[SCRIPTS_MAX];
	size_t n;
};

bool
judged_is_edit(uint8_t octet)
{
	return octet && strchr("himb+2-eqp", octet);
}

/* ---- playing -------------------------------------------------------------------- */

static size_t
frame_size(const uint8_t *p)
{
	return 4 + ((size_t)p[0] << 24 | (size_t)p[1] << 16 |
		       (size_t)p[2] << 8 | p[3]);
}

/* All that waits to leave, in bursts of whole frames. */
static int
write_output(
    struct mlt_play *p, struct link *l, struct judged_session *s, msec wait_ms)
{
	const uint8_t *out;
	size_t left;

	while ((left = mlt_play_output(p, &out)) > 0) {
		size_t n = 0;

		do {
			s->quit |= out[n + 4] == MLT_SMFIC_QUIT;
			n += frame_size(out + n);
		} while (n < left && n + frame_size(out + n) <= BURST);
		if (link_write(l, out, n, wait_ms) < 0)
			return -1;
		mlt_play_sent(p, n);
	}
	return 0;
}

/* Lends one frame to the play, as it was on the wire. */
static int
feed(struct mlt_play *p, const struct link_frame *frame)
{
	return mlt_play_feed(p, frame->payload - 5, frame->n + 5);
}

static enum link_got
wait_reply(struct filter *f, struct link *l, struct link_frame *frame)
{
	enum link_got got = link_read(l, frame, filter_wait_ms(f));

	if (got == LINK_NOTHING && filter_pass_session(f) == 0)
		got = link_read(l, frame, (msec)f->o.grace_ms);
	return got;
}

static void
play(struct filter *f, struct mlt_play *p, struct link *l,
    struct judged_session *s)
{
	struct mlt_play_event ev;
	struct link_frame frame;
	int rc;

	while (!mlt_play_done(p)) {
		while ((rc = mlt_play_next(p, &ev)) > 0)
			continue;
		/* an answer to nothing would be taken for the next one */
		if (rc < 0 || link_read(l, &frame, 0) == LINK_FRAME ||
		    write_output(p, l, s, (msec)f->o.reply_ms) < 0)
			break;
		if (!mlt_play_awaits(p))
			continue;
		switch (wait_reply(f, l, &frame)) {
		case LINK_FRAME:
			if (feed(p, &frame) < 0)
				return;
			break;
		case LINK_NOTHING:
			s->silent = true;
			return;
		case LINK_CLOSED:
			s->closed = true;
			return;
		case LINK_BROKEN:
			return;
		}
	}
}

/* Reads what was sent without being asked for, until the filter closes. */
static void
read_rest(struct filter *f, struct link *l, struct judged_session *s)
{
	struct link_frame frame;
	enum link_got got;

	do {
		got = s->quit ? wait_reply(f, l, &frame)
			      : link_read(l, &frame, 0);
	} while (got == LINK_FRAME);
	s->left = got == LINK_CLOSED;
}

/* ---- what was said and heard ------------------------------------------------------ */

static uint32_t
u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
agree(struct judged_session *s, const struct judged_reply *r)
{
	if (s->version || r->octet != MLT_SMFIR_OPTNEG || r->n < 12)
		return;
	s->version = u32_at(r->payload);
	s->actions = u32_at(r->payload + 4);
	s->protocol = u32_at(r->payload + 8);
}

static bool
is_due(const struct judged_session *s, uint8_t octet)
{
	switch (octet) {
#define MLT_X_COMMAND(name, octet_, version_, no, nr, legal)                   \
	case octet_:                                                           \
		return *(legal) && !(s->protocol & (uint32_t)(nr));
#include <milterproto.def>
	}
	return false;
}

static void
add_said(struct judged_session *s, const struct transcript_entry *e)
{
	const uint8_t *p = transcript_octets(&s->transcript, e);
	size_t left = e->n;

	while (left >= 5) {
		size_t n = frame_size(p), kept = n < left ? n : left;

		s->commands[s->n_commands++] =
		    (struct judged_command){ .octet = p[4],
			    .payload = p + 5,
			    .n = kept - 5,
			    .us = e->us,
			    .due = is_due(s, p[4]),
			    .replies = &s->replies[s->n_replies] };
		p += kept;
		left -= kept;
	}
}

static void
add_heard(struct judged_session *s, const struct transcript_entry *e)
{
	const uint8_t *p = transcript_octets(&s->transcript, e);
	struct judged_reply *r = &s->replies[s->n_replies];
	bool whole = e->n >= 5 && frame_size(p) == e->n;

	*r = (struct judged_reply){ .octet = whole ? p[4] : 0,
		.payload = whole ? p + 5 : p,
		.n = whole ? e->n - 5 : e->n,
		.us = e->us,
		.whole = whole };
	if (s->n_commands == 0)
		return; /* nobody asked: the first command will show it */
	s->n_replies++;
	s->commands[s->n_commands - 1].n_replies++;
	agree(s, r);
}

static size_t
count_frames(const struct transcript *t, enum transcript_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].kind == kind)
			n += 1 + t->v[i].n / 5;
	}
	return n;
}

/* 0, or -1: no memory. */
static int
sort_out(struct judged_session *s)
{
	const struct transcript *t = &s->transcript;

	s->commands =
	    calloc(count_frames(t, TRANSCRIPT_SAID) + 1, sizeof(*s->commands));
	s->replies =
	    calloc(count_frames(t, TRANSCRIPT_HEARD) + 1, sizeof(*s->replies));
	if (!s->commands || !s->replies || t->failed)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].kind == TRANSCRIPT_SAID)
			add_said(s, &t->v[i]);
		else if (t->v[i].kind == TRANSCRIPT_HEARD)
			add_heard(s, &t->v[i]);
	}
	return 0;
}

/* ---- all sessions of a profile ---------------------------------------------------- */

static int
play_session(struct filter *f, const struct mlt_profile *profile,
    const struct script *script, struct judged_session *s,
    struct check_run *run)
{
	const struct mlt_play_opts opts = { .profile = profile };
	struct mlt_play *p = NULL;
	struct link l;
	char err[300];

	*s = (struct judged_session){ .name = script->name,
		.offer = profile->offer,
		.times = profile->times };
	transcript_init(&s->transcript);
	if (link_open(&l, f->socket, (msec)f->o.reply_ms, &s->transcript, 1,
		err, sizeof(err)) < 0) {
		check_fail(run, "%s", err);
		return -1;
	}
	transcript_note(&s->transcript, 1, 0, "the session: %s", s->name);
	if (mlt_play_new(&p, &opts, &script->play) < 0) {
		link_close(&l);
		check_fail(run, "out of memory");
		return -1;
	}
	play(f, p, &l, s);
	mlt_play_free(p);
	if (!s->silent)
		read_rest(f, &l, s);
	link_close(&l);
	if (sort_out(s) == 0)
		return 0;
	check_fail(run, "out of memory");
	return -1;
}

static void
free_sessions(struct filter_judged *p)
{
	for (size_t i = 0; i < p->n; i++) {
		transcript_fini(&p->v[i].transcript);
		free(p->v[i].commands);
		free(p->v[i].replies);
	}
	free(p);
}

void
judged_free(struct filter *f)
{
	if (f->judged)
		free_sessions(f->judged);
	f->judged = NULL;
}

/* NULL, with a failure noted: the filter cannot be reached. */
static struct filter_judged *
sessions(struct check_run *run)
{
	struct filter *f = filter_of(run);
	const struct mlt_profile *profile = mlt_profile_find(run->profile);
	const struct script *script;
	unsigned silent = 0;

	if (f->judged && f->judged_profile == run->profile_index)
		return f->judged;
	judged_free(f);
	f->judged = calloc(1, sizeof(*f->judged));
	f->judged_profile = run->profile_index;
	/* one that never answers is not asked fifteen times */
	for (size_t i = 0;
	     f->judged && silent < SILENT_MAX && (script = script_at(i, &f->o));
	     i++) {
		f->judged->n++;
		if (play_session(f, profile, script, &f->judged->v[i], run) <
		    0) {
			judged_free(f);
			return NULL;
		}
		silent += f->judged->v[i].silent;
	}
	return f->judged;
}

enum check_result
judged_all(struct check_run *run, judged_judge *judge, const char *nothing)
{
	const struct filter_judged *p = sessions(run);
	enum check_result result = CHECK_NOT_APPLICABLE;

	if (!p)
		return CHECK_FAIL;
	for (size_t i = 0; i < p->n; i++) {
		enum check_result one = judge(&p->v[i], &run->why);

		if (one == CHECK_NOT_APPLICABLE)
			continue;
		if (result != CHECK_DIFFERS || one == CHECK_FAIL)
			result = one;
		if (one == CHECK_FAIL) {
			transcript_copy(&run->transcript, &p->v[i].transcript);
			return result;
		}
	}
	if (result == CHECK_NOT_APPLICABLE)
		return check_not_applicable(run, "%s", nothing);
	if (result == CHECK_PASS)
		buf_reset(&run->why);
	return result;
}
